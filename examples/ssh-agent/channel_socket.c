// SPDX-License-Identifier: GPL-2.0
/*
 * A channel of two sockets, for --memory=malloc. Each message is its head, its
 * length, and itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel_ops.h"

#define CHANNEL_PREFIX_SIZE	(CHANNEL_HEAD_SIZE + 4)
#define NSEC_PER_MSEC		1000000

static int channel_socket_create(struct channel_ends *ends)
{
	int fds[CHANNEL_SIDES], side;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	for (side = 0; side < CHANNEL_SIDES; side++) {
		ends->fds[side][0] = fds[side];
		ends->fds[side][1] = fds[side];
	}
	return 0;
}

static int channel_socket_attach(struct channel *channel, const int *fds)
{
	channel->sock = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
	return channel->sock < 0 ? -errno : 0;
}

static void channel_socket_close(struct channel *channel)
{
	if (channel->sock >= 0)
		close(channel->sock);
}

static int channel_socket_write(struct channel *channel, const void *data,
				size_t len)
{
	const char *pos = data;
	ssize_t n;

	while (len) {
		n = send(channel->sock, pos, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return channel_fail(channel, -EPIPE);
		pos += n;
		len -= n;
	}
	return 0;
}

static int channel_socket_send(struct channel *channel,
			       const struct channel_head *head,
			       const struct secbuf_cursor *message)
{
	uint8_t prefix[CHANNEL_PREFIX_SIZE];
	struct secbuf_cursor cur;
	int err;

	secbuf_cursor_init(&cur, prefix, sizeof(prefix));
	secbuf_cursor_put_u32(&cur, head->number);
	secbuf_cursor_put_u32(&cur, head->value);
	secbuf_cursor_put_u32(&cur, secbuf_cursor_len(message));
	err = channel_socket_write(channel, prefix, sizeof(prefix));
	return err ? err : channel_socket_write(channel, message->data,
						secbuf_cursor_len(message));
}

static int channel_socket_wait(struct channel *channel, uint64_t timeout_ns)
{
	struct pollfd poll_fd = { .fd = channel->sock, .events = POLLIN };
	int nr, ms = -1;

	if (timeout_ns != CHANNEL_FOREVER)
		ms = timeout_ns / NSEC_PER_MSEC;
	do {
		nr = poll(&poll_fd, 1, ms);
	} while (nr < 0 && errno == EINTR);
	if (nr < 0)
		return channel_fail(channel, -errno);
	return nr ? 0 : -ETIMEDOUT;
}

static int channel_socket_read(struct channel *channel, void *buf, size_t len)
{
	char *pos = buf;
	ssize_t n;

	while (len) {
		n = recv(channel->sock, pos, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return channel_fail(channel, -EPIPE);
		pos += n;
		len -= n;
	}
	return 0;
}

/* Without memory for it, the rest of the message is in the way for good. */
static int channel_socket_receive(struct channel *channel,
				  struct channel_head *head,
				  struct secbuf_buffer *message,
				  uint64_t timeout_ns)
{
	uint8_t prefix[CHANNEL_PREFIX_SIZE];
	struct secbuf_cursor cur;
	uint32_t len;
	size_t end;
	int err;

	err = channel_socket_wait(channel, timeout_ns);
	if (!err)
		err = channel_socket_read(channel, prefix, sizeof(prefix));
	if (err)
		return err;
	secbuf_cursor_init_filled(&cur, prefix, sizeof(prefix));
	secbuf_cursor_get_u32(&cur, &head->number);
	secbuf_cursor_get_u32(&cur, &head->value);
	secbuf_cursor_get_u32(&cur, &len);
	if (len > CHANNEL_MESSAGE_MAX)
		return channel_fail(channel, -EPROTO);
	end = secbuf_cursor_len(&message->cur);
	err = secbuf_buffer_resize(message, end + len);
	if (err)
		return channel_fail(channel, err);
	return channel_socket_read(channel, message->cur.data + end, len);
}

static void channel_socket_fds(const struct channel *channel, int *fds)
{
	fds[0] = channel->sock;
	fds[1] = channel->sock;
}

const struct channel_ops channel_socket_ops = {
	.create		= channel_socket_create,
	.attach		= channel_socket_attach,
	.close		= channel_socket_close,
	.send		= channel_socket_send,
	.receive	= channel_socket_receive,
	.fds		= channel_socket_fds,
};
