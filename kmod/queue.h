/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_QUEUE_H
#define SECBUF_QUEUE_H

#include <linux/types.h>

/**
 * struct secbuf_packet - a packet in a queue
 * @handle: where its bytes are: a slot, or a pointer
 * @len: bytes
 * @sent: of these, so many at the beginning have been consumed already
 */
struct secbuf_packet {
	u64 handle;
	u32 len;
	u32 sent;
};

/**
 * struct secbuf_queue - packets, first in, first out
 * @packets: circular; NULL while there are none. The next to come out is at
 *           @head, and before it those that are held
 * @cap: entries of @packets, a power of two or 0
 * @head: index
 * @nr: packets in the queue
 * @held: packets that were taken and may yet be put back; they count against
 *        the limits
 * @bytes: of all these, not consumed yet
 * @max_packets: limit, at least 1
 * @max_bytes: limit, at least 1
 * @near_full: percent of either limit, 1 to 100
 * @peak: most packets that there ever were
 * @enqueued: packets that were put in
 * @dequeued: packets that were taken out
 * @refused: packets that were not put in because of a limit
 *
 * It knows nothing of the memory behind @handle. Callers serialize.
 */
struct secbuf_queue {
	struct secbuf_packet *packets;
	u32 cap;
	u32 head;
	u32 nr;
	u32 held;
	u32 bytes;
	u32 max_packets;
	u32 max_bytes;
	u32 near_full;
	u32 peak;
	u64 enqueued;
	u64 dequeued;
	u64 refused;
};

void secbuf_queue_init(struct secbuf_queue *queue, u32 max_packets,
		       u32 max_bytes, u32 near_full);
void secbuf_queue_exit(struct secbuf_queue *queue);
int secbuf_queue_check(const struct secbuf_queue *queue, u32 len);
int secbuf_queue_push(struct secbuf_queue *queue, u64 handle, u32 len);
void secbuf_queue_unpush(struct secbuf_queue *queue);
const struct secbuf_packet *secbuf_queue_peek(const struct secbuf_queue *queue,
					      u32 n);
bool secbuf_queue_pop(struct secbuf_queue *queue, struct secbuf_packet *packet);
void secbuf_queue_consume(struct secbuf_queue *queue, u32 bytes);
bool secbuf_queue_hold(struct secbuf_queue *queue,
		       struct secbuf_packet *packet);
void secbuf_queue_unhold(struct secbuf_queue *queue,
			 const struct secbuf_packet *packet);
void secbuf_queue_release(struct secbuf_queue *queue,
			  const struct secbuf_packet *packet);
bool secbuf_queue_is_near_full(const struct secbuf_queue *queue);
void secbuf_queue_shrink(struct secbuf_queue *queue);

#endif /* SECBUF_QUEUE_H */
