/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * What several proofs need, in ACSL.
 */
#ifndef SECBUF_PROOF_SPEC_H
#define SECBUF_PROOF_SPEC_H

/*@ predicate readable{L}(unsigned char *p, integer n) =
	n > 0 ==> \valid_read(p + (0 .. n - 1));
*/

/* What provers do not know about shifts. */

/*@ axiomatic shifts {
	axiom shift_8: \forall integer x; (x << 8) == x * 0x100;
	axiom shift_16: \forall integer x; (x << 16) == x * 0x10000;
	axiom shift_24: \forall integer x; (x << 24) == x * 0x1000000;
	axiom shift_32: \forall integer x; (x << 32) == x * 0x100000000;
    }
*/

/* Copying: proved in copy.c. */

/*@ requires n > 0 ==> \valid((unsigned char *)dst + (0 .. n - 1));
    requires readable((unsigned char *)src, n);
    assigns ((unsigned char *)dst)[0 .. n - 1];
*/
static inline void __secbuf_copy(void *dst, const void *src, size_t n);

#endif /* SECBUF_PROOF_SPEC_H */
