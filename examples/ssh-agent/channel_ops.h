/* SPDX-License-Identifier: GPL-2.0 */
/* What carries the messages of a channel. */
#ifndef AGENT_CHANNEL_OPS_H
#define AGENT_CHANNEL_OPS_H

#include "channel.h"

#define CHANNEL_HEAD_SIZE	8

/* Results are those of channel_send() and channel_receive(). */
struct channel_ops {
	int (*create)(struct channel_ends *ends);
	int (*attach)(struct channel *channel, const int *fds);
	void (*close)(struct channel *channel);
	int (*send)(struct channel *channel, const struct channel_head *head,
		    const struct secbuf_cursor *message);
	int (*receive)(struct channel *channel, struct channel_head *head,
		       struct secbuf_buffer *message, uint64_t timeout_ns);
	/* Two descriptors, the first as of channel_fd(); they can be the same. */
	void (*fds)(const struct channel *channel, int *fds);
};

extern const struct channel_ops channel_ring_ops;
extern const struct channel_ops channel_socket_ops;

#endif /* AGENT_CHANNEL_OPS_H */
