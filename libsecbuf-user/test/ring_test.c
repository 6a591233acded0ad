// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Rings without the module: the protocol over pages of which the test plays the
 * kernel, and the other end where that is hostile. The names that begin with
 * seed are of defects in the ring that this one replaces.
 */
#include <limits.h>
#include <sys/socket.h>

#include "ring_fake.h"

#include "harness.h"

#define SIZE	4096

static bool is_zero(const void *ptr, size_t n)
{
	const unsigned char *bytes = ptr;

	while (n--)
		if (*bytes++)
			return false;
	return true;
}

FIXTURE(ring) {
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	unsigned char in[2 * SIZE];
	unsigned char out[2 * SIZE];
};

FIXTURE_VARIANT(ring) {
	uint64_t start;
};

FIXTURE_VARIANT_ADD(ring, from_zero) {
	.start = 0,
};

/* The positions pass 2^64, and then twice 2^63. */
FIXTURE_VARIANT_ADD(ring, wrapping) {
	.start = -(uint64_t)SIZE / 2,
};

FIXTURE_VARIANT_ADD(ring, half_way) {
	.start = (1ULL << 63) - 8,
};

FIXTURE_SETUP(ring)
{
	size_t i;

	for (i = 0; i < sizeof(self->in); i++)
		self->in[i] = 1 + i % 251;
	ASSERT_EQ(0, fake_open(SIZE, 0, variant->start));
	self->producer = fake.producer;
	self->consumer = fake.consumer;
}

FIXTURE_TEARDOWN(ring)
{
	fake_close();
}

TEST_F(ring, begins_empty)
{
	const void *span;
	size_t len;

	EXPECT_EQ(0, secbuf_ring_used(&self->producer->side));
	EXPECT_EQ(0, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(SIZE, secbuf_ring_available(&self->producer->side));
	EXPECT_EQ(SIZE, secbuf_ring_available(&self->consumer->side));
	EXPECT_EQ(1, secbuf_ring_is_empty(&self->consumer->side));
	EXPECT_EQ(0, secbuf_ring_is_full(&self->producer->side));
	EXPECT_EQ(SIZE, secbuf_ring_size(&self->producer->side));
	EXPECT_EQ(-ENODATA, secbuf_ring_read(self->consumer, self->out, 1));
	EXPECT_EQ(-ENODATA, secbuf_ring_peek(self->consumer, 0, &span, &len));
	EXPECT_EQ(NULL, span);
	EXPECT_EQ(0, len);
	EXPECT_EQ(0, secbuf_ring_clear(self->consumer));
}

TEST_F(ring, every_length_at_every_offset)
{
	size_t n, at;

	/* Lengths without a common divisor with the size reach every offset. */
	for (n = 1; n <= SIZE; n += n < 80 ? 1 : 333) {
		for (at = 0; at < 2 * SIZE; at += n | 1) {
			ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in,
						       n));
			ASSERT_EQ(n, secbuf_ring_read(self->consumer, self->out,
						      sizeof(self->out)));
			ASSERT_EQ(0, memcmp(self->in, self->out, n));
			ASSERT_TRUE(is_zero(fake.data, SIZE));
		}
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 1));
		ASSERT_EQ(1, secbuf_ring_read(self->consumer, self->out, 1));
	}
}

TEST_F(ring, constant_lengths)
{
#define ROUND(n)							\
	do {								\
		memset(self->out, 0, sizeof(self->out));		\
		ASSERT_EQ(0, secbuf_ring_write(self->producer,		\
					       self->in, n));		\
		ASSERT_EQ(n, secbuf_ring_read(self->consumer,		\
					      self->out, n));		\
		ASSERT_EQ(0, memcmp(self->in, self->out, n));		\
		ASSERT_TRUE(is_zero(self->out + (n), 16));		\
		ASSERT_TRUE(is_zero(fake.data, SIZE));			\
	} while (0)
	ROUND(1); ROUND(7); ROUND(8); ROUND(15); ROUND(16); ROUND(31);
	ROUND(32); ROUND(33); ROUND(47); ROUND(63); ROUND(64); ROUND(65);
	ROUND(128); ROUND(129); ROUND(1024); ROUND(SIZE);
#undef ROUND
}

TEST_F(ring, a_span_is_contiguous_wherever_it_begins)
{
	const void *span;
	void *room;
	size_t at, len;

	for (at = 0; at < SIZE; at += 63) {
		ASSERT_EQ(0, secbuf_ring_reserve(self->producer, SIZE, &room));
		memcpy(room, self->in, SIZE);
		ASSERT_EQ(0, secbuf_ring_commit(self->producer, SIZE));
		EXPECT_EQ(1, secbuf_ring_is_full(&self->producer->side));
		ASSERT_EQ(0, secbuf_ring_peek(self->consumer, SIZE, &span, &len));
		ASSERT_EQ(SIZE, len);
		ASSERT_EQ(0, memcmp(span, self->in, SIZE));
		ASSERT_EQ(0, secbuf_ring_consume(self->consumer, SIZE));
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 63));
		ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	}
}

TEST_F(ring, writes_all_or_nothing_and_reads_what_there_is)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE - 10));
	EXPECT_EQ(-ENOSPC, secbuf_ring_write(self->producer, self->in, 11));
	EXPECT_EQ(SIZE - 10, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_write(self->producer, self->in,
					       SIZE + 1));
	EXPECT_EQ(0, secbuf_ring_write(self->producer, self->in, 0));
	EXPECT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(0, secbuf_ring_available(&self->producer->side));

	EXPECT_EQ(100, secbuf_ring_copy(self->consumer, self->out, 100));
	EXPECT_EQ(0, memcmp(self->in, self->out, 100));
	EXPECT_EQ(SIZE, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(SIZE - 10, secbuf_ring_read(self->consumer, self->out,
					      SIZE - 10));
	EXPECT_EQ(10, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(-ENODATA, secbuf_ring_copy(self->consumer, self->out, 1));
}

TEST_F(ring, peek_waits_for_as_much_as_is_wanted)
{
	const void *span;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 5));
	EXPECT_EQ(-ENODATA, secbuf_ring_peek(self->consumer, 6, &span, &len));
	EXPECT_EQ(0, secbuf_ring_peek(self->consumer, 5, &span, &len));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in + 5, 5));
	EXPECT_EQ(0, secbuf_ring_peek(self->consumer, 6, &span, &len));
	EXPECT_EQ(10, len);
	EXPECT_EQ(0, memcmp(span, self->in, 10));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_peek(self->consumer, SIZE + 1, &span,
					      &len));
}

TEST_F(ring, no_system_call_while_nobody_sleeps)
{
	const void *span;
	void *room;
	size_t len;
	int i;

	for (i = 0; i < 10000; i++) {
		ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 64, &room));
		ASSERT_EQ(0, secbuf_ring_commit(self->producer, 64));
		ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
		ASSERT_EQ(0, secbuf_ring_consume(self->consumer, len));
	}
	EXPECT_EQ(0, fake.calls);
}

TEST_F(ring, the_other_end_is_not_looked_at_without_need)
{
	void *room;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	ASSERT_EQ(1, secbuf_ring_read(self->consumer, self->out, 1));
	fake.tail->tail += SIZE;
	fake.head->head += SIZE;
	EXPECT_EQ(0, secbuf_ring_reserve(self->producer, SIZE - 100, &room));
	EXPECT_EQ(99, secbuf_ring_read(self->consumer, self->out, 100));
	EXPECT_EQ(0, fake.status->flags);
}

/* Bad input */

TEST_F(ring, null)
{
	const void *span;
	void *room;
	size_t len;

	EXPECT_EQ(-EINVAL, secbuf_ring_reserve(NULL, 1, &room));
	EXPECT_EQ(-EINVAL, secbuf_ring_reserve(self->producer, 1, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_cancel(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_write(NULL, self->in, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_write(self->producer, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_peek(NULL, 0, &span, &len));
	EXPECT_EQ(-EINVAL, secbuf_ring_peek(self->consumer, 0, NULL, &len));
	EXPECT_EQ(-EINVAL, secbuf_ring_peek(self->consumer, 0, &span, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_read(NULL, self->out, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_read(self->consumer, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_copy(self->consumer, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_clear(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_park(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_unpark(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_fill(NULL, 0, 1, 0));
	EXPECT_EQ(-EINVAL, secbuf_ring_drain(NULL, 0, 1, 0));
	EXPECT_EQ(-EINVAL, secbuf_ring_wait(NULL, 1, 0));
	EXPECT_EQ(-EINVAL, secbuf_ring_used(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_available(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_is_empty(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_is_full(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_is_idle(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_shrink(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_reset(NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_get_stats(NULL, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_get_stats(&self->producer->side, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_fd(NULL));
	EXPECT_EQ(0, secbuf_ring_size(NULL));
	secbuf_ring_producer_close(NULL);
	secbuf_ring_consumer_close(NULL);
	EXPECT_EQ(-EINVAL, secbuf_ring_producer_attach(NULL, 0));
	EXPECT_EQ(-EINVAL, secbuf_ring_consumer_attach(NULL, 0));
}

TEST_F(ring, reserve_of_what_cannot_be)
{
	void *room;

	EXPECT_EQ(-EINVAL, secbuf_ring_reserve(self->producer, 0, &room));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_reserve(self->producer, SIZE + 1,
						 &room));
	EXPECT_EQ(NULL, room);
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_reserve(self->producer, SIZE_MAX,
						 &room));
	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 10, &room));
	EXPECT_EQ(-EBUSY, secbuf_ring_reserve(self->producer, 10, &room));
	EXPECT_EQ(-EBUSY, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(-EBUSY, secbuf_ring_park(self->producer));
	EXPECT_EQ(0, secbuf_ring_cancel(self->producer));
	EXPECT_EQ(0, secbuf_ring_cancel(self->producer));
	EXPECT_EQ(0, secbuf_ring_park(self->producer));
}

TEST_F(ring, commit_of_more_than_was_reserved)
{
	void *room;

	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 10, &room));
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, 11));
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, SIZE_MAX));
	EXPECT_EQ(0, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(0, secbuf_ring_commit(self->producer, 10));
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, 1));
	EXPECT_EQ(10, secbuf_ring_used(&self->consumer->side));
}

TEST_F(ring, consume_of_more_than_was_peeked)
{
	const void *span;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, 1));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, 11));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, SIZE_MAX));
	EXPECT_EQ(0, secbuf_ring_consume(self->consumer, 0));
	EXPECT_EQ(0, secbuf_ring_consume(self->consumer, 4));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, 7));
	EXPECT_EQ(0, secbuf_ring_consume(self->consumer, 6));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, 1));
	EXPECT_EQ(10, secbuf_ring_used(&self->consumer->side));
}

TEST_F(ring, consume_of_what_was_read_meanwhile)
{
	const void *span;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 20));
	ASSERT_EQ(4, secbuf_ring_read(self->consumer, self->out, 4));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, 7));
	ASSERT_EQ(6, secbuf_ring_read(self->consumer, self->out, 6));
	ASSERT_EQ(8, secbuf_ring_read(self->consumer, self->out, 8));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, 1));
	EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer, SIZE));
	EXPECT_EQ(12, secbuf_ring_used(&self->consumer->side));
}

/* Of the seed */

TEST_F(ring, seed_a6_commit_before_any_write_is_refused)
{
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, 4));
	EXPECT_EQ(0, secbuf_ring_used(&self->producer->side));
	EXPECT_EQ(-ENODATA, secbuf_ring_read(self->consumer, self->out, 4));
}

TEST_F(ring, seed_a8_nothing_committed_to_a_new_ring)
{
	EXPECT_EQ(0, secbuf_ring_commit(self->producer, 0));
	EXPECT_EQ(0, secbuf_ring_used(&self->producer->side));
}

TEST_F(ring, seed_s8_nothing_is_left_of_what_was_consumed)
{
	const void *span;
	void *room;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	ASSERT_EQ(7, secbuf_ring_read(self->consumer, self->out, 7));
	EXPECT_TRUE(is_zero(fake.data + (self->consumer->side.mine - 7) % SIZE,
			    7));
	EXPECT_EQ(self->in[7], fake.data[self->consumer->side.mine % SIZE]);
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	ASSERT_EQ(0, secbuf_ring_consume(self->consumer, 1000));
	EXPECT_TRUE(is_zero(span, 1000));
	EXPECT_FALSE(is_zero((const char *)span + 1000, 1));
	ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	EXPECT_TRUE(is_zero(fake.data, SIZE));

	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 100, &room));
	memset(room, 1, 100);
	ASSERT_EQ(0, secbuf_ring_cancel(self->producer));
	EXPECT_TRUE(is_zero(fake.data, SIZE));
	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 100, &room));
	memset(room, 1, 100);
	ASSERT_EQ(0, secbuf_ring_commit(self->producer, 10));
	EXPECT_TRUE(is_zero((char *)room + 10, 90));
	EXPECT_EQ(10, secbuf_ring_read(self->consumer, self->out, 100));
	EXPECT_TRUE(is_zero(fake.data, SIZE));
}

/* The other end is hostile */

TEST_F(ring, a_tail_that_cannot_be)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	ASSERT_EQ(100, secbuf_ring_read(self->consumer, self->out, 100));
	ASSERT_EQ(100, secbuf_ring_available(&self->producer->side));

	/* Further than the head, and a little back. */
	fake.tail->tail = self->producer->side.mine + 1;
	EXPECT_EQ(-EPROTO, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
	fake.status->flags = 0;
	fake.tail->tail = self->consumer->side.mine - 1;
	EXPECT_EQ(-EPROTO, secbuf_ring_available(&self->producer->side));
	EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
	fake.tail->tail = self->consumer->side.mine;
	EXPECT_EQ(-EPROTO, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(-EPROTO, secbuf_ring_wait(&self->producer->side, 1, 0));
	EXPECT_EQ(-EPROTO, secbuf_ring_read(self->consumer, self->out, 1));
}

TEST_F(ring, a_head_that_cannot_be)
{
	const void *span;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));

	/* Further than the tail and the ring, and a little back. */
	fake.head->head = self->consumer->side.mine + SIZE + 1;
	EXPECT_EQ(-EPROTO, secbuf_ring_peek(self->consumer, 101, &span, &len));
	EXPECT_EQ(NULL, span);
	EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
	fake.status->flags = 0;
	fake.head->head = self->consumer->side.mine + 99;
	EXPECT_EQ(-EPROTO, secbuf_ring_peek(self->consumer, 101, &span, &len));
	EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
	EXPECT_EQ(-EPROTO, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(-EPROTO, secbuf_ring_clear(self->consumer));
	EXPECT_EQ(-EPROTO, secbuf_ring_write(self->producer, self->in, 1));
}

TEST_F(ring, broken_while_there_is_something_to_do)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	ASSERT_EQ(1, secbuf_ring_read(self->consumer, self->out, 1));
	fake.status->flags = SECBUF_RING_BROKEN;
	EXPECT_EQ(-EPROTO, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(-EPROTO, secbuf_ring_read(self->consumer, self->out, 1));
	EXPECT_EQ(-EPROTO, secbuf_ring_copy(self->consumer, self->out, 1));
	EXPECT_EQ(-EPROTO, secbuf_ring_used(&self->consumer->side));
}

TEST_F(ring, a_position_that_cannot_be_at_the_beginning)
{
	struct secbuf_ring_handle *handle;

	fake.tail->tail = self->producer->side.mine + 1;
	EXPECT_EQ(-EPROTO, fake_begin(&handle, FAKE_PRODUCER_FD, 0,
				      SECBUF_RING_END_PRODUCER));
	EXPECT_EQ(-EPROTO, fake_begin(&handle, FAKE_CONSUMER_FD, 0,
				      SECBUF_RING_END_CONSUMER));
	fake.status->flags = 0;
	fake.tail->tail = self->consumer->side.mine;
	fake.head->head = self->consumer->side.mine + SIZE + 1;
	EXPECT_EQ(-EPROTO, fake_begin(&handle, FAKE_CONSUMER_FD, 0,
				      SECBUF_RING_END_CONSUMER));
	EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
	fake.status->flags = 0;
	fake.head->head = self->consumer->side.mine + SIZE;
	EXPECT_EQ(0, fake_begin(&handle, FAKE_CONSUMER_FD, 0,
				SECBUF_RING_END_CONSUMER));
	EXPECT_EQ(SIZE, secbuf_ring_used(&handle->side));
}

/* The other end is gone */

TEST_F(ring, without_a_consumer)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	fake.status->flags = SECBUF_RING_CONSUMER_GONE;
	EXPECT_EQ(-EPIPE, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(-EPIPE, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->producer->side, SIZE, 0));
}

TEST_F(ring, without_a_producer_the_rest_can_be_read)
{
	const void *span;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	fake.status->flags = SECBUF_RING_PRODUCER_GONE;
	EXPECT_EQ(10, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(0, secbuf_ring_wait(&self->consumer->side, 10, 0));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->consumer->side, 11, 0));
	EXPECT_EQ(-EPIPE, secbuf_ring_peek(self->consumer, 11, &span, &len));
	EXPECT_EQ(4, secbuf_ring_read(self->consumer, self->out, 4));
	EXPECT_EQ(6, secbuf_ring_read(self->consumer, self->out, 100));
	EXPECT_EQ(0, memcmp(self->out, self->in + 4, 6));
	EXPECT_EQ(-EPIPE, secbuf_ring_read(self->consumer, self->out, 100));
	EXPECT_EQ(0, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(0, secbuf_ring_clear(self->consumer));
}

/* Between two looks of the consumer: when it asks what the kernel says. */
static void say_and_go(int sig)
{
	mprotect(fake.status, fake.page, PROT_READ | PROT_WRITE);
	fake.data[fake.head->head % SIZE] = 'x';
	__atomic_store_n(&fake.head->head, fake.head->head + 1,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&fake.status->flags, SECBUF_RING_PRODUCER_GONE,
			 __ATOMIC_RELEASE);
}

TEST_F(ring, the_last_words_of_a_producer_are_heard)
{
	struct sigaction act = { .sa_handler = say_and_go };

	sigaction(SIGSEGV, &act, NULL);
	ASSERT_EQ(0, mprotect(fake.status, fake.page, PROT_NONE));
	EXPECT_EQ(1, secbuf_ring_read(self->consumer, self->out, 10));
	EXPECT_EQ('x', self->out[0]);
	EXPECT_EQ(-EPIPE, secbuf_ring_read(self->consumer, self->out, 10));
}

TEST_F(ring, after_a_reset_whatever_the_pages_show)
{
	const void *span;
	void *room;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 10, &room));
	fake.status->flags = SECBUF_RING_RESET_DONE;
	fake.head->head = 0;
	fake.head->state = 0;
	fake.tail->tail = 0;
	memset(fake.data, 0, SIZE);
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_commit(self->producer, 10));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_wait(&self->producer->side, SIZE, 0));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_consume(self->consumer, 10));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_read(self->consumer, self->out, 1));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(0, fake.status->flags & SECBUF_RING_BROKEN);
}

/* Parking */

TEST_F(ring, the_producer_is_busy_before_it_touches_anything)
{
	void *room;

	EXPECT_EQ(SECBUF_RING_PARKED, fake.head->state);
	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 1, &room));
	EXPECT_EQ(SECBUF_RING_BUSY, fake.head->state);
	EXPECT_EQ(-EBUSY, secbuf_ring_park(self->producer));
	EXPECT_EQ(-EBUSY, secbuf_ring_shrink(&self->producer->side));
	EXPECT_EQ(SECBUF_RING_BUSY, fake.head->state);
	ASSERT_EQ(0, secbuf_ring_commit(self->producer, 1));
	ASSERT_EQ(0, secbuf_ring_park(self->producer));
	EXPECT_EQ(SECBUF_RING_PARKED, fake.head->state);
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(SECBUF_RING_BUSY, fake.head->state);
	EXPECT_EQ(0, fake.unparks);
}

TEST_F(ring, memory_that_is_gone_comes_back_before_it_is_touched)
{
	ASSERT_EQ(0, secbuf_ring_park(self->producer));
	fake.head->state = SECBUF_RING_GONE;
	/* Only the kernel leaves that. */
	ASSERT_EQ(0, secbuf_ring_park(self->producer));
	EXPECT_EQ(SECBUF_RING_GONE, fake.head->state);
	EXPECT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->consumer->side, 1, 0));
	EXPECT_EQ(0, secbuf_ring_wait(&self->producer->side, SIZE, 0));
	EXPECT_EQ(SECBUF_RING_GONE, fake.head->state);
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(1, fake.unparks);
	EXPECT_EQ(SECBUF_RING_BUSY, fake.head->state);
	ASSERT_EQ(0, secbuf_ring_park(self->producer));
	fake.head->state = SECBUF_RING_GONE;
	EXPECT_EQ(0, secbuf_ring_unpark(self->producer));
	EXPECT_EQ(2, fake.unparks);
	EXPECT_EQ(0, secbuf_ring_unpark(self->producer));
	EXPECT_EQ(2, fake.unparks);
}

TEST_F(ring, a_producer_that_sleeps_is_parked_unless_it_has_reserved)
{
	void *room;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	EXPECT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->producer->side, SIZE, 0));
	EXPECT_EQ(SECBUF_RING_PARKED, fake.head->state);
	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 1, &room));
	EXPECT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->producer->side, SIZE, 0));
	EXPECT_EQ(SECBUF_RING_BUSY, fake.head->state);
}

/* Waking */

TEST_F(ring, who_sleeps_is_woken_when_there_is_enough)
{
	ASSERT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->consumer->side, 10, 0));
	fake.notifies = 0;
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 9));
	EXPECT_EQ(0, fake.notifies);
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(1, fake.notifies);
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(1, fake.notifies);

	ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	ASSERT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->producer->side, 10, 0));
	fake.notifies = 0;
	ASSERT_EQ(9, secbuf_ring_read(self->consumer, self->out, 9));
	EXPECT_EQ(0, fake.notifies);
	ASSERT_EQ(9, secbuf_ring_read(self->consumer, self->out, 9));
	EXPECT_EQ(1, fake.notifies);
	ASSERT_EQ(9, secbuf_ring_read(self->consumer, self->out, 9));
	EXPECT_EQ(1, fake.notifies);
}

TEST_F(ring, wait_does_not_call_the_kernel_without_need)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(0, secbuf_ring_wait(&self->consumer->side, 10, 0));
	EXPECT_EQ(0, secbuf_ring_wait(&self->producer->side, 10, 0));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_wait(&self->producer->side, SIZE + 1,
					      0));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_wait(&self->consumer->side, SIZE_MAX,
					      0));
	EXPECT_EQ(0, fake.calls);
}

/* Sockets */

TEST_F(ring, fill_and_drain)
{
	int a[2], b[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	EXPECT_EQ(-EAGAIN, secbuf_ring_fill(self->producer, a[1], SIZE,
					    MSG_DONTWAIT));
	EXPECT_EQ(0, secbuf_ring_used(&self->producer->side));
	EXPECT_EQ(-ENODATA, secbuf_ring_drain(self->consumer, b[0], SIZE, 0));
	EXPECT_EQ(-EINVAL, secbuf_ring_fill(self->producer, a[1], SIZE,
					    MSG_PEEK));
	EXPECT_EQ(-EINVAL, secbuf_ring_drain(self->consumer, b[0], SIZE,
					     MSG_OOB));
	EXPECT_EQ(-EINVAL, secbuf_ring_fill(self->producer, a[1], 0, 0));
	EXPECT_EQ(-EINVAL, secbuf_ring_drain(self->consumer, b[0], 0, 0));

	ASSERT_EQ(SIZE, write(a[0], self->in, SIZE));
	EXPECT_EQ(100, secbuf_ring_fill(self->producer, a[1], 100, 0));
	EXPECT_EQ(SIZE - 100, secbuf_ring_fill(self->producer, a[1], SIZE_MAX,
					       0));
	EXPECT_EQ(-ENOSPC, secbuf_ring_fill(self->producer, a[1], 1, 0));
	EXPECT_EQ(10, secbuf_ring_drain(self->consumer, b[0], 10, 0));
	EXPECT_EQ(SIZE - 10, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(SIZE - 10, secbuf_ring_drain(self->consumer, b[0], SIZE_MAX,
					       0));
	EXPECT_TRUE(is_zero(fake.data, SIZE));
	ASSERT_EQ(SIZE, recv(b[1], self->out, SIZE, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(self->in, self->out, SIZE));

	close(a[0]);
	EXPECT_EQ(0, secbuf_ring_fill(self->producer, a[1], 1, 0));
	EXPECT_EQ(-EBADF, secbuf_ring_fill(self->producer, -1, 1, 0));
	EXPECT_EQ(0, secbuf_ring_cancel(self->producer));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	close(b[1]);
	/* Nothing is lost, and SIGPIPE would end the test. */
	EXPECT_EQ(-EPIPE, secbuf_ring_drain(self->consumer, b[0], 10, 0));
	EXPECT_EQ(10, secbuf_ring_read(self->consumer, self->out, 100));
	close(a[1]);
	close(b[0]);
}

/* Fork */

TEST_F(ring, a_child_has_nothing)
{
	struct secbuf_ring_producer *producer = self->producer;
	struct secbuf_ring_consumer *consumer = self->consumer;
	const void *span;
	void *room;
	size_t len;
	int status;
	pid_t pid;

	ASSERT_EQ(0, secbuf_ring_write(producer, self->in, 10));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		bool good = secbuf_ring_reserve(producer, 1, &room) ==
			    -EOWNERDEAD &&
			    secbuf_ring_write(producer, self->in, 1) ==
			    -EOWNERDEAD &&
			    secbuf_ring_commit(producer, 1) == -EOWNERDEAD &&
			    secbuf_ring_cancel(producer) == -EOWNERDEAD &&
			    secbuf_ring_peek(consumer, 0, &span, &len) ==
			    -EOWNERDEAD &&
			    secbuf_ring_read(consumer, self->out, 1) ==
			    -EOWNERDEAD &&
			    secbuf_ring_consume(consumer, 1) == -EOWNERDEAD &&
			    secbuf_ring_clear(consumer) == -EOWNERDEAD &&
			    secbuf_ring_park(producer) == -EOWNERDEAD &&
			    secbuf_ring_unpark(producer) == -EOWNERDEAD &&
			    secbuf_ring_fill(producer, 0, 1, 0) ==
			    -EOWNERDEAD &&
			    secbuf_ring_drain(consumer, 0, 1, 0) ==
			    -EOWNERDEAD &&
			    secbuf_ring_used(&producer->side) == -EOWNERDEAD &&
			    secbuf_ring_wait(&consumer->side, 1, 0) ==
			    -EOWNERDEAD &&
			    secbuf_ring_reset(&consumer->side) == -EOWNERDEAD;

		_exit(!good);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(10, secbuf_ring_read(consumer, self->out, 100));
}

/* Records */

FIXTURE(records) {
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	unsigned char in[2 * SIZE];
	unsigned char out[2 * SIZE];
};

FIXTURE_VARIANT(records) {
	uint64_t start;
};

FIXTURE_VARIANT_ADD(records, from_zero) {
	.start = 0,
};

FIXTURE_VARIANT_ADD(records, wrapping) {
	.start = -(uint64_t)SIZE / 2,
};

FIXTURE_SETUP(records)
{
	memset(self->in, 0x77, sizeof(self->in));
	ASSERT_EQ(0, fake_open(SIZE, SECBUF_RING_F_RECORDS, variant->start));
	self->producer = fake.producer;
	self->consumer = fake.consumer;
}

FIXTURE_TEARDOWN(records)
{
	fake_close();
}

TEST_F(records, keep_their_bounds)
{
	const void *span;
	void *room;
	size_t n, len;

	for (n = 1; n <= SIZE - 4; n += n < 80 ? 1 : 77) {
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, n));
		if (n < 1000) {
			ASSERT_EQ(0, secbuf_ring_reserve(self->producer, n + 9,
							 &room));
			memset(room, n, n + 9);
			ASSERT_EQ(0, secbuf_ring_commit(self->producer, n + 1));
		}
		ASSERT_EQ(n, secbuf_ring_copy(self->consumer, self->out, SIZE));
		ASSERT_EQ(n, secbuf_ring_read(self->consumer, self->out, n));
		ASSERT_EQ(0, memcmp(self->in, self->out, n));
		if (n < 1000) {
			ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span,
						      &len));
			ASSERT_EQ(n + 1, len);
			EXPECT_EQ((unsigned char)n,
				  ((const unsigned char *)span)[n]);
			EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer,
							       n));
			EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer,
							       n + 2));
			ASSERT_EQ(0, secbuf_ring_consume(self->consumer,
							 n + 1));
			EXPECT_EQ(-EINVAL, secbuf_ring_consume(self->consumer,
							       n + 1));
		}
		ASSERT_EQ(-ENODATA, secbuf_ring_read(self->consumer, self->out,
						     1));
		ASSERT_TRUE(is_zero(fake.data, SIZE));
	}
	EXPECT_EQ(0, fake.calls);
}

TEST_F(records, as_the_header_says)
{
	uint64_t at = fake.head->head;
	uint32_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 5));
	EXPECT_EQ(at + 12, fake.head->head);
	memcpy(&len, fake.data + at % SIZE, 4);
	EXPECT_EQ(5, len);
	EXPECT_EQ(0, memcmp(self->in, fake.data + at % SIZE + 4, 5));
	EXPECT_TRUE(is_zero(fake.data + at % SIZE + 9, 3));
}

TEST_F(records, whole_or_not_at_all)
{
	void *room;

	EXPECT_EQ(SIZE - 4, secbuf_ring_available(&self->producer->side));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_write(self->producer, self->in,
					       SIZE - 3));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_write(self->producer, self->in,
					       SIZE));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_reserve(self->producer, SIZE_MAX,
						 &room));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_reserve(self->producer, SIZE_MAX - 3,
						 &room));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_wait(&self->producer->side,
					      SIZE - 3, 0));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_wait(&self->producer->side,
					      SIZE_MAX, 0));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE - 8));
	EXPECT_EQ(0, secbuf_ring_available(&self->producer->side));
	EXPECT_EQ(1, secbuf_ring_is_full(&self->producer->side));
	EXPECT_EQ(-ENOSPC, secbuf_ring_write(self->producer, self->in, 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_read(self->consumer, self->out,
					      SIZE - 9));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_copy(self->consumer, self->out,
					      SIZE - 9));
	EXPECT_EQ(SIZE - 8, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ring_fill(self->producer, 0, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ring_drain(self->consumer, 0, 1, 0));
}

TEST_F(records, reserve_and_commit_are_exact)
{
	void *room;

	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 5, &room));
	memset(room, 1, 5);
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, 6));
	EXPECT_EQ(0, secbuf_ring_cancel(self->producer));
	EXPECT_TRUE(is_zero(fake.data, SIZE));
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, 1));
	EXPECT_EQ(0, secbuf_ring_used(&self->producer->side));
}

/* Puts a record there that says that it has @len bytes, in @bytes of the ring. */
static void forge(uint32_t len, uint64_t bytes)
{
	uint64_t at = fake.head->head;

	memcpy(fake.data + at % SIZE, &len, sizeof(len));
	__atomic_store_n(&fake.head->head, at + bytes, __ATOMIC_RELEASE);
}

TEST_F(records, lengths_that_cannot_be)
{
	static const struct {
		uint32_t len;
		uint64_t bytes;
	} bad[] = {
		{ 0, 8 }, { 5, 8 }, { SIZE, SIZE }, { SIZE - 3, SIZE },
		{ UINT32_MAX, SIZE }, { UINT32_MAX - 3, 8 },
		{ UINT32_MAX - 7, 8 }, { 1u << 31, 64 }, { 1, 4 },
	};
	const void *span;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		forge(bad[i].len, bad[i].bytes);
		EXPECT_EQ(-EPROTO, secbuf_ring_peek(self->consumer, 0, &span,
						    &len)) {
			TH_LOG("length %u in %llu", bad[i].len,
			       (unsigned long long)bad[i].bytes);
		}
		EXPECT_EQ(NULL, span);
		EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
		EXPECT_EQ(-EPROTO, secbuf_ring_read(self->consumer, self->out,
						    SIZE));
		fake_close();
		ASSERT_EQ(0, fake_open(SIZE, SECBUF_RING_F_RECORDS,
				       variant->start));
		self->producer = fake.producer;
		self->consumer = fake.consumer;
	}
}

TEST_F(records, a_head_between_records)
{
	const void *span;
	size_t len;

	/* There is a record before. */
	forge(1, 10);
	EXPECT_EQ(-EPROTO, secbuf_ring_peek(self->consumer, 0, &span, &len));
	EXPECT_EQ(SECBUF_RING_BROKEN, fake.status->flags);
}

TEST_F(records, a_length_that_changes_after_it_was_read)
{
	const void *span;
	uint64_t at;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 5));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 6));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	at = self->consumer->side.mine;
	memset(fake.data + at % SIZE, 0xff, 4);
	ASSERT_EQ(5, len);
	ASSERT_EQ(0, secbuf_ring_consume(self->consumer, 5));
	EXPECT_EQ(at + 12, fake.tail->tail);
	EXPECT_EQ(6, secbuf_ring_read(self->consumer, self->out, SIZE));
}

/* What the library asks the kernel for */

static struct secbuf_context context = { .fd = FAKE_PRODUCER_FD };

TEST(seed_a7_a_size_is_never_less_than_was_asked_for)
{
	static const struct {
		size_t wanted;
		uint64_t made;
	} sizes[] = {
		{ 0, 65536 }, { 1, SIZE }, { SIZE, SIZE },
		{ SIZE + 1, 2 * SIZE }, { 100000, 131072 },
		{ SECBUF_RING_SIZE_MAX, SECBUF_RING_SIZE_MAX },
		{ SECBUF_RING_SIZE_MAX - 1, SECBUF_RING_SIZE_MAX },
		{ SECBUF_RING_SIZE_MAX + 1, 0 }, { 1UL << 63, 0 },
		{ (1UL << 63) + 1, 0 }, { SIZE_MAX, 0 },
	};
	struct secbuf_ring_opts opts = { .sz = sizeof(opts) };
	int a, b;
	size_t i;

	if (sysconf(_SC_PAGESIZE) != SIZE)
		SKIP(return, "other pages");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		opts.ring_size = sizes[i].wanted;
		fake.asked = 0;
		EXPECT_EQ(sizes[i].made ? -ENOTTY : -EINVAL,
			  secbuf_ring_create(&a, &b, &context, &opts));
		EXPECT_EQ(sizes[i].made, fake.asked);
		EXPECT_EQ(-1, a);
		EXPECT_EQ(-1, b);
	}
}

TEST(options)
{
	struct secbuf_ring_opts opts = { .sz = sizeof(opts), .__reserved = 1 };
	struct secbuf_ring_producer *producer = (void *)1;
	struct secbuf_ring_consumer *consumer = (void *)1;
	int a, b;

	EXPECT_EQ(-EINVAL, secbuf_ring_create(&a, &b, &context, &opts));
	EXPECT_EQ(-EINVAL, secbuf_ring_open(&producer, &consumer, &context,
					    &opts));
	EXPECT_EQ(NULL, producer);
	EXPECT_EQ(NULL, consumer);
	opts.sz = 1;
	EXPECT_EQ(-EINVAL, secbuf_ring_create(&a, &b, &context, &opts));
	EXPECT_EQ(-EINVAL, secbuf_ring_create(NULL, &b, &context, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_create(&a, NULL, &context, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_create(&a, &b, NULL, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_open(NULL, &consumer, &context, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_open(&producer, NULL, &context, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_open(&producer, &consumer, NULL, NULL));
	EXPECT_EQ(-EBADF, secbuf_ring_producer_attach(&producer, -1));
	EXPECT_EQ(-ENOTTY, secbuf_ring_consumer_attach(&consumer, 0));
}

TEST_HARNESS_MAIN
