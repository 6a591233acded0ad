// SPDX-License-Identifier: GPL-2.0
/*
 * echo-load: many clients of one echo-server. Each byte that comes back is
 * compared with what was sent.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "visitor.h"

#define LOAD_EXIT_USAGE		2
#define LOAD_PATIENCE_MS	120000
#define LOAD_BATCH		64

enum mode {
	MODE_REQUESTS,
	MODE_RANDOM,
	MODE_HOLD,
};

/**
 * struct load - what to do, and what came of it
 * @mode: which of the three
 * @port: of the server
 * @clients: how many at once
 * @amount: requests, or seconds
 * @size: of each string, 0: random
 * @max: longest string that the server takes
 * @losses_ok: the server may hang up
 * @state: of the random numbers
 * @visitors: the clients
 * @connects: connections so far
 * @losses: those that the server ended
 * @bytes: that came back
 */
struct load {
	enum mode mode;
	unsigned int port;
	unsigned int clients;
	unsigned int amount;
	unsigned int size;
	unsigned int max;
	bool losses_ok;
	uint32_t state;
	struct visitor *visitors;
	uint64_t connects;
	uint64_t losses;
	uint64_t bytes;
};

static const char load_usage[] =
	"usage: echo-load --port=PORT [OPTION]...\n"
	"\n"
	"  -p, --port=PORT      of the echo-server, on 127.0.0.1\n"
	"  -c, --clients=N      at once, default 1\n"
	"  -n, --requests=N     each sends a string and waits for it, until there\n"
	"                       were N together; prints how many a second\n"
	"  -r, --random=SECONDS each does what clients do: connect, half a string,\n"
	"                       many at once, not read, die, nothing\n"
	"  -H, --hold=SECONDS   each sends one string, then nothing for so long or\n"
	"                       until SIGUSR1, then one more\n"
	"  -s, --size=BYTES     of each string; random without it, but 32 with -n\n"
	"  -f, --max-frame=N    longest string, default 4092\n"
	"  -l, --losses-ok      the server may hang up, as it does when it is full\n"
	"  -S, --seed=N         of the random numbers\n"
	"  -h, --help           print this\n";

static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("echo-load: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Says what happened to a visitor, if that must not be. 0 if it may. */
static int load_judge(struct load *load, struct visitor *visitor, int err)
{
	load->bytes += visitor->got;
	if (visitor->fd >= 0)
		visitor_close(visitor);
	load->losses++;
	if (load->losses_ok && err != -EBADMSG)
		return 0;
	complain("client %td: %s", visitor - load->visitors,
		 err == -EBADMSG ? "got what it had not sent" : strerror(-err));
	return err;
}

static int load_connect(struct load *load, struct visitor *visitor)
{
	int err = visitor_connect(visitor, load->port,
				  random_next(&load->state), load->max,
				  load->size);

	load->connects++;
	return err ? load_judge(load, visitor, err) : 0;
}

static int load_connect_all(struct load *load)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < load->clients && !err; i++)
		err = load_connect(load, &load->visitors[i]);
	return err;
}

/* One more string, there and back. */
static int load_exchange(struct load *load, struct visitor *visitor)
{
	int ret;

	if (visitor->fd < 0)
		return 0;
	ret = visitor_send(visitor, visitor_rest(visitor));
	if (ret >= 0 || ret == -EAGAIN)
		ret = visitor_finish(visitor, LOAD_PATIENCE_MS);
	return ret < 0 ? load_judge(load, visitor, ret) : 0;
}

/*
 * A string there and back, again and again.
 */

static int requests_answer(struct load *load, struct visitor *visitor,
			   unsigned int *done)
{
	int ret = visitor_receive(visitor);

	if (ret == -EAGAIN)
		return 0;
	if (ret <= 0)
		return load_judge(load, visitor, ret ? ret : -ECONNRESET);
	if (visitor->got < visitor->sent)
		return 0;
	++*done;
	ret = visitor_send(visitor, visitor_rest(visitor));
	return ret < 0 ? load_judge(load, visitor, ret) : 0;
}

static int requests_start(struct load *load, int epoll_fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct visitor *visitor;
	unsigned int i;
	int ret;

	for (i = 0; i < load->clients; i++) {
		visitor = &load->visitors[i];
		event.data.ptr = visitor;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, visitor->fd, &event))
			return -errno;
		ret = visitor_send(visitor, visitor_rest(visitor));
		if (ret < 0)
			return load_judge(load, visitor, ret);
	}
	return 0;
}

/* Until there were @amount answers. */
static int requests_until(struct load *load, int epoll_fd, unsigned int *done,
			  unsigned int amount)
{
	struct epoll_event events[LOAD_BATCH];
	int err = 0, i, nr;

	while (!err && *done < amount) {
		nr = epoll_wait(epoll_fd, events, LOAD_BATCH, LOAD_PATIENCE_MS);
		/* EINTR: it was stopped, and goes on. */
		if (!nr || (nr < 0 && errno != EINTR))
			err = nr ? -errno : -ETIMEDOUT;
		for (i = 0; i < nr && !err; i++)
			err = requests_answer(load, events[i].data.ptr, done);
	}
	return err;
}

/* The time counts when all have been accepted and had their first answers. */
static int load_requests(struct load *load)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	unsigned int begun, done = 0;
	double start;
	int err;

	err = epoll_fd < 0 ? -errno : requests_start(load, epoll_fd);
	if (!err)
		err = requests_until(load, epoll_fd, &done, 4 * load->clients);
	begun = done;
	start = now();
	if (!err)
		err = requests_until(load, epoll_fd, &done,
				     begun + load->amount);
	if (!err)
		printf("%.0f requests per second\n",
		       (done - begun) / (now() - start));
	close(epoll_fd);
	return err;
}

/*
 * Whatever clients do.
 */

static int random_read_all(struct visitor *visitor)
{
	int ret;

	do {
		ret = visitor_receive(visitor);
	} while (ret > 0);
	return ret == -EAGAIN ? 0 : ret ? ret : -ECONNRESET;
}

/* A server that does not stop reading would not stop this either. */
static int random_flood(struct visitor *visitor)
{
	int i, ret = 0;

	for (i = 0; i < 300 && ret >= 0; i++)
		ret = visitor_send(visitor, VISITOR_CHUNK);
	return ret == -EAGAIN ? 0 : ret;
}

static int random_send(struct load *load, struct visitor *visitor)
{
	size_t rest = visitor_rest(visitor);
	int ret;

	if (random_next(&load->state) % 2)
		rest = random_next(&load->state) % rest + 1;
	ret = visitor_send(visitor, rest);
	return ret == -EAGAIN ? 0 : ret;
}

static void random_leave(struct load *load, struct visitor *visitor, bool kill)
{
	load->bytes += visitor->got;
	if (kill)
		visitor_kill(visitor);
	else
		visitor_close(visitor);
}

static int random_step(struct load *load, struct visitor *visitor)
{
	unsigned int what = random_next(&load->state) % 100;
	int ret = 0;

	if (visitor->fd < 0)
		return what < 50 ? load_connect(load, visitor) : 0;
	if (what < 50)
		ret = random_send(load, visitor);
	else if (what < 80)
		ret = random_read_all(visitor);
	else if (what < 84)
		ret = random_flood(visitor);
	else if (what < 86)
		random_leave(load, visitor, true);
	else if (what < 88)
		random_leave(load, visitor, false);
	else if (what < 89 && visitor_rest(visitor) == visitor->out.len &&
		 !visitor_send_too_long(visitor))
		random_leave(load, visitor, false);
	return ret < 0 ? load_judge(load, visitor, ret) : 0;
}

static int random_finish_one(struct load *load, struct visitor *visitor,
			     short events)
{
	int err = visitor_go_on(visitor, events);

	return err ? load_judge(load, visitor, err) : 0;
}

static int random_give_up(struct load *load, const struct pollfd *polls)
{
	struct visitor *visitor;
	unsigned int i;
	int err = 0;

	for (i = 0; i < load->clients; i++) {
		visitor = &load->visitors[i];
		if (polls[i].fd >= 0 && !err) {
			complain("client %u: %" PRIu64 " of %" PRIu64
				 " bytes came back", i, visitor->got,
				 visitor->sent);
			err = load_judge(load, visitor, -ETIMEDOUT);
		}
	}
	return err;
}

/*
 * All at the same time: what one does not read is memory that the network lacks
 * for the others. As long as there is something for anybody, nobody is lost.
 */
static int random_finish(struct load *load, struct pollfd *polls)
{
	struct visitor *visitor;
	unsigned int i, left;
	int err = 0;

	while (!err) {
		for (i = 0, left = 0; i < load->clients; i++) {
			visitor = &load->visitors[i];
			polls[i].events = visitor->fd < 0 ? 0 :
					  visitor_wants(visitor);
			polls[i].fd = polls[i].events ? visitor->fd : -1;
			left += polls[i].fd >= 0;
		}
		if (!left)
			break;
		if (poll(polls, load->clients, LOAD_PATIENCE_MS) <= 0)
			return random_give_up(load, polls);
		for (i = 0; i < load->clients && !err; i++)
			if (polls[i].fd >= 0 && polls[i].revents)
				err = random_finish_one(load,
							&load->visitors[i],
							polls[i].revents);
	}
	return err;
}

static int load_random(struct load *load)
{
	struct pollfd *polls = calloc(load->clients, sizeof(*polls));
	double end = now() + load->amount;
	unsigned int i;
	int err = polls ? 0 : -ENOMEM;

	for (i = 0; i < load->clients; i++)
		load->visitors[i].fd = -1;
	while (!err && now() < end) {
		i = random_next(&load->state) % load->clients;
		err = random_step(load, &load->visitors[i]);
		if (random_next(&load->state) % 1000 == 0)
			usleep(random_next(&load->state) % 50000);
	}
	if (!err)
		err = random_finish(load, polls);
	free(polls);
	for (i = 0; i < load->clients && !err; i++)
		if (load->visitors[i].fd >= 0)
			load->bytes += load->visitors[i].got;
	printf("%" PRIu64 " connections, %" PRIu64 " lost, %" PRIu64 " bytes\n",
	       load->connects, load->losses, load->bytes);
	return err;
}

/*
 * Idle.
 */

/* The signals are blocked: who was sent one before has not missed it. */
static void load_await(const sigset_t *signals, unsigned int seconds)
{
	double left, end = now() + seconds;
	struct timespec ts;

	while ((left = end - now()) > 0) {
		ts.tv_sec = left;
		ts.tv_nsec = (left - ts.tv_sec) * 1e9;
		if (sigtimedwait(signals, NULL, &ts) >= 0 || errno != EINTR)
			break;
	}
}

static int load_hold(struct load *load)
{
	unsigned int i, round;
	sigset_t signals;
	int err = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < load->clients && !err; i++)
			err = load_exchange(load, &load->visitors[i]);
		if (round || err)
			break;
		printf("holding %u\n", load->clients);
		fflush(stdout);
		load_await(&signals, load->amount);
	}
	return err;
}

/*
 * Options.
 */

static const struct option load_options[] = {
	{ "port",	required_argument,	NULL, 'p' },
	{ "clients",	required_argument,	NULL, 'c' },
	{ "requests",	required_argument,	NULL, 'n' },
	{ "random",	required_argument,	NULL, 'r' },
	{ "hold",	required_argument,	NULL, 'H' },
	{ "size",	required_argument,	NULL, 's' },
	{ "max-frame",	required_argument,	NULL, 'f' },
	{ "losses-ok",	no_argument,		NULL, 'l' },
	{ "seed",	required_argument,	NULL, 'S' },
	{ "help",	no_argument,		NULL, 'h' },
	{ }
};

static unsigned int parse_number(unsigned int max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(optarg, &end, 10);
	if (*optarg < '0' || *optarg > '9' || *end || errno || value > max) {
		complain("%s: a number up to %u", optarg, max);
		exit(LOAD_EXIT_USAGE);
	}
	return value;
}

static void set_mode(struct load *load, enum mode mode)
{
	load->mode = mode;
	load->amount = parse_number(1000000000);
}

static void parse_option(struct load *load, int opt)
{
	switch (opt) {
	case 'p':
		load->port = parse_number(UINT16_MAX);
		break;
	case 'c':
		load->clients = parse_number(100000);
		break;
	case 'n':
		set_mode(load, MODE_REQUESTS);
		break;
	case 'r':
		set_mode(load, MODE_RANDOM);
		break;
	case 'H':
		set_mode(load, MODE_HOLD);
		break;
	case 's':
		load->size = parse_number(262140);
		break;
	case 'f':
		load->max = parse_number(262140);
		break;
	case 'l':
		load->losses_ok = true;
		break;
	case 'S':
		load->state = parse_number(UINT32_MAX);
		break;
	case 'h':
		fputs(load_usage, stdout);
		exit(EXIT_SUCCESS);
	default:
		complain("try --help");
		exit(LOAD_EXIT_USAGE);
	}
}

static void parse_options(struct load *load, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "p:c:n:r:H:s:f:lS:h",
				  load_options, NULL)) != -1)
		parse_option(load, opt);
	if (optind < argc || !load->port || !load->clients || !load->amount) {
		complain("--port, and --requests, --random or --hold are needed; try --help");
		exit(LOAD_EXIT_USAGE);
	}
	if (load->mode == MODE_REQUESTS && !load->size)
		load->size = 32;
}

static int load_run(struct load *load)
{
	int err;

	if (load->mode == MODE_RANDOM)
		return load_random(load);
	err = load_connect_all(load);
	if (err)
		return err;
	return load->mode == MODE_HOLD ? load_hold(load) : load_requests(load);
}

int main(int argc, char **argv)
{
	struct load load = {
		.clients = 1,
		.max = 4092,
		.state = 1,
	};
	struct rlimit limit;
	int err;

	parse_options(&load, argc, argv);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	load.visitors = calloc(load.clients, sizeof(*load.visitors));
	if (!load.visitors) {
		complain("%s", strerror(errno));
		return EXIT_FAILURE;
	}
	err = load_run(&load);
	free(load.visitors);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
