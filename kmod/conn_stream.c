// SPDX-License-Identifier: GPL-2.0
/*
 * The rings of a conn. Neither keeps the other: a ring that ends leaves its conn,
 * a conn that ends resets its rings.
 */
#include "conn_stream.h"

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "conn.h"
#include "ring.h"
#include "ring_park.h"

/* Protects which conn a ring belongs to, and the list of each conn. A leaf. */
static DEFINE_SPINLOCK(streams_lock);

static void leave(struct secbuf_ring *ring)
{
	struct secbuf_conn *conn = ring->stream.conn;

	lockdep_assert_held(&streams_lock);
	list_del_init(&ring->stream.node);
	WRITE_ONCE(ring->stream.conn, NULL);
	WRITE_ONCE(conn->nr_streams, conn->nr_streams - 1);
}

/* The ring is about to be freed. A conn that it belongs to has not ended. */
static void ring_gone(struct secbuf_ring *ring)
{
	spin_lock(&streams_lock);
	if (ring->stream.conn)
		leave(ring);
	spin_unlock(&streams_lock);
}

/**
 * secbuf_conn_stream_add() - a ring belongs to a conn
 * @conn: the conn
 * @ring: the ring; the caller has a reference
 *
 * Context: process.
 * Return: 0, -ESHUTDOWN (it was reset), -EEXIST, -ENOBUFS.
 */
int secbuf_conn_stream_add(struct secbuf_conn *conn, struct secbuf_ring *ring)
{
	int err = 0;

	spin_lock(&streams_lock);
	if (READ_ONCE(ring->status_flags) & SECBUF_RING_RESET_DONE)
		err = -ESHUTDOWN;
	else if (ring->stream.conn)
		err = -EEXIST;
	else if (conn->nr_streams >= conn->max_streams)
		err = -ENOBUFS;
	if (!err) {
		ring->stream.gone = ring_gone;
		WRITE_ONCE(ring->stream.conn, conn);
		list_add_tail(&ring->stream.node, &conn->streams);
		WRITE_ONCE(conn->nr_streams, conn->nr_streams + 1);
	}
	spin_unlock(&streams_lock);
	return err;
}

/**
 * secbuf_conn_stream_del() - a ring does not belong to a conn any more
 * @conn: the conn
 * @ring: the ring, which goes on
 *
 * Context: process.
 * Return: 0 or -ENOENT.
 */
int secbuf_conn_stream_del(struct secbuf_conn *conn, struct secbuf_ring *ring)
{
	int err = -ENOENT;

	spin_lock(&streams_lock);
	if (ring->stream.conn == conn) {
		leave(ring);
		err = 0;
	}
	spin_unlock(&streams_lock);
	return err;
}

/* The next ring, which comes last the next time. One that ends is passed over. */
static struct secbuf_ring *next_ring(struct secbuf_conn *conn, bool leaves)
{
	struct secbuf_ring *ring, *found = NULL;

	spin_lock(&streams_lock);
	while (!found && !list_empty(&conn->streams)) {
		ring = list_first_entry(&conn->streams, struct secbuf_ring,
					stream.node);
		if (kref_get_unless_zero(&ring->refs))
			found = ring;
		if (!found || leaves)
			leave(ring);
		else
			list_move_tail(&ring->stream.node, &conn->streams);
	}
	spin_unlock(&streams_lock);
	return found;
}

/**
 * secbuf_conn_streams_end() - reset all rings, which leave the conn
 * @conn: the conn
 *
 * Those that are added meanwhile may stay.
 *
 * Context: process, may sleep. Takes locks of the rings.
 */
void secbuf_conn_streams_end(struct secbuf_conn *conn)
{
	u32 left = READ_ONCE(conn->nr_streams);
	struct secbuf_ring *ring;

	while (left-- && (ring = next_ring(conn, true))) {
		secbuf_ring_reset(ring);
		secbuf_ring_put(ring);
		cond_resched();
	}
}

/**
 * secbuf_conn_streams_shrink() - memory of empty and parked rings goes
 * @conn: the conn
 *
 * Context: process, may sleep. Takes locks of the rings.
 * Return: bytes freed.
 */
u64 secbuf_conn_streams_shrink(struct secbuf_conn *conn)
{
	u32 left = READ_ONCE(conn->nr_streams);
	struct secbuf_ring *ring;
	u64 bytes = 0;
	size_t freed;

	while (left-- && (ring = next_ring(conn, false))) {
		if (!secbuf_ring_shrink(ring, &freed))
			bytes += freed;
		secbuf_ring_put(ring);
		cond_resched();
	}
	return bytes;
}

/* The positions are what the ends say. */
static u64 used_of(const struct secbuf_ring *ring, u64 allocated)
{
	const struct secbuf_ring_end *ends = ring->ends;
	u64 head, tail;

	head = READ_ONCE(*secbuf_ring_end_word(&ends[SECBUF_RING_END_PRODUCER]));
	tail = READ_ONCE(*secbuf_ring_end_word(&ends[SECBUF_RING_END_CONSUMER]));
	return min(head - tail, allocated);
}

/**
 * secbuf_conn_streams_usage() - memory of all rings
 * @conn: the conn
 * @usage: filled
 *
 * Context: process.
 */
void secbuf_conn_streams_usage(struct secbuf_conn *conn,
			       struct secbuf_conn_usage *usage)
{
	struct secbuf_ring *ring;
	u64 bytes;

	*usage = (struct secbuf_conn_usage){ };
	spin_lock(&streams_lock);
	list_for_each_entry(ring, &conn->streams, stream.node) {
		bytes = (u64)READ_ONCE(ring->memory.nr) << PAGE_SHIFT;
		usage->allocated += bytes;
		usage->used += used_of(ring, bytes);
	}
	spin_unlock(&streams_lock);
}
