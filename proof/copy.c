// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT
/*
 * Contracts of the copying, for what it does where it is plain C. The loads and
 * stores of words, which are one memcpy() of fixed size each, are believed; so is
 * the asm, of which nothing here is compiled.
 */
#include "../codec/copy.c"

#include "spec.h"

/*@ requires readable((unsigned char *)p, 2);
    assigns \nothing;
*/
static inline uint16_t __secbuf_load16(const void *p);

/*@ requires readable((unsigned char *)p, 4);
    assigns \nothing;
*/
static inline uint32_t __secbuf_load32(const void *p);

/*@ requires readable((unsigned char *)p, 8);
    assigns \nothing;
*/
static inline uint64_t __secbuf_load64(const void *p);

/*@ requires \valid((unsigned char *)p + (0 .. 1));
    assigns ((unsigned char *)p)[0 .. 1];
*/
static inline void __secbuf_store16(void *p, uint16_t word);

/*@ requires \valid((unsigned char *)p + (0 .. 3));
    assigns ((unsigned char *)p)[0 .. 3];
*/
static inline void __secbuf_store32(void *p, uint32_t word);

/*@ requires \valid((unsigned char *)p + (0 .. 7));
    assigns ((unsigned char *)p)[0 .. 7];
*/
static inline void __secbuf_store64(void *p, uint64_t word);

/*@ requires n <= 16 && readable(src, n);
    requires n > 0 ==> \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static inline void __secbuf_copy_upto16(unsigned char *dst,
					const unsigned char *src, size_t n);

/*@ requires 16 <= n <= 32 && readable(src, n);
    requires \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static inline void __secbuf_copy_upto32(unsigned char *dst,
					const unsigned char *src, size_t n);

/*@ requires 32 <= n <= 64 && readable(src, n);
    requires \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static inline void __secbuf_copy_upto64(unsigned char *dst,
					const unsigned char *src, size_t n);

/*@ requires readable(src, n);
    requires n > 0 ==> \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static void secbuf_copy_up(unsigned char *dst, const unsigned char *src,
			   size_t n);

/*@ requires readable(src, n);
    requires n > 0 ==> \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static void secbuf_copy_down(unsigned char *dst, const unsigned char *src,
			     size_t n);

/*@ requires readable(src, n);
    requires n > 0 ==> \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static inline void secbuf_copy_apart(unsigned char *dst, unsigned char *src,
				     size_t n);

/*@ requires n <= 64 && readable(src, n);
    requires n > 0 ==> \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1];
*/
static inline void secbuf_copy_short(unsigned char *dst,
				     const unsigned char *src, size_t n);

/*@ requires readable((unsigned char *)src, n);
    requires n > 0 ==> \valid((unsigned char *)dst + (0 .. n - 1));
    assigns ((unsigned char *)dst)[0 .. n - 1];
*/
void secbuf_memory_copy(void *dst, const void *src, size_t n);
