/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CACHE_H
#define SECBUF_CACHE_H

#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/workqueue.h>

#include "magazine.h"

struct secbuf_cache;

/**
 * struct secbuf_cpu_cache - the two magazines of one CPU
 * @busy: somebody on this CPU is at the magazines; who interrupts him, goes to
 *        the depot. With preemption off this is all the locking there is
 * @drain: another CPU asks to give everything to the depot
 * @loaded: the magazine in use
 * @spare: swapped with @loaded when that is empty, or full
 * @hits: buffers popped here
 * @returned: buffers pushed here
 * @zeroized: bytes zeroized for them
 * @work: runs on this CPU to empty it
 * @cache: whose part this is
 * @cpu: which CPU
 */
struct secbuf_cpu_cache {
	u8 busy;
	u8 drain;
	struct secbuf_magazine *loaded;
	struct secbuf_magazine *spare;
	u64 hits;
	u64 returned;
	u64 zeroized;
	struct work_struct work;
	struct secbuf_cache *cache;
	unsigned int cpu;
};

/**
 * struct secbuf_cache - parked buffers: on each CPU, and in the depot
 * @cpus: of each possible CPU
 * @closed: nothing is parked any more
 * @bypass: buffers that return are not parked on a CPU; the owner wants to see
 *          them. Both are read with preemption off, so that who did not see
 *          them is done with his magazine after a grace period, or after a
 *          flush
 * @shut: @closed and @bypass in one load
 * @cap: slots of the CPUs' magazines, 0 for none
 * @depot: where CPUs exchange magazines
 * @overflow: takes a buffer that is not kept. Called in task and softirq
 *            context, without locks
 *
 * A CPU's busy byte and the depot's lock are never held together: magazines
 * change hands by pointer.
 */
struct secbuf_cache {
	struct secbuf_cpu_cache __percpu *cpus;
	union {
		struct {
			bool closed;
			bool bypass;
		};
		u16 shut;
	};
	unsigned int cap;
	struct secbuf_depot depot;
	void (*overflow)(struct secbuf_cache *cache, struct secbuf *sb);
};

/*
 * secbuf_cpu_cache_enter() - this CPU's part, to the caller alone, until
 * secbuf_cpu_cache_leave(). NULL if it is taken or to be drained. Everything
 * between runs with preemption off.
 */
static __always_inline struct secbuf_cpu_cache *
secbuf_cpu_cache_enter(struct secbuf_cache *cache)
{
	struct secbuf_cpu_cache *c;

	preempt_disable();
	c = this_cpu_ptr(cache->cpus);
	if (unlikely(READ_ONCE(c->busy) | READ_ONCE(c->drain))) {
		preempt_enable();
		return NULL;
	}
	WRITE_ONCE(c->busy, 1);
	/* For an interrupt on this CPU; nobody else looks. */
	barrier();
	return c;
}

static __always_inline void secbuf_cpu_cache_leave(struct secbuf_cpu_cache *c)
{
	barrier();
	WRITE_ONCE(c->busy, 0);
	preempt_enable();
}

/* May buffers be pushed? To be asked between enter and leave. */
static __always_inline bool secbuf_cache_open(const struct secbuf_cache *cache)
{
	return !READ_ONCE(cache->shut);
}

/* Up to @nr buffers from the magazines; returns how many. */
static __always_inline unsigned int
secbuf_cpu_cache_pop(struct secbuf_cpu_cache *c, struct secbuf **bufs,
		     unsigned int nr)
{
	unsigned int done = secbuf_magazine_pop_some(c->loaded, bufs, nr);

	if (done < nr && !secbuf_magazine_empty(c->spare)) {
		swap(c->loaded, c->spare);
		done += secbuf_magazine_pop_some(c->loaded, bufs + done,
						 nr - done);
	}
	return done;
}

/* Up to @nr buffers into the magazines; returns how many. */
static __always_inline unsigned int
secbuf_cpu_cache_push(struct secbuf_cpu_cache *c, struct secbuf *const *bufs,
		      unsigned int nr)
{
	unsigned int done = secbuf_magazine_push_some(c->loaded, bufs, nr);

	if (done < nr && !secbuf_magazine_full(c->spare)) {
		swap(c->loaded, c->spare);
		done += secbuf_magazine_push_some(c->loaded, bufs + done,
						  nr - done);
	}
	return done;
}

int secbuf_cache_init(struct secbuf_cache *cache, unsigned int limit,
		      unsigned int keep, size_t bytes,
		      void (*overflow)(struct secbuf_cache *cache,
				       struct secbuf *sb));
void secbuf_cache_exit(struct secbuf_cache *cache);
size_t secbuf_cache_footprint(const struct secbuf_cache *cache);
void secbuf_cache_close(struct secbuf_cache *cache);
unsigned int secbuf_cache_refill(struct secbuf_cache *cache,
				 struct secbuf **bufs, unsigned int nr);
unsigned int secbuf_cache_exchange(struct secbuf_cache *cache,
				   struct secbuf **bufs, unsigned int nr);
void secbuf_cache_park(struct secbuf_cache *cache, struct secbuf **bufs,
		       unsigned int nr);
bool secbuf_cache_flush(struct secbuf_cache *cache);
void secbuf_cache_flush_this_cpu(struct secbuf_cache *cache);
void secbuf_cache_flush_if_asked(struct secbuf_cache *cache);
void secbuf_cache_ask_for_flush(struct secbuf_cache *cache);
void secbuf_cache_cpu_dead(struct secbuf_cache *cache, unsigned int cpu);

int secbuf_cache_module_init(void);
void secbuf_cache_module_exit(void);
void secbuf_cache_queue(struct work_struct *work);

#endif /* SECBUF_CACHE_H */
