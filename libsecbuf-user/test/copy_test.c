// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Copying: every length and overlap, and nothing left in vector registers. The
 * source is part of this program, so that every way of copying can be taken.
 */
#include "../../codec/copy.c"

#include <stdlib.h>
#include <string.h>

#include <kselftest_harness.h>

#include "registers.h"

#define FILLER	0xa5

/* Byte by byte, lest this loop leave it in a register. */
static void make_secret(unsigned char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bytes[i] = 0x40 + i * 7 + (i >> 6);
		__asm__ volatile("" : : : "memory");
	}
}

TEST(every_length)
{
	unsigned char *src, *dst;
	size_t n, i, around = 8;

	for (n = 0; n < 700; n++) {
		src = malloc(n + 1);
		dst = malloc(n + 2 * around);
		ASSERT_TRUE(src && dst);
		make_secret(src, n);
		memset(dst, FILLER, n + 2 * around);
		secbuf_memory_copy(dst + around, src, n);
		ASSERT_EQ(0, memcmp(dst + around, src, n));
		for (i = 0; i < around; i++) {
			ASSERT_EQ(FILLER, dst[i]);
			ASSERT_EQ(FILLER, dst[around + n + i]);
		}
		free(src);
		free(dst);
	}
}

TEST(long_ones)
{
	static const size_t sizes[] = {
		1023, 1024, 1025, 4095, 4096, 4097, 8191, 65536, 100001,
	};
	unsigned char *src, *dst;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		src = malloc(sizes[i]);
		dst = malloc(sizes[i]);
		ASSERT_TRUE(src && dst);
		make_secret(src, sizes[i]);
		secbuf_memory_copy(dst, src, sizes[i]);
		EXPECT_EQ(0, memcmp(src, dst, sizes[i]));
		free(src);
		free(dst);
	}
}

/* As memmove(), which knows how. */
TEST(every_overlap)
{
	static const size_t sizes[] = {
		1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127,
		128, 129, 191, 200, 256, 300,
	};
	unsigned char bytes[700], expected[700];
	size_t i, n, to;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n = sizes[i];
		for (to = 0; to < 400; to++) {
			make_secret(bytes, sizeof(bytes));
			make_secret(expected, sizeof(expected));
			memmove(expected + to, expected + 200, n);
			secbuf_memory_copy(bytes + to, bytes + 200, n);
			ASSERT_EQ(0, memcmp(bytes, expected, sizeof(bytes)));
		}
	}
}

static void expect_copied(struct __test_metadata *_metadata,
			  const unsigned char *dst, const unsigned char *src,
			  size_t n)
{
	EXPECT_EQ(0, memcmp(dst, src, n));
	EXPECT_EQ(FILLER, dst[n]);
}

/* A large size that is a constant is copied out of line, a small one inline. */
TEST(constant_lengths)
{
	unsigned char src[65], dst[65];

	make_secret(src, sizeof(src));
#define CHECK(_n)							\
	do {								\
		const size_t n = (_n);					\
									\
		memset(dst, FILLER, sizeof(dst));			\
		__secbuf_copy(dst, src, n);				\
		expect_copied(_metadata, dst, src, n);			\
	} while (0)
	CHECK(0);
	CHECK(1);
	CHECK(2);
	CHECK(3);
	CHECK(5);
	CHECK(8);
	CHECK(13);
	CHECK(16);
	CHECK(17);
	CHECK(25);
	CHECK(32);
	CHECK(33);
	CHECK(64);
}

#ifndef __SECBUF_COPY_PLAIN
typedef void (*copy_fn)(unsigned char *dst, const unsigned char *src, size_t n);

static void copy_any(unsigned char *dst, const unsigned char *src, size_t n)
{
	secbuf_memory_copy(dst, src, n);
}

/* As on a processor without AVX-512. */
static void copy_without(unsigned char *dst, const unsigned char *src, size_t n)
{
	secbuf_avx512vl = SECBUF_AVX512_NO;
	secbuf_memory_copy(dst, src, n);
	secbuf_avx512vl = 0;
}

static const struct {
	const char *name;
	copy_fn copy;
	unsigned int component;
} ways[] = {
	{ "any", copy_any, 0 },
	{ "without", copy_without, 0 },
	{ "sse2", secbuf_copy_sse2, REGISTERS_SSE },
	{ "avx512vl", secbuf_copy_avx512vl, REGISTERS_HI16_ZMM },
	{ "rep", secbuf_copy_rep, 0 },
};

static bool can(size_t way)
{
	return ways[way].copy != secbuf_copy_avx512vl || secbuf_have_avx512vl();
}

TEST(every_way)
{
	unsigned char src[800], dst[816];
	size_t way, n;

	make_secret(src, sizeof(src));
	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		if (!can(way))
			continue;
		for (n = 65; n <= sizeof(src); n++) {
			memset(dst, FILLER, sizeof(dst));
			ways[way].copy(dst + 8, src, n);
			ASSERT_EQ(0, memcmp(dst + 8, src, n)) {
				TH_LOG("%s %zu", ways[way].name, n);
			}
			ASSERT_EQ(FILLER, dst[7]);
			ASSERT_EQ(FILLER, dst[8 + n]);
		}
	}
}

TEST(nothing_in_vector_registers)
{
	static const size_t sizes[] = {
		8, 16, 24, 32, 48, 64, 65, 100, 128, 256, 1024, 4095, 4096, 8192,
	};
	unsigned char *src = malloc(8192), *dst = malloc(8192);
	struct registers regs;
	unsigned int in_use;
	size_t way, i;
	bool held;

	if (!registers_init(&regs))
		SKIP(return, "no xsave on this processor");
	ASSERT_TRUE(src && dst);
	make_secret(src, 8192);
	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (i = 0; can(way) && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (way && sizes[i] < 65)
				continue;
			registers_load(&regs);
			ways[way].copy(dst, src, sizes[i]);
			in_use = registers_in_use();
			held = registers_hold(&regs, src, sizes[i]);
			EXPECT_FALSE(held) {
				TH_LOG("%s %zu", ways[way].name, sizes[i]);
			}
			/* All zero, they would not be saved over the secret. */
			EXPECT_EQ(ways[way].component,
				  in_use & ways[way].component);
		}
	}
	free(regs.area);
	free(src);
	free(dst);
}

/* The test above can fail. */
TEST(memcpy_leaves_it_there)
{
	void *(*volatile copy)(void *dst, const void *src, size_t n) = memcpy;
	unsigned char src[64], dst[64];
	struct registers regs;
	bool held;

	if (!registers_init(&regs))
		SKIP(return, "no xsave on this processor");
	make_secret(src, sizeof(src));
	registers_load(&regs);
	copy(dst, src, sizeof(src));
	held = registers_hold(&regs, src, sizeof(src));
	if (!held)
		SKIP(return, "memcpy() of this C library clears its registers");
	free(regs.area);
}
#endif

TEST_HARNESS_MAIN
