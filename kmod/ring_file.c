// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a ring as user space sees it: a descriptor with ioctls, read() or
 * write(), poll, fdinfo.
 */
#include "ring_file.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <asm/ioctls.h>

#include <uapi/linux/secbuf.h>

#include "dev.h"
#include "ring.h"
#include "ring_handle.h"
#include "ring_io.h"
#include "ring_map.h"
#include "ring_park.h"
#include "ring_stats.h"
#include "ring_wait.h"

#define SECBUF_RING_FLAGS	(SECBUF_RING_F_RECORDS | \
				 SECBUF_RING_F_POPULATE | \
				 SECBUF_RING_F_PASSABLE)

/* Never shorter than asked for; ticks can be. */
static int await_until(struct secbuf_ring_end *end, u64 min, u64 timeout_ns,
		       u32 generation)
{
	u64 now = ktime_get_ns(), until = now + timeout_ns;
	u64 ticks;
	int err;

	if (!timeout_ns)
		return secbuf_ring_await(end, min, 0, generation);
	/* Also what overflows: nobody will be there to see the difference. */
	if (until < now)
		return secbuf_ring_await(end, min, MAX_SCHEDULE_TIMEOUT,
					 generation);
	do {
		ticks = nsecs_to_jiffies64(until - now) + 1;
		ticks = min_t(u64, ticks, MAX_SCHEDULE_TIMEOUT - 1);
		err = secbuf_ring_await(end, min, ticks, generation);
		now = ktime_get_ns();
	} while (err == -ETIMEDOUT && now < until);
	return err;
}

static int check_notify(const struct secbuf_ring_end *end,
			const struct secbuf_ring_notify_args *args)
{
	if (args->flags & ~(SECBUF_RING_NOTIFY_F_WAIT |
			    SECBUF_RING_NOTIFY_F_BROKEN))
		return -EOPNOTSUPP;
	if (args->flags == (SECBUF_RING_NOTIFY_F_WAIT |
			    SECBUF_RING_NOTIFY_F_BROKEN))
		return -EINVAL;
	if (!(args->flags & SECBUF_RING_NOTIFY_F_WAIT))
		return args->min || args->timeout_ns ? -EINVAL : 0;
	return args->min > end->ring->size ? -EINVAL : 0;
}

static int notify_and_wait(struct secbuf_ring_handle *handle, u64 min, u64 timeout_ns)
{
	u32 generation = READ_ONCE(handle->end->generation);
	int err;

	secbuf_ring_end_notify(handle->end);
	/* If it was claimed just now, the generation may be another's. */
	err = secbuf_ring_handle_check(handle);
	if (err)
		return err;
	return await_until(handle->end, min, timeout_ns, generation);
}

static int run_notify(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	struct secbuf_ring_notify_args *args = call->args;
	struct secbuf_ring_end *end = handle->end;
	u64 min;
	int err;

	err = check_notify(end, args);
	if (err)
		return err;
	err = secbuf_ring_end_state(end);
	if (err == -ESHUTDOWN)
		return err;
	atomic64_inc(&end->ring->notifies);
	if (args->flags & SECBUF_RING_NOTIFY_F_BROKEN) {
		secbuf_ring_break(end->ring);
		args->out_amount = 0;
		return secbuf_call_reply(call);
	}

	min = max_t(u64, args->min, 1);
	if (args->flags & SECBUF_RING_NOTIFY_F_WAIT) {
		err = notify_and_wait(handle, min, args->timeout_ns);
		if (err)
			return err;
	} else {
		secbuf_ring_end_notify(end);
	}
	err = secbuf_ring_ready(end, min, &args->out_amount);
	if (!err && !(args->flags & SECBUF_RING_NOTIFY_F_WAIT) &&
	    READ_ONCE(secbuf_ring_peer(end)->gone))
		err = -EPIPE;
	/* What was there when we were woken may have gone; that is no error. */
	if (err && err != -EAGAIN)
		return err;
	return secbuf_call_reply(call);
}

static int run_reset(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	struct secbuf_ring_plain_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_ring_reset(handle->end->ring);
	return 0;
}

static int run_close(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	u32 generation = READ_ONCE(handle->end->generation);
	struct secbuf_ring_plain_args *args = call->args;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	/* Of this generation: whoever claims it now keeps it. */
	err = secbuf_ring_handle_check(handle);
	if (!err)
		secbuf_ring_end_die(handle->end, generation);
	return err;
}

static int run_unpark(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	struct secbuf_ring_plain_args *args = call->args;

	if (!secbuf_ring_is_producer(handle->end))
		return -ENOTTY;
	if (args->flags)
		return -EOPNOTSUPP;
	return secbuf_ring_unpark(handle->end);
}

static int run_claim(struct secbuf_call *call)
{
	struct secbuf_ring_plain_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	return secbuf_ring_handle_claim(call->file->private_data);
}

static int run_shrink(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	struct secbuf_ring_shrink_args *args = call->args;
	size_t bytes;
	int err;

	if (args->flags)
		return -EOPNOTSUPP;
	err = secbuf_ring_end_state(handle->end);
	if (err)
		return err;
	/* What was taken cannot be undone: find out first if we can reply. */
	args->out_bytes = 0;
	err = secbuf_call_reply(call);
	if (err)
		return err;
	err = secbuf_ring_shrink(handle->end->ring, &bytes);
	if (err)
		return err;
	args->out_bytes = bytes;
	return secbuf_call_reply(call);
}

static int run_info(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	struct secbuf_ring_info_args *args = call->args;
	struct secbuf_ring *ring = handle->end->ring;

	if (args->flags)
		return -EOPNOTSUPP;
	args->out_ring_size = ring->size;
	args->out_protections = secbuf_protections(true);
	args->out_flags = ring->flags;
	args->out_end = handle->end->which;
	return secbuf_call_reply(call);
}

static int run_stats(struct secbuf_call *call)
{
	struct secbuf_ring_handle *handle = call->file->private_data;
	struct secbuf_ring_stats_args *args = call->args;

	if (args->flags)
		return -EOPNOTSUPP;
	secbuf_ring_fill_stats(handle->end->ring, args);
	return secbuf_call_reply(call);
}

static const struct secbuf_command ring_commands[] = {
	SECBUF_COMMAND(SECBUF_IOC_RING_NOTIFY, struct secbuf_ring_notify_args,
		       SECBUF_RING_NOTIFY_ARGS_SIZE_VER0, run_notify),
	SECBUF_COMMAND(SECBUF_IOC_RING_RESET, struct secbuf_ring_plain_args,
		       SECBUF_RING_PLAIN_ARGS_SIZE_VER0, run_reset),
	SECBUF_COMMAND(SECBUF_IOC_RING_SHRINK, struct secbuf_ring_shrink_args,
		       SECBUF_RING_SHRINK_ARGS_SIZE_VER0, run_shrink),
	SECBUF_COMMAND(SECBUF_IOC_RING_STATS, struct secbuf_ring_stats_args,
		       SECBUF_RING_STATS_ARGS_SIZE_VER0, run_stats),
	SECBUF_COMMAND(SECBUF_IOC_RING_CLAIM, struct secbuf_ring_plain_args,
		       SECBUF_RING_PLAIN_ARGS_SIZE_VER0, run_claim),
	SECBUF_COMMAND(SECBUF_IOC_RING_CLOSE, struct secbuf_ring_plain_args,
		       SECBUF_RING_PLAIN_ARGS_SIZE_VER0, run_close),
	SECBUF_COMMAND(SECBUF_IOC_RING_INFO, struct secbuf_ring_info_args,
		       SECBUF_RING_INFO_ARGS_SIZE_VER0, run_info),
	SECBUF_COMMAND(SECBUF_IOC_RING_UNPARK, struct secbuf_ring_plain_args,
		       SECBUF_RING_PLAIN_ARGS_SIZE_VER0, run_unpark),
};

/* Who may call what. */
static int check_command(const struct secbuf_ring_handle *handle, unsigned int cmd)
{
	bool passable = handle->end->ring->flags & SECBUF_RING_F_PASSABLE;

	switch (cmd) {
	case SECBUF_IOC_RING_CLAIM:
		return 0;
	case SECBUF_IOC_RING_INFO:
		return passable ? 0 : secbuf_ring_handle_check(handle);
	case SECBUF_IOC_RING_RESET:
		return secbuf_ring_handle_check_creator(handle);
	default:
		return secbuf_ring_handle_check(handle);
	}
}

static int fionread(const struct secbuf_ring_handle *handle, unsigned long arg)
{
	u64 len;
	int err;

	err = secbuf_ring_handle_check(handle);
	if (!err)
		err = secbuf_ring_next_len(handle->end, &len);
	if (err)
		return err;
	return put_user((int)len, (int __user *)arg);
}

static long ring_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct secbuf_ring_handle *handle = file->private_data;
	const struct secbuf_command *command;
	int err;

	if (cmd == FIONREAD)
		return fionread(handle, arg);
	command = secbuf_command_find(ring_commands, ARRAY_SIZE(ring_commands),
				      cmd);
	if (!command)
		return -ENOTTY;
	err = check_command(handle, cmd);
	if (err)
		return err;
	return secbuf_command_run(command, file, arg);
}

static long io_timeout(const struct kiocb *iocb)
{
	if (iocb->ki_filp->f_flags & O_NONBLOCK ||
	    iocb->ki_flags & IOCB_NOWAIT)
		return 0;
	return MAX_SCHEDULE_TIMEOUT;
}

/* Nothing was moved then: as of pipes, the call can begin again. */
static ssize_t restartable(ssize_t ret)
{
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

static ssize_t ring_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct secbuf_ring_handle *handle = iocb->ki_filp->private_data;
	u32 generation = READ_ONCE(handle->end->generation);
	int err;

	err = secbuf_ring_handle_check(handle);
	if (err)
		return err;
	if (!iov_iter_count(to))
		return 0;
	return restartable(secbuf_ring_read_iter(handle->end, to,
						 io_timeout(iocb), generation));
}

static ssize_t ring_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct secbuf_ring_handle *handle = iocb->ki_filp->private_data;
	u32 generation = READ_ONCE(handle->end->generation);
	int err;

	err = secbuf_ring_handle_check(handle);
	if (err)
		return err;
	if (!iov_iter_count(from))
		return 0;
	return restartable(secbuf_ring_write_iter(handle->end, from,
						  io_timeout(iocb), generation));
}

static __poll_t poll_state(struct secbuf_ring_handle *handle, u64 min)
{
	__poll_t ready = secbuf_ring_is_producer(handle->end) ?
			 EPOLLOUT | EPOLLWRNORM : EPOLLIN | EPOLLRDNORM;
	u64 amount = 0;

	switch (secbuf_ring_ready(handle->end, min, &amount)) {
	case 0:
	case -EBUSY:
		return ready;
	case -EAGAIN:
		return 0;
	case -EPIPE:
		/* Who waits to write learns that he cannot: select() asks no more. */
		if (secbuf_ring_is_producer(handle->end))
			return ready;
		/* What is left is less than was asked for, but it is the rest. */
		return amount ? ready : 0;
	case -ESHUTDOWN:
		return EPOLLERR | EPOLLHUP;
	default:
		return EPOLLERR;
	}
}

static __poll_t ring_poll(struct file *file, poll_table *wait)
{
	struct secbuf_ring_handle *handle = file->private_data;
	struct secbuf_ring_end *end = handle->end;
	u64 min = max_t(u64, READ_ONCE(end->want), 1);
	__poll_t mask;

	poll_wait(file, &end->bell.wait, wait);
	if (secbuf_ring_handle_check_poll(handle))
		return EPOLLERR;
	mask = poll_state(handle, min);
	if (!mask) {
		secbuf_ring_arm(end, min);
		mask = poll_state(handle, min);
	}
	/* Pairs with nothing: who sets it rings the bell after that. */
	if (READ_ONCE(secbuf_ring_peer(end)->gone))
		mask |= EPOLLHUP;
	return mask;
}

static void ring_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct secbuf_ring_handle *handle = file->private_data;
	struct secbuf_ring *ring = handle->end->ring;
	struct secbuf_ring_stats_args s;

	secbuf_ring_fill_stats(ring, &s);
	seq_printf(m, "ring_end:\t%s\n",
		   secbuf_ring_is_producer(handle->end) ? "producer" : "consumer");
	seq_printf(m, "ring_size:\t%zu\n", ring->size);
	seq_printf(m, "ring_flags:\t%#x\n", ring->flags);
	seq_printf(m, "status:\t%#x\n", s.out_status);
	seq_printf(m, "produced:\t%llu\n", s.out_produced);
	seq_printf(m, "consumed:\t%llu\n", s.out_consumed);
	seq_printf(m, "bytes:\t%llu\n", s.out_bytes);
	seq_printf(m, "peak_bytes:\t%llu\n", s.out_peak_bytes);
	seq_printf(m, "bytes_zeroized:\t%llu\n", s.out_bytes_zeroized);
	seq_printf(m, "notifies:\t%llu\n", s.out_notifies);
	seq_printf(m, "sleeps:\t%llu\n", s.out_sleeps);
	seq_printf(m, "wakes:\t%llu\n", s.out_wakes);
	seq_printf(m, "faults:\t%llu\n", s.out_faults);
	seq_printf(m, "shrinks:\t%llu\n", s.out_shrinks);
}

static int ring_flush(struct file *file, fl_owner_t id)
{
	secbuf_ring_handle_flush(file->private_data);
	return 0;
}

static int ring_release(struct inode *inode, struct file *file)
{
	secbuf_ring_handle_release(file->private_data);
	return 0;
}

#define RING_FOPS_COMMON				\
	.owner		= THIS_MODULE,			\
	.flush		= ring_flush,			\
	.release	= ring_release,			\
	.unlocked_ioctl	= ring_ioctl,			\
	.compat_ioctl	= compat_ptr_ioctl,		\
	.mmap		= secbuf_ring_mmap,		\
	.poll		= ring_poll,			\
	.show_fdinfo	= ring_show_fdinfo

static const struct file_operations ring_producer_fops = {
	RING_FOPS_COMMON,
	.write_iter	= ring_write_iter,
};

static const struct file_operations ring_consumer_fops = {
	RING_FOPS_COMMON,
	.read_iter	= ring_read_iter,
};

/**
 * secbuf_ring_file_create() - a descriptor for an end
 * @end: held by nobody
 *
 * The calling process owns it.
 *
 * Context: process, may sleep.
 * Return: the file, or an error pointer.
 */
struct file *secbuf_ring_file_create(struct secbuf_ring_end *end)
{
	struct secbuf_ring_handle *handle;

	if (secbuf_ring_is_producer(end))
		handle = secbuf_ring_handle_create(end, "[secbuf-ring-producer]",
						   &ring_producer_fops);
	else
		handle = secbuf_ring_handle_create(end, "[secbuf-ring-consumer]",
						   &ring_consumer_fops);
	return IS_ERR(handle) ? ERR_CAST(handle) : handle->file;
}

/**
 * secbuf_ring_handle_from_file() - the end behind a descriptor
 * @file: any file; the end lives as long as it does
 *
 * Return: the end, or NULL if it is another kind of file.
 */
struct secbuf_ring_handle *secbuf_ring_handle_from_file(struct file *file)
{
	if (file->f_op != &ring_producer_fops &&
	    file->f_op != &ring_consumer_fops)
		return NULL;
	return file->private_data;
}

static int check_create(const struct secbuf_ring_create_args *args)
{
	if (args->flags & ~SECBUF_RING_FLAGS)
		return -EOPNOTSUPP;
	if (args->ring_size < max_t(u64, SECBUF_RING_SIZE_MIN, PAGE_SIZE) ||
	    args->ring_size > SECBUF_RING_SIZE_MAX ||
	    !is_power_of_2(args->ring_size))
		return -EINVAL;
	if (args->require & ~secbuf_protections(true))
		return -EOPNOTSUPP;
	return 0;
}

static int create_ends(struct secbuf_ring *ring, struct file *files[])
{
	int i, err;

	for (i = 0; i < SECBUF_RING_END_NR; i++) {
		files[i] = secbuf_ring_file_create(&ring->ends[i]);
		if (IS_ERR(files[i])) {
			err = PTR_ERR(files[i]);
			while (i--)
				fput(files[i]);
			return err;
		}
	}
	return 0;
}

static int run_create(struct secbuf_call *call)
{
	struct file *files[SECBUF_RING_END_NR];
	struct secbuf_ring_create_args *args = call->args;
	s32 *out_fds[] = {
		[SECBUF_RING_END_PRODUCER] = &args->out_producer_fd,
		[SECBUF_RING_END_CONSUMER] = &args->out_consumer_fd,
	};
	struct secbuf_ring *ring;
	int err;

	err = check_create(args);
	if (err)
		return err;
	ring = secbuf_ring_alloc(args->ring_size, args->flags,
				 &secbuf_ring_reclaim_ops);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	err = create_ends(ring, files);
	/* The files hold it now, or nobody does. */
	secbuf_ring_put(ring);
	if (err)
		return err;
	args->out_protections = secbuf_protections(true);
	return secbuf_call_publish_all(call, files, out_fds,
				       SECBUF_RING_END_NR);
}

const struct secbuf_command secbuf_ring_create_command =
	SECBUF_COMMAND(SECBUF_IOC_RING_CREATE, struct secbuf_ring_create_args,
		       SECBUF_RING_CREATE_ARGS_SIZE_VER0, run_create);
