// SPDX-License-Identifier: GPL-2.0
/*
 * discard-agent: say yes to ADD_IDENTITY, overwrite it and keep nothing. What
 * is found in memory afterwards is of the client and the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "listener.h"
#include "protocol.h"

static int discard_answer(int fd, uint8_t *buf)
{
	struct secbuf_cursor request, reply;
	uint8_t type = 0, answer;
	int err;

	secbuf_cursor_init(&request, buf, SSH_AGENT_MESSAGE_MAX);
	err = connection_receive(fd, &request);
	if (err)
		return err;
	secbuf_cursor_get_u8(&request, &type);
	secbuf_memory_zeroize(buf, SSH_AGENT_MESSAGE_MAX);

	answer = type == SSH_AGENTC_ADD_IDENTITY ? SSH_AGENT_SUCCESS :
						   SSH_AGENT_FAILURE;
	secbuf_cursor_init_filled(&reply, &answer, sizeof(answer));
	return connection_send(fd, &reply);
}

static void discard_set_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

/* One client after the other. */
static void discard_serve(const struct listener *listener, uint8_t *buf)
{
	struct pollfd waiting = { .fd = listener->fd, .events = POLLIN };
	int fd;

	while (poll(&waiting, 1, -1) == 1) {
		fd = listener_accept(listener);
		if (fd < 0)
			continue;
		discard_set_blocking(fd);
		while (!discard_answer(fd, buf))
			;
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct listener listener;
	uint8_t *buf;
	int err;

	if (argc != 2) {
		fputs("usage: discard-agent SOCKET\n", stderr);
		return 2;
	}
	buf = malloc(SSH_AGENT_MESSAGE_MAX);
	if (!buf)
		return EXIT_FAILURE;
	err = listener_open(&listener, argv[1]);
	if (err) {
		fprintf(stderr, "discard-agent: %s: %s\n", argv[1],
			strerror(-err));
		free(buf);
		return EXIT_FAILURE;
	}
	discard_serve(&listener, buf);
	listener_close(&listener);
	free(buf);
	return EXIT_FAILURE;
}
