// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * AddressSanitizer and valgrind. The former is found if the program was built
 * with it, whether the library was or not.
 */
#include "annotate.h"

#if defined(__has_include)
#if __has_include("valgrind/memcheck.h")
#include <valgrind/memcheck.h>
#define SECBUF_VALGRIND	1
#endif
#endif

#ifndef SECBUF_VALGRIND
#define RUNNING_ON_VALGRIND			0
#define VALGRIND_MAKE_MEM_NOACCESS(_p, _n)	((void)(_p), (void)(_n))
#define VALGRIND_MAKE_MEM_UNDEFINED(_p, _n)	((void)(_p), (void)(_n))
#define VALGRIND_MALLOCLIKE_BLOCK(_p, _n, _red, _zero)			\
	((void)(_p), (void)(_n))
#define VALGRIND_FREELIKE_BLOCK(_p, _red)	((void)(_p))
#endif

void __asan_poison_memory_region(const volatile void *ptr, size_t size)
	__attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *ptr, size_t size)
	__attribute__((weak));

bool secbuf_annotate_wanted(void)
{
	return __asan_poison_memory_region || RUNNING_ON_VALGRIND;
}

void secbuf_annotate_open(const void *slots, size_t size)
{
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(slots, size);
	VALGRIND_MAKE_MEM_NOACCESS(slots, size);
}

void secbuf_annotate_close(const void *slots, size_t size)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(slots, size);
	VALGRIND_MAKE_MEM_UNDEFINED(slots, size);
}

void secbuf_annotate_alloc(const void *slot, size_t size)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(slot, size);
	VALGRIND_MALLOCLIKE_BLOCK(slot, size, 0, 1);
}

void secbuf_annotate_free(const void *slot, size_t size)
{
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(slot, size);
	VALGRIND_FREELIKE_BLOCK(slot, 0);
}
