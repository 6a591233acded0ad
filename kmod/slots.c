// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: which ones are granted, to whom, and on which pages they lie. Small
 * slots share a page with others, their group; large ones have pages of their
 * own and are a group each. A group has memory as a whole or not at all, and one
 * of the members pays for it.
 */
#include "slots.h"

#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/find.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "account.h"

static size_t bytes_of_bits(unsigned int nr)
{
	return BITS_TO_LONGS(nr) * sizeof(long);
}

/**
 * secbuf_slots_footprint() - kernel memory that the bookkeeping takes
 * @slots: with its geometry set
 *
 * Return: bytes.
 */
size_t secbuf_slots_footprint(const struct secbuf_slots *slots)
{
	return 2 * bytes_of_bits(slots->nr) +
	       2 * bytes_of_bits(slots->nr_groups);
}

/**
 * secbuf_slots_init() - all slots free, none with memory
 * @slots: initialized on success
 * @size: bytes per slot, a power of two
 * @stride: distance of two slots; @size if they lie close together
 * @nr: number of slots, not 0
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_slots_init(struct secbuf_slots *slots, size_t size, size_t stride,
		      unsigned int nr)
{
	unsigned int per_group = stride < PAGE_SIZE ? PAGE_SIZE / stride : 1;

	*slots = (struct secbuf_slots){
		.size = size,
		.stride = stride,
		.nr = nr,
		.per_group = per_group,
		.nr_groups = DIV_ROUND_UP(nr, per_group),
	};
	slots->granted = kvzalloc(secbuf_slots_footprint(slots), SECBUF_GFP);
	if (!slots->granted)
		return -ENOMEM;
	slots->held = slots->granted + BITS_TO_LONGS(nr);
	slots->backed = slots->held + BITS_TO_LONGS(nr);
	slots->idle = slots->backed + BITS_TO_LONGS(slots->nr_groups);
	return 0;
}

/**
 * secbuf_slots_exit() - free the bookkeeping
 * @slots: from secbuf_slots_init()
 *
 * Context: process, may sleep.
 */
void secbuf_slots_exit(struct secbuf_slots *slots)
{
	kvfree(slots->granted);
}

/**
 * secbuf_slot_share_footprint() - kernel memory that one share takes
 * @slots: of which
 *
 * Return: bytes.
 */
size_t secbuf_slot_share_footprint(const struct secbuf_slots *slots)
{
	return bytes_of_bits(slots->nr) + bytes_of_bits(slots->nr_groups);
}

/**
 * secbuf_slot_share_init() - a share of nothing
 * @share: initialized on success
 * @slots: of which
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_slot_share_init(struct secbuf_slot_share *share,
			   const struct secbuf_slots *slots)
{
	*share = (struct secbuf_slot_share){ };
	share->mine = kvzalloc(secbuf_slot_share_footprint(slots), SECBUF_GFP);
	if (!share->mine)
		return -ENOMEM;
	share->spare = share->mine + BITS_TO_LONGS(slots->nr);
	return 0;
}

/**
 * secbuf_slot_share_exit() - free the bookkeeping of a share
 * @share: from secbuf_slot_share_init()
 *
 * Context: process, may sleep.
 */
void secbuf_slot_share_exit(struct secbuf_slot_share *share)
{
	kvfree(share->mine);
}

/**
 * secbuf_slots_group() - the group of a slot
 * @slots: where
 * @id: less than @slots->nr
 *
 * Return: its number.
 */
unsigned int secbuf_slots_group(const struct secbuf_slots *slots, u64 id)
{
	return (unsigned int)id / slots->per_group;
}

/**
 * secbuf_slots_group_size() - slots in a group; the last may have fewer
 * @slots: where
 * @group: its number
 *
 * Return: slots.
 */
unsigned int secbuf_slots_group_size(const struct secbuf_slots *slots,
				     unsigned int group)
{
	return min(slots->per_group, slots->nr - group * slots->per_group);
}

/**
 * secbuf_slots_group_pages() - pages that a group has when it has memory
 * @slots: where
 *
 * Return: pages.
 */
pgoff_t secbuf_slots_group_pages(const struct secbuf_slots *slots)
{
	return PAGE_ALIGN(slots->size) >> PAGE_SHIFT;
}

/* The lowest slot of a group that is free, or the end of the group. */
static unsigned int find_in_group(const struct secbuf_slots *slots,
				  unsigned int group, unsigned int *end)
{
	unsigned int first = group * slots->per_group;

	*end = first + secbuf_slots_group_size(slots, group);
	return find_next_zero_bit(slots->granted, *end, first);
}

static bool group_is_full(const struct secbuf_slots *slots, unsigned int group)
{
	unsigned int end;

	return find_in_group(slots, group, &end) >= end;
}

static bool group_is_free(const struct secbuf_slots *slots, unsigned int group)
{
	unsigned int first = group * slots->per_group;
	unsigned int end = first + secbuf_slots_group_size(slots, group);

	return find_next_bit(slots->granted, end, first) >= end;
}

static void set_spare(struct secbuf_slot_share *share, unsigned int group)
{
	__set_bit(group, share->spare);
	share->first_spare = min(share->first_spare, group);
}

/**
 * secbuf_slots_find() - the free slot that suits a member best
 * @slots: where
 * @share: the member
 * @id: the slot, which stays free until secbuf_slots_take()
 *
 * First the memory that it pays for, so that pages fill up, then what has no
 * memory yet, then the idle memory of others, and only then a place beside the
 * slots of others. The lowest slot of each kind: what is found has memory, has
 * not, or is in an idle group of another.
 *
 * Return: 0 or -ENOSPC.
 */
int secbuf_slots_find(struct secbuf_slots *slots,
		      struct secbuf_slot_share *share, u64 *id)
{
	unsigned int bit, end;

	share->first_spare = find_next_bit(share->spare, slots->nr_groups,
					   share->first_spare);
	if (share->first_spare < slots->nr_groups) {
		*id = find_in_group(slots, share->first_spare, &end);
		return 0;
	}
	slots->first_bare = find_next_zero_bit(slots->backed, slots->nr_groups,
					       slots->first_bare);
	if (slots->first_bare < slots->nr_groups) {
		*id = slots->first_bare * slots->per_group;
		return 0;
	}
	bit = secbuf_slots_find_idle(slots, NULL, 0);
	if (bit < slots->nr_groups) {
		*id = bit * slots->per_group;
		return 0;
	}
	slots->first_free = find_next_zero_bit(slots->granted, slots->nr,
					       slots->first_free);
	if (slots->first_free >= slots->nr)
		return -ENOSPC;
	*id = slots->first_free;
	return 0;
}

/**
 * secbuf_slots_find_idle() - the next group that has memory for nothing
 * @slots: where
 * @payer: who pays for it; NULL: whoever
 * @from: the first group to look at
 *
 * Return: the group, or @slots->nr_groups if there is none.
 */
unsigned int secbuf_slots_find_idle(const struct secbuf_slots *slots,
				    const struct secbuf_slot_share *payer,
				    unsigned int from)
{
	if (!(payer ? payer->nr_idle : slots->nr_idle))
		return slots->nr_groups;
	if (!payer)
		return find_next_bit(slots->idle, slots->nr_groups, from);
	return find_next_and_bit(slots->idle, payer->spare, slots->nr_groups,
				 from);
}

/**
 * secbuf_slots_check() - may this member return this slot?
 * @slots: where
 * @share: the member
 * @id: a slot, not trusted
 * @holder: who asks
 *
 * Return: 0, -EINVAL (no such slot), -ENOENT (not granted, or to another
 * member), -EBUSY (granted to the other kind of holder).
 */
int secbuf_slots_check(const struct secbuf_slots *slots,
		       const struct secbuf_slot_share *share, u64 id,
		       enum secbuf_slot_holder holder)
{
	bool object = holder == SECBUF_HOLDER_OBJECT;
	unsigned long bit;

	if (id >= slots->nr)
		return -EINVAL;
	bit = array_index_nospec((unsigned long)id, slots->nr);
	if (!test_bit(bit, share->mine))
		return -ENOENT;
	if (test_bit(bit, slots->held) != object)
		return -EBUSY;
	return 0;
}

/**
 * secbuf_slots_take() - mark a free slot granted
 * @slots: where
 * @share: the member that gets it
 * @payer: the member that pays for its memory; NULL: one that is gone
 * @id: from secbuf_slots_find(); has memory
 * @holder: to whom
 */
void secbuf_slots_take(struct secbuf_slots *slots,
		       struct secbuf_slot_share *share,
		       struct secbuf_slot_share *payer, u64 id,
		       enum secbuf_slot_holder holder)
{
	unsigned int group = secbuf_slots_group(slots, id);

	__set_bit(id, slots->granted);
	__set_bit(id, share->mine);
	if (holder == SECBUF_HOLDER_OBJECT)
		__set_bit(id, slots->held);
	slots->in_use++;
	share->in_use++;

	if (__test_and_clear_bit(group, slots->idle)) {
		slots->nr_idle--;
		if (payer)
			payer->nr_idle--;
	}
	if (payer && group_is_full(slots, group))
		__clear_bit(group, payer->spare);
}

/**
 * secbuf_slots_put() - mark a granted slot free
 * @slots: where
 * @share: the member that had it
 * @payer: the member that pays for its memory; NULL: one that is gone
 * @id: passed secbuf_slots_check()
 *
 * The group may be idle afterwards.
 */
void secbuf_slots_put(struct secbuf_slots *slots,
		      struct secbuf_slot_share *share,
		      struct secbuf_slot_share *payer, u64 id)
{
	unsigned int group = secbuf_slots_group(slots, id);

	__clear_bit(id, slots->granted);
	__clear_bit(id, slots->held);
	__clear_bit(id, share->mine);
	slots->in_use--;
	share->in_use--;
	slots->first_free = min_t(unsigned int, slots->first_free, id);

	if (payer)
		set_spare(payer, group);
	if (group_is_free(slots, group)) {
		__set_bit(group, slots->idle);
		slots->nr_idle++;
		if (payer)
			payer->nr_idle++;
	}
}

/**
 * secbuf_slots_hand_over() - a slot that an object held is the program's
 * @slots: where
 * @id: passed secbuf_slots_check()
 */
void secbuf_slots_hand_over(struct secbuf_slots *slots, u64 id)
{
	__clear_bit(id, slots->held);
}

/**
 * secbuf_slots_hold() - a slot that was the program's is an object's
 * @slots: where
 * @id: passed secbuf_slots_check()
 */
void secbuf_slots_hold(struct secbuf_slots *slots, u64 id)
{
	__set_bit(id, slots->held);
}

/**
 * secbuf_slots_back() - a group has memory now, and is idle
 * @slots: where
 * @payer: the member that pays
 * @group: had none
 */
void secbuf_slots_back(struct secbuf_slots *slots,
		       struct secbuf_slot_share *payer, unsigned int group)
{
	__set_bit(group, slots->backed);
	__set_bit(group, slots->idle);
	slots->nr_backed += secbuf_slots_group_size(slots, group);
	slots->nr_idle++;
	payer->nr_backed++;
	payer->nr_idle++;
	set_spare(payer, group);
}

/**
 * secbuf_slots_bare() - an idle group has no memory any more
 * @slots: where
 * @payer: the member that paid; NULL: one that is gone
 * @group: the group
 */
void secbuf_slots_bare(struct secbuf_slots *slots,
		       struct secbuf_slot_share *payer, unsigned int group)
{
	__clear_bit(group, slots->backed);
	__clear_bit(group, slots->idle);
	slots->nr_backed -= secbuf_slots_group_size(slots, group);
	slots->nr_idle--;
	slots->first_bare = min(slots->first_bare, group);
	if (payer) {
		payer->nr_backed--;
		payer->nr_idle--;
		__clear_bit(group, payer->spare);
	}
}

/**
 * secbuf_slots_span() - the pages of a slot
 * @slots: where
 * @id: less than @slots->nr
 *
 * Return: the span.
 */
struct secbuf_slot_span secbuf_slots_span(const struct secbuf_slots *slots,
					  u64 id)
{
	u64 start = id * slots->stride;

	return (struct secbuf_slot_span){
		.first = start >> PAGE_SHIFT,
		.nr = secbuf_slots_group_pages(slots),
		.offset = start & ~PAGE_MASK,
		.len = min_t(size_t, slots->size, PAGE_SIZE),
	};
}
