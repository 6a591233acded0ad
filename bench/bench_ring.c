// SPDX-License-Identifier: GPL-2.0
/*
 * What a ring costs within one process, beside copying as much and zeroizing it.
 * Prints
 *
 *	name value unit peer peer_value ratio
 *
 * The compiler knows no length, on neither side.
 */
#include <stdlib.h>
#include <string.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define RING_SIZE	16384

static struct secbuf_ring_producer *producer;
static struct secbuf_ring_consumer *consumer;
static unsigned char through[RING_SIZE] __attribute__((aligned(4096)));

/*
 * Half a page from where its pages begin: what is a multiple of a page apart looks
 * to a processor as if it was the same, for a while.
 */
static struct {
	unsigned char half_a_page[2048];
	unsigned char from[RING_SIZE];
	unsigned char to[RING_SIZE];
} program __attribute__((aligned(4096)));

static unsigned char *const from = program.from;
static unsigned char *const to = program.to;

static inline size_t unknown(size_t n)
{
	__asm__("" : "+r" (n));
	return n;
}

static inline void ring_copies(size_t n, unsigned int nr)
{
	while (nr--) {
		turns_must(!secbuf_ring_write(producer, from, unknown(n)),
			   "secbuf_ring_write");
		turns_must(secbuf_ring_read(consumer, to, unknown(n)) > 0,
			   "secbuf_ring_read");
	}
}

/* Round and round, as the ring goes. */
static inline void plain_copies(size_t n, unsigned int nr)
{
	unsigned char *p = through;

	while (nr--) {
		memcpy(p, from, unknown(n));
		memory_used(p);
		memcpy(to, p, unknown(n));
		memory_used(to);
		explicit_bzero(p, unknown(n));
		p += n;
		if (p == through + RING_SIZE)
			p = through;
	}
}

#define DEFINE_COPIES(n)						\
static void ring_copies_##n(unsigned int nr)				\
{									\
	ring_copies(n, nr);						\
}									\
									\
static void plain_copies_##n(unsigned int nr)				\
{									\
	plain_copies(n, nr);						\
}

DEFINE_COPIES(64)
DEFINE_COPIES(1024)
DEFINE_COPIES(16384)

static void ring_no_copy(unsigned int nr)
{
	const void *span;
	void *room;
	size_t len;

	while (nr--) {
		turns_must(!secbuf_ring_reserve(producer, unknown(SMALL), &room),
			   "secbuf_ring_reserve");
		memory_used(room);
		turns_must(!secbuf_ring_commit(producer, unknown(SMALL)),
			   "secbuf_ring_commit");
		turns_must(!secbuf_ring_peek(consumer, 0, &span, &len),
			   "secbuf_ring_peek");
		turns_must(!secbuf_ring_consume(consumer, len),
			   "secbuf_ring_consume");
	}
}

static void zeroize(unsigned int nr)
{
	while (nr--)
		explicit_bzero(through, unknown(SMALL));
}

static const struct turns_line lines[] = {
	{ .name = "ring_wr_64",
	  .secbuf = { .run = ring_copies_64 },
	  .peer = { "2*memcpy+bzero", NULL, plain_copies_64 } },
	{ .name = "ring_wr_1k",
	  .secbuf = { .run = ring_copies_1024 },
	  .peer = { "2*memcpy+bzero", NULL, plain_copies_1024 } },
	{ .name = "ring_wr_16k",
	  .secbuf = { .run = ring_copies_16384 },
	  .peer = { "2*memcpy+bzero", NULL, plain_copies_16384 } },
	{ .name = "ring_zero_copy_64",
	  .secbuf = { .run = ring_no_copy },
	  .peer = { "bzero", NULL, zeroize } },
};

int main(void)
{
	const struct secbuf_ring_opts opts = {
		.sz = sizeof(opts), .ring_size = RING_SIZE,
	};
	struct secbuf_context *ctx;
	unsigned int i;

	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_ring_open(&producer, &consumer, ctx, &opts),
		   "secbuf_ring_open");
	memset(from, 0x5a, RING_SIZE);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		turns_line(&lines[i]);
	return 0;
}
