// SPDX-License-Identifier: GPL-2.0
/*
 * What a program has of a kernel-held pool: ids, who takes a buffer back while
 * it is copied, and the end of the owner.
 */
#include "grant.h"

#include <kunit/test.h>
#include <linux/string.h>

#include "account.h"
#include "buf.h"
#include "fixture.h"

#define SIZE	64
#define LIMIT	48

/* More than one chunk, and not a multiple of it. */
#define NR	40

static struct secbuf_grants grants;
static struct secbuf_account account;

static int grant_init(struct kunit *test)
{
	const struct secbuf_pool_params params = {
		.name = "grants", .buf_size = SIZE, .max = LIMIT,
	};
	int err = fixture_init(test);

	if (err)
		return err;
	grants = (struct secbuf_grants){ };
	err = secbuf_account_init(&account);
	if (!err)
		err = secbuf_grants_init(&grants, &account, &params);
	return err;
}

static void grant_exit(struct kunit *test)
{
	secbuf_grants_exit(&grants);
	secbuf_account_exit(&account);
}

static struct secbuf_grants_stats stats_now(void)
{
	struct secbuf_grants_stats stats;

	secbuf_grants_get_stats(&grants, &stats);
	return stats;
}

static void expect_counters(struct kunit *test, u32 in_use, u64 acquired,
			    u64 returned)
{
	KUNIT_EXPECT_EQ(test, stats_now().in_use, in_use);
	KUNIT_EXPECT_EQ(test, stats_now().acquired, acquired);
	KUNIT_EXPECT_EQ(test, stats_now().returned, returned);
}

static void add_remove_test(struct kunit *test)
{
	u64 ids[NR], kept;

	KUNIT_ASSERT_EQ(test, secbuf_grants_add(&grants, ids, NR, false), NR);
	expect_counters(test, NR, NR, 0);
	KUNIT_EXPECT_EQ(test, stats_now().peak, NR);
	KUNIT_EXPECT_EQ(test, stats_now().pool.in_use, NR);

	/* Up to the first that is none. */
	kept = ids[35];
	ids[35] = ids[0];
	KUNIT_EXPECT_EQ(test, secbuf_grants_remove(&grants, ids, NR), 35);
	expect_counters(test, NR - 35, NR, 35);
	KUNIT_EXPECT_EQ(test, secbuf_grants_remove(&grants, ids, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, secbuf_grants_remove(&grants, &kept, 1), 1);
	KUNIT_EXPECT_EQ(test, secbuf_grants_remove_all(&grants), NR - 36);
	KUNIT_EXPECT_EQ(test, secbuf_grants_remove_all(&grants), 0);
	expect_counters(test, 0, NR, NR);
	KUNIT_EXPECT_EQ(test, stats_now().pool.in_use, 0);
	KUNIT_EXPECT_EQ(test, stats_now().peak, NR);
}

static void limit_test(struct kunit *test)
{
	u64 ids[LIMIT + 1];

	KUNIT_EXPECT_EQ(test, LIMIT,
			secbuf_grants_add(&grants, ids, LIMIT + 1, false));
	KUNIT_EXPECT_EQ(test, stats_now().failures, 1);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			secbuf_grants_add(&grants, ids, 1, false));
	KUNIT_EXPECT_EQ(test, stats_now().failures, 2);
	expect_counters(test, LIMIT, LIMIT, 0);
}

/* Another thread has freed one of them before the caller got to know it. */
static void undo_test(struct kunit *test)
{
	u64 ids[3];

	KUNIT_ASSERT_EQ(test, secbuf_grants_add(&grants, ids, 3, false), 3);
	KUNIT_EXPECT_EQ(test, secbuf_grants_remove(&grants, &ids[1], 1), 1);
	secbuf_grants_undo(&grants, ids, 3);
	expect_counters(test, 0, 3, 3);
}

static void remove_all(void)
{
	secbuf_grants_remove_all(&grants);
}

static void kill(void)
{
	secbuf_grants_kill(&grants, false);
}

static void put_all(void)
{
	secbuf_grants_put_all(&grants);
}

/* Who copies goes on with zeros, and what he writes does not stay either. */
static void copying_test(struct kunit *test)
{
	void (*const ends[])(void) = { remove_all, put_all, kill };
	struct secbuf *sb;
	unsigned int i;
	u64 id;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		KUNIT_ASSERT_EQ(test, secbuf_grants_add(&grants, &id, 1, false),
				1);
		secbuf_grants_begin_copy(&grants);
		sb = secbuf_grants_get(&grants, id);
		KUNIT_ASSERT_NOT_NULL(test, sb);
		memset(secbuf_window(sb, 0, SIZE), 0xa5, SIZE);
		ends[i]();
		KUNIT_EXPECT_NULL(test, secbuf_grants_get(&grants, id));
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
		KUNIT_EXPECT_EQ(test, stats_now().pool.in_use, 1);
		memset(sb->data, 0x5a, SIZE);
		secbuf_put(sb);
		secbuf_grants_end_copy(&grants);
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
		KUNIT_EXPECT_EQ(test, stats_now().pool.in_use, 0);
	}
}

static void kill_test(struct kunit *test)
{
	u64 ids[NR];

	KUNIT_ASSERT_EQ(test, secbuf_grants_add(&grants, ids, NR, false), NR);
	secbuf_grants_kill(&grants, false);
	expect_counters(test, 0, NR, NR);
	KUNIT_EXPECT_EQ(test, stats_now().leaks, NR);
	/* A call that was on its way. */
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			secbuf_grants_add(&grants, ids, NR, false));
	KUNIT_EXPECT_EQ(test, stats_now().pool.in_use, 0);

	secbuf_grants_kill(&grants, true);
	KUNIT_EXPECT_NULL(test, grants.pool);
	KUNIT_EXPECT_EQ(test, stats_now().leaks, NR);
	KUNIT_EXPECT_EQ(test, stats_now().pool.allocated, 0);
	secbuf_grants_kill(&grants, true);
	secbuf_grants_put_all(&grants);
}

static struct kunit_case grant_cases[] = {
	KUNIT_CASE(add_remove_test),
	KUNIT_CASE(limit_test),
	KUNIT_CASE(undo_test),
	KUNIT_CASE(copying_test),
	KUNIT_CASE(kill_test),
	{}
};

static struct kunit_suite grant_suite = {
	.name = "secbuf_grant",
	.init = grant_init,
	.exit = grant_exit,
	.test_cases = grant_cases,
};

kunit_test_suite(grant_suite);
