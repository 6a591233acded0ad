/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM secbuf

#if !defined(SECBUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SECBUF_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

/* Bytes of a pool's name that events keep, the final NUL included. */
#define SECBUF_TRACE_NAME	32

/* Buffers of a pool moved: @nr of them. Contents are never traced. */
DECLARE_EVENT_CLASS(secbuf_move,
	TP_PROTO(const char *pool, unsigned int nr),
	TP_ARGS(pool, nr),
	TP_STRUCT__entry(
		__array(char, pool, SECBUF_TRACE_NAME)
		__field(unsigned int, nr)
	),
	TP_fast_assign(
		strscpy(__entry->pool, pool, SECBUF_TRACE_NAME);
		__entry->nr = nr;
	),
	TP_printk("pool=%s nr=%u", __entry->pool, __entry->nr)
);

/* Handed out. */
DEFINE_EVENT(secbuf_move, secbuf_alloc,
	TP_PROTO(const char *pool, unsigned int nr),
	TP_ARGS(pool, nr)
);

/* Came back, zeroized. */
DEFINE_EVENT(secbuf_move, secbuf_free,
	TP_PROTO(const char *pool, unsigned int nr),
	TP_ARGS(pool, nr)
);

/* Of those handed out, not from a magazine of the CPU. */
DEFINE_EVENT(secbuf_move, secbuf_refill,
	TP_PROTO(const char *pool, unsigned int nr),
	TP_ARGS(pool, nr)
);

/* Parked ones given back to the slab. */
DEFINE_EVENT(secbuf_move, secbuf_shrink,
	TP_PROTO(const char *pool, unsigned int nr),
	TP_ARGS(pool, nr)
);

/* The read (0) or the write (1) buffer of a conn. */
DECLARE_EVENT_CLASS(secbuf_conn_slot,
	TP_PROTO(const void *conn, unsigned int which),
	TP_ARGS(conn, which),
	TP_STRUCT__entry(
		__field(const void *, conn)
		__field(unsigned int, which)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->which = which;
	),
	TP_printk("conn=%p which=%u", __entry->conn, __entry->which)
);

/* Granted. */
DEFINE_EVENT(secbuf_conn_slot, secbuf_conn_lend,
	TP_PROTO(const void *conn, unsigned int which),
	TP_ARGS(conn, which)
);

/* Taken, as nobody wanted it: idle, memory is short, or CONN_SHRINK. */
DEFINE_EVENT(secbuf_conn_slot, secbuf_conn_take,
	TP_PROTO(const void *conn, unsigned int which),
	TP_ARGS(conn, which)
);

/* A packet of a conn, and how many there are in its queue afterwards. */
DECLARE_EVENT_CLASS(secbuf_conn_packet,
	TP_PROTO(const void *conn, unsigned int len, unsigned int nr),
	TP_ARGS(conn, len, nr),
	TP_STRUCT__entry(
		__field(const void *, conn)
		__field(unsigned int, len)
		__field(unsigned int, nr)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->len = len;
		__entry->nr = nr;
	),
	TP_printk("conn=%p len=%u nr=%u", __entry->conn, __entry->len,
		  __entry->nr)
);

/* Put in. */
DEFINE_EVENT(secbuf_conn_packet, secbuf_conn_enqueue,
	TP_PROTO(const void *conn, unsigned int len, unsigned int nr),
	TP_ARGS(conn, len, nr)
);

/* Taken out or sent. */
DEFINE_EVENT(secbuf_conn_packet, secbuf_conn_dequeue,
	TP_PROTO(const void *conn, unsigned int len, unsigned int nr),
	TP_ARGS(conn, len, nr)
);

/* Zeroized: @nr packets. */
TRACE_EVENT(secbuf_conn_end,
	TP_PROTO(const void *conn, unsigned int nr),
	TP_ARGS(conn, nr),
	TP_STRUCT__entry(
		__field(const void *, conn)
		__field(unsigned int, nr)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->nr = nr;
	),
	TP_printk("conn=%p nr=%u", __entry->conn, __entry->nr)
);

#endif /* SECBUF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
