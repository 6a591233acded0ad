// SPDX-License-Identifier: GPL-2.0
/*
 * Rings for other modules: bytes or several records at once, between a ring and
 * memory of the kernel. That needs no faulting in, so that all of it becomes
 * visible by one store.
 */
#include "ring_batch.h"

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "ring.h"
#include "ring_pos.h"
#include "ring_wait.h"

/* All pages are there. */
static void put(struct secbuf_ring_memory *memory, u64 pos, const void *buf,
		size_t len)
{
	size_t offset, n;
	struct page *page;

	for (; len; pos += n, buf += n, len -= n) {
		offset = offset_in_page(pos);
		n = min_t(size_t, len, PAGE_SIZE - offset);
		page = secbuf_ring_memory_page(memory, pos >> PAGE_SHIFT);
		memcpy(page_address(page) + offset, buf, n);
		if (n < len)
			cond_resched();
	}
}

/* Where nobody ever wrote there are zeros. */
static void get(struct secbuf_ring_memory *memory, u64 pos, void *buf,
		size_t len)
{
	size_t offset, n;
	struct page *page;

	for (; len; pos += n, buf += n, len -= n) {
		offset = offset_in_page(pos);
		n = min_t(size_t, len, PAGE_SIZE - offset);
		page = secbuf_ring_memory_page(memory, pos >> PAGE_SHIFT);
		memcpy(buf, page_address(page ?: ZERO_PAGE(0)) + offset, n);
		if (n < len)
			cond_resched();
	}
}

/* The first page that is not there, or -1. @len: not 0. */
static long first_missing(struct secbuf_ring_memory *memory, u64 pos, u64 len)
{
	unsigned long index = pos >> PAGE_SHIFT;
	unsigned long last = (pos + len - 1) >> PAGE_SHIFT;

	for (;; index++) {
		if (!secbuf_ring_memory_page(memory, index))
			return index & ((memory->size >> PAGE_SHIFT) - 1);
		if (index == last)
			return -1;
	}
}

/* Under map_lock. */
static int producer_view(struct secbuf_ring_end *end,
			 struct secbuf_ring_view *view)
{
	int err = secbuf_ring_end_view(end, view);

	return err ?: secbuf_ring_peer(end)->gone ? -EPIPE : 0;
}

/**
 * struct ring_batch - what is to be produced at once
 * @vecs: bytes, or the payloads of records
 * @nr: how many of them; no more than fit
 * @bytes: of the ring that they take
 * @records: which of the two
 */
struct ring_batch {
	const struct kvec *vecs;
	unsigned int nr;
	u64 bytes;
	bool records;
};

/* Of records as many as fit. False if none does. */
static bool batch_fit(struct ring_batch *batch, u64 space)
{
	if (!batch->records)
		return batch->bytes <= space;
	while (batch->bytes > space) {
		batch->nr--;
		batch->bytes -=
			secbuf_ring_record_size(batch->vecs[batch->nr].iov_len);
	}
	return batch->nr;
}

/* NULL where nobody ever wrote. */
static void *address_of(struct secbuf_ring_memory *memory, u64 pos)
{
	struct page *page = secbuf_ring_memory_page(memory, pos >> PAGE_SHIFT);

	return page ? page_address(page) + offset_in_page(pos) : NULL;
}

/* A length, which lies on one page, the payload, and zeros up to the next one. */
static void put_split_record(struct secbuf_ring_memory *memory, u64 pos,
			     const struct kvec *vec)
{
	u64 last = pos + secbuf_ring_record_size(vec->iov_len) -
		   SECBUF_RING_RECORD_ALIGN;

	secbuf_ring_memory_zeroize(memory, last, SECBUF_RING_RECORD_ALIGN);
	put(memory, pos + SECBUF_RING_RECORD_HEADER, vec->iov_base,
	    vec->iov_len);
	WRITE_ONCE(*(u32 *)address_of(memory, pos), vec->iov_len);
}

/* The same where all of it is on a page. The payload may end in the last word. */
static void put_record(u8 *to, const struct kvec *vec, size_t size)
{
	WRITE_ONCE(*(u32 *)(to + size - SECBUF_RING_RECORD_ALIGN), 0);
	memcpy(to + SECBUF_RING_RECORD_HEADER, vec->iov_base, vec->iov_len);
	WRITE_ONCE(*(u32 *)to, vec->iov_len);
}

static void batch_put_records(const struct ring_batch *batch,
			      struct secbuf_ring_memory *memory, u64 pos)
{
	const struct kvec *vec = batch->vecs, *end = vec + batch->nr;
	u8 *to = address_of(memory, pos);
	u64 size;

	for (; vec < end; vec++, pos += size) {
		size = secbuf_ring_record_size(vec->iov_len);
		if (offset_in_page(pos) + size < PAGE_SIZE) {
			put_record(to, vec, size);
			to += size;
		} else {
			put_split_record(memory, pos, vec);
			to = address_of(memory, pos + size);
		}
	}
}

static void batch_put(const struct ring_batch *batch,
		      struct secbuf_ring_memory *memory, u64 pos)
{
	if (batch->records)
		batch_put_records(batch, memory, pos);
	else
		put(memory, pos, batch->vecs->iov_base, batch->vecs->iov_len);
}

/* Under io_lock: nobody takes memory, and what was filled stays. */
static int put_batch(struct secbuf_ring_end *end, struct ring_batch *batch)
{
	struct secbuf_ring_memory *memory = &end->ring->memory;
	struct secbuf_ring_view view;
	long missing;
	int err;

	for (;;) {
		down_read(&end->ring->map_lock);
		err = producer_view(end, &view);
		if (err)
			break;
		if (!batch_fit(batch, view.amount)) {
			err = -EAGAIN;
			break;
		}
		missing = first_missing(memory, view.own, batch->bytes);
		if (missing < 0) {
			batch_put(batch, memory, view.own);
			secbuf_ring_end_advance(end, view.own + batch->bytes);
			break;
		}
		up_read(&end->ring->map_lock);
		err = secbuf_ring_memory_fill(memory, missing, SECBUF_GFP);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			return err;
	}
	up_read(&end->ring->map_lock);
	return err;
}

static int put_locked(struct secbuf_ring_end *end, struct ring_batch *batch)
{
	int err;

	if (mutex_lock_interruptible(&end->io_lock))
		return -EINTR;
	err = put_batch(end, batch);
	mutex_unlock(&end->io_lock);
	if (!err)
		secbuf_ring_end_notify(end);
	return err;
}

static int put_bytes(struct secbuf_ring_end *end, const void *buf, size_t len)
{
	const struct kvec vec = { (void *)buf, len };
	struct ring_batch batch = { .vecs = &vec, .nr = 1, .bytes = len };

	return put_locked(end, &batch);
}

/* All lengths are looked at before anything is put. Returns how many were. */
static ssize_t put_records(struct secbuf_ring_end *end,
			   const struct kvec *records, unsigned int nr)
{
	struct ring_batch batch = { .vecs = records, .nr = nr, .records = true };
	size_t most = end->ring->size - SECBUF_RING_RECORD_HEADER;
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		if (!records[i].iov_len)
			return -EINVAL;
		if (records[i].iov_len > most)
			return -EMSGSIZE;
		batch.bytes += secbuf_ring_record_size(records[i].iov_len);
	}
	err = put_locked(end, &batch);
	return err ? err : (ssize_t)batch.nr;
}

/* One record of those that @view has, which then begins behind it. */
static int get_record(struct secbuf_ring_memory *memory,
		      struct secbuf_ring_view *view, struct kvec *record)
{
	u32 *header, len;

	if (!view->amount)
		return -EAGAIN;
	/* A length lies on one page. */
	header = address_of(memory, view->own);
	len = header ? READ_ONCE(*header) : 0;
	if (!secbuf_ring_record_valid(len, view->amount))
		return -EPROTO;
	if (len > record->iov_len)
		return -EMSGSIZE;
	get(memory, view->own + SECBUF_RING_RECORD_HEADER, record->iov_base,
	    len);
	record->iov_len = len;
	view->own += secbuf_ring_record_size(len);
	view->amount -= secbuf_ring_record_size(len);
	return 0;
}

/* Under io_lock. */
static ssize_t get_batch(struct secbuf_ring_end *end, struct kvec *records,
			 unsigned int nr)
{
	struct secbuf_ring *ring = end->ring;
	struct secbuf_ring_view view;
	unsigned int i = 0;
	u64 begin;
	int err;

	down_read(&ring->map_lock);
	err = secbuf_ring_end_view(end, &view);
	if (err)
		goto out_unlock;
	for (begin = view.own; i < nr && !err; i += !err)
		err = get_record(&ring->memory, &view, &records[i]);
	if (err == -EPROTO)
		secbuf_ring_break(ring);
	if (!i)
		goto out_unlock;
	secbuf_ring_memory_zeroize(&ring->memory, begin, view.own - begin);
	secbuf_ring_end_advance(end, view.own);
out_unlock:
	up_read(&ring->map_lock);
	return i ? (ssize_t)i : err;
}

/* Returns how many were got. */
static ssize_t get_records(struct secbuf_ring_end *end, struct kvec *records,
			   unsigned int nr)
{
	ssize_t ret;

	if (mutex_lock_interruptible(&end->io_lock))
		return -EINTR;
	ret = get_batch(end, records, nr);
	mutex_unlock(&end->io_lock);
	if (ret > 0)
		secbuf_ring_end_notify(end);
	return ret;
}

/*
 * How often there may be less space after waiting than was waited for. Space does
 * not become less while nobody uses it, unless the process moves its position
 * back.
 */
#define SECBUF_RING_PATIENCE	16

/*
 * After -EAGAIN: 0 when it is worth another try. @tries: how many there were, 0 at
 * first.
 */
static int wait_for_peer(struct secbuf_ring_end *end, u64 min, long timeout,
			 int *tries)
{
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	if ((*tries)++ == SECBUF_RING_PATIENCE) {
		secbuf_ring_break(end->ring);
		return -EPROTO;
	}
	cond_resched();
	err = secbuf_ring_await(end, min, timeout, 0);
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

static int write_bytes(struct secbuf_ring_end *end, const void *buf, size_t len,
		       long timeout)
{
	int err, tries = 0;

	if (len > end->ring->size)
		return -EMSGSIZE;
	for (;;) {
		err = put_bytes(end, buf, len);
		if (err != -EAGAIN)
			return err;
		err = wait_for_peer(end, len, timeout, &tries);
		if (err)
			return err;
	}
}

/**
 * secbuf_ring_write_records() - write several records
 * @end: a producer of records
 * @records: their payloads; in memory that is zeroized by the caller if it must
 *           be
 * @nr: how many
 * @timeout: to wait for space for the first, in jiffies; 0 or
 *           MAX_SCHEDULE_TIMEOUT
 *
 * As many as there is space for, from the first on. The process sees them all at
 * the same time, and is woken once if it sleeps: a record of a batch costs a
 * fraction of what it does on its own.
 *
 * Context: process, may sleep.
 * Return: how many were written, at least 1 unless @nr is 0; -EAGAIN, -EMSGSIZE
 * (one of them can never fit), -EPIPE, -EPROTO, -ESHUTDOWN, -EINTR, -ENOMEM,
 * -EINVAL (one of them is empty, or not a producer of records). On failure
 * nothing is written.
 */
ssize_t secbuf_ring_write_records(struct secbuf_ring_end *end,
				  const struct kvec *records, unsigned int nr,
				  long timeout)
{
	int err, tries = 0;
	ssize_t ret;

	if (!secbuf_ring_is_producer(end) || !secbuf_ring_has_records(end->ring))
		return -EINVAL;
	if (!nr)
		return 0;
	for (;;) {
		ret = put_records(end, records, nr);
		if (ret != -EAGAIN)
			return ret;
		err = wait_for_peer(end,
				    secbuf_ring_record_size(records->iov_len),
				    timeout, &tries);
		if (err)
			return err;
	}
}
EXPORT_SYMBOL_GPL(secbuf_ring_write_records);

/**
 * secbuf_ring_read_records() - read several records
 * @end: a consumer of records
 * @records: where their payloads go, and how much fits there; then how long each
 *           is. To be zeroized by the caller if it must be
 * @nr: how many, at most
 * @timeout: to wait until there is one, in jiffies; 0 or MAX_SCHEDULE_TIMEOUT
 *
 * As many as there are, up to the first that does not fit.
 *
 * Context: process, may sleep.
 * Return: how many were read; 0 if the process is gone and there are no more;
 * -EAGAIN, -EMSGSIZE (the first does not fit, and stays), -EPROTO, -ESHUTDOWN,
 * -EINTR, -EINVAL (not a consumer of records).
 */
ssize_t secbuf_ring_read_records(struct secbuf_ring_end *end,
				 struct kvec *records, unsigned int nr,
				 long timeout)
{
	int err, tries = 0;
	ssize_t ret;

	if (secbuf_ring_is_producer(end) || !secbuf_ring_has_records(end->ring))
		return -EINVAL;
	if (!nr)
		return 0;
	for (;;) {
		ret = get_records(end, records, nr);
		if (ret != -EAGAIN)
			return ret;
		err = wait_for_peer(end, 1, timeout, &tries);
		if (err)
			return err == -EPIPE ? 0 : err;
	}
}
EXPORT_SYMBOL_GPL(secbuf_ring_read_records);

/**
 * secbuf_ring_write() - write bytes, or a record; all or nothing
 * @end: a producer
 * @buf: the bytes; in memory that is zeroized by the caller if it must be
 * @len: how many
 * @timeout: to wait for space, in jiffies; 0 or MAX_SCHEDULE_TIMEOUT
 *
 * Wakes the process if it sleeps.
 *
 * Context: process, may sleep.
 * Return: 0, -EAGAIN, -EMSGSIZE (it can never fit), -EPIPE, -EPROTO, -ESHUTDOWN,
 * -EINTR, -ENOMEM, -EINVAL (a consumer). On failure nothing is written.
 */
int secbuf_ring_write(struct secbuf_ring_end *end, const void *buf, size_t len,
		      long timeout)
{
	const struct kvec record = { (void *)buf, len };
	ssize_t ret;

	if (!secbuf_ring_is_producer(end))
		return -EINVAL;
	if (!len)
		return 0;
	if (!secbuf_ring_has_records(end->ring))
		return write_bytes(end, buf, len, timeout);
	ret = secbuf_ring_write_records(end, &record, 1, timeout);
	return ret < 0 ? ret : 0;
}
EXPORT_SYMBOL_GPL(secbuf_ring_write);
