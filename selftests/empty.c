// SPDX-License-Identifier: GPL-2.0
/*
 * empty [once]: an object of each kind, which was used and in which there is
 * nothing any more.
 *
 * Prints for each what became of it, "NAME made" or the name of the error, and
 * "ready"; then waits to be killed, or with "once" does not. On SIGUSR1 it uses
 * them again, and prints "used" if they are as they were.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/secbuf.h>

#define SIZE	4096

struct pool {
	const char	*name;
	uint32_t	flags;
	uint32_t	min_slots;
	int		fd;
	char		*map;
};

static struct pool pools[] = {
	{ .name = "pool", .flags = SECBUF_POOL_F_MAPPED, .fd = -1 },
	{ .name = "kpool", .min_slots = 2, .fd = -1 },
};

static int producer = -1, consumer = -1, conn = -1;

static int say(const char *name, int ret)
{
	printf("%s %s\n", name, ret ? strerrorname_np(errno) : "made");
	return ret;
}

static int pool_use(const struct pool *pool)
{
	uint64_t id;
	struct secbuf_pool_alloc_args alloc = {
		.size = sizeof(alloc),
		.ids_ptr = (uintptr_t)&id,
		.nr = 1,
	};
	struct secbuf_pool_free_args args = {
		.size = sizeof(args),
		.ids_ptr = (uintptr_t)&id,
		.nr = 1,
	};

	if (ioctl(pool->fd, SECBUF_IOC_POOL_ALLOC, &alloc))
		return -1;
	if (pool->map)
		memset(pool->map + id * SIZE, 1, SIZE);
	return ioctl(pool->fd, SECBUF_IOC_POOL_FREE, &args);
}

static int pool_make(struct pool *pool, int dev)
{
	struct secbuf_pool_create_args create = {
		.size = sizeof(create),
		.flags = pool->flags,
		.slot_size = SIZE,
		.max_slots = 4,
		.min_slots = pool->min_slots,
	};

	if (ioctl(dev, SECBUF_IOC_POOL_CREATE, &create))
		return -1;
	pool->fd = create.out_fd;
	if (create.out_mmap_size) {
		pool->map = mmap(NULL, create.out_mmap_size,
				 PROT_READ | PROT_WRITE, MAP_SHARED,
				 pool->fd, 0);
		if (pool->map == MAP_FAILED)
			return -1;
	}
	return pool_use(pool);
}

static int ring_use(void)
{
	char bytes[64] = "x";

	if (write(producer, bytes, sizeof(bytes)) != sizeof(bytes))
		return -1;
	return read(consumer, bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : -1;
}

static int ring_make(int dev)
{
	struct secbuf_ring_create_args create = {
		.size = sizeof(create),
		.ring_size = SIZE,
	};

	if (ioctl(dev, SECBUF_IOC_RING_CREATE, &create))
		return -1;
	producer = create.out_producer_fd;
	consumer = create.out_consumer_fd;
	return ring_use();
}

/* A packet in and out; the words of its slot stay. */
static int conn_use(void)
{
	char bytes[64] = "x";

	if (write(conn, bytes, sizeof(bytes)) != sizeof(bytes))
		return -1;
	return read(conn, bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : -1;
}

static int conn_make(int dev, int pool)
{
	struct secbuf_conn_create_args create = {
		.size = sizeof(create),
		.pool_fd = pool,
	};

	if (ioctl(dev, SECBUF_IOC_CONN_CREATE, &create))
		return -1;
	conn = create.out_fd;
	return conn_use();
}

static void use_all(void)
{
	if (!pool_use(&pools[0]) && !pool_use(&pools[1]) && !ring_use() &&
	    !conn_use())
		puts("used");
	else
		printf("lost: %s\n", strerrorname_np(errno));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	sigset_t wanted;
	int sig;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	if (say("device", dev < 0 ? -1 : 0))
		return 1;
	say("pool", pool_make(&pools[0], dev));
	say("kpool", pool_make(&pools[1], dev));
	say("ring", ring_make(dev));
	if (pools[0].fd >= 0)
		say("conn", conn_make(dev, pools[0].fd));
	puts("ready");
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "once"))
		return 0;
	while (!sigwait(&wanted, &sig))
		use_all();
	return 1;
}
