/* SPDX-License-Identifier: GPL-2.0 */
/* One connection: framing, and the buffers that messages are in. */
#ifndef AGENT_CLIENT_H
#define AGENT_CLIENT_H

#include "agent.h"
#include "protocol.h"

struct client {
	int fd;
	struct memory *mem;
	struct memory_conn *conn;
	struct memory_conn *large;	/* only while a long message is here */
	uint8_t header[SSH_AGENT_HEADER_SIZE];
	size_t header_len;
	size_t request_len;
	size_t request_done;
	const uint8_t *reply;
	size_t reply_len;		/* 0: reading */
	size_t reply_done;
	bool skipping;			/* no buffer for the request */
	bool closing;			/* after this reply */
	uint32_t events;		/* what epoll waits for */
	struct client *prev;
	struct client *next;
};

/* Takes @fd over, also when it fails: then the peer is refused. */
int client_open(struct client **out, int fd, struct memory *mem);
void client_close(struct client *client);

/* Go on as far as that does not block. An error: close it. */
int client_receive(struct client *client, struct agent *agent);
int client_send(struct client *client);

/* EPOLLIN or EPOLLOUT, never both: a reply goes out before the next request. */
uint32_t client_events(const struct client *client);

#endif /* AGENT_CLIENT_H */
