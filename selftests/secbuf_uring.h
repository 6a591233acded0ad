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

static inline int uring_map(struct uring *u)
{
	size_t len;

	memset(&u->params, 0, sizeof(u->params));
	u->fd = syscall(SYS_io_uring_setup, 4, &u->params);
	if (u->fd < 0)
		return -1;
	len = u->params.cq_off.cqes +
	      u->params.cq_entries * sizeof(struct io_uring_cqe);
	u->rings = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
			IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd, IORING_OFF_SQES);
	return u->rings == MAP_FAILED || u->sqes == MAP_FAILED ? -1 : 0;
}

/* Submits one request and returns its result. */
static inline int uring_run(struct uring *u, const struct io_uring_sqe *sqe)
{
	const struct io_sqring_offsets *sq = &u->params.sq_off;
	const struct io_cqring_offsets *cq = &u->params.cq_off;
	struct io_uring_cqe *cqes = (void *)(u->rings + cq->cqes);

	u->sqes[0] = *sqe;
	*(__u32 *)(u->rings + sq->array) = 0;
	__atomic_store_n((__u32 *)(u->rings + sq->tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		return -errno;
	return cqes[0].res;
}

#endif /* SECBUF_URING_H */
