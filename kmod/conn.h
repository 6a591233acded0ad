/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_H
#define SECBUF_CONN_H

#include <linux/mutex.h>
#include <linux/types.h>

struct secbuf_member;

enum {
	SECBUF_CONN_READ,
	SECBUF_CONN_WRITE,
	SECBUF_CONN_NR_BUFFERS
};

/**
 * struct secbuf_conn - what one connection owns
 * @member: to whom the buffers are granted; the creator keeps it alive
 * @granted: which buffers there are
 * @ids: their slots
 */
struct secbuf_conn {
	/** @lock: protects the buffers; order: see struct secbuf_area */
	struct mutex lock;
	struct secbuf_member *member;
	bool granted[SECBUF_CONN_NR_BUFFERS];
	u64 ids[SECBUF_CONN_NR_BUFFERS];
};

int secbuf_conn_init(struct secbuf_conn *conn, struct secbuf_member *member);
void secbuf_conn_exit(struct secbuf_conn *conn);
int secbuf_conn_buffer(struct secbuf_conn *conn, unsigned int which, u64 *id);
void secbuf_conn_zeroize(struct secbuf_conn *conn);

#endif /* SECBUF_CONN_H */
