// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Strings that are more than bytes: numbers of any length, and text.
 */
#include "cursor.h"

int secbuf_cursor_put_mpint(struct secbuf_cursor *cur, const void *src,
			    size_t n)
{
	const unsigned char *p = (const unsigned char *)src;
	size_t pad = __secbuf_mpint_strip(&p, &n);
	unsigned char *dst;

	if (n > SECBUF_STRING_MAX_DEFAULT - pad)
		return -EMSGSIZE;
	if (SECBUF_STRING_HEAD + pad + n > secbuf_cursor_space(cur))
		return -ENOSPC;

	dst = __secbuf_cursor_put(cur, SECBUF_STRING_HEAD + pad + n);
	/* First the number: it may be where its length goes. */
	if (n)
		__secbuf_copy(dst + SECBUF_STRING_HEAD + pad, p, n);
	__secbuf_cursor_store_u32(dst, (uint32_t)(pad + n));
	if (pad)
		dst[SECBUF_STRING_HEAD] = 0;
	return 0;
}

int secbuf_cursor_get_mpint(struct secbuf_cursor *cur,
			    const unsigned char **out, size_t *len)
{
	size_t pos = cur->pos;
	const unsigned char *p;
	size_t n;
	int err;

	err = secbuf_cursor_get_string(cur, &p, &n);
	if (err)
		return err;
	if (n && (*p & 0x80))
		goto bad;
	if (n && !*p) {
		/* Only to say that what follows is not negative. */
		if (n == 1 || !(p[1] & 0x80))
			goto bad;
		p++;
		n--;
	}
	*out = p;
	*len = n;
	return 0;

bad:
	cur->pos = pos;
	return -EBADMSG;
}

int secbuf_cursor_get_text(struct secbuf_cursor *cur,
			   const unsigned char **out, size_t *len)
{
	size_t pos = cur->pos;
	const unsigned char *p;
	size_t n, i;
	int err;

	err = secbuf_cursor_get_string(cur, &p, &n);
	if (err)
		return err;
	/* Not memchr(), which reads into vector registers. */
	/*@ loop invariant i <= n;
	    loop assigns i;
	    loop variant n - i; */
	for (i = 0; i < n; i++) {
		if (!p[i]) {
			cur->pos = pos;
			return -EBADMSG;
		}
	}
	*out = p;
	*len = n;
	return 0;
}
