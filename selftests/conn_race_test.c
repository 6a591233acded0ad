// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that use one conn at once, sleep in it, are interrupted, or lose it.
 */
#include "secbuf_conn.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SLOT_SIZE	256
#define NR_SLOTS	64
#define IDLE_MS		20
#define NR_THREADS	3
#define NR_PACKETS	600

FIXTURE(race)
{
	int		dev;
	struct pool	p;
	volatile struct secbuf_slot_word *words;
	int		conn;
};

FIXTURE_SETUP(race)
{
	struct secbuf_conn_create_args args = {
		.max_packets = 8, .idle_ms = IDLE_MS,
	};

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, SLOT_SIZE, NR_SLOTS));
	self->words = words_map(self->p.fd, NR_SLOTS);
	ASSERT_NE(NULL, self->words);
	args.pool_fd = self->p.fd;
	self->conn = conn_make(self->dev, &args);
	ASSERT_LE(0, self->conn);
}

FIXTURE_TEARDOWN(race)
{
	close(self->conn);
	munmap((void *)self->words, words_size(NR_SLOTS));
	pool_close(&self->p);
	close(self->dev);
}

struct worker {
	const struct pool *p;
	volatile struct secbuf_slot_word *words;
	int		conn;
	unsigned int	nr;
	volatile bool	*stop;
	unsigned char	*seen;
	unsigned int	bad;
};

/* Packets say who made them and how many he made before. */
struct mark {
	__u32		maker;
	__u32		nr;
};

static bool put_mark(const struct worker *w, const struct mark *mark)
{
	__u64 id;

	if (mark->nr % 3 == 0)
		return write(w->conn, mark, sizeof(*mark)) == sizeof(*mark);
	if (mark->nr % 3 == 1)
		return !conn_enqueue(w->conn, mark, sizeof(*mark));
	if (pool_alloc(w->p->fd, &id, 1) != 1)
		return false;
	memcpy(pool_slot(w->p, id), mark, sizeof(*mark));
	if (!conn_enqueue_slot(w->conn, id, sizeof(*mark)))
		return true;
	if (pool_free(w->p->fd, &id, 1) != 1)
		abort();
	return false;
}

static void *maker(void *arg)
{
	struct worker *w = arg;

	for (__u32 i = 0; i < NR_PACKETS; i++) {
		struct mark mark = { w->nr, i };

		while (!put_mark(w, &mark))
			sched_yield();
	}
	return NULL;
}

static bool take_mark(struct worker *w, unsigned int way, struct mark *mark)
{
	__u64 id;
	int ret;

	if (way % 3 == 0)
		return read(w->conn, mark, sizeof(*mark)) == sizeof(*mark);
	if (way % 3 == 1)
		return conn_dequeue(w->conn, mark, sizeof(*mark)) ==
		       sizeof(*mark);
	ret = conn_dequeue_slot(w->conn, &id);
	if (ret < 0)
		return false;
	w->bad += ret != sizeof(*mark);
	memcpy(mark, pool_slot(w->p, id), sizeof(*mark));
	w->bad += pool_free(w->p->fd, &id, 1) != 1;
	return true;
}

static void *taker(void *arg)
{
	__u32 last[NR_THREADS] = { 0 };
	struct worker *w = arg;
	struct mark mark;

	for (unsigned int way = 0; !*w->stop; way++) {
		if (!take_mark(w, way, &mark)) {
			sched_yield();
			continue;
		}
		if (mark.maker >= NR_THREADS || mark.nr >= NR_PACKETS) {
			w->bad++;
			continue;
		}
		/* One taker sees those of one maker in their order. */
		w->bad += mark.nr < last[mark.maker];
		last[mark.maker] = mark.nr;
		__atomic_add_fetch(&w->seen[mark.maker * NR_PACKETS + mark.nr],
				   1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool all_seen(const unsigned char *seen)
{
	return !count_not(seen, 1, NR_THREADS * NR_PACKETS);
}

TEST_F(race, each_packet_once)
{
	unsigned char *seen = calloc(NR_THREADS, NR_PACKETS);
	struct worker makers[NR_THREADS], takers[NR_THREADS];
	pthread_t m[NR_THREADS], t[NR_THREADS];
	volatile bool stop = false;
	unsigned int bad = 0;

	ASSERT_EQ(0, fcntl(self->conn, F_SETFL, O_RDWR | O_NONBLOCK));
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		makers[i] = (struct worker){
			.p = &self->p, .conn = self->conn, .nr = i,
			.stop = &stop, .seen = seen,
		};
		takers[i] = makers[i];
		ASSERT_EQ(0, pthread_create(&m[i], NULL, maker, &makers[i]));
		ASSERT_EQ(0, pthread_create(&t[i], NULL, taker, &takers[i]));
	}
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(m[i], NULL);
	EXPECT_TRUE(wait_until(all_seen(seen)));
	stop = true;
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(t[i], NULL);
		bad += takers[i].bad;
	}
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, pool_in_use(self->p.fd));
	free(seen);
}

/* Takes its own pattern in and out of a buffer that the kernel takes at times. */
static void *user(void *arg)
{
	struct worker *w = arg;
	struct secbuf_conn_buffer_args buffer;
	volatile struct secbuf_slot_word *word;
	__u32 tag, state;
	unsigned char *p;

	while (!*w->stop) {
		if (conn_buffer(w->conn, w->nr % 2, &buffer))
			continue;
		tag = buffer.out_word & ~SECBUF_SLOT_STATE_MASK;
		word = &w->words[buffer.out_id];
		p = pool_slot(w->p, buffer.out_id);
		for (int i = 0; i < 50; i++) {
			memset(p, 0xa5, SLOT_SIZE);
			if (!*w->stop && word->state == buffer.out_word)
				w->bad += count_not(p, 0xa5, SLOT_SIZE) &&
					  word->state == buffer.out_word;
			memset(p, 0, SLOT_SIZE);
			word_release(word, buffer.out_word);
			if (i % 8 == 0)
				sched_yield();
			state = tag | SECBUF_SLOT_IDLE;
			if (!__atomic_compare_exchange_n(&word->state, &state,
							 buffer.out_word,
							 false,
							 __ATOMIC_ACQUIRE,
							 __ATOMIC_RELAXED))
				break;
		}
		word_release(word, buffer.out_word);
	}
	return NULL;
}

static void *shrinker(void *arg)
{
	struct worker *w = arg;

	while (!*w->stop) {
		conn_shrink(w->conn, SECBUF_CONN_SHRINK_IDLE);
		sched_yield();
	}
	return NULL;
}

/* Who finds it busy has it: what he writes stays until he says otherwise. */
TEST_F(race, a_busy_buffer_is_ones_own)
{
	struct worker workers[4];
	struct secbuf_conn_stats_args stats;
	pthread_t threads[4];
	volatile bool stop = false;

	for (unsigned int i = 0; i < 4; i++) {
		workers[i] = (struct worker){
			.p = &self->p, .words = self->words,
			.conn = self->conn, .nr = i, .stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    i < 2 ? user : shrinker,
					    &workers[i]));
	}
	sleep_ms(2000);
	EXPECT_TRUE(wait_until(!conn_stats(self->conn, &stats) &&
			       stats.out_granted > 2));
	stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, workers[0].bad);
	EXPECT_EQ(0, workers[1].bad);
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
}

static void *scribbler(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 1;

	while (!*w->stop)
		for (int i = 0; i < NR_SLOTS; i++) {
			__u32 state = w->words[i].state;
			int what = rand_r(&seed) % 8;

			if (what < 4)
				state = (state & ~3U) | what;
			else if (what == 4)
				state = rand_r(&seed);
			else if (what == 5)
				state += 4;
			w->words[i].state = state;
			w->words[i].used = rand_r(&seed);
		}
	return NULL;
}

/* The kernel's record decides: no slot is lost, none is in two hands. */
TEST_F(race, hostile_words)
{
	struct worker w = { .words = self->words };
	struct secbuf_conn_buffer_args a, b;
	struct secbuf_conn_stats_args stats;
	volatile bool stop = false;
	pthread_t thread;
	__u64 ids[NR_SLOTS];
	int conns[8];

	for (int i = 0; i < 8; i++) {
		struct secbuf_conn_create_args args = {
			.pool_fd = self->p.fd, .idle_ms = 1 + i,
		};

		conns[i] = conn_make(self->dev, &args);
		ASSERT_LE(0, conns[i]);
	}
	w.stop = &stop;
	ASSERT_EQ(0, conn_buffer(self->conn, 0, &a));
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribbler, &w));
	for (int round = 0; round < 1500; round++) {
		int conn = conns[round % 8];

		ASSERT_EQ(0, conn_buffer(conn, 0, &a));
		ASSERT_EQ(0, conn_buffer(conn, 1, &b));
		ASSERT_NE(a.out_id, b.out_id);
		ASSERT_GT(NR_SLOTS, a.out_id);
		ASSERT_EQ(0, conn_stats(conn, &stats));
		ASSERT_LE(stats.out_total.used, stats.out_total.allocated);
		if (round % 5 == 0)
			ASSERT_LE(0, conn_shrink(conn, round % 2));
		if (round % 7 == 0)
			ASSERT_EQ(0, conn_reset(conn));
		if (round % 11 == 0)
			ASSERT_EQ(0, conn_zeroize(conn));
		ASSERT_GE(2 * 8 + 1, pool_in_use(self->p.fd));
		if (round % 100 == 0)
			sleep_ms(20);
	}
	stop = true;
	pthread_join(thread, NULL);
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, close(conns[i]));
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
	EXPECT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
}

static void *write_later(void *arg)
{
	sleep_ms(100);
	if (write(*(int *)arg, "late", 4) != 4)
		abort();
	return NULL;
}

TEST_F(race, read_waits)
{
	pthread_t thread;
	char bytes[8];

	ASSERT_EQ(0, pthread_create(&thread, NULL, write_later, &self->conn));
	EXPECT_EQ(4, read(self->conn, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, "late", 4));
	pthread_join(thread, NULL);
}

static void *read_later(void *arg)
{
	char bytes[8];

	sleep_ms(100);
	if (read(*(int *)arg, bytes, sizeof(bytes)) != 1)
		abort();
	return NULL;
}

TEST_F(race, write_waits)
{
	pthread_t thread;

	for (int i = 0; i < 8; i++)
		ASSERT_EQ(1, write(self->conn, "x", 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_later, &self->conn));
	EXPECT_EQ(1, write(self->conn, "y", 1));
	pthread_join(thread, NULL);
}

/* What makes room is not only who takes. */
static void *zeroize_later(void *arg)
{
	sleep_ms(100);
	if (conn_zeroize(*(int *)arg))
		abort();
	return NULL;
}

TEST_F(race, zeroize_makes_room)
{
	pthread_t thread;

	for (int i = 0; i < 8; i++)
		ASSERT_EQ(1, write(self->conn, "x", 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, zeroize_later, &self->conn));
	EXPECT_EQ(1, write(self->conn, "y", 1));
	pthread_join(thread, NULL);
}

static volatile pid_t poll_tid;

static void *poll_it(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	poll_tid = gettid();
	return (void *)(uintptr_t)(poll(&p, 1, WAIT_MS) == 1 ? p.revents : -1);
}

TEST_F(race, poll_wakes)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int epoll = epoll_create1(0);
	pthread_t thread;
	void *result;

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_it, &self->conn));
	ASSERT_TRUE(wait_until(is_asleep(poll_tid)));
	ASSERT_EQ(0, conn_enqueue(self->conn, "x", 1));
	pthread_join(thread, &result);
	EXPECT_EQ(POLLIN, (uintptr_t)result);

	for (int i = 1; i < 8; i++)
		ASSERT_EQ(0, conn_enqueue(self->conn, "x", 1));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->conn, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, conn_reset(self->conn));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	close(epoll);
}

static void on_signal(int sig)
{
	(void)sig;
}

#define RUNNING		77

struct interrupted {
	int	conn;
	bool	writes;
	int	error;
	volatile ssize_t	ret;
	volatile pid_t		tid;
};

static void *sleeper(void *arg)
{
	struct interrupted *in = arg;
	char byte = 1;
	ssize_t ret;

	in->ret = RUNNING;
	in->tid = gettid();
	ret = in->writes ? write(in->conn, &byte, 1) :
			   read(in->conn, &byte, 1);
	in->error = errno;
	in->ret = ret;
	return NULL;
}

TEST_F(race, signals)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	for (int writes = 0; writes < 2; writes++) {
		struct interrupted in = { .conn = self->conn, .writes = writes };

		for (int i = 0; writes && i < 8; i++)
			ASSERT_EQ(1, write(self->conn, "x", 1));
		ASSERT_EQ(0, pthread_create(&thread, NULL, sleeper, &in));
		ASSERT_TRUE(wait_until(is_asleep(in.tid)));
		ASSERT_EQ(0, pthread_kill(thread, SIGUSR1));
		pthread_join(thread, NULL);
		EXPECT_EQ(-1, in.ret);
		EXPECT_EQ(EINTR, in.error);
	}
}

/* A thread sleeps in read(), another closes the descriptor. */
TEST_F(race, close_in_the_middle)
{
	struct interrupted in = { .conn = dup(self->conn) };
	pthread_t thread;

	ASSERT_LE(0, in.conn);
	ASSERT_EQ(0, pthread_create(&thread, NULL, sleeper, &in));
	ASSERT_TRUE(wait_until(is_asleep(in.tid)));
	ASSERT_EQ(0, close(in.conn));
	ASSERT_EQ(1, write(self->conn, "x", 1));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, in.ret);
}

static void *churn(void *arg)
{
	struct worker *w = arg;
	struct secbuf_conn_buffer_args buffer;
	unsigned int seed = w->nr;
	char bytes[SLOT_SIZE];

	while (!*w->stop) {
		int fd = *(volatile int *)&w->conn;

		switch (rand_r(&seed) % 6) {
		case 0:
			conn_buffer(fd, rand_r(&seed) % 2, &buffer);
			break;
		case 1:
			conn_enqueue(fd, bytes, 1 + rand_r(&seed) % SLOT_SIZE);
			break;
		case 2:
			conn_dequeue(fd, bytes, SLOT_SIZE);
			break;
		case 3:
			conn_shrink(fd, 1);
			break;
		case 4:
			conn_reset(fd);
			break;
		default:
			conn_zeroize(fd);
		}
	}
	return NULL;
}

/* Descriptors come and go under threads that use them. */
TEST_F(race, conns_come_and_go)
{
	struct worker workers[3];
	volatile bool stop = false;
	pthread_t threads[3];
	int number;

	number = dup(self->conn);
	ASSERT_LE(0, number);
	for (unsigned int i = 0; i < 3; i++) {
		workers[i] = (struct worker){
			.conn = number, .nr = i, .stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churn,
					    &workers[i]));
	}
	for (int i = 0; i < 400; i++) {
		int conn = conn_create(self->dev, self->p.fd);

		ASSERT_LE(0, conn);
		ASSERT_EQ(number, dup2(conn, number));
		ASSERT_EQ(0, close(conn));
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	close(number);
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
}

static int share_memory(void *arg)
{
	struct interrupted *in = arg;

	sleeper(in);
	return 0;
}

/*
 * The owner dies while another, who shares its memory, sleeps in a call. A child
 * holds all descriptors meanwhile.
 */
TEST_F(race, the_owner_dies_under_a_sleeper)
{
	struct interrupted *in = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, fds[2];
	pid_t pid;
	char byte;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "objects do not die with their owner here");
	ASSERT_NE(MAP_FAILED, in);
	ASSERT_EQ(0, pipe(fds));
	in->ret = RUNNING;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char *stack = malloc(65536);
		struct pool p;

		if (pool_open(&p, self->dev, SLOT_SIZE, NR_SLOTS))
			_exit(1);
		in->conn = conn_create(self->dev, p.fd);
		if (in->conn < 0)
			_exit(2);
		if (clone(share_memory, stack + 65536, CLONE_VM, in) < 0)
			_exit(3);
		if (!fork()) {
			/* Until the test says so. */
			close(fds[1]);
			if (read(fds[0], &byte, 1))
				_exit(1);
			_exit(0);
		}
		_exit(!wait_until(is_asleep(in->tid)));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(wait_until(in->ret != RUNNING));
	EXPECT_EQ(-1, in->ret);
	EXPECT_EQ(ESHUTDOWN, in->error);
	close(fds[0]);
	close(fds[1]);
}

struct stuck {
	int		conn;
	unsigned char	*page;
	bool		reads;
	volatile int	done;
	volatile pid_t	tid;
};

static void *copy_for_ever(void *arg)
{
	struct stuck *stuck = arg;

	stuck->tid = gettid();
	if (stuck->reads)
		conn_dequeue(stuck->conn, stuck->page, SLOT_SIZE);
	else
		conn_enqueue(stuck->conn, stuck->page, SLOT_SIZE);
	stuck->done = 1;
	return NULL;
}

/*
 * A copy from or to memory of the program can take as long as it likes. Others
 * use the conn meanwhile, and who dies is not kept from it.
 */
TEST_F(race, a_copy_that_does_not_end)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero = { .mode = 0 };
	struct uffdio_api api = { .api = UFFD_API };
	struct secbuf_conn_buffer_args buffer;
	unsigned char bytes[SLOT_SIZE];
	pthread_t thread;
	int uffd;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		SKIP(return, "no userfaultfd");
	for (int reads = 0; reads < 2; reads++) {
		struct stuck stuck = { .conn = self->conn, .reads = reads };

		stuck.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, stuck.page);
		reg.range.start = (uintptr_t)stuck.page;
		reg.range.len = PAGE;
		ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, &reg));
		ASSERT_EQ(0, conn_enqueue(self->conn, "first", 5));
		ASSERT_EQ(0, pthread_create(&thread, NULL, copy_for_ever,
					    &stuck));
		EXPECT_TRUE(wait_until(is_stuck(stuck.tid)));
		EXPECT_EQ(0, stuck.done);
		EXPECT_EQ(0, conn_buffer(self->conn, 0, &buffer));
		EXPECT_EQ(0, conn_enqueue(self->conn, "other", 5));
		EXPECT_EQ(5, conn_dequeue(self->conn, bytes, SLOT_SIZE));
		EXPECT_EQ(0, memcmp(bytes, "first", 5));
		EXPECT_EQ(0, conn_zeroize(self->conn));
		EXPECT_EQ(0, stuck.done);
		zero.range = reg.range;
		ASSERT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
		pthread_join(thread, NULL);
		ASSERT_EQ(0, conn_zeroize(self->conn));
		munmap(stuck.page, PAGE);
	}
	EXPECT_EQ(0, pool_in_use(self->p.fd));
	close(uffd);
}

/* The same, and the process is killed. */
TEST_F(race, killed_in_a_copy)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	struct secbuf_info_args before, after;
	int uffd, status;
	pid_t pid;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		SKIP(return, "no userfaultfd");
	close(uffd);
	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct stuck stuck = { 0 };
		struct pool p;

		/* What the kernel offers was written there. */
		api.features = 0;
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
		stuck.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		reg.range.start = (uintptr_t)stuck.page;
		reg.range.len = PAGE;
		if (ioctl(uffd, UFFDIO_API, &api) ||
		    ioctl(uffd, UFFDIO_REGISTER, &reg) ||
		    pool_open(&p, self->dev, SLOT_SIZE, NR_SLOTS))
			_exit(1);
		stuck.conn = conn_create(self->dev, p.fd);
		copy_for_ever(&stuck);
		_exit(2);
	}
	ASSERT_TRUE(wait_until(is_stuck(pid)));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_conns, after.out_nr_conns);
	EXPECT_EQ(before.out_bytes, after.out_bytes);
}

/* Two pages: the first is there, the second comes only when it is given. */
static int missing_page(unsigned char **pages)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	*pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*pages == MAP_FAILED)
		return -1;
	memset(*pages, 0, PAGE);
	reg.range.start = (uintptr_t)*pages + PAGE;
	reg.range.len = PAGE;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		return -1;
	return uffd;
}

struct half_read {
	int		conn;
	unsigned char	*to;
	volatile pid_t	tid;
	ssize_t		ret;
};

static void *read_half(void *arg)
{
	struct half_read *half = arg;

	half->tid = gettid();
	half->ret = read(half->conn, half->to, SLOT_SIZE);
	return NULL;
}

/*
 * Somebody takes the packet of which a reader has one half and waits for the
 * page of the other. The next one that comes is the reader's, whole.
 */
TEST_F(race, another_takes_what_is_half_read)
{
	const ssize_t lens[] = { 4, SLOT_SIZE };
	unsigned char first[SLOT_SIZE], next[SLOT_SIZE], bytes[SLOT_SIZE];
	struct half_read half = { .conn = self->conn };
	struct uffdio_zeropage zero = { .mode = 0 };
	unsigned char *pages;
	struct uffd_msg msg;
	pthread_t thread;
	int uffd;

	memset(first, 1, SLOT_SIZE);
	memset(next, 2, SLOT_SIZE);
	for (int i = 0; i < 2; i++) {
		uffd = missing_page(&pages);
		if (uffd < 0)
			SKIP(return, "no userfaultfd");
		half.to = pages + PAGE - SLOT_SIZE / 2;
		half.tid = 0;
		ASSERT_EQ(0, conn_enqueue(self->conn, first, SLOT_SIZE));
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_half, &half));
		ASSERT_EQ((ssize_t)sizeof(msg), read(uffd, &msg, sizeof(msg)));
		EXPECT_EQ(SLOT_SIZE, conn_dequeue(self->conn, bytes,
						  SLOT_SIZE));
		zero.range.start = (uintptr_t)pages + PAGE;
		zero.range.len = PAGE;
		ASSERT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
		EXPECT_TRUE(wait_until(is_asleep(half.tid)));
		ASSERT_EQ(0, conn_enqueue(self->conn, next, lens[i]));
		pthread_join(thread, NULL);
		EXPECT_EQ(lens[i], half.ret);
		EXPECT_EQ(0, memcmp(half.to, next, lens[i]));
		ASSERT_EQ(0, conn_zeroize(self->conn));
		munmap(pages, 2 * PAGE);
		close(uffd);
	}
}

TEST_HARNESS_MAIN
