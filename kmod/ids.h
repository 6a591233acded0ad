/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_IDS_H
#define SECBUF_IDS_H

#include <linux/sizes.h>
#include <linux/types.h>

struct secbuf;
struct secbuf_account;
struct secbuf_id_entry;

#define SECBUF_IDS_MAX	SZ_1M

/**
 * struct secbuf_ids - what programs call buffers by, instead of pointers
 * @chunks: the entries, allocated as they are needed and kept until the end
 * @account: who pays for them
 * @generation: what entries begin with
 * @max: most ids at once that the caller will ask for
 * @nr_entries: entries in @chunks
 * @nr: ids that are valid now
 * @free: index of an entry that can be used; @nr_entries if there is none
 *
 * The caller serializes all calls; @nr_entries and @nr may be looked at any
 * time.
 */
struct secbuf_ids {
	struct secbuf_id_entry **chunks;
	struct secbuf_account *account;
	u64 generation;
	u32 max;
	u32 nr_entries;
	u32 nr;
	u32 free;
};

int secbuf_ids_init(struct secbuf_ids *ids, struct secbuf_account *account,
		    u32 max);
void secbuf_ids_exit(struct secbuf_ids *ids);
int secbuf_ids_reserve(struct secbuf_ids *ids, unsigned int nr);
int secbuf_ids_add(struct secbuf_ids *ids, struct secbuf *const *bufs,
		   unsigned int nr, u64 *out);
unsigned int secbuf_ids_remove(struct secbuf_ids *ids, const u64 *in,
			       unsigned int nr, struct secbuf **bufs);
unsigned int secbuf_ids_remove_any(struct secbuf_ids *ids, u32 *from,
				   unsigned int nr, struct secbuf **bufs);
struct secbuf *secbuf_ids_find(const struct secbuf_ids *ids, u64 id);

#endif /* SECBUF_IDS_H */
