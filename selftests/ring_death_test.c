// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of one end of a ring when the process that has the other one
 * dies, whichever way.
 */
#include "secbuf_ring_child.h"

#include <pthread.h>
#include <signal.h>
#include <sys/select.h>

enum way { WAY_EXIT, WAY_KILL, WAY_SEGV, WAY_ABORT, WAY_EXEC, WAY_CLOSE };

FIXTURE(death)
{
	int				dev;
	struct secbuf_ring_create_args	args;
	int				p;
	int				c;
};

FIXTURE_VARIANT(death)
{
	enum way	way;
	int		status;
};

FIXTURE_VARIANT_ADD(death, exit)
{
	.way = WAY_EXIT, .status = 0,
};

FIXTURE_VARIANT_ADD(death, kill)
{
	.way = WAY_KILL, .status = -SIGKILL,
};

FIXTURE_VARIANT_ADD(death, segv)
{
	.way = WAY_SEGV, .status = -SIGSEGV,
};

FIXTURE_VARIANT_ADD(death, abort)
{
	.way = WAY_ABORT, .status = -SIGABRT,
};

FIXTURE_VARIANT_ADD(death, exec)
{
	.way = WAY_EXEC, .status = -SIGKILL,
};

/* The process lives on, and others hold the descriptor. */
FIXTURE_VARIANT_ADD(death, close)
{
	.way = WAY_CLOSE, .status = -SIGKILL,
};

FIXTURE_SETUP(death)
{
	signal(SIGPIPE, SIG_IGN);
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, ring_create(self->dev, SIZE, PASSABLE, &self->args));
	self->p = self->args.out_producer_fd;
	self->c = self->args.out_consumer_fd;
}

/* A process that ends closes its descriptors, one that execs need not. */
static bool goes_unnoticed(int dev, enum way way)
{
	return way == WAY_EXEC && !secbuf_owner_death(dev);
}

FIXTURE_TEARDOWN(death)
{
	close(self->p);
	close(self->c);
	close(self->dev);
}

static void die(const struct context *ctx, int fd, enum way way)
{
	static char *const argv[] = { "/bin/sleep", "1000", NULL };

	switch (way) {
	case WAY_EXIT:
		_exit(0);
	case WAY_KILL:
		raise(SIGKILL);
		break;
	case WAY_SEGV:
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		break;
	case WAY_ABORT:
		signal(SIGABRT, SIG_DFL);
		raise(SIGABRT);
		break;
	case WAY_EXEC:
		/* With the descriptors. */
		fcntl(ctx->p, F_SETFD, 0);
		fcntl(ctx->c, F_SETFD, 0);
		execv(argv[0], argv);
		break;
	case WAY_CLOSE:
		CHECK(ring_hangup(fd) == 0);
		pause();
	}
	_exit(99);
}

static void dying_producer(const struct context *ctx)
{
	struct ring_end p;
	unsigned char *span;

	CHECK(ring_claim(ctx->p) == 0);
	CHECK(ring_end_map(&p, ctx->p) == 0);
	CHECK(ring_put(&p, "0123456789", 10));
	/* Reserved, and not published when it dies. */
	span = ring_reserve(&p, 2 * PAGE);
	CHECK(span);
	memset(span, 0x5a, 2 * PAGE);
	strcpy((char *)p.head + PAGE / 2, "a note in the margin");
	say(ctx);
	hear(ctx);
	die(ctx, ctx->p, *(enum way *)ctx->arg);
}

TEST_F(death, producer)
{
	enum way way = variant->way;
	struct child child;
	struct ring_end c;
	char buf[20];

	if (goes_unnoticed(self->dev, variant->way))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_EQ(0, child_start(&child, dying_producer, &self->args, &way));
	ASSERT_EQ(0, child_await(&child));
	ASSERT_EQ(0, ring_end_map(&c, self->c));
	EXPECT_EQ(0, count_not(c.data + 10, 0x5a, 2 * PAGE));
	EXPECT_EQ('a', ((char *)c.head)[PAGE / 2]);
	child_go_on(&child);
	/* Waiting wakes up. */
	EXPECT_EQ(-EPIPE, ring_wait(self->c, 100, RING_FOREVER));
	if (way == WAY_EXEC || way == WAY_CLOSE)
		kill(child.pid, SIGKILL);
	EXPECT_EQ(variant->status, child_end(&child));

	EXPECT_EQ(SECBUF_RING_PRODUCER_GONE, c.status->flags);
	EXPECT_EQ(0, count_not(c.data + 10, 0, SIZE - 10));
	EXPECT_EQ(0, count_not((unsigned char *)c.head + 8, 0, PAGE - 8));
	EXPECT_EQ(POLLIN | POLLHUP, poll_for(self->c, WAIT_MS));
	EXPECT_EQ(10, read(self->c, buf, 20));
	EXPECT_EQ(0, memcmp(buf, "0123456789", 10));
	EXPECT_EQ(0, read(self->c, buf, 20));
	ring_end_unmap(&c);
}

static void dying_consumer(const struct context *ctx)
{
	struct ring_end c;
	char buf[5];

	CHECK(ring_claim(ctx->c) == 0);
	CHECK(ring_end_map(&c, ctx->c) == 0);
	CHECK(ring_get(&c, buf, 5));
	say(ctx);
	hear(ctx);
	die(ctx, ctx->c, *(enum way *)ctx->arg);
}

TEST_F(death, consumer)
{
	struct secbuf_ring_stats_args stats;
	enum way way = variant->way;
	struct child child;
	struct ring_end p;

	if (goes_unnoticed(self->dev, variant->way))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_EQ(0, ring_end_map(&p, self->p));
	ASSERT_TRUE(ring_put(&p, "0123456789", 10));
	ASSERT_EQ(0, child_start(&child, dying_consumer, &self->args, &way));
	ASSERT_EQ(0, child_await(&child));
	child_go_on(&child);
	EXPECT_EQ(-EPIPE, ring_wait(self->p, SIZE, RING_FOREVER));
	if (way == WAY_EXEC || way == WAY_CLOSE)
		kill(child.pid, SIGKILL);
	EXPECT_EQ(variant->status, child_end(&child));

	EXPECT_EQ(SECBUF_RING_CONSUMER_GONE, p.status->flags);
	EXPECT_EQ(POLLOUT | POLLHUP, poll_for(self->p, WAIT_MS));
	EXPECT_EQ(0, ring_stats(self->p, &stats));
	EXPECT_EQ(0, stats.out_bytes);
	EXPECT_EQ(0, count_not(p.data, 0, 2 * SIZE));
	EXPECT_EQ(-1, write(self->p, "x", 1));
	EXPECT_EQ(EPIPE, errno);
	ring_end_unmap(&p);
}

/* Returns 1 if it is writable within @ms. */
static int select_for_writing(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	fd_set fds;

	FD_ZERO(&fds);
	FD_SET(fd, &fds);
	return select(fd + 1, NULL, &fds, NULL, &tv);
}

struct sleeper {
	pid_t		tid;
	struct child	*child;
};

static void *go_on_when_asleep(void *arg)
{
	struct sleeper *sleeper = arg;

	wait_until(is_asleep(sleeper->tid));
	child_go_on(sleeper->child);
	return NULL;
}

/* It does not know of POLLHUP. */
TEST_F(death, select_for_writing)
{
	enum way way = variant->way;
	char buf[SIZE] = { 1 };
	struct child child;
	struct sleeper sleeper = { gettid(), &child };
	pthread_t thread;

	if (goes_unnoticed(self->dev, variant->way))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_EQ(10, write(self->p, buf, 10));
	ASSERT_EQ(0, child_start(&child, dying_consumer, &self->args, &way));
	ASSERT_EQ(0, child_await(&child));
	fcntl(self->p, F_SETFL, O_WRONLY | O_NONBLOCK);
	while (write(self->p, buf, sizeof(buf)) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, pthread_create(&thread, NULL, go_on_when_asleep,
				    &sleeper));
	EXPECT_EQ(1, select_for_writing(self->p, WAIT_MS));
	pthread_join(thread, NULL);
	EXPECT_EQ(-1, write(self->p, buf, 1));
	EXPECT_EQ(EPIPE, errno);
	/* It had died before. */
	EXPECT_EQ(1, select_for_writing(self->p, 0));
	if (way == WAY_EXEC || way == WAY_CLOSE)
		kill(child.pid, SIGKILL);
	EXPECT_EQ(variant->status, child_end(&child));
}

/* Both, one after the other, and then the descriptors are all that is left. */
TEST_F(death, both)
{
	struct secbuf_info_args before, after;
	struct child p = { 0 }, c = { 0 };
	enum way way = variant->way;

	if (goes_unnoticed(self->dev, variant->way))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	ASSERT_EQ(0, child_start(&p, dying_producer, &self->args, &way));
	ASSERT_EQ(0, child_await(&p));
	ASSERT_EQ(0, child_start(&c, dying_consumer, &self->args, &way));
	ASSERT_EQ(0, child_await(&c));
	child_go_on(&p);
	child_go_on(&c);
	if (way == WAY_EXEC || way == WAY_CLOSE) {
		/* What follows has nothing to do but to wait. */
		EXPECT_TRUE(wait_until(is_asleep(p.pid)));
		EXPECT_TRUE(wait_until(is_asleep(c.pid)));
		EXPECT_EQ(way == WAY_EXEC ? -ESHUTDOWN : -EPERM,
			  ring_notify(self->p));
		kill(p.pid, SIGKILL);
		kill(c.pid, SIGKILL);
	}
	EXPECT_EQ(variant->status, child_end(&p));
	EXPECT_EQ(variant->status, child_end(&c));
	EXPECT_GT(0, ring_notify(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_claim(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_claim(self->c));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_rings, after.out_nr_rings);
}

TEST_HARNESS_MAIN
