/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_DEV_H
#define SECBUF_DEV_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct file;

/* Longest argument struct that this module knows, in bytes. */
#define SECBUF_ARGS_MAX	256

/* Most descriptors that one call makes. */
#define SECBUF_CALL_FDS_MAX	2

/**
 * struct secbuf_call - one ioctl in progress
 * @file: on which
 * @args: the caller's struct, in kernel memory, members it lacks being zero
 * @uargs: where @args came from
 * @reply_size: bytes of @args that the caller has room for
 */
struct secbuf_call {
	struct file *file;
	void *args;
	void __user *uargs;
	size_t reply_size;
};

/**
 * struct secbuf_command - an ioctl
 * @cmd: SECBUF_IOC_*
 * @size: of its argument struct
 * @min_size: of the first version of that struct
 * @run: checks the arguments, acts, and calls secbuf_call_reply() or
 *       secbuf_call_publish() while it can still undo. Returns 0 or -errno
 */
struct secbuf_command {
	unsigned int cmd;
	size_t size;
	size_t min_size;
	int (*run)(struct secbuf_call *call);
};

#define SECBUF_COMMAND(_cmd, _struct, _min_size, _run) {		\
	.cmd = (_cmd),							\
	.size = sizeof(_struct) +					\
		BUILD_BUG_ON_ZERO(sizeof(_struct) > SECBUF_ARGS_MAX) +	\
		BUILD_BUG_ON_ZERO(offsetof(_struct, size)),		\
	.min_size = (_min_size),					\
	.run = (_run),							\
}

/* Objects that exist; shown by INFO. */
extern atomic_t secbuf_nr_pools;
extern atomic_t secbuf_nr_conns;

const struct secbuf_command *
secbuf_command_find(const struct secbuf_command *commands, size_t nr,
		    unsigned int cmd);
long secbuf_command_run(const struct secbuf_command *command,
			struct file *file, unsigned long arg);
u64 secbuf_protections(bool mapped);
int secbuf_call_reply(const struct secbuf_call *call);
bool secbuf_call_try_reply(const struct secbuf_call *call);
int secbuf_call_publish_all(const struct secbuf_call *call,
			    struct file *const *files, s32 *const *out_fds,
			    unsigned int nr);
int secbuf_call_publish(const struct secbuf_call *call, struct file *file,
			s32 *out_fd);

int secbuf_dev_init(const struct secbuf_command *const *creators, size_t nr);
void secbuf_dev_exit(void);

#endif /* SECBUF_DEV_H */
