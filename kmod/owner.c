// SPDX-License-Identifier: GPL-2.0
/*
 * Owner: the address space that created an object. The object dies when that
 * address space does (exit, kill, exec), whoever still holds a descriptor:
 * fork copies the descriptor table, and close-on-exec acts at exec only.
 *
 * The mm is compared and never dereferenced. A reference on the struct keeps
 * its address from being given to another process.
 */
#include "owner.h"

#include <linux/errno.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "account.h"

/**
 * struct secbuf_owner - a process that owns objects
 * @mm: compared, never dereferenced
 * @objects: of type struct secbuf_owned
 * @dead: the mm has ended
 * @notifier: tells of the end of the mm, and keeps its struct; one owner for
 *            each mm
 */
struct secbuf_owner {
	struct mm_struct *mm;
	/**
	 * @lock: protects @objects and @dead. Held while objects die, so that
	 * none is freed under it. First in the lock order of struct secbuf_area
	 */
	struct mutex lock;
	struct list_head objects;
	bool dead;
#ifdef CONFIG_MMU_NOTIFIER
	struct mmu_notifier notifier;
#endif
};

static struct secbuf_owner *owner_alloc(struct mm_struct *mm)
{
	struct secbuf_owner *owner;

	owner = kzalloc(sizeof(*owner), SECBUF_GFP);
	if (!owner)
		return NULL;
	owner->mm = mm;
	mutex_init(&owner->lock);
	INIT_LIST_HEAD(&owner->objects);
	return owner;
}

#ifdef CONFIG_MMU_NOTIFIER

static struct mmu_notifier *notifier_alloc(struct mm_struct *mm)
{
	struct secbuf_owner *owner = owner_alloc(mm);

	return owner ? &owner->notifier : ERR_PTR(-ENOMEM);
}

static void notifier_free(struct mmu_notifier *notifier)
{
	kfree(container_of(notifier, struct secbuf_owner, notifier));
}

static void notifier_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct secbuf_owner *owner =
		container_of(notifier, struct secbuf_owner, notifier);
	struct secbuf_owned *owned;

	mutex_lock(&owner->lock);
	WRITE_ONCE(owner->dead, true);
	list_for_each_entry(owned, &owner->objects, node)
		owned->die(owned);
	mutex_unlock(&owner->lock);
}

static const struct mmu_notifier_ops owner_notifier_ops = {
	.alloc_notifier	= notifier_alloc,
	.free_notifier	= notifier_free,
	.release	= notifier_release,
};

static struct secbuf_owner *owner_get(struct mm_struct *mm)
{
	struct mmu_notifier *notifier;

	notifier = mmu_notifier_get(&owner_notifier_ops, mm);
	if (IS_ERR(notifier))
		return ERR_CAST(notifier);
	return container_of(notifier, struct secbuf_owner, notifier);
}

static void owner_put(struct secbuf_owner *owner)
{
	mmu_notifier_put(&owner->notifier);
}

/**
 * secbuf_owner_exit() - wait until no callback of this module can run
 *
 * Context: module exit, may sleep.
 */
void secbuf_owner_exit(void)
{
	mmu_notifier_synchronize();
}

#else

/*
 * Without notifiers objects live to their last reference; INFO says so. Each
 * object has an owner of its own.
 */
static struct secbuf_owner *owner_get(struct mm_struct *mm)
{
	struct secbuf_owner *owner = owner_alloc(mm);

	if (!owner)
		return ERR_PTR(-ENOMEM);
	mmgrab(mm);
	return owner;
}

static void owner_put(struct secbuf_owner *owner)
{
	mmdrop(owner->mm);
	kfree(owner);
}

void secbuf_owner_exit(void)
{
}

#endif /* CONFIG_MMU_NOTIFIER */

/**
 * secbuf_owner_attach() - the calling process owns this object from now on
 * @owned: to be detached before the object is freed
 * @die: see struct secbuf_owned
 *
 * Context: process, may sleep, no locks held. Takes mmap_lock.
 * Return: 0, -ENOMEM, -EINTR, -EPERM (a kernel thread).
 */
int secbuf_owner_attach(struct secbuf_owned *owned,
			void (*die)(struct secbuf_owned *owned))
{
	struct secbuf_owner *owner;

	if (!current->mm)
		return -EPERM;
	owner = owner_get(current->mm);
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	owned->owner = owner;
	owned->die = die;
	mutex_lock(&owner->lock);
	list_add(&owned->node, &owner->objects);
	mutex_unlock(&owner->lock);
	return 0;
}

/**
 * secbuf_owner_detach() - the object is about to be freed
 * @owned: the object
 *
 * Context: process, may sleep, no locks held.
 */
void secbuf_owner_detach(struct secbuf_owned *owned)
{
	struct secbuf_owner *owner = owned->owner;

	mutex_lock(&owner->lock);
	list_del(&owned->node);
	mutex_unlock(&owner->lock);
	owner_put(owner);
}

/**
 * secbuf_owner_check() - may the calling task use this object?
 * @owned: the object
 *
 * Context: process.
 * Return: 0, -ESHUTDOWN (the owner is gone), -EPERM (another process).
 */
int secbuf_owner_check(const struct secbuf_owned *owned)
{
	if (READ_ONCE(owned->owner->dead))
		return -ESHUTDOWN;
	if (current->mm != owned->owner->mm)
		return -EPERM;
	return 0;
}
