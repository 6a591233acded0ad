/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_H
#define SECBUF_RING_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "reclaim.h"
#include "ring_bell.h"
#include "ring_memory.h"

struct page;
struct secbuf_conn;
struct secbuf_ring;
struct secbuf_ring_end;

/**
 * struct secbuf_ring_ops - what the layer above does for an end
 * @unmap: remove it from the address spaces that map it, the data or
 *         @everything. Under map_lock, held for write; may sleep
 * @fence: make every CPU that runs the owner pass a full barrier. May sleep
 * @notify: the other side has called. Under map_lock, held for read
 *
 * Any of them may be NULL.
 */
struct secbuf_ring_ops {
	void (*unmap)(struct secbuf_ring_end *end, bool everything);
	void (*fence)(struct secbuf_ring_end *end);
	void (*notify)(struct secbuf_ring_end *end);
};

/**
 * struct secbuf_ring_end - one side of a ring
 * @ring: the ring
 * @which: enum secbuf_ring_end
 * @ops: of what holds this end; NULL while nothing does. Written under map_lock
 * @priv: for @ops
 * @bell: wakes this side
 * @control: its page: struct secbuf_ring_head or struct secbuf_ring_tail.
 *           Whoever has it mapped can write anything there at any time
 * @shared: its position, in @control
 * @kept: its position, where only the kernel writes: for an end that is held in
 *        the kernel, or gone
 * @scratch: page that is shown where there is nothing to show any more;
 *           allocated when it is touched, freed when the end is gone
 * @mapped: mappings there are
 * @want: bytes that the last call asked for and was refused; 0 otherwise
 * @generation: 0, and 1 after it was claimed. Written under map_lock
 * @in_kernel: a module holds it; nothing of it can be mapped
 * @gone: nobody uses it any more. Written under map_lock
 * @scratched: @scratch is its data. Written under map_lock
 */
struct secbuf_ring_end {
	struct secbuf_ring *ring;
	enum secbuf_ring_end_nr which;
	const struct secbuf_ring_ops *ops;
	void *priv;
	struct secbuf_ring_bell bell;
	/**
	 * @io_lock: serializes calls that move bytes of this end. Never taken
	 * in a fault or when an end dies: it covers faults on the caller's
	 * memory, and those can take as long as a hostile caller likes
	 */
	struct mutex io_lock;
	struct page *control;
	u64 *shared;
	u64 kept;
	struct page *scratch;
	atomic_t mapped;
	u64 want;
	u32 generation;
	bool in_kernel;
	bool gone;
	bool scratched;
};

/**
 * struct secbuf_ring_stream - a ring as one of those of a conn
 * @node: in its list
 * @conn: which; NULL if none
 * @gone: the ring is about to be freed; set once it was in a conn
 *
 * Protected by a lock of the layer above.
 */
struct secbuf_ring_stream {
	struct list_head node;
	struct secbuf_conn *conn;
	void (*gone)(struct secbuf_ring *ring);
};

/**
 * struct secbuf_ring - a circular buffer with two ends
 * @refs: one for each end that somebody holds
 * @size: bytes
 * @flags: SECBUF_RING_F_*
 * @memory: the data
 * @ends: by enum secbuf_ring_end_nr
 * @status: page of struct secbuf_ring_status
 * @status_flags: what it says
 * @account: who pays
 * @reclaim: in the module's list
 * @shrinks: times that the memory was taken back
 * @notifies: RING_NOTIFY
 * @faults: pages mapped
 * @stream: the conn that it belongs to
 * @seen_head: when the kernel last looked
 * @seen_tail: the same
 * @used_at: when it last saw the ring used, in nanoseconds since boot
 *
 * Lock order: owner->lock, io_lock of the producer, of the consumer,
 * [mmap_lock,] map_lock, i_mmap_rwsem; the spinlocks are leaves.
 */
struct secbuf_ring {
	struct kref refs;
	size_t size;
	u32 flags;
	/**
	 * @map_lock: read: look at pages and positions, copy and map; write:
	 * unmap, zeroize and free pages, and whatever changes what an end is.
	 * No user memory is faulted in under it
	 */
	struct rw_semaphore map_lock;
	/** @status_lock: serializes changes of @status_flags */
	spinlock_t status_lock;
	struct secbuf_ring_memory memory;
	struct secbuf_ring_end ends[SECBUF_RING_END_NR];
	struct page *status;
	u32 status_flags;
	struct secbuf_account account;
	struct secbuf_reclaim reclaim;
	u64 shrinks;
	atomic64_t notifies;
	atomic64_t faults;
	struct secbuf_ring_stream stream;
	u64 seen_head;
	u64 seen_tail;
	u64 used_at;
};

/**
 * struct secbuf_ring_view - the positions, as one side sees them
 * @own: of this side
 * @amount: bytes that it can move: used for the consumer, space for the
 *          producer
 */
struct secbuf_ring_view {
	u64 own;
	u64 amount;
};

static inline bool secbuf_ring_is_producer(const struct secbuf_ring_end *end)
{
	return end->which == SECBUF_RING_END_PRODUCER;
}

static inline struct secbuf_ring_end *
secbuf_ring_peer(struct secbuf_ring_end *end)
{
	return &end->ring->ends[!end->which];
}

static inline bool secbuf_ring_has_records(const struct secbuf_ring *ring)
{
	return ring->flags & SECBUF_RING_F_RECORDS;
}

/* Rings that exist; shown by INFO. */
extern atomic_t secbuf_nr_rings;

struct secbuf_ring *
secbuf_ring_alloc(size_t size, u32 flags,
		  const struct secbuf_reclaim_ops *reclaim_ops);
void secbuf_ring_put(struct secbuf_ring *ring);
void secbuf_ring_end_hold(struct secbuf_ring_end *end,
			  const struct secbuf_ring_ops *ops, void *priv);
void secbuf_ring_end_release(struct secbuf_ring_end *end);
void secbuf_ring_end_try_die(struct secbuf_ring_end *end, u32 generation);
void secbuf_ring_end_die(struct secbuf_ring_end *end, u32 generation);
int secbuf_ring_end_claim(struct secbuf_ring_end *end);
const u64 *secbuf_ring_end_word(const struct secbuf_ring_end *end);
int secbuf_ring_end_state(const struct secbuf_ring_end *end);
int secbuf_ring_end_view(struct secbuf_ring_end *end,
			 struct secbuf_ring_view *view);
void secbuf_ring_end_advance(struct secbuf_ring_end *end, u64 pos);
void secbuf_ring_end_notify(struct secbuf_ring_end *end);
int secbuf_ring_end_fill_scratch(struct secbuf_ring_end *end);

void secbuf_ring_reset(struct secbuf_ring *ring);
void secbuf_ring_break(struct secbuf_ring *ring);
size_t secbuf_ring_drop(struct secbuf_ring *ring);

#endif /* SECBUF_RING_H */
