// SPDX-License-Identifier: GPL-2.0
/*
 * Pools: parameters, sizes, where buffers come from, and counters that balance.
 */
#include "pool.h"

#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/prandom.h>

#include "buf.h"
#include "fixture.h"

static const struct bad_params {
	const char *name;
	struct secbuf_pool_params params;
} bad_params[] = {
	{ "size above the largest", { .buf_size = SECBUF_SIZE_MAX + 1 } },
	{ "size of all memory", { .buf_size = SIZE_MAX } },
	{ "min above max", { .min = 2, .max = 1 } },
	{ "min above the default max", { .min = 101 } },
	{ "max above the ceiling", { .max = (1U << 24) + 1 } },
	{ "max of all ones", { .max = UINT_MAX } },
	{ "min and max of all ones", { .min = UINT_MAX, .max = UINT_MAX } },
};

KUNIT_ARRAY_PARAM_DESC(bad, bad_params, name);

static void bad_params_test(struct kunit *test)
{
	const struct bad_params *bad = test->param_value;
	struct secbuf_pool *pool = secbuf_pool_create(&bad->params);

	KUNIT_EXPECT_TRUE(test, IS_ERR(pool));
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
}

static void default_params_test(struct kunit *test)
{
	const struct secbuf_pool_params params = {};
	struct secbuf_pool *pool = secbuf_pool_create(&params);
	struct secbuf *sb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_STREQ(test, pool->name, "pool");
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).max, 100);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).allocated, 0);
	sb = secbuf_pool_alloc(pool, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sb);
	KUNIT_EXPECT_EQ(test, secbuf_size(sb), 8192);
	secbuf_put(sb);
	secbuf_pool_destroy(pool);
}

static void long_name_test(struct kunit *test)
{
	const struct secbuf_pool_params params = {
		.name = "a name that has more letters than are kept of it",
	};
	struct secbuf_pool *pool = secbuf_pool_create(&params);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, strlen(pool->name), SECBUF_POOL_NAME_MAX - 1);
	KUNIT_EXPECT_EQ(test, strncmp(pool->name, params.name,
				      SECBUF_POOL_NAME_MAX - 1), 0);
	secbuf_pool_destroy(pool);
}

static const struct preset {
	const char *name;
	struct secbuf_pool_params params;
} presets[] = {
	{ "default", SECBUF_POOL_DEFAULT },
	{ "small", SECBUF_POOL_SMALL },
	{ "large", SECBUF_POOL_LARGE },
	{ "network", SECBUF_POOL_NETWORK },
};

KUNIT_ARRAY_PARAM_DESC(preset, presets, name);

static void preset_test(struct kunit *test)
{
	const struct preset *preset = test->param_value;
	const struct secbuf_pool_params *params = &preset->params;
	struct secbuf_pool_stats stats;
	struct secbuf_pool *pool;
	struct secbuf *sb;

	pool = fixture_pool(test, params->buf_size, params->min, params->max);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.max, params->max);
	KUNIT_EXPECT_EQ(test, stats.allocated, params->min);
	KUNIT_EXPECT_EQ(test, stats.available, params->min);
	KUNIT_EXPECT_EQ(test, stats.in_use, 0);
	sb = secbuf_pool_alloc(pool, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sb);
	KUNIT_EXPECT_EQ(test, secbuf_size(sb), params->buf_size);
	secbuf_put(sb);
}

static const struct size_param {
	size_t size;
	size_t class_size;
} size_params[] = {
	{ 1, 64 }, { 63, 64 }, { 64, 64 }, { 65, 128 }, { 1024, 1024 },
	{ 1500, 2048 }, { 2048, 2048 }, { 2049, 4096 }, { 8192, 8192 },
	{ 32769, 65536 }, { 65535, 65536 }, { 65536, 65536 },
};

static void size_desc(const struct size_param *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%zu", p->size);
}

KUNIT_ARRAY_PARAM(size, size_params, size_desc);

/* The class is charged, but only the bytes asked for can be used. */
static void size_test(struct kunit *test)
{
	const struct size_param *p = test->param_value;
	struct secbuf_pool *pool = fixture_pool(test, p->size, 0, 1);
	size_t charged = fixture_charged();
	u8 byte = 0xff;
	struct secbuf *sb;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 1, &sb), 1);
	KUNIT_EXPECT_EQ(test, SECBUF_SIZE_MIN << sb->class, p->class_size);
	KUNIT_EXPECT_GE(test, fixture_charged() - charged, p->class_size);
	KUNIT_EXPECT_EQ(test, secbuf_size(sb), p->size);
	KUNIT_EXPECT_EQ(test, secbuf_write(sb, p->size - 1, &byte, 1), 0);
	KUNIT_EXPECT_EQ(test, secbuf_write(sb, p->size, &byte, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_read(sb, p->size, &byte, 1), -EINVAL);
	KUNIT_EXPECT_NULL(test, secbuf_window(sb, 0, p->size + 1));
	secbuf_put(sb);
}

static void size_out_of_range_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, secbuf_buf_class(0), -EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_buf_class(SECBUF_SIZE_MAX + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_buf_class(SIZE_MAX), -EINVAL);
}

static void hits_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 2, 1000);
	struct secbuf_pool_stats stats;
	struct secbuf *bufs[3];

	fixture_other_cpu(test);
	KUNIT_ASSERT_GT(test, pool->cache.cap, 3);
	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 1, bufs),
			1);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.depot_hits, 1);

	/* The other one came along from the depot; the third one is fresh. */
	fixture_alloc(test, pool, GFP_KERNEL, 2, bufs + 1);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.depot_hits, 1);
	KUNIT_EXPECT_EQ(test, stats.magazine_hits, 1);
	KUNIT_EXPECT_EQ(test, stats.misses, 1);
	KUNIT_EXPECT_EQ(test, stats.acquired, 3);

	secbuf_put_bulk(bufs, 3);
	fixture_alloc(test, pool, GFP_KERNEL, 3, bufs);
	secbuf_put_bulk(bufs, 3);
	stats = fixture_stats(pool);
	KUNIT_EXPECT_EQ(test, stats.magazine_hits, 4);
	KUNIT_EXPECT_EQ(test, stats.misses, 1);
	KUNIT_EXPECT_EQ(test, stats.returned, 6);
	KUNIT_EXPECT_EQ(test, stats.available, 3);
	KUNIT_EXPECT_EQ(test, stats.failures, 0);
}

static void bytes_zeroized_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 1000, 0, 1);
	struct secbuf *sb = secbuf_pool_alloc(pool, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sb);
	secbuf_put(sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).bytes_zeroized, 0);

	sb = secbuf_pool_alloc(pool, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sb);
	secbuf_write(sb, 90, "0123456789", 10);
	secbuf_put(sb);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).bytes_zeroized, 100);
}

static void peak_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, 100);
	unsigned int cached = 2 * pool->cache.cap * num_possible_cpus();
	struct secbuf *bufs[50];
	unsigned int peak;

	KUNIT_ASSERT_EQ(test, fixture_alloc(test, pool, GFP_KERNEL, 50, bufs),
			50);
	secbuf_put_bulk(bufs, 50);
	fixture_alloc(test, pool, GFP_KERNEL, 10, bufs);
	secbuf_put_bulk(bufs, 10);
	peak = fixture_stats(pool).peak;
	KUNIT_EXPECT_GE(test, peak, 50);
	KUNIT_EXPECT_LE(test, peak, 50 + cached);
}

/* What has to be acquired, however slow the machine is. */
#define CROWD_MIN	1000

/* Holds buffers that the threads of one test exchange. */
struct crowd {
	struct kunit *test;
	struct secbuf_pool *pool;
	struct secbuf *held[64];
	atomic_t wrong;
};

/* Every byte is zero when a buffer comes; ours stays ours until it goes. */
static void crowd_use(struct crowd *crowd, struct secbuf *sb, u32 random)
{
	size_t offset = random % (secbuf_size(sb) - 3);
	u32 back;

	if (!fixture_is_zero(sb))
		atomic_inc(&crowd->wrong);
	secbuf_write(sb, offset, &random, sizeof(random));
	secbuf_read(sb, offset, &back, sizeof(back));
	if (back != random)
		atomic_inc(&crowd->wrong);
}

static void crowd_swap(struct crowd *crowd, struct secbuf *sb, u32 random)
{
	sb = xchg(&crowd->held[random % ARRAY_SIZE(crowd->held)], sb);
	if (random & BIT(20))
		secbuf_put_bulk(&sb, !!sb);
	else
		secbuf_put(sb);
}

static int crowd_member(void *arg)
{
	struct crowd *crowd = arg;
	struct secbuf *bufs[7];
	struct rnd_state rnd;
	unsigned int nr;
	gfp_t gfp;

	prandom_seed_state(&rnd, (unsigned long)current);
	while (!kthread_should_stop()) {
		gfp = prandom_u32_state(&rnd) & BIT(7) ? GFP_KERNEL :
							 GFP_ATOMIC;
		nr = 1 + (prandom_u32_state(&rnd) >> 8) % ARRAY_SIZE(bufs);
		nr = secbuf_pool_alloc_bulk(crowd->pool, gfp, nr, bufs);
		while (nr--) {
			crowd_use(crowd, bufs[nr], prandom_u32_state(&rnd));
			crowd_swap(crowd, bufs[nr], prandom_u32_state(&rnd));
		}
		crowd_swap(crowd, NULL, prandom_u32_state(&rnd));
		cond_resched();
	}
	return 0;
}

/*
 * What must hold at any time, until there was enough of it. In use may seem more
 * than there are, as many as are acquired while the figures are read; but it is
 * never negative.
 */
static void crowd_watch(struct crowd *crowd)
{
	unsigned long deadline = jiffies + 60 * HZ;
	struct secbuf_pool_stats stats;
	int i = 0;

	do {
		msleep(20);
		stats = fixture_stats(crowd->pool);
		KUNIT_EXPECT_LE(crowd->test, stats.allocated, stats.max);
		KUNIT_EXPECT_EQ(crowd->test, stats.acquired - stats.returned,
				stats.in_use);
		KUNIT_EXPECT_GE(crowd->test, stats.acquired, stats.returned);
	} while (++i < 25 ||
		 (stats.acquired <= CROWD_MIN && time_before(jiffies, deadline)));
}

static void balance_test(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	struct secbuf_pool_stats stats;
	struct task_struct *task[4];
	unsigned int held = 0;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	crowd->test = test;
	crowd->pool = fixture_pool(test, 200, 5, 60);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		task[i] = fixture_thread(test, -1, crowd_member, crowd);
	crowd_watch(crowd);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		fixture_thread_stop(test, task[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd->wrong), 0);

	for (i = 0; i < ARRAY_SIZE(crowd->held); i++)
		held += !!crowd->held[i];
	stats = fixture_stats(crowd->pool);
	KUNIT_EXPECT_GT(test, stats.acquired, CROWD_MIN);
	KUNIT_EXPECT_EQ(test, stats.in_use, held);
	KUNIT_EXPECT_EQ(test, stats.available, stats.allocated - held);
	KUNIT_EXPECT_GE(test, stats.peak, held);
	for (i = 0; i < ARRAY_SIZE(crowd->held); i++)
		secbuf_put(crowd->held[i]);
	stats = fixture_stats(crowd->pool);
	KUNIT_EXPECT_EQ(test, stats.acquired, stats.returned);
	KUNIT_EXPECT_EQ(test, stats.available, stats.allocated);
	KUNIT_EXPECT_LE(test, stats.available, 30);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_PARAM(bad_params_test, bad_gen_params),
	KUNIT_CASE(default_params_test),
	KUNIT_CASE(long_name_test),
	KUNIT_CASE_PARAM(preset_test, preset_gen_params),
	KUNIT_CASE_PARAM(size_test, size_gen_params),
	KUNIT_CASE(size_out_of_range_test),
	KUNIT_CASE(hits_test),
	KUNIT_CASE(bytes_zeroized_test),
	KUNIT_CASE(peak_test),
	KUNIT_CASE(balance_test),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "secbuf_pool",
	.init = fixture_init,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
