#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the benchmarks of one area and hold them against bench/limits. One line
# per figure:
#
#	name value unit peer peer_value ratio limit verdict
#
# The native lane runs in User Mode Linux with voluntary preemption, for which
# the limits are, and for information with full preemption. The stock lane
# counts instructions.

set -eu -o pipefail

cd "$(dirname "$0")/.."
boots=3
missed=''

usage()
{
	echo "usage: scripts/bench.sh pool" >&2
	exit 2
}

# judge [nolimits]: a table of the lines in standard input. Of lines of the same
# name, from several boots, the one with the median ratio counts.
judge()
{
	local limits=bench/limits

	[ $# -eq 0 ] || limits=/dev/null
	# in the order of their first appearance
	awk '!($1 in nr) { nr[$1] = ++last } { print nr[$1], $0 }' |
	sort -s -k 1,1n -k 7,7g | cut -d ' ' -f 2- | awk -v limits="$limits" '
	function show(name, from, n,    i, field, bound, verdict) {
		i = from + int((n - 1) / 2)
		split(line[i], field)
		bound = "-"
		verdict = "-"
		if (name in limit) {
			bound = sign[name] limit[name]
			verdict = "ok"
			if ((sign[name] == "<=" && field[6] > limit[name]) ||
			    (sign[name] == ">=" && field[6] < limit[name])) {
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

# section TEXT: with the names of the columns
section()
{
	echo "# $1"
	printf '%-28s %9s %-12s %-18s %9s %7s %7s %s\n' '# name' value unit \
		peer peer_value ratio limit verdict
}

pool_native()
{
	local kernel=$1 dir=$PWD/build/modules/$1 i

	scripts/modules.sh "$kernel" >/dev/null
	for ((i = 0; i < boots; i++)); do
		scripts/uml.sh --run bench/pool_native.sh --kernel "$kernel" \
			--mem 1024 "$dir/kmod/secbuf.ko" \
			"$dir/bench/kernel/bench_pool.ko"
	done
}

pool_stock()
{
	make -s --no-print-directory module
	make -s --no-print-directory -C bench all
	scripts/guest.sh --run bench/pool_stock.sh --icount \
		kmod/secbuf.ko bench/build/bench_ioctl
}

# Where others compute too, those figures are wrong that need both CPUs.
warn_if_busy()
{
	local load

	read -r load _ </proc/loadavg
	if [ "${load%.*}" -ge 1 ]; then
		echo "bench.sh: the load is $load: wait until it is below 1" >&2
	fi
}

bench_pool()
{
	warn_if_busy
	section 'native, voluntary preemption'
	pool_native native >"$tmp/native"
	judge <"$tmp/native" || missed=1
	section 'native, full preemption: no limits'
	pool_native native-preempt >"$tmp/preempt"
	judge nolimits <"$tmp/preempt"
	section 'stock, counted instructions'
	pool_stock >"$tmp/stock"
	judge <"$tmp/stock" || missed=1
}

[ $# -eq 1 ] || usage
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
case $1 in
pool)	bench_pool ;;
*)	usage ;;
esac
[ -z "$missed" ] || exit 1
