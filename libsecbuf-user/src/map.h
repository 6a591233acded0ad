/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Address space: private memory that children of fork() find empty, and the
 * mappings of pools.
 */
#ifndef SECBUF_MAP_H
#define SECBUF_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Objects of which a part is empty in a child have it begin here. No page of any
 * machine that Linux runs on is larger.
 */
#ifdef __x86_64__
#define SECBUF_MAP_KEPT		4096
#else
#define SECBUF_MAP_KEPT		65536
#endif

/*
 * Where in a page that begins what every call uses: a CPU takes a load for one of
 * what was just stored elsewhere if the addresses differ by a multiple of a page.
 */
#define SECBUF_CACHE_COLOUR	1024
#define SECBUF_THREAD_COLOUR	2048
#define SECBUF_POOL_COLOUR	3072

struct secbuf_pool_control;
struct secbuf_slot_word;

/**
 * struct secbuf_map - a pool in the address space
 * @base: begin of what is reserved: control page, guard, slots, guard
 * @size: bytes reserved
 * @page_size: bytes of a page, and of each guard
 * @slots: slot 0
 * @slots_size: bytes of all slots
 * @borrowed: the address space belongs to somebody else, to whom it returns
 */
struct secbuf_map {
	unsigned char *base;
	size_t size;
	size_t page_size;
	unsigned char *slots;
	size_t slots_size;
	int borrowed;
};

/* Zeros, which a child finds zero again from @kept on. NULL without memory. */
void *secbuf_map_private(size_t size, size_t kept);

/* Bytes to reserve for @slots_size bytes of slots. */
size_t secbuf_map_room(size_t slots_size, size_t page_size);

/*
 * Maps the pool @fd: at @where, or if that is NULL anywhere, so that the slots
 * begin at a multiple of @align. 0 or a negative errno.
 */
int secbuf_map_pool(struct secbuf_map *map, int fd, size_t slots_size,
		    size_t align, void *where);

/* The other way round; @child: in a child, which has only a part of it. */
void secbuf_map_undo(struct secbuf_map *map, int child);

/* Maps a part of @fd in a reservation: 0 or a negative errno. */
int secbuf_map_file(void *where, size_t size, int prot, int fd, off_t offset);

/*
 * Unmaps a reservation, or if it is @borrowed reserves it again, when what
 * was to be mapped at @lost could not be. The kernel may have unmapped what was
 * there before it failed, and another thread may have mapped something of its
 * own: these @lost_size bytes are left alone. If neither, they are lost.
 */
void secbuf_map_give_back(void *base, size_t size, size_t lost,
			  size_t lost_size, int borrowed);

/* Where the kernel asks for memory. */
const struct secbuf_pool_control *
secbuf_map_control(const struct secbuf_map *map);

/* The words of @nr slots of the pool @fd: 0 or a negative errno; and not any more. */
int secbuf_map_words(struct secbuf_slot_word **out, int fd, uint32_t nr);
void secbuf_map_undo_words(struct secbuf_slot_word *words, uint32_t nr);

#endif /* SECBUF_MAP_H */
