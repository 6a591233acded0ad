/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Tells AddressSanitizer and valgrind which slots are out.
 */
#ifndef SECBUF_ANNOTATE_H
#define SECBUF_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

/* Does one of them watch this process? */
bool secbuf_annotate_wanted(void);

/* A pool was mapped or is about to be unmapped; its slots are out of bounds. */
void secbuf_annotate_open(const void *slots, size_t size);
void secbuf_annotate_close(const void *slots, size_t size);

/* A slot was handed out, or has come back. */
void secbuf_annotate_alloc(const void *slot, size_t size);
void secbuf_annotate_free(const void *slot, size_t size);

#endif /* SECBUF_ANNOTATE_H */
