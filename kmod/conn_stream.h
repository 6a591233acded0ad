/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_STREAM_H
#define SECBUF_CONN_STREAM_H

#include <linux/types.h>

struct secbuf_conn;
struct secbuf_conn_usage;
struct secbuf_ring;

int secbuf_conn_stream_add(struct secbuf_conn *conn, struct secbuf_ring *ring);
int secbuf_conn_stream_del(struct secbuf_conn *conn, struct secbuf_ring *ring);
void secbuf_conn_streams_end(struct secbuf_conn *conn);
u64 secbuf_conn_streams_shrink(struct secbuf_conn *conn);
void secbuf_conn_streams_usage(struct secbuf_conn *conn,
			       struct secbuf_conn_usage *usage);

#endif /* SECBUF_CONN_STREAM_H */
