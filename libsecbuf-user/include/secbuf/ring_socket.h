/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Ring: between a socket and the memory of a ring, of bytes, without a copy in
 * between.
 */
#ifndef SECBUF_RING_SOCKET_H
#define SECBUF_RING_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

#include <secbuf/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * secbuf_ring_fill() - receive from a socket straight into the ring
 * @producer: the end, of bytes
 * @sock: the socket
 * @max: most bytes to receive
 * @flags: MSG_DONTWAIT or 0
 *
 * Return: bytes that were received and committed; 0 (the socket is at its end),
 * -ENOSPC (no room), -EAGAIN (the socket has nothing), another error of recv(),
 * -EBUSY (something is reserved), -EOPNOTSUPP (records).
 */
ssize_t secbuf_ring_fill(struct secbuf_ring_producer *producer, int sock,
			 size_t max, int flags);

/**
 * secbuf_ring_drain() - send to a socket straight from the ring
 * @consumer: the end, of bytes
 * @sock: the socket
 * @max: most bytes to send
 * @flags: MSG_DONTWAIT or 0
 *
 * What was sent is consumed. There is no SIGPIPE.
 *
 * Return: bytes sent; -ENODATA (the ring is empty), -EAGAIN (the socket is full),
 * another error of send(), -EOPNOTSUPP (records).
 */
ssize_t secbuf_ring_drain(struct secbuf_ring_consumer *consumer, int sock,
			  size_t max, int flags);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_RING_SOCKET_H */
