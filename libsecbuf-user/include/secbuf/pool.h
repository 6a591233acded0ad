/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Pool: slots of one size, mapped into this process.
 *
 * Each thread keeps slots at hand that the kernel has granted and that are not
 * in use, zeroized: at most twice 64 of them, twice 1 MiB, and together with the
 * other threads half of what the pool can have. Slots of more than 1 MiB are not
 * kept. So most calls make no system call. What a thread keeps goes back when it
 * ends, when memory is short, by secbuf_pool_flush(), and when another thread
 * would otherwise meet a limit.
 *
 * secbuf_pool_alloc(), secbuf_pool_free() and the batches may be called in signal
 * handlers, whatever they interrupt. (Where the program has 32 or more pthread
 * keys, a thread's first call must not be in a handler.) A handler that interrupted
 * a function of this library must return to it, as with malloc().
 *
 * In a child of vfork() or posix_spawn() pools are those of the parent.
 */
#ifndef SECBUF_POOL_H
#define SECBUF_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <linux/secbuf.h>
#include <secbuf/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;
struct secbuf_pool;

/* Other processes may attach, see secbuf_pool_attach(). */
#define SECBUF_POOL_PASSABLE	SECBUF_POOL_F_PASSABLE

/*
 * For debugging: a buffer ends where a page begins that faults (SIGBUS), as does
 * a buffer that was freed; what was written before a buffer is found when it is
 * freed. Each takes two pages or more, and each call is a system call.
 */
#define SECBUF_POOL_GUARD	SECBUF_POOL_F_GUARD

/**
 * struct secbuf_pool_opts - options of secbuf_pool_open()
 * @sz: sizeof(struct secbuf_pool_opts)
 * @buf_size: bytes per buffer; 0 means 8192. Rounded up to a power of two of
 *            at least 64
 * @max: most buffers that can be out at once; 0 means 100
 * @flags: SECBUF_POOL_PASSABLE, SECBUF_POOL_GUARD
 * @require_protections: SECBUF_PROT_* without which the open fails
 */
struct secbuf_pool_opts {
	size_t sz;
	size_t buf_size;
	uint32_t max;
	uint32_t flags;
	uint64_t require_protections;
};

/* Presets, as initializers of struct secbuf_pool_opts. */
#define SECBUF_POOL_OPTS(_buf_size, _max)				\
	{ sizeof(struct secbuf_pool_opts), (_buf_size), (_max), 0, 0 }
#define SECBUF_POOL_OPTS_DEFAULT	SECBUF_POOL_OPTS(8192, 100)
#define SECBUF_POOL_OPTS_SMALL		SECBUF_POOL_OPTS(1024, 20)
#define SECBUF_POOL_OPTS_LARGE		SECBUF_POOL_OPTS(65536, 1000)
#define SECBUF_POOL_OPTS_NETWORK	SECBUF_POOL_OPTS(1500, 500)

/**
 * secbuf_pool_open() - create a pool and map it between two guard pages
 * @out: the pool
 * @ctx: the context; it may be closed afterwards
 * @opts: options, or NULL
 *
 * Reading or writing past either end of the pool is SIGSEGV. Touching a buffer
 * that is not out is a mistake that is SIGBUS if the memory is not there any
 * more; where that must be so at once, see SECBUF_POOL_GUARD.
 *
 * Return: 0; -EINVAL (an option is out of range), -E2BIG (@opts), -EOPNOTSUPP
 * (something required does not hold here, or a flag is not known), -ENOMEM,
 * -EDQUOT, -EMFILE, -ENFILE, -EAGAIN (mlockall(MCL_FUTURE) is in force, and the
 * pool would exceed RLIMIT_MEMLOCK), -EPROTO (an answer that no secbuf module
 * gives).
 */
int secbuf_pool_open(struct secbuf_pool **out, struct secbuf_context *ctx,
		     const struct secbuf_pool_opts *opts);

/**
 * secbuf_pool_attach() - use a pool of another process
 * @out: the pool, with a descriptor of its own
 * @fd: a descriptor of the pool, received from another process; it may be closed
 *      afterwards
 *
 * The pool must be SECBUF_POOL_PASSABLE. All who attach read and write the same
 * memory, so let only those do that may know all that is in it. Each allocates
 * and frees buffers of his own; those go when he dies. secbuf_pool_id() and
 * secbuf_pool_at() translate what one tells the other.
 *
 * Return: as of secbuf_pool_open(); -EPERM (it is not passable), -EUSERS (too
 * many have attached), -ENOTTY (@fd is something else), -EBADF.
 */
int secbuf_pool_attach(struct secbuf_pool **out, int fd);

/**
 * secbuf_pool_close() - zeroize and release all buffers and the pool
 * @pool: the pool, or NULL. Conns on it must have been closed before
 *
 * Zeroizes at once, even when another process holds the descriptor as well.
 * Pointers from secbuf_pool_alloc() are invalid afterwards.
 */
void secbuf_pool_close(struct secbuf_pool *pool);

/**
 * secbuf_pool_alloc() - take a buffer
 * @pool: the pool
 * @out: secbuf_pool_buf_size() zero bytes, aligned to that size. NULL on failure
 *
 * Return: 0; -ENOSPC (the pool's limit), -ENOMEM, -EDQUOT.
 */
int secbuf_pool_alloc(struct secbuf_pool *pool, void **out);

/**
 * secbuf_pool_free() - zeroize a whole buffer and give it back
 * @pool: the pool
 * @buf: a buffer of this pool, or NULL
 *
 * Any thread may free what another allocated.
 *
 * Return: 0; -EINVAL (not the beginning of a buffer of this pool), -ENOENT (it
 * is not out: freed twice, in the queue of a conn, or out in another process),
 * -EBUSY (it is the buffer of a conn), -EUCLEAN (a SECBUF_POOL_GUARD pool:
 * something was written before the buffer; it has been freed).
 */
int secbuf_pool_free(struct secbuf_pool *pool, void *buf);

/**
 * secbuf_pool_alloc_batch() - take several buffers in few system calls
 * @pool: the pool
 * @bufs: where @nr pointers go; those beyond the result are undefined
 * @nr: buffers wanted, at most INT_MAX
 *
 * Return: buffers taken, which can be fewer than @nr; or a negative errno as
 * of secbuf_pool_alloc() if there were none.
 */
int secbuf_pool_alloc_batch(struct secbuf_pool *pool, void **bufs,
			    unsigned int nr);

/**
 * secbuf_pool_free_batch() - give several buffers back in few system calls
 * @pool: the pool
 * @bufs: the buffers; here NULL is not one
 * @nr: number of @bufs, at most INT_MAX
 *
 * Return: buffers given back; it stops at the first that cannot be, and if
 * that is the first of all the result is a negative errno as of
 * secbuf_pool_free().
 */
int secbuf_pool_free_batch(struct secbuf_pool *pool, void *const *bufs,
			   unsigned int nr);

/**
 * secbuf_pool_flush() - give back to the kernel what all threads keep at hand
 * @pool: the pool
 *
 * A thread that is in a call on @pool at this moment gives back in its next one,
 * and so do all others where the kernel has no membarrier().
 *
 * Return: 0; -EBUSY (called in a signal handler that interrupted this library).
 */
int secbuf_pool_flush(struct secbuf_pool *pool);

/**
 * secbuf_pool_prefill() - have memory ready, so that later calls are fast
 * @pool: the pool
 * @nr: buffers, at most INT_MAX
 *
 * As many as the calling thread may keep at hand are there afterwards; the
 * kernel has memory for the others.
 *
 * Return: buffers that have memory, which can be fewer than @nr; or a negative
 * errno as of secbuf_pool_alloc() if there were none.
 */
int secbuf_pool_prefill(struct secbuf_pool *pool, unsigned int nr);

/**
 * secbuf_pool_shrink() - free the memory of buffers that are not out
 * @pool: the pool
 * @nr: most buffers to free, at most INT_MAX
 *
 * Does what secbuf_pool_flush() does before.
 *
 * Return: buffers whose memory was freed, which can exceed @nr by what is on one
 * page; or a negative errno.
 */
int secbuf_pool_shrink(struct secbuf_pool *pool, unsigned int nr);

/**
 * secbuf_pool_id() - what to call a buffer when talking to another process
 * @pool: the pool
 * @buf: a buffer of it
 * @out: its number; not changed on failure
 *
 * Return: 0; -EINVAL (not the beginning of a buffer of this pool).
 */
int secbuf_pool_id(struct secbuf_pool *pool, const void *buf, uint64_t *out);

/**
 * secbuf_pool_at() - where a buffer of another process is
 * @pool: the pool
 * @id: from secbuf_pool_id() of any who attached, not trusted
 * @out: the buffer, which remains the other's; NULL on failure. Touching it is
 *       SIGBUS after the other has freed it
 *
 * Return: 0; -EINVAL (the pool has no such buffer).
 */
int secbuf_pool_at(struct secbuf_pool *pool, uint64_t id, void **out);

/**
 * secbuf_pool_source() - the pool as a source of memory
 * @pool: the pool
 *
 * It gives at most secbuf_pool_buf_size() bytes at once; -EMSGSIZE beyond that.
 *
 * Return: the source, valid as long as the pool; NULL if @pool is NULL.
 */
struct secbuf_source *secbuf_pool_source(struct secbuf_pool *pool);

/**
 * secbuf_pool_buf_size() - bytes per buffer
 * @pool: the pool
 *
 * Return: the size, rounded up as said at struct secbuf_pool_opts; 0 if @pool
 * is NULL.
 */
size_t secbuf_pool_buf_size(const struct secbuf_pool *pool);

/**
 * secbuf_pool_get_info() - size, limits and protections, asked anew
 * @pool: the pool
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
 */
int secbuf_pool_get_info(struct secbuf_pool *pool,
			 struct secbuf_pool_info_args *out);

/**
 * secbuf_pool_get_stats() - counters
 * @pool: the pool
 * @out: filled on success
 *
 * They are of what the program sees: a buffer that a thread keeps at hand is
 * available, not in use. @out_magazine_hits are those that came from there;
 * @out_peak counts them as out.
 *
 * Return: 0; -EBUSY (called in a signal handler that interrupted this library),
 * or another negative errno.
 */
int secbuf_pool_get_stats(struct secbuf_pool *pool,
			  struct secbuf_pool_stats_args *out);

/**
 * secbuf_pool_fd() - descriptor of the pool
 * @pool: the pool, which keeps owning the descriptor
 *
 * Return: the descriptor; -EINVAL if @pool is NULL.
 */
int secbuf_pool_fd(const struct secbuf_pool *pool);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_POOL_H */
