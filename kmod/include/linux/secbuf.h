/* SPDX-License-Identifier: GPL-2.0 */
/*
 * secbuf for other kernel modules: pools of buffers that are zero when they are
 * handed out and zeroized when they are released.
 *
 * Buffers come from slab caches by size class, behind per-CPU magazines. They
 * never leave the kernel by themselves; they are not mapped anywhere.
 */
#ifndef _LINUX_SECBUF_H
#define _LINUX_SECBUF_H

#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/secbuf_buffer.h>
#include <linux/secbuf_cursor.h>

struct secbuf;
struct secbuf_pool;

#define SECBUF_SIZE_MIN		64
#define SECBUF_SIZE_MAX		65536

/**
 * struct secbuf_pool_params - a pool to be
 * @name: for statistics; copied. NULL means "pool"
 * @buf_size: bytes per buffer, 1 to SECBUF_SIZE_MAX; memory comes from the next
 *            larger size class, bytes past @buf_size are refused. 0 means 8192
 * @min: buffers that are there from the start and stay through reclaim; at most
 *       @max
 * @max: most buffers that exist at once, in use or parked. 0 means 100
 *
 * At most half of @max, but always @min, are kept parked.
 */
struct secbuf_pool_params {
	const char *name;
	size_t buf_size;
	unsigned int min;
	unsigned int max;
};

/* Presets, as initializers of struct secbuf_pool_params. */
#define SECBUF_POOL_DEFAULT	{ .buf_size = 8192, .min = 10, .max = 100 }
#define SECBUF_POOL_SMALL	{ .buf_size = 1024, .min = 5, .max = 20 }
#define SECBUF_POOL_LARGE	{ .buf_size = 65536, .min = 50, .max = 1000 }
#define SECBUF_POOL_NETWORK	{ .buf_size = 1500, .min = 20, .max = 500 }

/**
 * struct secbuf_pool_stats - counters of a pool
 * @max: most buffers that exist at once
 * @allocated: buffers that exist, in use or parked
 * @available: buffers parked
 * @in_use: buffers handed out
 * @peak: most buffers handed out at once; never less than the truth, and more
 *        by no more than what the magazines of the CPUs hold
 * @acquired: buffers handed out so far
 * @returned: buffers that came back so far, detached ones included;
 *            @acquired - @returned is @in_use
 * @magazine_hits: of @acquired, from a magazine of the CPU
 * @depot_hits: of @acquired, through the depot
 * @misses: of @acquired, fresh from the slab
 * @failures: allocations refused
 * @detached: buffers that left the pool's count by secbuf_detach()
 * @bytes_zeroized: bytes zeroized when buffers came back
 */
struct secbuf_pool_stats {
	unsigned int max;
	unsigned int allocated;
	unsigned int available;
	unsigned int in_use;
	unsigned int peak;
	u64 acquired;
	u64 returned;
	u64 magazine_hits;
	u64 depot_hits;
	u64 misses;
	u64 failures;
	u64 detached;
	u64 bytes_zeroized;
};

struct secbuf_pool *secbuf_pool_create(const struct secbuf_pool_params *params);
void secbuf_pool_destroy(struct secbuf_pool *pool);
struct secbuf *secbuf_pool_alloc(struct secbuf_pool *pool, gfp_t gfp);
struct secbuf *secbuf_pool_alloc_wait(struct secbuf_pool *pool);
unsigned int secbuf_pool_alloc_bulk(struct secbuf_pool *pool, gfp_t gfp,
				    unsigned int nr, struct secbuf **bufs);
int secbuf_pool_prefill(struct secbuf_pool *pool, unsigned int nr);
unsigned int secbuf_pool_shrink(struct secbuf_pool *pool, unsigned int nr);
void secbuf_pool_get_stats(struct secbuf_pool *pool,
			   struct secbuf_pool_stats *stats);

struct secbuf *secbuf_get(struct secbuf *sb);
void secbuf_put(struct secbuf *sb);
void secbuf_put_bulk(struct secbuf **bufs, unsigned int nr);
void secbuf_detach(struct secbuf *sb);

size_t secbuf_size(const struct secbuf *sb);
void *secbuf_data(struct secbuf *sb);
void *secbuf_window(struct secbuf *sb, size_t offset, size_t len);
int secbuf_read(struct secbuf *sb, size_t offset, void *dst, size_t len);
int secbuf_write(struct secbuf *sb, size_t offset, const void *src, size_t len);
void secbuf_zeroize(struct secbuf *sb);

/*
 * Memory for struct secbuf_buffer, see <linux/secbuf_buffer.h>.
 */
struct secbuf_heap;

/* Bytes at the beginning of each block that its user does not see. */
#define SECBUF_HEAP_HEAD	16
#define SECBUF_HEAP_SIZE_MAX	(SECBUF_SIZE_MAX - SECBUF_HEAP_HEAD)

/**
 * struct secbuf_heap_params - a heap to be
 * @name: of its pools, for statistics; copied. NULL means "heap"
 * @gfp: how to allocate: GFP_KERNEL, GFP_ATOMIC... 0 means GFP_KERNEL
 * @max: most blocks of each size class that exist at once. 0 means 4096
 */
struct secbuf_heap_params {
	const char *name;
	gfp_t gfp;
	unsigned int max;
};

struct secbuf_heap *secbuf_heap_open(const struct secbuf_heap_params *params);
void secbuf_heap_close(struct secbuf_heap *heap);
struct secbuf_source *secbuf_heap_source(struct secbuf_heap *heap);

#endif /* _LINUX_SECBUF_H */
