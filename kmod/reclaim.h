/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RECLAIM_H
#define SECBUF_RECLAIM_H

#include <linux/list.h>
#include <linux/types.h>

struct secbuf_account;
struct secbuf_reclaim;

/**
 * struct secbuf_reclaim_ops - what an object can give back
 * @count: bytes that could be freed now; no locks, approximate
 * @scan: free up to that many bytes without waiting for anybody; returns bytes
 *        freed. Must not allocate memory in a way that can reclaim
 * @recall: all who keep parts of it give back what they do not need now. May
 *          sleep; can be NULL
 * @drain: free some of what is idle, so little that others get their turn; false
 *         if there was nothing. May sleep; NULL: @scan is as good
 * @cpu_dead: a CPU is gone: take what it kept. May sleep; can be NULL
 * @idle: called now and then: free what was not used since the last time. May
 *        sleep; can be NULL
 * @prepaid: what it frees stays charged to the ceilings
 *
 * All are called under a lock of the list: they must not add or remove objects.
 */
struct secbuf_reclaim_ops {
	size_t (*count)(struct secbuf_reclaim *reclaim);
	size_t (*scan)(struct secbuf_reclaim *reclaim, size_t bytes);
	void (*recall)(struct secbuf_reclaim *reclaim);
	bool (*drain)(struct secbuf_reclaim *reclaim);
	void (*cpu_dead)(struct secbuf_reclaim *reclaim, unsigned int cpu);
	void (*idle)(struct secbuf_reclaim *reclaim);
	bool prepaid;
};

/**
 * struct secbuf_reclaim - embedded in an object that keeps idle memory
 * @node: in the module's list
 * @ops: what it can do
 * @account: who pays for the memory
 * @item: what makes his memory cgroup ask
 * @undrained: among those that secbuf_reclaim_idle() is not through with
 * @recalled: by secbuf_reclaim_idle()
 */
struct secbuf_reclaim {
	struct list_head node;
	const struct secbuf_reclaim_ops *ops;
	const struct secbuf_account *account;
	struct list_head *item;
	struct list_head undrained;
	bool recalled;
};

/**
 * enum secbuf_reclaim_whose - whose idle memory is to go
 * @SECBUF_RECLAIM_ALL: everybody's
 * @SECBUF_RECLAIM_USER: that of one user
 * @SECBUF_RECLAIM_MEMCG: what is charged to one memory cgroup
 */
enum secbuf_reclaim_whose {
	SECBUF_RECLAIM_ALL,
	SECBUF_RECLAIM_USER,
	SECBUF_RECLAIM_MEMCG,
};

int secbuf_reclaim_init(void);
void secbuf_reclaim_exit(void);
int secbuf_reclaim_add(struct secbuf_reclaim *reclaim,
		       const struct secbuf_reclaim_ops *ops,
		       const struct secbuf_account *account);
void secbuf_reclaim_del(struct secbuf_reclaim *reclaim);
size_t secbuf_reclaim_others(const struct secbuf_account *account,
			     enum secbuf_reclaim_whose whose, size_t bytes);
void secbuf_reclaim_idle(size_t bytes);
void secbuf_reclaim_for_each(void (*fn)(struct secbuf_reclaim *reclaim,
					void *arg), void *arg);

#endif /* SECBUF_RECLAIM_H */
