#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# capture.sh DIRECTORY: what ssh-add and ssh-keygen say to a real ssh-agent, and
# what it answers, one file for each message. The keys are made for this and used
# for nothing else; those of 16 KiB and more are left out.

set -eu -o pipefail

out=$(realpath "$1")
cd "$(dirname "$0")"
tmp=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$tmp"' EXIT

wait_for()
{
	local i

	for ((i = 0; i < 50; i++)); do
		[ ! -S "$1" ] || return 0
		sleep 0.1
	done
	echo "capture.sh: $1 does not listen" >&2
	exit 1
}

# Whatever it answers is a message.
may_fail()
{
	"$@" >/dev/null 2>&1 </dev/null || true
}

cc -O1 -Wall -Wextra -Werror -o "$tmp/tap" tap.c
ssh-agent -D -a "$tmp/agent" >/dev/null &
pids+=($!)
wait_for "$tmp/agent"
"$tmp/tap" "$tmp/tap.sock" "$tmp/agent" "$tmp/message" &
pids+=($!)
wait_for "$tmp/tap.sock"
export SSH_AUTH_SOCK=$tmp/tap.sock

printf '#!/bin/sh\necho swordfish\n' >"$tmp/askpass"
chmod +x "$tmp/askpass"
export SSH_ASKPASS=$tmp/askpass SSH_ASKPASS_REQUIRE=force
echo hello >"$tmp/text"
may_fail ssh-add -l
for type in ed25519 ecdsa rsa; do
	ssh-keygen -q -t $type -N '' -C "$type of the corpus" -f "$tmp/$type"
	may_fail ssh-add -q "$tmp/$type"
	may_fail ssh-keygen -Y sign -n file -f "$tmp/$type.pub" "$tmp/text"
	rm -f "$tmp/text.sig"
done
may_fail ssh-add -q -t 100 -c "$tmp/ed25519"
may_fail ssh-add -l
may_fail ssh-add -L
may_fail ssh-add -x
may_fail ssh-add -l
may_fail ssh-add -X
may_fail ssh-add -s /nonexistent
may_fail ssh-add -d "$tmp/rsa.pub"
may_fail ssh-add -D

rm -f "$out"/agent-*
mkdir -p "$out"
# The same message twice is of no use.
for file in $(find "$tmp" -name 'message-*' -size -16k | sort -V); do
	cp "$file" "$out/agent-$(sha256sum "$file" | cut -c 1-12)"
done
echo "capture.sh: $(find "$out" -name 'agent-*' | wc -l) messages"
