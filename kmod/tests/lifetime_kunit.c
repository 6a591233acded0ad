// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that outlive their place in the pool, or the pool itself.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/string.h>

#include "buf.h"
#include "fixture.h"
#include "pool.h"

#define NR	64

static void destroy_null_test(struct kunit *test)
{
	secbuf_pool_destroy(NULL);
	secbuf_put(NULL);
}

/* As long as there are buffers of it, the pool is not quite gone. */
static void destroy_with_buffers_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 256, 2, NR);
	size_t charged = fixture_charged();
	struct secbuf *bufs[NR];
	char text[8] = "";
	int i;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 8, bufs),
			8);
	KUNIT_EXPECT_EQ(test, secbuf_write(bufs[0], 3, "secret", 7), 0);
	secbuf_get(bufs[1]);
	fixture_pool_destroy(test, pool);
	KUNIT_EXPECT_GE(test, fixture_charged(), charged);

	KUNIT_EXPECT_EQ(test, secbuf_read(bufs[0], 3, text, 7), 0);
	KUNIT_EXPECT_STREQ(test, text, "secret");
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, secbuf_size(bufs[i]), 256);
		KUNIT_EXPECT_EQ(test, secbuf_write(bufs[i], 250, "end", 4), 0);
		secbuf_zeroize(bufs[i]);
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(bufs[i]));
		secbuf_put(bufs[i]);
	}
	/* One reference is left, and with it all of this. */
	KUNIT_EXPECT_EQ(test, secbuf_write(bufs[1], 0, "last", 5), 0);
	KUNIT_EXPECT_GT(test, fixture_charged(), 0);
	secbuf_put(bufs[1]);
}

static void destroy_frees_parked_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 4096, 8, NR);
	size_t footprint = secbuf_buf_footprint(pool->class);
	struct secbuf *bufs[NR];
	struct secbuf *left;
	size_t charged;
	int cpu, i;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 20, bufs),
			20);
	left = bufs[19];
	for (i = 0; i < 4; i++) {
		cpu = cpumask_nth(i % num_online_cpus(), cpu_online_mask);
		fixture_put_on(cpu, bufs + 4 * i, 4);
	}
	secbuf_put_bulk(bufs + 16, 3);
	charged = fixture_charged();
	KUNIT_EXPECT_GE(test, charged, 20 * footprint);
	fixture_pool_destroy(test, pool);
	KUNIT_EXPECT_EQ(test, fixture_charged(), charged - 19 * footprint);
	secbuf_put(left);
}

static void detach_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 100, 0, 1);
	struct secbuf *sb = secbuf_pool_alloc(pool, GFP_KERNEL);
	struct secbuf_pool_stats stats;
	char text[8] = "";
	struct secbuf *next;

	KUNIT_ASSERT_NOT_NULL(test, sb);
	KUNIT_EXPECT_EQ(test, secbuf_write(sb, 0, "secret", 7), 0);
	secbuf_detach(sb);
	secbuf_detach(sb);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.detached, 1);
	KUNIT_EXPECT_EQ(test, stats.returned, 1);
	KUNIT_EXPECT_EQ(test, stats.in_use, 0);
	KUNIT_EXPECT_EQ(test, stats.allocated, 0);

	KUNIT_ASSERT_EQ(test, 1,
			fixture_alloc(test, pool, GFP_KERNEL, 1, &next));
	KUNIT_EXPECT_PTR_NE(test, next, sb);
	KUNIT_EXPECT_EQ(test, secbuf_read(sb, 0, text, 7), 0);
	KUNIT_EXPECT_STREQ(test, text, "secret");
	secbuf_put(sb);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.returned, 1);
	KUNIT_EXPECT_EQ(test, stats.in_use, 1);
	KUNIT_EXPECT_EQ(test, stats.allocated, 1);
	secbuf_put(next);
}

/* Detached memory is still paid for. */
static void detach_charged_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 4096, 0, 1);
	size_t footprint = secbuf_buf_footprint(pool->class);
	size_t charged = fixture_charged();
	struct secbuf *bufs[4];
	int i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = secbuf_pool_alloc(pool, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, bufs[i]);
		secbuf_detach(bufs[i]);
	}
	KUNIT_EXPECT_EQ(test, fixture_charged() - charged, 4 * footprint);
	secbuf_put_bulk(bufs, 4);
	KUNIT_EXPECT_EQ(test, fixture_charged(), charged);
}

static void detach_destroy_put_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 100, 0, 4);
	struct secbuf *bufs[2];
	char text[4] = "";

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 2, bufs),
			2);
	secbuf_detach(bufs[0]);
	fixture_pool_destroy(test, pool);
	secbuf_detach(bufs[1]);
	KUNIT_EXPECT_EQ(test, secbuf_write(bufs[0], 90, "abc", 4), 0);
	KUNIT_EXPECT_EQ(test, secbuf_read(bufs[0], 90, text, 4), 0);
	KUNIT_EXPECT_STREQ(test, text, "abc");
	secbuf_put_bulk(bufs, 2);
}

/* Of two pools, detached, shared: each goes where it belongs. */
static void put_bulk_mixed_test(struct kunit *test)
{
	struct secbuf_pool *a = fixture_pool(test, 64, 0, NR);
	struct secbuf_pool *b = fixture_pool(test, 100, 0, NR);
	struct secbuf *bufs[40];
	struct secbuf *shared;
	int i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = secbuf_pool_alloc(i % 3 ? a : b, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, bufs[i]);
		KUNIT_EXPECT_EQ(test, secbuf_write(bufs[i], 5, "x", 1), 0);
	}
	secbuf_detach(bufs[1]);
	shared = secbuf_get(bufs[2]);
	secbuf_put_bulk(bufs, ARRAY_SIZE(bufs));
	KUNIT_EXPECT_EQ(test, fixture_stats(a).in_use, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(a).detached, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(b).in_use, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(b).bytes_zeroized, 14 * 6);
	KUNIT_EXPECT_EQ(test, fixture_stats(a).bytes_zeroized, 24 * 6);
	secbuf_put(shared);
	KUNIT_EXPECT_EQ(test, fixture_stats(a).in_use, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(a).bytes_zeroized, 25 * 6);
}

/* Puts its share of the buffers while the pool is being destroyed. */
struct putter {
	struct completion *start;
	struct secbuf **bufs;
	unsigned int nr;
};

static int putter_fn(void *arg)
{
	struct putter *putter = arg;
	unsigned int i;

	wait_for_completion(putter->start);
	for (i = 0; i < putter->nr; i++)
		secbuf_put(putter->bufs[i]);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void destroy_race_round(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(start);
	struct secbuf_pool *pool = fixture_pool(test, 64, 4, 2 * NR);
	struct task_struct *task[2];
	struct putter putter[2];
	struct secbuf *bufs[NR];
	int i;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, NR, bufs),
			NR);
	for (i = 0; i < 2; i++) {
		putter[i].start = &start;
		putter[i].bufs = bufs + i * (NR / 2);
		putter[i].nr = NR / 2;
		task[i] = fixture_thread(test, -1, putter_fn, &putter[i]);
	}
	complete_all(&start);
	fixture_pool_destroy(test, pool);
	for (i = 0; i < 2; i++)
		fixture_thread_stop(test, task[i]);
}

static void destroy_race_test(struct kunit *test)
{
	int round;

	for (round = 0; round < 20; round++)
		destroy_race_round(test);
}

static struct kunit_case lifetime_cases[] = {
	KUNIT_CASE(destroy_null_test),
	KUNIT_CASE(destroy_with_buffers_test),
	KUNIT_CASE(destroy_frees_parked_test),
	KUNIT_CASE(detach_test),
	KUNIT_CASE(detach_charged_test),
	KUNIT_CASE(detach_destroy_put_test),
	KUNIT_CASE(put_bulk_mixed_test),
	KUNIT_CASE(destroy_race_test),
	{}
};

static struct kunit_suite lifetime_suite = {
	.name = "secbuf_lifetime",
	.init = fixture_init,
	.test_cases = lifetime_cases,
};

kunit_test_suite(lifetime_suite);
