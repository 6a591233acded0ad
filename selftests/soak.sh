#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# soak.sh SECONDS: many processes create, use and destroy objects of all kinds while
# memory is reclaimed, a CPU goes and comes and unloading is tried, which must
# be refused. Then some are killed, the rest end, nothing may be left and the
# module is unloaded and loaded again; until the time is up.
#
# The module is not loaded when this begins and when it ends.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

seconds=${1:?usage: soak.sh SECONDS}
module=$here/secbuf.ko
cpu=/sys/devices/system/cpu/cpu1/online
shrinkers=/sys/kernel/debug/shrinker
cgroup=$(stat -c %i /sys/fs/cgroup 2>/dev/null || echo 0)
out=$(mktemp -d)
everybody="1 2 3 4 5 6 7 8"
round=0
bad=

# flaw TEXT: something that must not happen
flaw()
{
	echo "# round $round: $1"
	bad=1
}

# users: start them and wait until they use the module; their pids in $pids
users()
{
	pids=
	for i in $everybody; do
		case $i in
		1|2|3)	kind=held ;;
		4|5)	kind=mapped ;;
		6|7)	kind=ring ;;
		*)	kind=conn ;;
		esac
		"$here/soak_user" $kind $((round * 10 + i)) >"$out/$i" 2>&1 &
		pids="$pids $!"
	done
	for i in $everybody; do
		tries=600
		while ! grep -q ready "$out/$i"; do
			tries=$((tries - 1))
			if [ $tries -eq 0 ]; then
				flaw "user $i: $(cat "$out/$i")"
				break
			fi
			sleep 0.1
		done
	done
}

# cpu_becomes 0|1: a machine that stands still can miss it
cpu_becomes()
{
	[ -w $cpu ] || return
	tries=600
	while ! echo "$1" >$cpu && [ "$(cat $cpu)" != "$1" ]; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ]; then
			flaw "CPU 1 does not become $1"
			return
		fi
		sleep 0.1
	done
}

# hard_times: reclaim, one CPU less, attempts to unload
hard_times()
{
	echo 2 >/proc/sys/vm/drop_caches
	# For the root of the memory cgroups; 0 where there are none.
	for shrinker in "$shrinkers"/secbuf-*; do
		[ -w "$shrinker/scan" ] || continue
		echo "$cgroup 0 1000" >"$shrinker/scan" ||
			echo "0 0 1000" >"$shrinker/scan" ||
			flaw "the shrinker cannot be asked"
	done
	cpu_becomes 0
	echo 2 >/proc/sys/vm/drop_caches
	! rmmod secbuf 2>/dev/null || flaw "unloaded while in use"
	cpu_becomes 1
}

# end_users: a third of them are killed, in the middle of whatever they do
end_users()
{
	i=0
	for pid in $pids; do
		i=$((i + 1))
		if [ $(((i + round) % 3)) -eq 0 ]; then
			signal=KILL expected=137
		else
			signal=TERM expected=0
		fi
		kill -$signal "$pid" 2>/dev/null
		wait "$pid"
		status=$?
		[ $status -eq $expected ] ||
			flaw "user $i: status $status: $(cat "$out/$i")"
	done
}

# What was killed may still be on its way out, and a child of it.
nothing_is_left()
{
	tries=600
	until [ "$("$here/counters")" = "0 0 0 0" ]; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ]; then
			flaw "left: $("$here/counters")"
			return
		fi
		sleep 0.1
	done
}

# Likewise.
unload()
{
	tries=600
	while ! rmmod secbuf 2>/dev/null; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ]; then
			flaw "cannot be unloaded: refcnt" \
				"$(cat /sys/module/secbuf/refcnt)"
			return 1
		fi
		sleep 0.1
	done
}

echo "TAP version 13"
echo "1..1"
up=$(cut -d . -f 1 /proc/uptime)
end=$((up + seconds))
while [ -z "$bad" ] && [ "$(cut -d . -f 1 /proc/uptime)" -lt $end ]; do
	round=$((round + 1))
	insmod "$module" || { flaw "cannot be loaded"; break; }
	users
	hard_times
	sleep 1
	hard_times
	end_users
	# at once, so that the end of the last user and unloading may meet
	[ $((round % 2)) -ne 0 ] || nothing_is_left
	unload || break
done
rm -rf "$out"
echo "# $round rounds in $seconds seconds"
[ -z "$bad" ] && [ $round -gt 0 ]
tap_result $? "soak"
tap_totals $tap_pass $tap_fail $tap_skip 0
[ $tap_fail -eq 0 ]
