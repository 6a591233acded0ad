/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the agent keeps its secrets. This is the only place where
 * --memory=secbuf and --memory=malloc differ.
 */
#ifndef AGENT_MEMORY_H
#define AGENT_MEMORY_H

#include <secbuf.h>

struct memory;
struct memory_conn;

/* Everything that is secret is of one of these sizes. */
enum memory_class {
	MEMORY_KEY,		/* a private key, the lock's passphrase */
	MEMORY_STACK,		/* the stack that secrets are handled on */
	MEMORY_SMALL,		/* a buffer of an ordinary message */
	MEMORY_LARGE,		/* a buffer of the longest message, a key file */
	MEMORY_CLASS_NR
};

#define MEMORY_KEY_SIZE		1024
#define MEMORY_STACK_SIZE	65536
#define MEMORY_SMALL_SIZE	4096
#define MEMORY_LARGE_SIZE	262144

#define MEMORY_KEYS_MAX		129	/* 128 keys and a passphrase */
#define MEMORY_CLIENTS_MAX	128
#define MEMORY_LARGE_MAX	8	/* long messages under way at once */

/* 0 or -errno for secbuf_strerror(); -EINVAL is an unknown @name. */
int memory_open(struct memory **out, const char *name);
void memory_close(struct memory *mem);

/* memory_class_size() bytes, zero; -ENOSPC at the limit of the class. */
int memory_alloc(struct memory *mem, enum memory_class class, void **out);
void memory_free(struct memory *mem, enum memory_class class, void *ptr);
size_t memory_class_size(enum memory_class class);

/* A read and a write buffer of @class, both there or neither. */
int memory_conn_open(struct memory_conn **out, struct memory *mem,
		     enum memory_class class);
void memory_conn_close(struct memory_conn *conn);
void *memory_conn_buffer(struct memory_conn *conn,
			 enum secbuf_conn_buffer which);
size_t memory_conn_size(const struct memory_conn *conn);

/* Both buffers are zero afterwards. */
void memory_conn_zeroize(struct memory_conn *conn);

#endif /* AGENT_MEMORY_H */
