#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Plant secrets, end their lives in every way there is, and have all RAM of
# this guest searched from outside: nothing may be left of those in secbuf. The
# same program taking the same steps with malloc is the positive control: a
# search that does not find its secrets proves nothing.
#
# Core dumps are on, and go to a tmpfs, that is to RAM.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/secrecy_cases.sh
. "$here/secrecy_cases.sh"

cases="$secrecy_cases $secrecy_controls"
dir=$(mktemp -d)

echo "TAP version 13"
if ! command -v hostsearch >/dev/null || [ ! -d "$here/needles" ]; then
	tap_skip secrecy "there is nobody outside to search the RAM"
	tap_end
	exit
fi

# await FILE WORD: until the program says so, for 30 s
await()
{
	tries=300
	while ! grep -q "^$2" "$1" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# found LABEL NAME: hits for the secret and its halves, as "N N N"
found()
{
	for half in "" .lo .hi; do
		awk -v needle="$2$half" '$2 == needle { print $3 }' "$dir/$1"
	done | tr '\n' ' ' | sed 's/ $//'
}

# hits LABEL NAME: their sum, or "unknown"
hits()
{
	# shellcheck disable=SC2046 # three words
	set -- $(found "$1" "$2")
	[ $# -eq 3 ] && echo $(($1 + $2 + $3)) || echo unknown
}

core_pattern=$(cat /proc/sys/kernel/core_pattern)
echo "$dir/core.%p" >/proc/sys/kernel/core_pattern
# shellcheck disable=SC3045 # busybox has it
ulimit -c unlimited

for name in $cases; do
	case ${name%-*} in
	lent|packet|moved|stream)	program=conn_plant ;;
	ring)				program=ring_plant ;;
	*)				program=plant ;;
	esac
	"$here/$program" "${name%-*}" "${name#*-}" "$here/needles/$name.mask" \
		"$here/needles/$name.masked" >"$dir/$name.out" 2>&1 &
	echo $! >"$dir/$name.pid"
done
for name in $cases; do
	await "$dir/$name.out" planted ||
		echo "# $name: $(cat "$dir/$name.out")"
done
hostsearch alive >"$dir/alive" || echo "# the search failed"

# The controls end last, so that little else uses their pages again.
for name in $cases; do
	read -r pid <"$dir/$name.pid"
	case ${name#*-} in
	kill|fork|mapping)
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null
		;;
	exit|abort|sigsegv)
		kill -USR1 "$pid"
		wait "$pid" 2>/dev/null
		;;
	*)
		kill -USR1 "$pid"
		await "$dir/$name.out" ended || echo "# $name: does not end"
		;;
	esac
done
hostsearch dead >"$dir/dead" || echo "# the search failed"

for name in $cases; do
	echo "# $name: alive $(found alive "$name"), dead $(found dead "$name")"
	alive=$(hits alive "$name")
	dead=$(hits dead "$name")
	[ "$alive" != unknown ] && [ "$alive" -gt 0 ]
	tap_result $? "$name: found while alive"
	case $name in
	malloc-*)
		[ "$dead" != unknown ] && [ "$dead" -gt 0 ]
		tap_result $? "$name: control left some"
		;;
	*)
		tap_is 0 "$dead" "$name: nothing left"
		;;
	esac
done

# Those who survived, and the children that held the descriptors.
for name in $cases; do
	read -r pid <"$dir/$name.pid"
	read -r word child <"$dir/$name.out"
	[ "$word" = planted ] && [ "$child" -ne 0 ] && kill -KILL "$child"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
done
echo "$core_pattern" >/proc/sys/kernel/core_pattern
rm -rf "$dir"
tap_end
