#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Who may open the device, with what "make install-packaging" installs: runs
# packaging/node_test.sh in a guest, with Debian's udev.

set -eu -o pipefail

cd "$(dirname "$0")/.."
udev=$(scripts/kernel.sh udev)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
MAKEFLAGS='' make -s --no-print-directory install-packaging DESTDIR="$tmp" \
	>/dev/null
scripts/guest.sh --run packaging/node_test.sh --name node \
	${1:+--log "$1"} kmod/secbuf.ko selftests/tap.sh \
	selftests/build/counters "$tmp/usr/lib:/usr/lib" \
	"$udev/bin/udevadm:/bin/udevadm" \
	"$udev/bin/systemd-sysusers:/bin/systemd-sysusers"
