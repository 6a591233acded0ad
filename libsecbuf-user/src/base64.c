// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Base64 (RFC 4648, section 4), without tables and branches that depend on the
 * bytes.
 */
#include <errno.h>

#include <secbuf/text.h>

/* All ones if a < b, both less than 2^31; otherwise 0. */
static unsigned int secbuf_less(unsigned int a, unsigned int b)
{
	return 0 - ((a - b) >> 31);
}

/* All ones if @c is from @first to @last. */
static unsigned int secbuf_within(unsigned int c, unsigned int first,
				  unsigned int last)
{
	return ~(secbuf_less(c, first) | secbuf_less(last, c));
}

/* 0 to 63. */
static unsigned char secbuf_base64_char(unsigned int value)
{
	return (secbuf_within(value, 0, 25) & (value + 'A')) |
	       (secbuf_within(value, 26, 51) & (value - 26 + 'a')) |
	       (secbuf_within(value, 52, 61) & (value - 52 + '0')) |
	       (secbuf_within(value, 62, 62) & '+') |
	       (secbuf_within(value, 63, 63) & '/');
}

/* 0 to 63, or 64 if it is none of the alphabet. */
static unsigned int secbuf_base64_value(unsigned char c)
{
	unsigned int upper = secbuf_within(c, 'A', 'Z');
	unsigned int lower = secbuf_within(c, 'a', 'z');
	unsigned int digit = secbuf_within(c, '0', '9');
	unsigned int plus = secbuf_within(c, '+', '+');
	unsigned int slash = secbuf_within(c, '/', '/');

	return (upper & (c - 'A')) | (lower & (c - 'a' + 26u)) |
	       (digit & (c - '0' + 52u)) | (plus & 62) | (slash & 63) |
	       (~(upper | lower | digit | plus | slash) & 64);
}

int secbuf_buffer_append_base64(struct secbuf_buffer *buf, const void *src,
				size_t n)
{
	const unsigned char *from = src;
	size_t groups = n / 3 + (n % 3 ? 1 : 0);
	unsigned int bits;
	unsigned char *to;
	size_t i, left;
	int err;

	if (!n)
		return 0;
	if (groups > SIZE_MAX / 4)
		return -EMSGSIZE;
	err = secbuf_buffer_reserve(buf, 4 * groups);
	if (err)
		return err;
	to = buf->cur.data + buf->cur.len;
	for (i = 0; i < n; i += 3) {
		left = n - i;
		bits = from[i] << 16;
		if (left > 1)
			bits |= from[i + 1] << 8;
		if (left > 2)
			bits |= from[i + 2];
		*to++ = secbuf_base64_char(bits >> 18);
		*to++ = secbuf_base64_char(bits >> 12 & 63);
		*to++ = left > 1 ? secbuf_base64_char(bits >> 6 & 63) : '=';
		*to++ = left > 2 ? secbuf_base64_char(bits & 63) : '=';
	}
	buf->cur.len += 4 * groups;
	return 0;
}

/* How many characters at the end are padding; where they are, is no secret. */
static unsigned int secbuf_base64_padding(const unsigned char *text, size_t n)
{
	if (!n || text[n - 1] != '=')
		return 0;
	return text[n - 2] == '=' ? 2 : 1;
}

/* Returns what is 64 or more if there was something wrong. */
static unsigned int secbuf_base64_decode(unsigned char *to,
					 const unsigned char *from,
					 size_t chars)
{
	unsigned int bits = 0, value, bad = 0;
	size_t i, left;

	for (i = 0; i < chars; i++) {
		value = secbuf_base64_value(from[i]);
		bad |= value;
		bits = bits << 6 | (value & 63);
		if (i % 4)
			*to++ = bits >> (6 - 2 * (i % 4)) & 0xff;
	}
	/* Bits that belong to no byte must be 0. */
	left = chars % 4;
	if (left == 2)
		bad |= (bits & 15) << 6;
	if (left == 3)
		bad |= (bits & 3) << 6;
	return bad;
}

int secbuf_buffer_append_unbase64(struct secbuf_buffer *buf, const char *text,
				  size_t n)
{
	const unsigned char *from = (const unsigned char *)text;
	unsigned char *to;
	size_t bytes;
	int err;

	if (n % 4)
		return -EBADMSG;
	n -= secbuf_base64_padding(from, n);
	bytes = n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0);
	err = secbuf_buffer_reserve(buf, bytes);
	if (err)
		return err;
	if (!bytes)
		return 0;
	to = buf->cur.data + buf->cur.len;
	if (secbuf_base64_decode(to, from, n) > 63) {
		__secbuf_zeroize(to, bytes);
		return -EBADMSG;
	}
	buf->cur.len += bytes;
	return 0;
}
