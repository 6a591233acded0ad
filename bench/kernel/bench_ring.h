/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bench_ring.ko and bench_ring_feed say to each other.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <linux/ioctl.h>

#define BENCH_RING_RECORD	64
#define BENCH_RING_SIZE		65536
#define BENCH_RING_BATCH	64UL	/* records written by one call */

#define BENCH_RING_FD		_IO('~', 1)
#define BENCH_RING_FEED		_IO('~', 2)
#define BENCH_PIPE_SET		_IO('~', 3)
#define BENCH_PIPE_FEED		_IO('~', 4)
#define BENCH_RING_EACH		_IO('~', 5)

#endif /* BENCH_RING_H */
