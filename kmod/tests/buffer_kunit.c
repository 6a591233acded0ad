// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that own memory, as they are built into the kernel: the message of the
 * vectors, growth that is refused, sharing, and that nothing stays behind. The
 * tests in user space have more; here it is about the other half of platform.h.
 */
#include <kunit/test.h>
#include <linux/container_of.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/secbuf_buffer.h>

#include "../../codec/vectors.h"
#include "fixture.h"

#define SECRET		"correct horse battery staple"
#define SECRET_LEN	(sizeof(SECRET) - 1)

/**
 * struct block - what a test source handed out
 * @node: in the source's list
 * @bytes: the memory
 * @size: its size
 * @live: it is out
 */
struct block {
	struct list_head node;
	u8 *bytes;
	size_t size;
	bool live;
};

/**
 * struct test_source - exact sizes, so that KASAN sees every byte too far
 * @source: what buffers see
 * @blocks: all that were ever handed out; what came back is searched
 * @live: how many are out
 * @refuse: what allocations return, if not 0
 * @test: whose it is
 */
struct test_source {
	struct secbuf_source source;
	/** @lock: protects what follows */
	struct mutex lock;
	struct list_head blocks;
	int live;
	int refuse;
	struct kunit *test;
};

static int test_alloc(struct secbuf_source *source, size_t size, void **out,
		      size_t *got)
{
	struct test_source *src = container_of(source, struct test_source,
					       source);
	struct block *block;

	if (src->refuse)
		return src->refuse;
	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	block->bytes = kzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!block->bytes) {
		kfree(block);
		return -ENOMEM;
	}
	block->size = size;
	block->live = true;
	mutex_lock(&src->lock);
	list_add(&block->node, &src->blocks);
	src->live++;
	mutex_unlock(&src->lock);
	*out = block->bytes;
	*got = size;
	return 0;
}

static void test_free(struct secbuf_source *source, void *ptr, size_t dirty)
{
	struct test_source *src = container_of(source, struct test_source,
					       source);
	struct block *block;

	mutex_lock(&src->lock);
	list_for_each_entry(block, &src->blocks, node) {
		if (block->bytes != ptr || !block->live)
			continue;
		memset(ptr, 0, dirty);
		block->live = false;
		src->live--;
		break;
	}
	mutex_unlock(&src->lock);
}

static const struct secbuf_source_ops test_ops = {
	.alloc = test_alloc,
	.free = test_free,
};

/* Whatever came back is zero, and all has. */
static void source_exit(void *arg)
{
	struct test_source *src = arg;
	struct kunit *test = src->test;
	struct block *block, *next;

	KUNIT_EXPECT_EQ(test, src->live, 0);
	list_for_each_entry_safe(block, next, &src->blocks, node) {
		KUNIT_EXPECT_NULL(test, memchr_inv(block->bytes, 0,
						   block->size));
		kfree(block->bytes);
		kfree(block);
	}
	kfree(src);
}

static struct test_source *source_new(struct kunit *test)
{
	struct test_source *src = kzalloc(sizeof(*src), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, src);
	src->source.ops = &test_ops;
	src->test = test;
	mutex_init(&src->lock);
	INIT_LIST_HEAD(&src->blocks);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, source_exit, src));
	return src;
}

static bool same_bytes(const struct secbuf_buffer *buf, const void *bytes,
		       size_t n)
{
	return buf->cur.len == n && !memcmp(buf->cur.data, bytes, n);
}

static void message_test(struct kunit *test)
{
	struct test_source *src = source_new(test);
	struct secbuf_buffer buf;
	unsigned int field;

	secbuf_buffer_init(&buf, &src->source);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_u8(&buf, 17), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_bool(&buf, true), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_u32(&buf, 699921578), 0);
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_buffer_put_u64(&buf, 0x0123456789abcdefULL));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_bytes(&buf, "abcd", 4), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_string(&buf, "testing", 7), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_mpint(&buf, "\0\x80", 2), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_string(&buf, "zlib", 4), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_string(&buf, NULL, 0), 0);
	KUNIT_EXPECT_TRUE(test, same_bytes(&buf, secbuf_vector_message,
					   sizeof(secbuf_vector_message)));
	KUNIT_EXPECT_EQ(test, secbuf_cursor_set_pos(&buf.cur, 0), 0);
	for (field = 0; field < SECBUF_VECTOR_NR_FIELDS; field++)
		KUNIT_EXPECT_EQ(test, 0,
				secbuf_vector_get_field(&buf.cur, field));
	secbuf_buffer_release(&buf);
}

static void refused_test(struct kunit *test)
{
	struct test_source *src = source_new(test);
	struct secbuf_buffer buf, before, other;
	u8 bytes[100] = {};

	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open_copy(&buf, &src->source,
							 SECRET, SECRET_LEN));
	src->refuse = -EDQUOT;
	before = buf;
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			secbuf_buffer_append(&buf, bytes, sizeof(bytes)));
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			secbuf_buffer_put_string(&buf, bytes, sizeof(bytes)));
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			secbuf_buffer_put_bytes(&buf, bytes, sizeof(bytes)));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_resize(&buf, 1000), -EDQUOT);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_reserve(&buf, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_reserve(&buf, SIZE_MAX), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_share(&buf, &other), -EDQUOT);
	KUNIT_EXPECT_EQ(test, memcmp(&buf, &before, sizeof(buf)), 0);
	KUNIT_EXPECT_TRUE(test, same_bytes(&buf, SECRET, SECRET_LEN));
	src->refuse = 0;
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_buffer_append(&buf, bytes, sizeof(bytes)));
	secbuf_buffer_release(&buf);
	secbuf_buffer_release(&other);
}

/* Growing, shrinking, clearing: source_exit() looks at what came back. */
static void left_behind_test(struct kunit *test)
{
	struct test_source *src = source_new(test);
	struct secbuf_buffer buf;
	u8 *window;

	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open_copy(&buf, &src->source,
							 SECRET, SECRET_LEN));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_resize(&buf, 20000), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_resize(&buf, 10), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf.cur.data + 10, 0, 19990));
	KUNIT_EXPECT_TRUE(test, secbuf_buffer_is_wasteful(&buf));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_shrink_to_fit(&buf), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_capacity(&buf), 10);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_prepare(&buf, 500), 0);
	window = secbuf_cursor_window(&buf.cur, 500);
	KUNIT_ASSERT_NOT_NULL(test, window);
	memcpy(window + 400, SECRET, SECRET_LEN);
	secbuf_buffer_zeroize(&buf);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf.cur.data, 0, 500));
	KUNIT_EXPECT_EQ(test, 0,
			secbuf_buffer_put_bytes(&buf, SECRET, SECRET_LEN));
	secbuf_buffer_clear(&buf);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_resize(&buf, SECRET_LEN), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf.cur.data, 0, SECRET_LEN));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_reserve(&buf, 20000), 0);
	secbuf_buffer_trim(&buf, 100);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_capacity(&buf), 100);
	secbuf_buffer_release(&buf);
}

static void own_bytes_test(struct kunit *test)
{
	static const char nested[] = "abcdefabcdef\0\0\0\14abcdefabcdef";
	struct test_source *src = source_new(test);
	struct secbuf_buffer buf;

	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open_copy(&buf, &src->source,
							 "abcdef", 6));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_append(&buf, buf.cur.data, 6), 0);
	KUNIT_EXPECT_TRUE(test, same_bytes(&buf, "abcdefabcdef", 12));
	KUNIT_EXPECT_EQ(test, secbuf_cursor_set_pos(&buf.cur, 12), 0);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_buffer(&buf, &buf), 0);
	KUNIT_EXPECT_TRUE(test, same_bytes(&buf, nested, 28));
	secbuf_buffer_release(&buf);
}

static void share_test(struct kunit *test)
{
	struct test_source *src = source_new(test);
	struct secbuf_buffer buf, other;

	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open(&buf, &src->source, 100));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_append(&buf, "hello ", 6), 0);
	KUNIT_ASSERT_EQ(test, secbuf_buffer_share(&buf, &other), 0);
	KUNIT_EXPECT_FALSE(test, secbuf_buffer_is_unique(&buf));
	KUNIT_EXPECT_PTR_EQ(test, buf.cur.data, other.cur.data);
	KUNIT_EXPECT_EQ(test, secbuf_buffer_append(&buf, "alice", 5), 0);
	KUNIT_EXPECT_TRUE(test, secbuf_buffer_is_unique(&other));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_append(&other, "bob!!", 5), 0);
	KUNIT_EXPECT_TRUE(test, same_bytes(&buf, "hello alice", 11));
	KUNIT_EXPECT_TRUE(test, same_bytes(&other, "hello bob!!", 11));
	secbuf_buffer_release(&buf);
	KUNIT_EXPECT_TRUE(test, same_bytes(&other, "hello bob!!", 11));
	secbuf_buffer_release(&other);
}

static int sharer_fn(void *arg)
{
	struct secbuf_buffer *buf = arg;
	struct secbuf_buffer mine;
	int bad = 0;
	int i;

	for (i = 0; i < 500; i++) {
		if (secbuf_buffer_share(buf, &mine) ||
		    secbuf_buffer_append(&mine, SECRET, SECRET_LEN) ||
		    memcmp(mine.cur.data, "hello ", 6))
			bad++;
		secbuf_buffer_release(&mine);
	}
	secbuf_buffer_release(buf);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return bad;
}

static void threads_share_test(struct kunit *test)
{
	struct test_source *src = source_new(test);
	struct secbuf_buffer buf, theirs[2];
	struct task_struct *task[2];
	int i;

	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open_copy(&buf, &src->source,
							 "hello ", 6));
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, secbuf_buffer_share(&buf, &theirs[i]), 0);
		task[i] = fixture_thread(test, -1, sharer_fn, &theirs[i]);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, fixture_thread_stop(test, task[i]), 0);
	KUNIT_EXPECT_TRUE(test, secbuf_buffer_is_unique(&buf));
	KUNIT_EXPECT_TRUE(test, same_bytes(&buf, "hello ", 6));
	secbuf_buffer_release(&buf);
}

static void nested_test(struct kunit *test)
{
	struct test_source *src = source_new(test);
	struct secbuf_buffer inner, outer, out;

	secbuf_buffer_init(&outer, &src->source);
	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open_copy(&inner, &src->source,
							 SECRET, SECRET_LEN));
	KUNIT_EXPECT_EQ(test, secbuf_buffer_put_buffer(&outer, &inner), 0);
	secbuf_buffer_release(&inner);
	KUNIT_EXPECT_EQ(test, secbuf_cursor_set_pos(&outer.cur, 0), 0);
	KUNIT_ASSERT_EQ(test, 0, secbuf_buffer_open_string(&out, &src->source,
							   &outer.cur));
	KUNIT_EXPECT_TRUE(test, same_bytes(&out, SECRET, SECRET_LEN));
	KUNIT_EXPECT_EQ(test, -ENODATA,
			secbuf_buffer_open_bytes(&inner, &src->source,
						 &outer.cur, 1));
	secbuf_buffer_release(&out);
	secbuf_buffer_release(&outer);
}

static struct kunit_case buffer_cases[] = {
	KUNIT_CASE(message_test),
	KUNIT_CASE(refused_test),
	KUNIT_CASE(left_behind_test),
	KUNIT_CASE(own_bytes_test),
	KUNIT_CASE(share_test),
	KUNIT_CASE(threads_share_test),
	KUNIT_CASE(nested_test),
	{}
};

static struct kunit_suite buffer_suite = {
	.name = "secbuf_buffer",
	.test_cases = buffer_cases,
};

kunit_test_suite(buffer_suite);
