/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What tests of the library on a device have in common. The same tests run on a
 * module that is not there (fake.h), as far as that goes.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secbuf.h>

#ifdef FAKE
#include "fake.h"
#endif

/*
 * AddressSanitizer, which makes each call tell it about slots, leaves out pools
 * that others may attach to.
 */
#ifdef __SANITIZE_ADDRESS__
#define CACHED_FLAGS	SECBUF_POOL_PASSABLE
#else
#define CACHED_FLAGS	0
#endif
#define CACHED_OPTS(_buf_size, _max)					\
	{ sizeof(struct secbuf_pool_opts), (_buf_size), (_max), CACHED_FLAGS, 0 }

static sigjmp_buf probe_env;

static inline void probe_handler(int sig)
{
	siglongjmp(probe_env, sig);
}

/* The signal that reading one byte at @ptr raises, 0 if none. */
static inline int probe(const void *ptr)
{
	struct sigaction act = { .sa_handler = probe_handler };
	int sig;

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sig = sigsetjmp(probe_env, 1);
	if (!sig)
		__asm__ volatile("" : : "r" (*(const volatile unsigned char *)ptr));
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return sig;
}

static inline bool is_zero(const void *ptr, size_t n)
{
	const unsigned char *bytes = ptr;

	while (n--)
		if (*bytes++)
			return false;
	return true;
}

/* Slots that the kernel has granted, parked or not. */
static inline unsigned int granted(struct secbuf_pool *pool)
{
	struct secbuf_pool_stats_args stats = { 0 };

	if (secbuf_ioctl_pool_stats(secbuf_pool_fd(pool), &stats))
		return -1;
	return stats.out_in_use;
}

/*
 * The exit status of a child that runs @fn on @self; 0 is success. One that hangs
 * is killed.
 */
#define in_child(fn, self) ({						\
	pid_t __pid = fork();						\
	int __status = -1;						\
	if (!__pid) {							\
		alarm(120);						\
		_exit(fn(self));					\
	}								\
	if (__pid > 0)							\
		waitpid(__pid, &__status, 0);				\
	WIFEXITED(__status) ? WEXITSTATUS(__status) : -1;		\
})

#ifndef FAKE
/* Not in a fixture: a harness may go on after a SKIP() there. */
static void __attribute__((constructor)) open_or_skip(void)
{
	struct secbuf_context *ctx;
	int err = secbuf_open(&ctx, NULL);

	if (err == -ENODEV || err == -EACCES)
		ksft_exit_skip("%s\n", secbuf_strerror(err));
	secbuf_close(ctx);
}
#endif

#endif /* DEVICE_H */
