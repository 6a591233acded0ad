/* SPDX-License-Identifier: GPL-2.0 */
/* One epoll loop over the listening socket, all clients, the keeper, the signals. */
#ifndef AGENT_SERVER_H
#define AGENT_SERVER_H

#include "client.h"
#include "keeper.h"
#include "listener.h"

struct server {
	struct keeper *keeper;
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
 * The signals of process_signals() must be blocked; they end the loop, and so
 * does the end of the process that @parent_fd (a pidfd, or -1) stands for. 0 or
 * -errno for secbuf_strerror()
 */
int server_open(struct server *server, struct keeper *keeper,
		const struct memory *mem, const struct listener *listener,
		int parent_fd);

/* 0, or an error, which that of the keeper's channel can be. */
int server_run(struct server *server);
void server_close(struct server *server);

#endif /* AGENT_SERVER_H */
