// SPDX-License-Identifier: GPL-2.0
/*
 * A secret in what a conn owns: in a buffer that it lends, in a packet that was
 * copied in or moved, in a stream. Or in those of many conns, small and not used.
 */
#include "plant.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/secbuf.h>

#define NR_SLOTS	4
#define IDLE_MS		100

/* Many more than are asked at once when memory is short. */
#define NR_CONNS	1000
#define SMALL		64

static int pool, conn, ring[2];
static unsigned char *map;
static size_t map_size, words_size = PAGE;
static volatile struct secbuf_slot_word *words;
static struct secbuf_conn_buffer_args lent = { .size = sizeof(lent) };

static void setup(const char *end)
{
	struct secbuf_pool_create_args create = {
		.size = sizeof(create),
		.flags = SECBUF_POOL_F_MAPPED,
		.slot_size = SIZE,
		.max_slots = NR_SLOTS,
	};
	struct secbuf_conn_create_args args = {
		.size = sizeof(args),
		.idle_ms = is(end, "idle") ? IDLE_MS : 0,
	};
	int dev = device_open();

	command(dev, SECBUF_IOC_POOL_CREATE, &create, "POOL_CREATE");
	pool = create.out_fd;
	map_size = create.out_mmap_size;
	map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, pool, 0);
	words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pool,
		     SECBUF_POOL_MMAP_WORDS);
	if (map == MAP_FAILED || words == MAP_FAILED)
		die("mmap");
	args.pool_fd = pool;
	command(dev, SECBUF_IOC_CONN_CREATE, &args, "CONN_CREATE");
	conn = args.out_fd;
	close(dev);
}

static uint64_t slot_get(void)
{
	uint64_t id;
	struct secbuf_pool_alloc_args args = {
		.size = sizeof(args), .ids_ptr = (uintptr_t)&id, .nr = 1,
	};

	command(pool, SECBUF_IOC_POOL_ALLOC, &args, "POOL_ALLOC");
	return id;
}

static void slot_put(uint64_t id)
{
	struct secbuf_pool_free_args args = {
		.size = sizeof(args), .ids_ptr = (uintptr_t)&id, .nr = 1,
	};

	command(pool, SECBUF_IOC_POOL_FREE, &args, "POOL_FREE");
}

static void conn_plant(const char *end)
{
	setup(end);
	command(conn, SECBUF_IOC_CONN_BUFFER, &lent, "CONN_BUFFER");
	secret_fill(map + lent.out_id * SIZE);
}

/* A slot with the secret, which is the packet, or freed when it was copied. */
static void enqueue(uint32_t flags)
{
	uint64_t id = slot_get();
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .flags = flags, .packet.len = SIZE,
		.packet.ptr = flags ? id : (uintptr_t)(map + id * SIZE),
	};

	secret_fill(map + id * SIZE);
	command(conn, SECBUF_IOC_CONN_ENQUEUE, &args, "CONN_ENQUEUE");
	if (!flags)
		slot_put(id);
}

static void packet_plant(const char *end)
{
	setup(end);
	enqueue(0);
}

static void moved_plant(const char *end)
{
	setup(end);
	enqueue(SECBUF_CONN_F_MOVE);
}

static void stream_plant(const char *end)
{
	struct secbuf_conn_stream_args args = { .size = sizeof(args) };

	setup(end);
	ring_open(ring, false);
	args.ring_fd = ring[0];
	command(conn, SECBUF_IOC_CONN_STREAM_ADD, &args, "CONN_STREAM_ADD");
	if (is(end, "shrink"))
		ring_plant_unpublished(ring[0]);
	else
		secret_write(ring[0]);
}

static void let_go(const struct secbuf_conn_buffer_args *buffer)
{
	words[buffer->out_id].state =
		(buffer->out_word & ~SECBUF_SLOT_STATE_MASK) | SECBUF_SLOT_IDLE;
}

static void conn_of(int dev, struct secbuf_conn_buffer_args *buffer)
{
	struct secbuf_conn_create_args args = {
		.size = sizeof(args),
		.pool_fd = pool,
		.idle_ms = SECBUF_CONN_IDLE_MS_CEILING,
	};

	command(dev, SECBUF_IOC_CONN_CREATE, &args, "CONN_CREATE");
	buffer->size = sizeof(*buffer);
	command(args.out_fd, SECBUF_IOC_CONN_BUFFER, buffer, "CONN_BUFFER");
}

/* The first half of the conns is busy, and is asked first. */
static void conns_plant(const char *end)
{
	struct secbuf_pool_create_args create = {
		.size = sizeof(create),
		.flags = SECBUF_POOL_F_MAPPED,
		.slot_size = SMALL,
		.max_slots = NR_CONNS,
	};
	struct secbuf_conn_buffer_args buffer = { 0 };
	const struct rlimit files = { 2 * NR_CONNS, 2 * NR_CONNS };
	volatile unsigned char *bytes;
	int dev = device_open();

	(void)end;
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
	command(dev, SECBUF_IOC_POOL_CREATE, &create, "POOL_CREATE");
	pool = create.out_fd;
	map_size = create.out_mmap_size;
	map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, pool, 0);
	words_size = NR_CONNS * sizeof(*words);
	words_size = (words_size + PAGE - 1) / PAGE * PAGE;
	words = mmap(NULL, words_size, PROT_READ | PROT_WRITE, MAP_SHARED, pool,
		     SECBUF_POOL_MMAP_WORDS);
	if (map == MAP_FAILED || words == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < NR_CONNS; i++) {
		conn_of(dev, &buffer);
		if (i < NR_CONNS / 2)
			continue;
		bytes = map + buffer.out_id * create.out_stride;
		for (int j = 0; j < SECRET_LEN; j++)
			bytes[j] = secret_byte(j);
		let_go(&buffer);
	}
	close(dev);
}

static unsigned int pool_descriptor(int *fds)
{
	fds[0] = pool;
	return 1;
}

static unsigned int descriptors(int *fds)
{
	fds[0] = conn;
	fds[1] = pool;
	return 2;
}

static unsigned int stream_descriptors(int *fds)
{
	fds[2] = ring[0];
	fds[3] = ring[1];
	return descriptors(fds) + 2;
}

static void unmap(void)
{
	munmap(map, map_size);
	munmap((void *)words, words_size);
}

/* Of the conn alone: its pool and the mappings stay, and the ends of rings. */
static void close_conn(void)
{
	close(conn);
}

static void plain(unsigned long request)
{
	struct secbuf_conn_plain_args args = { .size = sizeof(args) };

	command(conn, request, &args, "conn command");
}

static void zeroize(void)
{
	plain(SECBUF_IOC_CONN_ZEROIZE);
}

static void reset(void)
{
	plain(SECBUF_IOC_CONN_RESET);
}

static bool is_gone(void)
{
	return (words[lent.out_id].state & SECBUF_SLOT_STATE_MASK) ==
	       SECBUF_SLOT_GONE;
}

/* Until the kernel has found that it is not used, or needed it. */
static void wait_gone(void)
{
	let_go(&lent);
	wait_until(is_gone, "nobody took the buffer");
}

static void give_back(void)
{
	struct secbuf_conn_shrink_args args = {
		.size = sizeof(args), .level = SECBUF_CONN_SHRINK_IDLE,
	};

	command(conn, SECBUF_IOC_CONN_SHRINK, &args, "CONN_SHRINK");
	if (args.out_bytes != SIZE)
		die("CONN_SHRINK");
}

static void shrink(void)
{
	let_go(&lent);
	give_back();
}

static void shrink_stream(void)
{
	ring_park();
	give_back();
}

/* Into a slot that is left as clean as it was. */
static void dequeue_copy(void)
{
	uint64_t id = slot_get();
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .packet.len = SIZE,
		.packet.ptr = (uintptr_t)(map + id * SIZE),
	};

	command(conn, SECBUF_IOC_CONN_DEQUEUE, &args, "CONN_DEQUEUE");
	wipe(map + id * SIZE, SIZE);
}

static void dequeue_move(void)
{
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .flags = SECBUF_CONN_F_MOVE,
	};

	command(conn, SECBUF_IOC_CONN_DEQUEUE, &args, "CONN_DEQUEUE");
	slot_put(args.packet.ptr);
}

static void read_stream(void)
{
	unsigned char buf[PAGE];

	for (size_t i = 0; i < SIZE; i += PAGE)
		if (read(ring[1], buf, PAGE) != PAGE)
			die("read");
	wipe(buf, sizeof(buf));
}

static const struct end conn_ends[] = {
	{ "release", zeroize }, { "revoke", zeroize }, { "reset", reset },
	{ "close", close_conn }, { "shrink", shrink }, { "idle", wait_gone },
	{ "pressure", wait_gone }, { }
};

static const struct end no_ends[] = { { } };

static const struct end packet_ends[] = {
	{ "release", zeroize }, { "revoke", zeroize }, { "reset", reset },
	{ "close", close_conn }, { "consume", dequeue_copy }, { }
};

static const struct end moved_ends[] = {
	{ "release", zeroize }, { "revoke", zeroize }, { "reset", reset },
	{ "close", close_conn }, { "consume", dequeue_move }, { }
};

static const struct end stream_ends[] = {
	{ "release", zeroize }, { "revoke", zeroize }, { "reset", reset },
	{ "close", close_conn }, { "consume", read_stream },
	{ "shrink", shrink_stream }, { }
};

const struct memory conn_memory = {
	"conn", conn_plant, descriptors, unmap, conn_ends,
};

const struct memory conns_memory = {
	"conns", conns_plant, pool_descriptor, unmap, no_ends,
};

const struct memory packet_memory = {
	"packet", packet_plant, descriptors, unmap, packet_ends,
};

const struct memory moved_memory = {
	"moved", moved_plant, descriptors, unmap, moved_ends,
};

const struct memory stream_memory = {
	"stream", stream_plant, stream_descriptors, unmap, stream_ends,
};
