// SPDX-License-Identifier: GPL-2.0
/*
 * A module that streams records to a process through a ring. To be copied from.
 *
 * ioctl(SECBUF_STREAM_START) on /sys/kernel/debug/secbuf_stream, for root, gives
 * the caller the reading end of a new ring as a descriptor. A thread then writes
 * @nr records of @len bytes, the first eight of which are the number of the
 * record, and ends.
 *
 * All that has to be known is in <linux/secbuf_ring.h>. What the process has
 * read is zeroized by whoever reads it, and everything when it is killed; then
 * the write here fails with -EPIPE, which ends the thread.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <linux/secbuf_ring.h>

#include "secbuf_stream.h"

#define STREAM_RING_SIZE	(64 << 10)

#define STREAM_BATCH		16

/**
 * struct stream - a thread that writes
 * @end: the writing end
 * @nr: records
 * @len: bytes of each
 * @batch: what is written next
 * @records: bytes of that
 */
struct stream {
	struct secbuf_ring_end *end;
	u64 nr;
	u32 len;
	struct kvec batch[STREAM_BATCH];
	u8 records[STREAM_BATCH][SECBUF_STREAM_LEN_MAX];
};

/* The next records from @first on. Returns how many there are. */
static unsigned int stream_fill(struct stream *stream, u64 first)
{
	u64 nr = min_t(u64, STREAM_BATCH, stream->nr - first), i, number;

	for (i = 0; i < nr; i++) {
		number = first + i;
		memcpy(stream->records[i], &number, sizeof(number));
		stream->batch[i].iov_base = stream->records[i];
		stream->batch[i].iov_len = stream->len;
	}
	return nr;
}

/* Several by a call cost a fraction of what they do one by one. */
static int stream_run(void *arg)
{
	struct stream *stream = arg;
	ssize_t done = 0;
	u64 i;

	for (i = 0; i < stream->nr; i += done) {
		done = secbuf_ring_write_records(stream->end, stream->batch,
						 stream_fill(stream, i),
						 MAX_SCHEDULE_TIMEOUT);
		if (done < 0)
			break;
		cond_resched();
	}
	secbuf_ring_destroy(stream->end);
	kfree_sensitive(stream);
	module_put_and_kthread_exit(0);
}

static struct stream *stream_new(const struct secbuf_stream_args *args)
{
	const struct secbuf_ring_params params = {
		.size = STREAM_RING_SIZE,
		.produce = true,
		.records = true,
	};
	struct stream *stream = kzalloc(sizeof(*stream), GFP_KERNEL);

	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->nr = args->nr;
	stream->len = args->len;
	stream->end = secbuf_ring_create(&params);
	if (IS_ERR(stream->end)) {
		void *err = stream->end;

		kfree(stream);
		return err;
	}
	return stream;
}

/* The descriptor is installed when nothing can fail any more. */
static int stream_publish(struct stream *stream,
			  struct secbuf_stream_args *args, void __user *uargs)
{
	struct task_struct *task;
	struct file *file;
	int fd, err;

	file = secbuf_ring_user_file(stream->end);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd;
	if (fd < 0)
		goto out_fput;
	args->out_fd = fd;
	err = copy_to_user(uargs, args, sizeof(*args)) ? -EFAULT : 0;
	if (err)
		goto out_fd;
	__module_get(THIS_MODULE);
	task = kthread_run(stream_run, stream, "secbuf_stream");
	if (IS_ERR(task)) {
		module_put(THIS_MODULE);
		err = PTR_ERR(task);
		goto out_fd;
	}
	fd_install(fd, file);
	return 0;

out_fd:
	put_unused_fd(fd);
out_fput:
	fput(file);
	return err;
}

static long stream_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uargs = (void __user *)arg;
	struct secbuf_stream_args args;
	struct stream *stream;
	int err;

	if (cmd != SECBUF_STREAM_START)
		return -ENOTTY;
	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.len < sizeof(u64) || args.len > SECBUF_STREAM_LEN_MAX)
		return -EINVAL;
	stream = stream_new(&args);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	err = stream_publish(stream, &args, uargs);
	if (err) {
		secbuf_ring_destroy(stream->end);
		kfree(stream);
	}
	return err;
}

static const struct file_operations stream_fops = {
	.owner		= THIS_MODULE,
	.open		= nonseekable_open,
	.unlocked_ioctl	= stream_ioctl,
};

static struct dentry *stream_file;

static int __init stream_init(void)
{
	stream_file = debugfs_create_file("secbuf_stream", 0600, NULL, NULL,
					  &stream_fops);
	return PTR_ERR_OR_ZERO(stream_file);
}

static void __exit stream_exit(void)
{
	debugfs_remove(stream_file);
}

module_init(stream_init);
module_exit(stream_exit);

MODULE_DESCRIPTION("Streams records to a process through a ring of secbuf");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
