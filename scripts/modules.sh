#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# modules.sh LANE: build all modules of the tree for the kernel of a lane and
# print their names. In a copy of the tree, one for each kernel, so that make
# compiles only what changed. debug-kcov is debug with a secbuf.ko of which the
# kernel tells what was reached.

set -eu -o pipefail

cd "$(dirname "$0")/.."

lane=${1:-}
arch=x86_64 kcov=''
case $lane in
stock)
	kdir=$(scripts/kernel.sh headers)
	;;
stock612|rt)
	kdir=$(scripts/kernel.sh "$lane")/build
	;;
debug|kcsan)
	kdir=$(scripts/kernel.sh build "$lane")
	;;
debug-kcov)
	kdir=$(scripts/kernel.sh build debug)
	kcov=1
	;;
native|native-preempt)
	kdir=$(scripts/kernel.sh build "$lane")
	arch=um
	;;
*)
	cat >&2 <<-'EOT'
	usage: scripts/modules.sh LANE
	  stock, stock612, rt, debug, debug-kcov, kcsan, native or native-preempt
	EOT
	exit 2
	;;
esac

copy=$PWD/build/modules/$lane
log=$copy/build.log
scripts/copy-tree.sh "$copy"

# build DIRECTORY [SYMBOLS]
build()
{
	MAKEFLAGS='' make -C "$kdir" ARCH=$arch M="$1" -j"$(nproc)" \
		CONFIG_DEBUG_INFO_BTF_MODULES= SECBUF_KCOV=$kcov \
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
