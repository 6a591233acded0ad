#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What becomes of secrets when the machine hibernates or is suspended. The
# kernel's own test of both goes as far as to freeze all processes, and back,
# which is after the module has been told. All RAM is searched from outside
# before and after; what a parameter allows to stay must be found.
#
# A reboot cannot be tested from here: see scripts/reboot-test.sh.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/wait.sh
. "$here/wait.sh"
# shellcheck source=selftests/hits.sh
. "$here/hits.sh"

params=/sys/module/secbuf/parameters
dir=$(mktemp -d)
pids=

# says NAME WORD: waits until the program of that name has said so
says()
{
	tries=1200
	while ! grep -q "^$2" "$dir/$1" && [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	grep -q "^$2" "$dir/$1" && return
	sed 's/^/# /' "$dir/$1"
	return 1
}

# plant NAME MEMORY: the secret of that name, see plant.c; until it is there
plant()
{
	"$here/plant" "$2" kill "$here/needles/$1.mask" \
		"$here/needles/$1.masked" >"$dir/$1" 2>&1 &
	pids="$pids $!"
	says "$1" planted
}

clear_all()
{
	# shellcheck disable=SC2086 # pids
	kill -KILL $pids
	wait 2>/dev/null
	pids=
}

# found LABEL NAME, gone LABEL NAME
found()
{
	n=$(hits_sum "$dir/$1" "$2")
	[ "$n" != unknown ] && [ "$n" -gt 0 ]
	tap_result $? "$2: found $1"
}

gone()
{
	tap_is 0 "$(hits_sum "$dir/$1" "$2")" "$2: gone $1"
}

search()
{
	hostsearch "$1" >"$dir/$1" || echo "# the search failed"
}

# enter STATE: prints nothing or the error
enter()
{
	{ echo "$1" >/sys/power/state; } 2>&1 | sed 's/.*: //'
}

nothing_is_used()
{
	[ "$("$here/counters")" = "0 0 0 0" ]
}

test_hibernation_block()
{
	# Those who died before may still be at it.
	wait_for nothing_is_used
	tap_is "0 0 0 0" "$("$here/counters")" "nothing is in use"
	tap_is "" "$(enter disk)" "hibernates when nothing is in use"
	for memory in pool kpool conn ring; do
		plant "hibernate-$memory" $memory
		tap_is "Device or resource busy" "$(enter disk)" \
			"$memory in use: does not hibernate"
		clear_all
	done
	dmesg | grep -q "secbuf: no hibernation while"
	tap_result $? "the kernel's log says why"
}

# Open, used before, and without anything in them.
test_hibernation_empty()
{
	"$here/empty" >"$dir/empty" 2>&1 &
	empty=$!
	says empty ready
	tap_is "device pool kpool ring conn " \
		"$(sed -n 's/made//p' "$dir/empty" | tr -d '\n')" \
		"one object of each kind is open"
	plant hibernate-stale stale
	search written
	tap_is "" "$(enter disk)" "hibernates when all that is open is empty"
	search slept
	found written hibernate-stale
	gone slept hibernate-stale
	kill -USR1 $empty
	says empty used
	tap_result $? "what was open can be used afterwards"
	kill -KILL $empty
	clear_all
}

# After the module has allowed it, and before processes are stopped.
test_hibernation_late()
{
	if [ ! -e "$here/secbuf_policy_test.ko" ]; then
		tap_skip late "secbuf_policy_test.ko is missing"
		return
	fi
	cat >"$dir/late.sh" <<-EOT
	#!/bin/sh
	"$here/plant" pool kill "$here/needles/hibernate-pool.mask" \
		"$here/needles/hibernate-pool.masked" >$dir/late 2>&1 &
	echo \$! >$dir/late.pid
	until grep -q "^planted" $dir/late || ! kill -0 \$!; do
		sleep 0.1
	done
	EOT
	chmod +x "$dir/late.sh"
	insmod "$here/secbuf_policy_test.ko" program="$dir/late.sh"
	echo devices >/sys/power/pm_test
	tap_is "Device or resource busy" "$(enter disk)" \
		"a secret at the last moment: does not hibernate"
	says late planted
	tap_result $? "a secret at the last moment: there was one"
	rmmod secbuf_policy_test
	late=$(cat "$dir/late.pid")
	kill -KILL "$late"
	wait_for has_ended "$late"
	echo freezer >/sys/power/pm_test
}

test_hibernation_revoke()
{
	echo 0 >$params/hibernation_block
	for memory in pool kpool conn ring malloc; do
		plant "hibernate-$memory" $memory
	done
	search awake
	tap_is "" "$(enter disk)" "hibernates when it is allowed"
	search hibernated
	for name in pool kpool conn ring; do
		found awake hibernate-$name
		gone hibernated hibernate-$name
	done
	found hibernated hibernate-malloc
	clear_all
	plant hibernate-pool pool
	tap_result $? "new objects can be made afterwards"
	clear_all
	echo 1 >$params/hibernation_block
}

# Its devices are told; the module says ECANCELED when that is done.
freeze_devices()
{
	insmod "$here/secbuf_policy_test.ko" freeze=1 2>&1 |
		grep -q "Operation canceled"
	tap_result $? "devices are told"
}

# Its pages are not in the image, so that it would read something else.
test_hibernation_kept()
{
	if [ ! -e "$here/secbuf_policy_test.ko" ]; then
		tap_skip kept "secbuf_policy_test.ko is missing"
		return
	fi
	echo 0 >$params/hibernation_block
	insmod "$here/secbuf_policy_test.ko" keep=1
	tap_result $? "unread in a ring of a module: the module is loaded"
	tap_is "Device or resource busy" "$(enter disk)" \
		"unread in a ring of a module: does not hibernate"
	dmesg | grep -q "no hibernation while .* (of other modules)"
	tap_result $? "unread in a ring of a module: the kernel's log says why"
	rmmod secbuf_policy_test
	tap_is "" "$(enter disk)" "the module is gone: hibernates"
	echo 1 >$params/hibernation_block
}

# A hibernated kernel is about to take over, and then does not. Who opens this
# device to write tells so; the module plays the kernel that stops all devices.
test_restore()
{
	if [ ! -e "$here/secbuf_policy_test.ko" ] || [ ! -w /dev/snapshot ]; then
		tap_skip restore "no secbuf_policy_test.ko or no /dev/snapshot"
		return
	fi
	plant restore-early pool
	search asleep
	exec 9>/dev/snapshot
	search prepared
	plant restore-late pool 9>&-
	search late
	freeze_devices
	search stopped
	exec 9>&-
	plant restore-after pool
	freeze_devices
	search alone
	found asleep restore-early
	gone prepared restore-early
	found late restore-late
	gone stopped restore-late
	found alone restore-after
	clear_all
}

# Of what the kernel offers the first that can be tested.
test_suspend()
{
	state=freeze
	grep -q -w freeze /sys/power/state || state=mem
	idle=$(cat $params/idle_secs)
	echo 0 >$params/idle_secs

	echo 0 >$params/suspend_zeroize
	plant stale stale
	plant stale-conns conns
	search idle
	tap_is "" "$(enter $state)" "is suspended"
	search kept
	echo 1 >$params/suspend_zeroize
	tap_is "" "$(enter $state)" "is suspended again"
	search suspended
	for name in stale stale-conns; do
		found idle $name
		found kept $name
		gone suspended $name
	done
	clear_all
	echo "$idle" >$params/idle_secs
}

echo "TAP version 13"
for param in hibernation_block reboot_zeroize suspend_zeroize; do
	tap_is Y "$(cat $params/$param)" "$param: default"
done
if [ ! -w /sys/power/pm_test ]; then
	tap_skip sleep "this kernel cannot test how it sleeps (PM_DEBUG)"
	tap_end
	exit
fi
echo freezer >/sys/power/pm_test
# Who is stopped gets as much time as he needs.
timeout=$(cat /sys/power/pm_freeze_timeout)
echo 200000 >/sys/power/pm_freeze_timeout
echo 1 >/sys/module/suspend/parameters/pm_test_delay 2>/dev/null
if ! command -v hostsearch >/dev/null || [ ! -d "$here/needles" ]; then
	tap_skip search "there is nobody outside to search the RAM"
else
	if grep -q -w disk /sys/power/state; then
		test_hibernation_block
		test_hibernation_empty
		test_hibernation_late
		test_hibernation_revoke
		test_hibernation_kept
		test_restore
	else
		tap_skip hibernation "this kernel does not hibernate"
	fi
	test_suspend
fi
echo none >/sys/power/pm_test
echo "$timeout" >/sys/power/pm_freeze_timeout
rm -rf "$dir"
tap_end
