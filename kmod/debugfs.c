// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/secbuf/pools: a line for each kernel-held pool, and one for
 * each member of a mapped one.
 */
#include "debugfs.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "member.h"
#include "pool.h"
#include "reclaim.h"
#include "ring.h"
#include "ring_park.h"
#include "ring_stats.h"

static struct dentry *directory;

static void show_member(struct seq_file *m, struct secbuf_member *member)
{
	struct secbuf_member_stats s;

	secbuf_member_peek_stats(member, &s);
	seq_printf(m, "%-16s %6zu %6u %6u %6u %6u %6u %6u %10llu %10llu %10u %10llu %10llu %8llu %8u %12llu\n",
		   member->name, member->area->slots.size, 0, s.max_slots,
		   s.allocated, s.available, s.in_use, s.peak, s.acquired,
		   s.returned, 0, s.hits, s.acquired - s.hits, s.failures, 0,
		   s.bytes_zeroized);
}

static void show_pool(struct seq_file *m, struct secbuf_pool *pool)
{
	struct secbuf_pool_stats s;

	secbuf_pool_get_stats(pool, &s);
	seq_printf(m, "%-16s %6u %6u %6u %6u %6u %6u %6u %10llu %10llu %10llu %10llu %10llu %8llu %8llu %12llu\n",
		   pool->name, pool->size, pool->min, s.max, s.allocated,
		   s.available, s.in_use, s.peak, s.acquired, s.returned,
		   s.magazine_hits, s.depot_hits, s.misses, s.failures,
		   s.detached, s.bytes_zeroized);
}

static void show_object(struct secbuf_reclaim *reclaim, void *arg)
{
	struct secbuf_member *member = secbuf_member_from_reclaim(reclaim);
	struct secbuf_pool *pool = secbuf_pool_from_reclaim(reclaim);

	if (member)
		show_member(arg, member);
	if (pool)
		show_pool(arg, pool);
}

static int pools_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%-16s %6s %6s %6s %6s %6s %6s %6s %10s %10s %10s %10s %10s %8s %8s %12s\n",
		   "pool", "size", "min", "max", "alloc", "avail", "in_use",
		   "peak", "acquired", "returned", "mag_hits", "depot_hits",
		   "misses", "failures", "detached", "zeroized");
	secbuf_reclaim_for_each(show_object, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

static void show_ring(struct secbuf_reclaim *reclaim, void *arg)
{
	struct secbuf_ring *ring = secbuf_ring_from_reclaim(reclaim);
	struct secbuf_ring_stats_args s;
	struct seq_file *m = arg;

	if (!ring)
		return;
	secbuf_ring_fill_stats(ring, &s);
	seq_printf(m, "%9zu %#5x %#6x %5u %16llu %16llu %9llu %9llu %12llu %8llu %8llu %8llu %8llu %8llu\n",
		   ring->size, ring->flags, s.out_status, s.out_state,
		   s.out_produced, s.out_consumed, s.out_bytes,
		   s.out_peak_bytes, s.out_bytes_zeroized, s.out_notifies,
		   s.out_sleeps, s.out_wakes, s.out_faults, s.out_shrinks);
}

static int rings_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%9s %5s %6s %5s %16s %16s %9s %9s %12s %8s %8s %8s %8s %8s\n",
		   "size", "flags", "status", "state", "produced", "consumed",
		   "bytes", "peak", "zeroized", "notifies", "sleeps", "wakes",
		   "faults", "shrinks");
	secbuf_reclaim_for_each(show_ring, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rings);

/**
 * secbuf_debugfs_init() - make the files; a kernel without debugfs has none
 *
 * Context: module init.
 */
void secbuf_debugfs_init(void)
{
	directory = debugfs_create_dir("secbuf", NULL);
	debugfs_create_file("pools", 0400, directory, NULL, &pools_fops);
	debugfs_create_file("rings", 0400, directory, NULL, &rings_fops);
}

/**
 * secbuf_debugfs_exit() - undo secbuf_debugfs_init()
 *
 * Context: module exit.
 */
void secbuf_debugfs_exit(void)
{
	debugfs_remove_recursive(directory);
}
