// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * One function for each command, in the order of <linux/secbuf.h>.
 */
#include <sys/ioctl.h>

#include "internal.h"

static int secbuf_ioctl(int fd, unsigned long cmd, void *args)
{
	int saved_errno = errno;
	int ret = 0;

	if (ioctl(fd, cmd, args) < 0)
		ret = -errno;
	errno = saved_errno;
	return ret;
}

int secbuf_ioctl_info(int dev_fd, struct secbuf_info_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(dev_fd, SECBUF_IOC_INFO, args);
}

int secbuf_ioctl_pool_create(int dev_fd, struct secbuf_pool_create_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(dev_fd, SECBUF_IOC_POOL_CREATE, args);
}

int secbuf_ioctl_ring_create(int dev_fd, struct secbuf_ring_create_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(dev_fd, SECBUF_IOC_RING_CREATE, args);
}

int secbuf_ioctl_conn_create(int dev_fd, struct secbuf_conn_create_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(dev_fd, SECBUF_IOC_CONN_CREATE, args);
}

int secbuf_ioctl_pool_alloc(int pool_fd, struct secbuf_pool_alloc_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_ALLOC, args);
}

int secbuf_ioctl_pool_free(int pool_fd, struct secbuf_pool_free_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_FREE, args);
}

int secbuf_ioctl_pool_shrink(int pool_fd, struct secbuf_pool_shrink_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_SHRINK, args);
}

int secbuf_ioctl_pool_stats(int pool_fd, struct secbuf_pool_stats_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_STATS, args);
}

int secbuf_ioctl_pool_read(int pool_fd, struct secbuf_pool_copy_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_READ, args);
}

int secbuf_ioctl_pool_write(int pool_fd, struct secbuf_pool_copy_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_WRITE, args);
}

int secbuf_ioctl_pool_attach(int pool_fd, struct secbuf_pool_attach_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_ATTACH, args);
}

int secbuf_ioctl_pool_info(int pool_fd, struct secbuf_pool_info_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(pool_fd, SECBUF_IOC_POOL_INFO, args);
}

int secbuf_ioctl_ring_notify(int ring_fd, struct secbuf_ring_notify_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_NOTIFY, args);
}

int secbuf_ioctl_ring_reset(int ring_fd, struct secbuf_ring_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_RESET, args);
}

int secbuf_ioctl_ring_shrink(int ring_fd, struct secbuf_ring_shrink_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_SHRINK, args);
}

int secbuf_ioctl_ring_stats(int ring_fd, struct secbuf_ring_stats_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_STATS, args);
}

int secbuf_ioctl_ring_claim(int ring_fd, struct secbuf_ring_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_CLAIM, args);
}

int secbuf_ioctl_ring_close(int ring_fd, struct secbuf_ring_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_CLOSE, args);
}

int secbuf_ioctl_ring_info(int ring_fd, struct secbuf_ring_info_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_INFO, args);
}

int secbuf_ioctl_ring_unpark(int ring_fd, struct secbuf_ring_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(ring_fd, SECBUF_IOC_RING_UNPARK, args);
}

int secbuf_ioctl_conn_buffer(int conn_fd, struct secbuf_conn_buffer_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_BUFFER, args);
}

int secbuf_ioctl_conn_reset(int conn_fd, struct secbuf_conn_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_RESET, args);
}

int secbuf_ioctl_conn_shrink(int conn_fd, struct secbuf_conn_shrink_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_SHRINK, args);
}

int secbuf_ioctl_conn_zeroize(int conn_fd, struct secbuf_conn_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_ZEROIZE, args);
}

int secbuf_ioctl_conn_stats(int conn_fd, struct secbuf_conn_stats_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_STATS, args);
}

int secbuf_ioctl_conn_touch(int conn_fd, struct secbuf_conn_plain_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_TOUCH, args);
}

int secbuf_ioctl_conn_enqueue(int conn_fd, struct secbuf_conn_queue_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_ENQUEUE, args);
}

int secbuf_ioctl_conn_dequeue(int conn_fd, struct secbuf_conn_queue_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_DEQUEUE, args);
}

int secbuf_ioctl_conn_send(int conn_fd, struct secbuf_conn_send_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_SEND, args);
}

int secbuf_ioctl_conn_stream_add(int conn_fd,
				 struct secbuf_conn_stream_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_STREAM_ADD, args);
}

int secbuf_ioctl_conn_stream_del(int conn_fd,
				 struct secbuf_conn_stream_args *args)
{
	args->size = sizeof(*args);
	return secbuf_ioctl(conn_fd, SECBUF_IOC_CONN_STREAM_DEL, args);
}
