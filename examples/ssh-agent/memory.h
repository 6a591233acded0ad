/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the memory for secrets comes from. This is the only place where
 * --memory=secbuf and --memory=malloc differ.
 */
#ifndef AGENT_MEMORY_H
#define AGENT_MEMORY_H

#include <secbuf.h>

struct memory {
	struct secbuf_source *source;
	struct secbuf_heap *heap;	/* NULL: malloc */
};

/* 0 or -errno for secbuf_strerror(); -EINVAL is an unknown @name. */
int memory_open(struct memory *mem, const char *name);

/* All that came from the source must have gone back. */
void memory_close(struct memory *mem);

#endif /* AGENT_MEMORY_H */
