/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Context: one open of /dev/secbuf.
 */
#ifndef SECBUF_CONTEXT_H
#define SECBUF_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/secbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secbuf_context;

/**
 * struct secbuf_open_opts - options of secbuf_open()
 * @sz: sizeof(struct secbuf_open_opts)
 * @require_features: SECBUF_FEAT_* without which the open fails
 * @require_protections: SECBUF_PROT_* without which the open fails
 */
struct secbuf_open_opts {
	size_t sz;
	uint64_t require_features;
	uint64_t require_protections;
};

/**
 * secbuf_open() - open the device
 * @out: the context
 * @opts: options, or NULL
 *
 * Return: 0; -ENODEV (the module is not loaded: there is no /dev/secbuf, or
 * nothing behind it), -EACCES (no permission on the device), -EOPNOTSUPP
 * (something required does not hold here), -EPROTO (the kernel module speaks
 * another ABI version), -EINVAL or -E2BIG (@opts), -ENOMEM, -EMFILE, -ENFILE.
 */
int secbuf_open(struct secbuf_context **out,
		const struct secbuf_open_opts *opts);

/**
 * secbuf_close() - close the device; objects opened through it live on
 * @ctx: the context, or NULL
 */
void secbuf_close(struct secbuf_context *ctx);

/**
 * secbuf_fd() - descriptor of the device
 * @ctx: the context, which keeps owning the descriptor
 *
 * Return: the descriptor; -EINVAL if @ctx is NULL.
 */
int secbuf_fd(const struct secbuf_context *ctx);

/**
 * secbuf_get_info() - limits, protections and usage, asked anew
 * @ctx: the context
 * @out: filled on success
 *
 * Return: 0 or a negative errno.
 */
int secbuf_get_info(struct secbuf_context *ctx, struct secbuf_info_args *out);

#ifdef __cplusplus
}
#endif

#endif /* SECBUF_CONTEXT_H */
