// SPDX-License-Identifier: GPL-2.0
/*
 * What of a ring can be mapped, by which end, and what cannot be done with it.
 */
#include "secbuf_ring_both.h"
#include "secbuf_touch.h"

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

TEST_HARNESS_MAIN
