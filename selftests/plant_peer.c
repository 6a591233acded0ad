// SPDX-License-Identifier: GPL-2.0
/*
 * A secret in ordinary memory, for the positive controls: in malloc's, in memory
 * that processes share, in a socket.
 */
#include "plant.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * malloc. Volatile: the compiler is not to know that it was freed.
 */

static unsigned char *volatile bytes;

static void malloc_plant(const char *end)
{
	(void)end;
	/* In the heap, and what is freed stays there. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	bytes = malloc(SIZE);
	if (!bytes)
		die("malloc");
	secret_fill(bytes);
}

static unsigned int no_descriptors(int *fds)
{
	(void)fds;
	return 0;
}

/* The whole pages of it. */
static void *pages(size_t *len)
{
	uintptr_t first = ((uintptr_t)bytes + PAGE - 1) & -PAGE;

	*len = SIZE - PAGE;
	return (void *)first;
}

static void malloc_unmap(void)
{
	size_t len;
	void *first = pages(&len);

	munmap(first, len);
}

static void malloc_free(void)
{
	free(bytes);
}

static void malloc_close(void)
{
	free(bytes);
	malloc_trim(0);
}

/* As with a slot, somebody writes to it although it was freed. */
static void malloc_shrink(void)
{
	free(bytes);
	secret_fill(bytes);
	malloc_trim(0);
}

static void malloc_grow(void)
{
	unsigned char *volatile bigger = malloc(2 * SIZE);

	if (!bigger)
		die("malloc");
	for (size_t i = 0; i < SIZE; i++)
		bigger[i] = bytes[i];
	free(bytes);
	wipe(bigger, SIZE);
}

static unsigned char resident[SIZE / PAGE];

/* The kernel takes it in batches, and not the last few. */
static bool is_reclaimed(void)
{
	unsigned int nr = 0;
	size_t len;
	void *first = pages(&len);

	if (mincore(first, len, resident))
		die("mincore");
	for (size_t i = 0; i < len / PAGE; i++)
		nr += !(resident[i] & 1);
	return nr > len / PAGE / 2;
}

/* Not needed any more, and taken when memory is short; what is not, is wiped. */
static void malloc_pressure(void)
{
	size_t len;
	unsigned char *first = pages(&len);

	wipe(bytes, PAGE);
	wipe(bytes + SIZE - PAGE, PAGE);
	if (madvise(first, len, MADV_FREE))
		die("MADV_FREE");
	wait_until(is_reclaimed, "nobody took the memory");
	for (size_t i = 0; i < len / PAGE; i++)
		if (resident[i] & 1)
			wipe(first + i * PAGE, PAGE);
}

static const struct end malloc_ends[] = {
	{ "release", malloc_free }, { "reset", malloc_free },
	{ "revoke", malloc_free }, { "consume", malloc_free },
	{ "idle", malloc_free }, { "close", malloc_close },
	{ "shrink", malloc_shrink }, { "grow", malloc_grow },
	{ "pressure", malloc_pressure }, { }
};

const struct memory malloc_memory = {
	"malloc", malloc_plant, no_descriptors, malloc_unmap, malloc_ends,
};

/*
 * Memory that processes share
 */

static int memfd;
static unsigned char *shared;
static pid_t other;

static void fill_shared(void)
{
	secret_fill(shared);
}

static void memfd_plant(const char *end)
{
	static const char *const with_another[] = {
		"producer", "consumer", "both", "revoke",
		"hangup", "unsent", "scratch",
	};

	memfd = memfd_create("plant", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, SIZE))
		die("memfd");
	shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < sizeof(with_another) / sizeof(char *); i++)
		if (is(end, with_another[i]))
			other = keeper(fill_shared);
	if (!other)
		fill_shared();
}

static unsigned int memfd_descriptors(int *fds)
{
	fds[0] = memfd;
	return 1;
}

static void memfd_unmap(void)
{
	munmap(shared, SIZE);
}

static void memfd_close(void)
{
	memfd_unmap();
	close(memfd);
}

static void memfd_truncate(void)
{
	if (ftruncate(memfd, 0))
		die("ftruncate");
}

/* Read to the end, which leaves what was read where it is. */
static void memfd_consume(void)
{
	unsigned char buf[PAGE];

	while (read(memfd, buf, sizeof(buf)) > 0)
		;
	wipe(buf, sizeof(buf));
}

static void memfd_shrink(void)
{
	wipe(shared, SIZE / 2);
	if (fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      SIZE))
		die("fallocate");
}

static void kill_other(void)
{
	keeper_kill(other);
}

/* The owner dies, and it is taken from who still has it. */
static void memfd_revoke(void)
{
	kill_other();
	memfd_truncate();
}

static const struct end memfd_ends[] = {
	{ "consume", memfd_consume }, { "read", memfd_consume },
	{ "record", memfd_consume }, { "shrink", memfd_shrink },
	{ "reset", memfd_truncate }, { "revoke", memfd_revoke },
	{ "close", memfd_close }, { "hangup", memfd_close },
	{ "unsent", memfd_close }, { "scratch", memfd_close },
	{ "producer", kill_other }, { "consumer", kill_other },
	{ "both", kill_other }, { }
};

const struct memory memfd_memory = {
	"memfd", memfd_plant, memfd_descriptors, memfd_unmap, memfd_ends,
};

/*
 * A socket. What is sent is copied, and wiped then.
 */

#define MESSAGE		(SIZE / 8)
#define NR_MESSAGES	4	/* as many as a socket takes */

static int sock[2];

static void socket_plant(const char *end)
{
	unsigned char *from = malloc(SIZE);

	(void)end;
	if (!from || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sock))
		die("socketpair");
	secret_fill(from);
	for (int i = 0; i < NR_MESSAGES; i++)
		if (send(sock[0], from, MESSAGE, 0) != (ssize_t)MESSAGE)
			die("send");
	wipe(from, SIZE);
}

static unsigned int socket_descriptors(int *fds)
{
	fds[0] = sock[0];
	fds[1] = sock[1];
	return 2;
}

static void nothing_to_unmap(void)
{
}

static void socket_close(void)
{
	close(sock[0]);
	close(sock[1]);
}

static void socket_consume(void)
{
	unsigned char *to = malloc(MESSAGE);

	if (!to)
		die("malloc");
	for (int i = 0; i < NR_MESSAGES; i++)
		if (recv(sock[1], to, MESSAGE, 0) != (ssize_t)MESSAGE)
			die("recv");
	wipe(to, MESSAGE);
}

/* Thrown away unread. */
static void socket_drop(void)
{
	for (int i = 0; i < NR_MESSAGES; i++)
		if (recv(sock[1], NULL, 0, MSG_TRUNC) != (ssize_t)MESSAGE)
			die("recv");
}

static const struct end socket_ends[] = {
	{ "release", socket_drop }, { "revoke", socket_drop },
	{ "reset", socket_drop }, { "shrink", socket_drop },
	{ "close", socket_close }, { "consume", socket_consume }, { }
};

const struct memory socket_memory = {
	"socket", socket_plant, socket_descriptors, nothing_to_unmap,
	socket_ends,
};
