// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The functions of libc that the library calls to reach the module are replaced
 * here. A pool is a file in memory; its control page lies where it must.
 */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/secbuf.h>

#include "fake_pool.h"

#define PAGE		4096ULL
#define NR_POOLS	64
/* Of all slots that any pool of a test has. */
#define WORDS_SIZE	0x100000ULL

struct fake fake;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_pool pools[NR_POOLS];

struct fake_pool *fake_find_pool(int fd)
{
	for (int i = 0; i < NR_POOLS; i++)
		if (pools[i].holders && pools[i].fd == fd)
			return &pools[i];
	return NULL;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int make_file(void)
{
	char path[64];
	int fd = memfd_create("pool", MFD_CLOEXEC);
	int writable = fd;

	if (fd < 0 || ftruncate(fd, SECBUF_POOL_MMAP_WORDS + WORDS_SIZE))
		return -1;
	if (fake.read_only) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
		close(writable);
	}
	return fd;
}

static void forget(struct fake_pool *pool)
{
	munmap(pool->data, pool->mmap_size);
	munmap(pool->words, WORDS_SIZE);
	free(pool->holders);
	pool->holders = NULL;
}

static int create(struct secbuf_pool_create_args *args)
{
	struct fake_pool *pool = NULL;
	int i, fd = make_file();

	if (fd < 0)
		return -1;
	for (i = 0; i < NR_POOLS; i++) {
		/* Who closes a pool does not say so. */
		if (pools[i].holders && (pools[i].fd == fd ||
					 fcntl(pools[i].fd, F_GETFD) < 0))
			forget(&pools[i]);
		if (!pools[i].holders)
			pool = &pools[i];
	}
	if (!pool) {
		close(fd);
		errno = ENFILE;
		return -1;
	}
	*pool = (struct fake_pool) {
		.owner = getpid(),
		.flags = args->flags,
		.max_slots = args->max_slots ?: 100,
		.slot_size = 64,
	};
	while (pool->slot_size < args->slot_size)
		pool->slot_size *= 2;
	pool->stride = pool->slot_size;
	if (args->flags & SECBUF_POOL_F_GUARD)
		pool->stride = round_up(pool->slot_size, PAGE) + PAGE;
	pool->mmap_size = round_up(pool->stride * pool->max_slots, PAGE);
	pool->fd = fd;
	if (!fake.read_only) {
		pool->data = mmap(NULL, pool->mmap_size, PROT_READ | PROT_WRITE,
				  MAP_SHARED, pool->fd, 0);
		pool->words = mmap(NULL, WORDS_SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED, pool->fd,
				   SECBUF_POOL_MMAP_WORDS);
	}
	pool->holders = calloc(pool->max_slots, sizeof(*pool->holders));
	args->out_fd = pool->fd;
	args->out_slot_size = pool->slot_size;
	args->out_stride = pool->stride;
	args->out_mmap_size = args->flags & SECBUF_POOL_F_MAPPED ?
			      pool->mmap_size : 0;
	args->out_max_slots = pool->max_slots;
	return 0;
}

bool fake_grant(struct fake_pool *pool, enum fake_holder holder, uint64_t *out)
{
	uint64_t id;

	if (fake.err && fake.err_nr) {
		fake.err_nr--;
		errno = fake.err;
		return false;
	}
	for (id = 0; id < pool->max_slots && pool->holders[id]; id++)
		;
	if (id == pool->max_slots) {
		errno = ENOSPC;
		return false;
	}
	pool->holders[id] = holder;
	fake.out++;
	pool->acquired++;
	if (pool->acquired - pool->returned > pool->peak)
		pool->peak = pool->acquired - pool->returned;
	*out = id;
	return true;
}

static int grant(struct fake_pool *pool, struct secbuf_pool_alloc_args *args)
{
	uint64_t *ids = (void *)(uintptr_t)args->ids_ptr;
	uint32_t done = 0;
	uint64_t id;

	while (done < args->nr && fake_grant(pool, FAKE_PROGRAM, &id))
		ids[done++] = id + fake.first_id;
	args->out_done = fake.done ?: done;
	return done ? 0 : -1;
}

void fake_take_back(struct fake_pool *pool, uint64_t id)
{
	if (pool->flags & SECBUF_POOL_F_MAPPED)
		memset(pool->data + id * pool->stride, 0, pool->stride);
	pool->holders[id] = FAKE_NOBODY;
	pool->returned++;
	fake.out--;
}

static int take_back_all(struct fake_pool *pool)
{
	for (uint64_t id = 0; id < pool->max_slots; id++)
		if (pool->holders[id] == FAKE_PROGRAM)
			fake_take_back(pool, id);
	return 0;
}

static int give(struct fake_pool *pool, struct secbuf_pool_free_args *args)
{
	const uint64_t *ids = (void *)(uintptr_t)args->ids_ptr;
	uint32_t done;
	uint64_t id;

	if (args->flags & SECBUF_POOL_FREE_F_ALL)
		return take_back_all(pool);
	for (done = 0; done < args->nr; done++) {
		id = ids[done] - fake.first_id;
		errno = id < pool->max_slots ? ENOENT : EINVAL;
		if (id >= pool->max_slots || !pool->holders[id])
			break;
		errno = EBUSY;
		if (pool->holders[id] == FAKE_CONN)
			break;
		fake_take_back(pool, id);
	}
	args->out_done = fake.done ?: done;
	return done ? 0 : -1;
}

static int stats(struct fake_pool *pool, struct secbuf_pool_stats_args *args)
{
	args->out_max_slots = pool->max_slots;
	args->out_acquired = pool->acquired;
	args->out_misses = pool->acquired;
	args->out_returned = pool->returned;
	args->out_in_use = pool->acquired - pool->returned;
	args->out_allocated = args->out_in_use;
	args->out_peak = pool->peak;
	return 0;
}

static int info(struct secbuf_info_args *args)
{
	args->out_abi_version = SECBUF_ABI_VERSION;
	args->out_batch_max = 64;
	args->out_pool_size_max = 1ULL << 34;
	return 0;
}

static int answer(int fd, unsigned long cmd, void *args)
{
	struct fake_pool *pool = fake_find_pool(fd);

	if (cmd == SECBUF_IOC_INFO)
		return info(args);
	if (cmd == SECBUF_IOC_POOL_CREATE)
		return create(args);
	if (cmd == SECBUF_IOC_CONN_CREATE)
		return fake_conn_create(args);
	errno = EPERM;
	if (pool && pool->owner != getpid())
		return -1;
	if (!pool)
		return fake_conn_answer(fd, cmd, args);
	errno = ENOTTY;
	switch (cmd) {
	case SECBUF_IOC_POOL_ALLOC:
		return grant(pool, args);
	case SECBUF_IOC_POOL_FREE:
		return give(pool, args);
	case SECBUF_IOC_POOL_STATS:
		return stats(pool, args);
	case SECBUF_IOC_POOL_SHRINK:
		return 0;
	}
	return -1;
}

/* Signals wait: the module, too, has its locks where no handler comes. */
int ioctl(int fd, unsigned long cmd, ...)
{
	sigset_t all, old;
	va_list list;
	void *args;
	int ret;

	va_start(list, cmd);
	args = va_arg(list, void *);
	va_end(list);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_mutex_lock(&lock);
	fake.calls++;
	ret = answer(fd, cmd, args);
	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int open(const char *path, int flags, ...)
{
	return openat(AT_FDCWD, strcmp(path, "/dev/secbuf") ? path : "/dev/null",
		      flags);
}

static void hold(void)
{
	pthread_mutex_lock(&lock);
}

static void let_go(void)
{
	pthread_mutex_unlock(&lock);
}

/* The module, too, has locks, but those are not forked. */
static void __attribute__((constructor)) survive_fork(void)
{
	pthread_atfork(hold, let_go, let_go);
}

bool fake_is_granted(int fd, uint64_t id)
{
	struct fake_pool *pool = fake_find_pool(fd);

	return pool && id < pool->max_slots && pool->holders[id];
}

void fake_press(int fd)
{
	struct secbuf_pool_control *control;

	control = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       SECBUF_POOL_MMAP_CONTROL);
	__atomic_fetch_add(&control->pressure, 1, __ATOMIC_RELAXED);
	munmap(control, PAGE);
}

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
}
