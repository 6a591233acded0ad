/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A conn, for what is built on it.
 */
#ifndef SECBUF_SRC_CONN_H
#define SECBUF_SRC_CONN_H

#include "cache.h"
#include "pool.h"

/**
 * struct secbuf_conn_place - where a buffer is
 * @id: its slot
 * @word: its struct secbuf_slot_word.state as this process left it: BUSY while
 *        it is out, IDLE when it was released; 0 if there is none
 */
struct secbuf_conn_place {
	uint32_t id;
	uint32_t word;
};

/**
 * struct secbuf_conn - one of very many
 * @fd: the conn
 * @pool: where its slots are
 * @places: of the read and the write buffer
 */
struct secbuf_conn {
	int fd;
	struct secbuf_pool *pool;
	struct secbuf_conn_place places[SECBUF_CONN_BUFFER_NR];
};

/* 0 if this process may use the conn. */
static inline int secbuf_conn_check(const struct secbuf_conn *conn)
{
	if (unlikely(!conn))
		return -EINVAL;
	return likely(secbuf_pool_is_owned(conn->pool)) ? 0 : -EOWNERDEAD;
}

#endif /* SECBUF_SRC_CONN_H */
