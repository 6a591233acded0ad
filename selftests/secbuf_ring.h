/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of rings, and an implementation of the protocol that is as plain
 * as the description in the UAPI header.
 */
#ifndef SECBUF_RING_H
#define SECBUF_RING_H

#include "secbuf_fixture.h"

#include <stdlib.h>

#define RING_FOREVER	SECBUF_RING_TIMEOUT_NONE
#define MS		1000000ULL

/* How long a test that goes on for a while does so, in milliseconds. */
static inline __u64 ring_test_ms(unsigned int seconds)
{
	const char *value = getenv("SECBUF_RING_SECONDS");

	return 1000ULL * (value ? atoi(value) : (int)seconds);
}

static inline int ring_create(int dev, __u64 ring_size, __u32 flags,
			      struct secbuf_ring_create_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = flags;
	args->ring_size = ring_size;
	args->require = 0;
	return secbuf_ioctl(dev, SECBUF_IOC_RING_CREATE, args);
}

static inline int ring_plain(int fd, unsigned long command)
{
	struct secbuf_ring_plain_args args = { .size = sizeof(args) };

	return secbuf_ioctl(fd, command, &args);
}

#define ring_reset(fd)	ring_plain(fd, SECBUF_IOC_RING_RESET)
#define ring_claim(fd)	ring_plain(fd, SECBUF_IOC_RING_CLAIM)
#define ring_unpark(fd)	ring_plain(fd, SECBUF_IOC_RING_UNPARK)
#define ring_hangup(fd)	ring_plain(fd, SECBUF_IOC_RING_CLOSE)

static inline int ring_notify_args(int fd, __u32 flags, __u64 min,
				   __u64 timeout_ns, __u64 *amount)
{
	struct secbuf_ring_notify_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = flags;
	args.min = min;
	args.timeout_ns = timeout_ns;
	ret = secbuf_ioctl(fd, SECBUF_IOC_RING_NOTIFY, &args);
	if (!ret && amount)
		*amount = args.out_amount;
	return ret;
}

static inline int ring_notify(int fd)
{
	return ring_notify_args(fd, 0, 0, 0, NULL);
}

static inline int ring_wait(int fd, __u64 min, __u64 timeout_ns)
{
	return ring_notify_args(fd, SECBUF_RING_NOTIFY_F_WAIT, min, timeout_ns,
				NULL);
}

/* Returns the bytes freed. */
static inline long ring_shrink(int fd)
{
	struct secbuf_ring_shrink_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = 0;
	ret = secbuf_ioctl(fd, SECBUF_IOC_RING_SHRINK, &args);
	return ret < 0 ? ret : (long)args.out_bytes;
}

static inline int ring_stats(int fd, struct secbuf_ring_stats_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	return secbuf_ioctl(fd, SECBUF_IOC_RING_STATS, args);
}

static inline int ring_info(int fd, struct secbuf_ring_info_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	return secbuf_ioctl(fd, SECBUF_IOC_RING_INFO, args);
}

/* One end, mapped. The pages of the other end are read-only. */
struct ring_end {
	int				fd;
	bool				producer;
	__u64				size;
	unsigned char			*data;
	struct secbuf_ring_head		*head;
	struct secbuf_ring_tail		*tail;
	struct secbuf_ring_status	*status;
};

static inline void *ring_mmap(int fd, size_t len, bool write, __u64 offset)
{
	return mmap(NULL, len, write ? PROT_READ | PROT_WRITE : PROT_READ,
		    MAP_SHARED, fd, offset);
}

static inline int ring_end_map(struct ring_end *end, int fd)
{
	struct secbuf_ring_info_args info;
	void *peer;
	int ret;

	ret = ring_info(fd, &info);
	if (ret)
		return ret;
	end->fd = fd;
	end->size = info.out_ring_size;
	end->producer = info.out_end == SECBUF_RING_END_PRODUCER;
	end->data = ring_mmap(fd, 2 * end->size, true, SECBUF_RING_MMAP_DATA);
	end->head = ring_mmap(fd, end->producer ? PAGE : 2 * PAGE,
			      end->producer, SECBUF_RING_MMAP_HEAD);
	end->tail = ring_mmap(fd, end->producer ? 2 * PAGE : PAGE,
			      !end->producer, SECBUF_RING_MMAP_TAIL);
	if (end->data == MAP_FAILED || end->head == MAP_FAILED ||
	    end->tail == MAP_FAILED)
		return -errno;
	peer = end->producer ? (void *)end->tail : (void *)end->head;
	end->status = (struct secbuf_ring_status *)((char *)peer + PAGE);
	return 0;
}

static inline void ring_end_unmap(struct ring_end *end)
{
	munmap(end->data, 2 * end->size);
	munmap(end->head, end->producer ? PAGE : 2 * PAGE);
	munmap(end->tail, end->producer ? 2 * PAGE : PAGE);
}

static inline void ring_end_close(struct ring_end *end)
{
	ring_end_unmap(end);
	close(end->fd);
}

/* Both ends, mapped by one process. */
struct ring {
	struct ring_end	p;
	struct ring_end	c;
};

static inline int ring_open(struct ring *ring, int dev, __u64 size,
			    __u32 flags)
{
	struct secbuf_ring_create_args args;
	int ret;

	ret = ring_create(dev, size, flags, &args);
	ret = ret ?: ring_end_map(&ring->p, args.out_producer_fd);
	return ret ?: ring_end_map(&ring->c, args.out_consumer_fd);
}

static inline void ring_close(struct ring *ring)
{
	ring_end_close(&ring->p);
	ring_end_close(&ring->c);
}

#define ring_load(p)		__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ring_store(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* The rule by which a side calls the kernel after it stored its position. */
#define ring_must_notify(pos, page)					\
({									\
	__asm__ volatile("" ::: "memory");				\
	ring_load(&(page)->need_wake) &&				\
		(__s64)((pos) - ring_load(&(page)->wake_pos)) >= 0;	\
})

static inline int ring_busy(struct ring_end *p)
{
	__u32 parked = SECBUF_RING_PARKED;

	if (ring_load(&p->head->state) == SECBUF_RING_BUSY ||
	    __atomic_compare_exchange_n(&p->head->state, &parked,
					SECBUF_RING_BUSY, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	return ring_unpark(p->fd);
}

static inline void ring_park(struct ring_end *p)
{
	if (ring_load(&p->head->state) == SECBUF_RING_BUSY)
		ring_store(&p->head->state, SECBUF_RING_PARKED);
}

/* Where @len bytes can be written, or NULL: no space. */
static inline unsigned char *ring_reserve(struct ring_end *p, __u64 len)
{
	__u64 head = p->head->head;
	__u64 used = head - ring_load(&p->tail->tail);

	if (used > p->size || p->size - used < len || ring_busy(p))
		return NULL;
	return p->data + (head & (p->size - 1));
}

static inline int ring_commit(struct ring_end *p, __u64 len)
{
	__u64 head = p->head->head + len;

	ring_store(&p->head->head, head);
	return ring_must_notify(head, p->tail) ? ring_notify(p->fd) : 0;
}

/* Where @len bytes can be read, or NULL: there are fewer. */
static inline unsigned char *ring_peek(struct ring_end *c, __u64 len)
{
	__u64 tail = c->tail->tail;
	__u64 used = ring_load(&c->head->head) - tail;

	if (used > c->size || used < len)
		return NULL;
	return c->data + (tail & (c->size - 1));
}

static inline int ring_consume(struct ring_end *c, __u64 len)
{
	__u64 tail = c->tail->tail;

	memset(c->data + (tail & (c->size - 1)), 0, len);
	ring_store(&c->tail->tail, tail + len);
	return ring_must_notify(tail + len, c->head) ? ring_notify(c->fd) : 0;
}

/* All or nothing. */
static inline bool ring_put(struct ring_end *p, const void *buf, __u64 len)
{
	unsigned char *span = ring_reserve(p, len);

	if (!span)
		return false;
	memcpy(span, buf, len);
	ring_commit(p, len);
	return true;
}

static inline bool ring_get(struct ring_end *c, void *buf, __u64 len)
{
	unsigned char *span = ring_peek(c, len);

	if (!span)
		return false;
	memcpy(buf, span, len);
	ring_consume(c, len);
	return true;
}

#endif /* SECBUF_RING_H */
