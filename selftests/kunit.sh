#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Load every *kunit*.ko beside this script, which runs the suites in it, and
# print what they report: one TAP block for each suite, with the totals of
# kselftest. They bring what they test: secbuf.ko is not loaded.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

results=/sys/kernel/debug/kunit
failed=0

# report SUITE: the cases are those of the first level, four columns in
report()
{
	log=$results/$1/results
	tap_pass=$(grep "^    ok " "$log" | grep -c -v "# SKIP")
	tap_skip=$(grep "^    ok " "$log" | grep -c "# SKIP")
	tap_fail=$(grep -c "^    not ok " "$log")
	echo "# KUnit suite $1"
	echo "TAP version 13"
	grep -v "# Totals:" "$log"
	if [ "$(tap_nr)" -eq 0 ] || grep -q "^not ok " "$log"; then
		[ "$tap_fail" -gt 0 ] || tap_fail=1
	fi
	tap_end || failed=1
}

for module in "$here"/*kunit*.ko; do
	if [ ! -e "$module" ]; then
		echo "TAP version 13"
		tap_skip kunit "there are no KUnit modules"
		tap_end
		break
	fi
	name=$(basename "$module" .ko)
	seen=$(ls $results)
	if ! insmod "$module"; then
		echo "TAP version 13"
		tap_result 1 "insmod $name"
		tap_end
		failed=1
		continue
	fi
	suites=0
	for suite in "$results"/*; do
		suite=${suite##*/}
		! echo "$seen" | grep -q -x "$suite" || continue
		report "$suite"
		suites=$((suites + 1))
	done
	tap_pass=0 tap_fail=0 tap_skip=0
	echo "TAP version 13"
	[ $suites -gt 0 ]
	tap_result $? "$name has suites"
	rmmod "$name"
	tap_result $? "$name: unloaded"
	tap_end || failed=1
done
exit $failed
