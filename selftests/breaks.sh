#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run each test that breaks/tests names with the module that is broken so that
# it must fail, see scripts/breaks.sh. Where the kernel looks for data races, it
# must find one while the test runs.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

tab=$(printf '\t')
race='BUG: KCSAN: data-race in '
seen=0

# run PROGRAM [ARGUMENT]...: what is killed has failed no test
run()
{
	program=$1
	shift
	if [ -e "$here/$program" ]; then
		timeout 900 "$here/$program" "$@"
	else
		timeout 900 sh "$here/$program.sh"
	fi >/tmp/break.out 2>&1 </dev/null
}

# finds_race PROGRAM TEST: it takes as many turns as it takes
finds_race()
{
	dmesg -c >/dev/null
	for _ in $(seq 30); do
		run "$1" "$2"
		! dmesg | sed -n "s/.*\($race\)/# \1/p" | grep . || return 0
	done
	return 1
}

# fails PROGRAM TEST
fails()
{
	if [ -e /sys/kernel/debug/kcsan ]; then
		finds_race "$1" "$2"
	else
		run "$1"
		grep -qE "^not ok [0-9]+ .*\b$2( |\$)" /tmp/break.out
	fi
}

echo "TAP version 13"
while IFS=$tab read -r name id; do
	program=${id%%: *}
	test=${id#*: }
	if ! insmod "$here/breaks/$name.ko"; then
		tap_result 1 "$name: insmod"
		continue
	fi
	fails "$program" "$test"
	status=$?
	tap_result $status "$name fails $id"
	if [ $status -eq 0 ]; then
		seen=$((seen + 1))
	else
		grep -vE "^ok |^# +(RUN|OK) " /tmp/break.out | sed 's/^/# /'
	fi
	# What a killed test leaves takes its time.
	tries=100
	while ! rmmod secbuf 2>/dev/null && [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
done <"$here/breaks/tests"
echo "# proof: breaks $seen"
tap_end
