// SPDX-License-Identifier: GPL-2.0
/*
 * Two processes on one CPU that send 64 bytes to each other by turns, and sleep
 * until they come: by two rings, and by two pipes. Where the clock counts
 * instructions (guest.sh --icount) one ns is one of them. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * of a round trip.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

/* Of one direction. */
struct way {
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	int ring_fds[2];
	int pipe_fds[2];
};

static struct way there, back;
static char message[SMALL];

static void ring_put(struct way *way)
{
	turns_must(!secbuf_ring_write(way->producer, message, SMALL),
		   "secbuf_ring_write");
}

/* Not before it was there: the other side has gone to sleep by then. */
static void ring_get(struct way *way)
{
	char got[SMALL];
	int err;

	err = secbuf_ring_wait(&way->consumer->side, SMALL,
			       SECBUF_RING_TIMEOUT_NONE);
	turns_must(!err && secbuf_ring_read(way->consumer, got, SMALL) == SMALL,
		   "secbuf_ring_read");
}

static void pipe_put(struct way *way)
{
	turns_must(write(way->pipe_fds[1], message, SMALL) == SMALL, "write");
}

static void pipe_get(struct way *way)
{
	char got[SMALL];

	turns_must(read(way->pipe_fds[0], got, SMALL) == SMALL, "read");
}

static void ring_ping(unsigned int nr)
{
	while (nr--) {
		ring_put(&there);
		ring_get(&back);
	}
}

static void pipe_ping(unsigned int nr)
{
	while (nr--) {
		pipe_put(&there);
		pipe_get(&back);
	}
}

/* Until it is killed, in whichever way it is asked. */
static void ring_pong(void)
{
	for (;;) {
		ring_get(&there);
		ring_put(&back);
	}
}

static void pipe_pong(void)
{
	for (;;) {
		pipe_get(&there);
		pipe_put(&back);
	}
}

static void make(struct way *way, struct secbuf_context *ctx)
{
	turns_must(!pipe(way->pipe_fds), "pipe");
	turns_must(!secbuf_ring_create(&way->ring_fds[1], &way->ring_fds[0],
				       ctx, NULL), "secbuf_ring_create");
}

static void attach(struct way *in, struct way *out)
{
	turns_must(!secbuf_ring_consumer_attach(&in->consumer,
						in->ring_fds[0]) &&
		   !secbuf_ring_producer_attach(&out->producer,
						out->ring_fds[1]), "attach");
}

static pid_t child(void (*fn)(void), struct way *in, struct way *out)
{
	pid_t pid = fork();

	turns_must(pid >= 0, "fork");
	if (pid)
		return pid;
	if (in)
		attach(in, out);
	fn();
	_exit(0);
}

int main(void)
{
	static const struct turns_line line = {
		.name = "ring_pingpong", .nr = 500,
		.secbuf = { .run = ring_ping },
		.peer = { "pipe", NULL, pipe_ping },
	};
	struct secbuf_context *ctx;
	pid_t pids[2];

	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	make(&there, ctx);
	make(&back, ctx);
	pids[0] = child(ring_pong, &there, &back);
	pids[1] = child(pipe_pong, NULL, NULL);
	attach(&back, &there);
	turns_count_instructions();
	turns_line(&line);
	fflush(stdout);
	kill(pids[0], SIGKILL);
	kill(pids[1], SIGKILL);
	return 0;
}
