/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_PAGE_H
#define SECBUF_PAGE_H

#include <linux/mm_types.h>

struct secbuf_account;

int secbuf_page_alloc(struct secbuf_account *account, struct page **pages,
		      unsigned int nr);
void secbuf_page_free(struct secbuf_account *account, struct page *page);
void secbuf_page_zeroize(struct page *page, size_t offset, size_t len);

#endif /* SECBUF_PAGE_H */
