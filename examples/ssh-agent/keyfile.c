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

/* Three stages, each in memory of its own. */
struct keyfile {
	struct secbuf_buffer text;
	struct secbuf_buffer base64;	/* without line breaks */
	struct secbuf_buffer bytes;
};

static bool keyfile_begins(const struct secbuf_cursor *cur, const char *with)
{
	size_t len = strlen(with);

	return secbuf_cursor_remaining(cur) >= len &&
	       !memcmp(secbuf_cursor_ptr(cur), with, len);
}

static bool keyfile_is_string(const uint8_t *data, size_t len, const char *str)
{
	return len == strlen(str) && !memcmp(data, str, len);
}

static enum keyfile_result keyfile_no_memory(int err)
{
	errno = -err;
	return KEYFILE_NO_MEMORY;
}

/*
 * Reading.
 */

static enum keyfile_result keyfile_check_stat(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return KEYFILE_NOT_A_FILE;
	if (st->st_uid == getuid() && st->st_mode & 077)
		return KEYFILE_EXPOSED;
	if (!st->st_size)
		return KEYFILE_EMPTY;
	return st->st_size > KEYFILE_SIZE_MAX ? KEYFILE_TOO_BIG : KEYFILE_OK;
}

static enum keyfile_result keyfile_read_fd(int fd, struct secbuf_buffer *text)
{
	enum keyfile_result result;
	struct stat st;
	ssize_t n;
	int err;

	if (fstat(fd, &st))
		return KEYFILE_UNREADABLE;
	result = keyfile_check_stat(&st);
	if (result)
		return result;
	err = secbuf_buffer_reserve(text, st.st_size);
	if (err)
		return keyfile_no_memory(err);
	n = secbuf_buffer_read_all(text, fd, st.st_size);
	if (n >= 0)
		return KEYFILE_OK;
	errno = -n;
	return KEYFILE_UNREADABLE;
}

static enum keyfile_result keyfile_read(const char *path,
					struct secbuf_buffer *text)
{
	enum keyfile_result result;
	int fd, err;

	/* O_NONBLOCK: a FIFO is refused, not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return KEYFILE_UNREADABLE;
	result = keyfile_read_fd(fd, text);
	err = errno;
	close(fd);
	errno = err;
	return result;
}

/*
 * Text to bytes.
 */

static enum keyfile_result
keyfile_classify_other(const struct secbuf_cursor *text)
{
	if (keyfile_begins(text, "-----BEGIN "))
		return KEYFILE_OLD_FORMAT;
	if (keyfile_begins(text, "ssh-") || keyfile_begins(text, "ecdsa-") ||
	    keyfile_begins(text, "sk-"))
		return KEYFILE_PUBLIC;
	return KEYFILE_NOT_A_KEY;
}

/* What is between the line breaks. */
static int keyfile_join(struct secbuf_buffer *out, const unsigned char *pos,
			const unsigned char *end)
{
	const unsigned char *stop;
	int err = 0;

	for (; !err && pos < end; pos = stop + 1) {
		for (stop = pos; stop < end; stop++) {
			if (*stop == '\r' || *stop == '\n')
				break;
		}
		err = secbuf_buffer_append(out, pos, stop - pos);
	}
	return err;
}

static enum keyfile_result keyfile_decode(struct keyfile *file)
{
	struct secbuf_cursor *text = &file->text.cur;
	struct secbuf_cursor *base64 = &file->base64.cur;
	const unsigned char *start, *end;
	int err;

	if (!keyfile_begins(text, KEYFILE_BEGIN))
		return keyfile_classify_other(text);
	secbuf_cursor_skip(text, strlen(KEYFILE_BEGIN));
	start = secbuf_cursor_ptr(text);
	end = memmem(start, secbuf_cursor_remaining(text), KEYFILE_END,
		     strlen(KEYFILE_END));
	if (!end)
		return KEYFILE_DAMAGED;
	err = keyfile_join(&file->base64, start, end);
	if (!err)
		err = secbuf_buffer_append_unbase64(&file->bytes,
						    (char *)base64->data,
						    base64->len);
	if (err == -EBADMSG)
		return KEYFILE_DAMAGED;
	return err ? keyfile_no_memory(err) : KEYFILE_OK;
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
					       struct key *key,
					       struct secbuf_source *source)
{
	enum keyfile_result result;
	uint32_t check[2];
	int err;

	if (secbuf_cursor_get_u32(cur, &check[0]) ||
	    secbuf_cursor_get_u32(cur, &check[1]) || check[0] != check[1] ||
	    key_get_type(cur))
		return KEYFILE_DAMAGED;
	err = key_get_private(cur, key, source);
	if (err == -EMSGSIZE)
		return KEYFILE_LONG_COMMENT;
	if (err == -EBADMSG)
		return KEYFILE_DAMAGED;
	if (err)
		return keyfile_no_memory(err);
	result = keyfile_check_padding(cur);
	if (result)
		key_release(key);
	return result;
}

static enum keyfile_result keyfile_parse(struct secbuf_cursor *cur,
					 struct key *key,
					 struct secbuf_source *source)
{
	const uint8_t *public, *private;
	struct secbuf_cursor inner;
	enum keyfile_result result;
	size_t private_len;

	result = keyfile_get_preamble(cur);
	inner = *cur;
	if (!result)
		result = keyfile_get_type(&inner);
	if (result)
		return result;
	if (key_get_blob(cur, &public) ||
	    secbuf_cursor_get_string(cur, &private, &private_len) ||
	    secbuf_cursor_remaining(cur) || private_len % KEYFILE_BLOCK_SIZE)
		return KEYFILE_DAMAGED;
	secbuf_cursor_init_filled(&inner, (void *)private, private_len);
	result = keyfile_get_private(&inner, key, source);
	if (result || key_is(key, public))
		return result;
	key_release(key);
	return KEYFILE_DAMAGED;
}

enum keyfile_result keyfile_load(struct key *key, struct secbuf_source *source,
				 const char *path)
{
	enum keyfile_result result;
	struct keyfile file;
	int err;

	secbuf_buffer_init(&file.text, source);
	secbuf_buffer_init(&file.base64, source);
	secbuf_buffer_init(&file.bytes, source);
	result = keyfile_read(path, &file.text);
	if (!result)
		result = keyfile_decode(&file);
	if (!result)
		result = keyfile_parse(&file.bytes.cur, key, source);
	err = errno;
	secbuf_buffer_release(&file.bytes);
	secbuf_buffer_release(&file.base64);
	secbuf_buffer_release(&file.text);
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
