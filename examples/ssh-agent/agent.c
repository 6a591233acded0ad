// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "agent.h"
#include "protocol.h"

int agent_open(struct agent *agent, struct secbuf_source *source,
	       struct memory *mem)
{
	agent->source = source;
	keyring_init(&agent->ring, source);
	return stack_open(&agent->stack, mem);
}

void agent_close(struct agent *agent)
{
	keyring_destroy(&agent->ring);
	stack_close(&agent->stack);
}

/*
 * Requests: @cur stands behind the type and must be at its end when all is
 * read. 0 is a complete reply, -EMSGSIZE a reply that is too long, any other
 * errno becomes SSH_AGENT_FAILURE.
 */

static int agent_check_end(const struct secbuf_cursor *cur)
{
	return secbuf_cursor_remaining(cur) ? -EBADMSG : 0;
}

static int agent_succeed(int err, struct secbuf_buffer *reply)
{
	return err ? err : secbuf_buffer_put_u8(reply, SSH_AGENT_SUCCESS);
}

static int agent_list(struct agent *agent, struct secbuf_cursor *cur,
		      struct secbuf_buffer *reply)
{
	unsigned int nr_keys = keyring_is_locked(&agent->ring) ?
			       0 : agent->ring.nr_keys;
	unsigned int i;
	int err;

	err = agent_check_end(cur);
	if (!err)
		err = secbuf_buffer_put_u8(reply, SSH_AGENT_IDENTITIES_ANSWER);
	if (!err)
		err = secbuf_buffer_put_u32(reply, nr_keys);
	for (i = 0; !err && i < nr_keys; i++)
		err = key_put_identity(reply, &agent->ring.keys[i]);
	return err;
}

/* Flags choose the hash for RSA; with Ed25519 there is nothing to choose. */
static int agent_sign(struct agent *agent, struct secbuf_cursor *cur,
		      struct secbuf_buffer *reply)
{
	const uint8_t *public, *data;
	const struct key *key;
	uint32_t flags;
	size_t len;
	int err;

	if (key_get_blob(cur, &public) ||
	    secbuf_cursor_get_string(cur, &data, &len) ||
	    secbuf_cursor_get_u32(cur, &flags) || flags ||
	    agent_check_end(cur))
		return -EBADMSG;
	key = keyring_find(&agent->ring, public);
	if (!key)
		return -ENOENT;
	err = secbuf_buffer_put_u8(reply, SSH_AGENT_SIGN_RESPONSE);
	return err ? err : key_put_signature(reply, key, data, len);
}

static int agent_add(struct agent *agent, struct secbuf_cursor *cur,
		     struct secbuf_buffer *reply)
{
	struct key key;

	if (key_get_type(cur) || key_get_private(cur, &key, agent->source))
		return -EBADMSG;
	if (agent_check_end(cur) || keyring_add(&agent->ring, &key)) {
		key_release(&key);
		return -EBADMSG;
	}
	return agent_succeed(0, reply);
}

static int agent_remove(struct agent *agent, struct secbuf_cursor *cur,
			struct secbuf_buffer *reply)
{
	const uint8_t *public;
	int err;

	err = key_get_blob(cur, &public);
	if (!err)
		err = agent_check_end(cur);
	if (!err)
		err = keyring_remove(&agent->ring, public);
	return agent_succeed(err, reply);
}

static int agent_remove_all(struct agent *agent, struct secbuf_cursor *cur,
			    struct secbuf_buffer *reply)
{
	int err;

	err = agent_check_end(cur);
	if (!err)
		keyring_remove_all(&agent->ring);
	return agent_succeed(err, reply);
}

static int agent_lock(struct agent *agent, struct secbuf_cursor *cur,
		      struct secbuf_buffer *reply)
{
	const uint8_t *passphrase;
	size_t len;

	if (secbuf_cursor_get_string(cur, &passphrase, &len) ||
	    agent_check_end(cur) ||
	    keyring_lock(&agent->ring, passphrase, len))
		return -EBADMSG;
	return agent_succeed(0, reply);
}

static int agent_unlock(struct agent *agent, struct secbuf_cursor *cur,
			struct secbuf_buffer *reply)
{
	const uint8_t *passphrase;
	size_t len;

	if (secbuf_cursor_get_string(cur, &passphrase, &len) ||
	    agent_check_end(cur) ||
	    keyring_unlock(&agent->ring, passphrase, len))
		return -EACCES;
	return agent_succeed(0, reply);
}

/*
 * No entry for ADD_ID_CONSTRAINED: a client that asks for a limited key must
 * not be told that it has one.
 */
static const struct agent_request {
	int (*answer)(struct agent *agent, struct secbuf_cursor *cur,
		      struct secbuf_buffer *reply);
	bool when_locked;
} agent_requests[] = {
	[SSH_AGENTC_REQUEST_IDENTITIES]		= { agent_list, true },
	[SSH_AGENTC_SIGN_REQUEST]		= { agent_sign, false },
	[SSH_AGENTC_ADD_IDENTITY]		= { agent_add, false },
	[SSH_AGENTC_REMOVE_IDENTITY]		= { agent_remove, false },
	[SSH_AGENTC_REMOVE_ALL_IDENTITIES]	= { agent_remove_all, false },
	[SSH_AGENTC_LOCK]			= { agent_lock, false },
	[SSH_AGENTC_UNLOCK]			= { agent_unlock, true },
};

#define AGENT_REQUESTS_NR \
	(sizeof(agent_requests) / sizeof(agent_requests[0]))

static int agent_dispatch(struct agent *agent, struct secbuf_cursor *cur,
			  struct secbuf_buffer *reply)
{
	const struct agent_request *request;
	uint8_t type;

	if (secbuf_cursor_get_u8(cur, &type) || type >= AGENT_REQUESTS_NR)
		return -EBADMSG;
	request = &agent_requests[type];
	if (!request->answer || (keyring_is_locked(&agent->ring) && !request->when_locked))
		return -EOPNOTSUPP;
	return request->answer(agent, cur, reply);
}

static int agent_refuse(struct secbuf_buffer *reply)
{
	return secbuf_buffer_put_u8(reply, SSH_AGENT_FAILURE);
}

/* On the secret stack. */

struct agent_answer_call {
	struct agent *agent;
	struct secbuf_cursor request;
	struct secbuf_buffer *reply;
	int err;
};

static void agent_answer_inside(void *arg)
{
	struct agent_answer_call *call = arg;
	size_t start = secbuf_cursor_pos(&call->reply->cur);
	int err;

	err = agent_dispatch(call->agent, &call->request, call->reply);
	if (err)
		secbuf_buffer_resize(call->reply, start);
	if (err && err != -EMSGSIZE)
		err = agent_refuse(call->reply);
	call->err = err;
}

int agent_answer(struct agent *agent, const struct secbuf_cursor *request,
		 struct secbuf_buffer *reply)
{
	struct agent_answer_call call = {
		.agent = agent,
		.request = *request,
		.reply = reply,
	};

	stack_run(&agent->stack, agent_answer_inside, &call);
	return call.err;
}

struct agent_add_file_call {
	struct agent *agent;
	const char *path;
	enum keyfile_result result;
};

static void agent_add_file_inside(void *arg)
{
	struct agent_add_file_call *call = arg;
	struct agent *agent = call->agent;
	struct key key;
	int err;

	call->result = keyfile_load(&key, agent->source, call->path);
	if (call->result)
		return;
	err = keyring_add(&agent->ring, &key);
	if (!err)
		return;
	key_release(&key);
	call->result = KEYFILE_NO_MEMORY;
	errno = -err;
}

enum keyfile_result agent_add_file(struct agent *agent, const char *path)
{
	struct agent_add_file_call call = { .agent = agent, .path = path };

	stack_run(&agent->stack, agent_add_file_inside, &call);
	return call.result;
}
