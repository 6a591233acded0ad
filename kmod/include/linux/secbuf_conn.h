/* SPDX-License-Identifier: GPL-2.0 */
/*
 * secbuf for other kernel modules: conns.
 *
 * What one connection owns: a read and a write buffer, a queue of packets, and
 * rings for its streams. Buffers and packets are struct secbuf of one pool of
 * <linux/secbuf.h>. All of it is zeroized and goes back when the connection
 * ends, its limits keep a peer from taking more, and what it does not use is
 * taken back when it is idle and when memory is short.
 *
 * All functions are for process context and may sleep, but where another
 * context is named. Threads may use one conn at once; nobody may use it when
 * secbuf_kconn_destroy() is called.
 */
#ifndef _LINUX_SECBUF_CONN_H
#define _LINUX_SECBUF_CONN_H

#include <linux/types.h>
#include <linux/secbuf.h>

struct secbuf_kconn;
struct secbuf_ring_end;

/* The highest limit that there is. */
#define SECBUF_KCONN_CEILING	(~0U)

/**
 * struct secbuf_kconn_params - a conn to be; 0 is the default of each limit
 * @pool: where its memory comes from; destroyed after the conn
 * @max_packets: most packets in the queue. 0 means 100
 * @max_bytes: most bytes in the queue, counted by the lengths of packets. 0
 *             means 10 MiB
 * @max_streams: most rings. 0 means 16
 * @idle_ms: milliseconds without activity after which it is idle. 0 means a
 *           minute
 * @near_full: percent of @max_packets or @max_bytes from which on the queue is
 *             nearly full, 1 to 100. 0 means 80
 * @waste_factor: a buffer is wasteful that is more than so many times as large
 *                as what is used of it. 0 means 4
 * @waste_min: and larger than so many bytes. 0 means 8192
 * @keep: buffers of an idle conn stay, as long as memory is not short
 */
struct secbuf_kconn_params {
	struct secbuf_pool *pool;
	u32 max_packets;
	u32 max_bytes;
	u32 max_streams;
	u32 idle_ms;
	u32 near_full;
	u32 waste_factor;
	u32 waste_min;
	bool keep;
};

enum secbuf_kconn_buffer {
	SECBUF_KCONN_READ,
	SECBUF_KCONN_WRITE,
};

/**
 * struct secbuf_kconn_packet - a packet that changes hands
 * @sb: the buffer that it is in, at its beginning
 * @len: its bytes
 */
struct secbuf_kconn_packet {
	struct secbuf *sb;
	u32 len;
};

/**
 * struct secbuf_kconn_usage - memory for one purpose; the difference is wasted
 * @allocated: bytes of memory that there are
 * @used: bytes of these that have something in them
 */
struct secbuf_kconn_usage {
	u64 allocated;
	u64 used;
};

/**
 * struct secbuf_kconn_stats - what a conn has, and what it did
 * @read: the read buffer
 * @write: the write buffer
 * @streams: all rings
 * @queue: the packets
 * @total: all of these
 * @idle_ns: nanoseconds since the last activity; 0 while a buffer is busy
 * @efficiency: permille of the total that is used; 1000 if there is nothing
 * @is_idle: for its idle time
 * @is_problematic: less than half of the total is used, or it is idle and more
 *                  than 1 MiB is wasted
 * @is_near_full: the queue is
 * @nr_packets: packets in the queue
 * @peak_packets: most that there ever were
 * @nr_streams: rings
 * @enqueued: packets that were put in
 * @dequeued: packets that were taken out
 * @refused: packets that were refused because of a limit
 * @granted: read and write buffers allocated
 * @reclaimed: of these, taken back because nobody used them
 */
struct secbuf_kconn_stats {
	struct secbuf_kconn_usage read;
	struct secbuf_kconn_usage write;
	struct secbuf_kconn_usage streams;
	struct secbuf_kconn_usage queue;
	struct secbuf_kconn_usage total;
	u64 idle_ns;
	unsigned int efficiency;
	bool is_idle;
	bool is_problematic;
	bool is_near_full;
	unsigned int nr_packets;
	unsigned int peak_packets;
	unsigned int nr_streams;
	u64 enqueued;
	u64 dequeued;
	u64 refused;
	u64 granted;
	u64 reclaimed;
};

struct secbuf_kconn *
secbuf_kconn_create(const struct secbuf_kconn_params *params);
void secbuf_kconn_destroy(struct secbuf_kconn *kconn);

struct secbuf *secbuf_kconn_get(struct secbuf_kconn *kconn,
				enum secbuf_kconn_buffer which);
void secbuf_kconn_put(struct secbuf_kconn *kconn,
		      enum secbuf_kconn_buffer which, struct secbuf *sb,
		      size_t used);

int secbuf_kconn_enqueue(struct secbuf_kconn *kconn, struct secbuf *sb,
			 u32 len);
int secbuf_kconn_enqueue_copy(struct secbuf_kconn *kconn, const void *from,
			      size_t len);
int secbuf_kconn_enqueue_bulk(struct secbuf_kconn *kconn,
			      const struct secbuf_kconn_packet *packets,
			      unsigned int nr);
int secbuf_kconn_dequeue(struct secbuf_kconn *kconn,
			 struct secbuf_kconn_packet *packet);
ssize_t secbuf_kconn_dequeue_copy(struct secbuf_kconn *kconn, void *to,
				  size_t room);
unsigned int secbuf_kconn_dequeue_bulk(struct secbuf_kconn *kconn,
				       struct secbuf_kconn_packet *packets,
				       unsigned int nr);
int secbuf_kconn_wait_packet(struct secbuf_kconn *kconn, long timeout);
int secbuf_kconn_wait_room(struct secbuf_kconn *kconn, u32 len, long timeout);
bool secbuf_kconn_is_near_full(struct secbuf_kconn *kconn);

int secbuf_kconn_stream_add(struct secbuf_kconn *kconn,
			    struct secbuf_ring_end *end);
int secbuf_kconn_stream_del(struct secbuf_kconn *kconn,
			    struct secbuf_ring_end *end);

int secbuf_kconn_zeroize(struct secbuf_kconn *kconn);
int secbuf_kconn_reset(struct secbuf_kconn *kconn);
u64 secbuf_kconn_shrink(struct secbuf_kconn *kconn, bool wasteful);
void secbuf_kconn_touch(struct secbuf_kconn *kconn);
u64 secbuf_kconn_idle_ns(struct secbuf_kconn *kconn);
bool secbuf_kconn_is_idle(struct secbuf_kconn *kconn);
void secbuf_kconn_get_stats(struct secbuf_kconn *kconn,
			    struct secbuf_kconn_stats *stats);

#endif /* _LINUX_SECBUF_CONN_H */
