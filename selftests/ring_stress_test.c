// SPDX-License-Identifier: GPL-2.0
/*
 * A lot of bytes between two processes, with sleeping on both sides, while a
 * third one takes the memory whenever it can.
 *
 * SECBUF_RING_SECONDS: how long, for each case
 */
#include "secbuf_ring_child.h"

#include <signal.h>

#define STREAM_BYTES	(2 << 20)

struct stream {
	bool	mapped;
	bool	records;
	bool	park;
};

static unsigned char stream_byte(__u64 at)
{
	return at * 2654435761U >> 13;
}

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void stream_put(struct ring_end *p, const struct stream *s,
		       const unsigned char *buf, size_t len)
{
	if (!s->mapped) {
		CHECK(write(p->fd, buf, len) == (ssize_t)len);
		return;
	}
	while (!ring_put(p, buf, len)) {
		if (s->park)
			ring_park(p);
		CHECK(ring_wait(p->fd, len, RING_FOREVER) == 0);
	}
	if (s->park)
		ring_park(p);
}

static void stream_producer(const struct context *ctx)
{
	const struct stream *s = ctx->arg;
	unsigned char buf[3000];
	unsigned int random = 1;
	struct ring_end p;
	__u64 at = 0;
	size_t len;

	CHECK(ring_claim(ctx->p) == 0);
	CHECK(ring_end_map(&p, ctx->p) == 0);
	while (at < STREAM_BYTES) {
		len = 1 + next_random(&random) % sizeof(buf);
		if (len > STREAM_BYTES - at)
			len = STREAM_BYTES - at;
		for (size_t i = 0; i < len; i++)
			buf[i] = stream_byte(at + i);
		stream_put(&p, s, buf, len);
		at += len;
		if (next_random(&random) % 64 == 0)
			usleep(100);
	}
}

static ssize_t stream_get(struct ring_end *c, const struct stream *s,
			  unsigned char *buf, size_t len)
{
	__u64 used;
	int ret;

	if (!s->mapped || s->records)
		return read(c->fd, buf, len);
	for (;;) {
		used = ring_load(&c->head->head) - c->tail->tail;
		CHECK(used <= c->size);
		if (used)
			break;
		ret = ring_wait(c->fd, 1, RING_FOREVER);
		if (ret == -EPIPE)
			return 0;
		CHECK(!ret);
	}
	if (used > len)
		used = len;
	CHECK(ring_get(c, buf, used));
	return used;
}

static void stream_consumer(const struct context *ctx)
{
	const struct stream *s = ctx->arg;
	unsigned char buf[5000];
	unsigned int random = 2;
	struct ring_end c;
	__u64 at = 0;
	ssize_t n;

	CHECK(ring_claim(ctx->c) == 0);
	CHECK(ring_end_map(&c, ctx->c) == 0);
	say(ctx);
	for (;;) {
		n = stream_get(&c, s, buf, sizeof(buf));
		if (!n)
			break;
		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			CHECK(buf[i] == stream_byte(at + i));
		at += n;
		if (next_random(&random) % 64 == 0)
			usleep(100);
	}
	CHECK(at == STREAM_BYTES);
	CHECK(count_not(c.data, 0, c.size) == 0);
}

static void shrink_for_ever(const struct context *ctx)
{
	(void)ctx;
	for (;;) {
		FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

		if (f) {
			fputs("2", f);
			fclose(f);
		}
		usleep(200);
	}
}

FIXTURE(stream)
{
	int	dev;
	__u64	bytes;
};

FIXTURE_VARIANT(stream)
{
	struct stream	s;
};

FIXTURE_VARIANT_ADD(stream, calls)
{
	.s = { .mapped = false },
};

FIXTURE_VARIANT_ADD(stream, records)
{
	.s = { .records = true },
};

FIXTURE_VARIANT_ADD(stream, mapped)
{
	.s = { .mapped = true },
};

FIXTURE_VARIANT_ADD(stream, parking)
{
	.s = { .mapped = true, .park = true },
};

FIXTURE_SETUP(stream)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
}

FIXTURE_TEARDOWN(stream)
{
	EXPECT_EQ(self->bytes, bytes_settled(self->dev, self->bytes));
	close(self->dev);
}

/* Returns 0 if all bytes arrived. */
static int stream_run(int dev, struct stream *s)
{
	struct secbuf_ring_create_args args;
	struct child p, c;
	int ret;

	ret = ring_create(dev, SIZE, PASSABLE |
			  (s->records ? SECBUF_RING_F_RECORDS : 0), &args);
	if (ret)
		return ret;
	ret = child_start(&c, stream_consumer, &args, s) ?: child_await(&c);
	if (ret)
		return ret;
	ret = child_start(&p, stream_producer, &args, s);
	if (ret)
		return ret;
	if (!secbuf_owner_death(dev))
		close(args.out_producer_fd);
	ret = child_end(&p);
	ret = child_end(&c) ?: ret;
	if (secbuf_owner_death(dev))
		close(args.out_producer_fd);
	close(args.out_consumer_fd);
	return ret;
}

TEST_F_TIMEOUT(stream, all_arrive, 300)
{
	__u64 end = now_ms() + ring_test_ms(0);
	struct stream s = variant->s;
	struct child shrinker;
	unsigned int rounds = 0;
	int ret;

	ASSERT_EQ(0, child_start(&shrinker, shrink_for_ever, NULL, NULL));
	do {
		ret = stream_run(self->dev, &s);
		rounds++;
	} while (!ret && now_ms() < end);
	EXPECT_EQ(CHILD_OK, ret);
	TH_LOG("%u times %u bytes", rounds, STREAM_BYTES);
	kill(shrinker.pid, SIGKILL);
	child_end(&shrinker);
}

TEST_HARNESS_MAIN
