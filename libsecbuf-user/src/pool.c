// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pool: the kernel grants slots by id, the library turns ids into pointers.
 *
 * Nothing in struct secbuf_pool changes after secbuf_pool_open(), so threads
 * need no lock here.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define SECBUF_POOL_BUF_SIZE_DEFAULT	8192

/* Ids per system call: what fits on the stack without a thought. */
#define SECBUF_POOL_CHUNK		64

static uint32_t secbuf_pool_chunk(const struct secbuf_pool *pool, uint64_t nr)
{
	uint32_t chunk = SECBUF_POOL_CHUNK;

	if (chunk > pool->batch_max)
		chunk = pool->batch_max;
	return nr < chunk ? nr : chunk;
}

/* The kernel is trusted, but a misunderstanding must not become a pointer. */
static int secbuf_pool_adopt(struct secbuf_pool *pool,
			     const struct secbuf_pool_create_args *args)
{
	size_t room = SIZE_MAX - 3 * pool->page_size;

	if (args->out_mmap_size > room)
		return -ENOMEM;
	if (!args->out_mmap_size || args->out_mmap_size % pool->page_size)
		return -EPROTO;
	if (!args->out_slot_size || args->out_slot_size > args->out_mmap_size ||
	    (args->out_slot_size & (args->out_slot_size - 1)))
		return -EPROTO;
	pool->slot_size = args->out_slot_size;
	pool->slots_size = args->out_mmap_size;
	return 0;
}

/* Makes the word that a child of fork() finds to be 0. */
static int secbuf_pool_map_owned(struct secbuf_pool *pool, void *page)
{
	uint32_t *owned = page;

	if (mprotect(page, pool->page_size, PROT_READ | PROT_WRITE) ||
	    madvise(page, pool->page_size, MADV_WIPEONFORK))
		return -errno;
	*owned = 1;
	if (mprotect(page, pool->page_size, PROT_READ))
		return -errno;
	pool->owned = owned;
	return 0;
}

/* All but the slots. */
static void secbuf_pool_unmap_guards(struct secbuf_pool *pool)
{
	munmap(pool->slots - 2 * pool->page_size, 2 * pool->page_size);
	munmap(pool->slots + pool->slots_size, pool->page_size);
}

static int secbuf_pool_map(struct secbuf_pool *pool)
{
	size_t size = pool->slots_size + 3 * pool->page_size;
	unsigned char *base;
	int err;

	base = mmap(NULL, size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -errno;

	pool->slots = base + 2 * pool->page_size;
	err = secbuf_pool_map_owned(pool, base);
	if (err) {
		munmap(base, size);
		return err;
	}
	if (mmap(pool->slots, pool->slots_size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, pool->fd, 0) == MAP_FAILED) {
		err = -errno;
		/*
		 * The kernel may have unmapped what was there before it failed,
		 * and another thread may have mapped something of its own. If
		 * not, some address space is lost.
		 */
		secbuf_pool_unmap_guards(pool);
	}
	return err;
}

static void secbuf_pool_unmap(struct secbuf_pool *pool)
{
	/*
	 * A child does not have the slots. What is in their place by now, if
	 * anything, is somebody else's.
	 */
	if (!secbuf_pool_is_owned(pool)) {
		secbuf_pool_unmap_guards(pool);
		return;
	}
	munmap(pool->slots - 2 * pool->page_size,
	       pool->slots_size + 3 * pool->page_size);
}

static int secbuf_pool_init(struct secbuf_pool *pool,
			    struct secbuf_context *ctx,
			    const struct secbuf_pool_opts *opts)
{
	struct secbuf_pool_create_args args = {
		.flags = SECBUF_POOL_F_MAPPED,
		.slot_size = opts->buf_size ?: SECBUF_POOL_BUF_SIZE_DEFAULT,
		.max_slots = opts->max,
	};
	int err;

	err = secbuf_ioctl_pool_create(ctx->fd, &args);
	if (err)
		return err;

	pool->fd = args.out_fd;
	pool->batch_max = ctx->batch_max;
	pool->page_size = sysconf(_SC_PAGESIZE);
	err = secbuf_pool_adopt(pool, &args);
	if (!err)
		err = secbuf_pool_map(pool);
	if (err)
		close(pool->fd);
	return err;
}

int secbuf_pool_open(struct secbuf_pool **out, struct secbuf_context *ctx,
		     const struct secbuf_pool_opts *opts)
{
	struct secbuf_pool_opts copy;
	struct secbuf_pool *pool;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!ctx)
		return -EINVAL;
	err = secbuf_opts_read(&copy, sizeof(copy), opts);
	if (err)
		return err;
	if (copy.reserved)
		return -EINVAL;

	pool = malloc(sizeof(*pool));
	err = pool ? secbuf_pool_init(pool, ctx, &copy) : -ENOMEM;
	if (!err)
		*out = pool;
	else
		free(pool);
	errno = saved_errno;
	return err;
}

static int secbuf_pool_alloc_ids(struct secbuf_pool *pool, uint64_t *ids,
				 uint32_t nr)
{
	struct secbuf_pool_alloc_args args = {
		.ids_ptr = (uintptr_t)ids,
		.nr = nr,
	};
	int err = secbuf_ioctl_pool_alloc(pool->fd, &args);

	return secbuf_done(err, args.out_done, nr);
}

static int secbuf_pool_free_ids(struct secbuf_pool *pool, const uint64_t *ids,
				uint32_t nr)
{
	struct secbuf_pool_free_args args = {
		.ids_ptr = (uintptr_t)ids,
		.nr = nr,
	};
	int err = secbuf_ioctl_pool_free(pool->fd, &args);

	return secbuf_done(err, args.out_done, nr);
}

/*
 * Gives back what is still out, because closing acts only when the last copy
 * of the descriptor is closed, and a child may have one. Slots that are not
 * out are passed over one by one.
 */
static void secbuf_pool_free_all(struct secbuf_pool *pool)
{
	uint64_t nr = pool->slots_size / pool->slot_size;
	struct secbuf_pool_stats_args stats = { 0 };
	uint64_t ids[SECBUF_POOL_CHUNK];
	uint64_t first = 0;
	uint32_t chunk, i;
	int done;

	if (secbuf_ioctl_pool_stats(pool->fd, &stats))
		return;
	while (stats.out_in_use && first < nr) {
		chunk = secbuf_pool_chunk(pool, nr - first);
		for (i = 0; i < chunk; i++)
			ids[i] = first + i;
		done = secbuf_pool_free_ids(pool, ids, chunk);
		if (done < 0 && done != -ENOENT && done != -EBUSY)
			return;
		if (done > 0)
			stats.out_in_use -= done;
		first += done > 0 ? done : 1;
	}
}

void secbuf_pool_close(struct secbuf_pool *pool)
{
	int saved_errno = errno;

	if (!pool)
		return;
	secbuf_pool_free_all(pool);
	secbuf_pool_unmap(pool);
	close(pool->fd);
	free(pool);
	errno = saved_errno;
}

/* Either all that were granted become pointers, or they are given back. */
static int secbuf_pool_alloc_chunk(struct secbuf_pool *pool, void **bufs,
				   uint32_t nr)
{
	uint64_t ids[SECBUF_POOL_CHUNK];
	int done, i;

	/* No id: what the kernel does not write must not be given back. */
	memset(ids, 0xff, nr * sizeof(*ids));
	done = secbuf_pool_alloc_ids(pool, ids, nr);
	for (i = 0; i < done; i++) {
		bufs[i] = secbuf_pool_slot(pool, ids[i]);
		if (!bufs[i])
			done = -EPROTO;
	}
	if (done == -EPROTO)
		for (i = 0; i < (int)nr; i++)
			secbuf_pool_free_ids(pool, &ids[i], 1);
	return done;
}

int secbuf_pool_alloc_batch(struct secbuf_pool *pool, void **bufs,
			    unsigned int nr)
{
	unsigned int done = 0;
	int ret;

	if (!pool || !bufs || nr > INT_MAX)
		return -EINVAL;
	while (done < nr) {
		ret = secbuf_pool_alloc_chunk(pool, bufs + done,
					      secbuf_pool_chunk(pool,
								nr - done));
		if (ret < 0)
			return done ? (int)done : ret;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

int secbuf_pool_alloc(struct secbuf_pool *pool, void **out)
{
	int ret;

	if (!out)
		return -EINVAL;
	*out = NULL;
	ret = secbuf_pool_alloc_batch(pool, out, 1);
	if (ret < 0)
		*out = NULL;
	return ret < 0 ? ret : 0;
}

/* Pointers are compared as integers: this one may point anywhere. */
static int secbuf_pool_id(const struct secbuf_pool *pool, const void *buf,
			  uint64_t *id)
{
	uintptr_t offset = (uintptr_t)buf - (uintptr_t)pool->slots;

	if (offset >= pool->slots_size || offset % pool->slot_size)
		return -EINVAL;
	*id = offset / pool->slot_size;
	return 0;
}

static int secbuf_pool_free_chunk(struct secbuf_pool *pool, void *const *bufs,
				  uint32_t nr)
{
	uint64_t ids[SECBUF_POOL_CHUNK];
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (secbuf_pool_id(pool, bufs[i], &ids[i]))
			break;
	if (!i)
		return -EINVAL;
	return secbuf_pool_free_ids(pool, ids, i);
}

int secbuf_pool_free_batch(struct secbuf_pool *pool, void *const *bufs,
			   unsigned int nr)
{
	unsigned int done = 0;
	int ret;

	if (!pool || !bufs || nr > INT_MAX)
		return -EINVAL;
	while (done < nr) {
		ret = secbuf_pool_free_chunk(pool, bufs + done,
					     secbuf_pool_chunk(pool,
							       nr - done));
		if (ret < 0)
			return done ? (int)done : ret;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

int secbuf_pool_free(struct secbuf_pool *pool, void *buf)
{
	int ret;

	if (!buf)
		return 0;
	ret = secbuf_pool_free_batch(pool, &buf, 1);
	return ret < 0 ? ret : 0;
}

size_t secbuf_pool_buf_size(const struct secbuf_pool *pool)
{
	return pool ? pool->slot_size : 0;
}

int secbuf_pool_get_stats(struct secbuf_pool *pool,
			  struct secbuf_pool_stats_args *out)
{
	struct secbuf_pool_stats_args args = { 0 };
	int err;

	if (!pool || !out)
		return -EINVAL;
	err = secbuf_ioctl_pool_stats(pool->fd, &args);
	if (!err)
		*out = args;
	return err;
}

int secbuf_pool_fd(const struct secbuf_pool *pool)
{
	return pool ? pool->fd : -EINVAL;
}
