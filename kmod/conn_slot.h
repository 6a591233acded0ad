/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_SLOT_H
#define SECBUF_CONN_SLOT_H

#include "conn.h"
#include "member.h"

struct file;

/**
 * struct secbuf_slot_conn - a conn whose buffers are slots of a mapped pool
 * @conn: the conn
 * @member: to whom they are granted
 * @holder: among those of @member
 * @pool_file: keeps @member; for the layer above
 */
struct secbuf_slot_conn {
	struct secbuf_conn conn;
	struct secbuf_member *member;
	struct secbuf_holder holder;
	struct file *pool_file;
};

struct secbuf_slot_conn *
secbuf_slot_conn_create(struct secbuf_member *member,
			struct secbuf_conn_params *params);
struct secbuf_slot_conn *
secbuf_slot_conn_from_holder(struct secbuf_holder *holder);
void secbuf_slot_conn_close(struct secbuf_slot_conn *sc);
int secbuf_slot_conn_init(void);
void secbuf_slot_conn_exit(void);

#endif /* SECBUF_CONN_SLOT_H */
