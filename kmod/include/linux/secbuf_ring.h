/* SPDX-License-Identifier: GPL-2.0 */
/*
 * secbuf for other kernel modules: rings between the kernel and a process.
 *
 * A module makes a ring and holds one of its ends; the other is a descriptor
 * that it gives to a process, which uses it as <uapi/linux/secbuf.h> says. What
 * was consumed is zeroized before it can be written again, and everything is
 * when the end that reads it is gone.
 *
 * The process can write anything into the memory that it shares with the module,
 * at any time. Positions are checked here. Bytes that lie in the ring are to be
 * copied before they are looked at: secbuf_ring_read() does.
 *
 * All functions are for process context and may sleep. An end is for one caller
 * at a time.
 */
#ifndef _LINUX_SECBUF_RING_H
#define _LINUX_SECBUF_RING_H

#include <linux/sched.h>
#include <linux/types.h>

struct file;
struct kvec;
struct secbuf_ring_end;

/**
 * struct secbuf_ring_params - a ring to be
 * @size: bytes, a power of two from a page to 64 MiB
 * @produce: the module writes and the process reads; otherwise the reverse
 * @records: records instead of bytes
 * @populate: allocate all memory now
 * @passable: the process may pass its end on to another
 * @notify: called when the process has moved bytes and says so, or is gone. It
 *          does say so after a call here that returned -EAGAIN or -ETIMEDOUT.
 *          For waking somebody: it must not call functions of the ring, and
 *          not wait for anybody who does. Can be NULL
 * @priv: for @notify
 */
struct secbuf_ring_params {
	size_t size;
	bool produce;
	bool records;
	bool populate;
	bool passable;
	void (*notify)(void *priv);
	void *priv;
};

/**
 * struct secbuf_ring_stats - counters of a ring
 * @produced: bytes ever produced, as the producer says
 * @consumed: bytes ever consumed, as the consumer says
 * @bytes: bytes of memory that the data has now
 * @peak_bytes: most that it ever had
 * @bytes_zeroized: bytes that the kernel zeroized
 * @sleeps: times that a call went to sleep
 * @wakes: times that an end was woken
 * @idle_ns: nanoseconds since the ring was last seen used
 */
struct secbuf_ring_stats {
	u64 produced;
	u64 consumed;
	u64 bytes;
	u64 peak_bytes;
	u64 bytes_zeroized;
	u64 sleeps;
	u64 wakes;
	u64 idle_ns;
};

struct secbuf_ring_end *
secbuf_ring_create(const struct secbuf_ring_params *params);
struct file *secbuf_ring_user_file(struct secbuf_ring_end *end);
void secbuf_ring_destroy(struct secbuf_ring_end *end);

int secbuf_ring_write(struct secbuf_ring_end *end, const void *buf, size_t len,
		      long timeout);
ssize_t secbuf_ring_read(struct secbuf_ring_end *end, void *buf, size_t len,
			 long timeout);
ssize_t secbuf_ring_write_records(struct secbuf_ring_end *end,
				  const struct kvec *records, unsigned int nr,
				  long timeout);
ssize_t secbuf_ring_read_records(struct secbuf_ring_end *end,
				 struct kvec *records, unsigned int nr,
				 long timeout);
void *secbuf_ring_reserve(struct secbuf_ring_end *end, size_t *len);
int secbuf_ring_commit(struct secbuf_ring_end *end, size_t len);
void secbuf_ring_cancel(struct secbuf_ring_end *end);
void *secbuf_ring_peek(struct secbuf_ring_end *end, size_t *len);
int secbuf_ring_consume(struct secbuf_ring_end *end, size_t len);
int secbuf_ring_clear(struct secbuf_ring_end *end);

int secbuf_ring_wait(struct secbuf_ring_end *end, size_t min, long timeout);
ssize_t secbuf_ring_used(struct secbuf_ring_end *end);
ssize_t secbuf_ring_space(struct secbuf_ring_end *end);
void secbuf_ring_get_stats(struct secbuf_ring_end *end,
			   struct secbuf_ring_stats *stats);

#endif /* _LINUX_SECBUF_RING_H */
