/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_HELD_H
#define SECBUF_HELD_H

#include <linux/types.h>

struct iov_iter;
struct page;
struct secbuf_holder;
struct secbuf_holder_ops;
struct secbuf_member;

void secbuf_holder_add(struct secbuf_holder *holder,
		       const struct secbuf_holder_ops *ops,
		       struct secbuf_member *member);
void secbuf_holder_del(struct secbuf_holder *holder,
		       struct secbuf_member *member);
int secbuf_held_grant(struct secbuf_member *member, u64 *id);
int secbuf_held_lend(struct secbuf_member *member, struct secbuf_holder *holder,
		     u64 *id, u32 *tag);
int secbuf_held_busy(struct secbuf_member *member, struct secbuf_holder *holder,
		     u64 id, u32 tag);
void secbuf_held_unlend(struct secbuf_member *member,
			struct secbuf_holder *holder);
void secbuf_held_reclaim(struct secbuf_member *member, u64 id);
void secbuf_held_idled(struct secbuf_member *member, unsigned int nr);
void secbuf_held_put(struct secbuf_member *member, u64 id);
void secbuf_held_clean(struct secbuf_member *member, u64 id);
int secbuf_held_take_over(struct secbuf_member *member, u64 id);
void secbuf_held_hand_over(struct secbuf_member *member, u64 id);
ssize_t secbuf_held_copy(struct secbuf_member *member, u64 id, size_t offset,
			 struct iov_iter *iter, size_t len, bool out);

void secbuf_held_shift(struct secbuf_member *member, u64 id, size_t offset,
		       size_t len);
size_t secbuf_held_in_page(const struct secbuf_member *member, u64 id,
			   size_t offset);
int secbuf_held_pin(struct secbuf_member *member, u64 id, size_t offset,
		    unsigned int nr, struct page **pages);

#endif /* SECBUF_HELD_H */
