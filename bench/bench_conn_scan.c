// SPDX-License-Identifier: GPL-2.0
/*
 * What a scan for idle conns takes of which 10 have expired: among 100,000 that
 * were all active since the last scan, and among 1,000. Where the clock counts
 * instructions (guest.sh --icount) one ns is one of them. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * Conns that are active in memory only, each looked at once in its idle time, are
 * not measured.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"

#define SCAN_FILE	"/sys/kernel/debug/secbuf/scan"
#define NR_MANY		100000
#define NR_FEW		1000
#define NR_EXPIRED	10
#define SLOT_SIZE	64
#define IDLE_MS		4000
#define ROUNDS		5

struct report {
	unsigned long long ns;
	unsigned long long examined;
	unsigned long long expired;
};

static struct secbuf_context *ctx;
static struct secbuf_conn *conns[NR_MANY];

static void read_report(struct report *report)
{
	FILE *file = fopen(SCAN_FILE, "r");

	turns_must(file && fscanf(file, "ns %llu examined %llu expired %llu",
				  &report->ns, &report->examined,
				  &report->expired) == 3, SCAN_FILE);
	fclose(file);
}

static void scan(void)
{
	int fd = open(SCAN_FILE, O_WRONLY | O_CLOEXEC);

	turns_must(fd >= 0 && write(fd, "1", 1) == 1, SCAN_FILE);
	close(fd);
}

static void nap(unsigned int ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* Activity that the kernel does not see. */
static void use(struct secbuf_conn *conn)
{
	void *buf;

	turns_must(!secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buf) &&
		   !secbuf_conn_buffer_release(conn, SECBUF_CONN_BUFFER_READ,
					       0), "buffer");
}

static void touch(unsigned int first, unsigned int nr)
{
	unsigned int i;

	for (i = first; i < nr; i++)
		turns_must(!secbuf_conn_touch(conns[i]), "secbuf_conn_touch");
}

/*
 * Until a scan, ours or one that was due, has found @expired in one go and no
 * others; 0 if it was several, which happens when a tick ends in between.
 */
static double wait_for(unsigned int expired)
{
	struct report report;
	int i;

	for (i = 0; i < 100; i++) {
		read_report(&report);
		if (report.expired == expired && report.examined == expired)
			return report.ns;
		if (report.expired)
			break;
		nap(50);
		read_report(&report);
		if (!report.expired)
			scan();
	}
	return 0;
}

/*
 * A conn is idle at the second look. So those that are to expire are left alone
 * for twice that time, and the others never.
 */
static double round_of(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < NR_EXPIRED; i++)
		use(conns[i]);
	touch(0, nr);
	scan();
	for (i = 0; i < 3; i++) {
		nap(IDLE_MS / 2);
		touch(NR_EXPIRED, nr);
		scan();
	}
	return wait_for(NR_EXPIRED);
}

static void open_conns(struct secbuf_pool *pool, unsigned int nr)
{
	const struct secbuf_conn_opts opts = {
		.sz = sizeof(opts),
		.idle_ms = IDLE_MS,
	};
	unsigned int i;

	for (i = 0; i < nr; i++) {
		turns_must(!secbuf_conn_open(&conns[i], ctx, pool, &opts),
			   "secbuf_conn_open");
		use(conns[i]);
	}
}

static double measure(struct secbuf_pool *pool, unsigned int nr)
{
	double samples[ROUNDS];
	unsigned int i, tries = 4 * ROUNDS;

	open_conns(pool, nr);
	for (i = 0; i < ROUNDS && tries--;) {
		samples[i] = round_of(nr);
		i += samples[i] > 0;
	}
	turns_must(i == ROUNDS, "a scan that finds all that expired");
	for (i = 0; i < nr; i++)
		secbuf_conn_close(conns[i]);
	return turns_median(samples, ROUNDS);
}

int main(void)
{
	const struct rlimit limit = { NR_MANY + 100, NR_MANY + 100 };
	const struct secbuf_pool_opts opts =
		SECBUF_POOL_OPTS(SLOT_SIZE, NR_MANY);
	struct secbuf_pool *pool;
	double few, many;

	turns_must(!setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_pool_open(&pool, ctx, &opts), "secbuf_pool_open");
	few = measure(pool, NR_FEW);
	many = measure(pool, NR_MANY);
	printf("conn_scan %.0f instructions of_%u_conns %.0f %.3f\n", many,
	       NR_FEW, few, many / few);
	secbuf_pool_close(pool);
	secbuf_close(ctx);
	return 0;
}
