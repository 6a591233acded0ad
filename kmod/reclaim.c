// SPDX-License-Identifier: GPL-2.0
/*
 * One shrinker, one look for idle memory and one CPU-hotplug state for all
 * objects of the module.
 *
 * A memory cgroup at its limit asks only those shrinkers that a list_lru has
 * told it of. So each object puts an item on one, which is charged to the cgroup
 * that pays for the object; the item itself is never looked at. When the cgroup
 * goes, the items are its parent's.
 */
#include "reclaim.h"

#include <linux/cpuhotplug.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "account.h"
#include "idle.h"

/* When idle_secs is 0 it is looked now and then whether that has changed. */
#define SECBUF_IDLE_SECS_OFF	10
#define SECBUF_IDLE_SECS_MAX	3600

static unsigned int idle_secs = 10;
module_param(idle_secs, uint, 0644);
MODULE_PARM_DESC(idle_secs,
		 "give memory back that was not used between two looks, so many seconds apart (0: only when it is short)");

/*
 * Protects the list, and keeps its objects while their ops run. The shrinker
 * only tries it: it may run inside an allocation of whoever holds it.
 */
static DEFINE_MUTEX(objects_lock);
static LIST_HEAD(objects);

/* Of those, what secbuf_reclaim_idle() is not through with. */
static LIST_HEAD(undrained);

static struct list_lru items;
static struct kmem_cache *item_cache;

static struct shrinker *shrinker;
static enum cpuhp_state hotplug_state;

/*
 * Is it to be asked when this memory cgroup is short? The root stands for the
 * whole machine, and so does NULL, where there are no cgroups.
 */
static bool concerns(const struct secbuf_reclaim *reclaim,
		     struct mem_cgroup *memcg)
{
	struct mem_cgroup *own = reclaim->account->memcg;

	if (!memcg || !parent_mem_cgroup(memcg))
		return true;
	while (own && !mem_cgroup_online(own))
		own = parent_mem_cgroup(own);
	return !own || own == memcg;
}

/* Never SHRINK_EMPTY: the cgroup would not ask again. */
static unsigned long count_objects(struct shrinker *s,
				   struct shrink_control *sc)
{
	struct secbuf_reclaim *reclaim;
	size_t bytes = 0;

	if (!mutex_trylock(&objects_lock))
		return 0;
	list_for_each_entry(reclaim, &objects, node) {
		if (concerns(reclaim, sc->memcg))
			bytes += reclaim->ops->count(reclaim);
		cond_resched();
	}
	mutex_unlock(&objects_lock);
	return bytes >> PAGE_SHIFT;
}

static unsigned long scan_objects(struct shrinker *s,
				  struct shrink_control *sc)
{
	size_t wanted = sc->nr_to_scan << PAGE_SHIFT;
	struct secbuf_reclaim *reclaim;
	size_t freed = 0;

	if (!mutex_trylock(&objects_lock))
		return SHRINK_STOP;
	list_for_each_entry(reclaim, &objects, node) {
		if (freed >= wanted)
			break;
		if (concerns(reclaim, sc->memcg))
			freed += reclaim->ops->scan(reclaim, wanted - freed);
		cond_resched();
	}
	/* The next round begins with those that gave nothing this time. */
	if (!list_empty(&objects))
		list_rotate_left(&objects);
	mutex_unlock(&objects_lock);
	return freed >> PAGE_SHIFT ?: SHRINK_STOP;
}

static bool is_whose(const struct secbuf_reclaim *reclaim,
		     const struct secbuf_account *account,
		     enum secbuf_reclaim_whose whose)
{
	switch (whose) {
	case SECBUF_RECLAIM_MEMCG:
		return reclaim->account->memcg == account->memcg;
	case SECBUF_RECLAIM_USER:
		return reclaim->account->user == account->user;
	default:
		return true;
	}
}

/**
 * secbuf_reclaim_others() - free what is idle, before a ceiling is reported
 * @account: who would be charged
 * @whose: of which objects
 * @bytes: wanted
 *
 * Context: process, may sleep, no lock that an object's scan takes. Gives up at
 * a fatal signal. What is locked by others is passed over.
 * Return: bytes freed.
 */
size_t secbuf_reclaim_others(const struct secbuf_account *account,
			     enum secbuf_reclaim_whose whose, size_t bytes)
{
	struct secbuf_reclaim *reclaim;
	size_t freed = 0;

	if (mutex_lock_killable(&objects_lock))
		return 0;
	list_for_each_entry(reclaim, &objects, node) {
		if (freed >= bytes || fatal_signal_pending(current))
			break;
		if (!reclaim->ops->prepaid && is_whose(reclaim, account, whose))
			freed += reclaim->ops->scan(reclaim, bytes - freed);
		cond_resched();
	}
	mutex_unlock(&objects_lock);
	return freed;
}

/* Asked for at once, where others may have to wait meanwhile. */
#define SECBUF_RECLAIM_CHUNK	SZ_256K

/* Returns how many objects there are. */
static size_t drain_begin(void)
{
	struct secbuf_reclaim *reclaim;
	size_t nr = 0;

	mutex_lock(&objects_lock);
	list_for_each_entry(reclaim, &objects, node) {
		reclaim->recalled = false;
		list_move_tail(&reclaim->undrained, &undrained);
		nr++;
		cond_resched();
	}
	mutex_unlock(&objects_lock);
	return nr;
}

static bool drain(struct secbuf_reclaim *reclaim)
{
	const struct secbuf_reclaim_ops *ops = reclaim->ops;

	if (ops->recall && !reclaim->recalled)
		ops->recall(reclaim);
	reclaim->recalled = true;
	return ops->drain ? ops->drain(reclaim) :
			    ops->scan(reclaim, SECBUF_RECLAIM_CHUNK);
}

/* Some of the next object; false if nothing is left. */
static bool drain_next(void)
{
	struct secbuf_reclaim *reclaim;

	mutex_lock(&objects_lock);
	reclaim = list_first_entry_or_null(&undrained, struct secbuf_reclaim,
					   undrained);
	if (reclaim && drain(reclaim))
		list_move_tail(&reclaim->undrained, &undrained);
	else if (reclaim)
		list_del_init(&reclaim->undrained);
	mutex_unlock(&objects_lock);
	return reclaim;
}

/**
 * secbuf_reclaim_idle() - free all that is idle
 * @bytes: that there are in all
 *
 * Bit by bit and in turn, so that nobody who makes, uses or closes an object has
 * to wait for long. What becomes idle meanwhile may stay. Not from two at a time.
 *
 * Context: process, may sleep, no lock that an object's ops take.
 */
void secbuf_reclaim_idle(size_t bytes)
{
	size_t turns = drain_begin() + (bytes >> PAGE_SHIFT);

	while (turns-- && drain_next())
		cond_resched();
}

static u32 look_ms(void)
{
	u32 secs = READ_ONCE(idle_secs) ?: SECBUF_IDLE_SECS_OFF;

	return min(secs, SECBUF_IDLE_SECS_MAX) * MSEC_PER_SEC;
}

/* Nobody touches it: what expires is the time between two looks. */
static bool look_for_idle(struct secbuf_idle *idle)
{
	struct secbuf_reclaim *reclaim;
	bool any;

	mutex_lock(&objects_lock);
	list_for_each_entry(reclaim, &objects, node) {
		if (READ_ONCE(idle_secs) && reclaim->ops->idle)
			reclaim->ops->idle(reclaim);
		cond_resched();
	}
	any = !list_empty(&objects);
	mutex_unlock(&objects_lock);
	secbuf_idle_set_timeout(idle, look_ms());
	return any;
}

static bool look_get(struct secbuf_idle *idle)
{
	return true;
}

static void look_put(struct secbuf_idle *idle)
{
}

static const struct secbuf_idle_ops look_ops = {
	.get		= look_get,
	.expired	= look_for_idle,
	.put		= look_put,
};

static struct secbuf_idle look;

static int cpu_dead(unsigned int cpu)
{
	struct secbuf_reclaim *reclaim;

	mutex_lock(&objects_lock);
	list_for_each_entry(reclaim, &objects, node)
		if (reclaim->ops->cpu_dead)
			reclaim->ops->cpu_dead(reclaim, cpu);
	mutex_unlock(&objects_lock);
	return 0;
}

/**
 * secbuf_reclaim_init() - from now on memory pressure is heard
 *
 * Context: module init.
 * Return: 0 or -errno.
 */
int secbuf_reclaim_init(void)
{
	int ret;

	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "secbuf:dead",
					NULL, cpu_dead);
	if (ret < 0)
		return ret;
	hotplug_state = ret;

	ret = -ENOMEM;
	shrinker = secbuf_shrinker_create("secbuf", count_objects,
					  scan_objects);
	if (!shrinker)
		goto out_hotplug;
	ret = list_lru_init_memcg(&items, shrinker);
	if (ret)
		goto out_shrinker;
	ret = -ENOMEM;
	item_cache = kmem_cache_create("secbuf_reclaim",
				       sizeof(struct list_head), 0,
				       SLAB_ACCOUNT, NULL);
	if (!item_cache)
		goto out_items;
	secbuf_idle_setup(&look, &look_ops, look_ms());
	return 0;

out_items:
	list_lru_destroy(&items);
out_shrinker:
	secbuf_shrinker_destroy(shrinker);
out_hotplug:
	cpuhp_remove_state_nocalls(hotplug_state);
	return ret;
}

/**
 * secbuf_reclaim_exit() - undo secbuf_reclaim_init()
 *
 * Context: module exit; no object is left.
 */
void secbuf_reclaim_exit(void)
{
	secbuf_idle_del(&look);
	secbuf_shrinker_destroy(shrinker);
	list_lru_destroy(&items);
	kmem_cache_destroy(item_cache);
	cpuhp_remove_state_nocalls(hotplug_state);
}

/* Without secbuf_reclaim_init() nobody asks, and there is no list. */
static int item_add(struct secbuf_reclaim *reclaim)
{
	struct mem_cgroup *old;

	reclaim->item = NULL;
	if (!item_cache)
		return 0;
	old = set_active_memcg(reclaim->account->memcg);
	reclaim->item = kmem_cache_alloc_lru(item_cache, &items, SECBUF_GFP);
	set_active_memcg(old);
	if (!reclaim->item)
		return -ENOMEM;
	INIT_LIST_HEAD(reclaim->item);
	list_lru_add_obj(&items, reclaim->item);
	return 0;
}

/**
 * secbuf_reclaim_add() - an object can give memory back from now on
 * @reclaim: to be deleted before the object is freed
 * @ops: what it can do
 * @account: who pays for its memory; outlives it in the list
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_reclaim_add(struct secbuf_reclaim *reclaim,
		       const struct secbuf_reclaim_ops *ops,
		       const struct secbuf_account *account)
{
	int err;

	reclaim->ops = ops;
	reclaim->account = account;
	/* Nothing is idle yet. */
	INIT_LIST_HEAD(&reclaim->undrained);
	err = item_add(reclaim);
	if (err)
		return err;
	mutex_lock(&objects_lock);
	list_add_tail(&reclaim->node, &objects);
	if (ops->idle && item_cache)
		secbuf_idle_start(&look);
	mutex_unlock(&objects_lock);
	return 0;
}

/**
 * secbuf_reclaim_del() - none of its ops runs any more when this returns
 * @reclaim: the object
 *
 * Context: process, may sleep.
 */
void secbuf_reclaim_del(struct secbuf_reclaim *reclaim)
{
	mutex_lock(&objects_lock);
	list_del(&reclaim->node);
	list_del(&reclaim->undrained);
	mutex_unlock(&objects_lock);
	if (!reclaim->item)
		return;
	list_lru_del_obj(&items, reclaim->item);
	kmem_cache_free(item_cache, reclaim->item);
}

/**
 * secbuf_reclaim_for_each() - look at all objects
 * @fn: called for each, under the lock of the list; may sleep
 * @arg: for @fn
 *
 * Context: process, may sleep.
 */
void secbuf_reclaim_for_each(void (*fn)(struct secbuf_reclaim *reclaim,
					void *arg), void *arg)
{
	struct secbuf_reclaim *reclaim;

	mutex_lock(&objects_lock);
	list_for_each_entry(reclaim, &objects, node) {
		fn(reclaim, arg);
		cond_resched();
	}
	mutex_unlock(&objects_lock);
}
