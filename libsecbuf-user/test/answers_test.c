// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Answers that no secbuf module gives: the library believes none of them.
 */
#include <string.h>

#include <secbuf.h>

#include "harness.h"

#include "fake.h"

#define NR_SLOTS	4
#define NO_SLOT		777

FIXTURE(answers)
{
	struct secbuf_context	*ctx;
	struct secbuf_pool	*pool;
	struct secbuf_kpool	*kpool;
};

FIXTURE_SETUP(answers)
{
	fake_reset();
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, NULL));
	ASSERT_EQ(0, secbuf_kpool_open(&self->kpool, self->ctx, NULL));
}

FIXTURE_TEARDOWN(answers)
{
	secbuf_kpool_close(self->kpool);
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

TEST_F(answers, right)
{
	void *bufs[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, secbuf_pool_alloc_batch(self->pool, bufs, NR_SLOTS));
	EXPECT_EQ(NR_SLOTS, fake.out);
	EXPECT_EQ(NR_SLOTS, secbuf_pool_free_batch(self->pool, bufs, NR_SLOTS));
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, fake.out);
}

TEST_F(answers, more_than_asked)
{
	static const uint32_t too_many[] = { NR_SLOTS + 1, 65, 0x80000000, -1 };
	void *bufs[NR_SLOTS];
	uint64_t ids[NR_SLOTS];
	void *buf;

	ASSERT_EQ(1, secbuf_pool_alloc_batch(self->pool, &buf, 1));
	ASSERT_EQ(1, fake.out);
	for (size_t i = 0; i < ARRAY_SIZE(too_many); i++) {
		fake.done = too_many[i];
		EXPECT_EQ(-EPROTO, secbuf_pool_alloc_batch(self->pool, bufs,
							   NR_SLOTS));
		EXPECT_EQ(-EPROTO, secbuf_kpool_alloc_batch(self->kpool, 0, ids,
							    NR_SLOTS));
		EXPECT_EQ(1, fake.out);
	}
}

TEST_F(answers, no_such_slot)
{
	void *bufs[NR_SLOTS], *buf = bufs;

	fake.first_id = NO_SLOT;
	EXPECT_EQ(-EPROTO, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(-EPROTO, secbuf_pool_alloc_batch(self->pool, bufs, NR_SLOTS));
	EXPECT_EQ(0, fake.out);
}

TEST_F(answers, pool_that_cannot_be_mapped)
{
	struct secbuf_pool *pool;

	fake.read_only = true;
	EXPECT_EQ(-EACCES, secbuf_pool_open(&pool, self->ctx, NULL));
	EXPECT_EQ(NULL, pool);
}

TEST_HARNESS_MAIN
