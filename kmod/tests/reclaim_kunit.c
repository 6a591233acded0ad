// SPDX-License-Identifier: GPL-2.0
/*
 * What a pool gives back: its ops are called as the shrinker and CPU hotplug
 * call them, which this module does not register.
 */
#include "reclaim.h"

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "buf.h"
#include "fixture.h"
#include "pool.h"

#define MIN_KEPT	4
#define NR	20

static void count_one(struct secbuf_reclaim *reclaim, void *nr)
{
	(*(int *)nr)++;
}

static void list_test(struct kunit *test)
{
	struct secbuf_pool *pool;
	int before = 0, with = 0, after = 0;

	secbuf_reclaim_for_each(count_one, &before);
	pool = fixture_pool(test, 64, 0, NR);
	secbuf_reclaim_for_each(count_one, &with);
	fixture_pool_destroy(test, pool);
	secbuf_reclaim_for_each(count_one, &after);
	KUNIT_EXPECT_EQ(test, with, before + 1);
	KUNIT_EXPECT_EQ(test, after, before);
}

/* A pool with @NR buffers, all parked by this CPU, or by @cpu if there is. */
static struct secbuf_pool *parked_pool(struct kunit *test, int cpu)
{
	struct secbuf_pool *pool = fixture_pool(test, 4096, MIN_KEPT, 8 * NR);
	struct secbuf *bufs[NR];

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, NR, bufs),
			NR);
	if (cpu < 0)
		secbuf_put_bulk(bufs, NR);
	else
		fixture_put_on(cpu, bufs, NR);
	KUNIT_ASSERT_EQ(test, fixture_stats(pool).in_use, 0);
	return pool;
}

static void count_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 4096, MIN_KEPT, NR);
	const struct secbuf_reclaim_ops *ops = pool->reclaim.ops;
	size_t footprint = secbuf_buf_footprint(pool->class);
	struct secbuf *bufs[NR];

	KUNIT_EXPECT_EQ(test, ops->count(&pool->reclaim), 0);
	KUNIT_ASSERT_EQ(test, 7,
			fixture_alloc(test, pool, GFP_KERNEL, 7, bufs));
	KUNIT_EXPECT_EQ(test, ops->count(&pool->reclaim), 0);
	secbuf_put(bufs[0]);
	KUNIT_EXPECT_EQ(test, ops->count(&pool->reclaim), footprint);
	secbuf_put_bulk(bufs + 1, 6);
	KUNIT_EXPECT_EQ(test, ops->count(&pool->reclaim), 3 * footprint);
}

static void scan_test(struct kunit *test)
{
	struct secbuf_pool *pool;
	const struct secbuf_reclaim_ops *ops;
	unsigned int before;
	size_t footprint;

	fixture_other_cpu(test);
	pool = parked_pool(test, -1);
	ops = pool->reclaim.ops;
	footprint = secbuf_buf_footprint(pool->class);
	before = fixture_stats(pool).available;

	KUNIT_EXPECT_EQ(test, ops->scan(&pool->reclaim, 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, before);
	/* Half a buffer is a whole one. */
	KUNIT_EXPECT_EQ(test, ops->scan(&pool->reclaim, footprint / 2),
			footprint);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, before - 1);
	KUNIT_EXPECT_EQ(test, ops->scan(&pool->reclaim, SIZE_MAX / 2),
			(before - 1 - MIN_KEPT) * footprint);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, MIN_KEPT);
	KUNIT_EXPECT_EQ(test, ops->count(&pool->reclaim), 0);
	KUNIT_EXPECT_EQ(test, ops->scan(&pool->reclaim, SIZE_MAX / 2), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, MIN_KEPT);
}

/* However full the magazines and the depot are. */
static void scan_exact_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 4096, 0, 2 * NR);
	const struct secbuf_reclaim_ops *ops = pool->reclaim.ops;
	struct secbuf *bufs[2 * NR];
	unsigned int before;

	KUNIT_ASSERT_EQ(test, 2 * NR,
			fixture_alloc(test, pool, GFP_KERNEL, 2 * NR, bufs));
	secbuf_put_bulk(bufs, 2 * NR);
	before = fixture_stats(pool).allocated;
	KUNIT_EXPECT_EQ(test, ops->scan(&pool->reclaim, 0), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, before);
	KUNIT_EXPECT_EQ(test, ops->scan(&pool->reclaim, 1),
			secbuf_buf_footprint(pool->class));
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, before - 1);
}

/* The first scan asks the other CPU; what it gives, a later one frees. */
static void scan_other_cpu_test(struct kunit *test)
{
	int other = fixture_other_cpu(test);
	struct secbuf_pool *pool = parked_pool(test, other);
	const struct secbuf_reclaim_ops *ops = pool->reclaim.ops;
	unsigned long deadline = jiffies + 60 * HZ;

	KUNIT_ASSERT_GT(test, pool->cache.cap, 0);
	while (fixture_stats(pool).allocated > MIN_KEPT &&
	       time_before(jiffies, deadline)) {
		ops->scan(&pool->reclaim, SIZE_MAX / 2);
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, MIN_KEPT);
}

/* A CPU that was asked, and died before it could answer, comes back usable. */
static void drain_request_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 100);
	struct secbuf_cpu_cache *c;
	struct secbuf *bufs[2];

	fixture_other_cpu(test);
	c = raw_cpu_ptr(pool->cache.cpus);
	WRITE_ONCE(c->drain, 1);
	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_ATOMIC, 2, bufs),
			2);
	secbuf_put_bulk(bufs, 2);
	KUNIT_EXPECT_EQ(test, READ_ONCE(c->drain), 0);
	fixture_alloc(test, pool, GFP_ATOMIC, 2, bufs);
	secbuf_put_bulk(bufs, 2);
	KUNIT_EXPECT_GT(test, fixture_stats(pool).magazine_hits, 0);
}

/* What an idle CPU has parked, another gets after the first is dead. */
static void cpu_dead_test(struct kunit *test)
{
	int other = fixture_other_cpu(test);
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 40);
	struct secbuf *bufs[40];

	KUNIT_ASSERT_GT(test, pool->cache.cap, 0);
	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 40, bufs),
			40);
	fixture_put_on(other, bufs, 2);
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_ATOMIC));
	pool->reclaim.ops->cpu_dead(&pool->reclaim, other);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 2);
	KUNIT_EXPECT_EQ(test, fixture_alloc(test, pool, GFP_ATOMIC, 2, bufs),
			2);
	pool->reclaim.ops->cpu_dead(&pool->reclaim, other);
	secbuf_put_bulk(bufs, 40);
}

/* With so few buffers that the CPUs keep none. */
static void no_magazines_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 1, 3);
	const struct secbuf_reclaim_ops *ops = pool->reclaim.ops;
	struct secbuf *bufs[3];

	KUNIT_EXPECT_EQ(test, pool->cache.cap, 0);
	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 3, bufs),
			3);
	secbuf_put_bulk(bufs, 3);
	ops->cpu_dead(&pool->reclaim, 0);
	ops->scan(&pool->reclaim, SIZE_MAX / 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 1);
}

/* An object that is asked @left times until nothing is idle. */
struct turn {
	struct secbuf_reclaim reclaim;
	char name;
	int left;
	int recalls;
};

static char turns[32];

static struct turn *turn_of(struct secbuf_reclaim *reclaim)
{
	return container_of(reclaim, struct turn, reclaim);
}

static size_t turn_count(struct secbuf_reclaim *reclaim)
{
	return 0;
}

static size_t turn_scan(struct secbuf_reclaim *reclaim, size_t bytes)
{
	return 0;
}

static void turn_recall(struct secbuf_reclaim *reclaim)
{
	turn_of(reclaim)->recalls++;
}

static bool turn_drain(struct secbuf_reclaim *reclaim)
{
	struct turn *turn = turn_of(reclaim);
	size_t len = strlen(turns);

	if (len < sizeof(turns) - 1)
		turns[len] = turn->name;
	if (!turn->left)
		return false;
	turn->left--;
	return true;
}

static const struct secbuf_reclaim_ops turn_ops = {
	.count	= turn_count,
	.scan	= turn_scan,
	.recall	= turn_recall,
	.drain	= turn_drain,
};

static void idle_all(size_t turns_more)
{
	memset(turns, 0, sizeof(turns));
	secbuf_reclaim_idle(turns_more << PAGE_SHIFT);
}

/* Who has much does not keep the others waiting, nor is anybody asked in vain. */
static void idle_in_turns_test(struct kunit *test)
{
	static struct turn a, b, c;
	static const struct secbuf_account account;
	int i, before = 0;
	struct turn *const all[] = { &a, &b, &c };

	secbuf_reclaim_for_each(count_one, &before);
	KUNIT_ASSERT_EQ(test, before, 0);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i] = (struct turn){ .name = 'a' + i };
		KUNIT_ASSERT_EQ(test, 0,
				secbuf_reclaim_add(&all[i]->reclaim, &turn_ops,
						   &account));
	}
	a.left = 3;
	b.left = 1;
	idle_all(100);
	KUNIT_EXPECT_STREQ(test, turns, "abcabaa");
	for (i = 0; i < ARRAY_SIZE(all); i++)
		KUNIT_EXPECT_EQ(test, all[i]->recalls, 1);
	/* It ends, also if somebody always has something. */
	a.left = 100;
	idle_all(2);
	KUNIT_EXPECT_STREQ(test, turns, "abcaa");
	/* Who is gone before his turn comes. */
	secbuf_reclaim_del(&a.reclaim);
	idle_all(100);
	KUNIT_EXPECT_STREQ(test, turns, "bc");
	secbuf_reclaim_del(&b.reclaim);
	secbuf_reclaim_del(&c.reclaim);
	idle_all(100);
	KUNIT_EXPECT_STREQ(test, turns, "");
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(list_test),
	KUNIT_CASE(count_test),
	KUNIT_CASE(scan_test),
	KUNIT_CASE(scan_exact_test),
	KUNIT_CASE(scan_other_cpu_test),
	KUNIT_CASE(drain_request_test),
	KUNIT_CASE(cpu_dead_test),
	KUNIT_CASE(no_magazines_test),
	KUNIT_CASE(idle_in_turns_test),
	{}
};

static struct kunit_suite reclaim_suite = {
	.name = "secbuf_reclaim",
	.init = fixture_init,
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);
