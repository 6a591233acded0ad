/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the paths of faults_test are made of: conns, and the end of everything.
 */
#ifndef FAULTS_CONNS_H
#define FAULTS_CONNS_H

#include "faults_rings.h"
#include "secbuf_conn.h"

#include <sys/socket.h>
#include <sys/wait.h>

static int call_conn(struct world *w)
{
	w->conn = conn_create(w->dev, w->pool.fd);
	return w->conn;
}

static int prepare_conn(struct world *w)
{
	int ret;

	w->arg = SECBUF_POOL_F_MAPPED;
	ret = prepare_slots(w);
	ret = ret ?: pool_free(w->pool.fd, w->ids, MANY / 2);
	return ret < 0 ? ret : call_conn(w) < 0 ? -ENODATA : 0;
}

static int call_conn_buffer(struct world *w)
{
	struct secbuf_conn_buffer_args args;

	return conn_buffer(w->conn, SECBUF_CONN_BUFFER_WRITE, &args);
}

static int call_conn_write(struct world *w)
{
	return write(w->conn, w->bytes, BUF_SIZE) < 0 ? -errno : 0;
}

static int call_conn_read(struct world *w)
{
	return read(w->conn, w->bytes, BUF_SIZE) < 0 ? -errno : 0;
}

static int call_conn_poll(struct world *w)
{
	struct pollfd fds[] = {
		{ .fd = w->pool.fd, .events = POLLPRI },
		{ .fd = w->conn, .events = POLLIN },
	};

	return poll(fds, ARRAY_SIZE(fds), 0) < 0 ? -errno : 0;
}

static int queue_call(struct world *w, unsigned long command, __u32 flags)
{
	struct secbuf_conn_packet packets[MANY_VECS];

	for (int i = 0; i < MANY_VECS; i++)
		packets[i] = (struct secbuf_conn_packet){
			.ptr = flags ? w->ids[MANY - 1 - i] :
				       (uintptr_t)w->bytes,
			.len = BUF_SIZE,
		};
	return conn_batch(w->conn, command, flags, packets, MANY_VECS);
}

static int call_enqueue(struct world *w)
{
	return queue_call(w, SECBUF_IOC_CONN_ENQUEUE, 0);
}

static int call_enqueue_slots(struct world *w)
{
	return queue_call(w, SECBUF_IOC_CONN_ENQUEUE, SECBUF_CONN_F_MOVE);
}

static int call_dequeue(struct world *w)
{
	return queue_call(w, SECBUF_IOC_CONN_DEQUEUE, 0);
}

static int call_dequeue_slots(struct world *w)
{
	return queue_call(w, SECBUF_IOC_CONN_DEQUEUE, SECBUF_CONN_F_MOVE);
}

/* With a buffer, packets and a stream. */
static int prepare_conn_full(struct world *w)
{
	struct secbuf_conn_stream_args args = { .size = sizeof(args) };
	int socks[2];

	if (prepare_conn(w) || call_conn_buffer(w) || call_enqueue(w) < 0)
		return -ENODATA;
	w->arg = 0;
	if (call_ring(w))
		return -ENODATA;
	args.ring_fd = w->ring.p.fd;
	if (secbuf_ioctl(w->conn, SECBUF_IOC_CONN_STREAM_ADD, &args) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, socks))
		return -ENODATA;
	w->other = socks[0];
	return 0;
}

static int call_conn_send(struct world *w)
{
	struct secbuf_conn_send_args args = {
		.size = sizeof(args), .sock_fd = w->other,
	};

	return secbuf_ioctl(w->conn, SECBUF_IOC_CONN_SEND, &args);
}

static int call_conn_stats(struct world *w)
{
	struct secbuf_conn_stats_args args;

	return conn_stats(w->conn, &args);
}

static int call_conn_shrink(struct world *w)
{
	return conn_shrink(w->conn, SECBUF_CONN_SHRINK_IDLE);
}

static int call_conn_touch(struct world *w)
{
	return conn_touch(w->conn);
}

static int call_conn_reset(struct world *w)
{
	return conn_reset(w->conn);
}

static int call_conn_zeroize(struct world *w)
{
	return conn_zeroize(w->conn);
}

static int call_stream_del(struct world *w)
{
	struct secbuf_conn_stream_args args = {
		.size = sizeof(args), .ring_fd = w->ring.p.fd,
	};

	return secbuf_ioctl(w->conn, SECBUF_IOC_CONN_STREAM_DEL, &args);
}

static int prepare_no_stream(struct world *w)
{
	return prepare_conn_full(w) ?: call_stream_del(w);
}

static int call_stream_add(struct world *w)
{
	struct secbuf_conn_stream_args args = {
		.size = sizeof(args), .ring_fd = w->ring.p.fd,
	};

	return secbuf_ioctl(w->conn, SECBUF_IOC_CONN_STREAM_ADD, &args);
}

static int call_words_mmap(struct world *w)
{
	w->map_size = words_size(SLOTS);
	w->map = (unsigned char *)words_map(w->pool.fd, SLOTS);
	return w->map ? 0 : -errno;
}

static int prepare_words(struct world *w)
{
	return prepare_conn_full(w) ?: call_words_mmap(w);
}

/*
 * Ends. To close something must not need memory, nor to die.
 */

static int prepare_everything(struct world *w)
{
	if (prepare_conn_full(w) || call_pool_mmap(w) || touch(w->map, true))
		return -ENODATA;
	return call_ring_write(w) < 0 ? -ENODATA : 0;
}

static int prepare_held_and_records(struct world *w)
{
	w->arg = 0;
	if (prepare_slots(w))
		return -ENODATA;
	w->arg = SECBUF_RING_F_RECORDS;
	if (prepare_ring_full(w))
		return -ENODATA;
	w->arg = MAP_C_DATA;
	return call_ring_mmap(w) ?: call_ring_touch(w);
}

static int call_close(struct world *w)
{
	world_close(w);
	world_open(w);
	return 0;
}

static int call_nothing(struct world *w)
{
	(void)w;
	return 0;
}

static int call_fork(struct world *w)
{
	pid_t pid = fork();

	(void)w;
	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
}

static int call_exec(struct world *w)
{
	(void)w;
	execl("/bin/true", "true", NULL);
	return -errno;
}

/*
 * The module. Beside this program lies secbuf.ko.
 */

static int prepare_unloaded(struct world *w)
{
	char path[256] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash = strrchr(path, '/');

	close(w->dev);
	w->dev = -1;
	if (n < 0 || !slash)
		return -ENODATA;
	strcpy(slash, "/secbuf.ko");
	w->other = open(path, O_RDONLY | O_CLOEXEC);
	return w->other < 0 || syscall(SYS_delete_module, "secbuf", 0) ?
	       -errno : 0;
}

static int call_insmod(struct world *w)
{
	return syscall(SYS_finit_module, w->other, "", 0) ? -errno : 0;
}

#endif /* FAULTS_CONNS_H */
