// SPDX-License-Identifier: GPL-2.0
/*
 * What sodium_malloc() and sodium_free() of 64 bytes cost, all written, on the
 * machine's own kernel: they make a dozen system calls, which are slow in User
 * Mode Linux. Prints the cycles, for the line upool_vs_sodium.
 */
#include <stdio.h>

#include <sodium.h>

#include "turns.h"
#include "work.h"

static void run(unsigned int nr)
{
	void *p;

	while (nr--) {
		p = sodium_malloc(SMALL);
		turns_must(p, "sodium_malloc");
		write_all(p, SMALL);
		sodium_free(p);
	}
}

int main(void)
{
	static const struct turns_side side = { .run = run };

	turns_must(sodium_init() >= 0, "sodium_init");
	printf("%.2f\n", turns_side(&side));
	return 0;
}
