/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_PAYER_H
#define SECBUF_PAYER_H

#include <linux/refcount.h>

#include "account.h"

struct secbuf_slot_share;

/**
 * struct secbuf_payer - who pays for pages
 * @account: charged
 * @refs: one of the member that opened it, one of each page, one of an area
 *        whose fixed costs it bears
 * @share: of the member that opened it; NULL when that is gone. Protected by
 *         the io_lock of the area
 */
struct secbuf_payer {
	struct secbuf_account account;
	refcount_t refs;
	struct secbuf_slot_share *share;
};

struct secbuf_payer *secbuf_payer_create(void);
struct secbuf_payer *secbuf_payer_get(struct secbuf_payer *payer);
void secbuf_payer_put(struct secbuf_payer *payer);

#endif /* SECBUF_PAYER_H */
