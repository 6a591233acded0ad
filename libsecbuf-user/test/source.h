/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A source of memory for tests: from malloc(), by size classes as a heap, refuses
 * when told to, and remembers every block that it got back, to be searched. It
 * trusts nobody: only what a buffer says is dirty gets zeroized.
 */
#ifndef SECBUF_TEST_SOURCE_H
#define SECBUF_TEST_SOURCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <secbuf.h>

#define TEST_SOURCE_MIN		64

struct test_block {
	struct test_block *next;
	unsigned char *bytes;
	size_t size;
	bool live;
};

/**
 * struct test_source - the source
 * @source: what buffers see
 * @lock: protects what follows
 * @blocks: all that were ever allocated
 * @nr_live: those that are out
 * @nr_allocs: how many there have been
 * @fail_at: number of the allocation from which on all fail; -1 for none
 * @err: what they return then
 * @exact: gives just what was asked for, so that a sanitizer sees every byte
 *         too far
 */
struct test_source {
	struct secbuf_source source;
	pthread_mutex_t lock;
	struct test_block *blocks;
	int nr_live;
	int nr_allocs;
	int fail_at;
	int err;
	bool exact;
};

static inline size_t test_source_round(const struct test_source *src,
				       size_t size)
{
	size_t got = TEST_SOURCE_MIN;

	if (src->exact)
		return size;
	while (got < size)
		got *= 2;
	return got;
}

static inline int test_source_alloc(struct secbuf_source *source, size_t size,
				    void **out, size_t *got)
{
	struct test_source *src = (struct test_source *)source;
	struct test_block *block;
	int err = 0;

	pthread_mutex_lock(&src->lock);
	if (!size)
		abort();
	if (src->fail_at >= 0 && src->nr_allocs >= src->fail_at) {
		err = src->err;
	} else {
		block = calloc(1, sizeof(*block));
		block->size = test_source_round(src, size);
		block->bytes = calloc(1, block->size);
		if (!block->bytes)
			abort();
		block->live = true;
		block->next = src->blocks;
		src->blocks = block;
		src->nr_live++;
		*out = block->bytes;
		*got = block->size;
	}
	src->nr_allocs++;
	pthread_mutex_unlock(&src->lock);
	return err;
}

static inline void test_source_free(struct secbuf_source *source, void *ptr,
				    size_t dirty)
{
	struct test_source *src = (struct test_source *)source;
	struct test_block *block;

	pthread_mutex_lock(&src->lock);
	for (block = src->blocks; block; block = block->next)
		if (block->live && block->bytes == ptr)
			break;
	if (!block || dirty > block->size)
		abort();
	memset(block->bytes, 0, dirty);
	block->live = false;
	src->nr_live--;
	pthread_mutex_unlock(&src->lock);
}

static const struct secbuf_source_ops test_source_ops = {
	.alloc = test_source_alloc,
	.free = test_source_free,
};

static inline void test_source_init(struct test_source *src)
{
	memset(src, 0, sizeof(*src));
	src->source.ops = &test_source_ops;
	pthread_mutex_init(&src->lock, NULL);
	src->fail_at = -1;
	src->err = -EDQUOT;
}

/* From now on there is nothing to be had. */
static inline void test_source_refuse(struct test_source *src, int err)
{
	src->fail_at = 0;
	src->err = err;
}

static inline void test_source_allow(struct test_source *src)
{
	src->fail_at = -1;
}

/* Are the bytes in any block that is out, or was? */
static inline bool test_source_holds(struct test_source *src, const void *bytes,
				     size_t n)
{
	struct test_block *block;

	for (block = src->blocks; block; block = block->next)
		if (memmem(block->bytes, block->size, bytes, n))
			return true;
	return false;
}

/* Is every block that came back zero? */
static inline bool test_source_clean(struct test_source *src)
{
	struct test_block *block;
	size_t i;

	for (block = src->blocks; block; block = block->next)
		for (i = 0; !block->live && i < block->size; i++)
			if (block->bytes[i])
				return false;
	return true;
}

/* Returns how many blocks were still out. */
static inline int test_source_exit(struct test_source *src)
{
	struct test_block *block, *next;
	int nr = src->nr_live;

	for (block = src->blocks; block; block = next) {
		next = block->next;
		free(block->bytes);
		free(block);
	}
	src->blocks = NULL;
	return nr;
}

#endif /* SECBUF_TEST_SOURCE_H */
