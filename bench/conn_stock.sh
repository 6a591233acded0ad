#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest that counts instructions: what conns cost. Beside this script:
# secbuf.ko, bench_conn, bench_conn_scan.

set -e

insmod secbuf.ko max_bytes=$((400 << 20)) max_user_bytes=$((400 << 20))
bench_conn
bench_conn_scan
rmmod secbuf
