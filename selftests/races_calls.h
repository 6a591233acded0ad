/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What meets in races_test: what there is before, what either side does, and
 * what must be so afterwards.
 */
#ifndef RACES_CALLS_H
#define RACES_CALLS_H

#include "secbuf_fixture.h"
#include "secbuf_conn.h"
#include "secbuf_limits.h"
#include "secbuf_ring.h"
#include "secbuf_touch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define SLOTS		32
#define SLOT_SIZE	512
#define NR		8

/* What a round is about. */
struct world {
	int		dev;
	struct pool	pool;
	struct ring	ring;
	int		conn;
	int		socks[2];
	__u64		ids[SLOTS];
	int		granted;
	int		done[2];	/* what either counted */
};

/* Returns a negative error that must not be, or not. */
typedef int (*side_fn)(struct world *w);

struct race {
	const char	*name;
	int		(*prepare)(struct world *w);
	side_fn		sides[2];
	int		(*check)(struct world *w);
};

/* Which errors the loser may get. */
static int only(int ret, int a, int b, int c)
{
	return ret >= 0 || ret == a || ret == b || ret == c ? 0 : ret;
}

static int unmap_pool(struct world *w)
{
	unsigned char *map = w->pool.map;

	w->pool.map = NULL;
	return munmap(map, w->pool.map_size) ? -errno : 0;
}

static void world_open(struct world *w, int dev)
{
	memset(w, 0, sizeof(*w));
	w->dev = dev;
	w->pool.fd = -1;
	w->conn = -1;
	w->socks[0] = -1;
	w->socks[1] = -1;
	w->ring.p.fd = -1;
	w->ring.c.fd = -1;
}

static void world_close(struct world *w)
{
	if (w->ring.p.data)
		ring_end_unmap(&w->ring.p);
	if (w->ring.c.data)
		ring_end_unmap(&w->ring.c);
	if (w->pool.map)
		unmap_pool(w);
	if (w->conn >= 0)
		close(w->conn);
	for (int i = 0; i < 2; i++)
		if (w->socks[i] >= 0)
			close(w->socks[i]);
	if (w->ring.p.fd >= 0)
		close(w->ring.p.fd);
	if (w->ring.c.fd >= 0)
		close(w->ring.c.fd);
	if (w->pool.fd >= 0)
		close(w->pool.fd);
}

static int make_pool(struct world *w)
{
	return pool_open_flags(&w->pool, w->dev, SLOT_SIZE, SLOTS,
			       SECBUF_POOL_F_PASSABLE);
}

static int make_slots(struct world *w)
{
	int ret = make_pool(w);

	if (ret)
		return ret;
	w->granted = pool_alloc(w->pool.fd, w->ids, NR);
	return w->granted == NR ? 0 : -ENODATA;
}

static int make_held(struct world *w)
{
	struct secbuf_pool_create_args args;
	int ret = kpool_create(w->dev, SLOT_SIZE, 0, SLOTS, &args);

	if (ret)
		return ret;
	w->pool.fd = args.out_fd;
	w->granted = pool_alloc(w->pool.fd, w->ids, NR);
	return w->granted == NR ? 0 : -ENODATA;
}

static int make_conn(struct world *w)
{
	int ret = make_slots(w);

	if (ret)
		return ret;
	w->conn = conn_create(w->dev, w->pool.fd);
	return w->conn < 0 ? w->conn : 0;
}

static int make_ring(struct world *w)
{
	unsigned char bytes[PAGE / 2] = { 1 };
	int ret = ring_open(&w->ring, w->dev, PAGE, 0);

	return ret ?: ring_put(&w->ring.p, bytes, sizeof(bytes)) ? 0 : -EIO;
}

static int make_stream(struct world *w)
{
	struct secbuf_conn_stream_args args = { .size = sizeof(args) };
	int ret = make_conn(w) ?: ring_open(&w->ring, w->dev, PAGE, 0);

	args.ring_fd = w->ring.p.fd;
	return ret ?: secbuf_ioctl(w->conn, SECBUF_IOC_CONN_STREAM_ADD, &args);
}

/* With packets, and a socket that takes them. */
static int make_packets(struct world *w)
{
	unsigned char bytes[64] = { 1 };
	int ret = make_conn(w);

	for (int i = 0; i < NR / 2 && !ret; i++)
		ret = conn_enqueue(w->conn, bytes, sizeof(bytes));
	if (!ret &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w->socks))
		ret = -errno;
	return ret;
}

/*
 * Sides
 */

static int close_it(int *fd)
{
	int old = *fd;

	*fd = -1;
	return close(old) ? -errno : 0;
}

static int close_pool(struct world *w)
{
	return close_it(&w->pool.fd);
}

static int destroy_pool(struct world *w)
{
	return close_pool(w) ?: unmap_pool(w);
}

static int close_conn(struct world *w)
{
	return close_it(&w->conn);
}

static int alloc_some(struct world *w)
{
	__u64 ids[NR];
	int ret = pool_alloc(w->pool.fd, ids, NR);

	w->done[1] += ret > 0 ? ret : 0;
	return only(ret, -EBADF, -ENOSPC, 0);
}

static int alloc_and_write(struct world *w)
{
	__u64 ids[NR];
	int ret = pool_alloc(w->pool.fd, ids, NR);

	for (int i = 0; i < ret; i++) {
		if (count_not(pool_slot(&w->pool, ids[i]), 0, SLOT_SIZE))
			return -EILSEQ;
		memset(pool_slot(&w->pool, ids[i]), 0x5a, SLOT_SIZE);
	}
	return ret < 0 ? only(ret, -ENOSPC, 0, 0) :
			 pool_free(w->pool.fd, ids, ret) == ret ? 0 : -EIO;
}

static int shrink(struct world *w)
{
	return only(pool_shrink(w->pool.fd, SLOTS), -EBADF, 0, 0);
}

static int free_all_but_one(struct world *w, int side)
{
	int ret;

	for (int i = 0; i < NR; i++) {
		ret = pool_free(w->pool.fd, &w->ids[i], 1);
		/* EBUSY: it is in the queue of a conn. */
		if (ret < 0 && only(ret, -ENOENT, -EBADF, -EBUSY))
			return ret;
		w->done[side] += ret == 1;
	}
	return 0;
}

static int free_left(struct world *w)
{
	return free_all_but_one(w, 0);
}

static int free_right(struct world *w)
{
	return free_all_but_one(w, 1);
}

/* A thread that frees, and is not there any more when its call has returned. */
static void *free_and_exit(void *arg)
{
	free_left(arg);
	syscall(SYS_exit, 0);
	return NULL;
}

static int free_by_a_thread(struct world *w)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, free_and_exit, w))
		return -EAGAIN;
	pthread_join(thread, NULL);
	return 0;
}

static int map_it(struct world *w)
{
	size_t size = PAGE * (SLOTS * SLOT_SIZE / PAGE);
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 w->pool.fd, 0);

	if (map == MAP_FAILED)
		return only(-errno, -EBADF, -EBUSY, -ENODEV);
	return munmap(map, size) ? -errno : 0;
}

static int unmap_and_map(struct world *w)
{
	return unmap_pool(w) ?: map_it(w);
}

/* Bytes, SIGBUS or SIGSEGV, but nothing else. */
static int touch_all(struct world *w)
{
	unsigned char *map = w->pool.map;

	for (int i = 0; i < SLOTS && map; i++)
		touch(map + i * SLOT_SIZE, true);
	return 0;
}

static int attach(struct world *w)
{
	int fd = pool_attach(w->pool.fd);

	if (fd >= 0)
		close(fd);
	return only(fd, -EBADF, 0, 0);
}

static int read_held(struct world *w)
{
	unsigned char bytes[SLOT_SIZE];
	int ret = 0;

	for (int i = 0; i < NR && !ret; i++)
		ret = only(pool_read(w->pool.fd, w->ids[i], 0, bytes,
				     sizeof(bytes)), -EBADF, -ENOENT, 0);
	return ret;
}

static int write_held(struct world *w)
{
	unsigned char bytes[SLOT_SIZE] = { 1 };
	int ret = 0;

	for (int i = 0; i < NR && !ret; i++)
		ret = only(pool_write(w->pool.fd, w->ids[i], 0, bytes,
				      sizeof(bytes)), -EBADF, -ENOENT, 0);
	return ret;
}

static int make_a_conn(struct world *w)
{
	int fd = conn_create(w->dev, w->pool.fd);

	if (fd >= 0)
		close(fd);
	return only(fd, -EBADF, 0, 0);
}

static int conn_buffers(struct world *w)
{
	struct secbuf_conn_buffer_args args;
	int ret = conn_buffer(w->conn, SECBUF_CONN_BUFFER_READ, &args);

	ret = ret ?: conn_buffer(w->conn, SECBUF_CONN_BUFFER_WRITE, &args);
	return only(ret, -EBADF, 0, 0);
}

static int conn_zero(struct world *w)
{
	return only(conn_zeroize(w->conn), -EBADF, 0, 0);
}

static int conn_give_back(struct world *w)
{
	return only(conn_shrink(w->conn, SECBUF_CONN_SHRINK_IDLE), -EBADF, 0,
		    0);
}

static int enqueue(struct world *w)
{
	unsigned char bytes[64] = { 1 };

	for (int i = 0; i < NR; i++) {
		int ret = conn_enqueue(w->conn, bytes, sizeof(bytes));

		if (ret < 0)
			return only(ret, -EBADF, -ENOSPC, 0);
	}
	return 0;
}

static int enqueue_slots(struct world *w)
{
	for (int i = 0; i < NR; i++) {
		int ret = conn_enqueue_slot(w->conn, w->ids[i], 64);

		w->done[0] += !ret;
		if (ret < 0 && only(ret, -EBADF, -ENOENT, -EBUSY))
			return ret;
	}
	return 0;
}

static int dequeue(struct world *w)
{
	unsigned char bytes[64];

	for (int i = 0; i < NR; i++) {
		int ret = conn_dequeue(w->conn, bytes, sizeof(bytes));

		if (ret < 0)
			return only(ret, -EBADF, -EAGAIN, 0);
	}
	return 0;
}

static int stream_again(struct world *w)
{
	struct secbuf_conn_stream_args args = {
		.size = sizeof(args), .ring_fd = w->ring.p.fd,
	};
	int ret = secbuf_ioctl(w->conn, SECBUF_IOC_CONN_STREAM_DEL, &args);

	if (!ret)
		ret = secbuf_ioctl(w->conn, SECBUF_IOC_CONN_STREAM_ADD, &args);
	/* ENOENT: CONN_ZEROIZE was first; it reset the ring. */
	return ret == -ENOENT ? 0 : only(ret, -EBADF, -ESHUTDOWN, -EINVAL);
}

static int reset_stream(struct world *w)
{
	return only(ring_reset(w->ring.p.fd), -EBADF, 0, 0);
}

static int send_packets(struct world *w)
{
	struct secbuf_conn_send_args args = {
		.size = sizeof(args), .sock_fd = w->socks[0],
	};
	int ret = secbuf_ioctl(w->conn, SECBUF_IOC_CONN_SEND, &args);

	/* EBUSY: another thread sends. */
	return only(ret, -EBADF, -EAGAIN, -EBUSY);
}

static int map_words(struct world *w)
{
	size_t size = (SLOTS * WORD_SIZE + PAGE - 1) & ~(PAGE - 1);
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 w->pool.fd, SECBUF_POOL_MMAP_WORDS);

	if (map == MAP_FAILED)
		return only(-errno, -EBADF, -EBUSY, 0);
	for (size_t i = 0; i < SLOTS * WORD_SIZE; i += 8)
		touch((unsigned char *)map + i, true);
	return munmap(map, size) ? -errno : 0;
}

/* Reads a file of counters to its end; one that is not there has none. */
static void look_at_file(const char *dir, const char *name)
{
	char path[64], text[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		;
	if (fd >= 0)
		close(fd);
}

static void look_at_fdinfo(int fd)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", fd);
	look_at_file("/proc/self/fdinfo", name);
}

static int look_at_pool(struct world *w)
{
	struct secbuf_pool_stats_args stats;

	look_at_fdinfo(w->pool.fd);
	look_at_file("/sys/kernel/debug/secbuf", "pools");
	return only(pool_stats(w->pool.fd, &stats), -EBADF, 0, 0);
}

static int look_at_ring(struct world *w)
{
	struct secbuf_ring_stats_args stats;

	look_at_fdinfo(w->ring.c.fd);
	look_at_file("/sys/kernel/debug/secbuf", "rings");
	return only(ring_stats(w->ring.p.fd, &stats), -EBADF, 0, 0);
}

static int look_at_queue(struct world *w)
{
	struct secbuf_conn_stats_args stats;

	look_at_fdinfo(w->conn);
	look_at_file("/sys/kernel/debug/secbuf", "conns");
	return only(conn_stats(w->conn, &stats), -EBADF, 0, 0);
}

static int look_at_conn(struct world *w)
{
	struct secbuf_conn_stats_args stats;
	int ret = conn_stats(w->conn, &stats) ?: conn_touch(w->conn);

	return only(ret, -EBADF, 0, 0);
}

static int reset_conn(struct world *w)
{
	return only(conn_reset(w->conn), -EBADF, 0, 0);
}

/*
 * Of a ring. Who comes too late finds it closed, reset, or its other end gone.
 */

static int late(int ret)
{
	if (ret == -ESHUTDOWN || ret == -EPIPE || ret == -EBUSY ||
	    ret == -EAGAIN || ret == -ETIMEDOUT)
		return 0;
	return only(ret, -EBADF, 0, 0);
}

static int write_ring(struct world *w)
{
	static const unsigned char bytes[PAGE / 4] = { 1 };

	return late(write(w->ring.p.fd, bytes, sizeof(bytes)) < 0 ? -errno : 0);
}

static int read_ring(struct world *w)
{
	unsigned char bytes[PAGE / 2];

	return late(read(w->ring.c.fd, bytes, sizeof(bytes)) < 0 ? -errno : 0);
}

static int wait_ring(struct world *w)
{
	return late(ring_wait(w->ring.p.fd, PAGE, MS));
}

static int poll_ring(struct world *w)
{
	struct pollfd polls[] = {
		{ w->ring.p.fd, POLLOUT, 0 }, { w->ring.c.fd, POLLIN, 0 },
	};

	return poll(polls, 2, 1) < 0 ? -errno : 0;
}

static int touch_ring(struct world *w)
{
	for (size_t i = 0; i < 2 * PAGE; i += PAGE / 4) {
		touch(w->ring.p.data + i, true);
		touch(w->ring.c.data + i, false);
	}
	touch((unsigned char *)w->ring.p.head, true);
	touch((unsigned char *)w->ring.c.tail, true);
	return 0;
}

static int map_ring(struct world *w)
{
	void *map = ring_mmap(w->ring.p.fd, 2 * PAGE, true,
			      SECBUF_RING_MMAP_DATA);

	if (map == MAP_FAILED)
		return errno == ENODEV || errno == EBUSY ? 0 : late(-errno);
	return munmap(map, 2 * PAGE) ? -errno : 0;
}

static int shrink_ring(struct world *w)
{
	long ret = ring_shrink(w->ring.c.fd);

	return late(ret < 0 ? ret : 0);
}

static int reset_ring(struct world *w)
{
	return late(ring_reset(w->ring.p.fd));
}

static int hang_up_producer(struct world *w)
{
	return late(ring_hangup(w->ring.p.fd));
}

static int hang_up_consumer(struct world *w)
{
	return late(ring_hangup(w->ring.c.fd));
}

static int close_rings(struct world *w)
{
	return close_it(&w->ring.p.fd) ?: close_it(&w->ring.c.fd);
}

/*
 * What must be afterwards
 */

static int each_went_once(struct world *w)
{
	return w->done[0] + w->done[1] == NR ? 0 : -EDOM;
}

static int no_more_than_there_are(struct world *w)
{
	struct secbuf_pool_stats_args stats;

	if (pool_stats(w->pool.fd, &stats) || stats.out_in_use > SLOTS)
		return -EDOM;
	return 0;
}

#endif /* RACES_CALLS_H */
