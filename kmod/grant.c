// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers of a kernel-held pool that a program has: by ids, which die with
 * him and take the buffers along.
 */
#include "grant.h"

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "account.h"
#include "buf.h"

/* As many pointers are kept on the stack. */
#define CHUNK	32

/*
 * Ids come before buffers: those that cannot be named would be parked and fill
 * a ceiling for nothing. The table has no limit below that of the pool.
 */
static int make_room(struct secbuf_grants *grants, unsigned int nr)
{
	int ret;

	/* What changes right now is looked at again when they are named. */
	if (likely(data_race(READ_ONCE(grants->ids.nr_entries) -
			     READ_ONCE(grants->ids.nr)) >= nr))
		return nr;
	mutex_lock(&grants->lock);
	ret = secbuf_ids_reserve(&grants->ids, nr);
	mutex_unlock(&grants->lock);
	return ret == -ENOSPC ? nr : ret;
}

/* The ids of buffers that are the table's from now on; those left over go. */
static int name_buffers(struct secbuf_grants *grants, struct secbuf **bufs,
			unsigned int nr, u64 *ids)
{
	unsigned int done;
	int ret;

	mutex_lock(&grants->lock);
	ret = grants->dead ? -ESHUTDOWN :
			     secbuf_ids_add(&grants->ids, bufs, nr, ids);
	done = ret < 0 ? 0 : ret;
	grants->acquired += nr;
	grants->returned += nr - done;
	grants->peak = max(grants->peak, grants->ids.nr);
	mutex_unlock(&grants->lock);

	if (unlikely(done < nr))
		secbuf_put_bulk(bufs + done, nr - done);
	return ret;
}

static int add_chunk(struct secbuf_grants *grants, u64 *ids, unsigned int nr,
		     bool wait)
{
	struct secbuf *bufs[CHUNK];
	int ret;

	ret = make_room(grants, nr);
	if (ret < 0)
		return ret;
	ret = secbuf_pool_alloc_some(grants->pool, SECBUF_GFP, ret, bufs);
	if (ret == -ENOSPC && wait) {
		bufs[0] = secbuf_pool_alloc_wait(grants->pool);
		ret = IS_ERR(bufs[0]) ? PTR_ERR(bufs[0]) : 1;
	}
	return ret < 0 ? ret : name_buffers(grants, bufs, ret, ids);
}

/**
 * secbuf_grants_add() - give out buffers
 * @grants: of the caller
 * @ids: theirs, @nr at most
 * @nr: wanted, above 0
 * @wait: for one, if there is none
 *
 * Context: process, may sleep; the owner.
 * Return: the buffers given out, or if none -errno.
 */
int secbuf_grants_add(struct secbuf_grants *grants, u64 *ids, unsigned int nr,
		      bool wait)
{
	unsigned int done = 0;
	int ret;

	do {
		ret = add_chunk(grants, ids + done, min(nr - done, CHUNK + 0U),
				wait && !done);
		if (ret < 0)
			break;
		done += ret;
	} while (done < nr && !fatal_signal_pending(current));

	if (unlikely(ret < 0 && ret != -EINTR)) {
		mutex_lock(&grants->lock);
		grants->failures++;
		mutex_unlock(&grants->lock);
	}
	return done ?: ret;
}

/*
 * Buffers that the table has no more. Who is copying one, and may sleep in a
 * page fault for as long as he likes, goes on with zeros. No others come: a
 * reference is taken under the lock, of what is in the table.
 */
static void put_bufs(struct secbuf_grants *grants, struct secbuf **bufs,
		     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr && unlikely(atomic_read(&grants->nr_copying)); i++)
		if (unlikely(refcount_read(&bufs[i]->refs) > 1))
			secbuf_zeroize(bufs[i]);
	secbuf_put_bulk(bufs, nr);
}

/**
 * secbuf_grants_remove() - take buffers back, up to the first id that is none
 * @grants: of the caller
 * @ids: theirs
 * @nr: as many, above 0
 *
 * Context: process, may sleep; the owner.
 * Return: the buffers taken back, or if none -ENOENT.
 */
int secbuf_grants_remove(struct secbuf_grants *grants, const u64 *ids,
			 unsigned int nr)
{
	struct secbuf *bufs[CHUNK];
	unsigned int done = 0;
	unsigned int want, n;

	do {
		want = min(nr - done, CHUNK + 0U);
		mutex_lock(&grants->lock);
		n = secbuf_ids_remove(&grants->ids, ids + done, want, bufs);
		grants->returned += n;
		mutex_unlock(&grants->lock);
		put_bufs(grants, bufs, n);
		done += n;
	} while (n == want && done < nr && !fatal_signal_pending(current));
	return done ?: -ENOENT;
}

/**
 * secbuf_grants_remove_all() - take all buffers back
 * @grants: of the caller
 *
 * What is given out meanwhile may stay.
 *
 * Context: process, may sleep; the owner. Gives up at a fatal signal.
 * Return: the buffers taken back.
 */
unsigned int secbuf_grants_remove_all(struct secbuf_grants *grants)
{
	struct secbuf *bufs[CHUNK];
	unsigned int done = 0;
	unsigned int n;
	u32 from = 0;

	do {
		mutex_lock(&grants->lock);
		n = secbuf_ids_remove_any(&grants->ids, &from, CHUNK, bufs);
		grants->returned += n;
		mutex_unlock(&grants->lock);
		put_bufs(grants, bufs, n);
		done += n;
		cond_resched();
	} while (n == CHUNK && !fatal_signal_pending(current));
	return done;
}

/**
 * secbuf_grants_undo() - take back what was given out right now
 * @grants: of the caller
 * @ids: from secbuf_grants_add()
 * @nr: as many
 *
 * Context: process, may sleep; the owner.
 */
void secbuf_grants_undo(struct secbuf_grants *grants, const u64 *ids,
			unsigned int nr)
{
	unsigned int i;

	/* One by one: another thread may have guessed an id and freed it. */
	for (i = 0; i < nr; i++)
		secbuf_grants_remove(grants, &ids[i], 1);
}

/**
 * secbuf_grants_begin_copy() - before secbuf_grants_get()
 * @grants: of the caller
 *
 * Who takes a buffer back looks only between this and secbuf_grants_end_copy()
 * whether somebody else has it.
 *
 * Context: process; the owner.
 */
void secbuf_grants_begin_copy(struct secbuf_grants *grants)
{
	/* Seen by whoever takes the lock after secbuf_grants_get() had it. */
	atomic_inc(&grants->nr_copying);
}

/**
 * secbuf_grants_end_copy() - all from secbuf_grants_get() has been put
 * @grants: of the caller
 *
 * Context: any.
 */
void secbuf_grants_end_copy(struct secbuf_grants *grants)
{
	atomic_dec(&grants->nr_copying);
}

/**
 * secbuf_grants_get() - hold a buffer, without locking it
 * @grants: of the caller, between begin and end of a copy
 * @id: of the buffer
 *
 * It may be taken back meanwhile, but not be gone. What is written to it after
 * that is zeroized when it is put.
 *
 * Context: process, may sleep; the owner.
 * Return: the buffer, for secbuf_put(), or NULL.
 */
struct secbuf *secbuf_grants_get(struct secbuf_grants *grants, u64 id)
{
	struct secbuf *sb;

	mutex_lock(&grants->lock);
	sb = secbuf_ids_find(&grants->ids, id);
	if (sb)
		secbuf_get(sb);
	mutex_unlock(&grants->lock);
	return sb;
}

/**
 * secbuf_grants_get_stats() - a look at them
 * @grants: whose
 * @stats: as of now
 *
 * Context: process, may sleep.
 */
void secbuf_grants_get_stats(struct secbuf_grants *grants,
			     struct secbuf_grants_stats *stats)
{
	mutex_lock(&grants->lock);
	*stats = (struct secbuf_grants_stats){
		.pool = grants->last,
		.in_use = grants->ids.nr,
		.peak = grants->peak,
		.leaks = grants->leaks,
		.acquired = grants->acquired,
		.returned = grants->returned,
		.failures = grants->failures,
	};
	if (grants->pool)
		secbuf_pool_get_stats(grants->pool, &stats->pool);
	mutex_unlock(&grants->lock);
}

/* Zeroize all that is out, and forget its ids. */
static void put_everything(struct secbuf_grants *grants)
{
	struct secbuf *bufs[CHUNK];
	unsigned int n;
	u32 from = 0;

	lockdep_assert_held(&grants->lock);
	while ((n = secbuf_ids_remove_any(&grants->ids, &from, CHUNK, bufs))) {
		grants->returned += n;
		put_bufs(grants, bufs, n);
		cond_resched();
	}
}

/* Free all that there is; no call is in progress. */
static void free_everything(struct secbuf_grants *grants)
{
	lockdep_assert_held(&grants->lock);
	put_everything(grants);
	secbuf_pool_get_stats(grants->pool, &grants->last);
	secbuf_pool_destroy(grants->pool);
	grants->pool = NULL;
	grants->last.allocated = 0;
	grants->last.available = 0;
	secbuf_ids_exit(&grants->ids);
}

/**
 * secbuf_grants_kill() - the owner died
 * @grants: his
 * @alone: nobody of his is in a call any more: the pool goes, too
 *
 * Context: process, may sleep.
 */
void secbuf_grants_kill(struct secbuf_grants *grants, bool alone)
{
	mutex_lock(&grants->lock);
	if (grants->pool) {
		grants->dead = true;
		grants->leaks += grants->ids.nr;
		put_everything(grants);
		if (alone)
			free_everything(grants);
	}
	mutex_unlock(&grants->lock);
}

/**
 * secbuf_grants_put_all() - zeroize and take back what is out
 * @grants: no call is in progress
 *
 * Context: process, may sleep.
 */
void secbuf_grants_put_all(struct secbuf_grants *grants)
{
	mutex_lock(&grants->lock);
	if (grants->pool)
		put_everything(grants);
	mutex_unlock(&grants->lock);
}

/**
 * secbuf_grants_init() - a pool of which nothing is out yet
 * @grants: all zero
 * @account: who pays for the ids; the pool has its own. Outlives @grants
 * @params: of the pool
 *
 * Context: process, may sleep.
 * Return: 0 or -errno.
 */
int secbuf_grants_init(struct secbuf_grants *grants,
		       struct secbuf_account *account,
		       const struct secbuf_pool_params *params)
{
	struct secbuf_pool *pool;
	int err;

	mutex_init(&grants->lock);
	err = secbuf_ids_init(&grants->ids, account, params->max);
	if (err)
		return err;
	pool = secbuf_pool_create(params);
	if (IS_ERR(pool)) {
		secbuf_ids_exit(&grants->ids);
		return PTR_ERR(pool);
	}
	grants->pool = pool;
	return 0;
}

/**
 * secbuf_grants_exit() - free the pool and all that is out
 * @grants: no call is in progress, and none comes
 *
 * Context: process, may sleep.
 */
void secbuf_grants_exit(struct secbuf_grants *grants)
{
	mutex_lock(&grants->lock);
	if (grants->pool)
		free_everything(grants);
	mutex_unlock(&grants->lock);
}
