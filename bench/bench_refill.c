// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of a pool whose user has 100 buffers out at a time, and none in
 * between. They are counted by the kernel's own tracing of a child, so that
 * none can be overlooked, whoever makes it. Prints
 *
 *	name value unit peer peer_value ratio
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"

#define LIVE		100
#define BURSTS		10000

/* Not used by anything in between: says where counting begins and ends. */
static void mark(void)
{
	syscall(SYS_getppid);
}

static void bursts(struct secbuf_pool *pool, unsigned int nr)
{
	void *bufs[LIVE];
	unsigned int i;

	while (nr--) {
		for (i = 0; i < LIVE; i++) {
			turns_must(!secbuf_pool_alloc(pool, &bufs[i]), "alloc");
			*(volatile char *)bufs[i] = 1;
		}
		for (i = 0; i < LIVE; i++)
			turns_must(!secbuf_pool_free(pool, bufs[i]), "free");
	}
}

static void child(size_t size)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts), .buf_size = size, .max = 1000,
	};
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;

	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_pool_open(&pool, ctx, &opts), "pool");
	bursts(pool, 10);
	turns_must(!ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
	raise(SIGSTOP);
	mark();
	bursts(pool, BURSTS);
	mark();
	_exit(0);
}

static long syscall_number(pid_t pid)
{
	struct __ptrace_syscall_info info;
	long size;

	size = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
	turns_must(size > 0, "PTRACE_GET_SYSCALL_INFO");
	return info.op == PTRACE_SYSCALL_INFO_ENTRY ? (long)info.entry.nr : -1;
}

/* System calls between the marks. */
static unsigned long count(pid_t pid)
{
	unsigned long nr = 0;
	int status, marks = 0;

	turns_must(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status),
		   "child");
	turns_must(!ptrace(PTRACE_SETOPTIONS, pid, NULL,
			   (void *)(PTRACE_O_TRACESYSGOOD |
				    PTRACE_O_EXITKILL)), "PTRACE_SETOPTIONS");
	while (!ptrace(PTRACE_SYSCALL, pid, NULL, NULL) &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		long number;

		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		number = syscall_number(pid);
		if (number == SYS_getppid)
			marks++;
		else if (number >= 0 && marks == 1)
			nr++;
	}
	turns_must(WIFEXITED(status) && !WEXITSTATUS(status), "child");
	turns_must(marks == 2, "marks");
	return nr;
}

static void measure(const char *name, size_t size)
{
	pid_t pid = fork();

	turns_must(pid >= 0, "fork");
	if (!pid)
		child(size);
	printf("%s %.0f syscall/Mop - - -\n", name,
	       count(pid) * 1e6 / (LIVE * BURSTS));
	fflush(stdout);
}

int main(void)
{
	measure("upool_refill", 1024);
	measure("upool_refill_8k", 8192);
	return 0;
}
