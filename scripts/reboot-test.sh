#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests that go down while secrets are in use: what does their memory hold when
# the machine has ended, and what when kexec has started another kernel? What is
# in ordinary memory, and all where the module is told to leave it alone, must
# be found.

set -eu -o pipefail

cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh
# shellcheck source=selftests/hits.sh
. selftests/hits.sh
# shellcheck source=selftests/secrecy_cases.sh
. selftests/secrecy_cases.sh

# go_down END ZEROIZE: lines "LABEL NEEDLE COUNT" into $tmp/END-ZEROIZE
go_down()
{
	local last=()

	[ "$1" = kexec ] || last=(--last-search after)
	echo "sh reboot.sh $1 $2" >"$tmp/run.sh"
	scripts/guest.sh --run "$tmp/run.sh" --name "$1" --timeout 900 \
		--needles "$tmp/needles" "${last[@]}" --log "$log-$1-$2.log" \
		kmod/secbuf.ko selftests/kernel/secbuf_policy_test.ko \
		selftests/{reboot,refused,tap}.sh \
		selftests/build/{plant,kexec,empty} \
		"$tmp/needles/guest:needles" "$image:image" \
		>"$tmp/$1-$2" || grep -v '^[a-z]* reboot-' "$tmp/$1-$2" |
			sed 's/^/# /'
}

# is FILE LABEL found|gone MEMORY...
is()
{
	local file=$1 label=$2 what=$3 n

	shift 3
	for memory; do
		n=$(hits_sum <(grep "^$label " "$tmp/$file") "reboot-$memory")
		case $what$n in
		gone0)		n=0 ;;
		*unknown|*0)	n=1 ;;
		found*)		n=0 ;;
		*)		echo "# $n hits"; n=1 ;;
		esac
		tap_result $n "$file: $memory $what $label"
	done
}

# objects FILE WORD: what becomes of new ones while the machine goes down
objects()
{
	for object in pool kpool ring; do
		tap_is "$2" "$(sed -n "s/.*refused: $object //p" \
			"$log-$1.log" | tr -d '\r')" "$1: new $object $2"
	done
}

image=$(scripts/kernel.sh image)
tmp=$(mktemp -d)
log=${1:-$tmp/log}
trap 'rm -rf "$tmp"' EXIT
MAKEFLAGS='' make -s --no-print-directory build/ramsearch
for name in $reboot_cases; do
	build/ramsearch plant "$tmp/needles" "$name"
done

echo 'TAP version 13'
for end in ${SECBUF_ENDS:-reboot kexec}; do
	go_down "$end" 1
	is "$end-1" before found pool kpool conn ring malloc
	is "$end-1" after gone pool kpool conn ring
	is "$end-1" after found malloc
	objects "$end-1" ESHUTDOWN
done
go_down reboot 0
is reboot-0 after found pool kpool conn ring malloc
objects reboot-0 made
tap_end
