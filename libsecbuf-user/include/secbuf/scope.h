/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Release at the end of a scope, whichever way it is left but by longjmp(): write
 * the macro before the declaration of a variable, and initialize that.
 *
 *	SECBUF_SCOPED_POOL struct secbuf_pool *pool = NULL;
 *	SECBUF_SCOPED_BUF struct secbuf_scoped_buf key = { pool, NULL };
 *
 *	err = secbuf_pool_alloc(key.pool, &key.buf);
 */
#ifndef SECBUF_SCOPE_H
#define SECBUF_SCOPE_H

#include <secbuf/conn.h>
#include <secbuf/context.h>
#include <secbuf/heap.h>
#include <secbuf/kpool.h>
#include <secbuf/pool.h>
#include <secbuf/ring.h>

#define SECBUF_SCOPED(_fn)	__attribute__((__cleanup__(_fn)))

/* Of struct secbuf_context *, and so on. */
#define SECBUF_SCOPED_CONTEXT	SECBUF_SCOPED(secbuf_scope_close)
#define SECBUF_SCOPED_POOL	SECBUF_SCOPED(secbuf_scope_pool_close)
#define SECBUF_SCOPED_KPOOL	SECBUF_SCOPED(secbuf_scope_kpool_close)
#define SECBUF_SCOPED_CONN	SECBUF_SCOPED(secbuf_scope_conn_close)
#define SECBUF_SCOPED_HEAP	SECBUF_SCOPED(secbuf_scope_heap_close)
#define SECBUF_SCOPED_PRODUCER	SECBUF_SCOPED(secbuf_scope_producer_close)
#define SECBUF_SCOPED_CONSUMER	SECBUF_SCOPED(secbuf_scope_consumer_close)

/* Of struct secbuf_scoped_buf and struct secbuf_scoped_memory. */
#define SECBUF_SCOPED_BUF	SECBUF_SCOPED(secbuf_scope_pool_free)
#define SECBUF_SCOPED_MEMORY	SECBUF_SCOPED(secbuf_scope_heap_free)

/**
 * struct secbuf_scoped_buf - a buffer that is freed at the end of the scope
 * @pool: where it goes
 * @buf: the buffer, or NULL
 */
struct secbuf_scoped_buf {
	struct secbuf_pool *pool;
	void *buf;
};

/**
 * struct secbuf_scoped_memory - memory that is freed at the end of the scope
 * @heap: where it goes
 * @ptr: the memory, or NULL
 */
struct secbuf_scoped_memory {
	struct secbuf_heap *heap;
	void *ptr;
};

static inline void secbuf_scope_close(struct secbuf_context **ctx)
{
	secbuf_close(*ctx);
}

static inline void secbuf_scope_pool_close(struct secbuf_pool **pool)
{
	secbuf_pool_close(*pool);
}

static inline void secbuf_scope_kpool_close(struct secbuf_kpool **pool)
{
	secbuf_kpool_close(*pool);
}

static inline void secbuf_scope_conn_close(struct secbuf_conn **conn)
{
	secbuf_conn_close(*conn);
}

static inline void secbuf_scope_heap_close(struct secbuf_heap **heap)
{
	secbuf_heap_close(*heap);
}

static inline void
secbuf_scope_producer_close(struct secbuf_ring_producer **producer)
{
	secbuf_ring_producer_close(*producer);
}

static inline void
secbuf_scope_consumer_close(struct secbuf_ring_consumer **consumer)
{
	secbuf_ring_consumer_close(*consumer);
}

static inline void secbuf_scope_pool_free(struct secbuf_scoped_buf *scoped)
{
	secbuf_pool_free(scoped->pool, scoped->buf);
}

static inline void secbuf_scope_heap_free(struct secbuf_scoped_memory *scoped)
{
	secbuf_heap_free(scoped->heap, scoped->ptr);
}

#endif /* SECBUF_SCOPE_H */
