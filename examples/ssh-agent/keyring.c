// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <time.h>

#include "keyring.h"

#define NSEC_PER_SEC			1000000000ULL
#define KEYRING_RETRY_STEP_NS		(NSEC_PER_SEC / 10)
#define KEYRING_RETRY_STEPS_MAX		100

_Static_assert(sizeof(struct keyring_lock) <= MEMORY_KEY_SIZE,
	       "the passphrase is one slot");

void keyring_init(struct keyring *ring, struct memory *mem)
{
	memset(ring, 0, sizeof(*ring));
	ring->mem = mem;
}

static void keyring_drop_lock(struct keyring *ring)
{
	memory_free(ring->mem, MEMORY_KEY, ring->lock);
	ring->lock = NULL;
}

void keyring_destroy(struct keyring *ring)
{
	keyring_remove_all(ring);
	keyring_drop_lock(ring);
}

static unsigned int keyring_index(const struct keyring *ring,
				  const uint8_t *public)
{
	unsigned int i;

	for (i = 0; i < ring->nr_keys; i++) {
		if (key_is(ring->keys[i], public))
			break;
	}
	return i;
}

struct key *keyring_find(struct keyring *ring, const uint8_t *public)
{
	unsigned int i = keyring_index(ring, public);

	return i < ring->nr_keys ? ring->keys[i] : NULL;
}

int keyring_add(struct keyring *ring, struct key *key)
{
	unsigned int i = keyring_index(ring, key_public(key));

	if (i == KEYRING_MAX)
		return -ENOSPC;
	if (i < ring->nr_keys)
		key_free(ring->keys[i], ring->mem);
	else
		ring->nr_keys++;
	ring->keys[i] = key;
	return 0;
}

int keyring_remove(struct keyring *ring, const uint8_t *public)
{
	unsigned int i = keyring_index(ring, public);

	if (i == ring->nr_keys)
		return -ENOENT;
	key_free(ring->keys[i], ring->mem);
	ring->nr_keys--;
	memmove(&ring->keys[i], &ring->keys[i + 1],
		(ring->nr_keys - i) * sizeof(ring->keys[0]));
	return 0;
}

void keyring_remove_all(struct keyring *ring)
{
	while (ring->nr_keys)
		key_free(ring->keys[--ring->nr_keys], ring->mem);
}

int keyring_lock(struct keyring *ring, const void *passphrase, size_t len)
{
	void *slot;
	int err;

	if (ring->lock)
		return -EBUSY;
	if (len > KEYRING_PASSPHRASE_MAX)
		return -EMSGSIZE;
	err = memory_alloc(ring->mem, MEMORY_KEY, &slot);
	if (err)
		return err;
	ring->lock = slot;
	ring->lock->len = len;
	memcpy(ring->lock->passphrase, passphrase, len);
	return 0;
}

static uint64_t keyring_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Each failure is a longer wait, up to ten seconds, as in OpenSSH's agent. */
static void keyring_note_failure(struct keyring *ring)
{
	if (ring->nr_failures < KEYRING_RETRY_STEPS_MAX)
		ring->nr_failures++;
	ring->retry_ns = keyring_now() +
			 ring->nr_failures * KEYRING_RETRY_STEP_NS;
}

/* Padded, so that the time of the comparison does not tell the length. */
static bool keyring_passphrase_is(const struct keyring_lock *lock,
				  const void *passphrase, size_t len)
{
	struct keyring_lock given = { .len = len };
	bool equal;

	if (len > KEYRING_PASSPHRASE_MAX)
		return false;
	memcpy(given.passphrase, passphrase, len);
	equal = secbuf_memory_equal(lock, &given, sizeof(given));
	secbuf_memory_zeroize(&given, sizeof(given));
	return equal;
}

int keyring_unlock(struct keyring *ring, const void *passphrase, size_t len)
{
	if (!ring->lock)
		return -EINVAL;
	if (keyring_now() < ring->retry_ns)
		return -EAGAIN;
	if (!keyring_passphrase_is(ring->lock, passphrase, len)) {
		keyring_note_failure(ring);
		return -EACCES;
	}
	keyring_drop_lock(ring);
	ring->nr_failures = 0;
	ring->retry_ns = 0;
	return 0;
}
