// SPDX-License-Identifier: GPL-2.0
/*
 * The heap: its classes, its limits, and that its pools get back zeroized what
 * buffers wrote.
 */
#include "heap.h"

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "buf.h"
#include "fixture.h"

static void close_heap(void *heap)
{
	secbuf_heap_close(heap);
}

static struct secbuf_heap *heap_new(struct kunit *test, gfp_t gfp,
				    unsigned int max)
{
	const struct secbuf_heap_params params = { .gfp = gfp, .max = max };
	struct secbuf_heap *heap = secbuf_heap_open(&params);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, close_heap, heap));
	return heap;
}

/* Each size gets the smallest class that has room for it and the pointer. */
static void classes_test(struct kunit *test)
{
	struct secbuf_heap *heap = heap_new(test, 0, 0);
	struct secbuf_source *source = secbuf_heap_source(heap);
	size_t size, got, expected;
	void *block;

	for (size = 1; size <= SECBUF_HEAP_SIZE_MAX;
	     size += size < 300 ? 1 : size / 7) {
		expected = SECBUF_SIZE_MIN;
		while (expected < size + SECBUF_HEAP_HEAD)
			expected *= 2;
		KUNIT_ASSERT_EQ(test, 0,
				source->ops->alloc(source, size, &block, &got));
		KUNIT_EXPECT_EQ(test, got, expected - SECBUF_HEAP_HEAD);
		KUNIT_EXPECT_NULL(test, memchr_inv(block, 0, got));
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)block, 8));
		memset(block, 0xff, got);
		source->ops->free(source, block, got);
	}
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			source->ops->alloc(source, SECBUF_HEAP_SIZE_MAX + 1,
					   &block, &got));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			source->ops->alloc(source, SIZE_MAX, &block, &got));
}

/* Only what is dirty is zeroized, and all of that. */
static void dirty_test(struct kunit *test)
{
	struct secbuf_heap *heap = heap_new(test, 0, 0);
	struct secbuf_buffer buf;
	struct secbuf_pool_stats stats;
	u8 bytes[100];

	memset(bytes, 0xff, sizeof(bytes));
	secbuf_buffer_init(&buf, secbuf_heap_source(heap));
	KUNIT_ASSERT_EQ(test, secbuf_buffer_reserve(&buf, 8000), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_append(&buf, bytes, 100), 0);
	secbuf_buffer_release(&buf);
	secbuf_pool_get_stats(heap->pools[7], &stats);
	KUNIT_EXPECT_EQ(test, stats.bytes_zeroized, SECBUF_HEAP_HEAD + 100);
	KUNIT_EXPECT_EQ(test, stats.in_use, 0);
	KUNIT_ASSERT_EQ(test, secbuf_buffer_reserve(&buf, 8000), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf.cur.data, 0, 8000));
	secbuf_buffer_release(&buf);
}

static void growth_test(struct kunit *test)
{
	struct secbuf_heap *heap = heap_new(test, 0, 0);
	struct secbuf_buffer buf, before;
	size_t i;

	secbuf_buffer_init(&buf, secbuf_heap_source(heap));
	for (i = 0; i < SECBUF_HEAP_SIZE_MAX / 8; i++)
		KUNIT_ASSERT_EQ(test, secbuf_buffer_append(&buf, &i, 8), 0);
	before = buf;
	KUNIT_EXPECT_EQ(test, secbuf_buffer_append(&buf, &i, 8), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, memcmp(&buf, &before, sizeof(buf)), 0);
	for (i = 0; i < SECBUF_HEAP_SIZE_MAX / 8; i++)
		KUNIT_ASSERT_EQ(test, memcmp(buf.cur.data + 8 * i, &i, 8), 0);
	secbuf_buffer_release(&buf);
}

static void limit_test(struct kunit *test)
{
	struct secbuf_heap *heap = heap_new(test, 0, 2);
	struct secbuf_buffer bufs[3];
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, i < 2 ? 0 : -ENOSPC,
				secbuf_buffer_open(&bufs[i],
						   secbuf_heap_source(heap),
						   100));
	/* Another class has a limit of its own. */
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_buffer_open(&bufs[2], secbuf_heap_source(heap),
					   1000));
	for (i = 0; i < 3; i++)
		secbuf_buffer_release(&bufs[i]);
}

/* Who may not sleep has all pools from the beginning. */
static void atomic_test(struct kunit *test)
{
	struct secbuf_heap *heap = heap_new(test, GFP_ATOMIC, 10);
	struct secbuf_buffer buf;
	int i, err;

	for (i = 0; i < SECBUF_HEAP_CLASSES; i++)
		KUNIT_EXPECT_NOT_NULL(test, heap->pools[i]);
	preempt_disable();
	err = secbuf_buffer_open(&buf, secbuf_heap_source(heap), 5000);
	secbuf_buffer_release(&buf);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, err, 0);
}

static struct kunit_case heap_cases[] = {
	KUNIT_CASE(classes_test),
	KUNIT_CASE(dirty_test),
	KUNIT_CASE(growth_test),
	KUNIT_CASE(limit_test),
	KUNIT_CASE(atomic_test),
	{}
};

static struct kunit_suite heap_suite = {
	.name = "secbuf_heap",
	.init = fixture_init,
	.test_cases = heap_cases,
};

kunit_test_suite(heap_suite);
