// SPDX-License-Identifier: GPL-2.0
/*
 * agent-load: keep an agent busy, and check every answer.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "connection.h"
#include "protocol.h"

#define LOAD_TYPE		"ssh-ed25519"
#define LOAD_DATA_SIZE		256
#define LOAD_REPLY_SIZE		SSH_AGENT_MESSAGE_MAX

struct load {
	int fd;
	uint8_t *reply;
	uint8_t blob[64];		/* of the key that signs */
	size_t blob_len;
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
};

static int load_exchange(struct load *load, const struct secbuf_cursor *request,
			 struct secbuf_cursor *reply, uint8_t expected)
{
	uint8_t type;
	int err;

	err = connection_send(load->fd, request);
	secbuf_cursor_init(reply, load->reply, LOAD_REPLY_SIZE);
	if (!err)
		err = connection_receive(load->fd, reply);
	if (!err)
		err = secbuf_cursor_get_u8(reply, &type);
	return err || type == expected ? err : -EPROTO;
}

/* string type, string value of @size bytes, and nothing more */
static int load_get_pair(const uint8_t *data, size_t len, size_t size,
			 const uint8_t **value)
{
	struct secbuf_cursor cur;
	const uint8_t *type;
	size_t type_len, value_len;

	secbuf_cursor_init_filled(&cur, (void *)data, len);
	if (secbuf_cursor_get_string(&cur, &type, &type_len) ||
	    secbuf_cursor_get_string(&cur, value, &value_len) ||
	    type_len != strlen(LOAD_TYPE) ||
	    memcmp(type, LOAD_TYPE, type_len) || value_len != size ||
	    secbuf_cursor_remaining(&cur))
		return -EPROTO;
	return 0;
}

/* The first key that is listed is the one that will sign. */
static int load_list(struct load *load)
{
	uint8_t bytes[] = { SSH_AGENTC_REQUEST_IDENTITIES };
	struct secbuf_cursor request, reply;
	const uint8_t *blob, *public;
	uint32_t nr;
	size_t len;
	int err;

	secbuf_cursor_init_filled(&request, bytes, sizeof(bytes));
	err = load_exchange(load, &request, &reply,
			    SSH_AGENT_IDENTITIES_ANSWER);
	if (err)
		return err;
	if (secbuf_cursor_get_u32(&reply, &nr) || !nr ||
	    secbuf_cursor_get_string(&reply, &blob, &len) ||
	    len > sizeof(load->blob) ||
	    load_get_pair(blob, len, sizeof(load->public), &public))
		return -ENOKEY;
	memcpy(load->blob, blob, len);
	load->blob_len = len;
	memcpy(load->public, public, sizeof(load->public));
	return 0;
}

static int load_verify(struct load *load, struct secbuf_cursor *reply,
		       const void *data, size_t len)
{
	const uint8_t *blob, *sig;
	size_t blob_len;

	if (secbuf_cursor_get_string(reply, &blob, &blob_len) ||
	    secbuf_cursor_remaining(reply) ||
	    load_get_pair(blob, blob_len, crypto_sign_BYTES, &sig))
		return -EPROTO;
	return crypto_sign_verify_detached(sig, data, len, load->public) ?
	       -EKEYREJECTED : 0;
}

static int load_sign(struct load *load)
{
	uint8_t bytes[LOAD_DATA_SIZE + 128], data[LOAD_DATA_SIZE];
	size_t len = 1 + randombytes_uniform(sizeof(data));
	struct secbuf_cursor request, reply;
	int err;

	randombytes_buf(data, len);
	secbuf_cursor_init(&request, bytes, sizeof(bytes));
	if (secbuf_cursor_put_u8(&request, SSH_AGENTC_SIGN_REQUEST) ||
	    secbuf_cursor_put_string(&request, load->blob, load->blob_len) ||
	    secbuf_cursor_put_string(&request, data, len) ||
	    secbuf_cursor_put_u32(&request, 0))
		return -ENOSPC;
	err = load_exchange(load, &request, &reply, SSH_AGENT_SIGN_RESPONSE);
	return err ? err : load_verify(load, &reply, data, len);
}

static int load_run(struct load *load, unsigned long nr)
{
	unsigned long i;
	int err;

	err = load_list(load);
	for (i = 1; !err && i < nr; i++)
		err = load_sign(load);
	return err;
}

static void usage(FILE *out)
{
	fputs("usage: agent-load [--requests N] [--socket PATH]\n"
	      "\n"
	      "Asks an SSH agent for its keys, then for signatures by the\n"
	      "first until N requests (1000) are answered and verified.\n",
	      out);
}

static const struct option load_options[] = {
	{ "requests",	required_argument,	NULL, 'n' },
	{ "socket",	required_argument,	NULL, 'a' },
	{ "help",	no_argument,		NULL, 'h' },
	{ }
};

static void parse_options(int argc, char **argv, unsigned long *nr,
			  const char **path)
{
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "n:a:h", load_options,
				  NULL)) != -1) {
		switch (opt) {
		case 'n':
			*nr = strtoul(optarg, &end, 10);
			if (*end || !*nr) {
				fprintf(stderr, "agent-load: --requests=%s: a number from 1\n",
					optarg);
				exit(2);
			}
			break;
		case 'a':
			*path = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(EXIT_SUCCESS);
		default:
			usage(stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long nr = 1000;
	const char *path = NULL;
	struct load load = { };
	int err;

	parse_options(argc, argv, &nr, &path);
	load.reply = malloc(LOAD_REPLY_SIZE);
	if (!load.reply || sodium_init() < 0)
		return EXIT_FAILURE;
	load.fd = connection_open(path);
	err = load.fd < 0 ? load.fd : load_run(&load, nr);
	free(load.reply);
	if (err) {
		fprintf(stderr, "agent-load: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	printf("agent-load: %lu requests answered, %lu signatures verified\n",
	       nr, nr - 1);
	return EXIT_SUCCESS;
}
