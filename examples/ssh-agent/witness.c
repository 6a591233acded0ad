// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "witness.h"

static int witness_alloc(struct secbuf_source *source, size_t size, void **out,
			 size_t *got)
{
	struct witness *witness = (struct witness *)source;
	struct witness_block *block = &witness->blocks[witness->nr_blocks];
	int err;

	if (!witness->left || witness->nr_blocks == WITNESS_BLOCKS_MAX)
		return -ENOMEM;
	err = witness->from->ops->alloc(witness->from, size, &block->ptr,
					&block->size);
	if (err)
		return err;
	if (witness->left != WITNESS_NO_LIMIT)
		witness->left--;
	witness->nr_blocks++;
	witness->bytes += block->size;
	*out = block->ptr;
	*got = block->size;
	return 0;
}

static struct witness_block *witness_find(struct witness *witness,
					  const void *ptr)
{
	size_t i;

	for (i = 0; i < witness->nr_blocks; i++) {
		if (witness->blocks[i].ptr == ptr)
			return &witness->blocks[i];
	}
	abort();
}

static void witness_free(struct secbuf_source *source, void *ptr, size_t dirty)
{
	struct witness *witness = (struct witness *)source;
	struct witness_block *block = witness_find(witness, ptr);

	if (dirty > block->size)
		abort();
	memset(ptr, 0, dirty);
	if (!sodium_is_zero(ptr, block->size))
		witness->nr_dirty++;
	witness->bytes -= block->size;
	*block = witness->blocks[--witness->nr_blocks];
	witness->from->ops->free(witness->from, ptr, dirty);
}

static const struct secbuf_source_ops witness_ops = {
	.alloc	= witness_alloc,
	.free	= witness_free,
};

void witness_init(struct witness *witness, struct secbuf_source *from)
{
	memset(witness, 0, sizeof(*witness));
	witness->source.ops = &witness_ops;
	witness->from = from;
	witness->left = WITNESS_NO_LIMIT;
}

size_t witness_count(const struct witness *witness, const void *bytes,
		     size_t len)
{
	const struct witness_block *block;
	const char *pos, *end;
	size_t i, nr = 0;

	for (i = 0; i < witness->nr_blocks; i++) {
		block = &witness->blocks[i];
		end = (const char *)block->ptr + block->size;
		pos = block->ptr;
		while ((pos = memmem(pos, end - pos, bytes, len))) {
			pos++;
			nr++;
		}
	}
	return nr;
}
