#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kmemleak.sh COMMAND...: run COMMAND, then ask the kernel whether memory that
# was allocated since is lost. A backtrace names nobody when the module is gone,
# so that any report fails. The kernel believes nothing before an object is five
# seconds old and unreferenced in two scans. It may still be in the registers of
# a CPU: what is lost is lost in the next scans, too.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

kmemleak=/sys/kernel/debug/kmemleak

if [ ! -w $kmemleak ]; then
	echo "kmemleak.sh: this kernel has no kmemleak" >&2
	exit 1
fi
echo scan=off >$kmemleak
echo clear >$kmemleak
"$@"
status=$?

sleep 6
for try in 1 2 3; do
	echo scan >$kmemleak
	echo scan >$kmemleak
	[ -n "$(cat $kmemleak)" ] || break
	[ "$try" = 3 ] || sleep 1
done
echo "TAP version 13"
sed "s/^/# /" $kmemleak
[ -z "$(cat $kmemleak)" ]
tap_result $? "no memory is lost"
tap_end || status=1
exit $status
