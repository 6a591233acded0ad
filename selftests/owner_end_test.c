// SPDX-License-Identifier: GPL-2.0
/*
 * The end of an owner whom others do not let go: processes that share its
 * address space, and members who have its pool.
 */
#include "secbuf_fixture.h"
#include "secbuf_pass.h"
#include "secbuf_share.h"
#include "secbuf_touch.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define EXEC_ENV	"SECBUF_OWNER_END"

/* What an exec makes of the owner. */
static void __attribute__((constructor)) after_exec(void)
{
	if (!getenv(EXEC_ENV))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void die_exec(void)
{
	setenv(EXEC_ENV, "1", 1);
	execl("/proc/self/exe", "owner_end_test", NULL);
	_exit(1);
}

static void die_exit(void)
{
	_exit(0);
}

static void die_sigkill(void)
{
	raise(SIGKILL);
}

/* The descriptors that the owner has at its end. */
enum keeps { KEEPS_ALL, KEEPS_ONE };

FIXTURE(sibling)
{
	int dev;
};

FIXTURE_VARIANT(sibling)
{
	void (*die)(void);
	enum keeps keeps;
};

FIXTURE_VARIANT_ADD(sibling, exit) { .die = die_exit };
FIXTURE_VARIANT_ADD(sibling, sigkill) { .die = die_sigkill };
FIXTURE_VARIANT_ADD(sibling, exec) { .die = die_exec };

/* What he closed before dies as well. */
FIXTURE_VARIANT_ADD(sibling, exit_with_one)
{
	.die = die_exit, .keeps = KEEPS_ONE,
};

FIXTURE_VARIANT_ADD(sibling, sigkill_with_one)
{
	.die = die_sigkill, .keeps = KEEPS_ONE,
};

FIXTURE_VARIANT_ADD(sibling, exec_with_one)
{
	.die = die_exec, .keeps = KEEPS_ONE,
};

FIXTURE_SETUP(sibling)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(sibling)
{
	close(self->dev);
}

/* Shared by owner and sibling, as all of their memory is. */
static struct {
	struct pool p[2];
	__u64 ids[2];
	int gone[2];	/* a pipe: at its end the owner is */
	int go[2];
} both;

/* Has a copy of the descriptors, of which those of the owner are not. */
static int sibling_run(void *unused __attribute__((unused)))
{
	struct secbuf_pool_info_args info;
	unsigned int i;
	char byte;

	close(both.gone[1]);
	if (write(both.go[1], "x", 1) != 1 ||
	    read(both.gone[0], &byte, 1) != 0)
		_exit(1);
	for (i = 0; i < 2; i++) {
		if (touch(pool_slot(&both.p[i], both.ids[i]), false) != SIGBUS)
			_exit(2 + i);
		if (pool_info(both.p[i].fd, &info) != -ESHUTDOWN)
			_exit(4 + i);
	}
	_exit(0);
}

static void owner_run(int dev, enum keeps keeps, void (*die)(void))
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	unsigned int i;
	char byte;

	for (i = 0; i < 2; i++) {
		if (pool_open(&both.p[i], dev, PAGE, 4) ||
		    pool_alloc(both.p[i].fd, &both.ids[i], 1) != 1)
			_exit(101);
		memset(pool_slot(&both.p[i], both.ids[i]), 0x5a, PAGE);
	}
	/* Descriptors are closed in order: this one after those of the pools. */
	if (pipe2(both.go, O_CLOEXEC) || pipe2(both.gone, O_CLOEXEC))
		_exit(102);
	if (clone(sibling_run, stack + sizeof(stack), CLONE_VM | CLONE_PARENT |
		  SIGCHLD, NULL) < 0)
		_exit(103);
	if (read(both.go[0], &byte, 1) != 1)
		_exit(104);
	if (keeps == KEEPS_ONE)
		close(both.p[0].fd);
	die();
}

TEST_F(sibling, finds_nothing)
{
	int status, i;
	pid_t pid;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "objects do not die with their owner here");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		owner_run(self->dev, variant->keeps, variant->die);
	for (i = 0; i < 2; i++) {
		pid_t who = wait(&status);

		ASSERT_LT(0, who);
		if (who == pid)
			continue;
		EXPECT_EQ(0, status);
		/* Unless it has, what is another program now. */
		if (!i)
			kill(pid, SIGKILL);
	}
}

/* So many slots are seen by so many members that taking them back takes long. */
#define SHARED_SLOTS	1024
#define MEMBERS		64
#define ROUNDS		10

/* Slots of what others have, too, and one that nobody has but the owner. */
static void owner_of_both(int dev, int sock)
{
	struct pool own, shared;
	__u64 ids[SHARED_SLOTS];

	if (pool_open(&own, dev, PAGE, 1) || pool_alloc(own.fd, ids, 1) != 1 ||
	    pool_open_flags(&shared, dev, PAGE, SHARED_SLOTS,
			    SECBUF_POOL_F_PASSABLE) ||
	    pool_alloc(shared.fd, ids, SHARED_SLOTS) != SHARED_SLOTS)
		_exit(1);
	if (send_fd(sock, own.fd) || send_fd(sock, shared.fd))
		_exit(2);
	for (;;)
		pause();
}

static bool members_join(struct pool *members, int fd)
{
	size_t at;
	int i;

	for (i = 0; i < MEMBERS; i++) {
		if (pool_map(&members[i], pool_attach(fd)))
			return false;
		for (at = 0; at < members[i].map_size; at += PAGE)
			touch(members[i].map + at, false);
	}
	return true;
}

static bool zero_and_held(int own)
{
	return fdinfo(own, "bytes_zeroized") > 0 && fdinfo(own, "in_use") > 0;
}

/*
 * Was the owner's own slot zeroized, and for some time not taken back, because
 * what is shared was? Statistics of that have to wait meanwhile.
 */
static bool own_came_first(int own)
{
	__u64 end = now_ms() + WAIT_MS;

	while (fdinfo(own, "in_use") && now_ms() < end) {
		if (!zero_and_held(own))
			continue;
		sleep_ms(2);
		if (zero_and_held(own))
			return true;
	}
	return false;
}

/* Returns -1 if something else went wrong. */
static int kill_one(int dev)
{
	static struct pool members[MEMBERS];
	int socks[2], own, shared, ret = -1, i;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks))
		return -1;
	pid = fork();
	if (!pid)
		owner_of_both(dev, socks[1]);
	close(socks[1]);
	own = receive_fd(socks[0]);
	shared = receive_fd(socks[0]);
	if (own >= 0 && shared >= 0 && members_join(members, shared) &&
	    fdinfo(own, "bytes_zeroized") == 0 &&
	    fdinfo(shared, "in_use") == SHARED_SLOTS) {
		kill(pid, SIGKILL);
		ret = own_came_first(own);
	}
	for (i = 0; i < MEMBERS; i++)
		pool_close(&members[i]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(own);
	close(shared);
	close(socks[0]);
	return ret;
}

TEST(what_is_shared_does_not_come_first)
{
	int dev = secbuf_open(), ret = 0, i;

	ASSERT_LE(0, dev);
	if (!secbuf_owner_death(dev))
		SKIP(return, "objects do not die with their owner here");
	/* Who looks may be late. */
	for (i = 0; i < ROUNDS && !ret; i++)
		ret = kill_one(dev);
	EXPECT_EQ(1, ret);
	TH_LOG("%d rounds", i);
	close(dev);
}

TEST_HARNESS_MAIN
