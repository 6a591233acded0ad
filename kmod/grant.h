/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_GRANT_H
#define SECBUF_GRANT_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "ids.h"
#include "pool.h"

struct secbuf;
struct secbuf_account;

/**
 * struct secbuf_grants - the buffers of a pool that a program has, by id
 * @pool: where they come from; NULL once the owner's address space has ended.
 *        Until then calls use it without a lock: nobody else may call
 */
struct secbuf_grants {
	struct secbuf_pool *pool;
	/**
	 * @lock: protects what follows, and @pool against statistics. Buffers
	 * are allocated, copied and zeroized outside of it. In the lock order
	 * after owner->lock
	 */
	struct mutex lock;
	/** @ids: the buffers that are out; has a reference to each */
	struct secbuf_ids ids;
	/** @peak: most ids at once */
	u32 peak;
	/** @nr_copying: calls that may have a reference without the lock */
	atomic_t nr_copying;
	/** @dead: the owner died; buffers get no ids any more */
	bool dead;
	/** @leaks: ids when the owner died */
	u32 leaks;
	/** @acquired: ids given out so far */
	u64 acquired;
	/** @returned: ids taken back so far */
	u64 returned;
	/** @failures: grants refused so far */
	u64 failures;
	/** @last: counters of the pool, when there is none any more */
	struct secbuf_pool_stats last;
};

/**
 * struct secbuf_grants_stats - a look at them
 * @pool: counters of the pool: whence the buffers came
 * @in_use: ids that are out
 * @peak: most at once
 * @leaks: when the owner died
 * @acquired: given out so far
 * @returned: taken back so far
 * @failures: grants refused so far
 */
struct secbuf_grants_stats {
	struct secbuf_pool_stats pool;
	u32 in_use;
	u32 peak;
	u32 leaks;
	u64 acquired;
	u64 returned;
	u64 failures;
};

int secbuf_grants_init(struct secbuf_grants *grants,
		       struct secbuf_account *account,
		       const struct secbuf_pool_params *params);
void secbuf_grants_exit(struct secbuf_grants *grants);
void secbuf_grants_kill(struct secbuf_grants *grants, bool alone);
void secbuf_grants_put_all(struct secbuf_grants *grants);

int secbuf_grants_add(struct secbuf_grants *grants, u64 *ids, unsigned int nr,
		      bool wait);
void secbuf_grants_undo(struct secbuf_grants *grants, const u64 *ids,
			unsigned int nr);
int secbuf_grants_remove(struct secbuf_grants *grants, const u64 *ids,
			 unsigned int nr);
unsigned int secbuf_grants_remove_all(struct secbuf_grants *grants);

void secbuf_grants_begin_copy(struct secbuf_grants *grants);
void secbuf_grants_end_copy(struct secbuf_grants *grants);
struct secbuf *secbuf_grants_get(struct secbuf_grants *grants, u64 id);

void secbuf_grants_get_stats(struct secbuf_grants *grants,
			     struct secbuf_grants_stats *stats);

#endif /* SECBUF_GRANT_H */
