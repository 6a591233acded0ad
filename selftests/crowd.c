// SPDX-License-Identifier: GPL-2.0
/*
 * crowd pool|malloc ROUNDS NEEDLES: eight processes work with secrets, in a pool
 * that they share or in memory of their own; in each round one of them, at
 * random, is killed with SIGKILL wherever it is, and another takes its place.
 *
 * The secret of process N is the files NEEDLES/crowd-N.mask and .masked xored,
 * with malloc crowd-malloc for all. It is made byte by byte where it shall be
 * and exists nowhere else, so that a search of the RAM tells what becomes of it.
 *
 * Prints "started". When the rounds are over all are killed, and this process,
 * which has attached to the pool as well, prints what is left of them and waits
 * to be killed:
 *
 *	ended IN_USE ALLOCATED BYTES CHARGED
 *
 * CHARGED is what the users pay beyond the pool and its two descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/secbuf.h>

#define SECRET_LEN	32
#define NR_WORKERS	8
#define NR_IDS		8
#define SLOT_SIZE	256
#define MAX_SLOTS	256

struct pool {
	int		dev;
	int		fd;
	unsigned char	*map;
};

struct secret {
	volatile unsigned char mask[SECRET_LEN];
	volatile unsigned char masked[SECRET_LEN];
};

static struct secret secrets[NR_WORKERS];

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void file_read(const char *path, volatile unsigned char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, (void *)buf, SECRET_LEN) != SECRET_LEN)
		die(path);
	close(fd);
}

static void secrets_read(const char *dir, bool pool)
{
	char path[256];

	for (int i = 0; i < NR_WORKERS; i++) {
		char name[16] = "malloc";

		if (pool)
			snprintf(name, sizeof(name), "%d", i);
		snprintf(path, sizeof(path), "%s/crowd-%s.mask", dir, name);
		file_read(path, secrets[i].mask);
		snprintf(path, sizeof(path), "%s/crowd-%s.masked", dir, name);
		file_read(path, secrets[i].masked);
	}
}

/* All over the slot, so that any part of it that is missed shows. */
static void secret_write(const struct secret *s, volatile unsigned char *p)
{
	for (int at = 0; at < SLOT_SIZE; at += SECRET_LEN)
		for (int i = 0; i < SECRET_LEN; i++)
			p[at + i] = s->mask[i] ^ s->masked[i];
}

static void pool_map(struct pool *p)
{
	p->map = mmap(NULL, MAX_SLOTS * SLOT_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED, p->fd, 0);
	if (p->map == MAP_FAILED)
		die("mmap");
}

static void pool_join(struct pool *p)
{
	struct secbuf_pool_attach_args args = { .size = sizeof(args) };

	if (ioctl(p->fd, SECBUF_IOC_POOL_ATTACH, &args))
		die("POOL_ATTACH");
	close(p->fd);
	p->fd = args.out_fd;
	pool_map(p);
}

static void pool_create(struct pool *p)
{
	struct secbuf_pool_create_args args = {
		.size = sizeof(args),
		.flags = SECBUF_POOL_F_MAPPED | SECBUF_POOL_F_PASSABLE,
		.slot_size = SLOT_SIZE,
		.max_slots = MAX_SLOTS,
	};

	p->dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	if (p->dev < 0)
		die("/dev/secbuf");
	if (ioctl(p->dev, SECBUF_IOC_POOL_CREATE, &args))
		die("POOL_CREATE");
	p->fd = args.out_fd;
}

/* A conn with a buffer, @id. */
static int conn_open(const struct pool *p, uint64_t *id)
{
	struct secbuf_conn_create_args create = {
		.size = sizeof(create), .pool_fd = p->fd,
	};
	struct secbuf_conn_buffer_args buffer = { .size = sizeof(buffer) };

	if (ioctl(p->dev, SECBUF_IOC_CONN_CREATE, &create))
		die("CONN_CREATE");
	if (ioctl(create.out_fd, SECBUF_IOC_CONN_BUFFER, &buffer))
		die("CONN_BUFFER");
	*id = buffer.out_id;
	return create.out_fd;
}

static int conn_open_with_secret(const struct pool *p, const struct secret *s)
{
	uint64_t id;
	int conn = conn_open(p, &id);

	secret_write(s, p->map + id * SLOT_SIZE);
	return conn;
}

static void __attribute__((noreturn)) work_pool(struct pool *p, int n)
{
	struct secbuf_pool_alloc_args alloc = { .size = sizeof(alloc) };
	struct secbuf_pool_free_args give = { .size = sizeof(give) };
	uint64_t ids[NR_IDS];
	int conn = -1;

	pool_join(p);
	for (;;) {
		alloc.ids_ptr = (uintptr_t)ids;
		alloc.nr = 1 + rand() % NR_IDS;
		if (ioctl(p->fd, SECBUF_IOC_POOL_ALLOC, &alloc))
			die("POOL_ALLOC");
		for (unsigned int i = 0; i < alloc.out_done; i++)
			secret_write(&secrets[n], p->map + ids[i] * SLOT_SIZE);
		if (conn >= 0)
			close(conn);
		conn = n % 2 ? conn_open_with_secret(p, &secrets[n]) : -1;
		give.ids_ptr = (uintptr_t)ids;
		give.nr = alloc.out_done;
		if (ioctl(p->fd, SECBUF_IOC_POOL_FREE, &give))
			die("POOL_FREE");
	}
}

static void __attribute__((noreturn)) work_malloc(int n)
{
	unsigned char *slots[NR_IDS];
	int nr;

	for (;;) {
		nr = 1 + rand() % NR_IDS;
		for (int i = 0; i < nr; i++) {
			slots[i] = malloc(SLOT_SIZE);
			if (!slots[i])
				die("malloc");
			secret_write(&secrets[n], slots[i]);
		}
		while (nr)
			free(slots[--nr]);
	}
}

static pid_t worker_start(struct pool *p, bool pool, int n, int round)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(round * NR_WORKERS + n);
	if (pool)
		work_pool(p, n);
	work_malloc(n);
}

static void worker_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		fprintf(stderr, "crowd: a worker ended with %d\n", status);
		exit(1);
	}
}

static uint64_t charged(int dev)
{
	struct secbuf_info_args args = { .size = sizeof(args) };

	if (ioctl(dev, SECBUF_IOC_INFO, &args))
		die("INFO");
	return args.out_bytes;
}

static void rounds_run(struct pool *p, bool pool, int rounds)
{
	pid_t pids[NR_WORKERS];
	int n;

	for (n = 0; n < NR_WORKERS; n++)
		pids[n] = worker_start(p, pool, n, 0);
	for (int round = 1; round <= rounds; round++) {
		usleep(rand() % 8000);
		n = rand() % NR_WORKERS;
		worker_kill(pids[n]);
		pids[n] = worker_start(p, pool, n, round);
		if (round == 1 + rounds / 2) {
			printf("started\n");
			fflush(stdout);
		}
	}
	for (n = 0; n < NR_WORKERS; n++)
		worker_kill(pids[n]);
}

/* Two descriptors: one for the workers to attach to, one that stays alive. */
static void pool_run(int rounds)
{
	struct secbuf_pool_stats_args stats = { .size = sizeof(stats) };
	struct secbuf_pool_shrink_args shrink = {
		.size = sizeof(shrink), .nr = MAX_SLOTS,
	};
	struct pool mine, theirs = { 0 };
	uint64_t before, id;

	pool_create(&theirs);
	mine = theirs;
	mine.fd = dup(theirs.fd);
	pool_join(&mine);
	/* Only the page of words stays, from the first conn on. */
	close(conn_open(&mine, &id));
	if (ioctl(mine.fd, SECBUF_IOC_POOL_SHRINK, &shrink))
		die("POOL_SHRINK");
	before = charged(mine.dev);
	rounds_run(&theirs, true, rounds);
	if (ioctl(mine.fd, SECBUF_IOC_POOL_STATS, &stats))
		die("POOL_STATS");
	printf("ended %u %u %llu %lld\n", stats.out_in_use,
	       stats.out_allocated, (unsigned long long)stats.out_bytes,
	       (long long)(charged(mine.dev) - before));
}

int main(int argc, char **argv)
{
	bool pool = argc == 4 && !strcmp(argv[1], "pool");

	if (argc != 4 || (!pool && strcmp(argv[1], "malloc"))) {
		fprintf(stderr, "usage: crowd pool|malloc ROUNDS NEEDLES\n");
		return 2;
	}
	srand(time(NULL));
	secrets_read(argv[3], pool);
	if (pool) {
		pool_run(atoi(argv[2]));
	} else {
		rounds_run(NULL, false, atoi(argv[2]));
		printf("ended\n");
	}
	fflush(stdout);
	for (;;)
		pause();
}
