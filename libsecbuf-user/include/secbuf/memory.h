/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Memory of any kind.
 */
#ifndef SECBUF_MEMORY_H
#define SECBUF_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * secbuf_memory_zeroize() - overwrite with zeros; never optimized away
 * @ptr: memory
 * @len: bytes
 */
void secbuf_memory_zeroize(void *ptr, size_t len);

/**
 * secbuf_memory_equal() - compare in time that depends on @len only
 * @a: memory
 * @b: memory
 * @len: bytes
 *
 * Return: 1 if the bytes are the same, 0 if not.
 */
int secbuf_memory_equal(const void *a, const void *b, size_t len)
	__attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_MEMORY_H */
