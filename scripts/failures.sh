#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# failures.sh LOG: what failed in the log of a step: each test with the lines
# that led to it, programs that died, what the kernel or a sanitizer complained
# of, then the end of the log; at most 60 lines.
# failures.sh --short LOG: the names and the first reason of each, 4 lines.
# failures.sh --selftest: prints TAP.

set -eu -o pipefail

self=$(cd "$(dirname "$0")" && pwd)

# shellcheck source=selftests/splats.sh
. "$self/../selftests/splats.sh"

# Words that are no test's: of kernels, sanitizers, compilers, make, the guest.
complaints="$splats|WARNING:|Out of memory|oom-kill|Sanitizer|runtime error:"
complaints+='|: error:|: warning:|undefined reference|^make.*[*][*][*]'
complaints+='|^guest [^:]*: |Terminated|Killed'

# report MODE LOG
report()
{
	awk -v short="$1" -v complaints="$complaints" \
		-f "$self/failures.awk" "$2"
}

# The end, without tests that passed.
rest()
{
	echo "the end of the log:"
	awk '!/^ *ok [0-9]|^# *(RUN|OK) /' "$2" | tail -n "$1" |
		cut -c 1-240 | sed 's/^/  /'
}

show()
{
	if report '' "$1"; then
		rest 10 "$1"
	else
		rest 58 "$1"
	fi
}

#
# Self-test: what must be seen, in logs as the steps write them.
#

tests=0 failures=0

# result STATUS NAME
result()
{
	local word=ok

	if [ "$1" -ne 0 ]; then
		word='not ok'
		failures=$((failures + 1))
		sed 's/^/# /' "$tmp/long" "$tmp/short"
	fi
	tests=$((tests + 1))
	echo "$word $tests $2"
}

# shows NAME WORDS...: the log from standard input: all WORDS are in both, in
# few lines
shows()
{
	local name=$1 word status=0

	shift
	cat >"$tmp/log"
	show "$tmp/log" >"$tmp/long"
	report 1 "$tmp/log" >"$tmp/short"
	for word; do
		grep -q -F -e "$word" "$tmp/long" || status=1
		grep -q -F -e "$word" "$tmp/short" || status=1
	done
	! grep -q 'must not be seen' "$tmp/short" || status=1
	[ "$(wc -l <"$tmp/long")" -le 62 ] || status=1
	[ "$(wc -l <"$tmp/short")" -le 5 ] || status=1
	result $status "$name"
}

# passing COUNT: tests of a program that pass
passing()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		echo "#  RUN           idle.case$i ..."
		echo "# idle_test.c:10:case$i:Expected: must not be seen"
		echo "#            OK  idle.case$i"
		echo "ok $i idle.case$i"
	done
}

totals='# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0'

selftest()
{
	echo 'TAP version 13'
	shows 'an assertion, far from the end' 'idle_test: idle.stats' \
		'idle_test.c:12:stats:Expected 1 (1) == 2 (2)' <<-EOT
	# idle_test
	TAP version 13
	$(passing 100)
	#  RUN           idle.stats ...
	# idle_test.c:12:stats:Expected 1 (1) == 2 (2)
	# stats: Test failed at step #3
	#          FAIL  idle.stats
	not ok 101 idle.stats
	$(passing 100)
	# FAILED: 200 / 201 tests passed.
	${totals/fail:0/fail:1}
	# other_test
	TAP version 13
	$(passing 200)
	$totals
	EOT
	shows 'a timeout of the harness' 'hang_test: idle.hang' \
		'hang: Test terminated by timeout' <<-EOT
	# hang_test
	TAP version 13
	#  RUN           idle.hang ...
	# hang: Test terminated by timeout
	#          FAIL  idle.hang
	not ok 1 idle.hang
	${totals/fail:0/fail:1}
	EOT
	shows 'a program that died, as run.sh says it' 'died_test' \
		'died_test died with status 139' <<-EOT
	# died_test
	TAP version 13
	$(passing 3)
	# died_test died with status 139
	${totals/error:0/error:1}
	# other_test
	TAP version 13
	ok 1 idle.fine
	$totals
	EOT
	shows 'a guest that ended' 'cut_test: did not end' <<-EOT
	# cut_test
	TAP version 13
	$(passing 5)
	#  RUN           idle.last ...
	guest selftests: no end after 900 seconds
	EOT
	shows 'a splat that run.sh found' 'WARNING: CPU: 1 at secbuf_free' \
		'fine_test: the kernel complains' <<-EOT
	# fine_test
	TAP version 13
	$(passing 5)
	$totals
	TAP version 13
	1..1
	# [   12.3] WARNING: CPU: 1 at secbuf_free
	not ok 1 fine_test: the kernel complains
	${totals/fail:0/fail:1}
	EOT
	shows 'a splat that the guest found' 'BUG: KASAN: use-after-free' <<-EOT
	# fine_test
	TAP version 13
	ok 1 idle.fine
	$totals
	  [   14.1] BUG: KASAN: use-after-free in secbuf_put
	  [   14.1] Read of size 8
	guest debug: the kernel complained
	EOT
	shows 'KUnit' 'secbuf-ring: ring_full' \
		'EXPECTATION FAILED at kmod/tests/ring_test.c:20' <<-EOT
	# KUnit suite secbuf-ring
	TAP version 13
	    # Subtest: secbuf-ring
	    ok 1 ring_empty
	    # ring_full: EXPECTATION FAILED at kmod/tests/ring_test.c:20
	    Expected a == b, but
	    not ok 2 ring_full
	not ok 1 secbuf-ring
	${totals/fail:0/fail:1}
	EOT
	shows 'a script' 'whatever clients do' \
		'client 73: Connection timed out' <<-EOT
	TAP version 13
	ok 1 start
	# echo-load: client 73: Connection timed out
	# 643 connections, 1 lost, 26560918 bytes
	not ok 2 whatever clients do
	$(for ((i = 3; i < 100; i++)); do echo "ok $i must not be seen"; done)
	1..100
	${totals/fail:0/fail:1}
	EOT
	shows 'a build' "kmod/ring.c:12:3: error: unknown type" <<-EOT
	$(for ((i = 0; i < 50; i++)); do echo "  CC      file$i.o"; done)
	kmod/ring.c:12:3: error: unknown type
	$(for ((i = 0; i < 90; i++)); do echo "  CC      file$i.o"; done)
	make[1]: *** [Makefile:7: ring.o] Error 1
	EOT
	shows 'nothing that is known' 'the last words' <<-EOT
	$(for ((i = 0; i < 99; i++)); do echo "line $i"; done)
	the last words
	EOT
	shows 'no more than there is room for' 'idle_test: idle.case1' 'more' \
		<<-EOT
	# idle_test
	TAP version 13
	$(passing 99 | sed 's/^ok/not ok/; s/ OK / FAIL/; s/must not.*/1/')
	${totals/fail:0/fail:99}
	EOT
	shows 'nothing at all' </dev/null
	echo "1..$tests"
	echo "# Totals: pass:$((tests - failures)) fail:$failures" \
	     "xfail:0 xpass:0 skip:0 error:0"
	[ $failures = 0 ]
}

case ${1:-} in
--selftest)
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	selftest
	;;
--short)
	report 1 "$2"
	;;
''|--*)
	echo "usage: scripts/failures.sh [--short] LOG | --selftest" >&2
	exit 2
	;;
*)
	show "$1"
	;;
esac
