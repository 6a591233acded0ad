/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_QUEUE_H
#define SECBUF_CONN_QUEUE_H

#include <linux/types.h>

struct iov_iter;
struct secbuf_conn;

/**
 * struct secbuf_conn_teller - tells the caller of a packet, before it is done
 * @tell: under the lock of the conn; faults nothing in. @handle is that of a
 *        moved packet, or 0. False if that is needed: then nothing has been done
 */
struct secbuf_conn_teller {
	bool (*tell)(struct secbuf_conn_teller *teller, u64 handle, u32 len);
};

int secbuf_conn_put_moved(struct secbuf_conn *conn, u64 handle, u32 len,
			  struct secbuf_conn_teller *teller);
int secbuf_conn_put_copied(struct secbuf_conn *conn, struct iov_iter *from,
			   struct secbuf_conn_teller *teller);
int secbuf_conn_take_moved(struct secbuf_conn *conn,
			   struct secbuf_conn_teller *teller);
ssize_t secbuf_conn_take_copied(struct secbuf_conn *conn, struct iov_iter *to,
				struct secbuf_conn_teller *teller);

#endif /* SECBUF_CONN_QUEUE_H */
