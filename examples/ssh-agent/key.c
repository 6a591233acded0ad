// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "key.h"

#define KEY_TYPE_SIZE		(sizeof(KEY_TYPE) - 1)
#define KEY_BLOB_SIZE		(4 + KEY_TYPE_SIZE + 4 + KEY_PUBLIC_SIZE)
#define KEY_SIGBLOB_SIZE	(4 + KEY_TYPE_SIZE + 4 + KEY_SIGNATURE_SIZE)

_Static_assert(KEY_SECRET_SIZE == crypto_sign_ed25519_SECRETKEYBYTES,
	       "the secret key as libsodium has it");

void key_release(struct key *key)
{
	secbuf_buffer_release(&key->secret);
	secbuf_buffer_release(&key->comment);
}

const uint8_t *key_secret(const struct key *key)
{
	return key->secret.cur.data;
}

const uint8_t *key_public(const struct key *key)
{
	return key_secret(key) + KEY_SEED_SIZE;
}

bool key_is(const struct key *key, const uint8_t *public)
{
	return !memcmp(key_public(key), public, KEY_PUBLIC_SIZE);
}

/* A wrong public half would make signatures that give the seed away. */
static bool key_matches(const struct key *key, const uint8_t *public)
{
	uint8_t secret[KEY_SECRET_SIZE], derived[KEY_PUBLIC_SIZE];

	crypto_sign_ed25519_seed_keypair(derived, secret, key_secret(key));
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

/* What a private part is made of, where it lies. */
struct key_parts {
	const uint8_t *public, *secret, *comment;
	size_t public_len, secret_len, comment_len;
};

static int key_get_parts(struct secbuf_cursor *cur, struct key_parts *parts)
{
	if (secbuf_cursor_get_string(cur, &parts->public, &parts->public_len) ||
	    secbuf_cursor_get_string(cur, &parts->secret, &parts->secret_len) ||
	    secbuf_cursor_get_text(cur, &parts->comment, &parts->comment_len) ||
	    parts->public_len != KEY_PUBLIC_SIZE ||
	    parts->secret_len != KEY_SECRET_SIZE)
		return -EBADMSG;
	return parts->comment_len > KEY_COMMENT_MAX ? -EMSGSIZE : 0;
}

int key_get_private(struct secbuf_cursor *cur, struct key *key,
		    struct secbuf_source *source)
{
	struct key_parts parts;
	int err;

	secbuf_buffer_init(&key->secret, source);
	secbuf_buffer_init(&key->comment, source);
	err = key_get_parts(cur, &parts);
	if (!err)
		err = secbuf_buffer_append(&key->secret, parts.secret,
					   parts.secret_len);
	if (!err && !key_matches(key, parts.public))
		err = -EBADMSG;
	if (!err)
		err = secbuf_buffer_append(&key->comment, parts.comment,
					   parts.comment_len);
	if (err)
		key_release(key);
	return err;
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

int key_put_identity(struct secbuf_buffer *buf, const struct key *key)
{
	int err;

	err = secbuf_buffer_put_u32(buf, KEY_BLOB_SIZE);
	if (!err)
		err = secbuf_buffer_put_string(buf, KEY_TYPE, KEY_TYPE_SIZE);
	if (!err)
		err = secbuf_buffer_put_string(buf, key_public(key),
					       KEY_PUBLIC_SIZE);
	return err ? err : secbuf_buffer_put_buffer(buf, &key->comment);
}

int key_put_signature(struct secbuf_buffer *buf, const struct key *key,
		      const void *data, size_t len)
{
	int err;

	err = secbuf_buffer_put_u32(buf, KEY_SIGBLOB_SIZE);
	if (!err)
		err = secbuf_buffer_put_string(buf, KEY_TYPE, KEY_TYPE_SIZE);
	if (!err)
		err = secbuf_buffer_put_u32(buf, KEY_SIGNATURE_SIZE);
	if (!err)
		err = secbuf_buffer_prepare(buf, KEY_SIGNATURE_SIZE);
	if (err)
		return err;
	crypto_sign_ed25519_detached(secbuf_cursor_window(&buf->cur,
							  KEY_SIGNATURE_SIZE),
				     NULL, data, len, key_secret(key));
	return secbuf_cursor_advance(&buf->cur, KEY_SIGNATURE_SIZE);
}
