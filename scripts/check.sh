#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# All tests, in lanes: host (builds, style, programs that need no module), stock
# (the module in a throwaway guest on Debian's kernel), and those of lane.sh.
# --quick leaves out what is slow. A step that prints TAP counts as many tests as
# it says, any other as one. A step that fails shows what failed in it
# (failures.sh) and is named again, in few lines, before the last two lines: the
# lanes that ran and the totals.

# shellcheck disable=SC2317 # step calls the functions

set -eu -o pipefail

cd "$(dirname "$0")/.."
out=$PWD/build/check
logs=$out/logs
quick='' lanes=''
passed=0 failed=0 skipped=0
failures=()

case ${1:-} in
'')		;;
--quick)	quick=1 ;;
*)		echo "usage: scripts/check.sh [--quick]" >&2; exit 2 ;;
esac

#
# Steps
#

# tap_totals LOG: prints passed, failed and skipped. A program that printed a
# TAP header but no totals died, which is a failure. Nothing at all: no TAP.
tap_totals()
{
	awk '
	/^TAP version/ { programs++ }
	/^# Totals:/ {
		programs--
		seen = 1
		for (i = 3; i <= NF; i++) {
			split($i, part, ":")
			n[part[1]] += part[2]
		}
	}
	END {
		if (programs > 0)
			n["error"] += programs
		if (seen || programs > 0)
			print n["pass"] + n["xfail"], \
			      n["fail"] + n["xpass"] + n["error"], n["skip"] + 0
	}' "$1"
}

# count LOG STATUS: adds to the totals, prints the step's result
count()
{
	local good bad skip totals

	totals=$(tap_totals "$1")
	if [ -z "$totals" ]; then
		[ "$2" -eq 0 ] && totals='1 0 0' || totals='0 1 0'
		[ "$2" -eq 0 ] && result=ok || result=FAILED
	fi
	read -r good bad skip <<<"$totals"
	if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	[ -n "$result" ] || result="$good passed"
	[ "$bad" -eq 0 ] || result="FAILED ($bad of $((good + bad)))"
	[ "$skip" -eq 0 ] || result+=", $skip skipped"
	[ "$bad" -eq 0 ]
}

# step LANE NAME COMMAND...
step()
{
	local lane=$1 name=$2 log start=${EPOCHREALTIME/./} status=0 result=''

	shift 2
	log=$logs/$lane-${name//[ ,]/-}.log
	printf '%-6s %-34s' "$lane" "$name"
	# In the background: a function called in a condition ignores set -e.
	( "$@" ) >"$log" 2>&1 </dev/null &
	wait $! || status=$?
	count "$log" $status || status=1
	printf '%5d.%d s  %s\n' $(((${EPOCHREALTIME/./} - start) / 1000000)) \
		$(((${EPOCHREALTIME/./} - start) / 100000 % 10)) "$result"
	if [ $status -ne 0 ]; then
		scripts/failures.sh "$log" | sed 's/^/    /'
		echo "    full log: ${log#"$PWD/"}"
		failures+=("$lane $name: $result"$'\n'"$(
			scripts/failures.sh --short "$log" | sed 's/^/    /')")
	fi
}

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

# In a copy, so that everything is compiled and nothing in the tree is touched.
module_warnings()
{
	local dir=$out/module

	rm -rf "$dir"
	mkdir -p "$dir"
	mkdir -p "$dir/examples" "$dir/selftests"
	cp -r Kbuild kmod codec uapi "$dir"
	cp -r examples/kernel "$dir/examples"
	cp -r selftests/kernel "$dir/selftests"
	find "$dir" \( -name '*.o' -o -name '*.cmd' -o -name '*.ko' \) -delete
	make -C "$kdir" M="$dir" -j"$(nproc)" W=1 C=1 CF=-D__CHECK_ENDIAN__ \
		modules 2>&1 | tee "$out/module.log"
	# about our files: the kernel's headers have their own
	! grep -q -E "(kmod|codec|uapi|kernel)/[a-z_]+\.[ch]:.*(warning|error):|\
WARNING: modpost" "$out/module.log"
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
	[ $status -eq 1 ] && grep -q 'not loaded' "$out/example.out"
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
	libsecbuf-user/build-tsan/ring_stress_test
}

host_lane()
{
	local dir name san='SANITIZE=address,undefined'

	step host 'build' build
	if [ -z "$quick" ]; then
		step host 'module, W=1 and sparse' module_warnings
		step host 'checkpatch and shellcheck' scripts/style.sh
		step host 'uapi header alone, C, C++, 32 bit' uapi_alone
		step host 'README example' readme_example
		step host 'layer rule fails when broken' \
			scripts/check-includes.sh --selftest
		step host 'failures are shown' scripts/failures.sh --selftest
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

guest_selftests()
{
	local needles=$out/needles programs

	make -s -C selftests all KSELFTEST="$kselftest"
	rm -rf "$needles"
	selftests/needles.sh "$needles"
	mapfile -t programs < <(find selftests/build -type f -perm -u+x)
	echo "SECBUF_ROUNDS=${quick:+100} sh run.sh" \
		>"$out/selftests.sh"
	scripts/guest.sh --run "$out/selftests.sh" --name selftests \
		--needles "$needles" --timeout 2400 \
		--log "$logs/stock-selftests-kernel.log" \
		kmod/secbuf.ko examples/kernel/secbuf_sample.ko \
		examples/kernel/secbuf_stream.ko \
		examples/kernel/secbuf_lines.ko \
		selftests/kernel/secbuf_context_test.ko \
		"$(scripts/kernel.sh module brd)" selftests/*.sh "${programs[@]}" "$needles/guest:needles"
}

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
	cat >"$out/device-test.sh" <<-'EOT'
	insmod secbuf.ko || exit
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

stock_lane()
{
	scripts/kernel.sh image >/dev/null || return 0
	step stock 'selftests in a guest' guest_selftests
	if [ -z "$quick" ]; then
		step stock 'library in a guest' guest_library
		step stock 'SSH agent in a guest' guest_agent
		step stock 'echo server in a guest' guest_echo
	fi
	lanes+=' stock'
}

#
# The lanes of other kernels
#

# lane_step LANE NAME PART...
lane_step()
{
	step "$1" "$2" scripts/lane.sh "$1" "${@:3}" \
		--log "$logs/$1-$3-kernel.log"
}

# built_lane LANE: a source that cannot be had skips the lane, a kernel that
# does not build fails it.
built_lane()
{
	scripts/kernel.sh source73 >/dev/null || return 0
	lanes+=" $1"
	if ! scripts/kernel.sh build "$1" >/dev/null; then
		failed=$((failed + 1))
		failures+=("$1: its kernel does not build")
		return 0
	fi
	lane_step "$1" 'KUnit' kunit
	lane_step "$1" 'selftests' selftests
	[ "$1" != debug ] || lane_step debug 'soak' soak 20
	[ "$1" != debug ] || lane_step debug 'soak of connections' connsoak 20
}

rt_lane()
{
	scripts/kernel.sh rt >/dev/null || return 0
	lane_step rt 'pool selftests' pools
	lane_step rt 'ring selftests' rings
	lanes+=' rt'
}

kdir=$(scripts/kernel.sh headers)
if [ "${KDIR:-$kdir}" != "$kdir" ]; then
	echo "check.sh: the guest runs the stock kernel: leave out KDIR" >&2
	exit 1
fi
kselftest=$(scripts/kernel.sh source)/tools/testing/selftests
rm -rf "$logs"
mkdir -p "$logs"

wanted='host stock'
host_lane
stock_lane
if [ -z "$quick" ]; then
	wanted+=' native rt debug'
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
[ $failed -eq 0 ] || status=1
if [ ${#failures[@]} -gt 0 ]; then
	echo "failed:"
	printf '%s\n' "${failures[@]}"
fi
echo "lanes:$lanes"
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
