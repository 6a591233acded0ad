// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * A cursor under any sequence of calls, compared with the model after each.
 */
#include "cursor.h"
#include "input.h"
#include "model.h"

#define SIZE_HIGHEST	2048

static uint8_t source_bytes[SIZE_HIGHEST + 64];

/* Some bytes to put: of another place, or of the cursor itself. */
static const uint8_t *some_bytes(struct input *in, struct secbuf_cursor *cur,
				 size_t n)
{
	uint8_t selector = input_u8(in);

	/* What is not read may be nowhere: more than fits is refused before. */
	if (n > sizeof(source_bytes) - 64)
		return source_bytes;
	if (selector & 1 && cur->size >= n && cur->size)
		return cur->data + selector % (cur->size - n + 1);
	return source_bytes + selector % 64;
}

static int move(struct secbuf_cursor *cur, struct model *m, uint8_t op,
		size_t n)
{
	bool good;
	int err;

	switch (op) {
	case 0:
		good = n <= m->len;
		err = secbuf_cursor_set_pos(cur, n);
		if (good)
			m->pos = n;
		break;
	case 1:
		good = n >= m->pos && n <= m->size;
		err = secbuf_cursor_set_len(cur, n);
		if (good)
			m->len = n;
		break;
	case 2:
		good = m->pos + n <= m->len;
		err = secbuf_cursor_skip(cur, n);
		if (good)
			m->pos += n;
		break;
	case 3:
		good = n <= m->pos;
		err = secbuf_cursor_rewind(cur, n);
		if (good)
			m->pos -= n;
		break;
	case 4:
		good = m->pos + n <= m->size;
		err = secbuf_cursor_advance(cur, n);
		if (good)
			m->pos += n;
		if (good && m->len < m->pos)
			m->len = m->pos;
		break;
	default:
		good = m->len + n <= m->size;
		err = secbuf_cursor_extend(cur, n);
		if (good)
			m->len += n;
		break;
	}
	REQUIRE(err == (good ? 0 : -ERANGE));
	return err;
}

/* The model gets the bytes as they were before. */
static void put_some(struct secbuf_cursor *cur, struct model *m, uint8_t op,
		     const uint8_t *src, size_t n)
{
	size_t fits = n <= SIZE_HIGHEST ? n : 0;
	uint8_t *copy = malloc(fits + 1);
	int err;

	memcpy(copy, src, fits);
	switch (op) {
	case 0:
		err = secbuf_cursor_put_bytes(cur, src, n);
		REQUIRE(err == (n > SIZE_HIGHEST ? -ENOSPC :
				model_put(m, copy, n)));
		break;
	case 1:
		err = secbuf_cursor_put_string(cur, src, n);
		REQUIRE(err == (n > MODEL_STRING_MAX ? -EMSGSIZE :
				n > SIZE_HIGHEST ? -ENOSPC :
				model_put_string(m, MODEL_STRING_MAX, 0, copy,
						 n)));
		break;
	default:
		if (n > SIZE_HIGHEST)
			break;
		err = secbuf_cursor_put_mpint(cur, src, n);
		REQUIRE(err == model_put_mpint(m, copy, n));
		break;
	}
	free(copy);
}

static void put_number(struct secbuf_cursor *cur, struct model *m, uint8_t op,
		       uint64_t value)
{
	switch (op) {
	case 0:
		REQUIRE(secbuf_cursor_put_u8(cur, value) ==
			model_put_number(m, value, 1));
		break;
	case 1:
		REQUIRE(secbuf_cursor_put_bool(cur, value & 2) ==
			model_put_number(m, value & 2 ? 1 : 0, 1));
		break;
	case 2:
		REQUIRE(secbuf_cursor_put_u32(cur, value) ==
			model_put_number(m, value, 4));
		break;
	default:
		REQUIRE(secbuf_cursor_put_u64(cur, value) ==
			model_put_number(m, value, 8));
		break;
	}
}

static void get_some(struct secbuf_cursor *cur, struct model *m, size_t n)
{
	const unsigned char *view = NULL;
	struct secbuf_cursor again = *cur;
	uint8_t *copy;
	wide at;
	int err;

	err = secbuf_cursor_get_view(cur, n, &view);
	REQUIRE(err == model_get_bytes(m, n, &at));
	REQUIRE(err ? !view : view == cur->data + at);
	copy = malloc(err ? 1 : n + 1);
	REQUIRE(secbuf_cursor_get_bytes(&again, copy, n) == err);
	REQUIRE(again.pos == cur->pos);
	REQUIRE(err || !n || !memcmp(copy, view, n));
	free(copy);
}

/* Marks what it may write, so that dirty must reach so far. */
static size_t window(struct secbuf_cursor *cur, struct model *m, size_t n,
		     uint8_t byte)
{
	unsigned char *w = secbuf_cursor_window(cur, n);
	bool good = m->pos + n <= m->size;

	REQUIRE(good == (w == cur->data + cur->pos && w));
	if (!good || !n)
		return 0;
	memset(w, byte, n);
	memset(m->bytes + m->pos, byte, n);
	return m->pos + n;
}

/* Returns how far bytes may have been written. */
static size_t step(struct input *in, struct secbuf_cursor *cur,
		   struct model *m)
{
	uint8_t op = input_u8(in);
	size_t n;

	switch (op % 8) {
	case 0:
	case 1:
		n = input_length(in);
		move(cur, m, op / 8 % 6, n);
		break;
	case 2:
	case 3:
		n = input_length(in);
		put_some(cur, m, op / 8 % 3, some_bytes(in, cur, n), n);
		break;
	case 4:
		put_number(cur, m, op / 8 % 4, input_u64(in));
		break;
	case 5:
		get_some(cur, m, input_length(in));
		break;
	case 6:
		n = input_length(in);
		return window(cur, m, n, op);
	default:
		/* Another run over the same bytes. */
		m->pos = 0;
		REQUIRE(!secbuf_cursor_set_pos(cur, 0));
		break;
	}
	return m->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct input in = { bytes, n };
	size_t size = input_u8(&in) * 8 + input_u8(&in) % 8;
	struct model m = { .size = size };
	struct secbuf_cursor cur;
	size_t dirty = 0, now, i;
	uint8_t *data;

	for (i = 0; i < sizeof(source_bytes); i++)
		source_bytes[i] = i * 7 + (i >> 8);
	/* Of just that size; to take NULL further by 0 is not for a sanitizer. */
	data = malloc(size);
	memset(data, 0, size);
	m.bytes = calloc(1, SIZE_HIGHEST + 64);
	secbuf_cursor_init(&cur, data, size);
	while (in.left) {
		now = step(&in, &cur, &m);
		dirty = now > dirty ? now : dirty;
		REQUIRE(cur.pos == m.pos && cur.len == m.len);
		REQUIRE(cur.size == size && cur.data == data);
		REQUIRE(secbuf_cursor_dirty(&cur) >= dirty);
		REQUIRE(secbuf_cursor_dirty(&cur) <= size);
		REQUIRE(!size || !memcmp(data, m.bytes, size));
	}
	free(m.bytes);
	free(data);
	return 0;
}
