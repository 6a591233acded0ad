// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers and descriptors, sockets, streams.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <secbuf.h>
#include <secbuf/io.h>

#include "harness.h"

#include "source.h"

#define SECRET		"correct horse battery staple"
#define SECRET_LEN	(sizeof(SECRET) - 1)

FIXTURE(io)
{
	struct test_source src;
	struct secbuf_source *source;
	struct secbuf_buffer buf;
	int in, out;
};

FIXTURE_SETUP(io)
{
	int fds[2];

	test_source_init(&self->src);
	self->src.exact = true;
	self->source = &self->src.source;
	secbuf_buffer_init(&self->buf, self->source);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	self->in = fds[0];
	self->out = fds[1];
	errno = 77;
}

FIXTURE_TEARDOWN(io)
{
	EXPECT_EQ(77, errno);
	close(self->in);
	close(self->out);
	secbuf_buffer_release(&self->buf);
	EXPECT_TRUE(test_source_clean(&self->src));
	EXPECT_EQ(0, test_source_exit(&self->src));
}

static bool same_bytes(const struct secbuf_buffer *buf, const void *bytes,
		       size_t n)
{
	return buf->cur.len == n && (!n || !memcmp(buf->cur.data, bytes, n));
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* In goes to the end, out comes from the position. */
TEST_F(io, queue)
{
	struct secbuf_buffer *buf = &self->buf;
	uint8_t value;

	ASSERT_EQ(6, write(self->out, "abcdef", 6));
	EXPECT_EQ(4, secbuf_buffer_read(buf, self->in, 4));
	EXPECT_EQ(0, secbuf_cursor_pos(&buf->cur));
	EXPECT_TRUE(same_bytes(buf, "abcd", 4));
	EXPECT_EQ(0, secbuf_cursor_get_u8(&buf->cur, &value));
	EXPECT_EQ(2, secbuf_buffer_read(buf, self->in, 100));
	EXPECT_TRUE(same_bytes(buf, "abcdef", 6));
	EXPECT_EQ(106 - 2, secbuf_cursor_dirty(&buf->cur));
	EXPECT_EQ(2, secbuf_buffer_write(buf, self->in, 2));
	EXPECT_EQ(3, secbuf_cursor_pos(&buf->cur));
	EXPECT_EQ(3, secbuf_buffer_write(buf, self->in, SIZE_MAX));
	EXPECT_EQ(0, secbuf_buffer_write(buf, self->in, SIZE_MAX));
	secbuf_buffer_clear(buf);
	EXPECT_EQ(5, secbuf_buffer_read(buf, self->out, 100));
	EXPECT_TRUE(same_bytes(buf, "bcdef", 5));
}

TEST_F(io, end_of_file)
{
	struct secbuf_buffer *buf = &self->buf;

	ASSERT_EQ(3, write(self->out, "abc", 3));
	ASSERT_EQ(0, shutdown(self->out, SHUT_WR));
	EXPECT_EQ(3, secbuf_buffer_read_all(buf, self->in, 10));
	EXPECT_EQ(0, secbuf_buffer_read(buf, self->in, 10));
	EXPECT_EQ(0, secbuf_buffer_read_all(buf, self->in, 10));
	EXPECT_EQ(0, secbuf_buffer_read(buf, self->in, 0));
	EXPECT_TRUE(same_bytes(buf, "abc", 3));
}

TEST_F(io, would_block)
{
	struct secbuf_buffer before, *buf = &self->buf;
	ssize_t ret;

	ASSERT_EQ(0, secbuf_buffer_reserve(buf, 100000));
	set_nonblocking(self->in);
	before = *buf;
	EXPECT_EQ(-EAGAIN, secbuf_buffer_read(buf, self->in, 10));
	EXPECT_EQ(-EAGAIN, secbuf_buffer_read_all(buf, self->in, 10));
	EXPECT_EQ(before.cur.len, buf->cur.len);
	EXPECT_EQ(before.cur.pos, buf->cur.pos);
	ASSERT_EQ(3, write(self->out, "abc", 3));
	EXPECT_EQ(3, secbuf_buffer_read_all(buf, self->in, 10));

	ASSERT_EQ(0, secbuf_buffer_resize(buf, 100000));
	while ((ret = secbuf_buffer_write_all(buf, self->in)) == 100000)
		EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	EXPECT_TRUE(ret <= 0 || (size_t)ret == secbuf_cursor_pos(&buf->cur));
	EXPECT_EQ(-EAGAIN, secbuf_buffer_write_all(buf, self->in));
	EXPECT_EQ(-EAGAIN, secbuf_buffer_write(buf, self->in, 1));
}

TEST_F(io, errors)
{
	struct secbuf_buffer before, *buf = &self->buf;
	struct secbuf_vec vec = { buf, 4 };
	struct secbuf_vec twice[2] = { { buf, 1 }, { buf, 1 } };
	struct secbuf_vec none = { NULL, 1 };

	ASSERT_EQ(0, secbuf_buffer_append(buf, "abcd", 4));
	EXPECT_EQ(-EBADF, secbuf_buffer_read(buf, -1, 4));
	before = *buf;
	EXPECT_EQ(-EBADF, secbuf_buffer_read(buf, -1, 4));
	EXPECT_EQ(-EBADF, secbuf_buffer_read_all(buf, -1, 4));
	EXPECT_EQ(-EBADF, secbuf_buffer_write(buf, -1, 4));
	EXPECT_EQ(-EBADF, secbuf_buffer_write_all(buf, -1));
	EXPECT_EQ(-EBADF, secbuf_buffer_recvmsg(&vec, 1, -1, NULL, 0));
	EXPECT_EQ(-EBADF, secbuf_buffer_sendmsg(&vec, 1, -1, NULL, 0));
	EXPECT_EQ(-EINVAL, secbuf_buffer_readv(&vec, SECBUF_VEC_MAX + 1, 0));
	EXPECT_EQ(-EINVAL, secbuf_buffer_writev(NULL, 1, 0));
	EXPECT_EQ(-EINVAL, secbuf_buffer_readv(twice, 2, 0));
	EXPECT_EQ(-EINVAL, secbuf_buffer_writev(twice, 2, 0));
	EXPECT_EQ(-EINVAL, secbuf_buffer_recvmsg(&none, 1, 0, NULL, 0));
	EXPECT_EQ(-EINVAL, secbuf_buffer_sendmsg(&none, 1, 0, NULL, 0));
	EXPECT_EQ(0, memcmp(&before, buf, sizeof(*buf)));
	EXPECT_TRUE(same_bytes(buf, "abcd", 4));

	secbuf_buffer_set_max(buf, 100);
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_read(buf, self->in, 97));
	EXPECT_EQ(-EMSGSIZE, secbuf_buffer_read_all(buf, self->in, SIZE_MAX));
	test_source_refuse(&self->src, -EDQUOT);
	EXPECT_EQ(-EDQUOT, secbuf_buffer_read(buf, self->in, 96));
	EXPECT_TRUE(same_bytes(buf, "abcd", 4));
}

TEST_F(io, vectors)
{
	struct secbuf_buffer second, third, *buf = &self->buf;
	struct secbuf_vec vecs[3] = {
		{ buf, 4 }, { &second, 3 }, { &third, 100 },
	};

	ASSERT_EQ(0, secbuf_buffer_append(buf, "x", 1));
	ASSERT_EQ(0, secbuf_buffer_open(&second, self->source, 10));
	secbuf_buffer_init(&third, self->source);
	ASSERT_EQ(5, write(self->out, "abcde", 5));
	EXPECT_EQ(5, secbuf_buffer_readv(vecs, 3, self->in));
	EXPECT_TRUE(same_bytes(buf, "xabcd", 5));
	EXPECT_TRUE(same_bytes(&second, "e", 1));
	EXPECT_TRUE(same_bytes(&third, "", 0));

	ASSERT_EQ(0, secbuf_buffer_append(&third, "1234", 4));
	vecs[2].n = 2;
	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 2));
	EXPECT_EQ(6, secbuf_buffer_writev(vecs, 3, self->in));
	EXPECT_EQ(5, secbuf_cursor_pos(&buf->cur));
	EXPECT_EQ(1, secbuf_cursor_pos(&second.cur));
	EXPECT_EQ(2, secbuf_cursor_pos(&third.cur));
	secbuf_buffer_clear(buf);
	EXPECT_EQ(6, secbuf_buffer_read(buf, self->out, 100));
	EXPECT_TRUE(same_bytes(buf, "bcde12", 6));
	EXPECT_EQ(0, secbuf_buffer_readv(NULL, 0, self->in));
	secbuf_buffer_release(&second);
	secbuf_buffer_release(&third);
}

/* A datagram that is longer says so, and nothing but its beginning is taken. */
TEST_F(io, messages)
{
	struct secbuf_buffer second, *buf = &self->buf;
	struct secbuf_vec vecs[2] = { { buf, 4 }, { &second, 2 } };
	struct msghdr msg = { 0 };
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
	secbuf_buffer_init(&second, self->source);
	ASSERT_EQ(10, write(fds[1], "abcdefghij", 10));
	EXPECT_EQ(10, secbuf_buffer_recvmsg(vecs, 2, fds[0], &msg, MSG_TRUNC));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags & MSG_TRUNC);
	EXPECT_EQ(NULL, msg.msg_iov);
	EXPECT_TRUE(same_bytes(buf, "abcd", 4));
	EXPECT_TRUE(same_bytes(&second, "ef", 2));

	vecs[0].n = 3;
	EXPECT_EQ(5, secbuf_buffer_sendmsg(vecs, 2, fds[0], NULL, 0));
	EXPECT_EQ(3, secbuf_cursor_pos(&buf->cur));
	EXPECT_EQ(2, secbuf_cursor_pos(&second.cur));
	secbuf_buffer_clear(buf);
	vecs[0].n = 100;
	EXPECT_EQ(5, secbuf_buffer_recvmsg(vecs, 1, fds[1], NULL, 0));
	EXPECT_TRUE(same_bytes(buf, "abcef", 5));
	secbuf_buffer_release(&second);
	close(fds[0]);
	close(fds[1]);
}

/* Reading into a buffer that shares its memory leaves the other alone. */
TEST_F(io, shared)
{
	struct secbuf_buffer other, *buf = &self->buf;

	ASSERT_EQ(0, secbuf_buffer_append(buf, "abc", 3));
	ASSERT_EQ(0, secbuf_buffer_share(buf, &other));
	ASSERT_EQ(3, write(self->out, "xyz", 3));
	EXPECT_EQ(3, secbuf_buffer_read(&other, self->in, 3));
	EXPECT_TRUE(same_bytes(&other, "abcxyz", 6));
	EXPECT_TRUE(same_bytes(buf, "abc", 3));
	secbuf_buffer_release(&other);
}

static void on_signal(int sig)
{
	(void)sig;
}

struct pesterer {
	pthread_t whom;
	pid_t tid;
	int fd;
};

/* Signals, and then what was waited for. */
static void *pester(void *arg)
{
	struct pesterer *pesterer = arg;
	int i;

	for (i = 0; i < 3; i++) {
		usleep(30000);
		await_sleep(pesterer->tid);
		pthread_kill(pesterer->whom, SIGUSR1);
	}
	usleep(30000);
	if (write(pesterer->fd, "abcdef", 6) != 6)
		abort();
	return NULL;
}

TEST_F(io, signals)
{
	struct pesterer pesterer = {
		pthread_self(), getpid(), self->out,
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct secbuf_buffer *buf = &self->buf;
	pthread_t thread;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, pester, &pesterer));
	EXPECT_EQ(-EINTR, secbuf_buffer_read(buf, self->in, 6));
	EXPECT_EQ(0, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(6, secbuf_buffer_read_all(buf, self->in, 6));
	EXPECT_TRUE(same_bytes(buf, "abcdef", 6));
	pthread_join(thread, NULL);
}

TEST_F(io, stream_write_and_read)
{
	struct secbuf_buffer *buf = &self->buf;
	char line[64] = "";
	FILE *file;

	ASSERT_EQ(0, secbuf_buffer_open_stream(buf, "w", &file));
	EXPECT_LT(0, fprintf(file, "one %d\n", 1));
	EXPECT_LE(0, fputs("two\n", file));
	EXPECT_EQ(0, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(0, fclose(file));
	EXPECT_TRUE(same_bytes(buf, "one 1\ntwo\n", 10));
	EXPECT_EQ(10, secbuf_cursor_pos(&buf->cur));

	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 0));
	ASSERT_EQ(0, secbuf_buffer_open_stream(buf, "r", &file));
	EXPECT_NE(NULL, fgets(line, sizeof(line), file));
	EXPECT_STREQ("one 1\n", line);
	EXPECT_NE(NULL, fgets(line, sizeof(line), file));
	EXPECT_STREQ("two\n", line);
	EXPECT_EQ(NULL, fgets(line, sizeof(line), file));
	EXPECT_TRUE(feof(file));
	EXPECT_EQ(0, fclose(file));
	EXPECT_EQ(1, self->src.nr_live);
}

TEST_F(io, stream_seek)
{
	struct secbuf_buffer *buf = &self->buf;
	FILE *file;

	ASSERT_EQ(0, secbuf_buffer_append(buf, "abcdef", 6));
	ASSERT_EQ(0, secbuf_buffer_open_stream(buf, "r+", &file));
	EXPECT_EQ(0, fseek(file, 2, SEEK_SET));
	EXPECT_EQ('c', fgetc(file));
	EXPECT_EQ(3, ftell(file));
	EXPECT_EQ(0, fseek(file, -1, SEEK_END));
	EXPECT_EQ('f', fgetc(file));
	EXPECT_EQ(-1, fseek(file, 7, SEEK_SET));
	EXPECT_EQ(-1, fseek(file, -7, SEEK_END));
	errno = 77;
	EXPECT_EQ(0, fseek(file, 1, SEEK_SET));
	EXPECT_EQ('X', fputc('X', file));
	EXPECT_EQ(0, fclose(file));
	EXPECT_TRUE(same_bytes(buf, "aXcdef", 6));

	EXPECT_EQ(0, secbuf_cursor_set_pos(&buf->cur, 1));
	ASSERT_EQ(0, secbuf_buffer_open_stream(buf, "a", &file));
	EXPECT_EQ('!', fputc('!', file));
	EXPECT_EQ(0, fclose(file));
	EXPECT_TRUE(same_bytes(buf, "aXcdef!", 7));
}

TEST_F(io, stream_failures)
{
	static const char *const modes[] = { "", "x", "rw", "r ", "re", "wx", "q+" };
	struct secbuf_buffer *buf = &self->buf;
	FILE *file;
	size_t i;

	ASSERT_EQ(0, secbuf_buffer_append(buf, "abc", 3));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		file = stdin;
		EXPECT_EQ(-EINVAL, secbuf_buffer_open_stream(buf, modes[i],
							     &file)) {
			TH_LOG("%s", modes[i]);
		}
		EXPECT_EQ(NULL, file);
	}
	EXPECT_TRUE(same_bytes(buf, "abc", 3));
	EXPECT_EQ(1, self->src.nr_live);
	test_source_refuse(&self->src, -EDQUOT);
	EXPECT_EQ(-EDQUOT, secbuf_buffer_open_stream(buf, "r", &file));
	test_source_allow(&self->src);

	/* The buffer's maximum is the end of the disk. */
	secbuf_buffer_set_max(buf, 5000);
	ASSERT_EQ(0, secbuf_buffer_open_stream(buf, "a", &file));
	for (i = 0; i < 5000 && !ferror(file); i++)
		fputc('x', file);
	EXPECT_NE(0, fflush(file));
	EXPECT_EQ(EMSGSIZE, errno);
	fclose(file);
	EXPECT_GE(5000, secbuf_cursor_len(&buf->cur));
	EXPECT_EQ(secbuf_cursor_len(&buf->cur), secbuf_cursor_pos(&buf->cur));
	errno = 77;
}

/* What stdio had read ahead, or not yet written, is in no other memory. */
TEST_F(io, stream_keeps_nothing)
{
	struct secbuf_buffer *buf = &self->buf;
	unsigned char *window;
	struct test_block *block;
	int copies = 0;
	FILE *file;

	ASSERT_EQ(0, secbuf_buffer_append(buf, SECRET, SECRET_LEN));
	ASSERT_EQ(0, secbuf_buffer_open_stream(buf, "r", &file));
	EXPECT_EQ('c', fgetc(file));
	/* Here, and where the source has it: nowhere else on the heap. */
	for (block = self->src.blocks; block; block = block->next) {
		window = memmem(block->bytes, block->size, SECRET, SECRET_LEN);
		copies += window ? 1 : 0;
	}
	EXPECT_EQ(2, copies);
	EXPECT_EQ(0, fclose(file));
	EXPECT_EQ(1, self->src.nr_live);
	secbuf_buffer_release(buf);
	EXPECT_FALSE(test_source_holds(&self->src, SECRET, SECRET_LEN));
}

TEST_HARNESS_MAIN
