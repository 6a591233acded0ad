// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "keyfile.h"

#define KEYFILE_BEGIN		"-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define KEYFILE_END		"-----END OPENSSH PRIVATE KEY-----"
#define KEYFILE_MAGIC		"openssh-key-v1"	/* and its NUL */
#define KEYFILE_BLOCK_SIZE	8

struct keyfile_text {
	const char *data;
	size_t len;
};

static bool keyfile_begins(const struct keyfile_text *text, const char *with)
{
	size_t len = strlen(with);

	return text->len >= len && !memcmp(text->data, with, len);
}

static bool keyfile_is_string(const uint8_t *data, size_t len, const char *str)
{
	return len == strlen(str) && !memcmp(data, str, len);
}

/*
 * Reading.
 */

static enum keyfile_result keyfile_check_stat(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st))
		return KEYFILE_UNREADABLE;
	if (!S_ISREG(st.st_mode))
		return KEYFILE_NOT_A_FILE;
	if (st.st_uid == getuid() && st.st_mode & 077)
		return KEYFILE_EXPOSED;
	if (!st.st_size)
		return KEYFILE_EMPTY;
	return (size_t)st.st_size > max ? KEYFILE_TOO_BIG : KEYFILE_OK;
}

static enum keyfile_result keyfile_read_fd(int fd, char *buf, size_t size,
					   size_t *len)
{
	ssize_t n;

	*len = 0;
	while (*len < size) {
		n = read(fd, buf + *len, size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return KEYFILE_UNREADABLE;
		if (!n)
			break;
		*len += n;
	}
	return KEYFILE_OK;
}

static enum keyfile_result keyfile_read(const char *path, char *buf,
					size_t size, size_t *len)
{
	enum keyfile_result result;
	int fd, err;

	/* O_NONBLOCK: a FIFO is refused, not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return KEYFILE_UNREADABLE;
	result = keyfile_check_stat(fd, size);
	if (!result)
		result = keyfile_read_fd(fd, buf, size, len);
	err = errno;
	close(fd);
	errno = err;
	return result;
}

/*
 * Text to bytes.
 */

static enum keyfile_result keyfile_classify_other(struct keyfile_text *text)
{
	if (keyfile_begins(text, "-----BEGIN "))
		return KEYFILE_OLD_FORMAT;
	if (keyfile_begins(text, "ssh-") || keyfile_begins(text, "ecdsa-") ||
	    keyfile_begins(text, "sk-"))
		return KEYFILE_PUBLIC;
	return KEYFILE_NOT_A_KEY;
}

static enum keyfile_result keyfile_decode(struct keyfile_text *text, void *buf,
					  size_t size, size_t *len)
{
	const char *end;

	if (!keyfile_begins(text, KEYFILE_BEGIN))
		return keyfile_classify_other(text);
	text->data += strlen(KEYFILE_BEGIN);
	text->len -= strlen(KEYFILE_BEGIN);
	end = memmem(text->data, text->len, KEYFILE_END, strlen(KEYFILE_END));
	if (!end || sodium_base642bin(buf, size, text->data, end - text->data,
				      "\r\n", len, NULL,
				      sodium_base64_VARIANT_ORIGINAL))
		return KEYFILE_DAMAGED;
	return KEYFILE_OK;
}

/*
 * Bytes to key.
 */

static enum keyfile_result keyfile_get_preamble(struct secbuf_cursor *cur)
{
	const uint8_t *magic, *cipher, *kdf, *options;
	size_t cipher_len, kdf_len, options_len;
	uint32_t nr_keys;

	if (secbuf_cursor_get_view(cur, sizeof(KEYFILE_MAGIC), &magic) ||
	    memcmp(magic, KEYFILE_MAGIC, sizeof(KEYFILE_MAGIC)) ||
	    secbuf_cursor_get_string(cur, &cipher, &cipher_len) ||
	    secbuf_cursor_get_string(cur, &kdf, &kdf_len) ||
	    secbuf_cursor_get_string(cur, &options, &options_len) ||
	    secbuf_cursor_get_u32(cur, &nr_keys))
		return KEYFILE_DAMAGED;
	if (!keyfile_is_string(cipher, cipher_len, "none") ||
	    !keyfile_is_string(kdf, kdf_len, "none"))
		return KEYFILE_ENCRYPTED;
	return options_len || nr_keys != 1 ? KEYFILE_DAMAGED : KEYFILE_OK;
}

/* Of any type: the public key comes first, and says which. */
static enum keyfile_result keyfile_get_type(struct secbuf_cursor *cur)
{
	struct secbuf_cursor blob;
	const uint8_t *data;
	size_t len;

	if (secbuf_cursor_get_string(cur, &data, &len))
		return KEYFILE_DAMAGED;
	secbuf_cursor_init_filled(&blob, (void *)data, len);
	return key_get_type(&blob) ? KEYFILE_OTHER_TYPE : KEYFILE_OK;
}

/* 1, 2, 3 up to the block size. */
static enum keyfile_result keyfile_check_padding(struct secbuf_cursor *cur)
{
	uint8_t byte, expected = 0;

	if (secbuf_cursor_remaining(cur) >= KEYFILE_BLOCK_SIZE)
		return KEYFILE_DAMAGED;
	while (!secbuf_cursor_get_u8(cur, &byte)) {
		if (byte != ++expected)
			return KEYFILE_DAMAGED;
	}
	return KEYFILE_OK;
}

static enum keyfile_result keyfile_get_private(struct secbuf_cursor *cur,
					       struct key *key)
{
	uint32_t check[2];
	int err;

	if (secbuf_cursor_get_u32(cur, &check[0]) ||
	    secbuf_cursor_get_u32(cur, &check[1]) || check[0] != check[1] ||
	    key_get_type(cur))
		return KEYFILE_DAMAGED;
	err = key_get_private(cur, key);
	if (err)
		return err == -EMSGSIZE ? KEYFILE_LONG_COMMENT :
					  KEYFILE_DAMAGED;
	return keyfile_check_padding(cur);
}

static enum keyfile_result keyfile_parse(void *data, size_t len,
					 struct key *key)
{
	struct secbuf_cursor cur, inner;
	const uint8_t *public, *private;
	enum keyfile_result result;
	size_t private_len;

	secbuf_cursor_init_filled(&cur, data, len);
	result = keyfile_get_preamble(&cur);
	inner = cur;
	if (!result)
		result = keyfile_get_type(&inner);
	if (result)
		return result;
	if (key_get_blob(&cur, &public) ||
	    secbuf_cursor_get_string(&cur, &private, &private_len) ||
	    secbuf_cursor_remaining(&cur) || private_len % KEYFILE_BLOCK_SIZE)
		return KEYFILE_DAMAGED;
	secbuf_cursor_init_filled(&inner, (void *)private, private_len);
	result = keyfile_get_private(&inner, key);
	if (!result && !key_is(key, public))
		result = KEYFILE_DAMAGED;
	return result;
}

static enum keyfile_result keyfile_load_into(struct key *key,
					     struct memory_conn *conn,
					     const char *path)
{
	char *text = memory_conn_buffer(conn, SECBUF_CONN_BUFFER_READ);
	void *bytes = memory_conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE);
	struct keyfile_text view = { .data = text };
	size_t size = memory_conn_size(conn), len;
	enum keyfile_result result;

	result = keyfile_read(path, text, size, &view.len);
	if (!result)
		result = keyfile_decode(&view, bytes, size, &len);
	if (!result)
		result = keyfile_parse(bytes, len, key);
	return result;
}

enum keyfile_result keyfile_load(struct key **out, struct memory *mem,
				 const char *path)
{
	struct memory_conn *conn;
	enum keyfile_result result;
	struct key *key;
	int err;

	*out = NULL;
	err = memory_conn_open(&conn, mem, MEMORY_LARGE);
	if (!err)
		err = key_alloc(&key, mem);
	if (err) {
		memory_conn_close(conn);
		errno = -err;
		return KEYFILE_NO_MEMORY;
	}
	result = keyfile_load_into(key, conn, path);
	err = errno;
	memory_conn_close(conn);
	if (result)
		key_free(key, mem);
	else
		*out = key;
	errno = err;
	return result;
}

static const char *const keyfile_sentences[] = {
	[KEYFILE_OK]		= "is a key",
	[KEYFILE_NOT_A_FILE]	= "is not a regular file; name a private key file",
	[KEYFILE_EXPOSED]	= "can be read by others, so it is not used; "
				  "run chmod 600 on it",
	[KEYFILE_EMPTY]		= "is empty; name a private key file",
	[KEYFILE_TOO_BIG]	= "is too big for a private key file",
	[KEYFILE_NOT_A_KEY]	= "is not a private key file; make one with "
				  "ssh-keygen -t ed25519",
	[KEYFILE_PUBLIC]	= "is a public key; name the file without .pub",
	[KEYFILE_OLD_FORMAT]	= "is not in OpenSSH's own format; make an "
				  "Ed25519 key with ssh-keygen -t ed25519",
	[KEYFILE_ENCRYPTED]	= "is encrypted; start without it and add it "
				  "with ssh-add, which asks for the passphrase",
	[KEYFILE_OTHER_TYPE]	= "is not an Ed25519 key, the only type here; "
				  "make one with ssh-keygen -t ed25519",
	[KEYFILE_LONG_COMMENT]	= "has too long a comment; shorten it with "
				  "ssh-keygen -c",
	[KEYFILE_DAMAGED]	= "is damaged; restore it from a copy, or make "
				  "a new key with ssh-keygen -t ed25519",
};

const char *keyfile_strerror(enum keyfile_result result)
{
	if (result == KEYFILE_UNREADABLE)
		return strerror(errno);
	if (result == KEYFILE_NO_MEMORY)
		return secbuf_strerror(-errno);
	return keyfile_sentences[result];
}
