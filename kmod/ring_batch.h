/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_BATCH_H
#define SECBUF_RING_BATCH_H

#include <linux/secbuf_ring.h>

#endif /* SECBUF_RING_BATCH_H */
