// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The codec against its vectors. Bytes live in malloc() blocks of just their
 * size, so that AddressSanitizer sees every byte too far.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <secbuf.h>

#include "harness.h"

#include "vectors.h"

#define FILLER	0xa5

static unsigned char *bytes_new(size_t n)
{
	unsigned char *bytes = malloc(n ? n : 1);

	if (!bytes)
		abort();
	memset(bytes, FILLER, n);
	return bytes;
}

static unsigned char *bytes_copy(const void *src, size_t n)
{
	unsigned char *bytes = bytes_new(n);

	memcpy(bytes, src, n);
	return bytes;
}

static bool is_filler(const unsigned char *bytes, size_t n)
{
	while (n--)
		if (*bytes++ != FILLER)
			return false;
	return true;
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

static int get_number(struct secbuf_cursor *cur, unsigned int width,
		      uint64_t *out)
{
	uint32_t u32_value = *out;
	uint8_t u8_value = *out;
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

TEST(init)
{
	struct secbuf_cursor cur;
	unsigned char bytes[8];

	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(0, secbuf_cursor_pos(&cur));
	EXPECT_EQ(0, secbuf_cursor_len(&cur));
	EXPECT_EQ(8, secbuf_cursor_size(&cur));
	EXPECT_EQ(0, secbuf_cursor_remaining(&cur));
	EXPECT_EQ(8, secbuf_cursor_space(&cur));
	EXPECT_EQ(0, secbuf_cursor_ptr(&cur) - bytes);

	secbuf_cursor_init_filled(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(0, secbuf_cursor_pos(&cur));
	EXPECT_EQ(8, secbuf_cursor_len(&cur));
	EXPECT_EQ(8, secbuf_cursor_size(&cur));
	EXPECT_EQ(8, secbuf_cursor_remaining(&cur));
	EXPECT_EQ(0, secbuf_cursor_skip(&cur, 3));
	EXPECT_EQ(5, secbuf_cursor_remaining(&cur));
	EXPECT_EQ(5, secbuf_cursor_space(&cur));
	EXPECT_EQ(3, secbuf_cursor_ptr(&cur) - bytes);
}

TEST(put_numbers)
{
	const struct secbuf_vector_number *v = secbuf_vector_numbers;
	struct secbuf_cursor cur, before;
	unsigned char *bytes;
	size_t i, room;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_numbers); i++, v++) {
		for (room = 0; room < v->width; room++) {
			bytes = bytes_new(room);
			secbuf_cursor_init(&cur, bytes, room);
			before = cur;
			EXPECT_EQ(-ENOSPC, put_number(&cur, v));
			EXPECT_TRUE(same_cursor(&cur, &before));
			EXPECT_TRUE(is_filler(bytes, room));
			free(bytes);
		}
		bytes = bytes_new(v->width);
		secbuf_cursor_init(&cur, bytes, v->width);
		EXPECT_EQ(0, put_number(&cur, v));
		EXPECT_EQ(0, memcmp(bytes, v->wire, v->width)) {
			TH_LOG("%s", v->name);
		}
		EXPECT_EQ(v->width, secbuf_cursor_pos(&cur));
		EXPECT_EQ(v->width, secbuf_cursor_len(&cur));
		free(bytes);
	}
}

TEST(get_numbers)
{
	const struct secbuf_vector_number *v = secbuf_vector_numbers;
	struct secbuf_cursor cur, before;
	unsigned char *bytes;
	uint64_t value;
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_numbers); i++, v++) {
		for (n = 0; n < v->width; n++) {
			bytes = bytes_copy(v->wire, n);
			secbuf_cursor_init_filled(&cur, bytes, n);
			before = cur;
			value = 77;
			EXPECT_EQ(-ENODATA, get_number(&cur, v->width, &value));
			EXPECT_EQ(77, value);
			EXPECT_TRUE(same_cursor(&cur, &before));
			free(bytes);
		}
		bytes = bytes_copy(v->wire, v->width);
		secbuf_cursor_init_filled(&cur, bytes, v->width);
		EXPECT_EQ(0, get_number(&cur, v->width, &value));
		EXPECT_EQ(v->value, value) {
			TH_LOG("%s", v->name);
		}
		EXPECT_EQ(v->width, secbuf_cursor_pos(&cur));
		free(bytes);
	}
}

TEST(bools)
{
	unsigned char byte;
	struct secbuf_cursor cur;
	bool value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_bools); i++) {
		byte = secbuf_vector_bools[i].wire;
		value = !secbuf_vector_bools[i].value;
		secbuf_cursor_init_filled(&cur, &byte, 1);
		EXPECT_EQ(0, secbuf_cursor_get_bool(&cur, &value));
		EXPECT_EQ(secbuf_vector_bools[i].value, value);
		EXPECT_EQ(-ENODATA, secbuf_cursor_get_bool(&cur, &value));
	}
	for (i = 0; i < 2; i++) {
		secbuf_cursor_init(&cur, &byte, 1);
		EXPECT_EQ(0, secbuf_cursor_put_bool(&cur, i));
		EXPECT_EQ(i, byte);
		EXPECT_EQ(-ENOSPC, secbuf_cursor_put_bool(&cur, i));
	}
}

TEST(peek)
{
	unsigned char bytes[] = { 0x29, 0xb7, 0xf4, 0xaa, 0x05 };
	struct secbuf_cursor cur;
	uint32_t u32_value = 0;
	uint8_t u8_value = 0;

	secbuf_cursor_init_filled(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(0, secbuf_cursor_peek_u32(&cur, &u32_value));
	EXPECT_EQ(699921578, u32_value);
	EXPECT_EQ(0, secbuf_cursor_peek_u8(&cur, &u8_value));
	EXPECT_EQ(0x29, u8_value);
	EXPECT_EQ(0, secbuf_cursor_pos(&cur));

	EXPECT_EQ(0, secbuf_cursor_skip(&cur, 2));
	u32_value = 77;
	EXPECT_EQ(-ENODATA, secbuf_cursor_peek_u32(&cur, &u32_value));
	EXPECT_EQ(77, u32_value);
	EXPECT_EQ(0, secbuf_cursor_skip(&cur, 3));
	u8_value = 77;
	EXPECT_EQ(-ENODATA, secbuf_cursor_peek_u8(&cur, &u8_value));
	EXPECT_EQ(77, u8_value);
}

TEST(put_strings)
{
	const struct secbuf_vector_string *v = secbuf_vector_strings;
	struct secbuf_cursor cur, before;
	unsigned char *bytes;
	size_t i, room;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_strings); i++, v++) {
		for (room = 0; room < 4 + v->len; room++) {
			bytes = bytes_new(room);
			secbuf_cursor_init(&cur, bytes, room);
			before = cur;
			EXPECT_EQ(-ENOSPC,
				  secbuf_cursor_put_string(&cur, v->text,
							   v->len));
			EXPECT_TRUE(same_cursor(&cur, &before));
			EXPECT_TRUE(is_filler(bytes, room));
			free(bytes);
		}
		bytes = bytes_new(room);
		secbuf_cursor_init(&cur, bytes, room);
		EXPECT_EQ(0, secbuf_cursor_put_string(&cur, v->text, v->len));
		EXPECT_EQ(room, secbuf_cursor_pos(&cur));
		EXPECT_EQ(0, memcmp(bytes, v->wire, room)) {
			TH_LOG("%s", v->name);
		}
		free(bytes);
	}
}

TEST(get_strings)
{
	const struct secbuf_vector_string *v = secbuf_vector_strings;
	const unsigned char *out;
	struct secbuf_cursor cur;
	unsigned char *bytes;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_strings); i++, v++) {
		bytes = bytes_copy(v->wire, 4 + v->len);
		secbuf_cursor_init_filled(&cur, bytes, 4 + v->len);
		EXPECT_EQ(0, secbuf_cursor_get_string(&cur, &out, &len));
		EXPECT_EQ(v->len, len);
		EXPECT_EQ(bytes + 4, out);
		EXPECT_EQ(0, memcmp(out, v->text, v->len));
		EXPECT_EQ(4 + v->len, secbuf_cursor_pos(&cur));

		secbuf_cursor_set_pos(&cur, 0);
		EXPECT_EQ(0, secbuf_cursor_skip_string(&cur));
		EXPECT_EQ(4 + v->len, secbuf_cursor_pos(&cur));
		free(bytes);
	}
}

TEST(put_mpints)
{
	const struct secbuf_vector_mpint *v = secbuf_vector_mpints;
	unsigned char number[16] = { 0 };
	struct secbuf_cursor cur, before;
	unsigned char *bytes;
	size_t i, room, zeros;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_mpints); i++, v++) {
		for (room = 0; room < v->wire_len; room++) {
			bytes = bytes_new(room);
			secbuf_cursor_init(&cur, bytes, room);
			before = cur;
			EXPECT_EQ(-ENOSPC,
				  secbuf_cursor_put_mpint(&cur, v->number,
							  v->len));
			EXPECT_TRUE(same_cursor(&cur, &before));
			EXPECT_TRUE(is_filler(bytes, room));
			free(bytes);
		}
		for (zeros = 0; zeros < 3; zeros++) {
			memset(number, 0, sizeof(number));
			memcpy(number + zeros, v->number, v->len);
			bytes = bytes_new(room);
			secbuf_cursor_init(&cur, bytes, room);
			EXPECT_EQ(0, secbuf_cursor_put_mpint(&cur, number,
							     zeros + v->len));
			EXPECT_EQ(room, secbuf_cursor_pos(&cur));
			EXPECT_EQ(0, memcmp(bytes, v->wire, room)) {
				TH_LOG("%s", v->name);
			}
			free(bytes);
		}
	}
}

/* Whole, and cut off after every byte. */
TEST(get_mpints)
{
	const struct secbuf_vector_mpint *v = secbuf_vector_mpints;
	struct secbuf_cursor cur, before;
	const unsigned char *out;
	unsigned char *bytes;
	size_t i, n, len;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_mpints); i++, v++) {
		for (n = 0; n <= v->wire_len; n++) {
			bytes = bytes_copy(v->wire, n);
			secbuf_cursor_init_filled(&cur, bytes, n);
			before = cur;
			out = NULL;
			len = 77;
			if (n < v->wire_len) {
				EXPECT_EQ(-ENODATA,
					  secbuf_cursor_get_mpint(&cur, &out,
								  &len));
				EXPECT_TRUE(same_cursor(&cur, &before));
				EXPECT_EQ(NULL, out);
				EXPECT_EQ(77, len);
			} else {
				EXPECT_EQ(0, secbuf_cursor_get_mpint(&cur, &out,
								     &len));
				EXPECT_EQ(v->len, len);
				EXPECT_EQ(bytes + n - v->len, out);
				EXPECT_EQ(0, memcmp(out, v->number, len));
				EXPECT_EQ(n, secbuf_cursor_pos(&cur));
			}
			free(bytes);
		}
	}
}

static int get_bad(bool mpint, const struct secbuf_vector_wire *v)
{
	unsigned char *bytes = bytes_copy(v->wire, v->wire_len);
	const unsigned char *out = NULL;
	struct secbuf_cursor cur, before;
	size_t len = 77;
	int err;

	secbuf_cursor_init_filled(&cur, bytes, v->wire_len);
	before = cur;
	err = mpint ? secbuf_cursor_get_mpint(&cur, &out, &len) :
		      secbuf_cursor_get_text(&cur, &out, &len);
	if (out || len != 77 || !same_cursor(&cur, &before))
		err = 0;
	free(bytes);
	return err;
}

TEST(strings_that_are_not_what_they_have_to_be)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_no_mpints); i++)
		EXPECT_EQ(-EBADMSG, get_bad(true, &secbuf_vector_no_mpints[i])) {
			TH_LOG("mpint %zu", i);
		}
	for (i = 0; i < ARRAY_SIZE(secbuf_vector_no_texts); i++)
		EXPECT_EQ(-EBADMSG, get_bad(false, &secbuf_vector_no_texts[i])) {
			TH_LOG("text %zu", i);
		}
}

TEST(mpint_limits)
{
	const size_t max = SECBUF_STRING_MAX_DEFAULT;
	unsigned char *bytes = bytes_new(max + 5);
	unsigned char *number = bytes_new(max + 1);
	struct secbuf_cursor cur, before;
	const unsigned char *out;
	size_t len;

	secbuf_cursor_init(&cur, bytes, max + 5);
	before = cur;
	/* One more for the sign would be too long. */
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_put_mpint(&cur, number, max));
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_put_mpint(&cur, number, max + 1));
	number[0] = 0x7f;
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_put_mpint(&cur, number, max + 1));
	EXPECT_TRUE(same_cursor(&cur, &before));
	EXPECT_TRUE(is_filler(bytes, max + 5));

	EXPECT_EQ(0, secbuf_cursor_put_mpint(&cur, number, max));
	EXPECT_EQ(max + 4, secbuf_cursor_pos(&cur));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&cur, 0));
	EXPECT_EQ(0, secbuf_cursor_get_mpint(&cur, &out, &len));
	EXPECT_EQ(max, len);
	__secbuf_cursor_store_u32(bytes, max + 1);
	EXPECT_EQ(0, secbuf_cursor_set_pos(&cur, 0));
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_get_mpint(&cur, &out, &len));
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_get_text(&cur, &out, &len));
	free(number);
	free(bytes);
}

TEST(texts)
{
	const struct secbuf_vector_string *v = secbuf_vector_strings;
	struct secbuf_cursor cur;
	const unsigned char *out;
	unsigned char *bytes;
	size_t i, n, len;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_strings); i++, v++) {
		if (memchr(v->text, 0, v->len))
			continue;
		for (n = 0; n <= 4 + v->len; n++) {
			bytes = bytes_copy(v->wire, n);
			secbuf_cursor_init_filled(&cur, bytes, n);
			EXPECT_EQ(n < 4 + v->len ? -ENODATA : 0,
				  secbuf_cursor_get_text(&cur, &out, &len));
			EXPECT_EQ(n < 4 + v->len ? 0 : n,
				  secbuf_cursor_pos(&cur));
			free(bytes);
		}
	}
}

TEST(string_lengths)
{
	const struct secbuf_vector_length *v = secbuf_vector_lengths;
	struct secbuf_cursor cur, before;
	const unsigned char *out;
	unsigned char *bytes;
	unsigned char head[4];
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(secbuf_vector_lengths); i++, v++) {
		__secbuf_cursor_store_u32(head, v->head);
		bytes = bytes_new(v->head_len + v->body);
		memcpy(bytes, head, v->head_len);
		secbuf_cursor_init_filled(&cur, bytes, v->head_len + v->body);
		before = cur;
		out = NULL;
		len = 77;
		EXPECT_EQ(v->result,
			  secbuf_cursor_get_string_max(&cur, v->max, &out,
						       &len)) {
			TH_LOG("%s", v->name);
		}
		if (v->result) {
			EXPECT_TRUE(same_cursor(&cur, &before));
			EXPECT_EQ(NULL, out);
			EXPECT_EQ(77, len);
		} else {
			EXPECT_EQ(v->head, len);
			EXPECT_EQ(bytes + 4, out);
		}
		if (v->max == SECBUF_VECTOR_MAX) {
			cur = before;
			EXPECT_EQ(v->result, secbuf_cursor_skip_string(&cur));
			EXPECT_EQ(!v->result, !same_cursor(&cur, &before));
		}
		free(bytes);
	}
}

TEST(put_string_limits)
{
	const size_t max = SECBUF_STRING_MAX_DEFAULT;
	unsigned char *src = bytes_new(max + 1);
	unsigned char *bytes = bytes_new(max + 5);
	struct secbuf_cursor cur, before;

	secbuf_cursor_init(&cur, bytes, max + 5);
	before = cur;
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_put_string(&cur, src, max + 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_put_string(&cur, src, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_cursor_put_string_max(&cur, 2, src, 3));
	EXPECT_TRUE(same_cursor(&cur, &before));
	EXPECT_TRUE(is_filler(bytes, max + 5));

	EXPECT_EQ(0, secbuf_cursor_put_string(&cur, src, max));
	EXPECT_EQ(max + 4, secbuf_cursor_pos(&cur));
	cur = before;
	EXPECT_EQ(0, secbuf_cursor_put_string_max(&cur, max + 1, src,
						  max + 1));
	EXPECT_EQ(max + 5, secbuf_cursor_pos(&cur));
	free(bytes);
	free(src);
}

/* Sizes with which position + size is small again. */
TEST(sizes_that_wrap)
{
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 3, SIZE_MAX - 4,
		SIZE_MAX - 7, SIZE_MAX - 8, SIZE_MAX / 2, SIZE_MAX / 2 + 1, 9,
	};
	const unsigned char *out = NULL;
	struct secbuf_cursor cur, before;
	unsigned char *bytes = bytes_new(16);
	unsigned char copy[16];
	size_t i, n;

	secbuf_cursor_init_filled(&cur, bytes, 16);
	EXPECT_EQ(0, secbuf_cursor_skip(&cur, 8));
	before = cur;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		n = sizes[i];
		EXPECT_EQ(-ERANGE, secbuf_cursor_skip(&cur, n));
		EXPECT_EQ(-ERANGE, secbuf_cursor_rewind(&cur, n));
		EXPECT_EQ(-ENODATA, secbuf_cursor_get_view(&cur, n, &out));
		EXPECT_EQ(-ENODATA, secbuf_cursor_get_bytes(&cur, copy, n));
		EXPECT_EQ(-ENOSPC, secbuf_cursor_put_bytes(&cur, copy, n));
		EXPECT_NE(0, secbuf_cursor_put_string_max(&cur, SIZE_MAX, copy,
							  n));
		if (n > 16) {
			EXPECT_EQ(-ERANGE, secbuf_cursor_set_pos(&cur, n));
			EXPECT_EQ(-ERANGE, secbuf_cursor_set_len(&cur, n));
		}
		EXPECT_EQ(NULL, out);
		EXPECT_TRUE(same_cursor(&cur, &before));
	}
	EXPECT_TRUE(is_filler(bytes, 16));
	free(bytes);
}

/*
 * With more than 4 GiB there is room for a string whose length plus that of its
 * length has no room in 32 bits. Nobody touches the bytes.
 */
TEST(get_string_of_nearly_4_gib)
{
	const size_t size = 0x100000010ULL;
	const unsigned char *out = NULL;
	struct secbuf_cursor cur;
	unsigned char *bytes;
	size_t len = 0;

	if (sizeof(size_t) == 4)
		SKIP(return, "no size on this machine exceeds 32 bits");
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		SKIP(return, "not that much address space");
	memset(bytes, 0xff, 4);
	secbuf_cursor_init_filled(&cur, bytes, size);
	EXPECT_EQ(0, secbuf_cursor_get_string_max(&cur, SIZE_MAX, &out, &len));
	EXPECT_EQ(0xffffffffULL, len);
	EXPECT_EQ(&bytes[4], out);
	EXPECT_EQ(0x100000003ULL, secbuf_cursor_pos(&cur));
	munmap(bytes, size);
}

TEST(put_string_too_long_for_its_length)
{
	unsigned char bytes[8];
	struct secbuf_cursor cur;

	if (sizeof(size_t) == 4)
		SKIP(return, "no size on this machine exceeds 32 bits");

	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(-ENOSPC,
		  secbuf_cursor_put_string_max(&cur, SIZE_MAX, bytes,
					       0xffffffffULL));
	EXPECT_EQ(-EMSGSIZE,
		  secbuf_cursor_put_string_max(&cur, SIZE_MAX, bytes,
					       0x100000000ULL));
	EXPECT_EQ(0, secbuf_cursor_len(&cur));
}

TEST(moves)
{
	unsigned char bytes[8];
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(-ERANGE, secbuf_cursor_set_pos(&cur, 1));
	EXPECT_EQ(-ERANGE, secbuf_cursor_skip(&cur, 1));
	EXPECT_EQ(-ERANGE, secbuf_cursor_rewind(&cur, 1));
	EXPECT_EQ(-ERANGE, secbuf_cursor_set_len(&cur, 9));
	EXPECT_EQ(0, secbuf_cursor_set_len(&cur, 8));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&cur, 8));
	EXPECT_EQ(-ERANGE, secbuf_cursor_set_pos(&cur, 9));
	EXPECT_EQ(-ERANGE, secbuf_cursor_skip(&cur, 1));
	EXPECT_EQ(0, secbuf_cursor_skip(&cur, 0));
	EXPECT_EQ(0, secbuf_cursor_rewind(&cur, 3));
	EXPECT_EQ(5, secbuf_cursor_pos(&cur));
	EXPECT_EQ(-ERANGE, secbuf_cursor_set_len(&cur, 4));
	EXPECT_EQ(8, secbuf_cursor_len(&cur));
	EXPECT_EQ(0, secbuf_cursor_set_len(&cur, 5));
	EXPECT_EQ(0, secbuf_cursor_remaining(&cur));
}

TEST(put_inside_contents)
{
	unsigned char bytes[8];
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(0, secbuf_cursor_put_u32(&cur, 0));
	EXPECT_EQ(0, secbuf_cursor_put_bytes(&cur, "abc", 3));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&cur, 0));
	EXPECT_EQ(0, secbuf_cursor_put_u32(&cur, 3));
	EXPECT_EQ(4, secbuf_cursor_pos(&cur));
	EXPECT_EQ(7, secbuf_cursor_len(&cur));
	EXPECT_EQ(0, memcmp(bytes, "\0\0\0\3abc", 7));
}

/* Bytes of the cursor itself are put as they were before. */
TEST(put_own_bytes)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned char expected[80], *bytes;
	const size_t len = sizeof(text) - 1;
	struct secbuf_cursor cur;
	size_t from, to, n;

	for (n = 0; n <= len; n++) {
		for (from = 0; from + n <= len; from++) {
			for (to = 0; to <= len; to++) {
				bytes = bytes_new(len + n + 5);
				memcpy(bytes, text, len);
				secbuf_cursor_init(&cur, bytes, len + n + 5);
				secbuf_cursor_extend(&cur, len);
				secbuf_cursor_set_pos(&cur, to);
				__secbuf_cursor_store_u32(expected, n);
				memcpy(expected + 4, bytes + from, n);
				ASSERT_EQ(0, secbuf_cursor_put_string(&cur,
								      bytes + from, n));
				ASSERT_EQ(0, memcmp(bytes + to, expected, n + 4));

				memcpy(bytes, text, len);
				secbuf_cursor_set_pos(&cur, to);
				ASSERT_EQ(0, secbuf_cursor_put_mpint(&cur,
								     bytes + from, n));
				ASSERT_EQ(0, memcmp(bytes + to, expected, n + 4));
				free(bytes);
			}
		}
	}
}

TEST(windows)
{
	unsigned char bytes[8];
	struct secbuf_cursor cur, before;

	memset(bytes, FILLER, sizeof(bytes));
	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(0, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(&bytes[0], secbuf_cursor_window(&cur, 0));
	EXPECT_EQ(0, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(0, secbuf_cursor_put_u8(&cur, 1));
	before = cur;
	EXPECT_EQ(NULL, secbuf_cursor_window(&cur, 8));
	EXPECT_EQ(NULL, secbuf_cursor_window(&cur, SIZE_MAX));
	EXPECT_EQ(-ERANGE, secbuf_cursor_advance(&cur, 8));
	EXPECT_EQ(-ERANGE, secbuf_cursor_advance(&cur, SIZE_MAX));
	EXPECT_EQ(-ERANGE, secbuf_cursor_extend(&cur, 8));
	EXPECT_EQ(-ERANGE, secbuf_cursor_extend(&cur, SIZE_MAX));
	EXPECT_TRUE(same_cursor(&cur, &before));

	EXPECT_EQ(&bytes[1], secbuf_cursor_window(&cur, 6));
	EXPECT_EQ(1, secbuf_cursor_len(&cur));
	EXPECT_EQ(7, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(&bytes[1], secbuf_cursor_window(&cur, 2));
	EXPECT_EQ(7, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(0, secbuf_cursor_advance(&cur, 4));
	EXPECT_EQ(5, secbuf_cursor_pos(&cur));
	EXPECT_EQ(5, secbuf_cursor_len(&cur));
	EXPECT_EQ(0, secbuf_cursor_rewind(&cur, 4));
	EXPECT_EQ(0, secbuf_cursor_advance(&cur, 1));
	EXPECT_EQ(2, secbuf_cursor_pos(&cur));
	EXPECT_EQ(5, secbuf_cursor_len(&cur));
	EXPECT_EQ(0, secbuf_cursor_extend(&cur, 3));
	EXPECT_EQ(2, secbuf_cursor_pos(&cur));
	EXPECT_EQ(8, secbuf_cursor_len(&cur));
	EXPECT_EQ(8, secbuf_cursor_dirty(&cur));
}

/* What is cut off was written, too. */
TEST(dirty_although_cut_off)
{
	unsigned char bytes[8];
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	EXPECT_EQ(0, secbuf_cursor_put_bytes(&cur, "abcdef", 6));
	EXPECT_EQ(6, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&cur, 0));
	EXPECT_EQ(0, secbuf_cursor_set_len(&cur, 2));
	EXPECT_EQ(6, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(0, secbuf_cursor_set_len(&cur, 1));
	EXPECT_EQ(6, secbuf_cursor_dirty(&cur));
	EXPECT_EQ(0, secbuf_cursor_set_len(&cur, 7));
	EXPECT_EQ(7, secbuf_cursor_dirty(&cur));
}

TEST(nothing_at_all)
{
	const unsigned char *out;
	struct secbuf_cursor cur;
	uint8_t byte;

	secbuf_cursor_init(&cur, NULL, 0);
	EXPECT_EQ(-ENOSPC, secbuf_cursor_put_u8(&cur, 1));
	EXPECT_EQ(-ENOSPC, secbuf_cursor_put_string(&cur, NULL, 0));
	EXPECT_EQ(0, secbuf_cursor_put_bytes(&cur, NULL, 0));
	EXPECT_EQ(0, secbuf_cursor_get_bytes(&cur, NULL, 0));
	EXPECT_EQ(-ENODATA, secbuf_cursor_get_u8(&cur, &byte));
	EXPECT_EQ(-ENODATA, secbuf_cursor_get_view(&cur, 1, &out));
	EXPECT_EQ(-ENODATA, secbuf_cursor_skip_string(&cur));
}

/* Of every shorter room the fields that fit are written, and no byte more. */
TEST(message_put)
{
	const size_t size = sizeof(secbuf_vector_message);
	struct secbuf_cursor cur, before;
	unsigned char *bytes;
	unsigned int field;
	size_t room;

	for (room = 0; room <= size; room++) {
		bytes = bytes_new(room);
		secbuf_cursor_init(&cur, bytes, room);
		for (field = 0; field < SECBUF_VECTOR_NR_FIELDS; field++) {
			before = cur;
			if (secbuf_vector_put_field(&cur, field))
				break;
		}
		EXPECT_EQ(room == size, field == SECBUF_VECTOR_NR_FIELDS);
		EXPECT_EQ(room < size, same_cursor(&cur, &before));
		EXPECT_EQ(0, memcmp(bytes, secbuf_vector_message, cur.len));
		EXPECT_TRUE(is_filler(bytes + cur.len, room - cur.len));
		free(bytes);
	}
}

TEST(message_truncated)
{
	const size_t size = sizeof(secbuf_vector_message);
	struct secbuf_cursor cur, before;
	unsigned char *bytes;
	unsigned int field;
	size_t n;
	int err;

	for (n = 0; n <= size; n++) {
		bytes = bytes_copy(secbuf_vector_message, n);
		secbuf_cursor_init_filled(&cur, bytes, n);
		for (field = 0; field < SECBUF_VECTOR_NR_FIELDS; field++) {
			before = cur;
			err = secbuf_vector_get_field(&cur, field);
			if (err)
				break;
		}
		EXPECT_EQ(n < size ? -ENODATA : 0, err);
		EXPECT_EQ(n < size, same_cursor(&cur, &before));
		free(bytes);
	}
}

TEST(bytes_round_trip)
{
	unsigned char src[67], dst[67];
	const unsigned char *view;
	struct secbuf_cursor cur;
	unsigned char *bytes;
	size_t n, i;

	for (i = 0; i < sizeof(src); i++)
		src[i] = i * 7;
	for (n = 0; n <= sizeof(src); n++) {
		bytes = bytes_new(n + 1);
		secbuf_cursor_init(&cur, bytes, n + 1);
		EXPECT_EQ(0, secbuf_cursor_put_bytes(&cur, src, n));
		EXPECT_EQ(FILLER, bytes[n]);
		EXPECT_EQ(0, secbuf_cursor_set_pos(&cur, 0));
		memset(dst, FILLER, sizeof(dst));
		EXPECT_EQ(0, secbuf_cursor_get_bytes(&cur, dst, n));
		EXPECT_EQ(0, memcmp(src, dst, n));
		EXPECT_TRUE(is_filler(dst + n, sizeof(dst) - n));
		EXPECT_EQ(0, secbuf_cursor_rewind(&cur, n));
		EXPECT_EQ(0, secbuf_cursor_get_view(&cur, n, &view));
		EXPECT_EQ(bytes, view);
		EXPECT_EQ(n, secbuf_cursor_pos(&cur));
		free(bytes);
	}
}

TEST_HARNESS_MAIN
