/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_SEND_H
#define SECBUF_CONN_SEND_H

#include <linux/types.h>

struct secbuf_slot_conn;
struct socket;

/**
 * struct secbuf_conn_sent - what a call has sent
 * @packets: whole ones
 * @bytes: all
 */
struct secbuf_conn_sent {
	u32 packets;
	u64 bytes;
};

int secbuf_conn_send(struct secbuf_slot_conn *sc, struct socket *sock,
		     u32 max_packets, struct secbuf_conn_sent *sent);

#endif /* SECBUF_CONN_SEND_H */
