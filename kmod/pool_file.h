/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_POOL_FILE_H
#define SECBUF_POOL_FILE_H

struct secbuf_command;

extern const struct secbuf_command secbuf_pool_create_command;

#endif /* SECBUF_POOL_FILE_H */
