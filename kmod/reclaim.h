/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RECLAIM_H
#define SECBUF_RECLAIM_H

#include <linux/list.h>
#include <linux/types.h>

struct secbuf_reclaim;

/**
 * struct secbuf_reclaim_ops - what an object can give back
 * @count: bytes that could be freed now; no locks, approximate
 * @scan: free up to that many bytes without waiting for anybody; returns bytes
 *        freed. Must not allocate memory in a way that can reclaim
 * @cpu_dead: a CPU is gone: take what it kept. May sleep
 *
 * All are called under a lock of the list: they must not add or remove objects.
 */
struct secbuf_reclaim_ops {
	size_t (*count)(struct secbuf_reclaim *reclaim);
	size_t (*scan)(struct secbuf_reclaim *reclaim, size_t bytes);
	void (*cpu_dead)(struct secbuf_reclaim *reclaim, unsigned int cpu);
};

/**
 * struct secbuf_reclaim - embedded in an object that keeps idle memory
 * @node: in the module's list
 * @ops: what it can do
 */
struct secbuf_reclaim {
	struct list_head node;
	const struct secbuf_reclaim_ops *ops;
};

int secbuf_reclaim_init(void);
void secbuf_reclaim_exit(void);
void secbuf_reclaim_add(struct secbuf_reclaim *reclaim,
			const struct secbuf_reclaim_ops *ops);
void secbuf_reclaim_del(struct secbuf_reclaim *reclaim);
void secbuf_reclaim_for_each(void (*fn)(struct secbuf_reclaim *reclaim,
					void *arg), void *arg);

#endif /* SECBUF_RECLAIM_H */
