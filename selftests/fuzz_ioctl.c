// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_ioctl SECONDS [SEED]: processes that run programs of calls on objects of
 * /dev/secbuf, which they also pass to each other. Where the kernel has kcov, a
 * program that reached code which none of the process reached before is kept,
 * and the next ones are made of those. Stops with 1 when the kernel is tainted,
 * and prints what ran. At the end it names the functions of the module that no
 * process reached by its own calls.
 *
 * All follows from SEED, but for what the scheduler decides: processes learn
 * nothing from each other. What was reached in the first minute, or half of the
 * time if that is shorter, does not count as new.
 */
#include "fuzz_steps.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define WORKERS		3
#define KEPT_MAX	2048
#define COVER_SIZE	(64UL << 10)
#define SEEN_BITS	17	/* of SEEN */
#define SEEN		0x20000UL
/* A worker ends now and then without closing anything. */
#define LIFETIME	400
/* Seconds without any progress, on a slow machine. */
#define STUCK		240
#define ASLEEP		60

#define KCOV_INIT	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)

/* What outlives a process, and its successor goes on with. */
struct worker {
	uint64_t	programs;
	uint64_t	calls;
	struct program	running;
	unsigned int	lives;
	uint32_t	nr_kept;
	struct program	kept[KEPT_MAX];
	uint8_t		edges[SEEN];
};

/* Places are for the report only. */
static struct shared {
	struct worker	workers[WORKERS];
	uint32_t	nr_places;
	uint64_t	places[SEEN];
} *shared;

static struct worker *me;

static uint64_t *cover;
static int cover_fd = -1;

/*
 * Coverage
 */

static void cover_open(void)
{
	cover_fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (cover_fd < 0)
		return;
	if (ioctl(cover_fd, KCOV_INIT, COVER_SIZE) == 0)
		cover = mmap(NULL, COVER_SIZE * sizeof(*cover),
			     PROT_READ | PROT_WRITE, MAP_SHARED, cover_fd, 0);
	if (!cover || cover == MAP_FAILED || ioctl(cover_fd, KCOV_ENABLE, 0)) {
		cover = NULL;
		close(cover_fd);
	}
}

static unsigned int hash(uint64_t value)
{
	return value * 0x9e3779b97f4a7c15ULL >> (64 - SEEN_BITS);
}

static void place_add(uint64_t pc)
{
	if (__atomic_exchange_n(&shared->places[hash(pc)], pc,
				__ATOMIC_RELAXED) == 0)
		__atomic_fetch_add(&shared->nr_places, 1, __ATOMIC_RELAXED);
}

/* Returns whether something new was reached: a way between two places. */
static bool cover_look(void)
{
	uint64_t n, edge, before = 0;
	bool found = false;

	if (!cover)
		return false;
	n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	for (uint64_t i = 1; i <= n && i < COVER_SIZE; i++) {
		place_add(cover[i]);
		edge = hash(cover[i] ^ before);
		found |= !me->edges[edge];
		me->edges[edge] = 1;
		before = cover[i] << 7;
	}
	return found;
}

static void cover_start(void)
{
	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/*
 * Programs
 */

static void step_make(struct step *step, uint64_t *s)
{
	step->kind = rnd(s) % STEP_NR;
	/* What there must be before anything else is worth it. */
	if (one_in(s, 6))
		step->kind = 1 + rnd(s) % 4;
	step->seed = rnd(s);
}

static void program_make(struct program *p, uint64_t *s)
{
	p->threads = one_in(s, 3);
	p->nr = 4 + rnd(s) % (STEPS_MAX - 4);
	for (unsigned int i = 0; i < p->nr; i++)
		step_make(&p->steps[i], s);
}

static void program_change(struct program *p, uint64_t *s)
{
	unsigned int at = rnd(s) % p->nr;

	switch (rnd(s) % 5) {
	case 0:
		p->steps[at].seed = rnd(s);
		break;
	case 1:
		step_make(&p->steps[at], s);
		break;
	case 2:
		if (p->nr == STEPS_MAX)
			break;
		memmove(&p->steps[at + 1], &p->steps[at],
			(p->nr++ - at) * sizeof(p->steps[0]));
		step_make(&p->steps[at], s);
		break;
	case 3:
		if (p->nr == 1)
			break;
		memmove(&p->steps[at], &p->steps[at + 1],
			(--p->nr - at) * sizeof(p->steps[0]));
		break;
	default:
		p->threads = !p->threads;
	}
}

/* The head of one, and the tail of another. */
static void program_cross(struct program *p, const struct program *other,
			  uint64_t *s)
{
	unsigned int at = rnd(s) % p->nr;

	for (unsigned int i = at; i < STEPS_MAX && i < other->nr; i++)
		p->steps[i] = other->steps[i];
	if (other->nr > at)
		p->nr = other->nr;
}

static void program_next(struct program *p, uint64_t *s)
{
	uint32_t kept = me->nr_kept < KEPT_MAX ? me->nr_kept : KEPT_MAX;

	if (!kept || one_in(s, 4)) {
		program_make(p, s);
		return;
	}
	*p = me->kept[rnd(s) % kept];
	if (one_in(s, 4))
		program_cross(p, &me->kept[rnd(s) % kept], s);
	for (int i = rnd(s) % 4; i >= 0; i--)
		program_change(p, s);
}

static void program_keep(const struct program *p)
{
	me->kept[me->nr_kept++ % KEPT_MAX] = *p;
}

/*
 * Running
 */

/*
 * Whatever sleeps is woken, again and again; but later and later, so that what
 * gives way to signals comes to its end on a slow machine, too. Not so late
 * that a program of nothing but sleeps takes hours.
 */
#define ALARM_MS_MAX	3000

static volatile unsigned int alarm_ms;

static void set_alarm(void)
{
	const struct timeval in = {
		alarm_ms / 1000, alarm_ms % 1000 * 1000 + 1
	};
	/* Again by itself: a failure on demand can be the signal's, too. */
	const struct itimerval often = { in, in };

	setitimer(ITIMER_REAL, &often, NULL);
}

static void on_alarm(int sig)
{
	if (sig != SIGALRM)
		return;
	if (alarm_ms < ALARM_MS_MAX)
		alarm_ms *= 2;
	set_alarm();
}

static void start_alarm(void)
{
	alarm_ms = 20;
	set_alarm();
}

static void stop_alarm(void)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

struct half {
	struct fuzz_world	*world;
	const struct program	*program;
	volatile bool		done;
};

static void *run_half(void *arg)
{
	struct half *half = arg;

	for (unsigned int i = 1; i < half->program->nr; i += 2)
		if (half->program->steps[i].kind != STEP_FORK)
			do_step(half->world, &half->program->steps[i]);
	half->done = true;
	return NULL;
}

/* A child goes on with the rest of the program, until it is killed or ends. */
static pid_t run_child(struct fuzz_world *w, const struct program *p,
		       unsigned int from)
{
	pid_t pid;

	stop_alarm();
	pid = fork();
	start_alarm();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w->fail_fd = -1;
	for (unsigned int i = from; i < p->nr; i++)
		if (p->steps[i].kind != STEP_FORK)
			do_step(w, &p->steps[i]);
	if (p->steps[0].seed % 3 == 0)
		execl("/bin/true", "true", NULL);
	_exit(0);
}

static void wait_for_half(struct half *half, pthread_t thread)
{
	unsigned int ms = 10;

	while (!half->done) {
		for (unsigned int i = 0; i < 2 * ms && !half->done; i++)
			usleep(500);
		pthread_kill(thread, SIGUSR1);
		if (ms < ALARM_MS_MAX)
			ms *= 2;
	}
	pthread_join(thread, NULL);
}

static void program_run(struct fuzz_world *w, const struct program *p)
{
	struct half half = { w, p, false };
	pthread_t thread;
	pid_t child = -1;
	bool two = p->threads &&
		   !pthread_create(&thread, NULL, run_half, &half);

	for (unsigned int i = 0; i < p->nr; i += 1 + two) {
		if (p->steps[i].kind != STEP_FORK)
			do_step(w, &p->steps[i]);
		else if (child < 0)
			child = run_child(w, p, i + 1);
	}
	unfail(w);
	if (two)
		wait_for_half(&half, thread);
	if (child > 0) {
		if (p->steps[0].seed % 2)
			usleep(p->steps[0].seed % 3000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

static void world_open(struct fuzz_world *w)
{
	for (unsigned int i = 0; i < NR_OBJECTS; i++)
		w->objects[i] = (struct object_slot){ -1, OBJ_NONE, 0 };
	memset(w->ids, 0, sizeof(w->ids));
	w->objects[0].fd = open("/dev/secbuf", O_RDWR | O_CLOEXEC);
	w->objects[0].type = OBJ_DEV;
}

static void world_close(struct fuzz_world *w)
{
	for (unsigned int i = 0; i < NR_MAPS; i++)
		if (w->maps[i] && !munmap(map_address(i), w->maps[i]))
			w->maps[i] = 0;
	for (unsigned int i = 0; i < NR_OBJECTS; i++)
		if (w->objects[i].fd >= 0)
			close(w->objects[i].fd);
}

static void handlers_set(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	sigset_t set;

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = on_fault;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Runs programs until the time is up, or its own life. */
static void __attribute__((noreturn))
work(uint64_t seed, const int socks[2], time_t end)
{
	static struct fuzz_world world;
	struct fuzz_world *w = &world;
	struct program p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	handlers_set();
	memcpy(w->socks, socks, sizeof(w->socks));
	w->arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w->fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	cover_open();
	for (int i = 0; i < LIFETIME && time(NULL) < end; i++) {
		program_next(&p, &seed);
		me->running = p;
		world_open(w);
		w->calls = 0;
		cover_start();
		start_alarm();
		program_run(w, &p);
		if (cover_look())
			program_keep(&p);
		if (i < LIFETIME - 1)
			world_close(w);
		me->programs++;
		me->calls += w->calls;
	}
	_exit(0);
}

/*
 * The parent
 */

static long kernel_taint(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atol(text);
}

static void print_programs(void)
{
	for (int i = 0; i < WORKERS; i++) {
		const struct program *p = &shared->workers[i].running;

		printf("# worker %d, program %llu%s:", i,
		       (unsigned long long)shared->workers[i].programs,
		       p->threads ? ", two threads" : "");
		for (unsigned int j = 0; j < p->nr && j < STEPS_MAX; j++)
			printf(" %u:%x", p->steps[j].kind, p->steps[j].seed);
		printf("\n");
	}
}

/* Where those are that do not end. */
static void print_stacks(const pid_t pids[])
{
	char command[96];

	for (int i = 0; i < WORKERS; i++) {
		if (pids[i] < 0)
			continue;
		printf("# worker %d is in:\n", i);
		fflush(stdout);
		snprintf(command, sizeof(command),
			 "cd /proc/%d/task && cat */syscall */stack && "
			 "grep -E '^(Sig|Shd)' */status", pids[i]);
		(void)!system(command);
	}
}

static unsigned long long calls_made(void)
{
	unsigned long long calls = 0;

	for (int i = 0; i < WORKERS; i++)
		calls += __atomic_load_n(&shared->workers[i].calls,
					 __ATOMIC_RELAXED);
	return calls;
}

static void print_totals(const char *what)
{
	unsigned long long programs = 0;
	unsigned int kept = 0;

	for (int i = 0; i < WORKERS; i++) {
		programs += shared->workers[i].programs;
		kept += shared->workers[i].nr_kept;
	}
	printf("# %s: %llu programs, %u kept, %llu calls, %u places reached\n",
	       what, programs, kept, calls_made(), shared->nr_places);
	fflush(stdout);
}

static void print_proof(uint32_t early)
{
	printf("# proof: fuzz_calls %llu\n", calls_made());
	printf("# proof: fuzz_places %u\n", shared->nr_places);
	printf("# proof: fuzz_new %u\n", shared->nr_places - early);
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct function {
	uint64_t	address;
	char		name[56];
};

/* Functions of the module, by address. Returns how many. */
static unsigned int functions_read(struct function *functions, unsigned int max)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[256], name[56], module[32], type;
	unsigned long long address;
	unsigned int nr = 0;

	while (file && nr < max && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %55s [%31[^]]", &address, &type, name,
			   module) != 4 || strcmp(module, "secbuf") ||
		    (type != 't' && type != 'T') || name[0] == '_' ||
		    strstr(name, "trace_"))
			continue;
		functions[nr].address = address;
		strcpy(functions[nr++].name, name);
	}
	if (file)
		fclose(file);
	qsort(functions, nr, sizeof(functions[0]), by_address);
	return nr;
}

/* Those of works, timers, init and exit are always among them. */
static void print_never(void)
{
	static struct function functions[2048];
	unsigned int nr = functions_read(functions, COUNT(functions));
	unsigned int at = 0, never = 0;

	qsort(shared->places, SEEN, sizeof(shared->places[0]), by_address);
	while (at < SEEN && !shared->places[at])
		at++;
	printf("# never reached:");
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t end = i + 1 < nr ? functions[i + 1].address : ~0ULL;

		while (at < SEEN && shared->places[at] < functions[i].address)
			at++;
		if (at < SEEN && shared->places[at] < end)
			continue;
		printf("%s%s", never++ % 4 ? " " : "\n#  ", functions[i].name);
	}
	printf("\n# reached %u of %u functions\n", nr - never, nr);
}

static pid_t worker_start(int i, uint64_t seed, const int socks[2], time_t end)
{
	unsigned int life = shared->workers[i].lives++;
	pid_t pid = fork();

	if (pid)
		return pid;
	me = &shared->workers[i];
	work(seed + i + life * 1000003ULL, socks, end);
}

/* Descriptors that nobody took out are nobody's. */
static void sockets_make(int socks[2])
{
	if (socks[0] >= 0) {
		close(socks[0]);
		close(socks[1]);
	}
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       socks)) {
		perror("socketpair");
		exit(1);
	}
}

struct patience {
	pid_t			pid;
	unsigned long long	programs;
	time_t			since;
};

/*
 * Who sleeps for ever is killed: if a failure on demand hits the return from a
 * signal, all signals are blocked. Returns whether all end their programs, or
 * have not been killed for long.
 */
static bool all_move(struct patience *patience, const pid_t pids[])
{
	time_t now = time(NULL);
	bool move = true;

	for (int i = 0; i < WORKERS; i++) {
		struct patience *p = &patience[i];
		unsigned long long programs = shared->workers[i].programs;

		if (p->pid != pids[i] || p->programs != programs)
			*p = (struct patience){ pids[i], programs, now };
		if (pids[i] < 0 || now < p->since + ASLEEP)
			continue;
		kill(pids[i], SIGKILL);
		move = false;
	}
	return move;
}

/* Of three processes one is started anew whenever it ends. */
static int fuzz(uint64_t seed, unsigned int seconds, uint32_t *early)
{
	time_t begin = time(NULL), end = begin + seconds, told = begin;
	time_t soon = begin + (seconds < 120 ? seconds / 2 : 60);
	struct patience patience[WORKERS] = { };
	time_t moved = begin;
	pid_t pids[WORKERS];
	long taint = kernel_taint();
	int socks[2] = { -1, -1 };

	sockets_make(socks);
	for (int i = 0; i < WORKERS; i++)
		pids[i] = worker_start(i, seed, socks, end);
	while (time(NULL) < moved + STUCK) {
		int live = 0;

		usleep(100000);
		for (int i = 0; i < WORKERS; i++) {
			if (pids[i] > 0 && waitpid(pids[i], NULL, WNOHANG))
				pids[i] = -1;
			if (pids[i] < 0 && time(NULL) < end)
				pids[i] = worker_start(i, seed, socks, end);
			live += pids[i] > 0;
		}
		if (kernel_taint() != taint) {
			print_programs();
			return 1;
		}
		if (!live)
			return 0;
		if (all_move(patience, pids))
			moved = time(NULL);
		if (time(NULL) < soon)
			*early = shared->nr_places;
		if (time(NULL) >= told + 30) {
			told = time(NULL);
			print_totals("so far");
		}
	}
	printf("# a worker does not end\n");
	print_stacks(pids);
	print_programs();
	return 1;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	uint32_t early = 0;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: fuzz_ioctl SECONDS [SEED]\n");
		return 2;
	}
	if (!seed)
		seed = (uint64_t)time(NULL) << 16 | getpid();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("# SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	status = fuzz(seed, atoi(argv[1]), &early);
	print_totals("in all");
	print_proof(early);
	if (shared->nr_places)
		print_never();
	printf("# SEED=%llu\n", (unsigned long long)seed);
	return status;
}
