/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_IO_H
#define SECBUF_RING_IO_H

#include <linux/types.h>

struct iov_iter;
struct secbuf_ring_end;

ssize_t secbuf_ring_read_iter(struct secbuf_ring_end *end, struct iov_iter *to,
			      long timeout, u32 generation);
ssize_t secbuf_ring_write_iter(struct secbuf_ring_end *end,
			       struct iov_iter *from, long timeout,
			       u32 generation);
int secbuf_ring_next_len(struct secbuf_ring_end *end, u64 *len);

#endif /* SECBUF_RING_IO_H */
