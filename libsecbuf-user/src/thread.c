// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The registry of threads and pools. It lies in memory that a child of fork()
 * finds zero, which is its first state, the lock included: so nothing has to be
 * done on fork, in whatever state other threads were.
 */
#include "thread.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "map.h"

/**
 * struct secbuf_registry - all threads and pools of this process
 * @key: whose destructor runs when a thread ends
 * @exit: what to do then
 * @lock: for all of this and for what the threads have
 * @can_fence: membarrier() works, and this process has registered for it
 * @prepared: @can_fence has been found out
 * @threads: those that have called
 * @pools: those with an index, which is never 0
 */
struct secbuf_registry {
	pthread_key_t key;
	void (*exit)(struct secbuf_thread *thread);

	_Alignas(SECBUF_MAP_KEPT) pthread_mutex_t lock;
	bool can_fence;
	bool prepared;
	struct secbuf_thread *threads;
	struct secbuf_pool *pools[SECBUF_THREAD_POOLS];
};

/* Set once; children inherit it. */
static struct secbuf_registry *secbuf_registry;

static struct secbuf_thread secbuf_nobody;

__thread struct secbuf_thread *secbuf_thread_self = &secbuf_nobody;

/* This thread has the lock or is about to, and must not be asked to wait. */
static __thread volatile bool secbuf_thread_locked
	__attribute__((tls_model("initial-exec")));

/* The destructors of this thread's keys are running. */
static __thread bool secbuf_thread_ended
	__attribute__((tls_model("initial-exec")));

bool secbuf_thread_lock(void)
{
	struct secbuf_registry *registry = secbuf_get_acquire(secbuf_registry);

	if (!registry || secbuf_thread_locked)
		return false;
	secbuf_thread_locked = true;
	secbuf_barrier();
	pthread_mutex_lock(&registry->lock);
	return true;
}

void secbuf_thread_unlock(void)
{
	pthread_mutex_unlock(&secbuf_registry->lock);
	secbuf_barrier();
	secbuf_thread_locked = false;
}

static void secbuf_thread_remove(struct secbuf_thread *self)
{
	struct secbuf_thread **link = &secbuf_registry->threads;

	while (*link && *link != self)
		link = &(*link)->next;
	if (*link)
		*link = self->next;
}

static void secbuf_thread_destroy(void *arg)
{
	struct secbuf_thread *self = arg;

	secbuf_thread_ended = true;
	secbuf_thread_self = &secbuf_nobody;
	if (!secbuf_thread_lock())
		return;
	/* In a child everything but the memory itself is gone already. */
	if (self->registered) {
		secbuf_registry->exit(self);
		secbuf_thread_remove(self);
	}
	secbuf_thread_unlock();
	munmap(self, sizeof(*self));
}

static long secbuf_membarrier(int cmd)
{
	return syscall(SYS_membarrier, cmd, 0, 0);
}

/* Under the lock. A child does this again. */
static void secbuf_registry_prepare(struct secbuf_registry *registry)
{
	int saved_errno = errno;

	if (registry->prepared)
		return;
	registry->can_fence =
		!secbuf_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	registry->prepared = true;
	errno = saved_errno;
}

/* Several threads may try at once: there is no lock before the lock. */
int secbuf_thread_prepare(void (*exit)(struct secbuf_thread *thread))
{
	struct secbuf_registry *registry, *none = NULL;
	int err;

	if (secbuf_get_acquire(secbuf_registry))
		return 0;
	registry = secbuf_map_private(sizeof(*registry), SECBUF_MAP_KEPT);
	if (!registry)
		return -ENOMEM;
	registry->exit = exit;
	err = -pthread_key_create(&registry->key, secbuf_thread_destroy);
	if (!err &&
	    __atomic_compare_exchange_n(&secbuf_registry, &none, registry,
					false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return 0;
	if (!err)
		pthread_key_delete(registry->key);
	munmap(registry, sizeof(*registry));
	return err;
}

/* Under the lock. NULL without memory. */
static struct secbuf_thread *secbuf_thread_register(void)
{
	struct secbuf_thread *self = secbuf_thread_self;

	/* A signal handler may have been faster. */
	if (self->registered)
		return self;
	/* In a child the thread has what it had in the parent, but empty. */
	if (self == &secbuf_nobody) {
		self = secbuf_map_private(sizeof(*self), 0);
		if (!self)
			return NULL;
		if (pthread_setspecific(secbuf_registry->key, self)) {
			munmap(self, sizeof(*self));
			return NULL;
		}
	}
	self->next = secbuf_registry->threads;
	secbuf_registry->threads = self;
	self->registered = true;
	secbuf_thread_self = self;
	return self;
}

struct secbuf_thread *secbuf_thread_get(void)
{
	struct secbuf_thread *self = secbuf_thread_self;

	if (likely(self->registered))
		return self;
	if (secbuf_thread_ended || !secbuf_thread_lock())
		return NULL;
	self = secbuf_thread_register();
	secbuf_thread_unlock();
	return self;
}

struct secbuf_thread *secbuf_thread_first(void)
{
	return secbuf_registry->threads;
}

uint32_t secbuf_thread_add_pool(struct secbuf_pool *pool)
{
	uint32_t index;

	secbuf_registry_prepare(secbuf_registry);
	for (index = 1; index < SECBUF_THREAD_POOLS; index++) {
		if (!secbuf_registry->pools[index]) {
			secbuf_registry->pools[index] = pool;
			return index;
		}
	}
	return 0;
}

void secbuf_thread_remove_pool(uint32_t index)
{
	secbuf_registry->pools[index] = NULL;
}

struct secbuf_pool *secbuf_thread_next_pool(uint32_t *index)
{
	for (; *index < SECBUF_THREAD_POOLS; ++*index)
		if (secbuf_registry->pools[*index])
			return secbuf_registry->pools[*index];
	return NULL;
}

bool secbuf_thread_fence_others(void)
{
	int saved_errno = errno;
	bool done;

	done = secbuf_registry->can_fence &&
	       !secbuf_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	errno = saved_errno;
	return done;
}
