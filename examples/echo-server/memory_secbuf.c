// SPDX-License-Identifier: GPL-2.0
/*
 * secbuf: a conn for each client, all on one pool.
 */
#include <errno.h>

#include "memory.h"

/* So that those who do not read what they asked for take nothing from others. */
#define MEMORY_SLOTS_PER_CLIENT	(SECBUF_CONN_BUFFER_NR + MEMORY_MAX_PACKETS)

/* A store is a conn and nothing else. */
static struct secbuf_conn *conn_of(const struct store *store)
{
	return (struct secbuf_conn *)store;
}

static int memory_secbuf_open(struct memory *mem)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.buf_size = mem->buf_size,
		.max = mem->max_clients * MEMORY_SLOTS_PER_CLIENT,
	};
	int err = secbuf_open(&mem->ctx, NULL);

	if (!err)
		err = secbuf_pool_open(&mem->pool, mem->ctx, &opts);
	return err;
}

static void memory_secbuf_close(struct memory *mem)
{
	secbuf_pool_close(mem->pool);
	secbuf_close(mem->ctx);
}

static int memory_secbuf_store_open(struct memory *mem, struct store **out)
{
	const struct secbuf_conn_opts opts = {
		.sz = sizeof(opts),
		.max_packets = MEMORY_MAX_PACKETS,
		.idle_ms = mem->idle_ms,
	};

	return secbuf_conn_open((struct secbuf_conn **)out, mem->ctx, mem->pool,
				&opts);
}

static void memory_secbuf_store_close(struct store *store)
{
	secbuf_conn_close(conn_of(store));
}

static int memory_secbuf_buffer(struct store *store,
				enum secbuf_conn_buffer which, void **out)
{
	return secbuf_conn_buffer(conn_of(store), which, out);
}

static void memory_secbuf_release(struct store *store,
				  enum secbuf_conn_buffer which, size_t dirty)
{
	secbuf_conn_buffer_release(conn_of(store), which, dirty);
}

static int memory_secbuf_enqueue(struct store *store, const void *data,
				 size_t len)
{
	return secbuf_conn_enqueue(conn_of(store), data, len);
}

static ssize_t memory_secbuf_send(struct store *store, int sock,
				  unsigned int *sent)
{
	return secbuf_conn_send(conn_of(store), sock, 0, sent);
}

static int memory_secbuf_is_near_full(const struct store *store)
{
	return secbuf_conn_is_near_full(conn_of(store));
}

const struct memory_ops memory_secbuf_ops = {
	.open		= memory_secbuf_open,
	.close		= memory_secbuf_close,
	.store_open	= memory_secbuf_store_open,
	.store_close	= memory_secbuf_store_close,
	.buffer		= memory_secbuf_buffer,
	.release	= memory_secbuf_release,
	.enqueue	= memory_secbuf_enqueue,
	.send		= memory_secbuf_send,
	.is_near_full	= memory_secbuf_is_near_full,
};
