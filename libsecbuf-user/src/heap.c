// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Heap: a pool for each power of two, opened when it is first needed. All lie in
 * one range of addresses, in windows of one size, so that an address tells the
 * pool.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pool.h"

#define SECBUF_HEAP_SHIFT_MIN	6
#define SECBUF_HEAP_SHIFT_MAX	24
#define SECBUF_HEAP_CLASSES	(SECBUF_HEAP_SHIFT_MAX - SECBUF_HEAP_SHIFT_MIN + 1)
#define SECBUF_HEAP_MAX_DEFAULT	((size_t)64 << 20)
#define SECBUF_HEAP_SLOTS_MAX	((size_t)1 << 20)

/**
 * struct secbuf_heap - pools by class
 * @source: what secbuf_heap_source() returns
 * @ctx: to open pools with
 * @opts: as given
 * @page_size: bytes of a page
 * @range: the addresses of all pools
 * @range_size: bytes
 * @window_shift: binary logarithm of the bytes of one window
 * @pools: those that are open
 * @owned: this is the process that opened the heap; a child finds it 0
 * @lock: to open pools; a child finds it free
 */
struct secbuf_heap {
	struct secbuf_source source;
	struct secbuf_context ctx;
	struct secbuf_heap_opts opts;
	size_t page_size;
	unsigned char *range;
	size_t range_size;
	unsigned int window_shift;
	struct secbuf_pool *pools[SECBUF_HEAP_CLASSES];

	_Alignas(SECBUF_MAP_KEPT) uint32_t owned;
	pthread_mutex_t lock;
};

/* This thread is opening a pool; who interrupts it cannot wait for that. */
static __thread volatile bool secbuf_heap_opening
	__attribute__((tls_model("initial-exec")));

static unsigned int secbuf_heap_class(size_t size)
{
	if (size <= (size_t)1 << SECBUF_HEAP_SHIFT_MIN)
		return 0;
	return 64 - __builtin_clzll(size - 1) - SECBUF_HEAP_SHIFT_MIN;
}

static size_t secbuf_heap_class_size(unsigned int class)
{
	return (size_t)1 << (class + SECBUF_HEAP_SHIFT_MIN);
}

static size_t secbuf_heap_class_slots(const struct secbuf_heap *heap,
				      unsigned int class)
{
	size_t nr = heap->opts.max / secbuf_heap_class_size(class);

	return nr < SECBUF_HEAP_SLOTS_MAX ? nr : SECBUF_HEAP_SLOTS_MAX;
}

/* Bytes from one slot to the next: with guards each has pages of its own. */
static size_t secbuf_heap_stride(const struct secbuf_heap *heap,
				 unsigned int class)
{
	size_t size = secbuf_heap_class_size(class);

	if (!(heap->opts.flags & SECBUF_HEAP_GUARD))
		return size;
	return (size > heap->page_size ? size : heap->page_size) +
	       heap->page_size;
}

/* Room for the largest pool, and to align it. */
static size_t secbuf_heap_window(const struct secbuf_heap *heap)
{
	size_t most = 0, size;
	unsigned int class;

	for (class = 0; class < SECBUF_HEAP_CLASSES; class++) {
		size = secbuf_heap_class_slots(heap, class) *
		       secbuf_heap_stride(heap, class);
		if (size > most)
			most = size;
	}
	return most + SECBUF_HEAP_SIZE_MAX + 3 * heap->page_size;
}

/* Where the slots of a class begin: aligned, with room for what is before. */
static unsigned char *secbuf_heap_where(const struct secbuf_heap *heap,
					unsigned int class)
{
	uintptr_t at = (uintptr_t)heap->range +
		       ((uintptr_t)class << heap->window_shift);
	size_t align = SECBUF_HEAP_SIZE_MAX;

	at += 2 * heap->page_size;
	return (unsigned char *)((at + align - 1) & -align);
}

static int secbuf_heap_open_class(struct secbuf_heap *heap, unsigned int class)
{
	struct secbuf_pool_opts opts = {
		.sz = sizeof(opts),
		.buf_size = secbuf_heap_class_size(class),
		.max = secbuf_heap_class_slots(heap, class),
		.flags = heap->opts.flags,
		.require_protections = heap->opts.require_protections,
	};
	struct secbuf_pool *pool;
	int saved_errno = errno;
	int err;

	err = secbuf_pool_open_at(&pool, &heap->ctx, &opts,
				  secbuf_heap_where(heap, class));
	if (!err)
		secbuf_set_release(heap->pools[class], pool);
	errno = saved_errno;
	return err;
}

/* The pool of a class; opens it if there is none. */
static int secbuf_heap_pool(struct secbuf_heap *heap, unsigned int class,
			    struct secbuf_pool **out)
{
	int err = 0, state;

	*out = secbuf_get_acquire(heap->pools[class]);
	if (likely(*out))
		return 0;
	if (!secbuf_get(heap->owned))
		return -EOWNERDEAD;
	if (secbuf_heap_opening)
		return -EBUSY;
	secbuf_heap_opening = true;
	/* Opening a pool calls close() when it fails. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_mutex_lock(&heap->lock);
	if (!heap->pools[class])
		err = secbuf_heap_open_class(heap, class);
	*out = heap->pools[class];
	pthread_mutex_unlock(&heap->lock);
	pthread_setcancelstate(state, NULL);
	secbuf_heap_opening = false;
	return err;
}

/* The pool that has @ptr, or NULL. */
static struct secbuf_pool *secbuf_heap_find(struct secbuf_heap *heap,
					    const void *ptr)
{
	uintptr_t offset = (uintptr_t)ptr - (uintptr_t)heap->range;

	if (offset >= heap->range_size)
		return NULL;
	return secbuf_get_acquire(heap->pools[offset >> heap->window_shift]);
}

int secbuf_heap_alloc(struct secbuf_heap *heap, size_t size, void **out)
{
	struct secbuf_pool *pool;
	unsigned int class;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!heap || !size)
		return -EINVAL;
	if (size > SECBUF_HEAP_SIZE_MAX)
		return -EMSGSIZE;
	class = secbuf_heap_class(size);
	do {
		err = secbuf_heap_pool(heap, class, &pool);
		if (!err)
			err = secbuf_pool_alloc(pool, out);
	} while (err == -ENOSPC && ++class < SECBUF_HEAP_CLASSES);
	return err;
}

int secbuf_heap_aligned_alloc(struct secbuf_heap *heap, size_t alignment,
			      size_t size, void **out)
{
	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!alignment || alignment & (alignment - 1) ||
	    alignment > SECBUF_HEAP_SIZE_MAX || !size)
		return -EINVAL;
	/* With guards a slot is aligned to no more than a page. */
	if (heap && heap->opts.flags & SECBUF_HEAP_GUARD &&
	    alignment > heap->page_size)
		return -EINVAL;
	return secbuf_heap_alloc(heap, size > alignment ? size : alignment,
				 out);
}

int secbuf_heap_free(struct secbuf_heap *heap, void *ptr)
{
	struct secbuf_pool *pool;

	if (!ptr)
		return 0;
	if (!heap)
		return -EINVAL;
	pool = secbuf_heap_find(heap, ptr);
	return pool ? secbuf_pool_free(pool, ptr) : -EINVAL;
}

size_t secbuf_heap_usable_size(struct secbuf_heap *heap, const void *ptr)
{
	struct secbuf_pool *pool = heap ? secbuf_heap_find(heap, ptr) : NULL;
	uint64_t id;

	if (!pool || secbuf_pool_find_out(pool, ptr, &id))
		return 0;
	return pool->slot_size;
}

/*
 * Bytes are copied by general registers: those of vectors would keep them until
 * something else comes along, and be saved with the thread.
 */
static void secbuf_heap_copy(void *to, const void *from, size_t len)
{
#ifdef __x86_64__
	__asm__ volatile("rep movsb"
			 : "+D" (to), "+S" (from), "+c" (len) : : "memory");
#else
	volatile uint64_t *words = to;
	const volatile uint64_t *source = from;

	/* Both are multiples of 64 bytes long. */
	for (len = (len + 7) / 8; len; len--)
		*words++ = *source++;
#endif
}

int secbuf_heap_realloc(struct secbuf_heap *heap, void **ptr, size_t size)
{
	struct secbuf_pool *pool;
	uint64_t id;
	void *moved;
	int err;

	if (!ptr)
		return -EINVAL;
	if (!*ptr)
		return secbuf_heap_alloc(heap, size, ptr);
	if (!heap || !size)
		return -EINVAL;
	pool = secbuf_heap_find(heap, *ptr);
	err = pool ? secbuf_pool_find_out(pool, *ptr, &id) : -EINVAL;
	if (err)
		return err;
	if (size <= pool->slot_size &&
	    (size > pool->slot_size / 2 || !secbuf_heap_class(pool->slot_size))) {
		secbuf_memory_zeroize((char *)*ptr + size,
				      pool->slot_size - size);
		return 0;
	}
	err = secbuf_heap_alloc(heap, size, &moved);
	if (err)
		return err;
	secbuf_heap_copy(moved, *ptr,
			 size < pool->slot_size ? size : pool->slot_size);
	err = secbuf_pool_free(pool, *ptr);
	*ptr = moved;
	return err == -EUCLEAN ? err : 0;
}

int secbuf_heap_flush(struct secbuf_heap *heap)
{
	struct secbuf_pool *pool;
	unsigned int class;
	int err = 0;

	if (!heap)
		return -EINVAL;
	if (!secbuf_get(heap->owned))
		return -EOWNERDEAD;
	for (class = 0; class < SECBUF_HEAP_CLASSES && !err; class++) {
		pool = secbuf_get_acquire(heap->pools[class]);
		if (pool)
			err = secbuf_pool_flush(pool);
	}
	return err;
}

static void secbuf_heap_add_stats(struct secbuf_pool_stats_args *sum,
				  const struct secbuf_pool_stats_args *stats)
{
	sum->out_max_slots += stats->out_max_slots;
	sum->out_in_use += stats->out_in_use;
	sum->out_peak += stats->out_peak;
	sum->out_allocated += stats->out_allocated;
	sum->out_available += stats->out_available;
	sum->out_acquired += stats->out_acquired;
	sum->out_returned += stats->out_returned;
	sum->out_failures += stats->out_failures;
	sum->out_magazine_hits += stats->out_magazine_hits;
	sum->out_depot_hits += stats->out_depot_hits;
	sum->out_misses += stats->out_misses;
	sum->out_bytes += stats->out_bytes;
	sum->out_bytes_zeroized += stats->out_bytes_zeroized;
}

int secbuf_heap_get_stats(struct secbuf_heap *heap,
			  struct secbuf_pool_stats_args *out)
{
	struct secbuf_pool_stats_args sum = { .size = sizeof(sum) }, stats;
	struct secbuf_pool *pool;
	unsigned int class;
	int err;

	if (!heap || !out)
		return -EINVAL;
	if (!secbuf_get(heap->owned))
		return -EOWNERDEAD;
	for (class = 0; class < SECBUF_HEAP_CLASSES; class++) {
		pool = secbuf_get_acquire(heap->pools[class]);
		if (!pool)
			continue;
		err = secbuf_pool_get_stats(pool, &stats);
		if (err)
			return err;
		secbuf_heap_add_stats(&sum, &stats);
	}
	*out = sum;
	return 0;
}

static int secbuf_heap_source_alloc(struct secbuf_source *source, size_t size,
				    void **out, size_t *got)
{
	struct secbuf_heap *heap = (struct secbuf_heap *)source;
	void *ptr;
	int err;

	err = secbuf_heap_alloc(heap, size ?: 1, &ptr);
	if (err)
		return err;
	*out = ptr;
	*got = secbuf_heap_find(heap, ptr)->slot_size;
	return 0;
}

static void secbuf_heap_source_free(struct secbuf_source *source, void *ptr,
				    size_t dirty)
{
	struct secbuf_heap *heap = (struct secbuf_heap *)source;
	struct secbuf_pool *pool = secbuf_heap_find(heap, ptr);

	if (pool)
		secbuf_pool_source_ops.free(&pool->source, ptr, dirty);
}

static const struct secbuf_source_ops secbuf_heap_source_ops = {
	.alloc	= secbuf_heap_source_alloc,
	.free	= secbuf_heap_source_free,
};

struct secbuf_source *secbuf_heap_source(struct secbuf_heap *heap)
{
	return heap ? &heap->source : NULL;
}

static int secbuf_heap_init(struct secbuf_heap *heap,
			    const struct secbuf_context *ctx,
			    const struct secbuf_heap_opts *opts)
{
	struct secbuf_info_args info = { 0 };
	size_t window;
	int err;

	heap->source.ops = &secbuf_heap_source_ops;
	heap->opts = *opts;
	heap->opts.max = opts->max ?: SECBUF_HEAP_MAX_DEFAULT;
	heap->page_size = sysconf(_SC_PAGESIZE);
	heap->owned = 1;
	err = secbuf_ioctl_info(ctx->fd, &info);
	if (err)
		return err;
	if (opts->require_protections & ~info.out_protections)
		return -EOPNOTSUPP;
	if (heap->opts.max < SECBUF_HEAP_SIZE_MAX ||
	    heap->opts.max > info.out_pool_size_max)
		return -EINVAL;

	window = secbuf_heap_window(heap);
	heap->window_shift = 64 - __builtin_clzll(window - 1);
	heap->range_size = SECBUF_HEAP_CLASSES * ((size_t)1 << heap->window_shift);
	heap->range = mmap(NULL, heap->range_size, PROT_NONE, MAP_PRIVATE |
			   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (heap->range == MAP_FAILED)
		return -errno;
	heap->ctx.batch_max = ctx->batch_max;
	heap->ctx.fd = fcntl(ctx->fd, F_DUPFD_CLOEXEC, 0);
	if (heap->ctx.fd >= 0)
		return 0;
	err = -errno;
	munmap(heap->range, heap->range_size);
	return err;
}

int secbuf_heap_open(struct secbuf_heap **out, struct secbuf_context *ctx,
		     const struct secbuf_heap_opts *opts)
{
	struct secbuf_heap_opts copy;
	struct secbuf_heap *heap;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!ctx)
		return -EINVAL;
	err = secbuf_opts_read(&copy, sizeof(copy), opts);
	if (err)
		return err;
	if (copy.reserved)
		return -EINVAL;
	if (copy.flags & ~SECBUF_HEAP_GUARD)
		return -EOPNOTSUPP;
	heap = secbuf_map_private(sizeof(*heap), SECBUF_MAP_KEPT);
	err = heap ? secbuf_heap_init(heap, ctx, &copy) : -ENOMEM;
	if (!err)
		*out = heap;
	else if (heap)
		munmap(heap, sizeof(*heap));
	errno = saved_errno;
	return err;
}

/*
 * A child does not have what came from the pools. What is in its place by now, if
 * anything, is somebody else's.
 */
static void secbuf_heap_unmap_child(struct secbuf_heap *heap)
{
	unsigned char *from = heap->range;
	unsigned int class;
	size_t page = heap->page_size;
	struct secbuf_map *map;

	for (class = 0; class < SECBUF_HEAP_CLASSES; class++) {
		if (!heap->pools[class])
			continue;
		map = &heap->pools[class]->map;
		munmap(from, map->base - from);
		munmap(map->base + page, page);
		from = map->slots + map->slots_size;
	}
	munmap(from, heap->range + heap->range_size - from);
}

void secbuf_heap_close(struct secbuf_heap *heap)
{
	int saved_errno = errno;
	unsigned int class;
	bool child;

	if (!heap)
		return;
	child = !secbuf_get(heap->owned);
	if (child)
		secbuf_heap_unmap_child(heap);
	for (class = 0; class < SECBUF_HEAP_CLASSES; class++)
		secbuf_pool_close(heap->pools[class]);
	if (!child)
		munmap(heap->range, heap->range_size);
	close(heap->ctx.fd);
	munmap(heap, sizeof(*heap));
	errno = saved_errno;
}
