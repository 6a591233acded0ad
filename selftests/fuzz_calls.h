/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fuzz_ioctl does: system calls on objects of /dev/secbuf, most of them
 * sensible. A step is a kind of call and one seed, from which everything else
 * about it follows, so that it does the same wherever it stands.
 */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/secbuf.h>

#define PAGE		4096UL
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* splitmix64 */
static inline uint64_t rnd(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline bool one_in(uint64_t *state, unsigned int n)
{
	return rnd(state) % n == 0;
}

enum object { OBJ_NONE, OBJ_DEV, OBJ_HELD, OBJ_MAPPED, OBJ_END, OBJ_CONN };

#define NR_OBJECTS	12
#define NR_MAPS		8
#define NR_IDS		64
#define ARENA		(64UL << 10)

/* Each mapping has its place, where nothing else ever is. */
#define MAP_BASE	0x100000000000UL
#define MAP_ROOM	0x40000000UL

struct object_slot {
	int		fd;
	enum object	type;
	uint64_t	mmap_size;
};

/* What one program of steps works with. Threads share it without a lock. */
struct fuzz_world {
	struct object_slot	objects[NR_OBJECTS];
	size_t			maps[NR_MAPS];	/* lengths; 0: none */
	uint64_t		ids[NR_IDS];
	unsigned char		*arena;
	int			socks[2];	/* of all processes */
	int			fail_fd;	/* fail-nth, or -1 */
	unsigned long		calls;
};

/*
 * Values
 */

static uint64_t any_value(uint64_t *s)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 7, 8, 31, 63, 64, 65, 100, 4095, PAGE, 4097,
		2 * PAGE, 8191, 16 * PAGE, 65535, 65537, 1 << 20, 64 << 20,
		0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 40,
		1ULL << 41, 1ULL << 63, ~0ULL,
	};

	return one_in(s, 8) ? rnd(s) : values[rnd(s) % COUNT(values)];
}

static uint64_t small_value(uint64_t *s)
{
	return one_in(s, 16) ? any_value(s) : rnd(s) % 40;
}

static void *map_address(unsigned int i)
{
	return (void *)(MAP_BASE + (i % NR_MAPS) * MAP_ROOM);
}

/* Mostly ordinary memory; sometimes that of an object, or none. */
static uint64_t pointer(struct fuzz_world *w, uint64_t *s)
{
	unsigned int map = rnd(s) % NR_MAPS;

	switch (rnd(s) % 24) {
	case 0:
		return 0;
	case 1:
		return any_value(s);
	case 2:
		return (uintptr_t)w->arena + ARENA - rnd(s) % 64;
	case 3:
	case 4:
	case 5:
		return (uintptr_t)map_address(map) +
		       (w->maps[map] ? rnd(s) % w->maps[map] & ~7UL : 0);
	default:
		return (uintptr_t)w->arena + (rnd(s) % (ARENA / 2) & ~7UL);
	}
}

static struct object_slot *any_object(struct fuzz_world *w, uint64_t *s)
{
	return &w->objects[rnd(s) % NR_OBJECTS];
}

/* Of the type, if there is one; sometimes another. */
static struct object_slot *pick(struct fuzz_world *w, uint64_t *s,
				enum object type)
{
	unsigned int first = rnd(s) % NR_OBJECTS;

	if (one_in(s, 24))
		return any_object(w, s);
	for (unsigned int i = 0; i < NR_OBJECTS; i++) {
		struct object_slot *o =
			&w->objects[(first + i) % NR_OBJECTS];

		if (o->type == type)
			return o;
	}
	return any_object(w, s);
}

/* The number of a mapping, if there is one; sometimes any. */
static unsigned int pick_map(struct fuzz_world *w, uint64_t *s)
{
	unsigned int i = rnd(s) % NR_MAPS;

	if (one_in(s, 16))
		return i;
	for (unsigned int n = 0; n < NR_MAPS && !w->maps[i % NR_MAPS]; n++)
		i++;
	return i % NR_MAPS;
}

/* A new object; what is in its place ends. */
static void keep(struct fuzz_world *w, uint64_t *s, int fd, enum object type,
		 uint64_t mmap_size)
{
	struct object_slot *o = any_object(w, s);
	int old;

	if (fd < 0)
		return;
	for (unsigned int i = 0; i < NR_OBJECTS; i++)
		if (w->objects[i].type == OBJ_NONE)
			o = &w->objects[i];
	old = __atomic_exchange_n(&o->fd, fd, __ATOMIC_RELAXED);
	o->type = type;
	o->mmap_size = mmap_size;
	if (old >= 0)
		close(old);
}

/*
 * Commands. A field is where in the struct a value goes, and what it is like.
 */

enum field_type {
	F_END, F_FLAGS, F_SLOT_SIZE, F_SLOTS, F_RING_SIZE, F_REQUIRE, F_IDS,
	F_VECS, F_PACKETS, F_BATCH, F_SMALL, F_TIMEOUT, F_FD_POOL, F_FD_END,
	F_FD_SOCK, F_ANY, F_POINTER, F_LIMIT, F_RARELY,
};

struct field {
	uint8_t offset;
	uint8_t size;
	uint8_t type;
};

#define FIELD(s, m, t)	{ offsetof(s, m), sizeof(((s *)0)->m), t }

struct command {
	unsigned long	nr;
	enum object	on;
	uint8_t		size;
	struct field	fields[10];
};

#define POOL_ARGS(n, m, t)	FIELD(struct secbuf_pool_##n##_args, m, t)
#define RING_ARGS(n, m, t)	FIELD(struct secbuf_ring_##n##_args, m, t)
#define CONN_ARGS(n, m, t)	FIELD(struct secbuf_conn_##n##_args, m, t)
#define SIZE(n)			sizeof(struct secbuf_##n##_args)

#define POOL_FIELDS(type)						\
	{ POOL_ARGS(create, flags, type),				\
	  POOL_ARGS(create, slot_size, F_SLOT_SIZE),			\
	  POOL_ARGS(create, max_slots, F_SLOTS),			\
	  POOL_ARGS(create, min_slots, F_LIMIT),			\
	  POOL_ARGS(create, require, F_REQUIRE) }
#define COPY_FIELDS							\
	{ POOL_ARGS(copy, vecs_ptr, F_VECS), POOL_ARGS(copy, nr, F_SMALL) }
#define QUEUE_FIELDS							\
	{ CONN_ARGS(queue, flags, F_FLAGS),				\
	  CONN_ARGS(queue, packets_ptr, F_PACKETS),			\
	  CONN_ARGS(queue, nr, F_SMALL),				\
	  CONN_ARGS(queue, packet.ptr, F_POINTER),			\
	  CONN_ARGS(queue, packet.len, F_SMALL) }

static const struct command commands[] = {
	{ SECBUF_IOC_INFO, OBJ_DEV, SIZE(info), { } },
	{ SECBUF_IOC_POOL_CREATE, OBJ_DEV, SIZE(pool_create),
	  POOL_FIELDS(F_FLAGS) },
	{ SECBUF_IOC_POOL_CREATE, OBJ_DEV, SIZE(pool_create),
	  POOL_FIELDS(F_LIMIT) },
	{ SECBUF_IOC_RING_CREATE, OBJ_DEV, SIZE(ring_create), {
		RING_ARGS(create, flags, F_FLAGS),
		RING_ARGS(create, ring_size, F_RING_SIZE),
		RING_ARGS(create, require, F_REQUIRE) } },
	{ SECBUF_IOC_CONN_CREATE, OBJ_DEV, SIZE(conn_create), {
		CONN_ARGS(create, flags, F_RARELY),
		CONN_ARGS(create, pool_fd, F_FD_POOL),
		CONN_ARGS(create, max_packets, F_RARELY),
		CONN_ARGS(create, max_bytes, F_RARELY),
		CONN_ARGS(create, max_streams, F_RARELY),
		CONN_ARGS(create, idle_ms, F_RARELY),
		CONN_ARGS(create, near_full, F_RARELY),
		CONN_ARGS(create, waste_factor, F_RARELY),
		CONN_ARGS(create, waste_min, F_RARELY) } },
	{ SECBUF_IOC_POOL_ALLOC, OBJ_MAPPED, SIZE(pool_alloc), {
		POOL_ARGS(alloc, flags, F_LIMIT),
		POOL_ARGS(alloc, ids_ptr, F_IDS),
		POOL_ARGS(alloc, nr, F_BATCH) } },
	{ SECBUF_IOC_POOL_FREE, OBJ_MAPPED, SIZE(pool_free), {
		POOL_ARGS(free, flags, F_LIMIT),
		POOL_ARGS(free, ids_ptr, F_IDS),
		POOL_ARGS(free, nr, F_BATCH) } },
	{ SECBUF_IOC_POOL_SHRINK, OBJ_MAPPED, SIZE(pool_shrink), {
		POOL_ARGS(shrink, nr, F_BATCH) } },
	{ SECBUF_IOC_POOL_STATS, OBJ_MAPPED, SIZE(pool_stats), { } },
	{ SECBUF_IOC_POOL_ATTACH, OBJ_MAPPED, SIZE(pool_attach), { } },
	{ SECBUF_IOC_POOL_INFO, OBJ_MAPPED, SIZE(pool_info), { } },
	{ SECBUF_IOC_POOL_ALLOC, OBJ_HELD, SIZE(pool_alloc), {
		POOL_ARGS(alloc, flags, F_LIMIT),
		POOL_ARGS(alloc, ids_ptr, F_IDS),
		POOL_ARGS(alloc, nr, F_BATCH) } },
	{ SECBUF_IOC_POOL_FREE, OBJ_HELD, SIZE(pool_free), {
		POOL_ARGS(free, flags, F_LIMIT),
		POOL_ARGS(free, ids_ptr, F_IDS),
		POOL_ARGS(free, nr, F_BATCH) } },
	{ SECBUF_IOC_POOL_SHRINK, OBJ_HELD, SIZE(pool_shrink), {
		POOL_ARGS(shrink, nr, F_BATCH) } },
	{ SECBUF_IOC_POOL_STATS, OBJ_HELD, SIZE(pool_stats), { } },
	{ SECBUF_IOC_POOL_INFO, OBJ_HELD, SIZE(pool_info), { } },
	{ SECBUF_IOC_POOL_READ, OBJ_HELD, SIZE(pool_copy), COPY_FIELDS },
	{ SECBUF_IOC_POOL_WRITE, OBJ_HELD, SIZE(pool_copy), COPY_FIELDS },
	{ SECBUF_IOC_RING_NOTIFY, OBJ_END, SIZE(ring_notify), {
		RING_ARGS(notify, flags, F_FLAGS),
		RING_ARGS(notify, min, F_SMALL),
		RING_ARGS(notify, timeout_ns, F_TIMEOUT) } },
	{ SECBUF_IOC_RING_RESET, OBJ_END, SIZE(ring_plain), { } },
	{ SECBUF_IOC_RING_SHRINK, OBJ_END, SIZE(ring_shrink), { } },
	{ SECBUF_IOC_RING_STATS, OBJ_END, SIZE(ring_stats), { } },
	{ SECBUF_IOC_RING_CLAIM, OBJ_END, SIZE(ring_plain), { } },
	{ SECBUF_IOC_RING_CLOSE, OBJ_END, SIZE(ring_plain), { } },
	{ SECBUF_IOC_RING_INFO, OBJ_END, SIZE(ring_info), { } },
	{ SECBUF_IOC_RING_UNPARK, OBJ_END, SIZE(ring_plain), { } },
	{ SECBUF_IOC_CONN_BUFFER, OBJ_CONN, SIZE(conn_buffer), {
		CONN_ARGS(buffer, which, F_FLAGS) } },
	{ SECBUF_IOC_CONN_RESET, OBJ_CONN, SIZE(conn_plain), { } },
	{ SECBUF_IOC_CONN_ZEROIZE, OBJ_CONN, SIZE(conn_plain), { } },
	{ SECBUF_IOC_CONN_TOUCH, OBJ_CONN, SIZE(conn_plain), { } },
	{ SECBUF_IOC_CONN_SHRINK, OBJ_CONN, SIZE(conn_shrink), {
		CONN_ARGS(shrink, level, F_FLAGS) } },
	{ SECBUF_IOC_CONN_STATS, OBJ_CONN, SIZE(conn_stats), { } },
	{ SECBUF_IOC_CONN_ENQUEUE, OBJ_CONN, SIZE(conn_queue), QUEUE_FIELDS },
	{ SECBUF_IOC_CONN_DEQUEUE, OBJ_CONN, SIZE(conn_queue), QUEUE_FIELDS },
	{ SECBUF_IOC_CONN_SEND, OBJ_CONN, SIZE(conn_send), {
		CONN_ARGS(send, sock_fd, F_FD_SOCK),
		CONN_ARGS(send, max_packets, F_LIMIT) } },
	{ SECBUF_IOC_CONN_STREAM_ADD, OBJ_CONN, SIZE(conn_stream), {
		CONN_ARGS(stream, ring_fd, F_FD_END) } },
	{ SECBUF_IOC_CONN_STREAM_DEL, OBJ_CONN, SIZE(conn_stream), {
		CONN_ARGS(stream, ring_fd, F_FD_END) } },
};

/* Mostly one that was granted, if there are any. */
static uint64_t any_id(struct fuzz_world *w, uint64_t *s)
{
	uint64_t id = 0;

	if (one_in(s, 12))
		return any_value(s);
	for (int i = 0; i < 6 && !id; i++)
		id = w->ids[rnd(s) % NR_IDS];
	return id;
}

/* Arrays that commands point to lie in the second half of the arena. */
static void *array_room(struct fuzz_world *w, uint64_t *s)
{
	return w->arena + ARENA / 2 + (rnd(s) % (ARENA / 4) & ~7UL);
}

/* Where ALLOC puts them, from which FREE may take them; or others. */
static uint64_t ids(struct fuzz_world *w, uint64_t *s)
{
	uint64_t *id = array_room(w, s);

	if (one_in(s, 2))
		return (uintptr_t)&w->ids[rnd(s) % (NR_IDS / 2)];
	for (int i = 0; i < 32; i++)
		id[i] = any_id(w, s);
	return (uintptr_t)id;
}

static uint64_t vecs(struct fuzz_world *w, uint64_t *s)
{
	struct secbuf_pool_vec *vec = array_room(w, s);

	for (int i = 0; i < 40; i++)
		vec[i] = (struct secbuf_pool_vec){
			.id = any_id(w, s), .offset = one_in(s, 3) ?
			small_value(s) : 0,
			.len = one_in(s, 3) ? rnd(s) % (2 * PAGE) :
					      small_value(s),
			.buf_ptr = pointer(w, s),
		};
	return (uintptr_t)vec;
}

static uint64_t packets(struct fuzz_world *w, uint64_t *s)
{
	struct secbuf_conn_packet *packet = array_room(w, s);
	bool slots = one_in(s, 2);

	if (one_in(s, 2))
		return 0;
	for (int i = 0; i < 40; i++)
		packet[i] = (struct secbuf_conn_packet){
			.ptr = slots ? any_id(w, s) : pointer(w, s),
			.len = one_in(s, 4) ? PAGE : small_value(s),
		};
	return (uintptr_t)packet;
}

static uint64_t value_of(struct fuzz_world *w, uint64_t *s, int type)
{
	switch (type) {
	case F_FLAGS:
		return one_in(s, 40) ? any_value(s) : rnd(s) % 8;
	case F_LIMIT:
		return one_in(s, 3) ? any_value(s) : one_in(s, 8);
	case F_RARELY:
		return one_in(s, 20) ? any_value(s) : 0;
	case F_SLOT_SIZE:
		return one_in(s, 8) ? any_value(s) :
		       1 + rnd(s) % (64 << rnd(s) % 9);
	case F_SLOTS:
		return one_in(s, 16) ? any_value(s) : 1 + rnd(s) % 64;
	case F_RING_SIZE:
		return one_in(s, 16) ? any_value(s) : PAGE << rnd(s) % 5;
	case F_REQUIRE:
		return one_in(s, 16) ? any_value(s) : 0;
	case F_IDS:
		return one_in(s, 12) ? pointer(w, s) : ids(w, s);
	case F_VECS:
		return one_in(s, 12) ? pointer(w, s) : vecs(w, s);
	case F_PACKETS:
		return one_in(s, 12) ? pointer(w, s) : packets(w, s);
	case F_BATCH:
		return one_in(s, 16) ? any_value(s) : 1 + rnd(s) % 32;
	case F_TIMEOUT:
		return one_in(s, 3) ? any_value(s) : rnd(s) % 2000000;
	case F_FD_POOL:
		return pick(w, s, OBJ_MAPPED)->fd;
	case F_FD_END:
		return pick(w, s, OBJ_END)->fd;
	case F_FD_SOCK:
		return one_in(s, 8) ? any_object(w, s)->fd :
				      w->socks[rnd(s) % 2];
	case F_POINTER:
		return one_in(s, 3) ? any_id(w, s) : pointer(w, s);
	case F_ANY:
		return any_value(s);
	default:
		return small_value(s);
	}
}

/* What it is, is asked. */
static void keep_unknown(struct fuzz_world *w, uint64_t *s, int fd)
{
	struct secbuf_pool_info_args pool = { .size = sizeof(pool) };
	struct secbuf_ring_info_args ring = { .size = sizeof(ring) };
	struct secbuf_conn_stats_args conn = { .size = sizeof(conn) };

	if (!ioctl(fd, SECBUF_IOC_POOL_INFO, &pool))
		keep(w, s, fd, pool.out_flags ? OBJ_MAPPED : OBJ_HELD,
		     pool.out_mmap_size);
	else if (!ioctl(fd, SECBUF_IOC_RING_INFO, &ring))
		keep(w, s, fd, OBJ_END, ring.out_ring_size);
	else if (!ioctl(fd, SECBUF_IOC_CONN_STATS, &conn))
		keep(w, s, fd, OBJ_CONN, 0);
	else
		keep(w, s, fd, rnd(s) % (OBJ_CONN + 1), PAGE);
}

/* What a command made joins the objects. */
static void keep_made(struct fuzz_world *w, uint64_t *s, unsigned long nr,
		      void *args)
{
	struct secbuf_pool_create_args *pool = args;
	struct secbuf_pool_attach_args *member = args;
	struct secbuf_ring_create_args *ring = args;
	struct secbuf_conn_create_args *conn = args;

	switch (nr) {
	case SECBUF_IOC_POOL_CREATE:
		keep(w, s, pool->out_fd,
		     pool->flags ? OBJ_MAPPED : OBJ_HELD, pool->out_mmap_size);
		break;
	case SECBUF_IOC_RING_CREATE:
		keep(w, s, ring->out_producer_fd, OBJ_END, ring->ring_size);
		keep(w, s, ring->out_consumer_fd, OBJ_END, ring->ring_size);
		break;
	case SECBUF_IOC_CONN_CREATE:
		keep(w, s, conn->out_fd, OBJ_CONN, 0);
		break;
	case SECBUF_IOC_POOL_ATTACH:
		keep_unknown(w, s, member->out_fd);
		break;
	}
}

static void do_command(struct fuzz_world *w, uint64_t *s, unsigned int which)
{
	const struct command *c = &commands[which % COUNT(commands)];
	int fd = pick(w, s, c->on)->fd;
	uint64_t args[PAGE / 8] = { 0 };
	uint32_t size = c->size;
	uint64_t value;

	if (one_in(s, 30))
		size = any_value(s);
	else if (one_in(s, 30))
		memset(args, rnd(s), sizeof(args));
	memcpy(args, &size, sizeof(size));
	for (const struct field *f = c->fields; f->type != F_END; f++) {
		value = value_of(w, s, f->type);
		memcpy((char *)args + f->offset, &value, f->size);
	}
	if (one_in(s, 30))
		ioctl(fd, c->nr, (void *)pointer(w, s));
	else if (!ioctl(fd, c->nr, args))
		keep_made(w, s, c->nr, args);
}

#endif /* FUZZ_CALLS_H */
