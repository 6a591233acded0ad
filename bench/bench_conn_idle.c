// SPDX-License-Identifier: GPL-2.0
/*
 * Conns that do nothing: what the kernel has for each, and how many there can be.
 * Prints, of
 *
 *	name value unit peer peer_value ratio
 *
 * conn_idle_bytes, bytes of kernel memory for each of 20,000 conns that never had
 * a buffer, whatever it is that the kernel allocates for an open file included;
 * and conn_100k, how many of 100,000 are open and have lost both buffers, after
 * each was used once.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"

#define NR_IDLE		20000
#define NR_USED		100000
#define SLOT_SIZE	1024
#define IDLE_MS		2000
#define PATIENCE	240	/* seconds */
#define FILES		(NR_USED + 100)

static struct secbuf_context *ctx;
static struct secbuf_conn *conns[NR_USED];

static struct secbuf_pool *open_pool(void)
{
	const struct secbuf_pool_opts opts =
		SECBUF_POOL_OPTS(SLOT_SIZE, 2 * NR_USED);
	struct secbuf_pool *pool;

	turns_must(!secbuf_pool_open(&pool, ctx, &opts), "secbuf_pool_open");
	return pool;
}

static void open_conns(struct secbuf_pool *pool, unsigned int nr)
{
	const struct secbuf_conn_opts opts = {
		.sz = sizeof(opts),
		.idle_ms = IDLE_MS,
	};
	unsigned int i;

	for (i = 0; i < nr; i++)
		turns_must(!secbuf_conn_open(&conns[i], ctx, pool, &opts),
			   "secbuf_conn_open");
}

static void close_conns(unsigned int nr)
{
	while (nr--)
		secbuf_conn_close(conns[nr]);
}

/* All that the kernel has for itself, in bytes. */
static double kernel_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib, sum = 0;
	char name[64];

	turns_must(file, "/proc/meminfo");
	while (fscanf(file, "%63[^:]: %lu%*[^\n]\n", name, &kib) == 2)
		if (!strcmp(name, "Slab") || !strcmp(name, "VmallocUsed") ||
		    !strcmp(name, "PageTables") || !strcmp(name, "Percpu"))
			sum += kib;
	fclose(file);
	return sum * 1024.0;
}

/* The table of descriptors has its size then, whatever is opened later. */
static void grow_files(void)
{
	const struct rlimit limit = { FILES, FILES };

	turns_must(!setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	turns_must(dup2(STDIN_FILENO, FILES - 1) == FILES - 1, "dup2");
	close(FILES - 1);
}

static void measure_idle(struct secbuf_pool *pool)
{
	double before = kernel_memory();

	open_conns(pool, NR_IDLE);
	printf("conn_idle_bytes %.0f bytes - - -\n",
	       (kernel_memory() - before) / NR_IDLE);
	close_conns(NR_IDLE);
}

static void use(struct secbuf_conn *conn, enum secbuf_conn_buffer which)
{
	char *buf;

	turns_must(!secbuf_conn_buffer(conn, which, (void **)&buf),
		   "secbuf_conn_buffer");
	buf[0] = 1;
	turns_must(!secbuf_conn_buffer_release(conn, which, 1),
		   "secbuf_conn_buffer_release");
}

static unsigned int wait_until_idle(struct secbuf_pool *pool)
{
	struct secbuf_pool_stats_args stats;
	unsigned int i;

	for (i = 0; i < PATIENCE; i++) {
		turns_must(!secbuf_pool_get_stats(pool, &stats),
			   "secbuf_pool_get_stats");
		if (!stats.out_in_use)
			break;
		sleep(1);
	}
	return i;
}

/* Open, without a buffer, and good for another one. */
static bool is_well(struct secbuf_conn *conn, bool ask)
{
	struct secbuf_conn_stats_args stats;
	void *buf;

	turns_must(!secbuf_conn_get_stats(conn, &stats), "secbuf_conn_get_stats");
	if (stats.out_read.allocated || stats.out_write.allocated ||
	    stats.out_reclaimed != 2)
		return false;
	return !ask || !secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buf);
}

static void measure_many(struct secbuf_pool *pool)
{
	unsigned int i, waited, nr = 0;

	open_conns(pool, NR_USED);
	for (i = 0; i < NR_USED; i++) {
		use(conns[i], SECBUF_CONN_BUFFER_READ);
		use(conns[i], SECBUF_CONN_BUFFER_WRITE);
	}
	waited = wait_until_idle(pool);
	for (i = 0; i < NR_USED; i++)
		nr += is_well(conns[i], i % 100 == 0);
	printf("conn_100k %u conns - - -\n", nr);
	fprintf(stderr, "# waited %u s\n", waited);
	close_conns(NR_USED);
}

int main(void)
{
	struct secbuf_pool *pool;

	grow_files();
	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	pool = open_pool();
	measure_idle(pool);
	measure_many(pool);
	secbuf_pool_close(pool);
	secbuf_close(ctx);
	return 0;
}
