#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The stock kernel that secbuf is built for and tested on: Debian 12's 6.1.
# Headers are installed (scripts/deps.sh); the image and a few files of the
# source are only downloaded and unpacked into the cache, because installing
# an image would rebuild this machine's initramfs and boot menu.

set -eu

die()
{
	echo "kernel.sh: $*" >&2
	exit 1
}

usage()
{
	cat <<-EOT
	usage: scripts/kernel.sh headers|release|image|module NAME|source|cache
	       scripts/kernel.sh udev|gdb
	       scripts/kernel.sh source73|build KIND|rt|stock612
	       scripts/kernel.sh tree VERSION ARCH COMPILER
	  headers  print the build directory of the newest installed 6.1 headers
	  release  print its release, such as 6.1.0-1-amd64
	  image    print the path of the kernel image, download it if needed
	  module   print the path of one of the image's own modules: brd
	  source   print a directory with checkpatch.pl and kselftest's headers,
	           download the kernel source if needed
	  cache    print the cache directory
	  udev     print a directory with Debian's bin/udevadm and bin/systemd-sysusers
	  gdb      print the path of a gdb that needs no files but its libraries
	For the other lanes, with a kernel to boot as DIR/image:
	  source73 print the directory of the 7.3 source, download it if needed
	  build debug|kcsan|native|native-preempt
	           print DIR of a built 7.3, build it if needed; it is a KDIR
	  rt       print DIR of Debian's 6.1 RT, download it if needed; DIR/build
	           is a KDIR
	  stock612 the same of Debian's 6.12 from bookworm-backports
	To compile for, and never boot:
	  tree 6.1|6.12|7.3 x86_64|arm64 COMPILER
	           print a KDIR of that version, prepared for the compiler
	EOT
}

cache_dir()
{
	local home=${HOME:-}

	if [ -z "${XDG_CACHE_HOME:-}" ] && [ -z "$home" ]; then
		home=$(getent passwd "$(id -u)" | cut -d: -f6)
		[ -n "$home" ] || die "HOME is not set"
	fi
	echo "${XDG_CACHE_HOME:-$home/.cache}/secbuf"
}

headers()
{
	local dir

	dir=$(printf '%s\n' /usr/src/linux-headers-6.1.0-*-amd64 |
	      grep -E -- '/linux-headers-6\.1\.0-[0-9]+-amd64$' |
	      sort -V | tail -n 1) || true
	[ -e "$dir/include/config/auto.conf" ] ||
		die "no Debian 6.1 kernel headers here: run scripts/deps.sh demo"
	echo "$dir"
}

release()
{
	local dir

	dir=$(headers)
	echo "${dir#/usr/src/linux-headers-}"
}

# patiently COMMAND...: mirrors, and the way to them, fail now and then
patiently()
{
	local pause

	for pause in 5 30; do
		! "$@" || return 0
		sleep $pause
	done
	"$@"
}

# download PACKAGE: leaves exactly one .deb in the current directory.  It is
# private and temporary, so apt's own sandbox user could not write to it.
download()
{
	echo "downloading $1" >&2
	if ! command -v apt-get >/dev/null; then
		die "apt-get is needed to download $1"
	fi
	if ! patiently apt-get -qq -o APT::Sandbox::User=root download "$1" \
			>apt.log 2>&1; then
		sed 's/^/  /' apt.log >&2
		die "cannot download $1: try apt-get update," \
			"then scripts/deps.sh check"
	fi
}

# unpack NAME FUNCTION: run FUNCTION in a new directory that becomes
# CACHE/NAME only when it succeeded; two at once do no harm.
unpack()
{
	local cache final tmp

	cache=$(cache_dir)
	final=$cache/$1
	[ ! -d "$final" ] || return 0
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/.$1.XXXXXX")
	# shellcheck disable=SC2064 # expand now
	trap "rm -rf '$tmp'" EXIT
	(cd "$tmp" && "$2" "$1")
	mv -T "$tmp" "$final" 2>/dev/null || [ -d "$final" ] ||
		die "cannot write to $cache"
}

# Of hundreds of megabytes: the kernel, and a RAM disk that tests use.
unpack_image()
{
	download "$1"
	dpkg-deb --fsys-tarfile ./*.deb |
	tar -x --wildcards './boot/vmlinuz-*' './lib/modules/*/brd.ko'
	rm ./*.deb apt.log
}

unpack_source()
{
	local top=linux-source-6.1

	download "$1"
	echo "unpacking checkpatch and kselftest from $1" >&2
	dpkg-deb --fsys-tarfile ./*.deb |
	tar -xO ./usr/src/$top.tar.xz |
	tar -xJ --strip-components=1 \
		$top/scripts/checkpatch.pl \
		$top/scripts/spelling.txt \
		$top/scripts/const_structs.checkpatch \
		$top/scripts/kernel-doc \
		$top/tools/testing/selftests/kselftest.h \
		$top/tools/testing/selftests/kselftest_harness.h \
		$top/tools/testing/selftests/lib.mk
	rm ./*.deb apt.log
}

# Programs that tests run in guests; installing them would start a service.
unpack_udev()
{
	local package

	for package in udev systemd-standalone-sysusers; do
		download $package
		dpkg-deb -x ./*.deb .
		rm ./*.deb apt.log
	done
}

udev()
{
	unpack udev unpack_udev
	echo "$(cache_dir)/udev"
}

unpack_gdb()
{
	download gdb-minimal
	dpkg-deb -x ./*.deb .
	rm ./*.deb apt.log
}

# A gdb with Python would have to have that in the guest, too.
gdb()
{
	local here

	here=$(type -P gdb) || die "no gdb: run scripts/deps.sh check"
	if ldd "$here" | grep -q libpython; then
		unpack gdb-minimal unpack_gdb
		here=$(cache_dir)/gdb-minimal/usr/bin/gdb
	fi
	echo "$here"
}

image()
{
	local rel

	rel=$(release)
	unpack "linux-image-$rel" unpack_image
	echo "$(cache_dir)/linux-image-$rel/boot/vmlinuz-$rel"
}

module()
{
	local dir found

	dir=$(image)
	dir=${dir%/boot/*}/lib/modules
	found=$(find "$dir" -name "$1.ko")
	[ -n "$found" ] || die "no module $1 was unpacked from the image"
	echo "$found"
}

source_dir()
{
	unpack linux-source-6.1 unpack_source
	echo "$(cache_dir)/linux-source-6.1"
}

# shellcheck source=scripts/kernel-lanes.sh
. "$(dirname "$0")/kernel-lanes.sh"
# shellcheck source=scripts/kernel-trees.sh
. "$(dirname "$0")/kernel-trees.sh"

case ${1:-} in
headers)	headers ;;
release)	release ;;
image)		image ;;
module)		module "${2:-}" ;;
source)		source_dir ;;
cache)		cache_dir ;;
udev)		udev ;;
gdb)		gdb ;;
source73)	source73 ;;
build)		build "${2:-}" ;;
rt)		rt ;;
stock612)	stock612 ;;
tree)		[ $# -eq 4 ] || { usage >&2; exit 2; }; tree "$2" "$3" "$4" ;;
-h|--help)	usage ;;
*)		usage >&2; exit 2 ;;
esac
