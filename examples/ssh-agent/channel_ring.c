// SPDX-License-Identifier: GPL-2.0
/*
 * A channel of two rings. Each message is one record: the head and the bytes.
 */
#include <errno.h>

#include "channel_ops.h"
#include "memory.h"

/* More than the longest record; memory is there while it is used. */
#define CHANNEL_RING_SIZE	(2 * CHANNEL_MESSAGE_MAX)

static int channel_ring_create(struct channel_ends *ends)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts),
		.ring_size = CHANNEL_RING_SIZE,
		.flags = SECBUF_RING_F_RECORDS | SECBUF_RING_F_PASSABLE,
		.require_protections = MEMORY_PROTECTIONS,
	};
	int *front = ends->fds[CHANNEL_FRONT];
	int *keeper = ends->fds[CHANNEL_KEEPER];
	struct secbuf_context *ctx;
	int err;

	err = secbuf_open(&ctx, NULL);
	if (err)
		return err;
	err = secbuf_ring_create(&front[0], &keeper[1], ctx, &opts);
	if (!err)
		err = secbuf_ring_create(&keeper[0], &front[1], ctx, &opts);
	secbuf_close(ctx);
	return err;
}

static int channel_ring_attach(struct channel *channel, const int *fds)
{
	int err;

	err = secbuf_ring_producer_attach(&channel->out, fds[0]);
	return err ? err : secbuf_ring_consumer_attach(&channel->in, fds[1]);
}

static void channel_ring_close(struct channel *channel)
{
	secbuf_ring_producer_close(channel->out);
	secbuf_ring_consumer_close(channel->in);
}

static int channel_ring_send(struct channel *channel,
			     const struct channel_head *head,
			     const struct secbuf_cursor *message)
{
	size_t len = secbuf_cursor_len(message);
	struct secbuf_cursor cur;
	void *room;
	int err;

	/* There is room, as one message is under way at a time. */
	err = secbuf_ring_reserve(channel->out, CHANNEL_HEAD_SIZE + len, &room);
	if (err)
		return channel_fail(channel, err);
	secbuf_cursor_init(&cur, room, CHANNEL_HEAD_SIZE + len);
	secbuf_cursor_put_u32(&cur, head->number);
	secbuf_cursor_put_u32(&cur, head->value);
	secbuf_cursor_put_bytes(&cur, message->data, len);
	err = secbuf_ring_commit(channel->out, CHANNEL_HEAD_SIZE + len);
	return err ? channel_fail(channel, err) : 0;
}

/* What is in the ring is read once: the other side can still write there. */
static int channel_ring_copy(struct channel *channel, void *record, size_t len,
			     struct channel_head *head,
			     struct secbuf_buffer *message)
{
	struct secbuf_cursor cur;

	secbuf_cursor_init_filled(&cur, record, len);
	if (secbuf_cursor_get_u32(&cur, &head->number) ||
	    secbuf_cursor_get_u32(&cur, &head->value) ||
	    secbuf_cursor_remaining(&cur) > CHANNEL_MESSAGE_MAX)
		return channel_fail(channel, -EPROTO);
	return secbuf_buffer_append(message, secbuf_cursor_ptr(&cur),
				    secbuf_cursor_remaining(&cur));
}

static int channel_ring_wait(struct channel *channel, uint64_t timeout_ns)
{
	int err;

	/* Stopped and continued. */
	do {
		err = secbuf_ring_wait(&channel->in->side, 1, timeout_ns);
	} while (err == -EINTR);
	if (err && err != -ETIMEDOUT)
		channel_fail(channel, err);
	return err;
}

static int channel_ring_receive(struct channel *channel,
				struct channel_head *head,
				struct secbuf_buffer *message,
				uint64_t timeout_ns)
{
	const void *record;
	size_t len;
	int err, gone;

	err = channel_ring_wait(channel, timeout_ns);
	if (err)
		return err;
	err = secbuf_ring_peek(channel->in, 1, &record, &len);
	if (err)
		return channel_fail(channel, err);
	err = channel_ring_copy(channel, (void *)record, len, head, message);
	gone = secbuf_ring_consume(channel->in, len);
	return gone ? channel_fail(channel, gone) : err;
}

static void channel_ring_fds(const struct channel *channel, int *fds)
{
	fds[0] = secbuf_ring_fd(&channel->in->side);
	fds[1] = secbuf_ring_fd(&channel->out->side);
}

const struct channel_ops channel_ring_ops = {
	.create		= channel_ring_create,
	.attach		= channel_ring_attach,
	.close		= channel_ring_close,
	.send		= channel_ring_send,
	.receive	= channel_ring_receive,
	.fds		= channel_ring_fds,
};
