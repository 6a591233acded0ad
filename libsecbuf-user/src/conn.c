// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Conn: the kernel grants its buffers, the library remembers where they are.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cache.h"
#include "pool.h"

struct secbuf_conn {
	int fd;
	struct secbuf_pool *pool;
	void *buffers[SECBUF_CONN_BUFFER_NR];
};

int secbuf_conn_open(struct secbuf_conn **out, struct secbuf_context *ctx,
		     struct secbuf_pool *pool)
{
	struct secbuf_conn_create_args args = { 0 };
	struct secbuf_conn *conn;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!ctx || !pool)
		return -EINVAL;

	conn = calloc(1, sizeof(*conn));
	errno = saved_errno;
	if (!conn)
		return -ENOMEM;
	args.pool_fd = pool->fd;
	err = secbuf_owner_error(secbuf_ioctl_conn_create(ctx->fd, &args));
	if (err) {
		free(conn);
		return err;
	}
	conn->fd = args.out_fd;
	conn->pool = pool;
	*out = conn;
	return 0;
}

void secbuf_conn_close(struct secbuf_conn *conn)
{
	int saved_errno = errno;

	if (!conn)
		return;
	/* Closing alone would wait for copies of the descriptor elsewhere. */
	secbuf_conn_zeroize(conn);
	close(conn->fd);
	free(conn);
	errno = saved_errno;
}

static int secbuf_conn_grant(struct secbuf_conn *conn,
			     enum secbuf_conn_buffer which)
{
	struct secbuf_conn_buffer_args args = { .which = which };
	int err;

	err = secbuf_ioctl_conn_buffer(conn->fd, &args);
	if (err && secbuf_cache_reclaim(conn->pool, err))
		err = secbuf_ioctl_conn_buffer(conn->fd, &args);
	if (err)
		return err;
	conn->buffers[which] = secbuf_pool_lend(conn->pool, args.out_id);
	return conn->buffers[which] ? 0 : -EPROTO;
}

int secbuf_conn_buffer(struct secbuf_conn *conn, enum secbuf_conn_buffer which,
		       void **out)
{
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!conn || (unsigned int)which >= SECBUF_CONN_BUFFER_NR)
		return -EINVAL;
	if (!secbuf_pool_is_owned(conn->pool))
		return -EOWNERDEAD;

	if (!conn->buffers[which]) {
		err = secbuf_conn_grant(conn, which);
		if (err)
			return err;
	}
	*out = conn->buffers[which];
	return 0;
}

int secbuf_conn_zeroize(struct secbuf_conn *conn)
{
	struct secbuf_conn_zeroize_args args = { 0 };
	size_t i;

	if (!conn)
		return -EINVAL;
	if (!secbuf_pool_is_owned(conn->pool))
		return -EOWNERDEAD;
	/* Before somebody else can be granted them. */
	for (i = 0; i < ARRAY_SIZE(conn->buffers); i++) {
		if (conn->buffers[i])
			secbuf_pool_unlend(conn->pool, conn->buffers[i]);
		conn->buffers[i] = NULL;
	}
	return secbuf_ioctl_conn_zeroize(conn->fd, &args);
}

int secbuf_conn_fd(const struct secbuf_conn *conn)
{
	return conn ? conn->fd : -EINVAL;
}
