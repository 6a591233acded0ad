#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# context_test.sh [MODULE]: pools in task and softirq context at the same time,
# by a module that loads only if all is well. secbuf is loaded.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

module=${1:-$here/secbuf_context_test.ko}
name=secbuf_context_test
mark="secbuf selftest: $name $$"

echo "TAP version 13"

echo "$mark" >/dev/kmsg
insmod "$module"
status=$?
said=$(dmesg | sed "1,/$mark\$/d" | sed -n "s/.*$name: //p")
echo "$said" | grep '^#'
tap_is "ok 1 context" "$(echo "$said" | grep -v '^#')" "what the module says"
tap_result $status "loaded"
[ $status -ne 0 ] || rmmod $name
tap_result $? "unloaded"
tap_end
