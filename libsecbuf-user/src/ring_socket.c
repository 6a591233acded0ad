// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Between a ring and a socket, with no copy of the program's in between.
 */
#include <sys/socket.h>

#include "ring.h"

/* Has the call failed before it touched any memory? */
static bool secbuf_ring_untouched(ssize_t err)
{
	return err == 0 || err == -EAGAIN || err == -EINTR;
}

ssize_t secbuf_ring_fill(struct secbuf_ring_producer *producer, int sock,
			 size_t max, int flags)
{
	int saved_errno = errno;
	ssize_t got, room;
	void *span;
	int err;

	if (!producer || !max || flags & ~MSG_DONTWAIT)
		return -EINVAL;
	if (producer->side.size && !producer->side.bytes)
		return -EOPNOTSUPP;
	room = secbuf_ring_available(&producer->side);
	if (room <= 0)
		return room ?: -ENOSPC;
	if (max > (size_t)room)
		max = room;
	err = secbuf_ring_reserve(producer, max, &span);
	if (err)
		return err;
	got = recv(sock, span, max, flags);
	if (got < 0)
		got = -errno;
	errno = saved_errno;
	/* What was not written is zero, and need not be zeroized. */
	if (got > 0 || secbuf_ring_untouched(got))
		producer->side.open = producer->side.mine +
				      (got > 0 ? got : 0);
	err = secbuf_ring_commit(producer, got > 0 ? got : 0);
	return got > 0 && err ? err : got;
}

ssize_t secbuf_ring_drain(struct secbuf_ring_consumer *consumer, int sock,
			  size_t max, int flags)
{
	int saved_errno = errno;
	const void *span;
	ssize_t sent;
	size_t len;
	int err;

	if (!consumer || !max || flags & ~MSG_DONTWAIT)
		return -EINVAL;
	if (consumer->side.size && !consumer->side.bytes)
		return -EOPNOTSUPP;
	err = secbuf_ring_peek(consumer, 1, &span, &len);
	if (err)
		return err;
	sent = send(sock, span, len < max ? len : max, flags | MSG_NOSIGNAL);
	if (sent < 0)
		sent = -errno;
	errno = saved_errno;
	if (sent <= 0)
		return sent;
	err = secbuf_ring_consume(consumer, sent);
	return err ?: sent;
}
