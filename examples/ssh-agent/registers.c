// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>

#include "registers.h"

#ifdef __x86_64__
/*
 * Not zero: registers that are zero are in their initial state, which XSAVE
 * notes in one bit, leaving the bytes that it saved the time before.
 */
static const uint8_t registers_pattern[64] = {
	[0 ... 63] = 0x5a,
};

static void registers_overwrite_sse(void)
{
	asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "movdqu (%0), %%xmm\\n\n"
		     ".endr\n"
		     : : "r" (registers_pattern), "m" (registers_pattern)
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		       "xmm13", "xmm14", "xmm15");
}

/* No vzeroupper behind it: that would be the initial state again. */
static void registers_overwrite_avx(void)
{
	asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "vmovdqu (%0), %%ymm\\n\n"
		     ".endr\n"
		     : : "r" (registers_pattern), "m" (registers_pattern)
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		       "xmm13", "xmm14", "xmm15");
}

/* The upper sixteen are not the compiler's: it is not told of AVX-512. */
static void registers_overwrite_avx512(void)
{
	asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "vmovdqu64 (%0), %%zmm\\n\n"
		     ".endr\n"
		     ".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
		     "vmovdqu64 (%0), %%zmm\\n\n"
		     ".endr\n"
		     : : "r" (registers_pattern), "m" (registers_pattern)
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
		       "xmm13", "xmm14", "xmm15");
}

void registers_overwrite(void)
{
	if (__builtin_cpu_supports("avx512f"))
		registers_overwrite_avx512();
	else if (__builtin_cpu_supports("avx"))
		registers_overwrite_avx();
	else
		registers_overwrite_sse();
}
#else
#error "registers_overwrite() knows x86-64 only: add this architecture's vectors"
#endif
