// SPDX-License-Identifier: GPL-2.0
/*
 * From the kernel to a process: the records of examples/kernel/secbuf_stream.
 */
#include "secbuf_ring.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../examples/kernel/secbuf_stream.h"

#define STREAM	"/sys/kernel/debug/secbuf_stream"

FIXTURE(stream)
{
	int	dev;
	int	control;
	__u64	bytes;
};

FIXTURE_SETUP(stream)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	self->control = open(STREAM, O_RDWR | O_CLOEXEC);
	if (self->control < 0)
		SKIP(return, STREAM ": %s", strerror(errno));
}

FIXTURE_TEARDOWN(stream)
{
	/* The thread ends on its own. */
	EXPECT_EQ(self->bytes, bytes_settled(self->dev, self->bytes));
	close(self->control);
	close(self->dev);
}

static int stream_start(int control, __u64 nr, __u32 len)
{
	struct secbuf_stream_args args = { .nr = nr, .len = len };

	return ioctl(control, SECBUF_STREAM_START, &args) ? -errno :
							    args.out_fd;
}

TEST_F(stream, by_calls)
{
	int fd = stream_start(self->control, 5000, 64);
	unsigned char buf[100];
	__u64 nr;

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	for (__u64 i = 0; i < 5000; i++) {
		ASSERT_EQ(64, read(fd, buf, sizeof(buf)));
		memcpy(&nr, buf, sizeof(nr));
		ASSERT_EQ(i, nr);
	}
	EXPECT_EQ(0, read(fd, buf, sizeof(buf)));
	close(fd);
}

/* The records in the mapping, as many as there are. */
TEST_F(stream, mapped)
{
	int fd = stream_start(self->control, 20000, 64);
	struct ring_end c;
	unsigned char *at;
	__u64 next = 0, nr;
	__u32 len;
	int ret;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ring_end_map(&c, fd));
	for (;;) {
		ret = ring_wait(fd, 1, RING_FOREVER);
		if (ret)
			break;
		for (;;) {
			at = ring_peek(&c, 68);
			if (!at)
				break;
			memcpy(&len, at, sizeof(len));
			memcpy(&nr, at + 4, sizeof(nr));
			ASSERT_EQ(64, len);
			ASSERT_EQ(next, nr);
			next++;
			ASSERT_EQ(0, ring_consume(&c, 68) == -EPIPE ?
				     0 : c.status->flags &
					 SECBUF_RING_BROKEN);
		}
	}
	EXPECT_EQ(-EPIPE, ret);
	EXPECT_EQ(20000, next);
	EXPECT_EQ(0, count_not(c.data, 0, c.size));
	ring_end_close(&c);
}

TEST_F(stream, reader_goes)
{
	int fd = stream_start(self->control, ~0ULL, 512);
	unsigned char buf[512];

	ASSERT_LE(0, fd);
	ASSERT_EQ(512, read(fd, buf, sizeof(buf)));
	close(fd);
}

TEST_F(stream, reader_is_killed)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int fd = stream_start(self->control, ~0ULL, 512);
		unsigned char buf[512];

		while (read(fd, buf, sizeof(buf)) == 512)
			;
		_exit(99);
	}
	usleep(100000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* The kernel does not believe the position of a process either. */
TEST_F(stream, hostile_reader)
{
	int fd = stream_start(self->control, ~0ULL, 512);
	struct ring_end c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ring_end_map(&c, fd));
	for (int i = 0; i < 1000; i++) {
		ring_store(&c.tail->tail, (__u64)rand() << 33 | rand());
		ring_notify(fd);
		if (c.status->flags & SECBUF_RING_BROKEN)
			break;
	}
	EXPECT_TRUE(c.status->flags & SECBUF_RING_BROKEN);
	ring_end_close(&c);
}

TEST_F(stream, bad_arguments)
{
	EXPECT_EQ(-EINVAL, stream_start(self->control, 1, 7));
	EXPECT_EQ(-EINVAL, stream_start(self->control, 1, 513));
	EXPECT_EQ(-1, ioctl(self->control, SECBUF_STREAM_START, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_HARNESS_MAIN
