// SPDX-License-Identifier: GPL-2.0
/*
 * No secret is in the segment of the kernel's image: /proc/kcore shows that
 * without a look at page flags, with what was init code and is free memory now.
 *
 * A child takes nearly all of the memory, as ordinary memory, which must meet
 * such pages or the test proves nothing. Those, and others that lie scattered, it
 * gives back, and a pool gets as much as there is then, but for less than what
 * was given back: it must not have them. Nor does its memory cgroup pay for them.
 * If somebody else needs what is left, the kernel kills the child: then all that
 * there was is taken.
 *
 * The module keeps those that it has met: this is the first test for which it is
 * loaded.
 */
#include "secbuf_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "secbuf_limits.h"

/* Granted at once. */
#define BATCH		256

/* What the cgroup has room for besides what it has: more than a batch; bytes. */
#define ROOM		(2UL << 20)

/* No machine that does other things is to be filled up. */
#define MOST_PAGES	(640L << 20 >> 12)

/*
 * Left for everybody else, while memory is taken and while the pool is granted
 * the rest: more than the kernel's own reserves, the settings below and what is
 * for devices alone.
 */
#define RESERVE		(12UL << 20)
#define LEFT		(4UL << 20)

/* Taken between two looks at what is left. */
#define STEP		(1024UL * 1024)

/* Of the pages that are not in the image one in so many is given back. */
#define SCATTER		64

#define KPF_OFFLINE	23
#define PM_PFN(entry)	((entry) & ((1ULL << 55) - 1))

struct image {
	__u64 first;		/* frames */
	__u64 last;
};

/* False if the kernel does not say where it is. */
static bool image_find(struct image *image)
{
	FILE *iomem = fopen("/proc/iomem", "re");
	unsigned long long start, end;
	char line[256];

	*image = (struct image){ .first = ~0ULL };
	while (iomem && fgets(line, sizeof(line), iomem)) {
		if (!strstr(line, " : Kernel ") ||
		    sscanf(line, " %llx-%llx", &start, &end) != 2 || !end)
			continue;
		if (start / PAGE < image->first)
			image->first = start / PAGE;
		if (end / PAGE > image->last)
			image->last = end / PAGE;
	}
	if (iomem)
		fclose(iomem);
	return image->last;
}

/* Entries of 8 bytes at an index. */
static ssize_t entries_read(const char *path, __u64 first, __u64 *entries,
			    size_t nr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = pread(fd, entries, nr * sizeof(*entries),
		    first * sizeof(*entries));
	close(fd);
	return got < 0 ? -1 : got / (ssize_t)sizeof(*entries);
}

/* Frames of the image that carry the flag of pools' pages; -1: unknown. */
static long image_offline(const struct image *image)
{
	size_t nr = image->last - image->first + 1;
	__u64 *flags = calloc(nr, sizeof(*flags));
	long found = 0;
	ssize_t i, got;

	if (!flags)
		return -1;
	got = entries_read("/proc/kpageflags", image->first, flags, nr);
	for (i = 0; i < got; i++)
		found += flags[i] >> KPF_OFFLINE & 1;
	free(flags);
	return got == (ssize_t)nr ? found : -1;
}

static bool in_image(const struct image *image, __u64 entry)
{
	return PM_PFN(entry) >= image->first && PM_PFN(entry) <= image->last;
}

/* Gives pages back; returns how many are in the image, or -1. */
static long give_back(const struct image *image, char *bytes, size_t size)
{
	long nr = 0, inside = 0;
	__u64 entries[512];
	ssize_t i, got;
	size_t at;

	for (at = 0; at < size; at += got * PAGE) {
		got = entries_read("/proc/self/pagemap",
				   (uintptr_t)(bytes + at) / PAGE, entries, 512);
		if (got <= 0)
			return -1;
		for (i = 0; i < got && at + i * PAGE < size; i++) {
			inside += in_image(image, entries[i]);
			if (in_image(image, entries[i]) || !(nr++ % SCATTER))
				madvise(bytes + at + i * PAGE, PAGE,
					MADV_DONTNEED);
		}
	}
	return inside;
}

static size_t memory_free(void)
{
	long kib = file_number("/proc", "meminfo", "MemFree:");

	return kib > 0 ? (size_t)kib << 10 : 0;
}

/* All but the reserve: @size bytes at the start of a larger mapping. */
static char *take_most(size_t *size)
{
	size_t most = memory_free();
	char *bytes;

	bytes = mmap(NULL, most + STEP, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		return bytes;
	madvise(bytes, most + STEP, MADV_NOHUGEPAGE);
	for (*size = 0; *size < most && memory_free() > RESERVE; *size += STEP)
		memset(bytes + *size, 1, STEP);
	return bytes;
}

/* The child that has the memory, and what it took and found, in pages. */
struct hog {
	pid_t pid;
	struct {
		long taken;
		long found;
	} pages;
};

static void hog_run(const struct image *image, int out)
{
	struct hog hog;
	size_t size;
	char *bytes;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    file_write("/proc/self", "oom_score_adj", "1000"))
		_exit(1);
	bytes = take_most(&size);
	if (bytes == MAP_FAILED)
		_exit(1);
	hog.pages.taken = size / PAGE;
	hog.pages.found = give_back(image, bytes, size);
	if (write(out, &hog.pages, sizeof(hog.pages)) != sizeof(hog.pages))
		_exit(1);
	pause();
	_exit(1);
}

/* False: it could not take the memory. */
static bool hog_start(struct hog *hog, const struct image *image)
{
	int ends[2];
	ssize_t got;

	if (pipe(ends))
		return false;
	hog->pid = fork();
	if (!hog->pid) {
		close(ends[0]);
		hog_run(image, ends[1]);
	}
	close(ends[1]);
	got = read(ends[0], &hog->pages, sizeof(hog->pages));
	close(ends[0]);
	return hog->pid > 0 && got == sizeof(hog->pages);
}

static bool hog_is_there(const struct hog *hog)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, hog->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       !info.si_pid;
}

static void hog_end(const struct hog *hog)
{
	kill(hog->pid, SIGKILL);
	waitpid(hog->pid, NULL, 0);
}

static int cgroup_make_room(const struct memcg *cg)
{
	long bytes = file_number(cg->dir, "memory.current", "");
	char limit[32];

	if (bytes < 0)
		return 0;
	snprintf(limit, sizeof(limit), "%lu", bytes + ROOM);
	return file_write(cg->dir, "memory.max", limit);
}

/*
 * How many slots of a page were granted; -1: none although there was memory, and
 * more than what was found in the image besides, which is not for pools.
 */
static long grant_rest(int pool, const struct memcg *cg, const struct hog *hog)
{
	size_t left = LEFT + BATCH * PAGE;
	__u64 ids[BATCH];
	bool enough;
	long sum = 0;
	int got;

	while (hog_is_there(hog) && memory_free() > left) {
		enough = memory_free() > left + hog->pages.found * PAGE;
		if (cgroup_make_room(cg))
			return -1;
		got = pool_alloc(pool, ids, BATCH);
		if (got != BATCH && enough)
			return -1;
		if (got <= 0)
			break;
		sum += got;
	}
	return sum;
}

/* The kernel's own reserves: smaller ones, and none that grow by themselves. */
static const struct setting {
	const char *name;
	const char *value;
} settings[] = {
	{ "min_free_kbytes", "1024" },
	{ "watermark_boost_factor", "0" },
	{ "percpu_pagelist_high_fraction", "100000" },
};

#define NR_SETTINGS	(sizeof(settings) / sizeof(settings[0]))

static bool vm_write(const char *name, const char *value)
{
	return !file_write("/proc/sys/vm", name, value);
}

FIXTURE(image) {
	char was[NR_SETTINGS][32];
	struct image image;
	struct memcg cg;
	int dev;
};

FIXTURE_SETUP(image)
{
	size_t i;

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	if (on_uml())
		return;
	for (i = 0; i < NR_SETTINGS; i++) {
		snprintf(self->was[i], sizeof(self->was[i]), "%ld",
			 file_number("/proc/sys/vm", settings[i].name, ""));
		ASSERT_TRUE(vm_write(settings[i].name, settings[i].value));
	}
	ASSERT_TRUE(vm_write("drop_caches", "3"));
	ASSERT_EQ(0, memcg_open(&self->cg));
}

FIXTURE_TEARDOWN(image)
{
	size_t i;

	close(self->dev);
	if (on_uml())
		return;
	file_write(self->cg.root, "cgroup.procs", "0");
	memcg_close(&self->cg);
	for (i = 0; i < NR_SETTINGS; i++)
		vm_write(settings[i].name, self->was[i]);
}

TEST_F_TIMEOUT(image, is_passed_over, 300)
{
	struct secbuf_pool_create_args pool;
	struct hog hog;
	long granted, offline;
	bool killed;

	if (on_uml() || !image_find(&self->image))
		SKIP(return, "/proc/iomem does not say where the kernel is");
	if (sysconf(_SC_PHYS_PAGES) > MOST_PAGES)
		SKIP(return, "this is for guests of little memory");
	ASSERT_EQ(0, image_offline(&self->image));

	ASSERT_TRUE(hog_start(&hog, &self->image));
	ASSERT_EQ(0, file_write(self->cg.dir, "cgroup.procs", "0"));
	ASSERT_EQ(0, pool_create(self->dev, PAGE, MOST_PAGES, &pool));
	granted = grant_rest(pool.out_fd, &self->cg, &hog);
	killed = !hog_is_there(&hog);
	hog_end(&hog);
	EXPECT_LT(0, granted);
	offline = image_offline(&self->image);
	EXPECT_EQ(0, offline);
	close(pool.out_fd);

	TH_LOG("in the image: %ld of %ld pages of ordinary memory, of %ld slots none%s",
	       hog.pages.found, hog.pages.taken, granted,
	       killed ? "; no memory was left" : "");
	ASSERT_LE(0, hog.pages.found);
	if (!hog.pages.found && !offline)
		SKIP(return, "nothing of the kernel's image is free memory");
}

TEST_HARNESS_MAIN
