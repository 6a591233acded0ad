// SPDX-License-Identifier: GPL-2.0
/*
 * Conns for other modules.
 */
#include "conn_kernel.h"

#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "conn_queue.h"
#include "conn_sb.h"
#include "conn_stream.h"
#include "queue.h"
#include "ring.h"

static u32 limit(u32 asked, u32 by_default, u32 ceiling)
{
	return min(asked ?: by_default, ceiling);
}

static struct secbuf_conn_params
params_from(const struct secbuf_kconn_params *params)
{
	return (struct secbuf_conn_params){
		.flags = params->keep ? SECBUF_CONN_F_KEEP : 0,
		.max_packets = limit(params->max_packets,
				     SECBUF_CONN_MAX_PACKETS_DEFAULT,
				     SECBUF_CONN_MAX_PACKETS_CEILING),
		.max_bytes = limit(params->max_bytes,
				   SECBUF_CONN_MAX_BYTES_DEFAULT,
				   SECBUF_CONN_MAX_BYTES_CEILING),
		.max_streams = limit(params->max_streams,
				     SECBUF_CONN_MAX_STREAMS_DEFAULT,
				     SECBUF_CONN_MAX_STREAMS_CEILING),
		.idle_ms = limit(params->idle_ms, SECBUF_CONN_IDLE_MS_DEFAULT,
				 SECBUF_CONN_IDLE_MS_CEILING),
		.near_full = limit(params->near_full,
				   SECBUF_CONN_NEAR_FULL_DEFAULT, 100),
		.waste_factor = limit(params->waste_factor,
				      SECBUF_CONN_WASTE_FACTOR_DEFAULT,
				      U32_MAX),
		.waste_min = limit(params->waste_min,
				   SECBUF_CONN_WASTE_MIN_DEFAULT, U32_MAX),
	};
}

/**
 * secbuf_kconn_create() - a conn that has nothing yet
 * @params: what it is like; need not outlive the call. Limits above what there
 *          can be are taken as that
 *
 * Context: process, may sleep.
 * Return: the conn, or ERR_PTR(-ENOMEM).
 */
struct secbuf_kconn *
secbuf_kconn_create(const struct secbuf_kconn_params *params)
{
	struct secbuf_conn_params conn_params = params_from(params);

	return secbuf_sb_conn_create(params->pool, &conn_params);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_create);

/**
 * secbuf_kconn_destroy() - the end of a conn
 * @kconn: the conn, or NULL; nobody else uses it
 *
 * All that it has is zeroized, also for those who still have a reference of a
 * buffer, and goes back to the pool with the last of them. Its rings are reset;
 * ends of them that the caller has are still to be destroyed, then or before.
 *
 * Context: process, may sleep.
 */
void secbuf_kconn_destroy(struct secbuf_kconn *kconn)
{
	if (kconn)
		secbuf_sb_conn_close(kconn);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_destroy);

/**
 * secbuf_kconn_get() - use the read or the write buffer
 * @kconn: the conn
 * @which: which
 *
 * Allocated, zero, if the conn does not have it; otherwise with what the last
 * user left in it. It stays at least until secbuf_kconn_put(). More than one
 * may use it at once.
 *
 * Context: process, may sleep.
 * Return: the buffer, with a reference for the caller, or an error pointer:
 * -ENOSPC (the pool has its maximum), -ENOMEM, -EDQUOT, -EINTR (the task is
 * being killed), -EINVAL (@which).
 */
struct secbuf *secbuf_kconn_get(struct secbuf_kconn *kconn,
				enum secbuf_kconn_buffer which)
{
	struct secbuf_conn_slot slot;
	int err;

	BUILD_BUG_ON((int)SECBUF_KCONN_READ != SECBUF_CONN_BUFFER_READ);
	BUILD_BUG_ON((int)SECBUF_KCONN_WRITE != SECBUF_CONN_BUFFER_WRITE);

	err = secbuf_conn_buffer(&kconn->conn, which, &slot);
	secbuf_conn_touch(&kconn->conn);
	return err ? ERR_PTR(err) : secbuf_from_handle(slot.handle);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_get);

/**
 * secbuf_kconn_put() - do not use it any more
 * @kconn: the conn
 * @which: which
 * @sb: from secbuf_kconn_get(), whose reference goes
 * @used: bytes in it that the next user needs: it stays for him. 0: none, and
 *        the conn may give it back
 *
 * Context: process, may sleep.
 */
void secbuf_kconn_put(struct secbuf_kconn *kconn,
		      enum secbuf_kconn_buffer which, struct secbuf *sb,
		      size_t used)
{
	secbuf_sb_conn_release(kconn, which, sb, used);
	secbuf_conn_touch(&kconn->conn);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_put);

/**
 * secbuf_kconn_enqueue() - a buffer becomes the last packet, without a copy
 * @kconn: the conn
 * @sb: the buffer, of whatever pool, whose reference goes with it. On failure
 *      it stays with the caller
 * @len: bytes of it, from its beginning
 *
 * Who has another reference sees what becomes of it.
 *
 * The read and the write buffer of the conn are no packets: the next user would
 * write into what is in the queue. To send from one, copy it, or fill a buffer of
 * the pool instead.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOBUFS: too many packets; -EOVERFLOW: too many bytes; -EMSGSIZE:
 * it is larger than a buffer of the pool, than @sb, or than max_bytes; -EBUSY:
 * it is the read or the write buffer; -EINVAL: @len is 0; -ENOMEM; -EINTR: the
 * task is being killed.
 */
int secbuf_kconn_enqueue(struct secbuf_kconn *kconn, struct secbuf *sb,
			 u32 len)
{
	secbuf_conn_touch(&kconn->conn);
	if (len > secbuf_size(sb))
		return -EMSGSIZE;
	return secbuf_conn_put_moved(&kconn->conn, secbuf_to_handle(sb), len, NULL);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_enqueue);

/**
 * secbuf_kconn_enqueue_copy() - bytes become the last packet
 * @kconn: the conn
 * @from: the bytes
 * @len: how many
 *
 * Context: process, may sleep.
 * Return: as of secbuf_kconn_enqueue() and secbuf_kconn_get().
 */
int secbuf_kconn_enqueue_copy(struct secbuf_kconn *kconn, const void *from,
			      size_t len)
{
	struct kvec vec = { (void *)from, len };
	struct iov_iter iter;

	secbuf_conn_touch(&kconn->conn);
	if (!len)
		return -EINVAL;
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, len);
	return secbuf_conn_put_copied(&kconn->conn, &iter, NULL);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_enqueue_copy);

/**
 * secbuf_kconn_enqueue_bulk() - buffers become the last packets
 * @kconn: the conn
 * @packets: the packets
 * @nr: how many
 *
 * Stops at the first that is refused. That and those after it stay with the
 * caller.
 *
 * Context: process, may sleep.
 * Return: how many are in the queue, or the error of the first one; 0 if @nr is.
 */
int secbuf_kconn_enqueue_bulk(struct secbuf_kconn *kconn,
			      const struct secbuf_kconn_packet *packets,
			      unsigned int nr)
{
	unsigned int done;
	int err;

	for (done = 0; done < nr; done++) {
		err = secbuf_kconn_enqueue(kconn, packets[done].sb,
					   packets[done].len);
		if (err)
			return done ?: err;
		cond_resched();
	}
	return done;
}
EXPORT_SYMBOL_GPL(secbuf_kconn_enqueue_bulk);

/**
 * struct taking - who takes a packet
 * @teller: is told of it
 * @packet: which it is
 */
struct taking {
	struct secbuf_conn_teller teller;
	struct secbuf_kconn_packet *packet;
};

static bool tell_taken(struct secbuf_conn_teller *teller, u64 handle, u32 len)
{
	struct taking *taking = container_of(teller, struct taking, teller);

	taking->packet->sb = secbuf_from_handle(handle);
	taking->packet->len = len;
	return true;
}

/**
 * secbuf_kconn_dequeue() - the first packet becomes the caller's
 * @kconn: the conn
 * @packet: the buffer, with its reference, and its length
 *
 * Context: process, may sleep.
 * Return: 0; -EAGAIN: there is none; -EINTR: the task is being killed.
 */
int secbuf_kconn_dequeue(struct secbuf_kconn *kconn,
			 struct secbuf_kconn_packet *packet)
{
	struct taking taking = {
		.teller.tell = tell_taken,
		.packet = packet,
	};

	secbuf_conn_touch(&kconn->conn);
	return secbuf_conn_take_moved(&kconn->conn, &taking.teller);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_dequeue);

/**
 * secbuf_kconn_dequeue_copy() - copy the first packet out, and zeroize it
 * @kconn: the conn
 * @to: where its bytes go; to be zeroized by the caller if it must be
 * @room: bytes that fit there
 *
 * Context: process, may sleep.
 * Return: bytes of the packet; -EAGAIN: there is none; -EMSGSIZE: it does not
 * fit, and stays; -EINTR: the task is being killed.
 */
ssize_t secbuf_kconn_dequeue_copy(struct secbuf_kconn *kconn, void *to,
				  size_t room)
{
	struct kvec vec = { to, room };
	struct iov_iter iter;

	secbuf_conn_touch(&kconn->conn);
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, room);
	return secbuf_conn_take_copied(&kconn->conn, &iter, NULL);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_dequeue_copy);

/**
 * secbuf_kconn_dequeue_bulk() - the first packets become the caller's
 * @kconn: the conn
 * @packets: room for as many
 * @nr: most of them
 *
 * Context: process, may sleep.
 * Return: how many there were.
 */
unsigned int secbuf_kconn_dequeue_bulk(struct secbuf_kconn *kconn,
				       struct secbuf_kconn_packet *packets,
				       unsigned int nr)
{
	unsigned int done = 0;

	while (done < nr && !secbuf_kconn_dequeue(kconn, &packets[done])) {
		done++;
		cond_resched();
	}
	return done;
}
EXPORT_SYMBOL_GPL(secbuf_kconn_dequeue_bulk);

/* Of what wait_event_interruptible_timeout() returns. */
static int waited(long left)
{
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}

/**
 * secbuf_kconn_wait_packet() - sleep until there is a packet
 * @kconn: the conn
 * @timeout: in jiffies; MAX_SCHEDULE_TIMEOUT for no limit, 0 to look only
 *
 * Another thread may be faster.
 *
 * Context: process, may sleep.
 * Return: 0, -ETIMEDOUT, -EINTR.
 */
int secbuf_kconn_wait_packet(struct secbuf_kconn *kconn, long timeout)
{
	struct secbuf_conn *conn = &kconn->conn;

	return waited(wait_event_interruptible_timeout(conn->wait,
						       READ_ONCE(conn->events) &
						       EPOLLIN, timeout));
}
EXPORT_SYMBOL_GPL(secbuf_kconn_wait_packet);

static bool has_room(const struct secbuf_conn *conn, u32 len)
{
	if (!len)
		return READ_ONCE(conn->events) & EPOLLOUT;
	/* Without the lock: who changes the queue wakes us afterwards. */
	return !data_race(secbuf_queue_check(&conn->queue, len));
}

/**
 * secbuf_kconn_wait_room() - sleep until there is room for a packet
 * @kconn: the conn
 * @len: bytes of the packet. 0: until the queue is not nearly full, which does
 *       not promise room for each packet
 * @timeout: as of secbuf_kconn_wait_packet()
 *
 * Another thread may be faster.
 *
 * Context: process, may sleep.
 * Return: 0; -EMSGSIZE: there never will be, it is larger than max_bytes or than
 * a buffer of the pool; -ETIMEDOUT, -EINTR.
 */
int secbuf_kconn_wait_room(struct secbuf_kconn *kconn, u32 len, long timeout)
{
	struct secbuf_conn *conn = &kconn->conn;

	if (len > min(conn->slot_size, conn->queue.max_bytes))
		return -EMSGSIZE;
	return waited(wait_event_interruptible_timeout(conn->wait,
						       has_room(conn, len),
						       timeout));
}
EXPORT_SYMBOL_GPL(secbuf_kconn_wait_room);

/**
 * secbuf_kconn_is_near_full() - does the queue reach near_full percent?
 * @kconn: the conn
 *
 * Context: any.
 */
bool secbuf_kconn_is_near_full(struct secbuf_kconn *kconn)
{
	return !(READ_ONCE(kconn->conn.events) & EPOLLOUT);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_is_near_full);

/**
 * secbuf_kconn_stream_add() - a ring belongs to the conn
 * @kconn: the conn
 * @end: an end of the ring, from secbuf_ring_create()
 *
 * That keeps neither of its ends: when both are gone it is gone from the conn as
 * well. When the connection ends, the ring is reset, and all calls on its ends
 * are -ESHUTDOWN; but they are to be destroyed as any.
 *
 * Context: process, may sleep.
 * Return: 0; -ESHUTDOWN: it was reset; -EEXIST: it belongs to a conn already;
 * -ENOBUFS: max_streams is reached.
 */
int secbuf_kconn_stream_add(struct secbuf_kconn *kconn,
			    struct secbuf_ring_end *end)
{
	secbuf_conn_touch(&kconn->conn);
	return secbuf_conn_stream_add(&kconn->conn, end->ring);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_stream_add);

/**
 * secbuf_kconn_stream_del() - a ring does not belong to the conn any more
 * @kconn: the conn
 * @end: an end of the ring, which goes on
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT: it is not this conn's.
 */
int secbuf_kconn_stream_del(struct secbuf_kconn *kconn,
			    struct secbuf_ring_end *end)
{
	secbuf_conn_touch(&kconn->conn);
	return secbuf_conn_stream_del(&kconn->conn, end->ring);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_stream_del);

static int end_connection(struct secbuf_kconn *kconn, bool keep_buffers)
{
	int err;

	secbuf_conn_touch(&kconn->conn);
	err = secbuf_conn_zeroize(&kconn->conn, keep_buffers);
	if (!err)
		secbuf_conn_streams_end(&kconn->conn);
	return err;
}

/**
 * secbuf_kconn_zeroize() - the connection has ended
 * @kconn: the conn, which has nothing after this, and can be used for another
 *
 * Its rings are reset and leave it.
 *
 * Buffers that somebody uses are zeroized under him; what he writes to them
 * afterwards is when he puts them.
 *
 * Context: process, may sleep.
 * Return: 0, or -EINTR: the task is being killed.
 */
int secbuf_kconn_zeroize(struct secbuf_kconn *kconn)
{
	return end_connection(kconn, false);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_zeroize);

/**
 * secbuf_kconn_reset() - the connection has ended, and another will follow
 * @kconn: the conn
 *
 * As secbuf_kconn_zeroize(), but the read and the write buffer stay, zeroized,
 * unless they are wasteful and nobody uses them.
 *
 * Context: process, may sleep.
 * Return: 0, or -EINTR: the task is being killed.
 */
int secbuf_kconn_reset(struct secbuf_kconn *kconn)
{
	return end_connection(kconn, true);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_reset);

/**
 * secbuf_kconn_shrink() - give back what nobody uses
 * @kconn: the conn
 * @wasteful: only buffers that are wasteful; not the memory of empty rings
 *
 * Is no activity.
 *
 * Context: process, may sleep.
 * Return: bytes that went back to the pool, or were freed.
 */
u64 secbuf_kconn_shrink(struct secbuf_kconn *kconn, bool wasteful)
{
	u64 bytes = secbuf_conn_shrink(&kconn->conn, wasteful);

	if (!wasteful)
		bytes += secbuf_conn_streams_shrink(&kconn->conn);
	return bytes;
}
EXPORT_SYMBOL_GPL(secbuf_kconn_shrink);

/**
 * secbuf_kconn_touch() - the connection is active
 * @kconn: the conn
 *
 * All functions do so that get, put, move or end anything.
 *
 * Context: process.
 */
void secbuf_kconn_touch(struct secbuf_kconn *kconn)
{
	secbuf_conn_touch(&kconn->conn);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_touch);

/**
 * secbuf_kconn_idle_ns() - nanoseconds since the last activity
 * @kconn: the conn
 *
 * Context: any.
 */
u64 secbuf_kconn_idle_ns(struct secbuf_kconn *kconn)
{
	return secbuf_idle_ns(&kconn->conn.idle);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_idle_ns);

/**
 * secbuf_kconn_is_idle() - was there no activity for its idle time?
 * @kconn: the conn
 *
 * Context: any.
 */
bool secbuf_kconn_is_idle(struct secbuf_kconn *kconn)
{
	return secbuf_idle_is_over(&kconn->conn.idle);
}
EXPORT_SYMBOL_GPL(secbuf_kconn_is_idle);

static struct secbuf_kconn_usage usage_from(const struct secbuf_conn_usage *u)
{
	return (struct secbuf_kconn_usage){
		.allocated = u->allocated,
		.used = u->used,
	};
}

/**
 * secbuf_kconn_get_stats() - what the conn has, and what it did
 * @kconn: the conn
 * @stats: filled
 *
 * Is no activity.
 *
 * Context: process, may sleep.
 */
void secbuf_kconn_get_stats(struct secbuf_kconn *kconn,
			    struct secbuf_kconn_stats *stats)
{
	struct secbuf_conn_stats_args args = { };

	secbuf_conn_streams_usage(&kconn->conn, &args.out_streams);
	secbuf_conn_get_stats(&kconn->conn, &args);
	*stats = (struct secbuf_kconn_stats){
		.read = usage_from(&args.out_read),
		.write = usage_from(&args.out_write),
		.streams = usage_from(&args.out_streams),
		.queue = usage_from(&args.out_queue),
		.total = usage_from(&args.out_total),
		.idle_ns = args.out_idle_ns,
		.efficiency = args.out_efficiency,
		.is_idle = args.out_status & SECBUF_CONN_IDLE,
		.is_problematic = args.out_status & SECBUF_CONN_PROBLEMATIC,
		.is_near_full = args.out_status & SECBUF_CONN_NEAR_FULL,
		.nr_packets = args.out_nr_packets,
		.peak_packets = args.out_peak_packets,
		.nr_streams = args.out_nr_streams,
		.enqueued = args.out_enqueued,
		.dequeued = args.out_dequeued,
		.refused = args.out_refused,
		.granted = args.out_granted,
		.reclaimed = args.out_reclaimed,
	};
}
EXPORT_SYMBOL_GPL(secbuf_kconn_get_stats);
