// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers and file descriptors.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <secbuf/io.h>

/*
 * Where to read to: the room behind the contents. What the kernel writes there
 * counts as dirty, even if it reports an error afterwards.
 */
static unsigned char *secbuf_buffer_room(struct secbuf_buffer *buf, size_t n)
{
	size_t end = buf->cur.len + n;

	if (buf->cur.high < end)
		buf->cur.high = end;
	return buf->cur.data + buf->cur.len;
}

/* What a system call can transfer; no buffer needs room for more. */
static size_t secbuf_io_max(size_t n)
{
	return n < INT_MAX ? n : INT_MAX;
}

/* No vector of buffers, or one that has a buffer twice? */
static bool secbuf_vecs_bad(const struct secbuf_vec *vecs, unsigned int nr)
{
	unsigned int i, j;

	if (nr > SECBUF_VEC_MAX || (nr && !vecs))
		return true;
	for (i = 0; i < nr; i++) {
		if (!vecs[i].buf)
			return true;
		for (j = 0; j < i; j++)
			if (vecs[j].buf == vecs[i].buf)
				return true;
	}
	return false;
}

static int secbuf_vecs_to_read(const struct secbuf_vec *vecs, unsigned int nr,
			       struct iovec *iov)
{
	unsigned int i;
	int err;

	if (secbuf_vecs_bad(vecs, nr))
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		iov[i].iov_len = secbuf_io_max(vecs[i].n);
		err = secbuf_buffer_reserve(vecs[i].buf, iov[i].iov_len);
		if (err)
			return err;
		iov[i].iov_base = NULL;
		if (iov[i].iov_len)
			iov[i].iov_base = secbuf_buffer_room(vecs[i].buf,
							     iov[i].iov_len);
	}
	return 0;
}

/* @n can be more than there is room for: see MSG_TRUNC. */
static void secbuf_vecs_have_read(const struct secbuf_vec *vecs,
				  unsigned int nr, const struct iovec *iov,
				  size_t n)
{
	unsigned int i;
	size_t part;

	for (i = 0; i < nr && n; i++) {
		part = n < iov[i].iov_len ? n : iov[i].iov_len;
		vecs[i].buf->cur.len += part;
		n -= part;
	}
}

static int secbuf_vecs_to_write(const struct secbuf_vec *vecs, unsigned int nr,
				struct iovec *iov)
{
	unsigned int i;
	size_t n;

	if (secbuf_vecs_bad(vecs, nr))
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		n = secbuf_cursor_remaining(&vecs[i].buf->cur);
		iov[i].iov_len = n < vecs[i].n ? n : vecs[i].n;
		iov[i].iov_base = NULL;
		if (iov[i].iov_len)
			iov[i].iov_base =
				(void *)secbuf_cursor_ptr(&vecs[i].buf->cur);
	}
	return 0;
}

static void secbuf_vecs_have_written(const struct secbuf_vec *vecs,
				     unsigned int nr, const struct iovec *iov,
				     size_t n)
{
	unsigned int i;
	size_t part;

	for (i = 0; i < nr && n; i++) {
		part = n < iov[i].iov_len ? n : iov[i].iov_len;
		vecs[i].buf->cur.pos += part;
		n -= part;
	}
}

typedef ssize_t secbuf_msg_call(int fd, struct msghdr *msg, int flags);

/* readv() and writev() with the parameters of recvmsg() and sendmsg(). */
static ssize_t secbuf_call_readv(int fd, struct msghdr *msg, int flags)
{
	(void)flags;
	return readv(fd, msg->msg_iov, msg->msg_iovlen);
}

static ssize_t secbuf_call_writev(int fd, struct msghdr *msg, int flags)
{
	(void)flags;
	return writev(fd, msg->msg_iov, msg->msg_iovlen);
}

static ssize_t secbuf_call_sendmsg(int fd, struct msghdr *msg, int flags)
{
	return sendmsg(fd, msg, flags);
}

/* @msg shows nothing of where the bytes are; errno stays what it was. */
static ssize_t secbuf_io(secbuf_msg_call *call, int fd, struct msghdr *msg,
			 int flags, struct iovec *iov, unsigned int nr)
{
	struct msghdr none = { 0 };
	int saved_errno = errno;
	ssize_t ret;

	msg = msg ? msg : &none;
	msg->msg_iov = iov;
	msg->msg_iovlen = nr;
	ret = call(fd, msg, flags);
	if (ret < 0)
		ret = -errno;
	errno = saved_errno;
	msg->msg_iov = NULL;
	msg->msg_iovlen = 0;
	return ret;
}

static ssize_t secbuf_vecs_read(secbuf_msg_call *call,
				const struct secbuf_vec *vecs, unsigned int nr,
				int fd, struct msghdr *msg, int flags)
{
	struct iovec iov[SECBUF_VEC_MAX];
	ssize_t ret;

	ret = secbuf_vecs_to_read(vecs, nr, iov);
	if (ret)
		return ret;
	ret = secbuf_io(call, fd, msg, flags, iov, nr);
	if (ret > 0)
		secbuf_vecs_have_read(vecs, nr, iov, ret);
	return ret;
}

static ssize_t secbuf_vecs_write(secbuf_msg_call *call,
				 const struct secbuf_vec *vecs, unsigned int nr,
				 int fd, struct msghdr *msg, int flags)
{
	struct iovec iov[SECBUF_VEC_MAX];
	ssize_t ret;

	ret = secbuf_vecs_to_write(vecs, nr, iov);
	if (ret)
		return ret;
	ret = secbuf_io(call, fd, msg, flags, iov, nr);
	if (ret > 0)
		secbuf_vecs_have_written(vecs, nr, iov, ret);
	return ret;
}

ssize_t secbuf_buffer_readv(const struct secbuf_vec *vecs, unsigned int nr,
			    int fd)
{
	return secbuf_vecs_read(secbuf_call_readv, vecs, nr, fd, NULL, 0);
}

ssize_t secbuf_buffer_recvmsg(const struct secbuf_vec *vecs, unsigned int nr,
			      int fd, struct msghdr *msg, int flags)
{
	return secbuf_vecs_read(recvmsg, vecs, nr, fd, msg, flags);
}

ssize_t secbuf_buffer_writev(const struct secbuf_vec *vecs, unsigned int nr,
			     int fd)
{
	return secbuf_vecs_write(secbuf_call_writev, vecs, nr, fd, NULL, 0);
}

ssize_t secbuf_buffer_sendmsg(const struct secbuf_vec *vecs, unsigned int nr,
			      int fd, struct msghdr *msg, int flags)
{
	return secbuf_vecs_write(secbuf_call_sendmsg, vecs, nr, fd, msg, flags);
}

ssize_t secbuf_buffer_read(struct secbuf_buffer *buf, int fd, size_t n)
{
	const struct secbuf_vec vec = { buf, n };

	return secbuf_buffer_readv(&vec, 1, fd);
}

ssize_t secbuf_buffer_write(struct secbuf_buffer *buf, int fd, size_t n)
{
	const struct secbuf_vec vec = { buf, n };

	return secbuf_buffer_writev(&vec, 1, fd);
}

ssize_t secbuf_buffer_read_all(struct secbuf_buffer *buf, int fd, size_t n)
{
	size_t done = 0;
	ssize_t ret;

	/* All at once, or not at all. */
	ret = secbuf_buffer_reserve(buf, secbuf_io_max(n));
	while (!ret && done < n) {
		ret = secbuf_buffer_read(buf, fd, n - done);
		if (ret == -EINTR) {
			ret = 0;
			continue;
		}
		if (ret <= 0)
			break;
		done += ret;
		ret = 0;
	}
	return done ? (ssize_t)done : ret;
}

ssize_t secbuf_buffer_write_all(struct secbuf_buffer *buf, int fd)
{
	size_t done = 0;
	ssize_t ret = 0;

	while (secbuf_cursor_remaining(&buf->cur)) {
		ret = secbuf_buffer_write(buf, fd, SIZE_MAX);
		if (ret == -EINTR)
			continue;
		if (ret <= 0)
			break;
		done += ret;
	}
	return done ? (ssize_t)done : ret;
}
