// SPDX-License-Identifier: GPL-2.0
/*
 * Swap: all that a process has is asked for, and pressed for, to go to a swap
 * device, which is then searched. The device is a ram disk (module brd).
 */
#include "secbuf_target.h"
#include "secbuf_limits.h"
#include "secbuf_proof.h"

#include <sched.h>
#include <sys/swap.h>

#define DISK		"/dev/ram0"
#define ZSWAP		"/sys/module/zswap/parameters"

/*
 * The device
 */

struct disk {
	int		fd;
	size_t		size;
	unsigned char	*bytes;
};

/* All of it, past the page cache. */
static bool disk_read(struct disk *disk)
{
	return pread(disk->fd, disk->bytes, disk->size, 0) ==
	       (ssize_t)disk->size;
}

/* As mkswap does it. */
static bool disk_format(struct disk *disk)
{
	__u32 *header = (void *)(disk->bytes + 1024);

	memset(disk->bytes, 0, disk->size);
	header[0] = 1;				/* version */
	header[1] = disk->size / PAGE - 1;	/* last page */
	memcpy(disk->bytes + PAGE - 10, "SWAPSPACE2", 10);
	return pwrite(disk->fd, disk->bytes, disk->size, 0) ==
	       (ssize_t)disk->size;
}

static int disk_open(struct disk *disk)
{
	disk->fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (disk->fd < 0)
		return -errno;
	disk->size = lseek(disk->fd, 0, SEEK_END);
	disk->bytes = mmap(NULL, disk->size, PROT_RW,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return disk->bytes == MAP_FAILED ? -ENOMEM : 0;
}

/*
 * The victim, in a memory cgroup of its own
 */

struct victim {
	pid_t		pid;
	int		to;
	int		from;
};

static void ask_for_it(struct world *w)
{
	for (int i = 0; i < NR_MAPPED; i++)
		madvise(w->t[i].map, w->t[i].len, MADV_PAGEOUT);
}

/* kB of each mapping that smaps says are swapped. */
static void swapped_of(struct world *w, long *kb)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long begin, end, here = 0;
	char line[512];
	long n;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = begin;
		else if (sscanf(line, "Swap: %ld kB", &n) == 1)
			for (int i = 0; i < NR_MAPPED; i++)
				if ((uintptr_t)w->t[i].map == here)
					kb[i] = n;
	}
	if (f)
		fclose(f);
}

/* A letter is a request: page out, what is swapped?, is all intact? */
static void victim_runs(int in, int out)
{
	static struct world w;
	static long kb[NR_MAPPED];
	char what = world_open(&w) ? 'e' : 'r';

	while (write(out, &what, 1) == 1 && read(in, &what, 1) == 1) {
		if (what == 'p')
			ask_for_it(&w);
		if (what == 's') {
			memset(kb, 0, sizeof(kb));
			swapped_of(&w, kb);
			if (write(out, kb, sizeof(kb)) != sizeof(kb))
				break;
		}
		for (int i = 0; what == 'i' && i < NR_MAPPED; i++)
			if (!target_intact(&w.t[i]))
				what = 'e';
	}
	_exit(0);
}

/* What the victim answers in the end; 'e': it failed. */
static char victim_ask(struct victim *v, char what, void *answer, size_t len)
{
	char reply;

	if (write(v->to, &what, 1) != 1 ||
	    (len && read(v->from, answer, len) != (ssize_t)len) ||
	    read(v->from, &reply, 1) != 1)
		return 'e';
	return reply;
}

static int victim_start(struct victim *v, const struct memcg *cg)
{
	int to[2], from[2];
	char reply;

	if (pipe(to) || pipe(from))
		return -errno;
	v->to = to[1];
	v->from = from[0];
	v->pid = fork();
	if (!v->pid) {
		close(to[1]);
		close(from[0]);
		if (file_write(cg->dir, "cgroup.procs", "0"))
			_exit(1);
		victim_runs(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	if (read(v->from, &reply, 1) != 1 || reply != 'r')
		return -ECHILD;
	return 0;
}

FIXTURE(swap)
{
	struct disk	disk;
	struct memcg	cg;
	struct victim	v;
	int		lacking;	/* errno of the device */
	unsigned int	found[NR_TARGETS];
};

/*
 * Pages that a CPU has still to put on a list are taken by nobody, and it may
 * have nothing to do any more: let it be the one that asks.
 */
static int stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

FIXTURE_SETUP(swap)
{
	ASSERT_EQ(0, stay_on_one_cpu());
	self->lacking = -disk_open(&self->disk);
	if (self->lacking)
		return;
	ASSERT_EQ(0, memcg_open(&self->cg));
	ASSERT_TRUE(disk_format(&self->disk));
	ASSERT_EQ(0, swapon(DISK, 0));
	ASSERT_EQ(0, victim_start(&self->v, &self->cg));
}

FIXTURE_TEARDOWN(swap)
{
	if (self->lacking)
		return;
	kill(self->v.pid, SIGKILL);
	waitpid(self->v.pid, NULL, 0);
	EXPECT_EQ(0, swapoff(DISK));
	memcg_close(&self->cg);
}

#define SKIP_WITHOUT_DISK()						\
do {									\
	if (self->lacking)						\
		SKIP(return, "%s: %s", DISK, strerror(self->lacking));	\
} while (0)

static void search(const struct disk *disk, unsigned int *found)
{
	for (int i = 0; i < NR_TARGETS; i++)
		found[i] = i == CONTROL ? 0 :
			   secret_count(disk->bytes, disk->size, i);
}

/* Both kinds of ordinary memory are there, and nothing else. */
static void expect_only_plain(struct __test_metadata *_metadata,
			      const unsigned int *found)
{
	for (int i = 0; i < NR_TARGETS; i++) {
		if (i == CONTROL)
			continue;
		if (i < POOL)
			EXPECT_CONTROL(true, found[i] > 0);
		else
			EXPECT_HELD(0U, found[i]);
		if (i < POOL ? !found[i] : found[i])
			TH_LOG("%s: %u", target_names[i], found[i]);
	}
}

static bool plain_is_there(const unsigned int *found)
{
	return found[PLAIN_PRIVATE] && found[PLAIN_SHARED];
}

/* Pages are written some time after they were asked for. */
TEST_F(swap, pageout)
{
	__u64 end = now_ms() + WAIT_MS;

	SKIP_WITHOUT_DISK();
	while (!plain_is_there(self->found) && now_ms() < end) {
		ASSERT_EQ('p', victim_ask(&self->v, 'p', NULL, 0));
		sleep_ms(1);
		ASSERT_TRUE(disk_read(&self->disk));
		search(&self->disk, self->found);
	}
	expect_only_plain(_metadata, self->found);
	EXPECT_EQ('i', victim_ask(&self->v, 'i', NULL, 0));
}

TEST_F(swap, pressure)
{
	__u64 end = now_ms() + WAIT_MS;
	int ret;

	SKIP_WITHOUT_DISK();
	while (!plain_is_there(self->found) && now_ms() < end) {
		ret = file_write(self->cg.dir, "memory.reclaim", "1M");
		if (ret && ret != -EAGAIN && ret != -EINTR)
			SKIP(return, "memory.reclaim: %s", strerror(-ret));
		sleep_ms(1);
		ASSERT_TRUE(disk_read(&self->disk));
		search(&self->disk, self->found);
	}
	expect_only_plain(_metadata, self->found);
	EXPECT_EQ('i', victim_ask(&self->v, 'i', NULL, 0));
}

/* What is compressed cannot be searched: the kernel tells what it swapped. */
TEST_F(swap, zswap)
{
	long kb[NR_MAPPED] = { 0 };
	__u64 end = now_ms() + WAIT_MS;
	int ret;

	SKIP_WITHOUT_DISK();
	ret = file_write(ZSWAP, "enabled", "Y");
	if (ret)
		SKIP(return, "zswap: %s", strerror(-ret));
	while (!(kb[PLAIN_PRIVATE] && kb[PLAIN_SHARED]) && now_ms() < end) {
		ASSERT_EQ('p', victim_ask(&self->v, 'p', NULL, 0));
		sleep_ms(1);
		ASSERT_EQ('s', victim_ask(&self->v, 's', kb, sizeof(kb)));
	}
	ASSERT_TRUE(disk_read(&self->disk));
	search(&self->disk, self->found);
	for (int i = 0; i < NR_MAPPED; i++) {
		if (i < POOL)
			EXPECT_CONTROL(true, kb[i] > 0);
		else
			EXPECT_HELD(0L, kb[i]);
	}
	/* It was zswap that took them. */
	EXPECT_FALSE(plain_is_there(self->found));
	EXPECT_EQ('i', victim_ask(&self->v, 'i', NULL, 0));
	EXPECT_EQ(0, file_write(ZSWAP, "enabled", "N"));
}

TEST_HARNESS_MAIN
