// SPDX-License-Identifier: GPL-2.0
/*
 * A ring between processes: who may use an end, and how it changes hands.
 */
#include "secbuf_ring_child.h"
#include "secbuf_touch.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

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
	EXPECT_EQ(self->bytes, bytes_settled(self->dev, self->bytes));
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
	EXPECT_EQ(POLLHUP, poll_for(self->c, WAIT_MS));
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
	CHECK(wait_until(is_asleep(getppid())));
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

/*
 * What was written after an end was claimed is not read by its former owner,
 * even if he was about to read. Bytes that are 1 were written after that.
 */

struct handover {
	int		claimed;
	int		over;
	int		leaked;
};

static void claim_and_tell(const struct context *ctx)
{
	struct handover *shared = ctx->arg;
	char byte;

	hear(ctx);
	usleep(getpid() % 7 * 300);
	/* While he is reading it is refused. */
	while (ring_claim(ctx->c) == -EBUSY)
		continue;
	ring_store(&shared->claimed, 1);
	do
		CHECK(read(ctx->c, &byte, 1) == 1);
	while (byte != 1);
	ring_store(&shared->over, 1);
	hear(ctx);
}

struct former_owner {
	int		fd;
	struct handover	*shared;
};

static void *read_on(void *arg)
{
	struct former_owner *me = arg;
	char buf[16];
	ssize_t n;

	while (!ring_load(&me->shared->over)) {
		n = read(me->fd, buf, sizeof(buf));
		if (n < 0 && errno == EPERM)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i])
				ring_store(&me->shared->leaked, 1);
	}
	return NULL;
}

TEST_F(peer, claim_while_read)
{
	struct handover *shared;
	struct child child;
	pthread_t thread;
	char byte;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	for (int i = 0; i < 20; i++) {
		struct secbuf_ring_create_args args;
		struct former_owner owner = { .shared = shared };

		memset(shared, 0, sizeof(*shared));
		ASSERT_EQ(0, ring_create(self->dev, SIZE, PASSABLE, &args));
		ASSERT_EQ(0, child_start(&child, claim_and_tell, &args,
					 shared));
		owner.fd = args.out_consumer_fd;
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &owner));
		child_go_on(&child);
		while (!ring_load(&shared->over)) {
			byte = ring_load(&shared->claimed);
			ASSERT_EQ(1, write(args.out_producer_fd, &byte, 1));
		}
		pthread_join(thread, NULL);
		child_go_on(&child);
		EXPECT_EQ(CHILD_OK, child_end(&child));
		EXPECT_EQ(0, shared->leaked);
		close(args.out_producer_fd);
		close(args.out_consumer_fd);
	}
	munmap(shared, PAGE);
}

/* What was written when nobody was left to read it is for nobody. */
static void claim_and_look(const struct context *ctx)
{
	struct ring_end p;

	CHECK(ring_claim(ctx->p) == 0);
	CHECK(ring_end_map(&p, ctx->p) == 0);
	CHECK(p.status->flags & SECBUF_RING_CONSUMER_GONE);
	CHECK(count_not(p.data, 0, 2 * SIZE) == 0);
}

TEST_F(peer, claim_without_scratch)
{
	struct child child;
	struct ring_end p;

	ASSERT_EQ(0, ring_end_map(&p, self->p));
	ASSERT_EQ(0, ring_hangup(self->c));
	memset(p.data, 0x66, 2 * SIZE);
	EXPECT_EQ(0, count_not(p.data, 0x66, 2 * SIZE));
	ring_end_unmap(&p);
	ASSERT_EQ(0, child_start(&child, claim_and_look, &self->args, NULL));
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
	struct child child = { 0 };
	struct ring_end p;
	int socks[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, child_start(&child, receive_and_read, NULL, &socks[1]));
	ASSERT_EQ(0, ring_create(self->dev, SIZE, PASSABLE, &args));
	ASSERT_EQ(0, send_fd(socks[0], args.out_consumer_fd));
	close(args.out_consumer_fd);
	ASSERT_EQ(0, ring_end_map(&p, args.out_producer_fd));
	/* It sleeps for this, or for the descriptor: all the same. */
	wait_until(is_asleep(child.pid));
	ASSERT_TRUE(ring_put(&p, "0123456789", 10));
	ring_notify(p.fd);
	child_go_on(&child);
	EXPECT_EQ(CHILD_OK, child_end(&child));
	/* It had the only descriptor, so this holds without notifiers too. */
	EXPECT_EQ(POLLHUP, poll_for(p.fd, WAIT_MS) & POLLHUP);
	EXPECT_EQ(SECBUF_RING_CONSUMER_GONE, p.status->flags);
	ring_end_close(&p);
	close(socks[0]);
	close(socks[1]);
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

/* Who touches it waits until somebody answers, or returns NULL. */
static void *missing_page(int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page;

	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*uffd < 0 || ioctl(*uffd, UFFDIO_API, &api))
		return NULL;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)page;
	reg.range.len = PAGE;
	return ioctl(*uffd, UFFDIO_REGISTER, &reg) ? NULL : page;
}

static void block_in_read(const struct context *ctx)
{
	int uffd;
	char *page = missing_page(&uffd);

	if (!page)
		_exit(200);
	CHECK(ring_claim(ctx->c) == 0);
	say(ctx);
	if (read(ctx->c, page, 10) < 0)
		_exit(201);
}

static void claim_what_is_read(const struct context *ctx)
{
	CHECK(ring_claim(ctx->c) == -EBUSY);
}

static volatile pid_t blocked_tid;

static void *blocked_read(void *arg)
{
	void **args = arg;

	blocked_tid = gettid();
	return (void *)read(*(int *)args[0], args[1], 10);
}

/* Nor is it claimed when he is in the middle of it. */
TEST_F(peer, claim_what_is_read)
{
	struct uffdio_zeropage zero = { 0 };
	void *page, *args[2], *ret;
	struct child child;
	pthread_t thread;
	int uffd;

	page = missing_page(&uffd);
	if (!page)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(10, write(self->p, "0123456789", 10));
	args[0] = &self->c;
	args[1] = page;
	ASSERT_EQ(0, pthread_create(&thread, NULL, blocked_read, args));
	ASSERT_TRUE(wait_until(is_stuck(blocked_tid)));
	ASSERT_EQ(0, child_start(&child, claim_what_is_read, &self->args,
				 NULL));
	EXPECT_EQ(CHILD_OK, child_end(&child));
	zero.range.start = (uintptr_t)page;
	zero.range.len = PAGE;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	pthread_join(thread, &ret);
	EXPECT_EQ((void *)10, ret);
	EXPECT_EQ(0, memcmp(page, "0123456789", 10));
	close(uffd);
	munmap(page, PAGE);
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
	ASSERT_TRUE(wait_until(is_stuck(c.pid)));
	/* The reader sleeps in a fault. Shrinking does not wait for it. */
	kill(p.pid, SIGKILL);
	ASSERT_TRUE(wait_until(waitpid(p.pid, &status, WNOHANG) == p.pid));
	EXPECT_EQ(0, ring_reset(self->c));
	kill(c.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, child_end(&c));
	close(p.to);
	close(p.from);
}

TEST_HARNESS_MAIN
