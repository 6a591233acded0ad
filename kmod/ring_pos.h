/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic of ring positions. They count bytes from the creation of the ring
 * and never wrap; all differences are taken modulo 2^64, so that nothing here can
 * overflow, whatever a hostile end writes.
 */
#ifndef SECBUF_RING_POS_H
#define SECBUF_RING_POS_H

#include <linux/align.h>
#include <linux/types.h>

#include <uapi/linux/secbuf.h>

/* Bytes that precede the payload of a record. */
#define SECBUF_RING_RECORD_HEADER	sizeof(u32)

/**
 * secbuf_ring_pos_valid() - can these be the positions of one ring?
 * @head: bytes produced
 * @tail: bytes consumed
 * @size: of the ring
 * @records: positions must lie between records
 */
static inline bool secbuf_ring_pos_valid(u64 head, u64 tail, u64 size,
					 bool records)
{
	if (head - tail > size)
		return false;
	return !records || IS_ALIGNED(head | tail, SECBUF_RING_RECORD_ALIGN);
}

/**
 * secbuf_ring_pos_reached() - has a position come as far as another?
 * @pos: where it is
 * @goal: where it should be
 */
static inline bool secbuf_ring_pos_reached(u64 pos, u64 goal)
{
	return (s64)(pos - goal) >= 0;
}

/**
 * secbuf_ring_record_size() - bytes that a record takes
 * @len: of the payload
 */
static inline u64 secbuf_ring_record_size(u64 len)
{
	return ALIGN(SECBUF_RING_RECORD_HEADER + len,
		     SECBUF_RING_RECORD_ALIGN);
}

/**
 * secbuf_ring_record_valid() - can a record begin with this length?
 * @len: read from the ring, once
 * @used: bytes from the header to the head
 */
static inline bool secbuf_ring_record_valid(u32 len, u64 used)
{
	return len && secbuf_ring_record_size(len) <= used;
}

#endif /* SECBUF_RING_POS_H */
