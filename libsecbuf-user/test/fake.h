/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A module that is not there: linked with a test, this answers instead of
 * /dev/secbuf. It grants slots of files in memory and believes everything.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct fake - how it answers, and what it has seen
 * @done: instead of the number that was completed, if not 0
 * @first_id: added to each id that it grants
 * @read_only: pools cannot be mapped writable
 * @err: of each grant, if not 0
 * @err_nr: grants that fail with @err
 * @calls: ioctls so far
 * @out: slots that are granted
 */
struct fake {
	uint32_t done;
	uint64_t first_id;
	bool read_only;
	int err;
	unsigned int err_nr;
	unsigned long calls;
	unsigned int out;
};

extern struct fake fake;

/* Is this slot of the pool granted? */
bool fake_is_granted(int fd, uint64_t id);

/* The kernel asks for memory. */
void fake_press(int fd);

/* Forgets everything. */
void fake_reset(void);

#endif /* FAKE_H */
