// SPDX-License-Identifier: GPL-2.0
/*
 * Conns whose buffers and packets are slots of a mapped pool, which belongs to
 * the owner of the conn.
 */
#include "conn_slot.h"

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "account.h"
#include "conn_stream.h"
#include "held.h"
#include "payer.h"

/**
 * SECBUF_CONN_FOOTPRINT - kernel memory that one conn is charged for, in bytes
 *
 * The struct, and what an open file on the anonymous inode takes besides.
 */
#define SECBUF_CONN_FOOTPRINT	1024

static struct kmem_cache *conn_cache;

static struct secbuf_slot_conn *slot_conn_of(struct secbuf_conn *conn)
{
	return container_of(conn, struct secbuf_slot_conn, conn);
}

static struct secbuf_member *member_of(struct secbuf_conn *conn)
{
	return slot_conn_of(conn)->member;
}

static struct secbuf_words *words_of(struct secbuf_conn *conn)
{
	return &member_of(conn)->area->words;
}

static int slot_grant(struct secbuf_conn *conn, u64 *handle)
{
	return secbuf_held_grant(member_of(conn), handle);
}

static void slot_put(struct secbuf_conn *conn, u64 handle)
{
	secbuf_held_put(member_of(conn), handle);
}

/* Its memory, too: what fails changes nothing. */
static void slot_undo(struct secbuf_conn *conn, u64 handle)
{
	secbuf_member_undo(member_of(conn), &handle, 1);
}

static void slot_clean(struct secbuf_conn *conn, u64 handle)
{
	secbuf_held_clean(member_of(conn), handle);
}

static ssize_t slot_copy(struct secbuf_conn *conn, u64 handle, size_t offset,
			 struct iov_iter *iter, size_t len, bool out)
{
	return secbuf_held_copy(member_of(conn), handle, offset, iter, len,
				out);
}

static void slot_shift(struct secbuf_conn *conn, u64 handle, size_t offset,
		       size_t len)
{
	secbuf_held_shift(member_of(conn), handle, offset, len);
}

static int slot_hold(struct secbuf_conn *conn, u64 handle)
{
	return secbuf_held_take_over(member_of(conn), handle);
}

static void slot_hand_over(struct secbuf_conn *conn, u64 handle)
{
	secbuf_held_hand_over(member_of(conn), handle);
}

static int slot_lend(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	struct secbuf_slot_conn *sc = slot_conn_of(conn);

	return secbuf_held_lend(sc->member, &sc->holder, &slot->handle,
				&slot->tag);
}

static int slot_busy(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	struct secbuf_slot_conn *sc = slot_conn_of(conn);

	return secbuf_held_busy(sc->member, &sc->holder, slot->handle,
				slot->tag);
}

/* The word first: who finds it busy has the slot. */
static void slot_end(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	secbuf_words_end(words_of(conn), slot->handle, slot->tag);
	secbuf_held_put(member_of(conn), slot->handle);
}

static u32 slot_state(struct secbuf_conn *conn,
		      const struct secbuf_conn_slot *slot)
{
	return secbuf_words_state(words_of(conn), slot->handle, slot->tag);
}

static u32 slot_used(struct secbuf_conn *conn,
		     const struct secbuf_conn_slot *slot)
{
	return secbuf_words_used(words_of(conn), slot->handle);
}

static bool slot_age(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	return secbuf_words_age(words_of(conn), slot->handle, slot->tag);
}

static bool slot_take(struct secbuf_conn *conn, struct secbuf_conn_slot *slot)
{
	return secbuf_words_take(words_of(conn), slot->handle, slot->tag);
}

static void slot_nothing_lent(struct secbuf_conn *conn)
{
	struct secbuf_slot_conn *sc = slot_conn_of(conn);

	secbuf_held_unlend(sc->member, &sc->holder);
}

static void slot_idled(struct secbuf_conn *conn, unsigned int nr)
{
	secbuf_held_idled(member_of(conn), nr);
}

static void slot_free(struct secbuf_conn *conn)
{
	kmem_cache_free(conn_cache, slot_conn_of(conn));
}

static const struct secbuf_conn_source slot_source = {
	.grant		= slot_grant,
	.put		= slot_put,
	.undo		= slot_undo,
	.clean		= slot_clean,
	.copy		= slot_copy,
	.shift		= slot_shift,
	.hold		= slot_hold,
	.hand_over	= slot_hand_over,
	.lend		= slot_lend,
	.busy		= slot_busy,
	.end		= slot_end,
	.state		= slot_state,
	.used		= slot_used,
	.age		= slot_age,
	.take		= slot_take,
	.nothing_lent	= slot_nothing_lent,
	.idled		= slot_idled,
	.free		= slot_free,
};

/**
 * secbuf_slot_conn_from_holder() - the conn that holds slots of a member
 * @holder: of the member
 *
 * Return: the conn.
 */
struct secbuf_slot_conn *
secbuf_slot_conn_from_holder(struct secbuf_holder *holder)
{
	return container_of(holder, struct secbuf_slot_conn, holder);
}

/* Who sleeps asks again, and is told that the owner is dead. */
static void holder_wake(struct secbuf_holder *holder)
{
	struct secbuf_slot_conn *sc = secbuf_slot_conn_from_holder(holder);

	/* Whatever he waits for, and if he wants to be told alone, too. */
	wake_up_all(&sc->conn.wait);
	/*
	 * Others may have claimed an end. Pairs with that of who adds a ring
	 * and looks afterwards whether the owner is dead.
	 */
	smp_mb();
	secbuf_conn_streams_end(&sc->conn);
}

static unsigned int holder_reclaim(struct secbuf_holder *holder, bool wasteful)
{
	struct secbuf_slot_conn *sc = secbuf_slot_conn_from_holder(holder);
	struct secbuf_conn *conn = &sc->conn;
	unsigned int i, done = 0;
	bool left = false;

	if (!mutex_trylock(&conn->lock))
		return 0;
	for (i = 0; i < SECBUF_CONN_BUFFER_NR; i++) {
		if (secbuf_conn_try_take(conn, i, wasteful)) {
			secbuf_held_reclaim(sc->member, conn->slots[i].handle);
			conn->reclaimed++;
			done++;
		}
		left |= conn->slots[i].held;
	}
	if (!left)
		list_del_init(&holder->lender);
	mutex_unlock(&conn->lock);
	return done;
}

static const struct secbuf_holder_ops holder_ops = {
	.wake		= holder_wake,
	.reclaim	= holder_reclaim,
};

/**
 * secbuf_slot_conn_create() - a conn that has nothing
 * @member: to whom its buffers are granted; must outlive the conn
 * @params: what it is like, but for the size of buffers; checked by the caller
 *
 * Context: process, may sleep.
 * Return: the conn, or an error pointer: -ENOMEM, -EDQUOT.
 */
struct secbuf_slot_conn *
secbuf_slot_conn_create(struct secbuf_member *member,
			struct secbuf_conn_params *params)
{
	struct secbuf_slot_conn *sc;
	int err;

	err = secbuf_account_charge(&member->payer->account,
				    SECBUF_CONN_FOOTPRINT);
	if (err)
		return ERR_PTR(err);
	sc = kmem_cache_zalloc(conn_cache, SECBUF_GFP);
	if (!sc) {
		secbuf_account_uncharge(&member->payer->account,
					SECBUF_CONN_FOOTPRINT);
		return ERR_PTR(-ENOMEM);
	}
	params->slot_size = member->area->slots.size;
	secbuf_conn_init(&sc->conn, params, &slot_source);
	sc->member = member;
	secbuf_holder_add(&sc->holder, &holder_ops, member);
	return sc;
}

/**
 * secbuf_slot_conn_close() - the end of a conn that nobody can reach any more
 * @sc: the conn; all that it had is zeroized and the pool's, its rings are
 *      reset
 *
 * Context: process, may sleep. Takes locks of the conn and the area.
 */
void secbuf_slot_conn_close(struct secbuf_slot_conn *sc)
{
	secbuf_conn_close(&sc->conn);
	secbuf_conn_streams_end(&sc->conn);
	secbuf_holder_del(&sc->holder, sc->member);
	secbuf_account_uncharge(&sc->member->payer->account,
				SECBUF_CONN_FOOTPRINT);
	secbuf_conn_put(&sc->conn);
}

/**
 * secbuf_slot_conn_init() - there can be conns from now on
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int secbuf_slot_conn_init(void)
{
	/* There can be many, and the sizes of kmalloc() would waste a third. */
	conn_cache = kmem_cache_create("secbuf_conn",
				       sizeof(struct secbuf_slot_conn), 0,
				       SLAB_ACCOUNT, NULL);
	return conn_cache ? 0 : -ENOMEM;
}

/**
 * secbuf_slot_conn_exit() - undo secbuf_slot_conn_init()
 *
 * Context: module exit; no conn is left.
 */
void secbuf_slot_conn_exit(void)
{
	kmem_cache_destroy(conn_cache);
}
