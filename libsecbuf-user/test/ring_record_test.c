// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Several records at once, without the module: see ring_test.c.
 */
#include <sys/uio.h>
#include <sys/wait.h>

#include "ring_fake.h"

#include "harness.h"

#define SIZE	4096
#define NR	8
#define PIECE	600

static bool is_zero(const void *ptr, size_t n)
{
	const unsigned char *bytes = ptr;

	while (n--)
		if (*bytes++)
			return false;
	return true;
}

FIXTURE(batch) {
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	unsigned char in[NR][PIECE];
	unsigned char out[NR][PIECE];
	struct iovec from[NR];
	struct iovec to[NR];
};

FIXTURE_VARIANT(batch) {
	uint64_t start;
};

FIXTURE_VARIANT_ADD(batch, from_zero) {
	.start = 0,
};

/* The positions pass 2^64, and the records the end of the ring. */
FIXTURE_VARIANT_ADD(batch, wrapping) {
	.start = -(uint64_t)100,
};

static void set(FIXTURE_DATA(batch) *self, size_t len)
{
	int i;

	for (i = 0; i < NR; i++) {
		memset(self->in[i], 1 + i, PIECE);
		memset(self->out[i], 0xaa, PIECE);
		self->from[i] = (struct iovec){ self->in[i], len };
		self->to[i] = (struct iovec){ self->out[i], PIECE };
	}
}

FIXTURE_SETUP(batch)
{
	ASSERT_EQ(0, fake_open(SIZE, SECBUF_RING_F_RECORDS, variant->start));
	self->producer = fake.producer;
	self->consumer = fake.consumer;
	set(self, 64);
}

FIXTURE_TEARDOWN(batch)
{
	fake_close();
}

TEST_F(batch, every_length_at_every_offset)
{
	size_t n;
	int i;

	for (n = 1; n < 400; n++) {
		set(self, n);
		ASSERT_EQ(NR, secbuf_ring_write_records(self->producer,
							self->from, NR));
		ASSERT_EQ(NR * SECBUF_RING_RECORD_BYTES(n),
			  secbuf_ring_used(&self->consumer->side));
		ASSERT_EQ(NR, secbuf_ring_read_records(self->consumer,
						       self->to, NR));
		for (i = 0; i < NR; i++) {
			ASSERT_EQ(n, self->to[i].iov_len);
			ASSERT_EQ(0, memcmp(self->in[i], self->out[i], n));
			ASSERT_EQ(0xaa, self->out[i][n]);
		}
		ASSERT_TRUE(is_zero(fake.data, SIZE));
	}
	EXPECT_EQ(0, fake.calls);
}

/* What one of the two kinds of call writes, the other can read. */
TEST_F(batch, mixes_with_single_ones)
{
	const void *span;
	size_t len;

	ASSERT_EQ(NR, secbuf_ring_write_records(self->producer, self->from,
						NR));
	ASSERT_EQ(64, secbuf_ring_read(self->consumer, self->out[0], PIECE));
	EXPECT_EQ(0, memcmp(self->in[0], self->out[0], 64));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, "seven77", 7));
	ASSERT_EQ(NR, secbuf_ring_read_records(self->consumer, self->to, NR));
	EXPECT_EQ(0, memcmp(self->in[1], self->out[0], 64));
	EXPECT_EQ(7, self->to[NR - 1].iov_len);
	EXPECT_EQ(0, memcmp("seven77", self->out[NR - 1], 7));
	/* What was peeked before is not there any more. */
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, len));
	EXPECT_EQ(-ENODATA, secbuf_ring_read_records(self->consumer, self->to,
						     NR));
}

TEST_F(batch, as_many_as_fit)
{
	uint64_t head = fake.head->head;
	int i;

	set(self, PIECE);
	/* 6 times 604 bytes, of 4096. */
	ASSERT_EQ(6, secbuf_ring_write_records(self->producer, self->from, NR));
	EXPECT_EQ(head + 6 * 604, fake.head->head);
	EXPECT_EQ(-ENOSPC, secbuf_ring_write_records(self->producer,
						     self->from, NR));
	EXPECT_EQ(head + 6 * 604, fake.head->head);
	ASSERT_EQ(2, secbuf_ring_read_records(self->consumer, self->to, 2));
	/* The producer looks again. */
	EXPECT_EQ(2, secbuf_ring_write_records(self->producer, self->from, NR));
	for (i = 0; i < NR; i++)
		self->to[i].iov_len = PIECE;
	EXPECT_EQ(6, secbuf_ring_read_records(self->consumer, self->to, NR));
	EXPECT_EQ(0, memcmp(self->in[5], self->out[3], PIECE));
	EXPECT_EQ(0, memcmp(self->in[1], self->out[5], PIECE));
	EXPECT_TRUE(is_zero(fake.data, SIZE));
}

TEST_F(batch, what_does_not_fit_stays)
{
	ASSERT_EQ(NR, secbuf_ring_write_records(self->producer, self->from,
						NR));
	self->to[0].iov_len = 63;
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_read_records(self->consumer, self->to,
						      NR));
	EXPECT_EQ(63, self->to[0].iov_len);
	EXPECT_EQ(0xaa, self->out[0][0]);
	self->to[0].iov_len = 64;
	self->to[2].iov_len = 63;
	EXPECT_EQ(2, secbuf_ring_read_records(self->consumer, self->to, NR));
	EXPECT_EQ(0xaa, self->out[2][0]);
	EXPECT_EQ(63, self->to[2].iov_len);
	EXPECT_EQ((NR - 2) * 68, secbuf_ring_used(&self->consumer->side));
	self->to[0].iov_len = PIECE;
	EXPECT_EQ(1, secbuf_ring_read_records(self->consumer, self->to, 1));
	EXPECT_EQ(0, memcmp(self->in[2], self->out[0], 64));
}

TEST_F(batch, bad_input)
{
	void *room;

	EXPECT_EQ(-EINVAL, secbuf_ring_write_records(NULL, self->from, NR));
	EXPECT_EQ(-EINVAL, secbuf_ring_write_records(self->producer, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_read_records(NULL, self->to, NR));
	EXPECT_EQ(-EINVAL, secbuf_ring_read_records(self->consumer, NULL, 1));
	EXPECT_EQ(0, secbuf_ring_write_records(self->producer, NULL, 0));
	EXPECT_EQ(0, secbuf_ring_read_records(self->consumer, NULL, 0));

	/* One that is bad, and nothing is written. */
	self->from[NR - 1].iov_len = 0;
	EXPECT_EQ(-EINVAL, secbuf_ring_write_records(self->producer,
						     self->from, NR));
	self->from[NR - 1].iov_len = SIZE - 3;
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_write_records(self->producer,
						       self->from, NR));
	self->from[NR - 1].iov_len = SIZE_MAX;
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_write_records(self->producer,
						       self->from, NR));
	self->from[NR - 1].iov_len = 1;
	self->from[NR - 1].iov_base = NULL;
	EXPECT_EQ(-EINVAL, secbuf_ring_write_records(self->producer,
						     self->from, NR));
	EXPECT_EQ(0, secbuf_ring_used(&self->producer->side));
	EXPECT_TRUE(is_zero(fake.data, SIZE));

	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 10, &room));
	EXPECT_EQ(-EBUSY, secbuf_ring_write_records(self->producer,
						    self->from, 1));
	EXPECT_EQ(0, secbuf_ring_cancel(self->producer));
	EXPECT_EQ(1, secbuf_ring_write_records(self->producer, self->from, 1));
	self->to[0].iov_base = NULL;
	EXPECT_EQ(-EINVAL, secbuf_ring_read_records(self->consumer, self->to,
						    2));
	self->to[0] = (struct iovec){ self->out[0], 0 };
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_read_records(self->consumer, self->to,
						      2));
	EXPECT_EQ(68, secbuf_ring_used(&self->consumer->side));
}

TEST_F(batch, unparks)
{
	ASSERT_EQ(0, secbuf_ring_park(self->producer));
	fake.head->state = SECBUF_RING_GONE;
	EXPECT_EQ(1, secbuf_ring_write_records(self->producer, self->from, 1));
	EXPECT_EQ(1, fake.unparks);
	EXPECT_EQ(SECBUF_RING_BUSY, fake.head->state);
}

TEST_F(batch, lengths_that_cannot_be)
{
	static const uint32_t bad[] = {
		0, 65, 68, 132, SIZE, UINT32_MAX, UINT32_MAX - 3, 1u << 31,
	};
	uint64_t at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		at = fake.head->head;
		ASSERT_EQ(2, secbuf_ring_write_records(self->producer,
						       self->from, 2));
		/* That of the second, which is the last there is. */
		memcpy(fake.data + (at + 68) % SIZE, &bad[i], sizeof(bad[i]));
		memset(self->out, 0xaa, sizeof(self->out));
		EXPECT_EQ(-EPROTO, secbuf_ring_read_records(self->consumer,
							    self->to, NR)) {
			TH_LOG("length %u", bad[i]);
		}
		EXPECT_TRUE(fake.status->flags & SECBUF_RING_BROKEN);
		EXPECT_EQ(0xaa, self->out[1][0]);
		fake_close();
		ASSERT_EQ(0, fake_open(SIZE, SECBUF_RING_F_RECORDS,
				       variant->start));
		self->producer = fake.producer;
		self->consumer = fake.consumer;
		set(self, 64);
	}
}

TEST_F(batch, the_other_end_is_gone)
{
	ASSERT_EQ(2, secbuf_ring_write_records(self->producer, self->from, 2));
	fake.status->flags = SECBUF_RING_PRODUCER_GONE;
	EXPECT_EQ(2, secbuf_ring_read_records(self->consumer, self->to, NR));
	EXPECT_EQ(-EPIPE, secbuf_ring_read_records(self->consumer, self->to,
						   NR));
	fake.status->flags = SECBUF_RING_CONSUMER_GONE;
	EXPECT_EQ(-EPIPE, secbuf_ring_write_records(self->producer, self->from,
						    2));
	fake.status->flags = SECBUF_RING_RESET_DONE | SECBUF_RING_BROKEN;
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_write_records(self->producer,
							self->from, 2));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_read_records(self->consumer,
						       self->to, 2));
}

TEST_F(batch, a_child)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(secbuf_ring_write_records(self->producer, self->from,
						1) != -EOWNERDEAD ||
		      secbuf_ring_read_records(self->consumer, self->to,
					       1) != -EOWNERDEAD);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST(not_of_bytes)
{
	char byte = 1;
	struct iovec one = { &byte, 1 };

	ASSERT_EQ(0, fake_open(SIZE, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ring_write_records(fake.producer, &one,
							 1));
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ring_read_records(fake.consumer, &one,
							1));
	fake_close();
}

TEST_HARNESS_MAIN
