#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest that counts instructions: what the calls of a pool cost. Beside
# this script: secbuf.ko, bench_ioctl.

set -e

insmod secbuf.ko
bench_ioctl
rmmod secbuf
