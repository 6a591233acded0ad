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
 * @nr: number of slots
 * @in_use: slots granted
 * @first_free: no slot below this one is free
 * @granted: a bit per slot
 * @held: a bit per slot: granted to an object of the kernel
 *
 * Geometry and bookkeeping only: it knows no memory. The caller serializes.
 */
struct secbuf_slots {
	size_t size;
	unsigned int nr;
	unsigned int in_use;
	unsigned int first_free;
	unsigned long *granted;
	unsigned long *held;
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

int secbuf_slots_init(struct secbuf_slots *slots, size_t size, unsigned int nr);
void secbuf_slots_exit(struct secbuf_slots *slots);
size_t secbuf_slots_footprint(unsigned int nr);
int secbuf_slots_find(const struct secbuf_slots *slots, u64 *id);
int secbuf_slots_check(const struct secbuf_slots *slots, u64 id,
		       enum secbuf_slot_holder holder);
void secbuf_slots_take(struct secbuf_slots *slots, u64 id,
		       enum secbuf_slot_holder holder);
void secbuf_slots_put(struct secbuf_slots *slots, u64 id);
void secbuf_slots_put_all(struct secbuf_slots *slots);
struct secbuf_slot_span secbuf_slots_span(const struct secbuf_slots *slots,
					  u64 id);
bool secbuf_slots_span_idle(const struct secbuf_slots *slots, u64 id);

#endif /* SECBUF_SLOTS_H */
