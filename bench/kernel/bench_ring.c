// SPDX-License-Identifier: GPL-2.0
/*
 * Sends records from the kernel to the process that asks, through a ring or
 * through a pipe; bench_ring_feed measures what that takes.
 *
 * /dev/secbuf_bench_ring understands:
 *
 *	BENCH_RING_FD	returns the consumer end of a new ring; the argument
 *			says whether it is one of records, and not of bytes
 *	BENCH_RING_FEED	writes as many records as the argument says to the
 *			ring in batches, or of bytes as many as fit on a page
 *	BENCH_RING_EACH	the same, each record by a call
 *	BENCH_PIPE_SET	the argument is the descriptor to write to instead
 *	BENCH_PIPE_FEED	as BENCH_RING_FEED, to that
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/uio.h>

#include <linux/secbuf_ring.h>

#include "bench_ring.h"

static struct secbuf_ring_end *ring;
static bool ring_has_records;
static struct file *pipe_file;
static u8 record[BENCH_RING_RECORD];

static int make_ring(bool records)
{
	const struct secbuf_ring_params params = {
		.size = BENCH_RING_SIZE, .produce = true,
		.records = records,
	};
	struct secbuf_ring_end *end;
	struct file *file;
	int fd;

	if (ring)
		secbuf_ring_destroy(ring);
	ring = NULL;
	end = secbuf_ring_create(&params);
	if (IS_ERR(end))
		return PTR_ERR(end);
	fd = get_unused_fd_flags(O_CLOEXEC);
	file = fd < 0 ? ERR_PTR(fd) : secbuf_ring_user_file(end);
	if (IS_ERR(file)) {
		if (fd >= 0)
			put_unused_fd(fd);
		secbuf_ring_destroy(end);
		return PTR_ERR(file);
	}
	ring = end;
	ring_has_records = records;
	fd_install(fd, file);
	return fd;
}

static int feed_each(unsigned long nr)
{
	int ret = ring ? 0 : -EINVAL;

	while (!ret && nr--)
		ret = secbuf_ring_write(ring, record, sizeof(record), 0);
	return ret;
}

static int feed_records(unsigned long nr)
{
	struct kvec records[BENCH_RING_BATCH];
	unsigned int i;
	ssize_t ret;

	for (i = 0; i < BENCH_RING_BATCH; i++)
		records[i] = (struct kvec){ record, sizeof(record) };
	for (; nr; nr -= ret) {
		ret = secbuf_ring_write_records(ring, records,
						min(nr, BENCH_RING_BATCH), 0);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A page is a multiple of the record. */
static int feed_bytes(unsigned long nr)
{
	size_t len, at;
	u8 *span;
	int ret;

	for (; nr; nr -= len / sizeof(record)) {
		len = nr * sizeof(record);
		span = secbuf_ring_reserve(ring, &len);
		if (IS_ERR(span))
			return PTR_ERR(span);
		for (at = 0; at < len; at += sizeof(record))
			memcpy(span + at, record, sizeof(record));
		ret = secbuf_ring_commit(ring, len);
		if (ret)
			return ret;
	}
	return 0;
}

static int feed_ring(unsigned long nr)
{
	if (!ring || nr > BENCH_RING_SIZE / sizeof(record))
		return -EINVAL;
	return ring_has_records ? feed_records(nr) : feed_bytes(nr);
}

static int feed_pipe(unsigned long nr)
{
	ssize_t ret = pipe_file ? sizeof(record) : -EINVAL;
	loff_t pos = 0;

	while (ret == sizeof(record) && nr--)
		ret = kernel_write(pipe_file, record, sizeof(record), &pos);
	return ret == sizeof(record) ? 0 : ret < 0 ? ret : -EIO;
}

static int set_pipe(int fd)
{
	if (pipe_file)
		return -EBUSY;
	pipe_file = fget(fd);
	return pipe_file ? 0 : -EBADF;
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case BENCH_RING_FD:
		return make_ring(arg);
	case BENCH_RING_FEED:
		return feed_ring(arg);
	case BENCH_RING_EACH:
		return feed_each(arg);
	case BENCH_PIPE_SET:
		return set_pipe(arg);
	case BENCH_PIPE_FEED:
		return feed_pipe(arg);
	}
	return -ENOTTY;
}

static int bench_release(struct inode *inode, struct file *file)
{
	if (ring)
		secbuf_ring_destroy(ring);
	ring = NULL;
	if (pipe_file)
		fput(pipe_file);
	pipe_file = NULL;
	return 0;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
	.release = bench_release,
};

/* For one process, which opens it once. */
static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "secbuf_bench_ring",
	.fops = &bench_fops,
	.mode = 0600,
};

module_misc_device(bench_device);
MODULE_DESCRIPTION("Benchmark of secbuf's rings");
MODULE_LICENSE("GPL");
