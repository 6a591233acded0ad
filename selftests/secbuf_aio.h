/* SPDX-License-Identifier: GPL-2.0 */
/*
 * poll by AIO, one request at a time, without a library.
 */
#ifndef SECBUF_AIO_H
#define SECBUF_AIO_H

#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct aio {
	aio_context_t	context;
	struct iocb	iocb;
};

/* Returns 0 or -errno: it waits for @events of @fd. */
static inline int aio_poll(struct aio *aio, int fd, short events)
{
	struct iocb *list = &aio->iocb;

	aio->context = 0;
	if (syscall(SYS_io_setup, 1, &aio->context))
		return -errno;
	aio->iocb = (struct iocb) {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = fd,
		.aio_buf = events,
	};
	return syscall(SYS_io_submit, aio->context, 1, &list) == 1 ? 0 : -errno;
}

/* What poll has reported within @ms, or -ETIMEDOUT. */
static inline int aio_result(struct aio *aio, int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	struct io_event event;
	int ret = -ETIMEDOUT;

	if (syscall(SYS_io_getevents, aio->context, 1, 1, &event, &ts) == 1)
		ret = event.res;
	syscall(SYS_io_destroy, aio->context);
	return ret;
}

#endif /* SECBUF_AIO_H */
