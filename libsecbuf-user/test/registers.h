/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a call leaves in the vector registers: they are loaded with a canary, the
 * call is made, and what the kernel would save for the thread is searched.
 */
#ifndef SECBUF_TEST_REGISTERS_H
#define SECBUF_TEST_REGISTERS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>

#define REGISTERS_CANARY	0x5c

/* Bits of the components that hold vector registers. */
#define REGISTERS_SSE		0x02
#define REGISTERS_HI16_ZMM	0x80

struct registers {
	unsigned char *area;
	size_t size;
};

/* False if this processor cannot say. */
static inline bool registers_init(struct registers *regs)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE) ||
	    !__get_cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx))
		return false;
	regs->size = (ebx + 63) & ~63U;
	regs->area = aligned_alloc(64, regs->size);
	if (!regs->area)
		abort();
	memset(regs->area, 0, regs->size);
	return true;
}

static inline void registers_save(struct registers *regs)
{
	__asm__ volatile("xsave64 (%0)"
			 : : "r" (regs->area), "a" (-1), "d" (-1) : "memory");
}

/* All of them are to hold the canary: the area has been saved into. */
static inline void registers_load(struct registers *regs)
{
	size_t i;

	registers_save(regs);
	/* The legacy area: xmm0 to xmm15. Beyond the header: their parts. */
	for (i = 160; i < 416; i++)
		regs->area[i] = REGISTERS_CANARY;
	for (i = 576; i < 832 && i < regs->size; i++)
		regs->area[i] = REGISTERS_CANARY;
	__asm__ volatile("xrstor64 (%0)"
			 : : "r" (regs->area), "a" (REGISTERS_SSE | 4), "d" (0)
			 : "memory");
}

/* Is any piece of 8 bytes of @secret there now? */
static inline bool registers_hold(struct registers *regs, const void *secret,
				  size_t n)
{
	const unsigned char *bytes = secret;
	size_t i;

	registers_save(regs);
	for (i = 0; i + 8 <= n; i++)
		if (memmem(regs->area + 160, regs->size - 160, bytes + i, 8))
			return true;
	return false;
}

/* Which components are in use: only those are stored when a thread is saved. */
static inline unsigned int registers_in_use(void)
{
	unsigned int eax, edx;

	__asm__ volatile("xgetbv" : "=a" (eax), "=d" (edx) : "c" (1));
	return eax;
}
#endif

#endif /* SECBUF_TEST_REGISTERS_H */
