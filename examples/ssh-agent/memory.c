// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

/* secbuf: the kernel zeroizes, whatever becomes of this process. */

#define MEMORY_HEAP_MAX		((size_t)16 << 20)
#define MEMORY_SIZE_MIN		64
#define MEMORY_SIZE_MAX		262144		/* of anything here */

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
	int err;

	err = secbuf_open(&mem->ctx, NULL);
	if (!err)
		err = secbuf_heap_open(&mem->heap, mem->ctx, &opts);
	if (!err)
		err = memory_warm_up(mem->heap);
	if (err) {
		memory_close(mem);
		return err;
	}
	mem->source = secbuf_heap_source(mem->heap);
	return 0;
}

/* A pool of one buffer: nothing lies between it and the guard page before it. */
static int memory_alloc_pool(struct memory *mem, size_t size, void **out)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.buf_size = size,
		.max = 1,
		.require_protections = MEMORY_PROTECTIONS,
	};
	int err;

	err = secbuf_pool_open(&mem->guarded, mem->ctx, &opts);
	return err ? err : secbuf_pool_alloc(mem->guarded, out);
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

static int memory_alloc_pages(size_t size, void **out)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char *base;

	base = mmap(NULL, page + size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	if (mprotect(base, page, PROT_NONE)) {
		munmap(base, page + size);
		return -ENOMEM;
	}
	*out = base + page;
	return 0;
}

static void memory_free_pages(unsigned char *ptr, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	secbuf_memory_zeroize(ptr, size);
	munmap(ptr - page, page + size);
}

int memory_alloc_guarded(struct memory *mem, size_t size, void **out)
{
	if (!mem->ctx)
		return memory_alloc_pages(size, out);
	return memory_alloc_pool(mem, size, out);
}

void memory_free_guarded(struct memory *mem, void *ptr, size_t size)
{
	if (!mem->ctx) {
		memory_free_pages(ptr, size);
		return;
	}
	secbuf_pool_close(mem->guarded);
	mem->guarded = NULL;
}

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
	secbuf_pool_close(mem->guarded);
	secbuf_heap_close(mem->heap);
	secbuf_close(mem->ctx);
	memset(mem, 0, sizeof(*mem));
}
