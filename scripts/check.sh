#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# All tests, in lanes: host (builds, style, programs that need no module), stock
# (the module in a throwaway guest on Debian's kernel), and those of lane.sh.
# --quick leaves out what is slow. The last two lines are the lanes that ran and
# the totals.

# shellcheck disable=SC2317 # step calls the functions

set -eu -o pipefail

cd "$(dirname "$0")/.."
# shellcheck source=scripts/steps.sh
. scripts/steps.sh
out=$PWD/build/check
quick='' lanes=''

case ${1:-} in
'')		;;
--quick)	quick=1 ;;
*)		echo "usage: scripts/check.sh [--quick]" >&2; exit 2 ;;
esac

make()
{
	command make --no-print-directory "$@"
}

#
# Host lane
#

build()
{
	make -s -j"$(nproc)" all
}

uapi_alone()
{
	local header=uapi/linux/secbuf.h
	local flags='-Wall -Wextra -Wpadded -Werror -fsyntax-only -Iuapi'

	# shellcheck disable=SC2086 # flags are words
	for lang in 'c -std=c99' 'c -std=gnu11' 'c++ -std=c++11' 'c++'; do
		gcc -x $lang $flags -include $header /dev/null
	done
	make -s -C selftests abi32
}

# As a user would: from the installed library, with pkg-config's flags. Without
# the module it must say so.
readme_example()
{
	local root=$out/root status=0

	rm -rf "$root"
	mkdir -p "$root"
	awk '/^```c$/ { on = 1; text = ""; next }
	     /^```$/ && on { on = 0; if (text ~ /int main/) printf "%s", text }
	     on { text = text $0 "\n" }' README.md >"$out/example.c"
	[ -s "$out/example.c" ] || {
		echo "README.md has no C example with a main()"
		return 1
	}
	make -s -C libsecbuf-user install DESTDIR="$root" PREFIX=/usr
	export PKG_CONFIG_SYSROOT_DIR=$root
	export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig
	# shellcheck disable=SC2046 # flags are words
	gcc -Wall -Wextra -Werror -o "$out/example" "$out/example.c" \
		$(pkg-config --cflags --libs libsecbuf-user)
	if [ -e /dev/secbuf ]; then
		echo "/dev/secbuf is there: the example was not run"
		return
	fi
	LD_LIBRARY_PATH=$root/usr/lib "$out/example" >"$out/example.out" \
		2>&1 || status=$?
	cat "$out/example.out"
	[ "$status" -eq 1 ] && grep -q 'not loaded' "$out/example.out"
}

# sub_check DIRECTORY [VARIABLE=VALUE...]
sub_check()
{
	local dir=$1

	shift
	make -s -C "$dir" check KSELFTEST="$kselftest" "$@"
}

# Not to find much, but to see that it works.
fuzz()
{
	make -C fuzz run TIME=9
}

ring_threads()
{
	make -s -C libsecbuf-user SANITIZE=thread O=build-tsan \
		KSELFTEST="$kselftest" build-tsan/ring_stress_test
	# Where the sanitizer wants its memory there may be some, by chance.
	setarch -R libsecbuf-user/build-tsan/ring_stress_test
}

host_lane()
{
	local dir name san='SANITIZE=address,undefined'

	step host 'build' build
	if [ -z "$quick" ]; then
		step host 'builds, W=1 and sparse' scripts/builds.sh --quick
		step host 'checkpatch and shellcheck' scripts/style.sh
		step host 'uapi header alone, C, C++, 32 bit' uapi_alone
		step host 'README example' readme_example
		step host 'description for syzkaller' \
			tools/syzkaller/check.sh --selftest
		step host 'layer rule fails when broken' \
			scripts/check-includes.sh --selftest
		step host 'failures are shown' scripts/failures.sh --selftest
		step host 'complaints of kernels fail guests' \
			scripts/splats-test.sh
		step host 'a test for each promise' scripts/check-ids.sh --selftest
	else
		step host 'layer rule' scripts/check-includes.sh
	fi
	if [ -z "$quick" ]; then
		step host 'fuzzing' fuzz
		step host 'proof of the cursor' scripts/prove.sh cursor
		step host 'coverage of the codec' scripts/coverage.sh
	fi
	step host 'ramsearch' build/ramsearch selftest
	[ -n "$quick" ] || step host 'model of the rings' tools/model/run.sh
	for dir in libsecbuf-user tools examples/ssh-agent \
			examples/echo-server selftests; do
		name=${dir##*/}
		step host "$name" sub_check "$dir"
		[ -n "$quick" ] || step host "$name, sanitized" \
			sub_check "$dir" "$san" O=build-san
	done
	[ -n "$quick" ] || step host 'rings, threads sanitized' ring_threads
	lanes+=' host'
}

#
# Stock lane
#

guest_agent()
{
	local files

	make -s -C examples/ssh-agent all
	mapfile -t files < <(make -s -C examples/ssh-agent guest-files)
	scripts/guest.sh --run examples/ssh-agent/guest-test.sh --name agent \
		--timeout 1800 --log "$logs/stock-agent-kernel.log" "${files[@]}"
}

guest_echo()
{
	local files

	make -s -C examples/echo-server all >/dev/null
	mapfile -t files < <(make -s -C examples/echo-server guest-files)
	scripts/guest.sh --run examples/echo-server/guest-test.sh --name echo \
		--timeout 1800 --log "$logs/stock-echo-kernel.log" "${files[@]}"
}

guest_library()
{
	local files

	mapfile -t files < <(make -s -C libsecbuf-user device-files \
		KSELFTEST="$kselftest")
	# Nothing is idle because the machine stands still.
	cat >"$out/device-test.sh" <<-'EOT'
	insmod secbuf.ko idle_secs=0 || exit
	status=0
	for test in ./*_test; do
		$test || status=1
	done
	rmmod secbuf && exit $status
	EOT
	scripts/guest.sh --run "$out/device-test.sh" --name library \
		--timeout 1800 --log "$logs/stock-library-kernel.log" \
		kmod/secbuf.ko "${files[@]}"
}

reboots()
{
	make -s -C selftests all KSELFTEST="$kselftest"
	scripts/reboot-test.sh "$logs/stock"
}

stock_lane()
{
	scripts/kernel.sh image >/dev/null || return 0
	if [ -n "$quick" ]; then
		lane_step stock 'quick selftests' quick
	else
		lane_step stock 'selftests' selftests
		step stock 'reboot and kexec' reboots
		step stock 'who may open the device' \
			scripts/node-test.sh "$logs/stock-node-kernel.log"
		step stock 'library in a guest' guest_library
		step stock 'SSH agent in a guest' guest_agent
		step stock 'echo server in a guest' guest_echo
	fi
	lanes+=' stock'
}

#
# The lanes of other kernels
#

# built_lane LANE: a source that cannot be had skips the lane, a kernel that
# does not build fails it.
built_lane()
{
	scripts/kernel.sh source73 >/dev/null || return 0
	lanes+=" $1"
	if ! scripts/kernel.sh build "$1" >/dev/null; then
		step_failed "$1: its kernel does not build"
		return 0
	fi
	lane_step "$1" 'KUnit' kunit
	lane_step "$1" 'selftests' selftests
	[ "$1" = debug ] || return 0
	lane_step debug 'soak' soak 20
	lane_step debug 'soak of connections' connsoak 20
	lane_step debug 'failures on demand' faults quick
	lane_step debug 'races' races 0.2
	SEED=1 lane_step debug 'fuzzing of ioctls' fuzz 60
}

rt_lane()
{
	scripts/kernel.sh rt >/dev/null || return 0
	lane_step rt 'pool selftests' pools
	lane_step rt 'ring selftests' rings
	lanes+=' rt'
}

stock612_lane()
{
	scripts/kernel.sh stock612 >/dev/null || return 0
	lane_step stock612 'selftests' selftests
	lanes+=' stock612'
}

kdir=$(scripts/kernel.sh headers)
if [ "${KDIR:-$kdir}" != "$kdir" ]; then
	echo "check.sh: the guest runs the stock kernel: leave out KDIR" >&2
	exit 1
fi
kselftest=$(scripts/kernel.sh source)/tools/testing/selftests
steps_begin "$out/logs"

wanted='host stock'
host_lane
stock_lane
if [ -z "$quick" ]; then
	wanted+=' stock612 native rt debug'
	stock612_lane
	built_lane native
	rt_lane
	built_lane debug
fi

# Outside CI a download that fails may skip a lane, but not these two.
status=0
for lane in $wanted; do
	[[ "$lanes " != *" $lane "* ]] || continue
	echo "lane $lane did not run"
	case $lane${CI:+ in CI} in
	host|stock|*CI)	status=1 ;;
	esac
done
steps_end "lanes:$lanes" || status=1
exit $status
