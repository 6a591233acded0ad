// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for the memory of a ring: its creator, and when his memory cgroup has
 * no room and nobody in it, who touches it.
 */
#include "secbuf_ring_child.h"
#include "secbuf_limits.h"

#define RING		(4UL << 20)

/*
 * The kernel charges in batches of 64 pages for each CPU. Page tables and what a
 * dead process leaves, for a while, are less than that.
 */
#define BATCHES		(128 * PAGE)

FIXTURE(charge)
{
	int		dev;
	__u64		bytes;
	struct memcg	creator;
	struct memcg	toucher;
	int		socks[2];
};

FIXTURE_VARIANT(charge)
{
	bool	full;
};

FIXTURE_VARIANT_ADD(charge, room)
{
	.full = false,
};

FIXTURE_VARIANT_ADD(charge, no_room)
{
	.full = true,
};

static long charged(const struct memcg *cg)
{
	return file_number(cg->dir, "memory.current", "");
}

FIXTURE_SETUP(charge)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	ASSERT_EQ(0, memcg_open(&self->creator));
	self->toucher = self->creator;
	strcat(self->toucher.dir, "-2");
	ASSERT_EQ(0, mkdir(self->toucher.dir, 0755));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				self->socks));
}

FIXTURE_TEARDOWN(charge)
{
	close(self->socks[0]);
	close(self->socks[1]);
	EXPECT_EQ(self->bytes, bytes_settled(self->dev, self->bytes));
	EXPECT_TRUE(wait_until(!rmdir(self->toucher.dir)));
	memcg_close(&self->creator);
	close(self->dev);
}

static void join(const struct memcg *cg)
{
	CHECK(file_write(cg->dir, "cgroup.procs", "0") == 0);
}

/* Makes a ring for somebody else, and is gone. */
static void creator(const struct context *ctx)
{
	FIXTURE_DATA(charge) *self = ctx->arg;
	struct secbuf_ring_create_args args;

	join(&self->creator);
	CHECK(ring_create(self->dev, RING, PASSABLE, &args) == 0);
	CHECK(send_fd(self->socks[0], args.out_producer_fd) == 0);
	CHECK(send_fd(self->socks[0], args.out_consumer_fd) == 0);
	hear(ctx);
}

static void touch_all(const struct context *ctx, bool full)
{
	FIXTURE_DATA(charge) *self = ctx->arg;
	long mine, his;
	struct ring_end p, c;

	join(&self->toucher);
	p.fd = receive_fd(self->socks[1]);
	c.fd = receive_fd(self->socks[1]);
	CHECK(ring_claim(p.fd) == 0);
	CHECK(ring_claim(c.fd) == 0);
	CHECK(ring_end_map(&p, p.fd) == 0);
	/* Or else it would be taken back at once. */
	CHECK(ring_busy(&p) == 0);
	say(ctx);
	hear(ctx);

	alarm(TEST_TIMEOUT_DEFAULT);
	mine = charged(&self->toucher);
	his = charged(&self->creator);
	memset(p.data, 0x5a, RING);
	mine = charged(&self->toucher) - mine;
	his = charged(&self->creator) - his;
	if (full)
		CHECK(mine >= (long)(RING - 2 * BATCHES));
	else
		CHECK(his >= (long)(RING - 2 * BATCHES) &&
		      mine <= (long)(2 * BATCHES));

	/* What is shown when the consumer is gone comes the same way. */
	CHECK(ring_hangup(c.fd) == 0);
	CHECK(p.data[0] == 0 && p.data[RING] == 0);
}

static void touch_full(const struct context *ctx)
{
	touch_all(ctx, true);
}

static void touch_with_room(const struct context *ctx)
{
	touch_all(ctx, false);
}

/* No page is left that what is charged now does not take. */
static void fill(const struct memcg *cg)
{
	char text[32];

	/* What CPUs have in stock is returned now and then. */
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "%ld", charged(cg));
		file_write(cg->dir, "memory.max", text);
		usleep(20000);
	}
}

TEST_F(charge, touch)
{
	struct child maker, toucher;

	if (charged(&self->creator) < 0)
		SKIP(return, "no memory controller");
	ASSERT_EQ(0, child_start(&maker, creator, NULL, self));
	ASSERT_EQ(0, child_start(&toucher, variant->full ? touch_full :
				 touch_with_room, NULL, self));
	ASSERT_EQ(0, child_await(&toucher));
	child_go_on(&maker);
	EXPECT_EQ(CHILD_OK, child_end(&maker));
	if (variant->full)
		fill(&self->creator);
	child_go_on(&toucher);
	EXPECT_EQ(CHILD_OK, child_end(&toucher));
	EXPECT_EQ(0, file_number(self->toucher.dir, "memory.events",
				 "oom_kill "));
}

/* write() is no fault: it fails. */
static void write_to_full(const struct context *ctx)
{
	FIXTURE_DATA(charge) *self = ctx->arg;
	static char buf[PAGE];
	int p, ret = 0;

	p = receive_fd(self->socks[1]);
	CHECK(receive_fd(self->socks[1]) >= 0);
	CHECK(ring_claim(p) == 0);
	say(ctx);
	hear(ctx);
	for (size_t i = 0; i < RING && !ret; i += PAGE)
		ret = write(p, buf, PAGE) == PAGE ? 0 : errno;
	CHECK(ret == ENOMEM);
}

TEST_F(charge, write)
{
	struct child maker, writer;

	if (charged(&self->creator) < 0)
		SKIP(return, "no memory controller");
	if (!variant->full)
		SKIP(return, "only where there is no room");
	ASSERT_EQ(0, child_start(&maker, creator, NULL, self));
	ASSERT_EQ(0, child_start(&writer, write_to_full, NULL, self));
	ASSERT_EQ(0, child_await(&writer));
	fill(&self->creator);
	child_go_on(&writer);
	EXPECT_EQ(CHILD_OK, child_end(&writer));
	child_go_on(&maker);
	EXPECT_EQ(CHILD_OK, child_end(&maker));
}

/*
 * Of many small rings, what the ceilings and the cgroup say is what they take.
 */

#define NR_RINGS	200

static int many_rings(void *arg)
{
	FIXTURE_DATA(charge) *self = arg;
	struct secbuf_ring_create_args args;
	__u64 bytes = secbuf_bytes(self->dev);
	long begin = charged(&self->creator), taken;

	for (int i = 0; i < NR_RINGS; i++)
		if (ring_create(self->dev, PAGE, SECBUF_RING_F_POPULATE,
				&args))
			return 1;
	taken = charged(&self->creator) - begin;
	bytes = secbuf_bytes(self->dev) - bytes;
	printf("# a ring of a page takes %ld bytes, %llu are counted\n",
	       taken / NR_RINGS, bytes / NR_RINGS);
	fflush(stdout);
	/* Four pages, structs, files and inodes. */
	if (taken < (long)(NR_RINGS * (4 * PAGE + 2048) - BATCHES))
		return 2;
	return taken > (long)(bytes + BATCHES) ? 3 : 0;
}

TEST_F(charge, many)
{
	if (charged(&self->creator) < 0)
		SKIP(return, "no memory controller");
	if (variant->full)
		SKIP(return, "the same");
	EXPECT_EQ(0, memcg_run(&self->creator, many_rings, self));
}

TEST_HARNESS_MAIN
