// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Records of a ring: what one looks like, and several at once.
 */
#include "ring.h"

static unsigned char *secbuf_ring_at(const struct secbuf_ring_side *side,
				     uint64_t pos)
{
	return side->data + (pos & (side->size - 1));
}

/* What is between the end of a payload and the next record. */
static void secbuf_ring_record_pad(unsigned char *record, uint32_t len)
{
	size_t pad = -len % SECBUF_RING_RECORD_ALIGN;

	if (pad)
		__secbuf_zeroize(record + sizeof(len) + len, pad);
}

void secbuf_ring_record_frame(unsigned char *record, uint32_t len)
{
	__secbuf_store32(record, len);
	secbuf_ring_record_pad(record, len);
}

static inline int secbuf_ring_load_len(struct secbuf_ring_side *side,
				       uint64_t pos, uint32_t *len)
{
	int err;

	/* Both are multiples of SECBUF_RING_RECORD_ALIGN, so it is there. */
	*len = secbuf_get(*(const uint32_t *)secbuf_ring_at(side, pos));
	if (*len && SECBUF_RING_RECORD_BYTES(*len) <= side->limit - pos)
		return 0;
	err = secbuf_ring_over(side);
	return err ?: secbuf_ring_break(side);
}

int secbuf_ring_record_len(struct secbuf_ring_side *side, uint64_t pos,
			   uint32_t *len)
{
	return secbuf_ring_load_len(side, pos, len);
}

static int secbuf_ring_check_records(const struct secbuf_ring_side *side,
				     const struct iovec *records, size_t nr)
{
	if (!side->size)
		return -EOWNERDEAD;
	if (side->bytes)
		return -EOPNOTSUPP;
	return nr && !records ? -EINVAL : 0;
}

/*
 * Producer
 */

/* How many fit in @room bytes, and in how many. */
static size_t secbuf_ring_fit(const struct iovec *records, size_t nr,
			      uint64_t room, uint64_t *bytes)
{
	uint64_t size;
	size_t i;

	*bytes = 0;
	for (i = 0; i < nr; i++) {
		size = SECBUF_RING_RECORD_BYTES(records[i].iov_len);
		if (size > room - *bytes)
			break;
		*bytes += size;
	}
	return i;
}

/* Is there one that can never be written? */
static int secbuf_ring_check_payloads(const struct secbuf_ring_side *side,
				      const struct iovec *records, size_t nr)
{
	const size_t most = side->size - sizeof(uint32_t);
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!records[i].iov_base || !records[i].iov_len)
			return -EINVAL;
		if (records[i].iov_len > most)
			return -EMSGSIZE;
	}
	return 0;
}

/* As far as the consumer has come by now. */
static int secbuf_ring_more_room(struct secbuf_ring_producer *producer)
{
	int64_t room = secbuf_ring_look(&producer->side, 0);
	int err;

	if (room < 0)
		return room;
	err = secbuf_ring_unpark(producer);
	if (!err)
		producer->side.limit = producer->side.mine + room;
	return err;
}

static void secbuf_ring_put_records(const struct secbuf_ring_side *side,
				    const struct iovec *records, size_t nr)
{
	uint64_t pos = side->mine;
	unsigned char *record;
	size_t i;

	for (i = 0; i < nr; i++) {
		record = secbuf_ring_at(side, pos);
		__secbuf_copy(record + sizeof(uint32_t), records[i].iov_base,
			      records[i].iov_len);
		secbuf_ring_record_frame(record, records[i].iov_len);
		pos += SECBUF_RING_RECORD_BYTES(records[i].iov_len);
	}
}

ssize_t secbuf_ring_write_records(struct secbuf_ring_producer *producer,
				  const struct iovec *records, size_t nr)
{
	struct secbuf_ring_side *side;
	uint64_t bytes;
	size_t fit;
	int err;

	if (!producer)
		return -EINVAL;
	side = &producer->side;
	err = secbuf_ring_check_records(side, records, nr) ?:
	      secbuf_ring_check_payloads(side, records, nr);
	if (err || !nr)
		return err;
	if (secbuf_ring_is_open(side))
		return -EBUSY;
	fit = secbuf_ring_fit(records, nr, side->limit - side->mine, &bytes);
	if (fit < nr) {
		err = secbuf_ring_more_room(producer);
		if (err)
			return err;
		fit = secbuf_ring_fit(records, nr, side->limit - side->mine,
				      &bytes);
	}
	if (!fit)
		return -ENOSPC;
	secbuf_ring_put_records(side, records, fit);
	err = __secbuf_ring_publish(producer, side->mine + bytes);
	return err ?: (ssize_t)fit;
}

/*
 * Consumer
 */

static inline int secbuf_ring_copy_record(struct secbuf_ring_side *side,
					  uint64_t pos, struct iovec *out)
{
	uint32_t len;
	int err;

	err = secbuf_ring_load_len(side, pos, &len);
	if (err)
		return err;
	if (!out->iov_base)
		return -EINVAL;
	if (len > out->iov_len)
		return -EMSGSIZE;
	__secbuf_copy(out->iov_base, secbuf_ring_at(side, pos) + sizeof(len),
		      len);
	out->iov_len = len;
	return 0;
}

/* How many could be copied, of @bytes. */
static ssize_t secbuf_ring_copy_records(struct secbuf_ring_side *side,
					struct iovec *records, size_t nr,
					uint64_t *bytes)
{
	uint64_t pos = side->mine;
	int err = 0;
	size_t i;

	for (i = 0; i < nr && pos != side->limit; i++) {
		err = secbuf_ring_copy_record(side, pos, &records[i]);
		if (err)
			break;
		pos += SECBUF_RING_RECORD_BYTES(records[i].iov_len);
	}
	*bytes = pos - side->mine;
	return i ? (ssize_t)i : err;
}

ssize_t secbuf_ring_read_records(struct secbuf_ring_consumer *consumer,
				 struct iovec *records, size_t nr)
{
	struct secbuf_ring_side *side;
	uint64_t bytes;
	ssize_t n;
	int err;

	if (!consumer)
		return -EINVAL;
	side = &consumer->side;
	err = secbuf_ring_check_records(side, records, nr);
	if (err || !nr)
		return err;
	err = secbuf_ring_refill(consumer, 1);
	if (err)
		return err;
	n = secbuf_ring_copy_records(side, records, nr, &bytes);
	if (n < 0)
		return n;
	/* What was peeked is gone as well. */
	side->open = side->mine + bytes;
	__secbuf_zeroize(__secbuf_ring_at(side), bytes);
	err = __secbuf_ring_give(consumer, bytes);
	return err ?: n;
}
