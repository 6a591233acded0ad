// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers that own memory: growth, shrinking, sharing, refusals, and that no
 * secret stays behind in any block. Tests whose names end in an id are about a
 * defect that other buffers for secrets have had.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <secbuf.h>

#include "harness.h"

#include "source.h"
#include "vectors.h"

#define SECRET		"correct horse battery staple"
#define SECRET_LEN	(sizeof(SECRET) - 1)

FIXTURE(buffer)
{
	struct test_source src;
	struct secbuf_source *source;
	struct secbuf_buffer buf;
};

FIXTURE_SETUP(buffer)
{
	test_source_init(&self->src);
	self->source = &self->src.source;
	secbuf_buffer_init(&self->buf, self->source);
}

/* However a test ends: all is released, and all of it is zero. */
FIXTURE_TEARDOWN(buffer)
{
	secbuf_buffer_release(&self->buf);
	EXPECT_TRUE(test_source_clean(&self->src));
	EXPECT_EQ(0, test_source_exit(&self->src));
}

static bool same_bytes(const struct secbuf_buffer *buf, const void *bytes,
		       size_t n)
{
	return buf->cur.len == n && (!n || !memcmp(buf->cur.data, bytes, n));
}

static bool same_buffer(const struct secbuf_buffer *a,
			const struct secbuf_buffer *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
	while (n--)
		if (*bytes++)
			return false;
	return true;
}

TEST_F(buffer, without_memory)
{
	const unsigned char *out;

	EXPECT_EQ(0, self->src.nr_allocs);
	EXPECT_EQ(0, secbuf_buffer_capacity(&self->buf));
	EXPECT_EQ(0, secbuf_buffer_overhead(&self->buf));
	EXPECT_FALSE(secbuf_buffer_is_wasteful(&self->buf));
	EXPECT_TRUE(secbuf_buffer_is_unique(&self->buf));
	EXPECT_EQ(-ENODATA, secbuf_cursor_get_view(&self->buf.cur, 1, &out));
	EXPECT_EQ(0, secbuf_buffer_append(&self->buf, NULL, 0));
	EXPECT_EQ(0, secbuf_buffer_put_bytes(&self->buf, NULL, 0));
	EXPECT_EQ(0, secbuf_buffer_resize(&self->buf, 0));
	EXPECT_EQ(0, secbuf_buffer_reserve(&self->buf, 0));
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(&self->buf));
	EXPECT_EQ(0, secbuf_buffer_unshare(&self->buf));
	secbuf_buffer_clear(&self->buf);
	secbuf_buffer_zeroize(&self->buf);
	secbuf_buffer_trim(&self->buf, 0);
	secbuf_buffer_shrink(&self->buf, 0);
	secbuf_buffer_release(&self->buf);
	secbuf_buffer_release(&self->buf);
	EXPECT_EQ(0, self->src.nr_allocs);
	EXPECT_EQ(0, secbuf_buffer_open(&self->buf, self->source, 0));
	EXPECT_EQ(0, self->src.nr_allocs);
}

TEST_F(buffer, scope)
{
	{
		SECBUF_BUFFER_AUTO buf;

		ASSERT_EQ(0, secbuf_buffer_open_copy(&buf, self->source, SECRET,
						     SECRET_LEN));
		EXPECT_TRUE(test_source_holds(&self->src, SECRET, SECRET_LEN));
	}
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
	EXPECT_EQ(0, self->src.nr_live);
}

TEST_F(buffer, put_every_field)
{
	struct secbuf_buffer *buf = &self->buf;
	unsigned int field;

	self->src.exact = true;
	EXPECT_EQ(0, secbuf_buffer_put_u8(buf, 17));
	EXPECT_EQ(0, secbuf_buffer_put_bool(buf, true));
	EXPECT_EQ(0, secbuf_buffer_put_u32(buf, 699921578));
	EXPECT_EQ(0, secbuf_buffer_put_u64(buf, 0x0123456789abcdefULL));
	EXPECT_EQ(0, secbuf_buffer_put_bytes(buf, "abcd", 4));
	EXPECT_EQ(0, secbuf_buffer_put_string(buf, "testing", 7));
	EXPECT_EQ(0, secbuf_buffer_put_mpint(buf, "\0\0\x80", 3));
	EXPECT_EQ(0, secbuf_buffer_put_string(buf, "zlib", 4));
	EXPECT_EQ(0, secbuf_buffer_put_string(buf, NULL, 0));
	EXPECT_TRUE(same_bytes(buf, secbuf_vector_message,
			       sizeof(secbuf_vector_message)));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	for (field = 0; field < SECBUF_VECTOR_NR_FIELDS; field++)
		EXPECT_EQ(0, secbuf_vector_get_field(&buf->cur, field));
	EXPECT_EQ(0, secbuf_cursor_remaining(&buf->cur));
}

/* By at least half, while small by more, and all that the source gives is used. */
TEST_F(buffer, growth)
{
	struct secbuf_buffer *buf = &self->buf;
	size_t before, i;

	for (i = 0; i < 10000; i++) {
		before = secbuf_buffer_capacity(buf);
		ASSERT_EQ(0, secbuf_buffer_append(buf, &i, sizeof(i)));
		if (secbuf_buffer_capacity(buf) != before) {
			EXPECT_LE(before + before / 2,
				  secbuf_buffer_capacity(buf));
		}
	}
	EXPECT_EQ(80000, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(131072, secbuf_buffer_capacity(buf));
	EXPECT_EQ(7, self->src.nr_allocs);
	EXPECT_EQ(1, self->src.nr_live);
	EXPECT_TRUE(test_source_clean(&self->src));
	for (i = 0; i < 10000; i++)
		ASSERT_EQ(0, memcmp(buf->cur.data + 8 * i, &i, sizeof(i)));

	self->src.exact = true;
	ASSERT_EQ(0, secbuf_buffer_reserve(buf, 131072 - 80000 + 1));
	EXPECT_EQ(131072 + 65536, secbuf_buffer_capacity(buf));
}

/* The maximum is not half as much again: growth goes just so far. */
TEST_F(buffer, growth_to_the_maximum)
{
	struct secbuf_buffer *buf = &self->buf;

	self->src.exact = true;
	secbuf_buffer_set_max(buf, 100);
	ASSERT_EQ(0, secbuf_buffer_resize(buf, 80));
	EXPECT_EQ(80, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_buffer_append(buf, "abcde", 5));
	EXPECT_EQ(100, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_buffer_reserve(buf, 15));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(buf, 16));
}

TEST_F(buffer, append_leaves_the_position)
{
	struct secbuf_buffer *buf = &self->buf;
	uint8_t value;

	EXPECT_EQ(0, secbuf_buffer_append(buf, "abc", 3));
	EXPECT_EQ(0, secbuf_cursor_get_u8(&buf->cur, &value));
	EXPECT_EQ('a', value);
	EXPECT_EQ(0, secbuf_buffer_append(buf, "defghijk", 8));
	EXPECT_EQ(0, secbuf_cursor_get_u8(&buf->cur, &value));
	EXPECT_EQ('b', value);
	EXPECT_TRUE(same_bytes(buf, "abcdefghijk", 11));
}

TEST_F(buffer, put_inside)
{
	struct secbuf_buffer *buf = &self->buf;

	self->src.exact = true;
	EXPECT_EQ(0, secbuf_buffer_put_u32(buf, 0));
	EXPECT_EQ(0, secbuf_buffer_append(buf, "abcde", 5));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	EXPECT_EQ(0, secbuf_buffer_put_u32(buf, 5));
	EXPECT_TRUE(same_bytes(buf, "\0\0\0\5abcde", 9));
	EXPECT_EQ(0, secbuf_buffer_put_bytes(buf, "xyz123456", 9));
	EXPECT_TRUE(same_bytes(buf, "\0\0\0\5xyz123456", 13));
}

TEST_F(buffer, maximum)
{
	struct secbuf_buffer *buf = &self->buf;
	struct secbuf_buffer before;
	unsigned char bytes[101] = { 0 };

	secbuf_buffer_set_max(buf, 100);
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append(buf, bytes, 101));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_put_string(buf, bytes, 97));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(buf, 101));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(buf, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_resize(buf, 101));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_prepare(buf, 101));
	EXPECT_EQ(0, self->src.nr_allocs);
	EXPECT_EQ(0, secbuf_buffer_append(buf, bytes, 60));
	EXPECT_EQ(0, secbuf_buffer_append(buf, bytes, 40));
	/* The source gave 128. */
	EXPECT_EQ(100, secbuf_buffer_capacity(buf));
	before = *buf;
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append(buf, bytes, 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append(buf, bytes, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_put_bytes(buf, bytes, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_resize(buf, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(buf, SIZE_MAX - 50));
	EXPECT_TRUE(same_buffer(buf, &before));

	/* What is longer than a new maximum stays. */
	secbuf_buffer_set_max(buf, 50);
	EXPECT_EQ(100, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_resize(buf, 51));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append(buf, bytes, 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(buf, 1));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 50));
	secbuf_buffer_set_max(buf, SIZE_MAX);
	EXPECT_EQ(0, secbuf_buffer_append(buf, bytes, 101));
	EXPECT_EQ(151, secbuf_cursor_len(&buf->cur));
}

/* A maximum of all there is must not wrap. */
TEST_F(buffer, no_maximum)
{
	struct secbuf_buffer *buf = &self->buf;
	struct secbuf_buffer before;

	secbuf_buffer_set_max(buf, SIZE_MAX);
	ASSERT_EQ(0, secbuf_buffer_append(buf, SECRET, SECRET_LEN));
	test_source_refuse(&self->src, -ENOMEM);
	before = *buf;
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append(buf, SECRET, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(buf, SIZE_MAX));
	EXPECT_EQ(-ENOMEM, secbuf_buffer_reserve(buf, SIZE_MAX - SECRET_LEN));
	EXPECT_EQ(-ENOMEM, secbuf_buffer_resize(buf, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_put_string_max(buf, SIZE_MAX, SECRET,
							  SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_put_mpint(buf, SECRET, SIZE_MAX));
	EXPECT_TRUE(same_buffer(buf, &before));
}

TEST_F(buffer, resize)
{
	struct secbuf_buffer *buf = &self->buf;

	EXPECT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 40));
	EXPECT_EQ(40, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(SECRET_LEN, secbuf_cursor_pos(&buf->cur));
	EXPECT_EQ(0, memcmp(buf->cur.data, SECRET, SECRET_LEN));
	EXPECT_TRUE(is_zero(buf->cur.data + SECRET_LEN, 40 - SECRET_LEN));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 7));
	EXPECT_EQ(7, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(7, secbuf_cursor_pos(&buf->cur));
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, 8));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 7));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 5000));
	EXPECT_TRUE(is_zero(buf->cur.data + 7, 5000 - 7));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 0));
	EXPECT_EQ(0, secbuf_cursor_pos(&buf->cur));
}

TEST_F(buffer, shrink_to_fit)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 65536));
	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	secbuf_buffer_set_max(buf, 1000);
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 3));
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_EQ(64, secbuf_buffer_capacity(buf));
	EXPECT_EQ(3, secbuf_cursor_pos(&buf->cur));
	EXPECT_EQ(1000, buf->max);
	EXPECT_TRUE(same_bytes(buf, SECRET, SECRET_LEN));
	/* There is none smaller. */
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_EQ(1, self->src.nr_live);
	secbuf_buffer_clear(buf);
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_EQ(0, self->src.nr_live);
	EXPECT_EQ(0, secbuf_buffer_append(buf, "a", 1));
}

TEST_F(buffer, wasteful)
{
	struct secbuf_buffer *buf = &self->buf;
	unsigned char *block;
	size_t size, len;

	for (size = 8190; size < 8210; size++) {
		block = calloc(1, size);
		secbuf_buffer_init_block(buf, self->source, block, size);
		for (len = 2040; len < 2060; len++) {
			buf->cur.len = len;
			EXPECT_EQ(size > 8192 && size > 4 * len,
				  secbuf_buffer_is_wasteful(buf));
			EXPECT_EQ(size - len, secbuf_buffer_overhead(buf));
		}
		free(block);
	}
	secbuf_buffer_init(buf, self->source);
}

TEST_F(buffer, trim)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 8192));
	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	secbuf_buffer_set_max(buf, 100000);
	secbuf_buffer_trim(buf, 64);
	EXPECT_EQ(8192, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(0, secbuf_cursor_pos(&buf->cur));
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));

	ASSERT_EQ(0, secbuf_buffer_reserve(buf, 16384));
	secbuf_buffer_trim(buf, 8192);
	EXPECT_EQ(32768, secbuf_buffer_capacity(buf));
	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	secbuf_buffer_trim(buf, 8191);
	EXPECT_EQ(8192, secbuf_buffer_capacity(buf));
	EXPECT_EQ(100000, buf->max);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));

	/* If there is nothing to be had, it does without. */
	ASSERT_EQ(0, secbuf_buffer_reserve(buf, 16384));
	test_source_refuse(&self->src, -ENOMEM);
	secbuf_buffer_trim(buf, 10);
	EXPECT_EQ(0, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, self->src.nr_live);
}

TEST_F(buffer, shrink)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 1024));
	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	secbuf_buffer_shrink(buf, 1024);
	EXPECT_EQ(1024, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_cursor_len(&buf->cur));
	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	secbuf_buffer_shrink(buf, 100);
	EXPECT_EQ(128, secbuf_buffer_capacity(buf));
	secbuf_buffer_shrink(buf, 0);
	EXPECT_EQ(0, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, self->src.nr_live);
}

/* Only what was written is zeroized: this is what makes release cheap. */
TEST_F(buffer, release_knows_what_is_dirty)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 8192));
	EXPECT_EQ(0, secbuf_cursor_dirty(&buf->cur));
	ASSERT_EQ(0, secbuf_buffer_append(buf, SECRET, SECRET_LEN));
	EXPECT_EQ(SECRET_LEN, secbuf_cursor_dirty(&buf->cur));
	ASSERT_NE(NULL, secbuf_cursor_window(&buf->cur, 100));
	EXPECT_EQ(100, secbuf_cursor_dirty(&buf->cur));
	secbuf_buffer_zeroize(buf);
	EXPECT_EQ(100, secbuf_cursor_dirty(&buf->cur));
	secbuf_buffer_clear(buf);
	EXPECT_EQ(0, secbuf_cursor_dirty(&buf->cur));
}

/* A window from before is still good, and what it writes is cleaned. */
TEST_F(buffer, window_after_zeroize)
{
	struct secbuf_buffer *buf = &self->buf;
	unsigned char *window;

	ASSERT_EQ(0, secbuf_buffer_prepare(buf, 60));
	window = secbuf_cursor_window(&buf->cur, 60);
	ASSERT_NE(NULL, window);
	secbuf_buffer_zeroize(buf);
	memcpy(window + 60 - SECRET_LEN, SECRET, SECRET_LEN);
	secbuf_buffer_zeroize(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
	memcpy(window + 60 - SECRET_LEN, SECRET, SECRET_LEN);
	secbuf_buffer_release(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

/* What a window left behind the contents is no zero byte of resize(). */
TEST_F(buffer, window_then_resize)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_prepare(buf, 60));
	memcpy(secbuf_cursor_window(&buf->cur, 60), SECRET, SECRET_LEN);
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 50));
	EXPECT_TRUE(is_zero(buf->cur.data, 50));
}

TEST_F(buffer, nested)
{
	struct secbuf_buffer inner, out, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open_copy(&inner, self->source, SECRET,
					     SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&inner.cur, 5));
	EXPECT_EQ(0, secbuf_buffer_put_buffer(buf, &inner));
	EXPECT_EQ(0, secbuf_buffer_put_u32(buf, 7));
	secbuf_buffer_release(&inner);

	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	ASSERT_EQ(0, secbuf_buffer_open_string(&out, self->source, &buf->cur));
	EXPECT_TRUE(same_bytes(&out, SECRET, SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_pos(&out.cur));
	EXPECT_EQ(4, secbuf_cursor_remaining(&buf->cur));
	secbuf_buffer_release(&out);

	ASSERT_EQ(0, secbuf_buffer_open_bytes(&out, self->source, &buf->cur, 4));
	EXPECT_TRUE(same_bytes(&out, "\0\0\0\7", 4));
	secbuf_buffer_release(&out);
	EXPECT_EQ(0, secbuf_buffer_open_bytes(&out, self->source, &buf->cur, 0));
	EXPECT_EQ(-ENODATA, secbuf_buffer_open_bytes(&out, self->source,
						     &buf->cur, 1));
	EXPECT_EQ(-ENODATA, secbuf_buffer_open_string(&out, self->source,
						      &buf->cur));

	/* A buffer that holds itself. */
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 0));
	EXPECT_EQ(0, secbuf_buffer_append(buf, "abc", 3));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 3));
	EXPECT_EQ(0, secbuf_buffer_put_buffer(buf, buf));
	EXPECT_TRUE(same_bytes(buf, "abc\0\0\0\3abc", 10));
}

/* The bytes to put lie in the block that the growth replaces. */
TEST_F(buffer, own_bytes)
{
	struct secbuf_buffer *buf = &self->buf;
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	const size_t len = sizeof(text) - 1;
	unsigned char expected[4 + sizeof(text)], *own;
	size_t from, to;

	self->src.exact = true;
	for (from = 0; from <= len; from++) {
		for (to = 0; to <= len; to++) {
			secbuf_buffer_release(buf);
			ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source,
							     text, len));
			ASSERT_EQ(0, secbuf_buffer_append(buf, buf->cur.data +
							  from, len - from));
			ASSERT_EQ(0, memcmp(buf->cur.data + len, text + from,
					    len - from));

			secbuf_buffer_release(buf);
			ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source,
							     text, len));
			secbuf_cursor_set_pos(&buf->cur, to);
			ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, buf->cur.data +
							     from, len - from));
			ASSERT_EQ(0, memcmp(buf->cur.data + to, text + from,
					    len - from));

			secbuf_buffer_release(buf);
			ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source,
							     text, len));
			secbuf_cursor_set_pos(&buf->cur, to);
			__secbuf_cursor_store_u32(expected, len - from);
			memcpy(expected + 4, text + from, len - from);
			own = buf->cur.data + from;
			ASSERT_EQ(0, secbuf_buffer_put_string(buf, own,
							      len - from));
			ASSERT_EQ(0, memcmp(buf->cur.data + to, expected,
					    4 + len - from));

			secbuf_buffer_release(buf);
			ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source,
							     text, len));
			secbuf_cursor_set_pos(&buf->cur, to);
			own = buf->cur.data + from;
			ASSERT_EQ(0, secbuf_buffer_put_mpint(buf, own,
							     len - from));
			ASSERT_EQ(0, memcmp(buf->cur.data + to, expected,
					    4 + len - from));
		}
	}
}

typedef int (*grow_fn)(struct secbuf_buffer *buf);

static const unsigned char kilobyte[1024];

static int by_append(struct secbuf_buffer *buf)
{
	return secbuf_buffer_append(buf, kilobyte, sizeof(kilobyte));
}

static int by_put_bytes(struct secbuf_buffer *buf)
{
	return secbuf_buffer_put_bytes(buf, kilobyte, sizeof(kilobyte));
}

static int by_put_string(struct secbuf_buffer *buf)
{
	return secbuf_buffer_put_string(buf, kilobyte, sizeof(kilobyte));
}

static int by_put_mpint(struct secbuf_buffer *buf)
{
	unsigned char number[1024];

	memset(number, 0xff, sizeof(number));
	return secbuf_buffer_put_mpint(buf, number, sizeof(number));
}

static int by_reserve(struct secbuf_buffer *buf)
{
	return secbuf_buffer_reserve(buf, sizeof(kilobyte));
}

static int by_resize(struct secbuf_buffer *buf)
{
	return secbuf_buffer_resize(buf, sizeof(kilobyte));
}

static int by_prepare(struct secbuf_buffer *buf)
{
	return secbuf_buffer_prepare(buf, sizeof(kilobyte));
}

static int by_put_numbers(struct secbuf_buffer *buf)
{
	int err = 0;
	int i;

	for (i = 0; !err && i < 100; i++)
		err = secbuf_buffer_put_u64(buf, i);
	return err;
}

static const grow_fn grow_fns[] = {
	by_append, by_put_bytes, by_put_string, by_put_mpint, by_reserve,
	by_resize, by_prepare,
};

TEST_F(buffer, growth_refused)
{
	struct secbuf_buffer before, other, *buf = &self->buf;
	static const int errors[] = { -EDQUOT, -ENOMEM, -ENOSPC };
	size_t i, j;

	self->src.exact = true;
	ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source, SECRET,
					     SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 9));
	before = *buf;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		test_source_refuse(&self->src, errors[i]);
		for (j = 0; j < ARRAY_SIZE(grow_fns); j++) {
			EXPECT_EQ(errors[i], grow_fns[j](buf));
			EXPECT_TRUE(same_buffer(buf, &before));
			EXPECT_TRUE(same_bytes(buf, SECRET, SECRET_LEN));
		}
		EXPECT_EQ(errors[i], secbuf_buffer_share(buf, &other));
		EXPECT_TRUE(same_buffer(buf, &before));
		secbuf_buffer_release(&other);
		EXPECT_EQ(errors[i], secbuf_buffer_open(&other, self->source, 9));
		secbuf_buffer_release(&other);
		EXPECT_EQ(errors[i], secbuf_buffer_open_bytes(&other,
							      self->source,
							      &buf->cur, 3));
		EXPECT_EQ(9, secbuf_cursor_pos(&buf->cur));
		secbuf_buffer_release(&other);
	}
	test_source_allow(&self->src);
	ASSERT_EQ(0, secbuf_buffer_reserve(buf, 100));
	test_source_refuse(&self->src, -ENOMEM);
	before = *buf;
	EXPECT_EQ(-ENOMEM, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_TRUE(same_buffer(buf, &before));
}

/* What was put before the refusal is there, and no part of the next. */
TEST_F(buffer, growth_refused_in_the_middle)
{
	struct secbuf_buffer *buf = &self->buf;
	size_t i;

	self->src.fail_at = 2;
	EXPECT_EQ(-EDQUOT, by_put_numbers(buf));
	EXPECT_EQ(256, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(256, secbuf_cursor_pos(&buf->cur));
	for (i = 0; i < 32; i++)
		EXPECT_EQ(i, buf->cur.data[8 * i + 7]);
}

/* Who is left over after sharing owns all of it again. */
TEST_F(buffer, last_of_those_who_shared)
{
	struct secbuf_buffer other, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, "abcdef", 6));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	secbuf_buffer_release(&other);
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 2));
	EXPECT_TRUE(same_bytes(buf, "ab", 2));
	EXPECT_EQ(0, memcmp(buf->cur.data + 2, "\0\0\0\0", 4));

	ASSERT_EQ(0, secbuf_buffer_reserve(buf, 1000));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	secbuf_buffer_release(&other);
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_EQ(64, secbuf_buffer_capacity(buf));
	EXPECT_TRUE(same_bytes(buf, "ab", 2));
}

TEST_F(buffer, maximum_after_shrinking)
{
	struct secbuf_buffer *buf = &self->buf;

	secbuf_buffer_set_max(buf, 50);
	ASSERT_EQ(0, secbuf_buffer_append(buf, "abcdef", 6));
	secbuf_buffer_shrink(buf, 40);
	EXPECT_EQ(50, secbuf_buffer_capacity(buf));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_resize(buf, 51));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 50));
}

TEST_F(buffer, share)
{
	struct secbuf_buffer other, third, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, "abcdef", 6));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 2));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	EXPECT_EQ(buf->cur.data, other.cur.data);
	EXPECT_FALSE(secbuf_buffer_is_unique(buf));
	EXPECT_FALSE(secbuf_buffer_is_unique(&other));
	EXPECT_EQ(2, secbuf_cursor_pos(&other.cur));
	ASSERT_EQ(0, secbuf_buffer_share(&other, &third));
	EXPECT_EQ(0, secbuf_cursor_skip(&other.cur, 2));
	EXPECT_EQ(2, secbuf_cursor_pos(&buf->cur));

	/* Functions of the cursor find no room. */
	EXPECT_EQ(0, secbuf_cursor_skip(&third.cur, 4));
	EXPECT_EQ(-ENOSPC, secbuf_cursor_put_u8(&third.cur, 'x'));

	EXPECT_EQ(0, secbuf_buffer_put_u8(&other, 'X'));
	EXPECT_TRUE(same_bytes(&other, "abcdXf", 6));
	EXPECT_TRUE(same_bytes(buf, "abcdef", 6));
	EXPECT_TRUE(same_bytes(&third, "abcdef", 6));
	EXPECT_TRUE(secbuf_buffer_is_unique(&other));
	EXPECT_FALSE(secbuf_buffer_is_unique(buf));
	secbuf_buffer_release(&third);
	EXPECT_TRUE(secbuf_buffer_is_unique(buf));
	EXPECT_EQ(0, secbuf_buffer_append(buf, "gh", 2));
	EXPECT_TRUE(same_bytes(buf, "abcdefgh", 8));
	EXPECT_EQ(64, secbuf_buffer_capacity(buf));
	secbuf_buffer_release(&other);
	EXPECT_EQ(1, self->src.nr_live);
}

static int by_unshare(struct secbuf_buffer *buf)
{
	return secbuf_buffer_unshare(buf);
}

static int by_shrinking(struct secbuf_buffer *buf)
{
	return secbuf_buffer_resize(buf, 4);
}

static int by_clear(struct secbuf_buffer *buf)
{
	secbuf_buffer_clear(buf);
	return secbuf_buffer_append(buf, kilobyte, 10);
}

static int by_zeroize(struct secbuf_buffer *buf)
{
	secbuf_buffer_zeroize(buf);
	return secbuf_buffer_put_u8(buf, 1);
}

static int by_trim(struct secbuf_buffer *buf)
{
	secbuf_buffer_trim(buf, 10);
	return secbuf_buffer_put_u8(buf, 1);
}

static int by_shrink_to_fit(struct secbuf_buffer *buf)
{
	return secbuf_buffer_shrink_to_fit(buf);
}

static int by_put_u8_inside(struct secbuf_buffer *buf)
{
	secbuf_cursor_set_pos(&buf->cur, 3);
	return secbuf_buffer_put_u8(buf, 0xff);
}

static int by_put_nothing(struct secbuf_buffer *buf)
{
	return secbuf_buffer_put_bytes(buf, NULL, 0);
}

/* Whatever one does, the other keeps what it had. */
TEST_F(buffer, copy_on_write)
{
	static const grow_fn all[] = {
		by_append, by_put_bytes, by_put_string, by_put_mpint,
		by_reserve, by_resize, by_prepare, by_put_numbers, by_unshare,
		by_shrinking, by_clear, by_zeroize, by_trim, by_shrink_to_fit,
		by_put_u8_inside, by_put_nothing,
	};
	struct secbuf_buffer other, *buf = &self->buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source, SECRET,
						     SECRET_LEN));
		ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
		EXPECT_EQ(0, all[i](&other));
		EXPECT_TRUE(same_bytes(buf, SECRET, SECRET_LEN)) {
			TH_LOG("%zu", i);
		}
		EXPECT_EQ(0, all[i](&other));
		EXPECT_TRUE(same_bytes(buf, SECRET, SECRET_LEN));
		if (i & 1) {
			secbuf_buffer_release(buf);
			secbuf_buffer_release(&other);
		} else {
			secbuf_buffer_release(&other);
			EXPECT_TRUE(same_bytes(buf, SECRET, SECRET_LEN));
			secbuf_buffer_release(buf);
		}
		EXPECT_EQ(0, self->src.nr_live);
		EXPECT_TRUE(test_source_clean(&self->src));
	}
}

TEST_F(buffer, copy_on_write_refused)
{
	struct secbuf_buffer other, before, *buf = &self->buf;
	size_t i;

	ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source, SECRET,
					     SECRET_LEN));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	test_source_refuse(&self->src, -EDQUOT);
	before = other;
	for (i = 0; i < ARRAY_SIZE(grow_fns); i++) {
		EXPECT_EQ(-EDQUOT, grow_fns[i](&other));
		EXPECT_TRUE(same_buffer(&other, &before));
	}
	EXPECT_EQ(-EDQUOT, secbuf_buffer_put_u8(&other, 1));
	EXPECT_EQ(-EDQUOT, secbuf_buffer_unshare(&other));
	EXPECT_TRUE(same_buffer(&other, &before));
	EXPECT_TRUE(same_bytes(&other, SECRET, SECRET_LEN));
	secbuf_buffer_release(&other);
	/* The only one left needs no memory to be writable. */
	EXPECT_EQ(0, secbuf_buffer_unshare(buf));
	EXPECT_EQ(0, secbuf_buffer_put_u8(buf, 1));
}

TEST_F(buffer, share_nothing)
{
	struct secbuf_buffer other, *buf = &self->buf;

	EXPECT_EQ(0, secbuf_buffer_share(buf, &other));
	EXPECT_EQ(0, self->src.nr_allocs);
	EXPECT_TRUE(secbuf_buffer_is_unique(buf));
	secbuf_buffer_release(&other);

	/* Memory, but no contents. */
	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 64));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	EXPECT_EQ(0, secbuf_buffer_unshare(&other));
	EXPECT_EQ(0, secbuf_buffer_capacity(&other));
	EXPECT_TRUE(secbuf_buffer_is_unique(buf));
	secbuf_buffer_release(&other);
}

/* A window that was open when it was shared counts, too. */
TEST_F(buffer, share_knows_what_is_dirty)
{
	struct secbuf_buffer other, *buf = &self->buf;
	unsigned char *window;

	ASSERT_EQ(0, secbuf_buffer_prepare(buf, 60));
	window = secbuf_cursor_window(&buf->cur, 60);
	ASSERT_NE(NULL, window);
	memcpy(window + 60 - SECRET_LEN, SECRET, SECRET_LEN);
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	secbuf_buffer_release(buf);
	EXPECT_EQ(0, secbuf_buffer_unshare(&other));
	EXPECT_EQ(60, secbuf_cursor_dirty(&other.cur));
	secbuf_buffer_release(&other);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

/*
 * Secrets that survive.
 */

/* Growing left the old block as it was. */
TEST_F(buffer, old_block_is_zeroized_S1)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source, SECRET,
					     SECRET_LEN));
	ASSERT_EQ(0, secbuf_buffer_resize(buf, 5000));
	EXPECT_EQ(2, self->src.nr_allocs);
	EXPECT_TRUE(test_source_clean(&self->src));
	secbuf_buffer_release(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

/* So did whatever else made it grow. */
TEST_F(buffer, old_block_is_zeroized_whoever_grows_S2)
{
	struct secbuf_buffer *buf = &self->buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(grow_fns); i++) {
		ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source, SECRET,
						     SECRET_LEN));
		EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, SECRET_LEN));
		EXPECT_EQ(0, grow_fns[i](buf));
		EXPECT_TRUE(test_source_clean(&self->src));
		secbuf_buffer_release(buf);
		EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
	}
}

/* Shrinking to fit freed the secret that a reset had left. */
TEST_F(buffer, shrink_to_fit_zeroizes_S3)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open_copy(buf, self->source, SECRET,
					     SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_len(&buf->cur, 0));
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_EQ(0, self->src.nr_live);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

/* What a resize had cut off was not zeroized any more. */
TEST_F(buffer, zeroize_reaches_all_that_was_written_S4)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 4096));
	ASSERT_EQ(0, secbuf_buffer_resize(buf, 3000));
	ASSERT_EQ(0, secbuf_buffer_append(buf, SECRET, SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_len(&buf->cur, 16));
	secbuf_buffer_zeroize(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));

	ASSERT_EQ(0, secbuf_buffer_resize(buf, 3000));
	ASSERT_EQ(0, secbuf_buffer_append(buf, SECRET, SECRET_LEN));
	ASSERT_EQ(0, secbuf_buffer_resize(buf, 16));
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

/* What was got out of a buffer lay on the ordinary heap. */
TEST_F(buffer, got_into_a_buffer_S5)
{
	struct secbuf_buffer out, *buf = &self->buf;
	const unsigned char *view;
	size_t len;

	ASSERT_EQ(0, secbuf_buffer_put_string(buf, SECRET, SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	ASSERT_EQ(0, secbuf_cursor_get_string(&buf->cur, &view, &len));
	EXPECT_EQ(buf->cur.data + 4, view);
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	ASSERT_EQ(0, secbuf_buffer_open_string(&out, self->source, &buf->cur));
	EXPECT_EQ(2, self->src.nr_live);
	secbuf_buffer_release(&out);
	secbuf_buffer_release(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

/* Bytes of earlier messages went along when the memory changed hands. */
TEST_F(buffer, only_contents_are_copied_S6)
{
	struct secbuf_buffer other, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 256));
	ASSERT_EQ(0, secbuf_buffer_append(buf, "ab" SECRET, 2 + SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_len(&buf->cur, 2));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	ASSERT_EQ(0, secbuf_buffer_unshare(&other));
	EXPECT_NE(buf->cur.data, other.cur.data);
	secbuf_buffer_release(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
	EXPECT_TRUE(same_bytes(&other, "ab", 2));
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(&other));
	secbuf_buffer_release(&other);
}

/* The second time it did nothing. */
TEST_F(buffer, zeroize_again_and_again_S7)
{
	struct secbuf_buffer *buf = &self->buf;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
		EXPECT_TRUE(test_source_holds(&self->src, SECRET, SECRET_LEN));
		secbuf_buffer_zeroize(buf);
		EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
	}
	EXPECT_EQ(1, self->src.nr_allocs);
}

/* Copies were made without a word. */
TEST_F(buffer, share_copies_nothing_S11)
{
	struct secbuf_buffer other, *buf = &self->buf;
	struct test_block *block;
	int copies = 0;

	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	for (block = self->src.blocks; block; block = block->next)
		copies += !!memmem(block->bytes, block->size, SECRET,
				   SECRET_LEN);
	EXPECT_EQ(1, copies);
	secbuf_buffer_release(&other);
}

/* A reset and a new length brought the old bytes back. */
TEST_F(buffer, cleared_bytes_do_not_come_back_S12)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	secbuf_buffer_clear(buf);
	EXPECT_EQ(0, secbuf_buffer_resize(buf, SECRET_LEN));
	EXPECT_TRUE(is_zero(buf->cur.data, SECRET_LEN));

	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	ASSERT_EQ(0, secbuf_buffer_put_bytes(buf, SECRET, SECRET_LEN));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	EXPECT_EQ(0, secbuf_cursor_set_len(&buf->cur, 0));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, SECRET_LEN));
	EXPECT_TRUE(is_zero(buf->cur.data, SECRET_LEN));
}

/*
 * Memory safety.
 */

/* A length of the wire plus the position was small again. */
TEST_F(buffer, lengths_that_wrap_M1)
{
	static const uint64_t lengths[] = {
		-1ULL, -4ULL, -8ULL, -9ULL, 1ULL << 63, 1ULL << 32, 17,
	};
	struct secbuf_buffer other, *buf = &self->buf;
	const unsigned char *view = NULL;
	uint64_t length;
	size_t i;

	self->src.exact = true;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		secbuf_buffer_clear(buf);
		ASSERT_EQ(0, secbuf_buffer_put_u64(buf, lengths[i]));
		ASSERT_EQ(0, secbuf_buffer_put_u64(buf, 0));
		EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
		ASSERT_EQ(0, secbuf_cursor_get_u64(&buf->cur, &length));
		if ((size_t)length != length)
			continue;
		EXPECT_EQ(-ENODATA, secbuf_cursor_get_view(&buf->cur, length,
							   &view));
		EXPECT_EQ(-ENODATA, secbuf_buffer_open_bytes(&other, self->source,
							     &buf->cur, length));
		EXPECT_EQ(NULL, view);
		EXPECT_EQ(8, secbuf_cursor_pos(&buf->cur));
	}
}

/* So was a slice that reached to the end of the address space. */
TEST_F(buffer, walk_to_the_end_M2)
{
	struct secbuf_buffer *buf = &self->buf;
	const unsigned char *view;
	uint8_t value;

	self->src.exact = true;
	ASSERT_EQ(0, secbuf_buffer_append(buf, "ab", 2));
	EXPECT_EQ(0, secbuf_cursor_get_u8(&buf->cur, &value));
	EXPECT_EQ(-ENODATA, secbuf_cursor_get_view(&buf->cur, SIZE_MAX, &view));
	EXPECT_EQ(-ENODATA, secbuf_cursor_get_view(&buf->cur, SIZE_MAX - 1,
						   &view));
	EXPECT_EQ(-ERANGE, secbuf_cursor_skip(&buf->cur, SIZE_MAX));
	EXPECT_EQ(0, secbuf_cursor_get_u8(&buf->cur, &value));
	EXPECT_EQ('b', value);
	EXPECT_EQ(-ENODATA, secbuf_cursor_get_u8(&buf->cur, &value));
}

/* Two that shared wrote at the same place. */
TEST_F(buffer, both_append_M3)
{
	struct secbuf_buffer other, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 256));
	ASSERT_EQ(0, secbuf_buffer_append(buf, "hello ", 6));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	EXPECT_EQ(0, secbuf_buffer_append(buf, "alice", 5));
	EXPECT_EQ(0, secbuf_buffer_append(&other, "bob!!", 5));
	EXPECT_TRUE(same_bytes(buf, "hello alice", 11));
	EXPECT_TRUE(same_bytes(&other, "hello bob!!", 11));
	secbuf_buffer_release(&other);
}

static pthread_barrier_t start;

struct sharer {
	struct secbuf_buffer buf;
	unsigned char byte;
	int bad;
};

static void *sharer_fn(void *arg)
{
	struct sharer *sharer = arg;
	struct secbuf_buffer mine;
	unsigned char bytes[40];
	int i;

	memset(bytes, sharer->byte, sizeof(bytes));
	/* Nothing but counting. */
	pthread_barrier_wait(&start);
	for (i = 0; i < 1000000; i++) {
		secbuf_buffer_share(&sharer->buf, &mine);
		secbuf_buffer_release(&mine);
	}
	for (i = 0; i < 2000; i++) {
		if (secbuf_buffer_share(&sharer->buf, &mine) ||
		    secbuf_buffer_append(&mine, bytes, sizeof(bytes)) ||
		    memcmp(mine.cur.data, "hello ", 6) ||
		    memcmp(mine.cur.data + 6, bytes, sizeof(bytes)))
			sharer->bad++;
		secbuf_buffer_release(&mine);
	}
	secbuf_buffer_release(&sharer->buf);
	return NULL;
}

/* So did two threads. */
TEST_F(buffer, threads_that_share_M4)
{
	struct secbuf_buffer *buf = &self->buf;
	struct sharer sharers[2];
	pthread_t threads[2];
	struct test_block *block;
	int i;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 256));
	ASSERT_EQ(0, secbuf_buffer_append(buf, "hello ", 6));
	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++) {
		sharers[i].byte = 'a' + i;
		sharers[i].bad = 0;
		ASSERT_EQ(0, secbuf_buffer_share(buf, &sharers[i].buf));
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, sharer_fn,
					    &sharers[i]));
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, sharers[0].bad);
	EXPECT_EQ(0, sharers[1].bad);
	EXPECT_TRUE(secbuf_buffer_is_unique(buf));
	EXPECT_TRUE(same_bytes(buf, "hello ", 6));
	secbuf_buffer_release(buf);
	for (block = self->src.blocks; block; block = block->next)
		EXPECT_FALSE(block->live);
}

/* Nothing was allocated as something, and a refusal was not noticed. */
TEST_F(buffer, nothing_and_no_memory_M5)
{
	struct secbuf_buffer *buf = &self->buf;

	EXPECT_EQ(0, secbuf_buffer_open(buf, self->source, 0));
	EXPECT_EQ(0, secbuf_buffer_open_copy(buf, self->source, NULL, 0));
	EXPECT_EQ(0, self->src.nr_allocs);
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_open(buf, self->source, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_open_copy(buf, self->source, NULL,
						     SIZE_MAX));
	EXPECT_EQ(0, self->src.nr_allocs);
	test_source_refuse(&self->src, -ENOMEM);
	EXPECT_EQ(-ENOMEM, secbuf_buffer_open(buf, self->source, 10));
	EXPECT_EQ(-ENOMEM, secbuf_buffer_append(buf, "a", 1));
	EXPECT_EQ(0, secbuf_buffer_capacity(buf));
}

/* One was read while another changed the bytes underneath. */
TEST_F(buffer, views_of_a_share_stay_M6)
{
	struct secbuf_buffer other, *buf = &self->buf;
	const unsigned char *view;

	ASSERT_EQ(0, secbuf_buffer_append(buf, SECRET, SECRET_LEN));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	ASSERT_EQ(0, secbuf_cursor_get_view(&buf->cur, SECRET_LEN, &view));
	EXPECT_EQ(0, secbuf_buffer_put_bytes(&other, kilobyte, SECRET_LEN));
	EXPECT_EQ(0, memcmp(view, SECRET, SECRET_LEN));
	secbuf_buffer_zeroize(&other);
	secbuf_buffer_release(&other);
	EXPECT_EQ(0, memcmp(view, SECRET, SECRET_LEN));
}

/*
 * Calls that did not do what they said.
 */

/* A buffer with a capacity took nothing. */
TEST_F(buffer, capacity_can_be_used_A1)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 100));
	EXPECT_LE(100, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_buffer_put_u32(buf, 1));
	EXPECT_EQ(0, secbuf_buffer_put_bytes(buf, kilobyte, 96));
	EXPECT_EQ(1, self->src.nr_allocs);
}

/* A string that did not fit left its length. */
TEST_F(buffer, put_string_is_all_or_nothing_A2)
{
	struct secbuf_buffer *buf = &self->buf;

	secbuf_buffer_set_max(buf, 10);
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_put_string(buf, kilobyte, 7));
	EXPECT_EQ(0, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(0, secbuf_buffer_put_string(buf, kilobyte, 6));
}

/* One that was cut short moved the position. */
TEST_F(buffer, get_string_is_all_or_nothing_A3)
{
	struct secbuf_buffer out, *buf = &self->buf;
	size_t n;

	for (n = 0; n < 11; n++) {
		secbuf_buffer_clear(buf);
		ASSERT_EQ(0, secbuf_buffer_append(buf, "\0\0\0\7testing", n));
		EXPECT_EQ(-ENODATA, secbuf_buffer_open_string(&out, self->source,
							      &buf->cur));
		EXPECT_EQ(0, secbuf_cursor_pos(&buf->cur));
		secbuf_buffer_release(&out);
	}
}

/* Zeroized, it was of no use any more. */
TEST_F(buffer, zeroized_is_usable_A4)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 100));
	secbuf_buffer_zeroize(buf);
	EXPECT_LE(100, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_cursor_put_u32(&buf->cur, 1));
	secbuf_buffer_release(buf);
	EXPECT_EQ(0, secbuf_buffer_put_u32(buf, 1));
}

/* A length of the wire allocated half a gigabyte. */
TEST_F(buffer, lengths_do_not_allocate_A5)
{
	struct secbuf_buffer out, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 16));
	ASSERT_EQ(0, secbuf_buffer_put_u32(buf, 400000));
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	EXPECT_EQ(-ERANGE, secbuf_cursor_set_len(&buf->cur, 500000000));
	EXPECT_EQ(-ERANGE, secbuf_cursor_extend(&buf->cur, 500000000));
	EXPECT_EQ(-ERANGE, secbuf_cursor_advance(&buf->cur, 500000000));
	EXPECT_EQ(-ENODATA, secbuf_buffer_open_string(&out, self->source,
						      &buf->cur));
	secbuf_buffer_set_max(buf, 100000);
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_resize(buf, 500000000));
	EXPECT_EQ(1, self->src.nr_allocs);
}

/* A smaller size made it larger. */
TEST_F(buffer, resize_makes_smaller_A12)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_open(buf, self->source, 1024));
	ASSERT_EQ(0, secbuf_buffer_resize(buf, 1024));
	EXPECT_EQ(0, secbuf_buffer_resize(buf, 10));
	EXPECT_EQ(10, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(1024, secbuf_buffer_capacity(buf));
	EXPECT_EQ(0, secbuf_buffer_shrink_to_fit(buf));
	EXPECT_EQ(64, secbuf_buffer_capacity(buf));
}

/* What was too large ended the process. */
TEST_F(buffer, too_large_is_an_error_A13)
{
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_open(&self->buf, self->source,
						SECBUF_BUFFER_MAX_DEFAULT + 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_resize(&self->buf,
						  SECBUF_BUFFER_MAX_DEFAULT + 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_reserve(&self->buf, SIZE_MAX));
}

/* Too short to read was called an error of writing. */
TEST_F(buffer, short_reads_are_their_own_error_A15)
{
	uint32_t value;

	EXPECT_EQ(-ENODATA, secbuf_cursor_get_u32(&self->buf.cur, &value));
	EXPECT_EQ(-ENOSPC, secbuf_cursor_put_u32(&self->buf.cur, 1));
	EXPECT_STRNE(secbuf_strerror(-ENODATA), secbuf_strerror(-ENOSPC));
}

TEST_HARNESS_MAIN
