#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# breaks.sh [--races] [--list] [PATTERN]: see the selftests fail. For each line
# of selftests/breaks build a module that is broken in that way, then run the test
# that is named there with each of them, in one guest. In TAP: a test that still
# passes has failed. With --races those of selftests/breaks-races, of which the
# kernel of the kcsan lane must tell. PATTERN is an extended regular expression:
# only those breaks whose line it matches.

set -eu -o pipefail

cd "$(dirname "$0")/.."

table=selftests/breaks
list='' races='' run='sh breaks.sh' options=()
if [ "${1:-}" = --races ]; then
	table=selftests/breaks-races
	races=1
	shift
fi
if [ "${1:-}" = --list ]; then
	list=1
	shift
fi
pattern=${1:-.}
if [ $# -gt 1 ] || [[ $pattern == -* ]]; then
	echo "usage: scripts/breaks.sh [--races] [--list] [PATTERN]" >&2
	exit 2
fi
mapfile -t breaks < <(grep -v '^#' $table | grep -E "$pattern")
if [ ${#breaks[@]} -eq 0 ]; then
	echo "breaks.sh: $table has no '$pattern'" >&2
	exit 1
fi
if [ -n "$list" ]; then
	printf '%s\n' "${breaks[@]}" | cut -f 1-3
	exit
fi

if [ -n "$races" ]; then
	kdir=$(scripts/kernel.sh build kcsan)
	export SECBUF_KERNEL=$kdir/image
	run='sh kcsan.sh sh breaks.sh'
	# That is what is to be seen.
	options=(--harmless 'BUG: KCSAN: data-race in')
else
	kdir=$(scripts/kernel.sh headers)
fi
kselftest=$(scripts/kernel.sh source)/tools/testing/selftests
gdb=$(scripts/kernel.sh gdb)
out=$PWD/build/breaks${races:+-races}
tree=$out/tree
modules=$out/modules
rm -rf "$modules"
mkdir -p "$modules"

# build NAME: the module of the copied tree
build()
{
	make -C "$tree" --no-print-directory -s module KDIR="$kdir" \
		>"$out/$1.log" 2>&1 || {
		echo "breaks.sh: the module does not build with $1:" >&2
		grep -E 'error|\*\*\*' "$out/$1.log" >&2
		exit 1
	}
}

make -s -C selftests all KSELFTEST="$kselftest"
scripts/copy-tree.sh "$tree"
for line in "${breaks[@]}"; do
	IFS=$'\t' read -r name test file expression <<<"$line"
	echo "# building $name" >&2
	sed "$expression" "$file" >"$tree/$file"
	if cmp -s "$file" "$tree/$file"; then
		echo "breaks.sh: $name finds nothing to change in $file" >&2
		exit 1
	fi
	build "$name"
	strip --strip-debug -o "$modules/$name.ko" "$tree/kmod/secbuf.ko"
	cp "$file" "$tree/$file"
	printf '%s\t%s\n' "$name" "$test"
done >"$modules/tests"

mapfile -t programs < <(cut -f 2 "$modules/tests" | sed 's/:.*//' | sort -u |
	while read -r program; do
		ls selftests/build/"$program" "selftests/$program.sh" 2>/dev/null || true
	done)
echo "$run" >"$out/run.sh"
scripts/guest.sh --run "$out/run.sh" --name breaks \
	--timeout $((900 + 120 * ${#breaks[@]})) --log "$out/kernel.log" \
	"${options[@]}" \
	"$modules:breaks" selftests/{breaks,kcsan,tap}.sh \
	selftests/build/counters \
	"$gdb:/bin/gdb" \
	"${programs[@]}"
