// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: arithmetic of positions, bytes and records, what breaks a ring, what is
 * taken from it, and who is woken for what.
 */
#include "ring.h"

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>

#include "fixture.h"
#include "ring_io.h"
#include "ring_park.h"
#include "ring_pos.h"
#include "ring_stats.h"
#include "ring_wait.h"

#define SIZE	(4 * PAGE_SIZE)

static const struct secbuf_ring_ops no_ops = {};

static void release(void *arg)
{
	struct secbuf_ring *ring = arg;
	int i;

	for (i = 0; i < SECBUF_RING_END_NR; i++) {
		secbuf_ring_end_release(&ring->ends[i]);
		secbuf_ring_put(ring);
	}
}

/* A ring whose ends are held as if by processes, but nothing is mapped. */
static struct secbuf_ring *ring_new(struct kunit *test, u32 flags)
{
	struct secbuf_ring *ring;
	int i;

	ring = secbuf_ring_alloc(SIZE, flags, &secbuf_ring_reclaim_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ring));
	for (i = 0; i < SECBUF_RING_END_NR; i++)
		secbuf_ring_end_hold(&ring->ends[i], &no_ops, NULL);
	secbuf_ring_put(ring);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, release, ring),
			0);
	return ring;
}

static struct secbuf_ring_end *producer(struct secbuf_ring *ring)
{
	return &ring->ends[SECBUF_RING_END_PRODUCER];
}

static struct secbuf_ring_end *consumer(struct secbuf_ring *ring)
{
	return &ring->ends[SECBUF_RING_END_CONSUMER];
}

static u32 *state(struct secbuf_ring *ring)
{
	struct secbuf_ring_head *head;

	head = page_address(producer(ring)->control);
	return &head->state;
}

static ssize_t put(struct secbuf_ring *ring, const void *buf, size_t len)
{
	struct kvec vec = { (void *)buf, len };
	struct iov_iter from;

	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	return secbuf_ring_write_iter(producer(ring), &from, 0, 0);
}

static ssize_t get(struct secbuf_ring *ring, void *buf, size_t len)
{
	struct kvec vec = { buf, len };
	struct iov_iter to;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	return secbuf_ring_read_iter(consumer(ring), &to, 0, 0);
}

static bool is_zero(struct secbuf_ring *ring)
{
	struct page *page;
	int i;

	for (i = 0; i < SIZE >> PAGE_SHIFT; i++) {
		page = secbuf_ring_memory_page(&ring->memory, i);
		if (page && memchr_inv(page_address(page), 0, PAGE_SIZE))
			return false;
	}
	return true;
}

static int view(struct secbuf_ring_end *end, struct secbuf_ring_view *view)
{
	int err;

	down_read(&end->ring->map_lock);
	err = secbuf_ring_end_view(end, view);
	up_read(&end->ring->map_lock);
	return err;
}

struct pos_case {
	u64 head;
	u64 tail;
	bool bytes;	/* valid for bytes */
	bool records;	/* valid for records */
};

static const struct pos_case pos_cases[] = {
	{ 0, 0, true, true },
	{ SIZE, 0, true, true },
	{ SIZE + 1, 0, false, false },
	{ SIZE + 4, 0, false, false },
	{ 0, 1, false, false },
	{ 0, 4, false, false },
	{ 4, 4, true, true },
	{ 5, 4, true, false },
	{ 8, 7, true, false },
	{ 6, 6, true, false },
	{ 0, -(u64)SIZE, true, true },
	{ 0, -(u64)SIZE - 1, false, false },
	{ 0, -(u64)SIZE - 4, false, false },
	{ 8, -8ULL, true, true },
	{ ~0ULL, ~0ULL, true, false },
	{ ~0ULL, ~0ULL - SIZE, true, false },
	{ ~0ULL, 0, false, false },
	{ 1ULL << 63, 0, false, false },
	{ 1ULL << 32, 0, false, false },
	{ (1ULL << 63) + 4, 1ULL << 63, true, true },
};

static void pos_valid_test(struct kunit *test)
{
	const struct pos_case *c;
	int i;

	for (i = 0; i < ARRAY_SIZE(pos_cases); i++) {
		c = &pos_cases[i];
		KUNIT_EXPECT_EQ_MSG(test, c->bytes,
				    secbuf_ring_pos_valid(c->head, c->tail,
							  SIZE, false),
				    "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, c->records,
				    secbuf_ring_pos_valid(c->head, c->tail,
							  SIZE, true),
				    "case %d", i);
	}
}

static void pos_reached_test(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, secbuf_ring_pos_reached(5, 5));
	KUNIT_EXPECT_TRUE(test, secbuf_ring_pos_reached(6, 5));
	KUNIT_EXPECT_FALSE(test, secbuf_ring_pos_reached(4, 5));
	KUNIT_EXPECT_TRUE(test, secbuf_ring_pos_reached(3, -3ULL));
	KUNIT_EXPECT_FALSE(test, secbuf_ring_pos_reached(-3ULL, 3));
	KUNIT_EXPECT_TRUE(test, secbuf_ring_pos_reached(-1ULL, -SZ_64M - 1ULL));
}

static void record_size_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, secbuf_ring_record_size(1), 8ULL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_record_size(4), 8ULL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_record_size(5), 12ULL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_record_size(U32_MAX),
			(1ULL << 32) + 4);
	KUNIT_EXPECT_FALSE(test, secbuf_ring_record_valid(0, SIZE));
	KUNIT_EXPECT_FALSE(test, secbuf_ring_record_valid(1, 4));
	KUNIT_EXPECT_TRUE(test, secbuf_ring_record_valid(1, 8));
	KUNIT_EXPECT_TRUE(test, secbuf_ring_record_valid(SIZE - 4, SIZE));
	KUNIT_EXPECT_FALSE(test, secbuf_ring_record_valid(SIZE - 3, SIZE));
	KUNIT_EXPECT_FALSE(test, secbuf_ring_record_valid(U32_MAX, SIZE));
	KUNIT_EXPECT_FALSE(test, secbuf_ring_record_valid(U32_MAX - 3, SIZE));
}

/* Random amounts, from an offset close to the end of all counting. */
static void stream(struct kunit *test, u32 flags)
{
	struct secbuf_ring *ring = ring_new(test, flags);
	u8 *in = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	u8 *out = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	size_t len;
	ssize_t n;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, in);
	KUNIT_ASSERT_NOT_NULL(test, out);
	*producer(ring)->shared = -(u64)SIZE * 2;
	*consumer(ring)->shared = -(u64)SIZE * 2;
	for (i = 0; i < 200; i++) {
		len = get_random_u32() % (SIZE - 4) + 1;
		get_random_bytes(in, len);
		KUNIT_ASSERT_EQ(test, put(ring, in, len), (ssize_t)len);
		n = get(ring, out, SIZE);
		KUNIT_ASSERT_EQ(test, n, (ssize_t)len);
		KUNIT_ASSERT_EQ(test, memcmp(in, out, len), 0);
		KUNIT_ASSERT_TRUE(test, is_zero(ring));
	}
	/* The counting has gone round. */
	KUNIT_EXPECT_LT(test, *consumer(ring)->shared, 300ULL * SIZE);
	KUNIT_EXPECT_EQ(test, get(ring, out, SIZE), (ssize_t)-EAGAIN);
}

static void bytes_test(struct kunit *test)
{
	stream(test, 0);
}

static void records_test(struct kunit *test)
{
	stream(test, SECBUF_RING_F_RECORDS);
}

/* A position that cannot be: for good, on both sides. */
static void break_test(struct kunit *test)
{
	const struct pos_case *c;
	struct secbuf_ring *ring;
	struct secbuf_ring_view v;
	int i, expect;

	for (i = 0; i < ARRAY_SIZE(pos_cases); i++) {
		c = &pos_cases[i];
		ring = ring_new(test, 0);
		*producer(ring)->shared = c->head;
		*consumer(ring)->shared = c->tail;
		expect = c->bytes ? 0 : -EPROTO;
		KUNIT_EXPECT_EQ_MSG(test, view(i % 2 ? producer(ring) :
					       consumer(ring), &v), expect,
				    "case %d", i);
		*producer(ring)->shared = 0;
		*consumer(ring)->shared = 0;
		KUNIT_EXPECT_EQ(test, view(producer(ring), &v), expect);
		KUNIT_EXPECT_EQ(test, view(consumer(ring), &v), expect);
		KUNIT_EXPECT_EQ(test, put(ring, &i, 4),
				(ssize_t)(expect ?: 4));
	}
}

/* An end in the kernel does not read its position from shared memory. */
static void kept_position_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	struct secbuf_ring_view v;
	char buf[8] = "1234567";

	producer(ring)->in_kernel = true;
	KUNIT_EXPECT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	*producer(ring)->shared = 1000;
	KUNIT_EXPECT_EQ(test, view(consumer(ring), &v), 0);
	KUNIT_EXPECT_EQ(test, v.amount, 8ULL);
	KUNIT_EXPECT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, *producer(ring)->shared, 16ULL);
}

static void park_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	char buf[8] = "1234567";
	size_t bytes = 1;

	KUNIT_ASSERT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), -EBUSY);
	KUNIT_EXPECT_EQ(test, *state(ring), (u32)SECBUF_RING_PARKED);
	KUNIT_ASSERT_EQ(test, get(ring, buf, 8), (ssize_t)8);

	*state(ring) = SECBUF_RING_BUSY;
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), -EBUSY);
	/* What a hostile producer writes there is as good as BUSY. */
	*state(ring) = 77;
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), -EBUSY);
	KUNIT_EXPECT_EQ(test, *state(ring), 77U);

	*state(ring) = SECBUF_RING_PARKED;
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, (size_t)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, *state(ring), (u32)SECBUF_RING_GONE);
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, (size_t)0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_unpark(producer(ring)), 0);
	KUNIT_EXPECT_EQ(test, *state(ring), (u32)SECBUF_RING_BUSY);
}

/* Whoever is in the middle of something is not waited for. */
static void park_locked_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	size_t bytes;
	int i;

	for (i = 0; i < SECBUF_RING_END_NR; i++) {
		mutex_lock(&ring->ends[i].io_lock);
		KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes),
				-EBUSY);
		mutex_unlock(&ring->ends[i].io_lock);
	}
	down_read(&ring->map_lock);
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), -EBUSY);
	up_read(&ring->map_lock);
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), 0);
}

static void populated_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, SECBUF_RING_F_POPULATE);
	struct secbuf_reclaim *reclaim = &ring->reclaim;
	size_t bytes;

	KUNIT_EXPECT_EQ(test, ring->memory.nr, 4U);
	KUNIT_EXPECT_EQ(test, reclaim->ops->count(reclaim), (size_t)0);
	KUNIT_EXPECT_EQ(test, reclaim->ops->scan(reclaim, SIZE), (size_t)0);
	reclaim->ops->idle(reclaim);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 4U);
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, (size_t)SIZE);
}

/* Twice looked at without any use in between. */
static void idle_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	struct secbuf_reclaim *reclaim = &ring->reclaim;
	char buf[8] = "1234567";

	KUNIT_ASSERT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	KUNIT_ASSERT_EQ(test, get(ring, buf, 8), (ssize_t)8);
	reclaim->ops->idle(reclaim);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 1U);
	reclaim->ops->idle(reclaim);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 0U);
}

static void producer_dies_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	char buf[8] = "1234567";
	struct page *page;

	KUNIT_ASSERT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	page = secbuf_ring_memory_page(&ring->memory, 0);
	memset(page_address(page) + 8, 0x5a, PAGE_SIZE - 8);
	/* One who has lost it to another cannot end it. */
	secbuf_ring_end_die(producer(ring), 1);
	KUNIT_EXPECT_FALSE(test, producer(ring)->gone);
	secbuf_ring_end_die(producer(ring), 0);
	KUNIT_EXPECT_TRUE(test, producer(ring)->gone);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page) + 8, 0,
					   PAGE_SIZE - 8));
	/* Whatever is written there now. */
	*producer(ring)->shared = 3;
	memset(buf, 0, 8);
	KUNIT_EXPECT_EQ(test, get(ring, buf, 8), (ssize_t)8);
	KUNIT_EXPECT_STREQ(test, buf, "1234567");
	KUNIT_EXPECT_EQ(test, get(ring, buf, 8), (ssize_t)0);
	KUNIT_EXPECT_EQ(test, put(ring, buf, 8), (ssize_t)-ESHUTDOWN);
}

static void consumer_dies_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	char buf[8] = "1234567";

	KUNIT_ASSERT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	secbuf_ring_end_die(consumer(ring), 0);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 0U);
	KUNIT_EXPECT_EQ(test, put(ring, buf, 8), (ssize_t)-EPIPE);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 0U);
	KUNIT_EXPECT_EQ(test, get(ring, buf, 8), (ssize_t)-ESHUTDOWN);
}

static void claim_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);

	atomic_inc(&producer(ring)->mapped);
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_claim(producer(ring)), -EBUSY);
	atomic_dec(&producer(ring)->mapped);
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_claim(producer(ring)), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_claim(producer(ring)), -EPERM);
	secbuf_ring_end_die(producer(ring), 0);
	KUNIT_EXPECT_FALSE(test, producer(ring)->gone);
	secbuf_ring_end_die(producer(ring), 1);
	KUNIT_EXPECT_TRUE(test, producer(ring)->gone);
	secbuf_ring_end_die(consumer(ring), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_claim(consumer(ring)),
			-ESHUTDOWN);
}

/* Whoever was about to read or write when it was claimed does not. */
static void claim_stops_calls_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	char buf[8] = "1234567";

	KUNIT_ASSERT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	KUNIT_ASSERT_EQ(test, secbuf_ring_end_claim(consumer(ring)), 0);
	KUNIT_EXPECT_EQ(test, get(ring, buf, 8), (ssize_t)-EPERM);
	KUNIT_ASSERT_EQ(test, secbuf_ring_end_claim(producer(ring)), 0);
	KUNIT_EXPECT_EQ(test, put(ring, buf, 8), (ssize_t)-EPERM);
	KUNIT_EXPECT_EQ(test, *consumer(ring)->shared, 0ULL);
	KUNIT_EXPECT_EQ(test, *producer(ring)->shared, 8ULL);
}

static bool has_lock;

/* As who gives memory back, which must not make a claim fail. */
static int lock_fn(void *lock)
{
	mutex_lock(lock);
	WRITE_ONCE(has_lock, true);
	msleep(50);
	mutex_unlock(lock);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void claim_waits_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	struct secbuf_ring_end *end = consumer(ring);
	struct task_struct *task;

	has_lock = false;
	task = fixture_thread(test, -1, lock_fn, &end->io_lock);
	fixture_wait_until(READ_ONCE(has_lock));
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_claim(end), 0);
	fixture_thread_stop(test, task);
	/* A call that does not come to its end is not waited for. */
	end = producer(ring);
	mutex_lock(&end->io_lock);
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_claim(end), -EBUSY);
	mutex_unlock(&end->io_lock);
}

static void scribble(struct kunit *test, struct secbuf_ring_end *end)
{
	KUNIT_ASSERT_EQ(test, secbuf_ring_end_fill_scratch(end), 0);
	KUNIT_ASSERT_NOT_NULL(test, end->scratch);
	memset(page_address(end->scratch), 0x5a, PAGE_SIZE);
}

/* What was written for nobody goes with its end, or to no other owner. */
static void scratch_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);

	scribble(test, producer(ring));
	scribble(test, consumer(ring));
	KUNIT_ASSERT_EQ(test, secbuf_ring_end_claim(consumer(ring)), 0);
	KUNIT_EXPECT_NULL(test, consumer(ring)->scratch);
	KUNIT_EXPECT_NOT_NULL(test, producer(ring)->scratch);
	secbuf_ring_end_die(producer(ring), 0);
	KUNIT_EXPECT_NULL(test, producer(ring)->scratch);
	scribble(test, consumer(ring));
	secbuf_ring_end_die(consumer(ring), 1);
	KUNIT_EXPECT_NULL(test, consumer(ring)->scratch);
}

/* A fault that was on its way when the end died. */
static void late_scratch_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);

	secbuf_ring_end_die(consumer(ring), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_end_fill_scratch(consumer(ring)), 0);
	KUNIT_EXPECT_NULL(test, consumer(ring)->scratch);
}

/* A page that was on its way when the memory was dropped for good. */
static void late_page_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	size_t bytes = 1;

	KUNIT_EXPECT_EQ(test, secbuf_ring_memory_touch(&ring->memory, 1), 0);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 1U);
	secbuf_ring_end_die(consumer(ring), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_memory_touch(&ring->memory, 1), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_memory_fill(&ring->memory, 1,
						      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, ring->memory.nr, 0U);
	KUNIT_EXPECT_EQ(test, secbuf_ring_shrink(ring, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, (size_t)0);
}

static void bell_test(struct kunit *test)
{
	struct secbuf_ring_bell bell = {};
	u32 need_wake = 0;
	u64 wake_pos = 0, armed;

	secbuf_ring_bell_init(&bell, &need_wake, &wake_pos);
	armed = secbuf_ring_bell_arm(&bell, 10);
	KUNIT_EXPECT_NE(test, armed, 0ULL);
	KUNIT_EXPECT_EQ(test, need_wake, 1U);
	KUNIT_EXPECT_EQ(test, wake_pos, 10ULL);
	/* Not yet seen by the other side: the next one has to see to it. */
	armed = secbuf_ring_bell_arm(&bell, 12);
	KUNIT_EXPECT_NE(test, armed, 0ULL);
	KUNIT_EXPECT_EQ(test, wake_pos, 10ULL);
	secbuf_ring_bell_seen(&bell, armed - 1);
	KUNIT_EXPECT_NE(test, secbuf_ring_bell_arm(&bell, 12), 0ULL);
	secbuf_ring_bell_seen(&bell, armed + 1);
	KUNIT_EXPECT_EQ(test, secbuf_ring_bell_arm(&bell, 12), 0ULL);
	/* Less than before must be seen. */
	KUNIT_EXPECT_NE(test, secbuf_ring_bell_arm(&bell, 8), 0ULL);
	KUNIT_EXPECT_EQ(test, wake_pos, 8ULL);

	secbuf_ring_bell_ring(&bell, 7);
	KUNIT_EXPECT_EQ(test, need_wake, 1U);
	secbuf_ring_bell_ring(&bell, 8);
	KUNIT_EXPECT_EQ(test, need_wake, 0U);
	KUNIT_EXPECT_EQ(test, atomic64_read(&bell.wakes), (s64)1);
	/* Whoever comes now begins anew. */
	KUNIT_EXPECT_NE(test, secbuf_ring_bell_arm(&bell, 20), 0ULL);
	KUNIT_EXPECT_EQ(test, wake_pos, 20ULL);
	secbuf_ring_bell_alarm(&bell);
	KUNIT_EXPECT_EQ(test, need_wake, 0U);
}

static void wait_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	char buf[8] = "1234567";
	u64 amount;

	KUNIT_EXPECT_EQ(test, secbuf_ring_await(consumer(ring), 1, 0, 0),
			-ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, secbuf_ring_await(consumer(ring), 1, 0, 1),
			-EPERM);
	KUNIT_EXPECT_EQ(test, secbuf_ring_await(producer(ring), SIZE, 0, 0), 0);
	KUNIT_ASSERT_EQ(test, put(ring, buf, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, secbuf_ring_await(consumer(ring), 8, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_await(consumer(ring), 9, 2, 0),
			-ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, consumer(ring)->want, 9ULL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_ready(producer(ring), 1, &amount), 0);
	KUNIT_EXPECT_EQ(test, amount, (u64)SIZE - 8);
	secbuf_ring_reset(ring);
	KUNIT_EXPECT_EQ(test, secbuf_ring_await(consumer(ring), 1, 0, 0),
			-ESHUTDOWN);
}

static int wait_for_ever(void *arg)
{
	struct secbuf_ring_end *end = arg;
	int err;

	for (;;) {
		err = secbuf_ring_await(end, 1, MAX_SCHEDULE_TIMEOUT, 0);
		if (!kthread_should_park())
			return err;
		kthread_parkme();
	}
}

/* A thread that waits can be parked and stopped, and does not run until then. */
static void stop_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	atomic64_t *sleeps = &consumer(ring)->bell.sleeps;
	struct task_struct *task;

	task = kthread_run(wait_for_ever, consumer(ring), "ring_stop");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	fixture_wait_until(atomic64_read(sleeps) >= 1);
	KUNIT_EXPECT_EQ(test, kthread_park(task), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(sleeps), (s64)1);
	kthread_unpark(task);
	fixture_wait_until(atomic64_read(sleeps) >= 2);
	KUNIT_EXPECT_EQ(test, kthread_stop(task), -EINTR);
	KUNIT_EXPECT_EQ(test, atomic64_read(sleeps), (s64)2);
}

/* Used again since the clock was read. */
static void idle_ns_test(struct kunit *test)
{
	struct secbuf_ring *ring = ring_new(test, 0);
	struct secbuf_ring_stats_args stats = {};

	WRITE_ONCE(ring->used_at, ktime_get_boottime_ns() + 100 * NSEC_PER_SEC);
	secbuf_ring_fill_stats(ring, &stats);
	KUNIT_EXPECT_EQ(test, stats.out_idle_ns, 0);
	WRITE_ONCE(ring->used_at, 0);
	secbuf_ring_fill_stats(ring, &stats);
	KUNIT_EXPECT_GT(test, stats.out_idle_ns, 0);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(pos_valid_test),
	KUNIT_CASE(pos_reached_test),
	KUNIT_CASE(record_size_test),
	KUNIT_CASE(bytes_test),
	KUNIT_CASE(records_test),
	KUNIT_CASE(break_test),
	KUNIT_CASE(kept_position_test),
	KUNIT_CASE(park_test),
	KUNIT_CASE(park_locked_test),
	KUNIT_CASE(populated_test),
	KUNIT_CASE(idle_test),
	KUNIT_CASE(producer_dies_test),
	KUNIT_CASE(consumer_dies_test),
	KUNIT_CASE(claim_test),
	KUNIT_CASE(claim_stops_calls_test),
	KUNIT_CASE(claim_waits_test),
	KUNIT_CASE(scratch_test),
	KUNIT_CASE(late_scratch_test),
	KUNIT_CASE(late_page_test),
	KUNIT_CASE(bell_test),
	KUNIT_CASE(wait_test),
	KUNIT_CASE(stop_test),
	KUNIT_CASE(idle_ns_test),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "secbuf_ring",
	.init = fixture_init,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
