/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One connection: framing, and the buffers that messages are in. What they say is
 * for who answers.
 */
#ifndef AGENT_CLIENT_H
#define AGENT_CLIENT_H

#include "client_memory.h"
#include "protocol.h"

#define CLIENT_MAX		128	/* at once */
#define CLIENT_LONG_MAX		8	/* with a long message under way */

/* Messages that every client can have; those beyond are long. */
#define CLIENT_SHORT_SIZE	4096

/* Who knows answers. */
struct responder {
	/*
	 * Answer one request, without the length before it; nor does the reply,
	 * put behind the contents of @reply, get one.
	 *
	 * Return: 0; -EMSGSIZE if the reply is longer than @reply may be, and
	 * nothing happened; another error if there is none. @reply can have
	 * become longer all the same.
	 */
	int (*answer)(struct responder *responder,
		      const struct secbuf_cursor *request,
		      struct secbuf_buffer *reply);
};

/* What all clients share. */
struct client_quota {
	struct client_store store;
	unsigned int nr;
	unsigned int nr_long;
};

struct client {
	int fd;
	struct client_quota *quota;
	struct client_memory memory;	/* of the two buffers */
	struct secbuf_buffer request;	/* first its length, then itself */
	struct secbuf_buffer reply;	/* with its length; empty: reading */
	size_t request_len;		/* 0: not known yet */
	size_t skip;			/* bytes of a request without room */
	bool is_long;			/* counted in the quota */
	bool closing;			/* after this reply */
	uint32_t events;		/* what epoll waits for */
	struct client *prev;
	struct client *next;
};

/* 0 or -errno for secbuf_strerror() */
int client_quota_open(struct client_quota *quota, const struct memory *mem);
void client_quota_close(struct client_quota *quota);

/*
 * Takes @fd over, also when it fails: then the peer is refused. -EUSERS: there
 * are CLIENT_MAX; or an error of its memory
 */
int client_open(struct client **out, int fd, struct client_quota *quota);
void client_close(struct client *client);

/* Go on as far as that does not block. An error: close it. */
int client_serve(struct client *client, struct responder *responder);

/* EPOLLIN or EPOLLOUT, never both: a reply goes out before the next request. */
uint32_t client_events(const struct client *client);

#endif /* AGENT_CLIENT_H */
