// SPDX-License-Identifier: GPL-2.0
/*
 * What buffers cost that own their memory. It comes from a heap, which takes it
 * from mapped pools. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * malloc() is told to keep what it has, so that the peer makes no system call;
 * neither does secbuf.
 */
#include <stdlib.h>
#include <string.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define APPENDS		1024		/* to 64 KiB */
#define BUFFER		8192
#define LIVE		16		/* buffers to release in one batch */

static struct secbuf_source *source;
static struct secbuf_buffer buffers[LIVE];
static unsigned char *block;

/*
 * Growing from nothing to 64 KiB; before the clock starts, what was there is
 * released. Where the peer moves, it leaves behind what it had. It doubles, as
 * one would. Both are objects in memory, that somebody else has made.
 */

static struct secbuf_buffer growing;

static void empty_buffer(unsigned int nr)
{
	(void)nr;
	secbuf_buffer_release(&growing);
}

static void buffer_append(unsigned int nr)
{
	struct secbuf_buffer *buf = &growing;
	int err;

	HIDE(buf);
	while (nr--) {
		err = secbuf_buffer_append(buf, small_secret, SMALL);
		turns_must(!err, "secbuf_buffer_append");
	}
	memory_used(buf->cur.data);
}

struct plain {
	unsigned char *data;
	size_t len;
	size_t size;
};

static inline int plain_append(struct plain *plain, const void *src, size_t n)
{
	unsigned char *data;
	size_t size;

	if (n > plain->size - plain->len) {
		size = plain->size ? 2 * plain->size : SMALL;
		data = realloc(plain->data, size);
		if (!data)
			return -1;
		plain->data = data;
		plain->size = size;
	}
	memcpy(plain->data + plain->len, src, n);
	plain->len += n;
	return 0;
}

static struct plain plain;

static void empty_plain(unsigned int nr)
{
	(void)nr;
	free(plain.data);
	plain = (struct plain){ 0 };
}

static void realloc_append(unsigned int nr)
{
	struct plain *p = &plain;

	HIDE(p);
	while (nr--)
		turns_must(!plain_append(p, small_secret, SMALL), "realloc");
	memory_used(p->data);
}

/*
 * Releasing: only that is timed. The peer always clears the same block, which
 * stays in the first-level cache.
 */

static void open_buffers(unsigned int nr)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		err = secbuf_buffer_open(&buffers[i], source, BUFFER);
		turns_must(!err, "secbuf_buffer_open");
		err = secbuf_buffer_put_bytes(&buffers[i], small_secret, SMALL);
		turns_must(!err, "secbuf_buffer_put_bytes");
		memory_used(buffers[i].cur.data);
	}
}

static void release_buffers(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		secbuf_buffer_release(&buffers[i]);
}

static void clear_blocks(unsigned int nr)
{
	while (nr--) {
		explicit_bzero(block, BUFFER);
		memory_used(block);
	}
}

static const struct turns_line lines[] = {
	{ .name = "append_64_growing", .nr = APPENDS,
	  .secbuf = { "", empty_buffer, buffer_append },
	  .peer = { "realloc+memcpy", empty_plain, realloc_append } },
	{ .name = "release_8k_dirty64", .nr = LIVE,
	  .secbuf = { "", open_buffers, release_buffers },
	  .peer = { "explicit_bzero_8k", NULL, clear_blocks } },
};

int main(void)
{
	struct secbuf_context *ctx;
	struct secbuf_heap *heap;
	unsigned int i;

	work_keep_malloc();
	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_heap_open(&heap, ctx, NULL), "secbuf_heap_open");
	source = secbuf_heap_source(heap);
	secbuf_buffer_init(&growing, source);
	block = malloc(BUFFER);
	turns_must(block, "malloc");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		turns_line(&lines[i]);
	return 0;
}
