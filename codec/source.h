/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * Where the memory of buffers comes from. The same header serves the kernel
 * module and the library.
 */
#ifndef SECBUF_SOURCE_H
#define SECBUF_SOURCE_H

#include "platform.h"

struct secbuf_source;

/**
 * struct secbuf_source_ops - what a source of memory can do
 * @alloc: at least @size zero bytes to @out, and how many they are to @got.
 *         0 or a negative errno, then neither is changed
 * @free: take back what @alloc gave, of which at most the first @dirty bytes
 *        can have been written. They are zero before anybody gets them again
 */
struct secbuf_source_ops {
	int (*alloc)(struct secbuf_source *source, size_t size, void **out,
		     size_t *got);
	void (*free)(struct secbuf_source *source, void *ptr, size_t dirty);
};

/**
 * struct secbuf_source - embedded in whatever hands out memory
 * @ops: what it can do
 */
struct secbuf_source {
	const struct secbuf_source_ops *ops;
};

#endif /* SECBUF_SOURCE_H */
