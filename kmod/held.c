// SPDX-License-Identifier: GPL-2.0
/*
 * Held: slots of a member that an object of the kernel holds, and not the
 * program. Those that were lent to the program can be asked back.
 *
 * When the member dies, its slots are zeroized and can be another's. So nothing
 * here touches a slot of a dead member.
 */
#include "held.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "area.h"
#include "member.h"

/* Slots that were idle and lose their memory at once. */
#define SECBUF_HELD_IDLED	64

/**
 * secbuf_holder_add() - an object that will hold slots
 * @holder: to be deleted before the object is freed
 * @ops: of the object
 * @member: whose slots
 *
 * Context: process, may sleep. Takes holders_lock.
 */
void secbuf_holder_add(struct secbuf_holder *holder,
		       const struct secbuf_holder_ops *ops,
		       struct secbuf_member *member)
{
	holder->ops = ops;
	INIT_LIST_HEAD(&holder->lender);
	mutex_lock(&member->holders_lock);
	list_add_tail(&holder->node, &member->holders);
	mutex_unlock(&member->holders_lock);
}

/**
 * secbuf_holder_del() - the object holds no slot any more
 * @holder: none of its ops runs any more when this returns
 * @member: whose slots
 *
 * Context: process, may sleep. Takes holders_lock and io_lock.
 */
void secbuf_holder_del(struct secbuf_holder *holder,
		       struct secbuf_member *member)
{
	mutex_lock(&member->holders_lock);
	list_del(&holder->node);
	mutex_unlock(&member->holders_lock);
	/* Reclaim may be looking at it, even if it has just left the list. */
	mutex_lock(&member->area->io_lock);
	list_del_init(&holder->lender);
	mutex_unlock(&member->area->io_lock);
}

/**
 * secbuf_held_grant() - a zero slot
 * @member: to whom
 * @id: the slot
 *
 * Context: process, may sleep. Takes fill_lock, and locks of any area.
 * Return: 0, or as of secbuf_member_grant().
 */
int secbuf_held_grant(struct secbuf_member *member, u64 *id)
{
	return min(secbuf_member_grant(member, id, 1, SECBUF_HOLDER_OBJECT), 0);
}

static int fill_words(struct secbuf_member *member, u64 id)
{
	struct secbuf_area *area = member->area;
	int err;

	if (secbuf_words_are_there(&area->words, id))
		return 0;
	if (mutex_lock_killable(&area->fill_lock))
		return -EINTR;
	err = secbuf_words_fill(&area->words, area->payer, id);
	mutex_unlock(&area->fill_lock);
	return err;
}

/**
 * secbuf_held_busy() - the program has a slot until it says otherwise
 * @member: to whom it was granted
 * @holder: who can give it back; the caller serializes
 * @id: the slot, which has a word
 * @tag: of the slot
 *
 * Context: process, may sleep. Takes io_lock.
 * Return: 0 or -ESHUTDOWN.
 */
int secbuf_held_busy(struct secbuf_member *member, struct secbuf_holder *holder,
		     u64 id, u32 tag)
{
	struct secbuf_area *area = member->area;
	int err = -ESHUTDOWN;

	mutex_lock(&area->io_lock);
	/* What a member had that died meanwhile may be another's. */
	if (!member->dead) {
		secbuf_words_lend(&area->words, id, tag);
		if (list_empty(&holder->lender))
			list_add_tail(&holder->lender, &member->lenders);
		err = 0;
	}
	mutex_unlock(&area->io_lock);
	return err;
}

/**
 * secbuf_held_lend() - a zero slot that the program has until it says otherwise
 * @member: to whom it is granted
 * @holder: who can give it back; the caller serializes
 * @id: the slot, which has a word
 * @tag: of the slot
 *
 * Context: process, may sleep. Takes fill_lock, and locks of any area.
 * Return: 0, or as of secbuf_member_grant().
 */
int secbuf_held_lend(struct secbuf_member *member, struct secbuf_holder *holder,
		     u64 *id, u32 *tag)
{
	int err;

	err = secbuf_held_grant(member, id);
	if (err)
		return err;
	err = fill_words(member, *id);
	if (!err) {
		*tag = secbuf_words_new_tag(&member->area->words);
		err = secbuf_held_busy(member, holder, *id, *tag);
	}
	if (err)
		secbuf_held_put(member, *id);
	return err;
}

/**
 * secbuf_held_unlend() - the holder has nothing to give back any more
 * @member: whose slots
 * @holder: the caller serializes
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_held_unlend(struct secbuf_member *member,
			struct secbuf_holder *holder)
{
	if (list_empty(&holder->lender))
		return;
	mutex_lock(&member->area->io_lock);
	list_del_init(&holder->lender);
	mutex_unlock(&member->area->io_lock);
}

/**
 * secbuf_held_reclaim() - zeroize a slot and take it back, in reclaim
 * @member: to whom it was granted; alive
 * @id: the slot
 *
 * Its memory goes at once if it is not to stay, or if nobody is left in whose
 * name it would be found.
 *
 * Context: under io_lock and map_lock, held for write; also inside of reclaim.
 */
void secbuf_held_reclaim(struct secbuf_member *member, u64 id)
{
	struct secbuf_area *area = member->area;
	struct secbuf_slot_share *payer = secbuf_area_payer(area, id);
	unsigned int group = secbuf_slots_group(&area->slots, id);

	lockdep_assert_held(&area->io_lock);
	lockdep_assert_held_write(&area->map_lock);
	secbuf_slots_put(&area->slots, &member->share, payer, id);
	if (test_bit(group, area->slots.idle) && (!payer || area->guard))
		secbuf_area_drop_locked(area, group);
	else
		secbuf_area_clean(area, id);
	member->stats.returned++;
}

/**
 * secbuf_held_put() - zeroize a slot and take it back
 * @member: to whom it was granted
 * @id: the slot
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 */
void secbuf_held_put(struct secbuf_member *member, u64 id)
{
	/* What a member had that died has been taken back already. */
	secbuf_member_return(member, &id, 1, SECBUF_HOLDER_OBJECT);
}

/**
 * secbuf_held_idled() - slots were put because nobody used them for long
 * @member: to whom they were granted
 * @nr: how many
 *
 * Their memory need not stay. It goes by many at once, as it has to be looked for
 * in all mappings; that of the last few stays until memory is short.
 *
 * Context: process, may sleep. Takes io_lock and map_lock.
 */
void secbuf_held_idled(struct secbuf_member *member, unsigned int nr)
{
	struct secbuf_area *area = member->area;

	mutex_lock(&area->io_lock);
	member->idled += nr;
	if (member->idled >= SECBUF_HELD_IDLED && !member->dead) {
		secbuf_area_shrink(area, &member->share, member->idled);
		member->idled = 0;
	}
	mutex_unlock(&area->io_lock);
}

/**
 * secbuf_held_clean() - zeroize a slot
 * @member: to whom it was granted
 * @id: the slot
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_held_clean(struct secbuf_member *member, u64 id)
{
	mutex_lock(&member->area->io_lock);
	if (!member->dead)
		secbuf_area_clean(member->area, id);
	mutex_unlock(&member->area->io_lock);
}

/**
 * secbuf_held_take_over() - a slot that was granted to the program is held
 * @member: to whom it was granted
 * @id: a slot, not trusted
 *
 * Context: process, may sleep. Takes io_lock.
 * Return: 0, -EINVAL, -ENOENT, -EBUSY, -ESHUTDOWN.
 */
int secbuf_held_take_over(struct secbuf_member *member, u64 id)
{
	struct secbuf_area *area = member->area;
	int err = -ESHUTDOWN;

	mutex_lock(&area->io_lock);
	if (!member->dead)
		err = secbuf_slots_check(&area->slots, &member->share, id,
					 SECBUF_HOLDER_PROGRAM);
	if (!err)
		secbuf_slots_hold(&area->slots, id);
	mutex_unlock(&area->io_lock);
	return err;
}

/**
 * secbuf_held_hand_over() - a slot that was held is the program's
 * @member: to whom it was granted
 * @id: the slot
 *
 * Context: process, may sleep. Takes io_lock.
 */
void secbuf_held_hand_over(struct secbuf_member *member, u64 id)
{
	struct secbuf_area *area = member->area;

	mutex_lock(&area->io_lock);
	/* What a member had that died meanwhile may be another's. */
	if (!member->dead)
		secbuf_slots_hand_over(&area->slots, id);
	mutex_unlock(&area->io_lock);
}

/* Where a byte of a slot is, and how many follow it on the same page. */
static void *locate(struct secbuf_area *area, u64 id, size_t offset,
		    size_t *left)
{
	struct secbuf_slot_span span = secbuf_slots_span(&area->slots, id);
	size_t from = span.offset + offset;
	struct page *page = secbuf_area_page(area,
					     span.first + from / PAGE_SIZE);

	*left = PAGE_SIZE - offset_in_page(from);
	return page_address(page) + offset_in_page(from);
}

/**
 * secbuf_held_copy() - copy bytes of a slot
 * @member: to whom it was granted
 * @id: the slot
 * @offset: first byte
 * @iter: the other bytes, which are not faulted in
 * @len: bytes; they lie in the slot
 * @out: from the slot, not into it
 *
 * Context: process, may sleep. Takes map_lock.
 * Return: bytes copied, fewer if something is to be faulted in, or -ESHUTDOWN.
 */
ssize_t secbuf_held_copy(struct secbuf_member *member, u64 id, size_t offset,
			 struct iov_iter *iter, size_t len, bool out)
{
	struct secbuf_area *area = member->area;
	size_t done = 0, piece, n;
	ssize_t ret = -ESHUTDOWN;
	void *p;

	/*
	 * Who dies waits for this lock after he has become dead, and zeroizes
	 * once more after that.
	 */
	down_read(&area->map_lock);
	if (READ_ONCE(member->dead))
		goto out_unlock;
	pagefault_disable();
	while (done < len) {
		p = locate(area, id, offset + done, &piece);
		piece = min(piece, len - done);
		n = out ? copy_to_iter(p, piece, iter) :
			  copy_from_iter(p, piece, iter);
		done += n;
		if (n < piece)
			break;
	}
	pagefault_enable();
	ret = done;
out_unlock:
	up_read(&area->map_lock);
	return ret;
}

/**
 * secbuf_held_shift() - bytes of a slot move to its beginning
 * @member: to whom it was granted
 * @id: the slot
 * @offset: the first that moves; those before it are overwritten
 * @len: bytes that move; what was behind the beginning becomes zero
 *
 * Context: process, may sleep. Takes map_lock.
 */
void secbuf_held_shift(struct secbuf_member *member, u64 id, size_t offset,
		       size_t len)
{
	struct secbuf_area *area = member->area;
	size_t done, room, left, n;
	void *to, *from;

	down_read(&area->map_lock);
	for (done = 0; done < len && !READ_ONCE(member->dead); done += n) {
		to = locate(area, id, done, &room);
		from = locate(area, id, offset + done, &left);
		n = min3(len - done, room, left);
		memmove(to, from, n);
		cond_resched();
	}
	for (; done < offset + len && !READ_ONCE(member->dead); done += n) {
		to = locate(area, id, done, &room);
		n = min(offset + len - done, room);
		memzero_explicit(to, n);
		cond_resched();
	}
	up_read(&area->map_lock);
}

/**
 * secbuf_held_in_page() - where in its page a byte of a slot is
 * @member: to whom the slot was granted
 * @id: the slot
 * @offset: of the byte
 *
 * Return: its offset in the page.
 */
size_t secbuf_held_in_page(const struct secbuf_member *member, u64 id,
			   size_t offset)
{
	return offset_in_page(secbuf_slots_span(&member->area->slots,
						id).offset + offset);
}

/**
 * secbuf_held_pin() - keep pages of a slot from being another's
 * @member: to whom it was granted
 * @id: the slot
 * @offset: a byte on the first of them
 * @nr: pages, which all are of the slot
 * @pages: where they go; to be put
 *
 * They stay what they are if the slot is taken back, and are zeroized then. A
 * slot that is smaller than a page can be another member's after the death of
 * this one, while the page is pinned.
 *
 * Context: process, may sleep. Takes map_lock.
 * Return: 0 or -ESHUTDOWN.
 */
int secbuf_held_pin(struct secbuf_member *member, u64 id, size_t offset,
		    unsigned int nr, struct page **pages)
{
	struct secbuf_area *area = member->area;
	struct secbuf_slot_span span = secbuf_slots_span(&area->slots, id);
	pgoff_t first = span.first + (span.offset + offset) / PAGE_SIZE;
	int err = -ESHUTDOWN;
	unsigned int i;

	down_read(&area->map_lock);
	if (!READ_ONCE(member->dead)) {
		for (i = 0; i < nr; i++) {
			pages[i] = secbuf_area_page(area, first + i);
			get_page(pages[i]);
		}
		err = 0;
	}
	up_read(&area->map_lock);
	return err;
}
