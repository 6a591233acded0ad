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
#include "member.h"
#include "member_reclaim.h"
#include "mmap.h"
#include "owner.h"
#include "payer.h"

/* Pages mapped by one fault, a power of two: 64 KiB where pages have 4. */
#define FAULT_AROUND	16

#define WORDS_PGOFF	(SECBUF_POOL_MMAP_WORDS >> PAGE_SHIFT)

/* Ids to be freed that are copied to the stack. */
#define FREE_FEW	64

/**
 * struct area_file - a member of a mapped pool, and its descriptor
 * @member: lives as long as the file
 * @owned: it dies with its owner before that
 * @file: the file whose mappings show the pages; pinned by each mapping and by
 *        each conn of the member. It has an inode of its own, so that the
 *        mappings of one member can go alone
 * @node: in the area's views
 * @data_maps: mappings of the slots, see secbuf_mmap_once()
 * @control_maps: mappings of the control page
 * @words_maps: mappings of the words
 * @flags: SECBUF_POOL_F_* of the pool
 */
struct area_file {
	struct secbuf_member member;
	struct secbuf_owned owned;
	struct file *file;
	struct list_head node;
	atomic_t data_maps;
	atomic_t control_maps;
	atomic_t words_maps;
	u32 flags;
};

static void area_unmap(struct secbuf_area *area, pgoff_t first, pgoff_t nr)
{
	struct area_file *af;

	lockdep_assert_held_write(&area->map_lock);
	list_for_each_entry(af, &area->views, node)
		secbuf_mmap_unmap(af->file, first, nr);
}

static const struct secbuf_area_ops area_ops = {
	.unmap = area_unmap,
};

/* All is zero before anything that can take long. */
static void area_wipe(struct secbuf_owned *owned)
{
	struct area_file *af = container_of(owned, struct area_file, owned);

	secbuf_member_wipe(&af->member);
}

static void area_die(struct secbuf_owned *owned, bool alone)
{
	struct area_file *af = container_of(owned, struct area_file, owned);

	secbuf_member_shut(&af->member);
	secbuf_mmap_unmap(af->file, 0, 0);
	secbuf_member_die(&af->member);
}

static const struct secbuf_owned_ops area_owned_ops = {
	.wipe	= area_wipe,
	.die	= area_die,
};

/* What else is near, so that a pool's first use takes few faults. */
static void fault_around(struct secbuf_area *area, const struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t first = round_down(vmf->pgoff, FAULT_AROUND);
	pgoff_t last = min(first + FAULT_AROUND, vma_pages(vma)) - 1;
	struct page *page;
	unsigned long i;

	xa_for_each_range(&area->pages, i, page, first, last)
		if (i != vmf->pgoff)
			vmf_insert_pfn(vma, vma->vm_start + i * PAGE_SIZE,
				       page_to_pfn(page));
}

static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct area_file *af = vmf->vma->vm_file->private_data;
	struct secbuf_area *area = af->member.area;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct page *page;

	down_read(&area->map_lock);
	page = secbuf_area_page(area, vmf->pgoff);
	if (page && !READ_ONCE(af->member.dead))
		ret = secbuf_mmap_insert(vmf, page);
	if (ret == VM_FAULT_NOPAGE)
		fault_around(area, vmf);
	up_read(&area->map_lock);
	return ret;
}

static const struct vm_operations_struct area_vm_ops = {
	.open		= secbuf_mmap_open,
	.close		= secbuf_mmap_close,
	.fault		= area_fault,
	.may_split	= secbuf_mmap_may_split,
	.mremap		= secbuf_mmap_mremap,
};

static vm_fault_t control_fault(struct vm_fault *vmf)
{
	struct area_file *af = vmf->vma->vm_file->private_data;
	struct secbuf_area *area = af->member.area;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&area->map_lock);
	if (!READ_ONCE(af->member.dead))
		ret = secbuf_mmap_insert(vmf, area->control);
	up_read(&area->map_lock);
	return ret;
}

static const struct vm_operations_struct control_vm_ops = {
	.open		= secbuf_mmap_open,
	.close		= secbuf_mmap_close,
	.fault		= control_fault,
	.may_split	= secbuf_mmap_may_split,
	.mremap		= secbuf_mmap_mremap,
};

static vm_fault_t words_fault(struct vm_fault *vmf)
{
	struct area_file *af = vmf->vma->vm_file->private_data;
	struct secbuf_area *area = af->member.area;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	pgoff_t index = vmf->pgoff - WORDS_PGOFF;

	down_read(&area->map_lock);
	if (!READ_ONCE(af->member.dead))
		ret = secbuf_mmap_insert(vmf, secbuf_words_page(&area->words,
								index));
	up_read(&area->map_lock);
	return ret;
}

static const struct vm_operations_struct words_vm_ops = {
	.open		= secbuf_mmap_open,
	.close		= secbuf_mmap_close,
	.fault		= words_fault,
	.may_split	= secbuf_mmap_may_split,
	.mremap		= secbuf_mmap_mremap,
};

static int map_words(struct area_file *af, struct vm_area_struct *vma)
{
	return secbuf_mmap_prepare(vma, af->member.area->words.nr_pages,
				   &words_vm_ops) ?:
	       secbuf_mmap_once(vma, &af->words_maps);
}

static int area_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct area_file *af = file->private_data;
	int err;

	err = secbuf_owner_check(&af->owned);
	if (err)
		return err;
	if (!vma->vm_pgoff)
		return secbuf_mmap_prepare(vma,
					   secbuf_area_nr_pages(af->member.area),
					   &area_vm_ops) ?:
		       secbuf_mmap_once(vma, &af->data_maps);
	if (vma->vm_pgoff == WORDS_PGOFF)
		return map_words(af, vma);
	if (vma->vm_pgoff != SECBUF_POOL_MMAP_CONTROL >> PAGE_SHIFT)
		return -EINVAL;
	return secbuf_mmap_prepare(vma, 1, &control_vm_ops) ?:
	       secbuf_mmap_read_only(vma) ?:
	       secbuf_mmap_once(vma, &af->control_maps);
}

static struct secbuf_member *member_of(const struct secbuf_call *call)
{
	return &((struct area_file *)call->file->private_data)->member;
}

static int run_alloc(struct secbuf_call *call)
{
	struct secbuf_member *member = member_of(call);
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

	/* Until the program knows of them, no other thread can free them. */
	ret = secbuf_member_grant(member, ids, args->nr, SECBUF_HOLDER_OBJECT);
	if (ret < 0)
		goto out_free;
	args->out_done = ret;
	bytes = ret * sizeof(*ids);
	ret = copy_to_user(u64_to_user_ptr(args->ids_ptr), ids, bytes) ?
	      -EFAULT : secbuf_call_reply(call);
	if (ret)
		secbuf_member_undo(member, ids, args->out_done);
	else
		secbuf_member_hand_over(member, ids, args->out_done);
out_free:
	kfree(ids);
	return ret;
}

static int run_free_all(struct secbuf_call *call)
{
	struct secbuf_pool_free_args *args = call->args;
	int ret;

	if (args->ids_ptr || args->nr)
		return -EINVAL;
	args->out_done = 0;
	ret = secbuf_call_reply(call);
	if (ret)
		return ret;
	ret = secbuf_member_return_all(member_of(call));
	if (ret < 0)
		return ret;
	args->out_done = ret;
	return secbuf_call_reply(call);
}

/* What was freed cannot be undone: find out first if we can reply. */
static int free_ids(struct secbuf_call *call, const u64 *ids, unsigned int nr)
{
	struct secbuf_pool_free_args *args = call->args;
	int ret;

	args->out_done = 0;
	ret = secbuf_call_reply(call);
	if (ret)
		return ret;
	ret = secbuf_member_return(member_of(call), ids, nr,
				   SECBUF_HOLDER_PROGRAM);
	if (ret < 0)
		return ret;
	args->out_done = ret;
	return secbuf_call_reply(call);
}

static int run_free(struct secbuf_call *call)
{
	struct secbuf_pool_free_args *args = call->args;
	u64 few[FREE_FEW], *ids = few, *many = NULL;
	unsigned int nr = args->nr;
	int ret = -EFAULT;

	if (args->flags & ~SECBUF_POOL_FREE_F_ALL)
		return -EOPNOTSUPP;
	if (args->flags)
		return run_free_all(call);
	if (!nr || nr > SECBUF_AREA_BATCH_MAX)
		return -EINVAL;
	/* To give back must not need memory: without it the batch is short. */
	if (nr > FREE_FEW)
		many = kmalloc_array(nr, sizeof(*ids), SECBUF_GFP);
	if (many)
		ids = many;
	else
		nr = min_t(unsigned int, nr, FREE_FEW);
	if (!copy_from_user(ids, u64_to_user_ptr(args->ids_ptr),
			    nr * sizeof(*ids)))
		ret = free_ids(call, ids, nr);
	kfree(many);
	return ret;
}

static int run_shrink(struct secbuf_call *call)
{
	struct secbuf_pool_shrink_args *args = call->args;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->nr)
		return -EINVAL;
	args->out_done = 0;
	ret = secbuf_call_reply(call);
	if (ret)
		return ret;
	ret = secbuf_member_shrink(member_of(call), args->nr);
	if (ret < 0)
		return ret;
	args->out_done = ret;
	return secbuf_call_reply(call);
}

static int run_stats(struct secbuf_call *call)
{
	struct secbuf_pool_stats_args *args = call->args;
	struct secbuf_member_stats stats;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_member_get_stats(member_of(call), &stats);
	*args = (struct secbuf_pool_stats_args){
		.size = args->size,
		.out_max_slots = stats.max_slots,
		.out_in_use = stats.in_use,
		.out_peak = stats.peak,
		.out_allocated = stats.allocated,
		.out_available = stats.available,
		.out_acquired = stats.acquired,
		.out_returned = stats.returned,
		.out_failures = stats.failures,
		.out_depot_hits = stats.hits,
		.out_misses = stats.acquired - stats.hits,
		.out_leaks = stats.leaks,
		.out_bytes = stats.bytes,
		.out_bytes_zeroized = stats.bytes_zeroized,
	};
	return secbuf_call_reply(call);
}

static u64 mmap_size(const struct secbuf_area *area)
{
	return (u64)secbuf_area_nr_pages(area) << PAGE_SHIFT;
}

static int run_info(struct secbuf_call *call)
{
	struct secbuf_area *area = member_of(call)->area;
	struct area_file *af = call->file->private_data;
	struct secbuf_pool_info_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	*args = (struct secbuf_pool_info_args){
		.size = args->size,
		.out_flags = af->flags,
		.out_max_slots = area->slots.nr,
		.out_slot_size = area->slots.size,
		.out_stride = area->slots.stride,
		.out_mmap_size = mmap_size(area),
		.out_protections = secbuf_protections(true),
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
	SECBUF_COMMAND(SECBUF_IOC_POOL_SHRINK, struct secbuf_pool_shrink_args,
		       SECBUF_POOL_SHRINK_ARGS_SIZE_VER0, run_shrink),
	SECBUF_COMMAND(SECBUF_IOC_POOL_INFO, struct secbuf_pool_info_args,
		       SECBUF_POOL_INFO_ARGS_SIZE_VER0, run_info),
};

static int run_attach(struct secbuf_call *call);

/* The only command for those who do not own the descriptor. */
static const struct secbuf_command attach_command =
	SECBUF_COMMAND(SECBUF_IOC_POOL_ATTACH, struct secbuf_pool_attach_args,
		       SECBUF_POOL_ATTACH_ARGS_SIZE_VER0, run_attach);

static long area_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct secbuf_command *command;
	int err;

	if (cmd == attach_command.cmd)
		return secbuf_command_run(&attach_command, file, arg);
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
	struct area_file *af = file->private_data;

	poll_wait(file, &af->member.area->wait, wait);
	if (secbuf_owner_check_poll(&af->owned))
		return EPOLLERR;
	return secbuf_member_pressed(&af->member) ? EPOLLPRI : 0;
}

static void area_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct area_file *af = file->private_data;
	struct secbuf_area *area = af->member.area;
	struct secbuf_member_stats stats;

	secbuf_member_get_stats(&af->member, &stats);
	seq_printf(m, "slot_size:\t%zu\n", area->slots.size);
	seq_printf(m, "stride:\t%zu\n", area->slots.stride);
	seq_printf(m, "members:\t%u\n", READ_ONCE(area->nr_members));
	seq_printf(m, "pressure:\t%u\n", READ_ONCE(area->pressure));
	seq_printf(m, "max_slots:\t%u\n", stats.max_slots);
	seq_printf(m, "in_use:\t%u\n", stats.in_use);
	seq_printf(m, "peak:\t%u\n", stats.peak);
	seq_printf(m, "allocated:\t%u\n", stats.allocated);
	seq_printf(m, "available:\t%u\n", stats.available);
	seq_printf(m, "acquired:\t%llu\n", stats.acquired);
	seq_printf(m, "returned:\t%llu\n", stats.returned);
	seq_printf(m, "failures:\t%llu\n", stats.failures);
	seq_printf(m, "depot_hits:\t%llu\n", stats.hits);
	seq_printf(m, "misses:\t%llu\n", stats.acquired - stats.hits);
	seq_printf(m, "leaks:\t%llu\n", stats.leaks);
	seq_printf(m, "bytes:\t%llu\n", stats.bytes);
	seq_printf(m, "bytes_zeroized:\t%llu\n", stats.bytes_zeroized);
}

/**
 * secbuf_area_file_flush() - a descriptor of it is being closed
 * @file: its file, or that of an object which it belongs to
 *
 * Context: ->flush, may sleep.
 */
void secbuf_area_file_flush(struct file *file)
{
	struct area_file *af = file->private_data;

	secbuf_owner_flush(&af->owned);
}

static int area_flush(struct file *file, fl_owner_t id)
{
	secbuf_area_file_flush(file);
	return 0;
}

static int area_release(struct inode *inode, struct file *file)
{
	struct area_file *af = file->private_data;
	struct secbuf_area *area = af->member.area;

	/* Until all is zero, who kills everything must find it, and wait. */
	secbuf_member_wipe(&af->member);
	secbuf_member_shut(&af->member);
	secbuf_member_die(&af->member);
	secbuf_owner_detach(&af->owned);
	down_write(&area->map_lock);
	list_del(&af->node);
	up_write(&area->map_lock);
	if (secbuf_member_exit(&af->member))
		atomic_dec(&secbuf_nr_pools);
	kfree(af);
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
	*params = (struct secbuf_area_params){
		.slot_size = roundup_pow_of_two(max_t(size_t, args->slot_size,
						SECBUF_AREA_SLOT_SIZE_MIN)),
		.max_slots = args->max_slots,
		.guard = args->flags & SECBUF_POOL_F_GUARD,
		.ops = &area_ops,
	};
	most = min_t(u64, SECBUF_AREA_SIZE_MAX / secbuf_area_stride(params),
		     SECBUF_AREA_SLOTS_MAX);
	if (args->max_slots == 0)
		params->max_slots = SECBUF_POOL_MAX_SLOTS_DEFAULT;
	else if (args->max_slots == SECBUF_LIMIT_CEILING)
		params->max_slots = most;
	if (params->max_slots > most)
		return -EINVAL;
	return 0;
}

/* One more member of an area, and its file. */
static struct area_file *area_file_create(struct secbuf_area *area,
					  struct secbuf_payer *payer, u32 flags)
{
	struct area_file *af;
	struct file *file;
	int err;

	af = kzalloc(sizeof(*af), SECBUF_GFP);
	if (!af)
		return ERR_PTR(-ENOMEM);
	af->flags = flags;
	err = secbuf_member_init(&af->member, area, payer,
				 &secbuf_member_reclaim_ops);
	if (err)
		goto out_kfree;
	err = secbuf_owner_attach(&af->owned, &area_owned_ops);
	if (err)
		goto out_member;
	file = secbuf_mmap_file("[secbuf-pool]", &area_fops, af);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_owner;
	}
	/* From here on the file's ->release frees all this. */
	af->file = file;
	down_write(&area->map_lock);
	list_add_tail(&af->node, &area->views);
	up_write(&area->map_lock);
	return af;

out_owner:
	secbuf_owner_detach(&af->owned);
out_member:
	secbuf_member_exit(&af->member);
out_kfree:
	kfree(af);
	return ERR_PTR(err);
}

/* An area, and the file of its first member, who pays for both. */
static struct area_file *
area_create(const struct secbuf_area_params *params, u32 flags)
{
	struct secbuf_payer *payer;
	struct secbuf_area *area;
	struct area_file *af;

	payer = secbuf_payer_create();
	if (IS_ERR(payer))
		return ERR_CAST(payer);
	area = secbuf_area_create(params, payer);
	if (IS_ERR(area)) {
		af = ERR_CAST(area);
		goto out_payer;
	}
	af = area_file_create(area, payer, flags);
	if (!IS_ERR(af))
		atomic_inc(&secbuf_nr_pools);
	secbuf_area_put(area);
out_payer:
	secbuf_payer_put(payer);
	return af;
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
	if (args->require & ~secbuf_protections(true))
		return -EOPNOTSUPP;

	af = area_create(&params, args->flags);
	if (IS_ERR(af))
		return PTR_ERR(af);
	args->out_slot_size = params.slot_size;
	args->out_stride = af->member.area->slots.stride;
	args->out_mmap_size = mmap_size(af->member.area);
	args->out_protections = secbuf_protections(true);
	args->out_max_slots = params.max_slots;
	return secbuf_call_publish(call, af->file, &args->out_fd);
}

static int run_attach(struct secbuf_call *call)
{
	struct area_file *from = call->file->private_data;
	struct secbuf_pool_attach_args *args = call->args;
	struct secbuf_payer *payer;
	struct area_file *af;

	BUILD_BUG_ON(SECBUF_AREA_MEMBERS_MAX != SECBUF_POOL_FILES_MAX);

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->__reserved)
		return -EINVAL;
	if (!(from->flags & SECBUF_POOL_F_PASSABLE))
		return -EPERM;
	payer = secbuf_payer_create();
	if (IS_ERR(payer))
		return PTR_ERR(payer);
	af = area_file_create(from->member.area, payer, from->flags);
	secbuf_payer_put(payer);
	if (IS_ERR(af))
		return PTR_ERR(af);
	return secbuf_call_publish(call, af->file, &args->out_fd);
}

/**
 * secbuf_member_from_file() - the member behind a descriptor of a mapped pool
 * @file: any file; the member lives as long as it does
 *
 * Return: the member, or NULL if it is another kind of file.
 */
struct secbuf_member *secbuf_member_from_file(struct file *file)
{
	if (file->f_op != &area_fops)
		return NULL;
	return &((struct area_file *)file->private_data)->member;
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

/**
 * secbuf_area_file_check_poll() - the same, in ->poll
 * @file: its file
 *
 * Return: 0, -EPERM, -ESHUTDOWN.
 */
int secbuf_area_file_check_poll(struct file *file)
{
	struct area_file *af = file->private_data;

	return secbuf_owner_check_poll(&af->owned);
}
