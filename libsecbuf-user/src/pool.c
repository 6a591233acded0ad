// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pool: opened, mapped, closed, asked about. What is done with its slots is in
 * slot.c.
 */
#include "pool.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "annotate.h"
#include "cache.h"

#define SECBUF_POOL_BUF_SIZE_DEFAULT	8192

/* Slots of no more are aligned to their size, larger ones to this. */
#define SECBUF_POOL_ALIGN_MAX		((size_t)1 << 24)

#define SECBUF_POOL_FLAGS	(SECBUF_POOL_PASSABLE | SECBUF_POOL_GUARD)

static bool secbuf_is_power_of_two(uint64_t size)
{
	return size && !(size & (size - 1));
}

/* The kernel is trusted, but a misunderstanding must not become a pointer. */
static int secbuf_pool_check(const struct secbuf_pool_info_args *info)
{
	uint64_t page_size = sysconf(_SC_PAGESIZE);
	uint64_t room = info->out_stride;

	if (info->out_mmap_size > SIZE_MAX / 2)
		return -ENOMEM;
	if (!info->out_mmap_size || info->out_mmap_size % page_size)
		return -EPROTO;
	if (!secbuf_is_power_of_two(info->out_slot_size))
		return -EPROTO;
	if (info->out_flags & SECBUF_POOL_F_GUARD) {
		if (room % page_size || room <= page_size)
			return -EPROTO;
		room -= page_size;
	} else if (room != info->out_slot_size) {
		return -EPROTO;
	}
	if (room < info->out_slot_size || !info->out_max_slots ||
	    info->out_stride > info->out_mmap_size / info->out_max_slots)
		return -EPROTO;
	return 0;
}

static int secbuf_pool_init(struct secbuf_pool *pool,
			    const struct secbuf_pool_info_args *info,
			    void *where)
{
	bool guarded = info->out_flags & SECBUF_POOL_F_GUARD;
	size_t align = info->out_slot_size;
	int err;

	pool->flags = info->out_flags;
	pool->max_slots = info->out_max_slots;
	pool->slot_size = info->out_slot_size;
	pool->stride = info->out_stride;
	if (align > SECBUF_POOL_ALIGN_MAX)
		align = SECBUF_POOL_ALIGN_MAX;
	err = secbuf_map_pool(&pool->map, pool->fd, info->out_mmap_size,
			      align, where);
	if (err)
		return err;
	if (guarded)
		pool->skip = pool->stride - pool->map.page_size -
			     pool->slot_size;
	/* What others do with slots is not known, what guards do is better. */
	pool->annotated = !guarded && !(pool->flags & SECBUF_POOL_F_PASSABLE) &&
			  secbuf_annotate_wanted();
	pool->hot.owned = 1;
	err = secbuf_cache_open(pool);
	if (err)
		secbuf_map_undo(&pool->map, 0);
	else if (pool->annotated)
		secbuf_annotate_open(pool->map.slots, pool->map.slots_size);
	return err;
}

/* The pool of @fd, which is closed if there can be none. */
static int secbuf_pool_new(struct secbuf_pool **out, int fd, uint32_t batch_max,
			   const struct secbuf_pool_info_args *info,
			   void *where)
{
	struct secbuf_pool *pool = NULL;
	size_t size;
	int err;

	err = secbuf_pool_check(info);
	size = sizeof(*pool) + info->out_max_slots;
	if (!err) {
		pool = secbuf_map_private(size, SECBUF_MAP_KEPT);
		err = pool ? 0 : -ENOMEM;
	}
	if (!err) {
		pool->source.ops = &secbuf_pool_source_ops;
		pool->hot_size = size;
		pool->fd = fd;
		pool->batch_max = batch_max;
		err = secbuf_pool_init(pool, info, where);
	}
	if (!err) {
		*out = pool;
		return 0;
	}
	if (pool)
		munmap(pool, size);
	close(fd);
	return err;
}

int secbuf_pool_open_at(struct secbuf_pool **out, struct secbuf_context *ctx,
			const struct secbuf_pool_opts *opts, void *where)
{
	struct secbuf_pool_create_args args = {
		.flags = SECBUF_POOL_F_MAPPED | opts->flags,
		.slot_size = opts->buf_size ?: SECBUF_POOL_BUF_SIZE_DEFAULT,
		.max_slots = opts->max,
		.require = opts->require_protections,
	};
	struct secbuf_pool_info_args info;
	int err;

	if (opts->flags & ~SECBUF_POOL_FLAGS)
		return -EOPNOTSUPP;
	err = secbuf_ioctl_pool_create(ctx->fd, &args);
	if (err)
		return err;
	info = (struct secbuf_pool_info_args) {
		.out_flags = args.flags,
		.out_max_slots = args.out_max_slots,
		.out_slot_size = args.out_slot_size,
		.out_stride = args.out_stride,
		.out_mmap_size = args.out_mmap_size,
	};
	return secbuf_pool_new(out, args.out_fd, ctx->batch_max, &info, where);
}

int secbuf_pool_open(struct secbuf_pool **out, struct secbuf_context *ctx,
		     const struct secbuf_pool_opts *opts)
{
	struct secbuf_pool_opts copy;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!ctx)
		return -EINVAL;
	err = secbuf_opts_read(&copy, sizeof(copy), opts);
	if (!err)
		err = secbuf_pool_open_at(out, ctx, &copy, NULL);
	errno = saved_errno;
	return err;
}

int secbuf_pool_attach(struct secbuf_pool **out, int fd)
{
	struct secbuf_pool_attach_args args = { 0 };
	struct secbuf_pool_info_args info = { 0 };
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	err = secbuf_ioctl_pool_attach(fd, &args);
	if (err)
		return err;
	err = secbuf_ioctl_pool_info(args.out_fd, &info);
	if (err)
		close(args.out_fd);
	else
		err = secbuf_pool_new(out, args.out_fd, SECBUF_POOL_CHUNK,
				      &info, NULL);
	errno = saved_errno;
	return err;
}

void secbuf_pool_close(struct secbuf_pool *pool)
{
	struct secbuf_pool_free_args args = { .flags = SECBUF_POOL_FREE_F_ALL };
	int saved_errno = errno;
	bool child;

	if (!pool)
		return;
	child = !secbuf_pool_is_owned(pool);
	if (!child) {
		secbuf_cache_close(pool);
		if (pool->annotated)
			secbuf_annotate_close(pool->map.slots,
					      pool->map.slots_size);
		/* Closing alone would wait for copies of the descriptor. */
		secbuf_ioctl_pool_free(pool->fd, &args);
		if (pool->hot.words)
			secbuf_map_undo_words(pool->hot.words, pool->max_slots);
	}
	secbuf_map_undo(&pool->map, child);
	close(pool->fd);
	munmap(pool, pool->hot_size);
	errno = saved_errno;
}

int secbuf_pool_map_words(struct secbuf_pool *pool)
{
	struct secbuf_slot_word *words;
	int err = 0;

	if (secbuf_get_acquire(pool->hot.words))
		return 0;
	if (!secbuf_thread_lock())
		return -EBUSY;
	if (!pool->hot.words) {
		err = secbuf_map_words(&words, pool->fd, pool->max_slots);
		if (!err)
			secbuf_set_release(pool->hot.words, words);
	}
	secbuf_thread_unlock();
	return err;
}

struct secbuf_source *secbuf_pool_source(struct secbuf_pool *pool)
{
	return pool ? &pool->source : NULL;
}

size_t secbuf_pool_buf_size(const struct secbuf_pool *pool)
{
	return pool ? pool->slot_size : 0;
}

int secbuf_pool_fd(const struct secbuf_pool *pool)
{
	return pool ? pool->fd : -EINVAL;
}

int secbuf_pool_get_info(struct secbuf_pool *pool,
			 struct secbuf_pool_info_args *out)
{
	struct secbuf_pool_info_args args = { 0 };
	int err;

	if (!pool || !out)
		return -EINVAL;
	err = secbuf_owner_error(secbuf_ioctl_pool_info(pool->fd, &args));
	if (!err)
		*out = args;
	return err;
}

/*
 * The kernel counts slots that threads keep at hand as out, and does not see what
 * they do with them.
 */
static void secbuf_pool_correct_stats(struct secbuf_pool_stats_args *stats,
				      const struct secbuf_cache_sum *sum)
{
	uint64_t asked, in_use;

	asked = stats->out_acquired > sum->stocked ?
		stats->out_acquired - sum->stocked : 0;
	in_use = stats->out_in_use > sum->parked ?
		 stats->out_in_use - sum->parked : 0;
	stats->out_acquired = asked + sum->hits;
	if (in_use > stats->out_acquired)
		in_use = stats->out_acquired;
	stats->out_in_use = in_use;
	stats->out_returned = stats->out_acquired - in_use;
	stats->out_available = stats->out_allocated > in_use ?
			       stats->out_allocated - in_use : 0;
	stats->out_magazine_hits = sum->hits;
	if (stats->out_misses > asked)
		stats->out_misses = asked;
	stats->out_depot_hits = asked - stats->out_misses;
}

int secbuf_pool_get_stats(struct secbuf_pool *pool,
			  struct secbuf_pool_stats_args *out)
{
	struct secbuf_pool_stats_args args = { 0 };
	struct secbuf_cache_sum sum;
	int err;

	if (!pool || !out)
		return -EINVAL;
	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;
	if (!secbuf_cache_get_sum(pool, &sum))
		return -EBUSY;
	err = secbuf_ioctl_pool_stats(pool->fd, &args);
	if (err)
		return err;
	secbuf_pool_correct_stats(&args, &sum);
	*out = args;
	return 0;
}

int secbuf_pool_flush(struct secbuf_pool *pool)
{
	if (!pool)
		return -EINVAL;
	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;
	return secbuf_cache_flush(pool) ? 0 : -EBUSY;
}

int secbuf_pool_shrink(struct secbuf_pool *pool, unsigned int nr)
{
	struct secbuf_pool_shrink_args args = { .nr = nr };
	int err;

	if (nr > INT_MAX)
		return -EINVAL;
	err = secbuf_pool_flush(pool);
	if (err || !nr)
		return err;
	err = secbuf_ioctl_pool_shrink(pool->fd, &args);
	return secbuf_done(err, args.out_done, INT_MAX);
}
