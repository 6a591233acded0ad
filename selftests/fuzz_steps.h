/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The steps of a program of fuzz_ioctl: the commands of fuzz_calls.h, and what
 * else a process does with descriptors, mappings and other processes.
 */
#ifndef FUZZ_STEPS_H
#define FUZZ_STEPS_H

#include "fuzz_calls.h"
#include "secbuf_pass.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define STEPS_MAX	24

struct step {
	uint32_t	kind;
	uint32_t	seed;
};

/* Two threads take its steps in turn, or at once. */
struct program {
	uint32_t	nr;
	uint32_t	threads;
	struct step	steps[STEPS_MAX];
};

/*
 * Memory
 */

static __thread sigjmp_buf touch_env;
static __thread volatile sig_atomic_t touching;

static void on_fault(int sig)
{
	if (touching)
		siglongjmp(touch_env, sig);
	signal(sig, SIG_DFL);
}

static void do_mmap(struct fuzz_world *w, uint64_t *s)
{
	static const uint64_t offsets[] = {
		0, 0, SECBUF_RING_MMAP_HEAD, SECBUF_RING_MMAP_TAIL,
	};
	struct object_slot *o = pick(w, s, one_in(s, 2) ? OBJ_MAPPED : OBJ_END);
	uint64_t offset = offsets[rnd(s) % COUNT(offsets)];
	int prot = one_in(s, 10) ? rnd(s) % 8 : PROT_READ |
		   (one_in(s, 3) ? 0 : PROT_WRITE);
	int flags = one_in(s, 20) ? MAP_PRIVATE : MAP_SHARED;
	unsigned int i = rnd(s) % NR_MAPS;
	size_t len = offset ? PAGE << rnd(s) % 2 : o->mmap_size;

	if (!offset && o->type == OBJ_END)
		len *= 2;
	if (one_in(s, 20))
		offset = any_value(s) & ~(PAGE - 1);
	if (one_in(s, 20))
		len = any_value(s);
	if (!len || len > MAP_ROOM || w->maps[i])
		return;
	if (mmap(map_address(i), len, prot,
		 flags | MAP_FIXED_NOREPLACE, o->fd, offset) == map_address(i))
		w->maps[i] = len;
}

static void do_unmap(struct fuzz_world *w, uint64_t *s)
{
	unsigned int i = pick_map(w, s);

	/* Also what may not be there; whole, as parts are refused. */
	if (one_in(s, 10))
		munmap(map_address(i), PAGE);
	else if (w->maps[i] && !munmap(map_address(i), w->maps[i]))
		w->maps[i] = 0;
}

/* Refused in all its forms, but that which changes nothing. */
static void do_mremap(struct fuzz_world *w, uint64_t *s, unsigned int i,
		      size_t len)
{
	static const int flags[] = {
		0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	};
	static const long more[] = { 0, PAGE, -(long)PAGE };
	void *to = map_address(i) + MAP_ROOM / 2, *map;

	map = mremap(map_address(i), one_in(s, 4) ? 0 : len,
		     len + more[rnd(s) % COUNT(more)],
		     flags[rnd(s) % COUNT(flags)], to);
	if (map != MAP_FAILED && map != map_address(i))
		munmap(map, w->maps[i] + PAGE);
}

static void do_change_map(struct fuzz_world *w, uint64_t *s)
{
	unsigned int i = pick_map(w, s);
	size_t len = one_in(s, 3) ? PAGE : w->maps[i];

	if (!w->maps[i])
		return;
	switch (rnd(s) % 4) {
	case 0:
		mprotect(map_address(i), len, rnd(s) % 8);
		break;
	case 1:
		do_mremap(w, s, i, len);
		break;
	default:
		madvise(map_address(i), len, rnd(s) % 26);
	}
}

static void do_touch(struct fuzz_world *w, uint64_t *s)
{
	unsigned int i = pick_map(w, s);
	volatile uint64_t *p;
	uint64_t value = any_value(s);

	if (!w->maps[i])
		return;
	/* The positions of rings, more often than by chance. */
	p = map_address(i) + (one_in(s, 3) ? rnd(s) % 20 * 8 :
			      rnd(s) % w->maps[i] & ~7UL);
	if (!sigsetjmp(touch_env, 1)) {
		touching = 1;
		if (one_in(s, 3))
			(void)*p;
		else if (one_in(s, 2))
			*p = value;
		else
			*p += value % 256;
	}
	touching = 0;
}

/*
 * Descriptors
 */

static void do_close(struct fuzz_world *w, uint64_t *s)
{
	struct object_slot *o = any_object(w, s);
	int fd = __atomic_exchange_n(&o->fd, -1, __ATOMIC_RELAXED);

	o->type = OBJ_NONE;
	if (fd >= 0)
		close(fd);
}

static void do_dup(struct fuzz_world *w, uint64_t *s)
{
	struct object_slot *o = any_object(w, s);
	int fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);

	keep(w, s, fd, o->type, o->mmap_size);
}

static void do_io(struct fuzz_world *w, uint64_t *s)
{
	int fd = pick(w, s, one_in(s, 3) ? OBJ_CONN : OBJ_END)->fd;
	struct iovec iov[3];

	for (unsigned int i = 0; i < COUNT(iov); i++) {
		iov[i].iov_base = (void *)pointer(w, s);
		iov[i].iov_len = one_in(s, 4) ? rnd(s) % (4 * PAGE) :
						small_value(s);
	}
	if (one_in(s, 4))
		fcntl(fd, F_SETFL, one_in(s, 4) ? 0 : O_NONBLOCK);
	if (one_in(s, 2))
		(void)!readv(fd, iov, 1 + rnd(s) % COUNT(iov));
	else
		(void)!writev(fd, iov, 1 + rnd(s) % COUNT(iov));
}

static void do_poll(struct fuzz_world *w, uint64_t *s)
{
	struct pollfd fds[NR_OBJECTS];

	for (unsigned int i = 0; i < NR_OBJECTS; i++)
		fds[i] = (struct pollfd){ w->objects[i].fd, rnd(s), 0 };
	poll(fds, NR_OBJECTS, rnd(s) % 3);
}

static void look_at(const char *dir, int fd)
{
	char path[48], text[512];

	snprintf(path, sizeof(path), "/proc/self/%s/%d", dir, fd);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	(void)!read(fd, text, sizeof(text));
	close(fd);
}

/* What is possible with any descriptor, and should come to nothing here. */
static void do_look(struct fuzz_world *w, uint64_t *s)
{
	int fd = any_object(w, s)->fd, n;

	switch (rnd(s) % 8) {
	case 0:
		ioctl(fd, FIONREAD, &n);
		break;
	case 1:
		look_at("fdinfo", fd);
		break;
	case 2:
		look_at("fd", fd);
		break;
	case 3:
		(void)!pread(fd, w->arena, PAGE, any_value(s));
		break;
	case 4:
		(void)!pwrite(fd, w->arena, PAGE, any_value(s));
		break;
	case 5:
		splice(fd, NULL, any_object(w, s)->fd, NULL, PAGE,
		       SPLICE_F_NONBLOCK);
		break;
	case 6:
		(void)!ftruncate(fd, any_value(s));
		lseek(fd, any_value(s), SEEK_SET);
		break;
	default:
		fcntl(fd, F_SETOWN, getpid());
		fcntl(fd, F_SETFL, O_NONBLOCK | (one_in(s, 2) ? O_ASYNC : 0));
	}
}

/* Whoever waits for it must be gone before the object is. */
static void do_epoll(struct fuzz_world *w, uint64_t *s)
{
	struct epoll_event event = { .events = rnd(s) };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned int i = 0; i < 3; i++)
		epoll_ctl(fd, EPOLL_CTL_ADD, any_object(w, s)->fd, &event);
	epoll_wait(fd, &event, 1, rnd(s) % 2);
	if (one_in(s, 2))
		do_close(w, s);
	close(fd);
}

/* Pages of objects must not be had in these ways. */
static void do_pin(struct fuzz_world *w, uint64_t *s)
{
	unsigned int i = pick_map(w, s);
	struct iovec from = { map_address(i), PAGE }, to = { w->arena, PAGE };
	int pipes[2];

	if (one_in(s, 2)) {
		process_vm_readv(getpid(), &to, 1, &from, 1, 0);
		return;
	}
	if (pipe(pipes))
		return;
	vmsplice(pipes[1], &from, 1, SPLICE_F_NONBLOCK | SPLICE_F_GIFT);
	close(pipes[0]);
	close(pipes[1]);
}

static void do_send(struct fuzz_world *w, uint64_t *s)
{
	int fd = any_object(w, s)->fd;

	pass_with(w->socks[rnd(s) % 2], "", 1, fd, MSG_DONTWAIT);
}

static void do_receive(struct fuzz_world *w, uint64_t *s)
{
	char byte;
	int fd;

	take_with(w->socks[rnd(s) % 2], &byte, 1, &fd, MSG_DONTWAIT);
	if (fd >= 0)
		keep_unknown(w, s, fd);
}

/*
 * The machine
 */

static void file_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void do_press(uint64_t *s)
{
	static const char *const limits[] = { "0", "0", "65536", "1048576" };

	if (one_in(s, 2))
		file_put("/proc/sys/vm/drop_caches", "2");
	else
		file_put("/sys/module/secbuf/parameters/max_user_bytes",
			 limits[rnd(s) % COUNT(limits)]);
}

/* One of what the next calls allocate and copy fails. */
static void do_fail(struct fuzz_world *w, uint64_t *s)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", 1 + (unsigned int)(rnd(s) % 24));
	(void)!pwrite(w->fail_fd, text, strlen(text), 0);
}

static void unfail(struct fuzz_world *w)
{
	while (w->fail_fd >= 0 && pwrite(w->fail_fd, "0", 1, 0) < 0 &&
	       errno == EFAULT)
		;
}

/*
 * Steps
 */

enum {
	STEP_MMAP = COUNT(commands), STEP_MMAP_AGAIN, STEP_UNMAP, STEP_CHANGE,
	STEP_TOUCH, STEP_TOUCH_AGAIN, STEP_CLOSE, STEP_DUP, STEP_READ,
	STEP_WRITE, STEP_POLL, STEP_LOOK, STEP_SEND, STEP_RECEIVE, STEP_PRESS,
	STEP_FAIL, STEP_FORK, STEP_EPOLL, STEP_PIN, STEP_NR
};

static void do_step(struct fuzz_world *w, const struct step *step)
{
	uint64_t state = step->seed;
	uint64_t *s = &state;

	w->calls++;
	switch (step->kind) {
	case STEP_MMAP:
	case STEP_MMAP_AGAIN:
		do_mmap(w, s);
		break;
	case STEP_UNMAP:
		do_unmap(w, s);
		break;
	case STEP_CHANGE:
		do_change_map(w, s);
		break;
	case STEP_TOUCH:
	case STEP_TOUCH_AGAIN:
		do_touch(w, s);
		break;
	case STEP_CLOSE:
		do_close(w, s);
		break;
	case STEP_DUP:
		do_dup(w, s);
		break;
	case STEP_READ:
	case STEP_WRITE:
		do_io(w, s);
		break;
	case STEP_POLL:
		do_poll(w, s);
		break;
	case STEP_LOOK:
		do_look(w, s);
		break;
	case STEP_SEND:
		do_send(w, s);
		break;
	case STEP_RECEIVE:
		do_receive(w, s);
		break;
	case STEP_PRESS:
		if (one_in(s, 8))
			do_press(s);
		break;
	case STEP_FAIL:
		if (w->fail_fd >= 0)
			do_fail(w, s);
		break;
	case STEP_EPOLL:
		do_epoll(w, s);
		break;
	case STEP_PIN:
		do_pin(w, s);
		break;
	default:
		do_command(w, s, step->kind);
	}
}

#endif /* FUZZ_STEPS_H */
