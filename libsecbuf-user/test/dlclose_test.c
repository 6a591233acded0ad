// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The library as a plugin would use it: opened, used by threads that live on when
 * it is closed, opened again. The argument is its file, or it is beside this one.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include <secbuf.h>

static struct {
	int (*open)(struct secbuf_context **ctx,
		    const struct secbuf_open_opts *opts);
	int (*pool_open)(struct secbuf_pool **pool, struct secbuf_context *ctx,
			 const struct secbuf_pool_opts *opts);
	int (*pool_alloc)(struct secbuf_pool *pool, void **out);
	int (*pool_free)(struct secbuf_pool *pool, void *buf);
} lib;

static struct secbuf_pool *pool;
static pthread_barrier_t barrier;

static int use(void)
{
	void *bufs[20];
	int i;

	for (i = 0; i < 20; i++)
		if (lib.pool_alloc(pool, &bufs[i]))
			return 1;
	for (i = 0; i < 20; i++)
		if (lib.pool_free(pool, bufs[i]))
			return 2;
	return 0;
}

/* What it keeps goes back when it ends, by code that was closed. */
static void *thread(void *arg)
{
	*(int *)arg = use();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void *load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		return NULL;
	}
	lib.open = dlsym(handle, "secbuf_open");
	lib.pool_open = dlsym(handle, "secbuf_pool_open");
	lib.pool_alloc = dlsym(handle, "secbuf_pool_alloc");
	lib.pool_free = dlsym(handle, "secbuf_pool_free");
	return handle;
}

int main(int argc, char **argv)
{
	const char *path = argc == 2 ? argv[1] : "./libsecbuf-user.so";
	struct secbuf_context *ctx;
	int failed = 0;
	pthread_t other;
	void *handle;

	pthread_barrier_init(&barrier, NULL, 2);
	handle = load(path);
	if (!handle || lib.open(&ctx, NULL) || lib.pool_open(&pool, ctx, NULL))
		return 1;
	if (use() || pthread_create(&other, NULL, thread, &failed))
		return 2;
	pthread_barrier_wait(&barrier);
	dlclose(handle);
	pthread_barrier_wait(&barrier);
	if (pthread_join(other, NULL) || failed)
		return 3;
	/* It is the same one again, and knows its pool. */
	if (!load(path) || use())
		return 4;
	return 0;
}
