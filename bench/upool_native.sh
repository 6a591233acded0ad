#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In UML: what mapped pools cost their programs. Beside this script: secbuf.ko,
# bench_upool, bench_upool_so and its library, bench_pair, bench_refill, and the
# file sodium with what sodium_malloc takes outside.

set -e

insmod secbuf.ko max_user_bytes=$((256 << 20))
bench_upool "$(cat sodium)"
LD_LIBRARY_PATH=. bench_upool_so | sed 's/^upool/upool_so/'
bench_pair
bench_refill
rmmod secbuf
