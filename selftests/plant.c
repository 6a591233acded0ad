// SPDX-License-Identifier: GPL-2.0
/*
 * plant MEMORY END MASK MASKED: put a secret into memory, then end its life.
 *
 * The secret is the files MASK and MASKED xored. It is made byte by byte where
 * it shall be, once in each page, and exists nowhere else in the guest, so that
 * a search of its RAM from outside tells what becomes of it.
 *
 * Prints "planted", and the pid of the child that holds the descriptors if END
 * is fork; ends the secret's life on SIGUSR1, and if it survives that itself
 * prints "ended". Then it waits to be killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/secbuf.h>

#include "plant.h"

#define SIZE		(16 * PAGE)

struct memory {
	unsigned char	*bytes;		/* SIZE of them; NULL: in the kernel */
	unsigned char	*map;
	size_t		map_size;
	uint64_t	id;
	int		pool;
	int		conn;
};

/* One byte in a call, so that it is nowhere in one piece but in the kernel. */
static void secret_write(const struct memory *m, uint32_t offset)
{
	unsigned char byte;
	struct secbuf_pool_vec vec = {
		.id = m->id,
		.len = 1,
		.buf_ptr = (uintptr_t)&byte,
	};
	struct secbuf_pool_copy_args args = {
		.size = sizeof(args),
		.vecs_ptr = (uintptr_t)&vec,
		.nr = 1,
	};

	for (int i = 0; i < SECRET_LEN; i++) {
		byte = mask[i] ^ masked[i];
		vec.offset = offset + PAGE / 2 + i;
		if (ioctl(m->pool, SECBUF_IOC_POOL_WRITE, &args))
			die("POOL_WRITE");
	}
}

static void malloc_setup(struct memory *m)
{
	m->bytes = malloc(SIZE + PAGE);
	if (!m->bytes)
		die("malloc");
}

static void pool_setup(struct memory *m, int dev)
{
	struct secbuf_pool_create_args create = {
		.size = sizeof(create),
		.flags = SECBUF_POOL_F_MAPPED,
		.slot_size = SIZE,
		.max_slots = 2,
	};

	if (ioctl(dev, SECBUF_IOC_POOL_CREATE, &create))
		die("POOL_CREATE");
	m->pool = create.out_fd;
	m->map_size = create.out_mmap_size;
	m->map = mmap(NULL, m->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      m->pool, 0);
	if (m->map == MAP_FAILED)
		die("mmap");
}

static void slot_setup(struct memory *m)
{
	struct secbuf_pool_alloc_args alloc = {
		.size = sizeof(alloc),
		.ids_ptr = (uintptr_t)&m->id,
		.nr = 1,
	};

	if (ioctl(m->pool, SECBUF_IOC_POOL_ALLOC, &alloc))
		die("POOL_ALLOC");
	if (m->map)
		m->bytes = m->map + m->id * SIZE;
}

static void kpool_setup(struct memory *m, int dev)
{
	struct secbuf_pool_create_args create = {
		.size = sizeof(create),
		.slot_size = SIZE,
		.min_slots = 1,
		.max_slots = 2,
	};

	if (ioctl(dev, SECBUF_IOC_POOL_CREATE, &create))
		die("POOL_CREATE");
	m->pool = create.out_fd;
	slot_setup(m);
}

static void conn_setup(struct memory *m, int dev)
{
	struct secbuf_conn_create_args create = {
		.size = sizeof(create),
		.pool_fd = m->pool,
	};
	struct secbuf_conn_buffer_args buffer = {
		.size = sizeof(buffer),
		.which = SECBUF_CONN_BUFFER_READ,
	};

	if (ioctl(dev, SECBUF_IOC_CONN_CREATE, &create))
		die("CONN_CREATE");
	m->conn = create.out_fd;
	if (ioctl(m->conn, SECBUF_IOC_CONN_BUFFER, &buffer))
		die("CONN_BUFFER");
	m->bytes = m->map + buffer.out_id * SIZE;
}

static void memory_setup(struct memory *m, const char *memory)
{
	int dev;

	m->pool = -1;
	m->conn = -1;
	if (!strcmp(memory, "malloc")) {
		malloc_setup(m);
		return;
	}
	dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die("/dev/secbuf");
	if (!strcmp(memory, "kpool")) {
		kpool_setup(m, dev);
	} else {
		pool_setup(m, dev);
		if (!strcmp(memory, "conn"))
			conn_setup(m, dev);
		else
			slot_setup(m);
	}
	close(dev);
}

static void memory_free(struct memory *m)
{
	struct secbuf_pool_free_args args = {
		.size = sizeof(args),
		.ids_ptr = (uintptr_t)&m->id,
		.nr = 1,
	};

	if (m->pool < 0)
		free(m->bytes);
	else if (ioctl(m->pool, SECBUF_IOC_POOL_FREE, &args))
		die("POOL_FREE");
}

static void descriptors_close(struct memory *m)
{
	close(m->conn);
	close(m->pool);
}

/* Of a conn the conn alone: its pool and the mapping stay. */
static void memory_close(struct memory *m)
{
	if (m->conn >= 0) {
		close(m->conn);
		return;
	}
	if (m->map)
		munmap(m->map, m->map_size);
	close(m->pool);
}

static void memory_zeroize(struct memory *m)
{
	struct secbuf_conn_plain_args args = { .size = sizeof(args) };

	if (ioctl(m->conn, SECBUF_IOC_CONN_ZEROIZE, &args))
		die("CONN_ZEROIZE");
}

/* The descriptors go along: it is the address space that ends. */
static void memory_exec(struct memory *m)
{
	fcntl(m->pool, F_SETFD, 0);
	fcntl(m->conn, F_SETFD, 0);
	execl("/proc/self/exe", "plant", "ended", NULL);
	die("exec");
}

static void before_the_end(struct memory *m, const char *end)
{
	pid_t child = 0;

	if (!strcmp(end, "fork")) {
		child = fork();
		if (child < 0)
			die("fork");
		if (!child) {
			pause();
			_exit(0);
		}
	} else if (!strcmp(end, "mapping")) {
		descriptors_close(m);
	}
	printf("planted %d\n", child);
	fflush(stdout);
}

static void the_end(struct memory *m, const char *end)
{
	if (!strcmp(end, "exit"))
		exit(0);
	if (!strcmp(end, "abort"))
		abort();
	if (!strcmp(end, "sigsegv"))
		*(volatile int *)NULL = 0;
	if (!strcmp(end, "exec"))
		memory_exec(m);

	if (!strcmp(end, "free"))
		memory_free(m);
	else if (!strcmp(end, "close"))
		memory_close(m);
	else if (!strcmp(end, "zeroize"))
		memory_zeroize(m);
	else
		die(end);
}

int main(int argc, char **argv)
{
	struct memory m = { 0 };
	sigset_t set;
	int sig;

	if (argc == 2 && !strcmp(argv[1], "ended"))
		ended();
	if (argc != 5) {
		fprintf(stderr, "usage: plant malloc|pool|kpool|conn END MASK MASKED\n"
			"END: kill fork mapping exit abort sigsegv exec free close zeroize\n");
		return 2;
	}

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	memory_setup(&m, argv[1]);
	secret_read(argv[3], argv[4]);
	for (size_t i = 0; i < SIZE; i += PAGE) {
		if (m.bytes)
			secret_plant(m.bytes + i);
		else
			secret_write(&m, i);
	}
	before_the_end(&m, argv[2]);
	sigwait(&set, &sig);
	the_end(&m, argv[2]);
	ended();
}
