// SPDX-License-Identifier: GPL-2.0
/*
 * Send the queue of a conn to a socket, from the slots where it is.
 *
 * A socket can keep its lock for as long as a hostile program likes, so none of
 * ours is held meanwhile: the packet is out of the queue, and its pages are
 * pinned. If its owner dies, they are zeroized all the same, and zeros are sent;
 * or, of a slot smaller than a page in a pool that is shared, what another member
 * has there by then.
 */
#include "conn_send.h"

#include <linux/mm.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uio.h>

#include "account.h"
#include "conn.h"
#include "conn_slot.h"
#include "held.h"
#include "trace.h"

/* Bytes sent to a stream at once; fewer than a page more are pinned. */
#define STREAM_MAX	SZ_256K

/* A stream takes any part; others a message as a whole. */
static bool is_stream(const struct socket *sock)
{
	return sock->type == SOCK_STREAM;
}

/* Bytes of a slot to be sent, and where they are. */
struct sending {
	struct secbuf_slot_conn *sc;
	u64 id;
	size_t offset;
	size_t len;
	unsigned int nr_pages;
	struct page **pages;
	struct kvec *kvecs;
};

static int send_pinned(struct socket *sock, struct sending *s)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	size_t left = s->len, n;
	unsigned int i;
	void *p;

	for (i = 0; i < s->nr_pages; i++) {
		p = page_address(s->pages[i]);
		if (!i)
			p += secbuf_held_in_page(s->sc->member, s->id,
						 s->offset);
		n = min(left, PAGE_SIZE - offset_in_page(p));
		s->kvecs[i] = (struct kvec){ .iov_base = p, .iov_len = n };
		left -= n;
	}
	/* No bvec: a socket may keep those pages, to send them later. */
	return kernel_sendmsg(sock, &msg, s->kvecs, s->nr_pages, s->len);
}

static int send_bytes(struct socket *sock, struct sending *s)
{
	struct secbuf_member *member = s->sc->member;
	unsigned int i;
	int ret;

	s->nr_pages = DIV_ROUND_UP(s->len + secbuf_held_in_page(member, s->id,
								s->offset),
				   PAGE_SIZE);
	s->pages = kvmalloc_array(s->nr_pages,
				  sizeof(*s->pages) + sizeof(*s->kvecs),
				  SECBUF_GFP);
	if (!s->pages)
		return -ENOMEM;
	s->kvecs = (struct kvec *)(s->pages + s->nr_pages);
	ret = secbuf_held_pin(member, s->id, s->offset, s->nr_pages, s->pages);
	if (!ret) {
		ret = send_pinned(sock, s);
		for (i = 0; i < s->nr_pages; i++)
			put_page(s->pages[i]);
	}
	kvfree(s->pages);
	return ret;
}

/* Returns bytes that were sent, or if none -errno. */
static ssize_t send_packet(struct secbuf_slot_conn *sc, struct socket *sock,
			   const struct secbuf_packet *packet)
{
	size_t len = packet->len - packet->sent, done = 0;
	struct sending s = { .sc = sc, .id = packet->handle };
	int ret = 0;

	while (done < len) {
		s.offset = packet->sent + done;
		s.len = len - done;
		if (is_stream(sock))
			s.len = min_t(size_t, s.len, STREAM_MAX);
		ret = send_bytes(sock, &s);
		if (ret <= 0)
			break;
		done += ret;
		if (!is_stream(sock) || ret < s.len ||
		    fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return done ?: ret ?: -EAGAIN;
}

/* The first packet is ours, until it is put back or gone. */
static int begin(struct secbuf_conn *conn, struct secbuf_packet *packet,
		 u32 *ends)
{
	int err;

	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	if (conn->is_sending)
		err = -EBUSY;
	else if (!secbuf_queue_hold(&conn->queue, packet))
		err = -EAGAIN;
	if (!err) {
		conn->is_sending = true;
		conn->sending = packet->handle;
		*ends = conn->ends;
		secbuf_conn_changed(conn);
	}
	secbuf_conn_unlock(conn);
	return err;
}

/*
 * If the conn was zeroized meanwhile, so was the packet, and what is left of it
 * concerns nobody. Returns true if it was sent whole.
 */
static bool end(struct secbuf_conn *conn, const struct secbuf_packet *packet,
		u32 ends, size_t sent)
{
	bool whole = sent == packet->len - packet->sent;

	/* It must not stay ours, whatever signal arrives. */
	mutex_lock(&conn->lock);
	conn->is_sending = false;
	if (whole || conn->ends != ends) {
		secbuf_queue_release(&conn->queue, packet);
		conn->source->put(conn, packet->handle);
		trace_secbuf_conn_dequeue(conn, packet->len, conn->queue.nr);
	} else {
		secbuf_queue_unhold(&conn->queue, packet);
		secbuf_queue_consume(&conn->queue, sent);
	}
	secbuf_conn_changed(conn);
	mutex_unlock(&conn->lock);
	return whole;
}

static int send_one(struct secbuf_slot_conn *sc, struct socket *sock,
		    struct secbuf_conn_sent *sent)
{
	struct secbuf_packet packet;
	ssize_t ret;
	u32 ends;
	int err;

	err = begin(&sc->conn, &packet, &ends);
	if (err)
		return err;
	ret = send_packet(sc, sock, &packet);
	if (!end(&sc->conn, &packet, ends, max_t(ssize_t, ret, 0)))
		err = -EAGAIN;
	if (ret < 0)
		return ret;
	sent->bytes += ret;
	sent->packets += !err;
	return err;
}

/**
 * secbuf_conn_send() - send the queue as far as the socket takes it
 * @sc: the conn
 * @sock: where to
 * @max_packets: most packets; 0: as many as there are
 * @sent: zero; what was sent
 *
 * Context: process, may sleep, but not for space in the socket. Takes the lock
 * of the conn.
 * Return: 0 if anything was sent; -EAGAIN, -EBUSY, -EINTR, -ESHUTDOWN, or as of
 * the socket.
 */
int secbuf_conn_send(struct secbuf_slot_conn *sc, struct socket *sock,
		     u32 max_packets, struct secbuf_conn_sent *sent)
{
	/*
	 * Others may put as many in as go out. Any number will do, and whoever
	 * changes it under the lock need not do more for that.
	 */
	u32 left = data_race(READ_ONCE(sc->conn.queue.nr)) ?: 1;
	int err;

	if (max_packets)
		left = min(left, max_packets);
	do {
		err = send_one(sc, sock, sent);
		cond_resched();
	} while (!err && --left && !fatal_signal_pending(current));
	return sent->bytes ? 0 : err;
}
