// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Conns of the module that is not there. The descriptor is an eventfd, which says
 * whether the queue is nearly full.
 */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_pool.h"

#define NR_CONNS	64
#define MAX_PACKETS	1024
#define NONE		UINT64_MAX

struct fake_packet {
	uint64_t id;
	uint32_t start;
	uint32_t len;
};

struct fake_conn {
	int fd;
	pid_t owner;
	struct fake_pool *pool;
	uint64_t ids[SECBUF_CONN_BUFFER_NR];
	uint32_t tags[SECBUF_CONN_BUFFER_NR];
	uint32_t max_packets;
	uint32_t max_bytes;
	uint32_t near_full;
	uint32_t nr;
	uint64_t bytes;
	uint64_t granted;
	struct fake_packet packets[MAX_PACKETS];
};

static struct fake_conn conns[NR_CONNS];
static uint32_t last_tag;

static struct fake_conn *find_conn(int fd)
{
	for (int i = 0; i < NR_CONNS; i++)
		if (conns[i].pool && conns[i].fd == fd)
			return &conns[i];
	return NULL;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

static uint32_t limit(uint32_t value, uint32_t fallback, uint32_t ceiling)
{
	if (!value)
		value = fallback;
	return value < ceiling ? value : ceiling;
}

int fake_conn_create(struct secbuf_conn_create_args *args)
{
	struct fake_pool *pool = fake_find_pool(args->pool_fd);
	struct fake_conn *conn = NULL;
	int i, fd;

	if (!pool)
		return fail(EINVAL);
	if (args->flags & ~SECBUF_CONN_F_KEEP)
		return fail(EOPNOTSUPP);
	if (args->near_full > 100)
		return fail(EINVAL);
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < NR_CONNS && !conn; i++)
		/* Who closes a conn does not say so. */
		if (!conns[i].pool || conns[i].fd == fd ||
		    fcntl(conns[i].fd, F_GETFD) < 0)
			conn = &conns[i];
	if (fd < 0 || !conn)
		return fail(EMFILE);
	*conn = (struct fake_conn) {
		.fd = fd,
		.owner = getpid(),
		.pool = pool,
		.ids = { NONE, NONE },
		.max_packets = limit(args->max_packets, 100, MAX_PACKETS),
		.max_bytes = limit(args->max_bytes, 10 << 20, 1 << 30),
		.near_full = args->near_full ?: 80,
	};
	args->out_fd = fd;
	return 0;
}

static uint32_t *state_of(struct fake_conn *conn, unsigned int which)
{
	return &conn->pool->words[conn->ids[which]].state;
}

static int buffer(struct fake_conn *conn, struct secbuf_conn_buffer_args *args)
{
	unsigned int which = args->which;

	if (which >= SECBUF_CONN_BUFFER_NR)
		return fail(EINVAL);
	if (conn->ids[which] == NONE) {
		if (!fake_grant(conn->pool, FAKE_CONN, &conn->ids[which]))
			return -1;
		conn->tags[which] = ++last_tag << 2;
		conn->granted++;
	}
	args->out_word = conn->tags[which] | SECBUF_SLOT_BUSY;
	__atomic_store_n(state_of(conn, which), args->out_word,
			 __ATOMIC_RELEASE);
	args->out_id = conn->ids[which] + fake.first_id;
	args->out_slot_size = conn->pool->slot_size;
	return 0;
}

static bool is_idle(uint32_t state)
{
	state &= SECBUF_SLOT_STATE_MASK;
	return state == SECBUF_SLOT_IDLE || state == SECBUF_SLOT_AGED;
}

static uint64_t drop_buffer(struct fake_conn *conn, unsigned int which)
{
	fake_take_back(conn->pool, conn->ids[which]);
	conn->ids[which] = NONE;
	return conn->pool->slot_size;
}

static uint64_t shrink(struct fake_conn *conn)
{
	uint64_t bytes = 0;
	unsigned int i;
	uint32_t seen;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		if (conn->ids[i] == NONE)
			continue;
		seen = __atomic_load_n(state_of(conn, i), __ATOMIC_RELAXED);
		while (is_idle(seen))
			if (__atomic_compare_exchange_n(state_of(conn, i),
							&seen,
							SECBUF_SLOT_GONE, false,
							__ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED)) {
				bytes += drop_buffer(conn, i);
				break;
			}
	}
	return bytes;
}

static bool is_near_full(const struct fake_conn *conn)
{
	return conn->nr * 100ULL >=
	       (uint64_t)conn->max_packets * conn->near_full ||
	       conn->bytes * 100 >= (uint64_t)conn->max_bytes * conn->near_full;
}

/* An eventfd is writable unless it has the highest value that it can have. */
static void update_poll(struct fake_conn *conn)
{
	uint64_t value = UINT64_MAX - 1;

	if (is_near_full(conn) &&
	    write(conn->fd, &value, sizeof(value)) == sizeof(value))
		return;
	if (!is_near_full(conn) &&
	    read(conn->fd, &value, sizeof(value)) == sizeof(value))
		return;
}

static void forget_packets(struct fake_conn *conn, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		conn->bytes -= conn->packets[i].len;
	memmove(conn->packets, conn->packets + nr,
		(conn->nr - nr) * sizeof(*conn->packets));
	conn->nr -= nr;
	update_poll(conn);
}

static void zeroize(struct fake_conn *conn, bool buffers)
{
	unsigned int i;

	for (i = 0; i < conn->nr; i++)
		fake_take_back(conn->pool, conn->packets[i].id);
	forget_packets(conn, conn->nr);
	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		if (conn->ids[i] == NONE)
			continue;
		memset(fake_slot(conn->pool, conn->ids[i]), 0,
		       conn->pool->stride);
		if (!buffers)
			continue;
		__atomic_store_n(state_of(conn, i), SECBUF_SLOT_GONE,
				 __ATOMIC_RELEASE);
		drop_buffer(conn, i);
	}
}

static int enqueue(struct fake_conn *conn, uint32_t flags,
		   const struct secbuf_conn_packet *packet)
{
	struct fake_pool *pool = conn->pool;
	uint64_t id = packet->ptr;

	if (!packet->len)
		return fail(EINVAL);
	if (packet->len > pool->slot_size || packet->len > conn->max_bytes)
		return fail(EMSGSIZE);
	if (conn->nr >= conn->max_packets)
		return fail(ENOBUFS);
	if (conn->bytes + packet->len > conn->max_bytes)
		return fail(EOVERFLOW);
	if (flags & SECBUF_CONN_F_MOVE) {
		if (id >= pool->max_slots)
			return fail(EINVAL);
		if (pool->holders[id] != FAKE_PROGRAM)
			return fail(pool->holders[id] ? EBUSY : ENOENT);
		pool->holders[id] = FAKE_CONN;
	} else {
		if (!fake_grant(pool, FAKE_CONN, &id))
			return -1;
		memcpy(fake_slot(pool, id), (void *)(uintptr_t)packet->ptr,
		       packet->len);
	}
	conn->packets[conn->nr++] = (struct fake_packet) { id, 0, packet->len };
	conn->bytes += packet->len;
	update_poll(conn);
	return 0;
}

static int dequeue(struct fake_conn *conn, uint32_t flags,
		   struct secbuf_conn_packet *packet)
{
	const struct fake_packet *head = conn->packets;

	if (!conn->nr)
		return fail(EAGAIN);
	if (flags & SECBUF_CONN_F_MOVE) {
		packet->ptr = head->id + fake.first_id;
		conn->pool->holders[head->id] = FAKE_PROGRAM;
	} else {
		if (head->len > packet->len)
			return fail(EMSGSIZE);
		memcpy((void *)(uintptr_t)packet->ptr,
		       fake_slot(conn->pool, head->id) + head->start,
		       head->len);
		fake_take_back(conn->pool, head->id);
	}
	packet->len = head->len;
	forget_packets(conn, 1);
	return 0;
}

static int queue(struct fake_conn *conn, unsigned long cmd,
		 struct secbuf_conn_queue_args *args)
{
	struct secbuf_conn_packet *packets = (void *)(uintptr_t)args->packets_ptr;
	uint32_t nr = packets ? args->nr : 1;
	int ret = 0;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		struct secbuf_conn_packet *packet = packets ? &packets[i] :
							      &args->packet;

		if (cmd == SECBUF_IOC_CONN_ENQUEUE)
			ret = enqueue(conn, args->flags, packet);
		else
			ret = dequeue(conn, args->flags, packet);
		if (ret)
			break;
	}
	args->out_done = fake.done ?: i;
	return i ? 0 : ret;
}

static int send_some(struct fake_conn *conn, struct secbuf_conn_send_args *args)
{
	struct fake_packet *head = conn->packets;
	ssize_t n = -1;

	errno = EAGAIN;
	args->out_packets = 0;
	args->out_bytes = 0;
	while (conn->nr && (!args->max_packets ||
			    args->out_packets < args->max_packets)) {
		n = send(args->sock_fd,
			 fake_slot(conn->pool, head->id) + head->start,
			 head->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			break;
		args->out_bytes += n;
		if (n < head->len) {
			head->start += n;
			head->len -= n;
			conn->bytes -= n;
			break;
		}
		args->out_packets++;
		fake_take_back(conn->pool, head->id);
		forget_packets(conn, 1);
	}
	return args->out_bytes ? 0 : -1;
}

static int conn_stats(struct fake_conn *conn,
		      struct secbuf_conn_stats_args *args)
{
	struct secbuf_conn_usage *usages[] = { &args->out_read,
					       &args->out_write };
	uint32_t state;

	for (int i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		*usages[i] = (struct secbuf_conn_usage) { 0 };
		if (conn->ids[i] == NONE)
			continue;
		usages[i]->allocated = conn->pool->slot_size;
		state = __atomic_load_n(state_of(conn, i), __ATOMIC_RELAXED);
		if ((state & SECBUF_SLOT_STATE_MASK) == SECBUF_SLOT_BUSY)
			usages[i]->used =
				conn->pool->words[conn->ids[i]].used;
	}
	args->out_nr_packets = conn->nr;
	args->out_max_packets = conn->max_packets;
	args->out_max_bytes = conn->max_bytes;
	args->out_granted = conn->granted;
	return 0;
}

int fake_conn_answer(int fd, unsigned long cmd, void *args)
{
	struct fake_conn *conn = find_conn(fd);
	struct secbuf_conn_shrink_args *shrink_args = args;

	if (!conn)
		return fail(ENOTTY);
	if (conn->owner != getpid())
		return fail(EPERM);
	switch (cmd) {
	case SECBUF_IOC_CONN_BUFFER:
		return buffer(conn, args);
	case SECBUF_IOC_CONN_RESET:
	case SECBUF_IOC_CONN_ZEROIZE:
		zeroize(conn, cmd == SECBUF_IOC_CONN_ZEROIZE);
		return 0;
	case SECBUF_IOC_CONN_SHRINK:
		if (shrink_args->level > SECBUF_CONN_SHRINK_IDLE)
			return fail(EINVAL);
		shrink_args->out_bytes = shrink(conn);
		return 0;
	case SECBUF_IOC_CONN_STATS:
		return conn_stats(conn, args);
	case SECBUF_IOC_CONN_TOUCH:
		return 0;
	case SECBUF_IOC_CONN_ENQUEUE:
	case SECBUF_IOC_CONN_DEQUEUE:
		return queue(conn, cmd, args);
	case SECBUF_IOC_CONN_SEND:
		return send_some(conn, args);
	}
	return fail(ENOTTY);
}
