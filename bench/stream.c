// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream.h"
#include "turns.h"

#define ROUNDS		101
#define SIDES_MAX	2
#define ENDS		2

struct shared {
	atomic_uint arrivals;
	atomic_ullong begin[ENDS];
	atomic_ullong end[ENDS];
};

static struct shared *shared;

/* Both go on when both are here. */
static void meet(unsigned int *meetings)
{
	unsigned int all = ENDS * ++*meetings;

	atomic_fetch_add(&shared->arrivals, 1);
	while ((int)(atomic_load(&shared->arrivals) - all) < 0)
		__builtin_ia32_pause();
}

static unsigned long long batch(const struct stream *stream, int me,
				size_t size, unsigned int nr,
				unsigned int *meetings)
{
	unsigned long long begin, end;

	meet(meetings);
	shared->begin[me] = turns_cycles();
	(me ? stream->receive : stream->send)(size, nr);
	shared->end[me] = turns_cycles();
	meet(meetings);
	begin = shared->begin[shared->begin[1] < shared->begin[0]];
	end = shared->end[shared->end[1] > shared->end[0]];
	meet(meetings);
	return end - begin;
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	turns_must(!sched_setaffinity(0, sizeof(cpus), &cpus), "two CPUs");
}

void stream_measure(const struct stream *const streams[], unsigned int sides,
		    size_t size, unsigned int nr, double *times)
{
	static double samples[SIDES_MAX][ROUNDS];
	unsigned int meetings = 0, i, turn, which;
	int status, me;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	turns_must(shared != MAP_FAILED, "mmap");
	pid = fork();
	turns_must(pid >= 0, "fork");
	me = !pid;
	pin(me);
	for (i = 0; i < sides; i++)
		if (streams[i]->begin)
			streams[i]->begin(streams[i], me);
	for (i = 0; i < ROUNDS; i++) {
		for (turn = 0; turn < sides; turn++) {
			which = (i + turn) % sides;
			samples[which][i] = batch(streams[which], me, size, nr,
						  &meetings);
		}
	}
	if (me)
		_exit(0);
	turns_must(waitpid(pid, &status, 0) == pid && !status, "child");
	for (i = 0; i < sides; i++)
		times[i] = turns_median(samples[i], ROUNDS) / nr;
	munmap(shared, sizeof(*shared));
}
