// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of slots that are not granted stays until it is wanted elsewhere; then
 * it goes, and the program is asked for what it keeps itself.
 */
#include "secbuf_fixture.h"
#include "secbuf_aio.h"
#include "secbuf_limits.h"
#include "secbuf_touch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

#define NR_SLOTS	128
#define PROT_RW		(PROT_READ | PROT_WRITE)

/* Every shrinker is asked for all it has. */

static short pressed(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

FIXTURE(pressure)
{
	int					dev;
	__u64					bytes;
	struct pool				p;
	const struct secbuf_pool_control	*control;
};

FIXTURE_VARIANT(pressure)
{
	__u64	slot_size;
};

FIXTURE_VARIANT_ADD(pressure, sub_page) { .slot_size = 256 };
FIXTURE_VARIANT_ADD(pressure, page) { .slot_size = PAGE };
FIXTURE_VARIANT_ADD(pressure, multi_page) { .slot_size = 4 * PAGE };

FIXTURE_SETUP(pressure)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	ASSERT_EQ(0, pool_open_flags(&self->p, self->dev, variant->slot_size,
				     NR_SLOTS, SECBUF_POOL_F_PASSABLE));
	self->control = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->p.fd,
			     SECBUF_POOL_MMAP_CONTROL);
	ASSERT_NE(MAP_FAILED, self->control);
}

FIXTURE_TEARDOWN(pressure)
{
	munmap((void *)self->control, PAGE);
	pool_close(&self->p);
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

static struct secbuf_pool_stats_args stats_of(int fd)
{
	struct secbuf_pool_stats_args stats;

	if (pool_stats(fd, &stats))
		memset(&stats, 0xff, sizeof(stats));
	return stats;
}

/* Pages whose memory @nr slots take. */
static __u64 bytes_of(const struct pool *p, __u64 nr)
{
	return (nr * p->slot_size + PAGE - 1) & ~(PAGE - 1);
}

/* errno of a mmap that must fail. */
static int mmap_errno(size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p = mmap(NULL, len, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

TEST_F(pressure, control_page_is_read_only)
{
	const off_t at = SECBUF_POOL_MMAP_CONTROL;
	unsigned char *page = (unsigned char *)self->control;
	int fd = self->p.fd;

	EXPECT_EQ(0, count_not(page, 0, PAGE));
	EXPECT_EQ(EPERM, mmap_errno(PAGE, PROT_RW, MAP_SHARED, fd, at));
	EXPECT_EQ(EPERM, mmap_errno(PAGE, PROT_WRITE, MAP_SHARED, fd, at));
	EXPECT_EQ(EPERM, mmap_errno(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED,
				    fd, at));
	EXPECT_EQ(EINVAL, mmap_errno(PAGE, PROT_READ, MAP_PRIVATE, fd, at));
	EXPECT_EQ(EINVAL, mmap_errno(PAGE, PROT_RW, MAP_PRIVATE, fd, at));
	EXPECT_EQ(EINVAL, mmap_errno(2 * PAGE, PROT_READ, MAP_SHARED, fd, at));
	EXPECT_EQ(EINVAL, mmap_errno(PAGE, PROT_READ, MAP_SHARED, fd,
				     at + PAGE));
	EXPECT_EQ(EINVAL, mmap_errno(PAGE, PROT_READ, MAP_SHARED, fd,
				     at - PAGE));

	EXPECT_EQ(-1, mprotect(page, PAGE, PROT_RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(SIGSEGV, touch(page, true));
	EXPECT_EQ(SIGSEGV, touch(page + PAGE - 1, true));
	EXPECT_EQ(MAP_FAILED, mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(-1, madvise(page, PAGE, MADV_DOFORK));
	EXPECT_EQ(0, count_not(page, 0, PAGE));
}

/* The kernel writes to no page of a program either. */
TEST_F(pressure, control_page_is_read_only_for_system_calls)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(4, write(fds[1], "text", 4));
	EXPECT_EQ(-1, read(fds[0], (void *)self->control, 4));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, self->control->pressure);
}

TEST_F(pressure, idle_memory_stays)
{
	__u64 ids[NR_SLOTS], again[NR_SLOTS];
	struct secbuf_pool_stats_args s;

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	ASSERT_EQ(NR_SLOTS, pool_free(self->p.fd, ids, NR_SLOTS));
	s = stats_of(self->p.fd);
	EXPECT_EQ(bytes_of(&self->p, NR_SLOTS), s.out_bytes);
	EXPECT_EQ(NR_SLOTS, s.out_allocated);
	EXPECT_EQ(NR_SLOTS, s.out_available);
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, again, NR_SLOTS));
	EXPECT_EQ(0, memcmp(ids, again, sizeof(ids)));
	s = stats_of(self->p.fd);
	EXPECT_EQ(NR_SLOTS, s.out_depot_hits -
		  (variant->slot_size < PAGE ?
		   NR_SLOTS - NR_SLOTS * variant->slot_size / PAGE : 0));
	EXPECT_EQ(0, s.out_available);
}

/* Freed is zero at once; what is written afterwards is not granted to anybody. */
TEST_F(pressure, idle_memory_is_zero_when_granted)
{
	const size_t size = self->p.slot_size;
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	memset(self->p.map, 0xa5, self->p.map_size);
	ASSERT_EQ(NR_SLOTS, pool_free(self->p.fd, ids, NR_SLOTS));
	EXPECT_EQ(0, count_not(self->p.map, 0, self->p.map_size));
	memset(self->p.map, 0x77, self->p.map_size);
	ASSERT_EQ(1, pool_alloc(self->p.fd, ids, 1));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[0]), 0, size));
	ASSERT_EQ(NR_SLOTS - 1, pool_alloc(self->p.fd, ids + 1, NR_SLOTS));
	EXPECT_EQ(0, count_not(self->p.map, 0, self->p.map_size));
}

TEST_F(pressure, shrink)
{
	int per_page = variant->slot_size < PAGE ? PAGE / variant->slot_size :
						   1;
	__u64 ids[NR_SLOTS];
	int done;

	EXPECT_EQ(-EINVAL, pool_shrink(self->p.fd, 0));
	EXPECT_EQ(0, pool_shrink(self->p.fd, 1));
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	EXPECT_EQ(0, pool_shrink(self->p.fd, ~0U));
	memset(self->p.map, 0xa5, self->p.map_size);
	ASSERT_EQ(NR_SLOTS / 2, pool_free(self->p.fd, ids, NR_SLOTS / 2));
	EXPECT_EQ(per_page, pool_shrink(self->p.fd, 1));
	done = pool_shrink(self->p.fd, per_page + 1);
	EXPECT_EQ(per_page > 1 ? 2 * per_page : 2, done);
	EXPECT_EQ(NR_SLOTS / 2 - per_page - done,
		  pool_shrink(self->p.fd, ~0U));
	EXPECT_EQ(bytes_of(&self->p, NR_SLOTS / 2),
		  stats_of(self->p.fd).out_bytes);
	for (int i = 0; i < NR_SLOTS; i++) {
		unsigned char *slot = pool_slot(&self->p, ids[i]);

		EXPECT_EQ(i < NR_SLOTS / 2 ? SIGBUS : 0, touch(slot, false));
		if (i >= NR_SLOTS / 2)
			EXPECT_EQ(0, count_not(slot, 0xa5, variant->slot_size));
	}
}

/* Idle memory goes, what is granted keeps its contents. */
TEST_F(pressure, reclaim)
{
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	memset(self->p.map, 0xa5, self->p.map_size);
	ASSERT_EQ(NR_SLOTS / 2, pool_free(self->p.fd, ids, NR_SLOTS / 2));
	EXPECT_TRUE(short_until(stats_of(self->p.fd).out_allocated ==
				NR_SLOTS / 2));
	EXPECT_EQ(bytes_of(&self->p, NR_SLOTS / 2),
		  stats_of(self->p.fd).out_bytes);
	EXPECT_EQ(NR_SLOTS / 2, stats_of(self->p.fd).out_allocated);
	for (int i = 0; i < NR_SLOTS; i++) {
		unsigned char *slot = pool_slot(&self->p, ids[i]);

		EXPECT_EQ(i < NR_SLOTS / 2 ? SIGBUS : 0, touch(slot, false));
		if (i >= NR_SLOTS / 2)
			EXPECT_EQ(0, count_not(slot, 0xa5, variant->slot_size));
	}
	ASSERT_EQ(NR_SLOTS / 2, pool_alloc(self->p.fd, ids, NR_SLOTS));
	for (int i = 0; i < NR_SLOTS / 2; i++)
		EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[i]), 0,
				       variant->slot_size));
}

TEST_F(pressure, asks_only_those_who_have_something)
{
	__u64 id;

	ASSERT_EQ(0, memory_short());
	EXPECT_EQ(0, self->control->pressure);
	EXPECT_EQ(0, pressed(self->p.fd));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	ASSERT_EQ(1, pool_free(self->p.fd, &id, 1));
	EXPECT_TRUE(short_until(!stats_of(self->p.fd).out_bytes));
	EXPECT_EQ(0, self->control->pressure);
	EXPECT_EQ(0, pressed(self->p.fd));
}

/* Until the next FREE or SHRINK that succeeds. */
TEST_F(pressure, poll)
{
	__u64 ids[4], bad = ~0ULL;
	__u32 before;

	ASSERT_EQ(4, pool_alloc(self->p.fd, ids, 4));
	for (int i = 0; i < 3; i++) {
		usleep(200 * 1000);
		before = self->control->pressure;
		EXPECT_EQ(0, pressed(self->p.fd));
		EXPECT_TRUE(short_until(before != self->control->pressure));
		EXPECT_EQ(POLLPRI, pressed(self->p.fd));
		EXPECT_EQ(POLLPRI, pressed(self->p.fd));
		EXPECT_EQ(-EINVAL, pool_free(self->p.fd, &bad, 1));
		EXPECT_EQ(-EINVAL, pool_shrink(self->p.fd, 0));
		EXPECT_EQ(POLLPRI, pressed(self->p.fd));
		if (i == 0) {
			EXPECT_EQ(1, pool_free(self->p.fd, ids, 1));
		} else if (i == 1) {
			EXPECT_LE(0, pool_shrink(self->p.fd, 1));
		} else {
			EXPECT_EQ(3, pool_free_flags(self->p.fd, NULL, 0,
						     SECBUF_POOL_FREE_F_ALL));
		}
		EXPECT_EQ(0, pressed(self->p.fd));
	}
}

/* What a conn gives back was not asked for by the program. */
TEST_F(pressure, poll_and_conns)
{
	struct secbuf_conn_buffer_args args;
	int conn = conn_create(self->dev, self->p.fd);
	__u64 id;

	ASSERT_LE(0, conn);
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &args));
	ASSERT_TRUE(short_until(pressed(self->p.fd) == POLLPRI));
	EXPECT_EQ(0, conn_zeroize(conn));
	EXPECT_EQ(POLLPRI, pressed(self->p.fd));
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE, &args));
	close(conn);
	EXPECT_EQ(POLLPRI, pressed(self->p.fd));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
	EXPECT_EQ(0, pressed(self->p.fd));
}

/* It asks from a thread of the kernel. */
TEST_F(pressure, poll_by_aio)
{
	struct aio aio;
	__u64 id;
	int err;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	err = aio_poll(&aio, self->p.fd, POLLPRI);
	if (err == -ENOSYS)
		SKIP(return, "no AIO: %s", strerror(-err));
	ASSERT_EQ(0, err);
	EXPECT_TRUE(short_until(self->control->pressure));
	EXPECT_EQ(POLLPRI, aio_result(&aio, WAIT_MS));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
}

static void *make_short(void *arg)
{
	const struct secbuf_pool_control *control = arg;

	usleep(100 * 1000);
	short_until(control->pressure);
	return NULL;
}

TEST_F(pressure, poll_wakes_up)
{
	struct pollfd pfd = { .fd = self->p.fd, .events = POLLPRI };
	__u64 begin = now_ms();
	pthread_t thread;
	__u64 id;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_short,
				    (void *)self->control));
	EXPECT_EQ(1, poll(&pfd, 1, 2 * WAIT_MS));
	EXPECT_EQ(POLLPRI, pfd.revents);
	/* It looks once more when the time is up. */
	EXPECT_GT(begin + WAIT_MS, now_ms());
	pthread_join(thread, NULL);
}

/* All members are asked, each answers for himself. */
TEST_F(pressure, members)
{
	const struct secbuf_pool_control *control;
	struct pool b;
	__u64 id;

	ASSERT_EQ(0, pool_join(&b, self->p.fd));
	control = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, b.fd,
		       SECBUF_POOL_MMAP_CONTROL);
	ASSERT_NE(MAP_FAILED, control);
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_TRUE(short_until(control->pressure && self->control->pressure));
	EXPECT_EQ(POLLPRI, pressed(self->p.fd));
	EXPECT_EQ(POLLPRI, pressed(b.fd));
	EXPECT_EQ(0, pool_shrink(b.fd, 1));
	EXPECT_EQ(0, pressed(b.fd));
	EXPECT_EQ(POLLPRI, pressed(self->p.fd));

	/* Who joins now was not asked. */
	munmap((void *)control, PAGE);
	pool_close(&b);
	ASSERT_EQ(0, pool_join(&b, self->p.fd));
	EXPECT_EQ(0, pressed(b.fd));
	pool_close(&b);
}

/* Before a ceiling is reported, what is kept for nothing goes. */
TEST_F(pressure, ceiling_takes_idle_memory)
{
	char value[32], old[32];
	__u64 ids[NR_SLOTS], more[NR_SLOTS];
	struct pool b;
	int n = 0;

	ASSERT_EQ(0, pool_join(&b, self->p.fd));
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	ASSERT_EQ(NR_SLOTS / 2, pool_free(self->p.fd, ids, NR_SLOTS / 2));
	ASSERT_LE(1, pool_shrink(self->p.fd, NR_SLOTS / 4));
	memset(pool_slot(&self->p, ids[NR_SLOTS - 1]), 0xa5,
	       variant->slot_size);
	snprintf(value, sizeof(value), "%llu", secbuf_bytes(self->dev));
	ASSERT_EQ(0, param_write("max_bytes", value, old));
	/* Where there is no memory, then where idle memory of the other was. */
	while (n < NR_SLOTS && pool_alloc(b.fd, &more[n], 1) == 1)
		n++;
	param_write("max_bytes", old, NULL);
	EXPECT_EQ(NR_SLOTS / 4, n);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, ids[NR_SLOTS - 1]), 0xa5,
			       variant->slot_size));
	pool_close(&b);
}

/* Page faults of this thread so far. */
static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* One fault maps what is there in 64 KiB. */
TEST_F(pressure, fault_around)
{
	const __u64 window = 65536;
	__u64 ids[NR_SLOTS], windows;
	long before;

	if (on_uml())
		SKIP(return, "UML learns of the first use of a page by a fault");
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	windows = (self->p.map_size + window - 1) / window;
	before = faults();
	before = faults();
	for (__u64 at = 0; at < self->p.map_size; at += PAGE)
		*(volatile unsigned char *)(self->p.map + at) = 1;
	EXPECT_EQ(windows, faults() - before);
}

/* And nothing that is not there. */
TEST_F(pressure, fault_around_holes)
{
	const int half = NR_SLOTS / 2;
	__u64 ids[NR_SLOTS];

	if (variant->slot_size < PAGE)
		SKIP(return, "slots share pages");
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	for (int i = 0; i < half; i++)
		ASSERT_EQ(1, pool_free(self->p.fd, &ids[2 * i], 1));
	ASSERT_EQ(half, pool_shrink(self->p.fd, ~0U));
	for (int i = 0; i < NR_SLOTS; i++)
		EXPECT_EQ(i % 2 ? 0 : SIGBUS,
			  touch(pool_slot(&self->p, ids[i]), true));
	for (int i = 0; i < half; i++)
		ASSERT_EQ(1, pool_free(self->p.fd, &ids[2 * i + 1], 1));
	ASSERT_EQ(half, pool_shrink(self->p.fd, ~0U));
	for (int i = 0; i < NR_SLOTS; i++)
		EXPECT_EQ(SIGBUS, touch(pool_slot(&self->p, ids[i]), false));
}

TEST_HARNESS_MAIN
