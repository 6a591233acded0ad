// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Slots: taken and given back, one or many. What threads keep at hand is in
 * cache.c.
 */
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "annotate.h"
#include "cache.h"
#include "pool.h"

/* So few bytes are zeroized without calling anybody. */
#define SECBUF_POOL_FEW		256

/*
 * Asking the kernel
 */

static uint32_t secbuf_pool_chunk(const struct secbuf_pool *pool, uint64_t nr)
{
	uint32_t chunk = SECBUF_POOL_CHUNK;

	if (chunk > pool->batch_max)
		chunk = pool->batch_max;
	return nr < chunk ? nr : chunk;
}

int secbuf_pool_return_ids(struct secbuf_pool *pool, const uint64_t *ids,
			   uint32_t nr)
{
	struct secbuf_pool_free_args args = {
		.ids_ptr = (uintptr_t)ids,
		.nr = secbuf_pool_chunk(pool, nr),
	};
	int err = secbuf_ioctl_pool_free(pool->fd, &args);

	return secbuf_done(err, args.out_done, args.nr);
}

/* Either all that were granted are slots, or they are given back. */
int secbuf_pool_grant_ids(struct secbuf_pool *pool, uint64_t *ids, uint32_t nr)
{
	struct secbuf_pool_alloc_args args = {
		.ids_ptr = (uintptr_t)ids,
		.nr = secbuf_pool_chunk(pool, nr),
	};
	int err, done, i;

	/* No id: what the kernel does not write must not be given back. */
	memset(ids, 0xff, args.nr * sizeof(*ids));
	err = secbuf_ioctl_pool_alloc(pool->fd, &args);
	done = secbuf_done(err, args.out_done, args.nr);
	for (i = 0; i < done; i++)
		if (ids[i] >= pool->max_slots)
			done = -EPROTO;
	if (done == -EPROTO)
		for (i = 0; i < (int)args.nr; i++)
			secbuf_pool_return_ids(pool, &ids[i], 1);
	return done;
}

/*
 * One slot
 */

/* Pointers are compared as integers: this one may point anywhere. */
int secbuf_pool_find(const struct secbuf_pool *pool, const void *slot,
		     uint64_t *id)
{
	uintptr_t offset = (uintptr_t)slot - (uintptr_t)pool->map.slots -
			   pool->skip;

	if (offset >= pool->map.slots_size || offset % pool->stride ||
	    offset / pool->stride >= pool->max_slots)
		return -EINVAL;
	*id = offset / pool->stride;
	return 0;
}

int secbuf_pool_find_out(struct secbuf_pool *pool, const void *slot,
			 uint64_t *id)
{
	int err;

	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;
	err = secbuf_pool_find(pool, slot, id);
	if (err)
		return err;
	switch (secbuf_get(secbuf_pool_states(pool)[*id])) {
	case SECBUF_SLOT_OUT:
		return 0;
	case SECBUF_SLOT_CONN:
		return -EBUSY;
	default:
		return -ENOENT;
	}
}

static void secbuf_pool_set_state(struct secbuf_pool *pool, uint64_t id,
				  enum secbuf_slot_state state)
{
	secbuf_set(secbuf_pool_states(pool)[id], state);
}

void *secbuf_pool_hand_out(struct secbuf_pool *pool, uint64_t id)
{
	void *slot = secbuf_pool_slot(pool, id);

	secbuf_pool_set_state(pool, id, SECBUF_SLOT_OUT);
	secbuf_slot_taken(slot);
	if (pool->annotated)
		secbuf_annotate_alloc(slot, pool->slot_size);
	return slot;
}

static int secbuf_pool_alloc_chunk(struct secbuf_pool *pool, void **bufs,
				   uint32_t nr)
{
	uint64_t ids[SECBUF_POOL_CHUNK];
	int done, i;

	if (nr > SECBUF_POOL_CHUNK)
		nr = SECBUF_POOL_CHUNK;
	done = secbuf_pool_grant_ids(pool, ids, nr);
	if (done < 0 && secbuf_cache_reclaim(pool, done))
		done = secbuf_pool_grant_ids(pool, ids, nr);
	for (i = 0; i < done; i++)
		bufs[i] = secbuf_pool_hand_out(pool, ids[i]);
	return done;
}

SECBUF_SLOW static int secbuf_pool_alloc_slow(struct secbuf_pool *pool,
					      void **out)
{
	struct secbuf_cache *cache;
	int ret = 0;

	*out = NULL;
	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;
	cache = secbuf_cache_enter(pool);
	if (cache) {
		if (!secbuf_cache_pop(cache, out))
			ret = secbuf_cache_refill(cache, out);
		secbuf_cache_leave(cache);
		return ret;
	}
	ret = secbuf_pool_alloc_chunk(pool, out, 1);
	if (!ret)
		return -EPROTO;
	return ret < 0 ? ret : 0;
}

int secbuf_pool_alloc(struct secbuf_pool *pool, void **out)
{
	void *slot;

	if (unlikely(!out))
		return -EINVAL;
	if (unlikely(!pool)) {
		*out = NULL;
		return -EINVAL;
	}
	if (unlikely(!secbuf_cache_alloc(pool, &slot)))
		return secbuf_pool_alloc_slow(pool, out);
	*out = slot;
	return 0;
}

/*
 * Was the room before a slot written? It belongs to nobody, so whoever checks
 * accesses must not check this one.
 */
__attribute__((no_sanitize("address", "thread")))
static bool secbuf_pool_is_clean_before(const struct secbuf_pool *pool,
					const unsigned char *slot)
{
	size_t i;

	for (i = 1; i <= pool->skip; i++)
		if (slot[-i])
			return false;
	return true;
}

/* The kernel zeroizes. */
static int secbuf_pool_free_direct(struct secbuf_pool *pool, void *slot,
				   uint64_t id)
{
	bool clean = secbuf_pool_is_clean_before(pool, slot);
	int ret;

	if (pool->annotated)
		secbuf_annotate_free(slot, pool->slot_size);
	/* Before somebody else can be granted it. */
	secbuf_slot_parked(slot);
	secbuf_pool_set_state(pool, id, SECBUF_SLOT_UNKNOWN);
	ret = secbuf_pool_return_ids(pool, &id, 1);
	if (ret == 1)
		return clean ? 0 : -EUCLEAN;
	secbuf_pool_hand_out(pool, id);
	return ret ?: -EPROTO;
}

/* Parks a slot if the cache may have it. */
static bool secbuf_pool_park(struct secbuf_cache *cache, void *slot,
			     size_t dirty)
{
	if (secbuf_get(cache->control->pressure) != cache->pressure) {
		secbuf_cache_relieve(cache);
		return false;
	}
	secbuf_cache_zeroize(slot, dirty);
	if (secbuf_cache_push(cache, slot))
		return true;
	secbuf_cache_make_room(cache);
	return secbuf_cache_push(cache, slot);
}

SECBUF_SLOW static int secbuf_pool_free_slow(struct secbuf_pool *pool,
					     void *slot, size_t dirty)
{
	struct secbuf_cache *cache;
	bool parked = false;
	uint64_t id;
	int err;

	err = secbuf_pool_find_out(pool, slot, &id);
	if (err)
		return err;
	cache = secbuf_cache_enter(pool);
	if (cache) {
		parked = secbuf_pool_park(cache, slot, dirty);
		secbuf_cache_leave(cache);
	}
	return parked ? 0 : secbuf_pool_free_direct(pool, slot, id);
}

__attribute__((noinline))
static int secbuf_pool_free_large(struct secbuf_pool *pool, void *slot,
				  size_t dirty)
{
	if (dirty > pool->slot_size)
		dirty = pool->slot_size;
	if (likely(secbuf_cache_free(pool, slot, dirty, secbuf_cache_zeroize)))
		return 0;
	return secbuf_pool_free_slow(pool, slot, dirty);
}

/* Of a slot only the first @dirty bytes can have been written. */
SECBUF_FAST
static inline int secbuf_pool_free_dirty(struct secbuf_pool *pool, void *slot,
					 size_t dirty)
{
	if (dirty > SECBUF_POOL_FEW)
		return secbuf_pool_free_large(pool, slot, dirty);
	if (likely(secbuf_cache_free(pool, slot, dirty,
				     secbuf_cache_zeroize_few)))
		return 0;
	return secbuf_pool_free_slow(pool, slot, dirty);
}

int secbuf_pool_free(struct secbuf_pool *pool, void *buf)
{
	if (unlikely(!buf))
		return 0;
	if (unlikely(!pool))
		return -EINVAL;
	return secbuf_pool_free_dirty(pool, buf, pool->slot_size);
}

/*
 * As a source
 */

SECBUF_SLOW
static int secbuf_pool_source_alloc_slow(struct secbuf_source *source,
					 size_t size, void **out, size_t *got)
{
	struct secbuf_pool *pool = (struct secbuf_pool *)source;
	void *slot;
	int err;

	if (size > pool->slot_size)
		return -EMSGSIZE;
	err = secbuf_pool_alloc_slow(pool, &slot);
	if (err)
		return err;
	*out = slot;
	*got = pool->slot_size;
	return 0;
}

static int secbuf_pool_source_alloc(struct secbuf_source *source, size_t size,
				    void **out, size_t *got)
{
	struct secbuf_pool *pool = (struct secbuf_pool *)source;
	void *slot;

	if (unlikely(size > pool->slot_size ||
		     !secbuf_cache_alloc(pool, &slot)))
		return secbuf_pool_source_alloc_slow(source, size, out, got);
	*out = slot;
	*got = pool->slot_size;
	return 0;
}

static void secbuf_pool_source_free(struct secbuf_source *source, void *ptr,
				    size_t dirty)
{
	struct secbuf_pool *pool = (struct secbuf_pool *)source;

	/* Others can write there, of which no cursor here knows. */
	if (unlikely(pool->flags & SECBUF_POOL_F_PASSABLE))
		dirty = pool->slot_size;
	secbuf_pool_free_dirty(pool, ptr, dirty);
}

const struct secbuf_source_ops secbuf_pool_source_ops = {
	.alloc	= secbuf_pool_source_alloc,
	.free	= secbuf_pool_source_free,
};

/*
 * Many slots
 */

/* As many as are at hand. */
static unsigned int secbuf_pool_pop_some(struct secbuf_pool *pool, void **bufs,
					 unsigned int nr)
{
	struct secbuf_cache *cache = secbuf_cache_enter(pool);
	unsigned int done = 0;

	if (!cache)
		return 0;
	while (done < nr && secbuf_cache_pop(cache, &bufs[done]))
		done++;
	secbuf_cache_leave(cache);
	return done;
}

static int secbuf_pool_alloc_many(struct secbuf_pool *pool, void **bufs,
				  unsigned int nr, unsigned int done)
{
	int ret;

	while (done < nr) {
		ret = secbuf_pool_alloc_chunk(pool, bufs + done, nr - done);
		if (ret < 0)
			return done ? (int)done : ret;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

int secbuf_pool_alloc_batch(struct secbuf_pool *pool, void **bufs,
			    unsigned int nr)
{
	if (!pool || !bufs || nr > INT_MAX)
		return -EINVAL;
	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;
	return secbuf_pool_alloc_many(pool, bufs, nr,
				      secbuf_pool_pop_some(pool, bufs, nr));
}

/* As many as there is room for, up to the first that is not out. */
static unsigned int secbuf_pool_push_some(struct secbuf_pool *pool,
					  void *const *bufs, unsigned int nr)
{
	struct secbuf_cache *cache = secbuf_cache_enter(pool);
	unsigned int done = 0;
	uint64_t id;

	if (!cache)
		return 0;
	while (done < nr && !secbuf_pool_find_out(pool, bufs[done], &id) &&
	       secbuf_get(cache->control->pressure) == cache->pressure) {
		secbuf_cache_zeroize(bufs[done], pool->slot_size);
		if (!secbuf_cache_push(cache, bufs[done]))
			break;
		done++;
	}
	secbuf_cache_leave(cache);
	return done;
}

static int secbuf_pool_free_chunk(struct secbuf_pool *pool, void *const *bufs,
				  uint32_t nr)
{
	uint64_t ids[SECBUF_POOL_CHUNK];
	uint32_t i, given;
	int err = 0, ret;

	if (nr > SECBUF_POOL_CHUNK)
		nr = SECBUF_POOL_CHUNK;
	for (given = 0; given < nr; given++) {
		err = secbuf_pool_find_out(pool, bufs[given], &ids[given]);
		if (err)
			break;
		secbuf_slot_parked(bufs[given]);
		secbuf_pool_set_state(pool, ids[given], SECBUF_SLOT_UNKNOWN);
	}
	if (!given)
		return err;
	ret = secbuf_pool_return_ids(pool, ids, given);
	for (i = ret > 0 ? ret : 0; i < given; i++)
		secbuf_pool_hand_out(pool, ids[i]);
	return ret;
}

/* Each slot by itself, because there is more to do than to tell the kernel. */
static int secbuf_pool_free_each(struct secbuf_pool *pool, void *const *bufs,
				 unsigned int nr)
{
	unsigned int done;
	int err;

	for (done = 0; done < nr; done++) {
		err = secbuf_pool_free_slow(pool, bufs[done], pool->slot_size);
		if (err)
			return done ? (int)done : err;
	}
	return done;
}

int secbuf_pool_free_batch(struct secbuf_pool *pool, void *const *bufs,
			   unsigned int nr)
{
	unsigned int done;
	int ret;

	if (!pool || !bufs || nr > INT_MAX)
		return -EINVAL;
	if (pool->annotated || pool->flags & SECBUF_POOL_F_GUARD)
		return secbuf_pool_free_each(pool, bufs, nr);
	done = secbuf_pool_push_some(pool, bufs, nr);
	while (done < nr) {
		ret = secbuf_pool_free_chunk(pool, bufs + done, nr - done);
		if (ret < 0)
			return done ? (int)done : ret;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

/* So that page tables are there, too. */
static void secbuf_pool_touch(struct secbuf_pool *pool, void *slot)
{
	size_t offset;

	for (offset = 0; offset < pool->slot_size;
	     offset += pool->map.page_size)
		((volatile unsigned char *)slot)[offset] = 0;
}

int secbuf_pool_prefill(struct secbuf_pool *pool, unsigned int nr)
{
	void **bufs;
	size_t size;
	int done, i;

	if (!pool || nr > INT_MAX)
		return -EINVAL;
	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;
	if (nr > pool->max_slots)
		nr = pool->max_slots;
	if (!nr)
		return 0;
	size = nr * sizeof(*bufs);
	bufs = secbuf_map_private(size, 0);
	if (!bufs)
		return -ENOMEM;
	done = secbuf_pool_alloc_many(pool, bufs, nr, 0);
	for (i = 0; i < done; i++)
		secbuf_pool_touch(pool, bufs[i]);
	if (done > 0)
		secbuf_pool_free_batch(pool, bufs, done);
	munmap(bufs, size);
	return done;
}

/*
 * Slots of others
 */

int secbuf_pool_id(struct secbuf_pool *pool, const void *buf, uint64_t *out)
{
	if (!pool || !out)
		return -EINVAL;
	return secbuf_pool_find(pool, buf, out);
}

int secbuf_pool_at(struct secbuf_pool *pool, uint64_t id, void **out)
{
	if (!out)
		return -EINVAL;
	*out = pool ? secbuf_pool_slot(pool, id) : NULL;
	return *out ? 0 : -EINVAL;
}

void *secbuf_pool_lend(struct secbuf_pool *pool, uint64_t id)
{
	if (!secbuf_pool_slot(pool, id))
		return NULL;
	secbuf_pool_hand_out(pool, id);
	secbuf_pool_set_state(pool, id, SECBUF_SLOT_CONN);
	return secbuf_pool_slot(pool, id);
}

void secbuf_pool_unlend(struct secbuf_pool *pool, void *slot)
{
	uint64_t id;

	if (secbuf_pool_find(pool, slot, &id))
		return;
	if (pool->annotated)
		secbuf_annotate_free(slot, pool->slot_size);
	secbuf_slot_parked(slot);
	secbuf_pool_set_state(pool, id, SECBUF_SLOT_UNKNOWN);
}
