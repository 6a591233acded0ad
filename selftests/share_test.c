// SPDX-License-Identifier: GPL-2.0
/*
 * Pools with several members, in one process: what one has is common to see, and
 * his alone to free; with his descriptor it goes, while the others carry on.
 */
#include "secbuf_fixture.h"
#include "secbuf_share.h"
#include "secbuf_touch.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Two members in one process. */
FIXTURE(share)
{
	int			dev;
	struct secbuf_info_args	before;
	struct pool		a;	/* created it */
	struct pool		b;	/* attached */
};

FIXTURE_VARIANT(share)
{
	__u64	slot_size;
};

FIXTURE_VARIANT_ADD(share, sub_page) { .slot_size = 64 };
FIXTURE_VARIANT_ADD(share, page) { .slot_size = PAGE };
FIXTURE_VARIANT_ADD(share, multi_page) { .slot_size = 4 * PAGE };

FIXTURE_SETUP(share)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, secbuf_info(self->dev, &self->before));
	ASSERT_EQ(0, pool_open_flags(&self->a, self->dev, variant->slot_size,
				     NR_SLOTS, SECBUF_POOL_F_PASSABLE));
	ASSERT_EQ(0, pool_join(&self->b, self->a.fd));
}

FIXTURE_TEARDOWN(share)
{
	struct secbuf_info_args info;

	pool_close(&self->b);
	pool_close(&self->a);
	EXPECT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->before.out_bytes, info.out_bytes);
	EXPECT_EQ(self->before.out_nr_pools, info.out_nr_pools);
	close(self->dev);
}

TEST_F(share, one_pool)
{
	struct secbuf_info_args info;
	struct secbuf_pool_info_args a, b;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->before.out_nr_pools + 1, info.out_nr_pools);
	ASSERT_EQ(0, pool_info(self->a.fd, &a));
	ASSERT_EQ(0, pool_info(self->b.fd, &b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	EXPECT_EQ(SECBUF_POOL_F_MAPPED | SECBUF_POOL_F_PASSABLE, a.out_flags);
	EXPECT_EQ(NR_SLOTS, a.out_max_slots);
	EXPECT_EQ(variant->slot_size, a.out_slot_size);
	EXPECT_EQ(variant->slot_size, a.out_stride);
	EXPECT_EQ(NR_SLOTS * variant->slot_size, a.out_mmap_size);
	EXPECT_EQ(info.out_protections, a.out_protections);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->b.fd, F_GETFD));
}

TEST_F(share, each_sees_the_slots_of_all)
{
	__u64 a, b;

	ASSERT_EQ(1, pool_alloc(self->a.fd, &a, 1));
	ASSERT_EQ(1, pool_alloc(self->b.fd, &b, 1));
	ASSERT_NE(a, b);
	slot_fill(&self->a, a, 0x11);
	slot_fill(&self->b, b, 0x22);
	EXPECT_SLOT(&self->b, a, 0x11);
	EXPECT_SLOT(&self->a, b, 0x22);
	slot_fill(&self->b, a, 0x33);
	EXPECT_SLOT(&self->a, a, 0x33);
}

TEST_F(share, only_whose_it_is_can_free_it)
{
	__u64 a, b, bad;

	ASSERT_EQ(1, pool_alloc(self->a.fd, &a, 1));
	ASSERT_EQ(1, pool_alloc(self->b.fd, &b, 1));
	slot_fill(&self->a, a, 0x11);
	slot_fill(&self->b, b, 0x22);
	EXPECT_EQ(-ENOENT, pool_free(self->b.fd, &a, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->a.fd, &b, 1));
	bad = NR_SLOTS - 1;
	EXPECT_EQ(-ENOENT, pool_free(self->b.fd, &bad, 1));
	bad = NR_SLOTS;
	EXPECT_EQ(-EINVAL, pool_free(self->b.fd, &bad, 1));
	EXPECT_SLOT(&self->a, a, 0x11);
	EXPECT_SLOT(&self->a, b, 0x22);
	EXPECT_EQ(1, pool_free(self->a.fd, &a, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->a.fd, &a, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->b.fd, &a, 1));
	EXPECT_SLOT(&self->a, b, 0x22);
}

/* A slot that changed hands is the new owner's. */
TEST_F(share, stale_id)
{
	__u64 ids[NR_SLOTS], more[2];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->a.fd, ids, NR_SLOTS));
	ASSERT_EQ(1, pool_free(self->a.fd, &ids[7], 1));
	ASSERT_EQ(1, pool_alloc(self->b.fd, more, 2));
	EXPECT_EQ(ids[7], more[0]);
	EXPECT_EQ(-ENOENT, pool_free(self->a.fd, &ids[7], 1));
	EXPECT_EQ(1, pool_free(self->b.fd, more, 1));
}

TEST_F(share, limit_is_common)
{
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS / 2, pool_alloc(self->a.fd, ids, NR_SLOTS / 2));
	EXPECT_EQ(NR_SLOTS / 2, pool_alloc(self->b.fd, ids, NR_SLOTS));
	EXPECT_EQ(-ENOSPC, pool_alloc(self->a.fd, ids, 1));
	EXPECT_EQ(-ENOSPC, pool_alloc(self->b.fd, ids, 1));
}

TEST_F(share, granted_zero_whoever_had_it)
{
	__u64 ids[NR_SLOTS], id;

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->a.fd, ids, NR_SLOTS));
	slot_fill(&self->a, ids[9], 0xa5);
	ASSERT_EQ(1, pool_free(self->a.fd, &ids[9], 1));
	/* What is written to a free slot is not kept. */
	if (!touch(pool_slot(&self->a, ids[9]), true))
		slot_fill(&self->a, ids[9], 0x77);
	ASSERT_EQ(1, pool_alloc(self->b.fd, &id, 1));
	EXPECT_EQ(ids[9], id);
	EXPECT_SLOT(&self->b, id, 0);
	EXPECT_SLOT(&self->a, id, 0);
}

TEST_F(share, stats_of_each)
{
	struct secbuf_pool_stats_args a, b;
	__u64 ids[5];

	ASSERT_EQ(5, pool_alloc(self->a.fd, ids, 5));
	ASSERT_EQ(2, pool_free(self->a.fd, ids, 2));
	ASSERT_EQ(3, pool_alloc(self->b.fd, ids, 3));
	ASSERT_EQ(0, pool_stats(self->a.fd, &a));
	ASSERT_EQ(0, pool_stats(self->b.fd, &b));
	EXPECT_EQ(3, a.out_in_use);
	EXPECT_EQ(5, a.out_peak);
	EXPECT_EQ(5, a.out_acquired);
	EXPECT_EQ(2, a.out_returned);
	EXPECT_EQ(3, b.out_in_use);
	EXPECT_EQ(3, b.out_peak);
	EXPECT_EQ(3, b.out_acquired);
	EXPECT_EQ(0, b.out_returned);
	EXPECT_EQ(5, a.out_depot_hits + a.out_misses);
	EXPECT_EQ(3, b.out_depot_hits + b.out_misses);
	/* The rest is of the pool. */
	EXPECT_EQ(NR_SLOTS, b.out_max_slots);
	EXPECT_EQ(a.out_allocated, b.out_allocated);
	EXPECT_EQ(a.out_allocated - 6, a.out_available);
	EXPECT_EQ(a.out_available, b.out_available);
	EXPECT_EQ(a.out_bytes, b.out_bytes);
	EXPECT_EQ(a.out_bytes_zeroized, b.out_bytes_zeroized);

	EXPECT_EQ(-ENOENT, pool_free(self->b.fd, &(__u64){ 127 }, 1));
	ASSERT_EQ(NR_SLOTS - 6, pool_alloc(self->b.fd, (__u64[NR_SLOTS]){ 0 },
					   NR_SLOTS));
	ASSERT_EQ(-ENOSPC, pool_alloc(self->b.fd, ids, 1));
	ASSERT_EQ(0, pool_stats(self->a.fd, &a));
	ASSERT_EQ(0, pool_stats(self->b.fd, &b));
	EXPECT_EQ(0, a.out_failures);
	EXPECT_LE(1, b.out_failures);
}

TEST_F(share, free_all_is_of_one)
{
	__u64 a[NR_IDS], b[NR_IDS];

	EXPECT_EQ(0, pool_free_flags(self->a.fd, NULL, 0,
				     SECBUF_POOL_FREE_F_ALL));
	ASSERT_EQ(NR_IDS, pool_alloc(self->a.fd, a, NR_IDS));
	ASSERT_EQ(NR_IDS, pool_alloc(self->b.fd, b, NR_IDS));
	for (int i = 0; i < NR_IDS; i++) {
		slot_fill(&self->a, a[i], 0x11);
		slot_fill(&self->b, b[i], 0x22);
	}
	EXPECT_EQ(-EINVAL, pool_free_flags(self->b.fd, b, 0,
					   SECBUF_POOL_FREE_F_ALL));
	EXPECT_EQ(-EINVAL, pool_free_flags(self->b.fd, NULL, 1,
					   SECBUF_POOL_FREE_F_ALL));
	EXPECT_EQ(NR_IDS, in_use(self->b.fd));
	EXPECT_EQ(NR_IDS, pool_free_flags(self->b.fd, NULL, 0,
					  SECBUF_POOL_FREE_F_ALL));
	EXPECT_EQ(0, in_use(self->b.fd));
	EXPECT_EQ(NR_IDS, in_use(self->a.fd));
	for (int i = 0; i < NR_IDS; i++) {
		EXPECT_SLOT(&self->a, a[i], 0x11);
		EXPECT_SLOT(&self->a, b[i], 0);
	}
	EXPECT_EQ(0, pool_free_flags(self->b.fd, NULL, 0,
				     SECBUF_POOL_FREE_F_ALL));
}

/* The slots of a descriptor go with it, and nothing else. */
TEST_F(share, close_takes_back)
{
	__u64 a[NR_IDS], b[NR_IDS], bytes;

	ASSERT_EQ(NR_IDS, pool_alloc(self->a.fd, a, NR_IDS));
	for (int i = 0; i < NR_IDS; i++)
		slot_fill(&self->a, a[i], 0x11);
	bytes = bytes_held(self->a.fd);
	ASSERT_EQ(NR_IDS, pool_alloc(self->b.fd, b, NR_IDS));
	for (int i = 0; i < NR_IDS; i++)
		slot_fill(&self->b, b[i], 0x22);
	pool_close(&self->b);

	/* Its pages are freed at once. */
	EXPECT_EQ(bytes, bytes_held(self->a.fd));
	for (int i = 0; i < NR_IDS; i++) {
		EXPECT_SLOT(&self->a, a[i], 0x11);
		EXPECT_EQ(SIGBUS, touch(pool_slot(&self->a, b[i]), false));
	}
	ASSERT_EQ(0, pool_join(&self->b, self->a.fd));
	EXPECT_EQ(NR_IDS, pool_alloc(self->b.fd, b, NR_IDS));
}

/* On pages that others are on, the bytes go and the pages stay. */
TEST_F(share, close_zeroizes_on_shared_pages)
{
	const int half = NR_SLOTS / 2;
	__u64 a[NR_SLOTS], b[NR_SLOTS];
	unsigned char *p;
	__u64 bytes;
	int nr;

	/* The second one's slots lie between those of the first. */
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->a.fd, a, NR_SLOTS));
	for (int i = 0; i < half; i++)
		ASSERT_EQ(1, pool_free(self->a.fd, &a[2 * i], 1));
	nr = pool_alloc(self->b.fd, b, NR_SLOTS);
	ASSERT_EQ(half, nr);
	for (int i = 0; i < half; i++) {
		slot_fill(&self->a, a[2 * i + 1], 0x11);
		slot_fill(&self->b, b[i], 0x22);
	}
	bytes = bytes_held(self->a.fd);
	pool_close(&self->b);
	for (int i = 0; i < half; i++) {
		EXPECT_SLOT(&self->a, a[2 * i + 1], 0x11);
		p = pool_slot(&self->a, b[i]);
		EXPECT_EQ(variant->slot_size < PAGE ? 0 : SIGBUS,
			  touch(p, false));
		if (variant->slot_size < PAGE)
			EXPECT_SLOT(&self->a, b[i], 0);
	}
	EXPECT_EQ(variant->slot_size < PAGE ? bytes : bytes / 2,
		  bytes_held(self->a.fd));
	ASSERT_EQ(0, pool_join(&self->b, self->a.fd));
}

/* So do pages that are idle because of it, whoever paid for them. */
TEST_F(share, close_keeps_no_idle_pages)
{
	const __u64 pages = (variant->slot_size + PAGE - 1) & ~(PAGE - 1);
	__u64 ids[NR_SLOTS], id, bytes;

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->a.fd, ids, NR_SLOTS));
	ASSERT_EQ(1, pool_free(self->a.fd, ids, 1));
	ASSERT_EQ(1, pool_alloc(self->b.fd, &id, 1));
	ASSERT_EQ(ids[0], id);
	ASSERT_EQ(NR_SLOTS - 1, pool_free(self->a.fd, ids + 1,
					  NR_SLOTS - 1));
	bytes = bytes_held(self->a.fd);
	pool_close(&self->b);
	EXPECT_EQ(bytes - pages, bytes_held(self->a.fd));
	ASSERT_EQ(0, pool_join(&self->b, self->a.fd));
}

/* The pool does not need who made it. */
TEST_F(share, creator_closes_first)
{
	__u64 id, bytes;
	struct pool c;

	ASSERT_EQ(1, pool_alloc(self->a.fd, &id, 1));
	slot_fill(&self->a, id, 0x11);
	ASSERT_EQ(1, pool_alloc(self->b.fd, &id, 1));
	slot_fill(&self->b, id, 0x22);
	bytes = bytes_held(self->b.fd);
	pool_close(&self->a);

	EXPECT_GT(bytes, bytes_held(self->b.fd));
	EXPECT_SLOT(&self->b, id, 0x22);
	EXPECT_EQ(1, in_use(self->b.fd));
	ASSERT_EQ(0, pool_join(&c, self->b.fd));
	EXPECT_SLOT(&c, id, 0x22);
	pool_close(&c);
	EXPECT_SLOT(&self->b, id, 0x22);
	ASSERT_EQ(0, pool_join(&self->a, self->b.fd));
}

/* Slots are found on pages of one's own while there are any. */
TEST_F(share, pages_of_one)
{
	__u64 page[2], id;

	if (variant->slot_size >= PAGE)
		SKIP(return, "a slot has pages of its own");
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 2; k++) {
			struct pool *p = k ? &self->b : &self->a;

			ASSERT_EQ(1, pool_alloc(p->fd, &id, 1));
			if (!i)
				page[k] = id * variant->slot_size / PAGE;
			EXPECT_EQ(page[k], id * variant->slot_size / PAGE);
		}
	}
	EXPECT_NE(page[0], page[1]);
	EXPECT_EQ(2 * PAGE, bytes_held(self->a.fd));
}

/* Who gets idle memory that another paid for pays for it from then on. */
TEST_F(share, idle_memory_changes_hands)
{
	__u64 ids[NR_SLOTS], bytes;

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->a.fd, ids, NR_SLOTS));
	bytes = bytes_held(self->a.fd);
	ASSERT_EQ(NR_SLOTS, pool_free(self->a.fd, ids, NR_SLOTS));
	EXPECT_EQ(bytes, bytes_held(self->a.fd));
	ASSERT_EQ(NR_SLOTS, pool_alloc(self->b.fd, ids, NR_SLOTS));
	EXPECT_EQ(bytes, bytes_held(self->a.fd));
	pool_close(&self->b);
	EXPECT_EQ(0, bytes_held(self->a.fd));
	ASSERT_EQ(0, pool_join(&self->b, self->a.fd));
}

TEST_F(share, shrink_is_of_the_pool)
{
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->a.fd, ids, NR_SLOTS));
	slot_fill(&self->a, ids[0], 0x11);
	ASSERT_EQ(NR_SLOTS / 2, pool_free(self->a.fd, ids + NR_SLOTS / 2,
					  NR_SLOTS / 2));
	EXPECT_EQ(NR_SLOTS / 2, pool_shrink(self->b.fd, NR_SLOTS));
	EXPECT_EQ(0, pool_shrink(self->b.fd, NR_SLOTS));
	EXPECT_SLOT(&self->a, ids[0], 0x11);
	EXPECT_EQ(NR_SLOTS / 2 * variant->slot_size, bytes_held(self->a.fd));
}

TEST_F(share, conn_of_a_member)
{
	struct secbuf_conn_buffer_args buffer;
	int conn = conn_create(self->dev, self->b.fd);

	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buffer));
	slot_fill(&self->b, buffer.out_id, 0x22);
	EXPECT_SLOT(&self->a, buffer.out_id, 0x22);
	EXPECT_EQ(1, in_use(self->b.fd));
	EXPECT_EQ(0, in_use(self->a.fd));
	EXPECT_EQ(-EBUSY, pool_free(self->b.fd, &buffer.out_id, 1));
	EXPECT_EQ(-ENOENT, pool_free(self->a.fd, &buffer.out_id, 1));
	EXPECT_EQ(0, pool_free_flags(self->b.fd, NULL, 0,
				     SECBUF_POOL_FREE_F_ALL));
	EXPECT_SLOT(&self->a, buffer.out_id, 0x22);
	close(conn);
	EXPECT_EQ(0, in_use(self->b.fd));
}

TEST_F(share, not_passable)
{
	struct pool p;

	ASSERT_EQ(0, pool_open(&p, self->dev, variant->slot_size, NR_SLOTS));
	EXPECT_EQ(-EPERM, pool_attach(p.fd));
	pool_close(&p);
}

TEST_F(share, users)
{
	struct rlimit limit = { 2048, 2048 };
	struct secbuf_info_args info;
	int fds[SECBUF_POOL_FILES_MAX];
	int nr = 0, ret;
	__u64 bytes;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	do {
		ASSERT_GT(SECBUF_POOL_FILES_MAX, nr);
		ret = pool_attach(self->a.fd);
		fds[nr++] = ret;
	} while (ret >= 0);
	EXPECT_EQ(-EUSERS, ret);
	EXPECT_EQ(SECBUF_POOL_FILES_MAX - 2, --nr);
	bytes = secbuf_bytes(self->dev);
	EXPECT_EQ(-EUSERS, pool_attach(self->a.fd));
	EXPECT_EQ(bytes, secbuf_bytes(self->dev));

	close(fds[--nr]);
	ret = pool_attach(self->a.fd);
	EXPECT_LE(0, ret);
	close(ret);
	while (nr)
		close(fds[--nr]);
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(self->before.out_nr_pools + 1, info.out_nr_pools);
}

TEST_F(share, descriptor_limit)
{
	__u64 bytes = secbuf_bytes(self->dev);
	struct rlimit limit = { 3, 1024 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, pool_attach(self->a.fd));
	EXPECT_EQ(bytes, secbuf_bytes(self->dev));
}

/* A member that shares the address space ends: its mapping goes, alone. */
struct clone_arg {
	struct pool	*from;
	struct pool	joined;
	__u64		id;
	int		ret;
};

static int join_and_exit(void *arg)
{
	struct clone_arg *c = arg;

	c->ret = pool_join(&c->joined, c->from->fd);
	if (!c->ret && pool_alloc(c->joined.fd, &c->id, 1) != 1)
		c->ret = -1;
	if (!c->ret)
		memset(pool_slot(&c->joined, c->id), 0x44, 64);
	syscall(SYS_exit_group, 0);
	return 0;
}

TEST_F(share, dead_member_is_not_mapped)
{
	struct clone_arg c = { .from = &self->a };
	__u64 id;
	char *stack;
	int pid, status;

	ASSERT_EQ(1, pool_alloc(self->a.fd, &id, 1));
	slot_fill(&self->a, id, 0x11);
	stack = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stack);
	pid = clone(join_and_exit, stack + 64 * PAGE, CLONE_VM | SIGCHLD, &c);
	ASSERT_LE(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, c.ret);

	EXPECT_EQ(SIGBUS, touch(pool_slot(&c.joined, c.id), false));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&c.joined, id), false));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&self->a, c.id), false));
	EXPECT_SLOT(&self->a, id, 0x11);
	munmap(c.joined.map, c.joined.map_size);
}

TEST_HARNESS_MAIN
