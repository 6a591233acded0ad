// SPDX-License-Identifier: GPL-2.0
/*
 * The codec as it is built into the kernel, against the table of the tests in
 * user space. Bytes lie in blocks of just their size, so that KASAN sees every
 * byte too far.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/secbuf_cursor.h>

#include "../../codec/vectors.h"

#define FILLER	0xa5

static u8 *bytes_new(struct kunit *test, size_t n)
{
	u8 *bytes = kvmalloc(n ?: 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memset(bytes, FILLER, n);
	return bytes;
}

static u8 *bytes_copy(struct kunit *test, const void *src, size_t n)
{
	u8 *bytes = bytes_new(test, n);

	memcpy(bytes, src, n);
	return bytes;
}

static bool is_filler(const u8 *bytes, size_t n)
{
	return !memchr_inv(bytes, FILLER, n);
}

static bool same_cursor(const struct secbuf_cursor *a,
			const struct secbuf_cursor *b)
{
	return a->data == b->data && a->size == b->size && a->len == b->len &&
	       a->pos == b->pos && a->high == b->high;
}

static int put_number(struct secbuf_cursor *cur,
		      const struct secbuf_vector_number *v)
{
	switch (v->width) {
	case 1:
		return secbuf_cursor_put_u8(cur, v->value);
	case 4:
		return secbuf_cursor_put_u32(cur, v->value);
	default:
		return secbuf_cursor_put_u64(cur, v->value);
	}
}

static int get_number(struct secbuf_cursor *cur, unsigned int width, u64 *out)
{
	u32 u32_value = *out;
	u8 u8_value = *out;
	int err;

	switch (width) {
	case 1:
		err = secbuf_cursor_get_u8(cur, &u8_value);
		*out = u8_value;
		return err;
	case 4:
		err = secbuf_cursor_get_u32(cur, &u32_value);
		*out = u32_value;
		return err;
	default:
		return secbuf_cursor_get_u64(cur, out);
	}
}

KUNIT_ARRAY_PARAM_DESC(number, secbuf_vector_numbers, name);
KUNIT_ARRAY_PARAM_DESC(string, secbuf_vector_strings, name);
KUNIT_ARRAY_PARAM_DESC(mpint, secbuf_vector_mpints, name);
KUNIT_ARRAY_PARAM_DESC(no_mpint, secbuf_vector_no_mpints, name);
KUNIT_ARRAY_PARAM_DESC(no_text, secbuf_vector_no_texts, name);
KUNIT_ARRAY_PARAM_DESC(length, secbuf_vector_lengths, name);

static void put_number_test(struct kunit *test)
{
	const struct secbuf_vector_number *v = test->param_value;
	struct secbuf_cursor cur, before;
	size_t room;
	u8 *bytes;

	for (room = 0; room < v->width; room++) {
		bytes = bytes_new(test, room);
		secbuf_cursor_init(&cur, bytes, room);
		before = cur;
		KUNIT_EXPECT_EQ(test, put_number(&cur, v), -ENOSPC);
		KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
		KUNIT_EXPECT_TRUE(test, is_filler(bytes, room));
		kvfree(bytes);
	}
	bytes = bytes_new(test, v->width);
	secbuf_cursor_init(&cur, bytes, v->width);
	KUNIT_EXPECT_EQ(test, put_number(&cur, v), 0);
	KUNIT_EXPECT_MEMEQ(test, bytes, v->wire, v->width);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), v->width);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_len(&cur), v->width);
	kvfree(bytes);
}

static void get_number_test(struct kunit *test)
{
	const struct secbuf_vector_number *v = test->param_value;
	struct secbuf_cursor cur, before;
	u64 value;
	u8 *bytes;
	size_t n;

	for (n = 0; n < v->width; n++) {
		bytes = bytes_copy(test, v->wire, n);
		secbuf_cursor_init_filled(&cur, bytes, n);
		before = cur;
		value = 77;
		KUNIT_EXPECT_EQ(test, get_number(&cur, v->width, &value),
				-ENODATA);
		KUNIT_EXPECT_EQ(test, value, 77);
		KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
		kvfree(bytes);
	}
	bytes = bytes_copy(test, v->wire, v->width);
	secbuf_cursor_init_filled(&cur, bytes, v->width);
	KUNIT_EXPECT_EQ(test, get_number(&cur, v->width, &value), 0);
	KUNIT_EXPECT_EQ(test, value, v->value);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), v->width);
	kvfree(bytes);
}

static void bool_test(struct kunit *test)
{
	struct secbuf_cursor cur;
	bool value;
	size_t i;
	u8 byte;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_bools); i++) {
		byte = secbuf_vector_bools[i].wire;
		value = !secbuf_vector_bools[i].value;
		secbuf_cursor_init_filled(&cur, &byte, 1);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_get_bool(&cur, &value), 0);
		KUNIT_EXPECT_EQ(test, value, secbuf_vector_bools[i].value);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_get_bool(&cur, &value),
				-ENODATA);
	}
	for (i = 0; i < 2; i++) {
		secbuf_cursor_init(&cur, &byte, 1);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_put_bool(&cur, i), 0);
		KUNIT_EXPECT_EQ(test, byte, i);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_put_bool(&cur, i),
				-ENOSPC);
	}
}

static void put_string_test(struct kunit *test)
{
	const struct secbuf_vector_string *v = test->param_value;
	struct secbuf_cursor cur, before;
	size_t room;
	u8 *bytes;

	for (room = 0; room < 4 + v->len; room++) {
		bytes = bytes_new(test, room);
		secbuf_cursor_init(&cur, bytes, room);
		before = cur;
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				secbuf_cursor_put_string(&cur, v->text,
							 v->len));
		KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
		KUNIT_EXPECT_TRUE(test, is_filler(bytes, room));
		kvfree(bytes);
	}
	bytes = bytes_new(test, room);
	secbuf_cursor_init(&cur, bytes, room);
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_cursor_put_string(&cur, v->text, v->len));
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), room);
	KUNIT_EXPECT_MEMEQ(test, bytes, v->wire, room);
	kvfree(bytes);
}

static void get_string_test(struct kunit *test)
{
	const struct secbuf_vector_string *v = test->param_value;
	const unsigned char *out = NULL;
	struct secbuf_cursor cur;
	size_t len = 77;
	u8 *bytes;

	bytes = bytes_copy(test, v->wire, 4 + v->len);
	secbuf_cursor_init_filled(&cur, bytes, 4 + v->len);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_get_string(&cur, &out, &len), 0);
	KUNIT_EXPECT_EQ(test, len, v->len);
	KUNIT_EXPECT_PTR_EQ(test, out, bytes + 4);
	KUNIT_EXPECT_EQ(test, memcmp(bytes + 4, v->text, v->len), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), 4 + v->len);

	KUNIT_EXPECT_EQ(test, secbuf_cursor_set_pos(&cur, 0), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_skip_string(&cur), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), 4 + v->len);
	kvfree(bytes);
}

static void put_mpint_test(struct kunit *test)
{
	const struct secbuf_vector_mpint *v = test->param_value;
	struct secbuf_cursor cur, before;
	u8 number[16] = {};
	size_t room;
	u8 *bytes;

	memcpy(number + 2, v->number, v->len);
	for (room = 0; room < v->wire_len; room++) {
		bytes = bytes_new(test, room);
		secbuf_cursor_init(&cur, bytes, room);
		before = cur;
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				secbuf_cursor_put_mpint(&cur, number,
							2 + v->len));
		KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
		KUNIT_EXPECT_TRUE(test, is_filler(bytes, room));
		kvfree(bytes);
	}
	bytes = bytes_new(test, room);
	secbuf_cursor_init(&cur, bytes, room);
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_cursor_put_mpint(&cur, number, 2 + v->len));
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), room);
	KUNIT_EXPECT_MEMEQ(test, bytes, v->wire, room);
	kvfree(bytes);
}

static void get_mpint_test(struct kunit *test)
{
	const struct secbuf_vector_mpint *v = test->param_value;
	struct secbuf_cursor cur, before;
	const unsigned char *out;
	size_t len, n;
	u8 *bytes;
	int err;

	for (n = 0; n <= v->wire_len; n++) {
		bytes = bytes_copy(test, v->wire, n);
		secbuf_cursor_init_filled(&cur, bytes, n);
		before = cur;
		out = NULL;
		err = secbuf_cursor_get_mpint(&cur, &out, &len);
		KUNIT_EXPECT_EQ(test, err, n < v->wire_len ? -ENODATA : 0);
		KUNIT_EXPECT_EQ(test, same_cursor(&cur, &before), !!err);
		KUNIT_EXPECT_PTR_EQ(test, out, err ? NULL : bytes + n - v->len);
		if (!err)
			KUNIT_EXPECT_EQ(test, memcmp(out, v->number, len), 0);
		kvfree(bytes);
	}
}

static void expect_bad(struct kunit *test,
		       int (*get)(struct secbuf_cursor *cur,
				  const unsigned char **out, size_t *len))
{
	const struct secbuf_vector_wire *v = test->param_value;
	u8 *bytes = bytes_copy(test, v->wire, v->wire_len);
	const unsigned char *out = NULL;
	struct secbuf_cursor cur, before;
	size_t len = 77;

	secbuf_cursor_init_filled(&cur, bytes, v->wire_len);
	before = cur;
	KUNIT_EXPECT_EQ(test, get(&cur, &out, &len), -EBADMSG);
	KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
	KUNIT_EXPECT_NULL(test, out);
	KUNIT_EXPECT_EQ(test, len, 77);
	kvfree(bytes);
}

static void no_mpint_test(struct kunit *test)
{
	expect_bad(test, secbuf_cursor_get_mpint);
}

static void no_text_test(struct kunit *test)
{
	expect_bad(test, secbuf_cursor_get_text);
}

/* Bytes of the cursor itself are put as they were before. */
static void own_bytes_test(struct kunit *test)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	const size_t len = sizeof(text) - 1;
	u8 *bytes = bytes_new(test, 2 * len + 4);
	struct secbuf_cursor cur;
	size_t from, to;

	for (from = 0; from <= len; from++) {
		for (to = 0; to <= len; to++) {
			memcpy(bytes, text, len);
			secbuf_cursor_init(&cur, bytes, 2 * len + 4);
			secbuf_cursor_extend(&cur, len);
			secbuf_cursor_set_pos(&cur, to);
			KUNIT_EXPECT_EQ(test, 0,
					secbuf_cursor_put_string(&cur,
								 bytes + from,
								 len - from));
			KUNIT_EXPECT_EQ(test, bytes[to + 3], len - from);
			KUNIT_EXPECT_EQ(test, 0,
					memcmp(bytes + to + 4, text + from,
					       len - from));
		}
	}
	kvfree(bytes);
}

static void window_test(struct kunit *test)
{
	u8 *bytes = bytes_new(test, 8);
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, bytes, 8);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_put_u8(&cur, 1), 0);
	KUNIT_EXPECT_NULL(test, secbuf_cursor_window(&cur, 8));
	KUNIT_EXPECT_NULL(test, secbuf_cursor_window(&cur, SIZE_MAX));
	KUNIT_EXPECT_EQ(test, secbuf_cursor_advance(&cur, 8), -ERANGE);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_extend(&cur, SIZE_MAX), -ERANGE);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_dirty(&cur), 1);
	KUNIT_EXPECT_PTR_EQ(test, secbuf_cursor_window(&cur, 6), bytes + 1);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_dirty(&cur), 7);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_len(&cur), 1);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_advance(&cur, 2), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_len(&cur), 3);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_extend(&cur, 5), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), 3);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_set_len(&cur, 3), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_dirty(&cur), 8);
	kvfree(bytes);
}

static void string_length_test(struct kunit *test)
{
	const struct secbuf_vector_length *v = test->param_value;
	const unsigned char *out = NULL;
	struct secbuf_cursor cur, before;
	size_t len = 77;
	u8 head[4];
	u8 *bytes;

	__secbuf_cursor_store_u32(head, v->head);
	bytes = bytes_new(test, v->head_len + v->body);
	memcpy(bytes, head, v->head_len);
	secbuf_cursor_init_filled(&cur, bytes, v->head_len + v->body);
	before = cur;
	KUNIT_EXPECT_EQ(test, v->result,
			secbuf_cursor_get_string_max(&cur, v->max, &out,
						     &len));
	KUNIT_EXPECT_EQ(test, len, v->result ? 77 : v->head);
	KUNIT_EXPECT_PTR_EQ(test, out, v->result ? NULL : bytes + 4);
	if (v->result)
		KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
	if (v->max == SECBUF_VECTOR_MAX) {
		cur = before;
		KUNIT_EXPECT_EQ(test, secbuf_cursor_skip_string(&cur),
				v->result);
		KUNIT_EXPECT_EQ(test, same_cursor(&cur, &before), !!v->result);
	}
	kvfree(bytes);
}

static void put_string_limit_test(struct kunit *test)
{
	const size_t max = SECBUF_STRING_MAX_DEFAULT;
	u8 *bytes = bytes_new(test, max + 5);
	u8 *src = bytes_new(test, max + 1);
	struct secbuf_cursor cur, before;

	secbuf_cursor_init(&cur, bytes, max + 5);
	before = cur;
	KUNIT_EXPECT_EQ(test, secbuf_cursor_put_string(&cur, src, max + 1),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_put_string(&cur, src, SIZE_MAX),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_put_string_max(&cur, 2, src, 3),
			-EMSGSIZE);
	KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
	KUNIT_EXPECT_TRUE(test, is_filler(bytes, max + 5));

	KUNIT_EXPECT_EQ(test, secbuf_cursor_put_string(&cur, src, max), 0);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), max + 4);
	cur = before;
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_cursor_put_string_max(&cur, max + 1, src,
						     max + 1));
	KUNIT_EXPECT_EQ(test, secbuf_cursor_pos(&cur), max + 5);
	kvfree(src);
	kvfree(bytes);
}

/* Sizes with which position + size is small again. */
static void size_wraps_test(struct kunit *test)
{
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 3, SIZE_MAX - 4,
		SIZE_MAX - 7, SIZE_MAX - 8, SIZE_MAX / 2, SIZE_MAX / 2 + 1, 9,
	};
	struct secbuf_cursor cur, before;
	u8 *bytes = bytes_new(test, 16);
	const unsigned char *out = NULL;
	u8 copy[16] = {};
	size_t i, n;

	secbuf_cursor_init_filled(&cur, bytes, 16);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_skip(&cur, 8), 0);
	before = cur;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		n = sizes[i];
		KUNIT_EXPECT_EQ(test, secbuf_cursor_skip(&cur, n), -ERANGE);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_rewind(&cur, n), -ERANGE);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_get_view(&cur, n, &out),
				-ENODATA);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_get_bytes(&cur, copy, n),
				-ENODATA);
		KUNIT_EXPECT_EQ(test, secbuf_cursor_put_bytes(&cur, copy, n),
				-ENOSPC);
		KUNIT_EXPECT_NE(test, 0,
				secbuf_cursor_put_string_max(&cur, SIZE_MAX,
							     copy, n));
		KUNIT_EXPECT_TRUE(test, same_cursor(&cur, &before));
	}
	KUNIT_EXPECT_NULL(test, out);
	KUNIT_EXPECT_TRUE(test, is_filler(bytes, 16));
	kvfree(bytes);
}

/* Of every shorter room the fields that fit are written, and no byte more. */
static void message_put_test(struct kunit *test)
{
	const size_t size = sizeof(secbuf_vector_message);
	struct secbuf_cursor cur, before;
	unsigned int field;
	size_t room;
	u8 *bytes;

	for (room = 0; room <= size; room++) {
		bytes = bytes_new(test, room);
		secbuf_cursor_init(&cur, bytes, room);
		before = cur;
		for (field = 0; field < SECBUF_VECTOR_NR_FIELDS; field++) {
			before = cur;
			if (secbuf_vector_put_field(&cur, field))
				break;
		}
		KUNIT_EXPECT_EQ(test, field == SECBUF_VECTOR_NR_FIELDS,
				room == size);
		KUNIT_EXPECT_EQ(test, same_cursor(&cur, &before), room < size);
		KUNIT_EXPECT_MEMEQ(test, bytes, secbuf_vector_message,
				   cur.len);
		KUNIT_EXPECT_TRUE(test,
				  is_filler(bytes + cur.len, room - cur.len));
		kvfree(bytes);
	}
}

static void message_truncated_test(struct kunit *test)
{
	const size_t size = sizeof(secbuf_vector_message);
	struct secbuf_cursor cur, before;
	unsigned int field;
	int err = 0;
	u8 *bytes;
	size_t n;

	for (n = 0; n <= size; n++) {
		bytes = bytes_copy(test, secbuf_vector_message, n);
		secbuf_cursor_init_filled(&cur, bytes, n);
		before = cur;
		for (field = 0; field < SECBUF_VECTOR_NR_FIELDS; field++) {
			before = cur;
			err = secbuf_vector_get_field(&cur, field);
			if (err)
				break;
		}
		KUNIT_EXPECT_EQ(test, err, n < size ? -ENODATA : 0);
		KUNIT_EXPECT_EQ(test, same_cursor(&cur, &before), n < size);
		kvfree(bytes);
	}
}

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE_PARAM(put_number_test, number_gen_params),
	KUNIT_CASE_PARAM(get_number_test, number_gen_params),
	KUNIT_CASE(bool_test),
	KUNIT_CASE_PARAM(put_string_test, string_gen_params),
	KUNIT_CASE_PARAM(get_string_test, string_gen_params),
	KUNIT_CASE_PARAM(put_mpint_test, mpint_gen_params),
	KUNIT_CASE_PARAM(get_mpint_test, mpint_gen_params),
	KUNIT_CASE_PARAM(no_mpint_test, no_mpint_gen_params),
	KUNIT_CASE_PARAM(no_text_test, no_text_gen_params),
	KUNIT_CASE(own_bytes_test),
	KUNIT_CASE(window_test),
	KUNIT_CASE_PARAM(string_length_test, length_gen_params),
	KUNIT_CASE(put_string_limit_test),
	KUNIT_CASE(size_wraps_test),
	KUNIT_CASE(message_put_test),
	KUNIT_CASE(message_truncated_test),
	{}
};

static struct kunit_suite cursor_suite = {
	.name = "secbuf_cursor",
	.test_cases = cursor_cases,
};

kunit_test_suite(cursor_suite);
