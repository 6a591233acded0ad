/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring between two processes and the kernel: positions, sleeping and waking,
 * parking. kmod/ring*.c and the UAPI header say the same in C and in words.
 *
 * Each side has a store buffer: what it stores becomes visible later, in order,
 * and its loads do not wait for that. A full barrier empties the buffer of who
 * executes it; the kernel can make the other side pass one.
 *
 * Verified over all interleavings:
 * - nobody sleeps for ever: the end is reached in every case
 * - the consumer finds what was produced, in order
 * - what is written into had been zeroized before
 * - memory is never taken from what is being written
 *
 * Each broken variant leaves one thing out, and must be found:
 * NO_RECHECK		sleeping without looking again after need_wake was set
 * NO_FENCE		the other side passes no barrier before that look
 * CLEAR_LATE		need_wake is cleared after the sleeper was woken
 * EARLY_HEAD		the head can be seen before the bytes
 * EARLY_TAIL		the tail can be seen before the zeros
 * TAKE_BUSY		memory is taken whether the ring is parked or not
 * TAKE_NO_RECHECK	that the ring is empty is looked at only before GONE
 * UNPARK_ALONE		GONE is changed to BUSY without asking the kernel
 * PARK_TWICE		PARKED is stored by a producer that is parked already
 */
#define N	2	/* slots */
#ifndef MSGS
#define MSGS	3	/* messages */
#endif
#ifndef TAKES
#define TAKES	2	/* attempts to take the memory */
#endif

/* Shared memory. */
#define HEAD	0
#define TAIL	1
#define STATE	2
#define CONS_WAKE	3
#define CONS_POS	4
#define PROD_WAKE	5
#define PROD_POS	6
#define DATA	7	/* and the next: 0, or message number + 1 */

#define PARKED	0
#define BUSY	1
#define GONE	2

byte mem[9];
bool present;		/* the data has memory, and is mapped */
bool writer;		/* map_lock is held for write */

/* Store buffers. */
chan prod_buf = [6] of { byte, byte };
chan cons_buf = [6] of { byte, byte };
byte state_pending;	/* stores of PARKED in prod_buf */

/* Wait queues. */
bool cons_queued, cons_woken;
bool prod_queued, prod_woken;

inline commit(a, v) {
	if
	:: a >= DATA && v != 0 ->
		assert(mem[a] == 0)
	:: else
	fi;
	if
	:: a == STATE -> state_pending--
	:: else
	fi;
	mem[a] = v
}

/* A full barrier of the side whose buffer it is. */
inline barrier(buf) {
	d_step {
		do
		:: buf?a,v -> commit(a, v)
		:: empty(buf) -> break
		od;
		a = 0;
		v = 0
	}
}

/* The hardware, in its own time. */
active proctype prod_cpu() {
	byte a, v;

end:	do
	:: atomic { prod_buf?a,v -> commit(a, v); a = 0; v = 0 }
	od
}

active proctype cons_cpu() {
	byte a, v;

end:	do
	:: atomic { cons_buf?a,v -> commit(a, v); a = 0; v = 0 }
	od
}

/* secbuf_ring_bell_ring(), after the caller's position was stored */
inline ring_bell(buf, wake, wake_pos, pos, queued, woken) {
	barrier(buf);
#ifdef CLEAR_LATE
	if
	:: mem[wake] == 1 && pos >= mem[wake_pos] ->
		if
		:: queued -> woken = true
		:: else
		fi;
		mem[wake] = 0
	:: else
	fi
#else
	atomic {		/* under the lock of the bell */
		if
		:: mem[wake] == 1 && pos >= mem[wake_pos] ->
			mem[wake] = 0;
			reached = true
		:: else -> reached = false
		fi
	}
	if
	:: reached && queued -> woken = true
	:: else
	fi;
	reached = false
#endif
}

/* secbuf_ring_await(), with @ready an expression of the position seen */
inline await(mine, other, pos, is_ready, wake, wake_pos, goal, queued, woken) {
	queued = true;
	do
	:: seen = mem[pos];
	   if
	   :: is_ready -> break
	   :: else
	   fi;
	   mine!wake_pos,goal;
	   mine!wake,1;
	   barrier(mine);
#ifndef NO_FENCE
	   barrier(other);
#endif
#ifndef NO_RECHECK
	   seen = mem[pos];
	   if
	   :: is_ready -> break
	   :: else
	   fi;
#endif
	   woken;
	   woken = false
	od;
	queued = false;
	woken = false
}

/* A page fault, which waits for map_lock. */
inline touch() {
	atomic { present || !writer -> present = true }
}

/* The producer parks, or does not. */
inline park() {
	if
#ifndef PARK_TWICE
	:: busy ->
#else
	::
#endif
		state_pending++;
		prod_buf!STATE,PARKED;
		busy = false
	:: skip
	fi
}

active proctype producer() {
	byte head, seen, a, v;
	bool reached, busy;

	do
	:: head == MSGS -> break
	:: else ->
		seen = mem[TAIL];
		if
		:: head - seen < N
		:: else ->
			park();
			await(prod_buf, cons_buf, TAIL, head - seen < N,
			      PROD_WAKE, PROD_POS, head + 1 - N, prod_queued,
			      prod_woken)
		fi;

		/* Unpark. */
		if
		:: state_pending == 0 && mem[STATE] == BUSY
		:: else ->
			barrier(prod_buf);
			if
			:: atomic {		/* compare and exchange */
				mem[STATE] == PARKED -> mem[STATE] = BUSY
			   }
			:: mem[STATE] != PARKED ->
#ifdef UNPARK_ALONE
				mem[STATE] = BUSY
#else
				atomic { !writer -> mem[STATE] = BUSY }
#endif
			fi
		fi;
		busy = true;

		touch();
#ifdef EARLY_HEAD
		prod_buf!HEAD,(head + 1);
		prod_buf!(DATA + head % N),(head + 1);
#else
		prod_buf!(DATA + head % N),(head + 1);
		prod_buf!HEAD,(head + 1);
#endif
		head++;
		if
		:: mem[CONS_WAKE] == 1 ->
			if
			:: head >= mem[CONS_POS] ->
				ring_bell(prod_buf, CONS_WAKE, CONS_POS, head,
					  cons_queued, cons_woken)
			:: else
			fi
		:: else
		fi;
		park()
	od
}

active proctype consumer() {
	byte tail, seen, min, a, v;
	bool reached;

	do
	:: tail == MSGS -> break
	:: else ->
		if
		:: min = 1
		:: tail + 2 <= MSGS -> min = 2
		fi;
		seen = mem[HEAD];
		if
		:: seen - tail >= min
		:: else ->
			await(cons_buf, prod_buf, HEAD, seen - tail >= min,
			      CONS_WAKE, CONS_POS, tail + min, cons_queued,
			      cons_woken)
		fi;
		assert(mem[HEAD] - tail <= N);

		assert(mem[DATA + tail % N] == tail + 1);
#ifdef EARLY_TAIL
		cons_buf!TAIL,(tail + 1);
		cons_buf!(DATA + tail % N),0;
#else
		cons_buf!(DATA + tail % N),0;
		cons_buf!TAIL,(tail + 1);
#endif
		tail++;
		if
		:: mem[PROD_WAKE] == 1 ->
			if
			:: tail >= mem[PROD_POS] ->
				ring_bell(cons_buf, PROD_WAKE, PROD_POS, tail,
					  prod_queued, prod_woken)
			:: else
			fi
		:: else
		fi
	od
}

/* try_take() and take_locked() of ring_park.c */
active proctype taker() {
	byte takes, was, seen, a, v;

	do
	:: break
	:: takes < TAKES ->
		takes++;
		writer = true;
#ifdef TAKE_BUSY
		seen = mem[HEAD];
		if
		:: seen == mem[TAIL]
		:: else -> goto unlock
		fi;
		was = PARKED;
#else
		seen = mem[HEAD];
		if
		:: seen == mem[TAIL] && mem[STATE] != BUSY
		:: else -> goto unlock
		fi;
		atomic {			/* compare and exchange */
			was = mem[STATE];
			if
			:: was == PARKED -> mem[STATE] = GONE
			:: else
			fi
		}
		if
		:: was == BUSY -> goto unlock
		:: else
		fi;
#endif
#ifndef TAKE_NO_RECHECK
		seen = mem[HEAD];
		if
		:: seen == mem[TAIL]
		:: else ->
			atomic {
				if
				:: was == PARKED && mem[STATE] == GONE ->
					mem[STATE] = PARKED
				:: else
				fi
			}
			goto unlock
		fi;
#endif
		/* Unmapping flushes: every CPU passes a barrier. */
		present = false;
		barrier(prod_buf);
		barrier(cons_buf);
		d_step {
			mem[DATA] = 0;
			mem[DATA + 1] = 0
		}
unlock:		writer = false;
		was = 0;
		seen = 0
	od
}
