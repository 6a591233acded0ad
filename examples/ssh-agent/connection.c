// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "connection.h"
#include "protocol.h"

int connection_open(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (!path)
		path = getenv("SSH_AUTH_SOCK");
	if (!path)
		return -EDESTADDRREQ;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int connection_send_bytes(int fd, const void *data, size_t len)
{
	const char *pos = data;
	ssize_t n;

	while (len) {
		n = send(fd, pos, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		pos += n;
		len -= n;
	}
	return 0;
}

int connection_send(int fd, const struct secbuf_cursor *message)
{
	uint8_t bytes[SSH_AGENT_HEADER_SIZE];
	struct secbuf_cursor header;
	int err;

	secbuf_cursor_init(&header, bytes, sizeof(bytes));
	err = secbuf_cursor_put_u32(&header, secbuf_cursor_len(message));
	if (!err)
		err = connection_send_bytes(fd, bytes, sizeof(bytes));
	if (!err)
		err = connection_send_bytes(fd, message->data,
					    secbuf_cursor_len(message));
	return err;
}

static int connection_read(int fd, void *buf, size_t len)
{
	char *pos = buf;
	ssize_t n;

	while (len) {
		n = read(fd, pos, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		pos += n;
		len -= n;
	}
	return 0;
}

int connection_receive(int fd, struct secbuf_cursor *message)
{
	uint8_t bytes[SSH_AGENT_HEADER_SIZE];
	struct secbuf_cursor header;
	unsigned char *window;
	uint32_t len;
	int err;

	err = connection_read(fd, bytes, sizeof(bytes));
	if (err)
		return err;
	secbuf_cursor_init_filled(&header, bytes, sizeof(bytes));
	err = secbuf_cursor_get_u32(&header, &len);
	if (err)
		return err;
	window = secbuf_cursor_window(message, len);
	if (!window)
		return -EMSGSIZE;
	err = connection_read(fd, window, len);
	return err ? err : secbuf_cursor_set_len(message, len);
}
