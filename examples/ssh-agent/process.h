/* SPDX-License-Identifier: GPL-2.0 */
/* What both processes of the agent do to themselves. */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Nobody can look into it or make it dump, it gains no privileges, and the
 * signals of process_signals() do not end it.
 */
void process_harden(void);

/* Those that end the agent: blocked, and for the front process to read. */
void process_signals(sigset_t *set);

/* Before the end, when there is nothing to hide: leak checkers have to look. */
void process_expose(void);

/* Away from terminal and directory; with @silent also from the errors. */
void process_detach(bool silent);

#endif /* AGENT_PROCESS_H */
