/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stream: two processes, each on a CPU of its own, one of which sends messages
 * to the other in whatever way. Both begin together; a batch has ended when
 * both have.
 *
 * Processes, since in User Mode Linux two threads of one do not run at the same
 * time.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stddef.h>

/* What a reader takes at once, at most. */
#define STREAM_READ	65536

/**
 * struct stream - a way to send messages
 * @begin: done in each process before anything else; can be NULL. The second
 *         argument is 1 in the one that receives
 * @send: send @nr messages of @size bytes
 * @receive: receive as many bytes
 */
struct stream {
	void (*begin)(const struct stream *stream, int receives);
	void (*send)(size_t size, unsigned int nr);
	void (*receive)(size_t size, unsigned int nr);
};

/*
 * The cycles that a message takes: the median of batches of @nr messages each.
 * Where there are several streams they take turns.
 */
void stream_measure(const struct stream *const streams[], unsigned int sides,
		    size_t size, unsigned int nr, double *times);

#endif /* BENCH_STREAM_H */
