// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Text into buffers: against the C library where that has the same, and no copy
 * left on the stack, on the heap or in vector registers.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secbuf.h>
#include <secbuf/text.h>

#include "harness.h"

#include "registers.h"
#include "source.h"

FIXTURE(text)
{
	struct test_source src;
	struct secbuf_buffer buf;
};

FIXTURE_SETUP(text)
{
	test_source_init(&self->src);
	self->src.exact = true;
	secbuf_buffer_init(&self->buf, &self->src.source);
}

FIXTURE_TEARDOWN(text)
{
	secbuf_buffer_release(&self->buf);
	EXPECT_TRUE(test_source_clean(&self->src));
	EXPECT_EQ(0, test_source_exit(&self->src));
}

static bool same_text(const struct secbuf_buffer *buf, const char *text)
{
	return buf->cur.len == strlen(text) &&
	       (!*text || !memcmp(buf->cur.data, text, buf->cur.len));
}

/* The same text as of snprintf(), behind what was there. */
#define CHECK(...)							\
	do {								\
		char expected[600] = "x";				\
									\
		snprintf(expected + 1, sizeof(expected) - 1, __VA_ARGS__); \
		secbuf_buffer_clear(&self->buf);			\
		ASSERT_EQ(0, secbuf_buffer_append(&self->buf, "x", 1));	\
		EXPECT_EQ(0, secbuf_buffer_printf(&self->buf, __VA_ARGS__)); \
		EXPECT_TRUE(same_text(&self->buf, expected)) {		\
			TH_LOG("%s", expected);				\
		}							\
		EXPECT_EQ(0, secbuf_cursor_pos(&self->buf.cur));	\
	} while (0)

TEST_F(text, strings)
{
	CHECK("plain");
	CHECK("%%");
	CHECK("%s", "abc");
	CHECK("a%sb%sc", "", "12");
	CHECK("[%10s][%-10s][%2s]", "abc", "abc", "abc");
	CHECK("[%.2s][%10.2s][%-10.0s][%.9s]", "abc", "abc", "abc", "abc");
	CHECK("[%*s][%-*s][%*s]", 7, "abc", 7, "abc", -7, "abc");
	CHECK("[%.*s][%.*s]", 2, "abc", -1, "abc");
	CHECK("%c%5c%-5c|", 'a', 'b', 'c');
}

TEST_F(text, numbers)
{
	static const long long numbers[] = {
		0, 1, 9, 10, -1, -10, 127, 128, 255, 256, -128, INT_MAX,
		INT_MIN, LONG_MAX, LONG_MIN, 0x123456789abcdef0,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		CHECK("%d %i %u %x %X", (int)numbers[i], (int)numbers[i],
		      (int)numbers[i], (int)numbers[i], (int)numbers[i]);
		CHECK("%lld %llu %llx %llX", numbers[i], numbers[i], numbers[i],
		      numbers[i]);
		CHECK("%ld %lu %lx", (long)numbers[i], (long)numbers[i],
		      (long)numbers[i]);
		CHECK("%zd %zu %jd %ju %td", (ssize_t)numbers[i],
		      (size_t)numbers[i], (intmax_t)numbers[i],
		      (uintmax_t)numbers[i], (ptrdiff_t)numbers[i]);
		CHECK("%hhd %hhu %hd %hu", (signed char)numbers[i],
		      (unsigned char)numbers[i], (short)numbers[i],
		      (unsigned short)numbers[i]);
		CHECK("[%12lld][%-12lld][%012lld][%.12lld][%14.12lld]",
		      numbers[i], numbers[i], numbers[i], numbers[i],
		      numbers[i]);
		CHECK("[%5x][%-5x][%05x][%.0x][%5.0d]", (int)numbers[i],
		      (int)numbers[i], (int)numbers[i], (int)numbers[i],
		      (int)numbers[i]);
	}
	CHECK("%p", (void *)&numbers[0]);
	CHECK("%d %d %d %d %d %d %d %s", 1, 2, 3, 4, 5, 6, 7, "eight");
}

TEST_F(text, formats_that_are_refused)
{
	static const char *const formats[] = {
		"%", "abc%", "%f", "%n", "%ls", "%lc", "%o", "%q", "% d", "%+d",
		"%#x", "%'d", "%5", "%.", "%l", "%99999999999d",
		"%.99999999999d", "%1$d", "abc%z",
	};
	/* Not for the compiler to see. */
	volatile int lowest = INT_MIN, highest = INT_MAX;
	size_t i;

	ASSERT_EQ(0, secbuf_buffer_append(&self->buf, "x", 1));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		EXPECT_EQ(-EINVAL, secbuf_buffer_printf(&self->buf, formats[i])) {
			TH_LOG("%s", formats[i]);
		}
		EXPECT_TRUE(same_text(&self->buf, "x"));
	}
#pragma GCC diagnostic pop
	EXPECT_EQ(-EINVAL, secbuf_buffer_printf(&self->buf, "%*d", lowest, 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_printf(&self->buf, "%*d%*d", highest,
						  1, highest, 1));
	test_source_refuse(&self->src, -EDQUOT);
	EXPECT_EQ(-EDQUOT, secbuf_buffer_printf(&self->buf, "%s", "abc"));
	EXPECT_TRUE(same_text(&self->buf, "x"));
}

TEST_F(text, hex)
{
	unsigned char bytes[256];
	char expected[513];
	size_t i;

	for (i = 0; i < 256; i++) {
		bytes[i] = i;
		snprintf(expected + 2 * i, 3, "%02zx", i);
	}
	EXPECT_EQ(0, secbuf_buffer_append_hex(&self->buf, bytes, 256));
	EXPECT_TRUE(same_text(&self->buf, expected));
	secbuf_buffer_clear(&self->buf);
	EXPECT_EQ(0, secbuf_buffer_append_unhex(&self->buf, expected, 512));
	EXPECT_EQ(256, self->buf.cur.len);
	EXPECT_EQ(0, memcmp(self->buf.cur.data, bytes, 256));
	for (i = 0; i < 512; i++)
		if (expected[i] >= 'a')
			expected[i] -= 32;
	secbuf_buffer_clear(&self->buf);
	EXPECT_EQ(0, secbuf_buffer_append_unhex(&self->buf, expected, 512));
	EXPECT_EQ(0, memcmp(self->buf.cur.data, bytes, 256));
	EXPECT_EQ(0, secbuf_buffer_append_hex(&self->buf, NULL, 0));
	EXPECT_EQ(0, secbuf_buffer_append_unhex(&self->buf, NULL, 0));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append_hex(&self->buf, bytes,
						      SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append_hex(&self->buf, bytes,
						      SIZE_MAX / 2 + 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append_unhex(&self->buf, expected,
							SIZE_MAX - 1));
	EXPECT_EQ(256, self->buf.cur.len);
}

TEST_F(text, every_character_as_a_digit)
{
	char text[2];
	int c, i, expected;

	ASSERT_EQ(0, secbuf_buffer_reserve(&self->buf, 100));
	for (c = 0; c < 256; c++) {
		expected = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			   (c >= 'A' && c <= 'F') ? 0 : -EBADMSG;
		for (i = 0; i < 2; i++) {
			text[i] = c;
			text[!i] = '7';
			EXPECT_EQ(expected,
				  secbuf_buffer_append_unhex(&self->buf, text,
							     2)) {
				TH_LOG("%d", c);
			}
			EXPECT_EQ(expected ? 0 : 1, self->buf.cur.len);
			if (expected)
				EXPECT_EQ(0, self->buf.cur.data[0]);
			secbuf_buffer_clear(&self->buf);
		}
	}
	EXPECT_EQ(-EBADMSG, secbuf_buffer_append_unhex(&self->buf, "123", 3));
	EXPECT_EQ(-EBADMSG, secbuf_buffer_append_unhex(&self->buf, "0x", 2));
}

/* RFC 4648, section 10, and what needs the rest of the alphabet. */
TEST_F(text, base64)
{
	static const struct {
		const char *bytes, *text;
		size_t n;
	} vectors[] = {
		{ "", "", 0 },
		{ "f", "Zg==", 1 },
		{ "fo", "Zm8=", 2 },
		{ "foo", "Zm9v", 3 },
		{ "foob", "Zm9vYg==", 4 },
		{ "fooba", "Zm9vYmE=", 5 },
		{ "foobar", "Zm9vYmFy", 6 },
		{ "\xfb\xff\xbf", "+/+/", 3 },
		{ "\0\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf",
		  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		  48 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		secbuf_buffer_clear(&self->buf);
		EXPECT_EQ(0, secbuf_buffer_append_base64(&self->buf,
							 vectors[i].bytes,
							 vectors[i].n));
		EXPECT_TRUE(same_text(&self->buf, vectors[i].text));
		secbuf_buffer_clear(&self->buf);
		EXPECT_EQ(0, secbuf_buffer_append_unbase64(&self->buf,
							   vectors[i].text,
							   strlen(vectors[i].text)));
		EXPECT_EQ(vectors[i].n, self->buf.cur.len);
		EXPECT_EQ(0, vectors[i].n && memcmp(self->buf.cur.data,
						    vectors[i].bytes,
						    vectors[i].n));
	}
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_append_base64(&self->buf, "", SIZE_MAX));
}

TEST_F(text, base64_that_is_refused)
{
	static const char *const texts[] = {
		"Z", "Zg", "Zg=", "Zm9vY", "====", "Z===", "=Zg=", "Zg==Zg==",
		"Zh==", "Zn==", "Zm9=", "Zm+=", "Zm8=Zm8=", "Zm9 ", "Zm\n8", "Zm8-",
		"_m8=", "Z=8=", "Zg=a",
	};
	const size_t alphabet = 64;
	size_t i, good = 0;
	char text[5] = "Zm9v";
	int c, err;

	ASSERT_EQ(0, secbuf_buffer_reserve(&self->buf, 100));
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		EXPECT_EQ(-EBADMSG,
			  secbuf_buffer_append_unbase64(&self->buf, texts[i],
							strlen(texts[i]))) {
			TH_LOG("%s", texts[i]);
		}
		EXPECT_EQ(0, self->buf.cur.len);
		EXPECT_EQ(0, self->buf.cur.data[0]);
	}
	for (c = 0; c < 256; c++) {
		text[1] = c;
		err = secbuf_buffer_append_unbase64(&self->buf, text, 4);
		good += !err;
		EXPECT_TRUE(!err || err == -EBADMSG);
		secbuf_buffer_clear(&self->buf);
	}
	EXPECT_EQ(alphabet, good);
}

TEST_F(text, round_trips)
{
	unsigned char bytes[100];
	struct secbuf_buffer text;
	const char *digits;
	size_t n, i;

	for (n = 0; n <= sizeof(bytes); n++) {
		for (i = 0; i < n; i++)
			bytes[i] = i * 37 + n;
		secbuf_buffer_init(&text, &self->src.source);
		EXPECT_EQ(0, secbuf_buffer_append_base64(&text, bytes, n));
		secbuf_buffer_clear(&self->buf);
		digits = (char *)text.cur.data;
		EXPECT_EQ(0, secbuf_buffer_append_unbase64(&self->buf, digits,
							   text.cur.len));
		EXPECT_EQ(n, self->buf.cur.len);
		EXPECT_EQ(0, n && memcmp(self->buf.cur.data, bytes, n));
		secbuf_buffer_release(&text);
	}
}

/*
 * What is left behind. The secret is made anew by arithmetic wherever it is
 * needed for comparing, after the call.
 */

#define STACK_SIZE	16384

static unsigned char stack_copy[STACK_SIZE];

/*
 * Of the stack below the caller: where the functions called have been. Without
 * a call, which would go there itself.
 */
static inline __attribute__((always_inline)) void copy_stack(void)
{
#ifdef __x86_64__
	unsigned char *to = stack_copy;
	size_t n = STACK_SIZE;

	__asm__ volatile("lea	-%c[size](%%rsp), %%rsi\n"
			 "	rep movsb\n"
			 : "+D" (to), "+c" (n) : [size] "i" (STACK_SIZE)
			 : "rsi", "memory");
#else
	const unsigned char *here = __builtin_frame_address(0);

	memcpy(stack_copy, here - STACK_SIZE, STACK_SIZE);
#endif
}

__attribute__((noinline))
static void wipe_stack(void)
{
	unsigned char bytes[STACK_SIZE];

	explicit_bzero(bytes, sizeof(bytes));
}

static bool stack_holds(const void *bytes, size_t n)
{
	return memmem(stack_copy, STACK_SIZE, bytes, n);
}

/* Through /proc: everything that can be written, but for what is not heap. */
static bool heap_holds(const void *bytes, size_t n)
{
	unsigned long begin = 0, end = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[heap]"))
			sscanf(line, "%lx-%lx", &begin, &end);
	if (maps)
		fclose(maps);
	return begin && memmem((void *)begin, end - begin, bytes, n);
}

#define SECRET_LEN	40

/* In memory that is neither stack nor heap. */
static char secret[SECRET_LEN + 1];
static unsigned char room[1024];
static char __attribute__((unused)) printed[SECRET_LEN];

static void make_secret(void)
{
	size_t i;

	for (i = 0; i < SECRET_LEN; i++) {
		secret[i] = 'A' + (i * 11 + 5) % 26;
		__asm__ volatile("" : : : "memory");
	}
}

static int room_alloc(struct secbuf_source *source, size_t size, void **out,
		      size_t *got)
{
	(void)source;
	if (size > sizeof(room))
		return -ENOMEM;
	*out = room;
	*got = sizeof(room);
	return 0;
}

static void room_free(struct secbuf_source *source, void *ptr, size_t dirty)
{
	(void)source;
	memset(ptr, 0, dirty);
}

static const struct secbuf_source_ops room_ops = { room_alloc, room_free };
static struct secbuf_source room_source = { &room_ops };

/* Somebody else writes a string while it is printed. */
static char shared[64];
static const char *shared_next;

static int shared_alloc(struct secbuf_source *source, size_t size, void **out,
			size_t *got)
{
	strcpy(shared, shared_next);
	return room_alloc(source, size, out, got);
}

static const struct secbuf_source_ops shared_ops = { shared_alloc, room_free };
static struct secbuf_source shared_source = { &shared_ops };

TEST(printf_of_what_changes)
{
	static const char *const next[] = {
		"0123456789abcdef0123456789abcdef", "", "012345",
	};
	struct secbuf_buffer buf;
	size_t i, j;

	for (i = 0; i < 3; i++) {
		secbuf_buffer_init(&buf, &shared_source);
		strcpy(shared, "01234567");
		shared_next = next[i];
		memset(room, 0, sizeof(room));
		EXPECT_EQ(-EMSGSIZE, secbuf_buffer_printf(&buf, "<%s>", shared));
		EXPECT_EQ(0, buf.cur.len);
		for (j = 0; j < 64; j++)
			EXPECT_EQ(0, room[j]);
		secbuf_buffer_release(&buf);
	}
}

/* The control: as one would do it without thinking. */
__attribute__((noinline))
static void print_by_way_of_stack(struct secbuf_buffer *buf)
{
	char line[100];

	snprintf(line, sizeof(line), "<%50s>", secret);
	secbuf_buffer_append(buf, line, strlen(line));
}

TEST(printf_leaves_no_copy)
{
	struct secbuf_buffer buf;
	int way;

	make_secret();
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(0, secbuf_buffer_open(&buf, &room_source, 1024));
		wipe_stack();
		if (way)
			secbuf_buffer_printf(&buf, "<%50s>%.20s", secret, secret);
		else
			print_by_way_of_stack(&buf);
		copy_stack();
		EXPECT_EQ(!way, stack_holds(secret, 8));
		EXPECT_FALSE(heap_holds(secret, 8));
		secbuf_buffer_release(&buf);
	}
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
/* Digits of a number, and the number itself. */
TEST(printf_leaves_no_number)
{
	volatile uint64_t number = 0x1122334455667788ULL;
	static uint64_t copy;
	struct secbuf_buffer buf;
	int way;

	for (way = 0; way < 2; way++) {
		ASSERT_EQ(0, secbuf_buffer_open(&buf, &room_source, 1024));
		wipe_stack();
		if (way)
			secbuf_buffer_printf(&buf, "%llu",
					     (unsigned long long)number);
		else
			snprintf((char *)room, sizeof(room), "%llu",
				 (unsigned long long)number);
		copy_stack();
		copy = number;
		memcpy(printed, room, 19);
		/* The control: the C library leaves it there. */
		EXPECT_EQ(!way, stack_holds(printed, 19) ||
			  stack_holds(&copy, sizeof(copy)));
		secbuf_buffer_release(&buf);
	}
}

static int by_printf(struct secbuf_buffer *buf)
{
	return secbuf_buffer_printf(buf, "%s%.20s", secret, secret);
}

static int by_hex(struct secbuf_buffer *buf)
{
	return secbuf_buffer_reserve(buf, 200) ?:
	       secbuf_buffer_append_hex(buf, secret, SECRET_LEN) ?:
	       secbuf_buffer_append_unhex(buf, (char *)buf->cur.data,
					  2 * SECRET_LEN);
}

static int by_base64(struct secbuf_buffer *buf)
{
	return secbuf_buffer_reserve(buf, 200) ?:
	       secbuf_buffer_append_base64(buf, secret, SECRET_LEN) ?:
	       secbuf_buffer_append_unbase64(buf, (char *)buf->cur.data,
					     (SECRET_LEN + 2) / 3 * 4);
}

static int by_append(struct secbuf_buffer *buf)
{
	int err = 0;
	int i;

	for (i = 0; !err && i < 10; i++)
		err = secbuf_buffer_append(buf, secret, SECRET_LEN);
	return err;
}

static int by_put(struct secbuf_buffer *buf)
{
	return secbuf_buffer_put_string(buf, secret, SECRET_LEN) ?:
	       secbuf_buffer_put_mpint(buf, secret, SECRET_LEN) ?:
	       secbuf_buffer_put_bytes(buf, secret, SECRET_LEN) ?:
	       secbuf_buffer_resize(buf, 2000);
}

static int by_get(struct secbuf_buffer *buf)
{
	static unsigned char bytes[SECRET_LEN];
	const unsigned char *view;
	size_t len;

	return secbuf_buffer_put_string(buf, secret, SECRET_LEN) ?:
	       secbuf_cursor_set_pos(&buf->cur, 0) ?:
	       secbuf_cursor_get_text(&buf->cur, &view, &len) ?:
	       secbuf_cursor_rewind(&buf->cur, SECRET_LEN) ?:
	       secbuf_cursor_get_bytes(&buf->cur, bytes, SECRET_LEN);
}

static int by_share(struct secbuf_buffer *buf)
{
	struct secbuf_buffer other;
	int err;

	err = secbuf_buffer_append(buf, secret, SECRET_LEN) ?:
	      secbuf_buffer_share(buf, &other);
	if (err)
		return err;
	err = secbuf_buffer_unshare(&other) ?:
	      secbuf_buffer_shrink_to_fit(&other);
	secbuf_buffer_release(&other);
	return err;
}

static int by_comparing(struct secbuf_buffer *buf)
{
	return secbuf_buffer_append(buf, secret, SECRET_LEN) ?:
	       !secbuf_memory_equal(buf->cur.data, secret, SECRET_LEN);
}

/* A piece of 8 bytes of a secret or of what is made of it, in any register. */
TEST_F(text, nothing_in_vector_registers)
{
	static const struct {
		const char *name;
		int (*call)(struct secbuf_buffer *buf);
	} calls[] = {
		{ "printf", by_printf },
		{ "hex", by_hex },
		{ "base64", by_base64 },
		{ "append", by_append },
		{ "put", by_put },
		{ "get", by_get },
		{ "share", by_share },
		{ "compare", by_comparing },
	};
	struct registers regs;
	bool held;
	size_t i;
	int err;

	if (!registers_init(&regs))
		SKIP(return, "no xsave on this processor");
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		make_secret();
		secbuf_buffer_release(&self->buf);
		registers_load(&regs);
		err = calls[i].call(&self->buf);
		held = registers_hold(&regs, secret, SECRET_LEN);
		EXPECT_EQ(0, err);
		EXPECT_FALSE(held) {
			TH_LOG("%s", calls[i].name);
		}
	}
	free(regs.area);
}
#endif

TEST_HARNESS_MAIN
