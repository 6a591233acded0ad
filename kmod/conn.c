// SPDX-License-Identifier: GPL-2.0
/*
 * Conn: the buffers of one connection. They are slots of an area, and go back
 * to it, zeroized, when the connection ends.
 */
#include "conn.h"

#include <linux/errno.h>

#include "member.h"
#include "payer.h"

/**
 * SECBUF_CONN_FOOTPRINT - kernel memory that one conn is charged for, in bytes
 *
 * The struct, and what an open file on the anonymous inode takes besides.
 */
#define SECBUF_CONN_FOOTPRINT	1024

/**
 * secbuf_conn_init() - a conn without buffers
 * @conn: initialized on success
 * @member: to whom its buffers are granted; must outlive the conn
 *
 * Return: 0, -ENOMEM, -EDQUOT.
 */
int secbuf_conn_init(struct secbuf_conn *conn, struct secbuf_member *member)
{
	int err;

	err = secbuf_account_charge(&member->payer->account,
				    SECBUF_CONN_FOOTPRINT);
	if (err)
		return err;
	mutex_init(&conn->lock);
	conn->member = member;
	return 0;
}

/**
 * secbuf_conn_exit() - zeroize and return the buffers, and end the conn
 * @conn: the conn
 *
 * Context: process, may sleep. Takes locks of the area.
 */
void secbuf_conn_exit(struct secbuf_conn *conn)
{
	secbuf_conn_zeroize(conn);
	secbuf_account_uncharge(&conn->member->payer->account,
				SECBUF_CONN_FOOTPRINT);
}

/**
 * secbuf_conn_buffer() - a buffer, granted if the conn lacks it
 * @conn: the conn
 * @which: SECBUF_CONN_READ or SECBUF_CONN_WRITE, not trusted
 * @id: the slot
 *
 * Context: process, may sleep. Takes locks of the conn and the area.
 * Return: 0, -EINVAL, or as of secbuf_member_grant().
 */
int secbuf_conn_buffer(struct secbuf_conn *conn, unsigned int which, u64 *id)
{
	int ret = 0;

	if (which >= SECBUF_CONN_NR_BUFFERS)
		return -EINVAL;
	mutex_lock(&conn->lock);
	if (!conn->granted[which]) {
		ret = secbuf_member_grant(conn->member, &conn->ids[which], 1,
					  SECBUF_HOLDER_OBJECT);
		conn->granted[which] = ret == 1;
	}
	*id = conn->ids[which];
	mutex_unlock(&conn->lock);
	return min(ret, 0);
}

/**
 * secbuf_conn_zeroize() - zeroize the buffers and return them to the area
 * @conn: the conn, which can ask for new ones
 *
 * Context: process, may sleep. Takes locks of the conn and the area.
 */
void secbuf_conn_zeroize(struct secbuf_conn *conn)
{
	unsigned int i;

	mutex_lock(&conn->lock);
	for (i = 0; i < SECBUF_CONN_NR_BUFFERS; i++) {
		if (!conn->granted[i])
			continue;
		/* What a member had that died has been taken back already. */
		secbuf_member_return(conn->member, &conn->ids[i], 1,
				     SECBUF_HOLDER_OBJECT);
		conn->granted[i] = false;
	}
	mutex_unlock(&conn->lock);
}
