// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Buffer: what happens when there is no room, or when others have the same
 * memory.
 */
#include "buffer.h"

/* Below this size buffers grow to four times as much, from it on by half. */
#define SECBUF_BUFFER_SMALL	65536

/**
 * struct secbuf_buffer_share - what buffers share, in a block of its own
 * @refs: one for each buffer
 * @size: bytes of the shared block
 * @dirty: how many of them may have been written
 *
 * Nobody writes the block while there is more than one.
 */
struct secbuf_buffer_share {
	struct __secbuf_refs refs;
	size_t size;
	size_t dirty;
};

/* The only one left owns the block again. */
static void secbuf_buffer_take_over(struct secbuf_buffer *buf)
{
	struct secbuf_buffer_share *share = buf->share;

	buf->share = NULL;
	__secbuf_buffer_set_size(buf, share->size);
	buf->cur.high = share->dirty;
	buf->source->ops->free(buf->source, share, sizeof(*share));
}

/* If it is the only one left. */
static void secbuf_buffer_take_over_last(struct secbuf_buffer *buf)
{
	if (buf->share && __secbuf_refs_is_one(&buf->share->refs))
		secbuf_buffer_take_over(buf);
}

/* Drops the reference; the caller gives @buf another block or none. */
void __secbuf_buffer_put_share(struct secbuf_buffer *buf)
{
	struct secbuf_buffer_share *share = buf->share;
	struct secbuf_source *source = buf->source;

	buf->share = NULL;
	if (!__secbuf_refs_put(&share->refs))
		return;
	source->ops->free(source, buf->cur.data, share->dirty);
	source->ops->free(source, share, sizeof(*share));
}

/*
 * A fresh block of @size bytes, at least as many as the contents. What @buf had
 * before goes to @old, where it can still be read, to be released.
 */
static int secbuf_buffer_move(struct secbuf_buffer *buf, size_t size,
			      struct secbuf_buffer *old)
{
	void *block;
	size_t got;
	int err;

	err = buf->source->ops->alloc(buf->source, size, &block, &got);
	if (err)
		return err;
	if (buf->cur.len)
		__secbuf_copy(block, buf->cur.data, buf->cur.len);
	*old = *buf;
	buf->cur.data = (unsigned char *)block;
	buf->cur.high = 0;
	buf->share = NULL;
	__secbuf_buffer_set_size(buf, got);
	return 0;
}

/*
 * The size to grow to. Moving costs a copy and zeroizing as much, so small buffers
 * grow fast; those that become wasteful are no longer small.
 */
static size_t secbuf_buffer_next_size(const struct secbuf_buffer *buf)
{
	size_t size = buf->cur.size;
	size_t more = size < SECBUF_BUFFER_SMALL ? 3 * size : size / 2;

	return more < buf->max - size ? size + more : buf->max;
}

/*
 * Makes @n bytes from @begin, a place in the contents, writable. @old is to be
 * released when nothing that may lie in it is needed any more.
 */
static int secbuf_buffer_grow(struct secbuf_buffer *buf, size_t begin,
			      size_t n, struct secbuf_buffer *old)
{
	size_t size, want;

	secbuf_buffer_init(old, buf->source);
	if (begin > buf->max || n > buf->max - begin)
		return -EMSGSIZE;
	secbuf_buffer_take_over_last(buf);
	size = buf->cur.size;
	if (!buf->share && n <= size - begin)
		return 0;

	/* Who shares has room for the contents only, and copies no more. */
	if (buf->share)
		want = size;
	else
		want = secbuf_buffer_next_size(buf);
	if (want < begin + n)
		want = begin + n;
	if (!want) {
		__secbuf_buffer_put_share(buf);
		secbuf_cursor_init(&buf->cur, NULL, 0);
		return 0;
	}
	return secbuf_buffer_move(buf, want, old);
}

int secbuf_buffer_open_copy(struct secbuf_buffer *buf,
			    struct secbuf_source *source, const void *src,
			    size_t n)
{
	int err = secbuf_buffer_open(buf, source, n);

	if (err || !n)
		return err;
	__secbuf_copy(buf->cur.data, src, n);
	buf->cur.len = n;
	return 0;
}

int secbuf_buffer_open_bytes(struct secbuf_buffer *buf,
			     struct secbuf_source *source,
			     struct secbuf_cursor *from, size_t n)
{
	struct secbuf_cursor next = *from;
	const unsigned char *bytes;
	int err;

	secbuf_buffer_init(buf, source);
	err = secbuf_cursor_get_view(&next, n, &bytes);
	if (!err)
		err = secbuf_buffer_open_copy(buf, source, bytes, n);
	if (!err)
		*from = next;
	return err;
}

int secbuf_buffer_open_string(struct secbuf_buffer *buf,
			      struct secbuf_source *source,
			      struct secbuf_cursor *from)
{
	struct secbuf_cursor next = *from;
	const unsigned char *bytes;
	size_t n;
	int err;

	secbuf_buffer_init(buf, source);
	err = secbuf_cursor_get_string(&next, &bytes, &n);
	if (!err)
		err = secbuf_buffer_open_copy(buf, source, bytes, n);
	if (!err)
		*from = next;
	return err;
}

int __secbuf_buffer_prepare(struct secbuf_buffer *buf, size_t n)
{
	struct secbuf_buffer old;
	int err;

	err = secbuf_buffer_grow(buf, buf->cur.pos, n, &old);
	if (!err)
		secbuf_buffer_release(&old);
	return err;
}

int secbuf_buffer_reserve(struct secbuf_buffer *buf, size_t n)
{
	struct secbuf_buffer old;
	int err;

	if (!buf->share && n <= secbuf_buffer_overhead(buf))
		return 0;
	err = secbuf_buffer_grow(buf, buf->cur.len, n, &old);
	if (!err)
		secbuf_buffer_release(&old);
	return err;
}

int __secbuf_buffer_append(struct secbuf_buffer *buf, const void *src,
			   size_t n)
{
	struct secbuf_buffer old;
	int err;

	err = secbuf_buffer_grow(buf, buf->cur.len, n, &old);
	if (err)
		return err;
	__secbuf_copy(buf->cur.data + buf->cur.len, src, n);
	buf->cur.len += n;
	secbuf_buffer_release(&old);
	return 0;
}

int __secbuf_buffer_put_bytes(struct secbuf_buffer *buf, const void *src,
			      size_t n)
{
	struct secbuf_buffer old;
	int err;

	if (!n)
		return 0;
	err = secbuf_buffer_grow(buf, buf->cur.pos, n, &old);
	if (err)
		return err;
	err = secbuf_cursor_put_bytes(&buf->cur, src, n);
	secbuf_buffer_release(&old);
	return err;
}

int secbuf_buffer_put_string_max(struct secbuf_buffer *buf, size_t max,
				 const void *src, size_t n)
{
	struct secbuf_buffer old;
	int err;

	if (n > max || n != (uint32_t)n || n > SIZE_MAX - SECBUF_STRING_HEAD)
		return -EMSGSIZE;
	err = secbuf_buffer_grow(buf, buf->cur.pos, SECBUF_STRING_HEAD + n,
				 &old);
	if (err)
		return err;
	err = secbuf_cursor_put_string_max(&buf->cur, max, src, n);
	secbuf_buffer_release(&old);
	return err;
}

int secbuf_buffer_put_mpint(struct secbuf_buffer *buf, const void *src,
			    size_t n)
{
	const unsigned char *p = (const unsigned char *)src;
	size_t pad = __secbuf_mpint_strip(&p, &n);
	struct secbuf_buffer old;
	int err;

	if (n > SECBUF_STRING_MAX_DEFAULT - pad)
		return -EMSGSIZE;
	err = secbuf_buffer_grow(buf, buf->cur.pos,
				 SECBUF_STRING_HEAD + pad + n, &old);
	if (err)
		return err;
	err = secbuf_cursor_put_mpint(&buf->cur, p, n);
	secbuf_buffer_release(&old);
	return err;
}

/* Zeroizes from @begin on what may have been written. */
static void secbuf_buffer_wipe(struct secbuf_buffer *buf, size_t begin)
{
	size_t end = secbuf_cursor_dirty(&buf->cur);

	if (begin < end)
		__secbuf_zeroize(buf->cur.data + begin, end - begin);
}

int secbuf_buffer_resize(struct secbuf_buffer *buf, size_t len)
{
	size_t now = buf->cur.len;
	int err;

	if (len > now) {
		err = secbuf_buffer_reserve(buf, len - now);
		if (err)
			return err;
		/* Somebody may have had a window there, or cut it off. */
		secbuf_buffer_wipe(buf, now);
		buf->cur.len = len;
		return 0;
	}
	if (len > buf->max)
		return -EMSGSIZE;
	secbuf_buffer_take_over_last(buf);
	if (!buf->share)
		secbuf_buffer_wipe(buf, len);
	if (buf->cur.pos > len)
		buf->cur.pos = len;
	secbuf_cursor_set_len(&buf->cur, len);
	if (buf->share)
		buf->cur.size = len;
	return 0;
}

int secbuf_buffer_shrink_to_fit(struct secbuf_buffer *buf)
{
	struct secbuf_buffer fit;
	int err;

	secbuf_buffer_take_over_last(buf);
	if (buf->share || buf->cur.len == buf->cur.size)
		return 0;
	err = secbuf_buffer_open_copy(&fit, buf->source, buf->cur.data,
				      buf->cur.len);
	if (err)
		return err;
	if (fit.cur.size >= buf->cur.size) {
		secbuf_buffer_release(&fit);
		return 0;
	}
	fit.cur.pos = buf->cur.pos;
	fit.max = buf->max;
	secbuf_buffer_release(buf);
	*buf = fit;
	return 0;
}

void secbuf_buffer_zeroize(struct secbuf_buffer *buf)
{
	if (buf->share) {
		secbuf_buffer_release(buf);
		return;
	}
	secbuf_buffer_wipe(buf, 0);
	buf->cur.pos = 0;
	secbuf_cursor_set_len(&buf->cur, 0);
}

void secbuf_buffer_clear(struct secbuf_buffer *buf)
{
	secbuf_buffer_zeroize(buf);
	buf->cur.high = 0;
}

void secbuf_buffer_shrink(struct secbuf_buffer *buf, size_t keep)
{
	size_t max = buf->max;

	secbuf_buffer_clear(buf);
	if (buf->cur.size <= keep)
		return;
	secbuf_buffer_release(buf);
	/* Without memory it is a buffer as well. */
	(void)secbuf_buffer_open(buf, buf->source, keep);
	secbuf_buffer_set_max(buf, max);
}

void secbuf_buffer_trim(struct secbuf_buffer *buf, size_t keep)
{
	size_t size = buf->cur.size;

	secbuf_buffer_clear(buf);
	if (__secbuf_buffer_wastes(size, keep))
		secbuf_buffer_shrink(buf, keep);
}

int secbuf_buffer_share(struct secbuf_buffer *buf, struct secbuf_buffer *out)
{
	struct secbuf_buffer_share *share = buf->share;
	void *block;
	size_t got;
	int err;

	secbuf_buffer_init(out, buf->source);
	out->max = buf->max;
	if (!buf->cur.data)
		return 0;
	if (share) {
		__secbuf_refs_get(&share->refs);
	} else {
		err = buf->source->ops->alloc(buf->source, sizeof(*share),
					      &block, &got);
		if (err)
			return err;
		share = (struct secbuf_buffer_share *)block;
		__secbuf_refs_init(&share->refs);
		__secbuf_refs_get(&share->refs);
		share->size = buf->cur.size;
		share->dirty = secbuf_cursor_dirty(&buf->cur);
		buf->share = share;
	}
	buf->cur.size = buf->cur.len;
	buf->cur.high = 0;
	*out = *buf;
	return 0;
}

int secbuf_buffer_unshare(struct secbuf_buffer *buf)
{
	return buf->share ? __secbuf_buffer_prepare(buf, 0) : 0;
}

bool secbuf_buffer_is_unique(const struct secbuf_buffer *buf)
{
	return !buf->share || __secbuf_refs_is_one(&buf->share->refs);
}
