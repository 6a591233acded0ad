// SPDX-License-Identifier: GPL-2.0
/*
 * What the checks of a cursor cost, beside the same stores and loads without
 * any. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * Each call's result is looked at, as a program must. The compiler knows
 * neither the values nor how long strings and bytes are: with a constant length
 * it would make a few instructions of the peer's memcpy(), which nobody gets
 * who encodes what he was given. Both sides work in the first-level cache.
 *
 * Both keep where they are in registers: the peer one pointer, the cursor its
 * members. The compiler forgets the position each time, lest it reckon in
 * advance, for the whole loop, how many numbers there will be room for.
 */
#include <endian.h>
#include <string.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define ROOM		32768
#define STRING		32
#define STRING_ROOM	(4 + STRING)

static unsigned char room[ROOM] __attribute__((aligned(64)));
static unsigned char bytes[16384] __attribute__((aligned(64)));

/* A cursor over the room, of which the compiler knows nothing either. */
static inline void begin(struct secbuf_cursor *cur, size_t len)
{
	unsigned char *data = room;
	size_t size = sizeof(room);

	HIDE(data);
	HIDE(size);
	HIDE(len);
	secbuf_cursor_init(cur, data, size);
	turns_must(!secbuf_cursor_set_len(cur, len), "secbuf_cursor_set_len");
}

/* Its members are used, so what the calls do with them is not left out. */
static inline void end(const struct secbuf_cursor *cur)
{
	USED(cur->len);
	USED(cur->pos);
}

static inline unsigned char *begin_plain(void)
{
	unsigned char *data = room;

	HIDE(data);
	return data;
}

/*
 * Numbers
 */

static void cursor_put_u32(unsigned int nr)
{
	struct secbuf_cursor cur;
	int err;

	begin(&cur, 0);
	while (nr--) {
		HIDE(cur.pos);
		err = secbuf_cursor_put_u32(&cur, nr);
		turns_must(!err, "secbuf_cursor_put_u32");
	}
	end(&cur);
}

static void plain_put_u32(unsigned int nr)
{
	unsigned char *p = begin_plain();
	uint32_t stored;

	while (nr--) {
		HIDE(p);
		stored = htobe32(nr);
		memcpy(p, &stored, sizeof(stored));
		p += sizeof(stored);
	}
	memory_used(room);
}

static void cursor_get_u32(unsigned int nr)
{
	struct secbuf_cursor cur;
	uint32_t value = 0;
	int err;

	begin(&cur, sizeof(room));
	while (nr--) {
		HIDE(cur.pos);
		err = secbuf_cursor_get_u32(&cur, &value);
		turns_must(!err, "secbuf_cursor_get_u32");
		USED(value);
	}
	end(&cur);
}

static void plain_get_u32(unsigned int nr)
{
	const unsigned char *p = begin_plain();
	uint32_t value;

	while (nr--) {
		HIDE(p);
		memcpy(&value, p, sizeof(value));
		p += sizeof(value);
		value = be32toh(value);
		USED(value);
	}
}

/*
 * Strings
 */

static void cursor_put_string(unsigned int nr)
{
	struct secbuf_cursor cur;
	size_t len = STRING;
	int err;

	begin(&cur, 0);
	while (nr--) {
		HIDE(len);
		err = secbuf_cursor_put_string(&cur, bytes, len);
		turns_must(!err, "secbuf_cursor_put_string");
	}
	end(&cur);
}

static void plain_put_string(unsigned int nr)
{
	unsigned char *p = begin_plain();
	size_t len = STRING;
	uint32_t stored;

	while (nr--) {
		HIDE(len);
		stored = htobe32(len);
		memcpy(p, &stored, sizeof(stored));
		memcpy(p + sizeof(stored), bytes, len);
		p += sizeof(stored) + len;
	}
	memory_used(room);
}

static void fill_strings(unsigned int nr)
{
	plain_put_string(nr);
}

static void cursor_get_string(unsigned int nr)
{
	struct secbuf_cursor cur;
	const unsigned char *string = NULL;
	size_t len = 0;
	int err;

	begin(&cur, sizeof(room));
	while (nr--) {
		err = secbuf_cursor_get_string(&cur, &string, &len);
		turns_must(!err, "secbuf_cursor_get_string");
		USED(string);
		USED(len);
	}
	end(&cur);
}

static void plain_get_string(unsigned int nr)
{
	const unsigned char *p = begin_plain();
	const unsigned char *string;
	uint32_t stored;
	size_t len;

	while (nr--) {
		memcpy(&stored, p, sizeof(stored));
		len = be32toh(stored);
		string = p + sizeof(stored);
		p = string + len;
		USED(string);
		USED(len);
	}
}

/*
 * Bytes: always to the same place, which is in the cache then.
 */

static inline void cursor_put_bytes(size_t len, unsigned int nr)
{
	struct secbuf_cursor cur;
	int err;

	while (nr--) {
		HIDE(len);
		begin(&cur, 0);
		err = secbuf_cursor_put_bytes(&cur, bytes, len);
		turns_must(!err, "secbuf_cursor_put_bytes");
		memory_used(room);
	}
}

static inline void plain_put_bytes(size_t len, unsigned int nr)
{
	while (nr--) {
		HIDE(len);
		memcpy(begin_plain(), bytes, len);
		memory_used(room);
	}
}

static void cursor_put_1k(unsigned int nr)
{
	cursor_put_bytes(1024, nr);
}

static void plain_put_1k(unsigned int nr)
{
	plain_put_bytes(1024, nr);
}

static void cursor_put_16k(unsigned int nr)
{
	cursor_put_bytes(16384, nr);
}

static void plain_put_16k(unsigned int nr)
{
	plain_put_bytes(16384, nr);
}

static const struct turns_line lines[] = {
	{ .name = "put_u32", .nr = ROOM / sizeof(uint32_t),
	  .secbuf = { .run = cursor_put_u32 },
	  .peer = { "unchecked", NULL, plain_put_u32 } },
	{ .name = "get_u32", .nr = ROOM / sizeof(uint32_t),
	  .secbuf = { .run = cursor_get_u32 },
	  .peer = { "unchecked", NULL, plain_get_u32 } },
	{ .name = "put_string_32", .nr = ROOM / STRING_ROOM,
	  .secbuf = { .run = cursor_put_string },
	  .peer = { "unchecked+memcpy", NULL, plain_put_string } },
	{ .name = "get_string_32", .nr = ROOM / STRING_ROOM,
	  .secbuf = { "", fill_strings, cursor_get_string },
	  .peer = { "unchecked", fill_strings, plain_get_string } },
	{ .name = "put_bytes_1k",
	  .secbuf = { .run = cursor_put_1k },
	  .peer = { "memcpy", NULL, plain_put_1k } },
	{ .name = "put_bytes_16k",
	  .secbuf = { .run = cursor_put_16k },
	  .peer = { "memcpy", NULL, plain_put_16k } },
};

int main(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		turns_line(&lines[i]);
	return 0;
}
