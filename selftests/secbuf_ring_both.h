/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring of bytes and one of records, both ends of which belong to one process
 * and are mapped.
 */
#ifndef SECBUF_RING_BOTH_H
#define SECBUF_RING_BOTH_H

#include "secbuf_ring.h"

#include <poll.h>

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

static inline void fill_pattern(unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (seed + i) * 7 + 1;
}

static inline bool is_pattern(const unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != (unsigned char)((seed + i) * 7 + 1))
			return false;
	return true;
}

static inline void nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static inline short poll_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&pfd, 1, 0);
	return pfd.revents;
}

static inline __u64 held(int fd)
{
	struct secbuf_ring_stats_args stats;

	return ring_stats(fd, &stats) ? ~0ULL : stats.out_bytes;
}

static inline int mmap_errno(int fd, __u64 offset, size_t len, int prot, int flags)
{
	void *p = mmap(NULL, len, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

#endif /* SECBUF_RING_BOTH_H */
