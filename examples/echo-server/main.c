// SPDX-License-Identifier: GPL-2.0
/*
 * echo-server: SSH strings come back; no buffer outlives its connection.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "server.h"

#define MAIN_EXIT_USAGE		2

/* Descriptors beside those of clients, which have a socket and a conn each. */
#define MAIN_FILES		32
#define MAIN_FILES_PER_CLIENT	2

struct options {
	const char *memory;
	const char *address;
	uint16_t port;
	unsigned int max_clients;
	unsigned int max_frame;
	unsigned int idle_ms;
};

static const char main_usage[] =
	"usage: echo-server [OPTION]...\n"
	"\n"
	"A TCP server that sends strings back. A string is a 32 bit length, high\n"
	"byte first, and as many bytes. What a client sent is kept in secbuf\n"
	"memory, which the kernel zeroizes when the client has gone and when the\n"
	"server ends, however it does. Prints the port when it is ready.\n"
	"\n"
	"  -a, --address=ADDR   listen there, default 127.0.0.1\n"
	"  -p, --port=PORT      default 0: one that is free\n"
	"  -c, --max-clients=N  default 1000; others are hung up on\n"
	"  -f, --max-frame=N    longest string, default 4092 bytes\n"
	"  -i, --idle-ms=N      when the buffers of a client that does nothing go\n"
	"                       back, default 60000\n"
	"  -m, --memory=KIND    secbuf (the default), or malloc for comparison\n"
	"  -h, --help           print this\n"
	"  -V, --version        print the version\n";

static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("echo-server: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

static const struct option main_options[] = {
	{ "address",	required_argument,	NULL, 'a' },
	{ "port",	required_argument,	NULL, 'p' },
	{ "max-clients", required_argument,	NULL, 'c' },
	{ "max-frame",	required_argument,	NULL, 'f' },
	{ "idle-ms",	required_argument,	NULL, 'i' },
	{ "memory",	required_argument,	NULL, 'm' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, 'V' },
	{ }
};

static unsigned int parse_number(const char *what, unsigned int min,
				 unsigned int max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(optarg, &end, 10);
	if (*optarg < '0' || *optarg > '9' || *end || errno || value < min ||
	    value > max) {
		complain("--%s=%s: a number from %u to %u", what, optarg, min,
			 max);
		exit(MAIN_EXIT_USAGE);
	}
	return value;
}

static void parse_option(struct options *options, int opt)
{
	switch (opt) {
	case 'a':
		options->address = optarg;
		break;
	case 'p':
		options->port = parse_number("port", 0, UINT16_MAX);
		break;
	case 'c':
		options->max_clients = parse_number("max-clients", 1, 100000);
		break;
	case 'f':
		options->max_frame = parse_number("max-frame", 1, 262140);
		break;
	case 'i':
		options->idle_ms = parse_number("idle-ms", 1, 86400000);
		break;
	case 'm':
		options->memory = optarg;
		break;
	case 'h':
		fputs(main_usage, stdout);
		exit(EXIT_SUCCESS);
	case 'V':
		printf("echo-server %s\n", secbuf_version());
		exit(EXIT_SUCCESS);
	default:
		complain("try --help");
		exit(MAIN_EXIT_USAGE);
	}
}

static void parse_options(struct options *options, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "a:p:c:f:i:m:hV", main_options,
				  NULL)) != -1)
		parse_option(options, opt);
	if (optind < argc) {
		complain("%s: there are no arguments; try --help", argv[optind]);
		exit(MAIN_EXIT_USAGE);
	}
	if (strcmp(options->memory, "secbuf") &&
	    strcmp(options->memory, "malloc")) {
		complain("--memory=%s: secbuf or malloc", options->memory);
		exit(MAIN_EXIT_USAGE);
	}
}

/* Better now than when the last ones come. */
static int raise_files(unsigned int max_clients)
{
	rlim_t need = (rlim_t)max_clients * MAIN_FILES_PER_CLIENT + MAIN_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (limit.rlim_cur >= need)
		return 0;
	limit.rlim_cur = need;
	if (limit.rlim_max < need)
		limit.rlim_max = need;
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	complain("%u clients need %ju open files: raise 'ulimit -Hn' or lower --max-clients",
		 max_clients, (uintmax_t)need);
	return -errno;
}

static int serve(const struct options *options, struct memory *mem)
{
	uint16_t port = options->port;
	struct server server;
	int err;

	err = server_open(&server, mem, options->address, &port);
	if (err == -EINVAL) {
		complain("--address=%s: four numbers, as 127.0.0.1",
			 options->address);
		return err;
	}
	if (err) {
		complain("%s port %u: %s", options->address, options->port,
			 strerror(-err));
		return err;
	}
	printf("%u\n", port);
	fflush(stdout);
	err = server_run(&server);
	server_close(&server);
	if (err)
		complain("%s", strerror(-err));
	printf("%" PRIu64 " clients, %" PRIu64 " refused, %" PRIu64 " strings\n",
	       server.served, server.refused, server.frames);
	return err;
}

int main(int argc, char **argv)
{
	struct options options = {
		.memory = "secbuf",
		.address = "127.0.0.1",
		.max_clients = 1000,
		.max_frame = 4092,
		.idle_ms = SECBUF_CONN_IDLE_MS_DEFAULT,
	};
	struct memory mem = { 0 };
	int err;

	parse_options(&options, argc, argv);
	mem.ops = strcmp(options.memory, "malloc") ? &memory_secbuf_ops :
						      &memory_malloc_ops;
	mem.buf_size = options.max_frame + CLIENT_HEADER_SIZE;
	mem.max_clients = options.max_clients;
	mem.idle_ms = options.idle_ms;
	if (raise_files(options.max_clients))
		return EXIT_FAILURE;
	err = mem.ops->open(&mem);
	if (err)
		complain("%s", secbuf_strerror(err));
	else
		err = serve(&options, &mem);
	mem.ops->close(&mem);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
