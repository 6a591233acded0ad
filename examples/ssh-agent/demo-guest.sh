#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of scripts/demo.sh: loads and uses one key per agent, and
# has all memory searched while the agent lives and after kill -9. Runs with
# busybox. Lines that begin with "#" are for the reader.

set -eu

requests=1000
kills=6
pid=

say()
{
	echo "# $*"
}

die()
{
	echo "# failed: $*"
	exit 1
}

wait_for_socket()
{
	tries=0
	until [ -S "$1" ]; do
		kill -0 "$pid" 2>/dev/null || die "$2 did not start"
		tries=$((tries + 1))
		[ $tries -lt 300 ] || die "$2 does not listen"
		sleep 0.1
	done
}

# value_of PID WORD: from /proc/PID/status
value_of()
{
	awk -v word="$2:" '$1 == word { print $2 }' "/proc/$1/status" \
		2>/dev/null
}

# The process that has the keys of secbuf-agent, which talks to clients.
keeper()
{
	for dir in /proc/[0-9]*; do
		[ "$(value_of "${dir#/proc/}" PPid)" = "$pid" ] &&
		[ "$(value_of "${dir#/proc/}" Name)" = secbuf-keeper ] &&
		echo "${dir#/proc/}"
	done
	return 0
}

# A zombie has no memory any more. Whatever runs now could get that of the dead.
wait_for_end()
{
	tries=0
	while read -r _ _ state _ <"/proc/$1/stat" && [ "$state" != Z ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || die "process $1 is still there"
		sleep 0.1
	done 2>/dev/null
}

# The agent is this shell's child.
wait_for_both()
{
	wait "$pid" 2>/dev/null || :
	for process in "$@"; do
		wait_for_end "$process"
	done
}

# search_alive_and_dead NAME [PID]: the agent is killed, and PID before it
search_alive_and_dead()
{
	say "$1: searching all memory while the agent runs"
	hostsearch "$1-alive"
	kill -KILL ${2:+"$2"} "$pid"
	wait_for_both "$pid" ${2:+"$2"}
	say "$1: killed with SIGKILL; searching all memory again"
	hostsearch "$1-dead"
}

use_key()
{
	agent-load --requests "$requests" | sed 's/^/# /'
	ssh-add -l | sed 's/^/# /'
	# The private key is not beside the public: ssh-keygen would read it.
	ssh-keygen -q -Y sign -n file -f "public/$1.pub" message
	ssh-keygen -Y verify -f allowed_signers -I "$1" -n file \
		-s message.sig <message | sed 's/^/# /'
	[ -s message.sig ] || die "no signature"
	rm message.sig
}

# start_agent NAME MEMORY: with the key of that name
start_agent()
{
	SSH_AUTH_SOCK=/tmp/$1.sock
	export SSH_AUTH_SOCK
	rm -f "$SSH_AUTH_SOCK"
	secbuf-agent --memory="$2" --key "$1.key" --socket "$SSH_AUTH_SOCK" \
		--foreground >/dev/null &
	pid=$!
	wait_for_socket "$SSH_AUTH_SOCK" secbuf-agent
}

# Two runs of the same steps; nothing differs but the option.
run_secbuf_agent()
{
	say "$1: secbuf-agent --memory=$1 --key, $requests requests"
	start_agent "$1" "$1"
	use_key "$1.key"
	search_alive_and_dead "$1" "$(keeper)"
}

# Killed in the middle of signatures, and searched each time. In turns it is the
# process that has the keys, and the one that asks it; the other has to notice.
run_busy_agent()
{
	say "busy: secbuf-agent --memory=secbuf --key, either process killed $((kills / 2)) times while it signs"
	round=0
	while [ $round -lt $kills ]; do
		round=$((round + 1))
		start_agent busy secbuf
		agent-load --requests 1000000 >/dev/null 2>&1 &
		load=$!
		sleep 0.7
		kill -0 "$load" || die "nobody asks for signatures"
		keeper=$(keeper)
		victim=$keeper
		[ $((round % 2)) -eq 1 ] || victim=$pid
		kill -KILL "$victim"
		wait_for_both "$pid" "$keeper"
		! wait "$load" 2>/dev/null || die "it was not the agent that ended"
		hostsearch busy-dead
	done
}

# For information: what clients, sockets and another agent leave.
run_other_agent()
{
	name=$1
	shift
	say "$name: ssh-add into $*"
	SSH_AUTH_SOCK=/tmp/$name.sock
	export SSH_AUTH_SOCK
	"$@" "$SSH_AUTH_SOCK" >/dev/null &
	pid=$!
	wait_for_socket "$SSH_AUTH_SOCK" "$1"
	ssh-add -q "$name.key"
	search_alive_and_dead "$name"
}

insmod secbuf.ko
run_secbuf_agent malloc
run_secbuf_agent secbuf
run_busy_agent
run_other_agent stock ssh-agent -D -a
run_other_agent discard discard-agent
rmmod secbuf
say "done"
