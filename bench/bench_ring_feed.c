// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes to get records of 64 bytes from the kernel, again and again, in
 * batches: through a ring of records that the kernel writes several to by a call,
 * and through a pipe that it writes each to and whose reader takes a batch at once.
 * For information, ring_kernel_to_user_bytes is a ring of bytes that the kernel
 * fills where they lie; and ring_kernel_to_user_each a ring of records that are
 * written and read each by a call, and a pipe whose reader takes each by a read(),
 * as it must where it does not know how long they are. Where the clock counts
 * instructions (guest.sh --icount) one ns is one of them. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * of a record. Both sides copy it, and a ring zeroizes it as well.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <secbuf.h>

#include "kernel/bench_ring.h"
#include "turns.h"

#define BATCH	256

static struct secbuf_ring_consumer *consumer;
static int device, pipe_fds[2];
static char batch[BATCH * BENCH_RING_RECORD];
static struct iovec records[BATCH];

static void in_batches(unsigned int nr)
{
	ssize_t n;

	turns_must(!ioctl(device, BENCH_RING_FEED, nr), "BENCH_RING_FEED");
	for (; nr; nr -= n) {
		n = secbuf_ring_read_records(consumer, records, nr);
		turns_must(n > 0, "secbuf_ring_read_records");
	}
}

static void each(unsigned int nr)
{
	unsigned int i;

	turns_must(!ioctl(device, BENCH_RING_EACH, nr), "BENCH_RING_EACH");
	for (i = 0; i < nr; i++)
		turns_must(secbuf_ring_read(consumer, batch,
					    BENCH_RING_RECORD) ==
			   BENCH_RING_RECORD, "secbuf_ring_read");
}

static void bytes(unsigned int nr)
{
	unsigned int i;

	turns_must(!ioctl(device, BENCH_RING_FEED, nr), "BENCH_RING_FEED");
	for (i = 0; i < nr; i++)
		turns_must(secbuf_ring_read(consumer, batch,
					    BENCH_RING_RECORD) ==
			   BENCH_RING_RECORD, "secbuf_ring_read");
}

static void from_pipe(unsigned int nr)
{
	unsigned int i;

	turns_must(!ioctl(device, BENCH_PIPE_FEED, nr), "BENCH_PIPE_FEED");
	for (i = 0; i < nr; i++)
		turns_must(read(pipe_fds[0], batch, BENCH_RING_RECORD) ==
			   BENCH_RING_RECORD, "read");
}

static void from_pipe_at_once(unsigned int nr)
{
	size_t left = nr * BENCH_RING_RECORD;
	ssize_t n;

	turns_must(!ioctl(device, BENCH_PIPE_FEED, nr), "BENCH_PIPE_FEED");
	for (; left; left -= n) {
		n = read(pipe_fds[0], batch, sizeof(batch));
		turns_must(n > 0, "read");
	}
}

static const struct turns_line records_line = {
	.name = "ring_kernel_to_user", .nr = BATCH, .faster = true,
	.secbuf = { .run = in_batches },
	.peer = { "pipe", NULL, from_pipe_at_once },
};

static const struct turns_line bytes_line = {
	.name = "ring_kernel_to_user_bytes", .nr = BATCH, .faster = true,
	.secbuf = { .run = bytes },
	.peer = { "pipe", NULL, from_pipe_at_once },
};

static const struct turns_line each_line = {
	.name = "ring_kernel_to_user_each", .nr = BATCH, .faster = true,
	.secbuf = { .run = each },
	.peer = { "pipe", NULL, from_pipe },
};

static void measure(const struct turns_line *line, int records)
{
	int fd = ioctl(device, BENCH_RING_FD, records);

	turns_must(fd >= 0, "BENCH_RING_FD");
	turns_must(!secbuf_ring_consumer_attach(&consumer, fd),
		   "secbuf_ring_consumer_attach");
	close(fd);
	turns_line(line);
	secbuf_ring_consumer_close(consumer);
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		records[i] = (struct iovec){ batch + i * BENCH_RING_RECORD,
					     BENCH_RING_RECORD };
	device = open("/dev/secbuf_bench_ring", O_RDWR | O_CLOEXEC);
	turns_must(device >= 0, "/dev/secbuf_bench_ring");
	turns_must(!pipe(pipe_fds) &&
		   !ioctl(device, BENCH_PIPE_SET, pipe_fds[1]), "pipe");
	turns_count_instructions();
	measure(&records_line, 1);
	measure(&bytes_line, 0);
	measure(&each_line, 1);
	return 0;
}
