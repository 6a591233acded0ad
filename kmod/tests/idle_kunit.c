// SPDX-License-Identifier: GPL-2.0
/*
 * The wheel that finds what is idle: what it finds, when, and that it looks at
 * nothing else. Most tests turn a wheel of their own with a clock of their own.
 */
#include "idle.h"

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "fixture.h"

#define MS	((u64)NSEC_PER_MSEC)
#define DAY_MS	SECBUF_IDLE_MS_MAX

/* How long after boot the clock begins. */
#define BEGIN	(12345678 * MS)

static struct secbuf_idle_wheel *wheel;
static u64 last_arm;
static int nr_arms;
static u64 nr_examined;

/* What a node under test is in, and what its owner says. */
struct subject {
	struct secbuf_idle idle;
	int gets, puts, asked;
	int serial;
	u64 asked_at;
	bool dying;
	bool active;
	bool touch;
	bool del;
};

static u64 clock;
static int next_serial;

static struct subject *subject_of(struct secbuf_idle *idle)
{
	return container_of(idle, struct subject, idle);
}

static bool subject_get(struct secbuf_idle *idle)
{
	struct subject *s = subject_of(idle);

	if (s->dying)
		return false;
	s->gets++;
	return true;
}

static void touch(struct subject *s, u64 now)
{
	if (secbuf_idle_note(&s->idle, now))
		secbuf_idle_wheel_put(wheel, &s->idle, now);
}

static bool subject_expired(struct secbuf_idle *idle)
{
	struct subject *s = subject_of(idle);

	might_sleep();
	s->asked++;
	s->asked_at = clock;
	s->serial = next_serial++;
	if (s->touch)
		touch(s, clock);
	if (s->del)
		secbuf_idle_wheel_del(wheel, idle);
	return s->active;
}

static void subject_put(struct secbuf_idle *idle)
{
	might_sleep();
	subject_of(idle)->puts++;
}

static const struct secbuf_idle_ops subject_ops = {
	.get = subject_get,
	.expired = subject_expired,
	.put = subject_put,
};

static void note_arm(u64 ns)
{
	last_arm = ns;
	nr_arms++;
}

static void free_wheel(void *unused)
{
	vfree(wheel);
}

static int idle_test_init(struct kunit *test)
{
	wheel = vmalloc(sizeof(*wheel));
	if (!wheel)
		return -ENOMEM;
	secbuf_idle_wheel_init(wheel);
	wheel->arm = note_arm;
	nr_arms = 0;
	nr_examined = 0;
	next_serial = 0;
	clock = BEGIN;
	return kunit_add_action_or_reset(test, free_wheel, NULL);
}

static struct subject *subjects_new(struct kunit *test, int nr, u32 timeout_ms)
{
	struct subject *s;
	int i;

	s = kunit_kcalloc(test, nr, sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < nr; i++)
		secbuf_idle_setup(&s[i].idle, &subject_ops, timeout_ms);
	return s;
}

static struct secbuf_idle_report scan(u64 now)
{
	struct secbuf_idle_report report;

	clock = now;
	secbuf_idle_wheel_scan(wheel, now, &report);
	secbuf_idle_wheel_rearm(wheel, now);
	nr_examined += report.examined;
	return report;
}

/* As the work does: a scan whenever it is armed, until @end. */
static void run_until(struct kunit *test, u64 end)
{
	int runs = 0;

	while (wheel->armed <= end) {
		KUNIT_ASSERT_LT(test, runs++, 100000);
		scan(max(clock + 1, wheel->armed));
	}
	clock = max(clock, end);
}

/*
 * Not before its time, and not more than an eighth later; shorter times have
 * the kernel's tick, and a millisecond, as grain.
 */
static void lateness_test(struct kunit *test)
{
	u64 timeout, grain, late;
	struct subject *s;
	u32 ms;

	for (ms = 1; ms <= DAY_MS; ms += 1 + ms / 5 + get_random_u32() % 7) {
		timeout = ms * MS;
		/* An eighth is for the wheel and for its timer. */
		grain = TICK_NSEC + 3 * MS;
		s = subjects_new(test, 1, ms);
		clock += get_random_u32();
		touch(s, clock);
		run_until(test, clock + 2 * timeout + grain);
		KUNIT_ASSERT_EQ(test, s->asked, 1);
		KUNIT_ASSERT_GE(test, s->asked_at, s->idle.used_at + timeout);
		late = s->asked_at - s->idle.used_at - timeout;
		KUNIT_ASSERT_LE(test, late, timeout / 12 + grain);
		secbuf_idle_wheel_del(wheel, &s->idle);
		kunit_kfree(test, s);
	}
}

static void longest_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 1, DAY_MS);

	touch(s, clock);
	run_until(test, clock + DAY_MS * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 0);
	run_until(test, clock + DAY_MS / 8 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
}

/* Those that were touched first, expire first. */
static void order_test(struct kunit *test)
{
	enum { NR = 300 };
	struct subject *s = subjects_new(test, NR, 1000);
	int i;

	for (i = 0; i < NR; i++)
		touch(&s[i], clock += 10 * MS);
	for (i = 0; i < NR / 2; i++)
		touch(&s[i], clock += 10 * MS);
	scan(clock + 2000 * MS);
	for (i = 0; i < NR; i++) {
		KUNIT_ASSERT_EQ(test, s[i].asked, 1);
		KUNIT_ASSERT_EQ(test, s[i].serial, (i + NR / 2) % NR);
	}
}

/* Within a tick of the level a touch leaves the node where it is. */
static void touch_in_tick_test(struct kunit *test)
{
	u64 tick = 1ULL << (SECBUF_IDLE_SHIFT + 4);
	struct subject *s = subjects_new(test, 1, 1000);
	struct list_head *before;
	u64 end;

	clock = round_up(clock, tick);
	touch(s, clock);
	KUNIT_ASSERT_EQ(test, s->idle.fresh_until, clock + tick);
	before = s->idle.node.prev;
	end = clock + tick;
	for (; clock < end; clock += tick / 100) {
		KUNIT_ASSERT_FALSE(test, secbuf_idle_note(&s->idle, clock));
		KUNIT_ASSERT_EQ(test, s->idle.used_at, clock);
	}
	KUNIT_EXPECT_PTR_EQ(test, before, s->idle.node.prev);
	KUNIT_EXPECT_TRUE(test, secbuf_idle_note(&s->idle, end));
	touch(s, end);
	KUNIT_EXPECT_PTR_NE(test, before, s->idle.node.prev);
	/* The last touch of a tick counts as much as the first. */
	touch(s, end + tick - 1);
	run_until(test, end + tick - 1 + 1000 * MS - 1);
	KUNIT_EXPECT_EQ(test, s->asked, 0);
	run_until(test, clock + 125 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
	KUNIT_EXPECT_EQ(test, nr_examined, 1);
}

static void once_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 1, 1000);
	struct secbuf_idle_report report;

	touch(s, clock);
	report = scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, report.examined, 1);
	KUNIT_EXPECT_EQ(test, report.expired, 1);
	report = scan(clock + 100000 * MS);
	KUNIT_EXPECT_EQ(test, report.examined, 0);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
	KUNIT_EXPECT_EQ(test, wheel->armed, U64_MAX);
	touch(s, clock);
	scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 2);
	KUNIT_EXPECT_EQ(test, s->gets, 2);
	KUNIT_EXPECT_EQ(test, s->puts, 2);
}

/* Who says that he is in use, is asked again after the same time. */
static void active_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 1, 1000);
	struct secbuf_idle_report report;
	int i;

	s->active = true;
	touch(s, clock);
	for (i = 1; i <= 200; i++) {
		report = scan(clock + 999 * MS);
		KUNIT_ASSERT_EQ(test, report.examined, 0);
		report = scan(clock + 126 * MS);
		KUNIT_ASSERT_EQ(test, report.examined, 1);
		KUNIT_ASSERT_EQ(test, report.expired, 0);
		KUNIT_ASSERT_EQ(test, s->asked, i);
		KUNIT_ASSERT_EQ(test, s->idle.used_at, clock);
	}
	s->active = false;
	report = scan(clock + 1125 * MS);
	KUNIT_EXPECT_EQ(test, report.expired, 1);
}

/* What is touched while its owner is asked, is on the wheel, whatever he says. */
static void touch_while_asked_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 1, 1000);

	s->touch = true;
	touch(s, clock);
	scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
	s->active = true;
	scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 2);
	scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 3);
}

static void del_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 4, 1000);
	int i;

	for (i = 0; i < 4; i++)
		touch(&s[i], clock);
	secbuf_idle_wheel_del(wheel, &s[0].idle);
	secbuf_idle_wheel_del(wheel, &s[0].idle);
	touch(&s[0], clock);
	s[1].dying = true;
	s[2].del = true;
	s[2].active = true;
	s[3].del = true;
	s[3].touch = true;
	scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, s[0].gets, 0);
	KUNIT_EXPECT_EQ(test, s[1].asked, 0);
	KUNIT_EXPECT_EQ(test, s[1].puts, 0);
	touch(&s[2], clock);
	KUNIT_EXPECT_EQ(test, wheel->armed, U64_MAX);
	scan(clock + 1200 * MS);
	for (i = 2; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, s[i].asked, 1);
		KUNIT_EXPECT_EQ(test, s[i].puts, 1);
		KUNIT_EXPECT_TRUE(test, list_empty(&s[i].idle.node));
	}
	for (i = 0; i < 4; i++)
		secbuf_idle_wheel_del(wheel, &s[i].idle);
}

/*
 * No scan for a long time, and meanwhile all were touched. Then nothing but what
 * expired is looked at, though its buckets are those of others, too.
 */
static void asleep_test(struct kunit *test)
{
	enum { NR = 1000 };
	struct subject *s = subjects_new(test, NR, 1000);
	struct secbuf_idle_report report;
	int i, round;

	for (i = 0; i < NR; i++)
		touch(&s[i], clock);
	for (round = 0; round < 700; round++) {
		clock += 7 * MS;
		for (i = 10; i < NR; i++)
			touch(&s[i], clock);
		cond_resched();
	}
	report = scan(clock);
	KUNIT_EXPECT_EQ(test, report.examined, 10);
	KUNIT_EXPECT_EQ(test, report.expired, 10);
	/* Years, and all at once. */
	report = scan(clock + 1000 * DAY_MS * MS);
	KUNIT_EXPECT_EQ(test, report.expired, NR - 10);
}

/* The clock of another CPU is behind, or who touched it was interrupted. */
static void clock_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 3, 1);

	scan(clock);
	touch(&s[0], clock - 60 * MS);
	touch(&s[1], clock - 1);
	/* It was noted, but is not moved yet, when the scan comes. */
	touch(&s[2], clock);
	secbuf_idle_note(&s[2].idle, clock + 90 * MS);
	scan(clock + 50 * MS);
	KUNIT_EXPECT_EQ(test, s[0].asked, 1);
	KUNIT_EXPECT_EQ(test, s[1].asked, 1);
	KUNIT_EXPECT_EQ(test, s[2].asked, 0);
	scan(clock + 70 * MS);
	KUNIT_EXPECT_EQ(test, s[2].asked, 1);
}

/* 100,000 nodes of all timeouts, touched at random, but for a few. */
static void crowd_test(struct kunit *test)
{
	enum { NR = 100000 };
	struct subject *s = vcalloc(NR, sizeof(*s));
	struct secbuf_idle_report report;
	u64 examined = 0, expired = 0, due;
	int i, round;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < NR; i++) {
		secbuf_idle_setup(&s[i].idle, &subject_ops,
				  (1000 << i % 7) + i % 1000);
		touch(&s[i], clock);
	}
	/* All of the shortest timeout but each 100th are kept alive. */
	for (round = 0; round < 100; round++) {
		clock += 100 * MS;
		for (i = 0; i < NR; i += round % 10 ? 7 : 1)
			if (i / 7 % 100)
				touch(&s[i], clock);
		report = scan(clock);
		examined += report.examined;
		expired += report.expired;
		cond_resched();
	}
	due = 0;
	for (i = 0; i < NR; i++) {
		due += s[i].asked;
		if (s[i].asked > 1 || (s[i].asked && i / 7 % 100))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, NR);
	KUNIT_EXPECT_GT(test, due, NR / 100 / 7);
	KUNIT_EXPECT_EQ(test, expired, due);
	KUNIT_EXPECT_EQ(test, examined, due);
	for (i = 0; i < NR; i++)
		secbuf_idle_wheel_del(wheel, &s[i].idle);
	vfree(s);
}

/* It is armed when there is something to expire, and only then. */
static void arm_test(struct kunit *test)
{
	struct subject *s = subjects_new(test, 1, 1000);
	struct subject *shorter = subjects_new(test, 1, 10);

	scan(clock);
	KUNIT_EXPECT_EQ(test, nr_arms, 0);
	touch(s, clock);
	KUNIT_EXPECT_EQ(test, nr_arms, 1);
	KUNIT_EXPECT_GT(test, last_arm, 0);
	/* Timers can be an eighth late. */
	KUNIT_EXPECT_LE(test, last_arm + last_arm / 8, 1125 * MS);
	touch(s, clock + 500 * MS);
	KUNIT_EXPECT_EQ(test, nr_arms, 1);
	touch(shorter, clock + 500 * MS);
	KUNIT_EXPECT_EQ(test, nr_arms, 2);
	KUNIT_EXPECT_LE(test, last_arm, 10 * MS + TICK_NSEC + 3 * MS);
	scan(clock + 600 * MS);
	KUNIT_EXPECT_EQ(test, shorter->asked, 1);
	KUNIT_EXPECT_EQ(test, nr_arms, 3);
	scan(clock + 1200 * MS);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
	KUNIT_EXPECT_EQ(test, nr_arms, 3);
}

/*
 * The wheel of the module, with its work: threads touch, delete and scan at the
 * same time, and who sleeps in his mutex while he is asked, may do so.
 */
struct owned {
	struct secbuf_idle idle;
	atomic_t refs;
	atomic_t asked;
	bool active;
};

static DEFINE_MUTEX(owner_lock);

static bool owned_get(struct secbuf_idle *idle)
{
	return atomic_inc_not_zero(&container_of(idle, struct owned,
						 idle)->refs);
}

static void owned_put(struct secbuf_idle *idle)
{
	struct owned *o = container_of(idle, struct owned, idle);

	if (atomic_dec_and_test(&o->refs)) {
		secbuf_idle_del(&o->idle);
		kfree(o);
	}
}

static bool owned_expired(struct secbuf_idle *idle)
{
	struct owned *o = container_of(idle, struct owned, idle);
	bool active;

	mutex_lock(&owner_lock);
	atomic_inc(&o->asked);
	active = o->active;
	o->active = !active;
	mutex_unlock(&owner_lock);
	return active;
}

static const struct secbuf_idle_ops owned_ops = {
	.get = owned_get,
	.expired = owned_expired,
	.put = owned_put,
};

static struct owned *owned_new(u32 timeout_ms)
{
	struct owned *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (o) {
		atomic_set(&o->refs, 1);
		secbuf_idle_setup(&o->idle, &owned_ops, timeout_ms);
	}
	return o;
}

#define NR_OWNED	64

static struct owned *shared[NR_OWNED];

static int touch_fn(void *arg)
{
	struct secbuf_idle_report report;
	int i = 0;

	while (!kthread_should_stop()) {
		struct owned *o;

		for (; i % 1000; i++)
			secbuf_idle_touch(&shared[i % NR_OWNED]->idle);
		i++;
		o = owned_new(1 + i % 3);
		if (o) {
			secbuf_idle_touch(&o->idle);
			usleep_range(500, 3000);
			owned_put(&o->idle);
		}
		secbuf_idle_scan(&report);
		cond_resched();
	}
	return 0;
}

static void threads_test(struct kunit *test)
{
	struct task_struct *tasks[4];
	int i, asked = 0;

	for (i = 0; i < NR_OWNED; i++) {
		shared[i] = owned_new(1 + i);
		KUNIT_ASSERT_NOT_NULL(test, shared[i]);
	}
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		tasks[i] = fixture_thread(test, -1, touch_fn, NULL);
	msleep(1000);
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		fixture_thread_stop(test, tasks[i]);
	for (i = 0; i < NR_OWNED; i++) {
		asked += atomic_read(&shared[i]->asked);
		owned_put(&shared[i]->idle);
	}
	kunit_info(test, "asked %d times", asked);
}

/* Without a scan by hand. */
static void work_test(struct kunit *test)
{
	struct owned *o = owned_new(50);
	u64 before;

	KUNIT_ASSERT_NOT_NULL(test, o);
	o->active = true;
	secbuf_idle_touch(&o->idle);
	fixture_wait_until(atomic_read(&o->asked) >= 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&o->asked), 2);
	msleep(200);
	KUNIT_EXPECT_EQ(test, atomic_read(&o->asked), 2);
	KUNIT_EXPECT_TRUE(test, secbuf_idle_is_over(&o->idle));
	KUNIT_EXPECT_GE(test, secbuf_idle_ns(&o->idle), 200 * MS);
	secbuf_idle_set_timeout(&o->idle, DAY_MS);
	KUNIT_EXPECT_FALSE(test, secbuf_idle_is_over(&o->idle));
	before = o->idle.used_at;
	secbuf_idle_touch(&o->idle);
	KUNIT_EXPECT_GT(test, o->idle.used_at, before);
	owned_put(&o->idle);
}

/* Puts it there once, and does not keep it there. */
static void start_test(struct kunit *test)
{
	unsigned long deadline = jiffies + 60 * HZ;
	struct owned *o = owned_new(100);

	KUNIT_ASSERT_NOT_NULL(test, o);
	while (atomic_read(&o->asked) < 2 && time_before(jiffies, deadline)) {
		secbuf_idle_start(&o->idle);
		msleep(20);
	}
	KUNIT_EXPECT_GE(test, atomic_read(&o->asked), 2);
	owned_put(&o->idle);
}

static struct kunit_case idle_cases[] = {
	KUNIT_CASE(lateness_test),
	KUNIT_CASE(longest_test),
	KUNIT_CASE(order_test),
	KUNIT_CASE(touch_in_tick_test),
	KUNIT_CASE(once_test),
	KUNIT_CASE(active_test),
	KUNIT_CASE(touch_while_asked_test),
	KUNIT_CASE(del_test),
	KUNIT_CASE(asleep_test),
	KUNIT_CASE(clock_test),
	KUNIT_CASE(crowd_test),
	KUNIT_CASE(arm_test),
	KUNIT_CASE(threads_test),
	KUNIT_CASE(work_test),
	KUNIT_CASE(start_test),
	{}
};

static struct kunit_suite idle_suite = {
	.name = "secbuf_idle",
	.init = idle_test_init,
	.test_cases = idle_cases,
};

kunit_test_suite(idle_suite);
