#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Load kmod/secbuf.ko into the running kernel, or remove it.

set -eu

module=$(cd "$(dirname "$0")/.." && pwd)/kmod/secbuf.ko
running=$(uname -r)
PATH=$PATH:/usr/sbin:/sbin

die()
{
	echo "$*" >&2
	exit 1
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "only root can: sudo make $1"
}

need_modules()
{
	[ -e /proc/modules ] ||
		die "the running kernel $running has no loadable modules"
}

# build_hint: how to get a module for the running kernel
build_hint()
{
	[ -d "/lib/modules/$running/build" ] ||
		printf '%s, then ' "install linux-headers-$running"
	echo "make module KDIR=/lib/modules/$running/build"
}

load()
{
	local built

	need_modules
	[ -e "$module" ] || die "kmod/secbuf.ko is not built: $(build_hint)"
	built=$(modinfo -F vermagic "$module" | cut -d ' ' -f 1)
	[ "$built" = "$running" ] ||
		die "kmod/secbuf.ko is built for $built, this is $running:" \
		    "$(build_hint)"
	need_root load
	insmod "$module" || die "the kernel refused kmod/secbuf.ko, see dmesg"
	echo "secbuf is loaded"
}

unload()
{
	need_modules
	need_root unload
	[ -d /sys/module/secbuf ] || die "secbuf is not loaded"
	rmmod secbuf || die "secbuf is in use"
	echo "secbuf is unloaded"
}

case ${1:-} in
load|unload)	"$1" ;;
*)		die "usage: scripts/load.sh load|unload" ;;
esac
