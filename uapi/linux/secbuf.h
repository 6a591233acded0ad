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
 * - EPERM: the object belongs to another address space (see below)
 * - ESHUTDOWN: the owner of the object is gone, and its contents were zeroized
 * - ENOMEM: no memory, whether because of the machine, the memory cgroup, or
 *   the module's ceiling on all users (parameter max_bytes)
 * - EDQUOT: the ceiling of this user id (parameter max_user_bytes) is reached
 * - EINTR: a fatal signal arrived; while waiting, any signal
 *
 * Batches complete their entries one by one, in order, and stop at the first
 * that cannot be. They succeed if at least one was completed; out_done tells how
 * many. The rest has not been touched, and the error that stopped it is that of
 * the next call which begins there. A fatal signal stops a batch as well.
 *
 * Owner: an object dies with the process that created it, or with its address
 * space if that ends earlier, whoever else still holds its descriptor. On exit,
 * on a fatal signal and on exec of that process it is unmapped and zeroized,
 * even while somebody holds the address space. All objects of a process die
 * with the first of their descriptors that is closed at its end. If there is
 * none, because it had closed them all and kept mappings, or had made them stay
 * open on exec, that is when the last user of the address space lets go; and if
 * other processes share both its address space and its descriptor table (clone
 * with CLONE_VM and CLONE_FILES, not threads), with the last of them.
 *
 * Processes that share the address space may use the object. Others get EPERM,
 * and EPOLLERR from poll: a child made by fork, and who received the descriptor.
 * So does everybody once the object is dead, and calls are ESHUTDOWN; all who
 * sleep in poll are woken then, also those who asked for EPOLLEXCLUSIVE.
 *
 * A mapped pool can be made passable. Then whoever holds a descriptor of it may
 * get one of his own by POOL_ATTACH. What was said above holds for each of them
 * apart: with the owner of a descriptor die the slots that were granted through
 * it, and no others. The pool itself lives as long as any of its descriptors.
 */
#define SECBUF_IOC_TYPE		0xBB

#define SECBUF_ABI_VERSION	1

#define SECBUF_LIMIT_CEILING	0xffffffffU

/* Append only. */
enum {
	SECBUF_CMD_INFO		= 0x00,	/* on /dev/secbuf */
	SECBUF_CMD_POOL_CREATE	= 0x01,
	SECBUF_CMD_RING_CREATE	= 0x02,
	SECBUF_CMD_CONN_CREATE	= 0x03,

	SECBUF_CMD_POOL_ALLOC	= 0x08,	/* on a pool */
	SECBUF_CMD_POOL_FREE	= 0x09,
	SECBUF_CMD_POOL_SHRINK	= 0x0a,
	SECBUF_CMD_POOL_STATS	= 0x0b,
	SECBUF_CMD_POOL_READ	= 0x0c,
	SECBUF_CMD_POOL_WRITE	= 0x0d,
	SECBUF_CMD_POOL_ATTACH	= 0x0e,
	SECBUF_CMD_POOL_INFO	= 0x0f,

	SECBUF_CMD_RING_NOTIFY	= 0x10,	/* on an end of a ring */
	SECBUF_CMD_RING_RESET	= 0x11,
	SECBUF_CMD_RING_SHRINK	= 0x12,
	SECBUF_CMD_RING_STATS	= 0x13,
	SECBUF_CMD_RING_CLAIM	= 0x14,
	SECBUF_CMD_RING_CLOSE	= 0x15,
	SECBUF_CMD_RING_INFO	= 0x16,
	SECBUF_CMD_RING_UNPARK	= 0x17,

	SECBUF_CMD_CONN_BUFFER	= 0x18,	/* on a conn */
	SECBUF_CMD_CONN_RESET	= 0x19,
	SECBUF_CMD_CONN_SHRINK	= 0x1a,
	SECBUF_CMD_CONN_ZEROIZE	= 0x1b,
	SECBUF_CMD_CONN_STATS	= 0x1c,
	SECBUF_CMD_CONN_TOUCH	= 0x1d,
	SECBUF_CMD_CONN_ENQUEUE	= 0x1e,
	SECBUF_CMD_CONN_DEQUEUE	= 0x1f,
	SECBUF_CMD_CONN_SEND	= 0x20,
	SECBUF_CMD_CONN_STREAM_ADD = 0x21,
	SECBUF_CMD_CONN_STREAM_DEL = 0x22,
};

#define SECBUF_IOC_INFO		_IO(SECBUF_IOC_TYPE, SECBUF_CMD_INFO)
#define SECBUF_IOC_POOL_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_CREATE)
#define SECBUF_IOC_RING_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_CREATE)
#define SECBUF_IOC_CONN_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_CREATE)
#define SECBUF_IOC_POOL_ALLOC	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_ALLOC)
#define SECBUF_IOC_POOL_FREE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_FREE)
#define SECBUF_IOC_POOL_SHRINK	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_SHRINK)
#define SECBUF_IOC_POOL_STATS	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_STATS)
#define SECBUF_IOC_POOL_READ	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_READ)
#define SECBUF_IOC_POOL_WRITE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_WRITE)
#define SECBUF_IOC_POOL_ATTACH	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_ATTACH)
#define SECBUF_IOC_POOL_INFO	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_INFO)
#define SECBUF_IOC_RING_NOTIFY	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_NOTIFY)
#define SECBUF_IOC_RING_RESET	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_RESET)
#define SECBUF_IOC_RING_SHRINK	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_SHRINK)
#define SECBUF_IOC_RING_STATS	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_STATS)
#define SECBUF_IOC_RING_CLAIM	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_CLAIM)
#define SECBUF_IOC_RING_CLOSE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_CLOSE)
#define SECBUF_IOC_RING_INFO	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_INFO)
#define SECBUF_IOC_RING_UNPARK	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_RING_UNPARK)
#define SECBUF_IOC_CONN_BUFFER	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_BUFFER)
#define SECBUF_IOC_CONN_RESET	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_RESET)
#define SECBUF_IOC_CONN_SHRINK	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_SHRINK)
#define SECBUF_IOC_CONN_ZEROIZE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_ZEROIZE)
#define SECBUF_IOC_CONN_STATS	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_STATS)
#define SECBUF_IOC_CONN_TOUCH	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_TOUCH)
#define SECBUF_IOC_CONN_ENQUEUE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_ENQUEUE)
#define SECBUF_IOC_CONN_DEQUEUE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_DEQUEUE)
#define SECBUF_IOC_CONN_SEND	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_SEND)
#define SECBUF_IOC_CONN_STREAM_ADD \
	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_STREAM_ADD)
#define SECBUF_IOC_CONN_STREAM_DEL \
	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_STREAM_DEL)

/* Features: objects that this kernel offers. */
#define SECBUF_FEAT_POOL_MAPPED		(1ULL << 0)
#define SECBUF_FEAT_CONN		(1ULL << 1)
#define SECBUF_FEAT_POOL		(1ULL << 2)	/* kernel-held */
#define SECBUF_FEAT_POOL_PASSABLE	(1ULL << 3)	/* and mapped */
#define SECBUF_FEAT_POOL_GUARD		(1ULL << 4)	/* and mapped */
#define SECBUF_FEAT_RING		(1ULL << 5)

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
 * @out_slot_size_max: largest slot of a mapped pool, in bytes
 * @out_pool_size_max: largest mapping of one pool, in bytes
 * @out_batch_bytes_max: most bytes of slots that one POOL_ALLOC or POOL_FREE
 *                       handles; it stops early there
 * @out_batch_max: most slots that one POOL_ALLOC or POOL_FREE takes
 * @out_nr_pools: pools that exist now, of all users
 * @out_nr_conns: conns that exist now, of all users
 * @out_nr_rings: rings that exist now, of all users
 * @out_bytes_max: ceiling on the bytes of all users
 * @out_user_bytes_max: ceiling on the bytes of one user
 * @out_bytes: bytes in use now by all users
 * @out_user_bytes: bytes in use now by the calling user
 *
 * Bytes count the pages of mapped pools and the buffers of kernel-held ones,
 * idle ones included, rings whole, and a few KiB of kernel memory for each
 * object, which stay until its last descriptor is closed.
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
	__u32 out_nr_rings;
	__aligned_u64 out_bytes_max;
	__aligned_u64 out_user_bytes_max;
	__aligned_u64 out_bytes;
	__aligned_u64 out_user_bytes;
};

#define SECBUF_INFO_ARGS_SIZE_VER0	112

/* The pool is mapped: slots of one size in the process's address space. */
#define SECBUF_POOL_F_MAPPED		(1U << 0)

/* Other processes may attach. Mapped pools only. */
#define SECBUF_POOL_F_PASSABLE		(1U << 1)

/*
 * For debugging: behind each slot lies a page that never has memory, and a slot
 * that is freed loses its memory at once. Mapped pools only.
 */
#define SECBUF_POOL_F_GUARD		(1U << 2)

#define SECBUF_POOL_MAX_SLOTS_DEFAULT	100

/* Largest buffer of a kernel-held pool, in bytes. */
#define SECBUF_POOL_BUF_SIZE_MAX	65536

/* Descriptors that one pool can have by POOL_CREATE and POOL_ATTACH. */
#define SECBUF_POOL_FILES_MAX		1024

/* Where the control page of a mapped pool is mapped from. */
#define SECBUF_POOL_MMAP_CONTROL	(1ULL << 40)

/**
 * struct secbuf_pool_control - the control page of a mapped pool
 * @pressure: changes when memory is short and the kernel asks for slots that
 *            the program keeps without need
 * @__reserved: 0
 *
 * Mapped from offset SECBUF_POOL_MMAP_CONTROL, one page, MAP_SHARED, PROT_READ.
 */
struct secbuf_pool_control {
	__u32 pressure;
	__u32 __reserved[15];
};

/**
 * struct secbuf_pool_create_args - ioctl(SECBUF_IOC_POOL_CREATE) on /dev/secbuf
 * @size: sizeof(struct secbuf_pool_create_args)
 * @flags: 0 for a kernel-held pool; for a mapped one SECBUF_POOL_F_MAPPED, and
 *         SECBUF_POOL_F_PASSABLE and SECBUF_POOL_F_GUARD if wanted
 * @slot_size: bytes per slot, from 1 to out_slot_size_max of INFO; of a
 *             kernel-held pool to SECBUF_POOL_BUF_SIZE_MAX
 * @max_slots: most slots that can be granted at once; a limit as described
 *             above, default SECBUF_POOL_MAX_SLOTS_DEFAULT
 * @min_slots: buffers of a kernel-held pool that are allocated now and stay
 *             when memory is short, from 0 to the limit in force; 0 for a
 *             mapped pool
 * @require: SECBUF_PROT_* without which the pool is not to be created
 * @out_slot_size: @slot_size rounded up to a power of two, at least
 *                 out_slot_size_min of INFO: what a slot takes
 * @out_stride: distance of two slots in the mapping: @out_slot_size; with
 *              SECBUF_POOL_F_GUARD that, rounded up to pages, and one page; 0
 *              for a kernel-held pool
 * @out_mmap_size: length of the mapping in bytes; 0 for a kernel-held pool
 * @out_protections: SECBUF_PROT_* that hold for this pool
 * @out_max_slots: the limit in force
 * @out_fd: the pool
 *
 * A mapped pool's descriptor is mapped once, from offset 0, @out_mmap_size
 * bytes, MAP_SHARED, PROT_READ or PROT_READ | PROT_WRITE. Slot id begins at
 * id * @out_stride. Memory is allocated when a slot is granted. It stays when
 * the slot is freed, zeroized, for the next POOL_ALLOC, until memory is short.
 * Touching a slot that is not granted is SIGBUS, unless it still has memory or
 * shares a page with one that has; nothing written there is kept.
 *
 * mmap errors: EINVAL (another offset or length, MAP_PRIVATE), EPERM
 * (PROT_EXEC, PROT_WRITE of the control page, or not the owner), EBUSY (the
 * descriptor has such a mapping: the slots can be mapped again when they are
 * not any more, and so can the control page and the words), ESHUTDOWN, EAGAIN
 * (mlockall(MCL_FUTURE) is in force and RLIMIT_MEMLOCK would be exceeded). Page
 * tables are allocated and charged when the mapping is first touched, as for any
 * memory, and what the kernel has for every open file is charged as for any
 * open: in a memory cgroup that is full, both can end in its OOM killer.
 *
 * poll: POLLPRI after secbuf_pool_control.pressure has changed, until the next
 * POOL_FREE or POOL_SHRINK on this descriptor.
 *
 * The slots of a kernel-held pool, called buffers, stay in the kernel.
 * POOL_READ and POOL_WRITE copy bytes out and in, of the @slot_size bytes asked
 * for and not of what they were rounded up to. Their ids are opaque: each is
 * given once in the life of the pool, and 0 never. Buffers that were freed are
 * kept for the next POOL_ALLOC; the kernel takes those beyond @min_slots when
 * memory is short. mmap: ENODEV.
 *
 * Errors: EINVAL (@slot_size, @max_slots or @min_slots is out of range; a flag
 * that needs SECBUF_POOL_F_MAPPED), EOPNOTSUPP (something in @require does not
 * hold), ENFILE, EMFILE.
 */
struct secbuf_pool_create_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 slot_size;
	__u32 max_slots;
	__u32 min_slots;
	__aligned_u64 require;
	__aligned_u64 out_slot_size;
	__aligned_u64 out_stride;
	__aligned_u64 out_mmap_size;
	__aligned_u64 out_protections;
	__u32 out_max_slots;
	__s32 out_fd;
};

#define SECBUF_POOL_CREATE_ARGS_SIZE_VER0	72

/**
 * struct secbuf_pool_attach_args - ioctl(SECBUF_IOC_POOL_ATTACH) on a mapped
 *                                  pool
 * @size: sizeof(struct secbuf_pool_attach_args)
 * @flags: must be 0
 * @out_fd: the same pool, by a descriptor that belongs to the caller
 * @__reserved: must be 0
 *
 * Slots granted through @out_fd are charged to the caller, only he can free
 * them, and they are zeroized and taken back when he dies or closes it, while
 * the others carry on. What is in the slots is common: each sees those of all.
 * A page that holds slots of several is charged to who had the first of them,
 * until the last of them is freed.
 *
 * The only command that others than the owner of a descriptor may use, and that
 * works when he is dead.
 *
 * Errors: EPERM (the pool is not passable), EUSERS (it has
 * SECBUF_POOL_FILES_MAX descriptors), ENFILE, EMFILE.
 */
struct secbuf_pool_attach_args {
	__u32 size;
	__u32 flags;
	__s32 out_fd;
	__u32 __reserved;
};

#define SECBUF_POOL_ATTACH_ARGS_SIZE_VER0	16

/**
 * struct secbuf_pool_info_args - ioctl(SECBUF_IOC_POOL_INFO) on a pool
 * @size: sizeof(struct secbuf_pool_info_args)
 * @flags: must be 0
 * @out_flags: SECBUF_POOL_F_* that it was created with
 * @out_max_slots: most slots that can be granted at once
 * @out_slot_size: as of POOL_CREATE; of a kernel-held pool what was asked for
 * @out_stride: as of POOL_CREATE
 * @out_mmap_size: as of POOL_CREATE
 * @out_protections: SECBUF_PROT_* that hold for this pool
 */
struct secbuf_pool_info_args {
	__u32 size;
	__u32 flags;
	__u32 out_flags;
	__u32 out_max_slots;
	__aligned_u64 out_slot_size;
	__aligned_u64 out_stride;
	__aligned_u64 out_mmap_size;
	__aligned_u64 out_protections;
};

#define SECBUF_POOL_INFO_ARGS_SIZE_VER0		48

/* Wait until a buffer can be granted. Kernel-held pools only. */
#define SECBUF_POOL_ALLOC_F_WAIT	(1U << 0)

/**
 * struct secbuf_pool_alloc_args - ioctl(SECBUF_IOC_POOL_ALLOC) on a pool
 * @size: sizeof(struct secbuf_pool_alloc_args)
 * @flags: 0 or SECBUF_POOL_ALLOC_F_WAIT
 * @ids_ptr: array of @nr __u64, where the ids of the granted slots are written
 * @nr: slots wanted, 1 to out_batch_max of INFO
 * @out_done: slots granted. Valid on success; less than @nr when a limit was
 *            hit or out_batch_bytes_max reached in the middle
 *
 * A granted slot is zero and belongs to the caller until POOL_FREE.
 *
 * With SECBUF_POOL_ALLOC_F_WAIT the call sleeps while the pool's limit keeps it
 * from granting even one slot, and then grants what there is. It does not wait
 * for memory or for the other limits.
 *
 * Errors, when not even one slot could be granted: ENOSPC (the pool's limit),
 * ENOMEM, EDQUOT, EINTR (any signal, while waiting). EOPNOTSUPP: a mapped pool
 * and SECBUF_POOL_ALLOC_F_WAIT. After EFAULT no slot is granted.
 */
struct secbuf_pool_alloc_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 ids_ptr;
	__u32 nr;
	__u32 out_done;
};

#define SECBUF_POOL_ALLOC_ARGS_SIZE_VER0	24

/* Take back whatever was granted through this descriptor. */
#define SECBUF_POOL_FREE_F_ALL		(1U << 0)

/**
 * struct secbuf_pool_free_args - ioctl(SECBUF_IOC_POOL_FREE) on a pool
 * @size: sizeof(struct secbuf_pool_free_args)
 * @flags: 0 or SECBUF_POOL_FREE_F_ALL
 * @ids_ptr: array of @nr __u64, the ids to take back
 * @nr: entries of the array, 1 to out_batch_max of INFO
 * @out_done: entries completed, on success. It stops at the first id that
 *            cannot be freed and when out_batch_bytes_max is reached; without
 *            memory for a copy of the array, after a part of it
 *
 * With SECBUF_POOL_FREE_F_ALL, @ids_ptr and @nr are 0 and @out_done counts all
 * slots that were taken back, which can be none; the buffers of conns stay.
 * Closing the descriptor does the same, and takes those of conns, only if nobody
 * else, a child for example, holds it.
 *
 * The slot is zeroized before the call returns; a buffer that another thread is
 * reading or writing at that moment, when that call is done with it. The struct
 * must not lie in a slot that is freed.
 *
 * Errors, when the first id cannot be freed: ENOENT (not granted, or not through
 * this descriptor; of a kernel-held pool whatever is not the id of a buffer that is out: freed
 * before, of another pool, out of range), EINVAL (a mapped pool has no such
 * slot), EBUSY (it is the buffer of a conn).
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
 * struct secbuf_pool_shrink_args - ioctl(SECBUF_IOC_POOL_SHRINK) on a pool
 * @size: sizeof(struct secbuf_pool_shrink_args)
 * @flags: must be 0
 * @nr: most slots whose memory is to be freed, not 0
 * @out_done: slots whose memory was freed, on success; can be 0. It stops at a
 *            fatal signal
 *
 * Frees the memory of slots that are not granted. Of a kernel-held pool those
 * that are and those that stay are together no fewer than min_slots of
 * POOL_CREATE. Slots of a mapped pool that are smaller than a page go by pages,
 * and @out_done can exceed @nr by what is in one.
 *
 * Errors: EINVAL (@nr is 0).
 */
struct secbuf_pool_shrink_args {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 out_done;
};

#define SECBUF_POOL_SHRINK_ARGS_SIZE_VER0	16

/**
 * struct secbuf_pool_stats_args - ioctl(SECBUF_IOC_POOL_STATS) on a pool
 * @size: sizeof(struct secbuf_pool_stats_args)
 * @flags: must be 0
 * @out_max_slots: most slots that can be granted at once
 * @out_min_slots: buffers that stay when memory is short
 * @out_in_use: slots granted now, the buffers of conns included
 * @out_peak: most slots that were ever granted at once
 * @out_allocated: slots that have memory now, granted or not
 * @out_available: of these, those not granted
 * @out_acquired: slots granted so far
 * @out_returned: slots taken back so far; @out_in_use is the difference
 * @out_failures: grants refused so far
 * @out_magazine_hits: of @out_acquired, from what a CPU keeps at hand; 0 in a
 *                     mapped pool
 * @out_depot_hits: of @out_acquired, from what is kept for all CPUs; in a
 *                  mapped pool, whose memory was still there
 * @out_misses: of @out_acquired, freshly allocated
 * @out_leaks: slots that were granted when the owner died. The owner cannot
 *             ask any more: it is in fdinfo, as all of these are
 * @out_bytes: bytes of memory held now
 * @out_bytes_zeroized: bytes zeroized so far
 *
 * Where several processes share a pool, @out_in_use, @out_peak, @out_acquired
 * and what follows up to @out_leaks count what went through this descriptor,
 * the others the pool.
 *
 * While other threads use the pool, figures of one moment can differ by what
 * is under way, but for the difference of @out_acquired and @out_returned.
 */
struct secbuf_pool_stats_args {
	__u32 size;
	__u32 flags;
	__u32 out_max_slots;
	__u32 out_min_slots;
	__u32 out_in_use;
	__u32 out_peak;
	__u32 out_allocated;
	__u32 out_available;
	__aligned_u64 out_acquired;
	__aligned_u64 out_returned;
	__aligned_u64 out_failures;
	__aligned_u64 out_magazine_hits;
	__aligned_u64 out_depot_hits;
	__aligned_u64 out_misses;
	__aligned_u64 out_leaks;
	__aligned_u64 out_bytes;
	__aligned_u64 out_bytes_zeroized;
};

#define SECBUF_POOL_STATS_ARGS_SIZE_VER0	104

/**
 * struct secbuf_pool_vec - bytes to copy, of one buffer
 * @id: the buffer
 * @offset: first byte in it
 * @len: bytes, can be 0
 * @buf_ptr: where they go to or come from
 */
struct secbuf_pool_vec {
	__aligned_u64 id;
	__u32 offset;
	__u32 len;
	__aligned_u64 buf_ptr;
};

/**
 * struct secbuf_pool_copy_args - ioctl(SECBUF_IOC_POOL_READ) and
 *                                ioctl(SECBUF_IOC_POOL_WRITE) on a kernel-held
 *                                pool
 * @size: sizeof(struct secbuf_pool_copy_args)
 * @flags: must be 0
 * @vecs_ptr: array of @nr struct secbuf_pool_vec, read whole before anything
 *            is copied
 * @nr: entries of the array, 1 to out_batch_max of INFO
 * @out_done: entries completed, on success. It stops at the first that cannot
 *            be and when out_batch_bytes_max is reached
 *
 * The same buffer may come several times. Threads that copy into and out of
 * the same bytes at once get a mixture.
 *
 * Errors of the first entry: ENOENT (as of POOL_FREE), EINVAL (not inside the
 * slot_size bytes of POOL_CREATE), EFAULT. An entry that stopped with EFAULT may
 * have been copied in part; what it wrote is zeroized with the buffer.
 * ENOTTY: a mapped pool.
 */
struct secbuf_pool_copy_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 vecs_ptr;
	__u32 nr;
	__u32 out_done;
};

#define SECBUF_POOL_COPY_ARGS_SIZE_VER0		24

/**
 * DOC: Conns
 *
 * What one connection owns: a read buffer, a write buffer, a queue of packets,
 * and rings for its streams. Buffers and packets are slots of one mapped pool,
 * granted to the conn: POOL_FREE refuses them. When the last descriptor of the
 * conn is closed, at CONN_ZEROIZE, and when the owner dies, all of it is
 * zeroized, slots go back to the pool, and the rings are reset, whoever else
 * holds a descriptor of one. Threads may use one conn at once.
 *
 * Handing over
 *
 * The kernel takes back the read and the write buffer of a conn that is idle,
 * and of any conn when memory is short, but not while the program uses them.
 * So that neither needs a system call to say what it does, each slot has a
 * struct secbuf_slot_word in the pool's control area, an array indexed by slot,
 * mapped from offset SECBUF_POOL_MMAP_WORDS, its length rounded up to pages,
 * MAP_SHARED, PROT_READ | PROT_WRITE or less. What is not the buffer of a conn
 * has a word without meaning, or none: touching that can be SIGBUS. state is
 *
 *	SECBUF_SLOT_GONE	it is not the conn's, or not any more
 *	SECBUF_SLOT_BUSY	the program uses it, or needs what is in it
 *	SECBUF_SLOT_IDLE	the program does not need what is in it
 *	SECBUF_SLOT_AGED	so it was already when the kernel looked last
 *
 * in the lowest two bits, and a tag in the others, which changes each time that
 * the slot is granted. Programs change
 *
 *	BUSY to IDLE		by a store (release)
 *	IDLE or AGED to BUSY	by compare and exchange (acquire), of the whole
 *				word, tag included
 *
 * and the kernel IDLE to AGED, IDLE or AGED to GONE by compare and exchange, and
 * whatever there was to BUSY when it grants the slot. A program that does not
 * find its tag, or finds GONE, asks for the buffer again by CONN_BUFFER. What
 * else a program writes there is ignored: what counts is the kernel's own
 * record. Such a program deceives itself only, and those who share the pool.
 *
 * used is for statistics: bytes of a busy buffer that are in use, which the
 * program may keep up to date.
 *
 * Idle conns
 *
 * A conn on which nothing was called for its idle time, and whose buffers are
 * not busy and were not used in the meantime, loses them. That they were used
 * the kernel sees by SECBUF_SLOT_IDLE instead of SECBUF_SLOT_AGED. Packets in
 * the queue are never taken.
 */

/* Where the words of a mapped pool's slots are mapped from. */
#define SECBUF_POOL_MMAP_WORDS		(1ULL << 41)

#define SECBUF_SLOT_GONE		0U
#define SECBUF_SLOT_BUSY		1U
#define SECBUF_SLOT_IDLE		2U
#define SECBUF_SLOT_AGED		3U
#define SECBUF_SLOT_STATE_MASK		3U

/**
 * struct secbuf_slot_word - who has a slot that is the buffer of a conn
 * @state: SECBUF_SLOT_* and the tag
 * @used: bytes in use, while it is busy
 */
struct secbuf_slot_word {
	__u32 state;
	__u32 used;
};

/* The idle scan leaves it alone; only a shortage of memory does not. */
#define SECBUF_CONN_F_KEEP		(1U << 0)

#define SECBUF_CONN_MAX_PACKETS_DEFAULT	100
#define SECBUF_CONN_MAX_PACKETS_CEILING	65536
#define SECBUF_CONN_MAX_BYTES_DEFAULT	(10U << 20)
#define SECBUF_CONN_MAX_BYTES_CEILING	(1U << 30)
#define SECBUF_CONN_MAX_STREAMS_DEFAULT	16
#define SECBUF_CONN_MAX_STREAMS_CEILING	1024
#define SECBUF_CONN_IDLE_MS_DEFAULT	60000
#define SECBUF_CONN_IDLE_MS_CEILING	86400000
#define SECBUF_CONN_NEAR_FULL_DEFAULT	80
#define SECBUF_CONN_WASTE_FACTOR_DEFAULT 4
#define SECBUF_CONN_WASTE_MIN_DEFAULT	8192

/**
 * struct secbuf_conn_create_args - ioctl(SECBUF_IOC_CONN_CREATE) on /dev/secbuf
 * @size: sizeof(struct secbuf_conn_create_args)
 * @flags: 0 or SECBUF_CONN_F_KEEP
 * @pool_fd: the mapped pool whose slots will be the buffers; the conn keeps it
 *           alive
 * @out_fd: the conn
 * @max_packets: most packets in its queue; a limit as described above, default
 *               SECBUF_CONN_MAX_PACKETS_DEFAULT
 * @max_bytes: most bytes of packets in its queue, counted by their lengths;
 *             likewise
 * @max_streams: most rings; likewise
 * @idle_ms: milliseconds without activity after which it is idle; likewise. It
 *           is noticed up to an eighth later; as much later again if the
 *           buffers were used after the last call, as nothing but the next
 *           look tells when; and when the machine sleeps, when it wakes up
 * @near_full: percent of @max_packets or @max_bytes from which on the queue is
 *             nearly full, 1 to 100; 0: SECBUF_CONN_NEAR_FULL_DEFAULT
 * @waste_factor: a buffer is wasteful that is more than so many times as large
 *                as what is used of it; a limit, default
 *                SECBUF_CONN_WASTE_FACTOR_DEFAULT
 * @waste_min: and larger than so many bytes; likewise
 * @__reserved: must be 0
 *
 * It has nothing yet, and takes less than a KiB, which counts against the
 * ceilings. So does a page of words, from the first slot on it that is lent.
 *
 * read() takes one packet from the queue, EMSGSIZE if it does not fit, and it
 * stays. write() makes one of what it gets. They sleep while the queue is empty
 * or over its limits, unless O_NONBLOCK: EAGAIN. Errors of write(): EMSGSIZE
 * (larger than a slot or than max_bytes), ENOSPC, ENOMEM, EDQUOT. Reading or
 * writing 0 bytes does nothing.
 *
 * poll: EPOLLIN while there are packets, EPOLLOUT while the queue is not nearly
 * full, EPOLLERR for who is not the owner. EPOLLOUT does not promise room for
 * each packet: one that is larger than what is left under max_bytes is refused.
 *
 * mmap: ENODEV.
 *
 * Errors: EBADF (@pool_fd is not open), EINVAL (it is not a mapped pool;
 * @near_full), ENFILE, EMFILE.
 */
struct secbuf_conn_create_args {
	__u32 size;
	__u32 flags;
	__s32 pool_fd;
	__s32 out_fd;
	__u32 max_packets;
	__u32 max_bytes;
	__u32 max_streams;
	__u32 idle_ms;
	__u32 near_full;
	__u32 waste_factor;
	__u32 waste_min;
	__u32 __reserved;
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
 * @out_word: what its struct secbuf_slot_word.state is: BUSY, and the tag
 * @out_id: the pool's slot that is this buffer
 * @out_slot_size: its size in bytes
 *
 * Grants the buffer, zero, if the conn does not have it, makes it busy if the
 * conn has it, and tells where it is.
 *
 * Errors: EINVAL (@which), ENOSPC (the pool's limit), ENOMEM, EDQUOT.
 */
struct secbuf_conn_buffer_args {
	__u32 size;
	__u32 flags;
	__u32 which;
	__u32 out_word;
	__aligned_u64 out_id;
	__aligned_u64 out_slot_size;
};

#define SECBUF_CONN_BUFFER_ARGS_SIZE_VER0	32

/**
 * struct secbuf_conn_plain_args - commands on a conn that have no parameters
 * @size: sizeof(struct secbuf_conn_plain_args)
 * @flags: must be 0
 *
 * ioctl(SECBUF_IOC_CONN_ZEROIZE): zeroizes all that the conn has, returns its
 * slots to the pool and resets its rings, which leave it, also when another
 * descriptor of the conn stays open elsewhere. The conn can be used again, with
 * the limits it has.
 *
 * ioctl(SECBUF_IOC_CONN_RESET): the same, but the read and the write buffer,
 * zeroized, stay as they are; those that are wasteful and not busy do not. For
 * the next connection.
 *
 * ioctl(SECBUF_IOC_CONN_TOUCH): is activity. Every command but CONN_STATS and
 * CONN_SHRINK is, and read() and write() are; this is for programs that do all
 * their work in memory.
 */
struct secbuf_conn_plain_args {
	__u32 size;
	__u32 flags;
};

#define SECBUF_CONN_PLAIN_ARGS_SIZE_VER0	8

/* How much CONN_SHRINK takes. */
enum secbuf_conn_shrink {
	SECBUF_CONN_SHRINK_WASTEFUL	= 0,
	SECBUF_CONN_SHRINK_IDLE		= 1,
};

/**
 * struct secbuf_conn_shrink_args - ioctl(SECBUF_IOC_CONN_SHRINK) on a conn
 * @size: sizeof(struct secbuf_conn_shrink_args)
 * @flags: must be 0
 * @level: SECBUF_CONN_SHRINK_WASTEFUL: buffers that are wasteful and not busy.
 *         SECBUF_CONN_SHRINK_IDLE: all that are not busy, and the memory of
 *         rings that are empty and parked
 * @__reserved: must be 0
 * @out_bytes: bytes given back: of slots, to the pool; of rings, freed
 *
 * Does now what is done by itself when a conn was not used for its idle time or
 * memory is short. What is in use is never taken.
 *
 * Errors: EINVAL (@level).
 */
struct secbuf_conn_shrink_args {
	__u32 size;
	__u32 flags;
	__u32 level;
	__u32 __reserved;
	__aligned_u64 out_bytes;
};

#define SECBUF_CONN_SHRINK_ARGS_SIZE_VER0	24

/**
 * struct secbuf_conn_packet - a packet
 * @ptr: where the bytes are or go; with SECBUF_CONN_F_MOVE the slot's id
 * @len: bytes; of CONN_DEQUEUE, without SECBUF_CONN_F_MOVE, as input the room at
 *       @ptr
 * @__reserved: must be 0
 */
struct secbuf_conn_packet {
	__aligned_u64 ptr;
	__u32 len;
	__u32 __reserved;
};

/* A slot changes hands instead of being copied. */
#define SECBUF_CONN_F_MOVE		(1U << 0)

/**
 * struct secbuf_conn_queue_args - ioctl(SECBUF_IOC_CONN_ENQUEUE) and
 *                                 ioctl(SECBUF_IOC_CONN_DEQUEUE) on a conn
 * @size: sizeof(struct secbuf_conn_queue_args)
 * @flags: 0 or SECBUF_CONN_F_MOVE
 * @packets_ptr: array of @nr struct secbuf_conn_packet; 0 for one packet, @packet
 * @nr: entries of the array, 1 to out_batch_max of INFO; 0 if @packets_ptr is 0
 * @out_done: entries completed, on success. It stops at the first that cannot
 *            be, and when out_batch_bytes_max is reached
 * @packet: the packet, if there is no array. Of CONN_DEQUEUE, output
 *
 * CONN_ENQUEUE puts packets behind those in the queue, as a whole or not at all:
 * one that is refused stays with the caller, and the queue as it is. Without
 * SECBUF_CONN_F_MOVE the bytes are copied into a new slot. With it, @ptr is a
 * slot that was granted to the caller by POOL_ALLOC through the descriptor that
 * the conn was made with. It is the conn's then, zeroized in it when it is taken
 * out by copy, and mapped as before: who writes to it all the same changes what
 * the taker finds, who should copy before he parses. What was sent of a packet
 * is not taken out: it begins with the rest.
 *
 * CONN_DEQUEUE takes the first packets. Without SECBUF_CONN_F_MOVE they are
 * copied to @ptr, their slots zeroized and returned to the pool. With it, @ptr
 * becomes the slot, which is the caller's as if he had it from POOL_ALLOC, with
 * what is in it.
 *
 * Errors, of the first packet: ENOBUFS (CONN_ENQUEUE: max_packets is reached),
 * EOVERFLOW (it would exceed max_bytes), EMSGSIZE (it is larger than a slot or
 * than max_bytes; CONN_DEQUEUE: larger than the room, and it stays), EINVAL
 * (@len is 0; no such slot), ENOENT (the slot is not the caller's), EBUSY (it is
 * that of a conn already), EAGAIN (CONN_DEQUEUE: the queue is empty), EFAULT,
 * ENOSPC, ENOMEM, EDQUOT.
 */
struct secbuf_conn_queue_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 packets_ptr;
	__u32 nr;
	__u32 out_done;
	struct secbuf_conn_packet packet;
};

#define SECBUF_CONN_QUEUE_ARGS_SIZE_VER0	40

/**
 * struct secbuf_conn_send_args - ioctl(SECBUF_IOC_CONN_SEND) on a conn
 * @size: sizeof(struct secbuf_conn_send_args)
 * @flags: must be 0
 * @sock_fd: a socket
 * @max_packets: most packets to send; 0 for all that there are
 * @out_packets: packets that were sent whole
 * @__reserved: must be 0
 * @out_bytes: bytes that were sent
 *
 * Sends the queue, from the slots where it is, and never sleeps: to a stream as
 * much as it takes, otherwise a message for each packet. What was sent is
 * zeroized, and the slot returned. Of a packet that a stream took a part of, the
 * rest stays at the head of the queue. While a packet is being sent, nobody else
 * takes it out; CONN_ZEROIZE and CONN_RESET zeroize it, and nothing of it stays.
 * There is no SIGPIPE.
 *
 * Errors, when not a byte could be sent: EBADF, ENOTSOCK, EAGAIN (the socket is
 * full, or the queue is empty), EBUSY (another thread is sending), and what
 * sendmsg() returns: EPIPE, ECONNRESET, EMSGSIZE...
 */
struct secbuf_conn_send_args {
	__u32 size;
	__u32 flags;
	__s32 sock_fd;
	__u32 max_packets;
	__u32 out_packets;
	__u32 __reserved;
	__aligned_u64 out_bytes;
};

#define SECBUF_CONN_SEND_ARGS_SIZE_VER0		32

/**
 * struct secbuf_conn_stream_args - ioctl(SECBUF_IOC_CONN_STREAM_ADD) and
 *                                  ioctl(SECBUF_IOC_CONN_STREAM_DEL) on a conn
 * @size: sizeof(struct secbuf_conn_stream_args)
 * @flags: must be 0
 * @ring_fd: an end of a ring that the caller has created
 * @__reserved: must be 0
 *
 * The ring belongs to the conn, or does not any more. That keeps neither of the
 * descriptors open: when both ends of the ring are gone, it is gone from the
 * conn as well.
 *
 * Errors: EBADF, EINVAL (@ring_fd is not a ring), EPERM (not its creator),
 * ESHUTDOWN (it was reset), EEXIST (it belongs to a conn already), ENOBUFS
 * (max_streams is reached), ENOENT (CONN_STREAM_DEL: it is not this conn's).
 */
struct secbuf_conn_stream_args {
	__u32 size;
	__u32 flags;
	__s32 ring_fd;
	__u32 __reserved;
};

#define SECBUF_CONN_STREAM_ARGS_SIZE_VER0	16

/**
 * struct secbuf_conn_usage - memory for one purpose; the difference is wasted
 * @allocated: bytes of memory that there are
 * @used: bytes of these that have something in them
 */
struct secbuf_conn_usage {
	__aligned_u64 allocated;
	__aligned_u64 used;
};

#define SECBUF_CONN_IDLE		(1U << 0)	/* for its idle time */
#define SECBUF_CONN_PROBLEMATIC		(1U << 1)
#define SECBUF_CONN_NEAR_FULL		(1U << 2)

/**
 * struct secbuf_conn_stats_args - ioctl(SECBUF_IOC_CONN_STATS) on a conn
 * @size: sizeof(struct secbuf_conn_stats_args)
 * @flags: must be 0
 * @out_read: the read buffer
 * @out_write: the write buffer
 * @out_streams: all rings
 * @out_queue: the packets
 * @out_total: all of these
 * @out_idle_ns: nanoseconds since the last activity that the kernel knows of; 0
 *               while a buffer is busy
 * @out_efficiency: permille of the total that is used; 1000 if there is nothing
 * @out_status: SECBUF_CONN_IDLE and so on. SECBUF_CONN_PROBLEMATIC: less than
 *              half is used, or it is idle and more than 1 MiB is wasted
 * @out_nr_packets: packets in the queue
 * @out_peak_packets: most that there ever were
 * @out_max_packets: the limit in force
 * @out_max_bytes: the limit in force
 * @out_nr_streams: rings
 * @out_max_streams: the limit in force
 * @out_enqueued: packets that were put in so far
 * @out_dequeued: packets that were taken out or sent so far
 * @out_refused: packets that were refused because of a limit of the queue
 * @out_granted: slots granted as read or write buffer so far
 * @out_reclaimed: of these, taken back because they were idle
 *
 * Of a buffer, what is used is what its struct secbuf_slot_word says while it is
 * busy. Does not count as activity.
 */
struct secbuf_conn_stats_args {
	__u32 size;
	__u32 flags;
	struct secbuf_conn_usage out_read;
	struct secbuf_conn_usage out_write;
	struct secbuf_conn_usage out_streams;
	struct secbuf_conn_usage out_queue;
	struct secbuf_conn_usage out_total;
	__aligned_u64 out_idle_ns;
	__u32 out_efficiency;
	__u32 out_status;
	__u32 out_nr_packets;
	__u32 out_peak_packets;
	__u32 out_max_packets;
	__u32 out_max_bytes;
	__u32 out_nr_streams;
	__u32 out_max_streams;
	__aligned_u64 out_enqueued;
	__aligned_u64 out_dequeued;
	__aligned_u64 out_refused;
	__aligned_u64 out_granted;
	__aligned_u64 out_reclaimed;
};

#define SECBUF_CONN_STATS_ARGS_SIZE_VER0	168

/**
 * DOC: Rings
 *
 * A ring is a circular buffer of bytes with one producer and one consumer, each
 * a descriptor of its own, called the ends of the ring. What was consumed is
 * zeroized before the producer can use the space again.
 *
 * Both ends can be used by read() and write(), without mapping anything; or
 * mapped, and then bytes move without system calls as long as nobody sleeps.
 * Both ways can be mixed. An end is meant for one thread at a time; threads
 * that share an end must take turns, whichever way they use it. poll,
 * RING_NOTIFY without SECBUF_RING_NOTIFY_F_WAIT, RING_STATS, RING_SHRINK,
 * RING_RESET and RING_CLOSE may be called at any time.
 *
 * Mapping
 *
 * Of each end three ranges can be mapped, MAP_SHARED, each as a whole:
 *
 *  offset			length		producer	consumer
 *  SECBUF_RING_MMAP_DATA	2 * ring_size	read, write	read, write
 *  SECBUF_RING_MMAP_HEAD	1 page		read, write	-
 *				2 pages		-		read
 *  SECBUF_RING_MMAP_TAIL	1 page		-		read, write
 *				2 pages		read		-
 *
 * Less than these protections may be asked for. The data comes twice in a row:
 * whatever begins in the first half and is no longer than the ring is
 * contiguous. At SECBUF_RING_MMAP_HEAD lies struct secbuf_ring_head, written by
 * the producer; at SECBUF_RING_MMAP_TAIL struct secbuf_ring_tail, written by
 * the consumer. Behind the page of the other end lies a second page, struct
 * secbuf_ring_status, written by the kernel. All of them may be mapped more
 * than once; it is the same memory. The memory of the data is allocated when it
 * is first touched.
 *
 * mmap errors: EINVAL (another offset or length, MAP_PRIVATE), EPERM
 * (PROT_EXEC, PROT_WRITE of what the other end writes, or not the owner of the
 * end), ESHUTDOWN (reset, or the end is closed or its owner dead), ENOMEM,
 * EAGAIN (as of POOL_CREATE). mprotect to more than was mapped: EACCES; munmap
 * of a part and mremap: EINVAL.
 *
 * Positions
 *
 * secbuf_ring_head.head counts the bytes ever produced, secbuf_ring_tail.tail
 * those ever consumed. Both begin at 0, never decrease, and are not wrapped:
 * byte p lies at p & (ring_size - 1) of the data. head - tail bytes are used. A
 * side writes its own position only, and reads its own from where it likes, as
 * nobody else writes it, but for read() and write() on the same end.
 *
 * Producer: load tail (acquire); if head - tail > ring_size, the consumer broke
 * the protocol, see below; the space is ring_size - (head - tail). Write the
 * bytes from head on. Store head (release).
 *
 * Consumer: load head (acquire); if head - tail > ring_size, the producer broke
 * the protocol. Use the bytes from tail on; the producer can change them at any
 * time, so what decides anything is to be copied first and checked then.
 * Zeroize them. Store tail (release).
 *
 * Records
 *
 * With SECBUF_RING_F_RECORDS the bytes are records: a __u32 in the byte order
 * of the machine, the length of the payload, at least 1; the payload; and zeros
 * up to the next multiple of SECBUF_RING_RECORD_ALIGN. Positions are multiples
 * of SECBUF_RING_RECORD_ALIGN and lie between records. A length that is 0, or
 * with which the record would not end at or before head, breaks the protocol.
 *
 * Sleeping and waking
 *
 * A side that finds nothing to do sleeps in the kernel: in RING_NOTIFY with
 * SECBUF_RING_NOTIFY_F_WAIT, in poll, in read() or in write(). The kernel then
 * writes for it, in its page, wake_pos and after that need_wake, 1. The other
 * side looks there each time after it has stored its position:
 *
 *	store position (release)
 *	compiler barrier
 *	if (need_wake (load acquire) && (__s64)(position - wake_pos) >= 0)
 *		RING_NOTIFY
 *
 * where need_wake and wake_pos are those of the other's page. A compiler
 * barrier is enough, and no fence instruction is needed, on any machine:
 * between writing need_wake and looking at the positions for the last time the
 * kernel makes every CPU that runs the other side pass a full barrier. So
 * either the position was seen before sleeping, or need_wake is seen after
 * storing the position.
 *
 * RING_NOTIFY clears need_wake and wakes. Programs never write need_wake and
 * wake_pos. A side that was woken early by another reason leaves them set,
 * which costs the other one RING_NOTIFY in vain.
 *
 * Edge triggered epoll does not ask again after it has reported an event.
 * Before a side waits in it, it must have got EAGAIN from read() or write(), or
 * ETIMEDOUT from RING_NOTIFY with SECBUF_RING_NOTIFY_F_WAIT and a timeout of 0,
 * which set need_wake. Level triggered epoll, poll and select set it by
 * themselves.
 *
 * Parking
 *
 * Memory of an empty ring can be taken back, but not while the producer is
 * writing what it has not published, which nobody sees. secbuf_ring_head.state
 * tells:
 *
 *  SECBUF_RING_PARKED	the producer will not touch the data before it has
 *			changed this
 *  SECBUF_RING_BUSY	it may touch it at any time
 *  SECBUF_RING_GONE	it was parked, and the kernel takes the memory or has
 *			done so
 *
 * A ring begins parked. Before the producer touches the data it looks at state:
 * if that is BUSY, it may. If not, it changes PARKED to BUSY by compare and
 * exchange (acquire); and when that fails because it is GONE, calls
 * RING_UNPARK, which waits until the kernel has done and makes it BUSY. To park
 * it stores PARKED (release), when it has nothing reserved and state is BUSY,
 * usually before it sleeps. It must not store PARKED again when it is parked
 * already: that could overwrite GONE. write() need not care. The consumer has
 * nothing to do: what it consumed it has zeroized before it stored tail, and
 * then it must not touch it any more.
 *
 * The kernel changes PARKED to GONE, and then unmaps and frees the memory, only
 * while head is tail. It does so on RING_SHRINK, when memory is short, and when
 * the ring was not used for a while; the latter two not with
 * SECBUF_RING_F_POPULATE.
 *
 * Owners
 *
 * Both ends belong to the process that created the ring, as described above.
 * Others get EPERM. With SECBUF_RING_F_PASSABLE, who got a descriptor of an
 * end, by SCM_RIGHTS or by fork, may take it over by RING_CLAIM, once. From
 * then on it belongs to the process that did, and dies with it.
 *
 * The end of an end
 *
 * An end is gone when its last descriptor is closed and its last mapping
 * unmapped, by RING_CLOSE, and when its owner dies. Its mappings are removed;
 * touching them is SIGBUS. secbuf_ring_status.flags tells the other side, poll
 * reports EPOLLHUP, and who sleeps is woken.
 *
 * When the producer is gone, what it had published can still be consumed;
 * everything else is zeroized at once. After the last byte read() returns 0 and
 * waiting is EPIPE.
 *
 * When the consumer is gone, everything is zeroized at once and its memory
 * freed. write(), waiting and RING_NOTIFY are EPIPE; there is no SIGPIPE. The
 * mapping of the producer stays: what it writes there goes to one page that
 * nobody else sees and that is zeroized when the producer is gone.
 *
 * Breaking
 *
 * A position or a record that cannot be breaks the ring, whoever finds it: the
 * kernel in whatever call, or a program, which tells it by
 * SECBUF_RING_NOTIFY_F_BROKEN. SECBUF_RING_BROKEN is set, and every call that
 * would move bytes or wait is EPROTO, until the ring is reset. poll reports
 * EPOLLERR.
 */

/* Records instead of bytes. */
#define SECBUF_RING_F_RECORDS		(1U << 0)

/* Allocate all memory now, and keep it until RING_SHRINK. */
#define SECBUF_RING_F_POPULATE		(1U << 1)

/* Who gets a descriptor of an end may claim it. */
#define SECBUF_RING_F_PASSABLE		(1U << 2)

/* Bytes of a ring; at least a page. */
#define SECBUF_RING_SIZE_MIN		4096
#define SECBUF_RING_SIZE_MAX		(64U << 20)

/* Records begin at multiples of that. */
#define SECBUF_RING_RECORD_ALIGN	4

#define SECBUF_RING_MMAP_DATA		0
#define SECBUF_RING_MMAP_HEAD		(1ULL << 40)
#define SECBUF_RING_MMAP_TAIL		(1ULL << 41)

enum secbuf_ring_state {
	SECBUF_RING_PARKED	= 0,
	SECBUF_RING_BUSY	= 1,
	SECBUF_RING_GONE	= 2,
};

/**
 * struct secbuf_ring_head - the page of the producer
 * @head: bytes ever produced; written by the producer
 * @need_wake: the producer sleeps or polls; written by the kernel
 * @state: enum secbuf_ring_state; written by the producer, and by the kernel
 *         from SECBUF_RING_PARKED to SECBUF_RING_GONE
 * @wake_pos: the tail that it waits for; written by the kernel
 * @__pad0: keeps @head in a cache line of its own
 * @__pad1: 0
 */
struct secbuf_ring_head {
	__aligned_u64 head;
	__aligned_u64 __pad0[15];
	__u32 need_wake;
	__u32 state;
	__aligned_u64 wake_pos;
	__aligned_u64 __pad1[14];
};

/**
 * struct secbuf_ring_tail - the page of the consumer
 * @tail: bytes ever consumed; written by the consumer
 * @need_wake: the consumer sleeps or polls; written by the kernel
 * @__reserved: 0
 * @wake_pos: the head that it waits for; written by the kernel
 * @__pad0: keeps @tail in a cache line of its own
 * @__pad1: 0
 */
struct secbuf_ring_tail {
	__aligned_u64 tail;
	__aligned_u64 __pad0[15];
	__u32 need_wake;
	__u32 __reserved;
	__aligned_u64 wake_pos;
	__aligned_u64 __pad1[14];
};

/* Somebody broke the protocol. */
#define SECBUF_RING_BROKEN		(1U << 0)

/* RING_RESET was called. */
#define SECBUF_RING_RESET_DONE		(1U << 1)

#define SECBUF_RING_PRODUCER_GONE	(1U << 2)
#define SECBUF_RING_CONSUMER_GONE	(1U << 3)

/**
 * struct secbuf_ring_status - what the kernel says of a ring
 * @flags: SECBUF_RING_BROKEN and so on; bits are set and never cleared. What a
 *         side needs to look at besides the positions: while it is 0 there is
 *         nothing to know
 * @__reserved: 0
 *
 * Where a status and a position disagree, the status is right: after a reset
 * the other pages can be anything.
 */
struct secbuf_ring_status {
	__u32 flags;
	__u32 __reserved[15];
};

/**
 * struct secbuf_ring_create_args - ioctl(SECBUF_IOC_RING_CREATE) on /dev/secbuf
 * @size: sizeof(struct secbuf_ring_create_args)
 * @flags: SECBUF_RING_F_*
 * @ring_size: bytes, a power of two, from SECBUF_RING_SIZE_MIN, and at least a
 *             page, to SECBUF_RING_SIZE_MAX
 * @require: SECBUF_PROT_* without which the ring is not to be created
 * @out_protections: SECBUF_PROT_* that hold for this ring
 * @out_producer_fd: the producer end
 * @out_consumer_fd: the consumer end
 *
 * The whole ring counts against the ceilings on bytes as long as one of its
 * ends exists, so that touching it cannot fail for them. Its memory is charged
 * to the memory cgroup of the creator when it is first touched, by whichever
 * end. If that is full then, write() returns ENOMEM; and memory that a program
 * touches is charged to him who does, as any that he touches, which can end in
 * the OOM killer of his own memory cgroup.
 *
 * read() on the consumer end, and readv(): zeroizes what it has copied out.
 * Bytes: as many as there are and fit. Records: one record, the payload without
 * its length; EMSGSIZE if it does not fit, and it stays. Sleeps while the ring
 * is empty, unless O_NONBLOCK: EAGAIN. 0: the producer is gone and the ring
 * empty. EPROTO, EINTR (as of pipes: not if the handler has SA_RESTART or there
 * is none), EFAULT, EBUSY (another thread is consuming). EINVAL on the producer
 * end.
 *
 * write() on the producer end, and writev(): Bytes: sleeps until all are
 * written; with O_NONBLOCK as many as fit, or EAGAIN if none. A signal, an
 * error or the end of the consumer in the middle make it return how many were
 * written. Records: makes a record of it, whole or not at all; EMSGSIZE if it
 * can never fit. Writing 0 bytes does nothing. EPIPE, EPROTO, EINTR (likewise),
 * EFAULT, ENOMEM, EBUSY. EINVAL on the consumer end. The bytes may come from, or
 * go to, mappings of the ring itself.
 *
 * poll: consumer: EPOLLIN when there is something to read; producer: EPOLLOUT
 * when there is space; but after a call on this end was refused with EAGAIN or
 * ETIMEDOUT, only when there is as much as it asked for. EPOLLHUP when the
 * other end is gone, for a producer with EPOLLOUT, since write() would not
 * sleep; EPOLLERR when the ring is broken, both when it is reset or this end
 * closed, EPOLLERR for who is not the owner.
 *
 * ioctl(FIONREAD): on both ends, the bytes used; of records, the payload of the
 * next one, or 0; 0 when the consumer is gone. EPROTO, EFAULT, EBUSY (another
 * thread is consuming).
 *
 * Errors: EINVAL (@ring_size), EOPNOTSUPP (something in @require does not
 * hold), ENFILE, EMFILE. Either both descriptors are made or none.
 */
struct secbuf_ring_create_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 ring_size;
	__aligned_u64 require;
	__aligned_u64 out_protections;
	__s32 out_producer_fd;
	__s32 out_consumer_fd;
};

#define SECBUF_RING_CREATE_ARGS_SIZE_VER0	40

/* Then sleep until there is something to do for this side. */
#define SECBUF_RING_NOTIFY_F_WAIT	(1U << 0)

/* The other side broke the protocol: mark the ring. */
#define SECBUF_RING_NOTIFY_F_BROKEN	(1U << 1)

/* Sleep without end. */
#define SECBUF_RING_TIMEOUT_NONE	(~0ULL)

/**
 * struct secbuf_ring_notify_args - ioctl(SECBUF_IOC_RING_NOTIFY) on an end
 * @size: sizeof(struct secbuf_ring_notify_args)
 * @flags: SECBUF_RING_NOTIFY_F_*
 * @min: with SECBUF_RING_NOTIFY_F_WAIT, bytes that must be readable, for the
 *       consumer, or writable, for the producer; up to the size of the ring, 0
 *       is taken as 1. Without it 0
 * @timeout_ns: with SECBUF_RING_NOTIFY_F_WAIT, nanoseconds to sleep at most; 0
 *              to look only, but to be told by need_wake and poll afterwards;
 *              others are rounded up to ticks of the kernel's clock;
 *              SECBUF_RING_TIMEOUT_NONE for no limit. Without it 0
 * @out_amount: bytes that are readable or writable now, of which there are at
 *              least @min; without SECBUF_RING_NOTIFY_F_WAIT whatever there is
 *
 * Wakes the other side if it sleeps, and clears its need_wake. With
 * SECBUF_RING_NOTIFY_F_WAIT then waits for it, in the same call. With
 * SECBUF_RING_NOTIFY_F_BROKEN, which goes with no other flag, marks the ring as
 * broken, and succeeds.
 *
 * Errors: EINVAL (@min or @timeout_ns), ETIMEDOUT, EINTR, EPROTO, EPIPE (the
 * other end is gone; for the consumer that waits: and there are less than @min
 * bytes left), EBUSY (other threads of this side keep moving its position).
 */
struct secbuf_ring_notify_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 min;
	__aligned_u64 timeout_ns;
	__aligned_u64 out_amount;
};

#define SECBUF_RING_NOTIFY_ARGS_SIZE_VER0	32

/**
 * struct secbuf_ring_plain_args - commands on an end that have no parameters
 * @size: sizeof(struct secbuf_ring_plain_args)
 * @flags: must be 0
 *
 * ioctl(SECBUF_IOC_RING_RESET), on any end, by the creator of the ring, also
 * when others have claimed its ends: everything is zeroized and its memory
 * freed. Afterwards every call on either end is ESHUTDOWN, but RING_INFO,
 * RING_STATS, RING_CLOSE and RING_RESET, which does nothing then. Mappings
 * stay, and show for each end pages that nobody else sees, so that no program
 * dies of it. Errors: EPERM (not the creator).
 *
 * ioctl(SECBUF_IOC_RING_CLAIM), on an end of a ring with
 * SECBUF_RING_F_PASSABLE: it belongs to the caller from now on. The former
 * owner gets EPERM; who sleeps in a call of his is woken and gets it, too.
 * Errors: EPERM (not passable, or claimed by another), EALREADY (it is the
 * caller's already), EBUSY (its owner has it mapped, or a call of his is moving
 * bytes), ESHUTDOWN (its owner is dead, or it is closed, or reset).
 *
 * ioctl(SECBUF_IOC_RING_CLOSE), on an end: it is gone, as if this was its last
 * descriptor and nothing was mapped, whoever else holds one. Every call on it
 * is ESHUTDOWN from now on, but RING_INFO, RING_STATS, RING_CLOSE, which does
 * nothing then, and, by the creator, RING_RESET.
 *
 * ioctl(SECBUF_IOC_RING_UNPARK), on the producer end: waits until the kernel
 * has finished taking memory, and makes the state SECBUF_RING_BUSY. Errors:
 * EPROTO, EPIPE, ENOTTY (the consumer end).
 */
struct secbuf_ring_plain_args {
	__u32 size;
	__u32 flags;
};

#define SECBUF_RING_PLAIN_ARGS_SIZE_VER0	8

/**
 * struct secbuf_ring_shrink_args - ioctl(SECBUF_IOC_RING_SHRINK) on an end
 * @size: sizeof(struct secbuf_ring_shrink_args)
 * @flags: must be 0
 * @out_bytes: bytes of memory that were freed; can be 0
 *
 * Takes the memory of the data back if the ring is empty, and either parked or
 * the producer gone. It comes back when it is touched. When the consumer is
 * gone there is none.
 *
 * Errors: EBUSY (not empty, not parked, or a call is moving bytes), EPROTO.
 */
struct secbuf_ring_shrink_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_bytes;
};

#define SECBUF_RING_SHRINK_ARGS_SIZE_VER0	16

enum secbuf_ring_end_nr {
	SECBUF_RING_END_PRODUCER	= 0,
	SECBUF_RING_END_CONSUMER	= 1,
	SECBUF_RING_END_NR
};

/**
 * struct secbuf_ring_info_args - ioctl(SECBUF_IOC_RING_INFO) on an end
 * @size: sizeof(struct secbuf_ring_info_args)
 * @flags: must be 0
 * @out_ring_size: as of RING_CREATE
 * @out_protections: as of RING_CREATE
 * @out_flags: SECBUF_RING_F_* that the ring was created with
 * @out_end: which end this is, enum secbuf_ring_end_nr
 *
 * Of a passable ring anyone who has the descriptor may ask; he needs it to know
 * what to claim.
 */
struct secbuf_ring_info_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_ring_size;
	__aligned_u64 out_protections;
	__u32 out_flags;
	__u32 out_end;
};

#define SECBUF_RING_INFO_ARGS_SIZE_VER0		32

/**
 * struct secbuf_ring_stats_args - ioctl(SECBUF_IOC_RING_STATS) on an end
 * @size: sizeof(struct secbuf_ring_stats_args)
 * @flags: must be 0
 * @out_status: flags of struct secbuf_ring_status
 * @out_state: enum secbuf_ring_state
 * @out_produced: bytes ever produced: head
 * @out_consumed: bytes ever consumed: tail
 * @out_bytes: bytes of memory that the data has now
 * @out_peak_bytes: most that it ever had at once
 * @out_bytes_zeroized: bytes that the kernel zeroized; what a program consumed
 *                      by itself is in @out_consumed
 * @out_notifies: RING_NOTIFY that were called
 * @out_sleeps: times that a call went to sleep, both ends
 * @out_wakes: times that an end was woken
 * @out_faults: times that memory was mapped
 * @out_shrinks: times that memory was taken back
 * @out_idle_ns: nanoseconds since the kernel last saw the ring used, but for a
 *               tick of its clock. It sees RING_NOTIFY, what read() and write()
 *               move, and the end of an end, and looks at the positions now and
 *               then
 *
 * The positions are what the ends say, and are not checked.
 */
struct secbuf_ring_stats_args {
	__u32 size;
	__u32 flags;
	__u32 out_status;
	__u32 out_state;
	__aligned_u64 out_produced;
	__aligned_u64 out_consumed;
	__aligned_u64 out_bytes;
	__aligned_u64 out_peak_bytes;
	__aligned_u64 out_bytes_zeroized;
	__aligned_u64 out_notifies;
	__aligned_u64 out_sleeps;
	__aligned_u64 out_wakes;
	__aligned_u64 out_faults;
	__aligned_u64 out_shrinks;
	__aligned_u64 out_idle_ns;
};

#define SECBUF_RING_STATS_ARGS_SIZE_VER0	104

#endif /* _UAPI_LINUX_SECBUF_H */
