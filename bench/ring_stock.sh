#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest that counts instructions: rings whose users sleep, and rings from
# the kernel. Beside this script: the modules, bench_pingpong, bench_ring_feed.

set -e

insmod secbuf.ko
bench_pingpong
insmod bench_ring.ko
bench_ring_feed
rmmod bench_ring secbuf
