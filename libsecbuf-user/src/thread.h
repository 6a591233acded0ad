/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Threads: which caches each of them has, and who may look at those of others.
 */
#ifndef SECBUF_THREAD_H
#define SECBUF_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "map.h"

/* Pools that can have caches at the same time, less one. */
#define SECBUF_THREAD_POOLS	1024

struct secbuf_cache;
struct secbuf_pool;

/**
 * struct secbuf_thread - what belongs to one thread; empty in a child of fork()
 * @colour: not used
 * @caches: by the index of the pool
 * @next: another thread
 * @registered: it is in the list
 */
struct secbuf_thread {
	char colour[SECBUF_THREAD_COLOUR];
	struct secbuf_cache *caches[SECBUF_THREAD_POOLS];
	struct secbuf_thread *next;
	bool registered;
};

/* The calling thread; never NULL, but of a thread without caches it is nobody. */
extern __thread struct secbuf_thread *secbuf_thread_self
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/*
 * Makes this process ready for caches. @exit is called for a thread that ends,
 * under the lock. 0 or -ENOMEM, -EAGAIN (no more pthread keys).
 */
int secbuf_thread_prepare(void (*exit)(struct secbuf_thread *thread));

/*
 * The lock of everything below. False in a signal handler that interrupted the
 * thread that has it, or is about to.
 */
bool secbuf_thread_lock(void);
void secbuf_thread_unlock(void);

/* The calling thread, registered if that is possible, else NULL. */
struct secbuf_thread *secbuf_thread_get(void);

/* The first of all threads. Under the lock. */
struct secbuf_thread *secbuf_thread_first(void);

/* Gives @pool an index, 0 if there is none left. Under the lock. */
uint32_t secbuf_thread_add_pool(struct secbuf_pool *pool);
void secbuf_thread_remove_pool(uint32_t index);

/* Each pool that has an index; the first one from @index on. Under the lock. */
struct secbuf_pool *secbuf_thread_next_pool(uint32_t *index);

/*
 * Until it returns, all other threads have done what they had begun, as far as
 * the order of memory accesses goes. False where the kernel cannot do that.
 */
bool secbuf_thread_fence_others(void);

#endif /* SECBUF_THREAD_H */
