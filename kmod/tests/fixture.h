/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_FIXTURE_H
#define SECBUF_FIXTURE_H

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/types.h>

#include <linux/secbuf.h>

struct task_struct;

/* An emulated machine on a busy one stands still for seconds now and then. */
#define fixture_wait_until(cond)					\
do {									\
	unsigned long end_ = jiffies + 60 * HZ;				\
									\
	while (!(cond) && time_before(jiffies, end_))			\
		msleep(20);						\
} while (0)

int fixture_init(struct kunit *test);

struct secbuf_pool *fixture_pool(struct kunit *test, size_t buf_size,
				 unsigned int min, unsigned int max);
void fixture_pool_destroy(struct kunit *test, struct secbuf_pool *pool);
struct secbuf_pool_stats fixture_stats(struct secbuf_pool *pool);
unsigned int fixture_alloc(struct kunit *test, struct secbuf_pool *pool,
			   gfp_t gfp, unsigned int nr, struct secbuf **bufs);
void fixture_put_on(int cpu, struct secbuf **bufs, unsigned int nr);
int fixture_other_cpu(struct kunit *test);
bool fixture_is_zero(const struct secbuf *sb);
size_t fixture_charged(void);

struct task_struct *fixture_thread(struct kunit *test, int cpu,
				   int (*fn)(void *arg), void *arg);
int fixture_thread_stop(struct kunit *test, struct task_struct *task);

#endif /* SECBUF_FIXTURE_H */
