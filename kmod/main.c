// SPDX-License-Identifier: GPL-2.0
/*
 * secbuf: secrets that cannot outlive their owner. Init and exit.
 */
#include <linux/module.h>

#include "conn_file.h"
#include "dev.h"
#include "owner.h"
#include "pool_file.h"

static const struct secbuf_command *const creators[] = {
	&secbuf_pool_create,
	&secbuf_conn_create,
};

static int __init secbuf_init(void)
{
	return secbuf_dev_init(creators, ARRAY_SIZE(creators));
}

static void __exit secbuf_exit(void)
{
	secbuf_dev_exit();
	secbuf_owner_exit();
}

module_init(secbuf_init);
module_exit(secbuf_exit);

MODULE_DESCRIPTION("Buffers for secrets, zeroized when their owner ends");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
