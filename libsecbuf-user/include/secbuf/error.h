/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Errors in words, and the version.
 */
#ifndef SECBUF_ERROR_H
#define SECBUF_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * secbuf_strerror() - what a negative errno of this library means
 * @err: the result of a function here, the cursor included
 *
 * Return: a sentence that says what is wrong and what to do; never NULL, valid
 * for ever.
 */
const char *secbuf_strerror(int err);

/**
 * secbuf_version() - version of the library, "major.minor.patch"
 */
const char *secbuf_version(void);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_ERROR_H */
