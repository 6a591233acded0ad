/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Touching memory that may not be there.
 */
#ifndef SECBUF_TOUCH_H
#define SECBUF_TOUCH_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static sigjmp_buf touch_env;

static void touch_handler(int sig)
{
	siglongjmp(touch_env, sig);
}

/* The signal that touching the byte ends in, or 0. */
static int touch(volatile unsigned char *p, bool write)
{
	struct sigaction action = { .sa_handler = touch_handler };
	int sig;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sig = sigsetjmp(touch_env, 1);
	if (!sig) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return sig;
}

#endif /* SECBUF_TOUCH_H */
