#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the benchmarks of one area and hold them against bench/limits. One line
# per figure:
#
#	name value unit peer peer_value ratio limit verdict
#
# A limit is for the ratio, or for the value where there is no peer.
#
# The native lane runs in User Mode Linux with voluntary preemption, for which
# the limits are, and for information with full preemption. The stock lane
# counts instructions. Peers that make system calls run on the machine's own
# kernel, beside the guest's boots.

set -eu -o pipefail

cd "$(dirname "$0")/.."
missed=''

usage()
{
	echo "usage: scripts/bench.sh pool|buffer|ring|conn" >&2
	exit 2
}

# To the terminal, beside the table.
say()
{
	echo "bench.sh: $*" >&2
}

# judge [nolimits]: a table of the lines in standard input. Of lines of the same
# name, from several boots, the one with the median counts.
judge()
{
	local limits=bench/limits

	[ $# -eq 0 ] || limits=/dev/null
	# in the order of their first appearance, then by what is judged
	awk '!($1 in nr) { nr[$1] = ++last }
	     { print nr[$1], $6 == "-" ? $2 : $6, $0 }' |
	sort -s -k 1,1n -k 2,2g | cut -d ' ' -f 3- | awk -v limits="$limits" '
	function show(name, from, n,    i, field, figure, bound, verdict) {
		i = from + int((n - 1) / 2)
		split(line[i], field)
		figure = field[6] == "-" ? field[2] : field[6]
		bound = "-"
		verdict = "-"
		if (name in limit) {
			bound = sign[name] limit[name]
			verdict = "ok"
			if ((sign[name] == "<=" && figure > limit[name] + 0) ||
			    (sign[name] == ">=" && figure < limit[name] + 0)) {
				verdict = "MISSED"
				bad = 1
			}
		}
		printf "%-28s %9s %-12s %-18s %9s %7s %7s %s\n", name, \
			field[2], field[3], field[4], field[5], field[6], \
			bound, verdict
	}
	BEGIN {
		while ((getline text <limits) > 0)
			if (text !~ /^#/ && split(text, part) == 3) {
				sign[part[1]] = part[2]
				limit[part[1]] = part[3]
			}
	}
	{
		line[NR] = $0
		if ($1 != last) {
			if (NR > 1)
				show(last, first, NR - first)
			last = $1
			first = NR
		}
	}
	END {
		if (NR == 0)
			exit 1
		show(last, first, NR + 1 - first)
		exit bad
	}'
}

# expect PATTERN FILE...: in FILEs must be all lines of limits that match
expect()
{
	local name

	while read -r name; do
		grep -q "^$name " "${@:2}" && continue
		say "$name was not measured"
		missed=1
	done < <(awk -v pattern="$1" '$1 ~ pattern { print $1 }' bench/limits)
}

# section TEXT: with the names of the columns
section()
{
	echo "# $1"
	printf '%-28s %9s %-12s %-18s %9s %7s %7s %s\n' '# name' value unit \
		peer peer_value ratio limit verdict
}

# prepare KERNEL...: build all there is to build, before anything is measured
prepare()
{
	local kernel

	for kernel; do
		say "kernel and modules: $kernel"
		scripts/kernel.sh build "$kernel" >/dev/null
		scripts/modules.sh "$kernel" >/dev/null
	done
	say "programs"
	make -s --no-print-directory -C bench all
}

# Where others compute too, those figures are wrong that need both CPUs.
warn_if_busy()
{
	local load

	read -r load _ </proc/loadavg
	if [ "${load%.*}" -ge 1 ]; then
		say "the load is $load: wait until it is below 1"
	fi
}

# boots NR NAME COMMAND...: run a command several times
boots()
{
	local nr=$1 name=$2 i

	shift 2
	for ((i = 1; i <= nr; i++)); do
		say "$name, $i of $nr"
		"$@"
	done
}

# native KERNEL SCRIPT FILE...: in UML, with the module and FILEs
native()
{
	local modules=build/modules/$1/kmod

	scripts/uml.sh --kernel "$1" --run "bench/$2" --mem 1024 \
		"$modules/secbuf.ko" "${@:3}"
}

kpool_native()
{
	native "$1" pool_native.sh \
		"build/modules/$1/bench/kernel/bench_pool.ko"
}

# The peer that makes system calls comes first, outside.
upool_native()
{
	bench/build/bench_sodium >"$tmp/sodium"
	native native upool_native.sh "$tmp/sodium" \
		bench/build/bench_{upool,upool_so,pair,refill} \
		bench/build/libsecbuf-user.so.0
}

pool_stock()
{
	scripts/guest.sh --run bench/pool_stock.sh --icount \
		kmod/secbuf.ko bench/build/bench_ioctl
}

# rep stosb counts once per byte there. Without it, which is what ERMS offers,
# the kernel clears a page in 512 steps, and the C library by vectors.
memfd_stock()
{
	scripts/guest.sh --run bench/memfd_stock.sh --icount --cpuflags -erms \
		--append secretmem.enable=1 \
		kmod/secbuf.ko bench/build/bench_memfd
}

bench_pool()
{
	prepare native native-preempt
	make -s --no-print-directory module
	warn_if_busy
	section 'native, voluntary preemption'
	boots 3 'pools in the kernel' kpool_native native >"$tmp/native"
	boots 5 'mapped pools' upool_native >>"$tmp/native"
	judge <"$tmp/native" || missed=1
	section 'native, full preemption: no limits'
	boots 3 'full preemption' kpool_native native-preempt >"$tmp/preempt"
	judge nolimits <"$tmp/preempt"
	section 'stock, counted instructions'
	boots 1 'system calls' pool_stock >"$tmp/stock"
	boots 1 'memfd_secret' memfd_stock >>"$tmp/stock"
	judge <"$tmp/stock" || missed=1
	expect '^(kpool|upool|ioctl)_' "$tmp/native" "$tmp/stock"
}

buffer_native()
{
	native native buffer_native.sh bench/build/bench_buffer
}

bench_buffer()
{
	prepare native
	warn_if_busy
	section 'a plain process'
	boots 5 cursors bench/build/bench_cursor >"$tmp/cursor"
	judge <"$tmp/cursor" || missed=1
	section 'native'
	boots 5 buffers buffer_native >"$tmp/buffer"
	judge <"$tmp/buffer" || missed=1
	expect '^(put|get|append|release)_' "$tmp/cursor" "$tmp/buffer"
}

# The peers that make system calls come first, outside.
ring_native()
{
	bench/build/bench_ring_peers >"$tmp/peers"
	native native ring_native.sh "$tmp/peers" \
		bench/build/bench_ring bench/build/bench_ring_ipc
}

# rep movsb counts once per byte there.
ring_stock()
{
	scripts/guest.sh --run bench/ring_stock.sh --icount --cpuflags -erms \
		kmod/secbuf.ko bench/kernel/bench_ring.ko \
		bench/build/bench_{pingpong,ring_feed}
}

bench_ring()
{
	prepare native
	make -s --no-print-directory bench-module
	warn_if_busy
	section 'native'
	boots 5 'rings' ring_native >"$tmp/native"
	judge <"$tmp/native" || missed=1
	section 'stock, counted instructions'
	boots 1 'sleeping, and from the kernel' ring_stock >"$tmp/stock"
	judge <"$tmp/stock" || missed=1
}

# echo_files TURNS REQUESTS: what conn_echo.sh needs
echo_files()
{
	echo "$@" >"$tmp/turns"
	echo "$tmp/turns" examples/echo-server/build/echo-{server,load}
}

conn_native()
{
	# shellcheck disable=SC2046 # names without spaces
	native native conn_echo.sh $(echo_files 201 500)
}

conn_stock()
{
	scripts/guest.sh --run bench/conn_stock.sh --icount --mem 1024 \
		--timeout 600 kmod/secbuf.ko bench/build/bench_conn{,_scan}
	# shellcheck disable=SC2046 # names without spaces
	scripts/guest.sh --run bench/conn_echo.sh --icount kmod/secbuf.ko \
		$(echo_files 5 2000)
}

conn_many()
{
	scripts/guest.sh --run bench/conn_many.sh --mem 1024 --timeout 600 \
		kmod/secbuf.ko bench/build/bench_conn_idle
}

bench_conn()
{
	prepare native
	make -s --no-print-directory module
	make -s --no-print-directory -C examples/echo-server all >/dev/null
	warn_if_busy
	section 'native'
	boots 3 'echo server' conn_native >"$tmp/native"
	judge <"$tmp/native" || missed=1
	section 'stock, counted instructions'
	boots 1 'conns' conn_stock >"$tmp/stock"
	judge <"$tmp/stock" || missed=1
	section 'stock, 1 GiB'
	boots 1 'many conns' conn_many >"$tmp/many"
	judge <"$tmp/many" || missed=1
	expect '^conn_' "$tmp/native" "$tmp/stock" "$tmp/many"
}

[ $# -eq 1 ] || usage
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
case $1 in
pool)	bench_pool ;;
buffer)	bench_buffer ;;
ring)	bench_ring ;;
conn)	bench_conn ;;
*)	usage ;;
esac
[ -z "$missed" ] || exit 1
