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

/* Who is let in has memory for short messages. */
static int client_open_buffers(struct client *client)
{
	struct secbuf_source *source = client->quota->source;
	int err;

	err = secbuf_buffer_open(&client->request, source, CLIENT_SHORT_SIZE);
	if (err)
		return err;
	err = secbuf_buffer_open(&client->reply, source, CLIENT_SHORT_SIZE);
	if (err) {
		secbuf_buffer_release(&client->request);
		return err;
	}
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

/* When there is no memory left, the buffers have none until they need it. */
static void client_set_short(struct client *client)
{
	secbuf_buffer_shrink(&client->request, CLIENT_SHORT_SIZE);
	secbuf_buffer_shrink(&client->reply, CLIENT_SHORT_SIZE);
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

void client_close(struct client *client)
{
	if (client->is_long)
		client->quota->nr_long--;
	client->quota->nr--;
	secbuf_buffer_release(&client->request);
	secbuf_buffer_release(&client->reply);
	close(client->fd);
	free(client);
}

/*
 * Replies.
 */

/* The exchange is over: nothing of it stays. */
static void client_reset(struct client *client)
{
	client_set_short(client);
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
	secbuf_buffer_clear(&client->reply);
	return secbuf_buffer_put_u32(&client->reply, 0);
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
		err = agent_refuse(&client->reply);
	if (!err)
		return client_finish_reply(client);
	client_refuse(client->fd);
	return err;
}

static int client_try_answer(struct client *client, struct agent *agent)
{
	int err;

	err = client_begin_reply(client);
	return err ? err : agent_answer(agent, &client->request.cur,
					&client->reply);
}

/* Few replies are long. */
static int client_answer(struct client *client, struct agent *agent)
{
	int err;

	err = client_try_answer(client, agent);
	if (err == -EMSGSIZE && !client_set_long(client))
		err = client_try_answer(client, agent);
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

	/* After a long message there may be none, see client_set_short(). */
	err = secbuf_buffer_reserve(&client->request, n);
	if (err) {
		client_refuse(client->fd);
		return err;
	}
	got = secbuf_buffer_read(&client->request, client->fd, n);
	if (got < 0)
		return got;
	return got ? 0 : -ECONNRESET;
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

static int client_read_request(struct client *client, struct agent *agent)
{
	struct secbuf_cursor *cur = &client->request.cur;
	int err;

	err = client_read(client,
			  client->request_len - secbuf_cursor_len(cur));
	if (err || secbuf_cursor_len(cur) < client->request_len)
		return err;
	return client_answer(client, agent);
}

static bool client_is_sending(const struct client *client)
{
	return secbuf_cursor_remaining(&client->reply.cur);
}

/* At most one request, so that nobody keeps the others waiting. */
static int client_receive(struct client *client, struct agent *agent)
{
	int err;

	do {
		if (client->skip)
			err = client_skip_request(client);
		else if (client->request_len)
			err = client_read_request(client, agent);
		else
			err = client_read_length(client);
	} while (!err && client->request_len && !client_is_sending(client));
	return err;
}

int client_serve(struct client *client, struct agent *agent)
{
	int err;

	if (client_is_sending(client))
		err = client_send(client);
	else
		err = client_receive(client, agent);
	return err == -EAGAIN || err == -EINTR ? 0 : err;
}

uint32_t client_events(const struct client *client)
{
	return client_is_sending(client) ? EPOLLOUT : EPOLLIN;
}
