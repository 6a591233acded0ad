// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Spans of a ring: the protocol of <linux/secbuf.h> as far as it is not inline.
 *
 * Whatever the other end can write is read once, into a variable, and checked
 * there. The own position is never read back.
 */
#include "ring.h"

/* Behind the length, if it is a record. */
static unsigned char *secbuf_ring_payload(const struct secbuf_ring_side *side)
{
	return __secbuf_ring_at(side) + (side->bytes ? 0 : sizeof(uint32_t));
}

int secbuf_ring_break(struct secbuf_ring_side *side)
{
	struct secbuf_ring_notify_args args = {
		.flags = SECBUF_RING_NOTIFY_F_BROKEN,
	};

	secbuf_ioctl_ring_notify(secbuf_ring_handle(side)->fd, &args);
	return -EPROTO;
}

int secbuf_ring_over(const struct secbuf_ring_side *side)
{
	uint32_t flags = secbuf_get_acquire(side->status->flags);

	if (flags & SECBUF_RING_RESET_DONE)
		return -ESHUTDOWN;
	return flags & SECBUF_RING_BROKEN ? -EPROTO : 0;
}

/* Pairs with the release of a position by the other end. */
static uint64_t secbuf_ring_load_theirs(const struct secbuf_ring_side *side)
{
	const struct secbuf_ring_handle *handle = secbuf_ring_handle(side);

	if (secbuf_ring_is_producer(side))
		return secbuf_get_acquire(handle->producer.peer->tail);
	return secbuf_get_acquire(handle->consumer.peer->head);
}

/* Does the other end stay between what it said before and what it may reach? */
static bool secbuf_ring_may_be(const struct secbuf_ring_side *side,
			       uint64_t theirs)
{
	uint64_t from = side->theirs, to = side->mine;

	if (!secbuf_ring_is_producer(side)) {
		/* It was there: inline, theirs is not kept up to date. */
		from = side->limit;
		to += side->size;
	}
	if (!side->bytes && theirs % SECBUF_RING_RECORD_ALIGN)
		return false;
	return theirs - from <= to - from;
}

/*
 * After a reset the pages can show anything, and the status, which is loaded
 * behind the position, says so.
 */
static int64_t secbuf_ring_look_once(struct secbuf_ring_side *side)
{
	uint64_t theirs = secbuf_ring_load_theirs(side);
	int err = secbuf_ring_over(side);

	if (err)
		return err;
	if (!secbuf_ring_may_be(side, theirs))
		return secbuf_ring_break(side);
	side->theirs = theirs;
	if (secbuf_ring_is_producer(side))
		return side->size - (side->mine - theirs);
	return theirs - side->mine;
}

int64_t secbuf_ring_look(struct secbuf_ring_side *side, uint64_t want)
{
	int64_t amount = secbuf_ring_look_once(side);

	if (amount < 0 || !secbuf_ring_is_alone(side))
		return amount;
	if (secbuf_ring_is_producer(side))
		return -EPIPE;
	/* Once more: the last it did may have been to publish something. */
	amount = secbuf_ring_look_once(side);
	return amount < 0 || (uint64_t)amount >= want ? amount : -EPIPE;
}

/* The other end is asleep and wants what there is now. */
static bool secbuf_ring_is_awaited(const struct secbuf_ring_side *side)
{
	const struct secbuf_ring_handle *handle = secbuf_ring_handle(side);
	uint64_t wake_pos;
	uint32_t need_wake;

	if (secbuf_ring_is_producer(side)) {
		need_wake = secbuf_get_acquire(handle->producer.peer->need_wake);
		wake_pos = secbuf_get(handle->producer.peer->wake_pos);
	} else {
		need_wake = secbuf_get_acquire(handle->consumer.peer->need_wake);
		wake_pos = secbuf_get(handle->consumer.peer->wake_pos);
	}
	return need_wake && (int64_t)(side->mine - wake_pos) >= 0;
}

int __secbuf_ring_wake(struct secbuf_ring_side *side)
{
	struct secbuf_ring_notify_args args = { 0 };
	int err;

	if (secbuf_ring_is_awaited(side))
		secbuf_ioctl_ring_notify(secbuf_ring_handle(side)->fd, &args);
	err = secbuf_ring_over(side);
	if (!err && secbuf_ring_is_producer(side) && secbuf_ring_is_alone(side))
		err = -EPIPE;
	return err;
}

/*
 * Producer
 */

static uint64_t secbuf_ring_need(const struct secbuf_ring_side *side,
				 uint64_t len)
{
	return side->bytes ? len : SECBUF_RING_RECORD_BYTES(len);
}

size_t secbuf_ring_longest(const struct secbuf_ring_side *side, uint64_t room)
{
	if (side->bytes)
		return room;
	return room > sizeof(uint32_t) ? room - sizeof(uint32_t) : 0;
}

void secbuf_ring_store_parked(struct secbuf_ring_producer *producer)
{
	producer->side.limit = producer->side.mine;
	/* The kernel does not change BUSY. Nothing is written any more. */
	if (secbuf_get(producer->own->state) == SECBUF_RING_BUSY)
		secbuf_set_release(producer->own->state, SECBUF_RING_PARKED);
}

int secbuf_ring_park(struct secbuf_ring_producer *producer)
{
	if (!producer)
		return -EINVAL;
	if (!producer->side.size)
		return -EOWNERDEAD;
	if (secbuf_ring_is_open(&producer->side))
		return -EBUSY;
	secbuf_ring_store_parked(producer);
	return 0;
}

int secbuf_ring_unpark(struct secbuf_ring_producer *producer)
{
	struct secbuf_ring_plain_args args = { 0 };
	uint32_t state = SECBUF_RING_PARKED;

	if (!producer)
		return -EINVAL;
	if (!producer->side.size)
		return -EOWNERDEAD;
	if (secbuf_get(producer->own->state) == SECBUF_RING_BUSY)
		return 0;
	/* Acquire: the kernel is through with the memory, or will not begin. */
	if (__atomic_compare_exchange_n(&producer->own->state, &state,
					SECBUF_RING_BUSY, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	return secbuf_ioctl_ring_unpark(secbuf_ring_handle(&producer->side)->fd,
					&args);
}

int __secbuf_ring_reserve(struct secbuf_ring_producer *producer, size_t len,
			  void **out)
{
	struct secbuf_ring_side *side;
	int64_t room;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!producer || !len)
		return -EINVAL;
	side = &producer->side;
	if (!side->size)
		return -EOWNERDEAD;
	if (len > side->size || secbuf_ring_need(side, len) > side->size)
		return -EMSGSIZE;
	if (secbuf_ring_is_open(side))
		return -EBUSY;
	room = secbuf_ring_look(side, 0);
	if (room < 0)
		return room;
	if (secbuf_ring_need(side, len) > (uint64_t)room)
		return -ENOSPC;
	err = secbuf_ring_unpark(producer);
	if (err)
		return err;
	side->limit = side->mine + room;
	side->open = side->mine + secbuf_ring_need(side, len);
	side->payload = len;
	*out = secbuf_ring_payload(side);
	return 0;
}

int __secbuf_ring_write(struct secbuf_ring_producer *producer, const void *buf,
			size_t len)
{
	void *room;
	int err;

	if (!producer || !buf)
		return -EINVAL;
	if (!len)
		return 0;
	err = __secbuf_ring_reserve(producer, len, &room);
	if (err)
		return err;
	__secbuf_copy(room, buf, len);
	return __secbuf_ring_commit(producer, len);
}

int __secbuf_ring_commit(struct secbuf_ring_producer *producer, size_t len)
{
	struct secbuf_ring_side *side;
	uint64_t reserved;

	if (!producer)
		return -EINVAL;
	side = &producer->side;
	if (!side->size)
		return -EOWNERDEAD;
	if (!secbuf_ring_is_open(side))
		return len ? -EINVAL : 0;
	/* Inline, @payload is not set. */
	reserved = side->bytes ? side->open - side->mine : side->payload;
	if (len > reserved)
		return -EINVAL;
	__secbuf_zeroize(secbuf_ring_payload(side) + len, reserved - len);
	side->open = side->mine;
	if (!len)
		return 0;
	if (!side->bytes)
		secbuf_ring_record_frame(__secbuf_ring_at(side), len);
	return __secbuf_ring_publish(producer,
				     side->mine + secbuf_ring_need(side, len));
}

/*
 * Consumer
 */

int secbuf_ring_refill(struct secbuf_ring_consumer *consumer, uint64_t want)
{
	int64_t amount = secbuf_ring_look(&consumer->side, want);

	if (amount < 0)
		return amount;
	consumer->side.limit = consumer->side.mine + amount;
	return (uint64_t)amount < want ? -ENODATA : 0;
}

static int secbuf_ring_peek_record(struct secbuf_ring_consumer *consumer,
				   const void **out, size_t *out_len)
{
	struct secbuf_ring_side *side = &consumer->side;
	uint32_t len;
	int err = 0;

	if (side->limit == side->mine)
		err = secbuf_ring_refill(consumer, 1);
	if (!err)
		err = secbuf_ring_record_len(side, side->mine, &len);
	if (err)
		return err;
	side->open = side->mine + SECBUF_RING_RECORD_BYTES(len);
	side->payload = len;
	*out = secbuf_ring_payload(side);
	*out_len = len;
	return 0;
}

int __secbuf_ring_peek(struct secbuf_ring_consumer *consumer, size_t min,
		       const void **out, size_t *len)
{
	struct secbuf_ring_side *side;
	int err;

	if (out)
		*out = NULL;
	if (len)
		*len = 0;
	if (!consumer || !out || !len)
		return -EINVAL;
	side = &consumer->side;
	if (!side->size)
		return -EOWNERDEAD;
	if (!side->bytes)
		return secbuf_ring_peek_record(consumer, out, len);
	if (min > side->size)
		return -EMSGSIZE;
	err = secbuf_ring_refill(consumer, min ?: 1);
	if (err)
		return err;
	side->open = side->limit;
	*out = __secbuf_ring_at(side);
	*len = side->limit - side->mine;
	return 0;
}

static int secbuf_ring_consume_span(struct secbuf_ring_consumer *consumer,
				    uint64_t len)
{
	__secbuf_zeroize(__secbuf_ring_at(&consumer->side), len);
	return __secbuf_ring_give(consumer, len);
}

int __secbuf_ring_consume(struct secbuf_ring_consumer *consumer, size_t len)
{
	struct secbuf_ring_side *side;
	uint64_t peeked;

	if (!consumer)
		return -EINVAL;
	side = &consumer->side;
	if (!side->size)
		return -EOWNERDEAD;
	if (!len)
		return 0;
	peeked = side->open - side->mine;
	if (len > peeked || peeked > side->size ||
	    (!side->bytes && len != side->payload))
		return -EINVAL;
	return secbuf_ring_consume_span(consumer, secbuf_ring_need(side, len));
}

int secbuf_ring_clear(struct secbuf_ring_consumer *consumer)
{
	uint64_t used;
	int err;

	if (!consumer)
		return -EINVAL;
	if (!consumer->side.size)
		return -EOWNERDEAD;
	err = secbuf_ring_refill(consumer, 0);
	if (err)
		return err;
	used = consumer->side.limit - consumer->side.mine;
	if (!used)
		return 0;
	consumer->side.open = consumer->side.limit;
	return secbuf_ring_consume_span(consumer, used);
}

/* What is next, whatever its length. */
static int secbuf_ring_next(struct secbuf_ring_consumer *consumer, void *buf,
			    size_t max, const void **span, size_t *len)
{
	int err;

	if (!buf || !max)
		return -EINVAL;
	err = __secbuf_ring_peek(consumer, 1, span, len);
	if (err)
		return err;
	if (*len <= max)
		return 0;
	*len = max;
	return consumer->side.bytes ? 0 : -EMSGSIZE;
}

ssize_t __secbuf_ring_read(struct secbuf_ring_consumer *consumer, void *buf,
			   size_t max)
{
	const void *span;
	size_t len;
	int err;

	err = secbuf_ring_next(consumer, buf, max, &span, &len);
	if (err)
		return err;
	__secbuf_copy(buf, span, len);
	err = __secbuf_ring_consume(consumer, len);
	return err ?: (ssize_t)len;
}

ssize_t secbuf_ring_copy(struct secbuf_ring_consumer *consumer, void *buf,
			 size_t max)
{
	const void *span;
	size_t len;
	int err;

	err = secbuf_ring_next(consumer, buf, max, &span, &len);
	if (err)
		return err;
	__secbuf_copy(buf, span, len);
	err = secbuf_ring_over(&consumer->side);
	return err ?: (ssize_t)len;
}
