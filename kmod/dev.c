// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/secbuf, and what the ioctls of every object have in common: copy the
 * arguments in once, leave nothing behind when they cannot be copied out.
 */
#include "dev.h"

#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "area.h"
#include "ring.h"

atomic_t secbuf_nr_pools;
atomic_t secbuf_nr_conns;

/* Create commands, from the layer above. */
static const struct secbuf_command *const *creators;
static size_t nr_creators;

/**
 * secbuf_command_find() - look an ioctl up
 * @commands: table
 * @nr: its length
 * @cmd: number that came from user space
 *
 * Return: the command, or NULL.
 */
const struct secbuf_command *
secbuf_command_find(const struct secbuf_command *commands, size_t nr,
		    unsigned int cmd)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (commands[i].cmd == cmd)
			return &commands[i];
	return NULL;
}

/*
 * Most programs know the same struct as the kernel, and many commands do little
 * else than copying it. By words, that takes a tenth of the instructions that
 * copy_from_user() does.
 */
static bool fetch_words(u64 *args, const u64 __user *from, size_t size)
{
	size_t i;

	if (!user_read_access_begin(from, size))
		return false;
	for (i = 0; i < size / sizeof(*args); i++)
		unsafe_get_user(args[i], &from[i], out_fault);
	user_read_access_end();
	return true;

out_fault:
	user_read_access_end();
	return false;
}

static bool store_words(u64 __user *to, const u64 *args, size_t size)
{
	size_t i;

	if (!user_write_access_begin(to, size))
		return false;
	for (i = 0; i < size / sizeof(*args); i++)
		unsafe_put_user(args[i], &to[i], out_fault);
	user_write_access_end();
	return true;

out_fault:
	user_write_access_end();
	return false;
}

static int fetch(const struct secbuf_command *command, u64 *args,
		 const void __user *uargs, u32 size)
{
	if (size != command->size || size % sizeof(*args))
		return copy_struct_from_user(args, command->size, uargs, size);
	return fetch_words(args, uargs, size) ? 0 : -EFAULT;
}

/**
 * secbuf_command_run() - copy the arguments in, and run
 * @command: what
 * @file: on which
 * @arg: pointer from user space
 *
 * Context: process, may sleep.
 * Return: 0; -EFAULT, -EINVAL, -E2BIG for the struct as such; or the error of
 * the command.
 */
long secbuf_command_run(const struct secbuf_command *command,
			struct file *file, unsigned long arg)
{
	u64 args[SECBUF_ARGS_MAX / sizeof(u64)];
	struct secbuf_call call = {
		.file = file,
		.args = args,
		.uargs = (void __user *)arg,
	};
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < command->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = fetch(command, args, call.uargs, size);
	if (err)
		return err;
	/* Another thread may have changed it since it was checked. */
	*(u32 *)args = size;
	call.reply_size = min_t(size_t, size, command->size);
	return command->run(&call);
}

/**
 * secbuf_call_reply() - copy the arguments back, with what the kernel wrote
 * @call: the call
 *
 * Return: 0 or -EFAULT.
 */
int secbuf_call_reply(const struct secbuf_call *call)
{
	if (call->reply_size % sizeof(u64))
		return copy_to_user(call->uargs, call->args,
				    call->reply_size) ? -EFAULT : 0;
	return store_words(call->uargs, call->args, call->reply_size) ? 0 :
	       -EFAULT;
}

/**
 * secbuf_call_try_reply() - the same, without faulting anything in
 * @call: the call
 *
 * Context: process, also under locks that no fault may wait for.
 * Return: true if the caller has it.
 */
bool secbuf_call_try_reply(const struct secbuf_call *call)
{
	int err;

	pagefault_disable();
	err = secbuf_call_reply(call);
	pagefault_enable();
	return !err;
}

/**
 * secbuf_call_publish_all() - reply with the descriptors of a new object
 * @call: the call
 * @files: the object, whose references are consumed in every case
 * @out_fds: members of @call->args
 * @nr: of both, at most SECBUF_CALL_FDS_MAX
 *
 * Return: 0, -EMFILE, -ENOMEM, -EFAULT; on failure the object is gone.
 */
int secbuf_call_publish_all(const struct secbuf_call *call,
			    struct file *const *files, s32 *const *out_fds,
			    unsigned int nr)
{
	int fds[SECBUF_CALL_FDS_MAX], err = 0;
	unsigned int got, i;

	for (got = 0; got < nr; got++) {
		err = get_unused_fd_flags(O_CLOEXEC);
		if (err < 0)
			goto out_fds;
		fds[got] = err;
		*out_fds[got] = err;
	}
	err = secbuf_call_reply(call);
	if (err)
		goto out_fds;
	for (i = 0; i < nr; i++)
		fd_install(fds[i], files[i]);
	return 0;

out_fds:
	while (got--)
		put_unused_fd(fds[got]);
	for (i = 0; i < nr; i++)
		fput(files[i]);
	return err;
}

/**
 * secbuf_call_publish() - reply with the descriptor of a new object
 * @call: the call
 * @file: the object, whose reference is consumed in every case
 * @out_fd: member of @call->args
 *
 * Return: 0, -EMFILE, -ENOMEM, -EFAULT; on failure the object is gone.
 */
int secbuf_call_publish(const struct secbuf_call *call, struct file *file,
			s32 *out_fd)
{
	return secbuf_call_publish_all(call, &file, &out_fd, 1);
}

/**
 * secbuf_protections() - what holds for objects of this kernel
 * @mapped: that can be mapped
 *
 * Return: SECBUF_PROT_*.
 */
u64 secbuf_protections(bool mapped)
{
	u64 prot = SECBUF_PROT_LOCKED | SECBUF_PROT_UNDUMPABLE |
		   SECBUF_PROT_UNFORKABLE;

	/* Without special entries get_user_pages_fast sees ordinary pages. */
	if (!mapped || IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL))
		prot |= SECBUF_PROT_UNPINNABLE;
	if (IS_ENABLED(CONFIG_MMU_NOTIFIER))
		prot |= SECBUF_PROT_OWNER_DEATH;
	return prot;
}

static int run_info(struct secbuf_call *call)
{
	struct secbuf_info_args *args = call->args;
	struct secbuf_account_info account;

	if (args->flags)
		return -EOPNOTSUPP;

	secbuf_account_get_info(&account);
	*args = (struct secbuf_info_args){
		.size = args->size,
		.out_abi_version = SECBUF_ABI_VERSION,
		.out_slots_max = SECBUF_AREA_SLOTS_MAX,
		.out_features = SECBUF_FEAT_POOL_MAPPED | SECBUF_FEAT_CONN |
				SECBUF_FEAT_POOL | SECBUF_FEAT_POOL_PASSABLE |
				SECBUF_FEAT_POOL_GUARD | SECBUF_FEAT_RING,
		.out_protections = secbuf_protections(true),
		.out_slot_size_min = SECBUF_AREA_SLOT_SIZE_MIN,
		.out_slot_size_max = SECBUF_AREA_SLOT_SIZE_MAX,
		.out_pool_size_max = SECBUF_AREA_SIZE_MAX,
		.out_batch_bytes_max = SECBUF_AREA_BATCH_BYTES_MAX,
		.out_batch_max = SECBUF_AREA_BATCH_MAX,
		.out_nr_pools = atomic_read(&secbuf_nr_pools),
		.out_nr_conns = atomic_read(&secbuf_nr_conns),
		.out_nr_rings = atomic_read(&secbuf_nr_rings),
		.out_bytes_max = account.max,
		.out_user_bytes_max = account.max_user,
		.out_bytes = account.used,
		.out_user_bytes = account.used_user,
	};
	return secbuf_call_reply(call);
}

static const struct secbuf_command info_command =
	SECBUF_COMMAND(SECBUF_IOC_INFO, struct secbuf_info_args,
		       SECBUF_INFO_ARGS_SIZE_VER0, run_info);

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	size_t i;

	if (cmd == info_command.cmd)
		return secbuf_command_run(&info_command, file, arg);
	for (i = 0; i < nr_creators; i++)
		if (cmd == creators[i]->cmd)
			return secbuf_command_run(creators[i], file, arg);
	return -ENOTTY;
}

static const struct file_operations dev_fops = {
	.owner		= THIS_MODULE,
	.open		= nonseekable_open,
	.unlocked_ioctl	= dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice dev_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "secbuf",
	.fops	= &dev_fops,
	.mode	= 0600,
};

/**
 * secbuf_dev_init() - let the world in
 * @_creators: create commands
 * @nr: number of them
 *
 * Context: module init, last.
 * Return: 0 or -errno.
 */
int secbuf_dev_init(const struct secbuf_command *const *_creators, size_t nr)
{
	creators = _creators;
	nr_creators = nr;
	return misc_register(&dev_misc);
}

/**
 * secbuf_dev_exit() - undo secbuf_dev_init()
 *
 * Context: module exit, first.
 */
void secbuf_dev_exit(void)
{
	misc_deregister(&dev_misc);
}
