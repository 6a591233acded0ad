// SPDX-License-Identifier: GPL-2.0
/*
 * A ring whose two ends belong to one process: making it, mapping it, moving
 * bytes and records, waiting, giving memory back.
 */
#include "secbuf_ring.h"
#include "secbuf_touch.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

#define SIZE		(4 * PAGE)
#define PROT_RW		(PROT_READ | PROT_WRITE)

FIXTURE(both)
{
	int		dev;
	__u64		bytes;
	struct ring	r;
	int		p;		/* descriptors of the two */
	int		c;
};

FIXTURE_VARIANT(both)
{
	__u32		flags;
};

FIXTURE_VARIANT_ADD(both, bytes)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(both, records)
{
	.flags = SECBUF_RING_F_RECORDS,
};

FIXTURE_SETUP(both)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	self->p = self->r.p.fd;
	self->c = self->r.c.fd;
}

FIXTURE_TEARDOWN(both)
{
	ring_close(&self->r);
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

#define records(variant)	((variant)->flags & SECBUF_RING_F_RECORDS)

static void fill_pattern(unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (seed + i) * 7 + 1;
}

static bool is_pattern(const unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != (unsigned char)((seed + i) * 7 + 1))
			return false;
	return true;
}

static void nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static short poll_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&pfd, 1, 0);
	return pfd.revents;
}

static __u64 held(int fd)
{
	struct secbuf_ring_stats_args stats;

	return ring_stats(fd, &stats) ? ~0ULL : stats.out_bytes;
}

TEST_F(both, is_two_descriptors)
{
	struct secbuf_ring_info_args info;
	struct secbuf_info_args all;

	EXPECT_NE(self->p, self->c);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->p, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->c, F_GETFD));
	ASSERT_EQ(0, ring_info(self->p, &info));
	EXPECT_EQ(SECBUF_RING_END_PRODUCER, info.out_end);
	EXPECT_EQ(SIZE, info.out_ring_size);
	EXPECT_EQ(variant->flags, info.out_flags);
	ASSERT_EQ(0, ring_info(self->c, &info));
	EXPECT_EQ(SECBUF_RING_END_CONSUMER, info.out_end);
	ASSERT_EQ(0, secbuf_info(self->dev, &all));
	EXPECT_EQ(1, all.out_nr_rings);
	EXPECT_EQ(info.out_protections, all.out_protections);
	EXPECT_TRUE(all.out_features & SECBUF_FEAT_RING);
}

TEST_F(both, read_and_write)
{
	unsigned char in[100], out[200];

	fill_pattern(in, sizeof(in), 1);
	ASSERT_EQ(100, write(self->p, in, sizeof(in)));
	ASSERT_EQ(100, read(self->c, out, sizeof(out)));
	EXPECT_TRUE(is_pattern(out, 100, 1));
	/* Consumed is zero. */
	EXPECT_EQ(0, count_not(self->r.c.data, 0, SIZE));
}

TEST_F(both, wrong_direction)
{
	char byte;

	EXPECT_EQ(-1, read(self->p, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->c, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
}

/* The whole ring, from every offset: both halves of the mapping are one. */
TEST_F(both, wraps)
{
	unsigned char in[SIZE], out[SIZE];
	size_t len = records(variant) ? SIZE - 4 : SIZE;

	for (unsigned int i = 0; i < 40; i++) {
		fill_pattern(in, len, i);
		ASSERT_EQ((ssize_t)len, write(self->p, in, len));
		ASSERT_EQ((ssize_t)len, read(self->c, out, SIZE));
		ASSERT_TRUE(is_pattern(out, len, i));
		ASSERT_EQ(0, count_not(self->r.c.data, 0, 2 * SIZE));
		/* Move on by something odd. */
		ASSERT_EQ(413, write(self->p, in, 413));
		ASSERT_EQ(413, read(self->c, out, 413));
	}
}

TEST_F(both, mapped)
{
	unsigned char in[1000], out[1000];

	if (records(variant))
		SKIP(return, "bytes only");
	for (unsigned int i = 0; i < 100; i++) {
		fill_pattern(in, sizeof(in), i);
		ASSERT_TRUE(ring_put(&self->r.p, in, sizeof(in)));
		ASSERT_TRUE(ring_get(&self->r.c, out, sizeof(out)));
		ASSERT_TRUE(is_pattern(out, sizeof(out), i));
	}
	/* And both ways mixed. */
	ASSERT_TRUE(ring_put(&self->r.p, in, 500));
	ASSERT_EQ(500, write(self->p, in + 500, 500));
	ASSERT_EQ(300, read(self->c, out, 300));
	ASSERT_TRUE(ring_get(&self->r.c, out + 300, 700));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
}

TEST_F(both, aliases)
{
	for (size_t at = 0; at < SIZE; at += PAGE / 2) {
		self->r.p.data[at] = 0xa0 + at / PAGE;
		EXPECT_EQ(0xa0 + at / PAGE, self->r.p.data[SIZE + at]);
		EXPECT_EQ(0xa0 + at / PAGE, self->r.c.data[SIZE + at]);
		self->r.c.data[SIZE + at] = 0;
		EXPECT_EQ(0, self->r.p.data[at]);
	}
}

TEST_F(both, readv_and_writev)
{
	unsigned char in[3 * PAGE], out[3 * PAGE];
	struct iovec from[] = {
		{ in, 1 }, { in + 1, 0 }, { in + 1, PAGE },
		{ in + 1 + PAGE, PAGE - 1 },
	};
	struct iovec to[] = { { out, PAGE + 7 }, { out + PAGE + 7, PAGE } };

	fill_pattern(in, sizeof(in), 9);
	ASSERT_EQ(2 * PAGE, writev(self->p, from, 4));
	ASSERT_EQ(2 * PAGE, readv(self->c, to, 2));
	EXPECT_TRUE(is_pattern(out, 2 * PAGE, 9));
}

TEST_F(both, fionread)
{
	char buf[100] = { 1 };
	int n = -1;

	ASSERT_EQ(0, ioctl(self->c, FIONREAD, &n));
	EXPECT_EQ(0, n);
	ASSERT_EQ(37, write(self->p, buf, 37));
	ASSERT_EQ(5, write(self->p, buf, 5));
	ASSERT_EQ(0, ioctl(self->c, FIONREAD, &n));
	EXPECT_EQ(records(variant) ? 37 : 42, n);
	ASSERT_EQ(0, ioctl(self->p, FIONREAD, &n));
	EXPECT_EQ(records(variant) ? 37 : 42, n);
	EXPECT_EQ(-1, ioctl(self->p, FIONREAD, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(both, nothing_is_no_error)
{
	EXPECT_EQ(0, read(self->c, NULL, 0));
	EXPECT_EQ(0, write(self->p, NULL, 0));
}

TEST_F(both, nonblocking)
{
	unsigned char buf[SIZE + 100] = { 1 };
	ssize_t fits = records(variant) ? SIZE - 4 : SIZE;

	nonblock(self->p);
	nonblock(self->c);
	EXPECT_EQ(-1, read(self->c, buf, 1));
	EXPECT_EQ(EAGAIN, errno);
	/* Bytes: as many as fit. */
	ASSERT_EQ(fits, write(self->p, buf, records(variant) ? SIZE - 4 :
							       sizeof(buf)));
	EXPECT_EQ(-1, write(self->p, buf, 1));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(both, short_buffer)
{
	unsigned char in[100], out[200];

	fill_pattern(in, sizeof(in), 3);
	ASSERT_EQ(100, write(self->p, in, 100));
	if (records(variant)) {
		/* The record stays. */
		EXPECT_EQ(-1, read(self->c, out, 99));
		EXPECT_EQ(EMSGSIZE, errno);
		ASSERT_EQ(100, read(self->c, out, 100));
	} else {
		ASSERT_EQ(99, read(self->c, out, 99));
		ASSERT_EQ(1, read(self->c, out + 99, 101));
	}
	EXPECT_TRUE(is_pattern(out, 100, 3));
}

TEST_F(both, too_large_a_record)
{
	unsigned char buf[SIZE] = { 1 };

	if (!records(variant))
		SKIP(return, "records only");
	EXPECT_EQ(-1, write(self->p, buf, SIZE - 3));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-1, write(self->p, buf, SIZE));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(SIZE - 4, write(self->p, buf, SIZE - 4));
}

/* Nothing is lost, and nothing left over, when memory of the caller is bad. */
TEST_F(both, bad_buffers)
{
	unsigned char in[100], out[100], *hole, *bad;

	hole = mmap(NULL, 2 * PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, hole);
	ASSERT_EQ(0, munmap(hole + PAGE, PAGE));
	bad = hole + PAGE;
	fill_pattern(in, sizeof(in), 5);
	memset(hole, 0x77, PAGE);

	EXPECT_EQ(-1, write(self->p, bad, 100));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(self->r.p.head->head, 0);
	if (records(variant)) {
		EXPECT_EQ(-1, write(self->p, hole + PAGE - 50, 100));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(self->r.p.head->head, 0);
		EXPECT_EQ(0, count_not(self->r.p.data, 0, SIZE));
	} else {
		EXPECT_EQ(50, write(self->p, hole + PAGE - 50, 100));
		EXPECT_EQ(50, self->r.p.head->head);
		EXPECT_EQ(0, count_not(self->r.p.data + 50, 0, SIZE - 50));
		EXPECT_EQ(50, read(self->c, out, 100));
	}

	ASSERT_EQ(100, write(self->p, in, 100));
	EXPECT_EQ(-1, read(self->c, bad, 100));
	EXPECT_EQ(EFAULT, errno);
	if (records(variant)) {
		EXPECT_EQ(-1, read(self->c, hole + PAGE - 50, 100));
		EXPECT_EQ(EFAULT, errno);
	} else {
		EXPECT_EQ(50, read(self->c, hole + PAGE - 50, 100));
		EXPECT_TRUE(is_pattern(hole + PAGE - 50, 50, 5));
	}
	EXPECT_EQ(records(variant) ? 100 : 50, read(self->c, out, 100));
	EXPECT_TRUE(is_pattern(out, records(variant) ? 100 : 50,
			       records(variant) ? 5 : 55));
	munmap(hole, PAGE);
}

/* Memory that is there only when it is touched. */
TEST_F(both, lazy_buffers)
{
	unsigned char *in, *out;

	in = mmap(NULL, 2 * SIZE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, in);
	out = in + SIZE;
	ASSERT_EQ(3 * PAGE, write(self->p, in, 3 * PAGE));
	ASSERT_EQ(3 * PAGE, read(self->c, out, SIZE));
	EXPECT_EQ(0, count_not(out, 0, SIZE));
	munmap(in, 2 * SIZE);
}

/* The ring's own memory as a buffer, touched before and not. */
TEST_F(both, own_mapping_as_buffer)
{
	unsigned char in[100];

	fill_pattern(in, sizeof(in), 7);
	ASSERT_EQ(100, write(self->p, in, 100));
	ASSERT_EQ(100, read(self->c, self->r.c.data + 2 * PAGE, 100));
	EXPECT_TRUE(is_pattern(self->r.c.data + 2 * PAGE, 100, 7));
	ASSERT_EQ(100, write(self->p, self->r.p.data + 2 * PAGE, 100));
	ASSERT_EQ(100, read(self->c, in, 100));
	EXPECT_TRUE(is_pattern(in, 100, 7));
	/* Onto itself: nothing of value can come of it, but it ends. */
	ASSERT_EQ(100, write(self->p, self->r.p.data + 100, 100));
	EXPECT_EQ(100, read(self->c, self->r.c.data, 100));
	EXPECT_EQ(4, write(self->p, &self->r.p.head->head, 4));
	/* A page that it may only read. */
	EXPECT_EQ(-1, read(self->c, self->r.c.head, 4));
	EXPECT_EQ(EFAULT, errno);
}

/*
 * Mapping
 */

static int mmap_errno(int fd, __u64 offset, size_t len, int prot, int flags)
{
	void *p = mmap(NULL, len, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

TEST_F(both, map_ranges)
{
	static const struct {
		__u64	offset;
		size_t	len;
		int	producer;	/* errno when it is written */
		int	consumer;
	} cases[] = {
		{ SECBUF_RING_MMAP_DATA, 2 * SIZE, 0, 0 },
		{ SECBUF_RING_MMAP_DATA, SIZE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_DATA, 2 * SIZE + PAGE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_DATA, PAGE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_DATA + PAGE, 2 * SIZE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_DATA + SIZE, SIZE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_HEAD, PAGE, 0, EPERM },
		{ SECBUF_RING_MMAP_HEAD, 2 * PAGE, EINVAL, EPERM },
		{ SECBUF_RING_MMAP_HEAD + PAGE, PAGE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_HEAD - PAGE, PAGE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_TAIL, PAGE, EPERM, 0 },
		{ SECBUF_RING_MMAP_TAIL, 2 * PAGE, EPERM, EINVAL },
		{ SECBUF_RING_MMAP_TAIL + PAGE, PAGE, EINVAL, EINVAL },
		{ SECBUF_RING_MMAP_TAIL << 1, PAGE, EINVAL, EINVAL },
		{ 1ULL << 62, PAGE, EINVAL, EINVAL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].producer,
			  mmap_errno(self->p, cases[i].offset, cases[i].len,
				     PROT_RW, MAP_SHARED)) {
			TH_LOG("case %u", i);
		}
		EXPECT_EQ(cases[i].consumer,
			  mmap_errno(self->c, cases[i].offset, cases[i].len,
				     PROT_RW, MAP_SHARED)) {
			TH_LOG("case %u", i);
		}
	}
	EXPECT_EQ(0, mmap_errno(self->p, SECBUF_RING_MMAP_TAIL, 2 * PAGE,
				PROT_READ, MAP_SHARED));
	EXPECT_EQ(EINVAL, mmap_errno(self->p, SECBUF_RING_MMAP_TAIL, PAGE,
				     PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, mmap_errno(self->c, SECBUF_RING_MMAP_HEAD, 2 * PAGE,
				PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, mmap_errno(self->p, SECBUF_RING_MMAP_DATA, 2 * SIZE,
				PROT_READ, MAP_SHARED));
}

TEST_F(both, map_flags)
{
	static const __u64 offsets[] = {
		SECBUF_RING_MMAP_DATA, SECBUF_RING_MMAP_HEAD,
		SECBUF_RING_MMAP_TAIL,
	};
	static const size_t lens[] = { 2 * SIZE, PAGE, 2 * PAGE };

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(EINVAL, mmap_errno(self->p, offsets[i], lens[i],
					     PROT_READ, MAP_PRIVATE));
		EXPECT_EQ(EPERM, mmap_errno(self->p, offsets[i], lens[i],
					    PROT_READ | PROT_EXEC,
					    MAP_SHARED));
	}
	EXPECT_EQ(EINVAL, mmap_errno(self->p, 0, 2 * SIZE, PROT_RW,
				     MAP_PRIVATE));
}

TEST_F(both, protections_stay)
{
	unsigned char *map;

	EXPECT_EQ(-1, mprotect(self->r.p.tail, 2 * PAGE, PROT_RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(self->r.c.head, 2 * PAGE, PROT_RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(self->r.p.data, 2 * SIZE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(SIGSEGV, touch((void *)self->r.p.tail, true));
	EXPECT_EQ(SIGSEGV, touch((void *)self->r.p.status, true));
	EXPECT_EQ(SIGSEGV, touch((void *)self->r.c.head, true));
	EXPECT_EQ(SIGSEGV, touch((void *)self->r.c.status, true));

	map = ring_mmap(self->p, 2 * SIZE, false, SECBUF_RING_MMAP_DATA);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, mprotect(map, 2 * SIZE, PROT_RW));
	EXPECT_EQ(EACCES, errno);
	munmap(map, 2 * SIZE);
}

TEST_F(both, stays_in_one_piece)
{
	unsigned char *data = self->r.p.data;

	EXPECT_EQ(-1, munmap(data, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect(data, PAGE, PROT_READ));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(data, 2 * SIZE, 4 * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(data, 0, 2 * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(data, 2 * SIZE, 2 * SIZE, MREMAP_MAYMOVE |
				     MREMAP_FIXED, data + 8 * SIZE));
	EXPECT_EQ(-1, madvise(data, 2 * SIZE, MADV_DOFORK));
	EXPECT_EQ(-1, madvise(data, 2 * SIZE, MADV_DODUMP));
	EXPECT_EQ(-1, madvise(data, 2 * SIZE, MADV_DONTNEED));
}

TEST_F(both, second_mapping)
{
	unsigned char *again;

	self->r.p.data[5] = 0x55;
	again = ring_mmap(self->p, 2 * SIZE, true, SECBUF_RING_MMAP_DATA);
	ASSERT_NE(MAP_FAILED, again);
	EXPECT_EQ(0x55, again[5]);
	EXPECT_EQ(0x55, again[SIZE + 5]);
	again[6] = 0x66;
	EXPECT_EQ(0x66, self->r.c.data[6]);
	munmap(again, 2 * SIZE);
}

TEST_F(both, closed_while_mapped)
{
	char buf[10] = "abcdefghi";

	if (records(variant))
		SKIP(return, "bytes only");
	close(self->p);
	close(self->c);
	ASSERT_TRUE(ring_put(&self->r.p, buf, 10));
	EXPECT_EQ(0, self->r.c.status->flags);
	ASSERT_TRUE(ring_get(&self->r.c, buf, 10));
	EXPECT_EQ('a', buf[0]);
	/* The last mapping is the end of the producer. */
	ring_end_unmap(&self->r.p);
	EXPECT_EQ(SECBUF_RING_PRODUCER_GONE, self->r.c.status->flags);
}

/*
 * Waiting
 */

TEST_F(both, poll)
{
	unsigned char buf[SIZE] = { 1 };

	EXPECT_EQ(0, poll_now(self->c));
	EXPECT_EQ(POLLOUT, poll_now(self->p));
	ASSERT_EQ(SIZE - 4, write(self->p, buf, SIZE - 4));
	EXPECT_EQ(POLLIN, poll_now(self->c));
	if (!records(variant))
		ASSERT_EQ(4, write(self->p, buf, 4));
	EXPECT_EQ(0, poll_now(self->p));
	ASSERT_LT(0, read(self->c, buf, SIZE));
	EXPECT_EQ(POLLOUT, poll_now(self->p));
	EXPECT_EQ(0, poll_now(self->c));
}

/* What was refused decides when poll reports. */
TEST_F(both, poll_for_what_was_refused)
{
	unsigned char buf[SIZE] = { 1 };

	ASSERT_EQ(PAGE, write(self->p, buf, PAGE));
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
	EXPECT_EQ(0, poll_now(self->p));
	ASSERT_EQ(PAGE, read(self->c, buf, SIZE));
	EXPECT_EQ(POLLOUT, poll_now(self->p));

	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 100, 0));
	ASSERT_EQ(99 - 4, write(self->p, buf, 99 - 4));
	EXPECT_EQ(records(variant) ? POLLIN : 0, poll_now(self->c));
	ASSERT_EQ(5, write(self->p, buf, 5));
	EXPECT_EQ(POLLIN, poll_now(self->c));
	/* A call that succeeds ends that. */
	ASSERT_EQ(0, ring_wait(self->c, 1, 0));
	EXPECT_EQ(POLLIN, poll_now(self->c));
}

TEST_F(both, wait_looks)
{
	char buf[60] = { 1 };
	__u64 amount;

	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 0, 0));
	EXPECT_EQ(0, ring_wait(self->p, SIZE, 0));
	ASSERT_EQ(60, write(self->p, buf, 60));
	EXPECT_EQ(0, ring_notify_args(self->c, SECBUF_RING_NOTIFY_F_WAIT, 60,
				      RING_FOREVER, &amount));
	EXPECT_EQ(records(variant) ? 64 : 60, amount);
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 65, 0));
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
	EXPECT_EQ(0, ring_notify_args(self->p, 0, 0, 0, &amount));
	EXPECT_EQ(SIZE - (records(variant) ? 64 : 60), amount);
}

TEST_F(both, wait_bad_arguments)
{
	const __u32 wait = SECBUF_RING_NOTIFY_F_WAIT;
	const __u32 broken = SECBUF_RING_NOTIFY_F_BROKEN;

	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, wait, SIZE + 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, wait, ~0ULL, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, 0, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, 0, 0, 1, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, broken, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, ring_notify_args(self->c, broken | wait, 0, 0,
					    NULL));
	EXPECT_EQ(-EOPNOTSUPP, ring_notify_args(self->c, 4, 0, 0, NULL));
	/* None of which has broken it. */
	EXPECT_EQ(0, self->r.c.status->flags);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

TEST_F(both, wait_times_out)
{
	__u64 begin = now_ns(), took;

	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 1, 50 * MS));
	took = now_ns() - begin;
	EXPECT_LE(50 * MS, took);
	EXPECT_GE(5000 * MS, took);
}

struct later {
	pthread_t	thread;
	void		(*fn)(struct ring *r);
	struct ring	*ring;
};

static void *do_later(void *arg)
{
	struct later *later = arg;

	usleep(50000);
	later->fn(later->ring);
	return NULL;
}

static void start_later(struct later *later, struct ring *ring,
			void (*fn)(struct ring *ring))
{
	later->ring = ring;
	later->fn = fn;
	pthread_create(&later->thread, NULL, do_later, later);
}

#define END_LATER(later)	pthread_join((later)->thread, NULL)

static void put_ten(struct ring *r)
{
	ring_put(&r->p, "0123456789", 10);
}

static void write_ten(struct ring *r)
{
	if (write(r->p.fd, "0123456789", 10) != 10)
		_exit(99);
}

static void read_some(struct ring *r)
{
	char buf[SIZE];

	if (read(r->c.fd, buf, SIZE) <= 0)
		_exit(99);
}

static void get_page(struct ring *r)
{
	char buf[PAGE];

	ring_get(&r->c, buf, PAGE);
}

TEST_F(both, reader_sleeps)
{
	struct later later;
	char buf[20];

	start_later(&later, &self->r, write_ten);
	EXPECT_EQ(10, read(self->c, buf, sizeof(buf)));
	END_LATER(&later);
	if (records(variant))
		return;
	start_later(&later, &self->r, put_ten);
	EXPECT_EQ(10, read(self->c, buf, sizeof(buf)));
	END_LATER(&later);
	start_later(&later, &self->r, put_ten);
	EXPECT_EQ(0, ring_wait(self->c, 10, RING_FOREVER));
	END_LATER(&later);
}

TEST_F(both, writer_sleeps)
{
	unsigned char buf[SIZE] = { 1 };
	struct later later;

	ASSERT_EQ(SIZE - 4, write(self->p, buf, SIZE - 4));
	start_later(&later, &self->r, read_some);
	EXPECT_EQ(100, write(self->p, buf, 100));
	END_LATER(&later);
	if (records(variant))
		return;
	ASSERT_EQ(96, read(self->c, buf, SIZE));
	ASSERT_EQ(SIZE, write(self->p, buf, SIZE));
	start_later(&later, &self->r, get_page);
	EXPECT_EQ(0, ring_wait(self->p, PAGE, RING_FOREVER));
	END_LATER(&later);
}

static void *read_all(void *arg)
{
	size_t left = 5 * SIZE;
	unsigned char buf[777];
	int fd = *(int *)arg;
	ssize_t n;

	while (left) {
		n = read(fd, buf, left < 777 ? left : 777);
		if (n <= 0)
			return (void *)1;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (5 * SIZE - left + i) % 251)
				return (void *)2;
		left -= n;
	}
	return NULL;
}

/* More than the ring holds, in one call. */
TEST_F(both, long_write)
{
	static unsigned char buf[5 * SIZE];
	pthread_t thread;
	void *ret;

	if (records(variant))
		SKIP(return, "bytes only");
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = i % 251;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_all, &self->c));
	EXPECT_EQ(sizeof(buf), write(self->p, buf, sizeof(buf)));
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
}

static void on_signal(int sig)
{
	(void)sig;
}

static pthread_t sleeper;

static void interrupt_sleeper(struct ring *r)
{
	(void)r;
	pthread_kill(sleeper, SIGUSR1);
}

TEST_F(both, signals)
{
	struct sigaction action = { .sa_handler = on_signal };
	unsigned char buf[SIZE + PAGE] = { 1 };
	struct later later;

	sigaction(SIGUSR1, &action, NULL);
	sleeper = pthread_self();

	start_later(&later, &self->r, interrupt_sleeper);
	EXPECT_EQ(-1, read(self->c, buf, 1));
	EXPECT_EQ(EINTR, errno);
	END_LATER(&later);

	start_later(&later, &self->r, interrupt_sleeper);
	EXPECT_EQ(-EINTR, ring_wait(self->c, 1, RING_FOREVER));
	END_LATER(&later);

	if (records(variant))
		return;
	/* How many were written, as of a pipe. */
	start_later(&later, &self->r, interrupt_sleeper);
	EXPECT_EQ(SIZE, write(self->p, buf, sizeof(buf)));
	END_LATER(&later);
}

/* need_wake is set while a side sleeps, and says for what. */
TEST_F(both, need_wake)
{
	char buf[PAGE] = { 1 };

	EXPECT_EQ(0, self->r.p.tail->need_wake);
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->c, 100, 0));
	EXPECT_EQ(1, self->r.p.tail->need_wake);
	EXPECT_EQ(100, self->r.p.tail->wake_pos);
	/* Too few: it stays set. */
	ASSERT_EQ(50, write(self->p, buf, 50));
	EXPECT_EQ(1, self->r.p.tail->need_wake);
	EXPECT_EQ(0, ring_notify(self->p));
	EXPECT_EQ(1, self->r.p.tail->need_wake);
	ASSERT_EQ(60, write(self->p, buf, 60));
	EXPECT_EQ(0, self->r.p.tail->need_wake);

	EXPECT_EQ(0, self->r.c.head->need_wake);
	EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
	EXPECT_EQ(1, self->r.c.head->need_wake);
	EXPECT_EQ(self->r.p.head->head, self->r.c.head->wake_pos);
}

TEST_F(both, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char buf[100] = { 1 };

	ASSERT_LE(0, ep);
	nonblock(self->c);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->c, &event));
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(10, write(self->p, buf, 10));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, 1000));
		EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
		EXPECT_EQ(10, read(self->c, buf, 10));
		/* Until EAGAIN, and from then on it is told again. */
		EXPECT_EQ(-1, read(self->c, buf, 10));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(1, self->r.p.tail->need_wake);
	}
	close(ep);
}

TEST_F(both, epoll_level)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char buf[100] = { 1 };

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->c, &event));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
		ASSERT_EQ(10, write(self->p, buf, 10));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, 1000));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, 0));
		EXPECT_EQ(10, read(self->c, buf, 10));
	}
	close(ep);
}

/*
 * Memory
 */

TEST_F(both, first_touch)
{
	EXPECT_EQ(0, held(self->p));
	EXPECT_EQ(0, self->r.p.data[0]);
	EXPECT_EQ(PAGE, held(self->p));
	EXPECT_EQ(0, self->r.c.data[SIZE + 1]);
	EXPECT_EQ(PAGE, held(self->p));
	self->r.c.data[SIZE + PAGE] = 0;
	EXPECT_EQ(2 * PAGE, held(self->c));
}

TEST_F(both, shrink)
{
	char buf[PAGE] = { 1 };

	EXPECT_EQ(0, ring_shrink(self->p));
	ASSERT_EQ(PAGE, write(self->p, buf, PAGE));
	EXPECT_EQ(-EBUSY, ring_shrink(self->p));
	EXPECT_LE(PAGE, held(self->p));
	ASSERT_EQ(PAGE, read(self->c, buf, PAGE));
	EXPECT_LE(PAGE, ring_shrink(self->c));
	EXPECT_EQ(0, held(self->p));
	/* It comes back when it is touched. */
	ASSERT_EQ(10, write(self->p, "0123456789", 10));
	ASSERT_EQ(10, read(self->c, buf, PAGE));
	EXPECT_EQ(0, memcmp(buf, "0123456789", 10));
}

TEST_F(both, parking)
{
	struct ring_end *p = &self->r.p;
	unsigned char *span;

	if (records(variant))
		SKIP(return, "bytes only");
	EXPECT_EQ(SECBUF_RING_PARKED, p->head->state);
	span = ring_reserve(p, 10);
	ASSERT_NE(NULL, span);
	memset(span, 0x33, 10);
	EXPECT_EQ(SECBUF_RING_BUSY, p->head->state);
	/* Empty for all that the kernel can see. */
	EXPECT_EQ(-EBUSY, ring_shrink(self->c));
	EXPECT_EQ(0, count_not(span, 0x33, 10));
	EXPECT_EQ(0, ring_commit(p, 10));
	ring_park(p);
	EXPECT_EQ(-EBUSY, ring_shrink(self->c));
	EXPECT_EQ(SECBUF_RING_PARKED, p->head->state);
	EXPECT_EQ(0, ring_consume(&self->r.c, 10));
	EXPECT_EQ(PAGE, ring_shrink(self->c));
	EXPECT_EQ(SECBUF_RING_GONE, p->head->state);
	EXPECT_EQ(0, held(self->c));
	/* Again: there is nothing any more. */
	EXPECT_EQ(0, ring_shrink(self->c));
	span = ring_reserve(p, 10);
	ASSERT_NE(NULL, span);
	EXPECT_EQ(SECBUF_RING_BUSY, p->head->state);
	EXPECT_EQ(0, count_not(span, 0, 10));
	EXPECT_EQ(-ENOTTY, ring_unpark(self->c));
}

TEST_F(both, populate)
{
	struct ring r;

	ASSERT_EQ(0, ring_open(&r, self->dev, SIZE, SECBUF_RING_F_POPULATE |
						    variant->flags));
	EXPECT_EQ(SIZE, held(r.p.fd));
	EXPECT_EQ(SIZE, ring_shrink(r.p.fd));
	EXPECT_EQ(0, held(r.p.fd));
	ring_close(&r);
}

/* Half of the memory of a stock guest goes to one user. */
TEST_F(both, whole_ring_counts)
{
	struct secbuf_ring_create_args args;
	__u64 before = secbuf_bytes(self->dev), more;

	ASSERT_EQ(0, ring_create(self->dev, 1 << 20, 0, &args));
	more = secbuf_bytes(self->dev) - before;
	EXPECT_LE(1 << 20, more);
	EXPECT_GE((1 << 20) + (64 << 10), more);
	close(args.out_producer_fd);
	EXPECT_EQ(before + more, secbuf_bytes(self->dev));
	close(args.out_consumer_fd);
	EXPECT_EQ(before, secbuf_bytes(self->dev));
}

TEST_F(both, ceiling_is_an_error)
{
	struct secbuf_ring_create_args args[64];
	struct secbuf_info_args info;
	int ret = 0, n;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	for (n = 0; n < 64 && !ret; n++)
		ret = ring_create(self->dev, SECBUF_RING_SIZE_MAX,
				  variant->flags, &args[n]);
	if (info.out_user_bytes_max > 64ULL * SECBUF_RING_SIZE_MAX)
		SKIP(return, "too much memory");
	EXPECT_EQ(-EDQUOT, ret);
	for (n -= 2; n >= 0; n--) {
		close(args[n].out_producer_fd);
		close(args[n].out_consumer_fd);
	}
}

/*
 * The end of an end, by one process
 */

TEST_F(both, producer_closes)
{
	char buf[20] = "0123456789";

	ASSERT_EQ(10, write(self->p, buf, 10));
	self->r.p.data[PAGE] = 0x44;
	ASSERT_EQ(0, ring_hangup(self->p));
	EXPECT_EQ(SECBUF_RING_PRODUCER_GONE, self->r.c.status->flags);
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(self->c));
	/* What it had not published is zeroized. */
	EXPECT_EQ(0, self->r.c.data[PAGE]);
	EXPECT_EQ(SIGBUS, touch(self->r.p.data, false));
	EXPECT_EQ(SIGBUS, touch((void *)self->r.p.head, true));
	EXPECT_EQ(-1, write(self->p, buf, 1));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-ESHUTDOWN, ring_notify(self->p));
	EXPECT_EQ(ESHUTDOWN, mmap_errno(self->p, 0, 2 * SIZE, PROT_RW,
					MAP_SHARED));
	EXPECT_EQ(-EPIPE, ring_notify(self->c));
	EXPECT_EQ(0, ring_wait(self->c, 10, RING_FOREVER));
	EXPECT_EQ(-EPIPE, ring_wait(self->c, 17, RING_FOREVER));

	EXPECT_EQ(10, read(self->c, buf, 20));
	EXPECT_EQ('0', buf[0]);
	EXPECT_EQ(0, read(self->c, buf, 20));
	EXPECT_EQ(-EPIPE, ring_wait(self->c, 1, RING_FOREVER));
	EXPECT_EQ(POLLHUP, poll_now(self->c));
	EXPECT_LE(0, ring_shrink(self->c));
	/* Once more does nothing. */
	EXPECT_EQ(-ESHUTDOWN, ring_shrink(self->p));
	EXPECT_EQ(0, ring_hangup(self->p));
}

TEST_F(both, consumer_closes)
{
	char buf[20] = "0123456789";

	ASSERT_EQ(10, write(self->p, buf, 10));
	ASSERT_EQ(0, ring_hangup(self->c));
	EXPECT_EQ(SECBUF_RING_CONSUMER_GONE, self->r.p.status->flags);
	EXPECT_EQ(POLLHUP, poll_now(self->p));
	EXPECT_EQ(0, held(self->p));
	/* It may write on, for nobody. */
	EXPECT_EQ(0, self->r.p.data[0]);
	memset(self->r.p.data, 0x66, 2 * SIZE);
	EXPECT_EQ(0, held(self->p));
	EXPECT_EQ(-1, write(self->p, buf, 10));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-EPIPE, ring_notify(self->p));
	EXPECT_EQ(-EPIPE, ring_wait(self->p, 1, RING_FOREVER));
	EXPECT_EQ(-EPIPE, ring_unpark(self->p));
	EXPECT_EQ(SIGBUS, touch(self->r.c.data, false));
	EXPECT_EQ(-1, read(self->c, buf, 10));
	EXPECT_EQ(ESHUTDOWN, errno);
}

static void hangup_p(struct ring *r)
{
	ring_hangup(r->p.fd);
}

static void hangup_c(struct ring *r)
{
	ring_hangup(r->c.fd);
}

static void reset_ring(struct ring *r)
{
	ring_reset(r->p.fd);
}

static void break_ring(struct ring *r)
{
	ring_notify_args(r->p.fd, SECBUF_RING_NOTIFY_F_BROKEN, 0, 0, NULL);
}

TEST_F(both, sleepers_are_woken)
{
	unsigned char buf[SIZE] = { 1 };
	struct later later;

	start_later(&later, &self->r, hangup_p);
	EXPECT_EQ(0, read(self->c, buf, 1));
	END_LATER(&later);
	ring_close(&self->r);

	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	ASSERT_EQ(SIZE - 4, write(self->r.p.fd, buf, SIZE - 4));
	start_later(&later, &self->r, hangup_c);
	EXPECT_EQ(-EPIPE, ring_wait(self->r.p.fd, SIZE, RING_FOREVER));
	END_LATER(&later);
	ring_close(&self->r);

	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	start_later(&later, &self->r, reset_ring);
	EXPECT_EQ(-ESHUTDOWN, ring_wait(self->r.c.fd, 1, RING_FOREVER));
	END_LATER(&later);
	ring_close(&self->r);

	ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE, variant->flags));
	start_later(&later, &self->r, break_ring);
	EXPECT_EQ(-1, read(self->r.c.fd, buf, 1));
	EXPECT_EQ(EPROTO, errno);
	END_LATER(&later);
}

TEST_F(both, reset)
{
	char buf[20] = "0123456789";
	struct secbuf_ring_stats_args stats;

	ASSERT_EQ(10, write(self->p, buf, 10));
	self->r.c.data[PAGE] = 1;
	/* All of it is mapped before. */
	ASSERT_LT(0, self->r.c.head->head);
	ASSERT_EQ(0, self->r.p.tail->tail);
	ASSERT_EQ(0, ring_reset(self->c));
	EXPECT_EQ(SECBUF_RING_RESET_DONE | SECBUF_RING_BROKEN,
		  self->r.c.status->flags);
	EXPECT_EQ(0, held(self->p));
	/* Mappings stay, and show a page of one's own. */
	EXPECT_EQ(0, count_not(self->r.p.data, 0, 2 * SIZE));
	EXPECT_EQ(0, count_not(self->r.c.data, 0, 2 * SIZE));
	memset(self->r.p.data, 0x11, 2 * SIZE);
	EXPECT_EQ(0, count_not(self->r.c.data, 0, 2 * SIZE));
	self->r.p.head->head = 77;
	EXPECT_EQ(0, self->r.c.head->head);
	self->r.c.tail->tail = 78;
	EXPECT_NE(78, self->r.p.tail->tail);

	EXPECT_EQ(-1, write(self->p, buf, 10));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-1, read(self->c, buf, 10));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(-ESHUTDOWN, ring_notify(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_shrink(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_unpark(self->p));
	EXPECT_EQ(-ESHUTDOWN, ring_claim(self->p));
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(self->p));
	EXPECT_EQ(ESHUTDOWN, mmap_errno(self->p, 0, 2 * SIZE, PROT_RW,
					MAP_SHARED));
	EXPECT_EQ(0, ring_stats(self->p, &stats));
	EXPECT_EQ(0, ring_reset(self->p));
	EXPECT_EQ(0, ring_hangup(self->p));
}

/*
 * Breaking
 */

#define EXPECT_BROKEN(ring)						\
do {									\
	char buf_[8] = { 1 };						\
									\
	EXPECT_EQ(SECBUF_RING_BROKEN, (ring)->p.status->flags);		\
	EXPECT_EQ(-1, write((ring)->p.fd, buf_, 1));			\
	EXPECT_EQ(EPROTO, errno);					\
	EXPECT_EQ(-1, read((ring)->c.fd, buf_, 8));			\
	EXPECT_EQ(EPROTO, errno);					\
	EXPECT_EQ(-EPROTO, ring_notify((ring)->p.fd));			\
	EXPECT_EQ(-EPROTO, ring_wait((ring)->c.fd, 1, RING_FOREVER));	\
	EXPECT_EQ(-EPROTO, ring_shrink((ring)->c.fd));			\
	EXPECT_EQ(POLLERR, poll_now((ring)->p.fd));			\
	EXPECT_EQ(POLLERR, poll_now((ring)->c.fd));			\
	EXPECT_EQ(0, ring_reset((ring)->c.fd));				\
} while (0)

TEST_F(both, broken_by_head)
{
	char buf[8];

	self->r.p.head->head = SIZE + 4;
	EXPECT_EQ(-1, read(self->c, buf, 8));
	EXPECT_EQ(EPROTO, errno);
	/* It does not help to repair it. */
	self->r.p.head->head = 0;
	EXPECT_BROKEN(&self->r);
}

TEST_F(both, broken_by_tail)
{
	char buf[8] = { 1 };

	self->r.c.tail->tail = 4;
	EXPECT_EQ(-1, write(self->p, buf, 8));
	EXPECT_EQ(EPROTO, errno);
	self->r.c.tail->tail = 0;
	EXPECT_BROKEN(&self->r);
}

TEST_F(both, broken_seen_by_poll)
{
	self->r.c.tail->tail = -4ULL;
	self->r.p.head->head = SIZE;
	EXPECT_EQ(POLLERR, poll_now(self->c));
	EXPECT_BROKEN(&self->r);
}

TEST_F(both, broken_by_report)
{
	EXPECT_EQ(0, ring_notify_args(self->c, SECBUF_RING_NOTIFY_F_BROKEN, 0,
				      0, NULL));
	EXPECT_BROKEN(&self->r);
}

/* The last position before all that can be counted, and around. */
TEST_F(both, positions_wrap_at_64_bits)
{
	unsigned char in[100], out[100];

	self->r.p.head->head = -8ULL;
	self->r.c.tail->tail = -8ULL;
	for (int i = 0; i < 5; i++) {
		fill_pattern(in, 100, i);
		ASSERT_EQ(100, write(self->p, in, 100));
		EXPECT_EQ(-ETIMEDOUT, ring_wait(self->p, SIZE, 0));
		ASSERT_EQ(0, ring_wait(self->c, 100, 0));
		ASSERT_EQ(100, read(self->c, out, 100));
		ASSERT_TRUE(is_pattern(out, 100, i));
	}
	EXPECT_GT(1000, self->r.c.tail->tail);
}

static void record_length(struct ring *r, __u32 len, __u64 head)
{
	memcpy(r->p.data, &len, sizeof(len));
	r->p.head->head = head;
}

TEST_F(both, broken_by_record)
{
	static const struct {
		__u32	len;
		__u64	head;
	} cases[] = {
		{ 0, 4 }, { 0, 8 }, { 1, 4 }, { 5, 8 }, { 8, 8 },
		{ 0x7fffffff, SIZE }, { 0xffffffff, SIZE },
		{ 0xfffffffc, SIZE }, { 0xfffffffd, 8 }, { SIZE, SIZE },
		{ SIZE - 3, SIZE }, { 1, 6 }, { 1, 9 },
	};
	char buf[SIZE];

	if (!records(variant))
		SKIP(return, "records only");
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		record_length(&self->r, cases[i].len, cases[i].head);
		EXPECT_EQ(-1, read(self->c, buf, sizeof(buf))) {
			TH_LOG("case %u", i);
		}
		EXPECT_EQ(EPROTO, errno) {
			TH_LOG("case %u", i);
		}
		EXPECT_BROKEN(&self->r);
		ring_close(&self->r);
		ASSERT_EQ(0, ring_open(&self->r, self->dev, SIZE,
				       variant->flags));
	}
	/* What just fits is none of these. */
	record_length(&self->r, SIZE - 4, SIZE);
	EXPECT_EQ(SIZE - 4, read(self->c, buf, sizeof(buf)));
	record_length(&self->r, 1, SIZE + 8);
	EXPECT_EQ(1, read(self->c, buf, sizeof(buf)));
}

TEST_F(both, stats)
{
	struct secbuf_ring_stats_args s;
	char buf[100] = { 1 };

	ASSERT_EQ(100, write(self->p, buf, 100));
	ASSERT_EQ(100, read(self->c, buf, 100));
	ASSERT_EQ(96, write(self->p, buf, 96));
	ASSERT_EQ(0, ring_notify(self->p));
	ASSERT_EQ(0, ring_stats(self->c, &s));
	EXPECT_EQ(0, s.out_status);
	EXPECT_EQ(SECBUF_RING_PARKED, s.out_state);
	EXPECT_EQ(records(variant) ? 204 : 196, s.out_produced);
	EXPECT_EQ(records(variant) ? 104 : 100, s.out_consumed);
	EXPECT_EQ(PAGE, s.out_bytes);
	EXPECT_EQ(PAGE, s.out_peak_bytes);
	EXPECT_LE(100, s.out_bytes_zeroized);
	EXPECT_EQ(1, s.out_notifies);
	EXPECT_EQ(0, s.out_sleeps);
	EXPECT_EQ(0, s.out_shrinks);
}

TEST_F(both, not_passable)
{
	EXPECT_EQ(-EALREADY, ring_claim(self->p));
	EXPECT_EQ(-EALREADY, ring_claim(self->c));
}

/*
 * Creating
 */

TEST(create_bad_sizes)
{
	static const __u64 sizes[] = {
		0, 1, 2048, 4095, 4097, 3 * PAGE, SIZE - 1, SIZE + 1,
		SECBUF_RING_SIZE_MAX + 1, 2ULL * SECBUF_RING_SIZE_MAX,
		1ULL << 32, 1ULL << 63, (1ULL << 32) + 4096, ~0ULL,
	};
	struct secbuf_ring_create_args args;
	int dev = secbuf_open();

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(-EINVAL, ring_create(dev, sizes[i], 0, &args)) {
			TH_LOG("size %llu", sizes[i]);
		}
	}
	close(dev);
}

TEST(create_bad_flags)
{
	struct secbuf_ring_create_args args;
	int dev = secbuf_open();

	for (int bit = 3; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, ring_create(dev, PAGE, 1U << bit, &args));
	memset(&args, 0, sizeof(args));
	args.size = sizeof(args);
	args.ring_size = PAGE;
	args.require = 1ULL << 40;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ioctl(dev, SECBUF_IOC_RING_CREATE, &args));
	close(dev);
}

/* Both descriptors or none. */
TEST(create_without_descriptors)
{
	struct secbuf_ring_create_args args;
	struct rlimit limit;
	int dev = secbuf_open();
	__u64 bytes = secbuf_bytes(dev);

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = dev + 2;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, ring_create(dev, PAGE, 0, &args));
	EXPECT_EQ(-1, fcntl(dev + 1, F_GETFD));
	EXPECT_EQ(bytes, secbuf_bytes(dev));
	limit.rlim_cur = dev + 3;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(0, ring_create(dev, PAGE, 0, &args));
	EXPECT_EQ(dev + 1, args.out_producer_fd);
	EXPECT_EQ(dev + 2, args.out_consumer_fd);
	close(args.out_producer_fd);
	close(args.out_consumer_fd);
	EXPECT_EQ(bytes, secbuf_bytes(dev));
	close(dev);
}

TEST(create_sizes)
{
	struct secbuf_info_args info;
	struct ring r;
	int dev = secbuf_open();

	ASSERT_EQ(0, secbuf_info(dev, &info));
	for (__u64 size = SECBUF_RING_SIZE_MIN; size <= SECBUF_RING_SIZE_MAX;
	     size <<= 2) {
		if (size > info.out_user_bytes_max / 2)
			break;
		ASSERT_EQ(0, ring_open(&r, dev, size, 0));
		r.p.data[size - 1] = 0x5a;
		EXPECT_EQ(0x5a, r.c.data[2 * size - 1]);
		EXPECT_EQ(PAGE, held(r.p.fd));
		ring_close(&r);
	}
	close(dev);
}

TEST_HARNESS_MAIN
