// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "complain.h"
#include "process.h"

void process_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

void process_harden(void)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t set;

	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_IGN);
	process_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void process_expose(void)
{
	prctl(PR_SET_DUMPABLE, 1);
}

void process_detach(bool silent)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (chdir("/"))
		complain("/: %s", strerror(errno));
	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (silent)
		dup2(fd, STDERR_FILENO);
	close(fd);
}
