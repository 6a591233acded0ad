#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever the kernel complains of fails a guest and is shown: an example of
# each of selftests/splats.sh, given to the verdict of guests and to failures.sh.
# Prints TAP.

# shellcheck disable=SC2034 # variables of guest-lib.sh

set -eu -o pipefail

scripts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/guest-lib.sh
. "$scripts/guest-lib.sh"
# shellcheck source=selftests/tap.sh
. "$scripts/../selftests/tap.sh"

examples()
{
	cat <<-'EOT'
	BUG: unable to handle page fault for address: ffffc900001b4000
	kernel BUG at mm/slub.c:435!
	WARNING: CPU: 1 PID: 71 at lib/list_debug.c:62 __list_del_entry_valid
	------------[ cut here ]------------
	Oops: 0002 [#1] PREEMPT SMP NOPTI
	Kernel panic - not syncing: Fatal exception
	general protection fault, probably for non-canonical address 0xdead
	traps: PANIC: double fault, error_code: 0x0
	stack guard page was hit at 00000000d1d8a4f7
	Unable to handle kernel paging request at virtual address ffff8000
	watchdog: soft lockup - CPU#0 stuck for 22s! [pool_test:91]
	NMI watchdog: Watchdog detected hard LOCKUP on cpu 1
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	rcu: INFO: rcu_preempt self-detected stall on CPU
	INFO: task ring_test:91 blocked for more than 120 seconds.
	scheduling while atomic: insmod/71/0x00000002
	sleeping function called from invalid context at mm/slab.h:321
	inconsistent lock state
	possible circular locking dependency detected
	possible recursive locking detected
	suspicious RCU usage
	INFO: lockdep is turned off: turning off the locking correctness validator.
	KASAN: slab-use-after-free in secbuf_put+0x12/0x40 [secbuf]
	KFENCE: use-after-free read in secbuf_put+0x12/0x40 [secbuf]
	KCSAN: data-race in secbuf_put / secbuf_get
	UBSAN: array-index-out-of-bounds in kmod/slots.c:12:3
	Bad page state in process pool_test  pfn:1a2b3
	bad page: page:00000000d1d8a4f7 refcount:0 mapcount:1
	refcount_t: underflow; use-after-free.
	Objects remaining in secbuf on __kmem_cache_shutdown()
	Slab secbuf: objects remaining on shutdown
	percpu ref (css_release) <= 0 (-1) after switching: leaked
	unreferenced object 0xffff888001a2b3c0 (size 64):
	Slab corruption (Not tainted): secbuf start=ffff888001a2b3c0
	unregister_netdevice: waiting for lo to become free. Usage count = 2
	VFS: Busy inodes after unmount of secbuf. Self-destruct in 5 seconds.
	VFS: Close: file count is 0
	EOT
}

# What kernels say that are well, and programs that are not.
harmless_lines()
{
	cat <<-'EOT'
	Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on
	traps: pool_test[91] general protection fault ip:4012a4 sp:7ffc error:0
	kasan: KernelAddressSanitizer initialized
	BUGFIX: none
	EOT
}

# verdict [LINE]: of a guest whose kernel has said that, among other things;
# sets $words
verdict()
{
	{
		harmless_lines
		printf '%s\n' "$@"
		echo "the last line"
	} | sed 's/^/[   12.345678] /' >"$log"
	words=$( (judge) 2>&1 )
}

# is_shown LINE: by failures.sh, when a step says $words and more
is_shown()
{
	{ echo "$words"; seq 9; } >"$tmp/step"
	"$scripts/failures.sh" --short "$tmp/step" >"$tmp/shown"
	grep -q -F -e "$1" "$tmp/shown"
}

name=example status=0 taint=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
log=$tmp/kernel.log

echo 'TAP version 13'
good=0
verdict || good=1
tap_result $good 'a kernel that is well passes'
while IFS= read -r line; do
	good=0
	if verdict "$line" || [[ $words != *"kernel complained"* ]] ||
	   ! is_shown "$line"; then
		echo "# $words"
		good=1
	fi
	tap_result $good "$line"
done < <(examples)

harmless='KASAN: slab-use' good=0
verdict 'KASAN: slab-use-after-free in x' || good=1
! verdict 'KASAN: stack-out-of-bounds in x' || good=1
harmless=''
tap_result $good '--harmless, and nothing else'

# oops BYTE: in front of where a breakpoint is said to have been
oops()
{
	cat >"$log" <<-EOT
	[    1.000000] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI
	[    1.000001] RIP: 0010:recalc_sigpending+0x4c/0x80
	[    1.000002] Code: 10 0c 00 00 01 75 0c $1 <14> f0 80 23 fb 5b c3 cc
	EOT
}

oops eb
good=0
met_ghost || good=1
tap_result $good 'a breakpoint that is not there is of the emulator'
oops cc
good=0
! met_ghost || good=1
tap_result $good 'one that is there is not'
echo '[    1.000000] Oops: 0002 [#1] PREEMPT SMP NOPTI' >"$log"
good=0
! met_ghost || good=1
tap_result $good 'nor is another oops'

IFS='|' read -r -a kinds <<<"$splats"
examples | sed 's/^/[   12.345678] /' >"$log"
good=0
for kind in "${kinds[@]}"; do
	grep -q -E "$kind" "$log" || { echo "# $kind"; good=1; }
done
tap_result $good 'there is an example of each'
tap_end
