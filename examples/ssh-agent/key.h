/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One Ed25519 key in secret memory, and its SSH encodings. What touches the
 * private part must be called on the secret stack.
 */
#ifndef AGENT_KEY_H
#define AGENT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <secbuf.h>

#define KEY_TYPE		"ssh-ed25519"
#define KEY_SEED_SIZE		32
#define KEY_PUBLIC_SIZE		32
#define KEY_SECRET_SIZE		64	/* seed, public key */
#define KEY_SIGNATURE_SIZE	64
#define KEY_COMMENT_MAX		511

struct key {
	struct secbuf_buffer secret;	/* seed, public key */
	struct secbuf_buffer comment;
};

void key_release(struct key *key);

/* KEY_SECRET_SIZE bytes */
const uint8_t *key_secret(const struct key *key);
const uint8_t *key_public(const struct key *key);
bool key_is(const struct key *key, const uint8_t *public);

/* string type; -EBADMSG if it is another */
int key_get_type(struct secbuf_cursor *cur);

/*
 * string public, string secret, text comment: the private part in a key file
 * and in ADD_IDENTITY, to a key in memory of @source. -EMSGSIZE: the comment is
 * too long; -EBADMSG: anything else is wrong, which includes parts that do not
 * match; or an error of @source. On failure @key has no memory.
 */
int key_get_private(struct secbuf_cursor *cur, struct key *key,
		    struct secbuf_source *source);

/* A public key blob; -EBADMSG if it is of another type or length. */
int key_get_blob(struct secbuf_cursor *cur, const uint8_t **public);

/* string blob, string comment */
int key_put_identity(struct secbuf_buffer *buf, const struct key *key);

/* string signature: signs @data into @buf directly */
int key_put_signature(struct secbuf_buffer *buf, const struct key *key,
		      const void *data, size_t len);

#endif /* AGENT_KEY_H */
