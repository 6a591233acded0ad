/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The secret of plant and ring_plant: the files MASK and MASKED xored. It is
 * made byte by byte where it shall be, and exists nowhere else in the guest.
 */
#ifndef SECBUF_PLANT_H
#define SECBUF_PLANT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_LEN	32
#define PAGE		4096

static volatile unsigned char mask[SECRET_LEN];
static volatile unsigned char masked[SECRET_LEN];

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "plant: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void file_read(const char *path, volatile unsigned char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, (void *)buf, SECRET_LEN) != SECRET_LEN)
		die(path);
	close(fd);
}

static inline void secret_read(const char *mask_path, const char *masked_path)
{
	file_read(mask_path, mask);
	file_read(masked_path, masked);
}

/* Byte by byte, so that it is nowhere else. */
static inline void secret_plant(volatile unsigned char *page)
{
	for (int i = 0; i < SECRET_LEN; i++)
		page[PAGE / 2 + i] = mask[i] ^ masked[i];
}

static inline void __attribute__((noreturn)) ended(void)
{
	puts("ended");
	fflush(stdout);
	for (;;)
		pause();
}

#endif /* SECBUF_PLANT_H */
