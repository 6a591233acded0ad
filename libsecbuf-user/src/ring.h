/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * An end of a ring, for what is built on it.
 */
#ifndef SECBUF_SRC_RING_H
#define SECBUF_SRC_RING_H

#include "internal.h"
#include "map.h"

/* Bits of struct secbuf_ring_status that end a ring for both. */
#define SECBUF_RING_OVER	(SECBUF_RING_BROKEN | SECBUF_RING_RESET_DONE)

/*
 * Where in a page that begins what every call of an end uses. The shared words
 * lie at the beginning of theirs; see map.h for what it is good for to be close to
 * them and apart from each other.
 */
#define SECBUF_RING_PRODUCER_COLOUR	320
#define SECBUF_RING_CONSUMER_COLOUR	576

/**
 * struct secbuf_ring_places - where an end is mapped
 * @data: the bytes, twice in a row
 * @own: its page
 * @peer: the page of the other end
 * @status: what the kernel says
 */
struct secbuf_ring_places {
	unsigned char *data;
	void *own;
	const void *peer;
	const struct secbuf_ring_status *status;
};

/**
 * struct secbuf_ring_handle - either end
 * @fd: of it
 * @base: begin of what is reserved: guard, pages, guard, data, guard
 * @map_size: bytes reserved
 * @memory: that this lies in, somewhere in its first page
 * @__kept: up to the same place SECBUF_MAP_KEPT further, from where on a child of
 *          fork() finds zeros
 * @side: what both ends have
 * @producer: if it is the one
 * @consumer: if it is the other
 */
struct secbuf_ring_handle {
	union {
		struct {
			int fd;
			unsigned char *base;
			size_t map_size;
			void *memory;
		};
		unsigned char __kept[SECBUF_MAP_KEPT];
	};
	union {
		struct secbuf_ring_side side;
		struct secbuf_ring_producer producer;
		struct secbuf_ring_consumer consumer;
	};
};

static inline struct secbuf_ring_handle *
secbuf_ring_handle(const struct secbuf_ring_side *side)
{
	return (struct secbuf_ring_handle *)
		((char *)side - offsetof(struct secbuf_ring_handle, side));
}

static inline bool secbuf_ring_is_producer(const struct secbuf_ring_side *side)
{
	return side->end == SECBUF_RING_END_PRODUCER;
}

/* Is something reserved, or peeked and not consumed? */
static inline bool secbuf_ring_is_open(const struct secbuf_ring_side *side)
{
	return side->open != side->mine;
}

/* Is the other end gone? */
static inline bool secbuf_ring_is_alone(const struct secbuf_ring_side *side)
{
	return secbuf_get_acquire(side->status->flags) &
	       (secbuf_ring_is_producer(side) ? SECBUF_RING_CONSUMER_GONE :
						SECBUF_RING_PRODUCER_GONE);
}

/* Of an end, without anything mapped; NULL without memory. */
struct secbuf_ring_handle *secbuf_ring_new(int fd, uint32_t end);
void secbuf_ring_free(struct secbuf_ring_handle *handle);

/*
 * The end begins where its page says that it is. 0; -EPROTO if that cannot be.
 */
int secbuf_ring_begin(struct secbuf_ring_handle *handle,
		      const struct secbuf_ring_places *places,
		      const struct secbuf_ring_info_args *info);

/* Tell the kernel that the other end broke the protocol. Returns -EPROTO. */
int secbuf_ring_break(struct secbuf_ring_side *side);

/*
 * Bytes from the own position on that this side may use, or a negative errno:
 * -EPIPE if they are less than @want and there will not be more.
 */
int64_t secbuf_ring_look(struct secbuf_ring_side *side, uint64_t want);

/* 0 as long as the ring can be used. */
int secbuf_ring_over(const struct secbuf_ring_side *side);

/*
 * Look at the other's position, and move the limit to it. -ENODATA if there is less
 * than @want.
 */
int secbuf_ring_refill(struct secbuf_ring_consumer *consumer, uint64_t want);

/*
 * The length of the record at @pos, which is before the limit, read once. 0, or
 * what is wrong with it or the ring, which then is broken.
 */
int secbuf_ring_record_len(struct secbuf_ring_side *side, uint64_t pos,
			   uint32_t *len);

/* The length before a payload of @len bytes, and zeros behind it. */
void secbuf_ring_record_frame(unsigned char *record, uint32_t len);

/* Bytes of the longest write into @room bytes. */
size_t secbuf_ring_longest(const struct secbuf_ring_side *side, uint64_t room);

/* Does nothing if it is not busy. */
void secbuf_ring_store_parked(struct secbuf_ring_producer *producer);

#endif /* SECBUF_SRC_RING_H */
