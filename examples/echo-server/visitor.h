/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One client of the load generator, which knows what has to come back.
 */
#ifndef ECHO_VISITOR_H
#define ECHO_VISITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VISITOR_HEADER_SIZE	4
#define VISITOR_CHUNK		16384

/**
 * struct stream - strings one after the other, of which each byte is known
 * @seed: of all strings
 * @max: longest string
 * @size: of each string; 0 if it is random
 * @nr: strings that were begun
 * @len: bytes of this one and its header
 * @at: bytes of it that are over
 */
struct stream {
	uint32_t seed;
	uint32_t max;
	uint32_t size;
	uint32_t nr;
	uint32_t len;
	uint32_t at;
};

/**
 * struct visitor - a connection
 * @fd: -1 if there is none
 * @port: of the server, on 127.0.0.1
 * @out: what it sends
 * @in: what it gets
 * @sent: bytes sent
 * @got: bytes that came back
 */
struct visitor {
	int fd;
	uint16_t port;
	struct stream out;
	struct stream in;
	uint64_t sent;
	uint64_t got;
};

uint32_t random_next(uint32_t *state);

/* 0 or -errno. */
int visitor_connect(struct visitor *visitor, uint16_t port, uint32_t seed,
		    uint32_t max, uint32_t size);
void visitor_close(struct visitor *visitor);

/* The server shall not hear of it but by a reset. */
void visitor_kill(struct visitor *visitor);

/* At most @max bytes of the stream without waiting: bytes or -errno. */
int visitor_send(struct visitor *visitor, size_t max);

/* Bytes until the string that was begun is at its end, or the next one is. */
size_t visitor_rest(struct visitor *visitor);

/*
 * What there is, without waiting: bytes, 0 if the server has hung up, or -errno.
 * -EBADMSG: it is not what was sent.
 */
int visitor_receive(struct visitor *visitor);

/* What no server must accept. */
int visitor_send_too_long(struct visitor *visitor);

/* The events of poll() without which not all comes back; 0: it has. */
short visitor_wants(const struct visitor *visitor);

/* There are these: ends the string that was begun, reads. 0 or -errno. */
int visitor_go_on(struct visitor *visitor, short events);

/* All is to come back within @ms milliseconds. 0 or -errno. */
int visitor_finish(struct visitor *visitor, int ms);

#endif /* ECHO_VISITOR_H */
