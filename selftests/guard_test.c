// SPDX-License-Identifier: GPL-2.0
/*
 * Pools for debugging: what lies behind a slot, and what was a slot, faults.
 */
#include "secbuf_fixture.h"
#include "secbuf_touch.h"

#define NR_SLOTS	8

FIXTURE(guard)
{
	int		dev;
	__u64		bytes;
	struct pool	p;
	__u64		pages;		/* that a slot has */
};

FIXTURE_VARIANT(guard)
{
	__u64	slot_size;
	__u64	stride;
};

FIXTURE_VARIANT_ADD(guard, sub_page) {
	.slot_size = 64, .stride = 2 * PAGE,
};

FIXTURE_VARIANT_ADD(guard, page) {
	.slot_size = PAGE, .stride = 2 * PAGE,
};

FIXTURE_VARIANT_ADD(guard, multi_page) {
	.slot_size = 4 * PAGE, .stride = 5 * PAGE,
};

FIXTURE_SETUP(guard)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	ASSERT_EQ(0, pool_open_flags(&self->p, self->dev, variant->slot_size,
				     NR_SLOTS, SECBUF_POOL_F_GUARD));
	self->pages = variant->stride / PAGE - 1;
}

FIXTURE_TEARDOWN(guard)
{
	pool_close(&self->p);
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

TEST_F(guard, geometry)
{
	struct secbuf_pool_create_args args;

	ASSERT_EQ(0, pool_create_flags(self->dev, variant->slot_size, NR_SLOTS,
				       SECBUF_POOL_F_GUARD, &args));
	EXPECT_EQ(variant->slot_size, args.out_slot_size);
	EXPECT_EQ(variant->stride, args.out_stride);
	EXPECT_EQ(NR_SLOTS * variant->stride, args.out_mmap_size);
	EXPECT_EQ(NR_SLOTS, args.out_max_slots);
	close(args.out_fd);
	EXPECT_EQ(variant->stride, self->p.stride);
	EXPECT_EQ(variant->slot_size, self->p.slot_size);
	EXPECT_EQ(NR_SLOTS * variant->stride, self->p.map_size);
}

TEST_F(guard, ceiling)
{
	struct secbuf_pool_create_args args;
	struct secbuf_info_args info;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	ASSERT_EQ(0, pool_create_flags(self->dev, variant->slot_size,
				       SECBUF_LIMIT_CEILING,
				       SECBUF_POOL_F_GUARD, &args));
	EXPECT_LE(args.out_mmap_size, info.out_pool_size_max);
	EXPECT_EQ(args.out_max_slots * args.out_stride, args.out_mmap_size);
	close(args.out_fd);
}

/* All slots granted: each is whole, and has a hole behind it. */
TEST_F(guard, overflow)
{
	__u64 ids[NR_SLOTS];
	unsigned char *slot;

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	for (int i = 0; i < NR_SLOTS; i++) {
		slot = pool_slot(&self->p, ids[i]);
		EXPECT_EQ(0, count_not(slot, 0, self->p.slot_size));
		memset(slot, 0xa5, self->p.slot_size);
	}
	for (int i = 0; i < NR_SLOTS; i++) {
		slot = pool_slot(&self->p, ids[i]);
		EXPECT_EQ(0, touch(slot + self->pages * PAGE - 1, true));
		EXPECT_EQ(SIGBUS, touch(slot + self->pages * PAGE, true));
		EXPECT_EQ(SIGBUS, touch(slot + self->pages * PAGE, false));
		EXPECT_EQ(SIGBUS, touch(slot + variant->stride - 1, true));
	}
}

TEST_F(guard, underflow)
{
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	for (int i = 0; i < NR_SLOTS; i++)
		if (ids[i])
			EXPECT_EQ(SIGBUS, touch(pool_slot(&self->p, ids[i]) - 1,
						false));
}

TEST_F(guard, use_after_free)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[3];
	unsigned char *slot;

	ASSERT_EQ(3, pool_alloc(self->p.fd, ids, 3));
	for (int i = 0; i < 3; i++)
		memset(pool_slot(&self->p, ids[i]), 0xa5, self->p.slot_size);
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(3 * self->pages * PAGE, stats.out_bytes);
	ASSERT_EQ(1, pool_free(self->p.fd, &ids[1], 1));
	slot = pool_slot(&self->p, ids[1]);
	EXPECT_EQ(SIGBUS, touch(slot, false));
	EXPECT_EQ(SIGBUS, touch(slot, true));
	EXPECT_EQ(SIGBUS, touch(slot + self->p.slot_size - 1, true));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[0]), 0xa5,
			       self->p.slot_size));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[2]), 0xa5,
			       self->p.slot_size));
	EXPECT_EQ(-ENOENT, pool_free(self->p.fd, &ids[1], 1));

	/* Nothing is kept. */
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(2 * self->pages * PAGE, stats.out_bytes);
	EXPECT_EQ(0, stats.out_available);
	EXPECT_EQ(0, pool_shrink(self->p.fd, NR_SLOTS));
}

TEST_F(guard, free_all)
{
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	for (int i = 0; i < NR_SLOTS; i++)
		memset(pool_slot(&self->p, ids[i]), 0xa5, self->p.slot_size);
	EXPECT_EQ(NR_SLOTS, pool_free_flags(self->p.fd, NULL, 0,
					    SECBUF_POOL_FREE_F_ALL));
	for (int i = 0; i < NR_SLOTS; i++)
		EXPECT_EQ(SIGBUS, touch(pool_slot(&self->p, ids[i]), false));
}

/* A batch in any order: all go, and no others. */
TEST_F(guard, free_in_disorder)
{
	__u64 ids[NR_SLOTS], some[] = { 6, 1, 2, 3, 0 };

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	EXPECT_EQ(5, pool_free(self->p.fd, some, 5));
	for (int i = 0; i < NR_SLOTS; i++)
		EXPECT_EQ(i == 4 || i == 5 || i == 7 ? 0 : SIGBUS,
			  touch(pool_slot(&self->p, i), true));
}

/* Passable, too: gone for all who have it mapped. */
TEST_F(guard, shared)
{
	struct pool a, b;
	__u64 id;

	ASSERT_EQ(0, pool_open_flags(&a, self->dev, variant->slot_size,
				     NR_SLOTS, SECBUF_POOL_F_GUARD |
				     SECBUF_POOL_F_PASSABLE));
	ASSERT_EQ(0, pool_join(&b, a.fd));
	ASSERT_EQ(1, pool_alloc(a.fd, &id, 1));
	memset(pool_slot(&a, id), 0xa5, a.slot_size);
	EXPECT_EQ(0, count_not(pool_slot(&b, id), 0xa5, b.slot_size));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&b, id) + self->pages * PAGE, true));
	ASSERT_EQ(1, pool_free(a.fd, &id, 1));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&b, id), false));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&a, id), false));
	pool_close(&b);
	pool_close(&a);
}

TEST_HARNESS_MAIN
