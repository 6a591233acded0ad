// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: geometry, which one a member gets, and who may return which.
 */
#include "slots.h"

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#define NR		100
#define PROGRAM		SECBUF_HOLDER_PROGRAM
#define OBJECT		SECBUF_HOLDER_OBJECT

/* Slots with two members, and who pays for the memory of each group. */
struct fixture {
	struct secbuf_slots slots;
	struct secbuf_slot_share shares[2];
	struct secbuf_slot_share **payers;
};

static void fixture_exit(void *arg)
{
	struct fixture *f = arg;

	secbuf_slot_share_exit(&f->shares[0]);
	secbuf_slot_share_exit(&f->shares[1]);
	secbuf_slots_exit(&f->slots);
}

static struct fixture *fixture_new(struct kunit *test, size_t size,
				   unsigned int nr)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_EQ(test, secbuf_slots_init(&f->slots, size, size, nr), 0);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, secbuf_slot_share_init(&f->shares[i],
							     &f->slots), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, fixture_exit, f),
			0);
	f->payers = kunit_kcalloc(test, f->slots.nr_groups, sizeof(*f->payers),
				  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->payers);
	return f;
}

/* As an area does: idle memory of others goes, what has none gets some. */
static u64 take(struct kunit *test, struct fixture *f, int member,
		enum secbuf_slot_holder holder)
{
	struct secbuf_slot_share *share = &f->shares[member];
	unsigned int group;
	u64 id = U64_MAX;

	KUNIT_ASSERT_EQ(test, secbuf_slots_find(&f->slots, share, &id), 0);
	KUNIT_ASSERT_LT(test, id, f->slots.nr);
	group = secbuf_slots_group(&f->slots, id);
	if (test_bit(group, f->slots.idle) && f->payers[group] != share)
		secbuf_slots_bare(&f->slots, f->payers[group], group);
	if (!test_bit(group, f->slots.backed)) {
		f->payers[group] = share;
		secbuf_slots_back(&f->slots, share, group);
	}
	KUNIT_ASSERT_FALSE(test, test_bit(id, f->slots.granted));
	secbuf_slots_take(&f->slots, share, f->payers[group], id, holder);
	return id;
}

static void put(struct fixture *f, int member, u64 id)
{
	secbuf_slots_put(&f->slots, &f->shares[member],
			 f->payers[secbuf_slots_group(&f->slots, id)], id);
}

/* What is counted is what the bits say. */
static void expect_counts(struct kunit *test, struct fixture *f)
{
	const struct secbuf_slots *s = &f->slots;
	unsigned int group, backed = 0;

	for_each_set_bit(group, s->backed, s->nr_groups)
		backed += secbuf_slots_group_size(s, group);
	KUNIT_EXPECT_EQ(test, s->nr_backed, backed);
	KUNIT_EXPECT_EQ(test, s->nr_idle,
			bitmap_weight(s->idle, s->nr_groups));
	KUNIT_EXPECT_EQ(test, s->in_use, bitmap_weight(s->granted, s->nr));
	KUNIT_EXPECT_EQ(test, s->in_use,
			f->shares[0].in_use + f->shares[1].in_use);
	KUNIT_EXPECT_EQ(test, s->nr_idle,
			f->shares[0].nr_idle + f->shares[1].nr_idle);
	KUNIT_EXPECT_EQ(test, bitmap_weight(s->backed, s->nr_groups),
			f->shares[0].nr_backed + f->shares[1].nr_backed);
	KUNIT_EXPECT_FALSE(test, bitmap_intersects(f->shares[0].mine,
						   f->shares[1].mine, s->nr));
}

/* Alone: the lowest one first, whatever the order in which they came back. */
static void find_alone_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, 64, NR);
	u64 id = 77;
	int i;

	for (i = 0; i < NR; i++)
		KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), i);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find(&f->slots, &f->shares[0], &id),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, id, 77);
	KUNIT_EXPECT_EQ(test, f->slots.in_use, NR);
	expect_counts(test, f);

	put(f, 0, 5);
	put(f, 0, NR - 1);
	put(f, 0, 3);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), 3);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), 5);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), NR - 1);

	for (i = 0; i < NR; i++)
		put(f, 0, i);
	KUNIT_EXPECT_EQ(test, f->slots.in_use, 0);
	expect_counts(test, f);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), 0);
}

/* Memory that is there comes before a lower slot that has none. */
static void find_backed_first_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, PAGE_SIZE, 8);
	int i;

	for (i = 0; i < 8; i++)
		take(test, f, 0, PROGRAM);
	for (i = 0; i < 8; i++)
		put(f, 0, i);
	KUNIT_EXPECT_EQ(test, f->slots.nr_idle, 8);
	secbuf_slots_bare(&f->slots, &f->shares[0], 0);
	secbuf_slots_bare(&f->slots, &f->shares[0], 1);
	expect_counts(test, f);
	for (i = 2; i < 8; i++)
		KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), i);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), 0);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), 1);
	expect_counts(test, f);
}

/* Of two members each has pages of its own, while there are any. */
static void find_apart_test(struct kunit *test)
{
	const unsigned int per_page = PAGE_SIZE / 64;
	struct fixture *f = fixture_new(test, 64, 2 * per_page);
	unsigned int i;

	for (i = 0; i < per_page; i++) {
		KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), i);
		KUNIT_EXPECT_EQ(test, take(test, f, 1, PROGRAM), per_page + i);
	}
	expect_counts(test, f);

	/* Now the second finds no place but beside the slots of the first. */
	put(f, 0, 5);
	put(f, 0, 3);
	KUNIT_EXPECT_EQ(test, take(test, f, 1, PROGRAM), 3);
	KUNIT_EXPECT_EQ(test, take(test, f, 1, PROGRAM), 5);
	/* It goes back to the page of the first, who pays. */
	put(f, 1, 5);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), 5);
	put(f, 1, 3);
	expect_counts(test, f);
}

/* Idle memory of another is preferred to a place beside his slots. */
static void find_idle_of_another_test(struct kunit *test)
{
	const unsigned int per_page = PAGE_SIZE / 64;
	struct fixture *f = fixture_new(test, 64, 2 * per_page);
	unsigned int i;

	for (i = 0; i <= per_page; i++)
		take(test, f, 0, PROGRAM);
	for (i = 0; i < per_page; i++)
		put(f, 0, i);
	KUNIT_EXPECT_EQ(test, f->shares[0].nr_idle, 1);
	KUNIT_EXPECT_EQ(test, take(test, f, 1, PROGRAM), 0);
	KUNIT_EXPECT_EQ(test, f->shares[0].nr_idle, 0);
	KUNIT_EXPECT_EQ(test, f->shares[0].nr_backed, 1);
	KUNIT_EXPECT_EQ(test, f->shares[1].nr_backed, 1);
	expect_counts(test, f);
}

/* Memory of a member that is gone is nobody's to fill up. */
static void payer_gone_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, PAGE_SIZE / 4, 8);
	u64 id;

	take(test, f, 0, PROGRAM);
	id = 1;
	secbuf_slots_take(&f->slots, &f->shares[1], &f->shares[0], id, PROGRAM);
	f->payers[0] = NULL;
	put(f, 0, 0);
	KUNIT_EXPECT_EQ(test, f->slots.nr_idle, 0);
	put(f, 1, 1);
	KUNIT_EXPECT_EQ(test, f->slots.nr_idle, 1);
	KUNIT_EXPECT_EQ(test, f->shares[0].nr_idle, 0);
	KUNIT_EXPECT_EQ(test, f->shares[1].nr_idle, 0);
	secbuf_slots_bare(&f->slots, NULL, 0);
	KUNIT_EXPECT_EQ(test, f->slots.nr_idle, 0);
	KUNIT_EXPECT_EQ(test, f->slots.nr_backed, 0);
}

static void find_idle_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, PAGE_SIZE, 4);
	const struct secbuf_slots *s = &f->slots;
	int i;

	for (i = 0; i < 4; i++)
		take(test, f, i % 2, PROGRAM);
	for (i = 0; i < 3; i++)
		put(f, i % 2, i);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find_idle(s, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find_idle(s, NULL, 1), 1);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find_idle(s, NULL, 3), 4);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find_idle(s, &f->shares[0], 1), 2);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find_idle(s, &f->shares[1], 0), 1);
	KUNIT_EXPECT_EQ(test, secbuf_slots_find_idle(s, &f->shares[1], 2), 4);
}

static void check_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, 64, NR);
	u64 program, object, other;

	program = take(test, f, 0, PROGRAM);
	object = take(test, f, 0, OBJECT);
	other = take(test, f, 1, PROGRAM);

#define CHECK(id, holder) \
	secbuf_slots_check(&f->slots, &f->shares[0], id, holder)
	KUNIT_EXPECT_EQ(test, CHECK(program, PROGRAM), 0);
	KUNIT_EXPECT_EQ(test, CHECK(object, OBJECT), 0);
	KUNIT_EXPECT_EQ(test, CHECK(program, OBJECT), -EBUSY);
	KUNIT_EXPECT_EQ(test, CHECK(object, PROGRAM), -EBUSY);
	KUNIT_EXPECT_EQ(test, CHECK(other, PROGRAM), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(other, OBJECT), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(2, PROGRAM), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(2, OBJECT), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(NR - 1, PROGRAM), -ENOENT);
	KUNIT_EXPECT_EQ(test, CHECK(NR, PROGRAM), -EINVAL);
	KUNIT_EXPECT_EQ(test, CHECK(1ULL << 32, PROGRAM), -EINVAL);
	KUNIT_EXPECT_EQ(test, CHECK(U64_MAX, PROGRAM), -EINVAL);

	/* Who held it before does not stick. */
	put(f, 0, object);
	KUNIT_EXPECT_EQ(test, CHECK(object, OBJECT), -ENOENT);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, PROGRAM), object);
	KUNIT_EXPECT_EQ(test, CHECK(object, PROGRAM), 0);

	put(f, 0, object);
	KUNIT_EXPECT_EQ(test, take(test, f, 0, OBJECT), object);
	secbuf_slots_hand_over(&f->slots, object);
	KUNIT_EXPECT_EQ(test, CHECK(object, OBJECT), -EBUSY);
	KUNIT_EXPECT_EQ(test, CHECK(object, PROGRAM), 0);
	KUNIT_EXPECT_EQ(test, CHECK(program, PROGRAM), 0);
#undef CHECK
}

static const struct span_param {
	size_t size;
	size_t stride;
	u64 id;
	struct secbuf_slot_span span;
} span_params[] = {
	{ 64, 64, 0, { 0, 1, 0, 64 } },
	{ 64, 64, 63, { 0, 1, 4032, 64 } },
	{ 64, 64, 64, { 1, 1, 0, 64 } },
	{ 2048, 2048, 3, { 1, 1, 2048, 2048 } },
	{ SZ_4K, SZ_4K, 7, { 7, 1, 0, SZ_4K } },
	{ SZ_8K, SZ_8K, 7, { 14, 2, 0, SZ_4K } },
	{ SZ_16M, SZ_16M, 1023, { 1023 * 4096, 4096, 0, SZ_4K } },
	/* past what 32 bits count */
	{ SZ_16M, SZ_16M, SZ_1M, { 4096ULL * SZ_1M, 4096, 0, SZ_4K } },
	/* the last page of each stride is the guard */
	{ 64, SZ_8K, 3, { 6, 1, 0, 64 } },
	{ SZ_4K, SZ_8K, 3, { 6, 1, 0, SZ_4K } },
	{ SZ_16M, SZ_16M + SZ_4K, 2, { 2 * 4097, 4096, 0, SZ_4K } },
};

static void span_desc(const struct span_param *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "slot %llu of %zu at %zu", p->id,
		 p->size, p->stride);
}

KUNIT_ARRAY_PARAM(span, span_params, span_desc);

static void span_test(struct kunit *test)
{
	const struct span_param *p = test->param_value;
	const struct secbuf_slots slots = {
		.size = p->size, .stride = p->stride,
	};
	struct secbuf_slot_span span;

	if (PAGE_SIZE != SZ_4K)
		kunit_skip(test, "the table is of 4 KiB pages");
	span = secbuf_slots_span(&slots, p->id);
	KUNIT_EXPECT_EQ(test, span.first, p->span.first);
	KUNIT_EXPECT_EQ(test, span.nr, p->span.nr);
	KUNIT_EXPECT_EQ(test, span.offset, p->span.offset);
	KUNIT_EXPECT_EQ(test, span.len, p->span.len);
}

static void group_test(struct kunit *test)
{
	const size_t size = PAGE_SIZE / 8;
	struct fixture *f = fixture_new(test, size, 18);
	const struct secbuf_slots *s = &f->slots;
	int i;

	/* The last page has only two slots. */
	KUNIT_EXPECT_EQ(test, s->per_group, 8);
	KUNIT_EXPECT_EQ(test, s->nr_groups, 3);
	KUNIT_EXPECT_EQ(test, secbuf_slots_group_size(s, 1), 8);
	KUNIT_EXPECT_EQ(test, secbuf_slots_group_size(s, 2), 2);
	KUNIT_EXPECT_EQ(test, secbuf_slots_group(s, 15), 1);
	KUNIT_EXPECT_EQ(test, secbuf_slots_group(s, 16), 2);
	for (i = 0; i < 18; i++)
		take(test, f, 0, PROGRAM);
	KUNIT_EXPECT_EQ(test, s->nr_backed, 18);
	for (i = 8; i < 15; i++) {
		put(f, 0, i);
		KUNIT_EXPECT_EQ(test, s->nr_idle, 0);
	}
	put(f, 0, 15);
	KUNIT_EXPECT_TRUE(test, test_bit(1, s->idle));
	KUNIT_EXPECT_EQ(test, s->nr_idle, 1);
	put(f, 0, 16);
	KUNIT_EXPECT_FALSE(test, test_bit(2, s->idle));
	put(f, 0, 17);
	KUNIT_EXPECT_TRUE(test, test_bit(2, s->idle));
	secbuf_slots_bare(&f->slots, &f->shares[0], 2);
	KUNIT_EXPECT_EQ(test, s->nr_backed, 16);
	expect_counts(test, f);
}

static void group_large_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, 2 * PAGE_SIZE, 3);

	KUNIT_EXPECT_EQ(test, f->slots.per_group, 1);
	KUNIT_EXPECT_EQ(test, f->slots.nr_groups, 3);
	KUNIT_EXPECT_EQ(test, secbuf_slots_group_pages(&f->slots), 2);
	take(test, f, 0, PROGRAM);
	take(test, f, 0, PROGRAM);
	put(f, 0, 0);
	KUNIT_EXPECT_TRUE(test, test_bit(0, f->slots.idle));
	KUNIT_EXPECT_FALSE(test, test_bit(1, f->slots.idle));
	KUNIT_EXPECT_FALSE(test, test_bit(2, f->slots.backed));
	expect_counts(test, f);
}

/* Two members at random: the counters never lose touch with the bits. */
static void random_test(struct kunit *test)
{
	struct fixture *f = fixture_new(test, PAGE_SIZE / 4, 50);
	struct secbuf_slots *s = &f->slots;
	u32 seed = 12345;
	unsigned long id;
	unsigned int group;
	int i, member;

	for (i = 0; i < 4000; i++) {
		seed = seed * 1664525 + 1013904223;
		member = seed >> 31;
		id = (seed >> 16) % 50;
		if (seed >> 24 & 1 && s->in_use < 50) {
			take(test, f, member, PROGRAM);
		} else if (test_bit(id, f->shares[member].mine)) {
			put(f, member, id);
		} else if (seed >> 12 & 1) {
			group = secbuf_slots_find_idle(s, NULL, 0);
			if (group < s->nr_groups)
				secbuf_slots_bare(s, f->payers[group], group);
		}
		if (i % 100 == 0)
			expect_counts(test, f);
	}
	expect_counts(test, f);
}

static struct kunit_case slots_cases[] = {
	KUNIT_CASE(find_alone_test),
	KUNIT_CASE(find_backed_first_test),
	KUNIT_CASE(find_apart_test),
	KUNIT_CASE(find_idle_of_another_test),
	KUNIT_CASE(payer_gone_test),
	KUNIT_CASE(find_idle_test),
	KUNIT_CASE(check_test),
	KUNIT_CASE_PARAM(span_test, span_gen_params),
	KUNIT_CASE(group_test),
	KUNIT_CASE(group_large_test),
	KUNIT_CASE(random_test),
	{}
};

static struct kunit_suite slots_suite = {
	.name = "secbuf_slots",
	.test_cases = slots_cases,
};

kunit_test_suite(slots_suite);
