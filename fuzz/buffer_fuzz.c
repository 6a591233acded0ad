// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Three buffers under any sequence of calls, sharing and refusals included,
 * compared with plain bytes after each. Blocks must come back with a true word
 * on how far they were written: what is beyond must be zero.
 */
#include <secbuf/buffer.h>
#include <secbuf/text.h>

#include "input.h"
#include "model.h"

#define NR_BUFS		3
#define MAX		4096

/**
 * struct plain - what a buffer should hold
 */
struct plain {
	uint8_t bytes[MAX + 64];
	size_t len, pos;
};

/* The source: sizes round up by chance, and so it refuses. */
static struct {
	struct secbuf_source source;
	uint32_t random;
	bool refuses;
	int live;
} source;

struct block {
	size_t size;
	uint8_t bytes[];
};

static int source_alloc(struct secbuf_source *src, size_t size, void **out,
			size_t *got)
{
	struct block *block;

	(void)src;
	source.random = source.random * 1103515245 + 12345;
	if (source.refuses && (source.random >> 16) % 4 == 0)
		return -EDQUOT;
	if (size > 2 * MAX)
		return -ENOMEM;
	*got = size + (source.random >> 20) % 3 * 7;
	block = calloc(1, sizeof(*block) + *got);
	block->size = *got;
	*out = block->bytes;
	source.live++;
	return 0;
}

static void source_free(struct secbuf_source *src, void *ptr, size_t dirty)
{
	struct block *block = (void *)((uint8_t *)ptr - sizeof(*block));
	size_t i;

	(void)src;
	REQUIRE(dirty <= block->size);
	for (i = dirty; i < block->size; i++)
		REQUIRE(!block->bytes[i]);
	free(block);
	source.live--;
}

static const struct secbuf_source_ops source_ops = {
	.alloc = source_alloc,
	.free = source_free,
};

static uint8_t source_bytes[MAX + 64];
static struct secbuf_buffer bufs[NR_BUFS];
static struct plain plains[NR_BUFS];

/* May a call that needs @need bytes have ended so? */
static bool plausible(int err, wide need)
{
	if (need > MAX)
		return err == -EMSGSIZE;
	return !err || err == -EDQUOT;
}

static void require_same(void)
{
	int i;

	for (i = 0; i < NR_BUFS; i++) {
		const struct secbuf_buffer *buf = &bufs[i];

		REQUIRE(buf->cur.len == plains[i].len);
		REQUIRE(buf->cur.pos == plains[i].pos);
		REQUIRE(buf->cur.len <= buf->cur.size);
		REQUIRE(!buf->cur.len || !memcmp(buf->cur.data, plains[i].bytes,
						 buf->cur.len));
	}
}

static void plain_put(struct plain *plain, const uint8_t *src, size_t n)
{
	memcpy(plain->bytes + plain->pos, src, n);
	plain->pos += n;
	if (plain->len < plain->pos)
		plain->len = plain->pos;
}

static void append(struct input *in, struct secbuf_buffer *buf,
		   struct plain *plain)
{
	size_t n = input_length(in), from = input_u8(in);
	const uint8_t *src = source_bytes + from % 64;
	uint8_t copy[MAX];
	int err;

	/* Of its own, often. */
	if (from & 1 && n && n <= buf->cur.len)
		src = buf->cur.data + from % (buf->cur.len - n + 1);
	if (n <= MAX && n)
		memcpy(copy, src, n);
	err = secbuf_buffer_append(buf, src, n);
	REQUIRE(plausible(err, (wide)plain->len + n));
	if (!err) {
		memcpy(plain->bytes + plain->len, copy, n);
		plain->len += n;
	}
}

static void put_bytes(struct input *in, struct secbuf_buffer *buf,
		      struct plain *plain)
{
	size_t n = input_length(in), from = input_u8(in);
	const uint8_t *src = source_bytes + from % 64;
	uint8_t copy[MAX];
	int err;

	if (from & 1 && n && n <= buf->cur.len)
		src = buf->cur.data + from % (buf->cur.len - n + 1);
	if (n <= MAX && n)
		memcpy(copy, src, n);
	err = secbuf_buffer_put_bytes(buf, src, n);
	REQUIRE(plausible(err, (wide)plain->pos + n));
	if (!err)
		plain_put(plain, copy, n);
}

static void put_string(struct input *in, struct secbuf_buffer *buf,
		       struct plain *plain, const struct secbuf_buffer *other)
{
	uint8_t copy[4 + MAX];
	size_t n = other->cur.len;
	int err;

	(void)in;
	model_encode(copy, n, 4);
	if (n)
		memcpy(copy + 4, other->cur.data, n);
	err = secbuf_buffer_put_buffer(buf, other);
	REQUIRE(plausible(err, (wide)plain->pos + 4 + n));
	if (!err)
		plain_put(plain, copy, 4 + n);
}

static void put_mpint(struct input *in, struct secbuf_buffer *buf,
		      struct plain *plain)
{
	size_t n = input_u8(in), zeros = input_u8(in) % 4;
	uint8_t number[256 + 4] = { 0 }, whole[4 + 1 + 256] = { 0 };
	struct model m = { .bytes = whole, .size = sizeof(whole) };
	int err;

	memset(number + zeros, input_u8(in) | 1, n);
	REQUIRE(!model_put_mpint(&m, number, zeros + n));
	err = secbuf_buffer_put_mpint(buf, number, zeros + n);
	REQUIRE(plausible(err, (wide)plain->pos + m.len));
	if (!err)
		plain_put(plain, whole, m.len);
}

static void put_number(struct input *in, struct secbuf_buffer *buf,
		       struct plain *plain, uint8_t op)
{
	uint64_t value = input_u64(in);
	uint8_t bytes[8];
	int width = 8;
	int err;

	switch (op % 3) {
	case 0:
		width = 1;
		err = secbuf_buffer_put_u8(buf, value);
		break;
	case 1:
		width = 4;
		err = secbuf_buffer_put_u32(buf, value);
		break;
	default:
		err = secbuf_buffer_put_u64(buf, value);
		break;
	}
	model_encode(bytes, value, width);
	REQUIRE(plausible(err, (wide)plain->pos + width));
	if (!err)
		plain_put(plain, bytes, width);
}

static void resize(struct input *in, struct secbuf_buffer *buf,
		   struct plain *plain)
{
	size_t n = input_length(in);
	int err = secbuf_buffer_resize(buf, n);

	REQUIRE(plausible(err, n));
	if (err)
		return;
	if (n > plain->len)
		memset(plain->bytes + plain->len, 0, n - plain->len);
	plain->len = n;
	if (plain->pos > n)
		plain->pos = n;
}

static void make_room(struct input *in, struct secbuf_buffer *buf,
		      const struct plain *plain, uint8_t op)
{
	size_t n = input_length(in);
	size_t base = op & 1 ? plain->pos : plain->len;
	unsigned char *w;
	int err;

	err = op & 1 ? secbuf_buffer_prepare(buf, n) :
		       secbuf_buffer_reserve(buf, n);
	REQUIRE(plausible(err, (wide)base + n));
	REQUIRE(err || buf->cur.size >= base + n);
	if (err || !(op & 1) || buf->cur.len > buf->cur.pos)
		return;
	/* Written, but no contents: must be zeroized all the same. */
	w = secbuf_cursor_window(&buf->cur, n);
	REQUIRE(w || !n);
	if (n)
		memset(w, 0xee, n);
}

static void empty(struct secbuf_buffer *buf, struct plain *plain, uint8_t op,
		  size_t keep)
{
	switch (op % 5) {
	case 0:
		secbuf_buffer_clear(buf);
		break;
	case 1:
		secbuf_buffer_zeroize(buf);
		break;
	case 2:
		secbuf_buffer_trim(buf, keep);
		break;
	case 3:
		secbuf_buffer_shrink(buf, keep);
		break;
	default:
		secbuf_buffer_release(buf);
		break;
	}
	plain->len = 0;
	plain->pos = 0;
}

static void share(int from, int to)
{
	int err;

	if (from == to)
		return;
	secbuf_buffer_release(&bufs[to]);
	err = secbuf_buffer_share(&bufs[from], &bufs[to]);
	REQUIRE(plausible(err, 0));
	plains[to].len = 0;
	plains[to].pos = 0;
	if (!err)
		plains[to] = plains[from];
}

/* Strings that are read into a new buffer. */
static void open_string(int from, int to)
{
	struct plain *plain = &plains[from];
	struct model m = {
		.bytes = plain->bytes, .size = plain->len, .len = plain->len,
		.pos = plain->pos,
	};
	wide at, n;
	int err, expected;

	if (from == to)
		return;
	secbuf_buffer_release(&bufs[to]);
	plains[to].len = 0;
	plains[to].pos = 0;
	err = secbuf_buffer_open_string(&bufs[to], &source.source,
					&bufs[from].cur);
	secbuf_buffer_set_max(&bufs[to], MAX);
	expected = model_get_string(&m, MODEL_STRING_MAX, &at, &n);
	REQUIRE(err == expected || (!expected && err == -EDQUOT));
	if (err)
		return;
	plain->pos = m.pos;
	memcpy(plains[to].bytes, plain->bytes + at, n);
	plains[to].len = n;
}

/* A text that is decoded and encoded again must be the same. */
static void decode(struct secbuf_buffer *buf, uint8_t op)
{
	struct secbuf_buffer bytes, text;
	const char *from = (const char *)buf->cur.data;
	int err;

	if (!buf->cur.len)
		return;
	secbuf_buffer_init(&bytes, &source.source);
	secbuf_buffer_init(&text, &source.source);
	err = op & 1 ? secbuf_buffer_append_unbase64(&bytes, from, buf->cur.len) :
		       secbuf_buffer_append_unhex(&bytes, from, buf->cur.len);
	REQUIRE(!err || err == -EBADMSG || err == -EDQUOT);
	REQUIRE(!err || !bytes.cur.len);
	if (!err) {
		err = op & 1 ? secbuf_buffer_append_base64(&text, bytes.cur.data,
							   bytes.cur.len) :
			       secbuf_buffer_append_hex(&text, bytes.cur.data,
							bytes.cur.len);
		REQUIRE(err || text.cur.len == buf->cur.len);
		REQUIRE(err || (op & 1 ? !memcmp(text.cur.data, from,
						 text.cur.len) :
					 !strncasecmp((char *)text.cur.data,
						      from, text.cur.len)));
	}
	secbuf_buffer_release(&bytes);
	secbuf_buffer_release(&text);
}

static void step(struct input *in)
{
	uint8_t op = input_u8(in), which = input_u8(in);
	struct secbuf_buffer *buf = &bufs[which % NR_BUFS];
	struct plain *plain = &plains[which % NR_BUFS];
	int other = which / NR_BUFS % NR_BUFS;
	size_t n;

	switch (op % 16) {
	case 0:
	case 1:
		append(in, buf, plain);
		break;
	case 2:
		put_bytes(in, buf, plain);
		break;
	case 3:
		put_string(in, buf, plain, &bufs[other]);
		break;
	case 4:
		put_mpint(in, buf, plain);
		break;
	case 5:
		put_number(in, buf, plain, op / 16);
		break;
	case 6:
		resize(in, buf, plain);
		break;
	case 7:
		make_room(in, buf, plain, op / 16);
		break;
	case 8:
		empty(buf, plain, op / 16, input_u8(in) * 16);
		break;
	case 9:
	case 10:
		share(which % NR_BUFS, other);
		break;
	case 11:
		REQUIRE(plausible(secbuf_buffer_unshare(buf), 0));
		break;
	case 12:
		REQUIRE(plausible(secbuf_buffer_shrink_to_fit(buf), 0));
		break;
	case 13:
		n = input_length(in);
		if (!secbuf_cursor_set_pos(&buf->cur, n))
			plain->pos = n;
		else
			REQUIRE(n > plain->len);
		break;
	case 14:
		open_string(which % NR_BUFS, other);
		break;
	default:
		decode(buf, op / 16);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct input in = { bytes, n };
	size_t i;

	for (i = 0; i < sizeof(source_bytes); i++)
		source_bytes[i] = i * 7 + (i >> 8);
	source.source.ops = &source_ops;
	source.refuses = input_u8(&in) & 1;
	source.random = input_u8(&in);
	for (i = 0; i < NR_BUFS; i++) {
		secbuf_buffer_init(&bufs[i], &source.source);
		secbuf_buffer_set_max(&bufs[i], MAX);
		plains[i].len = 0;
		plains[i].pos = 0;
	}
	while (in.left) {
		step(&in);
		require_same();
	}
	for (i = 0; i < NR_BUFS; i++)
		secbuf_buffer_release(&bufs[i]);
	REQUIRE(!source.live);
	return 0;
}
