// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that hold secrets. They come zero and leave zero. While they are out
 * they carry PageOffline: /proc/kcore reads zeros for them, a hibernation image
 * leaves them out, and makedumpfile skips them. They are never in the vmalloc
 * area, because kcore would read that alias.
 */
#include "page.h"

#include <linux/gfp.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "payer.h"

static struct page *alloc_one(struct secbuf_payer *payer)
{
	struct secbuf_account *account = &payer->account;
	struct mem_cgroup *old;
	struct page *page;
	int err;

	err = secbuf_account_charge(account, PAGE_SIZE);
	if (err)
		return ERR_PTR(err);

	old = set_active_memcg(account->memcg);
	page = alloc_page(SECBUF_GFP | __GFP_ZERO);
	set_active_memcg(old);
	if (!page) {
		secbuf_account_uncharge(account, PAGE_SIZE);
		return ERR_PTR(-ENOMEM);
	}
	set_page_private(page, (unsigned long)secbuf_payer_get(payer));
	return page;
}

/**
 * secbuf_page_alloc() - zero pages for secrets
 * @payer: who pays, until they are freed
 * @pages: where they go; the caller owns them
 * @nr: how many
 *
 * Context: process, may sleep.
 * Return: how many there are, or if none -ENOMEM or -EDQUOT.
 */
int secbuf_page_alloc(struct secbuf_payer *payer, struct page **pages,
		      unsigned int nr)
{
	struct page *page = NULL;
	unsigned int done, i;

	for (done = 0; done < nr; done++) {
		page = alloc_one(payer);
		if (IS_ERR(page))
			break;
		pages[done] = page;
	}
	if (!done)
		return PTR_ERR(page);

	/* Waits for a kcore reader that has tested the flag and now copies. */
	page_offline_begin();
	for (i = 0; i < done; i++)
		__SetPageOffline(pages[i]);
	page_offline_end();
	return done;
}

/**
 * secbuf_page_free() - zeroize a page and give it back
 * @page: from secbuf_page_alloc(); mapped nowhere any more
 *
 * Context: process; also inside of reclaim.
 */
void secbuf_page_free(struct page *page)
{
	struct secbuf_payer *payer = secbuf_page_payer(page);

	secbuf_page_zeroize(page, 0, PAGE_SIZE);
	set_page_private(page, 0);
	__ClearPageOffline(page);
	__free_page(page);
	secbuf_account_uncharge(&payer->account, PAGE_SIZE);
	secbuf_payer_put(payer);
}

/**
 * secbuf_page_payer() - who pays for a page
 * @page: from secbuf_page_alloc()
 *
 * Return: the payer, which lives at least as long as the page.
 */
struct secbuf_payer *secbuf_page_payer(const struct page *page)
{
	return (struct secbuf_payer *)page_private(page);
}

/**
 * secbuf_page_zeroize() - overwrite part of a page with zeros
 * @page: from secbuf_page_alloc()
 * @offset: first byte
 * @len: bytes; @offset + @len is at most PAGE_SIZE
 *
 * Context: any.
 */
void secbuf_page_zeroize(struct page *page, size_t offset, size_t len)
{
	memzero_explicit(page_address(page) + offset, len);
}

/**
 * secbuf_page_alloc_paid() - a zero page for secrets, paid for in advance
 * @memcg: charged besides the ceilings, which the caller has charged
 * @gfp: how hard to try
 *
 * Does not wait for a kcore reader that has tested the flag and now copies: he
 * holds page_offline_rwsem while he faults, and we may be in a fault ourselves.
 *
 * Context: process, may sleep; also inside of a fault.
 * Return: the page, or NULL.
 */
struct page *secbuf_page_alloc_paid(struct mem_cgroup *memcg, gfp_t gfp)
{
	struct mem_cgroup *old = set_active_memcg(memcg);
	struct page *page = alloc_page(gfp | __GFP_ZERO);

	set_active_memcg(old);
	if (!page)
		return NULL;
	__SetPageOffline(page);
	return page;
}

/**
 * secbuf_page_free_paid() - zeroize a page and give it back
 * @page: from secbuf_page_alloc_paid(); mapped nowhere any more
 *
 * Context: process.
 */
void secbuf_page_free_paid(struct page *page)
{
	secbuf_page_zeroize(page, 0, PAGE_SIZE);
	__ClearPageOffline(page);
	__free_page(page);
}
