/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What more than one source file of the library needs.
 */
#ifndef SECBUF_INTERNAL_H
#define SECBUF_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <secbuf.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct secbuf_context {
	int fd;
	uint32_t batch_max;
};

/**
 * struct secbuf_pool - a pool and its mapping
 * @fd: the pool
 * @batch_max: most slots that the kernel takes in one call
 * @slot_size: distance of two slots, a power of two
 * @page_size: bytes of a page, and of each guard
 * @slots: slot 0
 * @slots_size: bytes of all slots
 * @owned: a word that is 1 in the process that opened the pool and that the
 *         kernel turns into 0 in its children
 *
 * In memory: the page of @owned, a guard page, the slots, a guard page.
 */
struct secbuf_pool {
	int fd;
	uint32_t batch_max;
	size_t slot_size;
	size_t page_size;
	unsigned char *slots;
	size_t slots_size;
	const uint32_t *owned;
};

/*
 * Copies the caller's _opts struct to @opts, @size bytes; what the caller's
 * version of it does not have becomes 0. -EINVAL if its size is impossible,
 * -E2BIG if it asks for something that this library does not know.
 */
int secbuf_opts_read(void *opts, size_t size, const void *from);

/* What a batch of @nr has completed, or the error. */
static inline int secbuf_done(int err, uint32_t done, uint32_t nr)
{
	if (err)
		return err;
	return done <= nr ? (int)done : -EPROTO;
}

/* False in a child made by fork(). */
static inline bool secbuf_pool_is_owned(const struct secbuf_pool *pool)
{
	return __atomic_load_n(pool->owned, __ATOMIC_RELAXED);
}

/* Where slot @id begins, NULL if there is no such slot. */
static inline void *secbuf_pool_slot(const struct secbuf_pool *pool,
				     uint64_t id)
{
	if (id >= pool->slots_size / pool->slot_size)
		return NULL;
	return pool->slots + (size_t)id * pool->slot_size;
}

#endif /* SECBUF_INTERNAL_H */
