// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes on one passable pool, each on a CPU of its own, against one of
 * them alone: operations per 1000 cycles of both together. One operation takes
 * 1 KiB, writes all of it and frees it. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * Where one works alone the other waits, spinning, as it does between batches.
 * Two processes, and each attached by itself: in User Mode Linux two threads of
 * one process do not run at the same time.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define SIDES		2
#define ROUNDS		2001		/* batches of both, and of one */
#define NR		4096		/* operations of a side in a batch */
#define SIZE		1024

struct shared {
	atomic_uint arrivals;
	atomic_ullong begin[SIDES];
	atomic_ullong end[SIDES];
};

static struct shared *shared;
static struct secbuf_pool *pool;

static void work(void)
{
	unsigned int i;
	void *p;

	for (i = 0; i < NR; i++) {
		turns_must(!secbuf_pool_alloc(pool, &p), "secbuf_pool_alloc");
		write_all(p, SIZE);
		turns_must(!secbuf_pool_free(pool, p), "secbuf_pool_free");
	}
}

/* Both go on when both are here. */
static void meet(unsigned int *meetings)
{
	unsigned int all = SIDES * ++*meetings;

	atomic_fetch_add(&shared->arrivals, 1);
	while ((int)(atomic_load(&shared->arrivals) - all) < 0)
		__builtin_ia32_pause();
}

/* From the first one's beginning to the last one's end. */
static unsigned long long elapsed(void)
{
	unsigned long long begin = shared->begin[0];
	unsigned long long end = shared->end[0];

	if (shared->end[1]) {
		if (begin > shared->begin[1])
			begin = shared->begin[1];
		if (end < shared->end[1])
			end = shared->end[1];
	}
	return end - begin;
}

static unsigned long long batch(int me, int sides, unsigned int *meetings)
{
	unsigned long long time;

	shared->end[me] = 0;
	meet(meetings);
	if (me < sides) {
		shared->begin[me] = turns_cycles();
		work();
		shared->end[me] = turns_cycles();
	}
	meet(meetings);
	time = elapsed();
	meet(meetings);
	return time;
}

/* times: medians, of one at work and of both */
static void run(int me, double *times)
{
	static double samples[SIDES][ROUNDS];
	unsigned int meetings = 0;
	int i, turn, sides;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(me, &cpus);
	turns_must(!sched_setaffinity(0, sizeof(cpus), &cpus), "two CPUs");
	work();
	for (i = 0; i < ROUNDS; i++) {
		for (turn = 0; turn < SIDES; turn++) {
			sides = 1 + (i + turn) % SIDES;
			samples[sides - 1][i] = batch(me, sides, &meetings);
		}
	}
	for (i = 0; i < SIDES; i++)
		times[i] = turns_median(samples[i], ROUNDS);
}

static void attach(int fd)
{
	turns_must(!secbuf_pool_attach(&pool, fd), "secbuf_pool_attach");
}

int main(void)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts), .buf_size = SIZE, .max = 1000,
		.flags = SECBUF_POOL_PASSABLE,
	};
	struct secbuf_context *ctx;
	struct secbuf_pool *first;
	double times[SIDES];
	int status;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	turns_must(shared != MAP_FAILED, "mmap");
	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_pool_open(&first, ctx, &opts), "secbuf_pool_open");

	pid = fork();
	turns_must(pid >= 0, "fork");
	attach(secbuf_pool_fd(first));
	run(!pid, times);
	if (!pid)
		_exit(0);
	turns_must(waitpid(pid, &status, 0) == pid && !status, "child");
	printf("upool_2proc %.2f op/kcycle one_process %.2f %.3f\n",
	       SIDES * NR * 1000.0 / times[1], NR * 1000.0 / times[0],
	       SIDES * times[0] / times[1]);
	return 0;
}
