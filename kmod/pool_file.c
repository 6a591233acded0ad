// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel-held pool as user space sees it: buffers by id, whose bytes are
 * copied in and out. It cannot be mapped, so the anonymous inode will do.
 */
#include "pool_file.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "area.h"
#include "area_file.h"
#include "buf.h"
#include "dev.h"
#include "grant.h"
#include "ids.h"
#include "owner.h"
#include "pool.h"

/* The struct and the open file; bytes. */
#define SECBUF_POOL_FILE_FOOTPRINT	2048

/* INFO tells the same limits for both kinds of pool. */
#define BATCH_MAX	SECBUF_AREA_BATCH_MAX
#define BATCH_BYTES_MAX	SECBUF_AREA_BATCH_BYTES_MAX

/* As many are kept on the stack. */
#define CHUNK_IDS	32
#define CHUNK_VECS	8

/**
 * struct pool_file - a kernel-held pool and its descriptor
 * @grants: the buffers that the owner has, and the pool they are of
 * @owned: it dies with its owner
 * @wait: of those who poll, until he dies
 * @account: who pays for what is here; the pool has its own
 * @size: bytes of a buffer that may be used
 * @class_size: bytes of a buffer
 * @min: buffers that stay through reclaim
 * @max: most buffers
 */
struct pool_file {
	struct secbuf_grants grants;
	struct secbuf_owned owned;
	wait_queue_head_t wait;
	struct secbuf_account account;
	u32 size;
	u32 class_size;
	u32 min;
	u32 max;
};

static struct pool_file *pool_file_of(const struct secbuf_call *call)
{
	return call->file->private_data;
}

/* What one call moves, so that it ends in good time. */
static unsigned int batch_max(const struct pool_file *pf, u32 nr)
{
	return min_t(u32, nr, BATCH_BYTES_MAX / pf->class_size);
}

/* An array of the caller's: @stack if it fits, kvfree_array() otherwise. */
static void *kvalloc_array(void *stack, size_t stack_size, size_t size)
{
	return size <= stack_size ? stack : kvmalloc(size, SECBUF_GFP);
}

static void kvfree_array(void *stack, void *array)
{
	if (array != stack)
		kvfree(array);
}

static int run_alloc(struct secbuf_call *call)
{
	struct pool_file *pf = pool_file_of(call);
	struct secbuf_pool_alloc_args *args = call->args;
	u64 stack[CHUNK_IDS];
	u64 *ids;
	int ret;

	if (args->flags & ~SECBUF_POOL_ALLOC_F_WAIT)
		return -EOPNOTSUPP;
	if (!args->nr || args->nr > BATCH_MAX)
		return -EINVAL;
	ids = kvalloc_array(stack, sizeof(stack), args->nr * sizeof(*ids));
	if (!ids)
		return -ENOMEM;

	ret = secbuf_grants_add(&pf->grants, ids, batch_max(pf, args->nr),
				args->flags & SECBUF_POOL_ALLOC_F_WAIT);
	if (ret < 0)
		goto out_free;
	args->out_done = ret;
	ret = copy_to_user(u64_to_user_ptr(args->ids_ptr), ids,
			   ret * sizeof(*ids)) ?
	      -EFAULT : secbuf_call_reply(call);
	if (ret)
		secbuf_grants_undo(&pf->grants, ids, args->out_done);
out_free:
	kvfree_array(stack, ids);
	return ret;
}

static int run_free_all(struct secbuf_call *call)
{
	struct pool_file *pf = pool_file_of(call);
	struct secbuf_pool_free_args *args = call->args;
	int err;

	if (args->ids_ptr || args->nr)
		return -EINVAL;
	args->out_done = 0;
	err = secbuf_call_reply(call);
	if (err)
		return err;
	args->out_done = secbuf_grants_remove_all(&pf->grants);
	return secbuf_call_reply(call);
}

/* What was freed cannot be undone: find out first if we can reply. */
static int free_ids(struct secbuf_call *call, const u64 *ids, unsigned int nr)
{
	struct pool_file *pf = pool_file_of(call);
	struct secbuf_pool_free_args *args = call->args;
	int ret;

	args->out_done = 0;
	ret = secbuf_call_reply(call);
	if (ret)
		return ret;
	ret = secbuf_grants_remove(&pf->grants, ids, batch_max(pf, nr));
	if (ret < 0)
		return ret;
	args->out_done = ret;
	return secbuf_call_reply(call);
}

static int run_free(struct secbuf_call *call)
{
	struct secbuf_pool_free_args *args = call->args;
	unsigned int nr = args->nr;
	u64 stack[CHUNK_IDS];
	int ret = -EFAULT;
	u64 *ids;

	if (args->flags & ~SECBUF_POOL_FREE_F_ALL)
		return -EOPNOTSUPP;
	if (args->flags)
		return run_free_all(call);
	if (!nr || nr > BATCH_MAX)
		return -EINVAL;
	ids = kvalloc_array(stack, sizeof(stack), nr * sizeof(*ids));
	if (!ids) {
		/* To give back must not need memory: the batch is short. */
		ids = stack;
		nr = CHUNK_IDS;
	}
	if (!copy_from_user(ids, u64_to_user_ptr(args->ids_ptr),
			    nr * sizeof(*ids)))
		ret = free_ids(call, ids, nr);
	kvfree_array(stack, ids);
	return ret;
}

typedef int (*vec_copy_fn)(struct secbuf *sb, u32 offset, u32 len,
			   void __user *ubuf);

static int vec_read(struct secbuf *sb, u32 offset, u32 len, void __user *ubuf)
{
	return copy_to_user(ubuf, sb->data + offset, len) ? -EFAULT : 0;
}

/* The mark of the dirty bytes is raised first: a fault may come in between. */
static int vec_write(struct secbuf *sb, u32 offset, u32 len, void __user *ubuf)
{
	void *dst = secbuf_window(sb, offset, len);

	return copy_from_user(dst, ubuf, len) ? -EFAULT : 0;
}

static int vec_copy(struct pool_file *pf, const struct secbuf_pool_vec *vec,
		    vec_copy_fn copy)
{
	struct secbuf *sb = secbuf_grants_get(&pf->grants, vec->id);
	u32 size = pf->size;
	int err = -EINVAL;

	if (!sb)
		return -ENOENT;
	if (vec->offset <= size && vec->len <= size - vec->offset)
		err = copy(sb, array_index_nospec(vec->offset, size + 1),
			   vec->len, u64_to_user_ptr(vec->buf_ptr));
	secbuf_put(sb);
	return err;
}

/* Returns the entries completed, or if none an error. */
static int vecs_copy(struct pool_file *pf, const struct secbuf_pool_vec *vecs,
		     unsigned int nr, vec_copy_fn copy)
{
	unsigned int done = 0;
	size_t bytes = 0;
	int err = 0;

	secbuf_grants_begin_copy(&pf->grants);
	do {
		err = vec_copy(pf, &vecs[done], copy);
		if (err)
			break;
		bytes += vecs[done++].len;
		cond_resched();
	} while (done < nr && bytes < BATCH_BYTES_MAX &&
		 !fatal_signal_pending(current));
	secbuf_grants_end_copy(&pf->grants);
	return done ?: err;
}

static int run_copy(struct secbuf_call *call, vec_copy_fn copy)
{
	struct secbuf_pool_copy_args *args = call->args;
	struct secbuf_pool_vec stack[CHUNK_VECS];
	struct secbuf_pool_vec *vecs;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->nr || args->nr > BATCH_MAX)
		return -EINVAL;
	vecs = kvalloc_array(stack, sizeof(stack), args->nr * sizeof(*vecs));
	if (!vecs)
		return -ENOMEM;
	ret = -EFAULT;
	if (copy_from_user(vecs, u64_to_user_ptr(args->vecs_ptr),
			   args->nr * sizeof(*vecs)))
		goto out_free;

	/* What was copied cannot be undone: find out first if we can reply. */
	args->out_done = 0;
	ret = secbuf_call_reply(call);
	if (ret)
		goto out_free;
	ret = vecs_copy(pool_file_of(call), vecs, args->nr, copy);
	if (ret > 0) {
		args->out_done = ret;
		ret = secbuf_call_reply(call);
	}
out_free:
	kvfree_array(stack, vecs);
	return ret;
}

static int run_read(struct secbuf_call *call)
{
	return run_copy(call, vec_read);
}

static int run_write(struct secbuf_call *call)
{
	return run_copy(call, vec_write);
}

static int run_shrink(struct secbuf_call *call)
{
	struct pool_file *pf = pool_file_of(call);
	struct secbuf_pool_shrink_args *args = call->args;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->nr)
		return -EINVAL;
	args->out_done = 0;
	err = secbuf_call_reply(call);
	if (err)
		return err;
	args->out_done = secbuf_pool_shrink(pf->grants.pool, args->nr);
	return secbuf_call_reply(call);
}

/* Ids are counted exactly; whence the buffers came, by the pool. */
static void get_stats(struct pool_file *pf, struct secbuf_pool_stats_args *args)
{
	struct secbuf_grants_stats stats;

	secbuf_grants_get_stats(&pf->grants, &stats);
	*args = (struct secbuf_pool_stats_args){
		.size = args->size,
		.out_max_slots = pf->max,
		.out_min_slots = pf->min,
		.out_in_use = stats.in_use,
		.out_peak = stats.peak,
		.out_allocated = stats.pool.allocated,
		.out_available = stats.pool.available,
		.out_acquired = stats.acquired,
		.out_returned = stats.returned,
		.out_failures = stats.failures,
		.out_magazine_hits = stats.pool.magazine_hits,
		.out_depot_hits = stats.pool.depot_hits,
		.out_misses = stats.pool.misses,
		.out_leaks = stats.leaks,
		.out_bytes = (u64)stats.pool.allocated * pf->class_size,
		.out_bytes_zeroized = stats.pool.bytes_zeroized,
	};
}

static int run_stats(struct secbuf_call *call)
{
	struct secbuf_pool_stats_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	get_stats(pool_file_of(call), args);
	return secbuf_call_reply(call);
}

static int run_info(struct secbuf_call *call)
{
	struct secbuf_pool_info_args *args = call->args;
	struct pool_file *pf = pool_file_of(call);

	if (args->flags)
		return -EOPNOTSUPP;
	*args = (struct secbuf_pool_info_args){
		.size = args->size,
		.out_max_slots = pf->max,
		.out_slot_size = pf->size,
		.out_protections = secbuf_protections(false),
	};
	return secbuf_call_reply(call);
}

static const struct secbuf_command pool_commands[] = {
	SECBUF_COMMAND(SECBUF_IOC_POOL_ALLOC, struct secbuf_pool_alloc_args,
		       SECBUF_POOL_ALLOC_ARGS_SIZE_VER0, run_alloc),
	SECBUF_COMMAND(SECBUF_IOC_POOL_FREE, struct secbuf_pool_free_args,
		       SECBUF_POOL_FREE_ARGS_SIZE_VER0, run_free),
	SECBUF_COMMAND(SECBUF_IOC_POOL_READ, struct secbuf_pool_copy_args,
		       SECBUF_POOL_COPY_ARGS_SIZE_VER0, run_read),
	SECBUF_COMMAND(SECBUF_IOC_POOL_WRITE, struct secbuf_pool_copy_args,
		       SECBUF_POOL_COPY_ARGS_SIZE_VER0, run_write),
	SECBUF_COMMAND(SECBUF_IOC_POOL_SHRINK, struct secbuf_pool_shrink_args,
		       SECBUF_POOL_SHRINK_ARGS_SIZE_VER0, run_shrink),
	SECBUF_COMMAND(SECBUF_IOC_POOL_STATS, struct secbuf_pool_stats_args,
		       SECBUF_POOL_STATS_ARGS_SIZE_VER0, run_stats),
	SECBUF_COMMAND(SECBUF_IOC_POOL_INFO, struct secbuf_pool_info_args,
		       SECBUF_POOL_INFO_ARGS_SIZE_VER0, run_info),
};

static long pool_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct secbuf_command *command;
	struct pool_file *pf = file->private_data;
	int err;

	command = secbuf_command_find(pool_commands, ARRAY_SIZE(pool_commands),
				      cmd);
	if (!command)
		return -ENOTTY;
	err = secbuf_owner_check(&pf->owned);
	if (err)
		return err;
	return secbuf_command_run(command, file, arg);
}

static __poll_t pool_poll(struct file *file, poll_table *wait)
{
	struct pool_file *pf = file->private_data;

	poll_wait(file, &pf->wait, wait);
	return secbuf_owner_check_poll(&pf->owned) ? EPOLLERR : 0;
}

static void pool_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct pool_file *pf = file->private_data;
	struct secbuf_pool_stats_args stats = { };

	get_stats(pf, &stats);
	seq_printf(m, "buf_size:\t%u\n", pf->size);
	seq_printf(m, "slot_size:\t%u\n", pf->class_size);
	seq_printf(m, "min_slots:\t%u\n", stats.out_min_slots);
	seq_printf(m, "max_slots:\t%u\n", stats.out_max_slots);
	seq_printf(m, "in_use:\t%u\n", stats.out_in_use);
	seq_printf(m, "peak:\t%u\n", stats.out_peak);
	seq_printf(m, "allocated:\t%u\n", stats.out_allocated);
	seq_printf(m, "available:\t%u\n", stats.out_available);
	seq_printf(m, "acquired:\t%llu\n", stats.out_acquired);
	seq_printf(m, "returned:\t%llu\n", stats.out_returned);
	seq_printf(m, "failures:\t%llu\n", stats.out_failures);
	seq_printf(m, "magazine_hits:\t%llu\n", stats.out_magazine_hits);
	seq_printf(m, "depot_hits:\t%llu\n", stats.out_depot_hits);
	seq_printf(m, "misses:\t%llu\n", stats.out_misses);
	seq_printf(m, "leaks:\t%llu\n", stats.out_leaks);
	seq_printf(m, "bytes:\t%llu\n", stats.out_bytes);
	seq_printf(m, "bytes_zeroized:\t%llu\n", stats.out_bytes_zeroized);
}

static void pool_wipe(struct secbuf_owned *owned)
{
	struct pool_file *pf = container_of(owned, struct pool_file, owned);

	secbuf_grants_kill(&pf->grants, false);
}

static void pool_die(struct secbuf_owned *owned, bool alone)
{
	struct pool_file *pf = container_of(owned, struct pool_file, owned);

	secbuf_grants_kill(&pf->grants, alone);
	wake_up_all(&pf->wait);
}

static const struct secbuf_owned_ops pool_owned_ops = {
	.wipe	= pool_wipe,
	.die	= pool_die,
};

static void pool_file_free(struct pool_file *pf)
{
	secbuf_grants_exit(&pf->grants);
	secbuf_account_uncharge(&pf->account, SECBUF_POOL_FILE_FOOTPRINT);
	secbuf_account_exit(&pf->account);
	kfree(pf);
}

static int pool_flush(struct file *file, fl_owner_t id)
{
	struct pool_file *pf = file->private_data;

	secbuf_owner_flush(&pf->owned);
	return 0;
}

static int pool_release(struct inode *inode, struct file *file)
{
	struct pool_file *pf = file->private_data;

	/* Until all is zero, who kills everything must find it, and wait. */
	secbuf_grants_put_all(&pf->grants);
	secbuf_owner_detach(&pf->owned);
	pool_file_free(pf);
	atomic_dec(&secbuf_nr_pools);
	return 0;
}

static const struct file_operations pool_fops = {
	.owner		= THIS_MODULE,
	.flush		= pool_flush,
	.release	= pool_release,
	.unlocked_ioctl	= pool_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= pool_poll,
	.show_fdinfo	= pool_show_fdinfo,
};

static int params_from_args(struct secbuf_pool_params *params,
			    const struct secbuf_pool_create_args *args)
{
	if (!args->slot_size || args->slot_size > SECBUF_POOL_BUF_SIZE_MAX)
		return -EINVAL;
	*params = (struct secbuf_pool_params){
		.name = current->comm,
		.buf_size = args->slot_size,
		.min = args->min_slots,
		.max = args->max_slots,
	};
	if (args->max_slots == 0)
		params->max = SECBUF_POOL_MAX_SLOTS_DEFAULT;
	else if (args->max_slots == SECBUF_LIMIT_CEILING)
		params->max = SECBUF_IDS_MAX;
	if (params->max > SECBUF_IDS_MAX || params->min > params->max)
		return -EINVAL;
	return 0;
}

static int pool_file_init(struct pool_file *pf,
			  const struct secbuf_pool_params *params)
{
	int err;

	pf->size = params->buf_size;
	pf->class_size = roundup_pow_of_two(max_t(u32, pf->size,
						  SECBUF_SIZE_MIN));
	pf->min = params->min;
	pf->max = params->max;
	init_waitqueue_head(&pf->wait);
	err = secbuf_account_init(&pf->account);
	if (err)
		return err;
	err = secbuf_account_charge(&pf->account, SECBUF_POOL_FILE_FOOTPRINT);
	if (err)
		goto out_account;
	err = secbuf_grants_init(&pf->grants, &pf->account, params);
	if (!err)
		return 0;

	secbuf_account_uncharge(&pf->account, SECBUF_POOL_FILE_FOOTPRINT);
out_account:
	secbuf_account_exit(&pf->account);
	return err;
}

static struct file *pool_file_create(const struct secbuf_pool_params *params)
{
	struct pool_file *pf;
	struct file *file;
	int err;

	pf = kzalloc(sizeof(*pf), SECBUF_GFP);
	if (!pf)
		return ERR_PTR(-ENOMEM);
	err = pool_file_init(pf, params);
	if (err) {
		kfree(pf);
		return ERR_PTR(err);
	}
	err = secbuf_owner_attach(&pf->owned, &pool_owned_ops);
	if (err)
		goto out_free;
	file = anon_inode_getfile("[secbuf-pool]", &pool_fops, pf, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_owner;
	}
	/* From here on the file's ->release frees all this. */
	atomic_inc(&secbuf_nr_pools);
	return file;

out_owner:
	secbuf_owner_detach(&pf->owned);
out_free:
	pool_file_free(pf);
	return ERR_PTR(err);
}

static int run_create(struct secbuf_call *call)
{
	struct secbuf_pool_create_args *args = call->args;
	struct secbuf_pool_params params;
	struct pool_file *pf;
	struct file *file;
	int err;

	if (args->flags & ~(SECBUF_POOL_F_MAPPED | SECBUF_POOL_F_PASSABLE |
			    SECBUF_POOL_F_GUARD))
		return -EOPNOTSUPP;
	if (args->flags & SECBUF_POOL_F_MAPPED)
		return secbuf_area_file_create(call);
	if (args->flags)
		return -EINVAL;
	err = params_from_args(&params, args);
	if (err)
		return err;
	if (args->require & ~secbuf_protections(false))
		return -EOPNOTSUPP;

	file = pool_file_create(&params);
	if (IS_ERR(file))
		return PTR_ERR(file);
	pf = file->private_data;
	args->out_slot_size = pf->class_size;
	args->out_stride = 0;
	args->out_mmap_size = 0;
	args->out_protections = secbuf_protections(false);
	args->out_max_slots = pf->max;
	return secbuf_call_publish(call, file, &args->out_fd);
}

const struct secbuf_command secbuf_pool_create_command =
	SECBUF_COMMAND(SECBUF_IOC_POOL_CREATE, struct secbuf_pool_create_args,
		       SECBUF_POOL_CREATE_ARGS_SIZE_VER0, run_create);
