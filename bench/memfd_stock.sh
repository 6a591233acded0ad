#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest that counts instructions, of a CPU without ERMS: a page of a pool
# and one of memfd_secret(). Beside this script: secbuf.ko, bench_memfd.

set -e

insmod secbuf.ko
bench_memfd
rmmod secbuf
