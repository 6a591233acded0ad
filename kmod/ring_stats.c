// SPDX-License-Identifier: GPL-2.0
/*
 * What is counted of a ring, and what its pages say of themselves.
 */
#include "ring_stats.h"

#include <linux/mm.h>
#include <linux/timekeeping.h>

#include "ring.h"

/* It may be used again between the two. */
static u64 idle_ns(const struct secbuf_ring *ring)
{
	u64 now = ktime_get_boottime_ns();
	u64 used_at = READ_ONCE(ring->used_at);

	return now > used_at ? now - used_at : 0;
}

/**
 * secbuf_ring_fill_stats() - counters
 * @ring: the ring
 * @stats: everything that begins with out_ is filled
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_ring_fill_stats(struct secbuf_ring *ring,
			    struct secbuf_ring_stats_args *stats)
{
	struct secbuf_ring_end *producer =
		&ring->ends[SECBUF_RING_END_PRODUCER];
	struct secbuf_ring_end *consumer =
		&ring->ends[SECBUF_RING_END_CONSUMER];
	struct secbuf_ring_head *head = page_address(producer->control);

	down_read(&ring->map_lock);
	stats->out_status = READ_ONCE(ring->status_flags);
	stats->out_state = READ_ONCE(head->state);
	stats->out_produced = READ_ONCE(*secbuf_ring_end_word(producer));
	stats->out_consumed = READ_ONCE(*secbuf_ring_end_word(consumer));
	stats->out_bytes = (u64)READ_ONCE(ring->memory.nr) << PAGE_SHIFT;
	stats->out_peak_bytes = (u64)READ_ONCE(ring->memory.peak) << PAGE_SHIFT;
	stats->out_bytes_zeroized = atomic64_read(&ring->memory.zeroized);
	stats->out_notifies = atomic64_read(&ring->notifies);
	stats->out_sleeps = atomic64_read(&producer->bell.sleeps) +
			    atomic64_read(&consumer->bell.sleeps);
	stats->out_wakes = atomic64_read(&producer->bell.wakes) +
			   atomic64_read(&consumer->bell.wakes);
	stats->out_faults = atomic64_read(&ring->faults);
	stats->out_shrinks = ring->shrinks;
	stats->out_idle_ns = idle_ns(ring);
	up_read(&ring->map_lock);
}
