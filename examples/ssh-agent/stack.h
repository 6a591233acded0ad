/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stack in secret memory. What a function spills there while it handles a
 * key is as well kept as the key.
 */
#ifndef AGENT_STACK_H
#define AGENT_STACK_H

#include "memory.h"

struct stack {
	struct memory *mem;
	void *base;
};

int stack_open(struct stack *stack, struct memory *mem);
void stack_close(struct stack *stack);

/* Call fn(arg) on the stack; then zeroize the stack and vector registers. */
void stack_run(struct stack *stack, void (*fn)(void *arg), void *arg);

#endif /* AGENT_STACK_H */
