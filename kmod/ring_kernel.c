// SPDX-License-Identifier: GPL-2.0
/*
 * Rings for other modules: one end is held here, the other is a descriptor.
 */
#include "ring_kernel.h"

#include <linux/export.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include <uapi/linux/secbuf.h>

#include "ring.h"
#include "ring_file.h"
#include "ring_io.h"
#include "ring_park.h"
#include "ring_stats.h"
#include "ring_wait.h"

/**
 * struct ring_port - what holds an end in the kernel
 * @notify: of the module
 * @priv: for @notify
 * @opened: the other end has been given away
 * @span: bytes that are reserved or peeked at; then io_lock and map_lock are
 *        held
 */
struct ring_port {
	void (*notify)(void *priv);
	void *priv;
	unsigned long opened;
	size_t span;
};

static void port_notify(struct secbuf_ring_end *end)
{
	struct ring_port *port = end->priv;

	if (port->notify)
		port->notify(port->priv);
}

static const struct secbuf_ring_ops port_ops = {
	.notify	= port_notify,
};

static u32 flags_from(const struct secbuf_ring_params *params)
{
	return (params->records ? SECBUF_RING_F_RECORDS : 0) |
	       (params->populate ? SECBUF_RING_F_POPULATE : 0) |
	       (params->passable ? SECBUF_RING_F_PASSABLE : 0);
}

/**
 * secbuf_ring_create() - a ring of which the caller holds one end
 * @params: what it is like
 *
 * The calling task's user and memory cgroup pay for it.
 *
 * Context: process, may sleep.
 * Return: the end, or an error pointer: -EINVAL, -ENOMEM, -EDQUOT.
 */
struct secbuf_ring_end *
secbuf_ring_create(const struct secbuf_ring_params *params)
{
	struct secbuf_ring_end *end;
	struct secbuf_ring *ring;
	struct ring_port *port;

	if (params->size < PAGE_SIZE || params->size > SECBUF_RING_SIZE_MAX ||
	    !is_power_of_2(params->size))
		return ERR_PTR(-EINVAL);
	port = kzalloc(sizeof(*port), SECBUF_GFP);
	if (!port)
		return ERR_PTR(-ENOMEM);
	port->notify = params->notify;
	port->priv = params->priv;
	ring = secbuf_ring_alloc(params->size, flags_from(params),
				 &secbuf_ring_reclaim_ops);
	if (IS_ERR(ring)) {
		kfree(port);
		return ERR_CAST(ring);
	}
	end = &ring->ends[params->produce ? SECBUF_RING_END_PRODUCER :
					    SECBUF_RING_END_CONSUMER];
	/* Reclaim can look at it already. */
	WRITE_ONCE(end->in_kernel, true);
	secbuf_ring_end_hold(end, &port_ops, port);
	secbuf_ring_put(ring);
	return end;
}
EXPORT_SYMBOL_GPL(secbuf_ring_create);

/**
 * secbuf_ring_user_file() - the other end, for the calling process
 * @end: from secbuf_ring_create(); once
 *
 * The caller installs it with O_CLOEXEC, or puts it. It belongs to the calling
 * process and dies with it.
 *
 * Context: process, may sleep; no locks held.
 * Return: the file, or an error pointer: -EBUSY (it was given away), -EPERM (a
 * kernel thread), -ENOMEM, -ENFILE.
 */
struct file *secbuf_ring_user_file(struct secbuf_ring_end *end)
{
	struct ring_port *port = end->priv;
	struct file *file;

	if (test_and_set_bit(0, &port->opened))
		return ERR_PTR(-EBUSY);
	file = secbuf_ring_file_create(secbuf_ring_peer(end));
	if (IS_ERR(file))
		clear_bit(0, &port->opened);
	return file;
}
EXPORT_SYMBOL_GPL(secbuf_ring_user_file);

/**
 * secbuf_ring_destroy() - the end is gone
 * @end: from secbuf_ring_create(), nothing reserved or peeked at
 *
 * No @notify is running when this returns. If the process reads, it may read
 * what is left.
 *
 * Context: process, may sleep.
 */
void secbuf_ring_destroy(struct secbuf_ring_end *end)
{
	struct ring_port *port = end->priv;
	struct secbuf_ring *ring = end->ring;

	secbuf_ring_end_release(end);
	kfree(port);
	secbuf_ring_put(ring);
}
EXPORT_SYMBOL_GPL(secbuf_ring_destroy);

/**
 * secbuf_ring_read() - read bytes, or a record
 * @end: a consumer
 * @buf: where they go; to be zeroized by the caller if it must be
 * @len: how many fit
 * @timeout: to wait until there is something, in jiffies; 0 or
 *           MAX_SCHEDULE_TIMEOUT
 *
 * Context: process, may sleep.
 * Return: how many there were; 0 if the process is gone and there are no more;
 * -EAGAIN, -EMSGSIZE (the record does not fit, and stays), -EPROTO, -ESHUTDOWN,
 * -EINTR, -EINVAL (a producer).
 */
ssize_t secbuf_ring_read(struct secbuf_ring_end *end, void *buf, size_t len,
			 long timeout)
{
	struct kvec vec = { buf, len };
	struct iov_iter to;

	if (secbuf_ring_is_producer(end))
		return -EINVAL;
	if (!len)
		return 0;
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	return secbuf_ring_read_iter(end, &to, timeout, 0);
}
EXPORT_SYMBOL_GPL(secbuf_ring_read);

/* Bytes from the position on that lie on one page. */
static size_t contiguous(const struct secbuf_ring_view *view, size_t len)
{
	size_t most = PAGE_SIZE - offset_in_page(view->own);

	return min_t(u64, view->amount, min(most, len));
}

/*
 * What begins at the position of this side, up to *@len bytes. On success the
 * locks are held until span_end().
 */
static void *span_try(struct secbuf_ring_end *end, size_t *len)
{
	struct secbuf_ring_memory *memory = &end->ring->memory;
	struct ring_port *port = end->priv;
	struct secbuf_ring_view view;
	unsigned long index;
	struct page *page;
	int err;

	mutex_lock(&end->io_lock);
	for (;;) {
		down_read(&end->ring->map_lock);
		err = secbuf_ring_end_view(end, &view);
		if (!err && secbuf_ring_is_producer(end) &&
		    secbuf_ring_peer(end)->gone)
			err = -EPIPE;
		if (!err && !view.amount)
			err = -EAGAIN;
		if (err)
			goto out_unlock;
		page = secbuf_ring_memory_page(memory, view.own >> PAGE_SHIFT);
		if (page)
			break;
		up_read(&end->ring->map_lock);
		index = (view.own & (memory->size - 1)) >> PAGE_SHIFT;
		err = secbuf_ring_memory_fill(memory, index, SECBUF_GFP);
		if (err)
			goto out_io;
	}
	port->span = contiguous(&view, *len);
	*len = port->span;
	return page_address(page) + offset_in_page(view.own);

out_unlock:
	up_read(&end->ring->map_lock);
out_io:
	mutex_unlock(&end->io_lock);
	return ERR_PTR(err);
}

/* Before it says -EAGAIN, the process is asked to notify when that has changed. */
static void *span_begin(struct secbuf_ring_end *end, size_t *len)
{
	void *span;

	if (secbuf_ring_has_records(end->ring) || !*len)
		return ERR_PTR(-EINVAL);
	span = span_try(end, len);
	if (span != ERR_PTR(-EAGAIN))
		return span;
	secbuf_ring_arm(end, 1);
	return span_try(end, len);
}

/* Publishes @len bytes of the span, and zeroizes those from @zero to @end. */
static int span_end(struct secbuf_ring_end *end, size_t len, size_t zero,
		    size_t zero_end)
{
	struct ring_port *port = end->priv;
	u64 own = end->kept;

	if (len > port->span)
		return -EINVAL;
	if (!port->span)
		return 0;
	secbuf_ring_memory_zeroize(&end->ring->memory, own + zero,
				   zero_end - zero);
	port->span = 0;
	if (len)
		secbuf_ring_end_advance(end, own + len);
	up_read(&end->ring->map_lock);
	mutex_unlock(&end->io_lock);
	if (len)
		secbuf_ring_end_notify(end);
	return 0;
}

/**
 * secbuf_ring_reserve() - space to write to
 * @end: a producer of bytes
 * @len: bytes wanted, and then what there is: contiguous memory ends with a
 *       page. Not 0
 *
 * To be ended by secbuf_ring_commit() or secbuf_ring_cancel(), by the same task
 * and soon: the other end cannot die in between. User memory must not be
 * touched, as it may be a mapping of the ring.
 *
 * Context: process, may sleep.
 * Return: where to write, or an error pointer: -EAGAIN (no space: @notify is
 * called when that has changed, and secbuf_ring_wait() waits for it), -EINVAL,
 * -EPIPE, -EPROTO, -ESHUTDOWN, -ENOMEM.
 */
void *secbuf_ring_reserve(struct secbuf_ring_end *end, size_t *len)
{
	return secbuf_ring_is_producer(end) ? span_begin(end, len) :
					      ERR_PTR(-EINVAL);
}
EXPORT_SYMBOL_GPL(secbuf_ring_reserve);

/**
 * secbuf_ring_commit() - publish what was written to reserved space
 * @end: a producer
 * @len: bytes from the beginning of it; the rest is zeroized
 *
 * Context: process, may sleep.
 * Return: 0, or -EINVAL: more than was reserved, and it stays reserved.
 */
int secbuf_ring_commit(struct secbuf_ring_end *end, size_t len)
{
	struct ring_port *port = end->priv;

	return span_end(end, len, len, max(len, port->span));
}
EXPORT_SYMBOL_GPL(secbuf_ring_commit);

/**
 * secbuf_ring_cancel() - zeroize reserved space and give it back
 * @end: a producer
 *
 * Context: process, may sleep.
 */
void secbuf_ring_cancel(struct secbuf_ring_end *end)
{
	secbuf_ring_commit(end, 0);
}
EXPORT_SYMBOL_GPL(secbuf_ring_cancel);

/**
 * secbuf_ring_peek() - bytes to read where they are
 * @end: a consumer of bytes
 * @len: most bytes wanted, and then what there is. Not 0
 *
 * The process can change them at any time. To be ended by secbuf_ring_consume(),
 * as secbuf_ring_reserve() by its likes.
 *
 * Context: process, may sleep.
 * Return: where they are, or an error pointer: -EAGAIN (nothing there: @notify is
 * called when that has changed, and secbuf_ring_wait() waits for it), -EINVAL,
 * -EPROTO, -ESHUTDOWN, -ENOMEM.
 */
void *secbuf_ring_peek(struct secbuf_ring_end *end, size_t *len)
{
	return secbuf_ring_is_producer(end) ? ERR_PTR(-EINVAL) :
					      span_begin(end, len);
}
EXPORT_SYMBOL_GPL(secbuf_ring_peek);

/**
 * secbuf_ring_consume() - zeroize bytes and give their space back
 * @end: a consumer
 * @len: bytes from the beginning of what was peeked at; the others stay. Can be
 *       0
 *
 * Context: process, may sleep.
 * Return: 0, or -EINVAL: more than was peeked at, and the peek goes on.
 */
int secbuf_ring_consume(struct secbuf_ring_end *end, size_t len)
{
	return span_end(end, len, 0, len);
}
EXPORT_SYMBOL_GPL(secbuf_ring_consume);

/**
 * secbuf_ring_clear() - zeroize and forget everything that was produced
 * @end: a consumer
 *
 * Context: process, may sleep.
 * Return: 0, -EPROTO, -ESHUTDOWN, -EINVAL (a producer).
 */
int secbuf_ring_clear(struct secbuf_ring_end *end)
{
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;
	int err;

	if (secbuf_ring_is_producer(end))
		return -EINVAL;
	mutex_lock(&end->io_lock);
	down_read(&ring->map_lock);
	err = secbuf_ring_end_view(end, &view);
	if (!err) {
		secbuf_ring_memory_zeroize(&ring->memory, view.own,
					   view.amount);
		secbuf_ring_end_advance(end, view.own + view.amount);
	}
	up_read(&ring->map_lock);
	mutex_unlock(&end->io_lock);
	if (!err)
		secbuf_ring_end_notify(end);
	return err;
}
EXPORT_SYMBOL_GPL(secbuf_ring_clear);

/**
 * secbuf_ring_wait() - sleep until so many bytes can be moved
 * @end: the end
 * @min: bytes, from 1 to the size of the ring
 * @timeout: in jiffies; MAX_SCHEDULE_TIMEOUT for no limit
 *
 * Context: process, may sleep.
 * Return: 0, -ETIMEDOUT, -EINTR, -EPIPE (the process is gone; of a consumer: and
 * there is less than @min), -EPROTO, -ESHUTDOWN, -EINVAL.
 */
int secbuf_ring_wait(struct secbuf_ring_end *end, size_t min, long timeout)
{
	if (!min || min > end->ring->size)
		return -EINVAL;
	return secbuf_ring_await(end, min, timeout, 0);
}
EXPORT_SYMBOL_GPL(secbuf_ring_wait);

static ssize_t amount_of(struct secbuf_ring_end *end, u64 *amount)
{
	int err = secbuf_ring_ready(end, 0, amount);

	return err == -EPIPE ? 0 : err;
}

/**
 * secbuf_ring_used() - bytes that were produced and not consumed
 * @end: any end
 *
 * Context: process, may sleep.
 * Return: how many, or -EPROTO, -ESHUTDOWN.
 */
ssize_t secbuf_ring_used(struct secbuf_ring_end *end)
{
	u64 amount;
	int err = amount_of(end, &amount);

	if (err)
		return err;
	return secbuf_ring_is_producer(end) ? end->ring->size - amount : amount;
}
EXPORT_SYMBOL_GPL(secbuf_ring_used);

/**
 * secbuf_ring_space() - bytes that can be produced
 * @end: any end
 *
 * Context: process, may sleep.
 * Return: how many, or -EPROTO, -ESHUTDOWN.
 */
ssize_t secbuf_ring_space(struct secbuf_ring_end *end)
{
	ssize_t used = secbuf_ring_used(end);

	return used < 0 ? used : (ssize_t)end->ring->size - used;
}
EXPORT_SYMBOL_GPL(secbuf_ring_space);

/**
 * secbuf_ring_get_stats() - counters
 * @end: any end
 * @stats: filled
 *
 * Context: process, may sleep.
 */
void secbuf_ring_get_stats(struct secbuf_ring_end *end,
			   struct secbuf_ring_stats *stats)
{
	struct secbuf_ring_stats_args args;

	secbuf_ring_fill_stats(end->ring, &args);
	*stats = (struct secbuf_ring_stats){
		.produced = args.out_produced,
		.consumed = args.out_consumed,
		.bytes = args.out_bytes,
		.peak_bytes = args.out_peak_bytes,
		.bytes_zeroized = args.out_bytes_zeroized,
		.sleeps = args.out_sleeps,
		.wakes = args.out_wakes,
		.idle_ns = args.out_idle_ns,
	};
}
EXPORT_SYMBOL_GPL(secbuf_ring_get_stats);
