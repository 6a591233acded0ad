/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Heap: memory of any size up to 16 MiB, from pools that are opened when they
 * are first needed, one for each power of two from 64 bytes on.
 *
 * secbuf_heap_alloc(), _free() and _realloc() may be called in signal handlers
 * after memory of that class has been allocated once; before that it is -EBUSY
 * if the handler interrupted the opening of a pool.
 */
#ifndef SECBUF_HEAP_H
#define SECBUF_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include <linux/secbuf.h>
#include <secbuf/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;
struct secbuf_heap;

/* Most bytes of one allocation, and highest alignment. */
#define SECBUF_HEAP_SIZE_MAX	((size_t)1 << 24)

/* See SECBUF_POOL_GUARD. Sizes are rounded up before the page that faults. */
#define SECBUF_HEAP_GUARD	SECBUF_POOL_F_GUARD

/**
 * struct secbuf_heap_opts - options of secbuf_heap_open()
 * @sz: sizeof(struct secbuf_heap_opts)
 * @max: most bytes that each power of two can have out at once; 0 means 64 MiB.
 *       At least 16 MiB; no class has more than 2^20 allocations. When a class
 *       is full, the next larger one takes over
 * @flags: SECBUF_HEAP_GUARD
 * @reserved: must be 0
 * @require_protections: SECBUF_PROT_* without which the open fails
 */
struct secbuf_heap_opts {
	size_t sz;
	size_t max;
	uint32_t flags;
	uint32_t reserved;
	uint64_t require_protections;
};

/**
 * secbuf_heap_open() - reserve address space
 * @out: the heap
 * @ctx: the context; it may be closed afterwards
 * @opts: options, or NULL
 *
 * Return: 0; -EINVAL, -E2BIG (@opts), -EOPNOTSUPP (something required does not
 * hold here, or a flag is not known), -ENOMEM, -EMFILE, -EAGAIN (as of
 * secbuf_pool_open()).
 */
int secbuf_heap_open(struct secbuf_heap **out, struct secbuf_context *ctx,
		     const struct secbuf_heap_opts *opts);

/**
 * secbuf_heap_close() - zeroize and release everything
 * @heap: the heap, or NULL
 */
void secbuf_heap_close(struct secbuf_heap *heap);

/**
 * secbuf_heap_alloc() - allocate
 * @heap: the heap
 * @size: bytes
 * @out: that many zero bytes, aligned to the power of two that they were rounded
 *       up to. NULL on failure
 *
 * Return: 0; -EINVAL (@size is 0), -EMSGSIZE (it exceeds SECBUF_HEAP_SIZE_MAX),
 * -ENOSPC (the heap's limit), -ENOMEM, -EDQUOT, and what opening a pool can
 * return.
 */
int secbuf_heap_alloc(struct secbuf_heap *heap, size_t size, void **out);

/**
 * secbuf_heap_aligned_alloc() - allocate at a multiple of something
 * @heap: the heap
 * @alignment: a power of two, at most SECBUF_HEAP_SIZE_MAX
 * @size: bytes
 * @out: the memory, zero. NULL on failure
 *
 * Return: as of secbuf_heap_alloc(); -EINVAL (@alignment is not what it must be).
 */
int secbuf_heap_aligned_alloc(struct secbuf_heap *heap, size_t alignment,
			      size_t size, void **out);

/**
 * secbuf_heap_realloc() - change the size
 * @heap: the heap
 * @ptr: memory of this heap, or a pointer that is NULL; replaced on success
 * @size: bytes
 *
 * The memory stays where it is if @size fits and uses more than half of it.
 * Otherwise it moves, and the old place is zeroized. What is added is zero.
 * Alignment beyond what secbuf_heap_alloc() gives is lost when it moves.
 *
 * Return: 0; -EINVAL (@size is 0, or *@ptr is not of this heap), -ENOENT (*@ptr
 * is not out), or as of secbuf_heap_alloc(); then *@ptr is as it was. -EUCLEAN
 * (as of secbuf_pool_free()): it has moved all the same.
 */
int secbuf_heap_realloc(struct secbuf_heap *heap, void **ptr, size_t size);

/**
 * secbuf_heap_free() - zeroize and give back
 * @heap: the heap
 * @ptr: memory of this heap, or NULL
 *
 * Return: as of secbuf_pool_free().
 */
int secbuf_heap_free(struct secbuf_heap *heap, void *ptr);

/**
 * secbuf_heap_usable_size() - how many bytes there really are
 * @heap: the heap
 * @ptr: memory of this heap
 *
 * Return: bytes that can be used; 0 if @ptr is not the beginning of memory that
 * is out.
 */
size_t secbuf_heap_usable_size(struct secbuf_heap *heap, const void *ptr);

/**
 * secbuf_heap_flush() - give back to the kernel what threads keep at hand
 * @heap: the heap
 *
 * Return: as of secbuf_pool_flush().
 */
int secbuf_heap_flush(struct secbuf_heap *heap);

/**
 * secbuf_heap_get_stats() - counters of all its pools, added up
 * @heap: the heap
 * @out: filled on success
 *
 * Return: as of secbuf_pool_get_stats().
 */
int secbuf_heap_get_stats(struct secbuf_heap *heap,
			  struct secbuf_pool_stats_args *out);

/**
 * secbuf_heap_source() - the heap as a source of memory
 * @heap: the heap
 *
 * Return: the source, valid as long as the heap; NULL if @heap is NULL.
 */
struct secbuf_source *secbuf_heap_source(struct secbuf_heap *heap);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_HEAP_H */
