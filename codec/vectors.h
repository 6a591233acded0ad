/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * What the codec must produce and accept: one table for all of its tests. The
 * includer has included cursor.h and provides ARRAY_SIZE().
 */
#ifndef SECBUF_VECTORS_H
#define SECBUF_VECTORS_H

/* The encoding of @value in @width bytes, both ways. */
struct secbuf_vector_number {
	const char *name;
	unsigned int width;
	uint64_t value;
	unsigned char wire[8];
};

static const struct secbuf_vector_number secbuf_vector_numbers[] = {
	{ "u8 0", 1, 0, { 0x00 } },
	{ "u8 1", 1, 1, { 0x01 } },
	{ "u8 0x80", 1, 0x80, { 0x80 } },
	{ "u8 highest", 1, 0xff, { 0xff } },
	{ "u32 0", 4, 0, { 0, 0, 0, 0 } },
	{ "u32 1", 4, 1, { 0, 0, 0, 1 } },
	/* RFC 4251, section 5, uint32 */
	{ "u32 of the RFC", 4, 699921578, { 0x29, 0xb7, 0xf4, 0xaa } },
	{ "u32 2^31", 4, 0x80000000U, { 0x80, 0, 0, 0 } },
	{ "u32 highest", 4, 0xffffffffU, { 0xff, 0xff, 0xff, 0xff } },
	{ "u64 0", 8, 0, { 0, 0, 0, 0, 0, 0, 0, 0 } },
	{ "u64 every byte", 8, 0x0123456789abcdefULL,
	  { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef } },
	{ "u64 2^32", 8, 0x100000000ULL, { 0, 0, 0, 1, 0, 0, 0, 0 } },
	{ "u64 2^63", 8, 0x8000000000000000ULL,
	  { 0x80, 0, 0, 0, 0, 0, 0, 0 } },
	{ "u64 highest", 8, 0xffffffffffffffffULL,
	  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
};

/* How a byte decodes as bool. */
struct secbuf_vector_bool {
	unsigned char wire;
	bool value;
};

static const struct secbuf_vector_bool secbuf_vector_bools[] = {
	{ 0x00, false },
	{ 0x01, true },
	{ 0x02, true },
	{ 0x80, true },
	{ 0xff, true },
};

/* The encoding of a whole string, both ways. */
struct secbuf_vector_string {
	const char *name;
	const char *text;
	size_t len;
	const char *wire;
};

static const struct secbuf_vector_string secbuf_vector_strings[] = {
	{ "empty", "", 0, "\0\0\0\0" },
	/* RFC 4251, section 5, string and name-list */
	{ "string of the RFC", "testing", 7, "\0\0\0\7testing" },
	{ "name-list of one", "zlib", 4, "\0\0\0\4zlib" },
	{ "name-list of two", "zlib,none", 9, "\0\0\0\11zlib,none" },
	{ "with NUL inside", "a\0b", 3, "\0\0\0\3a\0b" },
	{ "not UTF-8", "\xff\xfe\x80", 3, "\0\0\0\3\xff\xfe\x80" },
};

/* The encoding of a number of any length, both ways. */
struct secbuf_vector_mpint {
	const char *name;
	const char *number;
	size_t len;
	const char *wire;
	size_t wire_len;
};

static const struct secbuf_vector_mpint secbuf_vector_mpints[] = {
	/* RFC 4251, section 5, mpint */
	{ "mpint 0", "", 0, "\0\0\0\0", 4 },
	{ "mpint of the RFC", "\x09\xa3\x78\xf9\xb2\xe3\x32\xa7", 8,
	  "\0\0\0\10\x09\xa3\x78\xf9\xb2\xe3\x32\xa7", 12 },
	{ "mpint 0x80", "\x80", 1, "\0\0\0\2\0\x80", 6 },
	{ "mpint 1", "\1", 1, "\0\0\0\1\1", 5 },
	{ "mpint 0x7f", "\x7f", 1, "\0\0\0\1\x7f", 5 },
	{ "mpint 0xff00", "\xff\0", 2, "\0\0\0\3\0\xff\0", 7 },
	{ "mpint 0x0100", "\1\0", 2, "\0\0\0\2\1\0", 6 },
};

/* Strings that are no mpint. */
struct secbuf_vector_wire {
	const char *name;
	const char *wire;
	size_t wire_len;
};

static const struct secbuf_vector_wire secbuf_vector_no_mpints[] = {
	/* RFC 4251, section 5, mpint */
	{ "-0x1234", "\0\0\0\2\xed\xcc", 6 },
	{ "-0xdeadbeef", "\0\0\0\5\xff\x21\x52\x41\x11", 9 },
	{ "-1", "\0\0\0\1\xff", 5 },
	{ "0 with a byte", "\0\0\0\1\0", 5 },
	{ "0 with two bytes", "\0\0\0\2\0\0", 6 },
	{ "0x7f with two bytes", "\0\0\0\2\0\x7f", 6 },
	{ "0x80 with three bytes", "\0\0\0\3\0\0\x80", 7 },
};

/* Strings that are no text. */
static const struct secbuf_vector_wire secbuf_vector_no_texts[] = {
	{ "NUL only", "\0\0\0\1\0", 5 },
	{ "NUL first", "\0\0\0\3\0ab", 7 },
	{ "NUL inside", "\0\0\0\3a\0b", 7 },
	{ "NUL last", "\0\0\0\3ab\0", 7 },
};

/*
 * Strings by their lengths: @head_len bytes of the length @head, then @body
 * bytes, decoded with the limit @max.
 */
struct secbuf_vector_length {
	const char *name;
	uint32_t head;
	size_t head_len;
	size_t body;
	size_t max;
	int result;
};

#define SECBUF_VECTOR_MAX	SECBUF_STRING_MAX_DEFAULT
#define SECBUF_VECTOR_NO_MAX	((size_t)-1)

static const struct secbuf_vector_length secbuf_vector_lengths[] = {
	{ "nothing", 0, 0, 0, SECBUF_VECTOR_MAX, -ENODATA },
	{ "1 byte of the length", 0, 1, 0, SECBUF_VECTOR_MAX, -ENODATA },
	{ "2 bytes of the length", 0, 2, 0, SECBUF_VECTOR_MAX, -ENODATA },
	{ "3 bytes of the length", 0, 3, 0, SECBUF_VECTOR_MAX, -ENODATA },
	{ "empty", 0, 4, 0, SECBUF_VECTOR_MAX, 0 },
	{ "empty, more follows", 0, 4, 9, SECBUF_VECTOR_MAX, 0 },
	{ "empty, limit 0", 0, 4, 0, 0, 0 },
	{ "1, limit 0", 1, 4, 1, 0, -EMSGSIZE },
	{ "1 of 1", 1, 4, 1, SECBUF_VECTOR_MAX, 0 },
	{ "0 of 1", 1, 4, 0, SECBUF_VECTOR_MAX, -ENODATA },
	{ "7 of 8", 8, 4, 7, SECBUF_VECTOR_MAX, -ENODATA },
	{ "limit", 400000, 4, 400000, SECBUF_VECTOR_MAX, 0 },
	{ "limit, one short", 400000, 4, 399999, SECBUF_VECTOR_MAX, -ENODATA },
	{ "limit + 1", 400001, 4, 400001, SECBUF_VECTOR_MAX, -EMSGSIZE },
	{ "limit + 1, short", 400001, 4, 0, SECBUF_VECTOR_MAX, -EMSGSIZE },
	{ "other limit", 400001, 4, 400001, 400001, 0 },
	{ "2^31", 0x80000000U, 4, 16, SECBUF_VECTOR_MAX, -EMSGSIZE },
	{ "2^32 - 1", 0xffffffffU, 4, 16, SECBUF_VECTOR_MAX, -EMSGSIZE },
	{ "2^31 - 1, no limit", 0x7fffffffU, 4, 16, SECBUF_VECTOR_NO_MAX,
	  -ENODATA },
	{ "2^31, no limit", 0x80000000U, 4, 16, SECBUF_VECTOR_NO_MAX,
	  -ENODATA },
	{ "2^32 - 4, no limit", 0xfffffffcU, 4, 16, SECBUF_VECTOR_NO_MAX,
	  -ENODATA },
	{ "2^32 - 1, no limit", 0xffffffffU, 4, 16, SECBUF_VECTOR_NO_MAX,
	  -ENODATA },
};

/*
 * A message with every kind of field, in this order: u8 17, bool true,
 * u32 699921578, u64 0x0123456789abcdef, the 4 bytes "abcd", string "testing",
 * mpint 0x80, text "zlib", empty string. Cut short anywhere it is not a message.
 */
static const unsigned char secbuf_vector_message[] = {
	0x11,
	0x01,
	0x29, 0xb7, 0xf4, 0xaa,
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	'a', 'b', 'c', 'd',
	0x00, 0x00, 0x00, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g',
	0x00, 0x00, 0x00, 0x02, 0x00, 0x80,
	0x00, 0x00, 0x00, 0x04, 'z', 'l', 'i', 'b',
	0x00, 0x00, 0x00, 0x00,
};

#define SECBUF_VECTOR_NR_FIELDS	9

static inline int secbuf_vector_put_field(struct secbuf_cursor *cur,
					  unsigned int field)
{
	switch (field) {
	case 0:
		return secbuf_cursor_put_u8(cur, 17);
	case 1:
		return secbuf_cursor_put_bool(cur, true);
	case 2:
		return secbuf_cursor_put_u32(cur, 699921578);
	case 3:
		return secbuf_cursor_put_u64(cur, 0x0123456789abcdefULL);
	case 4:
		return secbuf_cursor_put_bytes(cur, "abcd", 4);
	case 5:
		return secbuf_cursor_put_string(cur, "testing", 7);
	case 6:
		return secbuf_cursor_put_mpint(cur, "\0\x80", 2);
	case 7:
		return secbuf_cursor_put_string(cur, "zlib", 4);
	default:
		return secbuf_cursor_put_string(cur, NULL, 0);
	}
}

/* Values are checked by comparing what was put; here only the results count. */
static inline int secbuf_vector_get_field(struct secbuf_cursor *cur,
					  unsigned int field)
{
	const unsigned char *bytes;
	unsigned char copy[4];
	uint64_t u64_value;
	uint32_t u32_value;
	uint8_t u8_value;
	bool bool_value;
	size_t len;

	switch (field) {
	case 0:
		return secbuf_cursor_get_u8(cur, &u8_value);
	case 1:
		return secbuf_cursor_get_bool(cur, &bool_value);
	case 2:
		return secbuf_cursor_get_u32(cur, &u32_value);
	case 3:
		return secbuf_cursor_get_u64(cur, &u64_value);
	case 4:
		return secbuf_cursor_get_bytes(cur, copy, sizeof(copy));
	case 6:
		return secbuf_cursor_get_mpint(cur, &bytes, &len);
	case 7:
		return secbuf_cursor_get_text(cur, &bytes, &len);
	default:
		return secbuf_cursor_get_string(cur, &bytes, &len);
	}
}

#endif /* SECBUF_VECTORS_H */
