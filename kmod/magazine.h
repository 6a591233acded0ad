/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_MAGAZINE_H
#define SECBUF_MAGAZINE_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct secbuf;

/* Slots of the largest magazine; the struct is then 528 bytes. */
#define SECBUF_MAGAZINE_MAX	64

/**
 * struct secbuf_magazine - a stack of parked buffers
 * @node: in a list of a depot
 * @nr: buffers in it
 * @cap: most that go in
 * @bufs: the stack
 *
 * Magazines, the pair that each CPU has, and the depot are those of Bonwick and
 * Adams, "Magazines and Vmem", USENIX 2001. The caller serializes.
 */
struct secbuf_magazine {
	struct list_head node;
	unsigned int nr;
	unsigned int cap;
	struct secbuf *bufs[];
};

/**
 * struct secbuf_depot - magazines shared by all CPUs
 * @full: magazines with buffers. The first may be partly filled, by those who
 *        found the magazines of their CPU busy
 * @empty: magazines without
 * @nr_bufs: buffers in @full
 * @limit: most buffers that are kept of those that return; 0: none at all
 * @cap: slots of each magazine
 */
struct secbuf_depot {
	/** @lock: protects all this. Taken in softirq too; a leaf */
	spinlock_t lock;
	struct list_head full;
	struct list_head empty;
	unsigned int nr_bufs;
	unsigned int limit;
	unsigned int cap;
};

static inline bool secbuf_magazine_full(const struct secbuf_magazine *mag)
{
	return mag->nr == mag->cap;
}

static inline bool secbuf_magazine_empty(const struct secbuf_magazine *mag)
{
	return mag->nr == 0;
}

static inline struct secbuf *secbuf_magazine_pop(struct secbuf_magazine *mag)
{
	return mag->bufs[--mag->nr];
}

static inline void secbuf_magazine_push(struct secbuf_magazine *mag,
					struct secbuf *sb)
{
	mag->bufs[mag->nr++] = sb;
}

/* Up to @nr buffers; returns how many. */
static inline unsigned int
secbuf_magazine_pop_some(struct secbuf_magazine *mag, struct secbuf **bufs,
			 unsigned int nr)
{
	unsigned int top = mag->nr;
	unsigned int i;

	nr = min(nr, top);
	for (i = 0; i < nr; i++)
		bufs[i] = mag->bufs[--top];
	mag->nr = top;
	return nr;
}

/* The first of @bufs, up to @nr; returns how many. */
static inline unsigned int
secbuf_magazine_push_some(struct secbuf_magazine *mag,
			  struct secbuf *const *bufs, unsigned int nr)
{
	unsigned int top = mag->nr;
	unsigned int i;

	nr = min(nr, mag->cap - top);
	for (i = 0; i < nr; i++)
		mag->bufs[top + i] = bufs[i];
	mag->nr = top + nr;
	return nr;
}

size_t secbuf_magazine_size(unsigned int cap);
struct secbuf_magazine *secbuf_magazine_alloc(unsigned int cap, gfp_t gfp);
void secbuf_magazine_free(struct secbuf_magazine *mag);

void secbuf_depot_init(struct secbuf_depot *depot, unsigned int cap,
		       unsigned int limit);
void secbuf_depot_exit(struct secbuf_depot *depot);
struct secbuf_magazine *secbuf_depot_take_full(struct secbuf_depot *depot);
struct secbuf_magazine *secbuf_depot_take_empty(struct secbuf_depot *depot);
bool secbuf_depot_give(struct secbuf_depot *depot, struct secbuf_magazine *mag);
unsigned int secbuf_depot_pop(struct secbuf_depot *depot, struct secbuf **bufs,
			      unsigned int nr);
bool secbuf_depot_push(struct secbuf_depot *depot, struct secbuf *sb);
bool secbuf_depot_move(struct secbuf_depot *depot, struct secbuf *sb);
unsigned int secbuf_depot_trim(struct secbuf_depot *depot);

#endif /* SECBUF_MAGAZINE_H */
