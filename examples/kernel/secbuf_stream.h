/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface of secbuf_stream.ko, for programs.
 */
#ifndef SECBUF_STREAM_H
#define SECBUF_STREAM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SECBUF_STREAM_LEN_MAX	512

/**
 * struct secbuf_stream_args - ioctl(SECBUF_STREAM_START)
 * @nr: records
 * @len: bytes of each, from 8 to SECBUF_STREAM_LEN_MAX
 * @out_fd: the consumer end of a ring of records
 */
struct secbuf_stream_args {
	__u64 nr;
	__u32 len;
	__s32 out_fd;
};

#define SECBUF_STREAM_START	_IOWR(0xBC, 0, struct secbuf_stream_args)

#endif /* SECBUF_STREAM_H */
