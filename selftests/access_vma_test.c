// SPDX-License-Identifier: GPL-2.0
/*
 * What a process may do to its mappings: none of it undoes a protection, brings
 * the bytes elsewhere, or takes a mapping apart.
 */
#include "secbuf_access.h"

#include <linux/mempolicy.h>
#include <linux/prctl.h>
#include <linux/userfaultfd.h>
#include <sys/prctl.h>

/* What can be taken apart. */
ACCESS_FIXTURE(part)
OBJECTS_WITH_PARTS(part);

/* What one may look at and others write. */
ACCESS_FIXTURE(view)
OBJECT(view, control_page, CONTROL);
OBJECT(view, ring_head_seen, HEAD_SEEN);
OBJECT(view, ring_tail_seen, TAIL_SEEN);

TEST_F(object, flags)
{
	const char *has = vm_flags(self->t->map);

	if (!has)
		SKIP(return, "the kernel has no VmFlags in /proc/PID/smaps");
	EXPECT_PROTECTED();
	/* Others cannot change it later, nor execute it. */
	EXPECT_EQ(NULL, strstr(has, " me"));
	EXPECT_EQ(self->t->read_only, !strstr(has, " mw"));
}

/*
 * mremap
 */

static int remap(void *from, size_t old, size_t new, int flags, void *to)
{
	return mremap(from, old, new, flags, to) == MAP_FAILED ? errno : 0;
}

/* Room that may be mapped over. */
static void *room(size_t len)
{
	void *p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static int mremap_grow(struct target *t)
{
	return remap(t->map, t->len, 2 * t->len, MREMAP_MAYMOVE, NULL);
}

static int mremap_move(struct target *t)
{
	return remap(t->map, t->len, t->len, MREMAP_MAYMOVE | MREMAP_FIXED,
		     room(t->len));
}

static int mremap_move_and_grow(struct target *t)
{
	return remap(t->map, t->len, 2 * t->len, MREMAP_MAYMOVE | MREMAP_FIXED,
		     room(2 * t->len));
}

static int mremap_duplicate(struct target *t)
{
	return remap(t->map, 0, t->len, MREMAP_MAYMOVE, NULL);
}

static int mremap_dontunmap(struct target *t)
{
	return remap(t->map, t->len, t->len, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
		     NULL);
}

static int mremap_dontunmap_fixed(struct target *t)
{
	return remap(t->map, t->len, t->len, MREMAP_MAYMOVE | MREMAP_FIXED |
		     MREMAP_DONTUNMAP, room(t->len));
}

ATTACK(mremap_grow, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(mremap_move, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK(mremap_move_and_grow, PLAIN_PRIVATE, EFAULT, EFAULT, EFAULT)
ATTACK(mremap_duplicate, PLAIN_SHARED, EFAULT, EFAULT, EFAULT)
ATTACK(mremap_dontunmap, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK(mremap_dontunmap_fixed, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)

/*
 * Parts: the last page, or the first, of a mapping that stays in one piece
 */

static unsigned char *last_page(struct target *t)
{
	return t->map + t->len - PAGE;
}

static int mremap_shrink(struct target *t)
{
	return remap(t->map, t->len, t->len - PAGE, 0, NULL);
}

static int mremap_move_part(struct target *t)
{
	return remap(t->page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     room(PAGE));
}

static int munmap_part(struct target *t)
{
	return munmap(last_page(t), PAGE) ? errno : 0;
}

static int munmap_first_part(struct target *t)
{
	return munmap(t->map, PAGE) ? errno : 0;
}

static int mprotect_part(struct target *t)
{
	return mprotect(last_page(t), PAGE, PROT_NONE) ? errno : 0;
}

static int mmap_over_part(struct target *t)
{
	return mmap(last_page(t), PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0) == MAP_FAILED ? errno : 0;
}

/* With a flag that it does not have yet. */
static int madvise_part(struct target *t)
{
	return madvise(last_page(t), PAGE, MADV_RANDOM) ? errno : 0;
}

static int remap_file_pages_(struct target *t)
{
	return syscall(SYS_remap_file_pages, t->map, PAGE, 0, 1, 0) ? errno : 0;
}

static int mbind_part(struct target *t)
{
	unsigned long node = 1;

	if (syscall(SYS_mbind, last_page(t), PAGE, MPOL_PREFERRED, &node, 8, 0))
		return errno == ENOSYS ? lacking("mbind") : errno;
	return 0;
}

#define ATTACK_PART(name, control, ...)					\
	ATTACK_ON(part, name, name, control, __VA_ARGS__)

ATTACK_PART(mremap_shrink, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK_PART(mremap_move_part, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK_PART(munmap_part, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK_PART(munmap_first_part, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK_PART(mprotect_part, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK_PART(mmap_over_part, PLAIN_PRIVATE, ENOMEM, EINVAL, EINVAL)
ATTACK_PART(madvise_part, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK_ON(part, remap_file_pages, remap_file_pages_, PLAIN_SHARED,
	  ENOMEM, EINVAL, EINVAL)
ATTACK_PART(mbind_part, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)

/*
 * Protections
 */

static int mprotect_exec(struct target *t)
{
	return mprotect(t->map, t->len, PROT_READ | PROT_EXEC) ? errno : 0;
}

/* Without a key, which not all machines have. */
static int protect_by_key(struct target *t, int prot)
{
	if (!syscall(SYS_pkey_mprotect, t->map, t->len, prot, -1))
		return 0;
	return errno == ENOSYS ? lacking("pkey_mprotect") : errno;
}

static int pkey_mprotect_exec(struct target *t)
{
	return protect_by_key(t, PROT_READ | PROT_EXEC);
}

static int mprotect_write(struct target *t)
{
	return mprotect(t->map, t->len, PROT_RW) ? errno : 0;
}

static int pkey_mprotect_write(struct target *t)
{
	return protect_by_key(t, PROT_RW);
}

/* A store of the program's. */
static int store(struct target *t)
{
	return touch(target_secret(t), true) ? EFAULT : 0;
}

ATTACK(mprotect_exec, PLAIN_PRIVATE, EACCES, EACCES, EACCES)
ATTACK(pkey_mprotect_exec, PLAIN_PRIVATE, EACCES, EACCES, EACCES)

#define ATTACK_VIEW(name, control, ...)					\
	ATTACK_ON(view, name, name, control, __VA_ARGS__)

ATTACK_VIEW(mprotect_write, PLAIN_SHARED, EACCES, EACCES, EACCES)
ATTACK_VIEW(pkey_mprotect_write, PLAIN_SHARED, EACCES, EACCES, EACCES)
ATTACK_VIEW(store, PLAIN_SHARED, EFAULT, EFAULT, EFAULT)

/*
 * mmap
 */

static int map(const struct target *t, size_t len, int prot, int flags,
	       __u64 offset)
{
	void *p = mmap(NULL, len, prot, flags, t->fd, offset);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, len);
	return 0;
}

static int mmap_private(struct target *t)
{
	return map(t, t->len, PROT_READ, MAP_PRIVATE, t->offset);
}

/* What copy-on-write would be for. */
static int mmap_private_write(struct target *t)
{
	return map(t, t->len, t->read_only ? PROT_READ : PROT_RW,
		   MAP_PRIVATE | MAP_POPULATE, t->offset);
}

static int mmap_exec(struct target *t)
{
	return map(t, t->len, PROT_READ | PROT_EXEC, MAP_SHARED, t->offset);
}

static int mmap_write(struct target *t)
{
	return map(t, t->len, PROT_RW, MAP_SHARED, t->offset);
}

static int mmap_shorter(struct target *t)
{
	return map(t, t->len - PAGE, PROT_READ, MAP_SHARED, t->offset);
}

static int mmap_longer(struct target *t)
{
	return map(t, t->len + PAGE, PROT_READ, MAP_SHARED, t->offset);
}

static int mmap_elsewhere(struct target *t)
{
	return map(t, t->len, PROT_READ, MAP_SHARED, t->offset + PAGE);
}

static int mmap_far_away(struct target *t)
{
	return map(t, t->len, PROT_READ, MAP_SHARED, 1ULL << 62);
}

static int mmap_before(struct target *t)
{
	return map(t, t->len, PROT_READ, MAP_SHARED,
		   t->offset ? t->offset - PAGE : PAGE);
}

ATTACK(mmap_private, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK(mmap_private_write, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK(mmap_exec, PLAIN_SHARED, EPERM, EPERM, EPERM)
ATTACK_VIEW(mmap_write, PLAIN_SHARED, EPERM, EPERM, EPERM)
ATTACK_PART(mmap_shorter, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK(mmap_longer, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK(mmap_elsewhere, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK(mmap_far_away, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)
ATTACK(mmap_before, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)

/*
 * Others who look after memory
 */

static int merge_all(struct target *t)
{
	const int set_memory_merge = 67;	/* PR_SET_MEMORY_MERGE */
	const char *has;

	if (prctl(set_memory_merge, 1, 0, 0, 0))
		return lacking("PR_SET_MEMORY_MERGE");
	has = vm_flags(t->map);
	if (!has)
		return lacking("/proc/PID/smaps");
	return strstr(has, " mg") ? 0 : ENODATA;
}

static int userfaultfd_register(struct target *t, __u64 features, __u64 mode)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = {
		.range.start = (uintptr_t)t->map, .range.len = t->len,
		.mode = mode,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return lacking("userfaultfd");
	if (ioctl(fd, UFFDIO_API, &api))
		return lacking("UFFDIO_API");
	return ioctl(fd, UFFDIO_REGISTER, &reg) ? errno : 0;
}

static int userfaultfd_missing(struct target *t)
{
	return userfaultfd_register(t, 0, UFFDIO_REGISTER_MODE_MISSING);
}

static int userfaultfd_wp(struct target *t)
{
	return userfaultfd_register(t, UFFD_FEATURE_PAGEFAULT_FLAG_WP,
				    UFFDIO_REGISTER_MODE_WP);
}

static int userfaultfd_minor(struct target *t)
{
	return userfaultfd_register(t, UFFD_FEATURE_MINOR_SHMEM,
				    UFFDIO_REGISTER_MODE_MINOR);
}

static int move_pages_(struct target *t)
{
	void *pages[] = { t->page };
	int nodes[] = { 0 }, status[] = { -1 };

	if (syscall(SYS_move_pages, 0, 1, pages, nodes, status,
		    MPOL_MF_MOVE) < 0)
		return lacking("move_pages");
	return status[0] < 0 ? -status[0] : 0;
}

ATTACK(merge_all, PLAIN_PRIVATE, ENODATA, ENODATA, ENODATA)
ATTACK(userfaultfd_missing, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK(userfaultfd_wp, PLAIN_PRIVATE, EINVAL, EINVAL, EINVAL)
ATTACK(userfaultfd_minor, PLAIN_SHARED, EINVAL, EINVAL, EINVAL)

ATTACK_ON(object, move_pages, move_pages_, PLAIN_PRIVATE,
	  EFAULT, EFAULT, EFAULT)

TEST_HARNESS_MAIN
