// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of packets: its order, its limits from both sides, what is held
 * meanwhile, and that it gives back its memory.
 */
#include "queue.h"

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/slab.h>

static void close_queue(void *queue)
{
	secbuf_queue_exit(queue);
}

static struct secbuf_queue *queue_new(struct kunit *test, u32 max_packets,
				      u32 max_bytes, u32 near_full)
{
	struct secbuf_queue *queue;

	queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, queue);
	secbuf_queue_init(queue, max_packets, max_bytes, near_full);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_queue,
							   queue));
	return queue;
}

/* Until there are @nr of them, of @len bytes each. */
static void fill(struct kunit *test, struct secbuf_queue *queue, u32 nr,
		 u32 len)
{
	while (queue->nr < nr)
		KUNIT_ASSERT_EQ(test, 0, secbuf_queue_push(queue, 0, len));
}

static void order_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 1000, U32_MAX, 80);
	struct secbuf_packet packet;
	u64 in = 0, out = 0;
	u32 i;

	while (in < 5000) {
		for (i = get_random_u32() % 100; i && queue->nr < 1000; i--) {
			KUNIT_ASSERT_EQ(test, 0, secbuf_queue_push(queue, in,
								   in + 1));
			in++;
		}
		for (i = get_random_u32() % 100; i && queue->nr; i--) {
			KUNIT_ASSERT_TRUE(test,
					  secbuf_queue_pop(queue, &packet));
			KUNIT_ASSERT_EQ(test, packet.handle, out);
			KUNIT_ASSERT_EQ(test, packet.len, out + 1);
			out++;
		}
		KUNIT_ASSERT_EQ(test, queue->nr, in - out);
		for (i = 0; i < queue->nr; i++)
			KUNIT_ASSERT_EQ(test, out + i,
					secbuf_queue_peek(queue, i)->handle);
		KUNIT_ASSERT_NULL(test, secbuf_queue_peek(queue, queue->nr));
	}
	KUNIT_EXPECT_EQ(test, queue->enqueued, in);
	KUNIT_EXPECT_EQ(test, queue->dequeued, out);
	KUNIT_EXPECT_EQ(test, queue->refused, 0);
	while (secbuf_queue_pop(queue, &packet))
		;
	KUNIT_EXPECT_EQ(test, queue->bytes, 0);
	KUNIT_EXPECT_EQ(test, queue->nr, 0);
}

static void packets_limit_test(struct kunit *test)
{
	static const u32 limits[] = { 1, 2, 7, 8, 9, 100 };
	struct secbuf_queue *queue;
	struct secbuf_packet packet;
	int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		queue = queue_new(test, limits[i], 1000, 80);
		fill(test, queue, limits[i], 1);
		KUNIT_EXPECT_EQ(test, -ENOBUFS, secbuf_queue_check(queue, 1));
		KUNIT_EXPECT_EQ(test, -ENOBUFS, secbuf_queue_push(queue, 0, 1));
		KUNIT_EXPECT_EQ(test, queue->nr, limits[i]);
		KUNIT_EXPECT_EQ(test, queue->bytes, limits[i]);
		KUNIT_EXPECT_EQ(test, queue->refused, 1);
		KUNIT_EXPECT_EQ(test, queue->peak, limits[i]);
		KUNIT_EXPECT_TRUE(test, secbuf_queue_pop(queue, &packet));
		KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, 1));
	}
}

/* Exactly as many as there may be, is not too many. */
static void bytes_limit_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 100, 1000, 80);
	struct secbuf_packet packet;

	KUNIT_EXPECT_EQ(test, -EMSGSIZE, secbuf_queue_push(queue, 0, 1001));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, secbuf_queue_push(queue, 0, U32_MAX));
	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, 600));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_queue_check(queue, 401));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_queue_push(queue, 0, 401));
	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, 400));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_queue_push(queue, 0, 1));
	KUNIT_EXPECT_EQ(test, queue->refused, 4);
	KUNIT_EXPECT_EQ(test, queue->nr, 2);
	KUNIT_EXPECT_EQ(test, queue->bytes, 1000);
	KUNIT_EXPECT_TRUE(test, secbuf_queue_pop(queue, &packet));
	KUNIT_EXPECT_EQ(test, queue->bytes, 400);
	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, 600));
}

static void huge_limits_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, U32_MAX, U32_MAX, 100);

	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, U32_MAX - 1));
	KUNIT_EXPECT_FALSE(test, secbuf_queue_is_near_full(queue));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_queue_push(queue, 0, 2));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_queue_push(queue, 0, U32_MAX));
	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, 1));
	KUNIT_EXPECT_TRUE(test, secbuf_queue_is_near_full(queue));
}

/* From that percentage on, not only above it; of either limit. */
static void near_full_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 10, 10000, 80);

	fill(test, queue, 7, 1);
	KUNIT_EXPECT_FALSE(test, secbuf_queue_is_near_full(queue));
	fill(test, queue, 8, 1);
	KUNIT_EXPECT_TRUE(test, secbuf_queue_is_near_full(queue));

	queue = queue_new(test, 10, 1000, 80);
	KUNIT_EXPECT_FALSE(test, secbuf_queue_is_near_full(queue));
	fill(test, queue, 1, 799);
	KUNIT_EXPECT_FALSE(test, secbuf_queue_is_near_full(queue));
	fill(test, queue, 2, 1);
	KUNIT_EXPECT_TRUE(test, secbuf_queue_is_near_full(queue));

	/* One packet of one is all. */
	queue = queue_new(test, 1, 1000, 1);
	KUNIT_EXPECT_FALSE(test, secbuf_queue_is_near_full(queue));
	fill(test, queue, 1, 1);
	KUNIT_EXPECT_TRUE(test, secbuf_queue_is_near_full(queue));
}

/* What is held counts, and comes back to where it was. */
static void hold_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 8, 36, 80);
	struct secbuf_packet a, b, packet;
	u32 i;

	for (i = 1; i <= 8; i++)
		KUNIT_ASSERT_EQ(test, 0, secbuf_queue_push(queue, i, i));
	KUNIT_ASSERT_TRUE(test, secbuf_queue_hold(queue, &a));
	KUNIT_ASSERT_TRUE(test, secbuf_queue_hold(queue, &b));
	KUNIT_EXPECT_EQ(test, a.handle, 1);
	KUNIT_EXPECT_EQ(test, b.handle, 2);
	KUNIT_EXPECT_EQ(test, queue->nr, 6);
	KUNIT_EXPECT_EQ(test, -ENOBUFS, secbuf_queue_push(queue, 9, 1));
	secbuf_queue_release(queue, &a);
	KUNIT_EXPECT_EQ(test, queue->dequeued, 1);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, secbuf_queue_push(queue, 9, 2));
	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 9, 1));
	secbuf_queue_unhold(queue, &b);
	for (i = 2; i <= 9; i++) {
		KUNIT_ASSERT_TRUE(test, secbuf_queue_pop(queue, &packet));
		KUNIT_EXPECT_EQ(test, packet.handle, i);
	}
	KUNIT_EXPECT_FALSE(test, secbuf_queue_hold(queue, &packet));
	KUNIT_EXPECT_EQ(test, queue->bytes, 0);
	KUNIT_EXPECT_EQ(test, queue->held, 0);
	KUNIT_EXPECT_EQ(test, queue->dequeued, 9);
}

/* It grows while some are held, and has room for them all the same. */
static void hold_grow_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 1000, U32_MAX, 80);
	struct secbuf_packet held[3], packet;
	u64 i;

	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, 0, secbuf_queue_push(queue, i, 1));
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_TRUE(test, secbuf_queue_hold(queue, &held[i]));
	for (i = 5; i < 515; i++)
		KUNIT_ASSERT_EQ(test, 0, secbuf_queue_push(queue, i, 1));
	for (i = 3; i--;)
		secbuf_queue_unhold(queue, &held[i]);
	for (i = 0; i < 515; i++) {
		KUNIT_ASSERT_TRUE(test, secbuf_queue_pop(queue, &packet));
		KUNIT_ASSERT_EQ(test, packet.handle, i);
	}
}

static void consume_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 10, 100, 80);
	struct secbuf_packet packet;

	fill(test, queue, 2, 50);
	secbuf_queue_consume(queue, 10);
	secbuf_queue_consume(queue, 39);
	KUNIT_EXPECT_EQ(test, queue->bytes, 51);
	KUNIT_EXPECT_EQ(test, secbuf_queue_peek(queue, 0)->sent, 49);
	KUNIT_EXPECT_EQ(test, 0, secbuf_queue_push(queue, 0, 49));
	KUNIT_ASSERT_TRUE(test, secbuf_queue_hold(queue, &packet));
	secbuf_queue_unhold(queue, &packet);
	KUNIT_ASSERT_TRUE(test, secbuf_queue_pop(queue, &packet));
	KUNIT_EXPECT_EQ(test, packet.len, 50);
	KUNIT_EXPECT_EQ(test, packet.sent, 49);
	KUNIT_EXPECT_EQ(test, queue->bytes, 99);
	KUNIT_ASSERT_TRUE(test, secbuf_queue_pop(queue, &packet));
	KUNIT_EXPECT_EQ(test, packet.sent, 0);
	KUNIT_EXPECT_EQ(test, queue->bytes, 49);
}

/* A few entries stay, many do not, also while there is a packet. */
static void shrink_test(struct kunit *test)
{
	struct secbuf_queue *queue = queue_new(test, 65536, U32_MAX, 80);
	struct secbuf_packet packet, held;

	KUNIT_EXPECT_NULL(test, queue->packets);
	secbuf_queue_shrink(queue);
	fill(test, queue, 16, 1);
	while (secbuf_queue_pop(queue, &packet))
		;
	KUNIT_EXPECT_NOT_NULL(test, queue->packets);

	fill(test, queue, 65536, 1);
	KUNIT_EXPECT_EQ(test, queue->cap, 65536);
	while (queue->nr > 1)
		secbuf_queue_pop(queue, &packet);
	secbuf_queue_shrink(queue);
	KUNIT_EXPECT_NOT_NULL(test, queue->packets);
	KUNIT_EXPECT_LT(test, queue->cap, 65536 / 16);
	KUNIT_ASSERT_TRUE(test, secbuf_queue_hold(queue, &held));
	secbuf_queue_shrink(queue);
	KUNIT_EXPECT_NOT_NULL(test, queue->packets);
	secbuf_queue_unhold(queue, &held);
	KUNIT_ASSERT_TRUE(test, secbuf_queue_pop(queue, &packet));
	KUNIT_EXPECT_LE(test, queue->cap, 20);
	fill(test, queue, 3, 1);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(order_test),
	KUNIT_CASE(packets_limit_test),
	KUNIT_CASE(bytes_limit_test),
	KUNIT_CASE(huge_limits_test),
	KUNIT_CASE(near_full_test),
	KUNIT_CASE(hold_test),
	KUNIT_CASE(hold_grow_test),
	KUNIT_CASE(consume_test),
	KUNIT_CASE(shrink_test),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "secbuf_queue",
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
