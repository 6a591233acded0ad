/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the paths of faults_test are made of: rings.
 */
#ifndef FAULTS_RINGS_H
#define FAULTS_RINGS_H

#include "faults_calls.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* The argument is the flags, where nothing else is said. */
static int call_ring(struct world *w)
{
	struct secbuf_ring_create_args args;
	int ret = ring_create(w->dev, RING_SIZE, w->arg, &args);

	if (ret)
		return ret;
	w->ring.p.fd = args.out_producer_fd;
	w->ring.c.fd = args.out_consumer_fd;
	return 0;
}

static int call_ring_write(struct world *w)
{
	ssize_t n = write(w->ring.p.fd, w->bytes, RING_BYTES);

	return n < 0 ? -errno : n;
}

static int call_ring_writev(struct world *w)
{
	struct iovec iov[16];

	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		iov[i] = (struct iovec){ w->bytes, 8 };
	return writev(w->ring.p.fd, iov, ARRAY_SIZE(iov)) < 0 ? -errno : 0;
}

static int prepare_ring_full(struct world *w)
{
	int ret = call_ring(w) ?: call_ring_write(w);

	return ret == RING_BYTES ? 0 : -ENODATA;
}

static int call_ring_read(struct world *w)
{
	ssize_t n = read(w->ring.c.fd, w->bytes, RING_BYTES);

	return n < 0 ? -errno : n;
}

/* It has memory, and gives it back. */
static int prepare_ring_used(struct world *w)
{
	int ret = prepare_ring_full(w);

	ret = ret ?: call_ring_read(w);
	return ret == RING_BYTES ? 0 : -ENODATA;
}

static int call_ring_notify(struct world *w)
{
	return ring_notify(w->ring.p.fd);
}

static int call_ring_wait(struct world *w)
{
	return ring_wait(w->ring.c.fd, 1, RING_FOREVER);
}

static int call_ring_broken(struct world *w)
{
	return ring_notify_args(w->ring.c.fd, SECBUF_RING_NOTIFY_F_BROKEN, 0,
				0, NULL);
}

static int call_ring_shrink(struct world *w)
{
	return ring_shrink(w->ring.p.fd);
}

static int call_ring_stats(struct world *w)
{
	struct secbuf_ring_stats_args args;

	return ring_stats(w->ring.p.fd, &args);
}

static int call_ring_info(struct world *w)
{
	struct secbuf_ring_info_args args;

	return ring_info(w->ring.c.fd, &args);
}

static int call_ring_left(struct world *w)
{
	int left;

	return ioctl(w->ring.c.fd, FIONREAD, &left) ? -errno : 0;
}

/* The argument is the command. */
static int call_ring_plain(struct world *w)
{
	return ring_plain(w->ring.p.fd, w->arg);
}

static int prepare_ring_plain(struct world *w)
{
	unsigned int command = w->arg;
	int ret;

	w->arg = 0;
	ret = prepare_ring_full(w);
	w->arg = command;
	return ret;
}

/* Another process makes it and lives as long as this one. */
static int prepare_ring_foreign(struct world *w)
{
	struct secbuf_ring_create_args args;
	int pipes[2], pidfd;
	pid_t pid;

	if (pipe(pipes))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ring_create(w->dev, RING_SIZE, SECBUF_RING_F_PASSABLE,
				&args) ||
		    write(pipes[1], &args, sizeof(args)) != sizeof(args))
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	if (pid < 0 || read(pipes[0], &args, sizeof(args)) != sizeof(args))
		return -ENODATA;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	w->ring.c.fd = syscall(SYS_pidfd_getfd, pidfd, args.out_consumer_fd, 0);
	close(pidfd);
	return w->ring.c.fd < 0 ? -errno : 0;
}

static int call_ring_claim(struct world *w)
{
	return ring_claim(w->ring.c.fd);
}

static int call_poll(struct world *w)
{
	struct pollfd fds[] = {
		{ .fd = w->ring.c.fd, .events = POLLIN },
		{ .fd = w->ring.p.fd, .events = POLLOUT },
	};

	return poll(fds, ARRAY_SIZE(fds), 0) < 0 ? -errno : 0;
}

static int prepare_epoll(struct world *w)
{
	w->other = epoll_create1(EPOLL_CLOEXEC);
	return w->other < 0 ? -errno : call_ring(w);
}

static int call_epoll(struct world *w)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(w->other, EPOLL_CTL_ADD, w->ring.c.fd, &event))
		return -errno;
	return 0;
}

/* What is mapped: an end, and what of it. */
enum {
	MAP_P_DATA, MAP_P_HEAD, MAP_P_TAIL, MAP_C_DATA, MAP_C_HEAD, MAP_C_TAIL,
	MAP_C_STATUS, MAP_P_SCRATCH,
};

static int call_ring_mmap(struct world *w)
{
	static const struct {
		bool	producer;
		__u64	offset;
		size_t	len;
		int	prot;
	} ranges[] = {
		{ true, SECBUF_RING_MMAP_DATA, 2 * RING_SIZE, PROT_WRITE },
		{ true, SECBUF_RING_MMAP_HEAD, PAGE, PROT_WRITE },
		{ true, SECBUF_RING_MMAP_TAIL, 2 * PAGE, 0 },
		{ false, SECBUF_RING_MMAP_DATA, 2 * RING_SIZE, PROT_WRITE },
		{ false, SECBUF_RING_MMAP_HEAD, 2 * PAGE, 0 },
		{ false, SECBUF_RING_MMAP_TAIL, PAGE, PROT_WRITE },
		{ false, SECBUF_RING_MMAP_HEAD, 2 * PAGE, 0 },
		{ true, SECBUF_RING_MMAP_DATA, 2 * RING_SIZE, PROT_WRITE },
	};
	int fd = ranges[w->arg].producer ? w->ring.p.fd : w->ring.c.fd;
	void *map = mmap(NULL, ranges[w->arg].len,
			 PROT_READ | ranges[w->arg].prot, MAP_SHARED, fd,
			 ranges[w->arg].offset);

	if (map == MAP_FAILED)
		return -errno;
	w->map = map;
	w->map_size = ranges[w->arg].len;
	return 0;
}

static int prepare_ring(struct world *w)
{
	unsigned int arg = w->arg;
	int ret;

	w->arg = 0;
	ret = call_ring(w);
	w->arg = arg;
	return ret;
}

static int prepare_ring_map(struct world *w)
{
	int ret = prepare_ring(w) ?: call_ring_mmap(w);

	if (w->arg == MAP_P_SCRATCH)
		ret = ret ?: ring_hangup(w->ring.c.fd);
	return ret;
}

static int call_ring_touch(struct world *w)
{
	int sig;

	if (w->arg == MAP_C_STATUS)
		sig = touch(w->map + PAGE, false);
	else
		sig = touch(w->map,
			    w->arg != MAP_P_TAIL && w->arg != MAP_C_HEAD);
	return sig ? -5000 - sig : 0;
}

#endif /* FAULTS_RINGS_H */
