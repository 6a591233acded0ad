/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * secbuf: buffers for secrets, kept by the kernel and zeroized when their
 * owner releases them or dies.
 *
 * Every object is a file descriptor. /dev/secbuf is a factory: INFO tells what
 * this kernel offers, the CREATE commands return the descriptor of a new
 * object. Descriptors are close-on-exec.
 */
#ifndef _UAPI_LINUX_SECBUF_H
#define _UAPI_LINUX_SECBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General ioctl format
 *
 * The argument of every command is a pointer to a struct whose first member,
 * @size, is the size in bytes of the struct that the caller was compiled with.
 * The command number does not change when a struct grows: a kernel that knows
 * fewer members accepts a longer struct if the members that it does not know
 * are zero, and a kernel that knows more takes the missing ones as zero.
 * That is why the numbers are made with _IO() and carry no size.
 *
 * Members whose names begin with out_ are written by the kernel and ignored as
 * input. Nothing is written to them when a command fails, but for out_done.
 *
 * In every limit 0 means the default and %SECBUF_LIMIT_CEILING the highest
 * value that the kernel allows.
 *
 * A command that fails changes nothing. Errors that any command can return:
 *
 * - ENOTTY: this kernel or this kind of descriptor has no such command
 * - E2BIG: the struct is longer than the kernel's, and its tail is not zero;
 *   or it is longer than a page
 * - EINVAL: the struct is shorter than its first version; a reserved member is
 *   not zero; a value is out of range
 * - EOPNOTSUPP: a flag that this kernel does not know
 * - EFAULT: a pointer that cannot be read or written
 * - EPERM: the object belongs to another process (see below)
 * - ESHUTDOWN: the process that owned the object is gone, and its contents
 *   were zeroized
 * - ENOMEM: no memory, whether because of the machine, the memory cgroup, or
 *   the module's ceiling on all users (parameter max_bytes)
 * - EDQUOT: the ceiling of this user (parameter max_user_bytes) is reached
 * - EINTR: a fatal signal arrived
 *
 * Owner: an object dies with the address space that created it, whoever else
 * still holds its descriptor. On exit, on a fatal signal and on exec it is
 * unmapped and zeroized. Only the owner may call, map or read it: a child made
 * by fork and a process that received the descriptor get EPERM, and
 * poll reports EPOLLERR to them.
 */
#define SECBUF_IOC_TYPE		0xBB

#define SECBUF_ABI_VERSION	1

#define SECBUF_LIMIT_CEILING	0xffffffffU

/* Append only. */
enum {
	SECBUF_CMD_INFO		= 0x00,	/* on /dev/secbuf */
	SECBUF_CMD_POOL_CREATE	= 0x01,
	SECBUF_CMD_RING_CREATE	= 0x02,	/* reserved: ENOTTY for now */
	SECBUF_CMD_CONN_CREATE	= 0x03,

	SECBUF_CMD_POOL_ALLOC	= 0x08,	/* on a pool */
	SECBUF_CMD_POOL_FREE	= 0x09,
	SECBUF_CMD_POOL_STATS	= 0x0b,

	SECBUF_CMD_CONN_BUFFER	= 0x18,	/* on a conn */
	SECBUF_CMD_CONN_ZEROIZE	= 0x1b,
};

#define SECBUF_IOC_INFO		_IO(SECBUF_IOC_TYPE, SECBUF_CMD_INFO)
#define SECBUF_IOC_POOL_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_CREATE)
#define SECBUF_IOC_CONN_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_CREATE)
#define SECBUF_IOC_POOL_ALLOC	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_ALLOC)
#define SECBUF_IOC_POOL_FREE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_FREE)
#define SECBUF_IOC_POOL_STATS	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_STATS)
#define SECBUF_IOC_CONN_BUFFER	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_BUFFER)
#define SECBUF_IOC_CONN_ZEROIZE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_ZEROIZE)

/* Features: objects that this kernel offers. */
#define SECBUF_FEAT_POOL_MAPPED		(1ULL << 0)
#define SECBUF_FEAT_CONN		(1ULL << 1)

/* Protections that hold for every object of this kernel. */
#define SECBUF_PROT_LOCKED		(1ULL << 0)	/* never swapped */
#define SECBUF_PROT_UNDUMPABLE		(1ULL << 1)	/* not in core dumps */
#define SECBUF_PROT_UNFORKABLE		(1ULL << 2)	/* not in children */
#define SECBUF_PROT_UNPINNABLE		(1ULL << 3)	/* no GUP, no ptrace */
#define SECBUF_PROT_OWNER_DEATH		(1ULL << 4)	/* dies with its owner */

/**
 * struct secbuf_info_args - ioctl(SECBUF_IOC_INFO) on /dev/secbuf
 * @size: sizeof(struct secbuf_info_args)
 * @flags: must be 0
 * @out_abi_version: SECBUF_ABI_VERSION of the kernel
 * @out_slots_max: most slots that one pool can have
 * @out_features: SECBUF_FEAT_* that this kernel offers
 * @out_protections: SECBUF_PROT_* that hold on this kernel
 * @out_slot_size_min: smallest slot, in bytes
 * @out_slot_size_max: largest slot, in bytes
 * @out_pool_size_max: largest mapping of one pool, in bytes
 * @out_batch_bytes_max: most bytes of slots that one POOL_ALLOC or POOL_FREE
 *                       handles; it stops early there
 * @out_batch_max: most slots that one POOL_ALLOC or POOL_FREE takes
 * @out_nr_pools: pools that exist now, of all users
 * @out_nr_conns: conns that exist now, of all users
 * @__reserved: 0
 * @out_bytes_max: ceiling on the bytes of all users
 * @out_user_bytes_max: ceiling on the bytes of one user
 * @out_bytes: bytes in use now by all users
 * @out_user_bytes: bytes in use now by the calling user
 *
 * Bytes count the pages of granted slots, and a few KiB of kernel memory for
 * each object, which stay until its last descriptor is closed.
 *
 * Anyone who may open the device may ask.
 */
struct secbuf_info_args {
	__u32 size;
	__u32 flags;
	__u32 out_abi_version;
	__u32 out_slots_max;
	__aligned_u64 out_features;
	__aligned_u64 out_protections;
	__aligned_u64 out_slot_size_min;
	__aligned_u64 out_slot_size_max;
	__aligned_u64 out_pool_size_max;
	__aligned_u64 out_batch_bytes_max;
	__u32 out_batch_max;
	__u32 out_nr_pools;
	__u32 out_nr_conns;
	__u32 __reserved;
	__aligned_u64 out_bytes_max;
	__aligned_u64 out_user_bytes_max;
	__aligned_u64 out_bytes;
	__aligned_u64 out_user_bytes;
};

#define SECBUF_INFO_ARGS_SIZE_VER0	112

/* The pool is mapped: slots of one size in the process's address space. */
#define SECBUF_POOL_F_MAPPED		(1U << 0)

#define SECBUF_POOL_MAX_SLOTS_DEFAULT	100

/**
 * struct secbuf_pool_create_args - ioctl(SECBUF_IOC_POOL_CREATE) on /dev/secbuf
 * @size: sizeof(struct secbuf_pool_create_args)
 * @flags: SECBUF_POOL_F_MAPPED (without it: ENOTTY, there is no other kind yet)
 * @slot_size: bytes per slot, 1 to out_slot_size_max of INFO
 * @max_slots: most slots that can be granted at once; a limit as described
 *             above, default SECBUF_POOL_MAX_SLOTS_DEFAULT
 * @__reserved: must be 0
 * @out_slot_size: @slot_size rounded up to a power of two, at least
 *                 out_slot_size_min of INFO: the distance between two slots
 * @out_mmap_size: length of the mapping in bytes
 * @out_max_slots: the limit in force
 * @out_fd: the pool
 *
 * The pool's descriptor is mapped once, from offset 0, @out_mmap_size bytes,
 * MAP_SHARED, PROT_READ or PROT_READ | PROT_WRITE. Slot id begins at
 * id * @out_slot_size. Memory is allocated when a slot is granted; touching a
 * slot that is not granted is SIGBUS, unless it shares a page with one that is.
 *
 * mmap errors: EINVAL (another offset or length, MAP_PRIVATE), EPERM
 * (PROT_EXEC, or not the owner), ESHUTDOWN.
 *
 * Errors: EINVAL (@slot_size is 0 or too big), ENFILE, EMFILE.
 */
struct secbuf_pool_create_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 slot_size;
	__u32 max_slots;
	__u32 __reserved;
	__aligned_u64 out_slot_size;
	__aligned_u64 out_mmap_size;
	__u32 out_max_slots;
	__s32 out_fd;
};

#define SECBUF_POOL_CREATE_ARGS_SIZE_VER0	48

/**
 * struct secbuf_pool_alloc_args - ioctl(SECBUF_IOC_POOL_ALLOC) on a pool
 * @size: sizeof(struct secbuf_pool_alloc_args)
 * @flags: must be 0
 * @ids_ptr: array of @nr __u64, where the ids of the granted slots are written
 * @nr: slots wanted, 1 to out_batch_max of INFO
 * @out_done: slots granted. Valid on success; less than @nr when a limit was
 *            hit or out_batch_bytes_max reached in the middle
 *
 * A granted slot is zero and belongs to the caller until POOL_FREE.
 *
 * Errors, when not even one slot could be granted: ENOSPC (the pool's limit),
 * ENOMEM, EDQUOT.
 */
struct secbuf_pool_alloc_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 ids_ptr;
	__u32 nr;
	__u32 out_done;
};

#define SECBUF_POOL_ALLOC_ARGS_SIZE_VER0	24

/**
 * struct secbuf_pool_free_args - ioctl(SECBUF_IOC_POOL_FREE) on a pool
 * @size: sizeof(struct secbuf_pool_free_args)
 * @flags: must be 0
 * @ids_ptr: array of @nr __u64, the ids to take back
 * @nr: entries of the array, 1 to out_batch_max of INFO
 * @out_done: entries completed, on success. It stops at the first id that
 *            cannot be freed and when out_batch_bytes_max is reached
 *
 * The whole slot is zeroized before the call returns. The struct must not lie
 * in a slot that is freed.
 *
 * Errors, when the first id cannot be freed: EINVAL (no such id), ENOENT (not
 * granted), EBUSY (it is the buffer of a conn).
 */
struct secbuf_pool_free_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 ids_ptr;
	__u32 nr;
	__u32 out_done;
};

#define SECBUF_POOL_FREE_ARGS_SIZE_VER0		24

/**
 * struct secbuf_pool_stats_args - ioctl(SECBUF_IOC_POOL_STATS) on a pool
 * @size: sizeof(struct secbuf_pool_stats_args)
 * @flags: must be 0
 * @out_max_slots: most slots that can be granted at once
 * @out_in_use: slots granted now, the buffers of conns included
 * @out_peak: most slots that were ever granted at once
 * @__reserved: 0
 * @out_acquired: slots granted so far
 * @out_returned: slots taken back so far; @out_in_use is the difference
 * @out_failures: grants refused so far
 * @out_bytes: bytes of memory held now
 * @out_bytes_zeroized: bytes zeroized so far
 */
struct secbuf_pool_stats_args {
	__u32 size;
	__u32 flags;
	__u32 out_max_slots;
	__u32 out_in_use;
	__u32 out_peak;
	__u32 __reserved;
	__aligned_u64 out_acquired;
	__aligned_u64 out_returned;
	__aligned_u64 out_failures;
	__aligned_u64 out_bytes;
	__aligned_u64 out_bytes_zeroized;
};

#define SECBUF_POOL_STATS_ARGS_SIZE_VER0	64

/**
 * struct secbuf_conn_create_args - ioctl(SECBUF_IOC_CONN_CREATE) on /dev/secbuf
 * @size: sizeof(struct secbuf_conn_create_args)
 * @flags: must be 0
 * @pool_fd: the mapped pool whose slots will be the buffers; the conn keeps it
 *           alive
 * @out_fd: the conn
 *
 * What one connection owns. It has no buffers yet. When its last descriptor is
 * closed its buffers are zeroized and returned to the pool.
 *
 * Errors: EBADF (@pool_fd is not open), EINVAL (it is not a pool), ENFILE,
 * EMFILE.
 */
struct secbuf_conn_create_args {
	__u32 size;
	__u32 flags;
	__s32 pool_fd;
	__s32 out_fd;
};

#define SECBUF_CONN_CREATE_ARGS_SIZE_VER0	16

enum secbuf_conn_buffer {
	SECBUF_CONN_BUFFER_READ		= 0,
	SECBUF_CONN_BUFFER_WRITE	= 1,
	SECBUF_CONN_BUFFER_NR
};

/**
 * struct secbuf_conn_buffer_args - ioctl(SECBUF_IOC_CONN_BUFFER) on a conn
 * @size: sizeof(struct secbuf_conn_buffer_args)
 * @flags: must be 0
 * @which: SECBUF_CONN_BUFFER_READ or SECBUF_CONN_BUFFER_WRITE
 * @__reserved: must be 0
 * @out_id: the pool's slot that is this buffer
 * @out_slot_size: its size in bytes
 *
 * Grants the buffer if the conn does not have it, and tells where it is. The
 * slot belongs to the conn: POOL_FREE refuses it.
 *
 * Errors: EINVAL (@which), ENOSPC (the pool's limit), ENOMEM, EDQUOT.
 */
struct secbuf_conn_buffer_args {
	__u32 size;
	__u32 flags;
	__u32 which;
	__u32 __reserved;
	__aligned_u64 out_id;
	__aligned_u64 out_slot_size;
};

#define SECBUF_CONN_BUFFER_ARGS_SIZE_VER0	32

/**
 * struct secbuf_conn_zeroize_args - ioctl(SECBUF_IOC_CONN_ZEROIZE) on a conn
 * @size: sizeof(struct secbuf_conn_zeroize_args)
 * @flags: must be 0
 *
 * Zeroizes all buffers of the conn and returns them to the pool, also when
 * another descriptor of the conn stays open elsewhere. The conn can be used
 * again: CONN_BUFFER grants new ones.
 */
struct secbuf_conn_zeroize_args {
	__u32 size;
	__u32 flags;
};

#define SECBUF_CONN_ZEROIZE_ARGS_SIZE_VER0	8

#endif /* _UAPI_LINUX_SECBUF_H */
