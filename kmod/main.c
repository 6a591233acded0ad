// SPDX-License-Identifier: GPL-2.0
/*
 * secbuf: secrets that cannot outlive their owner. Init and exit.
 */
#include <linux/module.h>

#include "conn_file.h"
#include "conn_slot.h"
#include "debugfs.h"
#include "dev.h"
#include "idle.h"
#include "owner.h"
#include "page.h"
#include "policy.h"
#include "pool.h"
#include "pool_file.h"
#include "reclaim.h"
#include "ring_file.h"

static const struct secbuf_command *const creators[] = {
	&secbuf_pool_create_command,
	&secbuf_conn_create_command,
	&secbuf_ring_create_command,
};

static int __init secbuf_init(void)
{
	int err;

	secbuf_page_init();
	err = secbuf_pool_init();
	if (err)
		return err;
	err = secbuf_idle_init();
	if (err)
		goto out_pool;
	err = secbuf_reclaim_init();
	if (err)
		goto out_idle;
	err = secbuf_slot_conn_init();
	if (err)
		goto out_reclaim;
	err = secbuf_policy_init();
	if (err)
		goto out_conn;
	err = secbuf_dev_init(creators, ARRAY_SIZE(creators));
	if (err)
		goto out_policy;
	secbuf_debugfs_init();
	return 0;

out_policy:
	secbuf_policy_exit();
out_conn:
	secbuf_slot_conn_exit();
out_reclaim:
	secbuf_reclaim_exit();
out_idle:
	secbuf_idle_exit();
out_pool:
	secbuf_pool_exit();
	return err;
}

static void __exit secbuf_exit(void)
{
	secbuf_debugfs_exit();
	secbuf_dev_exit();
	secbuf_policy_exit();
	secbuf_owner_exit();
	secbuf_reclaim_exit();
	secbuf_idle_exit();
	secbuf_slot_conn_exit();
	secbuf_pool_exit();
	secbuf_page_exit();
}

module_init(secbuf_init);
module_exit(secbuf_exit);

MODULE_DESCRIPTION("Buffers for secrets, zeroized when their owner ends");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
