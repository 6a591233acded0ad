// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting until an end of a ring has something to do.
 */
#include "ring_wait.h"

#include <linux/errno.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "ring.h"

/**
 * secbuf_ring_ready() - can this side move so many bytes?
 * @end: the side
 * @min: how many, at least 1
 * @amount: how many it can move; set unless the error is another than -EAGAIN
 *          and -EPIPE. Can be NULL
 *
 * Context: process, may sleep. Takes map_lock.
 * Return: 0, -EAGAIN (not yet), -EPIPE (never, the other side is gone),
 * -ESHUTDOWN, -EPROTO, -EBUSY.
 */
int secbuf_ring_ready(struct secbuf_ring_end *end, u64 min, u64 *amount)
{
	bool producer = secbuf_ring_is_producer(end);
	struct secbuf_ring_view view;
	int err;

	down_read(&end->ring->map_lock);
	err = secbuf_ring_end_view(end, &view);
	if (err)
		goto out_unlock;
	if (amount)
		*amount = view.amount;
	if (producer && secbuf_ring_peer(end)->gone)
		err = -EPIPE;
	else if (view.amount < min)
		err = secbuf_ring_peer(end)->gone ? -EPIPE : -EAGAIN;
out_unlock:
	up_read(&end->ring->map_lock);
	return err;
}

/**
 * secbuf_ring_arm() - ask the other side to wake this one
 * @end: this side, which then looks once more
 * @min: bytes that it wants to move
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_ring_arm(struct secbuf_ring_end *end, u64 min)
{
	struct secbuf_ring_end *peer = secbuf_ring_peer(end);
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;
	u64 goal, armed;

	down_read(&ring->map_lock);
	if (secbuf_ring_end_view(end, &view))
		goto out_unlock;
	goal = view.own + min;
	if (secbuf_ring_is_producer(end))
		goal -= ring->size;
	armed = secbuf_ring_bell_arm(&end->bell, goal);
	if (armed) {
		if (peer->ops && peer->ops->fence)
			peer->ops->fence(peer);
		secbuf_ring_bell_seen(&end->bell, armed);
	}
out_unlock:
	up_read(&ring->map_lock);
}

/* wait_woken() does not sleep then. */
static bool thread_is_to_stop(void)
{
	return (current->flags & PF_KTHREAD) &&
	       (kthread_should_stop() || kthread_should_park());
}

/**
 * secbuf_ring_await() - sleep until this side can move so many bytes
 * @end: the side
 * @min: how many, from 1 to the size of the ring
 * @timeout: in jiffies; 0 to look only, MAX_SCHEDULE_TIMEOUT for no limit
 * @generation: of the end; it may be claimed by another meanwhile
 *
 * Context: process, may sleep. Takes map_lock.
 * Return: 0, -ETIMEDOUT, -EINTR, -EPIPE, -ESHUTDOWN, -EPROTO, -EPERM, -EBUSY.
 */
int secbuf_ring_await(struct secbuf_ring_end *end, u64 min, long timeout,
		      u32 generation)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err;

	add_wait_queue(&end->bell.wait, &wait);
	for (;;) {
		if (READ_ONCE(end->generation) != generation) {
			err = -EPERM;
			break;
		}
		err = secbuf_ring_ready(end, min, NULL);
		if (err != -EAGAIN)
			break;
		secbuf_ring_arm(end, min);
		err = secbuf_ring_ready(end, min, NULL);
		if (err != -EAGAIN)
			break;
		if (!timeout) {
			err = -ETIMEDOUT;
			break;
		}
		if (signal_pending(current) || thread_is_to_stop()) {
			err = -EINTR;
			break;
		}
		atomic64_inc(&end->bell.sleeps);
		timeout = wait_woken(&wait, TASK_INTERRUPTIBLE, timeout);
	}
	remove_wait_queue(&end->bell.wait, &wait);
	/* What poll is asked for next. */
	WRITE_ONCE(end->want, err == -ETIMEDOUT ? min : 0);
	return err;
}
