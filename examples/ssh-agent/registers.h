/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AGENT_REGISTERS_H
#define AGENT_REGISTERS_H

/*
 * Overwrite all vector registers. Cryptography and memcpy() leave secrets in
 * them, and the kernel saves them to memory of its own when it takes the
 * processor away, where they stay after the process is killed.
 *
 * Call this last before a system call that sleeps: the copy that the kernel
 * makes then is the one that stays.
 */
void registers_overwrite(void);

#endif /* AGENT_REGISTERS_H */
