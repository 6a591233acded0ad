/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_MEMORY_H
#define SECBUF_RING_MEMORY_H

#include <linux/gfp.h>
#include <linux/spinlock.h>

struct mem_cgroup;
struct page;

/**
 * struct secbuf_ring_memory - pages of the data of a ring
 * @pages: NULL where nothing was touched
 * @memcg: charged; the caller keeps it
 * @size: bytes, a power of two
 * @nr: pages there are
 * @peak: most there ever were
 * @sealed: no page is to come any more
 * @zeroized: bytes zeroized
 *
 * Pages are looked up under a lock of the caller, under which they are also
 * dropped; then they stay.
 */
struct secbuf_ring_memory {
	struct page **pages;
	struct mem_cgroup *memcg;
	size_t size;
	/**
	 * @lock: protects @nr, @peak, @sealed, and storing to @pages where
	 * there is NULL
	 */
	spinlock_t lock;
	unsigned int nr;
	unsigned int peak;
	bool sealed;
	atomic64_t zeroized;
};

int secbuf_ring_memory_init(struct secbuf_ring_memory *memory,
			    struct mem_cgroup *memcg, size_t size);
void secbuf_ring_memory_exit(struct secbuf_ring_memory *memory);
size_t secbuf_ring_memory_footprint(const struct secbuf_ring_memory *memory);
int secbuf_ring_memory_fill(struct secbuf_ring_memory *memory,
			    unsigned long index, gfp_t gfp);
struct page *secbuf_ring_page_touched(struct mem_cgroup *memcg);
int secbuf_ring_memory_touch(struct secbuf_ring_memory *memory,
			     unsigned long index);
int secbuf_ring_memory_fill_all(struct secbuf_ring_memory *memory, gfp_t gfp);
struct page *secbuf_ring_memory_page(const struct secbuf_ring_memory *memory,
				     unsigned long index);
void secbuf_ring_memory_zeroize(struct secbuf_ring_memory *memory, u64 pos,
				u64 len);
size_t secbuf_ring_memory_drop(struct secbuf_ring_memory *memory);
void secbuf_ring_memory_seal(struct secbuf_ring_memory *memory);

#endif /* SECBUF_RING_MEMORY_H */
