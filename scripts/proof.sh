#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Attack every promise, in every lane, and print figures: what "make check" has
# no time for. Two steps run beside each other. The figures are sums of what
# programs print as "# proof: NAME N" beside their TAP. FUZZ_TIME: seconds of
# fuzzing the ioctls (300).

# shellcheck disable=SC2317 # step calls the functions

set -eu -o pipefail

cd "$(dirname "$0")/.."
# shellcheck source=scripts/steps.sh
. scripts/steps.sh
out=$PWD/build/proof
steps_beside=1

# What takes long in one guest.
attacks_on_the_kernel()
{
	lane_step debug 'fail-nth' faults
	lane_step debug 'races' races
	lane_step kcsan 'data races' races 0.5
	lane_step kcsan 'data races under load' soak 20
	step kcsan 'data races that must be found' scripts/breaks.sh --races
	lane_step debug 'fuzzing the ioctls' fuzz "${FUZZ_TIME:-300}"
}

attacks_on_secrets()
{
	local lane

	for lane in stock stock612; do
		lane_step $lane 'secrecy' secrecy
		lane_step $lane 'access' access
		lane_step $lane 'policies' policies
	done
	step stock 'reboot and kexec' scripts/reboot-test.sh "$logs/stock"
	step stock 'who may open the device' scripts/node-test.sh
	step stock 'tests that must fail' scripts/breaks.sh
	step host 'builds' scripts/builds.sh
}

# figure NAME: the sum over all logs
figure()
{
	awk -v name="$1" '$1 == "#" && $2 == "proof:" && $3 == name { n += $4 }
			  END { print n + 0 }' "$logs"/*.log
}

# row WORDS NAME [OF-NAME]
row()
{
	printf '%-46s%8d%s\n' "$1" "$(figure "$2")" \
		"${3:+ of $(figure "$3")}"
}

# Each reason, and how many tests gave it.
skips()
{
	sed -n 's/^ok [0-9]* .*# SKIP *//p' "$logs"/*.log | sort | uniq -c |
		sort -rn
}

make -s all build/ramsearch
make -s selftests
steps_begin "$out/logs"
start=$SECONDS
attacks_on_the_kernel &
attacks_on_secrets
wait
echo
status=0
if [ -n "$(skips)" ]; then
	echo "skipped, and why:"
	skips
	echo
fi
steps_end '' || status=1
# held, survived: all of them, or the figures contradict the tests
for pair in 'held attacked' 'survived points'; do
	read -r good all <<<"$pair"
	[ "$(figure "$good")" -eq "$(figure "$all")" ] &&
		[ "$(figure "$good")" -gt 0 ] || status=1
done
row 'cases attacked' attacked
row 'cases held' held
row 'positive controls that found the secret' controls
row 'fail-nth points survived' survived points
row 'fuzz executions' fuzz_calls
row '  places of the module reached' fuzz_places
row '  of these found by mutation' fuzz_new
row 'races run' races
row '  accesses watched for data races' watched
row 'deliberate breaks that a test found' breaks
row 'kernels built for' kernels
row '  compilers' compilers
row '  builds without a warning' builds
printf '%-46s%8d\n' 'minutes' $(((SECONDS - start + 59) / 60))
exit $status
