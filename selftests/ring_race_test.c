// SPDX-License-Identifier: GPL-2.0
/*
 * An end of a ring is closed, or the ring reset, while other threads read,
 * write, wait, map and touch it.
 *
 * SECBUF_RING_SECONDS: how long, for each case
 */
#include "secbuf_ring_both.h"
#include "secbuf_touch.h"

#include <pthread.h>

FIXTURE(race)
{
	int	dev;
	__u64	bytes;
};

FIXTURE_VARIANT(race)
{
	int	(*end)(const struct ring *r);
};

static int close_producer(const struct ring *r)
{
	return ring_hangup(r->p.fd);
}

static int close_consumer(const struct ring *r)
{
	return ring_hangup(r->c.fd);
}

static int reset(const struct ring *r)
{
	return ring_reset(r->c.fd);
}

FIXTURE_VARIANT_ADD(race, close_producer)
{
	.end = close_producer,
};

FIXTURE_VARIANT_ADD(race, close_consumer)
{
	.end = close_consumer,
};

FIXTURE_VARIANT_ADD(race, reset)
{
	.end = reset,
};

FIXTURE_SETUP(race)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

struct racer {
	struct ring	*ring;
	int		*over;
	pthread_t	thread;
	unsigned int	seed;
};

static bool is_over(const struct racer *me)
{
	return ring_load(me->over);
}

/* Returns what is not documented of an errno, or NULL. */
static void *undocumented(int err)
{
	switch (err) {
	case 0:
	case EAGAIN:
	case EBUSY:
	case EPIPE:
	case ESHUTDOWN:
	case ETIMEDOUT:
		return NULL;
	default:
		return (void *)(uintptr_t)err;
	}
}

static void *writer(void *arg)
{
	static const unsigned char buf[SIZE] = { 1, 2, 3 };
	struct racer *me = arg;
	void *bad = NULL;

	while (!is_over(me) && !bad)
		if (write(me->ring->p.fd, buf, rand_r(&me->seed) % SIZE) < 0)
			bad = undocumented(errno);
	return bad;
}

static void *reader(void *arg)
{
	unsigned char buf[SIZE];
	struct racer *me = arg;
	void *bad = NULL;

	while (!is_over(me) && !bad)
		if (read(me->ring->c.fd, buf, rand_r(&me->seed) % SIZE) < 0)
			bad = undocumented(errno);
	return bad;
}

/* One of the calls that may come at any time; returns errno. */
static int call(const struct racer *me, int fd, unsigned int what)
{
	struct secbuf_ring_stats_args stats;
	struct secbuf_ring_info_args info;
	long ret;
	int n;

	switch (what) {
	case 0:
		return -ring_notify(fd);
	case 1:
		return -ring_wait(fd, 1, MS);
	case 2:
		ret = ring_shrink(fd);
		return ret < 0 ? -ret : 0;
	case 3:
		return -ring_unpark(me->ring->p.fd);
	case 4:
		return ioctl(fd, FIONREAD, &n) ? errno : 0;
	case 5:
		return mmap_errno(fd, SECBUF_RING_MMAP_DATA, 2 * SIZE, PROT_RW,
				  MAP_SHARED);
	case 6:
		poll_now(fd);
		return -ring_info(fd, &info);
	default:
		return -ring_stats(fd, &stats);
	}
}

static void *caller(void *arg)
{
	struct racer *me = arg;
	void *bad = NULL;

	while (!is_over(me) && !bad) {
		unsigned int random = rand_r(&me->seed);

		bad = undocumented(call(me, random % 16 < 8 ? me->ring->p.fd :
					me->ring->c.fd, random % 8));
	}
	return bad;
}

/* By the producer, wherever it is, as long as there is something to touch. */
static void *toucher(void *arg)
{
	struct racer *me = arg;
	unsigned char *data = me->ring->p.data;
	int sig;

	while (!is_over(me)) {
		sig = touch(data + rand_r(&me->seed) % (2 * SIZE), true);
		if (sig && sig != SIGBUS)
			return (void *)(uintptr_t)(1000 + sig);
	}
	return NULL;
}

/* What must be so when all have stopped. Returns a line, or 0. */
static int after(const struct ring *r, int (*end)(const struct ring *r))
{
	struct secbuf_ring_stats_args stats;
	unsigned char buf[SIZE];

	if (ring_stats(r->p.fd, &stats))
		return __LINE__;
	if (end != close_producer)
		return stats.out_bytes ? __LINE__ : 0;
	/* What was not published is gone; the rest goes as it is read. */
	while (read(r->c.fd, buf, sizeof(buf)) > 0)
		continue;
	/* UML lets a thread go on with what was unmapped, for a moment. */
	if (!on_uml() && count_not(r->c.data, 0, 2 * SIZE))
		return __LINE__;
	return touch(r->p.data, true) == SIGBUS ? 0 : __LINE__;
}

TEST_F_TIMEOUT(race, all_at_once, 300)
{
	static void *(*const fns[])(void *) = {
		writer, reader, caller, toucher,
	};
	__u64 until = now_ms() + ring_test_ms(2);
	struct racer racers[ARRAY_SIZE(fns)];
	unsigned int seed = 1, rounds = 0;
	struct ring r;
	void *bad;
	int over;

	do {
		over = 0;
		ASSERT_EQ(0, ring_open(&r, self->dev, SIZE, 0));
		nonblock(r.p.fd);
		nonblock(r.c.fd);
		for (unsigned int i = 0; i < ARRAY_SIZE(fns); i++) {
			racers[i] = (struct racer){
				.ring = &r, .over = &over, .seed = seed++,
			};
			ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL,
						    fns[i], &racers[i]));
		}
		usleep(rand_r(&seed) % 8000);
		EXPECT_EQ(0, variant->end(&r));
		usleep(rand_r(&seed) % 3000);
		ring_store(&over, 1);
		for (unsigned int i = 0; i < ARRAY_SIZE(fns); i++) {
			pthread_join(racers[i].thread, &bad);
			EXPECT_EQ(NULL, bad) {
				TH_LOG("thread %u", i);
			}
		}
		ASSERT_EQ(0, after(&r, variant->end));
		ring_close(&r);
		rounds++;
	} while (now_ms() < until);
	TH_LOG("%u rounds", rounds);
}

TEST_HARNESS_MAIN
