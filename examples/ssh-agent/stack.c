// SPDX-License-Identifier: GPL-2.0
#include "registers.h"
#include "stack.h"

/* All of it counts as written: nobody sees how deep a function goes. */
int stack_open(struct stack *stack, struct secbuf_source *source)
{
	int err;

	err = secbuf_buffer_open(&stack->memory, source, STACK_SIZE);
	return err ? err : secbuf_buffer_resize(&stack->memory, STACK_SIZE);
}

void stack_close(struct stack *stack)
{
	secbuf_buffer_release(&stack->memory);
}

#ifdef __x86_64__
/*
 * Not swapcontext(), which makes two system calls for signal masks that do not
 * differ and leaves a copy of the registers in ordinary memory.
 */
static void stack_call(void *top, void (*fn)(void *arg), void *arg)
{
	asm volatile("movq %%rsp, %%rbx\n\t"
		     "movq %[top], %%rsp\n\t"
		     "call *%[fn]\n\t"
		     "movq %%rbx, %%rsp\n"
		     : "+D" (arg), [fn] "+a" (fn), [top] "+c" (top)
		     :
		     : "rbx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc",
		       "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
		       "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#else
#error "stack_call() knows x86-64 only: add this architecture's call"
#endif

void stack_run(struct stack *stack, void (*fn)(void *arg), void *arg)
{
	unsigned char *base = stack->memory.cur.data;

	stack_call(base + STACK_SIZE, fn, arg);
	secbuf_memory_zeroize(base, STACK_SIZE);
	registers_overwrite();
}
