// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Both ends of a ring at work at the same time, without the module: for
 * ThreadSanitizer, which sees whether each access to the bytes is ordered by the
 * positions, and for who sleeps and is not woken.
 */
#include <sched.h>

#include "ring_fake.h"
#include "ring_traffic.h"

#include "harness.h"

#define SIZE		8192
#define TOTAL		(24 << 20)
#define BURST		(64 << 10)

/* The sanitizer takes ten times as long. */
#ifdef __SANITIZE_THREAD__
#define SHARE		8
#else
#define SHARE		1
#endif

static struct traffic traffic_in, traffic_out;
static int error_in, error_out;
static int stop;

static void *produce(void *total)
{
	error_in = traffic_produce(&traffic_in, fake.producer,
				   (uintptr_t)total);
	return NULL;
}

/* In bursts: whoever waits until nothing is left parks. */
static void *produce_bursts(void *total)
{
	struct secbuf_ring_side *side = &fake.producer->side;
	uint64_t until = 0;

	while (!error_in && until < (uintptr_t)total) {
		until += 1 + traffic_next(&traffic_in.random) % BURST;
		if (until > (uintptr_t)total)
			until = (uintptr_t)total;
		error_in = traffic_produce(&traffic_in, fake.producer, until);
		if (!error_in)
			error_in = secbuf_ring_wait(side,
						    secbuf_ring_longest(side, SIZE),
						    SECBUF_RING_TIMEOUT_NONE);
	}
	return NULL;
}

static void *consume(void *total)
{
	error_out = traffic_consume(&traffic_out, fake.consumer,
				    (uintptr_t)total);
	return NULL;
}

/* Runs both until @total bytes have passed, and @beside beside them. */
static void run(uint64_t seed, uint64_t total, void *(*producer)(void *),
		void *(*beside)(void *))
{
	pthread_t threads[3];

	traffic_begin(&traffic_in, seed);
	traffic_begin(&traffic_out, seed + 1);
	stop = 0;
	if (beside)
		pthread_create(&threads[2], NULL, beside, NULL);
	pthread_create(&threads[0], NULL, producer, (void *)total);
	pthread_create(&threads[1], NULL, consume, (void *)total);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	if (beside)
		pthread_join(threads[2], NULL);
}

FIXTURE(stress) {
};

FIXTURE_VARIANT(stress) {
	uint64_t start;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(stress, bytes) {
	.start = 0, .flags = 0,
};

FIXTURE_VARIANT_ADD(stress, bytes_wrapping) {
	.start = -(uint64_t)TOTAL / SHARE / 2, .flags = 0,
};

FIXTURE_VARIANT_ADD(stress, records) {
	.start = -(uint64_t)TOTAL / SHARE / 2, .flags = SECBUF_RING_F_RECORDS,
};

FIXTURE_SETUP(stress)
{
	ASSERT_EQ(0, fake_open(SIZE, variant->flags, variant->start));
}

FIXTURE_TEARDOWN(stress)
{
	fake_close();
}

TEST_F(stress, all_arrives)
{
	run(variant->start + variant->flags, TOTAL / SHARE, produce, NULL);
	EXPECT_EQ(0, error_in);
	EXPECT_EQ(0, error_out);
	EXPECT_EQ(TOTAL / SHARE, traffic_out.done);
	EXPECT_EQ(0, fake.lost);
	EXPECT_EQ(0, fake.status->flags);
	/* It must have slept, or the test is for nothing. */
	EXPECT_LT(0, traffic_in.waits + traffic_out.waits);
	TH_LOG("%llu waits, %d wakes",
	       (unsigned long long)(traffic_in.waits + traffic_out.waits),
	       fake.notifies);
}

/* Times that the producer is to find its memory taken, and the end of trying. */
#define TAKEN		10
#define TAKEN_S		120

/* The kernel takes the memory whenever it may. */
static void *take_memory(void *unused)
{
	uint32_t state;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		state = SECBUF_RING_PARKED;
		pthread_mutex_lock(&fake.lock);
		if (__atomic_compare_exchange_n(&fake.head->state, &state,
						SECBUF_RING_GONE, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			if (__atomic_load_n(&fake.head->head,
					    __ATOMIC_ACQUIRE) ==
			    __atomic_load_n(&fake.tail->tail,
					    __ATOMIC_ACQUIRE)) {
				memset(fake.data, 0, SIZE);
				fake.taken++;
			} else {
				__atomic_store_n(&fake.head->state,
						 SECBUF_RING_PARKED,
						 __ATOMIC_RELEASE);
			}
		}
		pthread_mutex_unlock(&fake.lock);
		sched_yield();
	}
	return NULL;
}

TEST_F_TIMEOUT(stress, parking_against_the_kernel, 2 * TAKEN_S)
{
	time_t end = now_s() + TAKEN_S;
	int rounds = 0;

	/* Who comes first is up to the scheduler. */
	do {
		run(variant->start + rounds++, TOTAL / SHARE, produce_bursts,
		    take_memory);
		EXPECT_EQ(0, error_in);
		EXPECT_EQ(0, error_out);
		ASSERT_EQ(0, fake.lost);
	} while (fake.unparks < TAKEN && now_s() < end);
	EXPECT_LE(TAKEN, fake.unparks);
	TH_LOG("memory taken %d times, %d unparks, %d rounds", fake.taken,
	       fake.unparks, rounds);
}

/* Words that belong to one end, by another thread of it, at any time. */
static void *scribble_words(void *which)
{
	uint64_t random = 12345 + (uintptr_t)which;
	unsigned long long *position, *wake_pos;
	unsigned int *need_wake;

	position = which ? &fake.head->head : &fake.tail->tail;
	wake_pos = which ? &fake.head->wake_pos : &fake.tail->wake_pos;
	need_wake = which ? &fake.head->need_wake : &fake.tail->need_wake;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		switch (traffic_next(&random) >> 60) {
		case 0:
			__atomic_store_n(position, random, __ATOMIC_RELAXED);
			break;
		case 1:
			__atomic_fetch_add(position, random >> 52,
					   __ATOMIC_RELAXED);
			break;
		case 2:
			__atomic_store_n(wake_pos, random, __ATOMIC_RELAXED);
			break;
		default:
			__atomic_store_n(need_wake, random & 1,
					 __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

/* Runs one end against scribbles of the other: it ends by itself. */
static void against_scribbles(bool scribble_head)
{
	struct traffic *traffic = scribble_head ? &traffic_out : &traffic_in;
	pthread_t scribbler;
	int i, err;

	traffic_begin(traffic, 3);
	stop = 0;
	pthread_create(&scribbler, NULL, scribble_words,
		       (void *)(uintptr_t)scribble_head);
	for (i = 0; i < 200000; i++) {
		if (scribble_head)
			err = traffic_get(traffic, fake.consumer,
					  1 + i % TRAFFIC_PIECE);
		else
			err = traffic_put(traffic, fake.producer,
					  1 + i % TRAFFIC_PIECE);
		/* As if nothing had been noticed. */
		if (err == -EPROTO)
			__atomic_store_n(&fake.status->flags, 0,
					 __ATOMIC_RELEASE);
		else if (err && err != -ENOSPC && err != -ENODATA &&
			 err != -EBADMSG && err != -EMSGSIZE && err != -EBUSY)
			break;
		if (!scribble_head)
			secbuf_ring_cancel(fake.producer);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(scribbler, NULL);
	traffic->waits = i;
}

TEST_F(stress, hostile_consumer)
{
	against_scribbles(false);
	EXPECT_EQ(200000, traffic_in.waits);
}

TEST_F(stress, hostile_producer)
{
	against_scribbles(true);
	EXPECT_EQ(200000, traffic_out.waits);
}

TEST_HARNESS_MAIN
