#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot one throwaway guest on Debian's stock kernel and run a script in it.
#
# The guest has no disk and no network: an initramfs carries busybox, the
# script and the files it needs.  Its RAM is a host file, so that the script
# can have all of it searched from outside (hostsearch, scripts/ramsearch.c).

set -eu -o pipefail

usage()
{
	cat <<-'EOT'
	usage: scripts/guest.sh --run FILE [OPTION]... SRC[:DEST]...

	Boots a guest, copies FILE and every SRC into it, runs "sh FILE" there as
	root in /secbuf and prints its output as it comes.

	  SRC[:DEST]        file or directory; DEST is its full name in the guest,
	                    relative to /secbuf; default: the last part of SRC.
	                    Programs bring their shared libraries.
	  --name NAME       what messages call this guest (default: FILE's name)
	  --needles DIR     hostsearch looks for the bytes of each DIR/NAME.needle
	  --last-search LABEL
	                    searches once more when the machine has ended
	  --mem MIB         guest memory (default 512)
	  --timeout SECONDS give up after that long (default 300)
	  --append ARGS     more kernel command line
	  --log FILE        keep the kernel's log
	  --harmless TEXT   no complaint of the kernel: lines with TEXT
	  --icount          one emulated CPU whose clock counts instructions, one
	                    per ns: path lengths that repeat
	  --cpuflags FLAGS  features of an emulated CPU, as QEMU's -cpu takes them,
	                    such as -erms

	In the guest:
	  hostsearch LABEL  stops the guest, searches all its RAM for each needle,
	                    prints one line "LABEL NEEDLE COUNT" per needle
	  /run/end          if the script leaves it, runs instead of poweroff:
	                    "reboot -f" ends the machine, too
	  PATH is /bin:/usr/bin:/secbuf, /bin is busybox, HOME is /root, standard
	  input is /dev/null; proc, sysfs, devtmpfs, debugfs, tracefs and cgroup2 are
	  mounted, /tmp, /run and /dev/shm are empty.

	On the host, "make build/ramsearch" builds the tool that makes needles:
	  build/ramsearch plant DIR NAME [FILE]
	                    32 random bytes (or FILE) in DIR/NAME.needle, its halves
	                    in NAME.lo.needle and NAME.hi.needle; DIR/guest/NAME.mask
	                    xor DIR/guest/NAME.masked is the secret: pass only these
	                    two to the guest.

	Exit status: 0 if FILE ended with 0 and the kernel has nothing to complain
	about, 1 if not, 2 if misused.

	Environment: SECBUF_ACCEL=kvm|tcg and SECBUF_KERNEL=IMAGE overrule the choice.
	EOT
}

scripts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/guest-lib.sh
. "$scripts/guest-lib.sh"
options='run name needles last-search mem timeout append log harmless cpuflags'
flags='icount'
needles='' last_search='' icount='' cpuflags='' qemu=''

cleanup()
{
	[ -z "$qemu" ] || kill -KILL "$qemu" 2>/dev/null || true
	[ -z "$tmp" ] || rm -rf "$tmp"
}

make_initramfs()
{
	make_root "$tmp/root"
	install -m 755 "$scripts/guest-hostsearch" "$tmp/root/bin/hostsearch"
	(cd "$tmp/root" && find . -print0 |
	 cpio --quiet -0 -o -H newc -R 0:0) >"$tmp/initramfs"
	rm -rf "$tmp/root"
}

#
# The machine
#

# A KVM that exists may still be unable to boot a guest, so believe only a boot
# that was tried, once per boot of the host.  Some hosts refuse the guest an MSR
# that "-cpu host" offers, hence the second try.
probe_kvm()
{
	local cpu

	say "trying KVM"
	echo true >"$tmp/true"
	for cpu in host host,-arch-capabilities; do
		if SECBUF_ACCEL="kvm $cpu" "$0" --run "$tmp/true" \
				--timeout 10 >/dev/null 2>&1; then
			echo "kvm $cpu"
			return
		fi
	done
	say "KVM cannot boot a guest here, emulating"
	echo tcg
}

# Prints an accelerator and, optionally, a CPU.
choose_accel()
{
	local cache host known='' answer

	if [ -n "${SECBUF_ACCEL:-}" ] || [ ! -w /dev/kvm ]; then
		echo "${SECBUF_ACCEL:-tcg}"
		return
	fi
	cache=$("$scripts/kernel.sh" cache)
	host="$(cat /proc/sys/kernel/random/boot_id)"
	host="$host $(qemu-system-x86_64 --version | head -n 1)"
	[ ! -e "$cache/accel" ] || known=$(cat "$cache/accel")
	case $known in
	"$host: "*)
		answer=${known#"$host: "}
		;;
	*)
		answer=$(probe_kvm)
		mkdir -p "$cache"
		echo "$host: $answer" >"$tmp/accel"
		mv "$tmp/accel" "$cache/accel"
		;;
	esac
	echo "$answer"
}

# Only descriptor 9 ever holds the RAM file: QEMU opens it through /proc, and
# it is gone with the last process whatever happens.
open_ram()
{
	local dir file

	dir=$(ram_dir)
	file=$(umask 077 && mktemp "$dir/secbuf-ram.XXXXXX")
	exec 9<>"$file"
	rm "$file"
	truncate -s "${mem}M" /proc/self/fd/9
}

start_qemu()
{
	local accel cpu kernel cpus=2

	command -v qemu-system-x86_64 >/dev/null ||
		die "no QEMU: run scripts/deps.sh demo"
	kernel=${SECBUF_KERNEL:-$("$scripts/kernel.sh" image)}
	if [ -n "$icount" ]; then
		accel=tcg cpu=''
	else
		read -r accel cpu < <(choose_accel)
	fi
	case $accel in
	kvm)	cpu=${cpu:-host} ;;
	# QEMU 7.2's emulation of cmpxchg16b is not atomic between two CPUs.
	tcg)	accel=tcg,thread=multi cpu=max,-cx16${cpuflags:+,$cpuflags} ;;
	*)	misused "SECBUF_ACCEL is neither kvm nor tcg" ;;
	esac
	if [ -n "$icount" ]; then
		accel='tcg -icount shift=0,sleep=off' cpus=1
	fi
	open_ram

	rm -f "$tmp/to" "$tmp/from"
	mkfifo "$tmp/to" "$tmp/from"
	ulimit -c 0
	# The kernel's watchdogs expect more than an emulated CPU can do.
	# shellcheck disable=SC2086 # $accel may be several words
	setpriv --pdeathsig KILL qemu-system-x86_64 \
		-nodefaults -no-user-config -display none -no-reboot \
		-accel $accel -cpu "$cpu" -smp $cpus -m "${mem}M" \
		-object "memory-backend-file,id=ram,size=${mem}M,mem-path=/proc/self/fd/9,share=on" \
		-machine q35,memory-backend=ram \
		-kernel "$kernel" -initrd "$tmp/initramfs" \
		-append "console=ttyS0 loglevel=7 oops=panic panic=-1 no_timer_check \
watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 $append" \
		-serial "file:$log" \
		-chardev stdio,id=line,signal=off -serial chardev:line \
		<"$tmp/to" >"$tmp/from" 2>"$tmp/machine.err" &
	qemu=$!
	disown "$qemu"		# no word from bash about how it ended
	exec 3>"$tmp/to" 4<"$tmp/from"
}

#
# The conversation
#

# What the memory holds when nobody runs any more.
search_last()
{
	local found

	while kill -0 "$qemu" 2>/dev/null; do
		sleep 0.1
	done
	found=$("$ramsearch" search /proc/self/fd/9 "$needles"/*.needle) ||
		die "the search failed"
	while read -r found; do
		echo "$last_search $found"
	done <<<"$found"
}

# Needles are counted while the guest stands still, so that nothing moves
# from behind the search to before it.
answer_search()
{
	local found

	if [ -z "$needles" ]; then
		echo "@@fail guest.sh was not given --needles" >&3
		return
	fi
	kill -STOP "$qemu"
	if found=$("$ramsearch" search /proc/self/fd/9 "$needles"/*.needle); then
		kill -CONT "$qemu"
		while read -r found; do
			echo "$1 $found" >&3
		done <<<"$found"
		echo "@@end" >&3
	else
		kill -CONT "$qemu"
		echo "@@fail the search failed on the host" >&3
	fi
}

# Did the script begin? The kernel's log has it from guest-init.
has_begun()
{
	grep -q -a 'secbuf guest: .* starts' "$log"
}

parse_args "$@"
[ -z "$needles" ] || [ -d "$needles" ] || misused "not a directory: $needles"
[ -z "$last_search" ] || [ -n "$needles" ] ||
	misused "--last-search needs --needles"
trap cleanup EXIT
trap 'exit 143' TERM HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
tmp=$(mktemp -d)
log=${log:-$tmp/kernel.log}
: >"$log"
if [ -n "$needles" ]; then
	ramsearch=$scripts/../build/ramsearch
	MAKEFLAGS='' make -s --no-print-directory -C "$scripts/.." build/ramsearch
fi
make_initramfs
for boot in 1 2 3; do
	again=''
	start_qemu
	converse
	# A kernel that died before that was in trouble, too.
	[ -n "$again$timed_out" ] || has_begun || again=1
	[ -n "$status$timed_out" ] || ! met_ghost || again=1
	[ -n "$again" ] || break
	say "boot $boot: trouble before the script began, or of the emulator:"
	complaints -m 1 | show_log || true
done
judge
[ -z "$last_search" ] || search_last
