// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Errors in words: what is wrong, and what to do about it.
 */
#include "internal.h"

static const struct {
	int err;
	const char *text;
} secbuf_errors[] = {
	{ 0, "no error" },
	{ -ENODEV,
	  "the secbuf module is not loaded: run 'secbufctl load' as root" },
	{ -EACCES,
	  "no permission on /dev/secbuf: become root, or join the group that owns it" },
	{ -EOPNOTSUPP,
	  "this kernel lacks a required feature or protection: see 'secbufctl status'" },
	{ -EPROTO,
	  "the secbuf module and this library do not match: install the same version of both" },
	{ -E2BIG,
	  "an option is set that this library or module does not know: update it" },
	{ -EINVAL,
	  "invalid argument: out of range, or not a buffer of this pool or a part of one" },
	{ -ENOMEM,
	  "no memory, or max_bytes of the secbuf module is reached: release buffers or raise it" },
	{ -EDQUOT,
	  "this user has max_user_bytes of the secbuf module: release buffers or raise it" },
	{ -ENOSPC,
	  "no room: all buffers of the pool are out, or the cursor or ring is full" },
	{ -ENOENT,
	  "this buffer is not out: it was freed or queued before or never allocated" },
	{ -EBUSY,
	  "this buffer belongs to a conn: it ends with the conn, do not free it" },
	{ -EPERM,
	  "this object belongs to another process and is not passable: let each open one" },
	{ -EOWNERDEAD,
	  "this object belongs to the parent process: open one after fork" },
	{ -EUSERS,
	  "too many processes have attached to this pool: let some of them close it" },
	{ -EUCLEAN,
	  "something was written before this buffer, which was freed: find who did that" },
	{ -ESHUTDOWN,
	  "the process that owned this object is gone and its contents were zeroized: close it" },
	{ -EMFILE,
	  "this process has too many open files: close some or raise 'ulimit -n'" },
	{ -ENFILE,
	  "the system has too many open files: close some or raise fs.file-max" },
	{ -EBADF, "this descriptor is not open: use the object before its close" },
	{ -ENOTTY,
	  "this descriptor or secbuf module has no such command: check both" },
	{ -EFAULT, "a pointer does not point to memory of this process: fix it" },
	{ -EAGAIN,
	  "nothing to do now: poll; of an open: mlockall() and RLIMIT_MEMLOCK, raise 'ulimit -l'" },
	{ -ENOBUFS,
	  "the conn has as many packets or rings as it may: take some out or raise the limit" },
	{ -EOVERFLOW,
	  "the conn's queue would have more bytes than it may: take some out or raise max_bytes" },
	{ -EEXIST, "this ring belongs to a conn already: remove it there first" },
	{ -ENOTSOCK, "this descriptor is not a socket: pass the connection's" },
	{ -EINTR, "interrupted by a signal: try again" },
	{ -EPIPE, "the other end of the ring is gone: close this one" },
	{ -ETIMEDOUT, "the ring had nothing to do for this end in that time" },
	{ -ENODATA,
	  "the message ends too early, or the ring is empty: wait for the rest or reject it" },
	{ -EMSGSIZE,
	  "a string or a buffer would be longer than its limit: reject the message" },
	{ -EBADMSG,
	  "a part of the message is not encoded as it must be: reject the message" },
	{ -ERANGE, "the position is outside of the cursor's contents or size" },
};

const char *secbuf_strerror(int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(secbuf_errors); i++)
		if (secbuf_errors[i].err == err)
			return secbuf_errors[i].text;
	return "not an error of secbuf: see errno(3)";
}
