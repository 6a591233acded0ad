// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Processes: a child of fork() has nothing of what its parent keeps and harms
 * none of it, one that shares the address space is like a thread.
 */
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		64
#define BUF_SIZE	4096

FIXTURE(process) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	struct secbuf_heap *heap;
	void *buf;
	void *memory;
	bool stop;
};

FIXTURE_SETUP(process)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);
	void *bufs[NR_BUFS / 4];
	int i;

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
	ASSERT_EQ(0, secbuf_heap_open(&self->heap, self->ctx, NULL));
	ASSERT_EQ(0, secbuf_heap_alloc(self->heap, 100, &self->memory));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &self->buf));
	memset(self->buf, 0xa5, BUF_SIZE);
	self->stop = false;
	/* Some are at hand. */
	ASSERT_EQ(NR_BUFS / 4, secbuf_pool_alloc_batch(self->pool, bufs,
						       NR_BUFS / 4));
	for (i = 0; i < NR_BUFS / 4; i++)
		ASSERT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
}

FIXTURE_TEARDOWN(process)
{
	unsigned char kept[BUF_SIZE];

	memset(kept, 0xa5, sizeof(kept));
	EXPECT_EQ(0, memcmp(self->buf, kept, BUF_SIZE));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, self->buf));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, self->buf));
	EXPECT_EQ(0, secbuf_heap_free(self->heap, self->memory));
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
	secbuf_heap_close(self->heap);
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

static int child_gets_nothing(FIXTURE_DATA(process) *self)
{
	struct secbuf_pool_stats_args stats;
	void *bufs[2] = { self->buf, NULL }, *buf;
	int nr = 0;

	nr += secbuf_pool_alloc(self->pool, &buf) == -EOWNERDEAD && !buf;
	nr += secbuf_pool_free(self->pool, self->buf) == -EOWNERDEAD;
	nr += secbuf_pool_free(self->pool, &stats) == -EOWNERDEAD;
	nr += secbuf_pool_alloc_batch(self->pool, bufs + 1, 1) == -EOWNERDEAD;
	nr += secbuf_pool_free_batch(self->pool, bufs, 1) == -EOWNERDEAD;
	nr += secbuf_pool_flush(self->pool) == -EOWNERDEAD;
	nr += secbuf_pool_prefill(self->pool, 1) == -EOWNERDEAD;
	nr += secbuf_pool_shrink(self->pool, 1) == -EOWNERDEAD;
	nr += secbuf_pool_get_stats(self->pool, &stats) == -EOWNERDEAD;
	nr += secbuf_heap_alloc(self->heap, 100, &buf) == -EOWNERDEAD && !buf;
	nr += secbuf_heap_alloc(self->heap, 5000, &buf) == -EOWNERDEAD;
	nr += secbuf_heap_free(self->heap, self->memory) == -EOWNERDEAD;
	nr += secbuf_heap_realloc(self->heap, &self->memory,
				  200) == -EOWNERDEAD;
	nr += secbuf_heap_usable_size(self->heap, self->memory) == 0;
	nr += secbuf_heap_flush(self->heap) == -EOWNERDEAD;
	nr += secbuf_heap_get_stats(self->heap, &stats) == -EOWNERDEAD;
	return nr == 16 ? 0 : nr + 1;
}

TEST_F(process, fork_has_nothing)
{
	EXPECT_EQ(0, in_child(child_gets_nothing, self));
}

/* Its own pool has the place that the parent's has there. */
static int child_opens_its_own(FIXTURE_DATA(process) *self)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	void *mine, *buf;

	if (secbuf_open(&ctx, NULL) || secbuf_pool_open(&pool, ctx, &opts))
		return 1;
	if (secbuf_pool_alloc(pool, &mine) || !is_zero(mine, BUF_SIZE))
		return 2;
	memset(mine, 0x5a, BUF_SIZE);
	if (secbuf_pool_free(pool, mine) || secbuf_pool_alloc(pool, &mine) ||
	    !is_zero(mine, BUF_SIZE))
		return 3;
	if (secbuf_pool_alloc(self->pool, &buf) != -EOWNERDEAD)
		return 4;
	if (secbuf_pool_free(self->pool, mine) != -EOWNERDEAD)
		return 5;
	if (secbuf_pool_free(pool, self->buf) != -EINVAL)
		return 6;
	secbuf_heap_close(self->heap);
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
	if (secbuf_pool_free(pool, mine) || secbuf_pool_flush(pool) ||
	    granted(pool))
		return 7;
	secbuf_pool_close(pool);
	return 0;
}

TEST_F(process, fork_opens_its_own)
{
	EXPECT_EQ(0, in_child(child_opens_its_own, self));
}

static int child_of_a_child(FIXTURE_DATA(process) *self)
{
	return in_child(child_opens_its_own, self);
}

TEST_F(process, fork_twice)
{
	EXPECT_EQ(0, in_child(child_of_a_child, self));
}

/* Closing a heap leaves what others have mapped in its place by then. */
static int child_closes_heap(FIXTURE_DATA(process) *self)
{
	char *page = (char *)((uintptr_t)self->memory & -4096UL);
	char *mine = mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			  MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

#ifdef FAKE
	return 0;
#endif
	if (mine != page)
		return 1;
	mine[0] = 1;
	secbuf_heap_close(self->heap);
	if (probe(mine))
		return 2;
	/* But not what was its own. */
	return probe(mine - 4096) == SIGSEGV ? 0 : 3;
}

TEST_F(process, fork_closes_a_heap)
{
	EXPECT_EQ(0, in_child(child_closes_heap, self));
}

static void *flush_all_the_time(void *arg)
{
	FIXTURE_DATA(process) *self = arg;
	struct secbuf_pool_stats_args stats;
	void *buf;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		if (!secbuf_pool_alloc(self->pool, &buf))
			secbuf_pool_free(self->pool, buf);
		secbuf_pool_flush(self->pool);
		secbuf_pool_get_stats(self->pool, &stats);
	}
	return NULL;
}

/* Whatever another thread is doing, locks included. */
TEST_F(process, fork_while_another_thread_is_at_it)
{
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, flush_all_the_time, self));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, in_child(child_opens_its_own, self));
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* The parent waits meanwhile; to the library it is the same thread. */
TEST_F(process, vfork)
{
	void *volatile buf = NULL;
	void *mine;
	int status;
	pid_t pid;

	pid = vfork();
	if (!pid) {
		mine = NULL;
		if (secbuf_pool_alloc(self->pool, &mine) ||
		    !is_zero(mine, BUF_SIZE))
			_exit(1);
		*(char *)mine = 1;
		buf = mine;
		_exit(0);
	}
	ASSERT_LT(0, pid);
	waitpid(pid, &status, 0);
#ifndef FAKE
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, probe(buf));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
#else
	secbuf_pool_free(self->pool, buf);
#endif
}

TEST_F(process, posix_spawn)
{
	char *const argv[] = { "true", NULL };
	char *const envp[] = { NULL };
	int status, i;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		void *buf;

		ASSERT_EQ(0, posix_spawn(&pid, "/bin/true", NULL, NULL, argv,
					 envp));
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
		EXPECT_TRUE(is_zero(buf, BUF_SIZE));
		memset(buf, 0x5a, BUF_SIZE);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
	}
}

/* A program that is started finds no descriptor. */
static int exec_finds_no_descriptors(FIXTURE_DATA(process) *self)
{
	char script[128];

	snprintf(script, sizeof(script),
		 "! [ -e /proc/self/fd/%d ] && ! [ -e /proc/self/fd/%d ]",
		 secbuf_fd(self->ctx), secbuf_pool_fd(self->pool));
	execl("/bin/sh", "sh", "-c", script, NULL);
	return 1;
}

TEST_F(process, exec)
{
	EXPECT_EQ(0, in_child(exec_finds_no_descriptors, self));
}

TEST_HARNESS_MAIN
