/* SPDX-License-Identifier: GPL-2.0 */
/* One epoll loop over the listening socket, all clients and the signals. */
#ifndef AGENT_SERVER_H
#define AGENT_SERVER_H

#include "client.h"
#include "listener.h"

struct server {
	struct agent *agent;
	const struct listener *listener;
	int epoll_fd;
	int signal_fd;
	int parent_fd;
	struct client_quota quota;
	struct client *clients;
	bool full;		/* out of descriptors: not accepting */
	bool stopping;
};

/*
 * SIGHUP, SIGINT and SIGTERM must be blocked; they end the loop, and so does
 * the end of the process that @parent_fd (a pidfd, or -1) stands for.
 */
int server_open(struct server *server, struct agent *agent,
		const struct listener *listener, int parent_fd);
int server_run(struct server *server);
void server_close(struct server *server);

/* The signals that end the loop. */
void server_block_signals(void);

#endif /* AGENT_SERVER_H */
