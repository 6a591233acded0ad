// SPDX-License-Identifier: GPL-2.0
/*
 * A conn as user space sees it. It cannot be mapped, so the anonymous inode
 * will do, and there can be many.
 */
#include "conn_file.h"

#include <linux/anon_inodes.h>
#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/seq_file.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "area_file.h"
#include "conn.h"
#include "conn_io.h"
#include "conn_send.h"
#include "conn_slot.h"
#include "conn_stream.h"
#include "dev.h"
#include "member.h"
#include "ring.h"
#include "ring_file.h"
#include "ring_handle.h"

static int run_buffer(struct secbuf_call *call)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(call->file);
	struct secbuf_conn_buffer_args *args = call->args;
	struct secbuf_conn_slot slot;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	/* A buffer that is granted stays granted, so ask if we can reply. */
	err = secbuf_call_reply(call);
	if (err)
		return err;
	err = secbuf_conn_buffer(conn, args->which, &slot);
	secbuf_conn_touch(conn);
	if (err)
		return err;
	args->out_word = slot.tag | SECBUF_SLOT_BUSY;
	args->out_id = slot.handle;
	args->out_slot_size = conn->slot_size;
	return secbuf_call_reply(call);
}

static int run_end(struct secbuf_call *call, bool keep_buffers)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(call->file);
	struct secbuf_conn_plain_args *args = call->args;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_conn_touch(conn);
	err = secbuf_conn_zeroize(conn, keep_buffers);
	if (!err)
		secbuf_conn_streams_end(conn);
	return err;
}

static int run_zeroize(struct secbuf_call *call)
{
	return run_end(call, false);
}

static int run_reset(struct secbuf_call *call)
{
	return run_end(call, true);
}

static int run_touch(struct secbuf_call *call)
{
	struct secbuf_conn_plain_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_conn_touch(secbuf_conn_from_file(call->file));
	return 0;
}

static int run_shrink(struct secbuf_call *call)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(call->file);
	struct secbuf_conn_shrink_args *args = call->args;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->level > SECBUF_CONN_SHRINK_IDLE || args->__reserved)
		return -EINVAL;
	args->out_bytes = 0;
	err = secbuf_call_reply(call);
	if (err)
		return err;
	args->out_bytes = secbuf_conn_shrink(conn, args->level ==
					     SECBUF_CONN_SHRINK_WASTEFUL);
	if (args->level == SECBUF_CONN_SHRINK_IDLE)
		args->out_bytes += secbuf_conn_streams_shrink(conn);
	return secbuf_call_reply(call);
}

static int run_stats(struct secbuf_call *call)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(call->file);
	struct secbuf_conn_stats_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_conn_streams_usage(conn, &args->out_streams);
	secbuf_conn_get_stats(conn, args);
	return secbuf_call_reply(call);
}

static int send_to(struct file *file, struct secbuf_conn_send_args *args)
{
	struct secbuf_conn_sent sent = { };
	struct socket *sock;
	int err;

	sock = sockfd_lookup(args->sock_fd, &err);
	if (!sock)
		return err;
	err = secbuf_conn_send(file->private_data, sock, args->max_packets,
			       &sent);
	sockfd_put(sock);
	args->out_packets = sent.packets;
	args->out_bytes = sent.bytes;
	return err;
}

static int run_send(struct secbuf_call *call)
{
	struct secbuf_conn_send_args *args = call->args;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->__reserved)
		return -EINVAL;
	/* What was sent is gone, so ask if we can reply. */
	err = secbuf_call_reply(call);
	if (err)
		return err;
	secbuf_conn_touch(secbuf_conn_from_file(call->file));
	err = send_to(call->file, args);
	return err ?: secbuf_call_reply(call);
}

/* Who dies meanwhile may have looked for rings before this one was there. */
static int add_stream(struct file *file, struct secbuf_ring *ring)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(file);
	int err;

	err = secbuf_conn_stream_add(conn, ring);
	if (err)
		return err;
	/* Pairs with that of who has told us that the owner is dead. */
	smp_mb();
	err = secbuf_conn_check(file);
	if (err)
		secbuf_conn_streams_end(conn);
	return err;
}

static int change_streams(struct file *file, struct file *ring_file, bool add)
{
	struct secbuf_ring_handle *handle =
		secbuf_ring_handle_from_file(ring_file);
	struct secbuf_conn *conn = secbuf_conn_from_file(file);
	int err;

	if (!handle)
		return -EINVAL;
	err = secbuf_ring_handle_check_creator(handle);
	if (err)
		return err;
	return add ? add_stream(file, handle->end->ring) :
		     secbuf_conn_stream_del(conn, handle->end->ring);
}

static int run_stream(struct secbuf_call *call, bool add)
{
	struct secbuf_conn_stream_args *args = call->args;
	struct file *ring_file;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->__reserved)
		return -EINVAL;
	secbuf_conn_touch(secbuf_conn_from_file(call->file));
	ring_file = fget(args->ring_fd);
	if (!ring_file)
		return -EBADF;
	err = change_streams(call->file, ring_file, add);
	fput(ring_file);
	return err;
}

static int run_stream_add(struct secbuf_call *call)
{
	return run_stream(call, true);
}

static int run_stream_del(struct secbuf_call *call)
{
	return run_stream(call, false);
}

/* The queue first: it is called most. */
static const struct secbuf_command conn_commands[] = {
	SECBUF_COMMAND(SECBUF_IOC_CONN_ENQUEUE, struct secbuf_conn_queue_args,
		       SECBUF_CONN_QUEUE_ARGS_SIZE_VER0, secbuf_conn_run_enqueue),
	SECBUF_COMMAND(SECBUF_IOC_CONN_DEQUEUE, struct secbuf_conn_queue_args,
		       SECBUF_CONN_QUEUE_ARGS_SIZE_VER0, secbuf_conn_run_dequeue),
	SECBUF_COMMAND(SECBUF_IOC_CONN_SEND, struct secbuf_conn_send_args,
		       SECBUF_CONN_SEND_ARGS_SIZE_VER0, run_send),
	SECBUF_COMMAND(SECBUF_IOC_CONN_BUFFER, struct secbuf_conn_buffer_args,
		       SECBUF_CONN_BUFFER_ARGS_SIZE_VER0, run_buffer),
	SECBUF_COMMAND(SECBUF_IOC_CONN_RESET, struct secbuf_conn_plain_args,
		       SECBUF_CONN_PLAIN_ARGS_SIZE_VER0, run_reset),
	SECBUF_COMMAND(SECBUF_IOC_CONN_ZEROIZE, struct secbuf_conn_plain_args,
		       SECBUF_CONN_PLAIN_ARGS_SIZE_VER0, run_zeroize),
	SECBUF_COMMAND(SECBUF_IOC_CONN_TOUCH, struct secbuf_conn_plain_args,
		       SECBUF_CONN_PLAIN_ARGS_SIZE_VER0, run_touch),
	SECBUF_COMMAND(SECBUF_IOC_CONN_SHRINK, struct secbuf_conn_shrink_args,
		       SECBUF_CONN_SHRINK_ARGS_SIZE_VER0, run_shrink),
	SECBUF_COMMAND(SECBUF_IOC_CONN_STREAM_ADD,
		       struct secbuf_conn_stream_args,
		       SECBUF_CONN_STREAM_ARGS_SIZE_VER0, run_stream_add),
	SECBUF_COMMAND(SECBUF_IOC_CONN_STREAM_DEL,
		       struct secbuf_conn_stream_args,
		       SECBUF_CONN_STREAM_ARGS_SIZE_VER0, run_stream_del),
	SECBUF_COMMAND(SECBUF_IOC_CONN_STATS, struct secbuf_conn_stats_args,
		       SECBUF_CONN_STATS_ARGS_SIZE_VER0, run_stats),
};

static long conn_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct secbuf_command *command;
	int err;

	command = secbuf_command_find(conn_commands, ARRAY_SIZE(conn_commands),
				      cmd);
	if (!command)
		return -ENOTTY;
	err = secbuf_conn_check(file);
	if (err)
		return err;
	return secbuf_command_run(command, file, arg);
}

static __poll_t conn_poll(struct file *file, poll_table *wait)
{
	struct secbuf_slot_conn *sc = file->private_data;
	struct secbuf_conn *conn = &sc->conn;

	poll_wait(file, &conn->wait, wait);
	if (secbuf_area_file_check_poll(sc->pool_file))
		return EPOLLERR;
	return READ_ONCE(conn->events);
}

/* Waits for nobody. */
static void peek_stats(struct secbuf_conn *conn,
		       struct secbuf_conn_stats_args *stats)
{
	secbuf_conn_streams_usage(conn, &stats->out_streams);
	secbuf_conn_peek_stats(conn, stats);
}

static void show_usage(struct seq_file *m, const char *name,
		       const struct secbuf_conn_usage *usage)
{
	seq_printf(m, "%s:\t%llu of %llu\n", name, usage->used,
		   usage->allocated);
}

static void conn_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct secbuf_conn_stats_args stats;

	peek_stats(secbuf_conn_from_file(file), &stats);
	show_usage(m, "read", &stats.out_read);
	show_usage(m, "write", &stats.out_write);
	show_usage(m, "streams", &stats.out_streams);
	show_usage(m, "queue", &stats.out_queue);
	show_usage(m, "total", &stats.out_total);
	seq_printf(m, "efficiency:\t%u\n", stats.out_efficiency);
	seq_printf(m, "idle_ns:\t%llu\n", stats.out_idle_ns);
	seq_printf(m, "status:\t%u\n", stats.out_status);
	seq_printf(m, "nr_packets:\t%u\n", stats.out_nr_packets);
	seq_printf(m, "peak_packets:\t%u\n", stats.out_peak_packets);
	seq_printf(m, "max_packets:\t%u\n", stats.out_max_packets);
	seq_printf(m, "max_bytes:\t%u\n", stats.out_max_bytes);
	seq_printf(m, "nr_streams:\t%u\n", stats.out_nr_streams);
	seq_printf(m, "max_streams:\t%u\n", stats.out_max_streams);
	seq_printf(m, "enqueued:\t%llu\n", stats.out_enqueued);
	seq_printf(m, "dequeued:\t%llu\n", stats.out_dequeued);
	seq_printf(m, "refused:\t%llu\n", stats.out_refused);
	seq_printf(m, "granted:\t%llu\n", stats.out_granted);
	seq_printf(m, "reclaimed:\t%llu\n", stats.out_reclaimed);
}

/* The descriptor of the pool may have been closed long ago. */
static int conn_flush(struct file *file, fl_owner_t id)
{
	struct secbuf_slot_conn *sc = file->private_data;

	/* Once: all conns are gone through when a member dies. */
	if (secbuf_conn_check(file) != -ESHUTDOWN)
		secbuf_area_file_flush(sc->pool_file);
	return 0;
}

static int conn_release(struct inode *inode, struct file *file)
{
	struct secbuf_slot_conn *sc = file->private_data;
	struct file *pool_file = sc->pool_file;

	secbuf_slot_conn_close(sc);
	fput(pool_file);
	atomic_dec(&secbuf_nr_conns);
	return 0;
}

static const struct file_operations conn_fops = {
	.owner		= THIS_MODULE,
	.flush		= conn_flush,
	.release	= conn_release,
	.unlocked_ioctl	= conn_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.read_iter	= secbuf_conn_read_iter,
	.write_iter	= secbuf_conn_write_iter,
	.poll		= conn_poll,
	.show_fdinfo	= conn_show_fdinfo,
};

static struct file *conn_file_create(struct file *pool_file,
				     struct secbuf_conn_params *params)
{
	struct secbuf_slot_conn *sc;
	struct file *file;

	sc = secbuf_slot_conn_create(secbuf_member_from_file(pool_file),
				     params);
	if (IS_ERR(sc))
		return ERR_CAST(sc);
	file = anon_inode_getfile("[secbuf-conn]", &conn_fops, sc, O_RDWR);
	if (IS_ERR(file)) {
		secbuf_slot_conn_close(sc);
		return file;
	}
	/* There is no position. */
	stream_open(file_inode(file), file);
	/* From here on the file's ->release frees all this. */
	sc->pool_file = get_file(pool_file);
	atomic_inc(&secbuf_nr_conns);
	return file;
}

static int limit(u32 *in_force, u32 asked, u32 by_default, u32 ceiling)
{
	*in_force = asked ?: by_default;
	if (asked == SECBUF_LIMIT_CEILING)
		*in_force = ceiling;
	return *in_force > ceiling ? -EINVAL : 0;
}

static int params_from_args(struct secbuf_conn_params *params,
			    const struct secbuf_conn_create_args *args)
{
	if (args->near_full > 100 || args->__reserved)
		return -EINVAL;
	*params = (struct secbuf_conn_params){
		.flags = args->flags,
		.near_full = args->near_full ?: SECBUF_CONN_NEAR_FULL_DEFAULT,
	};
	return limit(&params->max_packets, args->max_packets,
		     SECBUF_CONN_MAX_PACKETS_DEFAULT,
		     SECBUF_CONN_MAX_PACKETS_CEILING) ?:
	       limit(&params->max_bytes, args->max_bytes,
		     SECBUF_CONN_MAX_BYTES_DEFAULT,
		     SECBUF_CONN_MAX_BYTES_CEILING) ?:
	       limit(&params->max_streams, args->max_streams,
		     SECBUF_CONN_MAX_STREAMS_DEFAULT,
		     SECBUF_CONN_MAX_STREAMS_CEILING) ?:
	       limit(&params->idle_ms, args->idle_ms,
		     SECBUF_CONN_IDLE_MS_DEFAULT,
		     SECBUF_CONN_IDLE_MS_CEILING) ?:
	       limit(&params->waste_factor, args->waste_factor,
		     SECBUF_CONN_WASTE_FACTOR_DEFAULT, U32_MAX) ?:
	       limit(&params->waste_min, args->waste_min,
		     SECBUF_CONN_WASTE_MIN_DEFAULT, U32_MAX);
}

static int run_create(struct secbuf_call *call)
{
	struct secbuf_conn_create_args *args = call->args;
	struct secbuf_conn_params params;
	struct file *pool_file, *file;
	int err;

	if (args->flags & ~SECBUF_CONN_F_KEEP)
		return -EOPNOTSUPP;
	err = params_from_args(&params, args);
	if (err)
		return err;
	pool_file = fget(args->pool_fd);
	if (!pool_file)
		return -EBADF;
	err = -EINVAL;
	if (!secbuf_member_from_file(pool_file))
		goto out_fput;
	err = secbuf_area_file_check(pool_file);
	if (err)
		goto out_fput;
	file = conn_file_create(pool_file, &params);
	err = IS_ERR(file) ? PTR_ERR(file) :
	      secbuf_call_publish(call, file, &args->out_fd);
out_fput:
	fput(pool_file);
	return err;
}

const struct secbuf_command secbuf_conn_create_command =
	SECBUF_COMMAND(SECBUF_IOC_CONN_CREATE, struct secbuf_conn_create_args,
		       SECBUF_CONN_CREATE_ARGS_SIZE_VER0, run_create);
