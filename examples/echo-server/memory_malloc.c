// SPDX-License-Identifier: GPL-2.0
/*
 * malloc: as a server would do it that has no secrets. Buffers stay when they are
 * released, and nothing is zeroized.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "memory.h"

struct packet {
	struct packet *next;
	size_t start;
	size_t end;
	unsigned char bytes[];
};

struct store {
	size_t buf_size;
	void *buffers[SECBUF_CONN_BUFFER_NR];
	struct packet *head;
	struct packet **tail;
	unsigned int nr_packets;
};

static int memory_malloc_open(struct memory *mem)
{
	(void)mem;
	return 0;
}

static void memory_malloc_close(struct memory *mem)
{
	(void)mem;
}

static int memory_malloc_store_open(struct memory *mem, struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));

	*out = store;
	if (!store)
		return -ENOMEM;
	store->buf_size = mem->buf_size;
	store->tail = &store->head;
	return 0;
}

static void drop_head(struct store *store)
{
	struct packet *packet = store->head;

	store->head = packet->next;
	if (!store->head)
		store->tail = &store->head;
	store->nr_packets--;
	free(packet);
}

static void memory_malloc_store_close(struct store *store)
{
	while (store->head)
		drop_head(store);
	free(store->buffers[SECBUF_CONN_BUFFER_READ]);
	free(store->buffers[SECBUF_CONN_BUFFER_WRITE]);
	free(store);
}

static int memory_malloc_buffer(struct store *store,
				enum secbuf_conn_buffer which, void **out)
{
	if (!store->buffers[which])
		store->buffers[which] = malloc(store->buf_size);
	*out = store->buffers[which];
	return *out ? 0 : -ENOMEM;
}

static void memory_malloc_release(struct store *store,
				  enum secbuf_conn_buffer which, size_t dirty)
{
	(void)store;
	(void)which;
	(void)dirty;
}

static int memory_malloc_enqueue(struct store *store, const void *data,
				 size_t len)
{
	struct packet *packet;

	if (store->nr_packets == MEMORY_MAX_PACKETS)
		return -ENOBUFS;
	packet = malloc(sizeof(*packet) + len);
	if (!packet)
		return -ENOMEM;
	packet->next = NULL;
	packet->start = 0;
	packet->end = len;
	memcpy(packet->bytes, data, len);
	*store->tail = packet;
	store->tail = &packet->next;
	store->nr_packets++;
	return 0;
}

static ssize_t memory_malloc_send(struct store *store, int sock,
				  unsigned int *sent)
{
	struct packet *packet;
	ssize_t n, bytes = 0;
	unsigned int nr = 0;

	errno = EAGAIN;
	while ((packet = store->head) != NULL) {
		n = send(sock, packet->bytes + packet->start,
			 packet->end - packet->start,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			break;
		bytes += n;
		packet->start += n;
		if (packet->start < packet->end)
			break;
		drop_head(store);
		nr++;
	}
	if (!bytes)
		return -errno;
	*sent = nr;
	return bytes;
}

static int memory_malloc_is_near_full(const struct store *store)
{
	return store->nr_packets >= MEMORY_MAX_PACKETS * 8 / 10;
}

const struct memory_ops memory_malloc_ops = {
	.open		= memory_malloc_open,
	.close		= memory_malloc_close,
	.store_open	= memory_malloc_store_open,
	.store_close	= memory_malloc_store_close,
	.buffer		= memory_malloc_buffer,
	.release	= memory_malloc_release,
	.enqueue	= memory_malloc_enqueue,
	.send		= memory_malloc_send,
	.is_near_full	= memory_malloc_is_near_full,
};
