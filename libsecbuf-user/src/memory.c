// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the compiler must not be clever about.
 */
#include <string.h>

#include "internal.h"

void secbuf_memory_zeroize(void *ptr, size_t len)
{
	if (len)
		explicit_bzero(ptr, len);
}

int secbuf_memory_equal(const void *a, const void *b, size_t len)
{
	const unsigned char *pa = a;
	const unsigned char *pb = b;
	unsigned int differ = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		differ |= pa[i] ^ pb[i];
		/* The compiler must not know when the outcome is certain. */
		__asm__ volatile("" : "+r" (differ));
	}
	/* Without a branch: 0 - 1 borrows from bit 8, 1 to 255 do not. */
	return ((differ - 1) >> 8) & 1;
}
