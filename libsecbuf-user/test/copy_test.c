// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Copying: every length and overlap, and nothing left in vector registers. The
 * source is part of this program, so that every way of copying can be taken.
 */
#include "../../codec/copy.c"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

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
		1023, 1024, 1025, 4095, 4096, 4097, 8191, 24575, 24576, 65536,
		100001,
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

static bool is_zero(const unsigned char *bytes, size_t n)
{
	while (n--)
		if (bytes[n])
			return false;
	return true;
}

TEST(take_zeroizes_every_length)
{
	unsigned char src[9000], dst[9000], secret[9000];
	size_t n, i;

	make_secret(secret, sizeof(secret));
	for (n = 0; n < 8900; n += n < 700 ? 1 : 93) {
		memcpy(src, secret, n + 16);
		memset(dst, FILLER, n + 16);
		secbuf_memory_take(dst + 8, src + 8, n);
		ASSERT_EQ(0, memcmp(dst + 8, secret + 8, n));
		ASSERT_TRUE(is_zero(src + 8, n));
		ASSERT_EQ(0, memcmp(src, secret, 8));
		ASSERT_EQ(0, memcmp(src + 8 + n, secret + 8 + n, 8));
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(FILLER, dst[i]);
			ASSERT_EQ(FILLER, dst[8 + n + i]);
		}
	}
}

TEST(take_long_ones)
{
	static const size_t sizes[] = { 24575, 24576, 24577, 65536, 100001 };
	unsigned char *src, *dst, *secret;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		src = malloc(sizes[i]);
		dst = malloc(sizes[i]);
		secret = malloc(sizes[i]);
		ASSERT_TRUE(src && dst && secret);
		make_secret(secret, sizes[i]);
		memcpy(src, secret, sizes[i]);
		secbuf_memory_take(dst, src, sizes[i]);
		EXPECT_EQ(0, memcmp(dst, secret, sizes[i]));
		EXPECT_TRUE(is_zero(src, sizes[i]));
		free(src);
		free(dst);
		free(secret);
	}
}

#ifndef __SECBUF_COPY_PLAIN
typedef void (*copy_fn)(unsigned char *dst, unsigned char *src, size_t n);

static void copy_any(unsigned char *dst, unsigned char *src, size_t n)
{
	secbuf_memory_copy(dst, src, n);
}

static void take_any(unsigned char *dst, unsigned char *src, size_t n)
{
	secbuf_memory_take(dst, src, n);
}

/* As on a processor that has other registers. */
static void copy_as(enum secbuf_vector vector, unsigned char *dst,
		    unsigned char *src, size_t n)
{
	secbuf_vector = vector;
	secbuf_memory_copy(dst, src, n);
	secbuf_vector = SECBUF_VECTOR_UNKNOWN;
}

static void take_as(enum secbuf_vector vector, unsigned char *dst,
		    unsigned char *src, size_t n)
{
	secbuf_vector = vector;
	secbuf_memory_take(dst, src, n);
	secbuf_vector = SECBUF_VECTOR_UNKNOWN;
}

static void copy_as_xmm(unsigned char *dst, unsigned char *src, size_t n)
{
	copy_as(SECBUF_VECTOR_XMM, dst, src, n);
}

static void take_as_xmm(unsigned char *dst, unsigned char *src, size_t n)
{
	take_as(SECBUF_VECTOR_XMM, dst, src, n);
}

static void copy_as_ymm(unsigned char *dst, unsigned char *src, size_t n)
{
	copy_as(SECBUF_VECTOR_YMM, dst, src, n);
}

static void take_as_ymm(unsigned char *dst, unsigned char *src, size_t n)
{
	take_as(SECBUF_VECTOR_YMM, dst, src, n);
}

static void copy_as_zmm(unsigned char *dst, unsigned char *src, size_t n)
{
	copy_as(SECBUF_VECTOR_ZMM, dst, src, n);
}

static void take_as_zmm(unsigned char *dst, unsigned char *src, size_t n)
{
	take_as(SECBUF_VECTOR_ZMM, dst, src, n);
}

#define SHORT	0
#define LONG	SIZE_MAX

/* What it is good for: lengths, and the state it must leave in use. */
static const struct {
	const char *name;
	copy_fn copy;
	size_t min;
	size_t max;
	bool takes;
	bool avx512;
	unsigned int component;
} ways[] = {
	{ "copy", copy_any, SHORT, LONG, false, false, 0 },
	{ "take", take_any, SHORT, LONG, true, false, 0 },
	{ "copy as xmm", copy_as_xmm, SHORT, LONG, false, false, 0 },
	{ "take as xmm", take_as_xmm, SHORT, LONG, true, false, 0 },
	{ "copy as ymm", copy_as_ymm, SHORT, LONG, false, true, 0 },
	{ "take as ymm", take_as_ymm, SHORT, LONG, true, true, 0 },
	{ "copy as zmm", copy_as_zmm, SHORT, LONG, false, true, 0 },
	{ "take as zmm", take_as_zmm, SHORT, LONG, true, true, 0 },
	{ "copy xmm", secbuf_copy_xmm, 65, LONG, false, false,
	  REGISTERS_SSE },
	{ "take xmm", secbuf_take_xmm, 65, LONG, true, false, REGISTERS_SSE },
	{ "copy ymm", secbuf_copy_ymm, 128, LONG, false, true,
	  REGISTERS_HI16_ZMM },
	{ "take ymm", secbuf_take_ymm, 128, LONG, true, true,
	  REGISTERS_HI16_ZMM },
	{ "copy ymm short", secbuf_copy_ymm_short, 64, 128, false, true,
	  REGISTERS_HI16_ZMM },
	{ "take ymm short", secbuf_take_ymm_short, 64, 128, true, true,
	  REGISTERS_HI16_ZMM },
	{ "copy zmm", secbuf_copy_zmm, 256, LONG, false, true,
	  REGISTERS_HI16_ZMM },
	{ "take zmm", secbuf_take_zmm, 256, LONG, true, true,
	  REGISTERS_HI16_ZMM },
	{ "copy zmm short", secbuf_copy_zmm_short, 128, 256, false, true,
	  REGISTERS_HI16_ZMM },
	{ "take zmm short", secbuf_take_zmm_short, 128, 256, true, true,
	  REGISTERS_HI16_ZMM },
	{ "copy rep", secbuf_copy_rep, SHORT, LONG, false, false, 0 },
	{ "take rep", secbuf_take_rep, SHORT, LONG, true, false, 0 },
};

static bool can(size_t way, size_t n)
{
	return n >= ways[way].min && n <= ways[way].max &&
	       (!ways[way].avx512 || secbuf_ask_avx512vl());
}

TEST(every_way)
{
	unsigned char secret[1400], src[1400], dst[1400];
	size_t way, n, left;

	make_secret(secret, sizeof(secret));
	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (n = 0; n < 1300; n++) {
			if (!can(way, n))
				continue;
			memset(dst, FILLER, sizeof(dst));
			memcpy(src, secret, sizeof(src));
			ways[way].copy(dst + 8, src + 8, n);
			ASSERT_EQ(0, memcmp(dst + 8, secret + 8, n)) {
				TH_LOG("%s %zu", ways[way].name, n);
			}
			ASSERT_EQ(FILLER, dst[7]);
			ASSERT_EQ(FILLER, dst[8 + n]);
			left = ways[way].takes ? 0 : n;
			ASSERT_EQ(0, memcmp(src, secret, 8 + left));
			ASSERT_TRUE(is_zero(src + 8 + left, n - left)) {
				TH_LOG("%s %zu", ways[way].name, n);
			}
			ASSERT_EQ(0, memcmp(src + 8 + n, secret + 8 + n, 8));
		}
	}
}

TEST(nothing_in_vector_registers)
{
	static const size_t sizes[] = {
		8, 16, 24, 32, 48, 64, 65, 100, 128, 200, 256, 257, 1024, 4095,
		4096, 8192, 24576,
	};
	unsigned char *src = malloc(24576), *dst = malloc(24576);
	unsigned char *secret = malloc(24576);
	struct registers regs;
	unsigned int in_use;
	size_t way, i;
	bool held;

	if (!registers_init(&regs))
		SKIP(return, "no xsave on this processor");
	ASSERT_TRUE(src && dst && secret);
	make_secret(secret, 24576);
	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (!can(way, sizes[i]))
				continue;
			/* Not by memcpy(): that would leave it there. */
			make_secret(src, sizes[i]);
			registers_load(&regs);
			ways[way].copy(dst, src, sizes[i]);
			in_use = registers_in_use();
			held = registers_hold(&regs, secret, sizes[i]);
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
	free(secret);
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
