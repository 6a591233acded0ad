// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A hostile end in another process, on a real device: ring after ring, as each
 * does not last long.
 *
 * SECBUF_RING_SECONDS: how long, for each case
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#include "device.h"
#include "ring_hostile.h"

#define SIZE		16384

/* Of one ring, if it is not broken before. */
#define CALLS		20000

FIXTURE(attack) {
	struct secbuf_context *ctx;
	struct victim victim;
	int in, out;
	pid_t pid;
	uint64_t rings;
};

FIXTURE_VARIANT(attack) {
	uint32_t flags;
	bool producer;
};

FIXTURE_VARIANT_ADD(attack, producer_of_bytes) {
	.flags = SECBUF_RING_F_PASSABLE, .producer = true,
};

FIXTURE_VARIANT_ADD(attack, consumer_of_bytes) {
	.flags = SECBUF_RING_F_PASSABLE, .producer = false,
};

FIXTURE_VARIANT_ADD(attack, producer_of_records) {
	.flags = SECBUF_RING_F_PASSABLE | SECBUF_RING_F_RECORDS,
	.producer = true,
};

FIXTURE_VARIANT_ADD(attack, consumer_of_records) {
	.flags = SECBUF_RING_F_PASSABLE | SECBUF_RING_F_RECORDS,
	.producer = false,
};

/*
 * It has all that an end has, and does not use the library. Returns the errno of
 * what failed.
 */
static int map_hostile(struct hostile *hostile, int fd, bool producer)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const off_t head = SECBUF_RING_MMAP_HEAD, tail = SECBUF_RING_MMAP_TAIL;
	struct secbuf_ring_plain_args claim = { 0 };
	void *own, *peer;
	int err;

	/* A call of the victim can keep it for a moment. */
	do {
		err = secbuf_ioctl_ring_claim(fd, &claim);
	} while (err == -EBUSY);
	if (err)
		return -err;
	hostile->data = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     fd, SECBUF_RING_MMAP_DATA);
	own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   producer ? head : tail);
	peer = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fd,
		    producer ? tail : head);
	if (hostile->data == MAP_FAILED || own == MAP_FAILED ||
	    peer == MAP_FAILED)
		return errno;
	hostile->words = own;
	hostile->theirs = peer;
	return 0;
}

static void call_kernel(int fd, uint64_t random)
{
	struct secbuf_ring_notify_args notify = { .min = random % 7 };
	struct secbuf_ring_shrink_args shrink = { 0 };
	struct secbuf_ring_plain_args plain = { 0 };

	switch (random % 4) {
	case 0:
		secbuf_ioctl_ring_notify(fd, &notify);
		break;
	case 1:
		notify.flags = SECBUF_RING_NOTIFY_F_WAIT;
		notify.min = 1 + random % SIZE;
		secbuf_ioctl_ring_notify(fd, &notify);
		break;
	case 2:
		secbuf_ioctl_ring_shrink(fd, &shrink);
		break;
	default:
		secbuf_ioctl_ring_unpark(fd, &plain);
	}
}

/* Never returns, but for a failure. */
static int be_hostile(int fd, bool producer)
{
	struct hostile hostile = { .size = SIZE, .random = getpid() };
	uint64_t acts;
	int err = map_hostile(&hostile, fd, producer);

	if (err)
		return err;
	for (acts = 0; ; acts++) {
		hostile_act(&hostile);
		if (acts % 64 == 0)
			call_kernel(fd, traffic_next(&hostile.random));
	}
}

static void end_ring(FIXTURE_DATA(attack) *self)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	secbuf_ring_producer_close(self->victim.producer);
	secbuf_ring_consumer_close(self->victim.consumer);
	self->victim.producer = NULL;
	self->victim.consumer = NULL;
	close(self->in);
	close(self->out);
}

static int attach_victim(FIXTURE_DATA(attack) *self, bool hostile_produces)
{
	double last = hostile_now() + WAIT_S;
	struct victim *victim = &self->victim;
	int err;

	/* A call of the hostile end can keep this one for a moment, too. */
	do {
		if (hostile_produces)
			err = secbuf_ring_consumer_attach(&victim->consumer,
							  self->out);
		else
			err = secbuf_ring_producer_attach(&victim->producer,
							  self->in);
	} while (err == -EBUSY && hostile_now() < last);
	if (err)
		victim->side = NULL;
	else if (hostile_produces)
		victim->side = &victim->consumer->side;
	else
		victim->side = &victim->producer->side;
	if (!err)
		victim->data = victim->side->data;
	return err;
}

static int begin_ring(FIXTURE_DATA(attack) *self, uint32_t flags,
		      bool hostile_produces)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = SIZE, .flags = flags,
	};
	int err;

	self->pid = 0;
	err = secbuf_ring_create(&self->in, &self->out, self->ctx, &opts);
	if (err)
		return err;
	self->rings++;
	self->pid = fork();
	if (!self->pid)
		_exit(be_hostile(hostile_produces ? self->in : self->out,
				 hostile_produces));
	return self->pid < 0 ? -errno : attach_victim(self, hostile_produces);
}

FIXTURE_SETUP(attack)
{
	int socks[2];

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	self->victim.size = SIZE;
	self->victim.random = 4711;
	self->victim.sock = socks[0];
	self->victim.sock_peer = socks[1];
}

FIXTURE_TEARDOWN(attack)
{
	close(self->victim.sock);
	close(self->victim.sock_peer);
	secbuf_close(self->ctx);
}

TEST_F_TIMEOUT(attack, end, 900)
{
	double end = hostile_now() + hostile_seconds();
	double last = end + WAIT_S;
	struct victim *victim = &self->victim;
	bool good = true;
	int err, i, status = 0;
	ssize_t result;

	do {
		err = begin_ring(self, variant->flags, variant->producer);
		result = err;
		for (i = 0; !err && i < CALLS && good && result != -EPROTO; i++)
			good = victim_act(victim, &result);
		if (err == -EPROTO)
			victim->broken++;
		/* Whoever attacks is alive. */
		EXPECT_EQ(0, waitpid(self->pid, &status, WNOHANG)) {
			TH_LOG("status %#x, ring %llu, call %d", status,
			       (unsigned long long)self->rings, i);
		}
		end_ring(self);
		/* A ring that was never broken was not attacked. */
	} while (good && (!err || err == -EPROTO) &&
		 (hostile_now() < end ||
		  (!victim->broken && hostile_now() < last)));
	EXPECT_TRUE(!err || err == -EPROTO) {
		TH_LOG("attach: %d", err);
	}
	EXPECT_EQ(0, victim->wrong) {
		TH_LOG("in call %d", victim->where);
	}
	EXPECT_LT(0, victim->broken);
	TH_LOG("%llu rings, %llu calls, broken %llu times",
	       (unsigned long long)self->rings,
	       (unsigned long long)victim->calls,
	       (unsigned long long)victim->broken);
}

TEST_HARNESS_MAIN
