/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Ring, what goes through it: copied, or where it lies, in spans. Inline as far as
 * bytes are concerned.
 *
 * Each span is contiguous. It can be as long as the ring; of records a few bytes
 * less, see SECBUF_RING_RECORD_BYTES(). Errors that any function here can return
 * are in ring.h.
 */
#ifndef SECBUF_RING_SPAN_H
#define SECBUF_RING_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/secbuf.h>
#include <secbuf/ring.h>
#include <secbuf/source.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the producer can do
 */

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

/* Copies and zeroizes. */
static inline void __secbuf_ring_take(void *dst, void *src, size_t n)
{
	if (__builtin_constant_p(n) && n <= 64) {
		__secbuf_ring_copy(dst, src, n);
		__secbuf_zeroize(src, n);
	} else {
		secbuf_memory_take(dst, src, n);
	}
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

/*
 * Is there room for @len bytes, after another look if need be? Not if the kernel
 * may take the memory, and if nobody wants any.
 */
static inline int __secbuf_ring_has_room(struct secbuf_ring_producer *producer,
					 size_t len)
{
	struct secbuf_ring_side *side = &producer->side;
	uint64_t tail, room;

	if (len - 1 < side->limit - side->mine)
		return 1;
	/* Pairs with the release of tail by the consumer. */
	tail = __atomic_load_n(&producer->peer->tail, __ATOMIC_ACQUIRE);
	room = side->size - (side->mine - tail);
	if (__SECBUF_RARE(len - 1 >= room ||
			  tail - side->theirs > side->mine - side->theirs ||
			  __atomic_load_n(&producer->own->state,
					  __ATOMIC_RELAXED) != SECBUF_RING_BUSY))
		return 0;
	side->theirs = tail;
	side->limit = side->mine + room;
	return 1;
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
	if (__SECBUF_RARE(!__secbuf_ring_has_room(producer, len) ||
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
	if (__SECBUF_RARE(!__secbuf_ring_has_room(producer, len) ||
			  side->open != side->mine))
		return __secbuf_ring_write(producer, buf, len);
	__secbuf_ring_copy(__secbuf_ring_at(side), buf, len);
	return __secbuf_ring_publish(producer, side->mine + len);
}

/*
 * What the consumer can do
 */

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

/* The consumer is through with @len bytes, which are zero. */
static inline int __secbuf_ring_give(struct secbuf_ring_consumer *consumer,
				     size_t len)
{
	struct secbuf_ring_side *side = &consumer->side;

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
	uint64_t peeked;

	if (__SECBUF_RARE(!consumer || !consumer->side.bytes))
		return __secbuf_ring_consume(consumer, len);
	side = &consumer->side;
	/* More than the ring: all that was peeked has been read. */
	peeked = side->open - side->mine;
	if (__SECBUF_RARE(len - 1 >= peeked || peeked > side->size))
		return __secbuf_ring_consume(consumer, len);
	__secbuf_ring_zeroize(__secbuf_ring_at(side), len);
	return __secbuf_ring_give(consumer, len);
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
		/* Where @max is a constant, it is one for what is called. */
		__secbuf_ring_take(buf, __secbuf_ring_at(&consumer->side), max);
		err = __secbuf_ring_give(consumer, max);
		return err ? err : (ssize_t)max;
	}
	secbuf_memory_take(buf, __secbuf_ring_at(&consumer->side), len);
	err = __secbuf_ring_give(consumer, len);
	return err ? err : (ssize_t)len;
}

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_RING_SPAN_H */
