// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The device: open, ask what it offers, close.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define SECBUF_DEVICE	"/dev/secbuf"

/* A size beyond this is not a size: nothing is read there. */
#define SECBUF_OPTS_SIZE_MAX	4096

int secbuf_opts_read(void *opts, size_t size, const void *from)
{
	const unsigned char *bytes = from;
	size_t sz, i;

	memset(opts, 0, size);
	if (!from)
		return 0;

	memcpy(&sz, from, sizeof(sz));
	if (sz < sizeof(sz))
		return -EINVAL;
	if (sz > SECBUF_OPTS_SIZE_MAX)
		return -E2BIG;
	for (i = size; i < sz; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(opts, from, sz < size ? sz : size);
	return 0;
}

static int secbuf_open_device(void)
{
	int fd = open(SECBUF_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	/* No node, or a node that no module stands behind. */
	if (errno == ENOENT || errno == ENXIO)
		return -ENODEV;
	return -errno;
}

static int secbuf_check_info(const struct secbuf_info_args *info,
			     const struct secbuf_open_opts *opts)
{
	if (info->out_abi_version != SECBUF_ABI_VERSION || !info->out_batch_max)
		return -EPROTO;
	if (opts->require_features & ~info->out_features)
		return -EOPNOTSUPP;
	if (opts->require_protections & ~info->out_protections)
		return -EOPNOTSUPP;
	return 0;
}

static int secbuf_context_init(struct secbuf_context *ctx,
			       const struct secbuf_open_opts *opts)
{
	struct secbuf_info_args info = { 0 };
	int err;

	ctx->fd = secbuf_open_device();
	if (ctx->fd < 0)
		return ctx->fd;

	err = secbuf_ioctl_info(ctx->fd, &info);
	if (err == -ENOTTY || err == -EINVAL || err == -E2BIG)
		err = -EPROTO;
	if (!err)
		err = secbuf_check_info(&info, opts);
	if (err) {
		close(ctx->fd);
		return err;
	}
	ctx->batch_max = info.out_batch_max;
	return 0;
}

int secbuf_open(struct secbuf_context **out,
		const struct secbuf_open_opts *opts)
{
	struct secbuf_open_opts copy;
	struct secbuf_context *ctx;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	err = secbuf_opts_read(&copy, sizeof(copy), opts);
	if (err)
		return err;

	ctx = malloc(sizeof(*ctx));
	err = ctx ? secbuf_context_init(ctx, &copy) : -ENOMEM;
	if (!err)
		*out = ctx;
	else
		free(ctx);
	errno = saved_errno;
	return err;
}

void secbuf_close(struct secbuf_context *ctx)
{
	int saved_errno = errno;

	if (!ctx)
		return;
	close(ctx->fd);
	free(ctx);
	errno = saved_errno;
}

int secbuf_fd(const struct secbuf_context *ctx)
{
	return ctx ? ctx->fd : -EINVAL;
}

int secbuf_get_info(struct secbuf_context *ctx, struct secbuf_info_args *out)
{
	struct secbuf_info_args args = { 0 };
	int err;

	if (!ctx || !out)
		return -EINVAL;
	err = secbuf_ioctl_info(ctx->fd, &args);
	if (!err)
		*out = args;
	return err;
}
