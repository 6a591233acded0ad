// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines of parked buffers, and the depot where CPUs exchange them.
 */
#include "magazine.h"

#include <linux/overflow.h>
#include <linux/slab.h>

/**
 * secbuf_magazine_size() - memory of a magazine
 * @cap: slots
 *
 * Return: bytes.
 */
size_t secbuf_magazine_size(unsigned int cap)
{
	return struct_size((struct secbuf_magazine *)NULL, bufs, cap);
}

/**
 * secbuf_magazine_alloc() - an empty magazine
 * @cap: slots
 * @gfp: as the context allows
 *
 * Return: the magazine or NULL.
 */
struct secbuf_magazine *secbuf_magazine_alloc(unsigned int cap, gfp_t gfp)
{
	struct secbuf_magazine *mag;

	mag = kmalloc(secbuf_magazine_size(cap), gfp | __GFP_NOWARN);
	if (!mag)
		return NULL;
	INIT_LIST_HEAD(&mag->node);
	mag->nr = 0;
	mag->cap = cap;
	return mag;
}

/**
 * secbuf_magazine_free() - free an empty magazine
 * @mag: the magazine, or NULL
 */
void secbuf_magazine_free(struct secbuf_magazine *mag)
{
	WARN_ON_ONCE(mag && mag->nr);
	kfree(mag);
}

/**
 * secbuf_depot_init() - a depot without magazines
 * @depot: initialized
 * @cap: slots of each magazine, not 0
 * @limit: most buffers to keep
 */
void secbuf_depot_init(struct secbuf_depot *depot, unsigned int cap,
		       unsigned int limit)
{
	spin_lock_init(&depot->lock);
	INIT_LIST_HEAD(&depot->full);
	INIT_LIST_HEAD(&depot->empty);
	depot->nr_bufs = 0;
	depot->limit = limit;
	depot->cap = cap;
}

/**
 * secbuf_depot_exit() - free the empty magazines
 * @depot: all its buffers have been popped
 */
void secbuf_depot_exit(struct secbuf_depot *depot)
{
	WARN_ON_ONCE(depot->nr_bufs);
	secbuf_depot_trim(depot);
}

/**
 * secbuf_depot_take_full() - a magazine with buffers
 * @depot: the depot
 *
 * A partly filled one comes last.
 *
 * Context: task or softirq.
 * Return: the magazine, which the caller owns, or NULL.
 */
struct secbuf_magazine *secbuf_depot_take_full(struct secbuf_depot *depot)
{
	struct secbuf_magazine *mag = NULL;

	spin_lock_bh(&depot->lock);
	if (!list_empty(&depot->full)) {
		mag = list_last_entry(&depot->full, struct secbuf_magazine,
				      node);
		list_del(&mag->node);
		depot->nr_bufs -= mag->nr;
	}
	spin_unlock_bh(&depot->lock);
	return mag;
}

/**
 * secbuf_depot_take_empty() - a magazine to fill
 * @depot: the depot
 *
 * Context: task or softirq.
 * Return: the magazine, which the caller owns, or NULL if memory is short.
 */
struct secbuf_magazine *secbuf_depot_take_empty(struct secbuf_depot *depot)
{
	struct secbuf_magazine *mag;

	spin_lock_bh(&depot->lock);
	mag = list_first_entry_or_null(&depot->empty, struct secbuf_magazine,
				       node);
	if (mag)
		list_del(&mag->node);
	spin_unlock_bh(&depot->lock);
	return mag ?: secbuf_magazine_alloc(depot->cap, GFP_NOWAIT);
}

/**
 * secbuf_depot_give() - hand a magazine over
 * @depot: the depot
 * @mag: full, or empty, or something between
 *
 * Context: task or softirq.
 * Return: false if the depot has enough buffers: the caller keeps @mag.
 */
bool secbuf_depot_give(struct secbuf_depot *depot, struct secbuf_magazine *mag)
{
	bool taken = true;

	spin_lock_bh(&depot->lock);
	if (secbuf_magazine_empty(mag))
		list_add(&mag->node, &depot->empty);
	else if (depot->nr_bufs + mag->nr > depot->limit)
		taken = false;
	else if (secbuf_magazine_full(mag))
		list_add_tail(&mag->node, &depot->full);
	else
		list_add(&mag->node, &depot->full);
	if (taken)
		depot->nr_bufs += mag->nr;
	spin_unlock_bh(&depot->lock);
	return taken;
}

/**
 * secbuf_depot_pop() - take single buffers
 * @depot: the depot
 * @bufs: where they go
 * @nr: buffers wanted
 *
 * Context: task or softirq.
 * Return: buffers taken.
 */
unsigned int secbuf_depot_pop(struct secbuf_depot *depot, struct secbuf **bufs,
			      unsigned int nr)
{
	struct secbuf_magazine *mag;
	unsigned int done = 0;

	spin_lock_bh(&depot->lock);
	while (done < nr && !list_empty(&depot->full)) {
		mag = list_first_entry(&depot->full, struct secbuf_magazine,
				       node);
		while (done < nr && !secbuf_magazine_empty(mag))
			bufs[done++] = secbuf_magazine_pop(mag);
		if (secbuf_magazine_empty(mag))
			list_move(&mag->node, &depot->empty);
	}
	depot->nr_bufs -= done;
	spin_unlock_bh(&depot->lock);
	return done;
}

/* A magazine that takes one more, or NULL. */
static struct secbuf_magazine *depot_open(struct secbuf_depot *depot)
{
	struct secbuf_magazine *mag;

	mag = list_first_entry_or_null(&depot->full, struct secbuf_magazine,
				       node);
	if (mag && !secbuf_magazine_full(mag))
		return mag;
	mag = list_first_entry_or_null(&depot->empty, struct secbuf_magazine,
				       node);
	if (mag)
		list_del(&mag->node);
	else
		mag = secbuf_magazine_alloc(depot->cap, GFP_NOWAIT);
	if (mag)
		list_add(&mag->node, &depot->full);
	return mag;
}

static bool push(struct secbuf_depot *depot, struct secbuf *sb,
		 unsigned int limit)
{
	struct secbuf_magazine *mag = NULL;

	lockdep_assert_held(&depot->lock);
	if (depot->nr_bufs < limit)
		mag = depot_open(depot);
	if (!mag)
		return false;
	secbuf_magazine_push(mag, sb);
	depot->nr_bufs++;
	return true;
}

/**
 * secbuf_depot_push() - park a single buffer
 * @depot: the depot
 * @sb: the buffer
 *
 * Context: task or softirq.
 * Return: false if the depot has enough, or memory is short: the caller keeps
 * @sb.
 */
bool secbuf_depot_push(struct secbuf_depot *depot, struct secbuf *sb)
{
	bool taken;

	spin_lock_bh(&depot->lock);
	taken = push(depot, sb, depot->limit);
	spin_unlock_bh(&depot->lock);
	return taken;
}

/**
 * secbuf_depot_move() - park a buffer that was parked elsewhere
 * @depot: the depot
 * @sb: the buffer
 *
 * No more buffers are parked afterwards than before, so the limit does not
 * matter, unless it is 0.
 *
 * Context: task or softirq.
 * Return: as of secbuf_depot_push().
 */
bool secbuf_depot_move(struct secbuf_depot *depot, struct secbuf *sb)
{
	bool taken;

	spin_lock_bh(&depot->lock);
	taken = push(depot, sb, depot->limit ? UINT_MAX : 0);
	spin_unlock_bh(&depot->lock);
	return taken;
}

/**
 * secbuf_depot_trim() - free the empty magazines
 * @depot: the depot
 *
 * Context: task or softirq.
 * Return: how many there were.
 */
unsigned int secbuf_depot_trim(struct secbuf_depot *depot)
{
	struct secbuf_magazine *mag, *next;
	unsigned int nr = 0;
	LIST_HEAD(empty);

	spin_lock_bh(&depot->lock);
	list_splice_init(&depot->empty, &empty);
	spin_unlock_bh(&depot->lock);
	list_for_each_entry_safe(mag, next, &empty, node) {
		secbuf_magazine_free(mag);
		nr++;
	}
	return nr;
}
