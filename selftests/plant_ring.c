// SPDX-License-Identifier: GPL-2.0
/*
 * A secret in a ring, which this process has both ends of, or processes that it
 * has started. In the first half it has been published, in the second half not
 * yet, unless it is written by calls.
 */
#include "plant.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/secbuf.h>

struct ring_end {
	int				fd;
	bool				producer;
	unsigned char			*data;
	struct secbuf_ring_head		*head;
	struct secbuf_ring_tail		*tail;
};

static struct ring_end p = { .producer = true }, c;
static bool records;
static pid_t keepers[2];

static void map(struct ring_end *e)
{
	int own = PROT_READ | PROT_WRITE;

	e->data = mmap(NULL, 2 * SIZE, own, MAP_SHARED, e->fd,
		       SECBUF_RING_MMAP_DATA);
	e->head = mmap(NULL, e->producer ? PAGE : 2 * PAGE,
		       e->producer ? own : PROT_READ, MAP_SHARED, e->fd,
		       SECBUF_RING_MMAP_HEAD);
	e->tail = mmap(NULL, e->producer ? 2 * PAGE : PAGE,
		       e->producer ? PROT_READ : own, MAP_SHARED, e->fd,
		       SECBUF_RING_MMAP_TAIL);
	if (e->data == MAP_FAILED || e->head == MAP_FAILED ||
	    e->tail == MAP_FAILED)
		die("mmap");
}

static void unmap_end(struct ring_end *e)
{
	if (!e->data)
		return;
	munmap(e->data, 2 * SIZE);
	munmap(e->head, e->producer ? PAGE : 2 * PAGE);
	munmap(e->tail, e->producer ? 2 * PAGE : PAGE);
}

static void plain(int fd, unsigned long request)
{
	struct secbuf_ring_plain_args args = { .size = sizeof(args) };

	command(fd, request, &args, "ring command");
}

void ring_open(int *fds, bool records)
{
	struct secbuf_ring_create_args args = {
		.size = sizeof(args),
		.flags = SECBUF_RING_F_PASSABLE |
			 (records ? SECBUF_RING_F_RECORDS : 0),
		.ring_size = SIZE,
	};
	int dev = device_open();

	command(dev, SECBUF_IOC_RING_CREATE, &args, "RING_CREATE");
	close(dev);
	fds[0] = args.out_producer_fd;
	fds[1] = args.out_consumer_fd;
}

static void produce(void)
{
	p.head->state = SECBUF_RING_BUSY;
	secret_fill(p.data);
	__atomic_store_n(&p.head->head, SIZE / 2, __ATOMIC_RELEASE);
}

void ring_plant_unpublished(int producer)
{
	p.fd = producer;
	map(&p);
	p.head->state = SECBUF_RING_BUSY;
	secret_fill(p.data);
}

void ring_park(void)
{
	__atomic_store_n(&p.head->state, SECBUF_RING_PARKED, __ATOMIC_RELEASE);
}

/* A record for each page. */
static void produce_records(void)
{
	produce();
	for (size_t i = 0; i < SIZE; i += PAGE)
		*(volatile uint32_t *)(p.data + i) = PAGE - sizeof(uint32_t);
	__atomic_store_n(&p.head->head, SIZE, __ATOMIC_RELEASE);
}

/* The first half, as a program that zeroizes by itself. */
static void consume_half(void)
{
	wipe(c.data, SIZE / 2);
	__atomic_store_n(&c.tail->tail, SIZE / 2, __ATOMIC_RELEASE);
}

static void read_all(void)
{
	ssize_t len = records ? PAGE - sizeof(uint32_t) : PAGE;
	unsigned char buf[PAGE];

	for (size_t i = 0; i < SIZE; i += PAGE)
		if (read(c.fd, buf, PAGE) != len)
			die("read");
	wipe(buf, sizeof(buf));
}

static void keep_producer(void)
{
	plain(p.fd, SECBUF_IOC_RING_CLAIM);
	map(&p);
	produce();
}

static void keep_consumer(void)
{
	plain(c.fd, SECBUF_IOC_RING_CLAIM);
	map(&c);
	(void)*(volatile unsigned char *)c.data;
}

/* Who has which end, and by whom it is written, depending on what shall end. */
static void plant(const char *end)
{
	int fds[2];

	records = is(end, "record");
	ring_open(fds, records);
	p.fd = fds[0];
	c.fd = fds[1];
	if (is(end, "producer")) {
		keepers[0] = keeper(keep_producer);
		map(&c);
		/* What it had not published is the question. */
		consume_half();
	} else if (is(end, "consumer")) {
		keepers[0] = keeper(keep_consumer);
		map(&p);
		produce();
	} else if (is(end, "both") || is(end, "revoke")) {
		keepers[0] = keeper(keep_producer);
		keepers[1] = keeper(keep_consumer);
	} else if (is(end, "read") || is(end, "hangup")) {
		secret_write(p.fd);
	} else if (is(end, "scratch")) {
		map(&p);
		plain(c.fd, SECBUF_IOC_RING_CLOSE);
		produce();
	} else {
		map(&p);
		map(&c);
		if (records)
			produce_records();
		else
			produce();
		if (is(end, "unsent"))
			consume_half();
	}
}

static unsigned int descriptors(int *fds)
{
	fds[0] = p.fd;
	fds[1] = c.fd;
	return 2;
}

static void unmap(void)
{
	unmap_end(&p);
	unmap_end(&c);
}

static void close_all(void)
{
	unmap();
	close(p.fd);
	close(c.fd);
}

static void kill_keepers(void)
{
	for (int i = 0; i < 2 && keepers[i]; i++)
		keeper_kill(keepers[i]);
}

static void reset(void)
{
	plain(p.fd, SECBUF_IOC_RING_RESET);
}

/* What was not published goes the same way: nothing is left to be zeroized. */
static void consume(void)
{
	__atomic_store_n(&p.head->head, SIZE, __ATOMIC_RELEASE);
	read_all();
}

static void close_consumer(void)
{
	plain(c.fd, SECBUF_IOC_RING_CLOSE);
}

static void close_producer(void)
{
	plain(p.fd, SECBUF_IOC_RING_CLOSE);
}

/* Empty, but for what was not published. */
static void consume_and_park(void)
{
	consume_half();
	ring_park();
}

static void shrink(void)
{
	struct secbuf_ring_shrink_args args = { .size = sizeof(args) };

	consume_and_park();
	command(p.fd, SECBUF_IOC_RING_SHRINK, &args, "RING_SHRINK");
	if (args.out_bytes != SIZE)
		die("RING_SHRINK");
}

static bool has_no_memory(void)
{
	struct secbuf_ring_stats_args args = { .size = sizeof(args) };

	command(p.fd, SECBUF_IOC_RING_STATS, &args, "RING_STATS");
	return !args.out_bytes;
}

static void lose(void)
{
	consume_and_park();
	wait_until(has_no_memory, "nobody took the memory");
}

static const struct end ends[] = {
	{ "consume", consume }, { "read", read_all }, { "record", read_all },
	{ "shrink", shrink }, { "pressure", lose }, { "idle", lose },
	{ "reset", reset }, { "revoke", reset }, { "close", close_all },
	{ "hangup", close_consumer },
	{ "unsent", close_producer }, { "scratch", close_producer },
	{ "producer", kill_keepers }, { "consumer", kill_keepers },
	{ "both", kill_keepers }, { }
};

const struct memory ring_memory = {
	"ring", plant, descriptors, unmap, ends,
};
