// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of a conn goes to a socket, straight from the slots.
 */
#include "secbuf_conn.h"

#include <arpa/inet.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define SLOT_SIZE	(64 << 10)
#define NR_SLOTS	64

FIXTURE(send)
{
	int		dev;
	struct pool	p;
	int		conn;
	int		stream[2];
	int		dgram[2];
	unsigned char	*in;
	unsigned char	*out;
};

FIXTURE_SETUP(send)
{
	self->dev = secbuf_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pool_open(&self->p, self->dev, SLOT_SIZE, NR_SLOTS));
	self->conn = conn_create(self->dev, self->p.fd);
	ASSERT_LE(0, self->conn);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->stream));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, self->dgram));
	self->in = malloc(SLOT_SIZE);
	self->out = calloc(1, SLOT_SIZE);
	ASSERT_TRUE(self->in && self->out);
	for (int i = 0; i < SLOT_SIZE; i++)
		self->in[i] = 1 + i % 251;
}

FIXTURE_TEARDOWN(send)
{
	for (int i = 0; i < 2; i++) {
		close(self->stream[i]);
		close(self->dgram[i]);
	}
	free(self->in);
	free(self->out);
	close(self->conn);
	pool_close(&self->p);
	close(self->dev);
}

static int conn_send(int conn, int sock, __u32 max_packets,
		     struct secbuf_conn_send_args *args)
{
	poison(args);
	args->size = sizeof(*args);
	args->flags = 0;
	args->sock_fd = sock;
	args->max_packets = max_packets;
	args->__reserved = 0;
	return secbuf_ioctl(conn, SECBUF_IOC_CONN_SEND, args);
}

static int queue_length(int conn)
{
	struct secbuf_conn_stats_args stats;
	int ret = conn_stats(conn, &stats);

	return ret ? ret : (int)stats.out_nr_packets;
}

/* All that the other end has. */
static ssize_t receive(int fd, unsigned char *p, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, p + done, len - done, MSG_DONTWAIT);
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

TEST_F(send, to_a_stream)
{
	struct secbuf_conn_send_args args;

	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 100));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in + 100, 5000));
	ASSERT_EQ(0, conn_send(self->conn, self->stream[0], 0, &args));
	EXPECT_EQ(2, args.out_packets);
	EXPECT_EQ(5100, args.out_bytes);
	EXPECT_EQ(5100, receive(self->stream[1], self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 5100));
	EXPECT_EQ(0, queue_length(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
	EXPECT_EQ(-EAGAIN, conn_send(self->conn, self->stream[0], 0, &args));
}

/* Slots that share a page with others. */
TEST_F(send, from_small_slots)
{
	struct secbuf_conn_send_args args;
	struct pool p;
	int conn;

	ASSERT_EQ(0, pool_open(&p, self->dev, 256, 32));
	conn = conn_create(self->dev, p.fd);
	ASSERT_LE(0, conn);
	for (int i = 0; i < 32; i++)
		ASSERT_EQ(0, conn_enqueue(conn, self->in + i * 200, 200));
	ASSERT_EQ(0, conn_send(conn, self->stream[0], 0, &args));
	EXPECT_EQ(32, args.out_packets);
	EXPECT_EQ(6400, receive(self->stream[1], self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 6400));
	close(conn);
	pool_close(&p);
}

TEST_F(send, so_many_packets)
{
	struct secbuf_conn_send_args args;

	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 10));
	ASSERT_EQ(0, conn_send(self->conn, self->stream[0], 3, &args));
	EXPECT_EQ(3, args.out_packets);
	EXPECT_EQ(30, args.out_bytes);
	EXPECT_EQ(2, queue_length(self->conn));
}

TEST_F(send, messages)
{
	struct secbuf_conn_send_args args;

	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 10));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in + 1, 30000));
	ASSERT_EQ(0, conn_send(self->conn, self->dgram[0], 0, &args));
	EXPECT_EQ(2, args.out_packets);
	EXPECT_EQ(10, recv(self->dgram[1], self->out, SLOT_SIZE, 0));
	EXPECT_EQ(30000, recv(self->dgram[1], self->out, SLOT_SIZE, 0));
	EXPECT_EQ(0, memcmp(self->in + 1, self->out, 30000));
}

/* A part is sent, and the rest comes next, to whoever takes it. */
TEST_F(send, a_full_stream)
{
	struct secbuf_conn_send_args args;
	size_t sent = 0, got = 0, taken = 0;
	int ret, nr = 0;

	while (nr < NR_SLOTS &&
	       !conn_enqueue(self->conn, self->in, SLOT_SIZE))
		nr++;
	EXPECT_EQ(NR_SLOTS, nr);
	while (!(ret = conn_send(self->conn, self->stream[0], 0, &args)))
		sent += args.out_bytes;
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_LT(0, sent);
	ASSERT_LT(0, queue_length(self->conn));
	while (got < sent) {
		size_t n = sent - got < SLOT_SIZE ? sent - got : SLOT_SIZE;

		ASSERT_EQ(n, receive(self->stream[1], self->out, n));
		for (size_t i = 0; i < n; i++)
			ASSERT_EQ(self->in[(got + i) % SLOT_SIZE],
				  self->out[i]);
		got += n;
	}
	/* It goes on where it stopped. */
	ASSERT_EQ(0, conn_send(self->conn, self->stream[0], 1, &args));
	ASSERT_LT(0, args.out_bytes);
	ASSERT_GE(SLOT_SIZE, args.out_bytes);
	ASSERT_EQ(args.out_bytes, receive(self->stream[1], self->out,
					  SLOT_SIZE));
	for (size_t i = 0; i < args.out_bytes; i++)
		ASSERT_EQ(self->in[(got + i) % SLOT_SIZE], self->out[i]);
	got += args.out_bytes;
	/* The head of the queue begins where the stream stopped. */
	if (got % SLOT_SIZE) {
		taken = SLOT_SIZE - got % SLOT_SIZE;
		EXPECT_EQ(-EMSGSIZE, conn_dequeue(self->conn, self->out,
						  taken - 1));
		EXPECT_EQ(taken, conn_dequeue(self->conn, self->out,
					      SLOT_SIZE));
		EXPECT_EQ(0, memcmp(self->in + got % SLOT_SIZE, self->out,
				    taken));
	}
	EXPECT_EQ(SLOT_SIZE, conn_dequeue(self->conn, self->out, SLOT_SIZE));
}

static int shorten(struct secbuf_conn_send_args *args, int conn, int sock,
		   size_t *sent)
{
	int ret;

	*sent = 0;
	while (!(ret = conn_send(conn, sock, 0, args)))
		*sent += args->out_bytes;
	return ret;
}

/* What is left of a packet can be moved: it begins at the slot's beginning. */
TEST_F(send, the_rest_by_move)
{
	int size = 1;
	struct secbuf_conn_send_args args;
	size_t sent;
	__u64 id;
	int len;

	ASSERT_EQ(0, setsockopt(self->stream[0], SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	ASSERT_EQ(-EAGAIN, shorten(&args, self->conn, self->stream[0], &sent));
	ASSERT_LT(0, sent);
	if (!(sent % SLOT_SIZE))
		SKIP(return, "the socket takes whole packets");
	len = SLOT_SIZE - sent % SLOT_SIZE;
	ASSERT_EQ(len, conn_dequeue_slot(self->conn, &id));
	EXPECT_EQ(0, memcmp(self->in + sent % SLOT_SIZE,
			    pool_slot(&self->p, id), len));
	EXPECT_EQ(0, count_not(pool_slot(&self->p, id) + len, 0,
			       SLOT_SIZE - len));
	EXPECT_EQ(1, pool_free(self->p.fd, &id, 1));
}

TEST_F(send, errors)
{
	struct secbuf_conn_send_args args;
	int fds[2], closed;

	ASSERT_EQ(0, pipe(fds));
	closed = dup(fds[0]);
	close(closed);
	EXPECT_EQ(-EAGAIN, conn_send(self->conn, self->stream[0], 0, &args));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, 10));
	EXPECT_EQ(-EBADF, conn_send(self->conn, closed, 0, &args));
	EXPECT_EQ(-ENOTSOCK, conn_send(self->conn, fds[1], 0, &args));
	EXPECT_EQ(-ENOTSOCK, conn_send(self->conn, self->conn, 0, &args));
	close(self->stream[1]);
	/* There is no SIGPIPE, which would be the end of this. */
	EXPECT_EQ(-EPIPE, conn_send(self->conn, self->stream[0], 0, &args));
	args.size = sizeof(args);
	args.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_SEND,
					    &args));
	args.flags = 0;
	args.__reserved = 1;
	EXPECT_EQ(-EINVAL, secbuf_ioctl(self->conn, SECBUF_IOC_CONN_SEND,
					&args));
	EXPECT_EQ(1, queue_length(self->conn));
	EXPECT_EQ(10, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, 10));
}

/* What is too large for a message stays. */
TEST_F(send, too_large_for_a_message)
{
	struct secbuf_conn_send_args args;
	int size = 1;

	ASSERT_EQ(0, setsockopt(self->dgram[0], SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	EXPECT_EQ(-EMSGSIZE, conn_send(self->conn, self->dgram[0], 0, &args));
	EXPECT_EQ(SLOT_SIZE, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(0, memcmp(self->in, self->out, SLOT_SIZE));
}

struct race {
	int		conn;
	int		sock;
	volatile bool	stop;
	int		bad;
};

static void *sender(void *arg)
{
	struct race *race = arg;
	struct secbuf_conn_send_args args;
	int ret;

	while (!race->stop) {
		ret = conn_send(race->conn, race->sock, 0, &args);
		if (ret && ret != -EAGAIN && ret != -EBUSY)
			race->bad = ret;
	}
	return NULL;
}

/*
 * Packets end while they are sent. What arrives is of one connection or zero,
 * nothing of a slot that is another's by now.
 */
TEST_F(send, zeroize_in_the_middle)
{
	struct race race = { .conn = self->conn, .sock = self->stream[0] };
	unsigned int wrong = 0;
	pthread_t threads[2];
	__u64 ids[8];
	ssize_t n;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, sender, &race));
	for (int round = 0; round < 200; round++) {
		int nr = pool_alloc(self->p.fd, ids, 8);

		/* Foreign bytes in whatever slots are free. */
		for (int i = 0; i < nr; i++)
			memset(pool_slot(&self->p, ids[i]), 0xff, SLOT_SIZE);
		for (int i = 0; i < 4; i++)
			conn_enqueue(self->conn, self->in, SLOT_SIZE);
		if (nr > 0)
			pool_free(self->p.fd, ids, nr);
		ASSERT_EQ(0, conn_zeroize(self->conn));
		nr = pool_alloc(self->p.fd, ids, 8);
		for (int i = 0; i < nr; i++)
			memset(pool_slot(&self->p, ids[i]), 0xff, SLOT_SIZE);
		while ((n = recv(self->stream[1], self->out, SLOT_SIZE,
				 MSG_DONTWAIT)) > 0)
			for (ssize_t i = 0; i < n; i++)
				wrong += self->out[i] == 0xff;
		if (nr > 0)
			pool_free(self->p.fd, ids, nr);
	}
	race.stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, race.bad);
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, queue_length(self->conn));
	EXPECT_EQ(0, pool_in_use(self->p.fd));
}

struct sender {
	int		conn;
	int		sock;
	volatile bool	stop;
};

static void *send_always(void *arg)
{
	struct sender *s = arg;
	struct secbuf_conn_send_args args = {
		.size = sizeof(args), .sock_fd = s->sock,
	};

	while (!s->stop)
		secbuf_ioctl(s->conn, SECBUF_IOC_CONN_SEND, &args);
	return NULL;
}

/*
 * Who reads while the first packet is with a sender, who then puts it back, must
 * not get the beginning of one and the end of another of the same length.
 */
TEST_F(send, while_others_read)
{
	enum { LARGE = 192 << 10, ROUNDS = 30 };
	unsigned char *mem = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sender s = { 0 };
	unsigned int bad = 0;
	pthread_t thread;
	struct pool p;
	int pair[2];

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	memset(mem, 0, LARGE);
	while (write(pair[0], mem, 4096) > 0)
		;
	ASSERT_EQ(0, pool_open(&p, self->dev, LARGE, 4));
	s.conn = conn_create(self->dev, p.fd);
	s.sock = pair[0];
	ASSERT_LE(0, s.conn);
	memset(mem, 'A', LARGE);
	ASSERT_EQ(0, conn_enqueue(s.conn, mem, LARGE));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_always, &s));
	for (int i = 0; i < ROUNDS && !bad; i++) {
		memset(mem, 'A' + (i + 1) % 26, LARGE);
		ASSERT_EQ(LARGE, write(s.conn, mem, LARGE));
		madvise(mem, LARGE, MADV_DONTNEED);
		ASSERT_EQ(LARGE, read(s.conn, mem, LARGE));
		bad += memcmp(mem, mem + 1, LARGE - 1) != 0;
	}
	s.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, bad);
	close(s.conn);
	pool_close(&p);
	close(pair[0]);
	close(pair[1]);
	munmap(mem, LARGE);
}

static int loopback_up(int sock)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	return ioctl(sock, SIOCSIFFLAGS, &ifr);
}

static int tcp_pair(int fds[2])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int server = socket(AF_INET, SOCK_STREAM, 0);

	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	fds[1] = -1;
	if (server < 0 || fds[0] < 0 || loopback_up(server) ||
	    bind(server, (void *)&addr, len) || listen(server, 1) ||
	    getsockname(server, (void *)&addr, &len) ||
	    connect(fds[0], (void *)&addr, len))
		return -1;
	fds[1] = accept(server, NULL, NULL);
	close(server);
	return fds[1] < 0 ? -1 : 0;
}

struct hog {
	int		sock;
	volatile pid_t	tid;
	struct iovec	iov[2];
};

/* Has the lock of the socket as long as its first byte is not there. */
static void *hog(void *arg)
{
	struct hog *hog = arg;
	struct msghdr msg = { .msg_iov = hog->iov, .msg_iovlen = 2 };

	hog->tid = gettid();
	sendmsg(hog->sock, &msg, MSG_NOSIGNAL);
	return NULL;
}

struct sending {
	int		conn;
	int		sock;
	int		ret;
	volatile pid_t	tid;
	struct secbuf_conn_send_args args;
};

static void *send_once(void *arg)
{
	struct sending *s = arg;

	s->tid = gettid();
	s->ret = conn_send(s->conn, s->sock, 0, &s->args);
	return NULL;
}

/*
 * A socket keeps the sender waiting, for its lock. Nobody else waits; what is
 * being sent is zeroized, and its slot is nobody else's until that is over. Then
 * it is gone, though it was not sent.
 */
TEST_F(send, a_socket_that_is_held)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero = { .mode = 0 };
	struct uffdio_api api = { .api = UFFD_API };
	struct secbuf_conn_send_args args;
	struct sending sending = { .conn = self->conn };
	struct hog holder = { 0 };
	int fds[2], uffd, size = 4096;
	pthread_t hogs, sends;
	__u64 ids[NR_SLOTS];
	char *page;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || tcp_pair(fds))
		SKIP(return, "no userfaultfd, or no network");
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	reg.range.start = (uintptr_t)page;
	reg.range.len = PAGE;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, &reg));
	holder.sock = fds[0];
	holder.iov[0] = (struct iovec){ page, PAGE };
	/* More than the socket takes. */
	holder.iov[1] = (struct iovec){ calloc(1, 16 << 20), 16 << 20 };
	ASSERT_NE(NULL, holder.iov[1].iov_base);
	ASSERT_EQ(0, pthread_create(&hogs, NULL, hog, &holder));
	ASSERT_TRUE(wait_until(is_stuck(holder.tid)));
	sending.sock = fds[0];
	ASSERT_EQ(0, conn_enqueue(self->conn, self->in, SLOT_SIZE));
	ASSERT_EQ(SLOT_SIZE, count_not(self->p.map, 0, self->p.map_size /
				       NR_SLOTS));
	ASSERT_EQ(0, pthread_create(&sends, NULL, send_once, &sending));
	ASSERT_TRUE(wait_until(is_stuck(sending.tid)));

	EXPECT_EQ(-EBUSY, conn_send(self->conn, self->stream[0], 0, &args));
	EXPECT_EQ(-EAGAIN, conn_dequeue(self->conn, self->out, SLOT_SIZE));
	EXPECT_EQ(1, queue_length(self->conn));
	ASSERT_EQ(0, conn_zeroize(self->conn));
	EXPECT_EQ(0, count_not(self->p.map, 0, SLOT_SIZE));
	EXPECT_EQ(NR_SLOTS - 1, pool_alloc(self->p.fd, ids, NR_SLOTS));

	zero.range = reg.range;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	pthread_join(sends, NULL);
	EXPECT_EQ(0, queue_length(self->conn));
	EXPECT_EQ(NR_SLOTS - 1, pool_in_use(self->p.fd));
	close(fds[1]);
	pthread_join(hogs, NULL);
	close(fds[0]);
	close(uffd);
	free(holder.iov[1].iov_base);
	munmap(page, PAGE);
}

TEST_HARNESS_MAIN
