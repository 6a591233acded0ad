/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * Ways to copy more than 64 bytes on x86-64, part of copy.c: through vector
 * registers of each size, and rep movsb.
 *
 * A way that copies leaves the source as it is; one that takes zeroizes it in the
 * same pass. Both are made of the same text.
 */
#ifndef SECBUF_SIMD_H
#define SECBUF_SIMD_H

#include <cpuid.h>

/* What xgetbv must say: the kernel saves all registers of AVX-512. */
#define SECBUF_XCR0_AVX512	0xe6

/* The largest vector registers that are good for copying. */
enum secbuf_vector {
	SECBUF_VECTOR_UNKNOWN,	/* nobody has asked yet */
	SECBUF_VECTOR_XMM,
	SECBUF_VECTOR_YMM,
	SECBUF_VECTOR_ZMM,
};

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

/* Many of them run slower for some time after 64 bytes were moved at once. */
static bool secbuf_is_intel(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0, &eax, &ebx, &ecx, &edx) &&
	       ebx == signature_INTEL_ebx;
}

static enum secbuf_vector secbuf_ask_vector(void)
{
	return !secbuf_ask_avx512vl() ? SECBUF_VECTOR_XMM :
	       secbuf_is_intel() ? SECBUF_VECTOR_YMM : SECBUF_VECTOR_ZMM;
}

static int secbuf_vector;

static inline int secbuf_get_vector(void)
{
	int known = __atomic_load_n(&secbuf_vector, __ATOMIC_RELAXED);

	if (__builtin_expect(known == SECBUF_VECTOR_UNKNOWN, 0)) {
		known = secbuf_ask_vector();
		__atomic_store_n(&secbuf_vector, known, __ATOMIC_RELAXED);
	}
	return known;
}

/* What takes zeroizes as well, what copies leaves that out. */
#define SECBUF_COPIES(text)	""
#define SECBUF_TAKES(text)	text

/* For each of the registers whose numbers end with these digits. */
#define SECBUF_EACH(digits, text)					\
	"	.irp	r, " digits "\n" text "	.endr\n"

/* Their digits, modulo how many they are, say where each one's bytes are. */
#define SECBUF_LOAD(mov, width, mask, reg, from)			\
	"	" mov "	" #width "*(\\r&" mask ")(%[" from "]), %%"	\
	reg "\\r\n"
#define SECBUF_STORE(mov, width, mask, reg, to)				\
	"	" mov "	%%" reg ", " #width "*(\\r&" mask ")(%[" to "])\n"

/*
 * Blocks of four registers, and a last one that can overlap the one before and
 * is loaded first. @n: at least a block.
 */
#define SECBUF_BLOCKS(does, mov, width, reg, regs, last, lasts, zero)	\
	SECBUF_EACH(lasts, SECBUF_LOAD(mov, width, "3", last, "src_end")) \
	"	.p2align 4\n"						\
	"1:\n"								\
	SECBUF_EACH(regs, SECBUF_LOAD(mov, width, "3", reg, "src"))	\
	SECBUF_EACH(regs, SECBUF_STORE(mov, width, "3", reg "\\r", "dst")) \
	does(SECBUF_EACH(regs, SECBUF_STORE(mov, width, "3", zero, "src"))) \
	"	add	$4*" #width ", %[src]\n"			\
	"	add	$4*" #width ", %[dst]\n"			\
	"	cmp	%[src_end], %[src]\n"				\
	"	jb	1b\n"						\
	SECBUF_EACH(lasts, SECBUF_STORE(mov, width, "3", last "\\r",	\
					"dst_end"))			\
	does(SECBUF_EACH(lasts, SECBUF_STORE(mov, width, "3", zero,	\
					     "src_end")))

/* Two registers from the beginning on, and two up to the end. */
#define SECBUF_PAIRS(does, mov, width, reg, regs, last, lasts, zero)	\
	SECBUF_EACH(regs, SECBUF_LOAD(mov, width, "1", reg, "src"))	\
	SECBUF_EACH(lasts, SECBUF_LOAD(mov, width, "1", last, "src_end")) \
	SECBUF_EACH(regs, SECBUF_STORE(mov, width, "1", reg "\\r", "dst")) \
	SECBUF_EACH(lasts, SECBUF_STORE(mov, width, "1", last "\\r",	\
					"dst_end"))			\
	does(SECBUF_EACH(regs, SECBUF_STORE(mov, width, "1", zero, "src")) \
	     SECBUF_EACH(lasts, SECBUF_STORE(mov, width, "1", zero,	\
					     "src_end")))

/* @part: bytes of the last registers, or of the first: no more than @n. */
#define SECBUF_DEFINE_WAY(name, features, part, clobbers, ...)		\
__attribute__((target(features)))					\
static void name(unsigned char *dst, unsigned char *src, size_t n)	\
{									\
	unsigned char *src_end = src + n - (part);			\
	unsigned char *dst_end = dst + n - (part);			\
									\
	__asm__ volatile(__VA_ARGS__					\
			 : [dst] "+r" (dst), [src] "+r" (src)		\
			 : [src_end] "r" (src_end), [dst_end] "r" (dst_end) \
			 : SECBUF_##clobbers, "cc", "memory");		\
}

#define SECBUF_LOW	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4",		\
			"xmm5", "xmm6", "xmm7", "xmm8"

/* From 64 bytes on. */
#define SECBUF_DEFINE_SSE2(name, does)					\
SECBUF_DEFINE_WAY(name, "sse2", 64, LOW,				\
	does("	pxor	%%xmm8, %%xmm8\n")				\
	SECBUF_BLOCKS(does, "movdqu", 16, "xmm", "0,1,2,3", "xmm",	\
		      "4,5,6,7", "xmm8")				\
	SECBUF_EACH("0,1,2,3,4,5,6,7",					\
		    "	pcmpeqd	%%xmm\\r, %%xmm\\r\n"))

/*
 * Registers from 16 on: those below would leave the upper halves in use, which
 * slows down SSE code on many processors.
 */
#define SECBUF_HIGH	"xmm20", "xmm21", "xmm22", "xmm23", "xmm24",	\
			"xmm25", "xmm26", "xmm27", "xmm28"

#define SECBUF_AVX512_ONES(reg)						\
	"	vpternlogd $255, %%" reg "\\r, %%" reg "\\r, %%" reg "\\r\n"

/* From 4 times @width on. */
#define SECBUF_DEFINE_AVX512(name, does, width, reg)			\
SECBUF_DEFINE_WAY(name, "avx512f,avx512vl", 4 * (width), HIGH,		\
	does("	vpxord	%%xmm28, %%xmm28, %%xmm28\n")			\
	SECBUF_BLOCKS(does, "vmovdqu64", width, reg "2", "0,1,2,3",	\
		      reg "2", "4,5,6,7", reg "28")			\
	SECBUF_EACH("20,21,22,23,24,25,26,27", SECBUF_AVX512_ONES(reg)))

/* From 2 to 4 times @width. */
#define SECBUF_DEFINE_AVX512_SHORT(name, does, width, reg)		\
SECBUF_DEFINE_WAY(name, "avx512f,avx512vl", 2 * (width), HIGH,		\
	does("	vpxord	%%xmm28, %%xmm28, %%xmm28\n")			\
	SECBUF_PAIRS(does, "vmovdqu64", width, reg "2", "0,1", reg "2",	\
		     "2,3", reg "28")					\
	SECBUF_EACH("20,21,22,23", SECBUF_AVX512_ONES(reg)))

SECBUF_DEFINE_SSE2(secbuf_copy_xmm, SECBUF_COPIES)
SECBUF_DEFINE_SSE2(secbuf_take_xmm, SECBUF_TAKES)
SECBUF_DEFINE_AVX512(secbuf_copy_ymm, SECBUF_COPIES, 32, "ymm")
SECBUF_DEFINE_AVX512(secbuf_take_ymm, SECBUF_TAKES, 32, "ymm")
SECBUF_DEFINE_AVX512(secbuf_copy_zmm, SECBUF_COPIES, 64, "zmm")
SECBUF_DEFINE_AVX512(secbuf_take_zmm, SECBUF_TAKES, 64, "zmm")
SECBUF_DEFINE_AVX512_SHORT(secbuf_copy_ymm_short, SECBUF_COPIES, 32, "ymm")
SECBUF_DEFINE_AVX512_SHORT(secbuf_take_ymm_short, SECBUF_TAKES, 32, "ymm")
SECBUF_DEFINE_AVX512_SHORT(secbuf_copy_zmm_short, SECBUF_COPIES, 64, "zmm")
SECBUF_DEFINE_AVX512_SHORT(secbuf_take_zmm_short, SECBUF_TAKES, 64, "zmm")

static void secbuf_copy_rep(unsigned char *dst, unsigned char *src, size_t n)
{
	__asm__ volatile("rep movsb"
			 : "+D" (dst), "+S" (src), "+c" (n) : : "memory");
}

#endif /* SECBUF_SIMD_H */
