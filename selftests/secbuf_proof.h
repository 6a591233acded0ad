/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figures that a program prints at its end, for "make proof": how many attacks
 * it made on how many objects, how many of these held, and how many controls,
 * the same steps with ordinary memory, did what an attack must not. They lie in
 * memory that the children of the harness share with it.
 */
#ifndef SECBUF_PROOF_H
#define SECBUF_PROOF_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct proof {
	unsigned int	attacked;
	unsigned int	held;
	unsigned int	controls;
	pid_t		printer;
	char		lack[160];	/* why a control could not be had */
};

static struct proof *proof;

static void __attribute__((constructor)) proof_begin(void)
{
	proof = mmap(NULL, sizeof(*proof), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (proof == MAP_FAILED)
		abort();
	proof->printer = getpid();
}

static void __attribute__((destructor)) proof_end(void)
{
	if (getpid() != proof->printer)
		return;
	printf("# proof: attacked %u\n", proof->attacked);
	printf("# proof: held %u\n", proof->held);
	printf("# proof: controls %u\n", proof->controls);
}

static inline void proof_add(unsigned int *counter, unsigned int n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* Counts what EXPECT found out about an attack. */
#define EXPECT_HELD(expected, seen)					\
do {									\
	__typeof__(seen) __held = (seen);				\
									\
	proof_add(&proof->attacked, 1);						\
	proof_add(&proof->held, __held == (expected));				\
	EXPECT_EQ(expected, __held);					\
} while (0)

/* Likewise of a control. */
#define EXPECT_CONTROL(expected, seen)					\
do {									\
	__typeof__(seen) __found = (seen);				\
									\
	proof_add(&proof->controls, __found == (expected));			\
	EXPECT_EQ(expected, __found);					\
} while (0)

#endif /* SECBUF_PROOF_H */
