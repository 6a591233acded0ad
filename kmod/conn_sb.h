/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_SB_H
#define SECBUF_CONN_SB_H

#include <linux/secbuf_conn.h>

#include "conn.h"
#include "lender.h"

/**
 * struct secbuf_kconn_use - who uses the read or the write buffer
 * @users: secbuf_kconn_get() without secbuf_kconn_put()
 * @used: bytes in it that are needed
 */
struct secbuf_kconn_use {
	u32 users;
	u32 used;
};

/**
 * struct secbuf_kconn - a conn whose buffers are those of a kernel-held pool
 * @conn: the conn; handles are pointers to struct secbuf
 * @pool: where they come from
 * @lender: among those of @pool while there is a read or a write buffer
 * @uses: of these. Protected by the lock of @conn
 */
struct secbuf_kconn {
	struct secbuf_conn conn;
	struct secbuf_pool *pool;
	struct secbuf_lender lender;
	struct secbuf_kconn_use uses[SECBUF_CONN_BUFFER_NR];
};

static inline struct secbuf_kconn *
secbuf_kconn_from_lender(struct secbuf_lender *lender)
{
	return container_of(lender, struct secbuf_kconn, lender);
}

static inline struct secbuf *secbuf_from_handle(u64 handle)
{
	return (struct secbuf *)(unsigned long)handle;
}

static inline u64 secbuf_to_handle(struct secbuf *sb)
{
	return (unsigned long)sb;
}

struct secbuf_kconn *secbuf_sb_conn_create(struct secbuf_pool *pool,
					   struct secbuf_conn_params *params);
void secbuf_sb_conn_close(struct secbuf_kconn *kconn);
void secbuf_sb_conn_release(struct secbuf_kconn *kconn, unsigned int which,
			    struct secbuf *sb, size_t used);

#endif /* SECBUF_CONN_SB_H */
