/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What plant.c and its memories have in common, plant_*.c.
 */
#ifndef SECBUF_PLANT_H
#define SECBUF_PLANT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SECRET_LEN	32
#define PAGE		4096

/*
 * A copy in each page. So many that a few freed pages that somebody else gets
 * before the search are not all.
 */
#define SIZE		(64UL * PAGE)

/* Most descriptors that a memory has. */
#define NR_FDS		4

/**
 * struct end - an end that only some memories have
 * @name: as on the command line
 * @run: returns, and the secret's life is over, but not the process's
 */
struct end {
	const char *name;
	void (*run)(void);
};

/**
 * struct memory - where a secret can be
 * @name: as on the command line
 * @plant: makes the memory, and the secret in it; END says for what
 * @descriptors: writes which it has, and returns how many
 * @unmap: unmaps what it has mapped, and closes nothing
 * @ends: its own, up to one without a name
 */
struct memory {
	const char *name;
	void (*plant)(const char *end);
	unsigned int (*descriptors)(int *fds);
	void (*unmap)(void);
	const struct end *ends;
};

extern const struct memory pool_memory, stale_memory, kpool_memory, ring_memory;
extern const struct memory conn_memory, conns_memory;
extern const struct memory packet_memory, moved_memory, stream_memory;
extern const struct memory malloc_memory, memfd_memory, socket_memory;

void die(const char *what) __attribute__((noreturn));
bool is(const char *word, const char *other);

/* Byte I of the secret. */
unsigned char secret_byte(unsigned int i);

/* Once in each page of SIZE bytes. */
void secret_fill(volatile unsigned char *bytes);

/* By write(), so that it is in one piece in the kernel only. */
void secret_write(int fd);

void wipe(volatile unsigned char *bytes, size_t len);

int device_open(void);
void command(int fd, unsigned long request, void *args, const char *what);

/* Says that it waits, and polls until it is true, for two minutes. */
void wait_until(bool (*true_now)(void), const char *what);

/*
 * A process with all that this one has, which calls BEGIN, if there is one, and
 * then waits; it dies with this one. Returns when BEGIN has.
 */
pid_t keeper(void (*begin)(void));
void keeper_kill(pid_t pid);

/* Of rings, for streams: their ends, a secret that is not published, an end. */
void ring_open(int *fds, bool records);
void ring_plant_unpublished(int producer);
void ring_park(void);

#endif /* SECBUF_PLANT_H */
