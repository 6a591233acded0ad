// SPDX-License-Identifier: GPL-2.0
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int client_open(struct client **out, int fd, struct memory *mem)
{
	struct client *client = calloc(1, sizeof(*client));
	int err = client ? mem->ops->store_open(mem, &client->store) : -ENOMEM;

	if (err) {
		free(client);
		close(fd);
		return err;
	}
	client->mem = mem;
	client->fd = fd;
	*out = client;
	return 0;
}

void client_close(struct client *client)
{
	client->mem->ops->store_close(client->store);
	close(client->fd);
	free(client);
}

/*
 * Answers. They go from the write buffer to the socket; what that does not take
 * goes to the queue, and if there is no room it stays in the buffer.
 */

static int client_release_write(struct client *client)
{
	client->mem->ops->release(client->store, SECBUF_CONN_BUFFER_WRITE,
				  client->written);
	client->written = 0;
	client->unsent = 0;
	return 0;
}

static int client_write(struct client *client, const unsigned char *bytes)
{
	ssize_t n;

	if (client->queued)
		return 0;
	n = send(client->fd, bytes + client->unsent,
		 client->written - client->unsent, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->unsent += n;
	return 0;
}

/* Limits and lack of memory mean that the client has to read first. */
static int client_enqueue(struct client *client, const unsigned char *bytes)
{
	int err = client->mem->ops->enqueue(client->store,
					    bytes + client->unsent,
					    client->written - client->unsent);

	switch (err) {
	case 0:
		client->queued++;
		client->unsent = client->written;
		return 0;
	case -ENOBUFS:
	case -EOVERFLOW:
	case -ENOSPC:
	case -EDQUOT:
	case -ENOMEM:
		return 0;
	default:
		return err;
	}
}

/* Out of the write buffer, wherever there is room. */
static int client_flush(struct client *client)
{
	void *bytes;
	int err;

	if (!client->written)
		return 0;
	err = client->mem->ops->buffer(client->store, SECBUF_CONN_BUFFER_WRITE,
				       &bytes);
	if (!err)
		err = client_write(client, bytes);
	if (!err && client->unsent < client->written)
		err = client_enqueue(client, bytes);
	if (!err && client->unsent == client->written)
		err = client_release_write(client);
	return err;
}

static int client_send_queue(struct client *client)
{
	unsigned int sent = 0;
	ssize_t n;

	if (!client->queued)
		return 0;
	n = client->mem->ops->send(client->store, client->fd, &sent);
	if (n < 0)
		return n == -EAGAIN ? 0 : n;
	client->queued -= sent;
	return 0;
}

/*
 * Requests
 */

/* The next whole string of @in becomes an answer in @out. */
static int client_echo(struct client *client, struct secbuf_cursor *in,
		       struct secbuf_cursor *out)
{
	size_t max = client->mem->buf_size - CLIENT_HEADER_SIZE;
	const unsigned char *string;
	size_t len;
	int err;

	err = secbuf_cursor_get_string_max(in, max, &string, &len);
	if (!err)
		err = secbuf_cursor_put_string(out, string, len);
	if (!err)
		client->frames++;
	return err;
}

/* All whole strings of the read buffer; what is left moves to its beginning. */
static int client_parse(struct client *client, unsigned char *bytes)
{
	struct secbuf_cursor in, out;
	size_t done;
	void *buf;
	int err;

	err = client->mem->ops->buffer(client->store, SECBUF_CONN_BUFFER_WRITE,
				       &buf);
	if (err)
		return err;
	secbuf_cursor_init_filled(&in, bytes, client->have);
	secbuf_cursor_init(&out, buf, client->mem->buf_size);
	do {
		done = secbuf_cursor_pos(&in);
		err = client_echo(client, &in, &out);
	} while (!err);
	client->written = secbuf_cursor_len(&out);
	if (!client->written)
		client_release_write(client);
	client->have -= done;
	if (done && client->have)
		secbuf_memory_copy(bytes, bytes + done, client->have);
	return err == -ENODATA ? 0 : err;
}

/* A client that does not read what it asked for is not served. */
static bool client_is_stalled(const struct client *client)
{
	return client->written || client->ended ||
	       (client->queued &&
		client->mem->ops->is_near_full(client->store));
}

static int client_receive(struct client *client, unsigned char *bytes)
{
	ssize_t n = recv(client->fd, bytes + client->have,
			 client->mem->buf_size - client->have, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n) {
		client->ended = true;
		return 0;
	}
	client->have += n;
	if (client->dirty < client->have)
		client->dirty = client->have;
	return client_parse(client, bytes);
}

static int client_read(struct client *client)
{
	void *bytes;
	int err;

	err = client->mem->ops->buffer(client->store, SECBUF_CONN_BUFFER_READ,
				       &bytes);
	if (!err)
		err = client_receive(client, bytes);
	if (!err && !client->have) {
		client->mem->ops->release(client->store,
					  SECBUF_CONN_BUFFER_READ,
					  client->dirty);
		client->dirty = 0;
	}
	return err;
}

int client_serve(struct client *client)
{
	int err = client_send_queue(client);

	if (!err)
		err = client_flush(client);
	if (!err && !client_is_stalled(client))
		err = client_read(client);
	if (!err)
		err = client_flush(client);
	if (!err && client->ended && !client->written && !client->queued)
		err = -ECONNRESET;
	return err;
}

uint32_t client_events(const struct client *client)
{
	uint32_t events = 0;

	if (!client_is_stalled(client))
		events |= EPOLLIN;
	if (client->written || client->queued)
		events |= EPOLLOUT;
	return events;
}
