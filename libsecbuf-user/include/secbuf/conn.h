/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Conn: what one connection owns: a read buffer, a write buffer, a queue of
 * packets, and rings. All of it is zeroized when the conn is closed, and when
 * the process ends in whatever way.
 *
 * Buffers and packets come from one pool. What is queued stays in memory of the
 * pool, and can come in and go out without a copy.
 *
 * A buffer that was given back by secbuf_conn_buffer_release() stays with the
 * conn, at hand without a system call, until the conn was idle for its idle time
 * or memory is short. Then the kernel takes it, and the next
 * secbuf_conn_buffer() gets another. Buffers that are out, and packets, are
 * never taken.
 *
 * What concerns the same buffer must not be called by several threads at once;
 * secbuf_conn_zeroize() and secbuf_conn_reset() concern both.
 *
 * Errors that any function here can return: -EOWNERDEAD in a child made by
 * fork(), -ESHUTDOWN (the owner is dead).
 */
#ifndef SECBUF_CONN_H
#define SECBUF_CONN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/secbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;
struct secbuf_pool;
struct secbuf_conn;
struct secbuf_ring_side;

/* Buffers that are not out go only when memory is short, not when it is idle. */
#define SECBUF_CONN_KEEP	SECBUF_CONN_F_KEEP

/**
 * struct secbuf_conn_opts - options of secbuf_conn_open()
 * @sz: sizeof(struct secbuf_conn_opts)
 * @flags: 0 or SECBUF_CONN_KEEP
 * @max_packets: most packets in the queue; 0 means 100
 * @max_bytes: most bytes in the queue; 0 means 10 MiB
 * @max_streams: most rings; 0 means 16
 * @idle_ms: milliseconds without activity until it is idle; 0 means a minute
 * @near_full: percent of @max_packets or @max_bytes from which on the queue is
 *             nearly full, 1 to 100; 0 means 80
 * @waste_factor: a buffer is wasteful that is more than so many times as large
 *                as what is used of it; 0 means 4
 * @waste_min: and larger than so many bytes; 0 means 8192
 *
 * SECBUF_LIMIT_CEILING for one of these means as much as there can be.
 */
struct secbuf_conn_opts {
	size_t sz;
	uint32_t flags;
	uint32_t max_packets;
	uint32_t max_bytes;
	uint32_t max_streams;
	uint32_t idle_ms;
	uint32_t near_full;
	uint32_t waste_factor;
	uint32_t waste_min;
};

/**
 * secbuf_conn_open() - create a conn that has nothing yet
 * @out: the conn
 * @ctx: the context; it may be closed afterwards
 * @pool: where its buffers and packets come from; must outlive the conn
 * @opts: options, or NULL
 *
 * Return: 0; -EINVAL, -E2BIG, -EOPNOTSUPP (@opts), -ENOMEM, -EDQUOT, -EMFILE,
 * -ENFILE, -EAGAIN (the first conn of @pool: mlockall(MCL_FUTURE) is in force,
 * and RLIMIT_MEMLOCK would be exceeded), -EBUSY (called in a signal handler that
 * interrupted this library).
 */
int secbuf_conn_open(struct secbuf_conn **out, struct secbuf_context *ctx,
		     struct secbuf_pool *pool,
		     const struct secbuf_conn_opts *opts);

/**
 * secbuf_conn_close() - zeroize and release all that it has, and the conn
 * @conn: the conn, or NULL
 *
 * Zeroizes at once, even when another process holds the descriptor as well.
 * Rings that belong to the conn are reset; close their ends as always.
 */
void secbuf_conn_close(struct secbuf_conn *conn);

/**
 * secbuf_conn_fd() - descriptor of the conn, for poll
 * @conn: the conn, which keeps owning the descriptor
 *
 * Readable while there are packets, writable while the queue is not nearly full.
 *
 * Return: the descriptor; -EINVAL if @conn is NULL.
 */
int secbuf_conn_fd(const struct secbuf_conn *conn);

/*
 * The read and the write buffer
 */

/**
 * secbuf_conn_buffer() - the read or the write buffer
 * @conn: the conn
 * @which: SECBUF_CONN_BUFFER_READ or SECBUF_CONN_BUFFER_WRITE
 * @out: secbuf_pool_buf_size() bytes that belong to the conn, zero when it was
 *       not out. NULL on failure
 *
 * It is out from now on. While it is, further calls return the same. When it was
 * released and the kernel has not taken it, there is no system call.
 *
 * Return: 0; -EINVAL (@which), -ENOSPC (the pool's limit), -ENOMEM, -EDQUOT.
 */
int secbuf_conn_buffer(struct secbuf_conn *conn, enum secbuf_conn_buffer which,
		       void **out);

/**
 * secbuf_conn_buffer_release() - the buffer is not needed for the moment
 * @conn: the conn
 * @which: SECBUF_CONN_BUFFER_READ or SECBUF_CONN_BUFFER_WRITE
 * @dirty: bytes from its beginning that can have been written, which are
 *         zeroized; of a pool that others may attach to, all are
 *
 * Not a system call. Pointers to it are invalid afterwards.
 *
 * Return: 0; -EINVAL (@which), -ENOENT (it is not out).
 */
int secbuf_conn_buffer_release(struct secbuf_conn *conn,
			       enum secbuf_conn_buffer which, size_t dirty);

/**
 * secbuf_conn_buffer_used() - tell how much of the buffer is in use
 * @conn: the conn
 * @which: SECBUF_CONN_BUFFER_READ or SECBUF_CONN_BUFFER_WRITE
 * @used: bytes; 0 when a buffer was not out before
 *
 * For secbuf_conn_get_stats(). Costs a store.
 *
 * Return: 0; -EINVAL (@which), -ENOENT (it is not out).
 */
int secbuf_conn_buffer_used(struct secbuf_conn *conn,
			    enum secbuf_conn_buffer which, size_t used);

/*
 * The queue
 *
 * Any number of threads can use it. A packet that is refused stays with the
 * caller, and the queue as it was.
 */

/**
 * secbuf_conn_enqueue() - put a copy of a packet behind the others
 * @conn: the conn
 * @packet: its bytes
 * @len: how many, not 0
 *
 * Return: 0; -ENOBUFS (max_packets), -EOVERFLOW (max_bytes), -EMSGSIZE (longer
 * than a buffer or than max_bytes), -EINVAL, -EFAULT, -ENOSPC (the pool's
 * limit), -ENOMEM, -EDQUOT.
 */
int secbuf_conn_enqueue(struct secbuf_conn *conn, const void *packet,
			size_t len);

/**
 * secbuf_conn_enqueue_batch() - copy several packets
 * @conn: the conn
 * @packets: the packets
 * @nr: how many, at most INT_MAX
 *
 * Return: packets that are in the queue now; it stops at the first that cannot
 * be, and if that is the first of all the result is a negative errno as of
 * secbuf_conn_enqueue().
 */
int secbuf_conn_enqueue_batch(struct secbuf_conn *conn,
			      const struct iovec *packets, unsigned int nr);

/**
 * secbuf_conn_enqueue_move() - put a buffer behind the others, without a copy
 * @conn: the conn
 * @buf: from secbuf_pool_alloc() of the conn's pool
 * @len: bytes of it that are the packet, not 0
 *
 * On success the buffer is not the caller's any more, and pointers to it are
 * invalid.
 *
 * Return: 0; -ENOENT (it is not out: freed, or in a queue), -EINVAL (not the
 * beginning of a buffer of this pool), and as of secbuf_conn_enqueue().
 */
int secbuf_conn_enqueue_move(struct secbuf_conn *conn, void *buf, size_t len);

/**
 * secbuf_conn_enqueue_move_batch() - move several buffers
 * @conn: the conn
 * @packets: the buffers, and bytes in each
 * @nr: how many, at most INT_MAX
 *
 * Return: as of secbuf_conn_enqueue_batch().
 */
int secbuf_conn_enqueue_move_batch(struct secbuf_conn *conn,
				   const struct iovec *packets,
				   unsigned int nr);

/**
 * secbuf_conn_dequeue() - take a copy of the first packet
 * @conn: the conn
 * @buf: where it goes
 * @max: bytes there
 *
 * What it was copied from is zeroized.
 *
 * Return: its length; -EAGAIN (there is none), -EMSGSIZE (it is longer than
 * @max, and stays), -EINVAL, -EFAULT.
 */
ssize_t secbuf_conn_dequeue(struct secbuf_conn *conn, void *buf, size_t max);

/**
 * secbuf_conn_dequeue_batch() - take copies of several packets
 * @conn: the conn
 * @packets: where they go; of those that did, the length is written to iov_len
 * @nr: how many, at most INT_MAX
 *
 * Return: packets taken; it stops at the first that cannot be, and if that is
 * the first of all the result is a negative errno as of secbuf_conn_dequeue().
 */
int secbuf_conn_dequeue_batch(struct secbuf_conn *conn, struct iovec *packets,
			      unsigned int nr);

/**
 * secbuf_conn_dequeue_move() - take the buffer that the first packet is in
 * @conn: the conn
 * @out: the buffer, the caller's as if from secbuf_pool_alloc(); NULL on failure
 * @len: bytes of it that are the packet; not changed on failure
 *
 * The rest of the buffer is what it was when it was moved in, or zero.
 *
 * Return: 0; -EAGAIN (there is none).
 */
int secbuf_conn_dequeue_move(struct secbuf_conn *conn, void **out, size_t *len);

/**
 * secbuf_conn_dequeue_move_batch() - take several buffers
 * @conn: the conn
 * @packets: where buffers and lengths are written
 * @nr: how many, at most INT_MAX
 *
 * Return: as of secbuf_conn_dequeue_batch().
 */
int secbuf_conn_dequeue_move_batch(struct secbuf_conn *conn,
				   struct iovec *packets, unsigned int nr);

/**
 * secbuf_conn_is_near_full() - should the program stop to produce?
 * @conn: the conn
 *
 * Return: 1 if the queue is nearly full, see struct secbuf_conn_opts; 0 if not;
 * or a negative errno.
 */
int secbuf_conn_is_near_full(const struct secbuf_conn *conn);

/**
 * secbuf_conn_send() - send packets from where they are, without waiting
 * @conn: the conn
 * @sock: a socket
 * @max: most packets to send; 0 for all
 * @sent: packets that were sent whole, if not NULL; not changed on failure
 *
 * To a stream as much as it takes, which can end in the middle of a packet, whose
 * rest stays; otherwise a message for each packet. What was sent is zeroized.
 * There is no SIGPIPE.
 *
 * Return: bytes sent; -EAGAIN (the socket is full, or there is no packet),
 * -EBADF, -ENOTSOCK, and what sendmsg() returns.
 */
ssize_t secbuf_conn_send(struct secbuf_conn *conn, int sock, unsigned int max,
			 unsigned int *sent);

/*
 * Streams
 */

/**
 * secbuf_conn_stream_add() - a ring shall end with the conn
 * @conn: the conn
 * @side: either end of a ring that this process has created
 *
 * When the conn is closed, zeroized or reset, or its owner dies, the ring is
 * reset as by secbuf_ring_reset(). The conn does not keep the ring: close its
 * ends as always.
 *
 * Return: 0; -EINVAL, -EPERM (@side is of another creator), -ESHUTDOWN (it was
 * reset), -EEXIST (it belongs to a conn already), -ENOBUFS (max_streams),
 * -ENOMEM.
 */
int secbuf_conn_stream_add(struct secbuf_conn *conn,
			   const struct secbuf_ring_side *side);

/**
 * secbuf_conn_stream_del() - a ring shall not end with the conn any more
 * @conn: the conn
 * @side: either end
 *
 * Return: 0; -ENOENT (it does not belong to this conn), -EINVAL, -EPERM.
 */
int secbuf_conn_stream_del(struct secbuf_conn *conn,
			   const struct secbuf_ring_side *side);

/*
 * All of it
 */

/**
 * secbuf_conn_zeroize() - zeroize and release all that it has, keep the conn
 * @conn: the conn
 *
 * Pointers from secbuf_conn_buffer() are invalid afterwards; asked again, it
 * gets new buffers. Rings are reset and leave the conn.
 *
 * Return: 0 or a negative errno.
 */
int secbuf_conn_zeroize(struct secbuf_conn *conn);

/**
 * secbuf_conn_reset() - zeroize all that it has, for the next connection
 * @conn: the conn
 *
 * As secbuf_conn_zeroize(), but the buffers stay, out or not, and zero; but for
 * wasteful ones that are not out.
 *
 * Return: 0 or a negative errno.
 */
int secbuf_conn_reset(struct secbuf_conn *conn);

/**
 * secbuf_conn_shrink() - give back now what is not in use
 * @conn: the conn
 * @level: SECBUF_CONN_SHRINK_WASTEFUL: wasteful buffers that are not out.
 *         SECBUF_CONN_SHRINK_IDLE: all that are not out, and the memory of
 *         empty rings
 * @bytes: bytes given back, if not NULL; not changed on failure
 *
 * Return: 0; -EINVAL (@level).
 */
int secbuf_conn_shrink(struct secbuf_conn *conn, enum secbuf_conn_shrink level,
		       uint64_t *bytes);

/**
 * secbuf_conn_touch() - this is activity
 * @conn: the conn
 *
 * So is every function here that makes a system call, but
 * secbuf_conn_get_stats() and secbuf_conn_shrink(), and so are
 * secbuf_conn_buffer() and its release.
 *
 * Return: 0 or a negative errno.
 */
int secbuf_conn_touch(struct secbuf_conn *conn);

/**
 * secbuf_conn_get_stats() - memory and counters
 * @conn: the conn
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
 */
int secbuf_conn_get_stats(struct secbuf_conn *conn,
			  struct secbuf_conn_stats_args *out);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_CONN_H */
