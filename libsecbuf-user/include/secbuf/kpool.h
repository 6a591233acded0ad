/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Kpool: buffers that the kernel holds. Their bytes come into this process only
 * when they are read. A buffer is called by its id, which is never 0 and never
 * given again.
 */
#ifndef SECBUF_KPOOL_H
#define SECBUF_KPOOL_H

#include <stddef.h>
#include <stdint.h>

#include <linux/secbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;
struct secbuf_kpool;

/**
 * struct secbuf_kpool_opts - options of secbuf_kpool_open()
 * @sz: sizeof(struct secbuf_kpool_opts)
 * @buf_size: bytes per buffer, at most SECBUF_POOL_BUF_SIZE_MAX; 0 means 8192
 * @min: buffers that are allocated now and stay when memory is short
 * @max: most buffers that can be out at once; 0 means 100
 *
 * No options at all are SECBUF_KPOOL_OPTS_DEFAULT.
 */
struct secbuf_kpool_opts {
	size_t sz;
	size_t buf_size;
	uint32_t min;
	uint32_t max;
};

/* Presets, as initializers of struct secbuf_kpool_opts. */
#define SECBUF_KPOOL_OPTS(_buf_size, _min, _max)			\
	{ sizeof(struct secbuf_kpool_opts), (_buf_size), (_min), (_max) }
#define SECBUF_KPOOL_OPTS_DEFAULT	SECBUF_KPOOL_OPTS(8192, 10, 100)
#define SECBUF_KPOOL_OPTS_SMALL		SECBUF_KPOOL_OPTS(1024, 5, 20)
#define SECBUF_KPOOL_OPTS_LARGE		SECBUF_KPOOL_OPTS(65536, 50, 1000)
#define SECBUF_KPOOL_OPTS_NETWORK	SECBUF_KPOOL_OPTS(1500, 20, 500)

/**
 * secbuf_kpool_open() - create a pool that the kernel holds
 * @out: the pool
 * @ctx: the context; it may be closed afterwards
 * @opts: options, or NULL
 *
 * Return: 0; -EINVAL (an option is out of range), -E2BIG (@opts), -ENOMEM,
 * -EDQUOT, -EMFILE, -ENFILE.
 */
int secbuf_kpool_open(struct secbuf_kpool **out, struct secbuf_context *ctx,
		      const struct secbuf_kpool_opts *opts);

/**
 * secbuf_kpool_close() - zeroize and release all buffers and the pool
 * @pool: the pool, or NULL
 *
 * Zeroizes at once, even when another process holds the descriptor as well.
 */
void secbuf_kpool_close(struct secbuf_kpool *pool);

/* Flags of the functions that allocate. */
#define SECBUF_KPOOL_WAIT	SECBUF_POOL_ALLOC_F_WAIT

/**
 * secbuf_kpool_alloc() - take a buffer
 * @pool: the pool
 * @flags: 0, or SECBUF_KPOOL_WAIT to wait until one comes back if @max are out
 * @out: the id of a buffer that is zero; 0 on failure
 *
 * Return: 0; -ENOSPC (the pool's limit), -ENOMEM, -EDQUOT, -EINTR (a signal
 * arrived while it waited).
 */
int secbuf_kpool_alloc(struct secbuf_kpool *pool, unsigned int flags,
		       uint64_t *out);

/**
 * secbuf_kpool_free() - zeroize a buffer and give it back
 * @pool: the pool
 * @id: the buffer, or 0
 *
 * Return: 0; -ENOENT (no such buffer is out: freed twice, or of another pool).
 */
int secbuf_kpool_free(struct secbuf_kpool *pool, uint64_t id);

/**
 * secbuf_kpool_alloc_batch() - take several buffers in few system calls
 * @pool: the pool
 * @flags: as of secbuf_kpool_alloc(); waits for the first only
 * @ids: where @nr ids go; those beyond the result are undefined
 * @nr: buffers wanted, at most INT_MAX
 *
 * Return: buffers taken, which can be fewer than @nr; or a negative errno as
 * of secbuf_kpool_alloc() if there were none.
 */
int secbuf_kpool_alloc_batch(struct secbuf_kpool *pool, unsigned int flags,
			     uint64_t *ids, unsigned int nr);

/**
 * secbuf_kpool_free_batch() - give several buffers back in few system calls
 * @pool: the pool
 * @ids: the buffers; here 0 is not one
 * @nr: number of @ids, at most INT_MAX
 *
 * Return: buffers given back; it stops at the first that cannot be, and if
 * that is the first of all the result is a negative errno as of
 * secbuf_kpool_free().
 */
int secbuf_kpool_free_batch(struct secbuf_kpool *pool, const uint64_t *ids,
			    unsigned int nr);

/**
 * secbuf_kpool_read() - copy bytes of a buffer to this process
 * @pool: the pool
 * @id: the buffer
 * @offset: first byte
 * @dst: where to
 * @len: bytes
 *
 * Return: 0; -ENOENT (no such buffer is out), -EINVAL (not all inside the
 * buffer), -EFAULT (@dst).
 */
int secbuf_kpool_read(struct secbuf_kpool *pool, uint64_t id, size_t offset,
		      void *dst, size_t len);

/**
 * secbuf_kpool_write() - copy bytes of this process to a buffer
 * @pool: the pool
 * @id: the buffer
 * @offset: first byte
 * @src: where from
 * @len: bytes
 *
 * Return: 0; -ENOENT (no such buffer is out), -EINVAL (not all inside the
 * buffer), -EFAULT (@src).
 */
int secbuf_kpool_write(struct secbuf_kpool *pool, uint64_t id, size_t offset,
		       const void *src, size_t len);

/**
 * secbuf_kpool_readv() - secbuf_kpool_read() of several, in few system calls
 * @pool: the pool
 * @vecs: what and where to; see <linux/secbuf.h>
 * @nr: number of @vecs, at most INT_MAX
 *
 * Return: entries completed; it stops at the first that fails, and if that is
 * the first of all the result is a negative errno as of secbuf_kpool_read().
 */
int secbuf_kpool_readv(struct secbuf_kpool *pool,
		       const struct secbuf_pool_vec *vecs, unsigned int nr);

/**
 * secbuf_kpool_writev() - secbuf_kpool_write() of several, in few system calls
 * @pool: the pool
 * @vecs: what and where from; see <linux/secbuf.h>
 * @nr: number of @vecs, at most INT_MAX
 *
 * Return: as of secbuf_kpool_readv().
 */
int secbuf_kpool_writev(struct secbuf_kpool *pool,
			const struct secbuf_pool_vec *vecs, unsigned int nr);

/**
 * secbuf_kpool_shrink() - free the memory of buffers that are not out
 * @pool: the pool
 * @nr: most buffers to free, at most INT_MAX; the pool's minimum stays
 *
 * Return: buffers freed, or a negative errno.
 */
int secbuf_kpool_shrink(struct secbuf_kpool *pool, unsigned int nr);

/**
 * secbuf_kpool_buf_size() - bytes per buffer
 * @pool: the pool
 *
 * Return: the size that was asked for; 0 if @pool is NULL.
 */
size_t secbuf_kpool_buf_size(const struct secbuf_kpool *pool);

/**
 * secbuf_kpool_get_stats() - counters
 * @pool: the pool
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
 */
int secbuf_kpool_get_stats(struct secbuf_kpool *pool,
			   struct secbuf_pool_stats_args *out);

/**
 * secbuf_kpool_fd() - descriptor of the pool
 * @pool: the pool, which keeps owning the descriptor
 *
 * Return: the descriptor; -EINVAL if @pool is NULL.
 */
int secbuf_kpool_fd(const struct secbuf_kpool *pool);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_KPOOL_H */
