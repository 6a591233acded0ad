#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kmemleak.sh COMMAND...: run COMMAND, then ask the kernel whether memory that
# was allocated since is lost. A backtrace names nobody when the module is gone,
# so that any report fails. The kernel believes nothing before an object is five
# seconds old and unreferenced in two scans. It may still be in the registers of
# a CPU: what is lost is lost in the next scans, too. Then the same with a few
# objects that are lost on purpose.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

kmemleak=/sys/kernel/debug/kmemleak
lost=8

if [ ! -w $kmemleak ]; then
	echo "kmemleak.sh: this kernel has no kmemleak" >&2
	exit 1
fi

# forget [OPTION]: the allocator does, which addresses it gave
forget()
{
	insmod secbuf_leak_test.ko "$@" && rmmod secbuf_leak_test
}

# scan: twice, and again as long as there is something new
scan()
{
	sleep 6
	for try in 1 2 3; do
		echo scan >$kmemleak && echo scan >$kmemleak || return
		[ -n "$(cat $kmemleak)" ] || break
		[ "$try" = 3 ] || sleep 1
	done
}

echo scan=off >$kmemleak
echo clear >$kmemleak
"$@"
status=$?

echo "TAP version 13"
forget && scan
tap_result $? "memory is looked for"
sed "s/^/# /" $kmemleak
[ -z "$(cat $kmemleak)" ]
tap_result $? "no memory is lost"

echo clear >$kmemleak
forget lose=$lost && scan
found=$(grep -c 'unreferenced object' $kmemleak)
echo "# $found of $lost lost objects were found"
[ "$found" -gt 0 ]
tap_result $? "what is lost is found"
tap_end || status=1
exit $status
