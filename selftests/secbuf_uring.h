/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One request at a time by io_uring, without a library.
 */
#ifndef SECBUF_URING_H
#define SECBUF_URING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct uring {
	int			fd;
	struct io_uring_params	params;
	struct io_uring_sqe	*sqes;
	unsigned char		*rings;
};

static inline size_t uring_size(const struct uring *u)
{
	return u->params.cq_off.cqes +
	       u->params.cq_entries * sizeof(struct io_uring_cqe);
}

static inline int uring_map(struct uring *u)
{
	memset(&u->params, 0, sizeof(u->params));
	u->fd = syscall(SYS_io_uring_setup, 4, &u->params);
	if (u->fd < 0)
		return -1;
	u->rings = mmap(NULL, uring_size(u), PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
			IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd, IORING_OFF_SQES);
	return u->rings == MAP_FAILED || u->sqes == MAP_FAILED ? -1 : 0;
}

static inline void uring_unmap(struct uring *u)
{
	munmap(u->rings, uring_size(u));
	munmap(u->sqes, 4096);
	close(u->fd);
}

/* The first request. Returns 0 or -errno. */
static inline int uring_submit(struct uring *u, const struct io_uring_sqe *sqe)
{
	const struct io_sqring_offsets *sq = &u->params.sq_off;

	u->sqes[0] = *sqe;
	*(__u32 *)(u->rings + sq->array) = 0;
	__atomic_store_n((__u32 *)(u->rings + sq->tail), 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, u->fd, 1, 0, 0, NULL, 0) < 0 ?
	       -errno : 0;
}

/* Its result. */
static inline int uring_result(struct uring *u)
{
	const struct io_cqring_offsets *cq = &u->params.cq_off;
	struct io_uring_cqe *cqes = (void *)(u->rings + cq->cqes);

	if (syscall(SYS_io_uring_enter, u->fd, 0, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		return -errno;
	return cqes[0].res;
}

/* Submits one request and returns its result. */
static inline int uring_run(struct uring *u, const struct io_uring_sqe *sqe)
{
	int err = uring_submit(u, sqe);

	return err ?: uring_result(u);
}

#endif /* SECBUF_URING_H */
