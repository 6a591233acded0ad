// SPDX-License-Identifier: GPL-2.0
/*
 * What io_uring and AIO report of an end of a ring: what poll(2) does. Both take
 * their word from whoever wakes them, if he gives it, and AIO asks from a thread
 * of the kernel if not.
 */
#include "secbuf_ring_both.h"
#include "secbuf_ring_events.h"

#include <signal.h>

#include "secbuf_aio.h"
#include "secbuf_uring.h"

static void write_ten(struct ring *r)
{
	if (write(r->p.fd, "0123456789", 10) != 10)
		_exit(99);
}

static void read_some(struct ring *r)
{
	char buf[SIZE];

	if (read(r->c.fd, buf, SIZE) <= 0)
		_exit(99);
}

/* Until a producer finds no space. */
static void fill(struct ring *r)
{
	const unsigned char byte = 1;
	unsigned char buf[SIZE] = { 1 };

	if (write(r->p.fd, buf, SIZE - 4) != SIZE - 4)
		_exit(99);
	nonblock(r->p.fd);
	while (write(r->p.fd, &byte, 1) == 1)
		;
}

/**
 * struct event - what happens to the other end while one polls
 * @name: of it
 * @producer: who polls, having filled the ring; else the consumer of an empty one
 * @happens: it does
 * @revents: what poll reports then
 */
struct event {
	const char	*name;
	bool		producer;
	void		(*happens)(struct ring *r);
	short		revents;
};

static const struct event events[] = {
	{ "bytes come", false, write_ten, POLLIN },
	{ "producer closes", false, hangup_p, POLLHUP },
	{ "consumer is reset", false, reset_ring, POLLERR | POLLHUP },
	{ "consumer finds it broken", false, break_ring, POLLERR },
	{ "space comes", true, read_some, POLLOUT },
	{ "consumer closes", true, hangup_c, POLLOUT | POLLHUP },
	{ "producer is reset", true, reset_ring, POLLERR | POLLHUP },
	{ "producer finds it broken", true, break_ring, POLLERR },
};

/* Returns the descriptor that polls, of a new ring. */
static int begin_event(struct ring *r, int dev, __u32 flags,
		       const struct event *event)
{
	ring_close(r);
	if (ring_open(r, dev, SIZE, flags))
		_exit(99);
	if (event->producer)
		fill(r);
	return event->producer ? r->p.fd : r->c.fd;
}

TEST_F(both, aio_reports_what_poll_does)
{
	const struct event *event = events;
	struct aio aio;
	int fd, err;

	for (; event < events + ARRAY_SIZE(events); event++) {
		fd = begin_event(&self->r, self->dev, variant->flags, event);
		err = aio_poll(&aio, fd, POLLIN | POLLOUT);
		if (err == -ENOSYS)
			SKIP(return, "no AIO: %s", strerror(-err));
		ASSERT_EQ(0, err);
		event->happens(&self->r);
		EXPECT_EQ(event->revents, aio_result(&aio, WAIT_MS)) {
			TH_LOG("%s", event->name);
		}
		EXPECT_EQ(event->revents, poll_now(fd)) {
			TH_LOG("%s", event->name);
		}
	}
}

TEST_F(both, io_uring_reports_what_poll_does)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_POLL_ADD, .poll_events = POLLIN | POLLOUT,
	};
	const struct event *event = events;
	struct uring u;

	for (; event < events + ARRAY_SIZE(events); event++) {
		sqe.fd = begin_event(&self->r, self->dev, variant->flags,
				     event);
		if (uring_map(&u))
			SKIP(return, "io_uring: %s", strerror(errno));
		ASSERT_EQ(0, uring_submit(&u, &sqe));
		event->happens(&self->r);
		EXPECT_EQ(event->revents, uring_result(&u)) {
			TH_LOG("%s", event->name);
		}
		EXPECT_EQ(event->revents, poll_now(sqe.fd)) {
			TH_LOG("%s", event->name);
		}
		uring_unmap(&u);
	}
}

TEST_HARNESS_MAIN
