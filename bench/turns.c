// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "turns.h"

#define ROUNDS		4001		/* by the time stamp counter */
#define ROUNDS_FEW	21		/* where what is counted repeats */
#define BATCH		20000.0		/* how long one should take, at least */
#define BATCH_MAX	100000		/* operations */

static bool instructions;

void turns_count_instructions(void)
{
	instructions = true;
}

void turns_fail(const char *what)
{
	perror(what);
	exit(1);
}

unsigned long long turns_cycles(void)
{
	unsigned int low, high;

	__asm__ volatile("lfence; rdtsc; lfence"
			 : "=a" (low), "=d" (high) : : "memory");
	return (unsigned long long)high << 32 | low;
}

static double now(void)
{
	struct timespec ts;

	if (!instructions)
		return turns_cycles();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double turns_median(double *samples, size_t nr)
{
	qsort(samples, nr, sizeof(*samples), compare);
	return samples[(nr - 1) / 2];
}

static double time_batch(const struct turns_side *side, unsigned int nr)
{
	double start;

	if (side->prepare)
		side->prepare(nr);
	start = now();
	side->run(nr);
	return now() - start;
}

/* A call like those that are measured. */
static void nothing(unsigned int nr)
{
	__asm__ volatile("" : : "r" (nr) : "memory");
}

static double time_nothing(void)
{
	static const struct turns_side side = { .run = nothing };
	double samples[ROUNDS];
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		samples[i] = time_batch(&side, 0);
	return turns_median(samples, ROUNDS);
}

/*
 * Operations that take long enough. The quickest of some tries counts: the
 * first has everything to fetch, and any may be interrupted.
 */
static unsigned int enough(const struct turns_side *side)
{
	unsigned int nr = 1;
	double time, best;
	int i;

	do {
		nr *= 2;
		best = time_batch(side, nr);
		for (i = 0; i < 3; i++) {
			time = time_batch(side, nr);
			if (best > time)
				best = time;
		}
	} while (best < BATCH && nr < BATCH_MAX);
	return nr;
}

/* times: of one operation of each side. They begin by turns, too. */
static void measure(const struct turns_side *const sides[], unsigned int nr,
		    double *times)
{
	static double samples[2][ROUNDS];
	unsigned int rounds = instructions ? ROUNDS_FEW : ROUNDS;
	double clock = time_nothing();
	unsigned int i, turn, which;

	for (i = 0; i < rounds; i++) {
		for (turn = 0; turn < 2; turn++) {
			which = (i + turn) % 2;
			if (sides[which])
				samples[which][i] = time_batch(sides[which],
							       nr) - clock;
		}
	}
	for (which = 0; which < 2; which++)
		times[which] = turns_median(samples[which], rounds) / nr;
}

double turns_side(const struct turns_side *side)
{
	const struct turns_side *const sides[2] = { side };
	double times[2];

	measure(sides, enough(side), times);
	return times[0];
}

static void print_value(const struct turns_line *line, double value)
{
	printf("%s %.2f %s", line->name, value,
	       instructions ? "instructions" : "cycle");
}

void turns_line_against(const struct turns_line *line, double peer_value)
{
	double value = turns_side(&line->secbuf);
	double ratio = value / peer_value;

	print_value(line, value);
	printf(" %s %.2f %.3f\n", line->peer.name, peer_value,
	       line->faster ? 1 / ratio : ratio);
}

void turns_line(const struct turns_line *line)
{
	const struct turns_side *const sides[2] = { &line->secbuf,
		line->peer.name ? &line->peer : NULL };
	unsigned int nr = line->nr ?: enough(sides[0]);
	double times[2], ratio;

	measure(sides, nr, times);
	print_value(line, times[0]);
	if (!sides[1]) {
		puts(" - - -");
		return;
	}
	ratio = times[0] / times[1];
	printf(" %s %.2f %.3f\n", line->peer.name, times[1],
	       line->faster ? 1 / ratio : ratio);
}
