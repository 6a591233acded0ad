// SPDX-License-Identifier: GPL-2.0
/*
 * What a batch of POOL_ALLOC and POOL_FREE costs, beside the cheapest ioctl on
 * the same descriptor: a command of a foreign type, refused before anything is
 * copied. Where the clock counts instructions (guest.sh --icount) one ns is
 * one of them. Prints
 *
 *	name value unit peer peer_value ratio
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/secbuf.h>

#define BATCH		32
#define ROUNDS		21	/* turns of batch and null ioctl */
#define CALLS		500	/* of one turn */
#define SLOT_SIZE	8192

#define FOREIGN		_IO('~', 0)

static int pool_fd;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

static void null_ioctl(void)
{
	if (ioctl(pool_fd, FOREIGN, NULL) != -1 || errno != ENOTTY)
		fail("foreign command");
}

static void alloc_and_free(void)
{
	__u64 ids[BATCH];
	struct secbuf_pool_alloc_args alloc = {
		.size = sizeof(alloc),
		.ids_ptr = (uintptr_t)ids,
		.nr = BATCH,
	};
	struct secbuf_pool_free_args free = {
		.size = sizeof(free),
		.ids_ptr = (uintptr_t)ids,
		.nr = BATCH,
	};

	if (ioctl(pool_fd, SECBUF_IOC_POOL_ALLOC, &alloc) ||
	    alloc.out_done != BATCH)
		fail("POOL_ALLOC");
	if (ioctl(pool_fd, SECBUF_IOC_POOL_FREE, &free) ||
	    free.out_done != BATCH)
		fail("POOL_FREE");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double measure(void (*call)(void))
{
	double start = now();
	int i;

	for (i = 0; i < CALLS; i++)
		call();
	return (now() - start) / CALLS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *samples)
{
	qsort(samples, ROUNDS, sizeof(*samples), compare);
	return samples[ROUNDS / 2];
}

int main(void)
{
	struct secbuf_pool_create_args args = {
		.size = sizeof(args),
		.slot_size = SLOT_SIZE,
		.max_slots = 1024,
	};
	double batch[ROUNDS], null[ROUNDS], loop[ROUNDS];
	double value, peer;
	int dev, i;

	dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		fail("/dev/secbuf");
	if (ioctl(dev, SECBUF_IOC_POOL_CREATE, &args))
		fail("POOL_CREATE");
	pool_fd = args.out_fd;

	measure(alloc_and_free);
	for (i = 0; i < ROUNDS; i++) {
		loop[i] = measure(nothing);
		null[i] = measure(null_ioctl);
		batch[i] = measure(alloc_and_free);
	}
	value = median(batch) - median(loop);
	peer = median(null) - median(loop);
	printf("ioctl_batch32 %.0f instructions null_ioctl %.0f %.3f\n",
	       value, peer, value / peer);
	return 0;
}
