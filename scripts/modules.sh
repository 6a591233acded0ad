#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# modules.sh debug|native|native-preempt|rt: build all modules of the tree for
# the kernel of a lane and print their names. In a copy of the tree, one for
# each kernel, so that make compiles only what changed.

set -eu -o pipefail

cd "$(dirname "$0")/.."

lane=${1:-}
case $lane in
debug|native|native-preempt)
	kdir=$(scripts/kernel.sh build "$lane")
	;;
rt)
	kdir=$(scripts/kernel.sh rt)/build
	;;
*)
	echo "usage: scripts/modules.sh debug|native|native-preempt|rt" >&2
	exit 2
	;;
esac
case $lane in
native*)	arch=um ;;
*)		arch=x86_64 ;;
esac

copy=$PWD/build/modules/$lane
log=$copy/build.log
mkdir -p "$copy"
tar -c --exclude=.git --exclude=build --exclude='build-*' --exclude='*.o' \
	--exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
	--exclude='.*.cmd' --exclude='*.order' --exclude='*.symvers' . |
tar -x -C "$copy"

# build DIRECTORY [SYMBOLS]
build()
{
	MAKEFLAGS='' make -C "$kdir" ARCH=$arch M="$1" -j"$(nproc)" \
		KBUILD_EXTRA_SYMBOLS="${2:-}" modules >>"$log" 2>&1 || {
		grep -E 'error|warning|\*\*\*' "$log" >&2 || tail -n 20 "$log" >&2
		echo "modules.sh: the modules do not build for $lane" >&2
		exit 1
	}
}

: >"$log"
build "$copy"
# The modules of the benchmark are not built with the others.
if [ -d "$copy/bench/kernel" ]; then
	build "$copy/bench/kernel" "$copy/Module.symvers"
fi
find "$copy" -name '*.ko' | sort
