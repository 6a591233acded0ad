#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Verify the models of the ring, over all interleavings, and that each variant
# that is broken on purpose is found to be.

set -eu -o pipefail

cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

# verify MODEL [DEFINE]...: prints "errors states"
verify()
{
	local model=$PWD/$1.pml dir=$tmp/$1

	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	(
		cd "$dir"
		spin -a "${@/#/-D}" "$model" >spin.log
		${CC:-gcc} -O2 -DSAFETY -DMEMLIM=2000 -w -o pan pan.c
		./pan -m200000 >pan.log
	) || return
	awk '/errors:/ { errors = $NF } /states, stored/ { states = $1 }
	     /max search depth too small|out of memory/ { errors = "incomplete" }
	     END { print errors, states }' "$dir/pan.log"
}

# holds WHAT MODEL [DEFINE]...
holds()
{
	local what=$1 errors='' states

	shift
	read -r errors states < <(verify "$@") || true
	if [ "$errors" = 0 ]; then
		echo "$1: $what: holds in all of $states states"
	else
		echo "$1: $what: FAILS (${errors:-not run})"
		cat "$tmp/$1"/*.log
		bad=1
	fi
}

# broken MODEL VARIANT
broken()
{
	local errors='' states

	read -r errors states < <(verify "$1" "$2") || true
	if [ "${errors:-0}" != 0 ] && [ "$errors" != incomplete ]; then
		echo "$1: $2: found after $states states"
	else
		echo "$1: $2: NOT FOUND"
		bad=1
	fi
}

holds 'nobody sleeps for ever, nothing is overwritten' ring MSGS=4 TAKES=0
holds 'nor is memory taken that is being written' ring MSGS=3 TAKES=2
for variant in NO_RECHECK NO_FENCE CLEAR_LATE EARLY_HEAD EARLY_TAIL TAKE_BUSY \
	TAKE_NO_RECHECK UNPARK_ALONE PARK_TWICE; do
	broken ring $variant
done
holds 'several sleepers of one side all wake' bell
for variant in SEEN_EARLY SEEN_ANY RAISE_GOAL; do
	broken bell $variant
done
exit $bad
