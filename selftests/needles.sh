#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# needles.sh DIR: make the secrets of secrecy_test.sh, crowd_test.sh and
# policy_test.sh, on the host. The guest gets DIR/guest as "needles", the search
# gets DIR.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
ramsearch=${RAMSEARCH:-$here/../build/ramsearch}

if [ $# -ne 1 ]; then
	echo "usage: needles.sh DIR" >&2
	exit 2
fi

# shellcheck source=selftests/secrecy_cases.sh
. "$here/secrecy_cases.sh"

for name in $secrecy_cases $secrecy_controls $crowd_cases $crowd_control \
		$policy_cases; do
	"$ramsearch" plant "$1" "$name"
done
