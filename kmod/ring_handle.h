/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_RING_HANDLE_H
#define SECBUF_RING_HANDLE_H

#include <linux/fs.h>

#include "owner.h"

struct secbuf_ring_end;

/**
 * struct secbuf_ring_handle - an end that processes own
 * @end: the end
 * @file: the file whose mappings show the pages; pinned by each mapping
 * @creator: who made it. It is his, too, after another has claimed it, but what
 *           he does then does not reach the end
 * @claimer: who claimed it, if @claiming
 * @claiming: somebody claims it, or has done so
 */
struct secbuf_ring_handle {
	struct secbuf_ring_end *end;
	struct file *file;
	struct secbuf_owned creator;
	struct secbuf_owned claimer;
	unsigned long claiming;
};

struct secbuf_ring_handle *
secbuf_ring_handle_create(struct secbuf_ring_end *end, const char *name,
			  const struct file_operations *fops);
void secbuf_ring_handle_release(struct secbuf_ring_handle *handle);
void secbuf_ring_handle_flush(struct secbuf_ring_handle *handle);
int secbuf_ring_handle_check(const struct secbuf_ring_handle *handle);
int secbuf_ring_handle_check_poll(const struct secbuf_ring_handle *handle);
int secbuf_ring_handle_check_creator(const struct secbuf_ring_handle *handle);
int secbuf_ring_handle_claim(struct secbuf_ring_handle *handle);

#endif /* SECBUF_RING_HANDLE_H */
