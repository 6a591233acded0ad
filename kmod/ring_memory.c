// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a ring's data: single pages, where something touched it.
 */
#include "ring_memory.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "page.h"

static unsigned long nr_indexes(const struct secbuf_ring_memory *memory)
{
	return memory->size >> PAGE_SHIFT;
}

/**
 * secbuf_ring_memory_init() - memory without a page
 * @memory: initialized on success
 * @memcg: to charge; must stay
 * @size: bytes, a power of two, at least a page
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_ring_memory_init(struct secbuf_ring_memory *memory,
			    struct mem_cgroup *memcg, size_t size)
{
	memory->memcg = memcg;
	memory->size = size;
	spin_lock_init(&memory->lock);
	memory->pages = kvcalloc(nr_indexes(memory), sizeof(*memory->pages),
				 SECBUF_GFP);
	return memory->pages ? 0 : -ENOMEM;
}

/**
 * secbuf_ring_memory_exit() - zeroize and free everything
 * @memory: nobody can reach it any more
 *
 * Context: process, may sleep.
 */
void secbuf_ring_memory_exit(struct secbuf_ring_memory *memory)
{
	secbuf_ring_memory_drop(memory);
	kvfree(memory->pages);
}

/**
 * secbuf_ring_memory_footprint() - bytes besides the pages
 * @memory: the memory
 */
size_t secbuf_ring_memory_footprint(const struct secbuf_ring_memory *memory)
{
	return nr_indexes(memory) * sizeof(*memory->pages);
}

/* A page that somebody else has put there meanwhile, or that comes too late. */
static void add_page(struct secbuf_ring_memory *memory, unsigned long index,
		     struct page *page)
{
	spin_lock(&memory->lock);
	if (!memory->sealed && !memory->pages[index]) {
		/* First, as nobody looks for pages where there are none. */
		WRITE_ONCE(memory->nr, memory->nr + 1);
		WRITE_ONCE(memory->peak, max(memory->peak, memory->nr));
		/* Pairs with the acquire in secbuf_ring_memory_page(). */
		smp_store_release(&memory->pages[index], page);
		page = NULL;
	}
	spin_unlock(&memory->lock);
	if (page)
		secbuf_page_free_paid(page);
}

/**
 * secbuf_ring_memory_fill() - a page where there is none
 * @memory: the memory
 * @index: of the page
 * @gfp: how hard to try
 *
 * Context: process, may sleep; without the lock that keeps the pages, as the
 * allocation may wait for somebody who waits for that.
 * Return: 0 or -ENOMEM. 0 also if there is still none, because the memory was
 * sealed meanwhile.
 */
int secbuf_ring_memory_fill(struct secbuf_ring_memory *memory,
			    unsigned long index, gfp_t gfp)
{
	struct page *page = secbuf_page_alloc_paid(memory->memcg, gfp);

	if (!page)
		return -ENOMEM;
	add_page(memory, index, page);
	return 0;
}

/**
 * secbuf_ring_page_touched() - a zero page for somebody who has touched it
 * @memcg: of who made the ring
 *
 * The ceilings were charged for the whole ring when it was made. What can fail
 * here is the memory cgroup of its creator, and at once: there may be nobody
 * left in it whose end would make room, and a fault that fails is repeated for
 * ever. Then it is memory of who touches it, as any other, and if there is no
 * room for that either, somebody in his memory cgroup is killed.
 *
 * Context: in a fault, may sleep.
 * Return: the page, or NULL: the calling task is about to be killed.
 */
struct page *secbuf_ring_page_touched(struct mem_cgroup *memcg)
{
	struct page *page = secbuf_page_alloc_paid(memcg, SECBUF_GFP);

	return page ?: secbuf_page_alloc_paid(NULL, GFP_KERNEL_ACCOUNT);
}

/**
 * secbuf_ring_memory_touch() - a page where there is none, in a fault
 * @memory: the memory
 * @index: of the page
 *
 * As secbuf_ring_memory_fill(), and secbuf_ring_page_touched().
 *
 * Context: in a fault, may sleep; without the lock that keeps the pages.
 * Return: 0 or -ENOMEM.
 */
int secbuf_ring_memory_touch(struct secbuf_ring_memory *memory,
			     unsigned long index)
{
	struct page *page = secbuf_ring_page_touched(memory->memcg);

	if (!page)
		return -ENOMEM;
	add_page(memory, index, page);
	return 0;
}

/**
 * secbuf_ring_memory_fill_all() - all pages
 * @memory: nobody else knows it yet
 * @gfp: how hard to try
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, -EINTR; what there is stays.
 */
int secbuf_ring_memory_fill_all(struct secbuf_ring_memory *memory, gfp_t gfp)
{
	unsigned long index;
	int err;

	for (index = 0; index < nr_indexes(memory); index++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = secbuf_ring_memory_fill(memory, index, gfp);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * secbuf_ring_memory_page() - what lies at an index
 * @memory: the memory
 * @index: taken modulo the number of pages
 *
 * Context: under the lock that keeps the pages.
 * Return: the page, or NULL.
 */
struct page *secbuf_ring_memory_page(const struct secbuf_ring_memory *memory,
				     unsigned long index)
{
	index &= nr_indexes(memory) - 1;
	/* Pairs with the release in secbuf_ring_memory_fill(). */
	return smp_load_acquire(&memory->pages[index]);
}

/**
 * secbuf_ring_memory_zeroize() - overwrite bytes with zeros
 * @memory: the memory
 * @pos: of the first byte; may be beyond the end, and is wrapped
 * @len: at most the size of the ring
 *
 * Context: process, may sleep, under the lock that keeps the pages.
 */
void secbuf_ring_memory_zeroize(struct secbuf_ring_memory *memory, u64 pos,
				u64 len)
{
	struct page *page;
	size_t offset, n;

	for (; len; pos += n, len -= n) {
		offset = offset_in_page(pos);
		n = min_t(u64, len, PAGE_SIZE - offset);
		page = secbuf_ring_memory_page(memory, pos >> PAGE_SHIFT);
		if (!page)
			continue;
		secbuf_page_zeroize(page, offset, n);
		atomic64_add(n, &memory->zeroized);
		cond_resched();
	}
}

/**
 * secbuf_ring_memory_drop() - zeroize and free all pages
 * @memory: unmapped everywhere
 *
 * Context: process, may sleep, under the lock that keeps the pages.
 * Return: bytes freed.
 */
size_t secbuf_ring_memory_drop(struct secbuf_ring_memory *memory)
{
	unsigned long index;
	struct page *page;
	size_t bytes = 0;

	/* A fault may add pages meanwhile; those are for the next time. */
	for (index = 0; READ_ONCE(memory->nr) && index < nr_indexes(memory);
	     index++) {
		page = READ_ONCE(memory->pages[index]);
		if (!page)
			continue;
		spin_lock(&memory->lock);
		WRITE_ONCE(memory->pages[index], NULL);
		WRITE_ONCE(memory->nr, memory->nr - 1);
		spin_unlock(&memory->lock);
		secbuf_page_free_paid(page);
		atomic64_add(PAGE_SIZE, &memory->zeroized);
		bytes += PAGE_SIZE;
		cond_resched();
	}
	return bytes;
}

/**
 * secbuf_ring_memory_seal() - no page comes any more
 * @memory: the memory; to be dropped then
 *
 * Context: process, under the lock that keeps the pages.
 */
void secbuf_ring_memory_seal(struct secbuf_ring_memory *memory)
{
	spin_lock(&memory->lock);
	memory->sealed = true;
	spin_unlock(&memory->lock);
}
