/* SPDX-License-Identifier: GPL-2.0 */
/* The socket that clients find the agent by. */
#ifndef AGENT_LISTENER_H
#define AGENT_LISTENER_H

#include <sys/types.h>
#include <sys/un.h>

#define LISTENER_PATH_SIZE	sizeof(((struct sockaddr_un *)0)->sun_path)

struct listener {
	int fd;
	char dir[LISTENER_PATH_SIZE];	/* made for the socket, or empty */
	char path[LISTENER_PATH_SIZE];	/* absolute */
};

/*
 * Listen on @path, or if that is NULL in a new directory of the user's own.
 *
 * Return: 0 or -errno; -EADDRINUSE if there is such a file already.
 */
int listener_open(struct listener *listener, const char *path);

/* Close it and remove what was made in the file system. */
void listener_close(struct listener *listener);

/*
 * The next client whose user is this one or root; others are hung up on.
 *
 * Return: a non-blocking descriptor or -errno, -EAGAIN if there is nobody.
 */
int listener_accept(const struct listener *listener);

#endif /* AGENT_LISTENER_H */
