#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Eight processes share a pool; a thousand times one is killed and replaced, see
# crowd.c. Afterwards no slot is granted, nothing is charged for, and the search
# of all RAM from outside finds none of their secrets. The same with malloc is
# the positive control. Without anybody to search, only the first two.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/hits.sh
. "$here/hits.sh"
# shellcheck source=selftests/secrecy_cases.sh
. "$here/secrecy_cases.sh"

dir=$(mktemp -d)
needles=$here/needles
search=1

# await PID FILE WORD: until the program says so, while it lives
await()
{
	while ! grep -q "^$3" "$2" 2>/dev/null; do
		kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
}

echo "TAP version 13"
if ! command -v hostsearch >/dev/null || [ ! -d "$needles" ]; then
	search='' needles=$dir
	: "${SECBUF_ROUNDS:=100}"
	for name in $crowd_cases $crowd_control; do
		head -c 32 /dev/urandom >"$dir/$name.mask"
		head -c 32 /dev/urandom >"$dir/$name.masked"
	done
fi

rounds=${SECBUF_ROUNDS:-1000}
"$here/crowd" pool "$rounds" "$needles" >"$dir/pool" 2>&1 &
pool=$!
await $pool "$dir/pool" started || echo "# $(cat "$dir/pool")"
[ -z "$search" ] || hostsearch alive >"$dir/alive" || echo "# no search"
await $pool "$dir/pool" ended || echo "# $(cat "$dir/pool")"
# Before the control, whose memory is what was freed last.
[ -z "$search" ] || hostsearch dead >"$dir/dead" || echo "# no search"

# control: sets $left to what the same leaves in malloc's memory
control()
{
	"$here/crowd" malloc 50 "$needles" >"$dir/malloc" 2>&1 &
	malloc=$!
	await $malloc "$dir/malloc" ended || echo "# $(cat "$dir/malloc")"
	hostsearch control >"$dir/control" || echo "# no search"
	kill -KILL $malloc
	wait $malloc 2>/dev/null
	# shellcheck disable=SC2086 # words
	left=$(hits_sum "$dir/control" $crowd_control)
}

# Whoever starts the search may have got all of it.
left=0
tries=5
while [ -n "$search" ] && [ "$left" = 0 ] && [ $tries -gt 0 ]; do
	tries=$((tries - 1))
	control
	echo "# control: found $left"
done

tap_is "ended 0 0 0 0" "$(grep ^ended "$dir/pool")" \
	"$rounds rounds: in use, with memory, bytes, charged"
if [ -n "$search" ]; then
	# shellcheck disable=SC2086 # words
	alive=$(hits_sum "$dir/alive" $crowd_cases)
	# shellcheck disable=SC2086
	dead=$(hits_sum "$dir/dead" $crowd_cases)
	echo "# secrets found while they worked: $alive, afterwards: $dead"
	[ "$alive" != unknown ] && [ "$alive" -gt 0 ]
	tap_result $? "found while they worked"
	tap_is 0 "$dead" "nothing left of their secrets"
	[ "$left" != unknown ] && [ "$left" -gt 0 ]
	tap_result $? "malloc: control left some"
else
	tap_skip "search" "there is nobody outside to search the RAM"
fi
kill -KILL $pool 2>/dev/null
wait $pool 2>/dev/null
tap_is "0 0 0 0" "$("$here/counters")" "nothing is left when the last is gone"
rm -rf "$dir"
tap_end
