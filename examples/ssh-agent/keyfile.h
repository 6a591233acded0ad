/* SPDX-License-Identifier: GPL-2.0 */
/* Private key files as ssh-keygen writes them. */
#ifndef AGENT_KEYFILE_H
#define AGENT_KEYFILE_H

#include "key.h"

/* Longest file. */
#define KEYFILE_SIZE_MAX	262144

enum keyfile_result {
	KEYFILE_OK,
	KEYFILE_UNREADABLE,	/* errno says why */
	KEYFILE_NO_MEMORY,	/* errno says why */
	KEYFILE_NOT_A_FILE,
	KEYFILE_EXPOSED,
	KEYFILE_EMPTY,
	KEYFILE_TOO_BIG,
	KEYFILE_NOT_A_KEY,
	KEYFILE_PUBLIC,
	KEYFILE_OLD_FORMAT,
	KEYFILE_ENCRYPTED,
	KEYFILE_OTHER_TYPE,
	KEYFILE_LONG_COMMENT,
	KEYFILE_DAMAGED,
};

/*
 * Read, decode and check, all in memory of @source; @key has none if the
 * result is not KEYFILE_OK. To be called on the secret stack.
 */
enum keyfile_result keyfile_load(struct key *key, struct secbuf_source *source,
				 const char *path);

/* What is wrong and what to do about it, for a line that begins with @path. */
const char *keyfile_strerror(enum keyfile_result result);

#endif /* AGENT_KEYFILE_H */
