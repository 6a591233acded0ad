#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of the test: echo-test.sh on secbuf. "make guest-files"
# prints what scripts/guest.sh has to bring.

set -eu

insmod secbuf.ko
ifconfig lo up
status=0
sh ./echo-test.sh . secbuf || status=$?
if ! rmmod secbuf; then
	echo '# the module cannot be unloaded'
	exit 1
fi
exit $status
