#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# conn_soak.sh SECONDS: an echo server with many clients who connect, send halves
# of strings, do not read, die and do nothing, while memory is reclaimed, limits
# fall and unloading is tried. The server ends in its turn, by itself or killed;
# then nothing may be left and the module is unloaded and loaded again; until
# the time is up.
#
# The module is not loaded when this begins and when it ends. Beside this script:
# secbuf.ko, counters, and echo-server and echo-load of examples/echo-server.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

seconds=${1:?usage: conn_soak.sh SECONDS}
module=$here/secbuf.ko
limit=/sys/module/secbuf/parameters/max_user_bytes
shrinkers=/sys/kernel/debug/shrinker
cgroup=$(stat -c %i /sys/fs/cgroup 2>/dev/null || echo 0)
out=$(mktemp -d)
round=0
clients=0
bad=

# flaw TEXT: something that must not happen
flaw()
{
	echo "# round $round: $1"
	bad=1
}

serve()
{
	rm -f "$out/port"
	"$here/echo-server" --max-clients=400 \
		--idle-ms=$((50 + round % 7 * 100)) >"$out/port" 2>&1 &
	server=$!
	tries=600
	until [ -s "$out/port" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { flaw "the server does not begin"; return; }
		sleep 0.1
	done
	port=$(head -n 1 "$out/port")
}

# load NR OPTION...: clients of one kind
load()
{
	nr=$1
	shift
	"$here/echo-load" --port="$port" --seed=$((round * 10 + nr)) "$@" \
		>"$out/load$nr" 2>&1 &
	loads="$loads $!"
}

visit()
{
	loads=
	load 1 --random=15 --clients=80 --losses-ok
	load 2 --random=15 --clients=40 --losses-ok --size=4000
	load 3 --hold=10 --clients=100 --losses-ok
	load 4 --random=100 --clients=20 --losses-ok
	mortal=$!
}

# Some clients die with the program that they are in.
hard_times()
{
	sleep 3
	echo 2 >/proc/sys/vm/drop_caches
	for shrinker in "$shrinkers"/secbuf-*; do
		[ -w "$shrinker/scan" ] || continue
		echo "$cgroup 0 1000" >"$shrinker/scan" ||
			echo "0 0 1000" >"$shrinker/scan" ||
			flaw "the shrinker cannot be asked"
	done
	before=$(cat $limit)
	echo 300000 >$limit
	sleep 2
	echo "$before" >$limit
	head -c 200M /dev/zero >"$out/hog" 2>/dev/null
	rm -f "$out/hog"
	! rmmod secbuf 2>/dev/null || flaw "unloaded while in use"
	kill -KILL $mortal
	echo 1 >/sys/kernel/debug/secbuf/scan
	sleep 3
	echo 2 >/proc/sys/vm/drop_caches
}

# Of three servers one is killed in the middle of it.
end()
{
	if [ $((round % 3)) -eq 0 ]; then
		kill -KILL $server
		wait $server
		for pid in $loads; do
			wait "$pid"
		done
		return
	fi
	for pid in $loads; do
		wait "$pid"
		status=$?
		[ $status -eq 0 ] || [ "$pid" = $mortal ] ||
			flaw "clients: status $status: $(cat "$out"/load*)"
	done
	kill -TERM $server
	wait $server || flaw "the server: $(cat "$out/port")"
	clients=$((clients + $(sed -n 's/ clients,.*//p' "$out/port")))
}

# The end of a process that was killed, and of what it held, takes a moment.
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
ifconfig lo up
up=$(cut -d . -f 1 /proc/uptime)
finish=$((up + seconds))
while [ -z "$bad" ] && [ "$(cut -d . -f 1 /proc/uptime)" -lt $finish ]; do
	round=$((round + 1))
	insmod "$module" || { flaw "cannot be loaded"; break; }
	serve
	visit
	hard_times
	end
	nothing_is_left
	unload || break
done
rm -rf "$out"
echo "# $round rounds in $seconds seconds, $clients connections"
[ -z "$bad" ] && [ $round -gt 0 ]
tap_result $? "soak of connections"
tap_totals $tap_pass $tap_fail $tap_skip 0
[ $tap_fail -eq 0 ]
