#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# agent-test.sh BINDIR MEMORY: test secbuf-agent --memory=MEMORY with real
# clients and with agent-probe. Runs on the host and, with busybox, in the
# guest. Prints kselftest TAP.

set -u
umask 077

[ $# -eq 2 ] || { echo "usage: agent-test.sh BINDIR secbuf|malloc" >&2; exit 2; }
bin=$(cd "$1" && pwd)
# shellcheck source=selftests/tap.sh
. "$(dirname "$0")/../../selftests/tap.sh"
memory=$2
pid=

unset SSH_AUTH_SOCK SSH_AGENT_PID SSH_ASKPASS DISPLAY
tmp=$(mktemp -d)
trap '[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# results_of NAME COMMAND...: each of its lines "ok X" or "not ok X"
results_of()
{
	of=$1
	shift
	timeout 600 "$@" >"$tmp/lines" 2>&1
	while read -r line; do
		case $line in
		'ok '*)		tap_result 0 "$of: ${line#ok }" ;;
		'not ok '*)	tap_result 1 "$of: ${line#not ok }" ;;
		*)		echo "# $line" ;;
		esac
	done <"$tmp/lines"
}

#
# The agent
#

agent()
{
	"$bin/secbuf-agent" --memory="$memory" "$@"
}

# start [OPTION]...: in the foreground, as a child
start()
{
	SSH_AUTH_SOCK=$tmp/socket
	export SSH_AUTH_SOCK
	rm -f "$tmp/path"
	"$bin/secbuf-agent" --memory="$memory" --socket "$SSH_AUTH_SOCK" \
		--foreground "$@" >"$tmp/path" 2>"$tmp/errors" &
	pid=$!
	tries=0
	until [ -s "$tmp/path" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ] || ! kill -0 "$pid" 2>/dev/null; then
			cat "$tmp/errors"
			return 1
		fi
		sleep 0.1
	done
}

# Ends well, which sanitizers would not let it if there were leaks.
stop()
{
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	pid=
	cat "$tmp/errors"
	[ $status -eq 0 ] && [ ! -e "$SSH_AUTH_SOCK" ]
}

#
# Real clients
#

is_listed()
{
	ssh-add -L | grep -q -F "$(cut -d ' ' -f 1-2 "$1.pub")"
}

is_empty()
{
	ssh-add -l | grep 'no identities'
}

fails()
{
	if "$@"; then
		return 1
	fi
}

# The first key's file has padding that no single bit makes comment.
make_keys()
{
	ssh-keygen -q -t ed25519 -N '' -C 'first test key' -f "$tmp/first" &&
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$tmp/second" &&
	ssh-keygen -q -t ed25519 -N secret -f "$tmp/encrypted" &&
	ssh-keygen -q -t rsa -b 1024 -N '' -f "$tmp/rsa" &&
	ssh-keygen -q -t ecdsa -N '' -f "$tmp/ecdsa" &&
	ssh-keygen -q -t ecdsa -m PEM -N '' -f "$tmp/pem" &&
	mkdir "$tmp/public" && cp "$tmp/first.pub" "$tmp/public" &&
	echo 'a message' >"$tmp/message" &&
	echo "me $(cat "$tmp/first.pub")" >"$tmp/allowed_signers"
}

# answer PASSPHRASE: what ssh-add is told when it asks
answer()
{
	printf '#!/bin/sh\necho "%s"\n' "$1" >"$tmp/askpass"
	chmod 700 "$tmp/askpass"
	SSH_ASKPASS=$tmp/askpass SSH_ASKPASS_REQUIRE=force
	export SSH_ASKPASS SSH_ASKPASS_REQUIRE
}

adds()
{
	ssh-add "$tmp/$1" && is_listed "$tmp/$1"
}

refuses_to_add()
{
	fails ssh-add "$@" && is_empty
}

# The private key is not beside the public: ssh-keygen would use it.
sign()
{
	rm -f "$tmp/message.sig"
	ssh-keygen -Y sign -n file -f "$tmp/public/first.pub" "$tmp/message"
}

verify()
{
	ssh-keygen -Y verify -f "$tmp/allowed_signers" -I me -n file \
		-s "$tmp/message.sig"
}

signs()
{
	sign && verify <"$tmp/message" &&
	echo 'another message' | fails verify
}

locks()
{
	answer passphrase
	ssh-add -x && is_empty && fails sign
}

unlocks()
{
	answer wrong
	fails ssh-add -X || return 1
	sleep 0.3
	answer passphrase
	ssh-add -X && is_listed "$tmp/first" && sign
}

adds_encrypted()
{
	answer secret
	ssh-add "$tmp/encrypted" && is_listed "$tmp/encrypted"
}

removes_one()
{
	ssh-add -d "$tmp/first" && fails is_listed "$tmp/first" &&
	is_listed "$tmp/encrypted" && fails sign
}

removes_all()
{
	ssh-add -D && is_empty
}

test_clients()
{
	tap_check 'ssh-add -l lists nothing' is_empty
	tap_check 'ssh-add -t is refused' refuses_to_add -t 60 "$tmp/first"
	tap_check 'ssh-add -c is refused' refuses_to_add -c "$tmp/first"
	tap_check 'ssh-add refuses RSA' refuses_to_add "$tmp/rsa"
	tap_check 'ssh-add refuses ECDSA' refuses_to_add "$tmp/ecdsa"
	tap_check 'ssh-add adds a key' adds first
	tap_check 'ssh-add adds a key again' adds first
	tap_check 'ssh-add -T uses the key' ssh-add -T "$tmp/first.pub"
	tap_check 'ssh-keygen signs and verifies' signs
	tap_check 'ssh-add -x locks' locks
	tap_check 'ssh-add -X unlocks' unlocks
	tap_check 'ssh-add adds an encrypted key' adds_encrypted
	tap_check 'ssh-add -d removes a key' removes_one
	tap_check 'ssh-add -D removes all keys' removes_all
	tap_check 'agent-load' loads
}

loads()
{
	ssh-add -q "$tmp/first" && "$bin/agent-load" --requests 300 && ssh-add -D
}

# The peer's user counts, not only the mode of the socket.
refuses_others()
{
	chmod 755 "$tmp" && chmod 666 "$SSH_AUTH_SOCK" &&
	is_empty &&
	fails su -s /bin/sh nobody -c \
		"SSH_AUTH_SOCK='$SSH_AUTH_SOCK' ssh-add -l | grep identities"
	status=$?
	chmod 700 "$tmp"
	return $status
}

#
# Input that no client sends
#

test_probe()
{
	results_of probe "$bin/agent-probe" "$SSH_AUTH_SOCK"
	tap_check 'probe: came to its end' grep -q 'longest passphrase' \
		"$tmp/lines"
	if [ "$fds" -ne 0 ]; then
		tap_check 'probe: no descriptor is left' no_more_fds
	else
		tap_skip 'probe: no descriptor is left' \
			'the agent is not dumpable: only root sees its descriptors'
	fi
	tap_check 'the agent is well' is_empty
}

# count_fds: of the agent; 0 if that cannot be seen
count_fds()
{
	ls "/proc/$pid/fd" 2>/dev/null | wc -l
}

no_more_fds()
{
	tries=0
	until [ "$(count_fds)" -eq "$fds" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
}

#
# Key files
#

# says WORDS FILE: the agent ends with one line that has FILE and WORDS
says()
{
	fails timeout 300 "$bin/secbuf-agent" --memory="$memory" \
		--socket "$tmp/other" --foreground --key "$2" \
		>"$tmp/said" 2>&1 || return 1
	cat "$tmp/said"
	[ "$(wc -l <"$tmp/said")" -eq 1 ] && grep -q -F "$2: " "$tmp/said" &&
	grep -q -e "$1" "$tmp/said" && [ ! -e "$tmp/other" ]
}

# A character of the private part becomes another.
damage()
{
	sed '5s/^./_/; 5s/^_/'"$(sed -n '5s/^\(.\).*/\1/p' "$1" |
		tr 'A-Za-z0-9+/' 'B-ZAb-za1-90/+')"'/' "$1"
}

make_bad_files()
{
	cd "$tmp" || return
	: >empty
	head -c 1000 /dev/urandom >garbage
	head -c 300000 /dev/zero >huge
	head -n 3 first >truncated
	damage first >damaged
	sed '2s/^..../!!!!/' first >notbase64
	{ sed -n 1p first; echo 'b3BlbnNzaC1rZXktdjE='; sed -n '$p' first; } \
		>shortest
	cp first exposed && chmod 644 exposed
	cp first commented && ssh-keygen -q -c -P '' \
		-C "$(head -c 600 /dev/zero | tr '\0' c)" -f commented
	mkfifo fifo && cd /
}

# Cut anywhere, it is damaged, and never a key.
says_for_each_cut()
{
	size=$(wc -c <"$tmp/first")
	at=1
	while [ $at -lt $((size - 40)) ]; do
		head -c $at "$tmp/first" >"$tmp/cut"
		says 'damaged\|not a private\|format' "$tmp/cut" || return
		at=$((at + 23))
	done
}

test_files()
{
	tap_check 'make bad key files' make_bad_files
	tap_check 'key file: encrypted' says 'is encrypted' "$tmp/encrypted"
	tap_check 'key file: RSA' says 'not an Ed25519' "$tmp/rsa"
	tap_check 'key file: ECDSA' says 'not an Ed25519' "$tmp/ecdsa"
	tap_check 'key file: PEM' says "OpenSSH's own format" "$tmp/pem"
	tap_check 'key file: public' says 'public key' "$tmp/first.pub"
	tap_check 'key file: garbage' says 'not a private key' "$tmp/garbage"
	tap_check 'key file: directory' says 'regular file' "$tmp"
	tap_check 'key file: FIFO' says 'regular file' "$tmp/fifo"
	tap_check 'key file: empty' says 'is empty' "$tmp/empty"
	tap_check 'key file: huge' says 'too big' "$tmp/huge"
	tap_check 'key file: missing' says 'No such file' "$tmp/missing"
	tap_check 'key file: for all to read' says 'chmod 600' "$tmp/exposed"
	tap_check 'key file: truncated' says 'is damaged' "$tmp/truncated"
	tap_check 'key file: cut anywhere' says_for_each_cut
	tap_check 'key file: one character wrong' says 'is damaged' \
		"$tmp/damaged"
	tap_check 'key file: not base64' says 'is damaged' "$tmp/notbase64"
	tap_check 'key file: nothing but magic' says 'is damaged' \
		"$tmp/shortest"
	tap_check 'key file: long comment' says 'comment' "$tmp/commented"
}

#
# Two processes
#

# value_of PID WORD: from /proc/PID/status
value_of()
{
	awk -v word="$2:" '$1 == word { print $2 }' "/proc/$1/status" \
		2>/dev/null
}

# keeper_of PID: the process that has the keys of that one
keeper_of()
{
	for dir in /proc/[0-9]*; do
		[ "$(value_of "${dir#/proc/}" PPid)" = "$1" ] &&
		[ "$(value_of "${dir#/proc/}" Name)" = secbuf-keeper ] &&
		echo "${dir#/proc/}"
	done
	return 0
}

# ends PID: it is gone soon, or waits for a parent that does not care
ends()
{
	tries=0
	while [ -d "/proc/$1" ] && [ "$(value_of "$1" State)" != Z ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
}

# start_both: an agent with a key, and $keeper
start_both()
{
	[ -z "$pid" ] || kill -KILL "$pid"
	rm -f "$tmp/socket"
	start --key "$tmp/first" || return
	keeper=$(keeper_of "$pid")
	[ -n "$keeper" ]
}

# start_busy: the same, and somebody, $load, who does not stop asking
start_busy()
{
	start_both || return
	before=$(sleeps "$keeper")
	"$bin/agent-load" --requests 100000000 >/dev/null 2>&1 &
	load=$!
	tries=0
	until [ "$(sleeps "$keeper")" -ge $((before + 100)) ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] && kill -0 "$load" || return
		sleep 0.1
	done
}

# sleeps PID: how often it has, which a keeper does between requests
sleeps()
{
	value_of "$1" voluntary_ctxt_switches
}

# fails_saying WORDS: the front process ends with that, and leaves no socket
fails_saying()
{
	ends "$pid" || return
	status=0
	wait "$pid" || status=$?
	pid=
	cat "$tmp/errors"
	[ $status -eq 1 ] && grep -q -e "$1" "$tmp/errors" &&
	[ ! -e "$SSH_AUTH_SOCK" ]
}

has_two_processes()
{
	start_both || return
	[ "$(value_of "$pid" Name)" = secbuf-agent ] &&
	[ "$(value_of "$pid" NoNewPrivs)" = 1 ] &&
	[ "$(value_of "$keeper" NoNewPrivs)" = 1 ] &&
	stop && ends "$keeper"
}

ends_without_keeper()
{
	"$1" && kill -KILL "$keeper" &&
	fails_saying 'killed by signal 9'
}

ends_without_front()
{
	"$1" && kill -KILL "$pid" || return
	wait "$pid"
	pid=
	ends "$keeper"
}

# Who asks is told.
ends_while_busy()
{
	"$1" start_busy && fails wait "$load"
}

# As systemd and terminals do, which send it to all processes.
keeper_outlives_sigterm()
{
	start_both && kill -TERM "$keeper" && kill -INT "$keeper" &&
	kill -HUP "$keeper" && sign && stop && ends "$keeper"
}

keeper_is_stopped()
{
	start_both && kill -STOP "$keeper" && kill -TERM "$pid" &&
	fails_saying 'killed by signal 9' && ends "$keeper"
}

test_processes()
{
	tap_check 'the keys are in a process of their own' has_two_processes
	tap_check 'kill -9 the keeper' ends_without_keeper start_both
	tap_check 'kill -9 the keeper while it signs' \
		ends_while_busy ends_without_keeper
	tap_check 'kill -9 the front process' ends_without_front start_both
	tap_check 'kill -9 the front process while it asks' \
		ends_while_busy ends_without_front
	tap_check 'SIGTERM is for the front process' keeper_outlives_sigterm
	tap_check 'a keeper that is stopped ends, too' keeper_is_stopped
}

#
# Options
#

loads_files()
{
	start --key "$tmp/first" --key "$tmp/second" || return
	is_listed "$tmp/first" && is_listed "$tmp/second" && sign &&
	ssh-add -l
	status=$?
	stop && [ $status -eq 0 ]
}

goes_to_the_background()
{
	eval "$(TMPDIR=$tmp agent --key "$tmp/first")" || return
	is_listed "$tmp/first" || return
	case $SSH_AUTH_SOCK in
	"$tmp"/secbuf-agent-*/agent)	;;
	*)				return 1 ;;
	esac
	kill "$SSH_AGENT_PID"
	is_gone "$SSH_AUTH_SOCK" && is_gone "${SSH_AUTH_SOCK%/agent}"
}

is_gone()
{
	tries=0
	while [ -e "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
}

runs_a_command()
{
	status=0
	TMPDIR=$tmp agent --key "$tmp/first" sh -c \
		'echo "$SSH_AUTH_SOCK"; ssh-add -T "$0" && exit 7' \
		"$tmp/first.pub" >"$tmp/said" || status=$?
	[ $status -eq 7 ] && is_gone "$(cat "$tmp/said")"
}

# exits STATUS ARG...: with that status and one line or more
exits()
{
	wanted=$1
	shift
	status=0
	timeout 300 "$bin/secbuf-agent" "$@" >"$tmp/said" 2>&1 || status=$?
	cat "$tmp/said"
	[ $status -eq "$wanted" ] && [ -s "$tmp/said" ]
}

keeps_the_file()
{
	exits 1 --memory="$memory" --socket "$tmp/message" &&
	grep 'exists already' "$tmp/said" && [ -s "$tmp/message" ]
}

names_the_module()
{
	exits 1 --socket "$tmp/other" && grep 'not loaded' "$tmp/said" &&
	[ ! -e "$tmp/other" ]
}

test_options()
{
	tap_check '--key --key' loads_files
	tap_check 'background, SIGTERM' goes_to_the_background
	tap_check 'command' runs_a_command
	tap_check '--help' exits 0 --help
	tap_check '--version' exits 0 --version
	tap_check 'an unknown option' exits 2 --unknown
	tap_check '--memory of an unknown kind' exits 2 --memory=paper
	tap_check '--socket that exists' keeps_the_file
	tap_check '--socket in no directory' exits 1 --memory="$memory" \
		--socket "$tmp/none/socket"
	if [ -e /dev/secbuf ]; then
		tap_skip 'no module' '/dev/secbuf is there'
	else
		tap_check 'no module' names_the_module
	fi
}

echo 'TAP version 13'
tap_check 'make keys' make_keys
tap_check 'start' start
[ $tap_fail -eq 0 ] || { tap_end; exit; }
# Without clients, of whom it has not always heard yet that they are gone.
fds=$(count_fds)
test_clients
if [ "$(id -u)" -eq 0 ]; then
	tap_check 'another user is hung up on' refuses_others
else
	tap_skip 'another user is hung up on' 'only root can be another user'
fi
test_probe
tap_check 'stop' stop
test_files
test_processes
test_options
results_of client "$bin/client-test" "$memory"
tap_check 'client: came to its end' grep -q 'half a request is' "$tmp/lines"
results_of keeper "$bin/keeper-test" "$memory"
tap_check 'keeper: came to its end' grep -q 'process is killed' "$tmp/lines"
results_of keyfile "$bin/keyfile-test" "$memory" "$tmp/first" "$tmp/scratch"
tap_check 'keyfile: came to its end' grep -q 'each length' "$tmp/lines"
results_of stack "$bin/stack-test" "$memory"
tap_check 'stack: came to its end' grep -q 'keeps none itself' "$tmp/lines"
tap_end
