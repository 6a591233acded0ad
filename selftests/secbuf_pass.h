/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that go from process to process.
 */
#ifndef SECBUF_PASS_H
#define SECBUF_PASS_H

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* 0 when all of @buf went, and @fd with it unless that is -1; or -errno. */
static inline int pass_with(int sock, const void *buf, size_t len, int fd,
			    int flags)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	n = sendmsg(sock, &msg, flags | MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* 0 when all of @buf came, and in @fd what came with it or -1; or -errno. */
static inline int take_with(int sock, void *buf, size_t len, int *fd, int flags)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { buf, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	*fd = -1;
	n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
	return (size_t)n == len ? 0 : -EIO;
}

static inline int send_fd(int sock, int fd)
{
	return pass_with(sock, "x", 1, fd, 0);
}

/* The descriptor, or -errno; -EIO if none came. */
static inline int receive_fd(int sock)
{
	char byte;
	int fd, err = take_with(sock, &byte, 1, &fd, 0);

	if (err)
		return err;
	return fd >= 0 ? fd : -EIO;
}

#endif /* SECBUF_PASS_H */
