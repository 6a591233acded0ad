/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUFCTL_H
#define SECBUFCTL_H

#include <libkmod.h>

#define SECBUF_MODULE	"secbuf"
#define SECBUF_DEVICE	"/dev/secbuf"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))

/* Exit codes, as in secbufctl(8). */
enum {
	EXIT_OK			= 0,
	EXIT_FAILED		= 1,
	EXIT_USAGE		= 2,
	EXIT_NOT_LOADED		= 3,
};

/* One line on stderr, "secbufctl: ..."; returns EXIT_FAILED. */
__printf(1, 2) int fail(const char *format, ...);

/* The commands, without their name; each returns an exit code. */
int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_status(int argc, char **argv);

/*
 * The state of the secbuf module, enum kmod_module_initstate, or -errno; not
 * loaded is -ENOENT. @mod is stored on success, for kmod_module_unref().
 */
int module_state(struct kmod_ctx *ctx, struct kmod_module **mod);

/* A libkmod context that prints nothing, or NULL. */
struct kmod_ctx *module_context(void);

#endif /* SECBUFCTL_H */
