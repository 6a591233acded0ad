// SPDX-License-Identifier: GPL-2.0
/*
 * stack-test: does a function that leaves a secret on its stack and in vector
 * registers leave it in ordinary memory? Not if stack_run() calls it. And does
 * one that goes too deep run into other memory? Prints lines as agent-probe does.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "stack.h"

#define SECRET_SIZE		32
#define SECRET_MASK		0xc3
#define FRAME_SIZE		16384
#define MAPPING_MAX		(64UL << 20)	/* not a sanitizer's shadow */
#define REGISTERS_SIZE		(16 * 16)

/* The secret is this xor the mask, and as such only where it is left. */
static const uint8_t masked[SECRET_SIZE] = {
	0x8a, 0x1d, 0x47, 0xf0, 0x35, 0x6b, 0x92, 0xce,
	0x59, 0xe4, 0x03, 0x7f, 0xa8, 0x20, 0xbd, 0x16,
	0xd1, 0x4c, 0x66, 0x9b, 0xe7, 0x38, 0x0e, 0xf5,
	0x71, 0xac, 0x2f, 0x84, 0x5d, 0xc9, 0x12, 0xb3,
};

/* Deep enough for what is called afterwards not to overwrite it. */
static void __attribute__((noinline)) leave_secret(void *arg)
{
	volatile uint8_t frame[FRAME_SIZE];
	size_t i;

	(void)arg;
	for (i = 0; i < SECRET_SIZE; i++)
		frame[i] = masked[i] ^ SECRET_MASK;
	asm volatile("movdqu (%0), %%xmm6\n\t"
		     "movdqu 16(%0), %%xmm13"
		     : : "r" (frame) : "xmm6", "xmm13", "memory");
}

static const char *test_memory;

static bool __attribute__((no_sanitize("address"))) is_secret(const uint8_t *p)
{
	size_t i;

	for (i = 0; i < SECRET_SIZE / 2; i++) {
		if ((p[i] ^ SECRET_MASK) != masked[i])
			break;
	}
	return i == SECRET_SIZE / 2;
}

static unsigned long count_in(const uint8_t *start, const uint8_t *end)
{
	unsigned long nr = 0;

	for (; start + SECRET_SIZE <= end; start++)
		nr += is_secret(start);
	return nr;
}

/* In all memory that can be written, but for that of secbuf. */
static long count_in_memory(void)
{
	unsigned long start, end;
	char line[512], mode[8];
	long nr = 0;
	FILE *maps;

	maps = fopen("/proc/self/maps", "r");
	if (!maps)
		return -1;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3 ||
		    strcmp(mode, "rw-p") || end - start > MAPPING_MAX)
			continue;
		nr += count_in((uint8_t *)start, (uint8_t *)end);
	}
	fclose(maps);
	return nr;
}

static bool is_in_registers(const uint8_t *saved)
{
	size_t reg, i;

	for (reg = 0; reg < REGISTERS_SIZE; reg += 16) {
		for (i = 0; i < 8; i++) {
			if ((saved[reg + i] ^ SECRET_MASK) != masked[i])
				break;
		}
		if (i == 8)
			return true;
	}
	return false;
}

static inline void __attribute__((always_inline))
save_registers(uint8_t *saved)
{
	asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "movdqu %%xmm\\n, 16*\\n(%0)\n"
		     ".endr\n"
		     : : "r" (saved) : "memory");
}

static bool result(bool ok, const char *name)
{
	printf("%s %s\n", ok ? "ok" : "not ok", name);
	return ok;
}

/* A search that finds nothing must be one that could. */
static bool test_ordinary_stack(void)
{
	uint8_t saved[REGISTERS_SIZE] = { };
	bool in_registers;
	long nr;

	leave_secret(NULL);
	save_registers(saved);
	nr = count_in_memory();
	in_registers = is_in_registers(saved);
	secbuf_memory_zeroize(saved, sizeof(saved));
	return result(nr > 0 && in_registers,
		      "the ordinary stack and registers keep a secret");
}

/* What the test before left is overwritten first. */
static void __attribute__((noinline)) clear_ordinary_stack(void)
{
	volatile uint8_t frame[2 * FRAME_SIZE];

	secbuf_memory_zeroize((void *)frame, sizeof(frame));
}

static bool test_secret_stack(struct stack *stack)
{
	const uint8_t *base = stack->base;
	uint8_t saved[REGISTERS_SIZE] = { };
	long nr;
	bool ok;

	clear_ordinary_stack();
	stack_run(stack, leave_secret, NULL);
	save_registers(saved);
	nr = count_in_memory();
	ok = result(!nr, "the secret stack leaves none in ordinary memory");
	ok &= result(!is_in_registers(saved),
		     "the secret stack leaves none in registers");
	return result(!count_in(base, base + STACK_SIZE),
		      "the secret stack keeps none itself") && ok;
}

#define DEEPER_FRAME		256
#define DEEPER_BY		2048	/* than there is room for */

/* One byte in each frame: no page is left out. */
static void __attribute__((noinline)) go_deep(const uint8_t *until)
{
	volatile uint8_t frame[DEEPER_FRAME] = { };

	if (&frame[0] > until)
		go_deep(until);
	frame[DEEPER_FRAME - 1] = frame[0];
}

static void go_too_deep(void *arg)
{
	go_deep((const uint8_t *)arg - DEEPER_BY);
}

static void go_nearly_too_deep(void *arg)
{
	go_deep((const uint8_t *)arg + DEEPER_BY);
}

/* The signal that ends a process which does that; 0: none. */
static int signal_of(struct memory *mem, void (*fn)(void *arg))
{
	const struct rlimit no_core = { 0, 0 };
	struct stack stack;
	int status = -1;
	pid_t pid;

	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		if (memory_open(mem, test_memory) || stack_open(&stack, mem))
			_exit(EXIT_FAILURE);
		stack_run(&stack, fn, stack.base);
		_exit(EXIT_SUCCESS);
	}
	if (waitpid(pid, &status, 0) != pid || status == -1)
		return -1;
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) ? -1 : 0;
}

static bool test_overflow(void)
{
	struct memory mem;
	int sig;
	bool ok;

	ok = result(!signal_of(&mem, go_nearly_too_deep),
		    "the secret stack is as deep as it should be");
	sig = signal_of(&mem, go_too_deep);
	return result(sig == SIGSEGV || sig == SIGBUS,
		      "what is deeper than the secret stack faults") && ok;
}

int main(int argc, char **argv)
{
	struct memory mem;
	struct stack stack;
	bool ok;
	int err;

	if (argc != 2) {
		fputs("usage: stack-test secbuf|malloc\n", stderr);
		return 2;
	}
	test_memory = argv[1];
	ok = test_overflow();
	err = memory_open(&mem, test_memory);
	if (!err)
		err = stack_open(&stack, &mem);
	if (err) {
		fprintf(stderr, "stack-test: %s\n", secbuf_strerror(err));
		return EXIT_FAILURE;
	}
	ok &= test_ordinary_stack();
	ok &= test_secret_stack(&stack);
	stack_close(&stack);
	memory_close(&mem);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
