// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the library does without the kernel module.
 */
#include <string.h>
#include <unistd.h>

#include <secbuf.h>

#include "harness.h"

/* What a failed call must overwrite. */
static char not_null[1];

TEST(open_without_the_module)
{
	struct secbuf_context *ctx = (void *)not_null;

	if (!access("/dev/secbuf", F_OK))
		SKIP(return, "/dev/secbuf is there");
	errno = 77;
	EXPECT_EQ(-ENODEV, secbuf_open(&ctx, NULL));
	EXPECT_EQ(NULL, ctx);
	EXPECT_EQ(77, errno);
	EXPECT_NE(NULL, strstr(secbuf_strerror(-ENODEV), "secbufctl load"));
}

TEST(close_null)
{
	errno = 77;
	secbuf_close(NULL);
	secbuf_pool_close(NULL);
	secbuf_kpool_close(NULL);
	secbuf_conn_close(NULL);
	EXPECT_EQ(0, secbuf_kpool_free(NULL, 0));
	EXPECT_EQ(0, secbuf_pool_free(NULL, NULL));
	EXPECT_EQ(77, errno);
}

TEST(null_objects)
{
	struct secbuf_pool_stats_args stats;
	struct secbuf_info_args info;
	struct secbuf_pool *pool = (void *)not_null;
	struct secbuf_conn *conn = (void *)not_null;
	void *buf = &buf;

	EXPECT_EQ(-EINVAL, secbuf_open(NULL, NULL));
	EXPECT_EQ(-EINVAL, secbuf_fd(NULL));
	EXPECT_EQ(-EINVAL, secbuf_get_info(NULL, &info));
	EXPECT_EQ(-EINVAL, secbuf_pool_open(NULL, NULL, NULL));
	EXPECT_EQ(-EINVAL, secbuf_pool_open(&pool, NULL, NULL));
	EXPECT_EQ(NULL, pool);
	EXPECT_EQ(-EINVAL, secbuf_pool_free(NULL, &info));
	EXPECT_EQ(-EINVAL, secbuf_pool_alloc_batch(NULL, &buf, 1));
	EXPECT_EQ(-EINVAL, secbuf_pool_free_batch(NULL, &buf, 1));
	EXPECT_EQ(-EINVAL, secbuf_pool_alloc(NULL, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(0, secbuf_pool_buf_size(NULL));
	EXPECT_EQ(-EINVAL, secbuf_pool_get_stats(NULL, &stats));
	EXPECT_EQ(-EINVAL, secbuf_pool_fd(NULL));
	EXPECT_EQ(-EINVAL, secbuf_conn_open(&conn, NULL, NULL, NULL));
	EXPECT_EQ(NULL, conn);
	buf = &buf;
	EXPECT_EQ(-EINVAL,
		  secbuf_conn_buffer(NULL, SECBUF_CONN_BUFFER_READ, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(-EINVAL, secbuf_conn_zeroize(NULL));
	EXPECT_EQ(-EINVAL, secbuf_conn_fd(NULL));
}

TEST(null_kpool)
{
	struct secbuf_kpool *pool = (void *)not_null;
	struct secbuf_pool_stats_args stats;
	struct secbuf_pool_vec vec = { 0 };
	uint64_t id = 1;
	char byte = 0;

	EXPECT_EQ(-EINVAL, secbuf_kpool_open(NULL, NULL, NULL));
	EXPECT_EQ(-EINVAL, secbuf_kpool_open(&pool, NULL, NULL));
	EXPECT_EQ(NULL, pool);
	EXPECT_EQ(-EINVAL, secbuf_kpool_free(NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_alloc_batch(NULL, 0, &id, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_free_batch(NULL, &id, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_alloc(NULL, 0, &id));
	EXPECT_EQ(0, id);
	EXPECT_EQ(-EINVAL, secbuf_kpool_alloc(NULL, 0, NULL));
	EXPECT_EQ(-EINVAL, secbuf_kpool_read(NULL, 1, 0, &byte, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_write(NULL, 1, 0, &byte, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_readv(NULL, &vec, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_writev(NULL, &vec, 1));
	EXPECT_EQ(-EINVAL, secbuf_kpool_shrink(NULL, 1));
	EXPECT_EQ(0, secbuf_kpool_buf_size(NULL));
	EXPECT_EQ(-EINVAL, secbuf_kpool_get_stats(NULL, &stats));
	EXPECT_EQ(-EINVAL, secbuf_kpool_fd(NULL));
}

TEST(hit_rates)
{
	struct secbuf_pool_stats_args stats = { 0 };

	EXPECT_EQ(0, secbuf_stats_hit_rate(NULL));
	EXPECT_EQ(0, secbuf_stats_cache_hit_rate(NULL));
	EXPECT_EQ(0, secbuf_stats_pool_hit_rate(NULL));
	EXPECT_EQ(0, secbuf_stats_hit_rate(&stats));
	EXPECT_EQ(0, secbuf_stats_cache_hit_rate(&stats));
	EXPECT_EQ(0, secbuf_stats_pool_hit_rate(&stats));

	stats.out_acquired = 16;
	stats.out_magazine_hits = 8;
	stats.out_depot_hits = 2;
	stats.out_misses = 6;
	EXPECT_EQ(0.625, secbuf_stats_hit_rate(&stats));
	EXPECT_EQ(0.5, secbuf_stats_cache_hit_rate(&stats));
	EXPECT_EQ(0.25, secbuf_stats_pool_hit_rate(&stats));

	/* Everything at hand: there is nothing left for the depot. */
	stats.out_magazine_hits = 16;
	stats.out_depot_hits = 0;
	EXPECT_EQ(1, secbuf_stats_hit_rate(&stats));
	EXPECT_EQ(1, secbuf_stats_cache_hit_rate(&stats));
	EXPECT_EQ(0, secbuf_stats_pool_hit_rate(&stats));

	/* Read while others were at it. */
	stats.out_magazine_hits = 17;
	stats.out_depot_hits = 1;
	EXPECT_EQ(1, secbuf_stats_hit_rate(&stats));
	EXPECT_EQ(1, secbuf_stats_cache_hit_rate(&stats));
	EXPECT_EQ(0, secbuf_stats_pool_hit_rate(&stats));
}

TEST(opts_sizes)
{
	struct {
		struct secbuf_open_opts opts;
		unsigned char later[8];
	} longer = { .opts.sz = sizeof(longer) };
	struct secbuf_open_opts opts = { 0 };
	struct secbuf_context *ctx;

	if (!access("/dev/secbuf", F_OK))
		SKIP(return, "/dev/secbuf is there");
	EXPECT_EQ(-EINVAL, secbuf_open(&ctx, &opts));
	opts.sz = sizeof(size_t) - 1;
	EXPECT_EQ(-EINVAL, secbuf_open(&ctx, &opts));
	opts.sz = SIZE_MAX;
	EXPECT_EQ(-E2BIG, secbuf_open(&ctx, &opts));
	opts.sz = sizeof(size_t);
	EXPECT_EQ(-ENODEV, secbuf_open(&ctx, &opts));
	opts.sz = sizeof(opts);
	EXPECT_EQ(-ENODEV, secbuf_open(&ctx, &opts));
	EXPECT_EQ(-ENODEV, secbuf_open(&ctx, &longer.opts));
	longer.later[7] = 1;
	EXPECT_EQ(-E2BIG, secbuf_open(&ctx, &longer.opts));
	EXPECT_EQ(NULL, ctx);
}

TEST(raw_wrappers_report_errors)
{
	struct secbuf_pool_create_args create = { 0 };
	struct secbuf_conn_create_args conn = { 0 };
	struct secbuf_pool_shrink_args shrink = { 0 };
	struct secbuf_pool_copy_args copy = { 0 };
	struct secbuf_info_args info = { 0 };

	errno = 77;
	EXPECT_EQ(-EBADF, secbuf_ioctl_info(-1, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(-EBADF, secbuf_ioctl_pool_create(-1, &create));
	EXPECT_EQ(sizeof(create), create.size);
	EXPECT_EQ(-EBADF, secbuf_ioctl_conn_create(-1, &conn));
	EXPECT_EQ(sizeof(conn), conn.size);
	EXPECT_EQ(-EBADF, secbuf_ioctl_pool_shrink(-1, &shrink));
	EXPECT_EQ(sizeof(shrink), shrink.size);
	EXPECT_EQ(-EBADF, secbuf_ioctl_pool_read(-1, &copy));
	EXPECT_EQ(sizeof(copy), copy.size);
	copy.size = 0;
	EXPECT_EQ(-EBADF, secbuf_ioctl_pool_write(-1, &copy));
	EXPECT_EQ(sizeof(copy), copy.size);
	EXPECT_EQ(77, errno);
}

TEST(memory_equal)
{
	unsigned char a[33], b[33];
	unsigned int i, bit;

	for (i = 0; i < sizeof(a); i++)
		a[i] = i * 11;
	memcpy(b, a, sizeof(b));
	EXPECT_EQ(1, secbuf_memory_equal(a, b, sizeof(a)));
	EXPECT_EQ(1, secbuf_memory_equal(NULL, NULL, 0));
	for (i = 0; i < sizeof(a); i++) {
		for (bit = 0; bit < 8; bit++) {
			b[i] ^= 1 << bit;
			EXPECT_EQ(0, secbuf_memory_equal(a, b, sizeof(a)));
			EXPECT_EQ(1, secbuf_memory_equal(a, b, i));
			b[i] ^= 1 << bit;
		}
	}
	/* Differences that would overflow into something else if added up. */
	for (i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		EXPECT_EQ(0, secbuf_memory_equal(a, b, sizeof(a)));
	}
}

TEST(memory_zeroize)
{
	unsigned char bytes[40];
	size_t i;

	memset(bytes, 0xa5, sizeof(bytes));
	secbuf_memory_zeroize(bytes + 4, 32);
	secbuf_memory_zeroize(NULL, 0);
	for (i = 0; i < sizeof(bytes); i++)
		EXPECT_EQ(i < 4 || i >= 36 ? 0xa5 : 0, bytes[i]);
}

/* Every errno that <linux/secbuf.h>, secbuf.h and the cursor promise. */
TEST(error_sentences)
{
	static const int errors[] = {
		ENODEV, EACCES, EOPNOTSUPP, EPROTO, ENOMEM, EINVAL, E2BIG,
		EDQUOT, EMFILE, ENFILE, ENOSPC, ENOENT, EBUSY, EPERM,
		ESHUTDOWN, EFAULT, ENOTTY, EBADF, EINTR, ENODATA, EMSGSIZE, EBADMSG,
		ERANGE, EAGAIN, EOWNERDEAD, EUSERS, EUCLEAN,
	};
	const char *unknown = secbuf_strerror(-9999);
	size_t i, j;

	ASSERT_NE(NULL, unknown);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		const char *text = secbuf_strerror(-errors[i]);

		ASSERT_NE(NULL, text);
		EXPECT_STRNE(unknown, text) {
			TH_LOG("errno %d has no sentence", errors[i]);
		}
		EXPECT_EQ(NULL, strchr(text, '\n'));
		for (j = 0; j < i; j++)
			EXPECT_STRNE(secbuf_strerror(-errors[j]), text);
	}
	EXPECT_STREQ(unknown, secbuf_strerror(ENOMEM));
	EXPECT_STREQ(unknown, secbuf_strerror(INT32_MIN));
	EXPECT_STRNE(unknown, secbuf_strerror(0));
}

TEST(version)
{
	const char *version = secbuf_version();
	size_t digits;
	int i;

	for (i = 0; i < 3; i++) {
		digits = strspn(version, "0123456789");
		EXPECT_NE(0, digits);
		EXPECT_EQ(i < 2 ? '.' : '\0', version[digits]);
		version += digits + 1;
	}
}

TEST_HARNESS_MAIN
