/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Conn: the buffers of one connection. Functions on one conn must not be
 * called by several threads at once.
 */
#ifndef SECBUF_CONN_H
#define SECBUF_CONN_H

#include <linux/secbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;
struct secbuf_pool;
struct secbuf_conn;

/**
 * secbuf_conn_open() - create a conn without buffers
 * @out: the conn
 * @ctx: the context
 * @pool: where its buffers come from; must outlive the conn
 *
 * Return: 0; -EOWNERDEAD (@pool belongs to the parent process), -ENOMEM,
 * -EMFILE, -ENFILE.
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

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_CONN_H */
