// SPDX-License-Identifier: GPL-2.0
#include <malloc.h>
#include <string.h>

#include "turns.h"
#include "work.h"

unsigned char small_secret[SMALL] __attribute__((aligned(SMALL))) = { 1, 2, 3, 4 };

void write_all(void *p, size_t len)
{
	memset(p, 0x5a, len);
	memory_used(p);
}

void work_keep_malloc(void)
{
	turns_must(mallopt(M_MMAP_THRESHOLD, 16 << 20) &&
		   mallopt(M_TRIM_THRESHOLD, 16 << 20) &&
		   mallopt(M_TOP_PAD, 1 << 20), "mallopt");
}
