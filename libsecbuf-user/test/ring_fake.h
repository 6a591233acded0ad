/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A ring without the module: its pages in a memfd, laid out as the kernel does,
 * and what the library asks the kernel answered here. The library does not know.
 * One ring at a time.
 */
#ifndef RING_FAKE_H
#define RING_FAKE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "../src/ring.h"

/* No descriptors, and not those of anything else. */
#define FAKE_PRODUCER_FD	100000
#define FAKE_CONSUMER_FD	100001

/* Head page, tail page, status page, data twice. */
#define FAKE_PAGES		3

/* Who sleeps longer than that was not woken. */
#define FAKE_LOST_S		60

struct ring_fake {
	unsigned char *base;
	size_t page;
	uint64_t size;
	struct secbuf_ring_head *head;
	struct secbuf_ring_tail *tail;
	struct secbuf_ring_status *status;
	unsigned char *data;
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	int calls;
	int notifies;
	int unparks;
	int taken;
	int lost;
	uint64_t asked;
};

static struct ring_fake fake = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.woken = PTHREAD_COND_INITIALIZER,
};

static inline uint64_t fake_amount(int fd)
{
	uint64_t head = __atomic_load_n(&fake.head->head, __ATOMIC_ACQUIRE);
	uint64_t tail = __atomic_load_n(&fake.tail->tail, __ATOMIC_ACQUIRE);

	return fd == FAKE_CONSUMER_FD ? head - tail : fake.size - (head - tail);
}

/* Until the other side wakes this one. */
static inline int fake_sleep(int fd, struct timespec *end)
{
	uint32_t *need_wake = fd == FAKE_CONSUMER_FD ? &fake.tail->need_wake :
						       &fake.head->need_wake;
	int err = 0;

	while (!err && __atomic_load_n(need_wake, __ATOMIC_RELAXED))
		err = pthread_cond_clockwait(&fake.woken, &fake.lock,
					     CLOCK_MONOTONIC, end);
	return err;
}

/* Whoever reads a position as it was has not looked at need_wake yet. */
static inline void fake_arm(int fd, uint64_t min)
{
	uint64_t want;

	if (fd == FAKE_CONSUMER_FD) {
		want = __atomic_load_n(&fake.tail->tail, __ATOMIC_RELAXED) + min;
		__atomic_store_n(&fake.tail->wake_pos, want, __ATOMIC_RELAXED);
		__atomic_store_n(&fake.tail->need_wake, 1, __ATOMIC_RELEASE);
	} else {
		want = __atomic_load_n(&fake.head->head, __ATOMIC_RELAXED) + min;
		__atomic_store_n(&fake.head->wake_pos, want - fake.size,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&fake.head->need_wake, 1, __ATOMIC_RELEASE);
	}
	/* What makes a fence of the other side superfluous. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static inline int fake_wait(int fd, const struct secbuf_ring_notify_args *args)
{
	const bool endless = args->timeout_ns == SECBUF_RING_TIMEOUT_NONE;
	const uint64_t second = 1000000000;
	uint64_t ns = endless ? FAKE_LOST_S * second : args->timeout_ns;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	ns += end.tv_nsec;
	end.tv_sec += ns / second;
	end.tv_nsec = ns % second;
	for (;;) {
		fake_arm(fd, args->min);
		if (fake_amount(fd) >= args->min)
			return 0;
		if (!args->timeout_ns)
			return -ETIMEDOUT;
		if (fake_sleep(fd, &end)) {
			fake.lost += endless;
			return -ETIMEDOUT;
		}
	}
}

static inline int fake_notify(int fd, const struct secbuf_ring_notify_args *args)
{
	int err = 0;

	pthread_mutex_lock(&fake.lock);
	if (args->flags & SECBUF_RING_NOTIFY_F_BROKEN) {
		__atomic_or_fetch(&fake.status->flags, SECBUF_RING_BROKEN,
				  __ATOMIC_RELEASE);
	} else {
		fake.notifies++;
		__atomic_store_n(fd == FAKE_CONSUMER_FD ? &fake.head->need_wake :
				 &fake.tail->need_wake, 0, __ATOMIC_RELAXED);
		pthread_cond_broadcast(&fake.woken);
		if (args->flags & SECBUF_RING_NOTIFY_F_WAIT)
			err = fake_wait(fd, args);
	}
	pthread_mutex_unlock(&fake.lock);
	return err;
}

/* Instead of that of the C library. */
int ioctl(int fd, unsigned long cmd, ...)
{
	va_list list;
	void *args;
	int err = 0;

	va_start(list, cmd);
	args = va_arg(list, void *);
	va_end(list);
	if (fd != FAKE_PRODUCER_FD && fd != FAKE_CONSUMER_FD) {
		errno = ENOTTY;
		return -1;
	}
	__atomic_add_fetch(&fake.calls, 1, __ATOMIC_RELAXED);
	switch (cmd) {
	case SECBUF_IOC_RING_NOTIFY:
		err = fake_notify(fd, args);
		break;
	case SECBUF_IOC_RING_UNPARK:
		pthread_mutex_lock(&fake.lock);
		fake.unparks++;
		__atomic_store_n(&fake.head->state, SECBUF_RING_BUSY,
				 __ATOMIC_RELEASE);
		pthread_mutex_unlock(&fake.lock);
		break;
	case SECBUF_IOC_RING_SHRINK:
		err = -EBUSY;
		break;
	case SECBUF_IOC_RING_STATS:
		break;
	case SECBUF_IOC_RING_CREATE:
		fake.asked = ((struct secbuf_ring_create_args *)args)->ring_size;
		err = -ENOTTY;
		break;
	default:
		err = -ENOTTY;
	}
	errno = err ? -err : errno;
	return err ? -1 : 0;
}

static inline int fake_begin(struct secbuf_ring_handle **out, int fd,
			     uint32_t flags, uint32_t end)
{
	const struct secbuf_ring_info_args info = {
		.out_ring_size = fake.size, .out_flags = flags, .out_end = end,
	};
	struct secbuf_ring_places places = {
		.data = fake.data, .status = fake.status,
	};
	struct secbuf_ring_handle *handle;

	handle = secbuf_ring_new(fd, end);
	if (!handle)
		return -ENOMEM;
	places.own = end == SECBUF_RING_END_PRODUCER ? (void *)fake.head :
						       (void *)fake.tail;
	places.peer = end == SECBUF_RING_END_PRODUCER ? (void *)fake.tail :
							(void *)fake.head;
	*out = handle;
	return secbuf_ring_begin(handle, &places, &info);
}

static inline void fake_map(int fd, size_t where, size_t size, off_t offset)
{
	if (mmap(fake.base + where, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, offset) == MAP_FAILED)
		abort();
}

static inline void fake_close(void)
{
	secbuf_ring_free(secbuf_ring_handle(&fake.producer->side));
	secbuf_ring_free(secbuf_ring_handle(&fake.consumer->side));
	munmap(fake.base, FAKE_PAGES * fake.page + 2 * fake.size);
}

/* A ring whose positions both are @start. */
static inline int fake_open(uint64_t size, uint32_t flags, uint64_t start)
{
	struct secbuf_ring_handle *producer = NULL, *consumer = NULL;
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("ring", MFD_CLOEXEC);
	int err;

	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	fake.page = page;
	fake.size = size;
	fake.calls = 0;
	fake.notifies = 0;
	fake.unparks = 0;
	fake.taken = 0;
	fake.lost = 0;
	if (fd < 0 || ftruncate(fd, FAKE_PAGES * page + size))
		abort();
	fake.base = mmap(NULL, FAKE_PAGES * page + 2 * size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fake_map(fd, 0, FAKE_PAGES * page + size, 0);
	fake_map(fd, FAKE_PAGES * page + size, size, FAKE_PAGES * page);
	close(fd);
	fake.head = (void *)fake.base;
	fake.tail = (void *)(fake.base + page);
	fake.status = (void *)(fake.base + 2 * page);
	fake.data = fake.base + FAKE_PAGES * page;
	fake.head->head = start;
	fake.tail->tail = start;
	err = fake_begin(&producer, FAKE_PRODUCER_FD, flags,
			 SECBUF_RING_END_PRODUCER);
	if (!err)
		err = fake_begin(&consumer, FAKE_CONSUMER_FD, flags,
				 SECBUF_RING_END_CONSUMER);
	if (err)
		return err;
	fake.producer = &producer->producer;
	fake.consumer = &consumer->consumer;
	return err;
}

#endif /* RING_FAKE_H */
