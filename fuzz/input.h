/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later OR MIT */
/*
 * The input of a fuzzer as a program: operations and their arguments. After its
 * end everything is 0.
 */
#ifndef SECBUF_FUZZ_INPUT_H
#define SECBUF_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *bytes;
	size_t left;
};

static inline uint8_t input_u8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->bytes++;
}

static inline uint64_t input_u64(struct input *in)
{
	uint64_t value = 0;
	int i;

	for (i = 0; i < 8; i++)
		value = value << 8 | input_u8(in);
	return value;
}

/* A length: mostly small, or at one of the places where things break. */
static inline size_t input_length(struct input *in)
{
	static const uint64_t edges[] = {
		0, 1, 3, 4, 5, 64, 400000, 400001, 0x7fffffff, 0x80000000,
		0xfffffffb, 0xfffffffc, 0xffffffff, 0x100000000,
		SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 8, SIZE_MAX - 4,
		SIZE_MAX - 3, SIZE_MAX - 1, SIZE_MAX,
	};
	uint8_t selector = input_u8(in);

	if (selector < 200)
		return selector;
	if (selector < 240)
		return (size_t)(selector - 200) << 8 | input_u8(in);
	return edges[input_u8(in) % (sizeof(edges) / sizeof(edges[0]))];
}

#endif /* SECBUF_FUZZ_INPUT_H */
