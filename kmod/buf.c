// SPDX-License-Identifier: GPL-2.0
/*
 * Buffer: an object of a slab cache by size class, and what is known of it.
 */
#include "buf.h"

#include <linux/export.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#define SECBUF_CLASS_SHIFT	6	/* SECBUF_SIZE_MIN */
#define SECBUF_CLASSES		11	/* up to SECBUF_SIZE_MAX */

static_assert(1 << SECBUF_CLASS_SHIFT == SECBUF_SIZE_MIN);
static_assert(SECBUF_SIZE_MIN << (SECBUF_CLASSES - 1) == SECBUF_SIZE_MAX);

static struct kmem_cache *heads;
static struct kmem_cache *classes[SECBUF_CLASSES];
static const char *const class_names[SECBUF_CLASSES] = {
	"secbuf-64", "secbuf-128", "secbuf-256", "secbuf-512", "secbuf-1k",
	"secbuf-2k", "secbuf-4k", "secbuf-8k", "secbuf-16k", "secbuf-32k",
	"secbuf-64k",
};

static atomic_long_t all_bytes;

static size_t class_size(unsigned int class)
{
	return (size_t)SECBUF_SIZE_MIN << class;
}

/**
 * secbuf_buf_init() - create the caches
 *
 * The usercopy region allows to copy to user space, and keeps the cache from
 * being merged with others, whose objects would then lie beside secrets.
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int secbuf_buf_init(void)
{
	size_t size;
	int i;

	heads = kmem_cache_create("secbuf-head", sizeof(struct secbuf), 0,
				  SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	if (!heads)
		return -ENOMEM;
	for (i = 0; i < SECBUF_CLASSES; i++) {
		size = class_size(i);
		classes[i] = kmem_cache_create_usercopy(class_names[i], size,
							min(size, PAGE_SIZE),
							SLAB_ACCOUNT, 0, size,
							NULL);
		if (!classes[i]) {
			secbuf_buf_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * secbuf_buf_exit() - destroy the caches
 *
 * Context: module exit; no buffer is left.
 */
void secbuf_buf_exit(void)
{
	int i;

	for (i = 0; i < SECBUF_CLASSES; i++)
		kmem_cache_destroy(classes[i]);
	kmem_cache_destroy(heads);
}

/**
 * secbuf_buf_class() - the size class for a size
 * @size: bytes, from 1
 *
 * Return: index of the class, or -EINVAL.
 */
int secbuf_buf_class(size_t size)
{
	if (!size || size > SECBUF_SIZE_MAX)
		return -EINVAL;
	return max_t(int, order_base_2(size) - SECBUF_CLASS_SHIFT, 0);
}

/**
 * secbuf_buf_footprint() - kernel memory of one buffer
 * @class: its size class
 *
 * Return: bytes.
 */
size_t secbuf_buf_footprint(unsigned int class)
{
	return class_size(class) + L1_CACHE_ALIGN(sizeof(struct secbuf));
}

/**
 * secbuf_buf_bytes() - kernel memory of all buffers
 *
 * Context: any.
 * Return: bytes.
 */
u64 secbuf_buf_bytes(void)
{
	return atomic_long_read(&all_bytes);
}

/**
 * secbuf_buf_alloc() - a zero buffer from the slab
 * @class: from secbuf_buf_class()
 * @size: bytes that may be used, at most those of the class
 * @gfp: as the context allows
 *
 * Return: the buffer with one reference, or NULL.
 */
struct secbuf *secbuf_buf_alloc(unsigned int class, u32 size, gfp_t gfp)
{
	struct secbuf *sb;

	sb = kmem_cache_zalloc(heads, gfp);
	if (!sb)
		return NULL;
	sb->data = kmem_cache_zalloc(classes[class], gfp);
	if (!sb->data) {
		kmem_cache_free(heads, sb);
		return NULL;
	}
	sb->size = size;
	sb->class = class;
	refcount_set(&sb->refs, 1);
	atomic_long_add(secbuf_buf_footprint(class), &all_bytes);
	return sb;
}

/**
 * secbuf_buf_free() - give a buffer back to the slab, zero
 * @sb: the buffer, which nobody else refers to
 *
 * Context: any.
 */
void secbuf_buf_free(struct secbuf *sb)
{
	secbuf_buf_clean(sb);
	atomic_long_sub(secbuf_buf_footprint(sb->class), &all_bytes);
	kmem_cache_free(classes[sb->class], sb->data);
	kmem_cache_free(heads, sb);
}

/**
 * secbuf_get() - one more reference
 * @sb: a buffer that the caller has a reference to
 *
 * Context: any.
 * Return: @sb.
 */
struct secbuf *secbuf_get(struct secbuf *sb)
{
	WRITE_ONCE(sb->shared, true);
	refcount_inc(&sb->refs);
	return sb;
}
EXPORT_SYMBOL_GPL(secbuf_get);

/**
 * secbuf_size() - bytes that may be used
 * @sb: the buffer
 *
 * Context: any.
 * Return: what the pool was created with; not 0.
 */
size_t secbuf_size(const struct secbuf *sb)
{
	return sb->size;
}
EXPORT_SYMBOL_GPL(secbuf_size);

static bool outside(const struct secbuf *sb, size_t offset, size_t len)
{
	return offset > sb->size || len > sb->size - offset;
}

/* Holders of one buffer can race; the mark must not go down. */
static void mark_dirty(struct secbuf *sb, u32 end)
{
	u32 old = READ_ONCE(sb->dirty);

	if (likely(!READ_ONCE(sb->shared))) {
		if (old < end)
			WRITE_ONCE(sb->dirty, end);
		return;
	}
	while (old < end && !try_cmpxchg(&sb->dirty, &old, end))
		;
}

/**
 * secbuf_window() - part of a buffer, to read and write
 * @sb: the buffer
 * @offset: first byte
 * @len: bytes
 *
 * Only these bytes may be touched; they count as written. Threads that use one
 * buffer at the same time need a reference each, here and below.
 *
 * Context: any.
 * Return: pointer to @len bytes, valid as long as the caller's reference; NULL
 * if they are not all inside the buffer.
 */
void *secbuf_window(struct secbuf *sb, size_t offset, size_t len)
{
	if (outside(sb, offset, len))
		return NULL;
	mark_dirty(sb, offset + len);
	return sb->data + offset;
}
EXPORT_SYMBOL_GPL(secbuf_window);

/**
 * secbuf_data() - all of a buffer, to read and write
 * @sb: the buffer
 *
 * All of it counts as written; secbuf_window() is cheaper to release.
 *
 * Context: any.
 * Return: pointer to secbuf_size() bytes, valid as long as the caller's
 * reference.
 */
void *secbuf_data(struct secbuf *sb)
{
	mark_dirty(sb, sb->size);
	return sb->data;
}
EXPORT_SYMBOL_GPL(secbuf_data);

/**
 * secbuf_read() - copy bytes out
 * @sb: the buffer
 * @offset: first byte
 * @dst: where to
 * @len: bytes
 *
 * Context: any.
 * Return: 0, or -EINVAL if they are not all inside the buffer.
 */
int secbuf_read(struct secbuf *sb, size_t offset, void *dst, size_t len)
{
	if (outside(sb, offset, len))
		return -EINVAL;
	memcpy(dst, sb->data + offset, len);
	return 0;
}
EXPORT_SYMBOL_GPL(secbuf_read);

/**
 * secbuf_write() - copy bytes in
 * @sb: the buffer
 * @offset: first byte
 * @src: where from
 * @len: bytes
 *
 * Context: any.
 * Return: 0, or -EINVAL if they would not all be inside the buffer, which is
 * then unchanged.
 */
int secbuf_write(struct secbuf *sb, size_t offset, const void *src, size_t len)
{
	void *dst = secbuf_window(sb, offset, len);

	if (!dst)
		return -EINVAL;
	memcpy(dst, src, len);
	return 0;
}
EXPORT_SYMBOL_GPL(secbuf_write);

/**
 * secbuf_zeroize() - zeroize a buffer and keep it
 * @sb: the buffer; nobody else may be writing to it
 *
 * Pointers into it stay valid, so what was dirty still counts as dirty.
 *
 * Context: any.
 */
void secbuf_zeroize(struct secbuf *sb)
{
	secbuf_buf_zeroize(sb->data, READ_ONCE(sb->dirty));
}
EXPORT_SYMBOL_GPL(secbuf_zeroize);
