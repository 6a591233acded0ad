// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: which ones are granted, and on which pages they lie. Small slots share
 * a page, large ones have pages of their own.
 */
#include "slots.h"

#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "account.h"

/**
 * secbuf_slots_footprint() - kernel memory that the bookkeeping takes
 * @nr: number of slots
 *
 * Return: bytes.
 */
size_t secbuf_slots_footprint(unsigned int nr)
{
	return 2 * BITS_TO_LONGS(nr) * sizeof(long);
}

/**
 * secbuf_slots_init() - all slots free
 * @slots: initialized on success
 * @size: bytes per slot, a power of two
 * @nr: number of slots, not 0
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_slots_init(struct secbuf_slots *slots, size_t size, unsigned int nr)
{
	slots->granted = kvzalloc(secbuf_slots_footprint(nr), SECBUF_GFP);
	if (!slots->granted)
		return -ENOMEM;
	slots->held = slots->granted + BITS_TO_LONGS(nr);
	slots->size = size;
	slots->nr = nr;
	slots->in_use = 0;
	slots->first_free = 0;
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
 * secbuf_slots_find() - the lowest free slot, so that pages fill up
 * @slots: where
 * @id: the slot, which stays free until secbuf_slots_take()
 *
 * Return: 0 or -ENOSPC.
 */
int secbuf_slots_find(const struct secbuf_slots *slots, u64 *id)
{
	unsigned long bit;

	bit = find_next_zero_bit(slots->granted, slots->nr, slots->first_free);
	if (bit >= slots->nr)
		return -ENOSPC;
	*id = bit;
	return 0;
}

/**
 * secbuf_slots_check() - may this holder return this slot?
 * @slots: where
 * @id: a slot, not trusted
 * @holder: who asks
 *
 * Return: 0, -EINVAL (no such slot), -ENOENT (not granted), -EBUSY (granted to
 * the other kind of holder).
 */
int secbuf_slots_check(const struct secbuf_slots *slots, u64 id,
		       enum secbuf_slot_holder holder)
{
	bool object = holder == SECBUF_HOLDER_OBJECT;
	unsigned long bit;

	if (id >= slots->nr)
		return -EINVAL;
	bit = array_index_nospec((unsigned long)id, slots->nr);
	if (!test_bit(bit, slots->granted))
		return -ENOENT;
	if (test_bit(bit, slots->held) != object)
		return -EBUSY;
	return 0;
}

/**
 * secbuf_slots_take() - mark a free slot granted
 * @slots: where
 * @id: from secbuf_slots_find()
 * @holder: to whom
 */
void secbuf_slots_take(struct secbuf_slots *slots, u64 id,
		       enum secbuf_slot_holder holder)
{
	__set_bit(id, slots->granted);
	if (holder == SECBUF_HOLDER_OBJECT)
		__set_bit(id, slots->held);
	slots->in_use++;
	slots->first_free = id + 1;
}

/**
 * secbuf_slots_put() - mark a granted slot free
 * @slots: where
 * @id: passed secbuf_slots_check()
 */
void secbuf_slots_put(struct secbuf_slots *slots, u64 id)
{
	__clear_bit(id, slots->granted);
	__clear_bit(id, slots->held);
	slots->in_use--;
	slots->first_free = min_t(unsigned int, slots->first_free, id);
}

/**
 * secbuf_slots_put_all() - mark every slot free
 * @slots: where
 */
void secbuf_slots_put_all(struct secbuf_slots *slots)
{
	bitmap_zero(slots->granted, slots->nr);
	bitmap_zero(slots->held, slots->nr);
	slots->in_use = 0;
	slots->first_free = 0;
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
	u64 start = id * slots->size;

	return (struct secbuf_slot_span){
		.first = start >> PAGE_SHIFT,
		.nr = max_t(pgoff_t, slots->size >> PAGE_SHIFT, 1),
		.offset = start & ~PAGE_MASK,
		.len = min_t(size_t, slots->size, PAGE_SIZE),
	};
}

/**
 * secbuf_slots_span_idle() - is no slot granted on the pages of this one?
 * @slots: where
 * @id: less than @slots->nr
 *
 * Return: true if the pages can go.
 */
bool secbuf_slots_span_idle(const struct secbuf_slots *slots, u64 id)
{
	unsigned long per_page, first, end;

	if (slots->size >= PAGE_SIZE)
		return !test_bit(id, slots->granted);
	per_page = PAGE_SIZE / slots->size;
	first = round_down((unsigned long)id, per_page);
	end = min_t(unsigned long, first + per_page, slots->nr);
	return find_next_bit(slots->granted, end, first) >= end;
}
