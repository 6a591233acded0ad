// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "key.h"

#define KEY_TYPE_SIZE		(sizeof(KEY_TYPE) - 1)
#define KEY_BLOB_SIZE		(4 + KEY_TYPE_SIZE + 4 + KEY_PUBLIC_SIZE)
#define KEY_SIGBLOB_SIZE	(4 + KEY_TYPE_SIZE + 4 + KEY_SIGNATURE_SIZE)

_Static_assert(sizeof(struct key) <= MEMORY_KEY_SIZE, "a key is one slot");
_Static_assert(KEY_SECRET_SIZE == crypto_sign_ed25519_SECRETKEYBYTES,
	       "the secret key as libsodium has it");

int key_alloc(struct key **out, struct memory *mem)
{
	void *slot;
	int err;

	err = memory_alloc(mem, MEMORY_KEY, &slot);
	*out = slot;
	return err;
}

void key_free(struct key *key, struct memory *mem)
{
	memory_free(mem, MEMORY_KEY, key);
}

const uint8_t *key_public(const struct key *key)
{
	return key->secret + KEY_SEED_SIZE;
}

bool key_is(const struct key *key, const uint8_t *public)
{
	return !memcmp(key_public(key), public, KEY_PUBLIC_SIZE);
}

/* A wrong public half would make signatures that give the seed away. */
static bool key_matches(const struct key *key, const uint8_t *public)
{
	uint8_t secret[KEY_SECRET_SIZE], derived[KEY_PUBLIC_SIZE];

	crypto_sign_ed25519_seed_keypair(derived, secret, key->secret);
	secbuf_memory_zeroize(secret, sizeof(secret));
	return key_is(key, derived) && key_is(key, public);
}

int key_get_type(struct secbuf_cursor *cur)
{
	const uint8_t *type;
	size_t len;

	if (secbuf_cursor_get_string(cur, &type, &len) ||
	    len != KEY_TYPE_SIZE || memcmp(type, KEY_TYPE, KEY_TYPE_SIZE))
		return -EBADMSG;
	return 0;
}

int key_get_private(struct secbuf_cursor *cur, struct key *key)
{
	const uint8_t *public, *secret, *comment;
	size_t public_len, secret_len, comment_len;

	if (secbuf_cursor_get_string(cur, &public, &public_len) ||
	    secbuf_cursor_get_string(cur, &secret, &secret_len) ||
	    secbuf_cursor_get_string(cur, &comment, &comment_len) ||
	    public_len != KEY_PUBLIC_SIZE || secret_len != KEY_SECRET_SIZE)
		return -EBADMSG;
	if (comment_len > KEY_COMMENT_MAX)
		return -EMSGSIZE;

	memcpy(key->secret, secret, KEY_SECRET_SIZE);
	if (!key_matches(key, public))
		return -EBADMSG;
	memcpy(key->comment, comment, comment_len);
	key->comment_len = comment_len;
	return 0;
}

int key_get_blob(struct secbuf_cursor *cur, const uint8_t **public)
{
	struct secbuf_cursor blob;
	const uint8_t *data;
	size_t len, public_len;

	if (secbuf_cursor_get_string(cur, &data, &len) || len != KEY_BLOB_SIZE)
		return -EBADMSG;
	secbuf_cursor_init_filled(&blob, (void *)data, len);
	if (key_get_type(&blob) ||
	    secbuf_cursor_get_string(&blob, public, &public_len) ||
	    public_len != KEY_PUBLIC_SIZE)
		return -EBADMSG;
	return 0;
}

static int key_put_blob(struct secbuf_cursor *cur, const struct key *key)
{
	int err;

	err = secbuf_cursor_put_u32(cur, KEY_BLOB_SIZE);
	if (!err)
		err = secbuf_cursor_put_string(cur, KEY_TYPE, KEY_TYPE_SIZE);
	if (!err)
		err = secbuf_cursor_put_string(cur, key_public(key),
					       KEY_PUBLIC_SIZE);
	return err;
}

int key_put_identity(struct secbuf_cursor *cur, const struct key *key)
{
	int err;

	err = key_put_blob(cur, key);
	if (!err)
		err = secbuf_cursor_put_string(cur, key->comment,
					       key->comment_len);
	return err;
}

int key_put_signature(struct secbuf_cursor *cur, const struct key *key,
		      const void *data, size_t len)
{
	uint8_t sig[KEY_SIGNATURE_SIZE];
	int err;

	crypto_sign_ed25519_detached(sig, NULL, data, len, key->secret);
	err = secbuf_cursor_put_u32(cur, KEY_SIGBLOB_SIZE);
	if (!err)
		err = secbuf_cursor_put_string(cur, KEY_TYPE, KEY_TYPE_SIZE);
	if (!err)
		err = secbuf_cursor_put_string(cur, sig, sizeof(sig));
	return err;
}
