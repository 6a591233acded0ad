#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# secbufctl without the module: misuse, bad files, and what status says.
# SECBUFCTL is the program. Nothing is ever loaded: every file is a wrong one.

ctl=${SECBUFCTL:?is not set}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
nr=0
failed=0
skipped=0

# expect NAME CODE PATTERN ARG...: runs secbufctl, checks its exit code and
# that a line of its output matches. expect_line: that there is no other line.
check() {
	max_lines=$1
	shift
	name=$1 code=$2 pattern=$3
	shift 3
	nr=$((nr + 1))
	"$ctl" "$@" > "$tmp/out" 2>&1 < /dev/null
	got=$?
	if [ $got -eq "$code" ] && grep -q -e "$pattern" "$tmp/out" &&
	   [ "$(wc -l < "$tmp/out")" -le "$max_lines" ]; then
		echo "ok $nr $name"
	else
		echo "# exit code $got, not $code, or not just '$pattern':"
		sed 's/^/# /' "$tmp/out"
		echo "not ok $nr $name"
		failed=$((failed + 1))
	fi
}

expect() {
	check 1000 "$@"
}

expect_line() {
	check 1 "$@"
}

skip() {
	nr=$((nr + 1))
	skipped=$((skipped + 1))
	echo "ok $nr # SKIP $1"
}

echo "TAP version 13"
expect "no command" 2 "^usage:"
expect "unknown command" 2 "no command 'frob'" frob
expect "unknown option" 2 "^usage:" --frob
expect "argument of unload" 2 "takes no arguments" unload now
expect "argument of status" 2 "takes no arguments" status now
expect "--help" 0 "^usage: secbufctl load" --help
expect_line "--version" 0 "^secbufctl [0-9]*\.[0-9]*\.[0-9]*$" --version
expect_line "two paths" 2 "not PARAM=VALUE" load a.ko b.ko
expect_line "parameter without a name" 2 "not PARAM=VALUE" load a.ko =1

# knows NAME FILE WORD...: each word of the module, of which secbufctl must know
tree=$(dirname "$0")/..
uapi=$tree/uapi/linux/secbuf.h
names() {
	sed -n "s/$1/\\1/p" "$2" | sort -u
}
knows() {
	name=$1 where=$2
	shift 2
	nr=$((nr + 1))
	lacks=
	for word; do
		grep -q -w "$word" "$where" || lacks="$lacks $word"
	done
	if [ $# -gt 0 ] && [ -z "$lacks" ]; then
		echo "ok $nr $name"
	else
		echo "# $where:${lacks:- nothing to look for}"
		echo "not ok $nr $name"
		failed=$((failed + 1))
	fi
}
params=$(cat "$tree"/kmod/*.c | names '^module_param(\([a-z_]*\),.*' -)
"$ctl" --help > "$tmp/help"
# shellcheck disable=SC2046,SC2086 # lists of words
{
	knows "help: parameters" "$tmp/help" $params
	knows "manual: parameters" "$tree/tools/secbufctl.8" $params
	knows "status: features" "$tree/tools/status.c" \
		$(names '^#define \(SECBUF_FEAT_[A-Z_]*\).*' "$uapi")
	knows "status: objects" "$tree/tools/status.c" \
		$(sed -n '/^struct secbuf_info_args/,/^}/p' "$uapi" |
			names '.*\(out_nr_[a-z]*\);.*' -)
}

if [ -e /sys/module/secbuf ]; then
	for what in missing directory text other installed named status \
			unload; do
		skip "$what: secbuf is loaded"
	done
else
	echo "not a module" > "$tmp/secbuf.ko"
	expect_line "load a missing file" 1 "No such file" load "$tmp/none.ko"
	expect_line "load a directory" 1 "is not a file" load "$tmp"
	expect_line "load a text" 1 "is not a kernel module" \
		load "$tmp/secbuf.ko" max_bytes=1
	expect_line "load a program" 1 "is not a kernel module" load "$ctl"
	if modinfo secbuf > /dev/null 2>&1; then
		skip "load without a path: secbuf is installed"
	else
		expect_line "load without a path" 1 "give the path" load
	fi
	# Its name clears the screen.
	printf 'name=\033[2J\377\000' > "$tmp/modinfo"
	if ! : | "${CC:-cc}" -x c -c -o "$tmp/plain.o" - 2> /dev/null; then
		skip "load what is named by a terminal's codes: no compiler"
	elif ! objcopy --add-section .modinfo="$tmp/modinfo" "$tmp/plain.o" \
			"$tmp/evil.ko" 2> /dev/null; then
		skip "load what is named by a terminal's codes: no objcopy"
	else
		expect_line "load what is named by a terminal's codes" 1 \
			'is the module ?\[2J?, not' load "$tmp/evil.ko"
	fi
	expect "status without the module" 3 "secbufctl load" status
	expect_line "unload without the module" 0 "is not loaded" unload
fi

echo "1..$nr"
echo "# Totals: pass:$((nr - failed - skipped)) fail:$failed xfail:0 xpass:0" \
	"skip:$skipped error:0"
[ $failed -eq 0 ]
