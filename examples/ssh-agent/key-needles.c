// SPDX-License-Identifier: GPL-2.0
/*
 * key-needles: from a private key file, the bytes that must be nowhere in
 * memory when its agent is gone. Run outside of the machine that is searched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keyfile.h"
#include "memory.h"

#define NEEDLES_HASH_SIZE	crypto_hash_sha512_BYTES
#define NEEDLES_SCALAR_SIZE	32

static int write_needle(const char *dir, const char *name, const char *part,
			const uint8_t *data, size_t len)
{
	char path[4096];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/%s.%s.needle", dir, name, part);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, data, len) == (ssize_t)len ? 0 : -EIO;
	return close(fd) ? -errno : n;
}

/* The whole, and its halves: a copy can be cut by a page or a register. */
static int write_with_halves(const char *dir, const char *name,
			     const char *part, const uint8_t *data, size_t len)
{
	char half[32];
	int err;

	err = write_needle(dir, name, part, data, len);
	snprintf(half, sizeof(half), "%s-lo", part);
	if (!err)
		err = write_needle(dir, name, half, data, len / 2);
	snprintf(half, sizeof(half), "%s-hi", part);
	if (!err)
		err = write_needle(dir, name, half, data + len / 2, len / 2);
	return err;
}

/*
 * The hash of the seed is the private scalar, once some bits of it are set and
 * cleared, and the prefix of all nonces. A scalar that came out the same as
 * that half of the hash would be counted twice, so it is left out.
 */
static int write_needles(const struct key *key, const char *dir,
			 const char *name)
{
	uint8_t hash[NEEDLES_HASH_SIZE], scalar[NEEDLES_SCALAR_SIZE];
	int err;

	crypto_hash_sha512(hash, key_secret(key), KEY_SEED_SIZE);
	memcpy(scalar, hash, sizeof(scalar));
	scalar[0] &= 248;
	scalar[31] &= 127;
	scalar[31] |= 64;

	err = write_with_halves(dir, name, "seed", key_secret(key), KEY_SEED_SIZE);
	if (!err)
		err = write_with_halves(dir, name, "sha512", hash,
					sizeof(hash));
	if (!err && memcmp(hash, scalar, sizeof(scalar)))
		err = write_needle(dir, name, "scalar", scalar,
				   sizeof(scalar));
	return err;
}

int main(int argc, char **argv)
{
	enum keyfile_result result;
	struct memory mem;
	struct key key;
	int err;

	if (argc != 4) {
		fputs("usage: key-needles KEYFILE DIR NAME\n"
		      "\n"
		      "Writes DIR/NAME.*.needle: the Ed25519 seed, its SHA-512, "
		      "the halves of both,\n"
		      "and the private scalar.\n", stderr);
		return 2;
	}
	if (sodium_init() < 0 || memory_open(&mem, "malloc"))
		return EXIT_FAILURE;
	result = keyfile_load(&key, mem.source, argv[1]);
	if (result)
		fprintf(stderr, "key-needles: %s: %s\n", argv[1],
			keyfile_strerror(result));
	err = result ? -EINVAL : write_needles(&key, argv[2], argv[3]);
	if (err && !result)
		fprintf(stderr, "key-needles: %s: %s\n", argv[2],
			strerror(-err));
	if (!result)
		key_release(&key);
	memory_close(&mem);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
