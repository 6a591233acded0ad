// SPDX-License-Identifier: GPL-2.0
/*
 * Who has the buffer of a conn: the words, and what the kernel takes back when
 * it is idle or asked to.
 */
#include "secbuf_conn.h"
#include "secbuf_limits.h"
#include "secbuf_touch.h"

#define SLOT_SIZE	16384
#define SLOT_SMALL	64
#define NR_SLOTS	16
#define IDLE_MS		300

/* Its conn is idle for longer than a test takes, but for those of idle_soon(). */
FIXTURE(idle)
{
	int		dev;
	struct pool	p;
	int		conn;
	volatile struct secbuf_slot_word *words;
	struct secbuf_conn_buffer_args in;
	struct secbuf_conn_buffer_args out;
};

static int conn_with(int dev, int pool_fd, __u32 idle_ms, __u32 flags)
{
	struct secbuf_conn_create_args args = {
		.flags = flags, .pool_fd = pool_fd, .idle_ms = idle_ms,
	};

	return conn_make(dev, &args);
}

static int get_buffers(FIXTURE_DATA(idle) *self)
{
	return conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &self->in) ?:
	       conn_buffer(self->conn, SECBUF_CONN_BUFFER_WRITE, &self->out);
}

FIXTURE_SETUP(idle)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, SLOT_SIZE, NR_SLOTS));
	self->words = words_map(self->p.fd, NR_SLOTS);
	ASSERT_NE(NULL, self->words);
	self->conn = conn_with(self->dev, self->p.fd,
			       SECBUF_CONN_IDLE_MS_CEILING, 0);
	ASSERT_LE(0, self->conn);
	ASSERT_EQ(0, get_buffers(self));
}

FIXTURE_TEARDOWN(idle)
{
	close(self->conn);
	munmap((void *)self->words, words_size(NR_SLOTS));
	pool_close(&self->p);
	close(self->dev);
}

static volatile struct secbuf_slot_word *
word_at(volatile struct secbuf_slot_word *words, __u64 id)
{
	return &words[id];
}

#define word(words, buffer)	word_at(words, (buffer)->out_id)

static bool is_gone(volatile struct secbuf_slot_word *w)
{
	return word_state(w) == SECBUF_SLOT_GONE;
}

static void release_both(FIXTURE_DATA(idle) *self)
{
	word_release(word(self->words, &self->in), self->in.out_word);
	word_release(word(self->words, &self->out), self->out.out_word);
}

/* The same with a conn that is idle soon. */
static int idle_soon(FIXTURE_DATA(idle) *self)
{
	close(self->conn);
	self->conn = conn_with(self->dev, self->p.fd, IDLE_MS, 0);
	return self->conn < 0 ? self->conn : get_buffers(self);
}

/* Both are there after several times as long as they may be idle. */
static bool is_kept_once(FIXTURE_DATA(idle) *self,
			 void (*use)(FIXTURE_DATA(idle) *self))
{
	__u64 end;

	if (get_buffers(self))
		return false;
	release_both(self);
	end = now_ms() + 4 * IDLE_MS;
	while (pool_in_use(self->p.fd) == 2) {
		if (now_ms() >= end)
			return true;
		use(self);
		sleep_ms(IDLE_MS / 20);
	}
	return false;
}

/*
 * Whether what @use does from time to time keeps them. A machine that stands
 * still for too long loses them once, but not always.
 */
#define is_kept_by(self, use)	wait_until(is_kept_once(self, use))

TEST_F(idle, words_tell_who_has_it)
{
	EXPECT_EQ(self->in.out_word, word(self->words, &self->in)->state);
	EXPECT_EQ(SECBUF_SLOT_BUSY, self->in.out_word & SECBUF_SLOT_STATE_MASK);
	EXPECT_EQ(self->out.out_word, word(self->words, &self->out)->state);
	EXPECT_NE(self->in.out_word, self->out.out_word);
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(SECBUF_SLOT_GONE, word_state(word(self->words, &self->in)));
	EXPECT_EQ(SECBUF_SLOT_GONE, word_state(word(self->words, &self->out)));
}

TEST_F(idle, each_grant_has_a_tag)
{
	struct secbuf_conn_buffer_args again;

	ASSERT_EQ(0, conn_zeroize(self->conn));
	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &again));
	EXPECT_EQ(self->in.out_id, again.out_id);
	EXPECT_NE(self->in.out_word, again.out_word);
	EXPECT_EQ(again.out_word, word(self->words, &again)->state);
}

TEST_F(idle, a_call_makes_it_busy_again)
{
	struct secbuf_conn_buffer_args again;

	word_release(word(self->words, &self->in), self->in.out_word);
	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ, &again));
	EXPECT_EQ(self->in.out_id, again.out_id);
	EXPECT_EQ(self->in.out_word, again.out_word);
	EXPECT_EQ(self->in.out_word, word(self->words, &self->in)->state);
}

TEST_F(idle, how_words_are_mapped)
{
	size_t size = words_size(NR_SLOTS);
	int prot = PROT_READ | PROT_WRITE;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, prot, MAP_SHARED, self->p.fd,
				   SECBUF_POOL_MMAP_WORDS));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(0, munmap((void *)self->words, size));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, prot, MAP_PRIVATE, self->p.fd,
				   SECBUF_POOL_MMAP_WORDS));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size + PAGE, prot, MAP_SHARED,
				   self->p.fd, SECBUF_POOL_MMAP_WORDS));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, prot, MAP_SHARED, self->p.fd,
				   SECBUF_POOL_MMAP_WORDS + PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, prot | PROT_EXEC, MAP_SHARED,
				   self->p.fd, SECBUF_POOL_MMAP_WORDS));
	EXPECT_EQ(EPERM, errno);
	self->words = words_map(self->p.fd, NR_SLOTS);
	ASSERT_NE(NULL, self->words);
	EXPECT_EQ(self->in.out_word, word(self->words, &self->in)->state);
}

TEST_F(idle, what_is_idle_for_long_is_taken)
{
	struct secbuf_conn_stats_args stats;

	ASSERT_EQ(0, idle_soon(self));
	memset(pool_slot(&self->p, self->in.out_id), 0xa5, SLOT_SIZE);
	memset(pool_slot(&self->p, self->out.out_id), 0xa5, SLOT_SIZE);
	release_both(self);
	ASSERT_TRUE(wait_until(is_gone(word(self->words, &self->in))));
	ASSERT_TRUE(wait_until(is_gone(word(self->words, &self->out))));
	ASSERT_TRUE(wait_until(!pool_in_use(self->p.fd)));
	ASSERT_EQ(0, conn_stats(self->conn, &stats));
	EXPECT_EQ(2, stats.out_granted);
	EXPECT_EQ(2, stats.out_reclaimed);
	EXPECT_EQ(0, stats.out_read.allocated);
	EXPECT_TRUE(stats.out_status & SECBUF_CONN_IDLE);

	/* A program that finds it gone asks again. */
	ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ,
				 &self->in));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->in.out_id), 0,
			       SLOT_SIZE));
	word_release(word(self->words, &self->in), self->in.out_word);
	EXPECT_TRUE(wait_until(is_gone(word(self->words, &self->in))));
}

TEST_F(idle, what_is_busy_is_not_taken)
{
	ASSERT_EQ(0, idle_soon(self));
	memset(pool_slot(&self->p, self->in.out_id), 0xa5, SLOT_SIZE);
	word_release(word(self->words, &self->out), self->out.out_word);
	sleep_ms(4 * IDLE_MS);
	EXPECT_FALSE(is_gone(word(self->words, &self->out)));
	EXPECT_EQ(self->in.out_word, word(self->words, &self->in)->state);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->in.out_id), 0xa5,
			       SLOT_SIZE));
	EXPECT_EQ(2, pool_in_use(self->p.fd));
}

/* In memory alone, without a call. */
static void use_in_memory(FIXTURE_DATA(idle) *self)
{
	volatile struct secbuf_slot_word *w = word(self->words, &self->in);
	w->state = self->in.out_word;
	word_release(w, self->in.out_word);
}

TEST_F(idle, what_is_used_is_not_taken)
{
	ASSERT_EQ(0, idle_soon(self));
	EXPECT_TRUE(is_kept_by(self, use_in_memory));
}

static void use_touch(FIXTURE_DATA(idle) *self)
{
	conn_touch(self->conn);
}

TEST_F(idle, a_touch_keeps_it)
{
	ASSERT_EQ(0, idle_soon(self));
	EXPECT_TRUE(is_kept_by(self, use_touch));
}

TEST_F(idle, stats_are_no_touch)
{
	struct secbuf_conn_stats_args stats;

	ASSERT_EQ(0, idle_soon(self));
	release_both(self);
	EXPECT_TRUE(wait_until(conn_stats(self->conn, &stats) ||
			       !pool_in_use(self->p.fd)));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
}

TEST_F(idle, keep)
{
	struct secbuf_conn_buffer_args buffer;
	int conn = conn_with(self->dev, self->p.fd, 50, SECBUF_CONN_F_KEEP);

	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buffer));
	word_release(word(self->words, &buffer), buffer.out_word);
	sleep_ms(4 * IDLE_MS);
	EXPECT_FALSE(is_gone(word(self->words, &buffer)));
	close(conn);
}

TEST_F(idle, packets_stay)
{
	char byte = 0;

	ASSERT_EQ(0, idle_soon(self));
	ASSERT_EQ(0, conn_enqueue(self->conn, "x", 1));
	release_both(self);
	ASSERT_TRUE(wait_until(is_gone(word(self->words, &self->in)) &&
			       is_gone(word(self->words, &self->out)) &&
			       pool_in_use(self->p.fd) <= 1));
	sleep_ms(4 * IDLE_MS);
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	EXPECT_EQ(1, conn_dequeue(self->conn, &byte, 1));
	EXPECT_EQ('x', byte);
}

TEST_F(idle, shrink)
{
	EXPECT_EQ(0, conn_shrink(self->conn, SECBUF_CONN_SHRINK_WASTEFUL));
	EXPECT_EQ(0, conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE));
	EXPECT_EQ(-EINVAL, conn_shrink(self->conn, 2));
	EXPECT_EQ(-EINVAL, conn_shrink(self->conn, ~0U));
	word_release(word(self->words, &self->in), self->in.out_word);
	EXPECT_EQ(SLOT_SIZE, conn_shrink(self->conn,
					 SECBUF_CONN_SHRINK_WASTEFUL));
	EXPECT_EQ(SECBUF_SLOT_GONE, word_state(word(self->words, &self->in)));
	EXPECT_EQ(self->out.out_word, word(self->words, &self->out)->state);
	EXPECT_EQ(1, pool_in_use(self->p.fd));
	word_release(word(self->words, &self->out), self->out.out_word);
	EXPECT_EQ(SLOT_SIZE, conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
}

/* Not wasteful: as large as the least that is. */
TEST_F(idle, waste_has_a_least_size)
{
	struct secbuf_conn_create_args args = {
		.pool_fd = self->p.fd, .waste_min = SLOT_SIZE,
	};
	struct secbuf_conn_buffer_args buffer;
	int conn = conn_make(self->dev, &args);

	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_WRITE, &buffer));
	word_release(word(self->words, &buffer), buffer.out_word);
	EXPECT_EQ(0, conn_shrink(conn, SECBUF_CONN_SHRINK_WASTEFUL));
	EXPECT_EQ(SLOT_SIZE, conn_shrink(conn, SECBUF_CONN_SHRINK_IDLE));
	close(conn);
}

TEST_F(idle, reset)
{
	memset(pool_slot(&self->p, self->in.out_id), 0xa5, SLOT_SIZE);
	memset(pool_slot(&self->p, self->out.out_id), 0xa5, SLOT_SIZE);
	word_release(word(self->words, &self->out), self->out.out_word);
	ASSERT_EQ(0, conn_reset(self->conn));
	/* Busy: it stays, zero. Not busy and so large: it is wasteful. */
	EXPECT_EQ(self->in.out_word, word(self->words, &self->in)->state);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->in.out_id), 0,
			       SLOT_SIZE));
	EXPECT_EQ(SECBUF_SLOT_GONE, word_state(word(self->words, &self->out)));
	EXPECT_EQ(1, pool_in_use(self->p.fd));
}

/* Whatever stands in the words, a slot is the conn's until it is not. */
TEST_F(idle, scribbled_words)
{
	volatile struct secbuf_slot_word *w = word(self->words, &self->in);
	struct secbuf_conn_buffer_args again;
	__u32 tag = self->in.out_word & ~SECBUF_SLOT_STATE_MASK;
	const __u32 states[] = {
		0, ~0U, tag | SECBUF_SLOT_GONE, tag ^ 0x80000002,
		self->out.out_word,
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		w->state = states[i];
		w->used = ~0U;
		EXPECT_EQ(0, conn_shrink(self->conn, SECBUF_CONN_SHRINK_IDLE));
		EXPECT_EQ(states[i], w->state);
		EXPECT_EQ(2, pool_in_use(self->p.fd));
		ASSERT_EQ(0, conn_buffer(self->conn, SECBUF_CONN_BUFFER_READ,
					 &again));
		EXPECT_EQ(self->in.out_id, again.out_id);
		EXPECT_EQ(self->in.out_word, again.out_word);
		EXPECT_EQ(self->in.out_word, w->state);
	}
	w->state = ~0U;
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
}

/* Memory is short: idle buffers go, whatever their conns are used for. */
TEST_F(idle, pressure)
{
	struct secbuf_conn_buffer_args kept;
	struct secbuf_conn_stats_args stats;
	int conn = conn_with(self->dev, self->p.fd, 0, SECBUF_CONN_F_KEEP);

	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &kept));
	memset(pool_slot(&self->p, self->out.out_id), 0xa5, SLOT_SIZE);
	ASSERT_EQ(0, conn_enqueue(self->conn, "packet", 6));
	word_release(word(self->words, &self->in), self->in.out_word);
	word_release(word(self->words, &kept), kept.out_word);
	EXPECT_TRUE(short_until(is_gone(word(self->words, &self->in)) &&
				is_gone(word(self->words, &kept))));
	EXPECT_EQ(SIGBUS, touch(pool_slot(&self->p, self->in.out_id), false));
	/* What is busy and what is in the queue is never taken. */
	EXPECT_EQ(self->out.out_word, word(self->words, &self->out)->state);
	EXPECT_EQ(0, count_not(pool_slot(&self->p, self->out.out_id), 0xa5,
			       SLOT_SIZE));
	EXPECT_EQ(2, pool_in_use(self->p.fd));
	ASSERT_EQ(0, conn_stats(conn, &stats));
	EXPECT_EQ(1, stats.out_reclaimed);
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &kept));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, kept.out_id), 0, SLOT_SIZE));
	close(conn);
}

/* The memory of many that were idle goes, too. */
TEST_F(idle, memory_of_many)
{
	enum { NR = 128 };
	volatile struct secbuf_slot_word *words;
	struct secbuf_pool_stats_args stats;
	struct secbuf_conn_buffer_args b[NR];
	struct pool p;
	int conns[NR];

	ASSERT_EQ(0, pool_open(&p, self->dev, PAGE, NR));
	words = words_map(p.fd, NR);
	ASSERT_NE(NULL, words);
	for (int i = 0; i < NR; i++) {
		conns[i] = conn_with(self->dev, p.fd, IDLE_MS, 0);
		ASSERT_LE(0, conns[i]);
		ASSERT_EQ(0, conn_buffer(conns[i], 0, &b[i]));
	}
	ASSERT_EQ(0, pool_stats(p.fd, &stats));
	EXPECT_EQ(NR * PAGE, stats.out_bytes);
	for (int i = 0; i < NR; i++)
		word_release(&words[b[i].out_id], b[i].out_word);
	EXPECT_TRUE(wait_until(!pool_in_use(p.fd)));
	EXPECT_TRUE(wait_until(!pool_stats(p.fd, &stats) &&
			       stats.out_bytes < NR / 2 * PAGE));
	for (int i = 0; i < NR; i++)
		close(conns[i]);
	munmap((void *)words, words_size(NR));
	pool_close(&p);
}

/*
 * Memory that a member paid for who is dead, with a slot of another one: nobody
 * would find it any more when that is taken back.
 */
TEST_F(idle, whose_payer_is_dead)
{
	enum { PER_PAGE = PAGE / SLOT_SMALL };
	struct secbuf_conn_buffer_args buffer;
	volatile struct secbuf_slot_word *words;
	struct secbuf_pool_stats_args stats;
	__u64 ids[PER_PAGE], id;
	struct pool a, b;
	int conn;

	ASSERT_EQ(0, pool_open_flags(&a, self->dev, SLOT_SMALL, 2 * PER_PAGE,
				     SECBUF_POOL_F_PASSABLE));
	ASSERT_EQ(0, pool_join(&b, a.fd));
	words = words_map(b.fd, 2 * PER_PAGE);
	ASSERT_NE(NULL, words);
	ASSERT_EQ(PER_PAGE, pool_alloc(b.fd, ids, PER_PAGE));
	ASSERT_EQ(1, pool_alloc(a.fd, &id, 1));
	conn = conn_with(self->dev, b.fd, 0, SECBUF_CONN_F_KEEP);
	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_buffer(conn, SECBUF_CONN_BUFFER_READ, &buffer));
	EXPECT_EQ(id / PER_PAGE, buffer.out_id / PER_PAGE);
	pool_close(&a);
	ASSERT_EQ(0, pool_stats(b.fd, &stats));
	EXPECT_EQ(2 * PAGE, stats.out_bytes);
	word_release(word(words, &buffer), buffer.out_word);
	EXPECT_TRUE(short_until(is_gone(word(words, &buffer))));
	ASSERT_EQ(0, pool_stats(b.fd, &stats));
	EXPECT_EQ(PAGE, stats.out_bytes);
	EXPECT_EQ(SIGBUS, touch(pool_slot(&b, buffer.out_id), false));
	EXPECT_EQ(0, touch(pool_slot(&b, ids[0]), false));
	close(conn);
	munmap((void *)words, words_size(2 * PER_PAGE));
	pool_close(&b);
}

/*
 * A pool for debugging, and a ceiling that is reached: more is taken back than is
 * wanted, and all of it faults.
 */
TEST_F(idle, guarded)
{
	enum { NR = 64 };
	struct secbuf_conn_buffer_args b[NR];
	volatile struct secbuf_slot_word *words;
	struct pool p = { 0 };
	char value[32], old[32];
	int conns[NR], nr = 0;
	__u64 id;

	ASSERT_EQ(0, pool_open_flags(&p, self->dev, SLOT_SMALL, NR,
				     SECBUF_POOL_F_GUARD));
	words = words_map(p.fd, NR);
	ASSERT_NE(NULL, words);
	for (int i = 0; i < NR; i++) {
		conns[i] = conn_with(self->dev, p.fd, 0, SECBUF_CONN_F_KEEP);
		ASSERT_LE(0, conns[i]);
		ASSERT_EQ(0, conn_buffer(conns[i], 0, &b[i]));
		ASSERT_EQ(0, touch(pool_slot(&p, b[i].out_id), true));
		word_release(word(words, &b[i]), b[i].out_word);
	}
	snprintf(value, sizeof(value), "%llu", secbuf_bytes(self->dev));
	ASSERT_EQ(0, param_write("max_bytes", value, old));
	EXPECT_EQ(1, pool_alloc(self->p.fd, &id, 1));
	param_write("max_bytes", old, NULL);
	for (int i = 0; i < NR; i++) {
		bool gone = is_gone(word(words, &b[i]));

		EXPECT_EQ(gone ? SIGBUS : 0,
			  touch(pool_slot(&p, b[i].out_id), false));
		nr += gone;
	}
	EXPECT_LT(0, nr);
	for (int i = 0; i < NR; i++)
		close(conns[i]);
	munmap((void *)words, words_size(NR));
	pool_close(&p);
}

TEST_F(idle, stats)
{
	struct secbuf_conn_stats_args s;

	word(self->words, &self->in)->used = 1000;
	word(self->words, &self->out)->used = ~0U;
	ASSERT_EQ(0, conn_enqueue(self->conn, "four", 4));
	ASSERT_EQ(0, conn_stats(self->conn, &s));
	EXPECT_EQ(SLOT_SIZE, s.out_read.allocated);
	EXPECT_EQ(1000, s.out_read.used);
	EXPECT_EQ(SLOT_SIZE, s.out_write.allocated);
	EXPECT_EQ(SLOT_SIZE, s.out_write.used);
	EXPECT_EQ(SLOT_SIZE, s.out_queue.allocated);
	EXPECT_EQ(4, s.out_queue.used);
	EXPECT_EQ(0, s.out_streams.allocated);
	EXPECT_EQ(3 * SLOT_SIZE, s.out_total.allocated);
	EXPECT_EQ(SLOT_SIZE + 1004, s.out_total.used);
	EXPECT_EQ((SLOT_SIZE + 1004) * 1000 / (3 * SLOT_SIZE),
		  s.out_efficiency);
	EXPECT_EQ(SECBUF_CONN_PROBLEMATIC, s.out_status);
	EXPECT_EQ(0, s.out_idle_ns);
	EXPECT_EQ(1, s.out_nr_packets);
	EXPECT_EQ(1, s.out_peak_packets);
	EXPECT_EQ(SECBUF_CONN_MAX_PACKETS_DEFAULT, s.out_max_packets);
	EXPECT_EQ(SECBUF_CONN_MAX_BYTES_DEFAULT, s.out_max_bytes);
	EXPECT_EQ(0, s.out_nr_streams);
	EXPECT_EQ(SECBUF_CONN_MAX_STREAMS_DEFAULT, s.out_max_streams);
	EXPECT_EQ(1, s.out_enqueued);
	EXPECT_EQ(0, s.out_dequeued);
	EXPECT_EQ(0, s.out_refused);
	EXPECT_EQ(2, s.out_granted);
	EXPECT_EQ(0, s.out_reclaimed);

	/* What is not busy is used for nothing. */
	word_release(word(self->words, &self->out), self->out.out_word);
	ASSERT_EQ(0, conn_stats(self->conn, &s));
	EXPECT_EQ(0, s.out_write.used);
	EXPECT_EQ(0, s.out_idle_ns);
	word_release(word(self->words, &self->in), self->in.out_word);
	EXPECT_TRUE(wait_until(!conn_stats(self->conn, &s) &&
			       s.out_idle_ns > 10000000));
}

TEST_F(idle, fdinfo)
{
	word(self->words, &self->in)->used = 777;
	ASSERT_EQ(0, conn_enqueue(self->conn, "four", 4));
	EXPECT_EQ(777, fdinfo(self->conn, "read"));
	EXPECT_EQ(4, fdinfo(self->conn, "queue"));
	EXPECT_EQ(1, fdinfo(self->conn, "nr_packets"));
	EXPECT_EQ(2, fdinfo(self->conn, "granted"));
	EXPECT_EQ(0, fdinfo(self->conn, "idle_ns"));
	EXPECT_EQ(SECBUF_CONN_PROBLEMATIC, fdinfo(self->conn, "status"));
}

TEST_F(idle, stats_of_nothing)
{
	struct secbuf_conn_stats_args s;

	ASSERT_EQ(0, conn_zeroize(self->conn));
	ASSERT_EQ(0, conn_stats(self->conn, &s));
	EXPECT_EQ(0, s.out_total.allocated);
	EXPECT_EQ(1000, s.out_efficiency);
	EXPECT_EQ(0, s.out_status);
}

TEST_F(idle, limits)
{
	struct secbuf_conn_create_args args = { .pool_fd = self->p.fd };
	struct secbuf_conn_stats_args s;
	int conn;

	args.max_packets = SECBUF_LIMIT_CEILING;
	args.max_bytes = SECBUF_LIMIT_CEILING;
	args.max_streams = SECBUF_LIMIT_CEILING;
	args.idle_ms = SECBUF_LIMIT_CEILING;
	args.waste_factor = SECBUF_LIMIT_CEILING;
	args.waste_min = SECBUF_LIMIT_CEILING;
	args.near_full = 100;
	conn = conn_make(self->dev, &args);
	ASSERT_LE(0, conn);
	ASSERT_EQ(0, conn_stats(conn, &s));
	EXPECT_EQ(SECBUF_CONN_MAX_PACKETS_CEILING, s.out_max_packets);
	EXPECT_EQ(SECBUF_CONN_MAX_BYTES_CEILING, s.out_max_bytes);
	EXPECT_EQ(SECBUF_CONN_MAX_STREAMS_CEILING, s.out_max_streams);
	close(conn);

	args = (struct secbuf_conn_create_args){ .pool_fd = self->p.fd };
	args.max_packets = SECBUF_CONN_MAX_PACKETS_CEILING + 1;
	EXPECT_EQ(-EINVAL, conn_make(self->dev, &args));
	args.max_packets = 0;
	args.max_bytes = SECBUF_CONN_MAX_BYTES_CEILING + 1;
	EXPECT_EQ(-EINVAL, conn_make(self->dev, &args));
	args.max_bytes = 0;
	args.max_streams = SECBUF_CONN_MAX_STREAMS_CEILING + 1;
	EXPECT_EQ(-EINVAL, conn_make(self->dev, &args));
	args.max_streams = 0;
	args.idle_ms = SECBUF_CONN_IDLE_MS_CEILING + 1;
	EXPECT_EQ(-EINVAL, conn_make(self->dev, &args));
	args.idle_ms = 0;
	args.near_full = 101;
	EXPECT_EQ(-EINVAL, conn_make(self->dev, &args));
	args.near_full = 0;
	args.__reserved = 1;
	EXPECT_EQ(-EINVAL, conn_make(self->dev, &args));
	args.__reserved = 0;
	args.flags = 2;
	EXPECT_EQ(-EOPNOTSUPP, conn_make(self->dev, &args));
}

TEST_HARNESS_MAIN
