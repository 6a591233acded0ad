// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of the UAPI. What stands here was released and never changes: a
 * struct may only grow at its end, a command number is never given twice.
 *
 * The same asserts are compiled with -m32 (make abi32), without a C library.
 */
#ifndef ABI_ASSERTS_ONLY
#include "kselftest_harness.h"
#endif

#include <linux/secbuf.h>

/* <assert.h> is not there with -m32. */
#undef static_assert
#define static_assert _Static_assert

#define ABI_OFFSET(type, member, offset)				\
	static_assert(__builtin_offsetof(struct type, member) == (offset), \
		      #type "." #member)

#define ABI_VALUE(name, value)						\
	static_assert((name) == (value), #name)

ABI_VALUE(SECBUF_ABI_VERSION, 1);
ABI_VALUE(SECBUF_LIMIT_CEILING, 0xffffffffU);
ABI_VALUE(SECBUF_POOL_MAX_SLOTS_DEFAULT, 100);
ABI_VALUE(SECBUF_POOL_F_MAPPED, 1U << 0);
ABI_VALUE(SECBUF_POOL_F_PASSABLE, 1U << 1);
ABI_VALUE(SECBUF_POOL_F_GUARD, 1U << 2);
ABI_VALUE(SECBUF_POOL_FILES_MAX, 1024);
ABI_VALUE(SECBUF_POOL_MMAP_CONTROL, 1ULL << 40);
ABI_VALUE(SECBUF_POOL_ALLOC_F_WAIT, 1U << 0);
ABI_VALUE(SECBUF_POOL_FREE_F_ALL, 1U << 0);
ABI_VALUE(SECBUF_POOL_BUF_SIZE_MAX, 65536);

ABI_VALUE(SECBUF_FEAT_POOL_MAPPED, 1ULL << 0);
ABI_VALUE(SECBUF_FEAT_CONN, 1ULL << 1);
ABI_VALUE(SECBUF_FEAT_POOL, 1ULL << 2);
ABI_VALUE(SECBUF_FEAT_POOL_PASSABLE, 1ULL << 3);
ABI_VALUE(SECBUF_FEAT_POOL_GUARD, 1ULL << 4);
ABI_VALUE(SECBUF_FEAT_RING, 1ULL << 5);

ABI_VALUE(SECBUF_PROT_LOCKED, 1ULL << 0);
ABI_VALUE(SECBUF_PROT_UNDUMPABLE, 1ULL << 1);
ABI_VALUE(SECBUF_PROT_UNFORKABLE, 1ULL << 2);
ABI_VALUE(SECBUF_PROT_UNPINNABLE, 1ULL << 3);
ABI_VALUE(SECBUF_PROT_OWNER_DEATH, 1ULL << 4);

ABI_VALUE(SECBUF_CONN_BUFFER_READ, 0);
ABI_VALUE(SECBUF_CONN_BUFFER_WRITE, 1);
ABI_VALUE(SECBUF_CONN_BUFFER_NR, 2);

ABI_VALUE(SECBUF_POOL_MMAP_WORDS, 1ULL << 41);
ABI_VALUE(SECBUF_SLOT_GONE, 0U);
ABI_VALUE(SECBUF_SLOT_BUSY, 1U);
ABI_VALUE(SECBUF_SLOT_IDLE, 2U);
ABI_VALUE(SECBUF_SLOT_AGED, 3U);
ABI_VALUE(SECBUF_SLOT_STATE_MASK, 3U);
ABI_VALUE(SECBUF_CONN_F_KEEP, 1U << 0);
ABI_VALUE(SECBUF_CONN_MAX_PACKETS_DEFAULT, 100);
ABI_VALUE(SECBUF_CONN_MAX_PACKETS_CEILING, 65536);
ABI_VALUE(SECBUF_CONN_MAX_BYTES_DEFAULT, 10U << 20);
ABI_VALUE(SECBUF_CONN_MAX_BYTES_CEILING, 1U << 30);
ABI_VALUE(SECBUF_CONN_MAX_STREAMS_DEFAULT, 16);
ABI_VALUE(SECBUF_CONN_MAX_STREAMS_CEILING, 1024);
ABI_VALUE(SECBUF_CONN_IDLE_MS_DEFAULT, 60000);
ABI_VALUE(SECBUF_CONN_IDLE_MS_CEILING, 86400000);
ABI_VALUE(SECBUF_CONN_NEAR_FULL_DEFAULT, 80);
ABI_VALUE(SECBUF_CONN_WASTE_FACTOR_DEFAULT, 4);
ABI_VALUE(SECBUF_CONN_WASTE_MIN_DEFAULT, 8192);
ABI_VALUE(SECBUF_CONN_F_MOVE, 1U << 0);
ABI_VALUE(SECBUF_CONN_IDLE, 1U << 0);
ABI_VALUE(SECBUF_CONN_PROBLEMATIC, 1U << 1);
ABI_VALUE(SECBUF_CONN_NEAR_FULL, 1U << 2);
ABI_VALUE(SECBUF_CONN_SHRINK_WASTEFUL, 0);
ABI_VALUE(SECBUF_CONN_SHRINK_IDLE, 1);

ABI_VALUE(SECBUF_IOC_INFO, 0xbb00);
ABI_VALUE(SECBUF_IOC_POOL_CREATE, 0xbb01);
ABI_VALUE(SECBUF_CMD_RING_CREATE, 0x02);
ABI_VALUE(SECBUF_IOC_CONN_CREATE, 0xbb03);
ABI_VALUE(SECBUF_IOC_CONN_BUFFER, 0xbb18);
ABI_VALUE(SECBUF_IOC_CONN_RESET, 0xbb19);
ABI_VALUE(SECBUF_IOC_CONN_SHRINK, 0xbb1a);
ABI_VALUE(SECBUF_IOC_CONN_ZEROIZE, 0xbb1b);
ABI_VALUE(SECBUF_IOC_CONN_STATS, 0xbb1c);
ABI_VALUE(SECBUF_IOC_CONN_TOUCH, 0xbb1d);
ABI_VALUE(SECBUF_IOC_CONN_ENQUEUE, 0xbb1e);
ABI_VALUE(SECBUF_IOC_CONN_DEQUEUE, 0xbb1f);
ABI_VALUE(SECBUF_IOC_CONN_SEND, 0xbb20);
ABI_VALUE(SECBUF_IOC_CONN_STREAM_ADD, 0xbb21);
ABI_VALUE(SECBUF_IOC_CONN_STREAM_DEL, 0xbb22);
ABI_VALUE(SECBUF_IOC_POOL_ALLOC, 0xbb08);
ABI_VALUE(SECBUF_IOC_POOL_FREE, 0xbb09);
ABI_VALUE(SECBUF_IOC_POOL_SHRINK, 0xbb0a);
ABI_VALUE(SECBUF_IOC_POOL_STATS, 0xbb0b);
ABI_VALUE(SECBUF_IOC_POOL_READ, 0xbb0c);
ABI_VALUE(SECBUF_IOC_POOL_WRITE, 0xbb0d);
ABI_VALUE(SECBUF_IOC_POOL_ATTACH, 0xbb0e);
ABI_VALUE(SECBUF_IOC_POOL_INFO, 0xbb0f);

ABI_VALUE(SECBUF_INFO_ARGS_SIZE_VER0, 112);
ABI_VALUE(sizeof(struct secbuf_info_args), 112);
ABI_OFFSET(secbuf_info_args, size, 0);
ABI_OFFSET(secbuf_info_args, flags, 4);
ABI_OFFSET(secbuf_info_args, out_abi_version, 8);
ABI_OFFSET(secbuf_info_args, out_slots_max, 12);
ABI_OFFSET(secbuf_info_args, out_features, 16);
ABI_OFFSET(secbuf_info_args, out_protections, 24);
ABI_OFFSET(secbuf_info_args, out_slot_size_min, 32);
ABI_OFFSET(secbuf_info_args, out_slot_size_max, 40);
ABI_OFFSET(secbuf_info_args, out_pool_size_max, 48);
ABI_OFFSET(secbuf_info_args, out_batch_bytes_max, 56);
ABI_OFFSET(secbuf_info_args, out_batch_max, 64);
ABI_OFFSET(secbuf_info_args, out_nr_pools, 68);
ABI_OFFSET(secbuf_info_args, out_nr_conns, 72);
ABI_OFFSET(secbuf_info_args, out_nr_rings, 76);
ABI_OFFSET(secbuf_info_args, out_bytes_max, 80);
ABI_OFFSET(secbuf_info_args, out_user_bytes_max, 88);
ABI_OFFSET(secbuf_info_args, out_bytes, 96);
ABI_OFFSET(secbuf_info_args, out_user_bytes, 104);

ABI_VALUE(sizeof(struct secbuf_pool_control), 64);
ABI_OFFSET(secbuf_pool_control, pressure, 0);
ABI_OFFSET(secbuf_pool_control, __reserved, 4);

ABI_VALUE(SECBUF_POOL_CREATE_ARGS_SIZE_VER0, 72);
ABI_VALUE(sizeof(struct secbuf_pool_create_args), 72);
ABI_OFFSET(secbuf_pool_create_args, size, 0);
ABI_OFFSET(secbuf_pool_create_args, flags, 4);
ABI_OFFSET(secbuf_pool_create_args, slot_size, 8);
ABI_OFFSET(secbuf_pool_create_args, max_slots, 16);
ABI_OFFSET(secbuf_pool_create_args, min_slots, 20);
ABI_OFFSET(secbuf_pool_create_args, require, 24);
ABI_OFFSET(secbuf_pool_create_args, out_slot_size, 32);
ABI_OFFSET(secbuf_pool_create_args, out_stride, 40);
ABI_OFFSET(secbuf_pool_create_args, out_mmap_size, 48);
ABI_OFFSET(secbuf_pool_create_args, out_protections, 56);
ABI_OFFSET(secbuf_pool_create_args, out_max_slots, 64);
ABI_OFFSET(secbuf_pool_create_args, out_fd, 68);

ABI_VALUE(SECBUF_POOL_ATTACH_ARGS_SIZE_VER0, 16);
ABI_VALUE(sizeof(struct secbuf_pool_attach_args), 16);
ABI_OFFSET(secbuf_pool_attach_args, size, 0);
ABI_OFFSET(secbuf_pool_attach_args, flags, 4);
ABI_OFFSET(secbuf_pool_attach_args, out_fd, 8);
ABI_OFFSET(secbuf_pool_attach_args, __reserved, 12);

ABI_VALUE(SECBUF_POOL_INFO_ARGS_SIZE_VER0, 48);
ABI_VALUE(sizeof(struct secbuf_pool_info_args), 48);
ABI_OFFSET(secbuf_pool_info_args, size, 0);
ABI_OFFSET(secbuf_pool_info_args, flags, 4);
ABI_OFFSET(secbuf_pool_info_args, out_flags, 8);
ABI_OFFSET(secbuf_pool_info_args, out_max_slots, 12);
ABI_OFFSET(secbuf_pool_info_args, out_slot_size, 16);
ABI_OFFSET(secbuf_pool_info_args, out_stride, 24);
ABI_OFFSET(secbuf_pool_info_args, out_mmap_size, 32);
ABI_OFFSET(secbuf_pool_info_args, out_protections, 40);

ABI_VALUE(SECBUF_POOL_ALLOC_ARGS_SIZE_VER0, 24);
ABI_VALUE(sizeof(struct secbuf_pool_alloc_args), 24);
ABI_OFFSET(secbuf_pool_alloc_args, size, 0);
ABI_OFFSET(secbuf_pool_alloc_args, flags, 4);
ABI_OFFSET(secbuf_pool_alloc_args, ids_ptr, 8);
ABI_OFFSET(secbuf_pool_alloc_args, nr, 16);
ABI_OFFSET(secbuf_pool_alloc_args, out_done, 20);

ABI_VALUE(SECBUF_POOL_FREE_ARGS_SIZE_VER0, 24);
ABI_VALUE(sizeof(struct secbuf_pool_free_args), 24);
ABI_OFFSET(secbuf_pool_free_args, size, 0);
ABI_OFFSET(secbuf_pool_free_args, flags, 4);
ABI_OFFSET(secbuf_pool_free_args, ids_ptr, 8);
ABI_OFFSET(secbuf_pool_free_args, nr, 16);
ABI_OFFSET(secbuf_pool_free_args, out_done, 20);

ABI_VALUE(SECBUF_POOL_SHRINK_ARGS_SIZE_VER0, 16);
ABI_VALUE(sizeof(struct secbuf_pool_shrink_args), 16);
ABI_OFFSET(secbuf_pool_shrink_args, size, 0);
ABI_OFFSET(secbuf_pool_shrink_args, flags, 4);
ABI_OFFSET(secbuf_pool_shrink_args, nr, 8);
ABI_OFFSET(secbuf_pool_shrink_args, out_done, 12);

ABI_VALUE(SECBUF_POOL_STATS_ARGS_SIZE_VER0, 104);
ABI_VALUE(sizeof(struct secbuf_pool_stats_args), 104);
ABI_OFFSET(secbuf_pool_stats_args, size, 0);
ABI_OFFSET(secbuf_pool_stats_args, flags, 4);
ABI_OFFSET(secbuf_pool_stats_args, out_max_slots, 8);
ABI_OFFSET(secbuf_pool_stats_args, out_min_slots, 12);
ABI_OFFSET(secbuf_pool_stats_args, out_in_use, 16);
ABI_OFFSET(secbuf_pool_stats_args, out_peak, 20);
ABI_OFFSET(secbuf_pool_stats_args, out_allocated, 24);
ABI_OFFSET(secbuf_pool_stats_args, out_available, 28);
ABI_OFFSET(secbuf_pool_stats_args, out_acquired, 32);
ABI_OFFSET(secbuf_pool_stats_args, out_returned, 40);
ABI_OFFSET(secbuf_pool_stats_args, out_failures, 48);
ABI_OFFSET(secbuf_pool_stats_args, out_magazine_hits, 56);
ABI_OFFSET(secbuf_pool_stats_args, out_depot_hits, 64);
ABI_OFFSET(secbuf_pool_stats_args, out_misses, 72);
ABI_OFFSET(secbuf_pool_stats_args, out_leaks, 80);
ABI_OFFSET(secbuf_pool_stats_args, out_bytes, 88);
ABI_OFFSET(secbuf_pool_stats_args, out_bytes_zeroized, 96);

ABI_VALUE(sizeof(struct secbuf_pool_vec), 24);
ABI_OFFSET(secbuf_pool_vec, id, 0);
ABI_OFFSET(secbuf_pool_vec, offset, 8);
ABI_OFFSET(secbuf_pool_vec, len, 12);
ABI_OFFSET(secbuf_pool_vec, buf_ptr, 16);

ABI_VALUE(SECBUF_POOL_COPY_ARGS_SIZE_VER0, 24);
ABI_VALUE(sizeof(struct secbuf_pool_copy_args), 24);
ABI_OFFSET(secbuf_pool_copy_args, size, 0);
ABI_OFFSET(secbuf_pool_copy_args, flags, 4);
ABI_OFFSET(secbuf_pool_copy_args, vecs_ptr, 8);
ABI_OFFSET(secbuf_pool_copy_args, nr, 16);
ABI_OFFSET(secbuf_pool_copy_args, out_done, 20);

ABI_VALUE(sizeof(struct secbuf_conn_create_args), 48);
ABI_VALUE(SECBUF_CONN_CREATE_ARGS_SIZE_VER0, 16);
ABI_OFFSET(secbuf_conn_create_args, size, 0);
ABI_OFFSET(secbuf_conn_create_args, flags, 4);
ABI_OFFSET(secbuf_conn_create_args, pool_fd, 8);
ABI_OFFSET(secbuf_conn_create_args, out_fd, 12);
ABI_OFFSET(secbuf_conn_create_args, max_packets, 16);
ABI_OFFSET(secbuf_conn_create_args, max_bytes, 20);
ABI_OFFSET(secbuf_conn_create_args, max_streams, 24);
ABI_OFFSET(secbuf_conn_create_args, idle_ms, 28);
ABI_OFFSET(secbuf_conn_create_args, near_full, 32);
ABI_OFFSET(secbuf_conn_create_args, waste_factor, 36);
ABI_OFFSET(secbuf_conn_create_args, waste_min, 40);
ABI_OFFSET(secbuf_conn_create_args, __reserved, 44);

ABI_VALUE(sizeof(struct secbuf_conn_buffer_args), 32);
ABI_VALUE(SECBUF_CONN_BUFFER_ARGS_SIZE_VER0, 32);
ABI_OFFSET(secbuf_conn_buffer_args, size, 0);
ABI_OFFSET(secbuf_conn_buffer_args, flags, 4);
ABI_OFFSET(secbuf_conn_buffer_args, which, 8);
ABI_OFFSET(secbuf_conn_buffer_args, out_word, 12);
ABI_OFFSET(secbuf_conn_buffer_args, out_id, 16);
ABI_OFFSET(secbuf_conn_buffer_args, out_slot_size, 24);

ABI_VALUE(sizeof(struct secbuf_conn_plain_args), 8);
ABI_VALUE(SECBUF_CONN_PLAIN_ARGS_SIZE_VER0, 8);
ABI_OFFSET(secbuf_conn_plain_args, size, 0);
ABI_OFFSET(secbuf_conn_plain_args, flags, 4);

ABI_VALUE(sizeof(struct secbuf_conn_shrink_args), 24);
ABI_VALUE(SECBUF_CONN_SHRINK_ARGS_SIZE_VER0, 24);
ABI_OFFSET(secbuf_conn_shrink_args, size, 0);
ABI_OFFSET(secbuf_conn_shrink_args, flags, 4);
ABI_OFFSET(secbuf_conn_shrink_args, level, 8);
ABI_OFFSET(secbuf_conn_shrink_args, __reserved, 12);
ABI_OFFSET(secbuf_conn_shrink_args, out_bytes, 16);

ABI_VALUE(sizeof(struct secbuf_conn_packet), 16);
ABI_OFFSET(secbuf_conn_packet, ptr, 0);
ABI_OFFSET(secbuf_conn_packet, len, 8);
ABI_OFFSET(secbuf_conn_packet, __reserved, 12);

ABI_VALUE(sizeof(struct secbuf_conn_queue_args), 40);
ABI_VALUE(SECBUF_CONN_QUEUE_ARGS_SIZE_VER0, 40);
ABI_OFFSET(secbuf_conn_queue_args, size, 0);
ABI_OFFSET(secbuf_conn_queue_args, flags, 4);
ABI_OFFSET(secbuf_conn_queue_args, packets_ptr, 8);
ABI_OFFSET(secbuf_conn_queue_args, nr, 16);
ABI_OFFSET(secbuf_conn_queue_args, out_done, 20);
ABI_OFFSET(secbuf_conn_queue_args, packet, 24);

ABI_VALUE(sizeof(struct secbuf_conn_send_args), 32);
ABI_VALUE(SECBUF_CONN_SEND_ARGS_SIZE_VER0, 32);
ABI_OFFSET(secbuf_conn_send_args, size, 0);
ABI_OFFSET(secbuf_conn_send_args, flags, 4);
ABI_OFFSET(secbuf_conn_send_args, sock_fd, 8);
ABI_OFFSET(secbuf_conn_send_args, max_packets, 12);
ABI_OFFSET(secbuf_conn_send_args, out_packets, 16);
ABI_OFFSET(secbuf_conn_send_args, __reserved, 20);
ABI_OFFSET(secbuf_conn_send_args, out_bytes, 24);

ABI_VALUE(sizeof(struct secbuf_conn_stream_args), 16);
ABI_VALUE(SECBUF_CONN_STREAM_ARGS_SIZE_VER0, 16);
ABI_OFFSET(secbuf_conn_stream_args, size, 0);
ABI_OFFSET(secbuf_conn_stream_args, flags, 4);
ABI_OFFSET(secbuf_conn_stream_args, ring_fd, 8);
ABI_OFFSET(secbuf_conn_stream_args, __reserved, 12);

ABI_VALUE(sizeof(struct secbuf_conn_usage), 16);
ABI_OFFSET(secbuf_conn_usage, allocated, 0);
ABI_OFFSET(secbuf_conn_usage, used, 8);

ABI_VALUE(sizeof(struct secbuf_conn_stats_args), 168);
ABI_VALUE(SECBUF_CONN_STATS_ARGS_SIZE_VER0, 168);
ABI_OFFSET(secbuf_conn_stats_args, size, 0);
ABI_OFFSET(secbuf_conn_stats_args, flags, 4);
ABI_OFFSET(secbuf_conn_stats_args, out_read, 8);
ABI_OFFSET(secbuf_conn_stats_args, out_write, 24);
ABI_OFFSET(secbuf_conn_stats_args, out_streams, 40);
ABI_OFFSET(secbuf_conn_stats_args, out_queue, 56);
ABI_OFFSET(secbuf_conn_stats_args, out_total, 72);
ABI_OFFSET(secbuf_conn_stats_args, out_idle_ns, 88);
ABI_OFFSET(secbuf_conn_stats_args, out_efficiency, 96);
ABI_OFFSET(secbuf_conn_stats_args, out_status, 100);
ABI_OFFSET(secbuf_conn_stats_args, out_nr_packets, 104);
ABI_OFFSET(secbuf_conn_stats_args, out_peak_packets, 108);
ABI_OFFSET(secbuf_conn_stats_args, out_max_packets, 112);
ABI_OFFSET(secbuf_conn_stats_args, out_max_bytes, 116);
ABI_OFFSET(secbuf_conn_stats_args, out_nr_streams, 120);
ABI_OFFSET(secbuf_conn_stats_args, out_max_streams, 124);
ABI_OFFSET(secbuf_conn_stats_args, out_enqueued, 128);
ABI_OFFSET(secbuf_conn_stats_args, out_dequeued, 136);
ABI_OFFSET(secbuf_conn_stats_args, out_refused, 144);
ABI_OFFSET(secbuf_conn_stats_args, out_granted, 152);
ABI_OFFSET(secbuf_conn_stats_args, out_reclaimed, 160);

ABI_VALUE(sizeof(struct secbuf_slot_word), 8);
ABI_OFFSET(secbuf_slot_word, state, 0);
ABI_OFFSET(secbuf_slot_word, used, 4);

ABI_VALUE(sizeof(struct secbuf_ring_create_args), 40);
ABI_OFFSET(secbuf_ring_create_args, size, 0);
ABI_OFFSET(secbuf_ring_create_args, flags, 4);
ABI_OFFSET(secbuf_ring_create_args, ring_size, 8);
ABI_OFFSET(secbuf_ring_create_args, require, 16);
ABI_OFFSET(secbuf_ring_create_args, out_protections, 24);
ABI_OFFSET(secbuf_ring_create_args, out_producer_fd, 32);
ABI_OFFSET(secbuf_ring_create_args, out_consumer_fd, 36);

ABI_VALUE(SECBUF_RING_NOTIFY_ARGS_SIZE_VER0, 32);
ABI_VALUE(sizeof(struct secbuf_ring_notify_args), 32);
ABI_OFFSET(secbuf_ring_notify_args, size, 0);
ABI_OFFSET(secbuf_ring_notify_args, flags, 4);
ABI_OFFSET(secbuf_ring_notify_args, min, 8);
ABI_OFFSET(secbuf_ring_notify_args, timeout_ns, 16);
ABI_OFFSET(secbuf_ring_notify_args, out_amount, 24);

ABI_VALUE(SECBUF_RING_PLAIN_ARGS_SIZE_VER0, 8);
ABI_VALUE(sizeof(struct secbuf_ring_plain_args), 8);
ABI_OFFSET(secbuf_ring_plain_args, size, 0);
ABI_OFFSET(secbuf_ring_plain_args, flags, 4);

ABI_VALUE(SECBUF_RING_SHRINK_ARGS_SIZE_VER0, 16);
ABI_VALUE(sizeof(struct secbuf_ring_shrink_args), 16);
ABI_OFFSET(secbuf_ring_shrink_args, size, 0);
ABI_OFFSET(secbuf_ring_shrink_args, flags, 4);
ABI_OFFSET(secbuf_ring_shrink_args, out_bytes, 8);

ABI_VALUE(SECBUF_RING_INFO_ARGS_SIZE_VER0, 32);
ABI_VALUE(sizeof(struct secbuf_ring_info_args), 32);
ABI_OFFSET(secbuf_ring_info_args, size, 0);
ABI_OFFSET(secbuf_ring_info_args, flags, 4);
ABI_OFFSET(secbuf_ring_info_args, out_ring_size, 8);
ABI_OFFSET(secbuf_ring_info_args, out_protections, 16);
ABI_OFFSET(secbuf_ring_info_args, out_flags, 24);
ABI_OFFSET(secbuf_ring_info_args, out_end, 28);

ABI_VALUE(SECBUF_RING_STATS_ARGS_SIZE_VER0, 104);
ABI_VALUE(sizeof(struct secbuf_ring_stats_args), 104);
ABI_OFFSET(secbuf_ring_stats_args, size, 0);
ABI_OFFSET(secbuf_ring_stats_args, flags, 4);
ABI_OFFSET(secbuf_ring_stats_args, out_status, 8);
ABI_OFFSET(secbuf_ring_stats_args, out_state, 12);
ABI_OFFSET(secbuf_ring_stats_args, out_produced, 16);
ABI_OFFSET(secbuf_ring_stats_args, out_consumed, 24);
ABI_OFFSET(secbuf_ring_stats_args, out_bytes, 32);
ABI_OFFSET(secbuf_ring_stats_args, out_peak_bytes, 40);
ABI_OFFSET(secbuf_ring_stats_args, out_bytes_zeroized, 48);
ABI_OFFSET(secbuf_ring_stats_args, out_notifies, 56);
ABI_OFFSET(secbuf_ring_stats_args, out_sleeps, 64);
ABI_OFFSET(secbuf_ring_stats_args, out_wakes, 72);
ABI_OFFSET(secbuf_ring_stats_args, out_faults, 80);
ABI_OFFSET(secbuf_ring_stats_args, out_shrinks, 88);
ABI_OFFSET(secbuf_ring_stats_args, out_idle_ns, 96);

ABI_VALUE(sizeof(struct secbuf_ring_head), 256);
ABI_OFFSET(secbuf_ring_head, head, 0);
ABI_OFFSET(secbuf_ring_head, need_wake, 128);
ABI_OFFSET(secbuf_ring_head, state, 132);
ABI_OFFSET(secbuf_ring_head, wake_pos, 136);

ABI_VALUE(sizeof(struct secbuf_ring_tail), 256);
ABI_OFFSET(secbuf_ring_tail, tail, 0);
ABI_OFFSET(secbuf_ring_tail, need_wake, 128);
ABI_OFFSET(secbuf_ring_tail, __reserved, 132);
ABI_OFFSET(secbuf_ring_tail, wake_pos, 136);

ABI_VALUE(sizeof(struct secbuf_ring_status), 64);
ABI_OFFSET(secbuf_ring_status, flags, 0);
ABI_OFFSET(secbuf_ring_status, __reserved, 4);

#ifndef ABI_ASSERTS_ONLY
/*
 * The commands carry no size and no direction, so that a number stays the same
 * when its struct grows.
 */
TEST(commands_carry_no_size)
{
	static const unsigned int commands[] = {
		SECBUF_IOC_INFO, SECBUF_IOC_POOL_CREATE,
		SECBUF_IOC_CONN_CREATE, SECBUF_IOC_POOL_ALLOC,
		SECBUF_IOC_POOL_FREE, SECBUF_IOC_POOL_SHRINK,
		SECBUF_IOC_POOL_STATS, SECBUF_IOC_POOL_READ,
		SECBUF_IOC_POOL_WRITE, SECBUF_IOC_POOL_ATTACH,
		SECBUF_IOC_POOL_INFO,
		SECBUF_IOC_RING_CREATE, SECBUF_IOC_RING_NOTIFY,
		SECBUF_IOC_RING_RESET, SECBUF_IOC_RING_SHRINK,
		SECBUF_IOC_RING_STATS, SECBUF_IOC_RING_CLAIM,
		SECBUF_IOC_RING_CLOSE, SECBUF_IOC_RING_INFO,
		SECBUF_IOC_RING_UNPARK,
		SECBUF_IOC_CONN_BUFFER, SECBUF_IOC_CONN_ZEROIZE,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++) {
		EXPECT_EQ(_IOC_NONE, _IOC_DIR(commands[i]));
		EXPECT_EQ(0, _IOC_SIZE(commands[i]));
		EXPECT_EQ(SECBUF_IOC_TYPE, _IOC_TYPE(commands[i]));
		for (unsigned int j = 0; j < i; j++)
			EXPECT_NE(commands[i], commands[j]);
	}
}

TEST_HARNESS_MAIN
#endif /* ABI_ASSERTS_ONLY */
