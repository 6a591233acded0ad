/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * Copying in user space without leaving the bytes in vector registers.
 *
 * memcpy() of the C library does leave them there, and what is in them stays in
 * the register state that the kernel saves for the thread, out of reach of any
 * zeroizing. For the same reason the compiler must not make vector code of what
 * is here.
 */
#ifndef SECBUF_COPY_H
#define SECBUF_COPY_H

#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define __SECBUF_COPY_PLAIN	1
#endif
#endif
/* Sanitizers and provers see C only. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	defined(__FRAMAC__) || !defined(__x86_64__)
#define __SECBUF_COPY_PLAIN	1
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * secbuf_memory_copy() - copy bytes and leave none in a vector register
 * @dst: where to
 * @src: where from; may overlap @dst
 * @n: how many
 */
void secbuf_memory_copy(void *dst, const void *src, size_t n);

/**
 * secbuf_memory_take() - the same, and zeroize where they were
 * @dst: where to
 * @src: where from; does not overlap @dst
 * @n: how many
 */
void secbuf_memory_take(void *dst, void *src, size_t n);

/* A word in a general register; the asm keeps it from a vector register. */
#define __SECBUF_WORD(bits)						\
static inline uint##bits##_t __secbuf_load##bits(const void *p)		\
{									\
	uint##bits##_t word;						\
									\
	__builtin_memcpy(&word, p, sizeof(word));			\
	__asm__("" : "+r" (word));					\
	return word;							\
}									\
									\
static inline void __secbuf_store##bits(void *p, uint##bits##_t word)	\
{									\
	__builtin_memcpy(p, &word, sizeof(word));			\
}

__SECBUF_WORD(16)
__SECBUF_WORD(32)
__SECBUF_WORD(64)

/* All is loaded before anything is stored, so both may overlap. */
static inline void __secbuf_copy_upto16(unsigned char *dst,
					const unsigned char *src, size_t n)
{
	if (n >= 8) {
		uint64_t head = __secbuf_load64(src);
		uint64_t tail = __secbuf_load64(src + n - 8);

		__secbuf_store64(dst, head);
		__secbuf_store64(dst + n - 8, tail);
	} else if (n >= 4) {
		uint32_t head = __secbuf_load32(src);
		uint32_t tail = __secbuf_load32(src + n - 4);

		__secbuf_store32(dst, head);
		__secbuf_store32(dst + n - 4, tail);
	} else if (n >= 2) {
		uint16_t head = __secbuf_load16(src);
		uint16_t tail = __secbuf_load16(src + n - 2);

		__secbuf_store16(dst, head);
		__secbuf_store16(dst + n - 2, tail);
	} else if (n) {
		*dst = *src;
	}
}

/* @n from 16 to 32, likewise. */
static inline void __secbuf_copy_upto32(unsigned char *dst,
					const unsigned char *src, size_t n)
{
	uint64_t a = __secbuf_load64(src);
	uint64_t b = __secbuf_load64(src + 8);
	uint64_t c = __secbuf_load64(src + n - 16);
	uint64_t d = __secbuf_load64(src + n - 8);

	__secbuf_store64(dst, a);
	__secbuf_store64(dst + 8, b);
	__secbuf_store64(dst + n - 16, c);
	__secbuf_store64(dst + n - 8, d);
}

/*
 * @n from 32 to 64, likewise. Eight stores would take twice as long as four
 * through vector registers, which then are overwritten; see copy.c.
 */
#if defined(__SSE2__) && !defined(__SECBUF_COPY_PLAIN)
static inline void __secbuf_copy_upto64(unsigned char *dst,
					const unsigned char *src, size_t n)
{
	__asm__ volatile("	movdqu	(%[src]), %%xmm0\n"
		"	movdqu	16(%[src]), %%xmm1\n"
		"	movdqu	-32(%[src], %[n]), %%xmm2\n"
		"	movdqu	-16(%[src], %[n]), %%xmm3\n"
		"	movdqu	%%xmm0, (%[dst])\n"
		"	movdqu	%%xmm1, 16(%[dst])\n"
		"	movdqu	%%xmm2, -32(%[dst], %[n])\n"
		"	movdqu	%%xmm3, -16(%[dst], %[n])\n"
		"	pcmpeqd	%%xmm0, %%xmm0\n"
		"	pcmpeqd	%%xmm1, %%xmm1\n"
		"	pcmpeqd	%%xmm2, %%xmm2\n"
		"	pcmpeqd	%%xmm3, %%xmm3\n"
		: : [dst] "r" (dst), [src] "r" (src), [n] "r" (n)
		: "xmm0", "xmm1", "xmm2", "xmm3", "memory");
}
#else
static inline void __secbuf_copy_upto64(unsigned char *dst,
					const unsigned char *src, size_t n)
{
	uint64_t a = __secbuf_load64(src);
	uint64_t b = __secbuf_load64(src + 8);
	uint64_t c = __secbuf_load64(src + 16);
	uint64_t d = __secbuf_load64(src + 24);
	uint64_t e = __secbuf_load64(src + n - 32);
	uint64_t f = __secbuf_load64(src + n - 24);
	uint64_t g = __secbuf_load64(src + n - 16);
	uint64_t h = __secbuf_load64(src + n - 8);

	__secbuf_store64(dst, a);
	__secbuf_store64(dst + 8, b);
	__secbuf_store64(dst + 16, c);
	__secbuf_store64(dst + 24, d);
	__secbuf_store64(dst + n - 32, e);
	__secbuf_store64(dst + n - 24, f);
	__secbuf_store64(dst + n - 16, g);
	__secbuf_store64(dst + n - 8, h);
}
#endif

/* Inline only what the compiler knows to be short. */
static inline void __secbuf_copy(void *dst, const void *src, size_t n)
{
	unsigned char *to = (unsigned char *)dst;
	const unsigned char *from = (const unsigned char *)src;

	if (!__builtin_constant_p(n) || n > 64)
		secbuf_memory_copy(dst, src, n);
	else if (n > 32)
		__secbuf_copy_upto64(to, from, n);
	else if (n > 16)
		__secbuf_copy_upto32(to, from, n);
	else
		__secbuf_copy_upto16(to, from, n);
}

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_COPY_H */
