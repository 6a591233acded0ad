// SPDX-License-Identifier: GPL-2.0
/*
 * Member: one of those who use an area. Slots are granted to a member, charged
 * to it, and taken back when it dies, while the others carry on.
 */
#include "member.h"

#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "payer.h"
#include "trace.h"

/* The struct, and the open file and inode that a member has besides; bytes. */
#define SECBUF_MEMBER_FOOTPRINT	2048

static size_t footprint(const struct secbuf_member *member)
{
	return SECBUF_MEMBER_FOOTPRINT +
	       secbuf_slot_share_footprint(&member->area->slots);
}

/**
 * secbuf_member_init() - one more member, no slot granted
 * @member: initialized on success
 * @area: of which there is a reference until this returns
 * @payer: who pays; another member cannot have the same
 * @reclaim_ops: what it can give back
 *
 * Context: process, may sleep. Takes io_lock.
 * Return: 0, -ENOMEM, -EDQUOT, -EUSERS.
 */
int secbuf_member_init(struct secbuf_member *member, struct secbuf_area *area,
		       struct secbuf_payer *payer,
		       const struct secbuf_reclaim_ops *reclaim_ops)
{
	int err;

	*member = (struct secbuf_member){ .area = area };
	strscpy(member->name, current->comm, sizeof(member->name));
	mutex_init(&member->holders_lock);
	INIT_LIST_HEAD(&member->holders);
	INIT_LIST_HEAD(&member->lenders);
	err = secbuf_area_join(area);
	if (err)
		return err;
	err = secbuf_account_charge(&payer->account, footprint(member));
	if (err)
		goto out_leave;
	err = secbuf_slot_share_init(&member->share, &area->slots);
	if (err)
		goto out_uncharge;

	member->payer = secbuf_payer_get(payer);
	mutex_lock(&area->io_lock);
	payer->share = &member->share;
	member->pressure_seen = area->pressure;
	mutex_unlock(&area->io_lock);
	err = secbuf_reclaim_add(&member->reclaim, reclaim_ops,
				 &payer->account);
	if (err)
		goto out_share;
	return 0;

out_share:
	mutex_lock(&area->io_lock);
	payer->share = NULL;
	mutex_unlock(&area->io_lock);
	secbuf_payer_put(payer);
	secbuf_slot_share_exit(&member->share);
out_uncharge:
	secbuf_account_uncharge(&payer->account, footprint(member));
out_leave:
	secbuf_area_leave(area);
	return err;
}

/**
 * secbuf_member_exit() - end of a member that nobody can reach any more
 * @member: the member
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: true if it was the last one and the area is gone.
 */
bool secbuf_member_exit(struct secbuf_member *member)
{
	/* The list can be busy for long; what is secret goes before that. */
	secbuf_member_wipe(member);
	secbuf_member_shut(member);
	secbuf_member_die(member);
	secbuf_reclaim_del(&member->reclaim);
	secbuf_slot_share_exit(&member->share);
	secbuf_account_uncharge(&member->payer->account, footprint(member));
	secbuf_payer_put(member->payer);
	return secbuf_area_leave(member->area);
}

static void take_slot(struct secbuf_member *member, u64 id,
		      enum secbuf_slot_holder holder)
{
	struct secbuf_area *area = member->area;

	secbuf_slots_take(&area->slots, &member->share,
			  secbuf_area_payer(area, id), id, holder);
	member->stats.acquired++;
	member->stats.peak = max(member->stats.peak, member->share.in_use);
}

/* -EAGAIN: there is a slot, but it has no memory. */
static int grant_slot(struct secbuf_member *member, u64 *id,
		      enum secbuf_slot_holder holder)
{
	struct secbuf_area *area = member->area;
	int err;

	lockdep_assert_held(&area->io_lock);
	if (member->dead)
		return -ESHUTDOWN;
	if (fatal_signal_pending(current))
		return -EINTR;
	err = secbuf_slots_find(&area->slots, &member->share, id);
	if (err)
		return err;
	if (!secbuf_area_ready(area, &member->share, *id))
		return -EAGAIN;
	take_slot(member, *id, holder);
	member->stats.hits++;
	return 0;
}

/* Zeroize a slot and take it back; memory that shall not stay joins the run. */
static void return_slot(struct secbuf_member *member, u64 id, bool keep,
			struct secbuf_area_run *run)
{
	struct secbuf_area *area = member->area;
	struct secbuf_slot_share *payer = secbuf_area_payer(area, id);
	unsigned int group = secbuf_slots_group(&area->slots, id);

	keep &= payer && !member->dead && !area->guard;
	secbuf_slots_put(&area->slots, &member->share, payer, id);
	member->stats.returned++;
	if (test_bit(group, area->slots.idle) && !keep)
		secbuf_area_drop(area, run, group);
	else
		secbuf_area_clean(area, id);
}

static bool batch_is_full(const struct secbuf_member *member, unsigned int done)
{
	return done &&
	       done >= SECBUF_AREA_BATCH_BYTES_MAX / member->area->slots.size;
}

/* As many as have memory; @done counts them. -EAGAIN: the next has none. */
static int grant_backed(struct secbuf_member *member, u64 *ids, unsigned int nr,
			unsigned int *done, enum secbuf_slot_holder holder)
{
	struct secbuf_area *area = member->area;
	int err = 0;

	mutex_lock(&area->io_lock);
	while (*done < nr && !batch_is_full(member, *done)) {
		err = grant_slot(member, &ids[*done], holder);
		if (err)
			break;
		++*done;
		cond_resched();
	}
	mutex_unlock(&area->io_lock);
	return err;
}

/* Memory for a slot that has none, and the slot. */
static int grant_filled(struct secbuf_member *member, u64 id,
			enum secbuf_slot_holder holder)
{
	struct secbuf_area *area = member->area;
	unsigned int group = secbuf_slots_group(&area->slots, id);
	LIST_HEAD(pages);
	int err;

	err = secbuf_area_fill(area, member->payer, group, &pages);
	if (err)
		return err;
	mutex_lock(&area->io_lock);
	if (member->dead) {
		err = -ESHUTDOWN;
	} else {
		secbuf_area_fill_commit(area, member->payer, group, &pages);
		take_slot(member, id, holder);
	}
	mutex_unlock(&area->io_lock);
	if (err)
		secbuf_area_fill_end(area, group, &pages);
	return err;
}

/* One slot that had no memory, if that is still the case. */
static int grant_fresh(struct secbuf_member *member, u64 *id,
		       enum secbuf_slot_holder holder)
{
	struct secbuf_area *area = member->area;
	int err;

	if (mutex_lock_killable(&area->fill_lock))
		return -EINTR;
	mutex_lock(&area->io_lock);
	err = grant_slot(member, id, holder);
	mutex_unlock(&area->io_lock);
	if (err == -EAGAIN)
		err = grant_filled(member, *id, holder);
	mutex_unlock(&area->fill_lock);
	return err;
}

static void note_failure(struct secbuf_member *member, int err)
{
	if (err == -ESHUTDOWN || err == -EINTR)
		return;
	mutex_lock(&member->area->io_lock);
	member->stats.failures++;
	mutex_unlock(&member->area->io_lock);
}

/**
 * secbuf_member_grant() - grant zero slots
 * @member: to whom
 * @ids: where the ids go
 * @nr: slots wanted
 * @holder: for what
 *
 * Stops at a limit, at SECBUF_AREA_BATCH_BYTES_MAX and at a fatal signal.
 *
 * Context: process, may sleep. Takes fill_lock, and locks of any area.
 * Return: slots granted, or if none -ENOSPC, -ENOMEM, -EDQUOT, -EINTR,
 * -ESHUTDOWN.
 */
int secbuf_member_grant(struct secbuf_member *member, u64 *ids,
			unsigned int nr, enum secbuf_slot_holder holder)
{
	unsigned int done = 0;
	int err;

	do {
		err = grant_backed(member, ids, nr, &done, holder);
		if (err != -EAGAIN)
			break;
		err = grant_fresh(member, &ids[done], holder);
		if (!err)
			done++;
	} while (!err && done < nr && !batch_is_full(member, done));
	if (err)
		note_failure(member, err);
	if (done)
		trace_secbuf_alloc(member->name, done);
	return done ?: err;
}

/**
 * secbuf_member_hand_over() - the program knows of its slots
 * @member: to whom they were granted
 * @ids: from secbuf_member_grant() for an object, which was the call so far
 * @nr: number of @ids
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_member_hand_over(struct secbuf_member *member, const u64 *ids,
			     unsigned int nr)
{
	struct secbuf_area *area = member->area;
	unsigned int i;

	mutex_lock(&area->io_lock);
	/* What a member had that died meanwhile may be another's. */
	for (i = 0; i < nr && !member->dead; i++)
		secbuf_slots_hand_over(&area->slots, ids[i]);
	mutex_unlock(&area->io_lock);
}

/**
 * secbuf_member_return() - zeroize slots and take them back
 * @member: to whom they were granted
 * @ids: the slots, not trusted
 * @nr: number of @ids
 * @holder: who returns them
 *
 * Stops at the first that @holder may not return, at
 * SECBUF_AREA_BATCH_BYTES_MAX, and at a fatal signal.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: slots taken back, or if none -EINVAL, -ENOENT, -EBUSY, -ESHUTDOWN.
 */
int secbuf_member_return(struct secbuf_member *member, const u64 *ids,
			 unsigned int nr, enum secbuf_slot_holder holder)
{
	struct secbuf_area *area = member->area;
	struct secbuf_area_run run = { };
	unsigned int done = 0;
	int err = 0;

	mutex_lock(&area->io_lock);
	if (member->dead)
		err = -ESHUTDOWN;
	while (!err && done < nr && !batch_is_full(member, done)) {
		err = secbuf_slots_check(&area->slots, &member->share,
					 ids[done], holder);
		if (!err)
			return_slot(member, ids[done++], true, &run);
		/* Not before the first: the end of a conn is no batch. */
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	secbuf_area_drop_end(area, &run);
	if (done && holder == SECBUF_HOLDER_PROGRAM)
		WRITE_ONCE(member->pressure_seen, area->pressure);
	mutex_unlock(&area->io_lock);
	if (done)
		trace_secbuf_free(member->name, done);
	return done ?: err;
}

/**
 * secbuf_member_undo() - take back what could not be told, memory included
 * @member: to whom they were granted
 * @ids: from secbuf_member_grant() for an object, which was the call so far
 * @nr: number of @ids
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 */
void secbuf_member_undo(struct secbuf_member *member, const u64 *ids,
			unsigned int nr)
{
	struct secbuf_area *area = member->area;
	struct secbuf_area_run run = { };
	unsigned int i;

	mutex_lock(&area->io_lock);
	for (i = 0; i < nr; i++) {
		if (!secbuf_slots_check(&area->slots, &member->share, ids[i],
					SECBUF_HOLDER_OBJECT))
			return_slot(member, ids[i], false, &run);
		cond_resched();
	}
	secbuf_area_drop_end(area, &run);
	mutex_unlock(&area->io_lock);
}

/* A batch from slot *@from on; with those that objects of the kernel hold? */
static unsigned int return_some(struct secbuf_member *member, u64 *from,
				bool held)
{
	struct secbuf_area *area = member->area;
	struct secbuf_area_run run = { };
	unsigned long id = *from;
	unsigned int done = 0;

	mutex_lock(&area->io_lock);
	for_each_set_bit_from(id, member->share.mine, area->slots.nr) {
		if (done == SECBUF_AREA_BATCH_MAX ||
		    batch_is_full(member, done))
			break;
		if (!held && test_bit(id, area->slots.held))
			continue;
		return_slot(member, id, true, &run);
		done++;
		cond_resched();
	}
	secbuf_area_drop_end(area, &run);
	WRITE_ONCE(member->pressure_seen, area->pressure);
	mutex_unlock(&area->io_lock);
	if (done)
		trace_secbuf_free(member->name, done);
	*from = id;
	return done;
}

/**
 * secbuf_member_return_all() - take back all slots but those of objects
 * @member: to whom they were granted
 *
 * What is granted meanwhile may stay. Stops at a fatal signal.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: slots taken back, or -ESHUTDOWN.
 */
int secbuf_member_return_all(struct secbuf_member *member)
{
	unsigned int done = 0, n;
	u64 from = 0;

	if (READ_ONCE(member->dead))
		return -ESHUTDOWN;
	do {
		n = return_some(member, &from, false);
		done += n;
	} while (n && !fatal_signal_pending(current));
	return done;
}

/* A batch of the slots of a dead member from *@from on, where they lie. */
static bool zeroize_some(struct secbuf_member *member, u64 *from)
{
	struct secbuf_area *area = member->area;
	unsigned long id = *from;
	unsigned int done = 0;

	mutex_lock(&area->io_lock);
	for_each_set_bit_from(id, member->share.mine, area->slots.nr) {
		if (done == SECBUF_AREA_BATCH_MAX ||
		    batch_is_full(member, done))
			break;
		secbuf_area_clean(area, id);
		done++;
		cond_resched();
	}
	mutex_unlock(&area->io_lock);
	*from = id;
	return done;
}

/**
 * secbuf_member_wipe() - nothing is granted any more, all is zero
 * @member: can be in use by others
 *
 * Can be called several times, also at the same time. A thread may write until
 * all is unmapped, and what it writes is zeroized by secbuf_member_die().
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_member_wipe(struct secbuf_member *member)
{
	struct secbuf_area *area = member->area;
	u64 from = 0;

	mutex_lock(&area->io_lock);
	/* Nothing is granted after the first time. */
	if (!member->dead)
		member->stats.leaks = member->share.in_use;
	WRITE_ONCE(member->dead, true);
	mutex_unlock(&area->io_lock);
	while (zeroize_some(member, &from))
		cond_resched();
}

/**
 * secbuf_member_shut() - nothing is mapped any more
 * @member: passed secbuf_member_wipe()
 *
 * What is mapped is to be unmapped after this, which can take a while: pages are
 * looked for in the mappings of all members.
 *
 * Context: process, may sleep. Takes map_lock, and so waits for faults of the
 * other members, which may wait for page tables.
 */
void secbuf_member_shut(struct secbuf_member *member)
{
	struct secbuf_area *area = member->area;

	/* Faults from now on see that it is dead. */
	down_write(&area->map_lock);
	up_write(&area->map_lock);
	/* The others wait here, too: each is to look at his own. */
	wake_up_all(&area->wait);
}

static void wake_holders(struct secbuf_member *member)
{
	struct secbuf_holder *holder;

	mutex_lock(&member->holders_lock);
	list_for_each_entry(holder, &member->holders, node) {
		holder->ops->wake(holder);
		cond_resched();
	}
	mutex_unlock(&member->holders_lock);
}

/**
 * secbuf_member_die() - take everything back, zeroize, and keep no memory
 * @member: passed secbuf_member_shut()
 *
 * By batches, so that the others get their turn. Can be called several times,
 * also at the same time.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 */
void secbuf_member_die(struct secbuf_member *member)
{
	struct secbuf_area *area = member->area;
	unsigned int n;
	u64 from = 0;

	wake_holders(member);
	while (return_some(member, &from, true))
		cond_resched();
	do {
		mutex_lock(&area->io_lock);
		n = secbuf_area_shrink(area, &member->share, UINT_MAX);
		if (!n) {
			member->payer->share = NULL;
			member->share.nr_backed = 0;
		}
		mutex_unlock(&area->io_lock);
		cond_resched();
	} while (n);
}

static unsigned int shrink_some(struct secbuf_member *member, unsigned int nr)
{
	struct secbuf_area *area = member->area;
	unsigned int done = 0;

	mutex_lock(&area->io_lock);
	if (!member->dead) {
		done = secbuf_area_shrink(area, NULL, nr);
		WRITE_ONCE(member->pressure_seen, area->pressure);
	}
	mutex_unlock(&area->io_lock);
	return done;
}

/**
 * secbuf_member_shrink() - free memory of slots that are not granted
 * @member: who asks; whoever pays for them
 * @nr: slots; of the last page all
 *
 * By batches, so that the others get their turn. Stops at a fatal signal.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: slots whose memory was freed, or -ESHUTDOWN.
 */
int secbuf_member_shrink(struct secbuf_member *member, unsigned int nr)
{
	unsigned int done = 0, n;

	if (READ_ONCE(member->dead))
		return -ESHUTDOWN;
	do {
		n = shrink_some(member, nr - done);
		done += n;
		cond_resched();
	} while (n && done < nr && !fatal_signal_pending(current));
	if (done)
		trace_secbuf_shrink(member->name, done);
	return done;
}

/**
 * secbuf_member_pressed() - was memory short since it last gave some back?
 * @member: the member
 */
bool secbuf_member_pressed(const struct secbuf_member *member)
{
	return READ_ONCE(member->area->pressure) !=
	       READ_ONCE(member->pressure_seen);
}

static struct secbuf_member_stats read_stats(const struct secbuf_member *member)
{
	const struct secbuf_area *area = member->area;
	struct secbuf_member_stats stats = member->stats;

	stats.max_slots = area->slots.nr;
	stats.in_use = member->share.in_use;
	stats.allocated = area->slots.nr_backed;
	stats.available = stats.allocated - area->slots.in_use;
	stats.bytes = area->bytes;
	stats.bytes_zeroized = area->bytes_zeroized;
	return stats;
}

/**
 * secbuf_member_get_stats() - counters that fit together
 * @member: the member
 * @stats: filled
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_member_get_stats(struct secbuf_member *member,
			     struct secbuf_member_stats *stats)
{
	mutex_lock(&member->area->io_lock);
	*stats = read_stats(member);
	mutex_unlock(&member->area->io_lock);
}

/**
 * secbuf_member_peek_stats() - counters that differ by what is under way
 * @member: the member
 * @stats: filled
 *
 * Waits for nobody.
 *
 * Context: any.
 */
void secbuf_member_peek_stats(const struct secbuf_member *member,
			      struct secbuf_member_stats *stats)
{
	/* A statistic may be that of a moment ago. */
	*stats = data_race(read_stats(member));
}
