// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Address space of pools, and memory that is private to one process.
 */
#include "map.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

void *secbuf_map_private(size_t size, size_t kept)
{
	int saved_errno = errno;
	char *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		mem = NULL;
	} else if (madvise(mem + kept, size - kept, MADV_WIPEONFORK)) {
		munmap(mem, size);
		mem = NULL;
	}
	errno = saved_errno;
	return mem;
}

size_t secbuf_map_room(size_t slots_size, size_t page_size)
{
	return slots_size + 3 * page_size;
}

/* Reserves @size bytes so that what is @offset into them is a multiple. */
static void *secbuf_map_reserve(size_t size, size_t offset, size_t align)
{
	/* mmap() aligns to a page and to no more. */
	size_t more = align > (size_t)sysconf(_SC_PAGESIZE) ? align : 0;
	unsigned char *base, *end;
	size_t skip;

	base = mmap(NULL, size + more, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED || !more)
		return base;
	skip = -((uintptr_t)base + offset) & (align - 1);
	end = base + size + more;
	if (skip)
		munmap(base, skip);
	base += skip;
	if (end != base + size)
		munmap(base + size, end - base - size);
	return base;
}

/* All but what comes from the pool. */
static void secbuf_map_release_guards(struct secbuf_map *map)
{
	munmap(map->base + map->page_size, map->page_size);
	munmap(map->slots + map->slots_size, map->page_size);
}

int secbuf_map_file(void *where, size_t size, int prot, int fd, off_t offset)
{
	if (mmap(where, size, prot, MAP_SHARED | MAP_FIXED, fd,
		 offset) == MAP_FAILED)
		return -errno;
	return 0;
}

/* Unmaps it, or if it is @borrowed, reserves it again. */
static void secbuf_map_return(void *base, size_t size, int borrowed)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	if (!size)
		return;
	if (borrowed)
		mmap(base, size, PROT_NONE, flags | MAP_FIXED, -1, 0);
	else
		munmap(base, size);
}

void secbuf_map_give_back(void *base, size_t size, size_t lost,
			  size_t lost_size, int borrowed)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	unsigned char *bytes = base;

	secbuf_map_return(bytes, lost, borrowed);
	if (borrowed)
		mmap(bytes + lost, lost_size, PROT_NONE,
		     flags | MAP_FIXED_NOREPLACE, -1, 0);
	secbuf_map_return(bytes + lost + lost_size, size - lost - lost_size,
			  borrowed);
}

/* If it fails there is nothing left of the map. */
static int secbuf_map_part(struct secbuf_map *map, int fd, unsigned char *where,
			   size_t size, int prot, off_t offset)
{
	int err = secbuf_map_file(where, size, prot, fd, offset);

	if (err)
		secbuf_map_give_back(map->base, map->size, where - map->base,
				     size, map->borrowed);
	return err;
}

static int secbuf_map_fill(struct secbuf_map *map, int fd)
{
	int err;

	err = secbuf_map_part(map, fd, map->base, map->page_size, PROT_READ,
			      SECBUF_POOL_MMAP_CONTROL);
	if (!err)
		err = secbuf_map_part(map, fd, map->slots, map->slots_size,
				      PROT_READ | PROT_WRITE, 0);
	return err;
}

int secbuf_map_pool(struct secbuf_map *map, int fd, size_t slots_size,
		    size_t align, void *where)
{
	map->page_size = sysconf(_SC_PAGESIZE);
	if (slots_size > SIZE_MAX / 2)
		return -ENOMEM;
	map->size = secbuf_map_room(slots_size, map->page_size);
	map->slots_size = slots_size;
	map->borrowed = !!where;
	map->base = where ? (unsigned char *)where - 2 * map->page_size :
		    secbuf_map_reserve(map->size, 2 * map->page_size, align);
	if (map->base == MAP_FAILED)
		return -errno;
	map->slots = map->base + 2 * map->page_size;
	return secbuf_map_fill(map, fd);
}

void secbuf_map_undo(struct secbuf_map *map, int child)
{
	/*
	 * A child does not have the slots. What is in their place by now, if
	 * anything, is somebody else's.
	 */
	if (child) {
		if (!map->borrowed)
			secbuf_map_release_guards(map);
	} else if (map->borrowed) {
		mmap(map->base, map->size, PROT_NONE, MAP_PRIVATE |
		     MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	} else {
		munmap(map->base, map->size);
	}
}

const struct secbuf_pool_control *
secbuf_map_control(const struct secbuf_map *map)
{
	return (const void *)map->base;
}

static size_t secbuf_map_words_size(uint32_t nr)
{
	size_t page_size = sysconf(_SC_PAGESIZE);
	size_t size = nr * sizeof(struct secbuf_slot_word);

	return (size + page_size - 1) & ~(page_size - 1);
}

int secbuf_map_words(struct secbuf_slot_word **out, int fd, uint32_t nr)
{
	void *words;

	words = mmap(NULL, secbuf_map_words_size(nr), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, SECBUF_POOL_MMAP_WORDS);
	if (words == MAP_FAILED)
		return -errno;
	*out = words;
	return 0;
}

void secbuf_map_undo_words(struct secbuf_slot_word *words, uint32_t nr)
{
	munmap(words, secbuf_map_words_size(nr));
}
