#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Install what a Debian 12 machine lacks for building, the demo or the tests.
# Nothing here touches the running kernel, the next boot or apt's sources: the
# guest's kernel image is unpacked into the cache (scripts/kernel.sh).

set -eu -o pipefail

# what it is for: package, or alternatives of which the first is installed.
# linux-headers stands for the newest 6.1 headers, see headers_package().
packages='
demo	gcc			compiler
demo	libc6-dev		C library headers
demo	make			runs the builds
demo	pkg-config|pkgconf	finds libraries
demo	linux-headers		to build the module for the stock kernel
demo	kmod			insmod, modinfo
demo	libkmod-dev		for secbufctl
demo	libsodium-dev		for the example SSH agent, and a benchmark
demo	openssh-client		ssh-add and ssh-keygen, the agent'\''s clients
demo	qemu-system-x86		runs the throwaway guest
demo	busybox-static|busybox	the guest'\''s user space
demo	cpio			packs the guest'\''s files
check	g++			the public headers compile as C++, too
check	perl			for checkpatch
check	shellcheck		reads the scripts
check	sparse			checks the module'\''s address spaces
check	spin			verifies the model of the rings
check	xz-utils		unpacks the kernel source
check	bc			for kernels built from source
check	bison			for kernels built from source
check	clang			builds the fuzzers, and kernel modules
check	clang-19		builds modules for newer kernels
check	gcc-aarch64-linux-gnu	compiles for arm64
check	libc6-dev-arm64-cross	C library headers of arm64
check	libclang-rt-dev		fuzzers and sanitizers
check	cvc4			prover, for the codec
check	frama-c-base		proves the contracts of the codec
check	why3			between it and the provers
check	z3			prover, for the codec
check	debian-archive-keyring	for the source of a newer kernel
check	gdb-minimal|gdb		dumps processes that have secrets
check	flex			for kernels built from source
check	libelf-dev		for kernels built from source
check	libssl-dev		for kernels built from source, and a benchmark
check	valgrind		the library'\''s annotations
'

only_add=(--no-install-recommends --no-remove)
scripts=$(cd "$(dirname "$0")" && pwd)

die()
{
	echo "deps.sh: $*" >&2
	exit 1
}

usage()
{
	echo "usage: scripts/deps.sh demo|check|all" >&2
	exit 2
}

wanted()
{
	echo "$packages" | awk -F '\t+' -v group="$1" '
		$1 == "demo" || ($1 == "check" && group != "demo") {
			print $2 "\t" $3
		}'
}

has_apt()
{
	command -v apt-get >/dev/null && command -v dpkg >/dev/null
}

# present NAME[|ALTERNATIVE]...: is there what the package would bring?
present()
{
	local PATH=$PATH:/usr/sbin:/sbin
	local commands=${1%%|*} name

	case $commands in
	libc6-dev)	[ -e /usr/include/stdio.h ]; return ;;
	libc6-dev-arm64-cross) [ -e /usr/aarch64-linux-gnu/include/stdio.h ]; return ;;
	lib*-dev)	pkg-config --exists "${commands%-dev}"; return ;;
	*-keyring)	[ -e "/usr/share/keyrings/$commands.gpg" ]; return ;;
	kmod)		commands='insmod modinfo' ;;
	openssh-client)	commands='ssh-add ssh-agent ssh-keygen' ;;
	qemu-system-x86) commands=qemu-system-x86_64 ;;
	busybox-static)	commands=busybox ;;
	gdb-minimal)	commands=gdb ;;
	xz-utils)	commands=xz ;;
	esac
	# shellcheck disable=SC2086 # names
	for name in $commands; do
		command -v "$name" || return
	done
}

# installed NAME[|ALTERNATIVE]...
installed()
{
	local names

	if ! has_apt; then
		present "$1" >/dev/null 2>&1
		return
	fi
	IFS='|' read -r -a names <<<"$1"
	{ dpkg-query -W -f '${db:Status-Status}\n' "${names[@]}" || true; } \
		2>/dev/null | grep -x installed >/dev/null
}

# The metapackage may resolve to a newer kernel where backports are configured,
# and headers are of use only while the same image can be had.
headers_package()
{
	apt-cache search --names-only \
		'^linux-(headers|image)-6\.1\.0-[0-9]+-amd64$' |
	sed -E 's/^linux-(headers|image)-([^ ]+).*/\2/' |
	sort -V | uniq -d | tail -n 1 | sed 's/^/linux-headers-/'
}

# Prints "package<TAB>purpose" for each package that is not there.
missing()
{
	local names what

	wanted "$1" | while IFS=$'\t' read -r names what; do
		if [ "$names" = linux-headers ]; then
			"$scripts/kernel.sh" headers >/dev/null 2>&1 ||
				printf '%s\t%s\n' "$names" "$what"
		elif ! installed "$names"; then
			printf '%s\t%s\n' "${names%%|*}" "$what"
		fi
	done
}

print_list()
{
	awk -F '\t' '{ printf "  %-30s %s\n", $1, $2 }'
}

# Name the headers exactly, if apt's lists allow.
resolve()
{
	local headers

	headers=$(headers_package)
	echo "${1/linux-headers$'\t'/${headers:-linux-headers-amd64}$'\t'}"
}

known_to_apt()
{
	# apt knows the metapackage, but its version is not ours to choose
	case " $* " in
	*' linux-headers-amd64 '*) return 1 ;;
	esac
	apt-get -s install "${only_add[@]}" "$@" >/dev/null 2>&1
}

# Asks once; as root there is nothing to ask.
confirm()
{
	local answer update=''

	[ "$(id -u)" != 0 ] || return 0
	if ! command -v sudo >/dev/null || [ ! -t 0 ]; then
		known_to_apt "$@" || update='apt-get update && '
		echo "deps.sh: not root, and no sudo to ask for; as root, run" >&2
		echo "  ${update}apt-get install --no-install-recommends $*" >&2
		exit 1
	fi
	read -r -p "Install them with sudo apt-get? [Y/n] " answer
	case $answer in
	''|[Yy]*)	;;
	*)		die "nothing was installed" ;;
	esac
}

apt_get()
{
	local sudo=''

	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get -o DPkg::Lock::Timeout=120 -q -y "$@" </dev/null 2>&1
}

update()
{
	echo "updating apt's package lists"
	apt_get update >"$log" || {
		grep '^[EW]:' "$log" >&2 || true
		die "apt-get update failed: is there a network?"
	}
}

# One line per package and stage instead of apt's many.
progress()
{
	awk '/^Get:/ { printf "  fetching    %s %s\n", $5, $7; fflush() }
	     /^Setting up / { printf "  setting up  %s\n", $3; fflush() }'
}

# Stale lists name versions that the mirror no longer has.
install_packages()
{
	apt_get install "${only_add[@]}" "$@" | tee "$log" | progress && return
	if grep -q -E 'Failed to fetch|Unable to fetch' "$log"; then
		update
		apt_get install "${only_add[@]}" "$@" | tee "$log" | progress &&
			return
	fi
	grep '^[EW]:' "$log" >&2 || tail -n 5 "$log" >&2
	die "apt-get could not install: $*"
}

main()
{
	local group=$1 list names arch

	arch=$(uname -m)
	! has_apt || arch=$(dpkg --print-architecture)
	case $arch in
	amd64|x86_64)	;;
	*)		die "an x86-64 machine is needed, this is $arch" ;;
	esac
	list=$(missing "$group")
	[ -n "$list" ] || return 0
	if ! has_apt; then
		echo "This machine has no apt. It lacks these Debian 12 packages," \
		     "or what they hold:"
		print_list <<<"$list"
		die "please install them first"
	fi

	mapfile -t names < <(resolve "$list" | cut -f 1)
	echo "secbuf needs these Debian packages (and what they depend on):"
	resolve "$list" | print_list
	confirm "${names[@]}"

	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if ! known_to_apt "${names[@]}"; then
		update
		mapfile -t names < <(resolve "$list" | cut -f 1)
		known_to_apt "${names[@]}" ||
			die "apt does not know all of ${names[*]}:" \
			    "Debian 12 (bookworm) is needed"
	fi
	install_packages "${names[@]}"
	echo "deps.sh: installed: ${names[*]}"
}

case ${1:-} in
demo|check|all)	main "$1" ;;
*)		usage ;;
esac
