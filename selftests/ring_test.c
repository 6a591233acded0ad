// SPDX-License-Identifier: GPL-2.0
/*
 * Making a ring, and moving bytes and records through it.
 */
#include "secbuf_ring_both.h"

#include <sys/resource.h>
#include <sys/uio.h>

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
	/* Of others the last may still be going. */
	EXPECT_TRUE(wait_until(!secbuf_info(self->dev, &all) &&
			       all.out_nr_rings == 1));
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

/*
 * A consumer zeroizes before it moves the tail, so that for a moment there is a
 * record of no length. Only he knows better.
 */
TEST_F(both, fionread_while_consuming)
{
	char buf[40] = { 1 };
	int n = -1;

	if (!records(variant))
		SKIP(return, "records only");
	ASSERT_EQ(36, write(self->p, buf, 36));
	ASSERT_EQ(36, write(self->p, buf, 36));
	memset(self->r.c.data, 0, 40);
	ASSERT_EQ(0, ioctl(self->p, FIONREAD, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(0, self->r.p.status->flags);
	ring_store(&self->r.c.tail->tail, 40);
	ASSERT_EQ(0, ioctl(self->p, FIONREAD, &n));
	EXPECT_EQ(36, n);
	EXPECT_EQ(36, read(self->c, buf, sizeof(buf)));

	/* From the consumer it is not true. */
	ASSERT_EQ(36, write(self->p, buf, 36));
	memset(self->r.c.data + 80, 0, 4);
	EXPECT_EQ(-1, ioctl(self->c, FIONREAD, &n));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(SECBUF_RING_BROKEN, self->r.p.status->flags);
	EXPECT_EQ(-1, ioctl(self->p, FIONREAD, &n));
	EXPECT_EQ(EPROTO, errno);
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

static __u64 idle_ns(int fd)
{
	struct secbuf_ring_stats_args stats;

	return ring_stats(fd, &stats) ? ~0ULL : stats.out_idle_ns;
}

/*
 * Whether a use of the ring ends its idle time. The clock of that use can be late
 * by a few ticks, and by more where the machine stands still.
 */
static bool use_ends_idle(const struct ring *r, int use)
{
	char buf[10] = { 1 };
	__u64 begin, took;
	ssize_t done;

	if (use == 1 && write(r->p.fd, buf, 10) != 10)
		return false;
	sleep_ms(300);
	if (idle_ns(r->c.fd) < 200 * MS)
		return false;
	begin = now_ms();
	done = use == 0 ? write(r->p.fd, buf, 10) :
	       use == 1 ? read(r->c.fd, buf, 10) : 10 + ring_notify(r->p.fd);
	took = idle_ns(r->p.fd);
	return done == 10 && took <= (now_ms() - begin + 32) * MS;
}

TEST_F(both, idle_time)
{
	for (int use = 0; use < 3; use++)
		EXPECT_TRUE(wait_until(use_ends_idle(&self->r, use)));
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
