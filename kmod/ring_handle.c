// SPDX-License-Identifier: GPL-2.0
/*
 * Handle: the end of a ring that a process owns, and with which it dies; first
 * the one that made it, then perhaps one that claimed it.
 */
#include "ring_handle.h"

#include <linux/file.h>
#include <linux/slab.h>

#include <uapi/linux/secbuf.h>

#include "mmap.h"
#include "ring.h"

static u32 generation_of(const struct secbuf_ring_handle *handle)
{
	/*
	 * Pairs with the release in secbuf_ring_end_claim(): the claimer is
	 * attached.
	 */
	return smp_load_acquire(&handle->end->generation);
}

static const struct secbuf_owned *
owned_of(const struct secbuf_ring_handle *handle)
{
	return generation_of(handle) ? &handle->claimer : &handle->creator;
}

/**
 * secbuf_ring_handle_check() - may the calling task use this end?
 * @handle: the end
 *
 * Return: 0, -EPERM, -ESHUTDOWN (its owner is dead).
 */
int secbuf_ring_handle_check(const struct secbuf_ring_handle *handle)
{
	return secbuf_owner_check(owned_of(handle));
}

/**
 * secbuf_ring_handle_check_poll() - the same, in ->poll
 * @handle: the end
 *
 * Return: 0, -EPERM, -ESHUTDOWN (its owner is dead).
 */
int secbuf_ring_handle_check_poll(const struct secbuf_ring_handle *handle)
{
	return secbuf_owner_check_poll(owned_of(handle));
}

/**
 * secbuf_ring_handle_check_creator() - did the calling task make this ring?
 * @handle: an end
 *
 * Return: 0, -EPERM, -ESHUTDOWN (who did is dead).
 */
int secbuf_ring_handle_check_creator(const struct secbuf_ring_handle *handle)
{
	return secbuf_owner_check(&handle->creator);
}

static struct secbuf_ring_end *creator_end(struct secbuf_owned *owned)
{
	return container_of(owned, struct secbuf_ring_handle, creator)->end;
}

static struct secbuf_ring_end *claimer_end(struct secbuf_owned *owned)
{
	return container_of(owned, struct secbuf_ring_handle, claimer)->end;
}

static void creator_wipe(struct secbuf_owned *owned)
{
	secbuf_ring_end_try_die(creator_end(owned), 0);
}

static void creator_die(struct secbuf_owned *owned, bool alone)
{
	secbuf_ring_end_die(creator_end(owned), 0);
}

static void claimer_wipe(struct secbuf_owned *owned)
{
	secbuf_ring_end_try_die(claimer_end(owned), 1);
}

static void claimer_die(struct secbuf_owned *owned, bool alone)
{
	secbuf_ring_end_die(claimer_end(owned), 1);
}

static const struct secbuf_owned_ops creator_ops = {
	.wipe	= creator_wipe,
	.die	= creator_die,
};

static const struct secbuf_owned_ops claimer_ops = {
	.wipe	= claimer_wipe,
	.die	= claimer_die,
};

static void handle_unmap(struct secbuf_ring_end *end, bool everything)
{
	struct secbuf_ring_handle *handle = end->priv;
	pgoff_t nr = end->ring->size >> PAGE_SHIFT;

	secbuf_mmap_unmap(handle->file, SECBUF_RING_MMAP_DATA >> PAGE_SHIFT,
			  2 * nr);
	if (!everything)
		return;
	secbuf_mmap_unmap(handle->file, SECBUF_RING_MMAP_HEAD >> PAGE_SHIFT, 2);
	secbuf_mmap_unmap(handle->file, SECBUF_RING_MMAP_TAIL >> PAGE_SHIFT, 2);
}

/* Who has nothing mapped passes a barrier in each call. */
static void handle_fence(struct secbuf_ring_end *end)
{
	struct secbuf_ring_handle *handle = end->priv;

	/*
	 * After need_wake was set. Pairs with the barrier in
	 * secbuf_ring_mmap(): who maps it later sees need_wake.
	 */
	smp_mb();
	/*
	 * Before the positions are looked at again. Pairs with the barrier in
	 * ring_vm_close(): of who has unmapped it, they are seen.
	 */
	if (atomic_read_acquire(&end->mapped))
		secbuf_owner_barrier(owned_of(handle));
}

static const struct secbuf_ring_ops handle_ops = {
	.unmap		= handle_unmap,
	.fence		= handle_fence,
};

/**
 * secbuf_ring_handle_claim() - RING_CLAIM
 * @handle: the end
 *
 * Context: process, may sleep.
 * Return: 0, -ESHUTDOWN, -EALREADY, -EPERM, -EBUSY, -ENOMEM.
 */
int secbuf_ring_handle_claim(struct secbuf_ring_handle *handle)
{
	int err;

	if (secbuf_ring_end_state(handle->end) == -ESHUTDOWN)
		return -ESHUTDOWN;
	if (!secbuf_ring_handle_check(handle))
		return -EALREADY;
	if (!(handle->end->ring->flags & SECBUF_RING_F_PASSABLE))
		return -EPERM;
	if (test_and_set_bit(0, &handle->claiming))
		return -EPERM;
	/* Before the claim: from then on the end must die with the caller. */
	err = secbuf_owner_attach(&handle->claimer, &claimer_ops);
	if (err)
		goto out_claiming;
	err = secbuf_ring_end_claim(handle->end);
	if (err)
		goto out_owner;
	/*
	 * Whoever kills everything may have come by after the first of these two
	 * and before the second, when the end was not the claimer's yet. Under
	 * map_lock he was there before us, so that we see his mark.
	 */
	if (READ_ONCE(handle->claimer.dead))
		secbuf_ring_end_die(handle->end, 1);
	return 0;

out_owner:
	secbuf_owner_detach(&handle->claimer);
out_claiming:
	clear_bit(0, &handle->claiming);
	return err;
}

/**
 * secbuf_ring_handle_flush() - a descriptor of the end is being closed
 * @handle: the end
 *
 * Context: ->flush, may sleep.
 */
void secbuf_ring_handle_flush(struct secbuf_ring_handle *handle)
{
	secbuf_owner_flush(&handle->creator);
	if (generation_of(handle))
		secbuf_owner_flush(&handle->claimer);
}

/**
 * secbuf_ring_handle_release() - the end is gone
 * @handle: freed
 *
 * Context: ->release, may sleep.
 */
void secbuf_ring_handle_release(struct secbuf_ring_handle *handle)
{
	struct secbuf_ring *ring = handle->end->ring;

	/* First what uses the owners, then the owners, which use the ring. */
	secbuf_ring_end_release(handle->end);
	secbuf_owner_detach(&handle->creator);
	if (handle->end->generation)
		secbuf_owner_detach(&handle->claimer);
	secbuf_ring_put(ring);
	kfree(handle);
	secbuf_mmap_file_release();
}

/**
 * secbuf_ring_handle_create() - the calling process owns an end
 * @end: held by nobody
 * @name: of the file
 * @fops: its ->release must call secbuf_ring_handle_release()
 *
 * Context: process, may sleep.
 * Return: the handle, whose file has one reference, or an error pointer.
 */
struct secbuf_ring_handle *
secbuf_ring_handle_create(struct secbuf_ring_end *end, const char *name,
			  const struct file_operations *fops)
{
	struct secbuf_ring_handle *handle;
	int err;

	handle = kzalloc(sizeof(*handle), SECBUF_GFP);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->end = end;
	err = secbuf_owner_attach(&handle->creator, &creator_ops);
	if (err)
		goto out_kfree;
	handle->file = secbuf_mmap_file(name, fops, handle);
	if (IS_ERR(handle->file)) {
		err = PTR_ERR(handle->file);
		goto out_owner;
	}
	/* From here on the file's ->release frees all this. */
	secbuf_ring_end_hold(end, &handle_ops, handle);
	return handle;

out_owner:
	secbuf_owner_detach(&handle->creator);
out_kfree:
	kfree(handle);
	return ERR_PTR(err);
}
