# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# The cases of secrecy_test.sh, MEMORY-END, see plant.c. Each has a secret of
# its own, and so has its positive control, control-MEMORY-END: made by
# needles.sh. Sourced.
#
# MEMORY: pool	a slot of a mapped pool
#	kpool	buffers of a pool that the kernel holds
#	ring	a ring, published and not
#	conn	a buffer that a conn lends
#	packet	a packet in a conn's queue, copied in
#	moved	the same, a slot moved in
#	stream	a ring that belongs to a conn

# The process ends. thread: by the exit of its threads, one by one; who made the
# memory has gone before. oom: in a memory cgroup that is full.
secrecy_cases="
	pool-exit kpool-exit ring-exit conn-exit packet-exit moved-exit
	stream-exit
	pool-_exit kpool-_exit ring-_exit conn-_exit packet-_exit moved-_exit
	stream-_exit
	pool-abort kpool-abort ring-abort conn-abort packet-abort moved-abort
	stream-abort
	pool-sigsegv kpool-sigsegv ring-sigsegv conn-sigsegv packet-sigsegv
	moved-sigsegv stream-sigsegv
	pool-kill kpool-kill ring-kill conn-kill packet-kill moved-kill
	stream-kill
	pool-oom kpool-oom ring-oom conn-oom packet-oom moved-oom stream-oom
	pool-exec kpool-exec ring-exec conn-exec packet-exec moved-exec
	stream-exec
	pool-thread kpool-thread ring-thread conn-thread packet-thread
	moved-thread stream-thread
"

# The process is killed, and others hold what it had: a child, or a stranger who
# got the descriptors by SCM_RIGHTS.
secrecy_cases="$secrecy_cases
	pool-fork kpool-fork ring-fork conn-fork packet-fork moved-fork
	stream-fork
	pool-passed kpool-passed ring-passed conn-passed packet-passed
	moved-passed stream-passed
"

# It is killed when it has unmapped the memory and kept the descriptors
# (munmap), or has closed the descriptors and kept the mapping. Not kpool and
# stream, which are not mapped.
secrecy_cases="$secrecy_cases
	pool-munmap ring-munmap conn-munmap packet-munmap moved-munmap
	pool-mapping ring-mapping conn-mapping packet-mapping moved-mapping
"

# The process lives on and keeps its descriptors. release: POOL_FREE,
# CONN_ZEROIZE; not ring, of which consume is that. reset: POOL_FREE of all,
# RING_RESET, CONN_RESET.
secrecy_cases="$secrecy_cases
	pool-release kpool-release conn-release packet-release moved-release
	stream-release
	pool-reset kpool-reset ring-reset conn-reset packet-reset moved-reset
	stream-reset
"

# It closes the descriptor, of a conn that alone.
secrecy_cases="$secrecy_cases
	pool-close kpool-close ring-close conn-close packet-close moved-close
	stream-close
"

# A larger one takes its place. Not ring, conn, packet, moved and stream, which
# have one size for life.
secrecy_cases="$secrecy_cases
	pool-grow kpool-grow
"

# Its memory is given back. Not packet and moved: what is queued is never taken.
secrecy_cases="$secrecy_cases
	pool-shrink kpool-shrink ring-shrink conn-shrink stream-shrink
"

# It is taken out, and of a ring by read(), record by record, or when it has
# been produced by write(). Not pool, kpool and conn, which are no queues.
secrecy_cases="$secrecy_cases
	ring-consume packet-consume moved-consume stream-consume
	ring-record ring-read
"

# It is taken away from who still has it mapped or holds descriptors: pool: its
# owner dies, another member lives on; ring: RING_RESET after others have
# claimed the ends; conn and what it owns: CONN_ZEROIZE with the descriptors in
# a child. Not kpool: nobody else can have its buffers.
secrecy_cases="$secrecy_cases
	pool-revoke ring-revoke conn-revoke packet-revoke moved-revoke
	stream-revoke
"

# Let go on a CPU that goes offline then.
secrecy_cases="$secrecy_cases
	pool-offline kpool-offline ring-offline conn-offline packet-offline
	moved-offline stream-offline
"

# Memory is short and what is idle is taken. Not packet and moved, as above; not
# stream, whose ring is taken as any ring is. idle: it was not used for a while;
# as above, and not pool and kpool, which keep what is idle for that.
secrecy_cases="$secrecy_cases
	pool-pressure kpool-pressure ring-pressure conn-pressure
	ring-idle conn-idle
"

# An end of a ring is gone. producer, consumer, both: they are killed. hangup:
# the consumer's is closed; unsent: the producer's, and what was not published;
# scratch: the producer's, and what was written after the consumer had gone.
secrecy_cases="$secrecy_cases
	ring-producer ring-consumer ring-both ring-hangup ring-unsent ring-scratch
"

# The same program taking the same steps with ordinary memory; only that
# differs. What must be found afterwards.
secrecy_controls=
for name in $secrecy_cases; do
	secrecy_controls="$secrecy_controls control-$name"
done

# secrecy_peer CASE: the memory of its control
secrecy_peer()
{
	case $1 in
	ring-pressure|ring-idle) echo malloc ;;
	ring-*|pool-revoke)		echo memfd ;;
	packet-*|stream-*)		echo socket ;;
	*-passed)			echo memfd ;;	# malloc has no descriptor
	*)				echo malloc ;;
	esac
}

# The secrets of crowd_test.sh, see crowd.c, and its positive control.
crowd_cases="
	crowd-0 crowd-1 crowd-2 crowd-3 crowd-4 crowd-5 crowd-6 crowd-7
"
crowd_control="crowd-malloc"

# Those of policy_test.sh.
policy_cases="
	hibernate-pool hibernate-kpool hibernate-conn hibernate-ring
	hibernate-malloc hibernate-stale restore-early restore-late
	restore-after stale stale-conns
"

# Those of reboot.sh.
reboot_cases="reboot-pool reboot-kpool reboot-conn reboot-ring reboot-malloc"
