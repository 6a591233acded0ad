/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is attacked: one process with every kind of object, mapped as far as it
 * can be, with a secret in each; and ordinary memory with secrets of its own,
 * on which the same attacks must succeed.
 *
 * Secrets are made byte by byte where they shall be and compared byte by byte,
 * so that nothing else in memory looks like them.
 */
#ifndef SECBUF_TARGET_H
#define SECBUF_TARGET_H

#include "secbuf_ring.h"
#include "secbuf_conn.h"
#include "secbuf_touch.h"

#include <sys/random.h>

#define PROT_RW		(PROT_READ | PROT_WRITE)
#define SECRET_LEN	64
#define SECRET_AT	1024		/* in its page */
#define PLAIN_SIZE	(4 * PAGE)
#define RING_SIZE	(4 * PAGE)
#define POOL_SLOTS	1024		/* two pages of words */

/* In this order, they have secrets 1, 2 ... */
enum target_kind {
	PLAIN_PRIVATE,		/* as malloc has it */
	PLAIN_SHARED,		/* a memfd */
	POOL,
	MEMBER,			/* of a pool that is shared */
	GUARDED,
	CONN,			/* the buffer of one */
	WORDS,
	CONTROL,
	RING_PRODUCER,
	RING_CONSUMER,
	HEAD,			/* control pages of a ring, by their own end */
	TAIL,
	HEAD_SEEN,		/* and by the other */
	TAIL_SEEN,
	NR_MAPPED,
	KPOOL = NR_MAPPED,	/* kept in the kernel */
	PACKET,			/* in the queue of a conn */
	NR_TARGETS,
};

static const char * const target_names[NR_TARGETS] = {
	"malloc", "memfd", "pool", "shared pool", "guarded pool", "conn buffer",
	"words", "control page", "ring, producer", "ring, consumer",
	"ring head", "ring tail", "ring head, consumer", "ring tail, producer",
	"kernel-held pool", "queued packet",
};

struct target {
	enum target_kind kind;
	int		fd;
	__u64		offset;		/* from which it is mapped */
	unsigned char	*map;
	size_t		len;
	unsigned char	*page;		/* of it, which has the secret */
	unsigned int	at;		/* where in the page */
	bool		read_only;	/* and always will be */
};

struct world {
	int		dev;
	struct pool	pool;
	struct pool	shared;
	struct pool	member;
	struct pool	guarded;
	int		kpool;
	__u64		kpool_id;
	int		conn;
	struct ring	ring;
	struct target	t[NR_MAPPED];
};

/*
 * Of each program its own: what others have copied before may still be in free
 * memory, and is nobody's fault.
 */
static unsigned int secret_seed;

static void __attribute__((constructor)) secrets_begin(void)
{
	if (getrandom(&secret_seed, sizeof(secret_seed), 0) !=
	    sizeof(secret_seed))
		abort();
}

/* The control page cannot be written: it has zeros. */
static inline unsigned char secret_byte(enum target_kind kind, unsigned int i)
{
	unsigned int x = secret_seed + (kind + 1) * 1000003 + i;

	x = (x ^ x >> 7) * 2654435761U;
	x = x >> 24 ^ x >> 11;
	/* Who searches does not begin at every zero. */
	return kind == CONTROL ? 0 : x | !i;
}

static inline void secret_plant(volatile unsigned char *p,
				enum target_kind kind)
{
	for (unsigned int i = 0; i < SECRET_LEN; i++)
		p[i] = secret_byte(kind, i);
}

static inline bool secret_is(const unsigned char *p, enum target_kind kind)
{
	for (unsigned int i = 0; i < SECRET_LEN; i++)
		if (p[i] != secret_byte(kind, i))
			return false;
	return true;
}

/* How many copies there are in these bytes. */
static inline unsigned int secret_count(const unsigned char *p, size_t len,
					enum target_kind kind)
{
	const unsigned char *end = p + len;
	unsigned int n = 0;

	while (end - p >= SECRET_LEN &&
	       (p = memchr(p, secret_byte(kind, 0), end - p - SECRET_LEN + 1)))
		n += secret_is(p++, kind);
	return n;
}

static inline unsigned char *target_secret(const struct target *t)
{
	return t->page + t->at;
}

/* Who owns it finds it as it was. */
static inline bool target_intact(const struct target *t)
{
	return !touch(target_secret(t), false) &&
	       secret_is(target_secret(t), t->kind);
}

static inline void target_init(struct target *t, enum target_kind kind, int fd,
			       __u64 offset, void *map, size_t len)
{
	*t = (struct target){
		.kind = kind, .fd = fd, .offset = offset, .map = map,
		.len = len, .page = map, .at = SECRET_AT,
	};
}

static inline int plain_open(struct world *w)
{
	int fd = memfd_create("plain", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, PLAIN_SIZE))
		return -errno;
	target_init(&w->t[PLAIN_SHARED], PLAIN_SHARED, fd, 0,
		    mmap(NULL, PLAIN_SIZE, PROT_RW, MAP_SHARED, fd, 0),
		    PLAIN_SIZE);
	target_init(&w->t[PLAIN_PRIVATE], PLAIN_PRIVATE, -1, 0,
		    mmap(NULL, PLAIN_SIZE, PROT_RW,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PLAIN_SIZE);
	for (int i = PLAIN_PRIVATE; i <= PLAIN_SHARED; i++) {
		if (w->t[i].map == MAP_FAILED)
			return -ENOMEM;
		secret_plant(target_secret(&w->t[i]), i);
	}
	return 0;
}

static inline int pool_target(struct world *w, enum target_kind kind,
			      struct pool *p)
{
	struct target *t = &w->t[kind];
	__u64 id;
	int ret = pool_alloc(p->fd, &id, 1);

	if (ret != 1)
		return ret < 0 ? ret : -ENOSPC;
	target_init(t, kind, p->fd, 0, p->map, p->map_size);
	t->page = pool_slot(p, id);
	secret_plant(target_secret(t), kind);
	return 0;
}

static inline int shared_pool_open(struct world *w)
{
	return pool_open_flags(&w->shared, w->dev, PAGE, 8,
			       SECBUF_POOL_F_PASSABLE) ?:
	       pool_join(&w->member, w->shared.fd) ?:
	       pool_target(w, MEMBER, &w->member);
}

static inline int guarded_pool_open(struct world *w)
{
	return pool_open_flags(&w->guarded, w->dev, PAGE, 8,
			       SECBUF_POOL_F_GUARD) ?:
	       pool_target(w, GUARDED, &w->guarded);
}

/* By way of a slot: nothing of it is left elsewhere. */
static inline int kernel_held_open(struct world *w)
{
	struct secbuf_pool_create_args args;
	unsigned char *slot;
	__u64 id;
	int ret;

	ret = kpool_create(w->dev, PAGE, 0, 8, &args);
	if (ret)
		return ret;
	w->kpool = args.out_fd;
	if (pool_alloc(w->kpool, &w->kpool_id, 1) != 1 ||
	    pool_alloc(w->pool.fd, &id, 1) != 1)
		return -ENOSPC;
	slot = pool_slot(&w->pool, id);
	secret_plant(slot, KPOOL);
	ret = pool_write(w->kpool, w->kpool_id, SECRET_AT, slot, SECRET_LEN);
	secret_plant(slot, PACKET);
	ret = ret ?: conn_enqueue(w->conn, slot, SECRET_LEN);
	return pool_free(w->pool.fd, &id, 1) == 1 ? ret : -EIO;
}

static inline int conn_open(struct world *w)
{
	struct secbuf_conn_buffer_args buffer;
	struct target *t = &w->t[CONN];
	int ret;

	w->conn = conn_create(w->dev, w->pool.fd);
	ret = w->conn < 0 ? w->conn :
	      conn_buffer(w->conn, SECBUF_CONN_BUFFER_READ, &buffer);
	if (ret)
		return ret;
	target_init(t, CONN, w->pool.fd, 0, w->pool.map, w->pool.map_size);
	t->page = pool_slot(&w->pool, buffer.out_id);
	secret_plant(target_secret(t), CONN);
	return kernel_held_open(w);
}

static inline int pool_pages_open(struct world *w)
{
	volatile void *words = words_map(w->pool.fd, POOL_SLOTS);
	void *control = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w->pool.fd,
			     SECBUF_POOL_MMAP_CONTROL);

	if (!words || control == MAP_FAILED)
		return -errno;
	target_init(&w->t[WORDS], WORDS, w->pool.fd, SECBUF_POOL_MMAP_WORDS,
		    (void *)words, words_size(POOL_SLOTS));
	secret_plant(target_secret(&w->t[WORDS]), WORDS);
	target_init(&w->t[CONTROL], CONTROL, w->pool.fd,
		    SECBUF_POOL_MMAP_CONTROL, control, PAGE);
	w->t[CONTROL].read_only = true;
	return 0;
}

static inline void ring_page_target(struct world *w, enum target_kind kind,
				    struct ring_end *end, bool head)
{
	bool own = end->producer == head;

	target_init(&w->t[kind], kind, end->fd,
		    head ? SECBUF_RING_MMAP_HEAD : SECBUF_RING_MMAP_TAIL,
		    head ? (void *)end->head : (void *)end->tail,
		    own ? PAGE : 2 * PAGE);
	w->t[kind].read_only = !own;
}

/* What lies behind the first 64 bytes of a control page is the program's. */
static inline int rings_open(struct world *w)
{
	struct ring_end *p = &w->ring.p, *c = &w->ring.c;
	unsigned char *span;
	int ret;

	ret = ring_open(&w->ring, w->dev, RING_SIZE, 0);
	span = ret ? NULL : ring_reserve(p, 2 * PAGE);
	if (!span)
		return ret ?: -EAGAIN;
	target_init(&w->t[RING_PRODUCER], RING_PRODUCER, p->fd, 0, p->data,
		    2 * RING_SIZE);
	target_init(&w->t[RING_CONSUMER], RING_CONSUMER, c->fd, 0, c->data,
		    2 * RING_SIZE);
	w->t[RING_CONSUMER].page += PAGE;
	secret_plant(span + SECRET_AT, RING_PRODUCER);
	secret_plant(span + PAGE + SECRET_AT, RING_CONSUMER);
	ring_commit(p, 2 * PAGE);

	ring_page_target(w, HEAD, p, true);
	ring_page_target(w, TAIL, c, false);
	ring_page_target(w, HEAD_SEEN, c, true);
	ring_page_target(w, TAIL_SEEN, p, false);
	secret_plant(target_secret(&w->t[HEAD]), HEAD);
	secret_plant(target_secret(&w->t[TAIL]), TAIL);
	w->t[HEAD_SEEN].at += SECRET_LEN;
	w->t[TAIL_SEEN].at += SECRET_LEN;
	secret_plant(w->t[HEAD].page + w->t[HEAD_SEEN].at, HEAD_SEEN);
	secret_plant(w->t[TAIL].page + w->t[TAIL_SEEN].at, TAIL_SEEN);
	return 0;
}

static inline int whole_pool_open(struct world *w)
{
	return pool_open(&w->pool, w->dev, PAGE, POOL_SLOTS) ?:
	       pool_target(w, POOL, &w->pool) ?: conn_open(w) ?:
	       pool_pages_open(w);
}

/* Ordinary memory, and what there must be for one object. */
static inline int world_open_for(struct world *w, enum target_kind kind)
{
	int ret;

	w->dev = secbuf_open();
	if (w->dev < 0)
		return -errno;
	ret = plain_open(w);
	if (ret)
		return ret;
	if (kind >= RING_PRODUCER && kind <= TAIL_SEEN)
		return rings_open(w);
	if (kind == MEMBER)
		return shared_pool_open(w);
	return kind == GUARDED ? guarded_pool_open(w) : whole_pool_open(w);
}

static inline int world_open(struct world *w)
{
	return world_open_for(w, POOL) ?: shared_pool_open(w) ?:
	       guarded_pool_open(w) ?: rings_open(w);
}

#endif /* SECBUF_TARGET_H */
