/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_IO_H
#define SECBUF_CONN_IO_H

#include <linux/types.h>

struct file;
struct iov_iter;
struct kiocb;
struct secbuf_call;
struct secbuf_conn;

struct secbuf_conn *secbuf_conn_from_file(const struct file *file);
int secbuf_conn_check(const struct file *file);
int secbuf_conn_run_enqueue(struct secbuf_call *call);
int secbuf_conn_run_dequeue(struct secbuf_call *call);
ssize_t secbuf_conn_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t secbuf_conn_write_iter(struct kiocb *iocb, struct iov_iter *from);

#endif /* SECBUF_CONN_IO_H */
