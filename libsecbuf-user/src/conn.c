// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Conn: opened, closed, its two buffers. They change hands by a word in memory,
 * see <linux/secbuf.h>. The queue is in conn_queue.c.
 */
#include "conn.h"

#include <stdlib.h>
#include <unistd.h>

#include "annotate.h"

static int secbuf_conn_create(struct secbuf_conn *conn,
			      struct secbuf_context *ctx,
			      const struct secbuf_conn_opts *opts)
{
	struct secbuf_conn_create_args args = {
		.flags = opts->flags,
		.pool_fd = conn->pool->fd,
		.max_packets = opts->max_packets,
		.max_bytes = opts->max_bytes,
		.max_streams = opts->max_streams,
		.idle_ms = opts->idle_ms,
		.near_full = opts->near_full,
		.waste_factor = opts->waste_factor,
		.waste_min = opts->waste_min,
	};
	int err = secbuf_pool_map_words(conn->pool);

	if (!err)
		err = secbuf_owner_error(secbuf_ioctl_conn_create(ctx->fd,
								  &args));
	if (!err)
		conn->fd = args.out_fd;
	return err;
}

int secbuf_conn_open(struct secbuf_conn **out, struct secbuf_context *ctx,
		     struct secbuf_pool *pool,
		     const struct secbuf_conn_opts *opts)
{
	struct secbuf_conn_opts copy;
	struct secbuf_conn *conn;
	int saved_errno = errno;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!ctx || !pool)
		return -EINVAL;
	err = secbuf_opts_read(&copy, sizeof(copy), opts);
	if (err)
		return err;
	if (!secbuf_pool_is_owned(pool))
		return -EOWNERDEAD;

	conn = calloc(1, sizeof(*conn));
	if (conn)
		conn->pool = pool;
	err = conn ? secbuf_conn_create(conn, ctx, &copy) : -ENOMEM;
	if (!err)
		*out = conn;
	else
		free(conn);
	errno = saved_errno;
	return err;
}

void secbuf_conn_close(struct secbuf_conn *conn)
{
	int saved_errno = errno;

	if (!conn)
		return;
	/* Closing alone would wait for copies of the descriptor elsewhere. */
	secbuf_conn_zeroize(conn);
	close(conn->fd);
	free(conn);
	errno = saved_errno;
}

int secbuf_conn_fd(const struct secbuf_conn *conn)
{
	return conn ? conn->fd : -EINVAL;
}

/*
 * Buffers
 */

static bool secbuf_conn_is_out(const struct secbuf_conn_place *place)
{
	return (place->word & SECBUF_SLOT_STATE_MASK) == SECBUF_SLOT_BUSY;
}

static uint32_t secbuf_conn_word(const struct secbuf_conn_place *place,
				 uint32_t state)
{
	return (place->word & ~SECBUF_SLOT_STATE_MASK) | state;
}

static struct secbuf_slot_word *
secbuf_conn_slot_word(const struct secbuf_conn *conn,
		      const struct secbuf_conn_place *place)
{
	return &conn->pool->hot.words[place->id];
}

/* From idle to busy, unless the kernel has been faster; who then has the tag? */
static bool secbuf_conn_take(struct secbuf_conn *conn,
			     struct secbuf_conn_place *place)
{
	uint32_t busy = secbuf_conn_word(place, SECBUF_SLOT_BUSY);
	uint32_t aged = secbuf_conn_word(place, SECBUF_SLOT_AGED);
	uint32_t seen = place->word;
	uint32_t *state;

	if (unlikely(!place->word))
		return false;
	state = &secbuf_conn_slot_word(conn, place)->state;
	while (!__atomic_compare_exchange_n(state, &seen, busy, false,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED))
		if (seen != aged)
			return false;
	place->word = busy;
	secbuf_pool_lend(conn->pool, place->id);
	return true;
}

SECBUF_SLOW static int secbuf_conn_grant(struct secbuf_conn *conn,
					 enum secbuf_conn_buffer which)
{
	struct secbuf_conn_buffer_args args = { .which = which };
	int err;

	err = secbuf_ioctl_conn_buffer(conn->fd, &args);
	if (err && secbuf_cache_reclaim(conn->pool, err))
		err = secbuf_ioctl_conn_buffer(conn->fd, &args);
	if (err)
		return err;
	if ((args.out_word & SECBUF_SLOT_STATE_MASK) != SECBUF_SLOT_BUSY ||
	    !secbuf_pool_lend(conn->pool, args.out_id))
		return -EPROTO;
	conn->places[which].id = args.out_id;
	conn->places[which].word = args.out_word;
	return 0;
}

int secbuf_conn_buffer(struct secbuf_conn *conn, enum secbuf_conn_buffer which,
		       void **out)
{
	struct secbuf_conn_place *place;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	if (!conn || (unsigned int)which >= SECBUF_CONN_BUFFER_NR)
		return -EINVAL;
	if (!secbuf_pool_is_owned(conn->pool))
		return -EOWNERDEAD;

	place = &conn->places[which];
	if (!secbuf_conn_is_out(place) && !secbuf_conn_take(conn, place)) {
		err = secbuf_conn_grant(conn, which);
		if (err)
			return err;
	}
	*out = secbuf_pool_slot(conn->pool, place->id);
	return 0;
}

/* Finds a buffer that is out. */
static int secbuf_conn_find_out(struct secbuf_conn *conn,
				enum secbuf_conn_buffer which,
				struct secbuf_conn_place **place)
{
	if (!conn || (unsigned int)which >= SECBUF_CONN_BUFFER_NR)
		return -EINVAL;
	if (!secbuf_pool_is_owned(conn->pool))
		return -EOWNERDEAD;
	*place = &conn->places[which];
	return secbuf_conn_is_out(*place) ? 0 : -ENOENT;
}

int secbuf_conn_buffer_release(struct secbuf_conn *conn,
			       enum secbuf_conn_buffer which, size_t dirty)
{
	struct secbuf_conn_place *place;
	struct secbuf_slot_word *word;
	void *slot;
	int err;

	err = secbuf_conn_find_out(conn, which, &place);
	if (err)
		return err;
	/* Others can write there, of which nobody here knows. */
	if (dirty > conn->pool->slot_size ||
	    conn->pool->flags & SECBUF_POOL_F_PASSABLE)
		dirty = conn->pool->slot_size;
	slot = secbuf_pool_slot(conn->pool, place->id);
	word = secbuf_conn_slot_word(conn, place);
	secbuf_cache_zeroize(slot, dirty);
	/* Before somebody else can be granted it. */
	secbuf_pool_unlend(conn->pool, slot);
	if (secbuf_get(word->used))
		secbuf_set(word->used, 0);
	place->word = secbuf_conn_word(place, SECBUF_SLOT_IDLE);
	secbuf_set_release(word->state, place->word);
	return 0;
}

int secbuf_conn_buffer_used(struct secbuf_conn *conn,
			    enum secbuf_conn_buffer which, size_t used)
{
	struct secbuf_conn_place *place;
	int err;

	err = secbuf_conn_find_out(conn, which, &place);
	if (err)
		return err;
	if (used > conn->pool->slot_size)
		used = conn->pool->slot_size;
	secbuf_set(secbuf_conn_slot_word(conn, place)->used, used);
	return 0;
}

/*
 * All of it
 */

/* Those that are not out may be somebody else's already. */
static void secbuf_conn_forget(struct secbuf_conn *conn)
{
	struct secbuf_conn_place *place;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(conn->places); i++) {
		place = &conn->places[i];
		if (secbuf_conn_is_out(place))
			secbuf_pool_unlend(conn->pool,
					   secbuf_pool_slot(conn->pool,
							    place->id));
		*place = (struct secbuf_conn_place) { 0 };
	}
}

int secbuf_conn_zeroize(struct secbuf_conn *conn)
{
	struct secbuf_conn_plain_args args = { 0 };
	int err = secbuf_conn_check(conn);

	if (err)
		return err;
	/* Before somebody else can be granted them. */
	secbuf_conn_forget(conn);
	return secbuf_owner_error(secbuf_ioctl_conn_zeroize(conn->fd, &args));
}

int secbuf_conn_reset(struct secbuf_conn *conn)
{
	struct secbuf_conn_plain_args args = { 0 };
	int err = secbuf_conn_check(conn);

	if (err)
		return err;
	return secbuf_owner_error(secbuf_ioctl_conn_reset(conn->fd, &args));
}

int secbuf_conn_shrink(struct secbuf_conn *conn, enum secbuf_conn_shrink level,
		       uint64_t *bytes)
{
	struct secbuf_conn_shrink_args args = { .level = level };
	int err = secbuf_conn_check(conn);

	if (err)
		return err;
	err = secbuf_owner_error(secbuf_ioctl_conn_shrink(conn->fd, &args));
	if (!err && bytes)
		*bytes = args.out_bytes;
	return err;
}

int secbuf_conn_touch(struct secbuf_conn *conn)
{
	struct secbuf_conn_plain_args args = { 0 };
	int err = secbuf_conn_check(conn);

	if (err)
		return err;
	return secbuf_owner_error(secbuf_ioctl_conn_touch(conn->fd, &args));
}

int secbuf_conn_get_stats(struct secbuf_conn *conn,
			  struct secbuf_conn_stats_args *out)
{
	struct secbuf_conn_stats_args args = { 0 };
	int err = out ? secbuf_conn_check(conn) : -EINVAL;

	if (err)
		return err;
	err = secbuf_owner_error(secbuf_ioctl_conn_stats(conn->fd, &args));
	if (!err)
		*out = args;
	return err;
}

/*
 * Streams
 */

static int secbuf_conn_stream(struct secbuf_conn *conn,
			      const struct secbuf_ring_side *side,
			      int (*call)(int conn_fd,
					  struct secbuf_conn_stream_args *args))
{
	struct secbuf_conn_stream_args args = { 0 };
	int err = side ? secbuf_conn_check(conn) : -EINVAL;

	if (err)
		return err;
	args.ring_fd = secbuf_ring_fd(side);
	/* This one's EPERM is about the ring. */
	return call(conn->fd, &args);
}

int secbuf_conn_stream_add(struct secbuf_conn *conn,
			   const struct secbuf_ring_side *side)
{
	return secbuf_conn_stream(conn, side, secbuf_ioctl_conn_stream_add);
}

int secbuf_conn_stream_del(struct secbuf_conn *conn,
			   const struct secbuf_ring_side *side)
{
	return secbuf_conn_stream(conn, side, secbuf_ioctl_conn_stream_del);
}
