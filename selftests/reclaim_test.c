// SPDX-License-Identifier: GPL-2.0
/*
 * Memory gets short, in a memory cgroup and in the whole machine: idle memory of
 * pools goes, before anybody is killed, and live slots keep their contents.
 */
#include "secbuf_fixture.h"
#include "secbuf_limits.h"
#include "secbuf_touch.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define MIB		(1024UL * 1024)
#define SLOT		(16 * PAGE)
#define POOL_MIB	16
#define NR_SLOTS	(POOL_MIB * MIB / SLOT)
#define LIMIT_MIB	32

/* A pool of POOL_MIB, a quarter of it live, the rest idle. */
struct part {
	struct pool	p;
	__u64		ids[NR_SLOTS];
};

static bool part_setup(struct part *part, int dev, int fd)
{
	struct pool *p = &part->p;
	int ret = fd < 0 ? pool_open_flags(p, dev, SLOT, 2 * NR_SLOTS,
					   SECBUF_POOL_F_PASSABLE) :
			   pool_join(p, fd);

	if (ret || pool_alloc(p->fd, part->ids, NR_SLOTS) != NR_SLOTS)
		return false;
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		memset(pool_slot(p, part->ids[i]), 1 + i % 250, SLOT);
	return pool_free(p->fd, part->ids + NR_SLOTS / 4, NR_SLOTS * 3 / 4) ==
	       NR_SLOTS * 3 / 4;
}

static bool part_is_intact(const struct part *part)
{
	for (unsigned int i = 0; i < NR_SLOTS / 4; i++)
		if (count_not(pool_slot(&part->p, part->ids[i]), 1 + i % 250,
			      SLOT))
			return false;
	return true;
}

static __u32 idle_slots(int fd)
{
	struct secbuf_pool_stats_args stats;

	return pool_stats(fd, &stats) ? ~0U : stats.out_available;
}

/* Ordinary memory, touched. */
static unsigned char *hog(size_t size)
{
	unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; p != MAP_FAILED && i < size; i += PAGE)
		p[i] = 1;
	return p;
}

/* A cgroup of LIMIT_MIB. */
FIXTURE(cgroup)
{
	int		dev;
	__u64		bytes;
	struct memcg	cg;
	struct part	*out;		/* a member outside of the cgroup */
};

FIXTURE_SETUP(cgroup)
{
	char limit[16];

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->bytes = secbuf_bytes(self->dev);
	self->out = calloc(1, sizeof(*self->out));
	ASSERT_NE(NULL, self->out);
	ASSERT_EQ(0, memcg_open(&self->cg));
	snprintf(limit, sizeof(limit), "%luM", (unsigned long)LIMIT_MIB);
	if (file_write(self->cg.dir, "memory.max", limit))
		SKIP(return, "no memory controller");
	file_write(self->cg.dir, "memory.swap.max", "0");
}

FIXTURE_TEARDOWN(cgroup)
{
	memcg_close(&self->cg);
	EXPECT_EQ(self->bytes, secbuf_bytes(self->dev));
	close(self->dev);
}

#define EXPECT_NOBODY_KILLED()						\
	EXPECT_EQ(0, file_number(self->cg.dir, "memory.events", "oom_kill "))

/* What fits only if the idle memory goes. */
#define HOG_SIZE	((LIMIT_MIB - POOL_MIB / 4 - 6) * MIB)

static int idle_gives_way(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static struct part part;
	struct secbuf_pool_control *control;
	struct pollfd pfd;

	if (!part_setup(&part, self->dev, -1))
		return 1;
	control = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, part.p.fd,
		       SECBUF_POOL_MMAP_CONTROL);
	if (control == MAP_FAILED || control->pressure)
		return 2;
	if (idle_slots(part.p.fd) != NR_SLOTS * 3 / 4)
		return 3;
	hog(HOG_SIZE);
	if (idle_slots(part.p.fd) >= NR_SLOTS * 3 / 4)
		return 4;
	if (!part_is_intact(&part))
		return 5;
	if (!control->pressure)
		return 6;
	pfd = (struct pollfd){ .fd = part.p.fd, .events = POLLPRI };
	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLPRI ? 0 : 7;
}

TEST_F(cgroup, idle_gives_way)
{
	EXPECT_EQ(0, memcg_run(&self->cg, idle_gives_way, self));
	EXPECT_NOBODY_KILLED();
}

static int parked_gives_way(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	struct secbuf_pool_create_args args;
	static __u64 ids[NR_SLOTS];

	if (kpool_create(self->dev, SLOT, 0, 4 * NR_SLOTS, &args) ||
	    pool_alloc(args.out_fd, ids, NR_SLOTS) != NR_SLOTS ||
	    pool_free(args.out_fd, ids, NR_SLOTS) != NR_SLOTS)
		return 1;
	if (idle_slots(args.out_fd) != NR_SLOTS)
		return 2;
	hog(HOG_SIZE);
	return idle_slots(args.out_fd) < NR_SLOTS ? 0 : 3;
}

/* Of kernel-held pools, too. */
TEST_F(cgroup, parked_gives_way)
{
	EXPECT_EQ(0, memcg_run(&self->cg, parked_gives_way, self));
	EXPECT_NOBODY_KILLED();
}

static int idle_of_another_pool(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static struct part part;
	static __u64 ids[4 * NR_SLOTS];
	unsigned int nr = HOG_SIZE / SLOT;
	struct pool p;
	int ret;

	if (!part_setup(&part, self->dev, -1) ||
	    pool_open(&p, self->dev, SLOT, 4 * NR_SLOTS))
		return 1;
	if (pool_alloc(p.fd, ids, nr) != (int)nr)
		return 2;
	if (!part_is_intact(&part))
		return 3;
	/* And when there is none left, it is an error. */
	if (pool_alloc(p.fd, ids, nr) >= (int)nr)
		return 4;
	/* What CPUs had in stock may do for some more. */
	do
		ret = pool_alloc(p.fd, ids, 1);
	while (ret == 1);
	return ret == -ENOMEM ? 0 : 5;
}

TEST_F(cgroup, idle_of_another_pool)
{
	EXPECT_EQ(0, memcg_run(&self->cg, idle_of_another_pool, self));
	EXPECT_NOBODY_KILLED();
}

static int member_in_cgroup(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static struct part part;

	if (!part_setup(&part, self->dev, self->out->p.fd))
		return 1;
	hog(HOG_SIZE);
	if (!part_is_intact(&part))
		return 2;
	/* Here those of all are counted: the ones outside are left. */
	return idle_slots(part.p.fd) >= NR_SLOTS * 3 / 4 &&
	       idle_slots(part.p.fd) < NR_SLOTS * 3 / 2 ? 0 : 3;
}

/* A cgroup asks for what is charged to it, not for what others pay for. */
TEST_F(cgroup, only_its_own)
{
	ASSERT_TRUE(part_setup(self->out, self->dev, -1));
	EXPECT_EQ(0, memcg_run(&self->cg, member_in_cgroup, self));
	EXPECT_NOBODY_KILLED();
	EXPECT_EQ(NR_SLOTS * 3 / 4, idle_slots(self->out->p.fd));
	EXPECT_TRUE(part_is_intact(self->out));
	pool_close(&self->out->p);
}

#define GUARD_LIMIT	400	/* pages */
#define GUARD_ROUNDS	40

struct guard_round {
	int	dev;
	char	limit[16];
	char	*dir;
};

/* Nothing is touched here for the first time when the cgroup is full. */
static int guard_until_full(void *arg)
{
	struct guard_round *round = arg;
	struct secbuf_pool_stats_args stats;
	struct pool p;
	__u64 id = 0;
	int ret;

	if (pool_open_flags(&p, round->dev, SLOT, NR_SLOTS,
			    SECBUF_POOL_F_GUARD) ||
	    pool_alloc(p.fd, &id, 1) != 1 || pool_stats(p.fd, &stats))
		return 1;
	if (file_write(round->dir, "memory.max", round->limit))
		return 2;
	do
		ret = pool_alloc(p.fd, &id, 1);
	while (ret == 1);
	if (ret != -ENOMEM || pool_stats(p.fd, &stats))
		return 3;
	return stats.out_bytes == stats.out_in_use * SLOT ? 0 : 4;
}

/*
 * A grant that fails in the middle of a slot leaves nothing behind, wherever
 * that is; the fixture counts the bytes. And it is not at the cost of others,
 * whose idle memory could not help.
 */
TEST_F(cgroup, full_in_the_middle)
{
	struct guard_round round = { .dev = self->dev, .dir = self->cg.dir };
	struct pollfd pfd = { .events = POLLPRI };

	ASSERT_TRUE(part_setup(self->out, self->dev, -1));
	for (int i = 0; i < GUARD_ROUNDS; i++) {
		snprintf(round.limit, sizeof(round.limit), "%d",
			 (int)((GUARD_LIMIT + i) * PAGE));
		EXPECT_EQ(0, memcg_run(&self->cg, guard_until_full, &round));
		EXPECT_EQ(0, file_write(self->cg.dir, "memory.max", "max"));
	}
	EXPECT_NOBODY_KILLED();
	EXPECT_EQ(NR_SLOTS * 3 / 4, idle_slots(self->out->p.fd));
	pfd.fd = self->out->p.fd;
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_TRUE(part_is_intact(self->out));
	pool_close(&self->out->p);
}

struct throttled {
	const char	*dir;
	int		dev;
	int		fd;	/* of the pool */
	int		*step;	/* shared */
};

/* Wants what takes minutes: it has to wait for each few pages. */
static int alloc_throttled(void *arg)
{
	struct throttled *t = arg;
	static __u64 ids[NR_SLOTS];
	struct pool p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pool_join(&p, t->fd) || file_write(t->dir, "memory.high", "4096"))
		return 1;
	__atomic_store_n(t->step, 1, __ATOMIC_RELEASE);
	while (pool_alloc(p.fd, ids, NR_SLOTS) > 0)
		__atomic_store_n(t->step, 3, __ATOMIC_RELEASE);
	return 0;
}

/* A member with a secret; with its death goes another pool as well. */
static pid_t start_victim(const struct throttled *t, __u64 *id)
{
	pid_t pid = fork();
	struct pool p;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pool_join(&p, t->fd) || pool_alloc(p.fd, id, 1) != 1)
		_exit(1);
	memset(pool_slot(&p, *id), 0xa5, SLOT);
	__atomic_store_n(t->step, 2, __ATOMIC_RELEASE);
	pause();
	_exit(2);
}

static void wait_for_step(const struct throttled *t, int step)
{
	while (__atomic_load_n(t->step, __ATOMIC_ACQUIRE) != step)
		usleep(1000);
}

/*
 * What nobody has to wait for because one member waits for memory; seconds. Of
 * those that it takes to get some, the machine may stand still for a few.
 */
#define AT_ONCE		30

static long time_without_waiting(struct throttled *t, struct pool *p)
{
	struct secbuf_pool_stats_args stats;
	time_t start = time(NULL);
	struct pool other;
	char line[256];
	FILE *f;

	pool_stats(p->fd, &stats);
	f = fopen("/sys/kernel/debug/secbuf/pools", "r");
	while (f && fgets(line, sizeof(line), f))
		;
	if (f)
		fclose(f);
	if (!pool_open(&other, t->dev, PAGE, 1))
		pool_close(&other);
	return time(NULL) - start;
}

/* A dead member's secrets go, whatever another one is waiting for. */
TEST_F(cgroup, throttled_member)
{
	struct throttled t = { .dir = self->cg.dir, .dev = self->dev };
	pid_t victim, attacker;
	unsigned char *slot;
	__u64 *shared;
	struct pool p;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_EQ(0, pool_open_flags(&p, self->dev, SLOT, 2 * NR_SLOTS,
				     SECBUF_POOL_F_PASSABLE));
	t.step = (int *)&shared[1];
	t.fd = p.fd;
	victim = start_victim(&t, shared);
	wait_for_step(&t, 2);
	slot = pool_slot(&p, shared[0]);
	EXPECT_EQ(0, count_not(slot, 0xa5, SLOT));
	attacker = fork();
	if (!attacker)
		_exit(file_write(t.dir, "cgroup.procs", "0") ? 255 :
		      alloc_throttled(&t));
	wait_for_step(&t, 1);
	EXPECT_TRUE(wait_until(task_state(attacker) == 'D'));

	EXPECT_GE(AT_ONCE, time_without_waiting(&t, &p));
	/* It is still in the middle of its first call. */
	EXPECT_EQ(1, __atomic_load_n(t.step, __ATOMIC_ACQUIRE));
	kill(victim, SIGKILL);
	EXPECT_TRUE(wait_until(waitpid(victim, NULL, WNOHANG) == victim));
	EXPECT_EQ(SIGBUS, touch(slot, false));
	EXPECT_EQ(-1, waitpid(victim, NULL, WNOHANG));
	/* It was still waiting. */
	EXPECT_EQ(0, waitpid(attacker, NULL, WNOHANG));
	kill(attacker, SIGKILL);
	EXPECT_EQ(attacker, waitpid(attacker, NULL, 0));
	file_write(self->cg.dir, "memory.high", "max");
	pool_close(&p);
	munmap(shared, PAGE);
}

static int cgroup_goes(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static struct part part;

	if (!part_setup(&part, self->dev, -1))
		return 1;
	if (file_write(self->cg.root, "cgroup.procs", "0"))
		return 2;
	if (rmdir(self->cg.dir))
		return 3;
	if (!short_until(!idle_slots(part.p.fd)))
		return 4;
	return part_is_intact(&part) ? 0 : 6;
}

/* A pool outlives the cgroup that it is charged to. */
TEST_F(cgroup, goes_away)
{
	EXPECT_EQ(0, memcg_run(&self->cg, cgroup_goes, self));
}

static int deep_below(void *arg)
{
	FIXTURE_DATA(cgroup) *self = arg;
	static struct part part;
	char dir[128];
	int ret;

	snprintf(dir, sizeof(dir), "%s/below", self->cg.dir);
	/* Processes live in the leaves only. */
	if (file_write(self->cg.root, "cgroup.procs", "0") ||
	    file_write(self->cg.dir, "cgroup.subtree_control", "+memory") ||
	    mkdir(dir, 0755) || file_write(dir, "cgroup.procs", "0"))
		return 1;
	if (!part_setup(&part, self->dev, -1))
		return 2;
	hog(HOG_SIZE);
	ret = part_is_intact(&part) ? 0 : 3;
	if (idle_slots(part.p.fd) >= NR_SLOTS * 3 / 4)
		ret = 4;
	file_write(self->cg.root, "cgroup.procs", "0");
	rmdir(dir);
	return ret;
}

/* The limit is that of a cgroup above. */
TEST_F(cgroup, limit_above)
{
	EXPECT_EQ(0, memcg_run(&self->cg, deep_below, self));
	EXPECT_NOBODY_KILLED();
}

/*
 * The whole machine. A child takes memory until the kernel asks for some back,
 * which it does early: the reserve is raised for the time being, and does not
 * grow by itself, or else who takes the page after that is killed. Of the zone
 * for old devices nobody else may have a page, or else a few that are free there
 * count as if the whole machine had enough.
 */
FIXTURE(machine)
{
	int				dev;
	struct part			*part;
	struct secbuf_pool_control	*control;
	long				reserve;
	long				boost;
	long				ratio;
};

#define RESERVE_KIB	(48 * 1024)

static void set_boost(long factor)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", factor);
	file_write("/proc/sys/vm", "watermark_boost_factor", text);
}

static void set_zones(long ratio)
{
	char text[64];

	snprintf(text, sizeof(text), "%ld %ld %ld", ratio, ratio, ratio);
	file_write("/proc/sys/vm", "lowmem_reserve_ratio", text);
}

FIXTURE_SETUP(machine)
{
	char text[16];

	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	self->part = calloc(1, sizeof(*self->part));
	ASSERT_NE(NULL, self->part);
	ASSERT_TRUE(part_setup(self->part, self->dev, -1));
	self->control = mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
			     self->part->p.fd, SECBUF_POOL_MMAP_CONTROL);
	ASSERT_NE(MAP_FAILED, self->control);
	self->boost = file_number("/proc/sys/vm", "watermark_boost_factor", "");
	set_boost(0);
	/* What it has grown goes with this. */
	self->reserve = file_number("/proc/sys/vm", "min_free_kbytes", "");
	snprintf(text, sizeof(text), "%d", RESERVE_KIB);
	ASSERT_EQ(0, file_write("/proc/sys/vm", "min_free_kbytes", text));
	self->ratio = file_number("/proc/sys/vm", "lowmem_reserve_ratio", "");
	set_zones(1);
}

FIXTURE_TEARDOWN(machine)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", self->reserve);
	file_write("/proc/sys/vm", "min_free_kbytes", text);
	set_zones(self->ratio);
	set_boost(self->boost);
	pool_close(&self->part->p);
	close(self->dev);
}

/* KiB that are free, but for the zone for old devices. */
static long free_kib(void)
{
	long kib = file_number("/proc", "meminfo", "MemFree:");
	char line[256];
	FILE *f = fopen("/proc/buddyinfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		char *p = strstr(line, " DMA "), *end;
		long size = PAGE / 1024, nr;

		for (p = p ? p + 5 : NULL; p; p = end == p ? NULL : end) {
			nr = strtol(p, &end, 10);
			kib -= nr * size;
			size *= 2;
		}
	}
	if (f)
		fclose(f);
	return kib;
}

/* What a parent and the child that takes memory for it tell each other. */
struct hogging {
	int	content;
	int	taken;		/* since the parent has looked */
};

/*
 * Until the parent is content. Where memory is short it looks after each page:
 * kswapd may have given up on the machine, and who takes a page of the reserve
 * when nothing is idle any more is killed.
 */
static void __attribute__((noreturn)) hog_machine(struct hogging *h)
{
	bool scarce = false;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!__atomic_load_n(&h->content, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&h->taken, __ATOMIC_ACQUIRE)) {
			sched_yield();
			continue;
		}
		scarce = scarce || free_kib() < RESERVE_KIB + 6 * 1024;
		hog(scarce ? PAGE : MIB);
		__atomic_store_n(&h->taken, 1, __ATOMIC_RELEASE);
	}
	_exit(0);
}

/* Until all that is idle is gone, and the program was asked for more. */
static bool is_pressed(struct part *part,
		       const struct secbuf_pool_control *control, __u32 before,
		       struct hogging *h)
{
	__u64 end = now_ms() + 8 * WAIT_MS;

	while (idle_slots(part->p.fd) || control->pressure == before) {
		if (now_ms() > end)
			return false;
		if (__atomic_load_n(&h->taken, __ATOMIC_ACQUIRE))
			__atomic_store_n(&h->taken, 0, __ATOMIC_RELEASE);
		else
			sched_yield();
	}
	return true;
}

/* Returns 0 if it came to that. */
static int press_machine(struct part *part,
			 const struct secbuf_pool_control *control)
{
	__u32 before = control->pressure;
	struct hogging *h;
	int status;
	bool pressed;
	pid_t pid;

	h = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	if (h == MAP_FAILED)
		return -errno;
	pid = fork();
	if (!pid)
		hog_machine(h);
	pressed = is_pressed(part, control, before, h);
	__atomic_store_n(&h->content, 1, __ATOMIC_RELEASE);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	munmap(h, PAGE);
	return status ?: pressed ? 0 : -ETIMEDOUT;
}

TEST_F_TIMEOUT(machine, idle_gives_way, 600)
{
	struct pollfd pfd = { .fd = self->part->p.fd, .events = POLLPRI };

	EXPECT_EQ(0, self->control->pressure);
	EXPECT_EQ(NR_SLOTS * 3 / 4, idle_slots(self->part->p.fd));
	EXPECT_EQ(0, press_machine(self->part, self->control));
	EXPECT_EQ(0, idle_slots(self->part->p.fd));
	EXPECT_NE(0, self->control->pressure);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLPRI, pfd.revents);
	EXPECT_TRUE(part_is_intact(self->part));
}

/* Also when kswapd has given up, because there was nothing more. */
TEST_F_TIMEOUT(machine, again, 600)
{
	static __u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->part->p.fd, ids, NR_SLOTS));
	ASSERT_EQ(NR_SLOTS, pool_free(self->part->p.fd, ids, NR_SLOTS));
	EXPECT_EQ(0, press_machine(self->part, self->control));
	EXPECT_TRUE(part_is_intact(self->part));
}

TEST_HARNESS_MAIN
