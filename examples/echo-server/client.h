/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One client: strings as of SSH come in, a u32 with the length before the bytes,
 * and go out again.
 */
#ifndef ECHO_CLIENT_H
#define ECHO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

#define CLIENT_HEADER_SIZE	4

/**
 * struct client - one of thousands: no buffer while nothing is under way
 * @next: in the list of the server
 * @prev: likewise
 * @mem: where its memory comes from
 * @store: which is this
 * @fd: the socket
 * @events: what epoll waits for
 * @have: bytes in the read buffer, the beginning of a string
 * @dirty: bytes in the read buffer that were written
 * @unsent: where in the write buffer that begins which neither the socket nor the
 *          queue has taken
 * @written: bytes in the write buffer; 0 if all is gone
 * @queued: packets in the queue
 * @ended: nothing more will come
 * @frames: strings so far
 */
struct client {
	struct client *next;
	struct client *prev;
	const struct memory *mem;
	struct store *store;
	int fd;
	uint32_t events;
	size_t have;
	size_t dirty;
	size_t unsent;
	size_t written;
	unsigned int queued;
	bool ended;
	uint64_t frames;
};

/* Takes @fd, which it closes on failure, too. 0 or -errno. */
int client_open(struct client **out, int fd, struct memory *mem);
void client_close(struct client *client);

/* Does what can be done without waiting. 0 or -errno: hang up. */
int client_serve(struct client *client);

/* What to wait for before client_serve(): EPOLLIN, EPOLLOUT. */
uint32_t client_events(const struct client *client);

#endif /* ECHO_CLIENT_H */
