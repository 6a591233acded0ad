#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What shows of pools: their lines in debugfs, tracepoints, and that parked
# buffers go under pressure. One pool is the sample module's; secbuf is
# loaded, debugfs and tracefs are mounted.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/wait.sh
. "$here/wait.sh"

sample=$here/secbuf_sample.ko
secret=/sys/kernel/debug/secbuf_sample
pools=/sys/kernel/debug/secbuf/pools
tracing=/sys/kernel/tracing

nr_pools()
{
	sed 1d $pools | wc -l
}

# column NAME: that column of the only pool
column()
{
	awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i }
		NR == 2 { print $c }' $pools
}

# traced EVENT: how often, if at all
traced()
{
	grep -c " secbuf_$1: " $tracing/trace
}

is_traced()
{
	grep -q " secbuf_$1: " $tracing/trace
}

echo "TAP version 13"
if [ ! -e "$sample" ] || [ ! -e $pools ]; then
	tap_skip "observation" "no sample module or no debugfs"
	tap_end
	exit
fi

events=$tracing/events/secbuf/enable
if [ -e $events ]; then
	echo 8192 >$tracing/buffer_size_kb
	echo >$tracing/trace
	echo 1 >$events
fi
tap_is 0 "$(nr_pools)" "no pool, no line"
insmod "$sample"
tap_is 1 "$(nr_pools)" "the pool has a line"
for i in 1 2 3; do
	echo "a secret $i" >$secret
done
tap_is "$(column acquired)" "$(($(column returned) + $(column in_use)))" \
	"acquired is returned and in use"
tap_is 1 "$(($(column acquired) >= 1))" "what was acquired is counted"
tap_is 1 "$(($(column peak) >= $(column in_use)))" "the peak is a peak"

echo 2 >/proc/sys/vm/drop_caches
tap_is 1 "$(($(column alloc) >= $(column min)))" "pressure leaves the minimum"
rmmod secbuf_sample
tap_is 0 "$(nr_pools)" "the line goes with the pool"

# A member of a mapped pool, for as long as it lives.
"$here/soak_user" mapped 1 >/dev/null 2>&1 &
user=$!
tries=600
while [ $tries -gt 0 ] && ! awk 'NR > 1 && $1 == "soak_user" && $9 > 0 { ok = 1 }
		END { exit !ok }' $pools; do
	tries=$((tries - 1))
	sleep 0.1
done
[ $tries -gt 0 ]
tap_result $? "a mapped pool has a line, with what it acquired"
kill -KILL $user
wait $user 2>/dev/null
tap_is 0 "$(nr_pools)" "the line goes with the process"

# A conn has a line, too.
conns=/sys/kernel/debug/secbuf/conns
"$here/soak_user" conn 1 >/dev/null 2>&1 &
user=$!
tries=600
while [ $tries -gt 0 ] && ! awk 'NR > 1 && $1 == "soak_user" && $12 > 0 { ok = 1 }
		END { exit !ok }' $conns; do
	tries=$((tries - 1))
	sleep 0.1
done
[ $tries -gt 0 ]
tap_result $? "a conn has a line, with what it was granted"
# What it does only now and then.
for event in conn_lend conn_take conn_enqueue conn_dequeue conn_end; do
	[ ! -e $events ] || wait_for is_traced $event
done
kill -KILL $user
wait $user 2>/dev/null
tap_is 0 "$(sed 1d $conns | wc -l)" "the line goes with the conn"

if [ -e $events ]; then
	echo 0 >$events
	for event in alloc free conn_lend conn_take conn_enqueue conn_dequeue \
		     conn_end; do
		tap_is 1 "$(($(traced $event) >= 1))" "secbuf_$event is traced"
	done
	tap_is 1 "$(($(grep -c 'secbuf_alloc: pool=soak_user ' $tracing/trace) >= 1))" \
		"mapped pools are traced"
	tap_is 0 "$(grep -c 'a secret' $tracing/trace)" "contents are not"
	echo >$tracing/trace
	echo 1408 >$tracing/buffer_size_kb
else
	tap_skip "tracepoints" "the kernel has no tracing"
fi
tap_end
