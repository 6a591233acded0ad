/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of the protocol: whole messages over a blocking socket. */
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include <secbuf.h>

/* To the agent at @path, or if that is NULL at $SSH_AUTH_SOCK: fd or -errno. */
int connection_open(const char *path);

int connection_send_bytes(int fd, const void *data, size_t len);

/* The contents of @message, and before them their length. */
int connection_send(int fd, const struct secbuf_cursor *message);

/*
 * Fill @message, which has room but no contents, and stand at its start.
 * -ECONNRESET: no more messages; -EMSGSIZE: there is not the room
 */
int connection_receive(int fd, struct secbuf_cursor *message);

#endif /* AGENT_CONNECTION_H */
