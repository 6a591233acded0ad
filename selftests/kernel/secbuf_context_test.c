// SPDX-License-Identifier: GPL-2.0
/*
 * Pools in task and softirq context, on kernels without KUnit, too: the module
 * loads only if all is well.
 *
 * On each CPU a thread allocates, writes, compares and puts without a pause, and
 * interrupts the next CPU each time. There a tasklet does the same with the same
 * pool, in the middle of whatever the thread of that CPU is doing, and counts
 * how often that was a call of the pool.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <linux/secbuf.h>

#define BUF_SIZE	192
#define HELD		16	/* buffers that one context holds at most */

/* What has not met by then never will. */
#define LONGEST		(120 * HZ)

static unsigned int msecs = 1000;
module_param(msecs, uint, 0);
MODULE_PARM_DESC(msecs, "how long to run at least");

/**
 * struct context - one context that uses the pool
 * @held: its buffers; each has @tag all over
 * @nr: how many
 * @tag: a byte that no other context of this CPU uses
 * @in_call: it is in the middle of a call of the pool
 * @turn: turns so far
 * @wrong: buffers that were not zero, or changed while they were held
 */
struct context {
	struct secbuf *held[HELD];
	unsigned int nr;
	u8 tag;
	bool in_call;
	unsigned long turn;
	unsigned long wrong;
};

/**
 * struct victim - a CPU on which contexts meet
 * @task: uses the pool in task context
 * @softirq: uses it in softirq context
 * @tasklet: runs @softirq
 * @work: schedules @tasklet, where the interrupt may not
 * @nested: how often the tasklet found the task in the middle of a call
 * @csd: interrupts the CPU
 * @thread: runs @task
 * @next: whom it interrupts
 * @cpu: which CPU
 */
struct victim {
	struct context task;
	struct context softirq;
	struct tasklet_struct tasklet;
	struct irq_work work;
	unsigned long nested;
	/** @lock: held around some of the task's calls, interrupts on */
	spinlock_t lock;
	call_single_data_t csd;
	struct task_struct *thread;
	struct victim *next;
	int cpu;
};

static struct secbuf_pool *pool;
static struct victim *victims;

static void take(struct context *ctx, gfp_t gfp)
{
	struct secbuf **bufs = ctx->held + ctx->nr;
	unsigned int wanted = 1 + ctx->turn % 8;
	unsigned int got, i;
	u8 *data;

	wanted = min(wanted, HELD - ctx->nr);
	WRITE_ONCE(ctx->in_call, true);
	if (wanted == 1) {
		bufs[0] = secbuf_pool_alloc(pool, gfp);
		got = !!bufs[0];
	} else {
		got = secbuf_pool_alloc_bulk(pool, gfp, wanted, bufs);
	}
	WRITE_ONCE(ctx->in_call, false);
	for (i = 0; i < got; i++) {
		data = secbuf_data(bufs[i]);
		ctx->wrong += !!memchr_inv(data, 0, BUF_SIZE);
		memset(data, ctx->tag, BUF_SIZE);
	}
	ctx->nr += got;
}

/* The oldest first, so that what is parked moves. */
static void give(struct context *ctx, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		ctx->wrong += !!memchr_inv(secbuf_data(ctx->held[i]),
					   ctx->tag, BUF_SIZE);
	WRITE_ONCE(ctx->in_call, true);
	if (nr == 1)
		secbuf_put(ctx->held[0]);
	else
		secbuf_put_bulk(ctx->held, nr);
	WRITE_ONCE(ctx->in_call, false);
	ctx->nr -= nr;
	memmove(ctx->held, ctx->held + nr, ctx->nr * sizeof(*ctx->held));
}

static void use(struct context *ctx, gfp_t gfp)
{
	ctx->turn++;
	if (ctx->nr < HELD)
		take(ctx, gfp);
	if (ctx->nr)
		give(ctx, 1 + ctx->turn % ctx->nr);
}

static void softirq_fn(struct tasklet_struct *tasklet)
{
	struct victim *v = container_of(tasklet, struct victim, tasklet);

	v->nested += READ_ONCE(v->task.in_call);
	use(&v->softirq, GFP_ATOMIC);
}

static void raise_fn(struct irq_work *work)
{
	tasklet_schedule(&container_of(work, struct victim, work)->tasklet);
}

/* RT does not want softirqs raised here, for the CPU may be idle. */
static void interrupt(void *arg)
{
	struct victim *v = arg;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		irq_work_queue(&v->work);
	else
		tasklet_schedule(&v->tasklet);
}

static int task_fn(void *arg)
{
	struct victim *v = arg;

	while (!kthread_should_stop()) {
		if (v->task.turn % 8 == 0) {
			spin_lock(&v->lock);
			use(&v->task, GFP_ATOMIC);
			spin_unlock(&v->lock);
		} else {
			use(&v->task, GFP_KERNEL);
		}
		/* It may be that the last one is still on its way. */
		smp_call_function_single_async(v->next->cpu, &v->next->csd);
		if (v->task.turn % 64 == 0)
			cond_resched();
	}
	return 0;
}

static int victim_start(struct victim *v)
{
	struct task_struct *task;

	task = kthread_create(task_fn, v, "secbuf_context/%d", v->cpu);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, v->cpu);
	wake_up_process(task);
	v->thread = task;
	return 0;
}

static void nothing(void *arg)
{
}

/* All threads have ended. Calls of a CPU run in the order they were made. */
static void victim_end(struct victim *v)
{
	smp_call_function_single(v->cpu, nothing, NULL, 1);
	irq_work_sync(&v->work);
	tasklet_kill(&v->tasklet);
	if (v->task.nr)
		give(&v->task, v->task.nr);
	if (v->softirq.nr)
		give(&v->softirq, v->softirq.nr);
}

static void victim_init(struct victim *v, int cpu)
{
	int next = cpumask_next(cpu, cpu_online_mask);

	if (next >= nr_cpu_ids)
		next = cpumask_first(cpu_online_mask);
	v->cpu = cpu;
	v->next = &victims[next];
	v->task.tag = 0xaa;
	v->softirq.tag = 0x55;
	spin_lock_init(&v->lock);
	tasklet_setup(&v->tasklet, softirq_fn);
	init_irq_work(&v->work, raise_fn);
	INIT_CSD(&v->csd, interrupt, v);
}

/* Returns what has not happened so far, or NULL. */
static const char *lacking(void)
{
	unsigned long nested = 0;
	bool stuck = false;
	int cpu;

	for_each_online_cpu(cpu) {
		struct victim *v = &victims[cpu];

		nested += READ_ONCE(v->nested);
		stuck |= !READ_ONCE(v->task.turn) || !READ_ONCE(v->softirq.turn);
	}
	if (stuck)
		return "a CPU did nothing";
	/* With threaded softirqs, or alone, nobody is interrupted. */
	if (!nested && num_online_cpus() > 1 && !IS_ENABLED(CONFIG_PREEMPT_RT))
		return "the softirq never met the task";
	return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *judge(void)
{
	unsigned long turns = 0, softirqs = 0, nested = 0, wrong = 0;
	struct secbuf_pool_stats stats;
	int cpu;

	for_each_online_cpu(cpu) {
		struct victim *v = &victims[cpu];

		turns += v->task.turn;
		softirqs += v->softirq.turn;
		nested += v->nested;
		wrong += v->task.wrong + v->softirq.wrong;
	}
	secbuf_pool_get_stats(pool, &stats);
	pr_info("# %lu turns of tasks, %lu of softirqs, %lu nested\n", turns,
		softirqs, nested);
	pr_info("# %llu magazine hits, %llu depot hits, %llu misses, %llu failures\n",
		stats.magazine_hits, stats.depot_hits, stats.misses,
		stats.failures);
	if (wrong)
		return "a buffer was not zero, or not ours alone";
	if (stats.in_use || stats.acquired != stats.returned)
		return "the counters do not balance";
	if (stats.available != stats.allocated || stats.allocated > stats.max)
		return "buffers are missing, or too many";
	return lacking();
}

/* Who meets whom is up to the scheduler, and to whoever runs the machine. */
static void wait_until_met(void)
{
	unsigned long end = jiffies + LONGEST;

	msleep(msecs);
	while (lacking() && time_before(jiffies, end))
		msleep(20);
}

static int run(void)
{
	int cpu, err = 0;

	for_each_online_cpu(cpu)
		victim_init(&victims[cpu], cpu);
	for_each_online_cpu(cpu) {
		err = victim_start(&victims[cpu]);
		if (err)
			break;
	}
	if (!err)
		wait_until_met();
	for_each_online_cpu(cpu)
		if (victims[cpu].thread)
			kthread_stop(victims[cpu].thread);
	for_each_online_cpu(cpu)
		victim_end(&victims[cpu]);
	return err;
}

static int __init context_test_init(void)
{
	const struct secbuf_pool_params params = {
		.name = "context_test",
		.buf_size = BUF_SIZE,
		.min = 4,
		/* enough for magazines, not for all at all times */
		.max = 10 * num_possible_cpus(),
	};
	const char *complaint;
	int err;

	victims = kcalloc(nr_cpu_ids, sizeof(*victims), GFP_KERNEL);
	if (!victims)
		return -ENOMEM;
	pool = secbuf_pool_create(&params);
	if (IS_ERR(pool)) {
		kfree(victims);
		return PTR_ERR(pool);
	}
	cpus_read_lock();
	err = run();
	if (!err) {
		complaint = judge();
		if (complaint)
			err = -EINVAL;
		pr_info("%sok 1 context%s%s\n", complaint ? "not " : "",
			complaint ? ": " : "", complaint ?: "");
	}
	cpus_read_unlock();
	secbuf_pool_destroy(pool);
	kfree(victims);
	return err;
}

static void __exit context_test_exit(void)
{
}

module_init(context_test_init);
module_exit(context_test_exit);

MODULE_DESCRIPTION("Test of secbuf pools in task and softirq context");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
