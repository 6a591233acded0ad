// SPDX-License-Identifier: GPL-2.0
/*
 * Conns whose buffers and packets are struct secbuf of a kernel-held pool, and
 * change hands by pointer.
 */
#include "conn_sb.h"

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "account.h"
#include "buf.h"
#include "conn_stream.h"
#include "pool.h"

static struct secbuf_kconn *kconn_of(struct secbuf_conn *conn)
{
	return container_of(conn, struct secbuf_kconn, conn);
}

static int sb_grant(struct secbuf_conn *conn, u64 *handle)
{
	struct secbuf *sb;
	int ret;

	ret = secbuf_pool_alloc_some(kconn_of(conn)->pool, GFP_KERNEL, 1, &sb);
	if (ret < 0)
		return ret;
	*handle = secbuf_to_handle(sb);
	return 0;
}

/* Who else has a reference must not see it any more. */
static void sb_put(struct secbuf_conn *conn, u64 handle)
{
	struct secbuf *sb = secbuf_from_handle(handle);

	if (sb->shared)
		secbuf_zeroize(sb);
	secbuf_put(sb);
}

static struct secbuf_kconn_use *use_of(struct secbuf_conn *conn,
				       const struct secbuf_conn_slot *slot)
{
	return &kconn_of(conn)->uses[slot - conn->slots];
}

static void sb_clean(struct secbuf_conn *conn, u64 handle)
{
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++)
		if (conn->slots[i].held && conn->slots[i].handle == handle)
			kconn_of(conn)->uses[i].used = 0;
	secbuf_zeroize(secbuf_from_handle(handle));
}

static ssize_t sb_copy(struct secbuf_conn *conn, u64 handle, size_t offset,
		       struct iov_iter *iter, size_t len, bool out)
{
	void *window = secbuf_window(secbuf_from_handle(handle), offset, len);

	if (!window)
		return -EMSGSIZE;
	return out ? copy_to_iter(window, len, iter) :
		     copy_from_iter(window, len, iter);
}

static void sb_shift(struct secbuf_conn *conn, u64 handle, size_t offset,
		     size_t len)
{
	u8 *data = secbuf_from_handle(handle)->data;

	memmove(data, data + offset, len);
	memzero_explicit(data + len, offset);
}

/* The reference of a user is not that of the conn, which would be put twice. */
static int sb_hold(struct secbuf_conn *conn, u64 handle)
{
	unsigned int i;

	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++)
		if (conn->slots[i].held && conn->slots[i].handle == handle)
			return -EBUSY;
	return 0;
}

static void sb_hand_over(struct secbuf_conn *conn, u64 handle)
{
}

/* The user's reference, and what says so. */
static void use(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	struct secbuf_kconn_use *use = use_of(conn, slot);

	secbuf_get(secbuf_from_handle(slot->handle));
	use->users++;
}

static int sb_lend(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	struct secbuf_kconn *kconn = kconn_of(conn);
	int err;

	err = sb_grant(conn, &slot->handle);
	if (err)
		return err;
	*use_of(conn, slot) = (struct secbuf_kconn_use){ };
	use(conn, slot);
	secbuf_lender_add(&kconn->pool->lenders, &kconn->lender);
	return 0;
}

static int sb_busy(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	use(conn, slot);
	return 0;
}

static void sb_end(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	sb_put(conn, slot->handle);
}

static u32 sb_state(struct secbuf_conn *conn,
		    const struct secbuf_conn_slot *slot)
{
	const struct secbuf_kconn_use *use = use_of(conn, slot);

	return use->users || use->used ? SECBUF_SLOT_BUSY : SECBUF_SLOT_IDLE;
}

/* While somebody writes into it, what he may have written. */
static u32 sb_used(struct secbuf_conn *conn,
		   const struct secbuf_conn_slot *slot)
{
	const struct secbuf_kconn_use *use = use_of(conn, slot);

	return use->users ? READ_ONCE(secbuf_from_handle(slot->handle)->dirty) : use->used;
}

/* Nobody uses it without a call, so there is nothing that a scan must find out. */
static bool sb_age(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	return false;
}

static bool sb_take(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	return sb_state(conn, slot) != SECBUF_SLOT_BUSY;
}

static void sb_nothing_lent(struct secbuf_conn *conn)
{
	struct secbuf_kconn *kconn = kconn_of(conn);

	secbuf_lender_del(&kconn->pool->lenders, &kconn->lender);
}

static void sb_free(struct secbuf_conn *conn)
{
	kfree(kconn_of(conn));
}

static const struct secbuf_conn_source sb_source = {
	.grant		= sb_grant,
	.put		= sb_put,
	.clean		= sb_clean,
	.copy		= sb_copy,
	.shift		= sb_shift,
	.hold		= sb_hold,
	.hand_over	= sb_hand_over,
	.lend		= sb_lend,
	.busy		= sb_busy,
	.end		= sb_end,
	.state		= sb_state,
	.used		= sb_used,
	.age		= sb_age,
	.take		= sb_take,
	.nothing_lent	= sb_nothing_lent,
	.free		= sb_free,
};

/* Under memory pressure, when the conn may be in the middle of anything. */
static unsigned int kconn_reclaim(struct secbuf_lender *lender, bool wasteful)
{
	struct secbuf_conn *conn = &secbuf_kconn_from_lender(lender)->conn;
	unsigned int i, done = 0;
	bool left = false;

	if (!mutex_trylock(&conn->lock))
		return 0;
	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		if (secbuf_conn_try_take(conn, i, wasteful)) {
			sb_put(conn, conn->slots[i].handle);
			conn->reclaimed++;
			done++;
		}
		left |= conn->slots[i].held;
	}
	if (!left)
		list_del_init(&lender->node);
	mutex_unlock(&conn->lock);
	return done;
}

static const struct secbuf_lender_ops kconn_lender_ops = {
	.reclaim	= kconn_reclaim,
};

/**
 * secbuf_sb_conn_create() - a conn that has nothing
 * @pool: where its buffers come from; must outlive the conn
 * @params: what it is like, but for the size of buffers; checked by the caller
 *
 * Context: process, may sleep.
 * Return: the conn, or ERR_PTR(-ENOMEM).
 */
struct secbuf_kconn *secbuf_sb_conn_create(struct secbuf_pool *pool,
					   struct secbuf_conn_params *params)
{
	struct secbuf_kconn *kconn = kzalloc(sizeof(*kconn), SECBUF_GFP);

	if (!kconn)
		return ERR_PTR(-ENOMEM);
	kconn->pool = pool;
	params->slot_size = pool->size;
	secbuf_conn_init(&kconn->conn, params, &sb_source);
	secbuf_lender_open(&pool->lenders, &kconn->lender, &kconn_lender_ops);
	return kconn;
}

/**
 * secbuf_sb_conn_close() - the end of a conn that nobody uses any more
 * @kconn: the conn; all that it had is zeroized and the pool's
 *
 * Context: process, may sleep. Takes locks of the conn and the pool.
 */
void secbuf_sb_conn_close(struct secbuf_kconn *kconn)
{
	secbuf_conn_close(&kconn->conn);
	secbuf_conn_streams_end(&kconn->conn);
	secbuf_lender_close(&kconn->pool->lenders, &kconn->lender);
	secbuf_conn_put(&kconn->conn);
}

/**
 * secbuf_sb_conn_release() - a user does not use a buffer any more
 * @kconn: the conn
 * @which: enum secbuf_conn_buffer
 * @sb: the buffer, whose reference goes
 * @used: bytes of it that are needed
 *
 * Context: process, may sleep. Takes the lock of the conn.
 */
void secbuf_sb_conn_release(struct secbuf_kconn *kconn, unsigned int which,
			    struct secbuf *sb, size_t used)
{
	struct secbuf_conn *conn = &kconn->conn;
	struct secbuf_conn_slot *slot = &conn->slots[which];
	struct secbuf_kconn_use *use = &kconn->uses[which];

	mutex_lock(&conn->lock);
	/* Not if the conn was zeroized meanwhile. */
	if (slot->held && secbuf_from_handle(slot->handle) == sb) {
		use->users--;
		use->used = min_t(size_t, used, conn->slot_size);
	}
	mutex_unlock(&conn->lock);
	secbuf_put(sb);
}
