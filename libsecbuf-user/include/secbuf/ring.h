/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Ring: bytes or records from one producer to one consumer, in this process or
 * another, that are zeroized when they are consumed.
 *
 * While nobody sleeps no call here is a system call. Each end is for one thread
 * at a time, and is not to be used by read() and write() beside these functions.
 *
 * This is about the ends as such. What goes through them is in ring_span.h, of
 * records several at once in ring_record.h, and to and from sockets in
 * ring_socket.h.
 *
 * The other end may be hostile. Nothing it writes makes a function here touch
 * other memory than the span it returns, loop, or end by a signal. But it can
 * change the bytes of a span at any time: copy what decides anything, by
 * secbuf_ring_read(), and check the copy.
 *
 * Errors that any function here can return:
 *
 * - EOWNERDEAD: in a child made by fork(). It closes the end, which leaves that
 *   of the parent alone
 * - EPROTO: the other end broke the protocol; the ring is good for nothing more
 *   but secbuf_ring_reset() and close
 * - ESHUTDOWN: the creator has reset the ring
 * - EPIPE: the other end is gone. Of the consumer's functions only when there is
 *   less left than they want
 */
#ifndef SECBUF_RING_H
#define SECBUF_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/secbuf.h>
#include <secbuf/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;

/**
 * struct secbuf_ring_opts - options of a ring
 * @sz: sizeof(struct secbuf_ring_opts)
 * @ring_size: bytes; 0 means 65536. Rounded up to a power of two of at least a
 *             page; at most SECBUF_RING_SIZE_MAX
 * @flags: SECBUF_RING_F_*
 * @__reserved: 0
 * @require_protections: SECBUF_PROT_* without which the open fails
 */
struct secbuf_ring_opts {
	size_t sz;
	size_t ring_size;
	uint32_t flags;
	uint32_t __reserved;
	uint64_t require_protections;
};

/**
 * struct secbuf_ring_side - what both ends have; for the functions here only
 * @data: the bytes, twice in a row
 * @size: bytes of the ring; 0 in a child made by fork()
 * @mine: own position, published
 * @limit: where this side may go without looking at the other's position
 * @open: end of what is reserved, or peeked; @mine if nothing is
 * @status: what the kernel says
 * @bytes: not records; 0 in a child made by fork()
 * @end: enum secbuf_ring_end_nr
 * @theirs: the other's position as it was seen last
 * @payload: of records, bytes that are reserved or peeked
 *
 * Nobody else can write this.
 */
struct secbuf_ring_side {
	unsigned char *data;
	uint64_t size;
	uint64_t mine;
	uint64_t limit;
	uint64_t open;
	const struct secbuf_ring_status *status;
	uint32_t bytes;
	uint32_t end;
	uint64_t theirs;
	uint64_t payload;
};

/**
 * struct secbuf_ring_producer - the end that writes
 * @side: for the functions that both ends have
 * @own: its page
 * @peer: the page of the consumer
 */
struct secbuf_ring_producer {
	struct secbuf_ring_side side;
	struct secbuf_ring_head *own;
	const struct secbuf_ring_tail *peer;
};

/**
 * struct secbuf_ring_consumer - the end that reads
 * @side: for the functions that both ends have
 * @own: its page
 * @peer: the page of the producer
 */
struct secbuf_ring_consumer {
	struct secbuf_ring_side side;
	struct secbuf_ring_tail *own;
	const struct secbuf_ring_head *peer;
};

/*
 * Making and unmaking
 */

/**
 * secbuf_ring_open() - create a ring with both ends in this process
 * @producer: one end
 * @consumer: the other
 * @ctx: the context; it may be closed afterwards
 * @opts: options, or NULL
 *
 * Return: 0; -EINVAL (an option is out of range), -E2BIG (@opts), -EOPNOTSUPP
 * (something required does not hold here, or a flag is not known), -ENOMEM,
 * -EDQUOT, -EMFILE, -ENFILE, -EAGAIN (mlockall(MCL_FUTURE) is in force, and the
 * ring would exceed RLIMIT_MEMLOCK), -EPROTO (an answer that no secbuf module
 * gives). Either both are made or none.
 */
int secbuf_ring_open(struct secbuf_ring_producer **producer,
		     struct secbuf_ring_consumer **consumer,
		     struct secbuf_context *ctx,
		     const struct secbuf_ring_opts *opts);

/**
 * secbuf_ring_create() - create a ring of which an end is for another process
 * @producer_fd: descriptor of one end
 * @consumer_fd: descriptor of the other
 * @ctx: the context
 * @opts: options, with SECBUF_RING_F_PASSABLE in them; or NULL, which stands for
 *        that alone
 *
 * To be attached, here or where they are sent, and closed. Without
 * SECBUF_RING_F_PASSABLE they can only be attached here.
 *
 * Return: as of secbuf_ring_open(). On failure -1 is stored to both.
 */
int secbuf_ring_create(int *producer_fd, int *consumer_fd,
		       struct secbuf_context *ctx,
		       const struct secbuf_ring_opts *opts);

/**
 * secbuf_ring_producer_attach() - take over the end that writes
 * @out: the end, with a descriptor of its own
 * @fd: a descriptor of it, of this process or received from another; it may be
 *      closed afterwards
 *
 * From now on it belongs to this process, and dies with it.
 *
 * Return: as of secbuf_ring_open(); -EPERM (it is not passable, or somebody else
 * took it), -EBUSY (its owner uses it), -ESHUTDOWN (its owner is dead, or it was
 * closed), -EINVAL (@fd is the other end), -ENOTTY (@fd is something else),
 * -EBADF.
 */
int secbuf_ring_producer_attach(struct secbuf_ring_producer **out, int fd);

/**
 * secbuf_ring_consumer_attach() - take over the end that reads
 * @out: the end, with a descriptor of its own
 * @fd: a descriptor of it, as of secbuf_ring_producer_attach()
 *
 * Return: as of secbuf_ring_producer_attach().
 */
int secbuf_ring_consumer_attach(struct secbuf_ring_consumer **out, int fd);

/**
 * secbuf_ring_producer_close() - nothing more will be written
 * @producer: the end, or NULL
 *
 * What was committed can still be consumed. The end is gone even where somebody
 * else holds a descriptor of it.
 */
void secbuf_ring_producer_close(struct secbuf_ring_producer *producer);

/**
 * secbuf_ring_consumer_close() - nothing more will be read: zeroize everything
 * @consumer: the end, or NULL
 */
void secbuf_ring_consumer_close(struct secbuf_ring_consumer *consumer);

/*
 * What both ends can do
 */

/**
 * secbuf_ring_wait() - sleep until there is something to do
 * @side: of either end
 * @min: the consumer: bytes that must be there, or 1 if records; the producer:
 *       bytes that must have room, or those of a record. 0 is taken as 1
 * @timeout_ns: nanoseconds; 0 to look only; SECBUF_RING_TIMEOUT_NONE
 *
 * A producer that has nothing reserved parks meanwhile.
 *
 * Before secbuf_ring_fd() is waited for by edge triggered epoll, this must have
 * returned -ETIMEDOUT, for instance with a @timeout_ns of 0.
 *
 * Return: 0; -ETIMEDOUT, -EINTR, -EMSGSIZE (@min is more than ever fits).
 */
int secbuf_ring_wait(struct secbuf_ring_side *side, size_t min,
		     uint64_t timeout_ns);

/**
 * secbuf_ring_used() - bytes that are not consumed yet
 * @side: of either end
 *
 * Of records, with their lengths and padding.
 *
 * Return: bytes, or a negative errno.
 */
ssize_t secbuf_ring_used(struct secbuf_ring_side *side);

/**
 * secbuf_ring_available() - what can be written at once
 * @side: of either end
 *
 * Return: bytes of the longest write that fits now, or a negative errno.
 */
ssize_t secbuf_ring_available(struct secbuf_ring_side *side);

/**
 * secbuf_ring_is_empty() - is all consumed?
 * @side: of either end
 *
 * Return: 1 or 0, or a negative errno.
 */
int secbuf_ring_is_empty(struct secbuf_ring_side *side);

/**
 * secbuf_ring_is_full() - is there no room for anything?
 * @side: of either end
 *
 * Return: 1 or 0, or a negative errno.
 */
int secbuf_ring_is_full(struct secbuf_ring_side *side);

/**
 * secbuf_ring_is_idle() - does it have memory without need?
 * @side: of either end
 *
 * Return: 1 if the ring is empty and has memory, which secbuf_ring_shrink() may
 * free; 0 if not; or a negative errno.
 */
int secbuf_ring_is_idle(struct secbuf_ring_side *side);

/**
 * secbuf_ring_shrink() - free the memory of an empty ring
 * @side: of either end. The producer is parked by it
 *
 * It comes back when it is used.
 *
 * Return: bytes freed, or a negative errno: -EBUSY (it is not empty, something
 * is reserved, or the producer, being another, is not parked).
 */
ssize_t secbuf_ring_shrink(struct secbuf_ring_side *side);

/**
 * secbuf_ring_reset() - zeroize everything and end the ring for both
 * @side: of either end, which can be in use elsewhere
 *
 * Return: 0; -EPERM (this process did not create the ring).
 */
int secbuf_ring_reset(struct secbuf_ring_side *side);

/**
 * secbuf_ring_get_stats() - counters
 * @side: of either end
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
 */
int secbuf_ring_get_stats(struct secbuf_ring_side *side,
			  struct secbuf_ring_stats_args *out);

/**
 * secbuf_ring_size() - bytes of the ring
 * @side: of either end
 *
 * Return: the size; 0 if @side is NULL.
 */
size_t secbuf_ring_size(const struct secbuf_ring_side *side);

/**
 * secbuf_ring_fd() - descriptor of the end, for poll
 * @side: of either end, which keeps owning the descriptor
 *
 * Return: the descriptor; -EINVAL if @side is NULL.
 */
int secbuf_ring_fd(const struct secbuf_ring_side *side);

/*
 * What the producer can do, and the consumer; for the rest see ring_span.h
 */

/**
 * secbuf_ring_park() - let the kernel take the memory when the ring is empty
 * @producer: the end
 *
 * To be called before the program does something else for long. The next
 * reserve undoes it.
 *
 * Return: 0; -EBUSY (something is reserved).
 */
int secbuf_ring_park(struct secbuf_ring_producer *producer);

/**
 * secbuf_ring_unpark() - the other way round, ahead of the next reserve
 * @producer: the end
 *
 * Return: 0 or a negative errno.
 */
int secbuf_ring_unpark(struct secbuf_ring_producer *producer);

/**
 * secbuf_ring_clear() - consume everything without looking
 * @consumer: the end
 *
 * Return: 0 or a negative errno.
 */
int secbuf_ring_clear(struct secbuf_ring_consumer *consumer);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_RING_H */
