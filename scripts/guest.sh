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
	  --mem MIB         guest memory (default 512)
	  --timeout SECONDS give up after that long (default 300)
	  --append ARGS     more kernel command line
	  --log FILE        keep the kernel's log

	In the guest:
	  hostsearch LABEL  stops the guest, searches all its RAM for each needle,
	                    prints one line "LABEL NEEDLE COUNT" per needle
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
name='' run='' needles='' append='' log=''
mem=512 timeout=300
sources=()
tmp='' qemu=''

say()
{
	echo "guest ${name:-.sh}: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

misused()
{
	echo "guest.sh: $* (see scripts/guest.sh --help)" >&2
	exit 2
}

cleanup()
{
	[ -z "$qemu" ] || kill -KILL "$qemu" 2>/dev/null || true
	[ -z "$tmp" ] || rm -rf "$tmp"
}

parse_args()
{
	while [ $# -gt 0 ]; do
		case $1 in
		-h|--help)	usage; exit 0 ;;
		--run|--name|--needles|--mem|--timeout|--append|--log)
			[ $# -ge 2 ] || misused "$1 needs a value"
			declare -g "${1#--}=$2"
			shift
			;;
		-*)	misused "unknown option $1" ;;
		*)	sources+=("$1") ;;
		esac
		shift
	done
	[ -n "$run" ] || misused "--run FILE is missing"
	[ -f "$run" ] || misused "no such file: $run"
	[ -z "$needles" ] || [ -d "$needles" ] || misused "not a directory: $needles"
	case $mem$timeout in
	*[!0-9]*)	misused "--mem and --timeout take a number" ;;
	esac
	name=${name:-$(basename "$run")}
}

#
# The initramfs
#

# Bring the shared libraries of every program below $1, under the same names.
add_libraries()
{
	local file lib out

	find "$1" -type f | while read -r file; do
		[ "$(head -c 4 "$file" | tr -d '\0')" = $'\x7fELF' ] || continue
		case $file in *.ko|*.o|*.a) continue ;; esac
		out=$(ldd "$file" 2>/dev/null) || continue	# static
		case $out in
		*'not found'*)
			die "$file: $(echo "$out" | grep 'not found' |
				      head -n 1 | xargs)"
			;;
		esac
		echo "$out" | grep -o '/[^ ]*'
	done | sort -u | while read -r lib; do
		[ -e "$root$lib" ] || install -D "$lib" "$root$lib"
	done
}

add_source()
{
	local src=$1 dest=''

	case $src in
	*:*)	dest=${src##*:} src=${src%:*} ;;
	esac
	[ -e "$src" ] || misused "no such file: $src"
	dest=${dest:-$(basename "$src")}
	case $dest in
	/*)	dest=$root$dest ;;
	*)	dest=$root/secbuf/$dest ;;
	esac
	mkdir -p "$(dirname "$dest")"
	cp -rLT "$src" "$dest"
}

make_initramfs()
{
	local root=$tmp/root src script

	mkdir -p "$root"/{bin,dev,etc,proc,root,run,sys,tmp,usr/bin,secbuf}
	chmod 700 "$root/root"
	busybox=$(command -v busybox) || die "no busybox: run scripts/deps.sh demo"
	cp "$busybox" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	install -m 755 "$scripts/guest-init" "$root/init"
	install -m 755 "$scripts/guest-hostsearch" "$root/bin/hostsearch"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'nobody:x:65534:65534:nobody:/:/bin/false' >>"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"

	for src in ${sources[@]+"${sources[@]}"}; do
		add_source "$src"
	done
	script=$(basename "$run")
	cp "$run" "$root/secbuf/$script"
	echo "$script" >"$root/etc/secbuf-script"
	add_libraries "$root"

	(cd "$root" && find . -print0 |
	 cpio --quiet -0 -o -H newc -R 0:0) >"$tmp/initramfs"
	rm -rf "$root"
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

# Where there is room: /dev/shm may be tiny.
ram_dir()
{
	local dir free cache

	cache=$("$scripts/kernel.sh" cache)
	mkdir -p "$cache"
	for dir in /dev/shm "${TMPDIR:-/tmp}" "$cache"; do
		[ -w "$dir" ] || continue
		free=$(df --output=avail -m "$dir" | tail -n 1)
		if [ "$free" -gt $((mem + 64)) ]; then
			echo "$dir"
			return
		fi
	done
	die "no $mem MiB free in /dev/shm, ${TMPDIR:-/tmp} or $cache"
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
	local accel cpu kernel

	command -v qemu-system-x86_64 >/dev/null ||
		die "no QEMU: run scripts/deps.sh demo"
	kernel=${SECBUF_KERNEL:-$("$scripts/kernel.sh" image)}
	read -r accel cpu < <(choose_accel)
	case $accel in
	kvm)	cpu=${cpu:-host} ;;
	# QEMU 7.2's emulation of cmpxchg16b is not atomic between two CPUs.
	tcg)	accel=tcg,thread=multi cpu=max,-cx16 ;;
	*)	misused "SECBUF_ACCEL is neither kvm nor tcg" ;;
	esac
	open_ram

	mkfifo "$tmp/to" "$tmp/from"
	ulimit -c 0
	# The kernel's watchdogs expect more than an emulated CPU can do.
	setpriv --pdeathsig KILL qemu-system-x86_64 \
		-nodefaults -no-user-config -display none -no-reboot \
		-accel "$accel" -cpu "$cpu" -smp 2 -m "${mem}M" \
		-object "memory-backend-file,id=ram,size=${mem}M,mem-path=/proc/self/fd/9,share=on" \
		-machine q35,memory-backend=ram \
		-kernel "$kernel" -initrd "$tmp/initramfs" \
		-append "console=ttyS0 loglevel=7 oops=panic panic=-1 \
watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 $append" \
		-serial "file:$log" \
		-chardev stdio,id=line,signal=off -serial chardev:line \
		<"$tmp/to" >"$tmp/from" 2>"$tmp/qemu.err" &
	qemu=$!
	disown "$qemu"		# no word from bash about how it ended
	exec 3>"$tmp/to" 4<"$tmp/from"
}

#
# The conversation
#

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

# Sets status and taint if the guest reported them.
converse()
{
	local deadline=$((SECONDS + timeout)) line rc
	local report='^(.*)@@exit ([0-9]+) ([0-9]+)$'

	while [ "$SECONDS" -lt "$deadline" ]; do
		rc=0
		IFS= read -r -t $((deadline - SECONDS)) -u 4 line || rc=$?
		if [[ $line =~ $report ]]; then
			line=${BASH_REMATCH[1]}
			status=${BASH_REMATCH[2]}
			taint=${BASH_REMATCH[3]}
			[ -z "$line" ] || printf '%s\n' "$line"
		elif [[ $line == '@@search '* ]]; then
			answer_search "${line#@@search }"
		elif [ -n "$line" ] || [ $rc -eq 0 ]; then
			printf '%s\n' "$line"
		fi
		[ $rc -eq 0 ] || [ $rc -gt 128 ] || return 0	# QEMU ended
	done
	timed_out=1
}

#
# The verdict
#

splats='BUG:|\] WARNING:|\[ cut here \]|Oops:|general protection fault[,:]'
splats+='|KASAN:|KFENCE:|KCSAN:|UBSAN:|[Bb]ad page|refcount_t:|Kernel panic'
splats+='|detected stall|self-detected|soft lockup|hard LOCKUP|blocked for more'
splats+='|[Oo]bjects remaining|leaked|unreferenced object|inconsistent lock'
splats+='|recursive locking|circular locking|suspicious RCU|kernel BUG at'
splats+='|scheduling while atomic|sleeping function called|Slab corruption'
splats+='|Unable to handle|double fault|stack guard page'

show_log()
{
	sed 's/^/  /' >&2
}

judge()
{
	local allowed=$((4096 | 8192))	# out of tree, unsigned

	if grep -a -q -E "$splats" "$log"; then
		grep -a -E -A 30 -m 1 "$splats" "$log" | show_log
		die "the kernel complained"
	fi
	if [ -n "$timed_out" ]; then
		tail -n 15 "$log" | show_log
		die "no end after $timeout seconds"
	fi
	if [ -z "$status" ]; then
		{ cat "$tmp/qemu.err"; tail -n 15 "$log"; } | show_log
		die "the guest ended without a report"
	fi
	if [ $((taint & ~allowed)) -ne 0 ]; then
		tail -n 30 "$log" | show_log
		die "the kernel is tainted: $taint"
	fi
	[ "$status" -eq 0 ] || die "$(basename "$run") ended with status $status"
}

parse_args "$@"
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
start_qemu
status='' taint='' timed_out=''
converse
judge
