// SPDX-License-Identifier: GPL-2.0
/*
 * What a process may advise the kernel of, and what fork makes of it: no advice
 * undoes a protection, and all others do no harm.
 */
#include "secbuf_access.h"

#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/uio.h>

#define NONE	LACKING			/* that kernel does not know it */

/* By number, which is ABI: headers may not know all. */
static const struct {
	int	advice;
	enum target_kind control;
	int	errors[NR_KERNELS];
} advices[] = {
	/* NORMAL, RANDOM, SEQUENTIAL, WILLNEED */
	{ 0,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 1,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 2,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 3,	PLAIN_SHARED,  { 0, 0, 0 } },
	/* DONTNEED, FREE, REMOVE */
	{ 4,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 8,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 9,	PLAIN_SHARED,  { ENODEV, ENODEV, ENODEV } },
	/* DONTFORK, DOFORK */
	{ 10,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 11,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	/* MERGEABLE, UNMERGEABLE, HUGEPAGE, NOHUGEPAGE: wishes, not heeded */
	{ 12,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 13,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 14,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 15,	PLAIN_PRIVATE, { 0, 0, 0 } },
	/* DONTDUMP, DODUMP, WIPEONFORK, KEEPONFORK */
	{ 16,	PLAIN_PRIVATE, { 0, 0, 0 } },
	{ 17,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 18,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 19,	PLAIN_PRIVATE, { 0, 0, 0 } },
	/* COLD, PAGEOUT, POPULATE_READ, POPULATE_WRITE, DONTNEED_LOCKED */
	{ 20,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 21,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 22,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 23,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	{ 24,	PLAIN_PRIVATE, { EINVAL, EINVAL, EINVAL } },
	/* GUARD_INSTALL, GUARD_REMOVE, SOFT_OFFLINE, HWPOISON */
	{ 102,	PLAIN_PRIVATE, { NONE, NONE, EINVAL } },
	{ 103,	PLAIN_PRIVATE, { NONE, NONE, EINVAL } },
	{ 101,	PLAIN_PRIVATE, { EFAULT, EFAULT, EFAULT } },
	{ 100,	PLAIN_PRIVATE, { EFAULT, EFAULT, EFAULT } },
};

static int advise(struct target *t, int advice)
{
	return madvise(t->map, t->len, advice) ? errno : 0;
}

/* Nothing is asked of no bytes but whether the number is known. */
static bool is_advice(int advice)
{
	return !madvise(NULL, 0, advice);
}

/* These take pages from the machine: not from ordinary memory. */
static bool does_damage(int advice)
{
	return advice == 100 || advice == 101;
}

TEST_F(object, madvise)
{
	int expected, err, advice;
	enum target_kind control;

	/* What this kernel does not have it must refuse, and is not counted. */
	for (unsigned int i = 0; i < ARRAY_SIZE(advices); i++) {
		advice = advices[i].advice;
		control = advices[i].control;
		expected = advices[i].errors[kernel_column()];
		if (!is_advice(advice)) {
			EXPECT_EQ(EINVAL, advise(self->t, advice));
			continue;
		}
		if (advice == 9 && self->t->read_only)
			expected = EACCES;
		if (!does_damage(advice))
			EXPECT_CONTROL(0, advise(&self->w.t[control], advice));
		err = advise(self->t, advice);
		EXPECT_HELD(expected, err);
		if (err != expected)
			TH_LOG("advice %d", advice);
		EXPECT_PROTECTED();
	}
}

/* Numbers that nobody knows today: whoever adds one has to look at this. */
TEST_F(object, madvise_others)
{
	for (int advice = 0; advice < 128; advice++) {
		bool known = advice == 25;

		for (unsigned int i = 0; i < ARRAY_SIZE(advices); i++)
			known |= advices[i].advice == advice;
		if (!known)
			EXPECT_FALSE(is_advice(advice))
				TH_LOG("advice %d is new", advice);
	}
}

#define HUGE_ROOM	(4UL << 20)

static int madvise_collapse(struct target *t)
{
	void *huge;

	if (t->kind >= POOL)
		return advise(t, 25);
	huge = mmap(NULL, HUGE_ROOM, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (huge == MAP_FAILED)
		return errno;
	memset(huge, 1, HUGE_ROOM);
	if (madvise(huge, HUGE_ROOM, 25))
		return lacking("MADV_COLLAPSE");
	munmap(huge, HUGE_ROOM);
	return 0;
}

ATTACK(madvise_collapse, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)

/*
 * fork
 */

static int child_looks(struct target *t)
{
	int sig = touch(target_secret(t), false);

	if (sig)
		return sig == SIGSEGV ? ENODATA : EIO;
	return secret_is(target_secret(t), t->kind) ? 0 : ENODATA;
}

static int fork_plainly(struct target *t)
{
	return in_child(child_looks, t);
}

static int fork_after_dofork(struct target *t)
{
	if (t->kind < POOL)
		madvise(t->map, t->len, MADV_DONTFORK);
	madvise(t->map, t->len, MADV_DOFORK);
	return in_child(child_looks, t);
}

static int fork_after_keeponfork(struct target *t)
{
	madvise(t->map, t->len, MADV_WIPEONFORK);
	madvise(t->map, t->len, MADV_KEEPONFORK);
	return in_child(child_looks, t);
}

/* Of one page: what was split off would have flags of its own. */
static int fork_after_dofork_of_a_part(struct target *t)
{
	if (t->kind < POOL)
		madvise(t->page, PAGE, MADV_DONTFORK);
	madvise(t->page, PAGE, MADV_DOFORK);
	return in_child(child_looks, t);
}

ATTACK(fork_plainly, PLAIN_PRIVATE, ENODATA, ENODATA, ENODATA)
ATTACK(fork_after_dofork, PLAIN_PRIVATE, ENODATA, ENODATA, ENODATA)
ATTACK(fork_after_keeponfork, PLAIN_PRIVATE, ENODATA, ENODATA, ENODATA)
ATTACK(fork_after_dofork_of_a_part, PLAIN_PRIVATE, ENODATA, ENODATA, ENODATA)

/* These two keep even ordinary memory from the child: nothing to compare. */
TEST_F(object, fork_after_dontfork_and_wipeonfork)
{
	madvise(self->t->map, self->t->len, MADV_DONTFORK);
	EXPECT_EQ(ENODATA, in_child(child_looks, self->t));
	madvise(self->t->map, self->t->len, MADV_WIPEONFORK);
	EXPECT_EQ(ENODATA, in_child(child_looks, self->t));
	EXPECT_INTACT();
}

/*
 * What is allowed, and must do no harm: the mapping is what it was, and nobody
 * can read it who could not.
 */

static int clear_refs(const char *what)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return 0;
	if (write(fd, what, 1) != 1)
		err = errno;
	close(fd);
	return err;
}

TEST_F(object, harmless)
{
	struct target *t = self->t;
	unsigned char buf[SECRET_LEN];
	struct iovec local = { buf, sizeof(buf) };
	struct iovec remote = { target_secret(t), sizeof(buf) };
	unsigned long node = 1;
	int prot = t->read_only ? PROT_READ : PROT_RW;

	EXPECT_EQ(0, mlock(t->map, t->len));
	EXPECT_EQ(0, mlock2(t->map, t->len, MLOCK_ONFAULT));
	EXPECT_EQ(0, munlock(t->map, t->len));
	EXPECT_EQ(0, mlockall(MCL_CURRENT));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, clear_refs("1"));
	EXPECT_EQ(0, clear_refs("4"));
	syscall(SYS_mbind, t->map, t->len, MPOL_PREFERRED, &node, 8, 0);
	syscall(SYS_migrate_pages, 0, 8, &node, &node);
	EXPECT_EQ(0, mprotect(t->map, t->len, PROT_NONE));
	EXPECT_EQ(SIGSEGV, touch(target_secret(t), false));
	EXPECT_EQ(0, mprotect(t->map, t->len, prot));
	EXPECT_PROTECTED();
	EXPECT_HELD(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

/*
 * Since 6.7 any mapping can be write-protected by its own process, who learns
 * which pages were written to afterwards.
 */
TEST_F(object, userfaultfd_wp_async)
{
	const __u64 wp_unpopulated = 1 << 13, wp_async = 1 << 15;
	struct uffdio_api api = {
		.api = UFFD_API, .features = wp_unpopulated | wp_async,
	};
	struct target *t = self->t;
	struct uffdio_register reg = {
		.range.start = (uintptr_t)t->map, .range.len = t->len,
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect protect = {
		.range = reg.range, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	int err;

	if (fd < 0)
		SKIP(return, "userfaultfd: %s", strerror(errno));
	if (ioctl(fd, UFFDIO_API, &api))
		SKIP(return, "UFFD_FEATURE_WP_ASYNC: %s", strerror(errno));
	/* A later kernel may refuse it, too. */
	err = ioctl(fd, UFFDIO_REGISTER, &reg) ? errno : 0;
	EXPECT_TRUE(!err || err == (t->read_only ? EPERM : EINVAL));
	if (!err)
		EXPECT_EQ(0, ioctl(fd, UFFDIO_WRITEPROTECT, &protect));
	EXPECT_INTACT();
	EXPECT_EQ(t->read_only ? SIGSEGV : 0, touch(t->page + PAGE / 2, true));
	EXPECT_PROTECTED();
	close(fd);
	EXPECT_PROTECTED();
}

TEST_HARNESS_MAIN
