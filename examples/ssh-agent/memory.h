/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the memory for secrets comes from. This is the only place where
 * --memory=secbuf and --memory=malloc differ.
 */
#ifndef AGENT_MEMORY_H
#define AGENT_MEMORY_H

#include <secbuf.h>

/* Without these the agent does not start. */
#define MEMORY_PROTECTIONS	(SECBUF_PROT_LOCKED | SECBUF_PROT_UNDUMPABLE | \
				 SECBUF_PROT_UNFORKABLE | \
				 SECBUF_PROT_UNPINNABLE | \
				 SECBUF_PROT_OWNER_DEATH)

struct memory {
	struct secbuf_source *source;
	struct secbuf_context *ctx;	/* NULL: malloc */
	struct secbuf_heap *heap;
	struct secbuf_pool *guarded;
};

/* 0 or -errno for secbuf_strerror(); -EINVAL is an unknown @name. */
int memory_open(struct memory *mem, const char *name);

/*
 * @size bytes, a power of two of at least a page, below which a page is that
 * faults; one such piece at a time. 0 or -errno for secbuf_strerror()
 */
int memory_alloc_guarded(struct memory *mem, size_t size, void **out);
void memory_free_guarded(struct memory *mem, void *ptr, size_t size);

/* All that came from it must have gone back. */
void memory_close(struct memory *mem);

#endif /* AGENT_MEMORY_H */
