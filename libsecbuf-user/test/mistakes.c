// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Mistakes that tools must find, on a module that is not there: which one to make
 * is the argument. Exits with 0 if nobody stops it.
 */
#include <stdio.h>
#include <string.h>

#include <secbuf.h>

static volatile unsigned char sink;

static void freed(struct secbuf_pool *pool)
{
	unsigned char *buf;

	secbuf_pool_alloc(pool, (void **)&buf);
	buf[3] = 1;
	secbuf_pool_free(pool, buf);
	sink = buf[3];
}

static void freed_in_a_batch(struct secbuf_pool *pool)
{
	void *bufs[2];

	secbuf_pool_alloc_batch(pool, bufs, 2);
	secbuf_pool_free_batch(pool, bufs, 2);
	sink = *(unsigned char *)bufs[1];
}

static void next_slot(struct secbuf_pool *pool)
{
	unsigned char *buf;

	secbuf_pool_alloc(pool, (void **)&buf);
	sink = buf[secbuf_pool_buf_size(pool)];
}

static void heap_freed(struct secbuf_context *ctx)
{
	struct secbuf_heap *heap;
	unsigned char *ptr;

	secbuf_heap_open(&heap, ctx, NULL);
	secbuf_heap_alloc(heap, 100, (void **)&ptr);
	secbuf_heap_free(heap, ptr);
	sink = ptr[0];
}

/* All that is right: nobody has anything to report. */
static int nothing(struct secbuf_context *ctx, struct secbuf_pool *pool)
{
	struct secbuf_heap *heap;
	unsigned char *buf;
	void *ptr = NULL;
	int i;

	for (i = 0; i < 100; i++) {
		if (secbuf_pool_alloc(pool, (void **)&buf))
			return 2;
		if (buf[0] || buf[secbuf_pool_buf_size(pool) - 1])
			return 3;
		memset(buf, 0xa5, secbuf_pool_buf_size(pool));
		if (secbuf_pool_free(pool, buf))
			return 4;
	}
	if (secbuf_heap_open(&heap, ctx, NULL))
		return 5;
	for (i = 1; i < 100000; i *= 3) {
		if (secbuf_heap_realloc(heap, &ptr, i))
			return 6;
		memset(ptr, 0xa5, i);
	}
	secbuf_heap_close(heap);
	return 0;
}

int main(int argc, char **argv)
{
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	int ret = 0;

	if (argc != 2 || secbuf_open(&ctx, NULL) ||
	    secbuf_pool_open(&pool, ctx, NULL))
		return 1;
	if (!strcmp(argv[1], "freed"))
		freed(pool);
	else if (!strcmp(argv[1], "batch"))
		freed_in_a_batch(pool);
	else if (!strcmp(argv[1], "next"))
		next_slot(pool);
	else if (!strcmp(argv[1], "heap"))
		heap_freed(ctx);
	else
		ret = nothing(ctx, pool);
	secbuf_pool_close(pool);
	secbuf_close(ctx);
	return ret;
}
