// SPDX-License-Identifier: GPL-2.0
/*
 * soak_user held|mapped|conn|ring SEED: create, use, destroy, again and again, until
 * SIGTERM; then exit with 0. Limits and a lack of memory are part of life,
 * anything else that is not as it must be is told and exit 1. Prints "ready"
 * when it has the device open, which it keeps.
 *
 * The random numbers decide only what is done, so rand() will do.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include <linux/secbuf.h>

#define PAGE		4096UL
#define NR		48
#define NR_MEMBERS	4
#define ROUNDS		200

static volatile sig_atomic_t stop;
static int dev;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "soak_user: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, " (%s)\n", strerror(errno));
	exit(1);
}

/* Returns out_done, or 0 if there was too little of something. */
static unsigned int call(const char *name, int fd, unsigned long command,
			 void *args, const __u32 *out_done)
{
	if (!ioctl(fd, command, args))
		return out_done ? *out_done : 1;
	if (errno != ENOMEM && errno != ENOSPC && errno != EDQUOT &&
	    errno != EINTR && errno != ENFILE)
		fail("%s", name);
	return 0;
}

static int create_pool(__u32 flags, struct secbuf_pool_create_args *args)
{
	memset(args, 0, sizeof(*args));
	args->size = sizeof(*args);
	args->flags = flags;
	args->slot_size = 64 + rand() % 12000;
	args->max_slots = NR - rand() % 8;
	if (!(flags & SECBUF_POOL_F_MAPPED))
		args->min_slots = rand() % 8;
	if (!call("POOL_CREATE", dev, SECBUF_IOC_POOL_CREATE, args, NULL))
		return -1;
	return args->out_fd;
}

static unsigned int grant(int fd, __u64 *ids, unsigned int nr)
{
	struct secbuf_pool_alloc_args args = {
		.size = sizeof(args), .ids_ptr = (uintptr_t)ids, .nr = nr,
	};

	return call("POOL_ALLOC", fd, SECBUF_IOC_POOL_ALLOC, &args,
		    &args.out_done);
}

static void take_back(int fd, const __u64 *ids, unsigned int nr)
{
	unsigned int done;

	for (; nr; nr -= done, ids += done) {
		struct secbuf_pool_free_args args = {
			.size = sizeof(args), .ids_ptr = (uintptr_t)ids,
			.nr = nr,
		};

		done = call("POOL_FREE", fd, SECBUF_IOC_POOL_FREE, &args,
			    &args.out_done);
		if (!done)
			fail("POOL_FREE took nothing");
	}
}

static unsigned int copy(const char *name, int fd, unsigned long command,
			 __u64 id, void *buf, unsigned int len)
{
	struct secbuf_pool_vec vec = {
		.id = id, .len = len, .buf_ptr = (uintptr_t)buf,
	};
	struct secbuf_pool_copy_args args = {
		.size = sizeof(args), .vecs_ptr = (uintptr_t)&vec, .nr = 1,
	};

	return call(name, fd, command, &args, &args.out_done);
}

static void must_be(const char *what, const unsigned char *p, int value,
		    size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != value)
			fail("%s: byte %zu is %#x, not %#x", what, i, p[i],
			     value);
}

/* A buffer comes zero and keeps what is written. */
static void use_held(int fd, __u64 id, size_t size)
{
	static unsigned char bytes[1 << 16];
	size_t len = 1 + rand() % size;
	int value = rand() % 256;

	if (!copy("POOL_READ", fd, SECBUF_IOC_POOL_READ, id, bytes, size))
		return;
	must_be("new buffer", bytes, 0, size);
	memset(bytes, value, len);
	if (!copy("POOL_WRITE", fd, SECBUF_IOC_POOL_WRITE, id, bytes, len))
		return;
	memset(bytes, ~value, len);
	if (copy("POOL_READ", fd, SECBUF_IOC_POOL_READ, id, bytes, len))
		must_be("buffer", bytes, value, len);
}

static void use_mapped(unsigned char *slot, size_t size)
{
	must_be("new slot", slot, 0, size);
	memset(slot, rand() % 256, size);
}

/* One of several descriptors of a pool, and now and then another in its place. */
static int pick_member(int fds[], int nr)
{
	struct secbuf_pool_attach_args args = { .size = sizeof(args) };
	int i = rand() % nr;

	if (i && rand() % 4 == 0 && call("POOL_ATTACH", fds[0],
					 SECBUF_IOC_POOL_ATTACH, &args, NULL)) {
		close(fds[i]);
		fds[i] = args.out_fd;
	}
	return fds[i] < 0 ? fds[0] : fds[i];
}

static void use_pool(__u32 flags)
{
	struct secbuf_pool_create_args pool;
	unsigned char *map = NULL;
	int fds[NR_MEMBERS] = { -1, -1, -1, -1 };
	int fd, nr_members = 1;
	__u64 ids[NR];

	if (flags & SECBUF_POOL_F_MAPPED && rand() % 2) {
		flags |= SECBUF_POOL_F_PASSABLE;
		nr_members = NR_MEMBERS;
	}
	if (flags & SECBUF_POOL_F_MAPPED && rand() % 4 == 0)
		flags |= SECBUF_POOL_F_GUARD;
	fd = create_pool(flags, &pool);
	if (fd < 0)
		return;
	fds[0] = fd;
	if (flags & SECBUF_POOL_F_MAPPED) {
		map = mmap(NULL, pool.out_mmap_size, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			fail("mmap");
	}
	for (int round = 0; round < ROUNDS && !stop; round++) {
		int member = pick_member(fds, nr_members);
		unsigned int nr = grant(member, ids, 1 + rand() % NR);

		for (unsigned int i = 0; i < nr; i++) {
			if (map)
				use_mapped(map + ids[i] * pool.out_stride,
					   pool.out_slot_size);
			else
				use_held(fd, ids[i], pool.slot_size);
		}
		/* Now and then the end comes with slots out. */
		if (round < ROUNDS - 1)
			take_back(member, ids, nr);
	}
	if (map)
		munmap(map, pool.out_mmap_size);
	for (int i = 0; i < NR_MEMBERS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

struct conns {
	struct secbuf_pool_create_args pool;
	int		fd;
	unsigned char	*map;
	volatile struct secbuf_slot_word *words;
	int		nr;
	int		fds[NR / 4];
	int		sockets[2];
};

/* A full queue, an empty one and a full socket are part of life, too. */
static int conn_call(const char *name, int fd, unsigned long command,
		     void *args)
{
	if (!ioctl(fd, command, args))
		return 1;
	if (errno != ENOMEM && errno != ENOSPC && errno != EDQUOT &&
	    errno != EINTR && errno != EAGAIN && errno != ENOBUFS &&
	    errno != EOVERFLOW && errno != EMSGSIZE)
		fail("%s", name);
	return 0;
}

static unsigned char *conn_slot(const struct conns *c, __u64 id)
{
	if (id >= c->pool.out_max_slots)
		fail("slot %llu", (unsigned long long)id);
	return c->map + id * c->pool.out_stride;
}

/*
 * A buffer that is busy keeps what is written, and is given up or not. Nobody
 * else of this program has it meanwhile.
 */
static void conn_use_buffer(const struct conns *c, int conn)
{
	struct secbuf_conn_buffer_args args = {
		.size = sizeof(args), .which = rand() % SECBUF_CONN_BUFFER_NR,
	};
	volatile struct secbuf_slot_word *word;
	size_t size = c->pool.out_slot_size;
	int value = rand() % 256;
	unsigned char *p;
	__u32 state;

	if (!conn_call("CONN_BUFFER", conn, SECBUF_IOC_CONN_BUFFER, &args))
		return;
	p = conn_slot(c, args.out_id);
	word = &c->words[args.out_id];
	if (word->state != args.out_word)
		fail("word is %#x, not %#x", word->state, args.out_word);
	memset(p, value, size);
	word->used = rand() % size;
	must_be("busy buffer", p, value, size);
	if (rand() % 2)
		return;
	state = (args.out_word & ~SECBUF_SLOT_STATE_MASK) | SECBUF_SLOT_IDLE;
	__atomic_store_n(&word->state, state, __ATOMIC_RELEASE);
	if (rand() % 2 &&
	    __atomic_compare_exchange_n(&word->state, &state, args.out_word, 0,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		must_be("buffer again", p, value, size);
}

/* Packets are of one value each. */
static void conn_put(const struct conns *c, int conn)
{
	struct secbuf_conn_queue_args args = { .size = sizeof(args) };
	static unsigned char bytes[1 << 14];
	int value = rand() % 256;
	__u64 id;

	args.packet.len = 1 + rand() % c->pool.out_slot_size;
	if (rand() % 2) {
		memset(bytes, value, args.packet.len);
		args.packet.ptr = (uintptr_t)bytes;
		conn_call("CONN_ENQUEUE", conn, SECBUF_IOC_CONN_ENQUEUE, &args);
		return;
	}
	if (!grant(c->fd, &id, 1))
		return;
	must_be("new slot", conn_slot(c, id), 0, c->pool.out_slot_size);
	memset(conn_slot(c, id), value, args.packet.len);
	args.flags = SECBUF_CONN_F_MOVE;
	args.packet.ptr = id;
	if (!conn_call("CONN_ENQUEUE", conn, SECBUF_IOC_CONN_ENQUEUE, &args)) {
		must_be("refused packet", conn_slot(c, id),
			conn_slot(c, id)[0], args.packet.len);
		take_back(c->fd, &id, 1);
	}
}

static void conn_take(const struct conns *c, int conn)
{
	struct secbuf_conn_queue_args args = { .size = sizeof(args) };
	static unsigned char bytes[1 << 14];

	if (rand() % 2) {
		args.packet.ptr = (uintptr_t)bytes;
		args.packet.len = sizeof(bytes);
		if (conn_call("CONN_DEQUEUE", conn, SECBUF_IOC_CONN_DEQUEUE,
			      &args))
			must_be("packet", bytes, bytes[0], args.packet.len);
		return;
	}
	args.flags = SECBUF_CONN_F_MOVE;
	if (conn_call("CONN_DEQUEUE", conn, SECBUF_IOC_CONN_DEQUEUE, &args)) {
		unsigned char *p = conn_slot(c, args.packet.ptr);

		must_be("moved packet", p, p[0], args.packet.len);
		take_back(c->fd, (const __u64 *)&args.packet.ptr, 1);
	}
}

/* To nobody: now and then the socket is emptied. */
static void conn_drain(const struct conns *c, int conn)
{
	struct secbuf_conn_send_args args = {
		.size = sizeof(args), .sock_fd = c->sockets[0],
		.max_packets = rand() % 4,
	};
	static char bytes[1 << 16];

	conn_call("CONN_SEND", conn, SECBUF_IOC_CONN_SEND, &args);
	if (rand() % 4 == 0)
		while (recv(c->sockets[1], bytes, sizeof(bytes),
			    MSG_DONTWAIT) > 0)
			;
}

static void conn_tidy(int conn)
{
	struct secbuf_conn_plain_args plain = { .size = sizeof(plain) };
	struct secbuf_conn_shrink_args shrink = {
		.size = sizeof(shrink), .level = rand() % 2,
	};
	struct secbuf_conn_stats_args stats = { .size = sizeof(stats) };

	switch (rand() % 8) {
	case 0:
		conn_call("CONN_ZEROIZE", conn, SECBUF_IOC_CONN_ZEROIZE,
			  &plain);
		break;
	case 1:
		conn_call("CONN_RESET", conn, SECBUF_IOC_CONN_RESET, &plain);
		break;
	case 2:
		conn_call("CONN_TOUCH", conn, SECBUF_IOC_CONN_TOUCH, &plain);
		break;
	case 3:
		conn_call("CONN_SHRINK", conn, SECBUF_IOC_CONN_SHRINK,
			  &shrink);
		break;
	default:
		conn_call("CONN_STATS", conn, SECBUF_IOC_CONN_STATS, &stats);
		if (stats.out_total.used > stats.out_total.allocated)
			fail("%llu bytes used of %llu",
			     (unsigned long long)stats.out_total.used,
			     (unsigned long long)stats.out_total.allocated);
	}
}

static void conn_stream(int conn)
{
	struct secbuf_ring_create_args ring = {
		.size = sizeof(ring), .ring_size = PAGE,
	};
	struct secbuf_conn_stream_args args = { .size = sizeof(args) };

	if (!call("RING_CREATE", dev, SECBUF_IOC_RING_CREATE, &ring, NULL))
		return;
	args.ring_fd = ring.out_producer_fd;
	if (conn_call("CONN_STREAM_ADD", conn, SECBUF_IOC_CONN_STREAM_ADD,
		      &args) && write(ring.out_producer_fd, "stream", 6) != 6 &&
	    errno != ENOMEM)
		fail("write of a stream");
	/* In whatever order they end. */
	if (rand() % 2)
		conn_tidy(conn);
	close(ring.out_producer_fd);
	close(ring.out_consumer_fd);
}

static int conns_open(struct conns *c)
{
	c->fd = create_pool(SECBUF_POOL_F_MAPPED, &c->pool);
	if (c->fd < 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, c->sockets))
		fail("socketpair");
	c->map = mmap(NULL, c->pool.out_mmap_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED, c->fd, 0);
	c->words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
			SECBUF_POOL_MMAP_WORDS);
	if (c->map == MAP_FAILED || c->words == MAP_FAILED)
		fail("mmap");
	for (c->nr = 0; c->nr < NR / 4; c->nr++) {
		struct secbuf_conn_create_args args = {
			.size = sizeof(args), .pool_fd = c->fd,
			.max_packets = 1 + rand() % 8,
			.idle_ms = 1 + rand() % 200,
		};

		if (!call("CONN_CREATE", dev, SECBUF_IOC_CONN_CREATE, &args,
			  NULL))
			break;
		c->fds[c->nr] = args.out_fd;
	}
	return 1;
}

static void conns_close(struct conns *c)
{
	munmap(c->map, c->pool.out_mmap_size);
	munmap((void *)c->words, PAGE);
	close(c->fd);
	while (c->nr--)
		close(c->fds[c->nr]);
	close(c->sockets[0]);
	close(c->sockets[1]);
}

static void use_conns(void)
{
	struct conns c;

	if (!conns_open(&c))
		return;
	for (int round = 0; c.nr && round < ROUNDS && !stop; round++) {
		int conn = c.fds[rand() % c.nr];

		switch (rand() % 8) {
		case 0:
		case 1:
			conn_use_buffer(&c, conn);
			break;
		case 2:
		case 3:
			conn_put(&c, conn);
			break;
		case 4:
			conn_take(&c, conn);
			break;
		case 5:
			conn_drain(&c, conn);
			break;
		case 6:
			if (rand() % 8 == 0)
				conn_stream(conn);
			break;
		default:
			conn_tidy(conn);
		}
	}
	conns_close(&c);
}

/* A ring, both ends mapped, and the bytes that went through it. */
struct ring {
	int				fds[2];
	__u32				flags;
	__u64				size;
	unsigned char			*data;
	struct secbuf_ring_head		*head;
	struct secbuf_ring_tail		*tail;
	__u64				written;
	__u64				read;
};

static unsigned char ring_byte(__u64 at)
{
	return at * 2654435761U >> 13;
}

static void ring_check(const struct ring *r, const unsigned char *buf,
		       size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != ring_byte(r->read + i))
			fail("ring: byte %llu is not as it was written",
			     (unsigned long long)r->read + i);
}

/* As call(), and it may not be the moment for it. */
static unsigned int ring_call(const char *name, int fd, unsigned long command,
			      void *args)
{
	if (!ioctl(fd, command, args))
		return 1;
	if (errno != EBUSY && errno != ETIMEDOUT && errno != EINTR)
		fail("%s", name);
	return 0;
}

static void ring_write(struct ring *r)
{
	static unsigned char buf[1 << 16];
	size_t len = 1 + rand() % r->size;
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		buf[i] = ring_byte(r->written + i);
	n = write(r->fds[0], buf, len);
	if (n > 0)
		r->written += n;
	else if (errno != EAGAIN && errno != EMSGSIZE && errno != ENOMEM &&
		 errno != EINTR)
		fail("write to a ring");
}

static void ring_read(struct ring *r)
{
	static unsigned char buf[1 << 16];
	ssize_t n;

	n = read(r->fds[1], buf, 1 + rand() % r->size);
	if (n > 0) {
		ring_check(r, buf, n);
		r->read += n;
	} else if (errno != EAGAIN && errno != EMSGSIZE && errno != EINTR) {
		fail("read from a ring");
	}
}

static void ring_unpark(struct ring *r)
{
	struct secbuf_ring_plain_args args = { .size = sizeof(args) };
	__u32 parked = SECBUF_RING_PARKED;

	if (r->head->state != SECBUF_RING_BUSY &&
	    !__atomic_compare_exchange_n(&r->head->state, &parked,
					 SECBUF_RING_BUSY, 0, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		ring_call("RING_UNPARK", r->fds[0], SECBUF_IOC_RING_UNPARK,
			  &args);
}

/* In the mapping, and the memory goes whenever it may. */
static void ring_put(struct ring *r)
{
	__u64 head = r->head->head, space = r->size - (head - r->tail->tail);
	__u64 len = space ? rand() % space : 0;

	ring_unpark(r);
	for (__u64 i = 0; i < len; i++)
		r->data[(head + i) & (r->size - 1)] = ring_byte(r->written + i);
	r->written += len;
	__atomic_store_n(&r->head->head, head + len, __ATOMIC_RELEASE);
	if (rand() % 2)
		__atomic_store_n(&r->head->state, SECBUF_RING_PARKED,
				 __ATOMIC_RELEASE);
}

static void ring_get(struct ring *r)
{
	__u64 tail = r->tail->tail, used = r->head->head - tail;
	__u64 len = used ? 1 + rand() % used : 0;
	unsigned char *at = r->data + (tail & (r->size - 1));

	ring_check(r, at, len);
	memset(at, 0, len);
	r->read += len;
	__atomic_store_n(&r->tail->tail, tail + len, __ATOMIC_RELEASE);
}

static void ring_ask(struct ring *r)
{
	struct secbuf_ring_shrink_args shrink = { .size = sizeof(shrink) };
	struct secbuf_ring_stats_args stats = { .size = sizeof(stats) };
	struct secbuf_ring_notify_args wait = {
		.size = sizeof(wait), .flags = SECBUF_RING_NOTIFY_F_WAIT,
		.min = 1 + rand() % r->size,
		.timeout_ns = rand() % 2 ? 0 : 1000000,
	};
	int fd = r->fds[rand() % 2];

	if (rand() % 2)
		ring_call("RING_SHRINK", fd, SECBUF_IOC_RING_SHRINK, &shrink);
	if (rand() % 4 == 0)
		ring_call("RING_NOTIFY", fd, SECBUF_IOC_RING_NOTIFY, &wait);
	if (rand() % 4 == 0)
		ring_call("RING_STATS", fd, SECBUF_IOC_RING_STATS, &stats);
}

static int ring_create(struct ring *r)
{
	struct secbuf_ring_create_args args = {
		.size = sizeof(args),
		.flags = SECBUF_RING_F_PASSABLE |
			 (rand() % 4 ? 0 : SECBUF_RING_F_RECORDS) |
			 (rand() % 4 ? 0 : SECBUF_RING_F_POPULATE),
		.ring_size = PAGE << rand() % 5,
	};

	if (!call("RING_CREATE", dev, SECBUF_IOC_RING_CREATE, &args, NULL))
		return 0;
	memset(r, 0, sizeof(*r));
	r->fds[0] = args.out_producer_fd;
	r->fds[1] = args.out_consumer_fd;
	r->flags = args.flags;
	r->size = args.ring_size;
	for (int i = 0; i < 2; i++)
		fcntl(r->fds[i], F_SETFL, O_NONBLOCK);
	r->data = mmap(NULL, 2 * r->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       r->fds[0], SECBUF_RING_MMAP_DATA);
	r->head = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       r->fds[0], SECBUF_RING_MMAP_HEAD);
	r->tail = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       r->fds[1], SECBUF_RING_MMAP_TAIL);
	if (r->data == MAP_FAILED || r->head == MAP_FAILED ||
	    r->tail == MAP_FAILED)
		fail("mmap of a ring");
	return 1;
}

/* A child takes an end, uses it, and is killed or exits. */
static void ring_leave(struct ring *r)
{
	struct secbuf_ring_plain_args args = { .size = sizeof(args) };
	int which = rand() % 2;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (!ioctl(r->fds[which], SECBUF_IOC_RING_CLAIM, &args))
			(which ? ring_read : ring_write)(r);
		if (rand() % 2)
			_exit(0);
		raise(SIGKILL);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void ring_end(struct ring *r)
{
	struct secbuf_ring_plain_args args = { .size = sizeof(args) };

	if (rand() % 4 == 0)
		ring_call("RING_RESET", r->fds[0], SECBUF_IOC_RING_RESET, &args);
	else if (rand() % 4 == 0)
		ring_call("RING_CLOSE", r->fds[rand() % 2],
			  SECBUF_IOC_RING_CLOSE, &args);
	munmap(r->data, 2 * r->size);
	munmap(r->head, PAGE);
	munmap(r->tail, PAGE);
	if (rand() % 8 == 0)
		ring_leave(r);
	close(r->fds[0]);
	close(r->fds[1]);
}

static void use_ring(void)
{
	struct ring r;

	if (!ring_create(&r))
		return;
	for (int round = 0; round < ROUNDS && !stop; round++) {
		int mapped = !(r.flags & SECBUF_RING_F_RECORDS) && rand() % 2;

		if (rand() % 2)
			(mapped ? ring_put : ring_write)(&r);
		else
			(mapped ? ring_get : ring_read)(&r);
		ring_ask(&r);
		if (r.head->head == r.tail->tail && rand() % 4 == 0) {
			ring_unpark(&r);
			must_be("empty ring", r.data, 0, r.size);
		}
	}
	ring_end(&r);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };

	if (argc != 3) {
		fprintf(stderr, "usage: soak_user held|mapped|conn|ring SEED\n");
		return 2;
	}
	srand(atoi(argv[2]));
	sigaction(SIGTERM, &action, NULL);
	dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		fail("/dev/secbuf");
	puts("ready");
	fflush(stdout);
	while (!stop) {
		if (!strcmp(argv[1], "conn"))
			use_conns();
		else if (!strcmp(argv[1], "ring"))
			use_ring();
		else if (!strcmp(argv[1], "mapped"))
			use_pool(SECBUF_POOL_F_MAPPED);
		else
			use_pool(0);
	}
	return 0;
}
