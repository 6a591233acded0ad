// SPDX-License-Identifier: GPL-2.0
/*
 * Pool: zero buffers of one size, handed out and taken back at the speed of a
 * per-CPU stack.
 */
#include "pool.h"

#include <linux/cpu.h>
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "buf.h"
#include "trace.h"

#define SECBUF_POOL_BUF_SIZE	8192
#define SECBUF_POOL_MAX_DEFAULT	100
#define SECBUF_POOL_MAX		SZ_16M

/* Buffers put at once; the pointers are on the stack. */
#define SECBUF_POOL_MOVE	32

/* Kernel memory of a pool without buffers. */
static size_t footprint(const struct secbuf_pool *pool)
{
	return sizeof(*pool) + secbuf_cache_footprint(&pool->cache);
}

static void pool_free(struct secbuf_pool *pool)
{
	secbuf_account_uncharge(&pool->account, footprint(pool));
	secbuf_account_exit(&pool->account);
	secbuf_cache_exit(&pool->cache);
	kfree(pool);
}

static void pool_free_work(struct work_struct *work)
{
	pool_free(container_of(work, struct secbuf_pool, free_work));
}

static void pool_put(struct secbuf_pool *pool)
{
	if (refcount_dec_and_test(&pool->refs))
		secbuf_cache_queue(&pool->free_work);
}

/* A fresh buffer, or an error pointer: -ENOSPC, -ENOMEM, -EDQUOT. */
static struct secbuf *buf_create(struct secbuf_pool *pool, gfp_t gfp)
{
	size_t bytes = secbuf_buf_footprint(pool->class);
	struct mem_cgroup *old;
	struct secbuf *sb;
	int err;

	/* Whoever set a maximum expects failures, not the OOM killer. */
	if (gfpflags_allow_blocking(gfp))
		gfp |= __GFP_RETRY_MAYFAIL;
	if (!atomic_add_unless(&pool->existing, 1, pool->max))
		return ERR_PTR(-ENOSPC);
	err = secbuf_account_charge(&pool->account, bytes);
	if (err)
		goto out_existing;
	old = set_active_memcg(pool->account.memcg);
	sb = secbuf_buf_alloc(pool->class, pool->size, gfp | __GFP_NOWARN);
	set_active_memcg(old);
	if (!sb) {
		err = -ENOMEM;
		goto out_uncharge;
	}
	sb->pool = pool;
	refcount_inc(&pool->refs);
	return sb;

out_uncharge:
	secbuf_account_uncharge(&pool->account, bytes);
out_existing:
	atomic_dec(&pool->existing);
	return ERR_PTR(err);
}

static void buf_destroy(struct secbuf_pool *pool, struct secbuf *sb)
{
	size_t bytes = secbuf_buf_footprint(pool->class);

	if (!sb->detached)
		atomic_dec(&pool->existing);
	secbuf_buf_free(sb);
	secbuf_account_uncharge(&pool->account, bytes);
	pool_put(pool);
}

static void overflow(struct secbuf_cache *cache, struct secbuf *sb)
{
	buf_destroy(container_of(cache, struct secbuf_pool, cache), sb);
}

/* What is not in the depot is in use, or in a magazine of some CPU. */
static void note_peak(struct secbuf_pool *pool)
{
	/* A statistic may be that of a moment ago. */
	int parked = data_race(READ_ONCE(pool->cache.depot.nr_bufs));
	int now = atomic_read(&pool->existing) - parked;
	int old = atomic_read(&pool->peak);

	while (old < now && !atomic_try_cmpxchg(&pool->peak, &old, now))
		;
}

/* Parked means zero. To look is too dear for a production kernel. */
static void check_parked(const struct secbuf *sb)
{
	if (IS_ENABLED(CONFIG_DEBUG_VM))
		WARN_ON_ONCE(memchr_inv(sb->data, 0, sb->size));
}

static void hand_out(struct secbuf **bufs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		refcount_set(&bufs[i]->refs, 1);
		check_parked(bufs[i]);
	}
}

/* Out of line, so that the fast paths save no registers for them. */
static noinline void trace_alloc(struct secbuf_pool *pool, unsigned int nr)
{
	trace_secbuf_alloc(pool->name, nr);
}

static noinline void trace_free(struct secbuf_pool *pool, unsigned int nr)
{
	trace_secbuf_free(pool->name, nr);
}

static int alloc_slow(struct secbuf_pool *pool, gfp_t gfp, unsigned int nr,
		      struct secbuf **bufs)
{
	struct secbuf *sb = NULL;
	bool flushed = false;
	unsigned int done = 0;
	unsigned int n;

	secbuf_cache_flush_if_asked(&pool->cache);
	while (done < nr) {
		n = secbuf_cache_refill(&pool->cache, bufs + done, nr - done);
		if (n) {
			atomic64_add(n, &pool->slow.depot_hits);
			done += n;
			continue;
		}
		sb = buf_create(pool, gfp);
		if (!IS_ERR(sb)) {
			atomic64_inc(&pool->slow.misses);
			bufs[done++] = sb;
			continue;
		}
		/* Whatever is short: other CPUs may keep some of ours. */
		if (flushed || !gfpflags_allow_blocking(gfp) ||
		    !secbuf_cache_flush(&pool->cache))
			break;
		flushed = true;
	}
	note_peak(pool);
	if (done)
		trace_secbuf_refill(pool->name, done);
	return done ?: PTR_ERR(sb);
}

static int alloc_some(struct secbuf_pool *pool, gfp_t gfp, unsigned int nr,
		      struct secbuf **bufs)
{
	struct secbuf_cpu_cache *c;
	unsigned int done = 0;
	int ret = 0;

	c = secbuf_cpu_cache_enter(&pool->cache);
	if (likely(c)) {
		done = secbuf_cpu_cache_pop(c, bufs, nr);
		c->hits += done;
		secbuf_cpu_cache_leave(c);
	}
	if (unlikely(done < nr)) {
		ret = alloc_slow(pool, gfp, nr - done, bufs + done);
		if (ret > 0)
			done += ret;
	}
	hand_out(bufs, done);
	if (trace_secbuf_alloc_enabled())
		trace_alloc(pool, done);
	return done ?: ret;
}

/**
 * secbuf_pool_alloc_some() - as many buffers as there are
 * @pool: the pool
 * @gfp: as the context allows
 * @nr: buffers wanted, not 0
 * @bufs: where they go
 *
 * Context: task or softirq; sleeps only if @gfp allows.
 * Return: buffers allocated, or if none -ENOSPC (@max is reached), -ENOMEM,
 * -EDQUOT.
 */
int secbuf_pool_alloc_some(struct secbuf_pool *pool, gfp_t gfp,
			   unsigned int nr, struct secbuf **bufs)
{
	int ret = alloc_some(pool, gfp, nr, bufs);

	if (unlikely(ret != (int)nr))
		atomic64_inc(&pool->slow.failures);
	return ret;
}

static noinline struct secbuf *alloc_one(struct secbuf_pool *pool, gfp_t gfp)
{
	struct secbuf *sb;

	return secbuf_pool_alloc_some(pool, gfp, 1, &sb) < 0 ? NULL : sb;
}

/**
 * secbuf_pool_alloc() - a zero buffer
 * @pool: the pool
 * @gfp: GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT...
 *
 * With GFP_ATOMIC it can fail while other CPUs keep free buffers parked; an
 * allocation that may sleep collects those first.
 *
 * Context: task or softirq; sleeps only if @gfp allows.
 * Return: the buffer with one reference, or NULL: the pool's maximum is
 * reached, a ceiling is, or there is no memory.
 */
struct secbuf *secbuf_pool_alloc(struct secbuf_pool *pool, gfp_t gfp)
{
	struct secbuf_magazine *mag;
	struct secbuf_cpu_cache *c;
	struct secbuf *sb;

	/* What alloc_some() does, for the case that nearly always is. */
	c = secbuf_cpu_cache_enter(&pool->cache);
	if (unlikely(!c))
		return alloc_one(pool, gfp);
	mag = c->loaded;
	if (unlikely(secbuf_magazine_empty(mag))) {
		secbuf_cpu_cache_leave(c);
		return alloc_one(pool, gfp);
	}
	sb = secbuf_magazine_pop(mag);
	c->hits++;
	secbuf_cpu_cache_leave(c);
	refcount_set(&sb->refs, 1);
	check_parked(sb);
	if (trace_secbuf_alloc_enabled())
		trace_alloc(pool, 1);
	return sb;
}
EXPORT_SYMBOL_GPL(secbuf_pool_alloc);

/**
 * secbuf_pool_alloc_bulk() - several zero buffers
 * @pool: the pool
 * @gfp: as of secbuf_pool_alloc()
 * @nr: buffers wanted
 * @bufs: where they go
 *
 * Context: task or softirq; sleeps only if @gfp allows.
 * Return: buffers allocated, from 0 to @nr.
 */
unsigned int secbuf_pool_alloc_bulk(struct secbuf_pool *pool, gfp_t gfp,
				    unsigned int nr, struct secbuf **bufs)
{
	return nr ? max(secbuf_pool_alloc_some(pool, gfp, nr, bufs), 0) : 0;
}
EXPORT_SYMBOL_GPL(secbuf_pool_alloc_bulk);

static void waiters_begin(struct secbuf_pool *pool, struct wait_queue_entry *w)
{
	spin_lock_irq(&pool->waiters.lock);
	__add_wait_queue_entry_tail_exclusive(&pool->waiters, w);
	WRITE_ONCE(pool->cache.bypass, true);
	spin_unlock_irq(&pool->waiters.lock);
	/* Pairs with put_slow(): we see its buffer, or it sees our mark. */
	smp_mb();
}

static void waiters_end(struct secbuf_pool *pool, struct wait_queue_entry *w)
{
	spin_lock_irq(&pool->waiters.lock);
	__remove_wait_queue(&pool->waiters, w);
	/* Under the lock that adds waiters. */
	if (!waitqueue_active(&pool->waiters))
		WRITE_ONCE(pool->cache.bypass, false);
	spin_unlock_irq(&pool->waiters.lock);
}

/**
 * secbuf_pool_alloc_wait() - a zero buffer, when one comes back
 * @pool: the pool
 *
 * Waits while the pool's maximum is reached, and for nothing else.
 *
 * Context: process, sleeps.
 * Return: the buffer with one reference, or an error pointer: -ENOMEM, -EDQUOT,
 * -EINTR (a signal arrived).
 */
struct secbuf *secbuf_pool_alloc_wait(struct secbuf_pool *pool)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct secbuf *sb;
	int ret;

	ret = alloc_some(pool, GFP_KERNEL, 1, &sb);
	if (ret != -ENOSPC)
		goto out;

	/*
	 * Buffers that return from now on see the mark; those that were being
	 * parked before are found by the flush in the allocation. The timeout
	 * is for a flush that hotplug kept from its work.
	 */
	waiters_begin(pool, &wait);
	for (;;) {
		ret = alloc_some(pool, GFP_KERNEL, 1, &sb);
		if (ret != -ENOSPC)
			break;
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		wait_woken(&wait, TASK_INTERRUPTIBLE, HZ / 10);
	}
	waiters_end(pool, &wait);
	/* A wake-up that was meant for us may have been used up. */
	wake_up(&pool->waiters);
out:
	if (ret < 0) {
		atomic64_inc(&pool->slow.failures);
		return ERR_PTR(ret);
	}
	return sb;
}
EXPORT_SYMBOL_GPL(secbuf_pool_alloc_wait);

static noinline void put_slow(struct secbuf_pool *pool, struct secbuf **bufs,
			      unsigned int nr, size_t zeroized)
{
	unsigned int done = 0;
	unsigned int n;

	/* What is parked may be destroyed by somebody else at once. */
	refcount_inc(&pool->refs);
	atomic64_add(zeroized, &pool->slow.zeroized);
	secbuf_cache_flush_if_asked(&pool->cache);
	do {
		n = secbuf_cache_exchange(&pool->cache, bufs + done, nr - done);
		done += n;
	} while (n && done < nr);
	/* Those that were exchanged are counted there. */
	atomic64_add(nr - done, &pool->slow.returned);
	secbuf_cache_park(&pool->cache, bufs + done, nr - done);
	/* Pairs with waiters_begin(). */
	smp_mb();
	if (READ_ONCE(pool->cache.bypass))
		wake_up_nr(&pool->waiters, nr);
	pool_put(pool);
}

/* Put clean buffers of one pool. */
static __always_inline void put_clean(struct secbuf_pool *pool,
				      struct secbuf **bufs, unsigned int nr,
				      size_t zeroized)
{
	struct secbuf_cpu_cache *c;
	unsigned int done = 0;

	if (trace_secbuf_free_enabled())
		trace_free(pool, nr);
	c = secbuf_cpu_cache_enter(&pool->cache);
	if (likely(c)) {
		if (likely(secbuf_cache_open(&pool->cache))) {
			done = secbuf_cpu_cache_push(c, bufs, nr);
			c->returned += done;
			c->zeroized += zeroized;
			zeroized = 0;
		}
		secbuf_cpu_cache_leave(c);
	}
	if (unlikely(done < nr))
		put_slow(pool, bufs + done, nr - done, zeroized);
}

/* Not the case that nearly always is: is there anything left to do? */
static noinline bool put_special(struct secbuf *sb)
{
	if (READ_ONCE(sb->shared)) {
		if (!refcount_dec_and_test(&sb->refs))
			return false;
		sb->shared = false;
	}
	if (sb->detached) {
		buf_destroy(sb->pool, sb);
		return false;
	}
	return true;
}

/*
 * Drop a reference: is the buffer to be parked? Parked ones have no reference,
 * so that putting one twice is found out.
 */
static __always_inline bool put_ref(struct secbuf *sb)
{
	if (unlikely(READ_ONCE(sb->special)))
		return put_special(sb);
	if (WARN_ON_ONCE(refcount_read(&sb->refs) != 1))
		return false;
	refcount_set(&sb->refs, 0);
	return true;
}

static noinline void put_one(struct secbuf *sb)
{
	u32 zeroized = sb->dirty;

	sb->dirty = 0;
	put_clean(sb->pool, &sb, 1, zeroized);
}

/**
 * secbuf_put() - drop a reference; the last one zeroizes and releases
 * @sb: the buffer, or NULL
 *
 * Context: task or softirq.
 */
void secbuf_put(struct secbuf *sb)
{
	struct secbuf_magazine *mag;
	struct secbuf_cpu_cache *c;

	if (unlikely(!sb || !put_ref(sb)))
		return;
	if (sb->dirty)
		secbuf_buf_zeroize(sb->data, sb->dirty);

	/* What put_clean() does, for the case that nearly always is. */
	c = secbuf_cpu_cache_enter(&sb->pool->cache);
	if (unlikely(!c)) {
		put_one(sb);
		return;
	}
	mag = c->loaded;
	if (unlikely(secbuf_magazine_full(mag) ||
		     !secbuf_cache_open(&sb->pool->cache))) {
		secbuf_cpu_cache_leave(c);
		put_one(sb);
		return;
	}
	secbuf_magazine_push(mag, sb);
	c->returned++;
	c->zeroized += sb->dirty;
	sb->dirty = 0;
	/* The pool may go as soon as nothing here holds it. */
	if (trace_secbuf_free_enabled())
		trace_free(sb->pool, 1);
	secbuf_cpu_cache_leave(c);
}
EXPORT_SYMBOL_GPL(secbuf_put);

/**
 * secbuf_put_bulk() - secbuf_put() for several, faster if of one pool
 * @bufs: the buffers; NULLs are skipped
 * @nr: how many
 *
 * Context: task or softirq.
 */
void secbuf_put_bulk(struct secbuf **bufs, unsigned int nr)
{
	struct secbuf *clean[SECBUF_POOL_MOVE];
	struct secbuf_pool *pool = NULL;
	size_t zeroized = 0;
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct secbuf *sb = bufs[i];

		if (unlikely(!sb || !put_ref(sb)))
			continue;
		if (n == ARRAY_SIZE(clean) || (n && sb->pool != pool)) {
			put_clean(pool, clean, n, zeroized);
			zeroized = 0;
			n = 0;
		}
		pool = sb->pool;
		zeroized += secbuf_buf_clean(sb);
		clean[n++] = sb;
	}
	if (n)
		put_clean(pool, clean, n, zeroized);
}
EXPORT_SYMBOL_GPL(secbuf_put_bulk);

/**
 * secbuf_detach() - take a buffer out of its pool's count
 * @sb: a buffer that the caller has a reference to
 *
 * Makes room for another. The memory stays accounted, and is zeroized and freed
 * with the last reference.
 *
 * Context: task or softirq.
 */
void secbuf_detach(struct secbuf *sb)
{
	struct secbuf_pool *pool = sb->pool;

	if (xchg(&sb->detached, true))
		return;
	atomic64_inc(&pool->slow.detached);
	atomic64_inc(&pool->slow.returned);
	atomic_dec(&pool->existing);
	wake_up(&pool->waiters);
}
EXPORT_SYMBOL_GPL(secbuf_detach);

/* Free parked buffers, but leave the pool its minimum. */
static unsigned int free_from_depot(struct secbuf_pool *pool, unsigned int nr)
{
	unsigned int done = 0;
	struct secbuf *sb;

	lockdep_assert_held(&pool->shrink_lock);
	while (done < nr && atomic_read(&pool->existing) > pool->min) {
		if (!secbuf_depot_pop(&pool->cache.depot, &sb, 1))
			break;
		buf_destroy(pool, sb);
		done++;
		cond_resched();
	}
	secbuf_depot_trim(&pool->cache.depot);
	if (done)
		trace_secbuf_shrink(pool->name, done);
	return done;
}

/**
 * secbuf_pool_shrink() - free parked buffers
 * @pool: the pool
 * @nr: most to free; the pool's minimum stays
 *
 * Context: process, may sleep.
 * Return: buffers freed.
 */
unsigned int secbuf_pool_shrink(struct secbuf_pool *pool, unsigned int nr)
{
	unsigned int freed;

	secbuf_cache_flush(&pool->cache);
	mutex_lock(&pool->shrink_lock);
	freed = free_from_depot(pool, nr);
	mutex_unlock(&pool->shrink_lock);
	return freed;
}
EXPORT_SYMBOL_GPL(secbuf_pool_shrink);

/**
 * secbuf_pool_prefill() - have buffers ready
 * @pool: the pool
 * @nr: how many are to lie in the depot
 *
 * Context: process, may sleep.
 * Return: 0, -ENOSPC (more than the pool keeps or may have), -ENOMEM, -EDQUOT,
 * -EINTR (a fatal signal arrived).
 */
int secbuf_pool_prefill(struct secbuf_pool *pool, unsigned int nr)
{
	unsigned int left = nr;
	struct secbuf *sb;

	if (nr > pool->cache.depot.limit)
		return -ENOSPC;
	/*
	 * Others may take them at once, so that it need not be exact. Where
	 * memory is short each may be made of the one before: so there is an end.
	 */
	while (left && data_race(READ_ONCE(pool->cache.depot.nr_bufs)) < nr) {
		left--;
		if (fatal_signal_pending(current))
			return -EINTR;
		sb = buf_create(pool, GFP_KERNEL);
		if (IS_ERR(sb))
			return PTR_ERR(sb);
		refcount_set(&sb->refs, 0);
		if (!secbuf_depot_push(&pool->cache.depot, sb)) {
			buf_destroy(pool, sb);
			return -ENOMEM;
		}
		cond_resched();
	}
	return atomic_read(&pool->existing) < nr ? -ENOMEM : 0;
}
EXPORT_SYMBOL_GPL(secbuf_pool_prefill);

/**
 * secbuf_pool_get_stats() - counters
 * @pool: the pool
 * @stats: filled
 *
 * While the pool is used the figures are from moments close to each other;
 * returned ones are read first, so that in_use is never negative.
 *
 * Context: any.
 */
void secbuf_pool_get_stats(struct secbuf_pool *pool,
			   struct secbuf_pool_stats *stats)
{
	unsigned int cpu;

	memset(stats, 0, sizeof(*stats));
	stats->returned = atomic64_read(&pool->slow.returned);
	stats->bytes_zeroized = atomic64_read(&pool->slow.zeroized);
	for_each_possible_cpu(cpu) {
		struct secbuf_cpu_cache *c =
			per_cpu_ptr(pool->cache.cpus, cpu);

		/* Its CPU counts plainly, as that is cheaper. */
		stats->returned += data_race(READ_ONCE(c->returned));
		/* So here. */
		stats->bytes_zeroized += data_race(READ_ONCE(c->zeroized));
	}
	smp_rmb(); /* the reader's half only: figures are approximate */
	for_each_possible_cpu(cpu) {
		struct secbuf_cpu_cache *c =
			per_cpu_ptr(pool->cache.cpus, cpu);

		/* And here. */
		stats->magazine_hits += data_race(READ_ONCE(c->hits));
	}
	stats->depot_hits = atomic64_read(&pool->slow.depot_hits);
	stats->misses = atomic64_read(&pool->slow.misses);
	stats->failures = atomic64_read(&pool->slow.failures);
	stats->detached = atomic64_read(&pool->slow.detached);
	stats->acquired = stats->magazine_hits + stats->depot_hits +
			  stats->misses;
	stats->in_use = stats->acquired - stats->returned;
	stats->max = pool->max;
	stats->allocated = atomic_read(&pool->existing);
	stats->available = stats->allocated -
			   min(stats->allocated, stats->in_use);
	stats->peak = max_t(unsigned int, atomic_read(&pool->peak),
			    stats->in_use);
}
EXPORT_SYMBOL_GPL(secbuf_pool_get_stats);

static struct secbuf_pool *from_reclaim(struct secbuf_reclaim *reclaim)
{
	return container_of(reclaim, struct secbuf_pool, reclaim);
}

static size_t reclaim_count(struct secbuf_reclaim *reclaim)
{
	struct secbuf_pool *pool = from_reclaim(reclaim);
	struct secbuf_pool_stats stats;
	unsigned int idle;

	secbuf_pool_get_stats(pool, &stats);
	if (stats.allocated <= pool->min)
		return 0;
	/* Those who have some may not need them, and do not say how many. */
	idle = stats.available;
	if (!list_empty(&pool->lenders.list))
		idle = stats.allocated;
	idle = min(idle, stats.allocated - pool->min);
	return idle * secbuf_buf_footprint(pool->class);
}

static size_t reclaim_scan(struct secbuf_reclaim *reclaim, size_t bytes)
{
	struct secbuf_pool *pool = from_reclaim(reclaim);
	size_t each = secbuf_buf_footprint(pool->class);
	unsigned int wanted = min_t(size_t, DIV_ROUND_UP(bytes, each),
				    pool->max);
	unsigned int freed;

	if (!mutex_trylock(&pool->shrink_lock))
		return 0;
	secbuf_cache_flush_this_cpu(&pool->cache);
	freed = free_from_depot(pool, wanted);
	if (freed < wanted &&
	    secbuf_lenders_ask(&pool->lenders, wanted - freed)) {
		secbuf_cache_flush_this_cpu(&pool->cache);
		freed += free_from_depot(pool, wanted - freed);
	}
	mutex_unlock(&pool->shrink_lock);
	/* What the others give is there for the next scan. */
	if (freed < wanted)
		secbuf_cache_ask_for_flush(&pool->cache);
	return freed * each;
}

static void reclaim_recall(struct secbuf_reclaim *reclaim)
{
	secbuf_lenders_ask_all(&from_reclaim(reclaim)->lenders);
}

static void reclaim_cpu_dead(struct secbuf_reclaim *reclaim, unsigned int cpu)
{
	secbuf_cache_cpu_dead(&from_reclaim(reclaim)->cache, cpu);
}

static const struct secbuf_reclaim_ops pool_reclaim_ops = {
	.count		= reclaim_count,
	.scan		= reclaim_scan,
	.recall		= reclaim_recall,
	.cpu_dead	= reclaim_cpu_dead,
};

/**
 * secbuf_pool_from_reclaim() - the pool that an entry of the list belongs to
 * @reclaim: the entry
 *
 * Return: the pool, or NULL if it is another kind of object.
 */
struct secbuf_pool *secbuf_pool_from_reclaim(struct secbuf_reclaim *reclaim)
{
	if (reclaim->ops != &pool_reclaim_ops)
		return NULL;
	return from_reclaim(reclaim);
}

static int check_params(const struct secbuf_pool_params *params)
{
	int class;

	class = secbuf_buf_class(params->buf_size ?: SECBUF_POOL_BUF_SIZE);
	if (class < 0)
		return class;
	if (params->max > SECBUF_POOL_MAX)
		return -EINVAL;
	if (params->min > (params->max ?: SECBUF_POOL_MAX_DEFAULT))
		return -EINVAL;
	return class;
}

/**
 * secbuf_pool_create() - a pool
 * @params: what it is to be like; copied
 *
 * Charged to the calling task's user and memory cgroup.
 *
 * Context: process, may sleep.
 * Return: the pool, for secbuf_pool_destroy(), or an error pointer: -EINVAL (a
 * size or number is out of range), -ENOMEM, -EDQUOT.
 */
struct secbuf_pool *secbuf_pool_create(const struct secbuf_pool_params *params)
{
	struct secbuf_pool *pool;
	int err, class;

	class = check_params(params);
	if (class < 0)
		return ERR_PTR(class);
	pool = kzalloc(sizeof(*pool), SECBUF_GFP);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	strscpy(pool->name, params->name ?: "pool", sizeof(pool->name));
	pool->size = params->buf_size ?: SECBUF_POOL_BUF_SIZE;
	pool->class = class;
	pool->min = params->min;
	pool->max = params->max ?: SECBUF_POOL_MAX_DEFAULT;
	refcount_set(&pool->refs, 1);
	init_waitqueue_head(&pool->waiters);
	mutex_init(&pool->shrink_lock);
	secbuf_lenders_init(&pool->lenders);
	INIT_WORK(&pool->free_work, pool_free_work);

	err = secbuf_cache_init(&pool->cache, max(pool->max / 2, pool->min),
				pool->min, secbuf_buf_footprint(class),
				overflow);
	if (err)
		goto out_cache;
	err = secbuf_account_init(&pool->account);
	if (err)
		goto out_cache;
	err = secbuf_account_charge(&pool->account, footprint(pool));
	if (err)
		goto out_account;

	err = secbuf_reclaim_add(&pool->reclaim, &pool_reclaim_ops,
				 &pool->account);
	if (err)
		goto out_uncharge;
	err = secbuf_pool_prefill(pool, pool->min);
	if (err) {
		secbuf_pool_destroy(pool);
		return ERR_PTR(err);
	}
	return pool;

out_uncharge:
	secbuf_account_uncharge(&pool->account, footprint(pool));
out_account:
	secbuf_account_exit(&pool->account);
out_cache:
	secbuf_cache_exit(&pool->cache);
	kfree(pool);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(secbuf_pool_create);

/**
 * secbuf_pool_destroy() - end of a pool
 * @pool: the pool, or NULL; nothing may be allocated from it any more
 *
 * Buffers that are out stay valid. Each is zeroized and freed with its last
 * reference, and what is left of the pool with the last buffer.
 *
 * Context: process, may sleep.
 */
void secbuf_pool_destroy(struct secbuf_pool *pool)
{
	if (!pool)
		return;
	secbuf_reclaim_del(&pool->reclaim);
	secbuf_cache_close(&pool->cache);
	/* Whoever looks at what is in use sees the end of the pool at once. */
	if (refcount_dec_and_test(&pool->refs))
		pool_free(pool);
}
EXPORT_SYMBOL_GPL(secbuf_pool_destroy);

/**
 * secbuf_pool_init() - what all pools need
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int secbuf_pool_init(void)
{
	int err;

	err = secbuf_cache_module_init();
	if (err)
		return err;
	err = secbuf_buf_init();
	if (err)
		secbuf_cache_module_exit();
	return err;
}

/**
 * secbuf_pool_exit() - undo secbuf_pool_init()
 *
 * Context: module exit; all pools have been destroyed and all buffers put.
 */
void secbuf_pool_exit(void)
{
	secbuf_cache_module_exit();
	secbuf_buf_exit();
}
