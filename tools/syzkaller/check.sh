#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [--selftest]: does the description say what the header says? Every
# command is there, with the struct that the header's text names for it; every
# struct has the same members in the same order, of the same width; every flag
# is used, and every constant exists.

set -eu -o pipefail

cd "$(dirname "$0")/../.."
header=${SECBUF_HEADER:-uapi/linux/secbuf.h}
description=${SECBUF_DESCRIPTION:-tools/syzkaller/dev_secbuf.txt}

# Structs of shared memory, which is mapped and no argument of anything.
shared='secbuf_(pool_control|slot_word|ring_head|ring_tail|ring_status)'

# Lines "STRUCT MEMBER WIDTH"; the width of a struct is its name.
header_members()
{
	awk '/^struct secbuf_[a-z_]+ \{/ { name = $2; next }
	     /^\}/ { name = "" }
	     name && /^\t__[us]32 / { print name, $2, 4 }
	     name && /^\t__aligned_u64 / { print name, $2, 8 }
	     name && /^\tstruct / { print name, $3, $2 }' "$header" |
	tr -d ';' | grep -v -E "^$shared "
}

description_members()
{
	awk '/^(type )?secbuf_[a-z_]+(\[[A-Z, ]+\])? \{/ {
		sub(/^type /, "")
		sub(/\[.*/, "", $1)
		name = $1
		next
	     }
	     /^\}/ { name = "" }
	     name {
		width = 4
		if ($2 " " $3 ~ /int64|ptr64|^secbuf_id|_ptr( |$)/)
			width = 8
		else if ($2 ~ /^secbuf_/)
			width = $2
		print name, $1, width
	     }' "$description"
}

# Lines "COMMAND STRUCT".
header_arguments()
{
	awk '/^\/\*\*/ { text = "" }
	     /^ \*/ { text = text $0 }
	     /^struct secbuf_[a-z_]+ \{/ {
		while (match(text, /ioctl\(SECBUF_IOC_[A-Z_]+\)/)) {
			print substr(text, RSTART + 17, RLENGTH - 18), $2
			text = substr(text, RSTART + RLENGTH)
		}
		text = ""
	     }' "$header" | sort -u
}

description_arguments()
{
	local command='^ioctl\$SECBUF_IOC_.*const\[SECBUF_IOC_([A-Z_]+)\]'

	sed -n -E "s/$command, arg ptr\[[a-z]+, ([a-z_]+).*/\1 \2/p" \
		"$description" | sort -u
}

header_commands()
{
	grep -o -E '^#define SECBUF_IOC_[A-Z_]+' "$header" |
	sed 's/.*SECBUF_IOC_//' | grep -v -x TYPE | sort -u
}

# compare WHAT HEADER DESCRIPTION
compare()
{
	diff <(echo "$2") <(echo "$3") >"$differences" && return
	echo "$1, < header, > description:"
	cat "$differences"
	bad=1
}

check()
{
	local bad=0 name used differences

	differences=$(mktemp)
	compare 'commands without a struct' "$(header_commands)" \
		"$(header_arguments | cut -d ' ' -f 1)"
	compare 'commands' "$(header_arguments)" "$(description_arguments)"
	compare 'structs' "$(header_members | sort -s -k 1,1)" \
		"$(description_members | sort -s -k 1,1)"
	used=$(sed 's/#.*//' "$description" |
	       grep -o -w -E 'SECBUF_[A-Z0-9_]+' | sort -u)
	for name in $used; do
		grep -q -w -E "(#define |	)$name" "$header" ||
		grep -q "^define $name" "$description" || {
			echo "$name is not in the header"
			bad=1
		}
	done
	for name in $(grep -o -E '^#define SECBUF_([A-Z]+_)+(F|MMAP)_[A-Z]+' \
			"$header" | cut -d ' ' -f 2); do
		grep -q -x "$name" <<<"$used" || {
			echo "$name is not used"
			bad=1
		}
	done
	rm "$differences"
	return $bad
}

# violation NAME FILE SED-EXPRESSION: a changed file must fail
violation()
{
	local name=$1 file=$2 variable=SECBUF_DESCRIPTION

	[ "$file" != "$header" ] || variable=SECBUF_HEADER
	sed -E "$3" "$file" >"$tmp/changed"
	if ! cmp -s "$tmp/changed" "$file" &&
	   ! env "$variable=$tmp/changed" tools/syzkaller/check.sh >"$tmp/out"
	then
		tap_result 0 "$name"
	else
		tap_result 1 "$name"
	fi
}

if [ "${1:-}" = --selftest ]; then
	# shellcheck source=selftests/tap.sh
	. selftests/tap.sh
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	echo 'TAP version 13'
	status=0
	tools/syzkaller/check.sh || status=1
	tap_result $status 'as it is'
	violation 'a command is missing' "$description" '/IOC_RING_CLAIM/d'
	violation 'a command is new' "$header" \
		's/^#define (SECBUF_IOC_)INFO	/#define \1NEWER 1\n&/'
	violation 'a command has another struct' "$description" \
		'/CONN_SEND/s/_send_args/_stream_args/'
	violation 'a member is missing' "$description" '/out_peak_bytes/d'
	violation 'a member is new' "$header" \
		's/^	__u32 max_streams;/&\n	__u32 newer;/'
	violation 'a member is too narrow' "$description" \
		'/out_idle_ns/s/int64/int32/'
	violation 'a member has another name' "$description" \
		's/out_stride/out_step/'
	violation 'a struct is missing' "$description" \
		'/^secbuf_conn_usage/,/^}/d'
	violation 'a flag does not exist' "$description" \
		's/RING_F_RECORDS/RING_F_RECORD/'
	violation 'a flag is not used' "$description" \
		's/, SECBUF_RING_F_PASSABLE//'
	tap_end
else
	check
fi
