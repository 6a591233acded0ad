// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers: bounds, and that nothing written to one is there for the next user,
 * however it was written.
 */
#include "buf.h"

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "fixture.h"

#define SIZE	1500

static const struct span {
	size_t offset, len;
	bool inside;
} ranges[] = {
	{ 0, 0, true },
	{ 0, 1, true },
	{ 0, SIZE, true },
	{ SIZE - 1, 1, true },
	{ SIZE, 0, true },
	{ 700, 800, true },
	{ 0, SIZE + 1, false },
	{ 1, SIZE, false },
	{ SIZE - 1, 2, false },
	{ SIZE, 1, false },
	{ SIZE + 1, 0, false },
	{ 2047, 1, false },
	{ 0, SIZE_MAX, false },
	{ 1, SIZE_MAX, false },
	{ SIZE, SIZE_MAX, false },
	{ SIZE_MAX, 0, false },
	{ SIZE_MAX, 1, false },
	{ SIZE_MAX, SIZE_MAX, false },
	{ SIZE_MAX - 10, 20, false },
	{ SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, false },
	{ 1ULL << 32, 1, false },
	{ 0, 1ULL << 32, false },
	{ (1ULL << 32) + 4, 4, false },
};

static void range_desc(const struct span *range, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%zu bytes at %zu", range->len,
		 range->offset);
}

KUNIT_ARRAY_PARAM(range, ranges, range_desc);

/* Always the same buffer: the pool has no other. */
static struct secbuf *only_buffer(struct kunit *test, struct secbuf_pool *pool)
{
	struct secbuf *sb = secbuf_pool_alloc(pool, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).misses, 0);
	KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
	return sb;
}

static void range_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 1, 1);
	struct secbuf *sb = only_buffer(test, pool);
	const struct span *range = test->param_value;
	u8 *bytes = kunit_kmalloc(test, SIZE, GFP_KERNEL);
	u8 *begin = sb->data;
	u8 *window;
	int result = range->inside ? 0 : -EINVAL;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memset(bytes, 0xa5, SIZE);
	KUNIT_EXPECT_EQ(test, result,
			secbuf_write(sb, range->offset, bytes, range->len));
	if (!range->inside)
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));

	memset(bytes, 0x5a, SIZE);
	KUNIT_EXPECT_EQ(test, result,
			secbuf_read(sb, range->offset, bytes, range->len));
	if (range->inside)
		KUNIT_EXPECT_NULL(test, memchr_inv(bytes, 0xa5, range->len));
	else
		KUNIT_EXPECT_NULL(test, memchr_inv(bytes, 0x5a, SIZE));

	window = secbuf_window(sb, range->offset, range->len);
	KUNIT_EXPECT_PTR_EQ(test, window,
			    range->inside ? begin + range->offset : NULL);
	secbuf_put(sb);
	secbuf_put(only_buffer(test, pool));
}

/* A range of odd borders in turn through all that can write. */
static void write_by(struct secbuf *sb, int way, size_t offset, size_t len)
{
	u8 bytes[61];
	void *window;

	memset(bytes, 0xff, sizeof(bytes));
	switch (way) {
	case 0:
		secbuf_write(sb, offset, bytes, len);
		break;
	case 1:
		window = secbuf_window(sb, offset, len);
		memset(window, 0xff, len);
		break;
	default:
		memset(secbuf_data(sb) + offset, 0xff, len);
		break;
	}
}

static void dirty_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 1, 1);
	struct secbuf *sb;
	size_t offset;
	int way;

	for (way = 0; way < 3; way++) {
		for (offset = 0; offset < SIZE - 61; offset += 59) {
			sb = only_buffer(test, pool);
			write_by(sb, way, offset, 61);
			KUNIT_EXPECT_FALSE(test, fixture_is_zero(sb));
			secbuf_put(sb);
		}
		sb = only_buffer(test, pool);
		write_by(sb, way, SIZE - 1, 1);
		write_by(sb, way, 1, 1);
		secbuf_put(sb);
	}
	secbuf_put(only_buffer(test, pool));
}

/* Only what may be dirty is zeroized: this is what makes release cheap. */
static void dirty_span_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 1, 1);
	struct secbuf *sb = only_buffer(test, pool);
	u8 byte;

	KUNIT_EXPECT_EQ(test, secbuf_read(sb, 0, &byte, 1), 0);
	KUNIT_EXPECT_EQ(test, sb->dirty, 0);
	write_by(sb, 0, 10, 5);
	KUNIT_EXPECT_EQ(test, sb->dirty, 15);
	write_by(sb, 1, 3, 5);
	KUNIT_EXPECT_EQ(test, sb->dirty, 15);
	write_by(sb, 1, 99, 1);
	KUNIT_EXPECT_EQ(test, sb->dirty, 100);
	write_by(sb, 2, 0, 1);
	KUNIT_EXPECT_EQ(test, sb->dirty, SIZE);
	secbuf_put(sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).bytes_zeroized, SIZE);
}

/* Buffers that went through magazines, and not only the depot. */
static void dirty_magazine_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 200);
	struct secbuf *bufs[40];
	int round, i;

	for (round = 0; round < 4; round++) {
		KUNIT_ASSERT_EQ(test, 40,
				fixture_alloc(test, pool, GFP_KERNEL, 40,
					      bufs));
		for (i = 0; i < 40; i++)
			write_by(bufs[i], (round + i) % 3, i * 31, 61);
		if (round & 1)
			secbuf_put_bulk(bufs, 40);
		else
			for (i = 0; i < 40; i++)
				secbuf_put(bufs[i]);
	}
	KUNIT_EXPECT_GT(test, fixture_stats(pool).magazine_hits, 0);
}

/* A pointer from before is still good, and what it writes is cleaned. */
static void zeroize_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 1, 1);
	struct secbuf *sb = only_buffer(test, pool);
	u8 *window = secbuf_window(sb, 1000, 100);

	KUNIT_ASSERT_NOT_NULL(test, window);
	memset(window, 0xff, 100);
	secbuf_zeroize(sb);
	KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
	window[99] = 0xff;
	secbuf_put(sb);
	sb = only_buffer(test, pool);

	window = secbuf_data(sb);
	secbuf_zeroize(sb);
	window[SIZE - 1] = 0xff;
	secbuf_zeroize(sb);
	KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
	window[SIZE - 2] = 0xff;
	secbuf_put(sb);
	secbuf_put(only_buffer(test, pool));
}

static void get_put_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 1, 1);
	struct secbuf *sb = only_buffer(test, pool);
	int i;

	write_by(sb, 0, 7, 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, secbuf_get(sb), sb);
	for (i = 0; i < 3; i++) {
		secbuf_put(sb);
		KUNIT_EXPECT_FALSE(test, fixture_is_zero(sb));
		KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 1);
	}
	/* The only holder again, who may share it again. */
	secbuf_get(sb);
	write_by(sb, 1, 500, 50);
	secbuf_put(sb);
	write_by(sb, 1, 600, 50);
	secbuf_put(sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
	secbuf_put(only_buffer(test, pool));
}

/* A thread with a reference of its own: writes, then puts it. */
struct sharer {
	struct completion *start;
	struct secbuf *sb;
	size_t offset;
};

static int sharer_fn(void *arg)
{
	struct sharer *sharer = arg;
	int i;

	wait_for_completion(sharer->start);
	for (i = 0; i < 20; i++) {
		secbuf_put(secbuf_get(sharer->sb));
		write_by(sharer->sb, i % 2, sharer->offset + i, 61);
	}
	secbuf_put(sharer->sb);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void share_round(struct kunit *test, struct secbuf_pool *pool)
{
	DECLARE_COMPLETION_ONSTACK(start);
	struct secbuf *sb = only_buffer(test, pool);
	struct task_struct *task[4];
	struct sharer sharer[4];
	int i;

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		sharer[i].start = &start;
		sharer[i].sb = secbuf_get(sb);
		sharer[i].offset = 350 * i;
		task[i] = fixture_thread(test, -1, sharer_fn, &sharer[i]);
	}
	secbuf_put(sb);
	complete_all(&start);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		fixture_thread_stop(test, task[i]);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 1);
}

/* Whoever is last, it is he who zeroizes, and all that the others wrote. */
static void share_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 1, 1);
	int round;

	for (round = 0; round < 10; round++)
		share_round(test, pool);
	secbuf_put(only_buffer(test, pool));
}

static struct kunit_case buf_cases[] = {
	KUNIT_CASE_PARAM(range_test, range_gen_params),
	KUNIT_CASE(dirty_test),
	KUNIT_CASE(dirty_span_test),
	KUNIT_CASE(dirty_magazine_test),
	KUNIT_CASE(zeroize_test),
	KUNIT_CASE(get_put_test),
	KUNIT_CASE(share_test),
	{}
};

static struct kunit_suite buf_suite = {
	.name = "secbuf_buf",
	.init = fixture_init,
	.test_cases = buf_cases,
};

kunit_test_suite(buf_suite);
