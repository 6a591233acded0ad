#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tells the kernel's log what becomes of new objects. secbuf_policy_test.ko runs
# this when the machine goes down.

"$(dirname "$0")/empty" once 2>&1 | sed 's/^/refused: /' >/dev/kmsg
