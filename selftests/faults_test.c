// SPDX-License-Identifier: GPL-2.0
/*
 * One path after the other is walked as often as there are allocations and
 * copies on it, and each time another of them fails. The call must fail with a
 * plain error and change nothing, or do without; afterwards it must succeed,
 * and when all is closed, or the process at its end, nothing may be left.
 *
 * Each walk is a process of its own, so that it begins where the last one did.
 * faults_paths.h is what is walked. This needs a kernel that fails on demand.
 *
 * faults_test [TEXT], or SECBUF_FAULTS=TEXT: those with TEXT in their names;
 * "quick": all but those that take long and are much like others
 */
#include "secbuf_fixture.h"
#include "secbuf_fault.h"
#include "secbuf_ring.h"
#include "secbuf_touch.h"

#include "faults_paths.h"

#if __has_include("sys/rseq.h")
#include <sys/rseq.h>
#endif
#include <sys/syscall.h>
#include <sys/wait.h>

#define POINTS_MAX	100000

/* Where most points are of others: how many are walked to. */
#define SOME_POINTS	40

/* Of loading a module, the last ones: those of its init. */
#define LAST_POINTS	210

/* What one walk has to say. */
struct report {
	unsigned int	points;		/* that were passed */
	bool		hit;		/* the failure was reached */
	int		ret;
	char		flaw[160];
};

static struct report *report;

#define flaw(...)							\
do {									\
	if (!report->flaw[0])						\
		snprintf(report->flaw, sizeof(report->flaw),		\
			 __VA_ARGS__);					\
} while (0)

/* What a call that failed must not have changed. */
struct picture {
	__u64	bytes;
	__u32	objects[3];
	__u32	in_use;
	__u64	positions[2];
	__u32	status;
};

static void look(struct world *w, const struct path *path, struct picture *p)
{
	struct secbuf_ring_stats_args ring;
	struct secbuf_pool_stats_args pool;
	struct secbuf_info_args info;

	memset(p, 0, sizeof(*p));
	if (path->flags & PATH_UNLOADS)
		return;
	if (secbuf_info(w->dev, &info))
		flaw("INFO: %s", strerror(errno));
	p->objects[0] = info.out_nr_pools;
	p->objects[1] = info.out_nr_conns;
	p->objects[2] = info.out_nr_rings;
	/* Buffers that could not be told of are kept for the next caller. */
	if (!(path->flags & PATH_PARKS))
		p->bytes = info.out_bytes;
	if (w->pool.fd >= 0 && !pool_stats(w->pool.fd, &pool))
		p->in_use = pool.out_in_use;
	if (w->ring.p.fd >= 0 && !ring_stats(w->ring.p.fd, &ring)) {
		p->positions[0] = ring.out_produced;
		p->positions[1] = ring.out_consumed;
		p->status = ring.out_status;
	}
}

static bool error_is_plain(const struct path *path, int err)
{
	return err == -ENOMEM || err == -EFAULT ||
	       (path->flags & PATH_ANY_ERRNO && err < 0 && err > -4096);
}

static void check_failure(struct world *w, const struct path *path,
			  const struct picture *before)
{
	struct picture after;
	int ret;

	if (!error_is_plain(path, report->ret))
		flaw("failed with %d", report->ret);
	/* The last copy tells of what cannot be undone. */
	if (path->flags & PATH_LATE && report->ret == -EFAULT)
		return;
	/* What it made and took back goes in the background. */
	if (!wait_until((look(w, path, &after),
			 !memcmp(before, &after, sizeof(after)))))
		flaw("failed with %d and changed something: bytes %lld, in use %d, objects %d %d %d, positions %lld %lld, status %d",
		     report->ret, (long long)(after.bytes - before->bytes),
		     after.in_use - before->in_use,
		     after.objects[0] - before->objects[0],
		     after.objects[1] - before->objects[1],
		     after.objects[2] - before->objects[2],
		     (long long)(after.positions[0] - before->positions[0]),
		     (long long)(after.positions[1] - before->positions[1]),
		     after.status - before->status);
	ret = path->call(w);
	if (ret < 0)
		flaw("failed with %d, then again with %d", report->ret, ret);
}

/* In a process of its own. Every other one leaves it to its end to clean up. */
static void __attribute__((noreturn)) walk(const struct path *path,
					   unsigned int nth)
{
	struct world w = { .arg = path->arg };
	struct picture before;
	int fd, err;

	world_open(&w);
	err = path->prepare ? path->prepare(&w) : 0;
	if (err) {
		flaw("cannot be prepared: %d", err);
		_exit(0);
	}
	fd = fault_open();
	look(&w, path, &before);
	fault_arm(fd, nth);
	report->ret = path->call(&w);
	if (path->flags & PATH_ENDS)
		_exit(0);
	report->points = nth - fault_disarm(fd);
	report->hit = report->points == nth;
	if (report->ret < 0 && report->hit)
		check_failure(&w, path, &before);
	else if (report->ret < 0)
		flaw("failed with %d, without a failure", report->ret);
	if (nth % 2)
		world_close(&w);
	_exit(0);
}

struct tally {
	unsigned int	points;
	unsigned int	failed;
	unsigned int	survived;
};

/* What there is when nobody uses the module. */
static struct picture nothing;

static void check_left(const struct path *path)
{
	struct world w;
	struct picture left;

	if (path->flags & PATH_UNLOADS)
		return;
	world_open(&w);
	/* Of a process that was killed something may be on its way out. */
	if (!wait_until((look(&w, path, &left),
			 !memcmp(&left, &nothing, sizeof(left)))))
		flaw("left: %lld bytes, %u pools, %u conns, %u rings",
		     (long long)left.bytes, left.objects[0], left.objects[1],
		     left.objects[2]);
	close(w.dev);
}

/* Of a process that has ended and was not waited for: points left to pass. */
static unsigned int zombie_left(pid_t pid)
{
	char path[40], text[16] = "";
	siginfo_t info;
	int fd;

	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		flaw("%s cannot be read", path);
	close(fd);
	return strtoul(text, NULL, 10);
}

/* Returns whether there is a next point. */
static bool walk_once(const struct path *path, unsigned int nth,
		      struct tally *tally)
{
	int status;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	pid = fork();
	if (!pid)
		walk(path, nth);
	if (path->flags & PATH_ENDS) {
		report->points = nth - zombie_left(pid);
		report->hit = report->points == nth;
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    (status && !(path->flags & PATH_ANY_STATUS)))
		flaw("the process ended with %#x", status);
	check_left(path);
	if (report->flaw[0]) {
		ksft_print_msg("%s: point %u: %s\n", path->name, nth,
			       report->flaw);
		return false;
	}
	tally->points += report->hit;
	tally->failed += report->hit && report->ret < 0;
	return report->hit;
}

/*
 * Which points: the first one and every how many. What the kernel does for any
 * process or module is not what this is about; of it, some.
 */
static unsigned int first_point(const struct path *path, unsigned int *step)
{
	struct tally tally = { 0 };
	unsigned int first = 1;

	*step = 1;
	if (!(path->flags & PATH_LONG))
		return first;
	walk_once(path, POINTS_MAX, &tally);
	if (path->flags & PATH_UNLOADS && report->points > LAST_POINTS)
		first = report->points - LAST_POINTS;
	*step += (report->points - first) / SOME_POINTS;
	return first;
}

/*
 * Is there nothing to fail? Now and then the kernel allocates for itself, room
 * for the stacks that it remembers, say; what the path needs, it needs each time.
 */
static bool needs_nothing(const struct path *path)
{
	struct tally tally = { 0 };

	for (int tries = 0; tries < 5; tries++)
		if (!walk_once(path, 1, &tally))
			return !report->flaw[0];
	return false;
}

/* Was what can fail on this path reached? */
static bool enough(const struct path *path, const struct tally *tally)
{
	if (path->flags & PATH_NEEDS_NOTHING)
		return !tally->points || needs_nothing(path);
	if (path->flags & (PATH_DOES_WITHOUT | PATH_ENDS))
		return tally->points;
	return tally->failed;
}

static void walk_all(const struct path *path, struct tally *total)
{
	struct tally tally = { 0 };
	unsigned int step, nth = first_point(path, &step);
	bool good;

	while (nth < POINTS_MAX && walk_once(path, nth, &tally))
		nth += step;
	good = !report->flaw[0] && enough(path, &tally);
	ksft_print_msg("%s: %u points, %u made it fail\n", path->name,
		       tally.points, tally.failed);
	ksft_test_result(good, "%s\n", path->name);
	total->points += tally.points;
	total->failed += tally.failed;
	total->survived += good ? tally.points : 0;
}

static bool wanted(const struct path *path, const char *text)
{
	if (!strcmp(text, "quick"))
		return !(path->flags & PATH_SLOW);
	return strstr(path->name, text);
}

/*
 * What the C library shares with the scheduler: the kernel kills a process when
 * it cannot write there, which happens when a failure hits the copy of that page
 * after a fork. That is not about the module.
 */
static void leave_rseq(void)
{
#if __has_include("sys/rseq.h")
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	unsigned int size = __rseq_size < 32 ? 32 : __rseq_size;

	if (__rseq_size)
		syscall(SYS_rseq, area, size, 1, RSEQ_SIG);
#endif
}

int main(int argc, char **argv)
{
	const char *missing = fault_setup(), *text = getenv("SECBUF_FAULTS");
	struct tally total = { 0 };
	unsigned int nr = 0;

	text = argc > 1 ? argv[1] : text ?: "";
	leave_rseq();
	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	if (missing)
		ksft_exit_skip("this kernel does not fail on demand: no %s\n",
			       missing);
	report = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		nr += wanted(&paths[i], text);
	ksft_set_plan(nr);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (wanted(&paths[i], text))
			walk_all(&paths[i], &total);
	ksft_print_msg("proof: points %u\n", total.points);
	ksft_print_msg("proof: survived %u\n", total.survived);
	ksft_finished();
}
