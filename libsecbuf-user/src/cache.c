// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Caches: what is not done on every call. See cache.h for who may touch what.
 */
#include "cache.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

/* How often to look if an owner is still busy, before leaving it to him. */
#define SECBUF_CACHE_PATIENCE	64

/*
 * Before a limit is reported: how often to ask owners who were busy, which is
 * for nanoseconds unless they were preempted, and what to sleep in between.
 */
#define SECBUF_CACHE_TRIES	32
#define SECBUF_CACHE_NAP_NS	500000

/* Of a thread that must do without: always busy. */
static struct secbuf_cache secbuf_cache_none = { .busy = 1 };

/* Slots that a thread may keep, if @nr threads do. */
static uint32_t secbuf_cache_share(const struct secbuf_pool *pool, uint32_t nr)
{
	return pool->max_slots / 2 / nr;
}

static uint32_t secbuf_cache_size(const struct secbuf_pool *pool, uint32_t nr)
{
	uint32_t size = (secbuf_cache_share(pool, nr) - 1) / 2;

	if (size > SECBUF_MAGAZINE_SIZE)
		size = SECBUF_MAGAZINE_SIZE;
	if (size > SECBUF_MAGAZINE_BYTES_MAX / pool->slot_size)
		size = SECBUF_MAGAZINE_BYTES_MAX / pool->slot_size;
	return size;
}

/* The cache of @thread, if it is one. */
static struct secbuf_cache *secbuf_cache_of(struct secbuf_thread *thread,
					    const struct secbuf_pool *pool)
{
	struct secbuf_cache *cache = thread->caches[pool->hot.index];

	return cache == &secbuf_cache_none ? NULL : cache;
}

/* The cache of @pool in the thread after *@thread, NULL at the end. */
static struct secbuf_cache *secbuf_cache_next(const struct secbuf_pool *pool,
					      struct secbuf_thread **thread)
{
	struct secbuf_cache *cache = NULL;

	while (!cache) {
		*thread = *thread ? (*thread)->next : secbuf_thread_first();
		if (!*thread)
			break;
		cache = secbuf_cache_of(*thread, pool);
	}
	return cache;
}

/* Those whose states say that they are parked go back to the kernel. */
static unsigned int secbuf_cache_give_back(struct secbuf_cache *cache,
					   struct secbuf_parked *parked,
					   uint32_t nr)
{
	uint64_t ids[SECBUF_MAGAZINE_SIZE];
	uint32_t i, known = 0, done = 0;
	uint64_t id;
	int ret;

	for (i = 0; i < nr && i < SECBUF_MAGAZINE_SIZE; i++) {
		id = secbuf_cache_id(cache, secbuf_get(parked[i].slot));
		secbuf_set(parked[i].slot, NULL);
		if (id >= cache->nr_slots ||
		    secbuf_get(cache->states[id]) != SECBUF_SLOT_PARKED)
			continue;
		secbuf_set(cache->states[id], SECBUF_SLOT_UNKNOWN);
		ids[known++] = id;
	}
	while (done < known) {
		ret = secbuf_pool_return_ids(cache->pool, ids + done,
					     known - done);
		done += ret > 0 ? ret : 1;
	}
	return known;
}

/* Whoever calls this is the only one who uses the cache. */
static unsigned int secbuf_cache_drain(struct secbuf_cache *cache)
{
	struct secbuf_parked last = cache->last;
	struct secbuf_magazine *magazine;
	unsigned int nr;
	size_t i;

	nr = secbuf_cache_give_back(cache, &last, secbuf_get(cache->parked));
	secbuf_set(cache->parked, 0);
	for (i = 0; i < ARRAY_SIZE(cache->magazines); i++) {
		magazine = &cache->magazines[i];
		nr += secbuf_cache_give_back(cache, magazine->slots,
					     magazine->nr);
		secbuf_set(magazine->nr, 0);
	}
	cache->want = 2;
	return nr;
}

static bool secbuf_cache_is_idle(const struct secbuf_cache *cache, bool own)
{
	int patience = own ? 1 : SECBUF_CACHE_PATIENCE;

	while (secbuf_get_acquire(cache->busy)) {
		if (!--patience)
			return false;
		sched_yield();
	}
	return true;
}

/*
 * Takes back what all threads have parked. Those that are busy do it themselves,
 * but for the calling one, which knows what it is about. Under the lock.
 */
static unsigned int secbuf_cache_collect(struct secbuf_pool *pool)
{
	struct secbuf_thread *thread = NULL, *self = secbuf_thread_self;
	struct secbuf_cache *cache;
	unsigned int nr = 0;
	bool fenced;

	while ((cache = secbuf_cache_next(pool, &thread)) != NULL)
		if (thread != self || !secbuf_get(cache->busy))
			secbuf_set(cache->request, 1);
	fenced = secbuf_thread_fence_others();
	while ((cache = secbuf_cache_next(pool, &thread)) != NULL) {
		if (thread != self && !fenced)
			continue;
		if (!secbuf_cache_is_idle(cache, thread == self))
			continue;
		nr += secbuf_cache_drain(cache);
		secbuf_set_release(cache->request, 0);
	}
	return nr;
}

/* The number of caches has changed. Under the lock. */
static void secbuf_cache_resize(struct secbuf_pool *pool)
{
	struct secbuf_thread *thread = NULL;
	struct secbuf_cache *cache;
	bool shrunk = false;
	uint32_t size;

	if (!pool->hot.nr_caches)
		return;
	size = secbuf_cache_size(pool, pool->hot.nr_caches);
	while ((cache = secbuf_cache_next(pool, &thread)) != NULL) {
		if (cache->size > size)
			shrunk = true;
		secbuf_set(cache->size, size);
	}
	if (shrunk)
		secbuf_cache_collect(pool);
}

static struct secbuf_cache *secbuf_cache_new(struct secbuf_pool *pool)
{
	struct secbuf_cache *cache;

	cache = secbuf_map_private(sizeof(*cache), 0);
	if (!cache)
		return NULL;
	cache->shift = __builtin_ctzl(pool->slot_size);
	cache->control = secbuf_map_control(&pool->map);
	cache->pressure = secbuf_get(cache->control->pressure);
	cache->slots = pool->map.slots;
	cache->states = secbuf_pool_states(pool);
	cache->nr_slots = pool->max_slots;
	cache->loaded = &cache->magazines[0];
	cache->spare = &cache->magazines[1];
	cache->pool = pool;
	cache->last.state = &cache->none;
	cache->want = 2;
	return cache;
}

static struct secbuf_cache *secbuf_cache_create(struct secbuf_pool *pool,
						struct secbuf_thread *self)
{
	struct secbuf_cache *cache;

	if (!secbuf_thread_lock())
		return NULL;
	/* A signal handler may have been faster. */
	cache = self->caches[pool->hot.index];
	if (cache)
		goto out;
	cache = &secbuf_cache_none;
	if (secbuf_cache_share(pool, pool->hot.nr_caches + 1))
		cache = secbuf_cache_new(pool);
	secbuf_set(self->caches[pool->hot.index], cache);
	if (cache && cache != &secbuf_cache_none) {
		pool->hot.nr_caches++;
		secbuf_cache_resize(pool);
	}
out:
	secbuf_thread_unlock();
	return cache;
}

/* Its thread ends. Under the lock. */
static void secbuf_cache_destroy(struct secbuf_cache *cache)
{
	struct secbuf_pool *pool = cache->pool;

	secbuf_cache_drain(cache);
	pool->hot.hits += cache->hits;
	pool->hot.stocked += cache->stocked;
	pool->hot.nr_caches--;
	munmap(cache, sizeof(*cache));
}

static void secbuf_cache_thread_exit(struct secbuf_thread *thread)
{
	struct secbuf_cache *cache;
	struct secbuf_pool *pool;
	uint32_t index = 1;

	while ((pool = secbuf_thread_next_pool(&index)) != NULL) {
		cache = secbuf_cache_of(thread, pool);
		thread->caches[index] = NULL;
		if (cache) {
			secbuf_cache_destroy(cache);
			secbuf_cache_resize(pool);
		}
		index++;
	}
}

int secbuf_cache_open(struct secbuf_pool *pool)
{
	int err = secbuf_thread_prepare(secbuf_cache_thread_exit);

	if (err)
		return err;
	if (pool->slot_size > SECBUF_MAGAZINE_BYTES_MAX ||
	    pool->stride != pool->slot_size || pool->annotated ||
	    !secbuf_cache_share(pool, 1))
		return 0;
	if (secbuf_thread_lock()) {
		secbuf_set(pool->hot.index, secbuf_thread_add_pool(pool));
		secbuf_thread_unlock();
	}
	return 0;
}

void secbuf_cache_close(struct secbuf_pool *pool)
{
	struct secbuf_thread *thread;
	struct secbuf_cache *cache;

	if (!pool->hot.index || !secbuf_thread_lock())
		return;
	for (thread = secbuf_thread_first(); thread; thread = thread->next) {
		cache = secbuf_cache_of(thread, pool);
		secbuf_set(thread->caches[pool->hot.index], NULL);
		if (cache)
			munmap(cache, sizeof(*cache));
	}
	secbuf_thread_remove_pool(pool->hot.index);
	secbuf_thread_unlock();
}

/* There is a request. The one who made it may still be at it, under the lock. */
static bool secbuf_cache_obey(struct secbuf_cache *cache)
{
	secbuf_cache_leave(cache);
	if (!secbuf_thread_lock())
		return false;
	secbuf_set(cache->busy, 1);
	secbuf_barrier();
	secbuf_set(cache->request, 0);
	secbuf_cache_drain(cache);
	secbuf_thread_unlock();
	return true;
}

struct secbuf_cache *secbuf_cache_enter(struct secbuf_pool *pool)
{
	uint32_t index = secbuf_get(pool->hot.index);
	struct secbuf_thread *self;
	struct secbuf_cache *cache;

	self = index ? secbuf_thread_get() : NULL;
	if (!self)
		return NULL;
	cache = secbuf_get(self->caches[index]) ?:
		secbuf_cache_create(pool, self);
	if (!cache || secbuf_get(cache->busy))
		return NULL;
	secbuf_set(cache->busy, 1);
	secbuf_barrier();
	if (secbuf_get_acquire(cache->request) && !secbuf_cache_obey(cache))
		return NULL;
	return cache;
}

static void secbuf_cache_swap(struct secbuf_cache *cache)
{
	struct secbuf_magazine *loaded = cache->loaded;

	secbuf_set(cache->loaded, cache->spare);
	secbuf_set(cache->spare, loaded);
}

bool secbuf_cache_pop(struct secbuf_cache *cache, void **out)
{
	for (;;) {
		if (secbuf_cache_take(cache, out))
			return true;
		/* What is no parked slot of ours is dropped. */
		if (cache->loaded->nr)
			continue;
		if (!cache->spare->nr)
			return false;
		secbuf_cache_swap(cache);
	}
}

bool secbuf_cache_push(struct secbuf_cache *cache, void *slot)
{
	uint8_t *state = &cache->states[secbuf_cache_id(cache, slot)];

	if (secbuf_cache_park(cache, slot, state))
		return true;
	if (cache->spare->nr)
		return false;
	secbuf_cache_swap(cache);
	return secbuf_cache_park(cache, slot, state);
}

void secbuf_cache_make_room(struct secbuf_cache *cache)
{
	struct secbuf_magazine *spare = cache->spare;

	secbuf_cache_give_back(cache, spare->slots, spare->nr);
	secbuf_set(spare->nr, 0);
}

void secbuf_cache_relieve(struct secbuf_cache *cache)
{
	cache->pressure = secbuf_get(cache->control->pressure);
	secbuf_cache_drain(cache);
	if (!secbuf_thread_lock())
		return;
	secbuf_cache_collect(cache->pool);
	secbuf_thread_unlock();
}

/* Parks what was granted beyond the first, so that the lowest comes out first. */
static void secbuf_cache_stock(struct secbuf_cache *cache, const uint64_t *ids,
			       uint32_t nr)
{
	struct secbuf_parked *parked;
	uint32_t i;

	for (i = nr; i-- > 0;) {
		parked = &cache->loaded->slots[cache->loaded->nr];
		secbuf_set(cache->states[ids[i]], SECBUF_SLOT_PARKED);
		secbuf_set(parked->slot, secbuf_pool_slot(cache->pool, ids[i]));
		secbuf_set(parked->state, &cache->states[ids[i]]);
		secbuf_set(cache->loaded->nr, cache->loaded->nr + 1);
	}
	secbuf_set(cache->stocked, cache->stocked + nr);
}

int secbuf_cache_refill(struct secbuf_cache *cache, void **out)
{
	uint64_t ids[SECBUF_POOL_CHUNK];
	uint32_t most = secbuf_get(cache->size) + 1;
	uint32_t nr;
	int ret;

	if (secbuf_get(cache->control->pressure) != cache->pressure)
		secbuf_cache_relieve(cache);
	if (most > SECBUF_POOL_CHUNK)
		most = SECBUF_POOL_CHUNK;
	nr = cache->want < most ? cache->want : most;
	ret = secbuf_pool_grant_ids(cache->pool, ids, nr);
	if (ret < 0 && secbuf_cache_reclaim(cache->pool, ret))
		ret = secbuf_pool_grant_ids(cache->pool, ids, 1);
	if (ret <= 0)
		return ret ?: -EPROTO;

	cache->want = nr < most ? 2 * nr : most;
	secbuf_set(cache->states[ids[0]], SECBUF_SLOT_OUT);
	*out = secbuf_pool_slot(cache->pool, ids[0]);
	secbuf_slot_taken(*out);
	secbuf_cache_stock(cache, ids + 1, ret - 1);
	return 0;
}

/* Memory is short everywhere: all pools give what they can. Under the lock. */
static void secbuf_cache_collect_all(void)
{
	struct secbuf_pool_shrink_args args = { .nr = INT_MAX };
	struct secbuf_pool *pool;
	uint32_t index = 1;

	while ((pool = secbuf_thread_next_pool(&index)) != NULL) {
		secbuf_cache_collect(pool);
		secbuf_ioctl_pool_shrink(pool->fd, &args);
		index++;
	}
}

/* Is there anybody who was asked, and has not given what he has? Under the lock. */
static bool secbuf_cache_is_awaited(const struct secbuf_pool *pool)
{
	struct secbuf_thread *thread = NULL;
	struct secbuf_cache *cache;

	while ((cache = secbuf_cache_next(pool, &thread)) != NULL)
		if (thread != secbuf_thread_self && secbuf_get(cache->request))
			return true;
	return false;
}

/* Is it worth to try once more? False in @awaited: there is no use in waiting. */
static bool secbuf_cache_try_reclaim(struct secbuf_pool *pool, int err,
				     bool *awaited)
{
	bool worth = true;

	*awaited = false;
	if (!secbuf_thread_lock())
		return false;
	if (err != -ENOSPC) {
		secbuf_cache_collect_all();
	} else if (!pool->hot.index) {
		worth = false;
	} else if (!secbuf_cache_collect(pool)) {
		*awaited = secbuf_cache_is_awaited(pool);
		/* Another thread may have given back what it had just now. */
		worth = pool->hot.nr_caches > 1;
	}
	secbuf_thread_unlock();
	return worth;
}

/* Nobody is to be cancelled in the middle of using his cache. */
static void secbuf_cache_nap(void)
{
	const struct timespec nap = { .tv_nsec = SECBUF_CACHE_NAP_NS };
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	nanosleep(&nap, NULL);
	pthread_setcancelstate(state, &state);
}

bool secbuf_cache_reclaim(struct secbuf_pool *pool, int err)
{
	unsigned int tries = SECBUF_CACHE_TRIES;
	bool awaited, worth;

	if (err != -ENOSPC && err != -EDQUOT && err != -ENOMEM)
		return false;
	while ((worth = secbuf_cache_try_reclaim(pool, err, &awaited)) &&
	       awaited && --tries)
		secbuf_cache_nap();
	return worth;
}

bool secbuf_cache_flush(struct secbuf_pool *pool)
{
	if (!pool->hot.index)
		return true;
	if (!secbuf_thread_lock())
		return false;
	secbuf_cache_collect(pool);
	secbuf_thread_unlock();
	return true;
}

bool secbuf_cache_get_sum(struct secbuf_pool *pool,
			  struct secbuf_cache_sum *sum)
{
	struct secbuf_thread *thread = NULL;
	struct secbuf_cache *cache = NULL;

	if (!secbuf_thread_lock())
		return false;
	sum->hits = pool->hot.hits;
	sum->stocked = pool->hot.stocked;
	sum->parked = 0;
	if (pool->hot.index)
		cache = secbuf_cache_next(pool, &thread);
	for (; cache; cache = secbuf_cache_next(pool, &thread)) {
		sum->hits += secbuf_get(cache->hits);
		sum->stocked += secbuf_get(cache->stocked);
		sum->parked += secbuf_get(cache->parked);
		sum->parked += secbuf_get(cache->magazines[0].nr);
		sum->parked += secbuf_get(cache->magazines[1].nr);
	}
	secbuf_thread_unlock();
	return true;
}
