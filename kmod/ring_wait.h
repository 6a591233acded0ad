/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_WAIT_H
#define SECBUF_RING_WAIT_H

#include <linux/types.h>

struct secbuf_ring_end;

int secbuf_ring_ready(struct secbuf_ring_end *end, u64 min, u64 *amount);
void secbuf_ring_arm(struct secbuf_ring_end *end, u64 min);
int secbuf_ring_await(struct secbuf_ring_end *end, u64 min, long timeout,
		      u32 generation);

#endif /* SECBUF_RING_WAIT_H */
