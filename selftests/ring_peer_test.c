// SPDX-License-Identifier: GPL-2.0
/*
 * A ring between processes: who may use an end, how it changes hands, and what
 * becomes of the other end when one dies, whichever way.
 */
#include "secbuf_ring.h"
#include "secbuf_touch.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SIZE		(4 * PAGE)
#define PASSABLE	SECBUF_RING_F_PASSABLE

/* A child that runs @fn, and two pipes by which the two take turns. */
struct child {
	pid_t	pid;
	int	to;
	int	from;
};

/* What the child finds: pipes to the parent, and the ring. */
struct context {
	int		in;
	int		out;
	int		p;
	int		c;
	void		*arg;
};

#define CHILD_OK	0

/* In the child, instead of ASSERT: its exit status is the line. */
#define CHECK(cond)							\
do {									\
	if (!(cond))							\
		_exit(__LINE__ % 250 + 1);				\
} while (0)

static void say(const struct context *ctx)
{
	CHECK(write(ctx->out, "x", 1) == 1);
}

static void hear(const struct context *ctx)
{
	char byte;

	CHECK(read(ctx->in, &byte, 1) == 1);
}

static int child_start(struct child *child,
		       void (*fn)(const struct context *ctx),
		       const struct secbuf_ring_create_args *args, void *arg)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (!child->pid) {
		struct context ctx = {
			.in = to[0], .out = from[1], .arg = arg,
			.p = args ? args->out_producer_fd : -1,
			.c = args ? args->out_consumer_fd : -1,
		};

		close(to[1]);
		close(from[0]);
		fn(&ctx);
		_exit(CHILD_OK);
	}
	close(to[0]);
	close(from[1]);
	child->to = to[1];
	child->from = from[0];
	return child->pid < 0 ? -errno : 0;
}

/* 0 when the child has said it got so far, or died. */
static int child_await(struct child *child)
{
	char byte;

	return read(child->from, &byte, 1) == 1 ? 0 : -1;
}

static void child_go_on(struct child *child)
{
	if (write(child->to, "x", 1) != 1)
		abort();
}

/* Its exit status, or minus the signal that killed it. */
static int child_end(struct child *child)
{
	int status;

	waitpid(child->pid, &status, 0);
	close(child->to);
	close(child->from);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static short poll_for(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&pfd, 1, ms);
	return pfd.revents;
}

static int map_errno(int fd, __u64 offset, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

FIXTURE(peer)
{
	int				dev;
	bool				owners;
	__u64				bytes;
	struct secbuf_ring_create_args	args;
	int				p;
	int				c;
};

FIXTURE_SETUP(peer)
{
	signal(SIGPIPE, SIG_IGN);
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->owners = secbuf_owner_death(self->dev);
	self->bytes = secbuf_bytes(self->dev);
	ASSERT_EQ(0, ring_create(self->dev, SIZE, PASSABLE, &self->args));
	self->p = self->args.out_producer_fd;
	self->c = self->args.out_consumer_fd;
}

FIXTURE_TEARDOWN(peer)
{
	close(self->p);
	close(self->c);
	/* The last reference of a child that was killed goes a little later. */
	for (int i = 0; i < 100; i++) {
		if (secbuf_bytes(self->dev) == self->bytes)
			break;
		usleep(10000);
	}
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

/*
 * Who may
 */

static void stranger(const struct context *ctx)
{
	struct secbuf_ring_stats_args stats;
	struct secbuf_ring_info_args info;
	char buf[10] = { 0 };
	int n;

	CHECK(write(ctx->p, buf, 1) == -1 && errno == EPERM);
	CHECK(read(ctx->c, buf, 1) == -1 && errno == EPERM);
	CHECK(ring_notify(ctx->p) == -EPERM);
	CHECK(ring_wait(ctx->c, 1, 0) == -EPERM);
	CHECK(ring_shrink(ctx->p) == -EPERM);
	CHECK(ring_unpark(ctx->p) == -EPERM);
	CHECK(ring_hangup(ctx->p) == -EPERM);
	CHECK(ring_reset(ctx->c) == -EPERM);
	CHECK(ring_stats(ctx->c, &stats) == -EPERM);
	CHECK(ioctl(ctx->c, FIONREAD, &n) == -1 && errno == EPERM);
	CHECK(map_errno(ctx->p, SECBUF_RING_MMAP_DATA, 2 * SIZE) == EPERM);
	CHECK(map_errno(ctx->p, SECBUF_RING_MMAP_HEAD, PAGE) == EPERM);
	CHECK(map_errno(ctx->c, SECBUF_RING_MMAP_HEAD, 2 * PAGE) == EPERM);
	CHECK(poll_for(ctx->c, 0) == POLLERR);
	if (ctx->arg) {
		/* Of a passable ring he may know what it is. */
		CHECK(ring_info(ctx->p, &info) == 0);
		CHECK(info.out_end == SECBUF_RING_END_PRODUCER);
	} else {
		CHECK(ring_info(ctx->p, &info) == -EPERM);
		CHECK(ring_claim(ctx->p) == -EPERM);
		CHECK(ring_claim(ctx->c) == -EPERM);
	}
}

TEST_F(peer, stranger)
{
	struct child child;

	ASSERT_EQ(0, child_start(&child, stranger, &self->args, self));
	EXPECT_EQ(CHILD_OK, child_end(&child));
}

TEST_F(peer, stranger_who_cannot_claim)
{
	struct secbuf_ring_create_args args;
	struct child child;

	ASSERT_EQ(0, ring_create(self->dev, SIZE, 0, &args));
	ASSERT_EQ(0, child_start(&child, stranger, &args, NULL));
	EXPECT_EQ(CHILD_OK, child_end(&child));
	EXPECT_EQ(10, write(args.out_producer_fd, "0123456789", 10));
	close(args.out_producer_fd);
	close(args.out_consumer_fd);
}

/*
 * Changing hands
 */

static void claim_and_write(const struct context *ctx)
{
	struct ring_end p;

	CHECK(ring_claim(ctx->p) == 0);
	CHECK(ring_claim(ctx->p) == -EALREADY);
	CHECK(ring_reset(ctx->p) == -EPERM);
	CHECK(ring_notify(ctx->c) == -EPERM);
	CHECK(write(ctx->p, "0123456789", 10) == 10);
	CHECK(ring_end_map(&p, ctx->p) == 0);
	CHECK(ring_put(&p, "abcdefghij", 10));
	say(ctx);
	hear(ctx);
}

static void claim_too_late(const struct context *ctx)
{
	CHECK(ring_claim(ctx->p) == -EPERM);
}

TEST_F(peer, claim)
{
	struct child child, late;
	char buf[30];

	ASSERT_EQ(0, child_start(&child, claim_and_write, &self->args, NULL));
	ASSERT_EQ(0, child_await(&child));
	/* It is not ours any more. */
	EXPECT_EQ(-1, write(self->p, buf, 1));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EPERM, ring_notify(self->p));
	EXPECT_EQ(-EPERM, ring_claim(self->p));
	EXPECT_EQ(-EPERM, ring_hangup(self->p));
	EXPECT_EQ(EPERM, map_errno(self->p, 0, 2 * SIZE));
	EXPECT_EQ(POLLERR, poll_for(self->p, 0));
	ASSERT_EQ(0, child_start(&late, claim_too_late, &self->args, NULL));
	EXPECT_EQ(CHILD_OK, child_end(&late));

	EXPECT_EQ(20, read(self->c, buf, 30));
	EXPECT_EQ(0, memcmp(buf, "0123456789abcdefghij", 20));
	child_go_on(&child);
	EXPECT_EQ(CHILD_OK, child_end(&child));
	if (!self->owners)
		return;
	/* We hold its descriptor still, and that keeps nothing alive. */
	EXPECT_EQ(POLLHUP, poll_for(self->c, 5000));
	EXPECT_EQ(0, read(self->c, buf, 30));
}

static void claim_mapped(const struct context *ctx)
{
	CHECK(ring_claim(ctx->p) == -EBUSY);
	say(ctx);
	hear(ctx);
	CHECK(ring_claim(ctx->p) == 0);
	CHECK(write(ctx->p, "1", 1) == 1);
}

TEST_F(peer, claim_what_is_mapped)
{
	struct child child;
	struct ring_end p;
	char byte;

	ASSERT_EQ(0, ring_end_map(&p, self->p));
	ASSERT_EQ(0, child_start(&child, claim_mapped, &self->args, NULL));
	ASSERT_EQ(0, child_await(&child));
	ring_end_unmap(&p);
	child_go_on(&child);
	EXPECT_EQ(CHILD_OK, child_end(&child));
	EXPECT_EQ(1, read(self->c, &byte, 1));
}

static void claim_from_sleeper(const struct context *ctx)
{
	usleep(100000);
	CHECK(ring_claim(ctx->c) == 0);
	hear(ctx);
}

TEST_F(peer, claim_wakes_former_owner)
{
	struct child child;
	char byte;

	ASSERT_EQ(0, child_start(&child, claim_from_sleeper, &self->args,
				 NULL));
	EXPECT_EQ(-1, read(self->c, &byte, 1));
	EXPECT_EQ(EPERM, errno);
	child_go_on(&child);
	EXPECT_EQ(CHILD_OK, child_end(&child));
}

static void race_to_claim(const struct context *ctx)
{
	int ret;

	say(ctx);
	hear(ctx);
	ret = ring_claim(ctx->c);
	CHECK(!ret || ret == -EPERM || ret == -ESHUTDOWN);
	say(ctx);
	hear(ctx);
	_exit(ret ? 200 : CHILD_OK);
}

TEST_F(peer, claim_race)
{
	struct child children[4];
	int won = 0;

	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, child_start(&children[i], race_to_claim,
					 &self->args, NULL));
		ASSERT_EQ(0, child_await(&children[i]));
	}
	for (int i = 0; i < 4; i++)
		child_go_on(&children[i]);
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, child_await(&children[i]));
	for (int i = 0; i < 4; i++)
		child_go_on(&children[i]);
	for (int i = 0; i < 4; i++)
		won += child_end(&children[i]) == CHILD_OK;
	EXPECT_EQ(1, won);
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static void receive_and_read(const struct context *ctx)
{
	int fd = receive_fd(*(int *)ctx->arg);
	struct ring_end c;
	char buf[10];

	CHECK(fd >= 0);
	CHECK(ring_claim(fd) == 0);
	CHECK(ring_end_map(&c, fd) == 0);
	CHECK(ring_wait(fd, 10, RING_FOREVER) == 0);
	CHECK(ring_get(&c, buf, 10));
	CHECK(memcmp(buf, "0123456789", 10) == 0);
	hear(ctx);
}

TEST_F(peer, by_socket)
{
	struct secbuf_ring_create_args args;
	struct child child;
	struct ring_end p;
	int socks[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, child_start(&child, receive_and_read, NULL, &socks[1]));
	ASSERT_EQ(0, ring_create(self->dev, SIZE, PASSABLE, &args));
	ASSERT_EQ(0, send_fd(socks[0], args.out_consumer_fd));
	close(args.out_consumer_fd);
	ASSERT_EQ(0, ring_end_map(&p, args.out_producer_fd));
	usleep(50000);
	ASSERT_TRUE(ring_put(&p, "0123456789", 10));
	ring_notify(p.fd);
	child_go_on(&child);
	EXPECT_EQ(CHILD_OK, child_end(&child));
	/* It had the only descriptor, so this holds without notifiers too. */
	EXPECT_EQ(POLLHUP, poll_for(p.fd, 5000) & POLLHUP);
	EXPECT_EQ(SECBUF_RING_CONSUMER_GONE, p.status->flags);
	ring_end_close(&p);
	close(socks[0]);
	close(socks[1]);
}

/*
 * Death
 */

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
	EXPECT_EQ(POLLIN | POLLHUP, poll_for(self->c, 5000));
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
	EXPECT_EQ(POLLHUP, poll_for(self->p, 5000));
	EXPECT_EQ(0, ring_stats(self->p, &stats));
	EXPECT_EQ(0, stats.out_bytes);
	EXPECT_EQ(0, count_not(p.data, 0, 2 * SIZE));
	EXPECT_EQ(-1, write(self->p, "x", 1));
	EXPECT_EQ(EPIPE, errno);
	ring_end_unmap(&p);
}

/* Both, one after the other, and then the descriptors are all that is left. */
TEST_F(death, both)
{
	struct secbuf_info_args before, after;
	enum way way = variant->way;
	struct child p, c;

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
		usleep(200000);
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

/* A child that is not the owner may come and go. */
static void come_and_go(const struct context *ctx)
{
	(void)ctx;
}

TEST_F(peer, others_do_not_matter)
{
	struct child child;
	struct ring_end p;

	ASSERT_EQ(0, ring_end_map(&p, self->p));
	p.data[3] = 0x33;
	ASSERT_EQ(0, child_start(&child, come_and_go, &self->args, NULL));
	EXPECT_EQ(CHILD_OK, child_end(&child));
	EXPECT_EQ(0x33, p.data[3]);
	EXPECT_EQ(0, p.status->flags);
	EXPECT_EQ(1, write(self->p, "x", 1));
	ring_end_unmap(&p);
}

static void touch_inherited(const struct context *ctx)
{
	const struct ring_end *p = ctx->arg;

	CHECK(touch(p->data, false) == SIGSEGV);
	CHECK(touch((unsigned char *)p->head, false) == SIGSEGV);
	CHECK(touch((unsigned char *)p->tail, false) == SIGSEGV);
}

TEST_F(peer, fork_inherits_nothing)
{
	struct child child;
	struct ring_end p;

	ASSERT_EQ(0, ring_end_map(&p, self->p));
	p.data[0] = 1;
	ASSERT_EQ(0, child_start(&child, touch_inherited, &self->args, &p));
	EXPECT_EQ(CHILD_OK, child_end(&child));
	ring_end_unmap(&p);
}

/*
 * The creator makes a ring for two others, and goes.
 */

static void other_producer(const struct context *ctx)
{
	CHECK(ring_claim(ctx->p) == 0);
	say(ctx);
	hear(ctx);
	CHECK(write(ctx->p, "after", 5) == 5);
	hear(ctx);
}

static void other_consumer(const struct context *ctx)
{
	char buf[10];

	CHECK(ring_claim(ctx->c) == 0);
	say(ctx);
	CHECK(read(ctx->c, buf, 10) == 5);
	CHECK(memcmp(buf, "after", 5) == 0);
	say(ctx);
	hear(ctx);
}

struct two {
	int	dev;
	int	control[2];
	struct child p;
	struct child c;
};

static void matchmaker(const struct context *ctx)
{
	struct secbuf_ring_create_args args;
	struct two *two = ctx->arg;

	CHECK(ring_create(two->dev, SIZE, PASSABLE, &args) == 0);
	CHECK(child_start(&two->p, other_producer, &args, NULL) == 0);
	CHECK(child_start(&two->c, other_consumer, &args, NULL) == 0);
	CHECK(child_await(&two->p) == 0);
	CHECK(child_await(&two->c) == 0);
	CHECK(send_fd(two->control[1], two->p.to) == 0);
	CHECK(send_fd(two->control[1], two->c.to) == 0);
	CHECK(send_fd(two->control[1], two->c.from) == 0);
}

TEST_F(peer, creator_goes)
{
	struct two two = { .dev = self->dev };
	struct child child;
	int to_p, to_c, from_c;
	char byte;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, two.control));
	ASSERT_EQ(0, child_start(&child, matchmaker, NULL, &two));
	to_p = receive_fd(two.control[0]);
	to_c = receive_fd(two.control[0]);
	from_c = receive_fd(two.control[0]);
	EXPECT_EQ(CHILD_OK, child_end(&child));
	ASSERT_EQ(1, write(to_p, "x", 1));
	EXPECT_EQ(1, read(from_c, &byte, 1));
	EXPECT_EQ(1, write(to_p, "x", 1));
	EXPECT_EQ(1, write(to_c, "x", 1));
	/* The end of both. */
	EXPECT_EQ(0, read(from_c, &byte, 1));
	close(to_p);
	close(to_c);
	close(from_c);
	close(two.control[0]);
	close(two.control[1]);
}

static void careless_matchmaker(const struct context *ctx)
{
	struct secbuf_ring_create_args args;
	struct two *two = ctx->arg;

	CHECK(ring_create(two->dev, SIZE, PASSABLE, &args) == 0);
	CHECK(write(args.out_producer_fd, "x", 1) == 1);
	CHECK(send_fd(two->control[1], args.out_consumer_fd) == 0);
}

/* What nobody had claimed dies with the creator. */
TEST_F(peer, creator_goes_too_early)
{
	struct two two = { .dev = self->dev };
	struct child child;
	int fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, two.control));
	ASSERT_EQ(0, child_start(&child, careless_matchmaker, NULL, &two));
	EXPECT_EQ(CHILD_OK, child_end(&child));
	fd = receive_fd(two.control[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ESHUTDOWN, ring_claim(fd));
	close(fd);
	close(two.control[0]);
	close(two.control[1]);
}

/*
 * Reset
 */

static void survive_reset(const struct context *ctx)
{
	bool producer = *(bool *)ctx->arg;
	int fd = producer ? ctx->p : ctx->c;
	struct ring_end end;

	CHECK(ring_claim(fd) == 0);
	CHECK(ring_end_map(&end, fd) == 0);
	memset(end.data, 0x77, SIZE);
	say(ctx);
	hear(ctx);
	/* No signal, and nothing of what was there. */
	CHECK(count_not(end.data, 0, 2 * SIZE) == 0);
	CHECK(end.status->flags & SECBUF_RING_RESET_DONE);
	CHECK(end.head->head == 0 && end.tail->tail == 0);
	memset(end.data, 0x78, 2 * SIZE);
	CHECK(ring_notify(fd) == -ESHUTDOWN);
	CHECK(ring_wait(fd, 1, RING_FOREVER) == -ESHUTDOWN);
	CHECK(poll_for(fd, 0) == (POLLERR | POLLHUP));
	say(ctx);
	hear(ctx);
}

TEST_F(peer, reset_by_creator)
{
	bool yes = true, no = false;
	struct child p, c;

	ASSERT_EQ(0, child_start(&p, survive_reset, &self->args, &yes));
	ASSERT_EQ(0, child_start(&c, survive_reset, &self->args, &no));
	ASSERT_EQ(0, child_await(&p));
	ASSERT_EQ(0, child_await(&c));
	EXPECT_EQ(0, ring_reset(self->p));
	child_go_on(&p);
	child_go_on(&c);
	EXPECT_EQ(0, child_await(&p));
	EXPECT_EQ(0, child_await(&c));
	child_go_on(&p);
	child_go_on(&c);
	EXPECT_EQ(CHILD_OK, child_end(&p));
	EXPECT_EQ(CHILD_OK, child_end(&c));
}

/*
 * An end dies although the other is in a call that will never return: its
 * memory is that of a user fault handler which does not answer.
 */

static void block_in_read(const struct context *ctx)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *page;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		_exit(200);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)page;
	reg.range.len = PAGE;
	CHECK(ioctl(uffd, UFFDIO_REGISTER, &reg) == 0);
	CHECK(ring_claim(ctx->c) == 0);
	say(ctx);
	if (read(ctx->c, page, 10) < 0)
		_exit(201);
}

static void just_write(const struct context *ctx)
{
	CHECK(ring_claim(ctx->p) == 0);
	CHECK(write(ctx->p, "0123456789", 10) == 10);
	say(ctx);
	hear(ctx);
}

TEST_F(peer, nobody_waits_for_a_blocked_reader)
{
	struct child p, c;
	int status;

	ASSERT_EQ(0, child_start(&p, just_write, &self->args, NULL));
	ASSERT_EQ(0, child_await(&p));
	ASSERT_EQ(0, child_start(&c, block_in_read, &self->args, NULL));
	if (child_await(&c)) {
		child_go_on(&p);
		child_end(&p);
		ASSERT_EQ(200, child_end(&c));
		SKIP(return, "no userfaultfd");
	}
	usleep(200000);
	/* The reader sleeps in a fault. Shrinking does not wait for it. */
	kill(p.pid, SIGKILL);
	for (int i = 0; i < 500; i++) {
		if (waitpid(p.pid, &status, WNOHANG) == p.pid)
			break;
		usleep(10000);
		ASSERT_NE(499, i);
	}
	EXPECT_EQ(0, ring_reset(self->c));
	kill(c.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, child_end(&c));
	close(p.to);
	close(p.from);
}

/*
 * A lot of bytes between two processes, with sleeping on both sides, while a
 * third one takes the memory whenever it can.
 */

#define STREAM_BYTES	(2 << 20)

struct stream {
	bool	mapped;
	bool	records;
	bool	park;
};

static unsigned char stream_byte(__u64 at)
{
	return at * 2654435761U >> 13;
}

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void stream_put(struct ring_end *p, const struct stream *s,
		       const unsigned char *buf, size_t len)
{
	if (!s->mapped) {
		CHECK(write(p->fd, buf, len) == (ssize_t)len);
		return;
	}
	while (!ring_put(p, buf, len)) {
		if (s->park)
			ring_park(p);
		CHECK(ring_wait(p->fd, len, RING_FOREVER) == 0);
	}
	if (s->park)
		ring_park(p);
}

static void stream_producer(const struct context *ctx)
{
	const struct stream *s = ctx->arg;
	unsigned char buf[3000];
	unsigned int random = 1;
	struct ring_end p;
	__u64 at = 0;
	size_t len;

	CHECK(ring_claim(ctx->p) == 0);
	CHECK(ring_end_map(&p, ctx->p) == 0);
	while (at < STREAM_BYTES) {
		len = 1 + next_random(&random) % sizeof(buf);
		if (len > STREAM_BYTES - at)
			len = STREAM_BYTES - at;
		for (size_t i = 0; i < len; i++)
			buf[i] = stream_byte(at + i);
		stream_put(&p, s, buf, len);
		at += len;
		if (next_random(&random) % 64 == 0)
			usleep(100);
	}
}

static ssize_t stream_get(struct ring_end *c, const struct stream *s,
			  unsigned char *buf, size_t len)
{
	__u64 used;
	int ret;

	if (!s->mapped || s->records)
		return read(c->fd, buf, len);
	for (;;) {
		used = ring_load(&c->head->head) - c->tail->tail;
		CHECK(used <= c->size);
		if (used)
			break;
		ret = ring_wait(c->fd, 1, RING_FOREVER);
		if (ret == -EPIPE)
			return 0;
		CHECK(!ret);
	}
	if (used > len)
		used = len;
	CHECK(ring_get(c, buf, used));
	return used;
}

static void stream_consumer(const struct context *ctx)
{
	const struct stream *s = ctx->arg;
	unsigned char buf[5000];
	unsigned int random = 2;
	struct ring_end c;
	__u64 at = 0;
	ssize_t n;

	CHECK(ring_claim(ctx->c) == 0);
	CHECK(ring_end_map(&c, ctx->c) == 0);
	say(ctx);
	for (;;) {
		n = stream_get(&c, s, buf, sizeof(buf));
		if (!n)
			break;
		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			CHECK(buf[i] == stream_byte(at + i));
		at += n;
		if (next_random(&random) % 64 == 0)
			usleep(100);
	}
	CHECK(at == STREAM_BYTES);
	CHECK(count_not(c.data, 0, c.size) == 0);
}

static void shrink_for_ever(const struct context *ctx)
{
	(void)ctx;
	for (;;) {
		FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

		if (f) {
			fputs("2", f);
			fclose(f);
		}
		usleep(200);
	}
}

FIXTURE(stream)
{
	int				dev;
	struct secbuf_ring_create_args	args;
};

FIXTURE_VARIANT(stream)
{
	struct stream	s;
};

FIXTURE_VARIANT_ADD(stream, calls)
{
	.s = { .mapped = false },
};

FIXTURE_VARIANT_ADD(stream, records)
{
	.s = { .records = true },
};

FIXTURE_VARIANT_ADD(stream, mapped)
{
	.s = { .mapped = true },
};

FIXTURE_VARIANT_ADD(stream, parking)
{
	.s = { .mapped = true, .park = true },
};

FIXTURE_SETUP(stream)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, ring_create(self->dev, SIZE, PASSABLE |
				 (variant->s.records ? SECBUF_RING_F_RECORDS :
						       0), &self->args));
}

FIXTURE_TEARDOWN(stream)
{
	close(self->args.out_producer_fd);
	close(self->args.out_consumer_fd);
	close(self->dev);
}

TEST_F_TIMEOUT(stream, all_arrive, 100)
{
	struct child p, c, shrinker;
	struct stream s = variant->s;

	ASSERT_EQ(0, child_start(&shrinker, shrink_for_ever, NULL, NULL));
	ASSERT_EQ(0, child_start(&c, stream_consumer, &self->args, &s));
	ASSERT_EQ(0, child_await(&c));
	ASSERT_EQ(0, child_start(&p, stream_producer, &self->args, &s));
	if (!secbuf_owner_death(self->dev))
		close(self->args.out_producer_fd);
	EXPECT_EQ(CHILD_OK, child_end(&p));
	EXPECT_EQ(CHILD_OK, child_end(&c));
	kill(shrinker.pid, SIGKILL);
	child_end(&shrinker);
}

TEST_HARNESS_MAIN
