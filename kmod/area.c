// SPDX-License-Identifier: GPL-2.0
/*
 * Area: the memory of a mapped pool. Slots are granted and taken back; a page
 * exists while a granted slot lies on it.
 */
#include "area.h"

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "page.h"

/* The struct, and the open file and inode that an area has besides; bytes. */
#define SECBUF_AREA_FOOTPRINT	2048

/* Pages allocated at once; the pointers are on the stack. */
#define SECBUF_AREA_CHUNK	32

static size_t footprint(const struct secbuf_area *area)
{
	return SECBUF_AREA_FOOTPRINT + secbuf_slots_footprint(area->slots.nr);
}

/**
 * secbuf_area_init() - an area with no slot granted
 * @area: initialized on success
 * @params: what it is like; checked by the caller
 *
 * Charged to the calling task's user and memory cgroup.
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, -EDQUOT.
 */
int secbuf_area_init(struct secbuf_area *area,
		     const struct secbuf_area_params *params)
{
	int err;

	err = secbuf_account_init(&area->account);
	if (err)
		return err;
	err = secbuf_slots_init(&area->slots, params->slot_size,
				params->max_slots);
	if (err)
		goto out_account;
	err = secbuf_account_charge(&area->account, footprint(area));
	if (err)
		goto out_slots;

	mutex_init(&area->io_lock);
	init_rwsem(&area->map_lock);
	xa_init_flags(&area->pages, XA_FLAGS_ACCOUNT);
	area->stats = (struct secbuf_area_stats){
		.max_slots = params->max_slots,
	};
	area->ops = params->ops;
	area->dead = false;
	return 0;

out_slots:
	secbuf_slots_exit(&area->slots);
out_account:
	secbuf_account_exit(&area->account);
	return err;
}

/* The one way by which pages leave an area: unmapped first, zero at the end. */
static void drop_pages(struct secbuf_area *area, pgoff_t first, pgoff_t nr)
{
	unsigned long index;
	struct page *page;

	lockdep_assert_held(&area->io_lock);
	down_write(&area->map_lock);
	area->ops->unmap(area, first, nr);
	xa_for_each_range(&area->pages, index, page, first, first + nr - 1) {
		xa_erase(&area->pages, index);
		secbuf_page_free(&area->account, page);
		area->stats.bytes -= PAGE_SIZE;
		area->stats.bytes_zeroized += PAGE_SIZE;
		cond_resched();
	}
	up_write(&area->map_lock);
}

static void drop_everything(struct secbuf_area *area)
{
	if (!xa_empty(&area->pages))
		drop_pages(area, 0, secbuf_area_nr_pages(area));
	area->stats.returned += area->slots.in_use;
	secbuf_slots_put_all(&area->slots);
}

/**
 * secbuf_area_die() - the owner is gone: zeroize and free, refuse what comes
 * @area: the area
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 */
void secbuf_area_die(struct secbuf_area *area)
{
	mutex_lock(&area->io_lock);
	area->dead = true;
	drop_everything(area);
	mutex_unlock(&area->io_lock);
}

/**
 * secbuf_area_exit() - end of an area that nobody can reach any more
 * @area: the area
 *
 * Context: process, may sleep.
 */
void secbuf_area_exit(struct secbuf_area *area)
{
	secbuf_area_die(area);
	xa_destroy(&area->pages);
	secbuf_account_uncharge(&area->account, footprint(area));
	secbuf_slots_exit(&area->slots);
	secbuf_account_exit(&area->account);
}

/*
 * Some of @nr pages from @first on. Returns how many there are, or an error if
 * some could not be stored; those that could are there all the same.
 */
static int fill_pages(struct secbuf_area *area, pgoff_t first, pgoff_t nr)
{
	struct page *pages[SECBUF_AREA_CHUNK];
	int i, got, err = 0;

	got = secbuf_page_alloc(&area->account, pages,
				min_t(pgoff_t, nr, SECBUF_AREA_CHUNK));
	for (i = 0; i < got; i++) {
		if (!err)
			err = xa_err(xa_store(&area->pages, first + i,
					      pages[i], SECBUF_GFP));
		if (err)
			secbuf_page_free(&area->account, pages[i]);
		else
			area->stats.bytes += PAGE_SIZE;
	}
	return err ?: got;
}

static void zeroize_span(struct secbuf_area *area,
			 const struct secbuf_slot_span *span)
{
	struct page *page = xa_load(&area->pages, span->first);

	secbuf_page_zeroize(page, span->offset, span->len);
	area->stats.bytes_zeroized += span->len;
}

/* Pages for a slot, or zeros on the page that it shares with others. */
static int back_slot(struct secbuf_area *area, u64 id)
{
	struct secbuf_slot_span span = secbuf_slots_span(&area->slots, id);
	pgoff_t done;
	int ret;

	if (!secbuf_slots_span_idle(&area->slots, id)) {
		zeroize_span(area, &span);
		return 0;
	}
	for (done = 0; done < span.nr; done += ret) {
		ret = fatal_signal_pending(current) ? -EINTR :
		      fill_pages(area, span.first + done, span.nr - done);
		if (ret < 0) {
			drop_pages(area, span.first, span.nr);
			return ret;
		}
		cond_resched();
	}
	return 0;
}

static int grant_slot(struct secbuf_area *area, u64 *id,
		      enum secbuf_slot_holder holder)
{
	int err;

	err = secbuf_slots_find(&area->slots, id);
	if (err)
		return err;
	err = back_slot(area, *id);
	if (err)
		return err;
	secbuf_slots_take(&area->slots, *id, holder);
	area->stats.acquired++;
	area->stats.peak = max(area->stats.peak, area->slots.in_use);
	return 0;
}

static int return_slot(struct secbuf_area *area, u64 id,
		       enum secbuf_slot_holder holder)
{
	struct secbuf_slot_span span;
	int err;

	err = secbuf_slots_check(&area->slots, id, holder);
	if (err)
		return err;
	secbuf_slots_put(&area->slots, id);
	area->stats.returned++;

	span = secbuf_slots_span(&area->slots, id);
	if (secbuf_slots_span_idle(&area->slots, id))
		drop_pages(area, span.first, span.nr);
	else
		zeroize_span(area, &span);
	return 0;
}

static bool batch_is_full(const struct secbuf_area *area, unsigned int done)
{
	return done && done >= SECBUF_AREA_BATCH_BYTES_MAX / area->slots.size;
}

/**
 * secbuf_area_grant() - grant zero slots
 * @area: the area
 * @ids: where the ids go
 * @nr: slots wanted
 * @holder: to whom
 *
 * Stops at a limit, at SECBUF_AREA_BATCH_BYTES_MAX and at a fatal signal.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: slots granted, or if none -ENOSPC, -ENOMEM, -EDQUOT, -EINTR,
 * -ESHUTDOWN.
 */
int secbuf_area_grant(struct secbuf_area *area, u64 *ids, unsigned int nr,
		      enum secbuf_slot_holder holder)
{
	unsigned int done = 0;
	int err = 0;

	mutex_lock(&area->io_lock);
	if (area->dead)
		err = -ESHUTDOWN;
	while (!err && done < nr && !batch_is_full(area, done)) {
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = grant_slot(area, &ids[done], holder);
		if (err)
			area->stats.failures++;
		else
			done++;
		cond_resched();
	}
	mutex_unlock(&area->io_lock);
	return done ?: err;
}

/**
 * secbuf_area_return() - zeroize slots and take them back
 * @area: the area
 * @ids: the slots, not trusted
 * @nr: number of @ids
 * @holder: who returns them
 *
 * Stops at the first that @holder may not return, and at
 * SECBUF_AREA_BATCH_BYTES_MAX.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: slots taken back, or if none -EINVAL, -ENOENT, -EBUSY, -ESHUTDOWN.
 */
int secbuf_area_return(struct secbuf_area *area, const u64 *ids,
		       unsigned int nr, enum secbuf_slot_holder holder)
{
	unsigned int done = 0;
	int err = 0;

	mutex_lock(&area->io_lock);
	if (area->dead)
		err = -ESHUTDOWN;
	while (!err && done < nr && !batch_is_full(area, done)) {
		err = return_slot(area, ids[done], holder);
		if (!err)
			done++;
		cond_resched();
	}
	mutex_unlock(&area->io_lock);
	return done ?: err;
}

/**
 * secbuf_area_page() - the page at an index of the mapping
 * @area: the area
 * @index: page index, not trusted
 *
 * Context: map_lock is held for read; the page is valid until it is dropped.
 * Return: the page, or NULL if no granted slot lies there.
 */
struct page *secbuf_area_page(struct secbuf_area *area, pgoff_t index)
{
	lockdep_assert_held(&area->map_lock);
	return xa_load(&area->pages, index);
}

/**
 * secbuf_area_nr_pages() - length of the mapping in pages
 * @area: the area
 */
pgoff_t secbuf_area_nr_pages(const struct secbuf_area *area)
{
	return PAGE_ALIGN((u64)area->slots.size * area->slots.nr) >> PAGE_SHIFT;
}

/**
 * secbuf_area_get_stats() - counters that fit together
 * @area: the area
 * @stats: filled
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_area_get_stats(struct secbuf_area *area,
			   struct secbuf_area_stats *stats)
{
	mutex_lock(&area->io_lock);
	*stats = area->stats;
	stats->in_use = area->slots.in_use;
	mutex_unlock(&area->io_lock);
}
