// SPDX-License-Identifier: GPL-2.0
/*
 * Policy: what becomes of secrets when the machine sleeps, is written to disk,
 * or goes down. Each is a parameter, which can be changed at any time.
 *
 * Pages of mapped objects are not in hibernation images, so that after a resume
 * a program would find in them whatever the memory held. Either the machine
 * does not hibernate, or the objects die first. That is seen to when processes
 * can still be told, by a notifier, and again when they are stopped and make no
 * secrets any more, by a device that sleeps as any other.
 */
#include "policy.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "account.h"
#include "buf.h"
#include "owner.h"
#include "page.h"
#include "pool.h"
#include "reclaim.h"

static bool hibernation_block = true;
module_param(hibernation_block, bool, 0644);
MODULE_PARM_DESC(hibernation_block,
		 "refuse to hibernate while there are secrets in memory (0: every object of a process dies first, and only what a module has not read of a ring is refused)");

static bool reboot_zeroize = true;
module_param(reboot_zeroize, bool, 0644);
MODULE_PARM_DESC(reboot_zeroize,
		 "every object of a process dies before a reboot, a halt, or the kernel that kexec starts, or a hibernated one");

static bool suspend_zeroize = true;
module_param(suspend_zeroize, bool, 0644);
MODULE_PARM_DESC(suspend_zeroize,
		 "free the memory that is not in use before the machine is suspended");

static u64 bytes_in_use(void)
{
	struct secbuf_account_info info;

	secbuf_account_get_info(&info);
	return info.used;
}

static void add_parked(struct secbuf_reclaim *reclaim, void *arg)
{
	struct secbuf_pool *pool = secbuf_pool_from_reclaim(reclaim);
	struct secbuf_pool_stats stats;
	u64 *bytes = arg;

	if (!pool)
		return;
	secbuf_pool_get_stats(pool, &stats);
	*bytes += stats.available * secbuf_buf_footprint(pool->class);
}

/*
 * Slots lose their pages when they are idle. Buffers are zero when they are
 * parked, and CPUs may keep some.
 */
static u64 bytes_of_secrets(void)
{
	u64 buffers = secbuf_buf_bytes(), parked = 0;

	secbuf_reclaim_for_each(add_parked, &parked);
	return secbuf_page_bytes() + buffers - min(buffers, parked);
}

/*
 * Buffers of modules are written to disk where this is allowed. What modules
 * have not read yet of a ring cannot be: its pages would be lost.
 */
static u64 bytes_in_the_way(bool block)
{
	return block ? bytes_of_secrets() : secbuf_page_bytes();
}

static int before_hibernation(void)
{
	bool block = READ_ONCE(hibernation_block);
	u64 bytes;

	if (!block)
		secbuf_owner_kill_all(false);
	secbuf_reclaim_idle(bytes_in_use());
	bytes = bytes_in_the_way(block);
	if (!bytes)
		return 0;
	pr_notice_ratelimited("secbuf: no hibernation while secrets may be in %llu bytes (%s)\n",
			      bytes, block ? "parameter hibernation_block" :
					     "of other modules");
	return -EBUSY;
}

/* Allowed by the notifier. */
static bool hibernating;

/* Another kernel comes in our place, and gets no secrets. */
static bool restoring;

static int on_sleep(struct notifier_block *nb, unsigned long action,
		    void *data)
{
	int err;

	switch (action) {
	case PM_HIBERNATION_PREPARE:
		err = before_hibernation();
		/* Who refuses is not told that it is over. */
		hibernating = !err;
		return notifier_from_errno(err);
	case PM_POST_HIBERNATION:
		hibernating = false;
		return NOTIFY_OK;
	case PM_RESTORE_PREPARE:
		restoring = READ_ONCE(reboot_zeroize);
		if (restoring)
			secbuf_owner_kill_all(false);
		return NOTIFY_OK;
	case PM_POST_RESTORE:
		restoring = false;
		return NOTIFY_OK;
	case PM_SUSPEND_PREPARE:
		if (READ_ONCE(suspend_zeroize))
			secbuf_reclaim_idle(bytes_in_use());
		return NOTIFY_OK;
	default:
		return NOTIFY_DONE;
	}
}

/*
 * Also called before a hibernated kernel goes on in our place, and before one
 * that kexec starts and that can give the machine back: of that one nothing was
 * told before, the objects are to live on, and their secrets stay in memory.
 */
static int on_freeze(struct device *dev)
{
	/* Those that were made after the notifier. */
	if (restoring)
		secbuf_owner_kill_all(false);
	return hibernating ? before_hibernation() : 0;
}

static int on_reboot(struct notifier_block *nb, unsigned long action,
		     void *data)
{
	if (READ_ONCE(reboot_zeroize))
		secbuf_owner_kill_all(true);
	return NOTIFY_DONE;
}

static struct notifier_block sleep_notifier = {
	.notifier_call = on_sleep,
};

static struct notifier_block reboot_notifier = {
	.notifier_call = on_reboot,
};

static const struct dev_pm_ops sleeper_ops = {
	.freeze = on_freeze,
};

static struct platform_driver sleeper_driver = {
	.driver = {
		.name = "secbuf",
		.pm = &sleeper_ops,
	},
};

static struct platform_device *sleeper;

static int sleeper_init(void)
{
	int err = platform_driver_register(&sleeper_driver);

	if (err)
		return err;
	sleeper = platform_device_register_simple("secbuf",
						  PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(sleeper))
		return 0;
	platform_driver_unregister(&sleeper_driver);
	return PTR_ERR(sleeper);
}

static void sleeper_exit(void)
{
	platform_device_unregister(sleeper);
	platform_driver_unregister(&sleeper_driver);
}

/**
 * secbuf_policy_init() - from now on the parameters act
 *
 * Context: module init, before there are objects.
 * Return: 0 or -errno.
 */
int secbuf_policy_init(void)
{
	int err;

	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		return err;
	err = register_pm_notifier(&sleep_notifier);
	if (err)
		goto out_reboot;
	err = sleeper_init();
	if (err)
		goto out_sleep;
	return 0;

out_sleep:
	unregister_pm_notifier(&sleep_notifier);
out_reboot:
	unregister_reboot_notifier(&reboot_notifier);
	return err;
}

/**
 * secbuf_policy_exit() - undo secbuf_policy_init()
 *
 * Context: module exit, may sleep.
 */
void secbuf_policy_exit(void)
{
	sleeper_exit();
	unregister_pm_notifier(&sleep_notifier);
	unregister_reboot_notifier(&reboot_notifier);
}
