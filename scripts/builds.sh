#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Compile everything for every kernel, compiler and architecture, in TAP, one
# line each. A warning about one of our files fails it; those of the kernel's
# own headers are the kernel's. Each is built in a copy of the tree, where make
# compiles only what changed. The last lines say how many kernels, compilers and
# builds were without a warning.

# shellcheck disable=SC2317 # attempt calls the functions

set -eu -o pipefail

cd "$(dirname "$0")/.."

# What has the kernel's name, the kernel to ask kernel.sh for, the compiler, the
# architecture and more arguments of make. C=1 is sparse.
sparse='C=1 CF=-D__CHECK_ENDIAN__'
kernels="
6.1		headers				gcc			x86_64	$sparse
6.1-RT		rt				gcc			x86_64	$sparse
6.12		stock612			gcc			x86_64	$sparse
7.3-debug	build debug			gcc			x86_64	$sparse
7.3-native	build native			gcc			um
6.1		tree 6.1 x86_64 clang		clang			x86_64
6.12		tree 6.12 x86_64 clang		clang			x86_64
7.3-debug	tree 7.3 x86_64 clang-19	clang-19		x86_64
6.1		tree 6.1 arm64 aarch64-linux-gnu-gcc	aarch64-linux-gnu-gcc	arm64
6.12		tree 6.12 arm64 aarch64-linux-gnu-gcc	aarch64-linux-gnu-gcc	arm64
7.3		tree 7.3 arm64 aarch64-linux-gnu-gcc	aarch64-linux-gnu-gcc	arm64
"
# Library, tools, selftests and examples. arm64 has no libkmod and OpenSSL here:
# there it is the library with its tests, the echo server and the selftests.
compilers='
gcc			x86_64
clang			x86_64
clang-19		x86_64
aarch64-linux-gnu-gcc	arm64
'
out=$PWD/build/builds
unresolved='undefined!|suppressed [0-9]+ unresolved'
unresolved+='|Module\.symvers is missing'
ours='(kmod|codec|uapi|kernel)/([a-z_]+/)*[a-z_0-9]+\.[ch]:.*(warning|error):'
ran=0 failed=0 built=0 kernels_seen='' compilers_seen=''

usage()
{
	cat <<-'EOT'
	usage: scripts/builds.sh [--list] [--quick|PATTERN]
	  PATTERN  an extended regular expression: only those whose line it matches
	  --quick  some that differ most: old and new, both compilers, arm64; they
	           need no kernel that the other lanes do not need
	  --list   only name them
	EOT
}

# kbuild KDIR ARGUMENT...
kbuild()
{
	MAKEFLAGS='' make -C "$1" -j"$(nproc)" W=1 \
		CONFIG_DEBUG_INFO_BTF_MODULES= "${@:2}" modules
}

# Those of the kernel that no built kernel exports are undefined; those of ours
# are in this build.
complaints()
{
	grep -E "$ours|^(WARNING|ERROR): modpost" "$1" |
	grep -v -E "^WARNING: modpost: .*($unresolved)" |
	cat
	grep -E 'modpost: "secbuf_[a-z_]+" .* undefined!' "$1" | cat
}

# module KERNEL-SH-ARGUMENTS COMPILER ARCH ARGUMENT...
module()
{
	local what=$1 cc=$2 arch=$3 kdir args

	# shellcheck disable=SC2086 # words
	kdir=$(scripts/kernel.sh $what)
	[ "$what" != rt ] && [ "$what" != stock612 ] || kdir+=/build
	args=("ARCH=$arch" "CC=$cc")
	if [ "$arch" = arm64 ]; then
		args+=(CROSS_COMPILE=aarch64-linux-gnu- KBUILD_MODPOST_WARN=1)
	fi
	kbuild "$kdir" "${args[@]}" "${@:4}" M="$dir"
	# they count cycles of x86
	[ "$arch" = arm64 ] ||
		kbuild "$kdir" "${args[@]}" "${@:4}" M="$dir/bench/kernel" \
			KBUILD_EXTRA_SYMBOLS="$dir/Module.symvers"
}

# user COMPILER ARCH
user()
{
	local part kselftest parts='libsecbuf-user selftests examples/echo-server'

	kselftest=$(scripts/kernel.sh source)/tools/testing/selftests
	set -- "$2" "CC=$1" "KSELFTEST=$kselftest"
	if [ "$1" = arm64 ]; then
		set -- "$@" AR=aarch64-linux-gnu-ar
	else
		parts+=' tools examples/ssh-agent'
		MAKEFLAGS='' make -C "$dir/selftests" abi32 "${@:2}"
	fi
	for part in $parts; do
		MAKEFLAGS='' make -j"$(nproc)" -C "$dir/$part" "${@:2}" all
	done
	MAKEFLAGS='' make -j"$(nproc)" -C "$dir/libsecbuf-user" "${@:2}" tests
}

# note LINE: it was built
note()
{
	local name cc

	read -r name cc _ <<<"$1"
	built=$((built + 1))
	compilers_seen+=$cc$'\n'
	[ "$name" = - ] || kernels_seen+=$name$'\n'
}

# proof NAME LINES: how many different ones
proof()
{
	echo "# proof: $1 $(printf %s "$2" | sort -u | wc -l)"
}

# attempt LINE COMMAND...: one line, and the complaints if there are any
attempt()
{
	local line=$1 log status=0 result=ok

	ran=$((ran + 1))
	dir=$out/${line//[^a-zA-Z0-9.]/-}
	dir=${dir//--*(-)/-}
	log=$dir.log
	scripts/copy-tree.sh "$dir"
	( "${@:2}" ) >"$log" 2>&1 </dev/null &
	wait $! || status=$?
	[ -z "$(complaints "$log")" ] || status=1
	if [ $status -ne 0 ]; then
		result='not ok'
		failed=$((failed + 1))
		# what is up to date would not complain again
		rm -rf "$dir"
	else
		note "$line"
	fi
	printf '%-6s %2d - %s\n' "$result" $ran "$line"
	[ $status -eq 0 ] ||
		{ complaints "$log"; grep -E '(error|warning):|\*\*\*' "$log"; } |
		awk '!seen[$0]++ && n++ < 20 { print "#   " $0 }' || true
}

# consider COMMAND... : for the line, if it is wanted
consider()
{
	local line=$1

	[[ $line =~ $pattern ]] || return 0
	if [ -n "$list" ]; then
		echo "$line"
	else
		attempt "$@"
	fi
}

shopt -s extglob
list='' pattern=.
quick='^(6\.1 +gcc |7\.3-debug +clang|7\.3 .*arm64|- +(clang|aarch64[^ ]*) )'
if [ "${1:-}" = --list ]; then
	list=1
	shift
fi
case ${1:-} in
--quick)	pattern=$quick ;;
-*)		usage >&2; exit 2 ;;
?*)		pattern=$1 ;;
esac
[ -n "$list" ] || echo 'TAP version 13'
mkdir -p "$out"

while IFS=$'\t' read -r -u 5 name what cc arch more; do
	[ -n "$name" ] || continue
	# shellcheck disable=SC2086 # words
	consider "$(printf '%-11s %-22s %-7s module%s' "$name" "$cc" "$arch" \
		"${more:+, sparse}")" module "$what" "$cc" "$arch" $more
done 5< <(tr -s '\t' <<<"$kernels")
while IFS=$'\t' read -r -u 5 cc arch; do
	[ -n "$cc" ] || continue
	consider "$(printf '%-11s %-22s %-7s user programs' - "$cc" "$arch")" \
		user "$cc" "$arch"
done 5< <(tr -s '\t' <<<"$compilers")

[ -z "$list" ] || exit 0
proof kernels "$kernels_seen"
proof compilers "$compilers_seen"
echo "# proof: builds $built"
echo "1..$ran"
# shellcheck source=selftests/tap.sh
. selftests/tap.sh
tap_totals $((ran - failed)) $failed 0 0
[ $ran -gt 0 ] && [ $failed -eq 0 ]
