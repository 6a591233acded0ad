// SPDX-License-Identifier: GPL-2.0
/*
 * Ids: numbers for buffers that programs use. A number is given once: besides
 * the index of an entry it has a generation, and each use of the entry has its
 * own. The first generation is random, so that the ids of one table mean
 * nothing to another.
 */
#include "ids.h"

#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "account.h"

/* An id: generation, used, index. */
#define INDEX_BITS	20
#define INDEX_MASK	GENMASK_ULL(INDEX_BITS - 1, 0)
#define ID_USED		BIT_ULL(INDEX_BITS)
#define GENERATION_ONE	(ID_USED << 1)

#define CHUNK_SHIFT	8
#define CHUNK_ENTRIES	BIT(CHUNK_SHIFT)

static_assert(SECBUF_IDS_MAX - 1 == INDEX_MASK);

/**
 * struct secbuf_id_entry - one buffer, or none
 * @id: has ID_USED if there is a buffer, otherwise it is the next id but for
 *      that bit
 * @sb: the buffer
 * @next: index of the next free entry
 */
struct secbuf_id_entry {
	u64 id;
	union {
		struct secbuf *sb;
		u32 next;
	};
};

#define CHUNK_BYTES	(CHUNK_ENTRIES * sizeof(struct secbuf_id_entry))

static unsigned int nr_chunks(const struct secbuf_ids *ids)
{
	return DIV_ROUND_UP(ids->max, CHUNK_ENTRIES);
}

static size_t footprint(const struct secbuf_ids *ids)
{
	return nr_chunks(ids) * sizeof(*ids->chunks);
}

/**
 * secbuf_ids_init() - a table without ids
 * @ids: initialized on success
 * @account: who pays; outlives the table
 * @max: most ids at once, 1 to SECBUF_IDS_MAX
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, -EDQUOT.
 */
int secbuf_ids_init(struct secbuf_ids *ids, struct secbuf_account *account,
		    u32 max)
{
	int err;

	*ids = (struct secbuf_ids){
		.account = account,
		/* Any of the first half but 0: there are 2^42 after it. */
		.generation = (get_random_u64() >> 1 | GENERATION_ONE) &
			      ~(INDEX_MASK | ID_USED),
		.max = max,
	};
	err = secbuf_account_charge(account, footprint(ids));
	if (err)
		return err;
	ids->chunks = kvcalloc(nr_chunks(ids), sizeof(*ids->chunks),
			       SECBUF_GFP);
	if (!ids->chunks) {
		secbuf_account_uncharge(account, footprint(ids));
		return -ENOMEM;
	}
	return 0;
}

/**
 * secbuf_ids_exit() - free a table
 * @ids: the table, without ids
 *
 * Context: process, may sleep.
 */
void secbuf_ids_exit(struct secbuf_ids *ids)
{
	unsigned int nr = ids->nr_entries / CHUNK_ENTRIES;
	unsigned int i;

	WARN_ON_ONCE(ids->nr);
	for (i = 0; i < nr; i++)
		kfree(ids->chunks[i]);
	kvfree(ids->chunks);
	secbuf_account_uncharge(ids->account, footprint(ids) +
					      nr * CHUNK_BYTES);
}

static struct secbuf_id_entry *entry_at(const struct secbuf_ids *ids, u32 index)
{
	return &ids->chunks[index >> CHUNK_SHIFT][index & (CHUNK_ENTRIES - 1)];
}

/* The list of free entries ends with the index where the new ones begin. */
static int grow(struct secbuf_ids *ids)
{
	struct secbuf_id_entry *chunk;
	u32 first = ids->nr_entries;
	int err, i;

	if (first >= ids->max)
		return -ENOSPC;
	err = secbuf_account_charge(ids->account, CHUNK_BYTES);
	if (err)
		return err;
	chunk = kmalloc(CHUNK_BYTES, SECBUF_GFP);
	if (!chunk) {
		secbuf_account_uncharge(ids->account, CHUNK_BYTES);
		return -ENOMEM;
	}
	for (i = 0; i < CHUNK_ENTRIES; i++) {
		chunk[i].id = ids->generation | (first + i);
		chunk[i].sb = NULL;
		chunk[i].next = first + i + 1;
	}
	ids->chunks[first >> CHUNK_SHIFT] = chunk;
	WRITE_ONCE(ids->nr_entries, first + CHUNK_ENTRIES);
	return 0;
}

static void release(struct secbuf_ids *ids, struct secbuf_id_entry *entry)
{
	u32 index = entry->id & INDEX_MASK;

	entry->id = (entry->id ^ ID_USED) + GENERATION_ONE;
	/* An entry whose generations are used up rests for ever. */
	if (unlikely(entry->id < GENERATION_ONE))
		return;
	entry->next = ids->free;
	ids->free = index;
}

/**
 * secbuf_ids_reserve() - have entries for ids to come
 * @ids: the table
 * @nr: how many
 *
 * Context: process, may sleep.
 * Return: how many there are, at most @nr, or if none -ENOSPC, -ENOMEM, -EDQUOT.
 */
int secbuf_ids_reserve(struct secbuf_ids *ids, unsigned int nr)
{
	unsigned int room;
	int err = 0;

	do {
		room = ids->nr_entries - ids->nr;
	} while (room < nr && !(err = grow(ids)));
	return room ? min(room, nr) : err;
}

/**
 * secbuf_ids_add() - give ids to buffers
 * @ids: the table
 * @bufs: the buffers
 * @nr: how many
 * @out: where the ids go
 *
 * Context: process, may sleep.
 * Return: how many got one, or if none -ENOSPC, -ENOMEM, -EDQUOT.
 */
int secbuf_ids_add(struct secbuf_ids *ids, struct secbuf *const *bufs,
		   unsigned int nr, u64 *out)
{
	struct secbuf_id_entry *entry;
	u32 free = ids->free;
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++) {
		if (unlikely(free >= ids->nr_entries)) {
			err = grow(ids);
			if (err)
				break;
		}
		entry = entry_at(ids, free);
		free = entry->next;
		entry->sb = bufs[i];
		entry->id |= ID_USED;
		out[i] = entry->id;
	}
	ids->free = free;
	ids->nr += i;
	return i ?: err;
}

/* The entry of a valid id; a number from user space may be anything. */
static struct secbuf_id_entry *find(const struct secbuf_ids *ids, u64 id)
{
	struct secbuf_id_entry *entry;
	u32 index = id & INDEX_MASK;

	if (index >= ids->nr_entries || !(id & ID_USED))
		return NULL;
	entry = entry_at(ids, array_index_nospec(index, ids->nr_entries));
	return entry->id == id ? entry : NULL;
}

/**
 * secbuf_ids_remove() - take ids back, up to the first that is not valid
 * @ids: the table
 * @in: the ids, not trusted
 * @nr: how many
 * @bufs: where their buffers go
 *
 * Context: any.
 * Return: ids taken back, which are not valid any more.
 */
unsigned int secbuf_ids_remove(struct secbuf_ids *ids, const u64 *in,
			       unsigned int nr, struct secbuf **bufs)
{
	struct secbuf_id_entry *entry;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		entry = find(ids, in[i]);
		if (!entry)
			break;
		bufs[i] = entry->sb;
		release(ids, entry);
	}
	ids->nr -= i;
	return i;
}

/**
 * secbuf_ids_remove_any() - take ids back, whichever are valid
 * @ids: the table
 * @from: index to begin at, 0 at first; moved on
 * @nr: most to take back
 * @bufs: where their buffers go
 *
 * Context: any.
 * Return: ids taken back; less than @nr if no other is valid.
 */
unsigned int secbuf_ids_remove_any(struct secbuf_ids *ids, u32 *from,
				   unsigned int nr, struct secbuf **bufs)
{
	struct secbuf_id_entry *entry;
	unsigned int done = 0;

	for (; ids->nr && done < nr && *from < ids->nr_entries; ++*from) {
		entry = entry_at(ids, *from);
		if (!(entry->id & ID_USED))
			continue;
		bufs[done++] = entry->sb;
		release(ids, entry);
		ids->nr--;
	}
	return done;
}

/**
 * secbuf_ids_find() - the buffer that an id means
 * @ids: the table
 * @id: not trusted
 *
 * Context: any.
 * Return: the buffer, or NULL if the id is not valid.
 */
struct secbuf *secbuf_ids_find(const struct secbuf_ids *ids, u64 id)
{
	struct secbuf_id_entry *entry = find(ids, id);

	return entry ? entry->sb : NULL;
}
