// SPDX-License-Identifier: GPL-2.0
/*
 * What a pool costs in the kernel, beside what one would use without it.
 *
 * Loading measures, which takes seconds and two CPUs; the file
 * secbuf_bench_pool in debugfs then has one line per figure:
 *
 *	name value unit peer peer_value ratio
 *
 * secbuf and peer take turns, one batch each, and the medians are compared.
 * Time is that of the time stamp counter, over a batch, loop included;
 * kpool_loop tells what an empty loop takes.
 *
 * The dirty lines mark as many bytes as their name says, as whoever writes
 * them must, and touch the first and the last; the peer touches the same.
 * Producing the contents would be the same work on both sides and only bring
 * the ratio nearer to 1. Zeroizing is inside, on both sides.
 *
 * The caches of the peers are made like those of secbuf: not merged, not zeroed
 * by the allocator (on a kernel with init_on_alloc=0). They have no
 * SLAB_ACCOUNT, since a pool is charged when a buffer is made, not when it is
 * handed out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <linux/secbuf.h>

#define SIZE_4K		4096
#define SIZE_8K		8192
#define SIZE_SCALE	64

#define ROUNDS		301	/* turns of secbuf and peer */
#define BULK		32	/* buffers of a bulk */
#define RING		256	/* buffers on their way to the other CPU */
#define SIDES		2

static unsigned int live = 1000000;
module_param(live, uint, 0444);
MODULE_PARM_DESC(live, "buffers in use while kpool_scale is measured");

static struct secbuf_pool *pool_4k, *pool_8k, *pool_few, *pool_many;
static struct kmem_cache *cache_4k, *cache_8k;
static mempool_t *mempool_8k;
static struct secbuf *few;
static struct secbuf **many;
static unsigned int nr_many;

/*
 * Batches: @nr operations
 */

static void loop(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		barrier();
}

static __always_inline void secbuf_clean(struct secbuf_pool *pool,
					 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		secbuf_put(secbuf_pool_alloc(pool, GFP_KERNEL));
}

static void secbuf_clean_8k(unsigned int nr)
{
	secbuf_clean(pool_8k, nr);
}

static void secbuf_clean_few(unsigned int nr)
{
	secbuf_clean(pool_few, nr);
}

static void secbuf_clean_many(unsigned int nr)
{
	secbuf_clean(pool_many, nr);
}

static void cache_clean_8k(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		kmem_cache_free(cache_8k,
				kmem_cache_alloc(cache_8k, GFP_KERNEL));
}

static void mempool_clean_8k(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		mempool_free(mempool_alloc(mempool_8k, GFP_KERNEL), mempool_8k);
}

static __always_inline void touch(u8 *p, size_t len)
{
	WRITE_ONCE(p[0], 1);
	WRITE_ONCE(p[len - 1], 1);
}

static void secbuf_dirty_256(unsigned int nr)
{
	struct secbuf *sb;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		sb = secbuf_pool_alloc(pool_8k, GFP_KERNEL);
		touch(secbuf_window(sb, 0, 256), 256);
		secbuf_put(sb);
	}
}

static __always_inline void secbuf_dirty(struct secbuf_pool *pool, size_t size,
					 unsigned int nr)
{
	struct secbuf *sb;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		sb = secbuf_pool_alloc(pool, GFP_KERNEL);
		touch(secbuf_data(sb), size);
		secbuf_put(sb);
	}
}

static void secbuf_dirty_8k(unsigned int nr)
{
	secbuf_dirty(pool_8k, SIZE_8K, nr);
}

static void secbuf_dirty_4k(unsigned int nr)
{
	secbuf_dirty(pool_4k, SIZE_4K, nr);
}

static __always_inline void cache_dirty(size_t len, unsigned int nr)
{
	unsigned int i;
	void *p;

	for (i = 0; i < nr; i++) {
		p = kmem_cache_alloc(cache_8k, GFP_KERNEL);
		touch(p, len);
		memzero_explicit(p, len);
		kmem_cache_free(cache_8k, p);
	}
}

static void cache_dirty_256(unsigned int nr)
{
	cache_dirty(256, nr);
}

static void cache_dirty_8k(unsigned int nr)
{
	cache_dirty(SIZE_8K, nr);
}

static void kmalloc_dirty_4k(unsigned int nr)
{
	unsigned int i;
	void *p;

	for (i = 0; i < nr; i++) {
		p = kmalloc(SIZE_4K, GFP_KERNEL);
		touch(p, SIZE_4K);
		kfree_sensitive(p);
	}
}

static void secbuf_bulk_4k(unsigned int nr)
{
	struct secbuf *bufs[BULK];
	unsigned int i, n;

	for (i = 0; i < nr; i += BULK) {
		n = secbuf_pool_alloc_bulk(pool_4k, GFP_KERNEL, BULK, bufs);
		secbuf_put_bulk(bufs, n);
	}
}

static void cache_bulk_4k(unsigned int nr)
{
	void *objects[BULK];
	unsigned int i;

	for (i = 0; i < nr; i += BULK)
		if (kmem_cache_alloc_bulk(cache_4k, GFP_KERNEL, BULK, objects))
			kmem_cache_free_bulk(cache_4k, BULK, objects);
}

/* The other CPU may need this one, to have its worker created for example. */
static __always_inline void wait_a_bit(void)
{
	cpu_relax();
	cond_resched();
}

/*
 * From CPU to CPU: a slot that is not NULL is full. Each side keeps its index
 * to itself.
 */
static void *ring[RING] ____cacheline_aligned_in_smp;

static __always_inline void ring_put(unsigned int i, void *p)
{
	void **slot = &ring[i % RING];

	while (READ_ONCE(*slot))
		wait_a_bit();
	/* What was written to the object comes first; for ring_get(). */
	smp_store_release(slot, p);
}

static __always_inline void *ring_get(unsigned int i)
{
	void **slot = &ring[i % RING];
	void *p;

	/* Pairs with the release in ring_put(). */
	while (!(p = smp_load_acquire(slot)))
		wait_a_bit();
	WRITE_ONCE(*slot, NULL);
	return p;
}

static void secbuf_send(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		ring_put(i, secbuf_pool_alloc(pool_8k, GFP_KERNEL));
}

static void secbuf_receive(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		secbuf_put(ring_get(i));
}

static void cache_send(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		ring_put(i, kmem_cache_alloc(cache_8k, GFP_KERNEL));
}

static void cache_receive(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		kmem_cache_free(cache_8k, ring_get(i));
}

/*
 * Lines
 */

/**
 * struct batch - something to measure
 * @name: as a peer
 * @first: what the first side does
 * @second: what the other one does at the same time, NULL for nothing. A line
 *          whose first batch has none does without that side
 */
struct batch {
	const char *name;
	void (*first)(unsigned int nr);
	void (*second)(unsigned int nr);
};

/**
 * struct line - one figure
 * @name: of it
 * @throughput: operations per 1000 cycles, not cycles per operation
 * @nr: operations of a side in a batch
 * @batch: secbuf, then the peer, if there is one
 */
struct line {
	const char *name;
	bool throughput;
	unsigned int nr;
	struct batch batch[2];
};

static const struct line lines[] = {
	{ "kpool_loop", false, 2048, {
		{ "empty", loop } } },
	{ "kpool_8k_clean", false, 2048, {
		{ "secbuf", secbuf_clean_8k },
		{ "kmem_cache", cache_clean_8k } } },
	{ "kpool_8k_dirty256", false, 2048, {
		{ "secbuf", secbuf_dirty_256 },
		{ "kmem_cache+memzero", cache_dirty_256 } } },
	{ "kpool_8k_dirty8k", false, 256, {
		{ "secbuf", secbuf_dirty_8k },
		{ "kmem_cache+memzero", cache_dirty_8k } } },
	{ "kpool_8k_vs_mempool", false, 2048, {
		{ "secbuf", secbuf_clean_8k },
		{ "mempool", mempool_clean_8k } } },
	{ "kpool_4k_vs_kfree_sensitive", false, 256, {
		{ "secbuf", secbuf_dirty_4k },
		{ "kfree_sensitive", kmalloc_dirty_4k } } },
	{ "kpool_bulk32_4k", false, 2048, {
		{ "secbuf", secbuf_bulk_4k },
		{ "kmem_cache_bulk", cache_bulk_4k } } },
	{ "kpool_2cpu", true, 8192, {
		{ "secbuf", secbuf_clean_8k, secbuf_clean_8k },
		{ "one_cpu", secbuf_clean_8k } } },
	{ "kpool_remote", false, 8192, {
		{ "secbuf", secbuf_send, secbuf_receive },
		{ "kmem_cache", cache_send, cache_receive } } },
	{ "kpool_scale", false, 2048, {
		{ "secbuf", secbuf_clean_many },
		{ "one_live", secbuf_clean_few } } },
};

/**
 * struct result - cycles of a batch
 * @median: half of the batches took at least as long
 */
struct result {
	u64 median[2];
};

static struct result results[ARRAY_SIZE(lines)];
static struct dentry *results_file;

/*
 * Measuring: one worker on one CPU, or one on each of two
 */

static struct worker {
	struct work_struct work;
	u64 begin;
	u64 end;
} workers[SIDES];

static const struct line *current_line;
static unsigned int nr_workers;
static atomic_t arrivals;
static u64 samples[2][ROUNDS];

static u64 cycles(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc; lfence"
		     : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}

/* All go on when all are here. */
static void meet(unsigned int *meetings)
{
	int all = nr_workers * ++*meetings;

	atomic_inc(&arrivals);
	while (atomic_read(&arrivals) < all)
		wait_a_bit();
}

static u64 measure(struct worker *worker, const struct batch *batch,
		   unsigned int *meetings)
{
	void (*run)(unsigned int nr);

	run = worker == workers ? batch->first : batch->second;
	worker->begin = U64_MAX;
	worker->end = 0;
	meet(meetings);
	if (run) {
		worker->begin = cycles();
		run(current_line->nr);
		worker->end = cycles();
	}
	meet(meetings);
	if (nr_workers == 1)
		return worker->end - worker->begin;
	return max(workers[0].end, workers[1].end) -
	       min(workers[0].begin, workers[1].begin);
}

static void work_fn(struct work_struct *work)
{
	struct worker *worker = container_of(work, struct worker, work);
	unsigned int meetings = 0;
	unsigned int i, turn, peer;
	u64 time;

	/* The first round warms up. */
	for (i = 0; i <= ROUNDS; i++) {
		for (turn = 0; turn < 2; turn++) {
			peer = (i + turn) % 2;
			if (!current_line->batch[peer].name)
				continue;
			time = measure(worker, &current_line->batch[peer],
				       &meetings);
			if (worker == workers && i)
				samples[peer][i - 1] = time;
		}
		cond_resched();
	}
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a;
	u64 y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void measure_line(const struct line *line, struct result *result)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	unsigned int i;

	current_line = line;
	nr_workers = line->batch[0].second ? SIDES : 1;
	atomic_set(&arrivals, 0);
	for (i = 0; i < nr_workers; i++) {
		schedule_work_on(cpu, &workers[i].work);
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	for (i = 0; i < nr_workers; i++)
		flush_work(&workers[i].work);
	for (i = 0; i < 2; i++) {
		sort(samples[i], ROUNDS, sizeof(samples[i][0]), compare, NULL);
		result->median[i] = samples[i][ROUNDS / 2];
	}
}

/*
 * Results
 */

/* Cycles per operation, or operations per 1000 cycles; in hundredths. */
static u64 figure(const struct line *line, const struct result *result,
		  unsigned int peer)
{
	const struct batch *batch = &line->batch[peer];
	u64 nr = (u64)line->nr * (line->throughput && batch->second ? 2 : 1);
	u64 time = max(result->median[peer], 1ULL);

	if (line->throughput)
		return div64_u64(nr * 1000 * 100, time);
	return div64_u64(time * 100, nr);
}

static void show_hundredths(struct seq_file *m, u64 value)
{
	u32 rest;
	u64 whole = div_u64_rem(value, 100, &rest);

	seq_printf(m, " %llu.%02u", whole, rest);
}

static int results_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct line *line = &lines[i];
		u64 value = figure(line, &results[i], 0);
		u64 peer_value = figure(line, &results[i], 1);
		u64 ratio = div64_u64(value * 1000, max(peer_value, 1ULL));

		seq_puts(m, line->name);
		show_hundredths(m, value);
		seq_puts(m, line->throughput ? " op/kcycle" : " cycle");
		if (!line->batch[1].name) {
			seq_puts(m, " - - -\n");
			continue;
		}
		seq_printf(m, " %s", line->batch[1].name);
		show_hundredths(m, peer_value);
		seq_printf(m, " %llu.%03llu\n", ratio / 1000, ratio % 1000);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(results);

/*
 * Pools and caches
 */

static struct secbuf_pool *create_pool(size_t size, unsigned int max)
{
	struct secbuf_pool_params params = {
		.name = "bench",
		.buf_size = size,
		.max = max,
	};
	struct secbuf_pool *pool = secbuf_pool_create(&params);

	return IS_ERR(pool) ? NULL : pool;
}

static struct kmem_cache *create_cache(const char *name, size_t size)
{
	return kmem_cache_create_usercopy(name, size, min(size, PAGE_SIZE), 0,
					  0, size, NULL);
}

static int create_all(void)
{
	pool_4k = create_pool(SIZE_4K, 4096);
	pool_8k = create_pool(SIZE_8K, 4096);
	pool_few = create_pool(SIZE_SCALE, live + 4096);
	pool_many = create_pool(SIZE_SCALE, live + 4096);
	cache_4k = create_cache("secbuf_bench_4k", SIZE_4K);
	cache_8k = create_cache("secbuf_bench_8k", SIZE_8K);
	if (!pool_4k || !pool_8k || !pool_few || !pool_many || !cache_4k ||
	    !cache_8k)
		return -ENOMEM;
	mempool_8k = mempool_create_slab_pool(16, cache_8k);
	few = secbuf_pool_alloc(pool_few, GFP_KERNEL);
	many = vmalloc(array_size(live, sizeof(many[0])));
	if (!mempool_8k || !few || !many)
		return -ENOMEM;
	while (nr_many < live) {
		many[nr_many] = secbuf_pool_alloc(pool_many, GFP_KERNEL);
		if (!many[nr_many])
			return -ENOMEM;
		nr_many++;
		cond_resched();
	}
	return 0;
}

static void destroy_pool(struct secbuf_pool *pool)
{
	if (pool)
		secbuf_pool_destroy(pool);
}

static void destroy_all(void)
{
	while (nr_many) {
		secbuf_put(many[--nr_many]);
		cond_resched();
	}
	vfree(many);
	secbuf_put(few);
	mempool_destroy(mempool_8k);
	kmem_cache_destroy(cache_8k);
	kmem_cache_destroy(cache_4k);
	destroy_pool(pool_many);
	destroy_pool(pool_few);
	destroy_pool(pool_8k);
	destroy_pool(pool_4k);
}

static int __init bench_pool_init(void)
{
	unsigned int i;
	int err;

	if (num_online_cpus() < SIDES) {
		pr_err("two CPUs are needed\n");
		return -ENODEV;
	}
	err = create_all();
	if (err)
		goto out_destroy;
	for (i = 0; i < SIDES; i++)
		INIT_WORK(&workers[i].work, work_fn);
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		measure_line(&lines[i], &results[i]);
	results_file = debugfs_create_file("secbuf_bench_pool", 0444, NULL,
					   NULL, &results_fops);

out_destroy:
	destroy_all();
	return err;
}

static void __exit bench_pool_exit(void)
{
	debugfs_remove(results_file);
}

module_init(bench_pool_init);
module_exit(bench_pool_exit);

MODULE_DESCRIPTION("Benchmarks of secbuf's pools in the kernel");
MODULE_AUTHOR("secbuf maintainers");
MODULE_LICENSE("GPL");
