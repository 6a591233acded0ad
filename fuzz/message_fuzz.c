// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Reading: the input is a message, as an SSH agent gets them. At every place
 * that is reached, everything that can be got is got, and compared with the
 * model; strings are entered.
 */
#include "cursor.h"
#include "model.h"

#include <secbuf/text.h>

#define DEPTH_MAX	4

/* A result of the codec, and what the model says. */
struct both {
	struct secbuf_cursor cur;
	struct model model;
};

static void require_same(const struct both *b, int err, int expected)
{
	REQUIRE(err == expected);
	REQUIRE(b->cur.pos == b->model.pos);
	REQUIRE(b->cur.len == b->model.len);
	REQUIRE(b->cur.pos <= b->cur.len && b->cur.len <= b->cur.size);
	REQUIRE(b->cur.data == b->model.bytes);
}

static void numbers(const struct both *before)
{
	uint64_t expected, u64_value;
	struct both b = *before;
	uint32_t u32_value;
	uint8_t u8_value;
	bool bool_value;
	int err;

	err = secbuf_cursor_get_u8(&b.cur, &u8_value);
	require_same(&b, err, model_get_number(&b.model, 1, &expected));
	REQUIRE(err || u8_value == expected);
	b = *before;
	err = secbuf_cursor_get_bool(&b.cur, &bool_value);
	require_same(&b, err, model_get_number(&b.model, 1, &expected));
	REQUIRE(err || bool_value == !!expected);
	b = *before;
	err = secbuf_cursor_get_u32(&b.cur, &u32_value);
	require_same(&b, err, model_get_number(&b.model, 4, &expected));
	REQUIRE(err || u32_value == expected);
	b = *before;
	err = secbuf_cursor_get_u64(&b.cur, &u64_value);
	require_same(&b, err, model_get_number(&b.model, 8, &expected));
	REQUIRE(err || u64_value == expected);
	b = *before;
	err = secbuf_cursor_peek_u8(&b.cur, &u8_value);
	REQUIRE(err == model_get_number(&b.model, 1, &expected));
	REQUIRE(err || u8_value == expected);
	b = *before;
	err = secbuf_cursor_peek_u32(&b.cur, &u32_value);
	REQUIRE(err == model_get_number(&b.model, 4, &expected));
	REQUIRE(err || u32_value == expected);
	REQUIRE(b.cur.pos == before->cur.pos);
}

typedef int (*get_fn)(struct secbuf_cursor *cur, const unsigned char **out,
		      size_t *len);
typedef int (*model_fn)(struct model *m, wide *at, wide *n);

static int get_string_0(struct secbuf_cursor *cur, const unsigned char **out,
			size_t *len)
{
	return secbuf_cursor_get_string_max(cur, 0, out, len);
}

static int model_string_0(struct model *m, wide *at, wide *n)
{
	return model_get_string(m, 0, at, n);
}

static int get_string_any(struct secbuf_cursor *cur, const unsigned char **out,
			  size_t *len)
{
	return secbuf_cursor_get_string_max(cur, SIZE_MAX, out, len);
}

static int model_string_any(struct model *m, wide *at, wide *n)
{
	return model_get_string(m, SIZE_MAX, at, n);
}

static int model_string(struct model *m, wide *at, wide *n)
{
	return model_get_string(m, MODEL_STRING_MAX, at, n);
}

static void strings(const struct both *before)
{
	static const struct {
		get_fn get;
		model_fn model;
	} kinds[] = {
		{ secbuf_cursor_get_string, model_string },
		{ get_string_0, model_string_0 },
		{ get_string_any, model_string_any },
		{ secbuf_cursor_get_text, model_get_text },
		{ secbuf_cursor_get_mpint, model_get_mpint },
	};
	const unsigned char *out;
	struct both b;
	size_t len, i;
	wide at, n;
	int err;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		b = *before;
		out = NULL;
		err = kinds[i].get(&b.cur, &out, &len);
		require_same(&b, err, kinds[i].model(&b.model, &at, &n));
		REQUIRE(err ? !out : out == b.model.bytes + at && len == n);
	}
}

/* Every place of a message, and what its strings hold. */
static void walk(uint8_t *bytes, size_t n, int depth)
{
	const unsigned char *inside;
	struct both b = {
		.model = { .bytes = bytes, .size = n, .len = n },
	};
	size_t len;

	secbuf_cursor_init_filled(&b.cur, bytes, n);
	for (;;) {
		numbers(&b);
		strings(&b);
		if (!secbuf_cursor_get_string(&b.cur, &inside, &len)) {
			if (depth < DEPTH_MAX)
				walk((uint8_t *)inside, len, depth + 1);
		} else if (secbuf_cursor_skip(&b.cur, 1)) {
			break;
		}
		b.model.pos = b.cur.pos;
	}
	REQUIRE(!secbuf_cursor_remaining(&b.cur));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* Of just that size, and not where the fuzzer has its own. */
	uint8_t *copy = malloc(n ? n : 1);

	if (n)
		memcpy(copy, bytes, n);
	walk(copy, n, 0);
	free(copy);
	return 0;
}
