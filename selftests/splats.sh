# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# How the kernel says that something is wrong with it: $splats is an extended
# regular expression for grep and awk. Of backslashes these think differently:
# there are none. scripts/splats-test.sh has an example of each. Sourced.

splats='BUG:|kernel BUG at|[]] WARNING:|[[] cut here []]|Oops:|Kernel panic'
splats="$splats|general protection fault[,:]|double fault|stack guard page"
splats="$splats|Unable to handle|soft lockup|hard LOCKUP|detected stall"
splats="$splats|self-detected|blocked for more|scheduling while atomic"
splats="$splats|sleeping function called|inconsistent lock|circular locking"
splats="$splats|recursive locking|suspicious RCU|turning off the locking"
splats="$splats|KASAN:|KFENCE:|KCSAN:|UBSAN:|[Bb]ad page|refcount_t:"
splats="$splats|[Oo]bjects remaining|leaked|unreferenced object"
splats="$splats|Slab corruption|unregister_netdevice|Busy inodes"
splats="$splats|Close: file count is 0"
