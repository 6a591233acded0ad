// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <sodium.h>

#include "agent.h"
#include "complain.h"
#include "memory.h"
#include "process.h"
#include "registers.h"
#include "vault.h"

/* Most messages are not longer; after those that are, it is no more than that. */
#define VAULT_SHORT_SIZE	4096

struct vault {
	struct channel *channel;
	struct agent agent;
	struct secbuf_buffer request;
	struct secbuf_buffer reply;
};

static int vault_load(struct vault *vault, const struct vault_options *options)
{
	enum keyfile_result result;
	unsigned int i;

	for (i = 0; i < options->nr_keys; i++) {
		result = agent_add_file(&vault->agent, options->keys[i]);
		if (result) {
			complain("%s: %s", options->keys[i],
				 keyfile_strerror(result));
			return -EINVAL;
		}
	}
	return 0;
}

/*
 * The request is a copy. How long the reply may be is what the other process
 * says, and bounded here.
 */
static int vault_answer(struct vault *vault, uint32_t reply_max)
{
	int err;

	if (reply_max > CHANNEL_MESSAGE_MAX)
		return channel_fail(vault->channel, -EPROTO);
	secbuf_buffer_set_max(&vault->reply, reply_max);
	err = agent_answer(&vault->agent, &vault->request.cur, &vault->reply);
	if (err)
		secbuf_buffer_clear(&vault->reply);
	return err;
}

/* Nothing of it stays. */
static void vault_forget(struct vault *vault)
{
	secbuf_buffer_shrink(&vault->request, VAULT_SHORT_SIZE);
	secbuf_buffer_shrink(&vault->reply, VAULT_SHORT_SIZE);
}

/* One request. An error: there will be no more. */
static int vault_serve(struct vault *vault)
{
	struct channel_head head;
	int err;

	registers_overwrite();
	err = channel_receive(vault->channel, &head, &vault->request,
			      CHANNEL_FOREVER);
	if (!err)
		err = vault_answer(vault, head.value);
	if (vault->channel->err)
		return vault->channel->err;
	head.value = -err;
	err = channel_send(vault->channel, &head, &vault->reply.cur);
	vault_forget(vault);
	return err;
}

static int vault_loop(struct vault *vault)
{
	const struct channel_head ready = { };
	int err;

	err = channel_send(vault->channel, &ready, &vault->reply.cur);
	while (!err)
		err = vault_serve(vault);
	/* That is how it ends. */
	if (err == -EPIPE)
		return 0;
	complain("the process that talks to clients: %s",
		 err == -EPROTO ? "said what it must not" : strerror(-err));
	return err;
}

static int vault_open(struct vault *vault, struct secbuf_source *source,
		      struct memory *mem)
{
	int err;

	secbuf_buffer_init(&vault->request, source);
	secbuf_buffer_init(&vault->reply, source);
	err = agent_open(&vault->agent, source, mem);
	if (!err)
		err = secbuf_buffer_reserve(&vault->request, VAULT_SHORT_SIZE);
	if (!err)
		err = secbuf_buffer_reserve(&vault->reply, VAULT_SHORT_SIZE);
	if (!err)
		secbuf_buffer_set_max(&vault->request, CHANNEL_MESSAGE_MAX);
	if (err)
		complain("%s", secbuf_strerror(err));
	return err;
}

static void vault_close(struct vault *vault)
{
	secbuf_buffer_release(&vault->request);
	secbuf_buffer_release(&vault->reply);
	agent_close(&vault->agent);
}

static int vault_main(struct vault *vault, const struct vault_options *options)
{
	struct memory mem;
	int err;

	err = memory_open(&mem, options->memory);
	if (err) {
		complain("%s", secbuf_strerror(err));
		return err;
	}
	err = vault_open(vault, mem.source, &mem);
	if (!err)
		err = vault_load(vault, options);
	if (!err) {
		process_detach(options->background);
		err = vault_loop(vault);
	}
	vault_close(vault);
	memory_close(&mem);
	return err;
}

int vault_run(struct channel *channel, void *arg)
{
	struct vault vault = { .channel = channel };
	int err;

	prctl(PR_SET_NAME, VAULT_NAME);
	process_harden();
	err = channel_isolate(channel);
	if (err)
		complain("%s", strerror(-err));
	if (!err && sodium_init() < 0) {
		complain("libsodium does not work here");
		err = -ENOSYS;
	}
	if (!err)
		err = vault_main(&vault, arg);
	process_expose();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
