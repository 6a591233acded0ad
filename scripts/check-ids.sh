#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# check-ids.sh [--selftest]: is there a test for each promise? The last column
# of the tables of README.md (promises) and SECURITY.md (what holds) names tests,
# as `PROGRAM: TEST, TEST...`. Each row must name one, and each must be there:
# in a program as the argument of a macro like TEST or as a string, in a script as a
# word. And each program of selftests/ must be run.

# shellcheck disable=SC2016 # those quotes are of Markdown

set -eu -o pipefail

cd "$(dirname "$0")/.."

# rows FILE HEADING: LINE and last column of each row of the first table with a
# column "test" that follows the heading
rows()
{
	awk -v heading="$2" '
	/^#/ { here = $0 ~ heading; table = 0 }
	!here { next }
	/\| *test *\|$/ { table = 1; next }
	!/^\|/ { if (table > 1) exit; next }
	table { if (table++ > 1) {
		sub(/ *\|$/, ""); sub(/.*\| */, ""); print FNR ": " $0 } }
	' "$1"
}

# source_of PROGRAM: prints its file
source_of()
{
	local dir

	for dir in selftests scripts libsecbuf-user/test packaging; do
		for file in "$dir/$1" "$dir/$1.c"; do
			if [ -f "$file" ]; then
				echo "$file"
				return
			fi
		done
	done
	return 1
}

# has_test FILE TEST: in it, or in what it includes or sources beside it
has_test()
{
	local files file

	mapfile -t files < <(awk -v dir="${1%/*}" '
		/^#include "/ { gsub(/"/, "", $2); print dir "/" $2 }
		/^[[:space:]]*\. "/ { sub(/.*\//, "", $2); gsub(/"/, "", $2)
				      print dir "/" $2 }' "$1")
	for file in "$1" "${files[@]}"; do
		[ -f "$file" ] || continue
		case $1 in
		*.c)	grep -qE "^[A-Z][A-Z_]+\(([a-z_0-9]+, *)?$2[,)]|\"$2\"" \
				"$file" ;;
		*)	grep -qE "(^|[^a-z0-9_-])$2($|[^a-z0-9_-])" "$file" ;;
		esac && return
	done
	return 1
}

# check FILE HEADING
check()
{
	local line column id file test tests found

	while IFS= read -r column; do
		line=${column%%: *}
		rows=$((rows + 1))
		found=''
		while IFS= read -r id; do
			found=1
			if ! file=$(source_of "${id%%:*}"); then
				echo "$1:$line: there is no program '${id%%:*}'"
				status=1
				continue
			fi
			IFS=, read -r -a tests <<<"${id#*:}"
			for test in "${tests[@]# }"; do
				ids=$((ids + 1))
				has_test "$file" "$test" && continue
				echo "$1:$line: $file has no test '$test'"
				status=1
			done
		done < <(grep -oE '`[^`]+: [^`]+`' <<<"${column#*: }" | tr -d '`')
		[ -n "$found" ] || {
			echo "$1:$line: this row names no test"
			status=1
		}
	done < <(rows "$1" "$2")
}

# By run.sh if nothing else is asked for, or as a part of a lane of its own.
check_run()
{
	local file name

	for file in selftests/*_test.c; do
		name=${file#selftests/}
		name=${name%_test.c}
		grep -qE "[[:space:]]$name( |\$)" selftests/run.sh && continue
		grep -qE "run\.sh $name\"" scripts/lane.sh && continue
		echo "$file: nothing runs it"
		status=1
	done
}

check_all()
{
	status=0 rows=0 ids=0
	check README.md 'What is promised'
	check SECURITY.md 'Who is kept out'
	check_run
	if [ $rows -lt 20 ]; then
		echo "check-ids.sh: only $rows rows found"
		status=1
	fi
	echo "$rows rows name $ids tests"
	return $status
}

# expect COMPLAINT OUTPUT
expect()
{
	grep -q "$1" <<<"$2" || {
		echo "check-ids.sh: does not find: $1" >&2
		exit 1
	}
}

# A row without a test, a program and a test that are not there, a program that is
# not run must be found.
selftest()
{
	local complaint out

	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	cp -r --parents README.md SECURITY.md selftests scripts \
		libsecbuf-user/test packaging "$tmp"
	for complaint in 's/`[^`]*: [^`]*`/it/g;names no test' \
			's/`[a-z]*_test: /`no_test: /;no program' \
			's/: [a-z][a-z_0-9]*`/: is_not_there`/;has no test'; do
		sed "/^| promise/,/^\$/${complaint%;*}" README.md >"$tmp/README.md"
		out=$("$tmp/scripts/check-ids.sh") && out=''
		expect "${complaint#*;}" "$out"
	done
	cp README.md "$tmp"
	sed 's/ owner_end / /' selftests/run.sh >"$tmp/selftests/run.sh"
	out=$("$tmp/scripts/check-ids.sh") && out=''
	expect 'nothing runs it' "$out"
}

case ${1:-} in
'')		check_all ;;
--selftest)	check_all && selftest ;;
*)		echo "usage: scripts/check-ids.sh [--selftest]" >&2; exit 2 ;;
esac
