#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# module_test.sh [MODULE]: load and unload. The module cannot go while anything
# of it is in use, and goes afterwards; nothing is left behind.
#
# The module is loaded when this begins and when it ends.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/wait.sh
. "$here/wait.sh"

module=${1:-$here/secbuf.ko}
sysfs=/sys/module/secbuf
dir=$(mktemp -d)
head -c 32 /dev/urandom >"$dir/mask"

loaded()
{
	[ -d $sysfs ]
}

# user MEMORY END: a process that uses the module, in $user
user()
{
	rm -f "$dir/out"
	"$here/plant" "$1" "$2" "$dir/mask" "$dir/mask" >"$dir/out" 2>&1 &
	user=$!
	tries=600
	while ! grep -q "^planted" "$dir/out" 2>/dev/null &&
			[ $tries -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	read -r word child <"$dir/out"
	tap_is planted "$word" "$1 $2: in use"
}

# release PID...: kill them and wait until they are gone, children or not
release()
{
	kill -KILL "$@"
	wait 2>/dev/null
	for pid; do
		wait_for has_ended "$pid"
	done
}

# refused NAME: rmmod fails, and changes nothing
refused()
{
	! rmmod secbuf 2>/dev/null && loaded
	tap_result $? "$1: unloading is refused"
}

# reload NAME: nothing is left, and the module goes and comes
reload()
{
	tap_is "0 0 0 0" "$("$here/counters")" "$1: nothing is left"
	rmmod secbuf && ! loaded
	tap_result $? "$1: unloaded"
	[ ! -e /dev/secbuf ]
	tap_result $? "$1: no device"
	insmod "$module"
	tap_result $? "$1: loaded again"
}

echo "TAP version 13"

loaded
tap_result $? "loaded"
[ -c /dev/secbuf ]
tap_result $? "character device"
tap_is 600 "$(stat -c %a /dev/secbuf)" "only for root"
for param in max_bytes max_user_bytes; do
	tap_is 0 "$(cat $sysfs/parameters/$param)" "$param: default"
done
reload "unused"

exec 3<>/dev/secbuf
refused "device open"
exec 3>&-
reload "device closed"

user pool kill
refused "pool in use"
release "$user"
reload "user of a pool killed"

user pool mapping
refused "pool mapped, descriptors closed"
release "$user"
reload "user of a mapping killed"

user kpool kill
refused "kernel-held pool in use"
release "$user"
reload "user of a kernel-held pool killed"

user kpool fork
release "$user"
refused "descriptor of a dead owner's kernel-held pool held"
release "$child"
reload "holder of the descriptor killed"

user conn kill
refused "conn in use"
release "$user"
reload "user of a conn killed"

user conn fork
release "$user"
refused "descriptors of a dead owner held"
release "$child"
reload "holder of descriptors killed"

rmmod secbuf
insmod "$module" max_bytes=1048576 max_user_bytes=65536
tap_is 1048576 "$(cat $sysfs/parameters/max_bytes)" "max_bytes: given"
tap_is 65536 "$(cat $sysfs/parameters/max_user_bytes)" "max_user_bytes: given"
timeout 60 "$here/plant" pool kill "$dir/mask" "$dir/mask" >"$dir/out" 2>&1
tap_is "plant: POOL_ALLOC: Disk quota exceeded" "$(cat "$dir/out")" \
	"max_user_bytes: in force"
reload "parameters given"

for round in 1 2 3 4 5; do
	rmmod secbuf && insmod "$module"
	tap_result $? "reload $round"
done
tap_is 0 "$(cat $sysfs/refcnt)" "no reference is left"

rm -rf "$dir"
tap_end
