#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Prove the contracts in proof/ with Frama-C's WP, over the source of the codec as
# it stands: no access out of bounds, no overflow, pos <= len <= size always,
# nothing changed by what fails. Every goal must be proved, which takes no longer
# than half a second, but machines can be slow.

set -eu -o pipefail

cd "$(dirname "$0")/../proof"
out=../build/proof
jobs=${JOBS:-2}
mkdir -p "$out"
out=$(realpath "$out")

# Which provers there are; nothing of the user's own is touched.
export WHY3CONFIG=$out/why3.conf
why3 config detect >"$out/why3.log" 2>&1 || {
	cat "$out/why3.log" >&2
	exit 1
}

# contracts FILE: the functions that it declares, but for those it believes
contracts()
{
	grep -v '^static inline .*__secbuf_\(load\|store\)[0-9]' "$1" |
	grep -o -E '(^|[ *])_*secbuf_[a-z0-9_]+\(' | tr -d ' *(' |
	sort -u | paste -sd ,
}

# prove NAME
prove()
{
	local log=$out/$1.log start=$SECONDS

	frama-c -machdep gcc_x86_64 -cpp-extra-args=-I../codec \
		-wp -wp-rte -warn-unsigned-overflow -wp-model Typed+Cast \
		-wp-prover cvc4,z3 -wp-timeout 100 -wp-par "$jobs" \
		-wp-fct "$(contracts "$1.c")" "$1.c" >"$log" 2>&1 || {
		tail -n 20 "$log"
		return 1
	}
	awk -v name="$1" -v took=$((SECONDS - start)) '
	/^\[wp\] \[Failed\]|Goal .* : (Failed|Timeout|Unknown)/ { print }
	/^\[wp\] Proved goals:/ {
		print "prove: " name ": " $4 " of " $6 " goals, " took " s"
		good = $4 > 0 && $4 == $6
	}
	END { exit !good }' "$log"
}

status=0
[ $# -gt 0 ] || set -- cursor copy
for name in "$@"; do
	prove "$name" || status=1
done
exit $status
