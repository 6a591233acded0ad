/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_POOL_H
#define SECBUF_POOL_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/secbuf.h>

#include "account.h"
#include "cache.h"
#include "lender.h"
#include "reclaim.h"

#define SECBUF_POOL_NAME_MAX	32

/**
 * struct secbuf_pool - buffers of one size
 * @cache: those that are parked
 * @size: bytes of a buffer that may be used
 * @class: its size class
 * @min: buffers that stay through reclaim
 * @max: most buffers that exist
 * @existing: buffers in use or parked
 * @refs: one of the creator, one of each buffer, detached ones included
 * @waiters: those of secbuf_pool_alloc_wait(); while there are any, @cache is
 *           bypassed
 * @account: who pays
 * @reclaim: in the module's list
 * @lenders: objects that can give buffers back when memory is short
 * @slow: counters of the slow path; the CPUs' caches have the others
 * @peak: most buffers outside of the depot at once
 * @free_work: frees the pool from whatever context the last buffer returns
 * @name: for statistics
 *
 * States: live; dying, from secbuf_pool_destroy() on, until the last buffer
 * returns; gone. Zeroizing, slab calls and wake-ups happen outside of all
 * locks.
 */
struct secbuf_pool {
	struct secbuf_cache cache;
	u32 size;
	unsigned int class;
	unsigned int min;
	unsigned int max;

	atomic_t existing ____cacheline_aligned_in_smp;
	refcount_t refs;
	wait_queue_head_t waiters;
	struct secbuf_account account;
	struct secbuf_reclaim reclaim;
	struct secbuf_lenders lenders;
	/** @shrink_lock: one at a time compares @existing with @min, and frees */
	struct mutex shrink_lock;
	struct {
		atomic64_t depot_hits;
		atomic64_t misses;
		atomic64_t failures;
		atomic64_t returned;
		atomic64_t zeroized;
		atomic64_t detached;
	} slow;
	atomic_t peak;
	struct work_struct free_work;
	char name[SECBUF_POOL_NAME_MAX];
};

int secbuf_pool_init(void);
void secbuf_pool_exit(void);
int secbuf_pool_alloc_some(struct secbuf_pool *pool, gfp_t gfp,
			   unsigned int nr, struct secbuf **bufs);
struct secbuf_pool *
secbuf_pool_from_reclaim(struct secbuf_reclaim *reclaim);

#endif /* SECBUF_POOL_H */
