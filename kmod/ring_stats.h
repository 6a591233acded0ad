/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_STATS_H
#define SECBUF_RING_STATS_H

struct secbuf_ring;
struct secbuf_ring_stats_args;

void secbuf_ring_fill_stats(struct secbuf_ring *ring,
			    struct secbuf_ring_stats_args *stats);

#endif /* SECBUF_RING_STATS_H */
