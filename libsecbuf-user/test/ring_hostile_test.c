// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A hostile end in another process, without the module, so that a sanitizer sees
 * what the library does. Broken rings go on as if nobody had noticed.
 *
 * SECBUF_RING_SECONDS: how long, for each case
 */
#include <signal.h>
#include <sys/wait.h>

#include "ring_fake.h"
#include "ring_hostile.h"

#include "harness.h"

#define SIZE	4096

FIXTURE(hostile) {
	struct victim victim;
	pid_t pid;
};

FIXTURE_VARIANT(hostile) {
	uint32_t flags;
	bool producer;
};

FIXTURE_VARIANT_ADD(hostile, producer_of_bytes) {
	.flags = 0, .producer = true,
};

FIXTURE_VARIANT_ADD(hostile, consumer_of_bytes) {
	.flags = 0, .producer = false,
};

FIXTURE_VARIANT_ADD(hostile, producer_of_records) {
	.flags = SECBUF_RING_F_RECORDS, .producer = true,
};

FIXTURE_VARIANT_ADD(hostile, consumer_of_records) {
	.flags = SECBUF_RING_F_RECORDS, .producer = false,
};

static void be_hostile(bool producer)
{
	struct hostile hostile = {
		.data = fake.data, .size = SIZE, .random = getpid(),
		.words = producer ? (void *)fake.head : (void *)fake.tail,
		.theirs = producer ? (void *)fake.tail : (void *)fake.head,
	};

	for (;;)
		hostile_act(&hostile);
}

FIXTURE_SETUP(hostile)
{
	int socks[2];

	ASSERT_EQ(0, fake_open(SIZE, variant->flags, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	self->victim = (struct victim){
		.data = fake.data, .size = SIZE, .random = 4711,
		.sock = socks[0], .sock_peer = socks[1],
	};
	if (variant->producer) {
		self->victim.consumer = fake.consumer;
		self->victim.side = &fake.consumer->side;
	} else {
		self->victim.producer = fake.producer;
		self->victim.side = &fake.producer->side;
	}
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid)
		be_hostile(variant->producer);
}

FIXTURE_TEARDOWN(hostile)
{
	kill(self->pid, SIGKILL);
	waitpid(self->pid, NULL, 0);
	close(self->victim.sock);
	close(self->victim.sock_peer);
	fake_close();
}

/* It has not been for nothing: both are often, that it is broken and is not. */
static bool is_enough(const struct victim *victim)
{
	return victim->broken > 100 &&
	       victim->calls > 10 * victim->broken / 9;
}

TEST_F_TIMEOUT(hostile, end, 600)
{
	double end = hostile_now() + hostile_seconds();
	double last = end + WAIT_S;
	struct victim *victim = &self->victim;
	ssize_t result;

	/* Who runs, and for how long, is up to the scheduler. */
	while ((hostile_now() < end ||
		(!is_enough(victim) && hostile_now() < last)) &&
	       victim_act(victim, &result))
		if (result == -EPROTO)
			__atomic_store_n(&fake.status->flags, 0,
					 __ATOMIC_RELEASE);
	EXPECT_EQ(0, victim->wrong) {
		TH_LOG("in call %d", victim->where);
	}
	EXPECT_TRUE(is_enough(victim));
	TH_LOG("%llu calls, broken %llu times",
	       (unsigned long long)victim->calls,
	       (unsigned long long)victim->broken);
	EXPECT_EQ(0, waitpid(self->pid, NULL, WNOHANG));
}

TEST_HARNESS_MAIN
