#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# How much of codec/ the tests in user space reach, of each file and altogether:
# all lines, and more than 95 of 100 branches, or it fails.

set -eu -o pipefail

cd "$(dirname "$0")/.."
out=$PWD/build/coverage
kselftest=$(scripts/kernel.sh source)/tools/testing/selftests
tests='copy_test cursor_test buffer_test'
left_out='^codec/vectors.h$'

if ! grep -q avx512vl /proc/cpuinfo; then
	echo "coverage: no AVX-512VL here, so copy.c and simd.h do not count"
	left_out='^codec/(vectors.h|copy.c|simd.h)$'
fi

rm -rf "$out"
mkdir -p "$out"
# The harness ends its children by _exit(), which writes no counts; threads count
# the same lines.
# shellcheck disable=SC2046 # names
make -s --no-print-directory -C libsecbuf-user O="$out" KSELFTEST="$kselftest" \
	CFLAGS='-O0 -g --coverage -fprofile-update=atomic' CPPFLAGS=-D_exit=exit \
	$(printf "$out/%s " $tests)
for test in $tests; do
	"$out/$test" >"$out/$test.log" || {
		grep -v '^ok ' "$out/$test.log"
		exit 1
	}
done

# One line for each line and each branch of the codec, once for each object.
( cd libsecbuf-user && gcov -b -c -t "$out"/*.gcda 2>/dev/null ) |
awk -v left_out="$left_out" '
	/^ *-: *0:Source:/ {
		file = $0
		sub(/.*Source:/, "", file)
		sub(/.*codec\//, "codec/", file)
		mine = file ~ /^codec\/[a-z]*\.[ch]$/ && file !~ left_out
		next
	}
	!mine { next }
	/^ *[0-9#=]+\*?: *[0-9]+:/ {
		split($0, part, ":")
		line = part[2] + 0
		nr = 0
		taken = part[1] !~ /[#=]/ ? part[1] + 0 : 0
		print "line", file, line, 0, taken
	}
	/^branch / {
		print "branch", file, line, nr++, ($3 == "taken" ? $4 + 0 : 0)
	}' >"$out/counts"

awk '
{
	key = $1 " " $2 " " $3 " " $4
	if (!(key in count))
		count[key] = 0
	count[key] += $5
}
END {
	for (key in count) {
		split(key, part, " ")
		all[part[1]]++
		of[part[2] " " part[1]]++
		files[part[2]]
		if (count[key]) {
			hit[part[1]]++
			in_file[part[2] " " part[1]]++
		} else if (part[1] == "line") {
			print part[2] ":" part[3] ": never run"
		}
	}
	for (file in files)
		printf "coverage: %-18s %3d of %3d lines, %3d of %3d branches\n", \
			file, in_file[file " line"], of[file " line"], \
			in_file[file " branch"], of[file " branch"]
	printf "coverage: %-18s %.1f %% of lines, %.1f %% of branches\n", "codec/", \
		100 * hit["line"] / all["line"], \
		100 * hit["branch"] / all["branch"]
	exit !(hit["line"] == all["line"] && \
	       hit["branch"] > 0.95 * all["branch"])
}' "$out/counts" | sort
