// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * When a part of a ring or of a pool cannot be mapped, kernels before 6.12 leave
 * a hole where it was to be, and another thread gets that place. Its memory must
 * stay.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

#include "../src/internal.h"
#include "device.h"

#define SIZE	16384
#define THEIRS	0x5a

enum object { PRODUCER, CONSUMER, POOL, HEAP };

/**
 * struct hole - what mmap() is to do, and has done
 * @left: parts to be mapped until one fails; 0: none will
 * @reset_fd: end of the ring that is reset right before that; -1: no ring
 * @base: what was reserved last
 * @size: of that
 * @at: the part that could not be mapped, and memory of another thread since
 * @len: of that
 */
static struct hole {
	int left;
	int reset_fd;
	unsigned char *base;
	size_t size;
	unsigned char *at;
	size_t len;
} hole;

static void *real_mmap(void *addr, size_t len, int prot, int flags, int fd,
		       off_t offset)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

/* Later kernels put back what was there: not here. */
static void *fail_mmap(void *addr, size_t len, int prot, int flags, int fd,
		       off_t offset)
{
	struct secbuf_ring_plain_args args = { 0 };
	int err;

	if (hole.reset_fd >= 0)
		secbuf_ioctl_ring_reset(hole.reset_fd, &args);
	else
		flags ^= MAP_SHARED | MAP_PRIVATE;
	if (real_mmap(addr, len, prot, flags, fd, offset) != MAP_FAILED)
		return addr;
	err = errno;
	munmap(addr, len);
	hole.at = real_mmap(addr, len, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	hole.len = len;
	memset(hole.at, THEIRS, len);
	errno = err;
	return MAP_FAILED;
}

/* Instead of that of the C library. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *mem;

	if (flags & MAP_FIXED && fd >= 0 && hole.left && !--hole.left)
		return fail_mmap(addr, len, prot, flags, fd, offset);
	mem = real_mmap(addr, len, prot, flags, fd, offset);
	if (prot == PROT_NONE && !(flags & MAP_FIXED)) {
		hole.base = mem;
		hole.size = len;
	}
	return mem;
}

FIXTURE(hole) {
	struct secbuf_context *ctx;
	struct secbuf_heap *heap;
	int in, out;
};

/* @part: which of its parts fails */
FIXTURE_VARIANT(hole) {
	enum object object;
	int part;
	int err;
};

FIXTURE_VARIANT_ADD(hole, producer_head) {
	.object = PRODUCER, .part = 1, .err = -ESHUTDOWN,
};

FIXTURE_VARIANT_ADD(hole, producer_tail) {
	.object = PRODUCER, .part = 2, .err = -ESHUTDOWN,
};

FIXTURE_VARIANT_ADD(hole, producer_data) {
	.object = PRODUCER, .part = 3, .err = -ESHUTDOWN,
};

FIXTURE_VARIANT_ADD(hole, consumer_head) {
	.object = CONSUMER, .part = 1, .err = -ESHUTDOWN,
};

FIXTURE_VARIANT_ADD(hole, consumer_tail) {
	.object = CONSUMER, .part = 2, .err = -ESHUTDOWN,
};

FIXTURE_VARIANT_ADD(hole, consumer_data) {
	.object = CONSUMER, .part = 3, .err = -ESHUTDOWN,
};

FIXTURE_VARIANT_ADD(hole, pool_control) {
	.object = POOL, .part = 1, .err = -EINVAL,
};

FIXTURE_VARIANT_ADD(hole, pool_slots) {
	.object = POOL, .part = 2, .err = -EINVAL,
};

FIXTURE_VARIANT_ADD(hole, heap_control) {
	.object = HEAP, .part = 1, .err = -EINVAL,
};

FIXTURE_VARIANT_ADD(hole, heap_slots) {
	.object = HEAP, .part = 2, .err = -EINVAL,
};

FIXTURE_SETUP(hole)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = SIZE,
		.flags = SECBUF_RING_F_PASSABLE,
	};

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_ring_create(&self->in, &self->out, self->ctx,
					&opts));
	ASSERT_EQ(0, secbuf_heap_open(&self->heap, self->ctx, NULL));
}

FIXTURE_TEARDOWN(hole)
{
	secbuf_heap_close(self->heap);
	close(self->in);
	close(self->out);
	secbuf_close(self->ctx);
}

static int map_object(FIXTURE_DATA(hole) *self, enum object object)
{
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	struct secbuf_pool *pool;
	void *ptr;

	hole.reset_fd = -1;
	switch (object) {
	case PRODUCER:
		hole.reset_fd = self->out;
		return secbuf_ring_producer_attach(&producer, self->in);
	case CONSUMER:
		hole.reset_fd = self->in;
		return secbuf_ring_consumer_attach(&consumer, self->out);
	case POOL:
		return secbuf_pool_open(&pool, self->ctx, NULL);
	default:
		return secbuf_heap_alloc(self->heap, 100, &ptr);
	}
}

static bool is_mapped(void *page)
{
	unsigned char vec;

	return !mincore(page, sysconf(_SC_PAGESIZE), &vec);
}

/* Pages of what was reserved that are mapped still, but for the hole. */
static size_t pages_left(void)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	size_t nr = 0, at;

	for (at = 0; at < hole.size; at += page) {
		if (hole.base + at >= hole.at &&
		    hole.base + at < hole.at + hole.len)
			continue;
		nr += is_mapped(hole.base + at);
	}
	return nr;
}

TEST_F(hole, of_another_thread_stays)
{
	size_t i, lost = 0;

	hole.left = variant->part;
	EXPECT_EQ(variant->err, map_object(self, variant->object));
	ASSERT_NE(NULL, hole.at);
	ASSERT_NE(MAP_FAILED, hole.at);
	ASSERT_EQ(0, probe(hole.at));
	ASSERT_EQ(0, probe(hole.at + hole.len - 1));
	for (i = 0; i < hole.len; i++)
		lost += hole.at[i] != THEIRS;
	EXPECT_EQ(0, lost);
	/* A heap keeps what it has reserved. */
	EXPECT_EQ(variant->object == HEAP, is_mapped(hole.at + hole.len));
	if (variant->object != HEAP)
		EXPECT_EQ(0, pages_left());
}

TEST_HARNESS_MAIN
