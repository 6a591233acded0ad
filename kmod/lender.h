/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_LENDER_H
#define SECBUF_LENDER_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct secbuf_lender;

/**
 * struct secbuf_lender_ops - what an object does that has buffers to spare
 * @reclaim: give back those that nobody uses now, or only the @wasteful ones of
 *           these; wait for nobody, allocate nothing. When it has none left, it
 *           takes itself off by list_del_init(). Returns how many it gave
 */
struct secbuf_lender_ops {
	unsigned int (*reclaim)(struct secbuf_lender *lender, bool wasteful);
};

/**
 * struct secbuf_lender - embedded in an object that has buffers of a pool
 * @node: in the list while it has some
 * @all: in the list of all, from the beginning to the end
 * @ops: what it does
 */
struct secbuf_lender {
	struct list_head node;
	struct list_head all;
	const struct secbuf_lender_ops *ops;
};

/**
 * struct secbuf_lenders - those of one pool
 * @list: in the order in which they are asked
 * @all: those that have nothing now, too
 */
struct secbuf_lenders {
	/**
	 * @lock: protects both, and keeps objects while they are asked. Taken
	 * under the lock of a conn, and under that of the list of reclaim.c;
	 * under it both are only tried
	 */
	struct mutex lock;
	struct list_head list;
	struct list_head all;
};

void secbuf_lenders_init(struct secbuf_lenders *lenders);
void secbuf_lender_open(struct secbuf_lenders *lenders,
			struct secbuf_lender *lender,
			const struct secbuf_lender_ops *ops);
void secbuf_lender_close(struct secbuf_lenders *lenders,
			 struct secbuf_lender *lender);
void secbuf_lender_add(struct secbuf_lenders *lenders,
		       struct secbuf_lender *lender);
void secbuf_lender_del(struct secbuf_lenders *lenders,
		       struct secbuf_lender *lender);
unsigned int secbuf_lenders_ask(struct secbuf_lenders *lenders,
				unsigned int wanted);
void secbuf_lenders_ask_all(struct secbuf_lenders *lenders);
void secbuf_lenders_for_each(struct secbuf_lenders *lenders,
			     void (*fn)(struct secbuf_lender *lender, void *arg),
			     void *arg);

#endif /* SECBUF_LENDER_H */
