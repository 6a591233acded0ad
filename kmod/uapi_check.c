// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of the UAPI structs, pinned. No code.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>

#include <uapi/linux/secbuf.h>

#define CHECK_SIZE(_struct, _size) \
	static_assert(sizeof(struct _struct) == (_size))
#define CHECK_LAST(_struct, _member, _size) \
	static_assert(offsetofend(struct _struct, _member) == (_size))

CHECK_SIZE(secbuf_info_args, 112);
CHECK_LAST(secbuf_info_args, out_user_bytes, SECBUF_INFO_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_control, 64);
CHECK_SIZE(secbuf_pool_create_args, 72);
CHECK_LAST(secbuf_pool_create_args, out_fd, SECBUF_POOL_CREATE_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_attach_args, 16);
CHECK_LAST(secbuf_pool_attach_args, __reserved,
	   SECBUF_POOL_ATTACH_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_info_args, 48);
CHECK_LAST(secbuf_pool_info_args, out_protections,
	   SECBUF_POOL_INFO_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_alloc_args, 24);
CHECK_LAST(secbuf_pool_alloc_args, out_done, SECBUF_POOL_ALLOC_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_free_args, 24);
CHECK_LAST(secbuf_pool_free_args, out_done, SECBUF_POOL_FREE_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_shrink_args, 16);
CHECK_LAST(secbuf_pool_shrink_args, out_done,
	   SECBUF_POOL_SHRINK_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_stats_args, 104);
CHECK_LAST(secbuf_pool_stats_args, out_bytes_zeroized,
	   SECBUF_POOL_STATS_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_pool_vec, 24);
CHECK_SIZE(secbuf_pool_copy_args, 24);
CHECK_LAST(secbuf_pool_copy_args, out_done, SECBUF_POOL_COPY_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_slot_word, 8);
CHECK_SIZE(secbuf_conn_create_args, 48);
CHECK_LAST(secbuf_conn_create_args, out_fd, SECBUF_CONN_CREATE_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_buffer_args, 32);
CHECK_LAST(secbuf_conn_buffer_args, out_slot_size,
	   SECBUF_CONN_BUFFER_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_plain_args, 8);
CHECK_LAST(secbuf_conn_plain_args, flags, SECBUF_CONN_PLAIN_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_shrink_args, 24);
CHECK_LAST(secbuf_conn_shrink_args, out_bytes,
	   SECBUF_CONN_SHRINK_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_packet, 16);
CHECK_SIZE(secbuf_conn_queue_args, 40);
CHECK_LAST(secbuf_conn_queue_args, packet, SECBUF_CONN_QUEUE_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_send_args, 32);
CHECK_LAST(secbuf_conn_send_args, out_bytes, SECBUF_CONN_SEND_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_stream_args, 16);
CHECK_LAST(secbuf_conn_stream_args, __reserved,
	   SECBUF_CONN_STREAM_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_conn_usage, 16);
CHECK_SIZE(secbuf_conn_stats_args, 168);
CHECK_LAST(secbuf_conn_stats_args, out_reclaimed,
	   SECBUF_CONN_STATS_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_create_args, 40);
CHECK_LAST(secbuf_ring_create_args, out_consumer_fd,
	   SECBUF_RING_CREATE_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_notify_args, 32);
CHECK_LAST(secbuf_ring_notify_args, out_amount,
	   SECBUF_RING_NOTIFY_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_plain_args, 8);
CHECK_LAST(secbuf_ring_plain_args, flags, SECBUF_RING_PLAIN_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_shrink_args, 16);
CHECK_LAST(secbuf_ring_shrink_args, out_bytes,
	   SECBUF_RING_SHRINK_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_info_args, 32);
CHECK_LAST(secbuf_ring_info_args, out_end, SECBUF_RING_INFO_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_stats_args, 104);
CHECK_LAST(secbuf_ring_stats_args, out_idle_ns,
	   SECBUF_RING_STATS_ARGS_SIZE_VER0);
CHECK_SIZE(secbuf_ring_head, 256);
CHECK_SIZE(secbuf_ring_tail, 256);
CHECK_SIZE(secbuf_ring_status, 64);
