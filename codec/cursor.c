// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Strings: a 32-bit length and that many bytes.
 */
#include "cursor.h"

#define SECBUF_STRING_HEAD	sizeof(uint32_t)

int secbuf_cursor_put_string_max(struct secbuf_cursor *cur, size_t max,
				 const void *src, size_t n)
{
	unsigned char *p;

	if (n > max || n != (uint32_t)n)
		return -EMSGSIZE;
	if (secbuf_cursor_space(cur) < SECBUF_STRING_HEAD ||
	    n > secbuf_cursor_space(cur) - SECBUF_STRING_HEAD)
		return -ENOSPC;

	p = __secbuf_cursor_put(cur, SECBUF_STRING_HEAD + n);
	__secbuf_cursor_store_u32(p, n);
	if (n)
		__secbuf_cursor_copy(p + SECBUF_STRING_HEAD, src, n);
	return 0;
}

int secbuf_cursor_put_string(struct secbuf_cursor *cur, const void *src,
			     size_t n)
{
	return secbuf_cursor_put_string_max(cur, SECBUF_STRING_MAX_DEFAULT,
					    src, n);
}

int secbuf_cursor_get_string_max(struct secbuf_cursor *cur, size_t max,
				 const unsigned char **out, size_t *len)
{
	uint32_t n;
	int err;

	err = secbuf_cursor_peek_u32(cur, &n);
	if (err)
		return err;
	if (n > max)
		return -EMSGSIZE;
	if (n > secbuf_cursor_remaining(cur) - SECBUF_STRING_HEAD)
		return -ENODATA;

	*out = __secbuf_cursor_get(cur, SECBUF_STRING_HEAD + n) +
	       SECBUF_STRING_HEAD;
	*len = n;
	return 0;
}

int secbuf_cursor_get_string(struct secbuf_cursor *cur,
			     const unsigned char **out, size_t *len)
{
	return secbuf_cursor_get_string_max(cur, SECBUF_STRING_MAX_DEFAULT,
					    out, len);
}

int secbuf_cursor_skip_string(struct secbuf_cursor *cur)
{
	const unsigned char *bytes;
	size_t len;

	return secbuf_cursor_get_string(cur, &bytes, &len);
}
