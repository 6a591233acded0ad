// SPDX-License-Identifier: GPL-2.0
/*
 * keyfile-test: is a key file refused when any byte of it is wrong? Prints
 * lines as agent-probe does.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "keyfile.h"
#include "memory.h"

#define TEST_SIZE_MAX		4096
#define TEST_BEGIN		"-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define TEST_END		"\n-----END OPENSSH PRIVATE KEY-----\n"

struct fixture {
	struct memory mem;
	const char *scratch;	/* where damaged files are written */
	uint8_t bytes[TEST_SIZE_MAX];
	size_t len;
	size_t comment;		/* offset: the only bytes that may be any */
	size_t comment_len;
};

/* What the file has between its first and its last line, decoded. */
static bool fixture_read(struct fixture *f, const char *path)
{
	char text[TEST_SIZE_MAX], *start, *end;
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return false;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	start = strchr(text, '\n');
	end = strstr(text, "-----END");
	return start && end &&
	       !sodium_base642bin(f->bytes, sizeof(f->bytes), start,
				  end - start, "\n", &f->len, NULL,
				  sodium_base64_VARIANT_ORIGINAL);
}

static enum keyfile_result load(struct fixture *f, struct key *key)
{
	FILE *file = fopen(f->scratch, "we");
	char text[2 * TEST_SIZE_MAX];

	if (!file)
		return KEYFILE_UNREADABLE;
	sodium_bin2base64(text, sizeof(text), f->bytes, f->len,
			  sodium_base64_VARIANT_ORIGINAL);
	fprintf(file, "%s%s%s", TEST_BEGIN, text, TEST_END);
	fclose(file);
	return keyfile_load(key, f->mem.source, f->scratch);
}

static bool is_loaded(struct fixture *f)
{
	struct key key;

	if (load(f, &key))
		return false;
	key_release(&key);
	return true;
}

static bool find_comment(struct fixture *f)
{
	const struct secbuf_cursor *comment;
	struct key key;
	uint8_t *found;

	if (load(f, &key))
		return false;
	comment = &key.comment.cur;
	f->comment_len = secbuf_cursor_len(comment);
	found = memmem(f->bytes, f->len, comment->data, f->comment_len);
	f->comment = found - f->bytes;
	key_release(&key);
	return found && f->comment_len;
}

static bool is_in_comment(const struct fixture *f, size_t i)
{
	return i >= f->comment && i < f->comment + f->comment_len;
}

/* The comment can be any text, but with a NUL it is none. */
static bool test_wrong_bytes(struct fixture *f)
{
	bool ok = true;
	size_t i;
	int bit;

	for (i = 0; ok && i < f->len; i++) {
		for (bit = 0; ok && bit < 8; bit++) {
			f->bytes[i] ^= 1 << bit;
			ok = is_loaded(f) ==
			     (is_in_comment(f, i) && f->bytes[i]);
			f->bytes[i] ^= 1 << bit;
		}
	}
	return ok;
}

static bool test_comment_nul(struct fixture *f)
{
	uint8_t *at = f->bytes + f->comment;
	uint8_t byte = *at;
	bool ok;

	*at = 0;
	ok = !is_loaded(f);
	*at = byte;
	return ok;
}

static bool test_truncated(struct fixture *f)
{
	size_t len = f->len;
	bool ok = true;

	for (f->len = 0; ok && f->len < len; f->len++)
		ok = !is_loaded(f);
	f->len = len;
	return ok;
}

static bool test_trailing(struct fixture *f)
{
	bool ok;

	f->bytes[f->len++] = 0;
	ok = !is_loaded(f);
	f->len--;
	return ok;
}

static bool result(bool ok, const char *name)
{
	printf("%s %s\n", ok ? "ok" : "not ok", name);
	return ok;
}

int main(int argc, char **argv)
{
	struct fixture f = { };
	bool ok;

	if (argc != 4) {
		fputs("usage: keyfile-test secbuf|malloc KEYFILE SCRATCH\n",
		      stderr);
		return 2;
	}
	umask(077);
	f.scratch = argv[3];
	if (sodium_init() < 0 || memory_open(&f.mem, argv[1]))
		return EXIT_FAILURE;
	ok = result(fixture_read(&f, argv[2]) && find_comment(&f),
		    "a good file is loaded");
	ok = ok && result(test_wrong_bytes(&f), "each bit wrong is refused");
	ok = ok && result(test_comment_nul(&f), "NUL in a comment is refused");
	ok = ok && result(test_trailing(&f), "a byte too many is refused");
	ok = ok && result(test_truncated(&f), "each length is refused");
	unlink(f.scratch);
	memory_close(&f.mem);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
