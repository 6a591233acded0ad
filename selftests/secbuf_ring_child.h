/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children that have an end of a ring, and take turns with their parent.
 */
#ifndef SECBUF_RING_CHILD_H
#define SECBUF_RING_CHILD_H

#include "secbuf_pass.h"
#include "secbuf_ring.h"

#include <poll.h>
#include <sys/wait.h>

#define SIZE		(4 * PAGE)
#define PASSABLE	SECBUF_RING_F_PASSABLE

/* A child that runs @fn, and two pipes by which the two take turns. */
struct child {
	pid_t	pid;
	int	to;
	int	from;
};

/* What the child finds: pipes to the parent, and the ring. */
struct context {
	int		in;
	int		out;
	int		p;
	int		c;
	void		*arg;
};

#define CHILD_OK	0

/* In the child, instead of ASSERT: its exit status is the line. */
#define CHECK(cond)							\
do {									\
	if (!(cond))							\
		_exit(__LINE__ % 250 + 1);				\
} while (0)

static inline void say(const struct context *ctx)
{
	CHECK(write(ctx->out, "x", 1) == 1);
}

static inline void hear(const struct context *ctx)
{
	char byte;

	CHECK(read(ctx->in, &byte, 1) == 1);
}

static inline int child_start(struct child *child,
			      void (*fn)(const struct context *ctx),
			      const struct secbuf_ring_create_args *args,
			      void *arg)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (!child->pid) {
		struct context ctx = {
			.in = to[0], .out = from[1], .arg = arg,
			.p = args ? args->out_producer_fd : -1,
			.c = args ? args->out_consumer_fd : -1,
		};

		close(to[1]);
		close(from[0]);
		fn(&ctx);
		_exit(CHILD_OK);
	}
	close(to[0]);
	close(from[1]);
	child->to = to[1];
	child->from = from[0];
	return child->pid < 0 ? -errno : 0;
}

/* 0 when the child has said it got so far, or died. */
static inline int child_await(struct child *child)
{
	char byte;

	return read(child->from, &byte, 1) == 1 ? 0 : -1;
}

static inline void child_go_on(struct child *child)
{
	if (write(child->to, "x", 1) != 1)
		abort();
}

/* Its exit status, or minus the signal that killed it. */
static inline int child_end(struct child *child)
{
	int status;

	waitpid(child->pid, &status, 0);
	close(child->to);
	close(child->from);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline short poll_for(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&pfd, 1, ms);
	return pfd.revents;
}

static inline int map_errno(int fd, __u64 offset, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

#endif /* SECBUF_RING_CHILD_H */
