// SPDX-License-Identifier: GPL-2.0
/*
 * Idle: one deferrable work item that finds what was not used for a while,
 * whatever that is, without looking at what was.
 *
 * A wheel has a level for each magnitude of timeouts, whose tick is between a
 * 64th and a 32nd of them. What is touched goes to the bucket of the tick after
 * which it is idle however late in this tick it is touched again, so there it
 * can stay until the tick is over. As time goes on, passed buckets are emptied
 * as a whole into a list, by whoever comes first: a scan, or what is put into
 * the same level. That way a bucket never has nodes of two rounds, however long
 * no scan could run, and a scan has nothing to do but to take that list.
 */
#include "idle.h"

#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

static unsigned int level_shift(unsigned int level)
{
	return SECBUF_IDLE_SHIFT + level;
}

static unsigned int level_of(u32 timeout_ms)
{
	u64 units = (u64)timeout_ms * NSEC_PER_MSEC / 32 >> SECBUF_IDLE_SHIFT;

	return units ? min(ilog2(units), SECBUF_IDLE_LEVELS - 1) : 0;
}

/*
 * The tick in which it is idle for sure if it is touched in that of @now. The
 * clock may be a tick of the kernel behind when it was touched.
 */
static u64 tick_due(const struct secbuf_idle *idle, u64 now)
{
	u64 timeout = (u64)idle->timeout_ms * NSEC_PER_MSEC + TICK_NSEC;
	unsigned int shift = level_shift(idle->level);

	return (now >> shift) + 1 + ((timeout - 1) >> shift) + 1;
}

/* Empty the buckets of the ticks that are over. */
static void level_advance(struct secbuf_idle_wheel *wheel,
			  unsigned int i, u64 now)
{
	struct secbuf_idle_level *level = &wheel->levels[i];
	u64 tick = now >> level_shift(i);
	unsigned int slot;
	u64 passed;

	if (tick <= level->tick)
		return;
	passed = min_t(u64, tick - level->tick, SECBUF_IDLE_BUCKETS);
	for (tick = level->tick + 1; passed--; tick++) {
		slot = tick % SECBUF_IDLE_BUCKETS;
		if (__test_and_clear_bit(slot, level->used))
			list_splice_tail_init(&level->buckets[slot],
					      &wheel->late);
	}
	level->tick = now >> level_shift(i);
}

/* When the first bucket of a level is due; U64_MAX if it has no nodes. */
static u64 level_due(struct secbuf_idle_wheel *wheel, unsigned int i)
{
	struct secbuf_idle_level *level = &wheel->levels[i];
	unsigned int slot, first, n;

	first = (level->tick + 1) % SECBUF_IDLE_BUCKETS;
	while (!bitmap_empty(level->used, SECBUF_IDLE_BUCKETS)) {
		slot = find_next_bit(level->used, SECBUF_IDLE_BUCKETS, first);
		if (slot >= SECBUF_IDLE_BUCKETS)
			slot = find_first_bit(level->used,
					      SECBUF_IDLE_BUCKETS);
		n = (slot - first) % SECBUF_IDLE_BUCKETS;
		if (!list_empty(&level->buckets[slot]))
			return (level->tick + 1 + n) << level_shift(i);
		/* All that was there has moved. */
		__clear_bit(slot, level->used);
	}
	return U64_MAX;
}

/*
 * Timers are late by up to an eighth of their time. Where that is more than a
 * tick of the level, the scan comes earlier, finds nothing, and arms once more.
 */
static void arm(struct secbuf_idle_wheel *wheel, u64 due, u64 now,
		unsigned int level)
{
	u64 ns = due > now ? due - now : 0;

	if (ns >> 3 >> level_shift(level))
		ns -= ns >> 3;
	wheel->armed = due;
	if (wheel->arm)
		wheel->arm(ns);
}

/* Wherever it was before. */
static void wheel_add(struct secbuf_idle_wheel *wheel, struct secbuf_idle *idle,
		      u64 now)
{
	struct secbuf_idle_level *level = &wheel->levels[idle->level];
	unsigned int shift = level_shift(idle->level);
	unsigned int slot;
	u64 tick;

	level_advance(wheel, idle->level, now);
	/* It can be later than when the caller looked at the clock. */
	tick = max(tick_due(idle, now), level->tick + 1);
	slot = tick % SECBUF_IDLE_BUCKETS;
	list_move_tail(&idle->node, &level->buckets[slot]);
	__set_bit(slot, level->used);
	WRITE_ONCE(idle->fresh_until, ((now >> shift) + 1) << shift);
	if (tick << shift < wheel->armed)
		arm(wheel, tick << shift, now, idle->level);
}

static void wheel_remove(struct secbuf_idle *idle)
{
	list_del_init(&idle->node);
	WRITE_ONCE(idle->fresh_until, 0);
}

/**
 * secbuf_idle_wheel_init() - an empty wheel
 * @wheel: the wheel
 */
void secbuf_idle_wheel_init(struct secbuf_idle_wheel *wheel)
{
	struct secbuf_idle_level *level;
	unsigned int i;

	memset(wheel, 0, sizeof(*wheel));
	spin_lock_init(&wheel->lock);
	INIT_LIST_HEAD(&wheel->late);
	wheel->armed = U64_MAX;
	for (level = wheel->levels;
	     level < wheel->levels + SECBUF_IDLE_LEVELS; level++)
		for (i = 0; i < SECBUF_IDLE_BUCKETS; i++)
			INIT_LIST_HEAD(&level->buckets[i]);
}

/**
 * secbuf_idle_wheel_put() - on the wheel, as touched now
 * @wheel: the wheel
 * @idle: on this wheel or on none
 * @now: nanoseconds since boot
 */
void secbuf_idle_wheel_put(struct secbuf_idle_wheel *wheel,
			   struct secbuf_idle *idle, u64 now)
{
	spin_lock(&wheel->lock);
	if (!idle->dead && now >= idle->fresh_until)
		wheel_add(wheel, idle, now);
	spin_unlock(&wheel->lock);
}

/**
 * secbuf_idle_wheel_del() - off the wheel, for ever
 * @wheel: the wheel
 * @idle: on this wheel or on none; its ops can still be running
 */
void secbuf_idle_wheel_del(struct secbuf_idle_wheel *wheel,
			   struct secbuf_idle *idle)
{
	spin_lock(&wheel->lock);
	idle->dead = true;
	wheel_remove(idle);
	spin_unlock(&wheel->lock);
}

/*
 * It was touched, but whoever did that has not got the lock yet to move it, or
 * his clock is ahead.
 */
static bool is_fresh(const struct secbuf_idle *idle, u64 now)
{
	return READ_ONCE(idle->used_at) + (u64)idle->timeout_ms * NSEC_PER_MSEC >
	       now;
}

/*
 * The lock is not held while the owner is asked. Meanwhile the node can be
 * touched, which puts it on the wheel again, or deleted.
 */
static void examine(struct secbuf_idle_wheel *wheel, struct secbuf_idle *idle,
		    u64 now, struct secbuf_idle_report *report)
{
	bool active;

	report->examined++;
	if (is_fresh(idle, now)) {
		wheel_add(wheel, idle, READ_ONCE(idle->used_at));
		return;
	}
	wheel_remove(idle);
	if (!idle->ops->get(idle))
		return;
	spin_unlock(&wheel->lock);
	active = idle->ops->expired(idle);
	report->expired += !active;
	spin_lock(&wheel->lock);
	if (active && !idle->dead && list_empty(&idle->node)) {
		WRITE_ONCE(idle->used_at, now);
		wheel_add(wheel, idle, now);
	}
	spin_unlock(&wheel->lock);
	idle->ops->put(idle);
	cond_resched();
	spin_lock(&wheel->lock);
}

/* Looked at before others may have the lock. */
#define SCAN_BATCH	64

/**
 * secbuf_idle_wheel_scan() - ask the owners of all that expired
 * @wheel: the wheel
 * @now: nanoseconds since boot
 * @report: what was done, but for the time
 *
 * What expires while it runs is for the next scan.
 *
 * Context: process, may sleep.
 */
void secbuf_idle_wheel_scan(struct secbuf_idle_wheel *wheel, u64 now,
			    struct secbuf_idle_report *report)
{
	unsigned int i, nr = 0;
	LIST_HEAD(expired);

	*report = (struct secbuf_idle_report) {};
	spin_lock(&wheel->lock);
	for (i = 0; i < SECBUF_IDLE_LEVELS; i++)
		level_advance(wheel, i, now);
	list_splice_init(&wheel->late, &expired);
	while (!list_empty(&expired)) {
		examine(wheel, list_first_entry(&expired, struct secbuf_idle,
						node), now, report);
		/* Those that are fresh do not give the lock away. */
		if (++nr % SCAN_BATCH)
			continue;
		spin_unlock(&wheel->lock);
		cond_resched();
		spin_lock(&wheel->lock);
	}
	spin_unlock(&wheel->lock);
}

/**
 * secbuf_idle_wheel_rearm() - to be called after each scan
 * @wheel: the wheel
 * @now: nanoseconds since boot
 */
void secbuf_idle_wheel_rearm(struct secbuf_idle_wheel *wheel, u64 now)
{
	unsigned int i, level = 0;
	u64 due, first = U64_MAX;

	spin_lock(&wheel->lock);
	for (i = 0; i < SECBUF_IDLE_LEVELS; i++) {
		due = level_due(wheel, i);
		if (due < first) {
			first = due;
			level = i;
		}
	}
	if (!list_empty(&wheel->late))
		first = now;
	wheel->armed = U64_MAX;
	if (first != U64_MAX)
		arm(wheel, first, now, level);
	spin_unlock(&wheel->lock);
}

static struct secbuf_idle_wheel module_wheel;
static struct workqueue_struct *idle_queue;

/* Of scans, protected by the lock of the wheel. */
static struct secbuf_idle_report last_report;
static u64 quiet_until;

static void scan_work(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(idle_work, scan_work);

static void module_arm(u64 ns)
{
	u64 now = ktime_get_boottime_ns();

	if (quiet_until > now)
		ns = max(ns, quiet_until - now);
	mod_delayed_work(idle_queue, &idle_work, nsecs_to_jiffies(ns) + 1);
}

/*
 * However many there are whose owners say each time that they are in use, it
 * takes a quarter of the time of one CPU at most.
 */
static void scan(struct secbuf_idle_report *report)
{
	u64 began = ktime_get_boottime_ns();
	u64 ended;

	secbuf_idle_wheel_scan(&module_wheel, ktime_get_coarse_boottime_ns(),
			       report);
	ended = ktime_get_boottime_ns();
	report->ns = ended - began;
	spin_lock(&module_wheel.lock);
	quiet_until = ended + 3 * report->ns;
	spin_unlock(&module_wheel.lock);
	secbuf_idle_wheel_rearm(&module_wheel, ended);
}

static void keep_report(const struct secbuf_idle_report *report)
{
	spin_lock(&module_wheel.lock);
	last_report = *report;
	spin_unlock(&module_wheel.lock);
}

static void scan_work(struct work_struct *work)
{
	struct secbuf_idle_report report;

	scan(&report);
	if (report.examined)
		keep_report(&report);
}

/* Timers stand still while the machine sleeps; the time since boot does not. */
static int pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == PM_POST_SUSPEND || event == PM_POST_HIBERNATION)
		mod_delayed_work(idle_queue, &idle_work, 0);
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = { .notifier_call = pm_event };

/**
 * secbuf_idle_init() - from now on nodes can be touched
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int secbuf_idle_init(void)
{
	int err;

	idle_queue = alloc_workqueue("secbuf_idle", WQ_UNBOUND | WQ_FREEZABLE,
				     0);
	if (!idle_queue)
		return -ENOMEM;
	secbuf_idle_wheel_init(&module_wheel);
	module_wheel.arm = module_arm;
	err = register_pm_notifier(&pm_notifier);
	if (err)
		destroy_workqueue(idle_queue);
	return err;
}

/**
 * secbuf_idle_exit() - undo secbuf_idle_init()
 *
 * Context: module exit; all nodes have been deleted.
 */
void secbuf_idle_exit(void)
{
	unregister_pm_notifier(&pm_notifier);
	cancel_delayed_work_sync(&idle_work);
	destroy_workqueue(idle_queue);
}

/**
 * secbuf_idle_setup() - a node that is not on the wheel yet
 * @idle: the node
 * @ops: of its owner
 * @timeout_ms: 1 to SECBUF_IDLE_MS_MAX
 */
void secbuf_idle_setup(struct secbuf_idle *idle,
		       const struct secbuf_idle_ops *ops, u32 timeout_ms)
{
	*idle = (struct secbuf_idle) {
		.ops = ops,
		.used_at = ktime_get_coarse_boottime_ns(),
		.timeout_ms = timeout_ms,
		.level = level_of(timeout_ms),
	};
	INIT_LIST_HEAD(&idle->node);
}

/**
 * secbuf_idle_set_timeout() - another timeout, from the next move on
 * @idle: the node, on the wheel or not
 * @timeout_ms: 1 to SECBUF_IDLE_MS_MAX
 *
 * Context: process; takes the wheel's spinlock.
 */
void secbuf_idle_set_timeout(struct secbuf_idle *idle, u32 timeout_ms)
{
	spin_lock(&module_wheel.lock);
	idle->timeout_ms = timeout_ms;
	idle->level = level_of(timeout_ms);
	spin_unlock(&module_wheel.lock);
}

/**
 * secbuf_idle_move() - the rest of secbuf_idle_touch()
 * @idle: the node
 * @now: when it was touched
 *
 * Context: process; takes the wheel's spinlock.
 */
void secbuf_idle_move(struct secbuf_idle *idle, u64 now)
{
	secbuf_idle_wheel_put(&module_wheel, idle, now);
}

/**
 * secbuf_idle_del() - the wheel forgets it, for ever
 * @idle: on the wheel or not. Ops that are running may go on; they have a
 *        reference
 *
 * Context: process; takes the wheel's spinlock.
 */
void secbuf_idle_del(struct secbuf_idle *idle)
{
	secbuf_idle_wheel_del(&module_wheel, idle);
}

/**
 * secbuf_idle_scan() - scan now
 * @report: what was done
 *
 * Context: process, may sleep.
 */
void secbuf_idle_scan(struct secbuf_idle_report *report)
{
	scan(report);
	keep_report(report);
}

/**
 * secbuf_idle_last_scan() - what the last scan did that somebody asked for, or
 *                           that had anything to do
 * @report: zero if there was none
 */
void secbuf_idle_last_scan(struct secbuf_idle_report *report)
{
	spin_lock(&module_wheel.lock);
	*report = last_report;
	spin_unlock(&module_wheel.lock);
}
