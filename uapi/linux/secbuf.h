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
 * even while somebody holds the address space. If the process had closed the
 * descriptor and kept the mapping, that is when the last user of the address
 * space lets go.
 *
 * Processes that share the address space may use the object. Others get EPERM,
 * and EPOLLERR from poll: a child made by fork, and who received the descriptor.
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
	SECBUF_CMD_POOL_SHRINK	= 0x0a,
	SECBUF_CMD_POOL_STATS	= 0x0b,
	SECBUF_CMD_POOL_READ	= 0x0c,
	SECBUF_CMD_POOL_WRITE	= 0x0d,

	SECBUF_CMD_CONN_BUFFER	= 0x18,	/* on a conn */
	SECBUF_CMD_CONN_ZEROIZE	= 0x1b,
};

#define SECBUF_IOC_INFO		_IO(SECBUF_IOC_TYPE, SECBUF_CMD_INFO)
#define SECBUF_IOC_POOL_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_CREATE)
#define SECBUF_IOC_CONN_CREATE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_CREATE)
#define SECBUF_IOC_POOL_ALLOC	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_ALLOC)
#define SECBUF_IOC_POOL_FREE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_FREE)
#define SECBUF_IOC_POOL_SHRINK	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_SHRINK)
#define SECBUF_IOC_POOL_STATS	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_STATS)
#define SECBUF_IOC_POOL_READ	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_READ)
#define SECBUF_IOC_POOL_WRITE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_POOL_WRITE)
#define SECBUF_IOC_CONN_BUFFER	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_BUFFER)
#define SECBUF_IOC_CONN_ZEROIZE	_IO(SECBUF_IOC_TYPE, SECBUF_CMD_CONN_ZEROIZE)

/* Features: objects that this kernel offers. */
#define SECBUF_FEAT_POOL_MAPPED		(1ULL << 0)
#define SECBUF_FEAT_CONN		(1ULL << 1)
#define SECBUF_FEAT_POOL		(1ULL << 2)	/* kernel-held */

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
 * @__reserved: 0
 * @out_bytes_max: ceiling on the bytes of all users
 * @out_user_bytes_max: ceiling on the bytes of one user
 * @out_bytes: bytes in use now by all users
 * @out_user_bytes: bytes in use now by the calling user
 *
 * Bytes count the pages of granted slots, the buffers of kernel-held pools,
 * parked ones included, and a few KiB of kernel memory for each object, which
 * stay until its last descriptor is closed.
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

/* Largest buffer of a kernel-held pool, in bytes. */
#define SECBUF_POOL_BUF_SIZE_MAX	65536

/**
 * struct secbuf_pool_create_args - ioctl(SECBUF_IOC_POOL_CREATE) on /dev/secbuf
 * @size: sizeof(struct secbuf_pool_create_args)
 * @flags: SECBUF_POOL_F_MAPPED, or 0 for a kernel-held pool
 * @slot_size: bytes per slot, from 1 to out_slot_size_max of INFO; of a
 *             kernel-held pool to SECBUF_POOL_BUF_SIZE_MAX
 * @max_slots: most slots that can be granted at once; a limit as described
 *             above, default SECBUF_POOL_MAX_SLOTS_DEFAULT
 * @min_slots: buffers of a kernel-held pool that are allocated now and stay
 *             when memory is short, from 0 to the limit in force; 0 for a
 *             mapped pool
 * @out_slot_size: @slot_size rounded up to a power of two, at least
 *                 out_slot_size_min of INFO: what a slot takes, and in a
 *                 mapping the distance between two
 * @out_mmap_size: length of the mapping in bytes; 0 for a kernel-held pool
 * @out_max_slots: the limit in force
 * @out_fd: the pool
 *
 * A mapped pool's descriptor is mapped once, from offset 0, @out_mmap_size
 * bytes, MAP_SHARED, PROT_READ or PROT_READ | PROT_WRITE. Slot id begins at
 * id * @out_slot_size. Memory is allocated when a slot is granted; touching a
 * slot that is not granted is SIGBUS, unless it shares a page with one that is.
 *
 * mmap errors: EINVAL (another offset or length, MAP_PRIVATE), EPERM
 * (PROT_EXEC, or not the owner), ESHUTDOWN, EAGAIN (mlockall(MCL_FUTURE) is in
 * force and RLIMIT_MEMLOCK would be exceeded). Page tables are allocated and
 * charged when the mapping is first touched, as for any memory.
 *
 * The slots of a kernel-held pool, called buffers, stay in the kernel.
 * POOL_READ and POOL_WRITE copy bytes out and in, of the @slot_size bytes asked
 * for and not of what they were rounded up to. Their ids are opaque: each is
 * given once in the life of the pool, and 0 never. Buffers that were freed are
 * kept for the next POOL_ALLOC; the kernel takes those beyond @min_slots when
 * memory is short. mmap: ENODEV.
 *
 * Errors: EINVAL (@slot_size, @max_slots or @min_slots is out of range),
 * ENFILE, EMFILE.
 */
struct secbuf_pool_create_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 slot_size;
	__u32 max_slots;
	__u32 min_slots;
	__aligned_u64 out_slot_size;
	__aligned_u64 out_mmap_size;
	__u32 out_max_slots;
	__s32 out_fd;
};

#define SECBUF_POOL_CREATE_ARGS_SIZE_VER0	48

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

/* Take back whatever is granted. Kernel-held pools only. */
#define SECBUF_POOL_FREE_F_ALL		(1U << 0)

/**
 * struct secbuf_pool_free_args - ioctl(SECBUF_IOC_POOL_FREE) on a pool
 * @size: sizeof(struct secbuf_pool_free_args)
 * @flags: 0 or SECBUF_POOL_FREE_F_ALL
 * @ids_ptr: array of @nr __u64, the ids to take back
 * @nr: entries of the array, 1 to out_batch_max of INFO
 * @out_done: entries completed, on success. It stops at the first id that
 *            cannot be freed and when out_batch_bytes_max is reached
 *
 * With SECBUF_POOL_FREE_F_ALL, @ids_ptr and @nr are 0 and @out_done counts all
 * buffers that were taken back, which can be none. Closing the descriptor does
 * the same only if nobody else, a child for example, holds it.
 *
 * The slot is zeroized before the call returns; a buffer that another thread is
 * reading or writing at that moment, when that call is done with it. The struct
 * must not lie in a slot that is freed.
 *
 * Errors, when the first id cannot be freed: ENOENT (not granted; of a
 * kernel-held pool whatever is not the id of a buffer that is out: freed
 * before, of another pool, out of range), EINVAL (a mapped pool has no such
 * slot), EBUSY (it is the buffer of a conn). EOPNOTSUPP: a mapped pool and
 * SECBUF_POOL_FREE_F_ALL.
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
 * struct secbuf_pool_shrink_args - ioctl(SECBUF_IOC_POOL_SHRINK) on a
 *                                  kernel-held pool
 * @size: sizeof(struct secbuf_pool_shrink_args)
 * @flags: must be 0
 * @nr: most buffers to free, not 0
 * @out_done: buffers freed, on success; can be 0
 *
 * Frees the memory of buffers that are not granted. Those that are and those
 * that stay are together no fewer than min_slots of POOL_CREATE.
 *
 * Errors: EINVAL (@nr is 0), ENOTTY (a mapped pool, which keeps no memory of
 * slots that are not granted).
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
 * @out_magazine_hits: of @out_acquired, from what a CPU keeps at hand
 * @out_depot_hits: of @out_acquired, from what is kept for all CPUs
 * @out_misses: of @out_acquired, freshly allocated; in a mapped pool all
 * @out_leaks: slots that were granted when the owner died. The owner cannot
 *             ask any more: it is in fdinfo, as all of these are
 * @out_bytes: bytes of memory held now
 * @out_bytes_zeroized: bytes zeroized so far
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
 * Errors: EBADF (@pool_fd is not open), EINVAL (it is not a mapped pool),
 * ENFILE, EMFILE.
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
