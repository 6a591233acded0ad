// SPDX-License-Identifier: GPL-2.0
/*
 * client-test: is a message gone from memory when it is answered, is memory
 * bounded, and is a lack of it survived? Prints lines as agent-probe does.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "agent.h"
#include "client.h"
#include "connection.h"
#include "memory.h"
#include "witness.h"

/* What the agent may have out at once, keys and the lock aside. */
#define TEST_BYTES_MAX	(2 * CLIENT_MAX * CLIENT_SHORT_SIZE + \
			 2 * CLIENT_LONG_MAX * SSH_AGENT_MESSAGE_MAX)
#define TEST_PASSPHRASE	"a passphrase"
#define TEST_IDLE_MS	200

static const uint8_t test_seed[KEY_SEED_SIZE] = "the seed of the tests, in all 32";

/*
 * Client and agent are in one process here, so that all memory is seen; without
 * conns, unless a test is about these.
 */
struct fixture {
	struct responder responder;
	struct memory mem;
	struct witness witness;
	struct agent agent;
	struct client_quota quota;
	struct client *client;
	int peer;
};

static int fixture_connect(struct fixture *f, struct client **client,
			   int *peer)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
		return -errno;
	*peer = fds[1];
	return client_open(client, fds[0], &f->quota);
}

static int fixture_answer(struct responder *responder,
			  const struct secbuf_cursor *request,
			  struct secbuf_buffer *reply)
{
	struct fixture *f = (struct fixture *)responder;

	return agent_answer(&f->agent, request, reply);
}

static int fixture_open(struct fixture *f, const char *memory, bool with_conns)
{
	int err;

	f->responder.answer = fixture_answer;
	err = memory_open(&f->mem, memory);
	if (err)
		return err;
	witness_init(&f->witness, f->mem.source);
	if (with_conns)
		err = client_quota_open(&f->quota, &f->mem);
	f->quota.store.source = &f->witness.source;
	f->quota.store.idle_ms = TEST_IDLE_MS;
	if (!err)
		err = agent_open(&f->agent, &f->witness.source, &f->mem);
	return err ? err : fixture_connect(f, &f->client, &f->peer);
}

static void fixture_close(struct fixture *f)
{
	client_close(f->client);
	close(f->peer);
	client_quota_close(&f->quota);
	agent_close(&f->agent);
	memory_close(&f->mem);
}

/*
 * Exchanging.
 */

static uint8_t test_bytes[SSH_AGENT_MESSAGE_MAX];
static struct secbuf_cursor test_request;

static struct secbuf_cursor *begin(uint8_t type)
{
	secbuf_cursor_init(&test_request, test_bytes, sizeof(test_bytes));
	secbuf_cursor_put_u8(&test_request, type);
	return &test_request;
}

/* @len bytes in all, which mean nothing. */
static void build_junk(uint8_t type, size_t len)
{
	memset(test_bytes, 'x', sizeof(test_bytes));
	secbuf_cursor_set_len(begin(type), len);
}

static void build_add_seed(const uint8_t *seed)
{
	uint8_t public[KEY_PUBLIC_SIZE], secret[KEY_SECRET_SIZE];
	struct secbuf_cursor *cur = begin(SSH_AGENTC_ADD_IDENTITY);
	char comment[KEY_COMMENT_MAX];

	memset(comment, 'c', sizeof(comment));
	crypto_sign_seed_keypair(public, secret, seed);
	secbuf_cursor_put_string(cur, KEY_TYPE, strlen(KEY_TYPE));
	secbuf_cursor_put_string(cur, public, sizeof(public));
	secbuf_cursor_put_string(cur, secret, sizeof(secret));
	secbuf_cursor_put_string(cur, comment, sizeof(comment));
}

static void build_add(void)
{
	build_add_seed(test_seed);
}

static void build_list(void)
{
	begin(SSH_AGENTC_REQUEST_IDENTITIES);
}

static void build_sign(size_t len)
{
	struct secbuf_cursor *cur = begin(SSH_AGENTC_SIGN_REQUEST);
	uint8_t public[KEY_PUBLIC_SIZE], secret[KEY_SECRET_SIZE];
	static uint8_t data[SSH_AGENT_MESSAGE_MAX];

	crypto_sign_seed_keypair(public, secret, test_seed);
	secbuf_cursor_put_u32(cur, 4 + strlen(KEY_TYPE) + 4 + sizeof(public));
	secbuf_cursor_put_string(cur, KEY_TYPE, strlen(KEY_TYPE));
	secbuf_cursor_put_string(cur, public, sizeof(public));
	secbuf_cursor_put_string(cur, data, len);
	secbuf_cursor_put_u32(cur, 0);
}

static void build_passphrase(uint8_t type)
{
	secbuf_cursor_put_string(begin(type), TEST_PASSPHRASE,
				 strlen(TEST_PASSPHRASE));
}

/* After that the client has all the memory that it begins with. */
static int reconnect(struct fixture *f)
{
	client_close(f->client);
	close(f->peer);
	f->witness.left = WITNESS_NO_LIMIT;
	return fixture_connect(f, &f->client, &f->peer);
}

/* The type of the reply; 0: none. Who is hung up on calls again. */
static uint8_t exchange(struct fixture *f)
{
	static uint8_t reply[SSH_AGENT_MESSAGE_MAX];
	ssize_t n;
	int err;

	if (connection_send(f->peer, &test_request))
		return 0;
	err = client_serve(f->client, &f->responder);
	n = read(f->peer, reply, sizeof(reply));
	if (err && reconnect(f))
		return 0;
	return n > SSH_AGENT_HEADER_SIZE ? reply[SSH_AGENT_HEADER_SIZE] : 0;
}

static bool is_zero(const struct secbuf_buffer *buf)
{
	return sodium_is_zero(buf->cur.data, secbuf_buffer_capacity(buf));
}

static bool is_clean(const struct fixture *f)
{
	return !f->client->is_long && !f->quota.nr_long &&
	       is_zero(&f->client->request) && is_zero(&f->client->reply) &&
	       !f->witness.nr_dirty;
}

/*
 * Tests.
 */

static bool test_short(struct fixture *f)
{
	build_junk(SSH_AGENTC_ADD_IDENTITY, 200);
	return exchange(f) == SSH_AGENT_FAILURE && is_clean(f);
}

static bool test_long(struct fixture *f)
{
	build_junk(SSH_AGENTC_ADD_IDENTITY, 50000);
	return exchange(f) == SSH_AGENT_FAILURE && is_clean(f);
}

static bool test_list(struct fixture *f)
{
	build_list();
	return exchange(f) == SSH_AGENT_IDENTITIES_ANSWER && is_clean(f);
}

static size_t count_seed(const struct fixture *f)
{
	return witness_count(&f->witness, test_seed, sizeof(test_seed));
}

static size_t count_passphrase(const struct fixture *f)
{
	return witness_count(&f->witness, TEST_PASSPHRASE,
			     strlen(TEST_PASSPHRASE));
}

/* There is one copy, and it is where it has to be. */
static bool test_key(struct fixture *f)
{
	bool ok;

	build_add();
	ok = exchange(f) == SSH_AGENT_SUCCESS && count_seed(f) == 1;
	build_sign(100);
	ok = ok && exchange(f) == SSH_AGENT_SIGN_RESPONSE && is_clean(f);
	build_sign(100000);
	ok = ok && exchange(f) == SSH_AGENT_SIGN_RESPONSE && is_clean(f) &&
	     count_seed(f) == 1;
	begin(SSH_AGENTC_REMOVE_ALL_IDENTITIES);
	return exchange(f) == SSH_AGENT_SUCCESS && ok && is_clean(f) &&
	       count_seed(f) == 0;
}

static bool test_passphrase(struct fixture *f)
{
	bool ok;

	build_passphrase(SSH_AGENTC_LOCK);
	ok = exchange(f) == SSH_AGENT_SUCCESS && count_passphrase(f) == 1;
	build_passphrase(SSH_AGENTC_UNLOCK);
	return exchange(f) == SSH_AGENT_SUCCESS && ok && is_clean(f) &&
	       count_passphrase(f) == 0;
}

/* The rest of a long message for which there is no room. */
static bool test_skipped(struct fixture *f)
{
	bool ok;

	f->quota.nr_long += CLIENT_LONG_MAX;
	build_junk(SSH_AGENTC_ADD_IDENTITY, 50000);
	ok = exchange(f) == SSH_AGENT_FAILURE;
	f->quota.nr_long -= CLIENT_LONG_MAX;
	return ok && is_clean(f);
}

/* Each with half of the longest message, all at once. */
static bool test_bounded(struct fixture *f)
{
	struct client *clients[CLIENT_MAX];
	int peers[CLIENT_MAX], i, nr;
	bool ok = true;

	build_junk(SSH_AGENTC_ADD_IDENTITY, SSH_AGENT_MESSAGE_MAX / 2);
	secbuf_cursor_set_len(&test_request, SSH_AGENT_MESSAGE_MAX);
	for (nr = 0; nr < CLIENT_MAX - 1; nr++) {
		if (fixture_connect(f, &clients[nr], &peers[nr]))
			return false;
		/* The socket takes some, which is all that is needed. */
		connection_send(peers[nr], &test_request);
		ok = ok && !client_serve(clients[nr], &f->responder);
	}
	ok = ok && f->quota.nr_long == CLIENT_LONG_MAX &&
	     f->witness.bytes <= TEST_BYTES_MAX;
	for (i = 0; i < nr; i++) {
		client_close(clients[i]);
		close(peers[i]);
	}
	return ok && is_clean(f);
}

static bool test_one_too_many(struct fixture *f)
{
	struct client *client;
	char reply[8];
	bool ok;
	int peer;

	f->quota.nr += CLIENT_MAX - 1;
	ok = fixture_connect(f, &client, &peer) == -EUSERS && !client &&
	     read(peer, reply, sizeof(reply)) == 5 &&
	     !memcmp(reply, "\0\0\0\1\5", 5);
	f->quota.nr -= CLIENT_MAX - 1;
	close(peer);
	return ok && f->quota.nr == 1;
}

/* From the first allocation on that fails until none is needed any more. */
static bool survives(struct fixture *f, void (*build)(void), uint8_t expected)
{
	size_t blocks;
	uint8_t type;
	int nr;

	if (reconnect(f))
		return false;
	blocks = f->witness.nr_blocks;
	for (nr = 0; nr < 100; nr++) {
		f->witness.left = nr;
		build();
		type = exchange(f);
		f->witness.left = WITNESS_NO_LIMIT;
		if (type == expected)
			return nr > 0 && is_clean(f);
		if (type != SSH_AGENT_FAILURE || !is_clean(f) ||
		    f->witness.nr_blocks > blocks)
			return false;
	}
	return false;
}

static void build_long_sign(void)
{
	build_sign(100000);
}

static void build_lock(void)
{
	build_passphrase(SSH_AGENTC_LOCK);
}

static void build_unlock(void)
{
	build_passphrase(SSH_AGENTC_UNLOCK);
}

static bool test_no_memory(struct fixture *f)
{
	bool ok;

	ok = survives(f, build_add, SSH_AGENT_SUCCESS) &&
	     survives(f, build_long_sign, SSH_AGENT_SIGN_RESPONSE) &&
	     survives(f, build_lock, SSH_AGENT_SUCCESS) &&
	     survives(f, build_unlock, SSH_AGENT_SUCCESS);
	begin(SSH_AGENTC_REMOVE_ALL_IDENTITIES);
	return exchange(f) == SSH_AGENT_SUCCESS && ok;
}

static bool add_keys(struct fixture *f, uint8_t nr)
{
	uint8_t seed[KEY_SEED_SIZE] = { };
	bool ok = true;

	while (ok && nr--) {
		seed[0] = nr;
		build_add_seed(seed);
		ok = exchange(f) == SSH_AGENT_SUCCESS;
	}
	return ok;
}

/*
 * A long message takes so much that the buffer that it was in is without memory
 * after it, if that ends at the right moment. The next reply is a failure.
 */
static bool fails_after(struct fixture *f, void (*build)(void))
{
	bool ok = true;
	int nr;

	for (nr = 0; ok && nr < 20; nr++) {
		ok = !reconnect(f);
		f->witness.left = nr;
		build();
		ok = ok && exchange(f);
		f->witness.left = 0;
		build_list();
		ok = ok && exchange(f) == SSH_AGENT_FAILURE;
		f->witness.left = WITNESS_NO_LIMIT;
	}
	return ok;
}

static bool test_no_memory_left(struct fixture *f)
{
	bool ok;

	ok = add_keys(f, 20) &&
	     survives(f, build_list, SSH_AGENT_IDENTITIES_ANSWER) &&
	     fails_after(f, build_list) && fails_after(f, build_long_sign);
	begin(SSH_AGENTC_REMOVE_ALL_IDENTITIES);
	return exchange(f) == SSH_AGENT_SUCCESS && ok && is_clean(f);
}

/* What the tests look at is really where messages are. */
static bool test_half(struct fixture *f)
{
	static const uint8_t half[] = { 0, 0, 0, 9, 'h', 'a', 'l', 'f' };

	return !connection_send_bytes(f->peer, half, sizeof(half)) &&
	       !client_serve(f->client, &f->responder) && !is_clean(f);
}

/*
 * What is in a conn.
 */

static bool is_room_zero(struct fixture *f, enum secbuf_conn_buffer which)
{
	struct secbuf_conn *conn = f->client->memory.conn;
	void *buf;
	bool zero;

	if (f->client->memory.rooms[which].out ||
	    secbuf_conn_buffer(conn, which, &buf))
		return false;
	zero = sodium_is_zero(buf, CLIENT_SHORT_SIZE);
	secbuf_conn_buffer_release(conn, which, 0);
	return zero;
}

static bool is_conn_clean(struct fixture *f)
{
	return is_room_zero(f, SECBUF_CONN_BUFFER_READ) &&
	       is_room_zero(f, SECBUF_CONN_BUFFER_WRITE) && is_clean(f);
}

static bool test_conn(struct fixture *f)
{
	bool ok;

	build_add();
	ok = exchange(f) == SSH_AGENT_SUCCESS && is_conn_clean(f);
	build_sign(100);
	ok = ok && exchange(f) == SSH_AGENT_SIGN_RESPONSE && is_conn_clean(f);
	build_sign(100000);
	return ok && exchange(f) == SSH_AGENT_SIGN_RESPONSE &&
	       is_conn_clean(f) && count_seed(f) == 1;
}

/* Bytes that the conn has. */
static uint64_t conn_bytes(const struct fixture *f)
{
	struct secbuf_conn_stats_args stats;

	if (secbuf_conn_get_stats(f->client->memory.conn, &stats))
		return -1;
	return stats.out_total.allocated;
}

static void nap(void)
{
	const struct timespec ts = { 0, TEST_IDLE_MS * 1000000 };

	nanosleep(&ts, NULL);
}

static bool test_conn_idle(struct fixture *f)
{
	int i;

	build_list();
	/* A machine that stands still just now has it idle at once. */
	for (i = 0; i < 100 && conn_bytes(f) != 2 * CLIENT_SHORT_SIZE; i++)
		if (exchange(f) != SSH_AGENT_IDENTITIES_ANSWER)
			return false;
	if (i == 100)
		return false;
	for (i = 0; i < 300 && conn_bytes(f); i++)
		nap();
	return !conn_bytes(f) && exchange(f) == SSH_AGENT_IDENTITIES_ANSWER &&
	       is_conn_clean(f);
}

/* The rest of it comes when the client would have been idle for long. */
static bool test_conn_half(struct fixture *f)
{
	struct secbuf_cursor wire;
	uint8_t bytes[512];
	ssize_t n;
	size_t len;
	int i;

	build_sign(100);
	secbuf_cursor_init(&wire, bytes, sizeof(bytes));
	secbuf_cursor_put_string(&wire, test_bytes,
				 secbuf_cursor_len(&test_request));
	len = secbuf_cursor_len(&wire);
	if (connection_send_bytes(f->peer, bytes, len - 1) ||
	    client_serve(f->client, &f->responder))
		return false;
	for (i = 0; i < 10; i++)
		nap();
	if (conn_bytes(f) < CLIENT_SHORT_SIZE ||
	    connection_send_bytes(f->peer, &bytes[len - 1], 1) ||
	    client_serve(f->client, &f->responder))
		return false;
	n = read(f->peer, bytes, sizeof(bytes));
	return n > SSH_AGENT_HEADER_SIZE &&
	       bytes[SSH_AGENT_HEADER_SIZE] == SSH_AGENT_SIGN_RESPONSE &&
	       is_conn_clean(f);
}

static uint32_t pool_out(const struct fixture *f)
{
	struct secbuf_pool_stats_args stats;

	return secbuf_pool_get_stats(f->quota.store.pool, &stats) ?
	       -1U : stats.out_in_use;
}

/* Also that of a message that never came to its end. */
static bool test_conn_close(struct fixture *f)
{
	static const uint8_t half[] = { 0, 0, 0, 9, 'h', 'a', 'l', 'f' };
	bool ok;

	ok = !connection_send_bytes(f->peer, half, sizeof(half)) &&
	     !client_serve(f->client, &f->responder) && pool_out(f) >= 1;
	client_close(f->client);
	close(f->peer);
	ok = ok && !pool_out(f);
	return !fixture_connect(f, &f->client, &f->peer) && ok;
}

struct client_test {
	const char *name;
	bool (*run)(struct fixture *f);
};

static const struct client_test conn_tests[] = {
	{ "exchanges leave nothing in the conn", test_conn },
	{ "an idle client has no memory", test_conn_idle },
	{ "half a request stays in the conn", test_conn_half },
	{ "a client that is closed has no memory", test_conn_close },
};

static const struct client_test client_tests[] = {
	{ "an answered request leaves nothing", test_short },
	{ "a long request leaves nothing", test_long },
	{ "a reply leaves nothing", test_list },
	{ "a key is there once, and gone when it is removed", test_key },
	{ "a passphrase is there once, and gone after it", test_passphrase },
	{ "a refused long request leaves nothing", test_skipped },
	{ "memory is bounded", test_bounded },
	{ "a client too many is refused", test_one_too_many },
	{ "each allocation can fail", test_no_memory },
	{ "without memory left a request fails", test_no_memory_left },
	{ "half a request is there", test_half },
};

static bool run_tests(const char *memory, bool with_conns,
		      const struct client_test *tests, size_t nr)
{
	struct fixture f = { };
	bool ok, all = true;
	size_t i;
	int err;

	err = fixture_open(&f, memory, with_conns);
	if (err) {
		fprintf(stderr, "client-test: %s\n", secbuf_strerror(err));
		return false;
	}
	for (i = 0; i < nr; i++) {
		ok = tests[i].run(&f);
		printf("%s %s\n", ok ? "ok" : "not ok", tests[i].name);
		all = all && ok;
	}
	fixture_close(&f);
	return all;
}

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

int main(int argc, char **argv)
{
	bool ok = true;

	if (argc != 2) {
		fputs("usage: client-test secbuf|malloc\n", stderr);
		return 2;
	}
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	if (!strcmp(argv[1], "secbuf"))
		ok = run_tests(argv[1], true, conn_tests, NR(conn_tests));
	ok &= run_tests(argv[1], false, client_tests, NR(client_tests));
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
