// SPDX-License-Identifier: GPL-2.0
/*
 * Bell: how an end of a ring that sleeps is woken by the other, which looks at a
 * word in shared memory first, and calls the kernel only if somebody sleeps.
 *
 * It is Dekker's pattern. The sleeper stores need_wake and then looks at the
 * position; the other side stores its position and then looks at need_wake.
 * Between the two there must be a full barrier on both sides. A barrier after
 * each message would cost more than the message, so the sleeper pays for both:
 * it makes all CPUs that run the other side pass one, as membarrier(2) does.
 * tools/model checks it.
 */
#include "ring_bell.h"

#include "ring_pos.h"

/**
 * secbuf_ring_bell_init() - a bell for which nobody waits
 * @bell: initialized
 * @need_wake: shared word
 * @wake_pos: shared word
 */
void secbuf_ring_bell_init(struct secbuf_ring_bell *bell, u32 *need_wake,
			   u64 *wake_pos)
{
	init_waitqueue_head(&bell->wait);
	spin_lock_init(&bell->lock);
	bell->need_wake = need_wake;
	bell->wake_pos = wake_pos;
}

/**
 * secbuf_ring_bell_arm() - somebody who is in the wait queue is about to sleep
 * @bell: of his end
 * @goal: position of the other side that he waits for
 *
 * Unless it returns 0 the caller must make the CPUs of the other side pass a
 * full barrier, tell secbuf_ring_bell_seen(), and in any case look at the
 * positions again.
 *
 * Context: process.
 * Return: for secbuf_ring_bell_seen(); 0 if there is nothing to be seen.
 */
u64 secbuf_ring_bell_arm(struct secbuf_ring_bell *bell, u64 goal)
{
	u64 armed = 0;
	bool set;

	spin_lock(&bell->lock);
	set = READ_ONCE(*bell->need_wake) == 1;
	if (set && secbuf_ring_pos_reached(goal, bell->goal)) {
		/* Somebody else waits for no more. */
		if (bell->seen == bell->armed)
			goto out_unlock;
		goal = bell->goal;
	}
	armed = ++bell->armed;
	bell->goal = goal;
	WRITE_ONCE(*bell->wake_pos, goal);
	/* Pairs with the acquire of need_wake on the other side. */
	smp_store_release(bell->need_wake, 1);
out_unlock:
	spin_unlock(&bell->lock);
	/*
	 * Before the positions are looked at again. Pairs with the barrier that
	 * the CPUs of the other side are made to pass, and with that in
	 * secbuf_ring_bell_ring().
	 */
	smp_mb();
	return armed;
}

/**
 * secbuf_ring_bell_seen() - the CPUs of the other side have passed a barrier
 * @bell: the bell
 * @armed: from secbuf_ring_bell_arm()
 *
 * Context: process.
 */
void secbuf_ring_bell_seen(struct secbuf_ring_bell *bell, u64 armed)
{
	spin_lock(&bell->lock);
	/* A later one has to wait for its own barrier. */
	if (bell->armed == armed)
		bell->seen = armed;
	spin_unlock(&bell->lock);
}

static void wake(struct secbuf_ring_bell *bell)
{
	atomic64_inc(&bell->wakes);
	/*
	 * Without saying for what: io_uring and AIO report that unseen. All, for
	 * they need not want the same.
	 */
	wake_up_interruptible_all(&bell->wait);
}

/**
 * secbuf_ring_bell_ring() - the other side has stored its position
 * @bell: of the end that may sleep
 * @pos: the position
 *
 * Context: process.
 */
void secbuf_ring_bell_ring(struct secbuf_ring_bell *bell, u64 pos)
{
	bool reached;

	/*
	 * After the position was stored. Pairs with the barrier in
	 * secbuf_ring_bell_arm().
	 */
	smp_mb();
	if (!READ_ONCE(*bell->need_wake))
		return;
	spin_lock(&bell->lock);
	reached = secbuf_ring_pos_reached(pos, bell->goal);
	if (reached)
		WRITE_ONCE(*bell->need_wake, 0);
	spin_unlock(&bell->lock);
	if (reached)
		wake(bell);
}

/**
 * secbuf_ring_bell_alarm() - something has happened that all must look at
 * @bell: the bell
 *
 * Context: process.
 */
void secbuf_ring_bell_alarm(struct secbuf_ring_bell *bell)
{
	spin_lock(&bell->lock);
	WRITE_ONCE(*bell->need_wake, 0);
	spin_unlock(&bell->lock);
	wake_up_interruptible_all(&bell->wait);
}
