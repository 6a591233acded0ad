// SPDX-License-Identifier: GPL-2.0
/*
 * Rings as other modules use them: spans, batches of records, bytes all or none,
 * and who is called when there is something to do.
 */
#include <linux/secbuf_ring.h>

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "fixture.h"
#include "ring.h"
#include "ring_file.h"
#include "ring_io.h"

#define SIZE	(4 * PAGE_SIZE)
#define NR	8

/* No process is here that could have a file. */
struct file *secbuf_ring_file_create(struct secbuf_ring_end *end)
{
	return ERR_PTR(-EPERM);
}

static const struct secbuf_ring_ops no_ops = {};

/**
 * struct port_test - a ring of which a module has an end
 * @end: that
 * @peer: the other, as if it was a process's
 * @notified: how often the module was called
 * @in: to write
 * @out: to read into
 */
struct port_test {
	struct secbuf_ring_end *end;
	struct secbuf_ring_end *peer;
	int notified;
	u8 in[SIZE];
	u8 out[SIZE];
};

static void count_notify(void *priv)
{
	struct port_test *port = priv;

	port->notified++;
}

static void port_free(void *arg)
{
	struct port_test *port = arg;
	struct secbuf_ring *ring = port->peer->ring;

	secbuf_ring_end_release(port->peer);
	secbuf_ring_destroy(port->end);
	secbuf_ring_put(ring);
}

static struct port_test *port_new(struct kunit *test, bool produce,
				  bool records)
{
	struct port_test *port = kunit_kzalloc(test, sizeof(*port), GFP_KERNEL);
	struct secbuf_ring_params params = {
		.size = SIZE, .produce = produce, .records = records,
		.notify = count_notify, .priv = port,
	};
	int i;

	KUNIT_ASSERT_NOT_NULL(test, port);
	for (i = 0; i < SIZE; i++)
		port->in[i] = 1 + i % 251;
	port->end = secbuf_ring_create(&params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(port->end));
	port->peer = secbuf_ring_peer(port->end);
	secbuf_ring_end_hold(port->peer, &no_ops, NULL);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, port_free, port),
			0);
	return port;
}

static ssize_t peer_write(struct port_test *port, const void *buf, size_t len)
{
	struct kvec vec = { (void *)buf, len };
	struct iov_iter from;

	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	return secbuf_ring_write_iter(port->peer, &from, 0, 0);
}

static ssize_t peer_read(struct port_test *port, void *buf, size_t len)
{
	struct kvec vec = { buf, len };
	struct iov_iter to;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	return secbuf_ring_read_iter(port->peer, &to, 0, 0);
}

static bool ring_is_zero(struct port_test *port)
{
	struct page *page;
	int i;

	for (i = 0; i < SIZE >> PAGE_SHIFT; i++) {
		page = secbuf_ring_memory_page(&port->end->ring->memory, i);
		if (page && memchr_inv(page_address(page), 0, PAGE_SIZE))
			return false;
	}
	return true;
}

/* Spans */

static void reserve_test(struct kunit *test)
{
	struct port_test *port = port_new(test, true, false);
	size_t len = 100;
	u8 *span;

	span = secbuf_ring_reserve(port->end, &len);
	KUNIT_ASSERT_FALSE(test, IS_ERR(span));
	KUNIT_EXPECT_EQ(test, len, (size_t)100);
	memset(span, 0x5a, 100);
	KUNIT_EXPECT_EQ(test, secbuf_ring_commit(port->end, 101), -EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_commit(port->end, 40), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(span + 40, 0, 60));
	KUNIT_EXPECT_EQ(test, peer_read(port, port->out, SIZE), (ssize_t)40);
	KUNIT_EXPECT_NULL(test, memchr_inv(port->out, 0x5a, 40));

	/* Up to the end of the page. */
	len = SIZE;
	span = secbuf_ring_reserve(port->end, &len);
	KUNIT_ASSERT_FALSE(test, IS_ERR(span));
	KUNIT_EXPECT_EQ(test, len, (size_t)PAGE_SIZE - 40);
	memset(span, 0x5a, len);
	secbuf_ring_cancel(port->end);
	KUNIT_EXPECT_TRUE(test, ring_is_zero(port));
	KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end), (ssize_t)0);
	/* Nothing is reserved any more. */
	secbuf_ring_cancel(port->end);
	KUNIT_EXPECT_EQ(test, secbuf_ring_commit(port->end, 0), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_commit(port->end, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(secbuf_ring_peek(port->end, &len)),
			(long)-EINVAL);
	len = 0;
	KUNIT_EXPECT_EQ(test, PTR_ERR(secbuf_ring_reserve(port->end, &len)),
			(long)-EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_clear(port->end), -EINVAL);
}

static void peek_test(struct kunit *test)
{
	struct port_test *port = port_new(test, false, false);
	size_t len = SIZE;
	u8 *span;

	KUNIT_ASSERT_EQ(test, peer_write(port, port->in, 100), (ssize_t)100);
	span = secbuf_ring_peek(port->end, &len);
	KUNIT_ASSERT_FALSE(test, IS_ERR(span));
	KUNIT_EXPECT_EQ(test, len, (size_t)100);
	KUNIT_EXPECT_EQ(test, memcmp(span, port->in, 100), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_consume(port->end, 101), -EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_consume(port->end, 30), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(span, 0, 30));
	KUNIT_EXPECT_EQ(test, (int)span[30], (int)port->in[30]);
	KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end), (ssize_t)70);
	KUNIT_EXPECT_EQ(test, secbuf_ring_consume(port->end, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, secbuf_ring_clear(port->end), 0);
	KUNIT_EXPECT_TRUE(test, ring_is_zero(port));
	KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end), (ssize_t)0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_space(port->end), (ssize_t)SIZE);
	KUNIT_EXPECT_EQ(test, PTR_ERR(secbuf_ring_reserve(port->end, &len)),
			(long)-EINVAL);
}

/* What was refused makes the process notify when that has changed. */

static void consumer_notify_test(struct kunit *test)
{
	struct port_test *port = port_new(test, false, false);
	struct secbuf_ring_tail *tail = page_address(port->end->control);
	size_t len = SIZE;

	KUNIT_EXPECT_EQ(test, tail->need_wake, 0U);
	KUNIT_EXPECT_EQ(test, PTR_ERR(secbuf_ring_peek(port->end, &len)),
			(long)-EAGAIN);
	KUNIT_EXPECT_EQ(test, tail->need_wake, 1U);
	KUNIT_EXPECT_EQ(test, tail->wake_pos, 1ULL);
	port->notified = 0;
	KUNIT_ASSERT_EQ(test, peer_write(port, port->in, 1), (ssize_t)1);
	KUNIT_EXPECT_EQ(test, port->notified, 1);
	KUNIT_EXPECT_EQ(test, tail->need_wake, 0U);
}

static void producer_notify_test(struct kunit *test)
{
	struct port_test *port = port_new(test, true, false);
	struct secbuf_ring_head *head = page_address(port->end->control);
	size_t len = 1;

	KUNIT_ASSERT_EQ(test, secbuf_ring_write(port->end, port->in, SIZE, 0),
			0);
	KUNIT_EXPECT_EQ(test, head->need_wake, 0U);
	KUNIT_EXPECT_EQ(test, PTR_ERR(secbuf_ring_reserve(port->end, &len)),
			(long)-EAGAIN);
	KUNIT_EXPECT_EQ(test, head->need_wake, 1U);
	KUNIT_EXPECT_EQ(test, head->wake_pos, 1ULL);
	port->notified = 0;
	KUNIT_ASSERT_EQ(test, peer_read(port, port->out, 1), (ssize_t)1);
	KUNIT_EXPECT_EQ(test, port->notified, 1);
	KUNIT_EXPECT_EQ(test, secbuf_ring_wait(port->end, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_wait(port->end, 2, 0), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, secbuf_ring_wait(port->end, 0, 0), -EINVAL);
}

/* Bytes, all or none */

static void bytes_test(struct kunit *test)
{
	struct port_test *port = port_new(test, true, false);
	int i;

	for (i = 0; i < 10; i++) {
		KUNIT_ASSERT_EQ(test, secbuf_ring_write(port->end, port->in,
							SIZE - 777, 0), 0);
		KUNIT_EXPECT_EQ(test, secbuf_ring_write(port->end, port->in,
							778, 0), -EAGAIN);
		KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end),
				(ssize_t)SIZE - 777);
		KUNIT_ASSERT_EQ(test, peer_read(port, port->out, SIZE),
				(ssize_t)SIZE - 777);
		KUNIT_ASSERT_EQ(test, memcmp(port->in, port->out, SIZE - 777),
				0);
		KUNIT_ASSERT_TRUE(test, ring_is_zero(port));
	}
	KUNIT_EXPECT_EQ(test, secbuf_ring_write(port->end, port->in, SIZE + 1,
						0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, secbuf_ring_write(port->end, port->in, 0, 0), 0);
	secbuf_ring_end_die(port->peer, 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_write(port->end, port->in, 1, 0),
			-EPIPE);
}

static void reset_test(struct kunit *test)
{
	struct port_test *port = port_new(test, true, false);
	size_t len = 1;

	secbuf_ring_reset(port->end->ring);
	KUNIT_EXPECT_EQ(test, secbuf_ring_write(port->end, port->in, 1, 0),
			-ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, PTR_ERR(secbuf_ring_reserve(port->end, &len)),
			(long)-ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, secbuf_ring_wait(port->end, 1, 0), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end), (ssize_t)-ESHUTDOWN);
}

/* Records */

static void make_batch(struct port_test *port, struct kvec *vecs, u8 *bytes,
		       size_t len)
{
	int i;

	for (i = 0; i < NR; i++)
		vecs[i] = (struct kvec){ bytes + i * len, len };
}

static void write_records_test(struct kunit *test)
{
	struct port_test *port = port_new(test, true, true);
	struct kvec vecs[NR];
	size_t len;
	int i;

	/* Such that some of them lie across pages. */
	for (len = 1; len < 500; len += 7) {
		make_batch(port, vecs, port->in, len);
		KUNIT_ASSERT_EQ(test,
				secbuf_ring_write_records(port->end, vecs, NR,
							  0), (ssize_t)NR);
		KUNIT_ASSERT_EQ(test, secbuf_ring_used(port->end),
				(ssize_t)(NR * ALIGN(len + 4, 4)));
		for (i = 0; i < NR; i++) {
			KUNIT_ASSERT_EQ(test, peer_read(port, port->out, SIZE),
					(ssize_t)len);
			KUNIT_ASSERT_EQ(test, memcmp(port->in + i * len,
						     port->out, len), 0);
		}
		KUNIT_ASSERT_TRUE(test, ring_is_zero(port));
	}
}

static void write_what_fits_test(struct kunit *test)
{
	struct port_test *port = port_new(test, true, true);
	struct kvec vecs[NR];

	make_batch(port, vecs, port->in, 2000);
	vecs[NR - 1].iov_len = 0;
	KUNIT_EXPECT_EQ(test, secbuf_ring_write_records(port->end, vecs, NR, 0),
			(ssize_t)-EINVAL);
	vecs[NR - 1].iov_len = SIZE - 3;
	KUNIT_EXPECT_EQ(test, secbuf_ring_write_records(port->end, vecs, NR, 0),
			(ssize_t)-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end), (ssize_t)0);
	vecs[NR - 1].iov_len = SIZE - 4;
	/* 7 times 2004 bytes, of 16384. */
	KUNIT_EXPECT_EQ(test, secbuf_ring_write_records(port->end, vecs, NR, 0),
			(ssize_t)NR - 1);
	KUNIT_EXPECT_EQ(test, secbuf_ring_used(port->end),
			(ssize_t)(NR - 1) * 2004);
	make_batch(port, vecs, port->in, 2400);
	KUNIT_EXPECT_EQ(test, secbuf_ring_write_records(port->end, vecs, NR, 0),
			(ssize_t)-EAGAIN);
	KUNIT_EXPECT_EQ(test, secbuf_ring_write_records(port->end, vecs, 0, 0),
			(ssize_t)0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)-EINVAL);
}

static void read_records_test(struct kunit *test)
{
	struct port_test *port = port_new(test, false, true);
	struct kvec vecs[NR];
	size_t len;
	int i;

	for (len = 1; len < 500; len += 7) {
		for (i = 0; i < NR; i++)
			KUNIT_ASSERT_EQ(test, peer_write(port, port->in + i,
							 len), (ssize_t)len);
		make_batch(port, vecs, port->out, 500);
		KUNIT_ASSERT_EQ(test, secbuf_ring_read_records(port->end, vecs,
							       NR, 0),
				(ssize_t)NR);
		for (i = 0; i < NR; i++) {
			KUNIT_ASSERT_EQ(test, vecs[i].iov_len, len);
			KUNIT_ASSERT_EQ(test, memcmp(vecs[i].iov_base,
						     port->in + i, len), 0);
		}
		KUNIT_ASSERT_TRUE(test, ring_is_zero(port));
	}
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)-EAGAIN);
	/* One that does not fit ends a batch, or is none. */
	KUNIT_ASSERT_EQ(test, peer_write(port, port->in, 20), (ssize_t)20);
	KUNIT_ASSERT_EQ(test, peer_write(port, port->in, 21), (ssize_t)21);
	make_batch(port, vecs, port->out, 20);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)1);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)-EMSGSIZE);
	secbuf_ring_end_die(port->peer, 0);
	make_batch(port, vecs, port->out, 21);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)1);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)0);
}

/* A length that cannot be, in the middle of a batch. */
static void bad_record_test(struct kunit *test)
{
	struct port_test *port = port_new(test, false, true);
	struct kvec vecs[NR];
	struct page *page;

	KUNIT_ASSERT_EQ(test, peer_write(port, port->in, 20), (ssize_t)20);
	KUNIT_ASSERT_EQ(test, peer_write(port, port->in, 20), (ssize_t)20);
	page = secbuf_ring_memory_page(&port->end->ring->memory, 0);
	*(u32 *)(page_address(page) + 24) = 21;
	make_batch(port, vecs, port->out, 100);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)1);
	KUNIT_EXPECT_EQ(test, (int)port->out[100], 0);
	KUNIT_EXPECT_EQ(test, secbuf_ring_read_records(port->end, vecs, NR, 0),
			(ssize_t)-EPROTO);
}

static struct kunit_case ring_kernel_cases[] = {
	KUNIT_CASE(reserve_test),
	KUNIT_CASE(peek_test),
	KUNIT_CASE(consumer_notify_test),
	KUNIT_CASE(producer_notify_test),
	KUNIT_CASE(bytes_test),
	KUNIT_CASE(reset_test),
	KUNIT_CASE(write_records_test),
	KUNIT_CASE(write_what_fits_test),
	KUNIT_CASE(read_records_test),
	KUNIT_CASE(bad_record_test),
	{}
};

static struct kunit_suite ring_kernel_suite = {
	.name = "secbuf_ring_kernel",
	.init = fixture_init,
	.test_cases = ring_kernel_cases,
};

kunit_test_suite(ring_kernel_suite);
