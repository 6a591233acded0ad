// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The queue of a conn: packets go in and out by copy, or with the slot that they
 * are in, and from there to a socket.
 */
#include <limits.h>
#include <poll.h>

#include "annotate.h"
#include "conn.h"

/* Packets per system call: what fits on the stack without a thought. */
#define SECBUF_CONN_CHUNK	64

/* What is to be done with the packets of one call. */
typedef int (*secbuf_conn_call)(int conn_fd,
				struct secbuf_conn_queue_args *args);

/* More than a packet can ever have is as much as there can be. */
static uint32_t secbuf_conn_len(size_t len)
{
	return len < UINT32_MAX ? len : UINT32_MAX;
}

/* Asks the kernel, a second time if threads could give back what it lacks. */
static int secbuf_conn_ask(struct secbuf_conn *conn, secbuf_conn_call call,
			   struct secbuf_conn_queue_args *args)
{
	int err = call(conn->fd, args);

	if (err && secbuf_cache_reclaim(conn->pool, err))
		err = call(conn->fd, args);
	return secbuf_owner_error(err);
}

/* The same for an array. Packets completed, or a negative errno. */
static int secbuf_conn_ask_many(struct secbuf_conn *conn, secbuf_conn_call call,
				struct secbuf_conn_packet *packets, uint32_t nr,
				uint32_t flags)
{
	struct secbuf_conn_queue_args args = {
		.flags = flags,
		.packets_ptr = (uintptr_t)packets,
		.nr = nr,
	};
	int err = secbuf_conn_ask(conn, call, &args);

	return secbuf_done(err, args.out_done, nr);
}

/* What one call handles of @nr packets; each returns how many it completed. */
typedef int (*secbuf_conn_fn)(struct secbuf_conn *conn, struct iovec *packets,
			      uint32_t nr);

/* Goes on until all is done, nothing is or it fails. */
static int secbuf_conn_batch(struct secbuf_conn *conn, secbuf_conn_fn fn,
			     const struct iovec *packets, unsigned int nr)
{
	struct iovec *next = (struct iovec *)packets;
	unsigned int done = 0;
	uint32_t chunk;
	int ret;

	ret = packets && nr <= INT_MAX ? secbuf_conn_check(conn) : -EINVAL;
	if (ret)
		return ret;
	while (done < nr) {
		chunk = nr - done < SECBUF_CONN_CHUNK ? nr - done :
							SECBUF_CONN_CHUNK;
		ret = fn(conn, next + done, chunk);
		if (ret < 0)
			return done ? (int)done : ret;
		if (!ret)
			break;
		done += ret;
	}
	return done;
}

/*
 * By copy
 */

int secbuf_conn_enqueue(struct secbuf_conn *conn, const void *packet,
			size_t len)
{
	struct secbuf_conn_queue_args args = {
		.packet.ptr = (uintptr_t)packet,
		.packet.len = secbuf_conn_len(len),
	};
	int err = packet ? secbuf_conn_check(conn) : -EINVAL;

	if (err)
		return err;
	return secbuf_conn_ask(conn, secbuf_ioctl_conn_enqueue, &args);
}

static int secbuf_conn_enqueue_some(struct secbuf_conn *conn,
				    struct iovec *packets, uint32_t nr)
{
	struct secbuf_conn_packet copy[SECBUF_CONN_CHUNK];
	uint32_t i;

	for (i = 0; i < nr; i++)
		copy[i] = (struct secbuf_conn_packet) {
			.ptr = (uintptr_t)packets[i].iov_base,
			.len = secbuf_conn_len(packets[i].iov_len),
		};
	return secbuf_conn_ask_many(conn, secbuf_ioctl_conn_enqueue, copy, nr,
				    0);
}

int secbuf_conn_enqueue_batch(struct secbuf_conn *conn,
			      const struct iovec *packets, unsigned int nr)
{
	return secbuf_conn_batch(conn, secbuf_conn_enqueue_some, packets, nr);
}

ssize_t secbuf_conn_dequeue(struct secbuf_conn *conn, void *buf, size_t max)
{
	struct secbuf_conn_queue_args args = {
		.packet.ptr = (uintptr_t)buf,
		.packet.len = secbuf_conn_len(max),
	};
	int err = buf ? secbuf_conn_check(conn) : -EINVAL;

	if (!err)
		err = secbuf_conn_ask(conn, secbuf_ioctl_conn_dequeue, &args);
	if (err)
		return err;
	return args.packet.len <= max ? (ssize_t)args.packet.len : -EPROTO;
}

static int secbuf_conn_dequeue_some(struct secbuf_conn *conn,
				    struct iovec *packets, uint32_t nr)
{
	struct secbuf_conn_packet copy[SECBUF_CONN_CHUNK];
	uint32_t i;
	int done, ret;

	for (i = 0; i < nr; i++)
		copy[i] = (struct secbuf_conn_packet) {
			.ptr = (uintptr_t)packets[i].iov_base,
			.len = secbuf_conn_len(packets[i].iov_len),
		};
	done = secbuf_conn_ask_many(conn, secbuf_ioctl_conn_dequeue, copy, nr,
				    0);
	ret = done;
	for (i = 0; (int)i < done; i++) {
		if (copy[i].len > packets[i].iov_len)
			ret = -EPROTO;
		packets[i].iov_len = copy[i].len;
	}
	return ret;
}

int secbuf_conn_dequeue_batch(struct secbuf_conn *conn, struct iovec *packets,
			      unsigned int nr)
{
	return secbuf_conn_batch(conn, secbuf_conn_dequeue_some, packets, nr);
}

/*
 * With the slot
 */

/*
 * Where there are guards the kernel has a packet at the beginning of the page,
 * and the program at its end.
 */
static void secbuf_conn_shift(unsigned char *to, unsigned char *from,
			      size_t len)
{
	size_t room = to < from ? from - to : to - from;
	size_t left = len < room ? len : room;

	secbuf_memory_copy(to, from, len);
	secbuf_cache_zeroize(to < from ? from + len - left : from, left);
}

/* The program gives a slot away, and must not be able to do so twice. */
static int secbuf_conn_give(struct secbuf_conn *conn,
			    struct secbuf_conn_packet *packet, void *buf,
			    size_t len)
{
	struct secbuf_pool *pool = conn->pool;
	uint8_t state = SECBUF_SLOT_OUT;
	uint64_t id;
	int err;

	err = secbuf_pool_find_out(pool, buf, &id);
	if (err)
		return err;
	if (len > pool->slot_size)
		return -EMSGSIZE;
	secbuf_slot_parked(buf);
	if (!__atomic_compare_exchange_n(&secbuf_pool_states(pool)[id], &state,
					 SECBUF_SLOT_UNKNOWN, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return -ENOENT;
	if (pool->skip)
		secbuf_conn_shift((unsigned char *)buf - pool->skip, buf, len);
	if (pool->annotated)
		secbuf_annotate_free(buf, pool->slot_size);
	*packet = (struct secbuf_conn_packet) { .ptr = id, .len = len };
	return 0;
}

/* The program has it, or has it again. */
static void *secbuf_conn_get(struct secbuf_conn *conn,
			     const struct secbuf_conn_packet *packet)
{
	struct secbuf_pool *pool = conn->pool;
	unsigned char *slot = secbuf_pool_hand_out(pool, packet->ptr);

	if (pool->skip)
		secbuf_conn_shift(slot, slot - pool->skip, packet->len);
	return slot;
}

int secbuf_conn_enqueue_move(struct secbuf_conn *conn, void *buf, size_t len)
{
	struct secbuf_conn_queue_args args = { .flags = SECBUF_CONN_F_MOVE };
	int err = secbuf_conn_check(conn);

	if (!err)
		err = secbuf_conn_give(conn, &args.packet, buf, len);
	if (err)
		return err;
	err = secbuf_owner_error(secbuf_ioctl_conn_enqueue(conn->fd, &args));
	if (err)
		secbuf_conn_get(conn, &args.packet);
	return err;
}

static int secbuf_conn_enqueue_move_some(struct secbuf_conn *conn,
					 struct iovec *packets, uint32_t nr)
{
	struct secbuf_conn_packet given[SECBUF_CONN_CHUNK];
	uint32_t i, done = 0;
	int err = 0;

	for (i = 0; i < nr && !err; i += !err)
		err = secbuf_conn_give(conn, &given[i], packets[i].iov_base,
				       packets[i].iov_len);
	if (!i)
		return err;
	err = secbuf_conn_ask_many(conn, secbuf_ioctl_conn_enqueue, given, i,
				   SECBUF_CONN_F_MOVE);
	for (done = err > 0 ? err : 0; done < i; done++)
		secbuf_conn_get(conn, &given[done]);
	return err;
}

int secbuf_conn_enqueue_move_batch(struct secbuf_conn *conn,
				   const struct iovec *packets,
				   unsigned int nr)
{
	return secbuf_conn_batch(conn, secbuf_conn_enqueue_move_some, packets,
				 nr);
}

/* The kernel is trusted, but a misunderstanding must not become a pointer. */
static bool secbuf_conn_is_packet(const struct secbuf_conn *conn,
				  const struct secbuf_conn_packet *packet)
{
	return packet->ptr < conn->pool->max_slots &&
	       packet->len <= conn->pool->slot_size;
}

int secbuf_conn_dequeue_move(struct secbuf_conn *conn, void **out, size_t *len)
{
	struct secbuf_conn_queue_args args = {
		.flags = SECBUF_CONN_F_MOVE,
		.packet.ptr = UINT64_MAX,
	};
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	err = len ? secbuf_conn_check(conn) : -EINVAL;
	if (err)
		return err;
	err = secbuf_owner_error(secbuf_ioctl_conn_dequeue(conn->fd, &args));
	if (!err && !secbuf_conn_is_packet(conn, &args.packet))
		err = -EPROTO;
	if (err)
		return err;
	*out = secbuf_conn_get(conn, &args.packet);
	*len = args.packet.len;
	return 0;
}

static int secbuf_conn_dequeue_move_some(struct secbuf_conn *conn,
					 struct iovec *packets, uint32_t nr)
{
	struct secbuf_conn_packet got[SECBUF_CONN_CHUNK] = { 0 };
	int done, i, ret;

	done = secbuf_conn_ask_many(conn, secbuf_ioctl_conn_dequeue, got, nr,
				    SECBUF_CONN_F_MOVE);
	ret = done;
	for (i = 0; i < done; i++) {
		if (!secbuf_conn_is_packet(conn, &got[i])) {
			ret = -EPROTO;
			continue;
		}
		packets[i].iov_base = secbuf_conn_get(conn, &got[i]);
		packets[i].iov_len = got[i].len;
	}
	return ret;
}

int secbuf_conn_dequeue_move_batch(struct secbuf_conn *conn,
				   struct iovec *packets, unsigned int nr)
{
	return secbuf_conn_batch(conn, secbuf_conn_dequeue_move_some, packets,
				 nr);
}

/*
 * To elsewhere
 */

int secbuf_conn_is_near_full(const struct secbuf_conn *conn)
{
	struct pollfd pfd = { .events = POLLOUT };
	int err = secbuf_conn_check(conn);
	int saved_errno = errno;

	if (err)
		return err;
	pfd.fd = conn->fd;
	if (poll(&pfd, 1, 0) < 0)
		err = -errno;
	else if (pfd.revents & (POLLERR | POLLNVAL))
		err = pfd.revents & POLLERR ? -ESHUTDOWN : -EBADF;
	errno = saved_errno;
	return err ?: !(pfd.revents & POLLOUT);
}

ssize_t secbuf_conn_send(struct secbuf_conn *conn, int sock, unsigned int max,
			 unsigned int *sent)
{
	struct secbuf_conn_send_args args = {
		.sock_fd = sock,
		.max_packets = max,
	};
	int err = secbuf_conn_check(conn);

	/* An EPERM here is that of the socket. */
	if (!err)
		err = secbuf_ioctl_conn_send(conn->fd, &args);
	if (err)
		return err;
	if (sent)
		*sent = args.out_packets;
	return args.out_bytes;
}
