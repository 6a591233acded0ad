/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_MEMBER_H
#define SECBUF_MEMBER_H

#include "area.h"
#include "reclaim.h"
#include "slots.h"

struct secbuf_holder;
struct secbuf_payer;

#define SECBUF_MEMBER_NAME	16

/**
 * struct secbuf_member_stats - counters
 * @max_slots: most slots of the area granted at once
 * @in_use: slots granted to the member now
 * @peak: most slots that were granted to it at once
 * @allocated: slots of the area that have memory now
 * @available: of these, those not granted
 * @acquired: slots granted to the member so far
 * @returned: slots that it gave back so far
 * @failures: grants refused to it so far
 * @hits: of @acquired, whose memory was still there
 * @leaks: slots that were granted to it when it died
 * @bytes: bytes of pages that the area holds now
 * @bytes_zeroized: bytes zeroized in the area so far
 */
struct secbuf_member_stats {
	unsigned int max_slots;
	unsigned int in_use;
	unsigned int peak;
	unsigned int allocated;
	unsigned int available;
	u64 acquired;
	u64 returned;
	u64 failures;
	u64 hits;
	u64 leaks;
	u64 bytes;
	u64 bytes_zeroized;
};

/**
 * struct secbuf_holder_ops - what an object does that holds slots of a member
 * @wake: the member is dead; who sleeps is to find out. May sleep
 * @reclaim: memory is short: give slots back that nobody needs, only
 *           @wasteful ones, by secbuf_held_reclaim(). Under io_lock and
 *           map_lock, inside of an allocation of anybody: waits for nobody.
 *           Returns slots
 */
struct secbuf_holder_ops {
	void (*wake)(struct secbuf_holder *holder);
	unsigned int (*reclaim)(struct secbuf_holder *holder, bool wasteful);
};

/**
 * struct secbuf_holder - embedded in an object that holds slots of a member
 * @node: among all of them. Protected by holders_lock
 * @lender: among those that hold slots which can be taken back. Protected by
 *          io_lock
 * @ops: of the object
 */
struct secbuf_holder {
	struct list_head node;
	struct list_head lender;
	const struct secbuf_holder_ops *ops;
};

/**
 * struct secbuf_member - one of those who use an area
 * @area: what they share
 * @payer: of the pages that were allocated for this one
 * @share: its slots
 * @reclaim: in the module's list
 * @holders: objects of the kernel that hold slots of it. Protected by
 *           @holders_lock
 * @lenders: of these, those that can give some back, in the order in which they
 *           are asked
 * @idled: slots that were put as they were idle, and may still have memory
 * @stats: counters, but for those that @share and @area have
 * @pressure_seen: of the area's pressure
 * @dead: it died: nothing is granted any more, and nothing is mapped. Written
 *        under io_lock; who faults holds map_lock
 * @name: of the process, for statistics
 *
 * Protected by the io_lock of the area.
 */
struct secbuf_member {
	struct secbuf_area *area;
	struct secbuf_payer *payer;
	struct secbuf_slot_share share;
	struct secbuf_reclaim reclaim;
	/** @holders_lock: order: see struct secbuf_area */
	struct mutex holders_lock;
	struct list_head holders;
	struct list_head lenders;
	unsigned int idled;
	struct secbuf_member_stats stats;
	u32 pressure_seen;
	bool dead;
	char name[SECBUF_MEMBER_NAME];
};

int secbuf_member_init(struct secbuf_member *member, struct secbuf_area *area,
		       struct secbuf_payer *payer,
		       const struct secbuf_reclaim_ops *reclaim_ops);
bool secbuf_member_exit(struct secbuf_member *member);
void secbuf_member_wipe(struct secbuf_member *member);
void secbuf_member_shut(struct secbuf_member *member);
void secbuf_member_die(struct secbuf_member *member);
int secbuf_member_grant(struct secbuf_member *member, u64 *ids,
			unsigned int nr, enum secbuf_slot_holder holder);
int secbuf_member_return(struct secbuf_member *member, const u64 *ids,
			 unsigned int nr, enum secbuf_slot_holder holder);
void secbuf_member_hand_over(struct secbuf_member *member, const u64 *ids,
			     unsigned int nr);
void secbuf_member_undo(struct secbuf_member *member, const u64 *ids,
			unsigned int nr);
int secbuf_member_return_all(struct secbuf_member *member);
int secbuf_member_shrink(struct secbuf_member *member, unsigned int nr);
bool secbuf_member_pressed(const struct secbuf_member *member);
void secbuf_member_get_stats(struct secbuf_member *member,
			     struct secbuf_member_stats *stats);
void secbuf_member_peek_stats(const struct secbuf_member *member,
			      struct secbuf_member_stats *stats);

#endif /* SECBUF_MEMBER_H */
