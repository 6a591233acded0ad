/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Conns: their commands as calls that return a result or -errno, and the words
 * of their buffers.
 */
#ifndef SECBUF_CONN_H
#define SECBUF_CONN_H

#include "secbuf_fixture.h"

#define WORD_SIZE	sizeof(struct secbuf_slot_word)

/* Returns the descriptor. */
static inline int conn_make(int dev, struct secbuf_conn_create_args *args)
{
	int ret;

	args->size = sizeof(*args);
	args->out_fd = -1;
	ret = secbuf_ioctl(dev, SECBUF_IOC_CONN_CREATE, args);
	return ret < 0 ? ret : args->out_fd;
}

static inline int conn_plain(int fd, unsigned long command)
{
	struct secbuf_conn_plain_args args = { .size = sizeof(args) };

	return secbuf_ioctl(fd, command, &args);
}

static inline int conn_reset(int fd)
{
	return conn_plain(fd, SECBUF_IOC_CONN_RESET);
}

static inline int conn_touch(int fd)
{
	return conn_plain(fd, SECBUF_IOC_CONN_TOUCH);
}

/* Returns the bytes given back. */
static inline long long conn_shrink(int fd, __u32 level)
{
	struct secbuf_conn_shrink_args args = {
		.size = sizeof(args), .level = level, .out_bytes = ~0ULL,
	};
	int ret = secbuf_ioctl(fd, SECBUF_IOC_CONN_SHRINK, &args);

	return ret < 0 ? ret : (long long)args.out_bytes;
}

static inline int conn_stats(int fd, struct secbuf_conn_stats_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	return secbuf_ioctl(fd, SECBUF_IOC_CONN_STATS, args);
}

/* One packet, without an array. Returns 0. */
static inline int conn_one(int fd, unsigned long command, __u32 flags,
			   struct secbuf_conn_packet *packet)
{
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .flags = flags, .out_done = POISON,
		.packet = *packet,
	};
	int ret = secbuf_ioctl(fd, command, &args);

	if (!ret && args.out_done != 1)
		return -EIO;
	*packet = args.packet;
	return ret;
}

static inline int conn_enqueue(int fd, const void *p, __u32 len)
{
	struct secbuf_conn_packet packet = { .ptr = (uintptr_t)p, .len = len };

	return conn_one(fd, SECBUF_IOC_CONN_ENQUEUE, 0, &packet);
}

static inline int conn_enqueue_slot(int fd, __u64 id, __u32 len)
{
	struct secbuf_conn_packet packet = { .ptr = id, .len = len };

	return conn_one(fd, SECBUF_IOC_CONN_ENQUEUE, SECBUF_CONN_F_MOVE,
			&packet);
}

/* Returns the length of the packet. */
static inline int conn_dequeue(int fd, void *p, __u32 room)
{
	struct secbuf_conn_packet packet = { .ptr = (uintptr_t)p, .len = room };
	int ret = conn_one(fd, SECBUF_IOC_CONN_DEQUEUE, 0, &packet);

	return ret < 0 ? ret : (int)packet.len;
}

static inline int conn_dequeue_slot(int fd, __u64 *id)
{
	struct secbuf_conn_packet packet = { .ptr = ~0ULL, .len = 0 };
	int ret = conn_one(fd, SECBUF_IOC_CONN_DEQUEUE, SECBUF_CONN_F_MOVE,
			   &packet);

	*id = packet.ptr;
	return ret < 0 ? ret : (int)packet.len;
}

/* Returns the entries completed. */
static inline int conn_batch(int fd, unsigned long command, __u32 flags,
			     struct secbuf_conn_packet *packets, __u32 nr)
{
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .flags = flags,
		.packets_ptr = (uintptr_t)packets, .nr = nr,
		.out_done = POISON,
	};
	int ret = secbuf_ioctl(fd, command, &args);

	return ret < 0 ? ret : (int)args.out_done;
}

static inline size_t words_size(__u32 max_slots)
{
	return (max_slots * WORD_SIZE + PAGE - 1) / PAGE * PAGE;
}

static inline volatile struct secbuf_slot_word *words_map(int fd,
							  __u32 max_slots)
{
	void *p = mmap(NULL, words_size(max_slots), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, SECBUF_POOL_MMAP_WORDS);

	return p == MAP_FAILED ? NULL : p;
}

static inline void word_release(volatile struct secbuf_slot_word *word,
				__u32 busy)
{
	__atomic_store_n(&word->state,
			 (busy & ~SECBUF_SLOT_STATE_MASK) | SECBUF_SLOT_IDLE,
			 __ATOMIC_RELEASE);
}

static inline __u32 word_state(volatile struct secbuf_slot_word *word)
{
	return word->state & SECBUF_SLOT_STATE_MASK;
}

static inline int pool_in_use(int fd)
{
	struct secbuf_pool_stats_args stats;
	int ret = pool_stats(fd, &stats);

	return ret ? ret : (int)stats.out_in_use;
}

#endif /* SECBUF_CONN_H */
