/* SPDX-License-Identifier: GPL-2.0 */
/* What goes wrong, in a line for whoever started the agent. */
#ifndef AGENT_COMPLAIN_H
#define AGENT_COMPLAIN_H

void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...);

#endif /* AGENT_COMPLAIN_H */
