/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Serves clients until a signal says that it is enough.
 */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/**
 * struct server - a socket that listens, and those who came
 * @mem: what clients get their memory from
 * @listen_fd: the socket
 * @epoll_fd: all there is to wait for
 * @signal_fd: SIGINT and SIGTERM
 * @clients: who is there
 * @nr_clients: how many
 * @deaf: no descriptor is left to accept anybody
 * @stopping: a signal came
 * @served: clients so far
 * @refused: clients beyond the limit so far
 * @frames: strings of clients that are gone
 */
struct server {
	struct memory *mem;
	int listen_fd;
	int epoll_fd;
	int signal_fd;
	struct client *clients;
	unsigned int nr_clients;
	bool deaf;
	bool stopping;
	uint64_t served;
	uint64_t refused;
	uint64_t frames;
};

/* Listens on @address, "127.0.0.1", and *@port, or one that is free if 0. */
int server_open(struct server *server, struct memory *mem, const char *address,
		uint16_t *port);
void server_close(struct server *server);

/* 0 after a signal, or -errno. */
int server_run(struct server *server);

#endif /* ECHO_SERVER_H */
