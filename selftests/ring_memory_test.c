// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a ring: when it comes, when it goes, who pays.
 */
#include "secbuf_ring_both.h"

TEST_F(both, first_touch)
{
	EXPECT_EQ(0, held(self->p));
	EXPECT_EQ(0, self->r.p.data[0]);
	EXPECT_EQ(PAGE, held(self->p));
	EXPECT_EQ(0, self->r.c.data[SIZE + 1]);
	EXPECT_EQ(PAGE, held(self->p));
	self->r.c.data[SIZE + PAGE] = 0;
	EXPECT_EQ(2 * PAGE, held(self->c));
}

TEST_F(both, shrink)
{
	char buf[PAGE] = { 1 };

	EXPECT_EQ(0, ring_shrink(self->p));
	ASSERT_EQ(PAGE, write(self->p, buf, PAGE));
	EXPECT_EQ(-EBUSY, ring_shrink(self->p));
	EXPECT_LE(PAGE, held(self->p));
	ASSERT_EQ(PAGE, read(self->c, buf, PAGE));
	EXPECT_LE(PAGE, ring_shrink(self->c));
	EXPECT_EQ(0, held(self->p));
	/* It comes back when it is touched. */
	ASSERT_EQ(10, write(self->p, "0123456789", 10));
	ASSERT_EQ(10, read(self->c, buf, PAGE));
	EXPECT_EQ(0, memcmp(buf, "0123456789", 10));
}

TEST_F(both, parking)
{
	struct ring_end *p = &self->r.p;
	unsigned char *span;

	if (records(variant))
		SKIP(return, "bytes only");
	EXPECT_EQ(SECBUF_RING_PARKED, p->head->state);
	span = ring_reserve(p, 10);
	ASSERT_NE(NULL, span);
	memset(span, 0x33, 10);
	EXPECT_EQ(SECBUF_RING_BUSY, p->head->state);
	/* Empty for all that the kernel can see. */
	EXPECT_EQ(-EBUSY, ring_shrink(self->c));
	EXPECT_EQ(0, count_not(span, 0x33, 10));
	EXPECT_EQ(0, ring_commit(p, 10));
	ring_park(p);
	EXPECT_EQ(-EBUSY, ring_shrink(self->c));
	EXPECT_EQ(SECBUF_RING_PARKED, p->head->state);
	EXPECT_EQ(0, ring_consume(&self->r.c, 10));
	EXPECT_EQ(PAGE, ring_shrink(self->c));
	EXPECT_EQ(SECBUF_RING_GONE, p->head->state);
	EXPECT_EQ(0, held(self->c));
	/* Again: there is nothing any more. */
	EXPECT_EQ(0, ring_shrink(self->c));
	span = ring_reserve(p, 10);
	ASSERT_NE(NULL, span);
	EXPECT_EQ(SECBUF_RING_BUSY, p->head->state);
	EXPECT_EQ(0, count_not(span, 0, 10));
	EXPECT_EQ(-ENOTTY, ring_unpark(self->c));
}

TEST_F(both, populate)
{
	struct ring r;

	ASSERT_EQ(0, ring_open(&r, self->dev, SIZE, SECBUF_RING_F_POPULATE |
						    variant->flags));
	EXPECT_EQ(SIZE, held(r.p.fd));
	EXPECT_EQ(SIZE, ring_shrink(r.p.fd));
	EXPECT_EQ(0, held(r.p.fd));
	ring_close(&r);
}

/* Half of the memory of a stock guest goes to one user. */
TEST_F(both, whole_ring_counts)
{
	struct secbuf_ring_create_args args;
	__u64 before = secbuf_bytes(self->dev), more;

	ASSERT_EQ(0, ring_create(self->dev, 1 << 20, 0, &args));
	more = secbuf_bytes(self->dev) - before;
	EXPECT_LE(1 << 20, more);
	EXPECT_GE((1 << 20) + (64 << 10), more);
	close(args.out_producer_fd);
	EXPECT_EQ(before + more, secbuf_bytes(self->dev));
	close(args.out_consumer_fd);
	EXPECT_EQ(before, secbuf_bytes(self->dev));
}

TEST_F(both, ceiling_is_an_error)
{
	struct secbuf_ring_create_args args[64];
	struct secbuf_info_args info;
	int ret = 0, n;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	for (n = 0; n < 64 && !ret; n++)
		ret = ring_create(self->dev, SECBUF_RING_SIZE_MAX,
				  variant->flags, &args[n]);
	if (info.out_user_bytes_max > 64ULL * SECBUF_RING_SIZE_MAX)
		SKIP(return, "too much memory");
	EXPECT_EQ(-EDQUOT, ret);
	for (n -= 2; n >= 0; n--) {
		close(args[n].out_producer_fd);
		close(args[n].out_consumer_fd);
	}
}

TEST_HARNESS_MAIN
