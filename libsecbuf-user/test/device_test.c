// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The library on a real device; skipped where the module is not loaded.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secbuf.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		8
#define BUF_SIZE	256

struct area {
	uintptr_t start;
	uintptr_t end;
	char perms[5];
};

/* The line of /proc/self/maps that @addr is in. */
static bool find_area(uintptr_t addr, struct area *out)
{
	char line[512];
	bool found = false;
	char *end;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		out->start = strtoul(line, &end, 16);
		out->end = strtoul(end + 1, &end, 16);
		memcpy(out->perms, end + 1, 4);
		out->perms[4] = '\0';
		found = addr >= out->start && addr < out->end;
	}
	if (maps)
		fclose(maps);
	return found;
}

FIXTURE(device) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	struct secbuf_info_args info;
};

FIXTURE_SETUP(device)
{
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts), .buf_size = BUF_SIZE, .max = NR_BUFS,
	};

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_get_info(self->ctx, &self->info));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
}

FIXTURE_TEARDOWN(device)
{
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

TEST_F(device, context)
{
	struct secbuf_open_opts opts = { .sz = sizeof(opts) };
	struct secbuf_context *ctx;

	EXPECT_EQ(FD_CLOEXEC, fcntl(secbuf_fd(self->ctx), F_GETFD));
	EXPECT_EQ(SECBUF_ABI_VERSION, self->info.out_abi_version);

	opts.require_features = self->info.out_features;
	opts.require_protections = self->info.out_protections;
	ASSERT_EQ(0, secbuf_open(&ctx, &opts));
	secbuf_close(ctx);

	opts.require_features = 1ULL << 63;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_open(&ctx, &opts));
	EXPECT_EQ(NULL, ctx);
	opts.require_features = 0;
	opts.require_protections = 1ULL << 63;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_open(&ctx, &opts));
	EXPECT_EQ(NULL, ctx);
}

TEST_F(device, pool_opts)
{
	struct {
		struct secbuf_pool_opts opts;
		unsigned char later[8];
	} longer = { .opts.sz = sizeof(longer) };
	struct secbuf_pool_opts opts = { .sz = sizeof(opts) };
	struct secbuf_pool_stats_args stats;
	struct secbuf_pool *pool;

	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, NULL));
	EXPECT_EQ(8192, secbuf_pool_buf_size(pool));
	EXPECT_EQ(FD_CLOEXEC, fcntl(secbuf_pool_fd(pool), F_GETFD));
	ASSERT_EQ(0, secbuf_pool_get_stats(pool, &stats));
	EXPECT_EQ(SECBUF_POOL_MAX_SLOTS_DEFAULT, stats.out_max_slots);
	secbuf_pool_close(pool);

	opts.buf_size = 100;
	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(128, secbuf_pool_buf_size(pool));
	secbuf_pool_close(pool);

	opts.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_pool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(NULL, pool);
	opts.flags = SECBUF_POOL_F_MAPPED;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_pool_open(&pool, self->ctx, &opts));
	opts.flags = 0;
	opts.require_protections = 1ULL << 63;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_pool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(NULL, pool);
	opts.require_protections = self->info.out_protections;
	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
	secbuf_pool_close(pool);
	opts.require_protections = 0;
	opts.buf_size = self->info.out_slot_size_max + 1;
	EXPECT_EQ(-EINVAL, secbuf_pool_open(&pool, self->ctx, &opts));
	EXPECT_EQ(NULL, pool);
	longer.later[0] = 1;
	EXPECT_EQ(-E2BIG, secbuf_pool_open(&pool, self->ctx, &longer.opts));
	EXPECT_EQ(NULL, pool);
}

TEST_F(device, alloc_free)
{
	struct secbuf_pool_stats_args stats;
	void *bufs[NR_BUFS], *buf;
	int i, j;

	errno = 77;
	for (i = 0; i < NR_BUFS; i++) {
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &bufs[i]));
		EXPECT_EQ(0, (uintptr_t)bufs[i] % BUF_SIZE);
		EXPECT_TRUE(is_zero(bufs[i], BUF_SIZE));
		memset(bufs[i], 0xa5, BUF_SIZE);
		for (j = 0; j < i; j++)
			EXPECT_NE(bufs[i], bufs[j]);
	}
	EXPECT_EQ(-ENOSPC, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(NULL, buf);

	EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[3]));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &bufs[3]));
	EXPECT_TRUE(is_zero(bufs[3], BUF_SIZE));

	for (i = 0; i < NR_BUFS; i++)
		EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(NR_BUFS, stats.out_peak);
	EXPECT_EQ(NR_BUFS + 1, stats.out_returned);
	EXPECT_EQ(77, errno);
}

TEST_F(device, free_errors)
{
	unsigned char foreign[BUF_SIZE];
	unsigned char *buf;
	struct area area;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, (void **)&buf));
	ASSERT_TRUE(find_area((uintptr_t)buf, &area));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, NULL));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, foreign));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, buf + 1));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, buf + BUF_SIZE / 2));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, (void *)area.end));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool,
					    (void *)(area.start - BUF_SIZE)));
	EXPECT_EQ(-EINVAL, secbuf_pool_free(self->pool, (void *)-BUF_SIZE));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, buf));
}

TEST_F(device, free_batch_stops_at_the_first_error)
{
	void *bufs[NR_BUFS];
	void *bad;

	ASSERT_EQ(NR_BUFS, secbuf_pool_alloc_batch(self->pool, bufs, NR_BUFS));
	bad = bufs[3];
	bufs[3] = &bad;
	EXPECT_EQ(3, secbuf_pool_free_batch(self->pool, bufs, NR_BUFS));
	EXPECT_EQ(-EINVAL, secbuf_pool_free_batch(self->pool, &bufs[3], 5));
	bufs[3] = bufs[0];
	EXPECT_EQ(-ENOENT, secbuf_pool_free_batch(self->pool, &bufs[3], 5));
	bufs[3] = bad;
	bufs[5] = bufs[4];
	EXPECT_EQ(2, secbuf_pool_free_batch(self->pool, &bufs[3], 5));
	EXPECT_EQ(0, secbuf_pool_free_batch(self->pool, bufs, 0));
	EXPECT_EQ(0, secbuf_pool_alloc_batch(self->pool, bufs, 0));
}

static int compare_pointers(const void *a, const void *b)
{
	uintptr_t pa = *(const uintptr_t *)a;
	uintptr_t pb = *(const uintptr_t *)b;

	return (pa > pb) - (pa < pb);
}

TEST_F(device, batch_over_the_limit_of_the_kernel)
{
	const unsigned int nr = self->info.out_batch_max + 200;
	const struct secbuf_pool_opts opts = {
		.sz = sizeof(opts), .buf_size = 64, .max = nr,
	};
	struct secbuf_pool_stats_args stats;
	struct secbuf_pool *pool;
	unsigned int i;
	void **bufs;

	bufs = calloc(nr + 10, sizeof(*bufs));
	ASSERT_NE(NULL, bufs);
	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
	EXPECT_EQ((int)nr, secbuf_pool_alloc_batch(pool, bufs, nr + 10));
	EXPECT_EQ(-ENOSPC, secbuf_pool_alloc_batch(pool, bufs + nr, 10));
	for (i = 0; i < nr; i++)
		memset(bufs[i], 0xa5, 64);
	qsort(bufs, nr, sizeof(*bufs), compare_pointers);
	for (i = 1; i < nr; i++)
		EXPECT_LE(64, (char *)bufs[i] - (char *)bufs[i - 1]);

	EXPECT_EQ((int)nr, secbuf_pool_free_batch(pool, bufs, nr));
	ASSERT_EQ(0, secbuf_pool_get_stats(pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(nr, stats.out_returned);
	secbuf_pool_close(pool);
	free(bufs);
}

TEST_F(device, guard_pages)
{
	struct area slots, guard;
	void *buf;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(0, probe(buf));
	ASSERT_TRUE(find_area((uintptr_t)buf, &slots));
	EXPECT_EQ(SIGSEGV, probe((void *)(slots.start - 1)));
	EXPECT_EQ(SIGSEGV, probe((void *)slots.end));

	/* Not holes, which the next mapping could fill. */
	ASSERT_TRUE(find_area(slots.start - 1, &guard));
	EXPECT_STREQ("---p", guard.perms);
	ASSERT_TRUE(find_area(slots.end, &guard));
	EXPECT_STREQ("---p", guard.perms);
}

TEST_F(device, closed_pool_is_gone)
{
	void *buf;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	secbuf_pool_close(self->pool);
	self->pool = NULL;
	EXPECT_EQ(SIGSEGV, probe(buf));
}

/*
 * Closing must not wait until everyone who holds the descriptor closes it: a
 * child made by fork does not know that it has one.
 */
TEST_F(device, close_zeroizes_although_the_descriptor_lives)
{
	struct secbuf_pool_stats_args stats = { 0 };
	struct secbuf_conn *conn;
	void *bufs[5], *buf;
	int pool_fd;

	ASSERT_EQ(5, secbuf_pool_alloc_batch(self->pool, bufs, 5));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[0]));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[2]));
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	ASSERT_EQ(0, secbuf_conn_open(&conn, self->ctx, self->pool, NULL));
	ASSERT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buf));
	pool_fd = dup(secbuf_pool_fd(self->pool));
	ASSERT_LE(0, pool_fd);
	ASSERT_LE(0, dup(secbuf_conn_fd(conn)));

	secbuf_conn_close(conn);
	ASSERT_EQ(0, secbuf_ioctl_pool_stats(pool_fd, &stats));
	EXPECT_EQ(3, stats.out_in_use);
	secbuf_pool_close(self->pool);
	self->pool = NULL;
	ASSERT_EQ(0, secbuf_ioctl_pool_stats(pool_fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	close(pool_fd);
}

TEST_F(device, conn)
{
	struct secbuf_pool_stats_args stats;
	struct secbuf_conn *conn;
	void *in, *out, *again;

	ASSERT_EQ(0, secbuf_conn_open(&conn, self->ctx, self->pool, NULL));
	EXPECT_EQ(FD_CLOEXEC, fcntl(secbuf_conn_fd(conn), F_GETFD));
	EXPECT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &in));
	EXPECT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE, &out));
	ASSERT_NE(in, out);
	EXPECT_TRUE(is_zero(in, BUF_SIZE));
	EXPECT_TRUE(is_zero(out, BUF_SIZE));
	memset(in, 0xa5, BUF_SIZE);
	memset(out, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ,
					&again));
	EXPECT_EQ(in, again);
	EXPECT_EQ(-EINVAL, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_NR,
					      &again));
	EXPECT_EQ(NULL, again);
	EXPECT_EQ(-EBUSY, secbuf_pool_free(self->pool, in));

	EXPECT_EQ(0, secbuf_conn_zeroize(conn));
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &in));
	EXPECT_TRUE(is_zero(in, BUF_SIZE));
	secbuf_conn_close(conn);
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
}

TEST_F(device, conn_meets_the_limit_of_the_pool)
{
	struct secbuf_conn *conn;
	void *bufs[NR_BUFS], *buf;

	ASSERT_EQ(NR_BUFS, secbuf_pool_alloc_batch(self->pool, bufs, NR_BUFS));
	ASSERT_EQ(0, secbuf_conn_open(&conn, self->ctx, self->pool, NULL));
	buf = bufs;
	EXPECT_EQ(-ENOSPC,
		  secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[0]));
	EXPECT_EQ(0, secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE, &buf));
	secbuf_conn_close(conn);
}

struct inherited {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	struct secbuf_conn *conn;
	struct area slots;
	void *buf;
};

static int child_is_refused(struct inherited *in)
{
	void *end = (void *)in->slots.end;
	struct secbuf_pool_stats_args stats;
	void *buf;

	if (secbuf_pool_alloc(in->pool, &buf) != -EOWNERDEAD)
		return 1;
	if (secbuf_pool_free(in->pool, in->buf) != -EOWNERDEAD)
		return 2;
	if (secbuf_pool_get_stats(in->pool, &stats) != -EOWNERDEAD)
		return 3;
	if (secbuf_pool_free(in->pool, end) != -EOWNERDEAD)
		return 8;
	/* Granted before the fork, so the library alone has to refuse it. */
	if (secbuf_conn_buffer(in->conn, SECBUF_CONN_BUFFER_READ,
			       &buf) != -EOWNERDEAD || buf)
		return 4;
	if (secbuf_conn_buffer(in->conn, SECBUF_CONN_BUFFER_WRITE,
			       &buf) != -EOWNERDEAD)
		return 5;
	if (secbuf_conn_zeroize(in->conn) != -EOWNERDEAD)
		return 6;
	return probe(in->buf) == SIGSEGV ? 0 : 7;
}

static int child_closes_and_opens(struct inherited *in)
{
	void *start = (void *)in->slots.start;
	size_t size = in->slots.end - in->slots.start;
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	void *buf;

	/* The hole that the parent's slots leave is free for anyone. */
	if (mmap(start, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != start)
		return 1;
	secbuf_conn_close(in->conn);
	secbuf_pool_close(in->pool);
	secbuf_close(in->ctx);
	if (probe(start) || probe((char *)start + size - 1))
		return 2;

	if (secbuf_open(&ctx, NULL) || secbuf_pool_open(&pool, ctx, NULL) ||
	    secbuf_pool_alloc(pool, &buf))
		return 3;
	memset(buf, 0x5a, secbuf_pool_buf_size(pool));
	secbuf_pool_close(pool);
	secbuf_close(ctx);
	return 0;
}

TEST_F(device, fork)
{
	struct inherited in = { .ctx = self->ctx, .pool = self->pool };
	unsigned char kept[BUF_SIZE];
	void *buf;

	memset(kept, 0xa5, sizeof(kept));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &in.buf));
	memset(in.buf, 0xa5, BUF_SIZE);
	ASSERT_TRUE(find_area((uintptr_t)in.buf, &in.slots));
	ASSERT_EQ(0, secbuf_conn_open(&in.conn, self->ctx, self->pool,
				      NULL));
	ASSERT_EQ(0, secbuf_conn_buffer(in.conn, SECBUF_CONN_BUFFER_READ,
					&buf));
	memset(buf, 0xa5, BUF_SIZE);

	EXPECT_EQ(0, in_child(child_is_refused, &in));
	EXPECT_EQ(0, in_child(child_closes_and_opens, &in));

	EXPECT_EQ(0, memcmp(in.buf, kept, BUF_SIZE));
	EXPECT_EQ(0, memcmp(buf, kept, BUF_SIZE));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, in.buf));
	secbuf_conn_close(in.conn);
}

TEST_HARNESS_MAIN
