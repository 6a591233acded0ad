// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: geometry, and who may return which.
 */
#include "slots.h"

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#define NR	100

static u64 take(struct kunit *test, struct secbuf_slots *slots,
		enum secbuf_slot_holder holder)
{
	u64 id = U64_MAX;

	KUNIT_ASSERT_EQ(test, secbuf_slots_find(slots, &id), 0);
	secbuf_slots_take(slots, id, holder);
	return id;
}

static void slots_find_test(struct kunit *test)
{
	struct secbuf_slots slots;
	u64 id = 77;
	int i;

	KUNIT_ASSERT_EQ(test, secbuf_slots_init(&slots, 64, NR), 0);
	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test,
				take(test, &slots, SECBUF_HOLDER_PROGRAM), i);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find(&slots, &id), -ENOSPC);
	KUNIT_EXPECT_EQ(test, id, 77);
	KUNIT_EXPECT_EQ(test, slots.in_use, NR);

	/* The lowest one first, whatever the order in which they came back. */
	secbuf_slots_put(&slots, 5);
	secbuf_slots_put(&slots, NR - 1);
	secbuf_slots_put(&slots, 3);
	KUNIT_EXPECT_EQ(test, take(test, &slots, SECBUF_HOLDER_PROGRAM), 3);
	KUNIT_EXPECT_EQ(test, take(test, &slots, SECBUF_HOLDER_PROGRAM), 5);
	KUNIT_EXPECT_EQ(test, take(test, &slots, SECBUF_HOLDER_PROGRAM),
			NR - 1);

	secbuf_slots_put_all(&slots);
	KUNIT_EXPECT_EQ(test, slots.in_use, 0);
	KUNIT_EXPECT_EQ(test, take(test, &slots, SECBUF_HOLDER_PROGRAM), 0);
	secbuf_slots_exit(&slots);
}

static void slots_check_test(struct kunit *test)
{
	struct secbuf_slots slots;
	u64 program, object;

	KUNIT_ASSERT_EQ(test, secbuf_slots_init(&slots, 64, NR), 0);
	program = take(test, &slots, SECBUF_HOLDER_PROGRAM);
	object = take(test, &slots, SECBUF_HOLDER_OBJECT);

#define CHECK(id, holder)	secbuf_slots_check(&slots, id, holder)
	KUNIT_EXPECT_EQ(test, CHECK(program, SECBUF_HOLDER_PROGRAM), 0);
	KUNIT_EXPECT_EQ(test, CHECK(object, SECBUF_HOLDER_OBJECT), 0);
	KUNIT_EXPECT_EQ(test, CHECK(program, SECBUF_HOLDER_OBJECT), -EBUSY);
	KUNIT_EXPECT_EQ(test, CHECK(object, SECBUF_HOLDER_PROGRAM), -EBUSY);
	KUNIT_EXPECT_EQ(test, CHECK(2, SECBUF_HOLDER_PROGRAM), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(2, SECBUF_HOLDER_OBJECT), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(NR - 1, SECBUF_HOLDER_PROGRAM), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(NR, SECBUF_HOLDER_PROGRAM), -EINVAL);
	KUNIT_EXPECT_EQ(test, CHECK(1ULL << 32, SECBUF_HOLDER_PROGRAM),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, CHECK(U64_MAX, SECBUF_HOLDER_PROGRAM), -EINVAL);

	/* Who held it before does not stick. */
	secbuf_slots_put(&slots, object);
	KUNIT_EXPECT_EQ(test, CHECK(object, SECBUF_HOLDER_OBJECT), -ENOENT);
	object = take(test, &slots, SECBUF_HOLDER_PROGRAM);
	KUNIT_EXPECT_EQ(test, CHECK(object, SECBUF_HOLDER_PROGRAM), 0);
#undef CHECK
	secbuf_slots_exit(&slots);
}

static const struct span_param {
	size_t size;
	u64 id;
	struct secbuf_slot_span span;
} span_params[] = {
	{ 64, 0, { 0, 1, 0, 64 } },
	{ 64, 63, { 0, 1, 4032, 64 } },
	{ 64, 64, { 1, 1, 0, 64 } },
	{ 2048, 3, { 1, 1, 2048, 2048 } },
	{ SZ_4K, 7, { 7, 1, 0, SZ_4K } },
	{ SZ_8K, 7, { 14, 2, 0, SZ_4K } },
	{ SZ_16M, 1023, { 1023 * 4096, 4096, 0, SZ_4K } },
	/* past what 32 bits count */
	{ SZ_16M, SZ_1M, { 4096ULL * SZ_1M, 4096, 0, SZ_4K } },
};

static void span_desc(const struct span_param *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "slot %llu of %zu", p->id,
		 p->size);
}

KUNIT_ARRAY_PARAM(span, span_params, span_desc);

static void slots_span_test(struct kunit *test)
{
	const struct span_param *p = test->param_value;
	const struct secbuf_slots slots = { .size = p->size };
	struct secbuf_slot_span span;

	if (PAGE_SIZE != SZ_4K)
		kunit_skip(test, "the table is of 4 KiB pages");
	span = secbuf_slots_span(&slots, p->id);
	KUNIT_EXPECT_EQ(test, span.first, p->span.first);
	KUNIT_EXPECT_EQ(test, span.nr, p->span.nr);
	KUNIT_EXPECT_EQ(test, span.offset, p->span.offset);
	KUNIT_EXPECT_EQ(test, span.len, p->span.len);
}

static void slots_idle_test(struct kunit *test)
{
	const size_t size = PAGE_SIZE / 8;
	struct secbuf_slots slots;
	int i;

	/* The last page has only two slots. */
	KUNIT_ASSERT_EQ(test, secbuf_slots_init(&slots, size, 18), 0);
	for (i = 0; i < 18; i++)
		secbuf_slots_take(&slots, i, SECBUF_HOLDER_PROGRAM);
	for (i = 8; i < 15; i++) {
		secbuf_slots_put(&slots, i);
		KUNIT_EXPECT_FALSE(test, secbuf_slots_span_idle(&slots, i));
	}
	secbuf_slots_put(&slots, 15);
	for (i = 8; i < 16; i++)
		KUNIT_EXPECT_TRUE(test, secbuf_slots_span_idle(&slots, i));
	KUNIT_EXPECT_FALSE(test, secbuf_slots_span_idle(&slots, 7));
	KUNIT_EXPECT_FALSE(test, secbuf_slots_span_idle(&slots, 16));
	secbuf_slots_put(&slots, 16);
	secbuf_slots_put(&slots, 17);
	KUNIT_EXPECT_TRUE(test, secbuf_slots_span_idle(&slots, 17));
	secbuf_slots_exit(&slots);
}

static void slots_idle_large_test(struct kunit *test)
{
	struct secbuf_slots slots;

	KUNIT_ASSERT_EQ(test, secbuf_slots_init(&slots, 2 * PAGE_SIZE, 3), 0);
	secbuf_slots_take(&slots, 1, SECBUF_HOLDER_PROGRAM);
	KUNIT_EXPECT_TRUE(test, secbuf_slots_span_idle(&slots, 0));
	KUNIT_EXPECT_FALSE(test, secbuf_slots_span_idle(&slots, 1));
	KUNIT_EXPECT_TRUE(test, secbuf_slots_span_idle(&slots, 2));
	secbuf_slots_exit(&slots);
}

static struct kunit_case slots_cases[] = {
	KUNIT_CASE(slots_find_test),
	KUNIT_CASE(slots_check_test),
	KUNIT_CASE_PARAM(slots_span_test, span_gen_params),
	KUNIT_CASE(slots_idle_test),
	KUNIT_CASE(slots_idle_large_test),
	{}
};

static struct kunit_suite slots_suite = {
	.name = "secbuf_slots",
	.test_cases = slots_cases,
};

kunit_test_suite(slots_suite);
