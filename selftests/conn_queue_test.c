// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of a conn: by copy, by move, by read() and write(); limits; what is
 * refused stays where it is.
 */
#include "secbuf_conn.h"

#include <poll.h>

#define SLOT_SIZE	1024
#define NR_SLOTS	32
#define MAX_PACKETS	8
#define MAX_BYTES	4096

FIXTURE(queue)
{
	int		dev;
	struct pool	p;
	int		conn;
	unsigned char	in[SLOT_SIZE];
	unsigned char	out[SLOT_SIZE];
};

static int conn_limited(int dev, int pool_fd, __u32 max_packets,
			__u32 max_bytes)
{
	struct secbuf_conn_create_args args = {
		.pool_fd = pool_fd,
		.max_packets = max_packets, .max_bytes = max_bytes,
	};

	return conn_make(dev, &args);
}

FIXTURE_SETUP(queue)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, SLOT_SIZE, NR_SLOTS));
	self->conn = conn_limited(self->dev, self->p.fd, MAX_PACKETS,
				  MAX_BYTES);
	ASSERT_LE(0, self->conn);
	for (int i = 0; i < SLOT_SIZE; i++)
		self->in[i] = 1 + i % 251;
	memset(self->out, 0, SLOT_SIZE);
}

FIXTURE_TEARDOWN(queue)
{
	close(self->conn);
	pool_close(&self->p);
	close(self->dev);
}

static int queue_length(int conn)
{
	struct secbuf_conn_stats_args stats;
	int ret = conn_stats(conn, &stats);

	return ret ? ret : (int)stats.out_nr_packets;
}

static short poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

TEST_F(queue, is_empty)
{
	EXPECT_EQ(-EAGAIN, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, queue_length(self->conn));
	EXPECT_EQ(POLLOUT, poll_now(self->conn));
}

TEST_F(queue, copy_in_and_out)
{
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 700));
	EXPECT_EQ(1, queue_length(self->conn));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->conn));
	ASSERT_EQ(700, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 700));
	EXPECT_EQ(0, count_not(self->out + 700, 0, SLOT_SIZE - 700));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
	EXPECT_EQ(-EAGAIN, conn_dequeue(self->conn, self->out, SLOT_SIZE));
}

/* What was copied out is nowhere in the pool any more. */
TEST_F(queue, copy_out_zeroizes)
{
	__u64 keep;

	/* Keeps the page. */
	ASSERT_EQ(1, pool_alloc(self->p.fd, &keep, 1));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	EXPECT_EQ(SLOT_SIZE, count_not(self->p.map, 0, PAGE));
	ASSERT_EQ(SLOT_SIZE, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
}

TEST_F(queue, first_in_first_out)
{
	for (int round = 0; round < 3; round++) {
		for (int i = 1; i <= MAX_PACKETS; i++)
			ASSERT_EQ(0, conn_enqueue(self->conn, self->in + i, i));
		for (int i = 1; i <= MAX_PACKETS; i++) {
			ASSERT_EQ(i, conn_dequeue(self->conn, self->out,
						  SLOT_SIZE));
			ASSERT_EQ(0, memcmp(self->in + i, self->out, i));
		}
	}
}

TEST_F(queue, too_many_packets)
{
	struct secbuf_conn_stats_args stats;

	for (int i = 0; i < MAX_PACKETS; i++)
		ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 1));
	EXPECT_EQ(-ENOBUFS, conn_enqueue(self->conn, self->in, 1));
	EXPECT_EQ(MAX_PACKETS, queue_length(self->conn));
	EXPECT_EQ(MAX_PACKETS, pool_in_use(self->p.fd));
	ASSERT_EQ(0, conn_stats(self->conn, &stats));
	EXPECT_EQ(1, stats.out_refused);
	EXPECT_EQ(MAX_PACKETS, stats.out_peak_packets);
	ASSERT_EQ(1, conn_dequeue(self->conn, self->out, 1));
	EXPECT_EQ(0, conn_enqueue(self->conn, self->in, 1));
}

TEST_F(queue, too_many_bytes)
{
	for (int i = 0; i < MAX_BYTES / SLOT_SIZE; i++)
		ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	EXPECT_EQ(-EOVERFLOW, conn_enqueue(self->conn, self->in, 1));
	EXPECT_EQ(MAX_BYTES / SLOT_SIZE, queue_length(self->conn));
	ASSERT_EQ(SLOT_SIZE, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE - 1));
	EXPECT_EQ(-EOVERFLOW, conn_enqueue(self->conn, self->in, 2));
	EXPECT_EQ(0, conn_enqueue(self->conn, self->in, 1));
}

TEST_F(queue, larger_than_a_slot)
{
	unsigned char big[SLOT_SIZE + 1] = { 1 };
	int err;

	EXPECT_EQ(-EMSGSIZE, conn_enqueue(self->conn, big, SLOT_SIZE + 1));
	/* Longer than the address space goes on, on some machines. */
	err = conn_enqueue(self->conn, big, ~0U);
	EXPECT_TRUE(err == -EMSGSIZE || err == -EFAULT);
	EXPECT_EQ(-1, write(self->conn, big, SLOT_SIZE + 1));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(0, pool_in_use(self->p.fd));
	EXPECT_EQ(0, queue_length(self->conn));
}

TEST_F(queue, larger_than_max_bytes)
{
	int conn = conn_limited(self->dev, self->p.fd, 0, 100);

	ASSERT_LE(0, conn);
	EXPECT_EQ(-EMSGSIZE, conn_enqueue(conn, self->in, 101));
	EXPECT_EQ(-1, write(conn, self->in, 101));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(0, conn_enqueue(conn, self->in, 100));
	close(conn);
}

TEST_F(queue, of_no_bytes)
{
	__u64 id;

	EXPECT_EQ(-EINVAL, conn_enqueue(self->conn, self->in, 0));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	EXPECT_EQ(-EINVAL, conn_enqueue_slot(self->conn, id, 0));
	EXPECT_EQ(0, write(self->conn, self->in, 0));
	EXPECT_EQ(0, read(self->conn, self->out, 0));
	EXPECT_EQ(0, queue_length(self->conn));
	ASSERT_EQ(1, write(self->conn, self->in, 1));
	EXPECT_EQ(0, read(self->conn, self->out, 0));
	EXPECT_EQ(1, queue_length(self->conn));
}

TEST_F(queue, no_room)
{
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 100));
	EXPECT_EQ(-EMSGSIZE, conn_dequeue(self->conn, self->out, 99));
	EXPECT_EQ(-EMSGSIZE, conn_dequeue(self->conn, self->out, 0));
	EXPECT_EQ(-1, read(self->conn, self->out, 99));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(0, count_not(self->out, 0, SLOT_SIZE));
	EXPECT_EQ(1, queue_length(self->conn));
	EXPECT_EQ(100, conn_dequeue(self->conn, self->out, 100));
	EXPECT_EQ(0, memcmp(self->in, self->out, 100));
}

TEST_F(queue, the_pool_is_full)
{
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, pool_alloc(self->p.fd, ids, NR_SLOTS));
	EXPECT_EQ(-ENOSPC, conn_enqueue(self->conn, self->in, 1));
	EXPECT_EQ(-1, write(self->conn, self->in, 1));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, queue_length(self->conn));
}

/* The slot itself changes hands: what is in it stays, and nothing is copied. */
TEST_F(queue, move_in_and_out)
{
	__u64 id, got;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	memcpy(pool_slot(&self->p, id), self->in, SLOT_SIZE);
	ASSERT_EQ(0, conn_enqueue_slot(self->conn, id, 500));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	EXPECT_EQ(-EBUSY, pool_free(self->p.fd, &id, 1));
	ASSERT_EQ(500, conn_dequeue_slot(self->conn, &got));
	EXPECT_EQ(id, got);
	EXPECT_EQ(0, memcmp(self->in, pool_slot(&self->p, id), SLOT_SIZE));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
}

TEST_F(queue, move_in_copy_out)
{
	__u64 ids[2];

	ASSERT_EQ(2, pool_alloc(self->p.fd, ids, 2));
	memcpy(pool_slot(&self->p, ids[1]), self->in, SLOT_SIZE);
	ASSERT_EQ(0, conn_enqueue_slot(self->conn, ids[1], SLOT_SIZE));
	ASSERT_EQ(SLOT_SIZE, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, SLOT_SIZE));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	EXPECT_EQ(-ENOENT, pool_free(self->p.fd, &ids[1], 1));
}

TEST_F(queue, copy_in_move_out)
{
	__u64 id;

	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 333));
	ASSERT_EQ(333, conn_dequeue_slot(self->conn, &id));
	ASSERT_GT(NR_SLOTS, id);
	EXPECT_EQ(0, memcmp(self->in, pool_slot(&self->p, id), 333));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, id) + 333, 0,
			       SLOT_SIZE - 333));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
}

TEST_F(queue, move_what_is_not_the_callers)
{
	struct secbuf_conn_buffer_args buffer;
	__u64 id;

	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ,
				 &buffer));
	EXPECT_EQ(-EBUSY, conn_enqueue_slot(self->conn, buffer.out_id, 1));
	EXPECT_EQ(-ENOENT, conn_enqueue_slot(self->conn, buffer.out_id + 1, 1));
	EXPECT_EQ(-EINVAL, conn_enqueue_slot(self->conn, NR_SLOTS, 1));
	EXPECT_EQ(-EINVAL, conn_enqueue_slot(self->conn, ~0ULL, 1));
	EXPECT_EQ(-EINVAL, conn_enqueue_slot(self->conn, 1ULL << 32, 1));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	ASSERT_EQ(0, conn_enqueue_slot(self->conn, id, 1));
	EXPECT_EQ(-EBUSY, conn_enqueue_slot(self->conn, id, 1));
	EXPECT_EQ(1, queue_length(self->conn));
}

/* Through another descriptor of the same pool. */
TEST_F(queue, move_what_is_a_neighbours)
{
	struct pool p, other;
	__u64 id;
	int conn;

	ASSERT_EQ(0, pool_open_flags(&p, self->dev, SLOT_SIZE, NR_SLOTS,
				     SECBUF_POOL_F_PASSABLE));
	ASSERT_EQ(0, pool_join(&other, p.fd));
	conn = conn_create(self->dev, p.fd);
	ASSERT_LE(0, conn);
	ASSERT_EQ(1, pool_alloc(other.fd, &id, 1));
	EXPECT_EQ(-ENOENT, conn_enqueue_slot(conn, id, 1));
	EXPECT_EQ(1, pool_free(other.fd, &id, 1));
	close(conn);
	pool_close(&other);
	pool_close(&p);
}

/* The slot is still the caller's. */
TEST_F(queue, a_refused_move)
{
	__u64 id;

	for (int i = 0; i < MAX_PACKETS; i++)
		ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 1));
	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	memcpy(pool_slot(&self->p, id), self->in, SLOT_SIZE);
	EXPECT_EQ(-ENOBUFS, conn_enqueue_slot(self->conn, id, 1));
	EXPECT_EQ(-EMSGSIZE, conn_enqueue_slot(self->conn, id, SLOT_SIZE + 1));
	EXPECT_EQ(0, memcmp(self->in, pool_slot(&self->p, id), SLOT_SIZE));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
}

TEST_F(queue, read_and_write)
{
	ASSERT_EQ(300, write(self->conn, self->in, 300));
	ASSERT_EQ(1, write(self->conn, self->in + 1, 1));
	ASSERT_EQ(300, read(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 300));
	ASSERT_EQ(1, read(self->conn, self->out, 1));
	EXPECT_EQ(self->in[1], self->out[0]);
	ASSERT_EQ(0, set_nonblocking(self->conn));
	EXPECT_EQ(-1, read(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(EAGAIN, errno);
	for (int i = 0; i < MAX_PACKETS; i++)
		ASSERT_EQ(1, write(self->conn, self->in, 1));
	EXPECT_EQ(-1, write(self->conn, self->in, 1));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(queue, near_full)
{
	struct secbuf_conn_create_args args = {
		.pool_fd = self->p.fd,
		.max_packets = 10, .max_bytes = 1000, .near_full = 50,
	};
	struct secbuf_conn_stats_args stats;
	int conn = conn_make(self->dev, &args);

	ASSERT_LE(0, conn);
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, conn_enqueue(conn, self->in, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(conn));
	ASSERT_EQ(0, conn_enqueue(conn, self->in, 1));
	EXPECT_EQ(POLLIN, poll_now(conn));
	ASSERT_EQ(0, conn_stats(conn, &stats));
	EXPECT_TRUE(stats.out_status & SECBUF_CONN_NEAR_FULL);
	ASSERT_EQ(1, conn_dequeue(conn, self->out, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(conn));
	ASSERT_EQ(0, conn_enqueue(conn, self->in, 496));
	EXPECT_EQ(POLLIN, poll_now(conn));
	close(conn);
}

TEST_F(queue, batches)
{
	struct secbuf_conn_packet in[MAX_PACKETS + 1], out[MAX_PACKETS + 1];
	unsigned char bytes[MAX_PACKETS + 1][16] = { 0 };

	for (int i = 0; i <= MAX_PACKETS; i++) {
		in[i] = (struct secbuf_conn_packet){
			.ptr = (uintptr_t)(self->in + i), .len = i + 1,
		};
		out[i] = (struct secbuf_conn_packet){
			.ptr = (uintptr_t)bytes[i], .len = 16,
		};
	}
	EXPECT_EQ(MAX_PACKETS, conn_batch(self->conn, SECBUF_IOC_CONN_ENQUEUE,
					  0, in, MAX_PACKETS + 1));
	EXPECT_EQ(-ENOBUFS, conn_batch(self->conn, SECBUF_IOC_CONN_ENQUEUE, 0,
				       in, 1));
	EXPECT_EQ(MAX_PACKETS, conn_batch(self->conn, SECBUF_IOC_CONN_DEQUEUE,
					  0, out, MAX_PACKETS + 1));
	for (int i = 0; i < MAX_PACKETS; i++) {
		EXPECT_EQ(i + 1, out[i].len);
		EXPECT_EQ(0, memcmp(bytes[i], self->in + i, i + 1));
	}
	EXPECT_EQ(16, out[MAX_PACKETS].len);
	EXPECT_EQ(-EAGAIN, conn_batch(self->conn, SECBUF_IOC_CONN_DEQUEUE, 0,
				      out, 1));
}

TEST_F(queue, batches_by_move)
{
	struct secbuf_conn_packet packets[5];
	__u64 ids[4];

	ASSERT_EQ(4, pool_alloc(self->p.fd, ids, 4));
	for (int i = 0; i < 5; i++)
		packets[i] = (struct secbuf_conn_packet){
			.ptr = ids[i % 4], .len = i + 1,
		};
	/* It stops at the one that is in the queue already. */
	EXPECT_EQ(4, conn_batch(self->conn, SECBUF_IOC_CONN_ENQUEUE,
				SECBUF_CONN_F_MOVE, packets, 5));
	memset(packets, 0, sizeof(packets));
	EXPECT_EQ(4, conn_batch(self->conn, SECBUF_IOC_CONN_DEQUEUE,
				SECBUF_CONN_F_MOVE, packets, 5));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(ids[i], packets[i].ptr);
		EXPECT_EQ(i + 1, packets[i].len);
	}
	EXPECT_EQ(4, pool_free(self->p.fd, ids, 4));
}

TEST_F(queue, bad_arguments)
{
	struct secbuf_conn_packet packet = {
		.ptr = (uintptr_t)self->in, .len = 1, .__reserved = 1,
	};
	struct secbuf_conn_queue_args args = {
		.size = sizeof(args), .nr = 1,
	};

	EXPECT_EQ(-EINVAL, conn_one(self->conn, SECBUF_IOC_CONN_ENQUEUE, 0,
				    &packet));
	packet.__reserved = 0;
	EXPECT_EQ(-EOPNOTSUPP, conn_one(self->conn, SECBUF_IOC_CONN_ENQUEUE, 2,
					&packet));
	EXPECT_EQ(-EOPNOTSUPP, conn_one(self->conn, SECBUF_IOC_CONN_DEQUEUE,
					~0U, &packet));
	EXPECT_EQ(-EINVAL, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_ENQUEUE,
					&args));
	EXPECT_EQ(-EINVAL, conn_batch(self->conn, SECBUF_IOC_CONN_ENQUEUE, 0,
				      &packet, 0));
	EXPECT_EQ(-EINVAL, conn_batch(self->conn, SECBUF_IOC_CONN_ENQUEUE, 0,
				      &packet, ~0U));
	EXPECT_EQ(0, queue_length(self->conn));
}

/* Nothing is lost when something cannot be read or written. */
TEST_F(queue, faults)
{
	struct secbuf_conn_queue_args *args;
	unsigned char *page;
	__u64 id;

	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));

	EXPECT_EQ(-EFAULT, conn_enqueue(self->conn, page + PAGE, 1));
	EXPECT_EQ(-EFAULT, conn_enqueue(self->conn, page + PAGE - 10, 20));
	EXPECT_EQ(-1, write(self->conn, page + PAGE - 10, 20));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-EFAULT, conn_batch(self->conn, SECBUF_IOC_CONN_ENQUEUE, 0,
				      (void *)(page + PAGE), 1));
	EXPECT_EQ(0, queue_length(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));

	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 20));
	EXPECT_EQ(-EFAULT, conn_dequeue(self->conn, page + PAGE - 10, 20));
	EXPECT_EQ(-1, read(self->conn, page + PAGE - 10, 20));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, queue_length(self->conn));

	/* The struct itself can be read, and not be written. */
	args = (void *)page;
	*args = (struct secbuf_conn_queue_args){
		.size = sizeof(*args),
		.packet = { .ptr = (uintptr_t)self->out, .len = SLOT_SIZE },
	};
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_DEQUEUE,
					args));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_ENQUEUE,
					args));
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	args->flags = SECBUF_CONN_F_MOVE;
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_DEQUEUE,
					args));
	EXPECT_EQ(1, queue_length(self->conn));

	ASSERT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	args->packet.ptr = id;
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_ENQUEUE,
					args));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));

	EXPECT_EQ(1, queue_length(self->conn));
	EXPECT_EQ(20, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 20));
	munmap(page, PAGE);
}

/* Memory that is there only when it is touched is as good as any. */
TEST_F(queue, fresh_memory)
{
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, conn_enqueue(self->conn, page, SLOT_SIZE));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	ASSERT_EQ(0, madvise(page, PAGE, MADV_DONTNEED));
	ASSERT_EQ(SLOT_SIZE, conn_dequeue(self->conn, page, PAGE));
	ASSERT_EQ(0, madvise(page, PAGE, MADV_DONTNEED));
	ASSERT_EQ(SLOT_SIZE, conn_dequeue(self->conn, page, PAGE));
	EXPECT_EQ(0, memcmp(self->in, page, SLOT_SIZE));
	munmap(page, PAGE);
}

/* From and to slots of the pool itself. */
TEST_F(queue, from_and_to_a_slot)
{
	__u64 ids[2];

	ASSERT_EQ(2, pool_alloc(self->p.fd, ids, 2));
	memcpy(pool_slot(&self->p, ids[0]), self->in, SLOT_SIZE);
	ASSERT_EQ(0, conn_enqueue(self->conn, pool_slot(&self->p, ids[0]),
				  SLOT_SIZE));
	ASSERT_EQ(SLOT_SIZE, conn_dequeue(self->conn,
					  pool_slot(&self->p, ids[1]),
					  SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, pool_slot(&self->p, ids[1]), SLOT_SIZE));
}

TEST_F(queue, zeroize_drops_it)
{
	__u64 keep, id;

	ASSERT_EQ(2, pool_alloc(self->p.fd, &keep, 1) +
		     pool_alloc(self->p.fd, &id, 1));
	memcpy(pool_slot(&self->p, id), self->in, SLOT_SIZE);
	ASSERT_EQ(0, conn_enqueue_slot(self->conn, id, SLOT_SIZE));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	EXPECT_EQ(2 * SLOT_SIZE, count_not(self->p.map, 0, PAGE));
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	EXPECT_EQ(0, queue_length(self->conn));
	EXPECT_EQ(-EAGAIN, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	/* And it can be used again. */
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 5));
	EXPECT_EQ(5, conn_dequeue(self->conn, self->out, SLOT_SIZE));
}

TEST_F(queue, reset_and_close_drop_it)
{
	__u64 keep;

	ASSERT_EQ(1, pool_alloc(self->p.fd, &keep, 1));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	ASSERT_EQ(0, conn_reset(self->conn));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	ASSERT_EQ(0, close(self->conn));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	self->conn = -1;
}

/* Packets of several pages, with and without a page of their own. */
TEST_F(queue, large_packets)
{
	enum { LARGE = 128 << 10 };
	unsigned char *in = malloc(LARGE), *out = calloc(1, LARGE);
	struct pool p;
	__u64 id;
	int conn;

	ASSERT_EQ(0, pool_open(&p, self->dev, LARGE, 4));
	conn = conn_create(self->dev, p.fd);
	ASSERT_LE(0, conn);
	for (int i = 0; i < LARGE; i++)
		in[i] = 1 + i % 253;
	ASSERT_EQ(0, conn_enqueue(conn, in, LARGE));
	ASSERT_EQ(LARGE - 5, write(conn, in + 5, LARGE - 5));
	ASSERT_EQ(LARGE, conn_dequeue_slot(conn, &id));
	EXPECT_EQ(0, memcmp(in, pool_slot(&p, id), LARGE));
	ASSERT_EQ(LARGE - 5, read(conn, out, LARGE));
	EXPECT_EQ(0, memcmp(in + 5, out, LARGE - 5));
	close(conn);
	pool_close(&p);
	free(in);
	free(out);
}

/* Into memory that is there only when it is touched, and a lot of it. */
TEST_F(queue, huge_packets)
{
	enum { HUGE = 8 << 20 };
	unsigned char *in, *out;
	struct pool p;
	int conn;

	in = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, in);
	out = in + HUGE;
	/* Refused where there are no huge pages. */
	madvise(in, 2 * HUGE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, pool_open(&p, self->dev, HUGE, 2));
	conn = conn_create(self->dev, p.fd);
	ASSERT_LE(0, conn);
	for (size_t i = 0; i < HUGE; i += PAGE)
		in[i + i / PAGE % PAGE] = 1 + i / PAGE % 250;
	ASSERT_EQ(HUGE, write(conn, in, HUGE));
	ASSERT_EQ(HUGE, read(conn, out, HUGE));
	EXPECT_EQ(0, memcmp(in, out, HUGE));
	/* From memory that was never touched. */
	ASSERT_EQ(0, madvise(in, HUGE, MADV_DONTNEED));
	ASSERT_EQ(0, conn_enqueue(conn, in, HUGE));
	ASSERT_EQ(HUGE, conn_dequeue(conn, out, HUGE));
	EXPECT_EQ(0, count_not(out, 0, HUGE));
	munmap(in, 2 * HUGE);
	close(conn);
	pool_close(&p);
}

TEST_F(queue, has_no_position)
{
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 1));
	EXPECT_EQ(-1, pread(self->conn, self->out, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(self->conn, self->in, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(self->conn, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(1, queue_length(self->conn));
}

TEST_HARNESS_MAIN
