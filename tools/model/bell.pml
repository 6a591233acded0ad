/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads of one side sleep at once, for different amounts, and may rely on the
 * barrier that another of them has caused. kmod/ring_bell.c.
 *
 * Verified: both end, in every interleaving. Broken variants:
 * SEEN_EARLY	it is taken as passed as soon as it was asked for
 * SEEN_ANY	a barrier counts for what was stored after it was asked for
 * RAISE_GOAL	who waits for more overwrites what another waits for
 */
#define MSGS	2
#define WAITERS	3

byte head, need_wake, wake_pos;	/* shared memory; the producer's lags behind */
byte buffered;			/* the head that the producer has stored */
byte armed, seen_armed, goal;	/* struct secbuf_ring_bell, under its lock */
bool woken[WAITERS], queued[WAITERS];

active proctype producer_cpu() {
end:	do
	:: atomic { head < buffered -> head++ }
	od
}

active proctype producer() {
	byte pos, i;
	bool reached;

	do
	:: pos == MSGS -> break
	:: else ->
		pos++;
		buffered = pos;
		if
		:: need_wake == 1 ->
			if
			:: pos >= wake_pos ->
				head = buffered;	/* smp_mb() */
				atomic {
					reached = need_wake == 1 && pos >= goal;
					if
					:: reached -> need_wake = 0
					:: else
					fi
				}
				if
				:: reached ->
					d_step {
						i = 0;
						do
						:: i == WAITERS -> break
						:: else ->
							if
							:: queued[i] -> woken[i] = true
							:: else
							fi;
							i++
						od;
						i = 0
					}
				:: else
				fi;
				reached = false
			:: else
			fi
		:: else
		fi
	od
}

/* secbuf_ring_bell_arm() */
inline arm() {
	atomic {
		mine = 0;
		want = min;
		if
		:: need_wake == 1 && want >= goal && seen_armed == armed ->
			want = 0
#ifndef RAISE_GOAL
		:: need_wake == 1 && want >= goal && seen_armed != armed ->
			want = goal
#endif
		:: else
		fi;
		if
		:: want != 0 ->
			armed++;
			mine = armed;
			goal = want;
			wake_pos = want;
			need_wake = 1
#ifdef SEEN_EARLY
			;
			seen_armed = armed
#endif
		:: else
		fi;
		want = 0
	}
}

proctype waiter(byte me; byte min) {
	byte mine, want;

	queued[me] = true;
	do
	:: head >= min -> break
	:: else ->
		arm();
		if
		:: mine != 0 ->
			head = buffered;	/* the producer's barrier */
			atomic {
#ifdef SEEN_ANY
				seen_armed = armed;
#else
				if
				:: armed == mine -> seen_armed = mine
				:: else
				fi;
#endif
				mine = 0
			}
		:: else
		fi;
		if
		:: head >= min -> break
		:: else
		fi;
		if
		:: woken[me] -> woken[me] = false
		/* What it waits for need not come, but it holds nobody up. */
		:: min > MSGS && timeout -> break
		fi
	od;
	queued[me] = false
}

init {
	byte first, second;

	select(first : 1..3);	/* to MSGS + 1 */
	select(second : 1..2);	/* to MSGS */
	atomic {
		run waiter(0, first);
		run waiter(1, second);
		run waiter(2, MSGS)
	}
}
