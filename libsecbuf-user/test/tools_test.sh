#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# What others look at the library with: the dynamic linker, AddressSanitizer,
# ThreadSanitizer, valgrind. Run by make check, in the library's directory.
#
# KSELFTEST=DIR		as for make

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
nr=0
failed=0
skipped=0
out=${O:-build}
flags='-D_GNU_SOURCE -Iinclude -I../uapi -std=gnu11 -O1 -g -Wall -Wextra -Werror'

result() {
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr $2"
	else
		sed 's/^/# /' "$tmp/log"
		echo "not ok $nr $2"
		failed=$((failed + 1))
	fi
}

skip() {
	nr=$((nr + 1))
	skipped=$((skipped + 1))
	echo "ok $nr # SKIP $1"
}

# build NAME FLAGS...: a program on a module that is not there
build() {
	name=$1
	shift
	# shellcheck disable=SC2086 # a list of flags
	"${CC:-cc}" $flags -o "$tmp/$name" "$@" test/fake.c test/fake_conn.c \
		-pthread > "$tmp/log" 2>&1
}

# found TEXT COMMAND...: the command must fail and say so
found() {
	text=$1
	shift
	if "$@" > "$tmp/log" 2>&1; then
		return 1
	fi
	grep -q "$text" "$tmp/log"
}

# With the library as it is installed: the program alone knows the sanitizer.
address() {
	if ! build address -fsanitize=address test/mistakes.c \
			"$out/libsecbuf-user.a"; then
		result 1 "a program for AddressSanitizer"
		return
	fi
	for what in freed batch next heap; do
		found use-after-poison "$tmp/address" $what
		result $? "AddressSanitizer finds: $what"
	done
	"$tmp/address" nothing > "$tmp/log" 2>&1
	result $? "AddressSanitizer finds nothing wrong elsewhere"
}

valgrind_tests() {
	if ! command -v valgrind > /dev/null; then
		for what in freed batch next heap elsewhere; do
			skip "valgrind is not installed: $what"
		done
		return
	fi
	if ! build plain test/mistakes.c "$out/libsecbuf-user.a"; then
		result 1 "a program for valgrind"
		return
	fi
	for what in freed batch next heap; do
		found 'Invalid read' valgrind --error-exitcode=99 \
			"$tmp/plain" $what
		result $? "valgrind finds: $what"
	done
	valgrind -q --error-exitcode=99 "$tmp/plain" nothing > "$tmp/log" 2>&1
	result $? "valgrind finds nothing wrong elsewhere"
}

# Its own build of the library, because it has to see every access.
thread() {
	for what in thread heap process conn conn_queue; do
		"${MAKE:-make}" --no-print-directory -s SANITIZE=thread \
			O=build-tsan KSELFTEST="$KSELFTEST" \
			"build-tsan/${what}_fake_test" > "$tmp/log" 2>&1 &&
		setarch -R "build-tsan/${what}_fake_test" >> "$tmp/log" 2>&1
		result $? "ThreadSanitizer finds nothing in ${what}_test"
	done
}

echo "TAP version 13"
if [ -n "$SANITIZE" ]; then
	echo "1..0 # SKIP this library is sanitized itself"
	echo "# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:1 error:0"
	exit 0
fi
echo "1..16"
build dlclose -rdynamic test/dlclose_test.c -ldl &&
	"$tmp/dlclose" "$PWD/$out/libsecbuf-user.so" >> "$tmp/log" 2>&1
result $? "a program that closes the library while threads use it"
address
valgrind_tests
thread

echo "# Totals: pass:$((nr - failed - skipped)) fail:$failed xfail:0 xpass:0" \
	"skip:$skipped error:0"
[ $failed -eq 0 ]
