/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a client's messages are in. It belongs to a conn: one buffer for requests
 * and one for replies, which the kernel zeroizes when the conn is closed, and
 * takes when the client was idle. Only messages that do not fit have other
 * memory. With --memory=malloc there is no conn, and all memory is other memory.
 */
#ifndef AGENT_CLIENT_MEMORY_H
#define AGENT_CLIENT_MEMORY_H

#include "memory.h"

/* Where the memory of all clients comes from. */
struct client_store {
	struct secbuf_source *source;	/* of other memory */
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;	/* NULL: malloc */
	uint32_t idle_ms;		/* 0: as conns have it */
};

/* One buffer of the conn, and what stands for it. */
struct client_room {
	struct secbuf_source source;
	struct client_memory *memory;
	enum secbuf_conn_buffer which;
	void *out;			/* the conn's buffer, or NULL */
};

struct client_memory {
	const struct client_store *store;
	struct secbuf_conn *conn;	/* NULL: malloc */
	struct client_room rooms[SECBUF_CONN_BUFFER_NR];
};

/*
 * For @nr clients with messages of @size bytes, a power of two. 0 or -errno for
 * secbuf_strerror()
 */
int client_store_open(struct client_store *store, const struct memory *mem,
		      size_t size, unsigned int nr);

/* After the memory of all clients. */
void client_store_close(struct client_store *store);

/* 0 or -errno; nothing is allocated yet. */
int client_memory_open(struct client_memory *memory,
		       const struct client_store *store);

/* Buffers that are in it are not to be used any more, nor released. */
void client_memory_close(struct client_memory *memory);

/* For a buffer of requests (SECBUF_CONN_BUFFER_READ) or replies. */
struct secbuf_source *client_memory_source(struct client_memory *memory,
					   enum secbuf_conn_buffer which);

#endif /* AGENT_CLIENT_MEMORY_H */
