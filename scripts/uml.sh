#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot User Mode Linux and run a script in it: like guest.sh, at native speed,
# but without what needs hardware. Its root is a directory of the host.

set -eu -o pipefail

usage()
{
	cat <<-'EOT'
	usage: scripts/uml.sh --run FILE [OPTION]... SRC[:DEST]...

	Boots UML, copies FILE and every SRC into it, runs "sh FILE" there as root
	in /secbuf and prints its output as it comes.

	  SRC[:DEST]        as in guest.sh
	  --kernel KIND     native (voluntary preemption, the default) or
	                    native-preempt; built if needed
	  --name NAME       what messages call this guest (default: FILE's name)
	  --mem MIB         guest memory (default 512)
	  --timeout SECONDS give up after that long (default 300)
	  --append ARGS     more kernel command line
	  --log FILE        keep the kernel's log

	There are two CPUs. The guest's environment is that of guest.sh, but for
	hostsearch. Modules must be built with KDIR=$(scripts/kernel.sh build KIND)
	and ARCH=um.

	Exit status: 0 if FILE ended with 0 and the kernel has nothing to complain
	about, 1 if not, 2 if misused.
	EOT
}

scripts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/guest-lib.sh
. "$scripts/guest-lib.sh"
options='run name kernel mem timeout append log'
flags=''
kernel=native uml=''

# Its processes are in a session of their own.
cleanup()
{
	[ -z "$uml" ] || kill -KILL -- -"$uml" 2>/dev/null || true
	[ -z "$tmp" ] || rm -rf "$tmp"
}

# The second serial line is what guest-init talks to; the console takes the
# messages of the kernel.
start_uml()
{
	local image

	image=$("$scripts/kernel.sh" build "$kernel")/image
	mkfifo "$tmp/from"
	# What hogs a CPU for two minutes is no machine that stood still.
	# shellcheck disable=SC2086 # $append is words
	TMPDIR=$(ram_dir) setsid "$image" mem="${mem}M" ncpus=2 seccomp=on \
		rootfstype=hostfs rootflags="$tmp/root" rw init=/init \
		con=null con0=null,fd:1 ssl=null ssl1=null,fd:3 printk.time=1 loglevel=7 \
		oops=panic panic=-1 kunit.enable=1 kunit.autorun=1 \
		kunit.timeout=900 rcupdate.rcu_cpu_stall_timeout=120 $append \
		</dev/null 3>"$tmp/from" >"$log" 2>&1 &
	uml=$!
	disown "$uml"		# no word from bash about how it ended
	exec 4<"$tmp/from"
}

parse_args "$@"
trap cleanup EXIT
trap 'exit 143' TERM HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
tmp=$(mktemp -d)
log=${log:-$tmp/kernel.log}
: >"$log"
: >"$tmp/machine.err"
make_root "$tmp/root"
start_uml
converse
judge
