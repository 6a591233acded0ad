// SPDX-License-Identifier: GPL-2.0
/*
 * plant MEMORY END MASK MASKED: put a secret into memory, then end its life.
 *
 * The secret is the files MASK and MASKED xored. It is made byte by byte where
 * it shall be, once in each page, and exists nowhere else in the guest, so that
 * a search of its RAM from outside tells what becomes of it.
 *
 * Prints "planted", and the pid of a process that holds descriptors or mappings,
 * or 0; ends the secret's life on SIGUSR1, and if it survives that itself prints
 * "ended" and waits to be killed. If others must do something for that end it
 * prints "waiting" before.
 *
 * MEMORY is one of secbuf's, see plant_pool.c, plant_ring.c and plant_conn.c, or
 * ordinary memory that stands for it in a positive control, see plant_peer.c.
 * Nothing here knows which of the two it is.
 */
#include "plant.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOG_SIZE	(256UL << 20)

/* What an exec() or a core dump needs is a part of that. */
#define BALLAST_SIZE	(64UL * PAGE)
#define GREEDY_SIZE	(256UL * PAGE)

static const struct memory *const memories[] = {
	&pool_memory, &stale_memory, &kpool_memory, &ring_memory, &conn_memory,
	&conns_memory,
	&packet_memory, &moved_memory, &stream_memory,
	&malloc_memory, &memfd_memory, &socket_memory,
};

static volatile unsigned char mask[SECRET_LEN];
static volatile unsigned char masked[SECRET_LEN];
static const struct memory *memory;
static const char *end;

void die(const char *what)
{
	fprintf(stderr, "plant: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

bool is(const char *word, const char *other)
{
	return !strcmp(word, other);
}

/*
 * The secret
 */

static void file_read(const char *path, volatile unsigned char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, (void *)buf, SECRET_LEN) != SECRET_LEN)
		die(path);
	close(fd);
}

unsigned char secret_byte(unsigned int i)
{
	return mask[i] ^ masked[i];
}

void secret_fill(volatile unsigned char *bytes)
{
	for (size_t at = 0; at < SIZE; at += PAGE)
		for (int i = 0; i < SECRET_LEN; i++)
			bytes[at + PAGE / 2 + i] = secret_byte(i);
}

static void write_all(int fd, const void *bytes, size_t len)
{
	if (write(fd, bytes, len) != (ssize_t)len)
		die("write");
}

void secret_write(int fd)
{
	static const unsigned char zeros[PAGE / 2];
	unsigned char byte;

	for (size_t at = 0; at < SIZE; at += PAGE) {
		write_all(fd, zeros, PAGE / 2);
		for (int i = 0; i < SECRET_LEN; i++) {
			byte = secret_byte(i);
			write_all(fd, &byte, 1);
		}
		write_all(fd, zeros, PAGE / 2 - SECRET_LEN);
	}
}

void wipe(volatile unsigned char *bytes, size_t len)
{
	while (len--)
		*bytes++ = 0;
}

/*
 * What several memories need
 */

int device_open(void)
{
	int fd = open("/dev/secbuf", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/secbuf");
	return fd;
}

void command(int fd, unsigned long request, void *args, const char *what)
{
	if (ioctl(fd, request, args))
		die(what);
}

void wait_until(bool (*true_now)(void), const char *what)
{
	struct timespec ts = { .tv_nsec = 10000000 };

	say("waiting");
	for (int i = 0; i < 12000; i++) {
		if (true_now())
			return;
		nanosleep(&ts, NULL);
	}
	errno = ETIMEDOUT;
	die(what);
}

static void tell(int fd)
{
	if (write(fd, "x", 1) != 1)
		die("write");
	close(fd);
}

static void hear(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		die("the other process");
	close(fd);
}

pid_t keeper(void (*begin)(void))
{
	int done[2];
	pid_t pid;

	if (pipe2(done, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid) {
		close(done[1]);
		hear(done[0]);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (begin)
		begin();
	tell(done[1]);
	for (;;)
		pause();
}

void keeper_kill(pid_t pid)
{
	if (kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid)
		die("keeper");
}

/*
 * Those who hold it when this process dies
 */

static pid_t fork_holder(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	while (!pid)
		pause();
	return pid;
}

/* A control message that can hold all descriptors. */
struct parcel {
	char byte;
	struct iovec iov;
	struct msghdr msg;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(NR_FDS * sizeof(int))];
	} control;
};

static struct msghdr *parcel_init(struct parcel *p)
{
	memset(p, 0, sizeof(*p));
	p->iov = (struct iovec){ .iov_base = &p->byte, .iov_len = 1 };
	p->msg = (struct msghdr){
		.msg_iov = &p->iov, .msg_iovlen = 1,
		.msg_control = &p->control,
		.msg_controllen = sizeof(p->control),
	};
	return &p->msg;
}

/* A process that never had the descriptors but gets them from us. */
static pid_t stranger(int sock)
{
	struct parcel p;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	if (recvmsg(sock, parcel_init(&p), 0) != 1 ||
	    p.msg.msg_controllen <= sizeof(struct cmsghdr))
		die("recvmsg");
	tell(sock);
	for (;;)
		pause();
}

static void pass_descriptors(int sock)
{
	int fds[NR_FDS];
	unsigned int nr = memory->descriptors(fds);
	struct msghdr *msg;
	struct parcel p;

	msg = parcel_init(&p);
	p.control.head.cmsg_level = SOL_SOCKET;
	p.control.head.cmsg_type = SCM_RIGHTS;
	p.control.head.cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(&p.control.head), fds, nr * sizeof(int));
	msg->msg_controllen = CMSG_SPACE(nr * sizeof(int));
	if (sendmsg(sock, msg, 0) != 1)
		die("sendmsg");
	hear(sock);
}

/*
 * The ends that any memory can have
 */

/* Where it goes to is in the same memory cgroup. */
static void oom(void)
{
	volatile char *p = mmap(NULL, HOG_SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; p != MAP_FAILED && i < HOG_SIZE; i += PAGE)
		p[i] = 1;
	die("nobody killed it");
}

static void descriptors_close(void)
{
	int fds[NR_FDS];
	unsigned int nr = memory->descriptors(fds);

	while (nr)
		close(fds[--nr]);
}

/* The descriptors go along: it is the address space that ends. */
static void exec(void)
{
	int fds[NR_FDS];
	unsigned int nr = memory->descriptors(fds);

	while (nr)
		fcntl(fds[--nr], F_SETFD, 0);
	execl("/proc/self/exe", "plant", "ended", NULL);
	die("exec");
}

/*
 * Pages that are freed after those with the secret, so that who comes next gets
 * these, and those are still what they were when all RAM is searched.
 */
static void *ballast;
static size_t ballast_size = BALLAST_SIZE;

static void ballast_load(void)
{
	if (is(end, "exec") || is(end, "abort") || is(end, "sigsegv") ||
	    is(end, "close"))
		ballast_size = GREEDY_SIZE;
	ballast = mmap(NULL, ballast_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (ballast == MAP_FAILED ||
	    madvise(ballast, ballast_size, MADV_DONTDUMP))
		die("ballast");
}

static void *exit_thread(void *unused)
{
	(void)unused;
	syscall(SYS_exit, 0);
	return NULL;
}

/* Thread by thread, without exit_group(); who made the memory is gone. */
static void exit_by_threads(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, exit_thread, NULL))
		die("pthread_create");
	syscall(SYS_exit, 0);
}

static void die_by_signal(void)
{
	if (is(end, "munmap"))
		memory->unmap();
	else if (is(end, "mapping"))
		descriptors_close();
	kill(getpid(), SIGKILL);
}

/* Let go on a CPU that leaves after that. */
static void move_to_cpu1(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU 1");
}

static bool run_own(const char *name)
{
	for (const struct end *e = memory->ends; e->name; e++) {
		if (!is(e->name, name))
			continue;
		e->run();
		return true;
	}
	return false;
}

static void the_end(void)
{
	if (is(end, "exit"))
		exit(0);
	if (is(end, "_exit"))
		_exit(0);
	if (is(end, "abort"))
		abort();
	if (is(end, "sigsegv"))
		*(volatile int *)NULL = 0;
	if (is(end, "oom"))
		oom();
	if (is(end, "exec"))
		exec();
	if (is(end, "thread"))
		exit_by_threads();
	if (is(end, "munmap") || is(end, "mapping"))
		die_by_signal();
	if (is(end, "offline")) {
		move_to_cpu1();
		if (run_own("release") || run_own("consume"))
			return;
	}
	if (!run_own(end))
		die(end);
}

static void __attribute__((noreturn)) ended(void)
{
	say("ended");
	for (;;)
		pause();
}

static void *plant_thread(void *unused)
{
	(void)unused;
	memory->plant(end);
	return NULL;
}

/* Returns who holds it besides, or 0. */
static pid_t plant(void)
{
	pthread_t thread;
	pid_t pid = 0;
	int sock[2];

	if (is(end, "thread")) {
		if (pthread_create(&thread, NULL, plant_thread, NULL) ||
		    pthread_join(thread, NULL))
			die("thread");
		return 0;
	}
	if (is(end, "passed")) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
			die("socketpair");
		pid = stranger(sock[1]);
		close(sock[1]);
	}
	memory->plant(end);
	if (pid)
		pass_descriptors(sock[0]);
	if (is(end, "fork") || is(end, "revoke"))
		pid = fork_holder();
	return pid;
}

static bool memory_find(const char *name)
{
	for (size_t i = 0; i < sizeof(memories) / sizeof(*memories); i++)
		if (is(memories[i]->name, name))
			memory = memories[i];
	return memory;
}

int main(int argc, char **argv)
{
	sigset_t set;
	pid_t pid;
	int sig;

	if (argc == 2 && is(argv[1], "ended"))
		ended();
	if (argc != 5 || !memory_find(argv[1])) {
		fprintf(stderr, "usage: plant MEMORY END MASK MASKED\n");
		return 2;
	}
	end = argv[2];
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	file_read(argv[3], mask);
	file_read(argv[4], masked);
	ballast_load();
	pid = plant();
	printf("planted %d\n", pid);
	fflush(stdout);
	sigwait(&set, &sig);
	the_end();
	munmap(ballast, ballast_size);
	ended();
}
