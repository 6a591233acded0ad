// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Answers that no secbuf module gives: the library believes none of them. The
 * functions of libc that it calls to ask are replaced here.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <secbuf.h>

#include <kselftest_harness.h>

#define PAGE		4096
#define NR_SLOTS	4
#define NO_SLOT		77

/* What the module answers, and what it has granted. */
static struct {
	uint32_t done;		/* instead of what was asked, if not 0 */
	uint64_t first_id;
	unsigned int out;
	bool read_only;
} fake;

static int fake_pool(struct secbuf_pool_create_args *args)
{
	char path[64];
	int writable;
	int fd = memfd_create("pool", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, NR_SLOTS * PAGE))
		return -1;
	if (fake.read_only) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		writable = fd;
		fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
		close(writable);
	}
	args->out_fd = fd;
	args->out_slot_size = PAGE;
	args->out_mmap_size = NR_SLOTS * PAGE;
	return 0;
}

static int fake_alloc(struct secbuf_pool_alloc_args *args)
{
	uint64_t *ids = (void *)(uintptr_t)args->ids_ptr;

	for (uint32_t i = 0; i < args->nr; i++)
		ids[i] = fake.first_id + i;
	fake.out += args->nr;
	args->out_done = fake.done ?: args->nr;
	return 0;
}

static int fake_free(struct secbuf_pool_free_args *args)
{
	const uint64_t *ids = (void *)(uintptr_t)args->ids_ptr;

	if (args->flags)
		return 0;
	for (uint32_t i = 0; i < args->nr; i++)
		if (ids[i] - fake.first_id < NR_SLOTS)
			fake.out--;
	args->out_done = fake.done ?: args->nr;
	return 0;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	struct secbuf_info_args *info;
	va_list list;
	void *args;

	va_start(list, cmd);
	args = va_arg(list, void *);
	va_end(list);
	switch (cmd) {
	case SECBUF_IOC_INFO:
		info = args;
		info->out_abi_version = SECBUF_ABI_VERSION;
		info->out_batch_max = 64;
		return 0;
	case SECBUF_IOC_POOL_CREATE:
		return fake_pool(args);
	case SECBUF_IOC_POOL_ALLOC:
		return fake_alloc(args);
	case SECBUF_IOC_POOL_FREE:
		return fake_free(args);
	}
	errno = ENOTTY;
	return -1;
}

int open(const char *path, int flags, ...)
{
	return openat(AT_FDCWD, strcmp(path, "/dev/secbuf") ? path : "/dev/null",
		      flags);
}

FIXTURE(answers)
{
	struct secbuf_context	*ctx;
	struct secbuf_pool	*pool;
	struct secbuf_kpool	*kpool;
};

FIXTURE_SETUP(answers)
{
	memset(&fake, 0, sizeof(fake));
	ASSERT_EQ(0, secbuf_open(&self->ctx, NULL));
	ASSERT_EQ(0, secbuf_pool_open(&self->pool, self->ctx, NULL));
	ASSERT_EQ(0, secbuf_kpool_open(&self->kpool, self->ctx, NULL));
}

FIXTURE_TEARDOWN(answers)
{
	secbuf_kpool_close(self->kpool);
	secbuf_pool_close(self->pool);
	secbuf_close(self->ctx);
}

TEST_F(answers, right)
{
	void *bufs[NR_SLOTS];

	ASSERT_EQ(NR_SLOTS, secbuf_pool_alloc_batch(self->pool, bufs, NR_SLOTS));
	EXPECT_EQ(NR_SLOTS, fake.out);
	EXPECT_EQ(NR_SLOTS, secbuf_pool_free_batch(self->pool, bufs, NR_SLOTS));
	EXPECT_EQ(0, fake.out);
}

TEST_F(answers, more_than_asked)
{
	static const uint32_t too_many[] = { NR_SLOTS + 1, 65, 0x80000000, -1 };
	void *bufs[NR_SLOTS];
	uint64_t ids[NR_SLOTS];
	void *buf;

	ASSERT_EQ(0, secbuf_pool_alloc(self->pool, &buf));
	ASSERT_EQ(1, fake.out);
	for (size_t i = 0; i < ARRAY_SIZE(too_many); i++) {
		fake.done = too_many[i];
		EXPECT_EQ(-EPROTO, secbuf_pool_alloc_batch(self->pool, bufs,
							   NR_SLOTS));
		EXPECT_EQ(-EPROTO, secbuf_kpool_alloc_batch(self->kpool, 0, ids,
							    NR_SLOTS));
		EXPECT_EQ(1, fake.out);
	}
	EXPECT_EQ(-EPROTO, secbuf_pool_free(self->pool, buf));
}

TEST_F(answers, no_such_slot)
{
	void *bufs[NR_SLOTS], *buf = bufs;

	fake.first_id = NO_SLOT;
	EXPECT_EQ(-EPROTO, secbuf_pool_alloc(self->pool, &buf));
	EXPECT_EQ(NULL, buf);
	EXPECT_EQ(-EPROTO, secbuf_pool_alloc_batch(self->pool, bufs, NR_SLOTS));
	EXPECT_EQ(0, fake.out);
}

TEST_F(answers, pool_that_cannot_be_mapped)
{
	struct secbuf_pool *pool;

	fake.read_only = true;
	EXPECT_EQ(-EACCES, secbuf_pool_open(&pool, self->ctx, NULL));
	EXPECT_EQ(NULL, pool);
}

TEST_HARNESS_MAIN
