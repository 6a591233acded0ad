/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * Bounded encoding and decoding over borrowed bytes.
 *
 * A cursor is a position and a length over bytes that belong to someone else.
 * It owns nothing, allocates nothing and takes no lock; the bytes must outlive
 * it. Invariant: pos <= len <= size. Bytes before len are contents, bytes from
 * len to size are room.
 *
 * Numbers are big-endian, strings are a 32-bit length and that many bytes, as
 * in RFC 4251, section 5. Sizes are in bytes.
 *
 * Bytes to put may lie among those of the cursor: the outcome is as if they had
 * been copied before.
 *
 * A function that fails changes neither the cursor, nor the bytes, nor its
 * out-parameters. Results are 0 or one of these, negative:
 *
 * - ENOSPC: no room between the position and the size
 * - ENODATA: the contents end too early
 * - EMSGSIZE: a string is longer than the limit
 * - EBADMSG: a string is not what it has to be: an mpint, or text
 * - ERANGE: a position or length outside of its bounds
 *
 * The same source is built into the kernel module and the library.
 */
#ifndef SECBUF_CURSOR_H
#define SECBUF_CURSOR_H

#include "platform.h"

__SECBUF_DECLS_BEGIN

/* Longest string of secbuf_cursor_put_string() and _get_string(). */
#define SECBUF_STRING_MAX_DEFAULT	400000

/* Bytes of the length that a string begins with. */
#define SECBUF_STRING_HEAD		sizeof(uint32_t)

/**
 * struct secbuf_cursor - position and length over borrowed bytes
 * @data: the bytes
 * @size: how many they are
 * @len: how many of them are contents
 * @pos: where the next put or get happens
 * @high: bytes from the start that may have been written although they are no
 *        contents: cut off, or in a window
 *
 * Use the functions below, which keep pos <= len <= size.
 */
struct secbuf_cursor {
	unsigned char *data;
	size_t size;
	size_t len;
	size_t pos;
	size_t high;
};

/**
 * secbuf_cursor_init() - begin to write
 * @cur: the cursor
 * @data: room for @size bytes; NULL only if @size is 0
 * @size: its size
 *
 * The cursor has no contents and stands at 0.
 */
static inline void secbuf_cursor_init(struct secbuf_cursor *cur, void *data,
				      size_t size)
{
	cur->data = (unsigned char *)data;
	cur->size = size;
	cur->len = 0;
	cur->pos = 0;
	cur->high = 0;
}

/**
 * secbuf_cursor_init_filled() - begin to read
 * @cur: the cursor
 * @data: @len bytes of contents; NULL only if @len is 0
 * @len: their number, which is also the size
 *
 * The cursor stands at 0.
 */
static inline void secbuf_cursor_init_filled(struct secbuf_cursor *cur,
					     void *data, size_t len)
{
	cur->data = (unsigned char *)data;
	cur->size = len;
	cur->len = len;
	cur->pos = 0;
	cur->high = 0;
}

/* Offset of the next put or get. */
static inline size_t secbuf_cursor_pos(const struct secbuf_cursor *cur)
{
	return cur->pos;
}

/* Bytes of contents. */
static inline size_t secbuf_cursor_len(const struct secbuf_cursor *cur)
{
	return cur->len;
}

/* Bytes of contents and of room after them. */
static inline size_t secbuf_cursor_size(const struct secbuf_cursor *cur)
{
	return cur->size;
}

/* Bytes that can be got from the position on. */
static inline size_t secbuf_cursor_remaining(const struct secbuf_cursor *cur)
{
	return cur->len - cur->pos;
}

/* Bytes that can be put from the position on. */
static inline size_t secbuf_cursor_space(const struct secbuf_cursor *cur)
{
	return cur->size - cur->pos;
}

/* How many bytes from the start can be other than they were at the beginning. */
static inline size_t secbuf_cursor_dirty(const struct secbuf_cursor *cur)
{
	return cur->high > cur->len ? cur->high : cur->len;
}

/* NULL moved by nothing is no pointer to C; compilers make one addition of it. */
static inline unsigned char *
__secbuf_cursor_here(const struct secbuf_cursor *cur)
{
	return cur->pos ? cur->data + cur->pos : cur->data;
}

/* The byte at the position; secbuf_cursor_remaining() may be read there. */
static inline const unsigned char *
secbuf_cursor_ptr(const struct secbuf_cursor *cur)
{
	return __secbuf_cursor_here(cur);
}

/**
 * secbuf_cursor_window() - room at the position, to be written directly
 * @cur: the cursor
 * @n: how many bytes
 *
 * Say afterwards with secbuf_cursor_advance() how many have become contents.
 *
 * Return: @n bytes that may be written until the cursor is moved or set
 * otherwise; NULL if there are fewer.
 */
static inline unsigned char *secbuf_cursor_window(struct secbuf_cursor *cur,
						  size_t n)
{
	if (n > cur->size - cur->pos)
		return NULL;
	if (cur->high < cur->pos + n)
		cur->high = cur->pos + n;
	return __secbuf_cursor_here(cur);
}

/**
 * secbuf_cursor_advance() - move forward over what was written directly
 * @cur: the cursor
 * @n: at most secbuf_cursor_space()
 *
 * The contents reach at least to the new position.
 *
 * Return: 0 or -ERANGE.
 */
static inline int secbuf_cursor_advance(struct secbuf_cursor *cur, size_t n)
{
	if (n > cur->size - cur->pos)
		return -ERANGE;
	cur->pos += n;
	if (cur->len < cur->pos)
		cur->len = cur->pos;
	return 0;
}

/**
 * secbuf_cursor_set_pos() - move to an offset
 * @cur: the cursor
 * @pos: at most secbuf_cursor_len()
 *
 * Return: 0 or -ERANGE.
 */
static inline int secbuf_cursor_set_pos(struct secbuf_cursor *cur, size_t pos)
{
	if (pos > cur->len)
		return -ERANGE;
	cur->pos = pos;
	return 0;
}

/**
 * secbuf_cursor_set_len() - say how many bytes are contents
 * @cur: the cursor
 * @len: from secbuf_cursor_pos() to secbuf_cursor_size()
 *
 * For contents that came by another way, such as read(), and to cut them off
 * behind the position. To cut before it, move back first.
 *
 * Return: 0 or -ERANGE.
 */
static inline int secbuf_cursor_set_len(struct secbuf_cursor *cur, size_t len)
{
	if (len < cur->pos || len > cur->size)
		return -ERANGE;
	cur->high = secbuf_cursor_dirty(cur);
	cur->len = len;
	return 0;
}

/**
 * secbuf_cursor_extend() - make room behind the contents part of them
 * @cur: the cursor
 * @n: at most secbuf_cursor_size() - secbuf_cursor_len()
 *
 * Return: 0 or -ERANGE.
 */
static inline int secbuf_cursor_extend(struct secbuf_cursor *cur, size_t n)
{
	if (n > cur->size - cur->len)
		return -ERANGE;
	cur->len += n;
	return 0;
}

/**
 * secbuf_cursor_skip() - move forward over contents
 * @cur: the cursor
 * @n: at most secbuf_cursor_remaining()
 *
 * Return: 0 or -ERANGE.
 */
static inline int secbuf_cursor_skip(struct secbuf_cursor *cur, size_t n)
{
	if (n > cur->len - cur->pos)
		return -ERANGE;
	cur->pos += n;
	return 0;
}

/**
 * secbuf_cursor_rewind() - move backward
 * @cur: the cursor
 * @n: at most secbuf_cursor_pos()
 *
 * Return: 0 or -ERANGE.
 */
static inline int secbuf_cursor_rewind(struct secbuf_cursor *cur, size_t n)
{
	if (n > cur->pos)
		return -ERANGE;
	cur->pos -= n;
	return 0;
}

static inline void __secbuf_cursor_store_u32(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)(value >> 24);
	p[1] = (unsigned char)(value >> 16);
	p[2] = (unsigned char)(value >> 8);
	p[3] = (unsigned char)value;
}

static inline uint32_t __secbuf_cursor_load_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/*
 * Is there room for a number of @n bytes? In this order, what is subtracted is
 * the same for all numbers of a message, and reckoned once.
 */
static inline bool __secbuf_cursor_fits(const struct secbuf_cursor *cur,
					size_t n)
{
	return __builtin_expect(n <= cur->size && cur->pos <= cur->size - n, 1);
}

/* The caller has checked that there is room for @n bytes. */
static inline unsigned char *__secbuf_cursor_put(struct secbuf_cursor *cur,
						 size_t n)
{
	size_t begin = cur->pos;
	size_t end = begin + n;

	cur->pos = end;
	if (__builtin_expect(cur->len < end, 1)) {
		/*
		 * Hidden, for this to be a branch: by a conditional move each
		 * call would wait for the one before.
		 */
		__secbuf_hide(end);
		cur->len = end;
	}
	return cur->data + begin;
}

/* The caller has checked that there are @n bytes. */
static inline const unsigned char *
__secbuf_cursor_get(struct secbuf_cursor *cur, size_t n)
{
	const unsigned char *p = __secbuf_cursor_here(cur);

	cur->pos += n;
	return p;
}

/*
 * Put: write at the position, move behind what was written, and make the
 * contents reach at least there. 0 or -ENOSPC.
 */

/* One byte. */
static inline int secbuf_cursor_put_u8(struct secbuf_cursor *cur,
				       uint8_t value)
{
	if (!__secbuf_cursor_fits(cur, sizeof(value)))
		return -ENOSPC;
	*__secbuf_cursor_put(cur, sizeof(value)) = value;
	return 0;
}

/* One byte, 1 or 0. */
static inline int secbuf_cursor_put_bool(struct secbuf_cursor *cur, bool value)
{
	return secbuf_cursor_put_u8(cur, value ? 1 : 0);
}

/* Four bytes. */
static inline int secbuf_cursor_put_u32(struct secbuf_cursor *cur,
					uint32_t value)
{
	if (!__secbuf_cursor_fits(cur, sizeof(value)))
		return -ENOSPC;
	__secbuf_cursor_store_u32(__secbuf_cursor_put(cur, sizeof(value)),
				  value);
	return 0;
}

/* Eight bytes. */
static inline int secbuf_cursor_put_u64(struct secbuf_cursor *cur,
					uint64_t value)
{
	unsigned char *p;

	if (!__secbuf_cursor_fits(cur, sizeof(value)))
		return -ENOSPC;
	p = __secbuf_cursor_put(cur, sizeof(value));
	__secbuf_cursor_store_u32(p, (uint32_t)(value >> 32));
	__secbuf_cursor_store_u32(p + 4, (uint32_t)value);
	return 0;
}

/**
 * secbuf_cursor_put_bytes() - put bytes as they are, without their number
 * @cur: the cursor
 * @src: the bytes
 * @n: their number
 *
 * Return: 0 or -ENOSPC.
 */
static inline int secbuf_cursor_put_bytes(struct secbuf_cursor *cur,
					  const void *src, size_t n)
{
	if (n > secbuf_cursor_space(cur))
		return -ENOSPC;
	if (n)
		__secbuf_copy(__secbuf_cursor_put(cur, n), src, n);
	return 0;
}

/**
 * secbuf_cursor_put_string_max() - put a length and that many bytes
 * @cur: the cursor
 * @max: the longest string to put; never more than 2^32 - 1 counts
 * @src: the bytes
 * @n: their number
 *
 * Return: 0, -ENOSPC or -EMSGSIZE.
 */
static inline int secbuf_cursor_put_string_max(struct secbuf_cursor *cur,
					       size_t max, const void *src,
					       size_t n)
{
	unsigned char *p;

	if (n > max || n != (uint32_t)n)
		return -EMSGSIZE;
	if (secbuf_cursor_space(cur) < SECBUF_STRING_HEAD ||
	    n > secbuf_cursor_space(cur) - SECBUF_STRING_HEAD)
		return -ENOSPC;

	p = __secbuf_cursor_put(cur, SECBUF_STRING_HEAD + n);
	/* First the bytes: they may be where the length goes. */
	if (n)
		__secbuf_copy(p + SECBUF_STRING_HEAD, src, n);
	__secbuf_cursor_store_u32(p, (uint32_t)n);
	return 0;
}

/**
 * secbuf_cursor_put_string() - the same with the default limit
 * @cur: the cursor
 * @src: the bytes
 * @n: their number, at most SECBUF_STRING_MAX_DEFAULT
 *
 * Return: 0, -ENOSPC or -EMSGSIZE.
 */
static inline int secbuf_cursor_put_string(struct secbuf_cursor *cur,
					   const void *src, size_t n)
{
	return secbuf_cursor_put_string_max(cur, SECBUF_STRING_MAX_DEFAULT,
					    src, n);
}

/*
 * Takes the leading zeros off a number of any length; returns how many bytes it
 * then needs before it, lest it look negative.
 */
static inline size_t __secbuf_mpint_strip(const unsigned char **number,
					  size_t *n)
{
	const unsigned char *p = *number;
	size_t left = *n;

	/*@ loop invariant left <= \at(*n, Pre);
	    loop invariant p == \at(*number, Pre) + (\at(*n, Pre) - left);
	    loop assigns p, left;
	    loop variant left; */
	while (left && !*p) {
		p++;
		left--;
	}
	*number = p;
	*n = left;
	return left && (*p & 0x80) ? 1 : 0;
}

/**
 * secbuf_cursor_put_mpint() - put a number of any length
 * @cur: the cursor
 * @src: the number, big-endian, without a sign; zeros may lead
 * @n: its bytes
 *
 * Return: 0, -ENOSPC, or -EMSGSIZE if it has more than
 * SECBUF_STRING_MAX_DEFAULT bytes without leading zeros, or as many and would
 * need one more for the sign.
 */
int secbuf_cursor_put_mpint(struct secbuf_cursor *cur, const void *src,
			    size_t n);

/*
 * Peek: read at the position and stay there. 0 or -ENODATA.
 */

static inline int secbuf_cursor_peek_u8(const struct secbuf_cursor *cur,
					uint8_t *out)
{
	if (secbuf_cursor_remaining(cur) < sizeof(*out))
		return -ENODATA;
	*out = *secbuf_cursor_ptr(cur);
	return 0;
}

static inline int secbuf_cursor_peek_u32(const struct secbuf_cursor *cur,
					 uint32_t *out)
{
	if (secbuf_cursor_remaining(cur) < sizeof(*out))
		return -ENODATA;
	*out = __secbuf_cursor_load_u32(secbuf_cursor_ptr(cur));
	return 0;
}

/*
 * Get: read at the position and move behind what was read. 0 or -ENODATA.
 */

/* One byte. */
static inline int secbuf_cursor_get_u8(struct secbuf_cursor *cur, uint8_t *out)
{
	if (secbuf_cursor_remaining(cur) < sizeof(*out))
		return -ENODATA;
	*out = *__secbuf_cursor_get(cur, sizeof(*out));
	return 0;
}

/* One byte. As RFC 4251 wants it, every value but 0 is true. */
static inline int secbuf_cursor_get_bool(struct secbuf_cursor *cur, bool *out)
{
	uint8_t value;
	int err;

	err = secbuf_cursor_get_u8(cur, &value);
	if (err)
		return err;
	*out = value != 0;
	return 0;
}

/* Four bytes. */
static inline int secbuf_cursor_get_u32(struct secbuf_cursor *cur,
					uint32_t *out)
{
	const size_t n = sizeof(*out);

	if (secbuf_cursor_remaining(cur) < n)
		return -ENODATA;
	*out = __secbuf_cursor_load_u32(__secbuf_cursor_get(cur, n));
	return 0;
}

/* Eight bytes. */
static inline int secbuf_cursor_get_u64(struct secbuf_cursor *cur,
					uint64_t *out)
{
	const unsigned char *p;

	if (secbuf_cursor_remaining(cur) < sizeof(*out))
		return -ENODATA;
	p = __secbuf_cursor_get(cur, sizeof(*out));
	*out = (uint64_t)__secbuf_cursor_load_u32(p) << 32 |
	       __secbuf_cursor_load_u32(p + 4);
	return 0;
}

/**
 * secbuf_cursor_get_bytes() - copy bytes out
 * @cur: the cursor
 * @dst: room for @n bytes
 * @n: how many
 *
 * Return: 0 or -ENODATA.
 */
static inline int secbuf_cursor_get_bytes(struct secbuf_cursor *cur, void *dst,
					  size_t n)
{
	if (n > secbuf_cursor_remaining(cur))
		return -ENODATA;
	if (n)
		__secbuf_copy(dst, __secbuf_cursor_get(cur, n), n);
	return 0;
}

/**
 * secbuf_cursor_get_view() - move over bytes and point to them
 * @cur: the cursor
 * @n: how many
 * @out: the bytes, which stay where they are and belong to whom they did
 *
 * Return: 0 or -ENODATA.
 */
static inline int secbuf_cursor_get_view(struct secbuf_cursor *cur, size_t n,
					 const unsigned char **out)
{
	if (n > secbuf_cursor_remaining(cur))
		return -ENODATA;
	*out = __secbuf_cursor_get(cur, n);
	return 0;
}

/**
 * secbuf_cursor_get_string_max() - move over a string and point to its bytes
 * @cur: the cursor
 * @max: the longest string to accept
 * @out: the bytes, as of secbuf_cursor_get_view(); nothing ends them
 * @len: their number
 *
 * Return: 0, -ENODATA or -EMSGSIZE. A length above the limit is -EMSGSIZE
 * however many bytes there are: no more of them would help.
 */
static inline int secbuf_cursor_get_string_max(struct secbuf_cursor *cur,
					       size_t max,
					       const unsigned char **out,
					       size_t *len)
{
	uint32_t n;

	if (secbuf_cursor_remaining(cur) < SECBUF_STRING_HEAD)
		return -ENODATA;
	n = __secbuf_cursor_load_u32(secbuf_cursor_ptr(cur));
	if (n > max)
		return -EMSGSIZE;
	if (n > secbuf_cursor_remaining(cur) - SECBUF_STRING_HEAD)
		return -ENODATA;

	*out = __secbuf_cursor_get(cur, SECBUF_STRING_HEAD + n) +
	       SECBUF_STRING_HEAD;
	*len = n;
	return 0;
}

/**
 * secbuf_cursor_get_string() - the same with the default limit
 * @cur: the cursor
 * @out: the bytes
 * @len: their number, at most SECBUF_STRING_MAX_DEFAULT
 *
 * Return: 0, -ENODATA or -EMSGSIZE.
 */
static inline int secbuf_cursor_get_string(struct secbuf_cursor *cur,
					   const unsigned char **out,
					   size_t *len)
{
	return secbuf_cursor_get_string_max(cur, SECBUF_STRING_MAX_DEFAULT,
					    out, len);
}

/**
 * secbuf_cursor_skip_string() - move over a string
 * @cur: the cursor
 *
 * Return: as secbuf_cursor_get_string().
 */
static inline int secbuf_cursor_skip_string(struct secbuf_cursor *cur)
{
	const unsigned char *bytes;
	size_t len;

	return secbuf_cursor_get_string(cur, &bytes, &len);
}

/**
 * secbuf_cursor_get_text() - the same for a string without NUL inside
 * @cur: the cursor
 * @out: the bytes; no NUL ends them
 * @len: their number, at most SECBUF_STRING_MAX_DEFAULT
 *
 * For names and paths, which other code takes to end at the first NUL.
 *
 * Return: 0, -ENODATA, -EMSGSIZE, or -EBADMSG if there is a NUL.
 */
int secbuf_cursor_get_text(struct secbuf_cursor *cur,
			   const unsigned char **out, size_t *len);

/**
 * secbuf_cursor_get_mpint() - the same for a number of any length
 * @cur: the cursor
 * @out: the number, big-endian, without leading zeros
 * @len: its bytes, 0 if it is 0; at most SECBUF_STRING_MAX_DEFAULT
 *
 * Return: 0, -ENODATA, -EMSGSIZE, or -EBADMSG if it is negative or has bytes
 * that it does not need.
 */
int secbuf_cursor_get_mpint(struct secbuf_cursor *cur,
			    const unsigned char **out, size_t *len);

__SECBUF_DECLS_END

#endif /* SECBUF_CURSOR_H */
