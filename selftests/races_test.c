// SPDX-License-Identifier: GPL-2.0
/*
 * Two calls on one object at the same moment, again and again: a round begins
 * with a new object, both threads start together, and what comes of it must be
 * one of what can come of either order. Then the same while a CPU goes and
 * comes.
 * Of rings ring_race_test tells more.
 *
 * SECBUF_RACE_SECONDS: how long, for each pair; default 1
 */
#include "races_pairs.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* However slow the machine is. */
#define ROUNDS_MIN	5

/*
 * Rounds
 */

struct arena {
	const struct race	*race;
	struct world		world;
	int			ret[2];
	/* Rounds that may begin, and sides that have ended them. */
	unsigned int		begun;
	unsigned int		ended;
	/* Who is about to begin. */
	unsigned int		here[2];
	bool			stop;
};

static struct arena arena;
static unsigned long nr_rounds;

/* Sleeps after a while: others may need the CPU. Returns what it is then. */
static unsigned int until_not(unsigned int *word, unsigned int value)
{
	unsigned int seen, looks = 0;

	while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) == value)
		if (++looks > 300)
			usleep(20);
	return seen;
}

/* Both are awake, and go on within moments. */
static void meet(unsigned int *mine, unsigned int *other, unsigned int round)
{
	__atomic_store_n(mine, round, __ATOMIC_RELEASE);
	/* Where there is one CPU they take turns. */
	while (__atomic_load_n(other, __ATOMIC_ACQUIRE) != round)
		sched_yield();
}

static void *left(void *arg)
{
	unsigned int round = 0;

	(void)arg;
	for (;;) {
		round = until_not(&arena.begun, round);
		if (arena.stop)
			return NULL;
		meet(&arena.here[0], &arena.here[1], round);
		arena.ret[0] = arena.race->sides[0](&arena.world);
		__atomic_store_n(&arena.ended, round, __ATOMIC_RELEASE);
	}
}

/* Returns what was wrong, or 0. */
static int round_run(const struct race *race, int dev, unsigned int round)
{
	unsigned int ended = arena.ended, here = arena.here[0];
	struct world *w = &arena.world;
	int err;

	world_open(w, dev);
	err = race->prepare(w);
	if (err) {
		ksft_print_msg("cannot be prepared\n");
		return err;
	}
	__atomic_store_n(&arena.begun, round, __ATOMIC_RELEASE);
	until_not(&arena.here[0], here);
	meet(&arena.here[1], &arena.here[0], round);
	/* Now this one is first, and now the other. */
	for (volatile int i = rand() % 3000; i; i--)
		;
	arena.ret[1] = race->sides[1](w);
	until_not(&arena.ended, ended);
	err = arena.ret[0] ?: arena.ret[1];
	if (!err && race->check)
		err = race->check(w);
	world_close(w);
	return err;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Returns the rounds, or what was wrong. */
static long race_run(const struct race *race, double seconds)
{
	double end = now() + seconds;
	int dev = secbuf_open(), err = 0;
	unsigned int round = 0;
	pthread_t thread;

	memset(&arena, 0, sizeof(arena));
	arena.race = race;
	if (pthread_create(&thread, NULL, left, NULL))
		return -EAGAIN;
	while (!err && (now() < end || round < ROUNDS_MIN))
		err = round_run(race, dev, ++round);
	arena.stop = true;
	__atomic_store_n(&arena.begun, ++round, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	nr_rounds += round - 1;
	if (!err && bytes_settled(dev, 0))
		err = -EBUSY;
	close(dev);
	return err ?: (long)round - 1;
}

static void race_report(const struct race *race, double seconds)
{
	long ret = race_run(race, seconds);

	if (ret < 0)
		ksft_print_msg("%s: %s\n", race->name, strerror(-ret));
	else
		ksft_print_msg("%s: %ld rounds\n", race->name, ret);
	ksft_test_result(ret > 0, "%s\n", race->name);
}

/*
 * An owner dies while others use what is his
 */

static struct world theirs;

static void *owner_works(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	for (;;) {
		const struct race *race =
			&races[rand_r(&seed) % ARRAY_SIZE(races)];

		race->sides[rand_r(&seed) % 2](&theirs);
	}
	return NULL;
}

/* Makes something, tells how the descriptors are called, and works. */
static void __attribute__((noreturn)) owner_lives(int dev, int pipe,
						  unsigned int seed)
{
	pthread_t thread;
	int fds[3];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	world_open(&theirs, dev);
	if (make_stream(&theirs))
		_exit(1);
	fds[0] = theirs.pool.fd;
	fds[1] = theirs.ring.c.fd;
	fds[2] = theirs.conn;
	if (write(pipe, fds, sizeof(fds)) != sizeof(fds))
		_exit(1);
	for (uintptr_t i = 1; i < 3; i++)
		pthread_create(&thread, NULL, owner_works,
			       (void *)(seed + i));
	owner_works((void *)(uintptr_t)seed);
	_exit(1);
}

/* By one who has the descriptors and owns nothing. */
static void use_as_stranger(const int fds[3])
{
	struct pollfd polls[3];
	unsigned char byte;
	int fd;

	for (int i = 0; i < 3; i++)
		polls[i] = (struct pollfd){ fds[i], POLLIN, 0 };
	poll(polls, 3, 0);
	fd = pool_attach(fds[0]);
	if (fd >= 0)
		close(fd);
	(void)!read(fds[1], &byte, 1);
	ring_claim(fds[1]);
	(void)!read(fds[2], &byte, 1);
}

static int owner_dies(int dev, unsigned int seed)
{
	int pipes[2], fds[3], pidfd, ret = -ENODATA;
	pid_t pid;

	if (pipe(pipes))
		return -errno;
	pid = fork();
	if (!pid)
		owner_lives(dev, pipes[1], seed);
	close(pipes[1]);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (read(pipes[0], fds, sizeof(fds)) == sizeof(fds)) {
		for (int i = 0; i < 3; i++)
			fds[i] = syscall(SYS_pidfd_getfd, pidfd, fds[i], 0);
		usleep(rand() % 3000);
		kill(pid, SIGKILL);
		for (int i = 0; i < 4; i++)
			use_as_stranger(fds);
		waitpid(pid, NULL, 0);
		use_as_stranger(fds);
		ret = 0;
		for (int i = 0; i < 3; i++)
			close(fds[i]);
	}
	close(pipes[0]);
	close(pidfd);
	return ret;
}

static void owners_report(double seconds)
{
	double end = now() + 3 * seconds;
	int dev = secbuf_open(), err = 0;
	unsigned int rounds = 0;

	while (!err && (now() < end || rounds < ROUNDS_MIN))
		err = owner_dies(dev, ++rounds);
	if (!err && bytes_settled(dev, 0))
		err = -EBUSY;
	close(dev);
	nr_rounds += rounds;
	if (err)
		ksft_print_msg("death of owners: %s\n", strerror(-err));
	ksft_print_msg("death of owners: %u rounds\n", rounds);
	ksft_test_result(!err && rounds, "owners die while all is used\n");
}

/*
 * A CPU goes and comes
 */

#define CPU	"/sys/devices/system/cpu/cpu1/online"

/* A machine that stands still can miss it. */
static void cpu_on(int fd)
{
	char now = '0';

	(void)wait_until(pwrite(fd, "1", 1, 0) == 1 ||
			 (pread(fd, &now, 1, 0) == 1 && now == '1'));
}

struct toggler {
	int		fd;
	unsigned long	turns;
};

/*
 * Opens nothing: that would get the number of a descriptor that is being closed,
 * and be what the other side calls.
 */
static void *cpu_toggles(void *arg)
{
	struct toggler *toggler = arg;

	while (!__atomic_load_n(&arena.stop, __ATOMIC_RELAXED)) {
		if (pwrite(toggler->fd, "0", 1, 0) == 1)
			toggler->turns++;
		cpu_on(toggler->fd);
	}
	return NULL;
}

static void hotplug_report(const struct race *race, double seconds)
{
	struct toggler toggler = { open(CPU, O_RDWR | O_CLOEXEC), 0 };
	pthread_t thread;
	long ret;

	if (toggler.fd < 0) {
		ksft_test_result_skip("%s and hotplug: CPU 1 cannot go\n",
				      race->name);
		return;
	}
	arena.stop = false;
	if (pthread_create(&thread, NULL, cpu_toggles, &toggler))
		return;
	ret = race_run(race, seconds);
	arena.stop = true;
	pthread_join(thread, NULL);
	close(toggler.fd);
	if (ret < 0)
		ksft_print_msg("%s: %s\n", race->name, strerror(-ret));
	else
		ksft_print_msg("%s: %ld rounds, %lu turns of the CPU\n",
			       race->name, ret, toggler.turns);
	ksft_test_result(ret > 0, "%s and hotplug\n", race->name);
}

/*
 * The module goes while somebody opens the device
 */

static void *opens(void *arg)
{
	unsigned long *nr = arg;
	struct secbuf_pool_create_args args;

	while (!__atomic_load_n(&arena.stop, __ATOMIC_RELAXED)) {
		int dev = secbuf_open();

		if (dev < 0) {
			usleep(50);
			continue;
		}
		__atomic_fetch_add(nr, 1, __ATOMIC_RELAXED);
		/* Time for it to go, if anything lets it. */
		usleep(rand() % 300);
		if (!pool_create(dev, SLOT_SIZE, SLOTS, &args))
			close(args.out_fd);
		close(dev);
		/* The module can go in between, or not. */
		usleep(rand() % 200);
	}
	return NULL;
}

static int module_load(void)
{
	char path[256] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash = strrchr(path, '/');
	int fd, ret;

	if (n < 0 || !slash)
		return -ENOENT;
	strcpy(slash, "/secbuf.ko");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

static void unload_report(double seconds)
{
	unsigned long opened = 0, rounds = 0;
	double end = now() + 3 * seconds;
	pthread_t thread;
	int err = 0;

	arena.stop = false;
	if (pthread_create(&thread, NULL, opens, &opened))
		return;
	while (!err && (now() < end || rounds < ROUNDS_MIN ||
			__atomic_load_n(&opened, __ATOMIC_RELAXED) <
			ROUNDS_MIN)) {
		usleep(rand() % 300);
		if (syscall(SYS_delete_module, "secbuf", O_NONBLOCK)) {
			err = errno == EWOULDBLOCK || errno == EBUSY ? 0 :
			      -errno;
			continue;
		}
		rounds++;
		err = module_load();
	}
	arena.stop = true;
	pthread_join(thread, NULL);
	nr_rounds += rounds;
	if (err)
		ksft_print_msg("rmmod: %s\n", strerror(-err));
	ksft_print_msg("rmmod: unloaded %lu times, opened %lu\n", rounds,
		       opened);
	ksft_test_result(!err && rounds && opened, "rmmod and open\n");
}

#define OWNERS	"owners die while all is used"
#define UNLOAD	"rmmod and open"

static bool is_wanted(const char *name, const char *first)
{
	return !strncmp(name, first, strlen(first));
}

/* races_test [TEXT]: all, or those whose names begin so. */
int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	const char *text = getenv("SECBUF_RACE_SECONDS");
	double seconds = text && *text ? atof(text) : 1;
	unsigned int nr = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* What is kept for nothing would be counted. */
	param_write("idle_secs", "0", NULL);
	ksft_print_header();
	for (size_t i = 0; i < ARRAY_SIZE(races); i++)
		nr += is_wanted(races[i].name, first);
	ksft_set_plan(2 * nr + is_wanted(OWNERS, first) +
		      is_wanted(UNLOAD, first));
	for (size_t i = 0; i < ARRAY_SIZE(races); i++)
		if (is_wanted(races[i].name, first))
			race_report(&races[i], seconds);
	for (size_t i = 0; i < ARRAY_SIZE(races); i++)
		if (is_wanted(races[i].name, first))
			hotplug_report(&races[i], seconds / 4);
	if (is_wanted(OWNERS, first))
		owners_report(seconds);
	if (is_wanted(UNLOAD, first))
		unload_report(seconds);
	ksft_print_msg("proof: races %lu\n", nr_rounds);
	ksft_finished();
}
