// SPDX-License-Identifier: GPL-2.0
/*
 * Conns: two buffers that are slots of a pool, zeroized and returned when the
 * conn ends.
 */
#include "secbuf_conn.h"

#include <sys/wait.h>

/* 64 slots of 64 bytes: one page, which one granted slot keeps mapped. */
#define SLOT_SIZE	64
#define NR_SLOTS	64

FIXTURE(conn)
{
	int		dev;
	struct pool	p;
	__u64		neighbour;
	int		conn;
};

FIXTURE_SETUP(conn)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, SLOT_SIZE, NR_SLOTS));
	ASSERT_EQ(PAGE, self->p.map_size);
	ASSERT_EQ(1, pool_alloc(self->p.fd, &self->neighbour, 1));
	self->conn = conn_create(self->dev, self->p.fd);
	ASSERT_LE(0, self->conn);
}

FIXTURE_TEARDOWN(conn)
{
	close(self->conn);
	pool_close(&self->p);
	close(self->dev);
}

/* Fills both buffers with 0xa5. */
static int conn_fill(int conn, const struct pool *p)
{
	struct secbuf_conn_buffer_args args;
	int ret;

	for (int which = 0; which < SECBUF_CONN_BUFFER_NR; which++) {
		ret = conn_buffer(conn, which, &args);
		if (ret)
			return ret;
		memset(pool_slot(p, args.out_id), 0xa5, args.out_slot_size);
	}
	return 0;
}

TEST_F(conn, has_no_buffers_yet)
{
	EXPECT_EQ(1, pool_in_use(self->p.fd));
}

TEST_F(conn, buffers_are_distinct_and_zero)
{
	struct secbuf_conn_buffer_args in, out;

	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &in));
	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_WRITE, &out));
	EXPECT_NE(in.out_id, out.out_id);
	EXPECT_NE(self->neighbour, in.out_id);
	EXPECT_NE(self->neighbour, out.out_id);
	EXPECT_EQ(SLOT_SIZE, in.out_slot_size);
	EXPECT_EQ(SLOT_SIZE, out.out_slot_size);
	ASSERT_GT(NR_SLOTS, in.out_id);
	ASSERT_GT(NR_SLOTS, out.out_id);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, in.out_id), 0, SLOT_SIZE));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, out.out_id), 0, SLOT_SIZE));
}

TEST_F(conn, buffer_is_granted_once)
{
	struct secbuf_conn_buffer_args first, again;

	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_WRITE, &first));
	memset(pool_slot(&self->p, first.out_id), 0xa5, SLOT_SIZE);
	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_WRITE, &again));
	EXPECT_EQ(first.out_id, again.out_id);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, first.out_id), 0xa5,
			       SLOT_SIZE));
	EXPECT_EQ(2, pool_in_use(self->p.fd));
}

TEST_F(conn, which_out_of_range)
{
	struct secbuf_conn_buffer_args args;

	EXPECT_EQ(-EINVAL, conn_buffer(self->conn, SECBUF_CONN_BUFFER_NR,
				       &args));
	EXPECT_EQ(-EINVAL, conn_buffer(self->conn, ~0U, &args));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
}

TEST_F(conn, pool_free_refuses_a_buffer)
{
	struct secbuf_conn_buffer_args args;

	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &args));
	memset(pool_slot(&self->p, args.out_id), 0xa5, SLOT_SIZE);
	EXPECT_EQ(-EBUSY, pool_free(self->p.fd, &args.out_id, 1));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, args.out_id), 0xa5,
			       SLOT_SIZE));
	EXPECT_EQ(2, pool_in_use(self->p.fd));
}

/* A batch stops there. */
TEST_F(conn, pool_free_stops_at_a_buffer)
{
	struct secbuf_conn_buffer_args args;
	__u64 ids[2];

	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &args));
	ids[0] = self->neighbour;
	ids[1] = args.out_id;
	EXPECT_EQ(1, pool_free(self->p.fd, ids, 2));
}

TEST_F(conn, pool_limit)
{
	struct secbuf_conn_buffer_args args;
	__u64 ids[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS - 2, pool_alloc(self->p.fd, ids, NR_SLOTS - 2));
	EXPECT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &args));
	EXPECT_EQ(-ENOSPC, conn_buffer(self->conn, SECBUF_CONN_BUFFER_WRITE,
				       &args));
	ASSERT_EQ(1, pool_free(self->p.fd, ids, 1));
	EXPECT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_WRITE, &args));
}

TEST_F(conn, on_the_device)
{
	EXPECT_EQ(-EINVAL, conn_create(self->dev, self->dev));
}

TEST_F(conn, on_a_conn)
{
	EXPECT_EQ(-EINVAL, conn_create(self->dev, self->conn));
}

TEST_F(conn, on_a_foreign_file)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EINVAL, conn_create(self->dev, fds[0]));
}

TEST_F(conn, on_no_file)
{
	int fd = dup(self->p.fd);

	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EBADF, conn_create(self->dev, fd));
	EXPECT_EQ(-EBADF, conn_create(self->dev, -1));
}

TEST_F(conn, close_zeroizes_and_returns)
{
	struct secbuf_pool_stats_args before, after;

	memset(pool_slot(&self->p, self->neighbour), 0x5a, SLOT_SIZE);
	ASSERT_EQ(0, conn_fill(self->conn, &self->p));
	ASSERT_EQ(3 * SLOT_SIZE, count_not(self->p.map, 0, PAGE));
	ASSERT_EQ(0, pool_stats(self->p.fd, &before));
	EXPECT_EQ(3, before.out_in_use);

	ASSERT_EQ(0, close(self->conn));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->neighbour), 0x5a,
			       SLOT_SIZE));
	EXPECT_EQ(SLOT_SIZE, count_not(self->p.map, 0, PAGE));
	ASSERT_EQ(0, pool_stats(self->p.fd, &after));
	EXPECT_EQ(1, after.out_in_use);
	EXPECT_EQ(before.out_returned + 2, after.out_returned);
	EXPECT_LE(before.out_bytes_zeroized + 2 * SLOT_SIZE,
		  after.out_bytes_zeroized);
}

TEST_F(conn, close_is_the_last_descriptor)
{
	int other = dup(self->conn);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, conn_fill(self->conn, &self->p));
	ASSERT_EQ(0, close(self->conn));
	EXPECT_EQ(3, pool_in_use(self->p.fd));
	ASSERT_EQ(0, close(other));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
}

TEST_F(conn, zeroize_and_use_again)
{
	struct secbuf_conn_buffer_args args;

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, conn_fill(self->conn, &self->p));
		EXPECT_EQ(3, pool_in_use(self->p.fd));
		ASSERT_EQ(0, conn_zeroize(self->conn));
		EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
		EXPECT_EQ(1, pool_in_use(self->p.fd));
		ASSERT_EQ(0, conn_zeroize(self->conn));
		EXPECT_EQ(1, pool_in_use(self->p.fd));
		ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ,
					 &args));
		EXPECT_EQ(0, count_not(pool_slot(&self->p, args.out_id), 0,
				       SLOT_SIZE));
	}
}

TEST_F(conn, zeroize_while_a_duplicate_is_open)
{
	int other = dup(self->conn);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, conn_fill(self->conn, &self->p));
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	EXPECT_EQ(0, conn_fill(other, &self->p));
}

TEST_F(conn, zeroize_while_a_child_holds_it)
{
	int fds[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, conn_fill(self->conn, &self->p));
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) != 0);
	}
	close(fds[0]);
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	close(fds[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(conn, conns_of_one_pool_are_apart)
{
	struct secbuf_conn_buffer_args mine, other;
	int conn;

	conn = conn_create(self->dev, self->p.fd);
	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &mine));
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &other));
	EXPECT_NE(mine.out_id, other.out_id);
	memset(pool_slot(&self->p, mine.out_id), 0xa5, SLOT_SIZE);
	memset(pool_slot(&self->p, other.out_id), 0x5a, SLOT_SIZE);
	ASSERT_EQ(0, close(conn));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, mine.out_id), 0xa5,
			       SLOT_SIZE));
	EXPECT_EQ(2, pool_in_use(self->p.fd));
}

/* The conn alone keeps the pool and its accounting. */
TEST_F(conn, keeps_the_pool)
{
	struct secbuf_conn_buffer_args args;
	struct secbuf_info_args before, after;

	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &args));
	ASSERT_EQ(0, secbuf_info(self->dev, &before));
	ASSERT_EQ(0, close(self->p.fd));
	memset(pool_slot(&self->p, args.out_id), 0xa5, SLOT_SIZE);
	ASSERT_EQ(0, munmap(self->p.map, self->p.map_size));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools, after.out_nr_pools);
	EXPECT_EQ(before.out_bytes, after.out_bytes);

	ASSERT_EQ(0, close(self->conn));
	ASSERT_EQ(0, secbuf_info(self->dev, &after));
	EXPECT_EQ(before.out_nr_pools - 1, after.out_nr_pools);
	EXPECT_EQ(before.out_nr_conns - 1, after.out_nr_conns);
	EXPECT_GE(before.out_bytes - PAGE, after.out_bytes);
}

TEST_F(conn, many)
{
	struct secbuf_conn_buffer_args args;
	int conns[NR_SLOTS - 1];

	for (int i = 0; i < NR_SLOTS - 1; i++) {
		conns[i] = conn_create(self->dev, self->p.fd);
		ASSERT_LE(0, conns[i]);
		ASSERT_EQ(0, conn_buffer(conns[i], i & 1, &args));
		memset(pool_slot(&self->p, args.out_id), 0xa5, SLOT_SIZE);
	}
	EXPECT_EQ(NR_SLOTS, pool_in_use(self->p.fd));
	EXPECT_EQ(-ENOSPC, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ,
				       &args));
	for (int i = 0; i < NR_SLOTS - 1; i++)
		ASSERT_EQ(0, close(conns[i]));
	EXPECT_EQ(0, count_not(self->p.map, 0, PAGE));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
}

TEST_F(conn, cannot_be_mapped)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
				   self->conn, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_HARNESS_MAIN
