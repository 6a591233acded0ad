// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Copying in user space. Short spans go through general registers, long ones
 * by rep movsb, which has none of its own. Between them only vector registers
 * are as fast as memcpy(), so they are used, and overwritten before the return:
 * with ones, not with zeros. Where all registers of a group are zero, the
 * processor does not store the group when the kernel saves the thread, and what
 * an earlier save has stored there would stay.
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

#ifndef __SECBUF_COPY_PLAIN
#include <cpuid.h>

/* From here on rep movsb is no slower. */
#define SECBUF_COPY_REP		4096

/* What xgetbv must say: the kernel saves all registers of AVX-512. */
#define SECBUF_XCR0_AVX512	0xe6

static inline unsigned int secbuf_xcr0(void)
{
	unsigned int low, high;

	__asm__ volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return low;
}

/* Does this processor have AVX-512VL, and does the kernel save its registers? */
static bool secbuf_ask_avx512vl(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) &&
	       (ecx & bit_OSXSAVE) &&
	       __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
	       (ebx & bit_AVX512F) && (ebx & bit_AVX512VL) &&
	       (secbuf_xcr0() & SECBUF_XCR0_AVX512) == SECBUF_XCR0_AVX512;
}

/* 0 if nobody has asked yet. */
#define SECBUF_AVX512_NO	1
#define SECBUF_AVX512_YES	2

static int secbuf_avx512vl;

static inline bool secbuf_have_avx512vl(void)
{
	int known = __atomic_load_n(&secbuf_avx512vl, __ATOMIC_RELAXED);

	if (__builtin_expect(!known, 0)) {
		known = secbuf_ask_avx512vl() ? SECBUF_AVX512_YES :
						SECBUF_AVX512_NO;
		__atomic_store_n(&secbuf_avx512vl, known, __ATOMIC_RELAXED);
	}
	return known == SECBUF_AVX512_YES;
}

/*
 * @n above 64. Registers from 16 on: those below would leave the upper halves
 * in use, which slows down SSE code on many processors.
 */
__attribute__((target("avx512f,avx512vl")))
static void secbuf_copy_avx512vl(unsigned char *dst, const unsigned char *src,
				 size_t n)
{
	const unsigned char *src_tail = src + n - 64;
	unsigned char *dst_tail = dst + n - 64;
	size_t blocks = (n - 1) / 128;

	__asm__ volatile("	test	%[blocks], %[blocks]\n"
		"	jz	2f\n"
		"	.p2align 4\n"
		"1:	vmovdqu64 (%[src]), %%ymm16\n"
		"	vmovdqu64 32(%[src]), %%ymm17\n"
		"	vmovdqu64 64(%[src]), %%ymm18\n"
		"	vmovdqu64 96(%[src]), %%ymm19\n"
		"	vmovdqu64 %%ymm16, (%[dst])\n"
		"	vmovdqu64 %%ymm17, 32(%[dst])\n"
		"	vmovdqu64 %%ymm18, 64(%[dst])\n"
		"	vmovdqu64 %%ymm19, 96(%[dst])\n"
		"	add	$128, %[src]\n"
		"	add	$128, %[dst]\n"
		"	dec	%[blocks]\n"
		"	jnz	1b\n"
		/* From 1 to 128 bytes are left, and there are 64 before. */
		"2:	cmp	%[src_tail], %[src]\n"
		"	ja	3f\n"
		"	vmovdqu64 (%[src]), %%ymm16\n"
		"	vmovdqu64 32(%[src]), %%ymm17\n"
		"	vmovdqu64 %%ymm16, (%[dst])\n"
		"	vmovdqu64 %%ymm17, 32(%[dst])\n"
		"3:	vmovdqu64 (%[src_tail]), %%ymm18\n"
		"	vmovdqu64 32(%[src_tail]), %%ymm19\n"
		"	vmovdqu64 %%ymm18, (%[dst_tail])\n"
		"	vmovdqu64 %%ymm19, 32(%[dst_tail])\n"
		"	vpternlogd $255, %%ymm16, %%ymm16, %%ymm16\n"
		"	vpternlogd $255, %%ymm17, %%ymm17, %%ymm17\n"
		"	vpternlogd $255, %%ymm18, %%ymm18, %%ymm18\n"
		"	vpternlogd $255, %%ymm19, %%ymm19, %%ymm19\n"
		: [dst] "+r" (dst), [src] "+r" (src), [blocks] "+r" (blocks)
		: [src_tail] "r" (src_tail), [dst_tail] "r" (dst_tail)
		: "xmm16", "xmm17", "xmm18", "xmm19", "cc", "memory");
}

/* @n above 64. */
static void secbuf_copy_sse2(unsigned char *dst, const unsigned char *src,
			     size_t n)
{
	const unsigned char *src_tail = src + n - 64;
	unsigned char *dst_tail = dst + n - 64;

	__asm__ volatile("1:	movdqu	(%[src]), %%xmm0\n"
		"	movdqu	16(%[src]), %%xmm1\n"
		"	movdqu	32(%[src]), %%xmm2\n"
		"	movdqu	48(%[src]), %%xmm3\n"
		"	movdqu	%%xmm0, (%[dst])\n"
		"	movdqu	%%xmm1, 16(%[dst])\n"
		"	movdqu	%%xmm2, 32(%[dst])\n"
		"	movdqu	%%xmm3, 48(%[dst])\n"
		"	add	$64, %[src]\n"
		"	add	$64, %[dst]\n"
		"	cmp	%[src_tail], %[src]\n"
		"	jb	1b\n"
		"	movdqu	(%[src_tail]), %%xmm0\n"
		"	movdqu	16(%[src_tail]), %%xmm1\n"
		"	movdqu	32(%[src_tail]), %%xmm2\n"
		"	movdqu	48(%[src_tail]), %%xmm3\n"
		"	movdqu	%%xmm0, (%[dst_tail])\n"
		"	movdqu	%%xmm1, 16(%[dst_tail])\n"
		"	movdqu	%%xmm2, 32(%[dst_tail])\n"
		"	movdqu	%%xmm3, 48(%[dst_tail])\n"
		"	pcmpeqd	%%xmm0, %%xmm0\n"
		"	pcmpeqd	%%xmm1, %%xmm1\n"
		"	pcmpeqd	%%xmm2, %%xmm2\n"
		"	pcmpeqd	%%xmm3, %%xmm3\n"
		: [dst] "+r" (dst), [src] "+r" (src)
		: [src_tail] "r" (src_tail), [dst_tail] "r" (dst_tail)
		: "xmm0", "xmm1", "xmm2", "xmm3", "cc", "memory");
}

static void secbuf_copy_rep(unsigned char *dst, const unsigned char *src,
			    size_t n)
{
	__asm__ volatile("rep movsb"
			 : "+D" (dst), "+S" (src), "+c" (n) : : "memory");
}

/* @n above 64, apart from each other. */
static inline void secbuf_copy_apart(unsigned char *dst,
				     const unsigned char *src, size_t n)
{
	if (n >= SECBUF_COPY_REP)
		secbuf_copy_rep(dst, src, n);
	else if (secbuf_have_avx512vl())
		secbuf_copy_avx512vl(dst, src, n);
	else
		secbuf_copy_sse2(dst, src, n);
}
#else
static inline void secbuf_copy_apart(unsigned char *dst,
				     const unsigned char *src, size_t n)
{
	secbuf_copy_up(dst, src, n);
}
#endif

void secbuf_memory_copy(void *dst, const void *src, size_t n)
{
	unsigned char *to = (unsigned char *)dst;
	const unsigned char *from = (const unsigned char *)src;
	uintptr_t to_nr = (uintptr_t)dst;
	uintptr_t from_nr = (uintptr_t)src;

	if (n <= 16)
		__secbuf_copy_upto16(to, from, n);
	else if (n <= 32)
		__secbuf_copy_upto32(to, from, n);
	else if (n <= 64)
		__secbuf_copy_upto64(to, from, n);
	else if (to_nr >= from_nr && to_nr - from_nr < n)
		secbuf_copy_down(to, from, n);
	else if (from_nr >= to_nr && from_nr - to_nr < n)
		secbuf_copy_up(to, from, n);
	else
		secbuf_copy_apart(to, from, n);
}
