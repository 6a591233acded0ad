#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [TEST...]: run all selftests or these, in the guest: load the module,
# run every program, one TAP block each, which ends with "# Totals:". What the
# kernel complains of in the meantime fails the program that caused it.
#
# Beside this script: the programs, the scripts, secbuf.ko; for secrecy_test.sh
# and crowd_test.sh "needles", made by needles.sh; brd.ko, if there is one, for
# access_pin_test and access_swap_test. SECBUF_ROUNDS=N shortens crowd_test.sh.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/splats.sh
. "$here/splats.sh"
# shellcheck source=selftests/wait.sh
. "$here/wait.sh"

module=$here/secbuf.ko
out=$(mktemp)
failed=

# Where nobody asks for it, a test has nothing to do with this either.
splats="$splats|Call Trace|Out of memory|oom-kill"

# Whom the OOM killer may kill: programs of secrecy_test.sh because they ask for
# it, and the child of image_test that has all the memory.
oom_killed='/ invoked oom-killer/{
:more
/Killed process/!{
$!{
N
b more
}
}
/Killed process [0-9]* (plant)/d
/Killed process [0-9]* (image_test)/d
}'

# complaints NAME: of the kernel, since NAME started. Where memory is made short
# the kernel says with a trace that a cache cannot be made, and that it repeats a
# page fault, which are none.
complaints()
{
	expected=
	[ "$1" != faults_test ] ||
		expected='/__kmem_cache_create_args(.*failed/,/<\/TASK>/d
			/VM_FAULT_OOM leaked out to the #PF handler/d'
	dmesg | sed -e "1,/secbuf selftest: $1\$/d" |
	sed -e "$oom_killed" -e "$expected" |
	grep -E "$splats"
}

# run NAME COMMAND...
run()
{
	name=$1
	shift
	echo "# $name"
	echo "secbuf selftest: $name" >/dev/kmsg
	timeout "${SECBUF_TEST_TIMEOUT:-600}" "$@" >"$out" 2>&1 </dev/null
	status=$?
	cat "$out"
	if ! grep -q "^# Totals:" "$out"; then
		if [ $status -eq 4 ]; then
			tap_totals 0 0 1 0
		else
			echo "# $name died with status $status"
			tap_totals 0 0 0 1
		fi
	fi
	[ $status -eq 0 ] || [ $status -eq 4 ] || failed="$failed $name"

	if complaints "$name" >"$out"; then
		echo "TAP version 13"
		echo "1..1"
		sed "s/^/# /" "$out"
		echo "not ok 1 $name: the kernel complains"
		tap_totals 0 1 0 0
		failed="$failed $name-kernel"
	fi
}

# The kernel looks for memory of its own accord when it has split a large block,
# and what is idle would go although there is enough.
boost=/proc/sys/vm/watermark_boost_factor
[ ! -w $boost ] || echo 0 >$boost
[ ! -f "$here/brd.ko" ] || insmod "$here/brd.ko" rd_nr=1 rd_size=1024
run insmod sh -c "insmod '$module' && [ -c /dev/secbuf ] && \
	echo 'ok 1 insmod' && echo 1..1 && \
	echo '# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0'"

[ $# -gt 0 ] || set -- image abi dev pool kpool context sample lines observe \
	conn conn_queue conn_idle conn_send conn_stream conn_race mmap \
	owner owner_end access_memory access_pin access_vma access_advice \
	access_stranger access_dump access_gcore access_swap \
	share members guard pressure reclaim crowd ring ring_map ring_wait \
	ring_poll ring_signal ring_memory ring_charge ring_end ring_peer \
	ring_death ring_stress ring_race ring_hostile ring_stream secrecy policy module
for test; do
	program=$here/${test}_test
	stream=$here/secbuf_stream.ko
	[ "$test" = ring_stream ] && [ -f "$stream" ] || stream=
	[ -z "$stream" ] || insmod "$stream"
	if [ -e "$program" ]; then
		run "${test}_test" "$program"
	else
		run "${test}_test" sh "$program.sh"
	fi
	# Its threads end on their own.
	[ -z "$stream" ] || wait_for rmmod secbuf_stream 2>/dev/null
done
run rmmod sh -c "rmmod secbuf && [ ! -e /dev/secbuf ] && \
	echo 'ok 1 rmmod' && echo 1..1 && \
	echo '# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0'"

rm -f "$out"
if [ -n "$failed" ]; then
	echo "# selftests failed:$failed"
	exit 1
fi
echo "# selftests passed"
