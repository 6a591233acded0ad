// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets hold of descriptors of another process: by fork, over a socket, or by
 * pidfd_getfd. He tries everything with all of them, and then the owner does the
 * same, and is not refused.
 */
#include "secbuf_target.h"
#include "secbuf_proof.h"
#include "secbuf_ring_child.h"
#include "secbuf_uring.h"

#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum which {
	FD_POOL,
	FD_PASSABLE,		/* pools that may be passed on */
	FD_MEMBER,
	FD_GUARDED,
	FD_KPOOL,
	FD_CONN,
	FD_PRODUCER,
	FD_CONSUMER,
	FD_PRODUCER_PASSABLE,
	FD_CONSUMER_PASSABLE,
	NR_FDS,
};

static const char * const fd_names[NR_FDS] = {
	"pool", "passable pool", "member", "guarded pool", "kernel-held pool",
	"conn", "producer", "consumer", "passable producer",
	"passable consumer",
};

#define NR_COMMANDS	64	/* twice as many as there are */
#define MAX_OPS		32

/* What can be had without a mapping. */
enum kept {
	KEPT_KPOOL,
	KEPT_PACKET,
	KEPT_RING,
	NR_KEPT,
};

/* What somebody got who tried everything: errnos. */
struct verdict {
	int	commands[NR_FDS][NR_COMMANDS];
	int	ops[NR_FDS][MAX_OPS];
	int	mapped[NR_MAPPED];
	int	kept[NR_KEPT];
};

struct prey {
	struct world	w;
	int		fds[NR_FDS];
};

static int prey_open(struct prey *prey)
{
	struct secbuf_ring_create_args args;
	struct world *w = &prey->w;
	int ret;

	ret = world_open(w) ?: ring_create(w->dev, PAGE, PASSABLE, &args);
	if (ret)
		return ret;
	prey->fds[FD_POOL] = w->pool.fd;
	prey->fds[FD_PASSABLE] = w->shared.fd;
	prey->fds[FD_MEMBER] = w->member.fd;
	prey->fds[FD_GUARDED] = w->guarded.fd;
	prey->fds[FD_KPOOL] = w->kpool;
	prey->fds[FD_CONN] = w->conn;
	prey->fds[FD_PRODUCER] = w->ring.p.fd;
	prey->fds[FD_CONSUMER] = w->ring.c.fd;
	prey->fds[FD_PRODUCER_PASSABLE] = args.out_producer_fd;
	prey->fds[FD_CONSUMER_PASSABLE] = args.out_consumer_fd;
	return 0;
}

/*
 * Commands: all of them, with no arguments. Who is refused is refused before it
 * is looked at those; who is not gets EFAULT.
 */

static void try_commands(const struct prey *prey, struct verdict *v)
{
	for (int i = 0; i < NR_FDS; i++)
		for (int nr = 0; nr < NR_COMMANDS; nr++)
			v->commands[i][nr] = ioctl(prey->fds[i],
						   _IO(SECBUF_IOC_TYPE, nr),
						   NULL) ? errno : 0;
}

/* What is meant for those who are not the owner. */
static bool is_for_all(enum which i, int nr)
{
	switch (i) {
	case FD_POOL:
	case FD_PASSABLE:
	case FD_MEMBER:
	case FD_GUARDED:
		/* It finds out itself which of them may be. */
		return nr == SECBUF_CMD_POOL_ATTACH;
	case FD_PRODUCER:
	case FD_CONSUMER:
		return nr == SECBUF_CMD_RING_CLAIM;
	case FD_PRODUCER_PASSABLE:
	case FD_CONSUMER_PASSABLE:
		return nr == SECBUF_CMD_RING_CLAIM ||
		       nr == SECBUF_CMD_RING_INFO;
	default:
		return false;
	}
}

/*
 * System calls on the descriptor
 */

static char bytes[64];

static int op_read(int fd)
{
	return read(fd, bytes, 1) < 0 ? errno : 0;
}

static int op_pread(int fd)
{
	return pread(fd, bytes, 1, 0) < 0 ? errno : 0;
}

static int op_write(int fd)
{
	return write(fd, bytes, 1) < 0 ? errno : 0;
}

static int op_fionread(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) ? errno : 0;
}

static int op_poll(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&pfd, 1, 0);
	return pfd.revents == POLLERR ? EPERM : 0;
}

static int op_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int err = 0;

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err = errno;
	else if (epoll_wait(epoll, &event, 1, 0) == 1 &&
		 event.events == EPOLLERR)
		err = EPERM;
	close(epoll);
	return err;
}

static int op_mmap(int fd)
{
	return map_errno(fd, 0, PAGE);
}

static int op_mmap_head(int fd)
{
	return map_errno(fd, SECBUF_RING_MMAP_HEAD, 4 * PAGE);
}

static int op_mmap_tail(int fd)
{
	return map_errno(fd, SECBUF_RING_MMAP_TAIL, 4 * PAGE);
}

/* One byte between the descriptor and a pipe. */
static int splice_with_pipe(int fd, bool out)
{
	int fds[2];
	int err;

	if (pipe(fds) || write(fds[1], "x", 1) != 1)
		return errno;
	err = splice(out ? fd : fds[0], NULL, out ? fds[1] : fd, NULL, 1,
		     SPLICE_F_NONBLOCK) < 0 ? errno : 0;
	close(fds[0]);
	close(fds[1]);
	return err;
}

static int op_splice_out(int fd)
{
	return splice_with_pipe(fd, true);
}

static int op_splice_in(int fd)
{
	return splice_with_pipe(fd, false);
}

static int op_sendfile(int fd)
{
	int to = memfd_create("to", MFD_CLOEXEC);
	int err = sendfile(to, fd, NULL, 1) < 0 ? errno : 0;

	close(to);
	return err;
}

static int op_copy_file_range(int fd)
{
	int to = memfd_create("to", MFD_CLOEXEC);
	int err = copy_file_range(fd, NULL, to, NULL, 1, 0) < 0 ? errno : 0;

	close(to);
	return err;
}

static int op_lseek(int fd)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? errno : 0;
}

static int op_truncate(int fd)
{
	return ftruncate(fd, PAGE) ? errno : 0;
}

static int op_reopen(int fd)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	if (again < 0)
		return errno;
	close(again);
	return 0;
}

/* Done by a worker of the kernel for who asks. */
static int uring_op(int fd, int opcode)
{
	struct io_uring_sqe sqe = {
		.opcode = opcode, .flags = IOSQE_ASYNC, .fd = fd,
		.addr = (uintptr_t)bytes, .len = 1,
	};
	struct uring u;
	int ret;

	if (uring_map(&u))
		return errno;
	ret = uring_run(&u, &sqe);
	close(u.fd);
	return ret < 0 ? -ret : 0;
}

static int op_uring_read(int fd)
{
	return uring_op(fd, IORING_OP_READ);
}

static int op_uring_write(int fd)
{
	return uring_op(fd, IORING_OP_WRITE);
}

#define NOT	EINVAL			/* there is no such thing */

/*
 * What a stranger gets. The owner gets the same where it is not EPERM, and
 * something else where it is.
 */
static const struct {
	const char	*name;
	int		(*fn)(int fd);
	int		pool;
	int		kpool;
	int		conn;
	int		producer;
	int		consumer;
} ops[] = {
	{ "poll",	op_poll,	EPERM, EPERM, EPERM, EPERM, EPERM },
	{ "epoll",	op_epoll,	EPERM, EPERM, EPERM, EPERM, EPERM },
	{ "FIONREAD",	op_fionread,	ENOTTY, ENOTTY, ENOTTY, EPERM, EPERM },
	{ "mmap",	op_mmap,	EPERM, ENODEV, ENODEV, EPERM, EPERM },
	{ "mmap head",	op_mmap_head,	EPERM, ENODEV, ENODEV, EPERM, EPERM },
	{ "mmap tail",	op_mmap_tail,	EPERM, ENODEV, ENODEV, EPERM, EPERM },
	{ "read",	op_read,	NOT, NOT, EPERM, NOT, EPERM },
	{ "write",	op_write,	NOT, NOT, EPERM, EPERM, NOT },
	{ "uring read",	op_uring_read,	NOT, NOT, EPERM, NOT, EPERM },
	{ "uring write", op_uring_write, NOT, NOT, EPERM, EPERM, NOT },
	{ "pread",	op_pread,	ESPIPE, ESPIPE, ESPIPE, ESPIPE, ESPIPE },
	{ "lseek",	op_lseek,	ESPIPE, ESPIPE, ESPIPE, ESPIPE, ESPIPE },
	{ "splice out",	op_splice_out,	NOT, NOT, NOT, NOT, NOT },
	{ "splice in",	op_splice_in,	NOT, NOT, NOT, NOT, NOT },
	{ "sendfile",	op_sendfile,	NOT, NOT, NOT, NOT, NOT },
	{ "copy_file_range", op_copy_file_range, NOT, NOT, NOT, NOT, NOT },
	{ "truncate",	op_truncate,	NOT, NOT, NOT, NOT, NOT },
	{ "reopen",	op_reopen,	ENXIO, ENXIO, ENXIO, ENXIO, ENXIO },
};

static int op_expected(unsigned int op, enum which i)
{
	switch (i) {
	case FD_KPOOL:
		return ops[op].kpool;
	case FD_CONN:
		return ops[op].conn;
	case FD_PRODUCER:
	case FD_PRODUCER_PASSABLE:
		return ops[op].producer;
	case FD_CONSUMER:
	case FD_CONSUMER_PASSABLE:
		return ops[op].consumer;
	default:
		return ops[op].pool;
	}
}

static void try_ops(const struct prey *prey, struct verdict *v)
{
	for (int i = 0; i < NR_FDS; i++)
		for (unsigned int op = 0; op < ARRAY_SIZE(ops); op++)
			v->ops[i][op] = ops[op].fn(prey->fds[i]);
}

/*
 * Secrets: as the owner would get at them
 */

static enum which fd_of(enum target_kind kind)
{
	switch (kind) {
	case MEMBER:
		return FD_MEMBER;
	case GUARDED:
		return FD_GUARDED;
	case RING_PRODUCER:
	case HEAD:
	case TAIL_SEEN:
		return FD_PRODUCER;
	case RING_CONSUMER:
	case TAIL:
	case HEAD_SEEN:
		return FD_CONSUMER;
	default:
		return FD_POOL;
	}
}

static int steal_mapped(const struct prey *prey, enum target_kind kind)
{
	const struct target *t = &prey->w.t[kind];
	unsigned char *map = mmap(NULL, t->len, PROT_READ, MAP_SHARED,
				  prey->fds[fd_of(kind)], t->offset);
	bool has;

	if (map == MAP_FAILED)
		return errno;
	has = !touch(map + (target_secret(t) - t->map), false) &&
	      secret_is(map + (target_secret(t) - t->map), kind);
	munmap(map, t->len);
	return has ? 0 : ENODATA;
}

static int steal_kept(const struct prey *prey, enum kept kept)
{
	static unsigned char buf[2 * PAGE];
	int ret;

	switch (kept) {
	case KEPT_KPOOL:
		ret = pool_read(prey->fds[FD_KPOOL], prey->w.kpool_id, SECRET_AT,
				buf, SECRET_LEN);
		return ret ? -ret : secret_is(buf, KPOOL) ? 0 : ENODATA;
	case KEPT_PACKET:
		ret = conn_dequeue(prey->fds[FD_CONN], buf, sizeof(buf));
		return ret < 0 ? -ret : secret_is(buf, PACKET) ? 0 : ENODATA;
	default:
		if (read(prey->fds[FD_CONSUMER], buf, sizeof(buf)) < 0)
			return errno;
		return secret_is(buf + SECRET_AT, RING_PRODUCER) ? 0 : ENODATA;
	}
}

static void try_secrets(const struct prey *prey, struct verdict *v)
{
	for (int i = POOL; i < NR_MAPPED; i++)
		v->mapped[i] = steal_mapped(prey, i);
	for (int i = 0; i < NR_KEPT; i++)
		v->kept[i] = steal_kept(prey, i);
}

static void try_everything(const struct prey *prey, struct verdict *v)
{
	try_secrets(prey, v);
	try_ops(prey, v);
	try_commands(prey, v);
}

/*
 * How a stranger comes by descriptors
 */

enum means {
	BY_FORK,
	BY_SOCKET,
	BY_PIDFD,
};

FIXTURE(stranger)
{
	struct prey	prey;
	struct verdict	*stranger;
	struct verdict	*owner;
	bool		intact;		/* by the stranger */
};

FIXTURE_VARIANT(stranger)
{
	enum means	means;
	bool		another_uid;
};

FIXTURE_VARIANT_ADD(stranger, fork) { .means = BY_FORK };
FIXTURE_VARIANT_ADD(stranger, scm_rights) { .means = BY_SOCKET };
FIXTURE_VARIANT_ADD(stranger, scm_rights_another_uid)
{
	.means = BY_SOCKET, .another_uid = true,
};
FIXTURE_VARIANT_ADD(stranger, pidfd_getfd) { .means = BY_PIDFD };

/* Not a child of the owner's as it is now, but as it was before. */
static void stranger_runs(int sock, enum means means, bool another_uid,
			  struct verdict *v)
{
	struct prey prey;
	int pidfd;

	CHECK(recv(sock, &prey, sizeof(prey), MSG_WAITALL) == sizeof(prey));
	pidfd = syscall(SYS_pidfd_open, getppid(), 0);
	for (int i = 0; i < NR_FDS; i++) {
		prey.fds[i] = means == BY_SOCKET ? receive_fd(sock) :
			      syscall(SYS_pidfd_getfd, pidfd, prey.fds[i], 0);
		CHECK(prey.fds[i] >= 0);
	}
	CHECK(!another_uid || !setresuid(65534, 65534, 65534));
	try_everything(&prey, v);
	_exit(CHILD_OK);
}

static int hand_over(const struct prey *prey, int sock, enum means means)
{
	if (write(sock, prey, sizeof(*prey)) != sizeof(*prey))
		return -errno;
	for (int i = 0; i < NR_FDS && means == BY_SOCKET; i++)
		if (send_fd(sock, prey->fds[i]))
			return -errno;
	return 0;
}

static struct verdict *verdict_alloc(void)
{
	void *p = mmap(NULL, sizeof(struct verdict), PROT_RW,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

FIXTURE_SETUP(stranger)
{
	enum means means = variant->means;
	int socks[2], status;
	pid_t pid = 0;

	self->stranger = verdict_alloc();
	self->owner = verdict_alloc();
	ASSERT_TRUE(self->stranger && self->owner);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	if (means != BY_FORK) {
		pid = fork();
		if (!pid)
			stranger_runs(socks[1], means, variant->another_uid,
				      self->stranger);
	}
	ASSERT_EQ(0, prey_open(&self->prey));
	for (int i = 0; i < NR_FDS; i++)
		fcntl(self->prey.fds[i], F_SETFL, O_RDWR | O_NONBLOCK);
	if (means == BY_FORK) {
		pid = fork();
		if (!pid) {
			try_everything(&self->prey, self->stranger);
			_exit(CHILD_OK);
		}
	} else {
		ASSERT_EQ(0, hand_over(&self->prey, socks[0], means));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(CHILD_OK, status);
	self->intact = true;
	for (int i = POOL; i < NR_MAPPED; i++)
		self->intact &= target_intact(&self->prey.w.t[i]);
	/* What is mapped once can be mapped again then. */
	for (int i = POOL; i < NR_MAPPED; i++)
		munmap(self->prey.w.t[i].map, self->prey.w.t[i].len);
	try_everything(&self->prey, self->owner);
}

FIXTURE_TEARDOWN(stranger)
{
}

TEST_F(stranger, commands)
{
	int mine, his;

	for (int i = 0; i < NR_FDS; i++) {
		for (int nr = 0; nr < NR_COMMANDS; nr++) {
			mine = self->owner->commands[i][nr];
			his = self->stranger->commands[i][nr];
			if (mine == ENOTTY || is_for_all(i, nr)) {
				EXPECT_EQ(mine, his);
				continue;
			}
			EXPECT_CONTROL(EFAULT, mine);
			EXPECT_HELD(EPERM, his);
			if (his != EPERM)
				TH_LOG("%s: command %#x", fd_names[i], nr);
		}
	}
}

TEST_F(stranger, operations)
{
	int mine, his, expected;

	for (int i = 0; i < NR_FDS; i++) {
		for (unsigned int op = 0; op < ARRAY_SIZE(ops); op++) {
			mine = self->owner->ops[i][op];
			his = self->stranger->ops[i][op];
			expected = op_expected(op, i);
			if (expected == EPERM)
				EXPECT_CONTROL(true, mine != EPERM);
			else
				EXPECT_EQ(expected, mine);
			/* He may not even look at what /proc has of it. */
			if (variant->another_uid && expected == ENXIO)
				expected = EACCES;
			EXPECT_HELD(expected, his);
			if (his != expected || mine == EPERM)
				TH_LOG("%s: %s: %d, owner %d", fd_names[i],
				       ops[op].name, his, mine);
		}
	}
}

TEST_F(stranger, leaves_no_trace)
{
	EXPECT_TRUE(self->intact);
}

TEST_F(stranger, mappings)
{
	for (int i = POOL; i < NR_MAPPED; i++) {
		EXPECT_CONTROL(0, self->owner->mapped[i]);
		EXPECT_HELD(EPERM, self->stranger->mapped[i]);
		if (self->stranger->mapped[i] != EPERM)
			TH_LOG("%s", target_names[i]);
	}
}

TEST_F(stranger, kept_bytes)
{
	for (int i = 0; i < NR_KEPT; i++) {
		EXPECT_CONTROL(0, self->owner->kept[i]);
		EXPECT_HELD(EPERM, self->stranger->kept[i]);
	}
}

/* The operations that nobody has do work on what has them. */
TEST(operations_on_a_file)
{
	int fd = memfd_create("plain", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 4 * PAGE));
	for (unsigned int op = 0; op < ARRAY_SIZE(ops); op++) {
		if (ops[op].pool == EPERM || ops[op].fn == op_fionread)
			continue;
		EXPECT_CONTROL(0, ops[op].fn(fd));
	}
}

TEST_HARNESS_MAIN
