/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_MEMBER_RECLAIM_H
#define SECBUF_MEMBER_RECLAIM_H

struct secbuf_member;
struct secbuf_reclaim;

extern const struct secbuf_reclaim_ops secbuf_member_reclaim_ops;

struct secbuf_member *
secbuf_member_from_reclaim(struct secbuf_reclaim *reclaim);

#endif /* SECBUF_MEMBER_RECLAIM_H */
