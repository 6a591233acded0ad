/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_POLICY_H
#define SECBUF_POLICY_H

int secbuf_policy_init(void);
void secbuf_policy_exit(void);

#endif /* SECBUF_POLICY_H */
