#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In UML: what rings cost while nobody sleeps. Beside this script: secbuf.ko,
# bench_ring, bench_ring_ipc, and the file peers with what a message through a
# pipe or a socket takes outside.

set -e

insmod secbuf.ko
bench_ring
read -r small large <peers
bench_ring_ipc "$small" "$large"
rmmod secbuf
