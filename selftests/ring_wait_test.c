// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for the other end of a ring: poll, epoll, RING_NOTIFY, read() and
 * write(), and what ends it.
 */
#include "secbuf_ring_both.h"
#include "secbuf_ring_events.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

TEST_F(both, poll)
{
	unsigned char buf[SIZE] = { 1 };

	EXPECT_EQ(0, poll_now(self->c));
	EXPECT_EQ(POLLOUT, poll_now(self->p));
	ASSERT_EQ(SIZE - 4, write(self->p, buf, SIZE - 4));
	EXPECT_EQ(POLLIN, poll_now(self->c));
	if (!records(variant))
		ASSERT_EQ(4, write(self->p, buf, 4));
	EXPECT_EQ(0, poll_now(self->p));
	ASSERT_LT(0, read(self->c, buf, SIZE));
	EXPECT_EQ(POLLOUT, poll_now(self->p));
	EXPECT_EQ(0, poll_now(self->c));
}

/* What was refused decides when poll reports. */
TEST_F(both, poll_for_what_was_refused)
{
	unsigned char buf[SIZE] = { 1 };

	ASSERT_EQ(PAGE, write(self->p, buf, PAGE));
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
	EXPECT_EQ(0, poll_now(self->p));
	ASSERT_EQ(PAGE, read(self->c, buf, SIZE));
	EXPECT_EQ(POLLOUT, poll_now(self->p));

	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 100, 0));
	ASSERT_EQ(99 - 4, write(self->p, buf, 99 - 4));
	EXPECT_EQ(records(variant) ? POLLIN : 0, poll_now(self->c));
	ASSERT_EQ(5, write(self->p, buf, 5));
	EXPECT_EQ(POLLIN, poll_now(self->c));
	/* A call that succeeds ends that. */
	ASSERT_EQ(0, ring_wait(self->c, 1, 0));
	EXPECT_EQ(POLLIN, poll_now(self->c));
}

TEST_F(both, wait_looks)
{
	char buf[60] = { 1 };
	__u64 amount;

	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 0, 0));
	EXPECT_EQ(0, ring_wait(self->p, SIZE, 0));
	ASSERT_EQ(60, write(self->p, buf, 60));
	EXPECT_EQ(0, ring_notify_args(self->c, SECBUF_RING_NOTIFY_F_WAIT, 60,
				      RING_FOREVER, &amount));
	EXPECT_EQ(records(variant) ? 64 : 60, amount);
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 65, 0));
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
	EXPECT_EQ(0, ring_notify_args(self->p, 0, 0, 0, &amount));
	EXPECT_EQ(SIZE - (records(variant) ? 64 : 60), amount);
}

TEST_F(both, wait_bad_arguments)
{
	const __u32 wait = SECBUF_RING_NOTIFY_F_WAIT;
	const __u32 broken = SECBUF_RING_NOTIFY_F_BROKEN;

	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, wait, SIZE + 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, wait, ~0ULL, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, 0, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, 0, 0, 1, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, broken, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, broken | wait, 0, 0,
					    NULL));
	EXPECT_EQ(-EOPNOTSUPP, ring_notify_args(self->c, 4, 0, 0, NULL));
	/* None of which has broken it. */
	EXPECT_EQ(0, self->r.c.status->flags);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

TEST_F(both, wait_times_out)
{
	__u64 begin = now_ns(), took;

	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 1, 50 * MS));
	took = now_ns() - begin;
	EXPECT_LE(50 * MS, took);
	EXPECT_GE(WAIT_MS * MS, took);
}

struct later {
	pthread_t	thread;
	pid_t		sleeper;
	void		(*fn)(struct ring *r);
	struct ring	*ring;
};

static void *do_later(void *arg)
{
	struct later *later = arg;

	wait_until(is_asleep(later->sleeper));
	later->fn(later->ring);
	return NULL;
}

static void start_later(struct later *later, struct ring *ring,
			void (*fn)(struct ring *ring))
{
	later->ring = ring;
	later->fn = fn;
	later->sleeper = gettid();
	pthread_create(&later->thread, NULL, do_later, later);
}

#define END_LATER(later)	pthread_join((later)->thread, NULL)

static void put_ten(struct ring *r)
{
	ring_put(&r->p, "0123456789", 10);
}

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

static void get_page(struct ring *r)
{
	char buf[PAGE];

	ring_get(&r->c, buf, PAGE);
}

TEST_F(both, reader_sleeps)
{
	struct later later;
	char buf[20];

	start_later(&later, &self->r, write_ten);
	EXPECT_EQ(10, read(self->c, buf, sizeof(buf)));
	END_LATER(&later);
	if (records(variant))
		return;
	start_later(&later, &self->r, put_ten);
	EXPECT_EQ(10, read(self->c, buf, sizeof(buf)));
	END_LATER(&later);
	start_later(&later, &self->r, put_ten);
	EXPECT_EQ(0, ring_wait(self->c, 10, RING_FOREVER));
	END_LATER(&later);
}

TEST_F(both, writer_sleeps)
{
	unsigned char buf[SIZE] = { 1 };
	struct later later;

	ASSERT_EQ(SIZE - 4, write(self->p, buf, SIZE - 4));
	start_later(&later, &self->r, read_some);
	EXPECT_EQ(100, write(self->p, buf, 100));
	END_LATER(&later);
	if (records(variant))
		return;
	ASSERT_EQ(96, read(self->c, buf, SIZE));
	ASSERT_EQ(SIZE, write(self->p, buf, SIZE));
	start_later(&later, &self->r, get_page);
	EXPECT_EQ(0, ring_wait(self->p, PAGE, RING_FOREVER));
	END_LATER(&later);
}

static void *read_all(void *arg)
{
	size_t left = 5 * SIZE;
	unsigned char buf[777];
	int fd = *(int *)arg;
	ssize_t n;

	while (left) {
		n = read(fd, buf, left < 777 ? left : 777);
		if (n <= 0)
			return (void *)1;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (5 * SIZE - left + i) % 251)
				return (void *)2;
		left -= n;
	}
	return NULL;
}

/* More than the ring holds, in one call. */
TEST_F(both, long_write)
{
	static unsigned char buf[5 * SIZE];
	pthread_t thread;
	void *ret;

	if (records(variant))
		SKIP(return, "bytes only");
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = i % 251;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_all, &self->c));
	EXPECT_EQ(sizeof(buf), write(self->p, buf, sizeof(buf)));
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
}

static void on_signal(int sig)
{
	(void)sig;
}

static pthread_t sleeper;

static void interrupt_sleeper(struct ring *r)
{
	(void)r;
	pthread_kill(sleeper, SIGUSR1);
}

TEST_F(both, signals)
{
	struct sigaction action = { .sa_handler = on_signal };
	unsigned char buf[SIZE + PAGE] = { 1 };
	struct later later;

	sigaction(SIGUSR1, &action, NULL);
	sleeper = pthread_self();

	start_later(&later, &self->r, interrupt_sleeper);
	EXPECT_EQ(-1, read(self->c, buf, 1));
	EXPECT_EQ(EINTR, errno);
	END_LATER(&later);

	start_later(&later, &self->r, interrupt_sleeper);
	EXPECT_EQ(-EINTR, ring_wait(self->c, 1, RING_FOREVER));
	END_LATER(&later);

	if (records(variant))
		return;
	/* How many were written, as of a pipe. */
	start_later(&later, &self->r, interrupt_sleeper);
	EXPECT_EQ(SIZE, write(self->p, buf, sizeof(buf)));
	END_LATER(&later);
}

/* need_wake is set while a side sleeps, and says for what. */
TEST_F(both, need_wake)
{
	char buf[PAGE] = { 1 };

	EXPECT_EQ(0, self->r.p.tail->need_wake);
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 100, 0));
	EXPECT_EQ(1, self->r.p.tail->need_wake);
	EXPECT_EQ(100, self->r.p.tail->wake_pos);
	/* Too few: it stays set. */
	ASSERT_EQ(50, write(self->p, buf, 50));
	EXPECT_EQ(1, self->r.p.tail->need_wake);
	EXPECT_EQ(0, ring_notify(self->p));
	EXPECT_EQ(1, self->r.p.tail->need_wake);
	ASSERT_EQ(60, write(self->p, buf, 60));
	EXPECT_EQ(0, self->r.p.tail->need_wake);

	EXPECT_EQ(0, self->r.c.head->need_wake);
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
	EXPECT_EQ(1, self->r.c.head->need_wake);
	EXPECT_EQ(self->r.p.head->head, self->r.c.head->wake_pos);
}

TEST_F(both, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char buf[100] = { 1 };

	ASSERT_LE(0, ep);
	nonblock(self->c);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->c, &event));
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(10, write(self->p, buf, 10));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
		EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
		EXPECT_EQ(10, read(self->c, buf, 10));
		/* Until EAGAIN, and from then on it is told again. */
		EXPECT_EQ(-1, read(self->c, buf, 10));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(1, self->r.p.tail->need_wake);
	}
	close(ep);
}

TEST_F(both, epoll_level)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char buf[100] = { 1 };

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->c, &event));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
		ASSERT_EQ(10, write(self->p, buf, 10));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, 0));
		EXPECT_EQ(10, read(self->c, buf, 10));
	}
	close(ep);
}

TEST_F(both, sleepers_are_woken)
{
	unsigned char buf[SIZE] = { 1 };
	struct later later;

	start_later(&later, &self->r, hangup_p);
	EXPECT_EQ(0, read(self->c, buf, 1));
	END_LATER(&later);
	ring_close(&self->r);

	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	ASSERT_EQ(SIZE - 4, write(self->r.p.fd, buf, SIZE - 4));
	start_later(&later, &self->r, hangup_c);
	EXPECT_EQ(-EPIPE, ring_wait(self->r.p.fd, SIZE, RING_FOREVER));
	END_LATER(&later);
	ring_close(&self->r);

	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	start_later(&later, &self->r, reset_ring);
	EXPECT_EQ(-ESHUTDOWN, ring_wait(self->r.c.fd, 1, RING_FOREVER));
	END_LATER(&later);
	ring_close(&self->r);

	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	start_later(&later, &self->r, break_ring);
	EXPECT_EQ(-1, read(self->r.c.fd, buf, 1));
	EXPECT_EQ(EPROTO, errno);
	END_LATER(&later);
}

TEST_HARNESS_MAIN
