// SPDX-License-Identifier: GPL-2.0
/*
 * Copying bytes and records into and out of a ring by the kernel.
 *
 * Bytes are copied under map_lock, so that the end can die at any time without
 * waiting for long, and therefore with page faults disabled. Where a copy stops
 * for want of a page of the caller's, that is faulted in without the lock, and
 * everything is looked at again. A caller can also have a mapping of the ring
 * itself faulted in that way.
 */
#include "ring_io.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "page.h"
#include "ring.h"
#include "ring_pos.h"
#include "ring_wait.h"

/* How often memory of the caller may vanish between faulting in and copying. */
#define SECBUF_RING_FAULTS	16

/* How often in a row a call may wake up for nothing before it pauses. */
#define RING_VAIN_MAX	16

/**
 * struct ring_copy - a copy in progress
 * @end: the side
 * @iter: the other bytes
 * @faults: to be allowed still without a byte copied
 */
struct ring_copy {
	struct secbuf_ring_end *end;
	struct iov_iter *iter;
	int faults;
};

static void wake_peer(struct secbuf_ring_end *end)
{
	secbuf_ring_end_notify(end);
}

/*
 * Up to @len bytes from @pos, but not beyond a page. Where nobody ever wrote
 * there are zeros. Returns bytes copied.
 */
static size_t copy_out(struct ring_copy *copy, u64 pos, u64 len)
{
	struct secbuf_ring_memory *memory = &copy->end->ring->memory;
	size_t offset = offset_in_page(pos), n;
	struct page *page;

	lockdep_assert_held(&copy->end->ring->map_lock);
	page = secbuf_ring_memory_page(memory, pos >> PAGE_SHIFT);
	if (!page)
		page = ZERO_PAGE(0);
	n = min_t(u64, len, PAGE_SIZE - offset);
	pagefault_disable();
	n = copy_to_iter(page_address(page) + offset, n, copy->iter);
	pagefault_enable();
	return n;
}

/*
 * The same into the ring. What a fault left behind what was copied is zeroized:
 * nobody else would do that. Returns bytes copied, or -ENOENT if there is no
 * page.
 */
static ssize_t copy_in(struct ring_copy *copy, u64 pos, u64 len)
{
	struct secbuf_ring_memory *memory = &copy->end->ring->memory;
	size_t offset = offset_in_page(pos), n, copied;
	struct page *page;

	lockdep_assert_held(&copy->end->ring->map_lock);
	page = secbuf_ring_memory_page(memory, pos >> PAGE_SHIFT);
	if (!page)
		return -ENOENT;
	n = min_t(u64, len, PAGE_SIZE - offset);
	pagefault_disable();
	copied = copy_from_iter(page_address(page) + offset, n, copy->iter);
	pagefault_enable();
	secbuf_ring_memory_zeroize(memory, pos + copied, n - copied);
	return copied;
}

/* Without map_lock. Returns 0 if it is worth another try. */
static int fault_in(struct ring_copy *copy, u64 len, bool to_user)
{
	size_t n = min_t(u64, len, PAGE_SIZE), missing;

	if (!copy->faults--)
		return -EFAULT;
	if (fatal_signal_pending(current))
		return -EINTR;
	missing = to_user ? fault_in_iov_iter_writeable(copy->iter, n) :
			    fault_in_iov_iter_readable(copy->iter, n);
	return missing == n ? -EFAULT : 0;
}

static int fill(struct secbuf_ring_end *end, u64 pos)
{
	struct secbuf_ring *ring = end->ring;
	unsigned long index = (pos & (ring->size - 1)) >> PAGE_SHIFT;

	return secbuf_ring_memory_fill(&ring->memory, index, SECBUF_GFP);
}

/* Returns bytes consumed, 0 if something must be faulted in first, or -errno. */
static ssize_t read_chunk(struct ring_copy *copy)
{
	struct secbuf_ring_end *end = copy->end;
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;
	ssize_t ret;

	down_read(&ring->map_lock);
	ret = secbuf_ring_end_view(end, &view);
	if (ret)
		goto out_unlock;
	ret = -EAGAIN;
	if (!view.amount)
		goto out_unlock;
	ret = copy_out(copy, view.own,
		       min_t(u64, view.amount, iov_iter_count(copy->iter)));
	if (ret) {
		secbuf_ring_memory_zeroize(&ring->memory, view.own, ret);
		secbuf_ring_end_advance(end, view.own + ret);
	}
out_unlock:
	up_read(&ring->map_lock);
	return ret;
}

static ssize_t read_bytes(struct secbuf_ring_end *end, struct iov_iter *to)
{
	struct ring_copy copy = { end, to, SECBUF_RING_FAULTS };
	ssize_t ret = 0, done = 0;

	while (iov_iter_count(to)) {
		ret = read_chunk(&copy);
		if (!ret)
			ret = fault_in(&copy, iov_iter_count(to), true);
		else if (ret > 0)
			copy.faults = SECBUF_RING_FAULTS;
		if (ret < 0)
			break;
		done += ret;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	if (done)
		wake_peer(end);
	return done ?: ret;
}

/*
 * The record at the tail. Its length is read once. -EPROTO breaks the ring only
 * if a consumer finds it: while he zeroizes what he has consumed, others can see
 * anything here.
 */
static int next_record(struct secbuf_ring_end *end,
		       struct secbuf_ring_view *view, u32 *len)
{
	struct page *page;
	int err;

	err = secbuf_ring_end_view(end, view);
	if (err)
		return err;
	if (!view->amount)
		return -EAGAIN;
	/* Positions are aligned, so the length lies on one page. */
	page = secbuf_ring_memory_page(&end->ring->memory,
				       view->own >> PAGE_SHIFT);
	*len = page ? READ_ONCE(*(u32 *)(page_address(page) +
					 offset_in_page(view->own))) : 0;
	return secbuf_ring_record_valid(*len, view->amount) ? 0 : -EPROTO;
}

/*
 * Copies of the record what is not @done yet. Returns bytes copied, 0 if
 * something must be faulted in first.
 */
static ssize_t read_record_chunk(struct ring_copy *copy, u64 own, u32 len,
				 u32 done)
{
	struct secbuf_ring_end *end = copy->end;
	struct secbuf_ring_view view;
	ssize_t ret;

	down_read(&end->ring->map_lock);
	ret = secbuf_ring_end_view(end, &view);
	/* Another thread of this side may have consumed it meanwhile. */
	if (!ret && (view.own != own ||
		     view.amount < secbuf_ring_record_size(len)))
		ret = -EBUSY;
	if (!ret)
		ret = copy_out(copy, own + SECBUF_RING_RECORD_HEADER + done,
			       len - done);
	up_read(&end->ring->map_lock);
	return ret;
}

static int consume_record(struct secbuf_ring_end *end, u64 own, u32 len)
{
	u64 size = secbuf_ring_record_size(len);
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;
	int err;

	down_read(&ring->map_lock);
	err = secbuf_ring_end_view(end, &view);
	if (!err && (view.own != own || view.amount < size))
		err = -EBUSY;
	if (!err) {
		secbuf_ring_memory_zeroize(&ring->memory, own, size);
		secbuf_ring_end_advance(end, own + size);
	}
	up_read(&ring->map_lock);
	return err;
}

/* A record is consumed when all of it has been copied. */
static ssize_t read_record(struct secbuf_ring_end *end, struct iov_iter *to)
{
	struct ring_copy copy = { end, to, SECBUF_RING_FAULTS };
	struct secbuf_ring_view view;
	u32 len, done = 0;
	ssize_t ret;

	down_read(&end->ring->map_lock);
	ret = next_record(end, &view, &len);
	if (ret == -EPROTO)
		secbuf_ring_break(end->ring);
	up_read(&end->ring->map_lock);
	if (ret)
		return ret;
	if (len > iov_iter_count(to))
		return -EMSGSIZE;
	while (done < len) {
		ret = read_record_chunk(&copy, view.own, len, done);
		if (!ret)
			ret = fault_in(&copy, len - done, true);
		else if (ret > 0)
			copy.faults = SECBUF_RING_FAULTS;
		if (ret >= 0 && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret < 0)
			return ret;
		done += ret;
		cond_resched();
	}
	ret = consume_record(end, view.own, len);
	if (ret)
		return ret;
	wake_peer(end);
	return len;
}

/* Returns bytes produced, 0 if something must be faulted in first, or -errno. */
static ssize_t write_chunk(struct ring_copy *copy, u64 *pos)
{
	struct secbuf_ring_end *end = copy->end;
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;
	ssize_t ret;

	down_read(&ring->map_lock);
	ret = secbuf_ring_end_view(end, &view);
	if (!ret && secbuf_ring_peer(end)->gone)
		ret = -EPIPE;
	if (ret)
		goto out_unlock;
	ret = -EAGAIN;
	if (!view.amount)
		goto out_unlock;
	*pos = view.own;
	ret = copy_in(copy, view.own,
		      min_t(u64, view.amount, iov_iter_count(copy->iter)));
	if (ret > 0)
		secbuf_ring_end_advance(end, view.own + ret);
out_unlock:
	up_read(&ring->map_lock);
	return ret;
}

static ssize_t write_bytes(struct secbuf_ring_end *end, struct iov_iter *from)
{
	struct ring_copy copy = { end, from, SECBUF_RING_FAULTS };
	ssize_t ret = 0, done = 0;
	u64 pos;

	while (iov_iter_count(from)) {
		ret = write_chunk(&copy, &pos);
		if (ret == -ENOENT)
			ret = fill(end, pos);
		else if (!ret)
			ret = fault_in(&copy, iov_iter_count(from), false);
		else if (ret > 0)
			copy.faults = SECBUF_RING_FAULTS;
		if (ret < 0)
			break;
		done += ret;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	if (done)
		wake_peer(end);
	return done ?: ret;
}

/*
 * Space for a record of @size bytes at @own, which must be where the head still
 * is unless nothing was written yet.
 */
static int record_space(struct secbuf_ring_end *end, u64 size, u64 *own,
			bool begun)
{
	struct secbuf_ring_view view;
	int err;

	err = secbuf_ring_end_view(end, &view);
	if (err)
		return err;
	if (secbuf_ring_peer(end)->gone)
		return -EPIPE;
	if (begun && view.own != *own)
		return -EBUSY;
	*own = view.own;
	return view.amount < size ? -EAGAIN : 0;
}

static ssize_t write_record_chunk(struct ring_copy *copy, u64 *own, u32 len,
				  u32 done)
{
	struct secbuf_ring_end *end = copy->end;
	ssize_t ret;

	down_read(&end->ring->map_lock);
	ret = record_space(end, secbuf_ring_record_size(len), own, done);
	if (!ret)
		ret = copy_in(copy, *own + SECBUF_RING_RECORD_HEADER + done,
			      len - done);
	up_read(&end->ring->map_lock);
	return ret;
}

/* The length, and zeros behind the payload; then it is a record. */
static int publish_record(struct secbuf_ring_end *end, u64 own, u32 len)
{
	u64 size = secbuf_ring_record_size(len);
	u64 last = own + SECBUF_RING_RECORD_HEADER + len;
	struct secbuf_ring *ring = end->ring;
	struct page *page;
	int err;

	down_read(&ring->map_lock);
	err = record_space(end, size, &own, true);
	if (err)
		goto out_unlock;
	page = secbuf_ring_memory_page(&ring->memory, own >> PAGE_SHIFT);
	if (!page) {
		err = -ENOENT;
		goto out_unlock;
	}
	secbuf_ring_memory_zeroize(&ring->memory, last, own + size - last);
	WRITE_ONCE(*(u32 *)(page_address(page) + offset_in_page(own)), len);
	secbuf_ring_end_advance(end, own + size);
out_unlock:
	up_read(&ring->map_lock);
	return err;
}

/* Unless another thread of this side has published it by moving the head. */
static void forget_record(struct secbuf_ring_end *end, u64 own, u32 done)
{
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;

	down_read(&ring->map_lock);
	if (secbuf_ring_end_view(end, &view) || view.own == own)
		secbuf_ring_memory_zeroize(&ring->memory, own,
					   SECBUF_RING_RECORD_HEADER + done);
	up_read(&ring->map_lock);
}

static ssize_t write_payload(struct ring_copy *copy, u64 *own, u32 len,
			     u32 *done)
{
	struct secbuf_ring_end *end = copy->end;
	ssize_t ret;

	while (*done < len) {
		ret = write_record_chunk(copy, own, len, *done);
		if (ret == -ENOENT)
			ret = fill(end, *own + SECBUF_RING_RECORD_HEADER +
				   *done);
		else if (!ret)
			ret = fault_in(copy, len - *done, false);
		else if (ret > 0)
			copy->faults = SECBUF_RING_FAULTS;
		if (ret >= 0 && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret < 0)
			return ret;
		*done += ret;
		cond_resched();
	}
	return 0;
}

static ssize_t write_record(struct secbuf_ring_end *end, struct iov_iter *from)
{
	struct ring_copy copy = { end, from, SECBUF_RING_FAULTS };
	u32 len = iov_iter_count(from), done = 0;
	u64 own = 0;
	ssize_t ret;

	ret = write_payload(&copy, &own, len, &done);
	if (ret)
		goto out_forget;
	do {
		ret = publish_record(end, own, len);
		if (ret == -ENOENT)
			ret = fill(end, own) ?: -ENOENT;
	} while (ret == -ENOENT && !fatal_signal_pending(current));
	if (ret)
		goto out_forget;
	wake_peer(end);
	return len;

out_forget:
	if (done)
		forget_record(end, own, done);
	/* The caller may wait and come again. */
	iov_iter_revert(from, done);
	return ret == -ENOENT ? -EINTR : ret;
}

/* What one call for so many bytes needs at least before it can do anything. */
static u64 least(const struct secbuf_ring_end *end, size_t count)
{
	if (secbuf_ring_is_producer(end) && secbuf_ring_has_records(end->ring))
		return secbuf_ring_record_size(count);
	return 1;
}

/*
 * @vain counts how often in a row there was something to wake up for, but not
 * any more when it was looked at: another thread can do that, and a hostile peer
 * without end, who must not keep a CPU busy with that.
 */
static int sleep_for(struct secbuf_ring_end *end, size_t count, long timeout,
		     u32 generation, unsigned int *vain)
{
	int err;

	err = secbuf_ring_await(end, least(end, count), timeout, generation);
	if (err)
		return err == -ETIMEDOUT ? -EAGAIN : err;
	if (++*vain % RING_VAIN_MAX)
		return 0;
	if (!timeout)
		return -EAGAIN;
	schedule_timeout_interruptible(1);
	return signal_pending(current) ? -EINTR : 0;
}

/**
 * secbuf_ring_read_iter() - consume bytes, or one record
 * @end: the consumer
 * @to: where they go; not empty
 * @timeout: to sleep while there is nothing, in jiffies
 * @generation: of the end
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: bytes consumed; 0 if there will never be any; -EAGAIN, -EMSGSIZE,
 * -EINTR, -EFAULT, -EPROTO, -ESHUTDOWN, -EPERM, -EBUSY.
 */
ssize_t secbuf_ring_read_iter(struct secbuf_ring_end *end, struct iov_iter *to,
			      long timeout, u32 generation)
{
	unsigned int vain = 0;
	ssize_t ret;
	int err;

	for (;;) {
		if (mutex_lock_interruptible(&end->io_lock))
			return -EINTR;
		ret = READ_ONCE(end->generation) != generation ? -EPERM :
		      secbuf_ring_has_records(end->ring) ?
		      read_record(end, to) : read_bytes(end, to);
		mutex_unlock(&end->io_lock);
		if (ret != -EAGAIN)
			return ret;
		err = sleep_for(end, 1, timeout, generation, &vain);
		if (err)
			return err == -EPIPE ? 0 : err;
	}
}

/**
 * secbuf_ring_write_iter() - produce bytes, or one record
 * @end: the producer
 * @from: where they come from; not empty
 * @timeout: to sleep while there is no space, in jiffies, each time
 * @generation: of the end
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: bytes produced, fewer than there are if it was stopped in between;
 * if none -EAGAIN, -EMSGSIZE, -EINTR, -EFAULT, -ENOMEM, -EPIPE, -EPROTO,
 * -ESHUTDOWN, -EPERM, -EBUSY.
 */
ssize_t secbuf_ring_write_iter(struct secbuf_ring_end *end,
			       struct iov_iter *from, long timeout,
			       u32 generation)
{
	bool records = secbuf_ring_has_records(end->ring);
	size_t count = iov_iter_count(from);
	unsigned int vain = 0;
	ssize_t ret, done = 0;

	if (records && (count > end->ring->size ||
			least(end, count) > end->ring->size))
		return -EMSGSIZE;
	while (iov_iter_count(from)) {
		/* A peer that always leaves some space is not to keep us alive. */
		if (fatal_signal_pending(current) ||
		    mutex_lock_interruptible(&end->io_lock))
			return done ?: -EINTR;
		ret = READ_ONCE(end->generation) != generation ? -EPERM :
		      records ? write_record(end, from) :
				write_bytes(end, from);
		mutex_unlock(&end->io_lock);
		if (ret > 0) {
			done += ret;
			vain = 0;
		}
		if (ret == -EAGAIN)
			ret = sleep_for(end, count, timeout, generation,
					&vain);
		if (ret < 0)
			return done ?: ret;
	}
	return done;
}

/**
 * secbuf_ring_next_len() - what the next read() would give
 * @end: who asks
 * @len: bytes used; of records the payload of the next one, or 0
 *
 * Context: process, may sleep. Takes map_lock.
 * Return: 0, -EPROTO, -ESHUTDOWN, -EBUSY.
 */
int secbuf_ring_next_len(struct secbuf_ring_end *end, u64 *len)
{
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_end *consumer =
		&ring->ends[SECBUF_RING_END_CONSUMER];
	struct secbuf_ring_view view = {};
	u32 payload = 0;
	int err;

	*len = 0;
	down_read(&ring->map_lock);
	err = secbuf_ring_end_state(end);
	if (err || consumer->gone)
		goto out_unlock;
	if (secbuf_ring_has_records(ring)) {
		err = next_record(consumer, &view, &payload);
		if (err == -EPROTO && end == consumer)
			secbuf_ring_break(ring);
		if (err == -EAGAIN || (err == -EPROTO && end != consumer)) {
			payload = 0;
			err = secbuf_ring_end_state(end);
		}
		*len = payload;
	} else {
		err = secbuf_ring_end_view(consumer, &view);
		*len = view.amount;
	}
out_unlock:
	up_read(&ring->map_lock);
	return err;
}
