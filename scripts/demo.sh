#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does a killed SSH agent leave its private key in memory? The same agent with
# the same steps, once with malloc and once with secbuf, in a throwaway guest
# whose memory is searched from outside. make demo runs this when all is built.

set -eu
umask 077

top=$(cd "$(dirname "$0")/.." && pwd)
example=$top/examples/ssh-agent
bin=${O:-$example/build}
tmp=''
agents='malloc secbuf busy stock discard'

die()
{
	echo "demo: $*" >&2
	exit 1
}

cleanup()
{
	[ -z "$tmp" ] || rm -rf "$tmp"
}

# The guest gets the files, which are text; the bytes stay out here.
make_keys()
{
	mkdir "$tmp/needles"
	for agent in $agents; do
		ssh-keygen -q -t ed25519 -N '' -C "$agent.key" \
			-f "$tmp/$agent.key"
		"$bin/key-needles" "$tmp/$agent.key" "$tmp/needles" "$agent"
		printf '%s ' "$agent.key" >>"$tmp/allowed_signers"
		cat "$tmp/$agent.key.pub" >>"$tmp/allowed_signers"
	done
	echo 'a message' >"$tmp/message"
}

# Searches go to a file, progress to the reader.
run_guest()
{
	set -- "$bin/secbuf-agent" "$bin/agent-load" "$bin/discard-agent" \
		"$tmp/message" "$tmp/allowed_signers" "$top/kmod/secbuf.ko" \
		"$(command -v ssh-add)" "$(command -v ssh-agent)" \
		"$(command -v ssh-keygen)"
	for agent in $agents; do
		set -- "$@" "$tmp/$agent.key" \
			"$tmp/$agent.key.pub:public/$agent.key.pub"
	done
	{
		status=0
		"$top/scripts/guest.sh" --name demo \
			--run "$example/demo-guest.sh" \
			--needles "$tmp/needles" --timeout 600 "$@" || status=$?
		echo "status $status"
	} | while IFS= read -r line; do
		case $line in
		*-alive\ *|*-dead\ *|status\ *)
			echo "$line" >>"$tmp/found" ;;
		*)	echo "  ${line#\# }" ;;
		esac
	done
	grep -q '^status 0$' "$tmp/found" || die "the guest's part failed"
}

# copies LABEL KEY: places where the seed, its SHA-512 or the scalar are, in all
# searches of that label. A half is a place of its own only where it is not half
# of a whole.
copies()
{
	awk -v label="$1" -v key="$2" '
		$1 == label { n[$2] += $3; seen++ }
		function places(part) {
			return n[part "-lo"] + n[part "-hi"] - n[part]
		}
		END {
			if (!seen)
				exit 1
			print places(key ".seed") + places(key ".sha512") + \
				n[key ".scalar"]
		}' "$tmp/found" || die "no search result for $1"
}

row()
{
	printf '%-34s %14s %14s\n' "$@"
}

count_and_row()
{
	alive=$(copies "$1-alive" "$1")
	dead=$(copies "$1-dead" "$1")
	row "$2" "$alive" "$dead"
}

report()
{
	echo
	echo 'Copies in RAM of the private key: its seed, or half of it, or the'
	echo 'SHA-512 of the seed, or half of that, or the scalar made of it.'
	echo
	row 'agent and its memory' 'while running' 'after kill -9'
	count_and_row malloc 'secbuf-agent, malloc'
	malloc_alive=$alive malloc_dead=$dead
	count_and_row secbuf 'secbuf-agent, secbuf'
	secbuf_alive=$alive secbuf_dead=$dead
	busy_dead=$(copies busy-dead busy)
	row 'the same, killed while it signs' - "$busy_dead"
	echo 'For information:'
	count_and_row stock 'ssh-add and ssh-agent'
	count_and_row discard 'ssh-add, agent that keeps nothing'
	echo
}

judge()
{
	[ "$malloc_alive" -gt 0 ] ||
		die "the key in malloc was not found while its agent ran, so the search proves nothing"
	[ "$secbuf_alive" -gt 0 ] ||
		die "the key in secbuf was not found while its agent ran, so the search proves nothing"
	[ "$malloc_dead" -gt 0 ] ||
		die "ordinary memory left no copy either, so the search proves nothing"
	result="demo: after kill -9 ordinary memory left $malloc_dead copies of its key in RAM, secbuf left $secbuf_dead"
	echo "$result"
	[ "$busy_dead" -eq 0 ] ||
		die "killed while it signed, secbuf left $busy_dead"
	[ "$secbuf_dead" -eq 0 ] || exit 1
}

trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

for program in "$bin/secbuf-agent" "$bin/key-needles" "$top/kmod/secbuf.ko"; do
	[ -e "$program" ] || die "$program is missing: run make demo"
done
tmp=$(mktemp -d)
make_keys
echo 'demo: starting a guest; this takes a minute without KVM'
run_guest
report
judge
