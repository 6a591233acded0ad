// SPDX-License-Identifier: GPL-2.0
#include "registers.h"
#include "stack.h"

int stack_open(struct stack *stack, struct memory *mem)
{
	void *base;
	int err;

	err = memory_alloc_guarded(mem, STACK_SIZE, &base);
	stack->mem = mem;
	stack->base = err ? NULL : base;
	return err;
}

/* All of it counts as written: nobody sees how deep a function goes. */
void stack_close(struct stack *stack)
{
	if (stack->base)
		memory_free_guarded(stack->mem, stack->base, STACK_SIZE);
	stack->base = NULL;
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
	stack_call(stack->base + STACK_SIZE, fn, arg);
	secbuf_memory_zeroize(stack->base, STACK_SIZE);
	registers_overwrite();
}
