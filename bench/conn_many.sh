#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest of 1 GiB, of which secbuf may have most: how many conns there can be,
# and what they take. Beside this script: secbuf.ko, bench_conn_idle.

set -e

insmod secbuf.ko max_bytes=$((700 << 20)) max_user_bytes=$((700 << 20))
bench_conn_idle
rmmod secbuf
