// SPDX-License-Identifier: GPL-2.0
/*
 * ramsearch: find every copy of a secret in a guest's RAM
 *
 * The guest's RAM is a file on the host, so the search sees all physical
 * memory and runs where the guest cannot interfere.  A needle is a file of raw
 * bytes, DIR/NAME.needle.  So that the search finds what a program left and
 * not what was carried in, only a masked copy of a secret enters the guest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_SIZE	32
#define NEEDLE_MIN	4	/* shorter ones are found everywhere */
#define NEEDLE_MAX	4096
#define WINDOW		(4UL << 20)

struct needle {
	char name[256];
	uint8_t bytes[NEEDLE_MAX];
	size_t len;
	unsigned long count;
	struct needle *next;	/* that begins with the same two bytes */
};

/* The needles by the two bytes that they begin with. */
static struct needle *by_prefix[1 << 16];

static uint16_t prefix_of(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static void count_at(const uint8_t *p, size_t left)
{
	for (struct needle *n = by_prefix[prefix_of(p)]; n; n = n->next)
		if (n->len <= left && !memcmp(p, n->bytes, n->len))
			n->count++;
}

static size_t read_full(int fd, uint8_t *buf, size_t len, off_t pos)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, buf + done, len - done, pos + done);

		if (n < 0)
			error(1, errno, "cannot read the memory");
		if (!n)
			break;
		done += n;
	}
	return done;
}

/*
 * One pass for all needles.  Windows overlap by the longest needle minus one,
 * and a window counts only the matches that start before its overlap (the last
 * one: all of them), so that each match counts once wherever it lies.
 *
 * Reads, not a mapping: touching a hole of a mapped file would fill it.
 */
static void search(int fd, size_t window, struct needle *needles, size_t nr)
{
	size_t overlap = NEEDLE_MIN - 1;
	uint8_t *buf;
	off_t pos = 0;
	size_t len;

	memset(by_prefix, 0, sizeof(by_prefix));
	for (size_t i = 0; i < nr; i++) {
		uint16_t prefix = prefix_of(needles[i].bytes);

		needles[i].count = 0;
		needles[i].next = by_prefix[prefix];
		by_prefix[prefix] = &needles[i];
		if (needles[i].len - 1 > overlap)
			overlap = needles[i].len - 1;
	}

	buf = malloc(window + overlap);
	if (!buf)
		error(1, errno, "cannot search");
	do {
		size_t starts;

		len = read_full(fd, buf, window + overlap, pos);
		starts = len < window + overlap ? len : window;
		for (size_t i = 0; i < starts && i + NEEDLE_MIN <= len; i++)
			count_at(buf + i, len - i);
		pos += window;
	} while (len == window + overlap);
	free(buf);
}

static void load_needle(struct needle *n, const char *path)
{
	const char *base = strrchr(path, '/');
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t more;
	char *suffix;

	if (fd < 0)
		error(1, errno, "%s", path);
	n->len = read_full(fd, n->bytes, sizeof(n->bytes), 0);
	if (n->len < NEEDLE_MIN || read_full(fd, &more, 1, n->len))
		error(1, 0, "%s: a needle has %d to %d bytes", path,
		      NEEDLE_MIN, NEEDLE_MAX);
	close(fd);

	snprintf(n->name, sizeof(n->name), "%s", base ? base + 1 : path);
	suffix = strstr(n->name, ".needle");
	if (suffix)
		*suffix = '\0';
}

static int cmd_search(const char *ram, char **paths, size_t nr)
{
	struct needle *needles = calloc(nr, sizeof(*needles));
	int fd = open(ram, O_RDONLY | O_CLOEXEC);

	if (!needles)
		error(1, errno, "cannot search");
	if (fd < 0)
		error(1, errno, "%s", ram);
	for (size_t i = 0; i < nr; i++)
		load_needle(&needles[i], paths[i]);
	search(fd, WINDOW, needles, nr);
	for (size_t i = 0; i < nr; i++)
		printf("%s %lu\n", needles[i].name, needles[i].count);
	close(fd);
	free(needles);
	return 0;
}

static void put_file(const char *dir, const char *name, const char *suffix,
		     const uint8_t *bytes, size_t len)
{
	char path[4096];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", dir, name,
			     suffix) >= sizeof(path))
		error(1, ENAMETOOLONG, "%s", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd))
		error(1, errno, "%s", path);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		error(1, errno, "%s", path);
}

static void random_bytes(uint8_t *bytes, size_t len)
{
	if (getrandom(bytes, len, 0) != (ssize_t)len)
		error(1, errno, "no random bytes");
}

static void read_secret(uint8_t *secret, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		error(1, errno, "%s", path);
	if (read_full(fd, secret, SECRET_SIZE, 0) != SECRET_SIZE)
		error(1, 0, "%s: a secret has %d bytes", path, SECRET_SIZE);
	close(fd);
}

static int cmd_plant(const char *dir, const char *name, const char *from)
{
	uint8_t secret[SECRET_SIZE], mask[SECRET_SIZE], masked[SECRET_SIZE];
	char guest[4096];

	if (from)
		read_secret(secret, from);
	else
		random_bytes(secret, sizeof(secret));
	random_bytes(mask, sizeof(mask));
	for (size_t i = 0; i < sizeof(secret); i++)
		masked[i] = secret[i] ^ mask[i];

	if ((size_t)snprintf(guest, sizeof(guest), "%s/guest", dir) >=
	    sizeof(guest))
		error(1, ENAMETOOLONG, "%s", dir);
	make_dir(dir);
	make_dir(guest);
	put_file(dir, name, ".needle", secret, SECRET_SIZE);
	put_file(dir, name, ".lo.needle", secret, SECRET_SIZE / 2);
	put_file(dir, name, ".hi.needle", secret + SECRET_SIZE / 2,
		 SECRET_SIZE / 2);
	put_file(guest, name, ".mask", mask, sizeof(mask));
	put_file(guest, name, ".masked", masked, sizeof(masked));
	return 0;
}

/*
 * Self-test.  A window far smaller than the file gives many borders to cross.
 */
#define TEST_WINDOW	64UL
#define TEST_SIZE	(8 * TEST_WINDOW)

static unsigned int tests, failures;

static void expect(const char *what, unsigned long got, unsigned long want)
{
	bool ok = got == want;

	printf("%s %u %s", ok ? "ok" : "not ok", ++tests, what);
	if (!ok)
		printf(" # found %lu, expected %lu", got, want);
	putchar('\n');
	failures += !ok;
}

static void poke(int fd, off_t pos, const void *bytes, size_t len)
{
	if (pwrite(fd, bytes, len, pos) != (ssize_t)len)
		error(1, errno, "self-test");
}

static void set_needle(struct needle *n, const void *bytes, size_t len)
{
	memcpy(n->bytes, bytes, len);
	n->len = len;
}

static int cmd_selftest(void)
{
	struct needle *n = calloc(4, sizeof(*n));
	FILE *file = tmpfile();
	uint8_t secret[SECRET_SIZE];
	int fd;

	if (!n || !file)
		error(1, errno, "self-test");
	fd = fileno(file);
	random_bytes(secret, sizeof(secret));
	secret[0] = 0xa5;	/* not what the rest of the file is made of */
	set_needle(&n[0], secret, SECRET_SIZE);
	set_needle(&n[1], secret, SECRET_SIZE / 2);
	set_needle(&n[2], "\xee\xee\xee\xee\xee", 5);
	set_needle(&n[3], "\xa5\xa5\xa5\xa5", 4);

	puts("TAP version 13");
	search(fd, TEST_WINDOW, n, 4);
	expect("empty file", n[0].count, 0);

	if (ftruncate(fd, TEST_SIZE))
		error(1, errno, "self-test");
	search(fd, TEST_WINDOW, n, 4);
	expect("absent", n[0].count, 0);

	poke(fd, 0, secret, sizeof(secret));
	search(fd, TEST_WINDOW, n, 4);
	expect("first byte", n[0].count, 1);

	poke(fd, TEST_SIZE - SECRET_SIZE, secret, sizeof(secret));
	search(fd, TEST_WINDOW, n, 4);
	expect("last byte", n[0].count, 2);

	poke(fd, 2 * TEST_WINDOW - 5, secret, sizeof(secret));
	search(fd, TEST_WINDOW, n, 4);
	expect("across a window border", n[0].count, 3);

	poke(fd, 4 * TEST_WINDOW, secret, sizeof(secret));
	search(fd, TEST_WINDOW, n, 4);
	expect("on a window border", n[0].count, 4);

	poke(fd, 5 * TEST_WINDOW, secret, SECRET_SIZE / 2);
	search(fd, TEST_WINDOW, n, 4);
	expect("half of it is not all of it", n[0].count, 4);
	expect("half of it is found as a half", n[1].count, 5);
	expect("one prefix, two needles", n[3].count, 0);

	poke(fd, 6 * TEST_WINDOW - 4, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
	search(fd, TEST_WINDOW, n, 4);
	expect("overlapping matches across a border", n[2].count, 4);

	poke(fd, SECRET_SIZE - 1, (uint8_t []){ ~secret[SECRET_SIZE - 1] }, 1);
	search(fd, TEST_WINDOW, n, 4);
	expect("one bit short of a match", n[0].count, 3);

	for (size_t window = 1; window <= TEST_SIZE; window++) {
		search(fd, window, n, 4);
		if (n[0].count != 3 || n[1].count != 5 || n[2].count != 4)
			break;
		if (window == TEST_SIZE)
			expect("any window size", 1, 1);
	}
	if (tests != 12)
		expect("any window size", 0, 1);

	printf("1..%u\n", tests);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       tests - failures, failures);
	fclose(file);
	free(n);
	return failures ? 1 : 0;
}

static int usage(void)
{
	fputs("usage: ramsearch search RAM NEEDLE...\n"
	      "           count the copies of each needle file in RAM\n"
	      "       ramsearch plant DIR NAME [FILE]\n"
	      "           write DIR/NAME.needle (32 bytes, random or from FILE),\n"
	      "           its halves DIR/NAME.lo.needle and DIR/NAME.hi.needle,\n"
	      "           and for the guest DIR/guest/NAME.mask and NAME.masked\n"
	      "           (the secret is the xor of the two)\n"
	      "       ramsearch selftest\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 1 ? argv[1] : "";

	if (!strcmp(cmd, "search") && argc >= 4)
		return cmd_search(argv[2], argv + 3, argc - 3);
	if (!strcmp(cmd, "plant") && (argc == 4 || argc == 5))
		return cmd_plant(argv[2], argv[3], argv[4]);
	if (!strcmp(cmd, "selftest") && argc == 2)
		return cmd_selftest();
	return usage();
}
