/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * Growable bytes that are zeroized wherever they leave something behind.
 *
 * A buffer owns one block of memory of a source and embeds a cursor over it.
 * What a cursor can do, can be done to &buf->cur: all that reads, and what
 * writes into room that secbuf_buffer_prepare() has made. The functions here
 * make the room themselves: the block is replaced by a larger one, the contents
 * are copied, and the old block is zeroized and released.
 *
 * Buffers can share a block. Each keeps a position and a length of its own, and
 * whoever wants to write gets a copy first. Functions on one buffer must not be
 * called by several threads at once; buffers that share may belong to different
 * threads if their source serves them all.
 *
 * A buffer that was initialized can be released at any time, also when opening
 * it failed, and more than once.
 *
 * A function that fails changes neither the buffer nor its bytes. Results are 0
 * or negative: those of the cursor; -EMSGSIZE if the contents would be longer
 * than the buffer's maximum; and those of the source, -ENOMEM, -EDQUOT,
 * -ENOSPC...
 */
#ifndef SECBUF_BUFFER_H
#define SECBUF_BUFFER_H

#include "cursor.h"
#include "source.h"

__SECBUF_DECLS_BEGIN

/* Most bytes of contents, unless secbuf_buffer_set_max() says otherwise. */
#define SECBUF_BUFFER_MAX_DEFAULT	1000000000

/* Up to this size no buffer counts as wasteful. */
#define SECBUF_BUFFER_WASTE_MIN		8192

struct secbuf_buffer_share;

/**
 * struct secbuf_buffer - a cursor that owns its bytes
 * @cur: the cursor; its size is the capacity
 * @source: where the memory comes from; must outlive the buffer
 * @share: who else has the same block, or NULL. While there is one, the cursor
 *         has no room, and its contents must not be written
 * @max: most bytes of contents
 */
struct secbuf_buffer {
	struct secbuf_cursor cur;
	struct secbuf_source *source;
	struct secbuf_buffer_share *share;
	size_t max;
};

/* For the end of a scope: released however it is left. C only. */
#define SECBUF_BUFFER_AUTO						\
	__attribute__((__cleanup__(secbuf_buffer_release))) struct secbuf_buffer

/*
 * Out of line.
 */
int __secbuf_buffer_prepare(struct secbuf_buffer *buf, size_t n);
int __secbuf_buffer_append(struct secbuf_buffer *buf, const void *src,
			   size_t n);
int __secbuf_buffer_put_bytes(struct secbuf_buffer *buf, const void *src,
			      size_t n);
void __secbuf_buffer_put_share(struct secbuf_buffer *buf);

/**
 * secbuf_buffer_init_block() - a buffer without contents, over a block
 * @buf: the buffer
 * @source: where the block was allocated; it goes back there
 * @block: what the source gave
 * @size: how many bytes that is
 */
static inline void secbuf_buffer_init_block(struct secbuf_buffer *buf,
					    struct secbuf_source *source,
					    void *block, size_t size)
{
	secbuf_cursor_init(&buf->cur, block, size);
	buf->source = source;
	buf->share = NULL;
	buf->max = SECBUF_BUFFER_MAX_DEFAULT;
}

/**
 * secbuf_buffer_init() - a buffer without contents and without memory
 * @buf: the buffer
 * @source: where memory comes from when there is need
 */
static inline void secbuf_buffer_init(struct secbuf_buffer *buf,
				      struct secbuf_source *source)
{
	secbuf_buffer_init_block(buf, source, NULL, 0);
}

/**
 * secbuf_buffer_open() - a buffer without contents
 * @buf: the buffer
 * @source: where memory comes from
 * @capacity: bytes that it must take without growing
 *
 * Return: 0, -EMSGSIZE or an error of the source; then the buffer has no memory.
 */
static inline int secbuf_buffer_open(struct secbuf_buffer *buf,
				     struct secbuf_source *source,
				     size_t capacity)
{
	void *block;
	size_t got;
	int err = 0;

	if (__builtin_expect(capacity > SECBUF_BUFFER_MAX_DEFAULT, 0))
		err = -EMSGSIZE;
	else if (capacity)
		err = source->ops->alloc(source, capacity, &block, &got);
	if (__builtin_expect(err || !capacity, 0))
		secbuf_buffer_init(buf, source);
	else
		secbuf_buffer_init_block(buf, source, block, got);
	return err;
}

/**
 * secbuf_buffer_open_copy() - a buffer with contents
 * @buf: the buffer, which stands at 0
 * @source: where memory comes from
 * @src: the contents
 * @n: how many bytes
 *
 * Return: 0, -EMSGSIZE or an error of the source; then the buffer has no memory.
 */
int secbuf_buffer_open_copy(struct secbuf_buffer *buf,
			    struct secbuf_source *source, const void *src,
			    size_t n);

/**
 * secbuf_buffer_open_bytes() - get bytes into a new buffer
 * @buf: the buffer, which stands at 0; not that of @from
 * @source: where memory comes from
 * @from: where to get them
 * @n: how many
 *
 * Return: 0, -ENODATA, -EMSGSIZE or an error of the source; then @from has not
 * moved, and the buffer has no memory.
 */
int secbuf_buffer_open_bytes(struct secbuf_buffer *buf,
			     struct secbuf_source *source,
			     struct secbuf_cursor *from, size_t n);

/**
 * secbuf_buffer_open_string() - get a string into a new buffer
 * @buf: the buffer, which stands at 0; not that of @from
 * @source: where memory comes from
 * @from: where to get it
 *
 * Return: 0, -ENODATA, -EMSGSIZE or an error of the source; then @from has not
 * moved, and the buffer has no memory.
 */
int secbuf_buffer_open_string(struct secbuf_buffer *buf,
			      struct secbuf_source *source,
			      struct secbuf_cursor *from);

/* Is a capacity of @size bytes much too large for @len? */
static inline bool __secbuf_buffer_wastes(size_t size, size_t len)
{
	return size > SECBUF_BUFFER_WASTE_MIN &&
	       len < size / 4 + (size % 4 ? 1 : 0);
}

/**
 * secbuf_buffer_release() - zeroize and release the memory
 * @buf: the buffer, which has then no contents and no memory
 *
 * Only what may have been written is zeroized. If others share the memory, it
 * lives on until the last of them is released.
 */
static inline void secbuf_buffer_release(struct secbuf_buffer *buf)
{
	if (buf->share)
		__secbuf_buffer_put_share(buf);
	else if (buf->cur.data)
		buf->source->ops->free(buf->source, buf->cur.data,
				       secbuf_cursor_dirty(&buf->cur));
	secbuf_cursor_init(&buf->cur, NULL, 0);
}

/* @size bytes are there; no more are used than the contents may have. */
static inline void __secbuf_buffer_set_size(struct secbuf_buffer *buf,
					    size_t size)
{
	if (size > buf->max)
		size = buf->max > buf->cur.len ? buf->max : buf->cur.len;
	buf->cur.size = size;
}

/* Bytes of contents that fit without growing. */
static inline size_t secbuf_buffer_capacity(const struct secbuf_buffer *buf)
{
	return buf->cur.size;
}

/* Bytes of memory that are not contents. */
static inline size_t secbuf_buffer_overhead(const struct secbuf_buffer *buf)
{
	return buf->cur.size - buf->cur.len;
}

/* Is it large, and more than four times as large as its contents? */
static inline bool secbuf_buffer_is_wasteful(const struct secbuf_buffer *buf)
{
	return __secbuf_buffer_wastes(buf->cur.size, buf->cur.len);
}

/**
 * secbuf_buffer_set_max() - bound the growth of the contents
 * @buf: the buffer
 * @max: most bytes from now on; contents that are longer stay
 */
static inline void secbuf_buffer_set_max(struct secbuf_buffer *buf, size_t max)
{
	buf->max = max;
	__secbuf_buffer_set_size(buf, buf->cur.size);
}

/**
 * secbuf_buffer_reserve() - make room behind the contents
 * @buf: the buffer
 * @n: how many bytes
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_reserve(struct secbuf_buffer *buf, size_t n);

/**
 * secbuf_buffer_resize() - set the length of the contents
 * @buf: the buffer
 * @len: how long they shall be
 *
 * What is cut off is zeroized, and the position moves to the end if it was
 * behind it. What is added is zero.
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_resize(struct secbuf_buffer *buf, size_t len);

/**
 * secbuf_buffer_shrink_to_fit() - move to the smallest block for the contents
 * @buf: the buffer; if it shares, nothing happens
 *
 * Return: 0 or an error of the source.
 */
int secbuf_buffer_shrink_to_fit(struct secbuf_buffer *buf);

/**
 * secbuf_buffer_clear() - zeroize and drop the contents, keep the memory
 * @buf: the buffer, which stands at 0 afterwards
 *
 * Pointers into it, windows too, must not be used any more. Contents that
 * others share stay theirs, and the buffer is then without memory.
 */
void secbuf_buffer_clear(struct secbuf_buffer *buf);

/**
 * secbuf_buffer_zeroize() - the same, but windows may still be written
 * @buf: the buffer, which stands at 0 afterwards
 */
void secbuf_buffer_zeroize(struct secbuf_buffer *buf);

/**
 * secbuf_buffer_shrink() - clear, and keep little memory
 * @buf: the buffer
 * @keep: what it needs soon. If it has more, it gets a block for so many bytes,
 *        or none if there is none to be had or @keep is 0
 */
void secbuf_buffer_shrink(struct secbuf_buffer *buf, size_t keep);

/**
 * secbuf_buffer_trim() - clear, and shrink what is much too large
 * @buf: the buffer
 * @keep: it is shrunk to this if it is large and more than four times as large
 */
void secbuf_buffer_trim(struct secbuf_buffer *buf, size_t keep);

/**
 * secbuf_buffer_prepare() - make the next bytes at the position writable
 * @buf: the buffer
 * @n: how many
 *
 * So many can then be put with functions of the cursor, or written into a
 * window. A buffer that shares its memory gets its own.
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
static inline int secbuf_buffer_prepare(struct secbuf_buffer *buf, size_t n)
{
	if (!buf->share && n <= secbuf_cursor_space(&buf->cur))
		return 0;
	return __secbuf_buffer_prepare(buf, n);
}

/**
 * secbuf_buffer_append() - add bytes behind the contents
 * @buf: the buffer, whose position stays
 * @src: the bytes; may lie in the buffer
 * @n: their number
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
static inline int secbuf_buffer_append(struct secbuf_buffer *buf,
				       const void *src, size_t n)
{
	/* Not while it shares: then there is no room. */
	if (n > buf->cur.size - buf->cur.len)
		return __secbuf_buffer_append(buf, src, n);
	if (n)
		__secbuf_copy(buf->cur.data + buf->cur.len, src, n);
	buf->cur.len += n;
	return 0;
}

/*
 * Put: as the functions of the cursor, but the buffer grows. 0, -EMSGSIZE or an
 * error of the source.
 */

static inline int secbuf_buffer_put_u8(struct secbuf_buffer *buf, uint8_t value)
{
	int err = secbuf_buffer_prepare(buf, sizeof(value));

	return err ? err : secbuf_cursor_put_u8(&buf->cur, value);
}

static inline int secbuf_buffer_put_bool(struct secbuf_buffer *buf, bool value)
{
	return secbuf_buffer_put_u8(buf, value ? 1 : 0);
}

static inline int secbuf_buffer_put_u32(struct secbuf_buffer *buf,
					uint32_t value)
{
	int err = secbuf_buffer_prepare(buf, sizeof(value));

	return err ? err : secbuf_cursor_put_u32(&buf->cur, value);
}

static inline int secbuf_buffer_put_u64(struct secbuf_buffer *buf,
					uint64_t value)
{
	int err = secbuf_buffer_prepare(buf, sizeof(value));

	return err ? err : secbuf_cursor_put_u64(&buf->cur, value);
}

/**
 * secbuf_buffer_put_bytes() - put bytes as they are, without their number
 * @buf: the buffer
 * @src: the bytes; may lie in the buffer
 * @n: their number
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
static inline int secbuf_buffer_put_bytes(struct secbuf_buffer *buf,
					  const void *src, size_t n)
{
	if (buf->share || n > secbuf_cursor_space(&buf->cur))
		return __secbuf_buffer_put_bytes(buf, src, n);
	return secbuf_cursor_put_bytes(&buf->cur, src, n);
}

/**
 * secbuf_buffer_put_string_max() - put a length and that many bytes
 * @buf: the buffer
 * @max: the longest string to put; never more than 2^32 - 1 counts
 * @src: the bytes; may lie in the buffer
 * @n: their number
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_put_string_max(struct secbuf_buffer *buf, size_t max,
				 const void *src, size_t n);

/* The same with the default limit, SECBUF_STRING_MAX_DEFAULT. */
static inline int secbuf_buffer_put_string(struct secbuf_buffer *buf,
					   const void *src, size_t n)
{
	return secbuf_buffer_put_string_max(buf, SECBUF_STRING_MAX_DEFAULT,
					    src, n);
}

/**
 * secbuf_buffer_put_mpint() - put a number of any length
 * @buf: the buffer
 * @src: the number, as of secbuf_cursor_put_mpint(); may lie in the buffer
 * @n: its bytes
 *
 * Return: 0, -EMSGSIZE or an error of the source.
 */
int secbuf_buffer_put_mpint(struct secbuf_buffer *buf, const void *src,
			    size_t n);

/* All contents of @other as a string; @other may be @buf. */
static inline int secbuf_buffer_put_buffer(struct secbuf_buffer *buf,
					   const struct secbuf_buffer *other)
{
	return secbuf_buffer_put_string(buf, other->cur.data, other->cur.len);
}

/**
 * secbuf_buffer_share() - one more buffer with the same memory
 * @buf: the buffer
 * @out: gets the same contents, position and maximum; released before or never
 *       initialized
 *
 * Whichever is written, the other does not change. From now on @buf has no room,
 * and pointers for writing into it must not be used any more.
 *
 * Return: 0 or an error of the source; then @out has no memory.
 */
int secbuf_buffer_share(struct secbuf_buffer *buf, struct secbuf_buffer *out);

/**
 * secbuf_buffer_unshare() - memory of its own
 * @buf: the buffer; copies its contents if it shares them
 *
 * Return: 0 or an error of the source.
 */
int secbuf_buffer_unshare(struct secbuf_buffer *buf);

/**
 * secbuf_buffer_is_unique() - does no other buffer have the same memory?
 * @buf: the buffer
 */
bool secbuf_buffer_is_unique(const struct secbuf_buffer *buf);

__SECBUF_DECLS_END

#endif /* SECBUF_BUFFER_H */
