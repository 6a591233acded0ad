// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of a pool: min, max, how much is kept parked, ceilings, no memory; and
 * what an allocation does that hits them.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "account.h"
#include "buf.h"
#include "fixture.h"
#include "pool.h"

#define NR	32

static void min_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 5, 4 * NR);
	struct secbuf *bufs[NR];

	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 5);
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 5);

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, NR, bufs),
			NR);
	secbuf_put_bulk(bufs, NR);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, NR);
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, 0), 0);
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, 3), 3);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, NR - 3);
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, UINT_MAX), NR - 3 - 5);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 5);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 5);
}

/* However full the magazines and the depot are. */
static void shrink_exact_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 2 * NR);
	struct secbuf *bufs[2 * NR];
	unsigned int before;

	KUNIT_ASSERT_EQ(test, 2 * NR,
			fixture_alloc(test, pool, GFP_KERNEL, 2 * NR, bufs));
	secbuf_put_bulk(bufs, 2 * NR);
	before = fixture_stats(pool).allocated;
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, 3), 3);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, before - 3);
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, UINT_MAX), before - 3);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 0);
}

/* Buffers in use are not for the taking. */
static void min_in_use_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 5, NR);
	struct secbuf *bufs[NR];

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 9, bufs),
			9);
	secbuf_put_bulk(bufs, 2);
	KUNIT_EXPECT_EQ(test, secbuf_pool_shrink(pool, UINT_MAX), 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 7);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 7);
	secbuf_put_bulk(bufs + 2, 7);
}

static int shrinker(void *pool)
{
	while (!kthread_should_stop()) {
		secbuf_pool_shrink(pool, 1);
		cond_resched();
	}
	return 0;
}

static void min_shrink_race_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 4, 2 * NR);
	unsigned int lowest = UINT_MAX;
	struct task_struct *task[2];
	struct secbuf *bufs[NR];
	int i, round;

	for (i = 0; i < ARRAY_SIZE(task); i++)
		task[i] = fixture_thread(test, -1, shrinker, pool);
	for (round = 0; round < 300; round++) {
		i = secbuf_pool_alloc_bulk(pool, GFP_KERNEL, 6, bufs);
		secbuf_put_bulk(bufs, i);
		usleep_range(100, 200);
		lowest = min(lowest, fixture_stats(pool).allocated);
	}
	for (i = 0; i < ARRAY_SIZE(task); i++)
		fixture_thread_stop(test, task[i]);
	KUNIT_EXPECT_GE(test, lowest, 4);
	secbuf_pool_shrink(pool, UINT_MAX);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 4);
}

static void max_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, NR);
	struct secbuf *bufs[NR + 1];
	struct secbuf_pool_stats stats;

	KUNIT_ASSERT_EQ(test, NR,
			fixture_alloc(test, pool, GFP_KERNEL, NR + 1, bufs));
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_ATOMIC));
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.allocated, NR);
	KUNIT_EXPECT_EQ(test, stats.in_use, NR);
	KUNIT_EXPECT_EQ(test, stats.failures, 3);

	secbuf_put(bufs[0]);
	bufs[0] = secbuf_pool_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, bufs[0]);
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_KERNEL));
	secbuf_put_bulk(bufs, NR);
}

static void max_one_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 1);
	struct secbuf *sb;
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, 1,
				fixture_alloc(test, pool, GFP_ATOMIC, 1, &sb));
		KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_KERNEL));
		secbuf_put(sb);
	}
}

static void max_bulk_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, NR);
	struct secbuf *bufs[2 * NR];
	int i, j;

	KUNIT_EXPECT_EQ(test, 0,
			secbuf_pool_alloc_bulk(pool, GFP_KERNEL, 0, bufs));
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).failures, 0);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, NR,
				secbuf_pool_alloc_bulk(pool, GFP_KERNEL,
						       2 * NR, bufs));
		for (j = 1; j < NR; j++)
			KUNIT_EXPECT_PTR_NE(test, bufs[j - 1], bufs[j]);
		KUNIT_EXPECT_EQ(test, 0,
				secbuf_pool_alloc_bulk(pool, GFP_ATOMIC, 1,
						       bufs + NR));
		KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, NR);
		KUNIT_EXPECT_EQ(test, fixture_stats(pool).failures, 2 * i + 2);
		secbuf_put_bulk(bufs, NR);
		KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
	}
}

/* What other CPUs have parked, a call that may sleep collects. */
static void max_collect_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, NR);
	int other = fixture_other_cpu(test);
	struct secbuf *bufs[NR];
	struct secbuf *sb;

	KUNIT_ASSERT_GT(test, pool->cache.cap, 0);
	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, NR, bufs),
			NR);
	fixture_put_on(other, bufs, 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 2);
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_ATOMIC));
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_NOWAIT));

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 2, bufs),
			2);
	KUNIT_EXPECT_NULL(test, secbuf_pool_alloc(pool, GFP_KERNEL));

	fixture_put_on(other, bufs, 2);
	sb = secbuf_pool_alloc_wait(pool);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	bufs[0] = sb;
	KUNIT_ASSERT_EQ(test, 1,
			secbuf_pool_alloc_bulk(pool, GFP_KERNEL, 9, bufs + 1));
	secbuf_put_bulk(bufs, NR);
}

static const struct parked_param {
	unsigned int min, max, parked;
} parked_params[] = {
	{ 0, 1, 1 }, { 0, 2, 1 }, { 0, 10, 5 }, { 0, 100, 50 },
	{ 10, 100, 50 }, { 50, 100, 50 }, { 45, 100, 50 }, { 80, 100, 80 },
	{ 100, 100, 100 }, { 1, 1, 1 },
};

static void parked_desc(const struct parked_param *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "min %u max %u", p->min, p->max);
}

KUNIT_ARRAY_PARAM(parked, parked_params, parked_desc);

/* Every CPU fills its magazines before the depot fills up. */
static void parked_test(struct kunit *test)
{
	const struct parked_param *p = test->param_value;
	struct secbuf_pool *pool = fixture_pool(test, 64, p->min, p->max);
	struct secbuf_pool_stats stats;
	unsigned int nr = p->max;
	struct secbuf *bufs[100];
	unsigned int part;
	int cpu;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, nr, bufs),
			nr);
	for_each_online_cpu(cpu) {
		part = min(nr, 2 * pool->cache.cap);
		nr -= part;
		fixture_put_on(cpu, bufs + nr, part);
	}
	secbuf_put_bulk(bufs, nr);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.in_use, 0);
	KUNIT_EXPECT_EQ(test, stats.available, stats.allocated);
	KUNIT_EXPECT_LE(test, stats.available, p->parked);
	KUNIT_EXPECT_GE(test, stats.available, p->min);
}

/* A task that waits for a buffer. */
struct waiter {
	struct secbuf_pool *pool;
	struct completion begun;
	struct completion done;
	struct secbuf *sb;
};

static int waiter_fn(void *arg)
{
	struct waiter *waiter = arg;

	allow_signal(SIGTERM);
	complete(&waiter->begun);
	waiter->sb = secbuf_pool_alloc_wait(waiter->pool);
	complete(&waiter->done);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static struct task_struct *waiter_start(struct kunit *test,
					struct waiter *waiter,
					struct secbuf_pool *pool)
{
	struct task_struct *task;

	waiter->pool = pool;
	init_completion(&waiter->begun);
	init_completion(&waiter->done);
	task = fixture_thread(test, -1, waiter_fn, waiter);
	wait_for_completion(&waiter->begun);
	KUNIT_EXPECT_EQ(test, 0, wait_for_completion_timeout(&waiter->done,
							     HZ / 4));
	return task;
}

static void waiter_end(struct kunit *test, struct waiter *waiter,
		       struct task_struct *task)
{
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&waiter->done,
							     60 * HZ));
	fixture_thread_stop(test, task);
}

static void wait_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 1);
	struct secbuf *sb = secbuf_pool_alloc_wait(pool);
	struct task_struct *task;
	struct waiter waiter;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	task = waiter_start(test, &waiter, pool);
	secbuf_put(sb);
	waiter_end(test, &waiter, task);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, waiter.sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).acquired, 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).failures, 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(pool->cache.bypass), false);
	secbuf_put(waiter.sb);
}

static void wait_detach_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 1);
	struct secbuf *sb = secbuf_pool_alloc_wait(pool);
	struct task_struct *task;
	struct waiter waiter;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	task = waiter_start(test, &waiter, pool);
	secbuf_detach(sb);
	waiter_end(test, &waiter, task);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, waiter.sb);
	KUNIT_EXPECT_PTR_NE(test, waiter.sb, sb);
	secbuf_put(waiter.sb);
	secbuf_put(sb);
}

static void wait_signal_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 1);
	struct secbuf *sb = secbuf_pool_alloc_wait(pool);
	struct task_struct *task;
	struct waiter waiter;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	task = waiter_start(test, &waiter, pool);
	send_sig(SIGTERM, task, 1);
	waiter_end(test, &waiter, task);
	KUNIT_EXPECT_EQ(test, PTR_ERR(waiter.sb), -EINTR);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(pool->cache.bypass), false);
	secbuf_put(sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
}

/* As many buffers come back as there are waiters: each of them gets one. */
static void wait_many_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 3);
	struct task_struct *task[3];
	struct waiter waiter[3];
	struct secbuf *bufs[3];
	int i;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 3, bufs),
			3);
	for (i = 0; i < 3; i++)
		task[i] = waiter_start(test, &waiter[i], pool);
	secbuf_put_bulk(bufs, 3);
	for (i = 0; i < 3; i++) {
		waiter_end(test, &waiter[i], task[i]);
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, waiter[i].sb);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 3);
	for (i = 0; i < 3; i++)
		secbuf_put(waiter[i].sb);
}

/* Hears what the task that made it wakes. */
struct listener {
	struct wait_queue_entry entry;
	struct task_struct *task;
	int heard;
};

static int listener_fn(struct wait_queue_entry *entry, unsigned int mode,
		       int flags, void *key)
{
	struct listener *listener =
		container_of(entry, struct listener, entry);

	listener->heard += listener->task == current;
	return 0;
}

/* Whoever lets a buffer go wakes those who wait: it is not their timeout. */
static void wake_test(struct kunit *test, void (*let_go)(struct secbuf *sb))
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 1);
	struct secbuf *sb = secbuf_pool_alloc(pool, GFP_KERNEL);
	struct listener listener = { .task = current };
	struct task_struct *task;
	struct waiter waiter;

	KUNIT_ASSERT_NOT_NULL(test, sb);
	task = waiter_start(test, &waiter, pool);
	/* That is when the queue has waiters, under its lock. */
	fixture_wait_until(READ_ONCE(pool->cache.bypass));
	KUNIT_EXPECT_TRUE(test, READ_ONCE(pool->cache.bypass));
	init_waitqueue_func_entry(&listener.entry, listener_fn);
	add_wait_queue(&pool->waiters, &listener.entry);
	let_go(sb);
	remove_wait_queue(&pool->waiters, &listener.entry);
	KUNIT_EXPECT_GE(test, listener.heard, 1);
	waiter_end(test, &waiter, task);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, waiter.sb);
	secbuf_put(waiter.sb);
	if (let_go == secbuf_detach)
		secbuf_put(sb);
}

static void wait_prompt_test(struct kunit *test)
{
	wake_test(test, secbuf_put);
	wake_test(test, secbuf_detach);
}

static void prefill_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 2, 100);
	unsigned int limit = pool->cache.depot.limit;

	KUNIT_EXPECT_EQ(test, secbuf_pool_prefill(pool, 1), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, 2);
	KUNIT_EXPECT_EQ(test, secbuf_pool_prefill(pool, limit), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, limit);
	KUNIT_EXPECT_EQ(test, secbuf_pool_prefill(pool, limit + 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, secbuf_pool_prefill(pool, UINT_MAX), -ENOSPC);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).available, limit);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).acquired, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).failures, 0);
}

static void prefill_at_max_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, NR);
	struct secbuf *bufs[NR];

	KUNIT_ASSERT_EQ(test, NR,
			fixture_alloc(test, pool, GFP_KERNEL, NR, bufs));
	KUNIT_EXPECT_EQ(test, secbuf_pool_prefill(pool, 1), -ENOSPC);
	secbuf_put_bulk(bufs, NR);
}

/* The user has no more than room for one buffer of the pool left. */
static void ceiling_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 4096, 0, NR);
	struct secbuf_account_info info;
	struct secbuf_account account;
	struct secbuf *bufs[2];
	size_t rest;

	KUNIT_ASSERT_EQ(test, secbuf_account_init(&account), 0);
	secbuf_account_get_info(&info);
	rest = info.max_user - info.used_user - 5000;
	KUNIT_ASSERT_EQ(test, secbuf_account_charge(&account, rest), 0);

	KUNIT_EXPECT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 2, bufs),
			1);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			PTR_ERR_OR_ZERO(secbuf_pool_alloc_wait(pool)));
	KUNIT_EXPECT_EQ(test, secbuf_pool_prefill(pool, 2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 1);
	secbuf_put(bufs[0]);
	secbuf_account_uncharge(&account, rest);
	secbuf_account_exit(&account);
}

static void ceiling_create_test(struct kunit *test)
{
	const struct secbuf_pool_params params = { .min = 10, .max = 10 };
	struct secbuf_account_info info;
	struct secbuf_account account;
	struct secbuf_pool *pool;
	size_t rest;

	KUNIT_ASSERT_EQ(test, secbuf_account_init(&account), 0);
	secbuf_account_get_info(&info);
	rest = info.max_user - info.used_user - 5 * 8192;
	KUNIT_ASSERT_EQ(test, secbuf_account_charge(&account, rest), 0);
	pool = secbuf_pool_create(&params);
	KUNIT_EXPECT_TRUE(test, IS_ERR(pool));
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EDQUOT);
	secbuf_account_uncharge(&account, rest);
	secbuf_account_exit(&account);
}

#ifdef CONFIG_FAILSLAB
/* Whatever it is that cannot be allocated: all of it is undone. */
static void no_memory_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 1);
	size_t charged = fixture_charged();
	bool reached = true;
	struct secbuf *sb;
	int nth;

	for (nth = 1; reached; nth++) {
		current->fail_nth = nth;
		sb = secbuf_pool_alloc(pool, GFP_ATOMIC);
		reached = !current->fail_nth;
		current->fail_nth = 0;
		KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, !!sb);
		secbuf_put(sb);
		KUNIT_EXPECT_EQ(test, fixture_charged(), charged);
	}
	KUNIT_EXPECT_GE(test, fixture_stats(pool).failures, 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
}

/* No magazine to park it in: it goes to the slab. */
static void no_memory_put_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 2);
	struct secbuf *sb = secbuf_pool_alloc(pool, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sb);
	current->fail_nth = 1;
	secbuf_put(sb);
	current->fail_nth = 0;
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
}
#else
static void no_memory_test(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}

static void no_memory_put_test(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}
#endif

static struct kunit_case limits_cases[] = {
	KUNIT_CASE(min_test),
	KUNIT_CASE(shrink_exact_test),
	KUNIT_CASE(min_in_use_test),
	KUNIT_CASE(min_shrink_race_test),
	KUNIT_CASE(max_test),
	KUNIT_CASE(max_one_test),
	KUNIT_CASE(max_bulk_test),
	KUNIT_CASE(max_collect_test),
	KUNIT_CASE_PARAM(parked_test, parked_gen_params),
	KUNIT_CASE(wait_test),
	KUNIT_CASE(wait_detach_test),
	KUNIT_CASE(wait_signal_test),
	KUNIT_CASE(wait_many_test),
	KUNIT_CASE(wait_prompt_test),
	KUNIT_CASE(prefill_test),
	KUNIT_CASE(prefill_at_max_test),
	KUNIT_CASE(ceiling_test),
	KUNIT_CASE(ceiling_create_test),
	KUNIT_CASE(no_memory_test),
	KUNIT_CASE(no_memory_put_test),
	{}
};

static struct kunit_suite limits_suite = {
	.name = "secbuf_limits",
	.init = fixture_init,
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);
