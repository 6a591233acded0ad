// SPDX-License-Identifier: GPL-2.0
/*
 * Lenders: objects that keep buffers of a kernel-held pool, and can do without
 * them when memory is short.
 */
#include "lender.h"

/* Most that are asked at once; the others next time. */
#define ASK_MAX	256

/**
 * secbuf_lenders_init() - there are none yet
 * @lenders: of a pool
 */
void secbuf_lenders_init(struct secbuf_lenders *lenders)
{
	mutex_init(&lenders->lock);
	INIT_LIST_HEAD(&lenders->list);
	INIT_LIST_HEAD(&lenders->all);
}

/**
 * secbuf_lender_open() - an object that has nothing yet
 * @lenders: of the pool
 * @lender: the object
 * @ops: what it does
 *
 * Context: process, may sleep.
 */
void secbuf_lender_open(struct secbuf_lenders *lenders,
			struct secbuf_lender *lender,
			const struct secbuf_lender_ops *ops)
{
	INIT_LIST_HEAD(&lender->node);
	lender->ops = ops;
	mutex_lock(&lenders->lock);
	list_add_tail(&lender->all, &lenders->all);
	mutex_unlock(&lenders->lock);
}

/**
 * secbuf_lender_close() - it can be freed
 * @lenders: of the pool
 * @lender: the object
 *
 * Context: process, may sleep. Its own locks must not be held.
 */
void secbuf_lender_close(struct secbuf_lenders *lenders,
			 struct secbuf_lender *lender)
{
	mutex_lock(&lenders->lock);
	list_del_init(&lender->node);
	list_del_init(&lender->all);
	mutex_unlock(&lenders->lock);
}

/**
 * secbuf_lender_add() - it has a buffer of the pool
 * @lenders: of the pool
 * @lender: the object, which may be there already
 *
 * Context: process, may sleep. Its own locks may be held.
 */
void secbuf_lender_add(struct secbuf_lenders *lenders,
		       struct secbuf_lender *lender)
{
	mutex_lock(&lenders->lock);
	if (list_empty(&lender->node))
		list_add_tail(&lender->node, &lenders->list);
	mutex_unlock(&lenders->lock);
}

/**
 * secbuf_lender_del() - it has none, and is not asked any more
 * @lenders: of the pool
 * @lender: the object, which need not be there
 *
 * Context: process, may sleep. Its own locks may be held.
 */
void secbuf_lender_del(struct secbuf_lenders *lenders,
		       struct secbuf_lender *lender)
{
	mutex_lock(&lenders->lock);
	list_del_init(&lender->node);
	mutex_unlock(&lenders->lock);
}

/**
 * secbuf_lenders_ask() - memory is short
 * @lenders: of the pool
 * @wanted: buffers
 *
 * First for those that are wasteful. Who was asked is asked last the next time.
 *
 * Context: process; waits for nobody.
 * Return: buffers that were given back.
 */
unsigned int secbuf_lenders_ask(struct secbuf_lenders *lenders,
				unsigned int wanted)
{
	unsigned int asked, wasteful, done = 0;
	struct secbuf_lender *lender;

	if (!mutex_trylock(&lenders->lock))
		return 0;
	for (wasteful = 2; wasteful--; ) {
		for (asked = 0; asked < ASK_MAX && done < wanted &&
		     !list_empty(&lenders->list); asked++) {
			lender = list_first_entry(&lenders->list,
						  struct secbuf_lender, node);
			list_move_tail(&lender->node, &lenders->list);
			done += lender->ops->reclaim(lender, wasteful);
		}
	}
	mutex_unlock(&lenders->lock);
	return done;
}

/**
 * secbuf_lenders_ask_all() - all that nobody uses now is to come back
 * @lenders: of the pool
 *
 * Who is just using one of his own locks is passed over.
 *
 * Context: process, may sleep.
 */
void secbuf_lenders_ask_all(struct secbuf_lenders *lenders)
{
	struct secbuf_lender *lender;
	LIST_HEAD(asked);

	mutex_lock(&lenders->lock);
	while (!list_empty(&lenders->list)) {
		lender = list_first_entry(&lenders->list, struct secbuf_lender,
					  node);
		list_move_tail(&lender->node, &asked);
		lender->ops->reclaim(lender, false);
		cond_resched();
	}
	list_splice(&asked, &lenders->list);
	mutex_unlock(&lenders->lock);
}

/**
 * secbuf_lenders_for_each() - look at all of them
 * @lenders: of the pool
 * @fn: called for each, under a lock; must not wait for their locks
 * @arg: for @fn
 *
 * Context: process, may sleep.
 */
void secbuf_lenders_for_each(struct secbuf_lenders *lenders,
			     void (*fn)(struct secbuf_lender *lender, void *arg),
			     void *arg)
{
	struct secbuf_lender *lender;

	mutex_lock(&lenders->lock);
	list_for_each_entry(lender, &lenders->all, all)
		fn(lender, arg);
	mutex_unlock(&lenders->lock);
}
