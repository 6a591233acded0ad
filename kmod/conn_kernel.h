/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_CONN_KERNEL_H
#define SECBUF_CONN_KERNEL_H

#include <linux/secbuf_conn.h>

#endif /* SECBUF_CONN_KERNEL_H */
