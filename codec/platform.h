/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * What the codec needs of the kernel or of the C library: types, errors, and
 * to copy, zeroize and count. The one place that asks which of them it is.
 */
#ifndef SECBUF_PLATFORM_H
#define SECBUF_PLATFORM_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/refcount.h>
#include <linux/string.h>
#include <linux/types.h>

#define __SECBUF_DECLS_BEGIN
#define __SECBUF_DECLS_END

/* The compiler forgets what it knows about a variable. */
#define __secbuf_hide(var)	OPTIMIZER_HIDE_VAR(var)

/* The kernel does not copy through vector registers. */
static inline void __secbuf_copy(void *dst, const void *src, size_t n)
{
	memmove(dst, src, n);
}

static inline void __secbuf_zeroize(void *ptr, size_t n)
{
	memzero_explicit(ptr, n);
}

struct __secbuf_refs {
	refcount_t count;
};

static inline void __secbuf_refs_init(struct __secbuf_refs *refs)
{
	refcount_set(&refs->count, 1);
}

static inline void __secbuf_refs_get(struct __secbuf_refs *refs)
{
	refcount_inc(&refs->count);
}

/* True if that was the last one. */
static inline bool __secbuf_refs_put(struct __secbuf_refs *refs)
{
	return refcount_dec_and_test(&refs->count);
}

/* Has the caller the only one? Then what others did is visible. */
static inline bool __secbuf_refs_is_one(const struct __secbuf_refs *refs)
{
	bool one = refcount_read(&refs->count) == 1;

	/* Pairs with the release in refcount_dec_and_test(). */
	smp_rmb();
	return one;
}
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define __SECBUF_DECLS_BEGIN	extern "C" {
#define __SECBUF_DECLS_END	}
#else
#define __SECBUF_DECLS_BEGIN
#define __SECBUF_DECLS_END
#endif

/* The compiler forgets what it knows about a variable. Provers need not. */
#ifdef __FRAMAC__
#define __secbuf_hide(var)	((void)(var))
#else
#define __secbuf_hide(var)	__asm__("" : "+r" (var))
#endif

#include "copy.h"

static inline void __secbuf_zeroize(void *ptr, size_t n)
{
	__builtin_memset(ptr, 0, n);
	/* The compiler must believe that somebody looks. */
	__asm__ volatile("" : : "r" (ptr) : "memory");
}

struct __secbuf_refs {
	unsigned int count;
};

static inline void __secbuf_refs_init(struct __secbuf_refs *refs)
{
	__atomic_store_n(&refs->count, 1, __ATOMIC_RELAXED);
}

static inline void __secbuf_refs_get(struct __secbuf_refs *refs)
{
	__atomic_fetch_add(&refs->count, 1, __ATOMIC_RELAXED);
}

/* True if that was the last one. */
static inline bool __secbuf_refs_put(struct __secbuf_refs *refs)
{
	return __atomic_sub_fetch(&refs->count, 1, __ATOMIC_ACQ_REL) == 0;
}

/* Has the caller the only one? Then what others did is visible. */
static inline bool __secbuf_refs_is_one(const struct __secbuf_refs *refs)
{
	return __atomic_load_n(&refs->count, __ATOMIC_ACQUIRE) == 1;
}
#endif /* __KERNEL__ */

#endif /* SECBUF_PLATFORM_H */
