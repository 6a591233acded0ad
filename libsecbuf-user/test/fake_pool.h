/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Pools of the module that is not there, for its conns.
 */
#ifndef FAKE_POOL_H
#define FAKE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/secbuf.h>

/* Who has a slot. */
enum fake_holder {
	FAKE_NOBODY,
	FAKE_PROGRAM,
	FAKE_CONN,
};

struct fake_pool {
	int fd;
	pid_t owner;
	uint32_t flags;
	uint32_t max_slots;
	uint64_t slot_size;
	uint64_t stride;
	uint64_t mmap_size;
	uint64_t acquired;
	uint64_t returned;
	uint32_t peak;
	unsigned char *data;
	struct secbuf_slot_word *words;
	uint8_t *holders;
};

struct fake_pool *fake_find_pool(int fd);

/* A zero slot; the limit is ENOSPC. False with errno set. */
bool fake_grant(struct fake_pool *pool, enum fake_holder holder, uint64_t *id);
void fake_take_back(struct fake_pool *pool, uint64_t id);

static inline unsigned char *fake_slot(const struct fake_pool *pool,
				       uint64_t id)
{
	return pool->data + id * pool->stride;
}

/* Conns: as ioctl(), and ENOTTY if @fd is none. Under the lock. */
int fake_conn_create(struct secbuf_conn_create_args *args);
int fake_conn_answer(int fd, unsigned long cmd, void *args);

#endif /* FAKE_POOL_H */
