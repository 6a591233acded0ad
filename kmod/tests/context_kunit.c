// SPDX-License-Identifier: GPL-2.0
/*
 * Every way through a pool from contexts that must not sleep: CONFIG_DEBUG_
 * ATOMIC_SLEEP and lockdep are the judges. That task and softirq meet in the
 * middle of an operation is for secbuf_context_test.ko, which runs on kernels
 * without KUnit, too.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "buf.h"
#include "fixture.h"
#include "pool.h"

#define NR	12

/* Fresh, parked, full, refused, detached, shared; returns what went wrong. */
static int all_ways(struct secbuf_pool *pool)
{
	struct secbuf *bufs[NR + 1];
	int wrong = 0;
	unsigned int i;
	int round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR / 2; i++) {
			bufs[i] = secbuf_pool_alloc(pool, GFP_ATOMIC);
			if (!bufs[i])
				return wrong + 1;
		}
		i += secbuf_pool_alloc_bulk(pool, GFP_ATOMIC, NR, bufs + i);
		wrong += i != NR;
		while (i--) {
			wrong += !fixture_is_zero(bufs[i]);
			wrong += secbuf_write(bufs[i], i, "secret", 6) != 0;
		}
		wrong += !!secbuf_pool_alloc(pool, GFP_ATOMIC);
		wrong += !!secbuf_pool_alloc(pool, GFP_NOWAIT);
		secbuf_detach(bufs[0]);
		secbuf_put(secbuf_get(bufs[1]));
		secbuf_zeroize(bufs[1]);
		secbuf_put(bufs[0]);
		secbuf_put_bulk(bufs + 1, NR - 1);
	}
	return wrong;
}

static void spinlock_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 1500, 2, NR);
	static DEFINE_SPINLOCK(lock);
	int wrong;

	spin_lock(&lock);
	wrong = all_ways(pool);
	spin_unlock(&lock);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
}

static void bh_disabled_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 1500, 2, NR);
	int wrong;

	local_bh_disable();
	wrong = all_ways(pool);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
}

struct in_timer {
	struct timer_list timer;
	struct completion done;
	struct secbuf_pool *pool;
	struct secbuf *last;
	int wrong;
};

static void in_timer_fn(struct timer_list *timer)
{
	struct in_timer *in = container_of(timer, struct in_timer, timer);

	in->wrong = !in_softirq() + all_ways(in->pool);
	secbuf_put(in->last);
	complete(&in->done);
}

static void in_timer_run(struct kunit *test, struct in_timer *in)
{
	init_completion(&in->done);
	timer_setup(&in->timer, in_timer_fn, 0);
	mod_timer(&in->timer, jiffies + 1);
	wait_for_completion(&in->done);
	KUNIT_EXPECT_EQ(test, in->wrong, 0);
}

static void softirq_test(struct kunit *test)
{
	struct in_timer *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, in);
	in->pool = fixture_pool(test, 1500, 2, NR);
	in_timer_run(test, in);
	KUNIT_EXPECT_EQ(test, fixture_stats(in->pool).in_use, 0);
}

/* The last buffer of a destroyed pool, and with it the pool. */
static void softirq_last_put_test(struct kunit *test)
{
	struct in_timer *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);
	struct secbuf_pool *pool = fixture_pool(test, 1500, 2, NR);

	KUNIT_ASSERT_NOT_NULL(test, in);
	in->pool = fixture_pool(test, 1500, 2, NR);
	in->last = secbuf_pool_alloc(pool, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, in->last);
	KUNIT_EXPECT_EQ(test, secbuf_write(in->last, 0, "secret", 6), 0);
	fixture_pool_destroy(test, pool);
	in_timer_run(test, in);
}

/* Who comes in the middle of somebody's work finds the magazines busy. */
static void busy_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 100);
	struct secbuf_cpu_cache *c;
	struct secbuf *bufs[4];
	u64 hits, returned;
	unsigned int nr;

	fixture_other_cpu(test);
	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 4, bufs),
			4);
	secbuf_put_bulk(bufs, 4);
	preempt_disable();
	c = this_cpu_ptr(pool->cache.cpus);
	hits = c->hits;
	returned = c->returned;
	WRITE_ONCE(c->busy, 1);
	nr = secbuf_pool_alloc_bulk(pool, GFP_ATOMIC, 4, bufs);
	secbuf_put_bulk(bufs, nr);
	WRITE_ONCE(c->busy, 0);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, nr, 4);
	KUNIT_EXPECT_EQ(test, c->hits, hits);
	KUNIT_EXPECT_EQ(test, c->returned, returned);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 8);
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(spinlock_test),
	KUNIT_CASE(bh_disabled_test),
	KUNIT_CASE(softirq_test),
	KUNIT_CASE(softirq_last_put_test),
	KUNIT_CASE(busy_test),
	{}
};

static struct kunit_suite context_suite = {
	.name = "secbuf_context",
	.init = fixture_init,
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);
