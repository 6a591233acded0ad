// SPDX-License-Identifier: GPL-2.0
/*
 * What a mapped pool costs its program, beside what one would use without it.
 * Prints
 *
 *	name value unit peer peer_value ratio
 *
 * Memory that secbuf hands out is zero, and it zeroizes what comes back. The
 * peers do both by hand. All bytes of a block are written in between, by the
 * same function on both sides.
 *
 * malloc() is told to keep what it has: no peer makes a system call here. They
 * are slow in User Mode Linux, and secbuf makes none either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define SIZE_1K		1024
#define SIZE_8K		8192
#define SIZE_64K	65536

static struct secbuf_context *ctx;
static struct secbuf_pool *pool_64, *pool_1k, *pool_8k, *pool_64k;

/*
 * Blocks of one size, all written
 */

static inline void secbuf_blocks(struct secbuf_pool *pool, size_t size,
				 unsigned int nr)
{
	void *p;

	while (nr--) {
		turns_must(!secbuf_pool_alloc(pool, &p), "secbuf_pool_alloc");
		write_all(p, size);
		turns_must(!secbuf_pool_free(pool, p), "secbuf_pool_free");
	}
}

static inline void malloc_blocks(size_t size, unsigned int nr)
{
	void *p;

	while (nr--) {
		p = malloc(size);
		turns_must(p, "malloc");
		/* Else the compiler makes calloc() of the two. */
		memory_used(p);
		memset(p, 0, size);
		write_all(p, size);
		explicit_bzero(p, size);
		free(p);
	}
}

static void secbuf_blocks_64(unsigned int nr)
{
	secbuf_blocks(pool_64, SMALL, nr);
}

static void malloc_blocks_64(unsigned int nr)
{
	malloc_blocks(SMALL, nr);
}

static void secbuf_blocks_1k(unsigned int nr)
{
	secbuf_blocks(pool_1k, SIZE_1K, nr);
}

static void malloc_blocks_1k(unsigned int nr)
{
	malloc_blocks(SIZE_1K, nr);
}

static void secbuf_blocks_8k(unsigned int nr)
{
	secbuf_blocks(pool_8k, SIZE_8K, nr);
}

static void malloc_blocks_8k(unsigned int nr)
{
	malloc_blocks(SIZE_8K, nr);
}

static void secbuf_blocks_64k(unsigned int nr)
{
	secbuf_blocks(pool_64k, SIZE_64K, nr);
}

static void malloc_blocks_64k(unsigned int nr)
{
	malloc_blocks(SIZE_64K, nr);
}

/*
 * Buffer objects. What the peer of the first clears is what it has written, as
 * somebody would who keeps track of it by hand.
 */

static inline void open_buffer(struct secbuf_buffer *buf,
			       struct secbuf_source *source, size_t size)
{
	int err = secbuf_buffer_open(buf, source, size);

	turns_must(!err, "secbuf_buffer_open");
}

static void secbuf_dirty_buffers(unsigned int nr)
{
	struct secbuf_source *source = secbuf_pool_source(pool_8k);
	struct secbuf_buffer buf;
	int err;

	while (nr--) {
		open_buffer(&buf, source, SIZE_8K);
		err = secbuf_buffer_put_bytes(&buf, small_secret, SMALL);
		turns_must(!err, "secbuf_buffer_put_bytes");
		memory_used(buf.cur.data);
		secbuf_buffer_release(&buf);
	}
}

static void malloc_dirty(unsigned int nr)
{
	void *p;

	while (nr--) {
		p = malloc(SIZE_8K);
		turns_must(p, "malloc");
		memcpy(p, small_secret, SMALL);
		memory_used(p);
		explicit_bzero(p, SMALL);
		free(p);
	}
}

static void secbuf_clean_buffers(unsigned int nr)
{
	struct secbuf_source *source = secbuf_pool_source(pool_64);
	struct secbuf_buffer buf;

	while (nr--) {
		open_buffer(&buf, source, SMALL);
		USED(buf.cur.data);
		secbuf_buffer_release(&buf);
	}
}

static void malloc_clean(unsigned int nr)
{
	void *p;

	while (nr--) {
		p = malloc(SMALL);
		turns_must(p, "malloc");
		USED(p);
		free(p);
	}
}

/*
 * OpenSSL's secure heap. A neighbour stays out, so that a block is at hand and
 * need not be split off a larger one each time: the best case.
 */
static void openssl_blocks(unsigned int nr)
{
	void *p;

	while (nr--) {
		p = OPENSSL_secure_malloc(SMALL);
		turns_must(p, "OPENSSL_secure_malloc");
		write_all(p, SMALL);
		OPENSSL_secure_clear_free(p, SMALL);
	}
}

static const struct turns_line lines[] = {
	{ .name = "upool_64",
	  .secbuf = { .run = secbuf_blocks_64 },
	  .peer = { "malloc+0+bzero", NULL, malloc_blocks_64 } },
	{ .name = "upool_1k",
	  .secbuf = { .run = secbuf_blocks_1k },
	  .peer = { "malloc+0+bzero", NULL, malloc_blocks_1k } },
	{ .name = "upool_8k",
	  .secbuf = { .run = secbuf_blocks_8k },
	  .peer = { "malloc+0+bzero", NULL, malloc_blocks_8k } },
	{ .name = "upool_64k",
	  .secbuf = { .run = secbuf_blocks_64k },
	  .peer = { "malloc+0+bzero", NULL, malloc_blocks_64k } },
	{ .name = "upool_8k_dirty64",
	  .secbuf = { .run = secbuf_dirty_buffers },
	  .peer = { "malloc+bzero_64", NULL, malloc_dirty } },
	{ .name = "upool_clean",
	  .secbuf = { .run = secbuf_clean_buffers },
	  .peer = { "malloc_64", NULL, malloc_clean } },
	{ .name = "upool_vs_openssl", .faster = true,
	  .secbuf = { .run = secbuf_blocks_64 },
	  .peer = { "OPENSSL_secure", NULL, openssl_blocks } },
};

/* The peer ran outside: the argument is what it took. */
static const struct turns_line sodium_line = {
	.name = "upool_vs_sodium", .faster = true,
	.secbuf = { .run = secbuf_blocks_64 },
	.peer = { .name = "sodium_malloc" },
};

static struct secbuf_pool *open_pool(size_t size)
{
	const struct secbuf_pool_opts opts = SECBUF_POOL_OPTS(size, 1000);
	struct secbuf_pool *pool;

	turns_must(!secbuf_pool_open(&pool, ctx, &opts), "secbuf_pool_open");
	return pool;
}

/* What was written last is handed out next: nobody has left out zeroizing. */
static void check_pool(struct secbuf_pool *pool, size_t size)
{
	unsigned char *p;
	void *out;
	size_t i;

	turns_must(!secbuf_pool_alloc(pool, &out), "secbuf_pool_alloc");
	p = out;
	for (i = 0; i < size; i++)
		turns_must(!p[i], "a buffer is not zero");
}

static void set_up(void)
{
	work_keep_malloc();
	turns_must(CRYPTO_secure_malloc_init(1 << 20, 16) == 1 &&
		   OPENSSL_secure_malloc(SMALL), "CRYPTO_secure_malloc_init");
	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	pool_64 = open_pool(SMALL);
	pool_1k = open_pool(SIZE_1K);
	pool_8k = open_pool(SIZE_8K);
	pool_64k = open_pool(SIZE_64K);
}

int main(int argc, char **argv)
{
	unsigned int i;

	set_up();
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		turns_line(&lines[i]);
	if (argc > 1)
		turns_line_against(&sodium_line, atof(argv[1]));
	check_pool(pool_64, SMALL);
	check_pool(pool_1k, SIZE_1K);
	check_pool(pool_8k, SIZE_8K);
	check_pool(pool_64k, SIZE_64K);
	return 0;
}
