// SPDX-License-Identifier: GPL-2.0
/*
 * Who reads or writes the memory of another process: by system calls, by ptrace
 * and by /proc, as root and with the same user id. The owner waits meanwhile.
 */
#include "secbuf_access.h"

#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define NOBODY		65534

static pid_t victim;

static int read_vm(struct target *t)
{
	unsigned char buf[SECRET_LEN];
	struct iovec local = { buf, sizeof(buf) };
	struct iovec remote = { target_secret(t), sizeof(buf) };

	return got(t, buf, process_vm_readv(victim, &local, 1, &remote, 1, 0));
}

static int write_vm(struct target *t)
{
	unsigned char buf[SECRET_LEN] = { 0 };
	struct iovec local = { buf, sizeof(buf) };
	struct iovec remote = { target_secret(t), sizeof(buf) };

	return process_vm_writev(victim, &local, 1, &remote, 1, 0) < 0 ?
	       errno : 0;
}

static int open_proc(const char *name, int flags)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", victim, name);
	return open(path, flags | O_CLOEXEC);
}

static int read_mem(struct target *t)
{
	unsigned char buf[SECRET_LEN];
	int fd = open_proc("mem", O_RDONLY);

	if (fd < 0)
		return errno;
	return got(t, buf, pread(fd, buf, sizeof(buf),
				 (uintptr_t)target_secret(t)));
}

/* Which forces its way where the mapping is read-only. */
static int write_mem(struct target *t)
{
	unsigned char buf[SECRET_LEN] = { 0 };
	int fd = open_proc("mem", O_RDWR);

	if (fd < 0)
		return errno;
	return pwrite(fd, buf, sizeof(buf), (uintptr_t)target_secret(t)) < 0 ?
	       errno : 0;
}

static int attach(void)
{
	int status;

	if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, victim, NULL, NULL))
		return errno;
	if (waitpid(victim, &status, __WALL) != victim || !WIFSTOPPED(status))
		return errno;
	return 0;
}

static int peek(struct target *t)
{
	union {
		long		words[SECRET_LEN / sizeof(long)];
		unsigned char	bytes[SECRET_LEN];
	} buf;
	int err = attach();

	for (unsigned int i = 0; !err && i < ARRAY_SIZE(buf.words); i++) {
		errno = 0;
		buf.words[i] = ptrace(PTRACE_PEEKDATA, victim,
				      target_secret(t) + i * sizeof(long),
				      NULL);
		err = errno;
	}
	return err ?: got(t, buf.bytes, sizeof(buf));
}

static int poke(struct target *t)
{
	int err = attach();

	if (!err && ptrace(PTRACE_POKEDATA, victim, target_secret(t), NULL))
		err = errno;
	return err;
}

/* A file of ones own, by the name that /proc has for the mapping. */
static int open_map_file(struct target *t)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "map_files/%lx-%lx",
		 (unsigned long)t->map, (unsigned long)t->map + t->len);
	fd = open_proc(name, O_RDONLY);
	return fd < 0 ? errno : 0;
}

/* Where it lies in the machine. */
static int pagemap(struct target *t)
{
	int fd = open_proc("pagemap", O_RDONLY);
	__u64 entry;

	if (fd < 0)
		return errno == ENOENT ? lacking("/proc/PID/pagemap") : errno;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)t->page / PAGE * 8) != 8)
		return errno;
	return entry >> 63 ? 0 : ENODATA;
}

static int advise(struct target *t)
{
	struct iovec iov = { t->page, PAGE };
	int pidfd = syscall(SYS_pidfd_open, victim, 0);

	if (pidfd < 0)
		return errno;
	if (syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_PAGEOUT, 0) < 0)
		return errno == ENOSYS ? lacking("process_madvise") : errno;
	return 0;
}

static int process_vm_readv_(struct target *t)
{
	return in_child(read_vm, t);
}

static int process_vm_writev_(struct target *t)
{
	return in_child(write_vm, t);
}

static int proc_mem_read(struct target *t)
{
	return in_child(read_mem, t);
}

static int proc_mem_write(struct target *t)
{
	return in_child(write_mem, t);
}

static int ptrace_peek(struct target *t)
{
	return in_child(peek, t);
}

static int ptrace_poke(struct target *t)
{
	return in_child(poke, t);
}

static int proc_map_files(struct target *t)
{
	return in_child(open_map_file, t);
}

static int proc_pagemap(struct target *t)
{
	return in_child(pagemap, t);
}

static int process_madvise_pageout(struct target *t)
{
	return in_child(advise, t);
}

/* Whichever end comes first: they must not pass each other. */
static bool move_environ(unsigned long at)
{
	static const int ends[] = { PR_SET_MM_ENV_START, PR_SET_MM_ENV_END };
	bool up = prctl(PR_SET_MM, ends[0], at, 0, 0);

	return !prctl(PR_SET_MM, ends[1], at + SECRET_LEN, 0, 0) &&
	       !(up && prctl(PR_SET_MM, ends[0], at, 0, 0));
}

/* The kernel takes the environment for where the process says that it is. */
static int proc_environ(struct target *t)
{
	unsigned char buf[SECRET_LEN];
	int fd;

	if (!move_environ((uintptr_t)target_secret(t)))
		return lacking("PR_SET_MM");
	fd = open_proc("environ", O_RDONLY);
	return fd < 0 ? errno : got(t, buf, read(fd, buf, sizeof(buf)));
}

/* As ATTACK does it, and then again by somebody who is not root. */
static void attack_from_outside(struct __test_metadata *_metadata,
				FIXTURE_DATA(object) *self, bool as_user,
				attack_fn fn, enum target_kind control,
				const int *errors)
{
	victim = getpid();
	if (as_user && (setresgid(NOBODY, NOBODY, NOBODY) ||
			setresuid(NOBODY, NOBODY, NOBODY)))
		SKIP(return, "setuid: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 1))
		SKIP(return, "PR_SET_DUMPABLE: %s", strerror(errno));
	/* If Yama is there. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	attack(_metadata, &self->w, self->t, fn, control, errors);
}

#define BY_ROOT(name, fn, control, ...)					\
TEST_F(object, name)							\
{									\
	static const int errors[NR_KERNELS] = { __VA_ARGS__ };		\
									\
	attack_from_outside(_metadata, self, false, fn, control, errors); \
}

#define BY_BOTH(name, fn, control, ...)					\
BY_ROOT(name, fn, control, __VA_ARGS__)					\
TEST_F(object, name ## _same_uid)					\
{									\
	static const int errors[NR_KERNELS] = { __VA_ARGS__ };		\
									\
	attack_from_outside(_metadata, self, true, fn, control, errors); \
}

BY_BOTH(process_vm_readv, process_vm_readv_, PLAIN_PRIVATE,
	EFAULT, EFAULT, EFAULT)
BY_BOTH(process_vm_writev, process_vm_writev_, PLAIN_PRIVATE,
	EFAULT, EFAULT, EFAULT)
BY_BOTH(proc_mem_read, proc_mem_read, PLAIN_PRIVATE, EIO, EIO, EIO)
BY_BOTH(proc_mem_write, proc_mem_write, PLAIN_PRIVATE, EIO, EIO, EIO)
BY_BOTH(ptrace_peek, ptrace_peek, PLAIN_PRIVATE, EIO, EIO, EIO)
BY_BOTH(ptrace_poke, ptrace_poke, PLAIN_PRIVATE, EIO, EIO, EIO)
BY_ROOT(proc_map_files, proc_map_files, PLAIN_SHARED, ENXIO, ENXIO, ENXIO)
BY_ROOT(proc_pagemap, proc_pagemap, PLAIN_SHARED, ENODATA, ENODATA, ENODATA)
BY_ROOT(process_madvise, process_madvise_pageout, PLAIN_PRIVATE,
	EINVAL, EINVAL, EINVAL)
BY_ROOT(proc_environ, proc_environ, PLAIN_PRIVATE, ENODATA, ENODATA, ENODATA)

TEST_HARNESS_MAIN
