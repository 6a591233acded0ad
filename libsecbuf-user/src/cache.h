/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Caches: what a thread keeps at hand of a pool. Parked slots are zero.
 *
 * A cache belongs to its thread, which says by @busy that it is at work. A signal
 * handler that finds it busy leaves it alone. Another thread that wants the slots
 * sets @request, has all threads pass a fence, and may take them if the owner is
 * not busy; if he is, or there is no fence, he gives them back by himself, when
 * he finds @request set after he has set @busy.
 */
#ifndef SECBUF_CACHE_H
#define SECBUF_CACHE_H

#include <string.h>

#include "internal.h"
#include "pool.h"
#include "thread.h"

#define SECBUF_MAGAZINE_SIZE		64
#define SECBUF_MAGAZINE_BYTES_MAX	((size_t)1 << 20)

/**
 * struct secbuf_parked - a slot at hand
 * @slot: where it is, or NULL
 * @state: its state
 */
struct secbuf_parked {
	void *slot;
	uint8_t *state;
};

struct secbuf_magazine {
	uint32_t nr;
	struct secbuf_parked slots[SECBUF_MAGAZINE_SIZE];
};

/**
 * struct secbuf_cache - of one thread and one pool
 * @colour: not used
 * @last: the slot that was taken or parked last. It spares alloc and free in turn
 *        to count what is in the magazine, and to look for the state
 * @busy: the owner is at work
 * @request: somebody wants the slots, or wants them back
 * @shift: binary logarithm of the slot size
 * @parked: @last is parked here; if not, the program or anybody may have it
 * @none: a state of no slot, for @last before there is one
 * @pressure: what the control page said last
 * @hits: allocations served from here
 * @control: the control page
 * @slots: slot 0
 * @states: of all slots
 * @nr_slots: number of slots
 * @loaded: the magazine in use
 * @spare: the other one: full or empty
 * @pool: the pool
 * @size: most slots in each magazine
 * @want: slots to ask the kernel for next time
 * @stocked: slots that the kernel granted for the magazines
 * @magazines: both
 */
struct secbuf_cache {
	char colour[SECBUF_CACHE_COLOUR];
	struct secbuf_parked last;
	uint8_t busy;
	uint8_t request;
	uint8_t shift;
	uint8_t parked;
	uint8_t none;
	uint32_t pressure;
	uint64_t hits;
	const struct secbuf_pool_control *control;
	unsigned char *slots;
	uint8_t *states;
	uint64_t nr_slots;
	struct secbuf_magazine *loaded;
	struct secbuf_magazine *spare;
	struct secbuf_pool *pool;
	uint32_t size;
	uint32_t want;
	uint64_t stocked;
	struct secbuf_magazine magazines[2];
};

/**
 * struct secbuf_cache_sum - what all threads have done and have
 * @hits: as in the cache
 * @stocked: as in the cache
 * @parked: slots at hand
 */
struct secbuf_cache_sum {
	uint64_t hits;
	uint64_t stocked;
	uint64_t parked;
};

#ifdef __SANITIZE_THREAD__
/* It does not know that who parks is before who takes. */
void __tsan_acquire(void *ptr);
void __tsan_release(void *ptr);
#define secbuf_slot_taken(slot)		__tsan_acquire(slot)
#define secbuf_slot_parked(slot)	__tsan_release(slot)
#else
#define secbuf_slot_taken(slot)		((void)(slot))
#define secbuf_slot_parked(slot)	((void)(slot))
#endif

/* Gives a pool caches, if its slots are such that they are worth it. */
int secbuf_cache_open(struct secbuf_pool *pool);

/* Nobody uses the pool any more: forgets what is parked. */
void secbuf_cache_close(struct secbuf_pool *pool);

/*
 * The cache of the calling thread, busy, and with no request pending; NULL if it
 * must do without.
 */
struct secbuf_cache *secbuf_cache_enter(struct secbuf_pool *pool);

/* A slot from the magazines; false if there is none. */
bool secbuf_cache_pop(struct secbuf_cache *cache, void **out);

/* Parks a slot that is zero. False if there is no room. */
bool secbuf_cache_push(struct secbuf_cache *cache, void *slot);

/* Fills the magazines from the kernel and takes one. 0 or a negative errno. */
int secbuf_cache_refill(struct secbuf_cache *cache, void **out);

/* Gives a magazine of slots back, so that there is room; if there can be any. */
void secbuf_cache_make_room(struct secbuf_cache *cache);

/* The kernel wants memory: gives back what is parked, here and elsewhere. */
void secbuf_cache_relieve(struct secbuf_cache *cache);

/*
 * Takes what others keep, after the kernel has refused with @err. True if it is
 * worth asking again.
 */
bool secbuf_cache_reclaim(struct secbuf_pool *pool, int err);

/* Gives back everything that is parked. False if the lock cannot be had. */
bool secbuf_cache_flush(struct secbuf_pool *pool);

/* Adds up all threads. False if the lock cannot be had. */
bool secbuf_cache_get_sum(struct secbuf_pool *pool,
			  struct secbuf_cache_sum *sum);

SECBUF_FAST
static inline void secbuf_cache_leave(struct secbuf_cache *cache)
{
	secbuf_barrier();
	secbuf_set_release(cache->busy, 0);
}

/*
 * The id of a slot, or more than there are if it is none: what is not a multiple
 * of the size has its low bits become high ones.
 */
SECBUF_FAST
static inline uint64_t secbuf_cache_id(const struct secbuf_cache *cache,
				       const void *slot)
{
	uint64_t offset = (uintptr_t)slot - (uintptr_t)cache->slots;

	return offset >> cache->shift | offset << (64 - cache->shift);
}

/* The last slot becomes one that is out, unless it is none. */
SECBUF_FAST
static inline bool secbuf_cache_take_last(struct secbuf_cache *cache,
					  void **out)
{
	uint8_t *state = secbuf_peek(cache->last.state);

	*out = secbuf_peek(cache->last.slot);
	secbuf_poke(cache->parked, 0);
	if (unlikely(secbuf_peek(*state) != SECBUF_SLOT_PARKED))
		return false;
	secbuf_poke(*state, SECBUF_SLOT_OUT);
	secbuf_slot_taken(*out);
	return true;
}

/* From the magazine in use. */
static inline bool secbuf_cache_take_loaded(struct secbuf_cache *cache,
					    void **out)
{
	struct secbuf_magazine *loaded = secbuf_peek(cache->loaded);
	uint32_t nr = secbuf_peek(loaded->nr);
	struct secbuf_parked *place;

	if (!nr)
		return false;
	place = &loaded->slots[nr - 1];
	secbuf_poke(loaded->nr, nr - 1);
	secbuf_poke(cache->last.slot, place->slot);
	secbuf_poke(cache->last.state, place->state);
	secbuf_poke(place->slot, NULL);
	return secbuf_cache_take_last(cache, out);
}

/* One slot, without asking anybody; false if it is not that easy. */
SECBUF_FAST
static inline bool secbuf_cache_take(struct secbuf_cache *cache, void **out)
{
	bool done;

	if (likely(secbuf_peek(cache->parked)))
		done = secbuf_cache_take_last(cache, out);
	else
		done = secbuf_cache_take_loaded(cache, out);
	if (likely(done))
		secbuf_poke(cache->hits, secbuf_peek(cache->hits) + 1);
	return done;
}

/* Parks a slot that is out, and zero; false if it is not that easy. */
SECBUF_FAST
static inline bool secbuf_cache_park(struct secbuf_cache *cache, void *slot,
				     uint8_t *state)
{
	struct secbuf_magazine *loaded;
	uint32_t nr;

	if (unlikely(secbuf_peek(cache->parked))) {
		loaded = secbuf_peek(cache->loaded);
		nr = secbuf_peek(loaded->nr);
		if (unlikely(nr >= secbuf_peek(cache->size)))
			return false;
		secbuf_poke(loaded->slots[nr].slot, cache->last.slot);
		secbuf_poke(loaded->slots[nr].state, cache->last.state);
		secbuf_poke(loaded->nr, nr + 1);
	}
	secbuf_slot_parked(slot);
	secbuf_poke(*state, SECBUF_SLOT_PARKED);
	if (unlikely(secbuf_peek(cache->last.slot) != slot)) {
		secbuf_poke(cache->last.slot, slot);
		secbuf_poke(cache->last.state, state);
	}
	secbuf_poke(cache->parked, 1);
	return true;
}

/* The cache of the calling thread, if it has one that is not busy. */
SECBUF_FAST
static inline struct secbuf_cache *secbuf_cache_get(const struct secbuf_pool *pool)
{
	uint32_t index = secbuf_peek(pool->hot.index);
	struct secbuf_cache *cache;

	cache = secbuf_peek(secbuf_thread_self->caches[index]);
	return likely(cache && !secbuf_peek(cache->busy)) ? cache : NULL;
}

/* The fast half of secbuf_pool_alloc(). */
SECBUF_FAST
static inline bool secbuf_cache_alloc(const struct secbuf_pool *pool, void **out)
{
	struct secbuf_cache *cache = secbuf_cache_get(pool);
	bool done = false;

	if (unlikely(!cache))
		return false;
	secbuf_poke(cache->busy, 1);
	secbuf_barrier();
	if (likely(!secbuf_peek_acquire(cache->request))) {
		secbuf_barrier();
		done = secbuf_cache_take(cache, out);
	}
	secbuf_cache_leave(cache);
	return done;
}

/* Few zeros, that the compiler must not leave out; rounded up to 64. */
SECBUF_FAST
static inline void secbuf_cache_zeroize_few(void *slot, size_t len)
{
	unsigned char *at = slot;
	unsigned char *end = at + len;

	for (; at < end; at += 64)
		__builtin_memset(at, 0, 64);
	__asm__ volatile("" : : "r" (slot) : "memory");
}

/* Any number of zeros. */
static inline void secbuf_cache_zeroize(void *slot, size_t len)
{
	memset(slot, 0, len);
	__asm__ volatile("" : : "r" (slot) : "memory");
}

/*
 * The state of what shall be a slot, NULL if it is none. The last one is at hand.
 * Its state is read first: a signal handler that takes or parks another slot in
 * between changes both.
 */
SECBUF_FAST
static inline uint8_t *secbuf_cache_state(struct secbuf_cache *cache,
					  const void *slot)
{
	uint8_t *state = secbuf_peek(cache->last.state);
	uint64_t id;

	secbuf_barrier();
	if (likely(secbuf_peek(cache->last.slot) == slot))
		return state;
	id = secbuf_cache_id(cache, slot);
	return likely(id < cache->nr_slots) ? &cache->states[id] : NULL;
}

/*
 * The fast half of secbuf_pool_free(): zeroizes the first @dirty bytes by
 * @zeroize. False if nothing was done but perhaps that.
 */
SECBUF_FAST
static inline bool secbuf_cache_free(const struct secbuf_pool *pool, void *slot,
				     size_t dirty,
				     void (*zeroize)(void *slot, size_t len))
{
	struct secbuf_cache *cache = secbuf_cache_get(pool);
	bool done = false;
	uint8_t *state;

	if (unlikely(!cache))
		return false;
	state = secbuf_cache_state(cache, slot);
	if (unlikely(!state || secbuf_peek(*state) != SECBUF_SLOT_OUT ||
		     secbuf_get(cache->control->pressure) != cache->pressure))
		return false;
	if (dirty)
		zeroize(slot, dirty);
	secbuf_poke(cache->busy, 1);
	secbuf_barrier();
	if (likely(!secbuf_peek_acquire(cache->request))) {
		secbuf_barrier();
		done = secbuf_cache_park(cache, slot, state);
	}
	secbuf_cache_leave(cache);
	return done;
}

#endif /* SECBUF_CACHE_H */
