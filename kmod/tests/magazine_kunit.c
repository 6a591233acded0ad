// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines and the depot. They never look into a buffer, so any will do.
 */
#include "magazine.h"

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "buf.h"
#include "fixture.h"

#define CAP	4
#define NR	10

/* More slots than there is memory for. */
#define CAP_TOO_LARGE	BIT(30)

static struct secbuf buffers[NR];

static struct secbuf_magazine *magazine(struct kunit *test, unsigned int first,
					unsigned int nr)
{
	struct secbuf_magazine *mag;
	unsigned int i;

	mag = secbuf_magazine_alloc(CAP, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mag);
	for (i = 0; i < nr; i++)
		secbuf_magazine_push(mag, &buffers[first + i]);
	return mag;
}

/* Takes everything out of a depot; every buffer must be there once. */
static void depot_end(struct kunit *test, struct secbuf_depot *depot,
		      unsigned int nr)
{
	struct secbuf *popped[NR + 1];
	unsigned long seen = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, depot->nr_bufs, nr);
	KUNIT_ASSERT_EQ(test, secbuf_depot_pop(depot, popped, NR + 1), nr);
	for (i = 0; i < nr; i++)
		seen |= BIT(popped[i] - buffers);
	KUNIT_EXPECT_EQ(test, hweight_long(seen), nr);
	KUNIT_EXPECT_EQ(test, depot->nr_bufs, 0);
	secbuf_depot_exit(depot);
	KUNIT_EXPECT_TRUE(test, list_empty(&depot->full));
	KUNIT_EXPECT_TRUE(test, list_empty(&depot->empty));
}

static void order_test(struct kunit *test)
{
	struct secbuf_magazine *mag = magazine(test, 0, 0);
	int i;

	KUNIT_EXPECT_EQ(test, mag->cap, CAP);
	for (i = 0; i < CAP; i++) {
		KUNIT_EXPECT_EQ(test, secbuf_magazine_empty(mag), i == 0);
		KUNIT_EXPECT_FALSE(test, secbuf_magazine_full(mag));
		secbuf_magazine_push(mag, &buffers[i]);
	}
	KUNIT_EXPECT_TRUE(test, secbuf_magazine_full(mag));
	KUNIT_EXPECT_FALSE(test, secbuf_magazine_empty(mag));
	while (i--)
		KUNIT_EXPECT_PTR_EQ(test, secbuf_magazine_pop(mag),
				    &buffers[i]);
	KUNIT_EXPECT_TRUE(test, secbuf_magazine_empty(mag));
	secbuf_magazine_free(mag);
	secbuf_magazine_free(NULL);
}

static void depot_empty_test(struct kunit *test)
{
	struct secbuf_depot depot;
	struct secbuf *sb;

	secbuf_depot_init(&depot, CAP, NR);
	KUNIT_EXPECT_NULL(test, secbuf_depot_take_full(&depot));
	KUNIT_EXPECT_EQ(test, secbuf_depot_pop(&depot, &sb, 1), 0);
	KUNIT_EXPECT_EQ(test, secbuf_depot_trim(&depot), 0);
	depot_end(test, &depot, 0);
}

static void depot_limit_test(struct kunit *test)
{
	struct secbuf_depot depot;
	int i;

	secbuf_depot_init(&depot, CAP, NR - 1);
	for (i = 0; i < NR - 1; i++)
		KUNIT_EXPECT_TRUE(test,
				  secbuf_depot_push(&depot, &buffers[i]));
	KUNIT_EXPECT_FALSE(test, secbuf_depot_push(&depot, &buffers[i]));
	depot_end(test, &depot, NR - 1);
}

static void depot_limit_zero_test(struct kunit *test)
{
	struct secbuf_magazine *mag = magazine(test, 0, 1);
	struct secbuf_depot depot;

	secbuf_depot_init(&depot, CAP, 0);
	KUNIT_EXPECT_FALSE(test, secbuf_depot_push(&depot, &buffers[0]));
	KUNIT_EXPECT_FALSE(test, secbuf_depot_give(&depot, mag));
	secbuf_magazine_pop(mag);
	KUNIT_EXPECT_TRUE(test, secbuf_depot_give(&depot, mag));
	depot_end(test, &depot, 0);
}

static void depot_give_at_limit_test(struct kunit *test)
{
	struct secbuf_magazine *first = magazine(test, 0, CAP);
	struct secbuf_magazine *second = magazine(test, CAP, CAP);
	struct secbuf_magazine *third = magazine(test, 2 * CAP, 1);
	struct secbuf_depot depot;

	secbuf_depot_init(&depot, CAP, 2 * CAP);
	KUNIT_EXPECT_TRUE(test, secbuf_depot_give(&depot, first));
	KUNIT_EXPECT_TRUE(test, secbuf_depot_give(&depot, second));
	KUNIT_EXPECT_FALSE(test, secbuf_depot_give(&depot, third));
	KUNIT_EXPECT_EQ(test, third->nr, 1);
	KUNIT_EXPECT_EQ(test, depot.nr_bufs, 2 * CAP);
	secbuf_magazine_pop(third);
	KUNIT_EXPECT_TRUE(test, secbuf_depot_give(&depot, third));
	depot_end(test, &depot, 2 * CAP);
}

static void depot_pop_across_test(struct kunit *test)
{
	struct secbuf *popped[NR];
	struct secbuf_depot depot;

	secbuf_depot_init(&depot, CAP, NR);
	secbuf_depot_give(&depot, magazine(test, 0, CAP));
	secbuf_depot_give(&depot, magazine(test, CAP, CAP));
	secbuf_depot_give(&depot, magazine(test, 2 * CAP, 2));
	KUNIT_EXPECT_EQ(test, secbuf_depot_pop(&depot, popped, 3), 3);
	KUNIT_EXPECT_EQ(test, depot.nr_bufs, NR - 3);
	KUNIT_EXPECT_EQ(test, secbuf_depot_pop(&depot, popped + 3, NR), NR - 3);
	KUNIT_EXPECT_EQ(test, depot.nr_bufs, 0);
	KUNIT_EXPECT_EQ(test, secbuf_depot_trim(&depot), 3);
	depot_end(test, &depot, 0);
}

static void depot_partial_first_test(struct kunit *test)
{
	struct secbuf_magazine *full = magazine(test, 0, CAP);
	struct secbuf_magazine *partial = magazine(test, CAP, 2);
	struct secbuf_depot depot;
	struct secbuf *sb;

	secbuf_depot_init(&depot, CAP, NR);
	secbuf_depot_give(&depot, full);
	secbuf_depot_give(&depot, partial);

	/* Single buffers come from the partly filled one, and go there. */
	KUNIT_EXPECT_EQ(test, secbuf_depot_pop(&depot, &sb, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, sb, &buffers[CAP + 1]);
	KUNIT_EXPECT_TRUE(test, secbuf_depot_push(&depot, sb));
	KUNIT_EXPECT_EQ(test, partial->nr, 2);
	KUNIT_EXPECT_EQ(test, full->nr, CAP);

	/* Whole magazines do not, as long as there is another. */
	KUNIT_EXPECT_PTR_EQ(test, secbuf_depot_take_full(&depot), full);
	KUNIT_EXPECT_EQ(test, depot.nr_bufs, 2);
	KUNIT_EXPECT_PTR_EQ(test, secbuf_depot_take_full(&depot), partial);
	KUNIT_EXPECT_EQ(test, depot.nr_bufs, 0);
	KUNIT_EXPECT_NULL(test, secbuf_depot_take_full(&depot));

	KUNIT_EXPECT_TRUE(test, secbuf_depot_give(&depot, partial));
	KUNIT_EXPECT_TRUE(test, secbuf_depot_give(&depot, full));
	depot_end(test, &depot, CAP + 2);
}

static void depot_exchange_test(struct kunit *test)
{
	struct secbuf_magazine *empty = magazine(test, 0, 0);
	struct secbuf_magazine *full = magazine(test, 0, CAP);
	struct secbuf_magazine *mag;
	struct secbuf_depot depot;

	secbuf_depot_init(&depot, CAP, NR);
	secbuf_depot_give(&depot, empty);
	KUNIT_EXPECT_PTR_EQ(test, secbuf_depot_take_empty(&depot), empty);
	secbuf_depot_give(&depot, full);
	KUNIT_EXPECT_EQ(test, depot.nr_bufs, CAP);
	KUNIT_EXPECT_PTR_EQ(test, secbuf_depot_take_full(&depot), full);
	secbuf_depot_give(&depot, empty);

	/* The second one is fresh. */
	KUNIT_EXPECT_PTR_EQ(test, secbuf_depot_take_empty(&depot), empty);
	mag = secbuf_depot_take_empty(&depot);
	KUNIT_ASSERT_NOT_NULL(test, mag);
	KUNIT_EXPECT_EQ(test, mag->cap, CAP);
	KUNIT_EXPECT_TRUE(test, secbuf_magazine_empty(mag));
	secbuf_magazine_free(mag);
	secbuf_magazine_free(empty);
	secbuf_depot_give(&depot, full);
	depot_end(test, &depot, CAP);
}

static void no_memory_test(struct kunit *test)
{
	struct secbuf_depot depot;

	KUNIT_EXPECT_NULL(test,
			  secbuf_magazine_alloc(CAP_TOO_LARGE, GFP_KERNEL));
	secbuf_depot_init(&depot, CAP_TOO_LARGE, NR);
	KUNIT_EXPECT_NULL(test, secbuf_depot_take_empty(&depot));
	KUNIT_EXPECT_FALSE(test, secbuf_depot_push(&depot, &buffers[0]));
	depot_end(test, &depot, 0);
}

/* Moves buffers through a depot by all of its doors until it is stopped. */
static int mover(void *arg)
{
	struct secbuf_depot *depot = arg;
	struct secbuf_magazine *mag;
	struct secbuf *bufs[3];
	unsigned int nr;

	while (!kthread_should_stop()) {
		nr = secbuf_depot_pop(depot, bufs, ARRAY_SIZE(bufs));
		while (nr--)
			if (!secbuf_depot_push(depot, bufs[nr]))
				return -ENOMEM;
		mag = secbuf_depot_take_full(depot);
		if (mag && !secbuf_depot_give(depot, mag))
			return -ENOSPC;
		secbuf_depot_trim(depot);
		cond_resched();
	}
	return 0;
}

static void depot_threads_test(struct kunit *test)
{
	struct task_struct *task[3];
	struct secbuf_depot depot;
	int i;

	secbuf_depot_init(&depot, CAP, NR);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_TRUE(test,
				  secbuf_depot_push(&depot, &buffers[i]));
	for (i = 0; i < ARRAY_SIZE(task); i++)
		task[i] = fixture_thread(test, -1, mover, &depot);
	msleep(100);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		KUNIT_EXPECT_EQ(test, fixture_thread_stop(test, task[i]), 0);
	depot_end(test, &depot, NR);
}

static struct kunit_case magazine_cases[] = {
	KUNIT_CASE(order_test),
	KUNIT_CASE(depot_empty_test),
	KUNIT_CASE(depot_limit_test),
	KUNIT_CASE(depot_limit_zero_test),
	KUNIT_CASE(depot_give_at_limit_test),
	KUNIT_CASE(depot_pop_across_test),
	KUNIT_CASE(depot_partial_first_test),
	KUNIT_CASE(depot_exchange_test),
	KUNIT_CASE(no_memory_test),
	KUNIT_CASE(depot_threads_test),
	{}
};

static struct kunit_suite magazine_suite = {
	.name = "secbuf_magazine",
	.test_cases = magazine_cases,
};

kunit_test_suite(magazine_suite);
