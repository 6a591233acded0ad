/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent protocol: request bytes in, reply bytes out, no descriptors. In the
 * process that has the keys.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "keyfile.h"
#include "keyring.h"
#include "stack.h"

struct agent {
	struct secbuf_source *source;
	struct keyring ring;
	struct stack stack;
};

/*
 * Keys are in memory of @source, and the stack for them in @mem. 0 or -errno for
 * secbuf_strerror()
 */
int agent_open(struct agent *agent, struct secbuf_source *source,
	       struct memory *mem);
void agent_close(struct agent *agent);

/*
 * Answer one request, without the length before it; nor does the reply, put
 * where @reply stands, get one. Every request has a reply, if only
 * SSH_AGENT_FAILURE.
 *
 * Return: 0; -EMSGSIZE if the reply is longer than @reply may be, and nothing
 * happened; an error of its source if there is no room for a failure.
 */
int agent_answer(struct agent *agent, const struct secbuf_cursor *request,
		 struct secbuf_buffer *reply);

/* KEYFILE_NO_MEMORY with ENOSPC: the agent has no room for another key. */
enum keyfile_result agent_add_file(struct agent *agent, const char *path);

#endif /* AGENT_AGENT_H */
