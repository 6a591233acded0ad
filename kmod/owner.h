/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_OWNER_H
#define SECBUF_OWNER_H

#include <linux/list.h>
#include <linux/types.h>

struct pid;
struct secbuf_owned;
struct secbuf_owner;

/**
 * struct secbuf_owned_ops - what happens to an object when its owner dies
 * @wipe: refuse further use, and zeroize what can be without waiting for those
 *        whom it is shared with. Called for all objects of the owner before any
 *        of them dies, so that what is secret does not wait for what takes long
 * @die: unmap, zeroize the rest. If it is called @alone, the address space has
 *       ended, and no call on the object is in progress; otherwise its process
 *       has, and another that shares the address space may be in the middle of
 *       one
 *
 * Both may sleep, and can be called several times, but not after
 * secbuf_owner_detach() has begun to return.
 */
struct secbuf_owned_ops {
	void (*wipe)(struct secbuf_owned *owned);
	void (*die)(struct secbuf_owned *owned, bool alone);
};

/**
 * struct secbuf_owned - embedded in an object that dies with its owner
 * @node: in the owner's list
 * @everything: in the list of all owners' objects
 * @owner: the address space that created the object
 * @process: the process that did
 * @ops: of the object
 * @dead: its owner is
 */
struct secbuf_owned {
	struct list_head node;
	struct list_head everything;
	struct secbuf_owner *owner;
	struct pid *process;
	const struct secbuf_owned_ops *ops;
	bool dead;
};

int secbuf_owner_attach(struct secbuf_owned *owned,
			const struct secbuf_owned_ops *ops);
void secbuf_owner_detach(struct secbuf_owned *owned);
void secbuf_owner_flush(struct secbuf_owned *owned);
int secbuf_owner_check(const struct secbuf_owned *owned);
int secbuf_owner_check_poll(const struct secbuf_owned *owned);
void secbuf_owner_kill_all(bool for_good);
void secbuf_owner_barrier(const struct secbuf_owned *owned);
void secbuf_owner_exit(void);

#endif /* SECBUF_OWNER_H */
