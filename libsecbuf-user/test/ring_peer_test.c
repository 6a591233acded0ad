// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Rings between two processes: traffic, a peer that is killed at any time, and
 * ends that change hands. For hostile ones see ring_attack_test.c.
 *
 * SECBUF_RING_SECONDS in the environment says how long the tests that could go on
 * for ever do so, each; 2 by default.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#include "device.h"
#include "ring_traffic.h"

#define SIZE		16384
#define MS		1000000ULL
#define FOREVER		SECBUF_RING_TIMEOUT_NONE

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static uint64_t until(void)
{
	const char *seconds = getenv("SECBUF_RING_SECONDS");

	return now_ns() + (seconds ? atoi(seconds) : 2) * 1000 * MS;
}

FIXTURE(peer) {
	struct secbuf_context *ctx;
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	struct traffic traffic;
	int in, out;
	pid_t pid;
};

FIXTURE_VARIANT(peer) {
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(peer, bytes) {
	.flags = SECBUF_RING_F_PASSABLE,
};

FIXTURE_VARIANT_ADD(peer, records) {
	.flags = SECBUF_RING_F_PASSABLE | SECBUF_RING_F_RECORDS,
};

static int make(FIXTURE_DATA(peer) *self, uint32_t flags)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = SIZE, .flags = flags,
	};

	self->producer = NULL;
	self->consumer = NULL;
	self->pid = 0;
	traffic_begin(&self->traffic, 1);
	return secbuf_ring_create(&self->in, &self->out, self->ctx, &opts);
}

static void unmake(FIXTURE_DATA(peer) *self)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	secbuf_ring_producer_close(self->producer);
	secbuf_ring_consumer_close(self->consumer);
	close(self->in);
	close(self->out);
}

FIXTURE_SETUP(peer)
{
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, make(self, variant->flags));
}

FIXTURE_TEARDOWN(peer)
{
	unmake(self);
	secbuf_close(self->ctx);
}

/* In the child the fixture is a copy, and both descriptors are those of a fork. */
static void be_child(FIXTURE_DATA(peer) *self,
		     int (*fn)(FIXTURE_DATA(peer) *self))
{
	self->pid = fork();
	if (self->pid)
		return;
	alarm(600);
	self->producer = NULL;
	self->consumer = NULL;
	_exit(fn(self) ? 1 : 0);
}

/* Its exit status, or minus the signal. */
static int reap(FIXTURE_DATA(peer) *self)
{
	int status;

	if (waitpid(self->pid, &status, 0) != self->pid)
		return -1000;
	self->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int attach_producer(FIXTURE_DATA(peer) *self)
{
	int err = secbuf_ring_producer_attach(&self->producer, self->in);

	close(self->in);
	close(self->out);
	self->in = -1;
	self->out = -1;
	return err;
}

static int attach_consumer(FIXTURE_DATA(peer) *self)
{
	int err = secbuf_ring_consumer_attach(&self->consumer, self->out);

	close(self->in);
	close(self->out);
	self->in = -1;
	self->out = -1;
	return err;
}

/* Traffic */

/* Emulated processors are slow. */
#define TOTAL	(16 << 20)

static int produce_total(FIXTURE_DATA(peer) *self)
{
	return attach_producer(self) ?:
	       traffic_produce(&self->traffic, self->producer, TOTAL);
}

static int consume_total(FIXTURE_DATA(peer) *self)
{
	self->traffic.random ^= 0x123456;
	return attach_consumer(self) ?:
	       traffic_consume(&self->traffic, self->consumer, TOTAL);
}

TEST_F_TIMEOUT(peer, all_arrives_from_a_child, 300)
{
	be_child(self, produce_total);
	EXPECT_EQ(0, consume_total(self));
	EXPECT_EQ(TOTAL, self->traffic.done);
	EXPECT_EQ(-EPIPE, traffic_consume(&self->traffic, self->consumer,
					  TOTAL + 1));
	EXPECT_EQ(0, reap(self));
	TH_LOG("%llu waits", (unsigned long long)self->traffic.waits);
}

TEST_F_TIMEOUT(peer, all_arrives_in_a_child, 300)
{
	be_child(self, consume_total);
	EXPECT_EQ(0, produce_total(self));
	EXPECT_EQ(0, reap(self));
	TH_LOG("%llu waits", (unsigned long long)self->traffic.waits);
}

/* The memory is taken from under an idle producer again and again. */

/* Times that it is to be taken. */
#define SHRINKS	10

/* Shared with the child: it has done enough. */
static bool *enough;

/* Idle for a moment, so that the ring is emptied and taken. */
static int produce_and_park(FIXTURE_DATA(peer) *self)
{
	uint64_t random = 4710;
	int err = attach_producer(self);

	while (!err && !__atomic_load_n(enough, __ATOMIC_RELAXED)) {
		err = traffic_produce(&self->traffic, self->producer,
				      self->traffic.done + 3 * SIZE);
		if (!err)
			err = secbuf_ring_park(self->producer);
		usleep(traffic_next(&random) % 1000);
	}
	return err;
}

/* What there is, if there is something soon; then the memory, if that goes. */
static int consume_and_shrink(FIXTURE_DATA(peer) *self, uint64_t *shrinks)
{
	int err = traffic_get(&self->traffic, self->consumer, TRAFFIC_PIECE);
	ssize_t freed = secbuf_ring_shrink(&self->consumer->side);

	*shrinks += freed > 0;
	if (freed < 0 && freed != -EBUSY && freed != -EPIPE)
		return freed;
	if (err == -ENODATA) {
		err = secbuf_ring_wait(&self->consumer->side, 1, MS);
		if (err == -ETIMEDOUT)
			err = 0;
	}
	return err;
}

TEST_F_TIMEOUT(peer, parking_against_shrink, 300)
{
	uint64_t end = until(), last = end + WAIT_NS, shrinks = 0;
	int err;

	enough = mmap(NULL, sizeof(*enough), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, enough);
	be_child(self, produce_and_park);
	ASSERT_EQ(0, attach_consumer(self));
	/* Its end cannot be claimed while a call looks whether it is idle. */
	ASSERT_EQ(0, secbuf_ring_wait(&self->consumer->side, 1, FOREVER));
	do {
		err = consume_and_shrink(self, &shrinks);
		if (now_ns() > end && (shrinks >= SHRINKS || now_ns() > last))
			__atomic_store_n(enough, true, __ATOMIC_RELAXED);
	} while (!err);
	EXPECT_EQ(-EPIPE, err);
	EXPECT_EQ(0, reap(self));
	TH_LOG("%llu shrinks, %llu MiB", (unsigned long long)shrinks,
	       (unsigned long long)self->traffic.done >> 20);
	EXPECT_LE(SHRINKS, shrinks);
	munmap(enough, sizeof(*enough));
}

/* Killed */

static int produce_for_ever(FIXTURE_DATA(peer) *self)
{
	return attach_producer(self) ?:
	       traffic_produce(&self->traffic, self->producer, UINT64_MAX);
}

static int consume_for_ever(FIXTURE_DATA(peer) *self)
{
	return attach_consumer(self) ?:
	       traffic_consume(&self->traffic, self->consumer, UINT64_MAX);
}

/* Kills @pid after some time, from another process. */
static pid_t kill_later(pid_t pid, unsigned int us)
{
	pid_t killer = fork();

	if (!killer) {
		usleep(us);
		kill(pid, SIGKILL);
		_exit(0);
	}
	return killer;
}

TEST_F_TIMEOUT(peer, the_producer_is_killed_at_any_time, 300)
{
	uint64_t end = until(), random = 4711;
	pid_t killer;
	int err, runs;

	for (runs = 0; now_ns() < end; runs++) {
		be_child(self, produce_for_ever);
		killer = kill_later(self->pid,
				    traffic_next(&random) % 20000);
		err = attach_consumer(self) ?:
		      traffic_consume(&self->traffic, self->consumer,
				      UINT64_MAX);
		waitpid(killer, NULL, 0);
		EXPECT_EQ(-SIGKILL, reap(self));
		/* Before the child had claimed it, the end was this process's. */
		EXPECT_EQ(-EPIPE, err);
		if (err != -EPIPE)
			break;
		unmake(self);
		ASSERT_EQ(0, make(self, variant->flags));
	}
	TH_LOG("%d times", runs);
}

TEST_F_TIMEOUT(peer, the_consumer_is_killed_at_any_time, 300)
{
	uint64_t end = until(), random = 4712;
	pid_t killer;
	int err, runs;

	for (runs = 0; now_ns() < end; runs++) {
		be_child(self, consume_for_ever);
		killer = kill_later(self->pid,
				    traffic_next(&random) % 20000);
		err = attach_producer(self) ?:
		      traffic_produce(&self->traffic, self->producer,
				      UINT64_MAX);
		waitpid(killer, NULL, 0);
		EXPECT_EQ(-SIGKILL, reap(self));
		EXPECT_EQ(-EPIPE, err);
		if (err != -EPIPE)
			break;
		unmake(self);
		ASSERT_EQ(0, make(self, variant->flags));
	}
	TH_LOG("%d times", runs);
}

/* Ends that change hands */

static int send_fd(int sock, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static int sock_of_child;

static int receive_and_answer(FIXTURE_DATA(peer) *self)
{
	char text[8] = "";

	close(self->in);
	close(self->out);
	self->in = -1;
	self->out = receive_fd(sock_of_child);
	if (self->out < 0 ||
	    secbuf_ring_consumer_attach(&self->consumer, self->out))
		return 1;
	if (secbuf_ring_wait(&self->consumer->side, 5, FOREVER) ||
	    secbuf_ring_read(self->consumer, text, sizeof(text)) != 5)
		return 2;
	return strcmp(text, "hello") != 0;
}

TEST_F(peer, passed_over_a_socket)
{
	int socks[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	sock_of_child = socks[1];
	be_child(self, receive_and_answer);
	ASSERT_EQ(0, send_fd(socks[0], self->out));
	close(self->out);
	self->out = -1;
	ASSERT_EQ(0, secbuf_ring_producer_attach(&self->producer, self->in));
	ASSERT_EQ(0, secbuf_ring_write(self->producer, "hello", 5));
	EXPECT_EQ(0, reap(self));
	EXPECT_EQ(-EPIPE, secbuf_ring_write(self->producer, "hello", 5));
	close(socks[0]);
	close(socks[1]);
}

static int attach_second(FIXTURE_DATA(peer) *self)
{
	struct secbuf_ring_consumer *consumer;

	return secbuf_ring_consumer_attach(&consumer, self->out) != -EPERM ||
	       consumer;
}

static int attach_while_used(FIXTURE_DATA(peer) *self)
{
	struct secbuf_ring_consumer *consumer;

	return secbuf_ring_consumer_attach(&consumer, self->out) != -EBUSY ||
	       consumer;
}

static int attach_and_let_attach(FIXTURE_DATA(peer) *self)
{
	if (secbuf_ring_consumer_attach(&self->consumer, self->out))
		return 1;
	be_child(self, attach_second);
	return reap(self);
}

TEST_F(peer, claimed_once)
{
	be_child(self, attach_and_let_attach);
	EXPECT_EQ(0, reap(self));
}

TEST_F(peer, not_claimed_while_its_owner_uses_it)
{
	ASSERT_EQ(0, secbuf_ring_consumer_attach(&self->consumer, self->out));
	be_child(self, attach_while_used);
	EXPECT_EQ(0, reap(self));
}

/* Has exec() the outcome that death has? */

static int attach_and_exec(FIXTURE_DATA(peer) *self)
{
	if (attach_producer(self) ||
	    secbuf_ring_write(self->producer, "hello", 5))
		return 1;
	execl("/proc/self/exe", "ring_peer_test", "--sleep", NULL);
	return 1;
}

TEST_F(peer, exec_is_the_end_of_an_end)
{
	char text[16];

	be_child(self, attach_and_exec);
	ASSERT_EQ(0, attach_consumer(self));
	ASSERT_EQ(0, secbuf_ring_wait(&self->consumer->side, 5, FOREVER));
	EXPECT_EQ(5, secbuf_ring_read(self->consumer, text, sizeof(text)));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->consumer->side, 1,
					   WAIT_NS));
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
}

/* A child of its owner holds the descriptor of an end, until the test ends. */
static int pipe_of_test[2];

static int attach_fork_and_die(FIXTURE_DATA(peer) *self)
{
	pid_t pid;
	char byte;

	close(pipe_of_test[1]);
	if (attach_producer(self))
		return 1;
	pid = fork();
	if (!pid)
		_exit(read(pipe_of_test[0], &byte, 1) != 0);
	return pid < 0;
}

TEST_F(peer, death_is_the_end_of_an_end)
{
	struct secbuf_info_args info;

	ASSERT_EQ(0, secbuf_get_info(self->ctx, &info));
	if (!(info.out_protections & SECBUF_PROT_OWNER_DEATH))
		SKIP(return, "a descriptor keeps it alive here");
	ASSERT_EQ(0, pipe(pipe_of_test));
	be_child(self, attach_fork_and_die);
	ASSERT_EQ(0, attach_consumer(self));
	EXPECT_EQ(-EPIPE, secbuf_ring_wait(&self->consumer->side, 1,
					   WAIT_NS));
	EXPECT_EQ(0, reap(self));
	close(pipe_of_test[0]);
	close(pipe_of_test[1]);
}

/* The creator ends it for both. */

static int produce_until_reset(FIXTURE_DATA(peer) *self)
{
	return produce_for_ever(self) != -ESHUTDOWN;
}

TEST_F(peer, reset_by_the_creator)
{
	struct secbuf_ring_plain_args args = { 0 };
	int in = dup(self->in);

	be_child(self, produce_until_reset);
	ASSERT_EQ(0, attach_consumer(self));
	EXPECT_EQ(0, traffic_consume(&self->traffic, self->consumer, 10 * SIZE));
	EXPECT_EQ(0, secbuf_ioctl_ring_reset(in, &args));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_wait(&self->consumer->side, SIZE,
					       FOREVER));
	EXPECT_EQ(0, reap(self));
	close(in);
}

static int reset_others(FIXTURE_DATA(peer) *self)
{
	return attach_consumer(self) ?:
	       secbuf_ring_reset(&self->consumer->side) != -EPERM;
}

TEST_F(peer, reset_by_another)
{
	be_child(self, reset_others);
	EXPECT_EQ(0, reap(self));
}

/* For exec_is_the_end_of_an_end, in place of the tests. */
static void __attribute__((constructor)) sleep_instead(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--sleep")) {
		sleep(10 * WAIT_S);
		_exit(0);
	}
}

TEST_HARNESS_MAIN
