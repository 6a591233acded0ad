// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites have in common: a pool that ends with its test, work on a
 * chosen CPU, and the check that nothing stays charged.
 */
#include "fixture.h"

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "account.h"
#include "buf.h"
#include "idle.h"
#include "pool.h"

static size_t charged_before;

/* Bytes that this user is charged now. */
size_t fixture_charged(void)
{
	struct secbuf_account_info info;

	secbuf_account_get_info(&info);
	return info.used_user;
}

/* A pool ends in a work item. */
static void check_charged(void *arg)
{
	struct kunit *test = arg;

	fixture_wait_until(fixture_charged() == charged_before);
	KUNIT_EXPECT_EQ(test, fixture_charged(), charged_before);
}

/* Of every suite with pools: when a test ends, its memory must be back. */
int fixture_init(struct kunit *test)
{
	charged_before = fixture_charged();
	return kunit_add_action(test, check_charged, test);
}

static void destroy_pool(void *pool)
{
	secbuf_pool_destroy(pool);
}

/* Destroyed when the test ends, unless by fixture_pool_destroy() before. */
struct secbuf_pool *fixture_pool(struct kunit *test, size_t buf_size,
				 unsigned int min, unsigned int max)
{
	const struct secbuf_pool_params params = {
		.name = test->name,
		.buf_size = buf_size,
		.min = min,
		.max = max,
	};
	struct secbuf_pool *pool;
	int err;

	pool = secbuf_pool_create(&params);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	err = kunit_add_action_or_reset(test, destroy_pool, pool);
	KUNIT_ASSERT_EQ(test, err, 0);
	return pool;
}

void fixture_pool_destroy(struct kunit *test, struct secbuf_pool *pool)
{
	kunit_release_action(test, destroy_pool, pool);
}

struct secbuf_pool_stats fixture_stats(struct secbuf_pool *pool)
{
	struct secbuf_pool_stats stats;

	secbuf_pool_get_stats(pool, &stats);
	return stats;
}

/* One by one, until there is none. Returns how many. */
unsigned int fixture_alloc(struct kunit *test, struct secbuf_pool *pool,
			   gfp_t gfp, unsigned int nr, struct secbuf **bufs)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		bufs[i] = secbuf_pool_alloc(pool, gfp);
		if (!bufs[i])
			break;
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(bufs[i]));
	}
	return i;
}

struct put_on_args {
	struct secbuf **bufs;
	unsigned int nr;
};

static long put_on_fn(void *arg)
{
	struct put_on_args *args = arg;
	unsigned int i;

	for (i = 0; i < args->nr; i++)
		secbuf_put(args->bufs[i]);
	return 0;
}

void fixture_put_on(int cpu, struct secbuf **bufs, unsigned int nr)
{
	struct put_on_args args = { .bufs = bufs, .nr = nr };

	work_on_cpu(cpu, put_on_fn, &args);
}

/* Keeps the test on the CPU that it is on; returns another. */
int fixture_other_cpu(struct kunit *test)
{
	int cpu = raw_smp_processor_id();
	int other;

	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	other = cpumask_any_but(cpu_online_mask, cpu);
	if (other >= nr_cpu_ids)
		kunit_skip(test, "needs two CPUs");
	return other;
}

/* All of it, what lies between the size and the size of the class, too. */
bool fixture_is_zero(const struct secbuf *sb)
{
	return !memchr_inv(sb->data, 0, SECBUF_SIZE_MIN << sb->class);
}

struct thread_start {
	int (*fn)(void *arg);
	void *arg;
	struct completion begun;
};

/* A thread that is stopped before it has begun would never call its function. */
static int thread_fn(void *arg)
{
	struct thread_start *start = arg;
	int (*fn)(void *arg) = start->fn;

	arg = start->arg;
	complete(&start->begun);
	return fn(arg);
}

/* On @cpu, or anywhere if that is negative. */
struct task_struct *fixture_thread(struct kunit *test, int cpu,
				   int (*fn)(void *arg), void *arg)
{
	struct thread_start start = { .fn = fn, .arg = arg };
	struct task_struct *task;

	init_completion(&start.begun);
	task = kthread_create(thread_fn, &start, "%s", test->name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	if (cpu >= 0)
		kthread_bind(task, cpu);
	wake_up_process(task);
	wait_for_completion(&start.begun);
	return task;
}

/* Waits until it ends; returns what it returned. */
int fixture_thread_stop(struct kunit *test, struct task_struct *task)
{
	int ret = kthread_stop(task);

	put_task_struct(task);
	return ret;
}

/*
 * The shrinker and the hotplug state stay away: nothing but the tests may take
 * what a pool has parked.
 */
static int __init secbuf_kunit_init(void)
{
	int err;

	err = secbuf_idle_init();
	if (err)
		return err;
	err = secbuf_pool_init();
	if (err)
		secbuf_idle_exit();
	return err;
}

static void __exit secbuf_kunit_exit(void)
{
	secbuf_pool_exit();
	secbuf_idle_exit();
}

module_init(secbuf_kunit_init);
module_exit(secbuf_kunit_exit);

MODULE_DESCRIPTION("KUnit tests of secbuf");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
