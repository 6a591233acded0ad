// SPDX-License-Identifier: GPL-2.0
/*
 * Conn: what one connection owns. All of it is zeroized when the connection
 * ends, and what it does not use can be taken back before.
 */
#include "conn.h"

#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "trace.h"

static struct secbuf_conn *conn_of(struct secbuf_idle *idle)
{
	return container_of(idle, struct secbuf_conn, idle);
}

static void conn_free(struct kref *refs)
{
	struct secbuf_conn *conn = container_of(refs, struct secbuf_conn, refs);

	secbuf_queue_exit(&conn->queue);
	mutex_destroy(&conn->lock);
	conn->source->free(conn);
}

/**
 * secbuf_conn_get() - one reference more
 * @conn: of which there is one
 */
void secbuf_conn_get(struct secbuf_conn *conn)
{
	kref_get(&conn->refs);
}

/**
 * secbuf_conn_put() - one reference less
 * @conn: gone with the last
 *
 * Context: process, may sleep.
 */
void secbuf_conn_put(struct secbuf_conn *conn)
{
	kref_put(&conn->refs, conn_free);
}

/**
 * secbuf_conn_lock() - begin a call
 * @conn: the conn
 *
 * Who has it may wait for memory.
 *
 * Context: process, may sleep.
 * Return: 0 or -EINTR.
 */
int secbuf_conn_lock(struct secbuf_conn *conn)
{
	return mutex_lock_killable(&conn->lock) ? -EINTR : 0;
}

/**
 * secbuf_conn_unlock() - end a call
 * @conn: the conn
 */
void secbuf_conn_unlock(struct secbuf_conn *conn)
{
	mutex_unlock(&conn->lock);
}

static bool lends(const struct secbuf_conn *conn)
{
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++)
		if (conn->slots[i].held)
			return true;
	return false;
}

/**
 * secbuf_conn_touch() - it is used
 * @conn: the conn
 *
 * Context: process. A conn that has nothing to take is no matter of the wheel.
 */
void secbuf_conn_touch(struct secbuf_conn *conn)
{
	/* Often several times in a tick, and the clock is not for nothing. */
	if (READ_ONCE(conn->touched) == (u32)jiffies)
		return;
	WRITE_ONCE(conn->touched, (u32)jiffies);
	/* Who is lent one right now puts it on the wheel himself. */
	if (conn->keep || !data_race(lends(conn)))
		secbuf_idle_note(&conn->idle, ktime_get_coarse_boottime_ns());
	else
		secbuf_idle_touch(&conn->idle);
}

static void return_slot(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	conn->source->end(conn, slot);
	slot->held = false;
	if (!lends(conn) && conn->source->nothing_lent)
		conn->source->nothing_lent(conn);
}

static u64 used_of(struct secbuf_conn *conn,
		   const struct secbuf_conn_slot *slot)
{
	if (conn->source->state(conn, slot) != SECBUF_SLOT_BUSY)
		return 0;
	return min(conn->source->used(conn, slot), conn->slot_size);
}

/* The rule of the library's buffers. What is not busy is used for nothing. */
static bool is_wasteful(struct secbuf_conn *conn,
			const struct secbuf_conn_slot *slot)
{
	return conn->slot_size > conn->waste_min &&
	       conn->slot_size > conn->waste_factor * used_of(conn, slot);
}

/**
 * secbuf_conn_try_take() - take a buffer if the user does not want it
 * @conn: the conn
 * @which: enum secbuf_conn_buffer
 * @wasteful: only if it is
 *
 * The caller gives it back.
 *
 * Context: under the lock of the conn; any.
 * Return: true if it is the conn's no more.
 */
bool secbuf_conn_try_take(struct secbuf_conn *conn, unsigned int which,
			  bool wasteful)
{
	struct secbuf_conn_slot *slot = &conn->slots[which];

	lockdep_assert_held(&conn->lock);
	if (!slot->held || (wasteful && !is_wasteful(conn, slot)))
		return false;
	if (!conn->source->take(conn, slot))
		return false;
	slot->held = false;
	trace_secbuf_conn_take(conn, which);
	return true;
}

/* Returns bytes given back. */
static u64 take_slots(struct secbuf_conn *conn, bool wasteful)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		if (!secbuf_conn_try_take(conn, i, wasteful))
			continue;
		return_slot(conn, &conn->slots[i]);
		bytes += conn->slot_size;
	}
	return bytes;
}

/* Is it in use? What is idle is older now. */
static bool in_use(struct secbuf_conn *conn)
{
	const struct secbuf_conn_source *source = conn->source;
	struct secbuf_conn_slot *slot;
	bool used = false;
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		slot = &conn->slots[i];
		if (slot->held && (source->age(conn, slot) ||
				   source->state(conn, slot) == SECBUF_SLOT_BUSY))
			used = true;
	}
	return used;
}

static bool conn_idle_get(struct secbuf_idle *idle)
{
	return kref_get_unless_zero(&conn_of(idle)->refs);
}

static void take_idle(struct secbuf_conn *conn)
{
	unsigned int nr = div_u64(take_slots(conn, false), conn->slot_size);

	conn->reclaimed += nr;
	if (nr && conn->source->idled)
		conn->source->idled(conn, nr);
	secbuf_queue_shrink(&conn->queue);
}

static bool conn_idle_expired(struct secbuf_idle *idle)
{
	struct secbuf_conn *conn = conn_of(idle);
	bool used = true;

	/* In the middle of a call: so it is used. */
	if (!mutex_trylock(&conn->lock))
		return true;
	if (conn->closed) {
		used = false;
	} else if (in_use(conn)) {
		secbuf_idle_note(idle, ktime_get_coarse_boottime_ns());
	} else {
		take_idle(conn);
		used = lends(conn);
	}
	mutex_unlock(&conn->lock);
	return used;
}

static void conn_idle_put(struct secbuf_idle *idle)
{
	secbuf_conn_put(conn_of(idle));
}

static const struct secbuf_idle_ops conn_idle_ops = {
	.get		= conn_idle_get,
	.expired	= conn_idle_expired,
	.put		= conn_idle_put,
};

/**
 * secbuf_conn_init() - a conn that has nothing
 * @conn: zero; initialized, with one reference
 * @params: what it is like; checked by the caller
 * @source: where its memory comes from
 */
void secbuf_conn_init(struct secbuf_conn *conn,
		      const struct secbuf_conn_params *params,
		      const struct secbuf_conn_source *source)
{
	mutex_init(&conn->lock);
	conn->source = source;
	secbuf_queue_init(&conn->queue, params->max_packets, params->max_bytes,
			  params->near_full);
	init_waitqueue_head(&conn->wait);
	conn->events = EPOLLOUT | EPOLLWRNORM;
	secbuf_idle_setup(&conn->idle, &conn_idle_ops, params->idle_ms);
	kref_init(&conn->refs);
	conn->slot_size = params->slot_size;
	conn->max_streams = params->max_streams;
	conn->waste_factor = params->waste_factor;
	conn->waste_min = params->waste_min;
	INIT_LIST_HEAD(&conn->streams);
	conn->keep = params->flags & SECBUF_CONN_F_KEEP;
	secbuf_conn_touch(conn);
}

/**
 * secbuf_conn_buffer() - a buffer, lent if the conn lacks it, and busy
 * @conn: the conn
 * @which: enum secbuf_conn_buffer, not trusted
 * @slot: what it is
 *
 * Context: process, may sleep. Takes the lock of the conn.
 * Return: 0, -EINVAL, -EINTR, or as of the source.
 */
int secbuf_conn_buffer(struct secbuf_conn *conn, unsigned int which,
		       struct secbuf_conn_slot *slot)
{
	struct secbuf_conn_slot *own;
	int err;

	if (which >= SECBUF_CONN_BUFFER_NR)
		return -EINVAL;
	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	own = &conn->slots[array_index_nospec(which, SECBUF_CONN_BUFFER_NR)];
	if (own->held) {
		err = conn->source->busy(conn, own);
	} else {
		err = conn->source->lend(conn, own);
		own->held = !err;
		conn->granted += !err;
		if (!err)
			trace_secbuf_conn_lend(conn, which);
		/* It was touched in this jiffy, perhaps, and had nothing yet. */
		if (!err && !conn->keep)
			secbuf_idle_start(&conn->idle);
	}
	*slot = *own;
	mutex_unlock(&conn->lock);
	return err;
}

/**
 * secbuf_conn_changed() - the queue has changed: tell who waits
 * @conn: the conn
 *
 * Context: process, under the lock of the conn.
 */
void secbuf_conn_changed(struct secbuf_conn *conn)
{
	struct secbuf_queue *queue = &conn->queue;
	__poll_t events = 0;

	lockdep_assert_held(&conn->lock);
	if (queue->nr)
		events |= EPOLLIN | EPOLLRDNORM;
	if (!secbuf_queue_is_near_full(queue))
		events |= EPOLLOUT | EPOLLWRNORM;
	WRITE_ONCE(conn->events, events);
	WRITE_ONCE(conn->changes, conn->changes + 1);
	if (wq_has_sleeper(&conn->wait))
		wake_up_interruptible_poll(&conn->wait, events);
}

/* What is being sent is returned by who sends it. */
static void drop_packets(struct secbuf_conn *conn)
{
	struct secbuf_packet packet;

	trace_secbuf_conn_end(conn, conn->queue.nr);
	conn->ends++;
	if (conn->is_sending)
		conn->source->clean(conn, conn->sending);
	while (secbuf_queue_pop(&conn->queue, &packet)) {
		conn->source->put(conn, packet.handle);
		cond_resched();
	}
	secbuf_conn_changed(conn);
}

static void end_slots(struct secbuf_conn *conn)
{
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++)
		if (conn->slots[i].held)
			return_slot(conn, &conn->slots[i]);
}

static void clean_slots(struct secbuf_conn *conn)
{
	unsigned int i;

	/* What was in them is needed no more, and must not keep them. */
	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++)
		if (conn->slots[i].held)
			conn->source->clean(conn, conn->slots[i].handle);
	take_slots(conn, true);
}

/**
 * secbuf_conn_zeroize() - the connection has ended
 * @conn: the conn, which can be used for another
 * @keep_buffers: they stay, zeroized, but for those that are wasteful
 *
 * Rings are not the matter of this.
 *
 * Context: process, may sleep. Takes the lock of the conn.
 * Return: 0 or -EINTR.
 */
int secbuf_conn_zeroize(struct secbuf_conn *conn, bool keep_buffers)
{
	int err;

	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	drop_packets(conn);
	if (keep_buffers)
		clean_slots(conn);
	else
		end_slots(conn);
	mutex_unlock(&conn->lock);
	return 0;
}

/**
 * secbuf_conn_close() - the conn has ended; all is zeroized
 * @conn: nobody calls any more. Goes with the last reference
 *
 * Context: process, may sleep. Takes the lock of the conn.
 */
void secbuf_conn_close(struct secbuf_conn *conn)
{
	mutex_lock(&conn->lock);
	drop_packets(conn);
	end_slots(conn);
	conn->closed = true;
	mutex_unlock(&conn->lock);
	secbuf_idle_del(&conn->idle);
}

/**
 * secbuf_conn_shrink() - take what the user does not want
 * @conn: the conn
 * @wasteful: only what is wasteful
 *
 * Context: process, may sleep. Takes the lock of the conn.
 * Return: bytes given back.
 */
u64 secbuf_conn_shrink(struct secbuf_conn *conn, bool wasteful)
{
	u64 bytes;

	mutex_lock(&conn->lock);
	bytes = take_slots(conn, wasteful);
	if (!wasteful)
		secbuf_queue_shrink(&conn->queue);
	mutex_unlock(&conn->lock);
	return bytes;
}

static struct secbuf_conn_usage usage_of(struct secbuf_conn *conn,
					 unsigned int which)
{
	struct secbuf_conn_slot *slot = &conn->slots[which];

	if (!slot->held)
		return (struct secbuf_conn_usage){ };
	return (struct secbuf_conn_usage){
		.allocated = conn->slot_size,
		.used = used_of(conn, slot),
	};
}

static void add_usage(struct secbuf_conn_usage *sum,
		      const struct secbuf_conn_usage *usage)
{
	sum->allocated += usage->allocated;
	sum->used += usage->used;
}

static bool any_is_busy(struct secbuf_conn *conn)
{
	struct secbuf_conn_slot *slot;
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		slot = &conn->slots[i];
		if (slot->held &&
		    conn->source->state(conn, slot) == SECBUF_SLOT_BUSY)
			return true;
	}
	return false;
}

static u32 status_of(const struct secbuf_conn *conn,
		     const struct secbuf_conn_stats_args *stats)
{
	const struct secbuf_conn_usage *total = &stats->out_total;
	u32 status = 0;

	if (stats->out_idle_ns && secbuf_idle_is_over(&conn->idle))
		status |= SECBUF_CONN_IDLE;
	if (total->used * 2 < total->allocated ||
	    (status & SECBUF_CONN_IDLE &&
	     total->allocated - total->used > SZ_1M))
		status |= SECBUF_CONN_PROBLEMATIC;
	if (secbuf_queue_is_near_full(&conn->queue))
		status |= SECBUF_CONN_NEAR_FULL;
	return status;
}

static void fill_counters(const struct secbuf_conn *conn,
			  struct secbuf_conn_stats_args *stats)
{
	stats->out_nr_packets = conn->queue.nr + conn->queue.held;
	stats->out_peak_packets = conn->queue.peak;
	stats->out_max_packets = conn->queue.max_packets;
	stats->out_max_bytes = conn->queue.max_bytes;
	/* That of streams is another lock. */
	stats->out_nr_streams = READ_ONCE(conn->nr_streams);
	stats->out_max_streams = conn->max_streams;
	stats->out_enqueued = conn->queue.enqueued;
	stats->out_dequeued = conn->queue.dequeued;
	stats->out_refused = conn->queue.refused;
	stats->out_granted = conn->granted;
	stats->out_reclaimed = conn->reclaimed;
}

static void fill_stats(struct secbuf_conn *conn,
		       struct secbuf_conn_stats_args *stats)
{
	struct secbuf_conn_usage total = stats->out_streams;
	u32 packets = conn->queue.nr + conn->queue.held;

	stats->out_read = usage_of(conn, SECBUF_CONN_BUFFER_READ);
	stats->out_write = usage_of(conn, SECBUF_CONN_BUFFER_WRITE);
	stats->out_queue.allocated = (u64)packets * conn->slot_size;
	stats->out_queue.used = conn->queue.bytes;
	add_usage(&total, &stats->out_read);
	add_usage(&total, &stats->out_write);
	add_usage(&total, &stats->out_queue);
	stats->out_total = total;
	stats->out_efficiency = total.allocated ?
		div64_u64(total.used * 1000, total.allocated) : 1000;
	stats->out_idle_ns = any_is_busy(conn) ? 0 :
			     secbuf_idle_ns(&conn->idle);
	stats->out_status = status_of(conn, stats);
	fill_counters(conn, stats);
}

/**
 * secbuf_conn_get_stats() - what there is, and what it is used for
 * @conn: the conn
 * @stats: filled, but for size and flags; out_streams is taken as it is
 *
 * Context: process, may sleep. Takes the lock of the conn.
 */
void secbuf_conn_get_stats(struct secbuf_conn *conn,
			   struct secbuf_conn_stats_args *stats)
{
	mutex_lock(&conn->lock);
	fill_stats(conn, stats);
	mutex_unlock(&conn->lock);
}

/**
 * secbuf_conn_peek_stats() - the same, as far as it is known without waiting
 * @conn: the conn
 * @stats: see secbuf_conn_get_stats()
 *
 * What is under way can be half of it. Of slots only, whose words stay.
 *
 * Context: any.
 */
void secbuf_conn_peek_stats(struct secbuf_conn *conn,
			    struct secbuf_conn_stats_args *stats)
{
	/* A statistic may be that of a moment ago. */
	data_race((fill_stats(conn, stats), 0));
}
