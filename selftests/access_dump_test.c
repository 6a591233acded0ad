// SPDX-License-Identifier: GPL-2.0
/*
 * Whole memory, searched for the secrets of a process: core dumps, by the kernel
 * and as gcore makes them, and /proc/kcore.
 */
#include "secbuf_victim.h"

#include <elf.h>
#include <sys/ptrace.h>

#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"
#define CORE		"/tmp/secbuf-core"

FIXTURE(dump)
{
	unsigned int	found[NR_TARGETS];
};

FIXTURE_SETUP(dump)
{
}

FIXTURE_TEARDOWN(dump)
{
}

/*
 * By the kernel
 */

static void victim_dies(int sig)
{
	static struct world w;

	victim_open(&w);
	if (sig == SIGSEGV)
		*(volatile int *)NULL = 0;
	raise(sig);
	_exit(2);
}

/* Returns the descriptor of the dump, or -errno; 0: there is no such thing. */
static int core_of(int sig)
{
	int pattern = open(CORE_PATTERN, O_RDWR | O_CLOEXEC);
	char old[256] = { 0 }, path[64];
	int status, fd;
	pid_t pid;

	if (pattern < 0 || read(pattern, old, sizeof(old) - 1) < 0 ||
	    pwrite(pattern, CORE ".%p", strlen(CORE ".%p"), 0) < 0)
		return 0;
	pid = fork();
	if (!pid)
		victim_dies(sig);
	waitpid(pid, &status, 0);
	if (pwrite(pattern, old, strlen(old), 0) < 0)
		return -errno;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != sig ||
	    !WCOREDUMP(status))
		return -ECHILD;
	snprintf(path, sizeof(path), CORE ".%d", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	return fd < 0 ? -errno : fd;
}

#define CORE_TEST(name, sig)						\
TEST_F(dump, name)							\
{									\
	int fd = core_of(sig);						\
									\
	if (!fd)							\
		SKIP(return, "%s: %s", CORE_PATTERN, strerror(errno));	\
	ASSERT_LT(0, fd);						\
	ASSERT_EQ(0, search_file(fd, self->found));			\
	EXPECT_ONLY_PLAIN();						\
}

CORE_TEST(core_sigabrt, SIGABRT)
CORE_TEST(core_sigsegv, SIGSEGV)
CORE_TEST(core_sigquit, SIGQUIT)

/*
 * By a debugger that does not know of mappings which it is to leave out; see
 * access_gcore_test for one that does
 */

/* By whichever way there is. What cannot be read is zero, as in a core. */
static bool dump_page(pid_t pid, int mem, unsigned long at, void *page)
{
	long *words = page;

	if (pread(mem, page, PAGE, at) == (ssize_t)PAGE)
		return true;
	for (unsigned int i = 0; i < PAGE / sizeof(*words); i++) {
		errno = 0;
		words[i] = ptrace(PTRACE_PEEKDATA, pid,
				  at + i * sizeof(*words), NULL);
		if (errno)
			return false;
	}
	return true;
}

/* Every mapping, whatever its protection is. Returns the pages dumped. */
static long gcore(pid_t pid, int to)
{
	static unsigned char page[PAGE];
	unsigned long begin, end;
	char path[64], line[512];
	long pages = 0;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) != 2)
			continue;
		for (; begin < end; begin += PAGE) {
			if (!dump_page(pid, mem, begin, page))
				continue;
			if (write(to, page, PAGE) != (ssize_t)PAGE)
				return -errno;
			pages++;
		}
	}
	fclose(maps);
	close(mem);
	return pages;
}

TEST_F_TIMEOUT(dump, gcore, 600)
{
	int fd = memfd_create("core", MFD_CLOEXEC);
	struct world w;
	pid_t pid = victim_start(&w);
	int status;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_LT(8, gcore(pid, fd));
	victim_end(pid);
	ASSERT_EQ(0, search_file(fd, self->found));
	EXPECT_ONLY_PLAIN();
}

/*
 * Through the kernel's eyes
 */

/*
 * Where x86-64 maps the kernel's image once more. kcore does not look at page
 * flags there, and shows init memory that was freed and may be anybody's now.
 */
#define KERNEL_IMAGE	0xffffffff80000000ULL

/* Secrets have their place in a page. */
static unsigned int place_of(enum target_kind kind)
{
	if (kind == PACKET)
		return 0;
	return kind == HEAD_SEEN || kind == TAIL_SEEN ?
	       SECRET_AT + SECRET_LEN : SECRET_AT;
}

static void search_page(const unsigned char *page, unsigned int *found)
{
	for (int i = 0; i < NR_TARGETS; i++)
		found[i] += i != CONTROL && secret_is(page + place_of(i), i);
}

/* Returns the bytes searched. */
static __u64 search_segment(int fd, const Elf64_Phdr *ph, unsigned int *found)
{
	static unsigned char buf[64 * PAGE];
	ssize_t got, n;
	__u64 at;

	for (at = 0; at < ph->p_memsz; at += got) {
		got = pread(fd, buf, sizeof(buf), ph->p_offset + at);
		if (got <= 0)
			break;
		for (n = 0; n + (ssize_t)PAGE <= got; n += PAGE)
			search_page(buf + n, found);
	}
	return at;
}

/* Of RAM, and not the kernel's virtual areas or its image. */
static bool is_ram(const Elf64_Phdr *ph, __u64 ram)
{
	return ph->p_type == PT_LOAD && ph->p_memsz <= 2 * ram &&
	       ph->p_paddr <= 8 * ram && ph->p_vaddr < KERNEL_IMAGE;
}

static int search_kcore(unsigned int *found)
{
	__u64 ram = sysconf(_SC_PHYS_PAGES) * PAGE, searched = 0;
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr elf;
	Elf64_Phdr ph;

	if (fd < 0 || pread(fd, &elf, sizeof(elf), 0) != sizeof(elf))
		return -errno;
	for (int i = 0; i < elf.e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), elf.e_phoff + i * sizeof(ph)) !=
		    sizeof(ph))
			break;
		if (is_ram(&ph, ram))
			searched += search_segment(fd, &ph, found);
	}
	close(fd);
	return searched < ram / 2 ? -EIO : 0;
}

TEST_F_TIMEOUT(dump, kcore, 600)
{
	/* Slab memory, and pages that are for control and not for secrets. */
	static const enum target_kind shown[] = {
		KPOOL, WORDS, HEAD, TAIL, HEAD_SEEN, TAIL_SEEN,
	};
	struct world w;
	pid_t pid;
	int ret;

	if (on_uml())
		SKIP(return, "UML has no /proc/kcore");
	pid = victim_start(&w);
	ASSERT_LT(0, pid);
	ret = search_kcore(self->found);
	victim_end(pid);
	if (ret == -ENOENT || ret == -EPERM)
		SKIP(return, "/proc/kcore: %s", strerror(-ret));
	ASSERT_EQ(0, ret);
	/* What SECURITY.md says is there; the search does find it. */
	for (unsigned int i = 0; i < ARRAY_SIZE(shown); i++) {
		EXPECT_LT(0, self->found[shown[i]])
			TH_LOG("%s", target_names[shown[i]]);
		self->found[shown[i]] = 0;
	}
	EXPECT_ONLY_PLAIN();
}

TEST_HARNESS_MAIN
