// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Stream: a buffer as the file behind a FILE.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secbuf/io.h>

/* What stdio reads ahead, and writes late, at most. */
#define SECBUF_STREAM_SIZE	4096

/**
 * struct secbuf_stream - what the stream needs besides the buffer
 * @buf: the buffer
 * @stdio: memory that stdio uses as it likes
 * @stdio_size: how much that is
 * @append: all writing is at the end
 */
struct secbuf_stream {
	struct secbuf_buffer *buf;
	void *stdio;
	size_t stdio_size;
	bool append;
};

/* stdio wants errno, and -1 or what it takes for the end of the file. */
static int secbuf_stream_fail(int err)
{
	errno = -err;
	return -1;
}

static ssize_t secbuf_stream_read(void *cookie, char *dst, size_t n)
{
	struct secbuf_stream *stream = cookie;
	struct secbuf_cursor *cur = &stream->buf->cur;

	if (n > secbuf_cursor_remaining(cur))
		n = secbuf_cursor_remaining(cur);
	secbuf_cursor_get_bytes(cur, dst, n);
	return n;
}

static ssize_t secbuf_stream_write(void *cookie, const char *src, size_t n)
{
	struct secbuf_stream *stream = cookie;
	struct secbuf_buffer *buf = stream->buf;
	size_t pos = buf->cur.pos;
	int err;

	if (stream->append)
		buf->cur.pos = buf->cur.len;
	err = secbuf_buffer_put_bytes(buf, src, n);
	if (!err)
		return n;
	buf->cur.pos = pos;
	secbuf_stream_fail(err);
	/* Less than 0 is no answer to a write. */
	return 0;
}

static int secbuf_stream_seek(void *cookie, off64_t *offset, int whence)
{
	struct secbuf_stream *stream = cookie;
	struct secbuf_cursor *cur = &stream->buf->cur;
	off64_t base = 0, to;

	if (whence == SEEK_CUR)
		base = cur->pos;
	else if (whence == SEEK_END)
		base = cur->len;
	if (__builtin_add_overflow(base, *offset, &to) || to < 0 ||
	    (uint64_t)to > cur->len)
		return secbuf_stream_fail(-EINVAL);
	cur->pos = to;
	*offset = to;
	return 0;
}

static void secbuf_stream_free(struct secbuf_stream *stream)
{
	struct secbuf_source *source = stream->buf->source;

	if (stream->stdio)
		source->ops->free(source, stream->stdio, stream->stdio_size);
	free(stream);
}

/* The last that fclose() calls before it forgets about the memory. */
static int secbuf_stream_close(void *cookie)
{
	secbuf_stream_free(cookie);
	return 0;
}

static const cookie_io_functions_t secbuf_stream_functions = {
	.read = secbuf_stream_read,
	.write = secbuf_stream_write,
	.seek = secbuf_stream_seek,
	.close = secbuf_stream_close,
};

/* Does what opening a file does to its contents. */
static int secbuf_stream_set_mode(struct secbuf_stream *stream,
				  const char *mode)
{
	static const char *const modes[] = {
		"r", "rb", "r+", "rb+", "r+b", "w", "wb", "w+", "wb+", "w+b",
		"a", "ab", "a+", "ab+", "a+b",
	};
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(mode, modes[i]))
			break;
	if (i == sizeof(modes) / sizeof(modes[0]))
		return -EINVAL;
	if (*mode == 'w')
		secbuf_buffer_clear(stream->buf);
	stream->append = *mode == 'a';
	return 0;
}

int secbuf_buffer_open_stream(struct secbuf_buffer *buf, const char *mode,
			      FILE **out)
{
	struct secbuf_source *source = buf->source;
	struct secbuf_stream *stream;
	int saved_errno = errno;
	int err = -ENOMEM;

	*out = NULL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		goto out_errno;
	stream->buf = buf;
	err = source->ops->alloc(source, SECBUF_STREAM_SIZE, &stream->stdio,
				 &stream->stdio_size);
	if (err)
		goto out_free;
	err = -ENOMEM;
	*out = fopencookie(stream, mode, secbuf_stream_functions);
	if (!*out) {
		err = errno == EINVAL ? -EINVAL : -ENOMEM;
		goto out_free;
	}
	err = secbuf_stream_set_mode(stream, mode);
	if (err) {
		fclose(*out);
		*out = NULL;
		goto out_errno;
	}
	setvbuf(*out, stream->stdio, _IOFBF, stream->stdio_size);
	errno = saved_errno;
	return 0;

out_free:
	secbuf_stream_free(stream);
out_errno:
	errno = saved_errno;
	return err;
}
