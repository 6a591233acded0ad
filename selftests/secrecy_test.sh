#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Plant secrets, end their lives in every way there is, and have all RAM of
# this guest searched from outside: nothing may be left of those in secbuf.
# Each case has a positive control, the same program taking the same steps with
# ordinary memory: a search that does not find its secret proves nothing.
#
# All are planted at once and searched for; then they end in phases, each with a
# search of its own. Core dumps are on, and go to a tmpfs, that is to RAM.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"
# shellcheck source=selftests/wait.sh
. "$here/wait.sh"
# shellcheck source=selftests/hits.sh
. "$here/hits.sh"
# shellcheck source=selftests/secrecy_cases.sh
. "$here/secrecy_cases.sh"

dir=$(mktemp -d)
cgroups=/sys/fs/cgroup
cpu1=/sys/devices/system/cpu/cpu1/online
idle_secs=/sys/module/secbuf/parameters/idle_secs
attacked=0 held=0 controls=0

echo "TAP version 13"
if ! command -v hostsearch >/dev/null || [ ! -d "$here/needles" ]; then
	tap_skip secrecy "there is nobody outside to search the RAM"
	tap_end
	exit
fi

# in_phase PHASE: the cases that end in it
in_phase()
{
	for name in $secrecy_cases; do
		case ${name#*-} in
		idle|oom|pressure|offline) phase=${name#*-} ;;
		*)			phase=others ;;
		esac
		[ "$phase" != "$1" ] || echo "$name"
	done
}

# missing PHASE: prints what this machine does not have for it, if anything
missing()
{
	case $1 in
	oom|pressure)
		grep -q memory $cgroups/cgroup.controllers 2>/dev/null ||
			echo "no memory cgroups"
		;;
	offline)
		[ -w $cpu1 ] || echo "no CPU that can be taken offline"
		;;
	esac
}

# start NAME MEMORY END
start()
{
	group=
	case $3 in
	oom)		group=$cgroups/secrecy-$1 ;;
	pressure)	group=$cgroups/secrecy-pressure ;;
	esac
	[ -z "$group" ] || mkdir -p "$group"
	[ -z "$group" ] || echo max >"$group/memory.max"
	(
		[ -z "$group" ] || echo 0 >"$group/cgroup.procs"
		exec "$here/plant" "$2" "$3" "$here/needles/$1.mask" \
			"$here/needles/$1.masked"
	) >"$dir/$1.out" 2>&1 &
	echo $! >"$dir/$1.pid"
}

# await NAME WORD: until its program says so, for two minutes
await()
{
	read -r pid <"$dir/$1.pid"
	tries=1200
	while [ $tries -gt 0 ]; do
		while read -r word rest; do
			case $word in
			"$2")	return 0 ;;
			plant:)	echo "# $1: $word $rest" >&2; return 1 ;;
			esac
		done <"$dir/$1.out"
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
		tries=$((tries - 1))
	done
	echo "# $1: never $2" >&2
	return 1
}

# order NAME: its secret's life is to end
order()
{
	read -r pid <"$dir/$1.pid"
	case ${1##*-} in
	kill|fork|passed)	kill -KILL "$pid" ;;
	oom)			read -r used <"$cgroups/secrecy-$1/memory.current"
				echo $((used + 65536)) \
					>"$cgroups/secrecy-$1/memory.max"
				kill -USR1 "$pid" ;;
	*)			kill -USR1 "$pid" ;;
	esac
}

# expect NAME: sets $wanted to the status that it ends with, or "lives"
expect()
{
	case ${1##*-} in
	exit|_exit|thread)	wanted=0 ;;
	abort)			wanted=134 ;;
	sigsegv)		wanted=139 ;;
	oom|kill|fork|passed|munmap|mapping) wanted=137 ;;
	*)			wanted=lives ;;
	esac
}

# oom_killed NAME: and nobody else killed it?
oom_killed()
{
	while read -r word number; do
		[ "$word" != oom_kill ] || [ "$number" -ne 1 ] || return 0
	done <"$cgroups/secrecy-$1/memory.events"
	return 1
}

# ended NAME: in the way it was to end?
ended()
{
	expect "$1"
	if [ "$wanted" = lives ]; then
		await "$1" ended
		return
	fi
	read -r pid <"$dir/$1.pid"
	wait "$pid" 2>/dev/null
	status=$?
	if [ $status -ne "$wanted" ]; then
		echo "# $1: status $status instead of $wanted:" \
		     "$(cat "$dir/$1.out")" >&2
		return 1
	fi
	case ${1##*-} in
	abort|sigsegv)	[ -s "$dir/core.$pid" ] ;;
	oom)		oom_killed "$1" ;;
	esac
}

# end NAME...: all at once. No processes are started meanwhile if that can be
# avoided: they would get the pages that the controls leave.
end()
{
	for name; do
		order "$name"
	done
	# Only memory that is short lets these end.
	case $1 in
	*-pressure)
		for name; do
			await "$name" waiting
		done
		tries=100
		while [ $tries -gt 0 ] && ! all_ended "$@"; do
			echo 1G >$cgroups/secrecy-pressure/memory.reclaim \
				2>/dev/null
			tries=$((tries - 1))
		done
		;;
	esac
	for name; do
		if ended "$name"; then
			echo good
		else
			echo bad
		fi >"$dir/$name.fate"
	done
}

# all_ended NAME...: do all say so?
all_ended()
{
	for name; do
		grep -q ^ended "$dir/$name.out" || return 1
	done
}

# Those who survived, and who held the descriptors.
kill_rest()
{
	for name; do
		read -r pid <"$dir/$name.pid"
		read -r word other <"$dir/$name.out"
		[ "$word" != planted ] || [ "$other" -eq 0 ] ||
			kill -KILL "$other" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		[ "$word" != planted ] || [ "$other" -eq 0 ] ||
			wait_for has_ended "$other"
	done
}

# search LABEL
search()
{
	read -r before rest </proc/uptime
	hostsearch "$1" >"$dir/$1" || echo "# the search failed"
	read -r after rest </proc/uptime
	echo "# search $1: began at $before s, took until $after s"
}

# once_more CONTROL: what it left was used by somebody before the search. When it
# is alone there is hardly anybody. Sets $dead.
once_more()
{
	for try in 1 2 3 4 5; do
		echo "# $1: once more, try $try"
		kill_rest "$1"
		start "$1" "$(secrecy_peer "${1#control-}")" "${1##*-}"
		await "$1" planted && end "$1" && search more
		read -r name alive dead <<-EOT
		$(hits "$1" "$dir/alive" "$dir/more")
		EOT
		echo "# $1: found alive $alive, dead $dead"
		[ "$dead" = 0 ] || break
	done
}

# judge PHASE NAMES
judge()
{
	hits "$2" "$dir/alive" "$dir/$1" >"$dir/sums"
	while read -r name alive dead; do
		read -r fate <"$dir/$name.fate"
		echo "# $name: found alive $alive, dead $dead"
		[ "$fate" = good ] && [ "$alive" != unknown ] &&
			[ "$dead" != unknown ] && [ "$alive" -gt 0 ]
		good=$?
		case $name in
		control-*)
			[ $good -ne 0 ] || [ "$dead" -ne 0 ] ||
				once_more "$name" </dev/null
			[ $good -eq 0 ] && [ "$dead" -gt 0 ] &&
				controls=$((controls + 1))
			;;
		*)
			attacked=$((attacked + 1))
			[ $good -eq 0 ] && [ "$dead" -eq 0 ] &&
				held=$((held + 1))
			;;
		esac
		tap_result $? "$name"
	done <"$dir/sums"
}

# phase NAME: the controls end last, so that little else uses their pages again,
# and of them those first that use memory to end, one by one.
phase()
{
	cases=$(in_phase "$1")
	greedy='' its_controls=''
	for name in $cases; do
		case ${name#*-} in
		abort|sigsegv|exec) greedy="$greedy control-$name" ;;
		*)	its_controls="$its_controls control-$name" ;;
		esac
	done
	# shellcheck disable=SC2086 # words
	end $cases
	for name in $greedy; do
		end "$name"
	done
	# shellcheck disable=SC2086
	end $its_controls
	[ "$1" != idle ] || echo 0 >$idle_secs
	[ "$1" != offline ] || echo 0 >$cpu1 || echo "# CPU 1 stays"
	# What is freed last is used first: let that be these.
	: >"$dir/decoy.$1"
	search "$1"
	[ "$1" != offline ] || echo 1 >$cpu1
	judge "$1" "$cases $greedy $its_controls"
}

core_pattern=$(cat /proc/sys/kernel/core_pattern)
echo "$dir/core.%p" >/proc/sys/kernel/core_pattern
# shellcheck disable=SC3045 # busybox has it
ulimit -c unlimited
echo +memory >$cgroups/cgroup.subtree_control 2>/dev/null
# Until that phase is over: the others are not to be taken because of it.
read -r old_idle_secs <$idle_secs
echo 1 >$idle_secs

phases=
for phase in idle others oom pressure offline; do
	reason=$(missing $phase)
	if [ -n "$reason" ]; then
		for name in $(in_phase $phase); do
			tap_skip "$name" "$reason"
		done
		continue
	fi
	phases="$phases $phase"
	head -c 4194304 /dev/zero >"$dir/decoy.$phase"
	for name in $(in_phase $phase); do
		started="$started $name control-$name"
		start "$name" "${name%-*}" "${name#*-}"
		start "control-$name" "$(secrecy_peer "$name")" "${name#*-}"
	done
done
for name in $started; do
	await "$name" planted
done
search alive
for phase in $phases; do
	phase "$phase"
done

# shellcheck disable=SC2086 # words
kill_rest $started
echo "$core_pattern" >/proc/sys/kernel/core_pattern
echo "$old_idle_secs" >$idle_secs
rmdir $cgroups/secrecy-* 2>/dev/null
rm -rf "$dir"
echo "# proof: attacked $attacked"
echo "# proof: held $held"
echo "# proof: controls $controls"
tap_end
