// SPDX-License-Identifier: GPL-2.0
/*
 * Owner: who may use an object, and that it dies with the address space that
 * created it, while others still hold its descriptors.
 */
#include "secbuf_fixture.h"
#include "secbuf_pass.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

/* In the environment across exec: descriptors of the test, see after_exec(). */
#define FDS_ENV		"SECBUF_OWNER_TEST_FDS"

#define STACK_SIZE	(64 * 1024UL)

struct fds {
	int	dev;
	int	pool;
	int	conn;
};

/* What somebody gets who tries everything. */
struct verdict {
	int	stats;
	int	alloc;
	int	free;
	int	mmap;
	int	conn_create;
	int	conn_buffer;
	int	conn_zeroize;
	short	pool_revents;
	short	conn_revents;
};

static short fd_revents(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

static void try_everything(const struct fds *fds, size_t map_size,
			   struct verdict *v)
{
	struct secbuf_conn_buffer_args buffer;
	struct secbuf_pool_stats_args stats;
	__u64 id = 0;
	void *map;

	memset(v, 0, sizeof(*v));
	v->stats = pool_stats(fds->pool, &stats);
	v->alloc = pool_alloc(fds->pool, &id, 1);
	v->free = pool_free(fds->pool, &id, 1);
	map = mmap(NULL, map_size, PROT_READ, MAP_SHARED, fds->pool, 0);
	v->mmap = map == MAP_FAILED ? -errno : 0;
	v->conn_create = conn_create(fds->dev, fds->pool);
	v->conn_buffer = conn_buffer(fds->conn, SECBUF_CONN_BUFFER_READ,
				     &buffer);
	v->conn_zeroize = conn_zeroize(fds->conn);
	v->pool_revents = fd_revents(fds->pool);
	v->conn_revents = fd_revents(fds->conn);
}

static void expect_refused(struct __test_metadata *_metadata,
			   const struct verdict *v, int error)
{
	EXPECT_EQ(-error, v->stats);
	EXPECT_EQ(-error, v->alloc);
	EXPECT_EQ(-error, v->free);
	EXPECT_EQ(-error, v->mmap);
	EXPECT_EQ(-error, v->conn_create);
	EXPECT_EQ(-error, v->conn_buffer);
	EXPECT_EQ(-error, v->conn_zeroize);
	EXPECT_TRUE(v->pool_revents & POLLERR);
	EXPECT_TRUE(v->conn_revents & POLLERR);
}

#define EXPECT_REFUSED(v, error)	expect_refused(_metadata, v, error)

/* A process with a pool of four pages, two of them granted, and a conn. */
FIXTURE(owner)
{
	struct fds	fds;
	struct pool	p;
	__u64		ids[2];
	struct verdict	*v;		/* shared with children */
};

static int objects_create(struct fds *fds, struct pool *p, __u64 *ids)
{
	struct secbuf_conn_buffer_args args;
	int ret;

	ret = pool_open(p, fds->dev, PAGE, 8);
	if (ret)
		return ret;
	fds->pool = p->fd;
	if (pool_alloc(p->fd, ids, 2) != 2)
		return -ENOSPC;
	memset(pool_slot(p, ids[0]), 0xa5, PAGE);
	memset(pool_slot(p, ids[1]), 0xa5, PAGE);
	fds->conn = conn_create(fds->dev, p->fd);
	if (fds->conn < 0)
		return fds->conn;
	for (int i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		ret = conn_buffer(fds->conn, i, &args);
		if (ret)
			return ret;
		memset(pool_slot(p, args.out_id), 0xa5, PAGE);
	}
	return 0;
}

FIXTURE_SETUP(owner)
{
	self->fds.dev = secbuf_open();
	ASSERT_LE(0, self->fds.dev);
	ASSERT_EQ(0, objects_create(&self->fds, &self->p, self->ids));
	self->v = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->v);
}

FIXTURE_TEARDOWN(owner)
{
	munmap(self->v, PAGE);
	close(self->fds.conn);
	pool_close(&self->p);
	close(self->fds.dev);
}

/* Nothing that others did shows. */
#define EXPECT_MINE() do {						\
	struct secbuf_pool_stats_args stats;				\
									\
	ASSERT_EQ(0, pool_stats(self->p.fd, &stats));			\
	EXPECT_EQ(4, stats.out_in_use);					\
	EXPECT_EQ(0, fd_revents(self->fds.pool) & POLLERR);		\
	EXPECT_EQ(0, fd_revents(self->fds.conn) & POLLERR);		\
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->ids[0]),	\
			       0xa5, PAGE));				\
} while (0)

TEST_F(owner, forked_child_is_refused)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		try_everything(&self->fds, self->p.map_size, self->v);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_REFUSED(self->v, EPERM);
	EXPECT_MINE();
}

/* The device is no object: a child may use it for objects of its own. */
TEST_F(owner, forked_child_has_its_own)
{
	struct fds fds = { .dev = self->fds.dev };
	struct pool p;
	__u64 ids[2];
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(-objects_create(&fds, &p, ids));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_MINE();
}

/* The child has closed all that it inherited. */
TEST_F(owner, receiver_of_the_descriptor_is_refused)
{
	struct fds fds = { .dev = self->fds.dev };
	int socks[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->fds.pool);
		close(self->fds.conn);
		fds.pool = receive_fd(socks[1]);
		fds.conn = receive_fd(socks[1]);
		try_everything(&fds, self->p.map_size, self->v);
		_exit(fds.pool < 0 || fds.conn < 0);
	}
	ASSERT_EQ(0, send_fd(socks[0], self->fds.pool));
	ASSERT_EQ(0, send_fd(socks[0], self->fds.conn));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_REFUSED(self->v, EPERM);
	EXPECT_MINE();
}

TEST_F(owner, pidfd_getfd_is_refused)
{
	struct fds fds = { .dev = self->fds.dev };
	int pidfd, status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->fds.pool);
		close(self->fds.conn);
		pidfd = syscall(SYS_pidfd_open, getppid(), 0);
		fds.pool = syscall(SYS_pidfd_getfd, pidfd, self->fds.pool, 0);
		fds.conn = syscall(SYS_pidfd_getfd, pidfd, self->fds.conn, 0);
		try_everything(&fds, self->p.map_size, self->v);
		_exit(fds.pool < 0 || fds.conn < 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_REFUSED(self->v, EPERM);
	EXPECT_MINE();
}

/* A file that is opened anew is another file; this one cannot be. */
TEST_F(owner, cannot_be_reopened)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fds.pool);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fds.conn);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
}

static void *thread_creates(void *arg)
{
	FIXTURE_DATA(owner) *self = arg;

	return (void *)(long)objects_create(&self->fds, &self->p, self->ids);
}

/* The address space owns, not the thread. */
TEST_F(owner, thread_exit_changes_nothing)
{
	pthread_t thread;
	void *ret;

	close(self->fds.conn);
	pool_close(&self->p);
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_creates, self));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	ASSERT_EQ(NULL, ret);
	EXPECT_MINE();
}

/* Waits until the first thread is a zombie, then uses what it left. */
static void *thread_outlives(void *arg)
{
	FIXTURE_DATA(owner) *self = arg;
	struct secbuf_pool_stats_args stats;
	const struct timespec ms = { .tv_nsec = 1000 * 1000 };
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	do {
		nanosleep(&ms, NULL);
		f = fopen(path, "r");
		if (!f || !fgets(line, sizeof(line), f))
			_exit(1);
		fclose(f);
	} while (!strstr(line, ") Z "));
	if (pool_stats(self->p.fd, &stats) || stats.out_in_use != 4)
		_exit(2);
	_exit(count_not(pool_slot(&self->p, self->ids[1]), 0xa5, PAGE) != 0);
}

TEST_F(owner, exit_of_the_first_thread_changes_nothing)
{
	pthread_t thread;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (objects_create(&self->fds, &self->p, self->ids) ||
		    pthread_create(&thread, NULL, thread_outlives, self))
			_exit(3);
		pthread_exit(NULL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static int shares_vm(void *arg)
{
	FIXTURE_DATA(owner) *self = arg;
	struct secbuf_conn_buffer_args args;
	struct secbuf_pool_stats_args stats;

	if (pool_stats(self->p.fd, &stats) || stats.out_in_use != 4)
		return 1;
	if (conn_buffer(self->fds.conn, SECBUF_CONN_BUFFER_READ, &args))
		return 2;
	if (count_not(pool_slot(&self->p, self->ids[0]), 0xa5, PAGE))
		return 3;
	return fd_revents(self->fds.pool) & POLLERR ? 4 : 0;
}

/* As vfork does it: another process in the same address space. */
TEST_F(owner, process_in_the_same_address_space)
{
	const size_t size = 64 * 1024;
	char *stack = malloc(size);
	int status;
	pid_t pid;

	ASSERT_NE(NULL, stack);
	pid = clone(shares_vm, stack + size, CLONE_VM | SIGCHLD, self);
	ASSERT_LE(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_MINE();
	free(stack);
}

/*
 * An address space outlives its process while somebody reads its memory, here
 * into a page that does not come.
 */
struct reader {
	int	mem;		/* /proc/PID/mem */
	off_t	from;
	void	*to;
	ssize_t	got;
};

static void *reader_run(void *arg)
{
	struct reader *r = arg;

	r->got = pread(r->mem, r->to, PAGE, r->from);
	return NULL;
}

/*
 * A page whose first toucher waits; the userfaultfd, or -1. Without O_NONBLOCK
 * poll would answer at once, with POLLERR.
 */
static int missing_page(void **page)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	*page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)*page;
	reg.range.len = PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	return fd;
}

struct slow_alloc {
	int	fd;
	__u64	*ids;
	int	ret;
};

static void *alloc_slowly(void *arg)
{
	struct slow_alloc *a = arg;

	a->ret = pool_alloc(a->fd, a->ids, 1);
	return NULL;
}

/*
 * A slot whose id the program has not been told yet is nobody's to free, so that
 * it is nobody else's by the time that this turns out to be impossible.
 */
TEST_F(owner, alloc_that_cannot_reply)
{
	struct slow_alloc a = { .fd = self->p.fd };
	struct pollfd pfd = { .events = POLLIN };
	struct uffdio_range range = { .len = PAGE };
	pthread_t thread;
	__u64 ids[4];
	void *page;

	pfd.fd = missing_page(&page);
	a.ids = page;
	if (pfd.fd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, pthread_create(&thread, NULL, alloc_slowly, &a));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	ASSERT_EQ(POLLIN, pfd.revents);
	EXPECT_EQ(2, pool_free_flags(self->p.fd, NULL, 0,
				     SECBUF_POOL_FREE_F_ALL));
	for (__u64 id = 0; id < 8; id++)
		EXPECT_GE(0, pool_free(self->p.fd, &id, 1));
	/* Of eight, two are the conn's and one is under way. */
	ASSERT_EQ(4, pool_alloc(self->p.fd, ids, 4));
	for (int i = 0; i < 4; i++)
		memset(pool_slot(&self->p, ids[i]), 0x5a, PAGE);

	range.start = (uintptr_t)a.ids;
	munmap(a.ids, PAGE);
	ioctl(pfd.fd, UFFDIO_UNREGISTER, &range);
	ioctl(pfd.fd, UFFDIO_WAKE, &range);
	pthread_join(thread, NULL);
	close(pfd.fd);
	EXPECT_EQ(-EFAULT, a.ret);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[i]), 0x5a,
				       PAGE));
	EXPECT_EQ(4, pool_free(self->p.fd, ids, 4));
}

/* Mappings of a large process: all are gone through for its first object. */
#define NR_MAPPINGS	20000

/* Of a timer of a millisecond: it lets go then. */
#define TICKS_MAX	WAIT_MS

static volatile sig_atomic_t ticks;

static void timer_stop(void)
{
	struct itimerval never = { .it_value = { 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

static void tick(int sig)
{
	(void)sig;
	if (++ticks >= TICKS_MAX)
		timer_stop();
}

TEST(timer_of_a_large_process)
{
	struct itimerval often = { .it_interval.tv_usec = 1000,
				   .it_value.tv_usec = 1000 };
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
	size_t len = 2 * NR_MAPPINGS * PAGE, at;
	struct secbuf_pool_create_args args;
	int dev = secbuf_open();
	char *bytes;

	ASSERT_LE(0, dev);
	bytes = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, bytes);
	for (at = 0; at < len; at += 2 * PAGE)
		ASSERT_EQ(0, mprotect(bytes + at, PAGE, PROT_READ));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(0, kpool_create(dev, PAGE, 0, 2, &args));
	EXPECT_GT(TICKS_MAX, ticks);
	timer_stop();
	close(args.out_fd);
	close(dev);
}

/*
 * A buffer that the kernel holds is being read, into a page that does not come,
 * when its life ends. Whoever waits there gets what is left of it.
 */
#define NO_BYTES	(-1L)

/* Shared with the test. */
struct outcome {
	int	ret;
	long	secret;		/* bytes of it that were read, or NO_BYTES */
};

struct slow_read {
	int		fd;
	__u64		id;
	void		*page;
	struct outcome	*outcome;
};

static int read_slowly(void *arg)
{
	struct slow_read *r = arg;

	r->outcome->ret = pool_read(r->fd, r->id, 0, r->page, PAGE);
	r->outcome->secret = count_not(r->page, 0, PAGE);
	return 0;
}

static void *thread_reads_slowly(void *arg)
{
	read_slowly(arg);
	return NULL;
}

/* A buffer full of a secret, and a page that does not come; its userfaultfd. */
static int slow_read_init(struct slow_read *r, int dev)
{
	struct secbuf_pool_create_args args;
	unsigned char secret[PAGE];

	memset(secret, 0xa5, sizeof(secret));
	if (kpool_create(dev, PAGE, 0, 2, &args))
		_exit(1);
	r->fd = args.out_fd;
	if (pool_alloc(r->fd, &r->id, 1) != 1 ||
	    pool_write(r->fd, r->id, 0, secret, PAGE))
		_exit(2);
	return missing_page(&r->page);
}

static struct outcome *outcome_new(void)
{
	struct outcome *o = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (o != MAP_FAILED)
		o->secret = NO_BYTES;
	return o;
}

static int page_comes(int uffd, void *page)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
	};

	return ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}

TEST(freed_while_it_is_read)
{
	struct pollfd pfd = { .events = POLLIN };
	struct slow_read r = { .outcome = outcome_new() };
	int dev = secbuf_open();
	pthread_t thread;

	ASSERT_LE(0, dev);
	ASSERT_NE(MAP_FAILED, (void *)r.outcome);
	pfd.fd = slow_read_init(&r, dev);
	if (pfd.fd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_reads_slowly, &r));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	EXPECT_EQ(1, pool_free(r.fd, &r.id, 1));
	EXPECT_EQ(0, page_comes(pfd.fd, r.page));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.outcome->ret);
	EXPECT_EQ(0, r.outcome->secret);
	close(pfd.fd);
	close(r.fd);
	close(dev);
}

/* The owner: another process in its address space reads, for it is killed. */
static void read_in_owner(struct outcome *outcome, int sock)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	struct slow_read r = { .outcome = outcome };
	int uffd = slow_read_init(&r, secbuf_open());

	if (uffd < 0)
		_exit(3);
	if (send_fd(sock, uffd) ||
	    write(sock, &r.page, sizeof(r.page)) != sizeof(r.page))
		_exit(4);
	if (clone(read_slowly, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		  &r) < 0)
		_exit(5);
	for (;;)
		pause();
}

TEST(killed_while_another_process_reads)
{
	struct pollfd pfd = { .events = POLLIN };
	struct outcome *outcome = outcome_new();
	int socks[2], status;
	void *page;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)outcome);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	pfd.fd = missing_page(&page);
	if (pfd.fd < 0)
		SKIP(return, "no userfaultfd");
	close(pfd.fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		read_in_owner(outcome, socks[1]);
	close(socks[1]);
	pfd.fd = receive_fd(socks[0]);
	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ((ssize_t)sizeof(page), read(socks[0], &page, sizeof(page)));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));	/* it waits for the page */

	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(NO_BYTES, outcome->secret);
	EXPECT_EQ(0, page_comes(pfd.fd, page));
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, outcome->ret);
	EXPECT_EQ(0, outcome->secret);
	close(pfd.fd);
	close(socks[0]);
}

/* The owner: tells where its memory can be read, and waits to be killed. */
static void held_owner(int out, bool closes_pool)
{
	static char ordinary[PAGE] = "x";
	uintptr_t where = (uintptr_t)ordinary;
	struct fds fds = { .dev = secbuf_open() };
	struct pool p;
	__u64 ids[2];

	if (fds.dev < 0 || objects_create(&fds, &p, ids))
		_exit(1);
	if (closes_pool)
		close(fds.pool);
	if (write(out, &where, sizeof(where)) != sizeof(where))
		_exit(1);
	pause();
}

FIXTURE(held)
{
};

FIXTURE_VARIANT(held)
{
	bool closes_pool;
};

FIXTURE_VARIANT_ADD(held, with_all) { };

/* Then the descriptor of the conn has to tell. */
FIXTURE_VARIANT_ADD(held, without_the_pools) { .closes_pool = true };

FIXTURE_SETUP(held)
{
}

FIXTURE_TEARDOWN(held)
{
}

TEST_F(held, address_space)
{
	struct secbuf_info_args before, alive, dead;
	struct uffdio_zeropage zero = { 0 };
	struct pollfd pfd = { .events = POLLIN };
	struct reader r = { 0 };
	pthread_t thread;
	uintptr_t where;
	int dev, fds[2];
	char path[32];
	pid_t pid;
	bool held;

	dev = secbuf_open();
	ASSERT_LE(0, dev);
	pfd.fd = missing_page(&r.to);
	if (pfd.fd < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, secbuf_info(dev, &before));
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid)
		held_owner(fds[1], variant->closes_pool);
	ASSERT_EQ((ssize_t)sizeof(where), read(fds[0], &where, sizeof(where)));
	ASSERT_EQ(0, secbuf_info(dev, &alive));
	EXPECT_LE(before.out_bytes + 4 * PAGE, alive.out_bytes);

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	r.mem = open(path, O_RDONLY);
	ASSERT_LE(0, r.mem);
	r.from = where;
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, &r));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));	/* it waits for the page */

	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(0, secbuf_info(dev, &dead));
	EXPECT_GT(before.out_bytes + 4 * PAGE, dead.out_bytes);
	/* The mapping, and so the object, is there; the pages are not. */
	held = dead.out_nr_pools > before.out_nr_pools;

	zero.range.start = (uintptr_t)r.to;
	zero.range.len = PAGE;
	EXPECT_EQ(0, ioctl(pfd.fd, UFFDIO_ZEROPAGE, &zero));
	pthread_join(thread, NULL);
	close(r.mem);
	close(pfd.fd);
	close(dev);
	if (!held)
		SKIP(return, "a reader does not hold the address space here");
	EXPECT_EQ((ssize_t)PAGE, r.got);
}

/*
 * Who shares the memory of the owner, and waits for the end of an object: all of
 * them, also those who want to be woken one at a time.
 */
#define NR_WAITERS	8

FIXTURE(told)
{
	int		dev;
	volatile int	fd;		/* of the object; <0: it failed */
	volatile bool	ends;		/* the owner is to exit */
	void		*stack;
};

FIXTURE_VARIANT(told)
{
	int		(*create)(int dev);
};

static int create_held(int dev)
{
	struct secbuf_pool_create_args args;

	return kpool_create(dev, PAGE, 0, 4, &args) ?: args.out_fd;
}

static int create_mapped(int dev)
{
	struct secbuf_pool_create_args args;

	return pool_create(dev, PAGE, 4, &args) ?: args.out_fd;
}

static int create_conn(int dev)
{
	int pool = create_mapped(dev);

	return pool < 0 ? pool : conn_create(dev, pool);
}

static int create_ring(int dev)
{
	struct secbuf_ring_create_args args = {
		.size = sizeof(args), .ring_size = 65536,
	};

	return secbuf_ioctl(dev, SECBUF_IOC_RING_CREATE, &args) ?:
	       args.out_consumer_fd;
}

FIXTURE_VARIANT_ADD(told, held_pool) { .create = create_held };
FIXTURE_VARIANT_ADD(told, mapped_pool) { .create = create_mapped };
FIXTURE_VARIANT_ADD(told, conn) { .create = create_conn };
FIXTURE_VARIANT_ADD(told, ring) { .create = create_ring };

FIXTURE_SETUP(told)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->fd = 0;
	self->ends = false;
	self->stack = malloc(STACK_SIZE);
	ASSERT_NE(NULL, self->stack);
}

FIXTURE_TEARDOWN(told)
{
	free(self->stack);
	close(self->dev);
}

struct told_owner {
	FIXTURE_DATA(told)	*self;
	int			(*create)(int dev);
};

/* Its descriptors are those of the waiters, until the object is there. */
static int told_owner_run(void *arg)
{
	struct told_owner *owner = arg;
	FIXTURE_DATA(told) *self = owner->self;
	int fd = owner->create(self->dev);

	if (unshare(CLONE_FILES))
		_exit(1);
	self->fd = fd;
	wait_until(self->ends);
	_exit(0);
}

struct waiter {
	int		epoll;
	volatile pid_t	tid;
	int		ret;
	__u32		events;
};

static void *wait_for_end(void *arg)
{
	struct waiter *waiter = arg;
	struct epoll_event event = { .events = 0 };

	waiter->tid = gettid();
	waiter->ret = epoll_wait(waiter->epoll, &event, 1, WAIT_MS);
	waiter->events = event.events;
	return NULL;
}

TEST_F(told, all_who_wait)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct told_owner owner = { .self = self, .create = variant->create };
	struct waiter waiters[NR_WAITERS] = { 0 };
	pthread_t threads[NR_WAITERS];
	int status;
	pid_t pid;

	pid = clone(told_owner_run, (char *)self->stack + STACK_SIZE,
		    CLONE_VM | CLONE_FILES | SIGCHLD, &owner);
	ASSERT_LE(0, pid);
	ASSERT_TRUE(wait_until(self->fd));
	ASSERT_LT(0, self->fd);
	for (int i = 0; i < NR_WAITERS; i++) {
		waiters[i].epoll = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, waiters[i].epoll);
		ASSERT_EQ(0, epoll_ctl(waiters[i].epoll, EPOLL_CTL_ADD,
				       self->fd, &event));
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, wait_for_end,
					    &waiters[i]));
		EXPECT_TRUE(wait_until(waiters[i].tid &&
				       is_asleep(waiters[i].tid)));
	}
	self->ends = true;
	for (int i = 0; i < NR_WAITERS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(1, waiters[i].ret);
		/* Of a ring whose other end was the first to go. */
		EXPECT_TRUE(waiters[i].events & (EPOLLERR | EPOLLHUP));
		close(waiters[i].epoll);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(self->fd);
}

/*
 * The owner dies; a child made by fork holds its descriptors. The test is the
 * parent of the owner, and inherits the child.
 */
FIXTURE(death)
{
	int			dev;
	struct secbuf_info_args	before;
	int			socks[2];	/* 0: test, 1: holder */
	int			die[2];		/* EOF: the owner shall die */
	int			reply[2];	/* from the owner, after exec */
	pid_t			owner;
	pid_t			holder;
};

FIXTURE_VARIANT(death)
{
	void	(*die)(void);
	int	sig;		/* that ends the owner */
	bool	exec;		/* it lives on as another program */
};

static void die_exit(void)
{
	_exit(0);
}

static void die_sigkill(void)
{
	raise(SIGKILL);
}

static void die_sigsegv(void)
{
	*(volatile int *)NULL = 0;
}

static void die_abort(void)
{
	abort();
}

static void die_exec(void)
{
	execl("/proc/self/exe", "after-exec", NULL);
	_exit(1);
}

static void *thread_exec(void *arg)
{
	(void)arg;
	die_exec();
	return NULL;
}

static void die_exec_in_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, thread_exec, NULL))
		pause();
	_exit(1);
}

static void *thread_exit_group(void *arg)
{
	(void)arg;
	_exit(0);
}

static void die_exit_in_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, thread_exit_group, NULL))
		pause();
	_exit(1);
}

FIXTURE_VARIANT_ADD(death, exit) { .die = die_exit };
FIXTURE_VARIANT_ADD(death, exit_in_thread) { .die = die_exit_in_thread };
FIXTURE_VARIANT_ADD(death, sigkill) { .die = die_sigkill, .sig = SIGKILL };
FIXTURE_VARIANT_ADD(death, sigsegv) { .die = die_sigsegv, .sig = SIGSEGV };
FIXTURE_VARIANT_ADD(death, abort) { .die = die_abort, .sig = SIGABRT };
FIXTURE_VARIANT_ADD(death, exec) { .die = die_exec, .exec = true };
FIXTURE_VARIANT_ADD(death, exec_in_thread)
{
	.die = die_exec_in_thread, .exec = true,
};

/* The new program finds the descriptors open. */
static void __attribute__((constructor)) after_exec(void)
{
	const char *env = getenv(FDS_ENV);
	struct verdict v;
	struct fds fds;
	int reply;

	if (!env)
		return;
	if (sscanf(env, "%d %d %d %d", &fds.dev, &fds.pool, &fds.conn,
		   &reply) != 4)
		_exit(1);
	try_everything(&fds, 8 * PAGE, &v);
	if (write(reply, &v, sizeof(v)) != sizeof(v))
		_exit(2);
	pause();
	_exit(3);
}

/* Holds the descriptors, and tries them whenever it is asked. */
static void holder_run(const struct fds *fds, int sock)
{
	struct verdict v;
	char byte;

	while (read(sock, &byte, 1) == 1) {
		try_everything(fds, 8 * PAGE, &v);
		if (write(sock, &v, sizeof(v)) != sizeof(v))
			break;
	}
	_exit(0);
}

static void owner_run(FIXTURE_DATA(death) *self, void (*die)(void))
{
	struct rlimit no_core = { 0, 0 };
	struct fds fds = { .dev = self->dev };
	char env[64], byte;
	struct pool p;
	__u64 ids[2];
	pid_t holder;

	close(self->die[1]);
	setrlimit(RLIMIT_CORE, &no_core);
	if (objects_create(&fds, &p, ids))
		_exit(10);
	fcntl(fds.dev, F_SETFD, 0);
	fcntl(fds.pool, F_SETFD, 0);
	fcntl(fds.conn, F_SETFD, 0);
	snprintf(env, sizeof(env), "%d %d %d %d", fds.dev, fds.pool, fds.conn,
		 self->reply[1]);
	setenv(FDS_ENV, env, 1);

	holder = fork();
	if (!holder) {
		close(self->socks[0]);
		holder_run(&fds, self->socks[1]);
	}
	if (write(self->reply[1], &holder, sizeof(holder)) != sizeof(holder))
		_exit(11);
	close(self->socks[0]);
	close(self->socks[1]);
	if (read(self->die[0], &byte, 1))
		_exit(12);
	die();
	_exit(13);
}

FIXTURE_SETUP(death)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, secbuf_info(self->dev, &self->before));
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->socks));
	ASSERT_EQ(0, pipe(self->die));
	ASSERT_EQ(0, pipe(self->reply));
	self->owner = fork();
	ASSERT_LE(0, self->owner);
	if (!self->owner)
		owner_run(self, variant->die);
	close(self->socks[1]);
	close(self->die[0]);
	close(self->reply[1]);
	ASSERT_EQ((ssize_t)sizeof(self->holder),
		  read(self->reply[0], &self->holder, sizeof(self->holder)));
	ASSERT_LT(0, self->holder);
}

FIXTURE_TEARDOWN(death)
{
	kill(self->owner, SIGKILL);
	kill(self->holder, SIGKILL);
}

static int holder_asks(FIXTURE_DATA(death) *self, struct verdict *v)
{
	if (write(self->socks[0], "", 1) != 1 ||
	    read(self->socks[0], v, sizeof(*v)) != sizeof(*v))
		return -EIO;
	return 0;
}

TEST_F(death, zeroizes_what_others_hold)
{
	struct secbuf_info_args info;
	struct verdict v;
	int status;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "no object dies with its owner here");

	/* Four pages of secrets, and the objects themselves. */
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_LE(self->before.out_bytes + 4 * PAGE, info.out_bytes);
	EXPECT_EQ(self->before.out_nr_pools + 1, info.out_nr_pools);
	ASSERT_EQ(0, holder_asks(self, &v));
	EXPECT_REFUSED(&v, EPERM);

	close(self->die[1]);
	if (variant->exec) {
		ASSERT_EQ((ssize_t)sizeof(v),
			  read(self->reply[0], &v, sizeof(v)));
		EXPECT_REFUSED(&v, ESHUTDOWN);
	} else {
		ASSERT_EQ(self->owner, waitpid(self->owner, &status, 0));
		EXPECT_EQ(variant->sig, status);
	}

	/*
	 * The pages are gone at once, the objects with their descriptors: the
	 * pool has a page to tell of pressure, and one of words.
	 */
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_GT(self->before.out_bytes + 3 * PAGE, info.out_bytes);
	EXPECT_EQ(self->before.out_nr_pools + 1, info.out_nr_pools);
	ASSERT_EQ(0, holder_asks(self, &v));
	EXPECT_REFUSED(&v, ESHUTDOWN);

	if (variant->exec) {
		ASSERT_EQ(0, kill(self->owner, SIGKILL));
		ASSERT_EQ(self->owner, waitpid(self->owner, &status, 0));
	}
	close(self->socks[0]);
	ASSERT_EQ(self->holder, waitpid(self->holder, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->before.out_bytes, info.out_bytes);
	EXPECT_EQ(self->before.out_nr_pools, info.out_nr_pools);
	EXPECT_EQ(self->before.out_nr_conns, info.out_nr_conns);
}

TEST_HARNESS_MAIN
