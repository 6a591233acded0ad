// SPDX-License-Identifier: GPL-2.0
/*
 * keeper-test: the two processes of the agent, each opposite one that does what
 * it must not, or is gone. Prints lines as agent-probe does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "keeper.h"
#include "memory.h"
#include "vault.h"

#define TEST_TIMEOUT_MS		120000
#define TEST_PATTERN		0xa5

static const char *test_memory;

static bool result(bool ok, const char *name)
{
	printf("%s %s\n", ok ? "ok" : "not ok", name);
	fflush(stdout);
	return ok;
}

/*
 * Keepers that are not what they should be. Each is ready, and then answers all
 * requests in its way.
 */

/* What it does to the answer; false: gives none, and ends. */
typedef bool distort(struct channel_head *head, struct secbuf_buffer *message);

static int keeper_distort(struct channel *channel, void *arg)
{
	struct channel_head head = { };
	struct secbuf_buffer message;
	struct memory mem;
	distort *fn = *(distort **)arg;
	int err;

	err = memory_open(&mem, test_memory);
	if (err)
		return EXIT_FAILURE;
	secbuf_buffer_init(&message, mem.source);
	err = channel_send(channel, &head, &message.cur);
	while (!err) {
		secbuf_buffer_clear(&message);
		err = channel_receive(channel, &head, &message, CHANNEL_FOREVER);
		if (err)
			break;
		head.value = 0;
		if (!fn(&head, &message))
			break;
		err = channel_send(channel, &head, &message.cur);
	}
	secbuf_buffer_release(&message);
	memory_close(&mem);
	return EXIT_SUCCESS;
}

static bool echo(struct channel_head *head, struct secbuf_buffer *message)
{
	(void)head;
	(void)message;
	return true;
}

static bool other_number(struct channel_head *head,
			 struct secbuf_buffer *message)
{
	(void)message;
	head->number--;
	return true;
}

static bool no_errno(struct channel_head *head, struct secbuf_buffer *message)
{
	secbuf_buffer_clear(message);
	head->value = 0x80000000;
	return true;
}

static bool error_and_more(struct channel_head *head,
			   struct secbuf_buffer *message)
{
	(void)message;
	head->value = ENOMEM;
	return true;
}

static bool error_only(struct channel_head *head, struct secbuf_buffer *message)
{
	secbuf_buffer_clear(message);
	head->value = EMSGSIZE;
	return true;
}

static bool nothing(struct channel_head *head, struct secbuf_buffer *message)
{
	(void)head;
	secbuf_buffer_clear(message);
	return true;
}

static bool too_long(struct channel_head *head, struct secbuf_buffer *message)
{
	(void)head;
	return !secbuf_buffer_resize(message, 5000);
}

/* Of what is a message at all. */
static bool much_too_long(struct channel_head *head,
			  struct secbuf_buffer *message)
{
	(void)head;
	return !secbuf_buffer_resize(message, CHANNEL_MESSAGE_MAX + 1);
}

static bool end(struct channel_head *head, struct secbuf_buffer *message)
{
	(void)head;
	(void)message;
	return false;
}

static bool die(struct channel_head *head, struct secbuf_buffer *message)
{
	(void)head;
	(void)message;
	raise(SIGKILL);
	return false;
}

/*
 * The process that talks to clients, as it begins and ends.
 */

struct front {
	struct memory mem;
	struct keeper keeper;
	struct secbuf_buffer request;
	struct secbuf_buffer reply;
};

static bool front_open(struct front *front, keeper_run *run, void *arg)
{
	if (keeper_start(&front->keeper, test_memory, run, arg))
		return false;
	if (memory_open(&front->mem, test_memory) ||
	    keeper_await(&front->keeper, front->mem.source)) {
		keeper_stop(&front->keeper);
		return false;
	}
	secbuf_buffer_init(&front->request, front->mem.source);
	secbuf_buffer_init(&front->reply, front->mem.source);
	secbuf_buffer_set_max(&front->reply, CLIENT_SHORT_SIZE);
	return true;
}

static int front_close(struct front *front)
{
	int err;

	secbuf_buffer_release(&front->request);
	secbuf_buffer_release(&front->reply);
	err = keeper_stop(&front->keeper);
	memory_close(&front->mem);
	return err;
}

static int ask(struct front *front, size_t len)
{
	secbuf_buffer_clear(&front->reply);
	if (secbuf_buffer_resize(&front->request, len))
		return -ENOMEM;
	memset(front->request.cur.data, TEST_PATTERN, len);
	return front->keeper.responder.answer(&front->keeper.responder,
					      &front->request.cur,
					      &front->reply);
}

/* The answer is @err, and it is the last one if that is not one of a request. */
static bool answers(distort *fn, int err, bool is_last)
{
	struct front front;
	bool ok;

	if (!front_open(&front, keeper_distort, &fn))
		return false;
	ok = ask(&front, 100) == err &&
	     ask(&front, 100) == err &&
	     front.keeper.channel.err == (is_last ? err : 0);
	return !front_close(&front) == !is_last && ok;
}

static const struct {
	const char *name;
	distort *fn;
	int err;
	bool is_last;
} distortions[] = {
	{ "a reply to another request", other_number, -EPROTO, true },
	{ "a reply with an error that is none", no_errno, -EPROTO, true },
	{ "a reply with an error and more", error_and_more, -EPROTO, true },
	{ "a reply with an error", error_only, -EMSGSIZE, false },
	{ "a reply with nothing in it", nothing, -EPROTO, true },
	{ "a keeper that ends", end, -EPIPE, true },
	{ "a keeper that is killed", die, -EPIPE, true },
};

static bool test_distortions(void)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(distortions) / sizeof(distortions[0]); i++)
		ok &= result(answers(distortions[i].fn, distortions[i].err,
				     distortions[i].is_last),
			     distortions[i].name);
	return ok;
}

/* Whichever error it is: it is over, and nothing was written beyond the room. */
static bool refuses(distort *fn)
{
	struct front front;
	bool ok;

	if (!front_open(&front, keeper_distort, &fn))
		return false;
	ok = ask(&front, 100) < 0 && front.keeper.channel.err &&
	     secbuf_cursor_len(&front.reply.cur) <= CLIENT_SHORT_SIZE;
	return front_close(&front) && ok;
}

/*
 * Exchanging.
 */

static bool is_pattern(const struct secbuf_buffer *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (buf->cur.data[i] != TEST_PATTERN)
			return false;
	}
	return secbuf_cursor_len(&buf->cur) == len;
}

/* All of both rings, as far as this process sees them. */
static bool is_forgotten(const struct channel *channel)
{
	const struct secbuf_ring_side *side;

	if (!channel->in)
		return true;
	side = &channel->out->side;
	if (!sodium_is_zero(side->data, secbuf_ring_size(side)))
		return false;
	side = &channel->in->side;
	return sodium_is_zero(side->data, secbuf_ring_size(side));
}

static bool exchanges(struct front *front, size_t len)
{
	return !ask(front, len) && is_pattern(&front->reply, len) &&
	       is_forgotten(&front->keeper.channel);
}

static bool test_exchange(void)
{
	distort *fn = echo;
	struct front front;
	size_t len;
	bool ok;

	if (!front_open(&front, keeper_distort, &fn))
		return false;
	secbuf_buffer_set_max(&front.reply, CHANNEL_MESSAGE_MAX);
	ok = exchanges(&front, 1) && exchanges(&front, CHANNEL_MESSAGE_MAX);
	for (len = 2; ok && len < CHANNEL_MESSAGE_MAX; len += len / 2 + 1)
		ok = exchanges(&front, len);
	return !front_close(&front) && ok;
}

/* A signal that was sent is not there yet, on another processor. */
static bool stop_keeper(const struct keeper *keeper)
{
	int status;

	return !kill(keeper->pid, SIGSTOP) &&
	       waitpid(keeper->pid, &status, WUNTRACED) == keeper->pid &&
	       WIFSTOPPED(status);
}

/* What the test before looks at is where messages are. */
static bool test_is_there(void)
{
	const struct channel_head head = { };
	distort *fn = echo;
	struct front front;
	struct channel *channel = &front.keeper.channel;
	bool ok;

	if (!front_open(&front, keeper_distort, &fn))
		return false;
	ok = stop_keeper(&front.keeper) &&
	     !secbuf_buffer_append(&front.request, "something", 9) &&
	     !channel_send(channel, &head, &front.request.cur);
	if (channel->in)
		ok = ok && !is_forgotten(channel);
	kill(front.keeper.pid, SIGCONT);
	return !front_close(&front) && ok;
}

/*
 * A keeper that is quiet.
 */

static bool is_hung_up(const struct keeper *keeper)
{
	struct pollfd poll_fd = {
		.fd = channel_fd(&keeper->channel),
	};

	return poll(&poll_fd, 1, TEST_TIMEOUT_MS) == 1 &&
	       poll_fd.revents & POLLHUP;
}

static bool test_quiet(void)
{
	distort *fn = echo;
	struct front front;
	bool ok;

	if (!front_open(&front, keeper_distort, &fn))
		return false;
	ok = !keeper_check(&front.keeper) && !ask(&front, 10) &&
	     !keeper_check(&front.keeper) &&
	     !kill(front.keeper.pid, SIGKILL) && is_hung_up(&front.keeper) &&
	     keeper_check(&front.keeper) == -EPIPE;
	return front_close(&front) && ok;
}

/* Ready, and once more. */
static int keeper_unasked(struct channel *channel, void *arg)
{
	const struct channel_head head = { };
	struct secbuf_cursor none;

	(void)arg;
	secbuf_cursor_init(&none, NULL, 0);
	channel_send(channel, &head, &none);
	channel_send(channel, &head, &none);
	for (;;)
		pause();
	return EXIT_SUCCESS;
}

static bool test_unasked(void)
{
	struct front front;
	bool ok;

	if (!front_open(&front, keeper_unasked, NULL))
		return false;
	ok = ask(&front, 10) == -EPROTO;
	return front_close(&front) && ok;
}

/* Who does not answer is not waited for when the agent is to end. */
static bool test_stopped(void)
{
	distort *fn = echo;
	struct front front;
	int fds[2];
	bool ok;

	if (pipe2(fds, O_CLOEXEC) ||
	    !front_open(&front, keeper_distort, &fn))
		return false;
	front.keeper.stop_fd = fds[0];
	ok = !ask(&front, 10) && stop_keeper(&front.keeper) &&
	     write(fds[1], "", 1) == 1 && ask(&front, 10) == -ECANCELED;
	close(fds[0]);
	close(fds[1]);
	return front_close(&front) && ok;
}

/*
 * The real keeper, and a process that is not what it should talk to.
 */

static bool vault_start(struct front *front)
{
	static struct vault_options options;

	options.memory = test_memory;
	return front_open(front, vault_run, &options);
}

/* It answers what is no request in any protocol. */
static bool test_vault(void)
{
	static const unsigned char failure = SSH_AGENT_FAILURE;
	struct front front;
	bool ok;

	if (!vault_start(&front))
		return false;
	ok = !ask(&front, 100) && secbuf_cursor_len(&front.reply.cur) == 1 &&
	     !memcmp(front.reply.cur.data, &failure, 1) &&
	     !ask(&front, CHANNEL_MESSAGE_MAX) &&
	     is_forgotten(&front.keeper.channel);
	return !front_close(&front) && ok;
}

/* It ends by itself, and not well. */
static bool has_failed(struct front *front)
{
	struct channel *channel = &front->keeper.channel;
	struct channel_head head;
	int status;
	bool ok;

	ok = channel_receive(channel, &head, &front->reply,
			     CHANNEL_FOREVER) == -EPIPE &&
	     waitpid(front->keeper.pid, &status, 0) == front->keeper.pid &&
	     WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE;
	channel_close(channel);
	secbuf_buffer_release(&front->request);
	secbuf_buffer_release(&front->reply);
	memory_close(&front->mem);
	return ok;
}

static bool test_vault_reply_max(void)
{
	const struct channel_head head = { 1, CHANNEL_MESSAGE_MAX + 1 };
	struct front front;
	bool sent;

	if (!vault_start(&front))
		return false;
	sent = !channel_send(&front.keeper.channel, &head, &front.request.cur);
	return has_failed(&front) && sent;
}

static bool test_vault_too_long(void)
{
	const struct channel_head head = { 1, CLIENT_SHORT_SIZE };
	struct front front;
	bool sent;

	if (!vault_start(&front))
		return false;
	sent = !secbuf_buffer_resize(&front.request, CHANNEL_MESSAGE_MAX + 1);
	/* It may close before all is sent. */
	channel_send(&front.keeper.channel, &head, &front.request.cur);
	front.keeper.channel.err = 0;
	return has_failed(&front) && sent;
}

/* No head, or half of one. */
static bool test_vault_too_short(void)
{
	struct front front;
	struct channel *channel = &front.keeper.channel;
	bool sent;

	if (!vault_start(&front))
		return false;
	if (channel->out)
		sent = !secbuf_ring_write(channel->out, "half", 4);
	else
		sent = send(channel->sock, "half", 4, 0) == 4 &&
		       !shutdown(channel->sock, SHUT_WR);
	if (channel->out)
		return has_failed(&front) && sent;
	return !front_close(&front) && sent;
}

static int count_sockets(pid_t pid)
{
	char path[64], target[64];
	int fd, nr = 0;
	ssize_t n;

	for (fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n >= 7 && !memcmp(target, "socket:", 7))
			nr++;
	}
	return nr;
}

/* What the process that made it had open is not open there. */
static bool test_vault_sockets(void)
{
	int own = strcmp(test_memory, "secbuf") ? 1 : 0;
	struct front front;
	int other[2], nr;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, other) || !vault_start(&front))
		return false;
	nr = count_sockets(front.keeper.pid);
	close(other[0]);
	close(other[1]);
	return !front_close(&front) && nr <= own;
}

/* In a process of its own: begins a keeper, tells its pid, and waits. */
static void __attribute__((noreturn)) front_main(int fd)
{
	struct front front;

	if (!vault_start(&front) || ask(&front, 10) ||
	    write(fd, &front.keeper.pid, sizeof(pid_t)) != sizeof(pid_t))
		_exit(EXIT_FAILURE);
	for (;;)
		pause();
}

static bool kill_front(pid_t front, int fd, pid_t *keeper)
{
	ssize_t n = read(fd, keeper, sizeof(*keeper));

	kill(front, SIGKILL);
	return waitpid(front, NULL, 0) == front && n == sizeof(*keeper);
}

static bool test_vault_alone(void)
{
	pid_t front, keeper;
	int fds[2], status = -1;
	bool ok;

	/* Who has no parent any more is a child of this process. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe2(fds, O_CLOEXEC))
		return false;
	front = fork();
	if (!front)
		front_main(fds[1]);
	close(fds[1]);
	ok = kill_front(front, fds[0], &keeper);
	close(fds[0]);
	if (!ok)
		return false;
	alarm(TEST_TIMEOUT_MS / 1000);
	ok = waitpid(keeper, &status, 0) == keeper;
	alarm(0);
	return ok && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool test_too_long(void)
{
	return refuses(too_long);
}

static bool test_much_too_long(void)
{
	return refuses(much_too_long);
}

static const struct {
	const char *name;
	bool (*run)(void);
} keeper_tests[] = {
	{ "a message is in the channel", test_is_there },
	{ "messages of all lengths leave nothing there", test_exchange },
	{ "a reply longer than it may be", test_too_long },
	{ "a reply longer than any", test_much_too_long },
	{ "a keeper that is killed when there is no request", test_quiet },
	{ "a reply that was not asked for", test_unasked },
	{ "a keeper that does not answer", test_stopped },
	{ "a request that is none is answered", test_vault },
	{ "a request with too long a reply ends the keeper",
	  test_vault_reply_max },
	{ "a request longer than any ends the keeper", test_vault_too_long },
	{ "half a head ends the keeper", test_vault_too_short },
	{ "the keeper has no sockets of others", test_vault_sockets },
	{ "the keeper ends when the other process is killed",
	  test_vault_alone },
};

int main(int argc, char **argv)
{
	size_t i;
	bool ok;

	if (argc != 2) {
		fputs("usage: keeper-test secbuf|malloc\n", stderr);
		return 2;
	}
	test_memory = argv[1];
	signal(SIGPIPE, SIG_IGN);
	ok = test_distortions();
	for (i = 0; i < sizeof(keeper_tests) / sizeof(keeper_tests[0]); i++)
		ok &= result(keeper_tests[i].run(), keeper_tests[i].name);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
