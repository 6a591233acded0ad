/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A mapped pool, for what is built on it.
 */
#ifndef SECBUF_SRC_POOL_H
#define SECBUF_SRC_POOL_H

#include "internal.h"
#include "map.h"

/* Ids per system call: what fits on the stack without a thought. */
#define SECBUF_POOL_CHUNK		64

/* What the library knows about a slot, one byte each. */
enum secbuf_slot_state {
	SECBUF_SLOT_UNKNOWN,	/* not granted, or to somebody else */
	SECBUF_SLOT_OUT,	/* the program has it */
	SECBUF_SLOT_PARKED,	/* a thread keeps it at hand */
	SECBUF_SLOT_CONN,	/* it is the buffer of a conn, and out */
};

/**
 * struct secbuf_pool_hot - of a pool, what a child of fork() finds zero
 * @colour: not used
 * @index: of its caches in each thread; 0 if there are none
 * @owned: this is the process that opened the pool
 * @nr_caches: threads that keep slots of this pool
 * @hits: allocations that were served from caches that are gone
 * @stocked: slots that the kernel granted to such caches
 * @words: of all slots, when there was a conn
 */
struct secbuf_pool_hot {
	char colour[SECBUF_POOL_COLOUR];
	uint32_t index;
	uint32_t owned;
	uint32_t nr_caches;
	uint64_t hits;
	uint64_t stocked;
	struct secbuf_slot_word *words;
};

/**
 * struct secbuf_pool - a pool and its mapping
 * @source: what secbuf_pool_source() returns
 * @fd: the pool
 * @flags: SECBUF_POOL_F_*
 * @batch_max: most slots that the kernel takes in one call
 * @max_slots: most slots that can be out, and their number
 * @slot_size: bytes of a slot, a power of two
 * @stride: distance of two slots
 * @skip: where in its stride a slot begins
 * @map: where it is mapped
 * @hot_size: bytes of this struct and of the states that follow it
 * @annotated: AddressSanitizer or valgrind is told of each call
 * @hot: the rest
 *
 * None of this changes after the pool was opened, but for what is in @hot.
 */
struct secbuf_pool {
	struct secbuf_source source;
	int fd;
	uint32_t flags;
	uint32_t batch_max;
	uint32_t max_slots;
	size_t slot_size;
	size_t stride;
	size_t skip;
	struct secbuf_map map;
	size_t hot_size;
	bool annotated;

	_Alignas(SECBUF_MAP_KEPT) struct secbuf_pool_hot hot;
};

extern const struct secbuf_source_ops secbuf_pool_source_ops;

/* The states of all slots. */
static inline uint8_t *secbuf_pool_states(struct secbuf_pool *pool)
{
	return (uint8_t *)(&pool->hot + 1);
}

/* False in a child made by fork(). */
static inline bool secbuf_pool_is_owned(const struct secbuf_pool *pool)
{
	return secbuf_get(pool->hot.owned);
}

/* Where slot @id begins, NULL if there is no such slot. */
static inline void *secbuf_pool_slot(const struct secbuf_pool *pool,
				     uint64_t id)
{
	if (id >= pool->max_slots)
		return NULL;
	return pool->map.slots + (size_t)id * pool->stride + pool->skip;
}

/* What secbuf_pool_open() does, with the slots at @where if that is not NULL. */
int secbuf_pool_open_at(struct secbuf_pool **out, struct secbuf_context *ctx,
			const struct secbuf_pool_opts *opts, void *where);

/* The words of all slots are mapped from now on. 0 or a negative errno. */
int secbuf_pool_map_words(struct secbuf_pool *pool);

/* A slot that the kernel has granted goes to the program. */
void *secbuf_pool_hand_out(struct secbuf_pool *pool, uint64_t id);

/* A slot becomes the buffer of a conn; NULL if there is no such slot. */
void *secbuf_pool_lend(struct secbuf_pool *pool, uint64_t id);
void secbuf_pool_unlend(struct secbuf_pool *pool, void *slot);

/* The id of a pointer that may point anywhere; -EINVAL if it is not of a slot. */
int secbuf_pool_find(const struct secbuf_pool *pool, const void *slot,
		     uint64_t *id);

/* The same of a slot that must be out; -EOWNERDEAD, -EBUSY, -ENOENT, too. */
int secbuf_pool_find_out(struct secbuf_pool *pool, const void *slot,
			 uint64_t *id);

/*
 * Ask the kernel, for at most SECBUF_POOL_CHUNK slots. Return how many it has
 * completed, or a negative errno.
 */
int secbuf_pool_grant_ids(struct secbuf_pool *pool, uint64_t *ids, uint32_t nr);
int secbuf_pool_return_ids(struct secbuf_pool *pool, const uint64_t *ids,
			   uint32_t nr);

#endif /* SECBUF_SRC_POOL_H */
