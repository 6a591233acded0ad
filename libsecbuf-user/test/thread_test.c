// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Threads that share pools: what one keeps at hand is there for the others, goes
 * back when it ends, and nothing is handed out twice.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		96
#define BUF_SIZE	256
#define NR_THREADS	8

/* What a thread alone may keep: one, and two magazines. */
#define NR_KEPT		(NR_BUFS / 2 - 1)

FIXTURE(threads) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	pthread_barrier_t barrier;
	unsigned int failures;
};

FIXTURE_SETUP(threads)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
	pthread_barrier_init(&self->barrier, NULL, 2);
	self->failures = 0;
}

FIXTURE_TEARDOWN(threads)
{
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

/* Parks as much as it may. */
static void fill_cache(struct secbuf_pool *pool)
{
	void *bufs[NR_KEPT];
	int i, nr;

	nr = secbuf_pool_alloc_batch(pool, bufs, NR_KEPT);
	for (i = 0; i < nr; i++)
		secbuf_pool_free(pool, bufs[i]);
}

static void *park_and_wait(void *arg)
{
	FIXTURE_DATA(threads) *self = arg;

	fill_cache(self->pool);
	pthread_barrier_wait(&self->barrier);
	pthread_barrier_wait(&self->barrier);
	/* What others took is not missed. */
	fill_cache(self->pool);
	return NULL;
}

TEST_F(threads, slots_stay_at_hand)
{
	struct secbuf_pool_stats_args stats;
	void *buf;
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
		EXPECT_TRUE(is_zero(buf, BUF_SIZE));
		memset(buf, 0xa5, BUF_SIZE);
		ASSERT_EQ(0, secbuf_pool_free(self->pool, buf));
	}
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(100, stats.out_acquired);
	EXPECT_EQ(100, stats.out_returned);
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_LE(99, stats.out_magazine_hits);
	EXPECT_EQ(100, stats.out_magazine_hits + stats.out_depot_hits +
		       stats.out_misses);
	EXPECT_LE(1, granted(self->pool));
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(100, stats.out_acquired);
	EXPECT_EQ(100, stats.out_returned);
}

/* System calls stay few when 100 are out at a time. */
TEST_F(threads, bursts_make_few_calls)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(64, 1000);
	struct secbuf_pool_stats_args before = { 0 }, after = { 0 };
	struct secbuf_pool *pool;
	void *bufs[100];
	int i, j;

	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
	for (i = 0; i < 1000; i++) {
		for (j = 0; j < 100; j++)
			ASSERT_EQ(0, secbuf_pool_alloc(pool, &bufs[j]));
		for (j = 0; j < 100; j++)
			ASSERT_EQ(0, secbuf_pool_free(pool, bufs[j]));
		if (i == 10)
			secbuf_ioctl_pool_stats(secbuf_pool_fd(pool), &before);
	}
	secbuf_ioctl_pool_stats(secbuf_pool_fd(pool), &after);
	EXPECT_EQ(before.out_acquired, after.out_acquired);
	EXPECT_EQ(before.out_returned, after.out_returned);
	secbuf_pool_close(pool);
}

TEST_F(threads, a_thread_that_ends_gives_back)
{
	struct secbuf_pool_stats_args stats;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, park_and_wait, self));
	pthread_barrier_wait(&self->barrier);
	EXPECT_EQ(NR_KEPT, granted(self->pool));
	pthread_barrier_wait(&self->barrier);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, granted(self->pool));
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(2 * NR_KEPT, stats.out_acquired);
	EXPECT_EQ(2 * NR_KEPT, stats.out_returned);
}

TEST_F(threads, flush_reaches_a_thread_that_sleeps)
{
	struct secbuf_pool_stats_args stats;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, park_and_wait, self));
	pthread_barrier_wait(&self->barrier);
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
	pthread_barrier_wait(&self->barrier);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, granted(self->pool));
}

TEST_F(threads, all_of_the_pool_can_be_had)
{
	void *bufs[NR_BUFS], *buf;
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, park_and_wait, self));
	pthread_barrier_wait(&self->barrier);
	for (i = 0; i < NR_BUFS; i++)
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &bufs[i]));
	EXPECT_EQ(-ENOSPC, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(NR_BUFS, secbuf_pool_free_batch(self->pool, bufs, NR_BUFS));
	pthread_barrier_wait(&self->barrier);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
}

TEST_F(threads, all_of_the_pool_can_be_had_in_one_batch)
{
	void *bufs[NR_BUFS + 1];
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, park_and_wait, self));
	pthread_barrier_wait(&self->barrier);
	fill_cache(self->pool);
	EXPECT_EQ(NR_BUFS, secbuf_pool_alloc_batch(self->pool, bufs,
						   NR_BUFS + 1));
	EXPECT_EQ(-ENOSPC, secbuf_pool_alloc_batch(self->pool, bufs + NR_BUFS,
						   1));
	EXPECT_EQ(NR_BUFS, secbuf_pool_free_batch(self->pool, bufs, NR_BUFS));
	pthread_barrier_wait(&self->barrier);
	pthread_join(thread, NULL);
}

/* A conn gets its buffers from the kernel, which does not ask threads. */
TEST_F(threads, a_conn_gets_what_threads_keep)
{
	void *bufs[NR_BUFS / 2], *buf;
	struct secbuf_conn *conn;
	pthread_t thread;

	if (secbuf_conn_open(&conn, self->ctx, self->pool, NULL) == -ENOTTY)
		SKIP(return, "no conns here");
	ASSERT_EQ(0, pthread_create(&thread, NULL, park_and_wait, self));
	pthread_barrier_wait(&self->barrier);
	ASSERT_EQ(NR_BUFS / 2, secbuf_pool_alloc_batch(self->pool, bufs,
						       NR_BUFS / 2));
	fill_cache(self->pool);
	EXPECT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buf));
	EXPECT_EQ(-EBUSY, secbuf_pool_free(self->pool, buf));
	secbuf_conn_close(conn);
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, buf));
	pthread_barrier_wait(&self->barrier);
	pthread_join(thread, NULL);
}

static void *park_when_all_are_there(void *arg)
{
	FIXTURE_DATA(threads) *self = arg;

	fill_cache(self->pool);
	pthread_barrier_wait(&self->barrier);
	return park_and_wait(arg);
}

/* However many threads there are, half of the pool is not kept by them. */
TEST_F(threads, half_is_not_kept)
{
	pthread_t threads[NR_THREADS];
	int i;

	pthread_barrier_init(&self->barrier, NULL, NR_THREADS + 1);
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    park_when_all_are_there, self));
	pthread_barrier_wait(&self->barrier);
	pthread_barrier_wait(&self->barrier);
	EXPECT_GE(NR_BUFS / 2, granted(self->pool));
	pthread_barrier_wait(&self->barrier);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, granted(self->pool));
}

struct worker {
	FIXTURE_DATA(threads) *fixture;
	unsigned int seed;
	unsigned long allocs;
};

#define ROUNDS	20000

/* Each writes its mark everywhere, and finds it again. */
static void *churn(void *arg)
{
	struct worker *worker = arg;
	struct secbuf_pool *pool = worker->fixture->pool;
	unsigned int failures = 0;
	void *bufs[8] = { NULL };
	unsigned long mark;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		j = rand_r(&worker->seed) % 8;
		mark = (uintptr_t)worker + j;
		if (bufs[j]) {
			failures += memcmp(bufs[j], &mark, sizeof(mark)) != 0;
			failures += secbuf_pool_free(pool, bufs[j]) != 0;
			bufs[j] = NULL;
		} else if (!secbuf_pool_alloc(pool, &bufs[j])) {
			failures += !is_zero(bufs[j], BUF_SIZE);
			memcpy(bufs[j], &mark, sizeof(mark));
			worker->allocs++;
		} else {
			failures++;
		}
		if (i % 1000 == 500)
			secbuf_pool_flush(pool);
	}
	for (j = 0; j < 8; j++)
		secbuf_pool_free(pool, bufs[j]);
	__atomic_add_fetch(&worker->fixture->failures, failures,
			   __ATOMIC_RELAXED);
	return NULL;
}

TEST_F(threads, counters_balance)
{
	struct worker workers[NR_THREADS];
	struct secbuf_pool_stats_args stats;
	pthread_t threads[NR_THREADS];
	unsigned long allocs = 0;
	int i;

	for (i = 0; i < NR_THREADS; i++) {
		workers[i] = (struct worker) { self, i + 1, 0 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churn,
					    &workers[i]));
	}
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
		EXPECT_EQ(stats.out_in_use,
			  stats.out_acquired - stats.out_returned);
		EXPECT_GE(NR_BUFS, stats.out_in_use);
		usleep(1000);
	}
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], NULL);
		allocs += workers[i].allocs;
	}
	EXPECT_EQ(0, self->failures);
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(allocs, stats.out_acquired);
	EXPECT_EQ(allocs, stats.out_returned);
	EXPECT_EQ(allocs, stats.out_magazine_hits + stats.out_depot_hits +
			  stats.out_misses);
	EXPECT_EQ(0, granted(self->pool));
}

/* One slot at a time from hand to hand. */
struct queue {
	FIXTURE_DATA(threads) *fixture;
	void *slots[16];
	unsigned int head;
	unsigned int tail;
};

static void *consume(void *arg)
{
	struct queue *queue = arg;
	unsigned int failures = 0;
	unsigned int i;
	void *slot;

	for (i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&queue->head, __ATOMIC_ACQUIRE) == i)
			sched_yield();
		slot = queue->slots[i % 16];
		__atomic_store_n(&queue->tail, i + 1, __ATOMIC_RELEASE);
		failures += *(unsigned int *)slot != i;
		failures += secbuf_pool_free(queue->fixture->pool, slot) != 0;
	}
	__atomic_add_fetch(&queue->fixture->failures, failures,
			   __ATOMIC_RELAXED);
	return NULL;
}

static void *produce(void *arg)
{
	struct queue *queue = arg;
	unsigned int failures = 0;
	unsigned int i;
	void *slot;

	for (i = 0; i < ROUNDS; i++) {
		while (i - __atomic_load_n(&queue->tail,
					   __ATOMIC_ACQUIRE) >= 16)
			sched_yield();
		while (secbuf_pool_alloc(queue->fixture->pool, &slot))
			failures++;
		failures += !is_zero(slot, BUF_SIZE);
		*(unsigned int *)slot = i;
		queue->slots[i % 16] = slot;
		__atomic_store_n(&queue->head, i + 1, __ATOMIC_RELEASE);
	}
	__atomic_add_fetch(&queue->fixture->failures, failures,
			   __ATOMIC_RELAXED);
	return NULL;
}

TEST_F(threads, from_producers_to_consumers)
{
	struct queue queues[2] = { { .fixture = self }, { .fixture = self } };
	pthread_t threads[4];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&threads[2 * i], NULL, consume,
					    &queues[i]));
		ASSERT_EQ(0, pthread_create(&threads[2 * i + 1], NULL, produce,
					    &queues[i]));
	}
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, self->failures);
	EXPECT_EQ(0, granted(self->pool));
}

/* Pools come and go while threads that have used them stay. */
static void *visit(void *arg)
{
	FIXTURE_DATA(threads) *self = arg;
	int i;

	for (i = 0; i < 50; i++) {
		pthread_barrier_wait(&self->barrier);
		fill_cache(self->pool);
		pthread_barrier_wait(&self->barrier);
	}
	return NULL;
}

TEST_F(threads, pools_come_and_go)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);
	struct secbuf_pool *pools[3];
	pthread_t thread;
	void *buf;
	int i, j;

	secbuf_pool_close(self->pool);
	ASSERT_EQ(0, pthread_create(&thread, NULL, visit, self));
	for (i = 0; i < 50; i++) {
		for (j = 0; j < 3; j++)
			ASSERT_EQ(0, secbuf_pool_open(&pools[j], self->ctx,
						      &opts));
		self->pool = pools[i % 3];
		pthread_barrier_wait(&self->barrier);
		fill_cache(pools[(i + 1) % 3]);
		pthread_barrier_wait(&self->barrier);
		for (j = 0; j < 3; j++) {
			ASSERT_EQ(0, secbuf_pool_alloc(pools[j], &buf));
			EXPECT_TRUE(is_zero(buf, BUF_SIZE));
			memset(buf, 0xa5, BUF_SIZE);
			EXPECT_EQ(-EINVAL,
				  secbuf_pool_free(pools[(j + 1) % 3], buf));
		}
		for (j = 0; j < 3; j++)
			secbuf_pool_close(pools[j]);
	}
	self->pool = NULL;
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
