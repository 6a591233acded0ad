/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_PAGE_H
#define SECBUF_PAGE_H

#include <linux/gfp.h>
#include <linux/mm_types.h>

struct mem_cgroup;
struct secbuf_payer;

void secbuf_page_init(void);
void secbuf_page_exit(void);
int secbuf_page_alloc(struct secbuf_payer *payer, struct page **pages,
		      unsigned int nr);
void secbuf_page_reveal(struct page *page);
u64 secbuf_page_bytes(void);
void secbuf_page_free(struct page *page);
struct secbuf_payer *secbuf_page_payer(const struct page *page);
void secbuf_page_zeroize(struct page *page, size_t offset, size_t len);
struct page *secbuf_page_alloc_paid(struct mem_cgroup *memcg, gfp_t gfp);
void secbuf_page_free_paid(struct page *page);

#endif /* SECBUF_PAGE_H */
