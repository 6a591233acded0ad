// SPDX-License-Identifier: GPL-2.0
/*
 * One shrinker and one CPU-hotplug state for all objects of the module.
 */
#include "reclaim.h"

#include <linux/cpuhotplug.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>

/*
 * Protects the list, and keeps its objects while their ops run. The shrinker
 * only tries it: it may run inside an allocation of whoever holds it.
 */
static DEFINE_MUTEX(objects_lock);
static LIST_HEAD(objects);

static struct shrinker *shrinker;
static enum cpuhp_state hotplug_state;

static unsigned long count_objects(struct shrinker *s,
				   struct shrink_control *sc)
{
	struct secbuf_reclaim *reclaim;
	size_t bytes = 0;

	if (!mutex_trylock(&objects_lock))
		return 0;
	list_for_each_entry(reclaim, &objects, node)
		bytes += reclaim->ops->count(reclaim);
	mutex_unlock(&objects_lock);
	return bytes >> PAGE_SHIFT ?: SHRINK_EMPTY;
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
		freed += reclaim->ops->scan(reclaim, wanted - freed);
	}
	/* The next round begins with those that gave nothing this time. */
	if (!list_empty(&objects))
		list_rotate_left(&objects);
	mutex_unlock(&objects_lock);
	return freed >> PAGE_SHIFT ?: SHRINK_STOP;
}

static int cpu_dead(unsigned int cpu)
{
	struct secbuf_reclaim *reclaim;

	mutex_lock(&objects_lock);
	list_for_each_entry(reclaim, &objects, node)
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

	shrinker = secbuf_shrinker_create("secbuf", count_objects,
					  scan_objects);
	if (!shrinker) {
		cpuhp_remove_state_nocalls(hotplug_state);
		return -ENOMEM;
	}
	return 0;
}

/**
 * secbuf_reclaim_exit() - undo secbuf_reclaim_init()
 *
 * Context: module exit; no object is left.
 */
void secbuf_reclaim_exit(void)
{
	secbuf_shrinker_destroy(shrinker);
	cpuhp_remove_state_nocalls(hotplug_state);
}

/**
 * secbuf_reclaim_add() - an object can give memory back from now on
 * @reclaim: to be deleted before the object is freed
 * @ops: what it can do
 *
 * Context: process, may sleep.
 */
void secbuf_reclaim_add(struct secbuf_reclaim *reclaim,
			const struct secbuf_reclaim_ops *ops)
{
	reclaim->ops = ops;
	mutex_lock(&objects_lock);
	list_add_tail(&reclaim->node, &objects);
	mutex_unlock(&objects_lock);
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
	mutex_unlock(&objects_lock);
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
	list_for_each_entry(reclaim, &objects, node)
		fn(reclaim, arg);
	mutex_unlock(&objects_lock);
}
