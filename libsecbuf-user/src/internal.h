/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What more than one source file of the library needs.
 */
#ifndef SECBUF_INTERNAL_H
#define SECBUF_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <secbuf.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* What is done on every call, and what is not. */
#define SECBUF_FAST	__attribute__((always_inline))
#define SECBUF_SLOW	__attribute__((noinline, cold))

/* Keeps the compiler from moving memory accesses, for signal handlers. */
#define secbuf_barrier()	__atomic_signal_fence(__ATOMIC_SEQ_CST)

/* What other threads may look at, or change, without a lock. */
#define secbuf_get(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define secbuf_set(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define secbuf_get_acquire(x)	__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define secbuf_set_release(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)

/*
 * The same between fences of the compiler, where it makes a difference that it
 * can use operands in memory. Loads of x86 are in order anyway.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define secbuf_peek(x)		(x)
#define secbuf_poke(x, v)	((x) = (v))
#define secbuf_peek_acquire(x)	(x)
#else
#define secbuf_peek(x)		secbuf_get(x)
#define secbuf_poke(x, v)	secbuf_set(x, v)
#define secbuf_peek_acquire(x)	secbuf_get_acquire(x)
#endif

struct secbuf_context {
	int fd;
	uint32_t batch_max;
};

/*
 * Copies the caller's _opts struct to @opts, @size bytes; what the caller's
 * version of it does not have becomes 0. -EINVAL if its size is impossible,
 * -E2BIG if it asks for something that this library does not know.
 */
int secbuf_opts_read(void *opts, size_t size, const void *from);

/*
 * The kernel refuses what belongs to another process. An object of this library
 * comes into another process by fork() only, and its owner is then as good as
 * dead.
 */
static inline int secbuf_owner_error(int err)
{
	return err == -EPERM ? -EOWNERDEAD : err;
}

/* What a batch of @nr has completed, or the error. */
static inline int secbuf_done(int err, uint32_t done, uint32_t nr)
{
	if (err)
		return secbuf_owner_error(err);
	return done <= nr ? (int)done : -EPROTO;
}

#endif /* SECBUF_INTERNAL_H */
