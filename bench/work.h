/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work: what is done with memory, by the same code on every side.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stddef.h>

/* Bytes of a small secret: what the lines against other allocators take. */
#define SMALL		64

/* So many to copy, of which the compiler does not know what they are. */
extern unsigned char small_secret[SMALL];

/*
 * Write all bytes, as memset() does. The compiler does not see what for, and
 * can neither leave it out nor join it with what comes before or after it.
 */
void write_all(void *p, size_t len);

/* malloc() keeps what it has: from then on it makes hardly a system call. */
void work_keep_malloc(void);

/* What the compiler must not know. */
#define HIDE(x)						\
	do {						\
		__typeof__(x) *hidden = &(x);		\
							\
		__asm__ volatile("" : "+r" (*hidden));	\
	} while (0)

/* The compiler must believe that a value is needed, */
#define USED(x)						\
	do {						\
		__typeof__(x) used = (x);		\
							\
		__asm__ volatile("" : : "r" (used));	\
	} while (0)

/* and that somebody looks at the memory. */
static inline void memory_used(void *p)
{
	__asm__ volatile("" : : "r" (p) : "memory");
}

#endif /* BENCH_WORK_H */
