# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # tmp
#
# TAP for the scripts, in the words of kselftest.h. Sourced.

tap_pass=0
tap_fail=0
tap_skip=0

tap_nr()
{
	echo $((tap_pass + tap_fail + tap_skip))
}

# tap_result STATUS NAME: 0 is a pass
tap_result()
{
	if [ "$1" -eq 0 ]; then
		tap_pass=$((tap_pass + 1))
		echo "ok $(tap_nr) $2"
	else
		tap_fail=$((tap_fail + 1))
		echo "not ok $(tap_nr) $2"
	fi
}

# tap_is EXPECTED SEEN NAME
tap_is()
{
	if [ "$1" = "$2" ]; then
		tap_result 0 "$3"
	else
		echo "# expected '$1', seen '$2'"
		tap_result 1 "$3"
	fi
}

# tap_check NAME COMMAND...: COMMAND succeeds; its output, in $tmp/log, shows only
# if not
tap_check()
{
	tap_name=$1
	shift
	tap_status=0
	"$@" >"$tmp/log" 2>&1 || tap_status=$?
	[ $tap_status -eq 0 ] || sed 's/^/# /' "$tmp/log"
	tap_result $tap_status "$tap_name"
}

# tap_skip NAME REASON
tap_skip()
{
	tap_skip=$((tap_skip + 1))
	echo "ok $(tap_nr) # SKIP $1: $2"
}

# tap_totals PASS FAIL SKIP ERROR
tap_totals()
{
	echo "# Totals: pass:$1 fail:$2 xfail:0 xpass:0 skip:$3 error:$4"
}

# tap_end: the last words of a script; its status
tap_end()
{
	echo "1..$(tap_nr)"
	tap_totals $tap_pass $tap_fail $tap_skip 0
	[ $tap_fail -eq 0 ]
}
