/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ceilings for the tests of them: module parameters, and a memory cgroup.
 */
#ifndef SECBUF_LIMITS_H
#define SECBUF_LIMITS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes a module parameter; @old, if not NULL, gets what it was. */
static inline int param_write(const char *name, const char *value, char *old)
{
	char path[192];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/secbuf/parameters/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = old ? read(fd, old, 31) : 0;
	if (old && n > 0)
		old[n] = '\0';
	n = pwrite(fd, value, strlen(value), 0);
	close(fd);
	return n < 0 ? -errno : 0;
}

static inline int file_write(const char *dir, const char *name,
			     const char *value)
{
	char path[192];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static inline int memory_short(void)
{
	return file_write("/proc/sys/vm", "drop_caches", "2");
}

/*
 * The kernel asks for idle memory; whether @cond is true then. What is locked just
 * now is passed over, and asked the next time.
 */
#define short_until(cond)	wait_until(memory_short() || (cond))

/* The number after @key in a file, or -errno. */
static inline long file_number(const char *dir, const char *name,
			       const char *key)
{
	char path[192], text[1024];
	const char *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	p = strstr(text, key);
	return p ? atol(p + strlen(key)) : -ENOENT;
}

/* A cgroup of its own for a test, which one that was killed leaves behind. */
struct memcg {
	char	root[64];
	char	dir[96];
	bool	mounted;
};

static inline int memcg_open(struct memcg *cg)
{
	memset(cg, 0, sizeof(*cg));
	strcpy(cg->root, "/sys/fs/cgroup");
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK)) {
		strcpy(cg->root, "/tmp/secbuf-cgroup-XXXXXX");
		if (!mkdtemp(cg->root) ||
		    mount("none", cg->root, "cgroup2", 0, NULL))
			return -errno;
		cg->mounted = true;
	}
	file_write(cg->root, "cgroup.subtree_control", "+memory");
	snprintf(cg->dir, sizeof(cg->dir), "%s/secbuf-test-%d", cg->root,
		 getpid());
	return mkdir(cg->dir, 0755) ? -errno : 0;
}

/* Who was in it may be on his way out still. */
static inline void memcg_close(struct memcg *cg)
{
	for (int i = 0; rmdir(cg->dir) && errno == EBUSY && i < 6000; i++)
		usleep(10000);
	if (cg->mounted) {
		umount(cg->root);
		rmdir(cg->root);
	}
}

/* Runs it in a child, in the cgroup; returns its result, or -errno. */
static inline int memcg_run(struct memcg *cg, int (*run)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(file_write(cg->dir, "cgroup.procs", "0") ? 255 :
		      run(arg));
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

#endif /* SECBUF_LIMITS_H */
