// SPDX-License-Identifier: GPL-2.0
/*
 * conn_plant MEMORY END MASK MASKED: put a secret into what a conn owns, then
 * end the life of that, and not of the process if END does not say so. See
 * plant.c.
 *
 * MEMORY is a buffer, lent; a packet, copied in or moved; a stream.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <linux/secbuf.h>

#include "plant.h"

#define SIZE		(16 * PAGE)
#define NR_SLOTS	4
#define IDLE_MS		100

static int dev, pool, conn, ring[2];
static unsigned char *map;
static volatile struct secbuf_slot_word *words;
static struct secbuf_conn_buffer_args lent = { .size = sizeof(lent) };

static void run(int fd, unsigned long command, void *args, const char *what)
{
	if (ioctl(fd, command, args))
		die(what);
}

static void setup(void)
{
	struct secbuf_pool_create_args create = {
		.size = sizeof(create),
		.flags = SECBUF_POOL_F_MAPPED,
		.slot_size = SIZE,
		.max_slots = NR_SLOTS,
	};
	struct secbuf_conn_create_args args = {
		.size = sizeof(args),
		.idle_ms = IDLE_MS,
	};

	dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die("/dev/secbuf");
	run(dev, SECBUF_IOC_POOL_CREATE, &create, "POOL_CREATE");
	pool = create.out_fd;
	map = mmap(NULL, create.out_mmap_size, PROT_READ | PROT_WRITE,
		   MAP_SHARED, pool, 0);
	words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pool,
		     SECBUF_POOL_MMAP_WORDS);
	if (map == MAP_FAILED || words == MAP_FAILED)
		die("mmap");
	args.pool_fd = pool;
	run(dev, SECBUF_IOC_CONN_CREATE, &args, "CONN_CREATE");
	conn = args.out_fd;
}

static void fill(uint64_t id)
{
	for (size_t i = 0; i < SIZE; i += PAGE)
		secret_plant(map + id * SIZE + i);
}

static void lend(void)
{
	run(conn, SECBUF_IOC_CONN_BUFFER, &lent, "CONN_BUFFER");
	fill(lent.out_id);
}

/* A slot with the secret, which is the packet, or freed when it was copied. */
static void enqueue(uint32_t flags)
{
	uint64_t id;
	struct secbuf_pool_alloc_args alloc = {
		.size = sizeof(alloc), .ids_ptr = (uintptr_t)&id, .nr = 1,
	};
	struct secbuf_pool_free_args give_back = {
		.size = sizeof(give_back), .ids_ptr = (uintptr_t)&id, .nr = 1,
	};
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .flags = flags, .packet.len = SIZE,
	};

	run(pool, SECBUF_IOC_POOL_ALLOC, &alloc, "POOL_ALLOC");
	fill(id);
	args.packet.ptr = flags ? id : (uintptr_t)(map + id * SIZE);
	run(conn, SECBUF_IOC_CONN_ENQUEUE, &args, "CONN_ENQUEUE");
	if (!flags)
		run(pool, SECBUF_IOC_POOL_FREE, &give_back, "POOL_FREE");
}

/* A byte in a call, so that it is in one piece in the ring alone. */
static void stream(void)
{
	struct secbuf_ring_create_args create = {
		.size = sizeof(create), .ring_size = SIZE,
	};
	struct secbuf_conn_stream_args args = { .size = sizeof(args) };

	run(dev, SECBUF_IOC_RING_CREATE, &create, "RING_CREATE");
	ring[0] = create.out_producer_fd;
	ring[1] = create.out_consumer_fd;
	args.ring_fd = ring[0];
	run(conn, SECBUF_IOC_CONN_STREAM_ADD, &args, "CONN_STREAM_ADD");
	for (int i = 0; i < SECRET_LEN; i++) {
		unsigned char byte = mask[i] ^ masked[i];

		if (write(ring[0], &byte, 1) != 1)
			die("write");
	}
}

static void plant(const char *memory)
{
	if (!strcmp(memory, "lent"))
		lend();
	else if (!strcmp(memory, "packet"))
		enqueue(0);
	else if (!strcmp(memory, "moved"))
		enqueue(SECBUF_CONN_F_MOVE);
	else if (!strcmp(memory, "stream"))
		stream();
	else
		die(memory);
}

static void plain(unsigned long command)
{
	struct secbuf_conn_plain_args args = { .size = sizeof(args) };

	run(conn, command, &args, "command");
}

static void release(void)
{
	words[lent.out_id].state =
		(lent.out_word & ~SECBUF_SLOT_STATE_MASK) | SECBUF_SLOT_IDLE;
}

/* Until the kernel has found that it is not used. */
static void idle(void)
{
	struct timespec ts = { .tv_nsec = 10000000 };
	volatile struct secbuf_slot_word *word = &words[lent.out_id];

	release();
	for (int i = 0; i < 1000; i++) {
		if ((word->state & SECBUF_SLOT_STATE_MASK) == SECBUF_SLOT_GONE)
			return;
		nanosleep(&ts, NULL);
	}
	die("idle");
}

static void shrink(void)
{
	struct secbuf_conn_shrink_args args = {
		.size = sizeof(args), .level = SECBUF_CONN_SHRINK_IDLE,
	};

	release();
	run(conn, SECBUF_IOC_CONN_SHRINK, &args, "CONN_SHRINK");
}

static pid_t fork_holder(void)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		pause();
		_exit(0);
	}
	return child;
}

static void the_end(const char *end)
{
	if (!strcmp(end, "exit"))
		exit(0);
	if (!strcmp(end, "close"))
		close(conn);
	else if (!strcmp(end, "zeroize"))
		plain(SECBUF_IOC_CONN_ZEROIZE);
	else if (!strcmp(end, "reset"))
		plain(SECBUF_IOC_CONN_RESET);
	else if (!strcmp(end, "idle"))
		idle();
	else if (!strcmp(end, "shrink"))
		shrink();
	else
		die(end);
}

int main(int argc, char **argv)
{
	sigset_t set;
	int sig;

	if (argc != 5) {
		fprintf(stderr, "usage: conn_plant lent|packet|moved|stream END MASK MASKED\n"
			"END: kill fork exit close zeroize reset idle shrink\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	setup();
	secret_read(argv[3], argv[4]);
	plant(argv[1]);
	printf("planted %d\n", strcmp(argv[2], "fork") ? 0 : fork_holder());
	fflush(stdout);
	sigwait(&set, &sig);
	the_end(argv[2]);
	ended();
}
