// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <time.h>

#include "keyring.h"

#define NSEC_PER_SEC			1000000000ULL
#define KEYRING_RETRY_STEP_NS		(NSEC_PER_SEC / 10)
#define KEYRING_RETRY_STEPS_MAX		100

#define KEYRING_PADDED_SIZE \
	(SECBUF_STRING_HEAD + KEYRING_PASSPHRASE_MAX)

void keyring_init(struct keyring *ring, struct secbuf_source *source)
{
	memset(ring, 0, sizeof(*ring));
	ring->source = source;
	secbuf_buffer_init(&ring->passphrase, source);
}

void keyring_destroy(struct keyring *ring)
{
	keyring_remove_all(ring);
	secbuf_buffer_release(&ring->passphrase);
}

bool keyring_is_locked(const struct keyring *ring)
{
	return secbuf_cursor_len(&ring->passphrase.cur);
}

static unsigned int keyring_index(const struct keyring *ring,
				  const uint8_t *public)
{
	unsigned int i;

	for (i = 0; i < ring->nr_keys; i++) {
		if (key_is(&ring->keys[i], public))
			break;
	}
	return i;
}

const struct key *keyring_find(const struct keyring *ring,
			       const uint8_t *public)
{
	unsigned int i = keyring_index(ring, public);

	return i < ring->nr_keys ? &ring->keys[i] : NULL;
}

int keyring_add(struct keyring *ring, struct key *key)
{
	unsigned int i = keyring_index(ring, key_public(key));

	if (i == KEYRING_MAX)
		return -ENOSPC;
	if (i < ring->nr_keys)
		key_release(&ring->keys[i]);
	else
		ring->nr_keys++;
	ring->keys[i] = *key;
	return 0;
}

int keyring_remove(struct keyring *ring, const uint8_t *public)
{
	unsigned int i = keyring_index(ring, public);

	if (i == ring->nr_keys)
		return -ENOENT;
	key_release(&ring->keys[i]);
	ring->nr_keys--;
	memmove(&ring->keys[i], &ring->keys[i + 1],
		(ring->nr_keys - i) * sizeof(ring->keys[0]));
	return 0;
}

void keyring_remove_all(struct keyring *ring)
{
	while (ring->nr_keys)
		key_release(&ring->keys[--ring->nr_keys]);
}

/* All are of one size, so that the time to compare tells no length. */
static int keyring_pad(struct secbuf_buffer *padded,
		       struct secbuf_source *source, const void *passphrase,
		       size_t len)
{
	int err;

	secbuf_buffer_init(padded, source);
	if (len > KEYRING_PASSPHRASE_MAX)
		return -EMSGSIZE;
	err = secbuf_buffer_reserve(padded, KEYRING_PADDED_SIZE);
	if (!err)
		err = secbuf_buffer_put_string(padded, passphrase, len);
	if (!err)
		err = secbuf_buffer_resize(padded, KEYRING_PADDED_SIZE);
	if (err)
		secbuf_buffer_release(padded);
	return err;
}

int keyring_lock(struct keyring *ring, const void *passphrase, size_t len)
{
	if (keyring_is_locked(ring))
		return -EBUSY;
	return keyring_pad(&ring->passphrase, ring->source, passphrase, len);
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

static int keyring_compare(const struct keyring *ring, const void *passphrase,
			   size_t len)
{
	SECBUF_BUFFER_AUTO given;
	int err;

	err = keyring_pad(&given, ring->source, passphrase, len);
	if (err)
		return err == -EMSGSIZE ? -EACCES : err;
	return secbuf_memory_equal(given.cur.data, ring->passphrase.cur.data,
				   KEYRING_PADDED_SIZE) ? 0 : -EACCES;
}

int keyring_unlock(struct keyring *ring, const void *passphrase, size_t len)
{
	int err;

	if (!keyring_is_locked(ring))
		return -EINVAL;
	if (keyring_now() < ring->retry_ns)
		return -EAGAIN;
	err = keyring_compare(ring, passphrase, len);
	if (err == -EACCES)
		keyring_note_failure(ring);
	if (err)
		return err;
	secbuf_buffer_release(&ring->passphrase);
	ring->nr_failures = 0;
	ring->retry_ns = 0;
	return 0;
}
