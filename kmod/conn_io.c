// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of a conn between its queue and a program: CONN_ENQUEUE, CONN_DEQUEUE,
 * read(), write().
 */
#include "conn_io.h"

#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <uapi/linux/secbuf.h>

#include "area.h"
#include "area_file.h"
#include "conn.h"
#include "conn_queue.h"
#include "conn_slot.h"
#include "dev.h"

/* Times that what a program is told is faulted in, before it is given up. */
#define FAULTS_MAX	8

/**
 * secbuf_conn_from_file() - the conn of a file
 * @file: of a conn
 *
 * Return: the conn, which lives as long as the file.
 */
struct secbuf_conn *secbuf_conn_from_file(const struct file *file)
{
	struct secbuf_slot_conn *sc = file->private_data;

	return &sc->conn;
}

/**
 * secbuf_conn_check() - may the calling task use this conn?
 * @file: of a conn
 *
 * Return: 0, -EPERM, -ESHUTDOWN.
 */
int secbuf_conn_check(const struct file *file)
{
	struct secbuf_slot_conn *sc = file->private_data;

	return secbuf_area_file_check(sc->pool_file);
}

/**
 * struct queue_call - one packet of a call
 * @teller: tells the program of it
 * @call: the call
 * @entry: where it is in an array; NULL if there is none
 * @packet: as read from there
 * @moves: SECBUF_CONN_F_MOVE
 */
struct queue_call {
	struct secbuf_conn_teller teller;
	struct secbuf_call *call;
	struct secbuf_conn_packet __user *entry;
	struct secbuf_conn_packet packet;
	bool moves;
};

static struct queue_call *queue_call_of(struct secbuf_conn_teller *teller)
{
	return container_of(teller, struct queue_call, teller);
}

/* Who puts a packet in is told that it is in. */
static bool tell_put(struct secbuf_conn_teller *teller, u64 handle, u32 len)
{
	struct queue_call *qc = queue_call_of(teller);
	struct secbuf_conn_queue_args __user *to = qc->call->uargs;
	int err;

	if (qc->entry)
		return true;
	pagefault_disable();
	err = put_user(1, &to->out_done);
	pagefault_enable();
	return !err;
}

static bool store_packet(struct secbuf_conn_packet __user *to, u64 ptr, u32 len)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return false;
	unsafe_put_user(ptr, &to->ptr, out_fault);
	unsafe_put_user(len, &to->len, out_fault);
	user_write_access_end();
	return true;

out_fault:
	user_write_access_end();
	return false;
}

/* Who takes one, which it is. */
static bool tell_taken(struct secbuf_conn_teller *teller, u64 handle, u32 len)
{
	struct queue_call *qc = queue_call_of(teller);
	struct secbuf_conn_queue_args __user *to = qc->call->uargs;
	u64 ptr = qc->moves ? handle : qc->packet.ptr;
	bool told;

	pagefault_disable();
	told = store_packet(qc->entry ?: &to->packet, ptr, len) &&
	       (qc->entry || !put_user(1, &to->out_done));
	pagefault_enable();
	return told;
}

/* Fault in what the tellers write, by what is there already. */
static int fault_in(struct queue_call *qc)
{
	if (!qc->entry)
		return secbuf_call_reply(qc->call);
	return copy_to_user(qc->entry, &qc->packet, sizeof(qc->packet)) ?
	       -EFAULT : 0;
}

/* The bytes that an entry tells of. */
static int packet_iter(const struct queue_call *qc, unsigned int direction,
		       struct iov_iter *iter)
{
	void __user *ptr = u64_to_user_ptr(qc->packet.ptr);
	/* No packet is as long as that. */
	size_t len = min_t(size_t, qc->packet.len, MAX_RW_COUNT);

	if (!access_ok(ptr, len))
		return -EFAULT;
	iov_iter_ubuf(iter, direction, ptr, len);
	return 0;
}

static int put_copied(struct secbuf_conn *conn, struct queue_call *qc)
{
	struct iov_iter from;
	int err;

	if (!qc->packet.len)
		return -EINVAL;
	err = packet_iter(qc, ITER_SOURCE, &from);
	return err ?: secbuf_conn_put_copied(conn, &from, &qc->teller);
}

static int put_once(struct secbuf_conn *conn, struct queue_call *qc)
{
	if (qc->moves)
		return secbuf_conn_put_moved(conn, qc->packet.ptr,
					     qc->packet.len, &qc->teller);
	return put_copied(conn, qc);
}

static int take_copied(struct secbuf_conn *conn, struct queue_call *qc)
{
	struct iov_iter to;
	ssize_t ret;

	ret = packet_iter(qc, ITER_DEST, &to);
	ret = ret ?: secbuf_conn_take_copied(conn, &to, &qc->teller);
	return min_t(ssize_t, ret, 0);
}

static int take_once(struct secbuf_conn *conn, struct queue_call *qc)
{
	if (qc->moves)
		return secbuf_conn_take_moved(conn, &qc->teller);
	return take_copied(conn, qc);
}

typedef int (*queue_fn)(struct secbuf_conn *conn, struct queue_call *qc);

static int run_once(struct secbuf_conn *conn, struct queue_call *qc,
		    queue_fn once)
{
	unsigned int faults = FAULTS_MAX;
	int err;

	if (qc->packet.__reserved)
		return -EINVAL;
	do {
		err = once(conn, qc);
		if (err != -EFAULT)
			return err;
		err = fault_in(qc);
	} while (!err && --faults && !fatal_signal_pending(current));
	return -EFAULT;
}

/* Not inlined: one packet is to take few instructions. */
static noinline int run_batch(struct secbuf_conn *conn, struct queue_call *qc,
			      queue_fn once)
{
	struct secbuf_conn_queue_args *args = qc->call->args;
	struct secbuf_conn_packet __user *entries =
		u64_to_user_ptr(args->packets_ptr);
	u64 bytes = 0;
	u32 done;
	int err;

	args->out_done = 0;
	err = secbuf_call_reply(qc->call);
	for (done = 0; !err && done < args->nr; done++) {
		if (bytes >= SECBUF_AREA_BATCH_BYTES_MAX ||
		    (done && fatal_signal_pending(current)))
			break;
		qc->entry = &entries[done];
		err = -EFAULT;
		if (copy_from_user(&qc->packet, qc->entry,
				   sizeof(qc->packet)))
			break;
		err = run_once(conn, qc, once);
		if (err)
			break;
		bytes += conn->slot_size;
		cond_resched();
	}
	if (!done)
		return err;
	args->out_done = done;
	return secbuf_call_reply(qc->call);
}

static int run_queue(struct secbuf_call *call, queue_fn once,
		     bool (*tell)(struct secbuf_conn_teller *teller, u64 handle,
				  u32 len))
{
	struct secbuf_conn *conn = secbuf_conn_from_file(call->file);
	struct secbuf_conn_queue_args *args = call->args;
	struct queue_call qc = {
		.teller.tell = tell,
		.call = call,
		.packet = args->packet,
		.moves = args->flags & SECBUF_CONN_F_MOVE,
	};

	if (args->flags & ~SECBUF_CONN_F_MOVE)
		return -EOPNOTSUPP;
	if (!args->packets_ptr != !args->nr ||
	    args->nr > SECBUF_AREA_BATCH_MAX)
		return -EINVAL;
	secbuf_conn_touch(conn);
	if (args->packets_ptr)
		return run_batch(conn, &qc, once);
	return run_once(conn, &qc, once);
}

/**
 * secbuf_conn_run_enqueue() - CONN_ENQUEUE
 * @call: the call
 *
 * Context: process, may sleep.
 * Return: 0 or -errno, as of CONN_ENQUEUE.
 */
int secbuf_conn_run_enqueue(struct secbuf_call *call)
{
	return run_queue(call, put_once, tell_put);
}

/**
 * secbuf_conn_run_dequeue() - CONN_DEQUEUE
 * @call: the call
 *
 * Context: process, may sleep.
 * Return: 0 or -errno, as of CONN_DEQUEUE.
 */
int secbuf_conn_run_dequeue(struct secbuf_call *call)
{
	return run_queue(call, take_once, tell_taken);
}

static bool is_nonblocking(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT ||
	       iocb->ki_filp->f_flags & O_NONBLOCK;
}

/* Until the queue is not what it was any more, or the owner is dead. */
static int wait_for_change(struct kiocb *iocb, struct secbuf_conn *conn,
			   u32 changes)
{
	struct file *file = iocb->ki_filp;

	if (is_nonblocking(iocb))
		return -EAGAIN;
	/* Which is not asked about if there is nothing to wait for. */
	if (signal_pending(current))
		return -ERESTARTSYS;
	return wait_event_interruptible(conn->wait,
					READ_ONCE(conn->changes) != changes ||
					secbuf_conn_check(file));
}

/**
 * secbuf_conn_read_iter() - read() of a conn: the first packet
 * @iocb: the call
 * @to: where to
 *
 * Context: ->read_iter.
 * Return: bytes of the packet, 0 if there is no room for any, or -errno.
 */
ssize_t secbuf_conn_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(iocb->ki_filp);
	const struct iov_iter whole = *to;
	ssize_t ret;
	u32 changes;

	if (!iov_iter_count(to))
		return secbuf_conn_check(iocb->ki_filp);
	do {
		ret = secbuf_conn_check(iocb->ki_filp);
		if (ret)
			return ret;
		secbuf_conn_touch(conn);
		changes = READ_ONCE(conn->changes);
		/* Part of a packet may have come that another thread took. */
		*to = whole;
		ret = secbuf_conn_take_copied(conn, to, NULL);
		if (ret == -EAGAIN)
			ret = wait_for_change(iocb, conn, changes);
	} while (!ret);
	return ret;
}

static bool is_full(int err)
{
	return err == -ENOBUFS || err == -EOVERFLOW;
}

/**
 * secbuf_conn_write_iter() - write() of a conn: a packet
 * @iocb: the call
 * @from: its bytes
 *
 * Context: ->write_iter.
 * Return: how many bytes that were, or -errno.
 */
ssize_t secbuf_conn_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct secbuf_conn *conn = secbuf_conn_from_file(iocb->ki_filp);
	size_t len = iov_iter_count(from);
	const struct iov_iter whole = *from;
	u32 changes;
	int err;

	if (!len)
		return secbuf_conn_check(iocb->ki_filp);
	do {
		err = secbuf_conn_check(iocb->ki_filp);
		if (err)
			return err;
		secbuf_conn_touch(conn);
		changes = READ_ONCE(conn->changes);
		*from = whole;
		err = secbuf_conn_put_copied(conn, from, NULL);
		if (!is_full(err))
			return err ?: len;
		err = wait_for_change(iocb, conn, changes);
	} while (!err);
	return err;
}
