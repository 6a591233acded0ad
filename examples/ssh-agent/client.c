// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

/* Without memory, before the end: it is not waited for who does not read. */
static void client_refuse(int fd)
{
	static const uint8_t message[] = { 0, 0, 0, 1, SSH_AGENT_FAILURE };

	send(fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int client_quota_open(struct client_quota *quota, const struct memory *mem)
{
	quota->nr = 0;
	quota->nr_long = 0;
	return client_store_open(&quota->store, mem, CLIENT_SHORT_SIZE,
				 CLIENT_MAX);
}

void client_quota_close(struct client_quota *quota)
{
	client_store_close(&quota->store);
}

/* They have memory while there is something in them. */
static int client_open_buffers(struct client *client)
{
	struct client_memory *memory = &client->memory;
	int err;

	err = client_memory_open(memory, &client->quota->store);
	if (err)
		return err;
	secbuf_buffer_init(&client->request,
			   client_memory_source(memory,
						SECBUF_CONN_BUFFER_READ));
	secbuf_buffer_init(&client->reply,
			   client_memory_source(memory,
						SECBUF_CONN_BUFFER_WRITE));
	secbuf_buffer_set_max(&client->request, CLIENT_SHORT_SIZE);
	secbuf_buffer_set_max(&client->reply, CLIENT_SHORT_SIZE);
	return 0;
}

int client_open(struct client **out, int fd, struct client_quota *quota)
{
	struct client *client = NULL;
	int err = -EUSERS;

	*out = NULL;
	if (quota->nr < CLIENT_MAX) {
		client = calloc(1, sizeof(*client));
		err = -ENOMEM;
	}
	if (client) {
		client->fd = fd;
		client->quota = quota;
		err = client_open_buffers(client);
	}
	if (err) {
		client_refuse(fd);
		close(fd);
		free(client);
		return err;
	}
	quota->nr++;
	*out = client;
	return 0;
}

static void client_set_short(struct client *client)
{
	if (!client->is_long)
		return;
	secbuf_buffer_set_max(&client->request, CLIENT_SHORT_SIZE);
	secbuf_buffer_set_max(&client->reply, CLIENT_SHORT_SIZE);
	client->is_long = false;
	client->quota->nr_long--;
}

static int client_set_long(struct client *client)
{
	if (client->is_long)
		return 0;
	if (client->quota->nr_long == CLIENT_LONG_MAX)
		return -ENOSPC;
	secbuf_buffer_set_max(&client->request, SSH_AGENT_MESSAGE_MAX);
	secbuf_buffer_set_max(&client->reply, SSH_AGENT_MESSAGE_MAX);
	client->is_long = true;
	client->quota->nr_long++;
	return 0;
}

/* What it has is for others, or for the kernel to take. */
static void client_release(struct client *client)
{
	secbuf_buffer_release(&client->request);
	secbuf_buffer_release(&client->reply);
	client_set_short(client);
}

/* A buffer without memory gets that which every client can have. */
static int client_make_short(struct secbuf_buffer *buf)
{
	if (secbuf_buffer_capacity(buf))
		return 0;
	return secbuf_buffer_reserve(buf, CLIENT_SHORT_SIZE);
}

void client_close(struct client *client)
{
	client_release(client);
	client->quota->nr--;
	client_memory_close(&client->memory);
	close(client->fd);
	free(client);
}

/*
 * Replies.
 */

/* The exchange is over: nothing of it stays. */
static void client_reset(struct client *client)
{
	client_release(client);
	client->request_len = 0;
}

static int client_send(struct client *client)
{
	const struct secbuf_vec vec = { &client->reply, SSH_AGENT_MESSAGE_MAX };
	ssize_t n;

	while (secbuf_cursor_remaining(&client->reply.cur)) {
		n = secbuf_buffer_sendmsg(&vec, 1, client->fd, NULL,
					  MSG_NOSIGNAL);
		if (n < 0)
			return n;
	}
	client_reset(client);
	return client->closing ? -ECONNABORTED : 0;
}

/* Its length is not known yet. */
static int client_begin_reply(struct client *client)
{
	int err;

	secbuf_buffer_clear(&client->reply);
	err = client_make_short(&client->reply);
	return err ? err : secbuf_buffer_put_u32(&client->reply, 0);
}

static int client_finish_reply(struct client *client)
{
	struct secbuf_cursor *cur = &client->reply.cur;

	secbuf_cursor_set_pos(cur, 0);
	secbuf_cursor_put_u32(cur,
			      secbuf_cursor_len(cur) - SSH_AGENT_HEADER_SIZE);
	secbuf_cursor_set_pos(cur, 0);
	return client_send(client);
}

static int client_fail(struct client *client)
{
	int err;

	err = client_begin_reply(client);
	if (!err)
		err = secbuf_buffer_put_u8(&client->reply, SSH_AGENT_FAILURE);
	if (!err)
		return client_finish_reply(client);
	client_refuse(client->fd);
	return err;
}

static int client_try_answer(struct client *client, struct responder *responder)
{
	int err;

	err = client_begin_reply(client);
	if (err)
		return err;
	return responder->answer(responder, &client->request.cur,
				 &client->reply);
}

/* Few replies are long. */
static int client_answer(struct client *client, struct responder *responder)
{
	int err;

	err = client_try_answer(client, responder);
	if (err == -EMSGSIZE && !client_set_long(client))
		err = client_try_answer(client, responder);
	return err ? client_fail(client) : client_finish_reply(client);
}

/*
 * Requests.
 */

/* @n bytes or fewer */
static int client_read(struct client *client, size_t n)
{
	ssize_t got;
	int err;

	err = client_make_short(&client->request);
	if (!err)
		err = secbuf_buffer_reserve(&client->request, n);
	if (err) {
		client_refuse(client->fd);
		return err;
	}
	got = secbuf_buffer_read(&client->request, client->fd, n);
	if (got > 0)
		return 0;
	/* Who has sent nothing needs nothing. */
	if (!secbuf_cursor_len(&client->request.cur) && !client->request_len)
		client_release(client);
	return got ? got : -ECONNRESET;
}

/* All of it at once, or it is read and thrown away. */
static void client_make_room(struct client *client)
{
	int err = 0;

	if (client->request_len > CLIENT_SHORT_SIZE)
		err = client_set_long(client);
	if (!err)
		err = secbuf_buffer_reserve(&client->request,
					    client->request_len);
	if (err)
		client->skip = client->request_len;
}

static int client_read_length(struct client *client)
{
	struct secbuf_cursor *cur = &client->request.cur;
	uint32_t len;
	int err;

	err = client_read(client,
			  SSH_AGENT_HEADER_SIZE - secbuf_cursor_len(cur));
	if (err || secbuf_cursor_get_u32(cur, &len))
		return err;
	secbuf_buffer_clear(&client->request);
	if (!len || len > SSH_AGENT_MESSAGE_MAX) {
		client->closing = true;
		return client_fail(client);
	}
	client->request_len = len;
	client_make_room(client);
	return 0;
}

static int client_skip_request(struct client *client)
{
	size_t n = CLIENT_SHORT_SIZE;
	int err;

	if (n > client->skip)
		n = client->skip;
	err = client_read(client, n);
	if (err)
		return err;
	client->skip -= secbuf_cursor_len(&client->request.cur);
	secbuf_buffer_clear(&client->request);
	return client->skip ? 0 : client_fail(client);
}

static int client_read_request(struct client *client,
			       struct responder *responder)
{
	struct secbuf_cursor *cur = &client->request.cur;
	int err;

	err = client_read(client,
			  client->request_len - secbuf_cursor_len(cur));
	if (err || secbuf_cursor_len(cur) < client->request_len)
		return err;
	return client_answer(client, responder);
}

static bool client_is_sending(const struct client *client)
{
	return secbuf_cursor_remaining(&client->reply.cur);
}

/* At most one request, so that nobody keeps the others waiting. */
static int client_receive(struct client *client, struct responder *responder)
{
	int err;

	do {
		if (client->skip)
			err = client_skip_request(client);
		else if (client->request_len)
			err = client_read_request(client, responder);
		else
			err = client_read_length(client);
	} while (!err && client->request_len && !client_is_sending(client));
	return err;
}

int client_serve(struct client *client, struct responder *responder)
{
	int err;

	if (client_is_sending(client))
		err = client_send(client);
	else
		err = client_receive(client, responder);
	return err == -EAGAIN || err == -EINTR ? 0 : err;
}

uint32_t client_events(const struct client *client)
{
	return client_is_sending(client) ? EPOLLOUT : EPOLLIN;
}
