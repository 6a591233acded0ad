// SPDX-License-Identifier: GPL-2.0
/*
 * secbufctl: load, unload and inspect the secbuf kernel module.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <secbuf.h>

#include "secbufctl.h"

static const char usage_text[] =
	"usage: secbufctl load [PATH] [PARAM=VALUE]...\n"
	"       secbufctl unload\n"
	"       secbufctl status\n"
	"       secbufctl --help | --version\n";

static const char help_text[] =
	"\n"
	"  load      load the module: the file PATH, or the installed one\n"
	"  unload    unload the module\n"
	"  status    show the module, the device, its limits and its usage\n"
	"\n"
	"Parameters: max_bytes, max_user_bytes, idle_secs, hibernation_block,\n"
	"suspend_zeroize, reboot_zeroize (see modinfo secbuf).\n"
	"Exit status: 0 done, 1 failed, 2 misused, 3 (status) not loaded.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	int max_args;
} commands[] = {
	{ "load", cmd_load, -1 },
	{ "unload", cmd_unload, 0 },
	{ "status", cmd_status, 0 },
};

int fail(const char *format, ...)
{
	va_list args;

	fputs("secbufctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

static int misused(void)
{
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

static int run_command(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, argv[0]))
			continue;
		if (commands[i].max_args >= 0 &&
		    argc - 1 > commands[i].max_args) {
			fail("%s takes no arguments", argv[0]);
			return misused();
		}
		return commands[i].run(argc - 1, argv + 1);
	}
	fail("there is no command '%s'", argv[0]);
	return misused();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	/* "+": what follows the command is the command's. */
	while ((opt = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(usage_text, stdout);
			fputs(help_text, stdout);
			return EXIT_OK;
		case 'V':
			printf("secbufctl %s\n", secbuf_version());
			return EXIT_OK;
		default:
			return misused();
		}
	}
	if (optind == argc)
		return misused();
	return run_command(argc - optind, argv + optind);
}
