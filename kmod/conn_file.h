/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_FILE_H
#define SECBUF_CONN_FILE_H

struct secbuf_command;

extern const struct secbuf_command secbuf_conn_create_command;

#endif /* SECBUF_CONN_FILE_H */
