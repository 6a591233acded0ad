#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run each test that breaks/tests names with the module that is broken so that
# it must fail, see scripts/breaks.sh.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

tab=$(printf '\t')
seen=0

echo "TAP version 13"
while IFS=$tab read -r name id; do
	program=${id%%: *}
	test=${id#*: }
	if ! insmod "$here/breaks/$name.ko"; then
		tap_result 1 "$name: insmod"
		continue
	fi
	if [ -e "$here/$program" ]; then
		timeout 120 "$here/$program"
	else
		timeout 120 sh "$here/$program.sh"
	fi >/tmp/break.out 2>&1 </dev/null
	grep -qE "^not ok [0-9]+ .*\b$test( |\$)" /tmp/break.out
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
