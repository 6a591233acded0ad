/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Ring: bytes or records from one producer to one consumer, in this process or
 * another, that are zeroized when they are consumed.
 *
 * While nobody sleeps no call here is a system call. Each end is for one thread
 * at a time, and is not to be used by read() and write() beside these functions.
 *
 * Each span is contiguous. It can be as long as the ring; of records a few bytes
 * less, see SECBUF_RING_RECORD_BYTES().
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

/* Bytes that a record of @_len bytes takes in a ring. */
#define SECBUF_RING_RECORD_BYTES(_len)					\
	(((uint64_t)(_len) + sizeof(uint32_t) +				\
	  SECBUF_RING_RECORD_ALIGN - 1) &				\
	 ~(uint64_t)(SECBUF_RING_RECORD_ALIGN - 1))

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
 * What the producer can do
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

/* A span and what the program has do not overlap. */
static inline void __secbuf_ring_copy(void *dst, const void *src, size_t n)
{
	if (__builtin_constant_p(n) && n > 32 && n <= 64) {
		__secbuf_copy_upto32((unsigned char *)dst,
				     (const unsigned char *)src, 32);
		__secbuf_copy_upto32((unsigned char *)dst + n - 32,
				     (const unsigned char *)src + n - 32, 32);
	} else {
		__secbuf_copy(dst, src, n);
	}
}

/* The compiler would clear a long span in a slow way if it knew the length. */
static inline void __secbuf_ring_zeroize(void *ptr, size_t n)
{
	if (!__builtin_constant_p(n) || n > 128)
		__asm__("" : "+r" (n));
	__secbuf_zeroize(ptr, n);
}

#define __SECBUF_RARE(x)	__builtin_expect(!!(x), 0)

/* Is the other side asleep, or has the kernel to say something? */
static inline uint32_t __secbuf_ring_news(const struct secbuf_ring_side *side,
					  const uint32_t *need_wake)
{
	return __atomic_load_n(need_wake, __ATOMIC_RELAXED) |
	       __atomic_load_n(&side->status->flags, __ATOMIC_RELAXED);
}

/* Where the own position is. */
static inline unsigned char *
__secbuf_ring_at(const struct secbuf_ring_side *side)
{
	return side->data + (side->mine & (side->size - 1));
}

/* What is not inline of the functions below. */
int __secbuf_ring_reserve(struct secbuf_ring_producer *producer, size_t len,
			  void **out);
int __secbuf_ring_commit(struct secbuf_ring_producer *producer, size_t len);
int __secbuf_ring_write(struct secbuf_ring_producer *producer, const void *buf,
			size_t len);
int __secbuf_ring_wake(struct secbuf_ring_side *side);

/* The producer has gone on to @head, and has nothing reserved. */
static inline int __secbuf_ring_publish(struct secbuf_ring_producer *producer,
					uint64_t head)
{
	producer->side.mine = head;
	producer->side.open = head;
	/* Pairs with the acquire of head by the consumer: the bytes come first. */
	__atomic_store_n(&producer->own->head, head, __ATOMIC_RELEASE);
	/* No more than that, see "Sleeping and waking" in <linux/secbuf.h>. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__SECBUF_RARE(__secbuf_ring_news(&producer->side,
					     &producer->peer->need_wake)))
		return __secbuf_ring_wake(&producer->side);
	return 0;
}

/**
 * secbuf_ring_reserve() - room to write to
 * @producer: the end
 * @len: bytes, at least 1
 * @out: the room; NULL on failure. It is zero
 *
 * Return: 0; -ENOSPC (no room now), -EMSGSIZE (never), -EBUSY (something is
 * reserved), -EINVAL.
 */
static inline int secbuf_ring_reserve(struct secbuf_ring_producer *producer,
				      size_t len, void **out)
{
	struct secbuf_ring_side *side;

	if (__SECBUF_RARE(!producer || !out || !producer->side.bytes))
		return __secbuf_ring_reserve(producer, len, out);
	side = &producer->side;
	if (__SECBUF_RARE(len - 1 >= side->limit - side->mine ||
			  side->open != side->mine))
		return __secbuf_ring_reserve(producer, len, out);
	side->open = side->mine + len;
	*out = __secbuf_ring_at(side);
	return 0;
}

/**
 * secbuf_ring_commit() - publish what was written
 * @producer: the end
 * @len: bytes from the beginning of the room, at most what was reserved; the
 *       rest is zeroized and not reserved any more. 0: nothing is published
 *
 * What is published has left, whatever becomes of it: -EPIPE, -ESHUTDOWN and
 * -EPROTO say that nobody will read it.
 *
 * Return: 0; -EINVAL (more than was reserved), and nothing changes.
 */
static inline int secbuf_ring_commit(struct secbuf_ring_producer *producer,
				     size_t len)
{
	struct secbuf_ring_side *side;

	if (__SECBUF_RARE(!producer || !len || !producer->side.bytes))
		return __secbuf_ring_commit(producer, len);
	side = &producer->side;
	if (__SECBUF_RARE(len != side->open - side->mine))
		return __secbuf_ring_commit(producer, len);
	return __secbuf_ring_publish(producer, side->open);
}

/**
 * secbuf_ring_cancel() - give up what is reserved, and zeroize it
 * @producer: the end
 *
 * Return: 0, also if nothing is reserved; -EINVAL.
 */
static inline int secbuf_ring_cancel(struct secbuf_ring_producer *producer)
{
	return __secbuf_ring_commit(producer, 0);
}

/**
 * secbuf_ring_write() - copy bytes into the ring, all or none
 * @producer: the end
 * @buf: the bytes, or of a record its payload
 * @len: how many; 0 does nothing
 *
 * Return: 0, or an error as of secbuf_ring_reserve() and secbuf_ring_commit().
 */
static inline int secbuf_ring_write(struct secbuf_ring_producer *producer,
				    const void *buf, size_t len)
{
	struct secbuf_ring_side *side;

	if (__SECBUF_RARE(!producer || !buf || !producer->side.bytes))
		return __secbuf_ring_write(producer, buf, len);
	side = &producer->side;
	if (__SECBUF_RARE(len - 1 >= side->limit - side->mine ||
			  side->open != side->mine))
		return __secbuf_ring_write(producer, buf, len);
	__secbuf_ring_copy(__secbuf_ring_at(side), buf, len);
	return __secbuf_ring_publish(producer, side->mine + len);
}

/*
 * What the consumer can do
 */

/**
 * secbuf_ring_clear() - consume everything without looking
 * @consumer: the end
 *
 * Return: 0 or a negative errno.
 */
int secbuf_ring_clear(struct secbuf_ring_consumer *consumer);

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

/**
 * secbuf_ring_copy() - copy bytes out without consuming them
 * @consumer: the end
 * @buf: where to
 * @max: most bytes; of records at least the length of the next one
 *
 * Return: bytes copied, or an error as of secbuf_ring_read().
 */
ssize_t secbuf_ring_copy(struct secbuf_ring_consumer *consumer, void *buf,
			 size_t max);

/* What is not inline of the functions below. */
int __secbuf_ring_peek(struct secbuf_ring_consumer *consumer, size_t min,
		       const void **out, size_t *len);
int __secbuf_ring_consume(struct secbuf_ring_consumer *consumer, size_t len);
ssize_t __secbuf_ring_read(struct secbuf_ring_consumer *consumer, void *buf,
			   size_t max);

/* The consumer is through with @len bytes. */
static inline int __secbuf_ring_take(struct secbuf_ring_consumer *consumer,
				     size_t len)
{
	struct secbuf_ring_side *side = &consumer->side;

	__secbuf_ring_zeroize(__secbuf_ring_at(side), len);
	side->mine += len;
	/* Pairs with the acquire of tail by the producer: the zeros come first. */
	__atomic_store_n(&consumer->own->tail, side->mine, __ATOMIC_RELEASE);
	/* No more than that, see "Sleeping and waking" in <linux/secbuf.h>. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__SECBUF_RARE(__secbuf_ring_news(side, &consumer->peer->need_wake)))
		return __secbuf_ring_wake(side);
	return 0;
}

/* What can be read, after another look if that is less than @min; or 0. */
static inline uint64_t
__secbuf_ring_usable(struct secbuf_ring_consumer *consumer, size_t min)
{
	struct secbuf_ring_side *side = &consumer->side;
	uint64_t usable = side->limit - side->mine;
	uint64_t seen;

	if (usable && usable >= min)
		return usable;
	/* Pairs with the release of head by the producer. */
	seen = __atomic_load_n(&consumer->peer->head, __ATOMIC_ACQUIRE) -
	       side->mine;
	if (__SECBUF_RARE(seen > side->size || seen <= usable || seen < min))
		return 0;
	side->limit = side->mine + seen;
	return seen;
}

/**
 * secbuf_ring_peek() - what can be read
 * @consumer: the end
 * @min: bytes that must be there; 0 is taken as 1. Ignored if records
 * @out: bytes, or the payload of the next record; NULL on failure
 * @len: how many they are. There can be more in the ring; 0 on failure
 *
 * They stay until they are consumed.
 *
 * Return: 0; -ENODATA (there is less in the ring than @min), -EMSGSIZE (@min is
 * more than the ring), -EINVAL.
 */
static inline int secbuf_ring_peek(struct secbuf_ring_consumer *consumer,
				   size_t min, const void **out, size_t *len)
{
	struct secbuf_ring_side *side;
	uint64_t usable;

	if (__SECBUF_RARE(!consumer || !out || !len || !consumer->side.bytes))
		return __secbuf_ring_peek(consumer, min, out, len);
	side = &consumer->side;
	usable = __secbuf_ring_usable(consumer, min);
	if (__SECBUF_RARE(!usable))
		return __secbuf_ring_peek(consumer, min, out, len);
	side->open = side->limit;
	*out = __secbuf_ring_at(side);
	*len = usable;
	return 0;
}

/**
 * secbuf_ring_consume() - zeroize what was peeked and give its space back
 * @consumer: the end
 * @len: bytes from the beginning, at most what was peeked; of a record all of
 *       its payload
 *
 * -ESHUTDOWN and -EPROTO mean that what was peeked may not be what the producer
 * wrote.
 *
 * Return: 0; -EINVAL (more than was peeked), and nothing changes.
 */
static inline int secbuf_ring_consume(struct secbuf_ring_consumer *consumer,
				      size_t len)
{
	struct secbuf_ring_side *side;

	if (__SECBUF_RARE(!consumer || !consumer->side.bytes))
		return __secbuf_ring_consume(consumer, len);
	side = &consumer->side;
	if (__SECBUF_RARE(len - 1 >= side->open - side->mine))
		return __secbuf_ring_consume(consumer, len);
	return __secbuf_ring_take(consumer, len);
}

/**
 * secbuf_ring_read() - copy bytes out of the ring
 * @consumer: the end
 * @buf: where to
 * @max: most bytes; of records at least the length of the next one
 *
 * Return: bytes read, or the length of the record; -ENODATA (the ring is empty),
 * -EMSGSIZE (the record is longer than @max, and stays), -EINVAL. On -ESHUTDOWN
 * and -EPROTO, something can have been written to @buf.
 */
static inline ssize_t secbuf_ring_read(struct secbuf_ring_consumer *consumer,
				       void *buf, size_t max)
{
	uint64_t len;
	int err;

	if (__SECBUF_RARE(!consumer || !buf || !max || !consumer->side.bytes))
		return __secbuf_ring_read(consumer, buf, max);
	len = __secbuf_ring_usable(consumer, 1);
	if (__SECBUF_RARE(!len))
		return __secbuf_ring_read(consumer, buf, max);
	if (len >= max) {
		/* Where @max is a constant, it is one for the copy. */
		__secbuf_ring_copy(buf, __secbuf_ring_at(&consumer->side), max);
		err = __secbuf_ring_take(consumer, max);
		return err ? err : (ssize_t)max;
	}
	__secbuf_ring_copy(buf, __secbuf_ring_at(&consumer->side), len);
	err = __secbuf_ring_take(consumer, len);
	return err ? err : (ssize_t)len;
}

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_RING_H */
