/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_OWNER_H
#define SECBUF_OWNER_H

#include <linux/list.h>

struct secbuf_owned;
struct secbuf_owner;

/**
 * struct secbuf_owned - embedded in an object that dies with its owner
 * @node: in the owner's list
 * @owner: the address space that created the object
 * @die: unmap, zeroize, refuse further use. May sleep; called at most once,
 *       and not after secbuf_owner_detach() has begun to return
 */
struct secbuf_owned {
	struct list_head node;
	struct secbuf_owner *owner;
	void (*die)(struct secbuf_owned *owned);
};

int secbuf_owner_attach(struct secbuf_owned *owned,
			void (*die)(struct secbuf_owned *owned));
void secbuf_owner_detach(struct secbuf_owned *owned);
int secbuf_owner_check(const struct secbuf_owned *owned);
void secbuf_owner_exit(void);

#endif /* SECBUF_OWNER_H */
