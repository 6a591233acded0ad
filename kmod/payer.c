// SPDX-License-Identifier: GPL-2.0
/*
 * Payer: who pays for pages. It outlives the process that it stands for while a
 * page is there that others use, as the page cache does it.
 */
#include "payer.h"

#include <linux/err.h>
#include <linux/slab.h>

/**
 * secbuf_payer_create() - the calling task's user and memory cgroup
 *
 * Context: process, may sleep.
 * Return: the payer, or an error pointer: -ENOMEM.
 */
struct secbuf_payer *secbuf_payer_create(void)
{
	struct secbuf_payer *payer;
	int err;

	payer = kzalloc(sizeof(*payer), SECBUF_GFP);
	if (!payer)
		return ERR_PTR(-ENOMEM);
	err = secbuf_account_init(&payer->account);
	if (err) {
		kfree(payer);
		return ERR_PTR(err);
	}
	refcount_set(&payer->refs, 1);
	return payer;
}

/**
 * secbuf_payer_get() - one more reference
 * @payer: whose
 *
 * Return: @payer.
 */
struct secbuf_payer *secbuf_payer_get(struct secbuf_payer *payer)
{
	refcount_inc(&payer->refs);
	return payer;
}

/**
 * secbuf_payer_put() - one reference less
 * @payer: everything that the reference stood for has been uncharged
 *
 * Context: process; also inside of reclaim.
 */
void secbuf_payer_put(struct secbuf_payer *payer)
{
	if (!refcount_dec_and_test(&payer->refs))
		return;
	secbuf_account_exit(&payer->account);
	kfree(payer);
}
