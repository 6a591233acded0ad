/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_BELL_H
#define SECBUF_RING_BELL_H

#include <linux/spinlock.h>
#include <linux/wait.h>

/**
 * struct secbuf_ring_bell - how one end of a ring is woken by the other
 * @wait: who sleeps or polls
 * @need_wake: in the page of the end, which its owner can write
 * @wake_pos: the same
 * @goal: what *@wake_pos should be
 * @armed: counts how often *@need_wake was set
 * @seen: the @armed that every CPU of the other side knows of
 * @sleeps: calls that went to sleep
 * @wakes: times that it was rung
 */
struct secbuf_ring_bell {
	wait_queue_head_t wait;
	u32 *need_wake;
	u64 *wake_pos;
	/** @lock: protects what follows, and storing to these words */
	spinlock_t lock;
	u64 goal;
	u64 armed;
	u64 seen;
	atomic64_t sleeps;
	atomic64_t wakes;
};

void secbuf_ring_bell_init(struct secbuf_ring_bell *bell, u32 *need_wake,
			   u64 *wake_pos);
u64 secbuf_ring_bell_arm(struct secbuf_ring_bell *bell, u64 goal);
void secbuf_ring_bell_seen(struct secbuf_ring_bell *bell, u64 armed);
void secbuf_ring_bell_ring(struct secbuf_ring_bell *bell, u64 pos);
void secbuf_ring_bell_alarm(struct secbuf_ring_bell *bell);

#endif /* SECBUF_RING_BELL_H */
