// SPDX-License-Identifier: GPL-2.0
/*
 * Ring: a circular buffer with a producer and a consumer, each of which can be
 * a process that has it mapped, or the kernel.
 *
 * What lies in the control pages can be written at any time by the process that
 * owns the end. Every word is read once, and checked after that.
 */
#include "ring.h"

#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "page.h"
#include "ring_pos.h"

/* What a ring has besides its data: structs, files, inodes, five pages. */
#define SECBUF_RING_FOOTPRINT	(8192 + 5 * PAGE_SIZE)

/*
 * How often the positions are read again when another thread of the same owner
 * changes its own while we look.
 */
#define SECBUF_RING_LOOKS	16

atomic_t secbuf_nr_rings;

static size_t footprint(const struct secbuf_ring *ring)
{
	return SECBUF_RING_FOOTPRINT + ring->size +
	       secbuf_ring_memory_footprint(&ring->memory);
}

static struct secbuf_ring_head *head_page(const struct secbuf_ring *ring)
{
	return page_address(ring->ends[SECBUF_RING_END_PRODUCER].control);
}

static struct secbuf_ring_tail *tail_page(const struct secbuf_ring *ring)
{
	return page_address(ring->ends[SECBUF_RING_END_CONSUMER].control);
}

static void end_init(struct secbuf_ring *ring, enum secbuf_ring_end_nr which)
{
	struct secbuf_ring_end *end = &ring->ends[which];

	end->ring = ring;
	end->which = which;
	mutex_init(&end->io_lock);
	if (which == SECBUF_RING_END_PRODUCER) {
		end->shared = &head_page(ring)->head;
		secbuf_ring_bell_init(&end->bell, &head_page(ring)->need_wake,
				      &head_page(ring)->wake_pos);
	} else {
		end->shared = &tail_page(ring)->tail;
		secbuf_ring_bell_init(&end->bell, &tail_page(ring)->need_wake,
				      &tail_page(ring)->wake_pos);
	}
}

static void free_page_if(struct page *page)
{
	if (page)
		secbuf_page_free_paid(page);
}

static void ring_free(struct secbuf_ring *ring)
{
	int i;

	for (i = 0; i < SECBUF_RING_END_NR; i++) {
		free_page_if(ring->ends[i].control);
		free_page_if(ring->ends[i].scratch);
	}
	free_page_if(ring->status);
	secbuf_ring_memory_exit(&ring->memory);
	secbuf_account_uncharge(&ring->account, footprint(ring));
	secbuf_account_exit(&ring->account);
	kfree(ring);
}

static int alloc_pages_of(struct secbuf_ring *ring)
{
	struct page **pages[] = {
		&ring->ends[SECBUF_RING_END_PRODUCER].control,
		&ring->ends[SECBUF_RING_END_CONSUMER].control,
		&ring->status,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		*pages[i] = secbuf_page_alloc_paid(ring->account.memcg,
						   SECBUF_GFP);
		if (!*pages[i])
			return -ENOMEM;
		secbuf_page_reveal(*pages[i]);
	}
	if (ring->flags & SECBUF_RING_F_POPULATE)
		return secbuf_ring_memory_fill_all(&ring->memory, SECBUF_GFP);
	return 0;
}

static struct secbuf_ring *alloc_empty(size_t size, u32 flags)
{
	struct secbuf_ring *ring;
	int err;

	ring = kzalloc(sizeof(*ring), SECBUF_GFP);
	if (!ring)
		return ERR_PTR(-ENOMEM);
	kref_init(&ring->refs);
	init_rwsem(&ring->map_lock);
	spin_lock_init(&ring->status_lock);
	ring->size = size;
	ring->flags = flags;
	ring->used_at = ktime_get_boottime_ns();

	err = secbuf_account_init(&ring->account);
	if (err)
		goto out_kfree;
	err = secbuf_ring_memory_init(&ring->memory, ring->account.memcg, size);
	if (err)
		goto out_account;
	err = secbuf_account_charge(&ring->account, footprint(ring));
	if (err)
		goto out_memory;
	return ring;

out_memory:
	secbuf_ring_memory_exit(&ring->memory);
out_account:
	secbuf_account_exit(&ring->account);
out_kfree:
	kfree(ring);
	return ERR_PTR(err);
}

/**
 * secbuf_ring_alloc() - a ring whose ends nobody holds
 * @size: bytes; checked by the caller
 * @flags: SECBUF_RING_F_*
 * @reclaim_ops: how it gives memory back
 *
 * The calling task's user and memory cgroup pay for it.
 *
 * Context: process, may sleep.
 * Return: the ring, with one reference, or an error pointer: -ENOMEM, -EDQUOT,
 * -EINTR.
 */
struct secbuf_ring *
secbuf_ring_alloc(size_t size, u32 flags,
		  const struct secbuf_reclaim_ops *reclaim_ops)
{
	struct secbuf_ring *ring = alloc_empty(size, flags);
	int err;

	if (IS_ERR(ring))
		return ring;
	err = alloc_pages_of(ring);
	if (err) {
		ring_free(ring);
		return ERR_PTR(err);
	}
	end_init(ring, SECBUF_RING_END_PRODUCER);
	end_init(ring, SECBUF_RING_END_CONSUMER);
	err = secbuf_reclaim_add(&ring->reclaim, reclaim_ops, &ring->account);
	if (err) {
		ring_free(ring);
		return ERR_PTR(err);
	}
	atomic_inc(&secbuf_nr_rings);
	return ring;
}

static void ring_last_put(struct kref *refs)
{
	struct secbuf_ring *ring = container_of(refs, struct secbuf_ring, refs);

	if (ring->stream.gone)
		ring->stream.gone(ring);
	secbuf_reclaim_del(&ring->reclaim);
	ring_free(ring);
	atomic_dec(&secbuf_nr_rings);
}

/**
 * secbuf_ring_put() - drop a reference
 * @ring: the ring
 *
 * Context: process, may sleep.
 */
void secbuf_ring_put(struct secbuf_ring *ring)
{
	kref_put(&ring->refs, ring_last_put);
}

/**
 * secbuf_ring_end_hold() - somebody uses an end from now on
 * @end: held by nobody
 * @ops: called until secbuf_ring_end_release()
 * @priv: for @ops
 *
 * Takes a reference on the ring.
 *
 * Context: process, may sleep.
 */
void secbuf_ring_end_hold(struct secbuf_ring_end *end,
			  const struct secbuf_ring_ops *ops, void *priv)
{
	struct secbuf_ring *ring = end->ring;

	kref_get(&ring->refs);
	down_write(&ring->map_lock);
	end->ops = ops;
	end->priv = priv;
	up_write(&ring->map_lock);
}

static void set_status(struct secbuf_ring *ring, u32 flags)
{
	struct secbuf_ring_status *status = page_address(ring->status);

	spin_lock(&ring->status_lock);
	WRITE_ONCE(ring->status_flags, ring->status_flags | flags);
	/*
	 * Pairs with the acquire of the programs: who sees that the other end
	 * is gone sees its last position.
	 */
	smp_store_release(&status->flags, ring->status_flags);
	spin_unlock(&ring->status_lock);
}

static void alarm_both(struct secbuf_ring *ring)
{
	secbuf_ring_bell_alarm(&ring->ends[SECBUF_RING_END_PRODUCER].bell);
	secbuf_ring_bell_alarm(&ring->ends[SECBUF_RING_END_CONSUMER].bell);
}

static void unmap(struct secbuf_ring_end *end, bool everything)
{
	if (end->ops && end->ops->unmap)
		end->ops->unmap(end, everything);
}

/**
 * secbuf_ring_drop() - the one way by which the data leaves: unmapped first
 * @ring: the ring
 *
 * Context: process, may sleep; map_lock is held for write.
 * Return: bytes of memory freed.
 */
size_t secbuf_ring_drop(struct secbuf_ring *ring)
{
	lockdep_assert_held_write(&ring->map_lock);
	if (!READ_ONCE(ring->memory.nr))
		return 0;
	unmap(&ring->ends[SECBUF_RING_END_PRODUCER], false);
	unmap(&ring->ends[SECBUF_RING_END_CONSUMER], false);
	return secbuf_ring_memory_drop(&ring->memory);
}

/**
 * secbuf_ring_end_word() - where the position of an end is
 * @end: the end
 *
 * Return: a word that can change at any time.
 */
const u64 *secbuf_ring_end_word(const struct secbuf_ring_end *end)
{
	return READ_ONCE(end->in_kernel) || READ_ONCE(end->gone) ?
	       &end->kept : end->shared;
}

/**
 * secbuf_ring_break() - somebody broke the protocol
 * @ring: the ring
 *
 * Context: process.
 */
void secbuf_ring_break(struct secbuf_ring *ring)
{
	if (READ_ONCE(ring->status_flags) & SECBUF_RING_BROKEN)
		return;
	set_status(ring, SECBUF_RING_BROKEN);
	alarm_both(ring);
}

/**
 * secbuf_ring_end_state() - can this end still be used?
 * @end: the end
 *
 * Return: 0, -ESHUTDOWN (reset, or the end is gone), -EPROTO.
 */
int secbuf_ring_end_state(const struct secbuf_ring_end *end)
{
	u32 flags = READ_ONCE(end->ring->status_flags);

	if ((flags & SECBUF_RING_RESET_DONE) || READ_ONCE(end->gone))
		return -ESHUTDOWN;
	return flags & SECBUF_RING_BROKEN ? -EPROTO : 0;
}

/**
 * secbuf_ring_end_view() - what this side can do now
 * @end: the side
 * @view: filled
 *
 * Context: map_lock is held.
 * Return: 0, -ESHUTDOWN, -EPROTO (also marks the ring), -EBUSY (other threads
 * of this side keep moving its position).
 */
int secbuf_ring_end_view(struct secbuf_ring_end *end,
			 struct secbuf_ring_view *view)
{
	struct secbuf_ring_end *peer = secbuf_ring_peer(end);
	struct secbuf_ring *ring = end->ring;
	bool producer = secbuf_ring_is_producer(end);
	u64 own, other, head, tail;
	int looks, err;

	lockdep_assert_held(&ring->map_lock);
	err = secbuf_ring_end_state(end);
	if (err)
		return err;
	for (looks = 0; looks < SECBUF_RING_LOOKS; looks++) {
		/*
		 * Pairs with the release of another thread of this side: the
		 * other position must not be an older one than it has seen.
		 */
		own = smp_load_acquire(secbuf_ring_end_word(end));
		/*
		 * Pairs with the release when the other side stored it: its
		 * bytes, or their space, are ours.
		 */
		other = smp_load_acquire(secbuf_ring_end_word(peer));
		head = producer ? own : other;
		tail = producer ? other : own;
		if (secbuf_ring_pos_valid(head, tail, ring->size,
					  secbuf_ring_has_records(ring))) {
			view->own = own;
			view->amount = head - tail;
			if (producer)
				view->amount = ring->size - view->amount;
			return 0;
		}
		/* No verdict from a position that moved meanwhile. */
		if (READ_ONCE(*secbuf_ring_end_word(end)) == own) {
			secbuf_ring_break(ring);
			return -EPROTO;
		}
	}
	return -EBUSY;
}

/**
 * secbuf_ring_end_advance() - publish what was produced or consumed
 * @end: the side
 * @pos: its new position
 *
 * To be followed by secbuf_ring_bell_ring() for the other side.
 *
 * Context: map_lock is held.
 */
void secbuf_ring_end_advance(struct secbuf_ring_end *end, u64 pos)
{
	lockdep_assert_held(&end->ring->map_lock);
	if (end->in_kernel) {
		/* Pairs with the acquire in secbuf_ring_end_view(). */
		smp_store_release(&end->kept, pos);
	}
	/*
	 * Pairs with the acquire of the other side, here or in its program:
	 * what was copied or zeroized is there before.
	 */
	smp_store_release(end->shared, pos);
}

/**
 * secbuf_ring_end_notify() - wake the other side if what it waits for is there
 * @end: who notifies
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_ring_end_notify(struct secbuf_ring_end *end)
{
	struct secbuf_ring_end *peer = secbuf_ring_peer(end);

	WRITE_ONCE(end->ring->used_at, ktime_get_coarse_boottime_ns());
	down_read(&end->ring->map_lock);
	/* The barrier that is needed here is in secbuf_ring_bell_ring(). */
	secbuf_ring_bell_ring(&peer->bell,
			      READ_ONCE(*secbuf_ring_end_word(end)));
	if (peer->ops && peer->ops->notify)
		peer->ops->notify(peer);
	up_read(&end->ring->map_lock);
}

/* Everything but the position, which the other side looks at. */
static void wipe_control(struct secbuf_ring_end *end)
{
	BUILD_BUG_ON(offsetof(struct secbuf_ring_head, head));
	BUILD_BUG_ON(offsetof(struct secbuf_ring_tail, tail));
	secbuf_page_zeroize(end->control, sizeof(u64),
			    PAGE_SIZE - sizeof(u64));
}

/* What the producer had written and not published, or the consumer left. */
static void wipe_space(struct secbuf_ring *ring)
{
	struct secbuf_ring_end *consumer =
		&ring->ends[SECBUF_RING_END_CONSUMER];
	u64 head = ring->ends[SECBUF_RING_END_PRODUCER].kept;
	/* Pairs with the release of the consumer: it zeroized before. */
	u64 tail = smp_load_acquire(secbuf_ring_end_word(consumer));

	if (secbuf_ring_pos_valid(head, tail, ring->size,
				  secbuf_ring_has_records(ring))) {
		secbuf_ring_memory_zeroize(&ring->memory, head,
					   ring->size - (head - tail));
		return;
	}
	secbuf_ring_break(ring);
	secbuf_ring_drop(ring);
}

/* For good: whatever comes now is written for nobody. */
static void drop_all(struct secbuf_ring *ring)
{
	secbuf_ring_memory_seal(&ring->memory);
	secbuf_ring_drop(ring);
}

/* What was written after there was nobody left to read it; unmapped. */
static void drop_scratch(struct secbuf_ring_end *end)
{
	lockdep_assert_held_write(&end->ring->map_lock);
	free_page_if(end->scratch);
	end->scratch = NULL;
}

static void end_is_gone(struct secbuf_ring_end *end)
{
	struct secbuf_ring_end *peer = secbuf_ring_peer(end);
	struct secbuf_ring *ring = end->ring;

	lockdep_assert_held_write(&ring->map_lock);
	unmap(end, true);
	if (!end->in_kernel) {
		/* Pairs with the release of its program, or of a call. */
		WRITE_ONCE(end->kept, smp_load_acquire(end->shared));
	}
	WRITE_ONCE(*end->shared, end->kept);
	WRITE_ONCE(end->gone, true);
	wipe_control(end);
	drop_scratch(end);

	if (!secbuf_ring_is_producer(end)) {
		peer->scratched = true;
		drop_all(ring);
	} else if (peer->gone) {
		drop_all(ring);
	} else {
		wipe_space(ring);
	}
	set_status(ring, secbuf_ring_is_producer(end) ?
			 SECBUF_RING_PRODUCER_GONE : SECBUF_RING_CONSUMER_GONE);
}

static void end_die(struct secbuf_ring_end *end, u32 generation)
{
	struct secbuf_ring *ring = end->ring;

	lockdep_assert_held_write(&ring->map_lock);
	if (!end->gone && end->generation == generation)
		end_is_gone(end);
	up_write(&ring->map_lock);
	alarm_both(ring);
	secbuf_ring_end_notify(end);
}

/**
 * secbuf_ring_end_try_die() - an end is gone, if that takes no waiting
 * @end: the end
 * @generation: of the owner who speaks; an end that was claimed since stays
 *
 * Nothing happens while there is a fault in the ring, of whoever has the other
 * end perhaps.
 *
 * Context: process, may sleep. Tries map_lock.
 */
void secbuf_ring_end_try_die(struct secbuf_ring_end *end, u32 generation)
{
	if (down_write_trylock(&end->ring->map_lock))
		end_die(end, generation);
}

/**
 * secbuf_ring_end_die() - an end is gone
 * @end: the end
 * @generation: of the owner who speaks; an end that was claimed since stays
 *
 * Can be called several times.
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_ring_end_die(struct secbuf_ring_end *end, u32 generation)
{
	down_write(&end->ring->map_lock);
	end_die(end, generation);
}

/**
 * secbuf_ring_end_release() - who held an end does so no more
 * @end: from secbuf_ring_end_hold(); the reference is still to be put
 *
 * None of its ops is called any more when this returns.
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_ring_end_release(struct secbuf_ring_end *end)
{
	struct secbuf_ring *ring = end->ring;

	secbuf_ring_end_die(end, end->generation);
	down_write(&ring->map_lock);
	end->ops = NULL;
	end->priv = NULL;
	up_write(&ring->map_lock);
}

/*
 * Who gives memory back has io_lock for a moment; who moves bytes, perhaps for
 * as long as a page fault of his takes.
 */
static bool lock_soon(struct mutex *lock)
{
	unsigned int tries = 300;

	while (!mutex_trylock(lock)) {
		if (!--tries || fatal_signal_pending(current))
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

/**
 * secbuf_ring_end_claim() - an end gets another owner, once
 * @end: the end
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 * Return: 0, -ESHUTDOWN, -EPERM (it was claimed), -EBUSY (it is mapped, or a call
 * is moving bytes, and goes on to for some tenths of a second).
 */
int secbuf_ring_end_claim(struct secbuf_ring_end *end)
{
	struct secbuf_ring *ring = end->ring;
	int err;

	/* A call that moves bytes would go on with those of the new owner. */
	if (!lock_soon(&end->io_lock))
		return -EBUSY;
	down_write(&ring->map_lock);
	if (secbuf_ring_end_state(end) == -ESHUTDOWN)
		err = -ESHUTDOWN;
	else if (end->generation)
		err = -EPERM;
	else
		err = atomic_read(&end->mapped) ? -EBUSY : 0;
	if (!err) {
		/* Pairs with the acquire in generation_of(). */
		smp_store_release(&end->generation, 1);
		WRITE_ONCE(end->want, 0);
		drop_scratch(end);
	}
	up_write(&ring->map_lock);
	mutex_unlock(&end->io_lock);
	/* Who sleeps in a call learns that it is not his any more. */
	if (!err)
		secbuf_ring_bell_alarm(&end->bell);
	return err;
}

/**
 * secbuf_ring_reset() - take everything from both ends
 * @ring: the ring
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_ring_reset(struct secbuf_ring *ring)
{
	int i;

	down_write(&ring->map_lock);
	if (ring->status_flags & SECBUF_RING_RESET_DONE)
		goto out_unlock;
	set_status(ring, SECBUF_RING_RESET_DONE | SECBUF_RING_BROKEN);
	for (i = 0; i < SECBUF_RING_END_NR; i++) {
		unmap(&ring->ends[i], true);
		ring->ends[i].scratched = true;
		secbuf_page_zeroize(ring->ends[i].control, 0, PAGE_SIZE);
	}
	drop_all(ring);
out_unlock:
	up_write(&ring->map_lock);
	alarm_both(ring);
}

/**
 * secbuf_ring_end_fill_scratch() - the page for what is not there any more
 * @end: the end
 *
 * Context: in a fault, may sleep; without map_lock.
 * Return: 0 or -ENOMEM.
 */
int secbuf_ring_end_fill_scratch(struct secbuf_ring_end *end)
{
	struct secbuf_ring *ring = end->ring;
	struct page *page;

	page = secbuf_ring_page_touched(ring->account.memcg);
	if (!page)
		return -ENOMEM;
	down_read(&ring->map_lock);
	/* Pairs with the acquire in page_at(). */
	if (!end->gone && !cmpxchg(&end->scratch, NULL, page))
		page = NULL;
	up_read(&ring->map_lock);
	free_page_if(page);
	return 0;
}
