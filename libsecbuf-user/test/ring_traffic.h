/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Traffic: a stream of bytes that both ends can compute, through a ring, in
 * pieces of random length, by all functions there are.
 */
#ifndef RING_TRAFFIC_H
#define RING_TRAFFIC_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <secbuf.h>

#define TRAFFIC_PIECE	3000

/* What is reserved more than needed, at most. */
#define TRAFFIC_MORE	15

/**
 * struct traffic - where one end is
 * @random: state of what decides the pieces
 * @stream: state of the bytes
 * @done: bytes so far
 * @waits: times it had to wait
 */
struct traffic {
	uint64_t random;
	uint64_t stream;
	uint64_t done;
	uint64_t waits;
};

static inline uint64_t traffic_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void traffic_begin(struct traffic *traffic, uint64_t seed)
{
	*traffic = (struct traffic){ .random = seed * 2 + 1, .stream = 88172645 };
}

static inline void traffic_make(struct traffic *traffic, unsigned char *p,
				size_t n)
{
	while (n--)
		*p++ = traffic_next(&traffic->stream);
}

static inline bool traffic_is(struct traffic *traffic, const unsigned char *p,
			      size_t n)
{
	bool same = true;

	while (n--)
		same &= *p++ == (unsigned char)traffic_next(&traffic->stream);
	return same;
}

/* In whatever way; -ENOSPC is not an error. */
static inline int traffic_put(struct traffic *traffic,
			      struct secbuf_ring_producer *producer, size_t n)
{
	struct traffic undo = *traffic;
	unsigned char piece[TRAFFIC_PIECE];
	void *room;
	int err;

	if (undo.random & 64) {
		traffic_make(traffic, piece, n);
		err = secbuf_ring_write(producer, piece, n);
	} else {
		/* More than needed, and now and then nothing of it at first. */
		err = secbuf_ring_reserve(producer, n + (undo.random >> 60),
					  &room);
		if (!err && undo.random >> 56 & 1) {
			memset(room, 0xee, n);
			secbuf_ring_cancel(producer);
			err = secbuf_ring_reserve(producer, n, &room);
		}
		if (!err) {
			traffic_make(traffic, room, n);
			err = secbuf_ring_commit(producer, n);
		}
	}
	if (err)
		*traffic = undo;
	else
		traffic->done += n;
	return err;
}

/* -EBADMSG if the bytes are not those that were put. */
static inline int traffic_get(struct traffic *traffic,
			      struct secbuf_ring_consumer *consumer, size_t max)
{
	unsigned char piece[TRAFFIC_PIECE];
	const void *span;
	ssize_t n;
	size_t len;
	int err;

	if (traffic->random & 64) {
		n = secbuf_ring_read(consumer, piece, max);
		if (n < 0)
			return n;
		if (!traffic_is(traffic, piece, n))
			return -EBADMSG;
	} else {
		err = secbuf_ring_peek(consumer, 0, &span, &len);
		if (err)
			return err;
		n = !consumer->side.bytes || len < max ? len : max;
		if (!traffic_is(traffic, span, n))
			return -EBADMSG;
		err = secbuf_ring_consume(consumer, n);
		if (err)
			return err;
	}
	traffic->done += n;
	return 0;
}

static inline int traffic_produce(struct traffic *traffic,
				  struct secbuf_ring_producer *producer,
				  uint64_t total)
{
	size_t n;
	int err;

	while (traffic->done < total) {
		n = 1 + traffic_next(&traffic->random) % TRAFFIC_PIECE;
		if (traffic->random >> 50 & 1)
			n = 1 + n % 64;
		if (n > total - traffic->done)
			n = total - traffic->done;
		while ((err = traffic_put(traffic, producer, n)) == -ENOSPC) {
			traffic->waits++;
			err = secbuf_ring_wait(&producer->side,
					       n + TRAFFIC_MORE,
					       SECBUF_RING_TIMEOUT_NONE);
			if (err)
				return err;
		}
		if (err)
			return err;
	}
	return 0;
}

static inline int traffic_consume(struct traffic *traffic,
				  struct secbuf_ring_consumer *consumer,
				  uint64_t total)
{
	size_t max;
	int err;

	while (traffic->done < total) {
		max = TRAFFIC_PIECE;
		if (traffic_next(&traffic->random) & 1 && consumer->side.bytes)
			max = 1 + (traffic->random >> 40) % TRAFFIC_PIECE;
		err = traffic_get(traffic, consumer, max);
		if (err == -ENODATA) {
			traffic->waits++;
			err = secbuf_ring_wait(&consumer->side, 1,
					       SECBUF_RING_TIMEOUT_NONE);
		}
		if (err)
			return err;
	}
	return 0;
}

#endif /* RING_TRAFFIC_H */
