// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listener.h"

#define LISTENER_BACKLOG	128

static int listener_format(char *out, const char *dir, const char *name)
{
	int len = snprintf(out, LISTENER_PATH_SIZE, "%s/%s", dir, name);

	return len < 0 || (size_t)len >= LISTENER_PATH_SIZE ? -ENAMETOOLONG : 0;
}

static int listener_make_dir(struct listener *listener)
{
	const char *tmp = getenv("TMPDIR");
	char dir[LISTENER_PATH_SIZE];
	int err;

	err = listener_format(dir, tmp && *tmp == '/' ? tmp : "/tmp",
			      "secbuf-agent-XXXXXX");
	if (err)
		return err;
	if (!mkdtemp(dir))
		return -errno;
	strcpy(listener->dir, dir);
	return listener_format(listener->path, dir, "agent");
}

/* Absolute, for clients that run elsewhere. */
static int listener_set_path(struct listener *listener, const char *path)
{
	char *cwd;
	int err;

	if (*path == '/')
		return listener_format(listener->path, "", path + 1);
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return -errno;
	err = listener_format(listener->path, cwd, path);
	free(cwd);
	return err;
}

static int listener_bind(struct listener *listener)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int ret;

	listener->fd = socket(AF_UNIX,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	memcpy(addr.sun_path, listener->path, sizeof(addr.sun_path));
	mask = umask(077);
	ret = bind(listener->fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	return ret ? -errno : 0;
}

/* The path is forgotten when nothing of this agent is there. */
int listener_open(struct listener *listener, const char *path)
{
	int err;

	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
	err = path ? listener_set_path(listener, path) :
		     listener_make_dir(listener);
	if (!err)
		err = listener_bind(listener);
	if (err)
		listener->path[0] = '\0';
	else if (listen(listener->fd, LISTENER_BACKLOG))
		err = -errno;
	if (err)
		listener_close(listener);
	return err;
}

void listener_close(struct listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path[0])
		unlink(listener->path);
	if (listener->dir[0])
		rmdir(listener->dir);
	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
}

static bool listener_trusts(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return !peer.uid || peer.uid == geteuid();
}

int listener_accept(const struct listener *listener)
{
	int fd;

	for (;;) {
		fd = accept4(listener->fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && listener_trusts(fd))
			return fd;
		if (fd >= 0)
			close(fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			return -errno;
	}
}
