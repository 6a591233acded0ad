/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests: a source of memory that sees whether what comes back is zero when
 * the bytes that can have been written are, and that can run out.
 */
#ifndef AGENT_WITNESS_H
#define AGENT_WITNESS_H

#include <secbuf.h>

#define WITNESS_BLOCKS_MAX	1024
#define WITNESS_NO_LIMIT	((size_t)-1)

struct witness_block {
	void *ptr;
	size_t size;
};

struct witness {
	struct secbuf_source source;
	struct secbuf_source *from;
	struct witness_block blocks[WITNESS_BLOCKS_MAX];
	size_t nr_blocks;	/* out */
	size_t bytes;		/* out */
	size_t nr_dirty;	/* blocks that came back with something */
	size_t left;		/* allocations that will not fail */
};

void witness_init(struct witness *witness, struct secbuf_source *from);

/* How many times these bytes are in memory that is out. */
size_t witness_count(const struct witness *witness, const void *bytes,
		     size_t len);

#endif /* AGENT_WITNESS_H */
