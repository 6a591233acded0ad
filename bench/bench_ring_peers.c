// SPDX-License-Identifier: GPL-2.0
/*
 * What a message costs through a pipe or a unix stream, whichever is better, on
 * the machine's own kernel, when the reader takes 64 KiB at once. Prints the
 * cycles, of 64 bytes and of 16 KiB, for the lines ring_ipc.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"
#include "turns.h"
#include "work.h"

#define LARGE	16384

static unsigned char buf[STREAM_READ];
static int fds[2];

static void send_all(size_t size, unsigned int nr)
{
	size_t at;
	ssize_t n;

	while (nr--) {
		for (at = 0; at < size; at += n) {
			n = write(fds[1], buf + at, size - at);
			turns_must(n > 0, "write");
		}
	}
}

static void receive_all(size_t size, unsigned int nr)
{
	size_t left = size * nr;
	ssize_t n;

	for (; left; left -= n) {
		n = read(fds[0], buf, sizeof(buf));
		turns_must(n > 0, "read");
	}
}

static double better(size_t size, unsigned int nr)
{
	static const struct stream stream = { NULL, send_all, receive_all };
	const struct stream *const streams[] = { &stream };
	double times[2];
	int i;

	for (i = 0; i < 2; i++) {
		turns_must(!(i ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) :
			     pipe(fds)), "pipe");
		stream_measure(streams, 1, size, nr, &times[i]);
		close(fds[0]);
		close(fds[1]);
	}
	return times[times[1] < times[0]];
}

int main(void)
{
	printf("%.2f %.2f\n", better(SMALL, 20000), better(LARGE, 400));
	return 0;
}
