/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_WORDS_H
#define SECBUF_WORDS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct page;
struct secbuf_payer;

/**
 * struct secbuf_words - a struct secbuf_slot_word for each slot of an area
 * @pages: where they are; NULL where none was needed yet. A page stays as long
 *         as the words
 * @nr_pages: of them
 * @tag: the last one given
 *
 * Programs can write anything there at any time. So nothing that is read here
 * decides more than whether they want a slot to be taken.
 */
struct secbuf_words {
	struct page **pages;
	pgoff_t nr_pages;
	atomic_t tag;
};

size_t secbuf_words_footprint(unsigned int nr_slots);
int secbuf_words_init(struct secbuf_words *words, unsigned int nr_slots);
void secbuf_words_exit(struct secbuf_words *words);
bool secbuf_words_are_there(const struct secbuf_words *words, u64 id);
int secbuf_words_fill(struct secbuf_words *words, struct secbuf_payer *payer,
		      u64 id);
struct page *secbuf_words_page(const struct secbuf_words *words, pgoff_t index);

u32 secbuf_words_new_tag(struct secbuf_words *words);
u32 secbuf_words_state(const struct secbuf_words *words, u64 id, u32 tag);
u32 secbuf_words_used(const struct secbuf_words *words, u64 id);
void secbuf_words_lend(struct secbuf_words *words, u64 id, u32 tag);
bool secbuf_words_age(struct secbuf_words *words, u64 id, u32 tag);
bool secbuf_words_take(struct secbuf_words *words, u64 id, u32 tag);
void secbuf_words_end(struct secbuf_words *words, u64 id, u32 tag);

#endif /* SECBUF_WORDS_H */
