// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Rings on a real device.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#include "device.h"

#define SIZE	16384
#define MS	1000000ULL

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

FIXTURE(ring) {
	struct secbuf_context *ctx;
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	unsigned char in[SIZE];
	unsigned char out[SIZE];
};

FIXTURE_VARIANT(ring) {
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(ring, plain) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(ring, populated) {
	.flags = SECBUF_RING_F_POPULATE,
};

FIXTURE_VARIANT_ADD(ring, passable) {
	.flags = SECBUF_RING_F_PASSABLE,
};

FIXTURE_SETUP(ring)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = SIZE, .flags = variant->flags,
	};
	size_t i;

	for (i = 0; i < sizeof(self->in); i++)
		self->in[i] = 1 + i % 251;
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_ring_open(&self->producer, &self->consumer,
				      self->ctx, &opts));
}

FIXTURE_TEARDOWN(ring)
{
	secbuf_ring_producer_close(self->producer);
	secbuf_ring_consumer_close(self->consumer);
	secbuf_close(self->ctx);
}

TEST_F(ring, every_offset)
{
	size_t at;

	for (at = 0; at < 3 * SIZE; at += 997) {
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 997));
		ASSERT_EQ(997, secbuf_ring_read(self->consumer, self->out,
						SIZE));
		ASSERT_EQ(0, memcmp(self->in, self->out, 997));
	}
	for (at = 0; at < SIZE; at += 511) {
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
		EXPECT_EQ(-ENOSPC, secbuf_ring_write(self->producer, self->in,
						     1));
		ASSERT_EQ(SIZE, secbuf_ring_read(self->consumer, self->out,
						 SIZE));
		ASSERT_EQ(0, memcmp(self->in, self->out, SIZE));
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 511));
		ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	}
	EXPECT_TRUE(is_zero(self->consumer->side.data, 2 * SIZE));
	EXPECT_TRUE(is_zero(self->producer->side.data, 2 * SIZE));
}

static void begin_at(struct secbuf_ring_side *side, uint64_t start)
{
	side->mine = start;
	side->open = start;
	side->limit = start;
	side->theirs = start;
}

TEST_F(ring, positions_pass_2_to_64)
{
	struct secbuf_ring_producer *producer = self->producer;
	struct secbuf_ring_consumer *consumer = self->consumer;
	const uint64_t start = -(uint64_t)SIZE;
	int i;

	/* The owner of both ends may begin where it likes. */
	producer->own->head = start;
	consumer->own->tail = start;
	begin_at(&producer->side, start);
	begin_at(&consumer->side, start);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, secbuf_ring_write(producer, self->in, 1000));
		ASSERT_EQ(1000, secbuf_ring_read(consumer, self->out, SIZE));
		ASSERT_EQ(0, memcmp(self->in, self->out, 1000));
	}
	EXPECT_EQ(-ETIMEDOUT, secbuf_ring_wait(&consumer->side, 1, 0));
	EXPECT_EQ(100000 - SIZE, producer->own->head);
}

TEST_F(ring, seed_a6_commit_before_any_write_is_refused)
{
	EXPECT_EQ(-EINVAL, secbuf_ring_commit(self->producer, 4));
	EXPECT_EQ(0, secbuf_ring_used(&self->consumer->side));
	EXPECT_EQ(-ENODATA, secbuf_ring_read(self->consumer, self->out, 4));
}

TEST_F(ring, seed_s8_nothing_is_left_of_what_was_consumed)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	ASSERT_EQ(100, secbuf_ring_read(self->consumer, self->out, 100));
	EXPECT_TRUE(is_zero(self->producer->side.data, 100));
	EXPECT_EQ(self->in[100], self->producer->side.data[100]);
	EXPECT_EQ(self->in[100], self->producer->side.data[SIZE + 100]);
	ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	EXPECT_TRUE(is_zero(self->producer->side.data, 2 * SIZE));
}

/* Between guards */
TEST_F(ring, what_is_around_the_data_faults)
{
	EXPECT_EQ(SIGSEGV, probe(self->producer->side.data - 1));
	EXPECT_EQ(SIGSEGV, probe(self->producer->side.data + 2 * SIZE));
	EXPECT_EQ(SIGSEGV, probe(self->consumer->side.data - 1));
	EXPECT_EQ(SIGSEGV, probe(self->consumer->side.data + 2 * SIZE));
	EXPECT_EQ(0, probe(self->consumer->side.data));
	EXPECT_EQ(0, probe(self->consumer->side.data + 2 * SIZE - 1));
}

TEST_F(ring, a_timed_wait_ends)
{
	uint64_t start = now_ns();

	EXPECT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->consumer->side, 1,
					       50 * MS));
	EXPECT_LE(50 * MS, now_ns() - start);
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->producer->side, 1,
					       50 * MS));
	EXPECT_EQ(SECBUF_RING_PARKED, self->producer->own->state);
	ASSERT_EQ(1, secbuf_ring_read(self->consumer, self->out, 1));
	EXPECT_EQ(0, secbuf_ring_wait(&self->producer->side, 1, 50 * MS));
	EXPECT_EQ(0, secbuf_ring_wait(&self->consumer->side, SIZE - 1, 0));
}

TEST_F(ring, memory_goes_when_idle_and_comes_back)
{
	struct secbuf_ring_stats_args stats;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(0, secbuf_ring_is_idle(&self->producer->side));
	EXPECT_EQ(-EBUSY, secbuf_ring_shrink(&self->producer->side));
	ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	EXPECT_EQ(1, secbuf_ring_is_idle(&self->consumer->side));
	EXPECT_EQ(SIZE, secbuf_ring_shrink(&self->producer->side));
	EXPECT_EQ(0, secbuf_ring_is_idle(&self->consumer->side));
	ASSERT_EQ(0, secbuf_ring_get_stats(&self->consumer->side, &stats));
	EXPECT_EQ(0, stats.out_bytes);
	EXPECT_EQ(SIZE, stats.out_peak_bytes);
	EXPECT_EQ(SECBUF_RING_GONE, stats.out_state);

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(10, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 10));
	EXPECT_EQ(-EBUSY, secbuf_ring_shrink(&self->consumer->side));
	ASSERT_EQ(0, secbuf_ring_park(self->producer));
	EXPECT_LT(0, secbuf_ring_shrink(&self->consumer->side));
	ASSERT_EQ(0, secbuf_ring_unpark(self->producer));
	ASSERT_EQ(0, secbuf_ring_get_stats(&self->producer->side, &stats));
	EXPECT_EQ(SECBUF_RING_BUSY, stats.out_state);
	EXPECT_EQ(2, stats.out_shrinks);
}

TEST_F(ring, no_system_call_while_nobody_sleeps)
{
	struct secbuf_ring_stats_args before, after;
	const void *span;
	void *room;
	size_t len;
	int i;

	ASSERT_EQ(0, secbuf_ring_get_stats(&self->producer->side, &before));
	for (i = 0; i < 10000; i++) {
		ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 64, &room));
		ASSERT_EQ(0, secbuf_ring_commit(self->producer, 64));
		ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
		ASSERT_EQ(0, secbuf_ring_consume(self->consumer, len));
	}
	ASSERT_EQ(0, secbuf_ring_get_stats(&self->producer->side, &after));
	EXPECT_EQ(before.out_notifies, after.out_notifies);
	EXPECT_EQ(before.out_sleeps, after.out_sleeps);
	EXPECT_EQ(640000, after.out_consumed - before.out_consumed);
}

TEST_F(ring, the_consumer_is_gone)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	secbuf_ring_consumer_close(self->consumer);
	self->consumer = NULL;
	EXPECT_TRUE(is_zero(self->producer->side.data, 2 * SIZE));
	EXPECT_EQ(-EPIPE, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(-EPIPE, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->producer->side, SIZE, 0));
	EXPECT_EQ(0, probe(self->producer->side.data));
}

TEST_F(ring, the_producer_is_gone)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	secbuf_ring_producer_close(self->producer);
	self->producer = NULL;
	EXPECT_EQ(40, secbuf_ring_read(self->consumer, self->out, 40));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->consumer->side, 61, 0));
	EXPECT_EQ(60, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(0, memcmp(self->out, self->in + 40, 60));
	EXPECT_EQ(-EPIPE, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->consumer->side, 1,
					   SECBUF_RING_TIMEOUT_NONE));
}

TEST_F(ring, after_a_reset)
{
	const void *span;
	void *room;
	size_t len;

	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	ASSERT_EQ(0, secbuf_ring_peek(self->consumer, 0, &span, &len));
	ASSERT_EQ(0, secbuf_ring_reserve(self->producer, 10, &room));
	ASSERT_EQ(0, secbuf_ring_reset(&self->consumer->side));
	/* No signal for who had not noticed. */
	EXPECT_TRUE(is_zero(span, len));
	memset(room, 1, 10);
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_commit(self->producer, 10));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_consume(self->consumer, len));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_wait(&self->producer->side, SIZE, 0));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_wait(&self->consumer->side, 1, 0));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_shrink(&self->producer->side));
	EXPECT_EQ(0, secbuf_ring_reset(&self->producer->side));
}

TEST_F(ring, a_broken_ring)
{
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 100));
	self->consumer->own->tail = 101;
	EXPECT_EQ(-EPROTO, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(SECBUF_RING_BROKEN,
		  self->consumer->side.status->flags & SECBUF_RING_BROKEN);
	EXPECT_EQ(-EPROTO, secbuf_ring_read(self->consumer, self->out, SIZE));
	EXPECT_EQ(-EPROTO, secbuf_ring_wait(&self->consumer->side, 1, 0));
	EXPECT_EQ(0, secbuf_ring_reset(&self->producer->side));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_write(self->producer, self->in, 1));
}

TEST_F(ring, a_child_has_nothing_and_takes_nothing)
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
		if (secbuf_ring_reserve(producer, 1, &room) != -EOWNERDEAD ||
		    secbuf_ring_peek(consumer, 0, &span, &len) != -EOWNERDEAD ||
		    secbuf_ring_wait(&consumer->side, 1, 0) != -EOWNERDEAD ||
		    secbuf_ring_reset(&consumer->side) != -EOWNERDEAD ||
		    secbuf_ring_shrink(&producer->side) != -EOWNERDEAD)
			_exit(1);
		secbuf_ring_producer_close(producer);
		secbuf_ring_consumer_close(consumer);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(10, secbuf_ring_read(consumer, self->out, SIZE));
	EXPECT_EQ(0, secbuf_ring_write(producer, self->in, SIZE));
}

TEST_F(ring, fill_and_drain)
{
	int a[2], b[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	ASSERT_EQ(SIZE, write(a[0], self->in, SIZE));
	EXPECT_EQ(100, secbuf_ring_fill(self->producer, a[1], 100, 0));
	EXPECT_EQ(SIZE - 100, secbuf_ring_fill(self->producer, a[1], SIZE, 0));
	EXPECT_EQ(-ENOSPC, secbuf_ring_fill(self->producer, a[1], 1, 0));
	EXPECT_EQ(10, secbuf_ring_drain(self->consumer, b[0], 10, 0));
	EXPECT_EQ(SIZE - 10, secbuf_ring_drain(self->consumer, b[0], SIZE, 0));
	EXPECT_EQ(-ENODATA, secbuf_ring_drain(self->consumer, b[0], 1, 0));
	EXPECT_TRUE(is_zero(self->producer->side.data, SIZE));
	ASSERT_EQ(SIZE, recv(b[1], self->out, SIZE, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(self->in, self->out, SIZE));
	EXPECT_EQ(-EAGAIN, secbuf_ring_fill(self->producer, a[1], 1,
					    MSG_DONTWAIT));
	close(a[0]);
	EXPECT_EQ(0, secbuf_ring_fill(self->producer, a[1], 1, 0));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	close(b[1]);
	EXPECT_EQ(-EPIPE, secbuf_ring_drain(self->consumer, b[0], 10, 0));
	EXPECT_EQ(10, secbuf_ring_used(&self->consumer->side));
	close(a[1]);
	close(b[0]);
}

static int poll_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) < 0 ? -errno : pfd.revents;
}

TEST_F(ring, poll_tells)
{
	int in = secbuf_ring_fd(&self->producer->side);
	int out = secbuf_ring_fd(&self->consumer->side);

	EXPECT_EQ(POLLOUT, poll_for(in, POLLOUT));
	EXPECT_EQ(0, poll_for(out, POLLIN));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, SIZE));
	EXPECT_EQ(0, poll_for(in, POLLOUT));
	EXPECT_EQ(POLLIN, poll_for(out, POLLIN));
	ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	secbuf_ring_producer_close(self->producer);
	self->producer = NULL;
	EXPECT_EQ(POLLHUP, poll_for(out, POLLIN) & POLLHUP);
}

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event))
		return -1;
	return ep;
}

/* Events within half a second, 0 if there are none. */
static uint32_t epoll_events(int ep, int timeout_ms)
{
	struct epoll_event event;

	return epoll_wait(ep, &event, 1, timeout_ms) == 1 ? event.events : 0;
}

TEST_F(ring, epoll_level)
{
	int ep = epoll_of(secbuf_ring_fd(&self->consumer->side), EPOLLIN);

	ASSERT_LE(0, ep);
	EXPECT_EQ(0, epoll_events(ep, 0));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
	EXPECT_EQ(EPOLLIN, epoll_events(ep, 1000 * WAIT_S));
	EXPECT_EQ(EPOLLIN, epoll_events(ep, 1000 * WAIT_S));
	ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	EXPECT_EQ(0, epoll_events(ep, 0));
	close(ep);
}

TEST_F(ring, epoll_edge)
{
	int ep = epoll_of(secbuf_ring_fd(&self->consumer->side),
			  EPOLLIN | EPOLLET);
	int i;

	ASSERT_LE(0, ep);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(-ETIMEDOUT, secbuf_ring_wait(&self->consumer->side, 1,
						       0));
		epoll_events(ep, 0);
		ASSERT_EQ(0, secbuf_ring_write(self->producer, self->in, 10));
		EXPECT_EQ(EPOLLIN, epoll_events(ep, 1000 * WAIT_S));
		EXPECT_EQ(0, epoll_events(ep, 0));
		ASSERT_EQ(0, secbuf_ring_clear(self->consumer));
	}
	close(ep);
}

/* Making */

FIXTURE(make) {
	struct secbuf_context *ctx;
};

FIXTURE_SETUP(make)
{
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
}

FIXTURE_TEARDOWN(make)
{
	secbuf_close(self->ctx);
}

TEST_F(make, seed_a7_a8_sizes)
{
	static const struct {
		size_t wanted;
		ssize_t made;
	} sizes[] = {
		{ 0, 65536 }, { 1, 4096 }, { 4096, 4096 }, { 4097, 8192 },
		{ 64, 4096 }, { SECBUF_RING_SIZE_MAX + 1, -EINVAL },
		{ SIZE_MAX, -EINVAL }, { (SIZE_MAX >> 1) + 2, -EINVAL },
	};
	struct secbuf_ring_opts opts = { .sz = sizeof(opts) };
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	size_t i;
	int err;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		opts.ring_size = sizes[i].wanted;
		err = secbuf_ring_open(&producer, &consumer, self->ctx, &opts);
		if (sizes[i].made < 0) {
			EXPECT_EQ(sizes[i].made, err);
			EXPECT_EQ(NULL, producer);
			EXPECT_EQ(NULL, consumer);
			continue;
		}
		ASSERT_EQ(0, err);
		EXPECT_EQ(sizes[i].made, secbuf_ring_size(&producer->side));
		EXPECT_EQ(sizes[i].made,
			  secbuf_ring_available(&producer->side));
		EXPECT_EQ(0, secbuf_ring_commit(producer, 0));
		secbuf_ring_producer_close(producer);
		secbuf_ring_consumer_close(consumer);
	}
}

TEST_F(make, options_that_cannot_be)
{
	struct secbuf_ring_opts opts = { .sz = sizeof(opts), .flags = 1u << 31 };
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;

	EXPECT_EQ(-EOPNOTSUPP, secbuf_ring_open(&producer, &consumer, self->ctx,
						&opts));
	opts.flags = 0;
	opts.require_protections = 1ULL << 63;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ring_open(&producer, &consumer, self->ctx,
						&opts));
	opts.require_protections = SECBUF_PROT_UNDUMPABLE;
	ASSERT_EQ(0, secbuf_ring_open(&producer, &consumer, self->ctx, &opts));
	secbuf_ring_producer_close(producer);
	secbuf_ring_consumer_close(consumer);
}

TEST_F(make, attach_by_descriptor)
{
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	char byte = 'x';
	int in, out;

	ASSERT_EQ(0, secbuf_ring_create(&in, &out, self->ctx, NULL));
	EXPECT_EQ(-EINVAL, secbuf_ring_producer_attach(&producer, out));
	EXPECT_EQ(NULL, producer);
	EXPECT_EQ(-EINVAL, secbuf_ring_consumer_attach(&consumer, in));
	EXPECT_EQ(-ENOTTY, secbuf_ring_consumer_attach(&consumer,
						       secbuf_fd(self->ctx)));
	ASSERT_EQ(0, secbuf_ring_producer_attach(&producer, in));
	ASSERT_EQ(0, secbuf_ring_consumer_attach(&consumer, out));
	close(in);
	close(out);
	EXPECT_EQ(0, secbuf_ring_write(producer, &byte, 1));
	byte = 0;
	EXPECT_EQ(1, secbuf_ring_read(consumer, &byte, 1));
	EXPECT_EQ('x', byte);
	/* Gone although somebody could hold a descriptor. */
	out = dup(secbuf_ring_fd(&consumer->side));
	secbuf_ring_consumer_close(consumer);
	EXPECT_EQ(-EPIPE, secbuf_ring_write(producer, &byte, 1));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_consumer_attach(&consumer, out));
	secbuf_ring_producer_close(producer);
	close(out);
}

TEST_F(make, scopes)
{
	int in, out;

	ASSERT_EQ(0, secbuf_ring_create(&in, &out, self->ctx, NULL));
	{
		SECBUF_SCOPED_PRODUCER struct secbuf_ring_producer *p = NULL;
		SECBUF_SCOPED_CONSUMER struct secbuf_ring_consumer *c = NULL;
		int err;

		err = secbuf_ring_producer_attach(&p, in);
		EXPECT_EQ(0, err);
		EXPECT_EQ(0, secbuf_ring_consumer_attach(&c, out));
	}
	EXPECT_EQ(POLLERR, poll_for(in, POLLIN) & POLLERR);
	close(in);
	close(out);
}

/* Records */

TEST_F(make, records)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = 4096,
		.flags = SECBUF_RING_F_RECORDS,
	};
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	unsigned char in[4096], out[4096];
	size_t n;

	memset(in, 0x5a, sizeof(in));
	ASSERT_EQ(0, secbuf_ring_open(&producer, &consumer, self->ctx, &opts));
	for (n = 1; n <= 4092; n += 13) {
		ASSERT_EQ(0, secbuf_ring_write(producer, in, n));
		ASSERT_EQ(n, secbuf_ring_read(consumer, out, sizeof(out)));
		ASSERT_EQ(0, memcmp(in, out, n));
	}
	/* The kernel understands them, and the library those of the kernel. */
	ASSERT_EQ(0, secbuf_ring_write(producer, in, 77));
	EXPECT_EQ(77, read(secbuf_ring_fd(&consumer->side), out, sizeof(out)));
	EXPECT_EQ(-EMSGSIZE, secbuf_ring_write(producer, in, 4093));
	EXPECT_TRUE(is_zero(producer->side.data, 4096));
	secbuf_ring_producer_close(producer);
	secbuf_ring_consumer_close(consumer);
}

TEST_HARNESS_MAIN
