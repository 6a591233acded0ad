/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * What a cursor should do, written down as plainly as can be: with numbers that
 * cannot overflow and one byte after the other. Shares no code with the codec.
 */
#ifndef SECBUF_FUZZ_MODEL_H
#define SECBUF_FUZZ_MODEL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A number that does not overflow. */
#define wide	__int128

#define MODEL_STRING_MAX	400000

/* Ends the fuzzer with a report. */
#define REQUIRE(condition)	\
	do {			\
		if (!(condition)) \
			__builtin_trap(); \
	} while (0)

/**
 * struct model - a cursor
 * @bytes: room for all that the fuzzer writes
 * @size, @len, @pos: as of the cursor
 */
struct model {
	uint8_t *bytes;
	wide size, len, pos;
};

/* The number in @n bytes at @at. */
static inline uint64_t model_number(const struct model *m, wide at, int n)
{
	uint64_t value = 0;
	int i;

	for (i = 0; i < n; i++)
		value = value * 256 + m->bytes[at + i];
	return value;
}

static inline int model_get_number(struct model *m, int n, uint64_t *out)
{
	if (m->pos + n > m->len)
		return -ENODATA;
	*out = model_number(m, m->pos, n);
	m->pos += n;
	return 0;
}

static inline int model_get_bytes(struct model *m, wide n, wide *at)
{
	if (m->pos + n > m->len)
		return -ENODATA;
	*at = m->pos;
	m->pos += n;
	return 0;
}

static inline int model_get_string(struct model *m, wide max, wide *at,
				   wide *n)
{
	wide length;

	if (m->pos + 4 > m->len)
		return -ENODATA;
	length = model_number(m, m->pos, 4);
	if (length > max)
		return -EMSGSIZE;
	if (m->pos + 4 + length > m->len)
		return -ENODATA;
	*at = m->pos + 4;
	*n = length;
	m->pos += 4 + length;
	return 0;
}

static inline int model_get_text(struct model *m, wide *at, wide *n)
{
	struct model before = *m;
	int err = model_get_string(m, MODEL_STRING_MAX, at, n);
	wide i;

	for (i = 0; !err && i < *n; i++)
		if (m->bytes[*at + i] == 0)
			err = -EBADMSG;
	if (err)
		*m = before;
	return err;
}

static inline int model_get_mpint(struct model *m, wide *at, wide *n)
{
	struct model before = *m;
	int err = model_get_string(m, MODEL_STRING_MAX, at, n);

	if (!err && *n > 0) {
		uint8_t first = m->bytes[*at];
		bool padded = first == 0;

		if (first >= 128)
			err = -EBADMSG;
		else if (padded && (*n < 2 || m->bytes[*at + 1] < 128))
			err = -EBADMSG;
		if (!err && padded) {
			*at += 1;
			*n -= 1;
		}
	}
	if (err)
		*m = before;
	return err;
}

static inline int model_put(struct model *m, const uint8_t *src, wide n)
{
	wide i;

	if (m->pos + n > m->size)
		return -ENOSPC;
	for (i = 0; i < n; i++)
		m->bytes[m->pos + i] = src[i];
	m->pos += n;
	if (m->len < m->pos)
		m->len = m->pos;
	return 0;
}

static inline void model_encode(uint8_t *out, uint64_t value, int n)
{
	while (n--) {
		out[n] = value % 256;
		value /= 256;
	}
}

static inline int model_put_number(struct model *m, uint64_t value, int n)
{
	uint8_t bytes[8];

	model_encode(bytes, value, n);
	return model_put(m, bytes, n);
}

/* As a whole or not at all; @pad zeros go before. */
static inline int model_put_string(struct model *m, wide max, int pad,
				   const uint8_t *src, wide n)
{
	uint8_t *whole;
	int err;

	if (pad + n > max || pad + n > UINT32_MAX)
		return -EMSGSIZE;
	whole = calloc(1, 4 + pad + n);
	model_encode(whole, pad + n, 4);
	if (n)
		memcpy(whole + 4 + pad, src, n);
	err = model_put(m, whole, 4 + pad + n);
	free(whole);
	return err;
}

static inline int model_put_mpint(struct model *m, const uint8_t *src, wide n)
{
	while (n > 0 && *src == 0) {
		src++;
		n--;
	}
	return model_put_string(m, MODEL_STRING_MAX, n && *src >= 128, src, n);
}

#endif /* SECBUF_FUZZ_MODEL_H */
