// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel-held pools: buffers that are named by ids, granted zero, copied into
 * and out of within their size, taken back zeroized.
 */
#include "secbuf_fixture.h"
#include "secbuf_limits.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define NR_BUFS		64
#define NR_MIN		8
#define BUF_SIZE_MAX	SECBUF_POOL_BUF_SIZE_MAX

static const struct timespec ten_ms = { .tv_nsec = 10 * 1000 * 1000 };

FIXTURE(kpool)
{
	int		dev;
	int		fd;
	__u32		size;
	__u64		class_size;
	unsigned char	*data;		/* a page more than BUF_SIZE_MAX */
};

FIXTURE_VARIANT(kpool)
{
	__u32	size;
	__u64	class_size;
};

FIXTURE_VARIANT_ADD(kpool, smallest) { .size = 1, .class_size = 64 };
FIXTURE_VARIANT_ADD(kpool, within_class) { .size = 1500, .class_size = 2048 };
FIXTURE_VARIANT_ADD(kpool, class) { .size = 8192, .class_size = 8192 };
FIXTURE_VARIANT_ADD(kpool, largest) { .size = 65536, .class_size = 65536 };

FIXTURE_SETUP(kpool)
{
	struct secbuf_pool_create_args args;

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, kpool_create(self->dev, variant->size, NR_MIN, NR_BUFS,
				  &args));
	EXPECT_EQ(variant->class_size, args.out_slot_size);
	EXPECT_EQ(0, args.out_mmap_size);
	EXPECT_EQ(NR_BUFS, args.out_max_slots);
	self->fd = args.out_fd;
	self->size = variant->size;
	self->class_size = variant->class_size;
	self->data = mmap(NULL, BUF_SIZE_MAX + PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->data);
}

FIXTURE_TEARDOWN(kpool)
{
	munmap(self->data, BUF_SIZE_MAX + PAGE);
	close(self->fd);
	close(self->dev);
}

static int fill(FIXTURE_DATA(kpool) *self, __u64 id, int value)
{
	memset(self->data, value, self->size);
	return pool_write(self->fd, id, 0, self->data, self->size);
}

/* How many bytes of the buffer are not @value, or -errno. */
static long contents_not(FIXTURE_DATA(kpool) *self, __u64 id, int value)
{
	int ret;

	memset(self->data, ~value, self->size);
	ret = pool_read(self->fd, id, 0, self->data, self->size);
	return ret ? ret : (long)count_not(self->data, value, self->size);
}

TEST_F(kpool, granted_buffers_are_zero_and_distinct)
{
	__u64 ids[NR_BUFS];

	ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
	for (int i = 0; i < NR_BUFS; i++) {
		EXPECT_NE(0, ids[i]);
		EXPECT_EQ(0, contents_not(self, ids[i], 0));
		ASSERT_EQ(0, fill(self, ids[i], 1 + i));
	}
	for (int i = 0; i < NR_BUFS; i++)
		EXPECT_EQ(0, contents_not(self, ids[i], 1 + i));
}

TEST_F(kpool, granted_again_is_zero)
{
	__u64 ids[NR_BUFS];

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
		for (int i = 0; i < NR_BUFS; i++) {
			EXPECT_EQ(0, contents_not(self, ids[i], 0));
			ASSERT_EQ(0, fill(self, ids[i], 0xa5));
		}
		ASSERT_EQ(NR_BUFS, pool_free(self->fd, ids, NR_BUFS));
	}
}

/* The dirty part need not begin at the start, nor be written in order. */
TEST_F(kpool, written_at_the_end_is_zero_again)
{
	const unsigned char byte = 0xa5;
	__u64 ids[NR_BUFS];

	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
		for (int i = 0; i < NR_BUFS; i++) {
			EXPECT_EQ(0, contents_not(self, ids[i], 0));
			ASSERT_EQ(0, pool_write(self->fd, ids[i],
						self->size - 1, &byte, 1));
			ASSERT_EQ(0, pool_write(self->fd, ids[i], 0, &byte, 1));
		}
		ASSERT_EQ(NR_BUFS, pool_free(self->fd, ids, NR_BUFS));
	}
}

/* The size asked for is the limit, not the size class. */
TEST_F(kpool, past_the_end)
{
	const __u32 size = self->size;
	const struct {
		__u32 offset, len;
		int ret;
	} spans[] = {
		{ 0, size, 0 }, { size - 1, 1, 0 }, { size, 0, 0 }, { 0, 0, 0 },
		{ 0, size + 1, -EINVAL }, { size, 1, -EINVAL },
		{ size - 1, 2, -EINVAL }, { size + 1, 0, -EINVAL },
		{ size + 1, 1, -EINVAL }, { self->class_size, 1, -EINVAL },
		{ 0, ~0U, -EINVAL }, { 1, ~0U, -EINVAL },
		{ size, ~0U, -EINVAL }, { ~0U, 0, -EINVAL },
		{ ~0U, 1, -EINVAL }, { ~0U, 2, -EINVAL }, { ~0U, ~0U, -EINVAL },
		{ 1U << 31, 1U << 31, -EINVAL },
	};
	__u64 id;

	ASSERT_EQ(1, pool_alloc(self->fd, &id, 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(spans); i++) {
		EXPECT_EQ(spans[i].ret, pool_read(self->fd, id, spans[i].offset,
						  self->data, spans[i].len));
		EXPECT_EQ(spans[i].ret, pool_write(self->fd, id,
						   spans[i].offset, self->data,
						   spans[i].len));
	}
}

static void expect_no_such_id(struct __test_metadata *_metadata,
			      FIXTURE_DATA(kpool) *self, __u64 id)
{
	struct secbuf_pool_stats_args before, after;

	ASSERT_EQ(0, pool_stats(self->fd, &before));
	EXPECT_EQ(-ENOENT, pool_free(self->fd, &id, 1));
	EXPECT_EQ(-ENOENT, pool_read(self->fd, id, 0, self->data, 1));
	EXPECT_EQ(-ENOENT, pool_write(self->fd, id, 0, self->data, 1));
	ASSERT_EQ(0, pool_stats(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
}

#define EXPECT_NO_SUCH_ID(id)	expect_no_such_id(_metadata, self, id)

TEST_F(kpool, ids_that_never_were)
{
	EXPECT_NO_SUCH_ID(0);
	EXPECT_NO_SUCH_ID(1);
	EXPECT_NO_SUCH_ID(~0ULL);
	EXPECT_NO_SUCH_ID(1ULL << 20);
	EXPECT_NO_SUCH_ID(1ULL << 63);
}

/* With one buffer out no other number is an id, however similar. */
TEST_F(kpool, ids_that_differ_in_a_bit)
{
	__u64 id;

	ASSERT_EQ(1, pool_alloc(self->fd, &id, 1));
	for (int bit = 0; bit < 64; bit++)
		EXPECT_NO_SUCH_ID(id ^ (1ULL << bit));
	EXPECT_EQ(1, pool_free(self->fd, &id, 1));
}

TEST_F(kpool, id_freed_twice)
{
	__u64 id, again;

	ASSERT_EQ(1, pool_alloc(self->fd, &id, 1));
	ASSERT_EQ(1, pool_free(self->fd, &id, 1));
	EXPECT_NO_SUCH_ID(id);

	/* What comes next has its place and not its name. */
	ASSERT_EQ(1, pool_alloc(self->fd, &again, 1));
	EXPECT_NE(id, again);
	EXPECT_NO_SUCH_ID(id);
	EXPECT_EQ(1, pool_free(self->fd, &again, 1));
}

/* The next id that this entry will have is not known before. */
TEST_F(kpool, ids_of_the_future)
{
	__u64 ids[3];

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(1, pool_alloc(self->fd, &ids[i], 1));
		ASSERT_EQ(1, pool_free(self->fd, &ids[i], 1));
	}
	ids[2] = ids[1] + (ids[1] - ids[0]);
	EXPECT_NO_SUCH_ID(ids[2]);
	EXPECT_NO_SUCH_ID(ids[2] - (ids[1] - ids[0]) / 2);
}

TEST_F(kpool, ids_are_given_once)
{
	enum { ROUNDS = 500 };
	static __u64 ids[4 * ROUNDS];
	unsigned int again = 0;

	for (int i = 0; i < 4 * ROUNDS; i += 4) {
		ASSERT_EQ(4, pool_alloc(self->fd, ids + i, 4));
		ASSERT_EQ(4, pool_free(self->fd, ids + i, 4));
	}
	for (int i = 0; i < 4 * ROUNDS; i++)
		for (int j = 0; j < i; j++)
			again += ids[i] == ids[j];
	EXPECT_EQ(0, again);
}

TEST_F(kpool, ids_of_another_pool)
{
	struct secbuf_pool_create_args args;
	__u64 mine[4], other[4];

	ASSERT_EQ(0, kpool_create(self->dev, self->size, 0, NR_BUFS, &args));
	ASSERT_EQ(4, pool_alloc(self->fd, mine, 4));
	ASSERT_EQ(4, pool_alloc(args.out_fd, other, 4));
	for (int i = 0; i < 4; i++) {
		EXPECT_NO_SUCH_ID(other[i]);
		EXPECT_EQ(-ENOENT, pool_free(args.out_fd, &mine[i], 1));
	}
	EXPECT_EQ(4, pool_free(self->fd, mine, 4));
	EXPECT_EQ(4, pool_free(args.out_fd, other, 4));
	close(args.out_fd);
}

TEST_F(kpool, free_same_id_twice_in_batch)
{
	__u64 ids[3];

	ASSERT_EQ(2, pool_alloc(self->fd, ids, 2));
	ids[2] = ids[1];
	ids[1] = ids[0];
	EXPECT_EQ(1, pool_free(self->fd, ids, 3));
	EXPECT_EQ(1, pool_free(self->fd, &ids[2], 1));
}

TEST_F(kpool, free_stops_in_the_middle)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_BUFS], bad;

	/* Once in the first 32, once beyond: they are handled apart. */
	for (int at = 2; at < NR_BUFS; at += 40) {
		ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
		bad = ids[at];
		ids[at] = 0;
		EXPECT_EQ(at, pool_free(self->fd, ids, NR_BUFS));
		ASSERT_EQ(0, pool_stats(self->fd, &stats));
		EXPECT_EQ(NR_BUFS - at, stats.out_in_use);
		EXPECT_EQ(-ENOENT, pool_free(self->fd, ids + at, NR_BUFS - at));
		ids[at] = bad;
		EXPECT_EQ(NR_BUFS - at,
			  pool_free(self->fd, ids + at, NR_BUFS - at));
	}
}

TEST_F(kpool, free_all)
{
	__u64 ids[NR_BUFS];

	EXPECT_EQ(0, pool_free_flags(self->fd, NULL, 0,
				     SECBUF_POOL_FREE_F_ALL));
	ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
	for (int i = 0; i < NR_BUFS; i++)
		ASSERT_EQ(0, fill(self, ids[i], 0xa5));
	ASSERT_EQ(1, pool_free(self->fd, ids + 40, 1));
	EXPECT_EQ(-EINVAL, pool_free_flags(self->fd, ids, 0,
					   SECBUF_POOL_FREE_F_ALL));
	EXPECT_EQ(-EINVAL, pool_free_flags(self->fd, NULL, 1,
					   SECBUF_POOL_FREE_F_ALL));
	EXPECT_EQ(-EFAULT, pool_free_flags(self->fd, NULL, 1, 0));
	EXPECT_EQ(NR_BUFS - 1, pool_free_flags(self->fd, NULL, 0,
					       SECBUF_POOL_FREE_F_ALL));
	EXPECT_EQ(-ENOENT, pool_read(self->fd, ids[0], 0, self->data, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->fd, ids + NR_BUFS - 1, 1));
	ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
	for (int i = 0; i < NR_BUFS; i++)
		EXPECT_EQ(0, contents_not(self, ids[i], 0));
}

TEST_F(kpool, limit)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_BUFS + 1];

	/* The batch that hits the limit in its middle succeeds in part. */
	ASSERT_EQ(3, pool_alloc(self->fd, ids, 3));
	EXPECT_EQ(NR_BUFS - 3, pool_alloc(self->fd, ids + 3, NR_BUFS));
	EXPECT_EQ(-ENOSPC, pool_alloc(self->fd, ids + NR_BUFS, 1));
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(NR_BUFS, stats.out_in_use);
	EXPECT_EQ(NR_BUFS, stats.out_allocated);
	EXPECT_EQ(2, stats.out_failures);

	EXPECT_EQ(1, pool_free(self->fd, ids + 3, 1));
	EXPECT_EQ(1, pool_alloc(self->fd, ids + 3, 1));
	EXPECT_EQ(-ENOSPC, pool_alloc(self->fd, ids + NR_BUFS, 1));
	EXPECT_EQ(NR_BUFS, pool_free(self->fd, ids, NR_BUFS));
}

TEST_F(kpool, nr_out_of_range)
{
	static struct secbuf_pool_vec vecs[1025];
	static __u64 ids[1025];

	EXPECT_EQ(-EINVAL, pool_alloc(self->fd, ids, 0));
	EXPECT_EQ(-EINVAL, pool_alloc(self->fd, ids, 1025));
	EXPECT_EQ(-EINVAL, pool_alloc(self->fd, ids, ~0U));
	EXPECT_EQ(-EINVAL, pool_free(self->fd, ids, 0));
	EXPECT_EQ(-EINVAL, pool_free(self->fd, ids, 1025));
	EXPECT_EQ(-EINVAL, pool_copy(self->fd, SECBUF_IOC_POOL_READ, vecs, 0));
	EXPECT_EQ(-EINVAL, pool_copy(self->fd, SECBUF_IOC_POOL_READ, vecs,
				     1025));
	EXPECT_EQ(-EINVAL, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs, 0));
	EXPECT_EQ(-EINVAL, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs,
				     ~0U));
	EXPECT_EQ(-EINVAL, pool_shrink(self->fd, 0));
}

#define EXPECT_BALANCE(nr) do {						\
	struct secbuf_pool_stats_args _s;				\
									\
	ASSERT_EQ(0, pool_stats(self->fd, &_s));			\
	EXPECT_EQ((nr), _s.out_in_use);					\
	EXPECT_EQ((nr), _s.out_acquired - _s.out_returned);		\
	EXPECT_EQ(_s.out_acquired, _s.out_magazine_hits +		\
		  _s.out_depot_hits + _s.out_misses);			\
	EXPECT_EQ(_s.out_allocated, (nr) + _s.out_available);		\
	EXPECT_LE(_s.out_allocated * self->class_size, _s.out_bytes);	\
} while (0)

TEST_F(kpool, stats_balance)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_BUFS], written = 0;

	for (int nr = 1; nr <= NR_BUFS; nr += 9) {
		ASSERT_EQ(nr, pool_alloc(self->fd, ids, nr));
		EXPECT_BALANCE(nr);
		for (int i = 0; i < nr; i++) {
			ASSERT_EQ(0, fill(self, ids[i], 0xa5));
			written += self->size;
		}
		ASSERT_EQ(nr, pool_free(self->fd, ids, nr));
		EXPECT_BALANCE(0);
		ASSERT_EQ(0, pool_stats(self->fd, &stats));
		EXPECT_EQ(nr, stats.out_peak);
		EXPECT_EQ(written, stats.out_bytes_zeroized);
	}
	EXPECT_EQ(NR_BUFS, stats.out_max_slots);
	EXPECT_EQ(NR_MIN, stats.out_min_slots);
	EXPECT_EQ(0, stats.out_failures);
	EXPECT_EQ(0, stats.out_leaks);
	EXPECT_LT(0, stats.out_magazine_hits + stats.out_depot_hits);
}

TEST_F(kpool, min_is_there_from_the_start)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_MIN];

	EXPECT_BALANCE(0);
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(NR_MIN, stats.out_allocated);
	EXPECT_EQ(NR_MIN, stats.out_available);
	ASSERT_EQ(NR_MIN, pool_alloc(self->fd, ids, NR_MIN));
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(0, stats.out_misses);
	EXPECT_EQ(NR_MIN, stats.out_allocated);
}

TEST_F(kpool, shrink_to_min)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[NR_BUFS], bytes, full;
	__u32 parked;

	bytes = secbuf_bytes(self->dev);
	EXPECT_EQ(0, pool_shrink(self->fd, ~0U));
	ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
	EXPECT_EQ(0, pool_shrink(self->fd, ~0U));
	full = secbuf_bytes(self->dev);
	EXPECT_LE(bytes + (NR_BUFS - NR_MIN) * self->class_size, full);
	ASSERT_EQ(NR_BUFS, pool_free(self->fd, ids, NR_BUFS));

	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	parked = stats.out_available;
	EXPECT_LT(NR_MIN + 3, parked);
	EXPECT_EQ(3, pool_shrink(self->fd, 3));
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(parked - 3, stats.out_available);
	EXPECT_EQ((int)parked - 3 - NR_MIN, pool_shrink(self->fd, ~0U));
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(NR_MIN, stats.out_available);
	EXPECT_EQ(NR_MIN, stats.out_allocated);
	/* But for the table of ids, which has grown. */
	EXPECT_GE(bytes + 2 * PAGE, secbuf_bytes(self->dev));
	EXPECT_EQ(0, pool_shrink(self->fd, ~0U));
	EXPECT_BALANCE(0);
}

TEST_F(kpool, alloc_ids_bad_pointer)
{
	static const __u32 nrs[] = { 3, 40 };

	for (unsigned int i = 0; i < ARRAY_SIZE(nrs); i++) {
		EXPECT_EQ(-EFAULT, pool_alloc(self->fd, NULL, nrs[i]));
		EXPECT_EQ(-EFAULT, pool_alloc(self->fd, (void *)~0xfffUL,
					      nrs[i]));
		EXPECT_BALANCE(0);
	}
}

/* The first id can be written, the second cannot. */
TEST_F(kpool, alloc_ids_across_the_end)
{
	unsigned char *end = self->data + BUF_SIZE_MAX;

	ASSERT_EQ(0, mprotect(end, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, pool_alloc(self->fd,
				      (void *)(end - sizeof(__u64)), 2));
	EXPECT_BALANCE(0);
}

TEST_F(kpool, free_ids_bad_pointer)
{
	__u64 ids[40];

	ASSERT_EQ(40, pool_alloc(self->fd, ids, 40));
	EXPECT_EQ(-EFAULT, pool_free(self->fd, NULL, 1));
	EXPECT_EQ(-EFAULT, pool_free(self->fd, NULL, 40));
	EXPECT_BALANCE(40);
}

/* What cannot be told was not done. */
TEST_F(kpool, args_read_only)
{
	union {
		struct secbuf_pool_free_args free;
		struct secbuf_pool_copy_args copy;
	} *args = (void *)self->data;
	struct secbuf_pool_vec vec = { .len = 1 };
	unsigned char byte = 0xa5;

	ASSERT_EQ(1, pool_alloc(self->fd, &vec.id, 1));
	vec.buf_ptr = (uintptr_t)&byte;
	args->free.size = sizeof(args->free);
	args->free.ids_ptr = (uintptr_t)&vec.id;
	args->free.nr = 1;
	ASSERT_EQ(0, mprotect(args, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_FREE, args));
	EXPECT_BALANCE(1);

	ASSERT_EQ(0, mprotect(args, PAGE, PROT_READ | PROT_WRITE));
	args->copy.size = sizeof(args->copy);
	args->copy.vecs_ptr = (uintptr_t)&vec;
	args->copy.nr = 1;
	ASSERT_EQ(0, mprotect(args, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_WRITE, args));
	EXPECT_EQ(0, pool_read(self->fd, vec.id, 0, &byte, 1));
	EXPECT_EQ(0, byte);
	byte = 0xa5;
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_READ, args));
	EXPECT_EQ(0xa5, byte);
}

/* All that a call takes lies in a mapped pool of the same process. */
TEST_F(kpool, pointers_into_a_mapped_pool)
{
	struct inside {
		struct secbuf_pool_alloc_args	alloc;
		struct secbuf_pool_free_args	free;
		struct secbuf_pool_copy_args	copy;
		struct secbuf_pool_vec		vecs[40];
		__u64				ids[40];
		unsigned char			byte[40];
	} *in;
	struct pool p;
	__u64 slot;

	ASSERT_EQ(0, pool_open(&p, self->dev, PAGE, 2));
	ASSERT_EQ(1, pool_alloc(p.fd, &slot, 1));
	in = (void *)pool_slot(&p, slot);
	in->alloc.size = sizeof(in->alloc);
	in->alloc.ids_ptr = (uintptr_t)in->ids;
	in->alloc.nr = 40;
	ASSERT_EQ(0, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_ALLOC, &in->alloc));
	ASSERT_EQ(40, in->alloc.out_done);
	in->copy.size = sizeof(in->copy);
	in->copy.vecs_ptr = (uintptr_t)in->vecs;
	in->copy.nr = 40;
	for (int i = 0; i < 40; i++) {
		in->byte[i] = 1 + i;
		in->vecs[i] = (struct secbuf_pool_vec){
			.id = in->ids[i], .len = 1,
			.buf_ptr = (uintptr_t)&in->byte[i],
		};
	}
	ASSERT_EQ(0, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_WRITE, &in->copy));
	EXPECT_EQ(40, in->copy.out_done);
	memset(in->byte, 0, sizeof(in->byte));
	ASSERT_EQ(0, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_READ, &in->copy));
	for (int i = 0; i < 40; i++)
		EXPECT_EQ(1 + i, in->byte[i]);
	in->free.size = sizeof(in->free);
	in->free.ids_ptr = (uintptr_t)in->ids;
	in->free.nr = 40;
	ASSERT_EQ(0, secbuf_ioctl(self->fd, SECBUF_IOC_POOL_FREE, &in->free));
	EXPECT_EQ(40, in->free.out_done);

	/* A slot whose memory was freed. */
	ASSERT_EQ(1, pool_free(p.fd, &slot, 1));
	ASSERT_LE(1, pool_shrink(p.fd, 1));
	EXPECT_EQ(-EFAULT, pool_alloc(self->fd, in->ids, 1));
	EXPECT_BALANCE(0);
	pool_close(&p);
}

TEST_F(kpool, vectors)
{
	struct secbuf_pool_vec vecs[NR_BUFS];
	unsigned char bytes[NR_BUFS], seen[NR_BUFS] = { 0 };
	__u64 ids[NR_BUFS];

	ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
	for (int i = 0; i < NR_BUFS; i++) {
		bytes[i] = 1 + i;
		vecs[i] = (struct secbuf_pool_vec){
			.id = ids[i], .offset = self->size - 1, .len = 1,
			.buf_ptr = (uintptr_t)&bytes[i],
		};
	}
	EXPECT_EQ(NR_BUFS, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs,
				     NR_BUFS));
	for (int i = 0; i < NR_BUFS; i++)
		vecs[i].buf_ptr = (uintptr_t)&seen[i];
	EXPECT_EQ(NR_BUFS, pool_copy(self->fd, SECBUF_IOC_POOL_READ, vecs,
				     NR_BUFS));
	EXPECT_EQ(0, memcmp(bytes, seen, sizeof(seen)));
}

TEST_F(kpool, vectors_stop_in_the_middle)
{
	unsigned char bytes[3] = { 1, 2, 3 };
	struct secbuf_pool_vec good[3], vecs[3];
	__u64 ids[3];

	ASSERT_EQ(3, pool_alloc(self->fd, ids, 3));
	for (int i = 0; i < 3; i++)
		good[i] = (struct secbuf_pool_vec){
			.id = ids[i], .len = 1, .buf_ptr = (uintptr_t)&bytes[i],
		};
	memcpy(vecs, good, sizeof(vecs));
	vecs[1].id = 0;
	EXPECT_EQ(1, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs, 3));
	EXPECT_EQ(-ENOENT, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs + 1,
				     2));
	memcpy(vecs, good, sizeof(vecs));
	vecs[1].offset = self->size;
	EXPECT_EQ(1, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs, 3));
	EXPECT_EQ(-EINVAL, pool_copy(self->fd, SECBUF_IOC_POOL_READ, vecs + 1,
				     2));
	memcpy(vecs, good, sizeof(vecs));
	vecs[1].buf_ptr = 0;
	EXPECT_EQ(1, pool_copy(self->fd, SECBUF_IOC_POOL_READ, vecs, 3));
	EXPECT_EQ(-EFAULT, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs + 1,
				     2));
	EXPECT_EQ(0, contents_not(self, ids[2], 0));
}

TEST_F(kpool, vectors_bad_pointer)
{
	unsigned char *end = self->data + BUF_SIZE_MAX;
	struct secbuf_pool_vec *vecs = (void *)(end - sizeof(*vecs));
	unsigned char byte = 0xa5;

	EXPECT_EQ(-EFAULT, pool_copy(self->fd, SECBUF_IOC_POOL_READ, NULL, 1));
	EXPECT_EQ(-EFAULT, pool_copy(self->fd, SECBUF_IOC_POOL_READ, NULL,
				     1024));

	/* The first is good; none is used if not all can be read. */
	ASSERT_EQ(1, pool_alloc(self->fd, &vecs->id, 1));
	vecs->len = 1;
	vecs->buf_ptr = (uintptr_t)&byte;
	ASSERT_EQ(0, mprotect(end, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs, 2));
	EXPECT_EQ(-EFAULT, pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs,
				     1024));
	EXPECT_EQ(0, pool_read(self->fd, vecs->id, 0, &byte, 1));
	EXPECT_EQ(0, byte);
}

/* The same buffer, again and again, until the bytes of one call are used up. */
TEST_F(kpool, vectors_are_bounded_in_bytes)
{
	struct secbuf_pool_vec vecs[1024];
	struct secbuf_info_args info;
	int done, most;
	__u64 id;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	ASSERT_EQ(1, pool_alloc(self->fd, &id, 1));
	for (int i = 0; i < 1024; i++)
		vecs[i] = (struct secbuf_pool_vec){
			.id = id, .len = self->size,
			.buf_ptr = (uintptr_t)self->data,
		};
	most = info.out_batch_bytes_max / self->size;
	if (most > 1024)
		most = 1024;
	done = pool_copy(self->fd, SECBUF_IOC_POOL_READ, vecs, 1024);
	EXPECT_EQ(most, done);
	done = pool_copy(self->fd, SECBUF_IOC_POOL_WRITE, vecs, 1024);
	EXPECT_EQ(most, done);
}

/* A write that faults half-way: what it touched is zero again afterwards. */
TEST_F(kpool, write_that_faults)
{
	unsigned char *end = self->data + BUF_SIZE_MAX;
	__u64 ids[NR_BUFS];

	if (self->size < 2)
		SKIP(return, "one byte has no half");
	ASSERT_EQ(0, mprotect(end, PAGE, PROT_NONE));
	memset(end - self->size / 2, 0xa5, self->size / 2);
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(NR_BUFS, pool_alloc(self->fd, ids, NR_BUFS));
		for (int i = 0; i < NR_BUFS; i++) {
			unsigned char last = 0x77;

			EXPECT_EQ(0, pool_read(self->fd, ids[i],
					       self->size / 2 - 1, &last, 1));
			EXPECT_EQ(0, last);
			EXPECT_EQ(-EFAULT, pool_write(self->fd, ids[i], 0,
						      end - self->size / 2,
						      self->size));
		}
		ASSERT_EQ(NR_BUFS, pool_free(self->fd, ids, NR_BUFS));
	}
}

TEST_F(kpool, read_that_faults)
{
	__u64 id;

	ASSERT_EQ(1, pool_alloc(self->fd, &id, 1));
	ASSERT_EQ(0, fill(self, id, 0xa5));
	EXPECT_EQ(-EFAULT, pool_read(self->fd, id, 0, NULL, self->size));
	EXPECT_EQ(-EFAULT, pool_read(self->fd, id, 0, (void *)~0xfffUL, 1));
	ASSERT_EQ(0, mprotect(self->data, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, pool_read(self->fd, id, 0, self->data, 1));
	ASSERT_EQ(0, mprotect(self->data, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, contents_not(self, id, 0xa5));
}

TEST_F(kpool, is_not_mapped_and_has_no_conns)
{
	struct secbuf_conn_create_args conn = {
		.size = sizeof(conn), .pool_fd = self->fd,
	};
	char byte;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd,
				   0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-EINVAL, secbuf_ioctl(self->dev, SECBUF_IOC_CONN_CREATE,
					&conn));
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
}

static long fdinfo_of(pid_t pid, int fd, const char *key)
{
	char dir[64], name[16];

	snprintf(dir, sizeof(dir), "/proc/%d/fdinfo", pid);
	snprintf(name, sizeof(name), "%d", fd);
	return file_number(dir, name, key);
}

TEST_F(kpool, fdinfo)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[5];

	ASSERT_EQ(5, pool_alloc(self->fd, ids, 5));
	ASSERT_EQ(1, pool_free(self->fd, ids, 1));
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
#define EXPECT_FDINFO(key, value) \
	EXPECT_EQ((long)(value), fdinfo_of(getpid(), self->fd, "\n" key ":\t"))
	EXPECT_FDINFO("buf_size", self->size);
	EXPECT_FDINFO("slot_size", self->class_size);
	EXPECT_FDINFO("min_slots", NR_MIN);
	EXPECT_FDINFO("max_slots", NR_BUFS);
	EXPECT_FDINFO("in_use", 4);
	EXPECT_FDINFO("peak", 5);
	EXPECT_FDINFO("allocated", stats.out_allocated);
	EXPECT_FDINFO("available", stats.out_available);
	EXPECT_FDINFO("acquired", 5);
	EXPECT_FDINFO("returned", 1);
	EXPECT_FDINFO("failures", 0);
	EXPECT_FDINFO("magazine_hits", stats.out_magazine_hits);
	EXPECT_FDINFO("depot_hits", stats.out_depot_hits);
	EXPECT_FDINFO("misses", stats.out_misses);
	EXPECT_FDINFO("leaks", 0);
	EXPECT_FDINFO("bytes", stats.out_bytes);
	EXPECT_FDINFO("bytes_zeroized", 0);
}

FIXTURE(create)
{
	int				dev;
	struct secbuf_info_args		info;
	struct secbuf_pool_create_args	args;
};

FIXTURE_SETUP(create)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, secbuf_info(self->dev, &self->info));
}

FIXTURE_TEARDOWN(create)
{
	struct secbuf_info_args info;

	EXPECT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->info.out_nr_pools, info.out_nr_pools);
	close(self->dev);
}

TEST_F(create, sizes)
{
	static const struct {
		__u64 asked, got;
	} sizes[] = {
		{ 1, 64 }, { 64, 64 }, { 65, 128 }, { 1500, 2048 },
		{ 4096, 4096 }, { 4097, 8192 }, { 32769, 65536 },
		{ 65536, 65536 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, kpool_create(self->dev, sizes[i].asked, 0, 1,
					  &self->args));
		EXPECT_EQ(sizes[i].got, self->args.out_slot_size);
		EXPECT_EQ(0, self->args.out_mmap_size);
		close(self->args.out_fd);
	}
}

TEST_F(create, sizes_out_of_range)
{
	static const __u64 sizes[] = {
		0, 65537, 1ULL << 32, (1ULL << 32) + 64, 1ULL << 63, ~0ULL,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-EINVAL, kpool_create(self->dev, sizes[i], 0, 1,
						&self->args));
}

TEST_F(create, limits)
{
	ASSERT_EQ(0, kpool_create(self->dev, 64, 0, 0, &self->args));
	EXPECT_EQ(SECBUF_POOL_MAX_SLOTS_DEFAULT, self->args.out_max_slots);
	close(self->args.out_fd);
	ASSERT_EQ(0, kpool_create(self->dev, 64, 0, SECBUF_LIMIT_CEILING,
				  &self->args));
	EXPECT_EQ(self->info.out_slots_max, self->args.out_max_slots);
	close(self->args.out_fd);
	EXPECT_EQ(-EINVAL, kpool_create(self->dev, 64, 0,
					self->info.out_slots_max + 1,
					&self->args));
	EXPECT_EQ(-EINVAL, kpool_create(self->dev, 64, 0,
					SECBUF_LIMIT_CEILING - 1, &self->args));
}

TEST_F(create, min)
{
	struct secbuf_pool_stats_args stats;

	EXPECT_EQ(-EINVAL, kpool_create(self->dev, 64, 11, 10, &self->args));
	EXPECT_EQ(-EINVAL, kpool_create(self->dev, 64, 101, 0, &self->args));
	EXPECT_EQ(-EINVAL, kpool_create(self->dev, 64, ~0U, 10, &self->args));
	EXPECT_EQ(-EINVAL, kpool_create(self->dev, 64, ~0U, ~0U, &self->args));
	ASSERT_EQ(0, kpool_create(self->dev, 64, 10, 10, &self->args));
	ASSERT_EQ(0, pool_stats(self->args.out_fd, &stats));
	EXPECT_EQ(10, stats.out_available);
	close(self->args.out_fd);

	/* Mapped pools have none. */
	poison(&self->args);
	self->args.size = sizeof(self->args);
	self->args.flags = SECBUF_POOL_F_MAPPED;
	self->args.slot_size = 64;
	self->args.max_slots = 10;
	self->args.min_slots = 1;
	EXPECT_EQ(-EINVAL, secbuf_ioctl(self->dev, SECBUF_IOC_POOL_CREATE,
					&self->args));
}

TEST_F(create, many_buffers)
{
	enum { NR = 3000 };
	static __u64 ids[NR];
	int done = 0, n;

	ASSERT_EQ(0, kpool_create(self->dev, 64, 0, SECBUF_LIMIT_CEILING,
				  &self->args));
	for (int i = 0; i < NR; i += n) {
		n = NR - i < 1024 ? NR - i : 1024;
		ASSERT_EQ(n, pool_alloc(self->args.out_fd, ids + i, n));
	}
	for (int i = 0; i < NR; i++)
		ASSERT_EQ(0, pool_write(self->args.out_fd, ids[i], 0, &i, 4));
	for (int i = NR - 1; i >= 0; i--) {
		int seen = -1;

		ASSERT_EQ(0, pool_read(self->args.out_fd, ids[i], 0, &seen, 4));
		ASSERT_EQ(i, seen);
	}
	while (done < NR) {
		n = NR - done < 1024 ? NR - done : 1024;
		ASSERT_EQ(n, pool_free(self->args.out_fd, ids + done, n));
		done += n;
	}
	close(self->args.out_fd);
	EXPECT_EQ(self->info.out_bytes,
		  bytes_settled(self->dev, self->info.out_bytes));
}

TEST_F(create, many_pools)
{
	int fds[200];
	__u64 id;

	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, kpool_create(self->dev, 64, 2, 8, &self->args));
		fds[i] = self->args.out_fd;
		ASSERT_EQ(1, pool_alloc(fds[i], &id, 1));
	}
	for (int i = 0; i < 200; i++)
		close(fds[i]);
	EXPECT_EQ(self->info.out_bytes,
		  bytes_settled(self->dev, self->info.out_bytes));
}

/* A batch is bounded in bytes, too. */
TEST_F(create, batch_bytes_max)
{
	const int most = self->info.out_batch_bytes_max / BUF_SIZE_MAX;
	static __u64 ids[1024];
	int nr = most + 1;

	ASSERT_EQ(0, kpool_create(self->dev, BUF_SIZE_MAX, 0, 1024,
				  &self->args));
	ASSERT_EQ(most, pool_alloc(self->args.out_fd, ids, 1024));
	ASSERT_EQ(1, pool_alloc(self->args.out_fd, ids + most, 1));
	EXPECT_EQ(most, pool_free(self->args.out_fd, ids, nr));
	EXPECT_EQ(1, pool_free(self->args.out_fd, ids + most, 1));
	close(self->args.out_fd);
}

/* Waiting, signals, threads. */
FIXTURE(threads)
{
	int	dev;
	int	fd;
	__u64	ids[4];
};

FIXTURE_SETUP(threads)
{
	struct secbuf_pool_create_args args;

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, kpool_create(self->dev, 256, 0, 4, &args));
	self->fd = args.out_fd;
	ASSERT_EQ(4, pool_alloc(self->fd, self->ids, 4));
}

FIXTURE_TEARDOWN(threads)
{
	close(self->fd);
	close(self->dev);
}

struct waiter {
	pthread_t	thread;
	int		fd;
	int		nr;
	int		ret;
	pid_t		tid;
	__u64		id[2];
};

static void *waiter_run(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->ret = pool_alloc_flags(w->fd, w->id, w->nr,
				  SECBUF_POOL_ALLOC_F_WAIT);
	return NULL;
}

static int waiter_start(struct waiter *w, int fd, int nr)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->nr = nr;
	if (pthread_create(&w->thread, NULL, waiter_run, w))
		return -1;
	return wait_until(is_asleep(__atomic_load_n(&w->tid,
						    __ATOMIC_ACQUIRE))) ?
	       0 : -1;
}

TEST_F(threads, wait_without_need)
{
	__u64 ids[4];

	ASSERT_EQ(2, pool_free(self->fd, self->ids, 2));
	EXPECT_EQ(2, pool_alloc_flags(self->fd, ids, 4,
				      SECBUF_POOL_ALLOC_F_WAIT));
}

TEST_F(threads, wait_is_ended_by_a_free)
{
	unsigned char byte = 0xa5;
	struct waiter w;

	ASSERT_EQ(0, pool_write(self->fd, self->ids[1], 7, &byte, 1));
	ASSERT_EQ(0, waiter_start(&w, self->fd, 2));
	EXPECT_EQ(1, pool_free(self->fd, &self->ids[1], 1));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(1, w.ret);
	EXPECT_EQ(0, pool_read(self->fd, w.id[0], 7, &byte, 1));
	EXPECT_EQ(0, byte);
}

TEST_F(threads, each_free_ends_one_wait)
{
	struct waiter w[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, waiter_start(&w[i], self->fd, 1));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(1, pool_free(self->fd, &self->ids[i], 1));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(w[i].thread, NULL));
		EXPECT_EQ(1, w[i].ret);
	}
}

static void handler(int sig)
{
	(void)sig;
}

TEST_F(threads, wait_is_ended_by_a_signal)
{
	struct sigaction act = { .sa_handler = handler };
	struct secbuf_pool_stats_args stats;
	struct waiter w;

	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	ASSERT_EQ(0, waiter_start(&w, self->fd, 2));
	ASSERT_EQ(0, pthread_kill(w.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(-EINTR, w.ret);
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(4, stats.out_in_use);
	EXPECT_EQ(0, stats.out_failures);
	EXPECT_EQ(4, pool_free(self->fd, self->ids, 4));
}

TEST_F(threads, killed_while_waiting)
{
	__u64 bytes = secbuf_bytes(self->dev);
	struct secbuf_pool_create_args args;
	__u64 ids[4];
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (kpool_create(self->dev, 256, 0, 4, &args) ||
		    pool_alloc(args.out_fd, ids, 4) != 4)
			_exit(1);
		pool_alloc_flags(args.out_fd, ids, 1, SECBUF_POOL_ALLOC_F_WAIT);
		_exit(2);
	}
	ASSERT_TRUE(wait_until(is_asleep(pid)));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(bytes, bytes_settled(self->dev, bytes));
}

TEST_F(threads, flag_that_mapped_pools_lack)
{
	struct secbuf_pool_create_args args;
	__u64 id;

	ASSERT_EQ(0, pool_create(self->dev, 64, 1, &args));
	EXPECT_EQ(-EOPNOTSUPP, pool_alloc_flags(args.out_fd, &id, 1,
						SECBUF_POOL_ALLOC_F_WAIT));
	close(args.out_fd);
}

/* Signals come all the time; each batch is whole or says how far it came. */
TEST_F(threads, signals_in_the_middle_of_batches)
{
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	struct sigaction act = { .sa_handler = handler };
	static struct secbuf_pool_vec vecs[1024];
	time_t end = time(NULL) + 5;
	unsigned int rounds = 0;
	static unsigned char data[1024];
	struct secbuf_pool_create_args args;
	struct secbuf_pool_stats_args stats;
	static __u64 ids[1024];
	int bad = 0;

	ASSERT_EQ(0, kpool_create(self->dev, 64, 0, 1024, &args));
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	/* A slow machine does fewer rounds, not longer ones. */
	while (!rounds || (rounds < 50 && time(NULL) < end)) {
		rounds++;
		bad += pool_alloc(args.out_fd, ids, 1024) != 1024;
		for (int i = 0; i < 1024; i++)
			vecs[i] = (struct secbuf_pool_vec){
				.id = ids[i], .len = 1,
				.buf_ptr = (uintptr_t)&data[i],
			};
		bad += pool_copy(args.out_fd, SECBUF_IOC_POOL_WRITE, vecs,
				 1024) != 1024;
		bad += pool_copy(args.out_fd, SECBUF_IOC_POOL_READ, vecs,
				 1024) != 1024;
		bad += pool_free(args.out_fd, ids, 1024) != 1024;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	EXPECT_EQ(0, bad);
	ASSERT_EQ(0, pool_stats(args.out_fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(rounds * 1024, stats.out_returned);
	close(args.out_fd);
}

#define NR_WORKERS	6
#define WORKER_BUFS	8

struct worker {
	pthread_t	thread;
	int		fd;
	int		nr;
	int		bad;
	__u64		*shared;	/* ids that others read and free */
};

/* Allocates, writes, reads and frees its own; reads and frees those of all. */
static void *worker_run(void *arg)
{
	struct worker *w = arg;
	unsigned char buf[1500];
	__u64 ids[WORKER_BUFS], id;
	time_t end = time(NULL) + 8;
	int n;

	/* A slow machine does fewer rounds, not longer ones. */
	for (int round = 0; round < 2000; round++) {
		if (round > 100 && time(NULL) >= end)
			break;
		n = pool_alloc(w->fd, ids, WORKER_BUFS);
		if (n == -ENOSPC)
			continue;
		for (int i = 0; i < n; i++) {
			memset(buf, POISON, sizeof(buf));
			w->bad += pool_read(w->fd, ids[i], 0, buf, 1500) != 0;
			w->bad += count_not(buf, 0, 1500) != 0;
			memset(buf, w->nr, 1500);
			w->bad += pool_write(w->fd, ids[i], 0, buf, 1500) != 0;
		}
		for (int i = 1; i < n; i++) {
			w->bad += pool_read(w->fd, ids[i], 0, buf, 1500) != 0;
			w->bad += count_not(buf, w->nr, 1500) != 0;
		}
		id = __atomic_exchange_n(&w->shared[round % 4], ids[0],
					 __ATOMIC_RELAXED);
		pool_read(w->fd, id, 0, buf, 1500);
		pool_read(w->fd, __atomic_load_n(&w->shared[(round + 1) % 4],
						 __ATOMIC_RELAXED),
			  0, buf, 1500);
		w->bad += id && pool_free(w->fd, &id, 1) != 1;
		w->bad += n > 1 && pool_free(w->fd, ids + 1, n - 1) != n - 1;
	}
	return NULL;
}

TEST_F(threads, alloc_free_read_write_at_once)
{
	struct worker workers[NR_WORKERS];
	struct secbuf_pool_create_args args;
	struct secbuf_pool_stats_args stats;
	__u64 shared[4] = { 0 };

	ASSERT_EQ(0, kpool_create(self->dev, 1500, 4, 40, &args));
	for (int i = 0; i < NR_WORKERS; i++) {
		workers[i] = (struct worker){
			.fd = args.out_fd, .nr = 1 + i, .shared = shared,
		};
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    worker_run, &workers[i]));
	}
	for (int i = 0; i < NR_WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].bad);
	}
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(1, pool_free(args.out_fd, &shared[i], 1));
	ASSERT_EQ(0, pool_stats(args.out_fd, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(stats.out_acquired, stats.out_returned);
	EXPECT_EQ(stats.out_acquired, stats.out_magazine_hits +
		  stats.out_depot_hits + stats.out_misses);
	EXPECT_EQ(stats.out_allocated, stats.out_available);
	EXPECT_GE(40, stats.out_peak);
	close(args.out_fd);
}

FIXTURE(ceiling)
{
	int	dev;
	int	fd;
	__u64	bytes;
	char	old[32];
};

FIXTURE_VARIANT(ceiling)
{
	const char	*param;
	int		error;
};

FIXTURE_VARIANT_ADD(ceiling, user)
{
	.param = "max_user_bytes", .error = EDQUOT,
};

FIXTURE_VARIANT_ADD(ceiling, all_users)
{
	.param = "max_bytes", .error = ENOMEM,
};

#define CEILING_PAGES	16

FIXTURE_SETUP(ceiling)
{
	struct secbuf_pool_create_args args;
	char value[32];

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, kpool_create(self->dev, PAGE, 0, 1024, &args));
	self->fd = args.out_fd;
	self->bytes = secbuf_bytes(self->dev);
	snprintf(value, sizeof(value), "%llu",
		 self->bytes + CEILING_PAGES * PAGE);
	ASSERT_EQ(0, param_write(variant->param, value, self->old));
}

FIXTURE_TEARDOWN(ceiling)
{
	param_write(variant->param, self->old, NULL);
	close(self->fd);
	close(self->dev);
}

TEST_F(ceiling, in_the_middle_of_a_batch)
{
	struct secbuf_pool_stats_args stats;
	__u64 ids[2 * CEILING_PAGES];
	int n;

	n = pool_alloc(self->fd, ids, 2 * CEILING_PAGES);
	ASSERT_LE(1, n);
	EXPECT_GE(CEILING_PAGES, n);
	EXPECT_EQ(-variant->error, pool_alloc(self->fd, ids + n, 1));
	/* Waiting is for the pool's own limit. */
	EXPECT_EQ(-variant->error,
		  pool_alloc_flags(self->fd, ids + n, 1,
				   SECBUF_POOL_ALLOC_F_WAIT));
	EXPECT_LE(secbuf_bytes(self->dev), self->bytes + CEILING_PAGES * PAGE);
	ASSERT_EQ(0, pool_stats(self->fd, &stats));
	EXPECT_EQ(n, stats.out_in_use);
	EXPECT_EQ(3, stats.out_failures);

	/* What is given back can be had again. */
	ASSERT_EQ(n, pool_free(self->fd, ids, n));
	EXPECT_EQ(n, pool_alloc(self->fd, ids, n));
}

static int move_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* What was freed is there for whoever has moved to another CPU meanwhile. */
TEST_F(ceiling, parked_on_another_cpu)
{
	__u64 ids[2 * CEILING_PAGES];
	int n;

	ASSERT_EQ(0, move_to_cpu(0));
	n = pool_alloc(self->fd, ids, 2 * CEILING_PAGES);
	ASSERT_LE(1, n);
	ASSERT_EQ(n, pool_free(self->fd, ids, n));
	if (move_to_cpu(1))
		SKIP(return, "there is no other CPU");
	EXPECT_EQ(n, pool_alloc(self->fd, ids, n));
}

/* A minimum that does not fit leaves nothing behind. */
TEST_F(ceiling, min_that_is_too_much)
{
	struct secbuf_pool_create_args args;
	struct secbuf_info_args before, after;

	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	EXPECT_EQ(-variant->error, kpool_create(self->dev, PAGE,
						2 * CEILING_PAGES,
						2 * CEILING_PAGES, &args));
	EXPECT_EQ(before.out_bytes,
		  bytes_settled(self->dev, before.out_bytes));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
}

TEST_F(ceiling, pools)
{
	struct secbuf_pool_create_args args;
	int ret = 0;

	for (int n = 0; n < 500 && !ret; n++)
		ret = kpool_create(self->dev, 64, 0, 1, &args);
	EXPECT_EQ(-variant->error, ret);
}

/* The limit of a memory cgroup is an error of the call: nobody is killed. */
FIXTURE(memcg)
{
	int		dev;
	struct memcg	cg;
};

FIXTURE_VARIANT(memcg)
{
	__u32	size;
	int	(*run)(void *arg);
};

static int memcg_fill(int dev, __u32 size, __u32 flags, __u32 batch)
{
	struct secbuf_pool_create_args args;
	__u64 ids[64];
	int ret;

	if (kpool_create(dev, size, 0, SECBUF_LIMIT_CEILING, &args))
		return 1;
	do
		ret = pool_alloc_flags(args.out_fd, ids, batch, flags);
	while (ret > 0);
	return -ret;
}

static int memcg_fill_small(void *arg)
{
	return memcg_fill(*(int *)arg, 64, 0, 1);
}

static int memcg_fill_large(void *arg)
{
	return memcg_fill(*(int *)arg, BUF_SIZE_MAX, 0, 64);
}

static int memcg_fill_waiting(void *arg)
{
	return memcg_fill(*(int *)arg, PAGE, SECBUF_POOL_ALLOC_F_WAIT, 1);
}

static int memcg_min(void *arg)
{
	struct secbuf_pool_create_args args;

	return -kpool_create(*(int *)arg, PAGE, 4096, 4096, &args);
}

FIXTURE_VARIANT_ADD(memcg, small) { .run = memcg_fill_small };
FIXTURE_VARIANT_ADD(memcg, large) { .run = memcg_fill_large };
FIXTURE_VARIANT_ADD(memcg, waiting) { .run = memcg_fill_waiting };
FIXTURE_VARIANT_ADD(memcg, min) { .run = memcg_min };

FIXTURE_SETUP(memcg)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, memcg_open(&self->cg));
}

FIXTURE_TEARDOWN(memcg)
{
	memcg_close(&self->cg);
	close(self->dev);
}

TEST_F(memcg, limit)
{
	if (file_write(self->cg.dir, "memory.max", "4M"))
		SKIP(return, "no memory controller");
	EXPECT_EQ(ENOMEM, memcg_run(&self->cg, variant->run, &self->dev));
	EXPECT_EQ(0, file_number(self->cg.dir, "memory.events", "oom_kill "));
}

/* Owner: who may use a pool, and what is left when the owner dies. */
FIXTURE(owner)
{
	int	dev;
	int	fd;
	__u64	ids[4];
	int	*errors;	/* shared with children */
};

static int owner_create(int dev, __u64 *ids)
{
	struct secbuf_pool_create_args args;
	unsigned char secret[PAGE];

	memset(secret, 0xa5, sizeof(secret));
	if (kpool_create(dev, PAGE, 2, 8, &args) ||
	    pool_alloc(args.out_fd, ids, 4) != 4)
		return -1;
	for (int i = 0; i < 4; i++)
		if (pool_write(args.out_fd, ids[i], 0, secret, PAGE))
			return -1;
	return args.out_fd;
}

FIXTURE_SETUP(owner)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->fd = owner_create(self->dev, self->ids);
	ASSERT_LE(0, self->fd);
	self->errors = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->errors);
}

FIXTURE_TEARDOWN(owner)
{
	munmap(self->errors, PAGE);
	close(self->fd);
	close(self->dev);
}

#define NR_ERRORS	8

static void try_everything(int fd, __u64 id, int *errors)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct secbuf_pool_stats_args stats;
	unsigned char byte = 0;
	__u64 new_id = id;

	errors[0] = pool_stats(fd, &stats);
	errors[1] = pool_alloc(fd, &new_id, 1);
	errors[2] = pool_alloc_flags(fd, &new_id, 1, SECBUF_POOL_ALLOC_F_WAIT);
	errors[3] = pool_read(fd, id, 0, &byte, 1);
	errors[4] = pool_write(fd, id, 0, &byte, 1);
	errors[5] = pool_shrink(fd, 1);
	errors[6] = pool_free(fd, &id, 1);
	errors[7] = poll(&pfd, 1, 0) == 1 && pfd.revents & POLLERR ? errors[0] :
								     0;
}

TEST_F(owner, forked_child_is_refused)
{
	unsigned char seen[PAGE];
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		try_everything(self->fd, self->ids[0], self->errors);
		close(self->fd);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	for (int i = 0; i < NR_ERRORS; i++)
		EXPECT_EQ(-EPERM, self->errors[i]);
	EXPECT_EQ(0, pool_read(self->fd, self->ids[0], 0, seen, PAGE));
	EXPECT_EQ(0, count_not(seen, 0xa5, PAGE));
	EXPECT_EQ(4, pool_free(self->fd, self->ids, 4));
}

FIXTURE(death)
{
	int	dev;
	int	*errors;	/* shared with children */
};

FIXTURE_VARIANT(death)
{
	int	sig;		/* that ends the owner; 0: exit */
	bool	exec;		/* it lives on as another program */
};

FIXTURE_VARIANT_ADD(death, exit) { };
FIXTURE_VARIANT_ADD(death, sigkill) { .sig = SIGKILL };
FIXTURE_VARIANT_ADD(death, exec) { .exec = true };

FIXTURE_SETUP(death)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->errors = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->errors);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(death)
{
	munmap(self->errors, PAGE);
	close(self->dev);
}

/* What follows exec says that it is there, and waits for its end. */
static void __attribute__((constructor)) after_exec(void)
{
	const char *up = getenv("SECBUF_KPOOL_TEST_EXEC");

	if (!up)
		return;
	if (write(atoi(up), "x", 1) != 1)
		_exit(1);
	pause();
}

struct family {
	pid_t	holder;
	int	fd;
	__u64	id;
};

static void owner_run(int dev, int up, int down, int sig, bool exec)
{
	struct family f = { 0 };
	char byte, fd[16];
	__u64 ids[4];

	f.fd = owner_create(dev, ids);
	if (f.fd < 0)
		_exit(1);
	f.id = ids[0];
	f.holder = fork();
	if (!f.holder) {
		close(down);
		pause();
		_exit(0);
	}
	if (write(up, &f, sizeof(f)) != sizeof(f) || read(down, &byte, 1) != 0)
		_exit(2);
	if (exec) {
		fcntl(f.fd, F_SETFD, 0);
		snprintf(fd, sizeof(fd), "%d", up);
		setenv("SECBUF_KPOOL_TEST_EXEC", fd, 1);
		execl("/proc/self/exe", "after-exec", NULL);
	}
	if (sig)
		raise(sig);
	_exit(0);
}

/* A child made by fork holds the descriptor; it is not asked. */
TEST_F(death, everything_is_gone_at_once)
{
	struct secbuf_info_args before, alive, after;
	int up[2], down[2], status;
	struct family f;
	pid_t owner;
	char byte;

	if (!secbuf_owner_death(self->dev))
		SKIP(return, "no object dies with its owner here");
	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, pipe(down));
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner) {
		close(down[1]);
		owner_run(self->dev, up[1], down[0], variant->sig,
			  variant->exec);
	}
	close(down[0]);
	ASSERT_EQ((ssize_t)sizeof(f), read(up[0], &f, sizeof(f)));
	ASSERT_EQ(0, secbuf_info(self->dev, &alive));
	EXPECT_LE(before.out_bytes + 4 * PAGE, alive.out_bytes);

	close(down[1]);
	if (variant->exec) {
		ASSERT_EQ(1, read(up[0], &byte, 1));
	} else {
		ASSERT_EQ(owner, waitpid(owner, &status, 0));
		EXPECT_EQ(variant->sig, status);
	}
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_GE(alive.out_bytes - 4 * PAGE, after.out_bytes);
	EXPECT_EQ(before.out_nr_pools + 1, after.out_nr_pools);

	/* The last figures remain. */
	EXPECT_EQ(4, fdinfo_of(f.holder, f.fd, "\nleaks:\t"));
	EXPECT_EQ(0, fdinfo_of(f.holder, f.fd, "\nin_use:\t"));
	EXPECT_EQ(0, fdinfo_of(f.holder, f.fd, "\nallocated:\t"));
	EXPECT_EQ(0, fdinfo_of(f.holder, f.fd, "\nbytes:\t"));
	EXPECT_EQ(4, fdinfo_of(f.holder, f.fd, "\nacquired:\t"));
	EXPECT_EQ(4, fdinfo_of(f.holder, f.fd, "\nreturned:\t"));
	EXPECT_EQ(4 * (long)PAGE,
		  fdinfo_of(f.holder, f.fd, "\nbytes_zeroized:\t"));

	kill(owner, SIGKILL);
	kill(f.holder, SIGKILL);
	while (waitpid(-1, &status, 0) > 0)
		;
	EXPECT_EQ(before.out_bytes,
		  bytes_settled(self->dev, before.out_bytes));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
}

static void die_before_child(int dev, int sig, int *errors)
{
	pid_t me = getpid();
	__u64 ids[4];
	int fd;

	fd = owner_create(dev, ids);
	if (fd < 0)
		_exit(1);
	if (!fork()) {
		while (getppid() == me)
			nanosleep(&ten_ms, NULL);
		try_everything(fd, ids[0], errors);
		_exit(0);
	}
	if (sig)
		raise(sig);
	_exit(0);
}

/* Whoever asks afterwards is told. */
TEST_F(death, calls_are_refused)
{
	int status;
	pid_t owner;

	if (variant->exec)
		SKIP(return, "the program after exec is not asked");
	if (!secbuf_owner_death(self->dev))
		SKIP(return, "no object dies with its owner here");
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner)
		die_before_child(self->dev, variant->sig, self->errors);
	ASSERT_EQ(owner, waitpid(owner, &status, 0));
	EXPECT_EQ(variant->sig, status);
	while (waitpid(-1, &status, 0) > 0)
		;
	for (int i = 0; i < NR_ERRORS; i++)
		EXPECT_EQ(-ESHUTDOWN, self->errors[i]);
}

TEST_HARNESS_MAIN
