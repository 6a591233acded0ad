// SPDX-License-Identifier: GPL-2.0
/*
 * Pools that several processes share: who may, and what becomes of the slots of
 * one that dies, whichever way.
 */
#include "secbuf_fixture.h"
#include "secbuf_pass.h"
#include "secbuf_share.h"
#include "secbuf_touch.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * Another process: it does what it is told over a socket, and can have been
 * there before the pool or after.
 */
enum order {
	ORDER_JOIN,		/* by the descriptor @fd, or the one received */
	ORDER_ALLOC,		/* NR_IDS, filled with @value */
	ORDER_FREE,		/* @id */
	ORDER_STATS,		/* of @fd, as it is */
	ORDER_CHECK,		/* bytes of slot @id that are not @value */
	ORDER_FD,		/* send the one joined by */
	ORDER_END,		/* in the way that @value tells */
};

struct message {
	int	order;
	int	fd;
	int	value;
	int	ret;
	__u64	id;
	__u64	ids[NR_IDS];
};

enum way { END_EXIT, END_SIGKILL, END_SEGV, END_EXEC, END_CLOSE };

static int message_send(int sock, const struct message *m, int fd)
{
	return pass_with(sock, m, sizeof(*m), fd, 0);
}

/* Returns the descriptor that came along, or -1. */
static int message_receive(int sock, struct message *m)
{
	int fd;

	if (take_with(sock, m, sizeof(*m), &fd, 0))
		_exit(99);
	return fd;
}

static void actor_end(struct pool *p, enum way end, struct message *m)
{
	switch (end) {
	case END_EXIT:
		_exit(0);
	case END_SIGKILL:
		raise(SIGKILL);
		break;
	case END_SEGV:
		*(volatile int *)NULL = 0;
		break;
	case END_EXEC:
		execl("/proc/self/exe", "members_test", "sleep", NULL);
		m->ret = -errno;
		break;
	case END_CLOSE:
		pool_close(p);
		break;
	}
}

static void actor_alloc(struct pool *p, struct message *m)
{
	m->ret = pool_alloc(p->fd, m->ids, NR_IDS);
	for (int i = 0; i < m->ret; i++)
		slot_fill(p, m->ids[i], m->value);
}

static void __attribute__((noreturn)) actor_run(int sock)
{
	struct secbuf_pool_stats_args stats;
	struct pool p = { .fd = -1 };
	struct message m;
	int fd, out;

	for (;;) {
		fd = message_receive(sock, &m);
		out = -1;
		if (fd < 0)
			fd = m.fd;
		m.ret = 0;
		switch (m.order) {
		case ORDER_JOIN:
			m.ret = pool_join(&p, fd);
			break;
		case ORDER_ALLOC:
			actor_alloc(&p, &m);
			break;
		case ORDER_FREE:
			m.ret = pool_free(p.fd, &m.id, 1);
			break;
		case ORDER_STATS:
			m.ret = pool_stats(fd, &stats);
			break;
		case ORDER_CHECK:
			m.ret = count_not(pool_slot(&p, m.id), m.value,
					  p.slot_size);
			break;
		case ORDER_FD:
			out = p.fd;
			break;
		case ORDER_END:
			actor_end(&p, m.value, &m);
			break;
		}
		if (message_send(sock, &m, out))
			_exit(98);
	}
}

/* What an exec turns into. */
static void __attribute__((constructor)) sleep_after_exec(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "sleep"))
		for (;;)
			pause();
}

FIXTURE(actors)
{
	int			dev;
	struct secbuf_info_args	before;
	struct pool		p;
	__u64			ids[NR_IDS];	/* granted to the test */
	int			sock;
	pid_t			pid;
	bool			gone;
};

FIXTURE_VARIANT(actors)
{
	__u64	slot_size;
	bool	stranger;	/* was there before the pool */
};

FIXTURE_VARIANT_ADD(actors, child) { .slot_size = 64 };
FIXTURE_VARIANT_ADD(actors, child_pages) { .slot_size = 2 * PAGE };
FIXTURE_VARIANT_ADD(actors, receiver) { .slot_size = 64, .stranger = true };
FIXTURE_VARIANT_ADD(actors, receiver_pages) {
	.slot_size = 2 * PAGE, .stranger = true,
};

static pid_t actor_start(int *sock)
{
	int socks[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return -1;
	pid = fork();
	if (!pid) {
		close(socks[0]);
		actor_run(socks[1]);
	}
	close(socks[1]);
	*sock = socks[0];
	return pid;
}

FIXTURE_SETUP(actors)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, secbuf_info(self->dev, &self->before));
	if (variant->stranger)
		self->pid = actor_start(&self->sock);
	ASSERT_EQ(0, pool_open_flags(&self->p, self->dev, variant->slot_size,
				     NR_SLOTS, SECBUF_POOL_F_PASSABLE));
	if (!variant->stranger)
		self->pid = actor_start(&self->sock);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(NR_IDS, pool_alloc(self->p.fd, self->ids, NR_IDS));
	for (int i = 0; i < NR_IDS; i++)
		slot_fill(&self->p, self->ids[i], 0x11);
}

FIXTURE_TEARDOWN(actors)
{
	struct secbuf_info_args info;

	close(self->sock);
	if (!self->gone) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	if (self->p.fd >= 0)
		pool_close(&self->p);
	EXPECT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->before.out_bytes, info.out_bytes);
	EXPECT_EQ(self->before.out_nr_pools, info.out_nr_pools);
	close(self->dev);
}

/* Sends the order, with the pool's descriptor for a stranger; fills @m. */
static int ask(FIXTURE_DATA(actors) *self, bool stranger, struct message *m)
{
	bool pass = m->order == ORDER_JOIN || m->order == ORDER_STATS;

	m->fd = self->p.fd;
	if (message_send(self->sock, m, stranger && pass ? self->p.fd : -1))
		return -EIO;
	return message_receive(self->sock, m);
}

#define ASK(...) ({							\
	struct message _m = { __VA_ARGS__ };				\
	int _fd = ask(self, variant->stranger, &_m);			\
									\
	_m.fd = _fd;							\
	_m;								\
})

#define EXPECT_MINE_INTACT() do {					\
	for (int _i = 0; _i < NR_IDS; _i++)				\
		EXPECT_SLOT(&self->p, self->ids[_i], 0x11);		\
	EXPECT_EQ(NR_IDS, in_use(self->p.fd));				\
} while (0)

/* As it is, the descriptor is of no use to others. */
TEST_F(actors, needs_its_own_descriptor)
{
	struct message m;

	m = ASK(.order = ORDER_STATS);
	EXPECT_EQ(-EPERM, m.ret);
	m = ASK(.order = ORDER_JOIN);
	EXPECT_EQ(0, m.ret);
	m = ASK(.order = ORDER_STATS);
	EXPECT_EQ(-EPERM, m.ret);
}

TEST_F(actors, share)
{
	struct message m;

	ASSERT_EQ(0, ASK(.order = ORDER_JOIN).ret);
	EXPECT_EQ(0, ASK(.order = ORDER_CHECK, .id = self->ids[3],
			 .value = 0x11).ret);
	m = ASK(.order = ORDER_ALLOC, .value = 0x22);
	ASSERT_EQ(NR_IDS, m.ret);
	EXPECT_SLOT(&self->p, m.ids[5], 0x22);
	EXPECT_EQ(-ENOENT, pool_free(self->p.fd, m.ids, 1));
	EXPECT_EQ(-ENOENT, ASK(.order = ORDER_FREE, .id = self->ids[3]).ret);
	EXPECT_EQ(1, ASK(.order = ORDER_FREE, .id = m.ids[5]).ret);
	EXPECT_SLOT(&self->p, m.ids[5], 0);
	EXPECT_EQ(-ENOENT, ASK(.order = ORDER_FREE, .id = m.ids[5]).ret);
	EXPECT_MINE_INTACT();
}

/* The bytes of a slot whose owner is gone, however they can be seen. */
#define EXPECT_GONE(id)	do {						\
	if (!touch(pool_slot(&self->p, id), false))			\
		EXPECT_SLOT(&self->p, id, 0);				\
} while (0)

static void actor_dies(struct __test_metadata *_metadata,
		       FIXTURE_DATA(actors) *self,
		       const FIXTURE_VARIANT(actors) *variant, enum way end)
{
	struct secbuf_pool_stats_args stats;
	struct message m, order = { .order = ORDER_END, .value = end };
	__u64 bytes = bytes_held(self->p.fd);
	int fd, status;

	ASSERT_EQ(0, ASK(.order = ORDER_JOIN).ret);
	fd = ASK(.order = ORDER_FD).fd;
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, pool_stats(fd, &stats));
	m = ASK(.order = ORDER_ALLOC, .value = 0x22);
	ASSERT_EQ(NR_IDS, m.ret);
	EXPECT_LT(bytes, bytes_held(self->p.fd));

	/* Nothing holds the member up once we do not. */
	if (end == END_CLOSE || !secbuf_owner_death(self->dev)) {
		close(fd);
		fd = -1;
	}
	ASSERT_EQ(0, message_send(self->sock, &order, -1));
	if (end == END_CLOSE) {
		message_receive(self->sock, &order);
	} else if (end == END_EXEC) {
		/* The socket closes on exec, which is done then. */
		EXPECT_EQ(0, recv(self->sock, &order, sizeof(order), 0));
	} else {
		ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
		self->gone = true;
	}

	for (int i = 0; i < NR_IDS; i++)
		EXPECT_GONE(m.ids[i]);
	EXPECT_MINE_INTACT();
	EXPECT_EQ(bytes, bytes_held(self->p.fd));
	if (fd >= 0) {
		struct pool again = { .fd = -1 };

		EXPECT_EQ(-ESHUTDOWN, pool_stats(fd, &stats));
		ASSERT_EQ(0, pool_join(&again, fd));
		EXPECT_EQ(0, in_use(again.fd));
		EXPECT_SLOT(&again, self->ids[2], 0x11);
		pool_close(&again);
		close(fd);
	}
	/* All slots that there are can be had again. */
	EXPECT_EQ(NR_SLOTS - NR_IDS, pool_alloc(self->p.fd,
						(__u64[NR_SLOTS]){ 0 },
						NR_SLOTS));
}

#define ACTOR_DIES(end)	actor_dies(_metadata, self, variant, end)

TEST_F(actors, dies_by_exit)
{
	ACTOR_DIES(END_EXIT);
}

TEST_F(actors, dies_by_sigkill)
{
	ACTOR_DIES(END_SIGKILL);
}

TEST_F(actors, dies_by_sigsegv)
{
	ACTOR_DIES(END_SEGV);
}

TEST_F(actors, dies_by_exec)
{
	ACTOR_DIES(END_EXEC);
}

TEST_F(actors, dies_by_close)
{
	ACTOR_DIES(END_CLOSE);
}

/* A page that holds slots of two stays with the second when the first dies. */
TEST_F(actors, payer_dies)
{
	struct message m;
	__u64 mine[NR_SLOTS];
	int nr, status;

	ASSERT_EQ(0, ASK(.order = ORDER_JOIN).ret);
	m = ASK(.order = ORDER_ALLOC, .value = 0x22);
	ASSERT_EQ(NR_IDS, m.ret);
	nr = pool_alloc(self->p.fd, mine, NR_SLOTS);
	ASSERT_EQ(NR_SLOTS - 2 * NR_IDS, nr);
	for (int i = 0; i < nr; i++)
		slot_fill(&self->p, mine[i], 0x33);
	kill(self->pid, SIGKILL);
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	self->gone = true;

	for (int i = 0; i < NR_IDS; i++)
		EXPECT_GONE(m.ids[i]);
	for (int i = 0; i < nr; i++)
		EXPECT_SLOT(&self->p, mine[i], 0x33);
	ASSERT_EQ(nr, pool_free(self->p.fd, mine, nr));
	EXPECT_EQ(NR_IDS, in_use(self->p.fd));
	pool_shrink(self->p.fd, NR_SLOTS);
	EXPECT_EQ(variant->slot_size < PAGE ? PAGE :
		  NR_IDS * variant->slot_size, bytes_held(self->p.fd));
}

/* Each user pays for his own. */
TEST_F(actors, charged_to_the_one_who_asked)
{
	struct secbuf_info_args before, info;
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_SLOTS];
	pid_t pid;
	int status;

	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	pid = fork();
	if (!pid) {
		struct pool p;

		if (syscall(SYS_setresuid, 12345, 12345, 12345) ||
		    pool_join(&p, self->p.fd) ||
		    pool_alloc(p.fd, ids, NR_SLOTS) != NR_SLOTS - NR_IDS)
			_exit(1);
		pool_stats(p.fd, &stats);
		if (secbuf_info(self->dev, &info))
			_exit(2);
		/* At least what is not on the page of the first. */
		if (info.out_user_bytes < stats.out_bytes / 2)
			_exit(3);
		if (info.out_bytes - before.out_bytes != info.out_user_bytes)
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(before.out_bytes, info.out_bytes);
	EXPECT_EQ(before.out_user_bytes, info.out_user_bytes);
}

/* Who made the pool is gone, with all his descriptors but the one we have. */
TEST_F(actors, attach_when_the_owner_is_dead)
{
	struct secbuf_pool_stats_args stats;
	struct message m = { 0 };
	struct pool p;
	int fd, status, socks[2];
	pid_t pid;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "no object dies with its owner here");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socks));
	pid = fork();
	if (!pid) {
		__u64 id;

		if (pool_open_flags(&p, self->dev, PAGE, 8,
				    SECBUF_POOL_F_PASSABLE) ||
		    pool_alloc(p.fd, &id, 1) != 1)
			_exit(1);
		slot_fill(&p, id, 0x55);
		message_send(socks[1], &m, p.fd);
		_exit(0);
	}
	fd = message_receive(socks[0], &m);
	ASSERT_LE(0, fd);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ESHUTDOWN, pool_stats(fd, &stats));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd,
				   0));
	ASSERT_EQ(0, pool_join(&p, fd));
	close(fd);
	EXPECT_EQ(8, pool_alloc(p.fd, (__u64[8]){ 0 }, 8));
	for (int i = 0; i < 8; i++)
		EXPECT_SLOT(&p, i, 0);
	pool_close(&p);
}

TEST_HARNESS_MAIN
