// SPDX-License-Identifier: GPL-2.0
/*
 * Area: the memory of a mapped pool, for all its members. A slot has memory
 * when it is granted; what is not granted any more stays until it is wanted
 * elsewhere.
 */
#include "area.h"

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <uapi/linux/secbuf.h>

#include "page.h"
#include "payer.h"
#include "reclaim.h"

/* Pages allocated at once; the pointers are on the stack. */
#define SECBUF_AREA_CHUNK	32

/* Pages dropped at once, so that faults and calls get their turn. */
#define SECBUF_AREA_DROP	1024

/* Runs of groups dropped at once: each is looked for in all mappings. */
#define SECBUF_AREA_RUNS	64

/**
 * secbuf_area_stride() - distance of two slots in the mapping
 * @params: what the area shall be like
 *
 * Return: bytes.
 */
size_t secbuf_area_stride(const struct secbuf_area_params *params)
{
	if (params->guard)
		return PAGE_ALIGN(params->slot_size) + PAGE_SIZE;
	return params->slot_size;
}

static size_t footprint(const struct secbuf_area *area)
{
	return sizeof(*area) + secbuf_slots_footprint(&area->slots) +
	       secbuf_words_footprint(area->slots.nr);
}

static int area_init(struct secbuf_area *area,
		     const struct secbuf_area_params *params,
		     struct secbuf_payer *payer)
{
	int err;

	err = secbuf_slots_init(&area->slots, params->slot_size,
				secbuf_area_stride(params), params->max_slots);
	if (err)
		return err;
	err = secbuf_words_init(&area->words, params->max_slots);
	if (err)
		goto out_slots;
	err = secbuf_account_charge(&payer->account, footprint(area));
	if (err)
		goto out_words;
	err = secbuf_page_alloc(payer, &area->control, 1);
	if (err < 0)
		goto out_uncharge;
	secbuf_page_reveal(area->control);

	mutex_init(&area->fill_lock);
	mutex_init(&area->io_lock);
	init_rwsem(&area->map_lock);
	refcount_set(&area->refs, 1);
	xa_init_flags(&area->pages, XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&area->wait);
	INIT_LIST_HEAD(&area->views);
	area->payer = secbuf_payer_get(payer);
	area->guard = params->guard;
	area->ops = params->ops;
	return 0;

out_uncharge:
	secbuf_account_uncharge(&payer->account, footprint(area));
out_words:
	secbuf_words_exit(&area->words);
out_slots:
	secbuf_slots_exit(&area->slots);
	return err;
}

/**
 * secbuf_area_create() - an area with no slot granted and no member
 * @params: what it is like; checked by the caller
 * @payer: who pays for what it takes before anything is granted
 *
 * Context: process, may sleep.
 * Return: the area, or an error pointer: -ENOMEM, -EDQUOT.
 */
struct secbuf_area *
secbuf_area_create(const struct secbuf_area_params *params,
		   struct secbuf_payer *payer)
{
	struct secbuf_area *area;
	int err;

	area = kzalloc(sizeof(*area), SECBUF_GFP);
	if (!area)
		return ERR_PTR(-ENOMEM);
	err = area_init(area, params, payer);
	if (err) {
		kfree(area);
		return ERR_PTR(err);
	}
	return area;
}

/**
 * secbuf_area_put() - one reference less; with the last the area goes
 * @area: no slot of it is granted and none has memory when that happens
 *
 * Context: process, may sleep.
 * Return: true if it is gone.
 */
bool secbuf_area_put(struct secbuf_area *area)
{
	if (!refcount_dec_and_test(&area->refs))
		return false;
	xa_destroy(&area->pages);
	secbuf_page_free(area->control);
	secbuf_account_uncharge(&area->payer->account, footprint(area));
	secbuf_words_exit(&area->words);
	secbuf_payer_put(area->payer);
	secbuf_slots_exit(&area->slots);
	kfree(area);
	return true;
}

/**
 * secbuf_area_join() - one member more
 * @area: of which there is a reference
 *
 * Context: process, may sleep. Takes io_lock.
 * Return: 0 or -EUSERS.
 */
int secbuf_area_join(struct secbuf_area *area)
{
	int err = -EUSERS;

	mutex_lock(&area->io_lock);
	if (area->nr_members < SECBUF_AREA_MEMBERS_MAX) {
		WRITE_ONCE(area->nr_members, area->nr_members + 1);
		refcount_inc(&area->refs);
		err = 0;
	}
	mutex_unlock(&area->io_lock);
	return err;
}

/**
 * secbuf_area_leave() - undo secbuf_area_join()
 * @area: no member's slot of his is granted any more
 *
 * Context: process, may sleep. Takes io_lock.
 * Return: true if the area is gone.
 */
bool secbuf_area_leave(struct secbuf_area *area)
{
	mutex_lock(&area->io_lock);
	WRITE_ONCE(area->nr_members, area->nr_members - 1);
	mutex_unlock(&area->io_lock);
	return secbuf_area_put(area);
}

static struct secbuf_slot_span group_span(const struct secbuf_area *area,
					  unsigned int group)
{
	return secbuf_slots_span(&area->slots,
				 (u64)group * area->slots.per_group);
}

static struct secbuf_slot_share *group_payer(struct secbuf_area *area,
					     unsigned int group)
{
	struct page *page = xa_load(&area->pages,
				    group_span(area, group).first);

	return secbuf_page_payer(page)->share;
}

/* Unmapped pages leave the area. */
static void detach_pages(struct secbuf_area *area, pgoff_t first, pgoff_t nr,
			 struct list_head *pages)
{
	unsigned long index;
	struct page *page;

	lockdep_assert_held(&area->io_lock);
	lockdep_assert_held_write(&area->map_lock);
	area->ops->unmap(area, first, nr);
	xa_for_each_range(&area->pages, index, page, first, first + nr - 1) {
		xa_erase(&area->pages, index);
		list_add(&page->lru, pages);
	}
}

/* Zero when they leave. Nobody can see them any more. */
static void free_pages_of(struct secbuf_area *area, struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		secbuf_page_free(page);
		area->bytes -= PAGE_SIZE;
		area->bytes_zeroized += PAGE_SIZE;
		cond_resched();
	}
}

static void detach_groups(struct secbuf_area *area, unsigned int first,
			  unsigned int nr, struct list_head *pages)
{
	pgoff_t start = group_span(area, first).first;
	unsigned int group;

	for (group = first; group < first + nr; group++)
		secbuf_slots_bare(&area->slots, group_payer(area, group),
				  group);
	detach_pages(area, start, group_span(area, first + nr).first - start,
		     pages);
}

static void drop_groups(struct secbuf_area *area, unsigned int first,
			unsigned int nr)
{
	LIST_HEAD(pages);

	down_write(&area->map_lock);
	detach_groups(area, first, nr, &pages);
	up_write(&area->map_lock);
	free_pages_of(area, &pages);
}

/* Groups dropped at once. */
static unsigned int drop_max(const struct secbuf_area *area)
{
	return max_t(pgoff_t, 1, SECBUF_AREA_DROP /
				 secbuf_slots_group_pages(&area->slots));
}

/**
 * secbuf_area_drop() - an idle group loses its memory, by the end of the run
 * @area: the area
 * @run: of groups that lie side by side; initialized with zeros
 * @group: the group
 *
 * Context: process, may sleep, under io_lock. Takes map_lock.
 */
void secbuf_area_drop(struct secbuf_area *area, struct secbuf_area_run *run,
		      unsigned int group)
{
	if (run->nr && (group != run->first + run->nr ||
			run->nr >= drop_max(area)))
		secbuf_area_drop_end(area, run);
	if (!run->nr)
		run->first = group;
	run->nr++;
}

/**
 * secbuf_area_drop_end() - those of a run that still have memory lose it
 * @area: the area
 * @run: the run
 *
 * Context: process, may sleep, under io_lock. Takes map_lock.
 */
void secbuf_area_drop_end(struct secbuf_area *area,
			  struct secbuf_area_run *run)
{
	if (run->nr)
		drop_groups(area, run->first, run->nr);
	run->nr = 0;
}

/**
 * secbuf_area_drop_locked() - an idle group loses its memory at once
 * @area: the area
 * @group: the group
 *
 * Context: under io_lock and map_lock, held for write; also inside of reclaim.
 */
void secbuf_area_drop_locked(struct secbuf_area *area, unsigned int group)
{
	LIST_HEAD(pages);

	detach_groups(area, group, 1, &pages);
	free_pages_of(area, &pages);
}

/* At most @max idle groups that lie side by side. */
static struct secbuf_area_run
find_idle_run(const struct secbuf_area *area,
	      const struct secbuf_slot_share *payer, unsigned int max)
{
	const struct secbuf_slots *slots = &area->slots;
	struct secbuf_area_run run = { };

	run.first = secbuf_slots_find_idle(slots, payer, 0);
	max = min3(max, drop_max(area), slots->nr_groups - run.first);
	while (run.nr < max &&
	       secbuf_slots_find_idle(slots, payer, run.first + run.nr) ==
	       run.first + run.nr)
		run.nr++;
	return run;
}

/**
 * secbuf_area_shrink() - free memory of slots that are not granted
 * @area: the area
 * @payer: of those that this one pays for; NULL: of all
 * @nr: slots; of the last group all
 *
 * At most a batch, so that io_lock can be let go in between.
 *
 * Context: process, may sleep, under io_lock. Takes map_lock.
 * Return: slots whose memory was freed; 0 if none is idle.
 */
unsigned int secbuf_area_shrink(struct secbuf_area *area,
				const struct secbuf_slot_share *payer,
				unsigned int nr)
{
	const struct secbuf_slots *slots = &area->slots;
	unsigned int before = slots->nr_backed;
	unsigned int max, done = 0, pages = 0, runs = 0;
	struct secbuf_area_run run;

	while (done < nr && runs++ < SECBUF_AREA_RUNS &&
	       pages < SECBUF_AREA_DROP) {
		/* Rounded up, without an overflow. */
		max = (nr - done - 1) / slots->per_group + 1;
		run = find_idle_run(area, payer, max);
		if (!run.nr)
			break;
		drop_groups(area, run.first, run.nr);
		pages += run.nr * secbuf_slots_group_pages(slots);
		done = before - slots->nr_backed;
		cond_resched();
	}
	return done;
}

/**
 * secbuf_area_press() - memory is short: tell the programs
 * @area: the area
 *
 * Not all the time, they could not get any work done.
 *
 * Context: under io_lock; also inside of reclaim.
 */
void secbuf_area_press(struct secbuf_area *area)
{
	struct secbuf_pool_control *control = page_address(area->control);

	if (!area->slots.in_use)
		return;
	if (area->pressure && time_before(jiffies, area->pressed_at + HZ / 10))
		return;
	area->pressed_at = jiffies;
	WRITE_ONCE(area->pressure, area->pressure + 1);
	WRITE_ONCE(control->pressure, area->pressure);
	/*
	 * Without saying for what: io_uring and AIO report that unseen, and the
	 * members share the queue. All, for those who want to be told alone may
	 * be of different members.
	 */
	wake_up_interruptible_all(&area->wait);
}

/**
 * secbuf_area_reclaim() - memory is short: free what is idle
 * @area: the area
 * @payer: of that which this one pays for
 * @bytes: wanted
 *
 * Context: under io_lock, which was only tried, inside of an allocation of
 * anybody, who may hold locks of this module: waits for none of them.
 * Return: bytes freed.
 */
size_t secbuf_area_reclaim(struct secbuf_area *area,
			   const struct secbuf_slot_share *payer, size_t bytes)
{
	size_t group_bytes = secbuf_slots_group_pages(&area->slots) * PAGE_SIZE;
	struct secbuf_area_run run;
	u64 before = area->bytes;
	LIST_HEAD(pages);

	while (before - area->bytes < bytes &&
	       down_write_trylock(&area->map_lock)) {
		run = find_idle_run(area, payer,
				    DIV_ROUND_UP(bytes, group_bytes));
		if (run.nr)
			detach_groups(area, run.first, run.nr, &pages);
		up_write(&area->map_lock);
		if (!run.nr)
			break;
		free_pages_of(area, &pages);
	}
	return before - area->bytes;
}

/*
 * Before a limit is reported, what is kept for nothing and counts against the
 * same limit goes. Nothing else would help, and it belongs to others.
 */
static bool make_room(struct secbuf_payer *payer, int err, pgoff_t nr)
{
	enum secbuf_reclaim_whose whose = SECBUF_RECLAIM_MEMCG;
	size_t bytes = nr << PAGE_SHIFT;

	if (err == -EDQUOT)
		whose = SECBUF_RECLAIM_USER;
	else if (secbuf_account_is_full())
		whose = SECBUF_RECLAIM_ALL;
	return secbuf_reclaim_others(&payer->account, whose, bytes);
}

/* Some of @nr pages join a list. Returns how many, or an error if none. */
static int alloc_some(struct secbuf_payer *payer, pgoff_t nr,
		      struct list_head *list)
{
	unsigned int chunk = min_t(pgoff_t, nr, SECBUF_AREA_CHUNK);
	struct page *pages[SECBUF_AREA_CHUNK];
	int i, got;

	if (fatal_signal_pending(current))
		return -EINTR;
	got = secbuf_page_alloc(payer, pages, chunk);
	if (got < 0 && make_room(payer, got, nr))
		got = secbuf_page_alloc(payer, pages, chunk);
	for (i = 0; i < got; i++)
		list_add_tail(&pages[i]->lru, list);
	return got;
}

/**
 * secbuf_area_fill() - zero memory for a group, which does not have it yet
 * @area: the area
 * @payer: who pays
 * @group: has none
 * @pages: an empty list, where it goes; to be committed or ended
 *
 * Without io_lock, as it can take minutes: a memory cgroup may have the caller
 * wait for each page, and it may have to be reclaimed from others.
 *
 * Context: process, may sleep, under fill_lock. Takes locks of any area.
 * Return: 0, -ENOMEM, -EDQUOT, -EINTR.
 */
int secbuf_area_fill(struct secbuf_area *area, struct secbuf_payer *payer,
		     unsigned int group, struct list_head *pages)
{
	struct secbuf_slot_span span = group_span(area, group);
	pgoff_t done, i;
	int ret = 0;

	lockdep_assert_held(&area->fill_lock);
	for (done = 0; done < span.nr; done += ret) {
		ret = alloc_some(payer, span.nr - done, pages);
		if (ret < 0)
			break;
		cond_resched();
	}
	/* What is reserved can be stored without memory, and is not seen. */
	for (i = 0; i < span.nr && ret >= 0; i++)
		ret = xa_reserve(&area->pages, span.first + i, SECBUF_GFP);
	if (ret >= 0)
		return 0;
	secbuf_area_fill_end(area, group, pages);
	return ret;
}

/**
 * secbuf_area_fill_commit() - the memory is the group's
 * @area: the area
 * @payer: who pays; its member is alive
 * @group: the group, which is idle after this
 * @pages: filled by secbuf_area_fill(); empty after this
 *
 * Context: process, may sleep, under fill_lock and io_lock.
 */
void secbuf_area_fill_commit(struct secbuf_area *area,
			     struct secbuf_payer *payer, unsigned int group,
			     struct list_head *pages)
{
	pgoff_t index = group_span(area, group).first;
	struct page *page, *next;

	lockdep_assert_held(&area->io_lock);
	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		xa_store(&area->pages, index++, page, 0);
		area->bytes += PAGE_SIZE;
	}
	secbuf_slots_back(&area->slots, payer->share, group);
}

/**
 * secbuf_area_fill_end() - free what was not committed
 * @area: the area
 * @group: the group
 * @pages: from secbuf_area_fill()
 *
 * Context: process, may sleep, under fill_lock.
 */
void secbuf_area_fill_end(struct secbuf_area *area, unsigned int group,
			  struct list_head *pages)
{
	struct secbuf_slot_span span = group_span(area, group);
	struct page *page, *next;
	pgoff_t i;

	lockdep_assert_held(&area->fill_lock);
	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		secbuf_page_free(page);
		cond_resched();
	}
	for (i = 0; i < span.nr; i++)
		xa_release(&area->pages, span.first + i);
}

/**
 * secbuf_area_ready() - does a slot have memory? Then it is zero
 * @area: the area
 * @share: of the member that would like to have it
 * @id: from secbuf_slots_find()
 *
 * What is idle and was paid for by another is not taken over: its pages would
 * stay charged to his memory cgroup.
 *
 * Context: process, may sleep, under io_lock. Takes map_lock.
 * Return: true if it has; false if it has none, or none any more.
 */
bool secbuf_area_ready(struct secbuf_area *area,
		       const struct secbuf_slot_share *share, u64 id)
{
	unsigned int group = secbuf_slots_group(&area->slots, id);

	if (test_bit(group, area->slots.idle) &&
	    group_payer(area, group) != share)
		drop_groups(area, group, 1);
	if (!test_bit(group, area->slots.backed))
		return false;
	/* Whoever has it mapped may have written to it since it was freed. */
	secbuf_area_clean(area, id);
	return true;
}

/**
 * secbuf_area_payer() - the share of who pays for the memory of a slot
 * @area: the area
 * @id: a slot that has memory
 *
 * Context: under io_lock.
 * Return: the share, or NULL if that member is gone.
 */
struct secbuf_slot_share *secbuf_area_payer(struct secbuf_area *area, u64 id)
{
	return group_payer(area, secbuf_slots_group(&area->slots, id));
}

/**
 * secbuf_area_clean() - zeroize a slot
 * @area: the area
 * @id: a slot that has memory
 *
 * Context: process, may sleep, under io_lock.
 */
void secbuf_area_clean(struct secbuf_area *area, u64 id)
{
	struct secbuf_slot_span span = secbuf_slots_span(&area->slots, id);
	pgoff_t i;

	for (i = 0; i < span.nr; i++) {
		secbuf_page_zeroize(xa_load(&area->pages, span.first + i),
				    span.offset, span.len);
		area->bytes_zeroized += span.len;
		if (i % SECBUF_AREA_CHUNK == SECBUF_AREA_CHUNK - 1)
			cond_resched();
	}
}

/**
 * secbuf_area_page() - the page at an index of the mapping
 * @area: the area
 * @index: page index, not trusted
 *
 * Context: map_lock is held for read; the page is valid until it is dropped.
 * Return: the page, or NULL if there is none.
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
	return PAGE_ALIGN((u64)area->slots.stride * area->slots.nr) >>
	       PAGE_SHIFT;
}
