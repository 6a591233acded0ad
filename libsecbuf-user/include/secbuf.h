/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libsecbuf-user: memory for secrets that the kernel zeroizes when it is
 * released, and when the process that owns it ends in whatever way.
 *
 * Conventions of every function here:
 *
 * - An int result is 0 or a negative errno; errno itself is not touched.
 *   secbuf_strerror() turns the result into a sentence.
 * - Objects are made by _open() through the first argument and unmade by
 *   _close(), which accepts NULL. A failed _open() stores NULL. Elsewhere NULL
 *   for an object or for an out-parameter is -EINVAL.
 * - _opts structs begin with their own size; set it to sizeof, and everything
 *   that is not needed to zero. A NULL pointer means all defaults. A size
 *   below sizeof(size_t) is -EINVAL; a longer struct than the library knows is
 *   accepted if the rest of it is zero, and -E2BIG if not.
 * - Sizes are in bytes.
 * - Functions on one object may be called by several threads at once, but for
 *   _close(), which must be the last call on the object.
 * - -EPROTO from any function: the module gave an answer that none should give.
 * - In a child made by fork() pools, heaps and conns of the parent answer
 *   -EOWNERDEAD, and their memory is not mapped. The child closes them, which
 *   leaves those of the parent alone, and opens its own.
 * - The shared library stays loaded once it was: dlclose() has no effect.
 * - All descriptors are close-on-exec.
 * - Nothing here installs a signal handler, ends the process or runs before
 *   main().
 */
#ifndef SECBUF_H
#define SECBUF_H

#include <linux/secbuf.h>
#include <secbuf/buffer.h>
#include <secbuf/conn.h>
#include <secbuf/context.h>
#include <secbuf/cursor.h>
#include <secbuf/error.h>
#include <secbuf/heap.h>
#include <secbuf/io.h>
#include <secbuf/ioctl.h>
#include <secbuf/kpool.h>
#include <secbuf/memory.h>
#include <secbuf/pool.h>
#include <secbuf/ring.h>
#include <secbuf/ring_record.h>
#include <secbuf/ring_socket.h>
#include <secbuf/ring_span.h>
#include <secbuf/scope.h>
#include <secbuf/source.h>
#include <secbuf/stats.h>
#include <secbuf/text.h>

#endif /* SECBUF_H */
