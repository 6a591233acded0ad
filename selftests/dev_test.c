// SPDX-License-Identifier: GPL-2.0
/*
 * The factory and the dispatch of commands. Every command is given valid
 * arguments with one thing broken; what fails must change nothing.
 */
#include "secbuf_conn.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

enum kind { DEV, POOL, KPOOL, CONN, NR_KINDS };

union command_args {
	struct {
		__u32 size;
		__u32 flags;
	};
	struct secbuf_info_args		info;
	struct secbuf_pool_create_args	pool_create;
	struct secbuf_conn_create_args	conn_create;
	struct secbuf_pool_alloc_args	pool_alloc;
	struct secbuf_pool_free_args	pool_free;
	struct secbuf_pool_stats_args	pool_stats;
	struct secbuf_pool_shrink_args	pool_shrink;
	struct secbuf_pool_copy_args	pool_copy;
	struct secbuf_pool_attach_args	pool_attach;
	struct secbuf_pool_info_args	pool_info;
	struct secbuf_conn_buffer_args	conn_buffer;
	struct secbuf_conn_plain_args	conn_plain;
	struct secbuf_conn_shrink_args	conn_shrink;
	struct secbuf_conn_stats_args	conn_stats;
	struct secbuf_conn_queue_args	conn_queue;
	struct secbuf_conn_send_args	conn_send;
	struct secbuf_conn_stream_args	conn_stream;
};

/* What a command that fails must not change. */
struct state {
	__u64	bytes;
	__u64	pool_bytes[2];
	__u64	byte;		/* of the kernel-held buffer */
	__u32	nr_pools;
	__u32	nr_conns;
	__u32	in_use[2];
	__u32	next_fd;
	__u32	nr_packets;
	__u32	nr_streams;
	__u32	pad;
};

FIXTURE(command)
{
	int			fd[NR_KINDS];
	__u64			ids[NR_KINDS];	/* granted by the set-up */
	__u64			new_id;		/* granted by the test */
	struct secbuf_pool_vec	vec;
	unsigned char		byte;		/* read or written */
	int			sockets[2];
	int			rings[2][2];	/* the second is of the conn */
	union command_args	*args;		/* at the start of two pages */
	struct state		before;
};

FIXTURE_VARIANT(command)
{
	unsigned long	command;
	__u32		size;
	__u32		min_size;	/* of the first version, if less */
	__u32		flags;		/* that are set */
	__u32		more_flags;	/* that the kernel knows besides */
	__u32		reserved;	/* offset of the reserved member */
	__u32		out_done;	/* offset of out_done */
	enum kind	kind;
	bool		answers;	/* has members that the kernel writes */
	bool		both_pools;	/* both kinds of pool have it */
};

FIXTURE_VARIANT_ADD(command, info)
{
	.command = SECBUF_IOC_INFO, .kind = DEV, .answers = true,
	.size = sizeof(struct secbuf_info_args),
};

FIXTURE_VARIANT_ADD(command, pool_create)
{
	.command = SECBUF_IOC_POOL_CREATE, .kind = DEV, .answers = true,
	.size = sizeof(struct secbuf_pool_create_args),
	.flags = SECBUF_POOL_F_MAPPED,
	.more_flags = SECBUF_POOL_F_PASSABLE | SECBUF_POOL_F_GUARD,
	.reserved = offsetof(struct secbuf_pool_create_args, min_slots),
};

FIXTURE_VARIANT_ADD(command, kpool_create)
{
	.command = SECBUF_IOC_POOL_CREATE, .kind = DEV, .answers = true,
	.size = sizeof(struct secbuf_pool_create_args),
	.more_flags = SECBUF_POOL_F_MAPPED | SECBUF_POOL_F_PASSABLE |
		      SECBUF_POOL_F_GUARD,
};

FIXTURE_VARIANT_ADD(command, conn_create)
{
	.command = SECBUF_IOC_CONN_CREATE, .kind = DEV, .answers = true,
	.size = sizeof(struct secbuf_conn_create_args),
	.min_size = SECBUF_CONN_CREATE_ARGS_SIZE_VER0,
	.more_flags = SECBUF_CONN_F_KEEP,
	.reserved = offsetof(struct secbuf_conn_create_args, __reserved),
};

FIXTURE_VARIANT_ADD(command, pool_alloc)
{
	.command = SECBUF_IOC_POOL_ALLOC, .kind = POOL, .answers = true,
	.size = sizeof(struct secbuf_pool_alloc_args),
	.out_done = offsetof(struct secbuf_pool_alloc_args, out_done),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, pool_free)
{
	.command = SECBUF_IOC_POOL_FREE, .kind = POOL, .answers = true,
	.size = sizeof(struct secbuf_pool_free_args),
	.out_done = offsetof(struct secbuf_pool_free_args, out_done),
	.both_pools = true,
	.more_flags = SECBUF_POOL_FREE_F_ALL,
};

FIXTURE_VARIANT_ADD(command, pool_shrink)
{
	.command = SECBUF_IOC_POOL_SHRINK, .kind = POOL, .answers = true,
	.size = sizeof(struct secbuf_pool_shrink_args),
	.out_done = offsetof(struct secbuf_pool_shrink_args, out_done),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, pool_attach)
{
	.command = SECBUF_IOC_POOL_ATTACH, .kind = POOL, .answers = true,
	.size = sizeof(struct secbuf_pool_attach_args),
	.reserved = offsetof(struct secbuf_pool_attach_args, __reserved),
};

FIXTURE_VARIANT_ADD(command, pool_info)
{
	.command = SECBUF_IOC_POOL_INFO, .kind = POOL, .answers = true,
	.size = sizeof(struct secbuf_pool_info_args),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, kpool_info)
{
	.command = SECBUF_IOC_POOL_INFO, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_info_args),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, pool_stats)
{
	.command = SECBUF_IOC_POOL_STATS, .kind = POOL, .answers = true,
	.size = sizeof(struct secbuf_pool_stats_args),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, kpool_alloc)
{
	.command = SECBUF_IOC_POOL_ALLOC, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_alloc_args),
	.out_done = offsetof(struct secbuf_pool_alloc_args, out_done),
	.both_pools = true,
	.more_flags = SECBUF_POOL_ALLOC_F_WAIT,
};

FIXTURE_VARIANT_ADD(command, kpool_free)
{
	.command = SECBUF_IOC_POOL_FREE, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_free_args),
	.out_done = offsetof(struct secbuf_pool_free_args, out_done),
	.both_pools = true,
	.more_flags = SECBUF_POOL_FREE_F_ALL,
};

FIXTURE_VARIANT_ADD(command, kpool_stats)
{
	.command = SECBUF_IOC_POOL_STATS, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_stats_args),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, kpool_shrink)
{
	.command = SECBUF_IOC_POOL_SHRINK, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_shrink_args),
	.out_done = offsetof(struct secbuf_pool_shrink_args, out_done),
	.both_pools = true,
};

FIXTURE_VARIANT_ADD(command, kpool_read)
{
	.command = SECBUF_IOC_POOL_READ, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_copy_args),
	.out_done = offsetof(struct secbuf_pool_copy_args, out_done),
};

FIXTURE_VARIANT_ADD(command, kpool_write)
{
	.command = SECBUF_IOC_POOL_WRITE, .kind = KPOOL, .answers = true,
	.size = sizeof(struct secbuf_pool_copy_args),
	.out_done = offsetof(struct secbuf_pool_copy_args, out_done),
};

FIXTURE_VARIANT_ADD(command, conn_buffer)
{
	.command = SECBUF_IOC_CONN_BUFFER, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_buffer_args),
};

FIXTURE_VARIANT_ADD(command, conn_zeroize)
{
	.command = SECBUF_IOC_CONN_ZEROIZE, .kind = CONN,
	.size = sizeof(struct secbuf_conn_plain_args),
};

FIXTURE_VARIANT_ADD(command, conn_reset)
{
	.command = SECBUF_IOC_CONN_RESET, .kind = CONN,
	.size = sizeof(struct secbuf_conn_plain_args),
};

FIXTURE_VARIANT_ADD(command, conn_touch)
{
	.command = SECBUF_IOC_CONN_TOUCH, .kind = CONN,
	.size = sizeof(struct secbuf_conn_plain_args),
};

FIXTURE_VARIANT_ADD(command, conn_shrink)
{
	.command = SECBUF_IOC_CONN_SHRINK, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_shrink_args),
	.reserved = offsetof(struct secbuf_conn_shrink_args, __reserved),
};

FIXTURE_VARIANT_ADD(command, conn_stats)
{
	.command = SECBUF_IOC_CONN_STATS, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_stats_args),
};

FIXTURE_VARIANT_ADD(command, conn_enqueue)
{
	.command = SECBUF_IOC_CONN_ENQUEUE, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_queue_args),
	.reserved = offsetof(struct secbuf_conn_queue_args, packet.__reserved),
	.more_flags = SECBUF_CONN_F_MOVE,
};

FIXTURE_VARIANT_ADD(command, conn_enqueue_slot)
{
	.command = SECBUF_IOC_CONN_ENQUEUE, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_queue_args),
	.reserved = offsetof(struct secbuf_conn_queue_args, packet.__reserved),
	.flags = SECBUF_CONN_F_MOVE,
};

FIXTURE_VARIANT_ADD(command, conn_dequeue)
{
	.command = SECBUF_IOC_CONN_DEQUEUE, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_queue_args),
	.reserved = offsetof(struct secbuf_conn_queue_args, packet.__reserved),
	.more_flags = SECBUF_CONN_F_MOVE,
};

FIXTURE_VARIANT_ADD(command, conn_dequeue_slot)
{
	.command = SECBUF_IOC_CONN_DEQUEUE, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_queue_args),
	.reserved = offsetof(struct secbuf_conn_queue_args, packet.__reserved),
	.flags = SECBUF_CONN_F_MOVE,
};

FIXTURE_VARIANT_ADD(command, conn_send)
{
	.command = SECBUF_IOC_CONN_SEND, .kind = CONN, .answers = true,
	.size = sizeof(struct secbuf_conn_send_args),
	.reserved = offsetof(struct secbuf_conn_send_args, __reserved),
};

FIXTURE_VARIANT_ADD(command, conn_stream_add)
{
	.command = SECBUF_IOC_CONN_STREAM_ADD, .kind = CONN,
	.size = sizeof(struct secbuf_conn_stream_args),
	.reserved = offsetof(struct secbuf_conn_stream_args, __reserved),
};

FIXTURE_VARIANT_ADD(command, conn_stream_del)
{
	.command = SECBUF_IOC_CONN_STREAM_DEL, .kind = CONN,
	.size = sizeof(struct secbuf_conn_stream_args),
	.reserved = offsetof(struct secbuf_conn_stream_args, __reserved),
};

static int state_read(FIXTURE_DATA(command) *self, struct state *state)
{
	struct secbuf_pool_stats_args stats[2];
	struct secbuf_conn_stats_args conn;
	struct secbuf_info_args info;
	unsigned char byte;

	if (conn_stats(self->fd[CONN], &conn) ||
	    secbuf_info(self->fd[DEV], &info) ||
	    pool_stats(self->fd[POOL], &stats[0]) ||
	    pool_stats(self->fd[KPOOL], &stats[1]) ||
	    pool_read(self->fd[KPOOL], self->ids[KPOOL], 0, &byte, 1))
		return -1;
	*state = (struct state){
		.bytes = info.out_bytes,
		.pool_bytes = { stats[0].out_bytes, stats[1].out_bytes },
		.byte = byte,
		.nr_pools = info.out_nr_pools,
		.nr_conns = info.out_nr_conns,
		.in_use = { stats[0].out_in_use, stats[1].out_in_use },
		.next_fd = dup(self->fd[DEV]),
		.nr_packets = conn.out_nr_packets,
		.nr_streams = conn.out_nr_streams,
	};
	close(state->next_fd);
	return 0;
}

/* Valid arguments; everything that the kernel must write is poisoned. */
static void command_args(const FIXTURE_VARIANT(command) *variant,
			 FIXTURE_DATA(command) *self, union command_args *args)
{
	memset(args, POISON, sizeof(*args));
	args->flags = variant->flags;

	switch (variant->command) {
	case SECBUF_IOC_POOL_CREATE:
		args->pool_create.slot_size = 64;
		args->pool_create.max_slots = 4;
		args->pool_create.min_slots = 0;
		args->pool_create.require = 0;
		break;
	case SECBUF_IOC_CONN_CREATE:
		memset(&args->conn_create.max_packets, 0,
		       sizeof(args->conn_create) -
		       offsetof(struct secbuf_conn_create_args, max_packets));
		args->conn_create.pool_fd = self->fd[POOL];
		break;
	case SECBUF_IOC_POOL_ALLOC:
		args->pool_alloc.ids_ptr = (uintptr_t)&self->new_id;
		args->pool_alloc.nr = 1;
		break;
	case SECBUF_IOC_POOL_FREE:
		args->pool_free.ids_ptr = (uintptr_t)&self->ids[variant->kind];
		args->pool_free.nr = 1;
		break;
	case SECBUF_IOC_POOL_SHRINK:
		args->pool_shrink.nr = 1;
		break;
	case SECBUF_IOC_POOL_ATTACH:
		args->pool_attach.__reserved = 0;
		break;
	case SECBUF_IOC_POOL_READ:
	case SECBUF_IOC_POOL_WRITE:
		self->vec.id = self->ids[KPOOL];
		self->vec.len = 1;
		self->vec.buf_ptr = (uintptr_t)&self->byte;
		args->pool_copy.vecs_ptr = (uintptr_t)&self->vec;
		args->pool_copy.nr = 1;
		break;
	case SECBUF_IOC_CONN_BUFFER:
		args->conn_buffer.which = SECBUF_CONN_BUFFER_READ;
		break;
	case SECBUF_IOC_CONN_SHRINK:
		args->conn_shrink.level = SECBUF_CONN_SHRINK_IDLE;
		args->conn_shrink.__reserved = 0;
		break;
	case SECBUF_IOC_CONN_ENQUEUE:
	case SECBUF_IOC_CONN_DEQUEUE:
		args->conn_queue.packets_ptr = 0;
		args->conn_queue.nr = 0;
		args->conn_queue.packet = (struct secbuf_conn_packet){
			.ptr = variant->flags ? self->ids[POOL] :
			       (uintptr_t)&self->byte,
			.len = 1,
		};
		break;
	case SECBUF_IOC_CONN_SEND:
		args->conn_send.sock_fd = self->sockets[0];
		args->conn_send.max_packets = 0;
		args->conn_send.__reserved = 0;
		break;
	case SECBUF_IOC_CONN_STREAM_ADD:
		args->conn_stream.ring_fd = self->rings[0][0];
		args->conn_stream.__reserved = 0;
		break;
	case SECBUF_IOC_CONN_STREAM_DEL:
		args->conn_stream.ring_fd = self->rings[1][0];
		args->conn_stream.__reserved = 0;
		break;
	}
}

/* A packet in the queue, a ring that belongs to the conn and one that does not. */
static int conn_setup(FIXTURE_DATA(command) *self)
{
	struct secbuf_ring_create_args ring = {
		.size = sizeof(ring), .ring_size = PAGE,
	};
	struct secbuf_conn_stream_args args = { .size = sizeof(args) };

	for (int i = 0; i < 2; i++) {
		if (secbuf_ioctl(self->fd[DEV], SECBUF_IOC_RING_CREATE, &ring))
			return -1;
		self->rings[i][0] = ring.out_producer_fd;
		self->rings[i][1] = ring.out_consumer_fd;
	}
	args.ring_fd = self->rings[1][0];
	return secbuf_ioctl(self->fd[CONN], SECBUF_IOC_CONN_STREAM_ADD, &args) ?:
	       conn_enqueue(self->fd[CONN], "p", 1) ?:
	       socketpair(AF_UNIX, SOCK_STREAM, 0, self->sockets);
}

FIXTURE_SETUP(command)
{
	struct secbuf_pool_create_args pool;

	self->fd[DEV] = secbuf_open();
	ASSERT_LE(0, self->fd[DEV]);
	ASSERT_EQ(0, pool_create_flags(self->fd[DEV], PAGE, 8,
				       SECBUF_POOL_F_PASSABLE, &pool));
	self->fd[POOL] = pool.out_fd;
	ASSERT_EQ(1, pool_alloc(self->fd[POOL], &self->ids[POOL], 1));
	/* One buffer is out, the other is there for shrinking. */
	ASSERT_EQ(0, kpool_create(self->fd[DEV], PAGE, 2, 8, &pool));
	self->fd[KPOOL] = pool.out_fd;
	ASSERT_EQ(1, pool_alloc(self->fd[KPOOL], &self->ids[KPOOL], 1));
	self->byte = 0x5a;
	self->fd[CONN] = conn_create(self->fd[DEV], self->fd[POOL]);
	ASSERT_LE(0, self->fd[CONN]);
	ASSERT_EQ(0, conn_setup(self));

	self->args = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->args);
	command_args(variant, self, self->args);
	self->args->size = variant->size;
	memset((char *)self->args + variant->size, 0,
	       2 * PAGE - variant->size);
	ASSERT_EQ(0, state_read(self, &self->before));
}

FIXTURE_TEARDOWN(command)
{
	munmap(self->args, 2 * PAGE);
	for (int i = 0; i < NR_KINDS; i++)
		close(self->fd[i]);
	for (int i = 0; i < 2; i++) {
		close(self->sockets[i]);
		close(self->rings[i][0]);
		close(self->rings[i][1]);
	}
}

/* The command fails with @error, writes nothing and changes nothing. */
static void command_fails(struct __test_metadata *_metadata,
			  FIXTURE_DATA(command) *self,
			  const FIXTURE_VARIANT(command) *variant,
			  int fd, union command_args *args, int error)
{
	const __u32 size = variant->size;
	unsigned char copy[sizeof(*args)];
	struct state after;

	memcpy(copy, args, size);
	EXPECT_EQ(-error, secbuf_ioctl(fd, variant->command, args));
	if (variant->out_done)
		memcpy(copy + variant->out_done,
		       (char *)args + variant->out_done, sizeof(__u32));
	EXPECT_EQ(0, memcmp(copy, args, size));
	ASSERT_EQ(0, state_read(self, &after));
	EXPECT_EQ(0, memcmp(&self->before, &after, sizeof(after)));
}

#define COMMAND_FAILS(error)						\
	command_fails(_metadata, self, variant,				\
		      self->fd[variant->kind], self->args, error)

/* The others prove nothing unless this one passes. */
TEST_F(command, works)
{
	EXPECT_EQ(0, secbuf_ioctl(self->fd[variant->kind], variant->command,
				  self->args));
}

#ifdef __x86_64__
/* ioctl as a 32-bit program calls it; the arguments lie below 4 GiB. */
static int compat_ioctl(int fd, unsigned long command, void *args)
{
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (command), "d" (args)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

TEST_F(command, works_from_32_bit)
{
	void *args = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	union command_args copy;

	if (on_uml())
		SKIP(return, "UML has no 32-bit system calls");
	ASSERT_NE(MAP_FAILED, args);
	memcpy(args, self->args, variant->size);
	memcpy(&copy, self->args, variant->size);
	EXPECT_EQ(0, compat_ioctl(self->fd[variant->kind], variant->command,
				  args));
	EXPECT_EQ(variant->answers, !!memcmp(&copy, args, variant->size));
}
#endif

TEST_F(command, size_0)
{
	self->args->size = 0;
	COMMAND_FAILS(EINVAL);
}

TEST_F(command, size_4)
{
	self->args->size = 4;
	COMMAND_FAILS(EINVAL);
}

TEST_F(command, size_short)
{
	self->args->size = (variant->min_size ?: variant->size) - 1;
	COMMAND_FAILS(EINVAL);
}

TEST_F(command, longer_tail_zero)
{
	self->args->size = variant->size + 8;
	EXPECT_EQ(0, secbuf_ioctl(self->fd[variant->kind], variant->command,
				  self->args));
	EXPECT_EQ(0, count_not((unsigned char *)self->args + variant->size, 0,
			       2 * PAGE - variant->size));
}

TEST_F(command, longer_tail_not_zero)
{
	self->args->size = variant->size + 8;
	((char *)self->args)[variant->size + 7] = 1;
	COMMAND_FAILS(E2BIG);
}

TEST_F(command, page_tail_zero)
{
	self->args->size = PAGE;
	EXPECT_EQ(0, secbuf_ioctl(self->fd[variant->kind], variant->command,
				  self->args));
}

TEST_F(command, longer_than_page)
{
	self->args->size = PAGE + 1;
	COMMAND_FAILS(E2BIG);
}

TEST_F(command, size_max)
{
	self->args->size = ~0U;
	COMMAND_FAILS(E2BIG);
}

TEST_F(command, null_pointer)
{
	struct state after;

	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->fd[variant->kind],
					variant->command, NULL));
	ASSERT_EQ(0, state_read(self, &after));
	EXPECT_EQ(0, memcmp(&self->before, &after, sizeof(after)));
}

TEST_F(command, kernel_pointer)
{
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->fd[variant->kind],
					variant->command, (void *)~0xfffUL));
}

/* The size can be read, the rest cannot. */
TEST_F(command, second_half_unmapped)
{
	char *end = (char *)self->args + PAGE;
	union command_args *args = (void *)(end - sizeof(args->size));
	struct state after;

	memcpy(args, self->args, variant->size);
	ASSERT_EQ(0, munmap(end, PAGE));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->fd[variant->kind],
					variant->command, args));
	EXPECT_EQ(variant->size, args->size);
	ASSERT_EQ(0, state_read(self, &after));
	EXPECT_EQ(0, memcmp(&self->before, &after, sizeof(after)));
}

TEST_F(command, read_only_args)
{
	ASSERT_EQ(0, mprotect(self->args, PAGE, PROT_READ));
	if (variant->answers)
		COMMAND_FAILS(EFAULT);
	else
		EXPECT_EQ(0, secbuf_ioctl(self->fd[variant->kind],
					  variant->command, self->args));
}

/* One bit at a time of all that this kernel does not know. */
TEST_F(command, unknown_flags_and_reserved)
{
	for (int bit = 0; bit < 32; bit++) {
		if ((variant->flags | variant->more_flags) & (1U << bit))
			continue;
		self->args->flags = variant->flags | (1U << bit);
		COMMAND_FAILS(EOPNOTSUPP);
	}
	self->args->flags = variant->flags;

	for (int bit = 0; variant->reserved && bit < 32; bit++) {
		__u32 *reserved = (void *)self->args + variant->reserved;

		*reserved = 1U << bit;
		COMMAND_FAILS(EINVAL);
	}
}

TEST_F(command, other_kind_of_fd)
{
	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		if (kind == variant->kind ||
		    (variant->both_pools && (kind == POOL || kind == KPOOL)))
			continue;
		command_fails(_metadata, self, variant, self->fd[kind],
			      self->args, ENOTTY);
	}
}

/* A number that carries a size is another command. */
TEST_F(command, number_with_size)
{
	EXPECT_EQ(-ENOTTY, secbuf_ioctl(self->fd[variant->kind],
					variant->command |
					_IOC(_IOC_READ | _IOC_WRITE, 0, 0,
					     variant->size), self->args));
}

TEST_F(command, foreign_type)
{
	EXPECT_EQ(-ENOTTY, secbuf_ioctl(self->fd[variant->kind],
					variant->command ^ (1 << 8),
					self->args));
}

FIXTURE(dev)
{
	int dev;
};

FIXTURE_SETUP(dev)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(dev)
{
	close(self->dev);
}

TEST_F(dev, unknown_commands)
{
	struct secbuf_pool_create_args args;
	unsigned int refused = 0;

	for (unsigned int nr = 0; nr < 256; nr++) {
		if (nr == SECBUF_CMD_INFO || nr == SECBUF_CMD_POOL_CREATE ||
		    nr == SECBUF_CMD_RING_CREATE ||
		    nr == SECBUF_CMD_CONN_CREATE)
			continue;
		memset(&args, 0, sizeof(args));
		args.size = sizeof(args);
		if (secbuf_ioctl(self->dev, _IO(SECBUF_IOC_TYPE, nr),
				 &args) == -ENOTTY)
			refused++;
	}
	EXPECT_EQ(256 - 4, refused);
}

TEST_F(dev, terminal_command)
{
	struct termios termios;

	EXPECT_EQ(-ENOTTY, secbuf_ioctl(self->dev, TCGETS, &termios));
}

TEST_F(dev, read_write_mmap)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->dev, &byte, 1));
	EXPECT_EQ(-1, write(self->dev, &byte, 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
				   self->dev, 0));
}

TEST_F(dev, descriptors_close_on_exec)
{
	struct secbuf_pool_create_args args;
	int conn;

	ASSERT_EQ(0, pool_create(self->dev, 64, 1, &args));
	EXPECT_EQ(FD_CLOEXEC, fcntl(args.out_fd, F_GETFD));
	conn = conn_create(self->dev, args.out_fd);
	ASSERT_LE(0, conn);
	EXPECT_EQ(FD_CLOEXEC, fcntl(conn, F_GETFD));
	close(conn);
	close(args.out_fd);
}

TEST_F(dev, descriptor_limit)
{
	struct secbuf_pool_create_args args;
	struct secbuf_info_args before, after;
	int fd;

	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	do
		fd = dup(self->dev);
	while (fd >= 0);
	ASSERT_EQ(EMFILE, errno);
	EXPECT_EQ(-EMFILE, pool_create(self->dev, 64, 1, &args));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
	EXPECT_EQ(before.out_bytes, after.out_bytes);
}

#define FILE_MAX	"/proc/sys/fs/file-max"

/* The limit of the whole machine, which root may exceed. */
TEST_F(dev, file_limit)
{
	struct secbuf_pool_create_args pool, args;
	struct secbuf_info_args before, after;
	int create = 0, connect = 0;
	char old[32] = { 0 };
	int fd;

	fd = open(FILE_MAX, O_RDWR | O_CLOEXEC);
	if (fd < 0 || read(fd, old, sizeof(old) - 1) < 0)
		SKIP(return, "%s: %s", FILE_MAX, strerror(errno));
	ASSERT_EQ(0, pool_create(self->dev, 64, 1, &pool));
	ASSERT_EQ(0, secbuf_info(self->dev, &before));

	ASSERT_EQ(1, pwrite(fd, "0", 1, 0));
	if (!syscall(SYS_setresuid, -1, 12345, -1)) {
		create = pool_create(self->dev, 64, 1, &args);
		connect = conn_create(self->dev, pool.out_fd);
	}
	syscall(SYS_setresuid, -1, 0, -1);
	pwrite(fd, old, strlen(old), 0);

	EXPECT_EQ(-ENFILE, create);
	EXPECT_EQ(-ENFILE, connect);
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
	EXPECT_EQ(before.out_nr_conns, after.out_nr_conns);
	EXPECT_EQ(before.out_bytes, after.out_bytes);
	close(pool.out_fd);
}

TEST_F(dev, info)
{
	struct secbuf_info_args info;
	__u64 prot;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, info.out_nr_rings);
	EXPECT_EQ(SECBUF_ABI_VERSION, info.out_abi_version);
	EXPECT_EQ(SECBUF_FEAT_POOL_MAPPED | SECBUF_FEAT_CONN |
		  SECBUF_FEAT_POOL | SECBUF_FEAT_POOL_PASSABLE |
		  SECBUF_FEAT_POOL_GUARD | SECBUF_FEAT_RING,
		  info.out_features);
	prot = SECBUF_PROT_LOCKED | SECBUF_PROT_UNDUMPABLE |
	       SECBUF_PROT_UNFORKABLE;
	if (!on_uml())
		prot |= SECBUF_PROT_UNPINNABLE | SECBUF_PROT_OWNER_DEATH;
	EXPECT_EQ(prot, info.out_protections);
	EXPECT_EQ(64, info.out_slot_size_min);
	EXPECT_EQ(16 << 20, info.out_slot_size_max);
	EXPECT_LE(SECBUF_POOL_MAX_SLOTS_DEFAULT, info.out_slots_max);
	EXPECT_LE(info.out_slot_size_max, info.out_pool_size_max);
	EXPECT_NE(POISON * 0x0101010101010101ULL, info.out_pool_size_max);
	EXPECT_LE(1, info.out_batch_max);
	EXPECT_NE(POISON * 0x01010101U, info.out_batch_max);
	EXPECT_LE(PAGE, info.out_batch_bytes_max);
	EXPECT_NE(POISON * 0x0101010101010101ULL, info.out_batch_bytes_max);
	EXPECT_LE(info.out_bytes, info.out_bytes_max);
	EXPECT_LE(info.out_user_bytes, info.out_bytes);
	EXPECT_LE(info.out_user_bytes, info.out_user_bytes_max);
	EXPECT_NE(POISON * 0x0101010101010101ULL, info.out_bytes_max);
	EXPECT_NE(POISON * 0x0101010101010101ULL, info.out_user_bytes_max);
}

TEST_F(dev, flags_of_mapped_pools_only)
{
	const __u32 flags[] = {
		SECBUF_POOL_F_PASSABLE, SECBUF_POOL_F_GUARD,
		SECBUF_POOL_F_PASSABLE | SECBUF_POOL_F_GUARD,
	};
	struct secbuf_pool_create_args args;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		memset(&args, 0, sizeof(args));
		args.size = sizeof(args);
		args.slot_size = 64;
		args.flags = flags[i];
		EXPECT_EQ(-EINVAL, secbuf_ioctl(self->dev,
						SECBUF_IOC_POOL_CREATE, &args));
	}
}

/* One protection at a time, and those that there are not. */
TEST_F(dev, required_protections)
{
	struct secbuf_pool_create_args args;
	struct secbuf_info_args info;
	__u64 prot, holds;

	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	for (int i = 0; i < 128; i++) {
		holds = info.out_protections;
		memset(&args, 0, sizeof(args));
		args.size = sizeof(args);
		args.slot_size = 64;
		args.flags = i % 2 ? SECBUF_POOL_F_MAPPED : 0;
		/* What cannot be mapped cannot be pinned. */
		if (!args.flags)
			holds |= SECBUF_PROT_UNPINNABLE;
		prot = 1ULL << i / 2;
		args.require = prot;
		if (!(holds & prot)) {
			EXPECT_EQ(-EOPNOTSUPP,
				  secbuf_ioctl(self->dev,
					       SECBUF_IOC_POOL_CREATE, &args));
			continue;
		}
		ASSERT_EQ(0, secbuf_ioctl(self->dev, SECBUF_IOC_POOL_CREATE,
					  &args));
		EXPECT_EQ(holds, args.out_protections);
		EXPECT_EQ(prot, args.require);
		close(args.out_fd);
	}
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(0, info.out_nr_pools);
}

TEST_F(dev, info_counts)
{
	struct secbuf_pool_create_args pool;
	struct secbuf_info_args before, after;
	__u64 ids[4];
	int conn;

	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	ASSERT_EQ(0, pool_create(self->dev, PAGE, 4, &pool));
	ASSERT_EQ(4, pool_alloc(pool.out_fd, ids, 4));
	conn = conn_create(self->dev, pool.out_fd);
	ASSERT_LE(0, conn);

	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools + 1, after.out_nr_pools);
	EXPECT_EQ(before.out_nr_conns + 1, after.out_nr_conns);
	EXPECT_LE(before.out_bytes + 4 * PAGE, after.out_bytes);
	EXPECT_LE(before.out_user_bytes + 4 * PAGE, after.out_user_bytes);

	close(conn);
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_conns, after.out_nr_conns);

	close(pool.out_fd);
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
	EXPECT_EQ(before.out_bytes, after.out_bytes);
	EXPECT_EQ(before.out_user_bytes, after.out_user_bytes);
}

/* The figure of the user is of the one who asks. */
TEST_F(dev, info_of_another_user)
{
	struct secbuf_pool_create_args pool;
	struct secbuf_info_args info;
	__u64 id, mine;

	ASSERT_EQ(0, pool_create(self->dev, PAGE, 1, &pool));
	ASSERT_EQ(1, pool_alloc(pool.out_fd, &id, 1));
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	mine = info.out_user_bytes;
	EXPECT_LE(PAGE, mine);
	if (syscall(SYS_setresuid, 12345, 12345, 12345))
		SKIP(return, "setresuid: %s", strerror(errno));
	ASSERT_EQ(0, secbuf_info(self->dev, &info));
	EXPECT_EQ(0, info.out_user_bytes);
	EXPECT_LE(mine, info.out_bytes);
}

TEST_HARNESS_MAIN
