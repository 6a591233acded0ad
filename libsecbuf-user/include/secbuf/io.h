/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Buffers and file descriptors, sockets and streams. The bytes go straight
 * between the kernel and the memory of the buffer.
 *
 * What comes in is added behind the contents, and the position stays where it
 * is; what goes out is taken from the position on, which moves behind it. So one
 * buffer serves as a queue.
 *
 * The calls on descriptors are one system call each, and behave as it does:
 * they may transfer less than was asked for, and fail with -EINTR when a signal
 * arrived before anything was transferred, and with -EAGAIN when the descriptor
 * does not block and there is nothing to read or no room to write. The _all
 * variants repeat the call, over signals too.
 *
 * When a call fails, contents and positions are what they were; room may have
 * been made.
 */
#ifndef SECBUF_IO_H
#define SECBUF_IO_H

#include <stdio.h>
#include <sys/types.h>

#include <secbuf/buffer.h>

struct msghdr;

#ifdef __cplusplus
extern "C" {
#endif

/* Most entries of a vector. */
#define SECBUF_VEC_MAX	64

/**
 * struct secbuf_vec - a buffer, as part of a vector
 * @buf: the buffer; not twice in one vector to be read into
 * @n: most bytes to transfer
 */
struct secbuf_vec {
	struct secbuf_buffer *buf;
	size_t n;
};

/**
 * secbuf_buffer_read() - read() to the end of a buffer
 * @buf: the buffer, which grows
 * @fd: where to read
 * @n: most bytes
 *
 * Return: bytes read, 0 at the end of the file; -EMSGSIZE, an error of the
 * source, or of read().
 */
ssize_t secbuf_buffer_read(struct secbuf_buffer *buf, int fd, size_t n);

/**
 * secbuf_buffer_read_all() - the same until there are so many bytes
 * @buf: the buffer, which grows
 * @fd: where to read
 * @n: bytes
 *
 * Return: bytes read, fewer than @n only at the end of the file or when an
 * error came after some were read, -EAGAIN for instance; an error as of
 * secbuf_buffer_read() if there were none.
 */
ssize_t secbuf_buffer_read_all(struct secbuf_buffer *buf, int fd, size_t n);

/**
 * secbuf_buffer_readv() - readv() to the ends of several buffers
 * @vecs: the buffers, and how much each takes before the next one gets any
 * @nr: how many, at most SECBUF_VEC_MAX
 * @fd: where to read
 *
 * Return: bytes read, 0 at the end of the file; -EINVAL (@nr, or a buffer is
 * there twice), -EMSGSIZE, an error of the source, or of readv().
 */
ssize_t secbuf_buffer_readv(const struct secbuf_vec *vecs, unsigned int nr,
			    int fd);

/**
 * secbuf_buffer_recvmsg() - recvmsg() to the ends of several buffers
 * @vecs: as of secbuf_buffer_readv()
 * @nr: how many, at most SECBUF_VEC_MAX
 * @fd: the socket
 * @msg: for address, control data and flags, or NULL; its msg_iov does not
 *       count and is NULL afterwards
 * @flags: of recvmsg()
 *
 * Return: as of recvmsg(), which with MSG_TRUNC can be more than what was
 * received; or an error as of secbuf_buffer_readv(), or of recvmsg().
 */
ssize_t secbuf_buffer_recvmsg(const struct secbuf_vec *vecs, unsigned int nr,
			      int fd, struct msghdr *msg, int flags);

/**
 * secbuf_buffer_write() - write() from the position on
 * @buf: the buffer
 * @fd: where to write
 * @n: most bytes; fewer are written if there are fewer
 *
 * Return: bytes written, or an error of write().
 */
ssize_t secbuf_buffer_write(struct secbuf_buffer *buf, int fd, size_t n);

/**
 * secbuf_buffer_write_all() - the same until all is written
 * @buf: the buffer
 * @fd: where to write
 *
 * Return: bytes written, fewer than there were only when an error came after
 * some were written, -EAGAIN for instance; the error if there were none.
 */
ssize_t secbuf_buffer_write_all(struct secbuf_buffer *buf, int fd);

/**
 * secbuf_buffer_writev() - writev() from the positions of several buffers
 * @vecs: the buffers, and how much to write of each at most
 * @nr: how many, at most SECBUF_VEC_MAX
 * @fd: where to write
 *
 * Return: bytes written; -EINVAL (@nr, or a buffer is there twice), or an
 * error of writev().
 */
ssize_t secbuf_buffer_writev(const struct secbuf_vec *vecs, unsigned int nr,
			     int fd);

/**
 * secbuf_buffer_sendmsg() - sendmsg() from the positions of several buffers
 * @vecs: as of secbuf_buffer_writev()
 * @nr: how many, at most SECBUF_VEC_MAX
 * @fd: the socket
 * @msg: for address and control data, or NULL; its msg_iov does not count and
 *       is NULL afterwards
 * @flags: of sendmsg(). The memory of a mapped pool cannot be pinned, as
 *         MSG_ZEROCOPY wants it
 *
 * Return: as of secbuf_buffer_writev(), or an error of sendmsg().
 */
ssize_t secbuf_buffer_sendmsg(const struct secbuf_vec *vecs, unsigned int nr,
			      int fd, struct msghdr *msg, int flags);

/**
 * secbuf_buffer_open_stream() - a FILE over a buffer
 * @buf: the buffer; must not be released before fclose()
 * @mode: "r", "w", "a", "r+", "w+" or "a+", with or without "b": as of
 *        fopen(), where the buffer is the file
 * @out: the stream, to be closed with fclose(). NULL on failure
 *
 * The stream has its place at the position of the buffer. stdio reads ahead
 * and writes late, as ever, but the memory in which it does so is of the source
 * of the buffer, and zeroized by fclose(). What is between the two are the
 * functions of the C library: they copy through vector registers, and the
 * formatted ones have numbers on the stack; secbuf_buffer_printf() has not.
 *
 * A child of fork() does not have that memory, and exit() flushes streams: call
 * fflush() before fork(), or leave the child by _exit() or exec.
 *
 * Return: 0; -EINVAL (@mode), an error of the source, -ENOMEM.
 */
int secbuf_buffer_open_stream(struct secbuf_buffer *buf, const char *mode,
			      FILE **out);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_IO_H */
