#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In UML: what pools cost in the kernel. Beside this script: the modules.

set -e

# A million buffers live at once.
insmod secbuf.ko max_user_bytes=$((256 << 20))
insmod bench_pool.ko
cat /sys/kernel/debug/secbuf_bench_pool
rmmod bench_pool secbuf
