/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libsecbuf-user: memory for secrets that the kernel zeroizes when it is
 * released, and when the process that owns it ends in whatever way.
 *
 * Conventions of every function here:
 *
 * - An int result is 0 or a negative errno; errno itself is not touched.
 *   secbuf_strerror() turns the result into a sentence.
 * - Objects are made by _open() through the first argument and unmade by
 *   _close(), which accepts NULL. A failed _open() stores NULL. Elsewhere NULL
 *   for an object or for an out-parameter is -EINVAL.
 * - _opts structs begin with their own size; set it to sizeof, and everything
 *   that is not needed to zero. A NULL pointer means all defaults. A size
 *   below sizeof(size_t) is -EINVAL; a longer struct than the library knows is
 *   accepted if the rest of it is zero, and -E2BIG if not.
 * - Sizes are in bytes.
 * - Functions on one object may be called by several threads at once, but for
 *   _close(), which must be the last call on the object.
 * - -EPROTO from any function: the module gave an answer that none should give.
 * - In a child made by fork() pools and conns of the parent answer -EPERM, and
 *   their memory is not mapped. The child closes them, which leaves those of
 *   the parent alone, and opens its own.
 * - All descriptors are close-on-exec.
 * - Nothing here installs a signal handler, ends the process or runs before
 *   main().
 */
#ifndef SECBUF_H
#define SECBUF_H

#include <stddef.h>
#include <stdint.h>

#include <linux/secbuf.h>
#include <secbuf/cursor.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Raw layer: one function for each command of <linux/secbuf.h>, same order,
 * same structs, which say what each command does. They set @size, check
 * nothing, and return 0 or a negative errno.
 */
int secbuf_ioctl_info(int dev_fd, struct secbuf_info_args *args);
int secbuf_ioctl_pool_create(int dev_fd, struct secbuf_pool_create_args *args);
int secbuf_ioctl_conn_create(int dev_fd, struct secbuf_conn_create_args *args);
int secbuf_ioctl_pool_alloc(int pool_fd, struct secbuf_pool_alloc_args *args);
int secbuf_ioctl_pool_free(int pool_fd, struct secbuf_pool_free_args *args);
int secbuf_ioctl_pool_shrink(int pool_fd, struct secbuf_pool_shrink_args *args);
int secbuf_ioctl_pool_stats(int pool_fd, struct secbuf_pool_stats_args *args);
int secbuf_ioctl_pool_read(int pool_fd, struct secbuf_pool_copy_args *args);
int secbuf_ioctl_pool_write(int pool_fd, struct secbuf_pool_copy_args *args);
int secbuf_ioctl_conn_buffer(int conn_fd, struct secbuf_conn_buffer_args *args);
int secbuf_ioctl_conn_zeroize(int conn_fd,
			      struct secbuf_conn_zeroize_args *args);

/*
 * Context: one open of /dev/secbuf.
 */
struct secbuf_context;

/**
 * struct secbuf_open_opts - options of secbuf_open()
 * @sz: sizeof(struct secbuf_open_opts)
 * @require_features: SECBUF_FEAT_* without which the open fails
 * @require_protections: SECBUF_PROT_* without which the open fails
 */
struct secbuf_open_opts {
	size_t sz;
	uint64_t require_features;
	uint64_t require_protections;
};

/**
 * secbuf_open() - open the device
 * @out: the context
 * @opts: options, or NULL
 *
 * Return: 0; -ENODEV (the module is not loaded: there is no /dev/secbuf, or
 * nothing behind it), -EACCES (no permission on the device), -EOPNOTSUPP
 * (something required does not hold here), -EPROTO (the kernel module speaks
 * another ABI version), -EINVAL or -E2BIG (@opts), -ENOMEM, -EMFILE, -ENFILE.
 */
int secbuf_open(struct secbuf_context **out,
		const struct secbuf_open_opts *opts);

/**
 * secbuf_close() - close the device; objects opened through it live on
 * @ctx: the context, or NULL
 */
void secbuf_close(struct secbuf_context *ctx);

/**
 * secbuf_fd() - descriptor of the device
 * @ctx: the context, which keeps owning the descriptor
 *
 * Return: the descriptor; -EINVAL if @ctx is NULL.
 */
int secbuf_fd(const struct secbuf_context *ctx);

/**
 * secbuf_get_info() - limits, protections and usage, asked anew
 * @ctx: the context
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
 */
int secbuf_get_info(struct secbuf_context *ctx, struct secbuf_info_args *out);

/*
 * Pool: slots of one size, mapped into this process.
 */
struct secbuf_pool;

/**
 * struct secbuf_pool_opts - options of secbuf_pool_open()
 * @sz: sizeof(struct secbuf_pool_opts)
 * @buf_size: bytes per buffer; 0 means 8192. Rounded up to a power of two of
 *            at least 64
 * @max: most buffers that can be out at once; 0 means 100
 * @reserved: must be 0
 */
struct secbuf_pool_opts {
	size_t sz;
	size_t buf_size;
	uint32_t max;
	uint32_t reserved;
};

/* Presets, as initializers of struct secbuf_pool_opts. */
#define SECBUF_POOL_OPTS(_buf_size, _max)				\
	{ sizeof(struct secbuf_pool_opts), (_buf_size), (_max), 0 }
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
 * Reading or writing past either end of the pool is SIGSEGV, touching a buffer
 * that is not out is SIGBUS unless it shares a page with one that is.
 *
 * Return: 0; -EINVAL (an option is out of range), -E2BIG (@opts), -ENOMEM,
 * -EDQUOT, -EMFILE, -ENFILE, -EAGAIN (mlockall(MCL_FUTURE) is in force, and the
 * pool would exceed RLIMIT_MEMLOCK), -EPROTO (an answer that no secbuf module
 * gives).
 */
int secbuf_pool_open(struct secbuf_pool **out, struct secbuf_context *ctx,
		     const struct secbuf_pool_opts *opts);

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
 * @out: secbuf_pool_buf_size() zero bytes, aligned to that size or to a page,
 *       whichever is less. NULL on failure
 *
 * Return: 0; -ENOSPC (the pool's limit), -ENOMEM, -EDQUOT.
 */
int secbuf_pool_alloc(struct secbuf_pool *pool, void **out);

/**
 * secbuf_pool_free() - zeroize a whole buffer and give it back
 * @pool: the pool
 * @buf: a buffer of this pool, or NULL
 *
 * Return: 0; -EINVAL (not the beginning of a buffer of this pool), -ENOENT (it
 * is not out: freed twice), -EBUSY (it belongs to a conn).
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
 * secbuf_pool_buf_size() - bytes per buffer
 * @pool: the pool
 *
 * Return: the size, rounded up as said at struct secbuf_pool_opts; 0 if @pool
 * is NULL.
 */
size_t secbuf_pool_buf_size(const struct secbuf_pool *pool);

/**
 * secbuf_pool_get_stats() - counters
 * @pool: the pool
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
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

/*
 * Kpool: buffers that the kernel holds. Their bytes come into this process only
 * when they are read. A buffer is called by its id, which is never 0 and never
 * given again.
 */
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

/*
 * Rates, from the counters of a pool, from 0 to 1; 0 before there is anything
 * to tell, and for NULL.
 */

/**
 * secbuf_stats_hit_rate() - of the buffers acquired, how many were at hand
 * @stats: counters
 *
 * Return: magazine and depot hits, divided by buffers acquired.
 */
double secbuf_stats_hit_rate(const struct secbuf_pool_stats_args *stats);

/**
 * secbuf_stats_cache_hit_rate() - how many came from what a CPU keeps
 * @stats: counters
 *
 * Return: magazine hits, divided by buffers acquired.
 */
double secbuf_stats_cache_hit_rate(const struct secbuf_pool_stats_args *stats);

/**
 * secbuf_stats_pool_hit_rate() - of the others, how many were in the depot
 * @stats: counters
 *
 * Return: depot hits, divided by buffers acquired that were no magazine hits.
 */
double secbuf_stats_pool_hit_rate(const struct secbuf_pool_stats_args *stats);

/*
 * Conn: the buffers of one connection. Functions on one conn must not be
 * called by several threads at once.
 */
struct secbuf_conn;

/**
 * secbuf_conn_open() - create a conn without buffers
 * @out: the conn
 * @ctx: the context
 * @pool: where its buffers come from; must outlive the conn
 *
 * Return: 0; -EPERM (@pool belongs to another process), -ENOMEM, -EMFILE,
 * -ENFILE.
 */
int secbuf_conn_open(struct secbuf_conn **out, struct secbuf_context *ctx,
		     struct secbuf_pool *pool);

/**
 * secbuf_conn_close() - zeroize and release the buffers, and the conn
 * @conn: the conn, or NULL
 *
 * Zeroizes at once, even when another process holds the descriptor as well.
 */
void secbuf_conn_close(struct secbuf_conn *conn);

/**
 * secbuf_conn_buffer() - the read or the write buffer
 * @conn: the conn
 * @which: SECBUF_CONN_BUFFER_READ or SECBUF_CONN_BUFFER_WRITE
 * @out: secbuf_pool_buf_size() bytes, zero when granted, that belong to the
 *       conn. NULL on failure
 *
 * The first call grants the buffer, further calls return the same one without
 * a system call.
 *
 * Return: 0; -EINVAL (@which), -ENOSPC (the pool's limit), -ENOMEM, -EDQUOT.
 */
int secbuf_conn_buffer(struct secbuf_conn *conn, enum secbuf_conn_buffer which,
		       void **out);

/**
 * secbuf_conn_zeroize() - zeroize and release the buffers, keep the conn
 * @conn: the conn
 *
 * Pointers from secbuf_conn_buffer() are invalid afterwards; asked again, it
 * grants new ones.
 *
 * Return: 0 or a negative errno.
 */
int secbuf_conn_zeroize(struct secbuf_conn *conn);

/**
 * secbuf_conn_fd() - descriptor of the conn
 * @conn: the conn, which keeps owning the descriptor
 *
 * Return: the descriptor; -EINVAL if @conn is NULL.
 */
int secbuf_conn_fd(const struct secbuf_conn *conn);

/*
 * Memory of any kind.
 */

/**
 * secbuf_memory_zeroize() - overwrite with zeros; never optimized away
 * @ptr: memory
 * @len: bytes
 */
void secbuf_memory_zeroize(void *ptr, size_t len);

/**
 * secbuf_memory_equal() - compare in time that depends on @len only
 * @a: memory
 * @b: memory
 * @len: bytes
 *
 * Return: 1 if the bytes are the same, 0 if not.
 */
int secbuf_memory_equal(const void *a, const void *b, size_t len)
	__attribute__((warn_unused_result));

/**
 * secbuf_strerror() - what a negative errno of this library means
 * @err: the result of a function here, the cursor included
 *
 * Return: a sentence that says what is wrong and what to do; never NULL, valid
 * for ever.
 */
const char *secbuf_strerror(int err);

/**
 * secbuf_version() - version of the library, "major.minor.patch"
 */
const char *secbuf_version(void);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_H */
