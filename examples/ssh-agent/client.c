// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

_Static_assert(MEMORY_LARGE_SIZE >= SSH_AGENT_MESSAGE_MAX,
	       "every request fits in a large buffer");

/* Best effort: it is not waited for a peer that does not read. */
static void client_refuse(int fd)
{
	uint8_t message[SSH_AGENT_HEADER_SIZE + 1];
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, message, sizeof(message));
	secbuf_cursor_put_u32(&cur, 1);
	agent_refuse(&cur);
	send(fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

int client_open(struct client **out, int fd, struct memory *mem)
{
	struct client *client;
	int err;

	*out = NULL;
	client = calloc(1, sizeof(*client));
	if (!client) {
		client_refuse(fd);
		return -ENOMEM;
	}
	err = memory_conn_open(&client->conn, mem, MEMORY_SMALL);
	if (err) {
		client_refuse(fd);
		free(client);
		return err;
	}
	client->fd = fd;
	client->mem = mem;
	*out = client;
	return 0;
}

void client_close(struct client *client)
{
	memory_conn_close(client->large);
	memory_conn_close(client->conn);
	close(client->fd);
	free(client);
}

/* The exchange is over: nothing of it stays. */
static void client_reset(struct client *client)
{
	memory_conn_zeroize(client->conn);
	memory_conn_close(client->large);
	client->large = NULL;
	client->header_len = 0;
	client->request_len = 0;
	client->request_done = 0;
	client->reply = NULL;
	client->reply_len = 0;
	client->reply_done = 0;
	client->skipping = false;
}

int client_send(struct client *client)
{
	ssize_t n;

	while (client->reply_done < client->reply_len) {
		n = send(client->fd, client->reply + client->reply_done,
			 client->reply_len - client->reply_done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		client->reply_done += n;
	}
	client_reset(client);
	return client->closing ? -ECONNABORTED : 0;
}

static void client_begin_reply(struct secbuf_cursor *reply,
			       struct memory_conn *conn)
{
	uint8_t *buf = memory_conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE);

	secbuf_cursor_init(reply, buf + SSH_AGENT_HEADER_SIZE,
			   memory_conn_size(conn) - SSH_AGENT_HEADER_SIZE);
}

static int client_finish_reply(struct client *client,
			       struct memory_conn *conn,
			       const struct secbuf_cursor *reply)
{
	uint8_t *buf = memory_conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE);
	struct secbuf_cursor header;

	secbuf_cursor_init(&header, buf, SSH_AGENT_HEADER_SIZE);
	secbuf_cursor_put_u32(&header, secbuf_cursor_pos(reply));
	client->reply = buf;
	client->reply_len = SSH_AGENT_HEADER_SIZE + secbuf_cursor_pos(reply);
	return client_send(client);
}

static int client_send_failure(struct client *client)
{
	struct secbuf_cursor reply;

	client_begin_reply(&reply, client->conn);
	agent_refuse(&reply);
	return client_finish_reply(client, client->conn, &reply);
}

static struct memory_conn *client_request_conn(const struct client *client)
{
	return client->large ? client->large : client->conn;
}

/* Few replies outgrow the small buffer, so it is tried first. */
static int client_answer(struct client *client, struct agent *agent)
{
	struct memory_conn *conn = client->conn;
	struct secbuf_cursor reply;
	void *request;
	int err;

	request = memory_conn_buffer(client_request_conn(client),
				     SECBUF_CONN_BUFFER_READ);
	client_begin_reply(&reply, conn);
	err = agent_answer(agent, request, client->request_len, &reply);
	if (err && !client->large)
		memory_conn_open(&client->large, client->mem, MEMORY_LARGE);
	if (err && client->large) {
		conn = client->large;
		client_begin_reply(&reply, conn);
		err = agent_answer(agent, request, client->request_len,
				   &reply);
	}
	if (err)
		return client_send_failure(client);
	return client_finish_reply(client, conn, &reply);
}

/* -EAGAIN: nothing more for now; -ECONNRESET: the peer is gone */
static int client_read(struct client *client, void *buf, size_t size,
		       size_t *done)
{
	ssize_t n;

	do {
		n = read(client->fd, buf, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -ECONNRESET;
	*done += n;
	return 0;
}

static int client_read_header(struct client *client)
{
	struct secbuf_cursor cur;
	uint32_t len;
	int err;

	err = client_read(client, client->header + client->header_len,
			  SSH_AGENT_HEADER_SIZE - client->header_len,
			  &client->header_len);
	if (err || client->header_len < SSH_AGENT_HEADER_SIZE)
		return err;

	secbuf_cursor_init_filled(&cur, client->header, client->header_len);
	err = secbuf_cursor_get_u32(&cur, &len);
	if (err)
		return err;
	if (!len || len > SSH_AGENT_MESSAGE_MAX) {
		client->closing = true;
		return client_send_failure(client);
	}
	client->request_len = len;
	if (len > memory_conn_size(client->conn))
		client->skipping = memory_conn_open(&client->large,
						    client->mem,
						    MEMORY_LARGE);
	return 0;
}

static int client_read_request(struct client *client)
{
	struct memory_conn *conn = client_request_conn(client);
	uint8_t *buf = memory_conn_buffer(conn, SECBUF_CONN_BUFFER_READ);
	size_t size = client->request_len - client->request_done;

	if (!client->skipping)
		buf += client->request_done;
	else if (size > memory_conn_size(conn))
		size = memory_conn_size(conn);
	return client_read(client, buf, size, &client->request_done);
}

/* At most one request, so that nobody keeps the others waiting. */
int client_receive(struct client *client, struct agent *agent)
{
	int err = 0;

	while (!err && !client->reply_len && !client->closing) {
		if (client->header_len < SSH_AGENT_HEADER_SIZE)
			err = client_read_header(client);
		else
			err = client_read_request(client);
		if (err || !client->request_len ||
		    client->request_done < client->request_len)
			continue;
		return client->skipping ? client_send_failure(client) :
					  client_answer(client, agent);
	}
	return err == -EAGAIN ? 0 : err;
}

uint32_t client_events(const struct client *client)
{
	return client->reply_len ? EPOLLOUT : EPOLLIN;
}
