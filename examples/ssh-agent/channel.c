// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "channel_ops.h"

static const struct channel_ops *channel_ops(const struct channel_ends *ends)
{
	return ends->rings ? &channel_ring_ops : &channel_socket_ops;
}

/* The ends of a side can be one. */
void channel_drop(struct channel_ends *ends)
{
	const int *fds;
	int side;

	for (side = 0; side < CHANNEL_SIDES; side++) {
		fds = ends->fds[side];
		close(fds[0]);
		if (fds[1] != fds[0])
			close(fds[1]);
	}
}

int channel_create(struct channel_ends *ends, const char *memory)
{
	int err;

	memset(ends->fds, -1, sizeof(ends->fds));
	ends->rings = !strcmp(memory, "secbuf");
	err = channel_ops(ends)->create(ends);
	if (err)
		channel_drop(ends);
	return err;
}

int channel_attach(struct channel *channel, struct channel_ends *ends,
		   enum channel_side side)
{
	int err;

	memset(channel, 0, sizeof(*channel));
	channel->ops = channel_ops(ends);
	channel->sock = -1;
	err = channel->ops->attach(channel, ends->fds[side]);
	channel_drop(ends);
	if (err)
		channel_close(channel);
	return err;
}

void channel_close(struct channel *channel)
{
	channel->ops->close(channel);
	channel->out = NULL;
	channel->in = NULL;
	channel->sock = -1;
	channel->err = -ESHUTDOWN;
}

int channel_fail(struct channel *channel, int err)
{
	channel->err = err;
	return err;
}

int channel_send(struct channel *channel, const struct channel_head *head,
		 const struct secbuf_cursor *message)
{
	if (channel->err)
		return channel->err;
	return channel->ops->send(channel, head, message);
}

int channel_receive(struct channel *channel, struct channel_head *head,
		    struct secbuf_buffer *message, uint64_t timeout_ns)
{
	if (channel->err)
		return channel->err;
	return channel->ops->receive(channel, head, message, timeout_ns);
}

int channel_fd(const struct channel *channel)
{
	int fds[2];

	channel->ops->fds(channel, fds);
	return fds[0];
}

static int channel_close_between(unsigned int first, unsigned int last)
{
	if (first > last)
		return 0;
	return close_range(first, last, 0) ? -errno : 0;
}

int channel_isolate(const struct channel *channel)
{
	int fds[2], low, high, err;

	channel->ops->fds(channel, fds);
	low = fds[0] < fds[1] ? fds[0] : fds[1];
	high = fds[0] < fds[1] ? fds[1] : fds[0];
	err = channel_close_between(STDERR_FILENO + 1, low - 1);
	if (!err)
		err = channel_close_between(low + 1, high - 1);
	return err ? err : channel_close_between(high + 1, UINT_MAX);
}
