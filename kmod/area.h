/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_AREA_H
#define SECBUF_AREA_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

#include "account.h"
#include "slots.h"

struct page;
struct secbuf_area;

#define SECBUF_AREA_SLOT_SIZE_MIN	64
#define SECBUF_AREA_SLOT_SIZE_MAX	SZ_16M
#define SECBUF_AREA_SLOTS_MAX		SZ_1M

/* The mapping of one area, in bytes: address space, not memory. */
#define SECBUF_AREA_SIZE_MAX	(IS_ENABLED(CONFIG_64BIT) ? 1ULL << 34 : \
							    1ULL << 28)

/* What one call grants or takes back at most. */
#define SECBUF_AREA_BATCH_MAX		1024
#define SECBUF_AREA_BATCH_BYTES_MAX	SZ_32M

/**
 * struct secbuf_area_ops - what the layer above does for an area
 * @unmap: remove pages @first to @first + @nr - 1 from every address space.
 *         Called under map_lock, held for write; may sleep
 */
struct secbuf_area_ops {
	void (*unmap)(struct secbuf_area *area, pgoff_t first, pgoff_t nr);
};

/**
 * struct secbuf_area_params - an area to be
 * @slot_size: bytes per slot, a power of two
 * @max_slots: most slots granted at once
 * @ops: of the layer above
 */
struct secbuf_area_params {
	size_t slot_size;
	unsigned int max_slots;
	const struct secbuf_area_ops *ops;
};

/**
 * struct secbuf_area_stats - counters of an area
 * @max_slots: most slots granted at once
 * @in_use: slots granted now
 * @peak: most slots that were granted at once
 * @acquired: slots granted so far
 * @returned: slots taken back so far
 * @failures: grants refused so far
 * @bytes: bytes of pages held now
 * @bytes_zeroized: bytes zeroized so far
 */
struct secbuf_area_stats {
	unsigned int max_slots;
	unsigned int in_use;
	unsigned int peak;
	u64 acquired;
	u64 returned;
	u64 failures;
	u64 bytes;
	u64 bytes_zeroized;
};

/**
 * struct secbuf_area - slots on pages that programs can map
 * @slots: which slots are granted
 * @pages: a page for every index that a granted slot lies on, and no others
 * @account: who pays
 * @stats: counters, but for @slots' own
 * @ops: of the layer above
 * @dead: the owner died; nothing is granted any more
 *
 * Lock order: owner->lock, conn->lock, io_lock, [mmap_lock,] map_lock,
 * i_mmap_rwsem. User memory may be touched under io_lock, never under map_lock,
 * which the fault takes under mmap_lock.
 */
struct secbuf_area {
	/**
	 * @io_lock: serializes grants and returns; protects everything here,
	 * but for looking up @pages
	 */
	struct mutex io_lock;
	/**
	 * @map_lock: read: look a page up and map it; write: unmap pages,
	 * zeroize and free them. A page found under it stays until it is
	 * dropped
	 */
	struct rw_semaphore map_lock;
	struct secbuf_slots slots;
	struct xarray pages;
	struct secbuf_account account;
	struct secbuf_area_stats stats;
	const struct secbuf_area_ops *ops;
	bool dead;
};

int secbuf_area_init(struct secbuf_area *area,
		     const struct secbuf_area_params *params);
void secbuf_area_exit(struct secbuf_area *area);
void secbuf_area_die(struct secbuf_area *area);
int secbuf_area_grant(struct secbuf_area *area, u64 *ids, unsigned int nr,
		      enum secbuf_slot_holder holder);
int secbuf_area_return(struct secbuf_area *area, const u64 *ids,
		       unsigned int nr, enum secbuf_slot_holder holder);
struct page *secbuf_area_page(struct secbuf_area *area, pgoff_t index);
pgoff_t secbuf_area_nr_pages(const struct secbuf_area *area);
void secbuf_area_get_stats(struct secbuf_area *area,
			   struct secbuf_area_stats *stats);

#endif /* SECBUF_AREA_H */
