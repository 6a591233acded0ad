/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_H
#define SECBUF_CONN_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/linux/secbuf.h>

#include "idle.h"
#include "queue.h"

struct iov_iter;
struct secbuf_conn;

/**
 * struct secbuf_conn_slot - the read or the write buffer
 * @handle: where its bytes are: a slot, or a pointer
 * @tag: in its word, if the source has such
 * @held: the conn has it; this decides, whatever its word says
 */
struct secbuf_conn_slot {
	u64 handle;
	u32 tag;
	bool held;
};

/**
 * struct secbuf_conn_source - where the memory of a conn comes from
 * @grant: a zero buffer for a packet
 * @put: zeroize a buffer and give it back
 * @undo: undo @grant; can be NULL, if that is what @put does
 * @clean: zeroize a buffer
 * @copy: bytes out of a buffer or into it, without faulting memory of a program
 *        in. Returns bytes copied, fewer if that is needed, or -errno
 * @shift: move so many bytes from an offset of a buffer to its beginning
 * @hold: a buffer that the caller has is the conn's; -errno if he has not
 * @hand_over: a buffer of the conn is the caller's
 * @lend: a zero buffer that can be asked back, busy; fills the slot but for
 *        held
 * @busy: the user of the conn wants it again; -errno if it is too late
 * @end: the user has it no more, whatever he wants; give it back, zeroized
 * @state: SECBUF_SLOT_*
 * @used: bytes in use, as the user says
 * @age: idle is aged from now on; true if it was idle
 * @take: idle or aged is gone from now on; true if it was
 * @nothing_lent: the conn has neither buffer any more; can be NULL
 * @idled: so many buffers were given back because nobody used them for long; can
 *         be NULL
 * @free: nobody refers to the conn any more
 *
 * All are called under the lock of the conn, but for @grant, @undo, @free, and
 * @copy into a packet.
 */
struct secbuf_conn_source {
	int (*grant)(struct secbuf_conn *conn, u64 *handle);
	void (*put)(struct secbuf_conn *conn, u64 handle);
	void (*undo)(struct secbuf_conn *conn, u64 handle);
	void (*clean)(struct secbuf_conn *conn, u64 handle);
	ssize_t (*copy)(struct secbuf_conn *conn, u64 handle, size_t offset,
			struct iov_iter *iter, size_t len, bool out);
	void (*shift)(struct secbuf_conn *conn, u64 handle, size_t offset,
		      size_t len);
	int (*hold)(struct secbuf_conn *conn, u64 handle);
	void (*hand_over)(struct secbuf_conn *conn, u64 handle);
	int (*lend)(struct secbuf_conn *conn, struct secbuf_conn_slot *slot);
	int (*busy)(struct secbuf_conn *conn, struct secbuf_conn_slot *slot);
	void (*end)(struct secbuf_conn *conn, struct secbuf_conn_slot *slot);
	u32 (*state)(struct secbuf_conn *conn,
		     const struct secbuf_conn_slot *slot);
	u32 (*used)(struct secbuf_conn *conn,
		    const struct secbuf_conn_slot *slot);
	bool (*age)(struct secbuf_conn *conn, struct secbuf_conn_slot *slot);
	bool (*take)(struct secbuf_conn *conn, struct secbuf_conn_slot *slot);
	void (*nothing_lent)(struct secbuf_conn *conn);
	void (*idled)(struct secbuf_conn *conn, unsigned int nr);
	void (*free)(struct secbuf_conn *conn);
};

/**
 * struct secbuf_conn_params - a conn to be; all limits are in force
 * @flags: SECBUF_CONN_F_*
 * @max_packets: as of CONN_CREATE, and so on
 * @max_bytes: see there
 * @max_streams: see there
 * @idle_ms: see there
 * @near_full: see there
 * @waste_factor: see there
 * @waste_min: see there
 * @slot_size: bytes of each buffer
 */
struct secbuf_conn_params {
	u32 flags;
	u32 max_packets;
	u32 max_bytes;
	u32 max_streams;
	u32 idle_ms;
	u32 near_full;
	u32 waste_factor;
	u32 waste_min;
	u32 slot_size;
};

/**
 * struct secbuf_conn - what one connection owns
 * @source: where its memory comes from
 * @slots: the read and the write buffer
 * @queue: packets
 * @wait: for packets, or room for them
 * @changes: of the queue, so far
 * @events: what poll() reports: EPOLLIN, EPOLLOUT
 * @ends: times that it was zeroized: what began before does not concern it
 * @touched: when it was, in jiffies
 * @sending: the packet that is being sent, if @is_sending
 * @idle: in the wheel while there is something to take
 * @refs: one of the creator, one of a scan
 * @slot_size: bytes of each buffer
 * @max_streams: most rings
 * @nr_streams: rings
 * @waste_factor: as of CONN_CREATE
 * @waste_min: as of CONN_CREATE
 * @streams: rings; see conn_stream.c
 * @granted: buffers lent so far
 * @reclaimed: of these, taken back because they were idle
 * @keep: SECBUF_CONN_F_KEEP
 * @closed: nobody will call any more
 * @is_sending: one thread at a time
 */
struct secbuf_conn {
	/** @lock: protects all of it; order: see struct secbuf_area */
	struct mutex lock;
	const struct secbuf_conn_source *source;
	struct secbuf_conn_slot slots[SECBUF_CONN_BUFFER_NR];
	struct secbuf_queue queue;
	wait_queue_head_t wait;
	u32 changes;
	__poll_t events;
	u32 ends;
	u32 touched;
	u64 sending;
	struct secbuf_idle idle;
	struct kref refs;
	u32 slot_size;
	u32 max_streams;
	u32 nr_streams;
	u32 waste_factor;
	u32 waste_min;
	struct list_head streams;
	u64 granted;
	u64 reclaimed;
	bool keep;
	bool closed;
	bool is_sending;
};

void secbuf_conn_init(struct secbuf_conn *conn,
		      const struct secbuf_conn_params *params,
		      const struct secbuf_conn_source *source);
void secbuf_conn_close(struct secbuf_conn *conn);
void secbuf_conn_get(struct secbuf_conn *conn);
void secbuf_conn_put(struct secbuf_conn *conn);
int secbuf_conn_lock(struct secbuf_conn *conn);
void secbuf_conn_unlock(struct secbuf_conn *conn);
void secbuf_conn_touch(struct secbuf_conn *conn);
int secbuf_conn_buffer(struct secbuf_conn *conn, unsigned int which,
		       struct secbuf_conn_slot *slot);
int secbuf_conn_zeroize(struct secbuf_conn *conn, bool keep_buffers);
u64 secbuf_conn_shrink(struct secbuf_conn *conn, bool wasteful);
bool secbuf_conn_try_take(struct secbuf_conn *conn, unsigned int which,
			  bool wasteful);
void secbuf_conn_get_stats(struct secbuf_conn *conn,
			   struct secbuf_conn_stats_args *stats);
void secbuf_conn_peek_stats(struct secbuf_conn *conn,
			    struct secbuf_conn_stats_args *stats);
void secbuf_conn_changed(struct secbuf_conn *conn);

#endif /* SECBUF_CONN_H */
