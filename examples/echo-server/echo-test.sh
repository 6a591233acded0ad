#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# echo-test.sh BINDIR MEMORY: test echo-server --memory=MEMORY with echo-load.
# Runs on the host and, with busybox, in the guest. Prints kselftest TAP.

set -u

[ $# -eq 2 ] || { echo "usage: echo-test.sh BINDIR secbuf|malloc" >&2; exit 2; }
bin=$(cd "$1" && pwd)
# shellcheck source=selftests/tap.sh
. "$(dirname "$0")/../../selftests/tap.sh"
memory=$2
pid=
port=

tmp=$(mktemp -d)
trap '[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

#
# The server
#

# start [OPTION]...: as a child
start()
{
	: >"$tmp/port"
	"$bin/echo-server" --memory="$memory" "$@" >"$tmp/port" \
		2>"$tmp/errors" &
	pid=$!
	tries=0
	until [ -s "$tmp/port" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ] || ! kill -0 "$pid" 2>/dev/null; then
			cat "$tmp/errors"
			return 1
		fi
		sleep 0.1
	done
	port=$(head -n 1 "$tmp/port")
}

# Ends well, which sanitizers would not let it if there were leaks.
stop()
{
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	pid=
	cat "$tmp/errors" "$tmp/port"
	[ $status -eq 0 ] && [ ! -s "$tmp/errors" ] &&
	tail -n 1 "$tmp/port" | grep -q 'clients, .* strings'
}

load()
{
	timeout 600 "$bin/echo-load" --port="$port" "$@"
}

fails()
{
	if "$@"; then
		return 1
	fi
}

# soon COMMAND...: until it succeeds, for a minute or more
soon()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
}

#
# Tests
#

# With the default limits: a thousand clients who do all they can.
test_clients()
{
	tap_check 'start' start --max-clients=1500 --idle-ms=200
	tap_check 'one string after the other' load --requests=2000
	tap_check 'many clients' load --requests=5000 --clients=200 --size=500
	tap_check 'the longest strings' load --requests=500 --clients=10 \
		--size=4092
	tap_check 'empty strings' load --hold=1 --clients=2 --max-frame=0
	tap_check 'idle clients' load --hold=1 --clients=1000
	tap_check 'whatever clients do' load --random=5 --clients=300
	tap_check 'a string that is too long ends the connection' \
		fails load --requests=10 --size=4093
	tap_check 'and no other' load --requests=100
	tap_check 'stop' stop
	tap_check 'strings were counted' counted 7600
}

# counted AT_LEAST: by the server that ended last
counted()
{
	strings=$(sed -n 's/.* \([0-9]*\) strings$/\1/p' "$tmp/port")
	echo "$strings strings"
	[ "$strings" -ge "$1" ]
}

test_limits()
{
	tap_check 'start, 10 clients, 100 bytes' start --max-clients=10 \
		--max-frame=100
	tap_check 'a string of 101 bytes' fails load --requests=1 --size=101
	tap_check 'ten clients' load --hold=1 --clients=10 --size=100
	tap_check 'eleven are too many' fails load --hold=1 --clients=11 \
		--size=1
	tap_check 'those who are hung up on harm nobody' load --random=2 \
		--clients=30 --max-frame=100 --losses-ok
	# The server may still have to see that those have gone.
	tap_check 'ten clients again' soon load --hold=1 --clients=10 \
		--size=100
	tap_check 'stop' stop
	tap_check 'refusals were counted' grep -q ' [1-9][0-9]* refused' \
		"$tmp/port"
}

# hold CLIENTS: $holder, in the background, and all have had an answer
hold()
{
	: >"$tmp/held"
	"$bin/echo-load" --port="$port" --hold=600 --clients="$1" \
		>"$tmp/held" 2>&1 &
	holder=$!
	tries=0
	until grep -q holding "$tmp/held"; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return 1
		sleep 0.1
	done
}

# held: they have had another one
held()
{
	kill -USR1 "$holder" && wait "$holder"
}

# The clients see the end, and the next server can have the port.
dies()
{
	start --max-clients=100 || return
	hold 50 || return
	kill -KILL "$pid"
	wait "$pid"
	pid=
	fails held || return
	start --port="$port" && load --requests=100 && stop
}

# exits STATUS WORDS ARG...: with that status, and says WORDS
exits()
{
	wanted=$1
	words=$2
	shift 2
	status=0
	timeout 60 "$bin/echo-server" "$@" >"$tmp/said" 2>&1 || status=$?
	cat "$tmp/said"
	[ $status -eq "$wanted" ] && grep -q -e "$words" "$tmp/said"
}

keeps_the_port()
{
	start || return
	exits 1 "port $port: Address already in use" --memory="$memory" \
		--port="$port"
	status=$?
	stop && [ $status -eq 0 ]
}

few_files()
{
	(
		# shellcheck disable=SC3045 # all that matter have it
		ulimit -n 100
		exits 1 "raise 'ulimit -Hn' or lower --max-clients" \
			--memory="$memory"
	)
}

test_options()
{
	tap_check '--help' exits 0 'max-clients' --help
	tap_check '--version' exits 0 'echo-server [0-9]' --version
	tap_check 'an unknown option' exits 2 'try --help' --unknown
	tap_check 'an argument' exits 2 'try --help' argument
	tap_check '--memory of an unknown kind' exits 2 'secbuf or malloc' \
		--memory=paper
	tap_check '--max-clients=0' exits 2 'a number from 1' --max-clients=0
	tap_check '--max-clients=-1' exits 2 'a number from 1' --max-clients=-1
	tap_check '--max-frame too long' exits 2 'from 1 to 262140' \
		--max-frame=262141
	tap_check '--port that is no port' exits 2 'from 0 to 65535' \
		--port=65536
	tap_check '--port with a letter' exits 2 'from 0 to 65535' --port=1a
	tap_check '--address that is none' exits 1 'four numbers' \
		--memory="$memory" --address=localhost
	tap_check '--address of others' exits 1 'Cannot assign' \
		--memory="$memory" --address=192.0.2.1
	tap_check '--port of others' keeps_the_port
	if [ "$(id -u)" -eq 0 ]; then
		tap_skip 'few open files' 'root may have more'
	else
		tap_check 'few open files' few_files
	fi
	if [ -e /dev/secbuf ]; then
		tap_skip 'no module' '/dev/secbuf is there'
	else
		tap_check 'no module' exits 1 'not loaded'
	fi
}

#
# What becomes of the buffers, as root and with the module
#

parameters=/sys/module/secbuf/parameters

# in_use: buffers and packets of all clients of the server
in_use()
{
	cat "/proc/$pid/fdinfo/"* 2>/dev/null |
		awk '$1 == "stride:" { pool = 1 }
		     pool && $1 == "in_use:" { n += $2; pool = 0 }
		     END { print n + 0 }'
}

# in_use_becomes LEAST MOST: within a minute
in_use_becomes()
{
	tries=0
	until [ "$(in_use)" -ge "$1" ] && [ "$(in_use)" -le "$2" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ]; then
			echo "$(in_use) in use"
			return 1
		fi
		sleep 0.1
	done
}

# Not busy, and of no use to anybody until the next string.
idle_clients_give_back()
{
	start --max-clients=500 --idle-ms=500 || return
	hold 300 && in_use_becomes 0 0 && held && load --requests=300 && stop
}

pressure_takes()
{
	start --max-clients=500 --idle-ms=86400000 || return
	hold 300 && in_use_becomes 300 600 && soon taken && held && stop
}

# taken: all of it, when the machine is asked. Who is asked may be busy.
taken()
{
	echo 2 >/proc/sys/vm/drop_caches
	[ "$(in_use)" -eq 0 ]
}

# Nobody loses a connection or a byte by that.
pressure_all_the_time()
{
	start --max-clients=500 --idle-ms=100 || return
	load --random=8 --clients=100 >"$tmp/held" 2>&1 &
	holder=$!
	while kill -0 "$holder" 2>/dev/null; do
		echo 2 >/proc/sys/vm/drop_caches
		sleep 0.1
	done
	wait "$holder" || { cat "$tmp/held"; return 1; }
	stop
}

# Some lose theirs, and the server goes on.
no_memory()
{
	start --max-clients=500 || return
	before=$(cat $parameters/max_user_bytes)
	echo 200000 >$parameters/max_user_bytes
	load --random=5 --clients=300 --losses-ok
	status=$?
	echo "$before" >$parameters/max_user_bytes
	[ $status -eq 0 ] && load --requests=1000 --clients=100 && stop &&
	grep ' [1-9][0-9]* refused' "$tmp/port"
}

# appears -e|-s FILE: within a minute
appears()
{
	tries=0
	until test "$1" "$2" || [ $tries -gt 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}

# What came of half a string is not idle, and the rest may come late.
half_a_string()
{
	start --idle-ms=100 || return
	rm -f "$tmp/rest"
	: >"$tmp/answer"
	(
		printf '\000\000\000\004ab'
		appears -e "$tmp/rest"
		printf cd
		appears -s "$tmp/answer"
	) | nc 127.0.0.1 "$port" >"$tmp/answer" &
	writer=$!
	in_use_becomes 1 9 || return
	sleep 2
	in_use_becomes 1 9 || return
	: >"$tmp/rest"
	wait $writer
	od -c "$tmp/answer"
	tail -c 4 "$tmp/answer" | grep -q '^abcd$' && stop
}

test_memory()
{
	# Nothing is taken but for the reason that a test is about.
	idle_secs=$(cat $parameters/idle_secs)
	echo 0 >$parameters/idle_secs
	tap_check 'idle clients give their buffers back' idle_clients_give_back
	tap_check 'a shortage of memory takes those that are not in use' \
		pressure_takes
	tap_check 'clients in a shortage of memory' pressure_all_the_time
	tap_check 'no memory for all clients' no_memory
	tap_check 'half a string stays' half_a_string
	echo "$idle_secs" >$parameters/idle_secs
}

echo 'TAP version 13'
test_clients
test_limits
tap_check 'kill' dies
test_options
[ "$memory" != secbuf ] || test_memory
tap_end
