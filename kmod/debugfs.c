// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/secbuf. pools: a line for each kernel-held pool, and one for
 * each member of a mapped one. conns, rings: a line for each, of
 * programs. scan: looks for what is idle when it is written to, and tells what
 * the last look did.
 */
#include "debugfs.h"

#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "conn.h"
#include "conn_sb.h"
#include "conn_slot.h"
#include "conn_stream.h"
#include "idle.h"
#include "lender.h"
#include "member.h"
#include "member_reclaim.h"
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

static void show_conn(struct seq_file *m, const char *name,
		      struct secbuf_conn *conn)
{
	struct secbuf_conn_stats_args s;

	secbuf_conn_streams_usage(conn, &s.out_streams);
	secbuf_conn_peek_stats(conn, &s);
	seq_printf(m, "%-16s %#6x %9llu %9llu %7u %9llu %7u %9llu %10llu %10llu %8llu %8llu %9llu %10llu\n",
		   name, s.out_status, s.out_read.allocated,
		   s.out_write.allocated, s.out_nr_packets, s.out_queue.used,
		   s.out_nr_streams, s.out_streams.allocated, s.out_enqueued,
		   s.out_dequeued, s.out_refused, s.out_granted,
		   s.out_reclaimed, div_u64(s.out_idle_ns, NSEC_PER_MSEC));
}

static void show_member_conns(struct seq_file *m, struct secbuf_member *member)
{
	struct secbuf_holder *holder;

	/* One that is dying is left out: that may wait for whom we keep out. */
	if (!mutex_trylock(&member->holders_lock))
		return;
	list_for_each_entry(holder, &member->holders, node)
		show_conn(m, member->name,
			  &secbuf_slot_conn_from_holder(holder)->conn);
	mutex_unlock(&member->holders_lock);
}

/* One that is in the middle of a call is left out: its buffers can go. */
static void show_kconn(struct secbuf_lender *lender, void *arg)
{
	struct secbuf_kconn *kconn = secbuf_kconn_from_lender(lender);

	if (!mutex_trylock(&kconn->conn.lock))
		return;
	show_conn(arg, kconn->pool->name, &kconn->conn);
	mutex_unlock(&kconn->conn.lock);
}

static void show_conns(struct secbuf_reclaim *reclaim, void *arg)
{
	struct secbuf_member *member = secbuf_member_from_reclaim(reclaim);
	struct secbuf_pool *pool = secbuf_pool_from_reclaim(reclaim);

	if (member)
		show_member_conns(arg, member);
	if (pool)
		secbuf_lenders_for_each(&pool->lenders, show_kconn, arg);
}

static int conns_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%-16s %6s %9s %9s %7s %9s %7s %9s %10s %10s %8s %8s %9s %10s\n",
		   "pool", "status", "read", "write", "packets", "bytes",
		   "streams", "memory", "enqueued", "dequeued", "refused",
		   "granted", "reclaimed", "idle_ms");
	secbuf_reclaim_for_each(show_conns, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(conns);

static int scan_show(struct seq_file *m, void *unused)
{
	struct secbuf_idle_report report;

	secbuf_idle_last_scan(&report);
	seq_printf(m, "ns %llu\nexamined %llu\nexpired %llu\n", report.ns,
		   report.examined, report.expired);
	return 0;
}

static int scan_open(struct inode *inode, struct file *file)
{
	return single_open(file, scan_show, NULL);
}

/* Whatever is written. */
static ssize_t scan_write(struct file *file, const char __user *from,
			  size_t len, loff_t *pos)
{
	struct secbuf_idle_report report;

	secbuf_idle_scan(&report);
	return len;
}

static const struct file_operations scan_fops = {
	.owner		= THIS_MODULE,
	.open		= scan_open,
	.read		= seq_read,
	.write		= scan_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

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
	debugfs_create_file("conns", 0400, directory, NULL, &conns_fops);
	debugfs_create_file("scan", 0600, directory, NULL, &scan_fops);
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
