/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that has the keys, as the process that talks to clients sees it.
 * Either notices when the other is gone, and ends.
 */
#ifndef AGENT_KEEPER_H
#define AGENT_KEEPER_H

#include <sys/types.h>

#include "channel.h"
#include "client.h"

/* What the process does; its exit status. */
typedef int keeper_run(struct channel *channel, void *arg);

struct keeper {
	struct responder responder;
	struct channel channel;
	struct secbuf_source *source;	/* of this process */
	pid_t pid;
	uint32_t number;		/* of the last request */
	int stop_fd;			/* readable: wait no longer */
};

/*
 * Begin that process. The memory of the caller is not to be opened yet: nothing
 * of it is for both. 0 or -errno for secbuf_strerror()
 */
int keeper_start(struct keeper *keeper, const char *memory, keeper_run *run,
		 void *arg);

/*
 * Wait until its first message says that it is ready. What it says goes to
 * memory of @source. 0 or -errno
 */
int keeper_await(struct keeper *keeper, struct secbuf_source *source);

/* Is it still there, and has nothing to say that was not asked? 0 or -errno */
int keeper_check(struct keeper *keeper);

/*
 * End it, and say what was wrong with it unless it did.
 *
 * Return: 0 if it has ended well and because of this call.
 */
int keeper_stop(struct keeper *keeper);

#endif /* AGENT_KEEPER_H */
