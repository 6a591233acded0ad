// SPDX-License-Identifier: GPL-2.0
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_BACKLOG		1024
#define SERVER_BATCH		64
#define SERVER_RETRY_MS		1000

/* @tag: a client, or the address of one of the server's own members. */
static int server_watch(struct server *server, int op, int fd, uint32_t events,
			void *tag)
{
	struct epoll_event event = { .events = events, .data.ptr = tag };

	return epoll_ctl(server->epoll_fd, op, fd, &event) ? -errno : 0;
}

static int server_listen(struct server *server, const char *address,
			 uint16_t *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(*port),
	};
	socklen_t len = sizeof(addr);
	int one = 1;

	if (inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		return -EINVAL;
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC |
				   SOCK_NONBLOCK, 0);
	if (server->listen_fd < 0)
		return -errno;
	setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one,
		   sizeof(one));
	if (bind(server->listen_fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(server->listen_fd, SERVER_BACKLOG) ||
	    getsockname(server->listen_fd, (struct sockaddr *)&addr, &len))
		return -errno;
	*port = ntohs(addr.sin_port);
	return 0;
}

static int server_wait_for(struct server *server)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->epoll_fd < 0 || server->signal_fd < 0)
		return -errno;
	err = server_watch(server, EPOLL_CTL_ADD, server->signal_fd, EPOLLIN,
			   &server->signal_fd);
	if (err)
		return err;
	return server_watch(server, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN,
			    &server->listen_fd);
}

int server_open(struct server *server, struct memory *mem, const char *address,
		uint16_t *port)
{
	int err;

	*server = (struct server) {
		.mem = mem,
		.listen_fd = -1,
		.epoll_fd = -1,
		.signal_fd = -1,
	};
	err = server_listen(server, address, port);
	if (!err)
		err = server_wait_for(server);
	if (err)
		server_close(server);
	return err;
}

/* Without descriptors the next client cannot even be refused. */
static void server_set_deaf(struct server *server, bool deaf)
{
	if (server->deaf == deaf)
		return;
	server->deaf = deaf;
	server_watch(server, EPOLL_CTL_MOD, server->listen_fd,
		     deaf ? 0 : EPOLLIN, &server->listen_fd);
}

static void server_drop(struct server *server, struct client *client)
{
	if (client->prev)
		client->prev->next = client->next;
	else
		server->clients = client->next;
	if (client->next)
		client->next->prev = client->prev;
	server->nr_clients--;
	server->frames += client->frames;
	client_close(client);
	server_set_deaf(server, false);
}

static void server_adopt(struct server *server, int fd)
{
	struct client *client;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (client_open(&client, fd, server->mem)) {
		server->refused++;
		return;
	}
	client->next = server->clients;
	if (client->next)
		client->next->prev = client;
	server->clients = client;
	server->nr_clients++;
	server->served++;
	client->events = EPOLLIN;
	if (server_watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, client))
		server_drop(server, client);
}

/* As many as there are, but others want to be served, too. */
static void server_accept(struct server *server)
{
	int fd, i;

	for (i = 0; i < SERVER_BATCH; i++) {
		fd = accept4(server->listen_fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && server->nr_clients < server->mem->max_clients) {
			server_adopt(server, fd);
		} else if (fd >= 0) {
			server->refused++;
			close(fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE ||
			   errno == ENOBUFS || errno == ENOMEM) {
			server_set_deaf(server, true);
			return;
		}
	}
}

static void server_serve(struct server *server, struct client *client)
{
	int err = client_serve(client);
	uint32_t events;

	if (!err) {
		events = client_events(client);
		if (events == client->events)
			return;
		client->events = events;
		err = server_watch(server, EPOLL_CTL_MOD, client->fd, events,
				   client);
	}
	if (err)
		server_drop(server, client);
}

static void server_dispatch(struct server *server, void *tag)
{
	if (tag == &server->listen_fd)
		server_accept(server);
	else if (tag == &server->signal_fd)
		server->stopping = true;
	else
		server_serve(server, tag);
}

int server_run(struct server *server)
{
	struct epoll_event events[SERVER_BATCH];
	int i, nr;

	while (!server->stopping) {
		nr = epoll_wait(server->epoll_fd, events, SERVER_BATCH,
				server->deaf ? SERVER_RETRY_MS : -1);
		if (nr < 0 && errno != EINTR)
			return -errno;
		if (!nr)
			server_set_deaf(server, false);
		for (i = 0; i < nr; i++)
			server_dispatch(server, events[i].data.ptr);
	}
	return 0;
}

void server_close(struct server *server)
{
	const int fds[] = { server->listen_fd, server->epoll_fd,
			    server->signal_fd };
	size_t i;

	while (server->clients)
		server_drop(server, server->clients);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
