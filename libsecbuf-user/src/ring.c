// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Rings: making and unmaking their ends, sleeping, and what the kernel is asked.
 */
#include "ring.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECBUF_RING_SIZE_DEFAULT	65536

/*
 * Guard, head, status, tail, status, guard; data; guard. The status comes behind
 * what the other end writes. It is the same for both ends.
 */
#define SECBUF_RING_HEAD_PAGE		1
#define SECBUF_RING_TAIL_PAGE		3
#define SECBUF_RING_DATA_PAGE		6
#define SECBUF_RING_PAGES		7

/*
 * How far apart two ends in the same process are mapped, if they can be. Where the
 * lower 32 bits of two addresses are equal, processors give a load what was just
 * stored by the other one, and need not wait until it is in the cache.
 */
#define SECBUF_RING_APART		0x100000000ULL

/*
 * Address space
 */

static void secbuf_ring_unmap(struct secbuf_ring_handle *handle)
{
	munmap(handle->base, handle->map_size);
}

/* If it fails nothing of the ring is mapped any more. */
static int secbuf_ring_map_at(struct secbuf_ring_handle *handle, size_t where,
			      size_t size, int prot, off_t offset)
{
	int err = secbuf_map_file(handle->base + where, size, prot, handle->fd,
				  offset);

	/* Whoever made the ring can have it fail at any time. */
	if (err)
		secbuf_map_give_back(handle->base, handle->map_size, where,
				     size, 0);
	return err;
}

/* Where to have it if nothing is there: below, unless that is too close to 0. */
static void *secbuf_ring_near(const struct secbuf_ring_handle *other)
{
	const uint64_t base = other ? (uintptr_t)other->base : 0;

	if (!base || UINTPTR_MAX <= SECBUF_RING_APART)
		return NULL;
	return (void *)(uintptr_t)(base > 2 * SECBUF_RING_APART ?
				   base - SECBUF_RING_APART :
				   base + SECBUF_RING_APART);
}

/* A child of fork() has none of it. */
static int secbuf_ring_reserve_space(struct secbuf_ring_handle *handle,
				     const struct secbuf_ring_handle *other)
{
	int err;

	/* Elsewhere if something is. */
	handle->base = mmap(secbuf_ring_near(other), handle->map_size, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (handle->base == MAP_FAILED)
		return -errno;
	if (!madvise(handle->base, handle->map_size, MADV_DONTFORK))
		return 0;
	err = -errno;
	secbuf_ring_unmap(handle);
	return err;
}

/* All or nothing is mapped. */
static int secbuf_ring_map(struct secbuf_ring_handle *handle,
			   const struct secbuf_ring_info_args *info,
			   const struct secbuf_ring_handle *other,
			   struct secbuf_ring_places *places)
{
	const bool producer = info->out_end == SECBUF_RING_END_PRODUCER;
	const size_t page = sysconf(_SC_PAGESIZE);
	const size_t head = SECBUF_RING_HEAD_PAGE * page;
	const size_t tail = SECBUF_RING_TAIL_PAGE * page;
	const size_t data = SECBUF_RING_DATA_PAGE * page;
	const size_t size = 2 * info->out_ring_size;
	const int both = PROT_READ | PROT_WRITE;
	int err;

	handle->map_size = size + SECBUF_RING_PAGES * page;
	err = secbuf_ring_reserve_space(handle, other);
	if (err)
		return err;
	err = secbuf_ring_map_at(handle, head, producer ? page : 2 * page,
				 producer ? both : PROT_READ,
				 SECBUF_RING_MMAP_HEAD);
	if (!err)
		err = secbuf_ring_map_at(handle, tail,
					 producer ? 2 * page : page,
					 producer ? PROT_READ : both,
					 SECBUF_RING_MMAP_TAIL);
	if (!err)
		err = secbuf_ring_map_at(handle, data, size, both,
					 SECBUF_RING_MMAP_DATA);
	places->own = handle->base + (producer ? head : tail);
	places->peer = handle->base + (producer ? tail : head);
	places->status = (const void *)((const char *)places->peer + page);
	places->data = handle->base + data;
	return err;
}

/*
 * Making and unmaking
 */

static size_t secbuf_ring_colour(uint32_t end)
{
	return end == SECBUF_RING_END_PRODUCER ? SECBUF_RING_PRODUCER_COLOUR :
						 SECBUF_RING_CONSUMER_COLOUR;
}

/* With room for either colour. */
#define SECBUF_RING_MEMORY	(sizeof(struct secbuf_ring_handle) +	\
				 SECBUF_RING_CONSUMER_COLOUR)

struct secbuf_ring_handle *secbuf_ring_new(int fd, uint32_t end)
{
	struct secbuf_ring_handle *handle;
	unsigned char *memory;

	memory = secbuf_map_private(SECBUF_RING_MEMORY, SECBUF_MAP_KEPT);
	if (!memory)
		return NULL;
	handle = (void *)(memory + secbuf_ring_colour(end));
	handle->memory = memory;
	handle->fd = fd;
	return handle;
}

void secbuf_ring_free(struct secbuf_ring_handle *handle)
{
	munmap(handle->memory, SECBUF_RING_MEMORY);
}

static uint64_t secbuf_ring_load_mine(const struct secbuf_ring_handle *handle)
{
	if (secbuf_ring_is_producer(&handle->side))
		return secbuf_get(handle->producer.own->head);
	return secbuf_get(handle->consumer.own->tail);
}

int secbuf_ring_begin(struct secbuf_ring_handle *handle,
		      const struct secbuf_ring_places *places,
		      const struct secbuf_ring_info_args *info)
{
	struct secbuf_ring_side *side = &handle->side;
	int64_t amount;

	side->data = places->data;
	side->size = info->out_ring_size;
	side->status = places->status;
	side->bytes = !(info->out_flags & SECBUF_RING_F_RECORDS);
	side->end = info->out_end;
	if (secbuf_ring_is_producer(side)) {
		handle->producer.own = places->own;
		handle->producer.peer = places->peer;
	} else {
		handle->consumer.own = places->own;
		handle->consumer.peer = places->peer;
	}
	side->mine = secbuf_ring_load_mine(handle);
	side->open = side->mine;
	side->limit = side->mine;
	/* The least that the other end can be at. */
	side->theirs = side->mine;
	if (secbuf_ring_is_producer(side))
		side->theirs -= side->size;
	if (!side->bytes && side->mine % SECBUF_RING_RECORD_ALIGN)
		return secbuf_ring_break(side);
	amount = secbuf_ring_look(side, 0);
	return amount < 0 && amount != -EPIPE ? amount : 0;
}

static int secbuf_ring_check_info(const struct secbuf_ring_info_args *info,
				  uint32_t end)
{
	const uint64_t size = info->out_ring_size;

	if (info->out_end >= SECBUF_RING_END_NR ||
	    size < SECBUF_RING_SIZE_MIN || size > SECBUF_RING_SIZE_MAX ||
	    size & (size - 1))
		return -EPROTO;
	return info->out_end == end ? 0 : -EINVAL;
}

/*
 * @other: the other end, if this process has it; or NULL
 *
 * The descriptor remains the caller's if this fails.
 */
static int secbuf_ring_attach_fd(struct secbuf_ring_handle **out, int fd,
				 uint32_t end,
				 const struct secbuf_ring_handle *other)
{
	struct secbuf_ring_info_args info = { 0 };
	struct secbuf_ring_plain_args claim = { 0 };
	struct secbuf_ring_places places;
	struct secbuf_ring_handle *handle;
	int err;

	err = secbuf_ioctl_ring_info(fd, &info);
	if (!err)
		err = secbuf_ring_check_info(&info, end);
	if (!err && info.out_flags & SECBUF_RING_F_PASSABLE)
		err = secbuf_ioctl_ring_claim(fd, &claim);
	if (err && err != -EALREADY)
		return err;

	handle = secbuf_ring_new(fd, end);
	if (!handle)
		return -ENOMEM;
	err = secbuf_ring_map(handle, &info, other, &places);
	if (!err) {
		err = secbuf_ring_begin(handle, &places, &info);
		if (err)
			secbuf_ring_unmap(handle);
	}
	if (err)
		secbuf_ring_free(handle);
	else
		*out = handle;
	return err;
}

static int secbuf_ring_attach(struct secbuf_ring_handle **out, int fd,
			      uint32_t end)
{
	int saved_errno = errno;
	int err;

	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	err = fd < 0 ? -errno : secbuf_ring_attach_fd(out, fd, end, NULL);
	if (err && fd >= 0)
		close(fd);
	errno = saved_errno;
	return err;
}

int secbuf_ring_producer_attach(struct secbuf_ring_producer **out, int fd)
{
	struct secbuf_ring_handle *handle;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	err = secbuf_ring_attach(&handle, fd, SECBUF_RING_END_PRODUCER);
	if (!err)
		*out = &handle->producer;
	return err;
}

int secbuf_ring_consumer_attach(struct secbuf_ring_consumer **out, int fd)
{
	struct secbuf_ring_handle *handle;
	int err;

	if (!out)
		return -EINVAL;
	*out = NULL;
	err = secbuf_ring_attach(&handle, fd, SECBUF_RING_END_CONSUMER);
	if (!err)
		*out = &handle->consumer;
	return err;
}

static void secbuf_ring_close(struct secbuf_ring_side *side)
{
	struct secbuf_ring_handle *handle = secbuf_ring_handle(side);
	struct secbuf_ring_plain_args args = { 0 };
	int saved_errno = errno;

	/* A child has neither the end nor its mappings. */
	if (side->size) {
		secbuf_ioctl_ring_close(handle->fd, &args);
		secbuf_ring_unmap(handle);
	}
	close(handle->fd);
	secbuf_ring_free(handle);
	errno = saved_errno;
}

void secbuf_ring_producer_close(struct secbuf_ring_producer *producer)
{
	if (producer)
		secbuf_ring_close(&producer->side);
}

void secbuf_ring_consumer_close(struct secbuf_ring_consumer *consumer)
{
	if (consumer)
		secbuf_ring_close(&consumer->side);
}

/* 0 if that is too large. */
static uint64_t secbuf_ring_round(size_t wanted)
{
	uint64_t size = sysconf(_SC_PAGESIZE);

	if (!wanted)
		wanted = SECBUF_RING_SIZE_DEFAULT;
	if (wanted > SECBUF_RING_SIZE_MAX)
		return 0;
	while (size < wanted)
		size *= 2;
	return size;
}

/* @flags: if there are no options */
static int secbuf_ring_make(struct secbuf_ring_create_args *args,
			    struct secbuf_context *ctx,
			    const struct secbuf_ring_opts *opts, uint32_t flags)
{
	struct secbuf_ring_opts copy;
	int err;

	err = secbuf_opts_read(&copy, sizeof(copy), opts);
	if (err)
		return err;
	if (copy.__reserved)
		return -EINVAL;
	args->ring_size = secbuf_ring_round(copy.ring_size);
	if (!args->ring_size)
		return -EINVAL;
	args->flags = opts ? copy.flags : flags;
	args->require = copy.require_protections;
	return secbuf_ioctl_ring_create(ctx->fd, args);
}

int secbuf_ring_create(int *producer_fd, int *consumer_fd,
		       struct secbuf_context *ctx,
		       const struct secbuf_ring_opts *opts)
{
	struct secbuf_ring_create_args args = { 0 };
	int err;

	if (producer_fd)
		*producer_fd = -1;
	if (consumer_fd)
		*consumer_fd = -1;
	if (!producer_fd || !consumer_fd || !ctx)
		return -EINVAL;
	err = secbuf_ring_make(&args, ctx, opts, SECBUF_RING_F_PASSABLE);
	if (err)
		return err;
	*producer_fd = args.out_producer_fd;
	*consumer_fd = args.out_consumer_fd;
	return 0;
}

int secbuf_ring_open(struct secbuf_ring_producer **producer,
		     struct secbuf_ring_consumer **consumer,
		     struct secbuf_context *ctx,
		     const struct secbuf_ring_opts *opts)
{
	struct secbuf_ring_create_args args = { 0 };
	struct secbuf_ring_handle *in, *out;
	int saved_errno = errno;
	int err;

	if (producer)
		*producer = NULL;
	if (consumer)
		*consumer = NULL;
	if (!producer || !consumer || !ctx)
		return -EINVAL;
	err = secbuf_ring_make(&args, ctx, opts, 0);
	if (err)
		return err;
	err = secbuf_ring_attach_fd(&in, args.out_producer_fd,
				    SECBUF_RING_END_PRODUCER, NULL);
	if (err)
		goto close_producer;
	err = secbuf_ring_attach_fd(&out, args.out_consumer_fd,
				    SECBUF_RING_END_CONSUMER, in);
	if (err)
		goto close_consumer;
	*producer = &in->producer;
	*consumer = &out->consumer;
	return 0;

close_producer:
	close(args.out_producer_fd);
	close(args.out_consumer_fd);
	errno = saved_errno;
	return err;
close_consumer:
	secbuf_ring_close(&in->side);
	close(args.out_consumer_fd);
	errno = saved_errno;
	return err;
}

/*
 * What both ends can do
 */

static int secbuf_ring_check(const struct secbuf_ring_side *side)
{
	if (!side)
		return -EINVAL;
	return side->size ? 0 : -EOWNERDEAD;
}

/* Bytes of the ring that must be there for @min. */
static uint64_t secbuf_ring_want(const struct secbuf_ring_side *side,
				 size_t min)
{
	if (!min)
		min = 1;
	if (side->bytes)
		return min;
	return secbuf_ring_is_producer(side) ? SECBUF_RING_RECORD_BYTES(min) : 1;
}

int secbuf_ring_wait(struct secbuf_ring_side *side, size_t min,
		     uint64_t timeout_ns)
{
	struct secbuf_ring_notify_args args = {
		.flags = SECBUF_RING_NOTIFY_F_WAIT, .timeout_ns = timeout_ns,
	};
	int err = secbuf_ring_check(side);
	int64_t amount;

	if (err)
		return err;
	args.min = secbuf_ring_want(side, min);
	if (min > side->size || args.min > side->size)
		return -EMSGSIZE;
	amount = secbuf_ring_look(side, args.min);
	if (amount < 0 || (uint64_t)amount >= args.min)
		return amount < 0 ? amount : 0;
	if (secbuf_ring_is_producer(side) && !secbuf_ring_is_open(side))
		secbuf_ring_store_parked(&secbuf_ring_handle(side)->producer);
	err = secbuf_ioctl_ring_notify(secbuf_ring_handle(side)->fd, &args);
	if (err)
		return err;
	amount = secbuf_ring_look(side, args.min);
	if (amount < 0)
		return amount;
	/* Positions do not go back. */
	return (uint64_t)amount < args.min ? secbuf_ring_break(side) : 0;
}

ssize_t secbuf_ring_used(struct secbuf_ring_side *side)
{
	int err = secbuf_ring_check(side);
	int64_t amount;

	if (err)
		return err;
	amount = secbuf_ring_look(side, 0);
	if (amount >= 0 && secbuf_ring_is_producer(side))
		amount = side->size - amount;
	return amount;
}

ssize_t secbuf_ring_available(struct secbuf_ring_side *side)
{
	ssize_t used = secbuf_ring_used(side);

	if (used < 0)
		return used;
	return secbuf_ring_longest(side, side->size - used);
}

int secbuf_ring_is_empty(struct secbuf_ring_side *side)
{
	ssize_t used = secbuf_ring_used(side);

	return used < 0 ? used : !used;
}

int secbuf_ring_is_full(struct secbuf_ring_side *side)
{
	ssize_t available = secbuf_ring_available(side);

	return available < 0 ? available : !available;
}

int secbuf_ring_is_idle(struct secbuf_ring_side *side)
{
	struct secbuf_ring_stats_args stats;
	int empty = secbuf_ring_is_empty(side);
	int err;

	if (empty <= 0)
		return empty;
	err = secbuf_ring_get_stats(side, &stats);
	return err ?: stats.out_bytes != 0;
}

ssize_t secbuf_ring_shrink(struct secbuf_ring_side *side)
{
	struct secbuf_ring_shrink_args args = { 0 };
	int err = secbuf_ring_check(side);

	if (!err && secbuf_ring_is_producer(side))
		err = secbuf_ring_park(&secbuf_ring_handle(side)->producer);
	if (!err)
		err = secbuf_ioctl_ring_shrink(secbuf_ring_handle(side)->fd,
					       &args);
	return err ?: (ssize_t)args.out_bytes;
}

int secbuf_ring_reset(struct secbuf_ring_side *side)
{
	struct secbuf_ring_plain_args args = { 0 };
	int err = secbuf_ring_check(side);

	return err ?: secbuf_ioctl_ring_reset(secbuf_ring_handle(side)->fd,
					      &args);
}

int secbuf_ring_get_stats(struct secbuf_ring_side *side,
			  struct secbuf_ring_stats_args *out)
{
	struct secbuf_ring_stats_args args = { 0 };
	int err = secbuf_ring_check(side);

	if (!err && !out)
		err = -EINVAL;
	if (!err)
		err = secbuf_ioctl_ring_stats(secbuf_ring_handle(side)->fd,
					      &args);
	if (!err)
		*out = args;
	return err;
}

size_t secbuf_ring_size(const struct secbuf_ring_side *side)
{
	return side ? side->size : 0;
}

int secbuf_ring_fd(const struct secbuf_ring_side *side)
{
	return side ? secbuf_ring_handle(side)->fd : -EINVAL;
}
