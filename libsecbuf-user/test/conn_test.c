// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Conns: their buffers, which the kernel can take at any time when they are not
 * out, and all that they own. The queue is in conn_queue_test.c.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#include "harness.h"

#include "../src/conn.h"
#include "device.h"

#define NR_BUFS		16
#define BUF_SIZE	1024
#define ROUNDS		2000
#define GRANTED		10
#define READ		SECBUF_CONN_BUFFER_READ
#define WRITE		SECBUF_CONN_BUFFER_WRITE

FIXTURE(conns) {
	struct secbuf_context *ctx;
	struct secbuf_pool *pool;
	struct secbuf_conn *conn;
};

FIXTURE_SETUP(conns)
{
	const struct secbuf_pool_opts opts = SECBUF_POOL_OPTS(BUF_SIZE, NR_BUFS);

	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
	ASSERT_EQ(0, secbuf_conn_open(&self->conn, self->ctx, self->pool,
				      NULL));
}

FIXTURE_TEARDOWN(conns)
{
	secbuf_conn_close(self->conn);
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	EXPECT_EQ(0, granted(self->pool));
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

static uint32_t *state_of(struct secbuf_conn *conn, int which)
{
	return &conn->pool->hot.words[conn->places[which].id].state;
}

static uint32_t state(struct secbuf_conn *conn, int which)
{
	return *state_of(conn, which) & SECBUF_SLOT_STATE_MASK;
}

TEST_F(conns, options)
{
	struct {
		struct secbuf_conn_opts known;
		uint64_t unknown;
	} opts = { .known = { .sz = sizeof(opts) } };
	struct secbuf_conn_stats_args stats;
	struct secbuf_conn *conn = self->conn;

	opts.unknown = 1;
	EXPECT_EQ(-E2BIG, secbuf_conn_open(&conn, self->ctx, self->pool,
					   &opts.known));
	EXPECT_EQ(NULL, conn);
	opts.unknown = 0;
	opts.known.near_full = 101;
	EXPECT_EQ(-EINVAL, secbuf_conn_open(&conn, self->ctx, self->pool,
					    &opts.known));
	opts.known.near_full = 100;
	opts.known.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_conn_open(&conn, self->ctx, self->pool,
						&opts.known));
	opts.known.flags = SECBUF_CONN_KEEP;
	opts.known.max_packets = 7;
	opts.known.max_bytes = 77;
	ASSERT_EQ(0, secbuf_conn_open(&conn, self->ctx, self->pool,
				      &opts.known));
	EXPECT_EQ(FD_CLOEXEC, fcntl(secbuf_conn_fd(conn), F_GETFD));
	EXPECT_EQ(0, secbuf_conn_get_stats(conn, &stats));
	EXPECT_EQ(7, stats.out_max_packets);
	EXPECT_EQ(77, stats.out_max_bytes);
	secbuf_conn_close(conn);

	EXPECT_EQ(0, secbuf_conn_get_stats(self->conn, &stats));
	EXPECT_EQ(SECBUF_CONN_MAX_PACKETS_DEFAULT, stats.out_max_packets);
	EXPECT_EQ(SECBUF_CONN_MAX_BYTES_DEFAULT, stats.out_max_bytes);
	EXPECT_EQ(0, granted(self->pool));
}

TEST_F(conns, buffers)
{
	void *in, *out, *again;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &in));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &out));
	ASSERT_NE(in, out);
	EXPECT_TRUE(is_zero(in, BUF_SIZE));
	EXPECT_TRUE(is_zero(out, BUF_SIZE));
	EXPECT_EQ(0, secbuf_conn_buffer(self->conn, READ, &again));
	EXPECT_EQ(in, again);
	EXPECT_EQ(-EINVAL, secbuf_conn_buffer(self->conn,
					      SECBUF_CONN_BUFFER_NR, &again));
	EXPECT_EQ(NULL, again);
	EXPECT_EQ(-EINVAL, secbuf_conn_buffer(self->conn, READ, NULL));
	EXPECT_EQ(-EBUSY, secbuf_pool_free(self->pool, in));
	EXPECT_EQ(2, granted(self->pool));
}

TEST_F(conns, released_is_at_hand)
{
	unsigned char *buf;
	void *again;
	uint32_t tag;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, (void **)&buf));
	EXPECT_EQ(SECBUF_SLOT_BUSY, state(self->conn, READ));
	tag = *state_of(self->conn, READ) & ~SECBUF_SLOT_STATE_MASK;
	memset(buf, 0xa5, 100);
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, READ, 100));
	EXPECT_EQ(SECBUF_SLOT_IDLE, state(self->conn, READ));
	EXPECT_EQ(-ENOENT, secbuf_conn_buffer_release(self->conn, READ, 0));
	EXPECT_EQ(-ENOENT, secbuf_conn_buffer_used(self->conn, READ, 0));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, buf));
	EXPECT_EQ(-EINVAL, secbuf_conn_buffer_release(self->conn, 77, 0));
#ifdef FAKE
	fake.calls = 0;
#endif
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &again));
#ifdef FAKE
	EXPECT_EQ(0, fake.calls);
#endif
	EXPECT_EQ(buf, again);
	EXPECT_TRUE(is_zero(buf, BUF_SIZE));
	EXPECT_EQ(SECBUF_SLOT_BUSY | tag, *state_of(self->conn, READ));
	/* Too many are all. */
	memset(buf, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, READ, SIZE_MAX));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &again));
	EXPECT_TRUE(is_zero(buf, BUF_SIZE));
}

/* The kernel has looked at it, and it stays where it is. */
TEST_F(conns, aged_is_at_hand)
{
	void *buf, *again;
	uint32_t *word;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &buf));
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, WRITE, BUF_SIZE));
	word = state_of(self->conn, WRITE);
	*word = (*word & ~SECBUF_SLOT_STATE_MASK) | SECBUF_SLOT_AGED;
#ifdef FAKE
	fake.calls = 0;
#endif
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &again));
#ifdef FAKE
	EXPECT_EQ(0, fake.calls);
#endif
	EXPECT_EQ(buf, again);
	EXPECT_EQ(SECBUF_SLOT_BUSY, state(self->conn, WRITE));
}

TEST_F(conns, what_is_out_is_not_taken)
{
	uint64_t bytes = 77;
	void *in, *out;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &in));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &out));
	memset(in, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, WRITE, 0));
	EXPECT_EQ(-EINVAL, secbuf_conn_shrink(self->conn, 77, &bytes));
	EXPECT_EQ(77, bytes);
	EXPECT_EQ(0, secbuf_conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE,
					&bytes));
	EXPECT_EQ(BUF_SIZE, bytes);
	EXPECT_EQ(1, granted(self->pool));
	EXPECT_FALSE(is_zero(in, BUF_SIZE));
	EXPECT_EQ(-EBUSY, secbuf_pool_free(self->pool, in));
}

/* What was taken belongs to others, however the word looks to them. */
TEST_F(conns, taken_is_replaced)
{
	struct secbuf_conn *other;
	void *mine, *others, *bufs[NR_BUFS];
	int i;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &mine));
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, READ, 0));
	EXPECT_EQ(0, secbuf_conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE,
					NULL));
	EXPECT_EQ(0, granted(self->pool));
	ASSERT_EQ(0, secbuf_conn_open(&other, self->ctx, self->pool, NULL));
	for (i = 0; i < NR_BUFS - 2; i++)
		ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &bufs[i]));
	EXPECT_EQ(0, secbuf_pool_flush(self->pool));
	ASSERT_EQ(0, secbuf_conn_buffer(other, READ, &others));
	EXPECT_EQ(0, secbuf_conn_buffer_release(other, READ, 0));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &mine));
	EXPECT_NE(mine, others);
	memset(mine, 0xa5, BUF_SIZE);
	EXPECT_TRUE(is_zero((char *)self->pool->map.slots +
			    other->places[READ].id * BUF_SIZE, 0));
	ASSERT_EQ(0, secbuf_conn_buffer(other, READ, &others));
	EXPECT_TRUE(is_zero(others, BUF_SIZE));
	for (i = 0; i < NR_BUFS - 2; i++) {
		EXPECT_NE(mine, bufs[i]);
		EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
	}
	secbuf_conn_close(other);
}

/* The same slot, of another conn. Its tag tells. */
TEST_F(conns, tag_tells_whose_it_is)
{
	struct secbuf_conn *other;
	void *mine, *others;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &mine));
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, READ, 0));
	EXPECT_EQ(0, secbuf_conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE,
					NULL));
	ASSERT_EQ(0, secbuf_conn_open(&other, self->ctx, self->pool, NULL));
	ASSERT_EQ(0, secbuf_conn_buffer(other, READ, &others));
	if (others != mine)
		SKIP(return, "the kernel has chosen another slot");
	EXPECT_EQ(0, secbuf_conn_buffer_release(other, READ, 0));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &mine));
	EXPECT_NE(others, mine);
	EXPECT_EQ(SECBUF_SLOT_IDLE, state(other, READ));
	secbuf_conn_close(other);
}

/* What was not out and was taken may be somebody's, who must not lose it. */
TEST_F(conns, zeroize_leaves_what_was_taken)
{
	void *buf, *bufs[NR_BUFS];
	int i;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &buf));
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, READ, 0));
	EXPECT_EQ(0, secbuf_conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE,
					NULL));
	ASSERT_EQ(NR_BUFS, secbuf_pool_alloc_batch(self->pool, bufs, NR_BUFS));
	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
	for (i = 0; i < NR_BUFS; i++)
		EXPECT_EQ(0, secbuf_pool_free(self->pool, bufs[i]));
}

TEST_F(conns, used)
{
	struct secbuf_conn_stats_args stats;
	void *buf;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &buf));
	EXPECT_EQ(0, secbuf_conn_buffer_used(self->conn, WRITE, 100));
	ASSERT_EQ(0, secbuf_conn_get_stats(self->conn, &stats));
	EXPECT_EQ(BUF_SIZE, stats.out_write.allocated);
	EXPECT_EQ(100, stats.out_write.used);
	EXPECT_EQ(0, stats.out_read.allocated);
	EXPECT_EQ(0, secbuf_conn_buffer_used(self->conn, WRITE, SIZE_MAX));
	ASSERT_EQ(0, secbuf_conn_get_stats(self->conn, &stats));
	EXPECT_EQ(BUF_SIZE, stats.out_write.used);

	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, WRITE, 0));
	ASSERT_EQ(0, secbuf_conn_get_stats(self->conn, &stats));
	EXPECT_EQ(0, stats.out_write.used);
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &buf));
	ASSERT_EQ(0, secbuf_conn_get_stats(self->conn, &stats));
	EXPECT_EQ(0, stats.out_write.used);
	EXPECT_EQ(1, stats.out_granted);
}

TEST_F(conns, zeroize)
{
	void *in, *out;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &in));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &out));
	memset(in, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, WRITE, 0));
	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, in, BUF_SIZE));
	EXPECT_EQ(3, granted(self->pool));
	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
	EXPECT_EQ(0, granted(self->pool));
	EXPECT_EQ(-ENOENT, secbuf_pool_free(self->pool, in));
	EXPECT_EQ(-ENOENT, secbuf_conn_buffer_release(self->conn, READ, 0));
	EXPECT_EQ(-EAGAIN, secbuf_conn_dequeue(self->conn, &in, sizeof(in)));

	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &in));
	EXPECT_TRUE(is_zero(in, BUF_SIZE));
}

TEST_F(conns, reset_keeps_buffers)
{
	void *in, *out, *again;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &in));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &out));
	memset(in, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_enqueue(self->conn, in, BUF_SIZE));
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, WRITE, 0));
	EXPECT_EQ(0, secbuf_conn_reset(self->conn));
	EXPECT_EQ(2, granted(self->pool));
	EXPECT_TRUE(is_zero(in, BUF_SIZE));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &again));
	EXPECT_EQ(in, again);
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &again));
	EXPECT_EQ(out, again);
	EXPECT_EQ(0, secbuf_conn_touch(self->conn));
}

/* Neighbours in a page of which one is out and one is not. */
TEST_F(conns, guarded_pool)
{
	struct secbuf_pool_opts opts = SECBUF_POOL_OPTS(BUF_SIZE, 4);
	struct secbuf_pool *pool;
	struct secbuf_conn *conn;
	unsigned char *buf;
	void *again;

	opts.flags = SECBUF_POOL_GUARD;
	ASSERT_EQ(0, secbuf_pool_open(&pool, self->ctx, &opts));
	ASSERT_EQ(0, secbuf_conn_open(&conn, self->ctx, pool, NULL));
	ASSERT_EQ(0, secbuf_conn_buffer(conn, READ, (void **)&buf));
	EXPECT_EQ(0, (uintptr_t)(buf + BUF_SIZE) % 4096);
	memset(buf, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_buffer_release(conn, READ, BUF_SIZE));
	ASSERT_EQ(0, secbuf_conn_buffer(conn, READ, &again));
	EXPECT_EQ(buf, again);
	EXPECT_TRUE(is_zero(buf, BUF_SIZE));
	secbuf_conn_close(conn);
	secbuf_pool_close(pool);
}

struct taker {
	struct secbuf_conn *conn;
	bool stop;
};

static void *take_all_the_time(void *arg)
{
	struct taker *taker = arg;

	while (!__atomic_load_n(&taker->stop, __ATOMIC_RELAXED)) {
		secbuf_conn_shrink(taker->conn, SECBUF_CONN_SHRINK_IDLE, NULL);
		sched_yield();
	}
	return NULL;
}

/* Writes all over the buffer and finds it as it left it. */
static bool use(struct secbuf_conn *conn, int which, unsigned char value)
{
	unsigned char *buf;
	size_t i;

	if (secbuf_conn_buffer(conn, which, (void **)&buf) ||
	    !is_zero(buf, BUF_SIZE))
		return false;
	memset(buf, value, BUF_SIZE);
	for (i = 0; i < BUF_SIZE; i++)
		if (buf[i] != value)
			return false;
	return !secbuf_conn_buffer_release(conn, which, BUF_SIZE);
}

static uint64_t nr_granted(struct secbuf_conn *conn)
{
	struct secbuf_conn_stats_args stats = { 0 };

	secbuf_conn_get_stats(conn, &stats);
	return stats.out_granted;
}

/* As long as nothing was taken, nothing was tested. */
static bool goes_on(struct secbuf_conn *conn, long round, time_t end)
{
	if (round < ROUNDS || round % 100)
		return true;
	return nr_granted(conn) < GRANTED && now_s() < end;
}

/* The kernel takes whatever it can while two threads use one buffer each. */
static void *use_the_other(void *arg)
{
	time_t end = now_s() + WAIT_S;
	long i, failed = 0;

	for (i = 0; goes_on(arg, i, end); i++) {
		failed += !use(arg, WRITE, i | 1);
		sched_yield();
	}
	return (void *)failed;
}

TEST_F(conns, taken_at_any_time)
{
	struct taker taker = { .conn = self->conn };
	time_t end = now_s() + WAIT_S;
	pthread_t thread, user;
	long i, failed = 0;
	void *others;

	ASSERT_EQ(0, pthread_create(&thread, NULL, take_all_the_time, &taker));
	ASSERT_EQ(0, pthread_create(&user, NULL, use_the_other, self->conn));
	for (i = 0; goes_on(self->conn, i, end); i++) {
		failed += !use(self->conn, READ, i | 1);
		sched_yield();
	}
	pthread_join(user, &others);
	__atomic_store_n(&taker.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, failed);
	EXPECT_EQ(NULL, others);
	EXPECT_EQ(0, secbuf_conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE,
					NULL));
	EXPECT_EQ(0, granted(self->pool));
	EXPECT_LE(GRANTED, nr_granted(self->conn));
}

static void *open_one(void *arg)
{
	FIXTURE_DATA(conns) *self = arg;
	struct secbuf_conn *conn = NULL;

	secbuf_conn_open(&conn, self->ctx, self->pool, NULL);
	return conn;
}

/* Only one of them can map the words. */
TEST_F(conns, first_conn_of_a_pool_by_several_threads)
{
	const struct secbuf_pool_opts opts = SECBUF_POOL_OPTS(BUF_SIZE, NR_BUFS);
	struct secbuf_pool *mine = self->pool;
	pthread_t threads[4];
	void *conn;
	size_t i;

	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, &opts));
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, open_one, self));
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &conn);
		EXPECT_NE(NULL, conn);
		secbuf_conn_close(conn);
	}
	secbuf_pool_close(self->pool);
	self->pool = mine;
}

static int child_is_refused(FIXTURE_DATA(conns) *self)
{
	struct secbuf_conn_stats_args stats;
	struct iovec iov = { &stats, sizeof(stats) };
	struct secbuf_conn *conn = self->conn, *other;
	size_t len;
	void *buf;

	if (secbuf_conn_open(&other, self->ctx, self->pool, NULL) !=
	    -EOWNERDEAD || other)
		return 1;
	if (secbuf_conn_buffer(conn, READ, &buf) != -EOWNERDEAD || buf ||
	    secbuf_conn_buffer(conn, WRITE, &buf) != -EOWNERDEAD ||
	    secbuf_conn_buffer_release(conn, WRITE, 0) != -EOWNERDEAD ||
	    secbuf_conn_buffer_used(conn, WRITE, 0) != -EOWNERDEAD)
		return 2;
	if (secbuf_conn_enqueue(conn, &len, 1) != -EOWNERDEAD ||
	    secbuf_conn_enqueue_batch(conn, &iov, 1) != -EOWNERDEAD ||
	    secbuf_conn_enqueue_move(conn, &len, 1) != -EOWNERDEAD ||
	    secbuf_conn_enqueue_move_batch(conn, &iov, 1) != -EOWNERDEAD)
		return 3;
	if (secbuf_conn_dequeue(conn, &len, 1) != -EOWNERDEAD ||
	    secbuf_conn_dequeue_batch(conn, &iov, 1) != -EOWNERDEAD ||
	    secbuf_conn_dequeue_move(conn, &buf, &len) != -EOWNERDEAD || buf ||
	    secbuf_conn_dequeue_move_batch(conn, &iov, 1) != -EOWNERDEAD)
		return 4;
	if (secbuf_conn_is_near_full(conn) != -EOWNERDEAD ||
	    secbuf_conn_send(conn, 0, 0, NULL) != -EOWNERDEAD ||
	    secbuf_conn_touch(conn) != -EOWNERDEAD ||
	    secbuf_conn_get_stats(conn, &stats) != -EOWNERDEAD)
		return 5;
	if (secbuf_conn_shrink(conn, 0, NULL) != -EOWNERDEAD ||
	    secbuf_conn_reset(conn) != -EOWNERDEAD ||
	    secbuf_conn_zeroize(conn) != -EOWNERDEAD)
		return 6;
	secbuf_conn_close(conn);
	secbuf_pool_close(self->pool);
	return 0;
}

TEST_F(conns, child)
{
	void *in, *out, *again;

	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, READ, &in));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &out));
	memset(in, 0xa5, BUF_SIZE);
	EXPECT_EQ(0, secbuf_conn_buffer_release(self->conn, WRITE, 0));
	EXPECT_EQ(0, in_child(child_is_refused, self));
	EXPECT_FALSE(is_zero(in, BUF_SIZE));
	ASSERT_EQ(0, secbuf_conn_buffer(self->conn, WRITE, &again));
	EXPECT_EQ(out, again);
}

TEST_F(conns, small)
{
	/* With what malloc() needs. */
	EXPECT_GE(48, sizeof(struct secbuf_conn) + 8);
}

#ifdef FAKE
/* Answers that no module gives. */
TEST_F(conns, answers)
{
	void *buf = &buf;

	fake.first_id = NR_BUFS;
	EXPECT_EQ(-EPROTO, secbuf_conn_buffer(self->conn, READ, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(-ENOENT, secbuf_conn_buffer_release(self->conn, READ, 0));
	fake.first_id = 0;
	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
}
#else
TEST_F(conns, streams)
{
	const struct secbuf_ring_opts opts = { .sz = sizeof(opts) };
	struct secbuf_ring_producer *producer;
	struct secbuf_ring_consumer *consumer;
	struct secbuf_conn *other;
	char byte = 1;

	ASSERT_EQ(0, secbuf_ring_open(&producer, &consumer, self->ctx, &opts));
	ASSERT_EQ(0, secbuf_conn_open(&other, self->ctx, self->pool, NULL));
	EXPECT_EQ(-EINVAL, secbuf_conn_stream_add(self->conn, NULL));
	EXPECT_EQ(-ENOENT, secbuf_conn_stream_del(other, &producer->side));
	EXPECT_EQ(0, secbuf_conn_stream_add(other, &producer->side));
	EXPECT_EQ(-EEXIST, secbuf_conn_stream_add(self->conn,
						  &consumer->side));
	EXPECT_EQ(0, secbuf_conn_stream_del(other, &consumer->side));
	EXPECT_EQ(0, secbuf_conn_stream_add(self->conn, &consumer->side));
	EXPECT_EQ(0, secbuf_ring_write(producer, &byte, 1));
	secbuf_conn_close(other);
	EXPECT_EQ(0, secbuf_ring_write(producer, &byte, 1));
	EXPECT_EQ(0, secbuf_conn_zeroize(self->conn));
	EXPECT_EQ(-ESHUTDOWN, secbuf_ring_read(consumer, &byte, 1));
	EXPECT_EQ(-ESHUTDOWN, secbuf_conn_stream_add(self->conn,
						     &producer->side));
	secbuf_ring_producer_close(producer);
	secbuf_ring_consumer_close(consumer);
}
#endif

TEST_HARNESS_MAIN
