// SPDX-License-Identifier: GPL-2.0
/*
 * Words: by which programs and the kernel tell each other who has a slot that is
 * the buffer of a conn, without a system call. See "Handing over" in the UAPI.
 */
#include "words.h"

#include <linux/mm.h>
#include <linux/slab.h>

#include <uapi/linux/secbuf.h>

#include "account.h"
#include "page.h"

#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(struct secbuf_slot_word))

static pgoff_t pages_of(unsigned int nr_slots)
{
	return DIV_ROUND_UP(nr_slots, WORDS_PER_PAGE);
}

/**
 * secbuf_words_footprint() - kernel memory that words take at least
 * @nr_slots: slots of the area
 *
 * Return: bytes.
 */
size_t secbuf_words_footprint(unsigned int nr_slots)
{
	return pages_of(nr_slots) * sizeof(struct page *);
}

/**
 * secbuf_words_init() - words without pages
 * @words: initialized on success
 * @nr_slots: slots of the area
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int secbuf_words_init(struct secbuf_words *words, unsigned int nr_slots)
{
	words->pages = kvzalloc(secbuf_words_footprint(nr_slots), SECBUF_GFP);
	if (!words->pages)
		return -ENOMEM;
	words->nr_pages = pages_of(nr_slots);
	atomic_set(&words->tag, 0);
	return 0;
}

/**
 * secbuf_words_exit() - free the pages
 * @words: from secbuf_words_init(); mapped nowhere any more
 *
 * Context: process, may sleep.
 */
void secbuf_words_exit(struct secbuf_words *words)
{
	pgoff_t i;

	for (i = 0; i < words->nr_pages; i++)
		if (words->pages[i])
			secbuf_page_free(words->pages[i]);
	kvfree(words->pages);
}

/**
 * secbuf_words_page() - the page at an index of the mapping
 * @words: the words
 * @index: page index, not trusted
 *
 * Context: any.
 * Return: the page, or NULL if there is none.
 */
struct page *secbuf_words_page(const struct secbuf_words *words, pgoff_t index)
{
	if (index >= words->nr_pages)
		return NULL;
	/* Pairs with the release in secbuf_words_fill(). */
	return smp_load_acquire(&words->pages[index]);
}

/**
 * secbuf_words_are_there() - can the word of a slot be used?
 * @words: the words
 * @id: the slot
 */
bool secbuf_words_are_there(const struct secbuf_words *words, u64 id)
{
	return secbuf_words_page(words, id / WORDS_PER_PAGE);
}

/**
 * secbuf_words_fill() - a page for the word of a slot, if there is none
 * @words: the words
 * @payer: who pays
 * @id: the slot
 *
 * Context: process, may sleep. The caller serializes.
 * Return: 0, -ENOMEM, -EDQUOT.
 */
int secbuf_words_fill(struct secbuf_words *words, struct secbuf_payer *payer,
		      u64 id)
{
	struct page *page;
	int ret;

	if (secbuf_words_are_there(words, id))
		return 0;
	ret = secbuf_page_alloc(payer, &page, 1);
	if (ret < 0)
		return ret;
	secbuf_page_reveal(page);
	/* Who sees the page sees it zero. */
	smp_store_release(&words->pages[id / WORDS_PER_PAGE], page);
	return 0;
}

static struct secbuf_slot_word *word_of(const struct secbuf_words *words,
					u64 id)
{
	struct page *page = secbuf_words_page(words, id / WORDS_PER_PAGE);
	struct secbuf_slot_word *word = page_address(page);

	return &word[id % WORDS_PER_PAGE];
}

/**
 * secbuf_words_new_tag() - a tag that no slot has had for a long time
 * @words: the words
 *
 * Return: the tag, where it is in a word; never 0.
 */
u32 secbuf_words_new_tag(struct secbuf_words *words)
{
	u32 tag;

	do {
		tag = (u32)atomic_inc_return(&words->tag) *
		      (SECBUF_SLOT_STATE_MASK + 1);
	} while (!tag);
	return tag;
}

/**
 * secbuf_words_state() - does the program want this slot?
 * @words: the words
 * @id: a slot; who looks without a lock can find one that has no word yet
 * @tag: of the slot
 *
 * Return: SECBUF_SLOT_IDLE or SECBUF_SLOT_AGED if it does not; SECBUF_SLOT_BUSY
 * if it does, and if the word is one that cannot be, or is not there.
 */
u32 secbuf_words_state(const struct secbuf_words *words, u64 id, u32 tag)
{
	u32 state;

	if (!secbuf_words_are_there(words, id))
		return SECBUF_SLOT_BUSY;
	state = READ_ONCE(word_of(words, id)->state) ^ tag;
	if (state == SECBUF_SLOT_IDLE || state == SECBUF_SLOT_AGED)
		return state;
	return SECBUF_SLOT_BUSY;
}

/**
 * secbuf_words_used() - bytes in use, as the program says
 * @words: the words
 * @id: a slot; as of secbuf_words_state()
 */
u32 secbuf_words_used(const struct secbuf_words *words, u64 id)
{
	if (!secbuf_words_are_there(words, id))
		return 0;
	return READ_ONCE(word_of(words, id)->used);
}

/**
 * secbuf_words_lend() - the slot is the program's
 * @words: the words
 * @id: a slot with a word
 * @tag: of the slot
 */
void secbuf_words_lend(struct secbuf_words *words, u64 id, u32 tag)
{
	struct secbuf_slot_word *word = word_of(words, id);

	/* Who finds it busy finds the slot zero. */
	smp_store_release(&word->state, tag | SECBUF_SLOT_BUSY);
}

static bool change(struct secbuf_slot_word *word, u32 from, u32 to)
{
	return cmpxchg(&word->state, from, to) == from;
}

/**
 * secbuf_words_age() - idle since the last look: aged, from now on
 * @words: the words
 * @id: a slot with a word
 * @tag: of the slot
 *
 * Return: true if it was idle.
 */
bool secbuf_words_age(struct secbuf_words *words, u64 id, u32 tag)
{
	return change(word_of(words, id), tag | SECBUF_SLOT_IDLE,
		      tag | SECBUF_SLOT_AGED);
}

/**
 * secbuf_words_take() - take a slot that the program does not want
 * @words: the words
 * @id: a slot with a word
 * @tag: of the slot
 *
 * Return: true if the program must ask for it from now on.
 */
bool secbuf_words_take(struct secbuf_words *words, u64 id, u32 tag)
{
	struct secbuf_slot_word *word = word_of(words, id);

	return change(word, tag | SECBUF_SLOT_AGED, tag | SECBUF_SLOT_GONE) ||
	       change(word, tag | SECBUF_SLOT_IDLE, tag | SECBUF_SLOT_GONE);
}

/* A program that changes a word all the time is not to keep us here. */
#define END_TRIES	16

/**
 * secbuf_words_end() - the slot is gone, whatever the program wants
 * @words: the words
 * @id: a slot with a word
 * @tag: of the slot; that of another stays as it is
 */
void secbuf_words_end(struct secbuf_words *words, u64 id, u32 tag)
{
	struct secbuf_slot_word *word = word_of(words, id);
	u32 state = READ_ONCE(word->state), seen;
	unsigned int tries = END_TRIES;

	while ((state & ~SECBUF_SLOT_STATE_MASK) == tag && tries--) {
		seen = cmpxchg(&word->state, state, tag | SECBUF_SLOT_GONE);
		if (seen == state)
			break;
		state = seen;
		cpu_relax();
	}
}
