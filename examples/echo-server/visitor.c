// SPDX-License-Identifier: GPL-2.0
#include "visitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/*
 * Streams
 */

static void stream_begin(struct stream *stream)
{
	uint32_t state = stream->seed + stream->nr * 2654435761U;
	uint32_t size = stream->size;

	if (!size) {
		/* Mostly short, and now and then as long as it can be. */
		size = random_next(&state) % 200;
		if (size >= 190)
			size = random_next(&state) % (stream->max + 1);
		if (size > stream->max || random_next(&state) % 50 == 0)
			size = stream->max;
	}
	stream->nr++;
	stream->len = VISITOR_HEADER_SIZE + size;
	stream->at = 0;
}

static unsigned char stream_byte(const struct stream *stream)
{
	uint32_t at = stream->at;

	if (at < VISITOR_HEADER_SIZE)
		return (stream->len - VISITOR_HEADER_SIZE) >> (24 - 8 * at);
	return stream->seed + stream->nr * 31 + at * 7;
}

static void stream_fill(struct stream *stream, unsigned char *bytes, size_t n)
{
	while (n--) {
		if (stream->at == stream->len)
			stream_begin(stream);
		*bytes++ = stream_byte(stream);
		stream->at++;
	}
}

/*
 * Visitors
 */

int visitor_connect(struct visitor *visitor, uint16_t port, uint32_t seed,
		    uint32_t max, uint32_t size)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1, small = VISITOR_CHUNK, err;

	*visitor = (struct visitor) {
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.port = port,
		.out = { .seed = seed, .max = max, .size = size },
	};
	visitor->in = visitor->out;
	if (visitor->fd < 0)
		return -errno;
	/* So that a server soon feels it when nobody reads. */
	if (seed % 2)
		setsockopt(visitor->fd, SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
	if (connect(visitor->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    fcntl(visitor->fd, F_SETFL, O_NONBLOCK)) {
		err = -errno;
		visitor_close(visitor);
		return err;
	}
	setsockopt(visitor->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return 0;
}

void visitor_close(struct visitor *visitor)
{
	close(visitor->fd);
	visitor->fd = -1;
}

void visitor_kill(struct visitor *visitor)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(visitor->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	visitor_close(visitor);
}

int visitor_send(struct visitor *visitor, size_t max)
{
	unsigned char bytes[VISITOR_CHUNK];
	struct stream ahead = visitor->out;
	ssize_t n;

	if (max > sizeof(bytes))
		max = sizeof(bytes);
	stream_fill(&ahead, bytes, max);
	n = send(visitor->fd, bytes, max, MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	visitor->sent += n;
	if ((size_t)n == max)
		visitor->out = ahead;
	else
		stream_fill(&visitor->out, bytes, n);
	return n;
}

size_t visitor_rest(struct visitor *visitor)
{
	if (visitor->out.at == visitor->out.len)
		stream_begin(&visitor->out);
	return visitor->out.len - visitor->out.at;
}

int visitor_receive(struct visitor *visitor)
{
	unsigned char got[VISITOR_CHUNK], want[VISITOR_CHUNK];
	ssize_t n = recv(visitor->fd, got, sizeof(got), 0);

	if (n <= 0)
		return n ? -errno : 0;
	visitor->got += n;
	stream_fill(&visitor->in, want, n);
	if (visitor->got > visitor->sent || memcmp(got, want, n))
		return -EBADMSG;
	return n;
}

int visitor_send_too_long(struct visitor *visitor)
{
	const unsigned char header[] = { 0xff, 0xff, 0xff, 0xff, 0x55 };
	ssize_t n = send(visitor->fd, header, sizeof(header), MSG_NOSIGNAL);

	return n < 0 ? -errno : 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static bool is_whole(const struct visitor *visitor)
{
	return visitor->out.at == visitor->out.len;
}

short visitor_wants(const struct visitor *visitor)
{
	if (!is_whole(visitor))
		return POLLIN | POLLOUT;
	return visitor->got < visitor->sent ? POLLIN : 0;
}

int visitor_go_on(struct visitor *visitor, short events)
{
	int ret;

	if (!is_whole(visitor) && events & POLLOUT) {
		ret = visitor_send(visitor, visitor_rest(visitor));
		if (ret < 0 && ret != -EAGAIN)
			return ret;
	}
	if (events & ~POLLOUT) {
		ret = visitor_receive(visitor);
		if (ret <= 0 && ret != -EAGAIN)
			return ret ? ret : -ECONNRESET;
	}
	return 0;
}

int visitor_finish(struct visitor *visitor, int ms)
{
	struct pollfd pfd = { .fd = visitor->fd };
	int64_t end = now_ms() + ms;
	int err = 0;

	for (;;) {
		pfd.events = visitor_wants(visitor);
		if (err || !pfd.events)
			return err;
		if (now_ms() > end || poll(&pfd, 1, ms) <= 0)
			return -ETIMEDOUT;
		err = visitor_go_on(visitor, pfd.revents);
	}
}
