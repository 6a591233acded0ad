// SPDX-License-Identifier: GPL-2.0
/*
 * For kmemleak, which believes that memory is not lost as long as its address
 * stands anywhere. The allocator keeps stale ones: on each CPU, the addresses of
 * what it gave last, until others take their place. Loading this allocates so
 * much of all sizes on each CPU that they do, after it has lost @lose objects.
 */
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

/* Objects of a size that a CPU keeps at most, and more. */
#define NR_SMALL	512
#define NR_LARGE	128

#define LOST_SIZE	96

static unsigned int lose;
module_param(lose, uint, 0);
MODULE_PARM_DESC(lose, "objects to lose");

/* Begins with the list, so that those of 16 bytes have room for it. */
static void churn(size_t size, gfp_t gfp)
{
	unsigned int nr = size > SZ_1K ? NR_LARGE : NR_SMALL;
	struct list_head *p, *next;
	LIST_HEAD(list);

	while (nr--) {
		p = kmalloc(size, gfp);
		if (!p)
			break;
		list_add(p, &list);
	}
	list_for_each_safe(p, next, &list)
		kfree(p);
}

static long churn_all(void *unused)
{
	static const size_t sizes[] = {
		16, 32, 64, 96, 128, 192, 256, 512, SZ_1K, SZ_2K, SZ_4K, SZ_8K,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		churn(sizes[i], GFP_KERNEL);
		churn(sizes[i], GFP_KERNEL_ACCOUNT);
	}
	return 0;
}

static noinline void lose_one(void)
{
	void *p = kmalloc(LOST_SIZE, GFP_KERNEL);

	if (p)
		memset(p, 0x11, LOST_SIZE);
}

static int __init secbuf_leak_test_init(void)
{
	int cpu;

	while (lose) {
		lose_one();
		lose--;
	}
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, churn_all, NULL);
	return 0;
}

static void __exit secbuf_leak_test_exit(void)
{
}

module_init(secbuf_leak_test_init);
module_exit(secbuf_leak_test_exit);
MODULE_DESCRIPTION("test: loses memory, and makes the allocator forget");
MODULE_LICENSE("GPL");
