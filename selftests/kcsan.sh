#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kcsan.sh COMMAND...: run COMMAND, then ask the kernel how many accesses it has
# watched since. It says by itself which of them raced, and scripts/guest.sh and
# run.sh hear that; but a kernel that watched nothing is silent, too.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

kcsan=/sys/kernel/debug/kcsan
parameters=/sys/module/kcsan/parameters

# watched: accesses, of the kernel's modules, which alone are instrumented
watched()
{
	sed -n 's/^setup_watchpoints: //p' $kcsan
}

if ! grep -q '^enabled: 1' $kcsan; then
	echo "kcsan.sh: this kernel does not look for data races" >&2
	exit 1
fi
# Instead of what the kernel begins with: a call takes an emulated CPU up to a
# millisecond, so whoever is watched stands still for that long; and modules alone
# are watched, so that it can be many of their accesses.
echo 1000 >$parameters/udelay_task
echo 50 >$parameters/skip_watch
before=$(watched)
"$@"
status=$?

nr=$(($(watched) - before))
echo "TAP version 13"
echo "# proof: watched $nr"
[ $nr -ge 1000 ]
tap_result $? "accesses were watched"
tap_end || status=1
exit $status
