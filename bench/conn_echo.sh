#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest, native or one that counts instructions: requests per second of
# echo-server with secbuf, beside the same server with malloc buffers that are
# never zeroized, by turns. Beside this script: secbuf.ko, echo-server, echo-load,
# and the file turns with the number of turns and of requests in each. Prints
#
#	conn_echo value unit peer peer_value ratio

set -e

# start MEMORY: a server, whose port is in the file MEMORY.port
start()
{
	echo-server --memory="$1" >"$1.port" &
	until [ -s "$1.port" ]; do
		usleep 10000
	done
}

# turn MEMORY: a figure more in the file MEMORY
turn()
{
	echo-load --port="$(cat "$1.port")" --clients=16 \
		--requests="$requests" >answer
	read -r number _ <answer
	echo "$number" >>"$1"
}

# median FILE
median()
{
	sort -n "$1" | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

read -r turns requests <turns
insmod secbuf.ko
ifconfig lo up
start malloc
start secbuf
while [ "$turns" -gt 0 ]; do
	turn malloc
	turn secbuf
	turns=$((turns - 1))
done
awk -v value="$(median secbuf)" -v peer="$(median malloc)" 'BEGIN {
	printf "conn_echo %d req/s malloc %d %.3f\n", value, peer, value / peer
}'
kill %1 %2
wait
rmmod secbuf
