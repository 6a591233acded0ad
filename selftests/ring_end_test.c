// SPDX-License-Identifier: GPL-2.0
/*
 * The end of an end, by RING_CLOSE or RING_RESET, and what breaks a ring.
 */
#include "secbuf_ring_both.h"
#include "secbuf_touch.h"

TEST_F(both, producer_closes)
{
	struct secbuf_ring_stats_args stats;
	struct secbuf_ring_info_args info;
	char buf[20] = "0123456789";

	ASSERT_EQ(10, write(self->p, buf, 10));
	self->r.p.data[PAGE] = 0x44;
	ASSERT_LT(0, self->r.p.head->head);
	ASSERT_EQ(0, ring_hangup(self->p));
	EXPECT_EQ(SECBUF_RING_PRODUCER_GONE, self->r.c.status->flags);
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(self->c));
	/* What it had not published is zeroized. */
	EXPECT_EQ(0, self->r.c.data[PAGE]);
	EXPECT_EQ(SIGBUS, touch(self->r.p.data, false));
	EXPECT_EQ(SIGBUS, touch(self->r.p.data + PAGE, true));
	EXPECT_EQ(SIGBUS, touch((void *)self->r.p.head, true));
	EXPECT_EQ(-1, write(self->p, buf, 1));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-ESHUTDOWN, ring_notify(self->p));
	EXPECT_EQ(ESHUTDOWN, mmap_errno(self->p, 0, 2 * SIZE, PROT_RW,
					MAP_SHARED));
	EXPECT_EQ(-EPIPE, ring_notify(self->c));
	EXPECT_EQ(0, ring_wait(self->c, 10, RING_FOREVER));
	EXPECT_EQ(-EPIPE, ring_wait(self->c, 17, RING_FOREVER));

	EXPECT_EQ(10, read(self->c, buf, 20));
	EXPECT_EQ('0', buf[0]);
	EXPECT_EQ(0, read(self->c, buf, 20));
	EXPECT_EQ(-EPIPE, ring_wait(self->c, 1, RING_FOREVER));
	EXPECT_EQ(POLLHUP, poll_now(self->c));
	EXPECT_LE(0, ring_shrink(self->c));
	/* Once more does nothing. */
	EXPECT_EQ(-ESHUTDOWN, ring_shrink(self->p));
	EXPECT_EQ(0, ring_hangup(self->p));
	/* What is still allowed. */
	EXPECT_EQ(0, ring_stats(self->p, &stats));
	EXPECT_EQ(0, ring_info(self->p, &info));
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(self->p));
	EXPECT_EQ(0, ring_reset(self->p));
	EXPECT_EQ(0, ring_hangup(self->p));
}

TEST_F(both, consumer_closes)
{
	char buf[20] = "0123456789";

	ASSERT_EQ(10, write(self->p, buf, 10));
	ASSERT_EQ(0, ring_hangup(self->c));
	EXPECT_EQ(SECBUF_RING_CONSUMER_GONE, self->r.p.status->flags);
	EXPECT_EQ(POLLOUT | POLLHUP, poll_now(self->p));
	EXPECT_EQ(0, held(self->p));
	/* It may write on, for nobody. */
	EXPECT_EQ(0, self->r.p.data[0]);
	memset(self->r.p.data, 0x66, 2 * SIZE);
	EXPECT_EQ(0, held(self->p));
	EXPECT_EQ(-1, write(self->p, buf, 10));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-EPIPE, ring_notify(self->p));
	EXPECT_EQ(-EPIPE, ring_wait(self->p, 1, RING_FOREVER));
	EXPECT_EQ(-EPIPE, ring_unpark(self->p));
	EXPECT_EQ(0, ring_shrink(self->p));
	EXPECT_EQ(SIGBUS, touch(self->r.c.data, false));
	EXPECT_EQ(-1, read(self->c, buf, 10));
	EXPECT_EQ(ESHUTDOWN, errno);
}

TEST_F(both, reset)
{
	char buf[20] = "0123456789";
	struct secbuf_ring_stats_args stats;

	ASSERT_EQ(10, write(self->p, buf, 10));
	self->r.c.data[PAGE] = 1;
	/* All of it is mapped before. */
	ASSERT_LT(0, self->r.c.head->head);
	ASSERT_EQ(0, self->r.p.tail->tail);
	ASSERT_EQ(0, ring_reset(self->c));
	EXPECT_EQ(SECBUF_RING_RESET_DONE | SECBUF_RING_BROKEN,
		  self->r.c.status->flags);
	EXPECT_EQ(0, held(self->p));
	/* Mappings stay, and show a page of one's own. */
	EXPECT_EQ(0, count_not(self->r.p.data, 0, 2 * SIZE));
	EXPECT_EQ(0, count_not(self->r.c.data, 0, 2 * SIZE));
	memset(self->r.p.data, 0x11, 2 * SIZE);
	EXPECT_EQ(0, count_not(self->r.c.data, 0, 2 * SIZE));
	self->r.p.head->head = 77;
	EXPECT_EQ(0, self->r.c.head->head);
	self->r.c.tail->tail = 78;
	EXPECT_NE(78, self->r.p.tail->tail);

	EXPECT_EQ(-1, write(self->p, buf, 10));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-1, read(self->c, buf, 10));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-ESHUTDOWN, ring_notify(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_shrink(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_unpark(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_claim(self->p));
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(self->p));
	EXPECT_EQ(ESHUTDOWN, mmap_errno(self->p, 0, 2 * SIZE, PROT_RW,
					MAP_SHARED));
	EXPECT_EQ(0, ring_stats(self->p, &stats));
	EXPECT_EQ(0, ring_reset(self->p));
	EXPECT_EQ(0, ring_hangup(self->p));
}

/*
 * Breaking
 */

#define EXPECT_BROKEN(ring)						\
do {									\
	char buf_[8] = { 1 };						\
									\
	EXPECT_EQ(SECBUF_RING_BROKEN, (ring)->p.status->flags);		\
	EXPECT_EQ(-1, write((ring)->p.fd, buf_, 1));			\
	EXPECT_EQ(EPROTO, errno);					\
	EXPECT_EQ(-1, read((ring)->c.fd, buf_, 8));			\
	EXPECT_EQ(EPROTO, errno);					\
	EXPECT_EQ(-EPROTO, ring_notify((ring)->p.fd));			\
	EXPECT_EQ(-EPROTO, ring_wait((ring)->c.fd, 1, RING_FOREVER));	\
	EXPECT_EQ(-EPROTO, ring_shrink((ring)->c.fd));			\
	EXPECT_EQ(POLLERR, poll_now((ring)->p.fd));			\
	EXPECT_EQ(POLLERR, poll_now((ring)->c.fd));			\
	EXPECT_EQ(0, ring_reset((ring)->c.fd));				\
} while (0)

TEST_F(both, broken_by_head)
{
	char buf[8];

	self->r.p.head->head = SIZE + 4;
	EXPECT_EQ(-1, read(self->c, buf, 8));
	EXPECT_EQ(EPROTO, errno);
	/* It does not help to repair it. */
	self->r.p.head->head = 0;
	EXPECT_BROKEN(&self->r);
}

TEST_F(both, broken_by_tail)
{
	char buf[8] = { 1 };

	self->r.c.tail->tail = 4;
	EXPECT_EQ(-1, write(self->p, buf, 8));
	EXPECT_EQ(EPROTO, errno);
	self->r.c.tail->tail = 0;
	EXPECT_BROKEN(&self->r);
}

TEST_F(both, broken_seen_by_poll)
{
	self->r.c.tail->tail = -4ULL;
	self->r.p.head->head = SIZE;
	EXPECT_EQ(POLLERR, poll_now(self->c));
	EXPECT_BROKEN(&self->r);
}

TEST_F(both, broken_by_report)
{
	EXPECT_EQ(0, ring_notify_args(self->c, SECBUF_RING_NOTIFY_F_BROKEN, 0,
				      0, NULL));
	EXPECT_BROKEN(&self->r);
}

/* The last position before all that can be counted, and around. */
TEST_F(both, positions_wrap_at_64_bits)
{
	unsigned char in[100], out[100];

	self->r.p.head->head = -8ULL;
	self->r.c.tail->tail = -8ULL;
	for (int i = 0; i < 5; i++) {
		fill_pattern(in, 100, i);
		ASSERT_EQ(100, write(self->p, in, 100));
		EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
		ASSERT_EQ(0, ring_wait(self->c, 100, 0));
		ASSERT_EQ(100, read(self->c, out, 100));
		ASSERT_TRUE(is_pattern(out, 100, i));
	}
	EXPECT_GT(1000, self->r.c.tail->tail);
}

static void record_length(struct ring *r, __u32 len, __u64 head)
{
	memcpy(r->p.data, &len, sizeof(len));
	r->p.head->head = head;
}

TEST_F(both, broken_by_record)
{
	static const struct {
		__u32	len;
		__u64	head;
	} cases[] = {
		{ 0, 4 }, { 0, 8 }, { 1, 4 }, { 5, 8 }, { 8, 8 },
		{ 0x7fffffff, SIZE }, { 0xffffffff, SIZE },
		{ 0xfffffffc, SIZE }, { 0xfffffffd, 8 }, { SIZE, SIZE },
		{ SIZE - 3, SIZE }, { 1, 6 }, { 1, 9 },
	};
	char buf[SIZE];

	if (!records(variant))
		SKIP(return, "records only");
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		record_length(&self->r, cases[i].len, cases[i].head);
		EXPECT_EQ(-1, read(self->c, buf, sizeof(buf))) {
			TH_LOG("case %u", i);
		}
		EXPECT_EQ(EPROTO, errno) {
			TH_LOG("case %u", i);
		}
		EXPECT_BROKEN(&self->r);
		ring_close(&self->r);
		ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE,
				       variant->flags));
	}
	/* What just fits is none of these. */
	record_length(&self->r, SIZE - 4, SIZE);
	EXPECT_EQ(SIZE - 4, read(self->c, buf, sizeof(buf)));
	record_length(&self->r, 1, SIZE + 8);
	EXPECT_EQ(1, read(self->c, buf, sizeof(buf)));
}

TEST_HARNESS_MAIN
