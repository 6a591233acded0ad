// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Kernel-held pools through the library, on a real device; skipped where the
 * module is not loaded.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secbuf.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		8
#define BUF_SIZE	1500

FIXTURE(kpool) {
	struct secbuf_context *ctx;
	struct secbuf_kpool *pool;
	struct secbuf_info_args info;
};

FIXTURE_SETUP(kpool)
{
	const struct secbuf_kpool_opts opts = {
		.sz = sizeof(opts), .buf_size = BUF_SIZE, .max = NR_BUFS,
	};

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_get_info(self->ctx, &self->info));
	ASSERT_EQ(0, secbuf_kpool_open(&self->pool, self->ctx, &opts));
}

FIXTURE_TEARDOWN(kpool)
{
	secbuf_kpool_close(self->pool);
	secbuf_close(self->ctx);
}

TEST_F(kpool, opts)
{
	struct {
		struct secbuf_kpool_opts opts;
		unsigned char later[8];
	} longer = { .opts.sz = sizeof(longer), .later = { 1 } };
	struct secbuf_kpool_opts opts = { .sz = sizeof(opts) };
	struct secbuf_kpool *pool;

	EXPECT_EQ(BUF_SIZE, secbuf_kpool_buf_size(self->pool));
	EXPECT_EQ(FD_CLOEXEC, fcntl(secbuf_kpool_fd(self->pool), F_GETFD));

	ASSERT_EQ(0, secbuf_kpool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(8192, secbuf_kpool_buf_size(pool));
	secbuf_kpool_close(pool);

	opts.buf_size = SECBUF_POOL_BUF_SIZE_MAX + 1;
	EXPECT_EQ(-EINVAL, secbuf_kpool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(NULL, pool);
	opts.buf_size = 64;
	opts.min = 11;
	opts.max = 10;
	EXPECT_EQ(-EINVAL, secbuf_kpool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(-E2BIG, secbuf_kpool_open(&pool, self->ctx, &longer.opts));
}

TEST_F(kpool, presets)
{
	static const struct {
		struct secbuf_kpool_opts opts;
		size_t buf_size;
		unsigned int min, max;
	} presets[] = {
		{ SECBUF_KPOOL_OPTS_DEFAULT, 8192, 10, 100 },
		{ SECBUF_KPOOL_OPTS_SMALL, 1024, 5, 20 },
		{ SECBUF_KPOOL_OPTS_LARGE, 65536, 50, 1000 },
		{ SECBUF_KPOOL_OPTS_NETWORK, 1500, 20, 500 },
	};
	struct secbuf_pool_stats_args stats;
	struct secbuf_kpool *pool;
	size_t i;

	for (i = 0; i <= ARRAY_SIZE(presets); i++) {
		size_t n = i % ARRAY_SIZE(presets);

		/* The last time without options: they are the default's. */
		ASSERT_EQ(0, secbuf_kpool_open(&pool, self->ctx, i == n ?
					       &presets[n].opts : NULL));
		EXPECT_EQ(presets[n].buf_size, secbuf_kpool_buf_size(pool));
		ASSERT_EQ(0, secbuf_kpool_get_stats(pool, &stats));
		EXPECT_EQ(presets[n].min, stats.out_min_slots);
		EXPECT_EQ(presets[n].min, stats.out_available);
		EXPECT_EQ(presets[n].max, stats.out_max_slots);
		secbuf_kpool_close(pool);
	}
}

/* The same sizes and limits for mapped pools, which have no minimum. */
TEST_F(kpool, presets_of_mapped_pools)
{
	static const struct {
		struct secbuf_pool_opts opts;
		size_t buf_size;
		unsigned int max;
	} presets[] = {
		{ SECBUF_POOL_OPTS_DEFAULT, 8192, 100 },
		{ SECBUF_POOL_OPTS_SMALL, 1024, 20 },
		{ SECBUF_POOL_OPTS_LARGE, 65536, 1000 },
		{ SECBUF_POOL_OPTS_NETWORK, 2048, 500 },
	};
	struct secbuf_pool_stats_args stats;
	struct secbuf_pool *pool;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(presets); i++) {
		ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx,
					      &presets[i].opts));
		EXPECT_EQ(presets[i].buf_size, secbuf_pool_buf_size(pool));
		ASSERT_EQ(0, secbuf_pool_get_stats(pool, &stats));
		EXPECT_EQ(presets[i].max, stats.out_max_slots);
		secbuf_pool_close(pool);
	}
}

TEST_F(kpool, alloc_write_read_free)
{
	unsigned char bytes[BUF_SIZE], seen[BUF_SIZE], zero[BUF_SIZE] = { 0 };
	uint64_t ids[NR_BUFS], id = 1;
	int i;

	errno = 77;
	memset(bytes, 0xa5, sizeof(bytes));
	for (i = 0; i < NR_BUFS; i++) {
		ASSERT_EQ(0, secbuf_kpool_alloc(self->pool, 0, &ids[i]));
		EXPECT_NE(0, ids[i]);
		EXPECT_EQ(0, secbuf_kpool_read(self->pool, ids[i], 0, seen,
					       BUF_SIZE));
		EXPECT_EQ(0, memcmp(seen, zero, BUF_SIZE));
		EXPECT_EQ(0, secbuf_kpool_write(self->pool, ids[i], 0, bytes,
						BUF_SIZE));
	}
	EXPECT_EQ(-ENOSPC, secbuf_kpool_alloc(self->pool, 0, &id));
	EXPECT_EQ(0, id);
	EXPECT_EQ(0, secbuf_kpool_read(self->pool, ids[3], 100, seen, 10));
	EXPECT_EQ(0, memcmp(seen, bytes, 10));

	EXPECT_EQ(0, secbuf_kpool_free(self->pool, ids[3]));
	EXPECT_EQ(-ENOENT, secbuf_kpool_free(self->pool, ids[3]));
	EXPECT_EQ(-ENOENT, secbuf_kpool_read(self->pool, ids[3], 0, seen, 1));
	EXPECT_EQ(-ENOENT, secbuf_kpool_write(self->pool, ids[3], 0, seen, 1));
	EXPECT_EQ(0, secbuf_kpool_free(self->pool, 0));
	ASSERT_EQ(0, secbuf_kpool_alloc(self->pool, SECBUF_KPOOL_WAIT, &id));
	EXPECT_EQ(0, secbuf_kpool_read(self->pool, id, 0, seen, BUF_SIZE));
	EXPECT_EQ(0, memcmp(seen, zero, BUF_SIZE));
	EXPECT_EQ(77, errno);
}

/* What the kernel's numbers cannot hold must not be cut off. */
TEST_F(kpool, outside)
{
	unsigned char bytes[BUF_SIZE + 1] = { 0 };
	uint64_t id;

	ASSERT_EQ(0, secbuf_kpool_alloc(self->pool, 0, &id));
	EXPECT_EQ(-EINVAL, secbuf_kpool_read(self->pool, id, 0, bytes,
					     BUF_SIZE + 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_write(self->pool, id, BUF_SIZE, bytes,
					      1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_read(self->pool, id, 1ULL << 32, bytes,
					     1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_write(self->pool, id, 0, bytes,
					      1ULL << 32));
	EXPECT_EQ(-EINVAL, secbuf_kpool_read(self->pool, id, SIZE_MAX, bytes,
					     2));
	EXPECT_EQ(-EFAULT, secbuf_kpool_read(self->pool, id, 0, NULL, 1));
	EXPECT_EQ(0, secbuf_kpool_write(self->pool, id, BUF_SIZE, NULL, 0));
}

TEST_F(kpool, batches_over_the_limit_of_the_kernel)
{
	const unsigned int nr = self->info.out_batch_max + 200;
	const struct secbuf_kpool_opts opts = {
		.sz = sizeof(opts), .buf_size = 64, .max = nr,
	};
	struct secbuf_pool_stats_args stats;
	struct secbuf_pool_vec *vecs;
	struct secbuf_kpool *pool;
	unsigned int *values, i;
	uint64_t *ids;

	ids = calloc(nr + 10, sizeof(*ids));
	vecs = calloc(nr, sizeof(*vecs));
	values = calloc(nr, sizeof(*values));
	ASSERT_TRUE(ids && vecs && values);
	ASSERT_EQ(0, secbuf_kpool_open(&pool, self->ctx, &opts));
	EXPECT_EQ((int)nr, secbuf_kpool_alloc_batch(pool, 0, ids, nr + 10));
	for (i = 0; i < nr; i++) {
		values[i] = i;
		vecs[i] = (struct secbuf_pool_vec){
			.id = ids[i], .offset = 8, .len = sizeof(*values),
			.buf_ptr = (uintptr_t)&values[i],
		};
	}
	EXPECT_EQ((int)nr, secbuf_kpool_writev(pool, vecs, nr));
	memset(values, 0, nr * sizeof(*values));
	EXPECT_EQ((int)nr, secbuf_kpool_readv(pool, vecs, nr));
	for (i = 0; i < nr; i++)
		EXPECT_EQ(i, values[i]);

	/* In the second call: what was done before counts. */
	vecs[nr - 100].id = 0;
	EXPECT_EQ((int)nr - 100, secbuf_kpool_readv(pool, vecs, nr));
	EXPECT_EQ(-ENOENT, secbuf_kpool_writev(pool, vecs + nr - 100, 100));
	EXPECT_EQ((int)nr, secbuf_kpool_free_batch(pool, ids, nr));
	EXPECT_EQ(-ENOENT, secbuf_kpool_free_batch(pool, ids, nr));
	EXPECT_EQ(0, secbuf_kpool_free_batch(pool, ids, 0));
	ASSERT_EQ(0, secbuf_kpool_get_stats(pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(nr, stats.out_returned);
	EXPECT_EQ(nr, stats.out_peak);
	secbuf_kpool_close(pool);
	free(values);
	free(vecs);
	free(ids);
}

TEST_F(kpool, shrink_and_rates)
{
	struct secbuf_pool_stats_args stats;
	uint64_t ids[NR_BUFS];
	int round;

	for (round = 0; round < 4; round++) {
		ASSERT_EQ(NR_BUFS, secbuf_kpool_alloc_batch(self->pool, 0, ids,
							    NR_BUFS));
		ASSERT_EQ(NR_BUFS, secbuf_kpool_free_batch(self->pool, ids,
							   NR_BUFS));
	}
	ASSERT_EQ(0, secbuf_kpool_get_stats(self->pool, &stats));
	EXPECT_EQ(4 * NR_BUFS, stats.out_acquired);
	EXPECT_LT(0, secbuf_stats_hit_rate(&stats));
	EXPECT_GT(1, secbuf_stats_hit_rate(&stats));
	EXPECT_LT(0, stats.out_available);
	EXPECT_EQ(0, secbuf_kpool_shrink(self->pool, 0));
	EXPECT_LT(0, secbuf_kpool_shrink(self->pool, INT32_MAX));
	EXPECT_EQ(-EINVAL, secbuf_kpool_shrink(self->pool, 1U << 31));
	ASSERT_EQ(0, secbuf_kpool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_available);
	EXPECT_EQ(0, stats.out_bytes);
}

TEST_F(kpool, close_zeroizes_although_the_descriptor_lives)
{
	struct secbuf_pool_stats_args stats = { 0 };
	unsigned char byte = 0xa5;
	uint64_t ids[3];
	int fd;

	ASSERT_EQ(3, secbuf_kpool_alloc_batch(self->pool, 0, ids, 3));
	ASSERT_EQ(0, secbuf_kpool_write(self->pool, ids[1], 0, &byte, 1));
	fd = dup(secbuf_kpool_fd(self->pool));
	ASSERT_LE(0, fd);
	secbuf_kpool_close(self->pool);
	self->pool = NULL;
	ASSERT_EQ(0, secbuf_ioctl_pool_stats(fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(1, stats.out_bytes_zeroized);
	close(fd);
}

TEST_F(kpool, forked_child_is_refused)
{
	unsigned char byte = 0xa5;
	int status = -1;
	uint64_t id;
	pid_t pid;

	ASSERT_EQ(0, secbuf_kpool_alloc(self->pool, 0, &id));
	ASSERT_EQ(0, secbuf_kpool_write(self->pool, id, 0, &byte, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		uint64_t other;

		status = secbuf_kpool_read(self->pool, id, 0, &byte, 1) !=
				-EOWNERDEAD ||
			 secbuf_kpool_alloc(self->pool, 0, &other) != -EOWNERDEAD ||
			 secbuf_kpool_free(self->pool, id) != -EOWNERDEAD;
		secbuf_kpool_close(self->pool);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	byte = 0;
	EXPECT_EQ(0, secbuf_kpool_read(self->pool, id, 0, &byte, 1));
	EXPECT_EQ(0xa5, byte);
}

TEST_HARNESS_MAIN
