/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand: the Nth allocation, or copy from or to user space, that
 * the kernel makes for the calling task from now on fails (fail-nth, see the
 * kernel's Documentation/fault-injection).
 */
#ifndef SECBUF_FAULT_H
#define SECBUF_FAULT_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULT_DEBUGFS	"/sys/kernel/debug"

static inline int fault_knob(const char *name, const char *value)
{
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), FAULT_DEBUGFS "/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	close(fd);
	return n < 0 ? -errno : 0;
}

/*
 * Any size, any context, and no word about it in the kernel's log: that of what
 * is wrong must be seen. Returns the first knob that there is not, or NULL.
 */
static inline const char *fault_setup(void)
{
	static const char *const knobs[][2] = {
		{ "failslab/verbose", "0" },
		{ "failslab/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_usercopy/verbose", "0" },
	};

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		if (fault_knob(knobs[i][0], knobs[i][1]))
			return knobs[i][0];
	return access("/proc/thread-self/fail-nth", W_OK) ?
	       "/proc/thread-self/fail-nth" : NULL;
}

/* Returns a descriptor for the calling thread. */
static inline int fault_open(void)
{
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

static inline void fault_arm(int fd, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		_exit(98);
}

/* Returns how many points were still to come: 0 if something failed. */
static inline unsigned int fault_disarm(int fd)
{
	char text[16] = "";
	unsigned int left = 1;

	/* If this is what fails, nothing did before. */
	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		left = strtoul(text, NULL, 10);
	while (pwrite(fd, "0", 1, 0) < 0)
		;
	return left;
}

#endif /* SECBUF_FAULT_H */
