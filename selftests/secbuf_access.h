/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An attack is a function that is run on ordinary memory first, where it must
 * succeed, and then on each kind of mapped object, where it must fail with the
 * errno that this kernel is known for, and change nothing.
 */
#ifndef SECBUF_ACCESS_H
#define SECBUF_ACCESS_H

#include "secbuf_target.h"
#include "secbuf_proof.h"

#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* Returns 0, it succeeded; an errno; ENODATA, it got nothing; or LACKING. */
typedef int (*attack_fn)(struct target *t);

#define LACKING		255		/* this kernel has no such thing */

/* The columns of every table of errors: 6.1 and later, 6.12, 7.3. */
#define NR_KERNELS	3

static inline int kernel_column(void)
{
	int major = 0, minor = 0;
	struct utsname uts;

	if (!uname(&uts))
		sscanf(uts.release, "%d.%d", &major, &minor);
	if (major > 6)
		return 2;
	return major == 6 && minor >= 12;
}

/* For an attack to return; why is in errno, if it is not 0. */
static inline int lacking(const char *what)
{
	snprintf(proof->lack, sizeof(proof->lack), "%s%s%s", what,
		 errno ? ": " : "", errno ? strerror(errno) : "");
	return LACKING;
}

/* What system calls that read came to. */
static inline int got(const struct target *t, const unsigned char *buf,
		      ssize_t len)
{
	if (len < 0)
		return errno;
	return len == SECRET_LEN && secret_is(buf, t->kind) ? 0 : ENODATA;
}

/* One world, of which each variant attacks one object. */
#define ACCESS_FIXTURE(name)						\
FIXTURE(name)								\
{									\
	struct world	w;						\
	struct target	*t;						\
};									\
FIXTURE_VARIANT(name)							\
{									\
	enum target_kind kind;						\
};									\
FIXTURE_SETUP(name)							\
{									\
	ASSERT_EQ(0, world_open_for(&self->w, variant->kind));		\
	self->t = &self->w.t[variant->kind];				\
	ASSERT_TRUE(target_intact(self->t));				\
}									\
/* The objects end with the process that the harness made for the test. */ \
FIXTURE_TEARDOWN(name)							\
{									\
}

#define OBJECT(fixture, name, target)					\
	FIXTURE_VARIANT_ADD(fixture, name) { .kind = target }

/* Whatever has more than one page. */
#define OBJECTS_WITH_PARTS(fixture)					\
	OBJECT(fixture, pool, POOL);					\
	OBJECT(fixture, shared_pool, MEMBER);				\
	OBJECT(fixture, guarded_pool, GUARDED);				\
	OBJECT(fixture, conn_buffer, CONN);				\
	OBJECT(fixture, words, WORDS);					\
	OBJECT(fixture, ring_producer, RING_PRODUCER);			\
	OBJECT(fixture, ring_consumer, RING_CONSUMER);			\
	OBJECT(fixture, ring_head_seen, HEAD_SEEN);			\
	OBJECT(fixture, ring_tail_seen, TAIL_SEEN)

ACCESS_FIXTURE(object)
OBJECTS_WITH_PARTS(object);
OBJECT(object, control_page, CONTROL);
OBJECT(object, ring_head, HEAD);
OBJECT(object, ring_tail, TAIL);

/* Nothing that was tried has changed the object. */
#define EXPECT_INTACT()	EXPECT_TRUE(target_intact(self->t))

/* Flags of the mapping that begins at @start, as smaps has them; or NULL. */
static inline const char *vm_flags(const void *start)
{
	static char line[512];
	unsigned long begin, end;
	bool here = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = begin == (uintptr_t)start;
		else if (here && !strncmp(line, "VmFlags:", 8))
			break;
	}
	here = f && !feof(f);
	if (f)
		fclose(f);
	return here ? line : NULL;
}

/* What keeps everybody else out: pfnmap, io, dontcopy, dontexpand, dontdump. */
static inline bool is_protected(const struct target *t)
{
	static const char * const flags[] = {
		" sh", " pf", " io", " dc", " de", " dd",
	};
	const char *has = vm_flags(t->map);

	for (unsigned int i = 0; has && i < ARRAY_SIZE(flags); i++)
		if (!strstr(has, flags[i]))
			return false;
	return !has || (!strstr(has, " me") && !strstr(has, " mg") &&
			!strstr(has, " wf") && !strstr(has, " ac"));
}

#define EXPECT_PROTECTED()						\
do {									\
	EXPECT_INTACT();						\
	EXPECT_TRUE(is_protected(self->t));				\
} while (0)

static inline void attack(struct __test_metadata *_metadata, struct world *w,
			  struct target *t, attack_fn fn,
			  enum target_kind control, const int *errors)
{
	int err = fn(&w->t[control]);

	if (err == LACKING)
		SKIP(return, "%s", proof->lack);
	EXPECT_CONTROL(0, err);
	EXPECT_HELD(errors[kernel_column()], fn(t));
	EXPECT_TRUE(target_intact(t));
}

/* A row: the attack, the memory of its control, what 6.1, 6.12 and 7.3 say. */
#define ATTACK_ON(fixture, name, fn, control, ...)			\
TEST_F(fixture, name)							\
{									\
	static const int errors[NR_KERNELS] = { __VA_ARGS__ };		\
									\
	attack(_metadata, &self->w, self->t, fn, control, errors);	\
}

#define ATTACK(name, control, ...)					\
	ATTACK_ON(object, name, name, control, __VA_ARGS__)

/* A system call in a process of its own; its status is what @fn returned. */
static inline int in_child(attack_fn fn, struct target *t)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(fn(t));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif /* SECBUF_ACCESS_H */
