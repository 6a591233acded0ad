// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Slots: whatever is freed that must not be, and memory of the library that the
 * program writes.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include "../src/cache.h"
#include "device.h"

#define NR_BUFS		64
#define BUF_SIZE	256

FIXTURE(slots) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
};

FIXTURE_SETUP(slots)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
}

FIXTURE_TEARDOWN(slots)
{
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

static struct secbuf_cache *cache_of(struct secbuf_pool *pool)
{
	return secbuf_thread_self->caches[pool->hot.index];
}

/* Several of each, as one can be by chance. */
TEST_F(slots, aligned)
{
	struct secbuf_pool_opts opts = CACHED_OPTS(0, 8);
	struct secbuf_pool *pools[16];
	size_t size, i;
	void *ptr;

	for (size = 4096; size <= 1 << 20; size *= 2) {
		opts.buf_size = size;
		for (i = 0; i < ARRAY_SIZE(pools); i++) {
			ASSERT_EQ(0, secbuf_pool_open(&pools[i], self->ctx,
						      &opts));
			ASSERT_EQ(0, secbuf_pool_alloc(pools[i], &ptr));
			EXPECT_EQ(0, (uintptr_t)ptr % size);
		}
		for (i = 0; i < ARRAY_SIZE(pools); i++)
			secbuf_pool_close(pools[i]);
	}
}

TEST_F(slots, whole_slot_is_zeroized)
{
	static const size_t sizes[] = { 64, 128, 256, 512, 4096, 8192, 16384,
					65536, 1 << 20, 2 << 20 };
	struct secbuf_pool_opts opts = CACHED_OPTS(0, 8);
	struct secbuf_pool *pool;
	unsigned char *a, *b;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		opts.buf_size = sizes[i];
		ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
		ASSERT_EQ(0, secbuf_pool_alloc(pool, (void **)&a));
		EXPECT_EQ(0, (uintptr_t)a % sizes[i]);
		memset(a, 0xa5, sizes[i]);
		ASSERT_EQ(0, secbuf_pool_free(pool, a));
		ASSERT_EQ(0, secbuf_pool_alloc(pool, (void **)&b));
		EXPECT_TRUE(is_zero(b, sizes[i]));
		if (sizes[i] <= 1 << 20)
			EXPECT_EQ(a, b);
		memset(b, 0xa5, sizes[i]);
		ASSERT_EQ(1, secbuf_pool_free_batch(pool, (void **)&b, 1));
		ASSERT_EQ(1, secbuf_pool_alloc_batch(pool, (void **)&b, 1));
		EXPECT_TRUE(is_zero(b, sizes[i]));
		secbuf_pool_close(pool);
	}
}

/* What a source takes back is zeroized as far as it was written. */
TEST_F(slots, source_zeroizes_what_is_dirty)
{
	static const size_t dirty[] = { 0, 1, 63, 64, 65, 200, 256, 257, 1000,
					4096, 100000 };
	struct secbuf_pool_opts opts = CACHED_OPTS(4096, 8);
	struct secbuf_source *source;
	struct secbuf_pool *pool;
	void *slot = &opts;
	size_t i, got = 7;

	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(NULL, secbuf_pool_source(NULL));
	source = secbuf_pool_source(pool);
	EXPECT_EQ(-EMSGSIZE, source->ops->alloc(source, 4097, &slot, &got));
	EXPECT_EQ((void *)&opts, slot);
	EXPECT_EQ(7, got);
	for (i = 0; i < ARRAY_SIZE(dirty); i++) {
		ASSERT_EQ(0, source->ops->alloc(source, 1, &slot, &got));
		EXPECT_EQ(4096, got);
		EXPECT_TRUE(is_zero(slot, 4096));
		memset(slot, 0xa5, dirty[i] < 4096 ? dirty[i] : 4096);
		source->ops->free(source, slot, dirty[i]);
	}
	ASSERT_EQ(0, source->ops->alloc(source, 4096, &slot, &got));
	EXPECT_TRUE(is_zero(slot, 4096));
	source->ops->free(source, slot, 0);
	secbuf_pool_close(pool);
}

TEST_F(slots, freed_twice)
{
	void *a, *b, *again[2];

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &a));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &b));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, a));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, a));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, b));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, a));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, b));
	again[0] = a;
	EXPECT_EQ(-ENOENT, secbuf_pool_free_batch(self->pool, again, 1));
	/* And after the kernel has it again. */
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, a));
	ASSERT_EQ(2, secbuf_pool_alloc_batch(self->pool, again, 2));
	again[1] = again[0];
	EXPECT_EQ(1, secbuf_pool_free_batch(self->pool, again, 2));
}

static void *free_it(void *arg)
{
	void **what = arg;

	return (void *)(intptr_t)secbuf_pool_free(what[0], what[1]);
}

TEST_F(slots, freed_twice_by_two_threads)
{
	void *what[2] = { self->pool, NULL }, *ret;
	pthread_t thread;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &what[1]));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, what[1]));
	ASSERT_EQ(0, pthread_create(&thread, NULL, free_it, what));
	pthread_join(thread, &ret);
	EXPECT_EQ(-ENOENT, (intptr_t)ret);

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &what[1]));
	ASSERT_EQ(0, pthread_create(&thread, NULL, free_it, what));
	pthread_join(thread, &ret);
	EXPECT_EQ(0, (intptr_t)ret);
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, what[1]));
}

TEST_F(slots, not_a_slot_of_this_pool)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);
	struct secbuf_pool *other;
	unsigned char *a, *b;
	uintptr_t bit;
	void *wrong;

	ASSERT_EQ(0, secbuf_pool_open(&other, self->ctx, &opts));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, (void **)&a));
	ASSERT_EQ(0, secbuf_pool_alloc(other, (void **)&b));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, b));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(other, a));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, &a));
	for (bit = 1; bit < BUF_SIZE; bit <<= 1)
		EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, a + bit));
	/* Nowhere does a wrong pointer become a right one. */
	for (bit = (uintptr_t)1 << 63; bit > NR_BUFS * BUF_SIZE; bit >>= 1) {
		wrong = (void *)((uintptr_t)a + bit);
		EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, wrong));
	}
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, a + BUF_SIZE *
					    (NR_BUFS - 1)));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, a + BUF_SIZE * NR_BUFS));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, a - BUF_SIZE));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, a));
	EXPECT_EQ(0, secbuf_pool_free(other, b));
	secbuf_pool_close(other);
}

/* More pools than there are places for caches. */
TEST_F(slots, many_pools)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(64, 4);
	struct secbuf_pool *pools[20];
	void *buf;
	size_t i;

	/* The places are taken. */
	ASSERT_TRUE(secbuf_thread_lock());
	while (secbuf_thread_add_pool(self->pool))
		;
	secbuf_thread_unlock();
	for (i = 0; i < ARRAY_SIZE(pools); i++) {
		ASSERT_EQ(0, secbuf_pool_open(&pools[i], self->ctx, &opts));
		EXPECT_EQ(0, pools[i]->hot.index);
		ASSERT_EQ(0, secbuf_pool_alloc(pools[i], &buf));
		memset(buf, 0xa5, 64);
		EXPECT_EQ(0, secbuf_pool_free(pools[i], buf));
		EXPECT_EQ(-ENOENT, secbuf_pool_free(pools[i], buf));
		EXPECT_EQ(0, granted(pools[i]));
	}
	for (i = 0; i < ARRAY_SIZE(pools); i++)
		secbuf_pool_close(pools[i]);
	ASSERT_TRUE(secbuf_thread_lock());
	for (i = 1; i < SECBUF_THREAD_POOLS; i++)
		if (i != self->pool->hot.index)
			secbuf_thread_remove_pool(i);
	secbuf_thread_unlock();
}

/* A slot that is out does not come out again, whatever the lists say. */
TEST_F(slots, lists_say_that_one_is_parked_that_is_out)
{
	struct secbuf_cache *cache;
	void *a, *b, *bufs[4];
	int i;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &a));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &b));
	ASSERT_EQ(0, secbuf_pool_free(self->pool, b));
	cache = cache_of(self->pool);
	ASSERT_NE(NULL, cache);
	ASSERT_EQ(b, cache->last.slot);
	cache->last.slot = a;
	cache->last.state = secbuf_pool_states(self->pool) +
			    secbuf_cache_id(cache, a);
	for (i = 0; i < 8; i++)
		cache->magazines[0].slots[i] = cache->last;
	cache->magazines[0].nr = 8;
	memset(a, 0xa5, BUF_SIZE);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &bufs[i]));
		EXPECT_NE(a, bufs[i]);
		EXPECT_TRUE(is_zero(bufs[i], BUF_SIZE));
	}
	cache->magazines[0].slots[0].slot = a;
	cache->magazines[0].nr = 1;
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, a));
}

struct scribble {
	struct secbuf_pool *pool;
	unsigned int seed;
};

/* What a program does to its own lists may kill it, and harms nobody else. */
static int scribble(struct scribble *args)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);
	unsigned char *bytes;
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	void *buf;
	int i;

	alarm(10);
	close(STDERR_FILENO);	/* nobody needs to read how it died */
	if (secbuf_open(&ctx, NULL) || secbuf_pool_open(&pool, ctx, &opts) ||
	    secbuf_pool_alloc(pool, &buf) || secbuf_pool_free(pool, buf))
		return 0;
	bytes = (unsigned char *)cache_of(pool);
	for (i = 0; i < 64; i++)
		bytes[SECBUF_CACHE_COLOUR + rand_r(&args->seed) % 512] =
			rand_r(&args->seed);
	for (i = 0; i < 100; i++)
		if (!secbuf_pool_alloc(pool, &buf))
			secbuf_pool_free(pool, buf);
	secbuf_pool_flush(pool);
	secbuf_pool_close(pool);
	return 0;
}

TEST_F(slots, lists_overwritten)
{
	struct scribble args = { .pool = self->pool };
	struct secbuf_info_args before, after;
	void *buf;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	memset(buf, 0xa5, BUF_SIZE);
	ASSERT_EQ(0, secbuf_get_info(self->ctx, &before));
	for (args.seed = 1; args.seed < 30; args.seed++)
		in_child(scribble, &args);
	ASSERT_EQ(0, secbuf_get_info(self->ctx, &after));
	EXPECT_EQ(before.out_bytes, after.out_bytes);
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
	EXPECT_EQ(0xa5, *(unsigned char *)buf);
	EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
}

TEST_F(slots, prefill)
{
	void *bufs[NR_BUFS];
	int i;

	EXPECT_EQ(-EINVAL, secbuf_pool_prefill(NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_pool_prefill(self->pool, -1));
	EXPECT_EQ(0, secbuf_pool_prefill(self->pool, 0));
	EXPECT_EQ(NR_BUFS, secbuf_pool_prefill(self->pool, NR_BUFS));
	EXPECT_EQ(NR_BUFS / 2 - 1, granted(self->pool));
	EXPECT_EQ(NR_BUFS, secbuf_pool_prefill(self->pool, 10 * NR_BUFS));
	EXPECT_EQ(NR_BUFS, secbuf_pool_alloc_batch(self->pool, bufs, NR_BUFS));
	for (i = 0; i < NR_BUFS; i++)
		EXPECT_TRUE(is_zero(bufs[i], BUF_SIZE));
	EXPECT_EQ(-ENOSPC, secbuf_pool_prefill(self->pool, 1));
	EXPECT_EQ(NR_BUFS, secbuf_pool_free_batch(self->pool, bufs, NR_BUFS));
	EXPECT_LE(0, secbuf_pool_shrink(self->pool, NR_BUFS));
	EXPECT_EQ(0, granted(self->pool));
	EXPECT_EQ(-EINVAL, secbuf_pool_shrink(self->pool, -1));
	EXPECT_EQ(-EINVAL, secbuf_pool_shrink(NULL, 1));
	EXPECT_EQ(0, secbuf_pool_shrink(self->pool, 0));
}

TEST_F(slots, ids)
{
	uint64_t id = 77;
	void *a, *b;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &a));
	EXPECT_EQ(-EINVAL, secbuf_pool_id(self->pool, &id, &id));
	EXPECT_EQ(77, id);
	EXPECT_EQ(-EINVAL, secbuf_pool_id(self->pool, (char *)a + 1, &id));
	EXPECT_EQ(-EINVAL, secbuf_pool_id(NULL, a, &id));
	EXPECT_EQ(-EINVAL, secbuf_pool_id(self->pool, a, NULL));
	EXPECT_EQ(0, secbuf_pool_id(self->pool, a, &id));
	EXPECT_EQ(0, secbuf_pool_at(self->pool, id, &b));
	EXPECT_EQ(a, b);
	EXPECT_EQ(-EINVAL, secbuf_pool_at(self->pool, NR_BUFS, &b));
	EXPECT_EQ(NULL, b);
	EXPECT_EQ(-EINVAL, secbuf_pool_at(self->pool, UINT64_MAX, &b));
	EXPECT_EQ(-EINVAL, secbuf_pool_at(NULL, 0, &b));
	EXPECT_EQ(-EINVAL, secbuf_pool_at(self->pool, 0, NULL));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, a));
}

TEST_F(slots, scopes)
{
	unsigned int before = granted(self->pool);
	struct secbuf_pool *seen;

	{
		SECBUF_SCOPED_BUF struct secbuf_scoped_buf key = {
			self->pool, NULL,
		};
		SECBUF_SCOPED_HEAP struct secbuf_heap *heap = NULL;

		ASSERT_EQ(0, secbuf_pool_alloc(key.pool, &key.buf));
		ASSERT_EQ(0, secbuf_heap_open(&heap, self->ctx, NULL));
		{
			SECBUF_SCOPED_MEMORY struct secbuf_scoped_memory m = {
				heap, NULL,
			};

			ASSERT_EQ(0, secbuf_heap_alloc(heap, 1, &m.ptr));
		}
	}
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(before, granted(self->pool));
	{
		struct secbuf_context *ctx SECBUF_SCOPED_CONTEXT = NULL;
		struct secbuf_pool *pool SECBUF_SCOPED_POOL = NULL;

		ASSERT_EQ(0, secbuf_open(&ctx, NULL));
		ASSERT_EQ(0, secbuf_pool_open(&pool, ctx, NULL));
		seen = pool;
	}
	EXPECT_EQ(SIGSEGV, probe(seen));
}

#ifdef FAKE

static bool pressed(struct secbuf_pool *pool)
{
	return granted(pool) == 0;
}

/* The kernel asks for memory: the next free gives back what is at hand. */
TEST_F(slots, pressure)
{
	void *bufs[8], *buf;
	int i;

	ASSERT_EQ(8, secbuf_pool_alloc_batch(self->pool, bufs, 8));
	for (i = 0; i < 7; i++)
		EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
	EXPECT_FALSE(pressed(self->pool));
	fake_press(secbuf_pool_fd(self->pool));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[7]));
	EXPECT_TRUE(pressed(self->pool));
	/* It has been heard. */
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
	EXPECT_FALSE(pressed(self->pool));
	/* By batches, too. */
	ASSERT_EQ(2, secbuf_pool_alloc_batch(self->pool, bufs, 2));
	fake_press(secbuf_pool_fd(self->pool));
	EXPECT_EQ(2, secbuf_pool_free_batch(self->pool, bufs, 2));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, NULL));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
	EXPECT_EQ(1, granted(self->pool) != 0);
}

/* Without memory everything that is at hand anywhere goes, then it fails. */
TEST_F(slots, no_memory)
{
	static const int errors[] = { ENOMEM, EDQUOT };
	const struct secbuf_pool_opts opts = CACHED_OPTS(64, NR_BUFS);
	struct secbuf_pool *other;
	void *buf;
	size_t i;

	ASSERT_EQ(0, secbuf_pool_open(&other, self->ctx, &opts));
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		EXPECT_EQ(NR_BUFS, secbuf_pool_prefill(other, NR_BUFS));
		EXPECT_LT(0, granted(other));
		EXPECT_EQ(0, secbuf_pool_flush(self->pool));
		fake.err = errors[i];
		fake.err_nr = 1;
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
		EXPECT_EQ(0, granted(other));
		EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
		EXPECT_EQ(0, secbuf_pool_flush(self->pool));
		fake.err_nr = 2;
		EXPECT_EQ(-errors[i], secbuf_pool_alloc(self->pool, &buf));
		EXPECT_EQ(NULL, buf);
	}
	fake_reset();
	secbuf_pool_close(other);
}

#endif

TEST_HARNESS_MAIN
