/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Raw layer: one function for each command of <linux/secbuf.h>, same order,
 * same structs, which say what each command does. They set @size, check
 * nothing, and return 0 or a negative errno.
 */
#ifndef SECBUF_IOCTL_H
#define SECBUF_IOCTL_H

#include <linux/secbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

int secbuf_ioctl_info(int dev_fd, struct secbuf_info_args *args);
int secbuf_ioctl_pool_create(int dev_fd, struct secbuf_pool_create_args *args);
int secbuf_ioctl_ring_create(int dev_fd, struct secbuf_ring_create_args *args);
int secbuf_ioctl_conn_create(int dev_fd, struct secbuf_conn_create_args *args);
int secbuf_ioctl_pool_alloc(int pool_fd, struct secbuf_pool_alloc_args *args);
int secbuf_ioctl_pool_free(int pool_fd, struct secbuf_pool_free_args *args);
int secbuf_ioctl_pool_shrink(int pool_fd, struct secbuf_pool_shrink_args *args);
int secbuf_ioctl_pool_stats(int pool_fd, struct secbuf_pool_stats_args *args);
int secbuf_ioctl_pool_read(int pool_fd, struct secbuf_pool_copy_args *args);
int secbuf_ioctl_pool_write(int pool_fd, struct secbuf_pool_copy_args *args);
int secbuf_ioctl_pool_attach(int pool_fd, struct secbuf_pool_attach_args *args);
int secbuf_ioctl_pool_info(int pool_fd, struct secbuf_pool_info_args *args);
int secbuf_ioctl_ring_notify(int ring_fd, struct secbuf_ring_notify_args *args);
int secbuf_ioctl_ring_reset(int ring_fd, struct secbuf_ring_plain_args *args);
int secbuf_ioctl_ring_shrink(int ring_fd, struct secbuf_ring_shrink_args *args);
int secbuf_ioctl_ring_stats(int ring_fd, struct secbuf_ring_stats_args *args);
int secbuf_ioctl_ring_claim(int ring_fd, struct secbuf_ring_plain_args *args);
int secbuf_ioctl_ring_close(int ring_fd, struct secbuf_ring_plain_args *args);
int secbuf_ioctl_ring_info(int ring_fd, struct secbuf_ring_info_args *args);
int secbuf_ioctl_ring_unpark(int ring_fd, struct secbuf_ring_plain_args *args);
int secbuf_ioctl_conn_buffer(int conn_fd, struct secbuf_conn_buffer_args *args);
int secbuf_ioctl_conn_reset(int conn_fd, struct secbuf_conn_plain_args *args);
int secbuf_ioctl_conn_shrink(int conn_fd, struct secbuf_conn_shrink_args *args);
int secbuf_ioctl_conn_zeroize(int conn_fd, struct secbuf_conn_plain_args *args);
int secbuf_ioctl_conn_stats(int conn_fd, struct secbuf_conn_stats_args *args);
int secbuf_ioctl_conn_touch(int conn_fd, struct secbuf_conn_plain_args *args);
int secbuf_ioctl_conn_enqueue(int conn_fd, struct secbuf_conn_queue_args *args);
int secbuf_ioctl_conn_dequeue(int conn_fd, struct secbuf_conn_queue_args *args);
int secbuf_ioctl_conn_send(int conn_fd, struct secbuf_conn_send_args *args);
int secbuf_ioctl_conn_stream_add(int conn_fd,
				 struct secbuf_conn_stream_args *args);
int secbuf_ioctl_conn_stream_del(int conn_fd,
				 struct secbuf_conn_stream_args *args);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_IOCTL_H */
