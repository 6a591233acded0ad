/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_SLOTS_H
#define SECBUF_SLOTS_H

#include <linux/types.h>

/**
 * enum secbuf_slot_holder - to whom a slot is granted
 * @SECBUF_HOLDER_PROGRAM: the program, which gives it back by its id
 * @SECBUF_HOLDER_OBJECT: an object of the kernel, which alone may return it
 */
enum secbuf_slot_holder {
	SECBUF_HOLDER_PROGRAM,
	SECBUF_HOLDER_OBJECT,
};

/**
 * struct secbuf_slots - which slots of a page-backed area are granted
 * @size: bytes per slot, a power of two
 * @stride: distance of two slots in bytes, a power of two below PAGE_SIZE or
 *          a multiple of it
 * @nr: number of slots
 * @in_use: slots granted
 * @nr_backed: slots that have memory
 * @per_group: slots that share a page and so have memory together
 * @nr_groups: of that many slots each
 * @nr_idle: groups that have memory and no granted slot
 * @first_free: no slot below this one is free
 * @first_bare: no group below this one is without memory
 * @granted: a bit per slot
 * @held: a bit per slot: granted to an object of the kernel
 * @backed: a bit per group: has memory
 * @idle: a bit per group: has memory and no granted slot
 *
 * Geometry and bookkeeping only: it knows no memory. The caller serializes.
 */
struct secbuf_slots {
	size_t size;
	size_t stride;
	unsigned int nr;
	unsigned int in_use;
	unsigned int nr_backed;
	unsigned int per_group;
	unsigned int nr_groups;
	unsigned int nr_idle;
	unsigned int first_free;
	unsigned int first_bare;
	unsigned long *granted;
	unsigned long *held;
	unsigned long *backed;
	unsigned long *idle;
};

/**
 * struct secbuf_slot_share - one member's part of the slots
 * @in_use: slots granted to it
 * @nr_backed: groups whose memory it pays for
 * @nr_idle: of these, those without a granted slot
 * @first_spare: no group below this one is spare
 * @mine: a bit per slot: granted to it
 * @spare: a bit per group: it pays for the memory, and a slot of it is free
 */
struct secbuf_slot_share {
	unsigned int in_use;
	unsigned int nr_backed;
	unsigned int nr_idle;
	unsigned int first_spare;
	unsigned long *mine;
	unsigned long *spare;
};

/**
 * struct secbuf_slot_span - the pages that a slot lies on
 * @first: index of the first page
 * @nr: number of pages
 * @offset: where in the first page the slot begins
 * @len: bytes of the slot in each page
 */
struct secbuf_slot_span {
	pgoff_t first;
	pgoff_t nr;
	size_t offset;
	size_t len;
};

int secbuf_slots_init(struct secbuf_slots *slots, size_t size, size_t stride,
		      unsigned int nr);
void secbuf_slots_exit(struct secbuf_slots *slots);
size_t secbuf_slots_footprint(const struct secbuf_slots *slots);

int secbuf_slot_share_init(struct secbuf_slot_share *share,
			   const struct secbuf_slots *slots);
void secbuf_slot_share_exit(struct secbuf_slot_share *share);
size_t secbuf_slot_share_footprint(const struct secbuf_slots *slots);

int secbuf_slots_find(struct secbuf_slots *slots,
		      struct secbuf_slot_share *share, u64 *id);
int secbuf_slots_check(const struct secbuf_slots *slots,
		       const struct secbuf_slot_share *share, u64 id,
		       enum secbuf_slot_holder holder);
void secbuf_slots_take(struct secbuf_slots *slots,
		       struct secbuf_slot_share *share,
		       struct secbuf_slot_share *payer, u64 id,
		       enum secbuf_slot_holder holder);
void secbuf_slots_put(struct secbuf_slots *slots,
		      struct secbuf_slot_share *share,
		      struct secbuf_slot_share *payer, u64 id);
void secbuf_slots_hand_over(struct secbuf_slots *slots, u64 id);
void secbuf_slots_hold(struct secbuf_slots *slots, u64 id);
void secbuf_slots_back(struct secbuf_slots *slots,
		       struct secbuf_slot_share *payer, unsigned int group);
void secbuf_slots_bare(struct secbuf_slots *slots,
		       struct secbuf_slot_share *payer, unsigned int group);
unsigned int secbuf_slots_find_idle(const struct secbuf_slots *slots,
				    const struct secbuf_slot_share *payer,
				    unsigned int from);
unsigned int secbuf_slots_group(const struct secbuf_slots *slots, u64 id);
unsigned int secbuf_slots_group_size(const struct secbuf_slots *slots,
				     unsigned int group);
pgoff_t secbuf_slots_group_pages(const struct secbuf_slots *slots);
struct secbuf_slot_span secbuf_slots_span(const struct secbuf_slots *slots,
					  u64 id);

#endif /* SECBUF_SLOTS_H */
