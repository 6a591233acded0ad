/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every program does first: open the device or skip, and the commands of
 * the UAPI as calls that return a result or -errno. What the kernel must write
 * is filled with POISON before each call.
 */
#ifndef SECBUF_FIXTURE_H
#define SECBUF_FIXTURE_H

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/secbuf.h>

#define SECBUF_DEVICE	"/dev/secbuf"

#define POISON		0xcc
#define PAGE		4096UL

#define poison(args)	memset((args), POISON, sizeof(*(args)))

/*
 * An emulated machine on a busy one stands still for seconds now and then. What
 * takes longer than this will not come any more.
 */
#define WAIT_MS		60000

/* Of a test, in seconds: more than it waits. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	240

static inline __u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* Whether @cond becomes true. */
#define wait_until(cond)	wait_for(cond, WAIT_MS)

#define wait_for(cond, ms)						\
({									\
	__u64 end_ = now_ms() + (ms);					\
	bool true_;							\
									\
	while (!(true_ = (cond)) && now_ms() < end_)			\
		sleep_ms(1);						\
	true_;								\
})

/* One of the letters of /proc/PID/stat, of a process or a thread. */
static inline char task_state(pid_t tid)
{
	char path[32], text[512] = "";
	const char *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

/* Where a signal would wake it. */
static inline bool is_asleep(pid_t tid)
{
	return task_state(tid) == 'S';
}

static inline bool is_stuck(pid_t tid)
{
	return is_asleep(tid) || task_state(tid) == 'D';
}

static void __attribute__((constructor)) secbuf_open_or_skip(void)
{
	int fd = open(SECBUF_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ksft_exit_skip("%s: %s\n", SECBUF_DEVICE, strerror(errno));
	close(fd);
}

/* User Mode Linux knows neither MMU notifiers nor special page table entries. */
static inline bool on_uml(void)
{
	char text[256] = "";
	int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strstr(text, "User Mode Linux");
}

static inline int secbuf_open(void)
{
	return open(SECBUF_DEVICE, O_RDWR | O_CLOEXEC);
}

static inline int secbuf_ioctl(int fd, unsigned long command, void *args)
{
	int ret = ioctl(fd, command, args);

	return ret < 0 ? -errno : ret;
}

static inline int secbuf_info(int dev, struct secbuf_info_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	return secbuf_ioctl(dev, SECBUF_IOC_INFO, args);
}

/* Whether objects die with their owner here; dev_test knows where they must. */
static inline bool secbuf_owner_death(int dev)
{
	struct secbuf_info_args args;

	return secbuf_info(dev, &args) ||
	       (args.out_protections & SECBUF_PROT_OWNER_DEATH);
}

/* A line of /proc/self/fdinfo, or ~0. */
static inline unsigned long long fdinfo(int fd, const char *key)
{
	unsigned long long value = ~0ULL;
	char line[256], path[64];
	size_t len = strlen(key);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = strtoull(line + len + 1, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

/* Bytes in use by all users: a figure that must come back to the start. */
static inline __u64 secbuf_bytes(int dev)
{
	struct secbuf_info_args args;

	if (secbuf_info(dev, &args))
		return ~0ULL;
	return args.out_bytes;
}

static inline int pool_create_flags(int dev, __u64 slot_size, __u32 max_slots,
				    __u32 flags,
				    struct secbuf_pool_create_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = SECBUF_POOL_F_MAPPED | flags;
	args->slot_size = slot_size;
	args->max_slots = max_slots;
	args->min_slots = 0;
	args->require = 0;
	return secbuf_ioctl(dev, SECBUF_IOC_POOL_CREATE, args);
}

static inline int pool_create(int dev, __u64 slot_size, __u32 max_slots,
			      struct secbuf_pool_create_args *args)
{
	return pool_create_flags(dev, slot_size, max_slots, 0, args);
}

/* A pool that the kernel holds. */
static inline int kpool_create(int dev, __u64 buf_size, __u32 min, __u32 max,
			       struct secbuf_pool_create_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	args->slot_size = buf_size;
	args->max_slots = max;
	args->min_slots = min;
	args->require = 0;
	return secbuf_ioctl(dev, SECBUF_IOC_POOL_CREATE, args);
}

/* Returns the descriptor. */
static inline int pool_attach(int fd)
{
	struct secbuf_pool_attach_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = 0;
	args.__reserved = 0;
	ret = secbuf_ioctl(fd, SECBUF_IOC_POOL_ATTACH, &args);
	return ret < 0 ? ret : args.out_fd;
}

static inline int pool_info(int fd, struct secbuf_pool_info_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	return secbuf_ioctl(fd, SECBUF_IOC_POOL_INFO, args);
}

/* Returns the slots granted. */
static inline int pool_alloc_flags(int fd, __u64 *ids, __u32 nr, __u32 flags)
{
	struct secbuf_pool_alloc_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = flags;
	args.ids_ptr = (uintptr_t)ids;
	args.nr = nr;
	ret = secbuf_ioctl(fd, SECBUF_IOC_POOL_ALLOC, &args);
	return ret < 0 ? ret : (int)args.out_done;
}

static inline int pool_alloc(int fd, __u64 *ids, __u32 nr)
{
	return pool_alloc_flags(fd, ids, nr, 0);
}

/* Returns the slots taken back. */
static inline int pool_free_flags(int fd, const __u64 *ids, __u32 nr,
				  __u32 flags)
{
	struct secbuf_pool_free_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = flags;
	args.ids_ptr = (uintptr_t)ids;
	args.nr = nr;
	ret = secbuf_ioctl(fd, SECBUF_IOC_POOL_FREE, &args);
	return ret < 0 ? ret : (int)args.out_done;
}

static inline int pool_free(int fd, const __u64 *ids, __u32 nr)
{
	return pool_free_flags(fd, ids, nr, 0);
}

static inline int pool_stats(int fd, struct secbuf_pool_stats_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	return secbuf_ioctl(fd, SECBUF_IOC_POOL_STATS, args);
}

/* Returns the buffers freed. */
static inline int pool_shrink(int fd, __u32 nr)
{
	struct secbuf_pool_shrink_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = 0;
	args.nr = nr;
	ret = secbuf_ioctl(fd, SECBUF_IOC_POOL_SHRINK, &args);
	return ret < 0 ? ret : (int)args.out_done;
}

/* SECBUF_IOC_POOL_READ or _WRITE; returns the entries completed. */
static inline int pool_copy(int fd, unsigned long command,
			    const struct secbuf_pool_vec *vecs, __u32 nr)
{
	struct secbuf_pool_copy_args args;
	int ret;

	poison(&args);
	args.size = sizeof(args);
	args.flags = 0;
	args.vecs_ptr = (uintptr_t)vecs;
	args.nr = nr;
	ret = secbuf_ioctl(fd, command, &args);
	return ret < 0 ? ret : (int)args.out_done;
}

/* Returns 0. */
static inline int pool_read(int fd, __u64 id, __u32 offset, void *buf,
			    __u32 len)
{
	struct secbuf_pool_vec vec = {
		.id = id, .offset = offset, .len = len,
		.buf_ptr = (uintptr_t)buf,
	};
	int ret = pool_copy(fd, SECBUF_IOC_POOL_READ, &vec, 1);

	return ret < 0 ? ret : ret - 1;
}

/* Returns 0. */
static inline int pool_write(int fd, __u64 id, __u32 offset, const void *buf,
			     __u32 len)
{
	struct secbuf_pool_vec vec = {
		.id = id, .offset = offset, .len = len,
		.buf_ptr = (uintptr_t)buf,
	};
	int ret = pool_copy(fd, SECBUF_IOC_POOL_WRITE, &vec, 1);

	return ret < 0 ? ret : ret - 1;
}

/* Returns the descriptor. */
static inline int conn_create(int dev, int pool_fd)
{
	struct secbuf_conn_create_args args = {
		.size = sizeof(args), .pool_fd = pool_fd, .out_fd = -1,
	};
	int ret;

	ret = secbuf_ioctl(dev, SECBUF_IOC_CONN_CREATE, &args);
	return ret < 0 ? ret : args.out_fd;
}

static inline int conn_buffer(int fd, __u32 which,
			      struct secbuf_conn_buffer_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	args->which = which;
	return secbuf_ioctl(fd, SECBUF_IOC_CONN_BUFFER, args);
}

static inline int conn_zeroize(int fd)
{
	struct secbuf_conn_plain_args args = { .size = sizeof(args) };

	return secbuf_ioctl(fd, SECBUF_IOC_CONN_ZEROIZE, &args);
}

/* What is left of an object goes in the background: wait for it a while. */
static inline __u64 bytes_settled(int dev, __u64 expected)
{
	wait_until(secbuf_bytes(dev) == expected);
	return secbuf_bytes(dev);
}

/* A pool and its mapping. */
struct pool {
	int		fd;
	__u32		max_slots;
	__u64		slot_size;
	__u64		stride;
	size_t		map_size;
	unsigned char	*map;
};

/* Of a descriptor, which is closed if it fails. */
static inline int pool_map(struct pool *pool, int fd)
{
	struct secbuf_pool_info_args info;
	int ret;

	ret = pool_info(fd, &info);
	if (ret)
		goto out_close;
	pool->fd = fd;
	pool->max_slots = info.out_max_slots;
	pool->slot_size = info.out_slot_size;
	pool->stride = info.out_stride;
	pool->map_size = info.out_mmap_size;
	pool->map = mmap(NULL, pool->map_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
	if (pool->map != MAP_FAILED)
		return 0;
	ret = -errno;
out_close:
	close(fd);
	return ret;
}

static inline int pool_open_flags(struct pool *pool, int dev, __u64 slot_size,
				  __u32 max_slots, __u32 flags)
{
	struct secbuf_pool_create_args args;
	int ret;

	ret = pool_create_flags(dev, slot_size, max_slots, flags, &args);
	return ret ?: pool_map(pool, args.out_fd);
}

static inline int pool_open(struct pool *pool, int dev, __u64 slot_size,
			    __u32 max_slots)
{
	return pool_open_flags(pool, dev, slot_size, max_slots, 0);
}

/* A member of one's own in the pool of a descriptor. */
static inline int pool_join(struct pool *pool, int fd)
{
	int ret = pool_attach(fd);

	return ret < 0 ? ret : pool_map(pool, ret);
}

static inline void pool_close(struct pool *pool)
{
	munmap(pool->map, pool->map_size);
	close(pool->fd);
}

static inline unsigned char *pool_slot(const struct pool *pool, __u64 id)
{
	return pool->map + id * pool->stride;
}

/* How many of the bytes are not @value. */
static inline size_t count_not(const unsigned char *p, int value, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += p[i] != value;
	return n;
}

#endif /* SECBUF_FIXTURE_H */
