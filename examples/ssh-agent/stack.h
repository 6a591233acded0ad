/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stack in secret memory. What a function spills there while it handles a
 * key is as well kept as the key, and what is deeper than the stack ends the
 * process.
 */
#ifndef AGENT_STACK_H
#define AGENT_STACK_H

#include "memory.h"

#define STACK_SIZE	65536

struct stack {
	struct memory *mem;
	unsigned char *base;	/* below it nothing can be touched */
};

/* 0 or -errno for secbuf_strerror() */
int stack_open(struct stack *stack, struct memory *mem);
void stack_close(struct stack *stack);

/* Call fn(arg) on the stack; then zeroize the stack and vector registers. */
void stack_run(struct stack *stack, void (*fn)(void *arg), void *arg);

#endif /* AGENT_STACK_H */
