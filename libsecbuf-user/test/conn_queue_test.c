// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The queue of a conn: packets that are copied, moved, refused and sent.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness.h"

#include "device.h"

#define NR_BUFS		256
#define BUF_SIZE	1024
#define MAX_PACKETS	200
#define MAX_BYTES	100000
#define ROUNDS		1000
#define ROUNDS_GUARDED	200

FIXTURE(queue) {
	long rounds;
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	struct secbuf_conn *conn;
};

FIXTURE_VARIANT(queue) {
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(queue, plain) {
	.flags = 0,
};

/* Where the kernel and the program have a packet at different places. */
FIXTURE_VARIANT_ADD(queue, guarded) {
	.flags = SECBUF_POOL_GUARD,
};

FIXTURE_SETUP(queue)
{
	struct secbuf_pool_opts pool_opts = SECBUF_POOL_OPTS(BUF_SIZE, NR_BUFS);
	const struct secbuf_conn_opts opts = {
		.sz = sizeof(opts),
		.max_packets = MAX_PACKETS,
		.max_bytes = MAX_BYTES,
	};

	self->rounds = variant->flags ? ROUNDS_GUARDED : ROUNDS;
	pool_opts.flags = variant->flags;
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &pool_opts));
	ASSERT_EQ(0, secbuf_conn_open(&self->conn, self->ctx, self->pool,
				      &opts));
}

FIXTURE_TEARDOWN(queue)
{
	secbuf_conn_close(self->conn);
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	while (len--)
		*buf++ = seed++ * 7 + 1;
}

static bool is_filled(const unsigned char *buf, size_t len, unsigned int seed)
{
	while (len--)
		if (*buf++ != (unsigned char)(seed++ * 7 + 1))
			return false;
	return true;
}

TEST_F(queue, null)
{
	struct iovec iov = { 0 };
	size_t len = 77;
	void *buf = &buf;

	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue(NULL, &iov, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue(self->conn, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue(self->conn, &iov, 0));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_batch(self->conn, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_batch(NULL, &iov, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_batch(self->conn, &iov,
						     UINT32_MAX));
	EXPECT_EQ(0, secbuf_conn_enqueue_batch(self->conn, &iov, 0));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_move(self->conn, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_dequeue(self->conn, NULL, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_dequeue_move(self->conn, NULL, &len));
	EXPECT_EQ(-EINVAL, secbuf_conn_dequeue_move(self->conn, &buf, NULL));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(-EINVAL, secbuf_conn_dequeue_move(NULL, &buf, &len));
	EXPECT_EQ(77, len);
	EXPECT_EQ(-EINVAL, secbuf_conn_is_near_full(NULL));
	EXPECT_EQ(-EINVAL, secbuf_conn_send(NULL, 0, 0, NULL));
}

TEST_F(queue, copies)
{
	unsigned char in[BUF_SIZE], out[BUF_SIZE];
	size_t len;

	EXPECT_EQ(-EAGAIN, secbuf_conn_dequeue(self->conn, out, sizeof(out)));
	for (len = 1; len <= 20; len++) {
		fill(in, len, len);
		ASSERT_EQ(0, secbuf_conn_enqueue(self->conn, in, len));
	}
	EXPECT_EQ(20, granted(self->pool));
	EXPECT_EQ(-EMSGSIZE, secbuf_conn_dequeue(self->conn, out, 0));
	for (len = 1; len <= 20; len++) {
		if (len > 1)
			EXPECT_EQ(-EMSGSIZE, secbuf_conn_dequeue(self->conn,
								 out, len - 1));
		memset(out, 0, sizeof(out));
		ASSERT_EQ(len, secbuf_conn_dequeue(self->conn, out,
						   1ULL << 32));
		EXPECT_TRUE(is_filled(out, len, len));
		EXPECT_EQ(0, out[len]);
	}
	EXPECT_EQ(0, granted(self->pool));
	EXPECT_EQ(-EAGAIN, secbuf_conn_dequeue(self->conn, out, sizeof(out)));
}

TEST_F(queue, limits)
{
	unsigned char packet[BUF_SIZE + 1] = { 0 };
	unsigned int i;

	EXPECT_EQ(-EMSGSIZE, secbuf_conn_enqueue(self->conn, packet,
						 BUF_SIZE + 1));
	EXPECT_EQ(-EMSGSIZE, secbuf_conn_enqueue(self->conn, packet, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, secbuf_conn_enqueue(self->conn, packet,
						 (1ULL << 32) + 1));
	for (i = 0; i < MAX_PACKETS; i++) {
		EXPECT_EQ(i >= MAX_PACKETS * 8 / 10,
			  secbuf_conn_is_near_full(self->conn));
		ASSERT_EQ(0, secbuf_conn_enqueue(self->conn, packet, 1));
	}
	EXPECT_EQ(-ENOBUFS, secbuf_conn_enqueue(self->conn, packet, 1));
	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
	EXPECT_EQ(0, secbuf_conn_is_near_full(self->conn));
	for (i = 0; i < MAX_BYTES / BUF_SIZE; i++)
		ASSERT_EQ(0, secbuf_conn_enqueue(self->conn, packet, BUF_SIZE));
	EXPECT_EQ(1, secbuf_conn_is_near_full(self->conn));
	EXPECT_EQ(-EOVERFLOW, secbuf_conn_enqueue(self->conn, packet, BUF_SIZE));
	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, packet,
					 MAX_BYTES % BUF_SIZE));
	EXPECT_EQ(-EOVERFLOW, secbuf_conn_enqueue(self->conn, packet, 1));
}

TEST_F(queue, moves)
{
	unsigned char *in, *out;
	size_t len = 0;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, (void **)&in));
	fill(in, BUF_SIZE, 1);
	ASSERT_EQ(0, secbuf_conn_enqueue_move(self->conn, in, BUF_SIZE));
	EXPECT_EQ(-ENOENT, secbuf_conn_enqueue_move(self->conn, in, BUF_SIZE));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, in));
	ASSERT_EQ(0, secbuf_conn_dequeue_move(self->conn, (void **)&out, &len));
	EXPECT_EQ(in, out);
	EXPECT_EQ(BUF_SIZE, len);
	EXPECT_TRUE(is_filled(out, BUF_SIZE, 1));
	EXPECT_EQ(-EAGAIN, secbuf_conn_dequeue_move(self->conn, (void **)&out,
						    &len));
	EXPECT_EQ(NULL, out);
	EXPECT_EQ(0, secbuf_pool_free(self->pool, in));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, in));
}

/* Packets can come in one way and go out the other. */
TEST_F(queue, copy_and_move)
{
	unsigned char packet[BUF_SIZE];
	unsigned char *buf;
	size_t len;

	for (len = 1; len <= BUF_SIZE; len = len * 2 + (len == 64)) {
		fill(packet, len, len);
		ASSERT_EQ(0, secbuf_conn_enqueue(self->conn, packet, len));
		ASSERT_EQ(0, secbuf_conn_dequeue_move(self->conn,
						      (void **)&buf, &len));
		EXPECT_TRUE(is_filled(buf, len, len));
		EXPECT_TRUE(is_zero(buf + len, BUF_SIZE - len));

		fill(buf, len, len + 1);
		ASSERT_EQ(0, secbuf_conn_enqueue_move(self->conn, buf, len));
		ASSERT_EQ(len, secbuf_conn_dequeue(self->conn, packet,
						   BUF_SIZE));
		EXPECT_TRUE(is_filled(packet, len, len + 1));
		EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, buf));
		EXPECT_EQ(0, granted(self->pool));
	}
}

TEST_F(queue, refused_buffer_stays_with_the_caller)
{
	unsigned char packet[BUF_SIZE] = { 0 };
	unsigned char *buf;
	int i;

	for (i = 0; i < MAX_PACKETS; i++)
		ASSERT_EQ(0, secbuf_conn_enqueue(self->conn, packet, 1));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, (void **)&buf));
	fill(buf, 100, 5);
	EXPECT_EQ(-ENOBUFS, secbuf_conn_enqueue_move(self->conn, buf, 100));
	EXPECT_TRUE(is_filled(buf, 100, 5));
	EXPECT_EQ(-EMSGSIZE, secbuf_conn_enqueue_move(self->conn, buf,
						      BUF_SIZE + 1));
	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_move(self->conn, buf, 0));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_move(self->conn, buf + 1, 1));
	EXPECT_EQ(-EINVAL, secbuf_conn_enqueue_move(self->conn, packet, 1));
	EXPECT_TRUE(is_filled(buf, 100, 5));
	EXPECT_EQ(0, secbuf_pool_free(self->pool, buf));
	EXPECT_EQ(-ENOENT, secbuf_conn_enqueue_move(self->conn, buf, 1));
}

TEST_F(queue, buffer_of_a_conn_is_not_moved)
{
	void *buf;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ,
					&buf));
	EXPECT_EQ(-EBUSY, secbuf_conn_enqueue_move(self->conn, buf, 1));
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn,
						SECBUF_CONN_BUFFER_READ, 0));
	EXPECT_EQ(-ENOENT, secbuf_conn_enqueue_move(self->conn, buf, 1));
}

/* More than one system call takes. */
TEST_F(queue, batches)
{
	static unsigned char in[MAX_PACKETS][100], out[MAX_PACKETS][101];
	struct iovec iov[MAX_PACKETS + 1];
	int i;

	for (i = 0; i < MAX_PACKETS; i++) {
		fill(in[i], 100, i);
		iov[i] = (struct iovec) { in[i], 1 + i % 100 };
	}
	iov[150].iov_len = BUF_SIZE + 1;
	EXPECT_EQ(150, secbuf_conn_enqueue_batch(self->conn, iov, MAX_PACKETS));
	EXPECT_EQ(-EMSGSIZE, secbuf_conn_enqueue_batch(self->conn, iov + 150,
						       1));
	iov[150].iov_len = 51;
	EXPECT_EQ(50, secbuf_conn_enqueue_batch(self->conn, iov + 150, 50));
	EXPECT_EQ(-ENOBUFS, secbuf_conn_enqueue_batch(self->conn, iov, 2));

	for (i = 0; i <= MAX_PACKETS; i++)
		iov[i] = (struct iovec) { out[i % MAX_PACKETS], 101 };
	iov[120].iov_len = 1;
	EXPECT_EQ(120, secbuf_conn_dequeue_batch(self->conn, iov, MAX_PACKETS));
	EXPECT_EQ(-EMSGSIZE, secbuf_conn_dequeue_batch(self->conn, iov + 120,
						       1));
	EXPECT_EQ(1, iov[120].iov_len);
	iov[120].iov_len = 101;
	EXPECT_EQ(80, secbuf_conn_dequeue_batch(self->conn, iov + 120, 81));
	EXPECT_EQ(-EAGAIN, secbuf_conn_dequeue_batch(self->conn, iov, 1));
	for (i = 0; i < MAX_PACKETS; i++) {
		EXPECT_EQ(1 + i % 100, iov[i].iov_len);
		EXPECT_TRUE(is_filled(out[i], iov[i].iov_len, i));
		EXPECT_EQ(0, out[i][iov[i].iov_len]);
	}
}

TEST_F(queue, batches_of_moves)
{
	struct iovec iov[MAX_PACKETS] = { 0 };
	void *bufs[MAX_PACKETS];
	int i;

	ASSERT_EQ(MAX_PACKETS, secbuf_pool_alloc_batch(self->pool, bufs,
						       MAX_PACKETS));
	for (i = 0; i < MAX_PACKETS; i++) {
		fill(bufs[i], 100, i);
		iov[i] = (struct iovec) { bufs[i], 100 };
	}
	/* Twice the same. */
	iov[100].iov_base = bufs[99];
	EXPECT_EQ(100, secbuf_conn_enqueue_move_batch(self->conn, iov,
						      MAX_PACKETS));
	EXPECT_EQ(-ENOENT, secbuf_conn_enqueue_move_batch(self->conn, iov + 100,
							  1));
	iov[100].iov_base = bufs[100];
	/* The kernel stops, and what it has not taken is the caller's. */
	iov[160].iov_len = 0;
	EXPECT_EQ(60, secbuf_conn_enqueue_move_batch(self->conn, iov + 100,
						     100));
	iov[160].iov_len = 100;
	EXPECT_TRUE(is_filled(bufs[160], 100, 160));
	EXPECT_EQ(40, secbuf_conn_enqueue_move_batch(self->conn, iov + 160,
						     40));
	memset(iov, 0, sizeof(iov));
	EXPECT_EQ(MAX_PACKETS, secbuf_conn_dequeue_move_batch(self->conn, iov,
							      MAX_PACKETS));
	EXPECT_EQ(-EAGAIN, secbuf_conn_dequeue_move_batch(self->conn, iov, 1));
	for (i = 0; i < MAX_PACKETS; i++) {
		EXPECT_EQ(bufs[i], iov[i].iov_base);
		EXPECT_EQ(100, iov[i].iov_len);
		EXPECT_TRUE(is_filled(bufs[i], 100, i));
		EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
	}
}

/* A copy needs a slot, which another thread may keep at hand. */
TEST_F(queue, gets_what_threads_keep)
{
	struct secbuf_pool_opts pool_opts = CACHED_OPTS(BUF_SIZE, 8);
	struct secbuf_pool *pool;
	struct secbuf_conn *conn;
	void *bufs[8];

	if (variant->flags)
		return;
	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &pool_opts));
	ASSERT_EQ(0, secbuf_conn_open(&conn, self->ctx, pool, NULL));
	ASSERT_EQ(8, secbuf_pool_alloc_batch(pool, bufs, 8));
	EXPECT_EQ(-ENOSPC, secbuf_conn_enqueue(conn, "abc", 3));
	EXPECT_EQ(0, secbuf_pool_free(pool, bufs[0]));
	ASSERT_EQ(8, granted(pool));
	EXPECT_EQ(0, secbuf_conn_enqueue(conn, "abc", 3));
	EXPECT_EQ(-ENOSPC, secbuf_conn_enqueue(conn, "abc", 3));
	secbuf_conn_close(conn);
	secbuf_pool_close(pool);
}

static bool receives(int sock, const unsigned char *bytes, size_t len)
{
	unsigned char got[BUF_SIZE];

	return recv(sock, got, sizeof(got), MSG_DONTWAIT) == (ssize_t)len &&
	       !memcmp(got, bytes, len);
}

TEST_F(queue, sends_messages)
{
	unsigned char packet[BUF_SIZE];
	unsigned int sent = 77;
	int socks[2];
	void *buf;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socks));
	EXPECT_EQ(-EAGAIN, secbuf_conn_send(self->conn, socks[0], 0, &sent));
	EXPECT_EQ(77, sent);
	fill(packet, BUF_SIZE, 9);
	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, packet, 10));
	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	fill(buf, 1000, 9);
	EXPECT_EQ(0, secbuf_conn_enqueue_move(self->conn, buf, 1000));
	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, packet, 30));
	EXPECT_EQ(-ENOTSOCK, secbuf_conn_send(self->conn,
					      secbuf_conn_fd(self->conn), 0,
					      NULL));
	EXPECT_EQ(-EBADF, secbuf_conn_send(self->conn, -1, 0, NULL));
	EXPECT_EQ(1010, secbuf_conn_send(self->conn, socks[0], 2, &sent));
	EXPECT_EQ(2, sent);
	EXPECT_EQ(30, secbuf_conn_send(self->conn, socks[0], 0, NULL));
	EXPECT_TRUE(receives(socks[1], packet, 10));
	EXPECT_TRUE(receives(socks[1], packet, 1000));
	EXPECT_TRUE(receives(socks[1], packet, 30));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, buf));
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));

	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, packet, 10));
	close(socks[1]);
	EXPECT_EQ(-EPIPE, secbuf_conn_send(self->conn, socks[0], 0, NULL));
	EXPECT_EQ(10, secbuf_conn_dequeue(self->conn, packet, 10));
	close(socks[0]);
}

/* Until the socket is full, and on from there. */
TEST_F(queue, sends_to_a_stream)
{
	unsigned char packet[BUF_SIZE], got[BUF_SIZE];
	size_t in = 0, out = 0, i;
	int socks[2], size = 4096;
	ssize_t n;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	setsockopt(socks[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (i = 0; i < 90; i++) {
		fill(packet, BUF_SIZE, in);
		ASSERT_EQ(0, secbuf_conn_enqueue(self->conn, packet, BUF_SIZE));
		in += BUF_SIZE;
	}
	EXPECT_LT(0, secbuf_conn_send(self->conn, socks[0], 0, NULL));
	while (secbuf_conn_send(self->conn, socks[0], 0, NULL) > 0)
		;
	EXPECT_EQ(-EAGAIN, secbuf_conn_send(self->conn, socks[0], 0, NULL));
	EXPECT_NE(0, granted(self->pool));
	while ((n = recv(socks[1], got, sizeof(got), MSG_DONTWAIT)) > 0) {
		EXPECT_TRUE(is_filled(got, n, out));
		out += n;
		secbuf_conn_send(self->conn, socks[0], 0, NULL);
	}
	EXPECT_EQ(in, out);
	EXPECT_EQ(0, granted(self->pool));
	close(socks[0]);
	close(socks[1]);
}

static void *produce(void *arg)
{
	FIXTURE_DATA(queue) *self = arg;
	unsigned char *buf;
	long i = 0;
	int err;

	while (i < self->rounds) {
		err = secbuf_pool_alloc(self->pool, (void **)&buf);
		if (err == -ENOSPC) {
			/* The other thread keeps the last, and has to run. */
			sched_yield();
			continue;
		}
		if (err)
			abort();
		fill(buf, 64, i);
		while (secbuf_conn_enqueue_move(self->conn, buf, 64))
			sched_yield();
		i++;
	}
	return (void *)i;
}

TEST_F(queue, two_threads)
{
	pthread_t thread;
	unsigned char *buf;
	long i = 0, failed = 0;
	void *produced;
	size_t len;

	ASSERT_EQ(0, pthread_create(&thread, NULL, produce, self));
	while (i < self->rounds) {
		if (secbuf_conn_dequeue_move(self->conn, (void **)&buf, &len)) {
			sched_yield();
			continue;
		}
		failed += len != 64 || !is_filled(buf, 64, i++);
		failed += secbuf_pool_free(self->pool, buf) != 0;
	}
	pthread_join(thread, &produced);
	EXPECT_EQ(self->rounds, (long)produced);
	EXPECT_EQ(0, failed);
}

#ifdef FAKE
/* Answers that no module gives. */
TEST_F(queue, answers)
{
	struct iovec iov = { self, 10 };
	void *buf = &buf;
	size_t len = 77;

	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, "abc", 3));
	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, "abc", 3));
	fake.first_id = NR_BUFS;
	EXPECT_EQ(-EPROTO, secbuf_conn_dequeue_move(self->conn, &buf, &len));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(77, len);
	EXPECT_EQ(-EPROTO, secbuf_conn_dequeue_move_batch(self->conn, &iov, 1));
	EXPECT_EQ((void *)self, iov.iov_base);
	fake.first_id = 0;
	fake.done = 2;
	EXPECT_EQ(-EPROTO, secbuf_conn_enqueue_batch(self->conn, &iov, 1));
	fake_reset();
	/* With those that it has not got back. */
	secbuf_conn_close(self->conn);
	self->conn = NULL;
	secbuf_pool_close(self->pool);
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, NULL));
}
#endif

TEST_HARNESS_MAIN
