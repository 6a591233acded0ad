// SPDX-License-Identifier: GPL-2.0
/*
 * A module that takes lines from a program and gives them back one by one, with
 * all that belongs to an open file in a conn of secbuf. To be copied from.
 *
 * Through /sys/kernel/debug/secbuf_lines, for root: what is written is cut into
 * lines, in whatever pieces it comes; each read() returns the next line, without
 * its end, or EAGAIN. When the file is closed, all that was not read is
 * zeroized, half a line, too, and so it is when the program dies.
 *
 * All that has to be known is in <linux/secbuf_conn.h>: a conn for each
 * connection, its read buffer for what is not complete, its queue for what is.
 * Nothing here overwrites anything. Its limits keep one program from filling the
 * pool, and buffers of those who are idle go back to it by themselves.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/secbuf.h>
#include <linux/secbuf_conn.h>

#define LINES_LEN_MAX	1024
#define LINES_NR_MAX	16
#define LINES_FILES_MAX	64

/**
 * struct lines - an open file
 * @kconn: what it owns
 * @used: bytes in the read buffer
 */
struct lines {
	struct secbuf_kconn *kconn;
	/** @lock: one at a time writes */
	struct mutex lock;
	size_t used;
};

static struct secbuf_pool *pool;

/* Complete lines leave the buffer, as far as there is room in the queue. */
static int lines_cut(struct lines *lines, struct secbuf *sb)
{
	u8 *data = secbuf_window(sb, 0, lines->used);
	size_t begin = 0;
	u8 *end;
	int err = 0;

	while ((end = memchr(data + begin, '\n', lines->used - begin))) {
		size_t len = end - data - begin;

		/* An empty line is no packet. */
		if (len)
			err = secbuf_kconn_enqueue_copy(lines->kconn,
							data + begin, len);
		if (err)
			break;
		begin += len + 1;
	}
	lines->used -= begin;
	memmove(data, data + begin, lines->used);
	memzero_explicit(data + lines->used, begin);
	return err;
}

/*
 * As much as there is room for. What the queue refuses, stays in the buffer
 * until somebody writes again.
 */
static ssize_t lines_fill(struct lines *lines, struct secbuf *sb,
			  const char __user *from, size_t len)
{
	size_t n;
	int err;

	err = lines_cut(lines, sb);
	n = min(len, secbuf_size(sb) - lines->used);
	if (len && !n)
		return err ?: -EMSGSIZE;
	/*
	 * What is written into a window is zeroized later, also if it was only
	 * a part of it.
	 */
	if (copy_from_user(secbuf_window(sb, lines->used, n), from, n))
		return -EFAULT;
	lines->used += n;
	lines_cut(lines, sb);
	return n;
}

static ssize_t lines_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	struct lines *lines = file->private_data;
	struct secbuf *sb;
	ssize_t ret;

	if (mutex_lock_killable(&lines->lock))
		return -EINTR;
	/*
	 * It is where we left it, if there was something in it. If not, the
	 * conn may have given it back meanwhile, and gets another.
	 */
	sb = secbuf_kconn_get(lines->kconn, SECBUF_KCONN_READ);
	ret = PTR_ERR_OR_ZERO(sb);
	if (!ret) {
		ret = lines_fill(lines, sb, from, len);
		secbuf_kconn_put(lines->kconn, SECBUF_KCONN_READ, sb,
				 lines->used);
	}
	mutex_unlock(&lines->lock);
	return ret;
}

static ssize_t lines_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	struct lines *lines = file->private_data;
	struct secbuf_kconn_packet packet;
	int err;

	/* What does not fit would be lost. */
	if (len < LINES_LEN_MAX)
		return -EINVAL;
	err = secbuf_kconn_dequeue(lines->kconn, &packet);
	if (err)
		return err;
	if (copy_to_user(to, secbuf_window(packet.sb, 0, packet.len),
			 packet.len))
		err = -EFAULT;
	/* The packet is ours now, so this zeroizes it. */
	secbuf_put(packet.sb);
	return err ?: packet.len;
}

static int lines_open(struct inode *inode, struct file *file)
{
	const struct secbuf_kconn_params params = {
		.pool = pool,
		.max_packets = LINES_NR_MAX,
		.idle_ms = 1000,
	};
	struct lines *lines = kzalloc(sizeof(*lines), GFP_KERNEL);
	int err;

	if (!lines)
		return -ENOMEM;
	lines->kconn = secbuf_kconn_create(&params);
	if (IS_ERR(lines->kconn)) {
		err = PTR_ERR(lines->kconn);
		kfree(lines);
		return err;
	}
	mutex_init(&lines->lock);
	file->private_data = lines;
	return nonseekable_open(inode, file);
}

static int lines_release(struct inode *inode, struct file *file)
{
	struct lines *lines = file->private_data;

	secbuf_kconn_destroy(lines->kconn);
	mutex_destroy(&lines->lock);
	kfree(lines);
	return 0;
}

static const struct file_operations lines_fops = {
	.owner		= THIS_MODULE,
	.open		= lines_open,
	.release	= lines_release,
	.read		= lines_read,
	.write		= lines_write,
};

static struct dentry *lines_file;

static int __init lines_init(void)
{
	const struct secbuf_pool_params params = {
		.name = "lines",
		.buf_size = LINES_LEN_MAX,
		.max = LINES_FILES_MAX * (LINES_NR_MAX + 1),
	};

	pool = secbuf_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	lines_file = debugfs_create_file("secbuf_lines", 0600, NULL, NULL,
					 &lines_fops);
	if (IS_ERR(lines_file)) {
		secbuf_pool_destroy(pool);
		return PTR_ERR(lines_file);
	}
	return 0;
}

static void __exit lines_exit(void)
{
	debugfs_remove(lines_file);
	secbuf_pool_destroy(pool);
}

module_init(lines_init);
module_exit(lines_exit);

MODULE_DESCRIPTION("Sample user of secbuf: lines, and a conn for each file");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
