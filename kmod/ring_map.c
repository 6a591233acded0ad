// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping of an end of a ring.
 */
#include "ring_map.h"

#include <linux/fs.h>
#include <linux/mm.h>

#include <uapi/linux/secbuf.h>

#include "mmap.h"
#include "ring.h"
#include "ring_handle.h"

/* What of a ring lies where in the mapping. */
enum ring_range {
	RING_DATA,
	RING_HEAD,
	RING_TAIL,
};

static enum ring_range range_of(pgoff_t index)
{
	if (index >= SECBUF_RING_MMAP_TAIL >> PAGE_SHIFT)
		return RING_TAIL;
	return index >= SECBUF_RING_MMAP_HEAD >> PAGE_SHIFT ? RING_HEAD :
							      RING_DATA;
}

static bool range_is_own(const struct secbuf_ring_end *end,
			 enum ring_range range)
{
	return (range == RING_HEAD) == secbuf_ring_is_producer(end);
}

/*
 * What lies at an index of the mapping. NULL, and *@scratch or not: it must be
 * allocated first.
 */
static struct page *page_at(struct secbuf_ring_end *end, pgoff_t index,
			    bool *scratch)
{
	enum ring_range range = range_of(index);
	struct secbuf_ring *ring = end->ring;

	lockdep_assert_held(&ring->map_lock);
	*scratch = false;
	if (range == RING_DATA && !end->scratched)
		return secbuf_ring_memory_page(&ring->memory, index);
	if (range != RING_DATA) {
		/* The second page of what the other side writes. */
		if (index != SECBUF_RING_MMAP_HEAD >> PAGE_SHIFT &&
		    index != SECBUF_RING_MMAP_TAIL >> PAGE_SHIFT)
			return ring->status;
		if (range_is_own(end, range))
			return end->control;
		if (!(READ_ONCE(ring->status_flags) & SECBUF_RING_RESET_DONE))
			return secbuf_ring_peer(end)->control;
	}
	*scratch = true;
	/* Pairs with the exchange in secbuf_ring_end_fill_scratch(). */
	return smp_load_acquire(&end->scratch);
}

static int fill_for_fault(struct secbuf_ring_end *end, pgoff_t index,
			  bool scratch)
{
	struct secbuf_ring_memory *memory = &end->ring->memory;

	if (scratch)
		return secbuf_ring_end_fill_scratch(end);
	return secbuf_ring_memory_touch(memory, index &
					((memory->size >> PAGE_SHIFT) - 1));
}

/* Before the program has to fault once more. */
#define FAULT_TURNS	16

static vm_fault_t ring_fault(struct vm_fault *vmf)
{
	struct secbuf_ring_handle *handle = vmf->vma->vm_file->private_data;
	struct secbuf_ring_end *end = handle->end;
	struct secbuf_ring *ring = end->ring;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned int turns = FAULT_TURNS;
	struct page *page = NULL;
	bool scratch;

	for (;;) {
		down_read(&ring->map_lock);
		if (!end->gone)
			page = page_at(end, vmf->pgoff, &scratch);
		if (end->gone || page)
			break;
		up_read(&ring->map_lock);
		if (fill_for_fault(end, vmf->pgoff, scratch))
			return VM_FAULT_OOM;
		/* Who takes it away each time is not to keep us from signals. */
		if (!--turns)
			return VM_FAULT_NOPAGE;
	}
	if (page) {
		ret = secbuf_mmap_insert(vmf, page);
		atomic64_inc(&ring->faults);
	}
	up_read(&ring->map_lock);
	return ret;
}

static void ring_vm_open(struct vm_area_struct *vma)
{
	struct secbuf_ring_handle *handle = vma->vm_file->private_data;

	atomic_inc(&handle->end->mapped);
}

static void ring_vm_close(struct vm_area_struct *vma)
{
	struct secbuf_ring_handle *handle = vma->vm_file->private_data;

	/*
	 * After the program stored its position for the last time. Pairs with
	 * the acquire in handle_fence().
	 */
	smp_mb__before_atomic();
	atomic_dec(&handle->end->mapped);
}

static const struct vm_operations_struct ring_vm_ops = {
	.open		= ring_vm_open,
	.close		= ring_vm_close,
	.fault		= ring_fault,
	.may_split	= secbuf_mmap_may_split,
	.mremap		= secbuf_mmap_mremap,
};

/* Returns the length that a mapping must have, in pages, or -errno. */
static long range_pages(const struct secbuf_ring_end *end,
			const struct vm_area_struct *vma)
{
	enum ring_range range = range_of(vma->vm_pgoff);
	static const u64 begins[] = {
		[RING_DATA] = SECBUF_RING_MMAP_DATA,
		[RING_HEAD] = SECBUF_RING_MMAP_HEAD,
		[RING_TAIL] = SECBUF_RING_MMAP_TAIL,
	};

	if (vma->vm_pgoff != begins[range] >> PAGE_SHIFT)
		return -EINVAL;
	if (range == RING_DATA)
		return 2 * (end->ring->size >> PAGE_SHIFT);
	if (range_is_own(end, range))
		return 1;
	return vma->vm_flags & VM_WRITE ? -EPERM : 2;
}

/**
 * secbuf_ring_mmap() - map part of an end
 * @file: its file
 * @vma: what is to be mapped
 *
 * Context: ->mmap.
 * Return: 0, -EINVAL, -EPERM, -ESHUTDOWN.
 */
int secbuf_ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct secbuf_ring_handle *handle = file->private_data;
	struct secbuf_ring_end *end = handle->end;
	struct secbuf_ring *ring = end->ring;
	long pages;
	int err;

	pages = range_pages(end, vma);
	if (pages < 0)
		return pages;
	/* Against another who claims the end. */
	down_read(&ring->map_lock);
	err = secbuf_ring_handle_check(handle);
	if (!err && secbuf_ring_end_state(end) == -ESHUTDOWN)
		err = -ESHUTDOWN;
	if (!err)
		err = secbuf_mmap_prepare(vma, pages, &ring_vm_ops);
	if (!err) {
		if (!(vma->vm_flags & VM_WRITE))
			vm_flags_clear(vma, VM_MAYWRITE);
		atomic_inc(&end->mapped);
		/*
		 * Before the program looks at need_wake. Pairs with the barrier
		 * in handle_fence().
		 */
		smp_mb__after_atomic();
	}
	up_read(&ring->map_lock);
	return err;
}
