# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # guest.sh and uml.sh share variables
#
# What guests have in common: arguments, the files, the verdict. The scripts
# that source this set $scripts, $options (with a value) and $flags (without),
# and define usage().

name='' run='' append='' log='' harmless='' again=''
mem=512 timeout=300
sources=()
tmp=''
status='' taint='' timed_out=''

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
	echo "${0##*/}: $* (see scripts/${0##*/} --help)" >&2
	exit 2
}

parse_args()
{
	local name_of

	while [ $# -gt 0 ]; do
		case $1 in
		-h|--help)	usage; exit 0 ;;
		--*)
			if [[ " $flags " == *" ${1#--} "* ]]; then
				declare -g "${1#--}=1"
				shift
				continue
			fi
			[[ " $options " == *" ${1#--} "* ]] ||
				misused "unknown option $1"
			[ $# -ge 2 ] || misused "$1 needs a value"
			name_of=${1#--}
			declare -g "${name_of//-/_}=$2"
			shift
			;;
		*)	sources+=("$1") ;;
		esac
		shift
	done
	[ -n "$run" ] || misused "--run FILE is missing"
	[ -f "$run" ] || misused "no such file: $run"
	case $mem$timeout in
	*[!0-9]*)	misused "--mem and --timeout take a number" ;;
	esac
	name=${name:-$(basename "$run")}
}

#
# The files
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

# make_root DIR: all files of the guest
make_root()
{
	local root=$1 src script busybox

	mkdir -p "$root"/{bin,dev,etc,proc,root,run,sys,tmp,usr/bin,secbuf}
	chmod 700 "$root/root"
	busybox=$(command -v busybox) || die "no busybox: run scripts/deps.sh demo"
	cp "$busybox" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	install -m 755 "$scripts/guest-init" "$root/init"
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
}

#
# The machine
#

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

#
# The conversation
#

# Sets status and taint if the guest reported them, and again if its kernel was in
# trouble before the script began.
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
		elif [ "$line" = @@again ]; then
			again=1
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

# shellcheck source=selftests/splats.sh
. "$scripts/../selftests/splats.sh"

show_log()
{
	sed 's/^/  /' >&2
}

# complaints: of the kernel, but for what is expected
complaints()
{
	if [ -n "$harmless" ]; then
		grep -a -v -F -e "$harmless" "$log"
	else
		cat "$log"
	fi | grep -a -E "$@" "$splats"
}

# The emulation of two CPUs can run a breakpoint that the kernel has just taken
# away, when it changes a static key: the trap is real, and in memory, before where
# it came from, is no breakpoint.
met_ghost()
{
	awk '/Oops: int3/ { met = 1 }
	     met && / Code: / { sub(/ <.*/, ""); ghost = $NF != "cc"; exit }
	     END { exit !ghost }' "$log"
}

judge()
{
	# out of tree, unsigned, KUnit
	local allowed=$((1 << 12 | 1 << 13 | 1 << 18))

	if complaints >/dev/null; then
		complaints -A 30 -m 1 | show_log
		die "the kernel complained"
	fi
	if [ -n "$timed_out" ]; then
		tail -n 15 "$log" | show_log
		die "no end after $timeout seconds"
	fi
	if [ -z "$status" ]; then
		{ cat "$tmp/machine.err"; tail -n 15 "$log"; } | show_log
		die "the guest ended without a report"
	fi
	if [ $((taint & ~allowed)) -ne 0 ]; then
		tail -n 30 "$log" | show_log
		die "the kernel is tainted: $taint"
	fi
	[ "$status" -eq 0 ] || die "$(basename "$run") ended with status $status"
}
