// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Signal handlers that allocate and free, whatever they interrupt.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		128
#define BUF_SIZE	128
#define SECONDS		2
#define SIGNALS		1000

/* Signals in a row that find a thread where it was, until there are fewer. */
#define STUCK		16
#define OFTEN_US	50

static struct {
	struct secbuf_pool *pool;
	void *kept[4];
	unsigned int runs;
	unsigned int failures;
	unsigned int seen;
	unsigned int stuck;
	unsigned int every_us;
} storm;

/* That this thread has made: the handler runs where the storm was started. */
static __thread volatile unsigned int calls;

FIXTURE(signals) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
};

FIXTURE_SETUP(signals)
{
	const struct secbuf_pool_opts opts = CACHED_OPTS(BUF_SIZE, NR_BUFS);

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
	memset(&storm, 0, sizeof(storm));
	storm.pool = self->pool;
}

FIXTURE_TEARDOWN(signals)
{
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

static void storm_often(unsigned int us)
{
	const struct itimerval often = { { 0, us }, { 0, us } };

	storm.every_us = us;
	setitimer(ITIMER_REAL, &often, NULL);
}

/* A slow machine would do nothing but handle signals. */
static void storm_abates(void)
{
	storm.stuck = calls == storm.seen ? storm.stuck + 1 : 0;
	storm.seen = calls;
	if (storm.stuck < STUCK || storm.every_us > 100000)
		return;
	storm.stuck = 0;
	storm_often(2 * storm.every_us);
}

/* Keeps what it has got until another time, marked. */
static void storm_handler(int sig)
{
	unsigned int i = storm.runs++ % 4;
	void *buf;

	storm_abates();
	if (storm.kept[i]) {
		storm.failures += *(uintptr_t *)storm.kept[i] != i + 1;
		storm.failures += secbuf_pool_free(storm.pool,
						   storm.kept[i]) != 0;
		storm.kept[i] = NULL;
		return;
	}
	if (secbuf_pool_alloc(storm.pool, &buf)) {
		storm.failures++;
		return;
	}
	storm.failures += !is_zero(buf, BUF_SIZE);
	*(uintptr_t *)buf = i + 1;
	storm.kept[i] = buf;
}

static void start_storm(void)
{
	struct sigaction act = {
		.sa_handler = storm_handler, .sa_flags = SA_RESTART,
	};

	sigaction(SIGALRM, &act, NULL);
	storm_often(OFTEN_US);
}

static void end_storm(void)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	int i;

	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	for (i = 0; i < 4; i++)
		secbuf_pool_free(storm.pool, storm.kept[i]);
}

/* Both halves of every call, and the slow ways now and then. */
static unsigned int work(struct secbuf_pool *pool, unsigned long rounds)
{
	struct secbuf_pool_stats_args stats;
	unsigned int failures = 0;
	void *bufs[24];
	unsigned int i;

	for (i = 0; i < 24; i++) {
		failures += secbuf_pool_alloc(pool, &bufs[i]) != 0;
		failures += !is_zero(bufs[i], BUF_SIZE);
		memset(bufs[i], 0xa5, BUF_SIZE);
		calls++;
	}
	for (i = 0; i < 24; i++) {
		failures += secbuf_pool_free(pool, bufs[i]) != 0;
		calls++;
	}
	if (rounds % 16 == 0)
		failures += secbuf_pool_flush(pool) != 0;
	if (rounds % 16 == 8)
		failures += secbuf_pool_get_stats(pool, &stats) != 0;
	if (rounds % 16 == 12)
		failures += secbuf_pool_prefill(pool, 24) != 24;
	return failures;
}

/* At least so many signals, and no less than that time. */
static bool is_over(time_t begin)
{
	time_t now = now_s();

	if (now < begin + SECONDS)
		return false;
	return __atomic_load_n(&storm.runs, __ATOMIC_RELAXED) >= SIGNALS ||
	       now >= begin + WAIT_S;
}

static unsigned int work_for_a_while(struct secbuf_pool *pool)
{
	time_t begin = now_s();
	unsigned int failures = 0;
	unsigned long rounds = 0;

	while (!is_over(begin))
		failures += work(pool, rounds++);
	return failures;
}

TEST_F(signals, storm)
{
	struct secbuf_pool_stats_args stats;

	start_storm();
	EXPECT_EQ(0, work_for_a_while(self->pool));
	end_storm();
	TH_LOG("%u signals, at last every %u us", storm.runs, storm.every_us);
	EXPECT_LE(SIGNALS, storm.runs);
	EXPECT_EQ(0, storm.failures);
	ASSERT_EQ(0, secbuf_pool_get_stats(self->pool, &stats));
	EXPECT_EQ(0, stats.out_in_use);
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
}

static void *work_beside(void *arg)
{
	return (void *)(uintptr_t)work_for_a_while(arg);
}

/* The other thread takes back what this one keeps, while handlers run. */
TEST_F(signals, storm_beside_another_thread)
{
	pthread_t thread;
	sigset_t alarms;
	void *failures;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, work_beside, self->pool));
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	start_storm();
	EXPECT_EQ(0, work_for_a_while(self->pool));
	end_storm();
	pthread_join(thread, &failures);
	EXPECT_EQ(NULL, failures);
	EXPECT_LE(SIGNALS, storm.runs);
	EXPECT_EQ(0, storm.failures);
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
}

TEST_HARNESS_MAIN
