// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const struct {
	size_t size;
	unsigned int max;
} memory_classes[MEMORY_CLASS_NR] = {
	[MEMORY_KEY]	= { MEMORY_KEY_SIZE, MEMORY_KEYS_MAX },
	[MEMORY_STACK]	= { MEMORY_STACK_SIZE, 1 },
	[MEMORY_SMALL]	= { MEMORY_SMALL_SIZE, 2 * MEMORY_CLIENTS_MAX },
	[MEMORY_LARGE]	= { MEMORY_LARGE_SIZE, 2 * MEMORY_LARGE_MAX },
};

struct memory_ops {
	const char *name;
	int (*open)(struct memory *mem);
	void (*close)(struct memory *mem);
	int (*alloc)(struct memory *mem, enum memory_class class, void **out);
	void (*free)(struct memory *mem, enum memory_class class, void *ptr);
	int (*conn_open)(struct memory_conn *conn);
	void (*conn_close)(struct memory_conn *conn);
};

struct memory {
	const struct memory_ops *ops;
	struct secbuf_context *ctx;			/* secbuf */
	struct secbuf_pool *pools[MEMORY_CLASS_NR];	/* secbuf */
	unsigned int in_use[MEMORY_CLASS_NR];		/* malloc */
};

struct memory_conn {
	struct memory *mem;
	enum memory_class class;
	struct secbuf_conn *secbuf;			/* secbuf */
	void *buffers[SECBUF_CONN_BUFFER_NR];
};

/* secbuf: the kernel zeroizes, whatever becomes of this process. */

static void memory_secbuf_close(struct memory *mem)
{
	int class;

	for (class = 0; class < MEMORY_CLASS_NR; class++)
		secbuf_pool_close(mem->pools[class]);
	secbuf_close(mem->ctx);
}

static int memory_secbuf_open(struct memory *mem)
{
	struct secbuf_pool_opts pool_opts = { .sz = sizeof(pool_opts) };
	const struct secbuf_open_opts opts = {
		.sz = sizeof(opts),
		.require_features = SECBUF_FEAT_POOL_MAPPED | SECBUF_FEAT_CONN,
		.require_protections = SECBUF_PROT_LOCKED |
				       SECBUF_PROT_UNDUMPABLE |
				       SECBUF_PROT_UNFORKABLE |
				       SECBUF_PROT_UNPINNABLE |
				       SECBUF_PROT_OWNER_DEATH,
	};
	int class, err;

	err = secbuf_open(&mem->ctx, &opts);
	for (class = 0; !err && class < MEMORY_CLASS_NR; class++) {
		pool_opts.buf_size = memory_classes[class].size;
		pool_opts.max = memory_classes[class].max;
		err = secbuf_pool_open(&mem->pools[class], mem->ctx,
				       &pool_opts);
	}
	if (err)
		memory_secbuf_close(mem);
	return err;
}

static int memory_secbuf_alloc(struct memory *mem, enum memory_class class,
			       void **out)
{
	return secbuf_pool_alloc(mem->pools[class], out);
}

static void memory_secbuf_free(struct memory *mem, enum memory_class class,
			       void *ptr)
{
	secbuf_pool_free(mem->pools[class], ptr);
}

static void memory_secbuf_conn_close(struct memory_conn *conn)
{
	secbuf_conn_close(conn->secbuf);
}

static int memory_secbuf_conn_open(struct memory_conn *conn)
{
	struct secbuf_pool *pool = conn->mem->pools[conn->class];
	int which, err;

	err = secbuf_conn_open(&conn->secbuf, conn->mem->ctx, pool);
	for (which = 0; !err && which < SECBUF_CONN_BUFFER_NR; which++)
		err = secbuf_conn_buffer(conn->secbuf, which,
					 &conn->buffers[which]);
	if (err)
		secbuf_conn_close(conn->secbuf);
	return err;
}

static const struct memory_ops memory_secbuf_ops = {
	.name		= "secbuf",
	.open		= memory_secbuf_open,
	.close		= memory_secbuf_close,
	.alloc		= memory_secbuf_alloc,
	.free		= memory_secbuf_free,
	.conn_open	= memory_secbuf_conn_open,
	.conn_close	= memory_secbuf_conn_close,
};

/*
 * malloc: as careful as a program can be that has nothing else, which is
 * what makes it a fair control. All memory is overwritten before it is freed.
 */

static int memory_malloc_open(struct memory *mem)
{
	(void)mem;
	return 0;
}

static void memory_malloc_close(struct memory *mem)
{
	(void)mem;
}

static int memory_malloc_alloc(struct memory *mem, enum memory_class class,
			       void **out)
{
	size_t size = memory_classes[class].size;

	*out = NULL;
	if (mem->in_use[class] == memory_classes[class].max)
		return -ENOSPC;
	*out = malloc(size);
	if (!*out)
		return -ENOMEM;
	memset(*out, 0, size);
	mem->in_use[class]++;
	return 0;
}

static void memory_malloc_free(struct memory *mem, enum memory_class class,
			       void *ptr)
{
	if (!ptr)
		return;
	explicit_bzero(ptr, memory_classes[class].size);
	free(ptr);
	mem->in_use[class]--;
}

static void memory_malloc_conn_close(struct memory_conn *conn)
{
	int which;

	for (which = 0; which < SECBUF_CONN_BUFFER_NR; which++)
		memory_malloc_free(conn->mem, conn->class,
				   conn->buffers[which]);
}

static int memory_malloc_conn_open(struct memory_conn *conn)
{
	int which, err = 0;

	for (which = 0; !err && which < SECBUF_CONN_BUFFER_NR; which++)
		err = memory_malloc_alloc(conn->mem, conn->class,
					  &conn->buffers[which]);
	if (err)
		memory_malloc_conn_close(conn);
	return err;
}

static const struct memory_ops memory_malloc_ops = {
	.name		= "malloc",
	.open		= memory_malloc_open,
	.close		= memory_malloc_close,
	.alloc		= memory_malloc_alloc,
	.free		= memory_malloc_free,
	.conn_open	= memory_malloc_conn_open,
	.conn_close	= memory_malloc_conn_close,
};

static const struct memory_ops *const memory_kinds[] = {
	&memory_secbuf_ops,
	&memory_malloc_ops,
};

static const struct memory_ops *memory_find_ops(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(memory_kinds) / sizeof(memory_kinds[0]); i++) {
		if (!strcmp(memory_kinds[i]->name, name))
			return memory_kinds[i];
	}
	return NULL;
}

int memory_open(struct memory **out, const char *name)
{
	const struct memory_ops *ops = memory_find_ops(name);
	struct memory *mem;
	int err;

	*out = NULL;
	if (!ops)
		return -EINVAL;
	mem = calloc(1, sizeof(*mem));
	if (!mem)
		return -ENOMEM;
	mem->ops = ops;
	err = ops->open(mem);
	if (err) {
		free(mem);
		return err;
	}
	*out = mem;
	return 0;
}

void memory_close(struct memory *mem)
{
	if (!mem)
		return;
	mem->ops->close(mem);
	free(mem);
}

int memory_alloc(struct memory *mem, enum memory_class class, void **out)
{
	return mem->ops->alloc(mem, class, out);
}

void memory_free(struct memory *mem, enum memory_class class, void *ptr)
{
	mem->ops->free(mem, class, ptr);
}

size_t memory_class_size(enum memory_class class)
{
	return memory_classes[class].size;
}

int memory_conn_open(struct memory_conn **out, struct memory *mem,
		     enum memory_class class)
{
	struct memory_conn *conn;
	int err;

	*out = NULL;
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->mem = mem;
	conn->class = class;
	err = mem->ops->conn_open(conn);
	if (err) {
		free(conn);
		return err;
	}
	*out = conn;
	return 0;
}

void memory_conn_close(struct memory_conn *conn)
{
	if (!conn)
		return;
	conn->mem->ops->conn_close(conn);
	free(conn);
}

void *memory_conn_buffer(struct memory_conn *conn,
			 enum secbuf_conn_buffer which)
{
	return conn->buffers[which];
}

size_t memory_conn_size(const struct memory_conn *conn)
{
	return memory_classes[conn->class].size;
}

/*
 * In place: the kernel would have to grant two new slots for the next message
 * of this client.
 */
void memory_conn_zeroize(struct memory_conn *conn)
{
	int which;

	for (which = 0; which < SECBUF_CONN_BUFFER_NR; which++)
		secbuf_memory_zeroize(conn->buffers[which],
				      memory_conn_size(conn));
}
