// SPDX-License-Identifier: GPL-2.0
/*
 * What a member gives back when memory is short, and before the machine sleeps:
 * slots that are not granted, and those that objects of the kernel can spare.
 */
#include "member_reclaim.h"

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>

#include "area.h"
#include "member.h"
#include "reclaim.h"
#include "slots.h"

/* Lenders asked at once; each can be in anybody's way. */
#define SECBUF_MEMBER_ASK	256

static size_t member_count(struct secbuf_reclaim *reclaim)
{
	struct secbuf_member *member =
		container_of(reclaim, struct secbuf_member, reclaim);

	/*
	 * Granted ones, too: the program may have some to spare. An estimate,
	 * which may be that of a moment ago.
	 */
	return data_race(READ_ONCE(member->share.nr_backed)) *
	       secbuf_slots_group_pages(&member->area->slots) * PAGE_SIZE;
}

/*
 * Objects of the kernel give back what they do not need, the wasteful first.
 * Those that were asked are asked last the next time.
 */
static size_t ask_lenders(struct secbuf_member *member, size_t bytes)
{
	struct secbuf_area *area = member->area;
	unsigned int wanted = DIV_ROUND_UP(bytes, area->slots.size);
	unsigned int asked, done = 0, wasteful;
	struct secbuf_holder *holder;
	LIST_HEAD(last);

	lockdep_assert_held(&area->io_lock);
	for (wasteful = 2; wasteful--; ) {
		for (asked = 0; asked < SECBUF_MEMBER_ASK && done < wanted &&
		     !list_empty(&member->lenders) &&
		     down_write_trylock(&area->map_lock); asked++) {
			holder = list_first_entry(&member->lenders,
						  struct secbuf_holder, lender);
			list_move_tail(&holder->lender, &last);
			done += holder->ops->reclaim(holder, wasteful);
			up_write(&area->map_lock);
		}
		list_splice_tail_init(&last, &member->lenders);
	}
	return done;
}

static size_t member_scan(struct secbuf_reclaim *reclaim, size_t bytes)
{
	struct secbuf_member *member =
		container_of(reclaim, struct secbuf_member, reclaim);
	struct secbuf_area *area = member->area;
	size_t freed;
	u64 before;

	/* It keeps nothing, and the others are not to be asked for it. */
	if (READ_ONCE(member->dead) || !mutex_trylock(&area->io_lock))
		return 0;
	before = area->bytes;
	freed = secbuf_area_reclaim(area, &member->share, bytes);
	if (freed < bytes && !member->dead &&
	    ask_lenders(member, bytes - freed)) {
		/* What they gave back may have lost its memory already. */
		freed = before - area->bytes;
		if (freed < bytes)
			freed += secbuf_area_reclaim(area, &member->share,
						     bytes - freed);
	}
	secbuf_area_press(area);
	mutex_unlock(&area->io_lock);
	return freed;
}

/*
 * By batches, so that the others get their turn. Each lender has a slot, so that
 * those who come meanwhile do not keep us here.
 */
static void member_recall(struct secbuf_reclaim *reclaim)
{
	struct secbuf_member *member =
		container_of(reclaim, struct secbuf_member, reclaim);
	struct secbuf_area *area = member->area;
	struct mutex *io_lock = &area->io_lock;
	struct secbuf_holder *holder;
	unsigned int left;
	LIST_HEAD(asked);

	mutex_lock(io_lock);
	for (left = member->share.in_use;
	     left && !member->dead && !list_empty(&member->lenders); left--) {
		holder = list_first_entry(&member->lenders,
					  struct secbuf_holder, lender);
		list_move_tail(&holder->lender, &asked);
		down_write(&area->map_lock);
		holder->ops->reclaim(holder, false);
		up_write(&area->map_lock);
		if (left % SECBUF_MEMBER_ASK)
			continue;
		mutex_unlock(io_lock);
		cond_resched();
		mutex_lock(io_lock);
	}
	list_splice_tail(&asked, &member->lenders);
	secbuf_area_press(area);
	mutex_unlock(io_lock);
}

static bool member_drain(struct secbuf_reclaim *reclaim)
{
	struct secbuf_member *member =
		container_of(reclaim, struct secbuf_member, reclaim);
	struct secbuf_area *area = member->area;
	unsigned int freed = 0;

	mutex_lock(&area->io_lock);
	if (!member->dead)
		freed = secbuf_area_shrink(area, &member->share, UINT_MAX);
	mutex_unlock(&area->io_lock);
	return freed;
}

const struct secbuf_reclaim_ops secbuf_member_reclaim_ops = {
	.count	= member_count,
	.scan	= member_scan,
	.recall	= member_recall,
	.drain	= member_drain,
};

/**
 * secbuf_member_from_reclaim() - the member that an entry of the list is of
 * @reclaim: the entry
 *
 * Return: the member, or NULL if it is another kind of object.
 */
struct secbuf_member *
secbuf_member_from_reclaim(struct secbuf_reclaim *reclaim)
{
	if (reclaim->ops != &secbuf_member_reclaim_ops)
		return NULL;
	return container_of(reclaim, struct secbuf_member, reclaim);
}
