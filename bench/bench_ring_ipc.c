// SPDX-License-Identifier: GPL-2.0
/*
 * What a ring costs between two processes that both are at work. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * The reader copies what it reads, at most 64 KiB at once, as that of the peers
 * does. The peers of ring_ipc_64 and ring_ipc_16k make system calls and ran
 * outside: the arguments are what they took, see bench_ring_peers.
 *
 * The peer of ring_ipc_bandwidth has no protocol at all: one process copies into
 * shared memory, the other one out of it and zeroizes, neither waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <secbuf.h>

#include "stream.h"
#include "turns.h"
#include "work.h"

#define RING_SIZE	65536
#define LARGE		16384

static struct secbuf_ring_producer *producer;
static struct secbuf_ring_consumer *consumer;
static int producer_fd, consumer_fd;
static unsigned char buf[STREAM_READ] __attribute__((aligned(4096)));
static unsigned char *plain;

static void ring_begin(const struct stream *stream, int receives)
{
	(void)stream;
	if (receives)
		turns_must(!secbuf_ring_consumer_attach(&consumer, consumer_fd),
			   "secbuf_ring_consumer_attach");
	else
		turns_must(!secbuf_ring_producer_attach(&producer, producer_fd),
			   "secbuf_ring_producer_attach");
}

static void ring_send(size_t size, unsigned int nr)
{
	int err;

	while (nr--) {
		while ((err = secbuf_ring_write(producer, buf, size)) == -ENOSPC)
			__builtin_ia32_pause();
		turns_must(!err, "secbuf_ring_write");
	}
}

static void ring_receive(size_t size, unsigned int nr)
{
	size_t left = size * nr;
	ssize_t n;

	while (left) {
		n = secbuf_ring_read(consumer, buf, sizeof(buf));
		if (n == -ENODATA) {
			__builtin_ia32_pause();
			continue;
		}
		turns_must(n > 0, "secbuf_ring_read");
		left -= n;
	}
}

static void plain_begin(const struct stream *stream, int receives)
{
	(void)stream;
	(void)receives;
}

static void plain_send(size_t size, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		memcpy(plain + i * size % RING_SIZE, buf, size);
		memory_used(plain);
	}
}

static void plain_receive(size_t size, unsigned int nr)
{
	unsigned char *p;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		p = plain + i * size % RING_SIZE;
		memcpy(buf, p, size);
		memory_used(buf);
		explicit_bzero(p, size);
	}
}

static const struct stream ring = { ring_begin, ring_send, ring_receive };
static const struct stream shared = { plain_begin, plain_send, plain_receive };

/* A new ring for each: an end is claimed once. */
static void measure(size_t size, unsigned int nr, unsigned int sides,
		    double *times)
{
	const struct stream *const streams[] = { &ring, &shared };
	struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = RING_SIZE,
		.flags = SECBUF_RING_F_PASSABLE,
	};
	struct secbuf_context *ctx;

	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_ring_create(&producer_fd, &consumer_fd, ctx, &opts),
		   "secbuf_ring_create");
	stream_measure(streams, sides, size, nr, times);
	secbuf_ring_producer_close(producer);
	close(producer_fd);
	close(consumer_fd);
	secbuf_close(ctx);
}

static void line(const char *name, double value, const char *peer)
{
	printf("%s %.2f cycle %s %s %.3f\n", name, value, "pipe_or_socket", peer,
	       atof(peer) / value);
}

int main(int argc, char **argv)
{
	double small, times[2];

	turns_must(argc == 3, "arguments");
	plain = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	turns_must(plain != MAP_FAILED, "mmap");
	memset(buf, 0x5a, sizeof(buf));
	measure(SMALL, 20000, 1, &small);
	line("ring_ipc_64", small, argv[1]);
	measure(LARGE, 400, 2, times);
	line("ring_ipc_16k", times[0], argv[2]);
	/* Throughput: bytes per cycle. */
	printf("ring_ipc_bandwidth %.2f B/cycle shared_memory %.2f %.3f\n",
	       LARGE / times[0], LARGE / times[1], times[1] / times[0]);
	return 0;
}
