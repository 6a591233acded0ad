/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_DEBUGFS_H
#define SECBUF_DEBUGFS_H

void secbuf_debugfs_init(void);
void secbuf_debugfs_exit(void);

#endif /* SECBUF_DEBUGFS_H */
