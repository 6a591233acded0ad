// SPDX-License-Identifier: GPL-2.0
/*
 * secbuf-agent: an SSH agent whose private keys die with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "memory.h"
#include "server.h"

#define MAIN_EXIT_USAGE		2

struct options {
	const char *memory;
	const char *socket;
	const char **keys;
	unsigned int nr_keys;
	bool foreground;
	char **command;		/* or NULL */
};

/* The other end hears of it when the agent answers, or of its end. */
struct startup {
	pid_t pid;		/* the agent's */
	int ready[2];
	int parent_fd;		/* pidfd of the command to be */
};

static const char main_usage[] =
	"usage: secbuf-agent [OPTION]... [COMMAND [ARG]...]\n"
	"\n"
	"An SSH agent for Ed25519 keys. Keys and messages are kept in secbuf\n"
	"memory, which the kernel zeroizes when the agent ends, however it does.\n"
	"Prints the shell commands that tell clients of it; with COMMAND, runs\n"
	"that instead and ends with it.\n"
	"\n"
	"  -a, --socket=PATH    listen there, not in a new directory under /tmp\n"
	"  -k, --key=FILE       load this private key; can be given again\n"
	"  -m, --memory=KIND    secbuf (the default), or malloc for comparison\n"
	"  -D, --foreground     do not go to the background; print the socket's\n"
	"                       path only\n"
	"  -h, --help           print this\n"
	"  -V, --version        print the version\n";

static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("secbuf-agent: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

/*
 * The agent itself.
 */

static void agent_harden(void)
{
	const struct rlimit no_core = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_IGN);
	server_block_signals();
}

static int agent_add_files(struct agent *agent, const struct options *options)
{
	enum keyfile_result result;
	unsigned int i;

	for (i = 0; i < options->nr_keys; i++) {
		result = agent_add_file(agent, options->keys[i]);
		if (result) {
			complain("%s: %s", options->keys[i],
				 keyfile_strerror(result));
			return -EINVAL;
		}
	}
	return 0;
}

static void detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (chdir("/"))
		complain("/: %s", strerror(errno));
	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void agent_announce(const struct listener *listener,
			   const struct startup *startup)
{
	if (!startup) {
		puts(listener->path);
		fflush(stdout);
		return;
	}
	if (write(startup->ready[1], "", 1) < 0)
		complain("%s", strerror(errno));
	close(startup->ready[1]);
	detach();
}

static int agent_serve(struct agent *agent, const struct options *options,
		       const struct listener *listener,
		       const struct startup *startup)
{
	struct server server;
	int err;

	err = agent_add_files(agent, options);
	if (err)
		return err;
	err = server_open(&server, agent, listener,
			  startup ? startup->parent_fd : -1);
	if (!err) {
		agent_announce(listener, startup);
		err = server_run(&server);
		server_close(&server);
	}
	if (err)
		complain("%s", strerror(-err));
	return err;
}

/* @startup is NULL in the foreground. */
static int agent_main(const struct options *options,
		      const struct listener *listener,
		      const struct startup *startup)
{
	struct memory mem;
	struct agent agent;
	int err;

	agent_harden();
	err = memory_open(&mem, options->memory);
	if (err) {
		complain("%s", secbuf_strerror(err));
		return EXIT_FAILURE;
	}
	err = agent_open(&agent, mem.source);
	if (err)
		complain("%s", secbuf_strerror(err));
	else
		err = agent_serve(&agent, options, listener, startup);
	agent_close(&agent);
	memory_close(&mem);

	/* Nothing to hide any more, and leak checkers have to look. */
	prctl(PR_SET_DUMPABLE, 1);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * The process that was called, when the agent is another.
 */

/* For the shell, whatever is in it. */
static void print_quoted(const char *str)
{
	putchar('\'');
	for (; *str; str++) {
		if (*str == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*str);
	}
	putchar('\'');
}

static int print_environment(const struct listener *listener, pid_t pid)
{
	fputs("SSH_AUTH_SOCK=", stdout);
	print_quoted(listener->path);
	printf("; export SSH_AUTH_SOCK;\n"
	       "SSH_AGENT_PID=%d; export SSH_AGENT_PID;\n"
	       "echo Agent pid %d;\n", (int)pid, (int)pid);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_command(const struct options *options,
		       const struct listener *listener, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	if (setenv("SSH_AUTH_SOCK", listener->path, 1) ||
	    setenv("SSH_AGENT_PID", number, 1)) {
		complain("%s", strerror(errno));
		return EXIT_FAILURE;
	}
	execvp(options->command[0], options->command);
	complain("%s: %s", options->command[0], strerror(errno));
	return EXIT_FAILURE;
}

static int parent_main(const struct options *options,
		       const struct listener *listener,
		       const struct startup *startup)
{
	char byte;

	close(startup->ready[1]);
	if (read(startup->ready[0], &byte, 1) != 1)
		return EXIT_FAILURE;
	if (options->command)
		return run_command(options, listener, startup->pid);
	return print_environment(listener, startup->pid);
}

static int child_main(const struct options *options, struct listener *listener,
		      const struct startup *startup)
{
	int ret;

	close(startup->ready[0]);
	setsid();
	ret = agent_main(options, listener, startup);
	listener_close(listener);
	return ret;
}

static int start_background(const struct options *options,
			    struct listener *listener)
{
	struct startup startup = { .parent_fd = -1 };

	if (options->command)
		startup.parent_fd = pidfd_open(getpid(), 0);
	if ((options->command && startup.parent_fd < 0) ||
	    pipe2(startup.ready, O_CLOEXEC))
		goto fail;
	startup.pid = fork();
	if (startup.pid < 0)
		goto fail;
	if (!startup.pid)
		return child_main(options, listener, &startup);
	return parent_main(options, listener, &startup);

fail:
	complain("%s", strerror(errno));
	listener_close(listener);
	return EXIT_FAILURE;
}

/*
 * Options.
 */

static const struct option main_options[] = {
	{ "socket",	required_argument,	NULL, 'a' },
	{ "key",	required_argument,	NULL, 'k' },
	{ "memory",	required_argument,	NULL, 'm' },
	{ "foreground",	no_argument,		NULL, 'D' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, 'V' },
	{ }
};

static void parse_option(struct options *options, int opt)
{
	switch (opt) {
	case 'a':
		options->socket = optarg;
		break;
	case 'k':
		options->keys[options->nr_keys++] = optarg;
		break;
	case 'm':
		options->memory = optarg;
		break;
	case 'D':
		options->foreground = true;
		break;
	case 'h':
		fputs(main_usage, stdout);
		exit(EXIT_SUCCESS);
	case 'V':
		printf("secbuf-agent %s\n", secbuf_version());
		exit(EXIT_SUCCESS);
	default:
		complain("try --help");
		exit(MAIN_EXIT_USAGE);
	}
}

static void parse_options(struct options *options, int argc, char **argv)
{
	int opt;

	/* "+": what follows COMMAND is the command's. */
	while ((opt = getopt_long(argc, argv, "+a:k:m:DhV", main_options,
				  NULL)) != -1)
		parse_option(options, opt);
	if (optind < argc)
		options->command = argv + optind;
	if (strcmp(options->memory, "secbuf") &&
	    strcmp(options->memory, "malloc")) {
		complain("--memory=%s: secbuf or malloc", options->memory);
		exit(MAIN_EXIT_USAGE);
	}
	if (options->command && options->foreground) {
		complain("--foreground and a command exclude each other");
		exit(MAIN_EXIT_USAGE);
	}
}

static int start(const struct options *options)
{
	struct listener listener;
	int err;

	err = listener_open(&listener, options->socket);
	if (err == -EADDRINUSE) {
		complain("%s: exists already; remove it if no agent uses it",
			 options->socket);
		return EXIT_FAILURE;
	}
	if (err) {
		complain("%s: %s", options->socket ? options->socket : "socket",
			 strerror(-err));
		return EXIT_FAILURE;
	}
	if (!options->foreground)
		return start_background(options, &listener);
	err = agent_main(options, &listener, NULL);
	listener_close(&listener);
	return err;
}

int main(int argc, char **argv)
{
	struct options options = { .memory = "secbuf" };
	int ret;

	if (sodium_init() < 0) {
		complain("libsodium does not work here");
		return EXIT_FAILURE;
	}
	/* No more keys than arguments. */
	options.keys = calloc(argc, sizeof(*options.keys));
	if (!options.keys) {
		complain("%s", strerror(errno));
		return EXIT_FAILURE;
	}
	parse_options(&options, argc, argv);
	ret = start(&options);
	free(options.keys);
	return ret;
}
