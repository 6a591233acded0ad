// SPDX-License-Identifier: GPL-2.0
/*
 * Cache: parked buffers, a pair of magazines on each CPU and a depot for all.
 */
#include "cache.h"

#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/rcupdate.h>

#include "account.h"

/* A CPU's magazines hold no more bytes than this. */
#define SECBUF_CACHE_CPU_BYTES	(256 << 10)

/* Buffers moved at once; the pointers are on the stack. */
#define SECBUF_CACHE_MOVE	16

static struct workqueue_struct *workqueue;

/**
 * secbuf_cache_park() - park buffers in the depot, or let them overflow
 * @cache: the cache
 * @bufs: the buffers
 * @nr: how many
 *
 * Context: task or softirq.
 */
void secbuf_cache_park(struct secbuf_cache *cache, struct secbuf **bufs,
		       unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!secbuf_depot_push(&cache->depot, bufs[i]))
			cache->overflow(cache, bufs[i]);
}

static void move(struct secbuf_cache *cache, struct secbuf **bufs,
		 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!secbuf_depot_move(&cache->depot, bufs[i]))
			cache->overflow(cache, bufs[i]);
}

/* Hand a magazine to the depot, with whatever is in it. */
static void give(struct secbuf_cache *cache, struct secbuf_magazine *mag)
{
	if (secbuf_depot_give(&cache->depot, mag))
		return;
	while (!secbuf_magazine_empty(mag)) {
		struct secbuf *sb = secbuf_magazine_pop(mag);

		secbuf_cache_park(cache, &sb, 1);
	}
	secbuf_depot_give(&cache->depot, mag);
}

/**
 * secbuf_cache_refill() - buffers from the depot
 * @cache: the cache
 * @bufs: where they go
 * @nr: buffers wanted
 *
 * Leaves the rest of a full magazine with this CPU, if it has an empty one to
 * exchange for it.
 *
 * Context: task or softirq.
 * Return: buffers taken.
 */
unsigned int secbuf_cache_refill(struct secbuf_cache *cache,
				 struct secbuf **bufs, unsigned int nr)
{
	struct secbuf_magazine *mag = NULL;
	struct secbuf_cpu_cache *c;
	unsigned int done = 0;

	if (cache->cap)
		mag = secbuf_depot_take_full(&cache->depot);
	if (!mag)
		return secbuf_depot_pop(&cache->depot, bufs, nr);
	while (done < nr && !secbuf_magazine_empty(mag))
		bufs[done++] = secbuf_magazine_pop(mag);

	c = secbuf_cpu_cache_enter(cache);
	if (c) {
		if (secbuf_magazine_empty(c->loaded))
			swap(c->loaded, mag);
		else if (secbuf_magazine_empty(c->spare))
			swap(c->spare, mag);
		secbuf_cpu_cache_leave(c);
	}
	give(cache, mag);
	return done;
}

/**
 * secbuf_cache_exchange() - room for buffers on this CPU, and the buffers in it
 * @cache: the cache
 * @bufs: the buffers
 * @nr: how many
 *
 * Exchanges a full magazine of this CPU for an empty one of the depot.
 *
 * Context: task or softirq.
 * Return: buffers taken.
 */
unsigned int secbuf_cache_exchange(struct secbuf_cache *cache,
				   struct secbuf **bufs, unsigned int nr)
{
	struct secbuf_magazine *mag;
	struct secbuf_cpu_cache *c;
	unsigned int done = 0;

	if (!cache->cap)
		return 0;
	mag = secbuf_depot_take_empty(&cache->depot);
	if (!mag)
		return 0;
	c = secbuf_cpu_cache_enter(cache);
	if (c) {
		if (secbuf_cache_open(cache)) {
			if (secbuf_magazine_full(c->loaded) &&
			    secbuf_magazine_full(c->spare))
				swap(c->spare, mag);
			done = secbuf_cpu_cache_push(c, bufs, nr);
			c->returned += done;
		}
		secbuf_cpu_cache_leave(c);
	}
	give(cache, mag);
	return done;
}

/**
 * secbuf_cache_flush_this_cpu() - empty the magazines of this CPU
 * @cache: the cache
 *
 * Does nothing if they are in use by whom we interrupted.
 *
 * Context: task or softirq.
 */
void secbuf_cache_flush_this_cpu(struct secbuf_cache *cache)
{
	struct secbuf *bufs[SECBUF_CACHE_MOVE];
	struct secbuf_cpu_cache *c;
	unsigned int nr;

	do {
		preempt_disable();
		WRITE_ONCE(this_cpu_ptr(cache->cpus)->drain, 0);
		preempt_enable();
		c = secbuf_cpu_cache_enter(cache);
		if (!c)
			return;
		nr = secbuf_cpu_cache_pop(c, bufs, ARRAY_SIZE(bufs));
		secbuf_cpu_cache_leave(c);
		move(cache, bufs, nr);
	} while (nr);
}

/**
 * secbuf_cache_flush_if_asked() - honour a request of another CPU
 * @cache: the cache
 *
 * Context: task or softirq.
 */
void secbuf_cache_flush_if_asked(struct secbuf_cache *cache)
{
	if (READ_ONCE(raw_cpu_ptr(cache->cpus)->drain))
		secbuf_cache_flush_this_cpu(cache);
}

static void flush_work_fn(struct work_struct *work)
{
	struct secbuf_cpu_cache *c =
		container_of(work, struct secbuf_cpu_cache, work);

	/* Elsewhere it means that its CPU is gone: cpu_dead sees to it. */
	if (c->cpu == raw_smp_processor_id())
		secbuf_cache_flush_this_cpu(c->cache);
}

/**
 * secbuf_cache_flush() - empty the magazines of all CPUs into the depot
 * @cache: the cache
 *
 * Context: process, may sleep.
 * Return: false if nothing was done, because hotplug was going on.
 */
bool secbuf_cache_flush(struct secbuf_cache *cache)
{
	unsigned int cpu;

	might_sleep();
	if (!cache->cap)
		return true;
	/* Hotplug callbacks may allocate: never wait for hotplug. */
	if (!cpus_read_trylock())
		return false;
	for_each_online_cpu(cpu)
		queue_work_on(cpu, workqueue,
			      &per_cpu_ptr(cache->cpus, cpu)->work);
	for_each_online_cpu(cpu)
		flush_work(&per_cpu_ptr(cache->cpus, cpu)->work);
	cpus_read_unlock();
	return true;
}

/**
 * secbuf_cache_ask_for_flush() - have the other CPUs empty their magazines soon
 * @cache: the cache
 *
 * Each does it at its next operation, or by work if it has none.
 *
 * Context: task or softirq. Waits for nobody.
 */
void secbuf_cache_ask_for_flush(struct secbuf_cache *cache)
{
	unsigned int cpu;

	if (!cache->cap)
		return;
	for_each_online_cpu(cpu) {
		struct secbuf_cpu_cache *c = per_cpu_ptr(cache->cpus, cpu);

		if (READ_ONCE(c->drain))
			continue;
		WRITE_ONCE(c->drain, 1);
		queue_work_on(cpu, workqueue, &c->work);
	}
}

/* Nobody works at these magazines. */
static void empty(struct secbuf_cache *cache, struct secbuf_cpu_cache *c)
{
	struct secbuf *bufs[SECBUF_CACHE_MOVE];
	unsigned int nr;

	while ((nr = secbuf_cpu_cache_pop(c, bufs, ARRAY_SIZE(bufs))))
		move(cache, bufs, nr);
}

/**
 * secbuf_cache_cpu_dead() - take what a CPU left behind
 * @cache: the cache
 * @cpu: it is offline
 *
 * Context: hotplug callback on another CPU.
 */
void secbuf_cache_cpu_dead(struct secbuf_cache *cache, unsigned int cpu)
{
	struct secbuf_cpu_cache *c = per_cpu_ptr(cache->cpus, cpu);

	empty(cache, c);
	WRITE_ONCE(c->drain, 0);
}

/**
 * secbuf_cache_close() - park nothing any more, let everything overflow
 * @cache: the cache; nobody takes buffers from it any more
 *
 * Context: process, may sleep.
 */
void secbuf_cache_close(struct secbuf_cache *cache)
{
	struct secbuf *sb;
	unsigned int cpu;

	spin_lock_bh(&cache->depot.lock);
	cache->depot.limit = 0;
	spin_unlock_bh(&cache->depot.lock);
	WRITE_ONCE(cache->closed, true);

	/*
	 * Who did not see it has left his magazines after this. Expedited, since
	 * a process that owns many pools is not to exit slowly.
	 */
	synchronize_rcu_expedited();
	for_each_possible_cpu(cpu) {
		struct secbuf_cpu_cache *c = per_cpu_ptr(cache->cpus, cpu);

		cancel_work_sync(&c->work);
		empty(cache, c);
	}
	while (secbuf_depot_pop(&cache->depot, &sb, 1)) {
		cache->overflow(cache, sb);
		cond_resched();
	}
}

/**
 * secbuf_cache_exit() - free a cache that is empty
 * @cache: from secbuf_cache_init(), complete or not
 *
 * Context: process.
 */
void secbuf_cache_exit(struct secbuf_cache *cache)
{
	unsigned int cpu;

	secbuf_depot_exit(&cache->depot);
	if (!cache->cpus)
		return;
	for_each_possible_cpu(cpu) {
		struct secbuf_cpu_cache *c = per_cpu_ptr(cache->cpus, cpu);

		secbuf_magazine_free(c->loaded);
		secbuf_magazine_free(c->spare);
	}
	free_percpu(cache->cpus);
}

/*
 * Half of the limit goes to the CPUs, in two magazines each, but for what the
 * depot must keep. With few buffers and many CPUs that is nothing, and the depot
 * serves all.
 */
static void size_magazines(struct secbuf_cache *cache, unsigned int limit,
			   unsigned int keep, size_t bytes)
{
	unsigned int magazines = 2 * num_possible_cpus();
	unsigned int share = min(limit / 2, limit - keep);
	unsigned int depot_cap;

	cache->cap = min_t(size_t, share / magazines,
			   SECBUF_CACHE_CPU_BYTES / 2 / bytes);
	cache->cap = min_t(unsigned int, cache->cap, SECBUF_MAGAZINE_MAX);
	depot_cap = cache->cap ?: clamp_t(unsigned int, limit, 1,
					  SECBUF_MAGAZINE_MAX);
	secbuf_depot_init(&cache->depot, depot_cap,
			  limit - cache->cap * magazines);
}

/**
 * secbuf_cache_footprint() - kernel memory that a cache without buffers takes
 * @cache: the cache
 *
 * Return: bytes.
 */
size_t secbuf_cache_footprint(const struct secbuf_cache *cache)
{
	return num_possible_cpus() * (sizeof(struct secbuf_cpu_cache) +
				      2 * secbuf_magazine_size(cache->cap));
}

/**
 * secbuf_cache_init() - a cache without buffers
 * @cache: initialized; on failure too, for secbuf_cache_exit()
 * @limit: most buffers to keep parked
 * @keep: buffers that the depot must have room for, at most @limit
 * @bytes: bytes of a buffer
 * @overflow: see struct secbuf_cache
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_cache_init(struct secbuf_cache *cache, unsigned int limit,
		      unsigned int keep, size_t bytes,
		      void (*overflow)(struct secbuf_cache *cache,
				       struct secbuf *sb))
{
	unsigned int cpu;

	size_magazines(cache, limit, keep, bytes);
	cache->closed = false;
	cache->bypass = false;
	cache->overflow = overflow;
	cache->cpus = alloc_percpu_gfp(struct secbuf_cpu_cache,
				       GFP_KERNEL_ACCOUNT);
	if (!cache->cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct secbuf_cpu_cache *c = per_cpu_ptr(cache->cpus, cpu);

		c->cache = cache;
		c->cpu = cpu;
		INIT_WORK(&c->work, flush_work_fn);
		c->loaded = secbuf_magazine_alloc(cache->cap, SECBUF_GFP);
		c->spare = secbuf_magazine_alloc(cache->cap, SECBUF_GFP);
		if (!c->loaded || !c->spare)
			return -ENOMEM;
	}
	return 0;
}

/**
 * secbuf_cache_queue() - run work on the module's work queue
 * @work: it is over when secbuf_cache_module_exit() returns
 *
 * Context: any.
 */
void secbuf_cache_queue(struct work_struct *work)
{
	queue_work(workqueue, work);
}

/**
 * secbuf_cache_module_init() - the work queue
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int secbuf_cache_module_init(void)
{
	workqueue = alloc_workqueue("secbuf", WQ_MEM_RECLAIM | WQ_PERCPU, 0);
	return workqueue ? 0 : -ENOMEM;
}

/**
 * secbuf_cache_module_exit() - undo secbuf_cache_module_init()
 *
 * Context: module exit.
 */
void secbuf_cache_module_exit(void)
{
	destroy_workqueue(workqueue);
}
