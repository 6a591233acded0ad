# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Waiting for what comes, however slow the machine is. Sourced.

# wait_for COMMAND...: until it succeeds; fails if it has not after a minute or
# more, when it never will
wait_for()
{
	wait_tries=600
	until "$@"; do
		wait_tries=$((wait_tries - 1))
		[ $wait_tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# has_ended PID: of a process that is not ours to wait for
has_ended()
{
	! [ -d "/proc/$1" ] || grep -q "^State:.*Z" "/proc/$1/status" 2>/dev/null
}
