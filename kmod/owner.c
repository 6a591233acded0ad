// SPDX-License-Identifier: GPL-2.0
/*
 * Owner: the address space that created an object. The object dies when that
 * address space does (exit, kill, exec), whoever still holds a descriptor:
 * fork copies the descriptor table, and close-on-exec acts at exec only.
 *
 * The mm is compared, and nothing of it is used but the set of CPUs that run it.
 * A reference on the struct keeps its address from being given to another
 * process.
 */
#include "owner.h"

#include <linux/errno.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wait_bit.h>

#include "account.h"

/**
 * struct secbuf_owner - a process that owns objects
 * @mm: compared, never dereferenced
 * @objects: of type struct secbuf_owned
 * @notifier: tells of the end of the mm, and keeps its struct; one owner for
 *            each mm
 */
struct secbuf_owner {
	struct mm_struct *mm;
	/**
	 * @lock: protects @objects. Held while objects die, so that none is
	 * freed under it. First in the lock order of struct secbuf_area
	 */
	struct mutex lock;
	struct list_head objects;
#ifdef CONFIG_MMU_NOTIFIER
	struct mmu_notifier notifier;
#endif
};

/* Protects what follows. Held before any owner's lock. */
static DEFINE_MUTEX(everything_lock);
static LIST_HEAD(everything);
static bool no_more_owners;

static void wipe_object(struct secbuf_owned *owned)
{
	lockdep_assert_held(&owned->owner->lock);
	WRITE_ONCE(owned->dead, true);
	owned->ops->wipe(owned);
}

static bool is_of(const struct secbuf_owned *owned, const struct pid *process)
{
	return !process || owned->process == process;
}

/* All objects of an owner, or of one of the processes that share it. */
static void kill_objects(struct secbuf_owner *owner, const struct pid *process,
			 bool alone)
{
	struct secbuf_owned *owned;

	lockdep_assert_held(&owner->lock);
	list_for_each_entry(owned, &owner->objects, node) {
		if (is_of(owned, process))
			wipe_object(owned);
		cond_resched();
	}
	list_for_each_entry(owned, &owner->objects, node) {
		if (is_of(owned, process))
			owned->ops->die(owned, alone);
		cond_resched();
	}
}

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

/* Owners whose notifier_free() has not run yet. */
static atomic_t nr_owners;

static struct mmu_notifier *notifier_alloc(struct mm_struct *mm)
{
	struct secbuf_owner *owner = owner_alloc(mm);

	if (!owner)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&nr_owners);
	return &owner->notifier;
}

static void notifier_free(struct mmu_notifier *notifier)
{
	kfree(container_of(notifier, struct secbuf_owner, notifier));
	/* Called with BH off: free_module() waits until we have returned. */
	if (atomic_dec_and_test(&nr_owners))
		wake_up_var(&nr_owners);
}

static void notifier_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct secbuf_owner *owner =
		container_of(notifier, struct secbuf_owner, notifier);

	mutex_lock(&owner->lock);
	kill_objects(owner, NULL, true);
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
	sigset_t blocked, before;

	/*
	 * It gives way to any signal and begins again, which in a large process
	 * with a timer that is fast has no end.
	 */
	siginitsetinv(&blocked, sigmask(SIGKILL));
	sigprocmask(SIG_BLOCK, &blocked, &before);
	notifier = mmu_notifier_get(&owner_notifier_ops, mm);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (notifier == ERR_PTR(-EINTR))
		return ERR_PTR(-ERESTARTNOINTR);
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
 * mmu_notifier_synchronize() waits for a grace period, but not for callbacks
 * that are queued on other CPUs.
 *
 * Context: module exit, may sleep.
 */
void secbuf_owner_exit(void)
{
	wait_var_event(&nr_owners, !atomic_read(&nr_owners));
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

static int enlist(struct secbuf_owned *owned)
{
	int err = 0;

	mutex_lock(&everything_lock);
	if (no_more_owners)
		err = -ESHUTDOWN;
	else
		list_add(&owned->everything, &everything);
	mutex_unlock(&everything_lock);
	return err;
}

static void delist(struct secbuf_owned *owned)
{
	mutex_lock(&everything_lock);
	list_del(&owned->everything);
	mutex_unlock(&everything_lock);
}

static void leave_owner(struct secbuf_owned *owned)
{
	struct secbuf_owner *owner = owned->owner;

	mutex_lock(&owner->lock);
	list_del(&owned->node);
	mutex_unlock(&owner->lock);
	put_pid(owned->process);
	owner_put(owner);
}

/**
 * secbuf_owner_attach() - the calling process owns this object from now on
 * @owned: to be detached before the object is freed
 * @ops: of the object
 *
 * Context: process, may sleep, no locks held. Takes mmap_lock.
 * Return: 0, -ENOMEM, -ERESTARTNOINTR, -EPERM (a kernel thread), -ESHUTDOWN (the
 * machine is going down).
 */
int secbuf_owner_attach(struct secbuf_owned *owned,
			const struct secbuf_owned_ops *ops)
{
	struct secbuf_owner *owner;
	int err;

	if (!current->mm)
		return -EPERM;
	owner = owner_get(current->mm);
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	owned->owner = owner;
	owned->process = get_pid(task_tgid(current));
	owned->ops = ops;
	owned->dead = false;
	mutex_lock(&owner->lock);
	list_add(&owned->node, &owner->objects);
	mutex_unlock(&owner->lock);
	err = enlist(owned);
	if (err)
		leave_owner(owned);
	return err;
}

/**
 * secbuf_owner_detach() - the object is about to be freed
 * @owned: the object
 *
 * Context: process, may sleep, no locks held.
 */
void secbuf_owner_detach(struct secbuf_owned *owned)
{
	delist(owned);
	leave_owner(owned);
}

/**
 * secbuf_owner_kill_all() - every object of every process dies
 * @for_good: and there will be no others
 *
 * Whoever uses one gets -ESHUTDOWN from then on. Also hits objects that are
 * being made and have no descriptor yet.
 *
 * Context: process, may sleep, no locks held.
 */
void secbuf_owner_kill_all(bool for_good)
{
	struct secbuf_owned *owned;

	mutex_lock(&everything_lock);
	no_more_owners |= for_good;
	list_for_each_entry(owned, &everything, everything) {
		mutex_lock(&owned->owner->lock);
		wipe_object(owned);
		mutex_unlock(&owned->owner->lock);
		cond_resched();
	}
	list_for_each_entry(owned, &everything, everything) {
		mutex_lock(&owned->owner->lock);
		owned->ops->die(owned, false);
		mutex_unlock(&owned->owner->lock);
		cond_resched();
	}
	mutex_unlock(&everything_lock);
}

/*
 * Is the process that created the object at its end, or another program? Exec
 * closes descriptors when it can fail no more, before or after it changes mm.
 */
static bool process_ends(const struct secbuf_owned *owned)
{
	if (task_tgid(current) != owned->process)
		return false;
	if (current->mm)
		return current->in_execve || current->mm != owned->owner->mm;
	return !atomic_read(&current->signal->live);
}

/**
 * secbuf_owner_flush() - a descriptor of the object is being closed
 * @owned: the object
 *
 * An address space can outlive its process, while somebody reads its
 * /proc/PID/mem for instance, and the notifier comes only then. The descriptors
 * of the process are closed in any case, and the first that is takes along all
 * objects of the process.
 *
 * Context: ->flush, may sleep.
 */
void secbuf_owner_flush(struct secbuf_owned *owned)
{
	struct secbuf_owner *owner = owned->owner;

	if (!process_ends(owned))
		return;
	mutex_lock(&owner->lock);
	/* Of all that are closed now the first has done it. */
	if (!owned->dead)
		kill_objects(owner, owned->process, false);
	mutex_unlock(&owner->lock);
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
	if (READ_ONCE(owned->dead))
		return -ESHUTDOWN;
	if (current->mm != owned->owner->mm)
		return -EPERM;
	return 0;
}

/**
 * secbuf_owner_check_poll() - the same, in ->poll
 * @owned: the object
 *
 * AIO asks in the context of who submits, and after a wake once more from a
 * kernel thread, which is nobody's. Who may not was told so the first time.
 *
 * Context: process.
 * Return: 0, -ESHUTDOWN (the owner is gone), -EPERM (another process).
 */
int secbuf_owner_check_poll(const struct secbuf_owned *owned)
{
	if (current->flags & PF_KTHREAD)
		return READ_ONCE(owned->dead) ? -ESHUTDOWN : 0;
	return secbuf_owner_check(owned);
}

static void pass_barrier(void *unused)
{
	/* Pairs with those in secbuf_owner_barrier(). */
	smp_mb();
}

/*
 * CPUs that may be running the owner. x86 sets the bit of a CPU, with a full
 * barrier, before it runs anything there; others may not keep these bits.
 */
static const struct cpumask *cpus_of(const struct secbuf_owned *owned)
{
#ifdef CONFIG_X86
	return mm_cpumask(owned->owner->mm);
#else
	return cpu_online_mask;
#endif
}

/**
 * secbuf_owner_barrier() - every CPU that runs the owner passes a full barrier
 * @owned: an object of his
 *
 * What the owner did before in program order is seen by the caller afterwards,
 * or what the caller did before is seen by the owner in what he does later: as
 * if he had executed a full barrier somewhere. A CPU that is not running him has
 * passed one when it switched, or will.
 *
 * Context: process, may sleep.
 */
void secbuf_owner_barrier(const struct secbuf_owned *owned)
{
	/* What we did before, before the CPUs are looked up and pass theirs. */
	smp_mb();
	on_each_cpu_mask(cpus_of(owned), pass_barrier, NULL, true);
	/* What we do next, after they have passed. */
	smp_mb();
}
