// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that writes anything anywhere it can, without a pause, and calls
 * whatever there is to be called. The other side must get errors that are
 * documented, no signal, and an answer in time, whatever it does, and the peer
 * must live to be killed.
 *
 * SECBUF_RING_SECONDS: how long, for each case
 */
#include "secbuf_ring.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define SIZE		(4 * PAGE)

static __thread __u64 random_state;

static __u64 rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* What a position must not be, and what it might be just so. */
static __u64 bad_position(__u64 other)
{
	switch (rnd() % 10) {
	case 0:
		return rnd();
	case 1:
		return other + SIZE + rnd() % 8;
	case 2:
		return other - 1 - rnd() % 8;
	case 3:
		return ~0ULL - rnd() % 16;
	case 4:
		return other + SIZE;
	case 5:
		return other + rnd() % SIZE;
	default:
		return other + (rnd() % SIZE & ~3ULL);
	}
}

static void rnd_init(void)
{
	random_state = (now_ms() + (uintptr_t)&random_state) *
		       0x9e3779b97f4a7c15ULL + getpid();
}

/*
 * Mostly what could be true, or not for long, so that it is not over at once;
 * then something that stays for a while, @hold.
 */
static void scribble_position(__u64 *position, const __u64 *peer, bool producer,
			      unsigned int *hold)
{
	__u64 old = *position;

	if (*hold) {
		--*hold;
		return;
	}
	if (rnd() % 96)
		ring_store(position, ring_load(peer) +
			   (producer ? rnd() % SIZE & ~3ULL : 0));
	else
		ring_store(position, bad_position(ring_load(peer)));
	if (rnd() % 65536 == 0) {
		ring_store(position, bad_position(ring_load(peer)));
		*hold = 50000;
	} else if (rnd() % 2) {
		ring_store(position, old);
	}
}

static void __attribute__((noreturn)) scribble(struct ring_end *end)
{
	__u64 *position = end->producer ? &end->head->head : &end->tail->tail;
	__u64 *peer = end->producer ? &end->tail->tail : &end->head->head;
	volatile __u64 *page = (void *)(end->producer ? (void *)end->head :
							(void *)end->tail);
	unsigned int hold = 0;

	for (;;) {
		if (end->producer && rnd() % 4)
			((volatile __u32 *)end->data)[rnd() % (SIZE / 4)] =
				rnd() % 3 ? rnd() % 64 : rnd();
		scribble_position(position, peer, end->producer, &hold);
		if (rnd() % 8 == 0)
			page[16] = rnd() % 3;
		if (rnd() % 8 == 0)
			page[17] = rnd();
		if (rnd() % 16 == 0)
			page[rnd() % (PAGE / 8 - 1) + 1] = rnd();
	}
}

static void call_anything(struct ring_end *end)
{
	struct pollfd pfd = { .fd = end->fd, .events = POLLIN | POLLOUT };
	void *nowhere = (void *)(rnd() << 12);
	struct secbuf_ring_stats_args stats;
	int n;

	switch (rnd() % 12) {
	case 0:
		ring_notify(end->fd);
		break;
	case 1:
		ring_wait(end->fd, rnd() % (SIZE + 2), 0);
		break;
	case 2:
		ring_wait(end->fd, 1, MS);
		break;
	case 3:
		ring_shrink(end->fd);
		break;
	case 4:
		ring_unpark(end->fd);
		break;
	case 5:
		ring_stats(end->fd, &stats);
		break;
	case 6:
		poll(&pfd, 1, 0);
		break;
	case 7:
		ioctl(end->fd, FIONREAD, &n);
		break;
	case 8:
		ring_end_unmap(end);
		if (ring_end_map(end, end->fd))
			_exit(0);
		break;
	case 9:
		/* Onto itself. */
		n = end->producer ? write(end->fd, end->data + rnd() % SIZE,
					  rnd() % SIZE) :
				    read(end->fd, end->data + rnd() % SIZE,
					 rnd() % SIZE);
		break;
	case 10:
		n = end->producer ? write(end->fd, end->head, PAGE) :
				    read(end->fd, end->tail, PAGE);
		break;
	case 11:
		n = end->producer ? write(end->fd, nowhere, 100) :
				    read(end->fd, nowhere, 100);
		break;
	}
}

static void *scribbler(void *end)
{
	rnd_init();
	scribble(end);
}

/* Two mappings: one that is written to always, one that comes and goes. */
static pid_t hostile_start(int fd)
{
	struct ring_end end, again;
	pthread_t thread;
	pid_t pid = fork();

	if (pid)
		return pid;
	rnd_init();
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	/* It may be over before we come to it. */
	if (ring_claim(fd) || ring_end_map(&end, fd) ||
	    ring_end_map(&again, fd))
		_exit(0);
	if (pthread_create(&thread, NULL, scribbler, &end))
		_exit(1);
	for (;;)
		call_anything(&again);
}

FIXTURE(hostile)
{
	int		dev;
	__u64		bytes;
	__u64		slowest;
	unsigned int	rounds;
	unsigned int	broken;
};

FIXTURE_VARIANT(hostile)
{
	bool	producer;	/* the hostile one */
	__u32	flags;
};

FIXTURE_VARIANT_ADD(hostile, producer)
{
	.producer = true,
};

FIXTURE_VARIANT_ADD(hostile, consumer)
{
	.producer = false,
};

FIXTURE_VARIANT_ADD(hostile, producer_of_records)
{
	.producer = true, .flags = SECBUF_RING_F_RECORDS,
};

FIXTURE_VARIANT_ADD(hostile, consumer_of_records)
{
	.producer = false, .flags = SECBUF_RING_F_RECORDS,
};

FIXTURE_SETUP(hostile)
{
	signal(SIGPIPE, SIG_IGN);
	random_state = 88172645463325252ULL;
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
}

FIXTURE_TEARDOWN(hostile)
{
	TH_LOG("%u rounds, %u broken, slowest call %llu ms", self->rounds,
	       self->broken, self->slowest);
	EXPECT_EQ(self->bytes, bytes_settled(self->dev, self->bytes));
	close(self->dev);
}

/* What any call of the victim may return besides success. */
static bool documented(int err)
{
	switch (err) {
	case EAGAIN:
	case EPIPE:
	case EPROTO:
	case EMSGSIZE:
	case ETIMEDOUT:
	case EBUSY:
		return true;
	default:
		return false;
	}
}

/* What is no errno. */
#define WRONG	9999

/* Of which the other end must not notice anything. */
static int fork_and_leave(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : WRONG;
}

/* One call of the victim. Returns 0 or errno. */
static int victim_call(struct ring_end *end, unsigned char *buf)
{
	struct pollfd pfd = { .fd = end->fd, .events = POLLIN | POLLOUT };
	struct secbuf_ring_stats_args stats;
	ssize_t ret;
	int n;

	switch (rnd() % 13) {
	case 0:
	case 1:
		ret = end->producer ? write(end->fd, buf, 1 + rnd() % 300) :
				      read(end->fd, buf, 1 + rnd() % SIZE);
		return ret < 0 ? errno : 0;
	case 2:
		ret = end->producer ? write(end->fd, buf, SIZE - 4) :
				      read(end->fd, buf, SIZE);
		return ret < 0 ? errno : 0;
	case 3:
		return -ring_notify(end->fd);
	case 4:
		return -ring_wait(end->fd, 1 + rnd() % SIZE, 0);
	case 5:
		return -ring_wait(end->fd, 1 + rnd() % SIZE, 2 * MS);
	case 6:
		ret = ring_shrink(end->fd);
		return ret < 0 ? -ret : 0;
	case 7:
		return -ring_stats(end->fd, &stats);
	case 8:
		return ring_claim(end->fd) == -EALREADY ? 0 : WRONG;
	case 9:
		return end->producer ? -ring_unpark(end->fd) : 0;
	case 10:
		ring_end_unmap(end);
		return -ring_end_map(end, end->fd);
	case 11:
		return rnd() % 16 ? 0 : fork_and_leave();
	default:
		poll(&pfd, 1, 1);
		return ioctl(end->fd, FIONREAD, &n) ? errno : 0;
	}
}

/*
 * The same by hand: never outside of the ring, whatever stands there. In a ring
 * of records, one at a time.
 */
static int victim_touch(struct ring_end *end, unsigned char *buf, bool records)
{
	static const __u32 payload = 60;
	__u64 used = ring_load(&end->head->head) - ring_load(&end->tail->tail);
	__u64 own = end->producer ? end->head->head : end->tail->tail;
	__u64 len = end->producer ? end->size - used : used;
	unsigned char *at = end->data + (own & (end->size - 1));

	if (used > end->size)
		return -ring_notify_args(end->fd, SECBUF_RING_NOTIFY_F_BROKEN,
					 0, 0, NULL) ?: EPROTO;
	if (len > 500)
		len = 500;
	if (end->producer) {
		if (ring_busy(end))
			return 0;
		if (records && len < 64)
			return 0;
		if (records)
			len = 64;
		memcpy(at, buf, len);
		if (records)
			memcpy(at, &payload, sizeof(payload));
		ring_commit(end, len & ~3ULL);
		ring_park(end);
	} else {
		memcpy(buf, at, len);
		if (!records)
			ring_consume(end, len & ~3ULL);
	}
	return 0;
}

/* Until the ring is broken, or for a while. Returns the errno that was wrong. */
static int victim_round(struct ring_end *end, bool records, bool *broken,
			__u64 *slowest)
{
	static unsigned char buf[SIZE];
	__u64 begin = now_ms(), call, took;
	int err = 0;

	while (now_ms() - begin < 200) {
		call = now_ms();
		err = rnd() % 4 ? victim_call(end, buf) :
				  victim_touch(end, buf, records);
		took = now_ms() - call;
		if (took > *slowest)
			*slowest = took;
		if (err && !documented(err))
			return err;
		if (err == EPROTO || (end->status->flags & SECBUF_RING_BROKEN)) {
			/* For good. */
			*broken = true;
			for (int i = 0; i < 20; i++) {
				err = -ring_notify(end->fd);
				if (err != EPROTO)
					return err ?: WRONG;
			}
			return 0;
		}
	}
	return 0;
}

/* Another claims it, and goes on, and ends by exit or exec. Returns 0. */
static int leave_to_heir(struct ring_end *end, bool records)
{
	static char *const argv[] = { "/bin/true", NULL };
	bool exec = rnd() % 2, broken;
	__u64 slowest = 0;
	int status;
	pid_t pid;

	ring_end_unmap(end);
	pid = fork();
	if (!pid) {
		rnd_init();
		if (ring_claim(end->fd) || ring_end_map(end, end->fd) ||
		    victim_round(end, records, &broken, &slowest))
			_exit(1);
		fcntl(end->fd, F_SETFD, 0);
		if (exec)
			execv(argv[0], argv);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return WRONG;
	return ring_end_map(end, end->fd) ? 0 : WRONG;
}

/* How it ends for the victim. Returns what was wrong. */
static int victim_end(struct ring_end *end, bool records)
{
	switch (rnd() % 5) {
	case 0:
		return -ring_reset(end->fd);
	case 1:
		return -ring_hangup(end->fd);
	case 2:
		return leave_to_heir(end, records);
	case 3:
		ring_end_unmap(end);
		return 0;
	default:
		return 0;
	}
}

/* It was ours to kill: no other signal, no exit of its own but before it began. */
static bool hostile_end(pid_t pid)
{
	int status;

	usleep(20000);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return false;
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : !status;
}

TEST_F_TIMEOUT(hostile, peer, 300)
{
	__u64 end = now_ms() + ring_test_ms(2);
	struct secbuf_ring_create_args args;
	struct ring_end victim;
	bool broken;
	pid_t pid;
	int mine, his, err;

	do {
		ASSERT_EQ(0, ring_create(self->dev, SIZE, variant->flags |
					 SECBUF_RING_F_PASSABLE, &args));
		his = variant->producer ? args.out_producer_fd :
					  args.out_consumer_fd;
		mine = variant->producer ? args.out_consumer_fd :
					   args.out_producer_fd;
		fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) | O_NONBLOCK);
		ASSERT_EQ(0, ring_end_map(&victim, mine));
		pid = hostile_start(his);
		ASSERT_LT(0, pid);
		broken = false;
		err = victim_round(&victim, variant->flags, &broken,
				   &self->slowest);
		EXPECT_EQ(0, err);
		err = victim_end(&victim, variant->flags);
		EXPECT_EQ(0, err);
		EXPECT_TRUE(hostile_end(pid));
		ring_end_close(&victim);
		close(his);
		self->rounds++;
		self->broken += broken;
	} while (!err && now_ms() < end);
	/* It is one of many steps, not for ever. */
	EXPECT_GT(WAIT_MS, self->slowest);
}

TEST_HARNESS_MAIN
