// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program when the machine goes down or to sleep, after all others have
 * been told, and before processes are stopped: the last that user space does.
 *
 * With "keep=1" it also has a ring in which a process, the one that loads it,
 * leaves bytes that nobody reads. With "freeze=1" devices of secbuf are told, as
 * the last step before all devices stop, and loading it fails with what they
 * say, or with ECANCELED.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/sizes.h>
#include <linux/suspend.h>

#include <linux/secbuf_ring.h>

static char *program = "/bin/true";
module_param(program, charp, 0);
MODULE_PARM_DESC(program, "what to run, with \"sleep\" or \"reboot\"");

static bool keep;
module_param(keep, bool, 0);
MODULE_PARM_DESC(keep, "hold a ring with bytes that were not read");

static bool freeze;
module_param(freeze, bool, 0);
MODULE_PARM_DESC(freeze, "only tell secbuf that devices are about to stop");

static struct secbuf_ring_end *kept;

/* The process writes, and is gone. */
static int ring_leave(struct secbuf_ring_end *end)
{
	static const char bytes[] = "nobody reads this";
	struct file *file = secbuf_ring_user_file(end);
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_write(file, bytes, sizeof(bytes), NULL);
	fput(file);
	if (ret < 0)
		return ret;
	return ret == sizeof(bytes) ? 0 : -EIO;
}

static int ring_keep(void)
{
	const struct secbuf_ring_params params = { .size = SZ_64K };
	int err;

	kept = secbuf_ring_create(&params);
	if (IS_ERR(kept))
		return PTR_ERR(kept);
	err = ring_leave(kept);
	if (err)
		secbuf_ring_destroy(kept);
	return err;
}

static int freeze_secbuf(void)
{
	struct device *dev = bus_find_device_by_name(&platform_bus_type, NULL,
						     "secbuf");
	int err = -ENODEV;

	if (dev && dev->driver && dev->driver->pm)
		err = dev->driver->pm->freeze(dev);
	put_device(dev);
	return err ?: -ECANCELED;
}

static void run(char *why)
{
	char *envp[2] = { "PATH=/bin:/usr/bin:/sbin:/usr/sbin" };
	char *argv[3] = { program, why };

	call_usermodehelper(program, argv, envp, UMH_WAIT_PROC);
}

static int on_sleep(struct notifier_block *nb, unsigned long action,
		    void *data)
{
	if (action == PM_HIBERNATION_PREPARE || action == PM_SUSPEND_PREPARE)
		run("sleep");
	return NOTIFY_DONE;
}

static int on_reboot(struct notifier_block *nb, unsigned long action,
		     void *data)
{
	run("reboot");
	return NOTIFY_DONE;
}

static struct notifier_block sleep_notifier = {
	.notifier_call	= on_sleep,
	.priority	= INT_MIN,
};

static struct notifier_block reboot_notifier = {
	.notifier_call	= on_reboot,
	.priority	= INT_MIN,
};

static int listen(void)
{
	int err;

	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		return err;
	err = register_pm_notifier(&sleep_notifier);
	if (err)
		unregister_reboot_notifier(&reboot_notifier);
	return err;
}

static int __init policy_test_init(void)
{
	int err;

	if (freeze)
		return freeze_secbuf();
	err = keep ? ring_keep() : 0;
	if (err)
		return err;
	err = listen();
	if (err && keep)
		secbuf_ring_destroy(kept);
	return err;
}

static void __exit policy_test_exit(void)
{
	unregister_pm_notifier(&sleep_notifier);
	unregister_reboot_notifier(&reboot_notifier);
	if (keep)
		secbuf_ring_destroy(kept);
}

module_init(policy_test_init);
module_exit(policy_test_exit);

MODULE_DESCRIPTION("Test: a program runs when the machine is about to stop");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
