/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that has every kind of object and lets all of its memory be dumped,
 * and the search for its secrets in what came of that.
 */
#ifndef SECBUF_VICTIM_H
#define SECBUF_VICTIM_H

#include "secbuf_target.h"
#include "secbuf_proof.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Every slot is granted, so that there is a page for each. */
static inline void pool_fill(struct pool *p)
{
	__u64 id;

	while (pool_alloc(p->fd, &id, 1) == 1)
		touch(pool_slot(p, id), true);
}

/*
 * A debugger gives a whole range up where it cannot read one page of it: let
 * there be all pages but those that guard.
 */
static inline void victim_fill(struct world *w)
{
	pool_fill(&w->pool);
	pool_fill(&w->member);
	pool_fill(&w->guarded);
	for (int i = 0; i < NR_MAPPED; i++)
		for (size_t at = 0; at < w->t[i].len; at += PAGE)
			touch(w->t[i].map + at, false);
}

/* All that can be dumped, and every wish that more be. */
static inline void victim_open(struct world *w)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (filter < 0 || write(filter, "0xff", 4) != 4 ||
	    setrlimit(RLIMIT_CORE, &unlimited) || world_open(w))
		_exit(1);
	victim_fill(w);
	for (int i = 0; i < NR_MAPPED; i++)
		madvise(w->t[i].map, w->t[i].len, MADV_DODUMP);
}

/*
 * A process that has all objects, until it is killed, or whoever made it ends.
 * Sets @w to where they are in it.
 */
static inline pid_t victim_start(struct world *w)
{
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		victim_open(w);
		if (write(ready[1], w, sizeof(*w)) != sizeof(*w))
			_exit(3);
		pause();
		_exit(4);
	}
	close(ready[1]);
	if (read(ready[0], w, sizeof(*w)) != sizeof(*w))
		pid = -1;
	close(ready[0]);
	return pid;
}

static inline void victim_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

static inline void search(const void *p, size_t len, unsigned int *found)
{
	for (int i = 0; i < NR_TARGETS; i++)
		found[i] += i == CONTROL ? 0 : secret_count(p, len, i);
}

static inline int search_file(int fd, unsigned int *found)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st))
		return -errno;
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	search(p, st.st_size, found);
	munmap(p, st.st_size);
	return 0;
}

/* Ordinary memory was found, and nothing else. */
#define EXPECT_ONLY_PLAIN()						\
do {									\
	for (int __i = 0; __i < NR_TARGETS; __i++) {			\
		if (__i == CONTROL)					\
			continue;					\
		if (__i < POOL)						\
			EXPECT_CONTROL(true, self->found[__i] > 0);	\
		else							\
			EXPECT_HELD(0U, self->found[__i]);		\
		if (__i < POOL ? !self->found[__i] : self->found[__i])	\
			TH_LOG("%s: %u", target_names[__i],		\
			       self->found[__i]);			\
	}								\
} while (0)

#endif /* SECBUF_VICTIM_H */
