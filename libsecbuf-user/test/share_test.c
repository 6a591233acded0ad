// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What only the module can do: pools that several processes share, pages that
 * fault, memory that it asks for.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		32
#define BUF_SIZE	4096

FIXTURE(share) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	int to_child[2];
	int to_parent[2];
	uint64_t id;
};

FIXTURE_SETUP(share)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts), .buf_size = BUF_SIZE, .max = NR_BUFS,
		.flags = SECBUF_POOL_PASSABLE,
	};

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
	ASSERT_EQ(0, pipe(self->to_child));
	ASSERT_EQ(0, pipe(self->to_parent));
}

FIXTURE_TEARDOWN(share)
{
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

static bool send_id(int fd, uint64_t id)
{
	return write(fd, &id, sizeof(id)) == sizeof(id);
}

static bool receive_id(int fd, uint64_t *id)
{
	return read(fd, id, sizeof(*id)) == sizeof(*id);
}

/* Reads what the parent wrote, writes something of its own, and waits. */
static int member(FIXTURE_DATA(share) *self)
{
	struct secbuf_pool_stats_args stats;
	struct secbuf_pool *pool;
	char *theirs, *mine;
	uint64_t id;

	if (secbuf_pool_attach(&pool, secbuf_pool_fd(self->pool)))
		return 1;
	secbuf_pool_close(self->pool);
	if (secbuf_pool_buf_size(pool) != BUF_SIZE)
		return 2;
	if (secbuf_pool_at(pool, self->id, (void **)&theirs) ||
	    strcmp(theirs, "from the parent"))
		return 3;
	/* It remains the other's. */
	if (secbuf_pool_free(pool, theirs) != -ENOENT)
		return 4;
	if (secbuf_pool_alloc(pool, (void **)&mine) || mine == theirs ||
	    !is_zero(mine, BUF_SIZE))
		return 5;
	strcpy(mine, "from the child");
	if (secbuf_pool_get_stats(pool, &stats) || stats.out_in_use != 1)
		return 6;
	if (secbuf_pool_id(pool, mine, &id) ||
	    !send_id(self->to_parent[1], id) ||
	    !receive_id(self->to_child[0], &id))
		return 7;
	/* Dies with one that is out, and some at hand. */
	secbuf_pool_prefill(pool, 4);
	return 0;
}

TEST_F(share, two_processes)
{
	struct secbuf_pool_stats_args stats;
	char *mine, *theirs;
	void *bufs[NR_BUFS];
	int status;
	uint64_t id;
	pid_t pid;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, (void **)&mine));
	strcpy(mine, "from the parent");
	ASSERT_EQ(0, secbuf_pool_id(self->pool, mine, &self->id));
	pid = fork();
	if (!pid)
		_exit(member(self));
	close(self->to_parent[1]);
	if (receive_id(self->to_parent[0], &id)) {
		EXPECT_EQ(0, secbuf_pool_at(self->pool, id, (void **)&theirs));
		EXPECT_STREQ("from the child", theirs);
		EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, theirs));
		send_id(self->to_child[1], 0);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_STREQ("from the parent", mine);

	/* All that the child had can be had now. */
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(1, stats.out_in_use);
	ASSERT_EQ(NR_BUFS - 1, secbuf_pool_alloc_batch(self->pool, bufs,
						       NR_BUFS));
	for (int i = 0; i < NR_BUFS - 1; i++)
		EXPECT_TRUE(is_zero(bufs[i], BUF_SIZE));
	EXPECT_EQ(NR_BUFS - 1, secbuf_pool_free_batch(self->pool, bufs,
						      NR_BUFS - 1));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, mine));
}

TEST_F(share, attach_twice_in_one_process)
{
	struct secbuf_pool_info_args info;
	struct secbuf_pool *second;
	void *a, *b;

	ASSERT_EQ(0, secbuf_pool_attach(&second, secbuf_pool_fd(self->pool)));
	EXPECT_EQ(FD_CLOEXEC, fcntl(secbuf_pool_fd(second), F_GETFD));
	ASSERT_EQ(0, secbuf_pool_get_info(second, &info));
	EXPECT_EQ(SECBUF_POOL_F_MAPPED | SECBUF_POOL_F_PASSABLE,
		  info.out_flags);
	EXPECT_EQ(NR_BUFS, info.out_max_slots);
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &a));
	ASSERT_EQ(0, secbuf_pool_alloc(second, &b));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(second, a));
	EXPECT_EQ(0, secbuf_pool_free(second, b));
	secbuf_pool_close(second);
	EXPECT_EQ(0, secbuf_pool_free(self->pool, a));
}

TEST_F(share, attach_errors)
{
	struct secbuf_pool *pool, *none = (void *)self;
	struct secbuf_kpool *kpool;

	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, NULL));
	EXPECT_EQ(-EPERM, secbuf_pool_attach(&none, secbuf_pool_fd(pool)));
	EXPECT_EQ(NULL, none);
	secbuf_pool_close(pool);
	EXPECT_EQ(-EBADF, secbuf_pool_attach(&none, -1));
	EXPECT_EQ(-ENOTTY, secbuf_pool_attach(&none, secbuf_fd(self->ctx)));
	EXPECT_EQ(-ENOTTY, secbuf_pool_attach(&none, self->to_child[0]));
	ASSERT_EQ(0, secbuf_kpool_open(&kpool, self->ctx, NULL));
	EXPECT_GT(0, secbuf_pool_attach(&none, secbuf_kpool_fd(kpool)));
	secbuf_kpool_close(kpool);
	EXPECT_EQ(-EINVAL, secbuf_pool_attach(NULL,
					      secbuf_pool_fd(self->pool)));
}

TEST_F(share, guards)
{
	static const size_t sizes[] = { 64, 1024, 4096, 8192, 65536 };
	struct secbuf_pool_opts opts = {
		.sz = sizeof(opts), .max = 4, .flags = SECBUF_POOL_GUARD,
	};
	struct secbuf_pool *pool;
	unsigned char *a, *b;
	void *bufs[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		opts.buf_size = sizes[i];
		ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
		ASSERT_EQ(0, secbuf_pool_alloc(pool, (void **)&a));
		ASSERT_EQ(0, secbuf_pool_alloc(pool, (void **)&b));
		EXPECT_TRUE(is_zero(a, sizes[i]));
		memset(a, 0xa5, sizes[i]);
		EXPECT_EQ(0, probe(a + sizes[i] - 1));
		/* One byte too far, and after it was freed. */
		EXPECT_EQ(SIGBUS, probe(a + sizes[i]));
		EXPECT_EQ(SIGBUS, probe(b + sizes[i]));
		EXPECT_EQ(0, secbuf_pool_free(pool, a));
		EXPECT_EQ(SIGBUS, probe(a));
		EXPECT_EQ(-ENOENT, secbuf_pool_free(pool, a));
		EXPECT_EQ(-EINVAL, secbuf_pool_free(pool, b + 64));
		if (sizes[i] < 4096) {
			EXPECT_EQ(-EINVAL, secbuf_pool_free(pool, b - 64));
			b[-1] = 1;
			EXPECT_EQ(-EUCLEAN, secbuf_pool_free(pool, b));
		} else {
			EXPECT_EQ(0, secbuf_pool_free(pool, b));
		}
		EXPECT_EQ(SIGBUS, probe(b));
		EXPECT_EQ(-ENOENT, secbuf_pool_free(pool, b));
		ASSERT_EQ(2, secbuf_pool_alloc_batch(pool, bufs, 2));
		EXPECT_EQ(SIGBUS, probe((char *)bufs[1] + sizes[i]));
		EXPECT_TRUE(is_zero(bufs[0], sizes[i]));
		EXPECT_EQ(2, secbuf_pool_free_batch(pool, bufs, 2));
		EXPECT_EQ(0, granted(pool));
		secbuf_pool_close(pool);
	}
}

TEST_F(share, guarded_heap)
{
	struct secbuf_heap_opts opts = {
		.sz = sizeof(opts), .flags = SECBUF_HEAP_GUARD,
	};
	struct secbuf_heap *heap;
	unsigned char *ptr;
	size_t size, usable;
	void *grown;

	ASSERT_EQ(0, secbuf_heap_open(&heap, self->ctx, &opts));
	for (size = 1; size <= SECBUF_HEAP_SIZE_MAX; size *= 5) {
		ASSERT_EQ(0, secbuf_heap_alloc(heap, size, (void **)&ptr));
		usable = secbuf_heap_usable_size(heap, ptr);
		EXPECT_EQ(0, probe(ptr + usable - 1));
		EXPECT_EQ(SIGBUS, probe(ptr + usable));
		EXPECT_EQ(0, secbuf_heap_free(heap, ptr));
		EXPECT_EQ(SIGBUS, probe(ptr));
	}
	ASSERT_EQ(0, secbuf_heap_alloc(heap, 64, (void **)&ptr));
	memset(ptr, 0xa5, 64);
	grown = ptr;
	ASSERT_EQ(0, secbuf_heap_realloc(heap, &grown, 65));
	EXPECT_EQ(SIGBUS, probe(ptr));
	EXPECT_EQ(0xa5, *(unsigned char *)grown);
	ptr = grown;
	ptr[-2] = 1;
	EXPECT_EQ(-EUCLEAN, secbuf_heap_realloc(heap, &grown, 1000));
	EXPECT_EQ(SIGBUS, probe(ptr));
	EXPECT_EQ(0, secbuf_heap_free(heap, grown));
	EXPECT_EQ(-EINVAL, secbuf_heap_aligned_alloc(heap, 8192, 1, &grown));
	secbuf_heap_close(heap);
}

/* The module asks all pools of the machine for memory. */
static bool ask_for_memory(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	bool done = fd >= 0 && write(fd, "2", 1) == 1;

	if (fd >= 0)
		close(fd);
	return done;
}

TEST_F(share, pressure)
{
	struct pollfd poll_fd = {
		.fd = secbuf_pool_fd(self->pool), .events = POLLPRI,
	};
	void *bufs[8];
	int i;

	ASSERT_EQ(8, secbuf_pool_alloc_batch(self->pool, bufs, 8));
	for (i = 0; i < 7; i++)
		EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
	EXPECT_EQ(8, granted(self->pool));
	/* Whoever of the kernel is busy is not asked this time. */
	for (i = 0; i < WAIT_S * 10 && poll(&poll_fd, 1, 100) != 1; i++)
		if (!ask_for_memory())
			SKIP(return, "not root");
	ASSERT_EQ(POLLPRI, poll_fd.revents);
	EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[7]));
	EXPECT_EQ(0, granted(self->pool));
	EXPECT_EQ(0, poll(&poll_fd, 1, 0));
}

TEST_HARNESS_MAIN
