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
int secbuf_ioctl_pool_stats(int pool_fd, struct secbuf_pool_stats_args *args);
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
 * Pool: slots of one size.
 */
struct secbuf_pool;

/**
 * struct secbuf_pool_opts - options of secbuf_pool_open()
 * @sz: sizeof(struct secbuf_pool_opts)
 * @buf_size: bytes per buffer; 0 means 8192. Rounded up to a power of two of
 *            at least 64
 * @max: most buffers that can be out at once; 0 means 100
 */
struct secbuf_pool_opts {
	size_t sz;
	size_t buf_size;
	uint32_t max;
};

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
 * -EDQUOT, -EMFILE, -ENFILE, -EPROTO (an answer that no secbuf module gives).
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
