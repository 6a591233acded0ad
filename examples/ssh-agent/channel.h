/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between the two processes of the agent: over two rings of records,
 * one for each way, which belong to the process that has attached them, die with
 * it, and keep nothing of what was received. With --memory=malloc a pair of
 * sockets stands for them.
 *
 * Neither side trusts the other. What was received is a copy that the other
 * cannot change any more, no longer than a message can be; what it means is for
 * the receiver to check.
 */
#ifndef AGENT_CHANNEL_H
#define AGENT_CHANNEL_H

#include <secbuf.h>

#include "protocol.h"

#define CHANNEL_MESSAGE_MAX	SSH_AGENT_MESSAGE_MAX
#define CHANNEL_FOREVER		SECBUF_RING_TIMEOUT_NONE

enum channel_side {
	CHANNEL_FRONT,		/* talks to clients */
	CHANNEL_KEEPER,		/* has the keys */
	CHANNEL_SIDES
};

/* What a side writes to and reads from, before it is attached. */
struct channel_ends {
	bool rings;
	int fds[CHANNEL_SIDES][2];
};

struct channel_ops;

struct channel {
	const struct channel_ops *ops;
	struct secbuf_ring_producer *out;
	struct secbuf_ring_consumer *in;
	int sock;
	int err;		/* why nothing goes any more, or 0 */
};

/* Before the message itself. */
struct channel_head {
	uint32_t number;	/* of the request, also in its reply */
	uint32_t value;
};

/* @memory: as of memory_open(). 0 or -errno for secbuf_strerror() */
int channel_create(struct channel_ends *ends, const char *memory);

/* Close them in this process. */
void channel_drop(struct channel_ends *ends);

/*
 * Take one side over; the ends are closed in this process, whatever the result.
 * 0 or -errno for secbuf_strerror()
 */
int channel_attach(struct channel *channel, struct channel_ends *ends,
		   enum channel_side side);
void channel_close(struct channel *channel);

/* 0 or what is then in @channel->err */
int channel_send(struct channel *channel, const struct channel_head *head,
		 const struct secbuf_cursor *message);

/*
 * Append the next message to @message, and zeroize it where it was.
 *
 * Return: 0; -ETIMEDOUT; an error of @message, without which the message is gone;
 * or what is then in @channel->err: -EPIPE if the other side is gone, -EPROTO if
 * what it sent is no message.
 */
int channel_receive(struct channel *channel, struct channel_head *head,
		    struct secbuf_buffer *message, uint64_t timeout_ns);

/* Nothing is to go any more, because of @err, which is returned. */
int channel_fail(struct channel *channel, int err);

/* Hung up when the other side is gone. */
int channel_fd(const struct channel *channel);

/* Close all descriptors of this process but its own and the standard ones. */
int channel_isolate(const struct channel *channel);

#endif /* AGENT_CHANNEL_H */
