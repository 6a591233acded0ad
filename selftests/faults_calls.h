/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the paths of faults_test are made of, what is there before and the call:
 * the device and pools.
 */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include "secbuf_fixture.h"
#include "secbuf_ring.h"
#include "secbuf_touch.h"

#define SLOTS		96
#define BUF_SIZE	100
#define RING_SIZE	(4 * PAGE)

/*
 * More ids than the kernel keeps on its stack, which it does in chunks; fewer
 * where each costs an allocation.
 */
#define MANY		80
#define SOME		36
#define MANY_VECS	12

/* Bytes of a record or a stream that cross pages. */
#define RING_BYTES	(PAGE + 100)

/* EFAULT can come when it is too late to change nothing. */
#define PATH_LATE		0x01
/* Idle buffers stay charged, of what the call had, or go. */
#define PATH_PARKS		0x02
/* No failure comes through: page faults are repeated, ends are not refused. */
#define PATH_DOES_WITHOUT	0x04
/* Nothing is allocated, nor copied but by words: there is nothing to fail. */
#define PATH_NEEDS_NOTHING	0x40
/* The path is the end of the process. */
#define PATH_ENDS		0x08
/* The errors of others. */
#define PATH_ANY_ERRNO		0x10
/* The module is not loaded when the path begins. */
#define PATH_UNLOADS		0x20
/* Most of its points are the kernel's own: walk to some. */
#define PATH_LONG		0x80
/* However the process ends. */
#define PATH_ANY_STATUS		0x100
/* Takes long, and has little that others have not. */
#define PATH_SLOW		0x200

/* What a path has to do with. What is not there is -1 or NULL. */
struct world {
	unsigned int		arg;
	int			dev;
	struct pool		pool;
	struct ring		ring;
	int			conn;
	int			other;	/* whatever is made besides */
	unsigned char		*map;
	size_t			map_size;
	__u32			nr;	/* of ids in use */
	__u64			ids[MANY];
	unsigned char		bytes[2 * PAGE];
};

struct path {
	const char	*name;
	int		(*prepare)(struct world *w);
	/* Returns a negative error or not. Can be called again after one. */
	int		(*call)(struct world *w);
	unsigned int	arg;
	unsigned int	flags;
};

static void world_open(struct world *w)
{
	w->dev = secbuf_open();
	w->pool.fd = -1;
	w->ring.p.fd = -1;
	w->ring.c.fd = -1;
	w->conn = -1;
	w->other = -1;
	w->map = NULL;
}

static void world_close(struct world *w)
{
	const int fds[] = {
		w->other, w->conn, w->ring.c.fd, w->ring.p.fd, w->pool.fd,
		w->dev,
	};

	if (w->map)
		munmap(w->map, w->map_size);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/*
 * The device
 */

static int call_open(struct world *w)
{
	w->other = secbuf_open();
	return w->other < 0 ? -errno : 0;
}

static int call_info(struct world *w)
{
	struct secbuf_info_args args;

	return secbuf_info(w->dev, &args);
}

/*
 * Pools. The argument is the flags.
 */

static int call_pool(struct world *w)
{
	struct secbuf_pool_create_args args;
	int ret;

	w->nr = w->arg == SECBUF_POOL_F_MAPPED ? MANY : SOME;
	if (w->arg & SECBUF_POOL_F_MAPPED)
		ret = pool_create_flags(w->dev, BUF_SIZE, SLOTS, w->arg, &args);
	else
		ret = kpool_create(w->dev, BUF_SIZE, 4, SLOTS, &args);
	if (ret)
		return ret;
	w->pool.fd = args.out_fd;
	w->pool.stride = args.out_stride;
	w->map_size = args.out_mmap_size;
	return 0;
}

static int prepare_slots(struct world *w)
{
	int ret = call_pool(w);

	ret = ret ?: pool_alloc(w->pool.fd, w->ids, w->nr);
	return ret == (int)w->nr ? 0 : -ENODATA;
}

static int prepare_idle(struct world *w)
{
	int ret = prepare_slots(w);

	ret = ret ?: pool_free(w->pool.fd, w->ids, w->nr);
	return ret == (int)w->nr ? 0 : -ENODATA;
}

static int call_alloc(struct world *w)
{
	return pool_alloc(w->pool.fd, w->ids, w->nr);
}

/* Without memory it frees fewer, and is no plain error. */
static int call_free(struct world *w)
{
	int ret = pool_free(w->pool.fd, w->ids, w->nr);

	return ret == -ENOMEM ? -EPROTO : ret;
}

static int call_free_all(struct world *w)
{
	struct secbuf_pool_free_args args = {
		.size = sizeof(args), .flags = SECBUF_POOL_FREE_F_ALL,
	};

	return secbuf_ioctl(w->pool.fd, SECBUF_IOC_POOL_FREE, &args);
}

static int call_shrink(struct world *w)
{
	return pool_shrink(w->pool.fd, SLOTS);
}

static int call_stats(struct world *w)
{
	struct secbuf_pool_stats_args args;

	return pool_stats(w->pool.fd, &args);
}

static int call_pool_info(struct world *w)
{
	struct secbuf_pool_info_args args;

	return pool_info(w->pool.fd, &args);
}

static int call_attach(struct world *w)
{
	w->other = pool_attach(w->pool.fd);
	return w->other;
}

/* The argument is the command. */
static int call_copy(struct world *w)
{
	struct secbuf_pool_vec vecs[MANY_VECS];

	for (int i = 0; i < MANY_VECS; i++)
		vecs[i] = (struct secbuf_pool_vec){
			.id = w->ids[i], .len = BUF_SIZE,
			.buf_ptr = (uintptr_t)w->bytes,
		};
	return pool_copy(w->pool.fd, w->arg, vecs, MANY_VECS);
}

static int prepare_copy(struct world *w)
{
	unsigned int command = w->arg;
	int ret;

	w->arg = 0;
	ret = prepare_slots(w);
	w->arg = command;
	return ret;
}

static int call_pool_mmap(struct world *w)
{
	void *map = mmap(NULL, w->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 w->pool.fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	w->map = map;
	return 0;
}

static int call_control_mmap(struct world *w)
{
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w->pool.fd,
			 SECBUF_POOL_MMAP_CONTROL);

	if (map == MAP_FAILED)
		return -errno;
	w->map = map;
	w->map_size = PAGE;
	return 0;
}

static int prepare_pool_map(struct world *w)
{
	return prepare_slots(w) ?: call_pool_mmap(w);
}

static int prepare_control_map(struct world *w)
{
	return prepare_slots(w) ?: call_control_mmap(w);
}

static int call_touch(struct world *w)
{
	int sig = touch(w->map, false);

	return sig ? -5000 - sig : 0;
}

static int call_touch_write(struct world *w)
{
	int sig = touch(w->map, true);

	return sig ? -5000 - sig : 0;
}

#endif /* FAULTS_CALLS_H */
