// SPDX-License-Identifier: GPL-2.0
/*
 * A process with secrets, dumped by gdb itself: as its gcore does it, with all
 * that it can be told to dump besides, and range by range.
 *
 * It leaves out mappings that smaps calls "dd" (VM_DONTDUMP) unless it is told
 * otherwise, and "io" (VM_IO) whatever it is told. A range that it is given it
 * reads by /proc/PID/mem, which the entries of the page table refuse.
 */
#include "secbuf_victim.h"

#define GDB		"/bin/gdb"
#define CORE		"/tmp/secbuf-gcore"
#define MAX_COMMANDS	NR_MAPPED
#define COMMAND_SIZE	128

FIXTURE(gdb)
{
	struct world	w;		/* of the victim */
	pid_t		victim;
	unsigned int	found[NR_TARGETS];
};

FIXTURE_SETUP(gdb)
{
	if (access(GDB, X_OK))
		return;
	self->victim = victim_start(&self->w);
	ASSERT_LT(0, self->victim);
}

FIXTURE_TEARDOWN(gdb)
{
	if (self->victim > 0)
		victim_end(self->victim);
}

#define NEEDS_GDB()							\
do {									\
	if (!self->victim)						\
		SKIP(return, "there is no " GDB);			\
} while (0)

/* gdb goes on with the next command if one fails. */
static void gdb_exec(pid_t pid, const char (*commands)[COMMAND_SIZE],
		     unsigned int nr, int out)
{
	const char *argv[2 * MAX_COMMANDS + 8] = { GDB, "-nx", "-batch" };
	unsigned int n = 3;
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	argv[n++] = "-p";
	argv[n++] = number;
	for (unsigned int i = 0; i < nr; i++) {
		argv[n++] = "-ex";
		argv[n++] = commands[i];
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(GDB, (char **)argv);
	_exit(127);
}

/* Returns the status of gdb, whose words are shown. */
static int gdb_run(pid_t pid, const char (*commands)[COMMAND_SIZE],
		   unsigned int nr)
{
	int words[2], status = -1;
	char line[256];
	pid_t gdb;
	FILE *f;

	if (pipe2(words, O_CLOEXEC))
		return -errno;
	gdb = fork();
	if (!gdb)
		gdb_exec(pid, commands, nr, words[1]);
	close(words[1]);
	f = fdopen(words[0], "r");
	while (fgets(line, sizeof(line), f))
		fprintf(stderr, "# gdb: %.*s\n", (int)strcspn(line, "\n"),
			line);
	fclose(f);
	waitpid(gdb, &status, 0);
	return status;
}

/* Returns the descriptor of a file that gdb has made, or -errno. */
static int take_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

#define MAKE_CORE	"generate-core-file " CORE

#define CORE_TEST(name, ...)						\
TEST_F_TIMEOUT(gdb, name, 300)						\
{									\
	static const char commands[][COMMAND_SIZE] = { __VA_ARGS__ };	\
	int fd;								\
									\
	NEEDS_GDB();							\
	ASSERT_EQ(0, gdb_run(self->victim, commands,			\
			     ARRAY_SIZE(commands)));			\
	fd = take_file(CORE);						\
	ASSERT_LE(0, fd);						\
	ASSERT_EQ(0, search_file(fd, self->found));			\
	EXPECT_ONLY_PLAIN();						\
}

/* The victim's own filter leaves nothing out. */
CORE_TEST(core_file, MAKE_CORE)
CORE_TEST(core_file_with_excluded, "set dump-excluded-mappings on", MAKE_CORE)
/* What gcore -a says. */
CORE_TEST(core_file_of_all, "set use-coredump-filter off",
	  "set dump-excluded-mappings on", MAKE_CORE)

static void path_of(char *path, size_t size, int i)
{
	snprintf(path, size, CORE ".%d", i);
}

/* The page of each object that has its secret: gdb must not get at it. */
TEST_F_TIMEOUT(gdb, dump_memory, 300)
{
	char commands[NR_MAPPED][COMMAND_SIZE], path[64];
	int fd;

	NEEDS_GDB();
	for (int i = 0; i < NR_MAPPED; i++) {
		uintptr_t at = (uintptr_t)self->w.t[i].page;

		path_of(path, sizeof(path), i);
		snprintf(commands[i], COMMAND_SIZE,
			 "dump binary memory %s %#lx %#lx", path, at,
			 at + PAGE);
	}
	gdb_run(self->victim, commands, NR_MAPPED);
	for (int i = 0; i < NR_MAPPED; i++) {
		path_of(path, sizeof(path), i);
		fd = take_file(path);
		if (i >= POOL) {
			EXPECT_HELD(-ENOENT, fd);
			if (fd >= 0)
				TH_LOG("%s", target_names[i]);
			continue;
		}
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, search_file(fd, self->found));
		EXPECT_CONTROL(true, self->found[i] > 0);
	}
}

TEST_HARNESS_MAIN
