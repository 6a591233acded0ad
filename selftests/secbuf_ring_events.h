/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can happen to a ring while somebody waits.
 */
#ifndef SECBUF_RING_EVENTS_H
#define SECBUF_RING_EVENTS_H

#include "secbuf_ring.h"

static inline void hangup_p(struct ring *r)
{
	ring_hangup(r->p.fd);
}

static inline void hangup_c(struct ring *r)
{
	ring_hangup(r->c.fd);
}

static inline void reset_ring(struct ring *r)
{
	ring_reset(r->p.fd);
}

static inline void break_ring(struct ring *r)
{
	ring_notify_args(r->p.fd, SECBUF_RING_NOTIFY_F_BROKEN, 0, 0, NULL);
}

#endif /* SECBUF_RING_EVENTS_H */
