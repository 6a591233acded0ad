/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_HEAP_H
#define SECBUF_HEAP_H

#include <linux/mutex.h>

#include <linux/secbuf.h>

/* From SECBUF_SIZE_MIN to SECBUF_SIZE_MAX. */
#define SECBUF_HEAP_CLASSES	11

/**
 * struct secbuf_heap - a source of memory over pools
 * @source: what buffers see
 * @gfp: how to allocate
 * @max: of each pool
 * @name: of each pool
 * @pools: one for each size class, opened when it is needed first, or all with
 *         the heap if @gfp does not allow to sleep
 */
struct secbuf_heap {
	struct secbuf_source source;
	gfp_t gfp;
	unsigned int max;
	char name[32];
	struct secbuf_pool *pools[SECBUF_HEAP_CLASSES];
	/** @lock: serializes the opening */
	struct mutex lock;
};

#endif /* SECBUF_HEAP_H */
