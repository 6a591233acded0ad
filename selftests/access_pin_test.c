// SPDX-License-Identifier: GPL-2.0
/*
 * Who would hold on to pages, by get_user_pages in any of its forms: direct I/O,
 * pipes, sockets, io_uring, keys of futexes. What is pinned outlives its owner.
 */
#include "secbuf_access.h"
#include "secbuf_uring.h"

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/if_xdp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef SOL_XDP
#define SOL_XDP		283
#endif

#define DISK		"/dev/ram0"

/* tmpfs has no O_DIRECT: the test needs a ram disk (module brd). */
static int disk_open(void)
{
	return open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
}

static int o_direct_write(struct target *t)
{
	int fd = disk_open();

	if (fd < 0)
		return lacking(DISK);
	return pwrite(fd, t->page, PAGE, 0) == (ssize_t)PAGE ? 0 : errno;
}

static int o_direct_read(struct target *t)
{
	int fd = disk_open();

	if (fd < 0)
		return lacking(DISK);
	return pread(fd, t->page, PAGE, PAGE) == (ssize_t)PAGE ? 0 : errno;
}

/* Submitted, which is where the pages are pinned, and ended. */
static int aio_write(struct target *t)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = disk_open(),
		.aio_buf = (uintptr_t)t->page, .aio_nbytes = PAGE,
	};
	struct iocb *iocbs[] = { &iocb };
	aio_context_t ctx = 0;
	struct io_event event;

	if ((int)iocb.aio_fildes < 0)
		return lacking(DISK);
	if (syscall(SYS_io_setup, 1, &ctx))
		return lacking("io_setup");
	if (syscall(SYS_io_submit, ctx, 1, iocbs) != 1)
		return errno;
	if (syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1)
		return errno;
	return event.res == (long long)PAGE ? 0 : -event.res;
}

static int splice_in(struct target *t, unsigned int flags)
{
	struct iovec iov = { t->page, PAGE };
	unsigned char buf[PAGE];
	int fds[2];

	if (pipe(fds))
		return errno;
	if (vmsplice(fds[1], &iov, 1, flags) < 0)
		return errno;
	if (read(fds[0], buf, PAGE) != (ssize_t)PAGE)
		return errno;
	return secret_is(buf + t->at, t->kind) ? 0 : ENODATA;
}

static int vmsplice_(struct target *t)
{
	return splice_in(t, 0);
}

static int vmsplice_gift(struct target *t)
{
	return splice_in(t, SPLICE_F_GIFT);
}

/* Two ends of a connection. */
static int connected(int socks[2])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);

	socks[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socks[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return socks[0] < 0 || socks[1] < 0 ||
	       bind(socks[1], (void *)&addr, sizeof(addr)) ||
	       listen(socks[1], 1) ||
	       getsockname(socks[1], (void *)&addr, &len) ||
	       connect(socks[0], (void *)&addr, len) ? -1 : 0;
}

static int msg_zerocopy(struct target *t)
{
	int socks[2], one = 1;

	if (connected(socks) ||
	    setsockopt(socks[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		return lacking("SO_ZEROCOPY");
	return send(socks[0], t->page, PAGE, MSG_ZEROCOPY) < 0 ? errno : 0;
}

/*
 * io_uring
 */

static int uring_open(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

static int uring_fixed_buffer(struct target *t)
{
	struct iovec iov = { t->page, PAGE };
	int fd = uring_open();

	if (fd < 0)
		return lacking("io_uring_setup");
	return syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS,
		       &iov, 1) < 0 ? errno : 0;
}

/* A ring of buffers that lies in memory of the program. */
static int uring_buffer_ring(struct target *t)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = (uintptr_t)t->page, .ring_entries = 8,
	};
	int fd = uring_open();

	if (fd < 0)
		return lacking("io_uring_setup");
	return syscall(SYS_io_uring_register, fd, IORING_REGISTER_PBUF_RING,
		       &reg, 1) < 0 ? errno : 0;
}

/* IORING_SETUP_NO_MMAP, since 6.5: the rings lie in memory of the program. */
static int uring_setup_at(void *sqes, void *rings)
{
	struct io_uring_params params = {
		.flags = 1U << 14,
		.sq_off.resv2 = (uintptr_t)sqes,
		.cq_off.resv2 = (uintptr_t)rings,
	};

	return syscall(SYS_io_uring_setup, 4, &params) < 0 ? errno : 0;
}

static int uring_own_rings(struct target *t)
{
	unsigned char *ordinary = aligned_alloc(PAGE, 4 * PAGE);

	if (!ordinary)
		abort();
	memset(ordinary, 0, 4 * PAGE);
	errno = uring_setup_at(ordinary, ordinary + PAGE);
	if (errno)
		return lacking("IORING_SETUP_NO_MMAP");
	return uring_setup_at(t->page, ordinary + 2 * PAGE);
}

/* As a worker of the kernel does it. */
static int uring_write(struct target *t)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_WRITE, .flags = IOSQE_ASYNC,
		.addr = (uintptr_t)t->page, .len = PAGE, .fd = disk_open(),
	};
	struct uring u;
	int ret;

	if (sqe.fd < 0)
		return lacking(DISK);
	if (uring_map(&u))
		return lacking("io_uring_setup");
	ret = uring_run(&u, &sqe);
	return ret < 0 ? -ret : 0;
}

static int uring_send_zc(struct target *t)
{
	const int send_zc = 47;		/* IORING_OP_SEND_ZC, since 6.0 */
	struct io_uring_sqe sqe = {
		.opcode = send_zc, .addr = (uintptr_t)t->page, .len = PAGE,
	};
	struct uring u;
	int socks[2];
	int ret;

	if (connected(socks))
		return lacking("loopback");
	if (uring_map(&u))
		return lacking("io_uring_setup");
	sqe.fd = socks[0];
	ret = uring_run(&u, &sqe);
	return ret < 0 ? -ret : 0;
}

/*
 * Others
 */

/* Memory for packets of an AF_XDP socket. */
static int xdp_umem(struct target *t)
{
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)t->page, .len = PAGE, .chunk_size = PAGE,
	};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return lacking("AF_XDP");
	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) ?
	       errno : 0;
}

/* The key of a shared futex is the page. */
static int futex_shared(struct target *t)
{
	return syscall(SYS_futex, t->page, FUTEX_WAKE, 1, NULL, NULL, 0) < 0 ?
	       errno : 0;
}

ATTACK(o_direct_write, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(o_direct_read, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(aio_write, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK_ON(object, vmsplice, vmsplice_, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(vmsplice_gift, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(msg_zerocopy, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(uring_fixed_buffer, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(uring_buffer_ring, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(uring_own_rings, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(uring_write, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(uring_send_zc, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(xdp_umem, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(futex_shared, PLAIN_SHARED, EFAULT, EFAULT, EFAULT)

/* Waits for a byte of a private futex: that is by address, and ordinary use. */
TEST_F(object, futex_private)
{
	const struct timespec moment = { .tv_nsec = 1000 * 1000 };
	__u32 *word = (void *)target_secret(self->t);

	EXPECT_EQ(-1, syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, *word + 1,
			      &moment, NULL, 0));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, *word,
			      &moment, NULL, 0));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_INTACT();
}

/* And so is a copy, by the owner. */
TEST_F(object, write_and_read_copy)
{
	unsigned char buf[SECRET_LEN];
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(SECRET_LEN, write(fds[1], target_secret(self->t),
				    SECRET_LEN));
	ASSERT_EQ(SECRET_LEN, read(fds[0], buf, SECRET_LEN));
	EXPECT_TRUE(secret_is(buf, self->t->kind));
}

TEST_HARNESS_MAIN
