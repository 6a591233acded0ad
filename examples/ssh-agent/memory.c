// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* secbuf: the kernel zeroizes, whatever becomes of this process. */

#define MEMORY_HEAP_MAX		((size_t)16 << 20)
#define MEMORY_SIZE_MIN		64
#define MEMORY_SIZE_MAX		262144		/* of anything here */
#define MEMORY_PROTECTIONS	(SECBUF_PROT_LOCKED | SECBUF_PROT_UNDUMPABLE | \
				 SECBUF_PROT_UNFORKABLE | \
				 SECBUF_PROT_UNPINNABLE | \
				 SECBUF_PROT_OWNER_DEATH)

/*
 * All pools are opened now, so that what does not hold here shows before there
 * is a secret, and no client waits for it or takes the last descriptor.
 */
static int memory_warm_up(struct secbuf_heap *heap)
{
	size_t size;
	void *ptr;
	int err;

	for (size = MEMORY_SIZE_MIN; size <= MEMORY_SIZE_MAX; size *= 2) {
		err = secbuf_heap_alloc(heap, size, &ptr);
		if (err)
			return err;
		secbuf_heap_free(heap, ptr);
	}
	return secbuf_heap_flush(heap);
}

static int memory_open_secbuf(struct memory *mem)
{
	const struct secbuf_heap_opts opts = {
		.sz = sizeof(opts),
		.max = MEMORY_HEAP_MAX,
		.require_protections = MEMORY_PROTECTIONS,
	};
	struct secbuf_context *ctx;
	int err;

	err = secbuf_open(&ctx, NULL);
	if (err)
		return err;
	err = secbuf_heap_open(&mem->heap, ctx, &opts);
	secbuf_close(ctx);
	if (!err)
		err = memory_warm_up(mem->heap);
	if (err) {
		memory_close(mem);
		return err;
	}
	mem->source = secbuf_heap_source(mem->heap);
	return 0;
}

/*
 * malloc: as careful as a program can be that has nothing else, which is
 * what makes it a fair control. What was written is overwritten before it is
 * freed.
 */

static int memory_malloc_alloc(struct secbuf_source *source, size_t size,
			       void **out, size_t *got)
{
	void *ptr = calloc(1, size);

	(void)source;
	if (!ptr)
		return -ENOMEM;
	*out = ptr;
	*got = size;
	return 0;
}

static void memory_malloc_free(struct secbuf_source *source, void *ptr,
			       size_t dirty)
{
	(void)source;
	secbuf_memory_zeroize(ptr, dirty);
	free(ptr);
}

static const struct secbuf_source_ops memory_malloc_ops = {
	.alloc	= memory_malloc_alloc,
	.free	= memory_malloc_free,
};

static struct secbuf_source memory_malloc_source = {
	.ops	= &memory_malloc_ops,
};

int memory_open(struct memory *mem, const char *name)
{
	memset(mem, 0, sizeof(*mem));
	if (!strcmp(name, "secbuf"))
		return memory_open_secbuf(mem);
	if (strcmp(name, "malloc"))
		return -EINVAL;
	mem->source = &memory_malloc_source;
	return 0;
}

void memory_close(struct memory *mem)
{
	secbuf_heap_close(mem->heap);
	memset(mem, 0, sizeof(*mem));
}
