// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Copying in user space. Short spans go through general registers, long ones
 * by rep movsb, which has none of its own. Between them only vector registers
 * are as fast as memcpy(), so they are used, and overwritten before the return:
 * with ones, not with zeros. Where all registers of a group are zero, the
 * processor does not store the group when the kernel saves the thread, and what
 * an earlier save has stored there would stay.
 *
 * Taking is copying and zeroizing in one pass, so that the second finds what it
 * writes where the first has it.
 */
#include "platform.h"

/* From the first word to the last, for a @dst before @src or apart from it. */
static void secbuf_copy_up(unsigned char *dst, const unsigned char *src,
			   size_t n)
{
	/*@ loop invariant n <= \at(n, Pre);
	    loop invariant dst == \at(dst, Pre) + (\at(n, Pre) - n);
	    loop invariant src == \at(src, Pre) + (\at(n, Pre) - n);
	    loop assigns n, dst, src, \at(dst, Pre)[0 .. \at(n, Pre) - 1];
	    loop variant n; */
	for (; n >= 8; n -= 8) {
		__secbuf_store64(dst, __secbuf_load64(src));
		dst += 8;
		src += 8;
	}
	__secbuf_copy_upto16(dst, src, n);
}

/* From the last word to the first, for a @dst behind @src. */
static void secbuf_copy_down(unsigned char *dst, const unsigned char *src,
			     size_t n)
{
	/*@ loop invariant n <= \at(n, Pre);
	    loop assigns n, dst[0 .. \at(n, Pre) - 1];
	    loop variant n; */
	for (; n >= 8; n -= 8)
		__secbuf_store64(dst + n - 8, __secbuf_load64(src + n - 8));
	__secbuf_copy_upto16(dst, src, n);
}

/* @n at most 64. */
static inline void secbuf_copy_short(unsigned char *dst,
				     const unsigned char *src, size_t n)
{
	if (n > 32)
		__secbuf_copy_upto64(dst, src, n);
	else if (n > 16)
		__secbuf_copy_upto32(dst, src, n);
	else
		__secbuf_copy_upto16(dst, src, n);
}

#ifndef __SECBUF_COPY_PLAIN
#include "simd.h"

/* From here on rep movsb is no slower than vector registers of less than 64, */
#define SECBUF_COPY_REP		4096
/* and of 64 bytes, for which both spans have to be in the nearest cache. */
#define SECBUF_COPY_REP_ZMM	24576

#define SECBUF_TAKE_CHUNK	8192

/* What was copied is zeroized while it is near. */
static void secbuf_take_rep(unsigned char *dst, unsigned char *src, size_t n)
{
	size_t chunk;

	for (; n; n -= chunk) {
		chunk = n < SECBUF_TAKE_CHUNK ? n : SECBUF_TAKE_CHUNK;
		/* It would clear by a rep of its own what it knows to be short. */
		__secbuf_hide(chunk);
		secbuf_copy_rep(dst, src, chunk);
		__secbuf_zeroize(src, chunk);
		dst += chunk;
		src += chunk;
	}
}

/* @n above 64, apart from each other. */
#define SECBUF_DEFINE_APART(does)					\
static inline void secbuf_##does##_apart(unsigned char *dst,		\
					 unsigned char *src, size_t n)	\
{									\
	int vector = secbuf_get_vector();				\
									\
	if (n >= SECBUF_COPY_REP_ZMM ||					\
	    (n >= SECBUF_COPY_REP && vector != SECBUF_VECTOR_ZMM))	\
		secbuf_##does##_rep(dst, src, n);			\
	else if (vector == SECBUF_VECTOR_XMM)				\
		secbuf_##does##_xmm(dst, src, n);			\
	else if (n <= 128)						\
		secbuf_##does##_ymm_short(dst, src, n);			\
	else if (vector == SECBUF_VECTOR_YMM)				\
		secbuf_##does##_ymm(dst, src, n);			\
	else if (n <= 256)						\
		secbuf_##does##_zmm_short(dst, src, n);			\
	else								\
		secbuf_##does##_zmm(dst, src, n);			\
}

SECBUF_DEFINE_APART(copy)
SECBUF_DEFINE_APART(take)
#else
static inline void secbuf_copy_apart(unsigned char *dst, unsigned char *src,
				     size_t n)
{
	secbuf_copy_up(dst, src, n);
}

static inline void secbuf_take_apart(unsigned char *dst, unsigned char *src,
				     size_t n)
{
	secbuf_copy_up(dst, src, n);
	__secbuf_zeroize(src, n);
}
#endif

void secbuf_memory_copy(void *dst, const void *src, size_t n)
{
	unsigned char *to = (unsigned char *)dst;
	const unsigned char *from = (const unsigned char *)src;
	uintptr_t to_nr = (uintptr_t)dst;
	uintptr_t from_nr = (uintptr_t)src;

	if (n <= 64)
		secbuf_copy_short(to, from, n);
	else if (to_nr >= from_nr && to_nr - from_nr < n)
		secbuf_copy_down(to, from, n);
	else if (from_nr >= to_nr && from_nr - to_nr < n)
		secbuf_copy_up(to, from, n);
	else
		secbuf_copy_apart(to, (unsigned char *)from, n);
}

/* @n at most 64. */
static inline void secbuf_zeroize_short(unsigned char *p, size_t n)
{
	if (n > 32) {
		__secbuf_zeroize(p, 32);
		__secbuf_zeroize(p + n - 32, 32);
	} else if (n > 16) {
		__secbuf_zeroize(p, 16);
		__secbuf_zeroize(p + n - 16, 16);
	} else if (n > 8) {
		__secbuf_zeroize(p, 8);
		__secbuf_zeroize(p + n - 8, 8);
	} else {
		while (n--)
			__secbuf_zeroize(p + n, 1);
	}
}

void secbuf_memory_take(void *dst, void *src, size_t n)
{
	unsigned char *to = (unsigned char *)dst;
	unsigned char *from = (unsigned char *)src;

	if (n <= 64) {
		secbuf_copy_short(to, from, n);
		secbuf_zeroize_short(from, n);
	} else {
		secbuf_take_apart(to, from, n);
	}
}
