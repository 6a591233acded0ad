// SPDX-License-Identifier: GPL-2.0
/*
 * Pools: slots that are granted zero and taken back zeroized, within limits.
 */
#include "secbuf_fixture.h"
#include "secbuf_limits.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define MIB		(1024UL * 1024)

FIXTURE(pool)
{
	int		dev;
	struct pool	p;
};

FIXTURE_VARIANT(pool)
{
	__u64	slot_size;
};

/* 64 slots of 64 bytes are exactly one page. */
FIXTURE_VARIANT_ADD(pool, sub_page) { .slot_size = 64 };
FIXTURE_VARIANT_ADD(pool, page) { .slot_size = PAGE };
FIXTURE_VARIANT_ADD(pool, multi_page) { .slot_size = 4 * PAGE };

#define NR_SLOTS	64

FIXTURE_SETUP(pool)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, variant->slot_size,
			       NR_SLOTS));
	ASSERT_EQ(variant->slot_size, self->p.slot_size);
	ASSERT_EQ(NR_SLOTS * variant->slot_size, self->p.map_size);
	ASSERT_EQ(NR_SLOTS, self->p.max_slots);
}

FIXTURE_TEARDOWN(pool)
{
	pool_close(&self->p);
	close(self->dev);
}

TEST_F(pool, granted_slots_are_zero_and_distinct)
{
	const size_t size = self->p.slot_size;
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	for (int i = 0; i < NR_SLOTS; i++) {
		ASSERT_GT(self->p.map_size / size, ids[i]);
		EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[i]), 0, size));
		memset(pool_slot(&self->p, ids[i]), 1 + i, size);
	}
	for (int i = 0; i < NR_SLOTS; i++)
		EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[i]), 1 + i,
				       size));
}

TEST_F(pool, granted_again_is_zero)
{
	const size_t size = self->p.slot_size;
	__u64 ids[NR_SLOTS], id;

	/* All but one slot stay granted: it is this slot that comes back. */
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	memset(pool_slot(&self->p, ids[7]), 0xa5, size);
	ASSERT_EQ(1, pool_free(self->p.fd, &ids[7], 1));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_EQ(ids[7], id);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, id), 0, size));
}

TEST_F(pool, free_touches_no_other_slot)
{
	const size_t size = self->p.slot_size;
	__u64 ids[3];

	ASSERT_EQ(3, pool_alloc(self->p.fd, ids, 3));
	for (int i = 0; i < 3; i++)
		memset(pool_slot(&self->p, ids[i]), 0xa0 + i, size);
	ASSERT_EQ(1, pool_free(self->p.fd, &ids[1], 1));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[0]), 0xa0, size));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[2]), 0xa2, size));
}

TEST_F(pool, free_twice)
{
	__u64 ids[2];

	ASSERT_EQ(2, pool_alloc(self->p.fd, ids, 2));
	ASSERT_EQ(1, pool_free(self->p.fd, ids, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->p.fd, ids, 1));
}

TEST_F(pool, free_never_granted)
{
	__u64 id = NR_SLOTS - 1;

	EXPECT_EQ(-ENOENT, pool_free(self->p.fd, &id, 1));
}

TEST_F(pool, free_first_id_past_the_end)
{
	__u64 id = self->p.map_size / self->p.slot_size;

	EXPECT_EQ(-EINVAL, pool_free(self->p.fd, &id, 1));
}

TEST_F(pool, free_id_that_overflows)
{
	__u64 ids[] = { ~0ULL, 1ULL << 32, 1ULL << 58, 1ULL << 63 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		EXPECT_EQ(-EINVAL, pool_free(self->p.fd, &ids[i], 1));
}

/* The same slot twice in one batch: the second is not granted any more. */
TEST_F(pool, free_same_id_twice_in_batch)
{
	__u64 ids[3];

	ASSERT_EQ(2, pool_alloc(self->p.fd, ids, 2));
	ids[2] = ids[1];
	ids[1] = ids[0];
	EXPECT_EQ(1, pool_free(self->p.fd, ids, 3));
	EXPECT_EQ(1, pool_free(self->p.fd, &ids[2], 1));
}

TEST_F(pool, free_stops_in_the_middle)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[4], bad[4];

	ASSERT_EQ(4, pool_alloc(self->p.fd, ids, 4));
	memcpy(bad, ids, sizeof(bad));
	bad[2] = ~0ULL;
	EXPECT_EQ(2, pool_free(self->p.fd, bad, 4));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(2, stats.out_in_use);
	EXPECT_EQ(2, pool_free(self->p.fd, ids + 2, 2));
}

TEST_F(pool, limit)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_SLOTS + 1];

	/* The batch that hits the limit in its middle succeeds in part. */
	EXPECT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS + 1));
	EXPECT_EQ(-ENOSPC, pool_alloc(self->p.fd, ids + NR_SLOTS, 1));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(NR_SLOTS, stats.out_in_use);
	EXPECT_LE(1, stats.out_failures);

	EXPECT_EQ(1, pool_free(self->p.fd, ids + 3, 1));
	EXPECT_EQ(1, pool_alloc(self->p.fd, ids + 3, 1));
	EXPECT_EQ(-ENOSPC, pool_alloc(self->p.fd, ids + NR_SLOTS, 1));
}

TEST_F(pool, nr_0)
{
	__u64 id;

	EXPECT_EQ(-EINVAL, pool_alloc(self->p.fd, &id, 0));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_EQ(-EINVAL, pool_free(self->p.fd, &id, 0));
}

TEST_F(pool, nr_above_batch_max)
{
	struct secbuf_pool_stats_args stats;
	struct secbuf_info_args info;
	size_t size;
	__u64 *ids;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	ASSERT_GT(1U << 24, info.out_batch_max);
	size = (info.out_batch_max + 1UL) * sizeof(*ids);
	ids = malloc(size);
	ASSERT_NE(NULL, ids);

	EXPECT_EQ(-EINVAL, pool_alloc(self->p.fd, ids,
				      info.out_batch_max + 1));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, info.out_batch_max));

	/* Those past NR_SLOTS are not granted. */
	memset(ids + NR_SLOTS, 0xff, size - NR_SLOTS * sizeof(*ids));
	EXPECT_EQ(-EINVAL, pool_free(self->p.fd, ids,
				     info.out_batch_max + 1));
	EXPECT_EQ(NR_SLOTS, pool_free(self->p.fd, ids, info.out_batch_max));
	free(ids);
}

TEST_F(pool, stats_balance)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[10], granted = 0, freed = 0, fresh = 0;

	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(NR_SLOTS, stats.out_max_slots);
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(0, stats.out_peak);
	EXPECT_EQ(0, stats.out_min_slots);
	EXPECT_EQ(0, stats.out_allocated);
	EXPECT_EQ(0, stats.out_available);
	EXPECT_EQ(0, stats.out_leaks);
	EXPECT_EQ(0, stats.out_acquired);
	EXPECT_EQ(0, stats.out_returned);
	EXPECT_EQ(0, stats.out_failures);
	EXPECT_EQ(0, stats.out_bytes);
	EXPECT_EQ(0, stats.out_bytes_zeroized);

	for (int nr = 1; nr <= 10; nr++) {
		ASSERT_EQ(nr, pool_alloc(self->p.fd, ids, nr));
		granted += nr;
		ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
		EXPECT_EQ(nr, stats.out_in_use);
		EXPECT_EQ(nr, stats.out_peak);
		EXPECT_LE(nr * self->p.slot_size, stats.out_bytes);
		EXPECT_LE(nr, stats.out_allocated);
		EXPECT_EQ(stats.out_allocated - nr, stats.out_available);
		ASSERT_EQ(nr, pool_free(self->p.fd, ids, nr));
		freed += nr;
		ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
		EXPECT_EQ(0, stats.out_in_use);
		EXPECT_EQ(nr, stats.out_peak);
		EXPECT_EQ(granted, stats.out_acquired);
		EXPECT_EQ(freed, stats.out_returned);
		/* Memory stays, and what there is serves first. */
		if (self->p.slot_size >= PAGE || nr == 1)
			fresh++;
		EXPECT_EQ(fresh, stats.out_misses);
		EXPECT_EQ(0, stats.out_magazine_hits);
		EXPECT_EQ(granted - fresh, stats.out_depot_hits);
		EXPECT_EQ(stats.out_allocated, stats.out_available);
		EXPECT_LE(nr * self->p.slot_size, stats.out_bytes);
		EXPECT_LE(freed * self->p.slot_size, stats.out_bytes_zeroized);
	}
	EXPECT_EQ(0, stats.out_failures);

	EXPECT_EQ(stats.out_allocated, pool_shrink(self->p.fd, NR_SLOTS));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(0, stats.out_bytes);
	EXPECT_EQ(0, stats.out_allocated);
	EXPECT_EQ(0, stats.out_available);
}

/* Nothing is granted when the ids cannot be written. */
TEST_F(pool, alloc_ids_bad_pointer)
{
	struct secbuf_pool_stats_args before, after;

	ASSERT_EQ(0, pool_stats(self->p.fd, &before));
	EXPECT_EQ(-EFAULT, pool_alloc(self->p.fd, NULL, 3));
	EXPECT_EQ(-EFAULT, pool_alloc(self->p.fd, (void *)~0xfffUL, 3));
	ASSERT_EQ(0, pool_stats(self->p.fd, &after));
	EXPECT_EQ(before.out_in_use, after.out_in_use);
	EXPECT_EQ(before.out_bytes, after.out_bytes);
	EXPECT_EQ(after.out_acquired, after.out_returned);
}

/* The first id can be written, the second cannot. */
TEST_F(pool, alloc_ids_across_the_end)
{
	struct secbuf_pool_stats_args stats;
	char *page;

	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, pool_alloc(self->p.fd,
				      (void *)(page + PAGE - sizeof(__u64)),
				      2));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(0, stats.out_bytes);
}

TEST_F(pool, free_ids_bad_pointer)
{
	struct secbuf_pool_stats_args stats;
	__u64 id;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_EQ(-EFAULT, pool_free(self->p.fd, NULL, 1));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(1, stats.out_in_use);
}

/* What cannot be told was not done: the slot keeps its bytes. */
TEST_F(pool, free_args_read_only)
{
	struct secbuf_pool_free_args *args;
	__u64 id;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	memset(pool_slot(&self->p, id), 0xa5, self->p.slot_size);
	args = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, args);
	args->size = sizeof(*args);
	args->ids_ptr = (uintptr_t)&id;
	args->nr = 1;
	ASSERT_EQ(0, mprotect(args, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->p.fd, SECBUF_IOC_POOL_FREE,
					args));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, id), 0xa5,
			       self->p.slot_size));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
}

/* Pointers into the pool itself: it works, and nobody waits for himself. */
TEST_F(pool, args_and_ids_inside_the_mapping)
{
	struct secbuf_pool_alloc_args *args;
	__u64 id, *ids;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	args = (void *)pool_slot(&self->p, id);
	ids = (void *)(args + 1);
	args->size = sizeof(*args);
	args->flags = 0;
	args->ids_ptr = (uintptr_t)ids;
	args->nr = 3;
	ASSERT_EQ(0, secbuf_ioctl(self->p.fd, SECBUF_IOC_POOL_ALLOC, args));
	EXPECT_EQ(3, args->out_done);
	ASSERT_EQ(0, secbuf_ioctl(self->p.fd, SECBUF_IOC_POOL_FREE, args));
	EXPECT_EQ(3, args->out_done);
}

TEST_F(pool, ids_inside_the_slot_that_is_freed)
{
	__u64 id, *ids;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	ids = (void *)pool_slot(&self->p, id);
	*ids = id;
	EXPECT_EQ(1, pool_free(self->p.fd, ids, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->p.fd, &id, 1));
}

/* Threads or not, two pools have nothing in common. */
TEST_F(pool, another_pool_is_apart)
{
	struct pool other;
	__u64 a, b;

	ASSERT_EQ(0, pool_open(&other, self->dev, variant->slot_size, 4));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &a, 1));
	EXPECT_EQ(-ENOENT, pool_free(other.fd, &a, 1));
	ASSERT_EQ(1, pool_alloc(other.fd, &b, 1));
	memset(pool_slot(&self->p, a), 0x11, self->p.slot_size);
	memset(pool_slot(&other, b), 0x22, other.slot_size);
	EXPECT_EQ(1, pool_free(other.fd, &b, 1));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, a), 0x11,
			       self->p.slot_size));
	pool_close(&other);
}

/* Bytes of a free slot can be seen while a neighbour's page is mapped. */
FIXTURE(shared_page)
{
	int		dev;
	struct pool	p;
	__u64		ids[NR_SLOTS];
};

FIXTURE_SETUP(shared_page)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, 64, NR_SLOTS));
	ASSERT_EQ(PAGE, self->p.map_size);
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, self->ids, NR_SLOTS));
	memset(self->p.map, 0xa5, PAGE);
}

FIXTURE_TEARDOWN(shared_page)
{
	pool_close(&self->p);
	close(self->dev);
}

TEST_F(shared_page, freed_slot_is_zero_at_once)
{
	ASSERT_EQ(1, pool_free(self->p.fd, &self->ids[5], 1));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->ids[5]), 0, 64));
	EXPECT_EQ(64, count_not(self->p.map, 0xa5, PAGE));
}

TEST_F(shared_page, scribbled_slot_is_granted_zero)
{
	__u64 id;

	ASSERT_EQ(1, pool_free(self->p.fd, &self->ids[5], 1));
	memset(pool_slot(&self->p, self->ids[5]), 0x77, 64);
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_EQ(self->ids[5], id);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, id), 0, 64));
}

TEST_F(shared_page, page_can_go_with_its_last_slot)
{
	struct secbuf_pool_stats_args stats;

	ASSERT_EQ(NR_SLOTS - 1, pool_free(self->p.fd, self->ids,
					  NR_SLOTS - 1));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(PAGE, stats.out_bytes);
	EXPECT_EQ(0, pool_shrink(self->p.fd, NR_SLOTS));
	ASSERT_EQ(1, pool_free(self->p.fd, &self->ids[NR_SLOTS - 1], 1));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(PAGE, stats.out_bytes);
	EXPECT_EQ(NR_SLOTS, pool_shrink(self->p.fd, 1));
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(0, stats.out_bytes);
}

FIXTURE(create)
{
	int				dev;
	struct secbuf_info_args		info;
	struct secbuf_pool_create_args	args;
};

FIXTURE_SETUP(create)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, secbuf_info(self->dev, &self->info));
}

FIXTURE_TEARDOWN(create)
{
	close(self->dev);
}

TEST_F(create, slot_sizes_are_rounded_up)
{
	static const struct {
		__u64 asked, got;
	} sizes[] = {
		{ 1, 64 }, { 63, 64 }, { 64, 64 }, { 65, 128 }, { 100, 128 },
		{ 129, 256 }, { 4095, 4096 }, { 4096, 4096 }, { 4097, 8192 },
		{ 8 * MIB + 1, 16 * MIB }, { 16 * MIB, 16 * MIB },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, pool_create(self->dev, sizes[i].asked, 1,
					 &self->args));
		EXPECT_EQ(sizes[i].got, self->args.out_slot_size);
		EXPECT_LE(sizes[i].got, self->args.out_mmap_size);
		EXPECT_EQ(0, self->args.out_mmap_size % PAGE);
		EXPECT_EQ(sizes[i].asked, self->args.slot_size);
		close(self->args.out_fd);
	}
}

TEST_F(create, slot_size_0)
{
	EXPECT_EQ(-EINVAL, pool_create(self->dev, 0, 1, &self->args));
}

TEST_F(create, slot_size_above_max)
{
	static const __u64 sizes[] = {
		16 * MIB + 1, 1ULL << 32, (1ULL << 32) + 64, 1ULL << 63, ~0ULL,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-EINVAL, pool_create(self->dev, sizes[i], 1,
					       &self->args));
}

TEST_F(create, max_slots_default)
{
	ASSERT_EQ(0, pool_create(self->dev, 64, 0, &self->args));
	EXPECT_EQ(SECBUF_POOL_MAX_SLOTS_DEFAULT, self->args.out_max_slots);
	close(self->args.out_fd);
}

TEST_F(create, max_slots_ceiling)
{
	ASSERT_EQ(0, pool_create(self->dev, 64, SECBUF_LIMIT_CEILING,
				 &self->args));
	EXPECT_EQ(self->info.out_slots_max, self->args.out_max_slots);
	EXPECT_LE(self->args.out_mmap_size, self->info.out_pool_size_max);
	close(self->args.out_fd);
}

/* With large slots the ceiling is what the largest mapping holds. */
TEST_F(create, max_slots_ceiling_of_large_slots)
{
	ASSERT_EQ(0, pool_create(self->dev, 16 * MIB, SECBUF_LIMIT_CEILING,
				 &self->args));
	EXPECT_LE(self->args.out_mmap_size, self->info.out_pool_size_max);
	EXPECT_EQ(self->args.out_mmap_size,
		  self->args.out_max_slots * self->args.out_slot_size);
	EXPECT_LE(1, self->args.out_max_slots);
	close(self->args.out_fd);
}

TEST_F(create, max_slots_above_ceiling)
{
	EXPECT_EQ(-EINVAL, pool_create(self->dev, 64,
				       self->info.out_slots_max + 1,
				       &self->args));
}

TEST_F(create, limit_that_is_no_multiple_of_a_page)
{
	struct pool p;
	__u64 ids[8];

	ASSERT_EQ(0, pool_open(&p, self->dev, 64, 7));
	EXPECT_EQ(7, p.max_slots);
	EXPECT_EQ(7, pool_alloc(p.fd, ids, 8));
	EXPECT_EQ(-ENOSPC, pool_alloc(p.fd, ids + 7, 1));
	pool_close(&p);
}

/* A large slot, whole: zero, writable to its last byte, zero again. */
TEST_F(create, slot_of_16_mib)
{
	unsigned char *slot;
	struct pool p;
	__u64 id;

	ASSERT_EQ(0, pool_open(&p, self->dev, 16 * MIB, 1));
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(1, pool_alloc(p.fd, &id, 1));
		slot = pool_slot(&p, id);
		for (size_t i = 0; i < 16 * MIB; i += PAGE / 2) {
			EXPECT_EQ(0, slot[i]);
			slot[i] = 0xa5;
		}
		EXPECT_EQ(0, slot[16 * MIB - 1]);
		slot[16 * MIB - 1] = 0xa5;
		ASSERT_EQ(1, pool_free(p.fd, &id, 1));
	}
	pool_close(&p);
}

TEST_F(create, batch_bytes_max)
{
	__u64 max = self->info.out_batch_bytes_max, ids[64];
	__u64 size = 1 * MIB;
	struct pool p;
	int nr, done;

	while (max / size >= 32)
		size *= 2;
	nr = max / size + 2;
	if (size > 16 * MIB)
		SKIP(return, "out_batch_bytes_max is too large for this test");
	ASSERT_EQ(0, pool_open(&p, self->dev, size, nr));
	done = pool_alloc(p.fd, ids, nr);
	ASSERT_LE(1, done);
	EXPECT_LE(done * size, max < size ? size : max);
	EXPECT_GT(nr, done);
	while (done < nr) {
		int more = pool_alloc(p.fd, ids + done, nr - done);

		ASSERT_LE(1, more);
		done += more;
	}
	done = pool_free(p.fd, ids, nr);
	ASSERT_LE(1, done);
	EXPECT_LE(done * size, max < size ? size : max);
	EXPECT_GT(nr, done);
	pool_close(&p);
}

TEST_F(create, many_pools)
{
	struct secbuf_info_args info;
	struct pool pools[200];
	__u64 id;

	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, pool_open(&pools[i], self->dev, 64, 8));
		ASSERT_EQ(1, pool_alloc(pools[i].fd, &id, 1));
		memset(pool_slot(&pools[i], id), 1 + i, 64);
	}
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->info.out_nr_pools + 200, info.out_nr_pools);
	for (int i = 0; i < 200; i++) {
		EXPECT_EQ(1 + i, pool_slot(&pools[i], id)[63]);
		pool_close(&pools[i]);
	}
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->info.out_nr_pools, info.out_nr_pools);
	EXPECT_EQ(self->info.out_bytes, info.out_bytes);
}

FIXTURE(ceiling)
{
	int		dev;
	struct pool	p;
	__u64		bytes;
	char		old[32];
};

FIXTURE_VARIANT(ceiling)
{
	const char	*param;
	int		error;
};

FIXTURE_VARIANT_ADD(ceiling, user)
{
	.param = "max_user_bytes", .error = EDQUOT,
};

FIXTURE_VARIANT_ADD(ceiling, all_users)
{
	.param = "max_bytes", .error = ENOMEM,
};

#define CEILING_PAGES	16

FIXTURE_SETUP(ceiling)
{
	char value[32];

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, PAGE, 1024));
	self->bytes = secbuf_bytes(self->dev);
	snprintf(value, sizeof(value), "%llu",
		 self->bytes + CEILING_PAGES * PAGE);
	ASSERT_EQ(0, param_write(variant->param, value, self->old));
}

FIXTURE_TEARDOWN(ceiling)
{
	param_write(variant->param, self->old, NULL);
	pool_close(&self->p);
	close(self->dev);
}

TEST_F(ceiling, one_by_one)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[CEILING_PAGES + 1];
	int n, ret = 0;

	for (n = 0; n <= CEILING_PAGES; n++) {
		ret = pool_alloc(self->p.fd, &ids[n], 1);
		if (ret != 1)
			break;
	}
	EXPECT_EQ(-variant->error, ret);
	EXPECT_LE(1, n);
	EXPECT_LE(secbuf_bytes(self->dev), self->bytes + CEILING_PAGES * PAGE);
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));
	EXPECT_EQ(n, stats.out_in_use);
	EXPECT_EQ(1, stats.out_failures);

	/* What is given back can be had again. */
	ASSERT_EQ(1, pool_free(self->p.fd, ids, 1));
	EXPECT_EQ(1, pool_alloc(self->p.fd, ids, 1));
}

TEST_F(ceiling, batch)
{
	__u64 ids[2 * CEILING_PAGES];
	int n;

	n = pool_alloc(self->p.fd, ids, 2 * CEILING_PAGES);
	EXPECT_LE(1, n);
	EXPECT_GE(CEILING_PAGES, n);
	EXPECT_EQ(-variant->error, pool_alloc(self->p.fd, ids + n, 1));
}

/* A slot of several pages that does not fit leaves none of them behind. */
TEST_F(ceiling, slot_larger_than_what_is_left)
{
	struct secbuf_pool_create_args large;
	struct secbuf_pool_stats_args stats;
	__u64 id, bytes;

	ASSERT_EQ(0, pool_create(self->dev, 2 * CEILING_PAGES * PAGE, 1,
				 &large));
	bytes = secbuf_bytes(self->dev);
	EXPECT_EQ(-variant->error, pool_alloc(large.out_fd, &id, 1));
	EXPECT_EQ(bytes, secbuf_bytes(self->dev));
	ASSERT_EQ(0, pool_stats(large.out_fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(0, stats.out_bytes);
	close(large.out_fd);
}

/* Pools without slots cannot be had without end either. */
TEST_F(ceiling, pools)
{
	struct secbuf_pool_create_args args;
	int ret = 0;

	for (int n = 0; n < 500 && !ret; n++)
		ret = pool_create(self->dev, 64, 1, &args);
	EXPECT_EQ(-variant->error, ret);
}

/* A cgroup of its own for the test, limited. */
FIXTURE(memcg)
{
	int		dev;
	struct memcg	cg;
};

FIXTURE_SETUP(memcg)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, memcg_open(&self->cg));
}

FIXTURE_TEARDOWN(memcg)
{
	memcg_close(&self->cg);
	close(self->dev);
}

/* Pages granted in the cgroup are charged to it until they are given back. */
static int memcg_grant(void *arg)
{
	FIXTURE_DATA(memcg) *self = arg;
	const long nr = 1024;
	long start, granted, end;
	struct pool p;
	__u64 id;

	if (pool_open(&p, self->dev, PAGE, nr))
		return 1;
	start = file_number(self->cg.dir, "memory.current", "");
	for (int i = 0; i < nr; i++)
		if (pool_alloc(p.fd, &id, 1) != 1)
			return 2;
	granted = file_number(self->cg.dir, "memory.current", "");
	pool_close(&p);
	end = file_number(self->cg.dir, "memory.current", "");

	/* The kernel charges in batches of 64 pages for each CPU. */
	if (granted - start < (nr - 256) * (long)PAGE)
		return 3;
	return granted - end < (nr - 256) * (long)PAGE ? 4 : 0;
}

/* Grants until it fails; the error is the result. */
static int memcg_fill(void *arg)
{
	FIXTURE_DATA(memcg) *self = arg;
	struct pool p;
	__u64 id;
	int ret;

	if (pool_open(&p, self->dev, PAGE, 4096))
		return 1;
	do
		ret = pool_alloc(p.fd, &id, 1);
	while (ret == 1);
	return -ret;
}

/* What the kernel keeps about batches and slots is charged, too. */
static int memcg_fill_and_batch(void *arg)
{
	FIXTURE_DATA(memcg) *self = arg;
	struct pool p;
	__u64 ids[1024];
	long ret;

	memset(ids, POISON, sizeof(ids));
	if (pool_open(&p, self->dev, PAGE, 4096))
		return 1;
	while (pool_alloc(p.fd, ids, 1) == 1)
		continue;
	/* What could be freed for one page may do for some more. */
	do {
		ret = pool_alloc(p.fd, ids, ARRAY_SIZE(ids));
	} while (ret > 0);
	return -ret;
}

static int memcg_fill_and_create(void *arg)
{
	FIXTURE_DATA(memcg) *self = arg;
	struct secbuf_pool_create_args args;

	if (memcg_fill(self) != ENOMEM)
		return 1;
	return -pool_create(self->dev, 64, SECBUF_LIMIT_CEILING, &args);
}

TEST_F(memcg, charged_and_uncharged)
{
	if (access(self->cg.dir, F_OK) ||
	    file_number(self->cg.dir, "memory.current", "") < 0)
		SKIP(return, "no memory controller");
	EXPECT_EQ(0, memcg_run(&self->cg, memcg_grant, self));
}

/* The limit is an error of the call: nobody is killed. */
TEST_F(memcg, limit)
{
	if (file_write(self->cg.dir, "memory.max", "4M"))
		SKIP(return, "no memory controller");
	EXPECT_EQ(ENOMEM, memcg_run(&self->cg, memcg_fill, self));
	EXPECT_EQ(0, file_number(self->cg.dir, "memory.events", "oom_kill "));
}

TEST_F(memcg, limit_reached_by_a_batch)
{
	if (file_write(self->cg.dir, "memory.max", "4M"))
		SKIP(return, "no memory controller");
	EXPECT_EQ(ENOMEM, memcg_run(&self->cg, memcg_fill_and_batch, self));
	EXPECT_EQ(0, file_number(self->cg.dir, "memory.events", "oom_kill "));
}

TEST_F(memcg, limit_reached_by_a_pool)
{
	if (file_write(self->cg.dir, "memory.max", "4M"))
		SKIP(return, "no memory controller");
	EXPECT_EQ(ENOMEM, memcg_run(&self->cg, memcg_fill_and_create, self));
	EXPECT_EQ(0, file_number(self->cg.dir, "memory.events", "oom_kill "));
}

/* Children allocate, write and free, and are killed wherever they are. */
TEST_F(create, children_killed_at_work)
{
	const struct timespec ms = { .tv_nsec = 20 * 1000 * 1000 };
	struct secbuf_info_args info;
	struct pool p;
	pid_t pids[4];
	__u64 ids[8];
	int status;

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++) {
			pids[i] = fork();
			ASSERT_LE(0, pids[i]);
			if (pids[i])
				continue;
			if (pool_open(&p, self->dev, 256 << 2 * i, 8))
				_exit(1);
			while (pool_alloc(p.fd, ids, 8) == 8) {
				memset(pool_slot(&p, ids[3]), 0xa5, 256);
				if (pool_free(p.fd, ids, 8) != 8)
					_exit(3);
			}
			_exit(2);
		}
		nanosleep(&ms, NULL);
		for (int i = 0; i < 4; i++)
			kill(pids[i], SIGKILL);
		for (int i = 0; i < 4; i++) {
			ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
			EXPECT_EQ(SIGKILL, status);
		}
	}
	EXPECT_EQ(self->info.out_bytes,
		  bytes_settled(self->dev, self->info.out_bytes));
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->info.out_nr_pools, info.out_nr_pools);
}

TEST_HARNESS_MAIN
