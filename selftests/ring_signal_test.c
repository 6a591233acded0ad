// SPDX-License-Identifier: GPL-2.0
/*
 * Signals for who sleeps in read() or write() of a ring: as of a pipe.
 */
#include "secbuf_ring_child.h"

#include <pthread.h>
#include <signal.h>

#define LEN	10

FIXTURE(signal)
{
	int				dev;
	struct secbuf_ring_create_args	args;
	struct child			child;
	bool				writes;
	size_t				full;
};

/*
 * @writes: the child does, to a full ring; else it reads from an empty one. Both
 * LEN bytes
 */
FIXTURE_VARIANT(signal)
{
	__u32	flags;
	bool	writes;
};

FIXTURE_VARIANT_ADD(signal, reader_of_bytes)
{
	.flags = PASSABLE, .writes = false,
};

FIXTURE_VARIANT_ADD(signal, writer_of_bytes)
{
	.flags = PASSABLE, .writes = true,
};

FIXTURE_VARIANT_ADD(signal, reader_of_records)
{
	.flags = PASSABLE | SECBUF_RING_F_RECORDS, .writes = false,
};

FIXTURE_VARIANT_ADD(signal, writer_of_records)
{
	.flags = PASSABLE | SECBUF_RING_F_RECORDS, .writes = true,
};

FIXTURE_SETUP(signal)
{
	signal(SIGPIPE, SIG_IGN);
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, ring_create(self->dev, SIZE, variant->flags, &self->args));
	self->writes = variant->writes;
	self->full = SIZE;
	if (variant->flags & SECBUF_RING_F_RECORDS)
		self->full -= 4;
}

FIXTURE_TEARDOWN(signal)
{
	close(self->args.out_producer_fd);
	close(self->args.out_consumer_fd);
	close(self->dev);
}

static int told;

static void tell(int sig)
{
	(void)sig;
	if (write(told, "x", 1) != 1)
		_exit(98);
}

static void handle(const struct context *ctx, int flags)
{
	struct sigaction action = { .sa_handler = tell, .sa_flags = flags };

	told = ctx->out;
	sigaction(SIGUSR1, &action, NULL);
}

/* Sleeps until the parent goes on, or a signal ends it. */
static ssize_t move(const struct context *ctx)
{
	const FIXTURE_DATA(signal) *self = ctx->arg;
	char buf[SIZE] = { 1 };
	ssize_t full;

	CHECK(ring_claim(self->writes ? ctx->p : ctx->c) == 0);
	if (self->writes) {
		full = write(ctx->p, buf, self->full);
		CHECK(full == (ssize_t)self->full);
	}
	say(ctx);
	return self->writes ? write(ctx->p, buf, LEN) : read(ctx->c, buf, LEN);
}

static void stopped(const struct context *ctx)
{
	CHECK(move(ctx) == LEN);
}

static void restarting(const struct context *ctx)
{
	handle(ctx, SA_RESTART);
	CHECK(move(ctx) == LEN);
}

static void interrupted(const struct context *ctx)
{
	handle(ctx, 0);
	CHECK(move(ctx) == -1);
	CHECK(errno == EINTR);
}

static int start(FIXTURE_DATA(signal) *self,
		 void (*fn)(const struct context *ctx))
{
	int err = child_start(&self->child, fn, &self->args, self);

	err = err ?: child_await(&self->child);
	return err ?: !wait_until(is_asleep(self->child.pid));
}

/* What the child waits for: bytes, or space. */
static int go_on(FIXTURE_DATA(signal) *self)
{
	char buf[SIZE] = { 1 };

	if (self->writes)
		return read(self->args.out_consumer_fd, buf, SIZE) <= 0;
	return write(self->args.out_producer_fd, buf, LEN) != LEN;
}

TEST_F(signal, stop_and_continue)
{
	pid_t pid;

	ASSERT_EQ(0, start(self, stopped));
	pid = self->child.pid;
	kill(pid, SIGSTOP);
	EXPECT_TRUE(wait_until(task_state(pid) == 'T'));
	kill(pid, SIGCONT);
	/* It sleeps again, or has ended. */
	EXPECT_TRUE(wait_until(is_asleep(pid) || task_state(pid) == 'Z'));
	EXPECT_EQ(0, go_on(self));
	EXPECT_EQ(0, child_end(&self->child));
}

TEST_F(signal, handler_that_restarts)
{
	ASSERT_EQ(0, start(self, restarting));
	kill(self->child.pid, SIGUSR1);
	ASSERT_EQ(0, child_await(&self->child));
	EXPECT_EQ(0, go_on(self));
	EXPECT_EQ(0, child_end(&self->child));
}

TEST_F(signal, handler_that_does_not)
{
	ASSERT_EQ(0, start(self, interrupted));
	kill(self->child.pid, SIGUSR1);
	ASSERT_EQ(0, child_await(&self->child));
	EXPECT_EQ(0, child_end(&self->child));
}

/* Bytes: more than anybody consumes while this runs. */
#define ENDLESS		(1024 * 1024 * 1024UL)

/* Bytes, each of them a turn, before and after it is killed. */
#define MANY		100
#define FEW		16

/* How often a writer is killed: who finds no space for a moment ends anyway. */
#define ROUNDS		10

struct consumer {
	struct ring_end	end;
	__u64		seen;
	bool		stop;
};

/* As soon as the ring is full there is space for one byte. */
static void *consume_bytes(void *arg)
{
	struct consumer *consumer = arg;
	struct ring_end *end = &consumer->end;
	__u64 head, tail = 0;

	while (!ring_load(&consumer->stop)) {
		head = ring_load(&end->head->head);
		if (head - tail != SIZE)
			continue;
		ring_store(&end->tail->tail, ++tail);
		ring_store(&consumer->seen, tail);
		if (ring_must_notify(tail, end->head))
			ring_notify(end->fd);
	}
	return NULL;
}

static void write_for_ever(const struct context *ctx)
{
	void *bytes = mmap(NULL, ENDLESS, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(bytes != MAP_FAILED);
	CHECK(ring_claim(ctx->p) == 0);
	CHECK(write(ctx->p, bytes, ENDLESS) == -1);
	_exit(255);
}

/* Turns of a writer after it was killed, or -errno. */
static ssize_t killed_writer(int dev)
{
	struct consumer consumer = { .seen = 0 };
	struct secbuf_ring_create_args args;
	struct child child;
	ssize_t ret = -EIO;
	pthread_t thread;
	__u64 before;

	if (ring_create(dev, SIZE, PASSABLE, &args) ||
	    child_start(&child, write_for_ever, &args, NULL))
		return -EIO;
	close(args.out_producer_fd);
	if (!ring_end_map(&consumer.end, args.out_consumer_fd) &&
	    !pthread_create(&thread, NULL, consume_bytes, &consumer)) {
		if (wait_until(ring_load(&consumer.seen) > MANY))
			ret = 0;
		kill(child.pid, SIGKILL);
		before = ring_load(&consumer.seen);
		if (child_end(&child) == -SIGKILL && !ret)
			ret = ring_load(&consumer.seen) - before;
		ring_store(&consumer.stop, true);
		pthread_join(thread, NULL);
		ring_end_unmap(&consumer.end);
	} else {
		kill(child.pid, SIGKILL);
		child_end(&child);
	}
	close(args.out_consumer_fd);
	return ret;
}

/* Nobody who goes on consuming keeps a process that was killed alive. */
TEST(killed_writer_stops)
{
	int dev = secbuf_open(), i;
	ssize_t bytes;

	ASSERT_LE(0, dev);
	for (i = 0; i < ROUNDS; i++) {
		bytes = killed_writer(dev);
		ASSERT_LE(0, bytes);
		ASSERT_GE(FEW, bytes)
			TH_LOG("in round %d", i);
	}
	close(dev);
}

TEST_HARNESS_MAIN
