// SPDX-License-Identifier: GPL-2.0
/*
 * A secret in a slot of a mapped pool, or in buffers of one that the kernel
 * holds, into which it is written byte by byte.
 */
#include "plant.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/secbuf.h>

#define MAX_IDS		8

/* So many that CPUs keep some at hand. */
#define NR_SLOTS	64

struct pool {
	int		fd;
	unsigned char	*map;
	size_t		map_size;
	size_t		slot_size;
	unsigned int	nr;		/* slots that hold the secret */
	uint64_t	ids[MAX_IDS];
};

static struct pool pool, bigger;
static pid_t owner;

static void create(struct pool *p, size_t slot_size, uint32_t flags)
{
	struct secbuf_pool_create_args args = {
		.size = sizeof(args),
		.flags = flags,
		.slot_size = slot_size,
		.max_slots = flags ? MAX_IDS : NR_SLOTS,
	};
	int dev = device_open();

	command(dev, SECBUF_IOC_POOL_CREATE, &args, "POOL_CREATE");
	close(dev);
	p->fd = args.out_fd;
	p->slot_size = slot_size;
	p->map_size = args.out_mmap_size;
}

static void map(struct pool *p)
{
	p->map = mmap(NULL, p->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      p->fd, 0);
	if (p->map == MAP_FAILED)
		die("mmap");
}

static void get_slots(struct pool *p, unsigned int nr)
{
	struct secbuf_pool_alloc_args args = {
		.size = sizeof(args),
		.ids_ptr = (uintptr_t)p->ids,
		.nr = nr,
	};

	command(p->fd, SECBUF_IOC_POOL_ALLOC, &args, "POOL_ALLOC");
	if (args.out_done != nr)
		die("POOL_ALLOC");
	p->nr = nr;
}

static void give_back(struct pool *p)
{
	struct secbuf_pool_free_args args = {
		.size = sizeof(args),
		.ids_ptr = (uintptr_t)p->ids,
		.nr = p->nr,
	};

	command(p->fd, SECBUF_IOC_POOL_FREE, &args, "POOL_FREE");
	if (args.out_done != p->nr)
		die("POOL_FREE");
}

static unsigned char *slot(const struct pool *p)
{
	return p->map + p->ids[0] * p->slot_size;
}

/* One byte in a call, so that it is nowhere in one piece but in the kernel. */
static void copy_byte(struct pool *p, unsigned long request, size_t at,
		      unsigned char *byte)
{
	struct secbuf_pool_vec vec = {
		.id = p->ids[at / p->slot_size],
		.offset = at % p->slot_size,
		.len = 1,
		.buf_ptr = (uintptr_t)byte,
	};
	struct secbuf_pool_copy_args args = {
		.size = sizeof(args),
		.vecs_ptr = (uintptr_t)&vec,
		.nr = 1,
	};

	command(p->fd, request, &args, "POOL_READ, POOL_WRITE");
}

/* The slot is that of a process which shares the pool with us. */
static void own(void)
{
	struct secbuf_pool_attach_args args = { .size = sizeof(args) };

	command(pool.fd, SECBUF_IOC_POOL_ATTACH, &args, "POOL_ATTACH");
	pool.fd = args.out_fd;
	map(&pool);
	get_slots(&pool, 1);
	secret_fill(slot(&pool));
}

static void pool_plant(const char *end)
{
	uint32_t flags = SECBUF_POOL_F_MAPPED;

	if (is(end, "revoke") || is(end, "passed"))
		flags |= SECBUF_POOL_F_PASSABLE;
	create(&pool, SIZE, flags);
	if (is(end, "revoke")) {
		owner = keeper(own);
		map(&pool);
		if (pool.map[PAGE / 2] != secret_byte(0))
			die("slot 0");
		return;
	}
	map(&pool);
	get_slots(&pool, 1);
	secret_fill(slot(&pool));
}

/*
 * Into a slot that was freed: the kernel keeps its pages for the next grant, and
 * zeroizes them then, or when it takes them back.
 */
static void stale_plant(const char *end)
{
	(void)end;
	create(&pool, SIZE, SECBUF_POOL_F_MAPPED);
	map(&pool);
	get_slots(&pool, 1);
	give_back(&pool);
	secret_fill(slot(&pool));
}

static void kpool_plant(const char *end)
{
	unsigned char byte;

	(void)end;
	create(&pool, SIZE / MAX_IDS, 0);
	get_slots(&pool, MAX_IDS);
	for (size_t at = 0; at < SIZE; at += PAGE) {
		for (int i = 0; i < SECRET_LEN; i++) {
			byte = secret_byte(i);
			copy_byte(&pool, SECBUF_IOC_POOL_WRITE,
				  at + PAGE / 2 + i, &byte);
		}
	}
}

static unsigned int descriptors(int *fds)
{
	fds[0] = pool.fd;
	return 1;
}

static void unmap(void)
{
	if (pool.map)
		munmap(pool.map, pool.map_size);
}

static void release(void)
{
	give_back(&pool);
}

/* All that was granted, without a word which. */
static void reset(void)
{
	struct secbuf_pool_free_args args = {
		.size = sizeof(args), .flags = SECBUF_POOL_FREE_F_ALL,
	};

	command(pool.fd, SECBUF_IOC_POOL_FREE, &args, "POOL_FREE");
}

static void close_all(void)
{
	unmap();
	close(pool.fd);
}

static void shrink(void)
{
	struct secbuf_pool_shrink_args args = {
		.size = sizeof(args), .nr = ~0U,
	};

	command(pool.fd, SECBUF_IOC_POOL_SHRINK, &args, "POOL_SHRINK");
	if (args.out_done != pool.nr)
		die("POOL_SHRINK");
}

static bool has_no_memory(void)
{
	struct secbuf_pool_stats_args args = { .size = sizeof(args) };

	command(pool.fd, SECBUF_IOC_POOL_STATS, &args, "POOL_STATS");
	return !args.out_allocated;
}

static void pressure(void)
{
	wait_until(has_no_memory, "nobody took the memory");
}

/* Free slots keep their memory, and who writes to it all the same may do so. */
static void release_and_write(void)
{
	release();
	secret_fill(slot(&pool));
}

static void pool_shrink(void)
{
	release_and_write();
	shrink();
}

static void pool_pressure(void)
{
	release_and_write();
	pressure();
}

static void kpool_shrink(void)
{
	release();
	shrink();
}

static void kpool_pressure(void)
{
	release();
	pressure();
}

/* What is left in the larger slot is not the question. */
static void pool_grow(void)
{
	volatile unsigned char *from = slot(&pool), *to;

	create(&bigger, 2 * SIZE, SECBUF_POOL_F_MAPPED);
	map(&bigger);
	get_slots(&bigger, 1);
	to = slot(&bigger);
	for (size_t i = 0; i < SIZE; i++)
		to[i] = from[i];
	give_back(&pool);
	wipe(to, SIZE);
}

static void kpool_grow(void)
{
	unsigned char byte;

	create(&bigger, 2 * pool.slot_size, 0);
	get_slots(&bigger, MAX_IDS / 2);
	for (size_t at = PAGE / 2; at < SIZE; at += PAGE) {
		for (int i = 0; i < SECRET_LEN; i++) {
			copy_byte(&pool, SECBUF_IOC_POOL_READ, at + i, &byte);
			copy_byte(&bigger, SECBUF_IOC_POOL_WRITE, at + i,
				  &byte);
		}
	}
	give_back(&pool);
	give_back(&bigger);
}

static void kill_owner(void)
{
	keeper_kill(owner);
}

static const struct end pool_ends[] = {
	{ "release", release }, { "reset", reset }, { "close", close_all },
	{ "shrink", pool_shrink }, { "pressure", pool_pressure },
	{ "grow", pool_grow }, { "revoke", kill_owner }, { }
};

static const struct end kpool_ends[] = {
	{ "release", release }, { "reset", reset }, { "close", close_all },
	{ "shrink", kpool_shrink }, { "pressure", kpool_pressure },
	{ "grow", kpool_grow }, { }
};

static const struct end no_ends[] = { { } };

const struct memory pool_memory = {
	"pool", pool_plant, descriptors, unmap, pool_ends,
};

const struct memory stale_memory = {
	"stale", stale_plant, descriptors, unmap, no_ends,
};

const struct memory kpool_memory = {
	"kpool", kpool_plant, descriptors, unmap, kpool_ends,
};
