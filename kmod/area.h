/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_AREA_H
#define SECBUF_AREA_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "slots.h"
#include "words.h"

struct page;
struct secbuf_area;
struct secbuf_payer;

#define SECBUF_AREA_SLOT_SIZE_MIN	64
#define SECBUF_AREA_SLOT_SIZE_MAX	SZ_16M
#define SECBUF_AREA_SLOTS_MAX		SZ_1M

/* The mapping of one area, in bytes: address space, not memory. */
#define SECBUF_AREA_SIZE_MAX	(IS_ENABLED(CONFIG_64BIT) ? 1ULL << 34 : \
							    1ULL << 28)

/* What one call grants or takes back at most. */
#define SECBUF_AREA_BATCH_MAX		1024
#define SECBUF_AREA_BATCH_BYTES_MAX	SZ_32M

/* Members of one area. */
#define SECBUF_AREA_MEMBERS_MAX		1024

/**
 * struct secbuf_area_ops - what the layer above does for an area
 * @unmap: remove pages @first to @first + @nr - 1 from every address space.
 *         Called under map_lock, held for write; may sleep. Also inside of
 *         reclaim
 */
struct secbuf_area_ops {
	void (*unmap)(struct secbuf_area *area, pgoff_t first, pgoff_t nr);
};

/**
 * struct secbuf_area_params - an area to be
 * @slot_size: bytes per slot, a power of two
 * @max_slots: most slots granted at once
 * @guard: behind each slot lies a page without memory, and no memory is kept
 * @ops: of the layer above
 */
struct secbuf_area_params {
	size_t slot_size;
	unsigned int max_slots;
	bool guard;
	const struct secbuf_area_ops *ops;
};

/**
 * struct secbuf_area_run - groups whose memory is about to go
 * @first: the first
 * @nr: how many, side by side
 */
struct secbuf_area_run {
	unsigned int first;
	unsigned int nr;
};

/**
 * struct secbuf_area - slots on pages that programs can map
 * @refs: one of each member
 * @nr_members: of them
 * @slots: which slots are granted and have memory
 * @words: of the slots that are buffers of conns
 * @pages: the pages, by their index in the mapping; page_private() is the payer
 * @payer: who pays for what is here besides pages of slots
 * @control: the page that tells programs of @pressure
 * @wait: for a change of @pressure
 * @pressed_at: when it changed, in jiffies
 * @pressure: counts when memory was short and slots were granted
 * @bytes: bytes of pages of slots held now
 * @bytes_zeroized: bytes zeroized so far
 * @guard: behind each slot lies a page without memory, and no memory is kept
 * @ops: of the layer above
 * @views: belongs to the layer above. Protected by map_lock
 *
 * Lock order: owner->lock, holders_lock, conn->lock, fill_lock, the lock of the
 * list of reclaim.c, io_lock, [mmap_lock,] map_lock, i_mmap_rwsem, the lock of
 * @pages. Under io_lock and map_lock, and in the idle scan, conn->lock is only
 * tried; under the lock of the list, holders_lock.
 * Memory is allocated and charged under fill_lock, which can take minutes, and
 * never under io_lock: the death of a member waits for that one. The fault
 * allocates page tables under map_lock. Reclaim only tries io_lock and map_lock.
 * User memory is never touched under map_lock, which the fault takes under
 * mmap_lock. A file of @views is unmapped under map_lock, so that none is added or
 * removed meanwhile.
 */
struct secbuf_area {
	/**
	 * @fill_lock: held by who gives memory to a group: one that has none
	 * stays so for anybody else
	 */
	struct mutex fill_lock;
	/**
	 * @io_lock: serializes grants and returns; protects everything here,
	 * but for looking up @pages
	 */
	struct mutex io_lock;
	/**
	 * @map_lock: read: look a page up and map it; write: unmap pages and
	 * remove them from @pages. A page found under it stays until it is
	 * dropped
	 */
	struct rw_semaphore map_lock;
	refcount_t refs;
	unsigned int nr_members;
	struct secbuf_slots slots;
	struct secbuf_words words;
	struct xarray pages;
	struct secbuf_payer *payer;
	struct page *control;
	wait_queue_head_t wait;
	unsigned long pressed_at;
	u32 pressure;
	u64 bytes;
	u64 bytes_zeroized;
	bool guard;
	const struct secbuf_area_ops *ops;
	struct list_head views;
};

struct secbuf_area *
secbuf_area_create(const struct secbuf_area_params *params,
		   struct secbuf_payer *payer);
size_t secbuf_area_stride(const struct secbuf_area_params *params);
bool secbuf_area_put(struct secbuf_area *area);
int secbuf_area_join(struct secbuf_area *area);
bool secbuf_area_leave(struct secbuf_area *area);

int secbuf_area_fill(struct secbuf_area *area, struct secbuf_payer *payer,
		     unsigned int group, struct list_head *pages);
void secbuf_area_fill_commit(struct secbuf_area *area,
			     struct secbuf_payer *payer, unsigned int group,
			     struct list_head *pages);
void secbuf_area_fill_end(struct secbuf_area *area, unsigned int group,
			  struct list_head *pages);
bool secbuf_area_ready(struct secbuf_area *area,
		       const struct secbuf_slot_share *share, u64 id);
struct secbuf_slot_share *secbuf_area_payer(struct secbuf_area *area, u64 id);
void secbuf_area_clean(struct secbuf_area *area, u64 id);
void secbuf_area_drop(struct secbuf_area *area, struct secbuf_area_run *run,
		      unsigned int group);
void secbuf_area_drop_locked(struct secbuf_area *area, unsigned int group);
void secbuf_area_drop_end(struct secbuf_area *area,
			  struct secbuf_area_run *run);
unsigned int secbuf_area_shrink(struct secbuf_area *area,
				const struct secbuf_slot_share *payer,
				unsigned int nr);
void secbuf_area_press(struct secbuf_area *area);
size_t secbuf_area_reclaim(struct secbuf_area *area,
			   const struct secbuf_slot_share *payer,
			   size_t bytes);

struct page *secbuf_area_page(struct secbuf_area *area, pgoff_t index);
pgoff_t secbuf_area_nr_pages(const struct secbuf_area *area);

#endif /* SECBUF_AREA_H */
