// SPDX-License-Identifier: GPL-2.0
/*
 * client-test: is a message gone from the buffers when it is answered? Prints
 * lines as agent-probe does.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "client.h"
#include "connection.h"

struct fixture {
	struct memory *mem;
	struct agent agent;
	struct client *client;
	int peer;
};

static int fixture_open(struct fixture *f, const char *memory)
{
	int fds[2], err;

	err = memory_open(&f->mem, memory);
	if (!err)
		err = agent_open(&f->agent, f->mem);
	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
		return -errno;
	f->peer = fds[1];
	return client_open(&f->client, fds[0], f->mem);
}

static void fixture_close(struct fixture *f)
{
	client_close(f->client);
	close(f->peer);
	agent_close(&f->agent);
	memory_close(f->mem);
}

static bool is_zero(struct memory_conn *conn, enum secbuf_conn_buffer which)
{
	return sodium_is_zero(memory_conn_buffer(conn, which),
			      memory_conn_size(conn));
}

static bool is_clean(struct client *client)
{
	return !client->large &&
	       is_zero(client->conn, SECBUF_CONN_BUFFER_READ) &&
	       is_zero(client->conn, SECBUF_CONN_BUFFER_WRITE);
}

/* Sends a request of @type that is @len bytes in all; wants a reply. */
static bool asks(struct fixture *f, uint8_t type, size_t len)
{
	static uint8_t bytes[SSH_AGENT_MESSAGE_MAX];
	struct secbuf_cursor cur;
	uint8_t reply[64];

	memset(bytes, 'x', sizeof(bytes));
	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	secbuf_cursor_put_u8(&cur, type);
	secbuf_cursor_set_len(&cur, len);
	if (connection_send(f->peer, &cur) ||
	    client_receive(f->client, &f->agent))
		return false;
	return read(f->peer, reply, sizeof(reply)) > 0;
}

static bool test_short(struct fixture *f)
{
	return asks(f, SSH_AGENTC_ADD_IDENTITY, 200) && is_clean(f->client);
}

static bool test_long(struct fixture *f)
{
	return asks(f, SSH_AGENTC_ADD_IDENTITY, 50000) && is_clean(f->client);
}

static bool test_list(struct fixture *f)
{
	return asks(f, SSH_AGENTC_REQUEST_IDENTITIES, 1) && is_clean(f->client);
}

/* The rest of a long message for which there is no buffer. */
static bool test_skipped(struct fixture *f)
{
	struct memory_conn *conns[MEMORY_LARGE_MAX];
	bool ok = true;
	int i;

	for (i = 0; i < MEMORY_LARGE_MAX; i++)
		ok &= !memory_conn_open(&conns[i], f->mem, MEMORY_LARGE);
	ok = ok && asks(f, SSH_AGENTC_ADD_IDENTITY, 50000) &&
	     is_clean(f->client);
	for (i = 0; i < MEMORY_LARGE_MAX; i++)
		memory_conn_close(conns[i]);
	return ok;
}

/* What the tests look at is really where messages are. */
static bool test_half(struct fixture *f)
{
	static const uint8_t half[] = { 0, 0, 0, 9, 'h', 'a', 'l', 'f' };

	return !connection_send_bytes(f->peer, half, sizeof(half)) &&
	       !client_receive(f->client, &f->agent) && !is_clean(f->client);
}

static const struct {
	const char *name;
	bool (*run)(struct fixture *f);
} client_tests[] = {
	{ "an answered request leaves nothing", test_short },
	{ "a long request leaves nothing", test_long },
	{ "a reply leaves nothing", test_list },
	{ "a refused long request leaves nothing", test_skipped },
	{ "half a request is there", test_half },
};

int main(int argc, char **argv)
{
	struct fixture f = { };
	bool ok, all = true;
	size_t i;
	int err;

	if (argc != 2) {
		fputs("usage: client-test secbuf|malloc\n", stderr);
		return 2;
	}
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	err = fixture_open(&f, argv[1]);
	if (err) {
		fprintf(stderr, "client-test: %s\n", secbuf_strerror(err));
		return EXIT_FAILURE;
	}
	for (i = 0; i < sizeof(client_tests) / sizeof(client_tests[0]); i++) {
		ok = client_tests[i].run(&f);
		printf("%s %s\n", ok ? "ok" : "not ok", client_tests[i].name);
		all = all && ok;
	}
	fixture_close(&f);
	return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
