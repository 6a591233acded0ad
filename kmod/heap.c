// SPDX-License-Identifier: GPL-2.0
/*
 * Heap: memory of any size for buffers that grow, from one pool for each size
 * class.
 *
 * A block begins with a pointer to its struct secbuf, which the user does not
 * see: nothing has to be looked up to free it.
 */
#include "heap.h"

#include <linux/bug.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "buf.h"
#include "pool.h"

#define SECBUF_HEAP_MAX_DEFAULT	4096

/**
 * struct secbuf_heap_block - what a buffer of the pool holds
 * @sb: the buffer itself
 * @data: the bytes of the user
 */
struct secbuf_heap_block {
	struct secbuf *sb;
	u8 data[] __aligned(16);
};

static_assert(offsetof(struct secbuf_heap_block, data) == SECBUF_HEAP_HEAD);
static_assert(SECBUF_SIZE_MIN << (SECBUF_HEAP_CLASSES - 1) == SECBUF_SIZE_MAX);

static struct secbuf_pool *open_pool(struct secbuf_heap *heap,
				     unsigned int class)
{
	const struct secbuf_pool_params params = {
		.name = heap->name,
		.buf_size = (size_t)SECBUF_SIZE_MIN << class,
		.max = heap->max,
	};
	struct secbuf_pool *pool;

	mutex_lock(&heap->lock);
	pool = heap->pools[class];
	if (!pool) {
		pool = secbuf_pool_create(&params);
		if (!IS_ERR(pool))
			/* Pairs with heap_pool(). */
			smp_store_release(&heap->pools[class], pool);
	}
	mutex_unlock(&heap->lock);
	return pool;
}

static struct secbuf_pool *heap_pool(struct secbuf_heap *heap,
				     unsigned int class)
{
	struct secbuf_pool *pool;

	/* Pairs with open_pool(). */
	pool = smp_load_acquire(&heap->pools[class]);
	return pool ?: open_pool(heap, class);
}

static int heap_alloc(struct secbuf_source *source, size_t size, void **out,
		      size_t *got)
{
	struct secbuf_heap *heap =
		container_of(source, struct secbuf_heap, source);
	struct secbuf_heap_block *block;
	struct secbuf_pool *pool;
	struct secbuf *sb;
	int class, err;

	if (size > SECBUF_HEAP_SIZE_MAX)
		return -EMSGSIZE;
	class = secbuf_buf_class(size + SECBUF_HEAP_HEAD);
	pool = heap_pool(heap, class);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = secbuf_pool_alloc_some(pool, heap->gfp, 1, &sb);
	if (err < 0)
		return err;
	block = secbuf_window(sb, 0, SECBUF_HEAP_HEAD);
	block->sb = sb;
	*out = block->data;
	*got = secbuf_size(sb) - SECBUF_HEAP_HEAD;
	return 0;
}

static void heap_free(struct secbuf_source *source, void *ptr, size_t dirty)
{
	struct secbuf_heap_block *block =
		container_of(ptr, struct secbuf_heap_block, data[0]);
	struct secbuf *sb = block->sb;

	/* Whoever wrote before the beginning of a block has broken this. */
	if (WARN_ON_ONCE(!sb || sb->data != block))
		return;
	secbuf_window(sb, 0, SECBUF_HEAP_HEAD + dirty);
	secbuf_put(sb);
}

static const struct secbuf_source_ops heap_ops = {
	.alloc = heap_alloc,
	.free = heap_free,
};

/**
 * secbuf_heap_source() - where buffers get memory from this heap
 * @heap: the heap
 *
 * Blocks are of up to SECBUF_HEAP_SIZE_MAX bytes. Allocating is -EMSGSIZE for
 * more, -ENOSPC if a pool has its maximum, -EDQUOT or -ENOMEM.
 *
 * Context: any. What allocates through the source, sleeps if the heap may;
 * freeing is for task and softirq context.
 * Return: the source, valid until secbuf_heap_close().
 */
struct secbuf_source *secbuf_heap_source(struct secbuf_heap *heap)
{
	return &heap->source;
}
EXPORT_SYMBOL_GPL(secbuf_heap_source);

/* Who may not sleep cannot open pools later. */
static int open_all(struct secbuf_heap *heap)
{
	struct secbuf_pool *pool;
	int i;

	for (i = 0; i < SECBUF_HEAP_CLASSES; i++) {
		pool = open_pool(heap, i);
		if (IS_ERR(pool))
			return PTR_ERR(pool);
	}
	return 0;
}

/**
 * secbuf_heap_open() - a heap for the calling user
 * @params: what it is to be, or NULL for the defaults; need not outlive the call
 *
 * Its memory is accounted to the memory cgroup and the user of the caller.
 *
 * Context: process, may sleep.
 * Return: the heap, or an error pointer: -EINVAL, -ENOMEM, -EDQUOT.
 */
struct secbuf_heap *secbuf_heap_open(const struct secbuf_heap_params *params)
{
	static const struct secbuf_heap_params defaults = {};
	struct secbuf_heap *heap;
	int err;

	params = params ?: &defaults;
	heap = kzalloc(sizeof(*heap), GFP_KERNEL_ACCOUNT);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	heap->source.ops = &heap_ops;
	heap->gfp = params->gfp ?: GFP_KERNEL;
	heap->max = params->max ?: SECBUF_HEAP_MAX_DEFAULT;
	strscpy(heap->name, params->name ?: "heap", sizeof(heap->name));
	mutex_init(&heap->lock);
	if (!gfpflags_allow_blocking(heap->gfp)) {
		err = open_all(heap);
		if (err) {
			secbuf_heap_close(heap);
			return ERR_PTR(err);
		}
	}
	return heap;
}
EXPORT_SYMBOL_GPL(secbuf_heap_open);

/**
 * secbuf_heap_close() - destroy the heap
 * @heap: the heap, or NULL; all its buffers have been released
 *
 * Context: process, may sleep.
 */
void secbuf_heap_close(struct secbuf_heap *heap)
{
	int i;

	if (!heap)
		return;
	for (i = 0; i < SECBUF_HEAP_CLASSES; i++)
		secbuf_pool_destroy(heap->pools[i]);
	mutex_destroy(&heap->lock);
	kfree(heap);
}
EXPORT_SYMBOL_GPL(secbuf_heap_close);
