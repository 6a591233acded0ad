// SPDX-License-Identifier: GPL-2.0
/*
 * tap LISTEN AGENT PREFIX: stands between the clients of an SSH agent and the
 * agent, and writes each message, without its length, to a file of its own:
 * PREFIX-1, PREFIX-2... One client after the other, until it is killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX	(256 * 1024)

static const char *prefix;
static unsigned int nr_messages;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int unix_socket(const char *path, struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || strlen(path) >= sizeof(addr->sun_path))
		die(path);
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	strcpy(addr->sun_path, path);
	return fd;
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr;
	int fd = unix_socket(path, &addr);

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8))
		die(path);
	return fd;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr;
	int fd = unix_socket(path, &addr);

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(path);
	return fd;
}

/* Returns 0 if the other side has closed. */
static int read_all(int fd, unsigned char *bytes, size_t n)
{
	ssize_t got;

	for (; n; n -= got, bytes += got) {
		got = read(fd, bytes, n);
		if (got <= 0)
			return 0;
	}
	return 1;
}

static void keep(const unsigned char *bytes, size_t n)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s-%u", prefix, ++nr_messages);
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, n, file) != n || fclose(file))
		die(path);
}

/* One message from one side to the other. */
static int pass(int from, int to)
{
	static unsigned char bytes[4 + MESSAGE_MAX];
	size_t n;

	if (!read_all(from, bytes, 4))
		return 0;
	n = (size_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
	if (n > MESSAGE_MAX || !read_all(from, bytes + 4, n))
		return 0;
	keep(bytes + 4, n);
	return write(to, bytes, 4 + n) == (ssize_t)(4 + n);
}

int main(int argc, char **argv)
{
	int listener, client, agent;

	if (argc != 4)
		return 2;
	prefix = argv[3];
	listener = listen_at(argv[1]);
	for (;;) {
		client = accept(listener, NULL, NULL);
		if (client < 0)
			die("accept");
		agent = connect_to(argv[2]);
		while (pass(client, agent) && pass(agent, client))
			;
		close(agent);
		close(client);
	}
}
