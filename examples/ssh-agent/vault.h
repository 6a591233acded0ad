/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the process that has the keys does: it loads them, and answers one request
 * after the other, until the other process is gone or sends what it must not.
 */
#ifndef AGENT_VAULT_H
#define AGENT_VAULT_H

#include "channel.h"

#define VAULT_NAME	"secbuf-keeper"		/* in ps -C and top */

struct vault_options {
	const char *memory;
	const char **keys;	/* files */
	unsigned int nr_keys;
	bool background;
};

/* A keeper_run(); @arg are the options. */
int vault_run(struct channel *channel, void *arg);

#endif /* AGENT_VAULT_H */
