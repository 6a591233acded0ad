/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A hostile end of a ring: it writes anything anywhere it can, positions, other
 * words and lengths of records, now and then something plausible. And its victim,
 * who uses every function of the library on the other end.
 */
#ifndef RING_HOSTILE_H
#define RING_HOSTILE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <secbuf.h>

#include "ring_traffic.h"

#define HOSTILE_BUF	3000
#define HOSTILE_BATCH	8

/* No call may take longer; the machine may be slow. */
#define HOSTILE_CALL_S	60

static inline double hostile_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* How long each case is to take. */
static inline double hostile_seconds(void)
{
	const char *seconds = getenv("SECBUF_RING_SECONDS");

	return seconds ? atof(seconds) : 2;
}

/**
 * struct hostile - all that an end may write
 * @data: of the ring
 * @size: of the ring
 * @words: its page
 * @theirs: position of the victim
 * @random: what it does next
 */
struct hostile {
	unsigned char *data;
	size_t size;
	volatile uint64_t *words;
	const volatile uint64_t *theirs;
	uint64_t random;
};

/* Indexes of need_wake with state, and of wake_pos: see <linux/secbuf.h>. */
#define HOSTILE_NEED_WAKE	16
#define HOSTILE_WAKE_POS	17

static inline uint32_t hostile_len(struct hostile *hostile)
{
	uint64_t random = traffic_next(&hostile->random);
	const uint32_t lens[] = {
		0, 1, 3, 4, 5, random >> 50, random >> 32, hostile->size - 4,
		hostile->size - 3, hostile->size, UINT32_MAX, UINT32_MAX - 3,
		UINT32_MAX - 7, 1U << 31,
	};

	return lens[random % (sizeof(lens) / sizeof(lens[0]))];
}

static inline void hostile_position(struct hostile *hostile)
{
	uint64_t random = traffic_next(&hostile->random);
	uint64_t theirs = *hostile->theirs;

	switch (random >> 60) {
	case 0:
		hostile->words[0] = random;
		break;
	case 1:
		hostile->words[0] = theirs + hostile->size + random % 8;
		break;
	case 2:
		hostile->words[0] = theirs - random % 16;
		break;
	case 3:
		hostile->words[0] -= random % hostile->size;
		break;
	default:
		/* Plausible, for the victim to go on. */
		hostile->words[0] = theirs +
				    random % (hostile->size / 4) * 4;
	}
}

static inline void hostile_act(struct hostile *hostile)
{
	uint64_t random = traffic_next(&hostile->random);
	uint32_t at = (random >> 32) % (2 * hostile->size) & ~3U, len;

	switch (random >> 60) {
	case 0:
	case 1:
		hostile_position(hostile);
		break;
	case 2:
		hostile->words[HOSTILE_NEED_WAKE] = random;
		break;
	case 3:
		hostile->words[HOSTILE_NEED_WAKE] ^= random & 1;
		break;
	case 4:
		hostile->words[HOSTILE_WAKE_POS] = random;
		break;
	case 5:
		memset(hostile->data + at / 2, random, random % hostile->size);
		break;
	default:
		/* Where the victim looks next, or anywhere. */
		if (random & 1)
			at = *hostile->theirs % hostile->size & ~3U;
		len = hostile_len(hostile);
		memcpy(hostile->data + at, &len, sizeof(len));
	}
}

/**
 * struct victim - an end under attack
 * @side: the end
 * @producer: if it is that
 * @consumer: if it is the other
 * @data: of the ring
 * @size: of the ring
 * @random: what it does next
 * @sock: a socket whose other end is @sock_peer
 * @sock_peer: see there
 * @calls: how many it has made
 * @broken: how many of them said -EPROTO
 * @wrong: what should not have come: an error, or 1 for anything else
 * @where: in which call
 */
struct victim {
	struct secbuf_ring_side *side;
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	unsigned char *data;
	size_t size;
	uint64_t random;
	int sock, sock_peer;
	uint64_t calls, broken;
	ssize_t wrong;
	int where;
};

static inline bool victim_expects(ssize_t result)
{
	switch (result) {
	case -ENODATA:
	case -ENOSPC:
	case -EMSGSIZE:
	case -EPROTO:
	case -EPIPE:		/* the peer has been killed */
	case -EBUSY:
	case -EINVAL:		/* nothing is reserved, or peeked */
	case -ETIMEDOUT:
	case -EOPNOTSUPP:	/* not of records, or only of them */
	case -EAGAIN:		/* the socket */
		return true;
	}
	return result >= 0;
}

static inline bool victim_owns(const struct victim *victim, const void *span,
			       size_t len)
{
	const unsigned char *begin = span;

	return begin >= victim->data && len <= victim->size &&
	       begin + len <= victim->data + 2 * victim->size;
}

static inline ssize_t victim_reserve(struct victim *victim, size_t n)
{
	void *room;
	int err;

	err = secbuf_ring_reserve(victim->producer, n, &room);
	if (err)
		return err;
	if (!victim_owns(victim, room, n))
		return -EFAULT;
	memset(room, 0x77, n);
	return 0;
}

static inline ssize_t victim_peek(struct victim *victim, size_t n)
{
	const unsigned char *span;
	size_t len, i;
	unsigned int sum = 0;
	int err;

	err = secbuf_ring_peek(victim->consumer, n % 64, (const void **)&span,
			       &len);
	if (err)
		return err;
	if (!victim_owns(victim, span, len))
		return -EFAULT;
	for (i = 0; i < len; i++)
		sum += span[i];
	__asm__ volatile("" : : "r" (sum));
	return secbuf_ring_consume(victim->consumer, n & 1 ? len : n);
}

/* Memory of exactly that size, of which a sanitizer knows the end. */
static inline ssize_t victim_copy(struct victim *victim, size_t n)
{
	unsigned char *buf = malloc(n);
	ssize_t result;

	memset(buf, 0x77, n);
	if (victim->producer)
		result = secbuf_ring_write(victim->producer, buf, n);
	else if (victim->random & 256)
		result = secbuf_ring_copy(victim->consumer, buf, n);
	else
		result = secbuf_ring_read(victim->consumer, buf, n);
	if (result > (ssize_t)n)
		result = -EFAULT;
	free(buf);
	return result;
}

static inline ssize_t victim_batch(struct victim *victim, size_t n)
{
	struct iovec vecs[HOSTILE_BATCH];
	ssize_t result;
	size_t i;

	n = 1 + n % 400;
	for (i = 0; i < HOSTILE_BATCH; i++) {
		vecs[i] = (struct iovec){ malloc(n), n };
		memset(vecs[i].iov_base, 0x77, n);
	}
	if (victim->producer)
		result = secbuf_ring_write_records(victim->producer, vecs,
						   HOSTILE_BATCH);
	else
		result = secbuf_ring_read_records(victim->consumer, vecs,
						  HOSTILE_BATCH);
	if (result > HOSTILE_BATCH)
		result = -EFAULT;
	for (i = 0; i < HOSTILE_BATCH; i++) {
		if (vecs[i].iov_len > n)
			result = -EFAULT;
		free(vecs[i].iov_base);
	}
	return result;
}

static inline ssize_t victim_socket(struct victim *victim, size_t n)
{
	unsigned char buf[HOSTILE_BUF];
	ssize_t result;

	memset(buf, 0x77, n);
	if (victim->producer) {
		send(victim->sock_peer, buf, n, MSG_DONTWAIT);
		return secbuf_ring_fill(victim->producer, victim->sock, n,
					MSG_DONTWAIT);
	}
	result = secbuf_ring_drain(victim->consumer, victim->sock, n,
				   MSG_DONTWAIT);
	while (recv(victim->sock_peer, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	return result;
}

static inline ssize_t victim_ask(struct victim *victim, size_t n)
{
	struct secbuf_ring_side *side = victim->side;
	ssize_t result;

	switch (n % 6) {
	case 0:
		result = secbuf_ring_used(side);
		break;
	case 1:
		result = secbuf_ring_available(side);
		break;
	case 2:
		return secbuf_ring_is_empty(side);
	case 3:
		return secbuf_ring_is_full(side);
	case 4:
		return secbuf_ring_wait(side, n, 0);
	default:
		return secbuf_ring_wait(side, 1, n / 6 % 64 ? 0 : 1000000);
	}
	return result > (ssize_t)victim->size ? -EFAULT : result;
}

static inline ssize_t victim_rare(struct victim *victim, size_t n)
{
	struct secbuf_ring_stats_args stats;

	switch (n % 5) {
	case 0:
		return victim->producer ? secbuf_ring_park(victim->producer) :
					  secbuf_ring_clear(victim->consumer);
	case 1:
		return victim->producer ? secbuf_ring_unpark(victim->producer) :
					  0;
	case 2:
		return secbuf_ring_shrink(victim->side);
	case 3:
		return secbuf_ring_is_idle(victim->side);
	default:
		return secbuf_ring_get_stats(victim->side, &stats);
	}
}

static inline ssize_t victim_call(struct victim *victim, int call, size_t n)
{
	switch (call) {
	case 0:
	case 1:
		return victim_copy(victim, n);
	case 2:
		return victim->producer ? victim_reserve(victim, n) :
					  victim_peek(victim, n);
	case 3:
		return victim->producer ?
		       secbuf_ring_commit(victim->producer, n & 1 ? n : 1) :
		       secbuf_ring_consume(victim->consumer, n);
	case 4:
		return victim_batch(victim, n);
	case 5:
		return victim_socket(victim, n);
	case 6:
		return victim_ask(victim, n);
	default:
		return victim_rare(victim, n);
	}
}

/* One call. False if it came to what must not be. */
static inline bool victim_act(struct victim *victim, ssize_t *result)
{
	size_t n = 1 + traffic_next(&victim->random) % HOSTILE_BUF;
	int call = victim->random >> 61;
	double begin = hostile_now();

	if (victim->random >> 52 & 1)
		n = 1 + n % 64;
	*result = victim_call(victim, call, n);
	if (victim->producer && call != 2)
		secbuf_ring_cancel(victim->producer);
	victim->calls++;
	victim->broken += *result == -EPROTO;
	if (victim_expects(*result) && hostile_now() - begin < HOSTILE_CALL_S)
		return true;
	victim->wrong = *result < 0 ? *result : 1;
	victim->where = call;
	return false;
}

#endif /* RING_HOSTILE_H */
