/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Turns: secbuf and a peer do the same work by turns, a batch each, and the
 * medians are compared. One line per figure:
 *
 *	name value unit peer peer_value ratio
 *
 * A batch is timed as a whole, its loop included: some thousand cycles, so that
 * reading the clock, which is taken off, and an interrupt now and then do not
 * show. Both sides do the same number of operations.
 */
#ifndef BENCH_TURNS_H
#define BENCH_TURNS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct turns_side - something to measure
 * @name: as a peer, without blanks
 * @prepare: done before each batch, not timed; can be NULL
 * @run: do @nr operations
 */
struct turns_side {
	const char *name;
	void (*prepare)(unsigned int nr);
	void (*run)(unsigned int nr);
};

/**
 * struct turns_line - one figure
 * @name: of it
 * @nr: operations of a batch; 0 for as many as take long enough to be timed
 * @faster: the ratio says how much faster secbuf is, not what part of the
 *          peer's time it takes
 * @secbuf: one side
 * @peer: the other one; there is none if it has no name
 */
struct turns_line {
	const char *name;
	unsigned int nr;
	bool faster;
	struct turns_side secbuf;
	struct turns_side peer;
};

/*
 * From here on CLOCK_MONOTONIC is read, not the time stamp counter: where that
 * clock counts instructions (guest.sh --icount), one ns is one of them.
 */
void turns_count_instructions(void);

/* Measure and print. */
void turns_line(const struct turns_line *line);

/* The same where the peer was measured elsewhere, on the same machine. */
void turns_line_against(const struct turns_line *line, double peer_value);

/* The time of one operation of a side. */
double turns_side(const struct turns_side *side);

/* The time stamp counter. Nothing before or after it moves past it. */
unsigned long long turns_cycles(void);

/* Sorts. Of an even number the lower of the two in the middle. */
double turns_median(double *samples, size_t nr);

/* Ends the program with what errno says. */
void turns_fail(const char *what) __attribute__((cold, noreturn));

/* Inline, as checks of results are: it is in what is measured. */
static inline void turns_must(bool ok, const char *what)
{
	if (__builtin_expect(!ok, 0))
		turns_fail(what);
}

#endif /* BENCH_TURNS_H */
