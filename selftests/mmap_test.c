// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping of a pool: what may be done with it, and every way to the bytes
 * that must fail. Each such way is first shown to work on ordinary memory.
 */
#include "secbuf_fixture.h"
#include "secbuf_touch.h"

#include <elf.h>
#include <linux/io_uring.h>
#include <linux/kernel-page-flags.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define NR_SLOTS	4
#define PROT_RW		(PROT_READ | PROT_WRITE)

FIXTURE(map)
{
	int		dev;
	struct pool	p;
	__u64		id;		/* the slot granted */
	unsigned char	*slot;
	unsigned char	*plain;		/* a page of ordinary memory */
};

FIXTURE_SETUP(map)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, PAGE, NR_SLOTS));
	ASSERT_EQ(NR_SLOTS * PAGE, self->p.map_size);
	ASSERT_EQ(1, pool_alloc(self->p.fd, &self->id, 1));
	self->slot = pool_slot(&self->p, self->id);
	memset(self->slot, 0xa5, PAGE);

	self->plain = mmap(NULL, PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	ASSERT_NE(MAP_FAILED, self->plain);
	memset(self->plain, 0x5a, PAGE);
}

FIXTURE_TEARDOWN(map)
{
	munmap(self->plain, PAGE);
	pool_close(&self->p);
	close(self->dev);
}

/* Nothing that was tried has changed the bytes. */
#define EXPECT_INTACT()							\
	EXPECT_EQ(0, count_not(self->slot, 0xa5, PAGE))

/* errno of a mmap that must fail. */
static int mmap_errno(size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p = mmap(NULL, len, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

TEST_F(map, wrong_length)
{
	EXPECT_EQ(EINVAL, mmap_errno(self->p.map_size - PAGE, PROT_RW,
				     MAP_SHARED, self->p.fd, 0));
	EXPECT_EQ(EINVAL, mmap_errno(self->p.map_size + PAGE, PROT_RW,
				     MAP_SHARED, self->p.fd, 0));
}

TEST_F(map, wrong_offset)
{
	EXPECT_EQ(EINVAL, mmap_errno(self->p.map_size, PROT_RW, MAP_SHARED,
				     self->p.fd, PAGE));
	EXPECT_EQ(EINVAL, mmap_errno(self->p.map_size - PAGE, PROT_RW,
				     MAP_SHARED, self->p.fd, PAGE));
}

TEST_F(map, private)
{
	EXPECT_EQ(EINVAL, mmap_errno(self->p.map_size, PROT_RW, MAP_PRIVATE,
				     self->p.fd, 0));
	EXPECT_EQ(EINVAL, mmap_errno(self->p.map_size, PROT_READ, MAP_PRIVATE,
				     self->p.fd, 0));
}

TEST_F(map, exec)
{
	EXPECT_EQ(EPERM, mmap_errno(self->p.map_size, PROT_READ | PROT_EXEC,
				    MAP_SHARED, self->p.fd, 0));
}

TEST_F(map, mprotect_exec)
{
	EXPECT_EQ(-1, mprotect(self->p.map, self->p.map_size,
			       PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_INTACT();
}

/* Read-only is what the program wished, and it may wish otherwise. */
TEST_F(map, read_only)
{
	unsigned char *map, *slot;

	ASSERT_EQ(0, munmap(self->p.map, self->p.map_size));
	map = mmap(NULL, self->p.map_size, PROT_READ, MAP_SHARED, self->p.fd,
		   0);
	ASSERT_NE(MAP_FAILED, map);
	slot = map + self->id * PAGE;
	EXPECT_EQ(0, count_not(slot, 0xa5, PAGE));
	EXPECT_EQ(SIGSEGV, touch(slot, true));
	EXPECT_EQ(0, count_not(slot, 0xa5, PAGE));

	ASSERT_EQ(0, mprotect(map, self->p.map_size, PROT_RW));
	EXPECT_EQ(0, touch(slot, true));
	EXPECT_EQ(1, slot[0]);
}

TEST_F(map, no_access_and_back)
{
	ASSERT_EQ(0, mprotect(self->p.map, self->p.map_size, PROT_NONE));
	EXPECT_EQ(SIGSEGV, touch(self->slot, false));
	ASSERT_EQ(0, mprotect(self->p.map, self->p.map_size, PROT_RW));
	EXPECT_INTACT();
}

TEST_F(map, mprotect_of_a_part)
{
	EXPECT_EQ(-1, mprotect(self->p.map, PAGE, PROT_READ));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, touch(self->slot, true));
}

/* Is the mapping that begins at @start executable? */
static bool is_executable(const void *start)
{
	char line[512], perms[8];
	unsigned long begin;
	bool exec = false;
	FILE *f;

	f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%*x %7s", &begin, perms) == 2 &&
		    begin == (uintptr_t)start)
			exec = perms[2] == 'x';
	}
	if (f)
		fclose(f);
	return exec;
}

TEST_F(map, read_implies_exec)
{
	int old = personality(0xffffffff);
	void *map, *plain;

	ASSERT_EQ(0, munmap(self->p.map, self->p.map_size));
	ASSERT_LE(0, personality(old | READ_IMPLIES_EXEC));
	map = mmap(NULL, self->p.map_size, PROT_RW, MAP_SHARED, self->p.fd, 0);
	plain = mmap(NULL, PAGE, PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	personality(old);
	ASSERT_NE(MAP_FAILED, plain);
	EXPECT_TRUE(is_executable(plain));
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_FALSE(is_executable(map));
}

TEST_F(map, partial_munmap)
{
	EXPECT_EQ(-1, munmap(self->p.map, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(self->p.map + PAGE, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(self->p.map + 3 * PAGE, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_INTACT();
}

TEST_F(map, mremap_grow)
{
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, self->p.map_size,
				     2 * self->p.map_size, MREMAP_MAYMOVE));
	EXPECT_INTACT();
}

TEST_F(map, mremap_shrink)
{
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, self->p.map_size, PAGE, 0));
	EXPECT_INTACT();
}

TEST_F(map, mremap_move)
{
	void *to = mmap(NULL, self->p.map_size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, to);
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, self->p.map_size,
				     self->p.map_size,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_INTACT();
}

TEST_F(map, mremap_move_part)
{
	void *to = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	ASSERT_NE(MAP_FAILED, to);
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, PAGE, PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_INTACT();
}

TEST_F(map, mremap_duplicate)
{
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, 0, self->p.map_size,
				     MREMAP_MAYMOVE));
	EXPECT_INTACT();
}

TEST_F(map, mremap_dontunmap)
{
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, self->p.map_size,
				     self->p.map_size,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	EXPECT_INTACT();
}

/* All that would undo a protection, or discard or expose the pages. */
TEST_F(map, madvise)
{
	static const int advices[] = {
		MADV_DODUMP, MADV_DOFORK, MADV_WIPEONFORK, MADV_DONTNEED,
		MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(advices); i++) {
		EXPECT_EQ(-1, madvise(self->p.map, self->p.map_size,
				      advices[i]));
		EXPECT_EQ(EINVAL, errno)
			TH_LOG("advice %d: %s", advices[i], strerror(errno));
	}
	EXPECT_INTACT();
}

TEST_F(map, madvise_remove)
{
	EXPECT_EQ(-1, madvise(self->p.map, self->p.map_size, MADV_REMOVE));
	EXPECT_INTACT();
}

/* Does smaps show the flag, of the mapping that begins at @start? */
static bool has_vm_flag(const void *start, const char *flag)
{
	bool here = false, has = false;
	unsigned long begin, end;
	char line[512];
	FILE *f;

	f = fopen("/proc/self/smaps", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = begin == (uintptr_t)start;
		else if (here && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flag);
	}
	if (f)
		fclose(f);
	return has;
}

TEST_F(map, madvise_mergeable)
{
	if (access("/proc/self/smaps", R_OK))
		SKIP(return, "the kernel has no /proc/PID/smaps");
	if (madvise(self->plain, PAGE, MADV_MERGEABLE))
		SKIP(return, "KSM: %s", strerror(errno));
	EXPECT_TRUE(has_vm_flag(self->plain, " mg"));
	/* It is ignored. */
	EXPECT_EQ(0, madvise(self->p.map, self->p.map_size, MADV_MERGEABLE));
	EXPECT_TRUE(has_vm_flag(self->p.map, " pf"));
	EXPECT_FALSE(has_vm_flag(self->p.map, " mg"));
	EXPECT_INTACT();
}

#define HUGE_ROOM	(4UL << 20)

TEST_F(map, huge_pages)
{
	void *plain = mmap(NULL, HUGE_ROOM, PROT_RW,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, plain);
	memset(plain, 1, HUGE_ROOM);
	if (madvise(plain, HUGE_ROOM, MADV_COLLAPSE))
		SKIP(return, "MADV_COLLAPSE: %s", strerror(errno));
	/* A wish that is not heeded. */
	EXPECT_EQ(0, madvise(self->p.map, self->p.map_size, MADV_HUGEPAGE));
	EXPECT_EQ(-1, madvise(self->p.map, self->p.map_size, MADV_COLLAPSE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_INTACT();
	munmap(plain, HUGE_ROOM);
}

TEST_F(map, move_pages)
{
	void *pages[] = { self->plain, self->slot };
	int nodes[] = { 0, 0 };
	int status[] = { -1, 0 };

	if (syscall(SYS_move_pages, 0, 2, pages, nodes, status,
		    MPOL_MF_MOVE) < 0)
		SKIP(return, "move_pages: %s", strerror(errno));
	EXPECT_EQ(0, status[0]);
	EXPECT_EQ(-EFAULT, status[1]);
	EXPECT_INTACT();
}

TEST_F(map, slot_not_granted)
{
	__u64 id;

	EXPECT_EQ(SIGBUS, touch(pool_slot(&self->p, NR_SLOTS - 1), false));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&self->p, NR_SLOTS - 1), true));
	for (int i = 1; i < NR_SLOTS; i++)
		ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_EQ(0, touch(pool_slot(&self->p, NR_SLOTS - 1), true));
}

TEST_F(map, slot_freed)
{
	EXPECT_EQ(0, touch(self->slot, true));
	ASSERT_EQ(1, pool_free(self->p.fd, &self->id, 1));
	EXPECT_EQ(0, count_not(self->slot, 0, PAGE));
	ASSERT_EQ(1, pool_shrink(self->p.fd, 1));
	EXPECT_EQ(SIGBUS, touch(self->slot, false));
}

/* The kernel meets the same hole as an error. */
TEST_F(map, slot_not_granted_in_a_system_call)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-1, write(fds[1], pool_slot(&self->p, NR_SLOTS - 1), 16));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(map, outlives_the_descriptor)
{
	struct secbuf_info_args before, after;

	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	ASSERT_EQ(0, close(self->p.fd));
	EXPECT_INTACT();
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_bytes, after.out_bytes);

	ASSERT_EQ(0, munmap(self->p.map, self->p.map_size));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools - 1, after.out_nr_pools);
	EXPECT_GE(before.out_bytes - PAGE, after.out_bytes);
}

/*
 * A descriptor is mapped once at a time: who has it mapped very often would make
 * everybody else wait whose pages are unmapped.
 */
TEST_F(map, second_mapping)
{
	const off_t control = SECBUF_POOL_MMAP_CONTROL;
	const size_t size = self->p.map_size;
	int fd = self->p.fd;
	void *page;

	EXPECT_EQ(EBUSY, mmap_errno(size, PROT_RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(EBUSY, mmap_errno(size, PROT_READ, MAP_SHARED, fd, 0));
	/* What is refused for another reason is not counted. */
	EXPECT_EQ(EPERM, mmap_errno(PAGE, PROT_RW, MAP_SHARED, fd, control));
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, control);
	ASSERT_NE(MAP_FAILED, page);
	EXPECT_EQ(EBUSY, mmap_errno(PAGE, PROT_READ, MAP_SHARED, fd, control));
	ASSERT_EQ(0, munmap(page, PAGE));
	EXPECT_EQ(0, mmap_errno(PAGE, PROT_READ, MAP_SHARED, fd, control));
	EXPECT_INTACT();
}

/* Nor does what becomes of the first one make room for a second. */
TEST_F(map, second_mapping_after_mremap_and_fork)
{
	const size_t size = self->p.map_size;
	void *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, to);
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, size, size,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(EBUSY, mmap_errno(size, PROT_RW, MAP_SHARED, self->p.fd, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(EBUSY, mmap_errno(size, PROT_RW, MAP_SHARED, self->p.fd, 0));
	EXPECT_INTACT();
	ASSERT_EQ(0, munmap(self->p.map, size));
	EXPECT_EQ(0, mmap_errno(size, PROT_RW, MAP_SHARED, self->p.fd, 0));
	self->p.map = mmap(self->p.map, size, PROT_RW, MAP_SHARED, self->p.fd,
			   0);
	ASSERT_NE(MAP_FAILED, self->p.map);
}

TEST_F(map, mapped_again)
{
	ASSERT_EQ(0, munmap(self->p.map, self->p.map_size));
	EXPECT_EQ(SIGSEGV, touch(self->slot, false));
	ASSERT_EQ(self->p.map, mmap(self->p.map, self->p.map_size, PROT_RW,
				    MAP_SHARED | MAP_FIXED, self->p.fd, 0));
	EXPECT_INTACT();
}

TEST_F(map, fixed_over_all)
{
	unsigned char *map;

	ASSERT_EQ(self->p.map, mmap(self->p.map, self->p.map_size, PROT_RW,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				    -1, 0));
	EXPECT_EQ(0, count_not(self->slot, 0, PAGE));
	map = mmap(NULL, self->p.map_size, PROT_RW, MAP_SHARED, self->p.fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, count_not(map + self->id * PAGE, 0xa5, PAGE));
}

TEST_F(map, fixed_over_a_part)
{
	EXPECT_EQ(MAP_FAILED, mmap(self->p.map + PAGE, PAGE, PROT_RW,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0));
	EXPECT_INTACT();
}

TEST_F(map, not_in_a_child)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(touch(self->slot, false));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGSEGV << 8, status);
	EXPECT_INTACT();
}

TEST_F(map, process_vm_readv)
{
	unsigned char buf[16];
	struct iovec local = { buf, sizeof(buf) };
	struct iovec remote = { self->plain, sizeof(buf) };

	ASSERT_EQ((ssize_t)sizeof(buf),
		  process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	remote.iov_base = self->slot;
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(sizeof(buf), count_not(buf, 0xa5, sizeof(buf)));
}

TEST_F(map, process_vm_writev)
{
	unsigned char buf[16] = { 0 };
	struct iovec local = { buf, sizeof(buf) };
	struct iovec remote = { self->plain, sizeof(buf) };

	ASSERT_EQ((ssize_t)sizeof(buf),
		  process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	remote.iov_base = self->slot;
	EXPECT_EQ(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_INTACT();
}

TEST_F(map, proc_mem)
{
	unsigned char buf[16] = { 0 };
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)sizeof(buf), pread(fd, buf, sizeof(buf),
					      (uintptr_t)self->plain));
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), (uintptr_t)self->slot));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, count_not(buf, 0x5a, sizeof(buf)));
	ASSERT_EQ((ssize_t)sizeof(buf), pwrite(fd, buf, sizeof(buf),
					       (uintptr_t)self->plain));
	EXPECT_EQ(-1, pwrite(fd, buf, sizeof(buf), (uintptr_t)self->slot));
	EXPECT_EQ(EIO, errno);
	EXPECT_INTACT();
}

/* The owner is traced by its parent. */
TEST_F(map, ptrace)
{
	unsigned char **shared;
	struct pool p;
	int status;
	pid_t pid;
	__u64 id;

	shared = mmap(NULL, PAGE, PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (pool_open(&p, self->dev, PAGE, 1) ||
		    pool_alloc(p.fd, &id, 1) != 1)
			_exit(1);
		*shared = pool_slot(&p, id);
		memset(*shared, 0xa5, PAGE);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(2);
		raise(SIGSTOP);
		_exit(count_not(*shared, 0xa5, PAGE) != 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));

	errno = 0;
	EXPECT_EQ(0x5a5a5a5a5a5a5a5aL,
		  ptrace(PTRACE_PEEKDATA, pid, self->plain, NULL));
	EXPECT_EQ(0, errno);
	errno = 0;
	EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, pid, *shared, NULL));
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, ptrace(PTRACE_POKEDATA, pid, self->plain, NULL));
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, *shared, NULL));
	EXPECT_EQ(EIO, errno);

	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(map, vmsplice)
{
	struct iovec iov = { self->plain, 16 };
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(16, vmsplice(fds[1], &iov, 1, 0));
	iov.iov_base = self->slot;
	EXPECT_EQ(-1, vmsplice(fds[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(map, io_uring_fixed_buffer)
{
	struct io_uring_params params = { 0 };
	struct iovec iov = { self->plain, PAGE };
	int ring;

	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		SKIP(return, "io_uring_setup: %s", strerror(errno));
	ASSERT_EQ(0, syscall(SYS_io_uring_register, ring,
			     IORING_REGISTER_BUFFERS, &iov, 1));
	ASSERT_EQ(0, syscall(SYS_io_uring_register, ring,
			     IORING_UNREGISTER_BUFFERS, NULL, 0));
	iov.iov_base = self->slot;
	EXPECT_EQ(-1, syscall(SYS_io_uring_register, ring,
			      IORING_REGISTER_BUFFERS, &iov, 1));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(map, zerocopy_send)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int server, client, one = 1;

	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0 || client < 0 ||
	    bind(server, (void *)&addr, sizeof(addr)) ||
	    listen(server, 1) ||
	    getsockname(server, (void *)&addr, &len) ||
	    connect(client, (void *)&addr, len) ||
	    setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		SKIP(return, "zerocopy on loopback: %s", strerror(errno));
	ASSERT_EQ((ssize_t)PAGE, send(client, self->plain, PAGE,
				      MSG_ZEROCOPY));
	EXPECT_EQ(-1, send(client, self->slot, PAGE, MSG_ZEROCOPY));
	EXPECT_EQ(EFAULT, errno);
}

/* tmpfs has no O_DIRECT: the test needs a ram disk (module brd). */
TEST_F(map, o_direct)
{
	int fd = open("/dev/ram0", O_RDWR | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "/dev/ram0: %s", strerror(errno));
	ASSERT_EQ((ssize_t)PAGE, pwrite(fd, self->plain, PAGE, 0));
	EXPECT_EQ(-1, pwrite(fd, self->slot, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(fd, self->slot, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_INTACT();
}

/* Copies by the kernel are ordinary use. */
TEST_F(map, write_and_read_copy)
{
	unsigned char buf[64];
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ((ssize_t)sizeof(buf), write(fds[1], self->slot,
					      sizeof(buf)));
	ASSERT_EQ((ssize_t)sizeof(buf), read(fds[0], buf, sizeof(buf)));
	EXPECT_EQ(0, count_not(buf, 0xa5, sizeof(buf)));

	ASSERT_EQ((ssize_t)sizeof(buf), write(fds[1], self->plain,
					      sizeof(buf)));
	ASSERT_EQ((ssize_t)sizeof(buf), read(fds[0], self->slot, sizeof(buf)));
	EXPECT_EQ(0, count_not(self->slot, 0x5a, sizeof(buf)));
}

TEST_F(map, mlock_does_no_harm)
{
	EXPECT_EQ(0, mlock(self->p.map, self->p.map_size));
	EXPECT_INTACT();
	EXPECT_EQ(0, munlock(self->p.map, self->p.map_size));
	EXPECT_INTACT();
}

TEST_F(map, mlockall_does_no_harm)
{
	struct pool p;
	__u64 id;

	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	EXPECT_INTACT();
	ASSERT_EQ(0, pool_open(&p, self->dev, PAGE, 1));
	ASSERT_EQ(1, pool_alloc(p.fd, &id, 1));
	EXPECT_EQ(0, touch(pool_slot(&p, id), true));
	EXPECT_EQ(0, munlockall());
	EXPECT_INTACT();
	pool_close(&p);
}

TEST_F(map, userfaultfd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	reg.range.start = (uintptr_t)self->plain;
	reg.range.len = PAGE;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	reg.range.start = (uintptr_t)self->p.map;
	reg.range.len = self->p.map_size;
	EXPECT_EQ(-1, ioctl(fd, UFFDIO_REGISTER, &reg));
	EXPECT_EQ(EINVAL, errno);
}

/*
 * Core dump. The secrets are made byte by byte where they shall be, so that
 * the dumped process holds no other copy of them.
 */
#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"
#define SECRET_LEN	32

static unsigned char secret_byte(unsigned int seed, unsigned int i)
{
	__u32 x = (seed * 64 + i + 1) * 2654435761U;

	return x >> 24 ^ x >> 11;
}

static void secret_plant(volatile unsigned char *p, unsigned int seed)
{
	for (unsigned int i = 0; i < SECRET_LEN; i++)
		p[i] = secret_byte(seed, i);
}

static unsigned int secret_count(const unsigned char *p, size_t len,
				 unsigned int seed)
{
	unsigned char secret[SECRET_LEN];
	const unsigned char *end = p + len;
	unsigned int n = 0;

	secret_plant(secret, seed);
	while ((p = memmem(p, end - p, secret, SECRET_LEN))) {
		p++;
		n++;
	}
	return n;
}

static void core_child(int dev)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned char *control = malloc(PAGE);
	struct pool p;
	int filter;
	__u64 id;

	/* Everything that can be dumped. */
	filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	if (!control || filter < 0 || write(filter, "0xff", 4) != 4)
		_exit(1);
	if (setrlimit(RLIMIT_CORE, &unlimited) || chdir("/tmp"))
		_exit(2);
	if (pool_open(&p, dev, PAGE, 1) || pool_alloc(p.fd, &id, 1) != 1)
		_exit(3);
	secret_plant(control + PAGE / 2, 1);
	secret_plant(pool_slot(&p, id), 2);
	madvise(p.map, p.map_size, MADV_DODUMP);
	abort();
}

TEST_F(map, core_dump)
{
	char old[256] = { 0 }, path[64];
	int pattern, status, fd;
	struct stat st;
	void *core;
	pid_t pid;

	pattern = open(CORE_PATTERN, O_RDWR | O_CLOEXEC);
	if (pattern < 0 || read(pattern, old, sizeof(old) - 1) < 0 ||
	    pwrite(pattern, "/tmp/secbuf-core.%p", 19, 0) != 19)
		SKIP(return, "%s: %s", CORE_PATTERN, strerror(errno));
	pid = fork();
	if (!pid)
		core_child(self->dev);
	waitpid(pid, &status, 0);
	pwrite(pattern, old, strlen(old), 0);
	ASSERT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(SIGABRT, WTERMSIG(status));
	ASSERT_TRUE(WCOREDUMP(status));

	snprintf(path, sizeof(path), "/tmp/secbuf-core.%d", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	unlink(path);
	ASSERT_EQ(0, fstat(fd, &st));
	core = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, core);
	EXPECT_LE(1, secret_count(core, st.st_size, 1));
	EXPECT_EQ(0, secret_count(core, st.st_size, 2));
}

/* KPF_OFFLINE is not in the kernel's header for user space. */
#define KPF_BIT(kpf)	(1ULL << (kpf))
#define KPF_OFFLINE_BIT	KPF_BIT(23)
#define KPF_SWAPPABLE	(KPF_BIT(KPF_LRU) | KPF_BIT(KPF_ANON) |		\
			 KPF_BIT(KPF_SWAPBACKED) | KPF_BIT(KPF_MMAP))

/* Pages of the machine that have all of @set and one of @any, if not 0. */
static long count_pages(__u64 set, __u64 any)
{
	static __u64 flags[PAGE];
	int fd = open("/proc/kpageflags", O_RDONLY);
	ssize_t got, i;
	long nr = 0;

	if (fd < 0)
		return -1;
	while ((got = read(fd, flags, sizeof(flags))) > 0)
		for (i = 0; i < got / (ssize_t)sizeof(*flags); i++)
			nr += (flags[i] & set) == set &&
			      (!any || flags[i] & any);
	close(fd);
	return nr;
}

/*
 * What kcore, hibernation and makedumpfile pass over, and what swap looks for.
 * pagemap does not tell the frame of such a mapping, hence the counting.
 */
TEST_F(map, page_flags)
{
	long before = count_pages(KPF_OFFLINE_BIT, 0);
	__u64 ids[2];

	if (before < 0)
		SKIP(return, "the kernel has no /proc/kpageflags");
	ASSERT_LE(1, before);
	ASSERT_LT(0, count_pages(0, KPF_SWAPPABLE));
	ASSERT_EQ(2, pool_alloc(self->p.fd, ids, 2));
	memset(pool_slot(&self->p, ids[0]), 1, PAGE);
	EXPECT_EQ(before + 2, count_pages(KPF_OFFLINE_BIT, 0));
	EXPECT_EQ(0, count_pages(KPF_OFFLINE_BIT, KPF_SWAPPABLE));
	EXPECT_EQ(2, pool_free(self->p.fd, ids, 2));
	EXPECT_EQ(before + 2, count_pages(KPF_OFFLINE_BIT, 0));
	EXPECT_EQ(2, pool_shrink(self->p.fd, 100));
	EXPECT_EQ(before, count_pages(KPF_OFFLINE_BIT, 0));
}

/* Bytes that are nowhere in memory but where they are put. */
#define SECRET_BYTE(seed, i)	((unsigned char)((i) * 37 + (seed)))

static void put_secret(volatile unsigned char *page, unsigned char seed)
{
	int i;

	for (i = 0; i < 64; i++)
		page[i] = SECRET_BYTE(seed, i);
}

static bool has_secret(const unsigned char *page, unsigned char seed)
{
	int i;

	for (i = 0; i < 64; i++)
		if (page[i] != SECRET_BYTE(seed, i))
			return false;
	return true;
}

/*
 * Where x86-64 maps the kernel's image once more. kcore does not look at page
 * flags there, and shows init memory that was freed and may be anybody's now.
 */
#define KERNEL_IMAGE	0xffffffff80000000ULL

/* Pages of all RAM, seen through /proc/kcore, that begin with the secret. */
static long kcore_count(unsigned char seed)
{
	static unsigned char buf[64 * PAGE];
	__u64 ram = sysconf(_SC_PHYS_PAGES) * PAGE;
	int fd = open("/proc/kcore", O_RDONLY);
	long nr = 0, pages = 0;
	Elf64_Ehdr elf;
	Elf64_Phdr ph;
	ssize_t got, n;
	__u64 at;
	int i;

	if (fd < 0 || pread(fd, &elf, sizeof(elf), 0) != sizeof(elf))
		return -1;
	for (i = 0; i < elf.e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), elf.e_phoff + i * sizeof(ph)) !=
		    sizeof(ph))
			break;
		/* RAM, and not the kernel's virtual areas or its image. */
		if (ph.p_type != PT_LOAD || ph.p_memsz > 2 * ram ||
		    ph.p_paddr > 8 * ram || ph.p_vaddr >= KERNEL_IMAGE)
			continue;
		for (at = 0; at < ph.p_memsz; at += got) {
			got = pread(fd, buf, sizeof(buf), ph.p_offset + at);
			if (got <= 0)
				break;
			for (n = 0; n + (ssize_t)PAGE <= got; n += PAGE, pages++)
				nr += has_secret(buf + n, seed);
		}
	}
	close(fd);
	return pages * PAGE < ram / 2 ? -1 : nr;
}

TEST_F(map, kcore)
{
	if (on_uml())
		SKIP(return, "UML has no /proc/kcore");

	put_secret(self->plain, 11);
	put_secret(self->slot, 12);
	EXPECT_LE(1, kcore_count(11));
	EXPECT_EQ(0, kcore_count(12));
	EXPECT_TRUE(has_secret(self->slot, 12));
}

TEST_HARNESS_MAIN
