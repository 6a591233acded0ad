/* SPDX-License-Identifier: GPL-2.0 */
/* The agent's keys, and the lock on them. */
#ifndef AGENT_KEYRING_H
#define AGENT_KEYRING_H

#include "key.h"

#define KEYRING_MAX		128
#define KEYRING_PASSPHRASE_MAX	512

struct keyring {
	struct secbuf_source *source;
	struct key keys[KEYRING_MAX];
	unsigned int nr_keys;
	struct secbuf_buffer passphrase;	/* padded; none: not locked */
	unsigned int nr_failures;
	uint64_t retry_ns;		/* no attempt to unlock before */
};

void keyring_init(struct keyring *ring, struct secbuf_source *source);
void keyring_destroy(struct keyring *ring);

bool keyring_is_locked(const struct keyring *ring);

const struct key *keyring_find(const struct keyring *ring,
			       const uint8_t *public);

/* Takes @key over, in place of an old copy; -ENOSPC if the ring is full. */
int keyring_add(struct keyring *ring, struct key *key);
int keyring_remove(struct keyring *ring, const uint8_t *public);
void keyring_remove_all(struct keyring *ring);

/* -EBUSY: already locked; -EMSGSIZE: too long; or an error of the source */
int keyring_lock(struct keyring *ring, const void *passphrase, size_t len);

/*
 * -EINVAL: not locked; -EACCES: the wrong passphrase; -EAGAIN: not looked at,
 * too soon after a wrong one; or an error of the source
 */
int keyring_unlock(struct keyring *ring, const void *passphrase, size_t len);

#endif /* AGENT_KEYRING_H */
