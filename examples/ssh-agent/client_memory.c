// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "client_memory.h"

int client_store_open(struct client_store *store, const struct memory *mem,
		      size_t size, unsigned int nr)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.buf_size = size,
		.max = SECBUF_CONN_BUFFER_NR * nr,
		.require_protections = MEMORY_PROTECTIONS,
	};

	memset(store, 0, sizeof(*store));
	store->source = mem->source;
	store->ctx = mem->ctx;
	return mem->ctx ? secbuf_pool_open(&store->pool, mem->ctx, &opts) : 0;
}

void client_store_close(struct client_store *store)
{
	secbuf_pool_close(store->pool);
	memset(store, 0, sizeof(*store));
}

/* The conn's buffer if that is large enough, and other memory if not. */
static int client_room_alloc(struct secbuf_source *source, size_t size,
			     void **out, size_t *got)
{
	struct client_room *room = (struct client_room *)source;
	const struct client_store *store = room->memory->store;
	size_t buf_size = secbuf_pool_buf_size(store->pool);
	int err;

	if (room->out || size > buf_size)
		return store->source->ops->alloc(store->source, size, out, got);
	err = secbuf_conn_buffer(room->memory->conn, room->which, out);
	if (err)
		return err;
	room->out = *out;
	*got = buf_size;
	return 0;
}

static void client_room_free(struct secbuf_source *source, void *ptr,
			     size_t dirty)
{
	struct client_room *room = (struct client_room *)source;
	const struct client_store *store = room->memory->store;

	if (ptr != room->out) {
		store->source->ops->free(store->source, ptr, dirty);
		return;
	}
	secbuf_conn_buffer_release(room->memory->conn, room->which, dirty);
	room->out = NULL;
}

static const struct secbuf_source_ops client_room_ops = {
	.alloc	= client_room_alloc,
	.free	= client_room_free,
};

int client_memory_open(struct client_memory *memory,
		       const struct client_store *store)
{
	const struct secbuf_conn_opts opts = {
		.sz = sizeof(opts),
		.idle_ms = store->idle_ms,
	};
	int which;

	memset(memory, 0, sizeof(*memory));
	memory->store = store;
	for (which = 0; which < SECBUF_CONN_BUFFER_NR; which++) {
		memory->rooms[which].source.ops = &client_room_ops;
		memory->rooms[which].memory = memory;
		memory->rooms[which].which = which;
	}
	if (!store->pool)
		return 0;
	return secbuf_conn_open(&memory->conn, store->ctx, store->pool, &opts);
}

void client_memory_close(struct client_memory *memory)
{
	secbuf_conn_close(memory->conn);
	memset(memory, 0, sizeof(*memory));
}

struct secbuf_source *client_memory_source(struct client_memory *memory,
					   enum secbuf_conn_buffer which)
{
	if (!memory->conn)
		return memory->store->source;
	return &memory->rooms[which].source;
}
