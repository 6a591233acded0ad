/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the buffers and the queues of clients are. This is the only place where
 * --memory=secbuf and --memory=malloc differ.
 */
#ifndef ECHO_MEMORY_H
#define ECHO_MEMORY_H

#include <secbuf.h>

/* Packets that a client can have in its queue. */
#define MEMORY_MAX_PACKETS	5

struct memory;

/* What one client has. The functions are those of the same name of a conn. */
struct store;

struct memory_ops {
	int (*open)(struct memory *mem);
	void (*close)(struct memory *mem);
	int (*store_open)(struct memory *mem, struct store **out);
	void (*store_close)(struct store *store);
	int (*buffer)(struct store *store, enum secbuf_conn_buffer which,
		      void **out);
	void (*release)(struct store *store, enum secbuf_conn_buffer which,
			size_t dirty);
	int (*enqueue)(struct store *store, const void *data, size_t len);
	ssize_t (*send)(struct store *store, int sock, unsigned int *sent);
	int (*is_near_full)(const struct store *store);
};

struct memory {
	const struct memory_ops *ops;
	size_t buf_size;
	unsigned int max_clients;
	unsigned int idle_ms;
	struct secbuf_context *ctx;	/* secbuf only */
	struct secbuf_pool *pool;
};

extern const struct memory_ops memory_secbuf_ops;
extern const struct memory_ops memory_malloc_ops;

#endif /* ECHO_MEMORY_H */
