#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Run a part of the tests in a lane. What the kernel complains of, and in the
# debug lane memory that is lost, fails it.

set -eu -o pipefail

usage()
{
	cat <<-'EOT'
	usage: scripts/lane.sh LANE PART [ARGUMENT]... [--log FILE]

	LANE:
	  stock         Debian's kernel 6.1
	  stock612      its 6.12
	  rt            its 6.1 RT
	  debug         7.3 with KASAN, lockdep, kmemleak, UBSAN
	  kcsan         7.3 with KCSAN: tells of data races between two places
	                of the module
	  native        User Mode Linux 7.3
	PART:
	  kunit         the KUnit suites, in debug and native
	  selftests     all selftests; SECBUF_ROUNDS=N shortens crowd_test.sh
	  quick         those that take little time
	  pools, conns, rings
	                those of pools, conns or rings; SECBUF_RING_SECONDS: how
	                long each case of the hostile peer and of the stress test
	                goes on
	  secrecy       what is left of secrets whose life has ended
	  access        what can be had of secrets that live
	  policies      suspend and hibernation
	  faults [quick|TEXT]
	                in debug: each allocation and copy fails once, on all
	                paths, on most, or on those with TEXT in their names
	  races [SECONDS]
	                two calls at the same moment, that long for each pair
	  fuzz SECONDS  fuzz the ioctls, in debug guided by coverage. SEED=N does
	                what was done before, as far as scheduling allows
	  soak SECONDS  create, use, reclaim, hotplug and unload under load
	  connsoak SECONDS
	                clients of an echo server who do all they can
	EOT
}

misused()
{
	usage >&2
	exit 2
}

# kernel: prints the image to boot
kernel()
{
	case $lane in
	stock)		scripts/kernel.sh image ;;
	stock612|rt)	echo "$(scripts/kernel.sh "$lane")/image" ;;
	*)		echo "$(scripts/kernel.sh build "$lane")/image" ;;
	esac
}

# brd: prints a module for block devices in RAM, if the kernel has it as one
brd()
{
	case $lane in
	stock)		scripts/kernel.sh module brd ;;
	stock612|rt)	find "$(scripts/kernel.sh "$lane")" -maxdepth 1 -name brd.ko ;;
	esac
}

# guest COMMAND...: run COMMAND in a guest that has all modules and programs
guest()
{
	local files gdb kunit

	MAKEFLAGS='' make -s --no-print-directory build/ramsearch
	make -s -C selftests all \
		KSELFTEST="$(scripts/kernel.sh source)/tools/testing/selftests"
	make -s -C examples/echo-server all >/dev/null
	mapfile -t files < <(scripts/modules.sh "$lane$variant"
		find selftests/build -type f -perm -u+x; brd)
	files+=(selftests/*.sh examples/echo-server/build/echo-{server,load})
	case $part in
	selftests|access)
		gdb=$(scripts/kernel.sh gdb)
		files+=("$gdb:/bin/gdb")
		;;
	esac
	echo "$*" >"$tmp/lane-$part.sh"
	set -- --run "$tmp/lane-$part.sh" --name "$lane" "${logging[@]}"
	if [ "$lane" = native ]; then
		scripts/uml.sh --timeout $((limit / 2)) "$@" "${files[@]}"
		return
	fi
	case "$lane $part" in
	debug*)
		kunit='kunit.enable=1 kunit.autorun=1 kunit.timeout=900'
		set -- "$@" --mem 1024 --append "printk.time=1 $kunit"
		;;
	esac
	case "$lane $part" in
	stock*|rt*|*' secrecy'|*' policies')
		selftests/needles.sh "$tmp/needles"
		set -- "$@" --needles "$tmp/needles"
		files+=("$tmp/needles/guest:needles")
		;;
	esac
	SECBUF_KERNEL=$(kernel) scripts/guest.sh --timeout "$limit" \
		--harmless "$harmless" "$@" "${files[@]}"
}

# places: how many of the module kcov can tell of
places()
{
	local module

	module=$(scripts/modules.sh "$lane$variant" | grep '/kmod/secbuf.ko$')
	objdump -r "$module" | grep -c __sanitizer_cov_trace_pc || true
}

cd "$(dirname "$0")/.."
lane=${1:-} part=${2:-}
seconds=0 limit=4800 logging=() args=() variant='' harmless='' check=''
case $lane in
stock|stock612|rt|debug|kcsan|native)	;;
*)					misused ;;
esac
shift 2 || misused
while [ $# -gt 0 ] && [ "$1" != --log ]; do
	args+=("$1")
	shift
done
[ $# -eq 0 ] || logging=(--log "$2")
case $part in
soak|connsoak|fuzz)
	seconds=${args[0]:?$(misused)}
	;;
esac
case $part in
fuzz|faults)
	# A page fault that found no memory is repeated, and the kernel says so.
	harmless='VM_FAULT_OOM leaked out to the #PF handler. Retrying PF'
	;;
esac
[ "$lane $part" != 'debug fuzz' ] || variant=-kcov
ring_seconds=${SECBUF_RING_SECONDS:-0}
limit=$((limit + seconds * 2 + ring_seconds * 9))
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

rings='ring ring_map ring_wait ring_poll ring_signal ring_memory ring_end'
rings+=' ring_peer ring_death ring_charge ring_stress ring_race ring_hostile'
rings+=' ring_stream'
conns='conn conn_queue conn_idle conn_send conn_stream conn_race'
quick='abi dev pool kpool context conn conn_queue conn_stream mmap owner share'
quick+=' guard ring ring_map ring_wait ring_memory ring_end ring_death'
quick+=' access_memory access_vma access_dump module'
access='access_memory access_pin access_vma access_advice access_stranger'
access+=' access_dump access_gcore access_swap'

for variable in SECBUF_RING_SECONDS SECBUF_ROUNDS; do
	[ -z "${!variable:-}" ] || check+="$variable=${!variable} "
done
# Whoever takes longer hangs. KASAN under emulation takes its time.
check+="SECBUF_TEST_TIMEOUT=$((1800 + ring_seconds * 5)) "
case $lane in
debug)		check+='sh kmemleak.sh ' ;;
kcsan)		check+='sh kcsan.sh ' ;;
esac
check+='sh'
case $part in
kunit)		guest "$check kunit.sh" ;;
selftests)	guest "$check run.sh" ;;
quick)		guest "$check run.sh $quick" ;;
pools)		guest "$check run.sh pool kpool context" ;;
rings)		guest "$check run.sh $rings" ;;
conns)		guest "$check run.sh $conns" ;;
secrecy)	guest "$check run.sh secrecy" ;;
access)		guest "$check run.sh $access" ;;
policies)	guest "$check run.sh image policy" ;;
faults)		guest "SECBUF_FAULTS='${args[*]}' $check run.sh faults" ;;
races)		guest "SECBUF_RACE_SECONDS=${args[0]:-} $check run.sh races" ;;
fuzz)
	seed=${SEED:-$((RANDOM << 15 | RANDOM))}
	echo "# fuzz: SEED=$seed"
	guest "PLACES=$(places) $check fuzz.sh $seconds $seed"
	;;
soak)		guest "$check soak.sh $seconds" ;;
connsoak)	guest "$check conn_soak.sh $seconds" ;;
*)		misused ;;
esac
