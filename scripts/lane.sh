#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Run a part of the tests in a lane: debug (7.3 with KASAN, lockdep, kmemleak,
# UBSAN), native (User Mode Linux 7.3) or rt (Debian's 6.1 RT). What the kernel
# complains of, and in the debug lane memory that is lost, fails it.

set -eu -o pipefail

usage()
{
	cat <<-'EOT'
	usage: scripts/lane.sh debug|native|rt PART [--log FILE]
	  kunit         the KUnit suites, in debug and native
	  selftests     all selftests
	  pools         those of pools
	  conns         those of conns
	  rings         those of rings; SECBUF_RING_SECONDS: how long each case
	                of the hostile peer and of the stress test goes on
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

# guest COMMAND...: run COMMAND in a guest that has all modules and programs
guest()
{
	local programs modules

	make -s -C selftests all \
		KSELFTEST="$(scripts/kernel.sh source)/tools/testing/selftests"
	make -s -C examples/echo-server all >/dev/null
	modules=$(scripts/modules.sh "$lane")
	mapfile -t programs < <(find selftests/build -type f -perm -u+x)
	echo "$*" >"$tmp/lane-$part.sh"
	set -- --run "$tmp/lane-$part.sh" --name "$lane" "${logging[@]}"
	# shellcheck disable=SC2086 # names without spaces, as kbuild wants them
	set -- "$@" $modules selftests/*.sh "${programs[@]}" \
		examples/echo-server/build/echo-{server,load}
	case $lane in
	native)
		scripts/uml.sh --timeout $((limit / 2)) "$@"
		;;
	debug)
		SECBUF_KERNEL=$(scripts/kernel.sh build debug)/image \
			scripts/guest.sh --mem 1024 --timeout "$limit" \
			--append 'printk.time=1 kunit.enable=1 kunit.autorun=1' "$@"
		;;
	rt)
		SECBUF_KERNEL=$(scripts/kernel.sh rt)/image \
			scripts/guest.sh --timeout "$limit" "$@"
		;;
	esac
}

cd "$(dirname "$0")/.."
lane=${1:-} part=${2:-} seconds=0 limit=2400 logging=()
case $lane in
debug|native|rt)	;;
*)			misused ;;
esac
shift 2 || misused
if [ "$part" = soak ] || [ "$part" = connsoak ]; then
	seconds=${1:-}
	shift || misused
fi
if [ "${1:-}" = --log ]; then
	logging=(--log "$2")
fi
limit=$((limit + seconds * 2))
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

rings='ring ring_map ring_wait ring_memory ring_end ring_peer ring_death'
rings+=' ring_charge ring_stress ring_race ring_hostile ring_stream'
conns='conn conn_queue conn_idle conn_send conn_stream conn_race'
ring_seconds=${SECBUF_RING_SECONDS:-0}
limit=$((limit + ring_seconds * 9))
check="${SECBUF_RING_SECONDS:+SECBUF_RING_SECONDS=$SECBUF_RING_SECONDS }"
# KASAN under emulation takes its time.
[ "$lane" != debug ] && [ "$ring_seconds" -eq 0 ] ||
	check+="SECBUF_TEST_TIMEOUT=$((900 + ring_seconds * 5)) "
[ "$lane" != debug ] || check+='sh kmemleak.sh '
check+='sh'
case $part in
kunit)		guest "$check kunit.sh" ;;
selftests)	guest "$check run.sh" ;;
pools)		guest "$check run.sh pool kpool context" ;;
rings)		guest "$check run.sh $rings" ;;
conns)		guest "$check run.sh $conns" ;;
soak)		guest "$check soak.sh $seconds" ;;
connsoak)	guest "$check conn_soak.sh $seconds" ;;
*)		misused ;;
esac
