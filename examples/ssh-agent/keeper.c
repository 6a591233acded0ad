// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "complain.h"
#include "keeper.h"
#include "registers.h"

#define KEEPER_LOOK_NS		1000000000ULL	/* at the stop_fd */
#define KEEPER_PATIENCE_MS	10000
#define KEEPER_ERRNO_MAX	4095

/* Does not return in the new process. */
static int keeper_fork(struct keeper *keeper, struct channel_ends *ends,
		       keeper_run *run, void *arg)
{
	struct channel channel;
	int err;

	keeper->pid = fork();
	if (keeper->pid < 0)
		return -errno;
	if (keeper->pid)
		return 0;
	err = channel_attach(&channel, ends, CHANNEL_KEEPER);
	if (err) {
		complain("%s", secbuf_strerror(err));
		exit(EXIT_FAILURE);
	}
	err = run(&channel, arg);
	channel_close(&channel);
	exit(err);
}

/*
 * Requests.
 */

static bool keeper_is_stopped(const struct keeper *keeper)
{
	struct pollfd poll_fd = { .fd = keeper->stop_fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

static int keeper_receive(struct keeper *keeper, struct channel_head *head,
			  struct secbuf_buffer *reply)
{
	int err;

	do {
		registers_overwrite();
		err = channel_receive(&keeper->channel, head, reply,
				      KEEPER_LOOK_NS);
	} while (err == -ETIMEDOUT && !keeper_is_stopped(keeper));
	if (err == -ETIMEDOUT)
		err = -ECANCELED;
	/* Without memory only this request fails. */
	if (err == -EMSGSIZE || err == -ECANCELED)
		channel_fail(&keeper->channel, err);
	return err;
}

/* Either an answer of as many bytes as there may be, or an error without. */
static bool keeper_is_reply(const struct channel_head *request,
			    const struct channel_head *reply, size_t len)
{
	if (reply->number != request->number)
		return false;
	if (reply->value)
		return reply->value <= KEEPER_ERRNO_MAX && !len;
	return len && len <= request->value;
}

static int keeper_answer(struct responder *responder,
			 const struct secbuf_cursor *request,
			 struct secbuf_buffer *reply)
{
	struct keeper *keeper = (struct keeper *)responder;
	size_t start = secbuf_cursor_len(&reply->cur);
	struct channel_head asked = {
		.number = ++keeper->number,
		.value = reply->max - start,
	};
	struct channel_head head;
	int err;

	err = channel_send(&keeper->channel, &asked, request);
	if (!err)
		err = keeper_receive(keeper, &head, reply);
	if (err)
		return err;
	if (!keeper_is_reply(&asked, &head,
			     secbuf_cursor_len(&reply->cur) - start))
		return channel_fail(&keeper->channel, -EPROTO);
	return -(int)head.value;
}

int keeper_check(struct keeper *keeper)
{
	SECBUF_BUFFER_AUTO message;
	struct channel_head head;
	int err;

	secbuf_buffer_init(&message, keeper->source);
	err = channel_receive(&keeper->channel, &head, &message, 0);
	if (err == -ETIMEDOUT)
		return 0;
	/* Whatever it says, it was not asked. */
	if (!keeper->channel.err)
		channel_fail(&keeper->channel, -EPROTO);
	return keeper->channel.err;
}

/*
 * Beginning and end.
 */

int keeper_start(struct keeper *keeper, const char *memory, keeper_run *run,
		 void *arg)
{
	struct channel_ends ends;
	int err;

	memset(keeper, 0, sizeof(*keeper));
	keeper->responder.answer = keeper_answer;
	keeper->stop_fd = -1;
	err = channel_create(&ends, memory);
	if (err)
		return err;
	err = keeper_fork(keeper, &ends, run, arg);
	if (err) {
		channel_drop(&ends);
		return err;
	}
	err = channel_attach(&keeper->channel, &ends, CHANNEL_FRONT);
	if (err) {
		kill(keeper->pid, SIGKILL);
		waitpid(keeper->pid, NULL, 0);
	}
	return err;
}

int keeper_await(struct keeper *keeper, struct secbuf_source *source)
{
	SECBUF_BUFFER_AUTO message;
	struct channel_head head;
	int err;

	keeper->source = source;
	secbuf_buffer_init(&message, source);
	err = channel_receive(&keeper->channel, &head, &message,
			      CHANNEL_FOREVER);
	if (!err && (head.number || head.value ||
		     secbuf_cursor_len(&message.cur)))
		err = -EPROTO;
	return err ? channel_fail(&keeper->channel, err) : 0;
}

/* Who is stopped does not notice that he should end. */
static int keeper_reap(const struct keeper *keeper)
{
	struct pollfd poll_fd = { .events = POLLIN };
	int status = -1;

	poll_fd.fd = pidfd_open(keeper->pid, 0);
	if (poll_fd.fd < 0 || poll(&poll_fd, 1, KEEPER_PATIENCE_MS) <= 0)
		kill(keeper->pid, SIGKILL);
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	waitpid(keeper->pid, &status, 0);
	return status;
}

/* Who failed in a way of its own has said so. */
static void keeper_explain(int err, int status)
{
	if (err == -ECANCELED)
		complain("the process that has the keys did not answer");
	else if (err == -EPROTO || err == -EMSGSIZE)
		complain("the process that has the keys said what it must not");
	else if (err && err != -EPIPE)
		complain("the process that has the keys: %s", strerror(-err));
	else if (WIFSIGNALED(status))
		complain("the process that has the keys was killed by signal %d; the keys are gone with it",
			 WTERMSIG(status));
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FAILURE)
		complain("the process that has the keys has ended");
}

int keeper_stop(struct keeper *keeper)
{
	int err = keeper->channel.err;
	int status;

	channel_close(&keeper->channel);
	/* It is not what it should be, and need not end when it should. */
	if (err && err != -EPIPE)
		kill(keeper->pid, SIGKILL);
	status = keeper_reap(keeper);
	if (!err && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	keeper_explain(err, status);
	return -ECHILD;
}
