// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping of a pool: what may be done with it, and what becomes of it. Ways
 * to the bytes that must fail are in access_memory_test and its neighbours.
 */
#include "secbuf_fixture.h"
#include "secbuf_touch.h"

#include <linux/kernel-page-flags.h>
#include <sys/personality.h>
#include <sys/wait.h>

#define NR_SLOTS	4
#define PROT_RW		(PROT_READ | PROT_WRITE)

FIXTURE(map)
{
	int		dev;
	struct pool	p;
	__u64		id;		/* the slot granted */
	unsigned char	*slot;
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
}

FIXTURE_TEARDOWN(map)
{
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

TEST_HARNESS_MAIN
