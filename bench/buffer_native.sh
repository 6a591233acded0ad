#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In UML: what buffers cost that own memory. Beside this script: secbuf.ko,
# bench_buffer.

set -e

insmod secbuf.ko max_user_bytes=$((256 << 20))
bench_buffer
rmmod secbuf
