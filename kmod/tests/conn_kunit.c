// SPDX-License-Identifier: GPL-2.0
/*
 * Conns of kernel modules: their buffers and packets, limits, the ends of a
 * connection, and what is taken back when it is idle or memory is short.
 */
#include "conn_kernel.h"

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "buf.h"
#include "conn_sb.h"
#include "fixture.h"
#include "pool.h"
#include "reclaim.h"
#include "ring.h"
#include "ring_park.h"

#define SIZE	4096

static void destroy(void *kconn)
{
	secbuf_kconn_destroy(kconn);
}

static struct secbuf_kconn *conn_with(struct kunit *test,
				      const struct secbuf_kconn_params *params)
{
	struct secbuf_kconn *kconn = secbuf_kconn_create(params);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kconn);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, destroy, kconn));
	return kconn;
}

static struct secbuf_kconn *conn_new(struct kunit *test,
				     struct secbuf_pool *pool)
{
	const struct secbuf_kconn_params params = { .pool = pool };

	return conn_with(test, &params);
}

static struct secbuf_kconn_stats stats_of(struct secbuf_kconn *kconn)
{
	struct secbuf_kconn_stats stats;

	secbuf_kconn_get_stats(kconn, &stats);
	return stats;
}

/* Uses a buffer, and leaves so many bytes in it. */
static void use_buffer(struct kunit *test, struct secbuf_kconn *kconn,
		       enum secbuf_kconn_buffer which, size_t len, size_t used)
{
	struct secbuf *sb = secbuf_kconn_get(kconn, which);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	memset(secbuf_window(sb, 0, len), 0x5a, len);
	secbuf_kconn_put(kconn, which, sb, used);
}

static struct secbuf *packet_new(struct kunit *test, struct secbuf_pool *pool,
				 u8 byte, u32 len)
{
	struct secbuf *sb = secbuf_pool_alloc(pool, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sb);
	memset(secbuf_window(sb, 0, len), byte, len);
	return sb;
}

static void defaults_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf_kconn_stats s = stats_of(kconn);
	struct secbuf_conn *conn = &kconn->conn;

	KUNIT_EXPECT_EQ(test, conn->queue.max_packets, 100);
	KUNIT_EXPECT_EQ(test, conn->queue.max_bytes, 10 * SZ_1M);
	KUNIT_EXPECT_EQ(test, conn->queue.near_full, 80);
	KUNIT_EXPECT_EQ(test, conn->idle.timeout_ms, 60000);
	KUNIT_EXPECT_EQ(test, conn->waste_factor, 4);
	KUNIT_EXPECT_EQ(test, conn->waste_min, 8192);
	KUNIT_EXPECT_EQ(test, s.total.allocated, 0);
	KUNIT_EXPECT_EQ(test, s.efficiency, 1000);
	KUNIT_EXPECT_FALSE(test, s.is_problematic);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).acquired, 0);
}

static void limits_test(struct kunit *test)
{
	const struct secbuf_kconn_params params = {
		.pool = fixture_pool(test, SIZE, 0, 10),
		.max_packets = SECBUF_KCONN_CEILING,
		.max_bytes = SECBUF_KCONN_CEILING,
		.max_streams = SECBUF_KCONN_CEILING,
		.idle_ms = SECBUF_KCONN_CEILING,
		.near_full = SECBUF_KCONN_CEILING,
	};
	struct secbuf_conn *conn = &conn_with(test, &params)->conn;

	KUNIT_EXPECT_EQ(test, conn->queue.max_packets, 65536);
	KUNIT_EXPECT_EQ(test, conn->queue.max_bytes, SZ_1G);
	KUNIT_EXPECT_EQ(test, conn->queue.near_full, 100);
	KUNIT_EXPECT_EQ(test, conn->max_streams, 1024);
	KUNIT_EXPECT_EQ(test, conn->idle.timeout_ms, 86400000);
}

/* What one user leaves, the next one finds, unless he says that he need not. */
static void buffer_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 2);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf *sb, *other;
	struct secbuf_kconn_stats s;

	use_buffer(test, kconn, SECBUF_KCONN_READ, 1000, 500);
	s = stats_of(kconn);
	KUNIT_EXPECT_EQ(test, s.read.allocated, SIZE);
	KUNIT_EXPECT_EQ(test, s.read.used, 500);
	KUNIT_EXPECT_EQ(test, s.write.allocated, 0);
	KUNIT_EXPECT_EQ(test, s.idle_ns, 0);
	KUNIT_EXPECT_EQ(test, s.granted, 1);
	/* That is live data. */
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, false), 0);

	sb = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
	other = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
	KUNIT_EXPECT_PTR_EQ(test, sb, other);
	KUNIT_EXPECT_EQ(test, *(u8 *)secbuf_window(sb, 999, 1), 0x5a);
	secbuf_kconn_put(kconn, SECBUF_KCONN_READ, sb, 0);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).read.used, 1000);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, false), 0);
	secbuf_kconn_put(kconn, SECBUF_KCONN_READ, other, 0);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).read.used, 0);

	use_buffer(test, kconn, SECBUF_KCONN_WRITE, 1, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 2);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, true), 0);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, false), 2 * SIZE);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).reclaimed, 0);
	sb = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
	KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
	secbuf_kconn_put(kconn, SECBUF_KCONN_READ, sb, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(secbuf_kconn_get(kconn, 2)));
}

static void buffer_limit_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 1);
	struct secbuf_kconn *kconn = conn_new(test, pool);

	use_buffer(test, kconn, SECBUF_KCONN_READ, 1, 0);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			PTR_ERR_OR_ZERO(secbuf_kconn_get(kconn,
							 SECBUF_KCONN_WRITE)));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			secbuf_kconn_enqueue_copy(kconn, "x", 1));
	KUNIT_EXPECT_EQ(test, stats_of(kconn).granted, 1);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_packets, 0);
}

/* More than four times as large as what is used, and than 8192. */
static void wasteful_test(struct kunit *test)
{
	struct secbuf_pool *small = fixture_pool(test, 8192, 0, 2);
	struct secbuf_pool *large = fixture_pool(test, 8193, 0, 2);
	struct secbuf_kconn *a = conn_new(test, small);
	struct secbuf_kconn *b = conn_new(test, large);

	use_buffer(test, a, SECBUF_KCONN_READ, 1, 0);
	use_buffer(test, b, SECBUF_KCONN_READ, 1, 0);
	use_buffer(test, b, SECBUF_KCONN_WRITE, 1, 1);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(a, true), 0);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(b, true), 8193);
	KUNIT_EXPECT_EQ(test, stats_of(b).write.allocated, 8193);
}

/* What was left in it is no reason to keep it when the connection has ended. */
static void wasteful_reset_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SECBUF_SIZE_MAX, 0, 2);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf *sb;

	use_buffer(test, kconn, SECBUF_KCONN_READ, 10, 10);
	sb = secbuf_kconn_get(kconn, SECBUF_KCONN_WRITE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_reset(kconn));
	KUNIT_EXPECT_EQ(test, stats_of(kconn).read.allocated, 0);
	/* Somebody uses it. */
	KUNIT_EXPECT_EQ(test, stats_of(kconn).write.allocated, SECBUF_SIZE_MAX);
	secbuf_kconn_put(kconn, SECBUF_KCONN_WRITE, sb, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 1);
}

/* Less than half is used, or idle and more than 1 MiB is wasted. */
static void problematic_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 400);
	struct secbuf_kconn_params params = {
		.pool = pool,
		.max_packets = 400,
		.idle_ms = 50,
		.keep = true,
	};
	struct secbuf_kconn *kconn = conn_with(test, &params);
	struct secbuf_kconn_stats s;
	int i;

	use_buffer(test, kconn, SECBUF_KCONN_READ, SIZE, SIZE / 2 - 1);
	s = stats_of(kconn);
	KUNIT_EXPECT_TRUE(test, s.is_problematic);
	KUNIT_EXPECT_EQ(test, s.efficiency, 499);
	use_buffer(test, kconn, SECBUF_KCONN_READ, SIZE, SIZE / 2);
	s = stats_of(kconn);
	KUNIT_EXPECT_FALSE(test, s.is_problematic);
	KUNIT_EXPECT_EQ(test, s.efficiency, 500);
	use_buffer(test, kconn, SECBUF_KCONN_READ, SIZE, 0);
	secbuf_kconn_shrink(kconn, false);

	/* A quarter of each packet is wasted, but not so much of all. */
	for (i = 0; i < 400; i++)
		KUNIT_ASSERT_EQ(test, 0,
				secbuf_kconn_enqueue(kconn,
						     packet_new(test, pool, 1,
								1),
						     3 * SIZE / 4));
	s = stats_of(kconn);
	KUNIT_EXPECT_LT(test, s.total.allocated - s.total.used, SZ_1M);
	KUNIT_EXPECT_GT(test, s.efficiency, 500);
	msleep(200);
	s = stats_of(kconn);
	KUNIT_EXPECT_TRUE(test, s.is_idle);
	KUNIT_EXPECT_TRUE(test, secbuf_kconn_is_idle(kconn));
	KUNIT_EXPECT_GE(test, secbuf_kconn_idle_ns(kconn), 100 * NSEC_PER_MSEC);
	KUNIT_EXPECT_FALSE(test, s.is_problematic);
}

/* Where the machine stood still just now it is idle again: a few times. */
static bool touch_ends_problem(struct secbuf_kconn *kconn)
{
	int i;

	for (i = 0; i < 100; i++) {
		secbuf_kconn_touch(kconn);
		if (!stats_of(kconn).is_problematic)
			return true;
		msleep(20);
	}
	return false;
}

static void idle_waste_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SECBUF_SIZE_MAX, 0, 40);
	struct secbuf_kconn_params params = { .pool = pool, .idle_ms = 500 };
	struct secbuf_kconn *kconn = conn_with(test, &params);
	int i;

	for (i = 0; i < 40; i++)
		KUNIT_ASSERT_EQ(test, 0,
				secbuf_kconn_enqueue(kconn,
						     packet_new(test, pool, 1,
								1),
						     SZ_32K + 100));
	KUNIT_EXPECT_TRUE(test, touch_ends_problem(kconn));
	msleep(600);
	KUNIT_EXPECT_TRUE(test, stats_of(kconn).is_problematic);
	KUNIT_EXPECT_TRUE(test, touch_ends_problem(kconn));
}

/* The buffer itself changes hands, and the reference with it. */
static void move_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	struct secbuf_pool *other = fixture_pool(test, 64, 0, 1);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf_kconn_packet packet;
	struct secbuf *a, *b;

	a = packet_new(test, pool, 1, 100);
	b = packet_new(test, other, 2, 64);
	KUNIT_EXPECT_EQ(test, -EINVAL, secbuf_kconn_enqueue(kconn, a, 0));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			secbuf_kconn_enqueue(kconn, a, SIZE + 1));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, secbuf_kconn_enqueue(kconn, b, 65));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue(kconn, a, 100));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue(kconn, b, 64));
	KUNIT_ASSERT_EQ(test, 0, secbuf_kconn_dequeue(kconn, &packet));
	KUNIT_EXPECT_PTR_EQ(test, packet.sb, a);
	KUNIT_EXPECT_EQ(test, packet.len, 100);
	KUNIT_EXPECT_EQ(test, *(u8 *)secbuf_window(a, 99, 1), 1);
	secbuf_put(packet.sb);
	KUNIT_ASSERT_EQ(test, 0, secbuf_kconn_dequeue(kconn, &packet));
	KUNIT_EXPECT_PTR_EQ(test, packet.sb, b);
	secbuf_put(packet.sb);
	KUNIT_EXPECT_EQ(test, -EAGAIN, secbuf_kconn_dequeue(kconn, &packet));
}

/* What the next user of a buffer writes must not be in a packet. */
static void own_buffer_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf_kconn *other = conn_new(test, pool);
	enum secbuf_kconn_buffer which;
	struct secbuf *sb;

	for (which = SECBUF_KCONN_READ; which <= SECBUF_KCONN_WRITE; which++) {
		sb = secbuf_kconn_get(kconn, which);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
		memset(secbuf_window(sb, 0, 5), 7, 5);
		KUNIT_EXPECT_EQ(test, -EBUSY,
				secbuf_kconn_enqueue(kconn, sb, 5));
		KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_packets, 0);
		KUNIT_EXPECT_EQ(test, *(u8 *)secbuf_window(sb, 4, 1), 7);
		secbuf_kconn_put(kconn, which, sb, 0);
	}
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, false), 2 * SIZE);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);

	/* What was a buffer until the connection ended is the user's alone. */
	sb = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sb);
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_zeroize(kconn));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue(other, sb, 5));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_zeroize(other));
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
}

static void copy_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	u8 *bytes = kunit_kzalloc(test, SIZE + 1, GFP_KERNEL);
	u8 *out = kunit_kzalloc(test, SIZE + 1, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_TRUE(test, bytes && out);
	for (i = 0; i <= SIZE; i++)
		bytes[i] = i * 7 + i / 256;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			secbuf_kconn_enqueue_copy(kconn, bytes, 0));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			secbuf_kconn_enqueue_copy(kconn, bytes, SIZE + 1));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(kconn, bytes, SIZE));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			secbuf_kconn_dequeue_copy(kconn, out, SIZE - 1));
	KUNIT_EXPECT_NULL(test, memchr_inv(out, 0, SIZE));
	KUNIT_EXPECT_EQ(test, SIZE,
			secbuf_kconn_dequeue_copy(kconn, out, SIZE + 1));
	KUNIT_EXPECT_EQ(test, memcmp(bytes, out, SIZE), 0);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			secbuf_kconn_dequeue_copy(kconn, out, SIZE));
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).bytes_zeroized, SIZE);
}

/* Two errors, and what is refused stays with the caller. */
static void refused_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	const struct secbuf_kconn_params params = {
		.pool = pool,
		.max_packets = 3,
		.max_bytes = 1000,
	};
	struct secbuf_kconn *kconn = conn_with(test, &params);
	struct secbuf *sb = packet_new(test, pool, 3, 1000);

	KUNIT_EXPECT_EQ(test, -EMSGSIZE, secbuf_kconn_enqueue(kconn, sb, 1001));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(kconn, "ab", 2));
	KUNIT_EXPECT_FALSE(test, secbuf_kconn_is_near_full(kconn));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_kconn_enqueue(kconn, sb, 999));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(kconn, "c", 1));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(kconn, "d", 1));
	KUNIT_EXPECT_TRUE(test, secbuf_kconn_is_near_full(kconn));
	KUNIT_EXPECT_EQ(test, -ENOBUFS, secbuf_kconn_enqueue(kconn, sb, 1));
	KUNIT_EXPECT_EQ(test, *(u8 *)secbuf_window(sb, 999, 1), 3);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).refused, 3);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_packets, 3);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).queue.used, 4);
	KUNIT_EXPECT_EQ(test, stats_of(kconn).queue.allocated, 3 * SIZE);
	secbuf_put(sb);
}

static void bulk_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	const struct secbuf_kconn_params params = {
		.pool = pool,
		.max_packets = 4,
	};
	struct secbuf_kconn *kconn = conn_with(test, &params);
	struct secbuf_kconn_packet in[6], out[6];
	int i;

	for (i = 0; i < 6; i++) {
		in[i].sb = packet_new(test, pool, i, 10);
		in[i].len = i + 1;
	}
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_bulk(kconn, in, 0));
	KUNIT_EXPECT_EQ(test, 4, secbuf_kconn_enqueue_bulk(kconn, in, 6));
	KUNIT_EXPECT_EQ(test, -ENOBUFS,
			secbuf_kconn_enqueue_bulk(kconn, in + 4, 2));
	KUNIT_EXPECT_EQ(test, 3, secbuf_kconn_dequeue_bulk(kconn, out, 3));
	KUNIT_EXPECT_EQ(test, 1, secbuf_kconn_dequeue_bulk(kconn, out + 3, 3));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_dequeue_bulk(kconn, out, 3));
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_PTR_EQ(test, out[i].sb, in[i].sb);
		KUNIT_EXPECT_EQ(test, out[i].len, i + 1);
	}
	for (i = 0; i < 6; i++)
		secbuf_put(in[i].sb);
}

/* A second reference sees zeros when the connection ends. */
static void end_test(struct kunit *test, bool reset)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf *sb, *packet;
	int round;

	/* It works each time, and not only once. */
	for (round = 0; round < 3; round++) {
		sb = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
		memset(secbuf_window(sb, 0, SIZE), 4, SIZE);
		packet = secbuf_get(packet_new(test, pool, 5, SIZE));
		KUNIT_EXPECT_EQ(test, 0,
				secbuf_kconn_enqueue(kconn, packet, 5));
		use_buffer(test, kconn, SECBUF_KCONN_WRITE, SIZE, SIZE);
		KUNIT_EXPECT_EQ(test, 0, reset ? secbuf_kconn_reset(kconn) :
				secbuf_kconn_zeroize(kconn));
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(sb));
		KUNIT_EXPECT_TRUE(test, fixture_is_zero(packet));
		KUNIT_EXPECT_EQ(test, stats_of(kconn).total.allocated,
				reset ? 2 * SIZE : 0);
		KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_packets, 0);
		/* Late, and the conn is not concerned any more. */
		memset(secbuf_window(sb, 0, SIZE), 6, SIZE);
		secbuf_kconn_put(kconn, SECBUF_KCONN_READ, sb, 0);
		KUNIT_EXPECT_EQ(test, stats_of(kconn).total.used, 0);
		secbuf_put(packet);
		KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use,
				reset ? 2 : 0);
	}
}

static void zeroize_test(struct kunit *test)
{
	end_test(test, false);
}

static void reset_test(struct kunit *test)
{
	end_test(test, true);
}

/* Who puts late does not end the use of who has got the next one. */
static void late_put_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	struct secbuf_kconn *kconn = conn_new(test, pool);
	struct secbuf *old, *new;

	old = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_zeroize(kconn));
	new = secbuf_kconn_get(kconn, SECBUF_KCONN_READ);
	KUNIT_EXPECT_PTR_NE(test, old, new);
	secbuf_kconn_put(kconn, SECBUF_KCONN_READ, old, 0);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, false), 0);
	secbuf_kconn_put(kconn, SECBUF_KCONN_READ, new, 0);
	KUNIT_EXPECT_EQ(test, secbuf_kconn_shrink(kconn, false), SIZE);
}

static void destroy_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 10);
	const struct secbuf_kconn_params params = { .pool = pool };
	struct secbuf_kconn *kconn = secbuf_kconn_create(&params);
	struct secbuf *packet;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kconn);
	use_buffer(test, kconn, SECBUF_KCONN_READ, SIZE, SIZE);
	use_buffer(test, kconn, SECBUF_KCONN_WRITE, 10, 0);
	packet = secbuf_get(packet_new(test, pool, 5, SIZE));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue(kconn, packet, 5));
	secbuf_kconn_destroy(kconn);
	KUNIT_EXPECT_TRUE(test, fixture_is_zero(packet));
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 1);
	secbuf_put(packet);
	KUNIT_EXPECT_TRUE(test, list_empty(&pool->lenders.list));
	secbuf_kconn_destroy(NULL);
}

/* By the scan; but not what is used, and what is live. */
static void idle_test(struct kunit *test)
{
	struct secbuf_pool *pool = fixture_pool(test, SIZE, 0, 20);
	struct secbuf_kconn_params params = { .pool = pool, .idle_ms = 100 };
	struct secbuf_kconn *idle = conn_with(test, &params);
	struct secbuf_kconn *live = conn_with(test, &params);
	struct secbuf_kconn *used = conn_with(test, &params);
	struct secbuf_kconn *kept;
	struct secbuf *sb;

	params.keep = true;
	kept = conn_with(test, &params);
	use_buffer(test, idle, SECBUF_KCONN_READ, 10, 0);
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(idle, "a", 1));
	use_buffer(test, live, SECBUF_KCONN_READ, 10, 1);
	use_buffer(test, kept, SECBUF_KCONN_READ, 10, 0);
	sb = secbuf_kconn_get(used, SECBUF_KCONN_READ);
	fixture_wait_until(stats_of(idle).reclaimed);
	msleep(300);
	KUNIT_EXPECT_EQ(test, stats_of(idle).reclaimed, 1);
	KUNIT_EXPECT_EQ(test, stats_of(idle).read.allocated, 0);
	KUNIT_EXPECT_EQ(test, stats_of(idle).nr_packets, 1);
	KUNIT_EXPECT_EQ(test, stats_of(live).read.allocated, SIZE);
	KUNIT_EXPECT_EQ(test, stats_of(used).read.allocated, SIZE);
	KUNIT_EXPECT_EQ(test, stats_of(kept).read.allocated, SIZE);
	/* When it is idle later, it is found later. */
	secbuf_kconn_put(used, SECBUF_KCONN_READ, sb, 0);
	fixture_wait_until(stats_of(used).reclaimed);
	KUNIT_EXPECT_EQ(test, stats_of(used).reclaimed, 1);
}

/* The pool asks, for those that are wasteful first. */
static void pressure_test(struct kunit *test)
{
	enum { NR = 10 };
	struct secbuf_pool *pool = fixture_pool(test, 16384, 0, 100);
	const struct secbuf_reclaim_ops *ops = pool->reclaim.ops;
	size_t each = secbuf_buf_footprint(pool->class);
	struct secbuf_kconn *kconns[NR];
	struct secbuf_kconn_params params = { .pool = pool, .keep = true };
	struct secbuf *sb;
	int i;

	for (i = 0; i < NR; i++) {
		/* The last is the only one that is wasteful. */
		params.waste_min = i == NR - 1 ? 0 : 100000;
		kconns[i] = conn_with(test, &params);
		use_buffer(test, kconns[i], SECBUF_KCONN_WRITE, 10, i == 1);
	}
	sb = secbuf_kconn_get(kconns[2], SECBUF_KCONN_WRITE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sb));
	KUNIT_EXPECT_EQ(test, ops->count(&pool->reclaim), NR * each);
	ops->scan(&pool->reclaim, 1);
	KUNIT_EXPECT_EQ(test, stats_of(kconns[NR - 1]).reclaimed, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, NR - 1);
	for (i = 0; i < 10; i++)
		ops->scan(&pool->reclaim, SIZE_MAX / 2);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test, stats_of(kconns[i]).write.allocated,
				i == 1 || i == 2 ? 16384 : 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 2);
	secbuf_kconn_put(kconns[2], SECBUF_KCONN_WRITE, sb, 0);
	ops->scan(&pool->reclaim, SIZE_MAX / 2);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, 1);
	/* A conn in the middle of a call is not waited for. */
	mutex_lock(&kconns[1]->conn.lock);
	ops->scan(&pool->reclaim, SIZE_MAX / 2);
	mutex_unlock(&kconns[1]->conn.lock);
}

/* More than are asked at once, and behind as many who need theirs. */
static void idle_crowd_test(struct kunit *test)
{
	enum { NR = 1000 };
	struct secbuf_pool *pool = fixture_pool(test, 64, 0, NR);
	const struct secbuf_kconn_params params = { .pool = pool, .keep = true };
	struct secbuf_kconn *kconn;
	int i;

	for (i = 0; i < NR; i++) {
		kconn = conn_with(test, &params);
		use_buffer(test, kconn, SECBUF_KCONN_READ, 10, i < NR / 2);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, NR);
	secbuf_reclaim_idle(0);
	KUNIT_EXPECT_EQ(test, fixture_stats(pool).in_use, NR / 2);
}

static struct secbuf_kconn *waited_for;

static int wait_packet_fn(void *unused)
{
	int err = secbuf_kconn_wait_packet(waited_for, 60 * HZ);

	while (!kthread_should_stop())
		msleep(20);
	return err;
}

static int wait_room_fn(void *unused)
{
	int err = secbuf_kconn_wait_room(waited_for, 0, 60 * HZ);

	while (!kthread_should_stop())
		msleep(20);
	return err;
}

static void wait_test(struct kunit *test)
{
	const struct secbuf_kconn_params params = {
		.pool = fixture_pool(test, SIZE, 0, 10),
		.max_packets = 1,
	};
	struct task_struct *task;
	char c;

	waited_for = conn_with(test, &params);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			secbuf_kconn_wait_packet(waited_for, 0));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			secbuf_kconn_wait_packet(waited_for, 2));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_wait_room(waited_for, 0, 0));
	task = fixture_thread(test, -1, wait_packet_fn, NULL);
	msleep(50);
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(waited_for, "a", 1));
	KUNIT_EXPECT_EQ(test, 0, fixture_thread_stop(test, task));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			secbuf_kconn_wait_room(waited_for, 0, 0));
	task = fixture_thread(test, -1, wait_room_fn, NULL);
	msleep(50);
	KUNIT_EXPECT_EQ(test, 1, secbuf_kconn_dequeue_copy(waited_for, &c, 1));
	KUNIT_EXPECT_EQ(test, 0, fixture_thread_stop(test, task));
}

#define LARGE	600

static int put_large_fn(void *bytes)
{
	int err = secbuf_kconn_wait_room(waited_for, LARGE, 60 * HZ) ?:
		  secbuf_kconn_enqueue_copy(waited_for, bytes, LARGE);

	while (!kthread_should_stop())
		msleep(20);
	return err;
}

/* The queue is not nearly full, but the packet does not fit. */
static void wait_for_bytes_test(struct kunit *test)
{
	const struct secbuf_kconn_params params = {
		.pool = fixture_pool(test, SIZE, 0, 10),
		.max_bytes = 1000,
	};
	u8 *bytes = kunit_kzalloc(test, LARGE, GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	waited_for = conn_with(test, &params);
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			secbuf_kconn_wait_room(waited_for, 1001, HZ));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_wait_room(waited_for, 1000, 0));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(waited_for, "a", 1));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_enqueue_copy(waited_for, bytes,
							   LARGE));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_wait_room(waited_for, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_wait_room(waited_for, 399, 0));
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT,
			secbuf_kconn_wait_room(waited_for, 400, 2));
	KUNIT_EXPECT_EQ(test, stats_of(waited_for).refused, 0);
	task = fixture_thread(test, -1, put_large_fn, bytes);
	msleep(50);
	/* That makes room, but not enough. */
	KUNIT_EXPECT_EQ(test, 1, secbuf_kconn_dequeue_copy(waited_for, bytes,
							   1));
	msleep(50);
	KUNIT_EXPECT_EQ(test, LARGE, secbuf_kconn_dequeue_copy(waited_for,
							       bytes, LARGE));
	KUNIT_EXPECT_EQ(test, 0, fixture_thread_stop(test, task));
	KUNIT_EXPECT_EQ(test, stats_of(waited_for).refused, 0);
	KUNIT_EXPECT_EQ(test, stats_of(waited_for).nr_packets, 1);
}

/* Everything at once, with pressure and the scan. */
static int crowd_fn(void *arg)
{
	struct secbuf_pool *pool = waited_for->pool;
	const struct secbuf_reclaim_ops *ops = pool->reclaim.ops;
	struct secbuf_kconn_packet packet;
	struct secbuf *sb;
	unsigned int i = 0;
	char bytes[100];

	while (!kthread_should_stop()) {
		sb = secbuf_kconn_get(waited_for, i % 2);
		if (!IS_ERR(sb)) {
			memset(secbuf_window(sb, 0, 64), 1, 64);
			secbuf_kconn_put(waited_for, i % 2, sb, i % 3);
		}
		secbuf_kconn_enqueue_copy(waited_for, "secret", 6);
		if (!secbuf_kconn_dequeue(waited_for, &packet) &&
		    secbuf_kconn_enqueue(waited_for, packet.sb, packet.len))
			secbuf_put(packet.sb);
		secbuf_kconn_dequeue_copy(waited_for, bytes, sizeof(bytes));
		if (i % 16 == 0)
			ops->scan(&pool->reclaim, SIZE_MAX / 2);
		if (i % 32 == 0)
			secbuf_kconn_reset(waited_for);
		if (i % 64 == 0)
			secbuf_kconn_zeroize(waited_for);
		i++;
		cond_resched();
	}
	return 0;
}

static void threads_test(struct kunit *test)
{
	const struct secbuf_kconn_params params = {
		.pool = fixture_pool(test, SIZE, 0, 50),
		.max_packets = 10,
		.idle_ms = 1,
	};
	struct task_struct *tasks[3];
	struct secbuf_kconn_stats s;
	int i;

	waited_for = conn_with(test, &params);
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		tasks[i] = fixture_thread(test, -1, crowd_fn, NULL);
	msleep(1000);
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		fixture_thread_stop(test, tasks[i]);
	KUNIT_EXPECT_EQ(test, 0, secbuf_kconn_zeroize(waited_for));
	s = stats_of(waited_for);
	KUNIT_EXPECT_EQ(test, s.enqueued, s.dequeued);
	KUNIT_EXPECT_EQ(test, s.total.allocated, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(params.pool).in_use, 0);
}

static const struct secbuf_ring_ops no_ops = { };

static struct secbuf_ring *ring_new(struct kunit *test)
{
	struct secbuf_ring *ring;

	ring = secbuf_ring_alloc(SZ_64K, 0, &secbuf_ring_reclaim_ops);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	secbuf_ring_end_hold(&ring->ends[0], &no_ops, NULL);
	secbuf_ring_put(ring);
	return ring;
}

static void ring_destroy(struct secbuf_ring *ring)
{
	secbuf_ring_end_release(&ring->ends[0]);
	secbuf_ring_put(ring);
}

/* Rings are reset when the conn ends, and leave it when they do. */
static void streams_test(struct kunit *test)
{
	const struct secbuf_kconn_params params = {
		.pool = fixture_pool(test, SIZE, 0, 10),
		.max_streams = 3,
	};
	struct secbuf_kconn *kconn = conn_with(test, &params);
	struct secbuf_kconn *other = conn_with(test, &params);
	struct secbuf_ring *rings[4];
	int i, round, ret;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 4; i++) {
			rings[i] = ring_new(test);
			ret = secbuf_kconn_stream_add(kconn,
						      &rings[i]->ends[0]);
			KUNIT_EXPECT_EQ(test, ret, i == 3 ? -ENOBUFS : 0);
		}
		KUNIT_EXPECT_EQ(test, -EEXIST,
				secbuf_kconn_stream_add(other,
							&rings[0]->ends[0]));
		KUNIT_EXPECT_EQ(test, -ENOENT,
				secbuf_kconn_stream_del(other,
							&rings[0]->ends[0]));
		KUNIT_EXPECT_EQ(test, 0,
				secbuf_kconn_stream_del(kconn,
							&rings[0]->ends[0]));
		KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_streams, 2);
		ring_destroy(rings[1]);
		KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_streams, 1);
		KUNIT_EXPECT_EQ(test, 0, round ? secbuf_kconn_reset(kconn) :
				secbuf_kconn_zeroize(kconn));
		KUNIT_EXPECT_EQ(test, stats_of(kconn).nr_streams, 0);
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				secbuf_ring_end_state(&rings[2]->ends[0]));
		KUNIT_EXPECT_EQ(test, 0,
				secbuf_ring_end_state(&rings[0]->ends[0]));
		KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
				secbuf_kconn_stream_add(kconn,
							&rings[2]->ends[0]));
		for (i = 0; i < 4; i++)
			if (i != 1)
				ring_destroy(rings[i]);
	}
}

static void streams_destroy_test(struct kunit *test)
{
	const struct secbuf_kconn_params params = {
		.pool = fixture_pool(test, SIZE, 0, 10),
	};
	struct secbuf_kconn *kconn = secbuf_kconn_create(&params);
	struct secbuf_ring *ring = ring_new(test);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kconn);
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_kconn_stream_add(kconn, &ring->ends[0]));
	secbuf_kconn_destroy(kconn);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			secbuf_ring_end_state(&ring->ends[0]));
	ring_destroy(ring);
}

static struct kunit_case conn_cases[] = {
	KUNIT_CASE(defaults_test),
	KUNIT_CASE(limits_test),
	KUNIT_CASE(buffer_test),
	KUNIT_CASE(buffer_limit_test),
	KUNIT_CASE(wasteful_test),
	KUNIT_CASE(wasteful_reset_test),
	KUNIT_CASE(problematic_test),
	KUNIT_CASE(idle_waste_test),
	KUNIT_CASE(move_test),
	KUNIT_CASE(own_buffer_test),
	KUNIT_CASE(copy_test),
	KUNIT_CASE(refused_test),
	KUNIT_CASE(bulk_test),
	KUNIT_CASE(zeroize_test),
	KUNIT_CASE(reset_test),
	KUNIT_CASE(late_put_test),
	KUNIT_CASE(destroy_test),
	KUNIT_CASE(idle_test),
	KUNIT_CASE(pressure_test),
	KUNIT_CASE(idle_crowd_test),
	KUNIT_CASE(wait_test),
	KUNIT_CASE(wait_for_bytes_test),
	KUNIT_CASE(threads_test),
	KUNIT_CASE(streams_test),
	KUNIT_CASE(streams_destroy_test),
	{}
};

static struct kunit_suite conn_suite = {
	.name = "secbuf_conn",
	.init = fixture_init,
	.test_cases = conn_cases,
};

kunit_test_suite(conn_suite);
