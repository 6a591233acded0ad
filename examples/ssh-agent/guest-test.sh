#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of the test: agent-test.sh on secbuf. "make guest-files"
# prints what scripts/guest.sh has to bring.

set -eu

insmod secbuf.ko
chmod +x agent-test.sh
status=0
sh ./agent-test.sh . secbuf || status=$?
if ! rmmod secbuf; then
	echo '# the module cannot be unloaded'
	exit 1
fi
exit $status
