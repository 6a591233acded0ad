// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "process.h"
#include "registers.h"
#include "server.h"

#define SERVER_BATCH		16
#define SERVER_RETRY_MS		1000

/* @tag: a client, or the address of one of the server's own members */
static int server_watch(struct server *server, int op, int fd, uint32_t events,
			void *tag)
{
	struct epoll_event event = { .events = events, .data.ptr = tag };

	return epoll_ctl(server->epoll_fd, op, fd, &event) ? -errno : 0;
}

static int server_watch_all(struct server *server)
{
	int err;

	err = server_watch(server, EPOLL_CTL_ADD, server->listener->fd, EPOLLIN,
			   &server->listener);
	if (!err)
		err = server_watch(server, EPOLL_CTL_ADD, server->signal_fd,
				   EPOLLIN, &server->signal_fd);
	/* EPOLLHUP. Replies are waited for elsewhere, and need not wake this. */
	if (!err)
		err = server_watch(server, EPOLL_CTL_ADD,
				   channel_fd(&server->keeper->channel), 0,
				   &server->keeper);
	if (!err && server->parent_fd >= 0)
		err = server_watch(server, EPOLL_CTL_ADD, server->parent_fd,
				   EPOLLIN, &server->parent_fd);
	return err;
}

int server_open(struct server *server, struct keeper *keeper,
		const struct memory *mem, const struct listener *listener,
		int parent_fd)
{
	sigset_t set;
	int err;

	memset(server, 0, sizeof(*server));
	server->keeper = keeper;
	server->listener = listener;
	server->parent_fd = parent_fd;
	process_signals(&set);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	keeper->stop_fd = server->signal_fd;
	if (server->epoll_fd < 0 || server->signal_fd < 0)
		err = -errno;
	else
		err = server_watch_all(server);
	if (!err)
		err = client_quota_open(&server->quota, mem);
	if (err)
		server_close(server);
	return err;
}

/*
 * Without descriptors the next client cannot even be refused. Listening goes
 * on when one is free, or might be.
 */
static void server_set_full(struct server *server, bool full)
{
	if (server->full == full)
		return;
	server->full = full;
	server_watch(server, EPOLL_CTL_MOD, server->listener->fd,
		     full ? 0 : EPOLLIN, &server->listener);
}

static void server_drop(struct server *server, struct client *client)
{
	if (client->prev)
		client->prev->next = client->next;
	else
		server->clients = client->next;
	if (client->next)
		client->next->prev = client->prev;
	client_close(client);
	server_set_full(server, false);
}

static void server_adopt(struct server *server, struct client *client)
{
	client->next = server->clients;
	if (client->next)
		client->next->prev = client;
	server->clients = client;
	client->events = EPOLLIN;
	if (server_watch(server, EPOLL_CTL_ADD, client->fd, client->events,
			 client))
		server_drop(server, client);
}

static void server_accept(struct server *server)
{
	struct client *client;
	int fd;

	fd = listener_accept(server->listener);
	if (fd == -EAGAIN)
		return;
	if (fd < 0)
		server_set_full(server, true);
	else if (!client_open(&client, fd, &server->quota))
		server_adopt(server, client);
}

static void server_serve(struct server *server, struct client *client)
{
	int err = client_serve(client, &server->keeper->responder);
	uint32_t events = client_events(client);

	if (!err && events != client->events) {
		client->events = events;
		err = server_watch(server, EPOLL_CTL_MOD, client->fd, events,
				   client);
	}
	if (err)
		server_drop(server, client);
}

static void server_dispatch(struct server *server, void *tag)
{
	if (tag == &server->listener)
		server_accept(server);
	else if (tag == &server->signal_fd || tag == &server->parent_fd)
		server->stopping = true;
	else if (tag == &server->keeper)
		keeper_check(server->keeper);
	else
		server_serve(server, tag);
}

int server_run(struct server *server)
{
	struct epoll_event events[SERVER_BATCH];
	int i, nr;

	while (!server->stopping && !server->keeper->channel.err) {
		registers_overwrite();
		nr = epoll_wait(server->epoll_fd, events, SERVER_BATCH,
				server->full ? SERVER_RETRY_MS : -1);
		if (nr < 0 && errno != EINTR)
			return -errno;
		if (!nr)
			server_set_full(server, false);
		for (i = 0; i < nr; i++)
			server_dispatch(server, events[i].data.ptr);
	}
	return server->keeper->channel.err;
}

void server_close(struct server *server)
{
	while (server->clients)
		server_drop(server, server->clients);
	client_quota_close(&server->quota);
	server->keeper->stop_fd = -1;
	if (server->signal_fd >= 0)
		close(server->signal_fd);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
}
