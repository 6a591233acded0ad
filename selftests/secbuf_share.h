/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of shared pools ask of each member.
 */
#ifndef SECBUF_SHARE_H
#define SECBUF_SHARE_H

#include "secbuf_fixture.h"

#define NR_SLOTS	128
#define NR_IDS		8

/* The bytes of a slot, as they are seen through one member's mapping. */
#define EXPECT_SLOT(pool, id, value)					\
	EXPECT_EQ(0, count_not(pool_slot(pool, id), value,		\
			       (pool)->slot_size))

static inline void slot_fill(struct pool *p, __u64 id, int value)
{
	memset(pool_slot(p, id), value, p->slot_size);
}

static inline __u32 in_use(int fd)
{
	struct secbuf_pool_stats_args stats;

	return pool_stats(fd, &stats) ? ~0U : stats.out_in_use;
}

static inline __u64 bytes_held(int fd)
{
	struct secbuf_pool_stats_args stats;

	return pool_stats(fd, &stats) ? ~0ULL : stats.out_bytes;
}

#endif /* SECBUF_SHARE_H */
