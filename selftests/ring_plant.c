// SPDX-License-Identifier: GPL-2.0
/*
 * ring_plant ring END MASK MASKED: put a secret into a ring, then end its life.
 * As plant does, and says it.
 *
 * The secret lies once in each page: in the first half of the ring it has been
 * published, in the second half not yet.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <linux/secbuf.h>

#include "plant.h"

#define SIZE	(16 * PAGE)

struct end {
	int				fd;
	bool				producer;
	unsigned char			*data;
	struct secbuf_ring_head		*head;
	struct secbuf_ring_tail		*tail;
};

struct ring {
	struct end	p;
	struct end	c;
};

static void end_map(struct end *end)
{
	int own = PROT_READ | PROT_WRITE;

	end->data = mmap(NULL, 2 * SIZE, own, MAP_SHARED, end->fd,
			 SECBUF_RING_MMAP_DATA);
	end->head = mmap(NULL, end->producer ? PAGE : 2 * PAGE,
			 end->producer ? own : PROT_READ, MAP_SHARED, end->fd,
			 SECBUF_RING_MMAP_HEAD);
	end->tail = mmap(NULL, end->producer ? 2 * PAGE : PAGE,
			 end->producer ? PROT_READ : own, MAP_SHARED, end->fd,
			 SECBUF_RING_MMAP_TAIL);
	if (end->data == MAP_FAILED || end->head == MAP_FAILED ||
	    end->tail == MAP_FAILED)
		die("mmap");
}

static void end_unmap(struct end *end)
{
	munmap(end->data, 2 * SIZE);
	munmap(end->head, end->producer ? PAGE : 2 * PAGE);
	munmap(end->tail, end->producer ? 2 * PAGE : PAGE);
}

static void command(int fd, unsigned long cmd)
{
	struct secbuf_ring_plain_args args = { .size = sizeof(args) };

	if (ioctl(fd, cmd, &args))
		die("ring command");
}

static void shrink(int fd)
{
	struct secbuf_ring_shrink_args args = { .size = sizeof(args) };

	if (ioctl(fd, SECBUF_IOC_RING_SHRINK, &args) ||
	    args.out_bytes != SIZE)
		die("RING_SHRINK");
}

static void ring_setup(struct ring *r, bool records)
{
	struct secbuf_ring_create_args create = {
		.size = sizeof(create),
		.flags = SECBUF_RING_F_PASSABLE |
			 (records ? SECBUF_RING_F_RECORDS : 0),
		.ring_size = SIZE,
	};
	int dev = open("/dev/secbuf", O_RDWR | O_CLOEXEC);

	if (dev < 0 || ioctl(dev, SECBUF_IOC_RING_CREATE, &create))
		die("RING_CREATE");
	close(dev);
	r->p.fd = create.out_producer_fd;
	r->p.producer = true;
	r->c.fd = create.out_consumer_fd;
}

static void plant(struct ring *r)
{
	r->p.head->state = SECBUF_RING_BUSY;
	for (size_t i = 0; i < SIZE; i += PAGE)
		secret_plant(r->p.data + i);
	__atomic_store_n(&r->p.head->head, SIZE / 2, __ATOMIC_RELEASE);
}

/* A record for each page. */
static void plant_records(struct ring *r)
{
	plant(r);
	for (size_t i = 0; i < SIZE; i += PAGE)
		*(volatile __u32 *)(r->p.data + i) = PAGE - sizeof(__u32);
	__atomic_store_n(&r->p.head->head, SIZE, __ATOMIC_RELEASE);
}

/* By write(), a byte at a time. */
static void plant_by_calls(struct ring *r)
{
	unsigned char byte;

	for (size_t i = 0; i < SIZE; i++) {
		size_t at = i % PAGE - PAGE / 2;

		byte = at < SECRET_LEN ? mask[at] ^ masked[at] : 0;
		if (write(r->p.fd, &byte, 1) != 1)
			die("write");
	}
	byte = 0;
}

static void consume(struct ring *r)
{
	volatile unsigned char *p = r->c.data;

	for (size_t i = 0; i < SIZE / 2; i++)
		p[i] = 0;
	__atomic_store_n(&r->c.tail->tail, SIZE / 2, __ATOMIC_RELEASE);
}

/* What was not published goes the same way: nothing is left to be wiped. */
static void publish_rest(struct ring *r)
{
	__atomic_store_n(&r->p.head->head, SIZE, __ATOMIC_RELEASE);
}

static void read_all(struct ring *r, ssize_t len)
{
	unsigned char buf[PAGE];

	for (size_t i = 0; i < SIZE; i += PAGE)
		if (read(r->c.fd, buf, PAGE) != len)
			die("read");
	explicit_bzero(buf, sizeof(buf));
}

static bool is(const char *end, const char *what)
{
	return !strcmp(end, what);
}

/* A process that has one end, or both, and plants if it is the producer. */
static pid_t keeper(struct ring *r, bool producer, bool consumer)
{
	int done[2];
	char byte;
	pid_t pid;

	if (pipe(done))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid) {
		close(done[1]);
		if (read(done[0], &byte, 1) != 1)
			die("keeper");
		close(done[0]);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (producer) {
		command(r->p.fd, SECBUF_IOC_RING_CLAIM);
		end_map(&r->p);
		plant(r);
	}
	if (consumer) {
		command(r->c.fd, SECBUF_IOC_RING_CLAIM);
		end_map(&r->c);
		(void)*(volatile unsigned char *)r->c.data;
	}
	if (write(done[1], "x", 1) != 1)
		die("write");
	for (;;)
		pause();
}

static pid_t keepers[2];

static void kill_keepers(void)
{
	for (int i = 0; i < 2; i++) {
		if (keepers[i] <= 0)
			continue;
		kill(keepers[i], SIGKILL);
		waitpid(keepers[i], NULL, 0);
	}
}

/* Who has the ring, depending on who shall die. */
static void begin(struct ring *r, const char *end)
{
	if (is(end, "producer")) {
		keepers[0] = keeper(r, true, false);
		end_map(&r->c);
		/* Its second half is the question; here the first is wiped. */
		consume(r);
	} else if (is(end, "consumer")) {
		keepers[0] = keeper(r, false, true);
		end_map(&r->p);
		plant(r);
	} else if (is(end, "both")) {
		keepers[0] = keeper(r, true, false);
		keepers[1] = keeper(r, false, true);
	} else if (is(end, "reset")) {
		keepers[0] = keeper(r, true, false);
		keepers[1] = keeper(r, false, true);
	} else if (is(end, "read") || is(end, "hangup")) {
		plant_by_calls(r);
	} else if (is(end, "record")) {
		end_map(&r->p);
		plant_records(r);
	} else if (is(end, "scratch")) {
		end_map(&r->p);
		command(r->c.fd, SECBUF_IOC_RING_CLOSE);
		plant(r);
	} else if (is(end, "unsent")) {
		end_map(&r->p);
		plant(r);
		secret_plant((unsigned char *)r->p.head);
		end_map(&r->c);
		consume(r);
	} else {
		end_map(&r->p);
		end_map(&r->c);
		plant(r);
	}
}

static void finish(struct ring *r, const char *end)
{
	if (is(end, "exit"))
		exit(0);
	if (is(end, "abort"))
		abort();
	if (is(end, "exec")) {
		fcntl(r->p.fd, F_SETFD, 0);
		fcntl(r->c.fd, F_SETFD, 0);
		execl("/proc/self/exe", "ring_plant", "ended", NULL);
		die("exec");
	}
	if (is(end, "producer") || is(end, "consumer") || is(end, "both")) {
		kill_keepers();
	} else if (is(end, "reset")) {
		command(r->p.fd, SECBUF_IOC_RING_RESET);
	} else if (is(end, "read")) {
		read_all(r, PAGE);
	} else if (is(end, "record")) {
		read_all(r, PAGE - sizeof(__u32));
	} else if (is(end, "hangup")) {
		command(r->c.fd, SECBUF_IOC_RING_CLOSE);
	} else if (is(end, "scratch") || is(end, "unsent")) {
		command(r->p.fd, SECBUF_IOC_RING_CLOSE);
	} else if (is(end, "consume")) {
		publish_rest(r);
		read_all(r, PAGE);
	} else if (is(end, "shrink")) {
		consume(r);
		__atomic_store_n(&r->p.head->state, SECBUF_RING_PARKED,
				 __ATOMIC_RELEASE);
		shrink(r->p.fd);
	} else if (is(end, "close")) {
		end_unmap(&r->p);
		end_unmap(&r->c);
		close(r->p.fd);
		close(r->c.fd);
	} else {
		die(end);
	}
}

int main(int argc, char **argv)
{
	struct ring r = { 0 };
	pid_t child = 0;
	sigset_t set;
	int sig;

	if (argc == 2 && is(argv[1], "ended"))
		ended();
	if (argc != 5) {
		fprintf(stderr, "usage: ring_plant ring END MASK MASKED\n"
			"END: kill fork exit abort exec close shrink reset\n"
			"     producer consumer both (one is killed, or both)\n"
			"     read record consume (by the other end)\n"
			"     hangup unsent scratch (an end is closed)\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	secret_read(argv[3], argv[4]);
	ring_setup(&r, is(argv[2], "record"));
	begin(&r, argv[2]);
	if (is(argv[2], "fork")) {
		child = fork();
		if (!child) {
			pause();
			_exit(0);
		}
	}
	printf("planted %d\n", child ?: keepers[0]);
	fflush(stdout);
	sigwait(&set, &sig);
	finish(&r, argv[2]);
	ended();
}
