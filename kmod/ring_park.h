/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_PARK_H
#define SECBUF_RING_PARK_H

#include <linux/types.h>

struct secbuf_reclaim;
struct secbuf_ring;
struct secbuf_ring_end;

extern const struct secbuf_reclaim_ops secbuf_ring_reclaim_ops;

int secbuf_ring_unpark(struct secbuf_ring_end *end);
int secbuf_ring_shrink(struct secbuf_ring *ring, size_t *bytes);
struct secbuf_ring *secbuf_ring_from_reclaim(struct secbuf_reclaim *reclaim);

#endif /* SECBUF_RING_PARK_H */
