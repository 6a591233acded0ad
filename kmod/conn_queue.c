// SPDX-License-Identifier: GPL-2.0
/*
 * The packets of a conn: in and out, by copy and by move.
 *
 * Nothing is faulted in under the lock of the conn. What a program must be told
 * it is told under it, so that who could not be told has lost nothing; the
 * caller faults in what is needed, and tries again.
 */
#include "conn_queue.h"

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "conn.h"
#include "trace.h"

/* Copied at once; others get their turn. */
#define COPY_MAX	SZ_64K

/* Faults on one place before the caller is given up. */
#define FAULTS_MAX	64

static bool tell(struct secbuf_conn_teller *teller, u64 handle, u32 len)
{
	return !teller || teller->tell(teller, handle, len);
}

static int push(struct secbuf_conn *conn, u64 handle, u32 len,
		struct secbuf_conn_teller *teller)
{
	int err;

	err = secbuf_queue_push(&conn->queue, handle, len);
	if (err)
		return err;
	if (!tell(teller, handle, len)) {
		secbuf_queue_unpush(&conn->queue);
		return -EFAULT;
	}
	trace_secbuf_conn_enqueue(conn, len, conn->queue.nr);
	secbuf_conn_changed(conn);
	return 0;
}

static int put_moved_locked(struct secbuf_conn *conn, u64 handle, u32 len,
			    struct secbuf_conn_teller *teller)
{
	int err;

	if (len > conn->slot_size) {
		conn->queue.refused++;
		return -EMSGSIZE;
	}
	err = conn->source->hold(conn, handle);
	if (err)
		return err;
	err = push(conn, handle, len, teller);
	if (err)
		conn->source->hand_over(conn, handle);
	return err;
}

/**
 * secbuf_conn_put_moved() - a buffer of the caller becomes the last packet
 * @conn: the conn
 * @handle: the buffer, not trusted
 * @len: bytes of it
 * @teller: NULL if there is nobody to tell
 *
 * Context: process, may sleep. Takes the lock of the conn.
 * Return: 0; -EINVAL, -ENOENT, -EBUSY for the buffer; -EMSGSIZE, -ENOBUFS,
 * -EOVERFLOW, -ENOMEM; -ESHUTDOWN, -EINTR; -EFAULT if @teller could not tell.
 */
int secbuf_conn_put_moved(struct secbuf_conn *conn, u64 handle, u32 len,
			  struct secbuf_conn_teller *teller)
{
	int err;

	if (!len)
		return -EINVAL;
	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	err = put_moved_locked(conn, handle, len, teller);
	secbuf_conn_unlock(conn);
	return err;
}

/*
 * Fault in what comes next; without any lock. A hostile program can take away
 * what it gave for as long as it likes, so there is an end to it.
 */
static int fault_in(struct iov_iter *iter, size_t len, bool writeable,
		    unsigned int *faults)
{
	size_t n = min_t(size_t, len, COPY_MAX);
	size_t missing;

	if (!(*faults)--)
		return -EFAULT;
	if (fatal_signal_pending(current))
		return -EINTR;
	missing = writeable ? fault_in_iov_iter_writeable(iter, n) :
			      fault_in_iov_iter_readable(iter, n);
	return missing == n ? -EFAULT : 0;
}

/* A buffer that nobody else knows yet. */
static int copy_in(struct secbuf_conn *conn, u64 handle, struct iov_iter *from)
{
	size_t len = iov_iter_count(from), done = 0, n;
	unsigned int faults = FAULTS_MAX;
	ssize_t ret;
	int err;

	while (done < len) {
		n = min_t(size_t, len - done, COPY_MAX);
		ret = conn->source->copy(conn, handle, done, from, n, false);
		if (ret < 0)
			return ret;
		done += ret;
		if (ret)
			faults = FAULTS_MAX;
		if (ret == n) {
			cond_resched();
			continue;
		}
		err = fault_in(from, len - done, false, &faults);
		if (err)
			return err;
	}
	return 0;
}

static int push_copied(struct secbuf_conn *conn, u64 handle, u32 len,
		       struct secbuf_conn_teller *teller)
{
	int err;

	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	err = push(conn, handle, len, teller);
	secbuf_conn_unlock(conn);
	return err;
}

/* Would it be refused? Without a grant for nothing. */
static int check(struct secbuf_conn *conn, u64 len)
{
	int err = -EMSGSIZE;

	lockdep_assert_held(&conn->lock);
	if (len <= conn->slot_size)
		err = secbuf_queue_check(&conn->queue, len);
	if (err)
		conn->queue.refused++;
	return err;
}

static void undo(struct secbuf_conn *conn, u64 handle)
{
	if (conn->source->undo)
		conn->source->undo(conn, handle);
	else
		conn->source->put(conn, handle);
}

static int check_copied(struct secbuf_conn *conn, size_t len)
{
	int err;

	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	err = check(conn, len);
	secbuf_conn_unlock(conn);
	return err;
}

/**
 * secbuf_conn_put_copied() - bytes become the last packet
 * @conn: the conn
 * @from: the bytes, not none; where it is after an error does not matter
 * @teller: NULL if there is nobody to tell
 *
 * Context: process, may sleep. Takes the lock of the conn, and faults.
 * Return: 0; -EMSGSIZE, -ENOBUFS, -EOVERFLOW, -EFAULT, -EINTR, -ESHUTDOWN, or as
 * of the source.
 */
int secbuf_conn_put_copied(struct secbuf_conn *conn, struct iov_iter *from,
			   struct secbuf_conn_teller *teller)
{
	size_t len = iov_iter_count(from);
	u64 handle;
	int err;

	err = check_copied(conn, len);
	if (err)
		return err;
	err = conn->source->grant(conn, &handle);
	if (err)
		return err;
	err = copy_in(conn, handle, from);
	if (!err)
		err = push_copied(conn, handle, len, teller);
	if (err)
		undo(conn, handle);
	return err;
}

static int take_moved_locked(struct secbuf_conn *conn,
			     struct secbuf_conn_teller *teller)
{
	const struct secbuf_packet *head = secbuf_queue_peek(&conn->queue, 0);
	struct secbuf_packet packet;

	if (!head)
		return -EAGAIN;
	if (!tell(teller, head->handle, head->len - head->sent))
		return -EFAULT;
	secbuf_queue_pop(&conn->queue, &packet);
	if (packet.sent)
		conn->source->shift(conn, packet.handle, packet.sent,
				    packet.len - packet.sent);
	conn->source->hand_over(conn, packet.handle);
	trace_secbuf_conn_dequeue(conn, packet.len, conn->queue.nr);
	secbuf_conn_changed(conn);
	return 0;
}

/**
 * secbuf_conn_take_moved() - the first packet becomes a buffer of the caller
 * @conn: the conn
 * @teller: tells which
 *
 * Context: process, may sleep. Takes the lock of the conn.
 * Return: 0, -EAGAIN, -EINTR, -EFAULT if @teller could not tell.
 */
int secbuf_conn_take_moved(struct secbuf_conn *conn,
			   struct secbuf_conn_teller *teller)
{
	int err;

	err = secbuf_conn_lock(conn);
	if (err)
		return err;
	err = take_moved_locked(conn, teller);
	secbuf_conn_unlock(conn);
	return err;
}

/**
 * struct take - a packet on its way out
 * @to: where its bytes go
 * @room: bytes that fit there
 * @nr: of the packet, counted from the first one ever
 * @handle: of the packet. One that is being sent leaves its number to the next
 * @done: bytes of it that are out
 * @left: bytes of it that are not
 */
struct take {
	struct iov_iter *to;
	size_t room;
	u64 nr;
	u64 handle;
	u32 done;
	u32 left;
};

/*
 * Another thread may have taken what we began with: then begin with what is
 * first now.
 */
static int take_begin(struct secbuf_conn *conn, struct take *take,
		      const struct secbuf_packet *head)
{
	u64 nr = conn->queue.dequeued;
	u32 len = head->len - head->sent;

	if (take->nr != nr || take->handle != head->handle ||
	    len != take->done + take->left) {
		iov_iter_revert(take->to, take->done);
		take->nr = nr;
		take->handle = head->handle;
		take->done = 0;
	}
	if (len > take->room)
		return -EMSGSIZE;
	take->left = len - take->done;
	return 0;
}

/*
 * Copies some of the first packet, and drops it if that was all. Returns its
 * length then, 0 to be called again, or -EFAULT if something is to be faulted in
 * first.
 */
static ssize_t take_some(struct secbuf_conn *conn, struct take *take,
			 struct secbuf_conn_teller *teller)
{
	const struct secbuf_packet *head = secbuf_queue_peek(&conn->queue, 0);
	struct secbuf_packet packet;
	size_t n;
	ssize_t ret;

	if (!head)
		return -EAGAIN;
	ret = take_begin(conn, take, head);
	if (ret)
		return ret;
	n = min_t(size_t, take->left, COPY_MAX);
	ret = conn->source->copy(conn, head->handle, head->sent + take->done,
				 take->to, n, true);
	if (ret < 0)
		return ret;
	take->done += ret;
	take->left -= ret;
	if (ret < n)
		return -EFAULT;
	if (take->left)
		return 0;
	if (!tell(teller, 0, take->done))
		return -EFAULT;
	secbuf_queue_pop(&conn->queue, &packet);
	conn->source->put(conn, packet.handle);
	trace_secbuf_conn_dequeue(conn, packet.len, conn->queue.nr);
	secbuf_conn_changed(conn);
	return take->done;
}

/**
 * secbuf_conn_take_copied() - copy the first packet out and zeroize it
 * @conn: the conn
 * @to: where to; where it is after an error does not matter
 * @teller: NULL if there is nobody to tell
 *
 * Context: process, may sleep. Takes the lock of the conn, and faults.
 * Return: bytes of the packet; -EAGAIN, -EMSGSIZE, -EFAULT, -EINTR, -ESHUTDOWN.
 * @teller is to fault in what it needs after -EFAULT.
 */
ssize_t secbuf_conn_take_copied(struct secbuf_conn *conn, struct iov_iter *to,
				struct secbuf_conn_teller *teller)
{
	struct take take = {
		.to = to,
		.room = iov_iter_count(to),
		.nr = U64_MAX,
	};
	unsigned int faults = FAULTS_MAX;
	ssize_t ret;
	u32 before;

	do {
		ret = secbuf_conn_lock(conn);
		if (ret)
			return ret;
		before = take.done;
		ret = take_some(conn, &take, teller);
		secbuf_conn_unlock(conn);
		if (take.done != before)
			faults = FAULTS_MAX;
		if (ret == -EFAULT && take.left)
			ret = fault_in(to, take.left, true, &faults);
		/* Others may change the first packet each time. */
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	} while (!ret);
	return ret;
}
