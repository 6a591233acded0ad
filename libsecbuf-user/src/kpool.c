// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Kpool: buffers that stay in the kernel. Ids and bytes pass through as they
 * are; the library splits what is too long for one call.
 *
 * Nothing in struct secbuf_kpool changes after secbuf_kpool_open(), so threads
 * need no lock here.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/**
 * struct secbuf_kpool - a kernel-held pool
 * @fd: the pool
 * @batch_max: most entries that the kernel takes in one call
 * @buf_size: bytes per buffer
 */
struct secbuf_kpool {
	int fd;
	uint32_t batch_max;
	uint32_t buf_size;
};

static int secbuf_kpool_init(struct secbuf_kpool *pool,
			     struct secbuf_context *ctx,
			     const struct secbuf_kpool_opts *opts)
{
	struct secbuf_pool_create_args args = {
		.slot_size = opts->buf_size,
		.min_slots = opts->min,
		.max_slots = opts->max,
	};
	int err;

	err = secbuf_ioctl_pool_create(ctx->fd, &args);
	if (err)
		return err;
	pool->fd = args.out_fd;
	pool->batch_max = ctx->batch_max;
	pool->buf_size = args.slot_size;
	return 0;
}

int secbuf_kpool_open(struct secbuf_kpool **out, struct secbuf_context *ctx,
		      const struct secbuf_kpool_opts *opts)
{
	static const struct secbuf_kpool_opts defaults =
		SECBUF_KPOOL_OPTS_DEFAULT;
	struct secbuf_kpool_opts copy;
	struct secbuf_kpool *pool;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!ctx)
		return -EINVAL;
	err = secbuf_opts_read(&copy, sizeof(copy), opts ?: &defaults);
	if (err)
		return err;
	copy.buf_size = copy.buf_size ?: defaults.buf_size;

	pool = malloc(sizeof(*pool));
	err = pool ? secbuf_kpool_init(pool, ctx, &copy) : -ENOMEM;
	if (!err)
		*out = pool;
	else
		free(pool);
	errno = saved_errno;
	return err;
}

void secbuf_kpool_close(struct secbuf_kpool *pool)
{
	struct secbuf_pool_free_args args = { .flags = SECBUF_POOL_FREE_F_ALL };
	int saved_errno = errno;

	if (!pool)
		return;
	/* Closing alone would wait for copies of the descriptor elsewhere. */
	secbuf_ioctl_pool_free(pool->fd, &args);
	close(pool->fd);
	free(pool);
	errno = saved_errno;
}

/* What one call handles of @nr entries; each returns how many it completed. */
typedef int (*secbuf_kpool_fn)(struct secbuf_kpool *pool, void *array,
			       unsigned int first, uint32_t nr,
			       unsigned int flags);

/* Goes on until all is done, nothing is or it fails. */
static int secbuf_kpool_batch(struct secbuf_kpool *pool, secbuf_kpool_fn fn,
			      const void *array, unsigned int nr,
			      unsigned int flags)
{
	unsigned int done = 0;
	uint32_t chunk;
	int ret;

	if (!pool || !array || nr > INT_MAX)
		return -EINVAL;
	while (done < nr) {
		chunk = nr - done < pool->batch_max ? nr - done :
						      pool->batch_max;
		ret = fn(pool, (void *)array, done, chunk, flags);
		if (ret < 0)
			return done ? (int)done : ret;
		if (!ret)
			break;
		done += ret;
		flags &= ~SECBUF_KPOOL_WAIT;
	}
	return done;
}

static int secbuf_kpool_free_ids(struct secbuf_kpool *pool, void *ids,
				 unsigned int first, uint32_t nr,
				 unsigned int flags)
{
	struct secbuf_pool_free_args args = {
		.flags = flags,
		.ids_ptr = (uintptr_t)((uint64_t *)ids + first),
		.nr = nr,
	};
	int err = secbuf_ioctl_pool_free(pool->fd, &args);

	return secbuf_done(err, args.out_done, nr);
}

static int secbuf_kpool_alloc_ids(struct secbuf_kpool *pool, void *ids,
				  unsigned int first, uint32_t nr,
				  unsigned int flags)
{
	uint64_t *out = (uint64_t *)ids + first;
	struct secbuf_pool_alloc_args args = {
		.flags = flags,
		.ids_ptr = (uintptr_t)out,
		.nr = nr,
	};
	uint32_t i;
	int ret;

	/* No id: what the kernel does not write must not be given back. */
	memset(out, 0, nr * sizeof(*out));
	ret = secbuf_ioctl_pool_alloc(pool->fd, &args);
	ret = secbuf_done(ret, args.out_done, nr);
	if (ret == -EPROTO)
		for (i = 0; i < nr; i++)
			secbuf_kpool_free_ids(pool, out, i, 1, 0);
	return ret;
}

int secbuf_kpool_alloc_batch(struct secbuf_kpool *pool, unsigned int flags,
			     uint64_t *ids, unsigned int nr)
{
	return secbuf_kpool_batch(pool, secbuf_kpool_alloc_ids, ids, nr, flags);
}

int secbuf_kpool_alloc(struct secbuf_kpool *pool, unsigned int flags,
		       uint64_t *out)
{
	int ret;

	if (!out)
		return -EINVAL;
	ret = secbuf_kpool_alloc_batch(pool, flags, out, 1);
	if (ret < 0)
		*out = 0;
	return ret < 0 ? ret : 0;
}

int secbuf_kpool_free_batch(struct secbuf_kpool *pool, const uint64_t *ids,
			    unsigned int nr)
{
	return secbuf_kpool_batch(pool, secbuf_kpool_free_ids, ids, nr, 0);
}

int secbuf_kpool_free(struct secbuf_kpool *pool, uint64_t id)
{
	int ret;

	if (!id)
		return 0;
	ret = secbuf_kpool_free_batch(pool, &id, 1);
	return ret < 0 ? ret : 0;
}

static int secbuf_kpool_read_vecs(struct secbuf_kpool *pool, void *vecs,
				  unsigned int first, uint32_t nr,
				  unsigned int flags)
{
	struct secbuf_pool_copy_args args = {
		.flags = flags,
		.vecs_ptr = (uintptr_t)((struct secbuf_pool_vec *)vecs + first),
		.nr = nr,
	};
	int err = secbuf_ioctl_pool_read(pool->fd, &args);

	return secbuf_done(err, args.out_done, nr);
}

static int secbuf_kpool_write_vecs(struct secbuf_kpool *pool, void *vecs,
				   unsigned int first, uint32_t nr,
				   unsigned int flags)
{
	struct secbuf_pool_copy_args args = {
		.flags = flags,
		.vecs_ptr = (uintptr_t)((struct secbuf_pool_vec *)vecs + first),
		.nr = nr,
	};
	int err = secbuf_ioctl_pool_write(pool->fd, &args);

	return secbuf_done(err, args.out_done, nr);
}

int secbuf_kpool_readv(struct secbuf_kpool *pool,
		       const struct secbuf_pool_vec *vecs, unsigned int nr)
{
	return secbuf_kpool_batch(pool, secbuf_kpool_read_vecs, vecs, nr, 0);
}

int secbuf_kpool_writev(struct secbuf_kpool *pool,
			const struct secbuf_pool_vec *vecs, unsigned int nr)
{
	return secbuf_kpool_batch(pool, secbuf_kpool_write_vecs, vecs, nr, 0);
}

/* The kernel's numbers are shorter: what does not fit is outside anyway. */
static int secbuf_kpool_vec(struct secbuf_pool_vec *vec, uint64_t id,
			    size_t offset, const void *ptr, size_t len)
{
	if (offset > UINT32_MAX || len > UINT32_MAX)
		return -EINVAL;
	*vec = (struct secbuf_pool_vec){
		.id = id,
		.offset = offset,
		.len = len,
		.buf_ptr = (uintptr_t)ptr,
	};
	return 0;
}

int secbuf_kpool_read(struct secbuf_kpool *pool, uint64_t id, size_t offset,
		      void *dst, size_t len)
{
	struct secbuf_pool_vec vec;
	int ret;

	ret = secbuf_kpool_vec(&vec, id, offset, dst, len);
	if (!ret)
		ret = secbuf_kpool_readv(pool, &vec, 1);
	return ret < 0 ? ret : 0;
}

int secbuf_kpool_write(struct secbuf_kpool *pool, uint64_t id, size_t offset,
		       const void *src, size_t len)
{
	struct secbuf_pool_vec vec;
	int ret;

	ret = secbuf_kpool_vec(&vec, id, offset, src, len);
	if (!ret)
		ret = secbuf_kpool_writev(pool, &vec, 1);
	return ret < 0 ? ret : 0;
}

int secbuf_kpool_shrink(struct secbuf_kpool *pool, unsigned int nr)
{
	struct secbuf_pool_shrink_args args = { .nr = nr };
	int err;

	if (!pool || nr > INT_MAX)
		return -EINVAL;
	if (!nr)
		return 0;
	err = secbuf_ioctl_pool_shrink(pool->fd, &args);
	return secbuf_done(err, args.out_done, nr);
}

size_t secbuf_kpool_buf_size(const struct secbuf_kpool *pool)
{
	return pool ? pool->buf_size : 0;
}

int secbuf_kpool_get_stats(struct secbuf_kpool *pool,
			   struct secbuf_pool_stats_args *out)
{
	struct secbuf_pool_stats_args args = { 0 };
	int err;

	if (!pool || !out)
		return -EINVAL;
	err = secbuf_owner_error(secbuf_ioctl_pool_stats(pool->fd, &args));
	if (!err)
		*out = args;
	return err;
}

int secbuf_kpool_fd(const struct secbuf_kpool *pool)
{
	return pool ? pool->fd : -EINVAL;
}
