#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The layer rule: a file of kmod/ includes its own header, then headers of
# strictly lower rank, and only the upper ranks know files and user memory.
# What the kernel and user space share, and what they must not, is here, too.

set -eu -o pipefail

ranks='
0 account stats trace cursor buffer uapi_check magazine ring_pos idle lender
1 queue payer reclaim slots ids buf cache ring_bell
2 page pool
3 grant words heap ring_memory
4 area ring
5 member ring_wait ring_park ring_stats
6 member_reclaim conn held ring_io ring_batch
7 dev mmap owner conn_queue conn_stream
8 area_file ring_handle conn_slot conn_sb
9 pool_file conn_send ring_map
10 ring_file conn_io
11 ring_kernel conn_kernel conn_file debugfs policy
12 main
'
# From this rank up, files may know what a process is.
process_rank=7
process_words='\b(__user|struct file|vm_area_struct|mm_struct)\b'
version_words='\b(LINUX_VERSION_CODE|KERNEL_VERSION)\b'

codec_includes='<(linux/(errno|limits|refcount|string|types)|cpuid|errno|stdbool|stddef|stdint).h>'
# Each may include those before it.
codec_order='simd copy platform cursor source buffer'

bad=0
declare -A rank_of

complain()
{
	echo "$*" >&2
	bad=1
}

# Fills rank_of[NAME] from the table.
read_ranks()
{
	local number names name

	while read -r number names; do
		for name in $names; do
			rank_of[$name]=$number
		done
	done <<<"$ranks"
}

# includes FILE: one line each, with the quotes or brackets
includes()
{
	sed -n -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]+(["<][^">]+[">]).*/\1/p' "$1"
}

check_kmod_includes()
{
	local file=$1 name=$2 mine=$3 first=1 include other theirs

	for include in $(includes "$file" | grep '^"'); do
		include=${include//\"/}
		other=${include##*/}
		other=${other%.h}
		theirs=${rank_of[$other]:-}
		if [ "$file" = "kmod/$name.c" ] && [ "$other" = "$name" ]; then
			[ $first = 1 ] ||
				complain "$file: its own header comes first"
		elif [ "${include#../codec/}" != "$include" ]; then
			:	# the codec is below every rank
		elif [ -z "$theirs" ]; then
			complain "$file: $include has no rank"
		elif [ "$theirs" -ge "$mine" ]; then
			complain "$file (rank $mine) includes" \
				 "$include (rank $theirs)"
		fi
		first=0
	done
}

# A comment may name what the code must not.
check_kmod_words()
{
	local file=$1 mine=$2 word

	gcc -fpreprocessed -dD -E -P -x c "$file" >"$tmp/code"
	if [ "$mine" -lt $process_rank ] &&
	   word=$(grep -o -m 1 -E "$process_words" "$tmp/code"); then
		complain "$file (rank $mine) uses $word"
	fi
	if word=$(grep -o -m 1 -E "$version_words" "$tmp/code"); then
		complain "$file uses $word: that belongs in kmod/compat/"
	fi
}

check_kmod()
{
	local file name mine

	while read -r file; do
		name=$(basename "${file%.[ch]}")
		mine=${rank_of[$name]:-}
		case $file in
		kmod/include/*)
			mine=$process_rank	# for other modules, not for ours
			;;
		*)
			if [ -z "$mine" ]; then
				complain "$file has no rank: add it to $0"
				continue
			fi
			check_kmod_includes "$file" "$name" "$mine"
			;;
		esac
		check_kmod_words "$file" "$mine"
	done < <(find kmod -name '*.[ch]' ! -path 'kmod/compat/*' ! -path 'kmod/tests/*' \
			! -name '*.mod.c' | sort)
}

check_codec()
{
	local file name below include nr test

	for file in codec/*.[ch]; do
		name=$(basename "${file%.[ch]}")
		below=${codec_order%%"$name"*}
		[ "$file" != "codec/$name.c" ] || below+=" $name platform"
		for include in $(includes "$file"); do
			case $include in
			'"'*)	[[ " $below " == *" $(basename "$include" '.h"' |
					tr -d '"') "* ]] ;;
			*)	grep -q -x -E "$codec_includes" <<<"$include" ;;
			esac || complain "$file includes $include"
		done
	done
	test='^#[[:space:]]*ifn?def[[:space:]]+__KERNEL__'
	nr=$(cat codec/*.[ch] | grep -c -E "$test" || true)
	[ "$nr" -le 1 ] ||
		complain "$nr tests of __KERNEL__ in" \
			"$(grep -l -E "$test" codec/*.[ch] | xargs)"
}

# must_not_include PATTERN DIRECTORY...
must_not_include()
{
	local pattern=$1 file

	shift
	while read -r file; do
		if grep -q -E "$pattern" <<<"$(includes "$file")"; then
			complain "$file includes" \
				"$(includes "$file" | grep -m 1 -E "$pattern")"
		fi
	done < <(find "$@" -name '*.[ch]' | sort)
}

check_tree()
{
	read_ranks
	check_kmod
	check_codec
	must_not_include 'kmod/' libsecbuf-user tools examples selftests
	# the selftests are a witness of their own
	must_not_include '["<](libsecbuf-user/)?secbuf(\.h|/)' selftests
}

#
# Self-test: a rule that never fails is none.
#

tests=0 failures=0

# violation NAME FILE TEXT: with TEXT appended to FILE the check must fail
violation()
{
	local result=ok tree

	tree=$(mktemp -d "$tmp/tree.XXXXXX")
	cp -r kmod codec selftests "$tree"
	printf '%s\n' "$3" >>"$tree/$2"
	if "$self/check-includes.sh" "$tree" >"$tmp/out" 2>&1 || ! grep -q "${2%.[ch]}" "$tmp/out"; then
		result='not ok'
		failures=$((failures + 1))
	fi
	tests=$((tests + 1))
	echo "$result $tests $1"
	rm -rf "$tree"
}

selftest()
{
	echo 'TAP version 13'
	violation 'same rank' kmod/slots.c '#include "page.h"'
	violation 'upward' kmod/conn.c '#include "dev.h"'
	violation 'upward, from a header' kmod/conn.h '#include "dev.h"'
	violation 'no rank' kmod/helper.c 'int x;'
	violation 'user pointer below' kmod/slots.c 'int f(char __user *p);'
	violation 'file below' kmod/conn.c 'int f(struct file *file);'
	violation 'mm below' kmod/page.c 'struct mm_struct *mm;'
	violation 'kernel version' kmod/main.c '#if LINUX_VERSION_CODE > 1'
	violation 'codec knows the kernel' codec/cursor.c '#include <linux/mm.h>'
	violation 'two tests of __KERNEL__' codec/cursor.h '#ifdef __KERNEL__'
	violation 'selftest uses the library' selftests/dev_test.c \
		'#include <secbuf.h>'
	violation 'selftest uses the module' selftests/dev_test.c \
		'#include "../kmod/slots.h"'
	echo "1..$tests"
	echo "# Totals: pass:$((tests - failures)) fail:$failures" \
	     "xfail:0 xpass:0 skip:0 error:0"
	[ $failures = 0 ]
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
self=$(cd "$(dirname "$0")" && pwd)
set -- "${1:-$self/..}"
if [ "$1" = --selftest ]; then
	cd "$self/.."
	selftest
else
	cd "$1"
	check_tree
	exit $bad
fi
