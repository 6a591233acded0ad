// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/secbuf/pools: a line for each kernel-held pool.
 */
#include "debugfs.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "pool.h"
#include "reclaim.h"

static struct dentry *directory;

static void show_pool(struct secbuf_reclaim *reclaim, void *arg)
{
	struct secbuf_pool *pool = secbuf_pool_from_reclaim(reclaim);
	struct seq_file *m = arg;
	struct secbuf_pool_stats s;

	if (!pool)
		return;
	secbuf_pool_get_stats(pool, &s);
	seq_printf(m, "%-16s %6u %6u %6u %6u %6u %6u %6u %10llu %10llu %10llu %10llu %10llu %8llu %8llu %12llu\n",
		   pool->name, pool->size, pool->min, s.max, s.allocated,
		   s.available, s.in_use, s.peak, s.acquired, s.returned,
		   s.magazine_hits, s.depot_hits, s.misses, s.failures,
		   s.detached, s.bytes_zeroized);
}

static int pools_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%-16s %6s %6s %6s %6s %6s %6s %6s %10s %10s %10s %10s %10s %8s %8s %12s\n",
		   "pool", "size", "min", "max", "alloc", "avail", "in_use",
		   "peak", "acquired", "returned", "mag_hits", "depot_hits",
		   "misses", "failures", "detached", "zeroized");
	secbuf_reclaim_for_each(show_pool, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

/**
 * secbuf_debugfs_init() - make the files; a kernel without debugfs has none
 *
 * Context: module init.
 */
void secbuf_debugfs_init(void)
{
	directory = debugfs_create_dir("secbuf", NULL);
	debugfs_create_file("pools", 0400, directory, NULL, &pools_fops);
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
