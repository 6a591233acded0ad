# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Steps of a long run: each is a command with a log of its own, and one line when
# it is done. A step that prints TAP counts as many tests as it says, any other
# as one. Steps may run beside each other, as they keep their results in files.
# Sourced from the top of the tree.

# steps_begin DIR: where logs and results go. If $steps_beside is not empty, steps
# run beside each other, and a line is printed when it is complete.
steps_begin()
{
	logs=$1
	rm -rf "$logs"
	mkdir -p "$logs"
	: >"$logs/.results"
	: >"$logs/.failures"
}

# tap_totals LOG: prints passed, failed and skipped. A program that printed a
# TAP header but no totals died, which is a failure. Nothing at all: no TAP.
tap_totals()
{
	awk '
	/^TAP version/ { programs++ }
	/^# Totals:/ {
		programs--
		seen = 1
		for (i = 3; i <= NF; i++) {
			split($i, part, ":")
			n[part[1]] += part[2]
		}
	}
	END {
		if (programs > 0)
			n["error"] += programs
		if (seen || programs > 0)
			print n["pass"] + n["xfail"], \
			      n["fail"] + n["xpass"] + n["error"], n["skip"] + 0
	}' "$1"
}

# count LOG STATUS: adds to the results, says how it went in $result
count()
{
	local good bad skip totals

	totals=$(tap_totals "$1")
	if [ -z "$totals" ]; then
		[ "$2" -eq 0 ] && totals='1 0 0' || totals='0 1 0'
		[ "$2" -eq 0 ] && result=ok || result=FAILED
	fi
	read -r good bad skip <<<"$totals"
	if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	echo "$good $bad $skip" >>"$logs/.results"
	[ -n "$result" ] || result="$good passed"
	[ "$bad" -eq 0 ] || result="FAILED ($bad of $((good + bad)))"
	[ "$skip" -eq 0 ] || result+=", $skip skipped"
	[ "$bad" -eq 0 ]
}

# step_failed NAME REASON...: to be named at the end, too
step_failed()
{
	echo '0 1 0' >>"$logs/.results"
	printf '%s\n' "$@" >>"$logs/.failures"
}

# step LANE NAME COMMAND... What failed in it is shown below its line.
step()
{
	local lane=$1 name=$2 log start=${EPOCHREALTIME/./} status=0 result=''
	local head tenths

	shift 2
	log=$logs/$lane-${name//[ ,]/-}.log
	printf -v head '%-8s %-34s' "$lane" "$name"
	if [ -z "${steps_beside:-}" ]; then
		printf '%s' "$head"
		head=''
	fi
	# In the background: a function called in a condition ignores set -e.
	( "$@" ) >"$log" 2>&1 </dev/null &
	wait $! || status=$?
	count "$log" $status || status=1
	tenths=$(((${EPOCHREALTIME/./} - start) / 100000))
	printf '%s%5d.%d s  %s\n' "$head" $((tenths / 10)) \
		$((tenths % 10)) "$result"
	[ $status -ne 0 ] || return 0
	scripts/failures.sh "$log" | sed 's/^/    /'
	echo "    full log: ${log#"$PWD/"}"
	{
		echo "$lane $name: $result"
		scripts/failures.sh --short "$log" | sed 's/^/    /'
	} >>"$logs/.failures"
}

# lane_step LANE NAME PART...: a part of the tests, see lane.sh
lane_step()
{
	step "$1" "$2" scripts/lane.sh "$1" "${@:3}" \
		--log "$logs/$1-$3-kernel.log"
}

# steps_end [LINE...]: what failed, LINEs, the totals. Fails if a step has.
steps_end()
{
	local passed failed skipped

	read -r passed failed skipped < <(awk '
		{ good += $1; bad += $2; skip += $3 }
		END { print good + 0, bad + 0, skip + 0 }' "$logs/.results")
	if [ -s "$logs/.failures" ]; then
		echo "failed:"
		cat "$logs/.failures"
	fi
	[ $# -eq 0 ] || printf '%s\n' "$@"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
