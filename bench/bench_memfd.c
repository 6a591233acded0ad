// SPDX-License-Identifier: GPL-2.0
/*
 * A page for a secret: from a pool, or by memfd_secret(). For a guest that
 * counts instructions, one per ns, and is booted with secretmem.enable=1.
 * Prints
 *
 *	name value unit peer peer_value ratio
 *
 * Both zeroize the whole page. A string instruction counts once per step there,
 * so the CPU had better offer no fast "rep stosb": with it the kernel would
 * clear the peer's page in 4096 steps instead of 512.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define PAGE		4096

static struct secbuf_pool *pool;

/* One byte, as little as there is. */
static void touch(void *p)
{
	*(volatile char *)p = 1;
}

static void secbuf_pages(unsigned int nr)
{
	void *p;

	while (nr--) {
		turns_must(!secbuf_pool_alloc(pool, &p), "secbuf_pool_alloc");
		touch(p);
		turns_must(!secbuf_pool_free(pool, p), "secbuf_pool_free");
	}
}

static void memfd_pages(unsigned int nr)
{
	void *p;
	int fd;

	while (nr--) {
		fd = syscall(SYS_memfd_secret, 0);
		turns_must(fd >= 0, "memfd_secret");
		turns_must(!ftruncate(fd, PAGE), "ftruncate");
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		turns_must(p != MAP_FAILED, "mmap");
		touch(p);
		turns_must(!munmap(p, PAGE), "munmap");
		close(fd);
	}
}

int main(void)
{
	static const struct turns_line line = {
		.name = "upool_vs_memfd_secret", .nr = 100, .faster = true,
		.secbuf = { .run = secbuf_pages },
		.peer = { "memfd_secret", NULL, memfd_pages },
	};
	const struct secbuf_pool_opts opts = SECBUF_POOL_OPTS(PAGE, 100);
	struct secbuf_context *ctx;

	turns_count_instructions();
	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_pool_open(&pool, ctx, &opts), "secbuf_pool_open");
	turns_line(&line);
	return 0;
}
