// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Heap: every size, every alignment, and memory that grows.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include "device.h"

FIXTURE(heap) {
	struct secbuf_context *ctx;
	struct secbuf_heap *heap;
};

FIXTURE_SETUP(heap)
{
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_heap_open(&self->heap, self->ctx, NULL));
}

FIXTURE_TEARDOWN(heap)
{
	secbuf_heap_close(self->heap);
	secbuf_close(self->ctx);
}

static size_t rounded(size_t size)
{
	size_t to = 64;

	while (to < size)
		to *= 2;
	return to;
}

TEST_F(heap, opts)
{
	struct secbuf_heap_opts opts = { .sz = sizeof(opts) };
	struct secbuf_heap *heap;
	void *ptr = &opts;

	EXPECT_EQ(-EINVAL, secbuf_heap_open(NULL, self->ctx, NULL));
	EXPECT_EQ(-EINVAL, secbuf_heap_open(&heap, NULL, NULL));
	EXPECT_EQ(NULL, heap);
	opts.max = SECBUF_HEAP_SIZE_MAX - 1;
	EXPECT_EQ(-EINVAL, secbuf_heap_open(&heap, self->ctx, &opts));
	opts.max = SIZE_MAX;
	EXPECT_EQ(-EINVAL, secbuf_heap_open(&heap, self->ctx, &opts));
	opts.max = 0;
	opts.flags = SECBUF_POOL_PASSABLE;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_heap_open(&heap, self->ctx, &opts));
	opts.flags = 0;
	opts.reserved = 1;
	EXPECT_EQ(-EINVAL, secbuf_heap_open(&heap, self->ctx, &opts));
	opts.reserved = 0;
	opts.require_protections = 1ULL << 63;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_heap_open(&heap, self->ctx, &opts));
	EXPECT_EQ(NULL, heap);

	secbuf_heap_close(NULL);
	EXPECT_EQ(-EINVAL, secbuf_heap_alloc(NULL, 1, &ptr));
	EXPECT_EQ(NULL, ptr);
	EXPECT_EQ(-EINVAL, secbuf_heap_alloc(self->heap, 1, NULL));
	EXPECT_EQ(-EINVAL, secbuf_heap_free(NULL, &opts));
	EXPECT_EQ(0, secbuf_heap_free(NULL, NULL));
	EXPECT_EQ(-EINVAL, secbuf_heap_realloc(self->heap, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_heap_flush(NULL));
	EXPECT_EQ(-EINVAL, secbuf_heap_get_stats(self->heap, NULL));
	EXPECT_EQ(0, secbuf_heap_usable_size(NULL, NULL));
	EXPECT_EQ(NULL, secbuf_heap_source(NULL));
}

TEST_F(heap, all_sizes)
{
	struct secbuf_pool_stats_args stats;
	void *ptr;
	size_t size;
	int around;

	for (size = 64; size <= SECBUF_HEAP_SIZE_MAX; size *= 2) {
		for (around = -1; around <= 1; around++) {
			if (size + around > SECBUF_HEAP_SIZE_MAX)
				break;
			ASSERT_EQ(0, secbuf_heap_alloc(self->heap,
						       size + around, &ptr));
			EXPECT_EQ(rounded(size + around),
				  secbuf_heap_usable_size(self->heap, ptr));
			EXPECT_EQ(0, (uintptr_t)ptr % rounded(size + around));
			EXPECT_TRUE(is_zero(ptr, size + around));
			memset(ptr, 0xa5, size + around);
			EXPECT_EQ(0, secbuf_heap_free(self->heap, ptr));
			EXPECT_EQ(-ENOENT, secbuf_heap_free(self->heap, ptr));
			EXPECT_EQ(0, secbuf_heap_usable_size(self->heap, ptr));
		}
	}
	EXPECT_EQ(-EINVAL, secbuf_heap_alloc(self->heap, 0, &ptr));
	EXPECT_EQ(NULL, ptr);
	EXPECT_EQ(-EMSGSIZE, secbuf_heap_alloc(self->heap,
					       SECBUF_HEAP_SIZE_MAX + 1, &ptr));
	EXPECT_EQ(-EMSGSIZE, secbuf_heap_alloc(self->heap, SIZE_MAX, &ptr));
	EXPECT_EQ(0, secbuf_heap_flush(self->heap));
	ASSERT_EQ(0, secbuf_heap_get_stats(self->heap, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(3 * 19 - 1, stats.out_acquired);
	EXPECT_EQ(3 * 19 - 1, stats.out_returned);
}

TEST_F(heap, foreign_memory)
{
	struct secbuf_heap *other;
	char *ptr, local;

	ASSERT_EQ(0, secbuf_heap_open(&other, self->ctx, NULL));
	ASSERT_EQ(0, secbuf_heap_alloc(self->heap, 1000, (void **)&ptr));
	EXPECT_EQ(-EINVAL, secbuf_heap_free(other, ptr));
	EXPECT_EQ(-EINVAL, secbuf_heap_free(self->heap, &local));
	EXPECT_EQ(-EINVAL, secbuf_heap_free(self->heap, ptr + 64));
	EXPECT_EQ(-EINVAL, secbuf_heap_free(self->heap, ptr + (1UL << 27)));
	EXPECT_EQ(-EINVAL, secbuf_heap_free(self->heap, ptr - (1UL << 27)));
	EXPECT_EQ(0, secbuf_heap_usable_size(self->heap, ptr + 1));
	EXPECT_EQ(0, secbuf_heap_usable_size(other, ptr));
	EXPECT_EQ(0, secbuf_heap_free(self->heap, ptr));
	secbuf_heap_close(other);
}

TEST_F(heap, alignment)
{
	size_t align;
	void *a, *b;

	for (align = 1; align <= SECBUF_HEAP_SIZE_MAX; align *= 2) {
		ASSERT_EQ(0, secbuf_heap_aligned_alloc(self->heap, align, 100,
						       &a));
		ASSERT_EQ(0, secbuf_heap_aligned_alloc(self->heap, align, 100,
						       &b));
		EXPECT_EQ(0, (uintptr_t)a % align);
		EXPECT_EQ(0, (uintptr_t)b % align);
		EXPECT_EQ(0, secbuf_heap_free(self->heap, a));
		EXPECT_EQ(0, secbuf_heap_free(self->heap, b));
	}
	EXPECT_EQ(-EINVAL, secbuf_heap_aligned_alloc(self->heap, 0, 1, &a));
	EXPECT_EQ(NULL, a);
	EXPECT_EQ(-EINVAL, secbuf_heap_aligned_alloc(self->heap, 48, 1, &a));
	EXPECT_EQ(-EINVAL, secbuf_heap_aligned_alloc(self->heap, align, 1, &a));
	EXPECT_EQ(-EINVAL, secbuf_heap_aligned_alloc(self->heap, 64, 0, &a));
	EXPECT_EQ(-EINVAL, secbuf_heap_aligned_alloc(NULL, 64, 1, &a));
}

static void fill(unsigned char *bytes, size_t from, size_t to)
{
	for (; from < to; from++)
		bytes[from] = from * 7 + (from >> 8);
}

static bool filled(const unsigned char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != (unsigned char)(i * 7 + (i >> 8)))
			return false;
	return true;
}

TEST_F(heap, grows_and_shrinks)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 100, 129, 1000, 4097,
		100000, 1 << 20, (1 << 20) + 1, 3 << 20, 1 << 24, 12 << 20,
		1 << 20, 70000, 4000, 3000, 2049, 100, 64, 33, 1 };
	void *ptr = NULL, *before;
	size_t i, size = 0, kept;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		before = ptr;
		ASSERT_EQ(0, secbuf_heap_realloc(self->heap, &ptr, sizes[i]));
		kept = size < sizes[i] ? size : sizes[i];
		EXPECT_TRUE(filled(ptr, kept));
		EXPECT_TRUE(is_zero((char *)ptr + kept, sizes[i] - kept));
		if (before && before != ptr)
			EXPECT_EQ(-ENOENT, secbuf_heap_free(self->heap,
							    before));
		if (before && rounded(size) == rounded(sizes[i]))
			EXPECT_EQ(before, ptr);
		size = sizes[i];
		fill(ptr, 0, size);
	}
	EXPECT_EQ(-EINVAL, secbuf_heap_realloc(self->heap, &ptr, 0));
	EXPECT_EQ(-EMSGSIZE, secbuf_heap_realloc(self->heap, &ptr,
						 SECBUF_HEAP_SIZE_MAX + 1));
	EXPECT_TRUE(filled(ptr, 1));
	EXPECT_EQ(0, secbuf_heap_free(self->heap, ptr));
	before = ptr;
	EXPECT_EQ(-ENOENT, secbuf_heap_realloc(self->heap, &ptr, 100));
	EXPECT_EQ(before, ptr);
	ptr = &size;
	EXPECT_EQ(-EINVAL, secbuf_heap_realloc(self->heap, &ptr, 100));
}

/* What shrinks in place leaves nothing behind. */
TEST_F(heap, shrinks_in_place)
{
	unsigned char *ptr;

	ASSERT_EQ(0, secbuf_heap_alloc(self->heap, 1024, (void **)&ptr));
	memset(ptr, 0xa5, 1024);
	ASSERT_EQ(0, secbuf_heap_realloc(self->heap, (void **)&ptr, 600));
	EXPECT_EQ(0xa5, ptr[599]);
	EXPECT_TRUE(is_zero(ptr + 600, 424));
	EXPECT_EQ(0, secbuf_heap_free(self->heap, ptr));
}

TEST_F(heap, full)
{
	struct secbuf_heap_opts opts = {
		.sz = sizeof(opts), .max = SECBUF_HEAP_SIZE_MAX,
	};
	struct secbuf_heap *heap;
	void *ptrs[4], *more;
	int i;

	ASSERT_EQ(0, secbuf_heap_open(&heap, self->ctx, &opts));
	/* Two of 8 MiB, and one of the class of 16 MiB. */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, secbuf_heap_alloc(heap, 8 << 20, &ptrs[i]));
	EXPECT_EQ(SECBUF_HEAP_SIZE_MAX, secbuf_heap_usable_size(heap, ptrs[2]));
	EXPECT_EQ(-ENOSPC, secbuf_heap_alloc(heap, 8 << 20, &more));
	EXPECT_EQ(NULL, more);
	EXPECT_EQ(0, secbuf_heap_free(heap, ptrs[0]));
	EXPECT_EQ(0, secbuf_heap_alloc(heap, 8 << 20, &ptrs[0]));
	secbuf_heap_close(heap);
}

TEST_F(heap, source)
{
	struct secbuf_source *source = secbuf_heap_source(self->heap);
	void *a, *b;
	size_t got;

	ASSERT_EQ(0, source->ops->alloc(source, 100, &a, &got));
	EXPECT_EQ(128, got);
	memset(a, 0xa5, 100);
	source->ops->free(source, a, 100);
	ASSERT_EQ(0, source->ops->alloc(source, 128, &b, &got));
	EXPECT_TRUE(is_zero(b, 128));
	source->ops->free(source, b, 0);
	EXPECT_EQ(-EMSGSIZE, source->ops->alloc(source, SIZE_MAX, &b, &got));
}

#define NR_THREADS	4
#define ROUNDS		3000

static void *churn(void *arg)
{
	struct secbuf_heap *heap = arg;
	unsigned int seed = (uintptr_t)&seed;
	unsigned char *ptrs[8] = { NULL };
	uintptr_t failures = 0;
	size_t size;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		j = rand_r(&seed) % 8;
		size = 1 + (rand_r(&seed) % 4096 >> rand_r(&seed) % 12);
		if (ptrs[j] && i % 3) {
			failures += ptrs[j][0] != (unsigned char)(j + 1);
			failures += secbuf_heap_free(heap, ptrs[j]) != 0;
			ptrs[j] = NULL;
		} else {
			failures += secbuf_heap_realloc(heap,
							(void **)&ptrs[j],
							size) != 0;
			failures += ptrs[j][0] && ptrs[j][0] != j + 1;
			ptrs[j][0] = j + 1;
		}
	}
	for (j = 0; j < 8; j++)
		failures += secbuf_heap_free(heap, ptrs[j]) != 0;
	return (void *)failures;
}

TEST_F(heap, threads)
{
	struct secbuf_pool_stats_args stats;
	pthread_t threads[NR_THREADS];
	void *failures;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churn,
					    self->heap));
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &failures);
		EXPECT_EQ(NULL, failures);
	}
	ASSERT_EQ(0, secbuf_heap_get_stats(self->heap, &stats));
	EXPECT_EQ(0, stats.out_in_use);
}

TEST_HARNESS_MAIN
