// SPDX-License-Identifier: GPL-2.0
/*
 * Parking: taking the memory of a ring that is empty and that its producer is
 * not writing to, which nobody but the producer can know.
 */
#include "ring_park.h"

#include <linux/mm.h>
#include <linux/timekeeping.h>

#include "ring.h"

static u32 *state_of(const struct secbuf_ring *ring)
{
	struct page *page = ring->ends[SECBUF_RING_END_PRODUCER].control;
	struct secbuf_ring_head *head = page_address(page);

	return &head->state;
}

/**
 * secbuf_ring_unpark() - the producer is going to touch the data
 * @end: the producer end
 *
 * Context: process, may sleep. Takes map_lock: who takes memory has finished.
 * Return: 0, -EPIPE, -EPROTO, -ESHUTDOWN.
 */
int secbuf_ring_unpark(struct secbuf_ring_end *end)
{
	struct secbuf_ring *ring = end->ring;
	int err;

	down_read(&ring->map_lock);
	err = secbuf_ring_end_state(end);
	if (!err && secbuf_ring_peer(end)->gone)
		err = -EPIPE;
	if (!err)
		WRITE_ONCE(*state_of(ring), SECBUF_RING_BUSY);
	up_read(&ring->map_lock);
	return err;
}

static bool looks_idle(const struct secbuf_ring *ring)
{
	const struct secbuf_ring_end *producer =
		&ring->ends[SECBUF_RING_END_PRODUCER];
	const struct secbuf_ring_end *consumer =
		&ring->ends[SECBUF_RING_END_CONSUMER];

	if (READ_ONCE(*secbuf_ring_end_word(producer)) !=
	    READ_ONCE(*secbuf_ring_end_word(consumer)))
		return false;
	return READ_ONCE(producer->gone) || READ_ONCE(producer->in_kernel) ||
	       READ_ONCE(*state_of(ring)) != SECBUF_RING_BUSY;
}

/*
 * The memory of an empty ring whose producer does not touch it. It does not if
 * it is parked, and with GONE it asks us before it does, and waits for
 * map_lock. That it is empty counts only after that.
 */
static int take_locked(struct secbuf_ring *ring, size_t *bytes)
{
	const struct secbuf_ring_end *producer =
		&ring->ends[SECBUF_RING_END_PRODUCER];
	const struct secbuf_ring_end *consumer =
		&ring->ends[SECBUF_RING_END_CONSUMER];
	u32 *state = state_of(ring);
	bool mine = producer->gone || producer->in_kernel;
	u64 head, tail;
	u32 was;

	lockdep_assert_held_write(&ring->map_lock);
	/* The consumer is gone, and what there was with it. */
	if (ring->memory.sealed)
		return 0;
	if (!looks_idle(ring))
		return -EBUSY;
	/*
	 * Fully ordered. Pairs with the release by which the producer parks,
	 * and with its acquire when it unparks.
	 */
	was = mine ? SECBUF_RING_GONE :
		     cmpxchg(state, SECBUF_RING_PARKED, SECBUF_RING_GONE);
	if (was != SECBUF_RING_PARKED && was != SECBUF_RING_GONE)
		return -EBUSY;
	/* Pairs with the release of the producer. */
	head = smp_load_acquire(secbuf_ring_end_word(producer));
	/* Pairs with the release of the consumer: it has zeroized. */
	tail = smp_load_acquire(secbuf_ring_end_word(consumer));
	if (head != tail) {
		if (was == SECBUF_RING_PARKED)
			cmpxchg(state, SECBUF_RING_GONE, SECBUF_RING_PARKED);
		return -EBUSY;
	}
	*bytes = secbuf_ring_drop(ring);
	if (*bytes)
		ring->shrinks++;
	return 0;
}

/* Waits for nobody: neither a call that moves bytes nor a fault. */
static int try_take(struct secbuf_ring *ring, size_t *bytes)
{
	struct mutex *first = &ring->ends[SECBUF_RING_END_PRODUCER].io_lock;
	struct mutex *second = &ring->ends[SECBUF_RING_END_CONSUMER].io_lock;
	int err = -EBUSY;

	*bytes = 0;
	if (!mutex_trylock(first))
		return err;
	if (!mutex_trylock(second))
		goto out_first;
	if (!down_write_trylock(&ring->map_lock))
		goto out_second;
	err = take_locked(ring, bytes);
	up_write(&ring->map_lock);
out_second:
	mutex_unlock(second);
out_first:
	mutex_unlock(first);
	return err;
}

/**
 * secbuf_ring_shrink() - take the memory of an empty and parked ring back
 * @ring: the ring
 * @bytes: that were freed
 *
 * Context: process, may sleep.
 * Return: 0 or -EBUSY.
 */
int secbuf_ring_shrink(struct secbuf_ring *ring, size_t *bytes)
{
	return try_take(ring, bytes);
}

static size_t ring_count(struct secbuf_reclaim *reclaim)
{
	struct secbuf_ring *ring =
		container_of(reclaim, struct secbuf_ring, reclaim);

	if (ring->flags & SECBUF_RING_F_POPULATE || !looks_idle(ring))
		return 0;
	return (size_t)READ_ONCE(ring->memory.nr) << PAGE_SHIFT;
}

static size_t ring_scan(struct secbuf_reclaim *reclaim, size_t bytes)
{
	struct secbuf_ring *ring =
		container_of(reclaim, struct secbuf_ring, reclaim);
	size_t freed;

	if (!ring_count(reclaim))
		return 0;
	return try_take(ring, &freed) ? 0 : freed;
}

/* Nobody tells when a ring is used, so look whether anything has moved. */
static bool was_used(struct secbuf_ring *ring)
{
	u64 head = READ_ONCE(*secbuf_ring_end_word(&ring->ends[SECBUF_RING_END_PRODUCER]));
	u64 tail = READ_ONCE(*secbuf_ring_end_word(&ring->ends[SECBUF_RING_END_CONSUMER]));
	bool used = head != ring->seen_head || tail != ring->seen_tail;

	ring->seen_head = head;
	ring->seen_tail = tail;
	if (used)
		WRITE_ONCE(ring->used_at, ktime_get_boottime_ns());
	return used;
}

static void ring_idle(struct secbuf_reclaim *reclaim)
{
	struct secbuf_ring *ring =
		container_of(reclaim, struct secbuf_ring, reclaim);

	if (!was_used(ring))
		ring_scan(reclaim, SIZE_MAX);
}

const struct secbuf_reclaim_ops secbuf_ring_reclaim_ops = {
	.count		= ring_count,
	.scan		= ring_scan,
	.idle		= ring_idle,
	.prepaid	= true,
};

/**
 * secbuf_ring_from_reclaim() - what is in the list
 * @reclaim: of any object
 *
 * Return: the ring, or NULL if it is another kind of object.
 */
struct secbuf_ring *secbuf_ring_from_reclaim(struct secbuf_reclaim *reclaim)
{
	if (reclaim->ops != &secbuf_ring_reclaim_ops)
		return NULL;
	return container_of(reclaim, struct secbuf_ring, reclaim);
}
