/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Ring: several records at once. Each is cheaper than on its own, as the other end
 * is told, and looked at, once for all.
 *
 * Functions for one record, and for bytes, are in ring_span.h.
 */
#ifndef SECBUF_RING_RECORD_H
#define SECBUF_RING_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/secbuf.h>
#include <secbuf/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that a record of @_len bytes takes in a ring. */
#define SECBUF_RING_RECORD_BYTES(_len)					\
	(((uint64_t)(_len) + sizeof(uint32_t) +				\
	  SECBUF_RING_RECORD_ALIGN - 1) &				\
	 ~(uint64_t)(SECBUF_RING_RECORD_ALIGN - 1))

/**
 * secbuf_ring_write_records() - copy several records into the ring
 * @producer: the end, of records
 * @records: where their payloads are, and how long each is
 * @nr: how many
 *
 * As many as there is room for, from the first on. The consumer sees them all at
 * the same time.
 *
 * Return: how many were written, at least 1 unless @nr is 0; -ENOSPC (no room for
 * the first), -EMSGSIZE (one of them can never fit), -EBUSY (something is
 * reserved), -EOPNOTSUPP (a ring of bytes), -EINVAL (one of them is empty), or an
 * error as of secbuf_ring_commit().
 */
ssize_t secbuf_ring_write_records(struct secbuf_ring_producer *producer,
				  const struct iovec *records, size_t nr);

/**
 * secbuf_ring_read_records() - copy several records out of the ring
 * @consumer: the end, of records
 * @records: where their payloads go, and how much fits there; then how long each
 *           one is that was read
 * @nr: how many, at most
 *
 * As many as there are, up to the first that does not fit.
 *
 * Return: how many were read, at least 1 unless @nr is 0; -ENODATA (the ring is
 * empty), -EMSGSIZE (the first does not fit, and stays), -EOPNOTSUPP (a ring of
 * bytes), -EINVAL. On -ESHUTDOWN and -EPROTO, something can have been written to
 * where they go.
 */
ssize_t secbuf_ring_read_records(struct secbuf_ring_consumer *consumer,
				 struct iovec *records, size_t nr);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_RING_RECORD_H */
