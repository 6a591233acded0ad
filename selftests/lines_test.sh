#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lines_test.sh [MODULE]: the module that has a conn for each open file gives
# lines back, refuses too many, and leaves nothing behind. secbuf is loaded,
# debugfs is mounted.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

module=${1:-$here/secbuf_lines.ko}
lines=/sys/kernel/debug/secbuf_lines
pools=/sys/kernel/debug/secbuf/pools
conns=/sys/kernel/debug/secbuf/conns
scan=/sys/kernel/debug/secbuf/scan

# line: the next one of descriptor 3, or nothing
line()
{
	dd bs=1024 count=1 <&3 2>/dev/null
}

# in_use: buffers of the module's pool
in_use()
{
	awk '$1 == "lines" { print $7 }' $pools
}

# long BYTES: so many letters
long()
{
	head -c "$1" /dev/zero | tr '\0' 'l'
}

echo "TAP version 13"
if [ ! -e "$module" ]; then
	tap_skip lines "no module"
	tap_end
	exit
fi

users=$(cat /sys/module/secbuf/refcnt)
insmod "$module"
tap_result $? "loaded"

exec 3<>$lines
tap_is 0 "$(in_use)" "an open file has no buffer"
tap_is "" "$(line)" "no line at first"
printf 'swordfish\ncod' >&3
tap_is swordfish "$(line)" "a line"
tap_is "" "$(line)" "half a line is none"
printf 'fish\n\nhake\n' >&3
tap_is codfish "$(line)" "in two pieces"
tap_is hake "$(line)" "an empty one is none"
tap_is "" "$(line)" "no more"
! dd bs=1023 count=1 <&3 2>/dev/null
tap_result $? "no room for a line: refused"

# What is not complete is live data; an empty buffer of an idle file is not.
tries=20
until [ "$(in_use)" -eq 1 ] || [ $tries -eq 0 ]; do
	# It was idle for a second already, because the machine is slow.
	tries=$((tries - 1))
	printf '\n' >&3
done
tap_is 1 "$(in_use)" "one buffer"
sleep 3
tries=60
until echo >$scan && [ "$(in_use)" -eq 0 ] || [ $tries -eq 0 ]; do
	tries=$((tries - 1))
	sleep 1
done
tap_is 0 "$(in_use)" "it goes when it is idle"
tap_is "ns examined expired" "$(cut -d' ' -f1 $scan | xargs)" "what a scan did"
printf 'her' >&3
sleep 3
echo >$scan
tap_is 1 "$(in_use)" "it stays with half a line in it"
printf 'ring\n' >&3
tap_is herring "$(line)" "nothing is lost"

for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	echo "line $i" >&3
done
# And a buffer, if it is not idle yet.
case $(in_use) in
16|17)	true ;;
*)	false ;;
esac
tap_result $? "as many lines as there may be"
tap_is "lines 16" "$(awk '$1 == "lines" { print $1, $5 }' $conns)" "listed"
echo "line 17" >&3
tap_is "line 1" "$(line)" "one more waits"
printf 'line 18\n' >&3
for i in 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
	tap_is "line $i" "$(line)" "line $i"
done
: >&3
printf '\n' >&3
tap_is "line 18" "$(line)" "line 18"

long 1024 >&3
! printf x | dd bs=1 >&3 2>/dev/null
tap_result $? "too long: refused"
exec 3>&-
tap_is 0 "$(in_use)" "nothing is left of a closed file"

exec 3<>$lines
printf 'bass\nbream' >&3
tap_is 2 "$(in_use)" "two buffers"
exec 3>&-
tap_is 0 "$(in_use)" "nothing is left, though it was not read"

exec 3<>$lines
printf 'tuna\n' >&3
! rmmod secbuf_lines 2>/dev/null
tap_result $? "in use: stays"
exec 3>&-
rmmod secbuf_lines
tap_result $? "unloaded"
tap_is "$users" "$(cat /sys/module/secbuf/refcnt)" "no reference is left"
tap_end
