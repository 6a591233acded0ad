// SPDX-License-Identifier: GPL-2.0
/*
 * Rings that belong to a conn: they end with it, and it does without them when
 * they end.
 */
#include "secbuf_conn.h"
#include "secbuf_pass.h"
#include "secbuf_ring.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define RING_SIZE	(4 * PAGE)

FIXTURE(stream)
{
	int		dev;
	__u64		bytes;
	struct pool	p;
	int		conn;
};

FIXTURE_SETUP(stream)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, PAGE, 4));
	self->conn = conn_create(self->dev, self->p.fd);
	ASSERT_LE(0, self->conn);
}

FIXTURE_TEARDOWN(stream)
{
	close(self->conn);
	pool_close(&self->p);
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

static int change(int conn, unsigned long command, int ring_fd)
{
	struct secbuf_conn_stream_args args = {
		.size = sizeof(args), .ring_fd = ring_fd,
	};

	return secbuf_ioctl(conn, command, &args);
}

static int add(int conn, int ring_fd)
{
	return change(conn, SECBUF_IOC_CONN_STREAM_ADD, ring_fd);
}

static int del(int conn, int ring_fd)
{
	return change(conn, SECBUF_IOC_CONN_STREAM_DEL, ring_fd);
}

static int nr_streams(int conn)
{
	struct secbuf_conn_stats_args stats;
	int ret = conn_stats(conn, &stats);

	return ret ? ret : (int)stats.out_nr_streams;
}

/* Descriptors of a ring, in this order: producer, consumer. */
static int make_ring(int dev, __u32 flags, int fds[2])
{
	struct secbuf_ring_create_args args = {
		.size = sizeof(args), .flags = flags, .ring_size = RING_SIZE,
	};
	int ret = secbuf_ioctl(dev, SECBUF_IOC_RING_CREATE, &args);

	fds[0] = args.out_producer_fd;
	fds[1] = args.out_consumer_fd;
	return ret;
}

static void close_ring(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static bool was_reset(int fd)
{
	struct secbuf_ring_stats_args stats;

	return !ring_stats(fd, &stats) &&
	       stats.out_status & SECBUF_RING_RESET_DONE;
}

TEST_F(stream, comes_and_goes)
{
	int r[2];

	ASSERT_EQ(0, make_ring(self->dev, 0, r));
	EXPECT_EQ(-ENOENT, del(self->conn, r[0]));
	EXPECT_EQ(0, add(self->conn, r[0]));
	EXPECT_EQ(1, nr_streams(self->conn));
	/* Either end is the ring. */
	EXPECT_EQ(-EEXIST, add(self->conn, r[1]));
	EXPECT_EQ(0, del(self->conn, r[1]));
	EXPECT_EQ(0, nr_streams(self->conn));
	EXPECT_EQ(0, conn_zeroize(self->conn));
	EXPECT_FALSE(was_reset(r[0]));
	close_ring(r);
}

TEST_F(stream, of_another_conn)
{
	int other = conn_create(self->dev, self->p.fd);
	int r[2];

	ASSERT_LE(0, other);
	ASSERT_EQ(0, make_ring(self->dev, 0, r));
	ASSERT_EQ(0, add(self->conn, r[0]));
	EXPECT_EQ(-EEXIST, add(other, r[0]));
	EXPECT_EQ(-ENOENT, del(other, r[0]));
	ASSERT_EQ(0, close(other));
	EXPECT_FALSE(was_reset(r[0]));
	EXPECT_EQ(1, nr_streams(self->conn));
	close_ring(r);
}

TEST_F(stream, a_ring_that_ends_leaves)
{
	int r[2];

	ASSERT_EQ(0, make_ring(self->dev, 0, r));
	ASSERT_EQ(0, add(self->conn, r[0]));
	close(r[0]);
	EXPECT_EQ(1, nr_streams(self->conn));
	close(r[1]);
	EXPECT_EQ(0, nr_streams(self->conn));
}

TEST_F(stream, zeroize_resets)
{
	int r[2];
	char bytes[16] = "a secret";

	ASSERT_EQ(0, make_ring(self->dev, 0, r));
	ASSERT_EQ(0, add(self->conn, r[1]));
	ASSERT_EQ(16, write(r[0], bytes, 16));
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_TRUE(was_reset(r[0]));
	EXPECT_EQ(0, nr_streams(self->conn));
	EXPECT_EQ(-1, read(r[1], bytes, 16));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-ESHUTDOWN, add(self->conn, r[1]));
	close_ring(r);
}

TEST_F(stream, reset_and_close_reset)
{
	int r[2][2];

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, make_ring(self->dev, 0, r[i]));
	ASSERT_EQ(0, add(self->conn, r[0][0]));
	ASSERT_EQ(0, conn_reset(self->conn));
	EXPECT_TRUE(was_reset(r[0][0]));
	ASSERT_EQ(0, add(self->conn, r[1][0]));
	ASSERT_EQ(0, close(self->conn));
	EXPECT_TRUE(was_reset(r[1][1]));
	for (int i = 0; i < 2; i++)
		close_ring(r[i]);
	self->conn = -1;
}

TEST_F(stream, limit)
{
	struct secbuf_conn_create_args args = {
		.pool_fd = self->p.fd, .max_streams = 2,
	};
	int conn = conn_make(self->dev, &args);
	int r[3][2];

	ASSERT_LE(0, conn);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, make_ring(self->dev, 0, r[i]));
	EXPECT_EQ(0, add(conn, r[0][0]));
	EXPECT_EQ(0, add(conn, r[1][0]));
	EXPECT_EQ(-ENOBUFS, add(conn, r[2][0]));
	EXPECT_EQ(0, del(conn, r[0][0]));
	EXPECT_EQ(0, add(conn, r[2][0]));
	ASSERT_EQ(0, close(conn));
	EXPECT_FALSE(was_reset(r[0][0]));
	EXPECT_TRUE(was_reset(r[1][0]));
	EXPECT_TRUE(was_reset(r[2][0]));
	for (int i = 0; i < 3; i++)
		close_ring(r[i]);
}

TEST_F(stream, bad_arguments)
{
	struct secbuf_conn_stream_args args = {
		.size = sizeof(args), .flags = 1, .ring_fd = self->p.fd,
	};
	int closed = dup(self->p.fd);

	close(closed);
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ioctl(self->conn,
					    SECBUF_IOC_CONN_STREAM_ADD, &args));
	args.flags = 0;
	args.__reserved = 1;
	EXPECT_EQ(-EINVAL, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_STREAM_DEL,
					&args));
	EXPECT_EQ(-EINVAL, add(self->conn, self->p.fd));
	EXPECT_EQ(-EINVAL, add(self->conn, self->conn));
	EXPECT_EQ(-EBADF, add(self->conn, closed));
	EXPECT_EQ(-EBADF, del(self->conn, -1));
}

TEST_F(stream, stats)
{
	struct secbuf_conn_stats_args s;
	char bytes[100] = { 1 };
	int r[2];

	ASSERT_EQ(0, make_ring(self->dev, 0, r));
	ASSERT_EQ(0, add(self->conn, r[0]));
	ASSERT_EQ(100, write(r[0], bytes, 100));
	ASSERT_EQ(0, conn_stats(self->conn, &s));
	EXPECT_EQ(PAGE, s.out_streams.allocated);
	EXPECT_EQ(100, s.out_streams.used);
	EXPECT_EQ(PAGE, s.out_total.allocated);
	close_ring(r);
}

TEST_F(stream, shrink_takes_what_is_empty)
{
	char bytes[100] = { 1 };
	int r[2][2];

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_ring(self->dev, 0, r[i]));
		ASSERT_EQ(0, add(self->conn, r[i][0]));
		ASSERT_EQ(100, write(r[i][0], bytes, 100));
	}
	EXPECT_EQ(0, conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE));
	ASSERT_EQ(100, read(r[1][1], bytes, 100));
	EXPECT_EQ(0, conn_shrink(self->conn, SECBUF_CONN_SHRINK_WASTEFUL));
	EXPECT_EQ(PAGE, conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE));
	EXPECT_EQ(2, nr_streams(self->conn));
	EXPECT_EQ(100, read(r[0][1], bytes, 100));
	for (int i = 0; i < 2; i++)
		close_ring(r[i]);
}

/* It is not the caller's ring, even if he has claimed an end. */
TEST_F(stream, of_another_process)
{
	int r[2], status;
	pid_t pid;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_EQ(0, make_ring(self->dev, SECBUF_RING_F_PASSABLE, r));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct pool p;
		int conn;

		if (pool_open(&p, self->dev, PAGE, 4))
			_exit(1);
		conn = conn_create(self->dev, p.fd);
		if (conn < 0 || add(conn, r[0]) != -EPERM)
			_exit(2);
		if (ring_plain(r[0], SECBUF_IOC_RING_CLAIM))
			_exit(3);
		if (add(conn, r[0]) != -EPERM || add(conn, r[1]) != -EPERM)
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close_ring(r);
}

/* Whoever has claimed an end: it is reset when the owner of the conn dies. */
TEST_F(stream, the_owner_dies)
{
	int sockets[2], status, fd = -1;
	char byte = 0;
	__u64 bytes = secbuf_bytes(self->dev);
	pid_t pid;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct pool p;
		int conn, r[2];

		if (pool_open(&p, self->dev, PAGE, 4))
			_exit(1);
		conn = conn_create(self->dev, p.fd);
		if (conn < 0 || make_ring(self->dev, SECBUF_RING_F_PASSABLE, r))
			_exit(2);
		if (add(conn, r[0]) || write(r[0], "secret", 6) != 6)
			_exit(3);
		if (send_fd(sockets[0], r[1]))
			_exit(4);
		/* Until it is claimed. */
		close(sockets[1]);
		if (read(sockets[0], &byte, 1) != 1)
			_exit(5);
		/* Somebody holds the descriptors of the conn until the end. */
		if (!fork())
			_exit(read(sockets[0], &byte, 1) != 0);
		_exit(0);
	}
	close(sockets[0]);
	fd = receive_fd(sockets[1]);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ring_plain(fd, SECBUF_IOC_RING_CLAIM));
	EXPECT_FALSE(was_reset(fd));
	ASSERT_EQ(1, write(sockets[1], &byte, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(was_reset(fd));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ESHUTDOWN, errno);
	close(fd);
	close(sockets[1]);
	/* Until the last of them is gone, and what it held. */
	EXPECT_EQ(bytes, bytes_settled(self->dev, bytes));
}

#define STACK_SIZE	(64 * 1024UL)

/* A conn of a process that shares our memory, and who adds a ring to it. */
struct late {
	int		dev;
	int		pool;
	int		conn;
	volatile bool	ready;
	volatile bool	ends;
	struct secbuf_conn_stream_args *args;
	int		ret;
};

/* Its descriptors are ours as well, until the conn is there. */
static int late_owner(void *arg)
{
	struct late *late = arg;
	struct secbuf_pool_create_args args;

	if (pool_create(late->dev, PAGE, 4, &args))
		_exit(1);
	late->pool = args.out_fd;
	late->conn = conn_create(late->dev, late->pool);
	if (late->conn < 0 || unshare(CLONE_FILES))
		_exit(1);
	late->ready = true;
	wait_until(late->ends);
	_exit(0);
}

static void *add_late(void *arg)
{
	struct late *late = arg;

	late->ret = secbuf_ioctl(late->conn, SECBUF_IOC_CONN_STREAM_ADD,
				 late->args);
	return NULL;
}

/* The owner dies while the call, which has begun, waits for its arguments. */
TEST_F(stream, added_while_the_owner_dies)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	struct secbuf_conn_stream_args *args;
	struct late late = { .dev = self->dev };
	struct uffdio_copy copy = { .len = PAGE };
	char *stack = malloc(STACK_SIZE);
	struct uffd_msg msg;
	pthread_t thread;
	int uffd, status, r[2];
	pid_t pid;

	ASSERT_NE(NULL, stack);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		SKIP(return, "no userfaultfd");
	args = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, args);
	late.args = (void *)((char *)args + PAGE);
	reg.range.start = (uintptr_t)late.args;
	reg.range.len = PAGE;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, &reg));
	ASSERT_EQ(0, make_ring(self->dev, 0, r));
	args->size = sizeof(*args);
	args->ring_fd = r[0];

	pid = clone(late_owner, stack + STACK_SIZE,
		    CLONE_VM | CLONE_FILES | SIGCHLD, &late);
	ASSERT_LE(0, pid);
	ASSERT_TRUE(wait_until(late.ready));
	ASSERT_EQ(0, pthread_create(&thread, NULL, add_late, &late));
	ASSERT_EQ((ssize_t)sizeof(msg), read(uffd, &msg, sizeof(msg)));
	late.ends = true;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	copy.dst = (uintptr_t)late.args;
	copy.src = (uintptr_t)args;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_COPY, &copy));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ESHUTDOWN, late.ret);
	EXPECT_TRUE(was_reset(r[0]));

	close_ring(r);
	close(late.conn);
	close(late.pool);
	close(uffd);
	munmap(args, 2 * PAGE);
	free(stack);
}

TEST_HARNESS_MAIN
