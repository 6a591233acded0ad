// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program when the machine goes down or to sleep, after all others have
 * been told, and before processes are stopped: the last that user space does.
 */
#include <linux/kernel.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

static char *program = "/bin/true";
module_param(program, charp, 0);
MODULE_PARM_DESC(program, "what to run, with \"sleep\" or \"reboot\"");

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

static int __init policy_test_init(void)
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

static void __exit policy_test_exit(void)
{
	unregister_pm_notifier(&sleep_notifier);
	unregister_reboot_notifier(&reboot_notifier);
}

module_init(policy_test_init);
module_exit(policy_test_exit);

MODULE_DESCRIPTION("Test: a program runs when the machine is about to stop");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
