/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The kernel's harness, for machines that are slow: one that is emulated on a
 * busy one stands still for seconds now and then.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <kselftest_harness.h>

/* Of a test, in seconds: more than it ever waits. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	240

/* What takes longer than this will not come any more. */
#define WAIT_S			60
#define WAIT_NS			(WAIT_S * 1000000000ULL)

/* Seconds, of a clock that nobody sets. */
static inline time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Whether a process or a thread sleeps where a signal would wake it. */
static inline bool is_asleep(pid_t tid)
{
	char path[32], text[512] = "";
	const char *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	end = strrchr(text, ')');
	return end && !strncmp(end, ") S ", 4);
}

/* Until it does, or for WAIT_S. */
static inline void await_sleep(pid_t tid)
{
	const struct timespec ms = { 0, 1000000 };
	int i;

	for (i = 0; i < WAIT_S * 1000 && !is_asleep(tid); i++)
		nanosleep(&ms, NULL);
}

#endif /* HARNESS_H */
