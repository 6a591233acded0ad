/* SPDX-License-Identifier: GPL-2.0 */
/* The agent protocol: request bytes in, reply bytes out, no descriptors. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "keyfile.h"
#include "keyring.h"
#include "stack.h"

struct agent {
	struct memory *mem;
	struct keyring ring;
	struct stack stack;
};

/* 0 or -errno for secbuf_strerror() */
int agent_open(struct agent *agent, struct memory *mem);
void agent_close(struct agent *agent);

/*
 * Answer one request, without the length before it; nor has the reply any.
 * Every request has a reply, if only SSH_AGENT_FAILURE.
 *
 * Return: 0; -ENOSPC if @reply is too small, and nothing happened.
 */
int agent_answer(struct agent *agent, void *request, size_t len,
		 struct secbuf_cursor *reply);

/* Put SSH_AGENT_FAILURE. */
int agent_refuse(struct secbuf_cursor *reply);

/* KEYFILE_NO_MEMORY with ENOSPC: the agent has no room for another key. */
enum keyfile_result agent_add_file(struct agent *agent, const char *path);

#endif /* AGENT_AGENT_H */
