// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that hold secrets, and those by which processes and the kernel tell each
 * other about them. They come zero and leave zero. While secrets can be in them
 * they carry PageOffline: /proc/kcore reads zeros for them, a hibernation image
 * leaves them out, and makedumpfile skips them. They are never in the vmalloc
 * area, because kcore would read that alias; nor in the kernel's image, parts of
 * which are free memory once it has started, because kcore shows all of that
 * without a look at flags.
 */
#include "page.h"

#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/swap.h>

#include "payer.h"

/* What x86 allocates before it knows its memory is behind the last range. */
#define SECBUF_IMAGE_TAIL	SZ_1M

/* Frames of the kernel's image; none before secbuf_page_init(). */
static unsigned long image_first = ULONG_MAX;
static unsigned long image_last;

/*
 * Pages of the image that were met, until the module goes: at most what the
 * kernel has freed of it, some MiB.
 */
static LIST_HEAD(passed_over);
static DEFINE_SPINLOCK(passed_over_lock);

/* Pages that may hold a secret. */
static atomic_long_t nr_secret;

static void hide(struct page *page)
{
	__SetPageOffline(page);
	atomic_long_inc(&nr_secret);
}

/**
 * secbuf_page_reveal() - a page that is not for secrets, but for control
 * @page: from secbuf_page_alloc() or secbuf_page_alloc_paid(), not used yet
 *
 * It is as other memory from now on, so that after hibernation it is found as it
 * was.
 *
 * Context: process.
 */
void secbuf_page_reveal(struct page *page)
{
	if (!PageOffline(page))
		return;
	__ClearPageOffline(page);
	atomic_long_dec(&nr_secret);
}

/**
 * secbuf_page_bytes() - bytes of the pages that may hold a secret
 *
 * Context: any.
 */
u64 secbuf_page_bytes(void)
{
	return (u64)atomic_long_read(&nr_secret) << PAGE_SHIFT;
}

static void image_add(const struct resource *range)
{
	image_first = min(image_first, PHYS_PFN(range->start));
	image_last = max(image_last,
			 PHYS_PFN(range->end + SECBUF_IMAGE_TAIL));
}

/**
 * secbuf_page_init() - find out where the kernel is
 *
 * Its ranges lie in those of the RAM, and stay as they were when it started.
 * Where none is named, nothing is passed over.
 *
 * Context: module init, before the first page is allocated.
 */
void secbuf_page_init(void)
{
	const struct resource *ram, *range;

	for (ram = iomem_resource.child; ram; ram = ram->sibling) {
		/* What is in devices comes and goes, and we have no lock. */
		if ((ram->flags & IORESOURCE_SYSTEM_RAM) !=
		    IORESOURCE_SYSTEM_RAM)
			continue;
		for (range = ram->child; range; range = range->sibling)
			if (range->name && range->end &&
			    !strncmp(range->name, "Kernel ", 7))
				image_add(range);
	}
}

/**
 * secbuf_page_exit() - give back what was passed over
 *
 * Context: module exit, after the last page was freed.
 */
void secbuf_page_exit(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &passed_over, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

static bool is_in_image(const struct page *page)
{
	return page_to_pfn(page) >= image_first &&
	       page_to_pfn(page) <= image_last;
}

/* Keeps the next page, charged to nobody, if it is in the image. */
static bool pass_over(gfp_t gfp)
{
	struct page *page = alloc_page(gfp & ~__GFP_ACCOUNT);

	if (!page)
		return false;
	if (!is_in_image(page)) {
		__free_page(page);
		return false;
	}
	spin_lock(&passed_over_lock);
	list_add(&page->lru, &passed_over);
	spin_unlock(&passed_over_lock);
	return true;
}

/*
 * A page of the image that is freed is as a rule the next that one gets: it is
 * kept, but not at the cost of the cgroup whose page this is to be. Until there
 * is one that is outside, each turn takes one of the image out of reach: so this
 * ends.
 */
static struct page *alloc_outside(gfp_t gfp)
{
	struct page *page, *met, *next;
	LIST_HEAD(held);

	while ((page = alloc_page(gfp | __GFP_ZERO)) && is_in_image(page)) {
		if (pass_over(gfp))
			__free_page(page);
		else
			list_add(&page->lru, &held);
	}
	list_for_each_entry_safe(met, next, &held, lru) {
		list_del(&met->lru);
		__free_page(met);
		pass_over(gfp);
	}
	return page;
}

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
	page = alloc_outside(SECBUF_GFP);
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
		hide(pages[i]);
	page_offline_end();
	return done;
}

/* Reclaim must hear of it, or else kswapd gives up as if nothing was freed. */
static void free_zeroized(struct page *page)
{
	secbuf_page_reveal(page);
	__free_page(page);
	mm_account_reclaimed_pages(1);
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
	free_zeroized(page);
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
	struct page *page = alloc_outside(gfp);

	set_active_memcg(old);
	if (!page)
		return NULL;
	hide(page);
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
	free_zeroized(page);
}
