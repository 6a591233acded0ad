// SPDX-License-Identifier: GPL-2.0
/*
 * What conns cost that come and go, and packets that change hands, beside the
 * cheapest calls there are: opening and closing /dev/null, and an ioctl of a
 * foreign type, refused before anything is copied. Where the clock counts
 * instructions (guest.sh --icount) one ns is one of them. Prints
 *
 *	name value unit peer peer_value ratio
 *
 * conn_cycle_lib is the same through libsecbuf-user, which zeroizes before it
 * closes, in case somebody else has the descriptor. conn_buffer_cycle is a buffer
 * that is taken and released without a system call. conn_queue_copy copies 64
 * bytes in and out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <secbuf.h>

#include "turns.h"
#include "work.h"

#define SLOT_SIZE	1024
#define SLOTS		1024

#define FOREIGN		_IO('~', 0)

static struct secbuf_context *ctx;
static struct secbuf_pool *pool;
static struct secbuf_conn *conn;
static void *slot;

static void must_ioctl(int fd, unsigned long cmd, void *args, const char *what)
{
	turns_must(!ioctl(fd, cmd, args), what);
}

static void conn_cycle(unsigned int nr)
{
	while (nr--) {
		struct secbuf_conn_create_args create = {
			.size = sizeof(create),
			.pool_fd = secbuf_pool_fd(pool),
		};
		struct secbuf_conn_buffer_args buffer = {
			.size = sizeof(buffer),
		};

		must_ioctl(secbuf_fd(ctx), SECBUF_IOC_CONN_CREATE, &create,
			   "CONN_CREATE");
		buffer.which = SECBUF_CONN_BUFFER_READ;
		must_ioctl(create.out_fd, SECBUF_IOC_CONN_BUFFER, &buffer,
			   "CONN_BUFFER");
		buffer.which = SECBUF_CONN_BUFFER_WRITE;
		must_ioctl(create.out_fd, SECBUF_IOC_CONN_BUFFER, &buffer,
			   "CONN_BUFFER");
		close(create.out_fd);
	}
}

static void conn_cycle_lib(unsigned int nr)
{
	struct secbuf_conn *one;
	void *buf;

	while (nr--) {
		turns_must(!secbuf_conn_open(&one, ctx, pool, NULL),
			   "secbuf_conn_open");
		turns_must(!secbuf_conn_buffer(one, SECBUF_CONN_BUFFER_READ,
					       &buf), "secbuf_conn_buffer");
		turns_must(!secbuf_conn_buffer(one, SECBUF_CONN_BUFFER_WRITE,
					       &buf), "secbuf_conn_buffer");
		secbuf_conn_close(one);
	}
}

static void null_cycle(unsigned int nr)
{
	while (nr--) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		turns_must(fd >= 0, "/dev/null");
		close(fd);
	}
}

static void queue_move(unsigned int nr)
{
	int fd = secbuf_conn_fd(conn);
	uint64_t id = 0;

	turns_must(!secbuf_pool_id(pool, slot, &id), "secbuf_pool_id");
	while (nr--) {
		struct secbuf_conn_queue_args in = {
			.size = sizeof(in),
			.flags = SECBUF_CONN_F_MOVE,
			.packet = { .ptr = id, .len = SMALL },
		};
		struct secbuf_conn_queue_args out = {
			.size = sizeof(out),
			.flags = SECBUF_CONN_F_MOVE,
		};

		must_ioctl(fd, SECBUF_IOC_CONN_ENQUEUE, &in, "CONN_ENQUEUE");
		must_ioctl(fd, SECBUF_IOC_CONN_DEQUEUE, &out, "CONN_DEQUEUE");
		turns_must(out.packet.ptr == id, "another slot");
	}
}

static void null_ioctls(unsigned int nr)
{
	int fd = secbuf_conn_fd(conn);

	for (nr *= 2; nr--;)
		turns_must(ioctl(fd, FOREIGN, NULL) == -1 && errno == ENOTTY,
			   "foreign command");
}

static void queue_copy(unsigned int nr)
{
	unsigned char bytes[SMALL];

	while (nr--)
		turns_must(!secbuf_conn_enqueue(conn, small_secret, SMALL) &&
			   secbuf_conn_dequeue(conn, bytes, SMALL) == SMALL,
			   "queue");
}

static void buffer_cycle(unsigned int nr)
{
	void *buf;

	while (nr--)
		turns_must(!secbuf_conn_buffer(conn, SECBUF_CONN_BUFFER_READ,
					       &buf) &&
			   !secbuf_conn_buffer_release(conn,
						       SECBUF_CONN_BUFFER_READ,
						       SMALL), "buffer");
}

int main(void)
{
	static const struct turns_line lines[] = {
		{ .name = "conn_cycle", .nr = 500,
		  .secbuf = { .run = conn_cycle },
		  .peer = { "open_dev_null", NULL, null_cycle } },
		{ .name = "conn_cycle_lib", .nr = 500,
		  .secbuf = { .run = conn_cycle_lib },
		  .peer = { "open_dev_null", NULL, null_cycle } },
		{ .name = "conn_queue_move", .nr = 500,
		  .secbuf = { .run = queue_move },
		  .peer = { "two_null_ioctls", NULL, null_ioctls } },
		{ .name = "conn_queue_copy", .nr = 500,
		  .secbuf = { .run = queue_copy },
		  .peer = { "two_null_ioctls", NULL, null_ioctls } },
		{ .name = "conn_buffer_cycle", .nr = 500,
		  .secbuf = { .run = buffer_cycle },
		  .peer = { "two_null_ioctls", NULL, null_ioctls } },
	};
	const struct secbuf_pool_opts opts = SECBUF_POOL_OPTS(SLOT_SIZE, SLOTS);
	size_t i;

	turns_must(!secbuf_open(&ctx, NULL), "/dev/secbuf");
	turns_must(!secbuf_pool_open(&pool, ctx, &opts), "secbuf_pool_open");
	turns_must(!secbuf_conn_open(&conn, ctx, pool, NULL),
		   "secbuf_conn_open");
	turns_must(!secbuf_pool_alloc(pool, &slot), "secbuf_pool_alloc");
	turns_count_instructions();
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		turns_line(&lines[i]);
	return 0;
}
