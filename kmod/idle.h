/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECBUF_IDLE_H
#define SECBUF_IDLE_H

#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

struct secbuf_idle;

/**
 * struct secbuf_idle_ops - what the owner of a node does
 * @get: take a reference, so that the node stays while @expired runs; false if
 *       it is being freed already. Under the wheel's spinlock
 * @expired: nothing touched the node for its timeout. True: it is in use all
 *           the same, as if touched now; false: the wheel forgets it, until it
 *           is touched again. May sleep and take mutexes; may touch the node
 * @put: drop the reference; may sleep
 */
struct secbuf_idle_ops {
	bool (*get)(struct secbuf_idle *idle);
	bool (*expired)(struct secbuf_idle *idle);
	void (*put)(struct secbuf_idle *idle);
};

/**
 * struct secbuf_idle - embedded in what may become idle
 * @node: in a bucket, or among those that expired
 * @ops: of its owner
 * @used_at: when it was last touched, in nanoseconds since boot
 * @fresh_until: touches before that need not move it; 0 when it is not on the
 *               wheel. Written under the wheel's spinlock
 * @timeout_ms: after so many milliseconds it is idle
 * @level: of the wheel, from @timeout_ms
 * @dead: never goes on the wheel again. Written under the wheel's spinlock
 */
struct secbuf_idle {
	struct list_head node;
	const struct secbuf_idle_ops *ops;
	u64 used_at;
	u64 fresh_until;
	u32 timeout_ms;
	u8 level;
	bool dead;
};

/* The longest timeout: a day. */
#define SECBUF_IDLE_MS_MAX	86400000U

/* More than a timeout has ticks of its level, so that no bucket has two uses. */
#define SECBUF_IDLE_BUCKETS	128

/* Ticks from a millisecond, or 2^20 ns, up to 1/32 of a day, doubling. */
#define SECBUF_IDLE_SHIFT	20
#define SECBUF_IDLE_LEVELS	22

/**
 * struct secbuf_idle_level - nodes with timeouts of the same magnitude
 * @tick: buckets up to this one are empty
 * @used: buckets that may have nodes; the others have none
 * @buckets: by the tick in which its nodes expire, modulo their number
 */
struct secbuf_idle_level {
	u64 tick;
	DECLARE_BITMAP(used, SECBUF_IDLE_BUCKETS);
	struct list_head buckets[SECBUF_IDLE_BUCKETS];
};

/**
 * struct secbuf_idle_report - what a scan did
 * @ns: how long it took
 * @examined: nodes that it looked at
 * @expired: of these, how many were idle
 */
struct secbuf_idle_report {
	u64 ns;
	u64 examined;
	u64 expired;
};

/**
 * struct secbuf_idle_wheel - nodes by when they expire
 * @late: they have, and no scan has seen them yet
 * @armed: when the next scan is due; U64_MAX if none is
 * @arm: have a scan in that many nanoseconds, instead of when it was due. Under
 *       @lock; can be NULL
 * @levels: by magnitude of the timeout
 */
struct secbuf_idle_wheel {
	/** @lock: protects all of it; a leaf */
	spinlock_t lock;
	struct list_head late;
	u64 armed;
	void (*arm)(u64 ns);
	struct secbuf_idle_level levels[SECBUF_IDLE_LEVELS];
};

/* Any wheel at any time; for tests, and for what follows. */
void secbuf_idle_wheel_init(struct secbuf_idle_wheel *wheel);
void secbuf_idle_wheel_put(struct secbuf_idle_wheel *wheel,
			   struct secbuf_idle *idle, u64 now);
void secbuf_idle_wheel_del(struct secbuf_idle_wheel *wheel,
			   struct secbuf_idle *idle);
void secbuf_idle_wheel_scan(struct secbuf_idle_wheel *wheel, u64 now,
			    struct secbuf_idle_report *report);
void secbuf_idle_wheel_rearm(struct secbuf_idle_wheel *wheel, u64 now);

/* The wheel of the module. */
int secbuf_idle_init(void);
void secbuf_idle_exit(void);
void secbuf_idle_setup(struct secbuf_idle *idle,
		       const struct secbuf_idle_ops *ops, u32 timeout_ms);
void secbuf_idle_set_timeout(struct secbuf_idle *idle, u32 timeout_ms);
void secbuf_idle_move(struct secbuf_idle *idle, u64 now);
void secbuf_idle_del(struct secbuf_idle *idle);
void secbuf_idle_scan(struct secbuf_idle_report *report);
void secbuf_idle_last_scan(struct secbuf_idle_report *report);

/* True if its place on the wheel is not right any more, or it has none. */
static inline bool secbuf_idle_note(struct secbuf_idle *idle, u64 now)
{
	WRITE_ONCE(idle->used_at, now);
	return now >= READ_ONCE(idle->fresh_until);
}

/**
 * secbuf_idle_touch() - it is used now
 * @idle: on the wheel after this, unless it was deleted
 *
 * A store and a comparison, once in about a 32nd of its timeout more than that.
 *
 * Context: process; takes the wheel's spinlock.
 */
static inline void secbuf_idle_touch(struct secbuf_idle *idle)
{
	u64 now = ktime_get_coarse_boottime_ns();

	if (secbuf_idle_note(idle, now))
		secbuf_idle_move(idle, now);
}

/**
 * secbuf_idle_start() - on the wheel, as touched now, unless it is there
 * @idle: the node
 *
 * Context: process; takes the wheel's spinlock.
 */
static inline void secbuf_idle_start(struct secbuf_idle *idle)
{
	if (!READ_ONCE(idle->fresh_until))
		secbuf_idle_touch(idle);
}

/**
 * secbuf_idle_ns() - nanoseconds since it was last touched
 * @idle: on the wheel or not
 */
static inline u64 secbuf_idle_ns(const struct secbuf_idle *idle)
{
	u64 now = ktime_get_coarse_boottime_ns();
	u64 used_at = READ_ONCE(idle->used_at);

	return now > used_at ? now - used_at : 0;
}

/**
 * secbuf_idle_is_over() - is its timeout over?
 * @idle: on the wheel or not
 */
static inline bool secbuf_idle_is_over(const struct secbuf_idle *idle)
{
	return secbuf_idle_ns(idle) > (u64)idle->timeout_ms * NSEC_PER_MSEC;
}

#endif /* SECBUF_IDLE_H */
