// SPDX-License-Identifier: GPL-2.0
/*
 * agent-probe: send an agent what real clients never send. Prints a line
 * "ok NAME" or "not ok NAME" for each test; agent-test.sh makes TAP of them.
 * The agent must be without keys and not locked, and is so at the end.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "client.h"
#include "connection.h"
#include "keyring.h"

#define PROBE_TIMEOUT_MS	120000
#define PROBE_TRIES		100	/* on a machine that stands still */
#define PROBE_GARBAGE		3000
#define PROBE_CLIENTS_EXTRA	20
#define PROBE_BLOB_SIZE		(4 + 11 + 4 + KEY_PUBLIC_SIZE)

/* A message under construction or received. */
struct message {
	struct secbuf_cursor cur;
	uint8_t bytes[SSH_AGENT_MESSAGE_MAX + 64];
};

struct identity {
	uint8_t public[KEY_PUBLIC_SIZE];
	uint8_t secret[KEY_SECRET_SIZE];
	uint8_t blob[PROBE_BLOB_SIZE];
};

static const char *probe_path;
static struct identity probe_key;
static struct message probe_request, probe_reply;

/*
 * Building requests. Everything fits: the results of the codec are of no use.
 */

static struct secbuf_cursor *begin(uint8_t type)
{
	struct secbuf_cursor *cur = &probe_request.cur;

	secbuf_cursor_init(cur, probe_request.bytes,
			   sizeof(probe_request.bytes));
	secbuf_cursor_put_u8(cur, type);
	return cur;
}

static void make_identity(struct identity *id, uint32_t number)
{
	uint8_t seed[KEY_SEED_SIZE] = { };
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, seed, sizeof(seed));
	secbuf_cursor_put_u32(&cur, number);
	crypto_sign_seed_keypair(id->public, id->secret, seed);
	secbuf_cursor_init(&cur, id->blob, sizeof(id->blob));
	secbuf_cursor_put_string(&cur, KEY_TYPE, strlen(KEY_TYPE));
	secbuf_cursor_put_string(&cur, id->public, sizeof(id->public));
}

static void build_add_as(uint8_t message, const char *type,
			 const struct identity *id, size_t comment_len)
{
	struct secbuf_cursor *cur = begin(message);
	char comment[1024];

	memset(comment, 'c', sizeof(comment));
	secbuf_cursor_put_string(cur, type, strlen(type));
	secbuf_cursor_put_string(cur, id->public, sizeof(id->public));
	secbuf_cursor_put_string(cur, id->secret, sizeof(id->secret));
	secbuf_cursor_put_string(cur, comment, comment_len);
}

static void build_add(const struct identity *id)
{
	build_add_as(SSH_AGENTC_ADD_IDENTITY, KEY_TYPE, id, 10);
}

static void build_sign(const struct identity *id, const void *data, size_t len,
		       uint32_t flags)
{
	struct secbuf_cursor *cur = begin(SSH_AGENTC_SIGN_REQUEST);

	secbuf_cursor_put_string(cur, id->blob, sizeof(id->blob));
	secbuf_cursor_put_string(cur, data, len);
	secbuf_cursor_put_u32(cur, flags);
}

static void build_remove(const struct identity *id)
{
	secbuf_cursor_put_string(begin(SSH_AGENTC_REMOVE_IDENTITY), id->blob,
				 sizeof(id->blob));
}

static void build_passphrase(uint8_t type, const char *passphrase)
{
	secbuf_cursor_put_string(begin(type), passphrase, strlen(passphrase));
}

/*
 * Exchanging.
 */

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, PROBE_TIMEOUT_MS) == 1;
}

/* The type of the next reply; 0 if the agent hung up or does not answer. */
static uint8_t receive(int fd)
{
	uint8_t type;

	secbuf_cursor_init(&probe_reply.cur, probe_reply.bytes,
			   sizeof(probe_reply.bytes));
	if (!is_readable(fd) || connection_receive(fd, &probe_reply.cur) ||
	    secbuf_cursor_get_u8(&probe_reply.cur, &type))
		return 0;
	return type;
}

static uint8_t exchange(int fd)
{
	return connection_send(fd, &probe_request.cur) ? 0 : receive(fd);
}

static int dial(void)
{
	int fd = connection_open(probe_path);

	if (fd < 0) {
		fprintf(stderr, "agent-probe: %s: %s\n", probe_path,
			strerror(-fd));
		exit(EXIT_FAILURE);
	}
	return fd;
}

static uint8_t exchange_once(void)
{
	int fd = dial();
	uint8_t type = exchange(fd);

	close(fd);
	return type;
}

/* How many keys the agent lists, or -1. */
static long list_on(int fd)
{
	uint32_t nr;

	begin(SSH_AGENTC_REQUEST_IDENTITIES);
	if (exchange(fd) != SSH_AGENT_IDENTITIES_ANSWER ||
	    secbuf_cursor_get_u32(&probe_reply.cur, &nr))
		return -1;
	return nr;
}

static long list(void)
{
	int fd = dial();
	long nr = list_on(fd);

	close(fd);
	return nr;
}

static bool add(const struct identity *id)
{
	build_add(id);
	return exchange_once() == SSH_AGENT_SUCCESS;
}

static bool remove_all(void)
{
	begin(SSH_AGENTC_REMOVE_ALL_IDENTITIES);
	return exchange_once() == SSH_AGENT_SUCCESS;
}

static bool is_hung_up(int fd)
{
	char byte;

	return is_readable(fd) && read(fd, &byte, 1) <= 0;
}

/* Is the signature that was received that of @data? */
static bool is_signature(const void *data, size_t len)
{
	struct secbuf_cursor blob;
	const uint8_t *bytes, *type, *sig;
	size_t bytes_len, type_len, sig_len;

	if (secbuf_cursor_get_string(&probe_reply.cur, &bytes, &bytes_len))
		return false;
	secbuf_cursor_init_filled(&blob, (void *)bytes, bytes_len);
	return !secbuf_cursor_get_string(&blob, &type, &type_len) &&
	       !secbuf_cursor_get_string(&blob, &sig, &sig_len) &&
	       sig_len == KEY_SIGNATURE_SIZE &&
	       !crypto_sign_verify_detached(sig, data, len, probe_key.public);
}

static bool signs_on(int fd)
{
	build_sign(&probe_key, "data", 4, 0);
	return exchange(fd) == SSH_AGENT_SIGN_RESPONSE && is_signature("data", 4);
}

static void nap(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/*
 * Tests. Each begins with no keys, and what it leaves is removed.
 */

static bool test_life_of_a_key(void)
{
	int fd = dial();
	bool ok;

	ok = list_on(fd) == 0 && add(&probe_key) && list_on(fd) == 1 &&
	     add(&probe_key) && list_on(fd) == 1 && signs_on(fd);
	build_remove(&probe_key);
	ok = ok && exchange(fd) == SSH_AGENT_SUCCESS && list_on(fd) == 0;
	build_remove(&probe_key);
	ok = ok && exchange(fd) == SSH_AGENT_FAILURE;
	build_sign(&probe_key, "data", 4, 0);
	ok = ok && exchange(fd) == SSH_AGENT_FAILURE;
	close(fd);
	return ok;
}

static bool test_sign_flags(void)
{
	if (!add(&probe_key))
		return false;
	build_sign(&probe_key, "data", 4, 2);
	return exchange_once() == SSH_AGENT_FAILURE;
}

static const uint8_t probe_requests[] = {
	SSH_AGENTC_REQUEST_IDENTITIES,
	SSH_AGENTC_SIGN_REQUEST,
	SSH_AGENTC_ADD_IDENTITY,
	SSH_AGENTC_REMOVE_IDENTITY,
	SSH_AGENTC_REMOVE_ALL_IDENTITIES,
	SSH_AGENTC_LOCK,
	SSH_AGENTC_UNLOCK,
};

#define PROBE_REQUESTS_NR	(sizeof(probe_requests))

static void build(uint8_t type)
{
	struct identity other;

	make_identity(&other, 2);
	switch (type) {
	case SSH_AGENTC_SIGN_REQUEST:
		build_sign(&probe_key, "data", 4, 0);
		break;
	case SSH_AGENTC_ADD_IDENTITY:
		build_add(&other);
		break;
	case SSH_AGENTC_REMOVE_IDENTITY:
		build_remove(&probe_key);
		break;
	case SSH_AGENTC_LOCK:
	case SSH_AGENTC_UNLOCK:
		build_passphrase(type, "passphrase");
		break;
	default:
		begin(type);
	}
}

/* A message that ends too early, of a frame that is right. */
static bool fails_truncated(int fd, uint8_t type)
{
	struct secbuf_cursor cut;
	size_t len;

	build(type);
	for (len = 1; len < secbuf_cursor_len(&probe_request.cur); len++) {
		secbuf_cursor_init_filled(&cut, probe_request.bytes, len);
		if (connection_send(fd, &cut) ||
		    receive(fd) != SSH_AGENT_FAILURE)
			return false;
	}
	return true;
}

static bool test_truncated_requests(void)
{
	bool ok = add(&probe_key);
	int fd = dial();
	size_t i;

	for (i = 0; ok && i < PROBE_REQUESTS_NR; i++)
		ok = fails_truncated(fd, probe_requests[i]);
	ok = ok && list_on(fd) == 1 && signs_on(fd);
	close(fd);
	return ok;
}

static bool test_trailing_bytes(void)
{
	bool ok = add(&probe_key);
	int fd = dial();
	size_t i;

	for (i = 0; ok && i < PROBE_REQUESTS_NR; i++) {
		build(probe_requests[i]);
		secbuf_cursor_put_u8(&probe_request.cur, 0);
		ok = exchange(fd) == SSH_AGENT_FAILURE;
	}
	ok = ok && list_on(fd) == 1 && signs_on(fd);
	close(fd);
	return ok;
}

/* The request as it is on the wire, behind it nothing. */
static size_t frame(uint8_t *out, size_t size)
{
	struct secbuf_cursor cur;

	secbuf_cursor_init(&cur, out, size);
	secbuf_cursor_put_string(&cur, probe_request.bytes,
				 secbuf_cursor_len(&probe_request.cur));
	return secbuf_cursor_len(&cur);
}

/* A client that vanishes after each byte of each request. */
static bool test_vanishing_clients(void)
{
	uint8_t wire[512];
	size_t i, cut, len;
	bool ok = add(&probe_key);
	int fd;

	for (i = 0; ok && i < PROBE_REQUESTS_NR; i++) {
		build(probe_requests[i]);
		len = frame(wire, sizeof(wire));
		for (cut = 0; ok && cut < len; cut++) {
			fd = dial();
			ok = !connection_send_bytes(fd, wire, cut);
			close(fd);
		}
	}
	return ok && list() == 1;
}

/* And one that does not wait for its answers. */
static bool test_vanishing_readers(void)
{
	bool ok = add(&probe_key);
	int i, fd;

	for (i = 0; ok && i < 200; i++) {
		fd = dial();
		build_sign(&probe_key, "data", 4, 0);
		ok = !connection_send(fd, &probe_request.cur);
		close(fd);
	}
	return ok && list() == 1;
}

static bool fails_with_length(uint32_t len)
{
	struct secbuf_cursor header;
	uint8_t bytes[4];
	int fd = dial();
	bool ok;

	secbuf_cursor_init(&header, bytes, sizeof(bytes));
	secbuf_cursor_put_u32(&header, len);
	ok = !connection_send_bytes(fd, bytes, sizeof(bytes)) &&
	     receive(fd) == SSH_AGENT_FAILURE && is_hung_up(fd);
	close(fd);
	return ok;
}

static bool test_length_zero(void)
{
	return fails_with_length(0);
}

static bool test_length_one_too_many(void)
{
	return fails_with_length(SSH_AGENT_MESSAGE_MAX + 1);
}

static bool test_length_largest(void)
{
	return fails_with_length(UINT32_MAX);
}

static bool test_longest_message(void)
{
	static uint8_t data[SSH_AGENT_MESSAGE_MAX];
	size_t len = SSH_AGENT_MESSAGE_MAX - 1 - 4 - PROBE_BLOB_SIZE - 4 - 4;

	memset(data, 'd', len);
	if (!add(&probe_key))
		return false;
	build_sign(&probe_key, data, len, 0);
	return secbuf_cursor_len(&probe_request.cur) == SSH_AGENT_MESSAGE_MAX &&
	       exchange_once() == SSH_AGENT_SIGN_RESPONSE &&
	       is_signature(data, len);
}

/* The same garbage each time. */
static uint32_t probe_random(void)
{
	static uint64_t state = 0x5ecb0f;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void build_garbage(void)
{
	struct secbuf_cursor *cur = begin(probe_random() % 32);
	size_t len = probe_random() % 300;

	while (len--)
		secbuf_cursor_put_u8(cur, probe_random());
}

static bool test_garbage_messages(void)
{
	int fd = dial(), i;
	bool ok = true;

	for (i = 0; ok && i < PROBE_GARBAGE; i++) {
		build_garbage();
		ok = exchange(fd);
	}
	close(fd);
	return ok && list() == 0;
}

/* Garbage in the place of strings, behind lengths that are right. */
static bool test_garbage_strings(void)
{
	struct secbuf_cursor *cur;
	uint8_t junk[64];
	bool ok = true;
	int fd = dial(), i;
	size_t j;

	for (i = 0; ok && i < PROBE_GARBAGE; i++) {
		for (j = 0; j < sizeof(junk); j++)
			junk[j] = probe_random();
		cur = begin(probe_requests[1 + probe_random() % 3]);
		secbuf_cursor_put_string(cur, KEY_TYPE, strlen(KEY_TYPE));
		secbuf_cursor_put_string(cur, junk, KEY_PUBLIC_SIZE);
		secbuf_cursor_put_string(cur, junk, sizeof(junk));
		secbuf_cursor_put_string(cur, junk, probe_random() % 64);
		ok = exchange(fd) == SSH_AGENT_FAILURE;
	}
	close(fd);
	return ok && list() == 0;
}

static bool test_garbage_streams(void)
{
	uint8_t junk[256];
	int i, fd;
	size_t j;

	for (i = 0; i < 300; i++) {
		for (j = 0; j < sizeof(junk); j++)
			junk[j] = probe_random();
		fd = dial();
		connection_send_bytes(fd, junk, 1 + probe_random() % 256);
		close(fd);
	}
	return list() == 0;
}

static bool test_half_sent(void)
{
	uint8_t wire[512];
	bool ok = add(&probe_key);
	int slow = dial(), fast = dial();
	size_t len, half;

	build_sign(&probe_key, "slow", 4, 0);
	len = frame(wire, sizeof(wire));
	half = len / 2;
	ok = ok && !connection_send_bytes(slow, wire, half) && signs_on(fast) &&
	     !connection_send_bytes(slow, wire + half, len - half) &&
	     receive(slow) == SSH_AGENT_SIGN_RESPONSE &&
	     is_signature("slow", 4);
	close(slow);
	close(fast);
	return ok;
}

static bool test_byte_by_byte(void)
{
	uint8_t wire[512];
	bool ok = add(&probe_key);
	int fd = dial();
	size_t len, i;

	build_sign(&probe_key, "data", 4, 0);
	len = frame(wire, sizeof(wire));
	for (i = 0; ok && i < len; i++)
		ok = !connection_send_bytes(fd, wire + i, 1);
	ok = ok && receive(fd) == SSH_AGENT_SIGN_RESPONSE &&
	     is_signature("data", 4);
	close(fd);
	return ok;
}

static bool test_pipelined(void)
{
	uint8_t wire[512];
	bool ok = add(&probe_key);
	size_t len, once;
	int fd = dial(), i;

	build_sign(&probe_key, "data", 4, 0);
	once = frame(wire, sizeof(wire));
	for (len = once; len + once <= sizeof(wire); len += once)
		memcpy(wire + len, wire, once);
	ok = ok && !connection_send_bytes(fd, wire, len);
	for (i = len / once; ok && i; i--)
		ok = receive(fd) == SSH_AGENT_SIGN_RESPONSE &&
		     is_signature("data", 4);
	close(fd);
	return ok;
}

static bool test_unknown_types(void)
{
	int fd = dial(), type;
	bool ok = true;

	for (type = 0; ok && type < 256; type++) {
		if (memchr(probe_requests, type, PROBE_REQUESTS_NR))
			continue;
		begin(type);
		ok = exchange(fd) == SSH_AGENT_FAILURE;
	}
	close(fd);
	return ok;
}

static bool test_constrained(void)
{
	build_add_as(SSH_AGENTC_ADD_ID_CONSTRAINED, KEY_TYPE, &probe_key, 10);
	secbuf_cursor_put_u8(&probe_request.cur, 2);	/* confirm */
	return exchange_once() == SSH_AGENT_FAILURE && list() == 0;
}

static bool test_extension(void)
{
	build_passphrase(SSH_AGENTC_EXTENSION, "query");
	return exchange_once() == SSH_AGENT_FAILURE;
}

static bool add_fails(const struct identity *id)
{
	build_add(id);
	return exchange_once() == SSH_AGENT_FAILURE && list() == 0;
}

static bool test_mismatched_keys(void)
{
	struct identity id = probe_key, other;

	make_identity(&other, 2);
	memcpy(id.public, other.public, sizeof(id.public));
	if (!add_fails(&id))
		return false;
	/* Both public parts agree, but are not those of the seed. */
	memcpy(id.secret + KEY_SEED_SIZE, other.public, KEY_PUBLIC_SIZE);
	if (!add_fails(&id))
		return false;
	memcpy(id.public, probe_key.public, sizeof(id.public));
	return add_fails(&id);
}

static bool test_other_key_type(void)
{
	build_add_as(SSH_AGENTC_ADD_IDENTITY, "ssh-ed25518", &probe_key, 10);
	return exchange_once() == SSH_AGENT_FAILURE && list() == 0;
}

static bool test_comment_limit(void)
{
	build_add_as(SSH_AGENTC_ADD_IDENTITY, KEY_TYPE, &probe_key,
		     KEY_COMMENT_MAX + 1);
	if (exchange_once() != SSH_AGENT_FAILURE || list())
		return false;
	build_add_as(SSH_AGENTC_ADD_IDENTITY, KEY_TYPE, &probe_key,
		     KEY_COMMENT_MAX);
	return exchange_once() == SSH_AGENT_SUCCESS && list() == 1;
}

static bool test_comment_nul(void)
{
	static const char comment[] = "a\0comment";
	struct secbuf_cursor *cur = begin(SSH_AGENTC_ADD_IDENTITY);

	secbuf_cursor_put_string(cur, KEY_TYPE, strlen(KEY_TYPE));
	secbuf_cursor_put_string(cur, probe_key.public, KEY_PUBLIC_SIZE);
	secbuf_cursor_put_string(cur, probe_key.secret, KEY_SECRET_SIZE);
	secbuf_cursor_put_string(cur, comment, sizeof(comment) - 1);
	return exchange_once() == SSH_AGENT_FAILURE && list() == 0;
}

static bool add_until_full(size_t comment_len)
{
	struct identity id;
	uint8_t expected;
	int fd = dial(), i;
	bool ok = true;

	for (i = 0; ok && i <= KEYRING_MAX; i++) {
		make_identity(&id, 1000 + i);
		build_add_as(SSH_AGENTC_ADD_IDENTITY, KEY_TYPE, &id,
			     comment_len);
		expected = i < KEYRING_MAX ? SSH_AGENT_SUCCESS :
					     SSH_AGENT_FAILURE;
		ok = exchange(fd) == expected;
	}
	close(fd);
	return ok;
}

/* Two times: what was removed makes room. */
static bool test_too_many_keys(void)
{
	return add_until_full(10) && list() == KEYRING_MAX && remove_all() &&
	       add_until_full(10);
}

/* A long list, read slowly, with more requests behind it. */
static bool test_slow_reader(void)
{
	bool ok = add_until_full(KEY_COMMENT_MAX);
	int slow = dial(), fast = dial(), i;

	begin(SSH_AGENTC_REQUEST_IDENTITIES);
	for (i = 0; ok && i < 20; i++)
		ok = !connection_send(slow, &probe_request.cur);
	nap(200);
	for (i = 0; ok && i < 20; i++)
		ok = list_on(fast) == KEYRING_MAX &&
		     receive(slow) == SSH_AGENT_IDENTITIES_ANSWER;
	close(slow);
	close(fast);
	return ok;
}

static bool test_too_many_clients(void)
{
	const int nr = CLIENT_MAX + PROBE_CLIENTS_EXTRA;
	int fds[CLIENT_MAX + PROBE_CLIENTS_EXTRA], i;
	bool ok = true;

	for (i = 0; i < nr; i++)
		fds[i] = dial();
	for (i = CLIENT_MAX; ok && i < nr; i++)
		ok = receive(fds[i]) == SSH_AGENT_FAILURE && is_hung_up(fds[i]);
	for (i = 0; ok && i < CLIENT_MAX; i++)
		ok = list_on(fds[i]) == 0;
	for (i = 0; i < nr; i++)
		close(fds[i]);
	nap(100);
	return ok && list() == 0;
}

/* Again: nothing of the first time is still occupied. */
static bool test_too_many_clients_again(void)
{
	return test_too_many_clients();
}

/* Until the agent has read all that was sent. */
static bool is_read(int fd)
{
	int i, left = -1;

	for (i = 0; i < PROBE_TIMEOUT_MS; i++) {
		if (ioctl(fd, SIOCOUTQ, &left) || !left)
			break;
		nap(1);
	}
	return !left;
}

static bool test_too_many_long_messages(void)
{
	static uint8_t data[100000];
	int fds[CLIENT_LONG_MAX + 1], i, last = CLIENT_LONG_MAX;
	static uint8_t wire[sizeof(data) + 512];
	bool ok = add(&probe_key);
	size_t len;

	build_sign(&probe_key, data, sizeof(data), 0);
	len = frame(wire, sizeof(wire));
	for (i = 0; i <= last; i++) {
		fds[i] = dial();
		ok = ok && !connection_send_bytes(fds[i], wire, len / 2) &&
		     is_read(fds[i]);
	}
	ok = ok && !connection_send_bytes(fds[last], wire + len / 2,
					  len - len / 2) &&
	     receive(fds[last]) == SSH_AGENT_FAILURE && signs_on(fds[last]);
	for (i = 0; ok && i < last; i++)
		ok = !connection_send_bytes(fds[i], wire + len / 2,
					    len - len / 2) &&
		     receive(fds[i]) == SSH_AGENT_SIGN_RESPONSE &&
		     is_signature(data, sizeof(data));
	ok = ok && !connection_send_bytes(fds[last], wire, len) &&
	     receive(fds[last]) == SSH_AGENT_SIGN_RESPONSE;
	for (i = 0; i <= last; i++)
		close(fds[i]);
	return ok;
}

static bool test_locked(void)
{
	bool ok = add(&probe_key);
	struct identity other;

	make_identity(&other, 2);
	build_passphrase(SSH_AGENTC_LOCK, "passphrase");
	ok = ok && exchange_once() == SSH_AGENT_SUCCESS && list() == 0 &&
	     !add(&other) && !remove_all();
	build_remove(&probe_key);
	ok = ok && exchange_once() == SSH_AGENT_FAILURE;
	build_sign(&probe_key, "data", 4, 0);
	ok = ok && exchange_once() == SSH_AGENT_FAILURE;
	build_passphrase(SSH_AGENTC_LOCK, "passphrase");
	ok = ok && exchange_once() == SSH_AGENT_FAILURE;
	build_passphrase(SSH_AGENTC_UNLOCK, "passphrase");
	ok = exchange_once() == SSH_AGENT_SUCCESS && ok && list() == 1;
	build_passphrase(SSH_AGENTC_UNLOCK, "passphrase");
	return ok && exchange_once() == SSH_AGENT_FAILURE;
}

/* How long the right passphrase is not looked at after the second wrong one. */
#define WAIT_MS			200

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static uint8_t unlock(const char *passphrase)
{
	build_passphrase(SSH_AGENTC_UNLOCK, passphrase);
	return exchange_once();
}

/* -EAGAIN: the wait may have been over before the right one was there. */
static int wait_after_wrong_passphrase(void)
{
	int64_t start;
	uint8_t type;

	build_passphrase(SSH_AGENTC_LOCK, "passphrase");
	if (exchange_once() != SSH_AGENT_SUCCESS ||
	    unlock("passphrasf") != SSH_AGENT_FAILURE)
		return -EPROTO;
	nap(WAIT_MS);
	start = now_ms();
	if (unlock("passphras") != SSH_AGENT_FAILURE)
		return -EPROTO;
	type = unlock("passphrase");
	if (type == SSH_AGENT_SUCCESS && now_ms() - start >= WAIT_MS)
		return -EAGAIN;
	if (type != SSH_AGENT_FAILURE || list())
		return -EPROTO;
	nap(2 * WAIT_MS);
	return unlock("passphrase") == SSH_AGENT_SUCCESS ? 0 : -EPROTO;
}

static bool test_wrong_passphrase(void)
{
	int tries = 0, err;

	do {
		err = wait_after_wrong_passphrase();
	} while (err == -EAGAIN && ++tries < PROBE_TRIES);
	return !err;
}

static bool test_long_passphrase(void)
{
	char passphrase[KEYRING_PASSPHRASE_MAX + 2];

	memset(passphrase, 'p', sizeof(passphrase));
	passphrase[KEYRING_PASSPHRASE_MAX + 1] = '\0';
	build_passphrase(SSH_AGENTC_LOCK, passphrase);
	if (exchange_once() != SSH_AGENT_FAILURE)
		return false;
	passphrase[KEYRING_PASSPHRASE_MAX] = '\0';
	build_passphrase(SSH_AGENTC_LOCK, passphrase);
	if (exchange_once() != SSH_AGENT_SUCCESS)
		return false;
	build_passphrase(SSH_AGENTC_UNLOCK, passphrase);
	return exchange_once() == SSH_AGENT_SUCCESS;
}

static const struct {
	const char *name;
	bool (*run)(void);
} probe_tests[] = {
	{ "add, list, sign, remove a key", test_life_of_a_key },
	{ "sign with flags of RSA fails", test_sign_flags },
	{ "requests truncated at each byte fail", test_truncated_requests },
	{ "requests with a byte too many fail", test_trailing_bytes },
	{ "clients that vanish at each byte", test_vanishing_clients },
	{ "clients that do not wait for a reply", test_vanishing_readers },
	{ "length 0 fails and hangs up", test_length_zero },
	{ "length 256 KiB + 1 fails and hangs up", test_length_one_too_many },
	{ "length 2^32 - 1 fails and hangs up", test_length_largest },
	{ "a message of 256 KiB is answered", test_longest_message },
	{ "garbage messages are answered", test_garbage_messages },
	{ "garbage in strings fails", test_garbage_strings },
	{ "garbage streams", test_garbage_streams },
	{ "half a message does not keep others waiting", test_half_sent },
	{ "a message in single bytes", test_byte_by_byte },
	{ "requests sent before the reply", test_pipelined },
	{ "unknown requests fail", test_unknown_types },
	{ "adding with constraints fails", test_constrained },
	{ "extensions fail", test_extension },
	{ "adding keys that do not match fails", test_mismatched_keys },
	{ "adding a key of another type fails", test_other_key_type },
	{ "the comment's limit", test_comment_limit },
	{ "a comment with NUL fails", test_comment_nul },
	{ "the limit of keys", test_too_many_keys },
	{ "a slow reader does not keep others waiting", test_slow_reader },
	{ "the limit of clients", test_too_many_clients },
	{ "the limit of clients again", test_too_many_clients_again },
	{ "the limit of long messages", test_too_many_long_messages },
	{ "a locked agent", test_locked },
	{ "a wrong passphrase and the wait after it", test_wrong_passphrase },
	{ "the longest passphrase", test_long_passphrase },
};

int main(int argc, char **argv)
{
	bool ok, all = true;
	size_t i;

	if (argc != 2) {
		fputs("usage: agent-probe SOCKET\n", stderr);
		return 2;
	}
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	probe_path = argv[1];
	make_identity(&probe_key, 1);
	for (i = 0; i < sizeof(probe_tests) / sizeof(probe_tests[0]); i++) {
		ok = probe_tests[i].run();
		ok = remove_all() && ok;
		printf("%s %s\n", ok ? "ok" : "not ok", probe_tests[i].name);
		fflush(stdout);
		all = all && ok;
	}
	return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
