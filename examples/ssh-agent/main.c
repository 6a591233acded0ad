// SPDX-License-Identifier: GPL-2.0
/*
 * secbuf-agent: an SSH agent whose private keys die with it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "complain.h"
#include "memory.h"
#include "process.h"
#include "server.h"
#include "vault.h"

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
	"One process talks to clients, another one has the keys; when one dies,\n"
	"the other ends.\n"
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

/*
 * The agent itself.
 */

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
	process_detach(true);
}

static int agent_serve(struct keeper *keeper, const struct memory *mem,
		       const struct listener *listener,
		       const struct startup *startup)
{
	struct server server;
	int err;

	err = server_open(&server, keeper, mem, listener,
			  startup ? startup->parent_fd : -1);
	if (!err) {
		agent_announce(listener, startup);
		err = server_run(&server);
		server_close(&server);
	}
	/* What is wrong with the keeper is said where it is ended. */
	if (err && !keeper->channel.err)
		complain("%s", secbuf_strerror(err));
	return err;
}

static int agent_run(struct keeper *keeper, const struct options *options,
		     const struct listener *listener,
		     const struct startup *startup)
{
	struct memory mem;
	int err, stopped;

	err = memory_open(&mem, options->memory);
	if (err)
		complain("%s", secbuf_strerror(err));
	if (!err)
		err = keeper_await(keeper, mem.source);
	if (!err)
		err = agent_serve(keeper, &mem, listener, startup);
	memory_close(&mem);
	stopped = keeper_stop(keeper);
	return err ? err : stopped;
}

/* @startup is NULL in the foreground. */
static int agent_main(const struct options *options,
		      const struct listener *listener,
		      const struct startup *startup)
{
	struct vault_options vault = {
		.memory = options->memory,
		.keys = options->keys,
		.nr_keys = options->nr_keys,
		.background = startup,
	};
	struct keeper keeper;
	int err;

	process_harden();
	err = keeper_start(&keeper, options->memory, vault_run, &vault);
	if (err)
		complain("%s", secbuf_strerror(err));
	else
		err = agent_run(&keeper, options, listener, startup);
	process_expose();
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
