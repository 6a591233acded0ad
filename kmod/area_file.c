// SPDX-License-Identifier: GPL-2.0
/*
 * A mapped pool as user space sees it: a descriptor with ioctls, mmap, poll,
 * fdinfo.
 */
#include "area_file.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "area.h"
#include "dev.h"
#include "mmap.h"
#include "owner.h"

/**
 * struct area_file - a mapped pool and its descriptor
 * @area: its memory, which lives as long as the file
 * @owned: it dies with its owner before that
 * @file: the file whose mappings show the pages; pinned by each mapping and by
 *        each conn on the pool
 * @leaks: slots that were granted when the owner died
 */
struct area_file {
	struct secbuf_area area;
	struct secbuf_owned owned;
	struct file *file;
	unsigned int leaks;
};

static void area_unmap(struct secbuf_area *area, pgoff_t first, pgoff_t nr)
{
	struct area_file *af = container_of(area, struct area_file, area);

	secbuf_mmap_unmap(af->file, first, nr);
}

static const struct secbuf_area_ops area_ops = {
	.unmap = area_unmap,
};

static void area_owner_died(struct secbuf_owned *owned, bool alone)
{
	struct area_file *af = container_of(owned, struct area_file, owned);
	struct secbuf_area_stats stats;

	secbuf_area_get_stats(&af->area, &stats);
	WRITE_ONCE(af->leaks, af->leaks + stats.in_use);
	secbuf_area_die(&af->area);
}

static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct area_file *af = vmf->vma->vm_file->private_data;
	struct secbuf_area *area = &af->area;
	vm_fault_t ret;

	down_read(&area->map_lock);
	ret = secbuf_mmap_insert(vmf, secbuf_area_page(area, vmf->pgoff));
	up_read(&area->map_lock);
	return ret;
}

static const struct vm_operations_struct area_vm_ops = {
	.fault		= area_fault,
	.may_split	= secbuf_mmap_may_split,
	.mremap		= secbuf_mmap_mremap,
};

static int area_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct area_file *af = file->private_data;
	int err;

	err = secbuf_owner_check(&af->owned);
	if (err)
		return err;
	return secbuf_mmap_prepare(vma, secbuf_area_nr_pages(&af->area),
				   &area_vm_ops);
}

/* One by one: another thread may have guessed an id and freed it. */
static void take_back(struct secbuf_area *area, const u64 *ids, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		secbuf_area_return(area, &ids[i], 1, SECBUF_HOLDER_PROGRAM);
}

static int run_alloc(struct secbuf_call *call)
{
	struct secbuf_area *area = secbuf_area_from_file(call->file);
	struct secbuf_pool_alloc_args *args = call->args;
	size_t bytes;
	u64 *ids;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->nr || args->nr > SECBUF_AREA_BATCH_MAX)
		return -EINVAL;
	ids = kmalloc_array(args->nr, sizeof(*ids), SECBUF_GFP);
	if (!ids)
		return -ENOMEM;

	ret = secbuf_area_grant(area, ids, args->nr, SECBUF_HOLDER_PROGRAM);
	if (ret < 0)
		goto out_free;
	args->out_done = ret;
	bytes = ret * sizeof(*ids);
	ret = copy_to_user(u64_to_user_ptr(args->ids_ptr), ids, bytes) ?
	      -EFAULT : secbuf_call_reply(call);
	if (ret)
		take_back(area, ids, args->out_done);
out_free:
	kfree(ids);
	return ret;
}

static int run_free(struct secbuf_call *call)
{
	struct secbuf_area *area = secbuf_area_from_file(call->file);
	struct secbuf_pool_free_args *args = call->args;
	u64 *ids;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->nr || args->nr > SECBUF_AREA_BATCH_MAX)
		return -EINVAL;
	ids = memdup_user(u64_to_user_ptr(args->ids_ptr),
			  args->nr * sizeof(*ids));
	if (IS_ERR(ids))
		return PTR_ERR(ids);

	/* What was freed cannot be undone: find out first if we can reply. */
	args->out_done = 0;
	ret = secbuf_call_reply(call);
	if (ret)
		goto out_free;
	ret = secbuf_area_return(area, ids, args->nr, SECBUF_HOLDER_PROGRAM);
	if (ret > 0) {
		args->out_done = ret;
		ret = secbuf_call_reply(call);
	}
out_free:
	kfree(ids);
	return ret;
}

static int run_stats(struct secbuf_call *call)
{
	struct secbuf_area *area = secbuf_area_from_file(call->file);
	struct secbuf_pool_stats_args *args = call->args;
	struct secbuf_area_stats stats;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_area_get_stats(area, &stats);
	/* Nothing is parked: a slot that is granted is fresh. */
	*args = (struct secbuf_pool_stats_args){
		.size = args->size,
		.out_max_slots = stats.max_slots,
		.out_in_use = stats.in_use,
		.out_peak = stats.peak,
		.out_allocated = stats.in_use,
		.out_acquired = stats.acquired,
		.out_returned = stats.returned,
		.out_failures = stats.failures,
		.out_misses = stats.acquired,
		.out_bytes = stats.bytes,
		.out_bytes_zeroized = stats.bytes_zeroized,
	};
	return secbuf_call_reply(call);
}

static const struct secbuf_command area_commands[] = {
	SECBUF_COMMAND(SECBUF_IOC_POOL_ALLOC, struct secbuf_pool_alloc_args,
		       SECBUF_POOL_ALLOC_ARGS_SIZE_VER0, run_alloc),
	SECBUF_COMMAND(SECBUF_IOC_POOL_FREE, struct secbuf_pool_free_args,
		       SECBUF_POOL_FREE_ARGS_SIZE_VER0, run_free),
	SECBUF_COMMAND(SECBUF_IOC_POOL_STATS, struct secbuf_pool_stats_args,
		       SECBUF_POOL_STATS_ARGS_SIZE_VER0, run_stats),
};

static long area_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct secbuf_command *command;
	int err;

	command = secbuf_command_find(area_commands, ARRAY_SIZE(area_commands),
				      cmd);
	if (!command)
		return -ENOTTY;
	err = secbuf_area_file_check(file);
	if (err)
		return err;
	return secbuf_command_run(command, file, arg);
}

static __poll_t area_poll(struct file *file, poll_table *wait)
{
	return secbuf_area_file_check(file) ? EPOLLERR : 0;
}

static void area_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct area_file *af = file->private_data;
	struct secbuf_area_stats stats;

	secbuf_area_get_stats(&af->area, &stats);
	seq_printf(m, "slot_size:\t%zu\n", af->area.slots.size);
	seq_printf(m, "max_slots:\t%u\n", stats.max_slots);
	seq_printf(m, "in_use:\t%u\n", stats.in_use);
	seq_printf(m, "peak:\t%u\n", stats.peak);
	seq_printf(m, "acquired:\t%llu\n", stats.acquired);
	seq_printf(m, "returned:\t%llu\n", stats.returned);
	seq_printf(m, "failures:\t%llu\n", stats.failures);
	seq_printf(m, "leaks:\t%u\n", READ_ONCE(af->leaks));
	seq_printf(m, "bytes:\t%llu\n", stats.bytes);
	seq_printf(m, "bytes_zeroized:\t%llu\n", stats.bytes_zeroized);
}

static int area_flush(struct file *file, fl_owner_t id)
{
	struct area_file *af = file->private_data;

	secbuf_owner_flush(&af->owned);
	return 0;
}

static int area_release(struct inode *inode, struct file *file)
{
	struct area_file *af = file->private_data;

	secbuf_owner_detach(&af->owned);
	secbuf_area_exit(&af->area);
	kfree(af);
	atomic_dec(&secbuf_nr_pools);
	secbuf_mmap_file_release();
	return 0;
}

static const struct file_operations area_fops = {
	.owner		= THIS_MODULE,
	.flush		= area_flush,
	.release	= area_release,
	.unlocked_ioctl	= area_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= area_mmap,
	.poll		= area_poll,
	.show_fdinfo	= area_show_fdinfo,
};

static int params_from_args(struct secbuf_area_params *params,
			    const struct secbuf_pool_create_args *args)
{
	u32 most;

	if (!args->slot_size || args->slot_size > SECBUF_AREA_SLOT_SIZE_MAX)
		return -EINVAL;
	params->slot_size = roundup_pow_of_two(max_t(size_t, args->slot_size,
						     SECBUF_AREA_SLOT_SIZE_MIN));
	most = min_t(u64, SECBUF_AREA_SIZE_MAX / params->slot_size,
		     SECBUF_AREA_SLOTS_MAX);

	params->max_slots = args->max_slots;
	if (args->max_slots == 0)
		params->max_slots = SECBUF_POOL_MAX_SLOTS_DEFAULT;
	else if (args->max_slots == SECBUF_LIMIT_CEILING)
		params->max_slots = most;
	if (params->max_slots > most)
		return -EINVAL;
	params->ops = &area_ops;
	return 0;
}

static struct area_file *
area_file_create(const struct secbuf_area_params *params)
{
	struct area_file *af;
	struct file *file;
	int err;

	af = kzalloc(sizeof(*af), SECBUF_GFP);
	if (!af)
		return ERR_PTR(-ENOMEM);
	err = secbuf_area_init(&af->area, params);
	if (err)
		goto out_kfree;
	err = secbuf_owner_attach(&af->owned, area_owner_died);
	if (err)
		goto out_area;
	file = secbuf_mmap_file("[secbuf-pool]", &area_fops, af);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_owner;
	}
	/* From here on the file's ->release frees all this. */
	af->file = file;
	atomic_inc(&secbuf_nr_pools);
	return af;

out_owner:
	secbuf_owner_detach(&af->owned);
out_area:
	secbuf_area_exit(&af->area);
out_kfree:
	kfree(af);
	return ERR_PTR(err);
}

/**
 * secbuf_area_file_create() - POOL_CREATE of a mapped pool
 * @call: the call, whose flags have been checked
 *
 * Context: process, may sleep.
 * Return: 0 or -errno, as of POOL_CREATE.
 */
int secbuf_area_file_create(struct secbuf_call *call)
{
	struct secbuf_pool_create_args *args = call->args;
	struct secbuf_area_params params;
	struct area_file *af;
	int err;

	/* Slots of mapped pools get their memory when they are granted. */
	if (args->min_slots)
		return -EINVAL;
	err = params_from_args(&params, args);
	if (err)
		return err;

	af = area_file_create(&params);
	if (IS_ERR(af))
		return PTR_ERR(af);
	args->out_slot_size = params.slot_size;
	args->out_mmap_size = (u64)secbuf_area_nr_pages(&af->area) <<
			      PAGE_SHIFT;
	args->out_max_slots = params.max_slots;
	return secbuf_call_publish(call, af->file, &args->out_fd);
}

/**
 * secbuf_area_from_file() - the memory of the mapped pool behind a descriptor
 * @file: any file; the area lives as long as it does
 *
 * Return: the area, or NULL if it is another kind of file.
 */
struct secbuf_area *secbuf_area_from_file(struct file *file)
{
	if (file->f_op != &area_fops)
		return NULL;
	return &((struct area_file *)file->private_data)->area;
}

/**
 * secbuf_area_file_check() - may the calling task use this mapped pool?
 * @file: its file
 *
 * Return: 0, -EPERM, -ESHUTDOWN.
 */
int secbuf_area_file_check(struct file *file)
{
	struct area_file *af = file->private_data;

	return secbuf_owner_check(&af->owned);
}
