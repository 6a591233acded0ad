// SPDX-License-Identifier: GPL-2.0
/*
 * Queue: packets of a conn, first in, first out, within limits on how many and
 * how many bytes there are.
 *
 * Who copies a packet out cannot do so under the lock of the queue, and may
 * fail. So he holds it meanwhile: it counts against the limits, and there is
 * room to put it back.
 */
#include "queue.h"

#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "account.h"

#define QUEUE_CAP_MIN	8

/* As many are kept when the queue is empty. */
#define QUEUE_CAP_KEPT	20

/* With fewer than one in so many in use it gets smaller. */
#define QUEUE_CAP_WASTE	16

/**
 * secbuf_queue_init() - a queue without packets, and without memory
 * @queue: the queue
 * @max_packets: limit, at least 1
 * @max_bytes: limit, at least 1
 * @near_full: percent of either limit, 1 to 100
 */
void secbuf_queue_init(struct secbuf_queue *queue, u32 max_packets,
		       u32 max_bytes, u32 near_full)
{
	*queue = (struct secbuf_queue) {
		.max_packets = max_packets,
		.max_bytes = max_bytes,
		.near_full = near_full,
	};
}

/**
 * secbuf_queue_exit() - undo secbuf_queue_init()
 * @queue: the queue; nobody cares for its packets any more
 *
 * Context: process, may sleep.
 */
void secbuf_queue_exit(struct secbuf_queue *queue)
{
	kvfree(queue->packets);
}

/**
 * secbuf_queue_check() - does a packet keep the limits?
 * @queue: the queue
 * @len: bytes of the packet; exactly as many as there may be, is not too many
 *
 * Return: 0; -EMSGSIZE if it never will, -ENOBUFS if there are too many packets
 * now, -EOVERFLOW if there would be too many bytes.
 */
int secbuf_queue_check(const struct secbuf_queue *queue, u32 len)
{
	if (len > queue->max_bytes)
		return -EMSGSIZE;
	if (queue->nr + queue->held >= queue->max_packets)
		return -ENOBUFS;
	if (len > queue->max_bytes - queue->bytes)
		return -EOVERFLOW;
	return 0;
}

static struct secbuf_packet *packet_at(const struct secbuf_queue *queue, u32 n)
{
	return &queue->packets[(queue->head + n) & (queue->cap - 1)];
}

/* @cap is a power of two, and not less than there are, held ones included. */
static int resize(struct secbuf_queue *queue, u32 cap, gfp_t gfp)
{
	struct secbuf_packet *packets;
	u32 i;

	packets = kvmalloc_array(cap, sizeof(*packets), gfp);
	if (!packets)
		return -ENOMEM;
	for (i = 0; i < queue->nr; i++)
		packets[i] = *packet_at(queue, i);
	kvfree(queue->packets);
	queue->packets = packets;
	queue->cap = cap;
	queue->head = 0;
	return 0;
}

static int grow(struct secbuf_queue *queue)
{
	return resize(queue, max_t(u32, 2 * queue->cap, QUEUE_CAP_MIN),
		      SECBUF_GFP);
}

/*
 * One packet that stays must not keep the memory of 65536. Tried now and then,
 * and not hard: who takes packets out must not fail or wait for memory.
 */
static void shrink_some(struct secbuf_queue *queue)
{
	u32 nr = queue->nr + queue->held;

	if (is_power_of_2(nr) && nr <= queue->cap / QUEUE_CAP_WASTE &&
	    queue->cap > QUEUE_CAP_KEPT)
		resize(queue, max_t(u32, 4 * nr, QUEUE_CAP_MIN),
		       GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
}

/**
 * secbuf_queue_push() - a packet behind all others
 * @queue: the queue, unchanged on failure, but for its counter
 * @handle: of the packet
 * @len: bytes of the packet
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or as of secbuf_queue_check().
 */
int secbuf_queue_push(struct secbuf_queue *queue, u64 handle, u32 len)
{
	int err;

	err = secbuf_queue_check(queue, len);
	if (err) {
		queue->refused++;
		return err;
	}
	if (queue->nr + queue->held == queue->cap) {
		err = grow(queue);
		if (err)
			return err;
	}
	*packet_at(queue, queue->nr) = (struct secbuf_packet) {
		.handle = handle,
		.len = len,
	};
	queue->nr++;
	queue->bytes += len;
	queue->enqueued++;
	queue->peak = max(queue->peak, queue->nr + queue->held);
	return 0;
}

/**
 * secbuf_queue_unpush() - undo secbuf_queue_push()
 * @queue: the queue, which has not changed since then
 */
void secbuf_queue_unpush(struct secbuf_queue *queue)
{
	queue->nr--;
	queue->bytes -= packet_at(queue, queue->nr)->len;
	queue->enqueued--;
}

/**
 * secbuf_queue_peek() - a packet that stays where it is
 * @queue: the queue
 * @n: which, 0 for the first
 *
 * Return: the packet, valid until the queue changes; NULL if there is none.
 */
const struct secbuf_packet *secbuf_queue_peek(const struct secbuf_queue *queue,
					      u32 n)
{
	return n < queue->nr ? packet_at(queue, n) : NULL;
}

/**
 * secbuf_queue_hold() - take the first packet out, perhaps to put it back
 * @queue: the queue
 * @packet: the packet
 *
 * To be followed by secbuf_queue_unhold() or secbuf_queue_release().
 *
 * Return: false if the queue is empty.
 */
bool secbuf_queue_hold(struct secbuf_queue *queue, struct secbuf_packet *packet)
{
	if (!queue->nr)
		return false;
	*packet = *packet_at(queue, 0);
	queue->head = (queue->head + 1) & (queue->cap - 1);
	queue->nr--;
	queue->held++;
	return true;
}

/**
 * secbuf_queue_unhold() - a held packet is the first one again
 * @queue: the queue
 * @packet: the packet
 */
void secbuf_queue_unhold(struct secbuf_queue *queue,
			 const struct secbuf_packet *packet)
{
	queue->head = (queue->head - 1) & (queue->cap - 1);
	queue->nr++;
	queue->held--;
	*packet_at(queue, 0) = *packet;
}

/**
 * secbuf_queue_release() - a held packet has left
 * @queue: the queue
 * @packet: the packet
 *
 * Context: process, may sleep.
 */
void secbuf_queue_release(struct secbuf_queue *queue,
			  const struct secbuf_packet *packet)
{
	queue->held--;
	queue->bytes -= packet->len - packet->sent;
	queue->dequeued++;
	shrink_some(queue);
	secbuf_queue_shrink(queue);
}

/**
 * secbuf_queue_pop() - take the first packet out
 * @queue: the queue
 * @packet: the packet
 *
 * Context: process, may sleep.
 * Return: false if the queue is empty.
 */
bool secbuf_queue_pop(struct secbuf_queue *queue, struct secbuf_packet *packet)
{
	if (!secbuf_queue_hold(queue, packet))
		return false;
	secbuf_queue_release(queue, packet);
	return true;
}

/**
 * secbuf_queue_consume() - the beginning of the first packet has left
 * @queue: the queue, not empty
 * @bytes: so many more; of the packet at least one is left
 */
void secbuf_queue_consume(struct secbuf_queue *queue, u32 bytes)
{
	packet_at(queue, 0)->sent += bytes;
	queue->bytes -= bytes;
}

/* Of 1 to 100 percent, without rounding. */
static bool reaches(u32 value, u32 limit, u32 percent)
{
	return (u64)value * 100 >= (u64)limit * percent;
}

/**
 * secbuf_queue_is_near_full() - does it reach near_full percent of a limit?
 * @queue: the queue
 */
bool secbuf_queue_is_near_full(const struct secbuf_queue *queue)
{
	return reaches(queue->nr + queue->held, queue->max_packets,
		       queue->near_full) ||
	       reaches(queue->bytes, queue->max_bytes, queue->near_full);
}

/**
 * secbuf_queue_shrink() - an empty queue gives back what it does not need
 * @queue: the queue
 *
 * What leaves it does so already; this is for a queue whose memory is wanted.
 *
 * Context: process, may sleep.
 */
void secbuf_queue_shrink(struct secbuf_queue *queue)
{
	if (queue->nr || queue->held || queue->cap <= QUEUE_CAP_KEPT)
		return;
	kvfree(queue->packets);
	queue->packets = NULL;
	queue->cap = 0;
	queue->head = 0;
}
