#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# fuzz.sh SECONDS [SEED]: fuzz the ioctls (fuzz_ioctl.c), then nothing may be
# left and the module goes. PLACES: how many of the module the compiler marked.
#
# The module is not loaded when this begins and when it ends.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

debugfs=/sys/kernel/debug

echo "TAP version 13"
insmod "$here/secbuf.ko"
tap_result $? "insmod"
# Failures that are wanted need no word in the log.
for knob in failslab fail_page_alloc fail_usercopy; do
	[ ! -d $debugfs/$knob ] || echo 0 >$debugfs/$knob/verbose
done
[ ! -d $debugfs/failslab ] || {
	echo N >$debugfs/failslab/ignore-gfp-wait
	echo N >$debugfs/fail_page_alloc/ignore-gfp-wait
	echo N >$debugfs/fail_page_alloc/ignore-gfp-highmem
	echo 0 >$debugfs/fail_page_alloc/min-order
}
status=0
"$here/fuzz_ioctl" "$@" || status=$?
tap_result $status "fuzz_ioctl"
echo 0 >/sys/module/secbuf/parameters/max_user_bytes

# What was killed may still be on its way out.
tries=600
while [ "$("$here/counters")" != "0 0 0 0" ] && [ $tries -gt 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done
tap_is "0 0 0 0" "$("$here/counters")" "nothing is left"
rmmod secbuf
tap_result $? "rmmod"
[ "${PLACES:-0}" -eq 0 ] || echo "# of $PLACES places of the module"
tap_end
