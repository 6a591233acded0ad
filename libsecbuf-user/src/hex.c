// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Hexadecimal digits, without tables and branches that depend on them.
 */
#include <errno.h>

#include <secbuf/text.h>

/* 0 to 15. */
static unsigned char secbuf_hex_digit(unsigned int value)
{
	/* Above 9 the subtraction borrows: 39 more, from '9' + 1 to 'a'. */
	return '0' + value + (((9 - value) >> 8) & ('a' - '9' - 1));
}

/* 0 to 15, or more if it is no digit. */
static unsigned int secbuf_hex_value(unsigned char digit)
{
	unsigned int number = digit - '0';
	/* Upper case to lower case, and nothing else to a letter. */
	unsigned int letter = (digit | 0x20) - 'a';
	unsigned int is_number = (number - 10) >> 8 & 0xff;
	unsigned int is_letter = (letter - 6) >> 8 & 0xff;

	/* What was less than '0' or 'a' is huge now, and so no digit. */
	is_number &= ~(number >> 8);
	is_letter &= ~(letter >> 8);
	return (number & is_number) | ((letter + 10) & is_letter) |
	       ((is_number | is_letter) ^ 0xff) << 4;
}

int secbuf_buffer_append_hex(struct secbuf_buffer *buf, const void *src,
			     size_t n)
{
	const unsigned char *from = src;
	unsigned char *to;
	size_t i;
	int err;

	if (!n)
		return 0;
	if (n > SIZE_MAX / 2)
		return -EMSGSIZE;
	err = secbuf_buffer_reserve(buf, 2 * n);
	if (err)
		return err;
	to = buf->cur.data + buf->cur.len;
	for (i = 0; i < n; i++) {
		*to++ = secbuf_hex_digit(from[i] >> 4);
		*to++ = secbuf_hex_digit(from[i] & 15);
	}
	buf->cur.len += 2 * n;
	return 0;
}

int secbuf_buffer_append_unhex(struct secbuf_buffer *buf, const char *digits,
			       size_t n)
{
	const unsigned char *from = (const unsigned char *)digits;
	unsigned int high, low, bad = 0;
	unsigned char *to;
	size_t i;
	int err;

	if (n % 2)
		return -EBADMSG;
	if (!n)
		return 0;
	err = secbuf_buffer_reserve(buf, n / 2);
	if (err)
		return err;
	to = buf->cur.data + buf->cur.len;
	for (i = 0; i < n; i += 2) {
		high = secbuf_hex_value(from[i]);
		low = secbuf_hex_value(from[i + 1]);
		bad |= high | low;
		*to++ = high << 4 | (low & 15);
	}
	if (bad > 15) {
		__secbuf_zeroize(to - n / 2, n / 2);
		return -EBADMSG;
	}
	buf->cur.len += n / 2;
	return 0;
}
